"""What does a text ask for? A topic in other words: told by examples of each intent, or by their names alone."""

from __future__ import annotations

from typing import ClassVar

from guards.checks.learned.topic import Topic

__all__ = ["Intent"]


class Intent(Topic):
    """A text, mostly a user's, that asks for one of the things that are allowed, or for none that is forbidden.

    Its arguments, score and evidence are those of `Topic`; the findings are `intent.unknown`, `intent.off` and
    `intent.forbidden`.
    """

    family: ClassVar[str] = "intent"
    asks: ClassVar[str] = "This text asks for {}."
    verb: ClassVar[str] = "asks for"
