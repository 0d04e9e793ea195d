"""Models in ONNX: written from torch, run without it, with the same numbers; and what cannot be written or loaded."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

from command import command  # noqa: E402
from tiny import PAIRS, TEXTS, bert, named  # noqa: E402

from guards.errors import ConfigError, MissingExtra  # noqa: E402
from guards.models import ModelSpec, _export, handle_of  # noqa: E402
from guards.models._onnx import Onnx, file_of  # noqa: E402
from guards.models.backend import backend_of  # noqa: E402

# What these packages warn of within themselves is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore")

NLI = named("contradiction", "entailment", "neutral")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """By task, a folder for torch and one that the command wrote of it; each is made when it is first asked for."""
    kinds = {
        "classification": {"problem_type": "multi_label_classification", **named("a", "b")},
        "pairs": NLI,
        "embedding": {"kind": transformers.BertModel},
    }
    known = {}

    def make(task):
        if task not in known:
            folder = bert(tmp_path_factory.mktemp("torch"), **kinds[task])
            written = tmp_path_factory.mktemp("onnx") / "new" / task
            smaller = ["--int8"] * (task == "pairs")
            done = command("export-onnx", str(folder), str(written), "--task", task, *smaller)
            assert (done.exit_code, done.stderr) == (0, ""), done.output
            known[task] = folder, written, done.stdout
        return known[task][:2]

    make.said = lambda task: make(task) and known[task][2]
    return make


@pytest.fixture
def copied(made, tmp_path):
    """A copy of a written folder, to be spoilt."""

    def copy(task="pairs"):
        folder = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for file in made(task)[1].iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        return folder

    return copy


@pytest.mark.parametrize(("task", "items"), [("classification", TEXTS), ("pairs", PAIRS), ("embedding", TEXTS)])
def test_the_numbers_are_those_of_torch(made, task, items):
    """Every task, every length of text, labels and limits: the same from the written folder within 1e-3."""
    ours, theirs = (backend_of(ModelSpec(task, folder, device="cpu")) for folder in reversed(made(task)))
    assert isinstance(ours, Onnx)
    assert (ours.labels, ours.limit) == (theirs.labels, theirs.limit)
    for row, given in zip(ours.run(list(items)), theirs.run(list(items)), strict=True):
        assert row == pytest.approx(given, abs=1e-3)
        assert task != "embedding" or math.hypot(*row) == pytest.approx(1, abs=1e-5)
    text = "the \U0001f642 cat. " * 9
    assert ours.spans(text) == theirs.spans(text)
    assert ours.weigh(items[0]) == theirs.weigh(items[0])


def test_a_limit_of_tokens(made):
    """`max_tokens` cuts both texts of a pair as torch's side does."""
    ours, theirs = (backend_of(ModelSpec("pairs", f, device="cpu", max_tokens=6)) for f in reversed(made("pairs")))
    long = ("the cat sat on a mat", "a dog sat on a mat")
    assert ours.run([long])[0] == pytest.approx(theirs.run([long])[0], abs=1e-3)


def test_int8_rows_are_independent(made):
    """In int8 a row is the same alone and among others, and near the model's own; the smaller file is the one run."""
    folder = made("pairs")[1]
    model = backend_of(ModelSpec("pairs", folder, dtype="int8", threads=1))
    alone = [model.run([item])[0] for item in PAIRS]
    assert [tuple(row) for row in model.run(PAIRS)] == [tuple(row) for row in alone]
    exact = backend_of(ModelSpec("pairs", folder)).run(PAIRS)
    assert (
        max(abs(a - b) for row, other in zip(alone, exact, strict=True) for a, b in zip(row, other, strict=True)) < 0.2
    )


def test_which_file_is_meant(made, copied):
    """A folder with safetensors is torch's; without, it is run as ONNX; int8 and a file's own name are always ONNX."""
    theirs, ours = made("pairs")
    assert file_of(ModelSpec("pairs", theirs)) is None
    assert file_of(ModelSpec("pairs", "some/id")) is None
    assert file_of(ModelSpec("pairs", ours)) == ours / "model.onnx"
    assert file_of(ModelSpec("pairs", ours, dtype="int8")) == ours / "model_int8.onnx"
    both = copied()
    (both / "model.safetensors").write_bytes(b"")
    assert file_of(ModelSpec("pairs", both)) is None
    assert file_of(ModelSpec("pairs", both / "model.onnx")) == both / "model.onnx"
    for spec in (ModelSpec("pairs", theirs, dtype="int8"), ModelSpec("pairs", theirs / "model.onnx")):
        with pytest.raises(ConfigError, match="there is no file"):
            file_of(spec)


def test_the_files_of_a_hub_s_folder(copied):
    """Hubs keep ONNX files in a folder of their own, below the tokenizer and the settings."""
    folder = copied()
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert handle_of(ModelSpec("pairs", folder / "onnx" / "model.onnx")).labels == tuple(NLI["id2label"].values())


def test_neither_torch_nor_transformers_is_loaded(made):
    """A written model scores where they cannot be imported."""
    probe = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(['torch', 'transformers', 'onnx', 'onnxscript'])\n"
        "from guards.models import ModelSpec, handle_of\n"
        f"print(len(handle_of(ModelSpec('pairs', {str(made('pairs')[1])!r}))([('a cat', 'a dog')])[0]))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("3", "")


def test_a_file_names_no_place_of_the_machine_that_wrote_it(made):
    """What is passed on holds no path of where it was made."""
    theirs, ours = made("pairs")
    for file in ours.iterdir():
        data = file.read_bytes()
        assert not any(os.fsencode(place) in data for place in (sys.prefix, str(theirs), os.getcwd()))


def spoil(folder, name, change):
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def without(key):
    return lambda data: {name: value for name, value in data.items() if name != key}


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda f: (f / "model.onnx").write_bytes(b"nothing"), "cannot be loaded"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "is no JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "no settings"),
        (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "is no tokenizer"),
        (lambda f: spoil(f, "tokenizer_config.json", without("pad_token")), "no pad_token"),
        (lambda f: spoil(f, "config.json", lambda d: {**d, "id2label": {"0": "a", "1": "b"}}), "names 2 labels"),
        (lambda f: spoil(f, "config.json", lambda d: {**d, "id2label": {"1": "a", "2": "b"}}), "no map of 0, 1"),
    ],
)
def test_what_cannot_be_loaded(copied, break_it, words):
    """A folder that is torn, short of a file or says what the model does not: an error that names it."""
    folder = copied()
    break_it(folder)
    with pytest.raises(ConfigError, match=words):
        handle_of(ModelSpec("pairs", folder))(["x"])


def test_what_is_asked_of_the_wrong_model(made, copied):
    """Another task, another type of number, a device that is not there, too few names: each says what is the matter."""
    folder = made("pairs")[1]
    wrong = [
        (ModelSpec("embedding", folder), "not made for embedding"),
        (ModelSpec("pairs", made("embedding")[1]), "not made for pairs"),
        (ModelSpec("pairs", folder, dtype="bfloat16"), "not run in bfloat16"),
        (ModelSpec("pairs", folder, labels=("a", "b")), "has 3 labels"),
    ]
    if "CUDAExecutionProvider" not in runtime.get_available_providers():
        wrong.append((ModelSpec("pairs", folder, device="cuda:0"), "onnxruntime-gpu"))
    for spec, words in wrong:
        with pytest.raises(ConfigError, match=words):
            handle_of(spec)(["x"])


def test_labels_that_config_json_leaves_out(copied):
    """Without a map the labels are those that transformers would give, one for each score."""
    folder = copied()
    spoil(folder, "config.json", without("id2label"))
    assert handle_of(ModelSpec("pairs", folder)).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize("absent", ["onnxruntime", "tokenizers"])
def test_a_missing_extra_says_how_to_get_it(monkeypatch, made, absent):
    """Without its libraries a written model is an error with the line for pip."""
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtra, match=r"output-guards\[onnx\]"):
        handle_of(ModelSpec("pairs", made("pairs")[1], max_tokens=9))(["x"])


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command(made):
    """`guards export-onnx` says what it wrote, how large, and how near; nothing else is left in or beside the folder."""
    out = made("pairs")[1]
    exact, small = made.said("pairs").splitlines()
    assert exact.startswith(f"{out / 'model.onnx'}: 0.0 MB, numbers within ")
    assert small.startswith(f"{out / 'model_int8.onnx'}: 0.")
    assert sorted(file.name for file in out.iterdir()) == [
        "config.json",
        "model.onnx",
        "model_int8.onnx",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert [file.name for file in out.parent.iterdir()] == ["pairs"]


def test_what_cannot_be_written(made, tmp_path, monkeypatch):
    """A folder that is there, a model that torch does not run, a missing library: one line, and nothing is written."""
    theirs, ours = made("pairs")
    monkeypatch.chdir(tmp_path)
    for arguments, words in (
        ([theirs, ours], "there already"),
        ([ours, "out"], "not run by torch"),
        (["http://127.0.0.1:9", "out"], "not run by torch"),
        ([tmp_path / "none", "out"], "no folder"),
    ):
        done = command("export-onnx", *map(str, arguments))
        assert done.exit_code == 2
        assert words in done.stderr
        assert not (tmp_path / "out").exists()
    monkeypatch.setattr("guards.models._export.find_spec", lambda name: None if name == "onnxscript" else name)
    done = command("export-onnx", str(theirs), "out")
    assert "output-guards[onnx-export]" in done.stderr


def test_other_numbers_are_not_passed_off(made, tmp_path, monkeypatch):
    """A file that does not give the model's numbers is not left behind; nor one whose numbers are none."""
    theirs, ours = made("pairs")
    rows = Onnx._rows
    # Written already, and slow to write: what is proved here comes after it.
    monkeypatch.setattr(_export, "_write_graph", lambda model, spec, file: shutil.copy(ours / "model.onnx", file))
    for wrong in (lambda number: number + 0.01, lambda number: math.nan):
        monkeypatch.setattr(Onnx, "_rows", lambda self, items: [[wrong(n) for n in row] for row in rows(self, items)])
        with pytest.raises(ConfigError, match="differs from the model by up to"):
            _export.export_onnx(ModelSpec("pairs", theirs), tmp_path / "out")
        assert list(tmp_path.iterdir()) == []
