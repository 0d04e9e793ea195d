"""`guards calibrate`: rows in, a table, a document and a picture out, and no text of a row."""

from __future__ import annotations

import json
import random
import sys

import pytest
from command import command

from guards.checks import Calibration, calibrate
from guards.documents import path_of

MODULE = """
from guards import check
from guards.checks import Classifier, Scored, Toxicity
from guards.testing import FixedScores

def loud(texts):
    return [min(1.0, sum(letter.isupper() for letter in text) / len(text)) for text in texts]

guard = Toxicity(model=loud)

class Loud(Toxicity):
    name = "loud"
    def __init__(self, *, threshold=0.5):
        super().__init__(model=loud, threshold=threshold)

class Louder(Loud):
    def __init__(self, **options):
        super().__init__(**options)

@check(needs="source")
def shared(value, context):
    if value == "secret words":
        raise OSError(value)
    return Scored(len(set(value) & set(context["source"])) / len(set(value)))

number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_guards", raising=False)
    (tmp_path / "my_guards.py").write_text(MODULE, encoding="utf-8")
    rng = random.Random(2)
    rows = []
    for number in range(300):
        label = rng.random() < 0.6
        text = "".join(rng.choice("abcdef") if rng.random() < (0.8 if label else 0.4) else "X" for _ in range(20))
        rows.append({"value": f"secret{text}", "label": label, "context": {"source": "abcdefsecrt"}, "id": number})
    write(tmp_path / "rows.jsonl", rows)
    return tmp_path


def write(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")


def run(*arguments):
    return command("calibrate", *arguments)


def test_a_table(folder):
    """Threshold, rates and intervals are printed; a text of a row is not."""
    result = run("rows.jsonl", "--guard", "my_guards:guard", "--fpr", "0.05")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("toxicity: threshold 0.")
    for said in ("unacceptable rows\n", "(fpr)", "(recall)", "(precision)", "(AUROC)", " to "):
        assert said in result.stdout
    assert "secret" not in result.stdout


def test_a_document_and_a_picture(folder):
    """--out holds what the function gives, and --curve the picture of it."""
    result = run(
        "rows.jsonl", "-" * 2 + "guard", "my_guards:guard", "--precision", "0.9", "--out", "c.json", "--curve", "c.svg"
    )
    assert result.exit_code == 0, result.output
    from my_guards import guard

    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    found = calibrate(guard, [row["value"] for row in rows], [row["label"] for row in rows], precision=0.9)
    assert Calibration.load(folder / "c.json") == found
    assert (folder / "c.svg").read_text() == found.svg()
    assert guard.calibrated(Calibration.load("c.json")).threshold == found.threshold
    checked = command("check", "c.json", "-c", str(path_of("calibration.schema.json")))
    assert checked.exit_code == 0, checked.output


def test_a_class_with_options(folder):
    """A class is made with --option, whose values are JSON where they can be."""
    assert run("rows.jsonl", "--guard", "my_guards:Loud", "--option", "threshold=0.3", "--fpr", "0.05").exit_code == 0


def test_options_of_any_signature(folder):
    """What a constructor takes as *words is an option of that name, and what it passes on as **options is one, too."""
    from guards.cli.calibrate import _guard

    assert _guard("my_guards:Louder", ("threshold=0.3",)).options == {"threshold": 0.3}
    assert _guard("language", ('languages=["en", "de"]', "least=5")).options["languages"] == ("en", "de")
    assert _guard("language", ("languages=en",)).options["languages"] == ("en",)


def test_a_context_in_the_rows(folder):
    """A guard that compares gets each row's own context."""
    result = run("rows.jsonl", "--guard", "my_guards:shared", "--fpr", "0.05")
    assert result.exit_code == 0
    assert result.stdout.startswith("shared: threshold ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--guard", "poetry"], "there is no guard 'poetry'; use one of classifier,"),
        (["--guard", "cascade"], "there is no guard 'cascade'"),
        (["--guard", "my_guards:number"], "is no guard"),
        (["--guard", "my_guards:none"], "--guard my_guards:none: the module 'my_guards' has no 'none'"),
        (["--guard", "nowhere:none"], "there is no module 'nowhere'"),
        (["--guard", "my_guards:guard", "--option", "threshold=1"], "is made already"),
        (["--guard", "my_guards:Loud", "--option", "loud=1"], "loud has no option 'loud'; it has threshold"),
        (["--guard", "my_guards:Loud", "--option", "loud"], "'loud' is not KEY=VALUE"),
        (["--guard", "my_guards:Loud", "--option", "threshold=" + "[" * 100_000], "must be a number from 0 to 1, not"),
        (["--guard", "my_guards:Loud", "--option", "threshold=high"], "must be a number from 0 to 1, not 'high'"),
        (["--guard", "judge"], "judge needs "),
        (["--guard", "my_guards:guard", "--fpr", "0.0001"], "needs at least 10000 acceptable rows"),
        (["--guard", "my_guards:guard", "--fpr", "0.05", "--out", "none/c.json"], "none/c.json: cannot be written"),
    ],
)
def test_wrong_use(folder, arguments, words):
    """What the command cannot do is one line and exit status 2."""
    result = run("rows.jsonl", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{secret", "line 2: is no JSON"),
        ("[" * 100_000, "line 2: is no JSON"),
        ("[1]", "line 2: is no object with value and label"),
        ('{"value": "secret", "label": "secret"}', "line 2: label must be true or false"),
        ('{"value": "secret", "label": 1, "context": []}', "line 2: label must be true or false, and context"),
        ('{"value": "secret", "label": 1, "context": "secret"}', "line 2: label must be true or false, and context"),
    ],
)
def test_a_row_that_is_none(folder, line, words):
    """A row that cannot be read is named by its line and not quoted."""
    (folder / "bad.jsonl").write_text(f'\n{line}\n{{"value": 1}}\n', encoding="utf-8")
    result = run("bad.jsonl", "--guard", "my_guards:guard")
    assert result.exit_code == 2
    assert words in result.stderr
    assert "secret" not in result.output


def test_a_row_that_cannot_be_judged(folder):
    """The guard's fault is told by its type and the row's number: its own words may quote the row."""
    write(
        folder / "bad.jsonl", [{"value": v, "label": True, "context": {"source": "a"}} for v in ("a", "secret words")]
    )
    result = run("bad.jsonl", "--guard", "my_guards:shared")
    assert result.exit_code == 2
    assert "could not judge a row (OSError; guards: score_many, values[1])" in " ".join(result.stderr.split())
    assert "secret" not in result.output


def test_a_file_that_cannot_be_read(folder):
    """A file that is not there, or no UTF-8, is wrong use."""
    (folder / "latin.jsonl").write_bytes(b"\xff")
    for name in ("none.jsonl", "latin.jsonl"):
        result = run(name, "--guard", "my_guards:guard")
        assert result.exit_code == 2
        assert f"{name}: cannot be read as UTF-8" in result.stderr
