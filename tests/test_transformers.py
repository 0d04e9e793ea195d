"""Models of transformers, loaded by the real code from folders made here: labels, lengths, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from guards.errors import ConfigError  # noqa: E402
from guards.models import ModelSpec, handle_of  # noqa: E402

# What these packages warn of within themselves is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore")

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "sat", "on", "mat", "a", "not", ".", "##s"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """A folder with a tiny BERT of random weights, as transformers itself writes it."""

    def make(kind=transformers.BertForSequenceClassification, **options):
        folder = tmp_path_factory.mktemp("model")
        torch.manual_seed(7)
        model = kind(transformers.BertConfig(**SIZES, **options))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(8)  # else every text scores alike
        model.save_pretrained(folder)
        (folder / "vocab.txt").write_text("\n".join(WORDS))
        transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
        return folder

    return make


def test_scores_of_a_classifier(folder_of):
    """One probability per label, named by the model's own map; the same as transformers gives by hand."""
    folder = folder_of(id2label={0: "toxic", 1: "fine", 2: "odd"}, label2id={"toxic": 0, "fine": 1, "odd": 2})
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
    labels = {"id2label": {0: "a", 1: "b"}, "label2id": {"a": 0, "b": 1}}
    (row,) = handle_of(ModelSpec("classification", folder_of(problem_type="multi_label_classification", **labels)))(
        ["cat"]
    )
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


def test_what_cannot_be_loaded(folder_of, tmp_path):
    """No folder, an empty one, one of another task, weights in pickle: each an error that says so, and no hub asked."""
    (tmp_path / "empty").mkdir()
    encoder = folder_of(transformers.BertModel)
    pickled = folder_of()
    torch.save({}, pickled / "pytorch_model.bin")
    (pickled / "model.safetensors").unlink()
    for task, path, words in (
        ("classification", tmp_path / "none", "no folder"),
        ("classification", Path("models/none"), "no folder"),
        ("classification", "a/b/none", "no folder"),
        ("classification", tmp_path / "empty", "cannot be loaded"),
        ("classification", encoder, "no weights for classifier"),
        ("classification", pickled, "cannot be loaded"),
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
