"""The guards. One guard, or one family, per file; `base` holds what they share.

Each is loaded when it is first named, so that a rule does not bring the libraries of its neighbours with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.checks.base import Guard, Scored, check
    from guards.checks.length import Length
    from guards.checks.one_of import OneOf
    from guards.checks.pattern import Pattern
    from guards.checks.range import Range
    from guards.checks.similarity import Similarity

__all__ = ["Guard", "Length", "OneOf", "Pattern", "Range", "Scored", "Similarity", "check"]

_HOMES: Final = {
    "Guard": "base",
    "Length": "length",
    "OneOf": "one_of",
    "Pattern": "pattern",
    "Range": "range",
    "Scored": "base",
    "Similarity": "similarity",
    "check": "base",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
