"""What goes to a model and comes back: messages, `Reply`, and the `Feedback` handed to a function that asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guards.errors import ConfigError
from guards.findings import Finding
from guards.values.made import Made

__all__ = ["ROLES", "Feedback", "Message", "Reply", "as_messages"]

Message = Mapping[str, Any]
"""One turn: `role`, `content`, and whatever else the SDK puts there; passed on unchanged."""

ROLES: Final = ("user", "system", "developer", "assistant", "tool", "function")
"""Whose turn a message may be; any other word in that place is somebody's text."""

_FINISH = {
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client gave back.

    Args:
        text: the answer's text.
        usage: a mapping with `input_tokens`, `output_tokens` and perhaps `cost`; None when the client does not say.
        finish_reason: `stop`, `length`, `tool_calls`, `content_filter`, `refusal`; the SDKs' own spellings are mapped
            to these by `finish`. None when unknown.
        raw: the SDK's own response.
    """

    text: str
    usage: Mapping[str, Any] | None = None
    finish_reason: str | None = None
    raw: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ConfigError(f"must be a str, not {type(self.text).__name__}", where="Reply(text=)")
        if self.usage is not None and not isinstance(self.usage, Mapping):
            raise ConfigError(
                f"must be a mapping or None, not {self.usage!r}",
                where="Reply(usage=)",
                hint='write it like {"input_tokens": 3, "output_tokens": 5}',
            )
        if self.finish_reason is not None and not isinstance(self.finish_reason, str):
            raise ConfigError(f"must be a str or None, not {self.finish_reason!r}", where="Reply(finish_reason=)")

    @property
    def finish(self) -> str | None:
        """`finish_reason` in one spelling, whatever its letters' case."""
        word = self.finish_reason.lower() if self.finish_reason else None
        return _FINISH.get(word, word) if word else None


@dataclass(frozen=True)
class Feedback(Made):
    """Why the last answer was not accepted, for the function that asks again.

    `str(feedback)` is the text to send; it names each finding's path. `messages` are the same as turns (the answer as
    an assistant's turn, then the text), to be added after the original ones. `attempt` is the number of the coming
    attempt, from 2 on.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    messages: tuple[Message, ...] = ()
    attempt: int = 2

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ConfigError(f"must be a str, not {type(self.text).__name__}", where="Feedback(text=)")
        self._hold("findings", Finding)
        self._hold("messages", dict, Mapping)
        if isinstance(self.attempt, bool) or not isinstance(self.attempt, int) or self.attempt < 1:
            raise ConfigError(f"must be a whole number from 1 up, not {self.attempt!r}", where="Feedback(attempt=)")

    def _hold(self, name: str, *kinds: type) -> None:
        given = getattr(self, name)
        if not isinstance(given, tuple | list) or not all(isinstance(one, kinds) for one in given):
            raise ConfigError(f"must hold {kinds[-1].__name__}s, not {given!r}", where=f"Feedback({name}=)")
        if type(given) is not tuple:
            object.__setattr__(self, name, tuple(given))

    def __str__(self) -> str:
        return self.text


def as_messages(messages: str | Sequence[Message]) -> tuple[Message, ...]:
    """A string is one user turn; a sequence of turns stays as it is, an SDK's own message objects as mappings.

    Raises `ConfigError` for anything else.
    """
    if isinstance(messages, str):
        return ({"role": "user", "content": messages},)
    turns = [_as_turn(message) for message in messages] if isinstance(messages, Sequence) else [None]
    if None in turns:
        raise ConfigError(
            f"must be a str or a list of turns, not {type(messages).__name__}",
            where="messages",
            hint="a turn is a mapping like {'role': 'user', 'content': '...'}",
        )
    return tuple(turn for turn in turns if turn is not None)


def _as_turn(message: Any) -> Message | None:
    if isinstance(message, Mapping):
        return message
    # What an SDK gave is often sent back as it is: `messages.append(response.choices[0].message)`.
    dump: Any = getattr(message, "model_dump", None)
    if not callable(dump) or isinstance(message, type):
        return None
    turn: dict[str, Any] = _both(dump(exclude_none=True, by_alias=True), dump(exclude_unset=True, by_alias=True))
    return turn


def _both(said: Any, given: Any) -> Any:
    """What an object says, and the nulls that it was given: a server may ask for `content: null`, and refuse the null
    of each member that nobody gave."""
    if isinstance(said, dict) and isinstance(given, dict):
        return {**given, **{key: _both(value, given[key]) if key in given else value for key, value in said.items()}}
    if isinstance(said, list | tuple) and isinstance(given, list | tuple) and len(said) == len(given):
        return [_both(one, other) for one, other in zip(said, given, strict=True)]
    return said
