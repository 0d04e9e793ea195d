"""Models of transformers, loaded by the real code from folders made here: labels, lengths, and what is refused."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from forked import needs_fork, true_in_a_child  # noqa: E402
from tiny import PAIRS, TEXTS, bert, named  # noqa: E402

from guards.errors import ConfigError  # noqa: E402
from guards.models import ModelSpec, _transformers, handle_of  # noqa: E402
from guards.models.backend import backend_of  # noqa: E402

# What these packages warn of within themselves is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """A folder with a tiny model."""
    return lambda kind=None, **options: bert(tmp_path_factory.mktemp("model"), kind, **options)


def test_scores_of_a_classifier(folder_of):
    """One probability per label, named by the model's own map; the same as transformers gives by hand."""
    folder = folder_of(**named("toxic", "fine", "odd"))
    handle = handle_of(ModelSpec("classification", folder))
    assert handle.labels == ("toxic", "fine", "odd")
    (row,) = handle(["the cat sat"])
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        by_hand = model(**tokenizer(["the cat sat"], return_tensors="pt")).logits.softmax(-1)[0].tolist()
    assert row == pytest.approx(by_hand, abs=1e-5)
    assert sum(row) == pytest.approx(1, abs=1e-5)


def test_labels_that_may_hold_together(folder_of):
    """A multi-label model's scores are each by itself; so is the one score of a model with one label."""
    folder = folder_of(problem_type="multi_label_classification", **named("a", "b"))
    (row,) = handle_of(ModelSpec("classification", folder))(["cat"])
    assert abs(sum(row) - 1) > 1e-3
    (one,) = handle_of(ModelSpec("pairs", folder_of(num_labels=1)))([("cat", "dog")])
    assert len(one) == 1
    assert 0 <= one[0] <= 1


def test_pairs_are_told_apart(folder_of):
    """The order of a pair counts, and both texts are seen, though one alone is over the limit."""
    handle = handle_of(ModelSpec("pairs", folder_of()))
    there, back = handle([("the cat sat", "a dog"), ("a dog", "the cat sat")])
    assert there != pytest.approx(back, abs=1e-4)
    long = "the cat sat on a mat " * 40
    first, second = handle([(long, "dog"), (long, "cat")])
    assert first != pytest.approx(second, abs=1e-6)
    assert len(handle([("dog", long)])[0]) == 2


def test_vectors_of_an_encoder(folder_of):
    """Unit vectors, the mean over a text's tokens; equal alone and in a batch with longer texts."""
    handle = handle_of(ModelSpec("embedding", folder_of(transformers.BertModel)))
    texts = ["cat", "the cat sat on a mat .", "dog"]
    rows = handle(texts)
    assert all(math.hypot(*row) == pytest.approx(1, abs=1e-5) for row in rows)
    assert len(rows[0]) == 16
    alone = [handle_of(ModelSpec("embedding", handle.spec.model, threads=1))([text])[0] for text in texts]
    for together, single in zip(rows, alone, strict=True):
        assert together == pytest.approx(single, abs=1e-4)


def test_a_limit_of_tokens(folder_of):
    """`max_tokens` cuts a text; without it the model's own places are the limit, and no text is too long."""
    folder = folder_of()
    short = handle_of(ModelSpec("classification", folder, max_tokens=4))
    assert short(["cat dog mat mat"]) == [pytest.approx(row, abs=1e-6) for row in short(["cat dog"])]
    assert len(handle_of(ModelSpec("classification", folder))(["cat " * 500])[0]) == 2


@pytest.mark.parametrize("text", ["", " ", "\x00", "\ud800", "\u200b", "🙂" * 9])
def test_odd_texts_have_scores(folder_of, text):
    """Nothing that a model may answer makes the scoring fail."""
    (row,) = handle_of(ModelSpec("classification", folder_of()))([text])
    assert sum(row) == pytest.approx(1, abs=1e-5)


def test_a_score_does_not_depend_on_its_batch(folder_of):
    """Alone and among texts of other lengths, every task's row is the same within 0.01."""
    for task, items in (("classification", TEXTS), ("pairs", PAIRS), ("embedding", TEXTS)):
        kind = transformers.BertModel if task == "embedding" else None
        model = backend_of(ModelSpec(task, folder_of(kind), device="cpu"))
        for together, item in zip(model.run(list(items)), items, strict=True):
            assert model.run([item])[0] == pytest.approx(together, abs=0.01)


def test_the_places_of_tokens(folder_of):
    """Characters of the text, without the model's own marks, past the limit too, where the text is not ASCII too."""
    handle = handle_of(ModelSpec("classification", folder_of(), max_tokens=4))
    text = "the \U0001f642 cat. " * 9
    spans = handle.spans(text)
    assert [text[start:end] for start, end in spans[:4]] == ["the", "\U0001f642", "cat", "."]
    assert len(spans) == 36
    assert handle.limit == 4
    text = "\ud83d\ude42 \ud800 the cat"  # surrogates, a pair of them too, are a character each
    assert [text[start:end] for start, end in handle.spans(text)][-2:] == ["the", "cat"]


def test_labels_are_renamed_by_the_spec(folder_of):
    """Labels that say nothing get names by their places, as many as there are."""
    folder = folder_of(num_labels=3)
    names = ("entailment", "neutral", "contradiction")
    assert handle_of(ModelSpec("pairs", folder)).labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert handle_of(ModelSpec("pairs", folder, labels=names)).labels == names
    with pytest.raises(ConfigError, match="has 3 labels"):
        handle_of(ModelSpec("pairs", folder, labels=names[:2]))(["x"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_what_this_machine_does_not_have(folder_of):
    """A device that is not there and a type that torch does not run in are errors that say what to do."""
    folder = folder_of()
    for options, words in (({"device": "cuda"}, "no cuda"), ({"device": "cuda:1"}, "no cuda:1")):
        with pytest.raises(ConfigError, match=words):
            handle_of(ModelSpec("classification", folder, **options))(["x"])
    with pytest.raises(ConfigError, match="export-onnx"):
        handle_of(ModelSpec("classification", "some/model", dtype="int8"))(["x"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_bf16_on_cuda(folder_of):
    """On a GPU scores are those of the CPU within the precision of bfloat16."""
    folder = folder_of()
    on_cpu, on_gpu = (backend_of(ModelSpec("pairs", folder, device=device)) for device in ("cpu", "auto"))
    assert on_gpu.model.dtype == torch.bfloat16
    for ours, theirs in zip(on_gpu.run(PAIRS), on_cpu.run(PAIRS), strict=True):
        assert ours == pytest.approx(theirs, abs=0.03)


def test_one_thread_runs_all_models(folder_of):
    """Whoever asks, on the CPU models run in one thread that is no caller's, with the number of threads that a spec says."""
    handles = [
        handle_of(ModelSpec(task, folder_of(kind), device="cpu", threads=threads))
        for task, kind, threads in (
            ("classification", transformers.BertForSequenceClassification, 2),
            ("embedding", transformers.BertModel, 1),
        )
    ]
    seen = []

    def note(*_):
        seen.append((threading.get_ident(), torch.get_num_threads()))

    for handle in handles:
        handle.preload()
        handle._loaded[0].model.register_forward_hook(note)
    callers = [
        threading.Thread(target=handle, args=([f"the cat {number}"],)) for number in range(3) for handle in handles
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(seen) >= 2
    assert len(set(seen)) == 1
    assert seen[0][1] == 1
    assert seen[0][0] not in {threading.get_ident(), *(caller.ident for caller in callers)}


def test_a_question_waits_for_a_turn_only(folder_of):
    """While one model has a large batch before it, another is asked after the first turn of that batch."""
    busy, other = (
        handle_of(ModelSpec(task, folder_of(kind), device="cpu"))
        for task, kind in (("classification", None), ("embedding", transformers.BertModel))
    )
    turns, begun, asked = [], threading.Event(), threading.Event()

    def busy_turn(*_):
        turns.append("busy")
        begun.set()
        asked.wait(10)

    busy.preload()
    other.preload()
    busy._loaded[0].model.register_forward_hook(busy_turn)
    other._loaded[0].model.register_forward_hook(lambda *_: turns.append("other"))
    many = threading.Thread(target=busy, args=([f"{'the cat sat on a mat ' * 20}{number}" for number in range(64)],))
    many.start()
    begun.wait(10)
    one = threading.Thread(target=other, args=(["the cat"],))
    one.start()
    while not _transformers._LANE._work_queue.qsize():
        time.sleep(0.001)
    asked.set()
    one.join()
    many.join()
    assert turns[:2] == ["busy", "other"]
    assert turns.count("busy") > 1


def test_a_model_is_asked_at_exit(folder_of):
    """What runs when the interpreter ends, and no thread can be started any more, is answered all the same."""
    code = (
        "import atexit, sys; from guards.models import ModelSpec, handle_of\n"
        "handle = handle_of(ModelSpec('embedding', sys.argv[1], device='cpu')); handle.preload()\n"
        "atexit.register(lambda: print(len(handle(['the cat'])[0])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, folder_of(transformers.BertModel)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 1


@needs_fork
def test_a_child_runs_in_one_thread(folder_of):
    """After a fork a model that is loaded anew does not wait for the parent's threads, whatever number was asked for."""
    spec = ModelSpec("classification", folder_of(), device="cpu", threads=2)
    row = handle_of(spec)(["the cat"])
    assert true_in_a_child(
        lambda: handle_of(spec)(["the cat"])[0] == pytest.approx(row[0], abs=1e-5) and torch.get_num_threads() == 1
    )


def test_what_cannot_be_loaded(folder_of, tmp_path):
    """No folder, an empty one, one of another task, weights in pickle, broken files: each an error that says so."""
    (tmp_path / "empty").mkdir()
    encoder = folder_of(transformers.BertModel)
    pickled, torn, senseless, other = (folder_of() for _ in range(4))
    torch.save({}, pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    (torn / "model.safetensors").write_bytes((torn / "model.safetensors").read_bytes()[:100])
    (senseless / "tokenizer.json").write_text("{}")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    for task, path, words in (
        ("classification", tmp_path / "none", "no folder"),
        ("classification", Path("models/none"), "no folder"),
        ("classification", "a/b/none", "no folder"),
        ("classification", tmp_path / "empty", "cannot be loaded"),
        ("classification", encoder, "no weights for classifier"),
        ("classification", pickled, "cannot be loaded"),
        ("classification", torn, "cannot be loaded"),
        ("classification", senseless, "cannot be loaded"),
        ("classification", other, "cannot be loaded"),
    ):
        with pytest.raises(ConfigError, match=words):
            handle_of(ModelSpec(task, path))(["x"])


def test_loading_is_quiet(folder_of, capfd):
    """Nothing is written to the screen of whoever uses the library, and its own setting stands as before."""
    folder = folder_of()
    shown = transformers.utils.logging.is_progress_bar_enabled()
    capfd.readouterr()
    handle_of(ModelSpec("classification", folder))(["cat"])
    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.is_progress_bar_enabled() is shown


def test_the_code_of_a_model_is_not_run(folder_of):
    """A model that brings code of its own is refused."""
    folder = folder_of()
    config = json.loads((folder / "config.json").read_text())
    del config["model_type"]
    config["auto_map"] = {"AutoModelForSequenceClassification": "evil.Evil", "AutoConfig": "evil.Config"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('it ran')")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        handle_of(ModelSpec("classification", folder))(["x"])
