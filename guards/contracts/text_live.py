"""What a streamed text shows while it comes: its sentences, or nothing before it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from guards.contracts.live import Live, Part, Step, Watched
from guards.events import StreamEvent
from guards.reading.document import TextDocument
from guards.reading.locate import spoken_from, thinking
from guards.values.text_units import sentence_ends

__all__ = ["Sentences", "Unsaid"]

_LONGEST: Final = 2000
"""A text without any end of a sentence goes out in pieces of about this many characters."""


class Unsaid(Live):
    """A choice or a pattern: shown when it is whole."""

    def feed(self, piece: str) -> list[Step]:
        return []

    def rest(self, value: Any, shown: str) -> list[StreamEvent]:
        return [self._piece(value)] if isinstance(value, str) else []


class Sentences(Live):
    """Sentence by sentence; a thinking part at the start is not shown."""

    def __init__(self, call: str, watched: Sequence[Watched]) -> None:
        super().__init__(call)
        self._apart = tuple(one.mark for one in watched if not one.joins)
        self._joined = tuple(one.mark for one in watched if one.joins)
        self._said = ""
        self._waiting = ""
        self._begun = False

    def feed(self, piece: str) -> list[Step]:
        self._waiting += piece
        if not self._begun and not self._begin():
            return []
        steps: list[Step] = []
        waiting, start = self._waiting, 0
        for end in _ends(waiting):
            sentence, start = waiting[start:end], end
            if self._apart:
                steps.append((Part(TextDocument(sentence), "", self._apart), None))
            if self._joined:
                self._said += sentence
                steps.append((Part(TextDocument(self._said), "", self._joined), None))
            steps.append((None, self._piece(sentence)))
        self._waiting = waiting[start:]
        return steps

    def rest(self, value: Any, shown: str) -> list[StreamEvent]:
        # What was read may be less than what came: a thinking part is no part of it. What a guard has held back was not
        # shown.
        left = value[len(shown) :] if isinstance(value, str) else self._waiting
        return [self._piece(left)] if left else []

    def _begin(self) -> bool:
        start = self._waiting.lstrip()[:10].lower()
        if not start or any(mark.startswith(start) and mark != start for mark in ("<think>", "<thinking>")):
            return False
        if thinking(self._waiting)[1]:
            # Nothing but its own end is looked for in a thinking part.
            opened = self._waiting.index(">") + 1
            self._waiting = (
                self._waiting[:opened] + self._waiting[max(opened, len(self._waiting) - len("</thinking>")) :]
            )
            return False
        self._waiting = self._waiting[spoken_from(self._waiting) :]
        self._begun = True
        return True


def _ends(waiting: str) -> Iterator[int]:
    """Where each sentence ends that is surely whole, as something follows it; and where a text without one is cut."""
    start, last = 0, len(waiting.rstrip())
    for end in sentence_ends(waiting):
        if end >= last:
            break
        yield end
        start = end
    while len(waiting) - start > _LONGEST + 100:
        blank = waiting.rfind(" ", start + 1, start + _LONGEST)
        start = blank if blank > 0 else start + _LONGEST
        yield start
