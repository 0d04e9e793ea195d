"""What of Anthropic's messages, and of the events of their streams, may come back beside the judged text (`beside`)."""

from __future__ import annotations

import json
from typing import Any, Final

from guards.clients.anthropic_tools import is_at_work
from guards.clients.beside import (
    GONE,
    Delivery,
    Rule,
    beside,
    counts,
    facts,
    gone,
    members,
    named,
    number,
    sources,
    stopped_by,
    text,
    the_model,
    unknown,
    word,
)
from guards.clients.members import member
from guards.clients.tools import Tools, is_arguments, written

__all__ = ["EVENT", "MESSAGE", "TAKES", "is_beside"]


def _all(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


def _words(value: Any, at: Delivery) -> Any:
    return _TEXT(value, at) if at.in_words else GONE


def _call(value: Any, at: Delivery) -> Any:
    return _CALL(value, at) if at.in_calls else GONE


def _input(value: Any, _: Delivery) -> Any:
    """A call's input, as the object that the SDK promises."""
    return json.loads(value) if isinstance(value, str) and is_arguments(value) else value


def _piece(value: Any, _: Delivery) -> Any:
    """A piece of a call's input, as the text that the SDK promises."""
    return value if value is None or isinstance(value, str) else written(value)


def _at_work(value: Any, at: Delivery) -> Any:
    return beside(value, at) if is_at_work(value, at.tools) else GONE


def _ours(value: Any, at: Delivery) -> Any:
    return unknown(value, at) if at.as_it_came else value


def _explained(value: Any, at: Delivery) -> Any:
    """Why nothing is said; it is the answer where nothing else is."""
    return value if isinstance(value, str) and value == at.said else word(value, at)


_TEXT: Final = members({"type": word, "text": text, "citations": sources, "parsed_output": _ours})
_CALL: Final = members(_all("type id name toolset_name", word) | {"input": _input, "caller": facts})
_THINKING: Final = _all("thinking redacted_thinking connector_text compaction", beside)
_FACTS: Final = _all("fallback container_upload", facts)
_IS: Final = (
    _all("id type model stop_reason service_tier", word)
    | _all("container context_management diagnostics input_transformations", facts)
    | {
        "usage": counts,
        "role": the_model,
        "stop_sequence": stopped_by,
        "stop_details": members({"explanation": _explained}, rest=facts),
    }
)
"""What is no text of the model's."""
_CONTENT: Final = named("type", {"text": _words, "tool_use": _call, **_FACTS, **_THINKING}, lambda _: _at_work)
MESSAGE: Final = members(_IS | {"content": _CONTENT})

_AT: Final = {"type": word, "index": number, "context_management": facts, "usage": counts}
_DELTA: Final = named(
    "type",
    {
        "text_delta": members({"type": word, "text": text}),
        "input_json_delta": members({"type": word, "partial_json": _piece}),
        **_all("thinking_delta signature_delta compaction_delta", beside),
        "citations_delta": members({"type": word, "citation": sources}),
    },
    lambda _: members({"type": word}),
)
_EVENTS: Final[dict[str, Rule]] = {
    "message_start": members(_AT | {"message": members(_IS | {"content": gone})}),
    "content_block_start": members(
        _AT
        | {
            "content_block": named(
                "type", {"text": _TEXT, "tool_use": _CALL, **_FACTS, **_THINKING}, lambda _: _at_work
            )
        }
    ),
    "content_block_delta": members(_AT | {"delta": _DELTA}),
    "content_block_stop": members(_AT),
    "message_delta": members(_AT | {"delta": members(_IS)}),
    "message_stop": members(_AT),
}
EVENT: Final = named("type", _EVENTS, lambda _: members({"type": word}))

TAKES: Final = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "input_json_delta": ("tool_use", "server_tool_use", "mcp_tool_use"),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
    "compaction_delta": ("compaction",),
}
"""Which blocks a kind of delta goes on with."""


def is_beside(block: Any, tools: Tools | None) -> bool:
    """Whether a block may come along with words that hold: words, thinking, and what the server's own tools did."""
    if tools is None or member(block, "type") in ("text", *_THINKING, *_FACTS):
        return True
    return is_at_work(block, tools)
