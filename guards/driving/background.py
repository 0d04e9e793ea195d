"""An event loop in a thread of its own, for async checks under the sync driver; another one where a check blocks it.

All async checks share the loop, since what they share (an async client, say) belongs to one. A check that is `async
def` and blocks all the same would stop everybody's: who finds the loop standing still leaves it to that check and goes
on in a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

from guards.errors import TooManyHang

__all__ = ["Background", "Errand", "background_loop"]

_PATIENCE: Final = 0.25
"""Seconds until a loop that begins nothing is taken to stand still."""


class Errand:
    """A coroutine that is run by a loop; `future` has what it gives."""

    def __init__(self, work: Coroutine[Any, Any, Any], owner: object) -> None:
        self.work = work
        self.owner = owner
        self.future: Future[Any] = Future()
        self.begun = threading.Event()
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._task: asyncio.Task[Any] | None = None

    def leave(self) -> None:
        """Cancel it; whoever calls this does not wait for it any more."""
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):  # the loop was left to it and has ended
                self._loop.loop.call_soon_threadsafe(self._task.cancel)

    def hand_to(self, loop: _Loop) -> None:
        self._loop = loop
        loop.loop.call_soon_threadsafe(loop.begin, self)

    def take_back(self) -> bool:
        """Take it out of the loop that has not begun it; False where that did after all."""
        with self._lock:
            if self.begun.is_set():
                return False
            self._loop = None
            return True

    async def run(self, loop: _Loop) -> Any:
        """What it gives in this loop; nothing where another has it by now."""
        with self._lock:
            if self._loop is not loop:
                return None
            self._task = task = asyncio.current_task()
            assert task is not None, "this runs in a task"
            task.add_done_callback(self._ended)
            self.begun.set()
        return await self.work

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.future.cancel()
        elif (fault := task.exception()) is not None:
            self.future.set_exception(fault)
        else:
            self.future.set_result(task.result())


class _Loop:
    """A loop and its thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._owners: dict[Any, object] = {}
        self._left = False
        threading.Thread(target=self._serve, name="guards-loop", daemon=True).start()

    def begin(self, errand: Errand) -> None:
        """Called in the loop."""
        task = self.loop.create_task(errand.run(self))
        self._owners[task] = errand.owner
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        del self._owners[task]
        self._end()

    @property
    def blocker(self) -> object:
        """Whose check runs in it at this moment."""
        return self._owners.get(asyncio.current_task(self.loop))

    def leave(self, turned: Callable[[], None]) -> None:
        """Nothing more comes: `turned` is called once what came has had its turn, and the loop ends with the last of
        it."""

        def last() -> None:
            turned()
            self._left = True
            self._end()

        # Twice round: what was handed over a moment ago has its first turn before.
        self.loop.call_soon_threadsafe(self.loop.call_soon, last)

    def _end(self) -> None:
        if self._left and not self._owners:
            self.loop.stop()

    def _serve(self) -> None:
        """These two leave a loop as well as their task; whoever waits for the task gets them, and the loop goes on."""
        _HERE.loop = True
        while not (self._left and not self._owners):
            with contextlib.suppress(KeyboardInterrupt, SystemExit):
                self.loop.run_forever()
        self.loop.close()


_HERE = threading.local()
"""Whether this thread is a loop's."""


class Background:
    """The loop that async checks go to. At most `most_left` loops are left to one owner's checks, `left_in_all` in
    all."""

    def __init__(self, *, most_left: int, left_in_all: int) -> None:
        self._most_left = most_left
        self._left_in_all = left_in_all
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: _Loop | None = None
        self._left: list[_Loop] = []
        _HERE.loop = False  # the one thread of a forked child serves none

    def run(self, work: Coroutine[Any, Any, Any], owner: object = None) -> Errand:
        """Begin the work. Raises RuntimeError inside a loop itself, which would wait for its own work, and
        `TooManyHang` for an owner whose checks block too many loops."""
        errand = Errand(work, owner)
        try:
            self._begin(errand)
        except BaseException:
            if not errand.begun.is_set():
                work.close()
            raise
        return errand

    def _begin(self, errand: Errand) -> None:
        if getattr(_HERE, "loop", False):
            raise RuntimeError("a sync call with async checks stands inside an async check; await its async form")
        patience = _PATIENCE
        while True:
            loop, shared = self._get(errand.owner)
            errand.hand_to(loop)
            if not shared:
                loop.leave(partial(self._turned, loop))
            if errand.begun.wait(patience) or not errand.take_back():
                return
            self._leave(loop)
            patience *= 2  # a machine under load is no check that blocks

    def _get(self, owner: object) -> tuple[_Loop, bool]:
        """The loop that all share; one of its own for an owner one of whose checks blocks a loop."""
        with self._lock:
            own = sum(loop.blocker is owner for loop in self._left)
            if own >= self._most_left or len(self._left) >= self._left_in_all:
                raise TooManyHang(
                    f"{own} async checks of this guard block their event loops ({len(self._left)} in all); no more are "
                    "started"
                )
            if own:
                self._left.append(loop := _Loop())
                return loop, False
            if self._loop is None:
                self._loop = _Loop()
            return self._loop, True

    def _leave(self, loop: _Loop) -> None:
        """The loop that all shared stands still."""
        with self._lock:
            if self._loop is not loop:
                return
            self._loop = None
            self._left.append(loop)
        loop.leave(partial(self._turned, loop))

    def _turned(self, loop: _Loop) -> None:
        with self._lock:
            self._left.remove(loop)


background_loop = Background(most_left=8, left_in_all=64)
