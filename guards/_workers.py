"""Threads for work that may take long or never end: guards' checks, and plain functions called from async code.

`concurrent.futures.ThreadPoolExecutor` waits for its threads at exit, so one hanging check would hang the program.
These are daemon threads; one that runs past its time is left behind, counted, and no more than a few may be.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

__all__ = ["Task", "Workers", "background_loop", "calls", "checks"]

_IDLE_SECONDS = 10.0


class Task:
    """A piece of work and its future."""

    __slots__ = ("abandoned", "context", "future", "run", "running")

    def __init__(self, run: Callable[[], Any]) -> None:
        self.run = run
        self.future: Future[Any] = Future()
        self.context = contextvars.copy_context()
        self.running = False
        self.abandoned = False


class Workers:
    """At most `most` threads at work; further tasks wait. At most `most_left` may be left behind.

    Work that a thread of any of them hands in goes past both the queue and `most`: the thread is about to wait for it,
    and all of them could wait for what nobody begins.
    """

    def __init__(self, name: str, *, most: int, most_left: int) -> None:
        self.name = name
        self.most = most
        self.most_left = most_left
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._tasks: deque[Task] = deque()
        self._threads = 0
        self._idle = 0
        self.left = 0

    def submit(self, run: Callable[[], Any]) -> Task:
        """Start the work in a thread, in a copy of the caller's context variables.

        Raises RuntimeError when too many earlier ones never came back.
        """
        task = Task(run)
        with self._changed:
            if self.left >= self.most_left:
                raise RuntimeError(f"{self.left} {self.name} threads hang and were left behind; no more are started")
            within = getattr(_HERE, "working", False)
            if within:
                self._tasks.appendleft(task)
            else:
                self._tasks.append(task)
            self._staff(self.most if not within else self._threads + 1)
        return task

    def abandon(self, task: Task) -> None:
        """Stop waiting for a task: one not yet begun is cancelled, a running one is left behind."""
        with self._changed:
            if not task.running:
                task.future.cancel()
            elif not task.future.done() and not task.abandoned:
                task.abandoned = True
                self.left += 1
                self._threads -= 1
                self._staff(self.most)

    def _staff(self, most: int) -> None:
        """See that somebody takes the next task: a waiting thread, or a new one."""
        if len(self._tasks) > self._idle and self._threads < most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"guards-{self.name}", daemon=True).start()
        else:
            self._changed.notify()

    def _work(self) -> None:
        _HERE.working = True
        while (task := self._next()) is not None:
            self._run(task)
            with self._changed:
                if task.abandoned:
                    self.left -= 1
                    return
            del task

    def _next(self) -> Task | None:
        """The next task that nobody called off; None when there was none for a while."""
        with self._changed:
            while True:
                while not self._tasks:
                    self._idle += 1
                    came = self._changed.wait(_IDLE_SECONDS)
                    self._idle -= 1
                    if not came and not self._tasks:
                        self._threads -= 1
                        return None
                task = self._tasks.popleft()
                task.running = task.future.set_running_or_notify_cancel()
                if task.running:
                    return task

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


def _leave() -> None:
    """The one thread of a forked child is nobody's worker."""
    _HERE.working = False


_HERE = threading.local()
"""Whether this thread is a worker."""
os.register_at_fork(after_in_child=_leave)

checks = Workers("check", most=32, most_left=64)
calls = Workers("call", most=256, most_left=256)


class _Background:
    """One event loop in a thread of its own, for async checks under the sync driver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Raises RuntimeError inside the loop itself, which would wait for its own work."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a sync call with async checks stands inside an async check; await its async form")
        return asyncio.run_coroutine_threadsafe(work, self._get())

    def _get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_serve, args=(self._loop,), name="guards-loop", daemon=True)
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    """These two leave a loop as well as their task; whoever waits for the task gets them, and the loop goes on."""
    while True:
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            loop.run_forever()


background_loop = _Background()
