"""What a type takes, as plain data: its core schema, in which functions and classes are told by their code."""

from __future__ import annotations

from typing import Any, Final

from guards.contracts.typed.shape import METADATA_KEY
from guards.identity import describe, name_of

__all__ = ["told_schema"]

# How a value is written again has no part in what is read.
_ASIDE: Final = frozenset({"serialization", "computed_fields"})


def told_schema(schema: Any) -> Any:
    """A core schema as data that is the same in every process."""
    return _Telling().of(schema)


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
    """The code of a class and of those above it that are the user's; a class without source is told by its schema."""
    own = [base for base in cls.__mro__ if base.__module__.partition(".")[0] not in _NOT_THE_USERS]
    return [described.get("code") for described in map(describe, own)]


_NOT_THE_USERS: Final = frozenset({"builtins", "abc", "typing", "enum", "pydantic"})
