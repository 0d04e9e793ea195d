"""Kinds of XML answers that were read as something they do not say, or refused though they can be read in one way."""

import math
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from guards import Fix, Guarded, Raise, Reply, check, validate
from guards.contracts import RelaxNG, XmlSchema


class Post(BaseModel):
    name: str
    tags: list[str]


class Loose(BaseModel):
    name: str
    tags: list[str] = []
    zip_code: str | None = None


class Scores(BaseModel):
    scores: list[int]


class Line(BaseModel):
    sku: str
    qty: int


class Cart(BaseModel):
    id: int
    lines: list[Line]


class Answer(BaseModel):
    answer: str
    lang: str = "en"


class Person(BaseModel):
    name: str
    age: int


XS = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"'
LINES = [Line(sku="a", qty=1), Line(sku="b", qty=2)]
POST = {"name": "a", "tags": ["x", "y"]}


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "inner", "value"),
    [
        (Post, "<name>a</name><tags><tag>x</tag><tag>y</tag></tag>", POST),
        (Post, "<name>a</name><tags><tag>x<tag>y</tags>", POST),
        (Post, "<name>a</name><tags><tag>x</tag>, <tag>y</tag></tags>", POST),
        (Post, "<name>a</name><tags>- <li>x</li>\n- <li>y</li></tags>", POST),
        (
            Cart,
            "<id>1</id><lines><line><sku>a</sku><qty>1</qty></line><line><sku>b</sku><qty>2</qty></lines>",
            {"id": 1, "lines": LINES},
        ),
        (Person, '<name value="Ana"/><age value="3"/>', {"name": "Ana", "age": 3}),
        (Loose, "<name>a</name><zip code>12</zip code>", {"name": "a", "zip_code": "12"}),
        (Loose, "<name>a</name><zip code>12</zip_code>", {"name": "a", "zip_code": "12"}),
        (Answer, "<answer>print('</answer>')</answer>", {"answer": "print('</answer>')"}),
        (Answer, "<answer>a</Answer> b</answer><lang>de</lang>", {"answer": "a</Answer> b", "lang": "de"}),
    ],
)
def test_what_can_be_read_in_one_way_is_read(kind, inner, value, dial):
    """Items that are not closed or stand between commas, values in attributes, blanks in names, a field called as its
    class: read as what they say, with a repair, and refused by strict reading."""
    text = f"<{kind.__name__}>{inner}</{kind.__name__}>"
    outcome = validate(text, kind, format="xml", reading=dial)
    assert (outcome.value, bool(outcome.repairs)) == (kind(**value), True), outcome.findings
    assert not validate(text, kind, format="xml", reading="strict").ok


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "inner"),
    [
        (Post, '<name>a</name><tags tag="x"/>'),
        (Post, "<name>a</name><tags>Here: <tag>x</tag></tags>"),
        (Post, "<name>a</name><tags><tag/></tags>"),
        (Scores, "<scores><score></score></scores>"),
        (Person, '<name first="Ana"/><age>3</age>'),
        (Person, '<name>Ana</name><age years="3"/>'),
        (dict[str, str], "<postal code>12</postal code>"),
        (dict[str, str], "<a>1</a><a>2</a>"),
    ],
)
def test_what_is_said_otherwise_is_not_nothing(kind, inner, dial):
    """A value in an attribute of any name, words beside items, an empty item and a key that is no name are refused:
    they are no empty text, no empty list and no other key."""
    name = "answer" if kind == dict[str, str] else kind.__name__
    outcome = validate(f"<{name}>{inner}</{name}>", kind, format="xml", reading=dial)
    assert not outcome.ok
    assert all(finding.message for finding in outcome.findings)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Post, "<Post><name>a</name><tags><tag>x</tag><tag>y", None),
        (Post, "<Post><name>a</name><tags>x</tags><tags>y", None),
        (Post, "<Post><name>a</name><tags><tag>x</tag><tag>y</tag>", POST),
        (Loose, "<Loose><name>a</name><tags>x</tags><tags>y", {"name": "a", "tags": ["x"]}),
        (Loose, "<Loose><name>a</name><tags><tag>x", {"name": "a"}),
        (list[Line], "<answer><Line><sku>a</sku><qty>1</qty></Line><Line><sku>b</sku><qty>2", None),
    ],
)
def test_an_item_that_was_cut_off_is_left_out(kind, text, value):
    """Of a list that may be missing the item that the end cut through is left out, with a repair; else refused."""
    outcome = validate(text, kind, format="xml")
    if value is None:
        assert [finding.code for finding in outcome.findings] == ["xml.truncated"]
    else:
        assert outcome.value == kind(**value), outcome.findings
        assert "xml.truncated" in [repair.code for repair in outcome.repairs]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<Loose><name>a</name>", False),
        ("<name>a</name>", False),
        ("<Loose><name>a</name><tags>x</tags><tags>y", False),
        ("<Loose><name>a</name></Loose>", True),
        ("<Loose><name>a & b</name></Loose> and", True),
    ],
)
def test_where_the_client_says_length_only_a_closed_document_is_delivered(text, told):
    """What the token limit may have cut off is refused, though the contract could do without it."""
    ticket = Guarded(Loose, format="xml", on_fail=Raise())
    outcome = ticket.run(lambda messages: Reply(text, finish_reason="length"), "?")
    assert outcome.ok == told
    assert told or outcome.findings[0].code == "xml.truncated"
    assert ticket.run(lambda messages: text, "?").ok


MIXED = XmlSchema(
    f"""{XS}><xs:element name="p"><xs:complexType mixed="true"><xs:sequence><xs:element name="b" type="xs:string"
    minOccurs="0"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)
AUTHORS = RelaxNG(
    """<element name="book" xmlns="http://relaxng.org/ns/structure/1.0"><zeroOrMore><element name="author"><text/>
    </element></zeroOrMore></element>"""
)


@pytest.mark.parametrize(
    ("contract", "text", "value"),
    [
        (MIXED, "<p>one <b>two</b> thr", None),
        (MIXED, "<p>one <b>two</b>", {"#text": "one ", "b": "two"}),
        (AUTHORS, "<book><author>a</author><author>b", {"author": ["a"]}),
    ],
)
def test_half_a_text_is_no_text(contract, text, value):
    """Text of mixed content and of a repeated element that the end cut through is not delivered as if it were whole."""
    reading = contract.read(text)
    assert (reading.value, reading.ok) == (value, value is not None)
    assert "xml.truncated" in [one.code for one in (reading.repairs or reading.findings)] or value == {
        "#text": "one ",
        "b": "two",
    }


PERSON = "<Person><name>A &amp; B</name><age>3</age></Person>"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@pytest.mark.parametrize(
    "text",
    [
        escaped(PERSON),
        escaped(PERSON).replace("&lt;", "&#60;").replace("&gt;", "&#x3E;"),
        escaped(PERSON.replace("Person", "person")),
        f"<answer>{escaped(PERSON)}</answer>",
        f"<![CDATA[{PERSON}]]>",
        f"<response>\n<![CDATA[{PERSON}]]>\n</response>",
        f"Here it is:\n{escaped(PERSON)}",
    ],
)
def test_a_document_in_escapes(text):
    """A document that is escaped as a whole, or stands in one CDATA section, is read as what was escaped."""
    outcome = validate(text, Person, format="xml")
    assert outcome.value == Person(name="A & B", age=3), outcome.findings
    assert outcome.repairs[0].code == "xml.encoded"
    assert not validate(text, Person, format="xml", reading="strict").ok


def test_a_root_in_other_letters_has_a_repair():
    """A root that differs by case alone is read, and recorded as another spelling."""
    outcome = validate("<person><name>Ana</name><age>3</age></person>", Person, format="xml")
    assert outcome.value == Person(name="Ana", age=3)
    assert [(repair.code, repair.path) for repair in outcome.repairs] == [("xml.name", "/Person")]


FEED = XmlSchema(
    f"""{XS}><xs:element name="feed"><xs:complexType><xs:sequence><xs:element name="title" type="xs:string"/>
    <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    </xs:complexType></xs:element></xs:schema>"""
)


def test_what_no_wildcard_takes_is_left_out():
    """An element that neither the schema nor its wildcard knows is left out with its text on record, as everywhere."""
    reading = FEED.read("<feed><title>t</title><language>en</language></feed>")
    assert (reading.value, [repair.code for repair in reading.repairs]) == ({"title": "t"}, ["xml.extra"])
    reading = FEED.read('<feed xmlns:o="urn:o"><title>t</title><o:language>en</o:language></feed>')
    assert (reading.value, reading.repairs) == ({"title": "t", "language": ["en"]}, ())


MEASURE = XmlSchema(
    f"""{XS}><xs:element name="m"><xs:complexType><xs:simpleContent><xs:extension base="xs:double">
    <xs:attribute name="f" type="xs:float"/></xs:extension></xs:simpleContent></xs:complexType></xs:element></xs:schema>"""
)


@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
@pytest.mark.parametrize(
    ("written", "near"), [("1e-400", None), ("1e400", None), ("0e9", 0.0), ("-INF", -math.inf), ("1", 1)]
)
def test_a_float_that_nothing_comes_near_to(written, near, dial):
    """A number that would become zero or infinite is refused at its place; zero and INF that are written are not."""
    reading = MEASURE.read(f"<m>{written}</m>", dial)
    assert (reading.ok, reading.value) == (near is not None, None if near is None else {"#text": near})
    if near is None:
        assert [(f.code, f.path) for f in reading.findings] == [("schema.type", "/m")]
        assert MEASURE.read(f'<m f="{written}">1</m>', dial).findings[0].path == "/m/@f"


class Price(BaseModel):
    price: Decimal
    note: str


@check
def short(value: Any, context: Any) -> Any:
    from guards import Finding

    return Finding("note.long", "too long", fix="ok") if value != "ok" else None


def test_a_fix_beside_an_exact_number():
    """A part is changed in an answer that holds a number no float keeps."""
    text = "<Price><price>12345678901234567890.5</price><note>long</note></Price>"
    outcome = Guarded(Price, format="xml", guards=[short.on("/Price/note")], on_fail=Fix()).validate(text)
    assert outcome.value == Price(price=Decimal("12345678901234567890.5"), note="ok"), outcome.findings
