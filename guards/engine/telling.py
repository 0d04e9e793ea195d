"""What a call tells its hooks: events are noted as things happen, and leave the flow as an effect at its next turn.

Most tickets have no hooks; then nobody makes one of these, and no event either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING, Any, TypeVar

from guards.effects import Ask, Client, Flow, NoAnswer, Tell
from guards.engine.spend import clock
from guards.events import (
    Answered,
    Asked,
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Decided,
    Event,
    FindingFound,
    GuardRan,
    Hook,
    InputChecked,
    Kind,
)
from guards.findings import Finding
from guards.identity import name_of
from guards.messages import Message, Reply
from guards.records import Attempt, Outcome, Usage
from guards.values.colour import is_async

if TYPE_CHECKING:
    from guards.engine.input import Settled
    from guards.engine.plan import Plan

__all__ = ["Telling"]

A = TypeVar("A")


class Telling:
    """The hooks of one call. `reports` are findings about hooks that failed."""

    __slots__ = ("_hooks", "_waiting", "call", "parent", "reports")

    def __init__(self, hooks: tuple[Hook, ...], call: str, parent: str | None, reports: list[Finding]) -> None:
        self._hooks = hooks
        self.call = call
        self.parent = parent
        self.reports = reports
        self._waiting: list[Event] = []

    def tell(self) -> Flow[None]:
        """What has happened since the last time."""
        if not self._waiting:
            return
        events, self._waiting = self._waiting, []
        for event, fault in (yield Tell(events, self._hooks)):
            self._report(event, fault)

    def tell_now(self) -> None:
        """The same where the flow is taken away, and nobody drives it any more; an async hook cannot be told."""
        for event in self._waiting:
            for hook in self._hooks:
                try:
                    if not is_async(hook):
                        hook(event)
                except Exception as fault:  # noqa: BLE001  # reported in the record: a broken hook loses no answer
                    self._report(event, fault)
        self._waiting = []

    def _report(self, event: Event, fault: Exception) -> None:
        words = f"a hook raised {type(fault).__name__} on {type(event).__name__}"
        self.reports.append(Finding("hook.failed", words, severity="warning"))

    def _note(self, kind: Callable[..., Event], *facts: Any, **named: Any) -> None:
        self._waiting.append(kind(*facts, call=self.call, parent=self.parent, at=time(), **named))

    # -- what happens ------------------------------------------------------------------------------------------------

    def call_started(
        self, kind: Kind, plan: Plan[Any], name: str | None, messages: tuple[Message, ...], tags: Mapping[str, Any]
    ) -> None:
        origin = plan.origin
        self._note(CallStarted, kind, origin.fingerprint, name or origin.name, _apart(messages), dict(tags))

    def input_checked(self, settled: Settled) -> None:
        refused = settled.refused
        findings = (*settled.remarks, *(refused.findings if refused is not None else ()))
        self._note(InputChecked, findings, settled.repairs, refused is not None)

    def attempt_started(self, number: int, messages: tuple[Message, ...]) -> None:
        self._note(AttemptStarted, number, _apart(messages))

    def asking(self, number: int, ask: Ask, put: Callable[[Ask], Flow[A]]) -> Flow[A]:
        """What `put` gives, and what came of the question told: a reply, or a reply and what was found in it."""
        name, begun, tried = _name_of(ask.client), clock(), list[float]()
        self._note(Asked, number, name)
        yield from self.tell()
        came: Any = None
        try:
            came = yield from put(replace(ask, tried=tried))
            return came  # type: ignore[no-any-return]  # noqa: TRY300  # Any, to be told in the end
        except NoAnswer as signal:
            came = signal.reply
            raise
        finally:
            reply: Reply | None = came[0] if isinstance(came, tuple) else came
            usage, finish = Usage.of(reply.usage if reply else None), reply.finish if reply else None
            tries = max(1, len(tried))
            self._note(Answered, number, name, usage, clock() - begun, tries, finish, came is not None)

    def guard_ran(self, number: int, name: str, place: str, seconds: float, score: float | None) -> None:
        self._note(GuardRan, number, name, place, seconds, score)

    def findings_found(self, number: int, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._note(FindingFound, number, finding)

    def attempt_ended(self, number: int, attempt: Attempt) -> None:
        self._note(Decided, number, attempt.decision)
        self._note(AttemptEnded, number, attempt)

    def call_ended(self, outcome: Outcome[Any]) -> None:
        self._note(CallEnded, outcome)


def _apart(value: Any) -> Any:
    """The turns for a hook: what it does to them does not reach the model."""
    if isinstance(value, tuple | list):
        return type(value)(map(_apart, value)) if type(value) in (tuple, list) else value
    return {key: _apart(held) for key, held in value.items()} if type(value) is dict else value


def _name_of(client: Client) -> str:
    """What is asked in the end, by the name of its function or class."""
    owner = getattr(client, "owner", None) or client
    return name_of(owner if hasattr(owner, "__qualname__") else type(owner))
