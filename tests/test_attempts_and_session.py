"""The two context managers: the caller's own loop, and one budget and record around several calls."""

from __future__ import annotations

import asyncio
import threading

import pytest
from models import BAD, GOOD, Ticket

from guards import Budget, BudgetExhausted, ConfigError, Guarded, Raise, Reflect, Refrain, Rejected, Reply, check
from guards.testing import ScriptedModel

ticket = Guarded(Ticket)
VALUE = Ticket(title="Printer", priority=2)


def test_the_loop_ends_when_an_answer_holds():
    """Messages and feedback lead from one attempt to the next; the value is there right behind the block."""
    sent = []
    loop = ticket.attempts("task")
    for attempt in loop:
        with attempt:
            sent.append(len(attempt.messages))
            attempt.offer(GOOD if attempt.feedback else BAD)
        if attempt.feedback:
            assert attempt.value == VALUE
    assert sent == [1, 3]
    assert attempt.value == loop.value == VALUE
    assert loop.outcome.ok
    assert [a.decision for a in loop.outcome.attempts] == ["reask", "accept"]


def test_the_async_loop():
    """`async for` with either kind of block gives the same."""

    async def run(asynchronous):
        loop = ticket.attempts("task")
        async for attempt in loop:
            if asynchronous:
                async with attempt:
                    attempt.offer(GOOD if attempt.feedback else BAD)
            else:
                with attempt:
                    attempt.offer(GOOD if attempt.feedback else BAD)
        return loop.value, len(loop.outcome.attempts)

    assert asyncio.run(run(asynchronous=True)) == asyncio.run(run(asynchronous=False)) == (VALUE, 2)


def test_the_loop_raises_when_no_answer_holds():
    """When the budget ends the loop raises Rejected with all attempts."""
    with pytest.raises(BudgetExhausted) as caught:
        for attempt in ticket.attempts("task"):
            with attempt:
                attempt.offer(BAD)
    assert len(caught.value.outcome.attempts) == 3

    async def run():
        async for attempt in ticket.attempts("task"):
            with attempt:
                attempt.offer(BAD)

    with pytest.raises(BudgetExhausted):
        asyncio.run(run())


def test_a_policy_that_delivers_ends_the_loop_quietly():
    """Refrain raises nothing in the loop either."""
    loop = ticket.replace(on_fail=Refrain()).attempts("task")
    for attempt in loop:
        with attempt:
            attempt.offer(BAD)
    assert (loop.value, loop.outcome.delivered_by) == (None, "refrain")


def test_a_block_left_without_an_answer_is_an_error():
    """Forgetting `offer` is named, in each kind of loop, and the record is closed."""
    loop = ticket.attempts("task")
    with pytest.raises(ConfigError, match="offer"):
        for attempt in loop:
            with attempt:
                pass
    assert loop.outcome.reason == "call.failed"
    with pytest.raises(ConfigError, match="offer"):
        for attempt in ticket.attempts("task"):
            pass

    async def run():
        async for attempt in ticket.attempts("task"):
            async with attempt:
                pass

    with pytest.raises(ConfigError, match="offer"):
        asyncio.run(run())


def test_offering_twice_is_an_error():
    """One attempt has one answer."""
    with pytest.raises(ConfigError, match="already"):
        for attempt in ticket.attempts("task"):
            with attempt:
                attempt.offer(BAD)
                attempt.offer(GOOD)


def test_break_closes_the_record_as_abandoned():
    """Leaving the loop before an answer held is recorded as such."""
    loop = ticket.attempts("task")
    for attempt in loop:
        with attempt:
            attempt.offer(BAD)
        break
    assert loop.outcome.reason == "call.abandoned"
    assert loop.outcome.attempts[0].text == BAD
    loop = ticket.attempts("task")
    for attempt in loop:
        break
    assert [a.decision for a in loop.outcome.attempts] == ["abandoned"]


def test_break_after_the_accepted_answer_keeps_it():
    """A break behind an answer that held changes nothing."""
    loop = ticket.attempts("task")
    for attempt in loop:
        with attempt:
            attempt.offer(GOOD)
        if attempt.outcome:
            break
    assert loop.outcome.ok


def test_the_caller_s_exception_passes():
    """What is raised in the block comes out as the same object, noted, with the record closed."""
    fault = OSError("gone")
    loop = ticket.attempts("task")
    with pytest.raises(OSError) as caught:
        for attempt in loop:
            with attempt:
                raise fault
    assert caught.value is fault
    assert loop.outcome.reason == "call.failed"
    assert len(fault.__notes__) == 1


def test_a_loop_runs_once():
    """A second run of the same loop is an error."""
    loop = ticket.attempts("task")
    for attempt in loop:
        with attempt:
            attempt.offer(GOOD)
    with pytest.raises(ConfigError, match="once"):
        list(loop)


def test_guards_run_in_the_loop():
    """Async and threaded guards run in both loops, with the given context."""

    @check(cost=2, needs=("mail",))
    async def slow(value, context):
        await asyncio.sleep(0)
        return None if context["mail"] == "hi" else "no mail"

    @check(cost=1)
    def threaded(value, context):
        return None

    guarded = ticket.replace(guards=[slow, threaded])
    loop = guarded.attempts("task", context={"mail": "hi"})
    for attempt in loop:
        with attempt:
            attempt.offer(Reply(GOOD))
    assert loop.outcome.scores == {"slow": 1.0, "threaded": 1.0}

    async def run():
        loop = guarded.attempts("task", context={"mail": "hi"})
        async for attempt in loop:
            async with attempt:
                attempt.offer(GOOD)
        return loop.value

    assert asyncio.run(run()) == VALUE
    with pytest.raises(ConfigError, match="'mail'"):
        guarded.attempts("task")


def test_the_loop_needs_a_client_for_a_separate_reflection():
    """Nobody here can make that call."""
    with pytest.raises(ConfigError, match="client="):
        ticket.replace(on_fail=Reflect(mode="separate")).attempts("task")


def test_a_session_records_every_call():
    """Accepted, rejected and failed calls each have one outcome; context is shared and added to."""
    seen = []

    @check
    def look(value, context):
        seen.append(dict(context))

    with Guarded(Ticket, guards=[look], on_fail=Raise()).session(context={"mail": "m"}) as session:
        assert session.call(ScriptedModel([GOOD]), "task", context={"more": 1}) == VALUE
        with pytest.raises(Rejected):
            session.call(ScriptedModel([BAD]), "task")
        with pytest.raises(OSError):
            session.call(ScriptedModel([OSError()]), "task")
    assert [o.reason for o in session.outcomes] == ["accepted", "policy.raise", "call.failed"]
    assert seen == [{"mail": "m", "more": 1}]


def test_an_async_session():
    """`async with` is the same."""

    async def run():
        async with ticket.session() as session:
            await asyncio.gather(*(session.acall(ScriptedModel([BAD, GOOD]).acall, "t") for _ in range(20)))
        return session.outcomes

    outcomes = asyncio.run(run())
    assert len(outcomes) == 20
    assert all(o.ok for o in outcomes)


def test_a_session_is_used_inside_its_block():
    """A session that is not open, or entered twice, is an error."""
    session = ticket.session()
    with pytest.raises(ConfigError, match="not open"):
        session.call(ScriptedModel([GOOD]), "t")
    with session, pytest.raises(ConfigError, match="in use"):
        session.__enter__()


def test_a_session_s_budget_under_threads():
    """Threads share the tokens: no more than the budget, and one answer per thread at most, is used."""
    usage = {"input_tokens": 10, "output_tokens": 0}
    guarded = Guarded(Ticket, budget=Budget(attempts=1, tokens=100))
    done = []

    def work():
        for _ in range(10):
            try:
                done.append(session.call(lambda messages: Reply(GOOD, usage), "t"))
            except BudgetExhausted:
                pass

    with guarded.session() as session:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 10 <= len(done) <= 18
    assert len(session.outcomes) == 80


def test_cancelling_a_task_closes_its_record():
    """A cancelled call is recorded, and the cancellation comes out."""

    async def forever(messages):
        await asyncio.sleep(60)

    async def run():
        async with ticket.session() as session:
            task = asyncio.create_task(session.acall(forever, "t"))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return session.outcomes

    outcomes = asyncio.run(run())
    assert [o.reason for o in outcomes] == ["call.failed"]
    assert [a.decision for a in outcomes[0].attempts] == ["error"]


def test_sync_calls_inside_a_running_loop():
    """A sync caller inside an event loop works, with async guards too."""

    @check
    async def later(value, context):
        await asyncio.sleep(0)

    async def run():
        return ticket.replace(guards=[later]).call(ScriptedModel([BAD, GOOD]), "t")

    assert asyncio.run(run()) == VALUE


def test_an_async_client_in_a_sync_call_is_named():
    """`call` with an async client points at `acall`."""
    with pytest.raises(ConfigError, match="acall"):
        ticket.call(ScriptedModel([GOOD]).acall, "t")
    with ticket.session() as session, pytest.raises(ConfigError, match="acall"):
        session.call(ScriptedModel([GOOD]).acall, "t")
