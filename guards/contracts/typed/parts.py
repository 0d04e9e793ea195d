"""The parts of a delivered value: those that guards inside its type judge, and those that plain steps of a path name.

Both walk the value itself along its shape. A path uses the document's names, and means a field however the document
spelled it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.base import Stand
from guards.contracts.typed.shape import Shape, may_move, passes_over
from guards.contracts.typed.structures import MADE, Entries, Items, Misfit, Names, Part, Structure
from guards.reading.document import Place, Steps

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["Lost", "Places", "judged_inside", "named_by", "parts_of", "stand_of", "told"]


# -- what guards inside the type judge -------------------------------------------------------------------------------


def judged_inside(part: Part, notes: Notes, seen: dict[int, list[Shape]] | None = None) -> Iterator[tuple[Any, Stand]]:
    """Every guard inside the type that this value has a part for, with that part. `seen` takes down what each instance
    was judged as, by its identity."""
    part = _stirred(part, notes)
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
                    yield from judged_inside(further, notes, seen)
        if seen is not None and shape.guarded:
            seen.setdefault(id(part.value), []).append(shape)
        if shape.inner is not None and shape.guarded:
            for child in _inside(shape.inner, part, notes, guarded=True):
                yield from judged_inside(child, notes, seen)
    except Misfit as fault:
        failed = Stand(part.place, None, exact=False, fault=fault)
        lost = {id(guard): guard for below in shape.below() for guard in below.guards}
        yield from ((guard, failed) for guard in lost.values())


def stand_of(part: Part) -> Stand:
    return Stand(part.place, part.value, part.exact, part.value if isinstance(part.value, Lost) else None)


# -- what a path names -----------------------------------------------------------------------------------------------


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
                found += _followed(part, child, notes, steps[len(way) :], moved=moved)
        return found
    meant = _meant(below, steps)
    if not meant:
        return _gone(part, steps[0], moved=moved)
    for way, child in meant:
        # Of what lies on the way to a field (`AliasPath`) nothing is delivered but the field.
        found += _followed(part, child, notes, steps[len(way) :], moved=moved)
    return found


def _followed(whole: Part, part: Part, notes: Notes, steps: Steps, *, moved: bool) -> list[Part]:
    """What steps lead to from an item or field; where it is not known which item of the document it was made of, also
    what any of those has there and it has not."""
    found = named_by(part, notes, steps, moved=moved)
    if found or part.data is not MADE or not isinstance(whole.data, list):
        return found
    if not moved and part.shape is not None and passes_over(part.shape):
        return []
    there = (whole.data[name] for (name,) in part.also if isinstance(name, int))
    return [_lost(part, MADE)] if any(_has(data, steps) for data in there) else []


def _has(data: Any, steps: Steps) -> bool:
    if not steps:
        return True
    step, rest = steps[0], steps[1:]
    if isinstance(data, dict):
        return any(_has(held, rest) for name, held in data.items() if step is None or step == name)
    if isinstance(data, list):
        return any(_has(held, rest) for index, held in enumerate(data) if step is None or step == index)
    return False


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
    return [_lost(part, data[step], step)]


def _lost(part: Part, data: Any, *names: str | int) -> Part:
    lost = Lost("nothing is delivered of this place as the document has it")
    return Part(None, lost, data, (*part.place, *names), False, names)


def _meant(below: Sequence[Part], steps: Steps) -> list[tuple[Names, Part]]:
    """The parts that steps lead to or through: by the names that the document uses, else by another name."""
    used = [(child.names, child) for child in below if _leads(child.names, steps)]
    if used:
        return used
    # Of an item whose place is not known, each may be as good as the first.
    usual = [(child.also[0], child) for child in below if child.names[:1] != (-1,) and _is_first(child, steps)]
    return usual or [(way, child) for child in below for way in child.also if _leads(way, steps)]


def _is_first(child: Part, steps: Steps) -> bool:
    return bool(child.also) and _leads(child.also[0], steps)


def _leads(way: Names, steps: Steps) -> bool:
    return bool(way) and all(step is None or step == name for step, name in zip(steps, way, strict=False))


class Places:
    """What is delivered of places of one document. What a part holds is gone through once, for however many places."""

    def __init__(self, whole: Part, notes: Notes) -> None:
        self._whole = whole
        self._notes = notes
        self._below: dict[int, tuple[Part, list[Part], dict[Place, tuple[int, Part]]]] = {}

    def at(self, place: Place) -> list[Part]:
        """Of a set of which the items cannot be told apart, all of them."""
        part = self._whole
        while part.place != place:
            below, exact = self._of(part)
            ways = (exact.get(place[:length]) for length in range(len(part.place), len(place) + 1))
            found = [way for way in ways if way is not None]
            if not found:
                return [child for child in below if child.place == part.place]
            part = min(found)[1]
        return [part]

    def _of(self, part: Part) -> tuple[list[Part], dict[Place, tuple[int, Part]]]:
        known = self._below.get(id(part))
        if known is None:
            below = [child for child in parts_of(part, self._notes) if child.names]
            exact: dict[Place, tuple[int, Part]] = {}
            for number, child in enumerate(below):
                if child.exact:
                    exact.setdefault(child.place, (number, child))
            known = self._below[id(part)] = (part, below, exact)  # the part is kept, so that its id stays its own
        return known[1:]


def told(part: Part, notes: Notes) -> Iterator[Part]:
    """A value and all that it holds, keys left out."""
    yield part
    for child in parts_of(part, notes):
        if child.names:
            yield from told(child, notes)


def parts_of(part: Part, notes: Notes) -> list[Part]:
    """What a part holds."""
    part = _stirred(part, notes)
    return _held(part, notes) or list(_plainly(part, notes))


def _held(part: Part, notes: Notes) -> list[Part]:
    """By whatever its type says of it that is true of this value."""
    part = _stirred(part, notes)
    shape = part.shape
    found: list[Part] = []
    if shape is None:
        return []
    if shape.inner is not None:
        with suppress(Misfit):
            found += _inside(shape.inner, part, notes, guarded=False)
    for layer in shape.layers:
        with suppress(Misfit):
            found += [child for further in layer.of(part, notes) for child in _held(further, notes)]
    return found


def _stirred(part: Part, notes: Notes) -> Part:
    """What is known of a part once it is known what its type says of it."""
    if part.shape is None or not part.shape.stirs or (part.stirred and part.moved):
        return part
    return part._replace(stirred=True, moved=part.moved or part.shape.moved(notes))


def _inside(structure: Structure, part: Part, notes: Notes, *, guarded: bool) -> Iterable[Part]:
    """The parts by one structure, at their places in the document. Raises Misfit."""
    if not part.stirred:
        return structure.parts(part, guarded=guarded)
    from guards.contracts.typed.origins import keys_of, placed  # most types run no code of their author

    if isinstance(structure, Entries):
        parts = structure.entries(part, keys_of(part, notes), guarded=guarded)
    else:
        parts = structure.parts(part, guarded=guarded)
    below = [child._replace(stirred=True, moved=part.moved) for child in parts]
    if not isinstance(structure, Items) or isinstance(part.value, set | frozenset):
        return below
    return placed(part, below, notes, parts_of, ordered=structure.ordered)


class Lost(Misfit):  # stands in a value's place
    """In a value's place: the document has something there that nothing delivered can be told to be."""


_ENTRIES: Final = Entries(None, None)
_ITEMS: Final = Items()


def _plainly(part: Part, notes: Notes) -> Iterator[Part]:
    """What a value holds of which the type says nothing."""
    value, data = part.value, part.data
    if isinstance(value, Mapping):
        yield from _inside(_ENTRIES, part._replace(shape=None), notes, guarded=False)
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from _inside(_ITEMS, part._replace(shape=None), notes, guarded=False)
    elif isinstance(data, dict | list):
        lost = Lost(f"what became a {type(value).__name__} has no parts that could be judged")
        pairs = data.items() if isinstance(data, dict) else enumerate(data)
        yield from (Part(None, lost, held, (*part.place, name), False, (name,)) for name, held in pairs)
