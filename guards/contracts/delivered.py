"""What becomes of a document's numbers in the data that is delivered: no Decimal, and nothing rounded to an integer.

A document holds each number as it was written; a JSON Schema judges that. Delivered is an int where the schema asks for
a number and a whole one was written, however it was written (`37.0`, `1e23`); else the nearest float.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from guards.findings import MOST_LISTED, Finding, listed
from guards.reading.document import Document, leaves
from guards.reading.guide import ANY, Guide
from guards.reading.numbers import OUT_OF_RANGE, as_whole, fits_float

__all__ = ["delivered", "in_floats", "odd_numbers", "out_of_range", "shown"]


def odd_numbers(data: Any) -> bool:
    """Whether data holds a Decimal, or a whole number as a float."""
    waiting = [data]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is dict:
            waiting += node.values()
        elif kind is list:
            waiting += node
        elif kind is Decimal or (kind is float and node.is_integer()):
            return True
    return False


def out_of_range(document: Document) -> tuple[Finding, ...]:
    """A finding for each number that no float can hold."""
    far = [place for place, held in leaves(document.data) if isinstance(held, Decimal) and not fits_float(held)]
    shown = [Finding("json.syntax", OUT_OF_RANGE, document.path(place)) for place in far[:MOST_LISTED]]
    return listed(shown, len(far) - len(shown))


def delivered(data: Any, guide: Guide) -> Any:
    """The data as plain data, as it is delivered."""
    if isinstance(data, dict):
        return {key: delivered(held, _member(guide, key)) for key, held in data.items()}
    if isinstance(data, list):
        return [delivered(item, guide.element(index)) for index, item in enumerate(data)]
    if isinstance(data, float) and "integer" in guide.kinds != ANY.kinds:
        whole = as_whole(data)
        return data if whole is None else whole
    return shown(data)


def shown(value: Any) -> Any:
    """One value without a Decimal: an int where it is whole, else the nearest float."""
    if not isinstance(value, Decimal):
        return value
    whole = as_whole(value)
    return float(value) if whole is None else whole


def _member(guide: Guide, key: str) -> Guide:
    for option in guide.options:
        if key in option.names:
            return option.names[key]
    return guide.names.get(key) or guide.other(key)


def in_floats(data: Any) -> Any:
    """A copy of the data with the nearest floats for Decimals."""
    if isinstance(data, dict):
        return {key: in_floats(held) for key, held in data.items()}
    if isinstance(data, list):
        return [in_floats(item) for item in data]
    return float(data) if isinstance(data, Decimal) else data
