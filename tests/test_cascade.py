"""Cascade: the cheap guard where it is sure, the dear one in its band, one scale of scores, and the calls counted."""

from __future__ import annotations

import pickle
import threading

import pytest

from guards import Finding, Guard, avalidate, check, validate
from guards.checks import Cascade, Length, Scored, Toxicity, score_many
from guards.checks.asking import AskingGuard
from guards.checks.combined.stats import CascadeStats
from guards.context import Context
from guards.contracts import Text
from guards.contracts.compiled import compile_contract
from guards.effects import Question, Rows
from guards.errors import ConfigError
from guards.models import ModelSpec
from guards.testing import FixedScores, ScriptedModel


class Sure(Guard):
    """A model's score is the guard's."""

    needs = ("source",)

    def __init__(self, model, *, threshold=0.5, name=None, cost=2):
        self.spec = ModelSpec("classification", model, labels=("fine",))
        self.threshold = threshold
        self.cost = cost
        super().__init__(name=name)

    @property
    def specs(self):
        return (self.spec,)

    def flow(self, value, context):
        ((score,),) = yield Rows(self.spec, [value])
        finding = Finding("sure.not", "not fine", score=score, threshold=self.threshold, evidence={"at": 0})
        return Scored(score, [finding] if score < self.threshold else None)


class Ask(AskingGuard):
    """Asks its client for a number, and refuses below its threshold."""

    threshold = 0.5

    def flow(self, value, context):
        number = yield Question([{"role": "user", "content": value}], compile_contract(float))
        return Scored(number, None if number >= 0.5 else "the judge says no")


@check(cost=4, needs="other")
async def dear_async(value, context):
    return Scored(0.9) if "yes" in value else Finding("mine.no", "no", score=0.2)


CHEAP = FixedScores({"bad": 0.1, "good": 0.95, "low end": 0.2, "high end": 0.8}, default=0.5)
DEAR = FixedScores({"doubt, yes": 0.8, "low end": 0.9, "high end": 0.1}, default=0.3)
CONTEXT = {"source": "s", "other": "o"}


def cascade(dear=None, band=(0.2, 0.8), **options):
    dear = Sure(DEAR, threshold=0.6, name="large", cost=3) if dear is None else dear
    return Cascade(Sure(CHEAP, name="small"), dear, band=band, **options)


def outcome(guard, value):
    return validate(value, Text(), guards=[guard], context=CONTEXT)


def test_who_decides():
    """Outside the band the cheap guard alone, inside and at its ends the dear one; the finding says which."""
    guard = cascade()
    decided = {}
    for value in ("bad", "good", "low end", "high end", "doubt, yes", "doubt, no"):
        found = outcome(guard, value)
        decided[value] = (found.ok, *(f.evidence["decided_by"] for f in found.findings))
    assert decided == {
        "bad": (False, "small"),
        "good": (True,),
        "low end": (True,),
        "high end": (False, "large"),
        "doubt, yes": (True,),
        "doubt, no": (False, "large"),
    }
    assert guard.stats == CascadeStats(6, 4)
    assert (guard.stats.saved, guard.stats.share) == (2, 4 / 6)
    assert DEAR.calls
    assert not any("bad" in call or "good" in call for call in DEAR.calls)


def test_one_scale():
    """Below 0.5 what is refused, from 0.5 on what passes, whichever decided; each guard's own edge lies at 0.5."""
    guard = cascade()
    scores = {value: outcome(guard, value).scores["small_then_large"] for value in ("bad", "good", "doubt, yes", "no")}
    assert scores == {
        "bad": pytest.approx(0.5 * 0.1 / 0.2),
        "good": pytest.approx(0.5 + 0.5 * 0.15 / 0.2),
        "doubt, yes": pytest.approx(0.5 + 0.5 * 0.2 / 0.4),
        "no": pytest.approx(0.5 * 0.3 / 0.6),
    }
    found = outcome(guard, "bad").findings[0]
    assert (found.code, found.score, found.threshold) == ("sure.not", 0.1, 0.2)
    assert found.evidence == {"at": 0, "decided_by": "small"}


def test_in_bulk_it_asks_in_batches():
    """score_many gives the same numbers, and each model is asked for all of a round at once."""
    small, large = FixedScores({}, default=0.5), FixedScores({}, default=0.7)
    guard = Cascade(Sure(small, name="a"), Sure(large, name="b"), band=(0.4, 0.6))
    values = [f"text {number:02}" for number in range(50)]
    assert score_many(guard, values, CONTEXT) == [pytest.approx(0.7)] * 50
    assert [len(call) for call in small.calls] == [50]
    assert [len(call) for call in large.calls] == [50]
    assert guard.stats == CascadeStats(50, 50)


def test_a_judge_as_the_dear_one():
    """A guard that asks a client is asked only in the band, in a call and in bulk."""
    judge = Ask(client=ScriptedModel(["0.1", "0.75"]))
    guard = cascade(judge)
    assert [outcome(guard, value).ok for value in ("bad", "good", "doubt")] == [False, True, False]
    assert score_many(guard, ["bad", "good", "doubt"], CONTEXT)[2] == pytest.approx(0.75)
    assert guard.stats == CascadeStats(6, 2)
    assert (guard.cost, guard.parts[1]) == (4, judge)
    assert guard.specs == (guard.cheap.spec,)


def test_a_judge_without_a_client():
    """What the dear guard lacks is told where the cascade is used."""
    with pytest.raises(ConfigError, match="nobody here can be asked"):
        validate("x", Text(), guards=[cascade(Ask())], context=CONTEXT)


async def _avalidate(guard, value):
    return await avalidate(value, Text(), guards=[guard], context=CONTEXT)


def test_an_async_dear_one():
    """A guard that is awaited decides in the band, in sync and async calls."""
    import asyncio

    guard = cascade(dear_async)
    assert guard.is_async
    assert guard.needs == ("source", "other")
    found = asyncio.run(_avalidate(guard, "doubt"))
    assert [f.evidence for f in found.findings] == [{"decided_by": "dear_async"}]
    assert outcome(guard, "doubt, yes").scores == {"small_then_dear_async": pytest.approx(0.9)}
    assert not outcome(guard, "bad").ok


def test_rules_and_functions():
    """Guards without a threshold take part by their score, and a low score without a finding is one."""

    @check(name="half")
    def half(value):
        return Scored(len(value) / 10)

    guard = Cascade(half, Length(max=6), band=(0.3, 0.8))
    refused = outcome(guard, "a")
    assert [(f.code, f.message) for f in refused.findings] == [
        ("cascade.refused", "half gives it the score 0.10, below 0.3")
    ]
    assert outcome(guard, "abcdefghi").ok
    assert outcome(guard, "abcde").scores == {"half_then_length": 1.0}
    assert outcome(guard, "abcdefg").scores == {"half_then_length": 0.0}


def test_what_blocks_is_never_let_pass():
    """A cheap guard that refuses with a high score refuses; its score stays below 0.5."""

    @check(name="odd")
    def odd(value):
        return Scored(0.95, "no")

    found = outcome(Cascade(odd, Length(max=60), band=(0.3, 0.8)), "a")
    assert not found.ok
    assert found.scores["odd_then_length"] < 0.5


def test_evidence_of_any_kind_is_kept():
    """Evidence that is no mapping stands beside the name of who decided."""

    @check(name="listed")
    def listed(value):
        return Finding("mine.x", "no", score=0.1, evidence=["a"])

    (found,) = outcome(Cascade(listed, Length(max=60), band=(0.3, 0.8)), "a").findings
    assert found.evidence == {"evidence": ["a"], "decided_by": "listed"}


@pytest.mark.parametrize("band", [(0, 0), (1, 1), (0, 1)])
def test_bands_at_the_ends(band):
    """A band may begin at 0 and end at 1; no score leaves the scale."""
    guard = cascade(band=band)
    for value in ("bad", "good", "doubt"):
        assert 0 <= outcome(guard, value).scores["small_then_large"] <= 1


def test_a_fault_of_either_is_a_fault():
    """A guard that cannot work is never a pass, whichever of the two it is."""

    @check(name="broken")
    def broken(value):
        raise OSError("gone")

    for guard in (Cascade(broken, Length(max=9), band=(0.2, 0.8)), cascade(broken)):
        found = outcome(guard, "doubt")
        assert [f.code for f in found.findings] == ["guard.failed"]
        assert not found.ok


def test_it_is_a_value():
    """Equal options are equal cascades, whatever they counted; a pickled one begins to count anew."""
    guard = Cascade(Length(max=9), Length(max=3), band=(0.2, 0.8))
    other = Cascade(Length(max=9), Length(max=3), band=(0.2, 0.8))
    outcome(guard, "a")
    assert guard == other
    assert hash(guard) == hash(other)
    assert guard != Cascade(Length(max=9), Length(max=3), band=(0.2, 0.7))
    copy = pickle.loads(pickle.dumps(guard))
    assert copy == guard
    assert (copy.stats, guard.stats) == (CascadeStats(), CascadeStats(1, 0))
    assert copy.stats.share == 0
    assert type(pickle.loads(pickle.dumps(cascade(Ask())))) is type(cascade(Ask()))
    assert repr(guard) == "Cascade(Length(max=9), Length(max=3), band=(0.2, 0.8))"
    assert isinstance(guard, Cascade)
    assert isinstance(guard, Guard)


def test_cascades_stand_in_cascades():
    """The dear guard may be a cascade; models are named once, and the innermost edge is 0.5 on the scale."""
    inner = Cascade(Sure(CHEAP, name="small"), Length(max=6), band=(0.2, 0.8))
    guard = Cascade(Sure(CHEAP, name="small"), inner, band=(0.4, 0.6), name="all")
    assert guard.specs == (ModelSpec("classification", CHEAP, labels=("fine",)),)
    assert outcome(guard, "doubt").scores == {"all": 1.0}
    assert guard.cost == 2


def test_counting_is_safe_between_threads():
    """No check is lost when many threads judge at once."""
    guard = Cascade(Length(max=9), Length(max=3), band=(0.2, 0.8))

    def work():
        for _ in range(500):
            guard.check("a", Context())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert guard.stats == CascadeStats(4000, 0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: cascade(band=(0.8, 0.2)), "no band"),
        (lambda: cascade(band=0.5), "no band"),
        (lambda: cascade(band=(0.1, 1.2)), "no band"),
        (lambda: cascade(band=(True, True)), "no band"),
        (lambda: cascade(band=(0.1, 0.2, 0.3)), "no band"),
        (lambda: Cascade("x", Length(max=1), band=(0, 1)), r"cheap=\): 'x' is no guard"),
        (lambda: Cascade(Length(max=1), len, band=(0, 1)), r"dear=\): .* is no guard"),
    ],
)
def test_wrong_use(make, words):
    """What cannot be a cascade is an error where it is written."""
    with pytest.raises(ConfigError, match=words):
        make()


def test_a_band_that_is_found():
    """Outside the fitted band the cheap guard errs at most as often as was allowed, on either side."""
    scores = [n / 200 for n in range(200)]
    labels = [n > 100 for n in range(200)]
    for flipped in (30, 60, 90, 110, 150, 170):
        labels[flipped] = not labels[flipped]
    guard = Cascade.fit(Sure(CHEAP), Length(max=3), scores, labels, error=0.02, name="fitted")
    low, high = guard.band
    good, bad = labels.count(True), labels.count(False)
    assert sum(label and score < low for score, label in zip(scores, labels, strict=True)) <= 0.02 * good
    assert sum(not label and score > high for score, label in zip(scores, labels, strict=True)) <= 0.02 * bad
    assert 0.2 < low < high < 0.8
    assert (guard.name, guard.cheap.threshold) == ("fitted", low)


def test_a_cheap_guard_that_does_not_err():
    """Where it parts the rows well enough by itself, nothing need go on: the band is a point."""
    guard = Cascade.fit(
        Sure(CHEAP), Length(max=3), [n / 40 for n in range(40)], [n >= 20 for n in range(40)], error=0.1
    )
    assert guard.band[0] == guard.band[1]
    assert 0.4 < guard.band[0] < 0.6


@pytest.mark.parametrize(("labels", "error"), [([True] * 40, 0.1), ([True, False] * 20, 0.01), ([True, False] * 20, 0)])
def test_too_few_rows_for_a_band(labels, error):
    """An error that the rows cannot show is refused."""
    with pytest.raises(ConfigError, match="cannot show an error"):
        Cascade.fit(Sure(CHEAP), Length(max=3), [n / 40 for n in range(40)], labels, error=error)


def test_scores_that_are_no_scores():
    """No band is found from what is no number."""
    with pytest.raises(ConfigError, match=r"scores\[0\]: must be a number from 0 to 1"):
        Cascade.fit(Sure(CHEAP), Length(max=3), [float("nan")] * 40, [n >= 20 for n in range(40)], error=0.1)


def test_guards_of_the_library_take_part():
    """Two toxicity models, the small one first: only its doubtful texts reach the large one."""
    small = FixedScores({"fine": 0.02, "awful": 0.99}, default=0.5)
    large = FixedScores({"so so": 0.7}, default=0.1)
    guard = Cascade(Toxicity(model=small), Toxicity(model=large), band=(0.2, 0.9), name="toxic")
    assert [validate(text, Text(), guards=[guard]).ok for text in ("fine", "awful", "so so", "hm")] == [
        True,
        False,
        False,
        True,
    ]
    assert [call for call in large.calls if "fine" in call or "awful" in call] == []
