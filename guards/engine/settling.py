"""What the policies make of an answer that does not hold, as far as nobody has to be asked.

Edits are made and checked again until nothing is left, or until a policy ends it. Calls and `validate` settle by the
same code; what a policy that asks then does is `engine.call`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from guards.context import Context
from guards.contracts.base import Contract
from guards.effects import Flow, worked
from guards.engine import edits
from guards.engine.deciding import Acting, Choice, Turn
from guards.engine.examining import Examined, Found, examine
from guards.engine.guard_set import GuardSet
from guards.policies import Fallback, Policy
from guards.reading.reading import Reading
from guards.records import Outcome, Reason

if TYPE_CHECKING:
    from guards.engine.questions import Desk
    from guards.engine.telling import Telling

__all__ = ["EDITS", "Examiner", "Settled", "delivered", "settle"]

T = TypeVar("T")

EDITS: Final = ("fix", "filter")
"""Policies that change the answer, so that it may hold after all."""


@dataclass(slots=True)
class Examiner(Generic[T]):
    """What an answer is held against, and again after each edit."""

    contract: Contract[T]
    guards: GuardSet
    context: Context
    desk: Desk | None = None
    told: dict[str, Any] | None = None
    """The context, as validators get it."""
    every_tier: bool = False
    chars: int = 0
    """How long the answer's text is."""
    telling: Telling | None = None

    def examine(self, reading: Reading[T]) -> Flow[Examined[T]]:
        every, telling = self.every_tier, self.telling
        return examine(reading, self.contract, self.guards, self.context, self.desk, every_tier=every, telling=telling)


@dataclass(slots=True)
class Settled(Generic[T]):
    """What was settled: the answer as edits have left it, and the policy that has the word.

    `step` is an edit where the answer holds by it; None where it stays refused.
    """

    examined: Examined[T]
    choice: Choice

    @property
    def step(self) -> Policy[Any] | None:
        step = self.choice.step
        return None if step is None or step.name == "raise" else step


def settle(examined: Examined[T], turn: Turn, examiner: Callable[[], Examiner[T]]) -> Flow[Settled[T]]:
    """Edit as long as the policies say so; ends with the first that says anything else, or when nothing is left.

    The examiner is made for the first edit: most answers get none.
    """
    while True:
        choice = turn.choose(examined.blocking)
        name = choice.step.name if choice.step is not None else "raise"
        if name in EDITS:
            better = yield from _edit(name, examined, choice.acting, examiner())
            if better is None:
                turn.pass_over(choice.acting)
                continue
            examined = better
            if not examined.blocking:
                return Settled(examined, choice)
        elif name == "noop" and not examined.reading.ok:  # what the contract refuses is never delivered
            turn.pass_over(choice.acting)
        else:
            return Settled(examined, choice)


def _edit(
    name: str, examined: Examined[T], acting: Sequence[Acting], examiner: Examiner[T]
) -> Flow[Examined[T] | None]:
    """Fix or Filter, then everything again; None where it cannot be done or something else breaks by it."""
    reading, contract = examined.reading, examiner.contract
    if reading.document is None:
        return None
    findings = [one.found.finding for one in acting]
    fix, told = name == "fix", examiner.told

    def edited() -> tuple[Reading[T], tuple[int, ...]] | None:
        assert reading.document is not None
        edit = edits.fixed(reading.document, findings) if fix else edits.pruned(contract, reading, findings, told)
        if edit is None:
            return None
        again = contract.recheck(edit.document, told)
        return replace(again, repairs=(*reading.repairs, *edit.repairs)), edit.answered

    done = yield from worked(edited, examiner.chars)
    if done is None:
        return None
    again, answered = done
    result = yield from examiner.examine(again)
    before = _count(examined.blocking)
    # What a guard finds that had not run before, a dearer one say, is news: the edit did not bring it about.
    after = _count([found for found in result.blocking if found.finding.guard not in examined.skipped])
    solved = _count([acting[number].found for number in answered])
    # A filter moves the items behind it, so that its findings can only be counted.
    improved = after <= before - solved if fix else len(after) < len(before)
    # What a guard could not look at again was not mended.
    return result if improved and result.failure is None else None


def delivered(outcome: Outcome[T], step: Policy[Any], reading: Reading[T]) -> Outcome[T]:
    """A refused outcome with what Refrain, Noop or Fallback deliver in an accepted answer's place."""
    outcome = replace(outcome, ok=False, value=None, reason=_BY_POLICY[step.name])
    value = reading.value if step.name == "noop" else None
    if isinstance(step, Fallback):
        value = step.deliver(outcome)
    return replace(outcome, value=value, delivered_by=step.name)


def _count(found: Sequence[Found]) -> Counter[tuple[str, str, str | None]]:
    """How often each finding is there."""
    return Counter((one.finding.code, one.finding.path, one.finding.guard) for one in found)


_BY_POLICY: Final = {
    "noop": Reason("policy.noop", "The answer was delivered as it is, with its findings."),
    "refrain": Reason("policy.refrain", "The answer was withheld."),
    "fallback": Reason("policy.fallback", "A fallback was delivered in the answer's place."),
}
