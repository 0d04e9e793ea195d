"""Train the embedded classifier of prompt injection on open data and on texts of our own making.

    python training/injection.py ../shared/data/guards build/injection

Attacks: jailbreaks from the wild, whole and by their first windows, deepset's set, lines of `written_injection.txt`,
and sentences planted in mails, tables and passages (`written_documents.py`). Harmless: requests to tools, banks and
assistants, prompts on touchy matters (PIGuard), our own requests full of trigger words, tasks with the text that they
are about, the same documents untouched, and sentences of all these, since the guard looks at each sentence too.

Held back: the development rows, of which one half chooses (its figures are printed after each epoch) and the other
reports, and one in twelve of the written lines.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encoder import Classifier, Encoded, encoder_folder, part_of, rows
from screening import Rows, areas, auroc, bad_scores, fresh, limit_at, options, parts, run
from written import grammar
from written_documents import Documents

from guards.checks.texts.cuts import cuts
from guards.checks.texts.passages import sentences
from guards.models import ModelSpec, handle_of

OPEN = ("bfcl_question", "deepset_train", "inthewild_jailbreak", "gptfuzz_template", "piguard_wildguard_benign")
PLANTED_TOO = ("bfcl_question", "clinc150")
"""Sources whose requests are planted in documents, where they do not belong."""
WRITTEN, PLANTED = 150, 1700
"""Rows of a root of weight 1, at most; documents with something planted, as many without, and as many tasks."""
REQUESTS, PASSAGES = 700, 4000
"""How many questions of each set of intents are taken, and how many premises make passages."""
TOKENS = 192
TOGETHER = (1, 3, 0)
"""How many sentences the guard shows a model at a time; 0 for as many as fit."""
ENCODER = ModelSpec("embedding", "embedded:encoder")
HARMLESS = ("alpaca_seed", "bfcl_question", "halueval_user_query")
"""The sources whose prompts make the threshold of 1 % false positives."""


def windows_of(text: str) -> list[str]:
    """The parts of a text that the guard shows a model."""
    return [text[start:end] for start, end in cuts(text, handle_of(ENCODER), TOGETHER)]


def tokens_of(text: str) -> int:
    return len(handle_of(ENCODER).spans(text))


def split(data: Path, seed: int, *, tasks: bool = True) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, rows that choose, rows that report."""
    chance = random.Random(seed)
    texts = grammar(Path(__file__).with_name("written_injection.txt"))
    open_rows = [row for row in rows(data / "injection" / "injection_train.jsonl.gz") if row["src"] in OPEN]
    open_rows += _questions(data, chance)
    requests = [row["text"] for row in open_rows if row["src"] in PLANTED_TOO and len(row["text"]) < 200]
    documents = Documents(texts, _passages(data, chance), requests, lambda text: tokens_of(text) <= TOKENS - 2)
    development = rows(data / "injection" / "injection_dev.jsonl.gz")
    made = [*texts.rows(25, seed, held=True), *documents.rows(150, seed + 1, held=True)]
    development += [_numbered(row, chance) for row in made]
    made = [*texts.rows(WRITTEN, seed), *documents.rows(PLANTED, seed, tasks=tasks)]
    training = open_rows + [_numbered(row, chance) for row in made]
    choose, report = parts(development)
    return fresh(training + _pieces(training, chance), development), choose, report


def _numbered(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    text = row["text"]
    if chance.random() < 0.8:
        text = text[:1].upper() + text[1:]
    if chance.random() < 0.1:
        text = text.lower()
    if chance.random() < 0.15:
        text = text.rstrip(".?!")
    return {**row, "label": int(row["label"] == "injection"), "text": text}


def _questions(data: Path, chance: random.Random) -> Rows:
    found = []
    for name in ("banking77", "clinc150"):
        given = rows(data / "intent" / f"{name}_train.jsonl.gz")
        found += [{"text": row["text"], "label": 0, "src": name} for row in chance.sample(given, REQUESTS)]
    return found


def _passages(data: Path, chance: random.Random) -> list[list[str]]:
    """Premises of FEVER, Fool Me Twice and MultiNLI, and half of the sales mails of SummEdits, as sentences."""
    texts = {
        row["premise"] for row in rows(data / "nli" / "nli_binary_train.jsonl.gz") if row["src"].startswith("fever")
    }
    for row in rows(data / "nli" / "nli_train_open.jsonl.gz"):
        if row["src"].startswith(("fool_me_twice", "mnli")):
            texts.add(row["premise"])
    chosen = chance.sample(sorted(text for text in texts if len(text) > 40), PASSAGES)
    mails = {row["document"] for row in rows(data / "factual" / "factual_dev.jsonl.gz") if "sales_email" in row["src"]}
    chosen += [mail for mail in sorted(mails) if part_of(mail, 2) == 0] * 20
    return [[text[start:end] for start, end in sentences(text)] or [text] for text in chosen]


def _pieces(given: Rows, chance: random.Random) -> Rows:
    """The beginnings of jailbreaks, and of what is harmless a part, since every part of it is."""
    made = []
    for row in given:
        if row["src"] == "inthewild_jailbreak":
            spans = sentences(row["text"])
            made += [{**row, "text": row["text"][: spans[3][1]]}] if len(spans) > 4 else []
        elif row["label"] == 0 and chance.random() < 0.4:
            spans = sentences(row["text"])
            if len(spans) > 1:
                first = chance.randrange(len(spans))
                last = min(len(spans) - 1, first + chance.choice((0, 0, 2)))
                made.append({**row, "text": row["text"][spans[first][0] : spans[last][1]]})
    return made


def figures(measured: Rows, scores: Sequence[float], limit: float | None = None) -> dict[str, Any]:
    """AUROC by source, recall and false alarms at the limit: 1 % of harmless prompts where none is given."""
    scored = [(row["src"], row.get("kind"), row["label"], score) for row, score in zip(measured, scores, strict=True)]
    harmless = [score for src, _, _, score in scored if src in HARMLESS]
    limit = limit_at(harmless, 0.01) if limit is None else limit
    found: dict[str, Any] = {"limit": round(limit, 4), **areas(measured, scores)}
    for src, label in sorted({(src, label) for src, _, label, _ in scored}):
        of_src = [score for one, _, bad, score in scored if one == src and bad == label]
        found[f"flagged: {src} {'attacks' if label else 'harmless'}"] = _share(of_src, limit)
        if label:
            found[f"auroc against prompts: {src}"] = round(auroc(of_src, harmless), 4)
    for kind in sorted({str(kind) for src, kind, _, _ in scored if src == "written"}):
        found[f"flagged: written {kind}"] = _share([score for _, one, _, score in scored if one == kind], limit)
    return found


def _share(scores: Sequence[float], limit: float) -> str:
    return f"{sum(score > limit for score in scores) / len(scores):.3f} of {len(scores)}"


def by_windows(model: Classifier, measured: Rows, encoded: Encoded, device: str) -> list[float]:
    """The highest score of a row's windows."""
    windows = [windows_of(row["text"]) for row in measured]
    scores = iter(bad_scores(model, [text for some in windows for text in some], encoded, device))
    return [max(next(scores) for _ in some) for some in windows]


def main() -> None:
    given = options(__doc__, ("--no-tasks", "train without tasks that come with a text"), epochs=3, tokens=TOKENS)
    training, choose, report = split(given.data, given.seed, tasks=not given.no_tasks)
    model = run(given, training, choose, figures)
    if model is None:
        return
    encoded = Encoded(encoder_folder(), 256)

    def whole(measured: Rows) -> list[float]:
        return bad_scores(model, [row["text"] for row in measured], encoded, given.device)

    for name, scorer in (("whole", whole), ("windows", lambda some: by_windows(model, some, encoded, given.device))):
        chosen = figures(choose, scorer(choose))
        print(name, "choosing:", json.dumps(chosen, indent=1))
        print(name, "reported:", json.dumps(figures(report, scorer(report), chosen["limit"]), indent=1), flush=True)


if __name__ == "__main__":
    main()
