"""A slip between the parts of a JSON document - a comma, a colon, a bracket - is mended or refused; no part is lost."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter

from guards import validate
from guards.contracts import JsonSchema


class Ticket(BaseModel):
    approved: bool
    comment: str
    score: int | None = None
    tags: list[str] = []


class Search(BaseModel):
    q: str
    limit: int = 10


class Post(BaseModel):
    title: str
    count: int | None = None
    level: str | None = None


class Line(BaseModel):
    sku: str
    qty: int = 1


class Order(BaseModel):
    id: str
    lines: list[Line] = []
    total: int | None = None


class Address(BaseModel):
    street: str
    zip: str


class Person(BaseModel):
    name: str
    address: Address | None = None
    langs: list[str] = []


class Review(BaseModel):
    pros: list[str] = []
    name: str | None = None


def read(text: str, contract: Any, **options: Any) -> Any:
    """The value as plain data with the codes of the repairs, or the code of the refusal."""
    outcome = validate(text, contract, **options)
    if not outcome.ok:
        return outcome.findings[0].code
    return TypeAdapter(contract).dump_python(outcome.value, mode="json"), [repair.code for repair in outcome.repairs]


DOCUMENTS: list[tuple[Any, Any]] = [
    (Post, {"title": "a b", "count": 1, "level": "x y"}),
    (Ticket, {"approved": True, "comment": "all good, thanks", "score": 3, "tags": ["a", "b"]}),
    (Order, {"id": "A", "lines": [{"sku": "X", "qty": 2}, {"sku": "Y", "qty": 3}], "total": 4}),
    (Person, {"name": "Ann", "address": {"street": "Main St", "zip": "one"}, "langs": ["en", "de"]}),
    (list[str], ["a b", "c", "d, e"]),
    (dict[str, int], {"a": 1, "b": 2, "c": 3}),
    (dict[str, list[str]], {"a": ["x", "y"], "b": ["z"]}),
]
SLIPS = {
    ",": ["", ",,", ";", ":", "."],
    ":": ["", "::", "=", ",", " ", ": ,"],
    '"': ["", "'"],
    "{": ["", "[", "(", "{{"],
    "}": ["]", ")", "}}", ",}"],
    "[": ["", "{", "(", "[]"],
    "]": ["", "}", ")", "]]"],
}


def slipped(text: str) -> list[str]:
    """The text with each mark of its structure spoilt in each way."""
    texts, quoted = [], False
    for at, mark in enumerate(text):
        if mark in SLIPS and (mark == '"' or not quoted):
            texts += [f"{text[:at]}{other}{text[at + 1 :]}" for other in SLIPS[mark]]
        quoted ^= mark == '"'
    return texts


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(("contract", "data"), DOCUMENTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_with_one_slip_is_read_as_it_was_meant_or_refused(contract, data, indent, dial):
    """No slip of one mark loses a member or an item, or gives one another value."""
    for text in slipped(json.dumps(data, indent=indent)):
        outcome = validate(text, contract, reading=dial)
        assert not outcome.ok or TypeAdapter(contract).dump_python(outcome.value) == data, text


@pytest.mark.parametrize(
    ("text", "contract", "meant"),
    [
        ('{"comment": "ok", "approved": true, "score", 3}', Ticket, ["json.colon"]),
        ('{"comment": "ok", "approved": true, score, 3}', Ticket, ["json.colon"]),
        ('{"comment": "ok", "approved": true, "score": , 3}', Ticket, ["json.comma"]),
        ('{"score", 3, "approved": true, "comment", "ok"}', Ticket, ["json.colon", "json.colon"]),
        ('{"approved": true, "comment": "ok", \'score": 3}', Ticket, ["json.quotes"]),
    ],
)
def test_a_comma_that_stands_for_a_colon_loses_no_member(text, contract, meant):
    """The key and the value beside it are a member, and it is told how."""
    assert read(text, contract) == ({"approved": True, "comment": "ok", "score": 3, "tags": []}, meant)


@pytest.mark.parametrize(
    ("text", "contract", "meant"),
    [
        ('{"a": 1, "b", 2}', dict[str, int], {"a": 1, "b": 2}),
        ('{"a": 1, "b", -2, "c": 3}', dict[str, int], {"a": 1, "b": -2, "c": 3}),
        ('{"q": "x", "limit", 25}', Search, {"q": "x", "limit": 25}),
        ('{"q": "x", "limit":, 25}', Search, {"q": "x", "limit": 25}),
        ('{"q": "x", "limit":}', Search, {"q": "x", "limit": 10}),
        ('{"approved": true, "comment": "ok", "tags", ["a"]}', Ticket, "tags"),
    ],
)
def test_a_key_is_left_out_only_where_nothing_stands_that_may_be_its_value(text, contract, meant):
    """Whatever the contract says of the names."""
    value, _ = read(text, contract)
    assert value == meant if meant != "tags" else value["tags"] == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        '{"q": "x", "limit: 25}',
        '{"q": "x", "limit}',
        '{"q": "x", 25}',
        '{"q": "x", "foo", "bar"}',
        '{"q": "x", "a, b"}',
        '{"q": "x", "limit", 25',
    ],
)
def test_a_key_that_may_be_a_piece_of_something_is_refused(text):
    """A default never stands where a value was said."""
    assert isinstance(read(text, Search), str) or read(text, Search)[0]["limit"] == 25


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"id": "A", "lines": ["sku": "X", "qty": 2}]}', 1),
        ('{"id": "A", "lines": ["sku": "X", "qty": 2}, {"sku": "Y"}]}', 2),
        ('{"id": "A", "lines": [{"sku": "X", "qty": 2}, "sku": "Y"}]}', 2),
    ],
)
def test_an_item_whose_first_bracket_is_missing_is_an_item(text, lines):
    """Where its key is known to the list's items alone."""
    value, _ = read(text, Order)
    assert value["lines"] == [{"sku": "X", "qty": 2}, {"sku": "Y", "qty": 1}][:lines]


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "A", "lines": []"sku": "X", "qty": 2}]}',
        '{"id": "A", "lines": [{"sku": "X"}] "sku": "Y", "qty": 2}]}',
        '{"id": "A", "lines": [{"sku": "X"}, "other": 2}',
    ],
)
def test_a_key_that_neither_the_list_nor_the_object_around_knows_is_refused(text):
    """Nobody can tell whether the list ended there."""
    assert isinstance(read(text, Order), str)


@pytest.mark.parametrize("closer", [")", "]", "}", "))", "{", "[", "(", ")}", "{}", "(}", ")\n```"])
def test_a_bracket_of_another_kind_behind_the_last_value_cuts_nothing_off(closer):
    """The value before it is whole: a text, a number, a word, an item."""
    assert read(f'{{"a": "x", "b": "y"{closer}', dict[str, str])[0] == {"a": "x", "b": "y"}
    assert read(f'{{"q": "x", "limit": 3{closer}', Search)[0] == {"q": "x", "limit": 3}
    if closer != "}":  # that may as well be one inside of an open list, as JSON has it
        value = read(f'{{"approved": true, "comment": "ok", "tags": ["a", "b"{closer}', Ticket)
        assert isinstance(value, str) or value[0]["tags"] == ["a", "b"]


@pytest.mark.parametrize("text", ['{"a": "f(x")', '{"a": "he said "yes" (or "no")', '{"a": "see [1]'])
def test_a_bracket_that_the_text_itself_opened_says_nothing_of_its_end(text):
    """What was cut off stays cut off."""
    assert read(text, dict[str, str]) == ({}, ["json.bracket", "json.truncated"])


@pytest.mark.parametrize("text", ['[{"a": "b"}, {', '[{"a": "b"}, ['])
def test_a_bracket_at_the_end_is_no_empty_item(text):
    """The answer was cut off there."""
    for dial in ("careful", "eager"):
        assert read(text, list[Any], reading=dial) == "json.truncated"


@pytest.mark.parametrize(
    "annotation", [dict[str, Literal["neutral", "bad"]], JsonSchema({"additionalProperties": {"const": "neutral"}})]
)
def test_an_option_without_quotes_is_recorded(annotation):
    """As any text without quotes is."""
    outcome = validate('{"sentiment": neutral}', annotation)
    assert outcome.value == {"sentiment": "neutral"}
    assert [repair.code for repair in outcome.repairs] == ["json.unquoted"]


@pytest.mark.parametrize(
    ("written", "options", "meant"),
    [
        ("1", ["1", 1], 1),
        ("1", [1, "1"], 1),
        ("true", ["true", True], True),
        ("null", ["null", None], None),
        ('"1"', [1, "1"], "1"),
        ('"null"', ["null", None], "null"),
    ],
)
def test_a_scalar_of_json_is_that_scalar_before_it_is_a_text(written, options, meant):
    """Also in a document that has to be mended for something else."""
    outcome = validate(f'{{"v": {written},}}', JsonSchema({"additionalProperties": {"enum": options}}))
    assert outcome.ok and outcome.value["v"] is meant or outcome.value["v"] == meant
    assert type(outcome.value["v"]) is type(meant)


def test_a_null_is_null_before_it_is_the_word():
    """In a union of both."""
    assert read('{"a": null,}', dict[str, Literal["null"] | None])[0] == {"a": None}


def test_a_number_that_is_an_options_text_is_recorded():
    """The digits are another value than the text."""
    assert read('{"a": 1}', dict[str, Literal["1"]]) == ({"a": "1"}, ["value.option"])


def test_a_member_that_an_inner_object_would_swallow_belongs_to_the_one_that_knows_it():
    """Where the bracket between them is missing; or the answer is refused."""
    text = '{"name": "Ann", "address": {"street": "S", "zip": "1", "langs": ["en"]}'
    assert read(text, Person)[0]["langs"] == ["en"]
    swapped = '{"name": "Ann", "address": {"street": "S", "langs": ["en"], "zip": "1"}'
    assert isinstance(read(swapped, Person), str)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"title": "a b" "count": 1, "level": "x"}', "json.comma"),
        ('{"title": "a b",, "count": 1, "level": "x"}', "json.comma"),
        ('{"title": "a b"; "count": 1, "level": "x"}', "json.comma"),
        ('{"title": "a b", "count"= 1, "level": "x"}', "json.colon"),
        ('{"title": "a b", "count":: 1, "level": "x"}', "json.colon"),
        ('{"title": "a b", "count" 1, "level": "x"}', "json.colon"),
        ('{"title": "a b", "count": 1, "level" "x"}', "json.colon"),
    ],
)
def test_a_slip_behind_a_free_text_makes_no_other_reading_of_the_text(text, code):
    """A text that held the names of its own object, and more lone quotes than there are slips, is one nobody wrote."""
    assert read(text, Post) == ({"title": "a b", "count": 1, "level": "x"}, [code])


@pytest.mark.parametrize("text", ['["a" "b", "c"]', '["a",, "b", "c"]', '["a"; "b", "c"]'])
def test_a_slip_between_two_items_makes_no_other_reading_of_them(text):
    """Nor does one in a list."""
    assert read(text, list[str]) == (["a", "b", "c"], ["json.comma"])


@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ('{"title": "say "count": 1, "level": "x"}', Post),
        ('{"title": "he said "count": 1, ok", "level": "x"}', Post),
        ('{"title": "a b", count": 1, "level": "x"}', Post),
        ('{"title": "a b, "count": 1, "level": "x"}', Post),
        ('["monitor 24" "wide", "c"]', list[str]),
        ('["a", "b" "c" d", "e"]', list[str]),
    ],
)
def test_a_quote_that_may_be_the_texts_own_sets_no_other_field(text, contract):
    """Where the quotes themselves may be what is wrong, nobody can tell."""
    assert read(text, contract) == "json.ambiguous"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r'{"a": Dear Ann,\n\nbye", "b": "x"}', {"a": "Dear Ann,\n\nbye", "b": "x"}),
        ('{"a": b", "b": "x"}', {"a": "b", "b": "x"}),
        ('{"a": r", "b": "x"}', {"a": "r", "b": "x"}),
        (r'{"a": r"\d", "b": "x"}', {"a": r"\d", "b": "x"}),
    ],
)
def test_a_text_whose_first_quote_is_missing_is_that_text(text, meant):
    """With its escapes, and though it is a letter that some languages write before a quote."""
    assert read(text, dict[str, str])[0] == meant


def test_marks_of_a_list_are_no_part_of_its_items():
    """As models mix Markdown into JSON."""
    assert read('{"pros": [\n- "fast",\n- "light"\n]}', Review)[0]["pros"] == ["fast", "light"]


@pytest.mark.parametrize("dial", ["careful", "eager"])
def test_lines_of_another_notation_are_no_document_that_was_cut_off(dial):
    """What its list says would be lost."""
    assert read("pros:\n  - fast\n  - light", Review, reading=dial) == "json.missing"


@pytest.mark.parametrize("dots", ["...", "…", "......"])
def test_an_ellipsis_is_no_value(dots):
    """It stands for one that was not given."""
    assert read(f'{{"q": {dots}}}', Search) == "schema.required"
    assert read(f'{{"q": "x", "limit": {dots}}}', Search) == (
        {"q": "x", "limit": 10},
        ["json.ellipsis", "json.no_value"],
    )


@pytest.mark.parametrize(
    ("text", "contract"),
    [('{"scores": {"ann": 3}}', dict[str, int]), ('{"result": {"a": "1"}}', dict[str, str])],
)
def test_eager_reads_a_parsed_document_as_careful_does_where_that_can(text, contract):
    """Nothing is guessed that can be read."""
    assert read(text, contract, reading="eager") == read(text, contract)


@pytest.mark.parametrize("written", ["None", "Null", "NULL", "undefined"])
def test_a_literal_alone_is_null_where_a_text_may_stand_too(written):
    """A word that is none stays prose."""
    assert read(written, str | None) == (None, ["json.literal"])
    assert read("nothing", str | None) == "json.missing"
    assert read("n/a", str | None) == "json.missing"
    assert read(written, str) == "json.missing"


@pytest.mark.parametrize("rest", ["""'x", "limit": 3}""", """‘x", "limit": 3}""", """'x"}"""])
def test_a_text_that_runs_to_the_end_over_other_members_was_not_cut_off(rest):
    """The quote that closes it is one of another kind: what stands behind it is not left out."""
    assert isinstance(read(f'{{"q": "x", "note": {rest}', Search), str)


@pytest.mark.parametrize("between", ["", " ", "\n", ","])
@pytest.mark.parametrize("empty", ["{}", "[]", "{ }"])
def test_empty_items_are_items(between, empty):
    """An empty object or list without a comma before it, at the end of a document, is an item and no stray bracket."""
    kind = dict[str, int] if "{" in empty else list[int]
    for count in (1, 2, 3):
        text = f'{{"items": [{between.join([empty] * count)}]}}'
        outcome = validate(text, dict[str, list[kind]])
        assert outcome.value == {"items": [kind()] * count}, text
