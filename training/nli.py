"""Train the embedded NLI cross-encoder on open data.

    python training/nli.py ../shared/data/guards build/nli

Rows of SNLI, MultiNLI and counterfactually-augmented SNLI (the templated sets make it worse), and in each epoch some of
FEVER, whose premises are what a claim is checked against in a document; of these some get the premise of another claim,
since in SNLI what is about something else counts as a contradiction. Held back, by premise:
every twelfth premise of MultiNLI; of the development rows one half chooses (its figures are printed after each epoch),
the other is for the figures that are reported.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from encoder import Classifier, Encoded, encoder_folder, logits_of, part_of, rows, train

LABELS = ("entailment", "neutral", "contradiction")
CORE = ("snli", "mnli_train", "mnli_matched", "cad_nli")
FEVER_CHARS = 360
"""Longer ones would be cut, perhaps where the evidence is."""
NOT_ENTAILED = 3
"""The target of a row whose label only says that the hypothesis does not follow."""


def split(data: Path) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    """Training rows; rows that choose and rows that report, by source."""
    development = rows(data / "nli" / "nli_dev.jsonl.gz")
    known = {" ".join(row["premise"].lower().split()) for row in development}
    choose, report = defaultdict(list), defaultdict(list)
    for row in development:
        (choose if part_of(row["premise"], 2) else report)[row["src"]].append(row)
    training = []
    for row in rows(data / "nli" / "nli_train_open.jsonl.gz"):
        if " ".join(row["premise"].lower().split()) in known or not row["src"].startswith(CORE):
            continue
        part = part_of(row["premise"], 24) if row["src"].startswith("mnli") else 2
        if part < 2:
            (choose if part else report)["mnli"].append(row)
        else:
            training.append(row)
    return training, dict(choose), dict(report)


def claims(data: Path, seed: int) -> list[dict[str, Any]]:
    """FEVER's pairs in a random order, every tenth with another's premise."""
    found = [
        row
        for row in rows(data / "nli" / "nli_binary_train.jsonl.gz")
        if row["src"] == "fever_dev_rte" and len(row["premise"]) + len(row["hypothesis"]) <= FEVER_CHARS
    ]
    random.Random(seed).shuffle(found)
    other = [row["premise"] for row in found[1:]] + [found[0]["premise"]]
    return [
        {**row, "premise": premise, "label": "neutral"} if number % 10 == 0 else row
        for number, (row, premise) in enumerate(zip(found, other, strict=True))
    ]


def loss_of(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross entropy; of a row that is only known not to follow, of everything but entailment."""
    logs = torch.log_softmax(logits, dim=-1)
    logs = torch.cat([logs, torch.logsumexp(logs[:, 1:], dim=-1, keepdim=True)], dim=-1)
    return -logs.gather(1, targets[:, None]).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--claims", type=int, default=2500, help="of FEVER in each epoch")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = encoder_folder()
    encoded = Encoded(folder, options.tokens)

    def examples(given: list[dict[str, Any]]) -> list[Any]:
        targets = [LABELS.index(row["label"]) if row["label"] in LABELS else NOT_ENTAILED for row in given]
        return encoded([row["premise"] for row in given], [row["hypothesis"] for row in given], targets)

    training, choose, report = split(options.data)
    made = examples(training)
    claimed = examples(claims(options.data, options.seed))

    def epoch(number: int) -> list[Any]:
        start = number * options.claims % len(claimed)
        return made + (claimed + claimed)[start : start + options.claims]

    print(f"{len(training)} rows to train on", {src: len(r) for src, r in {**choose, **report}.items()}, flush=True)
    deciding, reported = ({src: examples(given) for src, given in part.items()} for part in (choose, report))

    def accuracies(model: Classifier, held: dict[str, Any]) -> dict[str, Any]:
        result = {}
        for src, given in held.items():
            right = logits_of(model, given, options.device).argmax(1) == torch.tensor([e.target for e in given])
            result[src] = round(right.float().mean().item(), 4)
        return result

    model = train(
        options.out,
        lambda: Classifier(len(LABELS), folder, dropout=0.1),
        epoch,
        loss_of,
        lambda model: accuracies(model, deciding),
        epochs=options.epochs,
        rate=options.rate,
        seed=options.seed,
        device=options.device,
    )
    print("held back:", accuracies(model, reported))


if __name__ == "__main__":
    main()
