"""Texts of like words and unlike length, for measures with models."""

from __future__ import annotations

import random

TEXT = (
    "the a harbour ship captain crew storm letter merchant town market price grain silver morning evening river bridge "
    "house garden window street council law court trade winter summer journey island coast wind sail anchor rope of in "
    "on under over between was were had sold bought found lost wrote said and but because when"
)
WORDS = TEXT.split()


def texts(many: int, chance: random.Random, shortest: int = 6, longest: int = 60) -> list[str]:
    """Sentences of like words and unlike length, no two the same."""
    return [
        " ".join(chance.choices(WORDS, k=chance.randint(shortest, longest))).capitalize() + f", {number}."
        for number in range(many)
    ]
