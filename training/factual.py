"""The rows with a document and an answer that is supported or not, split by document before anything is chosen."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from encoder import part_of, rows

__all__ = ["INVERTED", "group", "halves", "mean_of_groups"]

INVERTED = "q2_"
"""Sources that have their labels the wrong way round: what repeats its document has 0, what contradicts it has 1."""

Rows = list[dict[str, Any]]


def halves(data: Path) -> tuple[Rows, Rows]:
    """The half that chooses, and the half that reports: no document is in both."""
    made: tuple[Rows, Rows] = ([], [])
    for name in ("factual_dev", "wice_dev"):
        for row in rows(data / "factual" / f"{name}.jsonl.gz"):
            supported = bool(int(row["label"])) != row["src"].startswith(INVERTED)
            made[part_of(row["document"], 2)].append({**row, "supported": supported})
    return made


def group(source: str) -> str:
    """The data set of a source: its domains count together."""
    return source.split("_", maxsplit=1)[0]


def mean_of_groups(figures: dict[str, float]) -> tuple[dict[str, float], float]:
    """Figures per source as one per data set, and the mean of those."""
    found: dict[str, list[float]] = defaultdict(list)
    for source, figure in figures.items():
        found[group(source)].append(figure)
    means = {name: sum(values) / len(values) for name, values in found.items()}
    return means, sum(means.values()) / len(means)
