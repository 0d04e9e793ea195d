"""Hangs, silent passes, lost records and edits at the wrong place: each of these happened once."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
import types

import pytest
import tenacity
from models import GOOD, Ticket
from pydantic import BaseModel

from guards import (
    Budget,
    ConfigError,
    Fallback,
    Filter,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Rejected,
    Reply,
    avalidate,
    check,
    validate,
)
from guards.checks import Scored
from guards.clients import resolve
from guards.contracts import Text
from guards.driving.workers import Workers
from guards.effects import NoAnswer
from guards.errors import BudgetExhausted
from guards.events import CallEnded
from guards.records import Usage
from guards.testing import ScriptedModel


class Order(BaseModel):
    tags: list[str]
    note: str = ""


def ends(function, seconds=20):
    """What the function gives or raises; a failure where it never does."""
    result = []

    def run():
        try:
            result.append((function(), None))
        except BaseException as fault:  # noqa: BLE001  # handed on below
            result.append((None, fault))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert result, "it hangs"
    value, fault = result[0]
    if fault is not None:
        raise fault
    return value


# -- nothing waits for ever ------------------------------------------------------------------------------------------


def test_a_stop_iteration_in_a_thread_does_not_hang():
    """`next()` of an empty iterator ends the call, although an asyncio future refuses StopIteration."""
    empty = check(cost=1)(lambda value: next(iter(())))
    findings = ends(lambda: asyncio.run(avalidate("1", int, guards=[empty]))).findings
    assert [f.code for f in findings] == ["guard.failed"]
    with pytest.raises(RuntimeError, match="StopIteration"):
        ends(lambda: asyncio.run(Guarded(int).acall(lambda messages: next(iter(())), "q")))


def test_an_async_check_that_exits_does_not_take_the_loop_along():
    """SystemExit comes out of the call, and the next async check still runs."""

    @check
    async def leaves(value, context):
        raise SystemExit(3)

    @check
    async def fine(value, context):
        return None

    with pytest.raises(SystemExit):
        ends(lambda: validate("1", int, guards=[leaves]))
    assert ends(lambda: validate("1", int, guards=[fine])).ok


def test_a_sync_call_inside_an_async_check_is_refused():
    """It would wait for the loop that it holds up; it is a failed guard that says what to write."""

    @check
    async def inner(value, context):
        return None

    @check
    async def outer(value, context):
        return validate("1", int, guards=[inner]).findings

    (finding,) = ends(lambda: validate("1", int, guards=[outer])).findings
    assert finding.code == "guard.failed"
    assert "await its async form" in finding.message


def test_checks_that_run_checks_find_a_thread():
    """More checks than there are threads, each waiting for checks of its own, all come to an end."""
    workers = Workers("nested", most=2, most_left=1)

    def outer():
        return workers.submit(lambda: 1).future.result()

    tasks = [workers.submit(outer) for _ in range(20)]
    assert sum(ends(lambda task=task: task.future.result()) for task in tasks) == 20


def test_no_end_of_time_is_too_far():
    """A budget of infinite seconds is one that never ends, for checks in threads too."""
    slow = check(cost=1)(lambda value: None)
    assert Guarded(int, guards=[slow, slow], budget=Budget(seconds=float("inf"))).run(ScriptedModel(["1"]), "q").ok


# -- nothing passes silently -----------------------------------------------------------------------------------------


def test_an_unknown_severity_is_no_pass():
    """A finding of a severity that does not exist fails the guard: it would have blocked nothing."""
    odd = check(lambda value: Finding("x", "bad", severity="fatal"))
    outcome = validate("1", int, guards=[odd])
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")


@pytest.mark.parametrize("score", [float("nan"), 7, -0.1])
def test_a_score_that_is_none_is_no_pass(score):
    """A finding whose score lies outside the scale fails the guard: on record it would have been a full score."""
    odd = check(lambda value: Finding("x", "bad", score=score, severity="warning"))
    outcome = validate("1", int, guards=[odd])
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")
    assert "it must be from 0 to 1" in outcome.findings[0].message


@pytest.mark.parametrize("score", [float("nan"), 7, -0.1, True, "1", None])
def test_a_scored_without_a_score_is_no_pass(score):
    """The same of a `Scored`: what is no number from 0 to 1 fails the guard."""
    outcome = validate("1", int, guards=[check(lambda value: Scored(score))])
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")


class _Done:
    """Something to be awaited that gives nothing when it is gone through, as a future that is done."""

    def __await__(self):
        return iter(())

    __iter__ = __await__


@pytest.mark.parametrize("verdict", [bytearray(), b"", {}, types.MappingProxyType({}), memoryview(b""), _Done()])
def test_what_is_no_verdict_is_no_pass(verdict):
    """What could be gone through and gives nothing says nothing of the value: the guard has failed."""
    outcome = validate("1", int, guards=[check(lambda value: verdict)])
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")
    assert "must give None, a message, a Finding or several" in outcome.findings[0].message


def test_a_future_is_no_verdict():
    """A plain check that hands over a future has judged nothing, though the future is done."""

    @check
    def cached(value):
        future = asyncio.get_running_loop().create_future()
        future.set_result("bad")
        return future

    outcome = asyncio.run(avalidate("1", int, guards=[cached]))
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")


def test_what_a_generator_returns_counts():
    """A check that yields in one branch and returns its message in another is heard in both."""

    @check
    def mixed(value, context):
        if value > 5:
            yield "too big"
        return "not good either"

    assert [f.message for f in validate("9", int, guards=[mixed]).findings] == ["too big", "not good either"]


def test_a_place_that_cannot_be_searched_is_a_failed_guard():
    """A document too deep for a JSONPath raises nothing and passes nothing."""
    text = '{"a":' * 150 + "1" + "}" * 150
    outcome = validate(text, {"type": "object"}, guards=[check(lambda value: None).on("$..b")])
    assert (outcome.ok, outcome.reason) == (False, "guard.failed")


def test_a_guard_whose_place_is_not_there_is_shown_as_skipped():
    """A guard of a place that the answer has not looked at nothing, and the record says so."""
    look = check(name="look")(lambda value: "bad")
    outcome = Guarded({"type": "object"}, guards=[look.on("$.typo")]).run(ScriptedModel(['{"a": 1}']), "q")
    assert (outcome.ok, outcome.scores, outcome.attempts[0].skipped) == (True, {}, ("look",))


def test_a_check_that_cancels_itself_cancels_nothing_else():
    """A cancellation that a check raises is its own failure, with both drivers."""

    @check
    async def cancels(value, context):
        raise asyncio.CancelledError

    for outcome in (validate("1", int, guards=[cancels]), asyncio.run(avalidate("1", int, guards=[cancels]))):
        assert [f.code for f in outcome.findings] == ["guard.failed"]


def test_what_a_check_raises_past_everything_leaves_no_task_behind():
    """The other checks of the tier have ended when the fault comes out."""

    class Odd(BaseException):
        pass

    ended = []

    @check(cost=1)
    def raises(value, context):
        raise Odd

    @check(cost=1)
    async def waits(value, context):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def run():
        with pytest.raises(Odd):
            await avalidate("1", int, guards=[waits, raises])
        return list(ended)

    assert asyncio.run(run()) == [True]


def test_input_guards_see_the_texts_inside_of_arguments():
    """A decorated function's records and lists reach its input guards, which would else pass an empty text."""
    seen = []

    @Guarded(int, input_guards=[check(lambda value: seen.append(value))], on_fail=Raise())
    def triage(order: Order, more: list[dict[str, str]]) -> str:
        return "1"

    assert triage(Order(tags=["x", "y"], note="n"), [{"k": "v"}]) == 1
    assert seen == ["x\ny\nn\nk\nv", "xy\nn\nk\nv"]  # the tags may be put together by the function


def test_input_guards_of_different_policies():
    """One that withholds does not speak for one that refuses."""
    withholds, refuses = check(on_fail=Refrain())(lambda value: "a"), check(lambda value: "b")
    ticket = Guarded(int, input_guards=[withholds, refuses])
    with pytest.raises(Rejected):
        ticket.call(ScriptedModel([]), "q")


# -- budgets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -5, True, "7"])
def test_what_is_no_amount_was_not_said(amount):
    """A reply with an absurd usage does not unsettle a budget: it is an error, as one without usage is."""
    reply = Reply("1", usage={"input_tokens": amount, "output_tokens": amount, "cost": amount})
    assert Usage.of(reply.usage) == Usage()
    for budget in (Budget(tokens=10), Budget(cost=1.0)):
        with pytest.raises(ConfigError, match="budget cannot be kept"):
            Guarded(int, budget=budget).call(ScriptedModel([reply]), "q")


def test_a_late_answer_is_the_budget_s_end_whatever_the_policy():
    """`Raise()` on an answer that came too late is BudgetExhausted: nothing else was wrong with it."""

    def late(messages):
        threading.Event().wait(0.1)
        return "1"

    with pytest.raises(BudgetExhausted):
        Guarded(int, on_fail=Raise(), budget=Budget(seconds=0.05)).call(late, "q")


def test_the_budget_is_looked_at_again_after_an_edit():
    """An edit during whose checks another call of the session used the budget up is not followed by a question."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    model = ScriptedModel([Reply('{"tags": [], "note": ""}', usage=usage), Reply('{"tags": ["x"]}', usage=usage)])

    @check(on_fail=Fix())
    def no_note(value, context):
        return None if value.note else Finding("x", "bad", "/note", fix="n")

    @check
    def no_tags(value, context):
        if value.note and not value.tags:
            session.call(
                lambda messages: Reply('{"tags": ["a"], "note": "m"}', usage={**usage, "input_tokens": 99}), "q"
            )
        return None if value.tags else "no tags"

    ticket = Guarded(Order, guards=[no_note, no_tags], budget=Budget(tokens=50))
    with ticket.session() as session, pytest.raises(BudgetExhausted):
        session.call(model, "q")
    assert len(model.calls) == 1


def test_a_session_whose_budget_ended_still_delivers():
    """Policies that need no call apply where not even the first question may be put; Raise before them does not."""
    reply = Reply("1", usage={"input_tokens": 1, "output_tokens": 1})
    for policy, by in ((Reask().then(Fallback(5)), "fallback"), (Refrain(), "refrain"), (Reask().then(Raise()), None)):
        with Guarded(int, on_fail=policy, budget=Budget(tokens=1)).session() as session:
            session.call(ScriptedModel([reply]), "q")
            outcome = session.run(ScriptedModel([]), "q")
            assert (outcome.ok, outcome.delivered_by, outcome.attempts) == (False, by, ())


def test_a_client_s_own_time_out_at_the_deadline_is_the_budget_s_end():
    """An async client that gives up just when the seconds end is no fault of its own, as with a sync one."""

    class Impatient:
        async def __call__(self, messages):
            await asyncio.sleep(0)
            while asyncio.get_running_loop().time() < deadline:
                pass  # the loop is held up, so that only the client's own time-out can end it
            raise TimeoutError

    async def run():
        return await Guarded(int, budget=Budget(seconds=0.05)).arun(Impatient().__call__, "q")

    deadline = time.monotonic() + 0.1
    assert asyncio.run(run()).reason == "budget.seconds"


# -- edits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fix", [dt.date(2020, 1, 1), object(), {1}, b"x", {1: 2}, [object()]])
@pytest.mark.parametrize("answered", ["json", "xml"])
def test_a_proposal_that_no_document_can_hold(fix, answered):
    """It is passed over as if nothing were proposed, and raises nothing."""
    guard = check(lambda value: Finding("x", "bad", "/note", fix=fix))
    answer = {"json": '{"tags": [], "note": "n"}', "xml": "<Order><note>n</note></Order>"}[answered]
    ticket = Guarded(Order, format=answered, guards=[guard], on_fail=Fix().then(Refrain()))
    assert ticket.run(ScriptedModel([answer]), "q").delivered_by == "refrain"


@pytest.mark.parametrize("order", [1, -1])
def test_fixes_of_a_list_and_of_its_item_do_not_mix(order):
    """One that was made for the list's old item is not put over another item of the new list."""

    @check
    def whole(value, context):
        return Finding("x", "a is too much", "/tags", fix=["b"]) if "a" in value.tags else None

    @check
    def item(value, context):
        return Finding("y", "in capitals", "/tags/0", fix="A") if "a" in value.tags else None

    ticket = Guarded(Order, guards=[whole, item][::order], on_fail=Fix().then(Refrain()))
    outcome = ticket.run(ScriptedModel(['{"tags": ["a", "b"]}']), "q")
    assert outcome.value in (Order(tags=["b"]), Order(tags=["A", "b"]))
    assert [repair.path for repair in outcome.repairs] == [{1: "/tags", -1: "/tags/0"}[order]]


@pytest.mark.parametrize("policy", [Filter().then(Noop()), Filter().then(Reask()).then(Noop())])
def test_an_edit_that_breaks_a_guard_is_not_taken(policy):
    """What a guard could not look at again is not delivered as filtered; the answer stays as it came."""

    @check
    def fragile(value, context):
        if len(value.tags) < 2:
            raise ValueError("too short")
        return [Finding("x", "bad", "/tags/0"), Finding("y", "bad", "/tags/1")]

    model = ScriptedModel(['{"tags": ["a", "b"]}'] * 2)
    outcome = Guarded(Order, guards=[fragile], on_fail=policy).run(model, "q")
    assert (outcome.delivered_by, outcome.value, outcome.repairs) == ("noop", Order(tags=["a", "b"]), ())


# -- asking again ----------------------------------------------------------------------------------------------------


class _Tools:
    """A client whose answers may ask for a tool, as an SDK's do."""

    def __init__(self, answers):
        self._client = resolve(ScriptedModel(answers))
        self.colour = "sync"

    def __getattr__(self, name):
        return getattr(self._client, name)

    def read(self, raw):
        reply = self._client.read(raw)
        if reply.finish == "tool_calls":
            raise NoAnswer(reply)
        return reply


def test_a_reflection_that_asks_for_a_tool():
    """The call goes on without the reflection; what it used is counted, and no signal of ours comes out."""
    usage = {"input_tokens": 5, "output_tokens": 5}
    tool = Reply("", usage=usage, finish_reason="tool_calls")
    client = _Tools([Reply("x", usage=usage), tool, Reply(GOOD, usage=usage)])
    outcome = Guarded(Ticket, on_fail=Reflect(mode="separate")).run(client, "q")
    assert outcome.ok
    assert outcome.usage.total_tokens == 30
    assert outcome.attempts[1].usage.total_tokens == 20


def test_a_reflection_s_seconds_count_once():
    """The time of a separate reflection belongs to the attempt that it prepares, and to no other."""

    def thinks(messages):
        threading.Event().wait(0.2)
        return "hm"

    outcome = Guarded(Ticket, on_fail=Reflect(mode="separate", client=thinks)).run(ScriptedModel(["x", GOOD]), "q")
    first, second = outcome.attempts
    assert first.seconds < 0.15 < second.seconds


def test_only_a_reflection_that_was_asked_for_is_taken_off():
    """An answer that begins with the tag of itself is delivered whole."""
    short = check(lambda value: "say more" if len(value) < 5 else None)
    said = "<reflection>so</reflection> it is"
    assert Guarded(Text(), guards=[short]).call(ScriptedModel(["no", said]), "q") == said


def test_a_guard_s_words_are_fenced_whatever_its_code():
    """A code of the library's own family does not let a guard's message stand as ours in what is asked next."""
    guard = check(lambda value: Finding("rule.tone", "bad:\n# obey") if value.priority == 1 else None)
    model = ScriptedModel([GOOD.replace("2", "1"), GOOD])
    assert Guarded(Ticket, guards=[guard]).run(model, "q").ok
    assert "`bad: # obey`" in model.calls[1][-1]["content"]


@pytest.mark.parametrize("retry", [None, "async"])
def test_a_transport_object_retries_faults_only(retry):
    """A client that gives no answer at all is asked once more for its fault, and not for its answer."""
    asked = []

    async def llm(messages):
        asked.append(messages)
        if len(asked) == 1:
            raise OSError
        return {"no": "answer"}

    async def always(state):
        return state.outcome.failed

    transport = tenacity.Retrying(stop=tenacity.stop_after_attempt(5), wait=tenacity.wait_none())
    if retry == "async":
        transport = transport.copy(retry=always)
    with pytest.raises(ConfigError, match="dict"):
        asyncio.run(Guarded(int, transport=transport).acall(llm, "q"))
    assert len(asked) == 2


# -- shapes and records ----------------------------------------------------------------------------------------------


def test_a_fallback_client_needs_the_question():
    """A decorated function that nobody can take a question from has no fallback client: it would be asked nothing."""
    ticket = Guarded(int, on_fail=Fallback(client=ScriptedModel(["7"])))
    with pytest.raises(ConfigError, match="messages"):

        @ticket
        def answer(mail: str) -> str:
            return mail

    @ticket
    def asks(messages: list[dict[str, str]]) -> str:
        return "x"

    assert asks([{"role": "user", "content": "q"}]) == 7


def test_turns_that_cannot_be_read_are_not_lost():
    """A decorated function's `messages` of another kind is an error, and never replaced by the feedback alone."""

    @Guarded(int)
    def answer(messages: object) -> str:
        return "x"

    with pytest.raises(ConfigError, match="messages"):
        answer(iter([{"role": "user", "content": "q"}]))


def test_hooks_hear_of_a_failed_call():
    """The end of a call is told also where the client's own fault ended it."""
    heard = []
    ticket = Guarded(int, hooks=[lambda event: heard.append(event) if isinstance(event, CallEnded) else None])
    with pytest.raises(OSError):
        ticket.call(ScriptedModel([OSError()]), "q")
    assert [event.outcome.reason for event in heard] == ["call.failed"]


def test_leaving_an_async_loop_closes_its_record_at_once():
    """Behind the `break` of an `async for` the attempts are on record."""

    async def run():
        loop = Guarded(int).attempts("q")
        async for _ in loop:
            break
        return loop.outcome

    assert asyncio.run(run()).reason == "call.abandoned"


def test_an_attempt_cancelled_while_checked_is_on_record():
    """A cancellation during the checks of an offered answer closes the record as a failure, with the answer in it."""

    @check(cost=1)
    async def waits(value, context):
        await asyncio.sleep(60)

    async def run():
        loop = Guarded(int, guards=[waits]).attempts("q")

        async def answer():
            async for attempt in loop:
                async with attempt:
                    attempt.offer("1")

        task = asyncio.ensure_future(answer())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.outcome

    outcome = asyncio.run(run())
    assert (outcome.reason, outcome.attempts[0].text) == ("call.failed", "1")


def test_a_call_cancelled_anywhere_is_on_record():
    """Whatever it is waiting for, a cancelled call leaves one outcome in its session and no task."""

    @check
    async def looped(value, context):
        await asyncio.sleep(0)

    threaded = check(cost=1)(lambda value: None)

    async def llm(messages):
        await asyncio.sleep(0)
        return GOOD if len(messages) > 1 else "x"

    async def run(steps):
        async with Guarded(Ticket, guards=[looped, threaded]).session() as session:
            task = asyncio.ensure_future(session.arun(llm, "q"))
            for _ in range(steps):
                await asyncio.sleep(0)
            finished = task.done()
            task.cancel()
            await asyncio.wait([task])
            assert len(session.outcomes) == 1
            assert session.outcomes[0].ok is finished
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return finished

    assert [asyncio.run(run(steps)) for steps in range(1, 9)] == [False] * 8
