"""What of OpenAI's responses, and of the chunks of their streams, may come back beside the judged text (`beside`).

Also the members that servers of the same protocol add: what they say of themselves is kept, thinking and sources come
along with a text that holds as it came, and what is not written here goes.
"""

from __future__ import annotations

from typing import Any, Final

from guards.clients import log_probabilities
from guards.clients.beside import (
    GONE,
    Delivery,
    Rule,
    beside,
    counts,
    each,
    facts,
    gone,
    kept,
    members,
    named,
    number,
    one_of,
    sources,
    stopped_by,
    text,
    the_model,
    unknown,
    word,
)
from guards.clients.members import member
from guards.clients.openai_tools import is_brought, is_forced
from guards.clients.tools import written

__all__ = [
    "BEGINS",
    "CHAT",
    "CHAT_CHUNK",
    "COMPLETION",
    "DELTA",
    "DONE",
    "HEAD",
    "IMAGE",
    "LAST",
    "OTHER",
    "PART",
    "RESPONSE",
]


def _all(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


# -- chat completions and completions ----------------------------------------------------------------------------------


def _words(value: Any, at: Delivery) -> Any:
    """The answer in words, or what was said beside an answer in a call. Of an answer that is a refusal its words are
    none."""
    if not at.in_words or not (at.passing or at.said is None or _spoken(value) == at.said):
        return gone(value, at)
    return value if isinstance(value, str) else _PARTS(value, at)


def _spoken(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    words = [part if isinstance(part, str) else member(part, "text") for part in parts]
    return "".join(said for said in words if isinstance(said, str))


def _call(value: Any, at: Delivery) -> Any:
    """A call, the old one, whose arguments are the answer, or that was made beside an answer in words."""
    return _OLD_CALL(value, at) if at.in_calls else gone(value, at)


def _calls(value: Any, at: Delivery) -> Any:
    """As `_call`."""
    return _CALLS(value, at) if at.in_calls and isinstance(value, list | tuple) else gone(value, at)


def _one_call(value: Any, at: Delivery) -> Any:
    """One of a kind, as it is read: what stands in another kind's place nobody has judged."""
    return (_CALL if member(value, "function") else _CUSTOM_CALL)(value, at)


def _arguments(value: Any, _: Delivery) -> Any:
    """A call's arguments, as the text that the SDK promises."""
    return value if value is None or isinstance(value, str) else written(value)


def _ours(value: Any, at: Delivery) -> Any:
    """What was made of the text; a server that sends one itself is not asked."""
    return unknown(value, at) if at.as_it_came else value


_THINKING: Final = _all("reasoning reasoning_content reasoning_details thinking thinking_blocks", beside)
_IS: Final = (
    _all(
        """
        finish_reason id model native_finish_reason obfuscation object object_type provider request_id service_tier
        system_fingerprint type
        """,
        word,
    )
    | _all("created created_at index", number)
    | _all(
        """
        content_filter_offsets content_filter_results kv_transfer_params metadata moderation prompt_filter_results
        prompt_token_ids provider_specific_fields timings x_groq
        """,
        facts,
    )
    | {
        "usage": counts,
        "role": the_model,
        "matched_stop": stopped_by,
        "stop_reason": stopped_by,
    }
)
"""What is no text of the model's: what a server says of itself, of the question and of its filters."""


def _of_prompt(value: Any, at: Delivery) -> Any:
    """Log probabilities of the question, with words that nobody wrote: for who asks for them."""
    return sources(value, at) if at.wanted("prompt_logprobs") else gone(value, at)


_SOURCES: Final = _all("annotations citations context search_results", sources) | {
    "token_ids": facts,
    "prompt_logprobs": _of_prompt,
}

_PARTS: Final = named(
    "type",
    {"thinking": beside, "reasoning": beside, "reasoning_text": beside},
    lambda _: members({"type": word, "text": text} | _SOURCES),
)
_FUNCTION: Final = {"name": word, "arguments": _arguments}
_CALL: Final = members(_IS | {"function": members(_FUNCTION), "extra_content": facts})
_CUSTOM_CALL: Final = members(_IS | {"custom": members({"name": word, "input": _arguments}), "extra_content": facts})
_CALLS: Final = each(_one_call)
_OLD_CALL: Final = members(_IS | _FUNCTION | {"extra_content": facts})
_MESSAGE: Final = members(
    _IS | _THINKING | _SOURCES | {"content": _words, "tool_calls": _calls, "function_call": _call, "parsed": _ours}
)
CHAT: Final = members(
    _IS | _SOURCES | {"choices": members(_IS | _SOURCES | {"message": _MESSAGE, "logprobs": log_probabilities.in_chat})}
)
HEAD: Final = members(_IS | _SOURCES | {"choices": kept})
"""What stands around choices that were cleared one by one."""
COMPLETION: Final = members(
    _IS
    | _SOURCES
    | {"choices": members(_IS | _SOURCES | _THINKING | {"text": unknown, "logprobs": log_probabilities.in_completion})}
)
"""Its chunks have the same shape."""
_DELTA: Final = members(
    _IS
    | _THINKING
    | _SOURCES
    | {
        "content": lambda v, at: _PARTS(v, at) if isinstance(v, list) else text(v, at),
        "refusal": text,
        "tool_calls": _CALLS,
        "function_call": _OLD_CALL,
    }
)
CHAT_CHUNK: Final = members(
    _IS | _SOURCES | {"choices": members(_IS | _SOURCES | {"delta": _DELTA, "logprobs": log_probabilities.in_chat})}
)


# -- responses ---------------------------------------------------------------------------------------------------------


def _at_work(value: Any, at: Delivery) -> Any:
    """An item of a tool that works on the server, or that the caller has there."""
    return _ITEM(value, at) if is_brought(value, at.tools) else GONE


def _answering(value: Any, at: Delivery) -> Any:
    own = at.passing and is_brought(value, at.tools)
    answers = at.by_call and (at.tools is None or is_forced(value, at.tools))
    rule = _CUSTOM_ANSWER if member(value, "type") == "custom_tool_call" else _ANSWER
    return rule(value, at) if own or answers else GONE


def _message(value: Any, at: Delivery) -> Any:
    return _SPOKEN(value, at) if at.in_words else GONE


_STATUS: Final = one_of("completed", "failed", "in_progress", "incomplete")
_ITEM_IS: Final = _all("id type", word) | {"status": _STATUS}
_CALL_IS: Final = _ITEM_IS | _all("call_id name namespace server_label status", word) | {"caller": facts}
_ANSWER: Final = members(_CALL_IS | {"arguments": _arguments})
_CUSTOM_ANSWER: Final = members(_CALL_IS | {"input": _arguments})
_TEXT: Final = members({"type": word, "text": text, "parsed": _ours, "logprobs": log_probabilities.in_part} | _SOURCES)
_SPOKEN_PARTS: Final = named("type", {"output_text": _TEXT, "text": _TEXT})
_SPOKEN: Final = members(
    _ITEM_IS
    | {
        "role": the_model,
        "phase": one_of("commentary", "final_answer"),
        "content": lambda v, at: v if isinstance(v, str) else _SPOKEN_PARTS(v, at),
    }
)
_THOUGHT: Final = members(_ITEM_IS | {"encrypted_content": word} | _all("summary content", beside))
_ITEM: Final = members(_CALL_IS, rest=beside)
_OUTPUT: Final = named(
    "type",
    {
        "message": _message,
        "reasoning": _THOUGHT,
        "compaction": members(_ITEM_IS | _all("created_by encrypted_content", word)),
        "function_call": _answering,
        "custom_tool_call": _answering,
    },
    lambda _: _at_work,
)


def _asked(value: Any, at: Delivery) -> Any:
    """What the request said, once more; of a prompt that is kept on the server its own words are told there alone."""
    return value if at.tools is not None and at.tools.elsewhere else facts(value, at)


_HEAD: Final = (
    _all("id model object previous_response_id service_tier status", word)
    | _all("background completed_at created_at store", number)
    | _all(
        """
        access_programs billing context_compression conversation error frequency_penalty image incomplete_details
        input_transformations max_output_tokens max_tool_calls metadata moderation parallel_tool_calls presence_penalty
        prompt_cache_diagnostics prompt_cache_key prompt_cache_options prompt_cache_retention reasoning
        safety_identifier temperature text tool_choice top_logprobs top_p truncation user
        """,
        facts,
    )
    | _all("instructions prompt tools", _asked)
    | {"usage": counts, "tool_usage": counts}
)
"""The request once more, and what the server says of itself."""
RESPONSE: Final = members(_HEAD | {"output": _OUTPUT})


# -- events of responses -----------------------------------------------------------------------------------------------

_EVENT_IS: Final = _all("type stream_id item_id obfuscation", word) | _all(
    """
    sequence_number output_index content_index summary_index annotation_index command_index partial_image_index
    """,
    number,
)
DELTA: Final = members(_EVENT_IS | {"delta": text, "logprobs": log_probabilities.in_part})
DONE: Final = members(_EVENT_IS | {"name": word, "logprobs": log_probabilities.in_part})
"""Of a text that came in pieces, whose name is the event's own."""
BEGINS: Final = members(_EVENT_IS | {"item": members(_ITEM_IS | {"role": the_model}), "part": members({"type": word})})
"""What is in an item will come, and is empty yet."""
PART: Final = members(_EVENT_IS | _all("item part annotation", kept))
"""Of a part of the whole, which holds it once more."""
IMAGE: Final = members(_EVENT_IS | {"partial_image_b64": text} | _all("background output_format quality size", word))
LAST: Final = members(_EVENT_IS | {"response": kept})
OTHER: Final = members(_EVENT_IS | {"response": members(_HEAD | {"output": gone})})
"""Of a kind that brings no words, or that nobody knows."""
