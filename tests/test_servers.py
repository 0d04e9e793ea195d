"""Servers that speak an SDK's protocol in their own way: what they say is read, or is an error that names it."""

from __future__ import annotations

import asyncio
import functools
import json
from typing import Any

import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server, answer  # noqa: E402

from guards import Budget, Fallback, Guarded, Raise, Reask, Rejected  # noqa: E402
from guards.checks import Length  # noqa: E402
from guards.clients import openai as clients  # noqa: E402
from guards.clients import reply_of  # noqa: E402
from guards.clients.faults import transient  # noqa: E402
from guards.clients.server_faults import named  # noqa: E402
from guards.clients.tools import is_arguments  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ConfigError, GuardsError, ServerFault  # noqa: E402

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
data = Guarded(SCHEMA, transport=quick, on_fail=Reask(times=1).then(Raise()))
talk = Guarded(Text(), transport=quick)
GOOD = '{"a": 1}'
ASKED = [{"role": "user", "content": "x"}]


def raw(body: Any) -> Raw:
    return Raw(json.dumps(body).encode())


def chat(client: Any, **options: Any) -> Any:
    return functools.partial(client.chat.completions.create, model="m", **options)


def responses(client: Any, **options: Any) -> Any:
    return functools.partial(client.responses.create, model="m", **options)


def messages(client: Any, **options: Any) -> Any:
    return functools.partial(client.messages.create, model="m", max_tokens=9, **options)


def client_of(server: Server, method: Any) -> Any:
    return server.anthropic() if method is messages else server.openai()


def said(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], **more}


def called(*calls: tuple[str, Any]) -> dict[str, Any]:
    made = [
        {"id": f"c{i}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(calls)
    ]
    return said({"content": None, "tool_calls": made})


# -- errors with a good status -----------------------------------------------------------------------------------------

ERRORS = [
    ({"error": {"message": "busy now", "code": 429}}, True),
    ({"error": {"message": "busy now", "code": "502"}, "choices": None}, True),
    ({"error": {"message": "busy now", "type": "overloaded_error"}}, True),
    ({"error": {"message": "busy now", "code": "rate_limit_exceeded"}, "choices": []}, True),
    ({"error": "busy now", "error_type": "overloaded"}, True),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "busy now"}}, True),
    ({"statusCode": 429, "message": "busy now"}, True),
    ({"object": "error", "message": "busy now", "code": 503, "type": "ServiceUnavailableError"}, True),
    ({**said({"content": ""}), "error": {"message": "busy now", "code": 500}}, True),
    ({"choices": [{"index": 0, "error": {"message": "busy now", "code": 502}, "finish_reason": "error"}]}, True),
    ({"error": {"message": "no such thing", "code": 404}}, False),
    ({"error": {"message": "no such thing", "code": 400}, "choices": None}, False),
    ({"error": "no such thing"}, False),
    ({"error": {"message": "no such thing", "type": "insufficient_quota", "code": 429}}, False),
    ({"error": {"message": "no such thing", "code": True}}, False),
    ({"detail": "no such thing"}, False),
    ({"error": {"message": "Service overloaded: busy now"}}, True),
    ({"detail": "Service is temporarily unavailable, busy now"}, True),
    ({"error": "rate limited, busy now", "choices": None}, True),
    ({"error": {"message": "the upstream timed out, busy now", "code": None, "type": "error"}}, True),
    ({"error": {"message": "rate limit of no such thing", "code": 400}}, False),
    ({"error": {"message": "timeout: no such thing", "type": "invalid_request_error"}}, False),
    ({"error": "rate limit: no such thing in your billing plan"}, False),
    ({"error": "overloaded with no such thing", "status_code": 400}, False),
    ({"object": "error", "message": "no such thing", "code": 400}, False),
    ({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "no such thing"}}, False),
    ({"status": 501, "message": "no such thing"}, False),
]


@pytest.mark.parametrize("method", [chat, responses, messages])
@pytest.mark.parametrize(("body", "passes"), ERRORS)
def test_an_error_with_a_good_status_is_an_error_in_the_servers_words(method, body, passes):
    """What a server says in a body of status 200 is in the error; what may pass was tried again."""
    with (
        Server([raw(body)] * 3) as server,
        pytest.raises(ServerFault, match="busy now" if passes else "no such thing") as caught,
    ):
        talk.call(method(client_of(server, method)), "x")
    assert len(server.requests) == (3 if passes else 1)
    assert (caught.value.where, caught.value.passing) == ("client", passes)
    assert "raised in attempt 1" in caught.value.__notes__[0]


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_an_error_that_passes_is_no_attempt(method):
    """A server that was busy in its body is asked again, under wrap and without."""
    busy = raw({"error": {"message": "busy", "code": 503}})
    with Server([busy, answer("fine"), busy, answer("fine")]) as server:
        client = client_of(server, method)
        assert len(talk.run(method(client), "x").attempts) == 1
        question = {"input": "x"} if method is responses else {"messages": ASKED}
        wrapped = talk.wrap(client)
        assert method(wrapped)(**question) is not None
    assert len(server.requests) == 4


def test_what_the_provider_behind_a_gateway_said_is_told():
    """A gateway's "provider returned error" is followed by what that provider said; long words are cut."""
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "y" * 500}}}
    with Server([raw(body)]) as server, pytest.raises(ServerFault, match="Provider returned error: yyy") as caught:
        talk.call(chat(server.openai()), "x")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("body", "words", "tries"),
    [
        ({"status": "failed", "output": [], "error": {"code": "server_error", "message": "broke"}}, "broke", 3),
        ({"status": "failed", "output": [], "error": {"code": "invalid_prompt", "message": "no"}}, "no", 1),
        ({"status": "failed", "output": [], "error": None}, "not why", 1),
    ],
)
def test_a_failed_response_is_an_error(body, words, tries):
    """`responses` says of itself that it failed: that is no empty answer."""
    with (
        Server([raw({"id": "r", "object": "response", **body})] * 3) as server,
        pytest.raises(ServerFault, match=words),
    ):
        talk.call(responses(server.openai()), "x")
    assert len(server.requests) == tries


HOLLOW = [
    (chat, {"choices": None}),
    (chat, {"choices": []}),
    (chat, {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "message": None}]}),
    (chat, {"choices": [None]}),
    (chat, {"choices": [{"index": 0, "finish_reason": "stop"}]}),
    (messages, {"id": "m", "type": "message", "role": "assistant", "content": None}),
    (responses, {"id": "r", "object": "response", "status": "completed", "output": None}),
]


@pytest.mark.parametrize(("method", "body"), HOLLOW)
def test_an_answer_without_an_answer_in_it_is_tried_again(method, body):
    """Servers send one when they are overloaded: no fault of the caller's `base_url`."""
    with Server([raw(body), answer("fine"), *[raw(body)] * 3]) as server:
        llm = method(client_of(server, method))
        assert talk.call(llm, "x") == "fine"
        with pytest.raises(ServerFault, match="empty") as caught:
            talk.call(llm, "x")
    assert (caught.value.passing, len(server.requests)) == (True, 5)


@pytest.mark.parametrize(("method", "body"), HOLLOW)
def test_an_answer_without_an_answer_in_it_is_named_where_a_function_gave_it(method, body):
    """The same of a response that the caller's own function returns."""
    with Server([raw(body)]) as server:
        question = {"input": "x"} if method is responses else {"messages": ASKED}
        given = method(client_of(server, method))(**question)
    if method is not responses:  # which has nothing that tells it from another object
        with pytest.raises(ServerFault, match="empty"):
            reply_of(given)


GAVE_UP = ["error", "abort", "cancelled", "insufficient_system_resource", "ERROR", "Aborted"]


@pytest.mark.parametrize("word", GAVE_UP)
def test_an_answer_that_the_server_gave_up_is_tried_again(word):
    """A finish reason that is the server's own fault: what there is of the answer is none, streamed or not."""
    given_up = raw(
        {**said({"content": "It is"}), "choices": [said({"content": "It is"})["choices"][0] | {"finish_reason": word}]}
    )
    with Server([given_up, answer("fine"), sse(chunk(word)), answer("fine")]) as server:
        assert talk.call(chat(server.openai()), "x") == "fine"
        *_, last = talk.stream(chat(server.openai()), "x")
        assert last.outcome.value == "fine"
    body = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "It"}]}
    with Server([raw({**body, "stop_reason": word}), answer("fine")]) as server:
        assert talk.call(messages(server.anthropic()), "x") == "fine"


@pytest.mark.parametrize("word", ["length", "LENGTH", "MAX_TOKENS", "Max_Tokens"])
def test_the_letters_of_a_finish_reason_do_not_matter(word):
    """An answer that was cut off is one in whatever letters the server says so."""
    with Server([answer("It is", finish=word)]) as server, pytest.raises(Rejected) as caught:
        talk.replace(on_fail=Raise()).call(chat(server.openai()), "x")
    assert [finding.code for finding in caught.value.outcome.findings] == ["text.truncated"]


@pytest.mark.parametrize("word", ["eos", "eos_token", "STOP", None])
def test_other_finish_reasons_are_an_end(word):
    """Servers have words of their own for it, or none."""
    choice = said({"content": "fine"})["choices"][0] | {"finish_reason": word}
    with Server([raw(said({}) | {"choices": [choice]})]) as server:
        assert talk.call(chat(server.openai()), "x") == "fine"


def response(status: str | None, *output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "r", "object": "response", "created_at": 1, "status": status, "output": list(output), **more}


def spoken(text: str, status: str = "completed") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "m1", "role": "assistant", "status": status, "content": [part]}


@pytest.mark.parametrize(
    "body",
    [
        response("incomplete", spoken("It is")),
        response("incomplete", spoken("It is"), incomplete_details={"reason": None}),
        response("completed", spoken("It is", "incomplete")),
        response("INCOMPLETE", spoken("It is"), incomplete_details={"reason": "MAX_OUTPUT_TOKENS"}),
    ],
)
def test_an_incomplete_response_is_cut_off(body):
    """With a reason or without, of the whole or of an item in it."""
    with Server([raw(body)]) as server, pytest.raises(Rejected) as caught:
        talk.replace(on_fail=Raise()).call(responses(server.openai()), "x")
    assert [finding.code for finding in caught.value.outcome.findings] == ["text.truncated"]


@pytest.mark.parametrize("status", ["cancelled", "CANCELLED", "expired"])
def test_a_response_that_was_given_up_is_no_answer(status):
    """Only a completed one is an answer; in a stream, too."""
    body = response(status, spoken("It is"))
    event = {"type": "response.cancelled", "response": response(status)}
    step = sse(f"event: response.cancelled\ndata: {json.dumps(event)}", done=False)
    with Server([raw(body), answer("fine"), step, answer("fine")]) as server:
        assert talk.call(responses(server.openai()), "x") == "fine"
        *_, last = talk.stream(responses(server.openai()), "x")
        assert last.outcome.value == "fine"


TOOLS = [{"type": "function", "name": "look", "parameters": {"type": "object"}}]


def test_a_call_that_was_cut_off_does_not_go_to_the_caller():
    """A tool of the caller's own whose arguments did not come to their end: refused and asked again."""
    call = {"type": "function_call", "id": "f", "call_id": "c", "name": "look", "arguments": '{"a": 1'}
    bodies = [response("incomplete", call), response("completed", call | {"status": "incomplete"})]
    with Server([step for body in bodies for step in (raw(body), answer(GOOD))]) as server:
        for _ in bodies:
            given = data.wrap(server.openai()).responses.create(model="m", input="x", tools=TOOLS)
            assert given.output_text == GOOD
    body = called(("look", '{"a": 1'))
    body["choices"][0]["finish_reason"] = "length"
    with Server([raw(body), answer(GOOD)]) as server:
        own = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
        given = data.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED, tools=own)
    assert given.choices[0].message.content == GOOD


@pytest.mark.parametrize("method", [chat, responses, messages])
@pytest.mark.parametrize(
    "step",
    [
        Raw(b""),
        Raw(b"", "text/plain"),
        Raw(b"null"),
        Raw(b'{"choices": [{"mess'),
        Raw(b"{}{}"),
        Raw(b"\xff\xfe{"),
        Raw(b"[" * 100_000),
        raw({"id": None, "choices": None, "object": None, "usage": None}),
    ],
    ids=["empty", "empty text", "null", "cut", "two", "no utf-8", "deep", "all null"],
)
def test_an_empty_or_broken_body_is_named_after_the_tries(method, step):
    """A body that holds nothing, or no JSON, is tried again and then an error of the library's own that says so."""
    with Server([step] * 3) as server, pytest.raises(ServerFault, match="empty|broken"):
        talk.call(method(client_of(server, method)), "x")
    assert len(server.requests) == 3


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"error": value}
    return value


@pytest.mark.parametrize("levels", [300, 450, 900])
def test_a_body_that_is_nested_deep_is_no_crash(levels):
    """What a server says of itself goes where it is too deep to be looked through; errors within errors are told."""
    body = {**said({"content": "fine"}), "metadata": {"x": deep(levels)}, "usage": {"x": deep(levels)}}
    with Server([raw(body), raw({"error": deep(levels)})]) as server:
        client = talk.replace(transport=None).wrap(server.openai())
        assert chat(client)(messages=ASKED).choices[0].message.content == "fine"
        with pytest.raises(ServerFault, match="no words"):
            chat(client)(messages=ASKED)


def test_a_response_that_is_too_deep_to_be_copied_is_the_servers_fault():
    """It would have to be, to deliver another text in it."""
    body = said({"content": "fine", "annotations": [{"x": deep(900)}]})
    guarded = Guarded(Text(), guards=[Length(max=2)], on_fail=Fallback("no"), transport=None)
    with Server([raw(body)]) as server, pytest.raises(ServerFault, match="too deep"):
        chat(guarded.wrap(server.openai()))(messages=ASKED)


DIGITS = b'{"id": "c", "created": ' + b"1" * 5000 + b"}"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("method", [chat, responses, messages])
def test_a_number_of_many_digits_is_a_broken_body(method, stream):
    """The standard library's reader raises a ValueError of another kind for it, in a body and in a stream."""
    step = Raw(b"event: message_start\ndata: " + DIGITS + b"\n\n", "text/event-stream") if stream else Raw(DIGITS)
    with Server([step]) as server, pytest.raises(ServerFault, match="broken"):
        method(talk.replace(transport=None).wrap(client_of(server, method)))(
            stream=stream, **({"input": "x"} if method is responses else {"messages": ASKED})
        )


def test_a_value_error_of_the_callers_own_stays_what_it_is():
    """Only what the reader of a body raises is the server's fault."""

    def fail(**_: Any) -> Any:
        raise ValueError("of my own")

    with pytest.raises(ValueError, match="of my own"):
        named(fail, "sync")()


@pytest.mark.parametrize("method", [chat, messages])
@pytest.mark.parametrize(
    ("body", "words", "tries"),
    [
        ({"error": {"message": "No such model", "code": 404}}, "No such model", 1),
        ({"error": "Service overloaded"}, "Service overloaded", 3),
        ({"detail": "no credits"}, "no credits", 1),
        (None, "empty", 3),
        (said({"content": "fine"}), "came whole", 1),
    ],
)
def test_a_body_where_a_stream_was_asked_for_is_told_in_its_words(method, body, words, tries):
    """Servers answer an error so with status 200; the SDKs see an empty stream in it."""
    with Server([raw(body)] * tries) as server, pytest.raises(ServerFault, match=words):
        method(talk.wrap(client_of(server, method)))(stream=True, messages=ASKED)
    assert len(server.requests) == tries


def test_a_stream_that_calls_itself_a_document_is_read():
    """Some servers name its kind wrongly; so for the async client."""
    lines = [{"choices": [{"index": 0, "delta": {"content": "fine"}, "finish_reason": "stop"}]}]
    body = b"".join(b"data: " + json.dumps(line).encode() + b"\n\n" for line in lines)

    async def main(server: Server) -> list[Any]:
        async with server.async_openai() as client:
            stream = await chat(talk.wrap(client))(stream=True, messages=ASKED)
            return [chunk.choices[0].delta.content async for chunk in stream]

    with Server([Raw(body)] * 2) as server:
        told = chat(talk.wrap(server.openai()))(stream=True, messages=ASKED)
        assert [chunk.choices[0].delta.content for chunk in told] == ["fine"]
        assert asyncio.run(main(server)) == ["fine"]


def test_the_async_client_names_them_too():
    """The same of an async client."""

    async def ask(server: Server) -> None:
        async with server.async_openai() as client:
            await talk.acall(chat(client), "x")

    for step, words in ((Raw(b""), "empty"), (Raw(b'{"id"'), "broken"), (raw({"error": "busy"}), "busy")):
        with Server([step] * 3) as server, pytest.raises(ServerFault, match=words):
            asyncio.run(ask(server))


@pytest.mark.parametrize(
    "body",
    [
        said({"content": "x"}) | {"choices": {"0": {}}},
        said({"content": "x"}) | {"choices": "x"},
        said({"content": "x"}) | {"choices": [None]},
        said({"content": "x"}) | {"choices": ["x"]},
        said({"content": "x"}) | {"choices": [{"index": 0}]},
        said({"content": "x"}) | {"choices": [{"index": 0, "message": None}]},
        said({"content": "x"}) | {"choices": [{"index": 0, "message": "hello"}]},
        said({"content": 7}),
        said({"content": True}),
    ],
)
def test_what_is_no_chat_completion_is_refused_by_name(body):
    """Choices that are none, a message that is none, content that is no text: never a `TypeError`."""
    with Server([raw(body)] * 3) as server, pytest.raises(GuardsError, match="the server's answer"):
        talk.call(chat(server.openai()), "x")


@pytest.mark.parametrize(
    "usage", [None, {}, [], "many", 7, {"prompt_tokens": None}, {"prompt_tokens": "9"}, {"prompt_tokens": -5}]
)
@pytest.mark.parametrize("method", [chat, responses, messages])
def test_a_usage_that_says_nothing_is_none(method, usage):
    """The answer is read all the same; a budget of tokens cannot be kept and says so."""
    with Server([answer("fine", extra={"usage": usage})] * 2) as server:
        llm = method(client_of(server, method))
        assert talk.run(llm, "x").usage.total_tokens in (None, 0)
        with pytest.raises(ConfigError, match="how many tokens"):
            talk.replace(budget=Budget(tokens=50)).call(llm, "x")


@pytest.mark.parametrize("count", [10**400, float("inf"), float("nan"), -1, True, "many"], ids=lambda n: str(n)[:6])
@pytest.mark.parametrize("method", [chat, messages])
def test_a_count_that_nothing_can_have_come_to_is_none(method, count):
    """A budget of costs neither breaks on it nor counts it."""
    names = ("prompt_tokens", "completion_tokens") if method is chat else ("input_tokens", "output_tokens")
    usage = dict.fromkeys(names, count)
    body = said({"content": "fine"})
    if method is messages:
        body = {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "fine"}]}
    with Server([raw({**body, "usage": usage})]) as server:
        outcome = talk.replace(budget=Budget(seconds=60)).run(method(client_of(server, method)), "x")
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (None, None)
    with Server([raw({**body, "usage": usage})]) as server, pytest.raises(ConfigError, match="does not say"):
        talk.replace(budget=Budget(cost=1.0, price=(1.0, 1.0))).run(method(client_of(server, method)), "x")


def test_content_that_is_null_is_an_empty_answer():
    """A message without content or calls is judged as one that says nothing."""
    with (
        Server([raw(said({"content": None})), raw(said({}))]) as server,
        pytest.raises(Rejected, match="empty|no document|JSON"),
    ):
        data.call(chat(server.openai()), "x")


def test_an_answer_as_an_object_is_read_as_its_json():
    """A server that gives the JSON answer itself, not its text; a wrapped client gives the text."""
    with Server([raw(said({"content": {"a": 1}}))] * 2) as server:
        assert data.call(chat(server.openai()), "x") == {"a": 1}
        given = data.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED)
    assert given.choices[0].message.content == GOOD


# -- tools -------------------------------------------------------------------------------------------------------------

TOOL = [{"type": "function", "function": {"name": "answer", "parameters": {}}}]
FORCED = {"tools": TOOL, "tool_choice": {"type": "function", "function": {"name": "answer"}}}


def test_arguments_that_are_an_object():
    """Read as its JSON; a wrapped client gives the text that the SDK promises."""
    with Server([raw(called(("answer", {"a": 1})))] * 2) as server:
        assert data.call(chat(server.openai(), **FORCED), "x") == {"a": 1}
        given = data.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED, **FORCED)
    assert given.choices[0].message.tool_calls[0].function.arguments == GOOD


def test_arguments_of_responses_that_are_an_object():
    """The same for `responses`."""
    item = {"type": "function_call", "id": "f", "call_id": "c", "name": "answer", "arguments": {"a": 1}}
    body = {"id": "r", "object": "response", "status": "completed", "output": [item]}
    tool = {"type": "function", "name": "answer"}
    with Server([raw(body)] * 2) as server:
        assert data.call(responses(server.openai(), tools=[tool], tool_choice=tool), "x") == {"a": 1}
        given = data.wrap(server.openai()).responses.create(model="m", input="x", tools=[tool], tool_choice=tool)
    assert given.output[0].arguments == GOOD


def test_the_input_of_anthropics_tool_that_is_text():
    """The other way round: the text of an object where the object should be."""
    block = {"type": "tool_use", "id": "t", "name": "answer", "input": GOOD}
    body = {"id": "m", "type": "message", "role": "assistant", "content": [block], "stop_reason": "tool_use"}
    choice = {"tools": [{"name": "answer", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "answer"}}
    with Server([raw(body)] * 2) as server:
        assert data.call(messages(server.anthropic(), **choice), "x") == {"a": 1}
        given = data.wrap(server.anthropic()).messages.create(model="m", max_tokens=9, messages=ASKED, **choice)
    assert given.content[0].input == {"a": 1}


@pytest.mark.parametrize("calls", [{}, "none", [None], ["x"], [{"id": "c"}], [{"function": None}], [{"function": "x"}]])
def test_tool_calls_of_a_strange_shape_are_no_crash(calls):
    """They are no calls, or nobody's; the words beside them are judged."""
    with Server([raw(said({"content": GOOD, "tool_calls": calls}))] * 2) as server:
        try:
            given = data.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED)
        except Rejected as fault:
            assert [f.code for f in fault.outcome.findings] == ["reply.unknown_tool"]
        else:
            assert (given.choices[0].message.content, given.choices[0].message.tool_calls or None) == (GOOD, None)


BROKEN_ARGUMENTS = ['{"a": ', "", "[1]", '"a"', "null", "7", '{"a": NaN}', "not json", '{"a": "x"} {"a": "y"}']


@pytest.mark.parametrize("arguments", BROKEN_ARGUMENTS)
def test_arguments_that_are_no_object_do_not_go_back(arguments):
    """A retry says them in words: servers refuse a history of calls whose arguments are no JSON object."""
    with Server([raw(called(("answer", arguments))), raw(called(("answer", GOOD)))]) as server:
        assert data.call(chat(server.openai(), **FORCED), "x") == {"a": 1}
    turns = server.bodies[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert "tool_calls" not in turns[1]
    assert turns[1]["content"].strip()


@pytest.mark.parametrize("arguments", BROKEN_ARGUMENTS)
def test_arguments_of_responses_that_are_no_object_do_not_go_back(arguments):
    """The same for `responses`."""
    item = {"type": "function_call", "id": "f", "call_id": "c", "name": "answer"}
    bodies = [
        {"id": "r", "object": "response", "status": "completed", "output": [{**item, "arguments": text}]}
        for text in (arguments, GOOD)
    ]
    tool = {"type": "function", "name": "answer"}
    with Server([raw(body) for body in bodies]) as server:
        assert data.call(responses(server.openai(), tools=[tool], tool_choice=tool), "x") == {"a": 1}
    assert [turn.get("role") for turn in server.bodies[1]["input"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("given_input", [[1], "not json", 7, None])
def test_an_input_of_anthropics_that_is_no_object_does_not_go_back(given_input):
    """The same for Anthropic."""
    made = {"id": "m", "type": "message", "role": "assistant", "stop_reason": "tool_use"}
    block = {"type": "tool_use", "id": "t", "name": "answer"}
    bodies = [{**made, "content": [{**block, "input": value}]} for value in (given_input, {"a": 1})]
    choice = {"tools": [{"name": "answer", "input_schema": {}}], "tool_choice": {"type": "tool", "name": "answer"}}
    with Server([raw(body) for body in bodies]) as server:
        assert data.call(messages(server.anthropic(), **choice), "x") == {"a": 1}
    for turn in server.bodies[1]["messages"][1:]:
        blocks = turn["content"] if isinstance(turn["content"], list) else []
        assert all(isinstance(b.get("input", {}), dict) for b in blocks)


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_half_a_surrogate_pair_in_an_answer_is_no_crash(method):
    """A model can write one in JSON, and no request can hold one: the retry says U+FFFD in its place."""
    with Server([answer('bad \ud800 "\U0001f600"'), answer(GOOD)]) as server:
        assert data.call(method(client_of(server, method)), "x") == {"a": 1}
    turns = server.bodies[1]["input" if method is responses else "messages"]
    assert turns[1]["content"] == 'bad \ufffd "\U0001f600"'


@settings(deadline=None)
@given(
    arguments=st.one_of(
        st.text(),
        st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
            json.dumps
        ),
    )
)
def test_what_goes_back_as_arguments_is_an_object(arguments):
    """Whatever a model wrote: a turn with a tool call holds a JSON object, or there is no call in it."""
    body = called(("answer", arguments))
    client = clients.chat(openai.OpenAI(api_key="k"), model="m", mode="tool", contract=SCHEMA)
    turns = client.turns(client.read(body), "Again.")
    for call in turns[0].get("tool_calls", ()):
        assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert bool(turns[0].get("tool_calls")) == is_arguments(arguments)


# -- streams -----------------------------------------------------------------------------------------------------------


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def piece(arguments: Any, name: str | None = None, ident: str | None = None, index: int | None = 0) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name is not None else {})}
    call = {"function": function, "type": "function", **({"id": ident} if ident else {})}
    return chunk(tool_calls=[call | ({"index": index} if index is not None else {})])


def sse(*lines: Any, done: bool = True) -> Raw:
    """A stream; a str is a line as it is."""
    told = [line if isinstance(line, str) else f"data: {json.dumps(line)}" for line in lines]
    return Raw(
        "".join(f"{line}\n\n" for line in [*told, *(["data: [DONE]"] if done else [])]).encode(), "text/event-stream"
    )


def calls_in(step: Raw, *names: str) -> list[tuple[str | None, str, str]]:
    """The calls that a stream holds, put together, of a client that offers these tools."""
    with Server([step]) as server:
        stream = chat(server.openai())(messages=ASKED, stream=True)
        reply = reply_of(stream)
    calls = reply.raw["choices"][0]["message"]["tool_calls"] or []
    return [(call.get("id"), call["function"]["name"], call["function"]["arguments"]) for call in calls]


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([piece('{"a":', "look", "c1"), piece(" 1}", "look", "c1")], [("c1", "look", GOOD)]),
        ([piece('{"a":', "look", "c1"), piece(" 1}", "look"), piece("", "look")], [("c1", "look", GOOD)]),
        ([piece('{"a":', "look", "x"), piece(" 1}", "look", "y"), piece("", "look", "z")], [("x", "look", GOOD)]),
        ([piece("", "lo", "c1"), piece('{"a":', "ok"), piece(" 1}")], [("c1", "look", GOOD)]),
        ([piece("", "lo", "c1"), piece('{"a":', "look"), piece(" 1}", "look")], [("c1", "look", GOOD)]),
        ([piece({"a": 1}, "look", "c1")], [("c1", "look", GOOD)]),
        ([piece(None, "look", "c1"), piece(GOOD)], [("c1", "look", GOOD)]),
        ([piece(GOOD, "look", "c1"), piece(GOOD, "look", "c2")], [("c1", "look", GOOD), ("c2", "look", GOOD)]),
        ([piece(GOOD, "look", "c1"), piece("{}", "go", "c2")], [("c1", "look", GOOD), ("c2", "go", "{}")]),
        ([piece("", "look", "c1"), piece("", "go", "c2")], [("c1", "look", ""), ("c2", "go", "")]),
        ([piece(GOOD, "look"), piece("{}", "go")], [(None, "look", GOOD), (None, "go", "{}")]),
        ([piece(GOOD, "look", "c1", None), piece("{}", "go", "c2", None)], [("c1", "look", GOOD), ("c2", "go", "{}")]),
        ([piece(GOOD, "look", "c1", 0), piece(GOOD, "look", "c1", 1)], [("c1", "look", GOOD)]),
        (
            [
                piece('{"a":', "look", "c1", 0),
                piece('{"b"', "go", "c2", 1),
                piece(" 1}", index=0),
                piece(": 2}", index=1),
            ],
            [("c1", "look", GOOD), ("c2", "go", '{"b": 2}')],
        ),
    ],
    ids=[
        "name and id repeated",
        "name repeated",
        "another id each time",
        "name in pieces",
        "name growing",
        "an object",
        "null first",
        "one index twice",
        "one index, two tools",
        "one index, no arguments",
        "no ids",
        "no index",
        "one call twice",
        "as OpenAI does",
    ],
)
def test_calls_of_a_stream_are_put_together(chunks, expected):
    """However a server numbers and repeats them."""
    assert calls_in(sse(*chunks, chunk("tool_calls"))) == expected


def test_a_name_in_each_delta_is_one_name():
    """The forced tool is found, streamed to a ticket and through a wrapped client."""
    step = sse(piece('{"a"', "answer", "c"), piece(": 1", "answer", "c"), piece("}", "answer", "c"), chunk("stop"))
    with Server([step] * 2) as server:
        client = clients.chat(server.openai(), model="m", mode="tool", contract=SCHEMA)
        *_, last = data.stream(client, "x")
        assert last.outcome.value == {"a": 1}
        chunks = data.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED, stream=True, **FORCED)
        told = "".join(c.function.arguments for k in chunks for ch in k.choices for c in ch.delta.tool_calls or ())
    assert told == GOOD


@pytest.mark.parametrize("done", [True, False])
def test_comments_empty_lines_and_a_missing_end(done):
    """What keeps a line open is no chunk, and not every server says [DONE]."""
    lines = [
        ": PROCESSING",
        chunk(role="assistant", content=""),
        ": ping",
        "",
        chunk(content="It is "),
        chunk(content="fine."),
    ]
    with Server([sse(*lines, chunk("stop"), done=done)] * 2) as server:
        *_, last = talk.stream(chat(server.openai()), "x")
        assert last.outcome.value == "It is fine."
        chunks = talk.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "It is fine."


BUSY = {"error": {"message": "busy now", "code": 429}}


@pytest.mark.parametrize(
    "first",
    [
        [BUSY],
        [{"error": {"message": "busy now", "type": "overloaded_error"}}],
        [chunk(role="assistant", content=""), BUSY],
        [{"object": "error", "message": "busy now", "code": 503}],
        [{**chunk("error", content=""), "error": {"message": "busy now", "code": "server_error"}}],
        ["data: {broken"],
    ],
)
def test_an_error_in_a_stream_before_its_text_is_tried_again(first):
    """Nothing was told, so that a fault that passes is the transport's."""
    good = sse(chunk(content="It is fine."), chunk("stop"))
    with Server([sse(*first), good] * 2) as server:
        *_, last = talk.stream(chat(server.openai()), "x")
        assert (last.outcome.value, len(last.outcome.attempts)) == ("It is fine.", 1)
        chunks = talk.wrap(server.openai()).chat.completions.create(model="m", messages=ASKED, stream=True)
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "It is fine."
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "no such thing", "code": 404}},
        {"error": "no such thing"},
        {"object": "error", "message": "no such thing", "code": 400},
    ],
)
def test_an_error_in_a_stream_that_stays_is_told_in_the_servers_words(error):
    """The SDK's own exception, or the library's, says what the server said; it is not tried again."""
    for lines in ([error], [chunk(content="It is "), error]):
        with Server([sse(*lines)]) as server, pytest.raises((openai.APIError, ServerFault)) as caught:
            list(talk.stream(chat(server.openai()), "x"))
        assert "no such thing" in str(caught.value) + str(caught.value.__notes__)
        assert len(server.requests) == 1


def test_an_async_stream_is_tried_again():
    """The same of an async client."""

    async def ask(server: Server) -> str:
        async with server.async_openai() as client:
            stream = talk.wrap(client).chat.completions.create(model="m", messages=ASKED, stream=True)
            return "".join([c.choices[0].delta.content or "" async for c in await stream])

    with Server([sse(BUSY), sse(chunk(content="It is fine."), chunk("stop"))]) as server:
        assert asyncio.run(ask(server)) == "It is fine."


def test_a_failed_response_in_a_stream_is_an_error():
    """`response.failed`, and an `error` event, are no empty answers."""
    failed = {"id": "r", "object": "response", "status": "failed", "output": []}
    for event in (
        {"type": "response.failed", "response": {**failed, "error": {"code": "server_error", "message": "broke"}}},
        {"type": "error", "code": "server_error", "message": "broke", "param": None},
    ):
        steps = [sse(f"event: {event['type']}\ndata: {json.dumps(event)}", done=False)] * 3
        with Server(steps) as server, pytest.raises(ServerFault, match="broke"):
            list(talk.stream(responses(server.openai()), "x"))
        assert len(server.requests) == 3


def test_an_error_in_anthropics_stream_is_tried_again():
    """An overloaded server says so in an event of a stream whose status was good."""
    event = {"type": "error", "error": {"type": "overloaded_error", "message": "busy now"}}
    step = sse(f"event: error\ndata: {json.dumps(event)}", done=False)
    with Server([step, answer("It is fine.")]) as server:
        *_, last = talk.stream(messages(server.anthropic()), "x")
        assert last.outcome.value == "It is fine."
    with Server([step] * 3) as server, pytest.raises(anthropic.APIStatusError, match="busy now"):
        list(talk.stream(messages(server.anthropic()), "x"))


@pytest.mark.parametrize("delta", [{"content": 7}, {"content": {"a": 1}}, {"content": ["x"]}])
def test_a_piece_that_is_no_text_is_refused_by_name(delta):
    """Never a `TypeError`, and never left out."""
    with Server([sse(chunk(**delta), chunk("stop"))]) as server, pytest.raises(ServerFault, match="not text"):
        list(talk.stream(chat(server.openai()), "x"))


# -- streams that merely stop ------------------------------------------------------------------------------------------


def events(*told: dict[str, Any]) -> Raw:
    return sse(*(f"event: {one['type']}\ndata: {json.dumps(one)}" for one in told), done=False)


def begun(item: dict[str, Any], *deltas: str) -> list[dict[str, Any]]:
    """A response whose end does not come."""
    kind = "output_text" if item["type"] == "message" else "function_call_arguments"
    where = {"output_index": 0, "item_id": "i", "content_index": 0}
    return [
        {"type": "response.created", "response": response("in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        *({"type": f"response.{kind}.delta", "delta": delta, **where} for delta in deltas),
    ]


def opened(block: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of Anthropic's whose end does not come."""
    head = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
    return [
        {"type": "message_start", "message": {**head, "usage": {"input_tokens": 1, "output_tokens": 0}}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
    ]


CALL = {"type": "function_call", "id": "f", "call_id": "c", "name": "look", "arguments": ""}
USE = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
OWN: dict[Any, list[dict[str, Any]]] = {
    chat: [{"type": "function", "function": {"name": "look", "parameters": {}}}],
    responses: TOOLS,
    messages: [{"name": "look", "input_schema": {"type": "object"}}],
}
SAID = [
    (chat, sse(chunk(content="It is"), done=False)),
    (chat, sse(chunk(content=GOOD), done=False)),
    (responses, events(*begun(spoken(""), "It is"))),
    (messages, events(*opened({"type": "text", "text": ""}, {"type": "text_delta", "text": "It is"}))),
]
SILENT = [
    (chat, sse(done=False)),
    (chat, sse(chunk(role="assistant", content=""), done=False)),
    (chat, sse(piece('{"a": ', "look", "c"), done=False)),
    (responses, events()),
    (responses, events(*begun(CALL, '{"a": '))),
    (messages, events()),
    (messages, events(*opened(USE, {"type": "input_json_delta", "partial_json": '{"a": '}))),
]


def told(server: Server, method: Any, guarded: Guarded[Any]) -> list[Any]:
    """The chunks of a wrapped client that offers a tool."""
    question = {"input": "x"} if method is responses else {"messages": ASKED}
    return list(method(guarded.wrap(client_of(server, method)))(stream=True, tools=OWN[method], **question))


@pytest.mark.parametrize(("method", "step"), SAID)
def test_a_stream_that_stops_in_its_text_is_no_answer(method, step):
    """It ended in order, but nothing in it said that the answer did: what came is never accepted."""
    with Server([step] * 3) as server:
        for guarded in (talk, data):
            with pytest.raises(ServerFault, match="ended before") as caught:
                list(guarded.stream(method(client_of(server, method)), "x"))
            assert caught.value.passing
        with pytest.raises(ServerFault, match="ended before"):
            told(server, method, talk)


@pytest.mark.parametrize(("method", "step"), SILENT)
def test_a_stream_that_stops_before_its_text_is_tried_again(method, step):
    """Empty, or in the middle of a call: nothing was told, and no half of a call goes to the caller."""
    with Server([step, answer("It is fine."), step, answer("It is fine."), *[step] * 3]) as server:
        *_, last = talk.stream(method(client_of(server, method), tools=OWN[method]), "x")
        assert last.outcome.value == "It is fine."
        assert "It is f" in "".join(str(one) for one in told(server, method, talk))
        with pytest.raises(ServerFault, match="ended before"):
            told(server, method, talk)
    assert len(server.requests) == 7


@pytest.mark.parametrize("lines", [[chunk("stop")], ["data: [DONE]"], [chunk("stop"), "data: [DONE]"]])
@pytest.mark.parametrize("asynchronous", [True, False])
def test_either_mark_of_an_end_is_one(lines, asynchronous):
    """Of chat completions some servers send a finish reason alone, some `[DONE]` alone."""
    step = sse(chunk(content="It is fine."), *lines, done=False)

    async def ask(server: Server) -> Any:
        async with server.async_openai() as client:
            return [event async for event in talk.stream(chat(client), "x")][-1].outcome.value

    with Server([step]) as server:
        if asynchronous:
            assert asyncio.run(ask(server)) == "It is fine."
        else:
            *_, last = talk.stream(chat(server.openai()), "x")
            assert last.outcome.value == "It is fine."


def test_a_stream_that_a_function_gives_is_held_to_its_end_too():
    """The SDK's stream, returned by the caller's own function or read by `reply_of`."""
    with Server([sse(chunk(content="It is"), done=False)] * 2 + [sse(chunk(content="It is"))]) as server:
        ask = functools.partial(chat(server.openai()), messages=ASKED, stream=True)
        with pytest.raises(ServerFault, match="ended before"):
            reply_of(ask())
        assert talk.call(lambda messages: ask(), "x") == "It is"  # by the ticket's own transport
    assert len(server.requests) == 3
