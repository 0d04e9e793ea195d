"""A cheap guard first, a dear one only where the cheap one is in doubt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Self

from guards.checks.base import Guard, Judged, OnError, Scored, Unreadable, Verdict, changed, verdict_of
from guards.checks.calibrated.calibration import check_scores
from guards.checks.calibrated.roc import Point, points
from guards.checks.combined.stats import CascadeStats, Counter
from guards.context import Context
from guards.effects import Flow
from guards.errors import ConfigError
from guards.findings import Finding
from guards.models import ModelSpec
from guards.policies import Policy

__all__ = ["Cascade"]

_EDGE: Final = 0.5


class Cascade(Guard):
    """Two guards of the same question. Where the cheap one's score is below the band its findings stand, above the
    band the value passes; within the band, its ends included, the dear one decides.

    Args:
        cheap: any guard; its `threshold`, where it has one, is put at the band's lower end.
        dear: any guard: one with a larger model, one that asks a client (`Judge`), one that is async, another cascade.
        band: the lowest and the highest score of the cheap guard that is in doubt. `Cascade.fit` finds one.

    The score: below 0.5 what is refused, from 0.5 on what passes, whichever guard decided. The score of the one that
    decided is stretched so that its own edge (the band's end, or the dear guard's threshold) comes to lie at 0.5;
    scores of the two are comparable as verdicts, not as probabilities.

    Findings are those of the guard that decided, with `decided_by` in their evidence. A value that the cheap guard
    puts below the band without a finding of its own has one of the code `cascade.refused`. `needs` and `specs` are
    those of both, `cost` the dearer one's: what may be dear runs after all that is cheap.

    `stats` counts, in this process, how many were judged and how many of them went on.
    """

    cheap: Guard
    dear: Guard

    def __init__(
        self,
        cheap: Guard,
        dear: Guard,
        *,
        band: tuple[float, float],
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        _check_guards(cheap, dear)
        self.band = low, _ = _checked_band(band)
        self.cheap = changed(cheap, threshold=low) if hasattr(cheap, "threshold") else cheap
        self.dear = dear
        self.cost = max(cheap.cost, dear.cost)
        self.parts = (self.cheap, dear)
        self.needs = tuple(dict.fromkeys((*cheap.needs, *dear.needs)))
        self._counter = Counter()
        super().__init__(
            name=name or f"{cheap.name}_then_{dear.name}",
            on_fail=on_fail,
            on_error=on_error,
            unreadable=unreadable,
            timeout=timeout,
        )

    @classmethod
    def fit(
        cls,
        cheap: Guard,
        dear: Guard,
        scores: Sequence[float],
        labels: Sequence[bool],
        *,
        error: float = 0.01,
        **options: Any,
    ) -> Self:
        """A cascade whose band is found from rows that the cheap guard has scored (`score_many`).

        `labels`: True for acceptable. `error`: outside the band the cheap guard alone refuses at most this share of
        the acceptable rows, and lets at most this share of the unacceptable ones pass. Raises ConfigError where rows
        are too few to show such a share, and as the constructor.
        """
        check_scores(scores, labels)
        return cls(cheap, dear, band=_fitted(scores, labels, error), **options)

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        """The models of both."""
        both = (*getattr(self.cheap, "specs", ()), *getattr(self.dear, "specs", ()))
        return tuple(dict.fromkeys(both))

    @property
    def stats(self) -> CascadeStats:
        """How many were judged since this guard was made in this process, and how many of them went on."""
        return self._counter.read()

    def __repr__(self) -> str:
        return f"Cascade({self.cheap!r}, {self.dear!r}, band={self.band!r})"

    @property
    def is_async(self) -> bool:
        return self.cheap.is_async or self.dear.is_async

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        verdict = self._decided((yield from verdict_of(self.cheap, value, context)))
        if verdict is None:
            verdict = self._last((yield from verdict_of(self.dear, value, context)))
        return verdict

    def _decided(self, first: Judged) -> Scored | None:
        """The verdict on what the cheap guard gave; None where the dear one is to be asked."""
        low, high = self.band
        goes_on = low <= first.score <= high
        self._counter.count(went_on=goes_on)
        if goes_on:
            return None
        if first.score > high:
            return _scored(first, self.cheap, high)
        findings = first.findings
        if not any(finding.blocks for finding in findings):
            said = f"{self.cheap.name} gives it the score {first.score:.2f}, below {low:g}"
            findings = (*findings, Finding("cascade.refused", said, score=first.score, threshold=low))
        return _scored(Judged(findings, first.score), self.cheap, low)

    def _last(self, second: Judged) -> Scored:
        return _scored(second, self.dear, getattr(self.dear, "threshold", _EDGE))


def _scored(result: Judged, guard: Guard, edge: float) -> Scored:
    findings = tuple(_signed(finding, guard) for finding in result.findings)
    if any(finding.blocks for finding in findings):
        return Scored(min(_EDGE * result.score / edge if edge else 0.0, math.nextafter(_EDGE, 0)), findings)
    above = (result.score - edge) / (1 - edge) if edge < 1 else 1.0
    return Scored(_EDGE + _EDGE * min(max(above, 0.0), 1.0), findings)


def _signed(finding: Finding, guard: Guard) -> Finding:
    told = finding.evidence
    known = dict(told) if isinstance(told, dict) else {} if told is None else {"evidence": told}
    return finding.replace(evidence={**known, "decided_by": guard.name})


def _check_guards(cheap: Any, dear: Any) -> None:
    for which, guard in (("cheap", cheap), ("dear", dear)):
        if not isinstance(guard, Guard):
            raise ConfigError(f"{guard!r} is no guard", where=f"Cascade({which}=)", hint="use guards of guards.checks")


def _checked_band(band: Any) -> tuple[float, float]:
    def is_number(end: Any) -> bool:
        return isinstance(end, int | float) and not isinstance(end, bool)

    pair = isinstance(band, tuple | list) and len(band) == 2 and all(map(is_number, band))
    if not pair or not 0 <= band[0] <= band[1] <= 1:
        raise ConfigError(f"{band!r} is no band of scores", where="Cascade(band=)", hint="write it like (0.3, 0.7)")
    return float(band[0]), float(band[1])


def _fitted(scores: Sequence[float], labels: Sequence[bool], error: float) -> tuple[float, float]:
    acceptable = sum(labels)
    unacceptable = len(labels) - acceptable
    if not 0 < error < 1 or min(acceptable, unacceptable) * error < 1 - 1e-9:
        raise ConfigError(
            f"{acceptable} acceptable and {unacceptable} unacceptable rows cannot show an error of {error!r}",
            where="Cascade.fit(error=)",
            hint="label at least 1/error rows of each",
        )
    made = [*points(scores, labels), Point(1.0, acceptable, unacceptable)]
    low = max(p.threshold for p in made if p.refused_acceptable <= error * acceptable)
    high = min(p.threshold for p in made if unacceptable - p.refused_unacceptable <= error * unacceptable)
    # Where the two cross, the cheap guard errs less than that at any score between: nothing need go on.
    return (low, high) if low <= high else ((low + high) / 2, (low + high) / 2)
