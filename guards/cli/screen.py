"""How text of a model or a document is put on a terminal: made harmless first, then wrapped and drawn."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

__all__ = ["Screen", "Words", "harmless", "pretty", "quoted", "short"]

# What a terminal would act on or hide: C0 and C1 controls but tab and line feed, the marks that turn the direction of
# text round (a finding could be made to read as its opposite), invisible and tag characters, line separators, and lone
# surrogates, which no encoding can print. The two joiners (U+200C, U+200D) stay: Persian and emoji need them.
_ACTIVE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_WIDEST: Final = 80  # lines of prose are not easier to read for being longer
_GAP: Final = "  "


def harmless(text: str) -> str:
    r"""The text with everything that a terminal would act on written as an escape (`\x1b`, `\u202e`)."""
    return _ACTIVE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class Words:
    """Harmless text in pieces, each with a style: words of "bold", "dim" and colours."""

    __slots__ = ("pieces",)

    def __init__(self, pieces: Sequence[tuple[str, str]]) -> None:
        self.pieces = tuple(pieces)

    def __add__(self, other: Words) -> Words:
        return Words(self.pieces + other.pieces)

    @property
    def plain(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def styled(self) -> str:
        """With the terminal's escapes for the styles."""
        return "".join(_styled(text, style) for text, style in self.pieces)

    def wrapped(self, room: int) -> list[Words]:
        """Lines of at most `room` characters, broken at blanks where there are any."""
        plain = self.plain.expandtabs(4) if "\t" in self.plain else self.plain
        source = self if plain == self.plain else quoted(plain)
        lines: list[Words] = []
        start = 0
        for line in plain.split("\n"):
            end = start + len(line)
            while end - start > room:
                at = plain.rfind(" ", start + 1, start + room + 1)
                at = start + room if at < 0 else at
                lines.append(source.cut(start, at))
                start = at + plain.startswith(" ", at)
            lines.append(source.cut(start, end))
            start = end + 1
        return lines

    def cut(self, start: int, end: int) -> Words:
        """The characters from `start` to before `end`."""
        pieces, at = [], 0
        for text, style in self.pieces:
            inside = text[max(start - at, 0) : max(end - at, 0)]
            if inside:
                pieces.append((inside, style))
            at += len(text)
        return Words(pieces)


def _styled(text: str, style: str) -> str:
    names = style.split()
    colour = next((name for name in names if name not in ("bold", "dim")), None)
    return click.style(text, fg=colour, bold="bold" in names or None, dim="dim" in names or None) if names else text


def quoted(text: str, style: str = "") -> Words:
    """Text that came from outside, ready to be drawn."""
    return Words([(harmless(text), style)])


def short(value: Any, most: int = 80) -> str:
    """A value in one line of at most `most` characters."""
    text = value if isinstance(value, str) else pretty(value, indent=None)
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def pretty(value: Any, indent: int | None = 2) -> str:
    """A delivered value as a person reads it: text as it is, all else as JSON."""
    from guards.values.plain import plain

    if isinstance(value, str):
        return value
    return json.dumps(plain(value), indent=indent, ensure_ascii=False)


class Screen:
    """The standard output, at most 80 characters wide. Colour only on a terminal, and not where NO_COLOR is set."""

    def __init__(self) -> None:
        self.width = min(shutil.get_terminal_size().columns, _WIDEST)
        wanted = sys.stdout.isatty() or bool(os.environ.get("FORCE_COLOR"))
        self._colour = wanted and not os.environ.get("NO_COLOR")

    def print(self, words: Words | None = None) -> None:
        """One piece of text, as it is."""
        words = words or quoted("")
        # Not by click.echo: where the terminal knows ASCII only, that would write UTF-8 all the same.
        print(words.styled() if self._colour else words.plain)

    def row(self, label: str, texts: Iterable[Words], indent: int) -> None:
        """Texts under each other behind a label, wrapped."""
        head = label
        for text in texts:
            for line in text.wrapped(max(self.width - indent, 20)):
                if line.plain.strip() or head:
                    self.print(quoted(f"  {head}".ljust(indent if line.plain.strip() else 0), "cyan") + line)
                else:
                    self.print()
                head = ""

    def rule(self, title: str) -> None:
        """A heading across the screen."""
        self.print(quoted(f" {title} ".ljust(self.width, "─"), "bold"))

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table whose cells wrap instead of being cut."""
        cells = [[quoted(cell) for cell in row] for row in rows]
        widths = self._widths([[column, *(row[n].plain for row in cells)] for n, column in enumerate(columns)])
        self._line([quoted(column, "bold") for column in columns], widths)
        self.print(quoted(_GAP.join("─" * width for width in widths), "dim"))
        for row in cells:
            wrapped = [cell.wrapped(width) for cell, width in zip(row, widths, strict=True)]
            for number in range(max(map(len, wrapped))):
                self._line([lines[number] if number < len(lines) else quoted("") for lines in wrapped], widths)

    def _widths(self, columns: Sequence[Sequence[str]]) -> list[int]:
        """Each column as wide as its widest cell; the widest give way until the row fits.

        First those that can without a word being broken (a code or a path is to be found by searching), then any.
        """
        widths = [max(map(len, cells)) for cells in columns]
        longest = [max((len(word) for cell in cells for word in cell.split()), default=0) for cells in columns]
        room = max(self.width - len(_GAP) * (len(widths) - 1), 4 * len(widths))
        while sum(widths) > room:
            willing = [n for n, width in enumerate(widths) if width > longest[n]] or range(len(widths))
            widths[max(willing, key=widths.__getitem__)] -= 1
        return widths

    def _line(self, cells: Sequence[Words], widths: Sequence[int]) -> None:
        line = quoted("")
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True)):
            last = number == len(cells) - 1 or not any(c.plain for c in cells[number + 1 :])
            line = line + cell + quoted("" if last else " " * (width - len(cell.plain)) + _GAP)
        self.print(line)
