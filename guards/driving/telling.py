"""Events are given to hooks: plain ones and async ones, under either driver. What a hook raises is an entry of the
answer, and touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from guards.driving.jobs import caught, in_thread
from guards.effects import Tell
from guards.errors import TooManyHang
from guards.values.colour import is_async

__all__ = ["tell", "tell_async"]

Faults = list[tuple[Any, Exception]]
"""An event, and what a hook raised on it."""


def tell(work: Tell) -> Faults:
    """In this thread, one event after the other; an async hook in the background loop."""
    return [fault for hook in work.hooks for fault in _told(hook, work.events)]


def _told(hook: Callable[[Any], Any], events: Sequence[Any]) -> Faults:
    run = partial(_in_loop, hook) if is_async(hook) else hook
    results = ((event, caught(partial(run, event))) for event in events)
    return [(event, result) for event, result in results if isinstance(result, Exception)]


def _in_loop(hook: Callable[[Any], Any], event: Any) -> None:
    from guards.driving.background import background_loop

    background_loop.run(hook(event), hook).future.result()


async def tell_async(work: Tell) -> Faults:
    """Async hooks in this loop, plain ones in a thread, so that the loop never stands still for them."""
    from guards.driving.workers import calls

    faults: Faults = []
    for hook in work.hooks:
        if is_async(hook):
            for event in work.events:
                try:
                    await hook(event)
                except Exception as fault:  # noqa: BLE001  # reported in the record: a broken hook loses no answer
                    faults.append((event, fault))
            continue
        try:
            faults += await in_thread(calls, partial(_told, hook, work.events), hook)
        except TooManyHang:  # of those that were left; late is better than never
            faults += _told(hook, work.events)
    return faults
