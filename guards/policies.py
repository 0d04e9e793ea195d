"""What to do about a finding (eight policies, combined with `.then()`), and the `Budget` that bounds the asking.

A policy is a value; what it does is done by `engine.call`. A chain is tried from the left: a policy that cannot act, or
whose turns are used up, hands over to the next; a chain that runs out ends in `Raise`.

Several findings of one answer, with different policies: the most drastic acts, in the order of `PRECEDENCE`. Asking
again covers all findings in one question; an answer is delivered by `Noop` only when all that stand say `Noop`.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf
from typing import Any, ClassVar, Final, Generic, Literal, Never, cast

from typing_extensions import TypeVar

from guards.errors import ConfigError
from guards.values.colour import is_async

__all__ = [
    "PRECEDENCE",
    "Budget",
    "Chain",
    "Fallback",
    "Filter",
    "Fix",
    "Noop",
    "Policy",
    "Raise",
    "Reask",
    "Reflect",
    "Refrain",
]

D = TypeVar("D", covariant=True, default=Never)
E = TypeVar("E", default=Never)
V = TypeVar("V", default=Any)

History = Literal["full", "minimal"]


class Policy(Generic[D]):
    """What to do about a finding. `D` is what it may deliver in the answer's place.

    The eight are final; combine them with `.then()`, and put your own behaviour into `Fallback`.
    """

    name: ClassVar[str] = "policy"
    asks: ClassVar[bool] = False
    """Whether it puts a further question to a model."""
    always_acts: ClassVar[bool] = False
    """Whether nothing behind it can have a turn."""

    def then(self, following: Policy[E]) -> Policy[D | E]:
        """This policy first; `following` where it cannot act or its turns are used up.

        Raises ConfigError where it always acts (Raise, Refrain, Fallback of a value), so that nothing can follow.
        """
        if not isinstance(following, Policy):
            raise ConfigError(f"{following!r} is not a policy", where=".then()", hint=f"use one of {', '.join(_NAMES)}")
        return Chain((*self.steps, *following.steps))

    @property
    def steps(self) -> tuple[Policy[Any], ...]:
        """The single policies, in order."""
        return (self,)


@dataclass(frozen=True)
class Chain(Policy[D]):
    """Several policies in order: what `.then()` makes."""

    members: tuple[Policy[Any], ...]
    name: ClassVar[str] = "chain"

    def __post_init__(self) -> None:
        for member, following in pairwise(self.members):
            if member.always_acts:
                raise ConfigError(
                    f"{_called(following)} can never act: {_called(member)} before it always does",
                    where=".then()",
                    hint=f"put {_called(member)} last",
                )

    @property
    def steps(self) -> tuple[Policy[Any], ...]:
        return self.members


@dataclass(frozen=True)
class Raise(Policy[Never]):
    """End the call: `Rejected`."""

    name: ClassVar[str] = "raise"
    always_acts: ClassVar[bool] = True


@dataclass(frozen=True)
class Reask(Policy[Never]):
    """Ask again with the reasons, up to `times`.

    `history="full"` sends the original messages and every earlier answer with its findings; `"minimal"` the task, the
    last answer and its findings. `scope="fields"` asks only for the parts that failed, each with its piece of the
    schema, and merges them into the answer; where the whole failed, the whole is asked for. An answer that was cut off
    is asked for its continuation or its missing parts with either scope.
    """

    times: int = 1
    history: History = "full"
    scope: Literal["answer", "fields"] = "answer"
    name: ClassVar[str] = "reask"
    asks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive(self.times, "Reask(times=)")
        _one_of(self.history, ("full", "minimal"), "Reask(history=)")
        _one_of(self.scope, ("answer", "fields"), "Reask(scope=)")


@dataclass(frozen=True)
class Reflect(Policy[Never]):
    """Have the model say what was wrong and what it will change, then answer; up to `times`.

    `mode="inline"` asks for both in one reply and splits the reflection off; `"separate"` makes a call of its own for
    the reflection, by `client` where one is given. After Reflexion (Shinn et al. 2023): earlier reflections are carried
    into later attempts.
    """

    times: int = 1
    mode: Literal["inline", "separate"] = "inline"
    client: Any = None
    history: History = "full"
    name: ClassVar[str] = "reflect"
    asks: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _positive(self.times, "Reflect(times=)")
        _one_of(self.mode, ("inline", "separate"), "Reflect(mode=)")
        _one_of(self.history, ("full", "minimal"), "Reflect(history=)")
        if self.client is not None and self.mode == "inline":
            raise ConfigError(
                "a client of its own goes with mode='separate'", where="Reflect(client=)", hint="add mode='separate'"
            )


@dataclass(frozen=True)
class Fix(Policy[Never]):
    """Put the finding's proposed value at its place, then check everything again.

    Nothing proposed, or still wrong: the next policy.
    """

    name: ClassVar[str] = "fix"


@dataclass(frozen=True)
class Filter(Policy[Never]):
    """Take the failing list item or optional key out, then check everything again; else the next policy."""

    name: ClassVar[str] = "filter"


@dataclass(frozen=True)
class Refrain(Policy[None]):
    """Withhold the answer: nothing is delivered, nothing raised, nothing asked again."""

    name: ClassVar[str] = "refrain"
    always_acts: ClassVar[bool] = True


@dataclass(frozen=True)
class Noop(Policy[Never]):
    """Deliver the answer as it is, with its findings and `ok=False`. Never delivers what the contract refuses."""

    name: ClassVar[str] = "noop"


class _Absent:
    def __reduce__(self) -> str:
        return "_ABSENT"


_ABSENT: Final = _Absent()


@dataclass(frozen=True)
class Fallback(Policy[V]):
    """Deliver something else: `Fallback(value)`, `Fallback(function)` of the outcome, or `Fallback(client=...)`.

    A value is delivered unchecked with `ok=False`; a function gets the `Outcome` so far and its result is delivered the
    same way. A client (a stronger model, say) is asked the original question once, and its answer is guarded as every
    answer is: if it holds, `ok` is True; if not, the next policy applies.
    """

    value: V | Callable[[Any], V] | _Absent = _ABSENT
    client: Any = None
    name: ClassVar[str] = "fallback"

    def __post_init__(self) -> None:
        if (self.value is _ABSENT) == (self.client is None):
            raise ConfigError(
                "needs either a value (or a function of the outcome) or a client",
                where="Fallback()",
                hint="write Fallback(value), Fallback(function) or Fallback(client=...)",
            )
        if callable(self.value) and is_async(self.value):
            raise _not_awaited()

    @property
    def asks(self) -> bool:  # type: ignore[override]  # only the client form puts a question
        return self.client is not None

    @property
    def always_acts(self) -> bool:  # type: ignore[override]  # the client may give no answer that holds
        return self.client is None

    def deliver(self, outcome: Any) -> V:
        """The value, or the function's result for this outcome."""
        if not callable(self.value):
            return cast("V", _apart(self.value))
        given = self.value(outcome)
        if isinstance(given, Coroutine):  # of a plain function that calls an async one
            given.close()
            raise _not_awaited()
        return given


PRECEDENCE: Final = ("raise", "refrain", "fallback", "fix", "filter", "reflect", "reask", "noop")
"""Which policy acts when the findings of one answer have different ones: the most drastic first."""

_NAMES: Final = ("Raise", "Reask", "Reflect", "Fix", "Filter", "Refrain", "Noop", "Fallback")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent; whichever ends first ends the asking.

    Args:
        attempts: questions per call.
        seconds: wall time over the call, or over the whole session; guards and transport retries included.
        tokens: input and output tokens together, over the call or session.
        cost: in the currency of `price`, over the call or session.
        price: (input, output) per million tokens, where replies do not carry a cost themselves.
    """

    attempts: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    cost: float | None = None
    price: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.attempts is not None:
            _positive(self.attempts, "Budget(attempts=)")
        for name in ("seconds", "tokens", "cost"):
            amount = getattr(self, name)
            if amount is None:
                continue
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not amount > 0:
                raise ConfigError(f"must be a number above 0, not {amount!r}", where=f"Budget({name}=)")
        if self.price is not None:
            if not _is_price(self.price):
                raise ConfigError("must be two numbers, (input, output) per million tokens", where="Budget(price=)")
            object.__setattr__(self, "price", tuple(self.price))

    def cost_of(self, usage: Mapping[str, Any]) -> float | None:
        """What a reply's usage cost: as it says itself, else by `price`, else unknown."""
        said = usage.get("cost")
        if said is not None:
            return float(said)
        if self.price is None:
            return None
        into, out = usage.get("input_tokens"), usage.get("output_tokens")
        if into is None and out is None:
            return None
        return ((into or 0) * self.price[0] + (out or 0) * self.price[1]) / 1_000_000

    def replace(self, **changes: Any) -> Budget:
        """A copy with other bounds."""
        return replace(self, **changes)


def _not_awaited() -> ConfigError:
    return ConfigError(
        "the function is async, and its result is not awaited",
        where="Fallback()",
        hint="use a plain function, or Fallback(client=...) for who is to be asked instead",
    )


def _apart(value: Any) -> Any:
    """A copy of what whoever gets it may change: one call's fallback is no other's. As pydantic does with defaults."""
    if not isinstance(value, list | dict | set | bytearray | deque) and not any(hasattr(value, n) for n in _FIELDS):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # noqa: BLE001  # it holds what nobody can copy (a lock, a client): it is what it is
        return value


_FIELDS: Final = ("__pydantic_fields__", "__dataclass_fields__")


def _is_price(price: Any) -> bool:
    return (
        isinstance(price, tuple | list)
        and len(price) == 2
        and all(isinstance(p, int | float) and not isinstance(p, bool) and 0 <= p < inf for p in price)
    )


def _called(policy: Policy[Any]) -> str:
    return type(policy).__name__


def _positive(amount: Any, where: str) -> None:
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
        raise ConfigError(f"must be a whole number from 1 up, not {amount!r}", where=where)


def _one_of(given: Any, allowed: tuple[str, ...], where: str) -> None:
    if given not in allowed:
        raise ConfigError(f"unknown value {given!r}", where=where, hint=f"use one of {', '.join(map(repr, allowed))}")
