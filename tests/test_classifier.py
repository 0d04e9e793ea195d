"""Classifier: limits of labels and their score, the worst part of a long text, what a finding says, and refusals."""

from __future__ import annotations

import pickle
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from guards import Context, Guarded, Refrain, TextPiece, validate
from guards.checks import Classifier
from guards.checks.learned.classifier import Limit
from guards.contracts import Text
from guards.errors import ConfigError
from guards.models import ModelSpec
from guards.testing import FixedScores, ScriptedModel


def rude(texts):
    """The share of words that are "fool"."""
    return [text.lower().count("fool") / max(1, len(text.split())) for text in texts]


def many(texts):
    """Of two labels that may hold together: `fool` and `please` stand in the text."""
    return [[float("fool" in text), float("please" in text)] for text in texts]


def result(guard, value, context=None):
    scored = guard.check(value, Context(context or {}))
    return scored.score, list(scored.findings)


def test_a_forbidden_label():
    """What is more probable than its limit is a finding, with the label, the part and the score; the rest passes."""
    guard = Classifier(FixedScores({"You fool!": 0.9, "Thanks.": 0.1}), forbid="rude")
    score, (finding,) = result(guard, "You fool!")
    assert score == finding.score == pytest.approx(0.1)
    assert (finding.code, finding.path, finding.threshold) == ("classifier.forbidden", "", 0.5)
    assert finding.message == "must not read as rude, and does (probability 0.90)"
    assert finding.actual == "You fool!"
    assert finding.evidence == {"label": "rude", "passages": [{"span": [0, 9], "probability": 0.9}]}
    assert result(guard, "Thanks.") == (pytest.approx(0.9), [])


def test_a_required_label():
    """What is less probable than it must be is a finding."""
    guard = Classifier(FixedScores({"Go away.": 0.2, "Thank you.": 0.7}), require={"polite": 0.6})
    score, (finding,) = result(guard, "Go away.")
    assert (finding.code, score) == ("classifier.required", pytest.approx(1 / 6))
    assert finding.message == "must read as polite, and does not (probability 0.20)"
    assert result(guard, "Thank you.") == (pytest.approx(0.625), [])


def test_labels_that_may_hold_together():
    """Each label has its own limit and its own finding; a function's scores are those of the labels as named."""
    guard = Classifier(many, forbid={"rude": 0.3}, require={"polite": 0.8})
    assert [finding.code for finding in result(guard, "You fool.")[1]] == [
        "classifier.forbidden",
        "classifier.required",
    ]
    assert [finding.evidence["label"] for finding in result(guard, "please, fool")[1]] == ["rude"]
    assert result(guard, "please") == (1.0, [])
    assert len(result(Classifier(many, forbid=["rude", "polite"]), "please, fool")[1]) == 2


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99), st.booleans())
def test_the_score_of_a_probability(one, other, at, forbidden):
    """It lies between 0 and 1, never falls where the probability is better, and is below 0.5 just past the limit."""
    limit = Limit(("x",), at, forbidden)
    worse, better = sorted((one, other), reverse=forbidden)
    assert 0 <= limit.score(worse) <= limit.score(better) <= 1
    assert limit.score(at) == 0.5
    past = one > at if forbidden else one < at
    # Of two numbers that a float hardly tells apart, either may count.
    assert (limit.score(one) < 0.5) is past or abs(one - at) < 1e-12


def test_the_threshold_is_on_the_scale_of_scores():
    """A threshold moves what is refused and not the score, so that one found on labelled rows can be set."""
    strict = Classifier(FixedScores({"x": 0.3}), forbid="rude", threshold=0.8)
    score, (finding,) = result(strict, "x")
    assert (score, finding.threshold) == (pytest.approx(0.7), 0.8)
    assert result(Classifier(FixedScores({"x": 0.3}), forbid="rude", threshold=0.7), "x")[1] == []


def test_the_worst_window_counts():
    """A text over the model's limit is judged in windows; the finding points to the worst, and asks the model once."""
    calls = []

    def model(texts):
        calls.append(texts)
        return rude(texts)

    text = "All is well here. " * 10 + "You fool, fool, fool! " + "All is well here. " * 10
    spec = ModelSpec("classification", model, labels=("rude",), max_tokens=16)
    score, (finding,) = result(Classifier(spec, forbid={"rude": 0.2}), text)
    start, end = finding.evidence["passages"][0]["span"]
    assert finding.actual == text[start:end]
    assert "You fool, fool, fool!" in finding.actual
    assert len(finding.actual) < 60
    assert finding.score == score < 0.5
    assert len(calls) == 1
    assert result(Classifier(rude, forbid={"rude": 0.2}), text)[1] == []


def test_a_required_label_is_required_of_every_window():
    """For what is required the worst part counts, too."""
    text = "please do. " * 20 + "Go."
    assert result(Classifier(many, forbid="rude", require="polite"), text)[1] == []
    split = Classifier(many, forbid="rude", require="polite", split="sentences")
    assert [finding.actual for finding in result(split, text)[1]] == ["Go."]


def test_sentences_beside_the_whole():
    """With "both" the sentence and the whole are judged, and of equal scores the shorter part is named."""
    text = "All is well here. Fool! All is well."
    assert result(Classifier(rude, forbid="rude"), text)[1] == []
    (finding,) = result(Classifier(rude, forbid="rude", split="both"), text)[1]
    assert finding.evidence["passages"] == [{"span": [18, 23], "probability": 1.0}]
    (finding,) = result(Classifier(many, forbid=["rude", "polite"], split="both"), "It is so. A fool is.")[1]
    assert [passage["span"] for passage in finding.evidence["passages"]] == [[10, 20], [0, 20]]


def test_at_most_five_parts_are_told():
    """The evidence of a text that is bad all over stays short."""
    (finding,) = result(Classifier(rude, forbid="rude", split="sentences"), "Fool. " * 30)[1]
    assert len(finding.evidence["passages"]) == 5


class Reply(BaseModel):
    """A reply to a customer."""

    subject: str
    lines: list[str]
    number: int = 1


def test_every_text_of_a_value():
    """Each text of a structured value is judged and addressed; the worst gives the score."""
    outcome = validate(
        '{"subject": "fool", "lines": ["Hello", "you fool"]}', Reply, guards=[Classifier(rude, forbid={"rude": 0.4})]
    )
    assert [finding.path for finding in outcome.findings] == ["/subject", "/lines/1"]
    assert outcome.scores == {"classifier": 0.0}


def test_at_a_place_and_in_a_field():
    """As any guard it stands at one place, and inside a type."""
    guard = Classifier(rude, forbid="rude")
    answer = '{"subject": "fool", "lines": ["Hello"]}'
    assert validate(answer, Reply, guards=[guard.on("$.lines[*]")]).ok
    typed = validate('{"title": "fool"}', dict[str, Annotated[str, guard]])
    assert [finding.path for finding in typed.findings] == ["/title"]


def test_a_value_without_text():
    """Nothing forbidden is in it, so it passes with 1; nothing required is in it either, so it does not."""
    assert result(Classifier(many, forbid=["rude", "polite"]), {"a": 1, "b": [None, " "]}) == (1.0, [])
    score, (finding,) = result(Classifier(many, forbid="rude", require="polite"), "")
    assert (score, finding.score, finding.message) == (0.0, 0.0, "must read as polite, and holds no text")


def test_a_label_that_the_model_lacks():
    """It is a failure of the guard that names the labels which there are, never a pass."""
    spec = ModelSpec("classification", many, labels=("rude", "polite"))
    outcome = validate("hello", Text(), guards=[Classifier(spec, forbid="toxic")])
    assert not outcome.ok
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]
    assert "no label 'toxic'; it has 'rude', 'polite'" in outcome.findings[0].message
    named = Classifier(spec, forbid={("toxic", "rude"): 0.5})
    assert result(named, "You fool")[1][0].evidence["label"] == "toxic"


def test_a_model_that_fails():
    """What the model raises, and a score that is none, fail the guard."""
    for model in (FixedScores({}), lambda texts: [2.0 for _ in texts], lambda texts: [[0.1, 0.2] for _ in texts]):
        outcome = validate("hello", Text(), guards=[Classifier(model, forbid="rude")])
        assert [finding.code for finding in outcome.findings] == ["guard.failed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no label is named"),
        ({"forbid": []}, "no label is named"),
        ({"forbid": " "}, "names no label"),
        ({"forbid": [3]}, "names no label"),
        ({"forbid": {(): 0.5}}, "names no label"),
        ({"forbid": 3}, "int is no label"),
        ({"forbid": {"a", "b"}}, "a set has no order"),
        ({"forbid": "a", "require": "a"}, "named twice"),
        ({"forbid": {"a": 0}}, "would hold for every text"),
        ({"forbid": {"a": 1.0}}, "would hold for every text"),
        ({"require": {"a": 2}}, "from 0 to 1"),
        ({"require": {"a": True}}, "from 0 to 1"),
        ({"forbid": "a", "threshold": "0.5"}, "from 0 to 1"),
        ({"forbid": "a", "split": "words"}, "unknown split"),
    ],
)
def test_options_that_cannot_work(options, words):
    """Each is an error where it is written."""
    with pytest.raises(ConfigError, match=words):
        Classifier(rude, **options)


def test_a_spec_of_another_task():
    """A model of pairs is no classifier; nothing is no model."""
    with pytest.raises(ConfigError, match="the spec is for 'pairs'"):
        Classifier(ModelSpec("pairs", rude, labels=("a",)), forbid="a")
    with pytest.raises(ConfigError, match="names no model"):
        Classifier("", forbid="a")


def test_it_is_a_value():
    """It compares by its options, pickles, loads nothing when it is made, and says which model it asks."""
    guard = Classifier("some/model", forbid={"toxic": 0.4}, require="polite", name="manners")
    assert guard == Classifier("some/model", forbid={"toxic": 0.4}, require="polite", name="manners")
    assert guard != Classifier("some/model", forbid={"toxic": 0.5}, require="polite", name="manners")
    assert pickle.loads(pickle.dumps(guard)) == guard
    assert guard.specs == (ModelSpec("classification", "some/model"),)
    assert (guard.name, guard.cost) == ("manners", 2)


def test_in_a_call_it_is_told_to_the_model():
    """The model hears what the text must not read as, with the part in a code span."""
    llm = ScriptedModel(["You fool.", "Dear customer."])
    ticket = Guarded(Text(), guards=[Classifier(rude, forbid={"rude": 0.4})])
    assert ticket.call(llm, "Write to them.") == "Dear customer."
    assert (
        "- the whole answer: `must not read as rude, and does (probability 0.50)` (classifier.forbidden); got `You fool.`"
        in llm.calls[1][-1]["content"]
    )


def test_as_an_input_guard():
    """It refuses the user's text before a model is called."""
    llm = ScriptedModel([])
    ticket = Guarded(Text(), input_guards=[Classifier(rude, forbid={"rude": 0.4})])
    outcome = ticket.run(llm, "You fool.")
    assert (outcome.reason, outcome.findings[0].code) == ("input.refused", "classifier.forbidden")
    assert llm.calls == []


def test_while_an_answer_is_streamed():
    """Sentences are judged as they come where sentences are judged anyway; what must be there needs the whole answer."""
    guard = Classifier(rude, forbid="rude", split="both")
    assert guard.partial
    assert not Classifier(rude, forbid="rude").partial
    assert not Classifier(many, forbid="rude", require="polite", split="both").partial
    events = Guarded(Text(), guards=[guard], on_fail=Refrain()).stream(
        ScriptedModel([["It is ready. ", "Fool! ", "Bye."]]), "How is it?"
    )
    assert [event.text for event in events if isinstance(event, TextPiece)] == ["It is ready."]


def test_a_folder_of_transformers(tmp_path):
    """A real model's labels are found by name, and a long text is cut by its own tokens, so that all of it is seen."""
    pytest.importorskip("transformers")
    import tiny

    from guards.models import handle_of

    folder = tiny.bert(tmp_path, **tiny.named("fine", "toxic"))
    guard = Classifier(folder, forbid={"toxic": 0.01}, split="both")
    text = "the cat sat on the mat . " * 6 + "a dog not cat ."
    _, (finding,) = result(guard, text)
    handle = handle_of(guard.specs[0])
    worst = finding.evidence["passages"][0]
    rows = handle([text[slice(*passage["span"])] for passage in finding.evidence["passages"]])
    assert [row[1] for row in rows] == pytest.approx([p["probability"] for p in finding.evidence["passages"]])
    assert worst["probability"] == max(passage["probability"] for passage in finding.evidence["passages"])
    assert all(len(handle.spans(text[slice(*span)])) <= 22 for span in guard._cuts(text))
