"""The guards in the annotations of a type, as its author wrote them: what pydantic made of them may have lost some."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import typing_extensions

__all__ = ["declared", "in_annotation", "strays"]

_ALIASES: Final = (typing_extensions.TypeAliasType, getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType))
"""The statement's and the backport's, which may be two."""


def declared(cls: type) -> dict[str, list[Any]]:
    """The guards in the annotations of each field, as the author of the class wrote them: a later annotation may have
    put the schema of the earlier ones aside."""
    fields = getattr(cls, "__pydantic_fields__", None)
    if fields is not None:
        written = {name: (field.annotation, field.metadata) for name, field in fields.items()}
    else:
        written = {name: (hint, ()) for name, hint in _hints(cls).items()}
    return {name: [*_guards_among(extra), *in_annotation(kind)] for name, (kind, extra) in written.items()}


def strays(cls: type) -> Iterator[Any]:
    """The guards that a model declares where nothing is ever delivered: as a default, beside its fields."""
    fields = getattr(cls, "__pydantic_fields__", None) or {}
    yield from _guards_among([field.default for field in fields.values()])
    if getattr(cls, "__private_attributes__", None) or getattr(cls, "__class_vars__", None):
        for name, hint in _hints(cls).items():
            if name not in fields and name != "__pydantic_extra__":
                yield from in_annotation(hint)


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError):  # pydantic has found these names in a place of its own
        return {}


def in_annotation(annotation: Any, within: tuple[Any, ...] = ()) -> Iterator[Any]:
    """The guards in an annotation, at any depth."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _guards_among(annotation.__metadata__)
    for alias in (annotation, origin):  # `type Names = ...`, which may name itself, and `Names[int]`
        if isinstance(alias, _ALIASES) and not any(alias is one for one in within):
            yield from in_annotation(alias.__value__, (*within, alias))
    for inner in get_args(annotation):
        yield from in_annotation(inner, within)


def _guards_among(metadata: Any) -> Iterator[Any]:
    # By the mark that they leave: guards stand two floors up.
    for one in metadata:
        if getattr(one, "leaves_guard", False) is True:
            yield one
        elif isinstance(one, list | tuple | set | frozenset):  # pydantic passes over them
            yield from _guards_among(one)
