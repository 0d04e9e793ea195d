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
