"""What of a text is judged at once: all of it, or one sentence after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from guards.checks.texts.passages import Span, sentences
from guards.errors import ConfigError

__all__ = ["By", "Part", "check_by", "parts_of"]

By = Literal["whole", "sentence"]

_MOST_QUOTED: Final = 80
_MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A text, or a sentence of one."""

    name: str
    """The path within an answer, or the id of a document."""
    words: str
    """What is judged; "" for what holds no letter or digit."""
    span: Span

    @property
    def quoted(self) -> str:
        """As it stands in a message: at most 80 characters."""
        words = self.words
        return f'"{words if len(words) <= _MOST_QUOTED else words[: _MOST_QUOTED - 1] + "…"}"'

    def to_dict(self) -> dict[str, Any]:
        """As evidence: where it is, and how it begins."""
        return {"span": list(self.span), "text": self.words[:_MOST_SHOWN]}


def parts_of(name: str, text: str, by: By) -> list[Part]:
    """The parts of a text, at least one."""
    spans = sentences(text)
    if not spans:
        return [Part(name, "", (0, len(text)))]
    if by == "whole":
        return [Part(name, text, (0, len(text)))]
    return [Part(name, text[start:end], (start, end)) for start, end in spans]


def check_by(by: By, where: str) -> By:
    """ConfigError for what is neither."""
    if by not in get_args(By):
        raise ConfigError(f"unknown by {by!r}", where=f"{where}(by=)", hint=f"use one of {', '.join(get_args(By))}")
    return by
