"""The parts of a delivered value that a JSONPath names: by plain steps, or by a query on what is delivered.

A query sees plain data in the form in which a document holds it, and keeps what each piece of it is a part of.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from guards.contracts.base import Stand
from guards.contracts.typed.parts import Lost, named_by, parts_of, stand_of
from guards.contracts.typed.structures import DEFAULT, Misfit, Names, Part, Spellings
from guards.reading.document import Place, compile_jsonpath, plain_steps

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["selected"]


def selected(part: Part, notes: Notes, path: str) -> list[Stand]:
    """The parts that a JSONPath (RFC 9535) names. One that the document has and nothing of which is delivered in its
    place cannot be judged: its `fault` says so. A constant default is no part of the answer."""
    steps = plain_steps(path)
    found = named_by(part, notes, steps) if steps is not None else _queried(part, notes, path)
    stands = {(one.place, id(one.value)): stand_of(one) for one in found if one.data is not DEFAULT}
    return list(stands.values())


class _List(list[Any]):
    """A list as a query sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.leads: dict[str | int, list[Part]] = {}
        """The parts that each item is."""


class _Object(dict[str, Any]):
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


_Seen: TypeAlias = _List | _Object


def _queried(part: Part, notes: Notes, path: str) -> list[Part]:
    """By what is delivered; and what the document has there that was delivered nowhere, or nobody knows where."""
    query = compile_jsonpath(path)
    found: list[Part] = []
    for in_lists in (False, True):
        view = _View(notes, in_lists=in_lists, by_number=bool(_BY_NUMBER.search(path)))
        seen = view.of(part)
        found += [one for node in query.find(seen) for one in _led(part, seen, node.location)]
        if not view.has_two_forms:
            break
    written = query.find(part.data) if isinstance(part.data, dict | list) else ()
    meant = (one for node in written for one in named_by(part, notes, tuple(node.location)))
    return found + [one for one in meant if isinstance(one.value, Lost) or not one.exact]


_BY_NUMBER: Final = re.compile(r"[\[,]\s*-?\d|:")


def _led(part: Part, seen: Any, location: Place) -> list[Part]:
    """The parts at a location in what a query saw."""
    found: list[Part] | None = [part]
    for step in location:
        if not isinstance(seen, _Seen):  # the document's own, of which nothing is delivered
            break
        found = seen.leads.get(step)
        seen = _there(seen, step)
    if found is None:  # on the way to a field (`AliasPath`), or beside it: nothing is delivered but the field
        return [one for step in getattr(seen, "leads", ()) for one in _led(part, seen, (step,))]
    return found


class _View:
    """A value as plain data, by the document's names: what is delivered, in the form in which a document holds it."""

    def __init__(self, notes: Notes, *, in_lists: bool, by_number: bool) -> None:
        self._notes = notes
        self._in_lists = in_lists
        self._by_number = by_number
        self.has_two_forms = False
        """Whether some of it may be written as an object or as a list: `in_lists` says which is shown."""

    def of(self, part: Part) -> Any:
        below = [(child, (child.names, *child.also)) for child in parts_of(part, self._notes) if child.names]
        if not below:
            return _scalar(part.value, part.data)
        as_list = all(any(_is_index(way) for way in ways) for _, ways in below)
        as_object = all(any(isinstance(way[0], str) for way in ways) for _, ways in below)
        self.has_two_forms = self.has_two_forms or (as_list and as_object)
        if as_list and (self._in_lists or not as_object):
            return self._list([(child, next(way[0] for way in ways if _is_index(way))) for child, ways in below])
        return self._object(below)

    def _list(self, below: list[tuple[Part, Any]]) -> _List:
        is_known = all(index >= 0 for _, index in below)
        seen = _List()
        for shown, (child, index) in enumerate(below):
            place = index if is_known else shown
            _set(seen, place, self.of(child), other=False)
            # Of a set in no order any number may mean any item.
            seen.leads[place] = [child] if is_known or not self._by_number else [one for one, _ in below]
        return seen

    def _object(self, below: list[tuple[Part, Spellings]]) -> _Object:
        seen = _Object()
        for child, ways in below:
            held = self.of(child)
            named = [way for way in ways if isinstance(way[0], str)]
            for way in dict.fromkeys(named):
                _put(seen, way, held, child, other=way != named[0])
        return seen


def _is_index(way: Names) -> bool:
    return len(way) == 1 and isinstance(way[0], int)


def _put(holder: Any, names: Names, held: Any, part: Part, *, other: bool) -> None:
    """Put what is seen at the end of these names; what is on the way there is nothing that is delivered."""
    for name, following in pairwise(names):
        inner = _there(holder, name)
        if not isinstance(inner, _List if isinstance(following, int) else _Object):
            inner = _List() if isinstance(following, int) else _Object()
            _set(holder, name, inner, other=other)
        holder = inner
    if _there(holder, names[-1]) is None:
        _set(holder, names[-1], held, other=other)
    holder.leads.setdefault(names[-1], []).append(part)


def _there(holder: _Seen, name: str | int) -> Any:
    if isinstance(holder, list):
        return holder[name] if isinstance(name, int) and name < len(holder) else None
    return holder.get(str(name))


def _set(holder: _Seen, name: str | int, held: Any, *, other: bool) -> None:
    if isinstance(holder, list):
        if isinstance(name, int):
            holder += [None] * (name + 1 - len(holder))
            holder[name] = held
    elif other:
        holder.others[str(name)] = held
    else:
        holder[str(name)] = held


def _scalar(value: Any, data: Any) -> Any:
    if isinstance(value, Misfit):
        return data
    if isinstance(value, Mapping):
        return {}
    if isinstance(value, list | tuple | set | frozenset | deque):
        return []
    held = getattr(value, "value", value)  # of an enum's member
    if held is None or isinstance(held, str | int | float):
        return held
    return data if isinstance(data, str | int | float | bool) else str(value)
