"""Where guards and paths lead in any value of a type, before there is one: to refuse a path that no answer can have,
and to tell while an answer is streamed which part is whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from guards.contracts.base import Stand
from guards.contracts.typed.members import Given, Root, Same
from guards.contracts.typed.notes import Notes
from guards.contracts.typed.parts import named_by, stand_of
from guards.contracts.typed.shape import Shape, may_move, passes_over
from guards.contracts.typed.structures import ABSENT, Entries, Fields, Items, Part, Structure
from guards.errors import ConfigError
from guards.reading.document import Place, Steps, compile_jsonpath, plain_steps

__all__ = ["check_path", "steps_of", "steps_to", "structures", "within"]


class _Depends(Exception):  # control flow inside this file
    """It depends on the value."""


def check_path(root: Shape, path: str, where: str, called: str) -> None:
    """`ConfigError` for a path that leads nowhere whatever the answer is."""
    if not path.startswith("$"):
        return
    reached: list[_Reached] = [(root, False)]
    for descends, selected in _segments(path):
        around = _all_below(reached) if descends else reached
        reached = [further for step in selected for one in around for further in _ahead(one, step)]
        if not reached:
            shown = next((step for step in selected if step is not None), "*")
            known = list(dict.fromkeys(name for shape, _ in around if shape is not None for name in _names(shape)))
            raise ConfigError(
                f"{path!r} leads nowhere: no answer by {called} has {shown!r} there",
                where=where,
                hint=f"it may have {', '.join(known[:_MOST_SHOWN])}" if known else "use the names that a document has",
            )


_Reached: TypeAlias = "tuple[Shape | None, bool]"
"""None where anything may be; and whether validators further out may have put what a document has there elsewhere."""
_MOST_SHOWN: Final = 12


def _segments(path: str) -> Iterator[tuple[bool, list[str | int | None]]]:
    """The segments of a JSONPath: whether it means any depth, and the steps that its selectors may take."""
    steps = plain_steps(path)
    if steps is not None:
        yield from ((False, [step]) for step in steps)
        return
    for segment in compile_jsonpath(path).segments:
        told = [getattr(selector, "name", getattr(selector, "index", None)) for selector in segment.selectors]
        # What is counted from the end may be any.
        counted: list[str | int | None] = [None if isinstance(step, int) and step < 0 else step for step in told]
        yield "Recursive" in type(segment).__name__, counted


def _ahead(reached: _Reached, step: str | int | None) -> list[_Reached]:
    """The shapes behind one step."""
    shape, moved = reached
    if shape is None or _is_open(shape):
        return [(None, moved)]
    moved = moved or may_move(shape)
    found: list[_Reached] = []
    for inner in _inner(shape):
        ways = inner.step(step)
        # A document may have what a model passes over where a validator has put it elsewhere first.
        if ways is None or (not ways and moved and passes_over(shape) and not isinstance(step, int)):
            return [(None, moved)]
        found += [(None if len(way) > 1 else further, moved) for way, further in ways]
    return found


def _all_below(reached: list[_Reached]) -> list[_Reached]:
    """These and all that they may hold, each once."""
    known: dict[tuple[int, bool], _Reached] = {}
    waiting = list(reached)
    for shape, moved in waiting:  # which grows
        if (id(shape), moved) not in known:
            known[id(shape), moved] = shape, moved
            waiting += _ahead((shape, moved), None) if shape is not None else ()
    return list(known.values())


def _names(shape: Shape) -> list[str]:
    return [name for inner in _inner(shape) if isinstance(inner, Fields) for name in inner.names]


def steps_of(root: Shape, path: str) -> tuple[Steps, ...] | None:
    """Every spelling of a plain path; None where it is more than that, or depends on the value."""
    steps = plain_steps(path) if path.startswith("$") else None
    if not steps:
        return None
    try:
        return tuple(dict.fromkeys(_spelled(root, steps))) or None
    except _Depends:
        return None


def _spelled(shape: Shape | None, steps: Steps) -> Iterator[Steps]:
    if not steps:
        yield ()
        return
    if shape is None:
        yield steps
        return
    inner = _only(shape)
    if inner is None:
        yield steps
        return
    ways = inner.step(steps[0])
    if ways is None or any(len(way) > 1 for way, _ in ways):
        raise _Depends
    if isinstance(inner, Entries) and inner.rewrites and steps[0] is not None:
        raise _Depends  # other keys may become this one
    for way, further in ways:
        yield from ((*way, *tail) for tail in _spelled(further, steps[1:]))


def steps_to(root: Shape, guard: Any) -> tuple[Steps, ...] | None:
    """Every place of a guard that stands inside the type; None where they depend on the value."""
    try:
        return tuple(dict.fromkeys(_walk(root, guard, ())))
    except _Depends:
        return None


def _walk(shape: Shape, guard: Any, above: tuple[Shape, ...]) -> Iterator[Steps]:
    if not any(one is guard for one in shape.guards):
        return
    if shape in above:
        raise _Depends
    if any(one is guard for one in shape.here):
        yield ()
    above = (*above, shape)
    for layer in shape.layers:
        for same in layer.shapes:
            found = list(_walk(same, guard, above))
            if found and not isinstance(layer, Same | Given | Root):
                raise _Depends
            yield from found
    inner = shape.inner
    if inner is None:
        return
    ways = inner.step(None)
    if ways is None:
        raise _Depends
    reached = [id(child) for _, child in ways]
    for child in inner.shapes:
        if id(child) not in reached and any(one is guard for one in child.guards):
            raise _Depends  # a key, say
    for way, further in ways:
        if further is not None:
            tails = list(_walk(further, guard, above))
            if tails and (len(way) != 1 or (way == (None,) and isinstance(inner, Fields))):
                raise _Depends  # on the way to a field, or a further key, which is any but the fields' own
            yield from ((*way, *tail) for tail in tails)


def within(root: Shape, place: Place, value: Any, steps: Steps) -> list[Stand]:
    """The parts of a value that closed at a place, to which the steps lead from the root."""
    if len(steps) < len(place):
        return []
    shape: Shape | None = root
    for step in place:
        inner = _only(shape) if shape is not None else None
        ways = inner.step(step) if inner is not None else None
        shape = ways[0][1] if ways else None
    found = named_by(Part(shape, value, ABSENT, place), Notes(), steps[len(place) :])
    return [stand_of(part) for part in found]


def _only(shape: Shape) -> Fields | Items | Any | None:
    """The one structure of a shape; None for a leaf. Raises _Depends where there may be several."""
    found = list(_inner(shape))
    if len(found) > 1 or _has_members(shape):
        raise _Depends
    return found[0] if found else None


def _has_members(shape: Shape) -> bool:
    return any(
        not isinstance(layer, Same | Given | Root) or any(_has_members(further) for further in layer.shapes)
        for layer in shape.layers
    )


def _inner(shape: Shape) -> Iterator[Any]:
    """The structures of all that may be said of a value."""
    if shape.inner is not None:
        yield shape.inner
    for layer in shape.layers:
        for further in layer.shapes:
            yield from _inner(further)


def _is_open(shape: Shape) -> bool:
    """Whether something may stand there of which the type does not tell. What validators make of a model or dataclass
    is one."""
    if shape.opaque and not any(isinstance(inner, Fields) for inner in _inner(shape)):
        return True
    return any(_is_open(further) for layer in shape.layers for further in layer.shapes)


def structures(shape: Shape | None) -> list[Structure] | None:
    """How any value of a shape may hold its parts, none for a leaf; None where it may hold anything."""
    return None if shape is None or _is_open(shape) else list(_inner(shape))
