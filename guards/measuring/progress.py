"""How far long work has come: one line on a terminal's standard error, after two seconds of silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

__all__ = ["Progress"]

_SILENT: Final = 2.0
_EVERY: Final = 0.2


class Progress:
    """A block within which `advance(count)` is called. It shows nothing on what is no terminal, unless `wanted` is
    True, and nothing at all where it is False."""

    def __init__(
        self,
        what: str,
        total: int,
        wanted: bool | None = None,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._wanted = self._stream.isatty() if wanted is None else wanted
        self._clock = clock
        self._began = clock()
        self._next = self._began + (0.0 if wanted else _SILENT)
        self._done = 0
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        now = self._clock()
        if self._wanted and now >= self._next:
            self._next = now + _EVERY
            self._show(now - self._began)

    def _show(self, seconds: float) -> None:
        left = seconds / self._done * (self._total - self._done) if self._done else 0.0
        line = f"{self._what}: {self._done:,} of {self._total:,}, {_time(left)} left"
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
