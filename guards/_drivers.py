"""The two drivers of the engine's generator, sync and async: the only code that sends, waits and knows threads.

Both do the same four things: put a question, retry its transport, run guards' jobs together, and throw faults back into
the generator, which closes its record.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import Any, TypeVar

from guards._flow import Ask, Compute, Effect, Emit, Flow, Incoming, Job, Leave, OutOfTime, Pull
from guards._spend import clock
from guards._transport import async_retrying, left, retries, sync_retrying
from guards.errors import ConfigError

__all__ = ["run_async", "run_sync", "stream_async", "stream_sync"]

R = TypeVar("R")


def run_sync(flow: Flow[R]) -> R:
    """Drive a flow in this thread."""
    try:
        effect = next(flow)
        while True:
            try:
                result = _perform(effect)
            except BaseException as fault:  # noqa: BLE001  # the flow closes its record and raises it again
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here


async def run_async(flow: Flow[R]) -> R:
    """Drive a flow in the running event loop."""
    try:
        effect = next(flow)
        while True:
            try:
                result = await _perform_async(effect)
            except BaseException as fault:  # noqa: BLE001  # as above; a cancellation too
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def stream_sync(flow: Flow[Any]) -> Iterator[Any]:
    """Drive a flow in this thread, giving the events that it emits. Leaving the generator ends the flow."""
    opened: list[Incoming] = []
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Emit):
                yield effect.event
                effect = flow.send(None)
                continue
            try:
                result = _perform(effect)
                if isinstance(effect, Ask) and effect.live:
                    opened.append(result)
            except BaseException as fault:  # noqa: BLE001  # as in `run_sync`
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration:
        return
    finally:
        flow.close()
        for incoming in opened:
            incoming.close()


async def stream_async(flow: Flow[Any]) -> AsyncGenerator[Any, None]:
    """As `stream_sync`, in the running event loop."""
    opened: list[Incoming] = []
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Emit):
                yield effect.event
                effect = flow.send(None)
                continue
            try:
                result = await _perform_async(effect)
                if isinstance(effect, Ask) and effect.live:
                    opened.append(result)
            except BaseException as fault:  # noqa: BLE001  # as in `run_async`
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration:
        return
    finally:
        flow.close()
        for incoming in opened:
            await incoming.aclose()


# -- sync ------------------------------------------------------------------------------------------------------------


def _perform(effect: Effect) -> Any:
    if isinstance(effect, Ask):
        return _ask(effect)
    if isinstance(effect, Pull):
        return _pull(effect)
    if isinstance(effect, Leave):
        return effect.incoming.close()
    assert isinstance(effect, Compute), "events are for who reads a stream"
    return compute(effect)


def _pull(pull: Pull) -> str | None:
    if pull.incoming.is_async:
        raise ConfigError("the client gave an async stream", where="stream", hint="write `async for`")
    piece = pull.incoming.next()
    if pull.deadline is not None and clock() >= pull.deadline:
        raise OutOfTime
    return piece


def _ask(ask: Ask) -> Any:
    try:
        return _put(ask)
    except Exception as fault:
        if not retries(ask, fault):
            _out_of_time(ask, fault)
            raise
        first: list[Exception] = [fault]

    def again() -> Any:
        if first:
            raise first.pop()  # tenacity sees the fault that brought us here as its first try
        return _put(ask)

    def sleep(seconds: float) -> None:
        _check_nap(ask, seconds)
        time.sleep(seconds)

    try:
        return sync_retrying(ask, sleep)(again)
    except Exception as fault:
        _out_of_time(ask, fault)
        raise


def _put(ask: Ask) -> Any:
    client = ask.client
    if client.colour == "async":
        raise ConfigError("the client is async", where="call", hint="use acall (or `async with`) with it")
    if ask.live:
        return client.open(ask, left(ask.deadline))
    return client.read(client.send(ask, left(ask.deadline)))


def compute(work: Compute) -> list[Any]:
    """The jobs' results or faults, in order, run together."""
    jobs = work.jobs
    if len(jobs) == 1 and not jobs[0].is_async and _ends(jobs[0]) is None:
        return [_result(jobs[0].run)]
    from concurrent.futures import CancelledError, Future
    from concurrent.futures import TimeoutError as FutureTimeout

    from guards._workers import background_loop, checks

    running: list[tuple[float | None, Future[Any] | BaseException, Callable[[], None]]] = []
    for job in jobs:
        try:
            if job.is_async:
                future = background_loop.run(job.run())
                running.append((_ends(job), future, _cancel(future)))
            else:
                task = checks.submit(job.run)
                running.append((_ends(job), task.future, lambda task=task: checks.abandon(task)))  # type: ignore[misc]
        except RuntimeError as fault:
            running.append((None, fault, _nothing))
    results: list[Any] = []
    try:
        for ends, future_or_fault, stop in running:
            if isinstance(future_or_fault, BaseException):
                results.append(future_or_fault)
                continue
            try:
                results.append(future_or_fault.result(left(ends)))
            except FutureTimeout:
                if future_or_fault.done():
                    results.append(future_or_fault.exception())
                else:
                    stop()
                    results.append(TimeoutError("the check did not end in time"))
            except CancelledError as fault:
                results.append(RuntimeError(f"the check was cancelled: {fault}"))
            except Exception as fault:  # noqa: BLE001  # a guard's fault is an entry of the answer
                results.append(fault)
    except BaseException:
        for _, _, stop in running:
            stop()
        raise
    return results


def _result(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except Exception as fault:  # noqa: BLE001  # as above
        return fault


def _cancel(future: Any) -> Callable[[], None]:
    return lambda: future.cancel() and None


def _nothing() -> None:
    return None


# -- async -----------------------------------------------------------------------------------------------------------


async def _perform_async(effect: Effect) -> Any:
    if isinstance(effect, Ask):
        return await _ask_async(effect)
    if isinstance(effect, Pull):
        return await _pull_async(effect)
    if isinstance(effect, Leave):
        return await effect.incoming.aclose()
    assert isinstance(effect, Compute), "events are for who reads a stream"
    return await compute_async(effect)


async def _pull_async(pull: Pull) -> str | None:
    import asyncio

    from guards._workers import calls

    try:
        async with asyncio.timeout(left(pull.deadline)) as bound:
            if pull.incoming.is_async:
                return await pull.incoming.anext()
            piece: str | None = await _in_thread(calls, pull.incoming.next)
            return piece
    except TimeoutError as fault:
        if bound.expired():
            raise OutOfTime from fault
        raise


async def _ask_async(ask: Ask) -> Any:
    import asyncio

    try:
        async with asyncio.timeout(left(ask.deadline)) as bound:
            return await _ask_within(ask)
    except Exception as fault:
        if isinstance(fault, TimeoutError) and bound.expired():
            raise OutOfTime from fault
        _out_of_time(ask, fault)
        raise


async def _ask_within(ask: Ask) -> Any:
    import asyncio

    try:
        return await _put_async(ask)
    except Exception as fault:
        if not retries(ask, fault):
            raise
        first: list[Exception] = [fault]

    async def again() -> Any:
        if first:
            raise first.pop()
        return await _put_async(ask)

    async def sleep(seconds: float) -> None:
        _check_nap(ask, seconds)
        await asyncio.sleep(seconds)

    return await async_retrying(ask, sleep)(again)


async def _put_async(ask: Ask) -> Any:
    client = ask.client
    if client.colour == "async":
        if ask.live:
            return await client.open(ask, left(ask.deadline))
        return client.read(await client.send(ask, left(ask.deadline)))

    from guards._workers import calls

    return await _in_thread(calls, lambda: _put(ask))


async def _in_thread(workers: Any, run: Callable[[], Any]) -> Any:
    """The work in a thread; a cancellation leaves the thread behind instead of waiting for it."""
    import asyncio

    task = workers.submit(run)
    try:
        return await asyncio.wrap_future(task.future)
    except asyncio.CancelledError:
        workers.abandon(task)
        raise


async def compute_async(work: Compute) -> list[Any]:
    """As `compute`."""
    import asyncio

    tasks = [asyncio.ensure_future(_job_async(job)) for job in work.jobs]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:  # `gather` leaves the others running when one raises
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _job_async(job: Job) -> Any:
    import asyncio

    from guards._workers import checks

    ends = _ends(job)
    try:
        async with asyncio.timeout(left(ends)) as bound:
            if job.is_async:
                result: Coroutine[Any, Any, Any] = job.run()
                return await result
            return await _in_thread(checks, job.run)
    except TimeoutError as fault:
        return TimeoutError("the check did not end in time") if bound.expired() else fault
    except asyncio.CancelledError as fault:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return RuntimeError(f"the check was cancelled: {fault}")  # by itself: nobody cancelled the call
    except Exception as fault:  # noqa: BLE001  # as in `compute`
        return fault


# -- both ------------------------------------------------------------------------------------------------------------


def _ends(job: Job) -> float | None:
    """When the job's time is up: its own bound or the budget's, whichever comes first."""
    if job.timeout is None:
        return job.deadline
    own = clock() + job.timeout
    return own if job.deadline is None else min(own, job.deadline)


def _check_nap(ask: Ask, seconds: float) -> None:
    if ask.deadline is not None and clock() + seconds >= ask.deadline:
        raise OutOfTime


def _out_of_time(ask: Ask, fault: Exception) -> None:
    """A client's own time-out at the deadline is the budget's end, not a fault of the client."""
    if ask.deadline is None or clock() < ask.deadline:
        return
    if isinstance(fault, TimeoutError) or ask.client.transient(fault):
        raise OutOfTime from fault
    return
