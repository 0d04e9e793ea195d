"""A guard or a function that hangs uses up its own allowance of threads, and stops nobody else's."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from guards import Budget, Guarded, avalidate, check, validate
from guards.contracts import Text
from guards.driving.background import background_loop
from guards.driving.workers import Workers, checks
from guards.errors import GuardsError, TooManyHang
from guards.testing import ScriptedModel


def hanging(release, name, **options):
    @check(name=name, **options)
    def hangs(value, context):
        release.wait(60)

    return hangs


@check(timeout=5)
def fine(value, context):
    """Always good, in a thread: it has a time-out."""
    return


@pytest.fixture
def release():
    gate = threading.Event()
    yield gate
    gate.set()
    end = time.monotonic() + 10
    while checks.left and time.monotonic() < end:
        time.sleep(0.005)
    assert checks.left == 0


def test_a_guard_that_hangs_stops_no_other_ticket(release):
    """A hundred checks of one ticket that hang: its guard is refused in the end, another ticket's goes on."""
    hangs = hanging(release, "hangs", timeout=0.05)
    bad = Guarded(Text(), guards=[hangs])
    with ThreadPoolExecutor(100) as crowd:
        outcomes = list(crowd.map(lambda _: bad.run(ScriptedModel(["a"]), "?"), range(100)))
    assert {str(outcome.reason) for outcome in outcomes} == {"guard.failed"}
    # One whose time was over before a thread began with it, on a machine under load, hangs nowhere.
    last = next(
        outcome
        for outcome in (bad.run(ScriptedModel(["a"]), "?") for _ in range(100))
        if not isinstance(outcome.cause, TimeoutError)
    )
    assert isinstance(last.cause, TooManyHang)
    assert isinstance(last.cause, GuardsError)
    assert "hang" in last.findings[0].message
    assert Guarded(Text(), guards=[fine]).run(ScriptedModel(["a"]), "?").ok
    assert validate("a", Text(), guards=[fine]).ok
    assert asyncio.run(avalidate("a", Text(), guards=[fine])).ok


def test_sixty_four_guards_of_one_ticket_that_hang_stop_no_other(release):
    """Many guards of one ticket, each hanging again and again, leave room for those of another."""
    guards = [hanging(release, f"hangs {number}", timeout=0.02) for number in range(64)]
    bad = Guarded(Text(), guards=guards)
    for _ in range(10):
        assert bad.run(ScriptedModel(["a"]), "?").reason == "guard.failed"
    assert checks.left > 500
    assert Guarded(Text(), guards=[fine]).run(ScriptedModel(["a"]), "?").ok


def test_checks_that_have_not_timed_out_yet_keep_nobody_waiting(release):
    """While a crowd waits in one guard's check, and further ones queue for it, another guard's begins at once."""
    slow = hanging(release, "slow", timeout=30)
    with ThreadPoolExecutor(80) as crowd:
        waiting = [crowd.submit(validate, "a", Text(), guards=[slow]) for _ in range(80)]
        while checks._threads < 32:
            time.sleep(0.005)
        began = time.monotonic()
        assert validate("a", Text(), guards=[fine]).ok
        assert time.monotonic() - began < 2
        release.set()
        assert all(outcome.result().ok for outcome in waiting)


def test_functions_that_hang_stop_no_other_function():
    """A sync function of an async call that never comes back uses up its own allowance, under its own name."""
    gate = threading.Event()

    def hangs(messages):
        gate.wait(60)
        return "late"

    ticket = Guarded(Text(), budget=Budget(seconds=0.2))

    async def crowd(function, number):
        runs = (ticket.arun(function, "?") for _ in range(number))
        return await asyncio.gather(*runs, return_exceptions=True)

    async def all_of_it():
        await crowd(hangs, 64)
        over, other = await crowd(hangs, 1), await crowd(lambda messages: "a", 3)
        return over, other

    try:
        (over,), others = asyncio.run(all_of_it())
        assert isinstance(over, TooManyHang)
        assert all(outcome.ok for outcome in others)
    finally:
        gate.set()


def test_an_owner_has_its_own_bounds():
    """What one owner leaves behind and has at work counts for it alone; where much hangs in all, one more each is left."""
    gate = threading.Event()
    workers = Workers("test", most=1, most_left=3, left_in_all=8)

    def leave(owner):
        task = workers.submit(lambda: gate.wait(60), owner)
        while not task.running:
            time.sleep(0.001)
        workers.abandon(task)

    try:
        first, second, third = object(), object(), object()
        for _ in range(3):
            leave(first)
        with pytest.raises(TooManyHang, match="3 threads of this test hang"):
            workers.submit(gate.wait, first)
        leave(second)
        with pytest.raises(TooManyHang):
            workers.submit(gate.wait, second)  # half of all is used up
        blocker = workers.submit(lambda: gate.wait(60), third)
        queued = workers.submit(lambda: "then", third)
        assert workers.submit(lambda: "now", object()).future.result(5) == "now"
        assert not queued.running
        gate.set()
        assert blocker.future.result(5)
        assert queued.future.result(5) == "then"
        while workers.left:
            time.sleep(0.001)
        assert workers.submit(lambda: "again", first).future.result(5) == "again"
        while workers._lanes:  # nothing is kept of owners who are done
            time.sleep(0.001)
    finally:
        gate.set()


def test_no_thread_to_be_had_is_told(monkeypatch):
    """Where the system gives no more threads the work is refused, and nothing is counted for it."""
    workers = Workers("test", most=1, most_left=3)

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(TooManyHang, match="can't start new thread"):
            workers.submit(lambda: 1, "me")
    assert workers._lanes == {}
    assert workers.submit(lambda: 2, "me").future.result(5) == 2


def blocking(release, name, **options):
    @check(name=name, **options)
    async def blocks(value, context):
        release.wait(60)

    return blocks


@check(timeout=5)
async def afine(value, context):
    """Always good, after a turn of the loop."""
    await asyncio.sleep(0)


@check(timeout=5)
async def at_once(value, context):
    """Always good, in the one turn that it has."""


def test_an_async_check_that_blocks_stops_no_other_ticket(release):
    """A check that is async and blocks all the same stands in a loop of its own then; others have another."""
    blocks = blocking(release, "blocks", timeout=0.05)
    for _ in range(9):
        assert validate("a", Text(), guards=[blocks]).reason == "guard.failed"
        assert validate("a", Text(), guards=[afine]).ok
    over = validate("a", Text(), guards=[blocks])
    assert isinstance(over.cause, TooManyHang)
    release.set()
    assert validate("a", Text(), guards=[afine]).ok
    while background_loop._left:
        time.sleep(0.005)
    assert validate("a", Text(), guards=[blocks, afine]).ok


def test_an_async_check_that_blocks_for_a_while_is_waited_for(release):
    """A check that computes in the loop holds up others for a moment, and nothing of it or of what waits there is
    lost."""
    with ThreadPoolExecutor(8) as crowd:
        slow = blocking(release, "slow")
        first = crowd.submit(validate, "a", Text(), guards=[slow, at_once])
        others = [crowd.submit(validate, "a", Text(), guards=[at_once]) for _ in range(5)]
        assert all(outcome.result(20).ok for outcome in others)
        release.set()
        assert first.result(20).ok


def test_a_check_that_blocked_once_blocks_nobody_again(release):
    """While a check of a guard stands in a loop, further ones of that guard get loops of their own: checks that wait in
    the loop of all are not held up."""
    blocks = blocking(release, "blocks", timeout=0.4)

    @check(timeout=5)
    async def naps(value, context):
        for _ in range(20):
            await asyncio.sleep(0.01)

    assert not validate("a", Text(), guards=[blocks]).ok
    assert validate("a", Text(), guards=[naps]).ok
    with ThreadPoolExecutor(6) as crowd:
        bad = [crowd.submit(validate, "a", Text(), guards=[blocks]) for _ in range(3)]
        good = [crowd.submit(validate, "a", Text(), guards=[naps]) for _ in range(3)]
        assert all(outcome.result(20).ok for outcome in good)
        assert not any(outcome.result(20).ok for outcome in bad)
