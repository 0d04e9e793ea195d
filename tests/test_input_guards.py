"""Input guards look at what the user wrote, before the model is asked."""

from __future__ import annotations

import asyncio

import pytest
from models import GOOD, Ticket

from guards import ConfigError, Fallback, Finding, Guarded, GuardFailed, Refrain, check
from guards.testing import ScriptedModel

MESSAGES = [
    {"role": "system", "content": "SYSTEM"},
    {"role": "user", "content": [{"type": "text", "text": "first"}, {"type": "image_url", "image_url": {}}]},
    {"role": "assistant", "content": "ANSWER"},
    {"role": "user", "content": "second"},
]


def test_they_see_the_user_s_turns():
    """The text of all user turns, content parts too; every turn with roles="all"."""
    seen = []
    look = check(lambda value: seen.append(value))
    look_all = check(roles="all")(lambda value: seen.append(value))
    assert Guarded(Ticket, input_guards=[look, look_all]).run(ScriptedModel([GOOD]), MESSAGES).ok
    assert seen == ["first\nsecond", "SYSTEM\nfirst\nANSWER\nsecond"]


def test_a_refusal_makes_no_call():
    """Where one refuses the model is not asked, sync and async, and the findings say why."""
    model = ScriptedModel([])

    @check
    async def refuse(value, context):
        return "not this"

    ticket = Guarded(Ticket, input_guards=[refuse])
    for outcome in (ticket.run(model, MESSAGES), asyncio.run(ticket.arun(model, MESSAGES))):
        assert (outcome.ok, outcome.reason, outcome.attempts) == (False, "input.refused", ())
        assert [f.message for f in outcome.findings] == ["not this"]
    assert model.calls == []


def test_a_guard_s_own_policy_for_the_input():
    """Refrain and Fallback on the guard deliver; the ticket's policy is about answers and does not apply."""
    for policy, value, by in ((Refrain(), None, "refrain"), (Fallback("sorry"), "sorry", "fallback")):
        refuse = check(on_fail=policy)(lambda value: "no")
        outcome = Guarded(Ticket, input_guards=[refuse]).run(ScriptedModel([]), "hi")
        assert (outcome.value, outcome.delivered_by) == (value, by)
    outcome = Guarded(Ticket, input_guards=[check(lambda v: "no")], on_fail=Refrain()).run(ScriptedModel([]), "hi")
    assert outcome.delivered_by is None


def test_a_broken_input_guard_lets_nothing_through():
    """A crash is GuardFailed, and no call is made."""

    @check
    def broken(value, context):
        raise ValueError("x")

    with pytest.raises(GuardFailed):
        Guarded(Ticket, input_guards=[broken]).call(ScriptedModel([]), "hi")


def test_remarks_stay_visible():
    """What does not block is in the outcome's findings."""
    remark = check(lambda value: Finding("x.y", "hm", severity="warning"))
    outcome = Guarded(Ticket, input_guards=[remark]).run(ScriptedModel([GOOD]), "hi")
    assert outcome.ok
    assert [f.code for f in outcome.findings] == ["x.y"]


def test_input_has_no_places():
    """A guard with a place cannot be an input guard."""
    with pytest.raises(ConfigError, match="places"):
        Guarded(Ticket, input_guards=[check(lambda v: None).on("$.x")])


@pytest.mark.parametrize("messages", [3, None, ["hi"], [{"role": "user"}, "hi"], {"role": "user"}])
def test_what_are_no_messages(messages):
    """Messages of the wrong kind are named before anything is asked."""
    with pytest.raises(ConfigError, match="messages"):
        Guarded(Ticket).call(ScriptedModel([GOOD]), messages)
    with pytest.raises(ConfigError, match="context"):
        Guarded(Ticket).call(ScriptedModel([GOOD]), "hi", context=["x"])
