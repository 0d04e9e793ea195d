"""What happens in a call, while it happens: one tree of frozen events, for hooks and for whoever reads a stream.

A hook is any callable of one event, plain or async: `Guarded(..., hooks=[hook])`. Each event says which call it is of
(`call`), which call that is a part of (`parent`: a judge's question is a call of its own), and when it was (`at`).
Within one call they come in the order in which things happened.

What a hook raises is reported as a finding `hook.failed` of the outcome and never touches the call. Under a sync call
hooks run in the caller's thread; under an async one an async hook is awaited, and a plain one runs beside the event
loop, which never stands still for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from guards.findings import Finding
from guards.messages import Message
from guards.records import Attempt, Outcome, Repair, Usage

__all__ = [
    "Answered",
    "Asked",
    "AttemptEnded",
    "AttemptStarted",
    "CallEnded",
    "CallStarted",
    "Decided",
    "Done",
    "Event",
    "FindingFound",
    "GuardRan",
    "Hook",
    "InputChecked",
    "Item",
    "Partial",
    "Restarted",
    "Retracted",
    "Shown",
    "StreamEvent",
    "TextPiece",
]

Kind: TypeAlias = Literal["call", "validate", "score_many", "question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`call` is the id of the call (`Outcome.id`), `parent` that of the call whose guard asked it, if one did, and `at`
    the time in seconds since 1970. Events are equal by what happened, not by these, and print as that."""

    call: str = field(default="", compare=False, repr=False)
    parent: str | None = field(default=None, compare=False, repr=False)
    at: float = field(default=0.0, compare=False, repr=False)


# -- for hooks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    """A call begins: the first of its events.

    `kind`: a `call` (whatever shape of use it has), a text that `validate` holds against a contract, many values that
    `score_many` judges, or a `question` of a guard that asks a model. `ticket` is the fingerprint of what was asked
    for; None where a part of it has none. `name` is the contract's. `tags` are the caller's.
    """

    kind: Kind
    ticket: str | None
    name: str
    messages: tuple[Message, ...] = ()
    tags: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InputChecked(Event):
    """Input guards have looked at what goes to the model. `findings` are theirs, those that block among them;
    `repairs` are what they changed; `refused`: the model is not asked."""

    findings: tuple[Finding, ...]
    repairs: tuple[Repair, ...]
    refused: bool


@dataclass(frozen=True, slots=True)
class AttemptStarted(Event):
    """An attempt begins. `number` counts from 1; `messages` are empty where the caller's function sends."""

    number: int
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Asked(Event):
    """The question of attempt `number` is put to a `client`, by its name."""

    number: int
    client: str


@dataclass(frozen=True, slots=True)
class Answered(Event):
    """What came back: `usage` of this question, the `seconds` that it took and the `tries` of the transport, and why
    the model stopped (`finish`, where the client says). `answered` is False where no answer came."""

    number: int
    client: str
    usage: Usage
    seconds: float
    tries: int = 1
    finish: str | None = None
    answered: bool = True


@dataclass(frozen=True, slots=True)
class GuardRan(Event):
    """A guard has judged one place of the answer of attempt `number` (0: the input, or a value that nobody was asked
    for). `score` is None where it could not do its work. `cached`: its verdict was there before."""

    number: int
    name: str
    place: str
    seconds: float
    score: float | None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class FindingFound(Event):
    """One finding about the answer of attempt `number`."""

    number: int
    finding: Finding


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """What follows attempt `number`: `accept`, the name of a policy, `stop`, `error` or `abandoned`."""

    number: int
    decision: str


@dataclass(frozen=True, slots=True)
class AttemptEnded(Event):
    """The attempt with all that came of it."""

    number: int
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The whole call is over: the last of its events. Of many values the outcome holds the scores."""

    outcome: Outcome[Any]


# -- for who reads a stream --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown(Event):
    """What a stream yields; the last is always `Done`.

    Values of `Partial` share what is closed with the ones before, so that an update costs no more for a long answer
    than for a short one: look at them, do not change them.
    """


@dataclass(frozen=True, slots=True)
class Partial(Shown):
    """What there is of the answer so far; the accepted value itself where guards held everything back until then.
    `path` is the place that grew last, as in a finding.

    Plain data for JSON Schema and XML. For a pydantic model an instance of it in which closed parts are validated and
    members that have not come yet are None (`model_fields_set` names those that have).
    """

    value: Any
    path: str = ""


@dataclass(frozen=True, slots=True)
class Item(Shown):
    """An item of a list that is the whole answer, closed and valid; `path` is its place."""

    value: Any
    path: str


@dataclass(frozen=True, slots=True)
class TextPiece(Shown):
    """The next sentence of a text, white space included: all of them joined are the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Retracted(Shown):
    """What was shown of this attempt does not hold: `text` is all text that went out, `findings` say why."""

    text: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Restarted(Shown):
    """The model is asked again: `attempt` is the number of the coming attempt, `findings` say why."""

    attempt: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Done(Shown):
    """The end, exactly once. Where the outcome is a rejection, `Rejected` is raised after it."""

    outcome: Outcome[Any]


StreamEvent: TypeAlias = Partial | Item | TextPiece | Retracted | Restarted | Done
Hook: TypeAlias = Callable[[Event], None] | Callable[[Event], Awaitable[None]]
