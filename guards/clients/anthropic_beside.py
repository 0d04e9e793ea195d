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
    gone,
    kept,
    members,
    named,
    stopped_by,
    the_model,
    unknown,
)
from guards.clients.members import member
from guards.clients.tools import Tools, is_arguments

__all__ = ["EVENT", "MESSAGE", "is_beside"]


def _all(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


def _words(value: Any, at: Delivery) -> Any:
    return GONE if at.by_call else _TEXT(value, at)


def _call(value: Any, at: Delivery) -> Any:
    return _CALL(value, at) if at.by_call else GONE


def _input(value: Any, _: Delivery) -> Any:
    """A call's input, as the object that the SDK promises."""
    return json.loads(value) if isinstance(value, str) and is_arguments(value) else value


def _at_work(value: Any, at: Delivery) -> Any:
    return beside(value, at) if is_at_work(value, at.tools) else GONE


def _ours(value: Any, at: Delivery) -> Any:
    return unknown(value, at) if at.as_it_came else value


_TEXT: Final = members(_all("type text", kept) | {"citations": beside, "parsed_output": _ours})
_CALL: Final = members(_all("type id name caller toolset_name", kept) | {"input": _input})
_THINKING: Final = _all("thinking redacted_thinking connector_text compaction", beside)
_IS: Final = _all(
    """
    id type model stop_reason container context_management diagnostics input_transformations service_tier
    """,
    kept,
) | {"usage": counts, "role": the_model, "stop_sequence": stopped_by}
"""What is no text of the model's."""
_CONTENT: Final = named(
    "type",
    {"text": _words, "tool_use": _call, "fallback": kept, "container_upload": kept, **_THINKING},
    lambda _: _at_work,
)
MESSAGE: Final = members(_IS | {"content": _CONTENT, "stop_details": beside})

_AT: Final = _all("type index context_management", kept) | {"usage": counts}
_DELTA: Final = named(
    "type",
    {
        "text_delta": members(_all("type text", kept)),
        "input_json_delta": members(_all("type partial_json", kept)),
        **_all("thinking_delta signature_delta citations_delta compaction_delta", beside),
    },
    lambda _: members(_all("type", kept)),
)
_EVENTS: Final[dict[str, Rule]] = {
    "message_start": members(_AT | {"message": members(_IS | {"content": gone})}),
    # Which blocks may come along is `is_beside`; here it is what each may hold.
    "content_block_start": members(
        _AT | {"content_block": named("type", {"text": _TEXT, "tool_use": _CALL}, lambda _: kept)}
    ),
    "content_block_delta": members(_AT | {"delta": _DELTA}),
    "content_block_stop": members(_AT),
    "message_delta": members(_AT | {"delta": members(_IS | {"stop_details": beside})}),
    "message_stop": members(_AT),
}
EVENT: Final = named("type", _EVENTS, lambda _: members(_all("type", kept)))


def is_beside(block: Any, tools: Tools | None) -> bool:
    """Whether a block may come along with words that hold: words, thinking, and what the server's own tools did."""
    if tools is None or member(block, "type") in ("text", *_THINKING, "fallback", "container_upload"):
        return True
    return is_at_work(block, tools)
