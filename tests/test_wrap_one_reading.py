"""What a wrapped client delivers can be read in one way: the one that was judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server  # noqa: E402

from guards import Guarded, Raise, Rejected, check  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ServerFault  # noqa: E402

ASKED = [{"role": "user", "content": "q"}]


def sse(*events: dict[str, Any]) -> Raw:
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]
    return Raw("".join(lines).encode(), "text/event-stream")


# -- the order of a stream ---------------------------------------------------------------------------------------------


def messages_of(pieces: list[tuple[int, str]]) -> Raw:
    """A stream of Anthropic's: blocks of text by number, each begun where its first piece comes."""
    head = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": {**head, "usage": {"output_tokens": 0}}}]
    begun: list[int] = []
    for index, text in pieces:
        if index not in begun:
            begun.append(index)
            block = {"type": "text", "text": ""}
            events.append({"type": "content_block_start", "index": index, "content_block": block})
        delta = {"type": "text_delta", "text": text}
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
    events += [{"type": "content_block_stop", "index": index} for index in begun]
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}})
    return sse(*events, {"type": "message_stop"})


def responses_of(pieces: list[tuple[int, str]]) -> Raw:
    """The same of OpenAI's responses: parts of one message."""
    texts = ["".join(text for at, text in pieces if at == index) for index in range(3)]
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    item = {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": content}
    whole = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [item]}
    at = {"type": "response.output_text.delta", "output_index": 0, "item_id": "i", "logprobs": []}
    deltas = [{**at, "content_index": index, "delta": text} for index, text in pieces]
    told = [*deltas, {"type": "response.completed", "response": whole}]
    return sse(*({**event, "sequence_number": number} for number, event in enumerate(told)))


def of_messages(client: Any) -> list[str]:
    stream = client.create(model="m", max_tokens=9, messages=ASKED, stream=True)
    return [e.delta.text for e in stream if e.type == "content_block_delta" and e.delta.type == "text_delta"]


def of_responses(client: Any) -> list[str]:
    stream = client.responses.create(model="m", input="q", stream=True)
    return [event.delta for event in stream if event.type == "response.output_text.delta"]


STREAMS = {
    "messages": (messages_of, lambda wrap, server: of_messages(wrap(server.anthropic()).messages)),
    "beta.messages": (messages_of, lambda wrap, server: of_messages(wrap(server.anthropic()).beta.messages)),
    "responses": (responses_of, lambda wrap, server: of_responses(wrap(server.openai()))),
}


@pytest.mark.parametrize("method", STREAMS)
@settings(max_examples=25, deadline=None)
@given(pieces=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "c "])), min_size=1, max_size=5))
def test_a_stream_is_told_in_the_order_that_it_was_judged_in(method, pieces):
    """Whatever order the blocks of an answer come in, what is read from the stream is what the guard saw; or nothing
    is."""
    seen: list[str] = []

    @check
    def seer(text: str, context: Any) -> None:
        seen.append(text)

    stream, ask = STREAMS[method]
    with Server([stream(pieces)]) as server:
        try:
            told = ask(Guarded(Text(), guards=[seer], on_fail=Raise()).wrap, server)
        except (ServerFault, Rejected):
            return
    assert "".join(told) == seen[-1]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([(0, "a bo"), (1, "mb!"), (0, "XX")], "behind a later one"),
        ([(1, "a bo"), (0, "mb")], "another order"),
    ],
)
@pytest.mark.parametrize("method", ["messages", "beta.messages"])
def test_blocks_out_of_order_are_a_fault_of_the_server_s(method, pieces, words):
    """Blocks that begin or go on in another order than their numbers could be read in two ways, and are refused."""
    stream, ask = STREAMS[method]
    with Server([stream(pieces)]) as server, pytest.raises(ServerFault, match=words):
        ask(Guarded(Text(), on_fail=Raise()).wrap, server)


# -- the places of a call ----------------------------------------------------------------------------------------------

GOOD = '{"n": "x"}'
MORE = "STRAY words"
CALLS = {
    "input of a function": {"function": {"name": "f", "arguments": GOOD, "input": MORE}},
    "input of a function, an object": {"function": {"name": "f", "arguments": GOOD, "input": {"a": MORE}}},
    "arguments beside a function": {"function": {"name": "f", "arguments": GOOD}, "arguments": MORE},
    "input beside a function": {"function": {"name": "f", "arguments": GOOD}, "input": MORE},
    "a custom tool beside a function": {
        "function": {"name": "f", "arguments": GOOD},
        "custom": {"name": "f", "input": MORE},
    },
    "arguments of a custom tool": {"custom": {"name": "f", "input": GOOD, "arguments": MORE}},
    "arguments beside a custom tool": {"custom": {"name": "f", "input": GOOD}, "arguments": MORE},
}
ITEMS = {
    "input of a function": {"type": "function_call", "arguments": GOOD, "input": MORE},
    "arguments of a custom tool": {"type": "custom_tool_call", "input": GOOD, "arguments": MORE},
}


class Named(BaseModel):
    n: str


@check
def no_stray(value: Any) -> str | None:
    return "says STRAY" if "STRAY" in str(value) else None


forced = Guarded(Named, guards=[no_stray], on_fail=Raise())


def chat_of(call: dict[str, Any], *, stream: bool) -> Raw:
    message = {"role": "assistant", "tool_calls": [{"id": "1", "index": 0, **call}]}
    head = {"id": "c", "created": 1, "model": "m"}
    if not stream:
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        return Raw(json.dumps({**head, "object": "chat.completion", "choices": [choice]}).encode())
    told = [({"delta": message}, None), ({"delta": {}}, "tool_calls")]
    chunks = [{"index": 0, **said, "finish_reason": end} for said, end in told]
    lines = [json.dumps({**head, "object": "chat.completion.chunk", "choices": [one]}) for one in chunks]
    return Raw("".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode(), "text/event-stream")


def dumped(response: Any, *, stream: bool) -> str:
    return str([part.to_dict() for part in (response if stream else [response])])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", CALLS)
def test_a_call_in_a_chat_brings_words_in_one_place_alone(case, stream):
    """Of the call that is the answer, whatever its kind, what is delivered is what was judged."""
    kind = "custom" if "custom" in case and "beside a function" not in case else "function"
    tools = [{"type": kind, kind: {"name": "f"}}]
    with Server([chat_of({"type": kind, **CALLS[case]}, stream=stream)]) as server:
        create = forced.wrap(server.openai()).chat.completions.create
        try:
            response = create(model="m", messages=ASKED, tools=tools, tool_choice=tools[0], stream=stream)
            said = dumped(response, stream=stream)
        except (Rejected, ServerFault):
            assert case == "a custom tool beside a function"
            return
    assert "STRAY" not in said
    assert GOOD in said


@pytest.mark.parametrize("case", CALLS)
def test_the_same_of_what_a_wrapped_function_gives(case):
    """Where nobody knows the request a call has one place, too."""
    with Server([chat_of({"type": "function", **CALLS[case]}, stream=False)]) as server:
        client = server.openai()
        ask = forced.wrap(lambda messages: client.chat.completions.create(model="m", messages=messages))
        said = dumped(ask(ASKED), stream=False)
    assert "STRAY" not in said
    assert GOOD in said


@pytest.mark.parametrize("case", ITEMS)
def test_a_call_in_a_response_brings_words_in_one_place_alone(case):
    """As in a chat."""
    item = {"id": "i", "call_id": "c", "name": "f", "status": "completed", **ITEMS[case]}
    whole = {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": [item]}
    choice = {"type": "custom" if "custom" in case else "function", "name": "f"}
    with Server([Raw(json.dumps(whole).encode())]) as server:
        create = forced.wrap(server.openai()).responses.create
        said = dumped(create(model="m", input="q", tools=[choice], tool_choice=choice), stream=False)
    assert "STRAY" not in said
    assert GOOD in said


def test_a_streamed_call_that_becomes_one_of_another_kind_is_a_fault_of_the_server_s():
    """Its arguments and its input would be judged as one text, and are told as two."""
    pieces = [{"function": {"name": "f", "arguments": GOOD}}, {"custom": {"input": MORE}}]
    choices = [{"index": 0, "delta": {"tool_calls": [{"index": 0, **piece}]}} for piece in pieces]
    lines = [json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}) for choice in choices]
    step = Raw("".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode(), "text/event-stream")
    tools = [{"type": "function", "function": {"name": "f"}}]
    with Server([step]) as server, pytest.raises(ServerFault, match="two kinds"):
        create = forced.wrap(server.openai()).chat.completions.create
        list(create(model="m", messages=ASKED, tools=tools, tool_choice=tools[0], stream=True))
