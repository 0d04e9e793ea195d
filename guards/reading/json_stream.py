"""Reads a JSON document while it is still being written: fed piece by piece, it always knows what there is so far.

The state between two pieces is a stack of open containers and one unfinished token, so a piece costs its own length.
Only strict JSON is followed. Where the text turns out to be something else, `lost` is set and the picture stands still:
the reading of the whole text decides at the end (and may mend what this cannot).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Final, Protocol

from guards.reading.numbers import INFINITE, exact, fits_float

__all__ = ["Builder", "JsonStream", "Place"]

Place = tuple[str | int, ...]

_TOKEN: Final = re.compile(r"[ \t\r\n]*+(?:([{}\[\],:])|(\")|([^\s{}\[\],:\"]++)(?=([\s{}\[\],:\"])?)|\Z)")
_STRING: Final = re.compile(r'[^"\\]*+')
_BEFORE: Final = re.compile(r"[{\[]")
_THINKING: Final = re.compile(r"\s*<(think(?:ing)?)>", re.IGNORECASE)
_MAY_THINK: Final = "<thinking>"
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[^u])", re.DOTALL)
_HIGH: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_LITERALS: Final = {"true": True, "false": False, "null": None}
_LONGEST_SCALAR: Final = 400
_A_LEVEL: Final = 500
_FEW_LEVELS: Final = 12
_SCALAR: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")


class Builder(Protocol):
    """Makes the values that the stream gives: plain data, or instances of a type."""

    def closed(self, place: Place, value: Any, written: Any) -> Any:
        """A container or scalar that is whole: with its parts as they were made, and as the text has it."""
        ...

    def open(self, place: Place, value: Any) -> Any:
        """A container that is still open, with what it holds so far; a copy, free to be kept."""
        ...

    def grows(self, place: Place) -> bool:
        """Whether a text at this place may be shown before it is whole."""
        ...


class JsonStream:
    """`feed` takes the next piece and gives the places that closed by it; `value` is what there is."""

    def __init__(self, builder: Builder, depth: int) -> None:
        self.lost = False
        self.begun = False
        self.done = False
        self._builder = builder
        self._depth = depth
        self._stack: list[tuple[Any, bool, Any]] = []
        """Open containers, whether each is an object, and what the text has in it, outermost first."""
        self._place: list[str | int] = []
        self._key: str | None = None
        self._tail = ""
        """What cannot be read before more has come."""
        self._string: list[str] | None = None
        self._is_key = False
        self._wants = "value"
        self._whole: Any = None
        self._closed: list[tuple[Place, Any]] = []

    def feed(self, piece: str) -> list[tuple[Place, Any]]:
        """The values that closed, innermost first, each with its place; [] once `lost` or `done`."""
        if self.lost or self.done:
            return []
        self._closed = []
        text = self._tail + piece if self._tail else piece
        at = 0
        if not self.begun:
            at = self._start(text)
            if at < 0:
                return []
        self._tail = ""
        while at < len(text) and not (self.lost or self.done):
            at = self._in_string(text, at) if self._string is not None else self._token(text, at)
        return self._closed

    @property
    def place(self) -> Place:
        """Where the next character goes."""
        return tuple(self._place)

    @property
    def weight(self) -> int:
        """How much a copy of what there is so far costs, in characters of such an answer."""
        growing = self._string if self._string is not None and not self._is_key else ()
        members = sum([len(container) for container, _, _ in self._stack])
        # An instance is made for each level, which is dear, but few documents have many.
        return members + sum(map(len, growing)) // 64 + _A_LEVEL * max(0, len(self._stack) - _FEW_LEVELS)

    @property
    def value(self) -> Any:
        """What there is so far; closed parts are shared with what was given before. None before the first bracket."""
        if self.done:
            return self._whole
        grown: Any = None
        has_grown = False
        place = list(self._place)
        if self._string is not None and not self._is_key and self._builder.grows(tuple(place)):
            # Kept joined, so that a long text is not put together anew from all its pieces each time.
            self._string[:] = ["".join(self._string)]
            grown, has_grown = self._string[0], True
        # An object that is between two members has no key of its own in the place.
        between = bool(self._stack) and self._stack[-1][1] and self._wants in ("key", "key only", "comma")
        for container, is_object, _ in reversed(self._stack):
            copied = container.copy()
            key = None if between else place.pop()
            between = False
            if has_grown and is_object:
                copied[key] = grown
            elif has_grown:
                copied.append(grown)
            grown, has_grown = self._builder.open(tuple(place), copied), True
        return grown

    # Before the document.

    def _start(self, text: str) -> int:
        """Where the document begins; -1 while that cannot be told."""
        self._tail = text
        thought = _THINKING.match(text)
        at = 0
        if thought:
            end = re.compile(rf"</{thought[1]}>", re.IGNORECASE).search(text, thought.end())
            if end is None:
                # Nothing but its own end is looked for in a thinking part.
                self._tail = thought[0] + text[max(thought.end(), len(text) - len(_MAY_THINK)) :]
                return -1
            at = end.end()
        elif _MAY_THINK.startswith((begun := text.lstrip()).lower()):
            self._tail = begun
            return -1
        found = _BEFORE.search(text, at)
        if found is None:
            # Prose is not kept: only what may still be the beginning of a thinking part.
            self._tail = text if thought or len(text) < len(_MAY_THINK) + 8 else " ."
            return -1
        self.begun = True
        return found.start()

    # Tokens.

    def _token(self, text: str, at: int) -> int:
        found = _TOKEN.match(text, at)
        if found is None:
            self.lost = True
            return len(text)
        mark, quote, scalar, behind = found.groups()
        if mark:
            self._mark(mark)
        elif quote:
            self._begin_string()
        elif scalar:
            if behind is None:
                # It may go on in the next piece.
                self._tail = scalar
                self.lost = len(scalar) > _LONGEST_SCALAR
                return len(text)
            self._scalar(scalar)
        return found.end() if mark or quote or scalar else len(text)

    def _mark(self, mark: str) -> None:
        wants = self._wants
        if mark in "{[" and wants in ("value", "item"):
            if len(self._stack) >= self._depth:
                self.lost = True
                return
            self._stack.append(({}, True, {}) if mark == "{" else ([], False, []))
            self._wants = "key" if mark == "{" else "item"
            if mark == "[":
                self._place.append(0)
        elif mark == ":" and wants == "colon":
            self._wants = "value"
        elif mark == "," and wants == "comma":
            self._wants = "key only" if self._stack[-1][1] else "value"
        elif (mark == "}" and self._stack and self._stack[-1][1] and wants in ("key", "comma")) or (
            mark == "]" and self._stack and not self._stack[-1][1] and wants in ("item", "comma")
        ):
            self._close()
        else:
            self.lost = True

    def _begin_string(self) -> None:
        if self._wants not in ("value", "item", "key", "key only"):
            self.lost = True
            return
        self._is_key = self._wants in ("key", "key only")
        self._string = []

    def _in_string(self, text: str, at: int) -> int:
        assert self._string is not None
        found = _STRING.match(text, at)
        assert found is not None
        end = found.end()
        if end > at:
            self._string.append(text[at:end])
        if end == len(text):
            return end
        if text[end] == '"':
            self._end_string()
            return end + 1
        escape = _ESCAPE.match(text, end)
        # Half of a pair is kept until the other half has come.
        pair = escape and _HIGH.match(escape[0]) and len(text) < escape.end() + 6
        if escape is None or pair:
            if len(text) - end >= 12:
                self.lost = True
            self._tail = text[end:]
            return len(text)
        last = escape.end()
        if _HIGH.match(escape[0]) and (low := _ESCAPE.match(text, last)) and low[0].startswith("\\u"):
            last = low.end()
        try:
            self._string.append(json.loads(f'"{text[end:last]}"'))
        except ValueError:
            self.lost = True
        return last

    def _end_string(self) -> None:
        assert self._string is not None
        text = "".join(self._string)
        self._string = None
        if self._is_key:
            self._place.append(text)
            self._wants = "colon"
            return
        self._put(text, text)

    def _scalar(self, written: str) -> None:
        if self._wants not in ("value", "item") or not _SCALAR.fullmatch(written) or len(written) > _LONGEST_SCALAR:
            self.lost = True
            return
        try:
            value = _LITERALS[written] if written in _LITERALS else exact(written)
        except ValueError:
            value = INFINITE
        if isinstance(value, Decimal) and not fits_float(value):
            self.lost = True
            return
        self._put(value, value)

    def _put(self, value: Any, written: Any) -> None:
        """A value is whole."""
        place = tuple(self._place)
        made = self._builder.closed(place, value, written)
        self._closed.append((place, made))
        if not self._stack:
            self._whole, self.done = made, True
            return
        container, is_object, source = self._stack[-1]
        if is_object:
            key = self._place.pop()
            container[key], source[key] = made, written
        else:
            container.append(made)
            source.append(written)
            self._place[-1] = len(container)
        self._wants = "comma"

    def _close(self) -> None:
        container, is_object, source = self._stack.pop()
        if not is_object:
            self._place.pop()
        self._put(container, source)
