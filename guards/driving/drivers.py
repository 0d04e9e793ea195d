"""The two drivers of the engine's generator, sync and async: the only code that sends, waits and knows threads.

Both do the same: put a question, retry its transport, run guards' jobs (`driving.jobs`) and flows together, and throw
faults back into the generator, which closes its record.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeVar

from guards.driving.jobs import caught, caught_async, compute, compute_async, gathered, in_thread, in_time, within
from guards.driving.retrying import async_retrying, left, retries, sync_retrying
from guards.effects import (
    Ask,
    Client,
    Compute,
    Effect,
    Flow,
    Incoming,
    Leave,
    Left,
    Load,
    LongWork,
    OutOfTime,
    Pull,
    Rows,
    Show,
    Tell,
    Together,
)
from guards.engine.spend import clock
from guards.errors import ConfigError, TooManyHang

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "drain",
    "leave",
    "leave_async",
    "leave_soon",
    "perform",
    "perform_async",
    "run_async",
    "run_sync",
    "stream_async",
    "stream_sync",
]

R = TypeVar("R")


def run_sync(flow: Flow[R], do: Callable[[Effect], Any] | None = None, waits_for: Effect | None = None) -> R:
    """Drive a flow in this thread; `do` does what it asks for, `perform` by default. `waits_for`: what a flow that was
    begun has asked for."""
    do = do or perform
    try:
        effect = waits_for or next(flow)
        while True:
            try:
                result = do(effect)
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
                result = await perform_async(effect)
            except BaseException as fault:  # noqa: BLE001  # as above; a cancellation too
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def stream_sync(flow: Flow[Any], ended: Callable[[], None], done: Callable[[], None]) -> Iterator[Any]:
    """Drive a flow in this thread, giving the events that it emits. Leaving the generator ends the flow.

    `ended` is called however it ends, `done` behind the last event; what that raises comes out.
    """
    opened: list[Incoming] = []
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Show):
                yield effect.event
                effect = flow.send(None)
                continue
            try:
                result = perform(effect)
                if isinstance(effect, Ask) and effect.live:
                    opened.append(result)
            except BaseException as fault:  # noqa: BLE001  # as in `run_sync`
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration:
        pass
    finally:
        leave(flow)
        for incoming in opened:
            incoming.close()
        ended()
    done()


async def stream_async(
    flow: Flow[Any], ended: Callable[[], None], done: Callable[[], None]
) -> AsyncGenerator[Any, None]:
    """As `stream_sync`, in the running event loop."""
    opened: list[Incoming] = []
    try:
        effect = next(flow)
        while True:
            if isinstance(effect, Show):
                yield effect.event
                effect = flow.send(None)
                continue
            try:
                result = await perform_async(effect)
                if isinstance(effect, Ask) and effect.live:
                    opened.append(result)
            except BaseException as fault:  # noqa: BLE001  # as in `run_async`
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration:
        pass
    finally:
        await leave_async(flow)
        for incoming in opened:
            await incoming.aclose()
        ended()
    done()


def leave(flow: Flow[Any]) -> None:
    """End a flow that is left before its end, or is over: it closes its record, and hooks hear of it."""
    with suppress(Left, StopIteration):
        effect = flow.throw(Left())
        while True:
            effect = flow.send(perform(effect))


async def leave_async(flow: Flow[Any]) -> None:
    """As `leave`."""
    with suppress(Left, StopIteration):
        effect = flow.throw(Left())
        while True:
            effect = flow.send(await perform_async(effect))


def leave_soon(flow: Flow[Any], loop: asyncio.AbstractEventLoop) -> None:
    """As `leave`, in the thread of a running loop: the record is closed now, and hooks hear of it in a task."""
    with suppress(Left, StopIteration):
        task = loop.create_task(_left(flow, flow.throw(Left())))
        _LEAVING.add(task)
        task.add_done_callback(_LEAVING.discard)


async def _left(flow: Flow[Any], effect: Effect) -> None:
    with suppress(Left, StopIteration):
        while True:
            effect = flow.send(await perform_async(effect))


_LEAVING: Final[set[Any]] = set()
"""Tasks that nobody else holds."""


# -- sync ------------------------------------------------------------------------------------------------------------


def perform(effect: Effect) -> Any:
    """Do what a flow asks for."""
    if isinstance(effect, Ask):
        return _ask(effect)
    if isinstance(effect, Pull):
        return _pull(effect)
    if isinstance(effect, Leave):
        return effect.incoming.close()
    if isinstance(effect, LongWork):
        return in_time(effect.run, None, effect.deadline)
    if isinstance(effect, Together):
        return together(effect)
    if isinstance(effect, Rows | Load):
        from guards.driving.rows import load, rows  # most tickets ask no model here

        return rows(effect) if isinstance(effect, Rows) else load(effect)
    if isinstance(effect, Tell):
        from guards.driving.telling import tell  # most tickets have no hooks

        return tell(effect)
    assert isinstance(effect, Compute), "what is shown is for who reads a stream"
    return compute(effect)


def _pull(pull: Pull) -> str | None:
    if pull.incoming.is_async:
        raise ConfigError("the client gave an async stream", where="stream", hint="write `async for`")
    if pull.deadline is None:
        return pull.incoming.next()
    if pull.incoming.severable:
        return _no_longer(pull.incoming.next, pull.deadline, pull.incoming, severable=True)
    piece = pull.incoming.next()
    if clock() >= pull.deadline:
        pull.incoming.close()
        raise OutOfTime
    return piece


def _ask(ask: Ask) -> Any:
    try:
        return _put(ask)
    except Exception as fault:
        if not retries(ask, fault):
            _out_of_time(ask, fault)
            raise
        tries = _Tries(ask)
        tries.begin(fault)

    def again() -> Any:
        with tries.one():
            return _put(ask)

    def sleep(seconds: float) -> None:
        tries.check_nap(seconds)
        time.sleep(seconds)

    try:
        return sync_retrying(ask, sleep)(again)
    except Exception as fault:
        _out_of_time(ask, fault, tries.last)
        raise


def _put(ask: Ask) -> Any:
    client = ask.client
    if client.colour == "async":
        raise ConfigError("the client is async", where="call", hint="use acall (or `async with`) with it")
    _tried(ask)
    send = partial(client.open if ask.live else client.send, ask, left(ask.deadline))
    if ask.deadline is None or not _severable(client):
        return _read(ask, send())
    return _read(ask, _no_longer(send, ask.deadline, _owner(client), severable=True))


def _read(ask: Ask, raw: Any) -> Any:
    """What a sync client gave as a reply; where the answer is to come piece by piece, as it is."""
    if ask.live:
        return raw
    if ask.deadline is not None and _is_incoming(raw):  # what the caller's own function gave comes in pieces
        drain(raw, ask.deadline)
    return ask.client.read(raw)


def drain(incoming: Incoming, deadline: float | None) -> None:
    """Read an answer on its way to its end. Raises `OutOfTime` where that does not come by the deadline; then, as after
    any fault, it is left: nobody else will."""
    try:
        while _pull(Pull(incoming, deadline)) is not None:
            pass
    except BaseException:
        with suppress(Exception):
            incoming.close()
        raise


def _put_here(ask: Ask) -> Any:
    """As `_put`, in a thread that is left behind at the deadline."""
    return _read(ask, (ask.client.open if ask.live else ask.client.send)(ask, left(ask.deadline)))


def _no_longer(run: Callable[[], R], deadline: float, owner: object, *, severable: bool = False) -> R:
    """What the work gives by the deadline, done in a thread of its own. It is left behind there after that, or its
    connection is shut."""
    from concurrent.futures import wait

    from guards.driving.workers import calls

    task = calls.submit(run, owner, severable=severable)
    try:
        return task.future.result(left(deadline))  # type: ignore[no-any-return]  # a task's future is untyped
    except BaseException as fault:
        if task.future.done() and not task.future.cancelled() and task.future.exception() is fault:
            raise
        calls.abandon(task)
        if severable:
            wait([task.future], _MOMENT)
        if isinstance(fault, TimeoutError):
            raise OutOfTime from fault
        raise


_MOMENT: Final = 0.25
"""Seconds that a severed call is given to clear up behind itself."""


def together(effect: Together, stopped: Event | None = None) -> list[Any]:
    """The flows' results or faults, in order; what more than one asks of models, abreast."""
    stopped = stopped or Event()
    do = partial(_perform_aside, stopped)
    if len(effect.flows) == 1:
        flow = effect.flows[0]
        return [run_sync(flow, do) if effect.strict else caught(partial(run_sync, flow, do))]
    from guards.driving.lockstep import abreast

    try:
        return abreast(effect, do, run_sync)
    except BaseException:
        stopped.set()
        raise


def _perform_aside(stopped: Event, effect: Effect) -> Any:
    """As `perform`, for a flow beside others: it ends where nobody waits for it any more, and no question of it takes
    longer than it may."""
    if stopped.is_set() and not isinstance(effect, Tell):
        raise RuntimeError("the call was left")
    if isinstance(effect, Together):
        return together(effect, stopped)
    if isinstance(effect, Ask) and effect.deadline is not None and not _severable(effect.client):
        return _no_longer(partial(_ask, effect), effect.deadline, _owner(effect.client))
    return perform(effect)


# -- async -----------------------------------------------------------------------------------------------------------


async def perform_async(effect: Effect) -> Any:
    """As `perform`."""
    if isinstance(effect, Ask):
        return await _ask_async(effect)
    if isinstance(effect, Pull):
        return await _pull_async(effect)
    if isinstance(effect, Leave):
        return await effect.incoming.aclose()
    if isinstance(effect, LongWork):
        return await _work_async(effect)
    if isinstance(effect, Together):
        return await together_async(effect)
    if isinstance(effect, Rows | Load):
        from guards.driving.rows import load_async, rows_async

        return await (rows_async(effect) if isinstance(effect, Rows) else load_async(effect))
    if isinstance(effect, Tell):
        from guards.driving.telling import tell_async

        return await tell_async(effect)
    assert isinstance(effect, Compute), "what is shown is for who reads a stream"
    return await compute_async(effect)


async def _work_async(work: LongWork) -> Any:
    from guards.driving.workers import readings

    try:
        return await within(partial(in_thread, readings, work.run, None), work.deadline)
    except TooManyHang:  # of those that were left; late is better than never
        return work.run()


async def _pull_async(pull: Pull) -> str | None:
    import asyncio

    from guards.driving.workers import calls

    try:
        async with asyncio.timeout(left(pull.deadline)) as bound:
            if pull.incoming.is_async:
                return await pull.incoming.anext()
            incoming = pull.incoming
            piece: str | None = await in_thread(calls, incoming.next, incoming, severable=incoming.severable)
            return piece
    except TimeoutError as fault:
        if bound.expired():
            raise OutOfTime from fault
        raise


async def _ask_async(ask: Ask) -> Any:
    import asyncio

    tries = _Tries(ask)
    try:
        async with asyncio.timeout(left(ask.deadline)) as bound:
            return await _ask_within(ask, tries)
    except Exception as fault:
        if isinstance(fault, TimeoutError) and bound.expired():
            raise OutOfTime(fault=tries.last) from fault
        _out_of_time(ask, fault, tries.last)
        raise


async def _ask_within(ask: Ask, tries: _Tries) -> Any:
    import asyncio

    try:
        return await _put_async(ask)
    except Exception as fault:
        if not retries(ask, fault):
            raise
        tries.begin(fault)

    async def again() -> Any:
        with tries.one():
            return await _put_async(ask)

    async def sleep(seconds: float) -> None:
        tries.check_nap(seconds)
        await asyncio.sleep(seconds)

    return await async_retrying(ask, sleep)(again)


async def _put_async(ask: Ask) -> Any:
    client = ask.client
    _tried(ask)
    if client.colour == "async":
        if ask.live:
            return await client.open(ask, left(ask.deadline))
        return client.read(await client.send(ask, left(ask.deadline)))

    from guards.driving.workers import calls

    return await in_thread(calls, partial(_put_here, ask), _owner(client), severable=_severable(client))


async def together_async(effect: Together) -> list[Any]:
    """As `together`."""
    runs = (partial(run_async, flow) for flow in effect.flows)
    if effect.strict:
        return await gathered(run() for run in runs)
    if len(effect.flows) == 1:
        return [await caught_async(next(runs))]
    return await gathered(caught_async(run) for run in runs)


# -- both ------------------------------------------------------------------------------------------------------------


def _tried(ask: Ask) -> None:
    if ask.tried is not None:
        ask.tried.append(clock())


def _severable(thing: Any) -> bool:
    """A client of the user's own need not say that it is not, nor whose it is."""
    return getattr(thing, "severable", False) is True


def _is_incoming(raw: Any) -> bool:
    """Whether it is an answer on its way. A mock has every attribute; only of one of ours this is a bool."""
    return isinstance(getattr(raw, "severable", None), bool)


def _owner(client: Client) -> object:
    return getattr(client, "owner", client)


class _Tries:
    """The tries of one question; `last` is the fault of the last that ended."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.last: Exception | None = None
        self._first: Exception | None = None

    def begin(self, fault: Exception) -> None:
        """The first is over, with a fault."""
        self.last = self._first = fault

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more; tenacity sees the fault that brought us here as its first."""
        first, self._first = self._first, None
        if first is not None:
            raise first
        try:
            yield
        except OutOfTime as late:
            late.fault = late.fault or self.last
            raise
        except Exception as fault:
            if self._ask.deadline is None or clock() < self._ask.deadline:  # else it is the budget's end
                self.last = fault
            raise

    def check_nap(self, seconds: float) -> None:
        """Raises `OutOfTime` where the deadline passes before the next try may begin."""
        deadline, fault = self._ask.deadline, self.last
        if deadline is None or clock() + seconds < deadline:
            return
        asked = self._ask.client.retry_after(fault) if fault is not None else None
        words = f"the server asked for {asked:.3g} s, {max(0.0, deadline - clock()):.3g} are left" if asked else ""
        raise OutOfTime(words, fault)


def _out_of_time(ask: Ask, fault: Exception, last: Exception | None = None) -> None:
    """A client's own time-out at the deadline is the budget's end, not a fault of the client."""
    if ask.deadline is None or clock() < ask.deadline:
        return
    if isinstance(fault, TimeoutError) or ask.client.transient(fault):
        raise OutOfTime(fault=last) from fault
    return
