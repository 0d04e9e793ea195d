"""Guards that ask a loaded model: what they ask is said step by step, so that thousands of checks can ask together.

A check by itself asks its model's handle, whose batches it shares with whoever asks at the same time; `score_many`
takes the same steps of many checks at once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

from guards.checks.base import Guard, Verdict
from guards.context import Context
from guards.models import Item, ModelSpec, Row, handle_of

__all__ = ["ModelGuard", "Rows", "Steps", "driven", "steps_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rows:
    """A question to a model; answered with one row per item."""

    spec: ModelSpec
    items: Sequence[Item]


Steps: TypeAlias = Generator[Rows, list[Row], Verdict]
"""The questions of one check, one after the other, and what came of them."""


class ModelGuard(Guard):
    """A guard that writes `steps` instead of `check`: a generator that yields `Rows` and returns a verdict."""

    @abstractmethod
    def steps(self, value: Any, context: Context) -> Steps:
        """The check. What it raises is a failure of the guard, never a pass."""

    @property
    @abstractmethod
    def specs(self) -> tuple[ModelSpec, ...]:
        """The models that it asks: what `guards.models.preload` takes, and what a calibration holds for."""

    def check(self, value: Any, context: Context) -> Verdict:
        return driven(self.steps(value, context))


def driven(steps: Generator[Rows, list[Row], T]) -> T:
    """What comes of steps when their models are asked right away."""
    try:
        asked = next(steps)
        while True:
            asked = steps.send(handle_of(asked.spec)(asked.items))
    except StopIteration as stop:
        result: T = stop.value
        return result


def steps_of(guard: Guard, value: Any, context: Context) -> Steps:
    """A check of any guard that is not async, as steps; one without a model asks nothing."""
    if isinstance(guard, ModelGuard):
        return (yield from guard.steps(value, context))
    return cast("Verdict", guard.check(value, context))
