"""What a mended XML answer may not lose: items by another name, the words of an unknown element, names of types."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field

from guards import validate
from guards.contracts import XmlSchema
from guards.reading.spelling import one_of_many


class Item(BaseModel):
    sku: str
    qty: int = 1


class Lists(BaseModel):
    tags: list[str] = []
    n: int = 0
    children: list[str] = []
    people: list[Item] = []


class Closed(Lists):
    model_config = ConfigDict(extra="forbid")


@pytest.mark.parametrize("contract", [Lists, Closed])
@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ("<tags>a</tags><tag>b</tag>", {"tags": ["a", "b"]}),
        ("<tags>a</tags><n>1</n><tag>b</tag>", {"tags": ["a", "b"], "n": 1}),
        ("<tags><tag>a</tag></tags><tag>b</tag>", {"tags": ["a", "b"]}),
        ("<child>a</child><children>b</children>", {"children": ["a", "b"]}),
        ("<person><sku>a</sku></person>", {"people": [Item(sku="a")]}),
        ("<people><person><sku>a</sku></person></people>", {"people": [Item(sku="a")]}),
    ],
)
def test_items_by_their_singular_are_not_dropped(contract, inner, meant):
    """An item by the singular of its list is an error to strict reading and an item to careful, beside others too."""
    text = f"<{contract.__name__}>{inner}</{contract.__name__}>"
    assert not validate(text, contract, format="xml", reading="strict").ok
    outcome = validate(text, contract, format="xml")
    assert (outcome.value, bool(outcome.repairs)) == (contract(**meant), True)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("tag", "tags"),
        ("Entry", "entries"),
        ("box", "boxes"),
        ("child", "children"),
        ("analysis", "analyses"),
        ("person", "people"),
        ("index", "indices"),
        ("criterion", "criteria"),
        ("leaf", "leaves"),
        ("line_man", "lineMen"),
    ],
)
def test_singulars(one, many):
    """The singular of an English plural is known, of the irregular ones too; and no plural is its own singular."""
    assert one_of_many(one, many)
    assert not one_of_many(many, one)
    assert not one_of_many(many, many)


ACTIVITY = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:tcx" targetNamespace="urn:tcx"
    elementFormDefault="qualified"><xs:element name="Act"><xs:complexType><xs:sequence>
    <xs:element name="Step" type="Abs" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
    <xs:complexType name="Abs" abstract="true"><xs:sequence><xs:element name="Id" type="xs:int"/></xs:sequence>
    </xs:complexType><xs:complexType name="Run"><xs:complexContent><xs:extension base="Abs"><xs:sequence>
    <xs:element name="Secs" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>"""
)
ACT = (
    '<Act xmlns="urn:tcx" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    '<Step xsi:type="Run"><Id>1</Id><Secs>345</Secs></Step></Act>'
)


@pytest.mark.parametrize(
    "text",
    [
        ACT.replace("345", "$345"),
        ACT.replace("</Secs>", "</Sec>"),
        ACT.replace(' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', ""),
        ACT.replace(' xmlns="urn:tcx"', ""),
    ],
)
def test_a_type_is_named_in_the_default_namespace(text):
    """An answer that names a type without a prefix is mended as any other."""
    reading = ACTIVITY.read(text)
    assert (reading.value, bool(reading.repairs)) == ({"Step": [{"Id": 1, "Secs": 345}]}, True), reading.findings


MIXED = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="p"><xs:complexType mixed="true">
    <xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element name="b" type="xs:string"/></xs:choice></xs:complexType>
    </xs:element></xs:schema>"""
)


@pytest.mark.parametrize(
    "text", ["<p>Five <u>six</u></p>", '<p>Five <x:u xmlns:x="u">six</x:u></p>', "<p>Five <em>six <b>7</b></em></p>"]
)
def test_no_word_of_a_sentence_is_left_out(text):
    """Among words, an element that the schema does not know is refused where it holds words of its own."""
    assert not MIXED.read(text).ok


class Note(BaseModel):
    n: str
    note: str | None = None
    tags: list[str] = []


@pytest.mark.parametrize(
    "inner",
    [
        "<n>k</n>&lt;note&gt;leave at door&lt;/note&gt;<tags>a</tags>",
        '<n>k</n> <note x="1" <tags>a</tags>',
        "<n>k</n>leave at door</note>",
        "<n>k</n>a</tags><tags>b</tags>",
    ],
)
def test_text_that_belongs_to_an_element_is_not_left_out(inner):
    """Text between elements with tags of known names in it, or closed by one that was never opened, is an error."""
    assert not validate(f"<Note>{inner}</Note>", Note, format="xml").ok


def test_other_text_between_elements_is_left_out():
    """Words that belong to nothing are left out with a record."""
    outcome = validate("<Note><n>k</n> and so &lt;b&gt; <tags>a</tags></Note>", Note, format="xml")
    assert (outcome.value, [repair.before for repair in outcome.repairs]) == (Note(n="k", tags=["a"]), ["and so <b>"])


class Price(BaseModel):
    amount: Decimal
    least: Annotated[Decimal, Field(ge=0)] | None = None
    parts: list[Decimal] = []
    label: float | Annotated[str, Field(pattern=r"^\$\d+$")] = 0.0


def test_a_decimal_takes_the_spellings_of_a_number():
    """A Decimal is read as a float is and as in JSON, and a text that is no number is never changed."""
    for inner, meant in (
        ("<amount>1,234</amount>", Price(amount=Decimal(1234))),
        ("<amount>$1,234.50</amount><label>$5</label>", Price(amount=Decimal("1234.5"), label="$5")),
        ("<amount>1.10</amount><least>1,000</least>", Price(amount=Decimal("1.10"), least=Decimal(1000))),
        ("<amount>1</amount><parts>1,000</parts><parts>2</parts>", Price(amount=1, parts=[1000, 2])),
    ):
        assert validate(f"<Price>{inner}</Price>", Price, format="xml").value == meant
    assert not validate("<Price><amount>ten</amount></Price>", Price, format="xml").ok


class Due(BaseModel):
    n: str
    due: int | None
    day: date | None = None
    count: int = 0
    text: str | None = None


@pytest.mark.parametrize(
    "said", ["<due/>", "<due> </due>", "<due>null</due>", "<due>1</due><day/>", "<due/><day>N/A</day>"]
)
def test_an_empty_element_is_null_where_no_text_may_stand(said):
    """A value that is not there is null with a record where null may stand; an empty text stays one."""
    text = f"<Due><n>k</n>{said}<text/></Due>"
    assert not validate(text, Due, format="xml", reading="strict").ok
    outcome = validate(text, Due, format="xml")
    assert outcome.value == Due(n="k", due=1 if "1" in said else None, text="")
    assert "value.null" in {repair.code for repair in outcome.repairs}
    assert not validate("<Due><n>k</n><due>1</due><count/></Due>", Due, format="xml").ok


INVOICE = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:b="urn:b" targetNamespace="urn:inv"
    elementFormDefault="qualified"><xs:import namespace="urn:b" schemaLocation="b.xsd"/>
    <xs:element name="Invoice"><xs:complexType><xs:sequence><xs:element ref="b:ID"/>
    <xs:element name="Note" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType></xs:element></xs:schema>""",
    resources={
        "b.xsd": """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:b">
        <xs:element name="ID" type="xs:string"/></xs:schema>"""
    },
)


def test_an_undeclared_prefix_of_an_imported_namespace():
    """An element that the schema has in another namespace alone is meant by any prefix; its own vocabulary's is not."""
    reading = INVOICE.read('<Invoice xmlns="urn:inv"><b:ID>1</b:ID></Invoice>')
    assert (reading.value, [repair.code for repair in reading.repairs]) == (
        {"ID": "1"},
        ["xml.prefix", "xml.namespace"],
    )
    text = '<Invoice xmlns="urn:inv" xmlns:b="urn:b"><b:ID>1</b:ID><x:Note>n</x:Note></Invoice>'
    assert INVOICE.read(text).value != {"ID": "1", "Note": "n"}


def test_a_cdata_section_in_another_is_refused():
    """Where one CDATA section stands in another nobody knows which end is a part of the text."""
    outcome = validate("<Note><n><![CDATA[a <![CDATA[b]]> c]]></n></Note>", Note, format="xml")
    assert [finding.code for finding in outcome.findings] == ["xml.ambiguous"]
