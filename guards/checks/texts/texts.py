"""The texts in a value: what a guard that judges language looks at, each with its path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from enum import Enum
from numbers import Number
from typing import Any, Final
from uuid import UUID

from guards.findings import escape, join_pointer
from guards.values.plain import plain

__all__ = ["judged_texts", "texts_of"]


def texts_of(value: Any) -> list[tuple[str, str]]:
    """Every text in a value with its JSON Pointer, in its order; a text itself has the path "".

    Looked into are mappings, sequences, sets, pydantic models and dataclasses; keys are no texts, and neither are
    numbers, dates and UUIDs. Of anything else (bytes, an enum, a path, an address) the text is what its JSON would
    hold. The path of an item of a set is that of the set, which has no order.
    """
    return list(_texts(value, ""))


def judged_texts(value: Any, guard: str) -> list[tuple[str, str]]:
    """As `texts_of`, for a guard that cannot judge a value without any text. Raises TypeError for one."""
    found = texts_of(value)
    if not found:
        raise TypeError(
            f"{guard} judges text, and this {type(value).__name__} holds none; put it at a place that holds text, with "
            ".on() or in Annotated"
        )
    return found


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Enum):
        yield from _texts(value.value, path)
    elif isinstance(value, str):
        yield path, str(value)
    elif isinstance(value, bytes | bytearray):
        yield path, value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}/{escape(str(getattr(key, 'value', key)))}")
    elif isinstance(value, set | frozenset):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}/{index}")
    elif (fields := _fields(type(value))) is not None:
        root = getattr(value, "__pydantic_root_model__", False)
        for name, field in fields.items():
            yield from _texts(getattr(value, name), path if root else path + _answered_at(name, field))
        for name, inner in (getattr(value, "model_extra", None) or {}).items():
            yield from _texts(inner, f"{path}/{escape(name)}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from _texts(getattr(value, one.name), f"{path}/{escape(one.name)}")
    elif value is not None and not isinstance(value, _NO_TEXT):
        yield from _texts(plain(value), path)


_NO_TEXT: Final = (Number, date, time, timedelta, UUID)


def _fields(kind: type) -> Mapping[str, Any] | None:
    """Of a pydantic model or dataclass."""
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__pydantic_fields__", None)
    return fields if isinstance(fields, Mapping) else None


def _answered_at(name: str, field: Any) -> str:
    """The pointer into the document that was read, by the first of several aliases: findings are addressed by it."""
    alias = next((alias for alias in (field.validation_alias, field.alias) if alias is not None), name)
    alias = getattr(alias, "choices", [alias])[0]
    return join_pointer(getattr(alias, "path", [alias]))
