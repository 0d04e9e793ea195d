"""Lists answered in XML: items inside of an element of the list's own, lists that are absent, and elements alone."""

from typing import Literal

import pytest
from pydantic import BaseModel

from guards import validate
from guards.contracts import RelaxNG, XmlSchema
from guards.contracts.compiled import compile_contract


class Doc(BaseModel):
    title: str = "t"
    tags: list[str]


class Tags(BaseModel):
    tags: list[str]


class Nums(BaseModel):
    scores: list[int]


class Line(BaseModel):
    sku: str
    qty: int


class Order(BaseModel):
    lines: list[Line]


class Loose(BaseModel):
    sku: str | None = None
    qty: int | None = None


class LooseOrder(BaseModel):
    lines: list[Loose]


class Optional(BaseModel):
    title: str
    tags: list[str] = []


class Nullable(BaseModel):
    title: str
    tags: list[str] | None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Zoo(BaseModel):
    pets: list[Cat | Dog]


LINES = [Line(sku="a", qty=1), Line(sku="b", qty=2)]
LINE_A, LINE_B = "<sku>a</sku><qty>1</qty>", "<sku>b</sku><qty>2</qty>"
PETS = [Cat(kind="cat", lives=3), Dog(kind="dog", name="b")]
CAT, DOG = "<kind>cat</kind><lives>3</lives>", "<kind>dog</kind><name>b</name>"


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Doc, "<title>x</title><tags><tag>a</tag><tag>b</tag></tags>", {"title": "x", "tags": ["a", "b"]}),
        (Doc, "<tags><li>a</li><li>b</li></tags>", {"tags": ["a", "b"]}),
        (Doc, "<tags><tags>a</tags><tags>b</tags></tags>", {"tags": ["a", "b"]}),
        (Doc, "<tags><tag>a</tag></tags><tags><tag>b</tag></tags>", {"tags": ["a", "b"]}),
        (Doc, "<tags><tag>a</tag></tags>", {"tags": ["a"]}),
        (Doc, "<tags><tag>a & b</tag><tag>x < y</tag></tags>", {"tags": ["a & b", "x < y"]}),
        (Doc, "<tags><colour>red</colour><colour>blue</colour></tags>", {"tags": ["red", "blue"]}),
        (Doc, "<tags>one <b>bold</b></tags>", {"tags": ["one <b>bold</b>"]}),
        (Doc, "<tag_list><tag>a</tag><tag>b</tag></tag_list>", {"tags": ["a", "b"]}),
        (Tags, "<tag>a</tag><tag>b</tag>", {"tags": ["a", "b"]}),
        (Tags, "<Tag>a</Tag>", {"tags": ["a"]}),
        (Nums, "<scores><score>1</score><score>2</score></scores>", {"scores": [1, 2]}),
        (Nums, "<scores><score>1</score></scores>", {"scores": [1]}),
        (Nums, "<scores><li>1,000</li><li>2</li></scores>", {"scores": [1000, 2]}),
        (Nums, "<score>1</score><score>2</score>", {"scores": [1, 2]}),
        (Order, f"<lines><line>{LINE_A}</line><line>{LINE_B}</line></lines>", {"lines": LINES}),
        (Order, f"<lines><data>{LINE_A}</data></lines>", {"lines": LINES[:1]}),
        (Order, f"<line>{LINE_A}</line><line>{LINE_B}</line>", {"lines": LINES}),
        (
            LooseOrder,
            "<lines><line><sku>a</sku></line><line><qty>2</qty></line></lines>",
            {"lines": [Loose(sku="a"), Loose(qty=2)]},
        ),
        (LooseOrder, "<lines><line><sku>a</sku></line></lines>", {"lines": [Loose(sku="a")]}),
        (Optional, "<title>a</title><tag>x</tag><tag>y</tag>", {"title": "a", "tags": ["x", "y"]}),
        (Nullable, "<title>a</title><tags><tag>x</tag></tags>", {"title": "a", "tags": ["x"]}),
        (Zoo, f"<pets><pet>{CAT}</pet><pet>{DOG}</pet></pets>", {"pets": PETS}),
        (Zoo, f"<pets><pet>{CAT}</pet></pets>", {"pets": PETS[:1]}),
    ],
)
def test_items_inside_of_a_list(kind, text, value, dial):
    """Items inside of the list's element, or under their singular, are read with a repair; strict reading refuses."""
    text = f"<{kind.__name__}>{text}</{kind.__name__}>"
    outcome = validate(text, kind, format="xml", reading=dial)
    assert outcome.ok, outcome.findings
    assert (outcome.value, bool(outcome.repairs)) == (kind(**value), True)
    strict = validate(text, kind, format="xml", reading="strict")
    assert not strict.ok
    assert strict.findings[0].path or strict.findings[0].code == "xml.syntax"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<answer><li>a</li><li>b</li></answer>", ["a", "b"]),
        ("<tags><tag>a</tag><tag>b</tag></tags>", ["a", "b"]),
        ("<item>a</item><item>b</item>", ["a", "b"]),
        ("<answer><li>a</li></answer>", ["a"]),
    ],
)
def test_a_list_at_the_root(text, value):
    """Items of a list that is the whole answer may go by a usual name, and the list by that of the items."""
    outcome = validate(text, list[str], format="xml")
    assert (outcome.value, bool(outcome.repairs)) == (value, True)
    assert not validate(text, list[str], format="xml", reading="strict").ok


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "path"),
    [
        (Doc, "<Doc><title>x</title></Doc>", "/Doc/tags"),
        (Doc, "<Doc><title>x</title><labels>a</labels><labels>b</labels></Doc>", "/Doc/tags"),
        (Doc, "<Doc><tags><x>a</x><y>b</y></tags></Doc>", "/Doc/tags"),
        (Doc, "<Doc><tags><note>a</note></tags></Doc>", "/Doc/tags"),
        (Doc, "<Doc><title><value>x</value></title><tags>a</tags></Doc>", "/Doc/title"),
        (Doc, "<Doc><title><first>x</first><last>y</last></title><tags>a</tags></Doc>", "/Doc/title"),
        (Nums, "<Nums/>", "/Nums/scores"),
        (Order, "<Order></Order>", "/Order/lines"),
        (LooseOrder, "<LooseOrder/>", "/LooseOrder/lines"),
        (Nullable, "<Nullable><title>a</title><labels>x</labels></Nullable>", "/Nullable/tags"),
    ],
)
def test_what_is_absent_is_not_invented(kind, text, path, dial):
    """A required list that is absent, or goes by an unknown name, is missing; elements alone are never text."""
    outcome = validate(text, kind, format="xml", reading=dial)
    assert not outcome.ok
    assert path in [finding.path for finding in outcome.findings]


@pytest.mark.parametrize("text", ["<Doc><title>x</title>", "<Doc><title>x</title><ta", "<Doc><title>x</ti"])
@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
def test_a_list_that_was_cut_off_is_not_empty(text, dial):
    """The end of the answer before a required list is no empty list."""
    assert not validate(text, Doc, format="xml", reading=dial).ok


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "items"),
    [
        (Doc, "<Doc><tags/></Doc>", []),
        (Doc, "<Doc><tags></tags><tags>a</tags></Doc>", ["", "a"]),
        (Nums, "<Nums><scores/></Nums>", []),
        (LooseOrder, "<LooseOrder><lines/></LooseOrder>", []),
        (LooseOrder, "<LooseOrder><lines/><lines/></LooseOrder>", [Loose(), Loose()]),
        (Optional, "<Optional><title>a</title></Optional>", []),
        (Nullable, "<Nullable><title>a</title></Nullable>", None),
    ],
)
def test_an_empty_list(kind, text, items, dial):
    """One element without content is the empty list; what is optional may be absent; nothing of this is a repair."""
    outcome = validate(text, kind, format="xml", reading=dial)
    assert outcome.ok, outcome.findings
    assert [getattr(outcome.value, name) for name in kind.model_fields if name != "title"] == [items]
    assert outcome.repairs == ()


@pytest.mark.parametrize("data", [{"tags": [""]}, {"tags": [" "]}, {"tags": []}, {"tags": ["", ""]}, {"tags": ["a"]}])
def test_lists_of_nothing_survive(data):
    """No items, one empty item and several are written so that each is read back."""
    compiled = compile_contract(Tags, "xml")
    reading = compiled.read(compiled.to_xml(data), "strict")
    assert (reading.ok, reading.document.data) == (True, data)


LEAVES = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="doc"><xs:complexType><xs:sequence>
    <xs:element name="tags" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
    </xs:element></xs:schema>"""
)
LEAVES_RNG = RelaxNG(
    """<element name="doc" xmlns="http://relaxng.org/ns/structure/1.0"><zeroOrMore><element name="tags"><text/>
    </element></zeroOrMore></element>"""
)
HELD = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="doc"><xs:complexType><xs:sequence>
    <xs:element name="tags"><xs:complexType><xs:sequence>
    <xs:element name="tag" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
    </xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)


@pytest.mark.parametrize(
    ("contract", "inner", "value"),
    [
        (LEAVES, "<tags><tag>a</tag><tag>b</tag></tags>", {"tags": ["a", "b"]}),
        (LEAVES, "<tags><li>a</li></tags>", {"tags": ["a"]}),
        (LEAVES, "<tags><tags>a</tags><tags>b</tags></tags>", {"tags": ["a", "b"]}),
        (LEAVES_RNG, "<tags><tag>a</tag><tag>b</tag></tags>", {"tags": ["a", "b"]}),
        (LEAVES_RNG, "<tag>a</tag><tag>b</tag>", {"tags": ["a", "b"]}),
        (HELD, "<tags><li>a</li><li>b</li></tags>", {"tags": {"tag": ["a", "b"]}}),
        (HELD, "<tag>a</tag><tag>b</tag>", {"tags": {"tag": ["a", "b"]}}),
        (LEAVES, "<tags><note>a</note></tags>", None),
        (LEAVES_RNG, "<tags><x>a</x><y>b</y></tags>", None),
        (HELD, "<tags><colour>a</colour></tags>", None),
        (HELD, "<tags>a, b</tags>", None),
    ],
)
def test_lists_of_schemas(contract, inner, value):
    """XML Schema and RELAX NG read items in the list's element, too, and take no unknown element for a text."""
    reading = contract.read(f"<doc>{inner}</doc>")
    assert (reading.value, reading.ok) == (value, value is not None), reading.findings
    assert bool(reading.repairs if reading.ok else reading.findings)
    assert not contract.read(f"<doc>{inner}</doc>", "strict").ok
