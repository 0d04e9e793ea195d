"""Retries of transport faults, by tenacity: entered on the first fault, bounded by the call's one deadline.

A wrong answer is never retried here: that is the loop's. The object given as `transport=` is copied per call; for an
async call it is rebuilt as `AsyncRetrying`, so that one object serves both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any

from guards.effects import Ask, NoAnswer
from guards.engine.spend import clock
from guards.errors import ConfigError
from guards.wire.patience import policy

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, BaseRetrying, RetryCallState, Retrying

__all__ = ["async_retrying", "retries", "sync_retrying"]


def retries(ask: Ask, fault: Exception) -> bool:
    """Whether this fault is a matter for retrying at all."""
    if ask.transport is None or isinstance(fault, ConfigError | NoAnswer):
        return False
    return ask.transport != "default" or ask.client.transient(fault)


def sync_retrying(ask: Ask, sleep: Callable[[float], Any]) -> Retrying:
    """A fresh tenacity object for one call."""
    from tenacity import Retrying

    return Retrying(**_options(ask), sleep=sleep)


def async_retrying(ask: Ask, sleep: Callable[[float], Any]) -> AsyncRetrying:
    """The same for an async call."""
    from tenacity import AsyncRetrying

    return AsyncRetrying(**_options(ask), sleep=sleep)


def _options(ask: Ask) -> dict[str, Any]:
    if ask.transport == "default":
        return policy(ask.client.transient, ask.client.retry_after)
    given: BaseRetrying = ask.transport
    return {
        "stop": given.stop,
        "wait": given.wait,
        "retry": _faults_only(given.retry),
        "before": given.before,
        "after": given.after,
        "before_sleep": given.before_sleep,
        # The fault itself goes to the caller, not a RetryError around it.
        "reraise": True,
    }


def _faults_only(wanted: Callable[[RetryCallState], Any]) -> Callable[[RetryCallState], Any]:
    """The given condition, but never for what is no matter of the transport: tenacity's own default takes every
    exception."""

    def ours(state: RetryCallState) -> bool:
        fault = state.outcome.exception() if state.outcome else None
        return isinstance(fault, ConfigError | NoAnswer)

    def sync(state: RetryCallState) -> Any:
        return not ours(state) and wanted(state)

    async def later(state: RetryCallState) -> bool:
        return not ours(state) and await wanted(state)

    return later if _is_async(wanted) else sync


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(function.__call__)


def left(deadline: float | None) -> float | None:
    """Seconds until the deadline, never below 0; None where there is none."""
    return None if deadline is None else min(max(0.0, deadline - clock()), TIMEOUT_MAX)
