"""The stream of OpenAI's `responses`: what each event adds to the text, and which events may be told.

Its last event brings the whole response, which is what is judged. Every other one says a piece of it once more, and is
told only where it says nothing else than the whole does at that place; where one does, the whole is told anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from guards.clients.beside import GONE, Delivery, is_word
from guards.clients.fields import index_in, object_in, object_of, text_in
from guards.clients.members import body_of, copied, get, listed, member, members_of, put
from guards.clients.openai_beside import BEGINS, DELTA, DONE, IMAGE, LAST, OTHER, PART
from guards.clients.openai_stream import made
from guards.clients.server_faults import check, no_answer
from guards.clients.tools import Tools
from guards.clients.words_or_call import WordsOrCall
from guards.errors import ServerFault
from guards.messages import Reply

__all__ = ["ResponseChunks"]


class _Place(NamedTuple):
    """Where the words of an event stand in the whole: a member of an item, or of one of the parts in its list."""

    item: str
    name: str
    parts: str | None = None
    number: str | None = None


_TEXT: Final = _Place("message", "text", "content", "content_index")
_PLACES: Final = {
    "response.output_text": _TEXT,
    "response.text": _TEXT,
    "response.refusal": _TEXT._replace(name="refusal"),
    "response.reasoning_text": _TEXT._replace(item="reasoning"),
    "response.reasoning_summary_text": _Place("reasoning", "text", "summary", "summary_index"),
    "response.function_call_arguments": _Place("function_call", "arguments"),
    "response.custom_tool_call_input": _Place("custom_tool_call", "input"),
    "response.mcp_call_arguments": _Place("mcp_call", "arguments"),
    "response.code_interpreter_call_code": _Place("code_interpreter_call", "code"),
}
"""Of what comes piece by piece (`.delta`) and once more at its end (`.done`)."""
_PARTS: Final = {
    "response.content_part": ("content", "content_index"),
    "response.reasoning_summary_part": ("summary", "summary_index"),
}
_ITEM: Final = "response.output_item"
_ANNOTATION: Final = "response.output_text.annotation.added"
_IMAGE: Final = "response.image_generation_call.partial_image"
_WHOLE: Final = ("response.completed", "response.incomplete", "response.cancelled")
_FIRST: Final = ("response.created", "response.queued", "response.in_progress")
_WORDS: Final = ("response.output_text.delta", "response.text.delta")
_ARGUMENTS: Final = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")


class ResponseChunks:
    """`responses`: its last event brings the whole response."""

    repeats = True

    def __init__(self, read: Callable[[Any], Reply], tools: Tools | None) -> None:
        self._read = read
        self._tools = tools
        self._pieces: list[str] = []
        self._answer = WordsOrCall()
        self._names: dict[int, str | None] = {}
        """The tools of the calls, by the number of the item."""
        self._deltas: dict[tuple[Any, ...], list[str]] = {}
        """What came piece by piece, by where it stands."""
        self._agreed: dict[tuple[Any, ...], bool] = {}
        """Whether that is what the whole says, as far as it was looked at."""
        self._whole: Any = None
        self._items: list[Any] | None = None
        """Those of the response that is delivered, once it is known."""
        self._lists: dict[tuple[int, str], list[Any]] = {}
        self._annotations: dict[int, dict[Any, Any]] = {}
        """What stands in their lists, and the annotations of their texts by what these say: each is looked up for one
        event, of as many."""
        self.holds = False

    def text(self, event: Any) -> str:
        kind = text_in(object_of(event), "type") or ""
        if kind in ("response.failed", "error"):
            check(get(event, "response"))
            raise no_answer(event, "response")
        if kind in _WHOLE:
            if self._whole is not None:
                raise ServerFault("the server's answer ends twice", passing=False)
            self._whole = get(event, "response")
            check(self._whole)
            return ""
        self.holds = self.holds or not _is_early(event, kind)
        if kind == f"{_ITEM}.added":
            self._names[index_in(event, "output_index")] = text_in(object_in(event, "item"), "name")
        stem, _, end = kind.rpartition(".")
        if end != "delta" or stem not in _PLACES:
            return ""
        delta, at = text_in(event, "delta") or "", _at(event, stem)
        self._deltas.setdefault(at, []).append(delta)
        added = self._added(event, kind, delta)
        self._pieces.append(added)
        return added

    def _added(self, event: Any, kind: str, delta: str) -> str:
        """What a delta adds to the answer."""
        words, arguments = delta if kind in _WORDS else "", delta if kind in _ARGUMENTS else ""
        if self._tools is None:
            return self._answer.words(words) + self._answer.arguments(arguments)
        if self._tools.forced is None:
            return words
        return arguments if self._names.get(index_in(event, "output_index")) == self._tools.forced else ""

    def reply(self) -> Reply:
        if self._whole is None:
            said = {"type": "output_text", "text": "".join(self._pieces), "annotations": []}
            self._whole = {"output": [{"type": "message", "role": "assistant", "content": [said]}]}
        return self._read(self._whole)

    def ended(self, *, done: bool) -> bool:
        return self._whole is not None

    def cleared(self, event: Any) -> Any:
        kind = str(get(event, "type", ""))
        if kind not in _WORDS and not self._fits(event, kind):  # words are told as far as they were judged
            return GONE
        stem, _, end = kind.rpartition(".")
        place = _PLACES.get(stem) if end in ("delta", "done") else None
        said = get(event, "delta" if end == "delta" or place is None else place.name)
        at = Delivery(True, said if isinstance(said, str) else None, tools=self._tools)
        if place is not None:
            return (DELTA if end == "delta" else DONE)(event, at)
        if kind in _WHOLE:
            return LAST(event, at)
        if stem == _ITEM or stem in _PARTS or kind == _ANNOTATION:
            early = self._items is None and end == "added"
            return (BEGINS if early else PART)(event, at)
        return (IMAGE if kind == _IMAGE and self._items is not None else OTHER)(
            event, Delivery(True, None, tools=self._tools)
        )

    def agrees(self, response: Any, text: str | None, seen: Sequence[Any]) -> bool:
        self._items = listed(get(response, "output"))
        self._agreed, self._lists, self._annotations = {}, {}, {}
        whole = text is None or "".join(self._pieces) == text
        return whole and all(self._fits(event, str(get(event, "type", ""))) for event in seen)

    def _fits(self, event: Any, kind: str) -> bool:
        """Whether an event says nothing else than the delivered response; before there is one, nothing that has to wait
        for it."""
        if self._items is None:
            return kind not in _WHOLE and _is_early(event, kind)
        stem, _, end = kind.rpartition(".")
        item = _nth(self._items, event, "output_index")
        if stem in _PLACES and end == "delta":
            at = _at(event, stem)
            if at not in self._agreed:
                self._agreed[at] = self._is_told("".join(self._deltas.get(at, ())), item, stem, event)
            return self._agreed[at]
        if stem in _PLACES and end == "done":
            return self._is_told(get(event, _PLACES[stem].name), item, stem, event)
        if stem == _ITEM:
            return _within(get(event, "item"), item)
        if stem in _PARTS:
            return _within(get(event, "part"), _nth(self._listed(item, _PARTS[stem][0]), event, _PARTS[stem][1]))
        if kind == _ANNOTATION:
            return self._is_annotation(event, _nth(self._listed(item, "content"), event, "content_index"))
        return kind != _IMAGE or member(item, "type") == "image_generation_call"

    def _is_told(self, said: Any, item: Any, stem: str, event: Any) -> bool:
        """Whether the whole says this, at the event's place."""
        place = _PLACES[stem]
        if said in (None, ""):
            return True
        if member(item, "type") != place.item:
            return False
        if place.parts is None or place.number is None:
            return bool(said == member(item, place.name))
        content = member(item, place.parts)
        if isinstance(content, str):  # some servers give it so
            return bool(said == content)
        return bool(said == member(_nth(self._listed(item, place.parts), event, place.number), place.name))

    def _is_annotation(self, event: Any, part: Any) -> bool:
        """Whether the whole has it; servers number them in ways of their own."""
        said, known = get(event, "annotation"), self._listed(part, "annotations")
        if _within(said, _nth(known, event, "annotation_index")):
            return True
        if id(part) not in self._annotations:
            self._annotations[id(part)] = {_words_of(one): one for one in known}
        return _within(said, self._annotations[id(part)].get(_words_of(said)))

    def _listed(self, thing: Any, name: str) -> list[Any]:
        key = id(thing), name
        if key not in self._lists:
            self._lists[key] = listed(member(thing, name))
        return self._lists[key]

    def behind(self, chunks: list[Any]) -> list[Any]:
        last = max((number for number, chunk in enumerate(chunks, 1) if get(chunk, "type") in _WORDS), default=0)
        return chunks[last:]

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
        events = [OTHER(event, Delivery(False, None, tools=self._tools)) for event in seen[:begun]]
        last = f"response.{get(raw, 'status', 'completed')}"
        bodies = [*_events_of(get(raw, "output", ())), (last, {"response": raw})]
        first = next(
            (number for number in (get(e, "sequence_number") for e in reversed(seen)) if type(number) is int), 0
        )
        for number, (kind, body) in enumerate(bodies, first + 1):
            known = getattr(responses, _CLASSES.get(kind, "ResponseCompletedEvent"))
            events.append(made(known, {**body, "type": kind, "sequence_number": number}))
        return events


# -- where the words of an event stand ---------------------------------------------------------------------------------


def _is_early(event: Any, kind: str) -> bool:
    """Whether it may be told before the whole is known: words of the answer, which are judged on the way, thinking, the
    beginning of either, and what brings no words."""
    stem, _, end = kind.rpartition(".")
    if stem in _PLACES and end in ("delta", "done"):
        return kind in _WORDS or _PLACES[stem].item == "reasoning"
    if stem == _ITEM:
        item = member(event, "item")
        return member(item, "type") == "reasoning" or (end == "added" and member(item, "type") == "message")
    return stem == "response.reasoning_summary_part" or kind == "response.content_part.added" or not _brings(stem, kind)


def _brings(stem: str, kind: str) -> bool:
    return stem in _PARTS or kind in (_ANNOTATION, _IMAGE)


def _at(event: Any, stem: str) -> tuple[Any, ...]:
    number = _PLACES[stem].number
    return stem, index_in(event, "output_index"), index_in(event, number) if number is not None else 0


def _nth(things: Sequence[Any], event: Any, name: str) -> Any:
    number = index_in(event, name)
    return things[number] if 0 <= number < len(things) else None


def _within(part: Any, whole: Any, name: str = "") -> bool:
    """Whether all that is said in it stands in the whole at the same place; it may not have come to its end yet."""
    if not part or isinstance(part, bool | int | float):
        return True
    if isinstance(part, str):
        return part == whole or (name in _PASSING and is_word(part))
    if isinstance(part, list | tuple):
        return isinstance(whole, list | tuple) and len(part) <= len(whole) and all(map(_within, part, whole))
    held, other = members_of(part), members_of(whole)
    if held is None or other is None:
        return False
    return all(is_word(key) and _within(inner, other.get(key), key) for key, inner in held.items())


def _words_of(annotation: Any) -> frozenset[tuple[str, str]]:
    return frozenset(
        (name, said) for name, said in (members_of(annotation) or {}).items() if said and isinstance(said, str)
    )


_PASSING: Final = ("id", "status", "encrypted_content")
"""Members of an item that are others while it is written."""


# -- a whole response as events ----------------------------------------------------------------------------------------


def _events_of(output: Sequence[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The events between the first and the last, by kind."""
    for number, item in enumerate(output):
        body = body_of(item)
        at = {"output_index": number}
        here = {**at, "item_id": body.get("id")}
        empty = {name: [] if name == "content" else "" for name in ("content", "arguments") if body.get(name)}
        yield "response.output_item.added", {**at, "item": {**body, **empty}}
        for index, part in enumerate(_parts_of(body)):
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


def _parts_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those of a message; some servers give its text alone."""
    content = body.get("content") if body.get("type") == "message" else None
    if isinstance(content, str):
        return [{"type": "output_text", "text": content, "annotations": []}]
    return [body_of(part) for part in listed(content)]


_CLASSES: Final = {
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
