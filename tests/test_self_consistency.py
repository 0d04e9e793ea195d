"""SelfConsistency: further samples of the same question, compared sentence by sentence or value by value."""

from __future__ import annotations

import asyncio
import json
import pickle

import pytest
from models import Ticket

from guards import Budget, ConfigError, Feedback, Guarded, Raise, Reply, avalidate, validate
from guards.checks import SelfConsistency
from guards.contracts import Choice, Text
from guards.errors import GuardFailed
from guards.models import ModelSpec
from guards.models.items import words as words_of
from guards.testing import ScriptedModel

ANSWER = "Ada was born in London. She met Babbage in 1833."
OTHER = "Ada was born in London. She met Babbage in 1840."
QUESTION = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Who was Ada?"}]


def by_words(pairs):
    """In a model's place: what stands in the premise is entailed, another year contradicts, else neither."""
    rows = []
    for premise, claim in pairs:
        known = claim in premise
        clash = not known and "1833" in claim and "1840" in premise
        rows.append((0.9, 0.1, 0.0) if known else (0.0, 0.2, 0.8) if clash else (0.1, 0.8, 0.1))
    return rows


def turned(pairs):
    """The same with the labels in another order, as other NLI models have them."""
    return [(c, e, n) for e, n, c in by_words(pairs)]


def unnamed(pairs):
    return [(0.5, 0.5) for _ in pairs]


class Sampled:
    """A client that gives one answer first, then its samples over and over, whoever asks when."""

    def __init__(self, answer, *samples):
        self.calls = []
        self._answer = answer
        self._samples = samples

    def __call__(self, messages):
        self.calls.append(messages)
        number = len(self.calls) - 1
        return self._answer if number == 0 else self._samples[(number - 1) % len(self._samples)]


def guard_of(samples=4, **options):
    return SelfConsistency(samples, **{"model": by_words, **options})


def checked(answer, samples, guard, contract):
    """A call whose answer is checked against these samples; refused at once where it does not hold."""
    return Guarded(contract, guards=[guard], on_fail=Raise()).run(Sampled(answer, *samples), QUESTION)


# -- text ------------------------------------------------------------------------------------------------------------


def test_a_sentence_that_the_samples_contradict_is_found():
    """SelfCheckGPT's score per sentence: contradiction among what is not neutral, the mean over the samples."""
    outcome = checked(ANSWER, [OTHER, ANSWER, OTHER, OTHER], guard_of(), Text())
    (finding,) = outcome.findings
    assert (finding.code, finding.actual) == ("consistency.contradicted", "She met Babbage in 1833.")
    assert finding.score == pytest.approx(1 - 3 / 4)
    assert outcome.scores == {"self_consistency": finding.score}
    start, end = finding.evidence["span"]
    assert ANSWER[start:end] == finding.evidence["sentence"] == finding.actual
    assert sorted(finding.evidence["contradictions"]) == [0.0, 1.0, 1.0, 1.0]
    assert checked(ANSWER, [OTHER, ANSWER, ANSWER, ANSWER], guard_of(), Text()).ok


def test_the_samples_are_asked_the_same_question():
    """By the same client, with the same messages, as many times as was said."""
    model = Sampled(ANSWER, ANSWER)
    assert Guarded(Text(), guards=[guard_of(3)]).call(model, QUESTION) == ANSWER
    assert model.calls == [QUESTION] * 4


def test_an_answer_that_was_asked_again_is_compared_under_its_own_question():
    """The second attempt's samples see the feedback that it saw."""
    # Questions: the answer, a sample; the answer again, a sample.
    model = ScriptedModel([ANSWER, OTHER, OTHER, OTHER])
    assert Guarded(Text(), guards=[guard_of(1)]).call(model, QUESTION) == OTHER
    assert [len(call) for call in model.calls] == [2, 2, 4, 4]
    assert "contradict this sentence" in model.calls[3][-1]["content"]


def test_labels_are_taken_by_name():
    """An NLI model with its labels in another order gives the same verdict; one without them is a failed guard."""
    spec = ModelSpec("pairs", turned, labels=("CONTRADICTION", "entailment", "neutral"))
    outcome = checked(ANSWER, [OTHER], guard_of(model=spec), Text())
    assert [finding.actual for finding in outcome.findings] == ["She met Babbage in 1833."]
    outcome = checked(ANSWER, [OTHER], guard_of(model=ModelSpec("pairs", unnamed, labels=("yes", "no"))), Text())
    assert outcome.reason == "guard.failed"
    assert isinstance(outcome.cause, ConfigError)


def test_a_long_sample_is_read_in_windows():
    """What supports a sentence may stand anywhere in a sample that is longer than the model can read."""

    def narrow(pairs):
        assert all(len(premise.split()) + len(claim.split()) <= 64 for premise, claim in pairs)
        return by_words(pairs)

    filler = "Nothing of note was said there. " * 30
    spec = ModelSpec("pairs", narrow, labels=("entailment", "neutral", "contradiction"), max_tokens=64)
    outcome = checked(ANSWER, [filler + ANSWER + " " + filler], guard_of(model=spec), Text())
    assert outcome.scores == {"self_consistency": 1.0}


def test_where_nothing_is_said_either_way_nothing_is_known():
    """A model that finds a sample wholly neutral leaves a sentence at one half."""
    guard = guard_of(model=lambda pairs: [(0.0, 1.0, 0.0) for _ in pairs], threshold=0.6)
    outcome = checked("All is well.", ["Nobody knows."], guard, Text())
    assert outcome.scores == {"self_consistency": 0.5}


def test_a_sample_that_says_nothing_counts_against():
    """Samples that were filtered, or are empty, support no sentence."""
    samples = [Reply(ANSWER, finish_reason="content_filter"), "", ANSWER, ANSWER]
    outcome = checked(ANSWER, samples, guard_of(threshold=0.6), Text())
    assert {finding.score for finding in outcome.findings} == {0.5}
    assert len(outcome.findings) == 2


def test_a_long_sentence_is_compared_in_parts():
    """What a sentence says beyond the model's input is compared too."""

    def narrow(pairs):
        assert all(len(words_of(premise)) + len(words_of(claim)) <= 32 for premise, claim in pairs)
        return [(0.0, 0.1, 0.9) if "false" in claim else (0.9, 0.1, 0.0) for _, claim in pairs]

    spec = ModelSpec("pairs", narrow, labels=("entailment", "neutral", "contradiction"), max_tokens=32)
    answer = "It is so and " * 20 + "false."
    (finding,) = checked(answer, ["It is so."], guard_of(1, model=spec), Text()).findings
    start, end = finding.evidence["span"]
    assert answer[start:end] == finding.actual
    assert finding.actual.endswith("false.")


@pytest.mark.parametrize("by", [None, "meaning"])
def test_marks_alone_are_compared_by_value(by):
    """A text without a word has no sentence that could be compared: it is not taken for agreed upon."""
    assert checked("?! ...", ["Yes."], guard_of(1, by=by), Text()).scores == {"self_consistency": 0.0}
    assert checked("?! ...", ["?!  ..."], guard_of(1, by=by), Text()).ok


def test_a_sample_of_none_is_no_text():
    """Where the contract takes nothing for an answer, a sample of it counts against a text, and is not read as one."""

    def strict(pairs):
        assert not any("None" in premise for premise, _ in pairs)
        return by_words(pairs)

    outcome = checked(json.dumps(ANSWER), ["null"], guard_of(1, model=strict), str | None)
    assert outcome.scores == {"self_consistency": 0.0}


# -- values ----------------------------------------------------------------------------------------------------------


def test_values_agree_by_their_share():
    """Each value of a structured answer is compared in its place; one that too few samples have is found at its path."""
    samples = [
        '{"title": "PRINTER ", "priority": 2}',
        '{"title": "Printer", "priority": 4}',
        '{"title": "Printer", "priority": 5}',
        "I cannot say.",
    ]
    outcome = checked('{"title": "Printer", "priority": 2}', samples, guard_of(), Ticket)
    (finding,) = outcome.findings
    assert (finding.code, finding.path, finding.score) == ("consistency.differs", "/priority", 0.25)
    assert finding.message == "only 1 of 4 other answers to the same question agree"
    assert (finding.actual, sorted(finding.evidence["values"]), finding.evidence["samples"]) == (2, [2, 4, 5], 4)
    assert outcome.scores == {"self_consistency": 0.25}


@pytest.mark.parametrize(
    ("answer", "sample", "paths"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": None, "b": []}, {"a": None, "b": []}, []),
        ({"a": []}, {"a": {}}, ["/a"]),
        ({"a": [1, 2]}, {"a": [1]}, ["/a/1"]),
        ({"a/b": {"c": "x"}}, {}, ["/a~1b/c"]),
        ({"a": 1}, {"a": 1, "b": 2}, []),
    ],
)
def test_what_agrees(answer, sample, paths):
    """Numbers by value, nothing but the same kind, items by place; what only a sample says is no claim."""
    outcome = checked(json.dumps(answer), [json.dumps(sample)], guard_of(1), {"type": "object"})
    assert [finding.path for finding in outcome.findings] == paths


def test_a_place_is_compared_with_the_same_place():
    """At a place the part alone is compared; a sample without it disagrees."""
    guard = guard_of(2)
    text = '{"title": "Printer", "priority": 2}'
    outcome = checked(text, [text.replace("2", "3")], guard.on("$.title"), Ticket)
    assert outcome.scores == {"self_consistency": 1.0}
    outcome = checked('["a", "b"]', ['["a"]'], guard.on("$[1]"), list[str])
    assert [(finding.path, finding.score) for finding in outcome.findings] == [("/1", 0.0)]
    document = {"summary": ANSWER, "year": 1833}
    other = json.dumps(document | {"summary": OTHER})
    outcome = checked(json.dumps(document), [other], guard.on("$.summary"), {"type": "object"})
    assert [(finding.path, finding.code) for finding in outcome.findings] == [("/summary", "consistency.contradicted")]


def test_xml_has_its_paths():
    """A value of an XML answer is addressed by its XPath."""
    ticket = Guarded(Ticket, format="xml", guards=[guard_of(1)], on_fail=Raise())
    text = "<Ticket><title>Printer</title><priority>2</priority></Ticket>"
    outcome = ticket.run(Sampled(text, text.replace("2", "3")), QUESTION)
    assert [finding.path for finding in outcome.findings] == ["/Ticket/priority"]


def test_words_are_compared_by_value_unless_told_otherwise():
    """One word, or any text with by="value", needs no NLI model; by="meaning" needs text."""

    def unused(pairs):
        raise AssertionError("no model is needed")

    assert checked("billing", ["Billing"], guard_of(model=unused), Text()).ok
    assert checked("new wish", ["bug"], guard_of(model=unused), Choice(["new wish", "bug"])).reason == "guard.failed"
    guard = guard_of(model=unused, by="value")
    assert [f.code for f in checked("new wish", ["bug"], guard, Choice(["new wish", "bug"])).findings] == [
        "consistency.differs"
    ]
    outcome = checked("5", ["5"], guard_of(by="meaning"), int)
    assert (outcome.reason, "compares text, not int" in outcome.findings[0].message) == ("guard.failed", True)


# -- who is asked ----------------------------------------------------------------------------------------------------


def test_where_nobody_can_be_called_it_needs_a_client_and_the_question():
    """A decorated function is never called again for a sample: each shape names what is missing."""

    def function(mail, *, feedback: Feedback | None = None):
        return ANSWER

    own = guard_of(client=ScriptedModel([]))
    for use, words in (
        (lambda: Guarded(Text(), guards=[guard_of()])(function), "give it a client"),
        (lambda: Guarded(Text(), guards=[guard_of()]).attempts("q"), "give it a client"),
        (lambda: validate(ANSWER, Text(), guards=[guard_of()]), "give it a client"),
        (lambda: Guarded(Text(), guards=[own])(function), "tell it the key of the context that holds the question"),
        (lambda: validate(ANSWER, Text(), guards=[own]), "tell it the key of the context that holds the question"),
        (lambda: validate(ANSWER, Text(), guards=[guard_of(client=print, question="q")]), "needs the key 'q'"),
    ):
        with pytest.raises(ConfigError, match=words):
            use()


def test_with_both_it_samples_in_every_shape():
    """With a client of its own, and the messages known or a key for the question, it asks beside the caller's code."""
    asked = []

    def client(messages):
        asked.append(messages)
        return Reply(ANSWER, {"input_tokens": 5, "output_tokens": 5})

    by_key, by_messages = guard_of(2, client=client, question="mail"), guard_of(2, client=client)

    @Guarded(Text(), guards=[by_key])
    def answer(mail, *, feedback: Feedback | None = None):
        return ANSWER

    @Guarded(Text(), guards=[by_messages])
    def reply(messages):
        return ANSWER

    outcomes = [answer.outcome("Who was Ada?"), reply.outcome(QUESTION)]
    outcomes.append(validate(ANSWER, Text(), guards=[by_key], context={"mail": QUESTION}))
    loop = Guarded(Text(), guards=[by_messages]).attempts(QUESTION)
    for attempt in loop:
        with attempt:
            attempt.offer(ANSWER)
    outcomes.append(loop.outcome)
    for outcome in outcomes:
        assert (outcome.ok, outcome.usage.total_tokens, outcome.scores) == (True, 20, {"self_consistency": 1.0})
    assert asked == [[{"role": "user", "content": "Who was Ada?"}]] * 2 + [QUESTION] * 6


def test_a_question_that_is_not_known_after_all_fails():
    """A function whose messages are no turns leaves nothing to ask again: never a pass."""

    @Guarded(Text(), guards=[guard_of(client=ScriptedModel([]))], on_fail=Raise())
    def reply(messages, feedback: Feedback | None = None):
        return ANSWER

    outcome = reply.outcome(object())
    assert (outcome.reason, "the question is not known" in outcome.findings[0].message) == ("guard.failed", True)


def test_sync_and_async_are_one():
    """The async forms give the same as the sync ones."""

    async def client(messages):
        return ANSWER

    async def run():
        called = await Guarded(Text(), guards=[guard_of()]).arun(client, QUESTION)
        guard = guard_of(client=client, question="q")
        return called, await avalidate(ANSWER, Text(), guards=[guard], context={"q": "Who was Ada?"})

    for outcome in asyncio.run(run()):
        assert (outcome.ok, outcome.scores) == (True, {"self_consistency": 1.0})


def test_a_sample_that_fails_is_a_failure_of_the_guard():
    """A dead client is no disagreement: the guard could not do its work, or says so as unknown."""

    def dead(messages):
        raise ConnectionError("no route")

    ticket = Guarded(Text(), guards=[guard_of(client=dead)])
    with pytest.raises(GuardFailed) as caught:
        ticket.call(lambda messages: ANSWER, QUESTION)
    assert isinstance(caught.value.__cause__, ConnectionError)
    opened = Guarded(Text(), guards=[guard_of(client=dead, on_error="open")])
    outcome = opened.run(lambda messages: ANSWER, QUESTION)
    assert (outcome.ok, [finding.severity for finding in outcome.findings]) == (True, ["unknown"])


def test_a_budget_that_ends_before_the_samples_is_a_failure():
    """Samples are paid by the call's budget; when it has ended nobody is asked, and nothing passes."""
    model = Sampled(Reply(ANSWER, {"input_tokens": 50, "output_tokens": 50}), ANSWER)
    outcome = Guarded(Text(), guards=[guard_of()], budget=Budget(tokens=100)).run(model, QUESTION)
    assert (outcome.reason, len(model.calls)) == ("guard.failed", 1)
    assert "The budget of 100 tokens ended" in outcome.findings[0].message


def test_it_is_a_value():
    """It pickles, compares by its options, and keeps no model in itself."""
    guard = SelfConsistency(3, model=by_words, threshold=0.7, question="q", client=unnamed)
    twin = pickle.loads(pickle.dumps(guard))
    assert (twin, repr(twin), twin.needs, twin.resamples) == (guard, repr(guard), ("q",), False)
    assert guard.specs == (guard.nli.spec,)
    assert SelfConsistency() != guard


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SelfConsistency(0), r"SelfConsistency\(samples=\): must be a whole number from 1 up"),
        (lambda: SelfConsistency(threshold="high"), r"SelfConsistency\(threshold=\)"),
        (lambda: SelfConsistency(by="feel"), "unknown way 'feel'; use 'meaning' or 'value'"),
        (lambda: SelfConsistency(model=5), "names no model"),
        (lambda: SelfConsistency(question=5), r"SelfConsistency\(question=\): must be text"),
    ],
)
def test_wrong_options_are_found_where_they_are_written(make, words):
    """Each option that cannot work is a ConfigError that names it."""
    with pytest.raises(ConfigError, match=words):
        make()
