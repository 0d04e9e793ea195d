"""The parts of a delivered value: those that guards inside its type judge, and those that a path names.

Both walk the value itself along its shape. A path uses the document's names, and means a field however the document
spelled it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.base import Stand
from guards.contracts.type_shape import passes_over
from guards.contracts.type_structures import DEFAULT, Entries, Items, Misfit, Names, Part
from guards.reading.document import Place, Steps, compile_jsonpath, plain_steps

if TYPE_CHECKING:
    from guards.contracts.type_members import Made

__all__ = ["at_place", "judged_inside", "named_by", "parts_of", "respelled", "selected"]


# -- what guards inside the type judge -------------------------------------------------------------------------------


def judged_inside(part: Part, made: Made) -> Iterator[tuple[Any, Stand]]:
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
                for further in layer.of(part, made):
                    yield from judged_inside(further, made)
        if shape.inner is not None and shape.guarded:
            for child in shape.inner.parts(part, guarded=True):
                yield from judged_inside(child, made)
    except Misfit as fault:
        failed = Stand(part.place, None, exact=False, fault=fault)
        lost = {id(guard): guard for below in shape.below() for guard in below.guards}
        yield from ((guard, failed) for guard in lost.values())


def stand_of(part: Part) -> Stand:
    return Stand(part.place, part.value, part.exact, part.value if isinstance(part.value, _Lost) else None)


# -- what a path names -----------------------------------------------------------------------------------------------


def selected(part: Part, made: Made, path: str) -> list[Stand]:
    """The parts that a JSONPath (RFC 9535) names. One that the document has and nothing of which is delivered in its
    place cannot be judged: its `fault` says so. A constant default is no part of the answer."""
    steps = plain_steps(path)
    found = named_by(part, made, steps) if steps is not None else _queried(part, made, path)
    stands = {(one.place, id(one.value)): stand_of(one) for one in found if one.data is not DEFAULT}
    return list(stands.values())


def named_by(part: Part, made: Made, steps: Steps) -> list[Part]:
    """The parts at the end of plain steps; None is any step."""
    if not steps:
        return [part]
    below = parts_of(part, made)
    found: list[Part] = []
    if steps[0] is None:
        for child in below:
            if child.names:
                way = child.names if _leads(child.names, steps) else child.names[:1]
                found += named_by(child, made, steps[len(way) :])
        return found
    meant = _meant(below, steps)
    if not meant:
        return _gone(part, steps[0])
    for way, child in meant:
        # Of what lies on the way to a field (`AliasPath`) nothing is delivered but the field.
        found += named_by(child, made, steps[len(way) :])
    return found


def _gone(part: Part, step: str | int) -> list[Part]:
    """What the document has there and validation has put elsewhere; nothing for a key that a model passes over."""
    data = part.data
    there = (
        step in data
        if isinstance(data, dict)
        else isinstance(data, list) and isinstance(step, int) and step < len(data)
    )
    if not there or (part.shape is not None and passes_over(part.shape)):
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


def at_place(part: Part, made: Made, place: Place) -> list[Part]:
    """What is delivered of a place of the document; of a set of which the items cannot be told apart, all of them."""
    if part.place == place:
        return [part]
    below = [child for child in parts_of(part, made) if child.names]
    for child in below:
        if child.exact and place[: len(child.place)] == child.place:
            return at_place(child, made, place)
    return [child for child in below if child.place == part.place]


def respelled(part: Part, made: Made) -> Iterator[tuple[Place, list[str]]]:
    """The places that a document may write in another way, with the other names; the inner before the outer."""
    for child in parts_of(part, made):
        if child.names:
            yield from respelled(child, made)
            others = [way[0] for way in child.also if way != child.names and len(way) == 1]
            if child.exact and others:
                yield child.place, [str(name) for name in others]


def parts_of(part: Part, made: Made) -> list[Part]:
    """What a part holds."""
    return _held(part, made) or list(_plainly(part))


def _held(part: Part, made: Made) -> list[Part]:
    """By whatever its type says of it that is true of this value."""
    shape, found = part.shape, []
    if shape is None:
        return []
    if shape.inner is not None:
        with suppress(Misfit):
            found += list(shape.inner.parts(part, guarded=False))
    for layer in shape.layers:
        with suppress(Misfit):
            found += [child for further in layer.of(part, made) for child in _held(further, made)]
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


class _Object(dict[str, Any]):
    """An object as a query sees it, which answers to every spelling of its members."""

    __slots__ = ("others",)

    def __init__(self) -> None:
        super().__init__()
        self.others: dict[str, Any] = {}
        """What other spellings lead to."""

    # By whichever of these the JSONPath library looks a member up: its releases differ.

    def __missing__(self, key: str) -> Any:
        return self.others[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or key in self.others

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, self.others.get(key, default))


def _queried(part: Part, made: Made, path: str) -> list[Part]:
    found = compile_jsonpath(path).find(_seen(part, made))
    return [one for node in found for one in named_by(part, made, tuple(node.location))]


def _seen(part: Part, made: Made) -> Any:
    """A part as plain data, by the document's names: what is delivered, in the form in which a document holds it."""
    value = part.value
    below = [child for child in parts_of(part, made) if child.names and child.data is not DEFAULT]
    if not below:
        return _scalar(value, part.data)
    if all(isinstance(child.names[0], int) for child in below):
        return [_seen(child, made) for child in below]
    seen = _Object()
    for child in below:
        held = _seen(child, made)
        _put(seen, child.names, held)
        for way in child.also:
            _put(seen, way, held, other=True)
    return seen


def _put(holder: Any, names: Names, held: Any, *, other: bool = False) -> None:
    """Put what is seen at the end of these names; what is on the way there is nothing that is delivered."""
    for name, following in pairwise(names):
        inner = _there(holder, name)
        if not isinstance(inner, list if isinstance(following, int) else _Object):
            inner = [] if isinstance(following, int) else _Object()
            _set(holder, name, inner, other=other)
        holder = inner
    if _there(holder, names[-1]) is None:
        _set(holder, names[-1], held, other=other)


def _there(holder: Any, name: str | int) -> Any:
    if isinstance(holder, list):
        return holder[name] if isinstance(name, int) and name < len(holder) else None
    return dict.get(holder, name, holder.others.get(name))


def _set(holder: Any, name: str | int, held: Any, *, other: bool) -> None:
    if isinstance(holder, list):
        if isinstance(name, int):
            holder += [None] * (name + 1 - len(holder))
            holder[name] = held
    elif other:
        holder.others[name] = held
    else:
        holder[name] = held


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
