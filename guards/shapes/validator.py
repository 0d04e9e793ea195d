"""The standalone validator: no call, no retry, every finding. And `contract()`, a contract on its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Never, TypedDict, overload

from typing_extensions import TypeForm, TypeVar, Unpack

from guards.checks.base import Guard, Placed
from guards.clients import resolve
from guards.context import Context, checked_context
from guards.contracts.base import Contract, Style
from guards.driving.drivers import run_async, run_sync
from guards.effects import LONG_TEXT, Flow, LongWork
from guards.engine.deciding import Deciding
from guards.engine.examining import Examined, unguarded
from guards.engine.guard_set import GuardSet
from guards.engine.ledger import Ledger, Open
from guards.engine.plan import Plan, plan_of
from guards.engine.questions import Desk
from guards.engine.settling import EDITS, Examiner, delivered, settle
from guards.engine.spend import Spend
from guards.engine.terms import Terms, WholeOnly, terms_of
from guards.errors import ConfigError
from guards.messages import Reply
from guards.policies import Budget, Policy, Raise
from guards.reading.reading import Dial, Limits, Reading
from guards.records import ACCEPTED, Outcome, Reason

if TYPE_CHECKING:
    from guards.contracts.grammar import Grammar
    from guards.engine.telling import Telling
    from guards.guarded import Guarded

__all__ = ["Compiled", "avalidate", "contract", "desk_of", "validate"]

T = TypeVar("T")
D = TypeVar("D", default=Never)


class ValidateOptions(TypedDict, total=False):
    """What may be said of a validation beside its contract; but for `on_fail`, which says what is delivered."""

    guards: Iterable[Guard | Placed]
    context: Mapping[str, Any] | None
    format: str | None
    reading: Dial | None
    limits: Limits | None


@dataclass(frozen=True, slots=True)
class Compiled(Generic[T]):
    """A contract ready for use by itself; also taken wherever a contract is.

    Made of a `Guarded`, it keeps all that the ticket says: `validate` runs its guards and applies its policies.
    """

    terms: Terms[T]
    """What it was made of; inside the library."""
    __get_pydantic_core_schema__ = WholeOnly()

    @property
    def contract(self) -> Contract[T]:
        """What does the work."""
        return self.terms.compiled

    def validate(
        self,
        text: str,
        *,
        guards: Iterable[Guard | Placed] = (),
        context: Mapping[str, Any] | None = None,
        reading: Dial | None = None,
        limits: Limits | None = None,
        on_fail: Policy[D] | None = None,
    ) -> Outcome[T | D]:
        """As `guards.validate`."""
        return validate(text, self, guards=guards, context=context, reading=reading, limits=limits, on_fail=on_fail)

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the value; `ConfigError` where there is none."""
        return self.contract.json_schema()

    def grammar(self) -> Grammar | None:
        """What constrained decoding can be given; None where there is nothing (a free text, an answer in XML)."""
        return self.contract.grammar()

    def prompt(self, style: Style | None = None) -> str:
        """The text that tells a model what to answer."""
        return self.contract.prompt(style)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the contract could not take over from its source."""
        return self.contract.notes

    def __repr__(self) -> str:
        return f"contract({self.contract!r})"


@overload
def contract(given: Contract[T] | Compiled[T] | Guarded[T], *, format: str | None = None) -> Compiled[T]: ...
@overload
def contract(given: TypeForm[T], *, format: str | None = None) -> Compiled[T]: ...
@overload
def contract(given: Mapping[str, Any] | Path, *, format: str | None = None) -> Compiled[Any]: ...


def contract(given: Any, *, format: str | None = None) -> Compiled[Any]:  # noqa: A002  # the public name
    """The compiled contract of anything that may stand as one: a Python type, a schema, a file's path, a `Guarded`.

    Raises `ConfigError` for what cannot be one.
    """
    compiled = Compiled(terms_of(given, format=format))
    _ = compiled.terms.guard_set  # what cannot be compiled is wrong here, not at its first use
    return compiled


@overload
def validate(
    text: str,
    contract: Contract[T] | Compiled[T] | Guarded[T],
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[T | D]: ...
@overload
def validate(
    text: str,
    contract: TypeForm[T],
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[T | D]: ...
@overload
def validate(
    text: str,
    contract: Mapping[str, Any] | Path,
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[Any]: ...


def validate(
    text: str,
    contract: Any,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002  # the public name
    reading: Dial | None = None,
    limits: Limits | None = None,
    on_fail: Policy[Any] | None = None,
) -> Outcome[Any]:
    """Hold a text against a contract and guards: every tier runs, every finding is reported, no other answer is asked
    for. Guards that ask a model bring their own client.

    What stands as the contract brings all that it says: a `Guarded` (or `contract(...)` of one) its guards, reading,
    limits, format and policies; its input guards do not run, since there is no input. An option given here goes before
    its own, `reading="careful"` too, and guards given here are added.

    Policies that need no call apply, a guard's own first: `Fix`, `Filter`, `Refrain`, `Noop`, `Fallback(value)`. Those
    that ask a model are passed over; as `on_fail` here they are a `ConfigError`.

    Args:
        format: `"json"` or `"xml"`; by default as the contract says.
        reading: `"strict"`, `"careful"`, `"eager"`; by default as the contract says, else careful.
        limits: bounds on the size of a text; by default as the contract says, else `Limits()`.
        on_fail: what follows where it does not hold; by default as the contract says, else nothing does.

    Never raises for a bad text; `ConfigError` for wrong use (no contract, no guard, a missing context key).
    """
    plan = _prepare(text, contract, guards, context, format, reading, limits, on_fail)
    if plan.guards.tiers:
        plan.guards.refuse_async(resolve, "validate")
    return run_sync(_flow_of(text, plan, context))


@overload
async def avalidate(
    text: str,
    contract: Contract[T] | Compiled[T] | Guarded[T],
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[T | D]: ...
@overload
async def avalidate(
    text: str,
    contract: TypeForm[T],
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[T | D]: ...
@overload
async def avalidate(
    text: str,
    contract: Mapping[str, Any] | Path,
    *,
    on_fail: Policy[D] | None = None,
    **options: Unpack[ValidateOptions],
) -> Outcome[Any]: ...


async def avalidate(
    text: str,
    contract: Any,
    *,
    guards: Iterable[Guard | Placed] = (),
    context: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002  # the public name
    reading: Dial | None = None,
    limits: Limits | None = None,
    on_fail: Policy[Any] | None = None,
) -> Outcome[Any]:
    """As `validate`, with async checks awaited in the running loop and slow ones kept out of it."""
    plan = _prepare(text, contract, guards, context, format, reading, limits, on_fail)
    return await run_async(_flow_of(text, plan, context))


def _check_guards(guards: GuardSet, context: Mapping[str, Any] | None) -> None:
    """`ConfigError` for guards that could not do their work where nobody asks a model but they themselves."""
    if guards.tiers:
        guards.check_clients(resolve)
        guards.check_askable("validate", question=False)
        guards.check_context(context)


def _prepare(
    text: Any,
    given: Any,
    guards: Iterable[Any],
    context: Mapping[str, Any] | None,
    format_: str | None,
    reading: Dial | None,
    limits: Limits | None,
    on_fail: Policy[Any] | None,
) -> Plan[Any]:
    if not isinstance(text, str):
        hint = next((words for kind, words in _AS_TEXT if isinstance(text, kind)), "give the answer as it was written")
        raise ConfigError(f"must be a str, not {type(text).__name__}", where="text", hint=hint)
    if guards == () and format_ is None and reading is None and limits is None and on_fail is None:
        terms = terms_of(given)  # nothing said, as mostly
    else:
        terms = terms_of(given, guards=guards, format=format_, reading=reading, limits=limits, on_fail=on_fail)
        _check_asks_nobody(on_fail)
    checked_context(context)
    plan = plan_of(terms, resolve)
    _check_guards(plan.guards, context)
    return plan


def _check_asks_nobody(on_fail: Policy[Any] | None) -> None:
    for step in on_fail.steps if on_fail is not None else ():
        if step.asks:
            raise ConfigError(
                f"{type(step).__name__} asks a model, and nobody here can be asked",
                where="on_fail=",
                hint="use Fix, Filter, Refrain, Noop, Fallback(value) or Raise; or make the call by a Guarded",
            )


def _flow_of(text: str, plan: Plan[Any], context: Mapping[str, Any] | None) -> Flow[Outcome[Any]]:
    ledger = Ledger(Spend(_ENDLESS), plan.origin)
    if plan.hooks:
        return _told(text, plan, context, ledger)
    return _judged(text, plan, context, ledger, None)


def _told(text: str, plan: Plan[Any], context: Mapping[str, Any] | None, ledger: Ledger) -> Flow[Outcome[Any]]:
    """The same, and hooks hear of it."""
    from guards.engine.telling import Telling

    telling = Telling(plan.hooks, ledger.head.id, None, ledger.reports)
    telling.call_started("validate", plan, None, (), {})
    outcome = ledger.outcome(text, unguarded(_UNREAD), ok=False, value=None, reason=_FAILED)
    yield from telling.tell()
    try:
        outcome = yield from _judged(text, plan, context, ledger, telling)
    finally:
        telling.call_ended(outcome)
        yield from telling.tell()
    return replace(outcome, findings=(*outcome.findings, *ledger.reports))


def _judged(
    text: str, plan: Plan[Any], context: Mapping[str, Any] | None, ledger: Ledger, telling: Telling | None
) -> Flow[Outcome[Any]]:
    contract, guards, dial, limits = plan.contract, plan.guards, plan.dial, plan.limits
    on_fail = plan.terms.on_fail  # where nobody said what follows, nothing does
    desk = desk_of(plan, ledger) if guards.asking else None
    told = dict(context) if context else None
    if len(text) < LONG_TEXT:
        reading = contract.read(text, dial, limits, told)
    else:
        reading = yield LongWork(partial(contract.read, text, dial, limits, told))

    def examiner() -> Examiner[Any]:
        return Examiner(
            contract, guards, Context(context), desk, told, every_tier=True, chars=len(text), telling=telling
        )

    examined = (yield from examiner().examine(reading)) if guards.tiers else unguarded(reading)
    if telling is not None:
        telling.findings_found(0, examined.findings)
    if not examined.blocking:
        return ledger.outcome(text, examined, ok=True, value=examined.reading.value, reason=ACCEPTED)
    if examined.failure is not None or not (on_fail or _has_policy(examined)):
        return _refused(text, examined, ledger)
    turn = Deciding(on_fail or _NOTHING).turn(spent=True, barred=True)
    settled = yield from settle(examined, turn, examiner)
    if settled.step is None:
        return _refused(text, examined, ledger)
    # What a policy answered is kept where a call keeps it: in an attempt, with the answer as it came.
    ledger.open = Open(1, (), ledger.started, reply=Reply(text), examined=examined)
    attempt = ledger.close(settled.step.name)
    if telling is not None and attempt is not None:
        telling.attempt_ended(1, attempt)
    return _by_policy(text, settled.examined, settled.step, ledger)


def _has_policy(examined: Examined[Any]) -> bool:
    return any(found.entry is not None and found.entry.policy is not None for found in examined.found)


def _refused(text: str, examined: Examined[Any], ledger: Ledger) -> Outcome[Any]:
    reason = examined.failure or (_GUARD_REFUSED if examined.reading.ok else _CONTRACT_REFUSED)
    return ledger.outcome(text, examined, ok=False, value=None, reason=reason)


def _by_policy(text: str, examined: Examined[Any], step: Policy[Any], ledger: Ledger) -> Outcome[Any]:
    if step.name in EDITS:
        by = "filter" if step.name == "filter" else None
        return ledger.outcome(text, examined, ok=True, value=examined.reading.value, reason=ACCEPTED, by=by)
    return delivered(_refused(text, examined, ledger), step, examined.reading)


def desk_of(plan: Plan[Any], ledger: Ledger) -> Desk:
    """Where guards ask that brought their own client: nobody else is there, and no budget."""
    from guards.engine.call import Call  # most validations ask nobody

    return Desk(plan, None, (), {}, Spend(_ENDLESS), partial(ledger.add, None), Call, ledger.head.id)


_AS_TEXT: Final = (
    (bytes | bytearray, "decode bytes first"),
    (Path, "read the file: path.read_text()"),
    (dict | list, "write what is parsed already as text: json.dumps(data)"),
)
_ENDLESS: Final = Budget()
_NOTHING: Final = Raise()
"""What follows where nobody said what does."""
_UNREAD: Final[Reading[Any]] = Reading(None, None)
_FAILED: Final = Reason("call.failed", "The validation failed.")
_GUARD_REFUSED: Final = Reason("guard.refused", "A guard refused the answer.")
_CONTRACT_REFUSED: Final = Reason("contract.refused", "The answer does not fit the contract.")
