"""Threads for work that may take long or never end: guards' checks, and plain functions called from async code.

`concurrent.futures.ThreadPoolExecutor` waits for its threads at exit, so one hanging check would hang the program.
These are daemon threads; one that runs past its time is left behind, counted, and no more than a few may be.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import queue
import threading
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
    """At most `most` threads at work; further tasks wait. At most `most_left` may be left behind."""

    def __init__(self, name: str, *, most: int, most_left: int) -> None:
        self.name = name
        self.most = most
        self.most_left = most_left
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._threads = 0
        self._idle = 0
        self.left = 0

    def submit(self, run: Callable[[], Any]) -> Task:
        """Start the work in a thread, in a copy of the caller's context variables.

        Raises RuntimeError when too many earlier ones never came back.
        """
        task = Task(run)
        with self._lock:
            if self.left >= self.most_left:
                raise RuntimeError(f"{self.left} {self.name} threads hang and were left behind; no more are started")
            self._queue.put(task)
            if self._idle:
                self._idle -= 1
            elif self._threads < self.most:
                self._spawn()
        return task

    def abandon(self, task: Task) -> None:
        """Stop waiting for a task: one not yet begun is cancelled, a running one is left behind."""
        with self._lock:
            if not task.running:
                task.future.cancel()
            elif not task.future.done() and not task.abandoned:
                task.abandoned = True
                self.left += 1
                self._threads -= 1
                if self._queue.qsize() and self._threads < self.most:
                    self._spawn()

    def _spawn(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, args=(self._queue,), name=f"guards-{self.name}", daemon=True).start()

    def _work(self, tasks: queue.SimpleQueue[Task]) -> None:
        while True:
            try:
                task = tasks.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._idle and tasks.empty():
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue
            if not self._begin(task):
                with self._lock:
                    self._idle += 1
                continue
            self._run(task)
            with self._lock:
                if task.abandoned:
                    self.left -= 1
                    return
                self._idle += 1
            del task

    def _begin(self, task: Task) -> bool:
        with self._lock:
            task.running = task.future.set_running_or_notify_cancel()
            return task.running

    def _run(self, task: Task) -> None:
        try:
            result = task.context.run(task.run)
        except BaseException as fault:  # noqa: BLE001  # handed to whoever waits for the future
            task.future.set_exception(fault)
        else:
            task.future.set_result(result)


checks = Workers("check", most=32, most_left=64)
calls = Workers("call", most=256, most_left=256)


class _Background:
    """One event loop in a thread of its own, for async checks under the sync driver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._loop = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._get())

    def _get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="guards-loop", daemon=True).start()
            return self._loop


background_loop = _Background()
