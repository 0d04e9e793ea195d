"""Whether a value is still what was validated, after guards have held it: what is judged is what is delivered.

A look at what the mutable parts hold, by identity; nothing is copied but references. What an instance computes once and
keeps beside its fields is no change.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, TypeAlias
from uuid import UUID

__all__ = ["Seal"]

Held: TypeAlias = list[Any] | dict[str, Any]


class Seal:
    """`put_on` before guards get a value; `broken` afterwards."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, Held]] = {}
        """By identity each mutable part, with what it held."""

    def put_on(self, value: Any) -> None:
        """Remember what the value and its parts hold."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            if type(part) in _UNCHANGING or id(part) in self._kept:
                continue
            held = _held(part)
            self._kept[id(part)] = part, held
            waiting += held.values() if isinstance(held, dict) else held

    def broken(self) -> bool:
        """Whether something holds other things than before."""
        return any(_differ(held, _held(part)) for part, held in self._kept.values())


def _differ(before: Held, after: Held) -> bool:
    if isinstance(before, dict) and isinstance(after, dict):  # attributes: what was added is beside the value
        return any(after.get(name, _GONE) is not held for name, held in before.items())
    return len(before) != len(after) or any(one is not other for one, other in zip(before, after, strict=True))


_GONE: Final = object()


def _held(part: Any) -> Held:
    if isinstance(part, list | tuple | deque | set | frozenset | bytearray):
        return list(part)
    if isinstance(part, Mapping):
        return [inner for entry in part.items() for inner in entry]
    if isinstance(part, Enum | type):
        return []
    cls = type(part)
    fields = getattr(cls, "__pydantic_fields__", None) or getattr(cls, "__dataclass_fields__", None)
    # Without declared fields: what it keeps. What a class of slots computes and keeps (a path its parts) is its own.
    names = fields if fields is not None else getattr(part, "__dict__", ())
    held = {name: getattr(part, name, None) for name in (*names, *_BESIDE)}
    return {name: inner for name, inner in held.items() if inner is not None or name in names}


_BESIDE: Final = ("__pydantic_extra__", "__pydantic_fields_set__")
_UNCHANGING: Final = frozenset(
    {str, int, float, bool, type(None), bytes, complex, Decimal, date, datetime, time, timedelta, UUID}
)
