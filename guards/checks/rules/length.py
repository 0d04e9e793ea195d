"""Is a text, or a list, too long or too short? What a word or a sentence is, `values.text_units` says."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any, ClassVar, Final, Literal

from guards.checks.base import OnError, Unreadable
from guards.checks.rules.rule import Rule, unwrapped
from guards.context import Context
from guards.errors import ConfigError
from guards.findings import NO_FIX, Finding
from guards.policies import Policy
from guards.values.text_units import TEXT_UNITS, TextUnit, count, cut

__all__ = ["Length", "Unit"]

Unit = Literal["characters", "words", "sentences", "lines", "items"]
_UNITS: Final = (*TEXT_UNITS, "items")


class Length(Rule):
    """A text, list or object of at least `min` and at most `max` of a unit.

    Args:
        min, max: inclusive; at least one of them.
        unit: `"characters"`, `"words"`, `"sentences"`, `"lines"` of a text, or `"items"` of a list, set or object; by
            default characters or items, by what the value is.

    The fix of a text that is too long is its beginning, cut at the end of a sentence or word, and never shorter than
    `min`. None is proposed for one that is too short, nor for a list: which items may go is not for a rule to say.
    Code: `rule.length`; `actual` is the count.
    """

    code: ClassVar[str] = "rule.length"

    def __init__(
        self,
        *,
        min: int | None = None,  # noqa: A002  # the public name
        max: int | None = None,  # noqa: A002  # the public name
        unit: Unit | None = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        _check_bound(min, "Length(min=)")
        _check_bound(max, "Length(max=)")
        if min is None and max is None:
            raise ConfigError("has no bound", where="Length()", hint="give min=, max= or both")
        if min is not None and max is not None and min > max:
            raise ConfigError(f"min {min} is above max {max}", where="Length()", hint="exchange them")
        if unit is not None and unit not in _UNITS:
            raise ConfigError(f"unknown unit {unit!r}", where="Length(unit=)", hint=f"use one of {', '.join(_UNITS)}")
        self.min = min
        self.max = max
        self.unit: Unit | None = unit
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    def check(self, value: Any, context: Context) -> Finding | None:
        value = unwrapped(value)
        if isinstance(value, str):
            if self.unit == "items":
                return self.misfit(value, "a list or an object")
            return self._judge_text(value, self.unit or "characters")
        if self.unit not in (None, "items"):
            return self.misfit(value, "text")
        if not isinstance(value, Collection) or isinstance(value, bytes | bytearray | memoryview):
            return self.misfit(value, "a list or an object" if self.unit else "text, a list or an object")
        return self._judge(len(value), "items")

    def _judge_text(self, text: str, unit: TextUnit) -> Finding | None:
        finding = self._judge(count(text, unit), unit)
        if finding is None or self.max is None or finding.actual <= self.max:
            return finding
        shorter = cut(text, unit, self.max, self.min or 0)
        return finding.replace(fix=NO_FIX if shorter is None else shorter)

    def _judge(self, found: int, unit: Unit) -> Finding | None:
        if (self.min is None or found >= self.min) and (self.max is None or found <= self.max):
            return None
        expected = self._expected(unit)
        return Finding(self.code, f"must have {expected}", expected=expected, actual=found)

    def _expected(self, unit: Unit) -> str:
        low, high = self.min, self.max
        if low == high:
            bounds = f"exactly {high}"
        elif low is None or high is None:
            bounds = f"at most {high}" if low is None else f"at least {low}"
        else:
            bounds = f"{low} to {high}"
        return f"{bounds} {unit[:-1] if (low if high is None else high) == 1 else unit}"


def _check_bound(bound: Any, where: str) -> None:
    if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int)):
        raise ConfigError(f"must be a whole number from 0 up, not {type(bound).__name__}", where=where)
    if bound is not None and not 0 <= bound <= sys.maxsize:
        raise ConfigError(f"must be a whole number from 0 to {sys.maxsize}", where=where)
