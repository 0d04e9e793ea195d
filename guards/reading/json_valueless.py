"""A key of an object for which no value stands: left out, or the key or the value of the one beside it?"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from guards.reading.json_pairs import CLOSERS
from guards.reading.spelling import folded

__all__ = ["Valueless"]

_SCALAR: Final = re.compile(r"-?\d[\d.eE+-]*|true|false|null", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"[:,;{}\[\]()\n]")


@dataclass(frozen=True, slots=True)
class Valueless:
    """The key; how it is `written`; which of the object's keys it is; whether a colon stands behind it, and whether a
    text stands before it."""

    key: str
    written: str
    index: int
    has_colon: bool
    behind_text: bool

    @property
    def is_quoted(self) -> bool:
        return self.written[:1] in CLOSERS

    @property
    def is_name(self) -> bool:
        """Whether it is a key in itself, with both of its quotes, and no piece of text or a value."""
        if _NO_NAME.search(self.key):
            return False
        if self.is_quoted:
            written = self.written.rstrip()
            return len(written) > 1 and written[-1] in CLOSERS[written[0]]
        return not _SCALAR.fullmatch(self.key)

    def may_be_text(self, known: Collection[str] | None) -> bool:
        """Whether it may be the rest of the text before, whose quote stands too early: a word that is no known key."""
        alone = not (self.is_quoted or self.has_colon)
        return alone and self.behind_text and (known is None or folded(self.key) not in known)

    def is_key_of(self, beside: Valueless, known: Collection[str] | None) -> bool:
        """Whether what stands behind it and a comma is plainly its value."""
        if not self.is_name or beside.has_colon:
            return False
        if not beside.is_quoted and _SCALAR.fullmatch(beside.key):
            return True
        return known is not None and folded(self.key) in known and folded(beside.key) not in known and beside.is_quoted
