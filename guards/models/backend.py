"""A model in memory, whatever runs it; and which back end runs a spec. Each stands in a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from guards.models.endpoint import Endpoint
from guards.models.spec import Item, ModelSpec

__all__ = ["AsyncBackend", "Backend", "backend_of"]


class Backend(Protocol):
    """A model in memory. What cannot be loaded is a ConfigError of the constructor."""

    most: int
    """The most items of one batch."""
    at_once: int
    """How many batches it may run at the same time. In this process one takes all the cores there are; a server that
    is waited for does not."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the scores, in their order; none of a vector's numbers."""
        ...

    @property
    def limit(self) -> int | None:
        """The most tokens of one input; None where it is not known."""
        ...

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """One row per item: the probability of each label, or the vector."""
        ...

    def weigh(self, item: Item) -> int:
        """About how many tokens an item has."""
        ...

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of a text begins and ends, in characters, marks of the model's own left out."""
        ...


@runtime_checkable
class AsyncBackend(Protocol):
    """What a back end has besides, if it waits for somebody else's computing and needs no thread for it."""

    async def arun(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """As `Backend.run`, for any number of tasks and event loops at once."""
        ...


def backend_of(spec: ModelSpec) -> Backend:
    """Load what a spec names, by the rules that `ModelSpec` tells.

    Raises MissingExtra where its library is not installed, ConfigError for what cannot be loaded.
    """
    model = spec.model
    if isinstance(model, Endpoint):
        from guards.models._endpoint import Served

        return Served(spec, model)
    if callable(model):
        from guards.models._function import Function

        return Function(spec, model)
    if str(model).startswith("embedded:"):
        from guards.models._embedded import Embedded

        return Embedded(spec)
    from guards.models._onnx import Onnx, file_of

    file = file_of(spec)
    if file is not None:
        return Onnx(spec, file)
    from guards.models._transformers import Transformers

    return Transformers(spec)
