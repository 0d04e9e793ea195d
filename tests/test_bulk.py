"""score_many: any guard over many values, on the scale of Outcome.scores, and never a number for what has none."""

from __future__ import annotations

import asyncio
import io
import random

import pytest

from guards import Finding, Guard, check, validate
from guards.checks import Length, Scored, Toxicity, score_many
from guards.checks.asking import AskingGuard
from guards.contracts import Text
from guards.contracts.compiled import compile_contract
from guards.effects import Question, Rows
from guards.errors import ConfigError
from guards.measuring.progress import Progress
from guards.models import ModelSpec
from guards.testing import FixedScores, ScriptedModel


class Twice(Guard):
    """Asks one model, then another about what the first one found fine: longer texts score lower."""

    needs = ("most",)

    def __init__(self, first, second):
        self.first = ModelSpec("classification", first, labels=("short",))
        self.second = ModelSpec("pairs", second, labels=("alike",))
        super().__init__()

    @property
    def specs(self):
        return (self.first, self.second)

    def flow(self, value, context):
        ((short,),) = yield Rows(self.first, [value])
        if short < 0.5:
            return Finding("twice.long", "too long", score=short)
        rows = yield Rows(self.second, [(value, value), (value, context["most"])])
        return Scored(min(row[0] for row in rows))


class Model:
    """A function of items that keeps its batches, and gives a score by length."""

    def __init__(self):
        self.batches = []

    def __call__(self, items):
        self.batches.append(list(items))
        if any("bad" in item for item in items):
            raise OSError("no such text")
        return [1 / (1 + len("".join(item)) / 20) for item in items]


@check
async def slowly(value, context):
    await asyncio.sleep(0)
    if value == "bad":
        raise OSError("no such text")
    return Scored(len(value) / 10)


@check(timeout=20)
def bounded(value):
    return Finding("mine.long", "too long", score=0.25) if len(value) > 3 else None


class Ask(AskingGuard):
    """Asks its client for a number."""

    def flow(self, value, context):
        number = yield Question([{"role": "user", "content": value}], compile_contract(float))
        return Scored(number)


def texts(count, seed=1):
    rng = random.Random(seed)
    return ["x" * rng.randrange(1, 40) + str(n) for n in range(count)]


@pytest.mark.parametrize(
    "guard",
    [
        Length(max=10),
        Toxicity(model=FixedScores({"x" * 20: 0.9}, default=0.2)),
        slowly,
        bounded,
        check(name="mine")(lambda value: "no" if len(value) > 5 else None),
    ],
    ids=lambda guard: guard.name,
)
def test_the_numbers_are_those_of_an_outcome(guard):
    """A rule, a model guard, an async check, one with a bound: the same score as `validate` gives, in order."""
    values = ["a", "x" * 20, "abcdef", "1234"] if guard is not slowly else ["a", "abcdef"]
    singly = [validate(value, Text(), guards=[guard]).scores[guard.name] for value in values]
    assert score_many(guard, values) == singly


def test_checks_in_step_share_batches():
    """The questions of many checks are put together, round by round, each once, in full batches of like length."""
    first, second = Model(), Model()
    guard = Twice(first, second)
    values = texts(300) + texts(300)
    scores = score_many(guard, values, {"most": "x"})
    context = {"most": "x"}
    for number in (0, 17, 299, 450):
        outcome = validate(values[number], Text(), guards=[Twice(Model(), Model())], context=context)
        assert scores[number] == outcome.scores["twice"]
    assert sum(map(len, first.batches)) == 300
    assert max(map(len, first.batches)) == 64
    assert len(first.batches) <= 10
    lengths = [[len(item) for item in batch] for batch in first.batches]
    assert max(max(batch) - min(batch) for batch in lengths) <= 12
    assert any(item[1] == "x" for batch in second.batches for item in batch)


def test_batches_are_the_same_in_every_process():
    """The order of what is asked does not hang on the hashes of texts, which each process has its own of."""
    seen = Model()
    score_many(Twice(seen, Model()), ["b", "a", "d", "c"], {"most": "x"})
    assert [item for batch in seen.batches for item in batch] == ["b", "a", "d", "c"]


def test_each_value_may_have_its_context():
    """A list of contexts gives each value its own."""
    guard = Twice(Model(), Model())
    near, far = score_many(guard, ["abc", "abc"], [{"most": "x"}, {"most": "x" * 60}])
    assert near > far


@pytest.mark.parametrize("guard", [Twice(Model(), Model()), slowly], ids=["a model", "async"])
def test_a_fault_names_its_value(guard):
    """What cannot be judged has no score: the guard's own fault comes out, with the number of the value."""
    contexts = {"most": "x"}
    with pytest.raises(OSError, match="no such text") as caught:
        score_many(guard, ["a", "aa", "bad", "aaaa"], contexts)
    assert caught.value.__notes__ == ["guards: score_many, values[2]"]


def test_a_verdict_that_is_none_names_its_value():
    """A check that gives something else than a verdict is a fault of that value."""
    guard = check(name="odd")(lambda value: True if value == "b" else None)
    with pytest.raises(TypeError) as caught:
        score_many(guard, ["a", "b"])
    assert caught.value.__notes__ == ["guards: score_many, values[1]"]


def test_a_client_is_asked_side_by_side():
    """A guard that asks a client scores each value by its own answer."""

    def answer(messages):
        return str(len(messages[-1]["content"]) / 10)

    values = ["a" * n for n in range(1, 10)]
    scores = score_many(Ask(client=ScriptedModel([answer] * 9)), values)
    assert scores == [pytest.approx(len(value) / 10) for value in values]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: score_many(Length(max=1).on("$.a"), ["a"]), "a place is one of an answer"),
        (lambda: score_many(Length, ["a"]), "is a class"),
        (lambda: score_many(Length(max=1), "a"), "needs a list"),
        (lambda: score_many(Length(max=1), ["a"], [{}, {}]), "2 contexts for 1 values"),
        (lambda: score_many(Length(max=1), ["a"], ["b"]), r"contexts\[0\]: is no mapping"),
        (lambda: score_many(Length(max=1), ["a"], "b"), "needs a list"),
        (lambda: score_many(Twice(Model(), Model()), ["a"]), r"contexts=: the guard 'twice' needs the key 'most'"),
        (lambda: score_many(Twice(Model(), Model()), ["a", "b"], [{"most": "x"}, {}]), r"contexts\[1\]: the guard"),
        (lambda: score_many(Ask(), ["a"]), "nobody here can be asked"),
        (lambda: score_many(Ask(client=ScriptedModel([]).acall), ["a"]), "is async"),
    ],
)
def test_wrong_use(call, words):
    """What cannot be scored is an error before anything is asked."""
    with pytest.raises(ConfigError, match=words):
        call()


def test_nothing_to_score():
    """No values, no scores."""
    assert score_many(Length(max=1), []) == []
    assert score_many(slowly, iter([])) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_long_work_shows_how_far_it_is():
    """After two seconds a line on a terminal says how much is done and left, and is wiped at the end."""
    now = [0.0]
    screen = Terminal()
    with Progress("toxicity", 4000, stream=screen, clock=lambda: now[0]) as shown:
        shown.advance(1000)
        assert screen.getvalue() == ""
        now[0] = 4.0
        shown.advance(1000)
        assert screen.getvalue() == "\rtoxicity: 2,000 of 4,000, 4 s left"
        shown.advance(1000)
        now[0] = 400.0
        shown.advance(500)
    assert screen.getvalue().endswith("\rtoxicity: 3,500 of 4,000, 57 s left\r" + " " * 35 + "\r")


@pytest.mark.parametrize(("stream", "wanted"), [(io.StringIO(), None), (Terminal(), False)])
def test_nothing_is_shown_unasked(stream, wanted):
    """A file gets no progress, nor does a terminal where it is switched off."""
    now = iter(range(0, 100, 10))
    with Progress("x", 2, wanted, stream=stream, clock=lambda: float(next(now))) as shown:
        shown.advance(1)
    assert stream.getvalue() == ""


def test_progress_that_is_asked_for_goes_to_standard_error(capsys):
    """`progress=True` shows it wherever standard error goes."""
    score_many(Length(max=1), ["a"], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "length: 1 of 1" in err


def test_a_guard_without_needs_takes_any_context():
    """Keys that nobody asked for do no harm."""
    assert score_many(Length(max=1), ["a"], {"source": "b"}) == [1.0]
    assert isinstance(Length(max=1), Guard)


@pytest.mark.filterwarnings("ignore")
def test_a_score_does_not_depend_on_its_batch(tmp_path):
    """A model of a folder gives a value the same score alone and among hundreds, as near as numbers go."""
    pytest.importorskip("transformers")
    from tiny import WORDS, bert, named

    guard = Toxicity(model=bert(tmp_path, **named("fine", "toxic")))
    rng = random.Random(3)
    values = [" ".join(rng.choices(WORDS[5:], k=rng.randrange(1, 40))) for _ in range(300)]
    scores = score_many(guard, values)
    assert max(scores) - min(scores) > 0.1
    for number in range(0, 300, 60):
        alone = validate(
            values[number], Text(), guards=[Toxicity(model=ModelSpec("classification", tmp_path, threads=1))]
        )
        assert scores[number] == pytest.approx(alone.scores["toxicity"], abs=0.01)


@pytest.mark.filterwarnings("ignore")
def test_the_embedded_models_in_bulk():
    """Entailment over many answers, each with its own source, gives what it gives one by one."""
    from embedded import needs

    needs("nli")
    from guards.checks import Entailment

    values = ["The pump costs 40 euros.", "The pump is blue. It costs 90 euros.", "Ana wrote on Monday."]
    contexts = [
        {"source": "A pump is 40 euros."},
        {"source": "The blue pump costs 40 euros."},
        {"source": "Ana wrote."},
    ]
    scores = score_many(Entailment(), values, contexts)
    for value, context, score in zip(values, contexts, scores, strict=True):
        alone = validate(value, Text(), guards=[Entailment()], context=context)
        assert score == pytest.approx(alone.scores["entailment"], abs=0.01)
    assert scores[0] > scores[1]
