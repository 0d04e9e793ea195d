"""Toxicity: what it forbids, of which model, and what the finding says."""

from __future__ import annotations

import pickle

import pytest
from embedded import needs

from guards import Context, validate
from guards.checks import Toxicity
from guards.contracts import Text
from guards.errors import ConfigError
from guards.models import ModelSpec
from guards.testing import FixedScores


def result(guard, value):
    scored = guard.check(value, Context({}))
    return scored.score, list(scored.findings)


def test_a_toxic_text():
    """The score is 1 less the probability, and the message tells a model what to do."""
    guard = Toxicity(model=FixedScores({"You idiot.": 0.97, "Dear customer.": 0.02}))
    score, (finding,) = result(guard, "You idiot.")
    assert (finding.code, finding.score, finding.threshold) == ("toxicity.toxic", score, 0.5)
    assert score == pytest.approx(0.03)
    assert finding.message == "reads as toxic (probability 0.97); say it without insult, threat or hate"
    assert result(guard, "Dear customer.") == (pytest.approx(0.98), [])


def test_one_sentence_of_many():
    """A sentence counts though the whole seems harmless to the model."""
    guard = Toxicity(model=FixedScores({"You idiot.": 0.9}, default=0.1))
    (finding,) = result(guard, "The parcel is here. You idiot. Goodbye.")[1]
    assert finding.actual == "You idiot."
    assert finding.evidence["passages"] == [{"span": [20, 30], "probability": 0.9}]
    assert result(guard.__class__(model=guard.specs[0], split="windows"), "The parcel is here. You idiot.")[1] == []
    assert guard.partial


def test_labels_of_other_models():
    """Models that call it `toxicity` are understood; any other labels are named, each of them forbidden."""
    spec = ModelSpec("classification", lambda texts: [[0.9, 0.8] for _ in texts], labels=("toxicity", "threat"))
    assert [f.evidence["label"] for f in result(Toxicity(model=spec), "x")[1]] == ["toxic"]
    both = Toxicity(model=spec, labels=["toxicity", "threat"])
    assert [f.message[:16] for f in result(both, "x")[1]] == ["reads as toxicit", "reads as threat "]
    outcome = validate("x", Text(), guards=[Toxicity(model=spec, labels="insult")])
    assert "no label 'insult'" in outcome.findings[0].message
    assert not outcome.ok


def test_it_is_a_value():
    """By default it names the embedded classifier, loads nothing, compares and pickles."""
    assert Toxicity() == Toxicity(threshold=0.5)
    assert Toxicity() != Toxicity(threshold=0.4)
    assert Toxicity().specs == (ModelSpec("classification", "embedded:toxicity"),)
    assert pickle.loads(pickle.dumps(Toxicity(name="t"))) == Toxicity(name="t")
    with pytest.raises(ConfigError, match=r"Toxicity\(threshold=\)"):
        Toxicity(threshold=5)


@pytest.mark.parametrize(
    ("text", "toxic"),
    [
        ("You are a worthless idiot and everybody hates you.", True),
        ("Shut up, you stupid piece of trash.", True),
        ("Your parcel will arrive on Tuesday.", False),
        ("Thank you for your patience, we are sorry for the delay.", False),
        ("Restart the printer and try again.", False),
    ],
)
def test_the_embedded_model(text, toxic):
    """The classifier that comes with the library tells plain insults from plain business."""
    needs("toxicity")
    assert bool(result(Toxicity(), text)[1]) is toxic
