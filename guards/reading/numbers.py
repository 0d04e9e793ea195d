"""Numbers as they are written: an int, a float where its digits say the same, else a Decimal.

Python's own parser and pydantic's make a float of whatever has a point or an exponent, and are silent about what it
loses. So a document holds the number that was written, and each contract says what may become of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final, TypeAlias

__all__ = [
    "INFINITE",
    "OUT_OF_RANGE",
    "Comparable",
    "Number",
    "as_whole",
    "comparable",
    "decimal_of",
    "dumps",
    "exact",
    "fits_float",
    "is_inexact",
    "numerically",
]

Number: TypeAlias = int | float | Decimal
OUT_OF_RANGE: Final = "is a number that is out of range: no float comes near to it"
INFINITE: Final = Decimal("Infinity")
"""Of a number that nothing can hold. No contract takes it."""
_MOST_DIGITS: Final = 4300
"""Python's own bound on the digits of an integer: what is longer takes quadratic time."""
_MOST_SURE: Final = 15
"""Digits that every float of the usual range keeps."""
_MOST_ZEROS: Final = 400
_LARGEST: Final = 2**1024


def exact(digits: str) -> Number:
    """The number that is written there, in JSON's form. ValueError for one that nothing can hold, or too long."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"the number {digits[:40]} is too long")
    try:
        return int(digits)
    except ValueError:
        if digits.lstrip("+-").isdigit():
            raise
    near = float(digits)
    if len(digits) <= _MOST_SURE and (1e-300 < near < 1e300 or -1e300 < near < -1e-300):
        return near
    try:
        written = Decimal(digits)
    except InvalidOperation:
        raise ValueError(f"the number {digits[:40]} is out of range") from None
    # Decimal gives up at some exponents by itself: infinite, or zero.
    if not written.is_finite() or (not written and any(digit in "123456789" for digit in digits.lower().split("e")[0])):
        raise ValueError(f"the number {digits[:40]} is out of range")
    return near if near - near == 0 and Decimal(repr(near)) == written else written


def as_whole(value: Number) -> int | None:
    """The integer that a number is, as it is written: `1e23` is 10**23. None where it is none, or too long."""
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not value.is_integer():
            return None
        if -(2**53) < value < 2**53:
            return int(value)
    written = decimal_of(value)
    # Six characters write a number of thousands of digits; a list of them would take minutes.
    if not written.is_finite() or written.adjusted() > len(written.as_tuple().digits) + _MOST_ZEROS:
        return None
    # Not by `to_integral_value`, which rounds to the precision of the thread's context.
    number = Fraction(written) if written.as_tuple().exponent >= -_MOST_DIGITS else None  # type: ignore[operator]
    return number.numerator if number is not None and number.denominator == 1 else None


def decimal_of(value: Number) -> Decimal:
    """The number as a Decimal with the digits that it is written with."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def fits_float(value: Number) -> bool:
    """Whether the nearest float is no infinity, and zero only for zero."""
    try:
        near = float(value)
    except OverflowError:
        return False
    return near - near == 0 and bool(near) == bool(value)


def numerically(value: Number) -> Number | Fraction:
    """A form in which numbers compare and divide as they are written. Python takes all binary digits of a float.

    An int or a Fraction, but for what is not finite or has an exponent that takes all memory to write out.
    """
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if value - value != 0:
            return value
        return int(value) if -(2**53) < value < 2**53 and value.is_integer() else Fraction(repr(value))
    return Fraction(value) if value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS else value


class Comparable(float):
    """A Decimal for those who take floats alone (the filters of a JSONPath): it compares as it is written."""

    def __init__(self, written: Decimal) -> None:
        self.written = written

    def __eq__(self, other: object) -> bool:
        return bool(self.written == _exactly(other))

    def __lt__(self, other: float) -> bool:
        return bool(self.written < _exactly(other))

    def __gt__(self, other: float) -> bool:
        return bool(self.written > _exactly(other))

    def __hash__(self) -> int:
        return hash(self.written)


def _exactly(other: Any) -> Any:
    return other.written if isinstance(other, Comparable) else decimal_of(other) if type(other) is float else other


def comparable(data: Any) -> Any:
    """Data whose numbers all compare with floats."""
    if isinstance(data, dict):
        return {key: comparable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [comparable(value) for value in data]
    return Comparable(data) if isinstance(data, Decimal) else data


def is_inexact(data: Any) -> bool:
    """Whether data holds a number that a float may change: a Decimal, an integer larger than any float, or a float with
    so many digits that others than Python write it in another way."""
    waiting = [data]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is dict:
            waiting += node.values()
        elif kind is list:
            waiting += node
        elif kind is float:
            if len(repr(node)) > _MOST_SURE + 1:
                return True
        elif kind is Decimal or (kind is int and not -_LARGEST < node < _LARGEST):
            return True
    return False


def dumps(data: Any, *, sort_keys: bool = False, ensure_ascii: bool = True) -> str:
    """The data as JSON, each number with all of its digits."""
    try:
        return json.dumps(data, sort_keys=sort_keys, ensure_ascii=ensure_ascii)
    except TypeError:  # a Decimal somewhere
        plain = json.JSONEncoder(sort_keys=sort_keys, ensure_ascii=ensure_ascii).encode
        return _written(data, plain, sort_keys)


def _written(data: Any, plain: Callable[[Any], str], sort_keys: bool) -> str:
    if isinstance(data, dict):
        members = sorted(data.items()) if sort_keys else data.items()
        return f"{{{', '.join(f'{plain(key)}: {_written(held, plain, sort_keys)}' for key, held in members)}}}"
    if isinstance(data, list):
        return f"[{', '.join(_written(item, plain, sort_keys) for item in data)}]"
    return str(data) if isinstance(data, Decimal) else plain(data)
