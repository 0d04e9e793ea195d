"""The parts of a delivered value: those that guards inside its type judge, and those that a path names.

Both walk the value itself along its shape. A path uses the document's names, and means a field however the document
spelled it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from guards.contracts.base import Stand
from guards.contracts.type_shape import may_move, passes_over
from guards.contracts.type_structures import DEFAULT, Entries, Items, Misfit, Names, Part, Spellings
from guards.reading.document import Place, Steps, compile_jsonpath, plain_steps

if TYPE_CHECKING:
    from guards.contracts.type_notes import Notes

__all__ = ["at_place", "judged_inside", "named_by", "parts_of", "respelled", "selected"]


# -- what guards inside the type judge -------------------------------------------------------------------------------


def judged_inside(part: Part, notes: Notes) -> Iterator[tuple[Any, Stand]]:
    """Every guard inside the type that this value has a part for, with that part."""
    shape = part.shape
    if shape is None:
        return
    if shape.here:
        stand = stand_of(part)
        yield from ((guard, stand) for guard in shape.here)
    try:
        for layer in shape.layers:
            if any(child.guarded for child in layer.shapes):
                for further in layer.of(part, notes):
                    yield from judged_inside(further, notes)
        if shape.inner is not None and shape.guarded:
            for child in shape.inner.parts(part, guarded=True):
                yield from judged_inside(child, notes)
    except Misfit as fault:
        failed = Stand(part.place, None, exact=False, fault=fault)
        lost = {id(guard): guard for below in shape.below() for guard in below.guards}
        yield from ((guard, failed) for guard in lost.values())


def stand_of(part: Part) -> Stand:
    return Stand(part.place, part.value, part.exact, part.value if isinstance(part.value, _Lost) else None)


# -- what a path names -----------------------------------------------------------------------------------------------


def selected(part: Part, notes: Notes, path: str) -> list[Stand]:
    """The parts that a JSONPath (RFC 9535) names. One that the document has and nothing of which is delivered in its
    place cannot be judged: its `fault` says so. A constant default is no part of the answer."""
    steps = plain_steps(path)
    found = named_by(part, notes, steps) if steps is not None else _queried(part, notes, path)
    stands = {(one.place, id(one.value)): stand_of(one) for one in found if one.data is not DEFAULT}
    return list(stands.values())


def named_by(part: Part, notes: Notes, steps: Steps, *, moved: bool = False) -> list[Part]:
    """The parts at the end of plain steps; None is any step. `moved`: validators further out may have put what the
    document has here elsewhere."""
    if not steps:
        return [part]
    moved = moved or (part.shape is not None and may_move(part.shape))
    below = parts_of(part, notes)
    found: list[Part] = []
    if steps[0] is None:
        for child in below:
            if child.names:
                way = child.names if _leads(child.names, steps) else child.names[:1]
                found += named_by(child, notes, steps[len(way) :], moved=moved)
        return found
    meant = _meant(below, steps)
    if not meant:
        return _gone(part, steps[0], moved=moved)
    for way, child in meant:
        # Of what lies on the way to a field (`AliasPath`) nothing is delivered but the field.
        found += named_by(child, notes, steps[len(way) :], moved=moved)
    return found


def _gone(part: Part, step: str | int, *, moved: bool) -> list[Part]:
    """What the document has there and validation has put elsewhere; nothing for a key that a model passes over."""
    data = part.data
    there = (
        step in data
        if isinstance(data, dict)
        else isinstance(data, list) and isinstance(step, int) and step < len(data)
    )
    if not there or (not moved and part.shape is not None and passes_over(part.shape)):
        return []
    lost = _Lost("nothing is delivered of this place as the document has it")
    return [Part(None, lost, data[step], (*part.place, step), False, (step,))]


def _meant(below: Sequence[Part], steps: Steps) -> list[tuple[Names, Part]]:
    """The parts that steps lead to or through: by the names that the document uses, else by another name."""
    used = [(child.names, child) for child in below if _leads(child.names, steps)]
    if used:
        return used
    usual = [(child.also[0], child) for child in below if child.also and _leads(child.also[0], steps)]
    return usual or [(way, child) for child in below for way in child.also if _leads(way, steps)]


def _leads(way: Names, steps: Steps) -> bool:
    return bool(way) and all(step is None or step == name for step, name in zip(steps, way, strict=False))


def at_place(part: Part, notes: Notes, place: Place) -> list[Part]:
    """What is delivered of a place of the document; of a set of which the items cannot be told apart, all of them."""
    if part.place == place:
        return [part]
    below = [child for child in parts_of(part, notes) if child.names]
    for child in below:
        if child.exact and place[: len(child.place)] == child.place:
            return at_place(child, notes, place)
    return [child for child in below if child.place == part.place]


def respelled(part: Part, notes: Notes) -> Iterator[tuple[Place, list[str]]]:
    """The places that a document may write in another way, with the other names; the inner before the outer."""
    for child in parts_of(part, notes):
        if child.names:
            yield from respelled(child, notes)
            others = [way[0] for way in child.also if way != child.names and len(way) == 1]
            if child.exact and others:
                yield child.place, [str(name) for name in others]


def parts_of(part: Part, notes: Notes) -> list[Part]:
    """What a part holds."""
    return _held(part, notes) or list(_plainly(part))


def _held(part: Part, notes: Notes) -> list[Part]:
    """By whatever its type says of it that is true of this value."""
    shape, found = part.shape, []
    if shape is None:
        return []
    if shape.inner is not None:
        with suppress(Misfit):
            found += list(shape.inner.parts(part, guarded=False))
    for layer in shape.layers:
        with suppress(Misfit):
            found += [child for further in layer.of(part, notes) for child in _held(further, notes)]
    return found


class _Lost(Misfit):  # stands in a value's place
    """In a value's place: the document has something there that nothing delivered can be told to be."""


_ENTRIES: Final = Entries(None, None)
_ITEMS: Final = Items()


def _plainly(part: Part) -> Iterator[Part]:
    """What a value holds of which the type says nothing."""
    value, data = part.value, part.data
    if isinstance(value, Mapping):
        yield from _ENTRIES.parts(part._replace(shape=None), guarded=False)
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from _ITEMS.parts(part._replace(shape=None), guarded=False)
    elif isinstance(data, dict | list):
        lost = _Lost(f"what became a {type(value).__name__} has no parts that could be judged")
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        yield from (Part(None, lost, held, (*part.place, name), False, (name,)) for name, held in pairs)


# -- by a query ------------------------------------------------------------------------------------------------------


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
    """By what is delivered; and what the document has there that was delivered nowhere."""
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
    return found + [one for one in meant if isinstance(one.value, _Lost)]


_BY_NUMBER: Final = re.compile(r"[\[,]\s*-?\d|:")


def _led(part: Part, seen: Any, location: Steps) -> list[Part]:
    """The parts at a location in what a query saw."""
    found: list[Part] | None = [part]
    for step in location:
        if not isinstance(seen, _Seen):  # the document's own, of which nothing is delivered
            break
        found = seen.leads.get(step or 0)
        seen = _there(seen, step or 0)
    if found is None:  # on the way to a field (`AliasPath`), of which nothing is delivered but the field
        return [one for step in seen.leads for one in _led(part, seen, (step,))]
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
        for place, (child, _) in enumerate(sorted(below, key=itemgetter(1)) if is_known else below):
            seen.append(self.of(child))
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
