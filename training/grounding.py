"""Fit the score of `Entailment` for the embedded models: the weights in guards/checks/learned/grounding.py.

    python training/grounding.py ../shared/data/guards

A logistic regression on the features of each claim. What is labelled is the whole answer, which is supported if each of
its claims is; so the loss is of the claim that fares worst (a soft minimum, so that there is a gradient). Each data set
and label weighs the same, so that the score 0.5 is where both are equally likely. Only the half of the documents that
chooses is used; benchmarks/correctness.py reports on the other.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import torch
from factual import group, halves

from guards.checks import Entailment, Scored, score_many
from guards.checks.learned.grounding import Corpus, ground
from guards.checks.texts.passages import sentences
from guards.checks.texts.sources import documents

SHARPNESS = 3.0
"""Of the soft minimum."""


class Measured(Entailment):
    """Puts the features of each claim into the list under "features" of its context."""

    def steps(self, value: Any, context: Any) -> Any:
        claims = [value[start:end] for start, end in sentences(value)]
        if claims:
            corpus = Corpus(documents(context, "source"), self.nli)
            found = yield from ground(claims, corpus, self.encoder, self.nli)
            context["features"].extend(one.features for one in found)
        return Scored(1.0)


def measured(rows: list[dict[str, Any]]) -> list[list[tuple[float, ...]]]:
    """The features of each claim of each answer."""
    contexts: list[dict[str, Any]] = [{"source": row["document"], "features": []} for row in rows]
    score_many(Measured(), [row["response"] for row in rows], contexts, progress=True)
    return [context["features"] for context in contexts]


def fitted(
    features: list[list[tuple[float, ...]]], rows: list[dict[str, Any]], decay: float
) -> tuple[list[float], float]:
    """Weights and bias."""
    claims = torch.tensor([one for answer in features for one in answer], dtype=torch.float64)
    answer_of = torch.tensor([number for number, answer in enumerate(features) for _ in answer])
    labels = torch.tensor([float(row["supported"]) for row in rows], dtype=torch.float64)
    kinds = [(group(row["src"]), row["supported"]) for row in rows]
    counts = Counter(kinds)
    weighing = torch.tensor([1 / counts[kind] for kind in kinds], dtype=torch.float64)
    weighing /= weighing.sum()
    middle, spread = claims.mean(0), claims.std(0) + 1e-6
    scaled = (claims - middle) / spread
    weights = torch.zeros(claims.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = (scaled @ weights + bias).clamp(-8, 8)
        summed = torch.zeros(len(rows), dtype=torch.float64).index_add(0, answer_of, torch.exp(-SHARPNESS * logits))
        lowest = -torch.log(summed) / SHARPNESS
        each = torch.nn.functional.binary_cross_entropy_with_logits(lowest, labels, reduction="none")
        total = (weighing * each).sum() + decay * (weights**2).sum()
        total.backward()
        return total

    optimiser.step(loss)
    plain = (weights / spread).detach()
    return plain.tolist(), (bias.detach() - (plain * middle).sum()).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--decay", type=float, default=0.01)
    parser.add_argument("--most", type=int, default=130, help="rows of one source")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    by_source = defaultdict(list)
    for row in halves(options.data)[0]:
        by_source[row["src"]].append(row)
    chance = random.Random(1)
    rows = [row for found in by_source.values() for row in chance.sample(found, min(options.most, len(found)))]
    features = measured(rows)
    kept = [number for number, answer in enumerate(features) if answer]
    weights, bias = fitted([features[number] for number in kept], [rows[number] for number in kept], options.decay)
    print(f"{len(kept)} answers; _WEIGHTS = {tuple(round(weight, 2) for weight in weights)}, _BIAS = {bias:.2f}")


if __name__ == "__main__":
    main()
