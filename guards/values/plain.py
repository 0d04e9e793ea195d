"""A value of any kind as plain JSON data: for records (`recorded`), and for whoever judges it (`plain`).

The two differ where a value has no such form. A record says so in the value's place and is never lost; a guard must not
judge what stands in for the value, so `plain` raises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

__all__ = ["plain", "recorded"]

_DEEPEST: Final = 400
"""Nested deeper, the standard library's writer of JSON could not write it."""
_MOST: Final = 10_000_000
"""Values in one value. A few lists that hold each other twice over stand for more than any memory holds."""
_LONGEST_INT: Final = 14_000
"""Bits. Python writes no longer number in decimal."""


def plain(value: Any) -> Any:
    """The same in plain JSON data; what JSON has no form for becomes text. NaN and infinities become their names.

    Raises ValueError for what contains itself or is nested too deep, and what the value's own code raises.
    """
    return value if type(value) in _SIMPLE else _Plainly(_MOST, lenient=False).of(value, 0)


def recorded(value: Any, *, most: int = _MOST) -> Any:
    """As `plain`; never raises. In the place of what has no form, and of what goes past so many values, stands a
    word."""
    return value if type(value) in _SIMPLE else _Plainly(most, lenient=True).of(value, 0)


_SIMPLE: Final = frozenset({type(None), str, bool})


class _Plainly:
    """One value on its way."""

    def __init__(self, most: int, *, lenient: bool) -> None:
        self._left = most
        self._lenient = lenient
        self._within: set[int] = set()
        """The containers that hold what is looked at."""

    def of(self, value: Any, depth: int) -> Any:
        if type(value) in _SIMPLE:
            return value
        try:
            if isinstance(value, str | int | float):
                return _scalar(value)
            self._enter(value, depth)
            try:
                if isinstance(value, Mapping):
                    return self._members(value, depth + 1)
                if isinstance(value, list | tuple):
                    return self._items(value, depth + 1)
                if isinstance(value, set | frozenset):  # in an order that is the same in every process
                    return sorted(self._items(value, depth + 1), key=json.dumps)
                return self.of(_foreign(value), depth + 1)
            finally:
                self._within.discard(id(value))
        except Exception as fault:  # of the value's own code, or of ours
            if not self._lenient:
                raise
            return f"<{type(value).__name__} without a JSON form: {type(fault).__name__}>"

    def _enter(self, value: Any, depth: int) -> None:
        if depth > _DEEPEST:
            raise ValueError(f"nested deeper than {_DEEPEST}")
        if id(value) in self._within:
            raise ValueError(f"a {type(value).__name__} that contains itself")
        self._within.add(id(value))

    def _full(self) -> bool:
        """Whether nothing more is written down."""
        self._left -= 1
        if self._left >= 0:
            return False
        if not self._lenient:
            raise ValueError("too many values")
        return True

    def _items(self, value: Iterable[Any], depth: int) -> list[Any]:
        items: list[Any] = []
        for item in value:
            if self._full():
                return [*items, _MORE]
            items.append(self.of(item, depth))
        return items

    def _members(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, item in value.items():
            if self._full():
                return {**members, _MORE: None}
            name = key if type(key) is str else str(self.of(key, depth))
            members[_free(name, members)] = self.of(item, depth)
        return members


_MORE: Final = "<and more>"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    """A name that no member has yet: 1 and "1" are two keys."""
    if name not in taken:
        return name
    number = 2
    while f"{name}#{number}" in taken:
        number += 1
    return f"{name}#{number}"


def _scalar(value: Any) -> Any:
    """Text or a number as such, whatever class is made of it, and whatever that says of itself."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        number = int.__index__(value)
        return number if number.bit_length() <= _LONGEST_INT else hex(number)
    if isinstance(value, float):
        real = float.__float__(value)
        return real if real - real == 0 else str(real)
    return str.__str__(value)


def _foreign(value: Any) -> Any:
    """Instances of models, dataclasses and such, by pydantic; the `repr` of what it does not know."""
    from pydantic import TypeAdapter
    from pydantic_core import PydanticSerializationError

    try:
        # Without warnings: a list stands where the type says `Iterable`.
        return TypeAdapter(type(value)).dump_python(value, mode="json", by_alias=True, warnings=False)
    except (PydanticSerializationError, TypeError, ValueError, RecursionError):
        return str.__str__(repr(value))
    except Exception as fault:  # a schema cannot be made of every class; what it raises then is its own affair
        if type(fault).__module__.startswith("pydantic"):
            return str.__str__(repr(value))
        raise
