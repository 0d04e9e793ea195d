"""Whether a value is still what was validated, after guards have held it: what is judged is what is delivered.

A look at what the value is made of, by identity; nothing is copied but references, and no code of the value's own runs.
What an instance keeps beside its fields (private attributes, caches, what it computes once) and what lies behind an
object of another kind (a service, a connection) is no part of the value.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

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
            if _fields(kind) is not None:  # its attributes are parts of the value, with all that they hold
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
    of = type(part)  # and not its `__class__`, which may say anything
    for kind, items in _CONTAINERS.items():
        if issubclass(of, kind):
            return list(items(part))
    return []


def _attributes(part: Any) -> dict[str, Any]:
    kind = type(part)
    if kind in _CONTAINERS:
        return {}
    fields = _fields(kind) or ()
    try:
        attributes: dict[str, Any] = dict(object.__getattribute__(part, "__dict__"))
    except AttributeError:
        attributes = {}
    for name in (*fields, *_BESIDE, *(slot for cls in kind.__mro__ for slot in _slots(cls))):
        if name not in attributes:
            try:
                attributes[name] = object.__getattribute__(part, name)
            except AttributeError:
                continue
    return {
        name: held
        for name, held in attributes.items()
        if name in fields or name in _BESIDE or (held is not None and not name.startswith("_"))
    }


def _fields(kind: type) -> Collection[str] | None:
    """The names of the fields of a record, which may have none; None for any other class.

    An underscored field of a dataclass that no answer can fill is private, as a model's are.
    """
    if isinstance(fields := kind.__dict__.get("__pydantic_fields__"), Mapping) and issubclass(kind, BaseModel):
        return fields
    if isinstance(fields := getattr(kind, "__dataclass_fields__", None), Mapping):
        return {name for name, field in fields.items() if not name.startswith("_") or field.init}
    return ("_secret_value",) if issubclass(kind, _SECRETS) else None


def _slots(cls: type) -> Iterator[str]:
    slots = cls.__dict__.get("__slots__", ())
    yield from (slots,) if isinstance(slots, str) else slots


_SECRETS: Final = (Secret, SecretStr, SecretBytes)
_BESIDE: Final = ("__pydantic_extra__", "__pydantic_fields_set__")


def _entries(part: dict[Any, Any]) -> Iterator[Any]:
    return (inner for entry in dict.items(part) for inner in entry)


def _in_order(part: OrderedDict[Any, Any]) -> list[Any]:
    """It keeps an order beside the one of a dict."""
    entries = list(_entries(part))
    with suppress(KeyError):  # of an entry that is gone from the dict alone
        entries += OrderedDict.__iter__(part)
    return entries


# By the builtin's own methods: a class made of one may have others, which may raise.
_CONTAINERS: Final[dict[type, Callable[[Any], Iterable[Any]]]] = {
    OrderedDict: _in_order,
    dict: _entries,
    **{kind: kind.__iter__ for kind in (list, tuple, deque, set, frozenset, bytearray)},
}
_UNCHANGING: Final = frozenset(
    {str, int, float, bool, type(None), bytes, complex, Decimal, date, datetime, time, timedelta, UUID}
)
