"""Train the embedded toxicity classifier on open data and on sentences of our own making.

    python training/toxicity.py ../shared/data/guards build/toxicity

Tweets (Davidson 2017) and forum posts (Stormfront), of which the many that say little new are thinned out; sentences
of `written_toxicity.txt`, roughened as people write; premises and questions of other open sets, which are harmless.
Tweets of that set are bad where a swear word occurs, and more often where the dialect is African American: the written
sentences are there to teach what the words do instead.

Held back: the development rows, of which one half chooses (its figures are printed after each epoch) and the other
reports, and one in twelve of the written lines.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from encoder import Encoded, encoder_folder, rows
from screening import Rows, areas, bad_scores, fresh, options, parts, run
from written import grammar

SENTENCES = Path(__file__).with_name("written_toxicity.txt")
WRITTEN = 200
"""Rows of a root of weight 1, at most."""
OFFENSIVE, NO_HATE, PLAIN = 2500, 2200, 1600
"""How many of the offensive tweets, the posts without hate, and the sentences of other sets are taken."""
TOGETHER = 0.15
"""How many of the rows have a neutral sentence or two around them."""
MEAN_OF = ("davidson2017", "surge_ai", "tweeteval_hate", "tweeteval_offensive")


def split(data: Path, seed: int) -> tuple[Rows, Rows, Rows]:
    """Rows to train on, rows that choose, rows that report."""
    sentences = grammar(SENTENCES)
    chance = random.Random(seed)
    development = rows(data / "toxicity" / "toxicity_dev.jsonl.gz")
    development += [_numbered(row, chance) for row in sentences.rows(30, seed, held=True)]
    plain = _plain(data, chance)
    training = _taken(rows(data / "toxicity" / "toxicity_train.jsonl.gz"), chance)
    training += [_numbered(row, chance) for row in sentences.rows(WRITTEN, seed)]
    for row in training:
        if chance.random() < TOGETHER:
            around = [chance.choice(plain)["text"] for _ in range(chance.randint(1, 2))]
            row["text"] = " ".join((*around, row["text"]) if chance.random() < 0.5 else (row["text"], *around))
    choose, report = parts(development)
    return fresh(training + plain, development), choose, report


def _taken(given: Rows, chance: random.Random) -> Rows:
    chance.shuffle(given)
    most = {("davidson2017", "offensive"): OFFENSIVE, ("stormfront", "noHate"): NO_HATE}
    kept = []
    for row in given:
        name = row["src"], row["fine"]
        if row["src"].startswith("tweeteval"):
            continue
        most[name] = most.get(name, len(given)) - 1
        if most[name] >= 0:
            kept.append({**row, "text": _as_elsewhere(row["text"]) if chance.random() < 0.5 else row["text"]})
    return kept


def _as_elsewhere(tweet: str) -> str:
    """Names and links as other sets of tweets have them."""
    tweet = re.sub(r"^(?:RT\s+)?", "", html.unescape(tweet))
    return re.sub(r"https?://\S+", "http", re.sub(r"@\w+:?", "@user", tweet)).strip(' "')


def _plain(data: Path, chance: random.Random) -> Rows:
    texts = {row["premise"] for row in rows(data / "nli" / "nli_train_open.jsonl.gz") if row["src"].startswith("mnli")}
    for name in ("banking77", "clinc150"):
        texts |= {row["text"] for row in rows(data / "intent" / f"{name}_train.jsonl.gz")}
    chosen = chance.sample(sorted(text for text in texts if len(text) < 300), PLAIN)
    return [{"text": text, "label": 0, "src": "plain"} for text in chosen]


def _numbered(row: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {**row, "label": int(row["label"] == "toxic"), "text": _roughened(row["text"], chance)}


def _roughened(text: str, chance: random.Random) -> str:
    """As people write; of both labels alike, so that the manner gives nothing away."""
    text = text[:1].upper() + text[1:]
    if chance.random() < 0.3:
        text = text.lower()
    if chance.random() < 0.3:
        text = text.rstrip(".")
    if chance.random() < 0.1:
        text = "@user " + text
    if chance.random() < 0.08:
        text += " " + chance.choice(("lol", "smh", "http", "#news", "#fail", "!!!", "haha", "@user", "tbh"))
    if chance.random() < 0.05:
        place = chance.randrange(len(text))
        text = text[:place] + chance.choice(("", "*", text[place : place + 1] * 3, " ")) + text[place + 1 :]
    return text.upper() if chance.random() < 0.03 else text


def figures(measured: Rows, scores: Sequence[float]) -> dict[str, Any]:
    """AUROC by source, the mean over public ones, and of the written lines the kinds that are told apart worst."""
    found: dict[str, Any] = areas(measured, scores)
    found["mean"] = round(sum(found[name] for name in MEAN_OF) / len(MEAN_OF), 4)
    for kind in sorted({row["kind"] for row in measured if row["src"] == "written"}):
        of_kind = [score for row, score in zip(measured, scores, strict=True) if row.get("kind") == kind]
        found[f"share called toxic: {kind}"] = round(sum(score > 0.5 for score in of_kind) / len(of_kind), 3)
    return found


def main() -> None:
    given = options(__doc__, epochs=3, tokens=128)
    training, choose, report = split(given.data, given.seed)
    model = run(given, training, choose, figures)
    if model is not None:
        encoded = Encoded(encoder_folder(), given.tokens)
        scores = bad_scores(model, [row["text"] for row in report], encoded, given.device)
        print("reported:", json.dumps(figures(report, scores), indent=1))


if __name__ == "__main__":
    main()
