"""Events are given to hooks: plain ones and async ones, under either driver. What a hook raises is an entry of the
answer, and touches nothing else."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from guards.driving.jobs import caught_async, in_thread
from guards.effects import Tell
from guards.errors import TooManyHang
from guards.values.colour import is_async

__all__ = ["tell", "tell_async"]

Faults = list[tuple[Any, Exception]]
"""An event, and what a hook raised on it."""


def tell(work: Tell) -> Faults:
    """In this thread, one event after the other; what an async hook gives is awaited in the background loop."""
    faults: Faults = []
    for hook in work.hooks:
        for event, result in _called(hook, work.events):
            if inspect.isawaitable(result):
                result = _in_loop(result, hook)  # noqa: PLW2901  # what came of it
            if isinstance(result, Exception):
                faults.append((event, result))
    return faults


def _called(hook: Callable[[Any], Any], events: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Each event, and what the hook gave for it or raised."""
    return [(event, _caught(hook, event)) for event in events]


def _caught(hook: Callable[[Any], Any], event: Any) -> Any:
    try:
        return hook(event)
    except asyncio.CancelledError as fault:  # of something that the hook waited for: nobody has cancelled the call
        return _cancelled(fault)
    except Exception as fault:  # noqa: BLE001  # reported in the record: a broken hook loses no answer
        return fault


def _in_loop(work: Awaitable[Any], hook: object) -> Exception | None:
    from concurrent.futures import CancelledError

    from guards.driving.background import background_loop

    try:
        background_loop.run(_awaited(work), hook).future.result()
    except (CancelledError, asyncio.CancelledError) as fault:
        return _cancelled(fault)
    except Exception as fault:  # noqa: BLE001  # as above
        return fault
    return None


async def _awaited(work: Awaitable[Any]) -> None:
    await work


def _cancelled(fault: BaseException) -> Exception:
    return RuntimeError(f"the hook was cancelled: {fault}")


async def tell_async(work: Tell) -> Faults:
    """Async hooks in this loop, plain ones in a thread, so that the loop never stands still for them.

    A cancellation waits until the events are told: a hook hears all of them, in their order. A second one does not.
    """
    telling = asyncio.ensure_future(_told(work))
    try:
        return await asyncio.shield(telling)
    except asyncio.CancelledError:
        try:
            await asyncio.shield(telling)
        except asyncio.CancelledError:
            telling.cancel()
        raise


async def _told(work: Tell) -> Faults:
    faults: Faults = []
    for hook in work.hooks:
        if is_async(hook):
            told: list[tuple[Any, Any]] = [(event, await caught_async(partial(hook, event))) for event in work.events]
        else:
            told = await _told_aside(hook, work.events)
        faults += [(event, result) for event, result in told if isinstance(result, Exception)]
    return faults


async def _told_aside(hook: Callable[[Any], Any], events: Sequence[Any]) -> list[tuple[Any, Any]]:
    """A plain hook in a thread; what it gave to be awaited, in this loop."""
    from guards.driving.workers import calls

    try:
        told: list[tuple[Any, Any]] = await in_thread(calls, partial(_called, hook, events), hook)
    except TooManyHang:  # of those that were left; late is better than never
        told = _called(hook, events)
    return [
        (event, await caught_async(partial(_awaited, result)) if inspect.isawaitable(result) else result)
        for event, result in told
    ]
