"""What makes the values that a stream shows of a JSON answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from guards.reading.document import Place
from guards.reading.json_stream import Builder

__all__ = ["Growing", "Held"]

Held: TypeAlias = Callable[[Place], bool]
"""Whether a text at a place is not shown before it is whole."""


class Growing(Builder, Protocol):
    """Plain data, or instances of a type; and it tells which items hold."""

    def holds(self, place: Place, value: Any) -> bool:
        """Whether an item that has closed is what the contract says of it; no where that cannot be told."""
        ...
