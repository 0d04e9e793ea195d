"""How text of a model or a document is put on a terminal: made harmless first, then drawn."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["harmless", "open_console", "pretty", "quoted", "short", "table"]

# What a terminal would act on or hide: C0 and C1 controls but tab and line feed, the marks that turn the direction of
# text round (a finding could be made to read as its opposite), invisible and tag characters, line separators, and lone
# surrogates, which no encoding can print. The two joiners (U+200C, U+200D) stay: Persian and emoji need them.
_ACTIVE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def harmless(text: str) -> str:
    r"""The text with everything that a terminal would act on written as an escape (`\x1b`, `\u202e`)."""
    return _ACTIVE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def quoted(text: str, style: str = "") -> Text:
    """Text that came from outside, ready to be drawn: harmless, and never read as markup."""
    from rich.text import Text

    return Text(harmless(text), style=style)


def short(value: Any, most: int = 80) -> str:
    """A value in one line of at most `most` characters."""
    text = value if isinstance(value, str) else pretty(value, indent=None)
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def pretty(value: Any, indent: int | None = 2) -> str:
    """A delivered value as a person reads it: text as it is, all else as JSON."""
    from guards.records import plain

    if isinstance(value, str):
        return value
    return json.dumps(plain(value), indent=indent, ensure_ascii=False)


def open_console() -> Console:
    """A console on the present standard output. Colour only on a terminal, and not where NO_COLOR is set."""
    from rich.console import Console

    return Console(highlight=False, emoji=False, markup=False)


def table(*columns: str) -> Any:
    """An empty table whose cells wrap instead of being cut."""
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, expand=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    return drawn


def rows(drawn: Any, cells: Iterable[tuple[str, ...]]) -> Any:
    """The table with these rows, each cell quoted."""
    for row in cells:
        drawn.add_row(*(quoted(cell) for cell in row))
    return drawn
