"""One model, many callers: whoever finds nobody leading runs the next batch, with what the others brought too.

There is no thread of its own, so nothing has to be started, stopped or survive a fork: who waits without a thread lends
one for the batches. A batch holds items of like length, the oldest among them. A lone caller waits for nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeAlias, TypeVar

__all__ = ["Batcher", "Start"]

I = TypeVar("I")  # noqa: E741  # an item
R = TypeVar("R")

_WINDOW: Final = 8
"""Batches' worth of waiting items among which those of like length are looked for."""


Start: TypeAlias = Callable[[Callable[[], None]], object]
"""Runs what it is given in another thread. May raise."""


@dataclass(slots=True, eq=False)
class _Job:
    """What one caller brought. `future` takes the results where the caller waits without a thread."""

    left: int
    results: list[Any]
    fault: Exception | None = None
    future: Future[list[Any]] | None = None
    start: Start | None = None

    @property
    def ended(self) -> bool:
        return self.left == 0 or self.fault is not None or (self.future is not None and self.future.cancelled())

    def tell(self) -> None:
        """Who waits without a thread hears how it ended."""
        if self.future is None:
            return
        with suppress(InvalidStateError):  # nobody waits any more, or it was told before
            if isinstance(self.fault, StopIteration):  # an asyncio future would refuse it, and never be done
                self.future.set_exception(RuntimeError("StopIteration was raised"))
            elif self.fault is not None:
                self.future.set_exception(self.fault)
            elif not self.left:
                self.future.set_result(self.results)


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
        at_once: how many batches may run at the same time.
        linger: seconds to wait for callers who were there a moment ago.
    """

    def __init__(
        self,
        run: Callable[[list[I]], Sequence[R]],
        weigh: Callable[[I], int],
        *,
        most: int = 64,
        most_weight: int = 8192,
        at_once: int = 1,
        linger: float = 0.002,
    ) -> None:
        self._run = run
        self._weigh = weigh
        self._most = most
        self._most_weight = most_weight
        self._at_once = at_once
        self._linger = linger
        lock = threading.Lock()
        # Two, so that who comes wakes the caller who leads, and not all who wait for their results.
        self._arrived = threading.Condition(lock)
        self._changed = threading.Condition(lock)
        self._waiting: list[_Waiting[I]] = []
        self._leading = 0
        self._coming = 0
        """Threads that were lent and have not begun."""
        self._crowd = 1
        """Callers in the batch before: about so many will come again."""

    def __call__(self, items: Sequence[I]) -> list[R]:
        job = _Job(len(items), [None] * len(items))
        self._bring(job, items)
        try:
            while self._leads(job):
                self._work()
        except BaseException:
            self._withdraw(job)  # an interrupt: nobody is there any more who wants these
            raise
        finally:
            self._hand_over()
        if job.fault is not None:
            raise job.fault
        return job.results

    def later(self, items: Sequence[I], start: Start) -> Future[list[R]]:
        """The results, when they are there, for a caller who does not wait in a thread; `start` lends one where it is
        needed. Nothing is asked before `go_on`, so that who comes at the same time comes into the same batch; a future
        that is cancelled is asked nothing any more.
        """
        job = _Job(len(items), [None] * len(items), future=Future(), start=start)
        self._bring(job, items)
        job.tell()  # of no items there is nothing to wait for
        assert job.future is not None
        return job.future

    def go_on(self, start: Start) -> None:
        """See that somebody runs what waits: as many threads as batches may run, and are waiting to."""
        while True:
            with self._changed:
                enough = self._coming * self._most >= len(self._waiting)
                if enough or self._leading + self._coming >= self._at_once:
                    return
                self._coming += 1
            try:
                start(self._lead)
            except Exception as fault:  # noqa: BLE001  # it goes to those who wait for that thread
                with self._changed:
                    self._coming -= 1
                    alone = not (self._leading or self._coming)
                if alone:
                    self._fail(fault)
                return

    def _lead(self) -> None:
        """Run batches, in a thread that was lent, as long as something waits."""
        with self._changed:
            self._coming -= 1
        try:
            while self._leads(None):
                self._work()
        except BaseException as fault:
            self._fail(RuntimeError(f"{type(fault).__name__} was raised by the model"))
            raise
        finally:
            self._hand_over()

    def _bring(self, job: _Job, items: Sequence[I]) -> None:
        brought = [_Waiting(job, index, item, self._weigh(item)) for index, item in enumerate(items)]
        with self._changed:
            self._waiting += brought
            self._arrived.notify_all()

    def _withdraw(self, job: _Job) -> None:
        with self._changed:
            self._waiting = [waiting for waiting in self._waiting if waiting.job is not job]

    def _leads(self, job: _Job | None) -> bool:
        """Whether this caller runs the next batch; False when its own job has ended, or for a lent thread when there
        is nothing for it to do."""
        with self._changed:
            while self._leading >= self._at_once or not self._waiting:
                if job is None or job.ended:
                    return False
                self._changed.wait()
            if job is not None and job.ended:
                return False
            self._leading += 1
            return True

    def _hand_over(self) -> None:
        """Who leads no more leaves the rest to a thread of those who wait without one."""
        with self._changed:
            start = next((waiting.job.start for waiting in self._waiting if waiting.job.start is not None), None)
        if start is not None:
            self.go_on(start)

    def _fail(self, fault: Exception) -> None:
        """Nobody runs what waits without a thread."""
        with self._changed:
            lost = {id(w.job): w.job for w in self._waiting if w.job.future is not None}
            self._waiting = [w for w in self._waiting if w.job.future is None]
        for job in lost.values():
            job.fault = fault
            job.tell()

    def _work(self) -> None:
        batch: list[_Waiting[I]] = []
        try:
            batch = self._take()
            if batch:
                self._answer(batch)
        finally:
            with self._changed:
                # Unanswered after an interrupt of this caller: the others' are still wanted.
                self._waiting[:0] = [w for w in batch if not w.job.ended and w.job.results[w.index] is None]
                self._leading -= 1
                self._changed.notify_all()
        for job in _jobs(batch):
            job.tell()

    def _take(self) -> list[_Waiting[I]]:
        with self._changed:
            until = time.monotonic() + self._linger
            while self._crowd > len({id(waiting.job) for waiting in self._waiting}):
                if not self._arrived.wait(until - time.monotonic()) or time.monotonic() >= until:
                    break
            self._waiting = [waiting for waiting in self._waiting if not waiting.job.ended]
            if not self._waiting:  # others took it
                return []
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
            self._crowd = len(_jobs(batch))
            return batch

    def _answer(self, batch: list[_Waiting[I]]) -> None:
        try:
            results = self._results(batch)
        except Exception as fault:  # noqa: BLE001  # it goes to the callers
            jobs = _jobs(batch)
            if len(jobs) == 1:
                jobs[0].fault = fault
                return
            for job in jobs:  # one caller's item shall not be the others' fault
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


def _jobs(batch: Iterable[_Waiting[Any]]) -> list[_Job]:
    """Those whose items these are, each once."""
    return list({id(waiting.job): waiting.job for waiting in batch}.values())
