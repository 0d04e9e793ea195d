"""Which member of a union a value came of: noted by validation itself, at the moment when a member made it.

The core schema is compiled with a note behind each member of a union that leads to guards. What was noted is found
again by the identity of the value, so that nothing is validated twice. A value that no member made (a default, or what
a validator put in its place) is taken for every member that it could be of: their guards all judge it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from pydantic_core import core_schema

from guards.contracts.type_structures import MADE, Part, stored

if TYPE_CHECKING:
    from guards.contracts.type_shape import Shape

__all__ = [
    "Given",
    "Layer",
    "Made",
    "Members",
    "Parsed",
    "Revealed",
    "Root",
    "Same",
    "as_it_is",
    "fits_kind",
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
    """What a `Secret` holds."""

    __slots__ = ("shapes",)

    def __init__(self, shape: Shape) -> None:
        self.shapes = (shape,)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        secret = part.value
        revealed = secret.get_secret_value() if hasattr(secret, "get_secret_value") else secret
        yield part._replace(shape=self.shapes[0], value=revealed)


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


class Members(Layer):
    """A union. `fits`: for each member whether a value is one of its own, as `fits_kind` says."""

    __slots__ = ("fits", "node", "shapes")

    def __init__(self, node: Any, members: Sequence[tuple[Callable[[Any], bool | None], Shape]]) -> None:
        self.node = node
        self.fits = tuple(fits for fits, _ in members)
        self.shapes = tuple(shape for _, shape in members)

    @property
    def unclear(self) -> bool:
        """Whether it depends on the member which guards judge a value."""
        return any(shape.guarded for shape in self.shapes)

    def of(self, part: Part, made: Made) -> Iterator[Part]:
        value = part.value
        known = made.get((id(self.node), id(value)))
        shapes = [self.shapes[index] for index in known[1]] if known is not None else self._possible(value)
        return (part._replace(shape=shape) for shape in shapes)

    def _possible(self, value: Any) -> Sequence[Shape]:
        """The members that a value of which nothing was noted could be of: all of them, where it is plainly of none."""
        fits = [fits(value) for fits in self.fits]
        if True not in fits:
            return self.shapes
        return [shape for shape, fit in zip(self.shapes, fits, strict=True) if fit is not False]


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
    members = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
    return {**copied, "choices": [_behind(member, key, index) for index, member in enumerate(members)]}


def _behind(member: Any, key: int, index: int) -> Any:
    def note(value: Any) -> Any:
        made = _NOTES.here
        if made is not None:
            # The value is kept, so that its identity stays its own.
            made.setdefault((key, id(value)), (value, set()))[1].add(index)
        return value

    return core_schema.no_info_after_validator_function(note, member)


def as_it_is(value: Any) -> Any:
    """The validator that a guard puts around what has no metadata of its own: it changes nothing."""
    return value


def fits_kind(node: Any, definitions: Mapping[str, Any], value: Any) -> bool | None:
    """Whether a value is of a core-schema node, by its kind alone; None where the kind does not tell."""
    behind = False
    for _ in range(_DEEPEST):
        kind = node["type"]
        if kind == "definition-ref" and node["schema_ref"] in definitions:
            node = definitions[node["schema_ref"]]
        elif kind in _INNER and isinstance(node.get(_INNER[kind]), Mapping):
            behind = behind or (kind in _CODE and node["function"]["function"] is not as_it_is)
            node = node[_INNER[kind]]
        else:
            break
    if kind in ("model", "dataclass", "enum", "named-tuple"):
        # What a validator makes of an instance may be anything, but hardly an instance of another member.
        return isinstance(value, node["cls"]) or (None if behind and not _is_record(value) else False)
    if behind:
        return None
    if kind in ("union", "tagged-union"):
        choices = node["choices"].values() if isinstance(node["choices"], Mapping) else node["choices"]
        members = [choice[0] if isinstance(choice, tuple) else choice for choice in choices]
        return _any_fits(fits_kind(member, definitions, value) for member in members)
    if kind == "nullable":
        return value is None or fits_kind(node["schema"], definitions, value)
    if kind == "literal":
        return any(type(value) is type(expected) and value == expected for expected in node["expected"])
    known = _KINDS.get(kind)
    return None if known is None else isinstance(value, known) and (kind == "bool" or not isinstance(value, bool))


def _any_fits(fits: Iterable[bool | None]) -> bool | None:
    found = set(fits)
    return True if True in found else None if None in found else False


def _is_record(value: Any) -> bool:
    return hasattr(type(value), "__pydantic_fields__") or hasattr(type(value), "__dataclass_fields__")


_DEEPEST: Final = 50
"""Definitions may refer to each other in a circle."""
_CODE: Final = ("function-after", "function-before", "function-wrap")
_INNER: Final = {
    **dict.fromkeys(_CODE, "schema"),
    "definitions": "schema",
    "default": "schema",
    "custom-error": "schema",
    "json-or-python": "json_schema",
}
_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "none": type(None),
    "bool": bool,
    "int": int,
    "float": (float, int),
    "str": str,
    "bytes": bytes,
    "decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "uuid": UUID,
    "list": list,
    "generator": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": Mapping,
    "typed-dict": dict,
}
# Values of the user's own under these keys may look like schemas and are none.
_OPAQUE: Final = frozenset({"metadata", "default", "cls", "expected", "members", "function", "serialization"})
