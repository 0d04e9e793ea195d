"""How well scores part what is acceptable from what is not: thresholds, rates with their intervals, the area.

A row is refused where its score is below the threshold. What is to be found is the unacceptable: refused, it is a hit;
an acceptable row that is refused is a false positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, pairwise
from statistics import NormalDist
from typing import Final, NamedTuple

__all__ = ["CONFIDENCE", "Estimate", "Point", "area", "best", "corners", "points", "share", "thinned"]

CONFIDENCE: Final = 0.95


class Point(NamedTuple):
    """What a threshold refuses, in rows."""

    threshold: float
    refused_acceptable: int
    refused_unacceptable: int

    def fits(self, other: Point) -> bool:
        """Whether the two may lie on one curve: the higher threshold refuses no fewer rows."""
        low, high = sorted((self, other))
        return low[1] <= high[1] and low[2] <= high[2]


class Estimate(NamedTuple):
    """A figure from a sample, and the interval that holds the true one in 95 of 100 samples."""

    value: float
    low: float
    high: float


def points(scores: Sequence[float], labels: Sequence[bool]) -> list[Point]:
    """What each threshold that parts two neighbouring scores refuses, from the lowest up; the first refuses nothing.

    A threshold stands midway between two scores, so that a score which comes out a little different (another batch,
    another machine) is judged the same. `labels`: True for acceptable.
    """
    refused = [0, 0]
    made = [Point(0.0, 0, 0)]
    last: float | None = None
    for score, rows in groupby(sorted(zip(scores, labels, strict=True)), key=lambda row: row[0]):
        if last is not None:
            made.append(Point(_between(last, score), *refused))
        for _, acceptable in rows:
            refused[0 if acceptable else 1] += 1
        last = score
    return made


def area(made: Sequence[Point], acceptable: int, unacceptable: int) -> Estimate:
    """The area under the curve: the chance that an acceptable row scores above an unacceptable one, ties half.

    The interval is Newcombe's (Statistics in Medicine 25, 2006, method 5), which, unlike DeLong's, does not shrink to
    a point where the rows happen to be parted perfectly.
    """
    ends = [*made, Point(math.inf, acceptable, unacceptable)]
    doubled = sum(
        (b.refused_acceptable - a.refused_acceptable) * (a.refused_unacceptable + b.refused_unacceptable)
        for a, b in pairwise(ends)
    )
    value = doubled / (2 * acceptable * unacceptable)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    more = (acceptable + unacceptable) / 2 - 1

    def apart(true: float) -> float:
        spread = 1 + more * (1 - true) / (2 - true) + more * true / (1 + true)
        return abs(value - true) - z * math.sqrt(true * (1 - true) * spread / (acceptable * unacceptable))

    low = _crossing(lambda x: apart(x) <= 0, 0.0, value)
    high = _crossing(lambda x: apart(x) > 0, value, 1.0) if value < 1 else 1.0
    return Estimate(value, low, high)


def share(count: int, of: int) -> Estimate:
    """A counted share with its exact interval (Clopper and Pearson, Biometrika 26, 1934). `of` is from 1 on."""
    tail = (1 - CONFIDENCE) / 2
    low = high = None
    if count > 0:
        low = _crossing(lambda x: _beta(x, count, of - count + 1) >= tail, 0.0, 1.0)
    if count < of:
        high = _crossing(lambda x: _beta(x, count + 1, of - count) >= 1 - tail, 0.0, 1.0)
    return Estimate(count / of, 0.0 if low is None else low, 1.0 if high is None else high)


def best(made: Iterable[Point], fits: Callable[[Point], bool]) -> Point | None:
    """Of the thresholds that fit: which refuses the most unacceptable rows, and of these the fewest acceptable ones.

    None where none fits, or where none of them refuses an unacceptable row.
    """
    fitting = (point for point in made if point.refused_unacceptable and fits(point))
    return max(fitting, key=lambda point: (point.refused_unacceptable, -point.refused_acceptable), default=None)


def corners(made: Sequence[Point]) -> list[Point]:
    """The points at which the curve turns: all that it takes to draw it."""
    kept = list(made[:1])
    for point, following in pairwise(made[1:]):
        if _step(kept[-1], point) != _step(point, following):
            kept.append(point)
    return [*kept, *made[1:][-1:]]


def thinned(made: Sequence[Point], most: int) -> list[Point]:
    """At most so many of the points, evenly along the list, the first and the last among them."""
    if len(made) <= most:
        return list(made)
    return [made[round(number * (len(made) - 1) / (most - 1))] for number in range(most)]


def _step(a: Point, b: Point) -> tuple[int, int]:
    """The direction from a point to another, in its lowest terms."""
    right, up = b.refused_acceptable - a.refused_acceptable, b.refused_unacceptable - a.refused_unacceptable
    common = math.gcd(right, up) or 1
    return right // common, up // common


def _between(low: float, high: float) -> float:
    """Above the one, and at most the other: two neighbouring floats have nothing between them."""
    middle = (low + high) / 2
    return middle if low < middle else high


def _crossing(beyond: Callable[[float], bool], low: float, high: float) -> float:
    """Where a condition that does not hold below begins to hold, by halving."""
    for _ in range(60):
        middle = (low + high) / 2
        if beyond(middle):
            high = middle
        else:
            low = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function: the chance that a beta variable of (a, b) is at most `x`.

    By its continued fraction (DLMF 8.17.22), from the side on which that converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    return front / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)), from the front, by Lentz's method."""
    value = numerator = 1.0
    denominator = 0.0
    for number in range(1, _MOST_TERMS):
        half = number // 2
        top = -(a + half) * (a + b + half) if number % 2 else half * (b - half)
        term = top * x / ((a + number - 1) * (a + number))
        denominator = 1 / ((1 + term * denominator) or _TINY)
        numerator = (1 + term / numerator) or _TINY
        value *= numerator * denominator
        if abs(numerator * denominator - 1) < 1e-14:
            break
    return value


_MOST_TERMS: Final = 100_000
_TINY: Final = 1e-300
