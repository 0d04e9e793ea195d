"""Guards run over an answer, and what they found.

The contract comes first (`contracts/`). Then guards run in tiers of cost, cheap before dear, concurrent inside a tier;
a tier that blocks ends it, unless every tier is asked for. What to do about the findings is `engine.call`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from guards.checks.base import Judged
from guards.context import Context
from guards.contracts.base import Contract, Stand
from guards.effects import Flow, Misuse, Together
from guards.engine.guard_set import Entry, GuardSet
from guards.engine.judging import judged_here, judging, runs_here, timed
from guards.engine.seal import Seal, can_change
from guards.engine.spend import clock
from guards.findings import NO_FIX, Finding, as_index, join_pointer, parse_pointer
from guards.reading.document import Document, Place, at
from guards.reading.reading import Reading
from guards.records import Reason
from guards.values.travelling import said

if TYPE_CHECKING:
    from guards.engine.questions import Desk
    from guards.engine.telling import Telling

__all__ = ["FAILURES", "Examined", "Found", "examine", "unguarded"]

T = TypeVar("T")


# Not frozen, here and in what is decided of them: they are made anew for every answer, and that takes half as long so.


@dataclass(slots=True)
class Found:
    """A finding with the guard that made it; None for the contract and the reader."""

    finding: Finding
    entry: Entry | None = None


@dataclass(slots=True)
class Examined(Generic[T]):
    """An answer after contract and guards. `faults` are the exceptions of guards that could not run, and of the user's
    own code in the contract."""

    reading: Reading[T]
    found: tuple[Found, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    faults: tuple[BaseException, ...] = ()
    blocking: tuple[Found, ...] = field(init=False, default=())
    """What keeps the answer from being accepted."""

    def __post_init__(self) -> None:
        if self.found:
            self.blocking = tuple([found for found in self.found if found.finding.blocks])

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple([found.finding for found in self.found]) if self.found else ()

    @property
    def failure(self) -> Reason | None:
        """Why it can neither be accepted nor mended by the model, where the user's own code could not do its work."""
        codes = {found.finding.code for found in self.blocking}
        return next((reason for reason in FAILURES if reason in codes), None)


def unguarded(reading: Reading[T]) -> Examined[T]:
    """A reading that no guard is to look at."""
    found = tuple([Found(finding) for finding in reading.findings]) if reading.findings else ()
    return Examined(reading, found, faults=reading.faults)


Run = tuple[Entry, Stand]


def examine(
    reading: Reading[T],
    contract: Contract[T],
    guards: GuardSet,
    context: Context,
    desk: Desk | None = None,
    *,
    every_tier: bool = False,
    telling: Telling | None = None,
) -> Flow[Examined[T]]:
    """Run the guards over a reading. Where the contract refused, no guard runs: there is no value to look at.

    Guards that ask a model do it at the `desk`; `telling` hears of each that ran.

    Raises the `ConfigError` of a question that could not have been put.
    """
    if not guards.tiers:
        return unguarded(reading)
    if not reading.ok:
        skipped = tuple(entry.label for tier in guards.tiers for entry in tier)
        found = tuple(Found(f) for f in reading.findings)
        return Examined(reading, found, skipped=skipped, faults=reading.faults)
    result = _Result()
    seal = Seal()
    blocked = False
    inside = _inside(reading, contract) if guards.inside else {}
    for tier in guards.tiers:
        if blocked and not every_tier:
            result.skipped += [entry.label for entry in tier]
            continue
        runs: list[Run] = []
        for entry in tier:
            stands = _stands(entry, reading, contract, inside)
            runs += [(entry, stand) for stand in stands]
            if not stands:
                result.skipped.append(entry.label)
        if any(can_change(stand.value) for _, stand in runs):
            seal.put_on(reading.value)  # the whole: from a part of it a guard may reach what holds it
        took: list[float] | None = None if telling is None else [0.0] * len(runs)
        results = yield from _run_tier(runs, context, desk, took)
        for index, ((entry, stand), verdict) in enumerate(zip(runs, results, strict=True)):
            result.take(entry, stand, verdict, reading)
            if telling is not None and took is not None:
                path = reading.document.path(stand.place) if reading.document else ""
                score = verdict.score if isinstance(verdict, Judged) else None
                telling.guard_ran(context.attempt, entry.label, path, took[index], score)
        if seal.broken():
            result.changed(tier)
            break
        blocked = any(found.finding.blocks for found in result.found)
    return Examined(reading, tuple(result.found), result.scores, tuple(result.skipped), tuple(result.faults))


def _run_tier(
    runs: Sequence[Run], context: Context, desk: Desk | None, took: list[float] | None
) -> Flow[list[Judged | BaseException]]:
    """One entry per run; `took` takes the seconds of each. Quick rules run here and now; the rest goes to the driver,
    all at once."""
    results: list[Any] = [None] * len(runs)
    flows: dict[int, Flow[Judged]] = {}
    for index, (entry, stand) in enumerate(runs):
        if stand.fault is not None:  # what is delivered there cannot be told: the guard did not run
            results[index] = stand.fault
        elif runs_here(entry, context):
            begun = clock()
            results[index] = judged_here(entry.guard, stand.value, context)
            if took is not None:
                took[index] = clock() - begun
        else:
            flow = judging(entry, stand.place, stand.value, context, desk)
            flows[index] = flow if took is None else timed(flow, took, index)
    answers = (yield Together(list(flows.values()))) if flows else ()
    for index, answer in zip(flows, answers, strict=True):
        if isinstance(answer, Misuse):
            raise answer.fault
        results[index] = answer
    return results


Inside = Mapping[int, Sequence[Stand]] | Exception
"""What each guard inside the contract judges, by the guard's identity; or why that cannot be told."""


def _inside(reading: Reading[Any], contract: Contract[Any]) -> Inside:
    found: dict[int, list[Stand]] = {}
    try:
        for guard, stand in contract.inner_guards(reading):
            found.setdefault(id(guard), []).append(stand)
    except Exception as fault:  # noqa: BLE001  # a value that holds itself, say: none of them can run
        return fault
    return found


def _stands(entry: Entry, reading: Reading[Any], contract: Contract[Any], inside: Inside) -> Sequence[Stand]:
    """What one guard judges of the answer; nothing where the answer has no such part."""
    if entry.inside:
        return inside.get(id(entry.guard), ()) if isinstance(inside, Mapping) else [_nowhere(inside)]
    if entry.path is None:
        return [Stand((), reading.value)]
    try:
        return contract.selected(reading, entry.path)
    except Exception as fault:  # noqa: BLE001  # a path that this document is too deep for, say
        return [_nowhere(fault)]


def _nowhere(fault: Exception) -> Stand:
    return Stand((), None, exact=False, fault=fault)


class _Result:
    """What a pass over the guards has given so far."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.scores: dict[str, float] = {}
        self.skipped: list[str] = []
        self.faults: list[BaseException] = []

    def take(self, entry: Entry, stand: Stand, verdict: Judged | BaseException, reading: Reading[Any]) -> None:
        label, document = entry.label, reading.document
        if isinstance(verdict, BaseException):
            path = document.path(stand.place) if document else ""
            self.faults.append(verdict)
            self.found.append(Found(_failure(entry, path, verdict), entry))
            if label not in self.skipped:
                self.skipped.append(label)
            self.scores.pop(label, None)
            return
        for finding in verdict.findings:
            path = _absolute(document, stand.place, finding.path if stand.exact else "")
            fix = finding.fix if stand.exact else NO_FIX
            self.found.append(Found(finding.replace(path=path, guard=label, fix=fix), entry))
        if label not in self.skipped:
            self.scores[label] = min(self.scores.get(label, 1.0), verdict.score)

    def changed(self, tier: Sequence[Entry]) -> None:
        """A guard of this tier has changed what it was given: nobody has judged what it has become."""
        names = " or ".join(repr(entry.label) for entry in tier)
        words = f"the guard {names} changed the value that it was given; a guard proposes a change as a fix"
        self.found.append(Found(Finding("guard.failed", words)))
        self.faults.append(TypeError(words))


def _failure(entry: Entry, path: str, fault: BaseException) -> Finding:
    why = "ran out of time" if isinstance(fault, TimeoutError) else f"{type(fault).__name__}: {said(fault)}"
    return Finding(
        "guard.failed",
        f"the guard {entry.label!r} could not do its work: {why}",
        path,
        entry.label,
        severity="unknown" if entry.guard.on_error == "open" else "error",
    )


def _absolute(document: Document | None, place: Place, path: str) -> str:
    """A guard's path, relative to what it was given, as a path into the answer."""
    if document is None:
        return path
    if not path:
        return document.path(place)
    try:
        parts = parse_pointer(path if path.startswith("/") else f"/{path}")
    except ValueError:
        return document.path(place) + path
    here: Any = document.data
    try:
        here = at(document.data, place)
    except (LookupError, TypeError):
        return document.path(place) + join_pointer(parts)
    return document.path((*place, *_indexed(here, parts)))


def _indexed(data: Any, parts: Sequence[str]) -> list[str | int]:
    """Reference tokens with those that address a list as numbers."""
    place: list[str | int] = []
    for part in parts:
        index: Any = as_index(part) if isinstance(data, list) else None
        index = part if index is None else index
        place.append(index)
        try:
            data = data[index]
        except (LookupError, TypeError):
            data = None
    return place


FAILURES: Final = (
    Reason("guard.failed", "A guard could not do its work, so the answer was not accepted."),
    Reason("schema.failed", "A default of the contract's own type could not be made."),
)
