"""Texts of broken XML answers: nothing is lost from them, nothing gets into them, and where both is possible they are
refused."""

from typing import Any, Literal

import pytest
from lxml import etree
from pydantic import BaseModel

from guards import contract, validate
from guards.contracts import XmlSchema
from guards.contracts.xml.data_as_xml import DataAsXml


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
    return validate(
        inner if inner.startswith("<Note") or "</Note>" in inner else f"<Note>{inner}</Note>", contract, format="xml"
    )


def meant(inner: str, **values: Any) -> None:
    """Both the type and its twin in XML Schema read these values, with a record."""
    for form in (Note, TWIN):
        outcome = read(inner, form)
        assert outcome.ok, (inner, outcome.findings)
        found = outcome.value.model_dump(exclude_defaults=True) if form is Note else outcome.value
        assert {key: value for key, value in found.items() if value is not None} == values, inner
        assert outcome.repairs


def refused(inner: str, codes: list[str] = AMBIGUOUS) -> None:
    for form in (Note, TWIN):
        assert [finding.code for finding in read(inner, form).findings] == codes, inner


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


class Tree(BaseModel):
    title: str
    kids: list["Tree"] = []


def test_an_element_inside_of_its_own_kind_is_closed_without_a_record():
    """A proper closing tag of a recursive type is no repair."""
    kid = "<kids><title>x</title><kids><title>y</title></kids></kids>"
    outcome = validate(f"<Tree><title>a & b</title>{kid}</Tree>", Tree, format="xml")
    assert outcome.value == Tree(title="a & b", kids=[Tree(title="x", kids=[Tree(title="y")])])
    assert [repair.code for repair in outcome.repairs] == ["xml.ampersand"]


@pytest.mark.parametrize(
    "inner",
    [
        "</title>A<title><body>b</body>",
        "<title>A</title></n>5<n>",
        "<title>A</title></tags>b<tags>",
        "<title>A</title></n> hello <body>b</body>",
        "<title>A</body><body>b</title>",
        "<title>A</body>\n<n>5</title>",
    ],
)
def test_swapped_tags_are_refused(inner):
    """Words behind a tag that closes nothing are no prose, and the tags of two siblings no text of the first."""
    refused(inner)


def test_a_tag_that_closes_nothing_is_still_left_out():
    """Where no words stand beside it nothing can be lost, and in a text that is closed it is a part of the text."""
    meant("<title>A</title></n><body>b</body>", title="A", body="b")
    meant("<title>write </p><p> or </body></title>", title="write </p><p> or </body>")


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str
    tricks: list[str] = []
    friend: "Cat | Dog | None" = None


class Zoo(BaseModel):
    name: str | None = None
    pets: list[Cat | Dog] = []
    star: Cat | str | None = None


MARKED = ["text</p>", "</p>", "List<String>", "Bob <bob@x.org>", "a <b>c</b> d", "if (a<b && c>d) {}", "('</name>')"]


@pytest.mark.parametrize("text", MARKED)
def test_a_text_in_a_member_of_a_union_is_whole(text):
    """A text is read the same in a plain model, in a member of a union, and in one inside of that."""
    plain = validate(f"<Dog><name>{text}</name><kind>dog</kind></Dog>", Dog, format="xml")
    assert plain.value == Dog(name=text, kind="dog")
    inner = f"<kind>dog</kind><name>{text}</name><tricks>a & b</tricks><tricks>{text}</tricks>"
    friend = "<friend><name>x</name><kind>cat</kind></friend>"
    outcome = validate(f"<Zoo><pets>{inner}{friend}</pets><pets><Dog>{inner}</Dog></pets></Zoo>", Zoo, format="xml")
    first = Dog(name=text, kind="dog", tricks=["a & b", text], friend=Cat(name="x", kind="cat"))
    assert not outcome.ok or outcome.value.pets[0] == first
    outcome = validate(f"<Zoo><pets>{inner}{friend}</pets></Zoo>", Zoo, format="xml")
    assert outcome.ok, outcome.findings
    assert outcome.value.pets == [first]


def test_an_unclosed_text_in_a_member_of_a_union_ends_before_its_layout():
    """Though the type around the union has a member of that name, too."""
    outcome = validate("<Zoo><pets><kind>cat</kind><name>true\n </pets></Zoo>", Zoo, format="xml")
    assert outcome.value == Zoo(pets=[Cat(kind="cat", name="true")])


def test_half_a_member_of_a_union_is_none():
    """Of a union nothing tells what else a member that was cut off would have held, though its children are known."""
    half = "<pets><kind>dog</kind><name>y</name><tricks>t</tricks>"
    outcome = validate(f"<Zoo><pets><kind>cat</kind><name>x</name></pets>{half}", Zoo, format="xml")
    assert outcome.value == Zoo(pets=[Cat(kind="cat", name="x")])
    assert "xml.truncated" in {repair.code for repair in outcome.repairs}


def test_the_schema_of_a_union_holds_for_other_tools():
    """The XML Schema of a type with unions compiles, and takes each member in the order of its type."""
    schema = etree.XMLSchema(etree.fromstring(DataAsXml(contract(Zoo)).xsd()))
    dog = "<pets><kind>dog</kind><name>x</name><tricks>a</tricks><friend><kind>cat</kind><name>y</name></friend></pets>"
    assert schema.validate(etree.fromstring(f"<Zoo><name>z</name>{dog}<star>text</star></Zoo>"))
    assert not schema.validate(etree.fromstring("<Zoo><pets><strange/></pets></Zoo>"))


class Bird(BaseModel):
    name: str
    kind: Literal["bird"]


class Aviary(BaseModel):
    pet: Cat | Bird


def test_members_of_a_union_may_differ_in_their_order():
    """Members whose children stand in different orders are read in either."""
    etree.XMLSchema(etree.fromstring(DataAsXml(contract(Aviary)).xsd()))
    for pet in ("<name>a<b</name><kind>bird</kind>", "<kind>bird</kind><name>a<b</name>"):
        outcome = validate(f"<Aviary><pet>{pet}</pet></Aviary>", Aviary, format="xml")
        assert outcome.value == Aviary(pet=Bird(name="a<b", kind="bird"))


@pytest.mark.parametrize("tag", ["<\\/{}>", "/{}>", "<\\{}>", "[/{}]", "(/{})", "\\/{}>", "< \\/{}>"])
@pytest.mark.parametrize("layout", ["", "\n  "])
def test_a_closing_tag_without_some_of_its_marks_is_no_text(tag, layout):
    """What is left of the closing tag of an element that is never closed does not stay in its text."""
    title, tags = (f"<{name}>Bob{tag.format(name)}{layout}" for name in ("title", "tags"))
    meant(title, title="Bob")
    meant(f"{title}<body>b</body>{tags}<tags>c</tags>", title="Bob", body="b", tags=["Bob", "c"])


def test_closing_tags_escaped_as_in_json():
    """A whole document may have them; in a text that is closed they are a part of it."""
    assert read("<Note><title>A<\\/title><body>b &amp; c<\\/body><\\/Note>").value == Note(title="A", body="b & c")
    meant("<title>say <\\/b> twice</title><n>1</n>", title="say <\\/b> twice", n=1)


def test_what_may_be_the_end_of_a_closing_tag_is_refused():
    """Where a part of its name is left, nobody knows how much of the text belongs to it."""
    refused("<title>Boble>")
    refused("<title>A</title><body>x title body>")
    refused("<title>a List<Title>")
    refused("<title>A&lt;/title&gt;<body>b</body>")
    meant("<title>a List<Entitle>", title="a List<Entitle>")
    meant("<title>&lt;title&gt;\n<body>b</body>", title="<title>", body="b")


def test_words_behind_a_value_without_quotes_are_refused():
    """They may belong to it; a name that the schema has is the next attribute, and a value of one word is read."""
    refused("<Note title=Hello World n=4></Note>")
    refused("<Note title=Hello checked/>")
    meant("<Note title=Hello n=4></Note>", title="Hello", n=4)
    assert read("<title>see <a href=x y z>here</a></title>").value == Note(title="see <a href=x y z>here</a>")


def test_a_document_type_in_a_text_is_a_part_of_it():
    """It is kept where the text is words, left out of a number, and never taken for more than its element holds."""
    meant(
        "<title>A</title><body>Start with <!DOCTYPE html> & then</body>",
        title="A",
        body="Start with <!DOCTYPE html> & then",
    )
    meant("<title>A</title><body><!DOCTYPE [ & so</body><n>5</n>", title="A", body="<!DOCTYPE [ & so", n=5)
    meant("<title>A</title><n><!DOCTYPE html>5</n>", title="A", n=5)


@pytest.mark.parametrize("declaration", ["<!DOCTYPE x SYSTEM 'a'>", "<!DOCTYPE x [<!ENTITY a 'b'>]>"])
def test_a_document_type_with_more_is_refused_wherever_it_stands(declaration):
    """One that declares entities or names something outside is refused inside of the root as before it."""
    for inner in (
        f"<title>A</title>{declaration}<body>& b</body>",
        f"<title>A</title><body>x {declaration} & b</body>",
    ):
        refused(inner, ["xml.doctype"])


def test_two_values_for_one_member_are_refused():
    """An attribute and an element that say different things are not settled; the same said twice counts once."""
    refused('<Note title="A"><title>B & C</title></Note>')
    refused('<Note tags="a"><title>B & C</title><tags>c</tags></Note>')
    meant('<Note n="5"><title>B & C</title><n>5</n></Note>', title="B & C", n=5)


@pytest.mark.parametrize(
    "words", ["body: text", '"body": "text",', "body> text", "body = text", "- **body**: text", "tags: c"]
)
def test_a_member_that_is_written_as_words_is_not_set_aside(words):
    """What stands between elements by the name of a member that is not there, or may repeat, is no prose."""
    refused(f"<title>A & B</title><tags>b</tags>{words}<n>1</n>", ["xml.syntax"])


def test_prose_between_elements_is_set_aside():
    """A label with nothing behind it, words that name a member, and the name of one that is there lose nothing."""
    meant("Here are the tags:<title>A</title><tags>b</tags>", title="A", tags=["b"])
    meant("<title>A</title>The body follows, title: A<n>1</n>", title="A", n=1)


@pytest.mark.parametrize("mark", ["&am", "&lt", "&#1", "&", "<![CDA", "<![CDATA", "<!", "<!-", "<", "<![CDATA[]]"])
def test_half_a_mark_at_the_end_of_an_answer_is_no_text(mark):
    """What the end of the answer left of an entity or a tag is left out, on record."""
    meant(f"<Note><title>A</title><body>b {mark}", title="A", body="b ")
    outcome = read(f"<Note><title>A</title><body>b</body>{mark}")
    assert outcome.value == Note(title="A", body="b")
    if "[]" not in mark:
        assert "xml.truncated" in {repair.code for repair in outcome.repairs}


def test_a_member_in_another_case_is_not_lost():
    """An optional member whose name is written in another case is read, on record, and refused by strict reading."""
    for name in ("Tags", "TAGS"):
        inner = f"<title>A</title><{name}>b</{name}><Body>c</Body>"
        outcome = read(inner)
        assert outcome.value == Note(title="A", tags=["b"], body="c")
        assert {repair.code for repair in outcome.repairs} == {"xml.name"}
        assert not validate(f"<Note>{inner}</Note>", Note, format="xml", reading="strict").ok


def test_tags_that_cross_are_refused():
    """An element that begins in a text and ends behind it is no part of the text."""
    refused("<title>x <body>y</title> z</body>")
    refused("<title>see <body>it</body> here\n<n>5</n>")
    meant("<title>A\n<body>b</body>\nprose\n<n>5</n>", title="A", body="b", n=5)
    meant("<title>A<body>b</body>\n", title="A", body="b")
    refused("<title>\n  <Note>A</title><body>b</body></Note>")
    meant("<title>write <body> here</title><body>b</body>", title="write <body> here", body="b")
    meant("<title>a<n</title><body>b</body></n>", title="a<n", body="b")


def test_the_closing_tag_of_the_root_may_lack_its_marks():
    """Nothing but the root can be meant by its name, so that what is left of the tag is neither a part nor a fault."""
    for end in ("<Note/>", "<\\Note>", "/Note>", "<\\Note>\nHope it helps."):
        assert read(f"<Note><title>A</title>\n{end}").value == Note(title="A")
    for tree, ok in (("<title>B</title>/kids>", True), ("<title>B</title>/kids><kids><title>C</title></kids>", False)):
        outcome = validate(f"<Tree><title>A</title><kids>{tree}</Tree>", Tree, format="xml")
        assert outcome.value == (Tree(title="A", kids=[Tree(title="B")]) if ok else None)
