"""Guards' jobs, run together: in threads, and on an event loop where a check is `async def`.

A fault of a job is an entry of the answer; what ends the call from outside (Ctrl-C, a cancellation) ends the jobs too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from guards.driving.retrying import left
from guards.effects import Compute, Job, unless_fault
from guards.engine.spend import clock
from guards.errors import TooManyHang
from guards.values.travelling import said

if TYPE_CHECKING:
    from concurrent.futures import Future

    from guards.driving.workers import Workers

__all__ = [
    "Running",
    "begin",
    "begun",
    "caught",
    "caught_async",
    "compute",
    "compute_async",
    "gathered",
    "in_thread",
    "in_time",
    "settled",
    "within",
]

# -- sync ------------------------------------------------------------------------------------------------------------


class Running(NamedTuple):
    """Work that was begun elsewhere: its future (or why it could not be begun), how to leave it, when its time is
    up."""

    future: Future[Any] | BaseException
    leave: Callable[[], Any]
    ends: float | None = None

    def entry(self) -> Any:
        """Wait for it: its result or its fault."""
        from concurrent.futures import CancelledError

        future = self.future
        if isinstance(future, BaseException):
            return future
        try:
            return future.result(left(self.ends))
        except CancelledError as fault:
            return RuntimeError(f"the check was cancelled: {said(fault)}")
        except Exception as fault:  # noqa: BLE001  # a guard's fault is an entry of the answer
            if not isinstance(fault, TimeoutError) or (future.done() and future.exception() is fault):
                return fault
            self.leave()
            return TimeoutError(_LATE)


def compute(work: Compute) -> list[Any]:
    """The jobs' results or faults, in order, run together."""
    jobs = work.jobs
    if len(jobs) == 1 and not jobs[0].is_async and _ends(jobs[0]) is None:
        return [caught(jobs[0].run)]
    return settled(begin(work))


def begin(work: Compute) -> list[Running]:
    """The jobs, each begun elsewhere."""
    from guards.driving.workers import checks

    return [_in_loop(j) if j.is_async else begun(checks, j.run, j.owner, _ends(j)) for j in work.jobs]


def in_time(run: Callable[[], Any], owner: object, deadline: float | None) -> Any:
    """What the work gives; with a deadline in a thread, which is left behind at it, and `TimeoutError` is raised."""
    if deadline is None:
        return run()
    from guards.driving.workers import checks

    (entry,) = settled([begun(checks, run, owner, deadline)])
    return unless_fault(entry)


def begun(workers: Workers, run: Callable[[], Any], owner: object, ends: float | None = None) -> Running:
    """Work in a thread."""
    try:
        task = workers.submit(run, owner)
    except TooManyHang as fault:
        return Running(fault, _nothing)
    return Running(task.future, partial(workers.abandon, task), ends)


def _in_loop(job: Job) -> Running:
    from guards.driving.background import background_loop

    try:
        errand = background_loop.run(job.run(), job.owner)
    except RuntimeError as fault:
        return Running(fault, _nothing)
    return Running(errand.future, errand.leave, _ends(job))


def settled(running: Sequence[Running]) -> list[Any]:
    """Wait for them all: one entry each, its result or its fault."""
    try:
        return [one.entry() for one in running]
    except BaseException:
        for one in running:
            one.leave()
        raise


def caught(run: Callable[[], Any]) -> Any:
    """The result, or the fault."""
    try:
        return run()
    except Exception as fault:  # noqa: BLE001  # as above
        return fault


def _nothing() -> None:
    return None


# -- async -----------------------------------------------------------------------------------------------------------


async def compute_async(work: Compute) -> list[Any]:
    """As `compute`."""
    return await gathered(caught_async(partial(_job_async, job)) for job in work.jobs)


async def gathered(entries: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """All of them, run together; the end of one from outside is the end of all."""
    import asyncio

    tasks = [asyncio.ensure_future(entry) for entry in entries]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:  # `gather` leaves the others running when one raises
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def caught_async(work: Callable[[], Awaitable[Any]]) -> Any:
    """As `caught`; a cancellation from outside goes on."""
    import asyncio

    try:
        return await work()
    except asyncio.CancelledError as fault:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return RuntimeError(f"the check was cancelled: {said(fault)}")  # by itself: nobody cancelled the call
    except Exception as fault:  # noqa: BLE001  # as in `caught`
        return fault


async def _job_async(job: Job) -> Any:
    from guards.driving.workers import checks

    return await within(job.run if job.is_async else partial(in_thread, checks, job.run, job.owner), _ends(job))


async def within(work: Callable[[], Awaitable[Any]], deadline: float | None) -> Any:
    """What the work gives by the deadline. Past it `TimeoutError` is raised."""
    if deadline is None:
        return await work()
    import asyncio

    try:
        async with asyncio.timeout(left(deadline)) as bound:
            result = await work()
    except TimeoutError as fault:
        if bound.expired():
            raise TimeoutError(_LATE) from fault
        raise
    if bound.expired():  # it was cancelled and gave something all the same: what a check says then is no verdict
        raise TimeoutError(_LATE)
    return result


async def in_thread(workers: Workers, run: Callable[[], Any], owner: object, *, severable: bool = False) -> Any:
    """The work in a thread; a cancellation leaves the thread behind instead of waiting for it."""
    import asyncio

    task = workers.submit(run, owner, severable=severable)
    try:
        return await asyncio.wrap_future(task.future)
    except asyncio.CancelledError:
        workers.abandon(task)
        raise


# -- both ------------------------------------------------------------------------------------------------------------


_LATE: Final = "the check did not end in time"


def _ends(job: Job) -> float | None:
    """When the job's time is up: its own bound or the budget's, whichever comes first."""
    if job.timeout is None:
        return job.deadline
    own = clock() + job.timeout
    return own if job.deadline is None else min(own, job.deadline)
