"""The standalone validator: no call, no retry, every finding. And `contract()`, a contract on its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

from typing_extensions import TypeForm

from guards._asking import Desk, check_askable, check_clients, refuse_async_guards
from guards._drivers import run_async, run_sync
from guards._flow import Flow
from guards._ledger import Ledger
from guards._pipeline import NO_GUARDS, Examined, GuardSet, examine
from guards._spend import Spend, clock
from guards.checks.base import Guard, Placed
from guards.clients import resolve
from guards.context import Context
from guards.contracts.base import Contract, Dial, Limits, Style, check_dial
from guards.contracts.compiled import compile_contract
from guards.errors import ConfigError
from guards.policies import Budget, Raise
from guards.records import Outcome, Reason, Usage

__all__ = ["Compiled", "avalidate", "check_context", "contract", "desk_of", "validate"]

T = TypeVar("T")
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Compiled(Generic[T]):
    """A contract ready for use by itself; also taken wherever a contract is. `contract` is what does the work."""

    contract: Contract[T]

    def validate(
        self,
        text: str,
        *,
        guards: Iterable[Guard | Placed] = (),
        context: Mapping[str, Any] | None = None,
        reading: Dial = "careful",
        limits: Limits = _LIMITS,
    ) -> Outcome[T]:
        """As `guards.validate`."""
        return validate(text, self.contract, guards=guards, context=context, reading=reading, limits=limits)

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the value; `ConfigError` where there is none."""
        return self.contract.json_schema()

    def prompt(self, style: Style | None = None) -> str:
        """The text that tells a model what to answer."""
        return self.contract.prompt(style)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the contract could not take over from its source."""
        return self.contract.notes


@overload
def contract(given: Contract[T] | Compiled[T], *, format: str | None = None) -> Compiled[T]: ...
@overload
def contract(given: TypeForm[T], *, format: str | None = None) -> Compiled[T]: ...
@overload
def contract(given: Mapping[str, Any] | Path, *, format: str | None = None) -> Compiled[Any]: ...


def contract(given: Any, *, format: str | None = None) -> Compiled[Any]:  # noqa: A002  # the public name
    """The compiled contract of anything that may stand as one: a Python type, a schema, a file's path.

    Raises `ConfigError` for what cannot be one.
    """
    return Compiled(compile_contract(given, format))


@overload
def validate(
    text: str,
    contract: Contract[T] | Compiled[T],
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[T]: ...
@overload
def validate(
    text: str,
    contract: TypeForm[T],
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[T]: ...
@overload
def validate(
    text: str,
    contract: Mapping[str, Any] | Path,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[Any]: ...


def validate(
    text: str,
    contract: Any,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002  # the public name
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[Any]:
    """Hold a text against a contract and guards: every tier runs, every finding is reported, no other answer is asked
    for. Guards that ask a model bring their own client.

    Never raises for a bad text; `ConfigError` for wrong use (no contract, no guard, a missing context key).
    """
    compiled, guard_set = _prepare(text, contract, guards, context, format, reading)
    refuse_async_guards(guard_set, resolve, "validate")
    return run_sync(_validate(text, compiled, guard_set, context, reading, limits))


@overload
async def avalidate(
    text: str,
    contract: Contract[T] | Compiled[T],
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[T]: ...
@overload
async def avalidate(
    text: str,
    contract: TypeForm[T],
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[T]: ...
@overload
async def avalidate(
    text: str,
    contract: Mapping[str, Any] | Path,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[Any]: ...


async def avalidate(
    text: str,
    contract: Any,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002  # the public name
    reading: Dial = "careful",
    limits: Limits = _LIMITS,
) -> Outcome[Any]:
    """As `validate`, with async checks awaited in the running loop and slow ones kept out of it."""
    compiled, guard_set = _prepare(text, contract, guards, context, format, reading)
    return await run_async(_validate(text, compiled, guard_set, context, reading, limits))


def check_context(guards: GuardSet, context: Mapping[str, Any] | None, where: str = "context=") -> None:
    """`ConfigError` where a guard needs a key that nobody gave: it could not do its work."""
    missing = guards.missing(context or {})
    if missing is not None:
        key, label = missing
        raise ConfigError(
            f"the guard {label!r} needs the key {key!r}", where=where, hint=f"pass context={{{key!r}: …}}"
        )


def _prepare(
    text: Any, given: Any, guards: Iterable[Any], context: Mapping[str, Any] | None, format_: str | None, dial: str
) -> tuple[Contract[Any], GuardSet]:
    if not isinstance(text, str):
        raise ConfigError(f"must be a str, not {type(text).__name__}", where="text", hint="decode bytes first")
    check_dial(dial)
    compiled = compile_contract(given, format_)
    if not guards and not compiled.all_inner_guards:
        return compiled, NO_GUARDS
    guard_set = GuardSet.of(guards, compiled)
    check_clients(guard_set, resolve)
    check_askable(guard_set, "validate", question=False)
    check_context(guard_set, context)
    return compiled, guard_set


def _validate(
    text: str,
    compiled: Contract[Any],
    guard_set: GuardSet,
    context: Mapping[str, Any] | None,
    dial: Dial,
    limits: Limits,
) -> Flow[Outcome[Any]]:
    started = clock()
    ledger = Ledger(Spend(Budget()), ())
    desk = desk_of(compiled, dial, limits, ledger) if guard_set.asking else None
    reading = compiled.read(text, dial, limits, dict(context) if context else None)
    examined = yield from examine(reading, compiled, guard_set, Context(context), desk, every_tier=True)
    return _outcome(text, examined, ledger.usage, started)


def desk_of(compiled: Contract[Any], dial: Dial, limits: Limits, ledger: Ledger) -> Desk:
    """Where guards ask that brought their own client: nobody else is there, and no budget."""
    from guards._engine import Plan

    plan = Plan(compiled, NO_GUARDS, NO_GUARDS, Raise(), None, dial, limits, "default", (), resolve)
    return Desk(plan, None, (), {}, Spend(Budget()), partial(ledger.add, None))


def _outcome(text: str, examined: Examined[Any], usage: Usage, started: float) -> Outcome[Any]:
    reading = examined.reading
    if not examined.blocking:
        return Outcome(
            True,
            reading.value,
            text,
            examined.findings,
            examined.scores,
            reading.repairs,
            usage=usage,
            seconds=clock() - started,
            document=reading.document,
        )
    reason = examined.failure or (_GUARD_REFUSED if reading.ok else _CONTRACT_REFUSED)
    return Outcome(
        False,
        None,
        text,
        examined.findings,
        examined.scores,
        reading.repairs,
        usage=usage,
        seconds=clock() - started,
        reason=reason,
        cause=examined.faults[0] if examined.faults else None,
    )


_GUARD_REFUSED = Reason("guard.refused", "A guard refused the answer.")
_CONTRACT_REFUSED = Reason("contract.refused", "The answer does not fit the contract.")
