"""Whatever answers, as a `Client`; and whatever it gave, as a `Reply`."""

from __future__ import annotations

from typing import Any, Final

from guards.clients.callables import CallableClient, reply_turns
from guards.clients.replies import answer_of, reply_of
from guards.clients.sdks import module_of, sdk_of
from guards.effects import Client
from guards.errors import ConfigError

__all__ = ["answer_of", "reply_of", "reply_turns", "resolve", "sdk_of"]

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
        adapter: Client | None = module_of(sdk).adapt(llm, where=where)
        if adapter is not None:
            return adapter
    if not callable(llm):
        raise ConfigError(
            f"{type(llm).__name__} cannot be called", where=where, hint="pass a function of `messages` or of `prompt`"
        )
    return CallableClient(llm, where=where)
