"""The streams of OpenAI's answers: what each chunk adds to the text, the whole as a response of the usual shape, and
that response as a stream again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from guards.clients.beside import Delivery
from guards.clients.incoming import Chunks
from guards.clients.members import body_of, copied, get, listed, member, put
from guards.clients.openai_beside import CHAT_CHUNK, COMPLETION, RESPONSE_EVENT
from guards.clients.openai_stream_calls import StreamedCalls
from guards.clients.server_faults import check, no_answer
from guards.clients.tools import Tools
from guards.errors import ConfigError, ServerFault
from guards.messages import Reply

__all__ = ["ChatChunks", "CompletionChunks", "ResponseChunks", "chunks_for"]


def chunks_for(chunk: Any) -> Chunks:
    """How a stream is read, by its first chunk; nobody knows what was asked."""
    from guards.clients.openai import read

    check(chunk)
    if str(get(chunk, "type", "")).startswith("response."):
        return ResponseChunks(read, None)
    choices = get(chunk, "choices")
    if not isinstance(choices, list):
        raise ConfigError(f"the client gave a stream of {type(chunk).__name__}", where="client")
    return CompletionChunks(read) if choices and get(choices[0], "delta") is None else ChatChunks(read, None)


class ChatChunks:
    """`chat.completions`: deltas of the content, or of the arguments of the tool call that is the answer."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._calls = StreamedCalls(tools)
        self._finish: Any = None
        self._usage: Any = None
        self._head: dict[str, Any] = {}

    def text(self, chunk: Any) -> str:
        check(chunk)
        self._head = self._head or {"id": get(chunk, "id"), "model": get(chunk, "model")}
        self._usage = get(chunk, "usage") or self._usage
        added = ""
        for choice in listed(get(chunk, "choices")):
            if get(choice, "index", 0) != 0:
                raise ConfigError("the stream holds several answers", where="client", hint="ask for one")
            added += self._delta(get(choice, "delta"))
            self._finish = get(choice, "finish_reason") or self._finish
        return added

    def _delta(self, delta: Any) -> str:
        content, refusal = member(delta, "content"), member(delta, "refusal")
        for said, pieces in ((content, self._content), (refusal, self._refusal)):
            if said is not None and not isinstance(said, str):
                raise ServerFault(f"a piece of the stream is {type(said).__name__}, not text", passing=False)
            if said:
                pieces.append(said)
        arguments = self._calls.take(delta)
        if self._calls.tools is None:
            return content or ("" if self._content else arguments)
        return arguments if self._calls.tools.forced is not None else content or ""

    def reply(self) -> Reply:
        message = {
            "role": "assistant",
            "content": "".join(self._content) or None,
            "refusal": "".join(self._refusal) or None,
            **self._calls.members(),
        }
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return self._read({**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage})

    def ended(self, *, done: bool) -> bool:
        return done or self._finish is not None  # servers send the one, the other or both

    @property
    def holds(self) -> bool:
        return self._calls.begun or bool(self._refusal)

    def cleared(self, chunk: Any) -> Any:
        return CHAT_CHUNK(chunk, _whole(chunk))

    def agrees(self, text: str) -> bool:
        return True  # the whole is put together from the chunks

    def saying(self, chunk: Any, text: str, *, last: bool) -> Any:
        result = copied(chunk)
        choice = get(result, "choices")[0]
        put(get(choice, "delta"), "content", text)
        _cut(choice, last=last)
        return result

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        choice = get(raw, "choices")[0]
        message = get(choice, "message")
        calls = [{**body_of(call), "index": index} for index, call in enumerate(get(message, "tool_calls", ()))]
        said = {name: get(message, name) for name in ("content", "function_call")}
        delta = {"role": "assistant", **{k: v for k, v in said.items() if v is not None}}
        if calls:
            delta["tool_calls"] = calls
        return _spelled(raw, seen, {"delta": delta}, {"delta": {}}, get(choice, "finish_reason"))


class CompletionChunks:
    """The old `completions`."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply]) -> None:
        self._read = read
        self._text: list[str] = []
        self._finish: Any = None
        self._usage: Any = None

    def text(self, chunk: Any) -> str:
        check(chunk)
        self._usage = get(chunk, "usage") or self._usage
        added = ""
        for choice in listed(get(chunk, "choices")):
            if get(choice, "index", 0) != 0:
                raise ConfigError("the stream holds several answers", where="client", hint="ask for one")
            said = get(choice, "text", "")
            added += said if isinstance(said, str) else ""
            self._finish = get(choice, "finish_reason") or self._finish
        self._text.append(added)
        return added

    def reply(self) -> Reply:
        choice = {"index": 0, "text": "".join(self._text), "finish_reason": self._finish}
        return self._read({"object": "text_completion", "choices": [choice], "usage": self._usage})

    def ended(self, *, done: bool) -> bool:
        return done or self._finish is not None  # servers send the one, the other or both

    @property
    def holds(self) -> bool:
        return False

    def cleared(self, chunk: Any) -> Any:
        return COMPLETION(chunk, _whole(chunk))

    def agrees(self, text: str) -> bool:
        return True

    def saying(self, chunk: Any, text: str, *, last: bool) -> Any:
        result = copied(chunk)
        choice = get(result, "choices")[0]
        put(choice, "text", text)
        _cut(choice, last=last)
        return result

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        choice = get(raw, "choices")[0]
        text = {"text": get(choice, "text", "")}
        return _spelled(raw, seen, text, {"text": ""}, get(choice, "finish_reason"))


def _cut(choice: Any, *, last: bool) -> None:
    """Take off what was said of the whole chunk: the log probabilities, and the end where it does not come yet."""
    for name in ("logprobs",) if last else ("logprobs", "finish_reason"):
        if get(choice, name) is not None:
            put(choice, name, None)


def _spelled(raw: Any, seen: Sequence[Any], said: Any, nothing: Any, finish: Any) -> list[Any]:
    """One chunk for the text, one for the end, one for the usage."""
    rule = CHAT_CHUNK if "delta" in said else COMPLETION
    first = body_of(rule(seen[0], Delivery(False, None)))
    head = {name: value for name, value in first.items() if name not in ("choices", "usage")}
    chunks = [
        {**head, "choices": [{"index": 0, "finish_reason": None, **said}]},
        {**head, "choices": [{"index": 0, "finish_reason": finish, **nothing}]},
    ]
    if (usage := get(raw, "usage")) is not None:
        chunks.append({**head, "choices": [], "usage": body_of(usage)})
    return [_made(type(seen[0]), chunk) for chunk in chunks]


def _whole(chunk: Any) -> Delivery:
    """A chunk as it came, with the text that it holds."""
    choice = next(iter(listed(get(chunk, "choices"))), None)
    said = member(member(choice, "delta"), "content") or member(choice, "text")
    return Delivery(True, said if isinstance(said, str) else None)


def _made(kind: Any, body: dict[str, Any]) -> Any:
    """An object of an SDK's class, its parts too. OpenAI's are made without a check: servers send what the classes do
    not know. LiteLLM's make their parts when they are called."""
    return kind.construct(**body) if kind.__module__.startswith("openai") else kind(**body)


class ResponseChunks:
    """`responses`: its last event brings the whole response."""

    repeats = True

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._tools = tools
        self._pieces: list[str] = []
        self._spoken = False
        self._names: dict[Any, Any] = {}
        """The tools of the calls, by the number of the item."""
        self._deltas: dict[Any, str] = {}
        """What came piece by piece, by where it stands."""
        self._odd = False
        """Whether an event brings words again that did not come in pieces."""
        self._whole: Any = None
        self.holds = False

    def text(self, event: Any) -> str:
        kind = str(get(event, "type", ""))
        if kind in ("response.failed", "error"):
            check(get(event, "response"))
            raise no_answer(event, "response")
        if kind in ("response.completed", "response.incomplete", "response.cancelled"):
            self._whole = get(event, "response")
            check(self._whole)
            return ""
        if kind == "response.output_item.added":
            self._names[get(event, "output_index")] = member(get(event, "item"), "name")
            self.holds = self.holds or member(get(event, "item"), "type") not in ("message", "reasoning")
        delta = get(event, "delta", "")
        delta = delta if isinstance(delta, str) else ""
        if delta:
            where = tuple(get(event, name) for name in ("type", "output_index", "content_index", "summary_index"))
            self._deltas[where] = self._deltas.get(where, "") + delta
        self._odd = self._odd or not self._is_again(event)
        if not self._is_answer(event, kind):
            return ""
        self._pieces.append(delta)
        return delta

    def _is_again(self, event: Any) -> bool:
        """Whether all words of an event that repeats some came in pieces before."""
        return all(said in self._deltas.values() for said in _again(event) if said)

    def _is_answer(self, event: Any, kind: str) -> bool:
        words = kind in ("response.output_text.delta", "response.text.delta")
        self._spoken = self._spoken or words
        arguments = kind.endswith(("function_call_arguments.delta", "custom_tool_call_input.delta"))
        if self._tools is None:
            return words or (arguments and not self._spoken)
        if self._tools.forced is None:
            return words
        return arguments and self._names.get(get(event, "output_index")) == self._tools.forced

    def reply(self) -> Reply:
        if self._whole is None:
            said = {"type": "output_text", "text": "".join(self._pieces), "annotations": []}
            self._whole = {"output": [{"type": "message", "role": "assistant", "content": [said]}]}
        return self._read(self._whole)

    def ended(self, *, done: bool) -> bool:
        return self._whole is not None

    def cleared(self, event: Any) -> Any:
        return RESPONSE_EVENT(event, Delivery(self._is_again(event), None))

    def agrees(self, text: str) -> bool:
        return "".join(self._pieces) == text and not self._odd

    def saying(self, event: Any, text: str, *, last: bool) -> Any:
        result = copied(event)
        put(result, "delta", text)
        if get(result, "logprobs"):
            put(result, "logprobs", [])  # of another text
        return result

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        from openai.types import responses

        kinds = [str(get(event, "type", "")) for event in seen]
        begun = next((i for i, kind in enumerate(kinds) if kind not in _FIRST), len(kinds))
        events = [RESPONSE_EVENT(event, Delivery(False, None)) for event in seen[:begun]]
        last = f"response.{get(raw, 'status', 'completed')}"
        bodies = [*_items(get(raw, "output", ())), (last, {"response": raw})]
        for number, (kind, body) in enumerate(bodies, get(seen[-1], "sequence_number", 0) + 1):
            known = getattr(responses, _EVENTS.get(kind, "ResponseCompletedEvent"))
            events.append(_made(known, {**body, "type": kind, "sequence_number": number}))
        return events


def _items(output: Sequence[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events between the first and the last, by kind."""
    for number, item in enumerate(output):
        body = body_of(item)
        at = {"output_index": number}
        here = {**at, "item_id": body.get("id")}
        empty = {name: [] if name == "content" else "" for name in ("content", "arguments") if body.get(name)}
        yield "response.output_item.added", {**at, "item": {**body, **empty}}
        for index, part in enumerate(body.get("content") or () if body.get("type") == "message" else ()):
            there = {**here, "content_index": index}
            text = part.get("text") if part.get("type") in ("output_text", "text") else None
            yield "response.content_part.added", {**there, "part": {**part, **({"text": ""} if text else {})}}
            if text:
                yield "response.output_text.delta", {**there, "delta": text, "logprobs": []}
                yield "response.output_text.done", {**there, "text": text, "logprobs": []}
            yield "response.content_part.done", {**there, "part": part}
        if arguments := body.get("arguments") if body.get("type") == "function_call" else None:
            yield "response.function_call_arguments.delta", {**here, "delta": arguments}
            yield "response.function_call_arguments.done", {**here, "arguments": arguments}
        yield "response.output_item.done", {**at, "item": body}


def _again(event: Any) -> Iterator[Any]:
    """The words that an event brings once more, at its end: of a part, or of an item."""
    if not str(get(event, "type", "")).endswith(".done"):
        return
    item = get(event, "item")
    parts = [get(event, "part"), item, *listed(member(item, "content")), *listed(member(item, "summary"))]
    for one in [event, *parts]:
        yield from (member(one, name) for name in ("text", "arguments", "input", "refusal"))
    content = member(item, "content")
    yield content if isinstance(content, str) else None


_FIRST: Final = frozenset({"response.created", "response.queued", "response.in_progress"})
_EVENTS: Final = {
    "response.output_item.added": "ResponseOutputItemAddedEvent",
    "response.output_item.done": "ResponseOutputItemDoneEvent",
    "response.content_part.added": "ResponseContentPartAddedEvent",
    "response.content_part.done": "ResponseContentPartDoneEvent",
    "response.output_text.delta": "ResponseTextDeltaEvent",
    "response.output_text.done": "ResponseTextDoneEvent",
    "response.function_call_arguments.delta": "ResponseFunctionCallArgumentsDeltaEvent",
    "response.function_call_arguments.done": "ResponseFunctionCallArgumentsDoneEvent",
    "response.completed": "ResponseCompletedEvent",
    "response.incomplete": "ResponseIncompleteEvent",
    "response.failed": "ResponseFailedEvent",
}
