"""Threads for work that may take long or never end: guards' checks, long readings and plain functions called from async
code.

`concurrent.futures.ThreadPoolExecutor` waits for its threads at exit, so one hanging check would hang the program.
These are daemon threads; one that runs past its time is left behind and counted. Each owner of work (a guard, a
client's function) has an allowance of its own, so that one that hangs stops nobody else.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from guards.errors import TooManyHang

__all__ = ["Task", "Workers", "batches", "calls", "checks", "loads", "readings"]

_IDLE_SECONDS = 10.0


class _Lane:
    """The work of one owner: what waits for its turn, how much is at work, how much was left behind."""

    __slots__ = ("at_work", "left", "owner", "waiting")

    def __init__(self, owner: object) -> None:
        self.owner = owner  # kept, so that its id stays its own
        self.waiting: deque[Task] = deque()
        self.at_work = 0
        self.left = 0


class Task:
    """A piece of work and its future."""

    __slots__ = ("abandoned", "context", "future", "lane", "run", "running", "severable", "thread")

    def __init__(self, run: Callable[[], Any], lane: _Lane, *, severable: bool) -> None:
        self.run = run
        self.lane = lane
        self.severable = severable
        self.future: Future[Any] = Future()
        self.context = contextvars.copy_context()
        self.running = False
        self.abandoned = False
        self.thread = 0


class Workers:
    """Of each owner at most `most` tasks are at work, further ones wait; at most `most_left` may be left behind.

    `in_all` and `left_in_all` bound both over all owners. Where half of `left_in_all` is used up, an owner may leave
    one behind and no more: those who hang leave room for those who do not.

    Work that a thread of any of them hands in goes past the queues and bounds of work: the thread is about to wait for
    it, and all of them could wait for what nobody begins.
    """

    def __init__(self, name: str, *, most: int, most_left: int, in_all: int = 1024, left_in_all: int = 1024) -> None:
        self.name = name
        self.most = most
        self.most_left = most_left
        self.in_all = in_all
        self.left_in_all = left_in_all
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._lanes: dict[int, _Lane] = {}
        self._ready: deque[Task] = deque()
        self._threads = 0
        self._idle = 0
        self.left = 0

    def submit(self, run: Callable[[], Any], owner: object = None, *, severable: bool = False) -> Task:
        """Start the work in a thread, in a copy of the caller's context variables.

        `severable` work is a call over a socket, which is shut where the work is abandoned. Raises `TooManyHang` when
        too many earlier ones of this owner never came back, or no thread is to be had.
        """
        with self._changed:
            lane = self._lanes.get(id(owner)) or _Lane(owner)
            self._check_room(lane)
            task = Task(run, lane, severable=severable)
            within = getattr(_HERE, "working", False)
            if within:
                lane.at_work += 1
                self._ready.appendleft(task)
            else:
                lane.waiting.append(task)
            self._lanes[id(owner)] = lane
            try:
                self._go_on(lane)
                self._staff(self.in_all if not within else self._threads + 1)
            except RuntimeError as fault:  # the system gives no more threads
                self._call_off(task)
                raise TooManyHang(f"no thread for a {self.name} can be started: {fault}") from fault
        return task

    def _check_room(self, lane: _Lane) -> None:
        allowed = self.most_left if 2 * self.left < self.left_in_all else 1
        if lane.left >= allowed or self.left >= self.left_in_all:
            raise TooManyHang(
                f"{lane.left} threads of this {self.name} hang and were left behind ({self.left} in all); no more are "
                "started"
            )

    def abandon(self, task: Task) -> None:
        """Stop waiting for a task: one not yet begun is cancelled, a running one is left behind, and what it gives
        after all is closed."""
        with self._changed:
            if not task.running:
                self._call_off(task)
                return
            late = task.future.done()
            if task.abandoned:
                return
            if not late:
                self._leave_behind(task)
        task.future.add_done_callback(_close)
        if task.severable and not late:
            from guards.driving.severing import sever

            sever(task.future, task.thread, task)

    def _leave_behind(self, task: Task) -> None:
        task.abandoned = True
        self.left += 1
        self._threads -= 1
        task.lane.left += 1
        self._ended(task.lane)
        with contextlib.suppress(RuntimeError):  # those that run take what waits
            self._staff(self.in_all)

    def _call_off(self, task: Task) -> None:
        task.future.cancel()
        if task in self._ready:
            self._ready.remove(task)
            self._ended(task.lane)
        elif task in task.lane.waiting:
            task.lane.waiting.remove(task)
            self._forget(task.lane)

    def _ended(self, lane: _Lane) -> None:
        """One of its tasks is at work no longer."""
        lane.at_work -= 1
        self._go_on(lane)
        self._forget(lane)

    def _go_on(self, lane: _Lane) -> None:
        """Let as many of its tasks come on as it may have at work."""
        while lane.waiting and lane.at_work < self.most:
            lane.at_work += 1
            self._ready.append(lane.waiting.popleft())

    def _forget(self, lane: _Lane) -> None:
        if not lane.waiting and not lane.at_work and not lane.left:
            self._lanes.pop(id(lane.owner), None)

    def _staff(self, most: int) -> None:
        """See that somebody takes the next task: a waiting thread, or a new one."""
        if len(self._ready) > self._idle and self._threads < most:
            threading.Thread(target=self._work, name=f"guards-{self.name}", daemon=True).start()
            self._threads += 1
        else:
            self._changed.notify()

    def _work(self) -> None:
        _HERE.working = True
        while (task := self._next()) is not None:
            self._run(task)
            with self._changed:
                if task.abandoned:
                    self.left -= 1
                    task.lane.left -= 1
                    self._forget(task.lane)
                    return
                self._ended(task.lane)
            del task

    def _next(self) -> Task | None:
        """The next task that nobody called off; None when there was none for a while."""
        with self._changed:
            while True:
                while not self._ready:
                    self._idle += 1
                    came = self._changed.wait(_IDLE_SECONDS)
                    self._idle -= 1
                    if not came and not self._ready:
                        self._threads -= 1
                        return None
                task = self._ready.popleft()
                task.thread = threading.get_ident()
                task.running = task.future.set_running_or_notify_cancel()
                if task.running:
                    return task
                self._ended(task.lane)

    def _run(self, task: Task) -> None:
        try:
            result = task.context.run(task.run)
        except StopIteration as fault:
            # An asyncio future refuses it and would never be done (as PEP 479 has it for generators).
            stopped = RuntimeError("StopIteration was raised")
            stopped.__cause__ = fault
            task.future.set_exception(stopped)
        except BaseException as fault:  # noqa: BLE001  # handed to whoever waits for the future
            task.future.set_exception(fault)
        else:
            task.future.set_result(result)


def _close(future: Future[Any]) -> None:
    """A stream that was opened after all, and that nobody will read."""
    with contextlib.suppress(BaseException):  # what the work raised is nobody's any more
        future.result().close()


def _leave() -> None:
    """The one thread of a forked child is nobody's worker."""
    _HERE.working = False


_HERE = threading.local()
"""Whether this thread is a worker."""
os.register_at_fork(after_in_child=_leave)

# A model is loaded once: who comes meanwhile waits without a thread.
loads = Workers("load", most=1, most_left=32)
# Of one model no more run at the same time than it takes at once, whoever asks.
batches = Workers("batch", most=16, most_left=32)
checks = Workers("check", most=32, most_left=32)
# Readings are bound by the processor, of which the interpreter gives them one: more at once end no sooner.
readings = Workers("reading", most=4, most_left=64)
calls = Workers("call", most=256, most_left=64, in_all=4096)
