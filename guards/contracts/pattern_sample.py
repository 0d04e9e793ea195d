"""A text that a schema's pattern matches: for the examples in prompts, where the contract checks it anyway.

Reads the regular expressions of XML Schema (part 2, appendix F) as far as examples need them. What it does not
understand gives a text that does not match, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

__all__ = ["sample"]

_CLASSES: Final = {"d": "1", "w": "a", "s": " ", "i": "a", "c": "a", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t"}
_CATEGORIES: Final = {"L": "a", "Ll": "a", "Lu": "A", "N": "1", "Nd": "1", "P": ".", "Z": " ", "Zs": " "}
_TRIED: Final = "abcxyzABCXYZ0123456789_-. "
_MOST: Final = 10_000


def sample(pattern: str, choice: int = 0) -> str:
    """A text for a pattern; `choice` picks among alternatives and lengths."""
    return _Sampler(pattern, choice).whole()[:_MOST]


class _Sampler:
    def __init__(self, pattern: str, choice: int) -> None:
        self.pattern, self.choice, self.at = pattern, choice, 0

    def whole(self) -> str:
        found = self._alternatives()
        return found

    def _peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""

    def _take(self) -> str:
        found = self._peek()
        self.at += 1
        return found

    def _alternatives(self) -> str:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        return options[self.choice % len(options)]

    def _sequence(self) -> str:
        text = ""
        while self._peek() not in ("", "|", ")"):
            atom = self._atom()
            text += (atom * self._times())[:_MOST]
        return text

    def _atom(self) -> str:
        mark = self._take()
        if mark == "(":
            if self.pattern.startswith("?:", self.at):
                self.at += 2
            inner = self._alternatives()
            self.at += 1
            return inner
        if mark == "[":
            return self._class()
        if mark == "\\":
            return self._escape()
        if mark in "^$":
            return ""
        return "a" if mark == "." else mark

    def _escape(self) -> str:
        mark = self._take()
        if mark in ("p", "P"):
            end = self.pattern.find("}", self.at)
            name = self.pattern[self.at + 1 : end] if end > 0 else ""
            self.at = end + 1 if end > 0 else len(self.pattern)
            return _CATEGORIES.get(name, "a") if mark == "p" else "1" if name.startswith("L") else "a"
        return _CLASSES.get(mark, mark)

    def _class(self) -> str:
        negated = self._peek() == "^"
        self.at += negated
        tests: list[Callable[[str], bool]] = []
        first = ""
        while self._peek() not in ("", "]"):
            if self._peek() == "-" and self.pattern.startswith("-[", self.at):
                self.at += 2
                self._class()  # a subtraction; the contract will tell if the sample is in it
                continue
            low = self._escape() if self._take() == "\\" else self.pattern[self.at - 1]
            high = low
            if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", "[", ""):
                self.at += 1
                high = self._escape() if self._take() == "\\" else self.pattern[self.at - 1]
            first = first or low
            tests.append(lambda char, low=low, high=high: low <= char <= high)  # type: ignore[misc]
        self.at += 1
        if not negated:
            return first
        return next((char for char in _TRIED if not any(test(char) for test in tests)), "~")

    def _times(self) -> int:
        mark = self._peek()
        if mark in ("?", "*", "+"):
            self.at += 1
            return 1 if mark == "+" else self.choice % 2
        if mark != "{":
            return 1
        end = self.pattern.find("}", self.at)
        inside = self.pattern[self.at + 1 : end]
        self.at = end + 1 if end > 0 else len(self.pattern)
        low, _, high = inside.partition(",")
        least = int(low) if low.isdecimal() else 0
        return min(least if not high.isdecimal() or least else min(1, int(high)), _MOST)
