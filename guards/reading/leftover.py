"""What is left out of an answer: prose, or a part of its document?

Whoever takes a document out of a text asks here about the rest. What looks like members, items or brackets of the
document is no prose, so the document was not read to its end, or does not begin where it was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

__all__ = ["goes_on", "in_a_sentence", "part_beside"]

_OPEN_QUOTE: Final = "\"'“„«\u2018"
_CLOSE_QUOTE: Final = "\"'”“»\u2019"
# Behind a document: a comma and what may follow one.
_GOES_ON: Final = re.compile(
    rf"""[\s}}\])]*[,;]\s*(?:[{_OPEN_QUOTE}{{\[]|-?\d[\d.eE+-]*\s*(?:[,}}\]]|\Z)|(?:true|false|null)\b|[\w-]+\s*:(?!//))"""
)
# A quote right behind a bracket, though not one around the whole document.
_QUOTE_BEHIND: Final = re.compile(r"""["'](?!\s*(?:\Z|\n|`))""")
_MEMBER: Final = re.compile(
    rf"""(?:\A|[{{,\n])[ \t]*[{_OPEN_QUOTE}][^\n{_CLOSE_QUOTE}]{{1,100}}[{_CLOSE_QUOTE}][ \t]*:(?!//)"""
)
_ITEM_BEFORE: Final = re.compile(rf"""(?:[{_CLOSE_QUOTE}}}\]]|\A[\s\[]*-?\d[\d.]*)\s*,\s*\Z""")
_ITS_NAME: Final = re.compile(
    rf"""(?:\A|[\n{{,])\s*(?:[-*+][ \t]+)?\**([{_OPEN_QUOTE}]?)([\w .-]{{1,100}})[{_CLOSE_QUOTE}]?\**\s*[:=]\**\s*\Z"""
)
_CLOSERS: Final = re.compile(r"[\s}\]);]*")
# A bracket of prose is no smile, and a letter or a mark stands before it.
_BRACKET: Final = re.compile(r"[{\[]|(?<![:;=^\-])[}\]]")
_OPENER: Final = {"}": "{", "]": "["}
_THE_END: Final = re.compile(rf"""[{_CLOSE_QUOTE}]\s*[}}\]][\s}}\]]*\Z""")
_COMMENT: Final = re.compile(r"/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|(?<!:)//[^\n]*")
_CALL: Final = re.compile(r"\s*[\w.$]+\s*\(")
_CALLED: Final = re.compile(r"\)?\s*;?")
_LETTER: Final = re.compile(r"[^\W\d_]")
_MOST_BESIDE: Final = 300


def goes_on(text: str, end: int) -> bool:
    """Whether a document goes on behind the bracket that seemed to close it: there are members or items, or a bracket
    closes what only the document can have opened."""
    if _GOES_ON.match(text, end) or _QUOTE_BEHIND.match(text, end):
        return True
    start = _CLOSERS.match(text, end).end()  # type: ignore[union-attr]  # matches anything
    opened: list[str] = []
    closed = False
    for found in _BRACKET.finditer(text, start, start + _MOST_BESIDE):
        if found[0] in "{[":
            opened.append(found[0])
        elif not opened or opened.pop() != _OPENER[found[0]]:
            return True
        else:
            closed = True
    return bool(opened) and closed and len(text) <= start + _MOST_BESIDE


def part_beside(
    text: str,
    start: int,
    taken: tuple[int, int],
    others: Iterable[tuple[int, int]],
    is_key: Callable[[str, bool], bool],
) -> int | None:
    """Where, outside of the document that was `taken` and of the `others` that were looked at, something stands that
    is a part of a document; None where all of it is prose.

    `is_key` says of a name right before the document, and of whether a quote stands before it, that it is no label but
    the key of another document, of which this one is a part."""
    if goes_on(text, taken[1]):
        return taken[1]
    if _ITEM_BEFORE.search(text, max(start, taken[0] - _MOST_BESIDE), taken[0]):
        return taken[0]
    at = start
    for begin, end in sorted([taken, *others]):
        if begin > at:
            piece = text[at:begin]
            found = _MEMBER.search(piece)
            name = _ITS_NAME.search(piece, max(0, len(piece) - _MOST_BESIDE)) if begin == taken[0] else None
            if name and is_key(name[2].strip(), bool(name[1])):
                return at + name.start()
            if found and not (name and name.start() == 0):
                return at + found.start()
            # A quote that has no other between two documents belongs to both of them.
            if at >= taken[1] and piece.count('"') % 2:
                return at + piece.index('"')
        at = max(at, end)
    found = _MEMBER.search(text[at:]) or _THE_END.search(text[max(at, len(text) - _MOST_BESIDE) :])
    return at + found.start() if found else None


def in_a_sentence(text: str, start: int, end: int) -> bool:
    """Whether words stand before or behind on the same line, so that a bracket may be one of prose.

    A colon or an equals sign before says that something is shown; a comment is no sentence, nor is a call.
    """
    before = _COMMENT.sub("", text[max(0, start - _MOST_BESIDE) : start]).rpartition("\n")[2].rstrip()
    behind = _COMMENT.sub("", text[end : end + _MOST_BESIDE]).partition("\n")[0].strip()
    if _CALL.fullmatch(before) and _CALLED.fullmatch(behind):
        return False
    said = _LETTER.search(before) and not before.endswith((":", "=", ">"))
    return bool(said or behind.startswith("(") or _LETTER.search(behind))
