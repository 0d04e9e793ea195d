"""How often does `Topic` know the class, and what is of none? Per source, beside trivial baselines.

Accuracy on rows that no example was taken from: of banking77 and of AG News each fifth in its turn, told by a hash of
the text; CLINC150's own dev rows. Of these 100 are of none of its 150 classes.
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from correctness_similarity import auroc
from encoder import part_of, rows

from guards.checks.here import here
from guards.checks.learned.encoder import Encoder
from guards.checks.learned.linear_head import LinearHead

__all__ = ["run"]

ALL = 10**6


class Vectors(dict):
    """Of texts, each asked for once: a handle remembers fewer than these data have."""

    def of(self, texts: Iterable[str]):
        new = [text for text in dict.fromkeys(texts) if text not in self]
        self.update(zip(new, np.array(here(Encoder.of(None).vectors(new)), np.float32), strict=True))
        return np.array([self[text] for text in texts])


class Fitted:
    """What was learned from the first texts of each class: the head of a `Topic`, and the baselines."""

    def __init__(self, training, most, vectors) -> None:
        found = defaultdict(dict)
        for row in training:
            if len(found[row["intent"]]) < most:
                found[row["intent"]][row["text"]] = None
        self.names = sorted(found)
        texts = [(text, index) for index, name in enumerate(self.names) for text in found[name]]
        seen, of = vectors.of([text for text, _ in texts]), np.array([index for _, index in texts])
        self.head = LinearHead.of(seen, of)
        centres = np.array([seen[of == index].mean(axis=0) for index in range(len(self.names))])
        self.centres = centres / np.linalg.norm(centres, axis=1, keepdims=True)
        self.counts = [Counter(w for text in found[name] for w in words(text)) for name in self.names]
        known = len({word for count in self.counts for word in count})
        self.sizes = [sum(count.values()) + known for count in self.counts]

    def by_words(self, text):
        """Naive Bayes."""
        said = words(text)
        sums = [
            sum(math.log((count[word] + 1) / size) for word in said)
            for count, size in zip(self.counts, self.sizes, strict=True)
        ]
        return int(np.argmax(sums))


def words(text):
    return re.findall(r"\w+", text.lower())


def answers(fitted, tested, vectors):
    """Of each row, whether the head, the nearest centre, the words and the largest class are right; how far it is
    within the classes, and how near the nearest centre is."""
    of = np.array([fitted.names.index(row["intent"]) for row in tested])
    seen = vectors.of([row["text"] for row in tested])
    told = fitted.head.read(seen)
    near = seen @ fitted.centres.T
    return np.stack(
        [
            np.array([int(np.argmax(one.probabilities)) for one in told]) == of,
            near.argmax(axis=1) == of,
            np.array([fitted.by_words(row["text"]) for row in tested]) == of,
            of == Counter(of.tolist()).most_common(1)[0][0],
            np.array([one.within for one in told]),
            near.max(axis=1),
        ],
        axis=1,
    )


def line(label, answered):
    shares = [*answered[:, :4].mean(axis=0), np.mean(answered[:, 4] >= 0.5)]
    print(f"{label:<28}{len(answered):>6}" + "".join(f"{share:>9.3f}" for share in shares), flush=True)


def described(most):
    return "all" if most == ALL else f"{most} a class"


def run(data: Path) -> None:
    print(f"{'topics, accuracy':<28}{'rows':>6}{'Topic':>9}{'centroid':>9}{'words':>9}{'majority':>9}{'within':>9}")
    for name in ("banking77_train", "ag_news_train"):
        given, vectors = rows(data / "intent" / f"{name}.jsonl.gz"), Vectors()
        for most in (ALL, 10, 3):
            answered = []
            for fifth in range(5):
                training = [row for row in given if part_of(row["text"], 5) != fifth]
                tested = [row for row in given if part_of(row["text"], 5) == fifth]
                answered.append(answers(Fitted(training, most, vectors), tested, vectors))
            line(f"{name.removesuffix('_train')}, {described(most)}", np.concatenate(answered))
            told = " ".join(f"{float(one[:, 0].mean()):.3f}" for one in answered)
            print(f"  Topic, fifth by fifth: {told}", flush=True)
    clinc(data, (ALL, 10))


def clinc(data: Path, sizes: Iterable[int]) -> None:
    """In scope, and out of it."""
    training = [row for row in rows(data / "intent" / "clinc150_train.jsonl.gz") if not row["oos"]]
    tested, vectors = rows(data / "intent" / "clinc150_dev.jsonl.gz"), Vectors()
    inside, outside = ([row for row in tested if row["oos"] == oos] for oos in (False, True))
    lines = []
    for most in sizes:
        fitted = Fitted(training, most, vectors)
        answered = answers(fitted, inside, vectors)
        line(f"clinc150, {described(most)}", answered)
        right, within, near = answered[:, 0] > 0, answered[:, 4], answered[:, 5]
        beyond = vectors.of([row["text"] for row in outside])
        away = np.array([one.within for one in fitted.head.read(beyond)])
        labels = [True] * len(inside) + [False] * len(outside)
        figures = [
            auroc([*within, *away], labels),
            auroc([*near, *(beyond @ fitted.centres.T).max(axis=1)], labels),
            np.mean(away < 0.5),
            np.mean(right & (within >= 0.5)),
        ]
        lines.append(f"clinc150, {described(most):<18}{len(outside):>6}" + "".join(f"{f:>9.3f}" for f in figures))
    print(f"\n{'out of scope':<28}{'rows':>6}{'AUROC':>9}{'centroid':>9}{'refused':>9}{'kept':>9}")
    print("\n".join(lines))
    print("refused: out of scope and below 0.5; kept: in scope, not refused, and of the right class")


if __name__ == "__main__":
    run(Path(sys.argv[1]))
