"""`python docs/picture.py` draws docs/demo.svg: what `guards demo` shows of its last case, as a picture for the README.

It needs the embedded models. A test compares the text of the picture with what the demo says today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from guards.cli.cases import cases
from guards.cli.demo import show
from guards.cli.screen import Screen, Words, quoted

PICTURE = Path(__file__).with_name("demo.svg")

COLUMNS, WIDTH, PADDING = 80, 900, 36
SIZE, LINE = 17, 22
"""Of the letters and from line to line, in pixels; most monospaced letters are 0.6 of their size wide."""

STYLE = f"""\
text {{ font: {SIZE}px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #e6edf3 }}
.bold {{ font-weight: bold }}
.dim {{ fill: #9198a1 }}
.cyan {{ fill: #76e3ea }}
.green {{ fill: #56d364 }}
.magenta {{ fill: #d2a8ff }}
.red {{ fill: #ff7b72 }}
.yellow {{ fill: #e3b341 }}"""


class Sheet(Screen):
    """A screen that keeps its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.width = COLUMNS
        self.lines: list[Words] = []

    def print(self, words: Words | None = None) -> None:
        self.lines += (words or quoted("")).wrapped(COLUMNS)


def shown() -> list[Words]:
    """The lines of the demo's last case."""
    *_, (number, case) = enumerate(cases(), start=1)
    sheet = Sheet()
    if not show(sheet, number, case):
        raise SystemExit("the last case of the demo was refused")
    return sheet.lines[1:]  # without the blank line above its title


def drawn(lines: Sequence[Words]) -> str:
    """Lines of text on a dark card, which a light page and a dark one both set off."""
    height = len(lines) * LINE + 2 * PADDING
    box = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">',
            "<title>guards demo: an answer that keeps to its documents</title>",
            f"<style>\n{STYLE}\n</style>",
            f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2}" rx="12" fill="#161b22" stroke="#3d444d"/>',
            *_rows(lines),
            "</svg>\n",
        ]
    )


def _rows(lines: Sequence[Words]) -> Iterator[str]:
    for number, line in enumerate(lines):
        pieces = "".join(_piece(text, style) for text, style in line.pieces)
        y = PADDING + number * LINE + SIZE
        yield f'<text x="{PADDING + 6}" y="{y}" xml:space="preserve">{pieces}</text>'


def _piece(text: str, style: str) -> str:
    return f'<tspan class="{style}">{escape(text)}</tspan>' if style else escape(text)


if __name__ == "__main__":
    PICTURE.write_text(drawn(shown()), encoding="utf-8")
