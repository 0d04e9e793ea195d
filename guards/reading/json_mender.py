"""A tolerant reader of one JSON document: whatever quotes, commas, brackets and comments the model gave it.

It settles syntax only and guesses no meaning: what stood there without quotes comes out as `Bare` text, what the end of
the answer cut off as `Cut` or `CutBare`, for `fitting` to resolve by what the contract wants. Where the text alone does
not say where a string or an object ends, the guide's names of properties do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from guards.reading.guide import Guide
from guards.reading.json_escapes import unescaped
from guards.reading.json_notes import Notes
from guards.reading.json_pairs import CLOSERS
from guards.reading.json_strings import PREFIX, Cut, ends_in_brackets, read_string
from guards.reading.json_valueless import Valueless
from guards.reading.leftover import goes_on
from guards.reading.spelling import folded
from guards.records import Repair

__all__ = ["Bare", "Cut", "CutBare", "Mended", "TooDeep", "closers_behind", "mend"]


class Bare(str):
    """Text that stood without quotes: a number, a literal or a word."""

    __slots__ = ()


class CutBare(Bare):
    """Text without quotes that reaches the end of the text: nobody knows whether it is whole."""

    __slots__ = ()


@dataclass(slots=True)
class Mended:
    """What was read: the data, where the document ends, what was changed.

    `members` counts keys and items (none: it was hardly a document); `open` says that brackets were still open at the
    end of the text, `doubtful` that two ways of reading its quotes are as good, `crowded` that a comma was missing
    between two members on one line.
    """

    data: Any
    end: int
    repairs: list[Repair]
    members: int
    open: bool
    doubtful: bool
    crowded: bool


class TooDeep(Exception):  # control flow: the reader makes a finding of it
    pass


def mend(text: str, start: int, guide: Guide, depth: int, *, opener: str = "", torn: bool = False) -> Mended:
    """The document that begins at `start`. `opener` stands for a bracket that is missing there; `torn` says that no
    text with bare quotes will be believed, so that none is looked at. Raises `TooDeep`."""
    mender = Mender(text, start, depth)
    mender.torn = torn
    data = mender.container(opener, guide) if opener else mender.value(guide, _ROOT)
    mender.doubtful = mender.doubtful or (mender.hollow and mender.noted("json.bracket"))
    end, behind = closers_behind(text, mender.at)
    return Mended(data, end, [*mender.repairs, *behind], mender.members, mender.open, mender.doubtful, mender.crowded)


def closers_behind(text: str, end: int) -> tuple[int, tuple[Repair, ...]]:
    """Where the closing brackets end that stand behind a document and close nothing."""
    found = _CLOSING.match(text, end)
    if found is None:
        return end, ()
    message = "brackets that close nothing were left out"
    return found.end(), (Repair("json.bracket", message, "", before=found[0].strip()),)


_MISSING: Final = object()
_NOTHING: Final = object()
_ROOT, _VALUE, _ITEM, _KEY = "root", "value", "item", "key"

_BLANK: Final = r"\s\ufeff\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2064\u00ad"
_SPACE: Final = re.compile(
    rf"(?:[{_BLANK}]+|//[^\r\n]*|\#[^\r\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z)|<!--(?:[^-]|-(?!->))*(?:-->|\Z))*+"
)
# What is no blank and begins no comment.
_SOLID: Final = frozenset(map(chr, range(ord("!"), 127))) - frozenset("/#<")
_ODD_SPACE: Final = re.compile(r"[^ \t\r\n]")
_NO_BLANK: Final = re.compile(rf"[^{_BLANK}]")
# Before a decision only a short way is looked ahead, so that no text makes each of its quotes cost its whole length.
_AHEAD: Final = re.compile(
    rf"[{_BLANK}]{{0,200}}+(?:(?://|\#)[^\r\n]{{0,300}}+[\r\n][{_BLANK}]{{0,200}}+"
    rf"|/\*[^*]{{0,300}}+\*/[{_BLANK}]{{0,200}}+|<!--(?:[^-]|-(?!->)){{0,300}}+-->[{_BLANK}]{{0,200}}+){{0,3}}+"
)
_QUOTES: Final = "".join({*CLOSERS, *"".join(CLOSERS.values())})
_COLON: Final = re.compile(r"=>|->|:=|[:=：](?!=)")  # the full-width one is what models write
_COMMA: Final = re.compile(rf"[{_BLANK}]*+,[{_BLANK}]*+")
_COMMAS: Final = ",;，、؛"
_ELLIPSIS: Final = re.compile(r"\.{3,}|…")
_PLACEHOLDER: Final = re.compile(r"(?:\.{3,}|…)(?=\s*+[,}\]])")
_BULLET: Final = re.compile(r"""[-*•][ \t]++(?=["'“{\[])""")
_BEFORE_VALUE: Final = r"\s{0,200}+(?:=>|->|:=|[:=：](?!=))"
_BARE_KEY: Final = re.compile(
    # Each run of blanks is passed once, and no further than a key reaches.
    rf"""[^\s:={{}}\[\],;"'`(](?:[^\S\n]{{0,100}}+[^\s:={{}}\[\],;"'`]){{0,100}}?"""
    rf"""(?:[^\S\n]{{1,100}}+(?=["'“”’`]{_BEFORE_VALUE})|(?=["'“”’`]?{_BEFORE_VALUE}))"""
)
_QUOTE_TOO_MANY: Final = re.compile(rf"[{_QUOTES}](?=\s{{0,200}}+[:：])")
_QUOTED_KEY: Final = re.compile(
    rf"""(?:""?((?:[^"\\\n]|\\.){{1,100}})""?|[{_QUOTES}]([^\n{_QUOTES}]{{1,100}})[{_QUOTES}])\s{{0,200}}+(=>|:=|[:=：](?!=))?"""
)
_WORD: Final = re.compile(r"""[^\s,;:{}\[\]()"'`“”]+""")
_SHORT_WORD: Final = re.compile(r"""[^\s,，;:{}\[\]()"'`“”]{1,400}+""")
_MARK: Final = re.compile(r"""<!--|[,;\n{}\[\]()<>]|(?<=\s)(?://|\#)|/\*""")
_LITERAL: Final = re.compile(r"(?:true|false|null|none|nan|undefined|[+-]?infinity)\b", re.IGNORECASE)
_AROUND: Final = re.compile(r"</?[A-Za-z|][^<>\n]{0,40}>|`{3}[ \t]*(?:\n|\Z)")
_AROUND_MARKS: Final = frozenset("<`")
_CLOSING: Final = re.compile(r"\s*[}\])](?:\s*[}\]);])*")
_COMMA_BEHIND: Final = re.compile(r"[\s}\])]{1,200}+,\s{0,200}+")
_BRACKETS: Final = re.compile(r"[{}\[\]]")
_STRUCTURE: Final = re.compile(r"[{}\[\]:,]")
_END_INSIDE: Final = re.compile(r"[}\]]|```")
_BLANK_END: Final = re.compile(rf"[{_BLANK}]*+\Z")
_EMPTY: Final = re.compile(r"\{\s*\}|\[\s*\]|\(\s*\)")
_HOLDS_NOTHING: Final = re.compile(r"[{\[]\s*(?:[}\])]|\Z)")
_OPENERS: Final = frozenset("{[(")
_SWALLOWED: Final = re.compile(
    rf"""[{_QUOTES}]\s{{0,200}}+(?:[}}\]]|,\s{{0,200}}+[{_QUOTES}]?[\w -]{{1,60}}+[{_QUOTES}]?\s{{0,200}}+:)"""
)
_MOST_CODE: Final = 2_000
_QUOTED_ANEW: Final = ("json.quotes", "json.inner_quote", "json.unquoted", "json.comma", "json.bracket")
_MOST_BLANKS: Final = 40
_ONLY_TEXT: Final = frozenset({"string"})
_ONLY_OBJECT: Final = frozenset({"object"})
_NUMBER: Final = r"-?(?:0|[1-9]\d*+)(?:\.\d++)?+(?:[eE][+-]?\d++)?+"
# A number that a comment or an ellipsis stands behind, a blank or none between.
_NUMBER_BEFORE: Final = re.compile(rf"{_NUMBER}(?=[ \t]*+(?:/\*|//|<!--|\.\.\.\s*+[,\]}})]|…\s*+[,\]}})]))")
_SCALAR: Final = rf"(?:{_NUMBER}|true|false|null)"
_PAIRED: Final = re.compile(r"[^{\[].*?:", re.DOTALL)
_STRAY: Final = re.compile(r"\"(?=[ \t]*+(?:[,}\]\n]|\Z))")
_ENDING: Final = re.compile(r"[\"'](?=[ \t]*+(?:[,}\]\n]|\Z))")
# Items side by side, and a member behind a text: what no text without quotes goes on with.
_SIDE_BY_SIDE: Final = re.compile(rf"{_SCALAR}(?:[ \t]++{_SCALAR})++(?=[ \t]*+[,\]\n])")
_KEY_BEHIND: Final = re.compile(rf"""\s["“][^\n{_QUOTES}]{{1,100}}["”]\s{{0,200}}+(?:=>|:=|[:=：])""")
_JSON_SCALAR: Final = re.compile(_SCALAR)
# Items that cannot be anything else: each is followed by a comma.
_SCALARS: Final = re.compile(rf"{_SCALAR}(?=[ \t\r\n]*+,)(?:[ \t\r\n]*+,[ \t\r\n]*+{_SCALAR}(?=[ \t\r\n]*+,))*+")
_CALL: Final = re.compile(
    r"(?:new\s+)?(?:Decimal|ObjectId|ISODate|Date|datetime\.\w+|NumberLong|NumberInt|NumberDecimal|UUID|uuid|Timestamp"
    r"|BigInt|Number|String|str|int|float)\(\s*"
)


class Mender(Notes):
    def __init__(self, text: str, start: int, depth: int) -> None:
        super().__init__()
        self.text = text
        self.at = start
        self.members = 0
        self.open = False
        self.crowded = False
        self._depth = depth
        self.stack: list[tuple[str, Guide]] = []
        self._ends: dict[int, int] = {}
        self.torn = False
        self.never_closed: set[str] = set()
        """Triple quotes of which none closes a text any more."""
        self._never_ends: dict[tuple[Any, ...], int] = {}

    # Between tokens.

    def space(self) -> str:
        """Pass over blanks and comments; gives the next character, "" at the end."""
        text, start = self.text, self.at
        mark = text[start : start + 1]
        if mark in _SOLID:  # nearly always
            return mark
        found = _SPACE.match(text, start)
        if found and found.end() > start:
            self.at = found.end()
            passed = found[0]
            if _ODD_SPACE.search(passed):
                if _NO_BLANK.search(passed):
                    # Right behind a quote, a comment with another may be the text that it opens.
                    behind = text[start - 1 : start] in CLOSERS and passed[0] in "/#"
                    self.doubtful = self.doubtful or (behind and passed.count(text[start - 1]) % 2 == 1)
                    self.note("json.comment", "a comment was passed over", before=passed.strip())
                    self._closes = self._closes or "}" in passed or "]" in passed
                else:
                    self.note("json.blank", "blanks that JSON does not have were passed over")
        return text[self.at : self.at + 1]

    def separators(self) -> tuple[str, int]:
        """Pass over commas and ellipses too; gives the next character and how many commas there were."""
        commas = 0
        while mark := self.space():
            if mark in _COMMAS:
                commas += 1
                if mark != ",":
                    self.note("json.comma", "another mark stood for a comma", before=mark, after=",")
                self.at += 1
            elif dots := _ELLIPSIS.match(self.text, self.at):
                self.note("json.ellipsis", "an ellipsis was left out", before=dots[0])
                self.at = dots.end()
                self._ellipsis = True
            else:
                break
        return mark, commas

    def _comma_too_many(self, mark: str, *, first: bool) -> None:
        self.note("json.comma", "a comma too many was left out")
        if first and len(self.stack) > 1 and mark and mark not in "}])":
            key = _QUOTED_KEY.match(self.text, self.at) if self.stack[-1][0] != "{" else None
            self.hollow = self.hollow or not (key and key[3])

    hollow = False
    """Whether a comma stood first in a list or an object, and more behind it: a closing bracket that is missing may be
    one before the comma."""

    # Values.

    def value(self, guide: Guide, where: str) -> Any:
        mark = self.space()
        if mark in _OPENERS and self.stack and _BLANK_END.match(self.text, self.at + 1):
            self.at = len(self.text)
            return CutBare(mark)
        if mark and mark in "{[":
            if guide.kinds == _ONLY_TEXT and (end := self._code()):
                return self._bare_to(end)
            return self.container(mark, guide)
        if mark == "(" and where != _ROOT:
            return self.container(mark, guide)
        if mark and mark in CLOSERS:
            return self.string(guide, where)
        prefix = PREFIX.match(self.text, self.at)
        if prefix and not _ENDING.match(self.text, prefix.start(1)):
            self.note("json.quotes", "a mark before the quote was left out", before=prefix[0][:-1])
            self.at = prefix.start(1)
            return read_string(self, guide, where, raw="r" in prefix[0].lower())
        if call := _CALL.match(self.text, self.at):
            return self.called(call, guide, where)
        return self.bare(guide, where)

    def _code(self) -> int:
        """Where brackets end that are themselves the text, since only a text may stand here and they are no JSON."""
        end = self._end_of(self.at) if self.at >= self._json_until else 0
        if not end:
            return 0
        try:
            json.loads(self.text[self.at : end])
        except ValueError:
            return end
        self._json_until = end
        return 0

    _json_until = 0
    """What stands before it is known to be JSON."""

    def _end_of(self, at: int) -> int:
        """Where the bracket is closed, by whatever kind of bracket; 0 where that is not near."""
        if at + _MOST_CODE > self._ends_until:
            self._ends_until = at + 2 * _MOST_CODE
            self._ends = {}
            starts: list[int] = []
            for found in _BRACKETS.finditer(self.text, at, self._ends_until):
                if found[0] in "{[":
                    starts.append(found.start())
                elif starts:
                    self._ends[starts.pop()] = found.end()
        end = self._ends.get(at, 0)
        return end if end - at <= _MOST_CODE else 0

    _ends_until = 0
    """How far `_ends` tells where brackets are closed."""

    def called(self, call: re.Match[str], guide: Guide, where: str) -> Any:
        if len(self.stack) >= self._depth:
            raise TooDeep
        self.note("json.literal", "a constructor around the value was left out", before=call[0])
        self.at = call.end()
        self.stack.append(("(", guide))
        value = self.value(guide, _ITEM)
        self.stack.pop()
        if self.space() == ")":
            self.at += 1
        return value

    def container(self, opener: str, guide: Guide) -> Any:
        if len(self.stack) >= self._depth:
            raise TooDeep
        if self.text[self.at : self.at + 1] == opener:
            if opener == "(":
                self.note("json.bracket", "round brackets stood for a list", before="(", after="[")
            self.at += 1
        else:
            self.note("json.bracket", "an opening bracket was missing", after=opener)
        self.stack.append((opener, guide))
        try:
            return self.read_object(guide) if opener == "{" else self.read_list(guide, ")" if opener == "(" else "]")
        finally:
            self.stack.pop()

    def read_list(self, guide: Guide, closer: str) -> list[Any]:
        items: list[Any] = []
        odd = 0
        by_line = by_comma = self._ellipsis = False
        while True:
            mark, commas = self.separators()
            if commas > (1 if items else 0):
                self._comma_too_many(mark, first=not items)
            if not mark:
                self._ends_open(cut=bool(commas))
                return self._told(items, odd)
            if mark in "}])":
                if items and (early := self._too_early()) is not None:
                    self.doubtful = self.doubtful or bool(commas)  # an empty list without its first bracket?
                    self.note("json.bracket", "a closing bracket stood too early", before=mark)
                    self.at = early
                    continue
                wrong = (mark in "])" or not items) and not self._closes_outer(mark)
                if mark == closer or wrong or self._meant_here(mark):
                    self.at += 1
                    if mark != closer:
                        self.note("json.bracket", "a closing bracket was the wrong one", before=mark, after=closer)
                    if commas and items:
                        self.note("json.comma", "a comma before the closing bracket was left out")
                    return self._told(items, odd)
                if self._closes_outer(mark):
                    self.note("json.bracket", "a closing bracket was missing", after=closer)
                    return self._told(items, odd)
                self.note("json.bracket", "a bracket that closes nothing was left out", before=mark)
                self.at += 1
                continue
            if items and not commas and self._opens_nothing(closer, guide.element(len(items))):
                self.note("json.bracket", "a bracket that opens nothing was left out", before=mark)
                self.at += 1
                continue
            if items and not commas:
                self.note("json.comma", "a comma was missing", after=",")
                by_line = by_line or isinstance(items[-1], Bare)
            by_comma = by_comma or bool(items and commas)
            # A line break may be one inside of an item.
            self.doubtful = self.doubtful or (by_line and by_comma)
            if self._key_of_outer(mark, items, guide):
                self.note("json.bracket", "a closing bracket was missing", after=closer)
                return self._told(items, odd)
            if self.tag_at(self.at):
                self._ends_open(cut=False)
                return self._told(items, odd)
            if mark in "-*•" and (bullet := _BULLET.match(self.text, self.at)):
                self.note("json.comment", "the mark of a list's line was left out", before=mark)
                self.at = bullet.end()
                mark = self.space()
            if scalars := self._scalars():
                items += scalars
                self.doubtful = self.doubtful or (by_line and len(scalars) > 1)
                continue
            odd += self._item(mark, items, guide.element(len(items)))

    def _item(self, mark: str, items: list[Any], guide: Guide) -> bool:
        """One item more, unless the mark begins none; gives whether it holds an odd number of quotes."""
        self.place.append(len(items))
        before = self.at
        self.inner_quotes = 0
        self._unopened = False
        if mark in CLOSERS and (key := _QUOTED_KEY.match(self.text, before)) and key[3]:
            known = guide.known is not None and folded(key[1] or key[2]) in guide.known
            self.doubtful = self.doubtful or self._left or not (guide.kinds == _ONLY_OBJECT or known)
            item = self.container("{", guide)
        else:
            item = self.value(guide, _ITEM)
        self.place.pop()
        self.members += 1
        if self._unopened and items and isinstance(items[-1], Bare):
            # The comma before, on the same line, may be one of the text.
            around = self.text[max(0, before - _MOST_BLANKS) : before]
            self.doubtful = self.doubtful or "\n" not in around[len(around.rstrip()) :]
        if self.at == before:
            self.at += 1
        else:
            items.append(item)
        return bool(self.inner_quotes % 2)

    inner_quotes = 0
    _ellipsis = False
    _unopened = False
    """Whether a text ended with a quote that nothing opened."""

    def _scalars(self) -> list[Bare]:
        """Items that are passed at one go: a long list of numbers, say. Each is followed by a comma, which stays."""
        run = _SCALARS.match(self.text, self.at)
        if run is None:
            return []
        self.at = run.end()
        scalars = [Bare(written.strip()) for written in run[0].split(",")]
        self.members += len(scalars)
        return scalars

    def _told(self, items: list[Any], odd: int) -> list[Any]:
        # Two strings with a quote each may as well be one with a comma inside: nobody can tell.
        # Nor what an ellipsis stands for that is all there is.
        if odd > 1 or (self._ellipsis and not items):
            self.doubtful = True
        return items

    def read_object(self, guide: Guide) -> Any:
        members: dict[str, Any] = {}
        valueless: list[Valueless] = []
        keys = 0
        while True:
            mark, commas = self.separators()
            if commas > (1 if members or valueless else 0):
                self._comma_too_many(mark, first=not (members or valueless))
            if not mark:
                self._ends_open(cut=bool(commas))
                break
            if mark in "}])":
                if self._object_ends(mark, comma_before=bool(commas and (members or valueless))):
                    break
                continue
            if (members or valueless) and not commas and self.only_brackets(self.at):
                self.note("json.bracket", "a bracket that belongs to no key was left out", before=mark)
                self.at += 1
                continue
            if mark in "{[":
                if valueless and valueless[-1].index == keys and commas < 2:
                    self._pair(valueless.pop(), guide, members)
                    continue
                inner = self._without_key(mark, guide, has_keys=bool(keys))
                if inner is not _MISSING:
                    return inner
                break
            if self.tag_at(self.at):
                self._ends_open(cut=False)
                break
            start = self.at
            key = self.key(mark, guide)
            if key is None:
                # The key before was not cut off, and this may be its value.
                self.doubtful = self.doubtful or bool(valueless and valueless[-1].index == keys and commas)
                self._ends_open(cut=False)
                break
            written = self.text[start : self.at]
            if members and self._belongs_outside(key, guide, members):
                self.at = start
                self.note("json.bracket", "a closing bracket was missing", after="}")
                break
            if (members or valueless) and not commas:
                self.note("json.comma", "a comma was missing", after=",")
                self.doubtful = self.doubtful or self._may_be_an_items(key, guide, members)
                self.crowded = self.crowded or "\n" not in self.text[max(0, start - _MOST_BLANKS) : start]
            value = self.after_key(key, guide)
            keys += 1
            if value is _MISSING or value is _NOTHING:
                behind_text = type(next(reversed(members.values()), None)) is str
                valueless.append(Valueless(key, written, keys, value is _NOTHING, behind_text))
            else:
                self._put(key, value, members)
        return self._with_valueless(members, valueless, guide)

    def _object_ends(self, mark: str, *, comma_before: bool) -> bool:
        """Whether the closing bracket there, its own or another, ends the object; else it is passed."""
        if (early := self._too_early()) is not None:
            self.doubtful = self.doubtful or self._left
            self.note("json.bracket", "a closing bracket stood too early", before=mark)
            self.at = early
            return False
        if mark != "}" and self._closes_outer(mark) and not self._meant_here(mark):
            self.note("json.bracket", "a closing bracket was missing", after="}")
            return True
        self.at += 1
        if mark != "}":
            self.note("json.bracket", "a closing bracket was the wrong one", before=mark, after="}")
        elif comma_before:
            self.note("json.comma", "a comma before the closing bracket was left out")
        return True

    def _put(self, key: str, value: Any, members: dict[str, Any]) -> None:
        if key in members:
            self.place.append(key)
            # A quote that was mended must never set another field.
            self.doubtful = self.doubtful or self.noted(*_QUOTED_ANEW)
            self.note("json.duplicate_key", "the key stood twice; the last value counts", members[key], value)
            self.place.pop()
        members[key] = value
        self.members += 1

    def _with_valueless(self, members: dict[str, Any], valueless: list[Valueless], guide: Guide) -> Any:
        """The members, where some keys have no value: a set of Python, a comma for a colon, or keys to leave out."""
        if valueless and not members and not self.open and not any(lone.has_colon for lone in valueless):
            self.note("json.bracket", "a set was read as a list")
            keys = [lone.key for lone in valueless]
            # With its quotes in the wrong places it may as well be a member.
            self.doubtful = self.doubtful or (self.noted(*_QUOTED_ANEW[:2]) and any(map(_PAIRED.match, keys)))
            self.members += len(keys)
            return keys
        waiting = valueless[::-1]
        while waiting:
            lone = waiting.pop()
            beside = waiting[-1] if waiting and waiting[-1].index == lone.index + 1 else None
            if beside is not None and lone.is_key_of(beside, guide.known):
                waiting.pop()
                self._stood_for_a_colon(lone)
                self._put(lone.key, beside.key if beside.is_quoted else Bare(beside.key), members)
                continue
            # What is no name, or has no colon beside it, may be a value or a part of one.
            pieces = not lone.is_name or lone.may_be_text(guide.known) or (beside is not None and not beside.has_colon)
            self.doubtful = self.doubtful or pieces
            self.note(
                "json.truncated" if self.open else "json.no_value", "a key without a value was left out", lone.key
            )
        return members

    def _pair(self, lone: Valueless, guide: Guide, members: dict[str, Any]) -> None:
        """A list or an object behind a key and a comma is what the key holds."""
        self._stood_for_a_colon(lone)
        next_item = len(self.stack) > 1 and self.stack[-2][0] != "{" and self.text[self.at] == "{"
        self.doubtful = self.doubtful or next_item or not lone.is_name
        self.place.append(lone.key)
        value = self.value(guide.member(folded(lone.key)), _VALUE)
        self.place.pop()
        self._put(lone.key, value, members)

    def _stood_for_a_colon(self, lone: Valueless) -> None:
        if lone.has_colon:
            self.note("json.comma", "a comma before the value was left out", before=lone.key)
        else:
            self.note("json.colon", "another mark stood for a colon", before=",", after=":")

    def _without_key(self, mark: str, guide: Guide, *, has_keys: bool) -> Any:
        """A bracket where a key should stand: a doubled bracket, or the next object of the list around."""
        if has_keys and mark == "{" and len(self.stack) > 1 and self.stack[-2][0] != "{":
            self.note("json.bracket", "a closing bracket was missing", after="}")
            self._left = True
            return _MISSING
        if has_keys:
            # What it holds may be the object's own, or belong to a key that was lost.
            holds_nothing = _HOLDS_NOTHING.match(self.text, self.at) and not goes_on(self.text, self.at + 1)
            self.doubtful = self.doubtful or not holds_nothing
            self.at += 1
            self.note("json.bracket", "a bracket that belongs to no key was left out", before=mark)
            return _MISSING
        self.note("json.bracket", "a doubled bracket was read as one", before="{" + mark, after=mark)
        inner = self.container(mark, guide)
        if self.space() == "}":
            self.at += 1
        return inner

    _left = False
    """Whether an object of a list was left where another began: a key that stands in the list may be its own."""

    # Keys.

    def key(self, mark: str, guide: Guide) -> str | None:
        """The key that begins here, or behind marks that begin none; None where the rest of the text holds none."""
        while (key := self._key_here(mark, guide)) is _MISSING:
            self.at += 1
            if self.at >= len(self.text):
                return None
            mark = self.space()
        return key  # type: ignore[no-any-return]  # `_MISSING` is untyped

    def _key_here(self, mark: str, guide: Guide) -> Any:
        prefix = PREFIX.match(self.text, self.at)
        if prefix:
            self.at = prefix.start(1)
            mark = self.text[self.at]
        if mark in CLOSERS:
            if mixed := self._in_two_quotes(mark, guide):
                return mixed
            key = self.string(guide, _KEY)
            if isinstance(key, Cut):
                self.doubtful = self.doubtful or _END_INSIDE.search(key) is not None
                self._cut_key(key)
                return None
            return key
        found = _BARE_KEY.match(self.text, self.at)
        if found:
            self.at = found.end()
            key = found[0].strip()
            if self.text[self.at : self.at + 1] in "\"'“”’`":
                self.at += 1
                self.note("json.quotes", "a quote was missing", before=key)
            elif not key.startswith("**"):
                self.note("json.unquoted", "a key without quotes", before=key)
            return key.strip("*")
        word = _WORD.match(self.text, self.at)
        if word is None:
            return _MISSING
        rest = self.text[self.at : self.at + 2000]
        if len(rest) < 2000 and not re.search(r"[{}\[\]:=]", rest):
            if len(rest.split()) > 1 or "\n" in self.text[max(self.at - 40, 0) : self.at]:
                self.note("text.prose", "text behind the document was set aside", before=rest.strip())
                self.at = len(self.text)
                return None
            self._cut_key(rest)
            return None
        self.at = word.end()
        return word[0]

    def _in_two_quotes(self, mark: str, guide: Guide) -> str | None:
        """A key of this object that one kind of quote opens and another closes."""
        found = _QUOTED_KEY.match(self.text, self.at)
        if found is None or not found[2] or not found[3] or folded(found[2]) not in (guide.known or ()):
            return None
        closer = self.text[found.end(2)]
        if closer in CLOSERS[mark]:
            return None
        self.at = found.end(2) + 1
        self.note("json.quotes", "quotes of two kinds stood around a key", before=f"{mark}{found[2]}{closer}")
        return found[2]

    def _cut_key(self, key: str) -> None:
        self.note("json.truncated", "a key that the end of the answer cut off was left out", before=key)
        self.at = len(self.text)

    def after_key(self, key: str, guide: Guide) -> Any:
        """The value behind a key; `_MISSING` where there is none, `_NOTHING` where there is but a colon."""
        before = self.at
        mark = self.space()
        if too_many := _QUOTE_TOO_MANY.match(self.text, self.at):
            # With a blank before, it may as well begin a text.
            self.doubtful = self.doubtful or self.at > before
            self.note("json.quotes", "a quote too many behind a key was left out", before=too_many[0])
            self.at = too_many.end()
            mark = self.space()
        colon = _COLON.match(self.text, self.at)
        if colon:
            if colon[0] != ":":
                self.note("json.colon", "another mark stood for a colon", before=colon[0], after=":")
            self.at = colon.end()
            mark = self.space()
            while mark == ":":
                self.note("json.colon", "a colon too many was left out")
                self.at += 1
                mark = self.space()
        elif not mark or mark in _COMMAS or mark in "}])":
            return _MISSING
        else:
            self.note("json.colon", "a colon was missing", before=key, after=":")
        if dots := _PLACEHOLDER.match(self.text, self.at):
            self.note("json.ellipsis", "an ellipsis was left out", before=dots[0])
            self.at = dots.end()
            return _NOTHING
        if not mark or mark in _COMMAS or mark in "}])":
            return _NOTHING
        self.place.append(key)
        value = self.value(guide.member(folded(key)), _VALUE)
        self.place.pop()
        return value

    # Where a container ends without its bracket.

    def _closes_outer(self, mark: str) -> bool:
        """Whether a container further out is waiting for this bracket."""
        return any({"{": "}", "[": "]", "(": ")"}[opener] == mark for opener, _ in self.stack[:-1])

    def _meant_here(self, mark: str) -> bool:
        """Whether a bracket of the container around was meant for the one being read, since that around goes on."""
        if len(self.stack) < 2 or (comma := _COMMA.match(self.text, self.at + 1)) is None:
            return False
        (opener, around), further = self.stack[-2], self.stack[:-2]
        if mark == "}" and opener == "{" and around.known is not None:
            key = _QUOTED_KEY.match(self.text, comma.end())
            plain = folded(key[1] or key[2]) if key else None
            return plain in around.known and not any(plain in (outer.known or ()) for _, outer in further)
        if mark == "]" and opener == "[":
            return self.text.startswith("{", comma.end()) and not any(outer == "[" for outer, _ in further)
        return False

    def _too_early(self) -> int | None:
        """Where the outermost container goes on behind a bracket that seems to close it; None where it does not."""
        if len(self.stack) > 1:
            return None
        found = _COMMA_BEHIND.match(self.text, self.at)
        if found is None:
            return None
        if self.stack[0][0] == "{":
            return found.end() - 1 if self.key_at(found.end(), strict=True) else None
        depth = 0
        for bracket in _BRACKETS.finditer(self.text, found.end(), found.end() + _MOST_CODE):
            depth += 1 if bracket[0] in "{[" else -1
            if depth < 0:
                return found.end() - 1
        return None

    def _ends_open(self, *, cut: bool) -> None:
        if cut and not self.open:
            self.note("json.truncated", "the answer ends before the document does")
        elif not self.open:
            self.note("json.bracket", "closing brackets were missing at the end")
        self.doubtful = self.doubtful or self._closes
        self.open = True

    _closes = False
    """Whether a comment holds closing brackets, which may be those of the document."""

    def _key_of_outer(self, mark: str, items: list[Any], guide: Guide) -> bool:
        """Whether a list meets the next key of the object that it stands in."""
        if len(self.stack) < 2 or self.stack[-2][0] != "{":
            return False
        known = self.stack[-2][1].known
        if mark not in CLOSERS:
            bare = _BARE_KEY.match(self.text, self.at)
            return bool(bare and known is not None and folded(bare[0]) in known)
        found = _QUOTED_KEY.match(self.text, self.at)
        if found is None or not found[3]:
            return False
        plain = folded(found[1] or found[2])
        inner = guide.element(len(items)).known or ()
        around = [outer.known for opener, outer in self.stack[:-1] if opener == "{"]
        outside = any(plain in (names or ()) for names in around)
        if plain in inner and not outside and known is not None:
            return False
        # Where no object around knows it, the list may have lost the bracket of its next object.
        lost = plain in inner or (not outside and (known is not None or not items))
        self.doubtful = self.doubtful or self._left or lost
        return True

    def _belongs_outside(self, key: str, guide: Guide, members: Iterable[str]) -> bool:
        """Whether a key is none of this object's, which is complete, but one of an object further out."""
        known, plain = guide.known, folded(key)
        if known is None or plain in known:
            return False
        there = {folded(name) for name in members}
        if any(folded(name) not in there for name in guide.required):
            return False
        return any(plain in (outer.known or ()) for opener, outer in self.stack[:-1] if opener == "{")

    def only_brackets(self, at: int) -> bool:
        """Whether a bracket stands here that opens nothing and begins no text: no more than brackets follow it. An
        empty object or list is none such."""
        opens = self.text[at : at + 1] in _OPENERS and not _EMPTY.match(self.text, at)
        return opens and ends_in_brackets(self.text, at)

    def _opens_nothing(self, closer: str, guide: Guide) -> bool:
        """Whether the bracket that stands where an item of a list may stand is one too many."""
        if not self._closes_here(closer):
            return self.only_brackets(self.at)
        stray = "array" not in guide.kinds
        self.doubtful = self.doubtful or not stray
        return stray

    def _closes_here(self, closer: str) -> bool:
        """Whether an empty list stands here whose bracket may close the one around, since brackets are missing, so that
        its other one opens nothing."""
        empty = _EMPTY.match(self.text, self.at)
        if empty is None or empty[0][-1] != closer or not ends_in_brackets(self.text, self.at):
            return False
        return sum(mark in "}])" for mark in self.text[empty.end() :]) < len(self.stack)

    def _may_be_an_items(self, key: str, guide: Guide, members: dict[str, Any]) -> bool:
        """Whether a key that this object does not know may belong to an item of the list before, which seems closed."""
        held = next(reversed(members.values()), None)
        return isinstance(held, list) and guide.known is not None and folded(key) not in guide.known

    def tag_at(self, at: int) -> bool:
        """Whether a tag or a fence around the document stands here, not a part of it."""
        return self.text[at : at + 1] in _AROUND_MARKS and bool(_AROUND.match(self.text, at))

    # Strings.

    def never_ends(self, opener: str, where: str) -> bool:
        """Whether it was seen that no quote from here to the end of the text surely ends such a string."""
        if not self._never_ends:
            return False
        return self._never_ends.get(self._standing(opener, where), self._depth + 1) <= len(self.stack)

    def note_never_ends(self, opener: str, where: str) -> None:
        standing = self._standing(opener, where)
        self._never_ends[standing] = min(self._never_ends.get(standing, self._depth + 1), len(self.stack))

    def _standing(self, opener: str, where: str) -> tuple[Any, ...]:
        """All that the end of a string depends on beside the text and how many brackets are open: the more are, the
        fewer quotes end one."""
        around = [guide.known for _, guide in self.stack]
        here = (self.stack[-1][0], around[-1]) if around else None
        return opener, where, self.in_call, here, frozenset(around)

    def string(self, guide: Guide, where: str) -> str:
        read = read_string(self, guide, where)
        if isinstance(read, Cut) and _SWALLOWED.search(read):
            self.doubtful = True  # the quote that closes it may be of another kind
        return read

    def bare(self, guide: Guide, where: str) -> Any:
        """Text without quotes, up to where the next token stands."""
        text, start = self.text, self.at
        if number := _NUMBER_BEFORE.match(text, start):
            self.at = number.end()
            return self._bared(number[0])
        word = _SHORT_WORD.match(text, start)
        if word and (end := _AHEAD.match(text, word.end())):
            mark = text[end.end() : end.end() + 1]
            scalar = _JSON_SCALAR.fullmatch(word[0])
            if scalar and (stray := _STRAY.match(text, word.end())):
                return self._bare_to(stray.end())
            if scalar and where == _ITEM and self._side_by_side(start):
                self.at = word.end()
                return self._bared(word[0])
            if scalar and "\n" in text[word.end() : end.end()] and (where == _ITEM or self.key_at(end.end())):
                self.at = word.end()
                return self._bared(word[0])
            if (
                mark in ("}", "]", "")
                or (mark in "()" and ends_in_brackets(text, end.end()))
                or (mark in _COMMAS and (_LITERAL.fullmatch(word[0]) or not self._goes_on(end.end(), where, scalar)))
                or (scalar and mark in "\"'{[")
            ):
                self.at = word.end() if mark or scalar else len(text)
                return self._bared(word[0])
        depth = 0
        limit = self._next_key(start) if where == _VALUE else len(text)
        for found in _MARK.finditer(text, start, limit):
            mark, at = found[0], found.start()
            if mark in "([{<" and mark != "<!--":
                depth += 1
            elif mark in ")]}>" and depth:
                depth -= 1
            elif (
                (mark in ")>" and mark != ">" and where == _ITEM and self.stack and self.stack[-1][0] == "(")
                or mark in "]}"
                or (mark == ")" and ends_in_brackets(text, at))
                or mark[0] in "/#"
                or mark == "<!--"
                or (mark in ",;\n" and not depth and not self._goes_on(at, where))
            ):
                return self._bare_to(at)
        return self._bare_to(limit)

    def _side_by_side(self, start: int) -> bool:
        """Whether a scalar stands here beside others that no comma parts, before an item's end."""
        if start >= self._aside and (found := _SIDE_BY_SIDE.match(self.text, start)):
            self._aside = found.end()
        return start < self._aside

    _aside = 0
    """What stands before it are scalars side by side, as far as it was looked at."""

    def _next_key(self, start: int) -> int:
        """Where the next key in quotes stands: no text without quotes goes on behind it. Each is looked for once."""
        if start > self._key_behind:
            found = _KEY_BEHIND.search(self.text, start)
            self._key_behind = found.start() if found else len(self.text)
        return self._key_behind

    _key_behind = -1

    def _bare_to(self, end: int) -> Any:
        written = self.text[self.at : end].rstrip()
        self.at = min(len(self.text), end)
        self.doubtful = self.doubtful or '\\"' in written  # a text in escaped quotes, or a part of one
        stray = written[-1:] if written[-1:] in "\"'”" and written.count(written[-1:]) % 2 else ""
        if stray:
            self.note("json.quotes", "a quote was missing", before=written)
            self._unopened = True
            return unescaped(written[:-1], self)
        if written.count('"') % 2 and _STRUCTURE.search(written):
            self.doubtful = True  # a text of which a quote was lost may end elsewhere
        if "," in written and self.text[end : end + 1] == "]" and self.stack and self.stack[-1][0] == "{":
            self.doubtful = True  # a list of which the bracket was lost
        return self._bared(written)

    def _bared(self, written: str) -> Any:
        whole = self.at < len(self.text) or _LITERAL.fullmatch(written)
        return Bare(written) if whole else CutBare(written)

    def _goes_on(self, at: int, where: str, scalar: re.Match[str] | None = None) -> bool:
        """Whether bare text, or a scalar as JSON has it, goes on behind this comma or line break."""
        if where == _ITEM:
            return False
        if where == _ROOT:
            return True
        ahead = _AHEAD.match(self.text, at + 1)
        k = ahead.end() if ahead else at + 1
        mark = self.text[k : k + 1]
        if not mark or mark in "}])" or (scalar and (mark in "{[" or mark in CLOSERS)) or _ELLIPSIS.match(self.text, k):
            return False
        return not (mark in _COMMAS or self.key_at(k))

    def key_at(self, k: int, *, strict: bool = False) -> bool:
        """Whether a key of the object being read stands here. `strict`: one that the guide knows, or a quoted one."""
        known = self.stack[-1][1].known if self.stack else None
        mark = self.text[k : k + 1]
        if mark in CLOSERS:
            found = _QUOTED_KEY.match(self.text, k)
            if found is None:
                return False
            return bool(found[3]) or (known is not None and folded(found[1] or found[2]) in known)
        bare = _BARE_KEY.match(self.text, k)
        if bare is None:
            return False
        if known is None:
            return not strict and " " not in bare[0].strip()
        plain = folded(bare[0])
        return plain in known or any(plain in (outer.known or ()) for _, outer in self.stack)

    def ahead(self, at: int) -> int:
        """Where the next token stands, looked for a short way only."""
        if self.text[at : at + 1] in _SOLID:
            return at
        found = _AHEAD.match(self.text, at)
        return found.end() if found else at

    @property
    def in_call(self) -> bool:
        return bool(self.stack) and self.stack[-1][0] == "("
