"""Attempts, seconds, tokens and cost bound a call or a session; transport faults are retried inside the same deadline."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import tenacity
from models import BAD, GOOD, Ticket

from guards import Budget, BudgetExhausted, ConfigError, Guarded, Noop, Reask, Refrain, Reply, check
from guards.testing import ScriptedModel

FOREVER = Reask(times=99)


def usage(tokens):
    return {"input_tokens": tokens, "output_tokens": 0}


def test_attempts_count_per_call():
    """A session's calls each have the full number of attempts."""
    ticket = Guarded(Ticket, on_fail=FOREVER, budget=Budget(attempts=2))
    with ticket.session() as session:
        for _ in range(2):
            with pytest.raises(BudgetExhausted):
                session.call(ScriptedModel([BAD, '{"a": 1}']), "task")
    assert [len(o.attempts) for o in session.outcomes] == [2, 2]


def test_tokens_are_looked_at_before_a_question():
    """An answer that overshoots is delivered if it holds; a further question is not put."""
    ticket = Guarded(Ticket, on_fail=FOREVER, budget=Budget(tokens=100))
    assert ticket.run(ScriptedModel([Reply(GOOD, usage(500))]), "t").ok
    outcome = ticket.run(ScriptedModel([Reply(BAD, usage(500)), Reply(GOOD, usage(1))]), "t")
    assert (outcome.ok, outcome.reason, len(outcome.attempts)) == (False, "budget.tokens", 1)


def test_cost_by_price_and_as_said():
    """Cost comes from the reply or from the price per million tokens, and is in the record."""
    priced = Guarded(Ticket, on_fail=FOREVER, budget=Budget(cost=0.01, price=(1000, 0)))
    outcome = priced.run(ScriptedModel([Reply(BAD, usage(10)), Reply(GOOD, usage(1))]), "t")
    assert (outcome.reason, outcome.usage.cost) == ("budget.cost", 0.01)
    said = Guarded(Ticket, on_fail=FOREVER, budget=Budget(cost=1))
    outcome = said.run(ScriptedModel([Reply(BAD, {"cost": 0.4}), Reply(GOOD, {"cost": 0.3})]), "t")
    assert outcome.ok
    assert outcome.usage.cost == pytest.approx(0.7)


@pytest.mark.parametrize("budget", [Budget(tokens=5), Budget(cost=1), Budget(cost=1, price=(1, 1))])
def test_a_budget_that_cannot_be_kept_is_an_error(budget):
    """A reply without usage under a tokens or cost budget is no unlimited budget."""
    with pytest.raises(ConfigError, match="budget cannot be kept"):
        Guarded(Ticket, budget=budget).call(ScriptedModel([GOOD]), "t")


def test_a_session_shares_tokens():
    """What one call used is gone for the next, which is rejected before it asks."""
    ticket = Guarded(Ticket, on_fail=FOREVER, budget=Budget(tokens=100))
    never = ScriptedModel([])
    with ticket.session() as session:
        session.call(ScriptedModel([Reply(GOOD, usage(100))]), "t")
        with pytest.raises(BudgetExhausted):
            session.call(never, "t")
    assert never.calls == []
    assert [o.reason for o in session.outcomes] == ["accepted", "budget.tokens"]


def test_a_late_answer_of_a_sync_client_is_rejected_with_the_answer_in_the_record():
    """A client that cannot be stopped may answer too late: its answer is kept and not accepted."""

    def slow(messages):
        time.sleep(0.15)
        return GOOD

    outcome = Guarded(Ticket, budget=Budget(seconds=0.1)).run(slow, "t")
    assert (outcome.ok, outcome.reason, outcome.text) == (False, "budget.seconds", GOOD)
    outcome = Guarded(Ticket, budget=Budget(seconds=0.1), on_fail=Reask().then(Refrain())).run(slow, "t")
    assert outcome.delivered_by == "refrain"


def test_an_async_call_is_cancelled_at_the_deadline():
    """The async client is cancelled, not waited for; a plain function in a thread is left behind."""
    cancelled = []
    left = threading.Event()

    async def slow(messages):
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return GOOD

    def plain(messages):
        left.wait(30)
        return GOOD

    for client in (slow, plain):
        started = time.monotonic()
        outcome = asyncio.run(Guarded(Ticket, budget=Budget(seconds=0.1)).arun(client, "t"))
        assert (outcome.ok, outcome.reason) == (False, "budget.seconds")
        assert time.monotonic() - started < 15
    left.set()
    assert cancelled == [True]


def test_a_client_that_takes_a_timeout_gets_what_is_left():
    """The remaining seconds are handed over, and a time-out at the deadline is the budget's end."""
    seen = []

    def client(messages, timeout=None):
        seen.append(timeout)
        time.sleep(timeout)
        raise TimeoutError("too slow")

    outcome = Guarded(Ticket, budget=Budget(seconds=0.1)).run(client, "t")
    assert outcome.reason == "budget.seconds"
    assert 0 < seen[0] <= 0.1


def test_a_guard_that_runs_past_the_budget_never_passes():
    """A hanging check is left behind, reported as failed, and does not hold the caller."""

    left = threading.Event()

    @check
    def hangs(value, context):
        left.wait(30)

    started = time.monotonic()
    outcome = Guarded(Ticket, guards=[hangs], budget=Budget(seconds=0.5)).run(ScriptedModel([GOOD]), "t")
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")
    left.set()
    assert time.monotonic() - started < 15
    assert "ran out of time" in outcome.findings[0].message


def test_a_guard_s_own_timeout():
    """A timeout on the guard bounds it in validate too, sync and async."""
    from guards import avalidate, validate

    @check(timeout=0.05)
    def hangs(value, context):
        time.sleep(0.5)

    @check(timeout=0.05, on_error="open")
    async def ahangs(value, context):
        await asyncio.sleep(5)

    for outcome in (
        validate(GOOD, Ticket, guards=[hangs, ahangs]),
        asyncio.run(avalidate(GOOD, Ticket, guards=[hangs, ahangs])),
    ):
        assert [(f.code, f.severity) for f in outcome.findings] == [
            ("guard.failed", "error"),
            ("guard.failed", "unknown"),
        ]
        assert not outcome.ok


def test_plain_exceptions_pass_through_at_once():
    """A plain callable's exception is the same object, with a note of attempt and spend, and is not retried."""
    fault = ConnectionError("gone")
    model = ScriptedModel([BAD, fault])
    with pytest.raises(ConnectionError) as caught:
        Guarded(Ticket).call(model, "t")
    assert caught.value is fault
    assert "attempt 2" in caught.value.__notes__[0]


@pytest.mark.parametrize("kind", [tenacity.Retrying, tenacity.AsyncRetrying])
def test_a_tenacity_object_retries_the_transport(kind):
    """The user's own retrying object decides; its tries are no attempts; it serves sync and async alike."""
    retrying = kind(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none())
    ticket = Guarded(Ticket, transport=retrying)
    outcome = ticket.run(ScriptedModel([OSError(), OSError(), GOOD]), "t")
    assert outcome.ok
    assert len(outcome.attempts) == 1
    model = ScriptedModel([OSError(), OSError(), GOOD])
    assert asyncio.run(ticket.arun(model.acall, "t")).ok
    last = OSError("last")
    with pytest.raises(OSError, match="last") as caught:
        ticket.call(ScriptedModel([OSError(), OSError(), last]), "t")
    assert caught.value is last


def test_a_tenacity_object_that_does_not_want_the_fault():
    """What its predicate refuses comes out at once."""
    retrying = tenacity.Retrying(retry=tenacity.retry_if_exception_type(OSError), stop=tenacity.stop_after_attempt(3))
    model = ScriptedModel([KeyError("x"), GOOD])
    with pytest.raises(KeyError):
        Guarded(Ticket, transport=retrying).call(model, "t")
    assert len(model.calls) == 1


def test_waiting_for_the_transport_does_not_go_past_the_deadline():
    """A pause that would end after the budget is not begun."""
    retrying = tenacity.Retrying(wait=tenacity.wait_fixed(30))
    ticket = Guarded(Ticket, transport=retrying, budget=Budget(seconds=0.3))
    started = time.monotonic()
    outcome = ticket.run(ScriptedModel([OSError(), GOOD]), "t")
    assert outcome.reason == "budget.seconds"
    outcome = asyncio.run(ticket.arun(ScriptedModel([OSError(), GOOD]).acall, "t"))
    assert outcome.reason == "budget.seconds"
    assert time.monotonic() - started < 15


def test_stopping_early_when_asking_again_cannot_help():
    """Three equal answers, two cut by the token limit, and what the client reports as refusal end the asking."""
    ticket = Guarded(Ticket, on_fail=FOREVER, budget=Budget(attempts=50))
    outcome = ticket.run(ScriptedModel([BAD] * 9), "t")
    assert (outcome.reason, len(outcome.attempts)) == ("stop.repeated", 3)
    outcome = ticket.run(ScriptedModel([BAD, GOOD.replace("2", "7"), BAD, BAD, GOOD]), "t")
    assert outcome.ok
    cut = Reply('{"title": "', finish_reason="max_tokens")
    outcome = ticket.run(ScriptedModel([cut, Reply('{"tit', finish_reason="length"), GOOD]), "t")
    assert (outcome.reason, len(outcome.attempts)) == ("stop.truncated", 2)
    for finish in ("refusal", "content_filter"):
        outcome = ticket.run(ScriptedModel([Reply(GOOD, finish_reason=finish)]), "t")
        assert (outcome.reason, len(outcome.attempts), outcome.ok) == (f"stop.{finish}", 1, False)
    outcome = Guarded(Ticket, on_fail=FOREVER).run(ScriptedModel(["I'm sorry, I can't help with that.", GOOD]), "t")
    assert outcome.ok


def test_noop_behind_a_stop():
    """Policies that need no call apply after an early stop."""

    @check
    def never(value, context):
        return "never"

    outcome = Guarded(Ticket, guards=[never], on_fail=FOREVER.then(Noop()), budget=Budget(attempts=9)).run(
        ScriptedModel([GOOD] * 5), "t"
    )
    assert (outcome.delivered_by, len(outcome.attempts)) == ("noop", 3)
