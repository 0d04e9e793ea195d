"""`XmlSchema` and `RelaxNG`: the value rule, findings with their paths, prompts, and schemas that cannot be used."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from clock import cpu_within

from guards.contracts import RelaxNG, XmlSchema
from guards.errors import ConfigError
from guards.reading.document import JsonDocument
from guards.reading.reading import Limits

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "malformed" / "xml.jsonl"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def xsd(inner, attributes=""):
    return XmlSchema(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" {attributes}>{inner}</xs:schema>')


def root(content, attributes=""):
    """A schema of one element <r> with this content."""
    return xsd(f'<xs:element name="r"><xs:complexType>{content}{attributes}</xs:complexType></xs:element>')


def rng(inner):
    return RelaxNG(
        '<element name="r" xmlns="http://relaxng.org/ns/structure/1.0" '
        f'datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">{inner}</element>'
    )


def told(reading):
    return [(f.code, f.path) for f in reading.findings]


ORDER = root(
    """<xs:sequence>
      <xs:element name="id" type="xs:integer"/>
      <xs:element name="line" maxOccurs="unbounded"><xs:complexType><xs:sequence>
        <xs:element name="sku"><xs:simpleType><xs:restriction base="xs:string">
          <xs:pattern value="[A-Z]{1,2}-[0-9]+"/><xs:maxLength value="6"/></xs:restriction></xs:simpleType></xs:element>
        <xs:element name="qty"><xs:simpleType><xs:restriction base="xs:integer">
          <xs:minInclusive value="1"/><xs:maxExclusive value="100"/></xs:restriction></xs:simpleType></xs:element>
        <xs:element name="note" type="xs:string" minOccurs="0" nillable="true"/>
      </xs:sequence><xs:attribute name="kind" use="required"><xs:simpleType><xs:restriction base="xs:string">
          <xs:enumeration value="new"/><xs:enumeration value="used"/></xs:restriction></xs:simpleType></xs:attribute>
      </xs:complexType></xs:element>
      <xs:element name="due" type="xs:date" minOccurs="0"/>
    </xs:sequence>"""
)
GOOD = '<r><id>7</id><line kind="new"><sku>A-1</sku><qty>2</qty></line></r>'


# -- the value rule ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " 41\n", 41),
        ("positiveInteger", "+7", 7),
        ("unsignedByte", "255", 255),
        ("decimal", "0.18", 0.18),
        ("decimal", "118.50", 118.5),
        ("decimal", "100.0", 100),
        ("decimal", "0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("float", "1e3", 1000.0),
        ("double", "INF", float("inf")),
        ("boolean", " 1 ", True),
        ("boolean", "false", False),
        ("string", " as written\n ", " as written\n "),
        ("string", "", ""),
        ("token", " a  b ", " a  b "),
        ("date", "2026-02-01", "2026-02-01"),
        ("NMTOKENS", "a b", "a b"),
    ],
)
def test_leaves_are_typed_by_their_schema_type(kind, text, value):
    """Numbers and truth values become such, collapsed; all else stays as written; decimals equal their number."""
    contract = xsd(f'<xs:element name="r" type="xs:{kind}"/>')
    found = contract.read(f"<r>{text}</r>", "strict").value
    assert (found, type(found) is bool) == (value, type(value) is bool)


def test_own_types_are_typed_by_what_they_come_from():
    """A user's restriction of a restriction keeps its base's kind; lists and unions are text as written."""
    contract = xsd(
        """<xs:simpleType name="age"><xs:restriction base="xs:int"><xs:minInclusive value="0"/></xs:restriction>
        </xs:simpleType><xs:simpleType name="adult"><xs:restriction base="age"><xs:minInclusive value="18"/>
        </xs:restriction></xs:simpleType>
        <xs:simpleType name="ages"><xs:list itemType="age"/></xs:simpleType>
        <xs:simpleType name="either"><xs:union memberTypes="age xs:boolean"/></xs:simpleType>
        <xs:element name="r"><xs:complexType><xs:all><xs:element name="a" type="adult"/>
        <xs:element name="l" type="ages"/><xs:element name="u" type="either"/></xs:all></xs:complexType></xs:element>"""
    )
    assert contract.read("<r><u>1</u><l>1 2</l><a>18</a></r>").value == {"u": "1", "l": "1 2", "a": 18}
    assert told(contract.read("<r><u>x</u><l>1 y</l><a>17</a></r>")) == [
        ("schema.minimum", "/r/a"),
        ("schema.type", "/r/u"),
        ("schema.type", "/r/l"),
    ]


@pytest.mark.parametrize(
    ("content", "text", "value"),
    [
        ('<xs:sequence><xs:element name="a" maxOccurs="2" type="xs:int"/></xs:sequence>', "<a>1</a>", {"a": [1]}),
        ('<xs:sequence><xs:element name="a" minOccurs="0" maxOccurs="9"/></xs:sequence>', "", {}),
        (
            '<xs:choice maxOccurs="2"><xs:element name="a"/><xs:element name="b"/></xs:choice>',
            "<b/>",
            {"b": [""]},
        ),
        (
            (
                '<xs:sequence><xs:element name="a" type="xs:string"/><xs:element name="b"/>'
                '<xs:element name="a" type="xs:string"/></xs:sequence>'
            ),
            "<a>1</a><b/><a>2</a>",
            {"a": ["1", "2"], "b": ""},
        ),
        (
            (
                '<xs:choice><xs:sequence><xs:element name="a" type="xs:int"/><xs:element name="b"/></xs:sequence>'
                '<xs:element name="c"/></xs:choice>'
            ),
            "<a>1</a><b/>",
            {"a": 1, "b": ""},
        ),
        (
            '<xs:sequence><xs:element name="a"><xs:complexType/></xs:element></xs:sequence>',
            "<a/>",
            {"a": {}},
        ),
        (
            '<xs:sequence><xs:any processContents="lax" maxOccurs="3"/></xs:sequence>',
            "<x><y>1</y><y>2</y><z w='3'>t</z></x>",
            {"x": [{"y": ["1", "2"], "z": {"@w": "3", "#text": "t"}}]},
        ),
    ],
)
def test_lists_absence_and_emptiness(content, text, value):
    """What may repeat is a list wherever it occurs, what is absent is no key, and nothing is "" or {} by its type."""
    assert root(content).read(f"<r>{text}</r>").value == value


def test_attributes_text_and_nil():
    """Attributes are "@name", text beside them or beside children "#text", xsi:nil None; xsi names are no data."""
    contract = root(
        """<xs:sequence><xs:element name="s"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
        <xs:attribute name="unit"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
        <xs:element name="n" type="xs:integer" nillable="true"/>
        <xs:element name="m"><xs:complexType mixed="true"><xs:sequence>
        <xs:element name="b" minOccurs="0"/></xs:sequence></xs:complexType></xs:element></xs:sequence>""",
        '<xs:attribute name="on" type="xs:boolean"/>',
    )
    text = f'<r {XSI} on="1"><s unit="kg">1.5</s><n xsi:nil="true"/><m>so <b>x</b> and so</m></r>'
    assert contract.read(text).value == {
        "@on": True,
        "s": {"@unit": "kg", "#text": 1.5},
        "n": None,
        "m": {"b": "x", "#text": "so  and so"},
    }
    plain = contract.read("<r><s>2</s><n>1</n><m>\n<b/>\n</m></r>").value
    assert plain == {"s": {"#text": 2}, "n": 1, "m": {"b": ""}}


def test_references_extensions_and_recursion():
    """Groups, references, extensions of types that hold each other, substitution and xsi:type are walked."""
    contract = xsd(
        """<xs:complexType name="Base"><xs:sequence><xs:element name="kid" type="Derived" minOccurs="0"/></xs:sequence>
          <xs:attributeGroup ref="ids"/></xs:complexType>
        <xs:attributeGroup name="ids"><xs:attribute name="id" type="xs:int"/></xs:attributeGroup>
        <xs:complexType name="Derived"><xs:complexContent><xs:extension base="Base"><xs:group ref="G" maxOccurs="2"/>
          <xs:attribute name="k" type="xs:boolean"/></xs:extension></xs:complexContent></xs:complexType>
        <xs:group name="G"><xs:choice><xs:element name="a" type="xs:float"/>
          <xs:element ref="shape"/></xs:choice></xs:group>
        <xs:element name="shape" abstract="true"/>
        <xs:element name="circle" substitutionGroup="shape" type="xs:int"/>
        <xs:element name="r" type="Base"/>"""
    )
    text = f'<r {XSI} id="1" xsi:type="Derived" k="1"><kid id="2"><circle>3</circle></kid><a>1</a></r>'
    assert contract.read(text).value == {"@id": 1, "@k": True, "kid": {"@id": 2, "circle": [3]}, "a": [1.0]}


def test_namespaces_go_by_local_names():
    """With or without a prefix, the value is told by local names; another namespace is another root."""
    contract = xsd(
        '<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="i" type="xs:int" maxOccurs="9"/>'
        "</xs:sequence></xs:complexType></xs:element>",
        'targetNamespace="urn:x" xmlns="urn:x" elementFormDefault="qualified"',
    )
    assert contract.read('<r xmlns="urn:x"><i>1</i></r>').value == {"i": [1]}
    assert contract.read('<p:r xmlns:p="urn:x"><p:i>1</p:i></p:r>').value == {"i": [1]}
    assert told(contract.read("<r><i>1</i></r>", "strict")) == [("schema.root", "/r")]
    careful = contract.read("<r><i>1</i></r>")
    assert (careful.value, [r.code for r in careful.repairs]) == ({"i": [1]}, ["xml.namespace"])
    assert told(contract.read('<r xmlns="urn:x"><i>1</i><i>x</i></r>')) == [("schema.type", "/r/i[2]")]
    assert contract.read(contract.prompt("example"), "strict").ok


RNG_VALUES = [
    ('<zeroOrMore><element name="a"><data type="integer"/></element></zeroOrMore>', "<a>1</a>", {"a": [1]}),
    ('<optional><element name="a"><data type="decimal"/></element></optional>', "<a> 1.5 </a>", {"a": 1.5}),
    ('<attribute name="k"><data type="boolean"/></attribute><text/>', None, {"@k": True, "#text": "t"}),
    (
        (
            '<interleave><element name="a"><text/></element><oneOrMore><element name="b"><empty/></element></oneOrMore>'
            "</interleave>"
        ),
        "<b/><a> x</a><b/>",
        {"b": [{}, {}], "a": " x"},
    ),
    ('<mixed><element name="a"><text/></element></mixed>', "so <a/>", {"a": "", "#text": "so "}),
    ('<element name="a"><choice><value>x</value><value>y</value></choice></element>', "<a>y</a>", {"a": "y"}),
    ('<element name="a"><choice><data type="integer"/><value>none</value></choice></element>', "<a>1</a>", {"a": "1"}),
    ('<element name="a"><list><oneOrMore><data type="int"/></oneOrMore></list></element>', "<a>1 2</a>", {"a": "1 2"}),
    (
        (
            '<choice><element name="a"><data type="int"/></element>'
            '<group><element name="a"><text/></element><element name="b"><text/></element></group></choice>'
        ),
        "<a>1</a><b/>",
        {"a": "1", "b": ""},
    ),
    (
        '<group><element name="a"><text/></element><element name="a"><text/></element></group>',
        "<a/><a/>",
        {"a": ["", ""]},
    ),
    ("<zeroOrMore><element><anyName/><text/></element></zeroOrMore>", "<z>1</z>", {"z": ["1"]}),
    ('<element><choice><name>a</name><name>b</name></choice><data type="int"/></element>', "<b>1</b>", {"b": 1}),
    ("<oneOrMore><attribute><anyName/></attribute></oneOrMore>", None, {"@k": "1"}),
]


@pytest.mark.parametrize(("inner", "text", "value"), RNG_VALUES)
def test_relax_ng_values(inner, text, value):
    """RELAX NG gives plain data by the same rule."""
    whole = f"<r>{text}</r>" if text is not None else '<r k="1">t</r>' if "text" in inner else '<r k="1"/>'
    reading = rng(inner).read(whole, "strict")
    assert (reading.value, told(reading)) == (value, [])


GRAMMAR = """<grammar xmlns="http://relaxng.org/ns/structure/1.0" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <start><ref name="sec"/></start>
  <div><define name="sec"><element name="sec"><ref name="body"/></element></define></div>
  <define name="body"><element name="t"><text/></element><oneOrMore><choice><ref name="sec"/>
    <element name="leaf"><data type="boolean"/></element></choice></oneOrMore></define>
  <define name="body" combine="choice"><element name="only"><empty/></element></define>
</grammar>"""


def test_relax_ng_grammars():
    """Definitions that hold themselves, divisions and combined definitions are walked."""
    contract = RelaxNG(GRAMMAR)
    text = "<sec><t>1</t><sec><t/><leaf>true</leaf></sec><sec><only/></sec></sec>"
    value = {"t": "1", "sec": [{"t": "", "leaf": [True]}, {"only": {}}]}
    assert contract.read(text).value == value
    assert contract.read(contract.prompt("example"), "strict").ok


def test_attribute_declarations():
    """References, qualified, prohibited, fixed and any attributes, and restricted content, are walked."""
    contract = xsd(
        """<xs:attribute name="g" type="xs:int"/>
        <xs:complexType name="B"><xs:sequence><xs:element name="a" type="xs:int" minOccurs="0"/></xs:sequence>
          <xs:attribute name="p" type="xs:int"/><xs:attribute name="q" type="xs:int" form="qualified"/></xs:complexType>
        <xs:element name="r"><xs:complexType><xs:complexContent><xs:restriction base="x:B">
          <xs:sequence><xs:element name="a" type="xs:int"/></xs:sequence><xs:attribute name="p" use="prohibited"/>
        </xs:restriction></xs:complexContent></xs:complexType></xs:element>
        <xs:element name="s"><xs:complexType><xs:complexContent><xs:extension base="x:B">
          <xs:attribute ref="x:g" use="required"/><xs:attribute name="f" fixed="1" type="xs:int" use="required"/>
          <xs:anyAttribute processContents="skip"/></xs:extension></xs:complexContent></xs:complexType></xs:element>""",
        'targetNamespace="urn:x" xmlns:x="urn:x"',
    )
    assert contract.read('<x:r xmlns:x="urn:x" x:q="1"><a>2</a></x:r>').value == {"@q": 1, "a": 2}
    prohibited = contract.read('<x:r xmlns:x="urn:x" p="1"><a>2</a></x:r>', "strict")
    assert ("schema.additionalProperties", "/r/@p") in told(prohibited)
    found = contract.read('<x:s xmlns:x="urn:x" x:g="3" f="1" p="1" more="x"/>').value
    assert found == {"@g": 3, "@f": 1, "@p": 1, "@more": "x"}
    assert contract.read(contract.prompt("example"), "strict").ok


def test_relax_ng_parts_of_one_name():
    """Where one name has several contents, attributes and text are merged; nested grammars are followed."""
    contract = rng(
        """<choice><element name="a"><attribute name="k"><data type="int"/></attribute><data type="int"/></element>
        <group><element name="a"><attribute name="k"><text/></attribute><empty/></element>
        <element name="b"><choice><attribute name="m"/><attribute name="n"/><group><attribute name="m"/>
        <attribute name="n"/></group></choice><optional><element name="c"><text/></element></optional></element></group>
        </choice><grammar><start><optional><ref name="z"/></optional></start><define name="z"><element name="z">
        <grammar><start><parentRef name="y"/></start></grammar></element></define>
        <define name="y"><element name="y"><value type="int">3</value></element></define></grammar>"""
    )
    text = '<r><a k="1"/><b m="2"><c/></b><z><y>3</y></z></r>'
    assert contract.read(text).value == {"a": {"@k": "1"}, "b": {"@m": "2", "c": ""}, "z": {"y": 3}}
    assert told(contract.read('<r><a k="x">1</a></r>'))
    assert contract.prompt()
    assert contract.read(contract.prompt("example"), "strict").ok


# -- findings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<id>7</id>", "", [("schema.required", "/r/id")]),
        ('kind="new"', "", [("schema.required", "/r/line/@kind")]),
        ('kind="new"', 'kind="old"', [("schema.enum", "/r/line/@kind")]),
        ('kind="new"', 'kind="new" no="1"', [("schema.additionalProperties", "/r/line/@no")]),
        ("<id>7</id>", "<id>x</id>", [("schema.type", "/r/id")]),
        ("<id>7</id>", "<id/>", [("schema.type", "/r/id")]),
        ("<id>7</id>", "<id>7</id><id>8</id>", [("schema.maxItems", "/r/id[2]")]),
        ("<id>7</id>", "<id>7</id><no/>", [("schema.additionalProperties", "/r/no")]),
        ("<id>7</id>", "<id><b/></id>", [("schema.additionalProperties", "/r/id/b")]),
        ("<id>7</id>", "<id>7</id> text ", [("schema.type", "/r")]),
        ("<qty>2</qty>", "<qty>0</qty>", [("schema.minimum", "/r/line/qty")]),
        ("<qty>2</qty>", "<qty>100</qty>", [("schema.exclusiveMaximum", "/r/line/qty")]),
        ("<sku>A-1</sku>", "<sku>a1</sku>", [("schema.pattern", "/r/line/sku")]),
        ("<sku>A-1</sku>", "<sku>A-12345</sku>", [("schema.maxLength", "/r/line/sku")]),
        ("<sku>A-1</sku><qty>2</qty>", "<qty>2</qty><sku>A-1</sku>", [("schema.order", "/r/line/qty")]),
        ("</line>", "</line><due>2026-02-30</due>", [("schema.type", "/r/due")]),
        ("</line>", "</line><due>soon</due>", [("schema.type", "/r/due")]),
        ("<r>", f"<r {XSI} xsi:type='no'>", [("schema.type", "/r/@type")]),
        ("</line>", '</line><line kind="new"><sku>A-1</sku></line>', [("schema.required", "/r/line[2]/qty")]),
    ],
)
def test_findings_of_xml_schema(old, new, found):
    """Each broken rule has one finding, with the code that JSON has for it and the path of the place."""
    assert ORDER.read(GOOD).ok
    reading = ORDER.read(GOOD.replace(old, new), "strict")
    assert told(reading)[: len(found)] == found
    assert reading.value is None


def test_all_that_is_missing_is_said_at_once():
    """Findings name every missing and superfluous part, not only the first one that a validator stumbles on."""
    reading = ORDER.read("<r><line><no/></line></r>")
    assert sorted(told(reading)) == [
        ("schema.additionalProperties", "/r/line/no"),
        ("schema.required", "/r/id"),
        ("schema.required", "/r/line/@kind"),
        ("schema.required", "/r/line/qty"),
        ("schema.required", "/r/line/sku"),
    ]


def test_findings_say_what_was_expected():
    """Expected and actual values are data, the message is ours and holds no text of the answer."""
    reading = ORDER.read(
        GOOD.replace("<qty>2", "<qty>0").replace('"new"', '"SECRET"').replace("<id>7", "<id>SECRET" * 1)
    )
    assert {f.path: (f.message, f.expected, f.actual) for f in reading.findings} == {
        "/r/id": ("the value is not a whole number", "a whole number", "SECRET"),
        "/r/line/@kind": ("the value is none of the allowed values", ["new", "used"], "SECRET"),
        "/r/line/qty": ("the value must be at least 1", 1, 0),
    }
    long = ORDER.read(GOOD.replace("<id>7", "<id>" + "SECRET" * 1000)).findings[0]
    assert len(long.actual) <= 80
    assert "SECRET" not in long.message


def test_wrong_root():
    """A root that the schema does not know is named with the one that is wanted; its findings stand if nothing fits."""
    finding = ORDER.read("<answer><id>1</id></answer>").findings[0]
    assert (finding.code, finding.path, finding.expected) == ("schema.root", "/answer", "r")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<r id="x"><a/><n>3</n></r>', [("schema.type", "/r/@id")]),
        ("<r><a/><n>3</n></r>", [("schema.required", "/r/@id")]),
        ('<r id="1" no="2"><a/><n>3</n></r>', [("schema.additionalProperties", "/r/@no")]),
        ('<r id="1"><n>3</n></r>', [("schema.required", "/r/a")]),
        ('<r id="1"><a/><n>2</n></r>', [("schema.minimum", "/r/n")]),
        ('<r id="1"><n>3</n><a/></r>', [("schema.order", "/r/n")]),
        ('<r id="1"><a/><n>3</n><p>b</p></r>', [("schema.pattern", "/r/p")]),
        ('<r id="1"><a/><n>3</n><no/></r>', [("schema.additionalProperties", "/r/no")]),
    ],
)
def test_findings_of_relax_ng(text, found):
    """RELAX NG's findings have the same codes and paths."""
    contract = rng(
        '<attribute name="id"><data type="int"/></attribute><element name="a"><text/></element><element name="n">'
        '<data type="int"><param name="minInclusive">3</param></data></element><optional><element name="p">'
        '<data type="string"><param name="pattern">a+</param></data></element></optional>'
    )
    assert contract.read('<r id="1"><a/><n>3</n></r>').ok
    assert told(contract.read(text, "strict")) == found


def test_occurrences():
    """Too few and too many of a repeated element are said with their bound."""
    contract = root('<xs:sequence><xs:element name="a" minOccurs="2" maxOccurs="3"/></xs:sequence>')
    assert [(f.code, f.expected, f.actual) for f in contract.read("<r><a/></r>").findings] == [
        ("schema.minItems", 2, 1)
    ]
    many = contract.read("<r><a/><a/><a/><a/></r>").findings
    assert [(f.code, f.expected, f.actual) for f in many] == [("schema.maxItems", 3, 4)]


@pytest.mark.parametrize("bad", ["x", "2026-02-30"])
@pytest.mark.parametrize("kind", ["xsd", "rng"])
def test_many_faults_are_listed_to_a_bound(bad, kind):
    """A large document full of faults is refused in bounded time with a bounded list."""
    if kind == "xsd":
        contract = root('<xs:sequence><xs:element name="a" type="xs:date" maxOccurs="unbounded"/></xs:sequence>')
    else:
        contract = rng('<oneOrMore><element name="a"><data type="date"/></element></oneOrMore>')
    size = 6_000 if kind == "rng" and bad != "x" else 40_000
    with cpu_within(8):
        reading = contract.read("<r>" + f"<a>{bad}</a>" * size + "</r>")
    assert not reading.ok
    assert len(reading.findings) <= 101
    assert contract.read("<r>" + "<a>2026-02-01</a>" * 40_000 + "</r>").ok


def test_recheck():
    """A document that was edited is judged again and gives its new value or findings."""
    document = ORDER.read(GOOD).document
    assert ORDER.recheck(document.replace(("line", 0, "qty"), 5)).value["line"][0]["qty"] == 5
    assert told(ORDER.recheck(document.replace(("line", 0, "qty"), 500))) == [
        ("schema.exclusiveMaximum", "/r/line/qty")
    ]
    assert told(ORDER.recheck(document.remove(("id",)))) == [("schema.required", "/r/id")]
    with pytest.raises(TypeError):
        ORDER.recheck(JsonDocument({}))


def test_no_schema_location_is_followed(tmp_path):
    """An answer that names a schema of its own is still judged by the contract alone."""
    (tmp_path / "own.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="no"/></xs:schema>'
    )
    uri = (tmp_path / "own.xsd").as_uri()
    assert ORDER.read(GOOD.replace("<r>", f'<r {XSI} xsi:noNamespaceSchemaLocation="{uri}">')).ok
    assert not ORDER.read(f'<no {XSI} xsi:noNamespaceSchemaLocation="{uri}"/>').ok


# -- prompts -----------------------------------------------------------------------------------------------------


def test_the_skeleton():
    """The prompt shows the form with types, occurrences, bounds and allowed values."""
    assert (
        ORDER.prompt()
        == ORDER.prompt("xml")
        == (
            "Answer with one XML document and nothing else. Escape & as &amp; and < as &lt;.\n"
            "It has this form (the comments explain it; leave them out):\n"
            "\n"
            "<r>\n"
            "  <id><!-- a whole number --></id>\n"
            '  <line kind="one of: new | used"> <!-- 1 or more times -->\n'
            "    <sku><!-- text, at most 6 characters, pattern [A-Z]{1,2}-[0-9]+ --></sku>\n"
            "    <qty><!-- a whole number, at least 1, less than 100 --></qty>\n"
            "    <note><!-- text --></note> <!-- optional, may be xsi:nil -->\n"
            "  </line>\n"
            "  <due><!-- a date (YYYY-MM-DD) --></due> <!-- optional -->\n"
            "</r>"
        )
    )


def test_skeletons_of_models():
    """Choices, any order, repeated groups, wildcards, recursion and several roots are told in the skeleton."""
    text = root(
        '<xs:sequence><xs:choice maxOccurs="unbounded"><xs:element name="a"/><xs:element name="b" fixed="1"/>'
        "</xs:choice>"
        '<xs:any namespace="##other" minOccurs="0"/>'
        '<xs:element name="c" minOccurs="2" maxOccurs="3" type="xs:anyType"/></xs:sequence>',
        '<xs:attribute name="k"/>',
    ).prompt()
    for part in (
        "one of, 1 or more times",
        "<!-- or -->",
        "any element, optional",
        "2 to 3 times",
        'k="text (optional)"',
    ):
        assert part in text
    assert "in any order" in root('<xs:all><xs:element name="a"/><xs:element name="b"/></xs:all>').prompt()
    assert "as above" in RelaxNG(GRAMMAR).prompt()
    assert "\nor\n" in xsd('<xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/>').prompt()


SIMPLE = [
    '<xs:restriction base="xs:string"><xs:pattern value="[A-Z]{2}-\\d{3}(x|y)?"/></xs:restriction>',
    '<xs:restriction base="xs:string"><xs:pattern value="\\i\\c*"/><xs:minLength value="3"/></xs:restriction>',
    '<xs:restriction base="xs:string"><xs:minLength value="12"/></xs:restriction>',
    '<xs:restriction base="xs:string"><xs:length value="2"/></xs:restriction>',
    '<xs:restriction base="xs:string"><xs:maxLength value="1"/></xs:restriction>',
    '<xs:restriction base="xs:integer"><xs:minExclusive value="41"/><xs:maxInclusive value="42"/></xs:restriction>',
    ('<xs:restriction base="xs:decimal"><xs:minExclusive value="0"/><xs:maxExclusive value="1"/>'
    '<xs:fractionDigits value="2"/></xs:restriction>'),
    '<xs:restriction base="xs:integer"><xs:totalDigits value="3"/><xs:minInclusive value="100"/></xs:restriction>',
    '<xs:restriction base="xs:negativeInteger"/>',
    '<xs:restriction base="xs:date"><xs:minInclusive value="2030-01-01"/></xs:restriction>',
    '<xs:restriction base="xs:decimal"><xs:enumeration value="1.5"/></xs:restriction>',
    '<xs:list itemType="xs:int"/>',
    '<xs:union memberTypes="xs:boolean xs:date"/>',
    *(
        f'<xs:restriction base="xs:{name}"/>'
        for name in ("dateTime", "time", "duration", "gYear", "gMonthDay", "anyURI", "language", "hexBinary",
                     "base64Binary",
                     "float", "boolean", "ID", "NMTOKENS", "unsignedByte", "normalizedString", "nonPositiveInteger")
    ),
]  # fmt: skip


@pytest.mark.parametrize("inner", SIMPLE)
def test_examples_of_leaves(inner):
    """The example holds a value that its type and facets accept, as text and as attribute."""
    contract = root(
        f'<xs:sequence><xs:element name="a"><xs:simpleType>{inner}</xs:simpleType></xs:element></xs:sequence>',
        f'<xs:attribute name="k"><xs:simpleType>{inner}</xs:simpleType></xs:attribute>' if "xs:ID" not in inner else "",
    )
    assert contract.read(contract.prompt("example"), "strict").ok
    assert contract.prompt()


def test_an_example_that_cannot_be():
    """Where no example can be made, that is an error with a way out, not an answer that the contract refuses."""
    contract = root('<xs:sequence><xs:any namespace="urn:other" processContents="strict"/></xs:sequence>')
    with pytest.raises(ConfigError, match="style='xml'"):
        contract.prompt("example")


@pytest.mark.parametrize("style", ["json-schema", "typescript", "poem"])
def test_styles(style):
    """A style that this contract has not, or nobody has, is an error naming those it has."""
    with pytest.raises(ConfigError, match="'xml', 'example'"):
        ORDER.prompt(style)


# -- the contract itself -----------------------------------------------------------------------------------------

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">\n'


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("no schema", "not well-formed"),
        ("<a/>", "line 1: the root <a> is not of an XML Schema"),
        (f"{HEAD}</xs:schema>", "declares no element"),
        (f'{HEAD}<xs:include schemaLocation="/etc/a.xsd"/></xs:schema>', "line 2: <include>"),
        (f'{HEAD}<xs:import namespace="u" schemaLocation="http://127.0.0.1:9/"/></xs:schema>', "line 2: <import>"),
        (f'{HEAD}<xs:redefine schemaLocation="a.xsd"/></xs:schema>', "line 2: <redefine>"),
        (f'{HEAD}<xs:element name="a" type="none"/></xs:schema>', "line 2: the document is not an XML Schema"),
        (f'{HEAD}<xs:element nam="a"/></xs:schema>', "line 2: the document is not an XML Schema"),
        (f'<!DOCTYPE x [<!ENTITY a "b">]>{HEAD}<xs:element name="a"/></xs:schema>', "declares entities"),
        (f'{HEAD}<xs:element name="a"/>', "never closed"),
    ],
)
def test_unusable_xml_schemas(schema, words):
    """A schema that cannot be used is a ConfigError at construction that names the place and a way out."""
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        XmlSchema(schema)
    assert caught.value.where == "XmlSchema()"


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<externalRef href="http://127.0.0.1:9/"/>', "<externalRef>"),
        ('<grammar><include href="/etc/passwd"/><start><empty/></start></grammar>', "<include>"),
        ('<ref name="none"/>', "is not a RELAX NG grammar"),
    ],
)
def test_unusable_relax_ng(inner, words):
    """A grammar that reaches out, or leads nowhere, is refused."""
    with pytest.raises(ConfigError, match=words):
        rng(inner)


def test_files(tmp_path):
    """A path is read by its byte order mark or declaration; one that is missing, a folder or no text is an error."""
    source = f'<?xml version="1.0" encoding="ENC"?>{HEAD}<xs:element name="é" type="xs:int"/></xs:schema>'
    for encoding in ("utf-8", "latin-1", "utf-16"):
        path = tmp_path / f"{encoding}.xsd"
        path.write_bytes(source.replace("ENC", encoding).encode(encoding))
        assert XmlSchema(path).read("<é>1</é>").value == 1
    (tmp_path / "bad.xsd").write_bytes(b"\xff\x00\xfe")
    (tmp_path / "odd.xsd").write_bytes(b"<?xml version='1.0' encoding='odd'?><a/>")
    for name in ("none.xsd", ".", "bad.xsd", "odd.xsd"):
        with pytest.raises(ConfigError) as caught:
            XmlSchema(tmp_path / name)
        assert str(tmp_path) in caught.value.where
    with pytest.raises(ConfigError, match="pathlib.Path"):
        XmlSchema(7)


def test_contracts_are_values():
    """Contracts are equal by source, hash alike, pickle, and say what they are about; there is no JSON Schema."""
    back = pickle.loads(pickle.dumps(ORDER))
    assert (back, hash(back)) == (ORDER, hash(ORDER))
    assert back.read(GOOD).ok
    assert root("<xs:sequence/>") != ORDER
    assert repr(ORDER) == "XmlSchema(<r>)"
    with pytest.raises(ConfigError):
        ORDER.json_schema()


def test_threads_share_a_contract():
    """Good and bad answers read at once by many threads never mix their findings."""
    bad = GOOD.replace("<id>7", "<id>x")

    def one(number):
        return told(ORDER.read(bad if number % 2 else GOOD)) == ([("schema.type", "/r/id")] if number % 2 else [])

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(800)))


def test_import_loads_no_lxml():
    """Importing the package, and its contracts, loads no lxml."""
    code = "import sys, guards, guards.contracts; sys.exit('lxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_unknown_dial():
    """An unknown dial is an error."""
    with pytest.raises(ConfigError):
        ORDER.read(GOOD, "loose")


# -- the shared rows ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not DATA.exists(), reason="the malformed answers under ../shared are not here")
@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
def test_malformed_answers(dial, tmp_path):
    """Of the shared rows none is silently wrong or leaks a file, every attack is refused, every clean one is read."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY-CONTENT")

    def filled(text):
        text = text.replace("{{CANARY}}", canary.as_uri())
        return re.sub(r"\{\{REPEAT:(.*?):(\d+)\}\}", lambda found: found[1] * int(found[2]), text)

    for row in map(json.loads, DATA.read_text().splitlines()):
        with cpu_within(2, row["id"]):
            reading = XmlSchema(row["xsd"]).read(filled(row["text"]), dial, Limits())
        assert "CANARY-CONTENT" not in repr(reading), row["id"]
        expected = json.loads(filled(json.dumps(row["expected"])))
        guessed = any(repair.code == "value.guess" for repair in reading.repairs)
        assert not reading.ok or guessed or (expected is not None and reading.value == expected), row["id"]
        if dial == "careful" and expected is not None:
            assert reading.ok, row["id"]
        if dial == "careful" or row["security"]:
            assert not guessed


@pytest.mark.parametrize(
    ("inner", "answer", "value"),
    [
        (
            """<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="a" type="xs:string" minOccurs="0"
            maxOccurs="0"/><xs:element name="b" type="xs:int"/></xs:sequence></xs:complexType></xs:element>""",
            "<r><b>1</b></r>",
            {"b": 1},
        ),
        (
            """<xs:element name="r"><xs:complexType><xs:sequence><xs:choice minOccurs="0" maxOccurs="0">
            <xs:element name="a"/></xs:choice><xs:element name="b" type="xs:int"/></xs:sequence></xs:complexType>
            </xs:element>""",
            "<r><b>1</b></r>",
            {"b": 1},
        ),
        (
            """<xs:element name="r "><xs:complexType><xs:sequence><xs:element name="a " type="xs:int"/></xs:sequence>
            </xs:complexType></xs:element>""",
            "<r><a>1</a></r>",
            {"a": 1},
        ),
        (
            """<xs:element name="r"><xs:simpleType><xs:restriction base="xs:double"><xs:minInclusive value="-INF"/>
            <xs:maxInclusive value="INF"/></xs:restriction></xs:simpleType></xs:element>""",
            "<r>1.5</r>",
            1.5,
        ),
        (
            r"""<xs:element name="r"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern
            value="\p{IsBasicLatin}+"/></xs:restriction></xs:simpleType></xs:element>""",
            "<r>abc</r>",
            "abc",
        ),
        (
            """<xs:element name="r"><xs:simpleType><xs:restriction base="xs:dateTime"><xs:pattern value=".*Z"/>
            </xs:restriction></xs:simpleType></xs:element>""",
            "<r>2026-01-31T12:00:00Z</r>",
            "2026-01-31T12:00:00Z",
        ),
    ],
)
def test_odd_schemas_are_used(inner, answer, value):
    """Parts that may not occur, blanks around names, unbounded bounds and blocks of Unicode crash nothing."""
    contract = XmlSchema(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{inner}</xs:schema>')
    for dial in ("strict", "careful"):
        assert contract.read(answer, dial).value == value
        assert contract.read(contract.prompt("example"), dial).ok
    assert "<a" not in contract.prompt("xml") or "<a" in answer
    assert not contract.read(answer.replace("</r>", "<a>x</a></r>"), "strict").ok


@pytest.mark.parametrize(
    "inner",
    [
        """<xs:element name="r"><xs:complexType><xs:group ref="g"/></xs:complexType></xs:element><xs:complexType
        name="b"><xs:sequence/></xs:complexType><xs:group name="g"><xs:sequence><xs:element name="x"><xs:complexType>
        <xs:complexContent><xs:extension base="b"><xs:group ref="g"/></xs:extension></xs:complexContent>
        </xs:complexType></xs:element></xs:sequence></xs:group>""",
        r"""<xs:element name="r"><xs:complexType><xs:attribute name="a"><xs:simpleType><xs:restriction base="xs:string">
        <xs:pattern value="\p{IsaA0-a9}"/></xs:restriction></xs:simpleType></xs:attribute></xs:complexType>
        </xs:element>""",
    ],
)
def test_what_cannot_be_made_or_judged_is_refused(inner):
    """A group that holds itself without end has no example; what libxml2 gives up on is not passed, and never raises."""
    contract = XmlSchema(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{inner}</xs:schema>')
    try:
        assert contract.read(contract.prompt("example"), "strict").ok
    except ConfigError as fault:
        assert "no example" in str(fault)
    assert not contract.read("<r a='x'><x/></r>", "strict").ok
    assert contract.prompt("xml")


ABSTRACT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" {}><xs:import
namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>
<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="s" type="B" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute ref="xml:lang" use="required"/><xs:attribute name="lang" type="xs:int"/></xs:complexType></xs:element>
<xs:complexType name="B" abstract="true"><xs:sequence><xs:element name="n" type="xs:string"/></xs:sequence></xs:complexType>
<xs:complexType name="D"><xs:complexContent><xs:extension base="B"><xs:sequence><xs:element name="id" type="xs:int"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType><xs:complexType name="E"><xs:complexContent>
<xs:extension base="D"/></xs:complexContent></xs:complexType></xs:schema>"""


@pytest.mark.parametrize("own", ["", 'targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified"'])
def test_abstract_types_and_xml_attributes(own):
    """A type that has to be chosen by xsi:type is in prompt, example and mending; xml:lang is known, beside another lang."""
    contract = XmlSchema(ABSTRACT.format(own))
    shown = contract.prompt("xml")
    assert all(words in shown for words in ("xsi:type", "D | E", "<id>", "xml:lang"))
    example = contract.prompt("example")
    key = "@{http://www.w3.org/XML/1998/namespace}lang"
    value = {key: "en", "@lang": 1, "s": [{"n": "text", "id": 1}]}
    assert contract.read(example, "strict").value == value
    mended = contract.read(example.replace("</n>", " & more</n>").replace("</r>", ""))
    assert mended.value == {**value, "s": [{"n": "text & more", "id": 1}]}, mended.findings
    assert not contract.read(example.replace('xml:lang="en"', 'xml:lang="?"')).ok
    assert not contract.read(example.replace("<id>1</id>", "")).ok
