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

from guards import ConfigError, Filter, Finding, Fix, Guarded, Limits, Noop, check, contract, validate
from guards.contracts import JsonSchema
from guards.contracts.compiled import compile_contract
from guards.contracts.xml.value import XSI
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
    """In strict reading nothing is converted beyond its exact form, and nothing that the tree holds is dropped."""
    outcome = validate(text, kind, format="xml", reading="strict")
    assert not outcome.ok
    assert code in [f.code for f in outcome.findings]


def test_absence():
    """A required null is absent or nil, a required list without items one empty element; all else that is absent is missing."""
    text = "<Order><number>1</number><paid>1</paid><price>2</price><pet><kind>cat</kind><lives>9</lives></pet><lines/></Order>"
    order = validate(text, Order, format="xml").value
    assert (order.note, order.lines, order.tags) == (None, [], [])
    missing = validate("<Order/>", Order, format="xml")
    assert [f.path for f in missing.findings] == [
        "/Order/number",
        "/Order/paid",
        "/Order/price",
        "/Order/lines",
        "/Order/pet",
    ]


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

    outcome = validate("<Strict><a>1</a><b>2</b></Strict>", Strict, format="xml", reading="strict")
    assert [(f.code, f.path) for f in outcome.findings] == [("schema.additionalProperties", "/Strict/b")]
    outcome = validate("<Strict><a>1</a><b>2</b></Strict>", Strict, format="xml")
    assert (outcome.value, [r.code for r in outcome.repairs]) == (Strict(a=1), ["xml.extra"])
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
    dog = Guarded(Dog, format="xml", reading="strict", guards=[no_bad.on("//name")], on_fail=Fix().then(Noop()))
    outcome = dog.run(ScriptedModel([answer]), "t")
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


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (decimal.Decimal, "0.12345678901234567890123", decimal.Decimal("0.12345678901234567890123")),
        (decimal.Decimal, "12345678901234567890.5", decimal.Decimal("12345678901234567890.5")),
        (bool | int, "1", 1),
        (int | bool, "true", True),
        (bool | str, "0", "0"),
        (dt.date | int, "41", 41),
        (dt.date | bool, "true", True),
        (int | str, "36.6", "36.6"),
        (float | None, "-.5e1", -5.0),
    ],
)
def test_a_union_takes_the_member_that_is_sure(kind, text, value):
    """No digit is lost to a float where text is allowed, and 1, 0 and number-like dates yield to members that fit."""
    root = compile_contract(kind, "xml").root
    outcome = validate(f"<{root}>{text}</{root}>", kind, format="xml", reading="strict")
    assert outcome.ok, outcome.findings
    assert (type(outcome.value), outcome.value) == (type(value), value)


_INTEGER = {"type": "integer"}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"a": _INTEGER}}, {"required": ["a"]}]},
        {"allOf": [{"properties": {"a": {"minimum": 1}}}, {"properties": {"a": _INTEGER}}]},
        {"type": "object", "properties": {"a": _INTEGER}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"properties": {"a": {"type": "integer", "anyOf": [{"minimum": 5}, {"multipleOf": 1}]}}},
        {"properties": {"a": {"type": ["number", "null"], "allOf": [_INTEGER]}}},
        {"if": {"required": ["a"]}, "then": {"properties": {"a": _INTEGER}}},
        {"properties": {"b": {}}, "dependentSchemas": {"a": {"properties": {"a": _INTEGER}}}},
        {"patternProperties": {"^a$": _INTEGER}},
        {"properties": {"a": {"$ref": "#whole"}}, "$defs": {"n": {"$anchor": "whole", **_INTEGER}}},
        {"properties": {"a": {"$ref": "#/$defs/a%20b"}}, "$defs": {"a b": _INTEGER}},
        {"properties": {"a": {"$ref": "#/$defs/u/anyOf/0"}}, "$defs": {"u": {"anyOf": [_INTEGER]}}},
        {"$id": "http://x.y/z", "properties": {"a": {"$ref": "z#/$defs/n"}}, "$defs": {"n": _INTEGER}},
        {"$id": "http://x.y/z", "properties": {"a": {"$ref": "n"}}, "$defs": {"n": {"$id": "n", **_INTEGER}}},
        {"properties": {"a": {"minimum": 1}}},
        {"properties": {"a": {"enum": [3, 4, "x"]}}},
        {"additionalProperties": _INTEGER},
    ],
)
def test_the_type_of_a_leaf_is_found_through_the_whole_schema(schema):
    """References, combined schemas, conditions and hints all say what a text is."""
    outcome = validate("<answer><a>4</a></answer>", JsonSchema(schema), format="xml")
    assert (outcome.ok, outcome.value) == (True, {"a": 4}), outcome.findings


class Home(BaseModel):
    pet: Cat | Dog | None = None
    lines: list[Point] = []
    tags: list[str] = ["a"]
    odd: int = Field(0, alias='it\'s "odd"')


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Cat | Dog, "<Dog><kind>dog</kind><name>Rex</name></Dog>", Dog(kind="dog", name="Rex")),
        (Cat | Dog, "<answer><Cat><kind>cat</kind><lives>9</lives></Cat></answer>", Cat(kind="cat", lives=9)),
        (
            Home,
            "<Home><pet><Cat><kind>cat</kind><lives>9</lives></Cat></pet></Home>",
            Home(pet=Cat(kind="cat", lives=9)),
        ),
        (Home, "<Home><lines/></Home>", Home(lines=[])),
        (Home, "<Home><lines><item><x>1</x></item></lines></Home>", Home(lines=[Point(1)])),
        (Home, "<Home><tags><item>a</item><item>b</item></tags></Home>", Home(tags=["a", "b"])),
        (Home, "<Home><tags/></Home>", Home(tags=[])),
        (Home, "<Home><tags></tags><tags/></Home>", Home(tags=["", ""])),
        (
            Home,
            '<Home xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><tags xsi:nil="true"/></Home>',
            Home(tags=[]),
        ),
        (
            int | str,
            '<answer xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">41</answer>',
            "41",
        ),
    ],
)
def test_by_tag_or_by_shape(kind, text, value):
    """A union's member may be named; a list's only element may hold its items, or nothing where no item is empty."""
    outcome = validate(text, kind, format="xml", reading="strict")
    assert outcome.ok, outcome.findings
    assert outcome.value == value


def test_a_missing_member_whose_key_is_no_name():
    """The path of an entry is a valid XPath even where its key holds both kinds of quotes."""

    class Bare(BaseModel):
        odd: int = Field(alias='it\'s "odd"')

    missing = validate("<Bare/>", Bare, format="xml").findings[0]
    assert missing.path == """/Bare/entry[@key=concat('it', "'", 's "odd"')]"""
    assert etree.fromstring('<Bare><entry key="it\'s &quot;odd&quot;"/></Bare>').xpath(missing.path) != []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Home, {"tags": [], "lines": []}),
        (dict[str, list[int]], {"a": [], "b c": [], "entry": [1, 2], "item": [3], "d": []}),
        (list[list[int]], [[], [1], [1, 2]]),
        (dict[str, list[list[int]]], {"a": [[]], "b": [[], [1]]}),
        (dict[str, list[int | None]], {"a": [None], "b": [1, None]}),
    ],
)
def test_empty_lists_survive(kind, data):
    """A list that is empty is written so that it is read as one, at every place."""
    compiled = compile_contract(kind, "xml")
    reading = compiled.read(compiled.to_xml(data), "strict")
    assert reading.ok, reading.findings
    assert reading.document.data == data


def test_equal_types_have_one_root():
    """However a union is spelled, its root is the same; a class inside Annotated keeps its name."""
    assert {compile_contract(t, "xml").root for t in (Optional[int], int | None, Union[int, None], Any)} == {"answer"}
    assert compile_contract(Annotated[Cat, "meta"], "xml").root == "Cat"


def test_literals_are_taken_as_written():
    """White space is never trimmed off a text, not even off a listed one; around a number it means nothing."""
    assert not validate("<answer> a </answer>", Literal["a", 1], format="xml").ok
    assert validate("<answer> 1\n</answer>", Literal["a", 1], format="xml").value == 1
    assert not validate("<int>\u00a01</int>", int, format="xml", reading="strict").ok


class Tree(BaseModel):
    left: Tree | None = None
    right: Tree | None = None
    more: list[Tree] = []
    named: dict[str, Tree] = {}


@pytest.mark.parametrize(("levels", "most"), [(150, 200), (5000, 100_000)])
def test_nesting_beyond_what_can_be_held_is_a_finding(levels, most):
    """Data deeper than the limit, or than Python's own stack, is refused with its own code and never raises."""
    text = f"<Tree>{'<more>' * levels}{'</more>' * levels}</Tree>"
    outcome = validate(text, Tree, format="xml", limits=Limits(depth=most))
    assert [f.code for f in outcome.findings] == ["limit.depth"]


def test_a_recursive_type_is_described_once():
    """Skeleton and XML Schema of a type that holds itself four times stay short, and the schema takes deep values."""
    compiled = compile_contract(Tree, "xml")
    assert len(compiled.prompt()) < 1000
    assert len(compiled.xsd()) < 2000
    schema = etree.XMLSchema(etree.fromstring(compiled.xsd()))
    value = compiled.to_xml({"left": {"right": {"more": [{}, {"left": None, "named": {"Tree": {"left": {}}}}]}}})
    assert compiled.read(value, "strict").ok
    schema.assertValid(etree.fromstring(value))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 0.5, "maximum": 1e300},
        {"type": "number", "exclusiveMinimum": -1e-7},
        {"enum": [1, "a", None, True, [1], {"a": 1}]},
        {"type": "boolean", "enum": [True]},
        {"type": ["array", "null"], "items": {"type": ["integer", "null"]}},
        {"type": "object", "properties": {"a b": _INTEGER, "c": {"type": ["array", "null"], "items": _INTEGER}}},
        {"type": "array", "prefixItems": [_INTEGER, {"type": "string"}], "minItems": 2},
        {"type": "object", "patternProperties": {"^x": _INTEGER}, "minProperties": 1, "maxProperties": 1},
        {"title": "xs", "type": "object", "properties": {"xs": {"title": "xs", "type": "object"}}},
    ],
)
def test_the_xml_schema_is_one_and_takes_the_example(schema):
    """Whatever the JSON Schema says, the derived XML Schema compiles and accepts the example."""
    compiled = compile_contract(JsonSchema(schema), "xml")
    etree.XMLSchema(etree.fromstring(compiled.xsd())).assertValid(etree.fromstring(compiled.prompt("example")))


_names = st.sampled_from(
    ["Order", "Cat", "Dog", "kind", "lives", "name", "lines", "x", "item", "entry", "pet", "note", "zz"]
)
_attributes = st.dictionaries(
    st.sampled_from(["key", "lang", f"{{{XSI}}}nil", f"{{{XSI}}}type", "{http://other}a"]),
    st.sampled_from(["true", "Cat", "xs:string", "b c", "'\""]),
    max_size=2,
)
_texts = st.none() | st.sampled_from(["", " ", "1", "36.6", "true", "cat", "x", "\u00a0", "9" * 5000, "1e999"])


def _tree(name, text, attributes, children):
    element = etree.Element(name, attributes)
    element.text = text
    element.extend(children)
    return element


_trees = st.recursive(
    st.builds(_tree, _names, _texts, _attributes, st.just([])),
    lambda inner: st.builds(_tree, _names, _texts, _attributes, st.lists(inner, max_size=4)),
    max_leaves=12,
)


@given(_trees, st.sampled_from([Order, Cat | Dog, Tree, Any, list[Point], dict[str, list[int | None]], Kind | int]))
def test_any_tree_is_answered(tree, kind):
    """Whatever elements and attributes come, nothing is raised, and each path names a place of the document or none."""
    compiled = compile_contract(kind, "xml")
    tree.tag = compiled.root
    reading = compiled.read(etree.tostring(tree, encoding="unicode"), "strict")
    assert reading.document is not None
    assert reading.ok == (reading.findings == ())
    for finding in reading.findings:
        assert etree.XPath(finding.path)
        place = reading.document.place(finding.path)
        assert place is None or reading.document.path(place) == finding.path
    for place in reading.document.select("//*"):
        assert reading.document.replace(place, "new").data is not None
