"""Strict reading, and finding the document in what surrounds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from models import GOOD, Ticket

from guards import validate
from guards.contracts import JsonSchema

SUITE = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "json_test_suite"
ANYTHING = JsonSchema({})
OBJECT = JsonSchema({"type": "object", "required": ["a"]})

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(text, contract=OBJECT, **options):
    outcome = validate(text, contract, **options)
    return outcome.value if outcome.ok else [f.code for f in outcome.findings]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('Here it is: {"a": 1}. Anything else?', ["text.prose"]),
        ('```json\n{"a": 1}\n```', ["text.fence"]),
        ('```json\n{"a": 1}', ["text.fence"]),
        ('~~~\n{"a": 1}\n~~~', ["text.fence"]),
        ('Sure!\n```\n{"a": 1}\n```\nDone.', ["text.fence", "text.prose"]),
        ('<think>maybe {"a": 2}?</think>{"a": 1}', ["text.think"]),
        ('<thinking>\n{"a": 2}\n</thinking>\n\n{"a": 1}', ["text.think"]),
        ('maybe {"a": 2}?</think>{"a": 1}', ["text.think"]),
        ('I [see] {this}: {"a": 1}', ["text.prose"]),
        ('it\'s "quoted {"a": 1}', ["text.prose"]),
        ('[unclosed {"a": 1}', ["text.prose"]),
        ('{"b": 2} {"a": 1}', ["text.prose"]),
        ('{"a": 1} and again {"a": 1}', ["text.prose"]),
        ('\ufeff{"a": 1}', ["text.prose"]),
    ],
)
def test_the_document_is_found(text, codes):
    """Prose, fences and thinking are set aside, and each is recorded."""
    outcome = validate(text, OBJECT)
    assert outcome.value == {"a": 1}
    assert [r.code for r in outcome.repairs] == codes
    assert read(text, reading="strict") == ["json.syntax"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "json.missing"),
        ("  \n", "json.missing"),
        ("I cannot answer that.", "json.missing"),
        ('{"b": 1, "a', "json.truncated"),
        ('Here: {"b": 1, "c', "json.truncated"),
        ('<think>I should say {"a": 1}', "json.truncated"),
        ('"a": nope"', "json.syntax"),
        ('{"a": 1} or {"a": 2}', "json.ambiguous"),
        ('{"a": 1} or {"a": true}', "json.ambiguous"),
    ],
)
def test_what_cannot_be_read_is_named(text, code):
    """No document, a cut one, an unparsable one and several that fit are told apart."""
    assert read(text) == [code]
    assert read(text, reading="strict") in (["json.syntax"],)


def test_a_draft_in_the_thinking_part_is_no_answer():
    """What stands inside the thinking part is never taken."""
    assert read('<think>{"a": 2}</think>I will not say.') == ["json.missing"]
    assert read('{"a": 2}</think>no') == ["json.missing"]


def test_marks_inside_a_document_s_strings_are_text():
    """Fences, brackets and think tags in strings belong to the document."""
    for inner in ("```json", "</think>", "<think>", "}{", '\\"', "// no comment", "line\\nbreak"):
        text = f'{{"a": "{inner}"}}'
        assert read(text) == json.loads(text)
        assert read(f"Answer: {text}") == json.loads(text)


def test_eager_takes_the_last_and_says_so():
    """Only the dial that was asked to chooses, with a record of what it passed over."""
    outcome = validate('{"a": 1} or {"a": 2}', OBJECT, reading="eager")
    assert outcome.value == {"a": 2}
    chosen = next(r for r in outcome.repairs if r.code == "json.last")
    assert chosen.before == [{"a": 1}]


def test_one_that_fits_is_taken_wherever_it_stands():
    """Documents that do not fit the contract are no rivals."""
    assert read('{"x": 1} {"a": 5} [1]') == {"a": 5}


def test_none_fits():
    """Where none fits, the findings are of the one that comes closest."""
    outcome = validate('{"title": 3} and {"title": "x", "priority": 9}', Ticket)
    assert [f.path for f in outcome.findings] == ["/priority"]


def test_duplicate_keys():
    """The last wins, and every one is recorded with its path, in strict reading too."""
    text = '{"a": {"b": 1, "b": 2}, "a": {"b": 3, "b/c": 1, "b/c": 2}}'
    outcome = validate(text, ANYTHING, reading="strict")
    assert outcome.value == {"a": {"b": 3, "b/c": 2}}
    assert [(r.code, r.path, r.before, r.after) for r in outcome.repairs] == [
        ("json.duplicate_key", "/a/b", 1, 2),
        ("json.duplicate_key", "/a/b~1c", 1, 2),
        ("json.duplicate_key", "/a", {"b": 2}, {"b": 3, "b/c": 2}),
    ]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[NaN]", "1e400", '{"a": -1e999}'])
def test_numbers_that_json_does_not_have(text):
    """NaN, infinities and what overflows to them are refused."""
    assert read(text, ANYTHING, reading="strict") == ["json.syntax"]
    assert not validate(text, float).ok


@given(json_values)
def test_valid_json_is_never_changed(value):
    """Strict and careful give exactly what a plain parser gives, without a repair, whatever the strings look like."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        for dial in ("strict", "careful", "eager"):
            outcome = validate(text, ANYTHING, reading=dial)
            assert outcome.ok
            assert json.dumps(outcome.value, sort_keys=True) == json.dumps(value, sort_keys=True)
            assert outcome.repairs == ()


@given(json_values, st.text(alphabet=st.characters(exclude_characters='{}[]`~<>"')), st.text(max_size=30))
def test_prose_around_changes_nothing(value, before, after):
    """A document between other words is read back exactly, or refused: never another value."""
    document = json.dumps({"a": value})
    outcome = validate(f"{before} {document} {after}", OBJECT)
    if outcome.ok:
        assume("{" not in after)
        assert outcome.value == {"a": value}


@given(st.integers(min_value=0, max_value=len(GOOD) - 1))
def test_a_cut_document_is_accepted_only_if_nothing_is_lost(end):
    """Any prefix of a document whose members are required is refused, or read as the whole is."""
    outcome = validate(GOOD[:end], Ticket)
    assert not outcome.ok or outcome.value == validate(GOOD, Ticket).value


@pytest.mark.skipif(not SUITE.is_dir(), reason=f"needs the public suite in {SUITE.parent.name}/{SUITE.name}")
def test_the_public_parser_suite():
    """Every must-accept file is accepted and every must-reject file refused in strict reading; none crashes."""
    files = sorted(SUITE.rglob("*.json"))
    assert files
    wrong = []
    for file in files:
        try:
            text = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # not a text: nothing that a model's client could hand over
        ok = validate(text, ANYTHING, reading="strict").ok
        if file.name[:2] in ("y_", "n_") and ok is not (file.name[0] == "y"):
            wrong.append(file.name)
        validate(text, ANYTHING)
    assert wrong == []
