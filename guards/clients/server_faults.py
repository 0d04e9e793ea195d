"""What a server says in a body whose status was good, or in a stream: that it failed, and whether it may pass.

Servers that speak an SDK's protocol say it in many ways: `{"error": {...}}` or `{"error": "words"}` (OpenRouter,
Ollama, LM Studio), an error in a choice (OpenRouter), `{"object": "error", "message": ...}` (vLLM), `{"detail": ...}`,
`{"statusCode": 429, "message": ...}` (gateways), a failed response, nothing at all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from guards.clients.members import listed, member, members_of
from guards.errors import ConfigError, GuardsError, ServerFault

__all__ = ["BROKEN", "broken", "check", "in_words", "named", "no_answer", "passing"]

BROKEN: Final = (json.JSONDecodeError, UnicodeDecodeError, RecursionError)
"""What the SDKs let through where a body that calls itself JSON is none."""

_LONGEST: Final = 300
_STATUSES: Final = frozenset({408, 409, 429})
"""Time-out, lock conflict, too many requests; and 5xx but for those that a retry cannot change."""
_LASTING: Final = frozenset({501, 505})
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


def passing(said: Any) -> bool:
    """Whether a status, a code in words, or an error's body that holds one, is of a fault that may pass."""
    if isinstance(said, bool):
        return False
    if isinstance(said, str) and said.isdecimal() and len(said) <= 3:
        said = int(said)
    if isinstance(said, int):
        return said in _STATUSES or (500 <= said < 600 and said not in _LASTING)
    if isinstance(said, str):
        return said.lower() in _CODES
    held = members_of(said)
    if held is None:
        return False
    codes = [held[name] for name in _WHERE if isinstance(held.get(name), str | int)]
    if "insufficient_quota" in codes:
        return False
    return any(map(passing, codes)) or any(passing(held[name]) for name in _NESTED if _is_object(held.get(name)))


def check(raw: Any) -> None:
    """`ServerFault` for a response, or a chunk of one, that says that the server failed."""
    error = member(raw, "error")
    for choice in listed(member(raw, "choices")):
        error = error or member(choice, "error")
    if not error and member(raw, "object") == "error":
        error = raw
    if error:
        raise _said(error, raw)
    if member(raw, "status") == "failed":
        raise ServerFault("the server says that the response failed, and not why", passing=False)


def no_answer(raw: Any, what: str) -> GuardsError:
    """The error for something that is no answer of this kind: in the server's words, where it says any."""
    held = members_of(raw)
    if raw is None or (isinstance(raw, str) and not raw.strip()) or (held and not _says(held)):
        return ServerFault("the server's answer is empty", passing=True)
    if held is not None and in_words(held):
        return _said(held, held)
    shown = f", but text: {raw.strip()[:80]!r}" if isinstance(raw, str) else ""
    return ConfigError(
        f"the server's answer is no {what}{shown}",
        where="client",
        hint="see whether base_url names such a service",
    )


def in_words(error: Any) -> str:
    """What an error's body says, in the server's own words; "" where it says nothing."""
    if isinstance(error, str):
        return error.strip()
    held = members_of(error) or {}
    for name in (*_WORDS, *_NESTED):
        words = held.get(name)
        words = in_words(words) if _is_object(words) else words
        if isinstance(words, str) and words.strip():
            further = member(held.get("metadata"), "raw")  # OpenRouter: what the provider behind it said
            return f"{words.strip()}: {further}" if isinstance(further, str) else words.strip()
    return ""


def broken(fault: Exception) -> ServerFault:
    """The error for a body that the SDK could not read."""
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
    may_pass = passing(error) or (_is_object(raw) and passing(_codes_of(raw)))
    return ServerFault(f"the server says: {shown}{marked}", passing=may_pass)


def _codes_of(raw: Any) -> Any:
    """The codes beside an error in words (`{"error": "busy", "error_type": "overloaded"}`)."""
    held = members_of(raw) or {}
    return {name: held[name] for name in _WHERE if name in held and name not in ("status", "type")}


def _is_object(value: Any) -> bool:
    return members_of(value) is not None


def _says(held: Mapping[str, Any]) -> bool:
    return any(value is not None for value in held.values())
