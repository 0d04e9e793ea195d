"""Strings of a broken JSON document: which quotes pair up, where a string ends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from guards.reading.json_escapes import unescaped
from guards.reading.json_pairs import CLOSERS, is_inside, torn
from guards.reading.spelling import folded

if TYPE_CHECKING:
    from guards.reading.guide import Guide
    from guards.reading.json_mender import Mender

__all__ = ["PREFIX", "Cut", "ends_in_brackets", "is_triple", "read_string"]


class Cut(str):
    """A string that the end of the text cut off."""

    __slots__ = ()


PREFIX: Final = re.compile(r"""(?:[rbuf]|rb|br|fr|rf|[RBUF]|@|\$|N)(["'])(?!\s*:)(?=[^\n]{0,2000}?\1)""")
_STOP: Final = {opener: re.compile(rf"[\\\n{re.escape(closers)}]") for opener, closers in CLOSERS.items()}
_TRIPLES: Final = ('"""', "'''", "```")
_TRIPLE_STOP: Final = {
    mark: re.compile(rf"{mark}(?=\s*+(?:[,;}}\])]|\Z|//|\#)|[^\S\n]*+\n\s*+[\"'\w])") for mark in _TRIPLES
}
_FENCE_HEAD: Final = re.compile(r"```[\w+-]*\n")
_NEXT_ITEM: Final = re.compile(rf"""[{"".join(CLOSERS)}{{\[\]}})\-\d]|[\w .-]{{1,60}}\s*[,\]]|\Z""")
_CONCATENATED: Final = re.compile(r"\s*\+\s*(?=[\"'`])")
_ONLY_BRACKETS: Final = re.compile(r"[()\[\]{}\s;]++(?:```\s*)?\Z")
_OPENER: Final = {")": "(", "]": "[", "}": "{"}
_CLOSING_RUN: Final = re.compile(r"(?:\s*[}\])])+\s*")
_NEXT_BESIDE: Final = re.compile(r"""\s*[,\]]|\s+(?:["']|(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]])""")
_ELLIPSIS_END: Final = re.compile(r"\s*(?:\.{3,}|…)\s*[,}\])]")
_SCALAR_ITEM: Final = re.compile(r"(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]]")
_AFTER_COMMA: Final = re.compile(r",\s*\Z")
# What a text whose end is not known may have swallowed: brackets, items, members.
_HIDDEN: Final = {
    "value": re.compile(r"[}\]]|,\s*[\"']?[\w-]{1,60}[\"']?\s*:(?!//)"),
    "item": re.compile(r"[}\],]"),
    "root": re.compile(r"(?!)"),
}
_CLOSER: Final = {"{": "}", "[": "]", "(": ")"}
_MOST_AHEAD: Final = 200
_LONGEST_KEY: Final = 300  # what is longer is no key that some quote of it could end


def read_string(mender: Mender, guide: Guide, where: str, *, raw: bool = False) -> str:
    """The string whose opening quote stands at `mender.at`, moved behind it, with those that a + joins to it.

    `raw`: backslashes are text.
    """
    read = _one_string(mender, guide, where, raw=raw)
    while where != "key" and (plus := _CONCATENATED.match(mender.text, mender.at)):
        mender.note("json.literal", "texts joined by + were joined", before=plus[0].strip())
        mender.at = plus.end()
        part = _one_string(mender, guide, where)
        read = Cut(read + part) if isinstance(part, Cut) else read + part
    return read


def _one_string(mender: Mender, guide: Guide, where: str, *, raw: bool = False) -> str:
    text, start = mender.text, mender.at
    opener = text[start]
    for mark in _TRIPLES:
        if text.startswith(mark, start) and (found := _triple_end(mender, mark)):
            return _triple(mender, mark, found)
    if opener != '"':
        mender.note("json.quotes", "other quotes stood around a text", before=opener, after='"')
    end, inner, lost = _end(mender, guide, where)
    if inner and where != "key" and _ends_behind(mender, end) and is_inside(text, start, end):
        end = len(text)
    content = text[start + 1 : end]
    if end >= len(text):
        mender.at = end
        return Cut(unescaped(content, mender, cut=True))
    if where == "key" and inner and not lost and len(content) > 2 and content[0] == content[-1] == opener:
        mender.note("json.quotes", "doubled quotes stood around a key", before=opener * 2, after='"')
        content, inner = content[1:-1], inner - 2
    mender.inner_quotes = inner
    if inner:
        mender.note("json.inner_quote", "quotes inside a text were not escaped", after=inner)
        if where == "key":
            mender.doubtful = mender.doubtful or folded(content) not in (guide.known or ())
        elif not mender.torn and not mender.doubtful:
            mender.doubtful = torn(text, start, end, item=where == "item")
    if lost:
        # One of the quotes inside may be the one that is missing; or it stood before what is no text any more.
        hidden = where != "key" and _HIDDEN[where].search(content.rstrip().rstrip(","))
        mender.doubtful = mender.doubtful or inner > 0 or bool(hidden)
        mender.note("json.quotes", "a closing quote was missing", before=content[-40:])
        mender.at = end
        return unescaped(_without_other_closer(content.rstrip().rstrip(",")), mender)
    mender.at = end + 1
    return content if raw else unescaped(_plain_key(content, mender) if where == "key" else content, mender)


def _without_other_closer(content: str) -> str:
    """A text less the quote that closes it, though it is none that goes with the one that opened it."""
    other = content[-1:]
    opener = next((opener for opener, closers in CLOSERS.items() if other in closers and opener != other), "")
    return content[:-1] if opener and not content[-1:].isalnum() and opener not in content else content


def _plain_key(content: str, mender: Mender) -> str:
    """A key as it is where Markdown does not have to be told that an underscore is one."""
    if "\\_" not in content:
        return content
    mender.note("json.escape", "escapes that JSON does not have were read as meant")
    return content.replace("\\_", "_")


def _triple_end(mender: Mender, mark: str) -> re.Match[str] | None:
    """The mark that closes a text in triple quotes. That there is none behind one place holds behind all later ones."""
    if mark in mender.never_closed:
        return None
    found = _TRIPLE_STOP[mark].search(mender.text, mender.at + 3)
    if found is None:
        mender.never_closed.add(mark)
    return found


def is_triple(text: str, at: int) -> bool:
    """Whether a text begins here that stands in three quotes."""
    mark = text[at : at + 3]
    return mark in _TRIPLES and _TRIPLE_STOP[mark].search(text, at + 3) is not None


def _triple(mender: Mender, mark: str, found: re.Match[str]) -> str:
    start = mender.at + 3
    if mark == "```" and (head := _FENCE_HEAD.match(mender.text, mender.at)):
        start = head.end()
    content = mender.text[start : found.start()]
    if mark == "```" and content.endswith("\n"):
        content = content[:-1]
    mender.note("json.quotes", "other quotes stood around a text", before=mark, after='"')
    mender.at = found.end()
    return unescaped(content, mender)


def _end(mender: Mender, guide: Guide, where: str) -> tuple[int, int, bool]:
    """Where the string ends, how many quotes it holds as text, and whether its closing quote was lost."""
    text, start = mender.text, mender.at
    stop = _STOP[text[start]]
    at, inner, weak = start + 1, 0, -1
    weak_inner = 0
    while found := stop.search(text, at):
        mark, here = found[0], found.start()
        if mark == "\\":
            at = here + 2
            continue
        if mark == "\n":
            # A line that is followed by the next key: the closing quote was forgotten.
            if where == "value" and mender.key_at(mender.ahead(here + 1), strict=True):
                return here, inner, True
            at = here + 1
            continue
        if _closes(mender, guide, where, start, here):
            return here, inner, False
        if (
            where == "value"
            and _AFTER_COMMA.search(text, max(start + 1, here - _MOST_AHEAD), here)
            and mender.key_at(here, strict=True)
        ):
            return here, inner, True
        if where == "key" and (known := guide.known) is not None:
            colon = text.find(":", start + 1, min(here, start + _LONGEST_KEY))
            if colon >= 0 and folded(text[start + 1 : colon]) in known:
                return colon, inner, True
        if weak < 0 and text[mender.ahead(here + 1) : mender.ahead(here + 1) + 1] in ",}]":
            weak, weak_inner = here, inner
            if mender.never_ends(text[start], where):
                break
        # A straight quote inside typographic ones is plain text.
        inner += mark == text[start] or mark not in "\"'"
        at = here + 1
    if weak >= 0:
        if where != "key":  # what ends a key depends on where it begins
            mender.note_never_ends(text[start], where)
        return weak, weak_inner, False
    end = _lost_at_the_end(mender, start)
    mender.open = mender.open or (where != "key" and end < len(text))
    return end, inner, True


def _lost_at_the_end(mender: Mender, start: int) -> int:
    """Where the last string of the text ends if only its quote is missing: before the brackets that close all.

    Nothing but they says so. Where the string itself opens such a bracket, they close that, and the answer was cut.
    """
    text, openers = mender.text, [opener for opener, _ in reversed(mender.stack)]
    tail = re.compile(r"\s*" + r"\s*".join(re.escape(_CLOSER[opener]) for opener in openers) + r"\s*\Z")
    found = tail.search(text, max(start + 1, len(text) - _MOST_AHEAD)) if openers else None
    if found is None:
        return len(text)
    end = found.start()
    own = any(text.count(opener, start, end) > text.count(_CLOSER[opener], start, end) for opener in {*openers})
    return len(text) if own else end


def _closes(mender: Mender, guide: Guide, where: str, start: int, here: int) -> bool:
    """Whether the quote at `here` ends the string, by what follows it."""
    text = mender.text
    k = mender.ahead(here + 1)
    mark = text[k : k + 1]
    if not mark:
        return True
    if where == "key":
        return _closes_key(mender, guide, start, here, k, mark)
    if (mark == "+" and _CONCATENATED.match(text, here + 1)) or _ELLIPSIS_END.match(text, here + 1):
        return True
    if mark in "}])({[" and ends_in_brackets(text, k) and _is_plain(text, start, here, mark):
        return True
    if mark in "}])":
        return _ends_well(mender, k) and (mark != ")" or mender.in_call)
    if mark == "<" or text.startswith("```", k):
        return mender.tag_at(k)
    if where == "root":
        return False
    new_line = "\n" in text[here:k]
    if mark in ",;，、":
        after = mender.ahead(k + 1)
        while text[after : after + 1] == ",":
            after = mender.ahead(after + 1)
        follows = text[after : after + 1]
        if not follows or follows in "}])…" or text.startswith("...", after):
            return True
        if where == "item":
            return bool(_NEXT_ITEM.match(text, after)) or mender.key_at(after, strict=True)
        return mender.key_at(after) or follows in "{[" or _cut_key(text, after)
    if where == "item":
        if mark in CLOSERS:
            # `"a""b"` forgets a comma, `"say "hi""` an escape.
            beside = k == here + 1
            return new_line or (
                text[here - 1].isalnum() and text[k + 1 : k + 2].isalnum() if beside else _pairs_up(mender, k)
            )
        return mark == ":" or (new_line and mark in "{[") or bool(_SCALAR_ITEM.match(text, k))
    return (mark in CLOSERS or new_line) and mender.key_at(k, strict=not new_line)


def ends_in_brackets(text: str, at: int) -> bool:
    """Whether the text ends with the brackets that begin here, of whatever kind: a value before them is whole."""
    return len(text) - at <= _MOST_AHEAD and _ONLY_BRACKETS.match(text, at) is not None


def _is_plain(text: str, start: int, end: int, behind: str) -> bool:
    """Whether a text holds no quote of its own kind, and no bracket that the one `behind` it would close."""
    content = text[start + 1 : end]
    opener = _OPENER.get(behind)
    return text[start] not in content and not (opener and content.count(opener) > content.count(behind))


def _ends_well(mender: Mender, at: int) -> bool:
    """Whether a document may go on as it does behind the closing brackets that begin here."""
    run = _CLOSING_RUN.match(mender.text, at, at + _MOST_AHEAD)
    assert run is not None, "there is one at least"
    behind = mender.text[run.end() : run.end() + 1]
    closed = sum(mark in "}])" for mark in run[0])
    return not behind or behind in ",;，、\"'{[/#<`" or "\n" in run[0] or closed >= len(mender.stack)


def _ends_behind(mender: Mender, end: int) -> bool:
    """Whether the answer ends behind the quote there, or before what follows it is surely a member."""
    text, k = mender.text, mender.ahead(end + 1)
    after = mender.ahead(k + 1) if text[k : k + 1] == "," else k
    rest = text[after : after + _MOST_AHEAD]
    return not rest or (after > k and rest[0] in CLOSERS and ":" not in rest and after + len(rest) == len(text))


def _cut_key(text: str, at: int) -> bool:
    """Whether the text ends inside of a key that begins here, or right behind it."""
    rest = text[at : at + _MOST_AHEAD]
    if rest[:1] not in CLOSERS or at + len(rest) < len(text):
        return False
    inner = rest[1:].rstrip()
    return not set(CLOSERS[rest[0]]) & set(inner[:-1])


def _pairs_up(mender: Mender, k: int) -> bool:
    """Whether a quote behind a blank begins the next text of a list: that text must end where an item may end."""
    found = _STOP[mender.text[k]].search(mender.text, k + 1, k + _MOST_AHEAD)
    return bool(found and _NEXT_BESIDE.match(mender.text, found.end()))


def _closes_key(mender: Mender, guide: Guide, start: int, here: int, k: int, mark: str) -> bool:
    text = mender.text
    if mark in ":=：" or text.startswith("->", k):
        return True
    known = guide.known
    if known is not None and here - start <= _LONGEST_KEY and folded(text[start + 1 : here]) in known:
        return True
    if mark in CLOSERS or mark in "{[-0123456789":
        return here > start + 1 and known is None and text[here + 1 : here + 2] in " \t{["
    return mark in ",}]"
