"""What the classifiers of toxicity and of injection have in common: rows of two labels, their figures, a run.

A row is bad (label 1) or good (0); the first label of the model is the bad one. Figures are made per source: a total
over sources of different kinds says how different they are.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from encoder import Classifier, Encoded, encoder_folder, logits_of, part_of, train
from torch import nn
from transformers import AutoModel, AutoTokenizer

from guards.checks.calibrated.roc import area, points

SMOOTHING = 0.05
"""Many labels of crowds are wrong."""

Rows = list[dict[str, Any]]


def parts(rows: Rows) -> tuple[Rows, Rows]:
    """The half that chooses, and the half that reports."""
    halves: tuple[Rows, Rows] = ([], [])
    for row in rows:
        halves[1 - part_of(row["text"], 2)].append(row)
    return halves


def auroc(bad: Sequence[float], good: Sequence[float]) -> float:
    """The chance that a bad row has a higher probability of being bad than a good one; 0.5 says nothing."""
    made = points([1 - score for score in (*bad, *good)], [False] * len(bad) + [True] * len(good))
    return area(made, len(good), len(bad)).value


def areas(rows: Rows, scores: Sequence[float]) -> dict[str, float]:
    """AUROC of each source that has rows of both labels, and of all rows together."""
    found: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for row, score in zip(rows, scores, strict=True):
        for name in (row["src"], "pooled"):
            found[name][row["label"]].append(score)
    return {name: round(auroc(bad, good), 4) for name, (good, bad) in sorted(found.items()) if good and bad}


def limit_at(good: Sequence[float], share: float) -> float:
    """The probability that at most this share of good rows exceeds."""
    return sorted(good)[len(good) - 1 - int(share * len(good))]


def bad_scores(model: Classifier, texts: Sequence[str], encoded: Encoded, device: str) -> list[float]:
    logits = logits_of(model, encoded(texts, None, [0] * len(texts)), device)
    return [float(score) for score in torch.softmax(logits, dim=-1)[:, 0]]


def linear(training: Rows, measured: Rows, tokens: int) -> list[float]:
    """The baseline: logistic regression on the encoder's embeddings as they are. Scores of the measured rows."""
    known, asked = (_embedded([row["text"] for row in rows], tokens) for rows in (training, measured))
    targets = torch.tensor([float(row["label"]) for row in training])
    weights = torch.zeros(known.shape[1] + 1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(known @ weights[1:] + weights[0], targets)
        loss = loss + weights[1:].square().sum() / len(training) / 2
        loss.backward()
        return loss

    optimiser.step(closure)
    scores: list[float] = torch.sigmoid(asked @ weights[1:] + weights[0]).tolist()
    return scores


@torch.no_grad()
def _embedded(texts: Sequence[str], tokens: int) -> torch.Tensor:
    folder = encoder_folder()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    vectors = torch.zeros(len(texts), model.config.hidden_size)
    for start in range(0, len(order), 64):
        numbers = order[start : start + 64]
        made = tokenizer(
            [texts[i] for i in numbers], padding=True, truncation=True, max_length=tokens, return_tensors="pt"
        )
        mask = made["attention_mask"][..., None]
        states = model(**made).last_hidden_state * mask
        vectors[numbers] = nn.functional.normalize(states.sum(1) / mask.sum(1), dim=-1) * 10
    return vectors


def options(about: str | None, *flags: tuple[str, str], epochs: int, tokens: int) -> argparse.Namespace:
    """What the command line says; flags of a script's own have a name and a help text."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--tokens", type=int, default=tokens)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most", type=int, help="rows to train on, for a try")
    parser.add_argument("--linear", action="store_true", help="fit the baseline only")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    for name, help_text in flags:
        parser.add_argument(name, action="store_true", help=help_text)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    return given


def run(
    given: argparse.Namespace, training: Rows, choose: Rows, figures: Callable[[Rows, Sequence[float]], dict[str, Any]]
) -> Classifier | None:
    """Train on the rows, with the figures of those that choose after each epoch; the baseline's only, if asked for."""
    random.Random(given.seed).shuffle(training)
    training = training[: given.most]
    print(len(training), "rows to train on:", json.dumps(counted(training)), flush=True)
    if given.linear:
        print(json.dumps({"linear": figures(choose, linear(training, choose, given.tokens))}, indent=1))
        return None
    folder = encoder_folder()
    encoded = Encoded(folder, given.tokens)
    made = encoded([row["text"] for row in training], None, [1 - row["label"] for row in training])
    texts = [row["text"] for row in choose]

    def loss_of(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(logits, targets, label_smoothing=SMOOTHING)

    return train(
        given.out,
        lambda: Classifier(2, folder, dropout=0.1),
        lambda _: made,
        loss_of,
        lambda model: figures(choose, bad_scores(model, texts, encoded, given.device)),
        epochs=given.epochs,
        rate=given.rate,
        seed=given.seed,
        device=given.device,
    )


def counted(rows: Rows) -> dict[str, list[int]]:
    """Of each source, good and bad rows."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        found[row["src"]][row["label"]] += 1
    return dict(sorted(found.items()))


def folded(text: str) -> str:
    """Texts that differ in case and blanks only are the same."""
    return " ".join(text.lower().split())


def fresh(rows: Rows, held: Rows) -> Rows:
    """Each text once, and none that is held back."""
    seen = {folded(row["text"]) for row in held}
    kept = []
    for row in rows:
        key = folded(row["text"])
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept
