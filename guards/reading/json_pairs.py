"""How the quotes that were left bare inside of a text pair up, as people write quotations.

A quote that has no other is a slip of some kind, and where it stands as one does that begins or ends a text, the slip
may be the document's: nobody can tell then whether this is one text or several parts of the document.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CLOSERS", "STOP", "Pairing", "is_inside", "paired", "torn"]

# Opening quote → the quotes that may close it.
CLOSERS: Final = {
    '"': '"',
    "'": "'",
    "`": "`´",
    "´": "´'`",
    "“": '”“"„',
    "”": '”“"',
    "„": '“”"„',
    "‟": '”"',
    "«": "»",
    "»": "«",
    "‹": "›",
    "‘": "’‘'",  # the marks themselves, here and below
    "’": "’‘'",
    "‚": "‘’'",
    "「": "」",
    "『": "』",
    "《": "》",
    "〝": "〞〟",
    "＂": "＂",
    "＇": "＇",
}
STOP: Final = {mark: re.compile(rf"[\\{re.escape(mark + closers)}]") for mark, closers in CLOSERS.items()}
_APOSTROPHES: Final = "'\u2019"
_COLON: Final = re.compile(r"\s*:")
# A quotation that was opened as in print, and closed as on a keyboard.
_IN_PRINT: Final = re.compile(r"(?:\A|(?<=[\s(\[{]))[„‚“«](?=\w)[^„“”‚‘’«»]*\Z")
_INCHES: Final = re.compile(r"(?:\A|[^\w.,/])[\d.,/]*\d\Z")
_JOINT: Final = re.compile(r"\s*[,:]\s*")
_PARTING: Final = re.compile(r"[\s,;.:|/&+()\[\]{}、，；-]*")
_BRACKET: Final = re.compile(r"[\[\]{}]")
_BEFORE, _BEHIND = frozenset("\"':,{["), frozenset("\"':,}]")
_MOST_BLANKS: Final = 20


class Pairing:
    """The quotes of one text that were met so far, from the one that opened it at `start`.

    `lone` counts those that have no other, less the last one, which is `opened` (its place) while it waits; `keys`, and
    `inside` of braces of the text's own, what looks like the end of a text or key.
    """

    __slots__ = ("at", "braces", "inside", "keys", "lone", "opened", "quotes")

    def __init__(self, start: int) -> None:
        self.at = start + 1
        self.quotes = self.lone = self.keys = self.inside = self.braces = self.opened = 0

    def passes(self, text: str, at: int, *, end: bool = False) -> int:
        """The quote there is a part of the text, though it might `end` it. Gives the place of the quote (this one, or
        one before) that is now known to have no other; 0 for none."""
        ahead, behind = text[at - 1], text[at + 1 : at + 2]
        piece = text[self.at : at]
        self.quotes += 1
        self.braces += piece.count("{") - piece.count("}")
        self.at = at + 1
        like, lone = int(end), 0
        if ahead.isalnum() and behind.isalnum() and (text[at] in _APOSTROPHES or not (ahead + behind).isascii()):
            return 0  # an apostrophe, an abbreviation of Hebrew
        if self.opened and not ahead.isspace() and not behind.isalnum():
            self.opened = 0
            like += bool(_COLON.match(text, at + 1))
        elif not (piece.isascii() or ahead.isspace()) and _closes_print(piece):
            pass
        elif not ahead.isalnum() and behind and not behind.isspace():
            lone, self.opened = self.opened, at
        elif self.opened or not (ahead.isdigit() and _INCHES.search(piece[-_MOST_BLANKS:])):
            lone = at
        self.lone += bool(lone)
        if self.braces > 0:
            self.inside += like
        else:
            self.keys += like
        return lone


def braces(piece: str) -> int:
    return piece.count("{") - piece.count("}")


def _closes_print(piece: str) -> bool:
    found = _IN_PRINT.search(piece)
    return found is not None and not (found[0][0] == "“" and "„" in piece)  # where that one closes


def torn(text: str, start: int, end: int, *, item: bool) -> bool:
    """Whether the text between the quotes at `start` and `end` may be several parts of the document: it holds a quote
    that has no other, in a list (`item`) anywhere, else beside a comma, a colon, a bracket, or an end of the text; or
    two with no more between them than what parts items."""
    pairing, stop = Pairing(start), STOP[text[start]]
    while (found := stop.search(text, pairing.at, end)) is not None:
        here = found.start()
        if found[0] == "\\":
            pairing.at = here + 2
            continue
        inches = item and not pairing.opened and text[here - 1].isdigit()  # at most
        opened, lone = pairing.opened, pairing.passes(text, here)
        if opened and not pairing.opened and _parts(text, opened, here, item):
            return True
        if (lone and _tears(text, start, end, lone, item)) or (inches and _tears(text, start, end, here, False)):
            return True
    if pairing.opened and _tears(text, start, end, pairing.opened, item):
        return True
    if pairing.quotes and _JOINT.fullmatch(text, pairing.at, end):
        return True
    return bool((pairing.lone or pairing.opened) and pairing.keys + pairing.inside)


def paired(text: str, start: int, end: int) -> Pairing:
    """How the quotes pair up inside of the text that begins with the quote at `start`."""
    pairing, stop = Pairing(start), STOP[text[start]]
    while (found := stop.search(text, pairing.at, end)) is not None:
        if found[0] == "\\":
            pairing.at = found.start() + 2
        else:
            pairing.passes(text, found.start())
    return pairing


def is_inside(text: str, start: int, end: int) -> bool:
    """Whether the quote at `end` opens or closes a quotation inside of the text from `start`, rather than ends it."""
    return bool(paired(text, start, end).opened) or text[end - 1].isspace()


def _parts(text: str, opened: int, closed: int, item: bool) -> bool:
    """Whether a quotation is what stands between the last quote of one item and the first of the next."""
    between = text[opened + 1 : closed]
    apart = text[opened - 1].isspace() or text[closed + 1 : closed + 2].isspace()  # "by ";" or so"
    return not apart and _PARTING.fullmatch(between) is not None and (item or _BRACKET.search(between) is not None)


def _tears(text: str, start: int, end: int, at: int, item: bool) -> bool:
    if text[at] in _APOSTROPHES and text[at - 1].isalpha():
        return False  # "the users' data"
    before = text[max(start + 1, at - _MOST_BLANKS) : at].rstrip()
    behind = text[at + 1 : min(end, at + 1 + _MOST_BLANKS)].lstrip()
    return item or not before or not behind or before[-1] in _BEFORE or behind[0] in _BEHIND
