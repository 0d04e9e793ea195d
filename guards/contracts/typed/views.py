"""A delivered value as a query sees it: plain data in the form in which a document holds it, by the document's names.

Each piece of it keeps what it is a part of. Where a document may hold the same in more than one form (a NamedTuple as
an object or as a list, a date in other digits) a query has to be asked of each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic_core import PydanticSerializationError, to_jsonable_python

from guards.contracts.typed.parts import parts_of
from guards.contracts.typed.structures import Misfit, Names, Part, Spellings
from guards.reading.numbers import Comparable

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["SeenList", "SeenObject", "below", "forms", "there"]


class SeenList(list[Any]):
    """A list as a query sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: dict[str | int, list[Part]] = {}
        """The parts that each item is."""


class SeenObject(dict[str, Any]):
    """An object as a query sees it, which answers to every spelling of its members."""

    def __init__(self) -> None:
        super().__init__()
        self.others: dict[str, Any] = {}
        """What other spellings lead to."""
        self.leads: dict[str | int, list[Part]] = {}
        """The parts that each member is, by every spelling."""

    # By whichever of these the JSONPath library looks a member up: its releases differ.

    def __missing__(self, key: str) -> Any:
        return self.others[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self.others

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, self.others.get(key, default))

    def members(self) -> Iterator[tuple[list[str], Any, list[Part]]]:
        """Each member once: its names, the document's own first, what is seen of it, and the parts that it is."""
        owners: dict[int, list[str]] = {}
        members: dict[str, list[str]] = {}
        for key in dict.fromkeys((*self, *self.others)):
            mine = self.leads.get(key, [])
            known = [owners[id(part)] for part in mine if id(part) in owners]
            if known and not super().__contains__(key):
                for names in known:
                    names.append(key)
                continue
            members[key] = [key]
            owners.update((id(part), members[key]) for part in mine)
        for key, names in members.items():
            yield names, self[key], self.leads.get(key) or below(self[key])


_Seen: TypeAlias = SeenList | SeenObject


def forms(part: Part, notes: Notes, *, by_number: bool, in_lists: bool = False) -> Iterator[Any]:
    """What a query sees, in every form in which a document may hold it. `by_number`: whether it may ask for items by
    their position. `in_lists`: whether what may be an object or a list is a list."""
    first = _View(notes, by_number=by_number, in_lists=in_lists)
    yield first.of(part)
    for lists, canonical in ((True, False), (False, True), (True, True)):
        if lists <= first.has_lists and canonical <= first.has_texts:
            yield _View(notes, by_number=by_number, in_lists=in_lists or lists, canonical=canonical).of(part)


def below(seen: Any) -> list[Part]:
    """The parts that are next below what is no part itself."""
    if not isinstance(seen, _Seen):
        return []
    pairs = enumerate(seen) if isinstance(seen, SeenList) else (*seen.items(), *seen.others.items())
    return [one for step, inner in pairs for one in seen.leads.get(step) or below(inner)]


def there(holder: _Seen, name: str | int) -> Any:
    if isinstance(holder, list):
        return holder[name] if isinstance(name, int) and name < len(holder) else None
    return holder.get(str(name))


class _View:
    """A value as plain data, by the document's names: what is delivered, in the form in which a document holds it."""

    def __init__(self, notes: Notes, *, by_number: bool, in_lists: bool = False, canonical: bool = False) -> None:
        self._notes = notes
        self._by_number = by_number
        self._in_lists = in_lists
        self._canonical = canonical
        self.has_lists = False
        """Whether some of it may be written as an object or as a list: `in_lists` says which is shown."""
        self.has_texts = False
        """Whether an answer wrote some of it otherwise than pydantic does: `canonical` says which is shown."""

    def of(self, part: Part) -> Any:
        below = [(child, (child.names, *child.also)) for child in parts_of(part, self._notes) if child.names]
        if not below:
            return self._scalar(part.value, part.data)
        as_list = all(any(_is_index(way) for way in ways) for _, ways in below)
        as_object = all(any(isinstance(way[0], str) for way in ways) for _, ways in below)
        self.has_lists = self.has_lists or (as_list and as_object)
        if as_list and (self._in_lists or not as_object):
            return self._list([(child, next(way[0] for way in ways if _is_index(way))) for child, ways in below])
        return self._object(below)

    def _scalar(self, value: Any, data: Any) -> Any:
        if isinstance(value, Misfit):
            return data
        if isinstance(value, Mapping):
            return {}
        if isinstance(value, list | tuple | set | frozenset | deque):
            return []
        held = getattr(value, "value", value)  # of an enum's member
        if held is None or isinstance(held, str | int | float):
            return held
        if isinstance(held, Decimal) and held.is_finite():
            return Comparable(held)
        told = _in_json(held)
        written = data if isinstance(data, str | int | float | bool) else told
        self.has_texts = self.has_texts or written != told
        return told if self._canonical else written

    def _list(self, below: list[tuple[Part, Any]]) -> SeenList:
        is_known = all(index >= 0 for _, index in below)
        # Of a set in no order any number may mean any item.
        every = None if is_known or not self._by_number else [one for one, _ in below]
        seen = SeenList()
        for shown, (child, index) in enumerate(below):
            place = index if is_known else shown
            _set(seen, place, self.of(child), other=False)
            seen.leads[place] = every or [child]
        return seen

    def _object(self, below: list[tuple[Part, Spellings]]) -> SeenObject:
        # A name that a document may use for several means the one for which this one used it, else the one whose usual
        # name it is.
        best: dict[Names, int] = {}
        for child, ways in below:
            for way in ways:
                best[way] = min(_rank(child, way), best.get(way, _LAST))
        seen = SeenObject()
        for child, ways in below:
            held = self.of(child)
            named = [way for way in ways if isinstance(way[0], str)]
            for way in dict.fromkeys(named):
                if _rank(child, way) == best[way]:
                    _put(seen, way, held, child, other=way != named[0])
        return seen


_LAST: Final = 2


def _rank(part: Part, way: Names) -> int:
    return 0 if way == part.names else 1 if way == part.also[0] else _LAST


def _is_index(way: Names) -> bool:
    return len(way) == 1 and isinstance(way[0], int)


def _put(holder: Any, names: Names, held: Any, part: Part, *, other: bool) -> None:
    """Put what is seen at the end of these names; what is on the way there is nothing that is delivered."""
    for name, following in pairwise(names):
        inner = there(holder, name)
        if not isinstance(inner, SeenList if isinstance(following, int) else SeenObject):
            inner = SeenList() if isinstance(following, int) else SeenObject()
            _set(holder, name, inner, other=other)
        holder = inner
    if there(holder, names[-1]) is None:
        _set(holder, names[-1], held, other=other)
    holder.leads.setdefault(names[-1], []).append(part)


def _set(holder: _Seen, name: str | int, held: Any, *, other: bool) -> None:
    if isinstance(holder, list):
        if isinstance(name, int):
            holder += [None] * (name + 1 - len(holder))
            holder[name] = held
    elif other:
        holder.others[str(name)] = held
    else:
        holder[str(name)] = held


def _in_json(value: Any) -> Any:
    """A scalar as pydantic writes it, whichever form an answer had."""
    try:
        told = to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        return str(value)
    return told if isinstance(told, str | int | float) else str(value)
