"""Which policy acts on an answer's findings: every finding's own chain, then one precedence over all of them.

What the policy then does is `engine.settling` and `engine.call`. Turns of policies that ask are counted over the whole
call, per owner of a chain (a guard with a policy of its own, or the ticket). Policies that edit or deliver are tried
anew for every answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from guards.engine.examining import Found
from guards.policies import PRECEDENCE, Fallback, Policy, Reask, Reflect

__all__ = ["Acting", "Choice", "Deciding", "Turn"]

Key = tuple[str | None, int]
"""(owner of the chain, index of the step in it)"""

_TICKET: Final = None
"""The owner of the ticket's own chain; the others are guards', by their labels."""


@dataclass(slots=True)
class Acting:
    """A finding and the step of its chain whose turn it is; no step when the chain has run out."""

    found: Found
    key: Key
    step: Policy[Any] | None


@dataclass(slots=True)
class Choice:
    """The policy that acts (None: the chains have run out), the findings whose turn it is, and whether any of their
    chains holds a policy that asks."""

    step: Policy[Any] | None
    acting: tuple[Acting, ...]
    would_ask: bool


class Deciding:
    """The turns used over one call."""

    __slots__ = ("_on_fail", "_used")

    def __init__(self, on_fail: Policy[Any]) -> None:
        self._on_fail = on_fail
        self._used: dict[Key, int] = {}

    def turn(self, *, spent: bool, barred: bool, shown: bool = False) -> Turn:
        """Decide on one answer. `spent`: nobody may be asked; `barred`: the same model may not; `shown`: a part of it
        cannot be taken back, so that it is delivered as it is or not at all."""
        return Turn(self, spent=spent, barred=barred, shown=shown)

    def use(self, acting: Sequence[Acting]) -> None:
        """Count one turn for each chain that has asked; several findings of one owner are one question."""
        for key in {one.key for one in acting}:
            self._used[key] = self._used.get(key, 0) + 1

    def chain(self, found: Found) -> tuple[str | None, tuple[Policy[Any], ...]]:
        """Whose chain answers for a finding: the guard's own, or the ticket's."""
        entry = found.entry
        if entry is not None and entry.policy is not None:
            return entry.label, entry.policy.steps
        return _TICKET, self._on_fail.steps

    def used_up(self, key: Key, step: Policy[Any]) -> bool:
        """Whether a policy that asks has had all its turns."""
        times = step.times if isinstance(step, Reask | Reflect) else 1
        return self._used.get(key, 0) >= times


class Turn:
    """One answer: which policies were passed over for it so far."""

    __slots__ = ("_barred", "_deciding", "_passed", "_shown", "_spent")

    def __init__(self, deciding: Deciding, *, spent: bool, barred: bool, shown: bool) -> None:
        self._deciding = deciding
        self._spent = spent
        self._barred = barred
        self._shown = shown
        self._passed: dict[str | None, int] = {}

    def choose(self, blocking: Sequence[Found]) -> Choice:
        """The most drastic of the findings' policies, by `PRECEDENCE`."""
        chained = [self._deciding.chain(found) for found in blocking]
        chains = dict(chained)
        turns = {owner: self._next(owner, steps) for owner, steps in chains.items()}
        name = min([_name(step) for _, step in turns.values()], key=PRECEDENCE.index)
        acting = tuple(
            [
                Acting(found, *turns[owner])
                for found, (owner, _) in zip(blocking, chained, strict=True)
                if _name(turns[owner][1]) == name
            ]
        )
        asks = any(step.asks for owner in {one.key[0] for one in acting} for step in chains[owner])
        return Choice(acting[0].step, acting, asks)

    def nobody_more(self) -> None:
        """The budget ended meanwhile."""
        self._spent = True

    def pass_over(self, acting: Sequence[Acting]) -> None:
        """These could not help with this answer: their chains go on to the next policy."""
        for one in acting:
            owner, index = one.key
            self._passed[owner] = max(self._passed.get(owner, 0), index + 1)

    def _next(self, owner: str | None, steps: Sequence[Policy[Any]]) -> tuple[Key, Policy[Any] | None]:
        """The step of a chain whose turn it is."""
        for index in range(self._passed.get(owner, 0), len(steps)):
            step, key = steps[index], (owner, index)
            if self._may_act(key, step):
                return key, step
        return (owner, len(steps)), None

    def _may_act(self, key: Key, step: Policy[Any]) -> bool:
        if self._shown and step.name not in ("noop", "raise"):
            return False
        if not step.asks:
            return True
        # A bar on the same model leaves another one free to answer.
        if self._spent or (self._barred and not isinstance(step, Fallback)):
            return False
        return not self._deciding.used_up(key, step)


def _name(step: Policy[Any] | None) -> str:
    return step.name if step is not None else "raise"
