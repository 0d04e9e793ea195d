"""XML that is no slip of the pen: names, namespaces, nesting, texts that hold tags, and that nothing changes unsaid."""

import datetime as dt
import random
import re
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from test_xml_mending import DATA, ORDER, ORDERS, written

from guards import validate
from guards.contracts import RelaxNG, XmlSchema
from guards.contracts.compiled import compile_contract

HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def schema(body, attributes=""):
    return XmlSchema(f"{HEAD} {attributes}>{body}</xs:schema>")


def element(name, content, attributes=""):
    return (
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{content}</xs:sequence>{attributes}</xs:complexType>'
        "</xs:element>"
    )


OTHERS = '<xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>'
ANY_ATTRIBUTE = '<xs:anyAttribute namespace="##other" processContents="lax"/>'
CHANNEL = schema(
    element(
        "channel",
        '<xs:element name="title" type="xs:string"/><xs:element name="link" type="xs:anyURI"/>'
        f'<xs:element name="n" type="xs:int" minOccurs="0"/>{OTHERS}',
        f'<xs:attribute name="v" type="xs:int"/>{ANY_ATTRIBUTE}',
    )
)
ATOM = "http://www.w3.org/2005/Atom"


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize(
    ("inner", "more"),
    [
        ("<a:link href='h'/>", {f"{{{ATOM}}}link": [{"@href": "h"}]}),
        ("<n>3</n><a:n>x</a:n>", {"n": 3, f"{{{ATOM}}}n": ["x"]}),
        ("<a:link/><a:author>x</a:author>", {f"{{{ATOM}}}link": [""], "author": ["x"]}),
    ],
)
def test_another_namespace_takes_no_place(inner, more, dial):
    """An extension with the name of a known element stands beside it in the data, and its path leads back to it."""
    text = f'<channel xmlns:a="{ATOM}" v="1" a:v="2"><title>t</title><link>http://x</link>{inner}</channel>'
    reading = CHANNEL.read(text, dial)
    assert reading.ok, reading.findings
    assert reading.value == {"@v": 1, f"@{{{ATOM}}}v": "2", "title": "t", "link": "http://x", **more}
    assert reading.repairs == ()
    for key, value in reading.value.items():
        place = (key, 0) if isinstance(value, list) else (key,)
        if not key.startswith("@"):
            assert reading.document.place(reading.document.path(place)) == place
            assert reading.document.replace((key,), value).root is not None


def test_another_namespace_brings_no_false_findings():
    """Beside an extension of the same name only the true fault is found."""
    text = f'<channel xmlns:a="{ATOM}"><title>t</title><link>l</link><n>x</n><a:n>q</a:n><a:link/></channel>'
    for dial in ("strict", "careful"):
        assert [(f.code, f.path) for f in CHANNEL.read(text, dial).findings] == [("schema.type", "/channel/n[1]")]


@pytest.mark.parametrize("contract", [CHANNEL])
def test_mending_keeps_namespaces(contract):
    """Extensions are kept as they are where something else is mended."""
    text = (
        f'<channel xmlns:a="{ATOM}" a:v="2"><title>t & u</title><link>l</link><a:link href="h" a:x="1"/>'
        "<a:author><a:name>n</a:name></a:author></channel>"
    )
    reading = contract.read(text)
    assert reading.ok, reading.findings
    assert reading.value == contract.read(text.replace("&", "&amp;"), "strict").value
    assert [repair.code for repair in reading.repairs] == ["xml.ampersand"]


LAX = schema(
    element("r", f'<xs:element name="a" type="xs:anyType"/>{OTHERS.replace("##other", "##any")}')
    + '<xs:element name="g" type="xs:int"/>'
    + element("h", "", '<xs:attribute name="q" type="xs:int" use="required"/>'),
    'xmlns="urn:t" targetNamespace="urn:t"',
)


@pytest.mark.parametrize("inner", ["<t:g>x</t:g>", "<t:h/>", '<x:z xmlns:x="urn:t"><x:g>no</x:g></x:z>'])
@pytest.mark.parametrize("where", ["<a>{}</a>", "<a/>{}"])
def test_what_the_schema_judges_elsewhere_is_judged(inner, where):
    """Under lax wildcards and anyType a declared element is judged in a mended answer as in a clean one."""
    text = f'<t:r xmlns:t="urn:t">{where.format(inner)}</t:r>'
    assert not LAX.read(text, "strict").ok
    assert not LAX.read(text).ok
    assert not LAX.read(text.replace("</t:r>", "")).ok


@pytest.mark.parametrize(
    ("contract", "text", "value", "code"),
    [
        (LAX, "<r><a/></r>", {"a": ""}, "xml.namespace"),
        (CHANNEL, '<channel xmlns="urn:x"><title>t</title><link>l</link></channel>', ..., "xml.namespace"),
        (CHANNEL, "<q:channel><q:title>t</q:title><q:link>l</q:link></q:channel>", ..., "xml.prefix"),
        (CHANNEL, "<channel><title>t</title><link>l</link></chan", ..., "xml.truncated"),
        (CHANNEL, "<channel><title>t</title><link>l</li", ..., "xml.truncated"),
        (CHANNEL, "\u3000<channel><title>t</title><link>l</link></channel>", ..., "text.prose"),
        (CHANNEL, "<channel><!-- a -- b --><title>t</title><link>l</link></channel>", ..., "xml.comment"),
        (CHANNEL, "<?xml version=1.0?><channel><title>t</title><link>l</link></channel>", ..., "xml.declaration"),
        (CHANNEL, '<channel v="1" v="1"><title>t</title><link>l</link></channel>', None, "xml.attribute"),
        (CHANNEL, "<channel><title>t</title>\u00a0<link>l</link></channel>", ..., "xml.text"),
        (CHANNEL, "< channel >< title >t</ title ><link>l< /link></channel>", ..., "xml.tag"),
        (
            CHANNEL,
            "&lt;channel&gt;&lt;title&gt;t&lt;/title&gt;&lt;link&gt;l&lt;/link&gt;&lt;/channel&gt;",
            ...,
            "xml.encoded",
        ),
    ],
)
def test_each_change_has_its_name(contract, text, value, code):
    """What strict reading refuses is read with a repair of the right name."""
    assert not contract.read(text, "strict").ok
    reading = contract.read(text)
    assert reading.ok, reading.findings
    if value is not None:
        assert reading.value == ({"title": "t", "link": "l"} if value is ... else value)
    assert code in [repair.code for repair in reading.repairs]


def test_a_tag_that_is_right_is_not_mended():
    """An answer that ends inside of a closing tag has no repair of a tag."""
    codes = [repair.code for repair in CHANNEL.read("<channel><title>t</title><link>l</li").repairs]
    assert "xml.tag" not in codes


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize(
    "text",
    [
        '<channel v="1" v="2"><title>t</title><link>l</link></channel>',
        '<channel v="1" V="2"><title>t</title><link>l</link></channel>',
        "<channel><title>t</title><link>l</link></channel><n>3</n>",
        "<n>3</n><channel><title>t</title><link>l</link></channel>",
        "<channel><title>t</title></channel><link>l</link></channel>",
        "<channel><title>t</title><link>l</link><!-- <n>3</n></channel>",
        "<channel><title>a</title>, b</title><link>l</link></channel><x/>",
    ],
)
def test_what_has_two_readings_is_refused(text, dial):
    """Two values of one attribute, members beside the document, a comment that may hold the rest: nobody guesses."""
    reading = CHANNEL.read(text, dial)
    assert reading.value in (None, {"title": "a</title>, b", "link": "l"})
    if not reading.ok:
        assert reading.findings[0].message


OUTLINES = schema(
    element("body", '<xs:element name="outline" type="O" maxOccurs="unbounded"/>')
    + '<xs:complexType name="O"><xs:sequence><xs:element name="outline" type="O" minOccurs="0" maxOccurs="unbounded"/>'
    '</xs:sequence><xs:attribute name="text" type="xs:string" use="required"/></xs:complexType>'
)
OUTLINES_RNG = RelaxNG(
    """<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><element name="body"><oneOrMore><ref name="o"/>
    </oneOrMore></element></start><define name="o"><element name="outline"><attribute name="text"/><zeroOrMore>
    <ref name="o"/></zeroOrMore></element></define></grammar>"""
)
BOOK = schema(
    element(
        "book",
        element(
            "chapter",
            '<xs:element name="title" type="xs:string"/>'
            '<xs:element name="p" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>',
        ).replace('name="chapter"', 'name="chapter" maxOccurs="unbounded"')
        + '<xs:element name="p" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>',
    )
)


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("contract", "text"),
    [
        (OUTLINES, '<body><outline text="a"><outline text="b"/></body>'),
        (OUTLINES, '<body><outline text="a"><outline text="b"></outline><outline text="c"></outline></body>'),
        (OUTLINES, '<body><outline text="a"><outline text="b"><outline text="c"/></outline></body>'),
        (OUTLINES_RNG, '<body><outline text="a"><outline text="b"/></body>'),
        (OUTLINES_RNG, '<body><outline text="a"><outline text="b"/>'),
        (BOOK, "<book><chapter><title>t</title><p>x</p><p>y</p></book>"),
    ],
)
def test_two_ways_to_nest_are_refused(contract, text, dial):
    """Where an element was left open and what follows may stand in it or behind it, that is an ambiguity."""
    reading = contract.read(text, dial)
    assert [finding.code for finding in reading.findings] == ["xml.ambiguous"]
    assert reading.findings[0].path


@pytest.mark.parametrize(
    ("contract", "text", "value"),
    [
        (OUTLINES, '<body><outline text="a"></body>', {"outline": [{"@text": "a"}]}),
        (OUTLINES, '<body><outline text="a"/><outline text="b">', {"outline": [{"@text": "a"}, {"@text": "b"}]}),
        (
            BOOK,
            "<book><chapter><title>t</title><p>a</p><chapter><title>u</title></chapter></book>",
            {"chapter": [{"title": "t", "p": ["a"]}, {"title": "u"}]},
        ),
    ],
)
def test_one_way_to_nest_is_taken(contract, text, value):
    """Where the schema leaves one nesting only, an element that was left open is closed."""
    reading = contract.read(text)
    assert (reading.value, bool(reading.repairs)) == (value, True), reading.findings


class Snippet(BaseModel):
    code: str
    note: str = ""


TEXTS = [
    "print('</code>')",
    "print('</code>\n')",
    "print('</Snippet>')",
    "a </note> b",
    "s.replace('<code>', '</code>')",
]


@pytest.mark.parametrize("text", [*TEXTS, "x = '</code><b>'", "</code> alone", "a <b>c</b> </b>", "<code>", "if a<b"])
@pytest.mark.parametrize("note", ["", "<note>n</note>", "<note>n & m</note>"])
def test_a_closing_tag_inside_of_a_text(text, note):
    """A text that holds tags is read as that text, or refused; it is never cut."""
    outcome = validate(f"<Snippet><code>{text}</code>{note}</Snippet>", Snippet, format="xml")
    said = re.sub("<.*?>", "", note)
    assert not outcome.ok or outcome.value == Snippet(code=text, note=said)
    if text in TEXTS:
        assert outcome.ok


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize("key", ["postal code", "unit price", "first last name"])
def test_a_key_with_blanks_is_not_another_key(key, dial):
    """A key that is no XML name is never read as its first word."""
    compiled = compile_contract(dict[str, str], "xml")
    reading = compiled.read(f"<{compiled.root}><a>x</a><{key}>12</{key}></{compiled.root}>", dial)
    assert reading.value in (None, {"a": "x", key: "12"})
    assert reading.ok or reading.findings[0].message


class Day(BaseModel):
    day: dt.date
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d+$")] = "AA-1"
    text: str = ""


@pytest.mark.parametrize(
    ("inner", "changed"),
    [
        ("<day> 2026-03-01 </day>", {"/Day/day"}),
        ("<day>\n  2026-03-01\n</day><code>\n AA-1\n</code><text> x </text>", {"/Day/day", "/Day/code"}),
    ],
)
def test_blanks_around_a_form(inner, changed):
    """Blanks around a date or a patterned text are left out with a repair; those of a plain text stay."""
    outcome = validate(f"<Day>{inner}</Day>", Day, format="xml")
    assert outcome.value == Day(day=dt.date(2026, 3, 1), text=" x " if "text" in inner else "")
    assert {repair.path for repair in outcome.repairs if repair.code == "value.trim"} == changed
    assert not validate(f"<Day>{inner}</Day>", Day, format="xml", reading="strict").ok


# Random damage of any kind to documents with namespaces, mixed content, attributes and wildcards.
NAMED = schema(
    element(
        "r",
        '<xs:element name="a" type="xs:string"/><xs:element name="n" type="xs:int" minOccurs="0"/>' + OTHERS,
        '<xs:attribute name="x" type="xs:int"/>' + ANY_ATTRIBUTE,
    )
    + '<xs:element name="g" type="xs:int"/>',
    'xmlns="urn:t" targetNamespace="urn:t" elementFormDefault="qualified"',
)
MIXED = schema(
    '<xs:element name="o"><xs:complexType mixed="true"><xs:choice minOccurs="0" maxOccurs="unbounded">'
    '<xs:element ref="o"/><xs:element name="b" type="xs:string"/></xs:choice><xs:attribute name="t" type="xs:string"/>'
    "</xs:complexType></xs:element>"
)
OPEN_RNG = RelaxNG(
    """<element name="r" ns="urn:t" xmlns="http://relaxng.org/ns/structure/1.0"
    datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"><optional><attribute name="x"><data type="int"/>
    </attribute></optional><element name="a"><text/></element><zeroOrMore><element><anyName><except><nsName/></except>
    </anyName><zeroOrMore><attribute><anyName/></attribute></zeroOrMore><text/></element></zeroOrMore></element>"""
)
DOCUMENTS = [
    (NAMED, '<r xmlns="urn:t" x="1"><a>t &amp; u</a><n>3</n><o:e xmlns:o="urn:o" o:k="1">z<o:f/></o:e></r>'),
    (NAMED, '<t:r xmlns:t="urn:t" xmlns:o="urn:o" o:x="7"><t:a>b</t:a><o:a>c</o:a></t:r>'),
    (
        LAX,
        '<t:r xmlns:t="urn:t"><a><t:g>3</t:g><x y="1"/></a><t:g>4</t:g><t:h q="1"/><o:z xmlns:o="urn:o" o:y="t"/></t:r>',
    ),
    (
        CHANNEL,
        '<?xml version="1.0"?>\n<!-- c -->\n<channel v="1">\r\n <title>x]]&gt;</title><link>l</link><?pi x?></channel>',
    ),
    (MIXED, '<o t="a">x<o t="b"/>y<b>z</b></o>'),
    (OPEN_RNG, '<r xmlns="urn:t" x="1"><a>t</a><o:e xmlns:o="urn:o" o:k="1">z</o:e></r>'),
    (compile_contract(Snippet, "xml"), "<Snippet><code>a &lt; b</code><note>n</note></Snippet>"),
]
PIECES = [
    "<", ">", "&", '"', "</", "/>", "<a>", "</a>", "<b>", "</b>", "<r>", "<o:a>", "o:", "t:", ' xmlns="urn:t"', ' x="1"',
    ' xmlns="urn:o"', ' xmlns:o="urn:o"', ' o:x="2"', "<!--", "-->", "<!-- a -- b -->", "<![CDATA[", "]]>", "<?pi ?>",
    '<?xml version="1.0"?>', "&nbsp;", "&#0;", "&#x110000;", "\u3000", "\u00a0", "\x07", "\ufeff", "text", "\n", " ", "3",
    ' xsi:nil="true"', "<t:g>x</t:g>", '<g xmlns="urn:t">x</g>', "<!DOCTYPE r>", "```", "<link>", "<item>", "<think>",
    "</think>", "&lt;", "\r", "\t",
]  # fmt: skip
TAG = re.compile(r"</?[^<>]*>")
ATTRIBUTE = re.compile(r' ?[\w:]+="[^"]*"')


def damaged(text, chance):
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        at = chance.randrange(len(text) + 1)
        end = min(len(text), at + chance.choice([1, 1, 2, 3, 5, 9]))
        tag, attribute = TAG.search(text, at), ATTRIBUTE.search(text, at)
        match chance.randrange(6):
            case 0:
                text = text[:at] + text[end:]
            case 1:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            case 2 if tag:
                text = text[: tag.start()] + text[tag.end() :]
            case 3 if tag:
                text = text[:at] + tag[0] + text[at:]
            case 4 if attribute:
                worse = chance.choice(["", attribute[0] * 2, attribute[0].replace('"', "")])
                text = text[: attribute.start()] + worse + text[attribute.end() :]
            case _:
                text = text[:at] + text[at:end].swapcase() + text[end:]
    return text


def assert_said(contract, text):
    strict = contract.read(text, "strict")
    careful = contract.read(text)
    if strict.ok:
        assert (careful.ok, careful.value) == (True, strict.value)
    elif careful.ok:
        assert careful.repairs, text
        assert all(repair.code and repair.message for repair in careful.repairs)
    else:
        assert all(finding.message for finding in careful.findings)


@given(document=st.sampled_from(DOCUMENTS), seed=st.integers(0, 10**9))
def test_no_acceptance_is_unsaid(document, seed):
    """Of any damaged document: careful is strict's value where strict reads, and what else it accepts has a repair."""
    contract, text = document
    assert_said(contract, damaged(text, random.Random(seed)))


@given(order=ORDERS, seed=st.integers(0, 10**9))
def test_no_acceptance_of_an_order_is_unsaid(order, seed):
    """The same of documents that are made up."""
    assert_said(ORDER, damaged(written(order, break_lines=False), random.Random(seed)))


@pytest.mark.skipif(not DATA.is_file(), reason="needs the public data in shared/data/malformed")
def test_no_acceptance_of_the_malformed_corpus_is_unsaid():
    """The same of every row of the public corpus, as it is and damaged once more."""
    import json

    for row in map(json.loads, DATA.read_text(encoding="utf-8").splitlines()):
        if "{{" in row["text"]:
            continue
        contract = XmlSchema(row["xsd"])
        assert_said(contract, row["text"])
        for seed in range(5):
            assert_said(contract, damaged(row["text"], random.Random(seed)))


WORDS = st.text(alphabet=st.sampled_from("ab <>/&'\"]=!-;#codesnipt\n"), max_size=24) | st.sampled_from(TEXTS)


@given(code=WORDS, note=st.sampled_from(["", "n", "m"]))
def test_any_text_is_read_as_itself_or_refused(code, note):
    """A text whose marks were left bare is read as that text, or refused, or differs by what the record names."""
    text = f"<Snippet><code>{code}</code><note>{note}</note></Snippet>"
    for dial in ("careful", "eager"):
        outcome = validate(text, Snippet, format="xml", reading=dial)
        if outcome.ok and not EXPLAINED & {repair.code for repair in outcome.repairs}:
            assert outcome.value.note == note
            assert outcome.value.code == STRICTLY.sub(plain, code)


# What XML itself takes for markup in a text: comments, instructions, sections, entities.
EXPLAINED = {
    "xml.extra",
    "xml.tag",
    "xml.comment",
    "xml.declaration",
    "xml.unclosed",
    "xml.attribute",
    "xml.cdata",
    "xml.entity",
    "xml.text",
}
STRICTLY = re.compile(r"<!--.*?-->|<\?.*?\?>|&(lt|gt|amp|quot|apos|#[0-9]+);", re.DOTALL)


def plain(found):
    names = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
    return names.get(found[1] or "", "")
