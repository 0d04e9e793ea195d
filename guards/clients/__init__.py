"""Whatever answers, as a `Client`."""

from __future__ import annotations

import inspect
from typing import Any

from guards._flow import Client
from guards.clients.callables import CallableClient, reply_of_plain, reply_turns
from guards.errors import ConfigError
from guards.messages import Reply

__all__ = ["reply_of", "reply_turns", "resolve"]


def resolve(llm: Any, *, where: str = "call") -> Client:
    """The client behind what a caller named."""
    if all(hasattr(llm, name) for name in ("colour", "send", "read", "turns")):
        client: Client = llm
        return client
    if not callable(llm):
        raise ConfigError(f"{type(llm).__name__} cannot be called", where=where, hint="pass a function of messages")
    return CallableClient(llm, where=where)


def reply_of(raw: Any) -> Reply:
    """Text, a `Reply`, an SDK's response or an iterator of text as a `Reply`."""
    reply = reply_of_plain(raw)
    if reply is not None:
        return reply
    if inspect.isawaitable(raw):
        if inspect.iscoroutine(raw):
            raw.close()
        raise ConfigError("the client is async", where="call", hint="use `await ticket.acall(...)`")
    raise ConfigError(
        f"the client gave {type(raw).__name__}", where="client", hint="return text, a Reply or an SDK response"
    )
