"""Natural language inference: does a premise entail a hypothesis, contradict it, or neither?

The labels of a model are mapped by their names. What is done with the answer is the guards' affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guards.models import ModelSpec, Row, handle_of, nli_positions, nli_scores
from guards.models.spec import Model

__all__ = ["EMBEDDED", "Nli", "Probabilities"]

EMBEDDED: Final = "embedded:nli"
Probabilities = tuple[float, float, float]
"""Of entailment, neutral and contradiction."""


@dataclass(frozen=True, slots=True)
class Nli:
    """An NLI model: three probabilities for a pair of texts (premise, hypothesis)."""

    spec: ModelSpec

    @classmethod
    def of(cls, model: Model | ModelSpec | None) -> Nli:
        """The embedded one for None; an id, a folder, a spec, or a function of a list of pairs.

        A function gives (entailment, neutral, contradiction) for each pair, or the first of them alone.
        """
        if callable(model) and not isinstance(model, ModelSpec):
            model = _Entailing(model)
        return cls(ModelSpec.of(model, "pairs", EMBEDDED, ("entailment", "neutral", "contradiction")))

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> list[Probabilities]:
        """One triple per pair, in order. Raises what the model raises; ConfigError where its labels are not NLI's."""
        return self.named(handle_of(self.spec)(list(pairs)))

    def named(self, rows: Sequence[Row]) -> list[Probabilities]:
        """The model's rows as triples."""
        positions = nli_positions(handle_of(self.spec).labels)
        return [nli_scores(row, positions) for row in rows]


@dataclass(frozen=True, slots=True)
class _Entailing:
    """A function whose answers may be a single number, the probability of entailment."""

    model: Callable[[Sequence[Any]], Sequence[Sequence[float] | float]]

    def __call__(self, pairs: Sequence[Any]) -> list[Sequence[float]]:
        return [(row, 1 - row, 0.0) if isinstance(row, int | float) else row for row in self.model(pairs)]
