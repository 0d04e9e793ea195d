"""What each of the eight policies does, alone, in chains, and together in one answer."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from typing import Annotated

import pytest
from models import BAD, GOOD, WORSE, Ticket

from guards import (
    Budget,
    BudgetExhausted,
    ConfigError,
    Fallback,
    Filter,
    Finding,
    Fix,
    Guarded,
    GuardFailed,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Rejected,
    Reply,
    check,
    validate,
)
from guards.checks.base import changed
from guards.contracts import JsonSchema, Text
from guards.testing import ScriptedModel


@check
def short_title(value, context):
    if len(value.title) > 5:
        return Finding("test.long", "is too long", path="/title", fix=value.title[:5])
    return None


@check
def no_fix(value, context):
    return Finding("test.never", "never right", path="/title")


def run(policy, *answers, contract=Ticket, **options):
    model = ScriptedModel(answers)
    return Guarded(contract, on_fail=policy, **options).run(model, "task"), model


def test_raise_ends_the_call_at_once():
    """Raise asks nothing more and delivers nothing."""
    outcome, model = run(Raise(), BAD, GOOD)
    assert (outcome.ok, outcome.value, outcome.reason, len(model.calls)) == (False, None, "policy.raise", 1)
    with pytest.raises(Rejected) as caught:
        outcome.raise_if_rejected()
    assert caught.value.outcome is outcome


def test_reask_asks_again_as_often_as_it_says_and_then_hands_over():
    """Reask(times=2) puts two further questions, then the next policy of the chain acts."""
    outcome, model = run(Reask(times=2).then(Refrain()), BAD, WORSE, BAD, GOOD, budget=Budget(attempts=9))
    assert len(model.calls) == 3
    assert outcome.delivered_by == "refrain"
    assert [a.decision for a in outcome.attempts] == ["reask", "reask", "refrain"]


def test_the_default_asks_twice_more_and_then_raises():
    """Without options a bad model is asked three times and the call is rejected with all attempts."""
    model = ScriptedModel([BAD, WORSE, BAD, GOOD])
    with pytest.raises(BudgetExhausted) as caught:
        Guarded(Ticket).call(model, "task")
    assert len(caught.value.outcome.attempts) == 3
    assert caught.value.outcome.reason == "budget.attempts"


def test_reflect_inline_splits_the_reflection_off():
    """An inline reflection is kept in its attempt and is not part of the answer's text."""
    outcome, _ = run(Reflect(), BAD, f"<reflection>I forgot the title.</reflection>\n{GOOD}", reading="strict")
    assert outcome.ok
    assert outcome.attempts[1].reflection == "I forgot the title."
    assert outcome.attempts[1].text == GOOD
    assert [a.decision for a in outcome.attempts] == ["reflect", "accept"]


def test_reflect_separate_makes_a_call_of_its_own():
    """mode="separate" asks for the reflection first; its tokens belong to the coming attempt, and it is no attempt."""
    usage = {"input_tokens": 10, "output_tokens": 5}
    outcome, model = run(Reflect(mode="separate"), Reply(BAD, usage), Reply("Title was missing.", usage), Reply(GOOD))
    assert outcome.ok
    assert len(model.calls) == 3
    assert len(outcome.attempts) == 2
    assert outcome.attempts[1].reflection == "Title was missing."
    assert outcome.attempts[1].usage.total_tokens == 15
    assert outcome.usage.total_tokens == 30
    assert "Do not answer the task yet" in model.calls[1][-1]["content"]
    assert "Title was missing." in model.calls[2][-1]["content"]


def test_reflect_separate_by_another_client():
    """The reflection can be another client's; the answer stays with the first."""
    critic = ScriptedModel(["Look at the title."])
    outcome, model = run(Reflect(mode="separate", client=critic), BAD, GOOD)
    assert outcome.ok
    assert (len(critic.calls), len(model.calls)) == (1, 2)


def test_earlier_reflections_are_carried_into_later_attempts():
    """A later question holds what the model noted before, in each mode and history."""
    for policy in (
        Reflect(times=2),
        Reflect(times=2, history="minimal"),
        Reflect(times=2, mode="separate"),
    ):
        separate = policy.mode == "separate"
        first = ["NOTE-ONE", WORSE] if separate else [f"<reflection>NOTE-ONE</reflection>{WORSE}"]
        second = ["NOTE-TWO", GOOD] if separate else [f"<reflection>NOTE-TWO</reflection>{GOOD}"]
        outcome, model = run(policy, BAD, *first, *second)
        assert outcome.ok
        last = "".join(m["content"] for m in model.calls[-1])
        assert "NOTE-ONE" in last


def test_fix_puts_the_proposed_value_in_and_checks_everything_again():
    """A fix changes the document, is recorded, and the delivered value has passed contract and guards."""
    outcome, model = run(Fix(), GOOD, guards=[short_title])
    assert outcome.ok
    assert outcome.value == Ticket(title="Print", priority=2)
    assert [(r.code, r.path, r.before, r.after) for r in outcome.repairs] == [
        ("policy.fix", "/title", "Printer", "Print")
    ]
    assert outcome.findings == ()
    assert [f.code for f in outcome.attempts[0].findings] == ["test.long"]
    assert outcome.delivered_by is None


def test_fix_without_a_proposal_hands_over():
    """Nothing proposed means the next policy, and without one a rejection; the unfixed answer never passes."""
    outcome, _ = run(Fix().then(Refrain()), GOOD, guards=[no_fix])
    assert outcome.delivered_by == "refrain"
    outcome, _ = run(Fix(), GOOD, guards=[no_fix])
    assert (outcome.ok, outcome.value, outcome.reason) == (False, None, "policy.raise")


def test_a_fix_that_the_contract_refuses_hands_over():
    """A proposed value that breaks the contract is not delivered."""

    @check
    def bad_fix(value, context):
        return Finding("test.bad", "wrong", path="/priority", fix=99)

    outcome, _ = run(Fix().then(Noop()), GOOD, guards=[bad_fix])
    assert outcome.delivered_by == "noop"
    assert outcome.value.priority == 2


def test_a_fix_that_another_guard_refuses_hands_over():
    """A fix that satisfies its own guard and breaks another is not delivered."""

    @check
    def long_title(value, context):
        return None if len(value.title) > 5 else "too short"

    outcome, _ = run(Fix(), GOOD, guards=[short_title, long_title])
    assert not outcome.ok
    assert outcome.value is None


@check
def lower(value, context):
    return None if value == value.lower() else Finding("test.lower", "in capitals", fix=value.lower())


@check
def stripped(value, context):
    return None if value == value.strip() else Finding("test.strip", "has blanks around", fix=value.strip())


@check
def both(value, context):
    """Two findings of one guard, in one place and by one code."""
    if value != value.lower():
        yield Finding("test.both", "in capitals", fix=value.lower())
    if value != value.strip():
        yield Finding("test.both", "has blanks around", fix=value.strip())


@check(cost=2)
def dear_stripped(value, context):
    return stripped.function(value, context)


@pytest.mark.parametrize("guards", [[lower, stripped], [stripped, lower], [both], [lower, dear_stripped]])
@pytest.mark.parametrize("way", ["call", "validate", "inside", "input"])
def test_fixes_of_one_place_are_made_one_after_the_other(guards, way):
    """Each was made for what it had seen: the second is proposed anew for what the first has left, and both are on
    record. A dearer guard, which had not run, is no sign that the first fix broke something."""
    if way == "call":
        outcome, _ = run(Fix(), " ABC ", contract=Text(), guards=guards)
    elif way == "validate":
        outcome = validate(" ABC ", Text(), guards=guards, on_fail=Fix())
    elif way == "inside":
        kind = Annotated[str, *guards]
        outcome = validate('{"a": " ABC "}', dict[str, kind], on_fail=Fix())
        outcome = replace(outcome, value=outcome.value["a"])
    else:
        model = ScriptedModel(["ok"])
        guards = [changed(guard, on_fail=Fix()) for guard in guards]
        outcome = Guarded(Text(), input_guards=guards).run(model, " ABC ")
        outcome = replace(outcome, value=model.calls[0][0]["content"])
    assert (outcome.ok, outcome.value, outcome.findings) == (True, "abc", ())
    assert [repair.code for repair in outcome.repairs] == ["policy.fix"] * 2
    assert outcome.repairs[0].after == outcome.repairs[1].before


def test_a_fix_that_helps_nothing_ends_the_fixing():
    """A guard that proposes what it refuses again, or ever more, is passed over; nothing goes on for ever."""
    same = check(lambda value: Finding("test.same", "bad", fix=value))
    longer = check(lambda value: Finding("test.longer", "bad", fix=value + "!"))
    for guards in ([same], [longer], [lower, longer], [same, same]):
        outcome, _ = run(Fix().then(Refrain()), "ABC", contract=Text(), guards=guards)
        assert (outcome.delivered_by, outcome.value) == ("refrain", None)


def test_filter_takes_the_failing_item_out():
    """A failing list item goes, the rest is delivered, and the removal is among the repairs."""

    @check
    def no_spam(value, context):
        return "spam" if value == "spam" else None

    answer = '{"title": "x", "priority": 1, "tags": ["a", "spam", "b", "spam"]}'
    outcome, _ = run(Filter(), answer, guards=[no_spam.on("$.tags[*]")])
    assert (outcome.ok, outcome.delivered_by) == (True, "filter")
    assert outcome.value.tags == ["a", "b"]
    assert sorted(r.path for r in outcome.repairs) == ["/tags/1", "/tags/3"]
    assert {r.before for r in outcome.repairs} == {"spam"}


def test_filter_mends_what_the_contract_refuses():
    """An item or optional key that breaks the contract is taken out: the item whole when its inside is required."""
    schema = {
        "type": "object",
        "required": ["lines"],
        "properties": {
            "lines": {
                "type": "array",
                "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
            },
            "note": {"type": "string"},
        },
    }
    answer = '{"lines": [{"sku": "a"}, {}, {"sku": 3}, {"sku": "b"}], "note": 5}'
    outcome, _ = run(Filter(), answer, contract=JsonSchema(schema))
    assert outcome.ok
    assert outcome.value == {"lines": [{"sku": "a"}, {"sku": "b"}]}


def test_filter_never_takes_a_required_key():
    """What the contract needs stays; the next policy applies."""
    outcome, _ = run(Filter().then(Refrain()), BAD)
    assert outcome.delivered_by == "refrain"


def test_refrain_withholds():
    """Refrain delivers nothing, raises nothing and asks nothing."""
    outcome, model = run(Refrain(), BAD, GOOD)
    assert (outcome.ok, outcome.value, outcome.delivered_by, len(model.calls)) == (False, None, "refrain", 1)
    assert outcome.raise_if_rejected() is None


def test_noop_delivers_the_answer_with_its_findings():
    """Noop gives the value as it is; `ok` stays False and the findings stand."""
    outcome, _ = run(Noop(), GOOD, guards=[no_fix])
    assert (outcome.ok, outcome.delivered_by) == (False, "noop")
    assert outcome.value == Ticket(title="Printer", priority=2)
    assert [f.code for f in outcome.findings] == ["test.never"]
    assert outcome.raise_if_rejected() == outcome.value


def test_noop_never_delivers_what_the_contract_refuses():
    """There is no typed value then: the next policy applies."""
    outcome, _ = run(Noop(), BAD)
    assert (outcome.ok, outcome.value, outcome.delivered_by) == (False, None, None)


def test_fallback_value_and_function():
    """A fallback is delivered unchecked with ok False; a function gets the outcome."""
    outcome, _ = run(Fallback("none"), BAD)
    assert (outcome.ok, outcome.value, outcome.delivered_by) == (False, "none", "fallback")
    outcome, _ = run(Fallback(lambda o: [f.code for f in o.findings]), BAD)
    assert outcome.value == ["schema.required", "schema.maximum"]
    outcome, _ = run(Fallback(None), BAD)
    assert (outcome.value, outcome.delivered_by) == (None, "fallback")


@pytest.mark.parametrize("value", [[], {"a": []}, Ticket(title="x", priority=1)])
def test_a_fallback_that_a_caller_changes_is_no_other_s(value):
    """What is delivered may be changed by who gets it; the next call is given the ticket's own value."""
    ticket = Guarded(Ticket, on_fail=Fallback(value))
    before = repr(value)
    given = ticket.run(ScriptedModel([BAD]), "task").value
    if isinstance(given, list):
        given.append("mine")
    elif isinstance(given, dict):
        given["a"].append("mine")
    else:
        given.title = "mine"
    assert repr(ticket.run(ScriptedModel([BAD]), "task").value) == before


def test_a_fallback_that_cannot_be_copied_is_what_it_is():
    """A client in a list, or a sentinel, is delivered as the very object."""
    held, sentinel = [threading.Lock()], object()
    assert run(Fallback(held), BAD)[0].value is held
    assert run(Fallback(sentinel), BAD)[0].value is sentinel


def test_an_async_function_is_no_fallback():
    """Nobody awaits it: it is refused where it is written, and a coroutine that a plain one gives is never delivered."""

    async def later(outcome):
        return "x"

    with pytest.raises(ConfigError, match="the function is async"):
        Fallback(later)
    with pytest.raises(ConfigError, match="the function is async"):
        run(Fallback(lambda outcome: later(outcome)), BAD)


def test_fallback_client_is_guarded_the_same_way():
    """A stronger model gets the original question; its answer must hold too."""
    strong = ScriptedModel([GOOD])
    outcome, model = run(Reask().then(Fallback(client=strong)), BAD, BAD)
    assert (outcome.ok, outcome.delivered_by) == (True, "fallback")
    assert strong.calls == [[{"role": "user", "content": "task"}]]
    assert len(model.calls) == 2
    weak = ScriptedModel([WORSE])
    outcome, _ = run(Fallback(client=weak).then(Refrain()), BAD)
    assert outcome.delivered_by == "refrain"
    assert len(outcome.attempts) == 2


def test_a_policy_per_guard_and_per_place():
    """A guard's own policy applies to its findings only, on the guard or at the place."""

    @check(on_fail=Noop())
    def remark(value, context):
        return "just saying"

    outcome, model = run(Reask(), GOOD, guards=[remark])
    assert (outcome.delivered_by, len(model.calls)) == ("noop", 1)
    outcome, model = run(Reask(), GOOD, guards=[no_fix.on("$", on_fail=Refrain())])
    assert (outcome.delivered_by, len(model.calls)) == ("refrain", 1)


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        (Raise(), Refrain(), "policy.raise"),
        (Refrain(), Fallback(1), "policy.refrain"),
        (Fallback(1), Reask(), "policy.fallback"),
        (Reflect(), Reask(), "reflect"),
        (Reask(), Noop(), "reask"),
    ],
)
def test_the_precedence_of_policies_in_one_answer(first, second, winner):
    """The most drastic policy acts, whichever guard stands first."""

    @check(name="one", on_fail=first)
    def one(value, context):
        return "one"

    @check(name="two", on_fail=second)
    def two(value, context):
        return "two"

    for guards in ([one, two], [two, one]):
        outcome, _ = run(Raise(), GOOD, GOOD, GOOD, guards=guards)
        assert winner in (outcome.reason, outcome.attempts[0].decision)


def test_one_question_covers_all_findings():
    """Findings of several guards in one tier go back together, in one question."""

    @check
    def one(value, context):
        return "first complaint"

    @check
    def two(value, context):
        return "second complaint"

    _, model = run(Reask(), GOOD, GOOD, guards=[one, two])
    feedback = model.calls[1][-1]["content"]
    assert "first complaint" in feedback
    assert "second complaint" in feedback


def test_when_the_budget_ends_policies_without_a_call_still_apply():
    """The chain goes past what would ask, and a Refrain or Noop behind it acts."""
    outcome, model = run(Reask(times=9).then(Noop()), GOOD, GOOD, guards=[no_fix], budget=Budget(attempts=2))
    assert (outcome.delivered_by, len(model.calls)) == ("noop", 2)


def test_a_failed_guard_is_never_asked_again():
    """A crashed guard ends the call as GuardFailed with its cause, whatever the policy."""

    @check
    def broken(value, context):
        raise KeyError("oops")

    outcome, model = run(Reask(times=2).then(Noop()), GOOD, GOOD, guards=[broken])
    assert (outcome.ok, outcome.reason, len(model.calls)) == (False, "guard.failed", 1)
    with pytest.raises(GuardFailed) as caught:
        outcome.raise_if_rejected()
    assert isinstance(caught.value.__cause__, KeyError)


def test_local_policies_are_tried_for_every_answer():
    """Fix before Reask is tried again on the next answer; Reask counts over the call."""
    outcome, model = run(Fix().then(Reask(times=2)), '{"title": 1, "priority": 1}', GOOD, guards=[short_title])
    assert outcome.ok
    assert outcome.value.title == "Print"
    assert len(model.calls) == 2


def test_policies_are_values():
    """They compare, print and pickle; their options are checked where they are written."""
    chain = Reask(times=2).then(Refrain())
    assert pickle.loads(pickle.dumps(chain)) == chain
    for wrong in (
        lambda: Reask(times=0),
        lambda: Reask(times=True),
        lambda: Reask(history="none"),
        lambda: Reflect(mode="loud"),
        lambda: Reflect(client=print),
        lambda: Fallback(),
        lambda: Fallback(1, client=print),
        lambda: Reask().then("raise"),
        lambda: Budget(attempts=0),
        lambda: Budget(seconds=-1),
        lambda: Budget(tokens=True),
        lambda: Budget(price=(1,)),
    ):
        with pytest.raises(ConfigError):
            wrong()
