"""Schemas of several documents: what they include, import and redefine comes out of `resources`, or is an error."""

import pickle
import re

import pytest

from guards import validate
from guards.contracts import XmlSchema
from guards.errors import ConfigError

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
AT = "https://example.org/schemas/"
PARTS = f"""<xs:schema {XS} xmlns="urn:parts" targetNamespace="urn:parts" elementFormDefault="qualified">
  <xs:include schemaLocation="more/colours.xsd"/>
  <xs:complexType name="Part"><xs:sequence><xs:element name="n" type="xs:int"/><xs:element name="colour" type="Colour"
    minOccurs="0" maxOccurs="unbounded"/></xs:sequence><xs:attribute name="id" type="xs:string"/></xs:complexType>
  <xs:element name="part" type="Part"/></xs:schema>"""
COLOURS = f"""<xs:schema {XS}><xs:simpleType name="Colour"><xs:restriction base="xs:string">
  <xs:enumeration value="red"/><xs:enumeration value="blue"/></xs:restriction></xs:simpleType></xs:schema>"""
MAIN = f"""<xs:schema {XS} xmlns="urn:main" xmlns:p="urn:parts" targetNamespace="urn:main" elementFormDefault="qualified">
  <xs:import namespace="urn:parts" schemaLocation="{AT}parts.xsd"/>
  <xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>
  <xs:element name="box"><xs:complexType><xs:sequence><xs:element ref="p:part" maxOccurs="unbounded"/>
  <xs:element name="n" type="xs:string"/><xs:element name="spare" type="p:Part" minOccurs="0"/></xs:sequence>
  <xs:attribute ref="xml:lang"/></xs:complexType></xs:element></xs:schema>"""
RESOURCES = {f"{AT}parts.xsd": PARTS, f"{AT}more/colours.xsd": COLOURS}
BOX = XmlSchema(MAIN, resources=RESOURCES)
TEXT = """<box xmlns="urn:main" xmlns:p="urn:parts" xml:lang="en"><p:part id="a"><p:n>1</p:n><p:colour>red</p:colour></p:part>
<n>x</n></box>"""
VALUE = {"@lang": "en", "part": [{"@id": "a", "n": 1, "colour": ["red"]}], "n": "x"}


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
def test_what_is_imported_counts(dial):
    """Types, elements and enumerations of other documents judge and type an answer, each in its namespace."""
    reading = BOX.read(TEXT, dial)
    assert (reading.value, reading.repairs) == (VALUE, ()), reading.findings
    wrong = [(f.code, f.path) for f in BOX.read(TEXT.replace(">red<", ">green<"), dial).findings]
    assert wrong == [("schema.enum", "/box/part/colour")]


def test_mending_knows_what_is_imported():
    """Values of imported types are mended, and a spelling of an imported option is known."""
    reading = BOX.read(TEXT.replace(">red<", ">Red<").replace(">x<", ">a & b<"))
    assert reading.value == {**VALUE, "n": "a & b"}
    assert {repair.code for repair in reading.repairs} == {"value.option", "xml.ampersand"}


@pytest.mark.parametrize("style", ["xml", "example"])
def test_the_prompt_shows_what_is_imported(style):
    """Prompt and example hold the parts of every document; the example is an answer."""
    told = BOX.prompt(style)
    assert "colour" in told
    assert style == "xml" or BOX.read(told, "strict").ok


@pytest.mark.parametrize(
    ("resources", "address", "line"),
    [
        ({}, f"{AT}parts.xsd", 2),
        ({f"{AT}parts.xsd": PARTS}, f"{AT}more/colours.xsd", 2),
        ({"urn:parts": PARTS}, f"{AT}more/colours.xsd", 2),
    ],
)
def test_a_missing_document_is_named(resources, address, line):
    """A reference that leads to no resource is an error that shows the resolved address, and opens nothing."""
    with pytest.raises(ConfigError, match=re.escape(f"leads to {address!r}")) as caught:
        XmlSchema(MAIN, resources=resources)
    assert f"line {line}:" in str(caught.value)
    assert f"resources={{{address!r}" in str(caught.value)


def test_an_import_by_its_namespace_alone():
    """An import may be found by its namespace, and needs no location then."""
    main = MAIN.replace(f' schemaLocation="{AT}parts.xsd"', "")
    resources = {"urn:parts": PARTS.replace("more/colours.xsd", "c.xsd"), "c.xsd": COLOURS}
    assert XmlSchema(main, resources={**resources, "urn:c.xsd": COLOURS}).read(TEXT, "strict").value == VALUE


def test_files_and_wrong_resources(tmp_path):
    """A resource may be a path; whatever is no mapping of addresses to schemas is an error by name."""
    (tmp_path / "colours.xsd").write_text(COLOURS)
    paths = {f"{AT}parts.xsd": PARTS, f"{AT}more/colours.xsd": tmp_path / "colours.xsd"}
    assert XmlSchema(MAIN, resources=paths).read(TEXT, "strict").value == VALUE
    for wrong in (["a"], {1: PARTS}, {f"{AT}parts.xsd": 3}):
        with pytest.raises(ConfigError):
            XmlSchema(MAIN, resources=wrong)
    for wrong in ("<a/>", "no schema", '<!DOCTYPE a [<!ENTITY b "c">]>' + PARTS):
        with pytest.raises(ConfigError, match="resources="):
            XmlSchema(MAIN, resources={**RESOURCES, f"{AT}parts.xsd": wrong})


def test_they_are_part_of_the_contract():
    """Contracts compare by their resources, too, and survive a pickle with them."""
    again = pickle.loads(pickle.dumps(BOX))
    assert again == BOX == XmlSchema(MAIN, resources=RESOURCES)
    assert hash(again) == hash(BOX)
    assert XmlSchema(MAIN, resources={**RESOURCES, "x": COLOURS}) != BOX
    assert validate(TEXT, again).value == VALUE


REDEFINED = f"""<xs:schema {XS}><xs:redefine schemaLocation="base.xsd"><xs:complexType name="Person"><xs:complexContent>
  <xs:extension base="Person"><xs:sequence><xs:element name="mail" type="xs:string" maxOccurs="unbounded"/></xs:sequence>
  </xs:extension></xs:complexContent></xs:complexType><xs:simpleType name="Size"><xs:restriction base="Size">
  <xs:maxInclusive value="5"/></xs:restriction></xs:simpleType></xs:redefine></xs:schema>"""
BASE = f"""<xs:schema {XS}><xs:complexType name="Person"><xs:sequence><xs:element name="age" type="xs:int"/></xs:sequence>
  </xs:complexType><xs:simpleType name="Size"><xs:restriction base="xs:int"/></xs:simpleType>
  <xs:element name="person" type="Person"/><xs:element name="size" type="Size"/></xs:schema>"""


def test_what_is_redefined_stands_in_the_place_of_the_first():
    """A redefined type extends the one of its own name, for verdict, value and example."""
    contract = XmlSchema(REDEFINED, resources={"base.xsd": BASE})
    assert contract.read("<person><age>3</age><mail>m</mail></person>", "strict").value == {"age": 3, "mail": ["m"]}
    assert not contract.read("<person><age>3</age></person>", "strict").ok
    assert [f.code for f in contract.read("<size>6</size>").findings] == ["schema.maximum"]
    assert contract.read(contract.prompt("example"), "strict").ok


def test_documents_that_lead_to_one_another():
    """Documents may include one another, be imported several times, and share a namespace."""
    one = f"""<xs:schema {XS} xmlns="urn:a" xmlns:b="urn:b" targetNamespace="urn:a" elementFormDefault="qualified">
      <xs:include schemaLocation="a2.xsd"/><xs:import namespace="urn:b" schemaLocation="b1.xsd"/>
      <xs:import namespace="urn:b" schemaLocation="b2.xsd"/><xs:element name="r"><xs:complexType><xs:sequence>
      <xs:element name="x" type="X"/><xs:element ref="b:y"/><xs:element ref="b:z"/></xs:sequence></xs:complexType>
      </xs:element></xs:schema>"""
    two = f"""<xs:schema {XS} xmlns="urn:a" targetNamespace="urn:a"><xs:include schemaLocation="a3.xsd"/>
      <xs:simpleType name="X"><xs:restriction base="W"/></xs:simpleType></xs:schema>"""
    three = f"""<xs:schema {XS} xmlns="urn:a" targetNamespace="urn:a"><xs:include schemaLocation="a2.xsd"/>
      <xs:simpleType name="W"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>"""
    of_b = f"""<xs:schema {XS} xmlns:a="urn:a" targetNamespace="urn:b"><xs:import namespace="urn:a" schemaLocation="no.xsd"/>
      <xs:element name="%s" type="a:X"/></xs:schema>"""
    resources = {"a2.xsd": two, "a3.xsd": three, "b1.xsd": of_b % "y", "b2.xsd": of_b % "z"}
    contract = XmlSchema(one, resources=resources)
    text = '<r xmlns="urn:a" xmlns:b="urn:b"><x>1</x><b:y>2</b:y><b:z>3</b:z></r>'
    assert contract.read(text, "strict").value == {"x": 1, "y": 2, "z": 3}
    assert not contract.read(text.replace("3", "x"), "strict").ok


def test_a_type_of_another_namespace_by_xsi_type():
    """A type of an imported document that stands in for an abstract one is told, read and mended by its namespace."""
    base = f"""<xs:schema {XS} targetNamespace="urn:s" elementFormDefault="qualified"><xs:complexType name="Shape"
      abstract="true"/></xs:schema>"""
    main = f"""<xs:schema {XS} xmlns:s="urn:s" targetNamespace="urn:d" xmlns="urn:d" elementFormDefault="qualified">
      <xs:import namespace="urn:s" schemaLocation="s.xsd"/><xs:complexType name="Circle"><xs:complexContent>
      <xs:extension base="s:Shape"><xs:sequence><xs:element name="r" type="xs:int"/></xs:sequence></xs:extension>
      </xs:complexContent></xs:complexType><xs:element name="d"><xs:complexType><xs:sequence>
      <xs:element name="shape" type="s:Shape"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
    around = f"""<xs:schema {XS} xmlns:d="urn:d" targetNamespace="urn:e"><xs:import namespace="urn:d"
      schemaLocation="d.xsd"/><xs:element name="e"><xs:complexType><xs:sequence><xs:element ref="d:d"/></xs:sequence>
      </xs:complexType></xs:element></xs:schema>"""
    direct = XmlSchema(main, resources={"s.xsd": base})
    for contract, value in (
        (direct, {"shape": {"r": 1}}),
        (XmlSchema(around, resources={"d.xsd": main, "s.xsd": base}), {"d": {"shape": {"r": 1}}}),
    ):
        assert contract.read(contract.prompt("example"), "strict").value == value
        assert "Circle" in contract.prompt("xml")
