"""Whose a call, a result, a token, a pause in a wrapped client's response is: the request's, or nobody's."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import operator
from collections import deque
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server, tool  # noqa: E402
from test_wrap_beside import (  # noqa: E402
    ASKED,
    EVIL,
    FINE,
    STRAY,
    Chat,
    Completions,
    Messages,
    Responses,
    asked,
    calling,
    chunk,
    dumped,
    sse,
    streamed,
    strict,
    talk,
)

from guards import Guarded, Raise, Rejected, Reply  # noqa: E402
from guards.errors import ConfigError, ServerFault  # noqa: E402

SEARCH = {"type": "web_search_20250305", "name": "web_search"}


def _use(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "t", "name": name, "input": {}, **more}


@pytest.mark.parametrize(
    ("block", "tool"),
    [
        (_use("web_search"), SEARCH),
        (_use("rm", toolset_name="mcp"), {"type": "mcp_toolset", "mcp_server_name": "x"}),
        (_use("rm", toolset_name="brow"), {"type": "browser_toolset_20260801"}),
        (_use("look", toolset_name="other"), {"name": "look", "input_schema": {}}),
    ],
)
def test_a_call_by_the_name_of_another_tool_is_nobodys(block, tool):
    """A tool of the server's is not the caller's to call, and a family of tools is the very one."""
    with pytest.raises(Rejected, match="may not call"):
        asked(Messages(), Messages().body(None, [block]), strict, tools=[tool])


@pytest.mark.parametrize(
    ("block", "tool"),
    [
        ({"type": "bash_code_execution_tool_result", "content": STRAY}, {"type": "bash_20250124", "name": "bash"}),
        ({"type": "bash_tool_result", "content": STRAY}, {"type": "bash_20250124", "name": "bash"}),
        ({"type": "server_tool_use", "name": "web", "input": {"q": STRAY}}, SEARCH),
        ({"type": "", "content": STRAY}, SEARCH),
    ],
)
def test_a_result_of_another_tool_is_not_delivered(block, tool):
    """Nor beside a text that holds, nor beside a call of the caller's own tool."""
    own = {"name": "look", "input_schema": {}}
    assert STRAY not in dumped(asked(Messages(), Messages().body(FINE, [block]), strict, tools=[tool, own]))
    body = Messages().body(None, [block, _use("look")])
    given = asked(Messages(), body, strict, tools=[tool, own])
    assert [part.type for part in given.content] == ["tool_use"]


@pytest.mark.parametrize("kind", ["w", "_call", "", "web_search", "web_search_output", "web_call", "novel_call"])
def test_an_item_of_a_kind_that_nobody_knows_is_not_delivered(kind):
    """Only the items of the very tool that was offered come along."""
    item = {"type": kind, "id": "i", "content": [{"type": "output_text", "text": STRAY}]}
    assert STRAY not in dumped(
        asked(Responses(), Responses().body(FINE, [item]), strict, tools=[{"type": "web_search"}])
    )


@pytest.mark.parametrize("version", ["web_search", "web_search_preview", "web_search_2025_08_26"])
def test_any_version_of_a_tool_is_that_tool(version):
    """A search is a search, whichever the request names."""
    item = {"type": "web_search_call", "id": "i", "status": "completed", "action": {"type": "search", "query": STRAY}}
    assert STRAY in dumped(asked(Responses(), Responses().body(FINE, [item]), strict, tools=[{"type": version}]))


@pytest.mark.parametrize(
    "items",
    [
        [Responses().call("rm"), {"type": "x_output", "call_id": "c-rm"}, Responses().call("look")],
        [
            Responses().call("rm"),
            {"type": "function_call_output", "call_id": "c-rm", "output": "x"},
            Responses().call("look"),
        ],
        [Responses().call("docs")],
    ],
)
def test_no_output_makes_a_call_the_callers(items):
    """A function that was not offered is nobody's though something answers it, or a server has its name."""
    tools = [*Responses.tools, {"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1"}]
    with pytest.raises(Rejected, match="may not call"):
        asked(Responses(), Responses().body(None, items), strict, tools=tools)


def test_what_a_server_did_unasked_does_not_pass_with_a_call():
    """Beside the caller's own call, too, only tools that were offered have their results delivered."""
    item = {"type": "mcp_call", "id": "x", "name": "f", "server_label": "docs", "arguments": "", "output": STRAY}
    body = Responses().body("I look.", [item, Responses().call("look")])
    given = asked(Responses(), body, strict, tools=Responses.tools)
    assert [one.type for one in given.output] == ["message", "function_call"]


@pytest.mark.parametrize("stop", ["refusal", "max_tokens"])
def test_a_message_that_ended_badly_asks_for_nothing(stop):
    """A refusal, or an answer that was cut off, is refused though it calls the caller's own tool."""
    body = {**Messages().body(STRAY, [_use("look")]), "stop_reason": stop}
    with pytest.raises(Rejected):
        asked(Messages(), body, strict, tools=Messages.tools)


def test_a_chat_that_refuses_asks_for_nothing():
    """The same of OpenAI's shapes, which say it in a member or a part."""
    with pytest.raises(Rejected):
        asked(Chat(), Chat().body(None, [Chat().call("look")], refusal=STRAY), strict, tools=Chat.tools)
    body = Responses().body(None, [Responses().call("look")])
    part = {"type": "refusal", "refusal": STRAY}
    body["output"].insert(0, {"type": "message", "id": "m", "role": "assistant", "content": [part]})
    with pytest.raises(Rejected):
        asked(Responses(), body, strict, tools=Responses.tools)


# -- tokens ------------------------------------------------------------------------------------------------------------


def _chat_logged(token: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = Chat().body("ok")
    body["choices"][0]["logprobs"] = {"content": [token], "refusal": None, **more}
    return body


OTHERS = [{"token": EVIL, "logprob": -2.0, "bytes": None}]


@pytest.mark.parametrize("ask", [{}, {"logprobs": True, "top_logprobs": 1}])
def test_other_tokens_than_the_answers_come_to_who_asks_for_them(ask):
    """What might have been said is no part of the answer; members that nobody knows go in any case."""
    token = {"token": "ok", "bytes": [111, 107], "logprob": -1.0, "note": STRAY, "top_logprobs": OTHERS}
    shown = dumped(asked(Chat(), _chat_logged(token, extra=STRAY), strict, **ask))
    assert (EVIL in shown, STRAY in shown, '"token": "ok"' in shown) == (bool(ask), False, True)


@pytest.mark.parametrize(
    "token",
    [
        {"token": STRAY, "bytes": [111, 107], "logprob": -1.0},
        {"token": "ok", "bytes": [83, 84], "logprob": -1.0},
        {"token": "ok", "bytes": ["o", "k"], "logprob": -1.0},
        {"token": ["ok"], "bytes": None, "logprob": -1.0},
        {"token": STRAY, "bytes": [0xC3], "logprob": -1.0},
    ],
)
def test_a_token_is_what_its_bytes_are(token):
    """Log probabilities whose bytes spell the answer and whose tokens say something else go."""
    assert asked(Chat(), _chat_logged(token), strict).choices[0].logprobs is None


def test_what_is_said_of_old_completions_tokens_is_numbers():
    """Lists beside the tokens hold numbers, or go."""
    logged = {"tokens": ["ok"], "token_logprobs": [STRAY], "text_offset": [0], "top_logprobs": [{EVIL: -1.0}]}
    kept = asked(Completions(), Completions().body("ok", logprobs=logged), strict).choices[0].logprobs
    assert (kept.tokens, kept.token_logprobs, kept.text_offset, kept.top_logprobs) == (["ok"], [], [0], [])


# -- ids, and what the request said ------------------------------------------------------------------------------------


def test_what_was_asked_is_told_in_the_requests_own_words():
    """Instructions and tools come back as the request has them; other texts in their place go."""
    tools = [{"type": "function", "name": "look", "description": "Look it up.", "parameters": {}}]
    echo = {"instructions": "Be kind.", "tools": tools, "metadata": {}, "tool_choice": "auto"}
    given = asked(Responses(), {**Responses().body(FINE), **echo}, strict, instructions="Be kind.", tools=tools)
    assert (given.instructions, given.tools[0].description) == ("Be kind.", "Look it up.")
    shown = dumped(asked(Responses(), {**Responses().body(FINE), **echo}, strict))
    assert ("Be kind" in shown, "Look it up" in shown) == (False, False)


# -- streams -----------------------------------------------------------------------------------------------------------

FUNCTION = {"type": "function_call", "id": "f", "call_id": "c", "name": "rm", "arguments": json.dumps({"p": STRAY})}
AT = {"item_id": "f", "output_index": 1}


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "response.output_item.added", "output_index": 1, "item": FUNCTION},
        {"type": "response.output_item.done", "output_index": 1, "item": FUNCTION},
        {"type": "response.output_item.done", "output_index": 1, "item": {"type": "mcp_call", "output": STRAY}},
        {"type": "response.output_item.done", "output_index": 1, "item": {"type": "web_search_call", "x": STRAY}},
        {"type": "response.function_call_arguments.delta", "delta": STRAY, **AT},
        {"type": "response.mcp_call_arguments.done", "arguments": STRAY, **AT},
        {"type": "response.code_interpreter_call_code.delta", "delta": STRAY, **AT},
        {"type": "response.image_generation_call.partial_image", "partial_image_b64": STRAY, **AT},
        {"type": "response.shell_call_output_content.delta", "delta": {"stdout": STRAY}, **AT},
        {"type": "response.output_text.delta", "delta": "", "text": STRAY, **AT},
        {"type": "response.output_text.delta", "delta": "", "logprobs": [{"token": STRAY, "logprob": 0}], **AT},
        {"type": "response.output_text.annotation.added", "annotation": {"title": STRAY}, **AT},
    ],
)
def test_no_event_tells_what_the_whole_does_not(odd):
    """Calls, results and words that are not in the response that was judged are in no event."""
    whole = Responses().body(FINE)
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": {**whole, "output": []}},
        {"type": "response.output_text.delta", "delta": FINE, **at},
        odd,
        {"type": "response.completed", "response": whole},
    ]
    told = streamed(Responses(), sse(*events, named=True), strict)
    assert (STRAY in told, FINE in told) == (False, True)


def test_thinking_does_not_vouch_for_words():
    """What was thought and then stands in the place of the answer is not told there."""
    whole = Responses().body(FINE)
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    said = Responses().body(STRAY)["output"][0]
    events = [
        {"type": "response.created", "response": {**whole, "output": []}},
        {"type": "response.reasoning_text.delta", "delta": STRAY, **at},
        {"type": "response.output_text.delta", "delta": FINE, **at},
        {"type": "response.output_text.done", "text": STRAY, **at},
        {"type": "response.output_item.done", "output_index": 0, "item": said},
        {"type": "response.completed", "response": whole},
    ]
    assert STRAY not in streamed(Responses(), sse(*events, named=True), strict)


WRONG = [
    (Chat(), [chunk(content="x") | {"choices": {"index": 0, "delta": {"content": STRAY}}}]),
    (Chat(), [chunk(tool_calls={"index": 0, "function": {"name": "rm", "arguments": STRAY}})]),
    (Chat(), [chunk(tool_calls=[{"index": {"a": 1}, "function": {"name": "rm", "arguments": STRAY}}])]),
    (Chat(), [chunk(function_call=STRAY)]),
    (Chat(), [chunk() | {"choices": [{"index": 0, "delta": {"content": piece}} for piece in (FINE, STRAY)]}]),
    (Completions(), [Completions().body() | {"choices": [{"index": 0, "text": [STRAY]}]}]),
    (Responses(), [{"type": "response.output_text.delta", "delta": [STRAY]}]),
    (Responses(), [{"type": "response.output_text.delta", "delta": "x", "output_index": {"a": 1}}]),
    (Responses(), [{"type": "response.completed", "response": Responses().body(FINE)}] * 2),
    (Messages(), [{"type": "content_block_start", "index": [0], "content_block": {"type": "text", "text": ""}}]),
    (Messages(), [{"type": "content_block_start", "index": 0, "content_block": {**_use("x"), "name": ["rm"]}}]),
    (Messages(), [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}] * 2),
    (Messages(), [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": [STRAY]}}]),
]


@pytest.mark.parametrize(
    ("method", "events"), WRONG, ids=lambda value: "" if isinstance(value, list) else type(value).__name__
)
def test_a_wrong_type_in_a_stream_is_the_servers_fault(method, events):
    """It is named; nothing of it is passed over, and nothing crashes."""
    with pytest.raises(ServerFault, match="the server's answer"):
        streamed(method, sse(*events, named=isinstance(method, Responses | Messages)), strict)


@pytest.mark.parametrize("kind", [["message"], {"a": 1}, 7])
def test_a_wrong_type_in_a_response_is_the_servers_fault(kind):
    """The same of whole responses, where it stands in a part's type or a tool's name."""
    body = Responses().body(FINE)
    body["output"][0]["type"] = kind
    with pytest.raises(ServerFault, match="'type'"):
        asked(Responses(), body, strict)
    with pytest.raises(ServerFault, match="'name'"):
        asked(Messages(), Messages().body(None, [_use("x") | {"name": kind}]), strict)


def test_thoughts_in_a_block_of_words_are_not_told():
    """A piece of thinking goes on with a block of thinking, or goes."""
    events = [
        {"type": "message_start", "message": Messages().body(None)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": STRAY}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": FINE}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    told = streamed(Messages(), sse(*events, named=True), strict)
    assert (STRAY in told, FINE in told) == (False, True)


# -- what is no response -----------------------------------------------------------------------------------------------


def test_a_reply_of_a_changed_text_keeps_nothing_of_the_first():
    """What a function gave beside its text is of that text; of one that holds it stays."""
    assert talk.wrap(lambda messages: Reply("It is EVIL.", raw={"said": EVIL}))("Say it") == Reply("It is .")
    assert talk.wrap(lambda messages: Reply(FINE, raw={"a": 1}))("Say it") == Reply(FINE, raw={"a": 1})


def test_a_file_that_may_hold_answers_is_not_handed_out():
    """A batch's answers lie in a file: its content comes by the client itself."""
    with Server([Raw(b"{}")]) as server:
        client = strict.wrap(server.openai())
        with pytest.raises(ConfigError, match="files"):
            client.files.content("f")
        with pytest.raises(ConfigError, match="files"):
            _ = client.files.with_raw_response.content
        client.files.retrieve("f")


def _full_stream() -> list[dict[str, Any]]:
    """A search and its thinking, an answer that cites it, and every event in which OpenAI tells of them."""
    thought = {"id": "rs", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Let me think."}]}
    searched = {"id": "ws", "type": "web_search_call", "status": "completed"}
    searched["action"] = {"type": "search", "query": "fine or not"}
    cited = {
        "type": "url_citation",
        "start_index": 0,
        "end_index": 2,
        "title": "A page",
        "url": "http://127.0.0.1/?a=b",
    }
    body = Responses().body(FINE, annotations=[cited], logprobs=[])
    said = body["output"][0]
    whole = {**body, "output": [{**thought, "encrypted_content": "gA=="}, searched, said], "instructions": "Be kind."}
    at, word = {"item_id": "rs", "output_index": 0}, {"item_id": said["id"], "output_index": 2, "content_index": 0}
    summed = {**at, "summary_index": 0}
    part = said["content"][0]
    events: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": {**whole, "output": [], "status": "in_progress"}}),
        ("output_item.added", {"output_index": 0, "item": {**thought, "summary": [], "encrypted_content": "gB=="}}),
        ("reasoning_summary_part.added", {**summed, "part": {"type": "summary_text", "text": ""}}),
        ("reasoning_summary_text.delta", {**summed, "delta": "Let me ", "obfuscation": "aZ"}),
        ("reasoning_summary_text.delta", {**summed, "delta": "think."}),
        ("reasoning_summary_text.done", {**summed, "text": "Let me think."}),
        ("reasoning_summary_part.done", {**summed, "part": thought["summary"][0]}),
        ("output_item.done", {"output_index": 0, "item": whole["output"][0]}),
        ("output_item.added", {"output_index": 1, "item": {**searched, "status": "in_progress", "action": None}}),
        ("web_search_call.searching", {"output_index": 1, "item_id": "ws"}),
        ("output_item.done", {"output_index": 1, "item": searched}),
        ("output_item.added", {"output_index": 2, "item": {**said, "content": [], "status": "in_progress"}}),
        ("content_part.added", {**word, "part": {**part, "text": "", "annotations": []}}),
        ("output_text.delta", {**word, "delta": FINE, "logprobs": []}),
        ("output_text.annotation.added", {**word, "annotation_index": 0, "annotation": cited}),
        ("output_text.done", {**word, "text": FINE, "logprobs": []}),
        ("content_part.done", {**word, "part": part}),
        ("output_item.done", {"output_index": 2, "item": said}),
        ("completed", {"response": whole}),
    ]
    return [{"type": f"response.{k}", "sequence_number": n, **event} for n, (k, event) in enumerate(events)]


def test_a_stream_with_all_kinds_of_events_is_told_as_it_came():
    """Thinking, a search that the request offers, citations: event by event what the bare client gives."""
    options = {"stream": True, "instructions": "Be kind.", "tools": [{"type": "web_search"}]}
    with Server([sse(*_full_stream(), named=True)] * 2) as server:
        client = server.openai()
        bare = [event.to_dict() for event in Responses().ask(client, **options)]
        assert [event.to_dict() for event in Responses().ask(strict.wrap(client), **options)] == bare


# -- tools in every form that a request may have -----------------------------------------------------------------------


@pytest.mark.parametrize("of", [tuple, deque, iter, lambda tools: dict(enumerate(tools)).values()])
@calling
def test_tools_in_any_collection_are_the_callers(method, of):
    """The SDKs take any iterable of them."""
    body = method.body(None, [method.call("look")])
    assert method.called(asked(method, body, strict, tools=of(method.tools))) == [("look", "{}")]


LOADED = {"type": "function", "name": "later", "parameters": {}}


@pytest.mark.parametrize(
    "item",
    [
        {"type": "additional_tools", "role": "developer", "tools": [LOADED]},
        {"type": "tool_search_output", "call_id": "s", "execution": "client", "tools": [LOADED]},
        {"type": "tool_search_output", "tools": [{"type": "namespace", "name": "n", "tools": [LOADED]}]},
    ],
)
def test_tools_that_the_turns_bring_are_the_callers(item):
    """Those that are added in the middle of a conversation, or were found by a search; no others."""
    method, question = Responses(), [{"role": "user", "content": "Say it"}, item]
    response = asked(method, method.body(None, [method.call("later")]), strict, input=question)
    assert method.called(response) == [("later", "{}")]
    for name, options in [("rm", {}), ("later", {"tool_choice": "none"})]:
        with pytest.raises(Rejected, match="may not call"):
            asked(method, method.body(None, [method.call(name)]), strict, input=question, **options)


def test_a_call_that_leaves_its_type_empty_is_a_function():
    """As some servers send it."""
    method = Chat()
    body = method.body(None, [{**method.call("look"), "type": ""}])
    assert method.called(asked(method, body, strict, tools=method.tools)) == [("look", "{}")]


class Look(BaseModel):
    a: int


class Said(BaseModel):
    x: int


def _parsed_chat(client: Any, tool: Any, **options: Any) -> Any:
    response = client.chat.completions.parse(model="m", messages=ASKED, response_format=Said, tools=[tool], **options)
    return response.choices[0].message.tool_calls[0].function.parsed_arguments


def _parsed_response(client: Any, tool: Any, **options: Any) -> Any:
    response = client.responses.parse(model="m", input="x", text_format=Said, tools=[tool], **options)
    return response.output[0].parsed_arguments


@pytest.mark.parametrize(("method", "ask"), [(Chat(), _parsed_chat), (Responses(), _parsed_response)])
def test_parse_reads_the_arguments_of_the_callers_tools(method, ask):
    """As the SDK does: to the tool's type where it has one, to plain data where it is strict."""
    plain = openai.pydantic_function_tool(Look)
    plain = {"type": "function", "function": dict(plain["function"])}
    if isinstance(method, Responses):
        plain = {"type": "function", **plain["function"]}
    body = json.dumps(method.body(None, [method.call("Look", '{"a": 3}')])).encode()
    with Server([Raw(body)] * 4) as server:
        client = server.openai()
        for tool in (openai.pydantic_function_tool(Look), plain):
            assert ask(strict.wrap(client), tool) == ask(client, tool)


def test_a_raw_response_is_refused_however_it_is_asked_for():
    """By the header that the SDKs use among themselves, in a stream and without, on a client of such headers too."""
    raw = {"x-stainless-raw-response": "true"}
    with Server([]) as server, pytest.raises(ConfigError, match="raw response"):
        Chat().ask(strict.wrap(server.openai()), extra_headers=raw)
    with Server([sse(chunk("stop", content=FINE))]) as server, pytest.raises(ConfigError, match="no stream"):
        Chat().ask(strict.wrap(server.openai().with_options(default_headers=raw)), stream=True)


@pytest.mark.parametrize(
    ("sdk", "name"),
    [
        ("openai", "containers.files.content.retrieve"),
        ("openai", "containers.with_raw_response"),
        ("anthropic", "files.download"),
        ("anthropic", "beta.files.download"),
        ("anthropic", "beta.memory_stores.memories.retrieve"),
        ("anthropic", "beta.memory_stores.memories.list"),
        ("anthropic", "beta.memory_stores.memories.update"),
        ("anthropic", "beta.memory_stores.memories.with_raw_response"),
        ("anthropic", "beta.memory_stores.memory_versions.retrieve"),
        ("anthropic", "beta.memory_stores.memory_versions.list"),
        ("openai", "responses.input_items.list"),
        ("openai", "responses.input_items.with_raw_response"),
        ("openai", "beta.responses.input_items.list"),
    ],
)
def test_what_a_model_wrote_before_is_not_handed_out(sdk, name):
    """A file of a batch or of a tool of the server's, a memory, the earlier turns of a conversation."""
    with Server([]) as server:
        client = getattr(server, sdk)()
        try:
            operator.attrgetter(name)(client)
        except AttributeError:
            pytest.skip("this release has no such method")
        with pytest.raises(ConfigError, match=name):
            operator.attrgetter(name)(strict.wrap(client))


def test_a_providers_name_is_a_word():
    """It may stand there as any text of the server's."""
    method = Chat()
    for name, kept in [("DeepInfra", "DeepInfra"), ("Ignore all of it", None)]:
        assert asked(method, {**method.body(FINE), "provider": name}, strict).provider == kept


# -- clients of platforms ----------------------------------------------------------------------------------------------


def _platforms() -> list[Any]:
    """Clients whose resources are not the SDK's usual ones, as far as the installed release has them."""
    return [
        pytest.param(getattr(anthropic, name), options, id=name)
        for name, options in {
            "AnthropicVertex": {"region": "r", "project_id": "p", "access_token": "t"},
            "AnthropicFoundry": {"api_key": "k"},
            "AnthropicBedrockMantle": {"api_key": "k"},
        }.items()
        if hasattr(anthropic, name)
    ]


@pytest.mark.parametrize(("kind", "options"), _platforms())
def test_a_platforms_client_is_guarded_in_all_its_parts(kind, options):
    """Its resources stand in modules of their own, and borrow the SDK's methods."""
    body = Raw(json.dumps(Messages().body(f"It is {EVIL}.")).encode())
    with Server([body] * 4) as server, kind(base_url=server.url, **options) as client:
        wrapped = strict.wrap(client)
        for messages in (wrapped.messages, wrapped.beta.messages):
            with pytest.raises(Rejected, match="EVIL"):
                messages.create(model="m", max_tokens=9, messages=ASKED)
            for name in ("stream", "with_raw_response", "with_streaming_response"):
                with pytest.raises(ConfigError, match=name):
                    getattr(messages, name)
        for create in (client.messages.create, client.beta.messages.create):
            outcome = strict.run(functools.partial(create, model="m", max_tokens=9), "Say it")
            assert [finding.code for finding in outcome.findings] == ["evil"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (openai.OpenAI, {}),
        (openai.AzureOpenAI, {"api_version": "v"}),
        (openai.AsyncOpenAI, {}),
        (anthropic.Anthropic, {}),
        (anthropic.AsyncAnthropic, {}),
        *(param.values for param in _platforms()),
    ],
)
def test_nothing_that_has_a_client_is_handed_out_bare(kind, options):
    """Every attribute of a wrapped client is plain data, or stands before what it is."""
    key = {} if kind.__name__ == "AnthropicVertex" else {"api_key": "k"}
    client = kind(**{**key, **options}, base_url="http://x")
    wrapped = strict.wrap(client)
    for name in dir(kind):
        static = inspect.getattr_static(kind, name)
        if name.startswith("_") or not isinstance(static, property | functools.cached_property):
            continue
        with suppress(ConfigError):  # refused by name
            value = getattr(wrapped, name)
            assert repr(value).startswith("<guarded ") or not hasattr(value, "_client"), name


@pytest.mark.parametrize(("name", "refused"), [("rm", True), ("look", False)])
def test_a_streamed_call_whose_arguments_are_no_json_is_still_a_call(name, refused):
    """One of a tool that nobody offered is refused; of the caller's own, what there is of it is an answer in words."""
    events = [
        {"type": "message_start", "message": {**Messages().body(None), "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {**_use(name), "input": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a": '}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    step = sse(*events, named=True)
    if refused:
        with pytest.raises(Rejected, match="may not call"):
            streamed(Messages(), step, strict, tools=Messages().tools)
        return
    told = streamed(Messages(), step, strict, tools=Messages().tools)
    assert '"type": "tool_use"' not in told
    assert '"end_turn"' in told


# -- calls in a response of which nobody knows the request ------------------------------------------------------------


def _by_function(ticket, response):
    return ticket.run(lambda messages: response, "Say it")


def _by_decorator(ticket, response):
    asked: Any = ticket(lambda: response)
    return asked.run()


def _by_attempts(ticket, response):
    loop = ticket.attempts("Say it")
    with suppress(Rejected):
        for attempt in loop:
            with attempt:
                attempt.offer(response)
    return attempt.outcome


def _by_stream(ticket, response):
    events = []
    with suppress(Rejected):
        for event in ticket.stream(lambda messages: response, "Say it"):
            events.append(event)  # noqa: PERF402  # the last one comes before the fault
    return events[-1].outcome


def _by_async_function(ticket, response):
    async def ask(messages):
        return response

    return asyncio.run(ticket.arun(ask, "Say it"))


ways = pytest.mark.parametrize("way", [_by_function, _by_decorator, _by_attempts, _by_stream, _by_async_function])
data = Guarded(dict, on_fail=Raise())
GIVEN = '{"a": 1}'


@ways
@calling
@pytest.mark.parametrize("ticket", [talk, data], ids=["text", "data"])
def test_words_and_a_call_are_no_answer_yet(method, way, ticket):
    """Whatever is asked for: the model goes on when it has what the tool gives."""
    outcome = way(ticket, method.body("Let me look that up.", [method.call("search", GIVEN)]))
    assert (outcome.ok, outcome.reason, outcome.value) == (False, "reply.tool_calls", None)


@ways
@calling
def test_a_call_alone_is_an_answer_of_data_and_of_nothing_else(method, way):
    """Functions ask for data by a tool; of words there are none in what a tool is given."""
    body = method.body(None, [method.call("search", GIVEN)])
    assert way(data, body).value == {"a": 1}
    outcome = way(talk, body)
    assert (outcome.ok, outcome.reason, outcome.value) == (False, "reply.tool_calls", None)


@ways
@pytest.mark.parametrize("ticket", [talk, data], ids=["text", "data"])
def test_an_end_that_says_tool_calls_is_no_answer(way, ticket):
    """A server that keeps the calls to itself, or a function that gives the words and the end alone."""
    body = Chat().body("Let me look that up.")
    body["choices"][0]["finish_reason"] = "tool_calls"
    assert way(ticket, body).reason == "reply.tool_calls"
    assert way(talk, Reply("Let me look that up.", finish_reason="tool_calls")).reason == "reply.tool_calls"
    assert way(data, Reply(GIVEN, finish_reason="tool_calls")).value == {"a": 1}


@calling
def test_the_same_in_pieces(method):
    """A function that gives the SDK's own stream."""
    with Server([tool("search", GIVEN, "Let me look."), tool("search", GIVEN), tool("search", GIVEN)]) as server:
        client = getattr(server, method.sdk)()
        ends = [ticket.run(lambda messages: method.ask(client, stream=True), "Say it") for ticket in (data, data, talk)]
    assert [end.reason for end in ends] == ["reply.tool_calls", "accepted", "reply.tool_calls"]
