"""`ticket.stream(llm, messages)`: the events of a call while it runs, for `for` and for `async for`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from guards.driving.drivers import stream_async, stream_sync
from guards.engine.plan import Showing
from guards.errors import ConfigError
from guards.events import StreamEvent

if TYPE_CHECKING:
    from guards.engine.call import Call
    from guards.records import Outcome

__all__ = ["Stream"]

R_co = TypeVar("R_co", covariant=True)


class Stream(Generic[R_co]):
    """One streamed call; iterate over it once. The call begins with the first event that is asked for.

    The last event is `Done`; a rejection raises `Rejected` after it. Leaving early (`break`, then `close()` or the end
    of a `with` block) leaves the client's stream and records the call as abandoned. `outcome` is there from `Done` on.
    """

    def __init__(self, call: Call[R_co], keep: Callable[[], None] | None = None) -> None:
        self._call = call
        self._keep = keep or _nothing
        self._sync: Iterator[StreamEvent] | None = None
        self._async: AsyncIterator[StreamEvent] | None = None

    @property
    def outcome(self) -> Outcome[R_co] | None:
        """What came of the call; None while it runs."""
        return self._call.outcome

    def at_once(self) -> Self:
        """Show what comes before any guard has seen it; `Retracted` takes back what did not hold."""
        self._check_unread()
        self._call.showing = Showing(at_once=True)
        return self

    def __iter__(self) -> Iterator[StreamEvent]:
        if self._call.client.colour == "async":
            raise ConfigError(
                "the client is async", where="stream", hint="write `async for event in ticket.stream(...)`"
            )
        self._check_unread()
        self._sync = stream_sync(self._call.run(), self._keep, partial(_raise_if_rejected, self._call))
        return self._sync

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        self._check_unread()
        self._async = stream_async(self._call.run(), self._keep, partial(_raise_if_rejected, self._call))
        return self._async

    def __enter__(self) -> Stream[R_co]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Stream[R_co]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Leave a stream that is read with `for`."""
        if self._sync is not None:
            self._sync.close()  # type: ignore[attr-defined]  # it is a generator

    async def aclose(self) -> None:
        """Leave a stream that is read with `async for`."""
        if self._async is not None:
            await self._async.aclose()  # type: ignore[attr-defined]  # as above
        self.close()

    def _check_unread(self) -> None:
        if self._sync is not None or self._async is not None:
            raise ConfigError("a stream is read once", where="stream", hint="ask for another with .stream(...)")


def _nothing() -> None:
    pass


def _raise_if_rejected(call: Call[Any]) -> None:
    if call.outcome is not None:
        call.outcome.raise_if_rejected()
