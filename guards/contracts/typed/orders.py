"""Whether items of lists are the same as before, and stand where they stood."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["Order", "is_kept", "is_object", "is_shared", "is_turned", "order_of"]


class _Listed(NamedTuple):
    """The items of a list, and what is known of each."""

    items: tuple[Any, ...]
    below: tuple[Order, ...]


Order: TypeAlias = "_Listed | dict[str, Order] | None"
"""Of an object its members that hold lists; None for what holds none."""


def order_of(value: Any) -> Order:
    """The order of what a validator is given, before it may change it in place."""
    if type(value) is list:
        return _Listed(tuple(value), tuple(map(order_of, value)))
    if type(value) is dict:
        orders = {key: order_of(held) for key, held in value.items()}
        return {key: order for key, order in orders.items() if order is not None} or None
    return None


def is_kept(order: Order, value: Any) -> bool:
    """Whether each item stands where it stood: the same object, or an equal one. What a field holds may differ."""
    if order is None:
        return True
    if isinstance(order, dict):
        if type(value) is not dict:
            return False
        return all(is_kept(below, value[key]) for key, below in order.items() if key in value)
    if type(value) is not list or len(value) != len(order.items):
        return False
    return all(
        _is_same(was, now) and is_kept(below, now)
        for was, below, now in zip(order.items, order.below, value, strict=True)
    )


def is_turned(order: Order, value: Any) -> bool:
    """Whether each object or list in a list is one that was there, wherever in it: none was made anew."""
    if isinstance(order, dict) and type(value) is dict:
        return all(is_turned(below, value[key]) for key, below in order.items() if key in value)
    if isinstance(order, _Listed) and type(value) is list:
        there = {id(item): below for item, below in zip(order.items, order.below, strict=True)}
        records = [item for item in value if is_object(item)]
        return all(id(item) in there and is_turned(there[id(item)], item) for item in records)
    return order is None


def _is_same(was: Any, now: Any) -> bool:
    return was is now or (type(was) is type(now) and type(was) in _PLAIN and bool(was == now))


def is_object(item: Any) -> bool:
    """Whether an item is known by its identity: it is no value of which Python or the type's author may have one for
    many."""
    return not isinstance(item, _SCALARS) and not (isinstance(item, tuple | frozenset) and not len(item))


def is_shared(item: Any) -> bool:
    """Whether Python has one object for all such values: a small number, a single letter."""
    if isinstance(item, str | bytes):
        return len(item) <= 1
    return isinstance(item, _SCALARS) and (not isinstance(item, int | float) or -_SMALL <= item <= _SMALL)


_SMALL: Final = 1_000
_SCALARS: Final = (str, int, float, bytes, Enum, type, type(None))
_PLAIN: Final = frozenset({str, int, float, bool, list, dict})
