"""Python types and JSON Schemas answered in XML: the same values as with JSON, and XPaths in the findings."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pickle
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import BaseModel, ConfigDict, Field

from guards import ConfigError, Filter, Finding, Fix, Guarded, Noop, check, contract, validate
from guards.contracts import JsonSchema
from guards.contracts.compiled import compile_contract
from guards.testing import ScriptedModel


class Kind(enum.Enum):
    A = "a"
    ONE = 1


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Order(BaseModel):
    """An order."""

    number: int = Field(ge=1, description="the order's number")
    paid: bool
    price: float
    note: str | None
    kind: Kind = Kind.A
    tags: list[str] = []
    lines: list[Point]
    pet: Annotated[Union[Cat, Dog], Field(discriminator="kind")]
    other: Cat | Point | None = None
    extra: dict[str, int] = {}
    day: dt.date | None = None
    matrix: list[list[int]] = []
    odd: str = Field("x", alias="odd name")
    parent: Optional["Order"] = None


xml_text = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=20
)
pets = st.builds(Cat, kind=st.just("cat"), lives=st.integers()) | st.builds(Dog, kind=st.just("dog"), name=xml_text)
floats = st.floats(allow_nan=False, allow_infinity=False)
points = st.builds(Point, x=floats, y=floats)
orders = st.builds(
    Order,
    number=st.integers(1, 10**20),
    paid=st.booleans(),
    price=floats,
    note=st.none() | xml_text,
    kind=st.sampled_from(Kind),
    tags=st.lists(xml_text, max_size=3),
    lines=st.lists(points, max_size=3),
    pet=pets,
    other=st.none() | st.builds(Cat, kind=st.just("cat"), lives=st.integers()) | points,
    extra=st.dictionaries(xml_text, st.integers(), max_size=3),
    day=st.none() | st.dates(),
    matrix=st.lists(st.lists(st.integers(), max_size=2), max_size=2),
    parent=st.none(),
    **{"odd name": xml_text},
)


@given(orders, st.sampled_from(["strict", "careful"]))
def test_what_is_written_is_read_back(order, dial):
    """Any value written as XML is read back equal, in each dial, and the derived XML Schema accepts it."""
    compiled = compile_contract(Order, "xml")
    data = json.loads(order.model_dump_json(by_alias=True))
    text = compiled.to_xml(data)
    outcome = validate(text, Order, format="xml", reading=dial)
    assert outcome.ok, outcome.findings
    assert outcome.value == order
    assert outcome.repairs == ()
    assert etree.XMLSchema(etree.fromstring(compiled.xsd())).validate(etree.fromstring(text))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "<int>41</int>", 41),
        (bool, "<bool>true</bool>", True),
        (str, "<str> a &amp; b </str>", " a & b "),
        (list[int], "<answer><item>1</item><item>2</item></answer>", [1, 2]),
        (list[int], "<answer/>", []),
        (
            dict[str, list[int]],
            '<answer><a>1</a><entry key="b c">2</entry><a>3</a></answer>',
            {"a": [1, 3], "b c": [2]},
        ),
        (int | None, '<answer xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"/>', None),
        (int | str, "<answer>41</answer>", 41),
        (str | int, "<answer>41</answer>", "41"),
        (Literal["a", 3], "<answer>3</answer>", 3),
        (decimal.Decimal, "<Decimal>1.10</Decimal>", decimal.Decimal("1.10")),
        (tuple[int, str], "<answer><item>1</item><item>x</item></answer>", (1, "x")),
        (
            {"title": "Thing", "type": "object", "properties": {"a": {"type": "number"}}},
            "<Thing><a>1.5</a></Thing>",
            {"a": 1.5},
        ),
        ({"type": "object", "properties": {"a": {"type": ["integer", "null"]}}}, "<answer><a>2</a></answer>", {"a": 2}),
        (Any, "<answer><a>1</a><a>2</a><b><c/></b></answer>", {"a": ["1", "2"], "b": {"c": ""}}),
    ],
)
def test_values_of_many_kinds(kind, text, value):
    """Leaves, lists, mappings, unions and schemas are read by one rule; the root is the class name, title or answer."""
    root = compile_contract(kind, "xml").root
    outcome = validate(text.replace("<answer", f"<{root}").replace("</answer", f"</{root}"), kind, format="xml")
    assert outcome.ok, outcome.findings
    assert outcome.value == value
    assert type(outcome.value) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (int, "<int>36.6</int>", "schema.type"),
        (int, "<int>4 1</int>", "schema.type"),
        (int, "<int></int>", "schema.type"),
        (int, "<int><a/></int>", "schema.type"),
        (float, "<float>NaN</float>", "schema.type"),
        (bool, "<bool>yes</bool>", "schema.type"),
        (int, '<int unit="kg">3</int>', "schema.additionalProperties"),
        (int, "<number>3</number>", "schema.root"),
        (Cat, "<Cat><kind>cat</kind>stray<lives>3</lives></Cat>", "schema.type"),
        (Cat, "<Cat><kind>cat</kind><lives>3</lives><lives>4</lives></Cat>", "schema.type"),
        (Cat, "<Cat><kind>cat</kind></Cat>", "schema.required"),
        (list[int], "<answer><item>1</item><other>2</other></answer>", "schema.type"),
    ],
)
def test_what_is_refused(kind, text, code):
    """Nothing is converted beyond its exact form, and nothing that the tree holds is dropped without a word."""
    outcome = validate(text, kind, format="xml")
    assert not outcome.ok
    assert code in [f.code for f in outcome.findings]


def test_absence():
    """A required list may be empty by absence, a required null by absence; anything else that is absent is missing."""
    text = "<Order><number>1</number><paid>1</paid><price>2</price><pet><kind>cat</kind><lives>9</lives></pet></Order>"
    order = validate(text, Order, format="xml").value
    assert (order.note, order.lines, order.tags) == (None, [], [])
    missing = validate("<Order/>", Order, format="xml")
    assert [f.path for f in missing.findings] == ["/Order/number", "/Order/paid", "/Order/price", "/Order/pet"]


def test_paths_are_xpaths():
    """Findings name the element as answered, with an index only among siblings of its name."""
    text = (
        "<Order><number>0</number><paid>1</paid><price>2</price><lines><x>1</x></lines><lines><x>b</x></lines>"
        "<pet><kind>dog</kind></pet><tags>t</tags></Order>"
    )
    outcome = validate(text, Order, format="xml")
    assert [(f.code, f.path) for f in outcome.findings] == [
        ("schema.minimum", "/Order/number"),
        ("schema.type", "/Order/lines[2]/x"),
        ("schema.required", "/Order/pet/name"),
    ]


def test_extra_elements_follow_the_model():
    """Unknown elements are passed on: ignored, kept or refused as the model says."""

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int

    outcome = validate("<Strict><a>1</a><b>2</b></Strict>", Strict, format="xml")
    assert [(f.code, f.path) for f in outcome.findings] == [("schema.additionalProperties", "/Strict/b")]
    assert validate("<Cat><kind>cat</kind><lives>1</lives><b>2</b></Cat>", Cat, format="xml").ok


def test_guards_fix_and_filter():
    """Guards inside the type and at XPaths run; edits change the data, and paths stay XPaths."""

    @check
    def no_bad(value, context):
        return Finding("test.bad", "bad", fix="good") if value == "bad" else None

    class Note(BaseModel):
        text: Annotated[str, no_bad]
        tags: list[str] = []

    answer = "<Note><text>bad</text><tags>a</tags><tags>bad</tags></Note>"
    outcome = validate(answer, Note, format="xml", guards=[no_bad.on("//tags")])
    assert sorted(f.path for f in outcome.findings) == ["/Note/tags[2]", "/Note/text"]
    fixed = Guarded(Note, format="xml", guards=[no_bad.on("//tags")], on_fail=Fix()).run(ScriptedModel([answer]), "t")
    assert fixed.value == Note(text="good", tags=["a", "good"])
    answer = answer.replace("<text>bad", "<text>fine")
    less = Guarded(Note, format="xml", guards=[no_bad.on("//tags")], on_fail=Filter()).run(ScriptedModel([answer]), "t")
    assert (less.value.tags, less.repairs[0].path) == (["a"], "/Note/tags[2]")


def test_an_edit_does_not_lose_what_the_tree_held_beyond_the_data():
    """An attribute that was refused is still refused after a fix of something else."""

    @check
    def no_bad(value, context):
        return Finding("test.bad", "bad", fix="good") if value == "bad" else None

    answer = '<Dog><kind>dog</kind><name lang="en">bad</name></Dog>'
    outcome = Guarded(Dog, format="xml", guards=[no_bad.on("//name")], on_fail=Fix().then(Noop())).run(
        ScriptedModel([answer]), "t"
    )
    assert (outcome.ok, outcome.value) == (False, None)
    assert [f.path for f in outcome.findings] == ["/Dog/name/@lang"]


@pytest.mark.parametrize("kind", [Order, Cat, list[Point], dict[str, Kind], int, JsonSchema({"type": "array"})])
def test_prompts(kind):
    """The example is an answer that the contract accepts, the skeleton is XML, and other styles are refused."""
    compiled = contract(kind, format="xml")
    assert compiled.validate(compiled.prompt("example"), reading="strict").ok
    skeleton = compiled.prompt().split("\n\n", 1)[1]
    etree.fromstring(skeleton.replace("…", ""))
    with pytest.raises(ConfigError, match="style"):
        compiled.prompt("typescript")


def test_the_skeleton_of_a_type():
    """Comments say types, allowed values, what repeats and what may be left out."""

    class Ticket(BaseModel):
        title: str = Field(min_length=3, description="One line -- short")
        kind: Literal["bug", "idea"]
        tags: list[str] = []
        when: dt.date | None

    assert contract(Ticket, format="xml").prompt().split("\n\n", 1)[1] == (
        "<Ticket>\n"
        "  <title><!-- text, at least 3 characters --></title> <!-- One line - - short -->\n"
        "  <kind><!-- one of bug, idea --></kind>\n"
        "  <tags><!-- text --></tags> <!-- repeat for each item; may be left out -->\n"
        "  <when><!-- text, a date --></when> <!-- left out for null -->\n"
        "</Ticket>"
    )


def test_it_is_a_value():
    """It compares, hashes, prints and pickles."""
    one = compile_contract(Order, "xml")
    assert pickle.loads(pickle.dumps(one)) == one
    assert hash(one) == hash(compile_contract(Order, "xml"))
    assert repr(one) == "DataAsXml(Typed(Order))"
    assert "Order" in one.json_schema()["$defs"]
    ticket = Guarded(Order, format="xml")
    assert pickle.loads(pickle.dumps(ticket)) == ticket
