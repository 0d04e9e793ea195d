"""Tags that were not written as tags: quotes that never end, closing tags in another form, empty elements in a text."""

import pytest
from pydantic import BaseModel

from guards import validate


class Item(BaseModel):
    sku: str
    qty: int = 1


class Order(BaseModel):
    n: str
    items: list[Item] = []
    tags: list[str] = []
    note: str | None = None


def read(inner):
    return validate(f"<Order>{inner}</Order>", Order, format="xml")


def codes(outcome):
    return {repair.code for repair in outcome.repairs}


@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ('<n id="7>k</n><items><sku>a</sku></items><tags>t</tags>', {"items": [Item(sku="a")], "tags": ["t"]}),
        ('<n>k</n><items id="7><sku>a</sku></items><tags>t</tags>', {"items": [Item(sku="a")], "tags": ["t"]}),
        ('<n>k</n><items id="7><sku x="1">a</sku></items>', {"items": [Item(sku="a")]}),
        ("<n>k</n><note type='x>hello</note><tags>t</tags>", {"note": "hello", "tags": ["t"]}),
        ('<n>k</n><items qty="7 sku="x"/><tags>t</tags>', {"items": [Item(sku="x", qty=7)], "tags": ["t"]}),
        ('<n>k</n><note a="b>he said "hi" ok</note>', {"note": 'he said "hi" ok'}),
    ],
)
def test_a_value_without_its_closing_quote_swallows_nothing(inner, meant):
    """A value that no quote closes ends with its tag, or before the next attribute; what follows is read."""
    outcome = read(inner)
    assert (outcome.value, "xml.attribute_quotes" in codes(outcome)) == (Order(n="k", **meant), True)


@pytest.mark.parametrize(
    "inner",
    [
        '<n>k</n><items sku="7/><tags>t</tags>',
        "<n>k</n><items qty=\"7 sku='a'></items>",
        '<n>k</n><items sku="say "hi" x" qty="2"/>',
    ],
)
def test_a_value_that_may_end_in_two_places_is_refused(inner):
    """Where a value without its quotes may hold what follows, nobody knows what was meant."""
    assert [finding.code for finding in read(inner).findings] == ["xml.ambiguous"]


@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ("<n>k</n><tags>a</tags/><tags>b</tags>", {"tags": ["a", "b"]}),
        ("<n>k</n><tags>a</tags/><tags>b</tags/>", {"tags": ["a", "b"]}),
        ("<n>k</n/><tags>a</tags>", {"tags": ["a"]}),
        ('<n>k</n x="1">', {}),
        ("<n>k</n /><items><sku>a</sku/></items/>", {"items": [Item(sku="a")]}),
    ],
)
def test_a_closing_tag_in_another_form_closes(inner, meant):
    """A closing tag with attributes or the mark of an empty element closes; it is no text, and joins no items."""
    outcome = read(inner)
    assert (outcome.value, "xml.tag" in codes(outcome)) == (Order(n="k", **meant), True)


def test_an_item_whose_opening_tag_is_missing_is_refused():
    """A closing tag that stands twice may end a second item: of an element that repeats nobody knows."""
    assert [finding.code for finding in read("<n>k</n><tags>a</tags>b</tags>").findings] == ["xml.ambiguous"]
    assert read('<n>print("</n>")</n>').value == Order(n='print("</n>")')


class Named(BaseModel):
    name: str


class Parts(BaseModel):
    parts: list[str] = []
    part: str | None = None
    code: str = ""
    n: int = 0


class NamedParts(BaseModel):
    parts: list[Named] = []
    part: str | None = None


def test_empty_elements_are_no_text():
    """Elements alone inside of a text are data, empty or not, though the schema has their name elsewhere."""
    for inner in (
        '<parts><part name="a"/><part name="b"/></parts>',
        "<part><name>x</name></part>",
        "<part><parts/></part>",
    ):
        assert not validate(f"<Parts>{inner}</Parts>", Parts, format="xml").ok, inner
    text = '<NamedParts><parts><part name="a"/><part name="b"/></parts></NamedParts>'
    assert validate(text, NamedParts, format="xml").value == NamedParts(parts=[Named(name="a"), Named(name="b")])
    outcome = validate("<Parts><code>use <part/> or <n/> here</code></Parts>", Parts, format="xml")
    assert outcome.value == Parts(code="use <part/> or <n/> here")


def test_items_stay_in_the_element_that_is_closed_around_them():
    """An item that is never closed does not leave the element around it for a member of its name outside."""
    outcome = validate("<Parts><parts><part>a<part>b</parts></Parts>", Parts, format="xml")
    assert outcome.value == Parts(parts=["a", "b"])


@pytest.mark.parametrize(
    ("inner", "meant"),
    [
        ("<code><?php echo 1 && 2; ?></code>", Parts(code="<?php echo 1 && 2; ?>")),
        ('<code><?xml version="1.0"?><a/></code>', Parts(code='<?xml version="1.0"?><a/>')),
        ("<code>a</code><n><?x?>3</n>", Parts(code="a", n=3)),
    ],
)
def test_an_instruction_in_a_text_is_not_lost(inner, meant):
    """What stands in a text as an instruction to XML is refused by strict reading, and kept by careful with a record."""
    text = f"<Parts>{inner}</Parts>"
    assert not validate(text, Parts, format="xml", reading="strict").ok
    outcome = validate(text, Parts, format="xml")
    assert (outcome.value, bool(outcome.repairs)) == (meant, True)


def test_instructions_and_comments_outside_of_texts_are_passed_over():
    """Between elements an instruction is none of the document's data; in a text with markup a comment stays."""
    text = "<?xml version='1.0'?><?style a?><Parts><?x y?><code>a <!-- b --> c</code></Parts>"
    assert validate(text, Parts, format="xml", reading="strict").value == Parts(code="a  c")
    outcome = validate("<Parts><code>x <!-- keep --> <b>y</b></code></Parts>", Parts, format="xml")
    assert outcome.value == Parts(code="x <!-- keep --> <b>y</b>")


@pytest.mark.parametrize("text", ['see <a href="x"y">z</a>', "see <img alt=\"7 src='a'> here"])
def test_a_strange_tag_in_a_text_need_not_be_understood(text):
    """A tag that the schema does not know is a part of the text around it, however its quotes stand."""
    assert read(f"<n>k</n><note>{text}</note>").value == Order(n="k", note=text)
