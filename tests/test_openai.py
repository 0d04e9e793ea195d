"""OpenAI's SDK over HTTP: what is sent in each mode, what is read, and which faults are the transport's."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from typing import Any, Literal

import pytest
import tenacity
from pydantic import BaseModel, ConfigDict, create_model

openai = pytest.importorskip("openai")

from server import Cut, Fault, Raw, Server, Slow, answer, nobody_there, tool  # noqa: E402

from guards import Budget, BudgetExhausted, Guarded, Raise, Reask, Rejected  # noqa: E402
from guards.clients import openai as clients  # noqa: E402
from guards.clients import reply_of, resolve  # noqa: E402
from guards.clients.faults import retry_after, transient  # noqa: E402
from guards.errors import ConfigError  # noqa: E402


class Ticket(BaseModel):
    model_config = ConfigDict(extra="forbid")
    team: Literal["billing", "tech"]
    urgent: bool = False


GOOD = '{"team": "billing", "urgent": true}'
BAD = '{"team": "sales", "urgent": true}'
VALUE = Ticket(team="billing", urgent=True)

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
ticket = Guarded(Ticket, on_fail=Reask(times=2).then(Raise()), transport=quick)


def chat(client: Any, **options: Any) -> Any:
    return functools.partial(client.chat.completions.create, model="m", **options)


def responses(client: Any, **options: Any) -> Any:
    return functools.partial(client.responses.create, model="m", **options)


# -- the loop ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [chat, responses])
def test_a_wrong_answer_is_asked_for_again(method):
    """A method of the SDK goes through the whole loop: bad answer, feedback with the path, typed value, usage."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        outcome = ticket.run(method(server.openai(), temperature=0.5), "Sort this")
    assert outcome.value == VALUE
    assert [a.decision for a in outcome.attempts] == ["reask", "accept"]
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (20, 10)
    first, second = server.bodies
    assert first["model"] == second["model"] == "m"
    assert first["temperature"] == second["temperature"] == 0.5
    turns = second["messages" if method is chat else "input"]
    assert turns[:2] == [{"role": "user", "content": "Sort this"}, {"role": "assistant", "content": BAD}]
    assert turns[2]["role"] == "user"
    assert "/team" in turns[2]["content"]


@pytest.mark.parametrize("method", [chat, responses])
def test_the_async_client_does_the_same(method):
    """The async twin is seen as async and gives the same outcome by `acall`."""

    async def ask(server: Server) -> Any:
        async with server.async_openai() as client:
            return await ticket.acall(method(client), "Sort this")

    with Server([answer(BAD), Fault(500), answer(GOOD)]) as server:
        assert asyncio.run(ask(server)) == VALUE


def test_an_async_method_in_a_sync_call_names_acall():
    """`call` with an async SDK client is an error that names `acall`, before any request."""

    async def ask(server: Server) -> None:
        async with server.async_openai() as client:
            ticket.call(chat(client), "Sort this")

    with Server([]) as server, pytest.raises(ConfigError, match="acall"):
        asyncio.run(ask(server))
    assert server.requests == []


def test_parse_is_judged_by_the_contract():
    """`chat.completions.parse`, which raises on a bad answer by itself, is read before it can."""
    with Server([answer("no json"), answer(GOOD)]) as server:
        llm = functools.partial(server.openai().chat.completions.parse, model="m", response_format=Ticket)
        assert ticket.call(llm, "Sort this") == VALUE
    assert server.bodies[0]["response_format"]["type"] == "json_schema"


# -- modes -------------------------------------------------------------------------------------------------------------


def test_json_mode_asks_for_a_json_object():
    """`mode="json"` sends JSON mode, by chat and by responses."""
    with Server([answer(GOOD), answer(GOOD)]) as server:
        client = server.openai()
        assert ticket.call(clients.chat(client, model="m", mode="json"), "x") == VALUE
        assert ticket.call(clients.responses(client, model="m", mode="json"), "x") == VALUE
    assert server.bodies[0]["response_format"] == {"type": "json_object"}
    assert server.bodies[1]["text"] == {"format": {"type": "json_object"}}


def test_the_native_schema_is_sent_and_still_validated():
    """`mode="json_schema"` sends the contract's schema, and an answer that breaks it is asked for again."""
    with Server([answer(BAD), answer(GOOD), answer(BAD), answer(GOOD)]) as server:
        client = server.openai()
        assert ticket.call(clients.chat(client, model="m", mode="json_schema", contract=Ticket), "x") == VALUE
        assert ticket.call(clients.responses(client, model="m", mode="json_schema", contract=ticket), "x") == VALUE
    sent = server.bodies[0]["response_format"]["json_schema"]
    assert sent["schema"]["properties"]["team"]["enum"] == ["billing", "tech"]
    assert sent["strict"] is False
    assert server.bodies[2]["text"]["format"]["schema"] == sent["schema"]
    assert len(server.requests) == 4


def test_strict_narrows_the_schema_only_when_asked():
    """`strict=True` requires every key and closes every object, as OpenAI's subset wants."""
    with Server([answer(GOOD)]) as server:
        ticket.call(clients.chat(server.openai(), model="m", mode="json_schema", contract=Ticket, strict=True), "x")
    sent = server.bodies[0]["response_format"]["json_schema"]
    assert sent["strict"] is True
    assert sorted(sent["schema"]["required"]) == ["team", "urgent"]
    assert "default" not in json.dumps(sent["schema"])


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (dict[str, int], "/properties/it"),
        (dict, "/properties/it"),
        (dict[str, int] | None, "/properties/it/anyOf/0"),
        (list[dict[str, str]], "/properties/it/items"),
        (Any, "/properties/it"),
        (list, "/properties/it/items"),
        (create_model("Open", __config__={"extra": "allow"}), "/$defs/Open"),
    ],
)
def test_what_no_strict_schema_can_say_is_an_error_where_it_is_asked_for(kind, place):
    """An object with members of any name, or anything at all, cannot be closed: it is not sent as if it were."""
    contract = create_model("Made", it=(kind, ...))
    for make in (clients.chat, clients.responses):
        for mode in ("json_schema", "tool"):
            with pytest.raises(ConfigError, match=f"at {re.escape(place)}: "):
                make(openai.OpenAI(api_key="-"), model="m", mode=mode, contract=contract, strict=True)
            make(openai.OpenAI(api_key="-"), model="m", mode=mode, contract=contract)


def test_what_can_be_closed_is():
    """Open objects with named members, and those without any, are narrowed; names of members are no keywords."""
    contract = create_model("Made", default=(create_model("Empty"), ...), items=(list[Ticket], ...))
    with Server([answer(GOOD)]) as server:
        client = clients.chat(server.openai(), model="m", mode="json_schema", contract=contract, strict=True)
        ticket.call(client, "x")
    sent = server.bodies[0]["response_format"]["json_schema"]["schema"]
    assert sent["required"] == ["default", "items"]
    assert [sent["$defs"][name]["additionalProperties"] for name in ("Empty", "Ticket")] == [False, False]


def test_a_forced_tool_call_is_the_answer_and_gets_a_tool_result():
    """In tool mode the arguments are the answer; the retry answers the call with a tool result."""
    with Server([tool("answer", BAD), tool("answer", GOOD)]) as server:
        client = clients.chat(server.openai(), model="m", mode="tool", contract=Ticket)
        assert ticket.call(client, "x") == VALUE
    first, second = server.bodies
    assert first["tool_choice"] == {"type": "function", "function": {"name": "answer"}}
    assert [t["role"] for t in second["messages"]] == ["user", "assistant", "tool"]
    call = second["messages"][1]["tool_calls"][0]
    assert call["function"] == {"name": "answer", "arguments": BAD}
    assert second["messages"][2]["tool_call_id"] == call["id"]
    assert "/team" in second["messages"][2]["content"]


def test_a_forced_tool_call_of_responses_gets_its_output_item():
    """The same by `responses`: a `function_call_output` item answers the call."""
    with Server([tool("answer", BAD), tool("answer", GOOD)]) as server:
        client = clients.responses(server.openai(), model="m", mode="tool", contract=Ticket)
        assert ticket.call(client, "x") == VALUE
    said, output = server.bodies[1]["input"][1:]
    assert (said["type"], said["arguments"], said["call_id"]) == ("function_call", BAD, "call_0")
    assert (output["type"], output["call_id"]) == ("function_call_output", "call_0")
    assert "/team" in output["output"]


@pytest.mark.parametrize("build", [clients.chat, clients.responses])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "yaml"}, "unknown mode 'yaml'"),
        ({"mode": "tool"}, "needs a schema"),
        ({"mode": "json_schema"}, "needs a schema"),
        ({"mode": "tool", "contract": list[int]}, "arguments are an object, not 'array'"),
        ({"stream": True}, "stream=True"),
    ],
)
def test_a_mode_that_cannot_be_is_refused_where_it_is_written(build, options, words):
    """Unknown modes, a missing schema, a schema that is no object and streaming are errors at construction."""
    with Server([]) as server, pytest.raises(ConfigError, match=words):
        build(server.openai(), model="m", **options)


# -- what is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [chat, responses])
def test_a_refusal_is_read_as_one(method):
    """A refusal that the API reports ends the asking, with its own words as the text."""
    with Server([answer(refusal="I will not.")]) as server, pytest.raises(Rejected) as caught:
        ticket.call(method(server.openai()), "x")
    assert caught.value.outcome.reason == "stop.refusal"
    assert caught.value.outcome.text == "I will not."
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("method", "finish", "expected"),
    [
        (chat, "length", "length"),
        (chat, "content_filter", "content_filter"),
        (responses, "max_output_tokens", "length"),
        (responses, "content_filter", "content_filter"),
    ],
)
def test_finish_reasons_have_one_spelling(method, finish, expected):
    """Why an answer ended is read in one spelling from both interfaces."""
    with Server([answer("{", finish=finish)]) as server:
        reply = reply_of(
            method(server.openai())(**{"messages" if method is chat else "input": [{"role": "user", "content": "x"}]})
        )
    assert reply.finish == expected


def test_usage_and_a_cost_that_the_server_says_are_read():
    """Tokens are read from the response, and `usage.cost` where a server sends it."""
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 0.25}
    with Server([answer(GOOD, extra={"usage": usage})]) as server:
        outcome = ticket.run(chat(server.openai()), "x")
    assert outcome.usage.to_dict() == {"input_tokens": 3, "output_tokens": 4, "cost": 0.25}


def test_a_token_budget_on_a_reply_without_usage_is_an_error():
    """A server that says no usage cannot be given an unlimited budget in silence."""
    bounded = ticket.replace(budget=Budget(tokens=100))
    with Server([answer(GOOD, tokens=None)]) as server, pytest.raises(ConfigError, match="how many tokens"):
        bounded.call(chat(server.openai()), "x")


def test_a_response_is_an_answer_wherever_one_is_taken():
    """A function that returns the SDK's response is read like one that returns its text; one tool call is its text."""
    with Server([answer(GOOD), tool("f", GOOD), answer(GOOD)]) as server:
        client = server.openai()
        turns = [{"role": "user", "content": "x"}]
        assert ticket.call(lambda messages: chat(client)(messages=messages), "x") == VALUE
        assert reply_of(chat(client)(messages=turns)).text == GOOD
        assert reply_of(client.responses.create(model="m", input="x")).text == GOOD


def test_several_answers_in_one_response_are_refused():
    """Of several choices none is picked in silence."""
    with Server([answer(GOOD, BAD)]) as server:
        raw = chat(server.openai(), n=2)(messages=[])
    with pytest.raises(ConfigError, match="holds 2 answers"):
        reply_of(raw)


def test_a_stream_is_read_to_its_end():
    """A response asked for with stream=True is collected where an answer is read."""
    with Server([answer(GOOD)]) as server:
        reply = reply_of(chat(server.openai(), stream=True, stream_options={"include_usage": True})(messages=[]))
        assert (reply.text, reply.finish, reply.usage["output_tokens"]) == (GOOD, "stop", 5)


# -- faults ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_transient_statuses_are_retried_and_are_no_attempt(status):
    """A fault of the transport is tried again, once per fault, and counts as no attempt."""
    with Server([Fault(status), answer(GOOD)]) as server:
        outcome = ticket.run(chat(server.openai()), "x")
    assert outcome.value == VALUE
    assert len(outcome.attempts) == 1
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 501])
def test_lasting_statuses_come_out_unchanged(status):
    """What stays wrong is not tried again; the SDK's own exception comes out with a note."""
    with Server([Fault(status), answer(GOOD)]) as server, pytest.raises(openai.APIStatusError) as caught:
        ticket.call(chat(server.openai()), "x")
    assert caught.value.status_code == status
    assert len(server.requests) == 1
    assert "raised in attempt 1" in caught.value.__notes__[0]


def test_an_empty_quota_is_not_waited_for():
    """A 429 that says that the quota is used up will not pass by itself."""
    body = {"error": {"message": "no money", "type": "insufficient_quota", "code": "insufficient_quota"}}
    with Server([Fault(429, body=body)]) as server, pytest.raises(openai.RateLimitError):
        ticket.call(chat(server.openai()), "x")
    assert len(server.requests) == 1


def test_what_the_server_says_of_retrying_counts():
    """`x-should-retry` is obeyed in both directions."""
    steps = [Fault(400, (("x-should-retry", "true"),)), Fault(500, (("x-should-retry", "false"),))]
    with Server(steps) as server, pytest.raises(openai.InternalServerError):
        ticket.call(chat(server.openai()), "x")
    assert len(server.requests) == 2


def test_the_sdks_own_retries_are_off():
    """Only one owner retries: four tries of tenacity are four requests, whatever the client was set to."""
    with Server([Fault(500)] * 9) as server, pytest.raises(openai.InternalServerError):
        ticket.call(chat(server.openai(max_retries=5)), "x")
    assert len(server.requests) == 4
    with Server([Fault(500)] * 9) as server, pytest.raises(openai.InternalServerError):
        ticket.replace(transport=None).call(chat(server.openai(max_retries=5)), "x")
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", [Cut(), Raw(b'{"id": ')])
def test_a_body_that_breaks_off_is_retried(step):
    """A cut connection and a broken JSON body are the transport's."""
    with Server([step, answer(GOOD)]) as server:
        assert ticket.call(chat(server.openai()), "x") == VALUE
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "step",
    [Raw(b"<html>Welcome</html>", "text/html"), Raw(b'{"hello": 1}'), Raw(b"[]"), Raw(b'"x"'), Raw(b'{"data": []}')],
)
@pytest.mark.parametrize("method", [chat, responses])
def test_a_body_of_another_service_is_no_answer(step, method):
    """A page or other JSON with status 200 is never read as what the model said."""
    with Server([step]) as server, pytest.raises(ConfigError, match="see whether base_url"):
        ticket.call(method(server.openai()), "x")


def test_a_refused_connection_is_transient():
    """A server that is not there is a connection error, tried again and then the SDK's own exception."""
    with nobody_there() as url, openai.DefaultHttpxClient(trust_env=False) as http:
        client = openai.OpenAI(api_key="k", base_url=f"{url}/v1", http_client=http)
        with pytest.raises(openai.APIConnectionError) as caught:
            ticket.call(chat(client), "x")
    assert transient(caught.value)


def test_the_default_transport_honours_retry_after():
    """Without a tenacity object of the caller's, Retry-After says how long is waited."""
    with Server([Fault(429, (("retry-after-ms", "30"),)), answer(GOOD)]) as server:
        started = time.monotonic()
        assert ticket.replace(transport="default").call(chat(server.openai()), "x") == VALUE
    assert time.monotonic() - started >= 0.03


def test_the_time_left_is_the_time_out():
    """With a budget of seconds a slow server is left when they end, and the record says so."""
    hurried = ticket.replace(budget=Budget(seconds=0.2))
    with Server([Slow(20, answer(GOOD))]) as server:
        llm = chat(server.openai())
        started = time.monotonic()
        with pytest.raises(BudgetExhausted) as caught:
            hurried.call(llm, "x")
        assert time.monotonic() - started < 10
    assert caught.value.outcome.reason == "budget.seconds"


def _fault(headers: dict[str, str]) -> Exception:
    import httpx2

    request = httpx2.Request("POST", "http://127.0.0.1")
    return openai.RateLimitError("x", response=httpx2.Response(429, headers=headers, request=request), body=None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after": "2", "retry-after-ms": "300"}, 0.3),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "86400"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_in_every_form(headers, seconds):
    """Seconds, milliseconds and dates are understood; nonsense and absurd waits are left to the policy."""
    assert retry_after(_fault(headers)) == seconds


def test_a_date_to_come_is_waited_for():
    """An HTTP date is the seconds until then."""
    from email.utils import formatdate

    asked = retry_after(_fault({"retry-after": formatdate(time.time() + 30, usegmt=True)}))
    assert asked is not None
    assert 27 < asked <= 30


@pytest.mark.parametrize("fault", [ValueError("x"), TimeoutError(), KeyError("x"), OSError()])
def test_foreign_exceptions_are_not_transient(fault):
    """Only what the SDKs and their transports raise is known to be transient."""
    assert not transient(fault)


# -- what cannot be asked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda c: c, "OpenAI cannot be called; use functools.partial"),
        (lambda c: c.chat.completions, "Completions cannot be called"),
        (lambda c: c.embeddings.create, "Embeddings.create cannot be guarded"),
        (lambda c: functools.partial(c.chat.completions.create, model="m", stream=True), "stream=True"),
        (lambda c: functools.partial(c.chat.completions.create, model="m", messages=[]), "messages= comes with each"),
        (lambda c: functools.partial(c.responses.create, model="m", background=True), "background=True"),
        (lambda c: functools.partial(c.responses.create, model="m", conversation="c"), "conversation="),
        (lambda c: functools.partial(c.responses.create, model="m", extra_body={"background": True}), "background"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(of, words):
    """A client, a method without an answer, streaming and background are errors before any request."""
    with Server([]) as server:
        client = server.openai()
        with pytest.raises(ConfigError, match=words):
            resolve(of(client))
    assert server.requests == []


def test_a_method_of_the_callers_own_subclass_is_a_plain_callable():
    """A caller's own method on a subclass of the client is asked by its signature."""

    class Mine(openai.OpenAI):
        def ask(self, prompt: str) -> str:
            return f"got {prompt}"

    with Mine(api_key="k") as client:
        assert Guarded(str, format=None).contract is not None
        assert reply_of(resolve(client.ask).function("x")).text == "got x"


def test_the_old_completions_go_by_prompt():
    """`completions.create` gets one prompt; in a retry the bad answer stands in a fence."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        llm = functools.partial(server.openai().completions.create, model="m")
        assert ticket.call(llm, "Sort this") == VALUE
    assert server.bodies[0]["prompt"] == "Sort this"
    assert f"```\n{BAD}\n```" in server.bodies[1]["prompt"]


def test_the_callers_own_tool_is_no_answer():
    """A response that asks for a tool of the caller's holds no answer: the outcome says so."""
    with Server([tool("lookup", "{}")]) as server:
        outcome = ticket.run(chat(server.openai(), tools=[{"type": "function", "function": {"name": "lookup"}}]), "x")
    assert (outcome.ok, str(outcome.reason)) == (False, "reply.tool_calls")
