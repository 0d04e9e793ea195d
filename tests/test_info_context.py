"""What the caller gives as `context=` is what pydantic's validators see as `info.context`, in every shape of use."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, ValidationInfo

from guards import Filter, Finding, Fix, Guarded, Raise, Reask, avalidate, check, contract, validate
from guards.checks import SelfConsistency
from guards.errors import Rejected
from guards.events import Item, Partial
from guards.testing import ScriptedModel

SOURCE = "The printer on floor two is broken."
TRUE = '{"quote": "printer on floor two", "tags": ["printer"]}'
FALSE = '{"quote": "printer on floor nine", "tags": ["printer"]}'


def quoted(value: str, info: ValidationInfo) -> str:
    """The usual validator: it can only refuse where it is given the source."""
    if info.context and value not in info.context["text"]:
        raise ValueError("is no quote of the source")
    return value


Quote = Annotated[str, AfterValidator(quoted)]


class Claim(BaseModel):
    quote: Quote
    tags: list[Quote] = []


TEXT = {"text": SOURCE}
ticket = Guarded(Claim, on_fail=Raise())
REFUSED = [("schema.validator", "/quote")]


def places(outcome: Any) -> list[tuple[str, str]]:
    return [(f.code, f.path) for f in outcome.findings]


def test_validate():
    """A validation, sync and async and of a compiled contract."""
    assert validate(TRUE, Claim, context=TEXT).ok
    assert places(validate(FALSE, Claim, context=TEXT)) == REFUSED
    assert places(asyncio.run(avalidate(FALSE, Claim, context=TEXT))) == REFUSED
    assert places(contract(Claim).validate(FALSE, context=TEXT)) == REFUSED


def test_what_is_seen():
    """A plain dict of what was given, and None where nothing was."""
    seen = []

    def see(value: int, info: ValidationInfo) -> int:
        seen.append(info.context)
        return value

    kind = Annotated[int, AfterValidator(see)]
    given = {"a": [1]}
    validate("1", kind)
    validate("1", kind, context=given)
    Guarded(kind).call(ScriptedModel(["1"]), "go")
    Guarded(kind).call(ScriptedModel(["1"]), "go", context=given)
    assert seen == [None, given, None, given]
    assert all(type(one) is dict for one in seen if one)
    assert seen[1]["a"] is given["a"]


def test_mended_answers():
    """Every candidate that a careful reading looks at is judged with it."""
    for answer, wanted in ((TRUE, []), (FALSE, REFUSED)):
        broken = answer.replace('"quote":', "quote")
        assert places(validate(f"Sure!\n```json\n{broken}\n```", Claim, context=TEXT)) == wanted


def test_xml():
    """The same value, answered in XML."""
    answer = "<Claim><quote>{}</quote></Claim>"
    assert validate(answer.format("floor two"), Claim, format="xml", context=TEXT).ok
    refused = validate(answer.format("floor nine"), Claim, format="xml", context=TEXT)
    assert [f.code for f in refused.findings] == ["schema.validator"]


def test_calls():
    """Calls, sync and async, the answers of later attempts too."""
    with pytest.raises(Rejected):
        ticket.call(ScriptedModel([FALSE]), "go", context=TEXT)
    with pytest.raises(Rejected):
        asyncio.run(ticket.acall(ScriptedModel([FALSE]), "go", context=TEXT))
    model = ScriptedModel([FALSE, FALSE.replace("nine", "six"), TRUE])
    again = Guarded(Claim, on_fail=Reask(times=2))
    assert again.call(model, "go", context=TEXT).quote == "printer on floor two"
    assert len(model.calls) == 3


def test_decorated_functions():
    """A function's arguments are the context."""

    @ticket
    def claim(text: str) -> str:
        return FALSE

    assert places(claim.outcome(SOURCE)) == REFUSED
    assert claim("printer on floor nine").quote == "printer on floor nine"


def test_sessions_and_attempts():
    """A session's context with the call's own, and a loop of one's own."""
    with ticket.session(context=TEXT) as session:
        assert places(session.run(ScriptedModel([FALSE]), "go")) == REFUSED
        assert session.run(ScriptedModel([FALSE]), "go", context={"text": "printer on floor nine"}).ok
    loop = ticket.attempts("go", context=TEXT)
    with pytest.raises(Rejected):
        for attempt in loop:
            with attempt:
                attempt.offer(FALSE)


class Day(BaseModel):
    on: Annotated[dt.date, AfterValidator(lambda day, info: day if str(day) in info.context["text"] else None)]


def test_streams():
    """A streamed answer, and the views of it while it is written."""
    with pytest.raises(Rejected):
        list(ticket.stream(ScriptedModel([FALSE]), "go", context=TEXT))
    dates = Guarded(list[Day], on_fail=Raise())
    answer = '[{"on": "2024-05-31"}, {"on": "2024-06-01"}]'
    events = list(dates.stream(ScriptedModel([answer]), "go", context={"text": "due on 2024-05-31"}).at_once())
    items = [event.value.on for event in events if isinstance(event, Item)]
    assert items == [dt.date(2024, 5, 31), None]
    views = [event.value for event in events if isinstance(event, Partial)]
    assert views[-1][0].on == dt.date(2024, 5, 31)


@check
def short(value: str, context: Any) -> Any:
    return Finding("too.long", "shorter", fix="floor two") if len(value) > 12 else None


def test_edits():
    """An answer that Fix or Filter changed is judged again with it; a part that was asked for alone, too."""
    fixing = Guarded(Claim, guards=[short.on("$.quote")], on_fail=Fix())
    assert fixing.call(ScriptedModel([TRUE]), "go", context=TEXT).quote == "floor two"
    with pytest.raises(Rejected):
        fixing.call(ScriptedModel([TRUE]), "go", context={"text": "printer on floor 2 / printer on floor two".upper()})
    pruning = Guarded(Claim, on_fail=Filter())
    pruned = pruning.call(ScriptedModel(['{"quote": "floor", "tags": ["broken", "whole"]}']), "go", context=TEXT)
    assert pruned.tags == ["broken"]
    parts = ScriptedModel([FALSE, '{"/quote": "floor six"}', '{"/quote": "floor two"}'])
    merging = Guarded(Claim, on_fail=Reask(times=2, scope="fields"))
    assert merging.call(parts, "go", context=TEXT).quote == "floor two"


def test_samples():
    """Other answers to the same question, which a guard asks for, are read with it."""

    def needs(value: int, info: ValidationInfo) -> int:
        return value if str(value) in info.context["text"] else 0

    guard = SelfConsistency(samples=2)
    kind = Annotated[int, AfterValidator(needs)]
    outcome = Guarded(kind, guards=[guard]).run(ScriptedModel(["7"] * 3), "go", context={"text": "7 floors"})
    assert (outcome.value, outcome.scores) == (7, {guard.name: 1.0})
