"""What a streamed answer shows while it comes, and what guards look at of it: the view that a contract has of a text
that has not ended.

Fed with pieces of text it gives events; it asks for nothing itself. Whatever it showed, the reading of the whole answer
decides: it runs exactly once, at the end, as for any other answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import time
from typing import Any, Final, TypeAlias

from guards.events import Item, Partial, StreamEvent, TextPiece
from guards.findings import join_pointer
from guards.reading.document import Document, Steps

__all__ = ["SHOWN_AT_LEAST", "Live", "Part", "Step", "Watched"]


@dataclass(frozen=True, slots=True)
class Watched:
    """What someone looks at of an answer that still comes: the `places` that `Contract.watched_at` gave, and whether
    what was said so far of a text is looked at as one (`joins`). `mark` is the watcher's own, and comes back with each
    part."""

    places: tuple[Steps, ...]
    joins: bool
    mark: Any


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is whole, and the marks of those that look at it; `path` is its place, as in a finding."""

    document: Document
    path: str
    marks: tuple[Any, ...]


Step: TypeAlias = tuple[Part | None, StreamEvent | None]
"""First the part is checked, then the event is shown."""


SHOWN_AT_LEAST: Final = 100
"""A partial value is shown after each piece, or once it has grown by a hundredth: the whole stream costs its length."""


class Live(ABC):
    """The view of one answer of the call `call`."""

    def __init__(self, call: str) -> None:
        self._call = call

    @abstractmethod
    def feed(self, piece: str) -> list[Step]:
        """What is to be checked and shown after this piece."""

    def rest(self, value: Any, shown: str) -> list[StreamEvent]:
        """What remains to be shown of an answer that holds, and of which `shown` went out as text."""
        return []

    def whole(self, value: Any) -> list[StreamEvent]:
        """An answer that holds and of which nothing was shown before."""
        items = enumerate(value) if isinstance(value, list | tuple) else ()
        return [*(self._item(item, join_pointer((index,))) for index, item in items), self._partial(value)]

    def _partial(self, value: Any, path: str = "") -> Partial:
        return Partial(value, path, call=self._call, at=time())

    def _item(self, value: Any, path: str) -> Item:
        return Item(value, path, call=self._call, at=time())

    def _piece(self, text: str) -> TextPiece:
        return TextPiece(text, call=self._call, at=time())
