"""One tree of events: which call each is of, in which order they come, who hears them, and that nobody loses one."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import defaultdict
from itertools import pairwise

import pytest
from models import BAD, GOOD, Ticket

from guards import Budget, Finding, Guarded, Raise, Reask, Reply, check, validate
from guards.checks import Judge, Length, score_many
from guards.contracts import Text
from guards.events import (
    Answered,
    Asked,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Decided,
    Done,
    Event,
    FindingFound,
    GuardRan,
    InputChecked,
    Shown,
    TextPiece,
)
from guards.identity import fingerprint
from guards.testing import ScriptedModel


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_each_event_says_which_call_it_is_of():
    """All events of a call have its id, which its outcome has too; another call has another; times never go back."""
    events = []
    ticket = Guarded(Ticket, hooks=[events.append])
    first, second = ticket.run(ScriptedModel([BAD, GOOD]), "a"), ticket.run(ScriptedModel([GOOD]), "b")
    assert [e.call for e in events] == [first.id] * 14 + [second.id] * 7
    assert first.id != second.id
    assert all(isinstance(e, Event) and e.parent is None for e in events)
    assert all(one.at <= other.at for one, other in pairwise(events))


def test_the_beginning_says_what_is_asked_for():
    """The ticket's fingerprint, the contract's name, the turns and the caller's tags come with the first event."""
    events = []
    ticket = Guarded(Ticket, hooks=[events.append])
    outcome = ticket.run(ScriptedModel([GOOD]), "a", tags={"tenant": "acme"})
    begun = events[0]
    assert isinstance(begun, CallStarted)
    assert (begun.kind, begun.name, begun.tags) == ("call", "Ticket", {"tenant": "acme"})
    assert begun.ticket == outcome.ticket == fingerprint(ticket)
    assert begun.messages == ({"role": "user", "content": "a"},)


def test_a_question_tells_who_answered_and_what_it_used():
    """Client, usage, seconds, tries and the reason to stop come with the answer, before anything is found in it."""
    events = []

    def model(messages):
        return Reply(GOOD, {"input_tokens": 7, "output_tokens": 2}, finish_reason="end_turn")

    Guarded(Ticket, hooks=[events.append]).call(model, "a")
    (asked,), (answered,) = of(events, Asked), of(events, Answered)
    assert asked.client == answered.client
    assert asked.client.endswith("model")
    assert (answered.usage.input_tokens, answered.tries, answered.finish, answered.answered) == (7, 1, "stop", True)
    assert answered.seconds >= 0


def test_tries_of_the_transport_are_counted():
    """An answer that came at the third try says so."""
    from tenacity import Retrying as Tenacity
    from tenacity import retry_if_exception_type, stop_after_attempt, wait_none

    events, faults = [], [OSError(), OSError()]

    def model(messages):
        if faults:
            raise faults.pop()
        return GOOD

    transport = Tenacity(stop=stop_after_attempt(5), wait=wait_none(), retry=retry_if_exception_type(OSError))
    Guarded(Ticket, hooks=[events.append], transport=transport).call(model, "a")
    assert [e.tries for e in of(events, Answered)] == [3]


def test_each_guard_tells_that_it_ran():
    """Name, place, seconds and score of each guard come, of a sync one, an async one and one that fails."""
    events = []

    @check
    def quick(value, context):
        return None

    @check
    async def slow(value, context):
        await asyncio.sleep(0.02)
        return "no"

    @check(on_error="open", cost=2)
    def broken(value, context):
        raise ValueError

    guards = [quick.on("$.title"), slow, broken]
    Guarded(Ticket, guards=guards, hooks=[events.append], on_fail=Raise()).run(ScriptedModel([GOOD]), "a")
    ran = {e.name: e for e in of(events, GuardRan)}
    assert (ran["quick"].place, ran["quick"].score, ran["slow"].score, ran["slow"].cached) == (
        "/title",
        1.0,
        0.0,
        False,
    )
    assert ran["slow"].seconds >= 0.02
    assert "broken" not in ran  # a dearer tier does not run where a cheaper one blocks
    validate(GOOD, Guarded(Ticket, guards=guards, hooks=[events.append]))
    assert [e.score for e in of(events, GuardRan) if e.name == "broken"] == [None]


def test_input_guards_are_told():
    """What input guards found and changed, and whether the model is asked, come before the first attempt."""
    events = []

    @check
    def polite(value, context):
        return Finding("test.rude", "rude") if "fool" in value else None

    ticket = Guarded(Text(), input_guards=[polite], hooks=[events.append])
    ticket.run(ScriptedModel(["x"]), "hello")
    assert [type(e) for e in events[:4]] == [CallStarted, GuardRan, InputChecked, AttemptStarted]
    ticket.run(ScriptedModel(["x"]), "you fool")
    seen = of(events, InputChecked)
    assert [(e.refused, [f.code for f in e.findings]) for e in seen] == [(False, []), (True, ["test.rude"])]


def test_a_judge_s_question_is_a_call_of_its_own():
    """Its events carry another id and name the call whose guard asked; its usage is in both records."""
    events = []
    verdict = Reply('{"reasons": ["fine"], "verdict": "pass", "score": 0.9}', {"input_tokens": 3, "output_tokens": 1})
    judge = Judge("Is it polite?", client=lambda messages: verdict)
    outcome = Guarded(Text(), guards=[judge], hooks=[events.append]).run(ScriptedModel(["Yes, please."]), "a")
    assert outcome.ok
    inner = [e for e in events if e.call != outcome.id]
    assert {e.parent for e in inner} == {outcome.id}
    assert len({e.call for e in inner}) == 1
    assert (inner[0].kind, type(inner[-1])) == ("question", CallEnded)
    assert outcome.usage.input_tokens == 3
    kinds = [type(e) for e in events]
    assert kinds.index(GuardRan) > kinds.index(CallEnded)


def test_validate_and_score_many_tell_too():
    """A validation by a ticket begins, tells of guards and findings, and ends; so do many values that are scored."""
    events = []
    outcome = validate("abc", Guarded(Text(), guards=[Length(max=2)], hooks=[events.append]))
    assert [type(e) for e in events] == [CallStarted, GuardRan, FindingFound, CallEnded]
    assert {e.call for e in events} == {outcome.id}
    events.clear()
    assert score_many(Length(max=2), ["a", "abc"], hooks=[events.append]) == [1.0, 0.0]
    assert [type(e) for e in events] == [CallStarted, GuardRan, GuardRan, CallEnded]
    assert [(e.number, e.score) for e in of(events, GuardRan)] == [(0, 1.0), (1, 0.0)]
    assert events[-1].outcome.value == [1.0, 0.0]


def test_an_async_hook_is_awaited_in_every_shape():
    """Its events are all there when a call ends, under the sync driver and in the running loop alike."""
    heard = []

    async def hook(event):
        await asyncio.sleep(0)
        heard.append((event, asyncio.get_running_loop()))

    ticket = Guarded(Ticket, hooks=[hook])
    ticket.call(ScriptedModel([GOOD]), "a")
    assert isinstance(heard[-1][0], CallEnded)
    heard.clear()

    async def main():
        await ticket.acall(ScriptedModel([GOOD]), "a")
        return asyncio.get_running_loop()

    loop = asyncio.run(main())
    assert isinstance(heard[-1][0], CallEnded)
    assert {where for _, where in heard} == {loop}


def test_a_hook_that_blocks_does_not_stop_the_loop():
    """While a plain hook sleeps, other tasks of the event loop go on; its context variables are those of the call."""
    import contextvars

    mine = contextvars.ContextVar("mine", default="")
    seen, turns = [], []

    def hook(event):
        time.sleep(0.05)
        seen.append(mine.get())

    async def ticking():
        while True:
            turns.append(time.monotonic())
            await asyncio.sleep(0.005)

    async def main():
        mine.set("x")
        task = asyncio.create_task(ticking())
        await Guarded(Ticket, hooks=[hook]).acall(ScriptedModel([GOOD]), "a")
        task.cancel()

    asyncio.run(main())
    assert set(seen) == {"x"}
    assert max(b - a for a, b in pairwise(turns)) < 0.05


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_broken_hook_touches_nothing(colour):
    """Whatever it raises is a warning of the outcome, and a hook beside it hears everything."""
    heard = []

    def plain(event):
        raise KeyError("hook")

    async def later(event):
        raise KeyError("hook")

    ticket = Guarded(Ticket, hooks=[plain if colour == "sync" else later, heard.append])
    for outcome in (ticket.run(ScriptedModel([GOOD]), "a"), asyncio.run(ticket.arun(ScriptedModel([GOOD]), "a"))):
        assert outcome.ok
        assert {f.code for f in outcome.findings} == {"hook.failed"}
    assert len(heard) == 14


def test_a_stream_s_reader_and_the_hooks_hear_each_their_own():
    """The reader gets what is shown, the hooks the rest; both carry the call's id, and the answer is told at its end."""
    events = []
    ticket = Guarded(Text(), hooks=[events.append])
    shown = list(ticket.stream(lambda messages: iter(["One. ", "Two. ", "Three."]), "a"))
    assert all(isinstance(e, Shown) for e in shown)
    assert "".join(e.text for e in shown if isinstance(e, TextPiece)) == "One. Two. Three."
    assert not of(events, Shown)
    assert [type(e) for e in events] == [
        CallStarted,
        AttemptStarted,
        Asked,
        Answered,
        *[Decided],
        type(events[5]),
        CallEnded,
    ]
    assert {e.call for e in (*shown, *events)} == {shown[-1].outcome.id}
    assert all(e.at > 0 for e in shown)
    assert shown[-1] == Done(shown[-1].outcome)  # equal by what happened


def leave_stream(ticket):
    with ticket.stream(lambda messages: iter(["One. ", "Two. "]), "a") as events:
        next(iter(events))


def forget_stream(ticket):
    for _ in ticket.stream(lambda messages: iter(["One. ", "Two. "]), "a"):
        break
    gc.collect()


def leave_attempts(ticket):
    for attempt in ticket.attempts("a"):
        with attempt:
            attempt.offer("One.")
            break


def raise_in_attempts(ticket):
    with pytest.raises(ZeroDivisionError):
        for attempt in ticket.attempts("a"):
            with attempt:
                raise ZeroDivisionError


def fail_in_client(ticket):
    with pytest.raises(ZeroDivisionError):
        ticket.call(lambda messages: 1 / 0, "a")


def cancel(ticket):
    async def model(messages):
        await asyncio.sleep(9)

    async def main():
        task = asyncio.create_task(ticket.acall(model, "a"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


@pytest.mark.parametrize(
    "left", [leave_stream, forget_stream, leave_attempts, raise_in_attempts, fail_in_client, cancel]
)
@pytest.mark.parametrize("colour", ["plain", "async"])
def test_however_a_call_is_left_its_end_is_told(left, colour):
    """A stream or loop that is left, a fault and a cancellation end with CallEnded, for plain and async hooks."""
    events = []

    async def later(event):
        events.append(event)

    left(Guarded(Text(), hooks=[events.append if colour == "plain" else later]))
    assert isinstance(events[-1], CallEnded)
    assert events[-1].outcome.reason in ("call.abandoned", "call.failed", "accepted")
    assert len(of(events, CallStarted)) == len(of(events, CallEnded)) == 1


def test_nothing_is_lost_among_threads_tasks_and_streams():
    """Of many calls at once ids are unique, each call's events come in order, and every call that begins ends."""
    by_call, lock = defaultdict(list), threading.Lock()

    def hook(event):
        with lock:
            by_call[event.call].append(event)

    ticket = Guarded(Ticket, hooks=[hook], on_fail=Reask(times=1).then(Raise()), budget=Budget(attempts=2))

    def model(messages):
        return BAD if len(messages) == 1 else GOOD

    def in_thread():
        for _ in range(50):
            ticket.call(model, "a")
            list(ticket.stream(model, "a"))

    async def tasks():
        await asyncio.gather(*(ticket.acall(model, "a") for _ in range(200)))

    threads = [threading.Thread(target=in_thread) for _ in range(8)]
    for thread in threads:
        thread.start()
    asyncio.run(tasks())
    for thread in threads:
        thread.join()
    assert len(by_call) == 8 * 100 + 200
    kinds = {tuple(type(e).__name__ for e in events) for events in by_call.values()}
    (only,) = kinds
    assert (only[0], only[-1], only.count("Asked"), only.count("FindingFound")) == ("CallStarted", "CallEnded", 2, 2)
    assert all(a.at <= b.at for events in by_call.values() for a, b in pairwise(events))


def test_a_loop_that_is_left_tells_hooks_of_its_own_event_loop():
    """An async hook that needs the running loop hears of a `break` in `async for`, and nothing waits for ever."""
    events = []

    async def main():
        loop = asyncio.get_running_loop()

        async def hook(event):
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop))
            events.append(event)

        attempts = Guarded(Text(), hooks=[hook]).attempts("q")
        async for _ in attempts:
            break
        gc.collect()
        assert attempts.outcome.reason == "call.abandoned"
        for _ in range(200):
            if events and isinstance(events[-1], CallEnded):
                break
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(main(), 20))
    assert isinstance(events[-1], CallEnded)


@pytest.mark.parametrize("colour", ["plain", "async"])
def test_a_cancelled_call_is_told_whole_and_in_order(colour):
    """Every hook hears all events once, in their order, and none after the last, wherever the cancellation comes."""
    events, others = [], []

    def plain(event):
        time.sleep(0.05)
        events.append(type(event))

    async def later(event):
        await asyncio.sleep(0.05)
        events.append(type(event))

    async def model(messages):
        await asyncio.sleep(5)

    async def main():
        ticket = Guarded(
            Ticket, hooks=[plain if colour == "plain" else later, lambda event: others.append(type(event))]
        )
        task = asyncio.create_task(ticket.arun(model, "q"))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert events == others
    assert (events[0], events[-1]) == (CallStarted, CallEnded)
    assert len(events) == len(set(events))


def test_an_answer_that_was_accepted_is_kept_though_its_end_is_cancelled():
    """A cancellation while hooks hear of the end does not take the outcome out of the session's record."""

    async def hook(event):
        if isinstance(event, CallEnded):
            await asyncio.sleep(0.2)

    async def main():
        async with Guarded(Ticket, hooks=[hook]).session() as session:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.acall(ScriptedModel([GOOD]).acall, "q"), 0.1)
            return session.outcomes

    (outcome,) = asyncio.run(main())
    assert outcome.ok


def test_a_cancellation_inside_a_hook_is_the_hook_s_own():
    """What a hook waited for was cancelled: that is a warning, under each driver, and the call goes on."""

    def plain(event):
        raise asyncio.CancelledError

    async def later(event):
        waited = asyncio.create_task(asyncio.sleep(9))
        waited.cancel()
        await waited

    for hook in (plain, later):
        ticket = Guarded(Ticket, hooks=[hook])
        for outcome in (ticket.run(ScriptedModel([GOOD]), "q"), asyncio.run(ticket.arun(ScriptedModel([GOOD]), "q"))):
            assert outcome.ok
            assert {f.code for f in outcome.findings} == {"hook.failed"}


def test_what_a_plain_hook_gives_to_be_awaited_is_awaited():
    """A lambda around an async function hears everything, and what that raises is reported."""
    heard = []

    async def put(event):
        heard.append(event)
        raise KeyError

    ticket = Guarded(Ticket, hooks=[lambda event: put(event)])
    for outcome in (ticket.run(ScriptedModel([GOOD]), "q"), asyncio.run(ticket.arun(ScriptedModel([GOOD]), "q"))):
        assert {f.code for f in outcome.findings} == {"hook.failed"}
    assert len(heard) == 14


def test_a_parent_starts_before_its_children():
    """A validation with a judge begins before the judge's question does; a call tells its beginning at once."""
    events, seen = [], []
    verdict = '{"reasons": ["fine"], "verdict": "pass", "score": 0.9}'

    def judging(messages):
        seen.append([type(e) for e in events])
        return verdict

    ticket = Guarded(Text(), guards=[Judge("Is it polite?", client=judging)], hooks=[events.append])
    ticket.validate("Hello.")
    begun = [e.parent for e in events if isinstance(e, CallStarted)]
    assert begun == [None, events[0].call]
    events.clear()
    ticket.run(ScriptedModel(["Hello."]), "q")
    assert Answered in seen[-1]


def test_a_stream_that_is_left_is_over_at_once():
    """A `break` closes the stream and its record without the cyclic collector, which may come much later."""
    gc.collect()
    gc.disable()
    try:
        with Guarded(Text()).session() as session:
            for _ in session.stream(lambda messages: iter(["One. ", "Two. "]), "q"):
                break
            assert [outcome.reason for outcome in session.outcomes] == ["call.abandoned"]
    finally:
        gc.enable()


def test_a_hook_cannot_change_what_is_asked():
    """The turns of an event are its own: what a hook writes into them reaches neither model nor caller."""

    def hook(event):
        for turn in getattr(event, "messages", ()):
            turn["content"] = "changed"

    model, turns = ScriptedModel([GOOD]), [{"role": "user", "content": "q"}]
    Guarded(Ticket, hooks=[hook]).call(model, turns)
    assert turns == [{"role": "user", "content": "q"}]
    assert model.calls[0][0]["content"] == "q"


def test_hooks_that_fail_at_the_end_of_a_call_that_fails_are_reported():
    """The record of a call that ends by a fault names each event on which a hook raised, the last ones too."""

    def hook(event):
        raise ValueError

    with Guarded(Ticket, hooks=[hook]).session() as session, pytest.raises(ZeroDivisionError):
        session.call(lambda messages: 1 / 0, "q")
    words = [f.message.rpartition(" ")[2] for f in session.outcomes[0].findings]
    assert words == ["CallStarted", "AttemptStarted", "Asked", "Answered", "Decided", "AttemptEnded", "CallEnded"]
