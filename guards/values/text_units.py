"""How long is a text, in characters, words, sentences or lines, and where may it be cut?

The rules are simple, the same for every language, and need no model:

- A **character** is a Unicode code point, as in `len()`; `é` written as a letter and a combining accent is two.
- A **word** is a run between white space that holds a letter or a digit ("it's", "e-mail" and "3.5" are one each). In
  Chinese and Japanese, which write no spaces, each ideograph and kana is one.
- A **sentence** ends at `.`, `!`, `?`, `…` and their like before white space or the end (the full-width ones and the
  danda need no white space), closing quotes and brackets included, or at an empty line. Full stops before a small
  letter end none ("e.g. this"); one before a capital does ("Dr. Smith" is two). Without a letter or a digit it is no
  sentence.
- A **line** is what `str.splitlines` gives; a line break at the very end begins no further one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal

__all__ = ["LETTER", "TEXT_UNITS", "TextUnit", "count", "cut", "sentence_ends"]

TextUnit = Literal["characters", "words", "sentences", "lines"]
TEXT_UNITS: Final = ("characters", "words", "sentences", "lines")

_MOST_CHARS: Final = 1_000_000
_CJK: Final = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
# Accents, voicing marks, the long-vowel mark and variation selectors belong to the character before them.
_TAIL: Final = "\u0300-\u036f\u3099\u309a\u30fc\uff70\uff9e\uff9f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_RUN: Final = re.compile(rf"[{_CJK}][{_TAIL}]*|[^\s{_CJK}]+")
_IDEOGRAPH: Final = re.compile(f"[{_CJK}][{_TAIL}]*")
_CLOSERS: Final = "\"'”’»›)\\]}」』）】"  # noqa: RUF001  # the marks themselves
_STOPS: Final = ".!?…؟۔"  # noqa: RUF001  # the marks themselves
_WIDE_STOPS: Final = "。！？｡।॥"  # noqa: RUF001
# The lookbehind keeps it linear: a run of stops that ends no sentence is tried once, not from each of its stops.
_END: Final = re.compile(
    rf"(?<![{_STOPS}])[{_STOPS}]++[{_CLOSERS}]*+(?=\s|\Z)|[{_WIDE_STOPS}]++[{_CLOSERS}{_TAIL}]*+|\n[^\S\n]*+\n"
)
LETTER: Final = re.compile(r"[^\W_]")
"""A letter or a digit."""
_NEXT: Final = re.compile(r"\s*+(.)", re.DOTALL)


def count(text: str, unit: TextUnit) -> int:
    """How many of the unit the text has."""
    if unit == "characters":
        return len(text)
    if unit == "lines":
        return len(text.splitlines())
    if unit == "sentences":
        return sum(1 for _ in sentence_ends(text))
    # As `_word_ends`, by a way several times as fast.
    rest, ideographs = _IDEOGRAPH.subn(" ", text)
    return ideographs + sum(1 for run in rest.split() if run.isalnum() or LETTER.search(run))


def cut(text: str, unit: TextUnit, most: int, least: int = 0) -> str | None:
    """The text cut from its end to at most `most` and at least `least` of the unit; None where that cannot be.

    Never inside a word. Characters and words are cut at the end of a sentence where half of what is allowed, or more,
    is left by that, else at the end of a word. None for a text of more than a million characters too: its beginning is
    not what was meant.
    """
    if most < 1 or len(text) > _MOST_CHARS:
        return None
    if unit == "lines":
        candidates = ["".join(text.splitlines(keepends=True)[:most])]
    elif unit == "sentences":
        candidates = [text[: max(islice(sentence_ends(text), most), default=0)]]
    else:
        head = _head(text, unit, most)
        whole = text[: max(_sentence_ends_in(text, len(head)), default=0)]
        candidates = [whole] if count(whole, unit) * 2 >= most else []
        candidates.append(head)
    for candidate in candidates:
        shorter = candidate.rstrip().rstrip(",;:").rstrip()
        if shorter and least <= count(shorter, unit) <= most:
            return shorter
    return None


def _head(text: str, unit: TextUnit, most: int) -> str:
    """The longest beginning that fits and ends with a word."""
    if unit == "words":
        return text[: next(islice(_word_ends(text), most - 1, None), len(text))]
    # A word that the cut goes through does not end here: one character more shows it.
    ends = (found.end() for found in _RUN.finditer(text[: most + 1]) if found.end() <= most)
    return text[: max(ends, default=0)]


def _word_ends(text: str) -> Iterator[int]:
    return (found.end() for found in _RUN.finditer(text) if LETTER.search(found[0]))


def _sentence_ends_in(text: str, most: int) -> Iterator[int]:
    # Whether a stop ends a sentence is seen from what follows it, so a little more is looked at.
    return (end for end in sentence_ends(text[: most + 100]) if end <= most)


def sentence_ends(text: str) -> Iterator[int]:
    """Where each sentence ends, the last one by the end of the text."""
    start = 0
    for found in _END.finditer(text):
        end = found.end()
        if not found[0].strip(".…") and (following := _NEXT.match(text, end)) and following[1].islower():
            continue
        if LETTER.search(text, start, end):
            yield end
        start = end
    if LETTER.search(text, start):
        yield len(text)
