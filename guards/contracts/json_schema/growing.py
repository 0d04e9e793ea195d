"""What a stream shows of an answer by a JSON Schema that is still being written: plain data.

A text grows before one's eyes unless it is one of listed options; numbers and literals are shown when they are whole.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

from guards.contracts.base import Contract
from guards.contracts.delivered import shown
from guards.contracts.growing import Held
from guards.contracts.json_schema.part import longest_prefix, part_schema
from guards.reading.document import JsonDocument, Place
from guards.reading.guide import guide_of
from guards.reading.spelling import folded

__all__ = ["GrowingData"]


class GrowingData:
    """Plain data; `of_part` makes the contract of a part of the schema, where it can be told apart."""

    def __init__(
        self, schema: dict[str, Any], of_part: Callable[[dict[str, Any]], Contract[Any] | None], held: Held
    ) -> None:
        self._schema = schema
        self._of_part = of_part
        self._guide = guide_of(schema)  # which says where a text is one of listed options
        self._held = held
        self._items: dict[int, Contract[Any] | bool] = {}
        """By their position, as far as that tells them apart."""

    def holds(self, place: Place, value: Any) -> bool:
        at = min(cast("int", place[0]), self._told_apart)
        if at not in self._items:
            self._items[at] = self._item(at)
        item = self._items[at]
        return item if isinstance(item, bool) else item.recheck(JsonDocument(value)).ok

    def _item(self, at: int) -> Contract[Any] | bool:
        """What the schema says of an item: its contract, or whether any will do."""
        part = part_schema(self._schema, (at,))
        if not part:
            return isinstance(part, dict)
        return self._of_part(part) or False

    @cached_property
    def _told_apart(self) -> int:
        """How many items the schema can tell from others by their position."""
        return longest_prefix(self._schema)

    def closed(self, place: Place, value: Any, written: Any) -> Any:
        return shown(value)

    def open(self, place: Place, value: Any) -> Any:
        return value

    def grows(self, place: Place) -> bool:
        if self._held(place):
            return False
        guide = self._guide
        for step in place:
            guide = guide.element(step) if isinstance(step, int) else guide.member(folded(step))
        return guide.values is None and not any(option.values for option in guide.options)
