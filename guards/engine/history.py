"""What is asked next, and what it is made of: every answer that did not hold, with what was said about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from guards.effects import Client, Flow, worked
from guards.engine import wording
from guards.engine.examining import Examined
from guards.engine.ledger import Ledger, Open
from guards.engine.plan import Plan
from guards.findings import Finding, decisive
from guards.messages import Feedback, Message, Reply
from guards.policies import Reask, Reflect

if TYPE_CHECKING:
    from guards.engine.asking_again import Parts

__all__ = ["History", "NextQuestion", "length_of", "sendable"]


@dataclass(slots=True)
class NextQuestion:
    """What is asked next. `extra` are the turns that the library added; `fallback` says who is asked instead."""

    client: Client
    messages: tuple[Message, ...]
    extra: tuple[Message, ...] = ()
    feedback: Feedback | None = None
    fallback: bool = False
    parts: Parts | None = None
    """How the reply is read where less than the whole answer was asked for."""
    reflects: bool = False
    """Whether the reply was asked to begin with a reflection."""


class History:
    """The turns that the library added so far."""

    __slots__ = ("_ledger", "_plan", "_told", "_turns")

    def __init__(self, plan: Plan[Any], ledger: Ledger, told: dict[str, Any] | None) -> None:
        self._plan = plan
        self._ledger = ledger
        self._told = told
        """The context, as validators get it."""
        self._turns: tuple[Message, ...] = ()

    def so_far(
        self, messages: tuple[Message, ...], step: Reask | Reflect
    ) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """The original messages and the library's turns so far, as much of both as the policy sends."""
        if step.history == "minimal":
            return wording.minimal(messages), ()
        return messages, self._turns

    def next(
        self,
        client: Client,
        messages: tuple[Message, ...],
        opened: Open,
        examined: Examined[Any],
        step: Reask | Reflect,
    ) -> Flow[NextQuestion]:
        """The question that follows an answer that did not hold."""
        mode: wording.Mode = step.mode if isinstance(step, Reflect) else "reask"
        base, earlier = self.so_far(messages, step)
        # In the full history the inline reflections stand in the turns already.
        carried = self._ledger.reflections if mode == "separate" or step.history == "minimal" else ()
        findings = tuple(found.finding for found in examined.blocking)
        parts = None
        if isinstance(step, Reask):
            parts = yield from worked(partial(self._less, opened, examined, findings, step), length_of(opened))
        if parts is not None:
            # A turn of its own: an SDK's response holds the whole answer.
            text, reply = parts.text, Reply(parts.shown)
        else:
            text = wording.feedback_text(findings, self._plan.contract.format, mode=mode, reflections=carried)
            reply = sendable(opened)
        turns = client.turns(reply, text)
        self._turns += turns
        extra = earlier + turns
        attempt = self._ledger.asked + 1
        feedback = Feedback.of({"text": text, "findings": findings, "messages": extra, "attempt": attempt})
        return NextQuestion(client, base, extra, feedback, parts=parts, reflects=mode == "inline")

    def _less(self, opened: Open, examined: Examined[Any], findings: Sequence[Finding], step: Reask) -> Parts | None:
        """A question for a part of the answer, where that is enough and costs less."""
        plan, document = self._plan, examined.reading.document
        cut_off = decisive(findings).code.endswith(".truncated")
        if opened.reply is None or not (cut_off or (step.scope == "fields" and document is not None)):
            return None
        from guards.engine.asking_again import ask_for_parts, ask_for_rest  # most calls ask for the whole

        if cut_off:
            kept = opened.whole if opened.whole is not None else opened.reply.text
            return ask_for_rest(plan.contract, kept, document, plan.dial, plan.limits, self._told)
        assert document is not None
        return ask_for_parts(plan.contract, document, findings, plan.dial, plan.limits, self._told)


def length_of(opened: Open | None) -> int:
    """How long the answer is that an attempt has, with what it is a part of."""
    if opened is None:
        return 0
    return max(len(opened.whole or ""), len(opened.reply.text) if opened.reply is not None else 0)


def sendable(opened: Open) -> Reply:
    """The reply as it goes back to the model: its reflection in front, and no longer than is of use. The record keeps
    the whole."""
    reply = opened.reply or Reply("")
    if opened.whole is not None:
        # A part was asked for; what goes back is the answer that it became a part of.
        reply = replace(reply, text=opened.whole, raw=None)
    text = reply.text
    if len(text) > _MOST_QUOTED:
        text = f"{text[:_MOST_QUOTED]}\n[cut here: {len(text)} characters in all]"
    if opened.reflection is not None:
        text = f"<reflection>{opened.reflection}</reflection>\n{text}"
    return reply if text == reply.text else replace(reply, text=text)


_MOST_QUOTED: Final = 20_000
