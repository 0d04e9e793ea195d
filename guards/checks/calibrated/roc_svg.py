"""A ROC curve as an SVG picture, readable on light and on dark ground, with no library to draw it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from guards.checks.calibrated.roc import Estimate

__all__ = ["drawn"]

_SIDE: Final = 300
_LEFT: Final = 56
_TOP: Final = 40
_STYLE: Final = (
    ":root{color:#1f2328;--curve:#0969da;--mark:#cf222e;--grid:#d0d7de}"
    "@media(prefers-color-scheme:dark){:root{color:#e6edf3;--curve:#58a6ff;--mark:#ff7b72;--grid:#30363d}}"
    "text{font:12px system-ui,sans-serif;fill:currentColor}.title{font-size:14px;font-weight:600}"
    ".grid{stroke:var(--grid)}.chance{stroke:var(--grid);stroke-dasharray:4 4}"
    ".curve{fill:none;stroke:var(--curve);stroke-width:2}"
    ".mark{stroke:var(--mark);stroke-width:1.5}.dot{fill:var(--mark)}"
)


def drawn(title: str, threshold: float, fpr: Estimate, recall: Estimate, curve: Sequence[tuple[float, float]]) -> str:
    """The picture. `curve` is pairs of (false-positive rate, recall), each from 0 to 1, in their order."""
    width, height = _LEFT + _SIDE + 24, _TOP + _SIDE + 72
    said = (
        f"threshold {threshold:.3f}: {recall.value:.1%} of the unacceptable, {fpr.value:.1%} of the acceptable refused"
    )
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
            f' role="img"><title>{escape(title)}</title><desc>{escape(said)}</desc><style>{_STYLE}</style>',
            _text(_LEFT, 22, title, "start", "title"),
            *_grid(),
            _line("chance", (0, 0), (1, 1)),
            f'<path class="curve" d="M{" L".join(_at(point) for point in curve)}"/>',
            _line("mark", (fpr.low, recall.value), (fpr.high, recall.value)),
            _line("mark", (fpr.value, recall.low), (fpr.value, recall.high)),
            f'<circle class="dot" cx="{_x(fpr.value)}" cy="{_y(recall.value)}" r="4"/>',
            _text(_LEFT + _SIDE // 2, _TOP + _SIDE + 34, "acceptable rows that are refused"),
            f'<g transform="rotate(-90 14 {_TOP + _SIDE // 2})">',
            _text(14, _TOP + _SIDE // 2, "unacceptable rows that are refused"),
            "</g>",
            _text(_LEFT, _TOP + _SIDE + 58, said, "start"),
            "</svg>\n",
        ]
    )


def _grid() -> Iterable[str]:
    for percent in (0, 25, 50, 75, 100):
        share = percent / 100
        yield _line("grid", (share, 0), (share, 1))
        yield _line("grid", (0, share), (1, share))
        yield _text(_x(share), _TOP + _SIDE + 16, f"{percent} %")
        yield _text(_LEFT - 6, _y(share) + 4, f"{percent} %", "end")


def _line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{_x(x1)}" y1="{_y(y1)}" x2="{_x(x2)}" y2="{_y(y2)}"/>'


def _text(x: float, y: float, said: str, anchor: str = "middle", kind: str = "label") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(said)}</text>'


def _at(point: tuple[float, float]) -> str:
    return f"{_x(point[0])} {_y(point[1])}"


def _x(share: float) -> float:
    return round(_LEFT + share * _SIDE, 1)


def _y(share: float) -> float:
    return round(_TOP + (1 - share) * _SIDE, 1)
