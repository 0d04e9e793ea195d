"""What a document can hold of a value that somebody proposes: plain data of a size that an answer may have."""

from __future__ import annotations

import math
from typing import Any, Final

from guards.findings import NO_FIX

__all__ = ["as_document"]

_DEEPEST: Final = 200
_MOST_CHARS: Final = 10_000_000
"""As `Limits` has both for an answer."""
_MOST_VALUES: Final = 1_000_000
_LONGEST_INT: Final = 14_000
"""Bits. Python writes no longer number in decimal."""


def as_document(value: Any) -> Any:
    """A copy that is plain data; `NO_FIX` for what no document can hold: a NaN, an instance that would have to be
    guessed at, what contains itself, what is longer or nested deeper than an answer may be."""
    try:
        return _Holding().of(value, 0)
    except _CannotError:
        return NO_FIX


class _CannotError(Exception):
    """No document holds it."""


class _Holding:
    def __init__(self) -> None:
        self._chars = _MOST_CHARS
        self._values = _MOST_VALUES

    def of(self, value: Any, depth: int) -> Any:
        self._values -= 1
        if depth > _DEEPEST or self._values < 0:  # what contains itself ends here, too
            raise _CannotError
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            number = int.__index__(value)
            if number.bit_length() > _LONGEST_INT:
                raise _CannotError
            return number
        if isinstance(value, float) and math.isfinite(value):
            return float.__float__(value)
        if isinstance(value, list | tuple):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {self._text(key): self.of(item, depth + 1) for key, item in value.items()}
        raise _CannotError

    def _text(self, text: str) -> str:
        self._chars -= len(text)
        if self._chars < 0:
            raise _CannotError
        return str.__str__(text)
