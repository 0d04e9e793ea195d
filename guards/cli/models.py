"""The real models of `guards demo --model`: a callable of messages for `openai:NAME` and `anthropic:NAME`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
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
    """The model could not be asked (no key, no line, no such model): nothing that asking again would mend."""

    exit_code = 2


def named(model: str, base_url: str | None) -> Client:
    """The client for `openai:NAME` or `anthropic:NAME`.

    Raises `ConfigError` for another form, `MissingExtra` where the SDK is not installed.
    """
    kind, given, name = model.partition(":")
    if not given or not name or kind not in _KINDS:
        raise ConfigError(f"{model!r} names no model", where="--model", hint="write openai:NAME or anthropic:NAME")
    return _KINDS[kind](name, base_url)


def _openai(name: str, base_url: str | None) -> Client:
    try:
        import openai
    except ImportError as fault:
        raise MissingExtra("openai", "openai", where="--model") from fault
    sdk = openai.OpenAI(base_url=base_url, api_key=_key("OPENAI_API_KEY", base_url))

    def ask(messages: Sequence[Message]) -> Any:
        try:
            return sdk.chat.completions.create(model=name, messages=list(messages))  # type: ignore[arg-type]
        except openai.OpenAIError as fault:
            raise _unanswered(fault) from fault

    return ask


def _anthropic(name: str, base_url: str | None) -> Client:
    try:
        import anthropic
    except ImportError as fault:
        raise MissingExtra("anthropic", "anthropic", where="--model") from fault
    sdk = anthropic.Anthropic(base_url=base_url, api_key=_key("ANTHROPIC_API_KEY", base_url))

    def ask(messages: Sequence[Message]) -> Any:
        try:
            return sdk.messages.create(model=name, max_tokens=MAX_TOKENS, messages=list(messages))  # type: ignore[arg-type]
        except anthropic.AnthropicError as fault:
            raise _unanswered(fault) from fault

    return ask


_KINDS: dict[str, Callable[[str, str | None], Client]] = {"openai": _openai, "anthropic": _anthropic}


def _key(variable: str, base_url: str | None) -> str:
    key = os.environ.get(variable)
    if key:
        return key
    if base_url:
        return "none"  # a server of one's own mostly wants no key; the SDKs insist on one
    raise ConfigError("there is no key for the model's maker", where="--model", hint=f"set {variable}")


def _unanswered(fault: Exception) -> Unanswered:
    return Unanswered(" ".join(harmless(str(fault)).split()))
