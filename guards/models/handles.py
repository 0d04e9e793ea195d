"""The loaded models of a process: one per spec, loaded when it is first asked something, shared by all."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from guards.models.batching import Batcher
from guards.models.spec import Item, ModelSpec

__all__ = ["Backend", "Handle", "handle_of", "preload"]

Row = tuple[float, ...]
"""What a model says of one item: a score of each label, or a vector."""

_MOST_KEPT: Final = 20_000


class Backend(Protocol):
    """A model in memory."""

    labels: tuple[str, ...]

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """One row per item: the probability of each label, or the vector."""
        ...

    def weigh(self, item: Item) -> int:
        """About how many tokens an item has."""
        ...


class Handle:
    """A model that several guards, threads and tasks use at once."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._lock = threading.Lock()
        self._loaded: tuple[Backend, Batcher[Item, Row]] | None = None
        self._kept: OrderedDict[bytes, Row] = OrderedDict()
        """Rows of items that were asked for before, by a hash: texts are not held on to."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the scores, in their order; loads the model."""
        return self._load()[0].labels

    def preload(self) -> None:
        """Load the model now, and have it say something once."""
        backend, _ = self._load()
        backend.run([("warm", "up") if self.spec.task == "pairs" else "warm up"])

    def __call__(self, items: Sequence[Item]) -> list[Row]:
        """One row per item. Equal items are run once, and not again while they are remembered.

        Raises what the model raises, and ValueError for rows that are no scores.
        """
        keys = [_key(item) for item in items]
        with self._lock:
            rows = {key: self._kept[key] for key in keys if key in self._kept}
            for key in rows:
                self._kept.move_to_end(key)
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in rows}
        if missing:
            _, batcher = self._load()
            rows |= zip(missing, batcher(list(missing.values())), strict=True)
            with self._lock:
                self._kept |= {key: rows[key] for key in missing}
                while len(self._kept) > _MOST_KEPT:
                    self._kept.popitem(last=False)
        return [rows[key] for key in keys]

    def _load(self) -> tuple[Backend, Batcher[Item, Row]]:
        with self._lock:
            if self._loaded is None:
                backend = _backend(self.spec)
                self._loaded = backend, Batcher(lambda items: _checked(backend, items, self.spec), backend.weigh)
            return self._loaded


class _Function:
    """A function of the user's as a model."""

    def __init__(self, spec: ModelSpec) -> None:
        assert callable(spec.model)
        self.labels = spec.labels or ()
        self._run: Callable[[Sequence[Any]], Sequence[Sequence[float]]] = spec.model

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        return self._run(items)

    def weigh(self, item: Item) -> int:
        return 1 + (len(item) if isinstance(item, str) else sum(map(len, item))) // 4


def handle_of(spec: ModelSpec) -> Handle:
    """The one handle of this spec in this process; nothing is loaded yet."""
    with _LOCK:
        return _HANDLES.setdefault(spec, Handle(spec))


def preload(specs: Sequence[ModelSpec]) -> None:
    """Load these models now: what is missing is told before the first answer has to be judged."""
    for spec in specs:
        handle_of(spec).preload()


_HANDLES: dict[ModelSpec, Handle] = {}
_LOCK = threading.Lock()


def _after_fork() -> None:
    """A child has none of the parent's threads, which may have held the locks: it loads its own."""
    global _LOCK  # noqa: PLW0603  # as the comment above says
    _LOCK = threading.Lock()
    _HANDLES.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _backend(spec: ModelSpec) -> Backend:
    if callable(spec.model):
        return _Function(spec)
    from guards.models._transformers import Transformers

    return Transformers(spec)


def _checked(backend: Backend, items: list[Item], spec: ModelSpec) -> list[Row]:
    """The rows as plain floats. A row that is no score must not become a verdict."""
    rows = [tuple(float(number) for number in row) for row in backend.run(items)]
    width = len(backend.labels)
    for row in rows:
        if not all(map(math.isfinite, row)) or not row:
            raise ValueError(f"{spec.name} gave numbers that are none")
        if spec.task != "embedding" and (len(row) != width or not all(0 <= score <= 1 for score in row)):
            raise ValueError(f"{spec.name} gave {row!r} where {width} scores between 0 and 1 were due")
    return rows


def _key(item: Item) -> bytes:
    texts = (item,) if isinstance(item, str) else item
    digest = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()
