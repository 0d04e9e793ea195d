"""Train the embedded NLI cross-encoder on open data: several teachers, and one student of them all.

    python training/nli.py ../shared/data/guards build/nli

The teachers are trained on SNLI, MultiNLI and counterfactually-augmented SNLI (the templated sets make it worse), and
in each epoch some of FEVER, whose premises are what a claim is checked against in a document; of these some get the
premise of another claim, since in SNLI what is about something else counts as a contradiction. One model alone stops
getting better after three epochs: there are too few labelled rows. So the mean of the teachers labels five times as
many pairs of sentences of the same sets that nobody has labelled (a premise with a hypothesis about a like one, two
hypotheses of one premise, a pair turned round), and the student learns from all (Hinton et al. 2015; Xie et al. 2020).

Held back, by premise: every twelfth premise of MultiNLI; of the development rows one half chooses (its figures are
printed after each epoch), the other is for the figures that are reported.

Each part is done once and kept in the run's folder. `--only N` makes one teacher, so that several can be made at once.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from encoder import Classifier, Encoded, Example, encoder_folder, logits_of, part_of, rows, train, vectors_of

LABELS = ("entailment", "neutral", "contradiction")
CORE = ("snli", "mnli_train", "mnli_matched", "cad_nli")
FEVER_CHARS = 360
"""Longer ones would be cut, perhaps where the evidence is."""
NOT_ENTAILED = 3
"""The target of a row whose label only says that the hypothesis does not follow."""
NEAREST = 4
"""Like premises whose hypotheses a premise is paired with."""

Rows = list[dict[str, Any]]
Pair = tuple[str, str]


def split(data: Path) -> tuple[Rows, dict[str, Rows], dict[str, Rows]]:
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


def claims(data: Path, seed: int) -> Rows:
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


def unlabelled(training: Rows, claimed: Rows, seed: int, device: str) -> list[Pair]:
    """Pairs of the same sets' sentences that have no label, each once and none that has one."""
    chance = random.Random(seed)
    about: dict[str, list[str]] = defaultdict(list)
    for row in training + claimed:
        about[row["premise"]].append(row["hypothesis"])
    premises = sorted(about)
    vectors = vectors_of(premises, device)
    made: set[Pair] = set()
    for start in range(0, len(premises), 1024):
        closeness = vectors[start : start + 1024] @ vectors.T
        for row, near in enumerate(closeness.topk(NEAREST + 1).indices.tolist()):
            premise = premises[start + row]
            for other in (premises[number] for number in near if number != start + row):
                made |= {(premise, hypothesis) for hypothesis in chance.sample(about[other], min(2, len(about[other])))}
            own = about[premise]
            made |= {(one, other) for one in own for other in own if chance.random() < 4 / len(own)}
            made |= {(hypothesis, premise) for hypothesis in own if len(premise) < 150}
    known = {(row["premise"], row["hypothesis"]) for row in training + claimed}
    return sorted(pair for pair in made - known if pair[0] != pair[1] and len(pair[0]) + len(pair[1]) <= FEVER_CHARS)


def loss_of(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross entropy, with a label or with probabilities; of a row that is only known not to follow, of everything but
    entailment."""
    logs = torch.log_softmax(logits, dim=-1)
    if targets.is_floating_point():
        return -(targets * logs).sum(-1).mean()
    logs = torch.cat([logs, torch.logsumexp(logs[:, 1:], dim=-1, keepdim=True)], dim=-1)
    return -logs.gather(1, targets[:, None]).mean()


def lesson(target: int, said: Sequence[float]) -> tuple[float, ...]:
    """What the student is told of a labelled row: half its label, half what the teachers say."""
    if target != NOT_ENTAILED:
        return tuple(0.5 * (index == target) + 0.5 * share for index, share in enumerate(said))
    rest = said[1] + said[2]
    return 0.0, said[1] / rest, said[2] / rest


class Run:
    """The rows of a run as examples, and what its parts share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._folder = encoder_folder()
        self._encoded = Encoded(self._folder, options.tokens)
        training, choose, report = split(options.data)
        claimed = claims(options.data, options.seed)
        self.labelled = self._examples(training)
        self.claimed = self._examples(claimed)
        self._held = {"choose": choose, "report": report}
        kept = options.out / "pairs.json"
        if not kept.exists():
            options.out.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(unlabelled(training, claimed, options.seed, options.device)))
        pairs = json.loads(kept.read_text())
        self.pairs = self._encoded([one for one, _ in pairs], [other for _, other in pairs], [0] * len(pairs))

    def teacher(self, number: int) -> torch.Tensor:
        """What one teacher says of every row: probabilities of shape (rows, labels). The odd ones learn longer, with
        more dropout."""
        folder = self.options.out / f"teacher-{number}"
        if not (folder / "said.pt").exists():
            longer = number % 2
            model = self._train(
                folder, self._epoch, number + 1, 7 if longer else 5, 2e-4 if longer else 1e-4, 0.2 if longer else 0.1
            )
            said = logits_of(model, self.labelled + self.claimed + self.pairs, self.options.device).softmax(-1)
            torch.save(said, folder / "said.pt")
        result: torch.Tensor = torch.load(folder / "said.pt", weights_only=True)
        return result

    def student(self) -> Classifier:
        said = torch.stack([self.teacher(number) for number in range(self.options.teachers)]).mean(0).tolist()
        known = self.labelled + self.claimed
        taught = [
            Example(one.ids, one.types, lesson(one.target, told) if isinstance(one.target, int) else one.target)
            for one, told in zip(known, said, strict=False)
        ]
        taught += [
            Example(one.ids, one.types, tuple(told)) for one, told in zip(self.pairs, said[len(known) :], strict=True)
        ]
        print(f"{len(known)} labelled rows and {len(self.pairs)} pairs to learn from", flush=True)
        return self._train(
            self.options.out, lambda _: taught, self.options.seed, self.options.epochs, self.options.rate, 0.1, size=64
        )

    def accuracies(self, model: Classifier, part: str) -> dict[str, float]:
        result = {}
        for source, given in self._held[part].items():
            made = self._examples(given)
            right = logits_of(model, made, self.options.device).argmax(1) == torch.tensor([one.target for one in made])
            result[source] = round(right.float().mean().item(), 4)
        return result

    def _epoch(self, number: int) -> list[Example]:
        start = number * self.options.claims % len(self.claimed)
        return self.labelled + (self.claimed + self.claimed)[start : start + self.options.claims]

    def _train(
        self, folder: Path, epoch: Any, seed: int, epochs: int, rate: float, dropout: float, size: int = 32
    ) -> Classifier:
        return train(
            folder,
            lambda: Classifier(len(LABELS), self._folder, dropout),
            epoch,
            loss_of,
            lambda model: self.accuracies(model, "choose"),
            epochs=epochs,
            rate=rate,
            seed=seed,
            device=self.options.device,
            size=size,
        )

    def _examples(self, given: Rows) -> list[Example]:
        targets = [LABELS.index(row["label"]) if row["label"] in LABELS else NOT_ENTAILED for row in given]
        return self._encoded([row["premise"] for row in given], [row["hypothesis"] for row in given], targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--teachers", type=int, default=10)
    parser.add_argument("--only", type=int, help="train this teacher and no other, and no student")
    parser.add_argument("--epochs", type=int, default=4, help="of the student")
    parser.add_argument("--rate", type=float, default=3e-4, help="of the student")
    parser.add_argument("--claims", type=int, default=2500, help="of FEVER in each epoch of a teacher")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run = Run(options)
    if options.only is not None:
        run.teacher(options.only)
        return
    print("held back:", run.accuracies(run.student(), "report"))


if __name__ == "__main__":
    main()
