"""Guards that ask a model: what one is, and what it is handed to ask by.

Such a guard does not call anybody. Its `ask` is a generator that yields what it needs (`effects`), so that it is
written once for sync and async; who is asked, on whose budget, and what a call counts as, is `engine.questions`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol, TypeVar

from guards.checks.base import Guard, OnError, Unreadable, Verdict
from guards.context import Context
from guards.contracts.base import Contract
from guards.effects import Compute, Flow, Job, Together
from guards.errors import ConfigError
from guards.messages import Message
from guards.policies import Policy
from guards.reading.reading import Reading

__all__ = ["Asking", "AskingGuard", "check_count", "check_text", "computed", "side_by_side"]

T = TypeVar("T")


class Asking(Protocol):
    """The model that a guard may ask, within what the call may still spend.

    `deadline` is when the guard's time is up, on the clock of `time.monotonic()`; None without a bound.
    """

    deadline: float | None

    def answer(self, messages: Sequence[Message], contract: Contract[T]) -> Flow[T]:
        """The answer to a question of the guard's own. One that does not fit the contract is asked for again with the
        reasons, twice.

        Raises RuntimeError where none fits or the budget ended, TimeoutError, and what the client raises.
        """
        ...

    def sample(self, messages: Sequence[Message] | None = None) -> Flow[Reading[Any]]:
        """One more answer to the question of the call (or to other messages), read by the contract of the call: what
        stands where the guard stands. It is not `ok` where nothing could be read. Raises as `answer`.
        """
        ...


class AskingGuard(Guard):
    """A guard that asks a model. Subclass it and write `ask`.

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

    def ask(self, value: Any, context: Context, asking: Asking) -> Flow[Verdict]:
        """What is wrong with the value, as `Guard.check` says it; a generator that asks by `yield from`."""
        raise NotImplementedError(f"{type(self).__name__} has no ask(value, context, asking)")

    def check(self, value: Any, context: Context) -> NoReturn:
        raise ConfigError(
            "asks a model, and a bare check has none",
            where=f"guard {self.name!r}",
            hint="run it by Guarded, or by validate with client=",
        )


def side_by_side(flows: Sequence[Flow[T]]) -> Flow[list[T]]:
    """What the flows give, driven together. Raises the first fault among them."""
    entries: list[Any] = yield Together(flows)
    return [_unless_fault(entry) for entry in entries]


def computed(run: Callable[[], T], deadline: float | None) -> Flow[T]:
    """What work that blocks gives, done in a thread. Raises what it raises."""
    (entry,) = yield Compute([Job(run, is_async=False, deadline=deadline)])
    result: T = _unless_fault(entry)
    return result


def check_count(given: Any, where: str) -> None:
    """`ConfigError` for a number of questions that is none."""
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigError(f"must be a whole number from 1 up, not {given!r}", where=where)


def check_text(given: Any, where: str) -> None:
    """`ConfigError` for words or a key that are none."""
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(f"must be text, not {given!r}", where=where)


def _unless_fault(entry: Any) -> Any:
    if isinstance(entry, BaseException):
        raise entry
    return entry
