"""What the reader of a streamed call sees: what comes, what is held back until it was checked, what is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import time
from typing import Any

from guards.effects import Ask, Flow, Incoming, Leave, NoAnswer, Pull, Show, worked
from guards.engine.examining import Found
from guards.engine.guard_set import GuardSet
from guards.engine.live import Live, Part, live_of
from guards.engine.plan import Plan, Showing
from guards.events import Done, Restarted, Retracted
from guards.findings import Finding
from guards.messages import Reply
from guards.records import Outcome

__all__ = ["Viewer"]

Heard = tuple[Reply, tuple[Found, ...]]


class Viewer:
    """The reader of one call's answer."""

    __slots__ = ("_call", "_live", "_plan", "_showing", "_told")

    def __init__(self, plan: Plan[Any], showing: Showing, call: str, told: dict[str, Any] | None) -> None:
        self._plan = plan
        self._showing = showing
        self._call = call
        self._told = told
        """The context, as validators get it."""
        self._live: Live | None = None
        """The view of the answer that is coming."""

    @property
    def shown_for_good(self) -> str:
        """What is with the reader and cannot be taken back."""
        return self._live.shown if self._live is not None and self._showing.final else ""

    def listen(
        self,
        ask: Ask,
        check: Callable[[Part], Flow[tuple[Found, ...]]],
        waits: Callable[[Sequence[Found]], bool],
        *,
        watched: bool,
    ) -> Flow[Heard]:
        """The answer piece by piece, shown as it comes; and what `check` found in a part of it, where the rest was left
        unread. `waits` says whether something needs the rest all the same; what is not `watched` is no view of the
        whole."""
        self._live = live = self._view(self._showing.checks)
        incoming: Incoming = yield ask
        refused: tuple[Found, ...] = ()
        while (piece := (yield Pull(incoming, ask.deadline))) is not None:
            if not watched or refused or not self._showing.at_once:
                continue  # a budget of tokens needs the end of the stream, which says what was used
            for part, event in (yield from worked(partial(live.feed, piece), len(piece))):
                refused = (yield from check(part)) if part is not None else ()
                if refused:
                    break
                if event is not None:
                    yield live.goes_out(event)
            if refused and not waits(refused):
                yield Leave(incoming)
                return _reply_of(incoming), refused
        try:
            return incoming.reply, ()  # read to its end, it is judged as any other answer, whatever a part was
        except NoAnswer as signal:
            if not refused:
                raise
            return signal.reply, refused

    def restart(self, attempt: int, findings: Sequence[Finding]) -> Flow[None]:
        """The model is asked again."""
        if self._live is not None and self._live.shown and self._showing.at_once:
            yield self._retracted(self._live.shown, findings)
        yield Show(Restarted(attempt, tuple(findings), call=self._call, at=time()))

    def end(self, outcome: Outcome[Any]) -> Flow[None]:
        """What was held back of what is delivered; what was shown of anything else is taken back. Then the end."""
        yield from self._rest(outcome)
        yield Show(Done(outcome, call=self._call, at=time()))

    def _rest(self, outcome: Outcome[Any]) -> Flow[None]:
        live, showing, plan = self._live, self._showing, self._plan
        if live is None:
            return
        text = outcome.accepted_text if outcome.ok or outcome.delivered_by == "noop" else None
        if plan.contract.format == "text" and isinstance(outcome.value, str):
            text = outcome.value
        if not showing.at_once or text is None or not text.startswith(live.shown):
            if showing.at_once and live.shown:
                yield self._retracted(live.shown, outcome.findings)
            if text is None:
                return
            if plan.contract.format != "text" and plan.guards.tiers and not showing.at_once:
                # What was judged is the value; of the text that it was read from nobody has seen more than that.
                for shown in live.whole(outcome.value):
                    yield Show(shown)
                return
            live = self._view(None)
            for _, event in (yield from worked(partial(live.feed, text), len(text))):
                if event is not None:
                    yield live.goes_out(event)
        for event in live.rest(outcome.value):
            yield Show(event)

    def _view(self, checks: GuardSet | None) -> Live:
        return live_of(self._plan.contract, self._call, self._plan.limits, checks, self._told)

    def _retracted(self, text: str, findings: Sequence[Finding]) -> Show:
        return Show(Retracted(text, tuple(findings), call=self._call, at=time()))


def _reply_of(incoming: Incoming) -> Reply:
    try:
        return incoming.reply
    except NoAnswer as signal:
        return signal.reply
