"""What guards may compare an answer with: source documents, the question, a reference, rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from guards.errors import ConfigError
from guards.messages import Message

__all__ = ["Context", "checked_context"]


def checked_context(given: Any) -> Mapping[str, Any]:
    """What a caller gave as `context=`, or nothing. `ConfigError` for what is no mapping."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ConfigError(f"must be a mapping, not {type(given).__name__}", where="context=")
    return given


class Context(Mapping[str, Any]):
    """A read-only mapping of what the caller gave, and where in the call a guard stands.

    `messages`: what was sent to the model. `asked`: of them what the caller asked, without the turns that the library
    added to ask again. `attempt`: 1 for the first answer; 0 outside a call. `partial`: whether the
    value is still being written (streaming). `deadline`: when the budget's seconds end, on the clock of
    `time.monotonic()`; None without a bound.
    """

    __slots__ = ("_values", "asked", "attempt", "deadline", "messages", "partial")

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        messages: tuple[Message, ...] = (),
        asked: tuple[Message, ...] | None = None,
        attempt: int = 0,
        partial: bool = False,
        deadline: float | None = None,
    ) -> None:
        self._values = values or {}
        self.messages = messages
        self.asked = messages if asked is None else asked
        self.attempt = attempt
        self.partial = partial
        self.deadline = deadline

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Context({', '.join(sorted(self._values))}; attempt {self.attempt})"
