"""What stands as a contract brings all that it says: a `Guarded`, a compiled `contract(...)`, one made of the other."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Annotated, ClassVar

import pytest
import tenacity
from models import GOOD, Ticket
from pydantic import BaseModel, ConfigDict

from guards import (
    Budget,
    ConfigError,
    Finding,
    Fix,
    Guard,
    Guarded,
    Limits,
    Noop,
    Refrain,
    avalidate,
    check,
    contract,
    validate,
)
from guards.checks import Judge, Length
from guards.clients.endpoint import schema_of
from guards.contracts import JsonSchema, Text
from guards.testing import ScriptedModel


@check
def refuses(value, context):
    return "refused"


@check
def no_printer(value, context):
    return "names the printer" if "Printer" in str(value) else None


@check(needs=["mail"])
def needs_mail(value, context):
    return None if context["mail"] else "no mail"


@check
async def refuses_later(value, context):
    await asyncio.sleep(0)
    return "refused later"


def stern(messages):
    return '{"reasons": ["no"], "verdict": "fail", "score": 0.1}'


class Reply(BaseModel):
    text: Annotated[str, refuses]


SHORT = Length(max=3).on("$.title")

NESTINGS = {
    "a ticket": lambda ticket: ticket,
    "a contract of a ticket": contract,
    "a ticket of a ticket": Guarded,
    "a ticket of a contract of a ticket": lambda ticket: Guarded(contract(ticket)),
    "a contract of a ticket of a contract": lambda ticket: contract(Guarded(contract(ticket))),
    "three tickets deep": lambda ticket: Guarded(Guarded(Guarded(ticket))),
    "a pickled ticket of a ticket": lambda ticket: pickle.loads(pickle.dumps(Guarded(ticket))),
    "a pickled contract of a ticket": lambda ticket: pickle.loads(pickle.dumps(contract(ticket))),
    "a copy": lambda ticket: copy.deepcopy(Guarded(ticket)),
    "a replaced contract": lambda ticket: Guarded(int).replace(contract=ticket),
}


@pytest.fixture(params=NESTINGS.values(), ids=NESTINGS)
def nested(request):
    """A way in which a ticket may stand as a contract."""
    return request.param


@pytest.mark.parametrize(
    ("ticket", "text"),
    [
        (Guarded(Ticket, guards=[refuses]), GOOD),
        (Guarded(Ticket, guards=[SHORT]), GOOD),
        (Guarded(Reply), '{"text": "x"}'),
        (Guarded(Ticket, guards=[refuses_later]), GOOD),
        (Guarded(str, guards=[refuses]), '"x"'),
        (Guarded(Text(), guards=[refuses]), "x"),
        (Guarded({"type": "object"}, guards=[refuses]), "{}"),
        (Guarded(JsonSchema({"type": "integer"}), guards=[refuses]), "1"),
        (Guarded(Ticket, format="xml", guards=[refuses]), "<Ticket><title>x</title><priority>1</priority></Ticket>"),
        (
            Guarded(Ticket, format="xml", guards=[Length(max=3).on("/Ticket/title")]),
            "<Ticket><title>Printer</title><priority>1</priority></Ticket>",
        ),
    ],
)
def test_its_guards_run(nested, ticket, text):
    """Guards of the whole, of a place, inside a type and async ones: none is lost, in validate, methods and calls."""
    stands = nested(ticket)
    for outcome in (
        validate(text, stands),
        asyncio.run(avalidate(text, stands)),
        stands.validate(text),
        Guarded(stands).run(ScriptedModel([text] * 3), "x"),
    ):
        assert not outcome.ok
        assert outcome.value is None
        assert list(outcome.scores.values()) == [0.0]
    assert validate(text, stands).reason == "guard.refused"


def test_its_reading_limits_and_format_hold(nested):
    """A strict ticket stays strict, a small one small, an XML one XML."""
    prose = f"Here it is: {GOOD}"
    assert not validate(prose, nested(Guarded(Ticket, reading="strict"))).ok
    assert validate(prose, nested(Guarded(Ticket))).ok
    small = validate(GOOD, nested(Guarded(Ticket, limits=Limits(chars=5))))
    assert [finding.code for finding in small.findings] == ["limit.chars"]
    xml = nested(Guarded(Ticket, format="xml"))
    assert validate("<Ticket><title>x</title><priority>1</priority></Ticket>", xml).ok
    assert not validate(GOOD, xml).ok


def test_an_option_given_goes_before_its_own(nested):
    """`reading="careful"` for a strict ticket reads carefully; limits and format likewise; guards are added."""
    strict = nested(Guarded(Ticket, reading="strict", limits=Limits(chars=5), guards=[no_printer]))
    outcome = validate(f"Here: {GOOD}", strict, reading="careful", limits=Limits(), guards=[refuses])
    assert outcome.scores == {"no_printer": 0.0, "refuses": 0.0}
    assert outcome.repairs
    in_json = validate(GOOD, nested(Guarded(Ticket, format="xml", guards=[no_printer])), format="json")
    assert in_json.scores == {"no_printer": 0.0}
    assert validate(GOOD, nested(Guarded(Ticket, guards=[no_printer])), guards=[no_printer]).scores == {
        "no_printer": 0.0,
        "no_printer#2": 0.0,
    }


def test_a_place_that_the_other_format_cannot_have_is_an_error():
    """A guard placed by JSONPath does not vanish when the answer is read as XML."""
    ticket = Guarded(Ticket, guards=[SHORT])
    for wrong in (
        lambda: validate(GOOD, ticket, format="xml"),
        lambda: Guarded(ticket, format="xml"),
        lambda: contract(ticket, format="xml"),
    ):
        with pytest.raises(ConfigError, match="cannot be a place"):
            wrong()


def test_what_its_guards_need_is_asked_for(nested):
    """A missing key of the context is an error, and the context reaches the guards."""
    ticket = nested(Guarded(Ticket, guards=[needs_mail]))
    with pytest.raises(ConfigError, match="mail"):
        validate(GOOD, ticket)
    with pytest.raises(ConfigError, match="mail"):
        ticket.validate(GOOD)
    assert ticket.validate(GOOD, context={"mail": "x"}).scores == {"needs_mail": 1.0}
    assert not ticket.validate(GOOD, context={"mail": ""}).ok


def test_a_guard_that_asks_is_never_left_out(nested):
    """A judge with a client is asked; one that needs the call's client is an error in validate."""
    with pytest.raises(ConfigError, match="client"):
        validate(GOOD, nested(Guarded(Ticket, guards=[Judge("It is polite.")])))
    asked = Guarded(Ticket, guards=[Judge("It is polite.", client=stern)])
    outcome = validate(GOOD, asked)
    assert not outcome.ok
    assert outcome.scores == {"judge": 0.1}


def test_input_guards_do_not_run_in_validate_and_are_not_lost():
    """There is no input to judge; a ticket made of the ticket, through `contract(...)` too, still judges its own."""
    inner = Guarded(Ticket, input_guards=[refuses])
    assert validate(GOOD, inner).ok
    for outer in (Guarded(inner), Guarded(contract(inner)), Guarded(inner, input_guards=[no_printer])):
        model = ScriptedModel([GOOD])
        assert outer.run(model, "Printer").reason == "input.refused"
        assert model.calls == []
    added = Guarded(Guarded(Ticket, input_guards=[no_printer]), input_guards=[refuses])
    assert len(added.run(ScriptedModel([GOOD]), "Printer").findings) == 2


def test_a_ticket_of_a_ticket_is_that_ticket():
    """With nothing else said it is equal, in hash and repr too; lists are added to, every other option replaces."""
    events = []
    inner = Guarded(
        Ticket,
        guards=[no_printer],
        input_guards=[needs_mail],
        on_fail=Fix(),
        budget=Budget(cost=1.0),
        reading="strict",
        limits=Limits(depth=3),
        transport=None,
        hooks=[events.append],
    )
    for same in (Guarded(inner), Guarded(contract(inner)), inner.replace(), inner.replace(contract=inner.contract)):
        assert same == inner
        assert hash(same) == hash(inner)
        assert repr(same) == repr(inner)
    assert pickle.loads(pickle.dumps(Guarded(Guarded(Ticket, guards=[no_printer])))) == Guarded(
        Ticket, guards=[no_printer]
    )
    assert Guarded(inner, guards=[refuses]) == inner.replace(guards=[no_printer, refuses])
    assert Guarded(inner, reading="careful", budget=Budget(attempts=1), transport="default") == inner.replace(
        reading="careful", budget=Budget(attempts=1), transport="default"
    )
    patient = tenacity.Retrying(stop=tenacity.stop_after_attempt(2))
    assert Guarded(inner, transport=patient).replace(transport=None) == inner
    assert Guarded(inner, on_fail=Noop()) != inner
    assert inner.replace(guards=[]) != inner
    assert Guarded(Ticket, reading="careful") == Guarded(Ticket)


def test_its_policies_apply_in_calls():
    """A ticket made of one that refrains refrains."""
    inner = Guarded(Ticket, guards=[refuses], on_fail=Refrain())
    assert Guarded(inner).run(ScriptedModel([GOOD]), "x").delivered_by == "refrain"
    assert Guarded(inner, on_fail=Noop()).run(ScriptedModel([GOOD]), "x").delivered_by == "noop"


def test_a_schema_for_a_mode_is_that_of_the_ticket(nested):
    """A server's mode gets the schema of what the ticket reads; a class with an attribute `contract` is a type."""

    class Deal(BaseModel):
        model_config = ConfigDict(ignored_types=(Text,))
        contract: ClassVar = Text()
        price: int

    assert schema_of(nested(Guarded(Ticket)), "x")["required"] == ["title", "priority"]
    assert schema_of(Deal, "x")["required"] == ["price"]
    assert validate('{"price": 1}', Annotated[Deal, "a deal"]).ok


@pytest.mark.parametrize("make", [lambda t: t, contract], ids=["ticket", "contract"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda t: list[t],
        lambda t: dict[str, t],
        lambda t: Annotated[t, "note"],
        lambda t: Annotated[t, refuses],
        lambda t: Annotated[str, t],
    ],
)
def test_inside_a_type_it_is_an_error(make, shape):
    """A ticket stands for a whole answer; pydantic would pass over one in `Annotated`, guards and all."""
    with pytest.raises(ConfigError, match="whole answer"):
        validate('"x"', shape(make(Guarded(Ticket, guards=[refuses]))))


def test_what_only_holds_a_contract_is_none():
    """Of an object that is known to nobody, its `.contract` alone would be taken, and the rest dropped."""

    class Holder:
        contract = Guarded(Ticket).contract
        guards: ClassVar[list[Guard]] = [refuses]

    ticket = Guarded(Ticket, guards=[refuses])
    for wrong in (Holder(), ticket.session(), [ticket], ticket.replace(on_fail=Noop())(lambda mail: GOOD)):
        with pytest.raises(ConfigError):
            validate(GOOD, wrong)


def test_a_ticket_may_be_held_by_a_model():
    """The class is still a field's type where the model allows arbitrary ones."""

    class Settings(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        ticket: Guarded

    ticket = Guarded(Ticket)
    assert Settings(ticket=ticket).ticket is ticket


def test_a_finding_says_its_place():
    """Paths and names are those of the ticket's guards, in the document as answered."""
    ticket = Guarded(Ticket, guards=[SHORT])
    (finding,) = validate(GOOD, ticket).findings
    assert isinstance(finding, Finding)
    assert (finding.code, finding.path, finding.guard) == ("rule.length", "/title", "length")
