"""A function of the user's as a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from guards.models.items import weight, words
from guards.models.spec import Item, ModelSpec

__all__ = ["Function"]


class Function:
    """It is given the items as they are, in batches of like length, and gives a row or a number for each."""

    most = 64
    at_once = 1

    def __init__(self, spec: ModelSpec, function: Callable[[Sequence[Any]], Sequence[Sequence[float] | float]]) -> None:
        self.labels = spec.labels or ()
        self.limit = spec.max_tokens
        self._function = function
        self._name = spec.name

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """Rows; of one number, where the function gave that and no row. Raises TypeError for what is neither."""
        return [self._row(row) for row in self._function(items)]

    def _row(self, row: Any) -> Sequence[float]:
        """Text and mappings would become numbers too, of their digits and their keys."""
        if isinstance(row, int | float):
            return (row,)
        if isinstance(row, str | bytes | Mapping | AbstractSet) or any(
            isinstance(number, str | bytes) for number in row
        ):
            raise TypeError(f"{self._name} gave {type(row).__name__} where a list of numbers was due")
        return row  # type: ignore[no-any-return]  # whatever else it holds is looked at where rows are checked

    def weigh(self, item: Item) -> int:
        return weight(item)

    def spans(self, text: str) -> list[tuple[int, int]]:
        return words(text)
