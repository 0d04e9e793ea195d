"""Which faults of a server are waited out, how often and how long: of a language model's, and of a guard's own model's.

tenacity does the waiting. Who asks says which of his faults pass, and where he keeps the headers of a refusal.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["passes", "policy", "wait_asked"]

_TRIES: Final = 4
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 20.0
_LONGEST_ASKED: Final = 120.0
"""Seconds. A server that asks for more is not waited for as it says: the policy's own waiting goes on."""
_STATUSES: Final = frozenset({408, 409, 429})
"""Time-out, lock conflict, too many requests; and 5xx but for those that a retry cannot change."""
_LASTING: Final = frozenset({501, 505})


def passes(status: int) -> bool:
    """Whether a refusal with this status may be gone at the next try."""
    return status in _STATUSES or (500 <= status < 600 and status not in _LASTING)


def wait_asked(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `Retry-After` (a number, or a date as of RFC 9110, 10.2.3); None if not said."""
    for header, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(header)
        if value is None:
            continue
        seconds = _number(value)
        seconds = seconds / unit if seconds is not None else _until(value)
        if seconds is not None and 0 <= seconds <= _LONGEST_ASKED:
            return seconds
    return None


def policy(passing: Callable[[BaseException], bool], asked: Callable[[BaseException], float | None]) -> dict[str, Any]:
    """What tenacity is told: exponential with jitter, four tries; what the server asks for comes before it, and the
    fault itself goes to the caller."""
    from tenacity import retry_if_exception, stop_after_attempt, wait_random_exponential

    grow = wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT)

    def wait(state: RetryCallState) -> float:
        fault = state.outcome.exception() if state.outcome else None
        seconds = asked(fault) if fault is not None else None
        return seconds if seconds is not None else grow(state)

    return {
        "stop": stop_after_attempt(_TRIES),
        "wait": wait,
        "retry": retry_if_exception(passing),
        "reraise": True,
    }


def _number(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _until(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError, OSError):
        return None
