"""An SDK's stream told again: the very chunks that came, of the text that may be shown.

Where a chunk holds more than may be shown yet it is cut. A text other than the one that came (a repaired one, a
fallback) is spelled as a stream of the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from guards.clients.beside import GONE
from guards.clients.incoming import SdkChunks
from guards.messages import Reply
from guards.reading.locate import spoken_from

__all__ = ["Retelling"]


class Retelling:
    """One answer's chunks: read as they come (`Chunks`), told piece by piece as its text is let out."""

    def __init__(self, chunks: SdkChunks, *, at_the_end: bool) -> None:
        self._chunks = chunks
        self._at_the_end = at_the_end
        """Whether nothing is told before the whole was seen: of an answer that is a tool's arguments nobody knows
        sooner what else comes."""
        self._seen: list[tuple[Any, str]] = []
        """Every chunk, with what it adds to the text."""
        self._whole = ""
        self._told_to: int | None = None
        """How much of the whole was told or passed over; None before the first piece."""
        self._shown = 0
        self._at = 0
        self._used = 0
        """The chunk that is told next, and how many of its characters were told already."""

    def text(self, chunk: Any) -> str:
        added = self._chunks.text(chunk)
        self._seen.append((chunk, added))
        self._whole += added
        return added

    def reply(self) -> Reply:
        return self._chunks.reply()

    def ended(self, *, done: bool) -> bool:
        return self._chunks.ended(done=done)

    @property
    def empty(self) -> bool:
        return not self._seen

    def piece(self, text: str) -> Iterator[Any]:
        """The next piece of the text, in the chunks that it came in; nothing where it came otherwise, or where what
        else came has to be seen first."""
        if not self._at_the_end and not self._chunks.holds:
            yield from self._piece(text)

    def _piece(self, text: str) -> Iterator[Any]:
        start = spoken_from(self._whole) if self._told_to is None else self._told_to
        if not self._whole.startswith(text, start):
            return
        if self._told_to is None:
            yield from self._tell(start, silent=True)
        self._told_to = start + len(text)
        self._shown += len(text)
        yield from self._tell(len(text))

    def end(self, text: str | None, response: Any, *, as_it_came: bool) -> Iterator[Any]:
        """What remains to be told of the response that is delivered, whose text is `text`. `as_it_came`: it is what the
        chunks say."""
        seen = [chunk for chunk, _ in self._seen]
        as_it_came = self._chunks.agrees(response, text, seen) and as_it_came
        if text is not None and self._shown:
            yield from self._piece(text[self._shown :])
        if as_it_came or (self._shown and not self._chunks.repeats):
            yield from self._rest()
            return
        spelled = self._chunks.spelled(response, seen)
        yield from self._chunks.behind(spelled) if self._shown else spelled

    def _tell(self, length: int, *, silent: bool = False) -> Iterator[Any]:
        """So many characters, and the chunks without text before them; `silent` passes over the text."""
        while length > 0:
            chunk, said = self._seen[self._at]
            taken = min(length, len(said) - self._used)
            if not silent or not said:
                yield from self._cut(chunk, said, self._used, self._used + taken)
            length -= taken
            self._used += taken
            if self._used == len(said):
                self._at, self._used = self._at + 1, 0

    def _rest(self) -> Iterator[Any]:
        for chunk, said in self._seen[self._at :]:
            yield from self._cut(chunk, said, self._used, len(said))
            self._used = 0

    def _cut(self, chunk: Any, said: str, start: int, end: int) -> Iterator[Any]:
        if end - start < len(said):
            chunk = self._chunks.saying(chunk, said[start:end], last=end == len(said))
        told = self._chunks.cleared(chunk)
        if told is not GONE:
            yield told
