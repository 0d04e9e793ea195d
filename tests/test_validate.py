"""The standalone validator, guards at their places, and what may stand as a contract."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import json
import pathlib
import threading
from typing import Annotated, Literal

import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st
from models import BAD, GOOD, Ticket
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from guards import (
    ConfigError,
    Finding,
    Guard,
    Guarded,
    Limits,
    avalidate,
    check,
    contract,
    load,
    validate,
)
from guards.checks import Scored
from guards.contracts import Choice, JsonSchema, Text

VALUE = Ticket(title="Printer", priority=2)


def test_a_good_text():
    """The typed instance comes back, with no attempts and no reason but acceptance."""
    outcome = validate(GOOD, Ticket)
    assert (outcome.ok, outcome.value, outcome.text, outcome.attempts) == (True, VALUE, GOOD, ())
    assert outcome.reason == "accepted"
    assert asyncio.run(avalidate(GOOD, Ticket)).value == VALUE


def test_every_finding_is_reported():
    """Nothing stops at the first: all of the contract's findings, each with path, rule and value."""
    outcome = validate('{"priority": 9, "tags": [1], "note": 3}', Ticket)
    assert not outcome.ok
    assert outcome.value is None
    assert [(f.code, f.path) for f in outcome.findings] == [
        ("schema.required", "/title"),
        ("schema.maximum", "/priority"),
        ("schema.type", "/tags/0"),
        ("schema.type", "/note"),
    ]
    assert outcome.findings[1].actual == 9
    assert outcome.findings[1].expected == 5


def test_every_tier_runs():
    """A cheap tier that blocks does not keep the dear ones from being reported."""

    @check(cost=0)
    def cheap(value, context):
        return "cheap"

    @check(cost=4)
    def dear(value, context):
        return "dear"

    outcome = validate(GOOD, Ticket, guards=[dear, cheap])
    assert [f.guard for f in outcome.findings] == ["cheap", "dear"]
    from guards.testing import ScriptedModel

    called = Guarded(Ticket, guards=[dear, cheap]).run(ScriptedModel([GOOD] * 3), "t")
    assert [f.guard for f in called.findings] == ["cheap"]
    assert called.attempts[0].skipped == ("dear",)


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Movie(TypedDict):
    name: str


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Point, '{"x": 1}', Point(1)),
        (Movie, '{"name": "x"}', {"name": "x"}),
        (Colour, '"red"', Colour.RED),
        (Literal["a", 3], "3", 3),
        (int | list[str], '["a"]', ["a"]),
        (int | None, "null", None),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(1, 2)]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (bool, "true", True),
        (float, "1", 1.0),
        ({"type": "integer"}, "3", 3),
        (JsonSchema({"enum": ["a"]}), '"a"', "a"),
        (Text(), "anything", "anything"),
        (Choice(["yes", "no"]), "yes", "yes"),
    ],
)
def test_what_may_stand_as_a_contract(kind, text, value):
    """Types, schemas and text contracts give the value that they describe, with its own type."""
    outcome = validate(text, kind)
    assert outcome.ok, outcome.findings
    assert outcome.value == value
    assert type(outcome.value) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"), [(int, '"41"'), (int, "36.6"), (bool, "1"), (str, "3"), (int, "true"), (float, '"1.5"')]
)
def test_nothing_is_converted_silently(kind, text):
    """What lax mode would have converted is refused in strict reading, and refused or recorded in careful."""
    assert not validate(text, kind, reading="strict").ok
    careful = validate(text, kind)
    assert not careful.ok or [r.code for r in careful.repairs] == ["value.number"]


def test_a_field_that_declares_itself_lax_keeps_its_mode():
    """`strict=False` on a field or model is honoured, and only there."""

    class Lax(BaseModel):
        a: Annotated[int, Field(strict=False)]
        b: int = 0

    outcome = validate('{"a": "3"}', Lax)
    assert (outcome.value, outcome.repairs) == (Lax(a=3), ())
    assert [f.path for f in validate('{"a": "3", "b": "3"}', Lax, reading="strict").findings] == ["/b"]


@pytest.mark.parametrize("wrong", ["text", 3, True, None, object(), b"x", pathlib.Path("nope.txt"), Text, lambda: 1])
def test_what_cannot_be_a_contract(wrong):
    """A ConfigError where it is written."""
    with pytest.raises(ConfigError):
        Guarded(wrong)


def test_wrong_options_are_named():
    """Each wrong option is a ConfigError that names it and the way out."""
    cases = {
        "reading": lambda: validate(GOOD, Ticket, reading="sloppy"),
        "format": lambda: validate(GOOD, Ticket, format="yaml"),
        "format=": lambda: validate(GOOD, Text(), format="xml"),
        "text": lambda: validate(None, Ticket),
        "guards": lambda: validate(GOOD, Ticket, guards="abc"),
        "@check": lambda: validate(GOOD, Ticket, guards=[len]),
        "write Guard()": lambda: validate(GOOD, Ticket, guards=[Guard]),
        "no guard": lambda: validate(GOOD, Ticket, guards=[3]),
        "on_fail": lambda: Guarded(Ticket, on_fail="reask"),
        "budget": lambda: Guarded(Ticket, budget=3),
        "limits": lambda: Guarded(Ticket, limits=3),
        "transport": lambda: Guarded(Ticket, transport=3),
        "hooks": lambda: Guarded(Ticket, hooks=[3]),
        "guards=": lambda: Guarded(Ticket, guards=check(lambda v: None)),
        "unknown setting 'polcy'": lambda: Guarded(Ticket).replace(polcy=1),
        "depth": lambda: Limits(depth=0),
        "style": lambda: contract(Ticket).prompt("loud"),
        "JSONPath": lambda: check(lambda v: None).on("$.["),
        "use a JSONPath": lambda: Guarded(Ticket, guards=[check(lambda v: None).on("//title")]),
    }
    for words, wrong in cases.items():
        with pytest.raises(ConfigError) as caught:
            wrong()
        assert words in str(caught.value)


def test_files(tmp_path):
    """A Path goes by its ending; a missing, unreadable or unknown file is named."""
    good = tmp_path / "ticket.json"
    good.write_text(json.dumps({"type": "object", "required": ["a"]}))
    assert load(good).contract.read('{"a": 1}').ok
    assert validate('{"a": 1}', good).ok
    bad = tmp_path / "bad.json"
    bad.write_text("{nope")
    other = tmp_path / "x.yaml"
    other.write_text("a: 1")
    for path in (bad, other, tmp_path / "missing.json", tmp_path):
        with pytest.raises(ConfigError) as caught:
            load(path)
        assert path.name in str(caught.value)


def test_contract_stands_alone_and_as_a_contract():
    """`contract(x)` validates, describes, and may be used wherever a contract is."""
    compiled = contract(Ticket)
    assert compiled.validate(GOOD).value == VALUE
    assert compiled.json_schema()["required"] == ["title", "priority"]
    assert compiled.notes == ()
    assert validate(GOOD, compiled).value == VALUE
    assert Guarded(compiled).contract == compiled.contract
    assert compiled.validate(compiled.prompt("example")).ok


def test_guards_inside_a_type_run_everywhere():
    """A guard in Annotated cannot be left out: validate, contract().validate and calls all run it, at its place."""

    @check
    def no_ai(value, context):
        return "names the model" if "AI" in value else None

    class Reply(BaseModel):
        text: Annotated[str, no_ai] = Field(alias="Text")

    answer = '{"Text": "As an AI model"}'
    for outcome in (validate(answer, Reply), contract(Reply).validate(answer)):
        assert [(f.guard, f.path) for f in outcome.findings] == [("no_ai", "/Text")]
        assert outcome.scores == {"no_ai": 0.0}


def test_guards_at_places():
    """A JSONPath addresses parts by the document's names; the guard gets the typed part; scores are the lowest."""
    seen = []

    @check
    def look(value, context):
        seen.append(value)
        return Finding("x.y", "odd", path="/x") if value.x % 2 else None

    outcome = validate('{"all": [{"x": 2}, {"x": 3}]}', dict[str, list[Point]], guards=[look.on("$.all[*]")])
    assert seen == [Point(2), Point(3)]
    assert [f.path for f in outcome.findings] == ["/all/1/x"]
    assert outcome.scores == {"look": 0.0}
    assert validate('{"all": []}', dict[str, list[Point]], guards=[look.on("$.all[*]")]).ok


def test_equal_names_are_numbered():
    """Two guards of one name have scores of their own."""
    one, two = check(name="same")(lambda v: None), check(name="same")(lambda v: "no")
    outcome = validate(GOOD, Ticket, guards=[one, two])
    assert outcome.scores == {"same": 1.0, "same#2": 0.0}
    assert outcome.findings[0].guard == "same#2"


@given(st.lists(st.sampled_from(["a", "b", "a#2", "a#3", "a#2#2"]), max_size=6))
def test_no_two_guards_share_a_label(names):
    """Each guard has a score of its own, the first of a name under that very name."""
    guards = [check(name=name)(lambda v: None) for name in names]
    scores = validate(GOOD, Ticket, guards=guards).scores
    assert len(scores) == len(names)
    assert set(names) <= scores.keys()


def test_what_a_check_may_give():
    """None, text, a Finding, several, a generator, an async one; anything else is a failure, never a pass."""

    @check
    def generator(value, context):
        yield "one"
        yield Finding("x.two", "two")

    @check
    async def agenerator(value, context):
        yield "three"

    outcome = validate("1", int, guards=[generator, agenerator])
    assert [f.message for f in outcome.findings] == ["one", "two", "three"]
    for wrong in (True, False, 0.3, {"a": 1}, [True], object()):
        outcome = validate("1", int, guards=[check(lambda v, wrong=wrong: wrong)])
        assert [f.code for f in outcome.findings] == ["guard.failed"]
        assert not outcome.ok


def test_a_check_that_breaks():
    """A crash is a finding in validate; `on_error="open"` leaves a visible unknown and may pass."""

    def broken(value, context):
        raise ValueError("boom")

    closed = validate("1", int, guards=[check(broken)])
    assert (closed.ok, closed.reason) == (False, "guard.failed")
    assert "boom" in closed.findings[0].message
    assert isinstance(closed.cause, ValueError)
    opened = validate("1", int, guards=[check(on_error="open")(broken)])
    assert (opened.ok, opened.value) == (True, 1)
    assert [(f.code, f.severity) for f in opened.findings] == [("guard.failed", "unknown")]
    assert "broken" not in opened.scores


def test_a_missing_context_key_is_an_error():
    """A guard that needs what nobody gave is never skipped."""
    needy = check(needs="mail")(lambda v, c: None)
    with pytest.raises(ConfigError, match="'mail'"):
        validate("1", int, guards=[needy])
    assert validate("1", int, guards=[needy], context={"mail": "x"}).ok


def test_guards_run_together_inside_a_tier():
    """Checks of one cost run at the same time, in threads and in the loop: each waits until all three are there."""
    meeting = threading.Barrier(3)

    @check(cost=1)
    def a(value, context):
        meeting.wait(30)

    b = check(cost=1, name="b")(a.function)

    @check(cost=1)
    async def c(value, context):
        await asyncio.to_thread(meeting.wait, 30)

    assert validate("1", int, guards=[a, b, c]).ok
    assert asyncio.run(avalidate("1", int, guards=[a, b, c])).ok


def test_a_guard_class():
    """A subclass has its name from the class, keyword options, equality and a hash."""

    class NoShouting(Guard):
        def __init__(self, limit=3, **options):
            self.limit = limit
            super().__init__(**options)

        def check(self, value, context):
            return "shouting" if sum(c.isupper() for c in value) > self.limit else None

    assert NoShouting().name == "no_shouting"
    assert NoShouting(4) == NoShouting(limit=4) != NoShouting()
    assert hash(NoShouting(4)) == hash(NoShouting(4))
    assert "limit=4" in repr(NoShouting(4))
    assert not validate('"HELLO"', str, guards=[NoShouting()]).ok
    for wrong in ({"on_error": "maybe"}, {"timeout": -1}, {"on_fail": 3}, {"name": ""}):
        with pytest.raises(ConfigError):
            NoShouting(**wrong)


def test_checks_have_clear_signatures():
    """A function that a check cannot call is refused at decoration."""
    for wrong in (lambda: None, lambda a, b, c: None, lambda *, v: None):
        with pytest.raises(ConfigError, match="value"):
            check(wrong)
    with pytest.raises(ConfigError):

        class Wrong(BaseModel):
            text: Annotated[str, check(lambda v: None).on("$.x")]


HOSTILE = {
    "5 MB of garbage": "x9{[" * 1_250_000,
    "10,000 open brackets": "[" * 10_000,
    "objects without end": '{"a":' * 10_000,
    "NUL bytes": "\x00" * 1000,
    "lone surrogates": "\ud800" * 1000,
    "decoded wrongly": b'{"title": "\xe4\xf6"}'.decode("utf-8", "replace"),
    "surrogates inside": '{"title": "\udc80", "priority": 1}',
    "escaped surrogate": '{"title": "\\ud800", "priority": 1}',
    "empty": "",
    "huge number": "9" * 10_000,
    "huge exponent": '{"title": "x", "priority": 1e999999}',
    "many documents": GOOD.replace("2", "1") + "[]" * 200_000,
    "many quotes": '"' * 900_000,
    "thoughts": "</think>" * 100_000,
    "backslashes": "{\\" * 300_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name):
    """Whatever the text, validate answers within two seconds and raises nothing."""
    with cpu_within(2):
        outcome = validate(HOSTILE[name], Ticket)
    assert not outcome.ok
    assert outcome.findings
    outcome.to_json()
    str(outcome.rejection())


def test_a_valid_answer_of_5_mb_is_read():
    """Size alone is no fault."""
    text = json.dumps({"title": "x", "priority": 1, "tags": ["y" * 100] * 50_000})
    assert len(text) > 5_000_000
    with cpu_within(2):
        outcome = validate(text, Ticket)
        assert outcome.ok
        assert len(outcome.value.tags) == 50_000


def test_limits_are_findings():
    """Past a limit there is a finding that names it, never a cut."""
    assert [f.code for f in validate(GOOD, Ticket, limits=Limits(chars=5)).findings] == ["limit.chars"]
    nested = "[" * 30 + "]" * 30
    assert [f.code for f in validate(nested, {}, limits=Limits(depth=20)).findings] == ["limit.depth"]
    assert validate(nested, {}, limits=Limits(depth=30)).ok
    fenced = f"```json\n{GOOD}\n```"
    assert validate(fenced, Ticket).ok
    assert "limit.repair_chars" in [f.code for f in validate(fenced, Ticket, limits=Limits(repair_chars=5)).findings]


@given(st.text())
def test_no_text_raises(text):
    """Arbitrary text never crashes the reader, in any dial."""
    for dial in ("strict", "careful", "eager"):
        outcome = validate(text, Ticket, reading=dial)
        assert outcome.ok or outcome.findings


def test_bad_for_one_type_is_good_for_another():
    """Compiled contracts are kept apart: unions in another order, equal schemas with 1 and true."""
    assert validate("1", {"const": 1}).ok
    assert not validate("1", {"const": True}).ok
    assert validate("true", {"const": True}).ok
    assert not validate(BAD, Ticket).ok


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("score", "found", "ok"), [(0.75, None, True), (0.25, "too low", False), (1, [], True), (0, None, True)]
)
def test_a_check_that_measures(asynchronous, score, found, ok):
    """A score is on record whether the value passed or not; what blocks is the findings alone."""
    if asynchronous:

        @check(name="measure")
        async def measure(value):
            return Scored(score, found)

    else:
        measure = check(name="measure")(lambda value: Scored(score, found))
    outcome = validate("1", int, guards=[measure])
    assert (outcome.ok, outcome.scores) == (ok, {"measure": float(score)})


@pytest.mark.parametrize("score", [float("nan"), 1.5, -0.1, True, "0.5", None, float("inf")])
def test_what_is_no_score_fails_the_guard(score):
    """A score that is no number from 0 to 1 is a guard that could not do its work, never a pass."""
    outcome = validate("1", int, guards=[check(name="measure")(lambda value: Scored(score))])
    assert (outcome.ok, outcome.reason, outcome.scores) == (False, "guard.failed", {})


def test_over_several_places_the_lowest_score_counts():
    """One guard at every item of a list has one score."""
    measure = check(name="measure")(lambda value: Scored(value / 10))
    assert validate("[7, 3, 9]", list[int], guards=[measure.on("$[*]")]).scores == {"measure": 0.3}
