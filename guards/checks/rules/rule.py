"""What the rules share: how a value is looked at, and what becomes of one that a rule is not made for.

A rule is a guard that needs no model: pattern, length, one-of, range. It looks at what the document holds, so a member
of an enum counts as its value. A JSON value of the wrong kind is a finding, since a model can mend it; any other
Python object is a `TypeError`, and so `guard.failed`: the rule stands at a place where it cannot work.
"""

from __future__ import annotations

import math
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from guards.checks.base import Guard
from guards.errors import ConfigError
from guards.findings import Finding

__all__ = ["Rule", "check_flag", "is_nan", "kind", "unwrapped"]


class Rule(Guard):
    """A guard without a model, of cost 0. Its findings have the one code `code`."""

    always_quick: ClassVar[bool] = True
    code: ClassVar[str] = "rule"

    def misfit(self, value: Any, wanted: str) -> Finding:
        """The finding on a JSON value that is not of the wanted kind. TypeError for any other object."""
        found = kind(value)
        if found is None:
            raise TypeError(
                f"{type(self).__name__} checks {wanted}, not {type(value).__name__}; put it at a place that holds "
                f"{wanted}, with .on() or in Annotated"
            )
        return Finding(self.code, f"must be {wanted}, not {found}", expected=wanted)


def unwrapped(value: Any) -> Any:
    """What the document holds for a value: of an enum's member its value, of a `str` subclass the text."""
    if isinstance(value, Enum):
        value = value.value
    # A subclass may override what the rules call.
    return str.__str__(value) if isinstance(value, str) else value


def kind(value: Any) -> str | None:
    """The JSON kind of a value, in words with their article; None for what JSON has no form for."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float | Decimal):
        return "a number"
    if isinstance(value, list | tuple | set | frozenset):
        return "a list"
    return "an object" if isinstance(value, dict) else None


def is_nan(value: Any) -> bool:
    """Whether a value is a number that equals nothing."""
    # A signalling NaN among Decimals does not even compare.
    return value.is_nan() if isinstance(value, Decimal) else isinstance(value, float) and math.isnan(value)


def check_flag(value: Any, where: str) -> None:
    """`ConfigError` for an option that must be True or False and is something else."""
    if not isinstance(value, bool):
        raise ConfigError(f"must be True or False, not {value!r}", where=where)
