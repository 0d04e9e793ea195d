"""A part of a broken answer is no answer: what the contract asks for is read whole and where it stands, or refused."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from guards import validate
from guards.contracts import JsonSchema

REFUSED = object()


class Company(BaseModel):
    name: str
    city: str | None = None


class Person(BaseModel):
    name: str
    employer: Company | None = None
    age: int | None = None
    tags: list[str] = []


class Address(BaseModel):
    street: str | None = None
    name: str | None = None
    city: str | None = None


class Guest(BaseModel):
    name: str
    addr: Address | None = None
    age: int | None = None


class OpenGuest(Guest):
    model_config = ConfigDict(extra="allow")


class Line(BaseModel):
    sku: str
    qty: int = 1
    tags: list[str] = []


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    name: str
    employer: Company | None = Field(None, alias="boss")


class Node(BaseModel):
    value: int
    child: Optional["Node"] = None


class Reference(BaseModel):
    id: str
    ref: int | str | None = None


class Page(BaseModel):
    model_config = ConfigDict(extra="allow")
    title: str
    body: str | None = None


def read(text: str, contract: Any, reading: str = "careful") -> Any:
    """What was read, as plain data; REFUSED where nothing was."""
    outcome = validate(text, contract, reading=reading)
    return _plain(outcome.value) if outcome.ok else REFUSED


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    return [_plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ('[{sku: "A", tags: ["x"]}, {sku: , tags: []}]', list[Line]),
        ('[{sku: "A", qty: 2}, {sku: "B", qty: many, tags: []}]', list[Line]),
        ('[{sku: "A", qty: 2}, {sku: "B", qty: many, sizes: {"x": 1}}]', dict[str, int]),
        ('{error: "failed: no rows", rows: []}', list[Line]),
        ('{error: "failed: no rows", rows: {}}', dict[str, int]),
        ("[1 2 []]", list[int]),
    ],
)
def test_a_list_inside_of_a_document_is_not_the_answer(text, contract, reading):
    """What stands inside of a document that was read and does not hold is a part of it, empty or not."""
    assert read(text, contract, reading) is REFUSED


@pytest.mark.parametrize(
    "text", ['[unclosed {"name": "x"}', '[see, e.g. {"name": "x"}]', '{the answer is {"name": "x"}}']
)
def test_a_document_in_brackets_of_prose_is_found(text):
    """Brackets that hold but words around a document are prose."""
    assert read(text, Person) == {"name": "x"}


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('"employer": {"name": "ACME"}, "age": 3}', Person, REFUSED),
        ('employer: {"name": "ACME"}', Person, REFUSED),
        ('- employer: {"name": "ACME"}', Person, REFUSED),
        ('**Employer**: {"name": "ACME"}', Person, REFUSED),
        ('name: A\nemployer: {"name": "B"}\nage: 3', Person, REFUSED),
        ('"addr": {"street": "S"}, "name": "A", "age": 3}', Guest, {"addr": {"street": "S"}, "name": "A", "age": 3}),
        ('"addr": {"name": "S"}, "age": 3}', Guest, REFUSED),
        ('"meta": {}, "name": "A"}', Guest, REFUSED),
        ('"meta": {}, "name": "A"}', OpenGuest, REFUSED),
        ('meta: {}, "name": "A"}', OpenGuest, REFUSED),
        ('Result: {"name": "ACME"}', Person, {"name": "ACME"}),
        ('"result": {"name": "ACME"}', Person, {"name": "ACME"}),
        ('Name: {"name": "ACME"}', Person, {"name": "ACME"}),
        ('Employer: {"name": "A", "employer": {"name": "B"}}', Person, {"name": "A", "employer": {"name": "B"}}),
    ],
)
def test_what_stands_under_a_key_is_that_members_value(text, contract, right, reading):
    """A document behind a name is the answer only where the name is a label, not the key of one that lacks its bracket."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('{"employer": {"name": "ACME"}}', Person, REFUSED),
        ('[{"employer": {"name": "ACME"}}]', list[Person], REFUSED),
        ('{"tags": {"name": "ACME"}}', Person, REFUSED),
        ('{"child": {"value": 1}}', Node, REFUSED),
        ('{"child": {"value": 1, "child": {"value": 2}}}', Node, REFUSED),
        ('{"value": {"value": 1}}', Node, {"value": 1}),
        ('{"result": {"name": "ACME"}}', Person, {"name": "ACME"}),
        ('{"result": {"name": "ACME"}', Person, {"name": "ACME"}),
        ('{"k": {"a": []\n ,\n "body": "x", "title": "y"\n}', Page, REFUSED),
    ],
)
def test_a_member_that_the_contract_knows_is_no_envelope(text, contract, right, reading):
    """An object of one key is taken off only where that key cannot be one of what is asked for."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("key", ["boss", "employer", "Employer"])
def test_a_member_by_its_own_name_is_no_envelope(key):
    """A field that goes by an alias is known by both of its names."""
    assert read(f'{{"{key}": {{"name": "ACME"}}}}', Aliased) is REFUSED


def test_a_known_member_of_a_schema_is_no_envelope():
    """A JSON Schema's own properties are none of the names that models put around an answer."""
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "parent": {"$ref": "#"}},
        "required": ["id"],
    }
    outcome = validate('{"parent": {"id": 1}}', JsonSchema(schema))
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("schema.required", "/id")]


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('{"ref"": 5, "id": "A"}', Reference, {"ref": 5, "id": "A"}),
        ('{"ref"": null, "id": "A"}', Reference, {"ref": None, "id": "A"}),
        ('{"id"": A, "ref": 5}', Reference, {"id": "A", "ref": 5}),
        ('{"id"" : "A", "ref": 5}', Reference, {"id": "A", "ref": 5}),
        ("{'ref'': 5, 'id': 'A'}", Reference, {"ref": 5, "id": "A"}),
        ('{“ref”": 5, "id": "A"}', Reference, {"ref": 5, "id": "A"}),
        ('{"name"": "# Title",\n"age": 3}', Person, {"name": "# Title", "age": 3}),
        ('{"ref" ": 5, "id": "A"}', Reference, REFUSED),
    ],
)
def test_a_quote_too_many_behind_a_key_begins_no_text(text, contract, right, reading):
    """The colon behind a doubled quote is a colon, never the value."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ('{"name": "T", "addr": {"street": "S", {"city": "C"}}, "age": 3}', Guest),
        ('{"x": {"a": 1, {"c": 3}, "b": 1}, "y": 2}', dict[str, Any]),
        ('{"x": {"a": 1, ["c", 3], "b": 1}, "y": 2}', dict[str, Any]),
        ('[{"a": 1, {"c": 3}, "b": 1}]', list[dict[str, int]]),
        ('{"rows": [{"a": 1, {"c": 3}, "b": 1}], "n": 1}', dict[str, Any]),
        ('{"age": 3, [{"name": "Ana"}]}', Person),
        ('{"tags": ["x"], [{"name": "Ana"}]}', Person),
    ],
)
def test_a_bracket_without_a_key_moves_no_members(text, contract, reading):
    """Where an object or a list stands that no key names, nobody can tell what holds it."""
    assert read(text, contract, reading) is REFUSED


@pytest.mark.parametrize(
    "text", ['{"name": "x", {}}', '{"name": "x", {', '{"name": "x", []}', '{"name": "x", [}\nHope this helps!']
)
def test_an_empty_bracket_without_a_key_holds_nothing(text):
    """Brackets that hold nothing, at the end of all, are a slip."""
    assert read(text, Person) == {"name": "x"}


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('{"rows": [["Hello!"]["¡Hola!"]]}', dict[str, Any], {"rows": [["Hello!"], ["¡Hola!"]]}),
        ('{"name": "x", "tags": ["**a**";"**b**"]}', Person, {"name": "x", "tags": ["**a**", "**b**"]}),
        ('{"name": "x", "tags": ["a."|"b."]}', Person, REFUSED),
        ('{"name": "x", "tags": ["a."."b."]}', Person, REFUSED),
        ('[["<b>x</b>"]],["<b>y</b>"]]', list[list[str]], REFUSED),
        ('{"rows": [["a."],["b."]]],["(c)"]], "name": "n"}', dict[str, Any], REFUSED),
        ('{"name": "by ";" or so", "tags": ["by "]" too"]}', Person, {"name": 'by ";" or so', "tags": ['by "]" too']}),
    ],
)
def test_what_parts_items_is_no_quotation(text, contract, right, reading):
    """Texts with marks at their edges are not one text around a quotation of a bracket or a separator."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('[{"a": 1}\n{}', list[dict[str, int]], [{"a": 1}, {}]),
        ('[{"a": 1}\n{}\n{}', list[dict[str, int]], [{"a": 1}, {}, {}]),
        ("[[1], [2][]", list[list[int]], REFUSED),
        ("[[1], [2][]]", list[list[int]], [[1], [2], []]),
        ('[{"sku": "A"}[]', list[Line], [{"sku": "A"}]),
        ("[[1], [2][", list[list[int]], [[1], [2]]),
        ('["a" []', list[str], ["a"]),
        ('["a" []]', list[str], REFUSED),
    ],
)
def test_an_empty_item_is_kept_where_the_list_is_not_closed(text, contract, right, reading):
    """A whole empty pair is an item, whatever brackets are missing behind it, unless one of it may close the list."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('{"name": "Paris", France}', Person, REFUSED),
        ('{"name": "Paris", France, "age": 3}', Person, REFUSED),
        ('{"a": "1", b}', dict[str, str], REFUSED),
        ('{"name": "Paris", age}', Person, {"name": "Paris"}),
        ('{"name": "Paris", France: }', Person, {"name": "Paris"}),
        ('{"name": "Paris", "tags": ["a"], extra}', Person, {"name": "Paris", "tags": ["a"]}),
    ],
)
def test_a_word_behind_a_text_may_be_its_rest(text, contract, right, reading):
    """A word without a colon behind a text is left out only where it is the name of a member."""
    assert read(text, contract, reading) == right


@given(
    st.lists(st.sampled_from([r"\n", r"\r", r"\t"]), min_size=1, max_size=4).map("".join),
    st.sampled_from(["", "a", "Regex:", r"\w+", "Ends. ", r"C:\app"]),
    st.sampled_from([r"\d+", r"\w", r"x \d", r"\alpha", "", "X", r"- \d"]),
)
def test_line_breaks_in_a_row_are_escapes_or_are_not(run, before, behind):
    """Of the escapes that stand one behind the other in a text that was never escaped, none is read apart."""
    outcome = validate(f'{{"code": "{before}{run}{behind}"}}', dict[str, str])
    decoded = run.replace(r"\n", "\n").replace(r"\r", "\r").replace(r"\t", "\t")
    assert not outcome.ok or outcome.value["code"] in {before + run + behind, before + decoded + behind}


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('[Paris, France", "Rome"]', list[str], REFUSED),
        ('[a;b", "c"]', list[str], REFUSED),
        ('{"name": "a", "tags": [Paris, France", "Rome"]}', Person, REFUSED),
        ('[a", "c"]', list[str], ["a", "c"]),
        ('[a", c", d]', list[str], ["a", "c", "d"]),
        ('[\n  Paris,\n  Rome",\n  "Lyon"\n]', list[str], ["Paris", "Rome", "Lyon"]),
    ],
)
def test_an_item_without_its_first_quote_is_not_split(text, contract, right, reading):
    """The comma before a text that only ends with a quote may be one of the text."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('```json\n{"a": 1, "b: 2}\n```\nDone.', dict[str, int], REFUSED),
        ('{"a": 1, "b: 2}\nDone.', dict[str, int], REFUSED),
        ('{"a": 1, "b', dict[str, int], {"a": 1}),
        ('{title: "T", k: 1, x: {a": 1}}', Page, REFUSED),
        ('{title: "T", opts“: [1]}', Page, {"title": "T", "opts": [1]}),
    ],
)
def test_a_quote_that_was_lost_takes_no_member(text, contract, right, reading):
    """A key or a text swallows nothing of the document where one of its quotes is missing."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "contract", "right"),
    [
        ('[["12:30"], ], ["a"]]', list[list[str]], REFUSED),
        ('[[, ["x"], []]', list[list[str]], REFUSED),
        ('{"title": "a", "m": [[, []], "n": 1}', Page, REFUSED),
        ('{"title": "a", "m": {, "n": {"b": []}}', Page, REFUSED),
        ('[["a"], [}, []]', list[list[str]], [["a"], [], []]),
        ('{"name": "x", "tags": [, "age": 3}', Person, {"name": "x", "tags": [], "age": 3}),
        ('{"name": "x", "tags": [,]', Person, {"name": "x", "tags": []}),
        ('[, "a", "b"]', list[str], ["a", "b"]),
        ('{, "title": "a"', Page, {"title": "a"}),
    ],
)
def test_an_empty_list_that_lacks_a_bracket_is_not_passed_over(text, contract, right, reading):
    """What is left of an empty item, a comma and one bracket, is not taken for a comma and a bracket too many."""
    assert read(text, contract, reading) == right


@pytest.mark.parametrize("reading", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "right"),
    [
        ('{"title": "a", "m": 1, 2]}', REFUSED),
        ('{"title": "a", "m": x,\n y]\n}', REFUSED),
        ('{"title": ""# head", "body": "x"}', REFUSED),
        ('{"title": ""// head", "body": "x"}', REFUSED),
        ('{"title": "a"# a note\n, "body": "x"}', {"title": "a", "body": "x"}),
        ('{"title": "a", // the "b"\n "body": "x"}', {"title": "a", "body": "x"}),
    ],
)
def test_a_text_is_not_what_a_lost_bracket_or_quote_leaves(text, right, reading):
    """Items without their first bracket are no text, and a text behind a doubled quote is no comment."""
    assert read(text, Page, reading) == right
