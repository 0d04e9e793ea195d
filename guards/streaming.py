"""What a stream yields: frozen events, of which the last is always `Done`.

Values of `Partial` share what is closed with the ones before, so that an update costs no more for a long answer than
for a short one: look at them, do not change them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from guards.findings import Finding
from guards.records import Outcome

__all__ = ["Done", "Item", "Partial", "Restarted", "Retracted", "StreamEvent", "TextPiece"]


@dataclass(frozen=True, slots=True)
class Partial:
    """What there is of the answer so far; the accepted value itself where guards held everything back until then.
    `path` is the place that grew last, as in a finding.

    Plain data for JSON Schema and XML. For a pydantic model an instance of it in which closed parts are validated and
    members that have not come yet are None (`model_fields_set` names those that have).
    """

    value: Any
    path: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list that is the whole answer, closed and valid; `path` is its place."""

    value: Any
    path: str


@dataclass(frozen=True, slots=True)
class TextPiece:
    """The next sentence of a text, white space included: all of them joined are the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Retracted:
    """What was shown of this attempt does not hold: `text` is all text that went out, `findings` say why."""

    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Restarted:
    """The model is asked again: `attempt` is the number of the coming attempt, `findings` say why."""

    attempt: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The end, exactly once. Where the outcome is a rejection, `Rejected` is raised after it."""

    outcome: Outcome[Any]


StreamEvent: TypeAlias = Partial | Item | TextPiece | Retracted | Restarted | Done
