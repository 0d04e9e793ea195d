"""A function of the user's as a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from guards.models.items import weight, words
from guards.models.spec import Item, ModelSpec

__all__ = ["Function"]


class Function:
    """It is given the items as they are, in batches of like length, and gives a row or a number for each."""

    def __init__(self, spec: ModelSpec, function: Callable[[Sequence[Any]], Sequence[Sequence[float] | float]]) -> None:
        self.labels = spec.labels or ()
        self.limit = spec.max_tokens
        self._function = function

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """Rows; of one number, where the function gave that and no row."""
        return [(row,) if isinstance(row, int | float) else row for row in self._function(items)]

    def weigh(self, item: Item) -> int:
        return weight(item)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return words(text)
