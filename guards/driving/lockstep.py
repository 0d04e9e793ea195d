"""Many flows abreast, in one thread: what they ask of models at the same time is asked at once, so that a model runs in
full batches; their jobs run side by side. A flow that asks a client goes on in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeAlias

from guards.driving.jobs import Running, begin, begun, caught, settled
from guards.effects import Compute, Effect, Flow, Load, LongWork, Rows, Together, unless_fault

__all__ = ["abreast"]

Drive: TypeAlias = "Callable[[Flow[Any], Callable[[Effect], Any], Effect], Any]"
"""Drives on a flow that was begun: the flow, what does its effects, and the effect that it waits for."""
Do: TypeAlias = Callable[[Effect], Any]


def abreast(work: Together, do: Do, drive: Drive) -> list[Any]:
    """The flows' results or faults, in order."""
    lane = _Abreast(work, do, drive)
    try:
        lane.run()
    except BaseException:
        for running in lane.running:
            running.leave()
        raise
    return [lane.ended[number] for number in range(len(work.flows))]


class _Abreast:
    """Flows by their numbers: those that ended, those in a thread of their own, and what the others wait for."""

    def __init__(self, work: Together, do: Do, drive: Drive) -> None:
        self.ended: dict[int, Any] = {}
        self._flows = work.flows
        self._strict = work.strict
        self._do = do
        self._drive = drive
        self._aside: dict[int, Running] = {}
        self._jobs: dict[int, list[Running]] = {}
        self._rows: dict[int, Rows] = {}

    @property
    def running(self) -> Iterator[Running]:
        """All that goes on in other threads."""
        yield from self._aside.values()
        for jobs in self._jobs.values():
            yield from jobs

    def run(self) -> None:
        for number, flow in enumerate(self._flows):
            self._step(number, partial(next, flow))
        while self._rows or self._jobs:
            rows, self._rows = self._rows, {}
            jobs = list(self._jobs)
            for number, answer in self._asked(rows):
                self._go_on(number, answer)
            for number in jobs:
                entries = settled(self._jobs[number])
                del self._jobs[number]
                self._go_on(number, entries)
        for number, running in self._aside.items():
            self._end(number, running.entry())

    def _asked(self, rows: dict[int, Rows]) -> Iterable[tuple[int, Any]]:
        if not rows:
            return ()
        from guards.driving.rows import rows_of_many  # most flows ask no model

        return rows_of_many(rows)

    def _go_on(self, number: int, answer: Any) -> None:
        flow = self._flows[number]
        self._step(number, partial(flow.throw if isinstance(answer, BaseException) else flow.send, answer))

    def _step(self, number: int, step: Callable[[], Effect]) -> None:
        """One step of a flow, and where its next effect goes."""
        try:
            effect = step()
        except StopIteration as stop:
            self._end(number, stop.value)
        except Exception as fault:  # noqa: BLE001  # an entry of the answer
            self._end(number, fault)
        else:
            self._take(number, effect)

    def _take(self, number: int, effect: Effect) -> None:
        if isinstance(effect, Rows):
            self._rows[number] = effect
        elif isinstance(effect, Compute):
            self._jobs[number] = begin(effect)
        elif isinstance(effect, Load | LongWork):
            self._go_on(number, caught(partial(self._do, effect)))
        else:
            from guards.driving.workers import calls

            run = partial(self._drive, self._flows[number], self._do, effect)
            self._aside[number] = begun(calls, run, run)

    def _end(self, number: int, result: Any) -> None:
        self.ended[number] = unless_fault(result) if self._strict else result
