"""Sentiment: by NLI hypotheses where there is no classifier, by a classifier where one is given."""

from __future__ import annotations

import pickle

import pytest
from embedded import needs

from guards import Context, validate
from guards.checks import Sentiment
from guards.contracts import Text
from guards.errors import ConfigError
from guards.models import ModelSpec, handle_of
from guards.testing import FixedScores

NLI = ("entailment", "neutral", "contradiction")


def entails(pairs):
    """What holds "great" or "awful" entails that its author is happy, or unhappy; anything else hardly does."""
    words = {"The author is happy.": "great", "The author is unhappy.": "awful"}
    likely = [0.6 if words[hypothesis] in text.lower() else 0.2 for text, hypothesis in pairs]
    return [[entailed, 1 - entailed, 0.0] for entailed in likely]


ZERO_SHOT = ModelSpec("pairs", entails, labels=NLI)


def result(guard, value):
    scored = guard.check(value, Context({}))
    return scored.score, list(scored.findings)


def test_by_hypotheses():
    """The two hypotheses are weighed against each other, and a negative text is refused by default."""
    guard = Sentiment(model=ZERO_SHOT)
    score, (finding,) = result(guard, "This is awful.")
    assert (finding.code, score) == ("sentiment.unwanted", pytest.approx(0.25))
    assert finding.message == "must not be negative in tone (it is with probability 0.75)"
    assert result(guard, "This is great.") == (pytest.approx(0.75), [])
    assert result(guard, "This is a table.") == (pytest.approx(0.5), [])
    assert guard.cost == 3
    assert guard.specs == (ZERO_SHOT,)


def test_what_is_required():
    """A tone can be required, with a probability of one's own; a value without text has none."""
    guard = Sentiment(require={"positive": 0.7}, model=ZERO_SHOT)
    assert result(guard, "This is great.")[1] == []
    assert [finding.message for finding in result(guard, "A table.")[1]] == [
        "must be positive in tone (it is with probability 0.50)"
    ]
    assert [(f.code, f.message) for f in result(guard, "")[1]] == [
        ("sentiment.unwanted", "must read as positive, and holds no text")
    ]
    both = Sentiment(forbid={"positive": 0.6, "negative": 0.6}, model=ZERO_SHOT)
    assert [len(result(both, text)[1]) for text in ("Great.", "Awful.", "Great and awful.")] == [1, 1, 0]


def test_nothing_entailed():
    """Where neither hypothesis is entailed at all, the text is neither positive nor negative."""
    spec = ModelSpec("pairs", lambda pairs: [[0.0, 1.0, 0.0] for _ in pairs], labels=NLI)
    assert result(Sentiment(model=spec), "x") == (0.5, [])


def test_a_long_text_leaves_room_for_the_hypothesis():
    """A text is cut so that it fits together with a hypothesis, and the worst window counts."""
    seen = []

    def watched(pairs):
        seen.extend(pairs)
        return entails(pairs)

    spec = ModelSpec("pairs", watched, labels=NLI, max_tokens=20)
    text = "A table stands there. " * 8 + "It is awful. " + "A table stands there. " * 8
    (finding,) = result(Sentiment(model=spec), text)[1]
    assert "awful" in finding.actual
    marks = 3
    assert all(len(handle_of(spec).spans(premise + hypothesis)) + marks <= 20 for premise, hypothesis in seen)


def test_by_a_classifier():
    """A classifier's labels are found by their names, short ones too; a function gives those that are named."""
    spec = ModelSpec("classification", lambda texts: [[0.8, 0.1, 0.1] for _ in texts], labels=("NEG", "NEU", "POS"))
    assert len(result(Sentiment(model=spec), "x")[1]) == 1
    assert result(Sentiment(forbid="positive", model=spec), "x") == (pytest.approx(0.9), [])
    guard = Sentiment(require="positive", model=FixedScores({"Great.": 0.9}))
    assert result(guard, "Great.") == (pytest.approx(0.9), [])
    assert guard.cost == 2
    stars = ModelSpec("classification", lambda texts: [[0.5, 0.5] for _ in texts], labels=("1 star", "5 stars"))
    outcome = validate("x", Text(), guards=[Sentiment(model=stars)])
    assert "no label 'negative' or 'neg'; it has '1 star', '5 stars'" in outcome.findings[0].message


def test_it_is_a_value():
    """By default it names the embedded NLI model, loads nothing, compares and pickles; other moods are refused."""
    assert Sentiment() == Sentiment(forbid=None) != Sentiment(require="positive")
    assert Sentiment().specs == (ModelSpec("pairs", "embedded:nli"),)
    assert pickle.loads(pickle.dumps(Sentiment(require="positive"))) == Sentiment(require="positive")
    with pytest.raises(ConfigError, match="'angry' is no sentiment"):
        Sentiment(forbid="angry")
    with pytest.raises(ConfigError, match="does not tell what is neutral.*cardiffnlp"):
        Sentiment(forbid="neutral")
    assert Sentiment(require="neutral", model="some/classifier").cost == 2
    with pytest.raises(ConfigError, match="the spec is for 'embedding'"):
        Sentiment(model=ModelSpec("embedding", "some/encoder"))


@pytest.mark.parametrize(
    ("text", "negative"),
    [
        ("I hate this, it is a terrible product and I want my money back.", True),
        ("I love it, this is the best thing that I have ever bought.", False),
    ],
)
def test_the_embedded_model(text, negative):
    """The NLI model that comes with the library tells plain praise from plain complaint."""
    needs("nli")
    assert bool(result(Sentiment(), text)[1]) is negative
