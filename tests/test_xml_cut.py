"""XML answers that end too early: half a value is never taken for a whole one, and nothing is made of a bare tag."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from guards import validate
from guards.contracts import XmlSchema


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Entry(BaseModel):
    name: str
    amount: Decimal | None = None
    either: int | str | None = None
    option: Literal["a", "ab"] | int | None = None
    flag: int | bool | None = None
    moment: datetime | None = None
    clock: time | None = None
    span: timedelta | None = None
    code: Annotated[str, Field(pattern="^[a-z]+$")] | None = None
    note: str | None = None
    pet: Cat | Dog | None = None
    cat: Cat | None = None
    free: Any = None
    toys: list[Any] = []
    counts: dict[str, int] = {}


BARE = Entry(name="k")
LEAVES = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="o"><xs:complexType><xs:sequence>
    <xs:element name="moment" type="xs:dateTime" minOccurs="0"/>
    <xs:element name="span" type="xs:duration" minOccurs="0"/>
    <xs:element name="bytes" type="xs:base64Binary" minOccurs="0"/>
    <xs:element name="code" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[0-9]+"/>
    </xs:restriction></xs:simpleType></xs:element>
    <xs:element name="list" minOccurs="0"><xs:simpleType><xs:list itemType="xs:string"/></xs:simpleType></xs:element>
    <xs:element name="union" minOccurs="0"><xs:simpleType><xs:union memberTypes="xs:int xs:string"/></xs:simpleType>
    </xs:element><xs:element name="any" minOccurs="0"><xs:complexType><xs:sequence>
    <xs:any minOccurs="0" processContents="lax"/></xs:sequence></xs:complexType></xs:element>
    </xs:sequence></xs:complexType></xs:element></xs:schema>"""
)


@pytest.mark.parametrize(
    "end",
    [
        "<amount>12.7",
        "<either>12",
        "<option>a",
        "<flag>1",
        "<moment>2024-01-01T10:11",
        "<clock>10:11",
        "<span>PT1",
        "<code>ab",
        "<note>",
        "<pet>",
        "<pet><kind>cat</kind>",
        "<cat>",
        "<free>",
        "<free><a>1</a>",
        "<free><a>1",
        '<counts><entry key="a">1',
        "<counts>",
        "<toys>",
    ],
)
def test_half_a_value_is_left_out(end):
    """What the end cut off is left out with a record wherever half of it is another value, and nothing is invented."""
    outcome = validate(f"<Entry><name>k</name>{end}", Entry, format="xml")
    assert (outcome.value, "xml.truncated" in {repair.code for repair in outcome.repairs}) == (BARE, True)


@pytest.mark.parametrize(
    "end",
    [
        "<moment>2024-01-01T10:11:12",
        "<span>P1Y",
        "<bytes>YWJj",
        "<code>12",
        "<list>a b",
        "<union>12",
        "<any>",
        "<any><z>1</z>",
        "<any><z>",
    ],
)
def test_half_a_value_of_a_schema_is_left_out(end):
    """The same holds for the types of XML Schema: of formats, patterns, lists and unions half is another value."""
    reading = LEAVES.read(f"<o>{end}")
    assert (reading.value, "xml.truncated" in {repair.code for repair in reading.repairs}) == ({}, True)


def test_a_whole_value_before_the_end_is_kept():
    """A value whose closing tag has begun is whole, half a plain text is kept on record, and items before are kept."""
    for end, meant in (
        ("<amount>12.7</", {"amount": Decimal("12.7")}),
        ("<note>some te", {"note": "some te"}),
        ("<toys>a</toys><toys>", {"toys": ["a"]}),
        ("<cat><kind>cat</kind>", {"cat": Cat()}),
    ):
        outcome = validate(f"<Entry><name>k</name>{end}", Entry, format="xml")
        assert outcome.value == BARE.model_copy(update=meant), end


def test_a_bare_root_is_no_answer():
    """An answer cut off behind its first tag is refused, though every member has a default."""
    outcome = validate("<Cat>", Cat, format="xml")
    assert [finding.code for finding in outcome.findings] == ["xml.truncated"]
    assert validate("<Cat/>", Cat, format="xml").value == Cat()


@pytest.mark.parametrize(
    ("text", "note", "prose"),
    [
        ("```xml\n<Entry><name>k</name><note>some text\n```", "some text", None),
        ("```xml\n<Entry><name>k</name><note>some text```", "some text", None),
        ("~~~\n<Entry><name>k</name><note>some text\n~~~\nHope it helps.", "some text", "Hope it helps."),
        (
            "```xml\n<Entry><name>k</name><note>a\n```py\nx\n```\n</note></Entry>\n```",
            "a\n```py\nx\n```\n",
            None,
        ),
    ],
)
def test_the_fence_around_an_answer_is_no_part_of_its_last_text(text, note, prose):
    """The end of a code fence is set aside before a text that never ends is read; fences inside of a text stay."""
    outcome = validate(text, Entry, format="xml")
    before = {repair.code: repair.before for repair in outcome.repairs}
    assert (outcome.value, before.get("text.prose")) == (BARE.model_copy(update={"note": note}), prose)
    assert "text.fence" in before
