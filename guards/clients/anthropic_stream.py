"""The stream of Anthropic's messages: what each event adds to the text, the whole as a message, and that again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from guards.clients.anthropic_beside import EVENT, TAKES, is_beside
from guards.clients.beside import GONE, Delivery
from guards.clients.fields import index_in, object_in, object_of, text_in
from guards.clients.members import altered, body_of, copied, get, member, put
from guards.clients.server_faults import check
from guards.clients.tools import Tools, written
from guards.clients.words_or_call import WordsOrCall
from guards.errors import ServerFault
from guards.messages import Reply

__all__ = ["MessageChunks"]


class MessageChunks:
    """Deltas of the text, or of the input of the tool that is the answer."""

    repeats = False

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._tools = tools
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._stop: Any = None
        self._stopped = False
        self.holds = False
        self._answer = WordsOrCall()
        self._last_words = -1
        """The last block that words came of."""
        self._first: int | None = None
        """The first block that is a call's, of the forced tool where there is one."""

    def text(self, event: Any) -> str:
        check(object_of(event))
        kind, index = text_in(event, "type"), index_in(event, "index")
        if kind == "message_start":
            message = object_in(event, "message")
            self._head = {"id": get(message, "id"), "model": get(message, "model")}
            self._count(get(message, "usage"))
        elif kind == "content_block_start":
            return self._begun(index, object_in(event, "content_block"))
        elif kind == "content_block_delta":
            return self._delta(index, object_in(event, "delta"))
        elif kind == "message_delta":
            self._stop = text_in(object_in(event, "delta"), "stop_reason") or self._stop
            self._count(get(event, "usage"))
        elif kind == "message_stop":
            self._stopped = True
        return ""

    def _begun(self, index: int, block: Any) -> str:
        """A block may begin with text in it."""
        if index in self._blocks:
            raise ServerFault("the server's answer has two blocks of one number", passing=False)
        self._add(index, body_of(block) if block is not None else {})
        kind, text = text_in(block, "type"), text_in(block, "text")
        text_in(block, "name")
        self.holds = self.holds or not is_beside(self._blocks[index], self._tools)
        return self._said(index, text) if text and kind == "text" else ""

    def _delta(self, index: int, delta: Any) -> str:
        kind = text_in(delta, "type")
        if kind == "text_delta":
            added = text_in(delta, "text") or ""
            block = self._blocks.get(index) or self._add(index, {"type": "text", "text": ""})
            if block.get("type") != "text":
                raise ServerFault("the server's answer has text in a block that is none", passing=False)
            block["text"] = (block.get("text") or "") + added
            return self._said(index, added)
        if kind == "input_json_delta":
            if self._blocks.get(index, {}).get("type") not in TAKES[kind]:
                raise ServerFault("the server's answer has arguments in a block that is no call", passing=False)
            piece = written(get(delta, "partial_json"))
            self._inputs.setdefault(index, []).append(piece)
            forced = self._tools.forced if self._tools is not None else None
            if forced is None or self._blocks[index].get("name") == forced:
                self._first = index if self._first is None else min(self._first, index)
            if index != self._first:
                return ""
            return self._answer.arguments(piece) if self._tools is None else piece if forced is not None else ""
        return ""

    def _add(self, index: int, block: dict[str, Any]) -> dict[str, Any]:
        """A further block. One before those that came would be read elsewhere than it was told."""
        if index < next(reversed(self._blocks), index):
            raise ServerFault("the server's answer has its blocks in another order than their numbers", passing=False)
        self._blocks[index] = block
        return block

    def _said(self, index: int, words: str) -> str:
        """What words of a block add to the answer: they are told as they come, and read block by block."""
        if words and index < self._last_words:
            raise ServerFault("the server's answer goes on with a text behind a later one", passing=False)
        self._last_words = index if words else self._last_words
        if self._tools is None:
            return self._answer.words(words)
        return words if self._tools.forced is None else ""

    def _count(self, usage: Any) -> None:
        for name in ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"):
            if member(usage, name) is not None:
                self._usage[name] = member(usage, name)

    def reply(self) -> Reply:
        content = []
        for index in sorted(self._blocks):
            block = self._blocks[index]
            if index in self._inputs:
                written: Any = "".join(self._inputs[index]) or "{}"
                with suppress(ValueError, RecursionError):  # cut off, say: what there is of it stays text
                    written = json.loads(written)
                block = {**block, "input": written}
            content.append(block)
        message = {"type": "message", "role": "assistant", "content": content, "stop_reason": self._stop}
        return self._read({**self._head, **message, "usage": self._usage or None})

    def ended(self, *, done: bool) -> bool:
        return self._stopped or self._stop is not None

    def saying(self, event: Any, text: str, *, last: bool) -> Any:
        result = copied(event)
        put(get(result, "delta") or get(result, "content_block"), "text", text)
        return result

    def cleared(self, event: Any) -> Any:
        block = self._blocks.get(get(event, "index", -1))
        gone = block is not None and block.get("type") != "tool_use" and not is_beside(block, self._tools)
        kind = get(get(event, "delta"), "type")
        takes = TAKES.get(kind) if isinstance(kind, str) else None
        if gone or (takes is not None and (block is None or block.get("type") not in takes)):
            return GONE
        told = EVENT(event, Delivery(True, None, tools=self._tools))
        begun = member(told, "content_block")
        if get(event, "index", -1) in self._inputs and get(begun, "input"):  # which comes in pieces, and is those
            return altered(told, {"content_block": altered(begun, {"input": {}})})
        return told

    def agrees(self, response: Any, text: str | None, seen: Sequence[Any]) -> bool:
        return True  # the whole is put together from the events, in the order that they came in

    def behind(self, chunks: list[Any]) -> list[Any]:
        return chunks

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        from anthropic import types
        from anthropic.types import beta

        bodies = [(kind, body) for block in enumerate(get(raw, "content", ())) for kind, body in _block(*block)]
        plain = not any(type(event).__name__.startswith("Beta") for event in seen)
        made = [
            getattr(types if plain else beta, ("" if plain else "Beta") + _EVENTS[kind]).construct(type=kind, **body)
            for kind, body in bodies
        ]
        stop = get(raw, "stop_reason")
        edges = [(get(event, "type", ""), EVENT(event, Delivery(False, None, tools=self._tools))) for event in seen]
        first = [event for kind, event in edges if kind == "message_start"]
        last = [_ending(event, stop) for kind, event in edges if kind in ("message_delta", "message_stop")]
        return [*first, *made, *last]


def _ending(event: Any, stop: Any) -> Any:
    """The end of the stream, with the reason that the message has."""
    delta = get(event, "delta")
    if delta is None or get(delta, "stop_reason") in (None, stop):
        return event
    result = copied(event)
    put(get(result, "delta"), "stop_reason", stop)
    return result


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
