"""Documents whose quotes were left bare inside of their texts: all ways in which they may pair up, likeliest first.

All else must be JSON (or nearly so: `'` for `"`, words without quotes, a comma before a closing bracket). Then nothing
but the quotes is in doubt, and each reading can be held against the others: a text may end at a quote only where the
document goes on behind it. What a reading costs are the quotes inside of its texts that do not pair up as people write
quotations, or that look like the end of a text or key; a reading without such a quote needs no further proof.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeAlias

from guards.reading.json_escapes import in_a_path, unescaped
from guards.reading.json_mender import Bare
from guards.reading.json_notes import Notes
from guards.reading.json_pairs import CLOSERS, STOP, Pairing, braces, torn
from guards.reading.json_strings import is_triple
from guards.reading.leftover import goes_on
from guards.records import Repair

__all__ = ["QuoteSearch", "Quoted", "text_alone"]

_OPEN: Final = "the end"
_LONE, _LIKE_AN_END, _BACKSLASH = 2, 1, 3
_MOST_OF_A_PATH: Final = 200
_A_QUOTE: Final = 24
_MOST_ARRIVALS: Final = 4  # ways that come to the same place and are followed from there
_MOST_STEPS: Final = 20_000  # beside those that the text's length allows

_BLANK: Final = re.compile(r"[ \t\r\n]*+")
_ODD: Final = "".join({*CLOSERS, *"".join(CLOSERS.values())} - {'"', "'"})
_STRING: Final = (
    r"""(?:"(?:[^"\\\n]|\\.){0,200}+"|'(?:[^'\\\n]|\\.){0,200}+'"""
    rf"""|[{_ODD}](?:[^{_ODD}\\\n]|\\.){{0,200}}+[{_ODD}])"""
)
_NAME: Final = r"[A-Za-z_$][\w$-]{0,100}+"
_KEY: Final = re.compile(rf"(?:{_STRING}|{_NAME})(?=[ \t\r\n]*+:)")
_WORD: Final = re.compile(rf"""[^\s,:{{}}\[\]"'{_ODD}]++""")
# A comment, an ellipsis, a call, an escaped quote: what is more than words without quotes.
_NO_WORD: Final = re.compile(r"/\*|//|\.{3}|…|[()\\]|\A(?:#|<!--)")
_SCALAR: Final = r"(?:-?\d[\w.+-]*|true|false|null|True|False|None)"
_WHOLE: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|True|False|None")
_BEHIND: Final = {
    "{": re.compile(rf"[ \t\r\n]*+(?:\}}|\Z|,[ \t\r\n]*+(?:\}}|(?:{_STRING}|{_NAME})[ \t\r\n]*+:))"),
    "[": re.compile(rf"""[ \t\r\n]*+(?:\]|\Z|,[ \t\r\n]*+(?:[\]{{\["'{_ODD}]|{_SCALAR}[ \t\r\n]*+[,\]]))"""),
}
_CLOSING: Final = re.compile(r"[ \t\r\n]*[}\]](?:[ \t\r\n]*[}\]])*[ \t\r\n]*")
_CLOSES: Final = {"{": "}", "[": "]"}
_LIKE_A_NAME: Final = re.compile(r"\A[\w$@#][^\n{}\[\]\"\\]*\Z")


@dataclass(frozen=True, slots=True)
class Quoted:
    """One reading: `cost` 0 says that all quotes inside of texts pair up; `open` that closing brackets were missing;
    `texts` are those with bare quotes: where they begin and end, and whether they are items of a list."""

    data: Any
    end: int
    repairs: tuple[Repair, ...]
    cost: int
    doubtful: bool
    open: bool
    texts: tuple[tuple[int, int, bool], ...]

    def is_torn(self, text: str) -> bool:
        """Whether one of the texts may be several parts of the document."""
        return any(torn(text, start, end, item=item) for start, end, item in self.texts)


def text_alone(written: str) -> tuple[str, tuple[Repair, ...]] | None:
    """The text that stands in one pair of quotes, of whatever kind; None where they are not one pair."""
    closers = CLOSERS.get(written[:1], "")
    if len(written) < 2 or written[-1] not in closers:
        return None
    held = _Text(0, None, (0, None))
    stop = re.compile(rf"[\\{re.escape(written[0] + closers)}]")
    while (found := stop.search(written, held.at)) is not None and found.end() < len(written):
        if found[0] == "\\":
            held.at = found.end() + 1
        else:
            held.passes(written, found.start())
    if held.ends(written, len(written) - 1) or held.at > len(written) - 1:
        return None
    notes = Notes()
    if written[0] != '"':
        notes.note("json.quotes", "other quotes stood around a text", before=written[0], after='"')
    if held.quotes:
        notes.note("json.inner_quote", "quotes inside a text were not escaped", after=held.quotes)
    text = unescaped(written[1:-1], notes)
    return None if notes.doubtful else (text, tuple(notes.repairs))


# What was read is a linked list, as are the open brackets: ways share them, so each costs no more than its own steps.
_Linked: TypeAlias = "tuple[_Linked, Any] | None"
_Way: TypeAlias = tuple[int, _Linked]
"""What it cost so far, and what was read on it."""
_AFTER, _VALUE, _KEY_OR_END, _VALUE_OR_END = range(4)


class _Stack:
    """The brackets that are open, innermost first."""

    __slots__ = ("bracket", "depth", "outer")

    def __init__(self, bracket: str, outer: _Stack | None) -> None:
        self.bracket = bracket
        self.outer = outer
        self.depth: int = outer.depth + 1 if outer else 1


class _Text(Pairing):
    """A text whose opening quote was met, and how far it was looked for its end."""

    __slots__ = ("before", "stack", "start")

    def __init__(self, start: int, stack: _Stack | None, before: _Way) -> None:
        super().__init__(start)
        self.start = start
        self.stack = stack
        self.before = before

    @property
    def least(self) -> int:
        """What the way costs at least if the text goes on."""
        return self.before[0] + _LONE * self.lone + _LIKE_AN_END * self.keys

    def ends(self, text: str, at: int) -> int:
        """What the way costs if the text ends there."""
        # What looks like a member counts for nothing inside of braces that the text itself opens and closes.
        odd = self.inside if self.braces + braces(text[self.at : at]) else 0
        return self.least + _LONE * bool(self.opened) + _LIKE_AN_END * odd


class QuoteSearch:
    """All readings of one document. What is looked at is bounded by the text's length: `exhausted` says that there may
    be more."""

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.depth = depth
        self.steps = _MOST_STEPS + len(text)
        self.waiting: list[tuple[int, int, Any]] = []
        self.order = count()
        self._quotes = 0
        self._no_triple: set[str] = set()
        self.arrivals: dict[tuple[int, int], int] = {}
        self.stacks: dict[tuple[str, int], _Stack] = {}

    @property
    def exhausted(self) -> bool:
        return self.steps < 0

    @property
    def taken(self) -> int:
        """How much was looked at so far, in characters of plain reading."""
        return _MOST_STEPS + len(self.text) - self.steps + _A_QUOTE * self._quotes

    @property
    def least(self) -> int | None:
        """What the next reading costs at least; None where there is none."""
        return self.waiting[0][0] if self.waiting else None

    def readings(self, start: int) -> Iterator[Quoted]:
        """The readings of the document whose bracket stands at `start` and that ends where one may, cheapest first."""
        self._wait(0, (start, _VALUE, None, (0, None)))
        while self.waiting and not self.exhausted:
            _, _, way = heapq.heappop(self.waiting)
            if isinstance(way, _Text):
                self._end(way)
            elif (found := self._follow(*way)) is not None:
                end, (cost, events) = found
                if not goes_on(self.text, end):
                    yield _built(self.text, events, end, cost)

    def _wait(self, cost: int, way: Any) -> None:
        heapq.heappush(self.waiting, (cost, next(self.order), way))

    def _open(self, bracket: str, stack: _Stack | None) -> _Stack:
        """The stack with one bracket more; equal stacks are one object, so that it is seen which ways meet."""
        opened = self.stacks.get((bracket, id(stack)))
        if opened is None:
            opened = self.stacks[bracket, id(stack)] = _Stack(bracket, stack)
        return opened

    def _follow(self, at: int, want: int, stack: _Stack | None, way: _Way) -> tuple[int, _Way] | None:
        """Go on until the document is whole; None where the way ends, or where it waits behind cheaper ones."""
        text = self.text
        cost, events = way
        while True:
            self.steps -= 1
            at = _BLANK.match(text, at).end()  # type: ignore[union-attr]  # matches anything
            mark = text[at : at + 1]
            if want == _AFTER:
                assert stack is not None
                if mark == _CLOSES[stack.bracket]:
                    stack, events = stack.outer, (events, "")
                    at += 1
                    if stack is None:
                        return at, (cost, events)
                elif not mark:
                    events = (events, _OPEN)
                    return at, (cost, events)
                elif mark == ",":
                    at += 1
                    events = (events, ",")
                    want = _KEY_OR_END if stack.bracket == "{" else _VALUE_OR_END
                else:
                    return None
            elif want == _KEY_OR_END:
                if mark == "}":
                    want = _AFTER
                    continue
                key = _KEY.match(text, at)
                if key is None:
                    return None
                events = (events, key)
                at = _BLANK.match(text, key.end()).end() + 1  # type: ignore[union-attr]
                want = _VALUE
            elif want == _VALUE_OR_END and mark == "]":
                want = _AFTER
            elif mark and mark in "{[":
                stack, events = self._open(mark, stack), (events, mark)
                if stack.depth > self.depth:
                    return None
                at += 1
                want = _KEY_OR_END if mark == "{" else _VALUE_OR_END
            elif mark in CLOSERS:
                ended = self._text_at(at, stack, (cost, events))
                if ended is None:
                    return None
                at, cost, events = ended
                want = _AFTER
            else:
                word = _WORD.match(text, at)
                if word is None or _NO_WORD.search(word[0]):
                    return None
                events = (events, word)
                at = word.end()
                scalar = _WHOLE.fullmatch(word[0])
                if at == len(text) or not (scalar or _BLANK.match(text, at).end() < len(text)):  # type: ignore[union-attr]
                    return None  # it may go on
                want = _AFTER

    def _text_at(self, at: int, stack: _Stack | None, way: _Way) -> tuple[int, int, _Linked] | None:
        """Where the text that begins here may end first; None where this way goes on later, or not at all."""
        mark = self.text[at]
        if mark not in self._no_triple and self.text.startswith(mark * 3, at):
            if is_triple(self.text, at):
                self.waiting.clear()  # quotes of another language: this is no document of bare quotes
                return None
            self._no_triple.add(mark)  # none closes behind a later place either
        came = self.arrivals[at, id(stack)] = self.arrivals.get((at, id(stack)), 0) + 1
        return self._end(_Text(at, stack, way), follow=True) if came <= _MOST_ARRIVALS else None

    def _may_end(self, stack: _Stack, at: int) -> bool:
        """Whether the document may go on, or end, as it does behind a text."""
        text = self.text
        if not _BEHIND[stack.bracket].match(text, at):
            return False
        run = _CLOSING.match(text, at)
        if run is None:
            return True
        end = run.end()
        if sum(map(run[0].count, "}]")) < stack.depth:
            return end == len(text) or text.startswith(",", end)
        return not goes_on(text, end)

    def _end(self, held: _Text, *, follow: bool = False) -> tuple[int, int, _Linked] | None:
        """The next place where the text may end: gone on from at once (`follow`), or put among the ways that wait."""
        text, mark = self.text, self.text[held.start]
        assert held.stack is not None
        stop = STOP[mark]
        while found := stop.search(text, held.at):
            here = found.start()
            self.steps -= 1
            self._quotes += 1
            if found[0] == "\\":
                held.at = here + 2
                if (
                    here + 1 == len(text)
                    or text[here + 1] not in CLOSERS[mark]
                    or not self._may_end(held.stack, here + 2)
                ):
                    continue
                # The backslash may be the text's last character: "C:\".
                # At the end of the answer it may as well have been cut off behind an escaped quote.
                cut = _BLANK.match(text, here + 2).end() == len(text)  # type: ignore[union-attr]  # matches anything
                path = not cut and in_a_path(text[max(held.start + 1, here - _MOST_OF_A_PATH) : here])
                cost = held.ends(text, here) + (0 if path else _BACKSLASH)
                events: _Linked = (held.before[1], (held.start, here + 1, held.quotes))
                self._wait(cost, (here + 2, _AFTER, held.stack, (cost, events)))
                continue
            if found[0] not in CLOSERS[mark] or not self._may_end(held.stack, here + 1):
                held.passes(text, here)
                if self.steps < 0:
                    return None
                continue
            cost = held.ends(text, here)
            events = (held.before[1], (held.start, here, held.quotes))
            held.passes(text, here, end=True)
            self._wait(held.least, held)
            if follow and (cost == held.before[0] or not self.waiting or cost <= self.waiting[0][0]):
                return here + 1, cost, events
            self._wait(cost, (here + 1, _AFTER, held.stack, (cost, events)))
            return None
        return None


def _built(text: str, events: _Linked, end: int, cost: int) -> Quoted:
    """What was read on one way, as data."""
    steps: list[Any] = []
    while events is not None:
        events, step = events
        steps.append(step)
    builder = _Builder(text)
    for step in reversed(steps):
        builder.take(step)
    # A key that is no name is more likely a piece of a text; and where the answer ends with the quote of a text that
    # holds others, that may be one more of them.
    cut = builder.open and any(not text[last + 1 : end].strip() for _, last, _ in builder.texts[-1:])
    return Quoted(
        builder.root,
        end,
        tuple(builder.repairs),
        cost + builder.odd_keys + _LIKE_AN_END * cut,
        builder.doubtful,
        builder.open,
        tuple(builder.texts),
    )


class _Builder(Notes):
    """Puts the steps of a way together; `place` is that of the innermost container."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.root: Any = None
        self._open: list[Any] = []
        self._key: str | None = None
        self._comma = False
        self.odd_keys = 0
        self.open = False
        self.texts: list[tuple[int, int, bool]] = []

    def take(self, step: Any) -> None:
        if step == ",":
            self._comma = True
            return
        comma, self._comma = self._comma, False
        if step == _OPEN:
            self.open = True
            self.place.clear()
            self.note("json.bracket", "closing brackets were missing at the end")
        elif step == "":
            if comma:
                self.note("json.comma", "a comma before the closing bracket was left out")
            self._open.pop()
            if self._open:
                self.place.pop()
        elif self._open and isinstance(self._open[-1], dict) and self._key is None:
            self._key = self._name(step[0])
            self.odd_keys += not _LIKE_A_NAME.search(self._key)
        else:
            self._value(step)

    def _value(self, step: Any) -> None:
        inner = self._open[-1] if self._open else None
        if inner is not None:
            self.place.append(len(inner) if self._key is None else self._key)
        value: Any = {} if step == "{" else [] if step == "[" else None
        if value is None:
            value = self._text(step) if isinstance(step, tuple) else Bare(step[0])
        if inner is None:
            self.root = value
        elif self._key is None:
            inner.append(value)
        else:
            if self._key in inner:
                self.note("json.duplicate_key", "the key stood twice; the last value counts", inner[self._key], value)
            inner[self._key] = value
            self._key = None
        if step in ("{", "["):
            self._open.append(value)
        elif inner is not None:
            self.place.pop()

    def _name(self, written: str) -> str:
        if written[0] not in CLOSERS:
            self.note("json.unquoted", "a key without quotes", before=written)
            return written
        return self._unquoted(written[0], written[1:-1])

    def _text(self, step: tuple[int, int, int]) -> str:
        start, end, inner = step
        if inner:
            self.note("json.inner_quote", "quotes inside a text were not escaped", after=inner)
            self.texts.append((start, end, bool(self._open) and self._key is None))
        return self._unquoted(self.text[start], self.text[start + 1 : end])

    def _unquoted(self, mark: str, content: str) -> str:
        if mark != '"':
            self.note("json.quotes", "other quotes stood around a text", before=mark, after='"')
        return unescaped(content, self)
