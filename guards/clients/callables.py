"""A plain callable as a client: of messages or of one string, sync or async."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from guards._flow import Ask
from guards._quote import fence
from guards.errors import ConfigError
from guards.messages import Message, Reply

__all__ = ["CallableClient", "reply_of_plain", "reply_turns"]


class CallableClient:
    """Calls a function with messages (a list of dicts) or with one string, as its signature says, decided once.

    A parameter named `messages`, or annotated as a list, gets messages; `prompt` or `str` gets one string; a signature
    that says neither gets messages. A parameter `timeout` gets the seconds that are left of the budget.
    """

    def __init__(self, function: Callable[..., Any], *, where: str = "call") -> None:
        self.function = function
        target = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
        unwrapped = functools.partial(lambda f: f, function)() if False else _innermost(function)
        is_async = inspect.iscoroutinefunction(unwrapped) or inspect.iscoroutinefunction(target)
        self.colour: Literal["sync", "async"] = (
            "async" if is_async or inspect.isasyncgenfunction(unwrapped) or inspect.isasyncgenfunction(target) else "sync"
        )
        self._keyword, self._as_text, self._timeout = _shape(function, where)

    def send(self, ask: Ask, timeout: float | None) -> Any:
        question: Any = _prompt(ask) if self._as_text else [dict(m) for m in ask.messages]
        kwargs = {"timeout": timeout} if self._timeout and timeout is not None else {}
        if self._keyword is not None:
            result = self.function(**{self._keyword: question}, **kwargs)
        else:
            result = self.function(question, **kwargs)
        return _collected(result) if self.colour == "async" else result

    def read(self, raw: Any) -> Reply:
        from guards.clients import reply_of

        return reply_of(raw)

    def turns(self, reply: Reply, feedback: str) -> tuple[Message, ...]:
        return reply_turns(reply, feedback)

    def transient(self, fault: BaseException) -> bool:
        return False

    def retry_after(self, fault: BaseException) -> float | None:
        return None


def reply_turns(reply: Reply, feedback: str) -> tuple[Message, ...]:
    """The answer as the assistant's turn, the feedback as the next; an empty answer is no turn."""
    said: tuple[Message, ...] = ({"role": "assistant", "content": reply.text},) if reply.text.strip() else ()
    return (*said, {"role": "user", "content": feedback})


def reply_of_plain(raw: Any) -> Reply | None:
    """Text, a `Reply` or an iterator of text as a `Reply`; None for anything else."""
    if isinstance(raw, str):
        return Reply(raw)
    if isinstance(raw, Reply):
        return raw
    if isinstance(raw, Iterator):
        pieces = list(raw)
        if all(isinstance(piece, str) for piece in pieces):
            return Reply("".join(pieces))
        raise ConfigError(
            "the client gave an iterator of something else than text",
            where="client",
            hint="yield pieces of text, or return the SDK's own response",
        )
    return None


async def _collected(result: Any) -> Any:
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__aiter__"):
        return "".join([piece async for piece in result])
    return result


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _shape(function: Callable[..., Any], where: str) -> tuple[str | None, bool, bool]:
    """(keyword to pass the question by, or None for the first position; whether it is one string; takes timeout)"""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None, False, False  # a builtin that tells nothing
    timeout = "timeout" in parameters
    if "messages" in parameters:
        return "messages", False, timeout
    open_ended = any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values())
    first = next((p for p in parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)), None)
    if first is None and not open_ended:
        raise ConfigError(
            f"{getattr(function, '__name__', function)!r} takes no question",
            where=where,
            hint="give it one parameter: `messages` (a list) or `prompt` (one string)",
        )
    if first is None:
        positional = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
        return (None if positional else "messages"), False, timeout
    as_text = first.name == "prompt" or first.annotation in (str, "str")
    return (first.name if first.kind is first.KEYWORD_ONLY else None), as_text, timeout


def _prompt(ask: Ask) -> str:
    """Messages as one string; what the model answered before stands in a fence."""
    added = {id(message) for message in ask.extra}
    turns = ask.messages
    if len(turns) == 1:
        return _content(turns[0])
    original = [m for m in turns if id(m) not in added]
    parts = [_content(original[0])] if len(original) == 1 else [f"{m.get('role')}:\n{_content(m)}" for m in original]
    for message in ask.extra:
        words = _content(message)
        parts.append(f"Your earlier answer:\n{fence(words)}" if message.get("role") == "assistant" else words)
    return "\n\n".join(parts)


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
    return ""
