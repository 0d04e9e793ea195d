"""What else is said of a value in its own place: further descriptions, what it holds hidden, the members of a union.

Which member a value came of was noted by validation (`typed.notes`). A value that no member made (a default, or what a
validator put in its place) is taken for every member that it could be of: their guards all judge it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import Secret, SecretBytes, SecretStr

from guards.contracts.typed.kinds import Definitions, fits_kind
from guards.contracts.typed.structures import ABSENT, DEFAULT, MADE, Misfit, Part, misfit, stored

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Note, Notes
    from guards.contracts.typed.shape import Shape

__all__ = [
    "Given",
    "Layer",
    "Member",
    "Members",
    "Parsed",
    "Revealed",
    "Root",
    "Same",
]


class Layer(ABC):
    """What else is said of the same value, in the same place."""

    shapes: tuple[Shape, ...]
    """All that may be said."""

    @abstractmethod
    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        """What holds for this value. Raises Misfit."""

    def fits(self, part: Part, notes: Notes, *, guarded: bool) -> bool:
        """Whether the value has the shape that this says of it; with `guarded`, as far as that leads to guards. Raises
        Misfit where it has not."""
        return all(_fits(further, notes, guarded=guarded) for further in self.of(part, notes))


class Same(Layer):
    """A further description."""

    __slots__ = ("shapes",)

    def __init__(self, shape: Shape) -> None:
        self.shapes = (shape,)

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0])


class Parsed(Layer):
    """Of a value that the document holds as a text of JSON: nothing of it has a place of its own."""

    __slots__ = ("shapes",)

    def __init__(self, shape: Shape) -> None:
        self.shapes = (shape,)

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0], data=MADE, exact=False)


class Revealed(Layer):
    """What a `Secret` holds, or a later validator took out of it. `node`: the core-schema node of what it holds."""

    __slots__ = ("definitions", "node", "shapes")

    def __init__(self, shape: Shape, node: Any, definitions: Definitions) -> None:
        self.shapes = (shape,)
        self.node = node
        self.definitions = definitions

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
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

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        yield part._replace(shape=self.shapes[0], value=stored(part.value, self.cls, "root"))


class Given(Layer):
    """Of a value that may be `nothing` (None, or pydantic's MISSING), where it is not: but what a validator makes is a
    value of its own, though it be None."""

    __slots__ = ("node", "nothing", "shapes")

    def __init__(self, shape: Shape, node: Any, nothing: Any) -> None:
        self.shapes = (shape,)
        self.node = node
        self.nothing = nothing

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        if part.value is not self.nothing or notes.of(self.node, self.nothing) is not None:
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
    cls: type | None
    """The class of its instances."""


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

    def of(self, part: Part, notes: Notes) -> Iterator[Part]:
        note = notes.of(self.node, part.value)
        if note is not None:
            return self._taken(part, note)
        possible, is_sure = self._possible(part)
        if len(possible) > 1 and (is_sure or _is_default(part)):
            return iter([one for one in possible if _fits(one, notes, guarded=self.unclear)] or possible)
        return iter(possible)

    def fits(self, part: Part, notes: Notes, *, guarded: bool) -> bool:
        if notes.of(self.node, part.value) is not None:
            return super().fits(part, notes, guarded=guarded)
        return any(_fits(one, notes, guarded=guarded) for one in self._possible(part)[0])

    def _taken(self, part: Part, note: Note) -> Iterator[Part]:
        """For the members that made a value. Where an `Any` took it, what others made of the same is judged, too: of a
        text in JSON pydantic takes the first that will do, in a `str` of Python the one that says more."""
        # A validator of one may have made an instance of another.
        kind = type(part.value)
        likely = set() if note.sure else {id(one.shape) for one in self._possible(part)[0]}
        taken = [
            one
            for index, one in enumerate(self.members)
            if index in note.members or one.cls is kind or id(one.shape) in likely
        ]
        if not taken:
            raise misfit(part.value, "what a member of a union made")
        yield from (part._replace(shape=member.shape) for member in taken)
        if all(member.loose for member in taken):
            yield from (part._replace(shape=self.shapes[index], value=other) for index, other in note.others)

    def _possible(self, part: Part) -> tuple[list[Part], bool]:
        """For the members that a value of which nothing was noted could be of by its kind: all of them, where it is
        plainly of none. And whether it is surely of one."""
        fits = [fits_kind(member.node, member.definitions, part.value) for member in self.members]
        # A default may be of another kind than any of them.
        any_kind = all(fit is False for fit in fits) or (_is_default(part) and True not in fits)
        members = [
            part._replace(shape=member.shape)
            for member, fit in zip(self.members, fits, strict=True)
            if fit is not False or any_kind
        ]
        return members, True in fits


def _is_default(part: Part) -> bool:
    return part.data is DEFAULT or part.data is ABSENT


def _fits(part: Part, notes: Notes, *, guarded: bool) -> bool:
    """Whether a value has the shape that is said of it: all of it, or as far as guards have to find something."""
    shape = part.shape
    if shape is None or (guarded and not shape.guarded):
        return True
    try:
        layers = (layer for layer in shape.layers if not guarded or any(below.guarded for below in layer.shapes))
        inner = shape.inner.parts(part, guarded=guarded) if shape.inner is not None else ()
        return all(layer.fits(part, notes, guarded=guarded) for layer in layers) and all(
            _fits(below, notes, guarded=guarded) for below in inner
        )
    except Misfit:
        return False


def _may_change(shape: Shape) -> bool:
    """Whether code of the type's author may make something else of a value."""
    return shape.opaque or any(_may_change(further) for layer in shape.layers for further in layer.shapes)


_SECRETS: Final = (Secret, SecretStr, SecretBytes)
