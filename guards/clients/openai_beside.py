"""What of OpenAI's responses, and of the chunks of their streams, may come back beside the judged text (`beside`).

Also the members that servers of the same protocol add: what they say of themselves is kept, thinking and sources come
along with a text that holds as it came, and what is not written here goes.
"""

from __future__ import annotations

import re
from typing import Any, Final

from guards.clients.beside import (
    GONE,
    Delivery,
    Rule,
    beside,
    counts,
    gone,
    kept,
    log_probabilities,
    members,
    named,
    stopped_by,
    the_model,
    unknown,
)
from guards.clients.members import member
from guards.clients.openai_tools import is_brought, is_forced
from guards.clients.tools import written

__all__ = ["CHAT", "CHAT_CHUNK", "COMPLETION", "HEAD", "RESPONSE", "RESPONSE_EVENT"]


def _all(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


# -- chat completions and completions ----------------------------------------------------------------------------------


def _words(value: Any, at: Delivery) -> Any:
    """The answer in words, or what was said beside an answer in a call."""
    if at.by_call:
        return gone(value, at)
    return value if isinstance(value, str) else _PARTS(value, at)


def _call(value: Any, at: Delivery) -> Any:
    """The call whose arguments are the answer, or one that was made beside an answer in words."""
    return _CALL(value, at) if at.by_call else gone(value, at)


def _arguments(value: Any, _: Delivery) -> Any:
    """A call's arguments, as the text that the SDK promises."""
    return value if value is None or isinstance(value, str) else written(value)


def _chat_tokens(value: Any) -> list[Any] | None:
    content = member(value, "content")
    return content if isinstance(content, list) and not member(value, "refusal") else None


def _completion_tokens(value: Any) -> list[Any] | None:
    tokens = member(value, "tokens")
    return tokens if isinstance(tokens, list) else None


def _ours(value: Any, at: Delivery) -> Any:
    """What was made of the text; a server that sends one itself is not asked."""
    return unknown(value, at) if at.as_it_came else value


_THINKING: Final = _all("reasoning reasoning_content reasoning_details thinking thinking_blocks", beside)
_SERVERS: Final = _all(
    """
    content_filter_offsets content_filter_results created created_at finish_reason id index kv_transfer_params
    metadata model moderation native_finish_reason obfuscation object object_type prompt_filter_results
    prompt_token_ids provider request_id service_tier system_fingerprint timings type x_groq
    """,
    kept,
) | {"usage": counts, "role": the_model, "matched_stop": stopped_by, "stop_reason": stopped_by}
"""What is no text of the model's: what a server says of itself, of the question and of its filters."""
_SOURCES: Final = _all("annotations citations context search_results token_ids prompt_logprobs", beside)

_PARTS: Final = named(
    "type",
    {"thinking": beside, "reasoning": beside, "reasoning_text": beside},
    lambda _: members(_all("type text", kept) | _SOURCES),
)
_FUNCTION: Final = members({"name": kept} | _all("arguments input", _arguments))
_CALL: Final = members(_SERVERS | {"function": _FUNCTION, "custom": _FUNCTION, "name": kept, "arguments": _arguments})
_MESSAGE: Final = members(
    _SERVERS | _THINKING | _SOURCES | {"content": _words, "tool_calls": _call, "function_call": _call, "parsed": _ours}
)
CHAT: Final = members(
    _SERVERS
    | _SOURCES
    | {
        "choices": members(
            _SERVERS | _SOURCES | {"message": _MESSAGE, "logprobs": log_probabilities(_chat_tokens)},
        )
    }
)
HEAD: Final = members(_SERVERS | _SOURCES | {"choices": kept})
"""What stands around choices that were cleared one by one."""
COMPLETION: Final = members(
    _SERVERS
    | _SOURCES
    | {
        "choices": members(
            _SERVERS | _SOURCES | _THINKING | {"text": kept, "logprobs": log_probabilities(_completion_tokens)}
        )
    }
)
"""Its chunks have the same shape."""
_DELTA: Final = members(
    _SERVERS | _THINKING | _SOURCES | _all("content refusal", kept) | {"tool_calls": kept, "function_call": kept}
)
CHAT_CHUNK: Final = members(
    _SERVERS
    | _SOURCES
    | {"choices": members(_SERVERS | _SOURCES | {"delta": _DELTA, "logprobs": log_probabilities(_chat_tokens)})}
)


# -- responses ---------------------------------------------------------------------------------------------------------


def _at_work(value: Any, at: Delivery) -> Any:
    """An item of a tool that works on the server."""
    return _ITEM(value, at) if is_brought(value, at.tools) else GONE


def _answering(value: Any, at: Delivery) -> Any:
    if not at.by_call or (at.tools is not None and not is_forced(value, at.tools)):
        return GONE
    return _ANSWER(value, at)


def _message(value: Any, at: Delivery) -> Any:
    return GONE if at.by_call else _SPOKEN(value, at)


_ITEM_IS: Final = _all("id type status phase call_id name namespace server_label caller encrypted_content", kept)
_ITEM_IS["role"] = the_model
_ANSWER: Final = members(_ITEM_IS | _all("arguments input", _arguments))
_TEXT: Final = members(
    _all("type text", kept)
    | _SOURCES
    | {"parsed": _ours}
    | {"logprobs": log_probabilities(lambda value: value if isinstance(value, list) else None)}
)
_SPOKEN_PARTS: Final = named("type", {"output_text": _TEXT, "text": _TEXT})
_SPOKEN: Final = members(_ITEM_IS | {"content": lambda v, at: v if isinstance(v, str) else _SPOKEN_PARTS(v, at)})
_THOUGHT: Final = members(_ITEM_IS | _all("summary content", beside))
_ITEM: Final = members(_ITEM_IS, rest=beside)
_OUTPUT: Final = named(
    "type",
    {
        "message": _message,
        "reasoning": _THOUGHT,
        "compaction": beside,
        "function_call": _answering,
        "custom_tool_call": _answering,
    },
    lambda _: _at_work,
)
_ASKED: Final = _all(
    """
    access_programs background completed_at context_compression conversation created_at error id image
    incomplete_details input_transformations instructions max_output_tokens max_tool_calls metadata model moderation
    object parallel_tool_calls previous_response_id prompt prompt_cache_diagnostics prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning safety_identifier service_tier status store temperature text
    tool_choice tools top_logprobs top_p truncation user billing frequency_penalty presence_penalty
    """,
    kept,
) | {"usage": counts, "tool_usage": counts}
"""The request once more, and what the server says of itself."""
RESPONSE: Final = members(_ASKED | {"output": _OUTPUT})
_BEGUN: Final = members(_ASKED | {"output": gone})

_EVENT_IS: Final = _all(
    """
    type sequence_number stream_id item_id output_index content_index summary_index annotation_index command_index
    partial_image_index obfuscation
    """,
    kept,
)
_BY_THE_MODEL: Final = members({"role": the_model}, rest=kept)
_EVENT: Final = members(
    _EVENT_IS
    | _all("annotation arguments code delta input logprobs name part partial_image_b64 text", kept)
    | {"item": _BY_THE_MODEL, "response": members({"output": _BY_THE_MODEL}, rest=kept)}
)
_BEGINS: Final = members(_EVENT_IS | {"item": members(_ITEM_IS), "part": members(_ITEM_IS)})
"""What is in an item will come, and is empty yet."""
_OTHER: Final = members(_EVENT_IS | {"response": _BEGUN})
_KNOWN: Final = re.compile(
    r"response\.(output_text|content_part|output_item|reasoning\w*|function_call_arguments|custom_tool_call_input|"
    r"\w+_call(_\w+)?|mcp_\w+|completed|incomplete)(\.|$)"
)


def _event(kind: str) -> Rule:
    if kind in ("response.content_part.added", "response.output_item.added"):
        return _BEGINS
    if not _KNOWN.match(kind):
        return _OTHER
    return lambda value, at: (_EVENT if at.as_it_came else _OTHER)(value, at)


RESPONSE_EVENT: Final = named("type", {}, _event)
"""As it came: where what it repeats came in pieces before."""
