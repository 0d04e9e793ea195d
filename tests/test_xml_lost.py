"""What a mended XML answer may not lose: items by another name, the words of an unknown element, names of types."""

import pytest
from pydantic import BaseModel, ConfigDict

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
