"""The streams of OpenAI's chats and completions: what each chunk adds to the text, the whole as a response of the usual
shape, and that response as a stream again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from guards.clients.beside import Delivery
from guards.clients.fields import index_in, object_in, object_of, objects_in, text_in, words_in
from guards.clients.members import body_of, copied, get, listed, member, put
from guards.clients.openai_beside import CHAT_CHUNK, COMPLETION
from guards.clients.openai_stream_calls import StreamedCalls
from guards.clients.server_faults import check
from guards.clients.tools import Tools
from guards.clients.words_or_call import WordsOrCall
from guards.errors import ConfigError, ServerFault
from guards.messages import Reply

__all__ = ["ChatChunks", "CompletionChunks", "made"]


class ChatChunks:
    """`chat.completions`: deltas of the content, or of the arguments of the tool call that is the answer."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._calls = StreamedCalls(tools)
        self._answer = WordsOrCall()
        self._finish: Any = None
        self._usage: Any = None
        self._head: dict[str, Any] = {}

    def text(self, chunk: Any) -> str:
        check(object_of(chunk))
        self._head = self._head or {"id": get(chunk, "id"), "model": get(chunk, "model")}
        self._usage = get(chunk, "usage") or self._usage
        choice = _choice(chunk)
        self._finish = get(choice, "finish_reason") or self._finish
        return self._delta(object_in(choice, "delta"))

    def _delta(self, delta: Any) -> str:
        content, refusal = words_in(delta, "content"), text_in(delta, "refusal")
        for said, pieces in ((content, self._content), (refusal, self._refusal)):
            if said:
                pieces.append(said)
        arguments = self._calls.take(delta)
        if self._calls.tools is None:
            return self._answer.words(content or "") + self._answer.arguments(arguments)
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
        choice = next(iter(listed(get(chunk, "choices"))), None)
        return CHAT_CHUNK(chunk, _whole(words_in(member(choice, "delta"), "content"), self._calls.tools))

    def agrees(self, response: Any, text: str | None, seen: Sequence[Any]) -> bool:
        return True  # the whole is put together from the chunks

    def behind(self, chunks: list[Any]) -> list[Any]:
        return chunks

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
        said = {name: get(message, name) for name in ("content", "refusal", "function_call")}
        delta = {"role": "assistant", **{k: v for k, v in said.items() if v is not None}}
        if calls:
            delta["tool_calls"] = calls
        return _spelled(raw, seen, {"delta": delta}, {"delta": {}}, self._calls.tools)


class CompletionChunks:
    """The old `completions`."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._tools = tools
        self._text: list[str] = []
        self._finish: Any = None
        self._usage: Any = None

    def text(self, chunk: Any) -> str:
        check(object_of(chunk))
        self._usage = get(chunk, "usage") or self._usage
        choice = _choice(chunk)
        self._finish = get(choice, "finish_reason") or self._finish
        added = text_in(choice, "text") or ""
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
        choice = next(iter(listed(get(chunk, "choices"))), None)
        return COMPLETION(chunk, _whole(member(choice, "text"), self._tools))

    def agrees(self, response: Any, text: str | None, seen: Sequence[Any]) -> bool:
        return True

    def behind(self, chunks: list[Any]) -> list[Any]:
        return chunks

    def saying(self, chunk: Any, text: str, *, last: bool) -> Any:
        result = copied(chunk)
        choice = get(result, "choices")[0]
        put(choice, "text", text)
        _cut(choice, last=last)
        return result

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        choice = get(raw, "choices")[0]
        text = {"text": get(choice, "text", "")}
        return _spelled(raw, seen, text, {"text": ""}, self._tools)


def _choice(chunk: Any) -> Any:
    """The part of the one answer that a chunk brings; None where it brings none."""
    choices = objects_in(chunk, "choices")
    if any(index_in(choice, "index") != 0 for choice in choices):
        raise ConfigError("the stream holds several answers", where="client", hint="ask for one")
    if len(choices) > 1:
        raise ServerFault("the server's answer has one choice twice in a chunk", passing=False)
    return choices[0] if choices else None


def _cut(choice: Any, *, last: bool) -> None:
    """Take off what was said of the whole chunk: the log probabilities, and the end where it does not come yet."""
    for name in ("logprobs",) if last else ("logprobs", "finish_reason"):
        if get(choice, name) is not None:
            put(choice, name, None)


def _spelled(raw: Any, seen: Sequence[Any], said: Any, nothing: Any, tools: Tools | None) -> list[Any]:
    """One chunk for the text, one for the end, one for the usage."""
    finish = get(get(raw, "choices")[0], "finish_reason")
    rule = CHAT_CHUNK if "delta" in said else COMPLETION
    first = body_of(rule(seen[0], Delivery(False, None, tools=tools)))
    head = {name: value for name, value in first.items() if name not in ("choices", "usage")}
    chunks = [
        {**head, "choices": [{"index": 0, "finish_reason": None, **said}]},
        {**head, "choices": [{"index": 0, "finish_reason": finish, **nothing}]},
    ]
    if (usage := get(raw, "usage")) is not None:
        chunks.append({**head, "choices": [], "usage": body_of(usage)})
    return [made(type(seen[0]), chunk) for chunk in chunks]


def _whole(said: Any, tools: Tools | None) -> Delivery:
    """A chunk as it came, with the text that it holds."""
    return Delivery(True, said if isinstance(said, str) else None, tools=tools)


def made(kind: Any, body: dict[str, Any]) -> Any:
    """An object of an SDK's class, its parts too. OpenAI's are made without a check: servers send what the classes do
    not know. LiteLLM's make their parts when they are called."""
    return kind.construct(**body) if kind.__module__.startswith("openai") else kind(**body)
