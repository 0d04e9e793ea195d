"""Which parts of a text a classifier is shown: all of it as far as that fits, sentence by sentence, or both.

Every character that is no white space lies in some part of each kind: what holds no letter (a line of emoji) stays with
the sentence before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from guards.checks.texts.passages import Span, sentences, windows
from guards.models import Handle

__all__ = ["SPLITS", "Split", "cuts", "fitting"]

Split: TypeAlias = Literal["windows", "sentences", "both"]
SPLITS: Final[dict[str, tuple[int, ...]]] = {"windows": (0,), "sentences": (1,), "both": (0, 1)}
"""How many sentences are shown together; 0 for as many as fit."""


def cuts(text: str, handle: Handle, together: Sequence[int], spare: int = 0) -> list[Span]:
    """The parts of a text, each once, none longer than the model's limit.

    Args:
        text: what is to be judged.
        handle: the model, whose tokens count.
        together: sentences in a part; parts of several overlap. 0 for as many as fit, which is the whole of most texts.
        spare: tokens of the model's input that something else takes.
    """
    pieces = _pieces(text)
    tokens, size = _measured(text, handle, spare)
    found: list[Span] = []
    for number in together:
        for chunk in [pieces] if number == 0 else [[one] for one in _chunks(pieces, number)]:
            found += windows(tokens, chunk, size)
    return list(dict.fromkeys(_bare(text, span) for span in found))


def fitting(text: str, span: Span, handle: Handle, size: int | None) -> list[Span]:
    """A part of a text as it is, or in windows of so many tokens where it has more; None is as many as there are."""
    part = text[slice(*span)]
    if size is None or len(part.encode("utf-8", "replace")) <= size:  # no token is shorter than a byte
        return [span]
    found = windows(handle.spans(part), [(0, len(part))], size)
    return [(span[0] + start, span[0] + end) for start, end in found]


def _pieces(text: str) -> list[Span]:
    """The sentences, each up to where the next begins."""
    starts = [start for start, _ in sentences(text)][1:]
    return list(pairwise((0, *starts, len(text))))


def _chunks(pieces: Sequence[Span], number: int) -> list[Span]:
    """So many sentences at a time; neighbours share about a third, and the last is no mere rest."""
    step = max(1, number - number // 3)
    last = max(0, len(pieces) - number)
    starts = [*range(0, last, step), last]
    return [(pieces[start][0], pieces[min(start + number, len(pieces)) - 1][1]) for start in starts]


def _measured(text: str, handle: Handle, spare: int) -> tuple[list[Span], int]:
    """The tokens of a text and how many fit; none where all of it is sure to fit, since counting costs."""
    if handle.limit is None:
        return [], 1
    # Beside the marks that a model puts around a text, a word that a window cuts may have more tokens than before.
    size = max(1, handle.limit - 2 - handle.limit // 16 - spare)
    if len(text.encode("utf-8", "replace")) <= size:  # no token is shorter than a byte
        return [], 1
    return handle.spans(text), size


def _bare(text: str, span: Span) -> Span:
    """Without the white space around it."""
    part = text[slice(*span)]
    return span[0] + len(part) - len(part.lstrip()), span[0] + len(part.rstrip())
