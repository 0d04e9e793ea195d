"""Guards that ask a model: what one is. Who is asked, on whose budget, and what a call counts as, is
`engine.questions`."""

from __future__ import annotations

from typing import Any

from guards.checks.base import Guard, OnError, Unreadable, Verdict
from guards.context import Context
from guards.effects import Flow
from guards.errors import ConfigError
from guards.policies import Policy

__all__ = ["AskingGuard", "check_count", "check_text"]


class AskingGuard(Guard):
    """A guard that asks a model. Subclass it and write `flow`, a generator: `yield Question(messages, contract)` gives
    an answer to a question of its own, `yield Sample()` one more answer to that of the call (`guards.effects`).

    Attributes:
        client: who is asked; None for the client of the call.
        resamples: whether it puts the call's own question again, and so needs one that is known.
    """

    cost = 4
    client: Any = None
    resamples: bool = False

    def __init__(
        self,
        *,
        client: Any = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        self.client = client
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        """What is wrong with the value, as `Guard.check` says it."""
        raise NotImplementedError(f"{type(self).__name__} has no flow(value, context)")


def check_count(given: Any, where: str) -> None:
    """`ConfigError` for a number of questions that is none."""
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigError(f"must be a whole number from 1 up, not {given!r}", where=where)


def check_text(given: Any, where: str) -> None:
    """`ConfigError` for words or a key that are none."""
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(f"must be text, not {given!r}", where=where)
