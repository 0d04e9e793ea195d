"""Any guard over many values, and the threshold that labelled ones give it. Public in `guards.checks`.

It stands up here since a guard that asks a client or is async needs what runs a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from guards.checks.asking import AskingGuard
from guards.checks.base import Guard, Judged, Placed, changed, writes_flow
from guards.checks.calibrated.calibration import Calibration, checked_rate
from guards.checks.texts.texts import texts_of
from guards.clients import resolve
from guards.context import Context
from guards.contracts.compiled import compile_contract
from guards.contracts.text import Text
from guards.driving.drivers import run_sync
from guards.effects import Flow, Misuse, Together
from guards.engine.examining import unguarded
from guards.engine.guard_set import GuardSet
from guards.engine.judging import judging
from guards.engine.ledger import Ledger
from guards.engine.plan import Plan, plan_of
from guards.engine.spend import Spend, clock
from guards.engine.terms import Terms
from guards.errors import ConfigError
from guards.measuring.progress import Progress
from guards.policies import Budget
from guards.reading.reading import Reading
from guards.records import ACCEPTED, Reason
from guards.shapes.validator import desk_of

if TYPE_CHECKING:
    from guards.events import Hook

__all__ = ["calibrate", "score_many"]

Contexts: TypeAlias = "Mapping[str, Any] | Sequence[Mapping[str, Any]] | None"
Run: TypeAlias = tuple[Any, Context]

_FAILED: Final = Reason("call.failed", "Not every value could be judged.")
_IN_STEP: Final = 256
"""Checks that are under way together: four full batches. With more, their windows would fill the memory."""
_SIDE_BY_SIDE: Final = 16
"""Questions to clients that are on their way together."""


def score_many(
    guard: Guard,
    values: Iterable[Any],
    contexts: Contexts = None,
    *,
    progress: bool | None = None,
    hooks: Iterable[Hook] = (),
) -> list[float]:
    """The score of each value, in order: what `Outcome.scores` says of it, 0 to 1, higher is more acceptable.

    Guards that ask a loaded model ask it in full batches, sorted by length; guards that ask a client, 16 at a time.
    What the guard's `timeout` bounds is one check, so a check in a batch has no bound.

    Args:
        values: what `Guard.check` takes, mostly texts.
        contexts: one mapping for all, or one for each.
        progress: whether a line on standard error says how far it is; None for a terminal and more than 2 seconds.
        hooks: called with each event (`guards.events`): the number of a `GuardRan` is that of the value, from 0.

    Raises ConfigError for wrong use, a missing key of the context among it, and what the guard raises, with a note of
    which value it was: there is never a number for what could not be judged.
    """
    given = _listed(values, "values")
    plan = _checked(guard, hooks)
    runs = list(zip(given, _contexts(contexts, len(given), plan.guards), strict=True))
    scores: dict[int, float] = {}
    ledger = Ledger(Spend(Budget()), plan.origin)
    with Progress(guard.name, len(runs), progress) as shown, _told(plan, ledger, guard.name) as told:
        for part in _parts(guard, runs):
            begun = clock()
            found = _scores(plan, ledger, {number: runs[number] for number in part})
            scores |= found
            told(found, (clock() - begun) / len(part))
            shown.advance(len(part))
    return [scores[number] for number in range(len(runs))]


@contextmanager
def _told(plan: Plan[Any], ledger: Ledger, name: str) -> Iterator[Callable[[Mapping[int, float], float], None]]:
    """What tells hooks of scores, and of the seconds that each took; the beginning and the end around it."""
    if not plan.hooks:
        yield lambda *_: None
        return
    from guards.engine.telling import Telling

    telling = Telling(plan.hooks, ledger.head.id, None, ledger.reports)
    telling.call_started("score_many", plan, name, (), {})
    run_sync(telling.tell())

    def told(scores: Mapping[int, float], seconds: float) -> None:
        every.update(scores)
        for number, score in sorted(scores.items()):
            telling.guard_ran(number, name, "", seconds, score)
        run_sync(telling.tell())

    every: dict[int, float] = {}
    reason = _FAILED
    try:
        yield told
        reason = ACCEPTED
    finally:
        scored = [score for _, score in sorted(every.items())]
        nothing = unguarded(Reading(None, None))
        telling.call_ended(ledger.outcome(None, nothing, ok=reason is ACCEPTED, value=scored, reason=reason))
        run_sync(telling.tell())


def calibrate(
    guard: Guard,
    values: Iterable[Any],
    labels: Iterable[bool | int],
    contexts: Contexts = None,
    *,
    fpr: float | None = None,
    precision: float | None = None,
    progress: bool | None = None,
) -> Calibration:
    """The threshold of a guard for a wanted rate, from labelled values; `guard.calibrated(it)` takes it on.

    A false positive is an acceptable value that is refused. Of the thresholds that keep the wanted rate on these rows,
    it is the one that refuses the most unacceptable ones.

    Args:
        labels: True (or 1) for each value that is acceptable, False (or 0) for one that is not.
        values, contexts, progress: as for `score_many`.
        fpr: the highest share of the acceptable that may be refused; 0.01 where nothing is given.
        precision: instead, the least share of the unacceptable among what is refused.

    Raises ConfigError where the rows are too few for that rate, or no threshold keeps it, and as `score_many`.
    """
    measure, wanted = checked_rate(fpr, precision)
    given, known = _listed(values, "values"), [_label(label, n) for n, label in enumerate(labels)]
    if len(given) != len(known):
        raise ConfigError(f"{len(known)} labels for {len(given)} values", where="calibrate(labels=)")
    return Calibration.of(guard, score_many(guard, given, contexts, progress=progress), known, measure, wanted)


def _scores(plan: Plan[Any], ledger: Ledger, runs: Mapping[int, Run]) -> dict[int, float]:
    verdicts = run_sync(_abreast(plan, ledger, runs))
    return {number: verdict.score for number, verdict in zip(runs, verdicts, strict=True)}


def _abreast(plan: Plan[Any], ledger: Ledger, runs: Mapping[int, Run]) -> Flow[list[Judged]]:
    """The verdicts on all of them. The first fault ends it."""
    ((entry,),) = plan.guards.tiers
    desk = desk_of(plan, ledger) if plan.guards.asking else None
    flows = [_noted(number, judging(entry, (), value, context, desk)) for number, (value, context) in runs.items()]
    return (yield Together(flows, strict=True))  # type: ignore[no-any-return]  # what a flow is sent is untyped here


def _noted(number: int, flow: Flow[Judged]) -> Flow[Judged]:
    """Faults come out as they are, with a note of which value it was."""
    try:
        return (yield from flow)
    except Misuse as wrong:
        raise wrong.fault from None
    except Exception as fault:
        fault.add_note(f"guards: score_many, values[{number}]")
        raise


def _goes_in_step(guard: Guard) -> bool:
    """Whether it neither asks a client nor is async, nor has a check that is bounded in time."""
    if isinstance(guard, AskingGuard) or not all(map(_goes_in_step, guard.parts)):
        return False
    return writes_flow(guard) or (guard.timeout is None and not guard.is_async)


def _unbounded(guard: Guard) -> Guard:
    """What its `timeout` bounds is one check, and many are under way together; a bare check costs nobody's time."""
    if not _goes_in_step(guard):
        return guard
    return changed(guard, timeout=None) if writes_flow(guard) else changed(guard, cost=0)


def _parts(guard: Guard, runs: Sequence[Run]) -> Iterator[Sequence[int]]:
    """The numbers of the values, some at a time; of like length, where that makes batches full."""
    order = list(range(len(runs)))
    if getattr(guard, "specs", ()):
        lengths = [sum(len(text) for _, text in texts_of(value)) for value, _ in runs]
        order.sort(key=lengths.__getitem__)
    size = _IN_STEP if _goes_in_step(guard) else _SIDE_BY_SIDE
    return (order[start : start + size] for start in range(0, len(order), size))


def _checked(guard: Guard, hooks: Iterable[Hook]) -> Plan[Any]:
    if isinstance(guard, Placed):
        raise ConfigError(
            "a place is one of an answer, and these are values",
            where="score_many(guard=)",
            hint="give the guard itself, and as values what stands at that place",
        )
    guards = GuardSet.of([_unbounded(guard) if isinstance(guard, Guard) else guard], None, "score_many(guard=)")
    guards.check_clients(resolve)
    guards.check_askable("score_many", question=False)
    guards.refuse_async(resolve, "score_many")
    terms = Terms.of(compile_contract(Text())).over(hooks=hooks)
    return replace(plan_of(terms, resolve), guards=guards)


def _contexts(contexts: Contexts, count: int, guards: GuardSet) -> list[Context]:
    if contexts is None or isinstance(contexts, Mapping):
        guards.check_context(contexts, "contexts=")
        return [Context(contexts)] * count
    listed = _listed(contexts, "contexts")
    if len(listed) != count:
        raise ConfigError(f"{len(listed)} contexts for {count} values", where="contexts=", hint="one for each, or one")
    for number, context in enumerate(listed):
        if not isinstance(context, Mapping):
            raise ConfigError(f"is no mapping but {type(context).__name__}", where=f"contexts[{number}]")
        guards.check_context(context, f"contexts[{number}]")
    return [Context(context) for context in listed]


def _listed(given: Iterable[Any], where: str) -> list[Any]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"needs a list, not {type(given).__name__}", where=f"{where}=", hint="write [value]")
    return list(given)


def _label(label: Any, number: int) -> bool:
    if isinstance(label, bool) or label in (0, 1):
        return bool(label)
    raise ConfigError(
        f"must be True or False (1 or 0), not {type(label).__name__}",
        where=f"labels[{number}]",
        hint="True is acceptable",
    )
