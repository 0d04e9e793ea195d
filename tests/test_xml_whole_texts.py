"""Texts of broken XML answers: nothing is lost from them, nothing gets into them, and where both is possible they are
refused."""

from typing import Any

import pytest
from pydantic import BaseModel

from guards import validate
from guards.contracts import XmlSchema


class Note(BaseModel):
    title: str
    body: str | None = None
    tags: list[str] = []
    n: int | None = None


TWIN = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Note"><xs:complexType><xs:sequence>
    <xs:element name="title" type="xs:string"/><xs:element name="body" type="xs:string" minOccurs="0"/>
    <xs:element name="tags" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="n" type="xs:integer" minOccurs="0"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)
AMBIGUOUS = ["xml.ambiguous"]


def read(inner: str, contract: Any = Note) -> Any:
    return validate(inner if inner.startswith("<Note") else f"<Note>{inner}</Note>", contract, format="xml")


def meant(inner: str, **values: Any) -> None:
    """Both the type and its twin in XML Schema read these values, with a record."""
    for contract in (Note, TWIN):
        outcome = read(inner, contract)
        assert outcome.ok, (inner, outcome.findings)
        found = outcome.value.model_dump(exclude_defaults=True) if contract is Note else outcome.value
        assert {key: value for key, value in found.items() if value is not None} == values, inner
        assert outcome.repairs


def refused(inner: str, codes: list[str] = AMBIGUOUS) -> None:
    for contract in (Note, TWIN):
        assert [finding.code for finding in read(inner, contract).findings] == codes, inner


@pytest.mark.parametrize("markup", ["<b>it</b>", "<br/>", "<br>", "<i>a</i> and <b>c</b>"])
def test_markup_among_words_does_not_end_a_text(markup):
    """Of an element that is never closed the words behind markup that nobody knows are a part, as the markup is."""
    meant(f"<title>use {markup} here\n<body>b</body>", title=f"use {markup} here", body="b")
    meant(f"\n<title>A</title>\n<body>one {markup} three\n", title="A", body=f"one {markup} three")
    assert not read(f"<Note><title>use {markup} here").ok


@pytest.mark.parametrize("text", ["use <b>it</b>", "A<extra>x</extra>", "A\n<extra>x</extra> more", "A <br/>"])
def test_markup_at_the_end_of_a_text_that_is_never_closed_is_refused(text):
    """Whether an element is the end of a text or stands behind it is not guessed; on a line of its own it is behind."""
    refused(f"<title>{text}\n<body>b</body>")
    assert read("<title>A\n<extra>x</extra>\n<body>b</body>").value == Note(title="A", body="b")


@pytest.mark.parametrize("end", ["", "]", "]>", "]]", "] ]>", "]]&gt;", "]] >"])
def test_a_cdata_section_without_its_end_stays_in_its_element(end):
    """One that is never ended, or by half a mark, ends with its element, though another one follows; the mark is no
    text."""
    body = f"<body><![CDATA[x &{end}</body>"
    meant(f"<title>A</title>{body}<tags><![CDATA[t]]></tags><n>5</n>", title="A", body="x &", tags=["t"], n=5)
    meant(f"<title>A</title>{body}", title="A", body="x &")


@pytest.mark.parametrize("mark", ["<!CDATA[", "<[CDATA[", "[CDATA[", "<!CDATA[[", "<! [CDATA ["])
def test_half_a_mark_begins_a_cdata_section(mark):
    """A section whose first mark is not whole is read where a text begins with it, and refused among words."""
    meant(f"<title>A</title><body>{mark}a < b]]></body><n>5</n>", title="A", body="a < b", n=5)
    if "[CDATA [" not in mark:
        refused(f"<title>A</title><body>write {mark}x]]> & so</body>")
        assert read(f"<title>A</title><body>write {mark} & so</body>").value.body == f"write {mark} & so"


def test_brackets_of_a_cdata_section_stay():
    """Brackets that are a pair within the data are no end of it, and where both may be it is refused."""
    meant("<title>A</title><body><![CDATA[a[b[0]]</body>", title="A", body="a[b[0]]")
    meant("<title>A</title><body><![CDATA[see [1]</body>", title="A", body="see [1]")
    refused("<title>A</title><body><![CDATA[a[0]]</body>")
    refused("<title>A & B</title><tags><![CDATA[a</tags><tags><![CDATA[b]]></tags>")
    whole = "<title>A & B</title><body><![CDATA[a</body> b]]></body>"
    meant(whole, title="A & B", body="a</body> b")


@pytest.mark.parametrize(
    ("inner", "values"),
    [
        ("<title>A</title><tags>b<tags>", {"title": "A", "tags": ["b"]}),
        ("<title>A</title><tags>b<tags/>", {"title": "A", "tags": ["b"]}),
        ("<title>A</title><tags>b<tags><n>5<n>", {"title": "A", "tags": ["b"], "n": 5}),
        ("<title>A</title><tags>a<tags><tags>b<tags/>", {"title": "A", "tags": ["a", "b"]}),
        ("<title>A<title/><body>b<body>", {"title": "A", "body": "b"}),
        ("<title>A</title><tags><tags>b</tags>", {"title": "A", "tags": ["b"]}),
        ("<title>A</title>\n<tags>\n  <tags>b</tags>\n  <tags>c</tags>\n", {"title": "A", "tags": ["b", "c"]}),
        ("<title><title>A</title>", {"title": "A"}),
        ("<title>A</title><tags>b<tags>c</tags>", {"title": "A", "tags": ["b", "c"]}),
        ("<title>A</title><tags>b\n<tags>c\n<tags><i>d</i> e</tags>", {"title": "A", "tags": ["b", "c", "<i>d</i> e"]}),
    ],
)
def test_a_tag_without_its_mark_invents_no_empty_item(inner, values):
    """An opening tag directly behind words is the closing one, and one that stands twice opens one element."""
    meant(inner, **values)


@pytest.mark.parametrize(
    "inner",
    [
        "<title>A</title><tags>b<tags></tags>",
        "<title>A</title><tags>a\n<tags>b\n<tags>\n",
        "<title>A</title><tags><tags/>",
        "<title>A</title><tags>b\n<tags/>\n",
    ],
)
def test_an_empty_item_that_may_be_a_closing_tag_is_refused(inner):
    """Where a tag may as well begin an empty item nobody knows which was meant."""
    refused(inner)


class Loose(BaseModel):
    sku: str | None = None


class Order(BaseModel):
    items: list[Loose] = []


def test_an_empty_object_is_not_invented_either():
    """The same holds for items that hold elements, all of which may be left out."""
    for inner in ("<items><sku>a</sku><items>", "<items><sku>a</sku><items/>"):
        outcome = validate(f"<Order>{inner}</Order>", Order, format="xml")
        assert [finding.code for finding in outcome.findings] == AMBIGUOUS
    doubled = validate("<Order><items><items><sku>a</sku></items></Order>", Order, format="xml")
    assert doubled.value == Order(items=[Loose(sku="a")])
    listed = validate("<Order><items><sku>a</sku><items><sku>b</sku></Order>", Order, format="xml")
    assert listed.value == Order(items=[Loose(sku="a"), Loose(sku="b")])
