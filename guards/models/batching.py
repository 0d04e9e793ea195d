"""One model, many callers: whoever finds nobody leading runs the next batch, with what the others brought too.

There is no thread of its own, so nothing has to be started, stopped or survive a fork. A batch holds items of like
length, the oldest among them. A lone caller waits for nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

__all__ = ["Batcher"]

I = TypeVar("I")  # noqa: E741  # an item
R = TypeVar("R")

_WINDOW: Final = 8
"""Batches' worth of waiting items among which those of like length are looked for."""


@dataclass(slots=True, eq=False)
class _Job:
    """What one caller brought."""

    left: int
    results: list[Any]
    fault: Exception | None = None

    @property
    def ended(self) -> bool:
        return self.left == 0 or self.fault is not None


@dataclass(slots=True, eq=False)
class _Waiting(Generic[I]):
    """One item of a job."""

    job: _Job
    index: int
    item: I
    weight: int = field(default=0)


class Batcher(Generic[I, R]):
    """`batcher(items)` gives one result per item, in order; raises what the model raises.

    Args:
        run: the model, over one batch; one result per item.
        weigh: the length of an item, in tokens or what grows with them.
        most: the most items of one batch.
        most_weight: the most of items times the longest of them in one batch (one item may be more).
        linger: seconds to wait for callers who were there a moment ago.
    """

    def __init__(
        self,
        run: Callable[[list[I]], Sequence[R]],
        weigh: Callable[[I], int],
        *,
        most: int = 64,
        most_weight: int = 8192,
        linger: float = 0.002,
    ) -> None:
        self._run = run
        self._weigh = weigh
        self._most = most
        self._most_weight = most_weight
        self._linger = linger
        lock = threading.Lock()
        # Two, so that who comes wakes the caller who leads, and not all who wait for their results.
        self._arrived = threading.Condition(lock)
        self._changed = threading.Condition(lock)
        self._waiting: list[_Waiting[I]] = []
        self._led = False
        self._crowd = 1
        """Callers in the batch before: about so many will come again."""

    def __call__(self, items: Sequence[I]) -> list[R]:
        job = _Job(len(items), [None] * len(items))
        brought = [_Waiting(job, index, item, self._weigh(item)) for index, item in enumerate(items)]
        with self._changed:
            self._waiting += brought
            self._arrived.notify()
        try:
            while self._leads(job):
                self._work()
        except BaseException:
            with self._changed:  # an interrupt: nobody is there any more who wants these
                self._waiting = [waiting for waiting in self._waiting if waiting.job is not job]
            raise
        if job.fault is not None:
            raise job.fault
        return job.results

    def _leads(self, job: _Job) -> bool:
        """Whether this caller runs the next batch; False when its own job has ended."""
        with self._changed:
            while self._led and not job.ended:
                self._changed.wait()
            if not job.ended:
                self._led = True
            return not job.ended

    def _work(self) -> None:
        batch: list[_Waiting[I]] = []
        try:
            batch = self._take()
            self._answer(batch)
        finally:
            with self._changed:
                # Unanswered after an interrupt of this caller: the others' are still wanted.
                self._waiting[:0] = [w for w in batch if not w.job.ended and w.job.results[w.index] is None]
                self._led = False
                self._changed.notify_all()

    def _take(self) -> list[_Waiting[I]]:
        with self._changed:
            until = time.monotonic() + self._linger
            while self._crowd > len({id(waiting.job) for waiting in self._waiting}):
                if not self._arrived.wait(until - time.monotonic()) or time.monotonic() >= until:
                    break
            self._waiting = [waiting for waiting in self._waiting if not waiting.job.ended]
            oldest = self._waiting[0]
            batch: list[_Waiting[I]] = []
            for waiting in sorted(self._waiting[: _WINDOW * self._most], key=lambda waiting: waiting.weight):
                if len(batch) == self._most or (len(batch) + 1) * waiting.weight > self._most_weight:
                    if oldest in batch:
                        break
                    batch = []
                batch.append(waiting)
            taken = set(map(id, batch))
            self._waiting = [waiting for waiting in self._waiting if id(waiting) not in taken]
            self._crowd = len({id(waiting.job) for waiting in batch})
            return batch

    def _answer(self, batch: list[_Waiting[I]]) -> None:
        try:
            results = self._results(batch)
        except Exception as fault:  # noqa: BLE001  # it goes to the callers
            jobs = {id(waiting.job): waiting.job for waiting in batch}
            if len(jobs) == 1:
                batch[0].job.fault = fault
                return
            for job in jobs.values():  # one caller's item shall not be the others' fault
                self._answer([waiting for waiting in batch if waiting.job is job])
            return
        with self._changed:
            for waiting, result in zip(batch, results, strict=True):
                waiting.job.results[waiting.index] = result
                waiting.job.left -= 1

    def _results(self, batch: list[_Waiting[I]]) -> Sequence[R]:
        results = self._run([waiting.item for waiting in batch])
        if len(results) != len(batch):
            raise ValueError(f"the model gave {len(results)} results for {len(batch)} items")
        return results
