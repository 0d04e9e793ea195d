"""JSON that is written in another notation as a whole: escaped, doubled, quoted line by line, in full-width marks."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Final

__all__ = ["undisguised"]


def undisguised(text: str) -> tuple[str, str] | None:
    """The text in plain notation, and what it was written in; None where it is in plain notation already."""
    for way, what in _WAYS:
        plain = way(text)
        if plain is not None:
            return plain, what
    return None


_ENTITIES: Final = re.compile(r"[{\[]\s*&(?:quot|#34|#x22|apos|#39);")


def _html(text: str) -> str | None:
    return html.unescape(text) if _ENTITIES.search(text) else None


_ESCAPED: Final = re.compile(r"""[{\[](?:\\[nrt]|\s)*+\\++["{\[]""")


def _escaped(text: str) -> str | None:
    found = _ESCAPED.search(text)
    if found is None:
        return None
    start, end = found.start(), text.rfind("}" if text[found.start()] == "{" else "]") + 1
    try:
        plain: str = json.JSONDecoder(strict=False).decode(f'"{text[start:end]}"')
    except ValueError:
        return None
    before, after = text[:start], text[end:]
    if before.endswith('"') and after.startswith('"'):
        before, after = before[:-1], after[1:]
    return before + plain + after


_DOUBLED: Final = re.compile(r'[{\[]\s*+""\w[^"\n]*+""\s*+[:,\]]')


def _doubled(text: str) -> str | None:
    """As a cell of a CSV file has it: every quote twice."""
    if not _DOUBLED.search(text) or '"' in text.replace('""', "").strip().strip('"'):
        return None
    return text.replace('""', '"')


_WIDE: Final = {ord(mark) + 0xFEE0: mark for mark in '{}[]:,"'}
_MARKS: Final = "".join(map(chr, _WIDE))
_WIDE_START: Final = re.compile(rf"""[{_MARKS[0]}{_MARKS[2]}]\s*["“{_MARKS}]""")
_WIDE_PART: Final = re.compile(rf"""("(?:[^"\\\n]|\\.)*+"|“[^“”\n]*+”)|[{_MARKS}]""")


def _wide(text: str) -> str | None:
    """Its full-width marks outside of texts in quotes."""
    if not _WIDE_START.search(text):
        return None
    return _WIDE_PART.sub(lambda found: found[1] or found[0].translate(_WIDE), text)


_PREFIXES: Final = tuple(map(re.compile, (r"[ \t]*>[ \t]?", r"\+", r"[ \t]*(\d{1,9})[.:|)]?(?:[ \t]|$)")))
_OPENS: Final = re.compile(r"[ \t]*[{\[]")


def _prefixed(text: str) -> str | None:
    """Lines that are quoted (as in a mail), added (as in a diff) or numbered; all others stay as they are."""
    lines = text.splitlines()
    plain = lines
    for prefix in _PREFIXES:
        plain = _without(prefix, plain)
    return "\n".join(plain) if plain != lines else None


def _without(prefix: re.Pattern[str], lines: list[str]) -> list[str]:
    """The lines less their prefix in each run of two or more that a document begins in."""
    if not any(_OPENS.match(line, found.end()) for line in lines if (found := prefix.match(line)) is not None):
        return lines
    result: list[str] = []
    at = 0
    while at < len(lines):
        run: list[re.Match[str]] = []
        while at + len(run) < len(lines) and (found := prefix.match(lines[at + len(run)])) is not None:
            if run and prefix.groups and int(found[1]) != int(run[-1][1]) + 1:
                break
            run.append(found)
        bare = [found.string[found.end() :] for found in run]
        opened = len(run) > 1 and any(_OPENS.match(line) for line in bare)
        result += bare if opened else lines[at : at + max(1, len(run))]
        at += max(1, len(run))
    return result


_WAYS: Final[tuple[tuple[Callable[[str], str | None], str], ...]] = (
    (_html, "the document was escaped for HTML"),
    (_escaped, "the quotes of the document were escaped"),
    (_doubled, "the quotes of the document were doubled"),
    (_wide, "the brackets and marks were full-width"),
    (_prefixed, "the lines of the document were quoted or numbered"),
)
