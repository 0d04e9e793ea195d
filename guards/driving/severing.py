"""Ends a call that nobody waits for any more, by shutting the socket that its thread waits at.

A read time-out bounds each read, not the whole: a server that sends a byte now and then keeps a call going for as long
as it likes. No SDK has a way to stop a call from outside, and before an answer's headers have come nothing public
leads to its connection. But the thread stands in a read, and the frames of that read hold the socket; shut, it ends as
it does when a server hangs up, and the SDK's own transport closes the connection and gives its place back.
"""

from __future__ import annotations

import gc
import inspect
import socket
import sys
import threading
from concurrent.futures import Future, wait
from contextlib import suppress
from types import FrameType
from typing import Any, Final

__all__ = ["sever"]

_AGAIN: float = 0.05
"""Seconds until a call that goes on is looked at again: it may have stood in a name's look-up, say, with no socket."""
_LOOKING: Final = threading.Lock()


def sever(future: Future[Any], thread: int, owner: object) -> None:
    """See to it that the call ends, in a thread of its own. `owner` is a local variable of a frame that the call's
    thread has for as long as the call lasts: idents of threads are used again."""
    with suppress(RuntimeError):  # no more threads are to be had: the call ends when its server lets it
        threading.Thread(target=_until_done, args=(future, thread, owner), name="guards-sever", daemon=True).start()


def _until_done(future: Future[Any], thread: int, owner: object) -> None:
    pause = _AGAIN
    while not future.done():
        found = _socket_of(thread, owner)
        if found is not None:
            _shut(found)
        wait([future], pause)
        pause = min(2 * pause, 5.0)  # what cannot be ended is left alone, more and more


def _socket_of(thread: int, owner: object) -> socket.socket | None:
    """The innermost socket in the frames of a thread; None where it does not stand in the call any more."""
    frame = _frames().get(thread)
    found: socket.socket | None = None
    while frame is not None:
        values = list(frame.f_locals.values())
        if any(value is owner for value in values):
            return found
        if found is None:
            found = next((at for at in map(_as_socket, values) if at is not None), None)
        frame = frame.f_back
    return None


def _frames() -> dict[int, FrameType]:
    """Of each thread. Python 3.11 holds a lock of the interpreter meanwhile: were garbage collected then, and did a
    finalizer let a thread go on that is just starting, both would wait for ever."""
    with _LOOKING:
        collects = gc.isenabled()
        gc.disable()
        try:
            return sys._current_frames()  # noqa: SLF001  # the documented way to them
        finally:
            if collects:
                gc.enable()


def _as_socket(value: Any) -> socket.socket | None:
    """A socket, or that of a stream or file around one: httpcore's and the standard library's call it so."""
    if isinstance(value, socket.socket):
        return value
    inner = inspect.getattr_static(value, "_sock", None)  # looked at without running anything of the value's
    return inner if isinstance(inner, socket.socket) else None


def _shut(found: socket.socket) -> None:
    """Shut, not closed: only that wakes who reads. By the plain socket's method, since TLS's own forgets its state
    under the reader."""
    with suppress(OSError):  # it is shut already, or was never connected
        socket.socket.shutdown(found, socket.SHUT_RDWR)
