"""Policies in `validate`: those that need no call apply as in a call; those that ask are passed over, or an error."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from models import BAD, GOOD, Ticket
from pydantic import BaseModel, Field

from guards import (
    NO_FIX,
    Budget,
    ConfigError,
    Fallback,
    Filter,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Rejected,
    avalidate,
    check,
    contract,
    validate,
)
from guards.checks import Length, OneOf, Range
from guards.contracts import JsonSchema, Text, XmlSchema
from guards.documents import document
from guards.testing import ScriptedModel

LONG = '{"title": "Pri is long", "priority": 2}'
SHORTENED = Ticket(title="Pri", priority=2)


@check
def no_spam(value, context):
    return "spam" if value == "spam" else None


@check
def refuses(value, context):
    return "refused"


@check
def no_pri(value, context):
    return "no Pri" if value == "Pri" else None


@check
async def short_later(value, context):
    await asyncio.sleep(0)
    return Finding("team.long", "too long", fix=value[:3]) if len(value) > 3 else None


@check
def breaks(value, context):
    raise RuntimeError("broken")


@check(on_error="open")
def breaks_openly(value, context):
    raise RuntimeError("broken")


@check(needs=["most"])
def short(value, context):
    most = context["most"]
    return Finding("team.long", "too long", fix=value[:most]) if len(value) > most else None


SHORT = Length(max=3).on("$.title")


# -- whose policy applies ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guards", "on_fail"),
    [
        ([SHORT], Fix()),
        ([Length(max=3, on_fail=Fix()).on("$.title")], None),
        ([Length(max=3).on("$.title", on_fail=Fix())], None),
        ([Length(max=3, on_fail=Raise()).on("$.title", on_fail=Fix())], None),
        ([Length(max=3, on_fail=Fix()).on("$.title")], Raise()),
        ([SHORT], Filter().then(Fix()).then(Noop())),
    ],
)
def test_the_nearest_chain_applies(guards, on_fail):
    """Of the place, else the guard, else what is given; the fix is recorded, and its finding kept in the attempt."""
    outcomes = (
        validate(LONG, Ticket, guards=guards, on_fail=on_fail),
        asyncio.run(avalidate(LONG, Ticket, guards=guards, on_fail=on_fail)),
        contract(Ticket).validate(LONG, guards=guards, on_fail=on_fail),
        Guarded(Ticket, guards=guards).validate(LONG, on_fail=on_fail),
    )
    for outcome in outcomes:
        assert (outcome.ok, outcome.value, outcome.findings) == (True, SHORTENED, ())
        assert (outcome.reason, outcome.delivered_by, outcome.text) == ("accepted", None, LONG)
        assert outcome.scores == {"length": 1.0}
        assert [(r.code, r.path, r.before, r.after) for r in outcome.repairs] == [
            ("policy.fix", "/title", "Pri is long", "Pri")
        ]
        (attempt,) = outcome.attempts
        assert (attempt.text, attempt.messages, attempt.decision) == (LONG, (), "fix")
        assert [finding.code for finding in attempt.findings] == ["rule.length"]
        assert attempt.scores == {"length": 0.0}


def test_inside_a_type_a_guards_own_policy_applies():
    """`Annotated[str, Length(max=3, on_fail=Fix())]` mends the field wherever the type is used."""

    class Short(BaseModel):
        title: Annotated[str, Length(max=3, on_fail=Fix())]

    assert validate('[{"title": "Pri is long"}, {"title": "ab"}]', list[Short]).value == [
        Short(title="Pri"),
        Short(title="ab"),
    ]


def test_a_tickets_policy_applies_and_one_given_goes_before():
    """`ticket.validate`, `validate(text, ticket)` and a contract made of it do what the ticket says, less the asking."""
    ticket = Guarded(Ticket, guards=[SHORT], on_fail=Reask().then(Fix()).then(Reflect()))
    for outcome in (
        ticket.validate(LONG),
        validate(LONG, ticket),
        contract(ticket).validate(LONG),
        asyncio.run(ticket.avalidate(LONG)),
        asyncio.run(avalidate(LONG, contract(ticket))),
    ):
        assert outcome.value == SHORTENED
    assert ticket.validate(LONG, on_fail=Noop()).delivered_by == "noop"
    assert validate(LONG, ticket, on_fail=Refrain()).delivered_by == "refrain"
    assert asyncio.run(ticket.avalidate(LONG, on_fail=Raise())).reason == "guard.refused"


# -- what each does ----------------------------------------------------------------------------------------------------


def test_noop_refrain_and_fallback_deliver_in_its_place():
    """`ok` is False, the finding stands, `delivered_by` and reason say what happened; nothing is raised."""
    for on_fail, value, name in (
        (Noop(), Ticket(title="Pri is long", priority=2), "noop"),
        (Refrain(), None, "refrain"),
        (Fallback("none"), "none", "fallback"),
        (Fallback(None), None, "fallback"),
        (Fallback(lambda outcome: outcome.findings[0].code), "rule.length", "fallback"),
    ):
        outcome = validate(LONG, Ticket, guards=[SHORT], on_fail=on_fail)
        assert (outcome.ok, outcome.value, outcome.delivered_by) == (False, value, name)
        assert outcome.reason == f"policy.{name}"
        assert [finding.code for finding in outcome.findings] == ["rule.length"]
        assert outcome.attempts[0].decision == name
        assert outcome.raise_if_rejected() == value


def test_filter_takes_out_what_fails_in_nested_lists():
    """The items go, each removal is a repair, and `delivered_by` says so."""
    answer = '[["a", "spam"], [], ["spam", "b", "spam"]]'
    outcome = validate(answer, list[list[Annotated[str, no_spam]]], on_fail=Filter())
    assert (outcome.ok, outcome.value, outcome.delivered_by) == (True, [["a"], [], ["b"]], "filter")
    assert sorted((r.code, r.path) for r in outcome.repairs) == [
        ("policy.filter", "/0/1"),
        ("policy.filter", "/2/0"),
        ("policy.filter", "/2/2"),
    ]


def test_filter_and_fallback_answer_the_contract_too():
    """What the contract refuses is filtered where it may go; Noop never delivers it."""
    outcome = validate('{"title": "x", "priority": 1, "tags": ["a", 1]}', Ticket, on_fail=Filter())
    assert outcome.value == Ticket(title="x", priority=1, tags=["a"])
    refused = validate(BAD, Ticket, on_fail=Filter().then(Fix()).then(Noop()))
    assert (refused.ok, refused.value, refused.reason) == (False, None, "contract.refused")
    assert validate(BAD, Ticket, on_fail=Noop().then(Fallback(0))).value == 0
    assert validate("no document", Ticket, on_fail=Noop().then(Refrain())).delivered_by == "refrain"


def test_where_no_policy_acts_the_reasons_stay():
    """Refused as without a policy: every finding of the answer as it came, no attempt, no half of an edit."""
    plain = validate(LONG, Ticket, guards=[SHORT, refuses])
    for on_fail in (None, Raise(), Fix(), Fix().then(Raise()), Filter(), Filter().then(Fix())):
        outcome = validate(LONG, Ticket, guards=[SHORT, refuses], on_fail=on_fail)
        assert (outcome.reason, outcome.value, outcome.delivered_by) == ("guard.refused", None, None)
        assert (outcome.findings, outcome.scores) == (plain.findings, plain.scores)
        assert (outcome.repairs, outcome.attempts) == ((), ())
        with pytest.raises(Rejected):
            outcome.raise_if_rejected()


def test_every_tier_is_reported_and_policies_see_all_of_it():
    """A dear guard's finding stands beside the cheap one's, and both fixes are made."""
    dear = check(cost=3)(lambda value: Finding("team.dear", "x", fix="low") if value == "high" else None)
    kind = dict[Literal["title", "note"], str]
    answer = '{"title": "Pri is long", "note": "high"}'
    given_guards = [Length(max=3).on("$.title"), dear.on("$.note")]
    assert len(validate(answer, kind, guards=given_guards).findings) == 2
    outcome = validate(answer, kind, guards=given_guards, on_fail=Fix())
    assert outcome.value == {"title": "Pri", "note": "low"}
    assert len(outcome.attempts[0].findings) == 2


@pytest.mark.parametrize(
    ("kind", "text", "guards", "value", "options"),
    [
        (int | list[str], '["Pri is long"]', [Length(max=3).on("$[*]")], ["Pri"], {}),
        (Annotated[str, Length(max=3)] | int, '"Pri is long"', [], "Pri", {}),
        (str | None, '"Pri is long"', [Length(max=3)], "Pri", {}),
        (Text(), "Pri is long", [Length(max=3)], "Pri", {}),
        (JsonSchema({"type": "integer"}), "7", [Range(max=5, clamp=True)], 5, {}),
        ({"type": "array"}, '["Bug"]', [OneOf(["bug"]).on("$[*]")], ["bug"], {}),
        (
            Ticket,
            "<Ticket><title>Pri is long</title><priority>2</priority></Ticket>",
            [Length(max=3).on("/Ticket/title")],
            SHORTENED,
            {"format": "xml"},
        ),
    ],
)
def test_fix_in_every_kind_of_contract(kind, text, guards, value, options):
    """Unions, text, schemas and XML: the document is changed, read again by the contract, and delivered typed."""
    outcome = validate(text, kind, guards=guards, on_fail=Fix(), **options)
    assert (outcome.ok, outcome.value) == (True, value)
    assert [repair.code for repair in outcome.repairs] == ["policy.fix"]
    assert Guarded(kind, guards=guards, on_fail=Fix(), **options).validate(text).value == value


def test_fix_goes_by_the_names_of_the_document():
    """Under an alias the change stands where the answer has it."""

    class Aliased(BaseModel):
        title: Annotated[str, Length(max=3)] = Field(alias="headline")

    outcome = validate('{"headline": "Pri is long"}', Aliased, on_fail=Fix())
    assert outcome.value == Aliased(headline="Pri")
    assert outcome.repairs[0].path == "/headline"


def test_fix_under_an_xml_schema():
    """The element's text is replaced, and the schema judges the whole again."""
    schema = XmlSchema(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="t"><xs:complexType><xs:sequence>'
        '<xs:element name="a" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>'
    )
    outcome = validate("<t><a>Pri is long</a></t>", schema, guards=[Length(max=3).on("/t/a")], on_fail=Fix())
    assert (outcome.value, outcome.repairs[0].path) == ({"a": "Pri"}, "/t/a")


@pytest.mark.parametrize("policy", [Fix(), Fix().then(Filter()), Filter().then(Fix())])
def test_an_edit_that_something_else_refuses_is_not_made(policy):
    """Another guard, or the contract, refuses what a fix proposes: the answer is refused as it came."""
    outcome = validate(LONG, Ticket, guards=[SHORT, no_pri.on("$.title")], on_fail=policy)
    assert (outcome.ok, outcome.value, outcome.repairs) == (False, None, ())
    assert [finding.code for finding in outcome.findings] == ["rule.length"]

    @check
    def to_nine(value):
        return Finding("team.nine", "must be 9", fix=9)

    outcome = validate(LONG, Ticket, guards=[to_nine.on("$.priority")], on_fail=policy)
    assert (outcome.reason, outcome.repairs) == ("guard.refused", ())


def test_a_guard_that_failed_is_never_mended_away():
    """It is `guard.failed` with its cause whatever the policies; where it fails only on the fixed value, no fix."""
    for on_fail in (Fix(), Filter(), Noop(), Refrain(), Fallback(1)):
        outcome = validate(LONG, Ticket, guards=[SHORT, breaks], on_fail=on_fail)
        assert (outcome.ok, outcome.value, outcome.reason) == (False, None, "guard.failed")
        assert outcome.delivered_by is None
        assert str(outcome.cause) == "broken"

    @check
    def breaks_on_short(value):
        if value == "Pri":
            raise RuntimeError("broken")

    outcome = validate(LONG, Ticket, guards=[SHORT, breaks_on_short.on("$.title")], on_fail=Fix())
    assert (outcome.ok, outcome.reason) == (False, "guard.refused")


def test_an_open_guard_stays_visible():
    """With `on_error="open"` the others are mended, and what was not checked is in the outcome."""
    outcome = validate(LONG, Ticket, guards=[SHORT, breaks_openly], on_fail=Fix())
    assert (outcome.ok, outcome.value) == (True, SHORTENED)
    assert [(f.code, f.severity) for f in outcome.findings] == [("guard.failed", "unknown")]


def test_context_and_async_guards_take_part_in_the_second_look():
    """The guards that run again after an edit have the same context, and async ones are awaited."""
    outcome = validate(LONG, Ticket, guards=[short.on("$.title")], context={"most": 2}, on_fail=Fix())
    assert outcome.value == Ticket(title="Pr", priority=2)
    for outcome in (
        asyncio.run(avalidate(LONG, Ticket, guards=[short_later.on("$.title")], on_fail=Fix())),
        validate(LONG, Ticket, guards=[short_later.on("$.title")], on_fail=Fix()),
    ):
        assert (outcome.value, outcome.scores) == (SHORTENED, {"short_later": 1.0})


# -- those that ask ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asking",
    [
        Reask(),
        Reflect(),
        Reflect(mode="separate", client=lambda messages: GOOD),
        Fallback(client=lambda messages: GOOD),
    ],
)
def test_asking_in_validate_is_an_error_and_elsewhere_passed_over(asking):
    """Named in `validate(on_fail=)`, anywhere in the chain, it is a ConfigError; a guard's or ticket's is skipped."""
    name = type(asking).__name__
    for on_fail in (asking, Fix().then(asking), asking.then(Noop()), Noop().then(asking)):
        for call in (
            lambda on_fail=on_fail: validate(GOOD, Ticket, on_fail=on_fail),
            lambda on_fail=on_fail: contract(Ticket).validate(GOOD, on_fail=on_fail),
            lambda on_fail=on_fail: Guarded(Ticket).validate(GOOD, on_fail=on_fail),
            lambda on_fail=on_fail: asyncio.run(avalidate(GOOD, Ticket, on_fail=on_fail)),
            lambda on_fail=on_fail: asyncio.run(Guarded(Ticket).avalidate(GOOD, on_fail=on_fail)),
        ):
            with pytest.raises(ConfigError, match=rf"{name} asks a model.*Guarded"):
                call()
    own = Length(max=3, on_fail=asking.then(Fix())).on("$.title")
    assert validate(LONG, Ticket, guards=[own]).value == SHORTENED
    assert validate(LONG, Guarded(Ticket, guards=[SHORT], on_fail=asking.then(Fix()))).value == SHORTENED
    assert Guarded(Ticket, guards=[SHORT], on_fail=asking).validate(LONG).reason == "guard.refused"


@pytest.mark.parametrize("wrong", ["fix", Fix, [Fix()], 3])
def test_what_is_no_policy_is_an_error(wrong):
    """Also for a text that holds."""
    for call in (validate, lambda text, kind, **given: Guarded(kind).validate(text, **given)):
        with pytest.raises(ConfigError, match="on_fail"):
            call(GOOD, Ticket, on_fail=wrong)


def test_a_fallbacks_own_exception_passes_through():
    """It is the caller's code."""
    with pytest.raises(ZeroDivisionError):
        validate(BAD, Ticket, on_fail=Fallback(lambda outcome: 1 / 0))


def test_the_record_of_a_policy_fits_its_schema():
    """With its attempt, which nobody was asked for, and without content too."""
    record = Draft202012Validator(document("run-record.schema.json"))
    for on_fail in (Fix(), Noop(), Fallback("x"), Refrain()):
        outcome = validate(LONG, Ticket, guards=[SHORT], on_fail=on_fail)
        assert len(outcome.attempts) == 1
        record.validate(outcome.to_dict())
        record.validate(outcome.to_dict(content=False))


# -- the same as in a call ---------------------------------------------------------------------------------------------

GUARDS = (
    Length(max=3).on("$.title"),
    no_pri.on("$.title"),
    no_spam.on("$.tags[*]"),
    Range(max=3, clamp=True).on("$.priority"),
    OneOf(["Pri", "spam"]).on("$.title"),
    check(name="refuses_all")(lambda value: "no" if value.note else None),
    check(name="fixes_note")(lambda value: Finding("team.note", "x", fix=None) if value == "x" else None).on("$.note"),
    check(name="wrong_fix")(lambda value: Finding("team.wrong", "x", fix=NO_FIX) if value == 5 else None).on(
        "$.priority"
    ),
)
STEPS = (Raise(), Fix(), Filter(), Refrain(), Noop(), Fallback("other"), Reask(), Reflect())


def chained(steps):
    """Up to the first that always acts, behind which nothing may stand."""
    chain = steps[0]
    for step in steps[1:]:
        if chain.steps[-1].always_acts:
            break
        chain = chain.then(step)
    return chain


CHAINS = st.lists(st.sampled_from(STEPS), min_size=1, max_size=4).map(chained)
TITLES = st.sampled_from(["Pri is long", "Pri", "ab", "", "spam"])
ANSWERS = st.fixed_dictionaries(
    {"title": TITLES, "priority": st.integers(0, 6)},
    optional={
        "tags": st.lists(st.sampled_from(["a", "spam", 1]), max_size=4),
        "note": st.sampled_from(["x", "y", None, 3]),
    },
).map(json.dumps)


@given(ANSWERS, st.lists(st.tuples(st.sampled_from(GUARDS), st.none() | CHAINS), max_size=4), CHAINS)
def test_validate_decides_as_a_call_does(answer, guards, on_fail):
    """Whatever guards, chains and answer: the verdict of a call that may ask nobody again, by the same edits."""
    placed = [_with(guard, own) for guard, own in guards]
    ticket = Guarded(Ticket, guards=placed, on_fail=on_fail, budget=Budget(attempts=1))
    called, checked = ticket.run(ScriptedModel([answer]), "x"), ticket.validate(answer)
    assert checked.ok == called.ok
    assert checked.value == called.value
    assert checked.delivered_by == called.delivered_by
    assert (checked.findings, checked.scores, checked.repairs) == (called.findings, called.scores, called.repairs)
    if checked.attempts:
        assert checked.attempts[0].findings == called.attempts[0].findings
        assert checked.reason == called.reason
        assert checked.attempts[0].decision == called.attempts[0].decision
    if checked.ok:
        assert not any(finding.blocks for finding in ticket.validate(checked.value.model_dump_json()).findings)


def _with(guard, own):
    if own is None:
        return guard
    if hasattr(guard, "guard"):
        return guard.guard.on(guard.path, on_fail=own)
    return check(name=guard.name, on_fail=own)(guard.function)
