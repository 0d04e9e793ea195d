"""The real models of `guards demo --model`: a callable of messages for `openai:NAME` and `anthropic:NAME`.

The SDKs are asked for by name and treated as a user's own code would treat them; their shapes are known in `clients/`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from guards.cli.screen import harmless
from guards.errors import ConfigError, MissingExtra
from guards.messages import Message

__all__ = ["Client", "named"]

Client = Callable[[Sequence[Message]], Any]

MAX_TOKENS = 2000
"""Room for each of the demo's answers several times over; Anthropic's interface asks for a figure."""


class Unanswered(click.ClickException):
    """The model could not be asked (no line, no such model): nothing that asking again would mend."""

    exit_code = 2

    def __init__(self, fault: Exception) -> None:
        super().__init__(" ".join(harmless(str(fault)).split()))


@dataclass(frozen=True, slots=True)
class Sdk:
    """What the demo has to know of an SDK: its client, the root of its errors, its key, and how to ask."""

    client: str
    error: str
    key: str
    ask: Callable[[Any, str, Sequence[Message]], Any]


_SDKS = {
    "openai": Sdk(
        "OpenAI",
        "OpenAIError",
        "OPENAI_API_KEY",
        lambda sdk, name, messages: sdk.chat.completions.create(model=name, messages=list(messages)),
    ),
    "anthropic": Sdk(
        "Anthropic",
        "AnthropicError",
        "ANTHROPIC_API_KEY",
        lambda sdk, name, messages: sdk.messages.create(model=name, max_tokens=MAX_TOKENS, messages=list(messages)),
    ),
}


def named(model: str, base_url: str | None) -> Client:
    """The client for `openai:NAME` or `anthropic:NAME`.

    Raises `ConfigError` for another form or without a key, `MissingExtra` where the SDK is not installed.
    """
    kind, _, name = model.partition(":")
    if not name or kind not in _SDKS:
        raise ConfigError(f"{model!r} names no model", where="--model", hint="write openai:NAME or anthropic:NAME")
    about = _SDKS[kind]
    try:
        module = import_module(kind)
    except ImportError as fault:
        raise MissingExtra(kind, kind, where="--model") from fault
    sdk = getattr(module, about.client)(base_url=base_url, api_key=_key(about.key, base_url))
    error = getattr(module, about.error)

    def ask(messages: Sequence[Message]) -> Any:
        try:
            return about.ask(sdk, name, messages)
        except error as fault:
            raise Unanswered(fault) from fault

    return ask


def _key(variable: str, base_url: str | None) -> str:
    key = os.environ.get(variable)
    if key:
        return key
    if base_url:
        return "none"  # a server of one's own mostly wants no key; the SDKs insist on one
    raise ConfigError("there is no key for the model's maker", where="--model", hint=f"set {variable}")
