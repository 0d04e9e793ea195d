"""The record of a call in progress: the attempts so far, the one that is open, and what was spent."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from guards.engine.examining import Examined
from guards.engine.spend import Spend, clock
from guards.findings import Finding
from guards.messages import Message, Reply
from guards.records import Attempt, Head, Origin, Outcome, Reason, Repair, Usage

__all__ = ["Ledger", "Open"]

T = TypeVar("T")

_NO_USAGE: Final = Usage()


@dataclass(slots=True)
class Open:
    """The attempt in progress."""

    number: int
    messages: tuple[Message, ...]
    started: float
    reflection: str | None = None
    usage: Usage = _NO_USAGE
    reply: Reply | None = None
    """The answer, less a reflection that stood before it."""
    whole: str | None = None
    """The whole answer, where the reply holds only a part of it that was asked for."""
    examined: Examined[Any] | None = None


class Ledger:
    """Keeps the attempts of one call. At most one is open at a time."""

    __slots__ = (
        "_lock",
        "_spend",
        "amended",
        "apart",
        "attempts",
        "head",
        "open",
        "ready",
        "reflections",
        "reports",
        "started",
    )

    def __init__(self, spend: Spend, origin: Origin | None = None, tags: Mapping[str, Any] | None = None) -> None:
        self.head = Head(origin, tags)
        self.attempts: list[Attempt] = []
        self.open: Open | None = None
        self.ready: Open | None = None
        """A reflection made by a call of its own: the beginning of the coming attempt."""
        self.reflections: list[str] = []
        self.reports: list[Finding] = []
        """What belongs to the call and to no answer: hooks that failed, remarks of input guards."""
        self.amended: tuple[Repair, ...] = ()
        """What was changed in the question before it was put."""
        self.apart = _NO_USAGE
        """What was used before the first attempt, by input guards."""
        self.started = clock()
        self._lock = threading.Lock()
        self._spend = spend

    @property
    def asked(self) -> int:
        """Questions put so far, the open one too."""
        return len(self.attempts) + (self.open is not None)

    @property
    def usage(self) -> Usage:
        """Of all closed attempts, and of what came before them."""
        if len(self.attempts) == 1 and self.apart is _NO_USAGE:  # as mostly
            return self.attempts[0].usage
        usage = self.apart
        for attempt in self.attempts:
            usage = usage + attempt.usage
        return usage

    def start(self, messages: tuple[Message, ...]) -> Open:
        """Open the next attempt."""
        opened = self.ready or Open(len(self.attempts) + 1, messages, clock())
        opened.messages = messages
        self.open, self.ready = opened, None
        return opened

    def prepare(self, messages: tuple[Message, ...]) -> Open:
        """Begin the coming attempt with a reflection of its own call."""
        self.ready = Open(self.asked + 1, messages, clock())
        return self.ready

    def drop_ready(self) -> None:
        """There is no coming attempt: what its reflection used belongs to the open one."""
        if self.ready is not None and self.open is not None:
            self.open.usage = self.open.usage + self.ready.usage
        self.ready = None

    def count(self, opened: Open, reply: Reply) -> None:
        """Add what a reply used, to the attempt and to the budget; `ConfigError` where the budget cannot be kept."""
        if reply.usage is None and not self._spend.counts_usage:
            return
        usage = Usage.of(reply.usage)
        if usage.cost is None:
            cost = self._spend.budget.cost_of(usage)
            usage = usage if cost is None else replace(usage, cost=cost)
        opened.usage = opened.usage + usage
        self._spend.add(usage)

    def add(self, opened: Open | None, usage: Usage) -> None:
        """What a guard used, which the budget has been charged with; several may come at once."""
        with self._lock:
            if opened is None:
                self.apart = self.apart + usage
            else:
                opened.usage = opened.usage + usage

    def seen(self, opened: Open, examined: Examined[Any]) -> None:
        """What came of the answer."""
        opened.examined = examined

    def close(self, decision: str) -> Attempt | None:
        """The open attempt becomes a record; nothing happens where none is open."""
        opened, self.open = self.open, None
        if opened is None:
            return None
        examined = opened.examined
        attempt = Attempt.of(
            {
                "messages": opened.messages,
                "text": opened.reply.text if opened.reply else None,
                "findings": examined.findings if examined else (),
                "repairs": (*self.amended, *examined.reading.repairs) if examined else self.amended,
                "scores": examined.scores if examined else {},
                "skipped": examined.skipped if examined else (),
                "reflection": opened.reflection,
                "usage": opened.usage,
                # A reflection of its own call counts for the coming attempt alone.
                "seconds": (self.ready.started if self.ready else clock()) - opened.started,
                "decision": decision,
                "raw": opened.reply.raw if opened.reply else None,
            }
        )
        self.attempts.append(attempt)
        return attempt

    def outcome(
        self,
        text: str | None,
        examined: Examined[T],
        *,
        ok: bool,
        value: T | None,
        reason: Reason,
        by: str | None = None,
    ) -> Outcome[T]:
        """All that is on record, as the end of it. `by` names the policy that delivers."""
        return Outcome.of(
            {
                "ok": ok,
                "value": value,
                "text": text,
                "findings": (*examined.findings, *self.reports),
                "scores": examined.scores,
                "repairs": (*self.amended, *examined.reading.repairs),
                "attempts": tuple(self.attempts),
                "usage": self.usage,
                "seconds": clock() - self.started,
                "reason": reason,
                "delivered_by": by,
                "head": self.head,
                "cause": examined.faults[0] if examined.faults else None,
                "document": examined.reading.document,
            }
        )
