"""What a hook sees: one frozen value per event. A hook is any callable of one event: `Guarded(..., hooks=[hook])`.

Hooks run in the caller's thread (or event loop) and must be quick. One that raises is reported as a finding
`hook.failed` of the outcome and never loses the record.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from guards.findings import Finding
from guards.messages import Message
from guards.records import Attempt, Outcome

__all__ = ["AttemptEnded", "AttemptStarted", "CallEnded", "Decided", "Event", "FindingFound", "Hook"]


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A question is about to be put. `number` counts from 1; `messages` are empty where the caller's function sends."""

    number: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class FindingFound:
    """One finding about the answer of attempt `number`."""

    number: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Decided:
    """What follows attempt `number`: `accept`, the name of a policy, `stop`, `error` or `abandoned`."""

    number: int
    decision: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """The attempt with all that came of it."""

    number: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The whole call is over."""

    outcome: Outcome[Any]


Event: TypeAlias = AttemptStarted | FindingFound | Decided | AttemptEnded | CallEnded
Hook: TypeAlias = Callable[[Event], None]
