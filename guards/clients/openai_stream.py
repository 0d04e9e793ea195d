"""The streams of OpenAI's answers: what each chunk adds to the text, and the whole as a response of the usual shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guards.clients.endpoint import get
from guards.clients.incoming import Chunks
from guards.errors import ConfigError
from guards.messages import Reply

__all__ = ["ChatChunks", "CompletionChunks", "ResponseChunks", "chunks_for"]


def chunks_for(chunk: Any) -> Chunks:
    """How a stream is read, by its first chunk."""
    from guards.clients.openai import read

    if str(get(chunk, "type", "")).startswith("response."):
        return ResponseChunks(read)
    choices = get(chunk, "choices")
    if not isinstance(choices, list):
        raise ConfigError(f"the client gave a stream of {type(chunk).__name__}", where="client")
    return CompletionChunks(read) if choices and get(choices[0], "delta") is None else ChatChunks(read)


class ChatChunks:
    """`chat.completions`: deltas of the content, or of the arguments of the first tool call."""

    def __init__(self, read: Callable[[Any], Reply]) -> None:
        self._read = read
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish: Any = None
        self._usage: Any = None
        self._head: dict[str, Any] = {}

    def text(self, chunk: Any) -> str:
        self._head = self._head or {"id": get(chunk, "id"), "model": get(chunk, "model")}
        self._usage = get(chunk, "usage") or self._usage
        added = ""
        for choice in get(chunk, "choices", ()):
            if get(choice, "index", 0) != 0:
                raise ConfigError("the stream holds several answers", where="client", hint="ask for one")
            added += self._delta(get(choice, "delta"))
            self._finish = get(choice, "finish_reason") or self._finish
        return added

    def _delta(self, delta: Any) -> str:
        content = get(delta, "content") or ""
        if content:
            self._content.append(content)
        if refusal := get(delta, "refusal"):
            self._refusal.append(refusal)
        arguments = ""
        for call in get(delta, "tool_calls", ()):
            index = get(call, "index", 0)
            known = self._calls.setdefault(index, {"type": "function", "function": {"name": "", "arguments": ""}})
            if get(call, "id"):
                known["id"] = get(call, "id")
            function, so_far = get(call, "function"), known["function"]
            so_far["name"] += get(function, "name", "")
            so_far["arguments"] += get(function, "arguments", "")
            if index == min(self._calls) and not self._content:
                arguments += get(function, "arguments", "")
        return content or arguments

    def reply(self) -> Reply:
        message = {
            "role": "assistant",
            "content": "".join(self._content) or None,
            "refusal": "".join(self._refusal) or None,
            "tool_calls": [self._calls[index] for index in sorted(self._calls)] or None,
        }
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return self._read({**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage})


class CompletionChunks:
    """The old `completions`."""

    def __init__(self, read: Callable[[Any], Reply]) -> None:
        self._read = read
        self._text: list[str] = []
        self._finish: Any = None
        self._usage: Any = None

    def text(self, chunk: Any) -> str:
        self._usage = get(chunk, "usage") or self._usage
        added = ""
        for choice in get(chunk, "choices", ()):
            added += get(choice, "text", "")
            self._finish = get(choice, "finish_reason") or self._finish
        self._text.append(added)
        return added

    def reply(self) -> Reply:
        choice = {"index": 0, "text": "".join(self._text), "finish_reason": self._finish}
        return self._read({"object": "text_completion", "choices": [choice], "usage": self._usage})


class ResponseChunks:
    """`responses`: its last event brings the whole response."""

    def __init__(self, read: Callable[[Any], Reply]) -> None:
        self._read = read
        self._pieces: list[str] = []
        self._spoken = False
        self._whole: Any = None

    def text(self, event: Any) -> str:
        kind = get(event, "type", "")
        if kind in ("response.completed", "response.incomplete", "response.failed"):
            self._whole = get(event, "response")
            return ""
        delta: str = get(event, "delta", "") if kind.endswith(("output_text.delta", "arguments.delta")) else ""
        if kind == "response.output_text.delta":
            self._spoken = True
        elif self._spoken:
            return ""
        self._pieces.append(delta)
        return delta

    def reply(self) -> Reply:
        if self._whole is None:
            said = {"type": "output_text", "text": "".join(self._pieces), "annotations": []}
            self._whole = {"output": [{"type": "message", "role": "assistant", "content": [said]}]}
        return self._read(self._whole)
