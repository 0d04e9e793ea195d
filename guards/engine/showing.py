"""What the reader of a streamed call sees: what comes, what is held back until it was checked, what is taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from time import time
from typing import Any

from guards.contracts.live import Live, Part, Watched
from guards.effects import Ask, Flow, Incoming, Leave, NoAnswer, Pull, Show, worked
from guards.engine.examining import Found
from guards.engine.plan import Plan, Showing
from guards.events import Done, Restarted, Retracted, StreamEvent, TextPiece
from guards.findings import Finding
from guards.messages import Reply
from guards.records import Outcome

__all__ = ["Viewer"]

Heard = tuple[Reply, tuple[Found, ...]]


class Viewer:
    """The reader of one call's answer."""

    __slots__ = ("_call", "_live", "_plan", "_showing", "_told", "_went_out")

    def __init__(self, plan: Plan[Any], showing: Showing, call: str, told: dict[str, Any] | None) -> None:
        self._plan = plan
        self._showing = showing
        self._call = call
        self._told = told
        """The context, as validators get it."""
        self._live: Live | None = None
        """The view of the answer that is coming."""
        self._went_out: list[str] = []
        """The text that it has shown."""

    @property
    def shown_for_good(self) -> str:
        """What is with the reader and cannot be taken back."""
        return self._shown if self._showing.final else ""

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
        live = self._view(self._showing.watched)
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
                    yield self._goes_out(event)
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
        if self._shown and self._showing.at_once:
            yield self._retracted(findings)
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
        if not plan.contract.is_data and isinstance(outcome.value, str):
            text = outcome.value
        if not showing.at_once or text is None or not text.startswith(self._shown):
            if showing.at_once and self._shown:
                yield self._retracted(outcome.findings)
            if text is None:
                return
            if plan.contract.is_data and plan.guards.tiers and not showing.at_once:
                # What was judged is the value; of the text that it was read from nobody has seen more than that.
                for shown in live.whole(outcome.value):
                    yield Show(shown)
                return
            live = self._view(())
            for _, event in (yield from worked(partial(live.feed, text), len(text))):
                if event is not None:
                    yield self._goes_out(event)
        for event in live.rest(outcome.value, self._shown):
            yield Show(event)

    def _view(self, watched: Sequence[Watched]) -> Live:
        """The view of an answer of which nothing was shown yet."""
        plan = self._plan
        self._live = live = plan.contract.live(self._call, plan.limits, watched, self._told)
        self._went_out = []
        return live

    @property
    def _shown(self) -> str:
        """All text of the answer that went out."""
        if len(self._went_out) > 1:
            self._went_out = ["".join(self._went_out)]
        return self._went_out[0] if self._went_out else ""

    def _goes_out(self, event: StreamEvent) -> Show:
        if isinstance(event, TextPiece):
            self._went_out.append(event.text)
        return Show(event)

    def _retracted(self, findings: Sequence[Finding]) -> Show:
        return Show(Retracted(self._shown, tuple(findings), call=self._call, at=time()))


def _reply_of(incoming: Incoming) -> Reply:
    try:
        return incoming.reply
    except NoAnswer as signal:
        return signal.reply
