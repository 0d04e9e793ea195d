"""How well does `Toxicity()` tell toxic texts? AUROC per source, on the rows that report (training/toxicity.py).

Beside it the length of the text, the number of words that the grammar of the written sentences lists as insults or
oaths, and a linear head on the encoder's embeddings as they are, fitted to a sample of the same rows.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

import screening
from toxicity import MEAN_OF, SENTENCES, split
from written import grammar

from guards.checks import Toxicity, score_many

__all__ = ["run"]

SAMPLE = 4000


def run(data: Path) -> None:
    training, _, report = split(data, 1)
    texts = [row["text"] for row in report]
    words = grammar(SENTENCES).words
    listed = {word for name in ("insult", "insultadj", "swear") for line in words[name] for word in line.split()}
    columns = {
        "Toxicity()": [1 - score for score in score_many(Toxicity(), texts)],
        "linear": screening.linear(random.Random(1).sample(training, SAMPLE), report, 128),
        "word list": [sum(word in listed for word in re.findall(r"\w+", text.lower())) for text in texts],
        "length": [len(text) for text in texts],
    }
    areas = {name: screening.areas(report, scores) for name, scores in columns.items()}
    for found in areas.values():
        found["mean of the public"] = sum(found[name] for name in MEAN_OF) / len(MEAN_OF)
    counts = screening.counted(report)
    print(f"{'Toxicity, AUROC':<22}{'toxic':>7}{'fine':>7}" + "".join(f"{name:>12}" for name in columns))
    for source in areas["length"]:
        fine, toxic = counts.get(source, ("", ""))
        print(f"{source:<22}{toxic:>7}{fine:>7}" + "".join(f"{found[source]:>12.3f}" for found in areas.values()))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
