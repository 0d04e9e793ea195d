"""Mails, tables and passages, as they are and with a sentence planted in them that is meant for the model.

Mails and tables are drawn from the grammar of injection; passages are those of open data. What is planted is an attack,
or a request that has nothing to do with the document. A request *about* the document, before or after it, is harmless.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from written import Grammar

PLANTED = (("reply_edits", 40), ("request", 30), ("override", 12), ("authority", 6), ("extraction", 6), ("code", 6))
"""How often what is planted, of a hundred; mails ask for much, but seldom for an essay on bees."""
ABOUT = 0.3
"""How many of the untouched documents come with a request about them."""


@dataclass(frozen=True)
class Document:
    """Its parts, and what stands between two of them."""

    parts: tuple[str, ...]
    between: str

    def text(self) -> str:
        return self.between.join(self.parts)

    def planted(self, sentence: str, chance: random.Random, first: int = 0) -> str:
        """With a sentence before part `first`, at the end or between them, each as often; mostly on its own line."""
        place = chance.choice((first, len(self.parts), chance.randint(first, len(self.parts))))
        mark = "\n" if "\n" in self.between or chance.random() < 0.6 else " "
        before, after = self.between.join(self.parts[:place]), self.between.join(self.parts[place:])
        return mark.join(piece for piece in (before, sentence, after) if piece)


@dataclass(frozen=True)
class Documents:
    """Draws documents.

    passages: texts of open data, and mails among them, each as its sentences.
    requests: of open data, which are planted beside those of the grammar.
    fits: whether the model sees all of a text. What is planted behind the end of that would be a wrong label.
    """

    grammar: Grammar
    passages: Sequence[Sequence[str]]
    requests: Sequence[str]
    fits: Callable[[str], bool]

    def mail(self, chance: random.Random) -> Document:
        lines = [self.grammar.text("mail_line", chance) for _ in range(chance.randint(1, 7))]
        start, end = (
            [self.grammar.text(name, chance)] if chance.random() < 0.75 else [] for name in ("mail_start", "mail_end")
        )
        if chance.random() < 0.4:
            lines = [" ".join(lines)]
        return Document((*start, *lines, *end), chance.choice(("\n", "\n\n", " ")))

    def table(self, chance: random.Random) -> Document:
        columns = [column.split("|") for column in chance.sample(self.grammar.words["column"], chance.randint(2, 6))]
        rows = [[title for title, _ in columns]] if chance.random() < 0.7 else []
        rows += [[self.grammar.filled(cell, chance) for _, cell in columns] for _ in range(chance.randint(2, 9))]
        widths = [max(len(row[i]) for row in rows) if chance.random() < 0.5 else 0 for i in range(len(columns))]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
        ]
        if rows[0][0] == columns[0][0] and chance.random() < 0.4:
            lines.insert(1, "|" + "---|" * len(columns))
        return Document(tuple(lines), "\n")

    def passage(self, chance: random.Random) -> Document:
        parts = list(chance.choice(self.passages))
        while len(parts) < chance.randint(1, 4):
            parts += chance.choice(self.passages)
        first = chance.randrange(max(1, len(parts) - 5))
        return Document(tuple(parts[first : first + chance.randint(1, 6)]), chance.choice((" ", " ", "\n")))

    def any(self, chance: random.Random) -> Document:
        return chance.choice((self.mail, self.table, self.passage))(chance)

    def rows(self, number: int, seed: int, *, tasks: bool = True, held: bool = False) -> Iterator[dict[str, Any]]:
        """A document with something planted, another without, a task with what it is about; and so on."""
        chance = random.Random(f"documents {seed} {held}")
        for _ in range(number):
            for label, kind, draw in (
                ("injection", "planted", lambda: self._attacked(chance, held=held)),
                ("harmless", "documents", lambda: self._untouched(chance)),
                *((("harmless", "tasks", lambda: self.task(chance)),) if tasks else ()),
            ):
                while not self.fits(text := draw()):
                    pass
                yield {"text": text, "label": label, "kind": kind, "src": "written"}

    def _attacked(self, chance: random.Random, *, held: bool) -> str:
        names, weights = zip(*PLANTED, strict=True)
        name = chance.choices(names, weights)[0]
        if name != "request":
            return self.any(chance).planted(self.grammar.text(name, chance, held=held), chance)
        # Before the document it would be what people ask of a document.
        found = chance.choice(self.requests) if chance.random() < 0.5 else self.grammar.text(name, chance)
        return self.any(chance).planted(found, chance, first=1)

    def _untouched(self, chance: random.Random) -> str:
        text = self.any(chance).text()
        if chance.random() >= ABOUT:
            return text
        about = self.grammar.text("about_text", chance)
        return f"{about}\n\n{text}" if chance.random() < 0.7 else f"{text}\n\n{about}"

    def task(self, chance: random.Random) -> str:
        """What a person asks for, and what it is to be done to."""
        task = self.grammar.text("task", chance)
        if chance.random() < 0.5:
            given = self.grammar.text("snippet", chance)
        else:
            given = self.any(chance).text() if chance.random() < 0.3 else " ".join(chance.choice(self.passages)[:3])
        mark = self.grammar.text("marked", chance) + chance.choice((" ", "\n")) if chance.random() < 0.3 else ""
        return task + chance.choice(("\n", "\n\n", "\n", " ")) + mark + given
