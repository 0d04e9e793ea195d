"""What two texts share as words, numbers and names: signals that need no model, and that a model overlooks.

A claim is looked for in a source: how much of it stands there, weighted by how rare each word is in the source; and
which of its numbers and names stand nowhere in it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["Lexicon", "coverage", "names", "numbers", "stems"]

# Two kinds of apostrophe are in use.
_WORD: Final = re.compile(r"[\u3041-\u30ff\u3400-\u9fff]|[^\W_]+(?:['\u2019][^\W\d_]+)*")
_LETTERS: Final = re.compile("[a-z]+")
# White space is taken as a whole: begun anew at each blank of it, a long run would cost its square.
_NAME: Final = re.compile(r"(?<![.!?:\"\u201c(\n*\s-])\s++([A-Z][^\W\d_]*(?:['\u2019-][^\W\d_]+)*)")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+")
_SCALE: Final = re.compile(r"\s?(thousand|million|billion|trillion|k|m|bn|mn)\b", re.IGNORECASE)
_SCALES: Final = {"k": 3, "thousand": 3, "m": 6, "mn": 6, "million": 6, "bn": 9, "billion": 9, "trillion": 12}
_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = "ten twenty thirty forty fifty sixty seventy eighty ninety hundred"
_NAMED: Final = {word: float(value) for value, word in enumerate(_UNITS.split())} | {
    word: 10.0 * value for value, word in enumerate(_TENS.split(), 1)
}
_COMMON_WORDS: Final = (
    "a an the of in on at to for from by with and or but as is are was were be been being it its this that these those "
    "he she they his her their him them has have had do does did so if then than there here what which who whom whose "
    "when where how why will would can could should may might must about into over after before also just"
)
_COMMON: Final = frozenset(_COMMON_WORDS.split())
"""Words that any text has. Not among them: I, you, we, not, no, all, only: they change what is said."""
_ENDINGS: Final = ("ings", "ing", "edly", "ed", "ies", "es", "ly", "'s", "\u2019s", "s")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def stems(text: str) -> list[str]:
    """The words that say something, in lower case and without their endings; numbers are words too.

    A text of symbols alone counts as one word.
    """
    lowered = text.lower().strip()
    words = _WORD.findall(lowered) or ([lowered] if lowered else [])
    return [_stem(word) for word in words if word not in _COMMON]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How rare each stem is among the passages of a source, as a weight above 0 (inverse document frequency)."""

    weights: Mapping[str, float]
    unseen: float

    @classmethod
    def of(cls, passages: Sequence[Iterable[str]]) -> Lexicon:
        seen = Counter(stem for passage in passages for stem in set(passage))
        many = len(passages)
        return cls(
            {stem: math.log(1 + (many + 1) / (count + 0.5)) for stem, count in seen.items()},
            math.log(1 + (many + 1) / 0.5),
        )

    def weight(self, stem: str) -> float:
        return self.weights.get(stem, self.unseen)


def coverage(claim: Sequence[str], found: frozenset[str] | set[str], lexicon: Lexicon) -> float:
    """The share of a claim's stems that are found, 0 to 1, the rare ones counting for more; 1 for none."""
    whole = sum(map(lexicon.weight, claim))
    return sum(lexicon.weight(stem) for stem in claim if stem in found) / whole if whole else 1.0


def numbers(text: str) -> dict[str, frozenset[float]]:
    """The numbers in a text as they are written, each with the values that it may stand for.

    "1,200", "1200" and "1.2 thousand" share a value; so do "two" and "2", a date and its parts.
    """
    found: dict[str, frozenset[float]] = {}
    for match in _NUMBER.finditer(text):
        values = _values(match[0])
        scale = _SCALE.match(text, match.end())
        if scale is None:
            found[match[0]] = values
        else:
            scaled = (round(value * 10 ** _SCALES[scale[1].lower()], 6) for value in values)
            found[match[0] + scale[0]] = values.union(scaled)
    spelled = (word for word in _LETTERS.findall(text.lower()) if word in _NAMED)
    return found | {word: frozenset((_NAMED[word],)) for word in spelled}


def _values(digits: str) -> frozenset[float]:
    """Of digits with points and commas: a grouped or decimal number, else each part (a date, a version, a list)."""
    if _GROUPED.fullmatch(digits):
        return frozenset((float(digits.replace(",", "")),))
    parts = re.split("[.,]", digits)
    if len(parts) == 2:  # a comma may be a decimal one, as in German
        decimal = float(".".join(parts))
        return frozenset((decimal,)) if "." in digits else frozenset((decimal, *map(float, parts)))
    return frozenset(map(float, parts))


def names(text: str) -> list[str]:
    """Words that are written with a capital where no sentence begins: names, for the most part; in lower case."""
    found = (word.lower() for word in _NAME.findall(text) if len(word) > 1)
    return [word for word in found if word not in _COMMON]
