"""Wrong values are errors where they are written: in the constructor that takes them, and never a crash elsewhere."""

from __future__ import annotations

import asyncio
import inspect
import math
from decimal import Decimal

import numpy as np
import pytest

from guards import (
    Budget,
    ConfigError,
    Fallback,
    Feedback,
    Filter,
    Finding,
    Fix,
    Guard,
    Guarded,
    Limits,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Reply,
    avalidate,
    check,
    validate,
)
from guards.checks import (
    Cascade,
    Classifier,
    Criterion,
    Entailment,
    Intent,
    Judge,
    Language,
    Length,
    OneOf,
    Pattern,
    PromptInjection,
    Range,
    Scored,
    SelfConsistency,
    Sentiment,
    Similarity,
    Topic,
    Toxicity,
)
from guards.checks.base import FunctionGuard, Placed
from guards.checks.options import parameters
from guards.contracts import Choice, JsonSchema
from guards.contracts import Pattern as PatternContract
from guards.models import ModelSpec
from guards.models.endpoint import Endpoint
from guards.policies import Chain
from guards.records import Repair, Usage
from guards.testing import FixedScores, ScriptedModel

JUNK = [
    3, -1, 0, 1.5, True, math.nan, math.inf, "x", "", " ", b"x", None, [], {}, [3], {"a": 3}, ("a", 1), {3}, object(), int,
    ValueError, lambda value: value, [["x"]], {"x"}, (0.9, 0.1), iter("ab"), Fix, Length(max=1),
]  # fmt: skip

KINDS = {
    Budget: {},
    Cascade: {"cheap": Length(max=3), "dear": Length(max=4), "band": (0.1, 0.2)},
    Choice: {"options": ["a"]},
    Classifier: {"model": "m/x", "forbid": "a"},
    Criterion: {"name": "a", "rule": "b"},
    Endpoint: {"url": "http://host/v1"},
    Entailment: {},
    Fallback: {"value": 1},
    Feedback: {"text": "a"},
    Finding: {"code": "a", "message": "b"},
    FixedScores: {"scores": {"a": 0.5}},
    FunctionGuard: {"function": len},
    Guard: {},
    Guarded: {"contract": int},
    Intent: {"topics": ["a"]},
    JsonSchema: {"schema": {}},
    Judge: {"rule": "r"},
    Language: {"languages": ["en"], "model": "m/x"},
    Length: {"max": 3},
    Limits: {},
    ModelSpec: {"task": "pairs", "model": "m/x"},
    OneOf: {"options": ["a"]},
    Pattern: {"regex": "a"},
    PatternContract: {"regex": "a"},
    Placed: {"guard": Length(max=3), "path": "$.a"},
    PromptInjection: {},
    Range: {"min": 1},
    Reask: {},
    Reflect: {},
    Repair: {"code": "a", "message": "b"},
    Reply: {"text": "a"},
    Scored: {"score": 0.5},
    ScriptedModel: {"answers": ["a"]},
    SelfConsistency: {},
    Sentiment: {},
    Similarity: {},
    Topic: {"topics": ["a", "b"]},
    Toxicity: {},
    Usage: {},
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_a_wrong_value_is_a_config_error(kind):
    """Whatever is given for any parameter, the constructor takes it or raises ConfigError, and nothing else."""
    names = parameters(kind) if issubclass(kind, Guard) else inspect.signature(kind).parameters
    for name in {*names} - {"options"}:
        for junk in JUNK:
            try:
                kind(**{**KINDS[kind], name: junk})
            except ConfigError as error:
                assert error.where, (name, junk)


@pytest.mark.parametrize("option", ["name", "cost", "needs", "on_error", "on_fail", "timeout", "roles", "partial"])
def test_options_of_check(option):
    """The options of @check are looked at there, too, whatever they are."""
    for junk in JUNK:
        try:
            check(**{option: junk})(lambda value: None)
        except ConfigError as error:
            assert error.where


@pytest.mark.parametrize(
    "make",
    [
        lambda: Finding("", "m"),
        lambda: Finding(3, "m"),
        lambda: Finding("a.b", None),
        lambda: Finding("a.b", "m", path=3),
        lambda: Finding("a.b", "m", path=None),
        lambda: Finding("a.b", "m", guard=""),
        lambda: Finding("a.b", "m", severity="bad"),
        lambda: Finding("a.b", "m", severity=None),
        lambda: Finding("a.b", "m", severity=["error"]),
        lambda: Finding("a.b", "m", score="0.5"),
        lambda: Finding("a.b", "m", score=True),
        lambda: Finding("a.b", "m", score=math.nan),
        lambda: Finding("a.b", "m", score=1.1),
        lambda: Finding("a.b", "m", threshold=-0.1),
        lambda: Finding("a.b", "m").replace(severity="fatal"),
        lambda: Scored("high"),
        lambda: Scored(math.nan),
        lambda: Reply(3),
        lambda: Reply("a", usage=3),
        lambda: Reply("a", usage=[("input_tokens", 3)]),
        lambda: Reply("a", finish_reason=3),
        lambda: Feedback(3),
        lambda: Feedback("a", findings="b"),
        lambda: Feedback("a", findings=["b"]),
        lambda: Feedback("a", messages=["b"]),
        lambda: Feedback("a", attempt=0),
        lambda: Usage(-1),
        lambda: Usage("3"),
        lambda: Usage(cost=math.nan),
        lambda: Usage(True),
        lambda: Repair(3, "m"),
        lambda: Repair("a.b", "m", path=["a"]),
        lambda: Budget(seconds=math.nan),
        lambda: Budget(attempts=1.0),
        lambda: Budget(price=(math.nan, 1)),
        lambda: Budget(price=(math.inf, 1)),
        lambda: Budget(price=3),
        lambda: Limits(depth=True),
        lambda: Guard(timeout=math.nan),
        lambda: Guard(timeout=True),
        lambda: check(cost=True)(len),
        lambda: check(cost=math.nan)(len),
        lambda: check(partial=1)(len),
        lambda: check(needs=3)(len),
        lambda: check(needs=[""])(len),
        lambda: check(roles=[])(len),
        lambda: check(roles="nobody")(len),
        lambda: check(roles=3)(len),
        lambda: check("name"),
        lambda: check(3),
        lambda: FunctionGuard(len, colour="red"),
        lambda: FunctionGuard(3),
        lambda: Placed("length", "$.a"),
        lambda: Length(max=3).on("//["),
        lambda: Length(max=3).on("$["),
        lambda: Length(max=3).on("$.a", on_fail="fix"),
        lambda: Judge("r", needs={"mail": 1}),
        lambda: Topic({"a": 3}),
        lambda: Topic(["a"], allow={"a": 1}),
        lambda: Language(languages={"en": 1}, model="m/x"),
        lambda: ModelSpec("classification", "m/x", labels={"toxic", "fine"}),
        lambda: ModelSpec("classification", "m/x", revision=3),
        lambda: Endpoint("http://host", key_env=3),
        lambda: ScriptedModel(3),
        lambda: ScriptedModel([3]),
        lambda: ScriptedModel([b"a"]),
        lambda: ScriptedModel([["a", 3]]),
        lambda: ScriptedModel([TimeoutError]),
        lambda: FixedScores({"a": 2}),
        lambda: FixedScores({}, default="x"),
        lambda: Guarded(int, guards={"a": Length(max=1)}),
        lambda: Guarded(int, guards=3),
        lambda: Guarded(int, hooks=[3]),
        lambda: Guarded(int, hooks=[list]),
        lambda: Guarded(int, on_fail=Fallback(client=3)),
        lambda: Guarded(int, on_fail=Reflect(mode="separate", client=3)),
        lambda: Guarded(int, guards=[Length(max=1, on_fail=Fallback(client=3))]),
        lambda: Guarded(int, guards=[Judge("r", client=3)]),
        lambda: Guarded(int).session(context=3),
        lambda: Guarded(int).session(context="ab"),
        lambda: Guarded(int).wrap(print, context=3),
        lambda: Guarded(int).attempts("q", context=[("a", 1)]),
        lambda: Guarded(int).call(print, "q", context=3),
        lambda: validate("1", int, context=3),
        lambda: validate("1", int, limits=3),
        lambda: validate("1", int, guards=3),
        lambda: validate("1", int, on_fail=3),
    ],
)  # fmt: skip
def test_it_is_refused_where_it_is_written(make):
    """Values that would block nothing, see nothing, count nothing or fail much later are refused at once."""
    with pytest.raises(ConfigError):
        make()


def test_avalidate_is_no_exception():
    """The async form refuses what the sync one does."""
    with pytest.raises(ConfigError):
        asyncio.run(avalidate("1", int, context=3))


def test_numbers_of_other_kinds_are_numbers():
    """A score may be any number: it is kept as a float."""
    for score in (1, np.float32(0.5), Decimal("0.5"), np.float64(0.25)):
        finding = Finding("a.b", "m", score=score, threshold=score)
        assert type(finding.score) is float
        assert finding.score == finding.threshold == float(score)
        assert type(Scored(score).score) is float
        assert Scored(score).score == float(score)
    assert Budget(price=[1, 2]) == Budget(price=(1, 2))
    assert hash(Budget(price=[1, 2]))


def test_a_wrong_finding_in_a_check_fails_the_guard():
    """What a check writes wrongly is a failure of the guard with the reason, and never a pass."""
    for wrong in ({"severity": "bad"}, {"path": 3}, {"score": 2}):
        outcome = validate("1", int, guards=[check(lambda value, wrong=wrong: Finding("a.b", "m", **wrong))])
        assert (outcome.ok, outcome.reason) == (False, "guard.failed")
        assert f"Finding({next(iter(wrong))}=)" in outcome.findings[0].message


def test_options_of_a_class_are_looked_at():
    """What a class of one's own sets, in its body or constructor, is looked at when one is made."""
    for name, value in (("needs", 3), ("roles", ()), ("partial", "yes"), ("timeout", -1), ("cost", 1.0), ("name", "")):
        in_body = type("Body", (Guard,), {name: value})
        in_constructor = type("Constructor", (Guard,), {"__init__": lambda self, n=name, v=value: setattr(self, n, v)})
        for kind in (in_body, in_constructor):
            with pytest.raises(ConfigError, match=name):
                kind()
    assert type("Body", (Guard,), {"needs": "mail", "roles": "all"})().roles == ("all",)


# -- chains ------------------------------------------------------------------------------------------------------------

ALWAYS = [Raise(), Refrain(), Fallback(3), Fallback(lambda outcome: 3)]
MAYBE = [Reask(), Reflect(), Fix(), Filter(), Noop(), Fallback(client=print)]


@pytest.mark.parametrize("first", ALWAYS, ids=lambda policy: policy.name)
def test_nothing_follows_what_always_acts(first):
    """A policy behind one that always acts could never act, however the chain is put together."""
    for following in (*ALWAYS, *MAYBE, Fix().then(Reask())):
        for make in (
            lambda: first.then(following),
            lambda: Reask().then(first).then(following),
            lambda: Reask().then(first.then(following)),
            lambda: Chain((Reask(), first, following)),
        ):
            with pytest.raises(ConfigError, match="can never act"):
                make()


@pytest.mark.parametrize("first", MAYBE, ids=lambda policy: policy.name)
def test_what_may_hand_over_is_followed(first):
    """Everything else may hand over, and a chain may end in what always acts."""
    for following in (*ALWAYS, *MAYBE):
        assert first.then(following).steps == (first, following)


def test_the_error_says_which():
    """Both are named, and what to do."""
    with pytest.raises(ConfigError) as caught:
        Reask().then(Raise()).then(Fix())
    assert str(caught.value) == ".then(): Fix can never act: Raise before it always does; put Raise last"
