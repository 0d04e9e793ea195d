"""Where the sentences of a text are, and the windows that a model is shown of a long one; by offsets in characters.

The ends of sentences are those of `values.text_units`, so that a stream shows what a guard judges. Here an
abbreviation, an initial or a number of a list ends none, and a line that begins an item does. (pysbd knows more
abbreviations, and takes 72 s for 180 KB, growing with the square of the length.)
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final, TypeAlias

from guards.values.text_units import LETTER, sentence_ends

__all__ = ["Span", "sentences", "windows"]

Span: TypeAlias = tuple[int, int]
"""From a character, to before another."""


def sentences(text: str) -> list[Span]:
    """The sentences in their order, without the white space around them; what holds no letter or digit is none."""
    found: list[Span] = []
    start = 0
    for end in _ends(text):
        span = _stripped(text, start, end)
        if span is not None:
            found.append(span)
        start = end
    return found


def windows(tokens: Sequence[Span], pieces: Sequence[Span], size: int) -> list[Span]:
    """Windows of at most `size` tokens, each beginning at a piece (a sentence) and holding as many as fit.

    Neighbours share half of what fits, where they hold more than one piece; a piece of more than `size` tokens is cut
    into windows that share a quarter. Every token of a piece is in some window.
    """

    def before(place: int) -> int:
        return bisect_left(tokens, place, key=_START)

    def count(start: int, end: int) -> int:
        return before(end) - before(start)

    made: list[Span] = []
    first = 0
    while first < len(pieces):
        start, end = pieces[first]
        if count(start, end) > size:
            made += _cut(tokens[before(start) : before(end)], size)
            first += 1
            continue
        last = first
        while last + 1 < len(pieces) and count(start, pieces[last + 1][1]) <= size:
            last += 1
        made.append((start, pieces[last][1]))
        if last + 1 == len(pieces):
            break
        first += max(1, (last - first + 1) // 2)
    return made


def _cut(tokens: Sequence[Span], size: int) -> Iterator[Span]:
    step = max(1, size - size // 4)
    for start in range(0, len(tokens), step):
        part = tokens[start : start + size]
        yield part[0][0], part[-1][1]
        if start + size >= len(tokens):
            return


def _ends(text: str) -> Iterator[int]:
    """The ends of sentences and of items of lists, the last one by the end of the text."""
    start = seen = 0
    for end in sentence_ends(text):
        for item in _ITEM.finditer(text, seen + 1, end):
            yield item.start()
            start = item.start()
        seen = end
        is_open = _OPEN.search(text, max(start, end - _LONGEST), end) or _NUMBER.fullmatch(text, start, end)
        if end < len(text) and is_open:
            continue
        yield end
        start = end
    if start < len(text):
        yield len(text)


def _stripped(text: str, start: int, end: int) -> Span | None:
    piece = text[start:end]
    if not LETTER.search(piece):
        return None
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


_START: Final = itemgetter(0)
_LONGEST: Final = 16
_ITEM: Final = re.compile(r"(?<=\n)(?=[^\S\n]*(?:[-*•–+]|\d{1,3}[.)])\s)")  # noqa: RUF001  # the mark itself
_OPEN: Final = re.compile(
    r"(?<![^\s(\[])(?:[A-Z]|(?i:dr|mr|mrs|ms|prof|st|sr|jr|rev|gen|col|lt|capt|sgt|gov|sen|rep|hon|fig|figs|eq|no|nos|vol|pp|ch|sec|art"
    r"|e\.g|i\.e|cf|vs|etc|al|approx|ca|inc|ltd|co|corp|dept|est|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec"
    r"|u\.s|u\.k|a\.m|p\.m|ph\.d))\.\s*\Z"
)
"""What ends with a stop that ends no sentence. An abbreviation before the next sentence joins the two: what is judged
together is judged against the source all the same, while half a sentence is not."""
_NUMBER: Final = re.compile(r"\s*\d{1,3}\.\s*")
"""What numbers an item."""
