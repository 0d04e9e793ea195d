"""How well do the cosines of `Similarity` agree with people? Spearman and AUROC per source, beside trivial baselines.

The encoder was trained by its authors on pairs of many kinds; nothing here was chosen on these rows.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from encoder import rows

from guards.checks import Similarity
from guards.checks.calibrated.roc import area, points

__all__ = ["run"]


def overlap(one, other):
    """The share of all words of two texts that stand in both."""
    one, other = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(one & other) / max(1, len(one | other))


def ranks(numbers):
    """From 0 up; equal numbers share the mean of their ranks."""
    _, place, count = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count + 1) / 2)[place]


def spearman(scores, wanted):
    return float(np.corrcoef(ranks(scores), ranks(wanted))[0, 1])


def auroc(scores, wanted):
    labels = [bool(label) for label in wanted]
    return area(points(list(scores), labels), sum(labels), len(labels) - sum(labels)).value


def run(data: Path) -> None:
    print(f"{'similarity':<24}{'pairs':>6}{'measure':>11}{'cosine':>9}{'overlap':>9}{'length':>9}")
    for name, measure in (("stsb_dev", spearman), ("sick_r_dev", spearman), ("mrpc_dev", auroc), ("qqp_dev", auroc)):
        given = rows(data / "similarity" / f"{name}.jsonl.gz")
        pairs = [(row["sentence1"], row["sentence2"]) for row in given]
        wanted = [row["score" if measure is spearman else "label"] for row in given]
        columns = [
            Similarity().scores(pairs),
            [overlap(*pair) for pair in pairs],
            [-abs(len(one) - len(other)) for one, other in pairs],
        ]
        figures = "".join(f"{measure(scores, wanted):>9.3f}" for scores in columns)
        print(f"{name:<24}{len(pairs):>6}{measure.__name__:>11}{figures}", flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
