"""Of which item of a document each item of a list was made, where code of the type's author may have moved them.

Nothing but the items themselves can tell: an item that says what the document says in one place was made of it. Of one
that says something else (a validator changed it) the place is not known, and any place that is left may be meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.typed.shape import passes_over
from guards.contracts.typed.structures import ABSENT, DEFAULT, MADE, Part, as_text
from guards.reading.document import leaves

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["placed"]

Below = Callable[[Part, "Notes"], Sequence[Part]]


def placed(whole: Part, items: Sequence[Part], notes: Notes, below: Below) -> list[Part]:
    """The items of a list, each at its place in the document. `below`: what a part holds."""
    data = whole.data
    if not isinstance(data, list):
        return list(items)
    search = _Search(whole, notes, below)
    found = [search.at(item, item.names[0]) for item in items]
    found = [search.anywhere(item) if told is None else told for item, told in zip(items, found, strict=True)]
    rest = [item for item, told in zip(items, found, strict=True) if told is None]
    left = iter(search.left(rest))
    return [next(left) if told is None else told for told in found]


class _Search:
    def __init__(self, whole: Part, notes: Notes, below: Below) -> None:
        self._whole = whole
        self._notes = notes
        self._below = below
        self._by_text: dict[str, set[int]] | None = None
        self.free = set(range(len(whole.data)))
        """The document's items of which none is known to be made."""

    def at(self, item: Part, index: Any) -> Part | None:
        """The item at this place, if it says the same."""
        if index not in self.free or not self._agrees(self._put(item, index), exactly=True):
            return None
        self.free.discard(index)
        return self._put(item, index, stirred=False)

    def left(self, items: Sequence[Part]) -> list[Part]:
        """The items that say something else than any place does: where they stand, if nothing tells that one was moved,
        and the one that is left where one place is."""
        if all(i.names[0] in self.free and self._agrees(self._put(i, i.names[0]), exactly=False) for i in items):
            return [self._put(item, item.names[0]) for item in items]
        if len(items) == len(self.free) == 1:
            return [self._put(items[0], *self.free)]
        also = tuple((index,) for index in sorted(self.free))
        place = self._whole.place
        return [i._replace(data=MADE, place=place, exact=False, names=(-1,), also=also) for i in items]

    def _put(self, item: Part, index: Any, *, stirred: bool = True) -> Part:
        """`stirred`: not where all that it holds says the same, too."""
        data, place = self._whole.data[index], (*self._whole.place, index)
        return item._replace(data=data, place=place, exact=self._whole.exact, names=(index,), stirred=stirred)

    def anywhere(self, item: Part) -> Part | None:
        """The item at the place that says the same; of several the first, since one is as good as another."""
        if self._by_text is None:
            self._by_text = {}
            for index in self.free:
                for _, held in leaves(self._whole.data[index]):
                    self._by_text.setdefault(as_text(held), set()).add(index)
        said = islice(self._texts(item), _MOST_TRIED)
        there = [self._by_text[text] for text in said if text in self._by_text]
        rarest = min(there, key=len, default=set[int]())
        tried = (self.at(item, index) for index in islice(sorted(rarest), _MOST_TRIED))
        return next((told for told in tried if told is not None), None)

    def _texts(self, part: Part) -> Iterator[str]:
        """What its leaves say. It may hold itself."""
        waiting, seen = [part], set()
        for one in waiting:  # which grows
            if id(one.value) not in seen:
                seen.add(id(one.value))
                below = [child for child in self._below(one, self._notes) if child.names]
                waiting += below
                if not below and not hasattr(one.value, "__dict__"):
                    yield as_text(one.value)

    def _agrees(self, part: Part, *, exactly: bool) -> bool:
        """Whether a part and all that it holds says what the document says there; if `exactly`, nothing more."""
        value, data = part.value, part.data
        below = [child for child in self._below(part._replace(stirred=False), self._notes) if child.names]
        if not below:
            return not data if isinstance(data, dict | list) else _is_same(value, data, exactly=exactly)
        said = [child for child in below if child.data is not ABSENT and child.data is not DEFAULT]
        # What was left out has its default in a model that knows nothing else to be set.
        there = len(getattr(value, "__pydantic_fields_set__", [c for c in below if c.data is not DEFAULT]))
        if exactly and len(said) < there:
            return False
        if isinstance(data, list | dict) and len(said) < len(data) and not _may_leave_out(part):
            return False
        return all(child.data is not MADE and self._agrees(child, exactly=exactly) for child in said)


def _may_leave_out(part: Part) -> bool:
    return part.shape is not None and not isinstance(part.data, list) and passes_over(part.shape)


def _is_same(value: Any, data: Any, *, exactly: bool) -> bool:
    """If not `exactly`, a change of case or of spaces is none."""
    if isinstance(data, str):
        text = as_text(value)
        return text == data or (not exactly and _bare(text) == _bare(data))
    value = value.value if isinstance(value, Enum) else value
    return isinstance(value, bool) == isinstance(data, bool) and bool(value == data)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


_MOST_TRIED: Final = 16
"""Texts by which an item is looked for, and places: the work stays linear where very many items are nearly the same."""
