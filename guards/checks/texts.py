"""The texts in a value: what a guard that judges language looks at, each with its path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from guards.findings import escape

__all__ = ["judged_texts", "texts_of"]


def texts_of(value: Any) -> list[tuple[str, str]]:
    """Every text in a value with its JSON Pointer, in its order; a text itself has the path "".

    Looked into are mappings, sequences, pydantic models and dataclasses; keys are no texts, and neither are numbers.
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
    if isinstance(value, str):
        yield path, str(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}/{escape(str(key))}")
    elif isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}/{index}")
    elif (fields := getattr(type(value), "model_fields", None)) is not None:
        for name, field in fields.items():
            yield from _texts(getattr(value, name), f"{path}/{escape(_answered_as(name, field))}")
        for name, inner in (getattr(value, "model_extra", None) or {}).items():
            yield from _texts(inner, f"{path}/{escape(name)}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from _texts(getattr(value, one.name), f"{path}/{escape(one.name)}")


def _answered_as(name: str, field: Any) -> str:
    """The name in the document that was read: findings are addressed by it."""
    for alias in (field.validation_alias, field.alias):
        if isinstance(alias, str):
            return alias
    return name
