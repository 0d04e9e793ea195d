"""Which of some classes is a vector of, and is it of any? Learned from examples, in milliseconds for a few.

A multinomial logistic regression on vectors of length 1, and, beside it, how near the examples are. numpy comes with
the extra `models`, and nobody else imports it.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from guards.checks.here import here
from guards.checks.learned.encoder import Encoder, Vector
from guards.errors import MissingExtra

__all__ = ["Classed", "Examples", "LinearHead", "head_of"]

P = ParamSpec("P")
R = TypeVar("R")
Examples: TypeAlias = "tuple[tuple[str, tuple[str, ...]], ...]"
"""Names of classes, each with texts of it."""

_STRENGTH: Final = 30.0
"""What the data weigh against the size of the weights (C of other libraries). Of 10, 30 and 100 the best on banking77,
for all of it as for 10 and 3 examples a class; they differ by a point at most."""
_LEAN: Final = 10.0
"""What the cosine to the nearest example of each class adds, where that names more of the held-out examples, and not by
one only (interpolation with nearest neighbours: Khandelwal et al. 2020). Many examples of classes that are worded alike
(banking77) gain a point by it, CLINC150's would lose some."""
_STEPS: Final = 80
_FOLDS: Final = 5
_MOST_IN_ALL_FOLDS: Final = 1_000
"""With more examples one fold has enough of them."""
_CERTAINTY: Final = 0.25
"""What the highest probability counts beside the cosine to the nearest example. Held-out classes of banking77 (10
examples each) are told with an AUROC of 0.81 by the cosine alone, of 0.86 by the two."""
_REFUSED: Final = 1.645
"""Standard deviations below the mean: of what belongs to the classes, one in twenty is taken for something else."""
_LOGISTIC: Final = 1.702
"""Makes a logistic curve lie within 0.01 of the normal distribution (Camilli, 1994)."""
_LEAST_SPREAD: Final = 0.02


@dataclass(frozen=True, slots=True)
class Classed:
    """What a vector is taken for: the probability of each class, and that it is of any of them."""

    probabilities: tuple[float, ...]
    within: float


def _calmly(work: Callable[P, R]) -> Callable[P, R]:
    """Without numpy's warnings of invalid values: the kernels of its BLAS raise the flag for lanes that hold nothing. A
    NaN that is one comes out as a score that is none."""

    @wraps(work)
    def calm(*args: P.args, **options: P.kwargs) -> R:
        with _numpy().errstate(invalid="ignore"):
            return work(*args, **options)

    return calm


@dataclass(frozen=True, slots=True)
class LinearHead:
    """A classifier that was fitted to examples. Its numbers depend on nothing but these."""

    examples: Any
    """Vectors, one a row, class by class."""
    starts: Any
    """Where each class begins among the examples."""
    weights: Any
    """One row more than a vector has numbers, one column for each class."""
    lean: float
    """What the cosine to a class's nearest example adds to what the weights say of it."""
    middle: float
    """The nearness at which being of the classes and not being of them are as likely."""
    spread: float

    @classmethod
    @_calmly
    def of(cls, vectors: Sequence[Vector], classes: Sequence[int]) -> LinearHead:
        """Fit it. Every class from 0 up needs two examples. Raises MissingExtra without numpy."""
        np = _numpy()
        order = np.argsort(classes, kind="stable")
        rows, of = np.asarray(vectors, np.float32)[order], np.asarray(classes)[order]
        folds = _folds(of)
        trials = [cls._fitted(rows[~out], of[~out]).compared(rows[out]) for out in folds]
        wanted = np.concatenate([of[out] for out in folds])
        said, near = (np.concatenate(parts) for parts in zip(*trials, strict=True))
        held = _nearness(said, near)
        spread = max(_LEAST_SPREAD, float(held.std()))
        right = [int(((said + lean * near).argmax(axis=1) == wanted).sum()) for lean in (0, _LEAN)]
        middle = float(held.mean()) - _REFUSED * spread
        return replace(cls._fitted(rows, of), lean=_LEAN * (right[1] > right[0] + 1), middle=middle, spread=spread)

    @classmethod
    def _fitted(cls, rows: Any, of: Any) -> LinearHead:
        starts = _numpy().flatnonzero(_numpy().diff(of, prepend=-1))
        return cls(rows, starts, _weights(rows, of), lean=0.0, middle=0.0, spread=1.0)

    @_calmly
    def read(self, vectors: Sequence[Vector]) -> list[Classed]:
        """One answer per vector."""
        said, near = self.compared(_numpy().asarray(vectors, "float32"))
        probabilities = _softmax(said + self.lean * near)
        return [
            Classed(tuple(map(float, row)), _logistic((float(one) - self.middle) / self.spread))
            for row, one in zip(probabilities, _nearness(said, near), strict=True)
        ]

    def compared(self, rows: Any) -> tuple[Any, Any]:
        """Of each row and class, what the weights say (a logit), and the cosine to the nearest example."""
        said = rows @ self.weights[:-1] + self.weights[-1]
        return said, _numpy().maximum.reduceat(rows @ self.examples.T, self.starts, axis=1)


def head_of(encoder: Encoder, examples: Examples) -> LinearHead:
    """The one head for these examples in this process. The first to need it fits it, and who comes meanwhile waits."""
    with _LOCK:
        return _fitted_to(encoder, examples)


@lru_cache(maxsize=64)
def _fitted_to(encoder: Encoder, examples: Examples) -> LinearHead:
    vectors = here(encoder.vectors([text for _, texts in examples for text in texts]))
    return LinearHead.of(vectors, [index for index, (_, texts) in enumerate(examples) for _ in texts])


_LOCK = threading.Lock()


def _after_fork() -> None:
    """A thread of the parent may have held the lock, and is not in the child to let it go."""
    global _LOCK  # noqa: PLW0603  # as the comment above says
    _LOCK = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _weights(rows: Any, of: Any) -> Any:
    """The weights, by accelerated steps under a fixed bound of the curvature.

    The bound is that of Böhning, "Multinomial logistic regression algorithm" (1992): half of the rows' own products,
    the same at every step and for every class. The acceleration is Nesterov's.
    """
    np = _numpy()
    wide = np.hstack([rows, np.ones((len(rows), 1), np.float32)])
    if len(wide) >= wide.shape[1]:
        return _descended(wide, of)
    # The weights of a few rows lie in the space of these rows, whose coordinates are so few that it takes milliseconds.
    basis, coordinates = np.linalg.qr(wide.T)
    return basis @ _descended(coordinates.T, of)


def _descended(rows: Any, of: Any) -> Any:
    np = _numpy()
    wanted = np.eye(int(of.max()) + 1, dtype=np.float32)[of]
    penalty = np.float32(1 / (_STRENGTH * len(rows)))
    bound = rows.T @ rows / (2 * len(rows)) + penalty * np.eye(rows.shape[1], dtype=np.float32)
    step = np.linalg.inv(bound.astype(np.float64)).astype(np.float32)
    weights = ahead = np.zeros((rows.shape[1], wanted.shape[1]), np.float32)
    pace = 1.0
    for _ in range(_STEPS):
        slope = rows.T @ (_softmax(rows @ ahead) - wanted) / len(rows) + penalty * ahead
        after, faster = ahead - step @ slope, (1 + math.sqrt(1 + 4 * pace * pace)) / 2
        ahead = after + (pace - 1) / faster * (after - weights)
        weights, pace = after, faster
    return weights


def _folds(of: Any) -> list[Any]:
    """Which rows are held out in turn: of each class every fifth, of one with fewer than five every one in its turn."""
    np = _numpy()
    turn = np.zeros(len(of), int)
    for one in range(int(of.max()) + 1):
        mine = np.flatnonzero(of == one)
        turn[mine] = np.arange(len(mine)) % _FOLDS
    folds = [turn == fold for fold in range(_FOLDS if len(of) <= _MOST_IN_ALL_FOLDS else 1)]
    return [fold for fold in folds if fold.any()]


def _nearness(said: Any, near: Any) -> Any:
    return near.max(axis=1) + _CERTAINTY * _softmax(said).max(axis=1)


def _softmax(logits: Any) -> Any:
    raised = _numpy().exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _logistic(distance: float) -> float:
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, _LOGISTIC * distance))))


def _numpy() -> Any:
    try:
        import numpy as np
    except ModuleNotFoundError as fault:
        if fault.name != "numpy":
            raise
        raise MissingExtra("numpy", "models", where="topics given by examples") from fault
    return np
