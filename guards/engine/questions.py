"""What guards that ask a model are lent: a client, and the budget of the call. Each of their questions is a small
guarded call of its own, so that budgets, retries and reading are those of every other question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from guards.effects import Client, Flow, Misuse, Question, Sample
from guards.engine.guard_set import NO_GUARDS, client_of
from guards.engine.plan import Plan
from guards.engine.spend import Spend
from guards.errors import ConfigError
from guards.findings import Finding
from guards.messages import Message
from guards.policies import Budget, Policy, Raise, Reask
from guards.reading.document import Place
from guards.reading.reading import Limits, Reading
from guards.records import Outcome, Usage

__all__ = ["Desk", "Questions"]

_ASK_AGAIN: Final = Reask(times=2).then(Raise())
_ENDLESS: Final = Budget()


class Called(Protocol):
    """A guarded call, as far as a question needs it."""

    outcome: Outcome[Any] | None

    def run(self) -> Flow[Outcome[Any]]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What one attempt of a call lends to its guards.

    `client`: who answered, None where only the caller's code asks. `messages`: the question, empty where it is not
    known. `context`: what the caller gave. `count` takes what was used into the record; the budget is charged by the
    questions themselves, each a call that `start` makes.
    """

    plan: Plan[Any]
    client: Client | None
    messages: tuple[Message, ...]
    context: Mapping[str, Any]
    spend: Spend
    count: Callable[[Usage], None]
    start: Callable[..., Called]
    """Makes the call of a question."""
    call: str
    """The id of the call that lends."""

    def questions(self, label: str, place: Place, timeout: float | None) -> Questions:
        """What one guard asks by; its time begins now."""
        return Questions(self, self.spend.within(timeout), place, label)


class Questions:
    """One guard's questions and samples, answered as `effects.Question` and `effects.Sample` say."""

    def __init__(self, desk: Desk, spend: Spend, place: Place, label: str) -> None:
        self._desk = desk
        self._spend = spend
        self._place = place
        self._label = label

    def answer(self, asked: Question | Sample) -> Flow[Any]:
        client = self._desk.client if asked.client is None else self._desk.plan.resolve(asked.client)
        if client is None:
            where = client_of(self._label)
            raise ConfigError("asks a model, and nobody here can be asked", where=where, hint="give it client=")
        if isinstance(asked, Question):
            return (yield from self._answer(asked, client))
        return (yield from self._sample(asked, client))

    def _answer(self, asked: Question, client: Client) -> Flow[Any]:
        plan = replace(self._desk.plan, contract=asked.contract, dial="careful", limits=Limits())
        outcome = yield from self._call(plan, client, asked.messages, {}, _ASK_AGAIN)
        if not outcome.ok:
            raise _failure(outcome)
        return outcome.value

    def _sample(self, asked: Sample, client: Client) -> Flow[Reading[Any]]:
        messages = self._desk.messages if asked.messages is None else asked.messages
        if not messages:
            raise RuntimeError("the question is not known here")
        plan = self._desk.plan
        outcome = yield from self._call(plan, client, messages, self._desk.context, Raise())
        if not outcome.ok and outcome.reason != "policy.raise":  # not refused by the contract: no answer came
            raise _failure(outcome)
        reading = Reading(outcome.value, outcome.document, outcome.findings)
        if not reading.ok or not self._place:
            return reading
        stands = plan.contract.stands(reading, self._place)
        if len(stands) != 1 or stands[0].fault is not None:  # this answer has no such place
            return replace(reading, value=None, findings=(_NOT_THERE,))
        return replace(reading, value=stands[0].value)

    def _call(
        self,
        plan: Plan[Any],
        client: Client,
        messages: Sequence[Message],
        context: Mapping[str, Any],
        on_fail: Policy[Any],
    ) -> Flow[Outcome[Any]]:
        # The policy bounds the attempts; the ticket's guards are about the ticket's answers.
        plan = replace(plan, guards=NO_GUARDS, input_guards=NO_GUARDS, on_fail=on_fail, budget=_ENDLESS)
        asked_by = (self._desk.call, self._label)
        call = self._desk.start(plan, client, tuple(messages), context, self._spend, asked_by=asked_by)
        try:
            return (yield from call.run())
        except ConfigError as fault:
            raise Misuse(fault) from fault
        except Exception as fault:
            fault.add_note(f"guards: by a question of the guard {self._label!r}")
            raise
        finally:
            if call.outcome is not None:
                self._desk.count(call.outcome.usage)


def _failure(outcome: Outcome[Any]) -> Exception:
    """Why a question of a guard has no answer."""
    reason = outcome.reason
    if reason == "budget.seconds":
        return TimeoutError("no answer came in time")
    if not outcome.attempts or reason.startswith("budget."):
        return RuntimeError(reason.message)
    asked = len(outcome.attempts)
    used = f"none of {asked} answers to its question" if asked > 1 else "no answer to its question"
    said = [line.strip() for line in outcome.summary().splitlines()[1 : _MOST_TOLD + 1]]
    wrong = "; ".join(line.removeprefix("(whole answer): ") for line in said) or reason.message
    failure = RuntimeError(f"{used} could be used: {wrong}")
    failure.__cause__ = outcome.rejection()
    return failure


_MOST_TOLD: Final = 3
_NOT_THERE: Final = Finding("schema.required", "is not there")
