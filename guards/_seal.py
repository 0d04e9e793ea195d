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
from typing import Any, Final
from uuid import UUID

__all__ = ["Seal", "can_change"]


class Seal:
    """`put_on` before guards get a value; `broken` afterwards."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, type, list[Any], list[tuple[str, Any]]]] = {}
        """By identity each mutable part, with its class, its items and its attributes."""

    def put_on(self, value: Any) -> None:
        """Remember what the value and its parts hold."""
        waiting = [value]
        while waiting:
            part = waiting.pop()
            kind = type(part)
            if kind in _UNCHANGING or id(part) in self._kept or isinstance(part, Enum | type):
                continue
            items, attributes = _items(part), _attributes(part)
            self._kept[id(part)] = part, kind, items, list(attributes.items())
            waiting += items
            waiting += attributes.values()

    def broken(self) -> bool:
        """Whether something holds other things than before."""
        return any(
            type(part) is not kind or _differ(items, _items(part)) or _were(attributes, _attributes(part))
            for part, kind, items, attributes in self._kept.values()
        )


def can_change(value: Any) -> bool:
    """Whether a guard could change it."""
    return type(value) not in _UNCHANGING


def _differ(before: list[Any], after: list[Any]) -> bool:
    return len(before) != len(after) or any(one is not other for one, other in zip(before, after, strict=True))


def _were(before: list[tuple[str, Any]], after: dict[str, Any]) -> bool:
    """Whether an attribute has become another; what was added, or was nothing before, is beside the value."""
    return any(after.get(name, _GONE) is not held for name, held in before)


_GONE: Final = object()


def _items(part: Any) -> list[Any]:
    if isinstance(part, list | tuple | deque | set | frozenset | bytearray):
        return list(part)
    return [inner for entry in part.items() for inner in entry] if isinstance(part, Mapping) else []


def _attributes(part: Any) -> dict[str, Any]:
    kind = type(part)
    if kind in _CONTAINERS:
        return {}
    fields = getattr(kind, "__pydantic_fields__", None) or getattr(kind, "__dataclass_fields__", None) or ()
    attributes = dict(getattr(part, "__dict__", ()))
    for name in (*fields, *_BESIDE, *(slot for cls in kind.__mro__ for slot in _slots(cls))):
        if name not in attributes and (held := getattr(part, name, None)) is not None:
            attributes[name] = held
    attributes |= getattr(part, "__pydantic_private__", None) or {}
    return {name: held for name, held in attributes.items() if held is not None or name in fields}


def _slots(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if not name.startswith("__"))


_BESIDE: Final = ("__pydantic_extra__", "__pydantic_fields_set__")
_CONTAINERS: Final = frozenset({list, tuple, deque, set, frozenset, bytearray, dict})
_UNCHANGING: Final = frozenset(
    {str, int, float, bool, type(None), bytes, complex, Decimal, date, datetime, time, timedelta, UUID}
)
