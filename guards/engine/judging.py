"""One guard judges one value: its flow, within its time, its questions put on the budget of the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from guards.checks.base import Guard, Judged, called, verdict_of
from guards.context import Context
from guards.effects import Compute, Effect, Flow, Job, Load, LongWork, Question, Rows, Sample, relayed
from guards.engine.spend import clock
from guards.errors import ConfigError

if TYPE_CHECKING:
    from guards.engine.guard_set import Entry
    from guards.engine.questions import Desk, Questions
    from guards.reading.document import Place

__all__ = ["judged_here", "judging", "runs_here", "timed"]


def runs_here(entry: Entry, context: Context) -> bool:
    """Whether it is a quick rule, which needs no flow."""
    guard = entry.guard
    if guard.cost or entry.is_async or entry.flows or guard.timeout is not None:
        return False
    return context.deadline is None or guard.always_quick


def judged_here(guard: Guard, value: Any, context: Context) -> Judged | BaseException:
    """The verdict of a quick rule, or its fault."""
    try:
        return called(guard, value, context)
    except Exception as fault:  # noqa: BLE001  # any fault of a guard becomes a visible `guard.failed`
        return fault


def judging(entry: Entry, place: Place, value: Any, context: Context, desk: Desk | None) -> Flow[Judged]:
    """The verdict of any guard. Raises what it raises, and `TimeoutError` where its time is up."""
    guard = entry.guard
    flow = verdict_of(guard, value, context)
    if not entry.flows:  # a check is a job, and knows its time
        return (yield from flow)
    ends = _ends(guard, context)
    questions = None if desk is None else desk.questions(entry.label, place, guard.timeout)
    return (yield from relayed(flow, partial(_answered, entry, ends, questions)))


def _ends(guard: Guard, context: Context) -> float | None:
    if guard.timeout is None:
        return context.deadline
    return _earlier(clock() + guard.timeout, context.deadline)


def _earlier(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _answered(entry: Entry, ends: float | None, questions: Questions | None, effect: Effect) -> Flow[Any]:
    if isinstance(effect, Question | Sample):
        if questions is None:
            raise ConfigError("asks a model, and nobody here can be asked", where=f"guard {entry.label!r}")
        return (yield from questions.answer(effect))
    return (yield _within(effect, ends, entry.guard))


def _within(effect: Effect, ends: float | None, guard: Guard) -> Effect:
    """The effect, to end when the guard's time does; what hangs counts against the guard."""
    if isinstance(effect, Compute):
        jobs = [replace(j, deadline=_earlier(j.deadline, ends), owner=j.owner or guard) for j in effect.jobs]
        return Compute(jobs)
    if isinstance(effect, Rows | Load):
        return replace(effect, deadline=_earlier(effect.deadline, ends), owner=effect.owner or guard)
    if isinstance(effect, LongWork):
        return replace(effect, deadline=_earlier(effect.deadline, ends))
    return effect


# -- how long it took ------------------------------------------------------------------------------------------------


def timed(flow: Flow[Judged], took: list[float], index: int) -> Flow[Judged]:
    """The flow; `took` takes its seconds, without those that its jobs waited for a thread, or for others to end."""
    begun, idle = clock(), [0.0]
    try:
        return (yield from relayed(flow, partial(_clocked, idle)))
    finally:
        took[index] = clock() - begun - sum(idle)


def _clocked(idle: list[float], effect: Effect) -> Flow[Any]:
    if not isinstance(effect, Compute):
        return (yield effect)
    spent = [0.0] * len(effect.jobs)
    jobs = [replace(job, run=_clock_of(job, spent, index)) for index, job in enumerate(effect.jobs)]
    begun = clock()
    result = yield Compute(jobs)
    if all(spent):
        idle.append(clock() - begun - max(spent))
    return result


def _clock_of(job: Job, spent: list[float], index: int) -> Callable[[], Any]:
    return partial(_timed_async if job.is_async else _timed, job.run, spent, index)


def _timed(run: Callable[[], Any], spent: list[float], index: int) -> Any:
    begun = clock()
    try:
        return run()
    finally:
        spent[index] = clock() - begun


async def _timed_async(run: Callable[[], Any], spent: list[float], index: int) -> Any:
    begun = clock()
    try:
        return await run()
    finally:
        spent[index] = clock() - begun
