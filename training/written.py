"""Texts of our own making for the classifiers: sentences that are drawn from a small grammar.

A grammar is a text file of sections. `[group]` names a list of words or phrases, one a line. `[toxic/threats 3]` is a
root: its lines make rows with the label "toxic", three times as many as those of a root without a number. In a line
`{group}` stands for a random line of that section, `{Group}` for the same with a capital first letter, and `{group#1}`
for the same one wherever it occurs in a row; `\\n` is a new line, and a line that begins with `#` is a remark.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from encoder import part_of

HELD = 12
"""One line in so many of each root makes no row to train on, but rows that tell how unseen wordings fare."""


@dataclass(frozen=True)
class Root:
    """A section whose lines make rows."""

    label: str
    kind: str
    weight: int
    lines: tuple[str, ...]

    def part(self, *, held: bool) -> list[str]:
        """The lines that make rows to train on, or those that are held back."""
        return [line for line in self.lines if (part_of(line, HELD) == 0) is held]


@dataclass(frozen=True)
class Grammar:
    """The sections of a file."""

    roots: dict[str, Root]
    words: dict[str, tuple[str, ...]]

    def rows(self, number: int, seed: int, *, held: bool = False) -> list[dict[str, Any]]:
        """Up to `number` different rows for a root of weight 1: text, label, kind (its root) and src ("written")."""
        found: dict[str, dict[str, Any]] = {}
        for root in self.roots.values():
            chance = random.Random(f"{seed} {root.label} {root.kind}")
            lines = root.part(held=held)
            for _ in range(number * root.weight if lines else 0):
                text = self.filled(chance.choice(lines), chance)
                found.setdefault(text, {"text": text, "label": root.label, "kind": root.kind, "src": "written"})
        return list(found.values())

    def text(self, name: str, chance: random.Random, *, held: bool = False) -> str:
        """A line of a section, filled, with a capital first letter."""
        lines = self.roots[name].part(held=held) if name in self.roots else self.words[name]
        return _capital(self.filled(chance.choice(lines), chance))

    def filled(self, line: str, chance: random.Random) -> str:
        kept: dict[str, str] = {}

        def word(match: re.Match[str]) -> str:
            name, number = match["name"], match["number"]
            key = f"{name.lower()}{number or ''}"
            if number is None or key not in kept:
                kept[key] = _SLOT.sub(word, chance.choice(self.words[name.lower()]))
            return _capital(kept[key]) if name[0].isupper() else kept[key]

        return _SLOT.sub(word, line).replace("\\n", "\n")


def grammar(path: Path) -> Grammar:
    """Raises ValueError for a line outside of a section, a slot that no section fills, and two roots of one kind."""
    sections: dict[str, list[str]] = {}
    section: list[str] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("# "):
            continue
        if heading := _TITLE.fullmatch(line):
            section = sections.setdefault(heading[1], [])
        elif section is None:
            raise ValueError(f"{path.name} line {number}: stands before the first [section]")
        else:
            section.append(line)
    roots: dict[str, Root] = {}
    words: dict[str, tuple[str, ...]] = {}
    for title, lines in sections.items():
        name, _, weight = title.partition(" ")
        label, slash, kind = name.partition("/")
        if slash:
            if kind in roots:
                raise ValueError(f"{path.name}: two roots are called {kind}")
            roots[kind] = Root(label, kind, int(weight or 1), tuple(lines))
        else:
            words[title] = tuple(lines)
    used = {match["name"].lower() for lines in sections.values() for line in lines for match in _SLOT.finditer(line)}
    if missing := used - set(words):
        raise ValueError(f"{path.name}: no section fills {', '.join(sorted(missing))}")
    return Grammar(roots, words)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_SLOT = re.compile(r"\{(?P<name>[A-Za-z_]+)(?:#(?P<number>\d))?\}")
_TITLE = re.compile(r"\[([a-z_]+(?:/[a-z_]+(?: \d+)?)?)\]")
