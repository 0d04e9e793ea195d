"""When two values are the same: of the same types, all the way down. `True` is not `1`, and neither is `1.0`.

Python's own `==` says too much (`1 == True`), too little (`nan != nan`) or nothing at all (an array, an `__eq__` that
raises). So values are compared by keys made of them here, in which nothing is asked of them but what they are made of.
What has no parts that could be told (a function, a client, a lock) is the same as itself alone.
"""

from __future__ import annotations

import copyreg
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from typing import Any, Final, cast

__all__ = ["Itself", "key_of", "parts_of"]


class Itself:
    """A value that is the same as itself alone. Held, so that no other can come to lie at its address."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Itself) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"Itself({type(self.value).__name__})"


def key_of(value: Any, *, own: bool = True) -> Hashable:
    """A key that is equal for the same values, and for no others.

    `own`: whether an object that says itself what it is (by a method `__sameness__`, as guards do) is believed; if not,
    it is the same as itself alone. Never raises, whatever the value is made of.
    """
    try:
        return _key(value, own, ())
    except RecursionError:
        return Itself(value)


_ATOMS: Final = frozenset({type(None), bool, int, str, bytes})
_BY_REPR: Final = frozenset({float, complex})
"""-0.0 is not 0.0, and one NaN is as good as another."""
_SEQUENCES: Final = frozenset({list, tuple, deque})
_MAPPINGS: Final = frozenset({dict, OrderedDict})
_SETS: Final = frozenset({set, frozenset})
_HOLDERS: Final = (str, bytes, bytearray, int, float, complex, *_SEQUENCES, *_MAPPINGS, *_SETS)
"""What one of these is lies past the fields of a class that is made on it."""


def _key(value: Any, own: bool, within: tuple[int, ...]) -> Hashable:
    kind = type(value)
    if kind in _ATOMS:
        return kind, value
    if kind in _BY_REPR:
        return kind, repr(value)
    if isinstance(value, type) or id(value) in within:
        return Itself(value)
    within = (*within, id(value))
    if kind in _SEQUENCES:
        return kind, tuple([_key(item, own, within) for item in value])
    if kind in _MAPPINGS:
        return kind, tuple([(_key(name, own, within), _key(item, own, within)) for name, item in value.items()])
    if kind in _SETS:
        return kind, frozenset([_key(item, own, within) for item in value])
    if kind is bytearray:
        return kind, bytes(value)
    if (sameness := getattr(kind, "__sameness__", None)) is not None:
        return cast("Hashable", sameness(value)) if own else Itself(value)
    if is_dataclass(kind) and _says(kind, "__eq__"):
        if isinstance(value, _HOLDERS):
            return Itself(value)
        # What its `==` leaves out may be what a guard goes by.
        has = {field.name: getattr(value, field.name, None) for field in fields(kind)} | getattr(value, "__dict__", {})
        return kind, tuple([(name, _key(part, own, within)) for name, part in has.items()])
    made_of = parts_of(value, kind)
    return Itself(value) if made_of is None else (kind, _key(made_of, own, within))


def parts_of(value: Any, kind: type) -> tuple[Any, ...] | None:
    """What a value of any other class is made of, by the protocol of pickling; None for what is no value.

    A value has an equality and a hash of its own: dates, decimals, paths, patterns, members of enums, types with
    arguments. What has neither is one of its kind; what has no hash (an array, a frame) may change.
    """
    if not _says(kind, "__eq__") or not _says(kind, "__hash__") or kind.__hash__ is None:
        return None
    try:
        reduce = copyreg.dispatch_table.get(kind)
        made = value.__reduce_ex__(4) if reduce is None else reduce(value)
    except RecursionError:
        raise
    except Exception:  # noqa: BLE001  # a class may refuse in any way
        return None
    # A name alone says where to find this very object; items that come one by one are of what can change.
    return None if isinstance(made, str) or any(part is not None for part in made[3:]) else tuple(made[:3])


def _says(kind: type, method: str) -> bool:
    """Whether a class has a method of its own, and not that of every object."""
    return getattr(kind, method) is not getattr(object, method)
