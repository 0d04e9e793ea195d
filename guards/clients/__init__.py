"""Whatever answers, as a `Client`; and whatever it gave, as a `Reply`.

Which SDK an object belongs to is told by its class's module, so that no SDK is imported to ask. Each SDK's shapes are
known to one file, loaded when an object of that SDK is seen: `openai`, `anthropic`, `litellm`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from guards.clients.callables import CallableClient, reply_of_plain, reply_turns
from guards.clients.incoming import Incoming, is_stream
from guards.effects import Client, NoAnswer
from guards.errors import ConfigError
from guards.messages import Reply

__all__ = ["answer_of", "reply_of", "reply_turns", "resolve", "sdk_of"]

_SDKS: Final = frozenset({"openai", "anthropic", "litellm"})
_SEAM: Final = ("colour", "send", "read", "turns", "transient", "retry_after")


def resolve(llm: Any, *, where: str = "call") -> Client:
    """The client behind what a caller named.

    A `Client` passes. A method of an OpenAI or Anthropic SDK client (or a `functools.partial` of one) and LiteLLM's
    `completion` get their SDK's adapter; any other callable is called as its signature says. Raises `ConfigError` for
    what cannot be asked.
    """
    # A mock has every attribute; only a client's colour is one of the two.
    if getattr(llm, "colour", None) in ("sync", "async") and all(hasattr(llm, name) for name in _SEAM):
        client: Client = llm
        return client
    sdk = sdk_of(llm)
    if sdk is not None:
        adapter: Client | None = _module(sdk).adapt(llm, where=where)
        if adapter is not None:
            return adapter
    if not callable(llm):
        raise ConfigError(
            f"{type(llm).__name__} cannot be called", where=where, hint="pass a function of `messages` or of `prompt`"
        )
    return CallableClient(llm, where=where)


def reply_of(raw: Any) -> Reply:
    """Text, a `Reply`, an SDK's response or an iterator of text as a `Reply`; `ConfigError` for anything else."""
    try:
        return answer_of(raw)
    except NoAnswer as signal:
        return signal.reply


def answer_of(raw: Any) -> Reply:
    """As `reply_of`; raises `NoAnswer` where it asks for a tool."""
    if isinstance(raw, str):
        return Reply(raw)
    if isinstance(raw, Reply):
        if raw.finish == "tool_calls":
            raise NoAnswer(raw, is_data=raw.text != "")
        return raw
    if isinstance(raw, Incoming):
        return _drained(raw)
    if is_stream(raw):
        return _drained(Incoming(raw))
    sdk = _response_sdk(raw)
    if sdk is not None:
        reply: Reply = _module(sdk).read(raw)
        return reply
    plain = reply_of_plain(raw)
    if plain is not None:
        return plain
    if inspect.isawaitable(raw):
        if inspect.iscoroutine(raw):
            raw.close()
        raise ConfigError(
            f"the client gave {_article(raw)}: it is async",
            where="client",
            hint="write it as `async def` and use `await ticket.acall(...)`",
        )
    if hasattr(raw, "__aiter__"):
        raise ConfigError(
            f"the client gave {_article(raw)}", where="client", hint="use `await ticket.acall(...)` with it"
        )
    raise ConfigError(
        f"the client gave {_article(raw)}",
        where="client",
        hint="return text, a Reply, an SDK response or an iterator of text",
    )


def _drained(incoming: Incoming) -> Reply:
    """An answer on its way, read to its end."""
    while incoming.next() is not None:
        pass
    return incoming.reply


def sdk_of(llm: Any) -> str | None:
    """Which SDK a method, function, module or client object belongs to; a `functools.partial` is looked through."""
    while isinstance(llm, functools.partial):
        llm = llm.func
    if inspect.isfunction(llm):
        root = llm.__module__.partition(".")[0] if isinstance(llm.__module__, str) else ""
        return root if root == "litellm" else None  # the other SDKs answer through methods
    if inspect.ismodule(llm):
        return llm.__name__ if llm.__name__ in _SDKS else None
    owner = getattr(llm, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        return _root(type(owner))
    return _root(type(llm))


def _root(kind: type) -> str | None:
    """The SDK that a class, or one that it inherits from, was made by."""
    for ancestor in kind.__mro__:
        root = str(ancestor.__module__).partition(".")[0]
        if root in _SDKS:
            return root
    return None


def _response_sdk(raw: Any) -> str | None:
    if isinstance(raw, Mapping):
        if "choices" in raw or "output" in raw:
            return "openai"
        return "anthropic" if raw.get("type") == "message" and "content" in raw else None
    # By its own module first: LiteLLM's responses inherit from OpenAI's.
    return _root(type(raw))


def _module(sdk: str) -> Any:
    return import_module(f"guards.clients.{sdk}")


def _article(raw: Any) -> str:
    if raw is None:
        return "None"
    name = type(raw).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
