"""guards/contracts/text.py: answers that are plain text, one of several options, or matched by a pattern."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st

from guards.contracts.text import Choice, Pattern, Text
from guards.errors import ConfigError
from guards.reading.document import JsonDocument, TextDocument
from guards.reading.reading import Limits

YES_NO = Choice(["Yes", "No"])
EVERY = [Text(), YES_NO, Pattern(r"\d{3}")]


def codes(things):
    return [thing.code for thing in things]


def test_text_is_taken_as_written():
    """Text keeps every character, whitespace at its ends included, and records nothing."""
    reading = Text().read("  two\nlines \n")
    assert (reading.value, reading.findings, reading.repairs) == ("  two\nlines \n", (), ())
    assert reading.document.data == "  two\nlines \n"


@pytest.mark.parametrize("text", ["", " ", "\n\t\u2003"])
@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
def test_no_text_is_no_answer(text, dial):
    """An answer of nothing or of whitespace is refused in every reading."""
    reading = Text().read(text, dial)
    assert codes(reading.findings) == ["text.empty"]
    assert reading.value is None


@pytest.mark.parametrize(
    ("text", "value", "repairs"),
    [
        ("Yes", "Yes", []),
        (" Yes\n", "Yes", ["text.trim"]),
        ('"Yes"', "Yes", ["text.quotes"]),
        ("`No`", "No", ["text.quotes"]),
        ("**No**", "No", ["text.quotes"]),
        ("“No”", "No", ["text.quotes"]),
        ("Yes.", "Yes", ["text.stop"]),
        ('"Yes."', "Yes", ["text.quotes", "text.stop"]),
        ("**Yes**.", "Yes", ["text.stop", "text.quotes"]),
        ("YES", "Yes", ["text.case"]),
        (" *yes*. ", "Yes", ["text.trim", "text.stop", "text.quotes", "text.case"]),
        ("<think>No?</think>\n\nyes", "Yes", ["text.think", "text.case"]),
    ],
)
def test_a_choice_is_mended(text, value, repairs):
    """Careful reading takes off whitespace, one pair of marks, a full stop and case, and records each."""
    reading = YES_NO.read(text)
    assert reading.value == value
    assert codes(reading.repairs) == repairs
    assert reading.document.data == value


@pytest.mark.parametrize("text", [" Yes", '"Yes"', "Yes.", "yes", "<think></think>Yes"])
def test_strict_mends_nothing(text):
    """In strict reading an option is taken only if it is the whole answer."""
    reading = YES_NO.read(text, "strict")
    assert codes(reading.findings) == ["text.choice"]
    assert reading.repairs == ()


@pytest.mark.parametrize("text", ["Yes, I think so", "Yes No", '""Yes""', "Yes..", "", "The answer is Yes.", "Yess"])
def test_an_option_in_a_sentence_is_not_taken(text):
    """What is more than an option with marks around it is refused, as it was written."""
    reading = YES_NO.read(text)
    assert reading.repairs == ()
    (finding,) = reading.findings
    assert (finding.code, finding.expected, finding.actual) == ("text.choice", ["Yes", "No"], text)
    assert finding.message == "must be exactly one of the 2 options and nothing else"


@pytest.mark.parametrize(
    ("options", "text", "value"),
    [
        (["us", "US"], "US", "US"),
        (["us", "US"], " us ", "us"),
        (["us", "US"], "Us", None),
        (["yes", "yes."], "yes.", "yes."),
        (["yes", "yes."], "YES.", None),
        (["a", '"a"'], ' "a" ', '"a"'),
        (["a", "a."], '"a."', None),
        (["straße"], "STRASSE", "straße"),
    ],
)
def test_two_meanings_are_never_chosen_between(options, text, value):
    """Where mending leads to two options the answer is refused; an exact option always wins."""
    reading = Choice(options).read(text)
    assert reading.value == value
    assert reading.ok is (value is not None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Choice(options=): there are no options; give at least one"),
        (["a", "b", "a"], "Choice(options=): the option 'a' is given twice"),
        (["a", 1], "Choice(options=): an option is text, not int"),
        ("abc", "Choice(options=): the options are a list of texts, not str"),
        (["a", " "], "Choice(options=): an option is empty; no answer at all is no choice; name the option"),
    ],
)
def test_a_useless_choice_is_refused_where_it_is_written(options, message):
    """Options that cannot be told apart, or are none, are a ConfigError at construction."""
    with pytest.raises(ConfigError) as fault:
        Choice(options)
    assert str(fault.value) == message


def test_a_pattern_matches_the_whole():
    """A pattern that is found only inside the answer does not hold."""
    pattern = Pattern(r"[A-Z]{2}-\d+")
    assert pattern.read("AB-12").value == "AB-12"
    (finding,) = pattern.read("see AB-12").findings
    assert (finding.code, finding.expected, finding.actual) == ("text.pattern", r"[A-Z]{2}-\d+", "see AB-12")
    assert finding.message == "must match the pattern from beginning to end"


def test_a_pattern_is_trimmed_only_if_that_helps():
    """Whitespace is set aside when only that makes the answer match, and belongs to it when the pattern allows it."""
    assert codes(Pattern(r"\d+").read("12\n").repairs) == ["text.trim"]
    assert Pattern(r"\d+\s*").read("12\n").value == "12\n"
    refused = Pattern(r"\d+").read(" x ")
    assert refused.repairs == ()
    assert refused.document.data == " x "
    assert Pattern(r"\d+").read("12\n", "strict").value is None


def test_a_pattern_has_bounded_time():
    """A pattern that backtracks without end becomes a finding in about its time limit."""
    with cpu_within(3):
        reading = Pattern("(a|a)+(a|a)+b").read("a" * 40, "strict")
        assert codes(reading.findings) == ["limit.pattern"]


def test_a_bad_pattern_is_refused_where_it_is_written():
    """What is no ECMA-262 pattern is a ConfigError that names the parameter."""
    with pytest.raises(ConfigError, match=r"^Pattern\(regex=\): "):
        Pattern("(unclosed")


@pytest.mark.parametrize("contract", EVERY)
def test_an_unfinished_thinking_part_is_no_answer(contract):
    """A text that ends inside its thinking part is reported as cut off, never taken for the answer."""
    reading = contract.read("<think>is it 123, or Yes")
    assert codes(reading.findings) == ["text.truncated"]
    assert reading.document is None


def test_thinking_is_set_aside_and_recorded():
    """A thinking part at the very start goes, with the blank lines behind it; one further down is text."""
    reading = Text().read("<think>a</think>\n\nb <think>c</think>")
    assert reading.value == "b <think>c</think>"
    (repair,) = reading.repairs
    assert (repair.code, repair.before) == ("text.think", "<think>a</think>\n\nb <think>c</think>")
    assert Text().read("<think>a</think> b", "strict").value == "<think>a</think> b"
    assert codes(Text().read("<think>a</think> ").findings) == ["text.empty"]


@pytest.mark.parametrize("contract", EVERY)
def test_limits(contract):
    """Past `chars` the answer is refused unread; past `repair_chars` nothing is mended."""
    (finding,) = contract.read("123456", limits=Limits(chars=5)).findings
    assert (finding.code, finding.expected, finding.actual) == ("limit.chars", 5, 6)
    assert contract.read(" 123 yes", limits=Limits(repair_chars=3)).repairs == ()


@pytest.mark.parametrize("text", ["\ud800", "\x00", "a" * 5_000_000, " " * 5_000_000, "\ud800 yes. \udfff", "“" * 99])
@pytest.mark.parametrize("contract", EVERY)
def test_hostile_text_is_answered(contract, text):
    """Lone surrogates, NUL bytes and megabytes are answered at once, and nothing is raised."""
    with cpu_within(2):
        contract.read(text)


@given(text=st.text(), dial=st.sampled_from(["strict", "careful", "eager"]))
def test_what_is_read_is_accepted_again(text, dial):
    """Whatever any text is read as, the contract accepts its document again as the same value."""
    for contract in EVERY:
        reading = contract.read(text, dial)
        if reading.ok:
            assert contract.recheck(reading.document).value == reading.value
        else:
            assert reading.value is None


@pytest.mark.parametrize("contract", EVERY)
def test_contracts_are_values(contract):
    """They compare and hash by their arguments, pickle, and cannot be changed."""
    again = pickle.loads(pickle.dumps(contract))
    assert again == contract
    assert hash(again) == hash(contract)
    assert again.read("Yes") == contract.read("Yes") or again.read("Yes").ok is contract.read("Yes").ok
    with pytest.raises((dataclasses.FrozenInstanceError, AttributeError, TypeError)):
        contract.options = ("x",)
    assert contract.format == "text"
    assert contract.notes == ()


def test_different_arguments_differ():
    """Another option list or pattern makes another contract."""
    assert Choice(["a", "b"]) != Choice(["a"])
    assert Pattern("a") != Pattern("b")
    assert Text() != Choice(["a"])
    assert repr(Choice(["a"])) == "Choice(options=('a',))"
    assert repr(Pattern("a")) == "Pattern(regex='a')"


def test_recheck_refuses_what_is_no_text():
    """A document changed into something else than text is refused, not crashed on."""
    for contract in EVERY:
        assert codes(contract.recheck(JsonDocument(5)).findings) == ["text.type"]
    assert YES_NO.recheck(TextDocument("yes")).value is None


def test_schemas():
    """Each has the JSON Schema of its value; a pattern's is anchored, since JSON Schema only searches."""
    assert Text().json_schema() == {"type": "string"}
    assert YES_NO.json_schema() == {"enum": ["Yes", "No"]}
    assert Pattern("a|b").json_schema() == {"type": "string", "pattern": "^(?:a|b)$"}


def test_prompts():
    """The words that tell a model what to answer are pinned."""
    assert Text().prompt() == "Answer in plain text."
    assert YES_NO.prompt() == "Answer with exactly one of these and nothing else:\n- Yes\n- No"
    assert Pattern(r"\d{3}").prompt() == (
        "Answer with text that this regular expression (ECMA-262) matches from beginning to end, and nothing else:\n"
        r"\d{3}"
    )


@pytest.mark.parametrize(
    "contract", [*EVERY, Pattern("a|b"), Pattern(r"(?=.*\d)[a-z\d]{4,}"), Pattern(r"\p{Lu}\p{Ll}*")]
)
def test_the_example_is_accepted(contract):
    """`prompt(style="example")` is itself an answer, even in strict reading."""
    assert contract.read(contract.prompt("example"), "strict").ok


@pytest.mark.parametrize("contract", EVERY)
@pytest.mark.parametrize("style", ["json-schema", "typescript", "xml", "poem"])
def test_other_styles_are_refused(contract, style):
    """A style that a text contract has not is a ConfigError that says which there are."""
    with pytest.raises(ConfigError, match="use one of 'example'"):
        contract.prompt(style)
