"""Corners of the engine, its drivers and edits that the larger tests pass by."""

from __future__ import annotations

import asyncio
import threading
import time
import traceback

import pytest
import tenacity
from forked import needs_fork, true_in_a_child
from models import BAD, GOOD, WORSE, Ticket
from pydantic import BaseModel

from guards import (
    Budget,
    Context,
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
    check,
    validate,
)
from guards.contracts import JsonSchema, Text
from guards.documents import document
from guards.errors import ConfigError
from guards.testing import ScriptedModel


def test_a_reflection_that_ends_the_budget():
    """When the separate reflection uses up the time or the tokens, what needs no call applies and its usage counts."""
    from guards import Reply

    usage = {"input_tokens": 60, "output_tokens": 0}
    policy = Reflect(mode="separate").then(Refrain())
    model = ScriptedModel([Reply(BAD, usage), Reply("hm", usage), Reply(GOOD, usage)])
    outcome = Guarded(Ticket, on_fail=policy, budget=Budget(tokens=100)).run(model, "t")
    assert (outcome.delivered_by, len(model.calls)) == ("refrain", 2)
    assert outcome.usage.total_tokens == 120

    async def slow(messages):
        await asyncio.sleep(5)

    ticket = Guarded(
        Ticket, on_fail=Reflect(mode="separate", client=slow).then(Fallback(1)), budget=Budget(seconds=0.5)
    )
    outcome = asyncio.run(ticket.arun(ScriptedModel([BAD]).acall, "t"))
    assert (outcome.value, outcome.delivered_by) == (1, "fallback")
    ticket = ticket.replace(on_fail=Reflect(mode="separate", client=slow))
    assert asyncio.run(ticket.arun(ScriptedModel([BAD]).acall, "t")).reason == "budget.seconds"


def test_a_reflection_whose_client_fails():
    """The client's exception passes, and the record holds the attempt before it."""
    model = ScriptedModel([BAD, OSError("gone")])
    with Guarded(Ticket, on_fail=Reflect(mode="separate")).session() as session:
        with pytest.raises(OSError, match="gone"):
            session.call(model, "t")
    assert session.outcomes[0].attempts[0].text == BAD


def test_after_a_fallback_client_the_first_is_asked_again():
    """A chain may go on behind a fallback client; the next question goes to the call's own client."""
    strong = ScriptedModel([WORSE])
    model = ScriptedModel([BAD, GOOD])
    outcome = Guarded(Ticket, on_fail=Fallback(client=strong).then(Reask())).run(model, "t")
    assert outcome.ok
    assert [a.decision for a in outcome.attempts] == ["fallback", "reask", "accept"]
    assert outcome.delivered_by is None
    assert model.calls[1][1]["content"] == WORSE


def test_the_same_policy_twice_in_a_chain():
    """Each place in a chain has turns of its own, also where the policies are one object."""
    once = Reask()
    outcome = Guarded(Ticket, on_fail=once.then(once), budget=Budget(attempts=9)).run(
        ScriptedModel([BAD, WORSE, GOOD]), "t"
    )
    assert outcome.ok


def test_a_fix_for_one_guard_and_a_question_for_another():
    """The most drastic goes first; a fix that helps is kept while another finding stands."""

    @check(on_fail=Fix().then(Raise()))
    def short(value, context):
        return Finding("t.long", "long", "/title", fix=value.title[:3]) if len(value.title) > 3 else None

    @check(on_fail=Noop())
    def remark(value, context):
        return "a remark"

    outcome = Guarded(Ticket, guards=[short, remark]).run(ScriptedModel([GOOD]), "t")
    assert (outcome.ok, outcome.delivered_by, outcome.value.title) == (False, "noop", "Pri")
    assert [f.guard for f in outcome.findings] == ["remark"]
    assert [r.code for r in outcome.repairs] == ["policy.fix"]


def test_fixes_that_have_no_place():
    """A fix for a place that the document does not have, and two fixes for one place."""

    @check
    def nowhere(value, context):
        return Finding("t.x", "x", "/nope/3", fix=1)

    assert not Guarded(Ticket, guards=[nowhere], on_fail=Fix()).run(ScriptedModel([GOOD]), "t").ok

    @check
    def twice(value, context):
        if value.title != "one":
            yield Finding("t.a", "a", "/title", fix="one")
            yield Finding("t.b", "b", "/title", fix="two")

    outcome = Guarded(Ticket, guards=[twice], on_fail=Fix()).run(ScriptedModel([GOOD]), "t")
    assert outcome.value.title == "one"

    @check
    def of_text(value, context):
        return Finding("t.c", "c", fix="calm") if value != "calm" else None

    outcome = Guarded(Text(), guards=[of_text], on_fail=Fix()).run(ScriptedModel(["LOUD"]), "t")
    assert outcome.value == "calm"
    assert not Guarded(Text(), guards=[of_text], on_fail=Filter()).run(ScriptedModel(["LOUD"]), "t").ok
    assert not Guarded(Ticket, on_fail=Fix()).run(ScriptedModel(["no document"]), "t").ok


def test_filter_takes_the_key_rather_than_the_item():
    """The innermost thing that may go is what goes; several in one item are one removal each."""
    schema = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "integer"}, "a": {"type": "string"}, "b": {"type": "string"}},
        },
    }
    answer = '[{"id": 1, "a": 1, "b": 2}, {"id": "x", "a": 3}, {"id": 3}]'
    outcome = Guarded(JsonSchema(schema), on_fail=Filter()).run(ScriptedModel([answer]), "t")
    assert outcome.value == [{"id": 1}, {"id": 3}]
    last = Guarded(JsonSchema(schema), on_fail=Filter()).run(ScriptedModel(['[{"id": "x"}]']), "t")
    assert not last.ok
    flood = "[" + ",".join(['{"id": "x"}'] * 300) + "]"
    assert not Guarded(JsonSchema(schema), on_fail=Filter()).run(ScriptedModel([flood]), "t").ok


def test_eleven_items_are_filtered_by_number_not_by_spelling():
    """Item 10 comes behind item 9, so that taking one out moves none of those still to come."""
    odd = check(lambda value: "odd" if value % 2 else None)
    answer = "[" + ",".join(map(str, range(25))) + "]"
    outcome = Guarded(list[int], guards=[odd.on("$[*]")], on_fail=Filter()).run(ScriptedModel([answer]), "t")
    assert outcome.value == list(range(0, 25, 2))


def test_a_guard_that_was_cancelled_or_left_the_interpreter_alone():
    """A keyboard interrupt in a check is no failed guard: it goes up."""

    @check
    def interrupt(value, context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        validate("1", int, guards=[interrupt])

    @check
    async def cancelled(value, context):
        raise asyncio.CancelledError

    assert validate("1", int, guards=[cancelled]).reason == "guard.failed"


def test_guards_see_the_caller_s_context_variables():
    """A check in a thread runs in a copy of the caller's context."""
    import contextvars

    variable = contextvars.ContextVar("variable", default="none")
    seen = []

    @check(cost=1)
    def one(value, context):
        seen.append(variable.get())

    variable.set("mine")
    validate("1", int, guards=[one, check(cost=1, name="two")(one.function)])
    assert seen == ["mine", "mine"]


@needs_fork
def test_after_a_fork_threads_work_again():
    """A child process starts its own workers and loop."""

    @check(cost=1)
    def threaded(value, context):
        return None

    @check(cost=1)
    async def looped(value, context):
        return None

    assert validate("1", int, guards=[threaded, looped]).ok
    assert true_in_a_child(lambda: validate("1", int, guards=[threaded, looped]).ok)


def test_the_user_s_exception_keeps_its_trace():
    """The client's own line is in the traceback of what comes out."""

    def llm(messages):
        raise LookupError("here")

    with pytest.raises(LookupError) as caught:
        Guarded(Ticket).call(llm, "t")
    assert "llm" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_a_tenacity_object_with_async_parts():
    """An AsyncRetrying object works for a sync call as well, with its own hooks called."""
    seen = []
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(2), before_sleep=lambda state: seen.append(state.attempt_number)
    )
    assert Guarded(Ticket, transport=retrying).run(ScriptedModel([OSError(), GOOD]), "t").ok
    assert seen == [1]


def test_no_transport_at_all():
    """transport=None retries nothing."""
    model = ScriptedModel([OSError(), GOOD])
    with pytest.raises(OSError):
        Guarded(Ticket, transport=None).call(model, "t")
    assert len(model.calls) == 1


def test_the_context():
    """It is a read-only mapping with the attempt, the messages and the deadline."""
    seen = []

    @check
    def look(value, context):
        seen.append(context)

    ticket = Guarded(Ticket, guards=[look], budget=Budget(seconds=60, attempts=2))
    ticket.run(ScriptedModel([GOOD]), "task", context={"b": 1, "a": 2})
    context = seen[0]
    assert dict(context) == {"b": 1, "a": 2}
    assert (context.attempt, context.partial, context.messages[0]["content"]) == (1, False, "task")
    assert context.deadline > time.monotonic()
    assert repr(context) == "Context(a, b; attempt 1)"
    with pytest.raises(TypeError):
        context["c"] = 1
    assert Context().attempt == 0


def test_guarded_is_a_value():
    """It compares, hashes, prints, refuses change and subclassing, and `replace` gives a copy."""
    one, two = Guarded(Ticket), Guarded(Ticket)
    assert one == two
    assert hash(one) == hash(two)
    assert one != one.replace(reading="strict")
    assert "Ticket" in repr(one)
    for change in (lambda: setattr(one, "budget", 1), lambda: delattr(one, "plan")):
        with pytest.raises(AttributeError):
            change()
    with pytest.raises(TypeError, match="final"):
        type("Sub", (Guarded,), {})
    assert one.on_fail == Reask(times=2).then(Raise())
    assert one.budget == Budget(attempts=3)
    assert one.budget.replace(attempts=4).attempts == 4


def test_documents():
    """The documents of schemas/ are found, and a name that is none is an error."""
    assert document("run-record.schema.json")["$id"]
    with pytest.raises(ConfigError, match="nope"):
        document("nope")


def test_many_waiting_tasks_and_a_deadline():
    """Checks that wait for a free thread past their deadline are failures too."""
    gate = threading.Event()

    @check
    def waits(value, context):
        gate.wait(5)

    guards = [check(name=f"g{n}")(waits.function) for n in range(40)]
    outcome = Guarded(int, guards=guards, budget=Budget(seconds=0.2)).run(ScriptedModel(["1"]), "t")
    gate.set()
    assert outcome.reason == "guard.failed"
    assert len(outcome.findings) == 40


def test_rejections_in_every_shape_carry_the_attempts():
    """call, acall, session, decorator and the loop raise the same kind with the same record."""
    ticket = Guarded(Ticket, on_fail=Reask())
    script = [BAD, WORSE]

    def decorated():
        answers = iter(script)
        return ticket(lambda feedback=None: next(answers))()

    def loop():
        answers = iter(script)
        for attempt in ticket.attempts("t"):
            with attempt:
                attempt.offer(next(answers))

    def in_session():
        with ticket.session() as session:
            session.call(ScriptedModel(script), "t")

    shapes = [
        lambda: ticket.call(ScriptedModel(script), "t"),
        lambda: asyncio.run(ticket.acall(ScriptedModel(script), "t")),
        in_session,
        decorated,
        loop,
    ]
    for shape in shapes:
        with pytest.raises(Rejected) as caught:
            shape()
        assert [a.text for a in caught.value.outcome.attempts] == script


def test_a_value_that_cannot_be_shown():
    """A value that pydantic cannot serialize is shown by its repr in the record."""

    class Odd(BaseModel):
        model_config = {"arbitrary_types_allowed": True}
        a: int

    outcome = validate('{"a": 1}', Odd)
    object.__setattr__(outcome.value, "__dict__", {"a": object()})
    assert outcome.to_dict()["value"] is not None


def test_a_schema_that_is_changed_afterwards():
    """What the caller does to a dict later changes neither the ticket nor its copies."""
    schema = {"type": "integer"}
    ticket = Guarded(schema)
    schema["type"] = "string"
    assert ticket.contract.read("3").ok
    assert ticket.replace(reading="strict").contract.read("3").ok
    assert ticket == Guarded({"type": "integer"})


def test_unions_in_another_order_are_other_contracts():
    """Equal hashes go with equal contracts, and the order of a union is part of it."""
    one, two = Guarded(int | str), Guarded(str | int)
    assert one != two
    assert Guarded(int | str) == one
    assert hash(Guarded(int | str)) == hash(one)
