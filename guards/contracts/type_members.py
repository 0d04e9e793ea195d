"""Which member of a union a value came of: noted by validation itself, at the moment when a member made it.

The core schema is compiled with a note behind each member of a union that leads to guards. What was noted is found
again by the identity of the value, so that nothing is validated twice. A value that no member made (a default, or what
a validator put in its place) is taken for every member that it could be of: their guards all judge it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pydantic import Secret, SecretBytes, SecretStr
from pydantic_core import core_schema

from guards.contracts.type_kinds import Definitions, fits_kind, fits_wholly, members_of
from guards.contracts.type_structures import ABSENT, DEFAULT, MADE, Misfit, Part, misfit, stored

if TYPE_CHECKING:
    from guards.contracts.type_shape import Shape

__all__ = [
    "Given",
    "Layer",
    "Made",
    "Member",
    "Members",
    "Parsed",
    "Revealed",
    "Root",
    "Same",
    "noted",
    "noting",
]

Made: TypeAlias = dict[tuple[int, int], tuple[Any, set[int]]]
"""What validation noted: (union, identity of the value) -> the value, and the members that made it."""


class Layer(ABC):
    """What else is said of the same value, in the same place."""

    shapes: tuple[Shape, ...]
    """All that may be said."""

    @abstractmethod
    def of(self, part: Part, made: Made) -> Iterator[Part]:
        """What holds for this value. Raises Misfit."""

    def fits(self, part: Part, made: Made) -> bool:
        """Whether the value has the shape that this says of it. Raises Misfit where it has not."""
        return all(_fits(further, made) for further in self.of(part, made))


class Same(Layer):
    """A further description."""

    __slots__ = ("shapes",)

    def __init__(self, shape: Shape) -> None:
        self.shapes = (shape,)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0])


class Parsed(Layer):
    """Of a value that the document holds as a text of JSON: nothing of it has a place of its own."""

    __slots__ = ("shapes",)

    def __init__(self, shape: Shape) -> None:
        self.shapes = (shape,)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0], data=MADE, exact=False)


class Revealed(Layer):
    """What a `Secret` holds, or a later validator took out of it. `node`: the core-schema node of what it holds."""

    __slots__ = ("definitions", "node", "shapes")

    def __init__(self, shape: Shape, node: Any, definitions: Definitions) -> None:
        self.shapes = (shape,)
        self.node = node
        self.definitions = definitions

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        value = part.value
        if isinstance(value, _SECRETS):
            value = value.get_secret_value()
        elif not fits_kind(self.node, self.definitions, value):
            raise misfit(value, "a Secret")
        yield part._replace(shape=self.shapes[0], value=value)


class Root(Layer):
    """What a RootModel holds."""

    __slots__ = ("cls", "shapes")

    def __init__(self, cls: type, shape: Shape) -> None:
        self.cls = cls
        self.shapes = (shape,)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0], value=stored(part.value, self.cls, "root"))


class Given(Layer):
    """Of a value that may be `nothing` (None, or pydantic's MISSING), where it is not: but what a validator makes is a
    value of its own, though it be None."""

    __slots__ = ("node", "nothing", "shapes")

    def __init__(self, shape: Shape, node: Any, nothing: Any) -> None:
        self.shapes = (shape,)
        self.node = node
        self.nothing = nothing

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        if part.value is not self.nothing or (id(self.node), id(self.nothing)) in made:
            yield part._replace(shape=self.shapes[0])

    @property
    def unclear(self) -> bool:
        """Whether a None may be the value of a guarded part, or none at all."""
        return self.shapes[0].guarded and _may_change(self.shapes[0])


class Member(NamedTuple):
    """One of a union: its core-schema node, with the definitions that it may refer to."""

    shape: Shape
    node: Any
    definitions: Definitions
    loose: bool
    """Whether it holds an `Any`."""


class Members(Layer):
    """A union."""

    __slots__ = ("members", "node", "shapes")

    def __init__(self, node: Any, members: Sequence[Member]) -> None:
        self.node = node
        self.members = tuple(members)
        self.shapes = tuple(member.shape for member in members)

    @property
    def unclear(self) -> bool:
        """Whether it depends on the member which guards judge a value."""
        return any(shape.guarded for shape in self.shapes)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        value = part.value
        known = made.get((id(self.node), id(value)))
        if known is not None:
            return (part._replace(shape=member.shape) for member in self._taken(value, known[1]))
        possible, is_sure = self._possible(part)
        if len(possible) > 1 and (is_sure or part.data is DEFAULT or part.data is ABSENT):
            return iter([one for one in possible if _fits(one, made)] or possible)
        return iter(possible)

    def fits(self, part: Part, made: Made) -> bool:
        if (id(self.node), id(part.value)) in made:
            return super().fits(part, made)
        return any(_fits(one, made) for one in self._possible(part)[0])

    def _possible(self, part: Part) -> tuple[list[Part], bool]:
        """For the members that a value of which nothing was noted could be of by its kind: all of them, where it is
        plainly of none. And whether it is surely of one."""
        fits = [fits_kind(member.node, member.definitions, part.value) for member in self.members]
        is_sure = True in fits
        members = [
            part._replace(shape=member.shape)
            for member, fit in zip(self.members, fits, strict=True)
            if fit is not False or not is_sure
        ]
        return members, is_sure

    def _taken(self, value: Any, indices: set[int]) -> Sequence[Member]:
        """The members that made a value. Where an `Any` took it, others that would have taken the same value are meant,
        too: of a text in JSON pydantic takes the first, in a `str` of Python the one that says more."""
        taken = [self.members[index] for index in indices]
        if not all(member.loose for member in taken):
            return taken
        closed = (member for member in self.members if not member.loose)
        return [*taken, *(one for one in closed if fits_wholly(one.node, one.definitions, value))]


def _fits(part: Part, made: Made) -> bool:
    """Whether guards in a shape find in a value what they are to judge."""
    shape = part.shape
    if shape is None or not shape.guarded:
        return True
    try:
        layers = (layer for layer in shape.layers if any(below.guarded for below in layer.shapes))
        inner = shape.inner.parts(part, guarded=True) if shape.inner is not None else ()
        return all(layer.fits(part, made) for layer in layers) and all(_fits(below, made) for below in inner)
    except Misfit:
        return False


def _may_change(shape: Shape) -> bool:
    """Whether code of the type's author may make something else of a value."""
    return shape.opaque or any(_may_change(further) for layer in shape.layers for further in layer.shapes)


class _Notes(threading.local):
    here: Made | None = None


_NOTES: Final = _Notes()


@contextmanager
def noting() -> Iterator[Made]:
    """What is noted by validation in this thread meanwhile; a validation inside a validator has notes of its own."""
    outer = _NOTES.here
    made: Made = {}
    _NOTES.here = made
    try:
        yield made
    finally:
        _NOTES.here = outer


def noted(node: Any, nodes: Mapping[int, Any]) -> Any:
    """The core schema with a note behind each member of these nodes (by identity): unions, and what may be null."""
    if isinstance(node, Mapping):
        copied = {key: child if key in _OPAQUE else noted(child, nodes) for key, child in node.items()}
        return _with_notes(node, copied) if id(node) in nodes else copied
    if isinstance(node, list):
        return [noted(child, nodes) for child in node]
    return tuple(noted(child, nodes) for child in node) if isinstance(node, tuple) else node


def _with_notes(node: Any, copied: dict[str, Any]) -> dict[str, Any]:
    key = id(node)
    if "choices" not in node:
        return {**copied, "schema": _behind(copied["schema"], key, 0)}
    choices = copied["choices"]
    if isinstance(choices, Mapping):
        behind = {tag: _behind(member, key, index) for index, (tag, member) in enumerate(choices.items())}
        return {**copied, "choices": behind}
    return {**copied, "choices": [_behind(member, key, index) for index, member in enumerate(members_of(copied))]}


def _behind(member: Any, key: int, index: int) -> Any:
    def note(value: Any) -> Any:
        made = _NOTES.here
        if made is not None:
            # The value is kept, so that its identity stays its own.
            made.setdefault((key, id(value)), (value, set()))[1].add(index)
        return value

    return core_schema.no_info_after_validator_function(note, member)


_SECRETS: Final = (Secret, SecretStr, SecretBytes)
# Values of the user's own under these keys may look like schemas and are none.
_OPAQUE: Final = frozenset({"metadata", "default", "cls", "expected", "members", "function", "serialization"})
