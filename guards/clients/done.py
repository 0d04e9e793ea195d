"""The last line of OpenAI's streams, `data: [DONE]`, which the SDK keeps to itself: was it seen?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

__all__ = ["Done"]


class Done:
    """Watches a stream of the SDK that nobody has begun to read. Where a release of it cannot be watched the line is
    never seen, and the answer has to say itself that it ended."""

    def __init__(self, stream: Any) -> None:
        self.seen = False
        decoder: Any = getattr(
            stream, "_decoder", None
        )  # no public way: it is swallowed between the line and the chunks
        if hasattr(decoder, "iter_bytes") and type(stream).__module__.startswith("openai"):
            self._decoder: Any = decoder
            stream._decoder = self  # noqa: SLF001

    def iter_bytes(self, lines: Any) -> Iterator[Any]:
        for event in self._decoder.iter_bytes(lines):
            self._look(event)
            yield event

    async def aiter_bytes(self, lines: Any) -> AsyncIterator[Any]:
        async for event in self._decoder.aiter_bytes(lines):
            self._look(event)
            yield event

    def _look(self, event: Any) -> None:
        self.seen = self.seen or str(getattr(event, "data", "")).startswith("[DONE]")
