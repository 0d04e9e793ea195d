"""How much does `PromptInjection()` find, at the price of which false alarms? On the rows that report.

The threshold is the one that 1 % of the harmless prompts exceed among the rows that choose (training/injection.py).
Beside it a list of phrases, the length of the text, and a linear head on the encoder's embeddings of the whole text,
fitted to a sample of the same rows; each with a threshold of its own that is found in the same way.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import screening
from injection import HARMLESS, figures, split

from guards.checks import PromptInjection, score_many

__all__ = ["run"]

SAMPLE = 4000
PHRASES = (
    "ignore",
    "disregard",
    "forget",
    "instruction",
    "system prompt",
    "pretend",
    "jailbreak",
    "no restrictions",
    "do anything",
    "password",
    "your answer",
    "your response",
)


def listed(text):
    return sum(phrase in text.lower() for phrase in PHRASES)


def run(data: Path) -> None:
    training, choose, report = split(data, 1)
    texts = [row["text"] for row in choose + report]
    columns = {
        "PromptInjection()": [1 - score for score in score_many(PromptInjection(), texts)],
        "linear": screening.linear(random.Random(1).sample(training, SAMPLE), choose + report, 192),
        "phrases": [listed(text) for text in texts],
        "length": [len(text) for text in texts],
    }
    found = {}
    for name, scores in columns.items():
        harmless = [score for row, score in zip(choose, scores, strict=False) if row["src"] in HARMLESS]
        found[name] = figures(report, scores[len(choose) :], screening.limit_at(harmless, 0.01))
    print(f"{'Injection':<46}" + "".join(f"{name:>20}" for name in columns))
    for line in next(iter(found.values())):
        print(f"{line:<46}" + "".join(f"{figure[line]!s:>20}" for figure in found.values()))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
