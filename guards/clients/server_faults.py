"""What a server says in a body whose status was good, or in a stream: that it failed, and whether it may pass.

Servers that speak an SDK's protocol say it in many ways: `{"error": {...}}` or `{"error": "words"}` (OpenRouter,
Ollama, LM Studio), an error in a choice (OpenRouter), `{"object": "error", "message": ...}` (vLLM), `{"detail": ...}`,
`{"statusCode": 429, "message": ...}` (gateways), a failed response, nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from guards.clients.members import is_sent, listed, member, members_of
from guards.errors import ConfigError, GuardsError, ServerFault
from guards.wire.patience import passes

__all__ = [
    "BROKEN",
    "broken",
    "check",
    "check_pieces",
    "cut_off",
    "in_words",
    "is_json",
    "may_pass",
    "named",
    "no_answer",
    "passing",
]

BROKEN: Final = (ValueError, RecursionError)
"""What the SDKs let through where a body that calls itself JSON is none; `broken` looks closer."""

_LONGEST: Final = 300
_DEEPEST: Final = 10
"""Errors within errors."""
_CODES: Final = frozenset(
    {
        "api_error",
        "deadline_exceeded",
        "engine_overloaded",
        "internal",
        "internal_error",
        "internal_server_error",
        "internalservererror",
        "overloaded",
        "overloaded_error",
        "rate_limit",
        "rate_limit_error",
        "rate_limit_exceeded",
        "ratelimiterror",
        "request_timeout",
        "resource_exhausted",
        "server_error",
        "server_is_overloaded",
        "server_overloaded",
        "service_unavailable",
        "serviceunavailableerror",
        "slow_down",
        "timeout",
        "timeout_error",
        "too_many_requests",
        "toomanyrequests",
        "unavailable",
        "upstream_error",
    }
)
"""As servers spell in words what the statuses say in numbers."""
_WHERE: Final = ("code", "status", "statusCode", "status_code", "error_code", "type", "error_type")
_WORDS: Final = ("message", "detail", "msg", "error_msg", "status_msg", "error_message", "reason")
_NESTED: Final = ("error", "base_resp", "detail")
_VAGUE: Final = frozenset({"", "error", "unknown", "unknown_error", "none", "null", "requests", "tokens"})
"""Codes that leave it to the words what happened."""
_PASSES: Final = re.compile(
    r"over-?load|rate[\s_-]?limit|too many (\w+ )?requests|\bunavailable\b(?! (in|for|to|on) )|at capacity|\bbusy\b"
    r"|timed[\s-]out|\b(request|gateway|upstream|read|connection|server)[\s-]time-?out|^\W*time-?out\W*$"
    r"|\btime-?out (exceeded|error|occurred|reached|waiting|after|while)|deadline exceeded|slow down"
    r"|try(ing)? again (later|in )|bad gateway|internal (server )?error",
    re.IGNORECASE,
)
"""Words for what the codes say, of a server that gives none."""
_STAYS: Final = re.compile(r"\b(quota|billing|credits?|balance|payment)\b", re.IGNORECASE)
_FAILED: Final = frozenset(
    {"abort", "aborted", "canceled", "cancelled", "error", "failed", "insufficient_system_resource", "server_error"}
)
"""Why an answer ended, where it ended because the server gave up (vLLM, OpenRouter, DeepSeek)."""
_STANDS: Final = frozenset({"completed", "incomplete", "queued", "in_progress"})
"""How a response may stand that nobody gave up."""


def passing(said: Any, deep: int = _DEEPEST) -> bool:
    """Whether a status, a code in words, or an error's body that holds one, is of a fault that may pass."""
    if isinstance(said, bool):
        return False
    if isinstance(said, str) and said.isdecimal() and len(said) <= 3:
        said = int(said)
    if isinstance(said, int):
        return passes(said)
    if isinstance(said, str):
        return said.lower() in _CODES
    held = members_of(said)
    if held is None or not deep:
        return False
    codes = [held[name] for name in _WHERE if isinstance(held.get(name), str | int)]
    if "insufficient_quota" in codes:
        return False
    return any(map(passing, codes)) or any(
        passing(held[name], deep - 1) for name in _NESTED if _is_object(held.get(name))
    )


def may_pass(error: Any, raw: Any = None) -> bool:
    """Whether an error in a body, by its codes or the codes beside it, else by its words, is one that may pass."""
    beside = _codes_of(raw)
    if passing(error) or passing(beside):
        return True
    if any(not isinstance(code, str) or code.lower() not in _VAGUE for code in (*_codes(error), *beside.values())):
        return False
    words = in_words(error)
    return bool(_PASSES.search(words)) and not _STAYS.search(words)


def check(raw: Any) -> None:
    """`ServerFault` for a response, or a chunk of one, that says that the server failed."""
    error = member(raw, "error")
    ends = [member(raw, "stop_reason"), member(member(raw, "delta"), "stop_reason")]
    for choice in listed(member(raw, "choices")):
        error = error or member(choice, "error")
        ends.append(member(choice, "finish_reason"))
    if not error and member(raw, "object") == "error":
        error = raw
    if error:
        raise _said(error, raw)
    status = member(raw, "status")
    if status == "failed":
        raise ServerFault("the server says that the response failed, and not why", passing=False)
    if isinstance(status, str) and _is_response(raw) and status.lower() not in _STANDS:
        raise _gave_up(status)
    for end in ends:
        if isinstance(end, str) and end.lower() in _FAILED:
            raise _gave_up(end)


def _is_response(raw: Any) -> bool:
    return member(raw, "object") == "response" or member(raw, "output") is not None


def _gave_up(word: str) -> ServerFault:
    return ServerFault(f"the server gave the answer up ({word[:40]})", passing=True)


def cut_off() -> ServerFault:
    """The error for a stream that ended in order and without the mark of its end."""
    return ServerFault("the server's answer is broken: its stream ended before the answer did", passing=True)


def is_json(stream: Any) -> bool:
    """Whether what should come in pieces calls itself one JSON document."""
    headers = getattr(getattr(stream, "response", None), "headers", None)
    kind = headers.get("content-type") if isinstance(headers, Mapping) else None
    return isinstance(kind, str) and kind.lower().startswith("application/json")


def check_pieces(body: bytes) -> None:
    """`ServerFault` for such a document: most are an error, in words that the SDKs do not look for. Some servers call
    their streams so, too."""
    try:
        whole = json.loads(body)
    except BROKEN:
        return
    check(whole)
    error = no_answer(whole, "stream")
    passing = isinstance(error, ServerFault) and error.passing
    raise error if passing or in_words(whole) else ServerFault(_WHOLE, passing=False)


_WHOLE: Final = "the server's answer came whole, where a stream was asked for"


def no_answer(raw: Any, what: str, place: str = "") -> GuardsError:
    """The error for something that is no answer of this kind: in the server's words, where it says any. One that has
    nothing in its answer's `place` is empty, which may pass: servers send it when they are overloaded."""
    held = members_of(raw)
    if raw is None or (isinstance(raw, str) and not raw.strip()) or (held and not _says(held)):
        return ServerFault("the server's answer is empty", passing=True)
    if held is not None and in_words(held):
        return _said(held, held)
    if held is not None and is_sent(raw, place) and _is_hollow(held.get(place)):
        return ServerFault(f"the server's answer is empty: its {place} hold nothing", passing=True)
    shown = f", but text: {raw.strip()[:80]!r}" if isinstance(raw, str) else ""
    return ConfigError(
        f"the server's answer is no {what}{shown}",
        where="client",
        hint="see whether base_url names such a service",
    )


def in_words(error: Any, deep: int = _DEEPEST) -> str:
    """What an error's body says, in the server's own words; "" where it says nothing."""
    if isinstance(error, str):
        return error.strip()
    held = (members_of(error) or {}) if deep else {}
    for name in (*_WORDS, *_NESTED):
        words = held.get(name)
        words = in_words(words, deep - 1) if _is_object(words) else words
        if isinstance(words, str) and words.strip():
            further = member(held.get("metadata"), "raw")  # OpenRouter: what the provider behind it said
            return f"{words.strip()}: {further}" if isinstance(further, str) else words.strip()
    return ""


def broken(fault: Exception) -> ServerFault:
    """The error for a body that the SDK could not read. Raises the fault itself where it is of something else."""
    known = isinstance(fault, json.JSONDecodeError | UnicodeDecodeError | RecursionError)
    # A number of many digits is no fault of the syntax to the standard library's reader, but a plain ValueError.
    if not known and "int_max_str_digits" not in str(fault):
        raise fault
    empty = isinstance(fault, json.JSONDecodeError) and not fault.doc.strip()
    words = "is empty" if empty else f"is broken ({type(fault).__name__})"
    return ServerFault(f"the server's answer {words}", passing=True)


def named(fetch: Callable[..., Any], colour: str) -> Callable[..., Any]:
    """What puts a call, with the fault of a body that is no JSON named."""
    if colour == "sync":

        def call(**options: Any) -> Any:
            try:
                return fetch(**options)
            except BROKEN as fault:
                raise broken(fault) from fault

        return call

    async def acall(**options: Any) -> Any:
        try:
            answer: Awaitable[Any] = fetch(**options)
            return await answer
        except BROKEN as fault:
            raise broken(fault) from fault

    return acall


def _said(error: Any, raw: Any) -> ServerFault:
    words = in_words(error) or in_words(raw)
    held = members_of(error) or {}
    code = next((held[name] for name in _WHERE if isinstance(held.get(name), str | int) and held[name] != ""), None)
    shown = f"{words[:_LONGEST]}{'...' * (len(words) > _LONGEST)}" if words else "no words"
    marked = f" ({str(code)[:40]})" if code is not None else ""
    return ServerFault(f"the server says: {shown}{marked}", passing=may_pass(error or raw, raw))


def _codes(error: Any, deep: int = _DEEPEST) -> list[Any]:
    """The codes in an error, those of the errors within it too."""
    held = members_of(error)
    if held is None or not deep:
        return []
    own = [held[name] for name in _WHERE if isinstance(held.get(name), str | int)]
    return own + [code for name in _NESTED for code in _codes(held.get(name), deep - 1)]


def _is_hollow(value: Any) -> bool:
    """Whether nothing stands in an answer's place: null, an empty list, choices that hold no message."""
    if isinstance(value, list):
        return all(item is None or (_is_object(item) and not _says_more(item)) for item in value)
    return value is None


def _says_more(choice: Any) -> bool:
    return any(member(choice, name) is not None for name in ("message", "text", "delta"))


def _codes_of(raw: Any) -> dict[str, Any]:
    """The codes beside an error in words (`{"error": "busy", "error_type": "overloaded"}`)."""
    held = members_of(raw) or {}
    return {name: held[name] for name in _WHERE if held.get(name) is not None and name not in ("status", "type")}


def _is_object(value: Any) -> bool:
    return members_of(value) is not None


def _says(held: Mapping[str, Any]) -> bool:
    return any(value is not None for value in held.values())
