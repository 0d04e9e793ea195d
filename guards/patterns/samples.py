r"""Texts that a regular expression (ECMA-262) is likely to match, likeliest first: for examples, never for checking.

The expression is parsed into a small tree and written out. What a single character may be (`[^\s"]`, `\p{Lu}`) is not
parsed but asked of `EcmaPattern`, character by character. Assertions are written as nothing or, in a later try, as
what they look for; whoever takes a sample must look whether it matches.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, TypeAlias

from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern

__all__ = ["samples"]


def samples(source: str, shortest: int = 0, longest: int | None = None, tries: int = 60) -> Iterator[str]:
    """Texts within the lengths that may match; none for what cannot be parsed. Always the same for the same source."""
    try:
        write = _Parser(source).run()
    except (_Unparsable, RecursionError):
        return
    most = _MOST if longest is None else longest
    for attempt in range(tries):
        try:
            text = write(_Pen(attempt, shortest))
        except _Impossible:
            continue
        except _TooLong:
            return  # later tries are longer still
        padded = () if attempt < 4 else (text.ljust(shortest, "a"), text.rjust(shortest, "a"))
        for shown in (text, *padded):
            if shortest <= len(shown) <= most:
                yield shown


class _Unparsable(Exception):  # never leaves this file
    pass


class _Impossible(Exception):  # never leaves this file
    pass


class _TooLong(Exception):  # never leaves this file
    pass


class _Pen:
    """How one try decides: the first two plainly, the later ones by a seeded draw, with ever longer repeats."""

    def __init__(self, attempt: int, shortest: int) -> None:
        self.plain = attempt < 4
        # What a lookahead asks for is written out in every other try: `(?=.*[A-Z])(?=.*\d).{8,}` is met that way.
        self.looks = attempt % 2 == 1
        self.draw = random.Random(attempt)  # noqa: S311  # nothing secret: the same sample every time
        self.stretch = (1, 1, shortest, shortest)[attempt] if self.plain else shortest + attempt // 4
        self.picked: dict[str, int] = {}
        self.work = 0
        self.groups: dict[str, str] = {}

    def pick(self, characters: str) -> str:
        if not characters:
            raise _Impossible
        if not self.plain:
            return self.draw.choice(characters)
        at = self.picked.get(characters, 0)
        self.picked[characters] = at + 1
        return characters[at % len(characters)]

    def times(self, low: int, high: int | None) -> int:
        most = max(low, self.stretch) if high is None else min(high, max(low, self.stretch))
        count = most if self.plain else self.draw.randint(low, most)
        self.work += count
        if self.work > _MOST:  # repeats inside repeats multiply
            raise _TooLong
        return count


_Writer: TypeAlias = Callable[[_Pen], str]
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{(\d+)(,)?(\d+)?\})\??")
_GROUP: Final = re.compile(r"\((\?:|\?=|\?!|\?<=|\?<!|\?P?<(\w+)>|(?!\?))")
_ESCAPE: Final = re.compile(
    r"\\(?:u\{[0-9A-Fa-f]+\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\}|k<\w+>|[1-9]\d*|.)", re.DOTALL
)
_CLASS: Final = re.compile(r"\[(?:\\.|[^\]\\])*\]", re.DOTALL)
_POOL: Final = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890"
    " -_./:,;+*=@#$%&!?~^|'\"`()[]{}<>\\\t\n\réßñøćжאع中あ한€½²√☃😀\u00a0\u200b"
)
_CODE: Final = re.compile(r"\\u\{([0-9A-Fa-f]+)\}|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.opened = 0

    def run(self) -> _Writer:
        write = self.alternatives()
        if self.at < len(self.source):
            raise _Unparsable
        return write

    def alternatives(self) -> _Writer:
        branches = [self.sequence()]
        while self.source[self.at : self.at + 1] == "|":
            self.at += 1
            branches.append(self.sequence())
        if len(branches) == 1:
            return branches[0]
        return lambda pen: branches[0 if pen.plain else pen.draw.randrange(len(branches))](pen)

    def sequence(self) -> _Writer:
        parts: list[_Writer] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            part = self.atom()
            found = _QUANTIFIER.match(self.source, self.at)
            if found:
                self.at = found.end()
                part = _repeated(part, *_bounds(found))
            parts.append(part)
        return lambda pen: "".join([part(pen) for part in parts])

    def atom(self) -> _Writer:
        char = self.source[self.at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.one_of(_CLASS)
        if char == "\\":
            return self.escaped()
        self.at += 1
        if char in "^$":
            return _nothing
        if char == ".":
            return _picking(".")
        return lambda _: char

    def group(self) -> _Writer:
        found = _GROUP.match(self.source, self.at)
        if found is None:
            raise _Unparsable
        self.at = found.end()
        kind, name = found[1], found[2]
        names = [name] if name else []
        if not kind or name:
            self.opened += 1
            names.append(str(self.opened))
        inner = self.alternatives()
        if self.source[self.at : self.at + 1] != ")":
            raise _Unparsable
        self.at += 1
        if kind in ("?!", "?<!", "?<="):
            return _nothing
        if kind == "?=":
            return lambda pen: inner(pen) if pen.looks else ""
        return _remembered(inner, names) if names else inner

    def escaped(self) -> _Writer:
        found = _ESCAPE.match(self.source, self.at)
        if found is None:
            raise _Unparsable
        text = found[0]
        if text in ("\\b", "\\B"):
            self.at = found.end()
            return _nothing
        if text[1] == "k" or (text[1:].isdigit() and text != "\\0"):
            self.at = found.end()
            group = text[3:-1] if text[1] == "k" else text[1:]
            return lambda pen: pen.groups.get(group, "")
        return self.one_of(_ESCAPE)

    def one_of(self, shape: re.Pattern[str]) -> _Writer:
        found = shape.match(self.source, self.at)
        if found is None:
            raise _Unparsable
        self.at = found.end()
        return _picking(found[0])


def _nothing(_: _Pen) -> str:
    return ""


def _picking(source: str) -> _Writer:
    characters = _matching(source)
    return lambda pen: pen.pick(characters)


def _remembered(inner: _Writer, names: list[str]) -> _Writer:
    def write(pen: _Pen) -> str:
        text = inner(pen)
        pen.groups.update(dict.fromkeys(names, text))
        return text

    return write


def _repeated(part: _Writer, low: int, high: int | None) -> _Writer:
    return lambda pen: "".join([part(pen) for _ in range(pen.times(low, high))])


def _bounds(found: re.Match[str]) -> tuple[int, int | None]:
    if found[1] is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0][0]]
    low = int(found[1])
    if low > _MOST:
        raise _Unparsable
    if found[2] is None:
        return low, low
    return low, int(found[3]) if found[3] else None


_MOST: Final = 20_000


@lru_cache(maxsize=512)
def _matching(source: str) -> str:
    """The characters of a pool, letters and digits first, that a part which stands for one character matches."""
    try:
        part = EcmaPattern(source)
        codes = [int(next(filter(None, found)), 16) for found in _CODE.findall(source)]
        named = "".join(chr(code) for code in codes if code < 0x110000)
        pool = dict.fromkeys(_POOL + named + source)
        return "".join(char for char in pool if part.fullmatch(char))
    except (ConfigError, TimeoutError):
        raise _Unparsable from None
