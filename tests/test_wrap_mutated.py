"""Whatever a server sends through a wrapped client, whole or in pieces: what is delivered holds no word that a guard
refuses, and only errors of the library's own come out."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server  # noqa: E402
from test_wrap_beside import EVERY, FINE, Chat, Completions, Messages, Responses, chunk, dumped, sse  # noqa: E402

from guards import Guarded, GuardsError, Raise, check  # noqa: E402
from guards.contracts import Text  # noqa: E402

EVIL = "EVIL words"
"""Two: one alone may be an id, or a name."""


@check
def no_evil(value: str) -> str | None:
    return "says EVIL" if "EVIL" in value else None


@check(partial=True)
def no_evil_piece(value: str) -> str | None:
    return "says EVIL" if "EVIL" in value else None


at_once = Guarded(Text(), guards=[no_evil], on_fail=Raise(), transport=None)
live = at_once.replace(guards=[no_evil_piece])
MUTANTS: list[Any] = [EVIL, [EVIL], {"text": EVIL, EVIL: 1}, [{"type": "text", "text": EVIL}], 7, {}]

MINE = {"look": '{"a": 1}'}


def _paths(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, leaves and branches."""
    if path:
        yield path
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in inner:
        yield from _paths(value, (*path, key))


def _mutated(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    body = copy.deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return body


def _added(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A member more at a place, or an item."""
    body = copy.deepcopy(body)
    place = body
    for key in path:
        place = place[key]
    if isinstance(place, dict):
        place["novel"] = value
    elif isinstance(place, list):
        place.append(value)
    return body


def _variants(body: Any) -> Iterator[tuple[Any, Any]]:
    """The body with each place changed, and with something more at each place."""
    for path in [(), *_paths(body)]:
        for value in MUTANTS:
            if path:
                yield (path, value), _mutated(body, path, value)
            if value not in (7, {}):
                yield (path, "+", value), _added(body, path, value)


UNJUDGED = {"annotations", "citations", "reasoning_content", "summary", "thinking", "signature"}
"""What comes along with an answer that holds, as the page of the clients says."""


def _is_judged(place: Any) -> bool:
    return not UNJUDGED & set(map(str, place[0]))


def _tools(method: Chat) -> dict[str, Any]:
    return {} if isinstance(method, Completions) else {"tools": method.tools}


def _bodies(method: Chat) -> list[dict[str, Any]]:
    """Valid responses: words, and an own call with words beside it."""
    bodies = [method.body(FINE)]
    if isinstance(method, Chat) and type(method) in (Chat, Completions):
        bodies[0]["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    if not isinstance(method, Completions):
        bodies.append(method.body(None, [method.call("look", MINE["look"])]))
    return bodies


def _told(
    method: Chat, steps: list[tuple[Any, Raw]], guarded: Guarded[Any], own: bool, **options: Any
) -> list[tuple[Any, str]]:
    """What a wrapped client delivers of each step, until it refuses the rest; `own`: less the words beside a call of the
    caller's own, which are no answer yet. In several lanes: most of the time is the line's."""

    def lane(some: list[tuple[Any, Raw]]) -> list[tuple[Any, str]]:
        with Server([step for _, step in some]) as server:
            client = guarded.wrap(getattr(server, method.sdk)())
            return [(place, "\n".join(_delivered(method, client, own, options))) for place, _ in some]

    lanes = [steps[start::LANES] for start in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        return [one for told in pool.map(lane, lanes) for one in told]


def _delivered(method: Chat, client: Any, own: bool, options: dict[str, Any]) -> list[str]:
    told: list[str] = []
    try:
        response = method.ask(client, **options)
        for one in response if options.get("stream") else [response]:
            told.append(json.dumps(_beside(json.loads(dumped(one)))) if own else dumped(one))
    except (GuardsError, openai.APIError, anthropic.APIError):
        pass  # the SDKs' own errors pass as they are
    return told


LANES = 16


def _beside(value: Any) -> Any:
    """The same less words: of a chat, a part of a response, a message."""
    if isinstance(value, list):
        return [_beside(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _beside(inner) for name, inner in value.items() if not (name in WORDS and isinstance(inner, str))}


WORDS = ("content", "text", "delta")


def _is_own_call(place: Any) -> bool:
    """Whether it is in what the model says to the caller's own tool."""
    return {"arguments", "input", "partial_json"} & set(map(str, place[0])) != set()


def _streams(method: Chat) -> list[list[dict[str, Any]]]:
    """Valid streams: words alone, and words with the caller's own call behind them."""
    if type(method) is Chat:
        call = {"index": 0, "id": "c", "type": "function", "function": {"name": "look", "arguments": MINE["look"]}}
        words = [chunk(role="assistant", content=""), chunk(content="It is "), chunk(content="fine. Yes.")]
        return [[*words, chunk("stop")], [*words, chunk(tool_calls=[call]), chunk("tool_calls")]]
    if isinstance(method, Completions):
        return [
            [
                {**method.body(piece), "choices": [{"index": 0, "text": piece, "finish_reason": end}]}
                for piece, end in (("It is ", None), ("fine. Yes.", "stop"))
            ]
        ]
    if isinstance(method, Messages):
        return [_message_events("end_turn"), _message_events("tool_use", method.call("look", "{}"))]
    return [_response_events(method, None), _response_events(method, method.call("look", MINE["look"]))]


def _message_events(stop: str, *calls: dict[str, Any]) -> list[dict[str, Any]]:
    def block(index: int, begun: Any, *deltas: Any) -> list[dict[str, Any]]:
        pieces = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        start = {"type": "content_block_start", "index": index, "content_block": begun}
        return [start, *pieces, {"type": "content_block_stop", "index": index}]

    words = [{"type": "text_delta", "text": piece} for piece in ("It is ", "fine. Yes.")]
    events = [{"type": "message_start", "message": {**Messages().body(None), "stop_reason": None}}]
    events += block(0, {"type": "text", "text": ""}, *words)
    for call in calls:
        events += block(1, call, {"type": "input_json_delta", "partial_json": MINE["look"]})
    ends = {"stop_reason": stop, "stop_sequence": None}
    return [*events, {"type": "message_delta", "delta": ends, "usage": {"output_tokens": 1}}, {"type": "message_stop"}]


def _response_events(method: Chat, call: Any) -> list[dict[str, Any]]:
    text = "It is fine. Yes."
    whole = method.body(text, [call] if call else None)
    said, *_ = whole["output"]
    part = said["content"][0]
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    begun = {**said, "content": [], "status": "in_progress"}
    events = [
        {"type": "response.created", "response": {**whole, "output": [], "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": "It is ", "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": "fine. Yes.", "logprobs": []},
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": said},
    ]
    if call:
        there = {"item_id": call["id"], "output_index": 1}
        events += [
            {"type": "response.output_item.added", "output_index": 1, "item": {**call, "arguments": ""}},
            {"type": "response.function_call_arguments.delta", **there, "delta": call["arguments"]},
            {"type": "response.function_call_arguments.done", **there, "arguments": call["arguments"]},
            {"type": "response.output_item.done", "output_index": 1, "item": call},
        ]
    events.append({"type": "response.completed", "response": whole})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _stream(method: Chat, events: list[Any]) -> Raw:
    named = isinstance(method, Responses | Messages)
    return sse(*events, named=named) if not named else Raw(_lines(events), "text/event-stream")


def _lines(events: list[Any]) -> bytes:
    """Events under their names, or without where they have none."""
    kinds = [event.get("type") if isinstance(event, dict) else None for event in events]
    return "".join(
        (f"event: {kind}\n" if isinstance(kind, str) else "") + f"data: {json.dumps(event)}\n\n"
        for kind, event in zip(kinds, events, strict=True)
    ).encode()


@pytest.mark.parametrize("guarded", [at_once, live], ids=["whole", "live"])
@pytest.mark.parametrize("method", EVERY, ids=lambda m: type(m).__name__)
def test_no_stream_delivers_a_word_that_was_not_judged(method, guarded):
    """Every place of every event of valid streams, put to text, lists, objects, numbers; told at once or as it comes."""
    for own, events in enumerate(_streams(method)):
        steps = [
            (place, _stream(method, mutant))
            for place, mutant in _variants(events)
            if place[0] and _is_judged(place) and not _is_own_call(place)
        ]
        for place, told in _told(method, steps, guarded, own > 0, **_tools(method), stream=True):
            assert "EVIL" not in told, place


@pytest.mark.parametrize("guarded", [at_once, live], ids=["whole", "live"])
@pytest.mark.parametrize("method", EVERY, ids=lambda m: type(m).__name__)
def test_events_twice_or_out_of_place_deliver_nothing_unjudged(method, guarded):
    """Each event of a valid stream left out, said twice, moved, or said twice with other words the second time."""
    for own, events in enumerate(_streams(method)):
        steps = []
        for number, event in enumerate(events):
            rest = events[:number] + events[number + 1 :]
            other = json.loads(json.dumps(event).replace("fine", EVIL).replace('"text": ""', f'"text": "{EVIL}"'))
            steps += [(("less", number), rest), (("twice", number), [*events[:number], event, *events[number:]])]
            steps += [(("other", number, to), [*events[:to], other, *events[to:]]) for to in range(len(events) + 1)]
            steps += [(("moved", number, to), [*rest[:to], event, *rest[to:]]) for to in range(len(rest) + 1)]
        told_of = _told(
            method, [(p, _stream(method, s)) for p, s in steps], guarded, own > 0, **_tools(method), stream=True
        )
        for place, told in told_of:
            assert "EVIL" not in told, place


@pytest.mark.parametrize("guarded", [at_once, live], ids=["whole", "live"])
@pytest.mark.parametrize("method", EVERY, ids=lambda m: type(m).__name__)
def test_the_valid_streams_are_told_as_they_came(method, guarded):
    """What these tests change is a good stream, which is told event by event as the bare client gives it."""
    for events in _streams(method):
        with Server([_stream(method, events)] * 2) as server:
            client = getattr(server, method.sdk)()
            bare = [one.to_dict() for one in method.ask(client, stream=True, **_tools(method))]
            told = [one.to_dict() for one in method.ask(guarded.wrap(client), stream=True, **_tools(method))]
        assert _joined(told) == _joined(bare)


def _joined(chunks: list[dict[str, Any]]) -> Any:
    """The chunks less the borders between pieces of words."""
    if len(chunks) and "choices" in chunks[0]:
        words = [c["choices"][0].get("text") or c["choices"][0].get("delta", {}).get("content") or "" for c in chunks]
        rest = [c["choices"][0].get("delta", {}).get("tool_calls") for c in chunks]
        return "".join(words), [one for one in rest if one], chunks[-1]["choices"][0]["finish_reason"]
    return [c for c in chunks if not isinstance(c.get("delta"), str) and "text_delta" not in json.dumps(c)]
