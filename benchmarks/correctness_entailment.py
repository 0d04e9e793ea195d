"""Does `Entailment` find unsupported answers? AUROC per source, on the documents that report (training/factual.py).

Beside it what needs no model of inference: the share of the answer's words that the document has, the shorter answer,
and the cosine of the whole texts. The domains of one data set are averaged first.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from factual import INVERTED, halves, mean_of_groups

from guards.checks import Entailment, Similarity, score_many
from guards.checks.calibrated.roc import area, points

__all__ = ["run"]


def overlap(row):
    said = re.findall(r"\w+", row["response"].lower())
    there = set(re.findall(r"\w+", row["document"].lower()))
    return sum(word in there for word in said) / max(1, len(said))


def areas(rows, scores):
    """AUROC for "supported", by source."""
    found = defaultdict(lambda: ([], []))
    for row, score in zip(rows, scores, strict=True):
        found[row["src"]][0].append(score)
        found[row["src"]][1].append(row["supported"])
    return {
        source: area(points(given, labels), sum(labels), len(labels) - sum(labels)).value
        for source, (given, labels) in found.items()
    }


def balanced(rows, scores):
    """Balanced accuracy at the guard's own threshold, by source."""
    right = defaultdict(lambda: ([], []))
    for row, score in zip(rows, scores, strict=True):
        right[row["src"]][row["supported"]].append((score >= Entailment().threshold) == row["supported"])
    return {source: sum(sum(half) / len(half) for half in halves_) / 2 for source, halves_ in right.items()}


def run(data: Path) -> None:
    rows = halves(data)[1]
    answers = [row["response"] for row in rows]
    scores = score_many(Entailment(), answers, [{"source": row["document"]} for row in rows], progress=True)
    closeness = Similarity().scores([(row["document"], row["response"]) for row in rows])
    columns = {
        "Entailment": areas(rows, scores),
        "overlap": areas(rows, [overlap(row) for row in rows]),
        "shorter": areas(rows, [-len(answer) for answer in answers]),
        "cosine": areas(rows, closeness),
        "at 0.5": balanced(rows, scores),
    }
    print(f"{'unsupported answers':<24}{'rows':>6}" + "".join(f"{name:>12}" for name in columns))
    for source in columns["Entailment"]:
        many = sum(row["src"] == source for row in rows)
        print(f"{source:<24}{many:>6}" + "".join(f"{figures[source]:>12.3f}" for figures in columns.values()))
    means = {name: mean_of_groups(figures) for name, figures in columns.items()}
    for name in means["Entailment"][0]:
        print(f"{'mean ' + name:<30}" + "".join(f"{groups[name]:>12.3f}" for groups, _ in means.values()))
    print(f"{'mean of the data sets':<30}" + "".join(f"{mean:>12.3f}" for _, mean in means.values()))
    print(f"AUROC; the last column is balanced accuracy at the default threshold. Labels of {INVERTED}* turned round.")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
