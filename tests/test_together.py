"""Flows side by side: results and faults in order, deadlines, interrupts and cancellations, and no deadlock."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time

import pytest

from guards.clients import resolve
from guards.driving.drivers import run_async, run_sync
from guards.driving.workers import Workers
from guards.effects import Ask, Compute, Job, OutOfTime, Together

QUESTION = ({"role": "user", "content": "?"},)


def asking(client, deadline=None):
    """A flow of one question."""
    reply = yield Ask(resolve(client), QUESTION, None, deadline)
    return reply.text


def beside(*flows):
    return (yield Together(flows))


def computing(run):
    (result,) = yield Compute([Job(run, is_async=False)])
    return result


def driven(flow):
    return asyncio.run(run_async(flow))


DRIVERS = pytest.mark.parametrize("drive", [run_sync, driven], ids=["sync", "async"])


def failing(messages):
    raise ConnectionError("dead")


@DRIVERS
def test_results_and_faults_come_in_order(drive):
    """Each flow has its own entry: what it gave, or what it raised."""
    entries = drive(beside(asking(lambda messages: "a"), asking(failing), computing(lambda: 3)))
    assert entries[0] == "a"
    assert isinstance(entries[1], ConnectionError)
    assert entries[2] == 3
    assert drive(beside()) == []


@DRIVERS
def test_flows_run_at_the_same_time(drive):
    """Two questions that wait for each other both come back."""
    meeting = threading.Barrier(2, timeout=20)

    def client(messages):
        meeting.wait()
        return "met"

    assert drive(beside(asking(client), asking(client))) == ["met", "met"]


@DRIVERS
def test_a_lone_flow_has_an_entry_too(drive):
    """One flow alone is answered in the same form, with its fault as an entry."""
    (entry,) = drive(beside(asking(failing)))
    assert isinstance(entry, ConnectionError)


@DRIVERS
def test_a_question_does_not_outlast_its_deadline(drive):
    """A client that hangs is left behind at the deadline; the flow is told and gives what it can."""
    release = threading.Event()

    def hangs(messages):
        release.wait(20)
        return "late"

    def patient():
        try:
            yield Ask(resolve(hangs), QUESTION, None, time.monotonic() + 0.05)
        except OutOfTime:
            return "gave up"

    try:
        assert drive(beside(patient())) == ["gave up"]
        assert drive(beside(patient(), asking(lambda messages: "a"))) == ["gave up", "a"]
    finally:
        release.set()


@DRIVERS
def test_a_time_out_of_the_client_is_its_own(drive):
    """A client's TimeoutError before the deadline is a fault of the client, not the end of the time."""

    def slow(messages):
        raise TimeoutError("the server is slow")

    (entry,) = drive(beside(asking(slow, time.monotonic() + 60)))
    assert (type(entry), str(entry)) == (TimeoutError, "the server is slow")


@DRIVERS
def test_many_nested_flows_come_to_an_end(drive):
    """Flows whose flows have jobs and questions of their own need more threads than a pool has, and get them."""

    def inner(number):
        text = yield from asking(lambda messages: str(number), time.monotonic() + 60)
        return (yield from computing(lambda: int(text)))

    def outer(number):
        return sum((yield Together([inner(number), inner(number)])))

    assert drive(beside(*(outer(number) for number in range(40)))) == [2 * number for number in range(40)]


def test_a_thread_of_one_pool_passes_the_queue_of_another():
    """Work that a busy pool's threads hand to another pool, whose threads wait for the first, is begun all the same."""
    first, second = (Workers(name, most=1, most_left=1) for name in ("first", "second"))

    def there():
        return second.submit(back).future.result(20)

    def back():
        return first.submit(lambda: 1).future.result(20)

    assert [task.future.result(20) for task in [first.submit(there) for _ in range(5)]] == [1] * 5


def test_context_variables_reach_the_flows():
    """A flow in a thread sees the context variables of the call."""
    name = contextvars.ContextVar("name")
    name.set("here")
    assert run_sync(beside(asking(lambda messages: name.get()), asking(lambda messages: name.get()))) == ["here"] * 2


def test_an_interrupt_ends_the_flows():
    """After Ctrl-C in one flow nothing more is asked by the others."""
    asked, interrupted = [], threading.Event()

    def interrupts(messages):
        raise KeyboardInterrupt

    def waits(messages):
        asked.append(1)
        interrupted.wait(20)
        return "a"

    ended = threading.Event()

    def twice():
        try:
            yield Ask(resolve(waits), QUESTION, None, None)
            return (yield Together([asking(waits)]))
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_sync(beside(asking(interrupts), twice()))
    interrupted.set()
    assert ended.wait(20)
    assert len(asked) <= 1


def test_a_cancellation_ends_the_flows():
    """A cancelled call cancels the question of every flow, which closes its own record."""
    closed = []

    async def waits(messages):
        await asyncio.Event().wait()

    def flow():
        try:
            yield Ask(resolve(waits), QUESTION, None, None)
        except asyncio.CancelledError:
            closed.append(1)
            raise

    async def main():
        task = asyncio.ensure_future(run_async(beside(flow(), flow())))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert closed == [1, 1]


def test_a_flow_that_cancels_itself_cancels_nothing_else():
    """A cancellation that a client raises by itself is its own failure."""

    async def cancels(messages):
        raise asyncio.CancelledError

    async def fine(messages):
        return "a"

    first, second = driven(beside(asking(cancels), asking(fine)))
    assert (type(first), second) == (RuntimeError, "a")


@DRIVERS
def test_too_many_hanging_threads_is_an_entry(drive, monkeypatch):
    """Where no more threads are started, a flow's entry says so."""
    import guards.driving.workers

    full = Workers("full", most=1, most_left=0)
    monkeypatch.setattr(guards.driving.workers, "calls", full)
    for entry in drive(beside(asking(lambda messages: "a"), asking(lambda messages: "b"))):
        assert "hang and were left behind" in str(entry)
