"""Letters that are written as symbols, in circles, squares or brackets: a reader sees words where a model sees none."""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

__all__ = ["plain_letters"]

_DECOMPOSED: Final = (
    range(0x249C, 0x24EA),  # Latin in brackets and circles
    range(0x3200, 0x321F),  # Korean in brackets
    range(0x3260, 0x327F),  # and in circles
    range(0x32D0, 0x32FF),  # Japanese in circles
    range(0x1F110, 0x1F14A),  # Latin in brackets and squares
)
_NEGATIVE: Final = (0x1F150, 0x1F170)
"""White on black, in circles and squares: 26 each. Unicode does not say which letters these are made of."""


def plain_letters(text: str) -> str:
    """The text with such letters as plain ones, each in its place: the length stays.

    Those that are shown as emoji (the sign of a car park) stay as they are, and so do flags.
    """
    return _WRITTEN.sub(lambda found: _PLAIN[found[0]], text)


def _made_of(char: str) -> str:
    """Of "⒜", which is "(a)" for Unicode, the a; of what is made of no letter, itself."""
    return next((part for part in normalize("NFKC", char) if part.isalnum()), char)


_PLAIN: Final = {chr(code): _made_of(chr(code)) for codes in _DECOMPOSED for code in codes} | {
    chr(first + number): chr(ord("A") + number) for first in _NEGATIVE for number in range(26)
}
_WRITTEN: Final = re.compile(f"[{''.join(_PLAIN)}](?!\ufe0f)")
