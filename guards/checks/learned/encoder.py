"""Vectors of texts: what similarity, and topics given by examples, stand on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from typing import Final, TypeAlias

from guards.checks.texts.cuts import cuts
from guards.effects import Flow, Load, Rows, worked
from guards.models import ModelSpec, Row, handle_of
from guards.models.spec import Model

__all__ = ["EMBEDDED", "MOST_CHARS", "Encoder", "Vector", "cosine"]

EMBEDDED: Final = "embedded:encoder"
MOST_CHARS: Final = 200_000
"""The longest text that is looked at, some 30,000 words: on two cores it takes the embedded encoder about a minute."""

Vector: TypeAlias = Row
"""Of length 1."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """A model that gives a vector for a text."""

    spec: ModelSpec

    @classmethod
    def of(cls, model: Model | ModelSpec | None) -> Encoder:
        """The embedded one for None; an id, a folder, a spec, or a function of a list of texts that gives vectors."""
        return cls(ModelSpec.of(model, "embedding", EMBEDDED))

    def vectors(self, texts: Sequence[str]) -> Flow[list[Vector]]:
        """One vector per text, in one question to the model.

        The vector of a text that is longer than the model's limit is the mean of those of its windows. Raises
        ValueError for a text of more than `MOST_CHARS` characters, and for vectors that have no direction.
        """
        yield Load(self.spec)
        parts = yield from worked(lambda: [self._windows(text) for text in texts], sum(map(len, texts)))
        rows = iter((yield Rows(self.spec, [part for of_one in parts for part in of_one])))
        return [self._mean([self._unit(next(rows)) for _ in of_one]) for of_one in parts]

    def _windows(self, text: str) -> list[str]:
        if len(text) > MOST_CHARS:
            raise ValueError(f"a text of {len(text):,} characters is longer than the {MOST_CHARS:,} that are compared")
        return [text[start:end] for start, end in cuts(text, handle_of(self.spec), (0,))]

    def _mean(self, vectors: Sequence[Vector]) -> Vector:
        if len(vectors) == 1:
            return vectors[0]
        return self._unit([math.fsum(numbers) for numbers in zip(*vectors, strict=True)])

    def _unit(self, row: Sequence[float]) -> Vector:
        length = math.hypot(*row)
        if not length:
            raise ValueError(f"{self.spec.name} gave a vector of length 0, which points nowhere")
        return tuple(number / length for number in row)


def cosine(one: Vector, other: Vector) -> float:
    """Of two vectors of length 1: from -1 to 1. Raises ValueError where they are not of one size."""
    if len(one) != len(other):
        raise ValueError(f"vectors of {len(one)} and of {len(other)} numbers cannot be compared")
    product: float = sum(map(mul, one, other))
    return max(-1.0, min(1.0, product))  # rounding may lead past either end
