"""What a wrapped method gives for `stream=True`: an iterator over the SDK's chunks, for `for` or for `async for`.

The call begins where it is written and returns with the first chunk that may be shown, so that what refuses the whole
is raised there, as the SDK's own faults are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from guards.clients.question import Question
from guards.errors import ConfigError
from guards.events import Done
from guards.records import Outcome
from guards.shapes.stream import Stream

__all__ = ["AsyncWrappedStream", "WrappedStream"]


class _Wrapped:
    """What both have."""

    def __init__(self, events: Stream[Any], question: Question) -> None:
        self._events = events
        self._question = question
        self._ahead: list[Any] = []

    @property
    def outcome(self) -> Outcome[Any]:
        """The call's record. Raises `ConfigError` before the end."""
        taken = self._question.outcome
        outcome = self._events.outcome if taken is None else taken
        if outcome is None:
            raise ConfigError("the stream has not ended", where="outcome_of", hint="read it to its end first")
        return outcome


class WrappedStream(_Wrapped):
    """The chunks of a guarded answer. `close()`, or the end of a `with` block, leaves the SDK's stream."""

    def __init__(self, events: Stream[Any], question: Question) -> None:
        super().__init__(events, question)
        self._chunks = self._told()
        self._ahead += [chunk for chunk in [next(self._chunks, None)] if chunk is not None]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._ahead.pop() if self._ahead else next(self._chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the stream."""
        self._ahead.clear()
        self._chunks.close()

    def _told(self) -> Any:
        with self._events as events:
            for event in events:
                yield from self._question.chunks(event)
                if isinstance(event, Done):
                    return  # past it a response that asks for a tool would be a rejection


class AsyncWrappedStream(_Wrapped):
    """As `WrappedStream`, for `async for`."""

    @classmethod
    async def opened(cls, events: Stream[Any], question: Question) -> AsyncWrappedStream:
        """The stream with its first chunk at hand."""
        stream = cls(events, question)
        stream._ahead += [chunk for chunk in [await anext(stream._chunks, None)] if chunk is not None]
        return stream

    def __init__(self, events: Stream[Any], question: Question) -> None:
        super().__init__(events, question)
        self._chunks = self._told()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return self._ahead.pop() if self._ahead else await anext(self._chunks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the stream."""
        self._ahead.clear()
        await self._chunks.aclose()

    async def _told(self) -> Any:
        async with self._events as events:
            async for event in events:
                for chunk in self._question.chunks(event):
                    yield chunk
                if isinstance(event, Done):
                    return
