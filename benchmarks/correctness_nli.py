"""How right is the embedded NLI model? Accuracy per source, on the rows that report (training/nli.py splits them).

Beside it the most frequent label, and a rule by the words that a hypothesis shares with its premise, whose two
thresholds are chosen on the rows that choose.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from nli import LABELS, split

from guards.checks import Entailment

__all__ = ["run"]


def overlap(row):
    """The share of the hypothesis' words that the premise has."""
    said, there = (set(re.findall(r"\w+", row[side].lower())) for side in ("hypothesis", "premise"))
    return len(said & there) / len(said) if said else 0.0


def by_overlap(choosing):
    """The rule: much shared is entailed, little is contradicted; the two thresholds that are right most often."""
    scored = [(overlap(row), row["label"]) for row in choosing]
    steps = [step / 20 for step in range(21)]

    def guess(share, low, high):
        return "entailment" if share >= high else "contradiction" if share < low else "neutral"

    low, high = max(
        ((low, high) for low in steps for high in steps if low <= high),
        key=lambda pair: sum(guess(share, *pair) == label for share, label in scored),
    )
    return lambda row: guess(overlap(row), low, high)


def run(data: Path) -> None:
    _, choosing, reporting = split(data)
    print(f"{'NLI, accuracy':<16}{'rows':>6}{'embedded':>10}{'overlap':>9}{'majority':>10}")
    for source, rows in reporting.items():
        said = Entailment().probabilities([(row["premise"], row["hypothesis"]) for row in rows]).argmax(1)
        rule = by_overlap(choosing[source])
        right = sum(LABELS[label] == row["label"] for label, row in zip(said, rows, strict=True))
        ruled = sum(rule(row) == row["label"] for row in rows)
        most = Counter(row["label"] for row in rows).most_common(1)[0][1]
        print(
            f"{source:<16}{len(rows):>6}"
            + "".join(f"{n / len(rows):>{w}.3f}" for n, w in ((right, 10), (ruled, 9), (most, 10)))
        )


if __name__ == "__main__":
    run(Path(sys.argv[1]))
