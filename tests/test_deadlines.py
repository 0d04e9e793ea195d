"""A budget of seconds is kept whatever the server does, and what was left is closed: drips, hangs, retries, streams."""

from __future__ import annotations

import asyncio
import functools
import re
import socket
import threading
import time
from contextlib import suppress

import pytest

from guards import Budget, BudgetExhausted, Guarded, Raise, Reask, check, outcome_of
from guards.checks import Judge
from guards.checks.base import changed
from guards.clients.fetching import Fetch
from guards.contracts import Text
from guards.testing import ScriptedModel
from tests.server import Drip, Fault, Server, Slow, answer

SECONDS = 0.3
LATE = 10
"""How much later than its budget a call may be back: a machine under load is slow, and a drip goes on for ever."""
ASKED = [{"role": "user", "content": "n?"}]
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ticket = Guarded(SCHEMA, on_fail=Reask(times=2).then(Raise()), budget=Budget(seconds=SECONDS))
patient = ticket.replace(budget=Budget(seconds=2))
text_ticket = Guarded(Text(), budget=Budget(seconds=SECONDS))

PARTS = pytest.mark.parametrize("part", ["headers", "body", "stream"])


def chat(server, **options):
    return functools.partial(server.openai().chat.completions.create, model="m", **options)


def messages(server):
    return functools.partial(server.anthropic().messages.create, model="m", max_tokens=9)


def in_session(server):
    with ticket.session() as session:
        session.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED)


def decorated(server):
    @ticket
    def ask(messages):
        return chat(server, stream=True)(messages=messages)

    return ask


SHAPES = {
    "openai chat": lambda s: ticket.call(chat(s), ASKED),
    "openai responses": lambda s: ticket.call(functools.partial(s.openai().responses.create, model="m"), ASKED),
    "openai parse": lambda s: ticket.wrap(s.openai()).chat.completions.parse(model="m", messages=ASKED),
    "openai wrapped": lambda s: ticket.wrap(s.openai()).responses.create(model="m", input="n?"),
    "openai wrapped stream": lambda s: list(
        text_ticket.wrap(s.openai()).chat.completions.create(model="m", messages=ASKED, stream=True)
    ),
    "openai stream": lambda s: list(ticket.stream(chat(s), ASKED)),
    "anthropic": lambda s: ticket.call(messages(s), ASKED),
    "anthropic wrapped": lambda s: ticket.wrap(s.anthropic()).messages.create(model="m", max_tokens=9, messages=ASKED),
    "anthropic wrapped stream": lambda s: list(
        text_ticket.wrap(s.anthropic()).messages.create(model="m", max_tokens=9, messages=ASKED, stream=True)
    ),
    "anthropic stream": lambda s: list(ticket.stream(messages(s), ASKED)),
    "session": in_session,
    "sync client in async": lambda s: asyncio.run(ticket.acall(chat(s), ASKED)),
}


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def working():
    """Threads that work for a call."""
    return [t for t in threading.enumerate() if t.name == "guards-sever"]


@PARTS
@pytest.mark.parametrize("shape", SHAPES)
def test_a_server_that_drips_does_not_outlast_the_budget(shape, part):
    """Whichever part comes a byte now and then, the call is back at its deadline and the connection is closed."""
    with Server([Drip(part)]) as server:
        with pytest.raises(BudgetExhausted) as caught:
            SHAPES[shape](server)
        assert caught.value.outcome.reason == "budget.seconds"
        # A call's own clock starts a moment after its budget's.
        assert 0.9 * SECONDS <= caught.value.outcome.seconds < SECONDS + LATE
        until(lambda: server.left == 1)
        until(lambda: not working())
        assert len(server.requests) == 1


@PARTS
@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_an_async_call_that_drips_is_cancelled(kind, part):
    """The async client's own call and stream are cancelled at the deadline, their connections closed."""

    async def asked(server):
        if kind == "openai":
            async with server.async_openai() as client:
                llm = functools.partial(client.chat.completions.create, model="m")
                first = await ticket.arun(llm, ASKED)
                with pytest.raises(BudgetExhausted) as caught:
                    [event async for event in ticket.stream(llm, ASKED)]
                return [first, caught.value.outcome]
        async with server.async_anthropic() as client:
            return [await ticket.arun(functools.partial(client.messages.create, model="m", max_tokens=9), ASKED)]

    with Server([Drip(part), Drip(part)]) as server:
        outcomes = asyncio.run(asked(server))
        assert {str(outcome.reason) for outcome in outcomes} == {"budget.seconds"}
        assert max(outcome.seconds for outcome in outcomes) < SECONDS + LATE
        until(lambda: server.left == len(outcomes))


@pytest.mark.parametrize("part", ["body", "stream"])
def test_a_stream_that_a_function_gave_is_read_no_longer(part):
    """Where a function of the caller's gives an SDK's stream, the library reads it, and so keeps the time."""
    with Server([Drip(part)] * 4) as server:
        calls = [
            lambda: ticket.run(lambda messages: chat(server, stream=True)(messages=messages), ASKED),
            lambda: decorated(server).outcome(ASKED),
        ]
        for number, call in enumerate(calls, 1):
            outcome = call()
            assert outcome.reason == "budget.seconds"
            assert outcome.seconds < SECONDS + LATE
            until(lambda number=number: server.left == number)
        with pytest.raises(BudgetExhausted):
            list(decorated(server).stream(ASKED))
        until(lambda: server.left == 3)
        with pytest.raises(BudgetExhausted):
            for attempt in ticket.attempts(ASKED):
                with attempt:
                    attempt.offer(chat(server, stream=True)(messages=attempt.messages))
        until(lambda: server.left == 4)


def slowly(server):
    """A function that gives a stream when the budget has ended."""

    def ask(messages):
        stream = chat(server, stream=True)(messages=messages)
        time.sleep(SECONDS)
        return stream

    return ask


def test_a_stream_that_came_too_late_to_be_read_is_left():
    """A stream that a function gives after the deadline is closed, though not one piece of it was asked for: in a call,
    in a loop of the caller's own, and where an event loop had left the function's thread behind."""

    async def streamed(server):
        return [event async for event in ticket.stream(slowly(server), ASKED)]

    def offered(server):
        for attempt in ticket.attempts(ASKED):
            with attempt:
                attempt.offer(slowly(server)(attempt.messages))

    with Server([Drip("body")] * 3) as server:
        assert ticket.run(slowly(server), ASKED).reason == "budget.seconds"
        until(lambda: server.left == 1)
        with pytest.raises(BudgetExhausted):
            offered(server)
        until(lambda: server.left == 2)
        with pytest.raises(BudgetExhausted):
            asyncio.run(streamed(server))
        until(lambda: server.left == 3)


def test_the_deadline_holds_over_attempts_and_tries_on_one_connection():
    """A drip on a connection that was used before, after a wrong answer and a fault that was retried, is cut too."""
    with Server([answer("no"), Fault(503, (("retry-after-ms", "1"),)), Drip("headers")]) as server:
        outcome = patient.run(chat(server), ASKED)
        assert outcome.seconds < 2 + LATE
        assert outcome.reason == "budget.seconds"
        assert [attempt.decision for attempt in outcome.attempts] == ["reask", "stop"]
        until(lambda: server.left == 1)


def test_the_client_works_on_after_a_call_was_cut():
    """The place in a pool of one connection is given back: the next call of the same client is answered."""
    import openai

    http = openai.DefaultHttpxClient(trust_env=False)
    http._transport._pool._max_connections = 1
    with Server([Drip("headers"), Drip("body"), answer('{"n": 1}')]) as server, http:
        client = openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", http_client=http)
        guarded = ticket.wrap(client)
        for _ in range(2):
            with pytest.raises(BudgetExhausted):
                guarded.chat.completions.create(model="m", messages=ASKED)
        response = patient.wrap(client).chat.completions.create(model="m", messages=ASKED)
        assert outcome_of(response).value == {"n": 1}


def test_a_connection_that_is_never_made_is_given_up():
    """A server that takes no connection holds a call no longer than one that sends nothing."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = []
        for _ in range(4):  # the queue is full: further ones are not answered
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
            waiting.append(one)
        try:
            import openai

            url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
            with openai.OpenAI(
                api_key="k", base_url=url, http_client=openai.DefaultHttpxClient(trust_env=False)
            ) as client:
                outcome = ticket.run(functools.partial(client.chat.completions.create, model="m"), ASKED)
            assert outcome.reason == "budget.seconds"
            assert outcome.seconds < SECONDS + LATE
        finally:
            for one in waiting:
                one.close()


def test_a_judge_that_drips_does_not_outlast_the_budget():
    """A guard's own question is cut as the call's is."""
    with Server([Drip("body")]) as server:
        judge = Judge("Is it true?", client=chat(server))
        outcome = Guarded(Text(), guards=[judge], budget=Budget(seconds=SECONDS)).run(lambda messages: "yes", ASKED)
        assert not outcome.ok
        assert outcome.seconds < SECONDS + LATE
        until(lambda: server.left == 1)


def test_answers_in_time_are_answers():
    """With a deadline an SDK is asked in a thread of its own; what it gives and raises comes out as ever."""
    import openai

    with Server([answer("no"), answer('{"n": 2}'), Fault(400)]) as server:
        assert patient.call(chat(server), ASKED) == {"n": 2}
        with pytest.raises(openai.BadRequestError) as caught:
            patient.call(chat(server), ASKED)
        assert any("attempt 1" in note for note in caught.value.__notes__)


def test_a_check_that_swallows_its_end_is_out_of_time():
    """A check that is cancelled at its deadline and gives a verdict all the same has not judged in time: no pass."""

    @check
    async def stubborn(value):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(30)

    model = ScriptedModel(["1"] * 2)
    late = Guarded(int, guards=[stubborn], budget=Budget(seconds=0.05), on_fail=Raise())
    bounded = Guarded(int, guards=[changed(stubborn, timeout=0.05)], on_fail=Raise())
    for ticket in (late, bounded):
        outcome = asyncio.run(ticket.arun(model, "q"))
        assert (outcome.ok, outcome.reason) == (False, "guard.failed")
        assert isinstance(outcome.cause, TimeoutError)


# -- time-outs of the caller's own -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize("given", [0.3, {"timeout": 60, "read": 0.3}], ids=["number", "parts"])
@pytest.mark.parametrize("where", ["client", "options", "wrapped"])
def test_a_shorter_time_out_of_the_caller_s_own_holds(sdk, given, where):
    """Of the client or of the call, a number or in parts: the budget's seconds make no time-out longer."""
    own = given if isinstance(given, float) else pytest.importorskip(sdk).Timeout(**given)
    timeout = {"timeout": own}
    options = {"model": "m", "max_tokens": 9, **(timeout if where == "options" else {})}
    lasting = Guarded(Text(), budget=Budget(seconds=60))
    with Server([Slow(30, answer("late")), answer("soon")]) as server:
        client = getattr(server, sdk)(**({} if where == "options" else timeout))
        asked = lasting.wrap(client) if where == "wrapped" else client
        create = asked.messages.create if sdk == "anthropic" else asked.chat.completions.create
        started = time.monotonic()
        if where == "wrapped":
            create(messages=ASKED, **options)
        else:
            assert lasting.call(functools.partial(create, **options), "n?") == "soon"
        assert time.monotonic() - started < LATE
        assert len(server.requests) == 2


def test_each_part_of_a_time_out_is_bounded_by_what_is_left():
    """The shorter of the two, part by part; one that is not bounded by itself is bounded by the budget."""
    timeout = pytest.importorskip("openai").Timeout
    own = timeout(60, connect=1, pool=None)
    usual, none = Fetch(print, own), Fetch(print)
    bounded = {"connect": 1, "read": 5, "write": 5, "pool": 5}
    for options in ({}, {"timeout": pytest.importorskip("openai").NOT_GIVEN}, {"timeout": own}):
        assert usual.within(options, 5)["timeout"] == timeout(**bounded)
    assert none.within({}, 5) == usual.within({"timeout": None}, 5) == {"timeout": 5}
    assert usual.within({"timeout": 3}, 5) == {"timeout": 3}
    assert usual.within({}, None) == {}


# -- why no answer came ------------------------------------------------------------------------------------------------


LIMITED = Fault(429, (("retry-after", "60"),))


def _asked_in_colour(is_async, server, ticket):
    if not is_async:
        return ticket.run(chat(server), "n?")

    async def ask():
        async with server.async_openai() as client:
            return await ticket.arun(functools.partial(client.chat.completions.create, model="m"), "n?")

    return asyncio.run(ask())


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_rate_limit_that_outlasts_the_budget_is_told(is_async):
    """The server's own word stands in the finding, and its fault behind the outcome and what it raises."""
    with Server([LIMITED]) as server:
        outcome = _asked_in_colour(is_async, server, Guarded(Text(), budget=Budget(seconds=20)))
    (finding,) = outcome.findings
    assert (outcome.reason, finding.code, len(server.requests)) == ("budget.seconds", "reply.late", 1)
    assert re.search(r"ended: the server asked for 60 s, (20|1\d(\.\d)?) are left$", finding.message)
    assert type(outcome.cause).__name__ == "RateLimitError"
    with pytest.raises(BudgetExhausted) as caught:
        outcome.raise_if_rejected()
    assert caught.value.__cause__ is outcome.cause


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_last_fault_before_a_time_that_ended_is_told_by_its_name(is_async):
    """A server that fails and then hangs: what it said may hold anybody's words, and stands in the cause alone."""
    with Server([Fault(503, (("retry-after-ms", "1"),)), Slow(20, answer("late"))]) as server:
        outcome = _asked_in_colour(is_async, server, Guarded(Text(), budget=Budget(seconds=2)))
    (finding,) = outcome.findings
    assert outcome.reason == "budget.seconds"
    assert finding.message.endswith("ended: the last try met InternalServerError")
    assert type(outcome.cause).__name__ == "InternalServerError"


def test_a_server_that_only_hangs_has_no_cause():
    """There was no fault: the time ended."""
    with Server([Slow(20, answer("late"))]) as server:
        outcome = Guarded(Text(), budget=Budget(seconds=SECONDS)).run(chat(server), "n?")
    assert (outcome.reason, outcome.cause) == ("budget.seconds", None)
