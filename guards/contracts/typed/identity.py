"""What a type takes, as plain data: its core schema, in which functions and classes are told by their code, and its
JSON Schema, for the words of the prompt."""

from __future__ import annotations

from typing import Any, Final

from guards.contracts.typed.shape import METADATA_KEY
from guards.identity import Untold, describe, name_of
from guards.values.code import functions_of, is_the_users

__all__ = ["told_schema", "told_words"]

# How a value is written again has no part in what is read.
_ASIDE: Final = frozenset({"serialization", "computed_fields"})


def told_schema(schema: Any) -> Any:
    """A core schema as data that is the same in every process."""
    return _Telling().of(schema)


def told_words(schema: Any, *, names: bool = False) -> Any:
    """A type's JSON Schema as such data: what only a model is told (descriptions, titles, examples) is asked for, too.
    Less the defaults, which the core schema has: pydantic writes those that are sets in any order."""
    if type(schema) is list:
        return [told_words(item) for item in schema]
    if type(schema) is not dict:
        return describe(schema)
    parts = [(key, part) for key, part in schema.items() if names or key != "default"]
    return {"named": [[key, told_words(part, names=not names and key in _NAMING)] for key, part in parts]}


_NAMING: Final = frozenset({"properties", "patternProperties", "$defs"})


class _Telling:
    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        """pydantic names definitions by addresses in memory."""

    def of(self, value: Any) -> Any:
        if type(value) is list or type(value) is tuple:
            return [self.of(item) for item in value]
        if type(value) is not dict:
            return describe(value)
        if not isinstance(value.get("type"), str):  # names nodes, or holds settings
            return {"named": [[describe(key), self.of(part)] for key, part in value.items()]}
        told: dict[str, Any] = {}
        for key, part in value.items():
            if key in ("ref", "schema_ref"):
                told[key] = self._names.setdefault(part, len(self._names))
            elif key == "metadata":
                told["guards"] = [describe(guard) for guard in (part or {}).get(METADATA_KEY, ())]
            elif key == "cls":
                told[key] = [name_of(part), _code(part)]
            elif key in ("default", "expected", "members", "function") and not _is_node(part):
                told[key] = describe(part)
            elif key not in _ASIDE:
                told[key] = self.of(part)
        return told


def _is_node(value: Any) -> bool:
    """Of a function it is said how it is called, beside it."""
    return type(value) is dict and isinstance(value.get("type"), str) and "function" in value


def _code(cls: Any) -> Any:
    """The code of a class and of those above it that are the user's; one without source is told by its schema and
    functions."""
    own = [base for base in cls.__mro__ if is_the_users(base.__module__)]
    return [_told_class(base) for base in own]


def _told_class(cls: type) -> Any:
    told = describe(cls)
    if not isinstance(told, Untold):
        return told
    return [[name, describe(function)] for name, function in functions_of(cls)]
