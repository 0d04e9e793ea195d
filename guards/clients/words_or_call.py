"""Words, or what a call is given: which of them is the answer? Blank words beside a call are none: servers send a line
break or two before one."""

from __future__ import annotations

__all__ = ["WordsOrCall", "is_blank"]


def is_blank(words: str) -> bool:
    """Whether they say nothing."""
    return not words.strip()


class WordsOrCall:
    """The same piece by piece, of a stream whose request nobody knows."""

    def __init__(self) -> None:
        self._blank: list[str] = []
        """What waits for words: it is a part of them."""
        self._spoken = False

    def words(self, piece: str) -> str:
        """What a piece of the words adds to the answer."""
        if self._spoken:
            return piece
        self._blank.append(piece)
        if is_blank(piece):
            return ""
        self._spoken = True
        return "".join(self._blank)

    def arguments(self, piece: str) -> str:
        """What a piece of the call adds."""
        return "" if self._spoken else piece
