"""A threshold found on labelled rows: what it reaches, how sure that is, and for which guard and model it holds.

Scoring the rows is `guards.measuring.many`; the numbers are `roc`, what a threshold holds for is `provenance`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias

from guards.checks.base import Guard, check_threshold
from guards.checks.calibrated.provenance import difference, provenance
from guards.checks.calibrated.roc import CONFIDENCE, Estimate, Point, area, best, corners, points, share, thinned
from guards.checks.calibrated.roc_svg import drawn
from guards.documents import document
from guards.errors import ConfigError

__all__ = ["Calibration", "Measure", "check_scores", "checked_rate"]

Measure: TypeAlias = Literal["fpr", "precision"]
_MEASURES: Final = ("fpr", "precision")
_LEAST: Final = 10
"""Rows of a class below which nothing is worth being said of it."""
_MOST_POINTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The threshold of a guard for a wanted rate, and what it does on the rows that it was found on.

    Args:
        holds_for: the guard's class, options and models: see `provenance`.
        measure: what was wanted: at most this "fpr", or at least this "precision".
        wanted: the rate.
        threshold: scores below it are refused.
        acceptable, unacceptable: rows of each label.
        refused_acceptable, refused_unacceptable: how many of them the threshold refuses.
        auroc: the area under the ROC curve, with its interval.
        curve: thresholds with what they refuse, at most 200 of them.
    """

    holds_for: Mapping[str, Any]
    measure: Measure
    wanted: float
    threshold: float
    acceptable: int
    unacceptable: int
    refused_acceptable: int
    refused_unacceptable: int
    auroc: Estimate
    curve: tuple[Point, ...]

    def __post_init__(self) -> None:
        check_threshold(self.threshold, "calibration, threshold")
        checked_rate(*((self.wanted, None) if self.measure == "fpr" else (None, self.wanted)))
        if not (self.refused_acceptable <= self.acceptable and 0 < self.refused_unacceptable <= self.unacceptable):
            raise ConfigError("more rows are refused than there are, or none of the unacceptable", where="calibration")
        chosen = Point(self.threshold, self.refused_acceptable, self.refused_unacceptable)
        if not (_reaches(chosen, self.measure, self.wanted, self.acceptable) and all(map(chosen.fits, self.curve))):
            raise ConfigError(
                "its threshold and what that refuses do not fit its curve and the rate that was wanted",
                where="calibration",
                hint="calibrate again; a threshold of your own is for the guard: threshold=",
            )

    @classmethod
    def of(cls, guard: Guard, scores: Sequence[float], labels: Sequence[bool], measure: Measure, wanted: float) -> Self:
        """From scores that are there already, those of `guard`; `guards.checks.calibrate` says the rest."""
        check_scores(scores, labels)
        acceptable = sum(labels)
        unacceptable = len(labels) - acceptable
        _check_rows(measure, wanted, acceptable, unacceptable)
        made = points(scores, labels)
        auroc = area(made, acceptable, unacceptable)
        chosen = best(made, lambda point: _reaches(point, measure, wanted, acceptable))
        if auroc.high < 0.5:
            raise ConfigError(
                f"the unacceptable rows score above the acceptable ones (AUROC {auroc.value:.3f} over {len(labels)} "
                "rows)",
                where="calibrate(labels=)",
                hint="True is acceptable: see whether the labels are the wrong way round",
            )
        if chosen is None:
            raise ConfigError(
                f"no threshold that refuses an unacceptable row has {_said(measure, wanted)} "
                f"(AUROC {auroc.value:.3f} over {len(labels)} rows)",
                where=f"calibrate({measure}=)",
                hint="ask for less, or use a model that tells these rows apart",
            )
        return cls(
            holds_for=provenance(guard),
            measure=measure,
            wanted=wanted,
            threshold=chosen.threshold,
            acceptable=acceptable,
            unacceptable=unacceptable,
            refused_acceptable=chosen.refused_acceptable,
            refused_unacceptable=chosen.refused_unacceptable,
            auroc=auroc,
            curve=tuple(thinned(corners(made), _MOST_POINTS)),
        )

    @property
    def fpr(self) -> Estimate:
        """The share of acceptable rows that is refused, with its exact interval."""
        return share(self.refused_acceptable, self.acceptable)

    @property
    def recall(self) -> Estimate:
        """The share of unacceptable rows that is refused, with its exact interval."""
        return share(self.refused_unacceptable, self.unacceptable)

    @property
    def precision(self) -> Estimate:
        """The share of refused rows that is unacceptable, with its exact interval. It depends on how many of each there
        are, so that it holds only where answers are mixed as the rows are."""
        return share(self.refused_unacceptable, self.refused_acceptable + self.refused_unacceptable)

    def check(self, guard: Guard) -> None:
        """`ConfigError`, with the part that differs, unless this holds for the guard. Loads no model."""
        differs = difference(self.holds_for, provenance(guard))
        if differs is not None:
            raise ConfigError(
                f"the calibration does not hold for this guard: {differs}",
                where=f"guard {guard.name!r}",
                hint="calibrate again with the guard as it is now",
            )

    def svg(self) -> str:
        """The ROC curve with the threshold on it, as an SVG picture."""
        name = str(self.holds_for["guard"]).rpartition(".")[2]
        return drawn(f"{name}: AUROC {self.auroc.value:.3f}", self.threshold, self.fpr, self.recall, self._shares())

    def _shares(self) -> list[tuple[float, float]]:
        ends = [*((p.refused_acceptable, p.refused_unacceptable) for p in self.curve)]
        ends.append((self.acceptable, self.unacceptable))
        return [(right / self.acceptable, up / self.unacceptable) for right, up in ends]

    def to_dict(self) -> dict[str, Any]:
        """Plain data that fits `schemas/calibration.schema.json`. It holds no row."""
        return {
            "holds_for": dict(self.holds_for),
            "wanted": {"measure": self.measure, "rate": self.wanted},
            "threshold": self.threshold,
            "rows": {name: getattr(self, name) for name in _ROWS},
            "confidence": CONFIDENCE,
            **{name: getattr(self, name)._asdict() for name in ("fpr", "recall", "precision", "auroc")},
            "curve": [list(point) for point in self.curve],
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, data: Any, where: str = "calibration") -> Self:
        """The reverse of `to_dict`. Raises ConfigError for what does not fit the schema."""
        _check_document(data, where)
        return cls(
            holds_for=data["holds_for"],
            measure=data["wanted"]["measure"],
            wanted=float(data["wanted"]["rate"]),
            threshold=float(data["threshold"]),
            auroc=Estimate(**data["auroc"]),
            curve=tuple(Point(*point) for point in data["curve"]),
            **{name: data["rows"][name] for name in _ROWS},
        )

    @classmethod
    def from_json(cls, text: str | bytes, where: str = "calibration") -> Self:
        """The reverse of `to_json`. Raises ConfigError for what is no JSON or does not fit the schema."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as fault:
            raise ConfigError(f"this is no JSON: {fault}", where=where) from fault
        return cls.from_dict(data, where)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, as JSON."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """From a file. Raises OSError where it cannot be read, ConfigError where it holds something else."""
        return cls.from_json(Path(path).read_bytes(), where=str(path))


_ROWS: Final = ("acceptable", "unacceptable", "refused_acceptable", "refused_unacceptable")


def checked_rate(fpr: float | None, precision: float | None) -> tuple[Measure, float]:
    """What is wanted, by the two options of which one may be given. Raises ConfigError for no rate between 0 and 1."""
    if fpr is not None and precision is not None:
        raise ConfigError("fpr and precision are two wishes", where="calibrate()", hint="give one of them")
    measure: Measure = "fpr" if precision is None else "precision"
    rate = (0.01 if fpr is None else fpr) if precision is None else precision
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < 1:
        raise ConfigError(f"{rate!r} is no rate between 0 and 1", where=f"calibrate({measure}=)")
    return measure, float(rate)


def check_scores(scores: Sequence[float], labels: Sequence[bool]) -> None:
    """`ConfigError` for scores that are none, and for another number of them than of labels."""
    if len(scores) != len(labels):
        raise ConfigError(f"{len(scores)} scores for {len(labels)} labels", where="scores")
    for number, score in enumerate(scores):
        check_threshold(score, f"scores[{number}]")


def _check_rows(measure: Measure, wanted: float, acceptable: int, unacceptable: int) -> None:
    """A rate of one in a hundred cannot be seen in fewer than a hundred rows."""
    seen = max(_LEAST, math.ceil(1 / (wanted if measure == "fpr" else 1 - wanted) - 1e-9))
    needed = (seen, _LEAST) if measure == "fpr" else (_LEAST, seen)
    for what, there, least in zip(_ROWS[:2], (acceptable, unacceptable), needed, strict=True):
        if there < least:
            raise ConfigError(
                f"{_said(measure, wanted)} needs at least {least} {what} rows, and there {_are(there)}",
                where="calibrate(labels=)",
                hint="label more rows (True is acceptable), or ask for a rate that fewer can show",
            )


def _reaches(point: Point, measure: Measure, wanted: float, acceptable: int) -> bool:
    if measure == "fpr":
        return point.refused_acceptable <= wanted * acceptable * (1 + 1e-12)
    refused = point.refused_acceptable + point.refused_unacceptable
    return point.refused_unacceptable >= wanted * refused * (1 - 1e-12)


def _said(measure: Measure, wanted: float) -> str:
    return f"fpr <= {wanted:g}" if measure == "fpr" else f"precision >= {wanted:g}"


def _are(count: int) -> str:
    return "is 1" if count == 1 else f"are {count or 'none'}"


def _check_document(data: Any, where: str) -> None:
    from jsonschema import Draft202012Validator

    fault = next(Draft202012Validator(document("calibration.schema.json")).iter_errors(data), None)
    if fault is not None:
        place = "".join(f"/{part}" for part in fault.absolute_path) or "the whole"
        raise ConfigError(
            f"this is no calibration: {place} does not fit the schema ({fault.validator})",
            where=where,
            hint="read what Calibration.save() wrote",
        )
