"""The stream of Anthropic's messages: what each event adds to the text, the whole as a message, and that again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from guards.clients.endpoint import body_of, copied, get, put
from guards.clients.incoming import Chunks
from guards.messages import Reply

__all__ = ["MessageChunks", "chunks_for"]


def chunks_for(_: Any) -> Chunks:
    """How a stream is read, by its first event."""
    from guards.clients.anthropic import read

    return MessageChunks(read)


class MessageChunks:
    """Deltas of the text, or of the input of the first tool."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply]) -> None:
        self._read = read
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._stop: Any = None

    def text(self, event: Any) -> str:
        kind = get(event, "type")
        if kind == "message_start":
            message = get(event, "message")
            self._head = {"id": get(message, "id"), "model": get(message, "model")}
            self._count(get(message, "usage"))
        elif kind == "content_block_start":
            block = get(event, "content_block")
            self._blocks[get(event, "index", 0)] = body_of(block)
        elif kind == "content_block_delta":
            return self._delta(get(event, "index", 0), get(event, "delta"))
        elif kind == "message_delta":
            self._stop = get(get(event, "delta"), "stop_reason") or self._stop
            self._count(get(event, "usage"))
        return ""

    def _delta(self, index: int, delta: Any) -> str:
        if get(delta, "type") == "text_delta":
            added: str = get(delta, "text", "")
            block = self._blocks.setdefault(index, {"type": "text", "text": ""})
            block["text"] = block.get("text", "") + added
            return added
        if get(delta, "type") == "input_json_delta":
            piece: str = get(delta, "partial_json", "")
            self._inputs.setdefault(index, []).append(piece)
            spoken = any(block.get("text") for block in self._blocks.values())
            return piece if index == min(self._inputs) and not spoken else ""
        return ""

    def _count(self, usage: Any) -> None:
        for name in ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"):
            if get(usage, name) is not None:
                self._usage[name] = get(usage, name)

    def reply(self) -> Reply:
        content = []
        for index in sorted(self._blocks):
            block = self._blocks[index]
            if index in self._inputs:
                written = "".join(self._inputs[index]) or "{}"
                try:
                    block = {**block, "input": json.loads(written)}
                except ValueError:
                    # Cut off: what there is of it can only be text.
                    block = {"type": "text", "text": written}
            content.append(block)
        message = {"type": "message", "role": "assistant", "content": content, "stop_reason": self._stop}
        return self._read({**self._head, **message, "usage": self._usage or None})

    def saying(self, event: Any, text: str, *, last: bool) -> Any:
        result = copied(event)
        put(get(result, "delta"), "text", text)
        return result

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        from anthropic import types
        from anthropic.types import beta

        bodies = [(kind, body) for block in enumerate(get(raw, "content", ())) for kind, body in _block(*block)]
        plain = not any(type(event).__name__.startswith("Beta") for event in seen)
        made = [
            getattr(types if plain else beta, ("" if plain else "Beta") + _EVENTS[kind]).construct(type=kind, **body)
            for kind, body in bodies
        ]
        edges = [get(event, "type", "") for event in seen]
        first = [event for event, kind in zip(seen, edges, strict=True) if kind == "message_start"]
        last = [event for event, kind in zip(seen, edges, strict=True) if kind in ("message_delta", "message_stop")]
        return [*first, *made, *last]


def _block(index: int, block: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one block, by kind; one that is neither text nor a tool's input comes whole."""
    body = body_of(block)
    said: dict[str, Any] | None = None
    if body.get("type") == "text":
        said, body = {"type": "text_delta", "text": body.get("text", "")}, {**body, "text": ""}
    elif body.get("type") == "tool_use":
        written = json.dumps(body.get("input", {}), ensure_ascii=False)
        said, body = {"type": "input_json_delta", "partial_json": written}, {**body, "input": {}}
    yield "content_block_start", {"index": index, "content_block": body}
    if said is not None:
        yield "content_block_delta", {"index": index, "delta": said}
    yield "content_block_stop", {"index": index}


_EVENTS: Final = {
    "content_block_start": "RawContentBlockStartEvent",
    "content_block_delta": "RawContentBlockDeltaEvent",
    "content_block_stop": "RawContentBlockStopEvent",
}
