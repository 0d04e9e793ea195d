"""The loaded models of a process: one per spec, loaded when it is first asked something, shared by all."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from guards.models.backend import Backend, backend_of
from guards.models.batching import Batcher, Start
from guards.models.items import texts_of
from guards.models.spec import Item, ModelSpec

__all__ = ["Handle", "Row", "handle_of", "preload"]

Row = tuple[float, ...]
"""What a model says of one item: a score of each label, or a vector."""

_MOST_KEPT: Final = 20_000
_MOST_NUMBERS: Final = 2_000_000
"""Of one model's rows together; some 60 MB. A vector may have hundreds, a row of scores a few."""
_MOST_FUNCTIONS: Final = 64


@dataclass(slots=True)
class _Asked:
    """What is asked: the keys of the items, the rows that are remembered, and what has to be run."""

    keys: list[bytes]
    rows: dict[bytes, Row]
    missing: dict[bytes, Item]

    def answer(self) -> list[Row]:
        return [self.rows[key] for key in self.keys]


class Handle:
    """A model that several guards, threads and tasks use at once."""

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self._lock = threading.Lock()
        self._loaded: tuple[Backend, Batcher[Item, Row]] | None = None
        self._kept: OrderedDict[bytes, Row] = OrderedDict()
        """Rows of items that were asked for before, by a hash: texts are not held on to."""

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the scores, in their order; loads the model."""
        return self._load()[0].labels

    @property
    def limit(self) -> int | None:
        """The most tokens of one input (of a pair together); None where that is not known. Loads the model."""
        return self._load()[0].limit

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of a text begins and ends, in characters; loads the model."""
        return self._load()[0].spans(text)

    def load(self) -> Handle:
        """Have the model in memory."""
        self._load()
        return self

    def preload(self) -> None:
        """Load the model now, and have it say something once."""
        backend, _ = self._load()
        backend.run([("warm", "up") if self.spec.task == "pairs" else "warm up"])

    def __call__(self, items: Sequence[Item]) -> list[Row]:
        """One row per item. Equal items are run once, and not again while they are remembered.

        Raises what the model raises, and ValueError for rows that are no scores.
        """
        asked = self._asked(items)
        if asked.missing:
            self._learn(asked, self._load()[1](list(asked.missing.values())))
        return asked.answer()

    async def ask(self, items: Sequence[Item], start: Start) -> list[Row]:
        """As a call, without a thread that waits; `start` lends one for the batches. Loads the model, if need be, here.

        What comes to this event loop in one turn goes into the same batches.
        """
        import asyncio

        asked = self._asked(items)
        if asked.missing:
            _, batcher = self._load()
            future = batcher.later(list(asked.missing.values()), start)
            asyncio.get_running_loop().call_soon(batcher.go_on, start)
            found: list[Row] = await asyncio.wrap_future(future)
            self._learn(asked, found)
        return asked.answer()

    def _asked(self, items: Sequence[Item]) -> _Asked:
        keys = [_key(item) for item in items]
        with self._lock:
            rows = {key: self._kept[key] for key in keys if key in self._kept}
            for key in rows:
                self._kept.move_to_end(key)
        return _Asked(keys, rows, {key: item for key, item in zip(keys, items, strict=True) if key not in rows})

    def _learn(self, asked: _Asked, found: Sequence[Row]) -> None:
        new = dict(zip(asked.missing, found, strict=True))
        asked.rows |= new
        self._keep(new)

    def _keep(self, rows: dict[bytes, Row]) -> None:
        width = max(map(len, rows.values()))
        with self._lock:
            self._kept |= rows
            while len(self._kept) > min(_MOST_KEPT, _MOST_NUMBERS // width):
                self._kept.popitem(last=False)

    def _load(self) -> tuple[Backend, Batcher[Item, Row]]:
        with self._lock:
            if self._loaded is None:
                backend = backend_of(self.spec)
                run = partial(_checked, backend, self.spec)
                self._loaded = backend, Batcher(run, backend.weigh, most=backend.most, at_once=backend.at_once)
            return self._loaded


def handle_of(spec: ModelSpec) -> Handle:
    """The one handle of this spec in this process; nothing is loaded yet.

    Loaded models stay. Of functions, which cost nothing to load, the last 64 that were asked for keep their handle: a
    function that is made anew for each request must not fill the memory.
    """
    with _LOCK:
        if not callable(spec.model):
            return _HANDLES.setdefault(spec, Handle(spec))
        handle = _FUNCTIONS.pop(spec, None) or Handle(spec)
        _FUNCTIONS[spec] = handle  # the last one, now
        if len(_FUNCTIONS) > _MOST_FUNCTIONS:
            _FUNCTIONS.popitem(last=False)
        return handle


def preload(specs: Sequence[ModelSpec]) -> None:
    """Load these models now: what is missing is told before the first answer has to be judged."""
    for spec in specs:
        handle_of(spec).preload()


_HANDLES: dict[ModelSpec, Handle] = {}
_FUNCTIONS: OrderedDict[ModelSpec, Handle] = OrderedDict()
_PARENTS: list[Handle] = []
_LOCK = threading.Lock()


def _after_fork() -> None:
    """A child has none of the parent's threads, which may have held the locks: it loads its own."""
    global _LOCK  # noqa: PLW0603  # as the comment above says
    _LOCK = threading.Lock()
    # Not let go: a session of onnxruntime would wait for its threads, which are not in the child, for ever.
    _PARENTS.extend((*_HANDLES.values(), *_FUNCTIONS.values()))
    _HANDLES.clear()
    _FUNCTIONS.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _checked(backend: Backend, spec: ModelSpec, items: list[Item]) -> list[Row]:
    """The rows as plain floats. A row that is no score must not become a verdict."""
    given = backend.run(items)
    width = len(backend.labels)
    try:
        rows = [tuple(map(float, row)) for row in given]
    except (TypeError, ValueError) as fault:
        raise ValueError(f"{spec.name} gave something else than numbers") from fault
    for row in rows:
        if not all(map(math.isfinite, row)) or not row:
            raise ValueError(f"{spec.name} gave numbers that are none")
        if spec.task != "embedding" and (len(row) != width or not all(0 <= score <= 1 for score in row)):
            raise ValueError(f"{spec.name} gave {row!r} where {width} scores between 0 and 1 were due")
    return rows


def _key(item: Item) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for text in texts_of(item):
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.digest()
