"""The texts of an item, as any model is given them: made encodable, weighed, cut into words."""

from __future__ import annotations

import re
from typing import Final

from guards.models.spec import Item

__all__ = ["encodable", "texts_of", "weight", "words"]

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final = re.compile(r"\w+|[^\w\s]")


def texts_of(item: Item) -> tuple[str, ...]:
    """One text, or the two of a pair."""
    return (item,) if isinstance(item, str) else tuple(item)


def encodable(text: str) -> str:
    """A surrogate, which no encoding can carry, becomes the mark for what cannot be read.

    One character for one, a pair of them too, so that places in the one text are places in the other.
    """
    return _SURROGATE.sub("\ufffd", text)


def weight(item: Item) -> int:
    """Its tokens, guessed from its length: counting them costs as much as cutting them."""
    return 2 + sum(map(len, texts_of(item))) // 4


def words(text: str) -> list[tuple[int, int]]:
    """What stands for the tokens of a model that does not show its own: words, and marks one by one."""
    return [found.span() for found in _WORDS.finditer(text)]
