"""Is a number, a date, a time or a duration between two bounds?"""

from __future__ import annotations

import math
import operator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, TypeAlias

from guards.checks.base import OnError, Unreadable
from guards.checks.rules.rule import Rule, check_flag, is_nan, unwrapped
from guards.context import Context
from guards.errors import ConfigError
from guards.findings import NO_FIX, Finding
from guards.policies import Policy

__all__ = ["Bound", "Range"]

Bound: TypeAlias = "int | float | Decimal | date | datetime | time | timedelta"

_NAMES: Final = ("min", "exclusive_min", "max", "exclusive_max")
_WORDS: Final = {"min": "at least", "exclusive_min": "above", "max": "at most", "exclusive_max": "below"}
_FITS: Final = {
    "min": operator.ge,
    "exclusive_min": operator.gt,
    "max": operator.le,
    "exclusive_max": operator.lt,
}

_MOST_DIGITS: Final = 300


class Range(Rule):
    """A value between bounds of its own family: numbers, dates, datetimes, times, or durations.

    Args:
        min, max: inclusive bounds.
        exclusive_min, exclusive_max: bounds that the value must not reach.
        clamp: propose the nearest inclusive bound as fix.

    int, float and Decimal compare by their exact values, a float with a Decimal by the digits that it is written with
    (0.1 is `Decimal("0.1")`). NaN is in no range, True is no number, and text is neither number nor date: where a
    contract hands dates over as text, as JSON Schema does, use a Python type. Datetimes and times with a time zone
    compare with bounds that have one. Code: `rule.range`.
    """

    code: ClassVar[str] = "rule.range"

    def __init__(
        self,
        *,
        min: Bound | None = None,  # noqa: A002  # the public name
        max: Bound | None = None,  # noqa: A002  # the public name
        exclusive_min: Bound | None = None,
        exclusive_max: Bound | None = None,
        clamp: bool = False,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        check_flag(clamp, "Range(clamp=)")
        self.min = min
        self.max = max
        self.exclusive_min = exclusive_min
        self.exclusive_max = exclusive_max
        self.clamp = clamp
        given = zip(_NAMES, (min, exclusive_min, max, exclusive_max), strict=True)
        self._bounds = {name: bound for name, bound in given if bound is not None}
        self._family = _common_family(self._bounds)
        _check_order(self._bounds)
        if clamp and min is None and max is None:
            raise ConfigError("there is no nearest value to an exclusive bound", where="Range(clamp=)", hint="use min=")
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    def check(self, value: Any, context: Context) -> Finding | None:
        value = unwrapped(value)
        if _family(value) != self._family:
            zoned = self._other_zone(value)
            return zoned or self.misfit(value, _FAMILIES[self._family])
        if is_nan(value):
            return self._finding(value, NO_FIX)
        for name, bound in self._bounds.items():
            if not _fits(name, value, bound):
                return self._finding(value, _plain(bound) if self.clamp and name in ("min", "max") else NO_FIX)
        return None

    def _finding(self, value: Any, fix: Any) -> Finding:
        expected = " and ".join(f"{_WORDS[name]} {_shown(bound)}" for name, bound in self._bounds.items())
        actual = None if _endless(value) else value
        return Finding(self.code, f"must be {expected}", expected=expected, actual=actual, fix=fix)

    def _other_zone(self, value: Any) -> Finding | None:
        """The finding where it is only the time zone that a value has too many, or lacks."""
        family = _family(value)
        if family is None or family.removeprefix("zoned ") != self._family.removeprefix("zoned "):
            return None
        wanted = _FAMILIES[self._family]
        return Finding(self.code, f"must be {wanted}", expected=wanted, actual=value)


_FAMILIES: Final = {
    "number": "a number",
    "date": "a date",
    "datetime": "a date and time without a time zone",
    "zoned datetime": "a date and time with a time zone",
    "time": "a time without a time zone",
    "zoned time": "a time with a time zone",
    "timedelta": "a duration",
}


def _family(value: Any) -> str | None:
    """What a value compares with; None for what a range is not for."""
    if isinstance(value, int | float | Decimal):
        return None if isinstance(value, bool) else "number"
    if isinstance(value, timedelta):
        return "timedelta"
    if isinstance(value, date) and not isinstance(value, datetime):
        return "date"
    if isinstance(value, datetime | time):
        name = "time" if isinstance(value, time) else "datetime"
        return name if value.utcoffset() is None else f"zoned {name}"
    return None


def _common_family(bounds: dict[str, Any]) -> str:
    if not bounds:
        raise ConfigError("has no bound", where="Range()", hint="give min=, max=, exclusive_min= or exclusive_max=")
    families = set()
    for name, bound in bounds.items():
        family = _family(bound)
        if family is None:
            raise ConfigError(
                f"must be a number, date, datetime, time or timedelta, not {type(bound).__name__}",
                where=f"Range({name}=)",
            )
        if is_nan(bound):
            raise ConfigError("NaN is no bound: nothing compares with it", where=f"Range({name}=)", hint="leave it out")
        if _endless(bound):
            raise ConfigError("has more digits than Python writes", where=f"Range({name}=)", hint="use a float")
        families.add(family)
    if len(families) > 1:
        kinds = " and ".join(sorted(_FAMILIES[family] for family in families))
        raise ConfigError(f"the bounds are {kinds}", where="Range()", hint="give both of one family")
    return str(families.pop())


def _check_order(bounds: dict[str, Any]) -> None:
    for low, high in (("min", "exclusive_min"), ("max", "exclusive_max")):
        if low in bounds and high in bounds:
            raise ConfigError(f"{low} and {high} are two answers to one question", where="Range()", hint="give one")
    lows = [name for name in ("min", "exclusive_min") if name in bounds]
    highs = [name for name in ("max", "exclusive_max") if name in bounds]
    if not lows or not highs:
        return
    low, high = lows[0], highs[0]
    strict = low != "min" or high != "max"
    if not _fits("exclusive_max" if strict else "max", bounds[low], bounds[high]):
        raise ConfigError(
            f"no value is {_WORDS[low]} {_shown(bounds[low])} and {_WORDS[high]} {_shown(bounds[high])}",
            where="Range()",
            hint=f"{low} must be below {high}",
        )


def _fits(name: str, value: Any, bound: Any) -> bool:
    if isinstance(value, float) and isinstance(bound, Decimal):
        value = _written(value)
    elif isinstance(value, Decimal) and isinstance(bound, float):
        bound = _written(bound)
    return bool(_FITS[name](value, bound))


def _written(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _endless(value: Any) -> bool:
    """Whether a number has more digits than `str` writes (4,300 by default)."""
    try:
        str(value)
    except ValueError:
        return True
    return False


def _shown(bound: Any) -> str:
    return bound.isoformat() if hasattr(bound, "isoformat") else str(bound)


def _plain(bound: Any) -> Any:
    """A bound as a JSON document holds it: a fix changes the document, not the instance."""
    if isinstance(bound, Decimal):
        if not bound.is_finite() or abs(bound.adjusted()) > _MOST_DIGITS:
            return NO_FIX  # int() would write a billion digits out
        if bound == bound.to_integral_value():
            return int(bound)
        return float(bound) if _written(float(bound)) == bound else NO_FIX
    if isinstance(bound, float) and math.isinf(bound):
        return NO_FIX
    if isinstance(bound, int | float):
        return bound
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(bound)
