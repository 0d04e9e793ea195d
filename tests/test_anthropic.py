"""Anthropic's SDK over HTTP: what is sent, what is read, and which faults are the transport's."""

from __future__ import annotations

import asyncio
import functools
import time
from typing import Any, Literal

import pytest
import tenacity
from pydantic import BaseModel

anthropic = pytest.importorskip("anthropic")

from server import Cut, Fault, Raw, Server, Slow, answer, tool  # noqa: E402

from guards import Budget, BudgetExhausted, Guarded, Raise, Reask, Rejected  # noqa: E402
from guards.clients import anthropic as clients  # noqa: E402
from guards.clients import reply_of, resolve  # noqa: E402
from guards.clients.faults import transient  # noqa: E402
from guards.errors import ConfigError  # noqa: E402
from guards.messages import Reply  # noqa: E402


class Ticket(BaseModel):
    team: Literal["billing", "tech"]
    urgent: bool = False


GOOD = '{"team": "billing", "urgent": true}'
BAD = '{"team": "sales", "urgent": true}'
XML = "<Ticket><team>billing</team><urgent>true</urgent></Ticket>"
VALUE = Ticket(team="billing", urgent=True)

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
ticket = Guarded(Ticket, on_fail=Reask(times=2).then(Raise()), transport=quick)


def messages(client: Any, **options: Any) -> Any:
    return functools.partial(client.messages.create, model="m", max_tokens=9, **options)


def test_a_wrong_answer_is_asked_for_again():
    """The SDK's method goes through the whole loop: bad answer, feedback with the path, typed value, usage."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        outcome = ticket.run(messages(server.anthropic(), metadata={"user_id": "u"}), "Sort this")
    assert outcome.value == VALUE
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (20, 10)
    first, second = server.bodies
    assert (first["model"], first["max_tokens"], first["metadata"]) == ("m", 9, {"user_id": "u"})
    assert second["messages"][:2] == [{"role": "user", "content": "Sort this"}, {"role": "assistant", "content": BAD}]
    assert "/team" in second["messages"][2]["content"]


def test_the_async_client_does_the_same():
    """The async twin is seen as async and gives the same outcome by `acall`."""

    async def ask(server: Server) -> Any:
        async with server.async_anthropic() as client:
            return await ticket.acall(messages(client), "Sort this")

    with Server([answer(BAD), Fault(529), answer(GOOD)]) as server:
        assert asyncio.run(ask(server)) == VALUE


def test_the_beta_twin_is_read_too():
    """`beta.messages.create` gives the same."""
    with Server([answer(GOOD)]) as server:
        llm = functools.partial(server.anthropic().beta.messages.create, model="m", max_tokens=9)
        assert ticket.call(llm, "x") == VALUE


def test_an_answer_in_xml():
    """The same type answered in XML."""
    with Server([answer(f"Here it is:\n{XML}")]) as server:
        xml = Guarded(Ticket, format="xml", transport=quick)
        assert xml.call(messages(server.anthropic()), "Sort this") == VALUE


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, "Be brief.\n\nBe kind."),
        ("First.", "First.\n\nBe brief.\n\nBe kind."),
        (
            [{"type": "text", "text": "First."}],
            [{"type": "text", "text": t} for t in ("First.", "Be brief.", "Be kind.")],
        ),
    ],
)
def test_system_turns_become_the_system_parameter(own, expected):
    """Turns of the role system are lifted out, behind what the caller put there, on a retry too."""
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "x"},
        {"role": "system", "content": "Be kind."},
    ]
    options = {} if own is None else {"system": own}
    with Server([answer(BAD), answer(GOOD)]) as server:
        ticket.call(messages(server.anthropic(), **options), turns)
    assert [body["system"] for body in server.bodies] == [expected, expected]
    assert [turn["role"] for turn in server.bodies[1]["messages"]] == ["user", "assistant", "user"]


def test_a_forced_tool_call_is_the_answer_and_gets_a_tool_result():
    """In tool mode the input is the answer; the retry answers the call with a tool result that is an error."""
    with Server([tool("answer", BAD, "Let me see."), tool("answer", GOOD)]) as server:
        client = clients.messages(server.anthropic(), model="m", mode="tool", contract=Ticket)
        assert ticket.call(client, "x") == VALUE
    first, second = server.bodies
    assert first["tool_choice"] == {"type": "tool", "name": "answer"}
    assert first["tools"][0]["input_schema"]["properties"]["team"]["enum"] == ["billing", "tech"]
    said, result = second["messages"][1:]
    assert said["content"][-1] == {
        "type": "tool_use",
        "id": "toolu_0",
        "name": "answer",
        "input": {"team": "sales", "urgent": True},
    }
    assert result["role"] == "user"
    (block,) = result["content"]
    assert (block["type"], block["tool_use_id"], block["is_error"]) == ("tool_result", "toolu_0", True)
    assert "/team" in block["content"]


def test_an_empty_answer_goes_back_with_words():
    """Anthropic refuses an empty turn, so none is sent."""
    with Server([answer(), answer(GOOD)]) as server:
        assert ticket.call(messages(server.anthropic()), "x") == VALUE
    assert server.bodies[1]["messages"][1] == {"role": "assistant", "content": "(empty answer)"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "json"}, "unknown mode 'json'"),
        ({"mode": "tool"}, "needs a schema"),
        ({"mode": "tool", "contract": {"type": "array"}}, "arguments are an object"),
        ({"stream": True}, "stream=True"),
        ({"messages": []}, "messages= comes with each call"),
    ],
)
def test_a_mode_that_cannot_be_is_refused_where_it_is_written(options, words):
    """Unknown modes, a missing schema and streaming are errors at construction."""
    with Server([]) as server, pytest.raises(ConfigError, match=words):
        clients.messages(server.anthropic(), model="m", **options)


def test_something_else_than_a_client_is_refused():
    """A builder says what it wants."""
    with pytest.raises(ConfigError, match="pass anthropic.Anthropic"):
        clients.messages("key", model="m")


def test_a_refusal_is_read_as_one():
    """A refusal that the API reports ends the asking, with its explanation as the text."""
    with Server([answer(refusal="Not this.")]) as server, pytest.raises(Rejected) as caught:
        ticket.call(messages(server.anthropic()), "x")
    assert caught.value.outcome.reason == "stop.refusal"
    assert caught.value.outcome.text == "Not this."
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
    ],
)
def test_stop_reasons_have_one_spelling(finish, expected):
    """Why an answer ended is read in one spelling."""
    with Server([answer("x", finish=finish)]) as server:
        assert reply_of(messages(server.anthropic())(messages=[{"role": "user", "content": "x"}])).finish == expected


def test_tokens_from_the_cache_are_counted():
    """Anthropic counts what came from the cache apart; the budget counts all that was sent."""
    usage = {
        "input_tokens": 1,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 300,
        "output_tokens": 5,
    }
    with Server([answer(GOOD, extra={"usage": usage})]) as server:
        outcome = ticket.run(messages(server.anthropic()), "x")
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (321, 5)


def test_thinking_is_no_part_of_the_answer():
    """Only text blocks are the answer."""
    content = [{"type": "thinking", "thinking": BAD, "signature": "s"}, {"type": "text", "text": GOOD}]
    with Server([answer(GOOD, extra={"content": content})]) as server:
        outcome = ticket.run(messages(server.anthropic()), "x")
    assert (outcome.value, outcome.text) == (VALUE, GOOD)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_transient_statuses_are_retried_and_are_no_attempt(status):
    """A fault of the transport (529, overloaded, too) is tried again, once per fault, and counts as no attempt."""
    with Server([Fault(status), answer(GOOD)]) as server:
        outcome = ticket.run(messages(server.anthropic()), "x")
    assert (outcome.value, len(outcome.attempts), len(server.requests)) == (VALUE, 1, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_lasting_statuses_come_out_unchanged(status):
    """What stays wrong is not tried again; the SDK's own exception comes out."""
    with Server([Fault(status), answer(GOOD)]) as server, pytest.raises(anthropic.APIStatusError) as caught:
        ticket.call(messages(server.anthropic()), "x")
    assert (caught.value.status_code, len(server.requests)) == (status, 1)


def test_the_sdks_own_retries_are_off():
    """Only one owner retries, whatever the client was set to."""
    with Server([Fault(500)] * 9) as server, pytest.raises(anthropic.InternalServerError):
        ticket.call(messages(server.anthropic(max_retries=5)), "x")
    assert len(server.requests) == 4


@pytest.mark.parametrize("step", [Cut(), Raw(b'{"id": ')])
def test_a_body_that_breaks_off_is_retried(step):
    """A cut connection and a broken JSON body are the transport's."""
    with Server([step, answer(GOOD)]) as server:
        assert ticket.call(messages(server.anthropic()), "x") == VALUE


@pytest.mark.parametrize("step", [Raw(b"<html>Hi</html>", "text/html"), Raw(b'{"hello": 1}'), Raw(b"[]")])
def test_a_body_of_another_service_is_no_answer(step):
    """A page or other JSON with status 200 is never read as what the model said."""
    with Server([step]) as server, pytest.raises(ConfigError, match="see whether base_url"):
        ticket.call(messages(server.anthropic()), "x")


def test_the_default_transport_honours_retry_after():
    """Without a tenacity object of the caller's, Retry-After says how long is waited."""
    with Server([Fault(429, (("retry-after", "0.03"),)), answer(GOOD)]) as server:
        started = time.monotonic()
        assert ticket.replace(transport="default").call(messages(server.anthropic()), "x") == VALUE
    assert time.monotonic() - started >= 0.03


def test_the_time_left_is_the_time_out():
    """With a budget of seconds a slow server is left when they end."""
    with Server([Slow(20, answer(GOOD))]) as server:
        llm = messages(server.anthropic())
        started = time.monotonic()
        with pytest.raises(BudgetExhausted):
            ticket.replace(budget=Budget(seconds=0.2)).call(llm, "x")
        assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda c: c, "Anthropic cannot be called; use functools.partial"),
        (lambda c: c.messages.count_tokens, "Messages.count_tokens cannot be guarded"),
        (lambda c: c.messages.stream, "Messages.stream cannot be guarded"),
        (lambda c: c.messages.batches.create, "Batches.create cannot be guarded"),
        (lambda c: functools.partial(c.messages.create, stream=True), "stream=True"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(of, words):
    """A client, a method without an answer, and streaming are errors before any request."""
    with Server([]) as server:
        client = server.anthropic()
        with pytest.raises(ConfigError, match=words):
            resolve(of(client))
    assert server.requests == []


def test_the_callers_own_tool_is_no_answer():
    """A response that asks for a tool of the caller's holds no answer: the outcome says so."""
    with Server([tool("lookup", "{}", "Let me look.")]) as server:
        outcome = ticket.run(messages(server.anthropic(), tools=[{"name": "lookup", "input_schema": {}}]), "x")
    assert (outcome.ok, str(outcome.reason)) == (False, "reply.tool_calls")


def test_one_tool_that_must_be_called_is_a_forced_one():
    """With `any` and a single tool the model has no choice: its input is the answer."""
    tools = [{"name": "sort", "input_schema": {"type": "object"}}]
    with Server([tool("sort", BAD), tool("sort", GOOD)]) as server:
        llm = messages(server.anthropic(), tools=tools, tool_choice={"type": "any"})
        assert ticket.call(llm, "x") == VALUE


def test_a_foreign_reply_goes_back_as_text():
    """A reply of another client (a fallback's) is followed by plain turns."""
    with Server([]) as server:
        client = clients.messages(server.anthropic(), model="m", mode="tool", contract=Ticket)
        turns = client.turns(Reply("no"), "Again.")
    assert turns == ({"role": "assistant", "content": "no"}, {"role": "user", "content": "Again."})


def test_parse_is_judged_by_the_contract():
    """`messages.parse`, which raises on a bad answer by itself, is read before it can; its schema is sent."""
    with Server([answer("no json"), answer(GOOD)]) as server:
        llm = functools.partial(server.anthropic().messages.parse, model="m", max_tokens=9, output_format=Ticket)
        assert ticket.call(llm, "Sort this") == VALUE
    assert server.bodies[0]["output_config"]["format"]["type"] == "json_schema"
