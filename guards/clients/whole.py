"""What a client gave whole, as a `Reply`: text, a `Reply`, an SDK's response."""

from __future__ import annotations

import inspect
from typing import Any

from guards.clients.sdks import module_of, of_response
from guards.effects import NoAnswer
from guards.errors import ConfigError
from guards.messages import Reply

__all__ = ["whole_of"]


def whole_of(raw: Any) -> Reply:
    """The answer in it; `ConfigError` for anything that is none. Raises `NoAnswer` where it asks for a tool."""
    if isinstance(raw, str):
        return Reply(raw)
    if isinstance(raw, Reply):
        if raw.finish == "tool_calls":
            raise NoAnswer(raw, is_data=raw.text != "")
        return raw
    sdk = of_response(raw)
    if sdk is not None:
        reply: Reply = module_of(sdk).read(raw)
        return reply
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


def _article(raw: Any) -> str:
    if raw is None:
        return "None"
    name = type(raw).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
