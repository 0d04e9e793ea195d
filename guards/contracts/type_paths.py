"""Where guards and paths lead in any value of a type, before there is one: to refuse a path that no answer can have,
and to tell while an answer is streamed which part is whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guards.contracts.base import Stand
from guards.contracts.type_members import Given, Root, Same
from guards.contracts.type_notes import Notes
from guards.contracts.type_parts import named_by, stand_of
from guards.contracts.type_shape import Shape
from guards.contracts.type_structures import ABSENT, Fields, Items, Part, Structure
from guards.errors import ConfigError
from guards.reading.document import Place, Steps, plain_steps

__all__ = ["check_path", "steps_of", "steps_to", "structures", "within"]


class _Depends(Exception):  # control flow inside this file
    """It depends on the value."""


def check_path(root: Shape, path: str, where: str, called: str) -> None:
    """`ConfigError` for a path that leads nowhere whatever the answer is."""
    steps = plain_steps(path)
    if steps is None:
        return
    shapes: list[Shape | None] = [root]
    for number, step in enumerate(steps):
        shapes = [further for shape in shapes for further in _ahead(shape, steps, number)]
        if not shapes:
            shown = step if step is not None else "*"
            raise ConfigError(
                f"{path!r} leads nowhere: no answer by {called} has {shown!r} there",
                where=where,
                hint="use the names that a document has",
            )


def _ahead(shape: Shape | None, steps: Steps, number: int) -> list[Shape | None]:
    """The shapes behind one step; [None] where anything may be."""
    if shape is None or _is_open(shape):
        return [None]
    found: list[Shape | None] = []
    for inner in _inner(shape):
        ways = inner.step(steps[number])
        if ways is None:
            return [None]
        found += [None if len(way) > 1 else further for way, further in ways]
    return found


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
