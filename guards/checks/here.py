"""A guard's flow carried out right here, without an engine: models are asked, jobs run; clients cannot be asked."""

from __future__ import annotations

from typing import Any, TypeVar

from guards.effects import Compute, Effect, Flow, Load, LongWork, Rows, Together
from guards.errors import ConfigError
from guards.models import handle_of

__all__ = ["here"]

T = TypeVar("T")


def here(flow: Flow[T]) -> T:
    """What comes of the flow. Raises ConfigError where it asks a client, or has to be awaited."""
    try:
        effect = next(flow)
        while True:
            try:
                result = _done(effect)
            except Exception as fault:  # noqa: BLE001  # the flow's own affair
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here


def _done(effect: Effect) -> Any:
    if isinstance(effect, Rows):
        return handle_of(effect.spec)(effect.items)
    if isinstance(effect, Load):
        return handle_of(effect.spec).load()
    if isinstance(effect, LongWork):
        return effect.run()
    if isinstance(effect, Compute) and not any(job.is_async for job in effect.jobs):
        return [job.run() for job in effect.jobs]
    if isinstance(effect, Together):
        return [here(flow) for flow in effect.flows]
    raise ConfigError(
        "asks a client or is awaited, and a bare check has nobody who does that",
        where="check()",
        hint="run it by Guarded, or by validate",
    )
