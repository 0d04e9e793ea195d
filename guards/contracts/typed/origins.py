"""Of which item of a document each item of a list was made, where code of the type's author may have moved them.

What pydantic put into a list first was noted, so that an item that is still the same object is known by that, and a
list that holds the very same is as it was. An object that the author's code made can only be known by what it says, and
that is no proof: of `[1, 5]` a validator may have made `[5, 1]` by turning the list or by turning the scale. Where two
such accounts differ, an item is taken for each that it may be; where none fits, for any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.typed.shape import passes_over
from guards.contracts.typed.structures import ABSENT, DEFAULT, MADE, Part, as_text
from guards.reading.document import leaves

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["keys_of", "placed"]

Below = Callable[[Part, "Notes"], Sequence[Part]]


def placed(whole: Part, items: Sequence[Part], notes: Notes, below: Below, *, ordered: bool) -> list[Part]:
    """The items of a list, each at its place in the document. `below`: what a part holds; `ordered`: whether they had
    an order at first."""
    if not isinstance(whole.data, list):
        return list(items)
    search = _Search(whole, notes, below)
    made = notes.origins(_node(whole), whole.value, len(whole.data)) if not whole.moved and ordered else {}
    known = [made.get(_index(item)) for item in items]
    search.free.difference_update(index for index in known if index is not None)
    rest = iter(search.by_content([i for i, at in zip(items, known, strict=True) if at is None], ordered=ordered))
    return [next(rest) if at is None else search.put(item, at) for item, at in zip(items, known, strict=True)]


def keys_of(whole: Part, notes: Notes) -> Sequence[Any]:
    """The keys that were made of the document's, in its order; none where that is not known."""
    if whole.moved or not (isinstance(whole.data, dict) and isinstance(whole.value, Mapping)):
        return ()
    keys = notes.keys(whole.value)
    if keys is not None:
        return keys
    keys = notes.keys_alike(_node(whole), whole.value)
    # Another mapping may have had them, so that none may be written as another one is.
    written = ((as_text(key), name) for key, name in zip(keys, whole.data, strict=False))
    return keys if all(text == name or text not in whole.data for text, name in written) else ()


def _node(whole: Part) -> Any:
    return whole.shape.listed if whole.shape is not None else None


class _Search:
    def __init__(self, whole: Part, notes: Notes, below: Below) -> None:
        self._whole = whole
        self._notes = notes
        self._below = below
        self._by_text: dict[str, set[int]] | None = None
        self.free = set(range(len(whole.data)))
        """The document's items of which none is known to be made."""

    def by_content(self, items: Sequence[Part], *, ordered: bool) -> list[Part]:
        """Items of which nothing else tells where they come from."""
        if len(items) == len(self.free) == 1:
            return [self.put(items[0], *self.free)]
        if len(self._whole.value) == len(self._whole.data):
            found = [self._here(item, exactly=not ordered) for item in items]
        else:
            in_order = self._in_order(items)
            if in_order is not None:
                return in_order
            found = [None] * len(items)
        there = [self._anywhere(item) if told is None else None for item, told in zip(items, found, strict=True)]
        certain = not ordered or all(told or other for told, other in zip(found, there, strict=True))
        proven = [
            other if other and certain and self._is_proven(item, other, ordered) else None
            for item, other in zip(items, there, strict=True)
        ]
        self.free.update(_index(other) for other, told in zip(there, proven, strict=True) if other and not told)
        return [
            told or known or self._any(item, self._where(item, other if certain else None))
            for item, told, other, known in zip(items, found, there, proven, strict=True)
        ]

    def _where(self, item: Part, other: Part | None) -> Iterable[int]:
        """Where an item may come from: where it stands or where the document says the same, if it can be no more."""
        if other is None or len(self._whole.value) != len(self._whole.data):
            return self.free
        return {_index(item), _index(other)}

    def _is_proven(self, item: Part, other: Part, ordered: bool) -> bool:
        """Whether an item that says what the document says elsewhere was made of that."""
        if not ordered:
            return True
        if self._whole.moved:  # a record that was handed on elsewhere
            return self._notes.watching and not self._notes.remade and isinstance(other.data, dict)
        return self._notes.is_made(item.value)

    def _in_order(self, items: Sequence[Part]) -> list[Part] | None:
        """The items, where some were taken out or put in, and nothing else was done."""
        free = sorted(self.free)
        fewer = len(items) < len(free)
        found: dict[int, Part] = {}
        number = 0
        for index in free:
            while number < len(items):
                told = self._agreeing(items[number], index)
                if told is not None:
                    found[number] = told
                if told is not None or not fewer:
                    number += 1
                if told is not None or fewer:
                    break
        if len(found) < min(len(items), len(free)):
            return None
        self.free.difference_update(_index(told) for told in found.values())
        return [found.get(number) or self._any(item, ()) for number, item in enumerate(items)]

    def _agreeing(self, item: Part, index: int) -> Part | None:
        return self.put(item, index, stirred=False) if self._agrees(self.put(item, index), _says) else None

    def _here(self, item: Part, *, exactly: bool) -> Part | None:
        """The item where it stands, if it says the same as the document there: if not `exactly`, nearly the same."""
        index = _index(item)
        if index not in self.free:
            return None
        told = self._agreeing(item, index)
        if told is None and not exactly and self._nearly_agrees(item, index):
            told = self.put(item, index)
        if told is not None:
            self.free.discard(index)
        return told

    def _nearly_agrees(self, item: Part, index: int) -> bool:
        """Whether an item says nearly the same as the document does in a place; where it has values of which that
        cannot be told, whether it does so in no other."""
        if self._agrees(self.put(item, index), _nearly_says):
            return True
        if not self._agrees(self.put(item, index), _may_say):
            return False
        likely = self._likely(item)
        return (
            index in likely
            and len(likely) <= _MOST_TRIED
            and not any(self._agrees(self.put(item, other), _may_say) for other in likely - {index})
        )

    def _at(self, item: Part, index: int) -> Part | None:
        """The item at this place, if it says the same."""
        told = self._agreeing(item, index) if index in self.free else None
        if told is not None:
            self.free.discard(index)
        return told

    def _any(self, item: Part, places: Iterable[int]) -> Part:
        """An item that may come from any of these places."""
        also = tuple((index,) for index in sorted(places))
        return item._replace(data=MADE, place=self._whole.place, exact=False, names=(-1,), also=also)

    def put(self, item: Part, index: int, *, stirred: bool = True) -> Part:
        """`stirred`: not where all that it holds says the same, too."""
        data, place = self._whole.data[index], (*self._whole.place, index)
        return item._replace(data=data, place=place, exact=self._whole.exact, names=(index,), stirred=stirred)

    def _anywhere(self, item: Part) -> Part | None:
        """The item at the place that says the same; of several the first, since one is as good as another."""
        tried = (self._at(item, index) for index in islice(sorted(self._likely(item)), _MOST_TRIED))
        return next((told for told in tried if told is not None), None)

    def _likely(self, item: Part) -> set[int]:
        """Where the document says what is rarest of what an item says."""
        if self._by_text is None:
            self._by_text = {}
            for index, data in enumerate(self._whole.data):
                for _, held in leaves(data):
                    self._by_text.setdefault(_bare(as_text(held)), set()).add(index)
        said = islice(self._texts(item), _MOST_TRIED)
        there = [self._by_text[text] for text in said if text in self._by_text]
        return min(there, key=len, default=set[int]())

    def _texts(self, part: Part) -> Iterator[str]:
        """What its leaves say. It may hold itself."""
        waiting, seen = [part], set()
        for one in waiting:  # which grows
            if id(one.value) not in seen:
                seen.add(id(one.value))
                below = [child for child in self._below(one, self._notes) if child.names]
                waiting += below
                if not below and not hasattr(one.value, "__dict__"):
                    yield _bare(as_text(one.value))

    def _agrees(self, part: Part, says: Callable[[Any, Any], bool]) -> bool:
        """Whether a part and all that it holds `says` what the document says there; if exactly, nothing more."""
        value, data = part.value, part.data
        below = [child for child in self._below(part._replace(stirred=False), self._notes) if child.names]
        if not below:
            return not data if isinstance(data, dict | list) else says(value, data)
        said = [child for child in below if child.data is not ABSENT and child.data is not DEFAULT]
        # What was left out has its default in a model that knows nothing else to be set.
        there = len(getattr(value, "__pydantic_fields_set__", [c for c in below if c.data is not DEFAULT]))
        if says is _says and len(said) < there:
            return False
        if isinstance(data, list | dict) and len(said) < len(data) and not _may_leave_out(part):
            return False
        return all(child.data is not MADE and self._agrees(child, says) for child in said)


def _index(item: Part) -> int:
    index: Any = item.names[0]
    return int(index)


def _may_leave_out(part: Part) -> bool:
    return part.shape is not None and not isinstance(part.data, list) and passes_over(part.shape)


def _says(value: Any, data: Any) -> bool:
    if isinstance(data, str):
        return as_text(value) == data
    value = value.value if isinstance(value, Enum) else value
    return isinstance(value, bool) == isinstance(data, bool) and bool(value == data)


def _nearly_says(value: Any, data: Any) -> bool:
    """A change of case or of spaces is none."""
    return _says(value, data) or (isinstance(data, str) and _bare(as_text(value)) == _bare(data))


def _may_say(value: Any, data: Any) -> bool:
    """A date, a number of digits or an address may be written in many ways."""
    return not isinstance(value, _PLAIN) or _nearly_says(value, data)


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


_PLAIN: Final = (str, int, float, bool, type(None), Enum, dict, list)
_MOST_TRIED: Final = 16
"""Texts by which an item is looked for, and places: the work stays linear where very many items are nearly the same."""
