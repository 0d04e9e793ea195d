"""What a model is told of an XML schema: in proportion to the schema, and with an example that the schema accepts."""

import pytest

from guards.contracts import RelaxNG, XmlSchema

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
RNG = 'xmlns="http://relaxng.org/ns/structure/1.0" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"'
NAMES = [f"e{number}" for number in range(40)]


def held(name, content):
    return (
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{content}</xs:sequence></xs:complexType></xs:element>'
    )


def long_lists():
    codes = "".join(f'<xs:enumeration value="C{number:03}"/>' for number in range(250))
    fields = "".join(f'<xs:element name="{name}" type="Code"/>' for name in NAMES)
    code = f'<xs:simpleType name="Code"><xs:restriction base="xs:string">{codes}</xs:restriction></xs:simpleType>'
    return XmlSchema(f"<xs:schema {XS}>{code}{held('r', fields)}</xs:schema>"), len(codes)


def shared_attributes():
    group = "".join(f'<xs:attribute name="attribute{number}" type="xs:string"/>' for number in range(15))
    field = (
        '<xs:element name="{}"><xs:complexType><xs:simpleContent><xs:extension base="xs:string"><xs:attributeGroup '
        'ref="g"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>'
    )
    source = f'<xs:attributeGroup name="g">{group}</xs:attributeGroup>{held("r", "".join(map(field.format, NAMES)))}'
    return XmlSchema(f"<xs:schema {XS}>{source}</xs:schema>"), len(source)


def shared_content():
    group = f'<xs:group name="g"><xs:choice>{"".join(f"<xs:element ref={name!r}/>" for name in NAMES)}</xs:choice></xs:group>'
    field = (
        '<xs:element name="{}"><xs:complexType mixed="true"><xs:group ref="g" minOccurs="0" maxOccurs="unbounded"/>'
        "</xs:complexType></xs:element>"
    )
    source = group + "".join(field.format(name) for name in (*NAMES, "doc"))
    return XmlSchema(f"<xs:schema {XS}>{source}</xs:schema>"), len(source)


def shared_patterns():
    common = "".join(f"<optional><attribute name='c{number}'/></optional>" for number in range(10))
    fields = "".join(
        f"<define name='{n}'><element name='{n}'><ref name='common'/><ref name='in'/></element></define>" for n in NAMES
    )
    refs = "".join(f"<ref name='{name}'/>" for name in NAMES)
    source = (
        f"<start><element name='doc'><ref name='in'/></element></start><define name='common'>{common}</define>"
        f"<define name='in'><zeroOrMore><choice><text/>{refs}</choice></zeroOrMore></define>{fields}"
    )
    return RelaxNG(f"<grammar {RNG}>{source}</grammar>"), len(source)


def substitutes():
    members = "".join(f'<xs:element name="{name}" type="xs:string" substitutionGroup="h"/>' for name in NAMES)
    uses = "".join(held(f"u{number}", '<xs:element ref="h" maxOccurs="unbounded"/>') for number in range(30))
    source = f'<xs:element name="h" abstract="true" type="xs:string"/>{members}{held("r", uses)}'
    return XmlSchema(f"<xs:schema {XS}>{source}</xs:schema>"), len(source)


@pytest.mark.parametrize("made", [long_lists, shared_attributes, shared_content, shared_patterns, substitutes])
def test_a_prompt_is_in_proportion_to_its_schema(made):
    """What many elements share is told once, and by its name from then on; all names are told; the example fits."""
    contract, size = made()
    told = contract.prompt("xml")
    assert len(told) < 2 * size + 1000
    assert all(name in told for name in NAMES)
    assert contract.read(contract.prompt("example"), "strict").ok


def test_what_was_told_is_named():
    """The second element of a type with a long list of values says where the list stands."""
    contract, _ = long_lists()
    lines = contract.prompt("xml").splitlines()
    assert "<e1><!-- as e0 above --></e1>" in [line.strip() for line in lines]
    assert "C249" in next(line for line in lines if "<e0>" in line)


# Written for this test, in the manner of RFC 4287: choices of a whole content, foreign elements, interleaved parts.
FEED = RelaxNG(
    f"""<grammar {RNG} ns="http://www.w3.org/2005/Atom"><start><ref name="feed"/></start>
    <define name="common"><optional><attribute name="xml:lang"><data type="string"><param
      name="pattern">[A-Za-z]{{1,8}}(-[A-Za-z0-9]{{1,8}})*</param></data></attribute></optional>
      <zeroOrMore><attribute><anyName><except><name>xml:lang</name><nsName ns=""/></except></anyName></attribute></zeroOrMore>
    </define>
    <define name="words"><choice>
      <group><ref name="common"/><optional><attribute name="type"><choice><value>text</value><value>html</value></choice>
        </attribute></optional><text/></group>
      <group><ref name="common"/><attribute name="type"><value>xhtml</value></attribute><element name="div"
        ns="http://www.w3.org/1999/xhtml"><ref name="any"/></element></group></choice></define>
    <define name="any"><zeroOrMore><choice><attribute><anyName/></attribute><text/><element><anyName/><ref name="any"/>
      </element></choice></zeroOrMore></define>
    <define name="extension"><element><anyName><except><nsName/></except></anyName><ref name="any"/></element></define>
    <define name="date"><ref name="common"/><data type="dateTime"/></define>
    <define name="feed"><element name="feed"><ref name="common"/><interleave>
      <element name="id"><ref name="common"/><text/></element><element name="title"><ref name="words"/></element>
      <element name="updated"><ref name="date"/></element>
      <optional><element name="generator"><attribute name="version"><empty/></attribute><text/></element></optional>
      <zeroOrMore><element name="link"><attribute name="href"/><optional><attribute name="type"><data type="string">
        <param name="pattern">.+/.+</param></data></attribute></optional></element></zeroOrMore>
      <zeroOrMore><ref name="extension"/></zeroOrMore></interleave>
      <zeroOrMore><ref name="entry"/></zeroOrMore></element></define>
    <define name="entry"><element name="entry"><interleave><element name="id"><text/></element>
      <element name="title"><ref name="words"/></element><element name="updated"><ref name="date"/></element>
      <zeroOrMore><ref name="extension"/></zeroOrMore></interleave></element></define></grammar>"""
)


def test_a_feed_has_an_example():
    """A grammar of the kind that feeds have has an example, and its prompt names what every form of a text allows."""
    example = FEED.prompt("example")
    assert FEED.read(example, "strict").ok
    assert 'type="one of: text | html | xhtml (optional)"' in FEED.prompt("xml")


@pytest.mark.parametrize(
    "pattern",
    [
        '<element name="b"><attribute name="c"><empty/></attribute></element>',
        '<element name="b"><text/></element><mixed><element name="c"><text/></element></mixed>',
        '<optional><mixed><element name="b"><data type="int"/></element></mixed></optional><element name="c"><empty/></element>',
    ],
)
def test_examples_of_grammars(pattern):
    """Attributes that are empty and text that may stand in one part only have an example."""
    contract = RelaxNG(f'<element name="a" {RNG}>{pattern}</element>')
    assert contract.read(contract.prompt("example"), "strict").ok
