"""The loop: ask, read, check, decide, and ask again, until an answer holds or nothing more can be done.

A generator without I/O (`effects` has its effects, `driving.drivers` runs them); every shape of use drives this one. It
never raises for a bad answer: it returns an `Outcome`. A fault of the caller's own code closes the record and goes on
up. Which policy acts is `engine.deciding`; what is kept on the way is `engine.ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from guards.context import Context, checked_context
from guards.effects import (
    LONG_TEXT,
    Ask,
    Client,
    Flow,
    Left,
    LongWork,
    NoAnswer,
    OutOfTime,
    put,
)
from guards.engine import wording
from guards.engine.deciding import Choice, Deciding
from guards.engine.examining import Examined, Found, examine, unguarded
from guards.engine.guard_set import GuardSet
from guards.engine.history import History, NextQuestion, length_of, sendable
from guards.engine.ledger import Ledger, Open
from guards.engine.plan import Plan, Showing
from guards.engine.settling import EDITS, Examiner, delivered, settle
from guards.engine.spend import Spend, clock
from guards.findings import Finding
from guards.messages import Feedback, Message, Reply, as_messages
from guards.policies import Fallback, Policy, Reask, Reflect
from guards.reading.reading import Reading
from guards.records import ACCEPTED, Outcome, Reason, checked_tags

if TYPE_CHECKING:
    from guards.contracts.live import Part
    from guards.engine.asking_again import Parts
    from guards.engine.input import Input
    from guards.engine.questions import Desk
    from guards.engine.showing import Viewer
    from guards.engine.telling import Telling

__all__ = ["Call", "begin"]

T = TypeVar("T")


class Call(Generic[T]):
    """One guarded call. Drive `run()`; `outcome` holds the record, also after a fault."""

    __slots__ = (
        "_cut_off",
        "_deciding",
        "_desk",
        "_history",
        "_late",
        "_ledger",
        "_spend",
        "_telling",
        "_told_validators",
        "_viewer",
        "client",
        "given",
        "messages",
        "outcome",
        "plan",
        "showing",
    )

    def __init__(
        self,
        plan: Plan[T],
        client: Client,
        messages: tuple[Message, ...],
        context: Mapping[str, Any],
        spend: Spend,
        showing: Showing | None = None,
        *,
        tags: Mapping[str, Any] | None = None,
        asked_by: tuple[str, str] | None = None,
    ) -> None:
        """`asked_by`: the id of the call whose guard puts this question, and the guard's name."""
        self.plan = plan
        self.showing = showing
        self._viewer: Viewer | None = None
        """What the reader of the answer sees, where the call is streamed."""
        self._desk: Desk | None = None
        """Where guards of the open attempt ask."""
        self.client = client
        self.messages = messages
        self.given = context
        self._told_validators: dict[str, Any] | None = dict(context) if context else None
        """The same for validators inside the contract: pydantic's `info.context`."""
        self.outcome: Outcome[T] | None = None
        self._spend = spend
        self._ledger = ledger = Ledger(spend, plan.origin, tags or {})
        self._telling: Telling | None = None
        """The hooks, where there are any."""
        if plan.hooks:
            from guards.engine.telling import Telling

            parent, asker = asked_by or (None, None)
            self._telling = Telling(plan.hooks, ledger.head.id, parent, ledger.reports)
            self._telling.call_started("question" if asked_by else "call", plan, asker, messages, tags or {})
        self._deciding = Deciding(plan.on_fail)
        self._history = History(plan, ledger, self._told_validators)
        self._cut_off = 0
        self._late = False
        """An answer could not come in time; a pause of the transport may end a call before its seconds do."""

    def run(self) -> Flow[Outcome[T]]:
        """The whole call."""
        telling = self._telling
        if self.showing is not None:
            from guards.engine.showing import Viewer

            self._viewer = Viewer(self.plan, self.showing, self._ledger.head.id, self._told_validators)
        try:
            if telling is not None:
                yield from telling.tell()
            self.outcome = outcome = yield from self._loop()
        except BaseException as fault:
            self._fault(fault)
            if isinstance(fault, GeneratorExit):
                if telling is not None:
                    telling.tell_now()
            else:
                yield from self._tell_end()
            raise
        if telling is not None:
            telling.call_ended(outcome)
            yield from self._tell_end()
            outcome = self.outcome
        if self._viewer is not None:
            yield from self._viewer.end(outcome)
        return outcome

    def _tell_end(self) -> Flow[None]:
        """What hooks have not heard yet. What they do wrong meanwhile belongs into the outcome, too."""
        telling, outcome = self._telling, self.outcome
        if telling is None or outcome is None:
            return
        seen = len(telling.reports)
        yield from telling.tell()
        if late := telling.reports[seen:]:
            self.outcome = replace(outcome, findings=(*outcome.findings, *late))

    # -- the loop ------------------------------------------------------------------------------------------------

    def _loop(self) -> Flow[Outcome[T]]:
        if self.plan.input_guards.tiers:
            refusal = yield from self._check_input()
            if refusal is not None:
                return refusal
        ended = self._spend.ended()
        if ended is not None:
            return self._unasked(ended)
        question = NextQuestion(self.client, self.messages)
        while True:
            try:
                examined = yield from self._ask(question)
            except NoAnswer:
                return self._end(_nothing(), _NOT_YET)
            if not examined.blocking:
                shown = self._shown
                if shown and not str(examined.reading.value).startswith(shown):
                    return self._end(examined, _SHOWN)
                return self._accept(examined, question)
            step = yield from self._follow(examined, question)
            if isinstance(step, Outcome):
                return step
            question = step

    def _unasked(self, ended: Reason) -> Outcome[T]:
        """The budget ended before the first question: what the ticket delivers without an answer still applies."""
        for step in self.plan.on_fail.steps:
            if step.name == "raise":
                break
            if _delivers(step):
                return self._deliver(_nothing(), step)
        return self._end(_nothing(), ended)

    def _ask(self, question: NextQuestion) -> Flow[Examined[T]]:
        """One question, its answer read and checked."""
        ledger, plan, telling = self._ledger, self.plan, self._telling
        opened = ledger.start(question.messages + question.extra)
        if telling is not None:
            telling.attempt_started(opened.number, opened.messages)
        self._desk = self._lent(plan.guards, question.client, opened)
        deadline = self._spend.deadline
        viewer = self._viewer
        live = viewer is not None
        ask = Ask(question.client, opened.messages, question.feedback, deadline, plan.transport, question.extra, live)
        refused: tuple[Found, ...] = ()
        try:
            if viewer is not None:
                listen = partial(self._listen, viewer, question, opened)
                reply, refused = yield from (telling.asking(opened.number, ask, listen) if telling else listen(ask))
            else:
                reply = (yield ask) if telling is None else (yield from telling.asking(opened.number, ask, put))
        except OutOfTime as late:
            self._late = True
            return self._seen(opened, _no_answer(late))
        except NoAnswer as signal:
            reply = signal.reply
            if not (signal.is_data and plan.contract.is_data):
                ledger.count(opened, reply)
                raise
        ledger.count(opened, reply)
        if question.reflects or ledger.reflections:  # a model goes on with what stands in its earlier turns
            reply = self._less_reflection(opened, reply)
        opened.reply = reply
        if refused:
            findings = tuple(found.finding for found in refused)
            return self._seen(opened, Examined(Reading(None, None, findings), refused))
        if deadline is not None and clock() >= deadline:
            return self._seen(opened, _nothing(_TOO_LATE))
        if question.parts is None and len(reply.text) < LONG_TEXT:
            reading = self._read(reply, None)
        else:
            reading, opened.whole = yield LongWork(partial(self._read_long, reply, question.parts))
        if plan.guards.tiers:
            if telling is not None:
                yield from telling.tell()
            context = self._context(opened)
            examined = yield from examine(reading, plan.contract, plan.guards, context, self._desk, telling=telling)
        else:
            examined = unguarded(reading)
        return self._seen(opened, examined)

    def _listen(
        self, viewer: Viewer, question: NextQuestion, opened: Open, ask: Ask
    ) -> Flow[tuple[Reply, tuple[Found, ...]]]:
        """The question's answer piece by piece, shown as it comes; and what a guard found in a part of it, where the
        rest was left unread."""
        # What is asked for as a part of an answer, or behind a reflection, is no view of the whole.
        watched = question.parts is None and not (question.reflects or self._ledger.reflections)
        return viewer.listen(ask, partial(self._check_part, opened), self._needs_the_rest, watched=watched)

    def _needs_the_rest(self, refused: Sequence[Found]) -> bool:
        """Whether something waits for the whole of an answer of which a part was refused: a budget for what it used, or
        a policy that edits or delivers it."""
        steps = [step for found in refused for step in self._deciding.chain(found)[1]]
        return self._spend.counts_usage or any(_takes_answer(step) for step in steps)

    def _check_part(self, opened: Open, part: Part) -> Flow[tuple[Found, ...]]:
        """What the guards of a part that has just closed have against it."""
        context = self._context(opened, partial=True)
        reading, guards = Reading(part.document.data, part.document), GuardSet((part.marks,))
        contract = self.plan.contract
        examined = yield from examine(reading, contract, guards, context, self._desk, telling=self._telling)
        return tuple(
            [
                Found(found.finding.replace(path=part.path + found.finding.path), found.entry)
                for found in examined.blocking
            ]
        )

    @property
    def _shown(self) -> str:
        """What is with its reader and cannot be taken back: no other answer may follow it."""
        return self._viewer.shown_for_good if self._viewer is not None else ""

    def _less_reflection(self, opened: Open, reply: Reply) -> Reply:
        reflection, text = wording.split_reflection(reply.text)
        if reflection is None:
            return reply
        opened.reflection = reflection
        self._ledger.reflections.append(reflection)
        return replace(reply, text=text)

    def _read(self, reply: Reply, parts: Parts | None) -> Reading[T]:
        """The reply's text by the contract; what the client itself reports counts first, and is never guessed."""
        finish = reply.finish
        if finish in _UNREAD:
            return Reading(None, None, (Finding(f"reply.{finish}", _UNREAD[finish]),))
        contract = self.plan.contract
        if parts is not None:
            reading: Reading[T] = parts.read(reply.text)
        else:
            reading = contract.read(reply.text, self.plan.dial, self.plan.limits, self._told_validators)
        cut = reading.cut or any(repair.code.endswith(".truncated") for repair in reading.repairs)
        if finish != "length" or (reading.ok and not cut and contract.is_data):
            return reading
        self._cut_off += 1
        why = Finding(f"{contract.format}.truncated", "the answer was cut off by the token limit")
        others = () if reading.ok or reading.document is None else reading.findings
        return replace(reading, value=None, findings=(why, *others))

    def _read_long(self, reply: Reply, parts: Parts | None) -> tuple[Reading[T], str | None]:
        """The reading, and the whole answer that the reply of parts is of."""
        return self._read(reply, parts), parts.whole(reply.text) if parts is not None else None

    def _check_input(self) -> Flow[Outcome[T] | None]:
        """Input guards over all that goes to the model; an `Outcome` where they refuse. What they changed is sent."""
        from guards.engine.input import Input  # most tickets have none

        checked = yield from self._settled(self.plan.input_guards, Input.of(self.client, self.messages, self.given))
        if isinstance(checked, Outcome):
            return checked
        self.client = checked
        return None

    def _check_other(self, client: Client) -> Flow[Outcome[T] | Client]:
        """The client of a policy as it may be asked what the call's own was: the guards that hear what it sends of its
        own, and had not seen that, look at the whole."""
        if not self.plan.input_guards.tiers:
            return client
        from guards.engine.input import Input, hearing

        asked = Input.of(client, self.messages, self.given)
        guards = hearing(self.plan.input_guards, asked.beside)
        return (yield from self._settled(guards, asked)) if guards.tiers else client

    def _settled(self, guards: GuardSet, asked: Input) -> Flow[Outcome[T] | Client]:
        """Who may be asked, with the turns as they may be sent kept; or the end, where nothing may."""
        from guards.engine.input import settle_input

        desk = self._lent(guards, asked.client, self._ledger.open)
        settled = yield from settle_input(guards, asked, self._spend.deadline, desk, self._telling)
        self._ledger.reports += settled.remarks
        refused = settled.refused
        if self._telling is not None:
            self._telling.input_checked(settled)
        if refused is None:
            self._ledger.amended += settled.repairs
            self.messages, self.given = settled.input.messages, settled.input.given
            return settled.input.client
        if settled.step is not None:
            return self._deliver(refused, settled.step)
        return self._end(refused, refused.failure or (_NOT_ASKED if self._ledger.asked == 0 else _NO_OTHER))

    # -- after an answer that does not hold ----------------------------------------------------------------------

    def _follow(self, original: Examined[T], question: NextQuestion) -> Flow[Outcome[T] | NextQuestion]:
        """Its `Outcome`, or the next question."""
        failure = original.failure
        if failure is not None:
            return self._end(original, failure)
        shown = self._shown
        spent = _SHOWN if shown else self._ended()
        barred = spent or self._hopeless(original)
        turn = self._deciding.turn(spent=spent is not None, barred=barred is not None, shown=bool(shown))
        examined = original
        while True:
            settled = yield from settle(examined, turn, self._examiner)
            step, examined = settled.step, settled.examined
            if step is None:
                # A refused answer is reported as it came: edits that did not save it are no part of it.
                return self._end(original, self._why(barred, settled.choice, original))
            if step.name in EDITS:
                return self._accept(examined, question, by=step.name)
            if not step.asks:
                return self._deliver(examined, step)
            ended = self._ended()
            if ended is not None:  # while an edit was checked, or by another call of the session
                barred = ended
                turn.nobody_more()
                continue
            self._deciding.use(settled.choice.acting)
            if isinstance(step, Reflect) and step.mode == "separate":
                refusal = yield from self._reflect_apart(step, question, original)
                if refusal is not None:
                    return refusal
                ended = self._spend.out_of_time() if self._late else self._spend.ended()
                if ended is not None:  # the reflection was the last thing that the budget paid for
                    self._ledger.drop_ready()
                    barred = ended
                    turn.nobody_more()
                    continue
            if isinstance(step, Fallback):
                fallback = yield from self._fall_back(step)
                if isinstance(fallback, Outcome):
                    return fallback
                following = fallback
            else:
                following = yield from self._next(original, question, step)
            if self._viewer is not None:
                yield from self._viewer.restart(self._ledger.asked + 1, [found.finding for found in original.blocking])
            return following

    def _examiner(self) -> Examiner[T]:
        """What the open attempt's answer is held against."""
        plan, opened = self.plan, self._ledger.open
        context, chars, told = self._context(opened), length_of(opened), self._told_validators
        return Examiner(plan.contract, plan.guards, context, self._desk, told, chars=chars, telling=self._telling)

    def _fall_back(self, step: Fallback[Any]) -> Flow[Outcome[T] | NextQuestion]:
        """The question put to another client; the attempt is closed. Its `Outcome` where that may not be asked."""
        self._close(step.name)
        client = yield from self._check_other(self.plan.resolve(step.client))
        return client if isinstance(client, Outcome) else NextQuestion(client, self.messages, fallback=True)

    def _next(self, examined: Examined[T], question: NextQuestion, step: Policy[Any]) -> Flow[NextQuestion]:
        """The question that follows; the attempt is closed."""
        opened = self._ledger.open
        assert opened is not None, "a step that asks follows an open attempt"
        assert isinstance(step, Reask | Reflect)
        self._close(step.name)
        # A fallback's answer goes back to the client of the call: the fallback was asked once.
        client = self.client if question.fallback else question.client
        return (yield from self._history.next(client, self.messages, opened, examined, step))

    def _reflect_apart(self, step: Reflect, question: NextQuestion, examined: Examined[T]) -> Flow[Outcome[T] | None]:
        """A call of its own for the reflection; it counts for the coming attempt. An `Outcome` where an input guard
        refuses what it would send."""
        ledger, opened = self._ledger, self._ledger.open
        assert opened is not None, "a reflection follows an open attempt"
        findings = tuple(found.finding for found in examined.blocking)
        text = wording.ask_for_reflection(findings, self.plan.contract.format, ledger.reflections)
        client, reply = self.client if question.fallback else question.client, sendable(opened)
        if step.client is not None:
            checked = yield from self._check_other(self.plan.resolve(step.client))
            if isinstance(checked, Outcome):
                return checked
            # Another SDK's response means nothing to this client: it gets the text alone.
            client, reply = checked, replace(reply, raw=None)
        base, earlier = self._history.so_far(self.messages, step)
        extra = earlier + client.turns(reply, text)
        feedback = Feedback(text, findings, extra, ledger.asked + 1)
        coming = ledger.prepare(base + extra)
        try:
            ask = Ask(client, base + extra, feedback, self._spend.deadline, self.plan.transport, extra)
            telling = self._telling
            answer = (yield ask) if telling is None else (yield from telling.asking(coming.number, ask, put))
        except OutOfTime:
            self._late = True
            return None
        except NoAnswer as signal:  # it asked for a tool instead: there is no reflection to carry along
            ledger.count(coming, signal.reply)
            return None
        ledger.count(coming, answer)
        reflection = answer.text.strip()
        if reflection:
            coming.reflection = reflection
            ledger.reflections.append(reflection)
        return None

    # -- why it ends ---------------------------------------------------------------------------------------------

    def _ended(self) -> Reason | None:
        """Which bound of the budget was reached, if one was."""
        ended = self._spend.out_of_time() if self._late else self._spend.ended()
        if ended is not None:
            return ended
        most = self.plan.budget.attempts
        if most is None or self._ledger.asked < most:
            return None
        return Reason("budget.attempts", f"The budget of {most} attempt{'s' * (most != 1)} ended.")

    def _hopeless(self, examined: Examined[T]) -> Reason | None:
        """Why asking the same model again cannot help, if it cannot."""
        for found in examined.blocking:
            if (refused := _REFUSED.get(found.finding.code)) is not None:
                return refused
        if self._cut_off >= _MOST_CUT_OFF:
            return Reason("stop.truncated", "The token limit cut the answer off twice.")
        earlier, opened = self._ledger.attempts[1 - _EQUAL :], self._ledger.open
        if opened is None or opened.reply is None or len(earlier) < _EQUAL - 1:
            return None
        now = (opened.reply.text, examined.findings)
        if all((attempt.text, attempt.findings) == now for attempt in earlier):
            return Reason("stop.repeated", "The model gave the same answer three times running.")
        return None

    def _why(self, barred: Reason | None, choice: Choice, examined: Examined[T]) -> Reason:
        """The reason for a rejection: the bar, where it is all that is wrong or a policy would have asked again."""
        late = any(found.finding.code == "reply.late" for found in examined.blocking)
        return barred if barred is not None and (late or choice.would_ask) else _REJECTED

    # -- ends ----------------------------------------------------------------------------------------------------

    def _accept(self, examined: Examined[T], question: NextQuestion, *, by: str = "accept") -> Outcome[T]:
        """An answer that holds; `by` names the edit that made it hold."""
        self._close(by)
        delivered_by = "fallback" if question.fallback else "filter" if by == "filter" else None
        return self._outcome(examined, ok=True, value=examined.reading.value, reason=ACCEPTED, by=delivered_by)

    def _end(self, examined: Examined[T], reason: Reason) -> Outcome[T]:
        """Rejected."""
        self._close("raise" if reason is _REJECTED else "pass" if reason is _NOT_YET else "stop")
        return self._outcome(examined, ok=False, value=None, reason=reason)

    def _deliver(self, examined: Examined[T], step: Policy[Any]) -> Outcome[T]:
        """What Refrain, Noop or Fallback deliver in an accepted answer's place."""
        self._close(step.name)
        outcome = self._outcome(examined, ok=False, value=None, reason=_REJECTED)
        return delivered(outcome, step, examined.reading)

    def _outcome(
        self, examined: Examined[T], *, ok: bool, value: T | None, reason: Reason, by: str | None = None
    ) -> Outcome[T]:
        attempts = self._ledger.attempts
        text = attempts[-1].text if attempts else None
        return self._ledger.outcome(text, examined, ok=ok, value=value, reason=reason, by=by)

    def _fault(self, fault: BaseException) -> None:
        """Close the record; tell the fault where it happened and what had been spent."""
        abandoned = isinstance(fault, GeneratorExit | Left)
        number = max(1, self._ledger.asked)
        self._ledger.drop_ready()
        self._close("abandoned" if abandoned else "error")
        code, words = ("call.abandoned", "The caller left") if abandoned else ("call.failed", "The call failed")
        reason = Reason(code, f"{words} in attempt {number}.")
        self.outcome = outcome = self._outcome(_nothing(), ok=False, value=None, reason=reason)
        if self._telling is not None:
            self._telling.call_ended(outcome)
        if not abandoned:
            tokens = self.outcome.usage.total_tokens
            spent = f"{self.outcome.seconds:.2f} s" + (f", {tokens} tokens" if tokens is not None else "")
            fault.add_note(f"guards: raised in attempt {number}; spent so far: {spent}")

    def _seen(self, opened: Open, examined: Examined[T]) -> Examined[T]:
        self._ledger.seen(opened, examined)
        if self._telling is not None:
            self._telling.findings_found(opened.number, examined.findings)
        return examined

    def _close(self, decision: str) -> None:
        """The open attempt is over."""
        attempt = self._ledger.close(decision)
        if attempt is not None and self._telling is not None:
            self._telling.attempt_ended(len(self._ledger.attempts), attempt)

    def _lent(self, guards: GuardSet, client: Client, opened: Open | None) -> Desk | None:
        """What guards that ask a model are lent; most tickets have none."""
        if not guards.asking:
            return None
        from guards.engine.questions import Desk

        messages = opened.messages if opened else ()
        count = partial(self._ledger.add, opened)
        return Desk(self.plan, client.aside, messages, self.given, self._spend, count, Call, self._ledger.head.id)

    def _context(self, opened: Open | None, *, partial: bool = False) -> Context:
        messages, number = (opened.messages, opened.number) if opened else (self.messages, 0)
        return Context(
            self.given,
            messages=messages,
            asked=self.messages,
            attempt=number,
            partial=partial,
            deadline=self._spend.deadline,
        )


def begin(
    plan: Plan[T],
    client: Client,
    messages: str | Sequence[Message],
    context: Mapping[str, Any] | None,
    spend: Spend | None = None,
    showing: Showing | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Call[T]:
    """A call by this plan, ready to be driven; on a budget of its own where none is given.

    `ConfigError` for messages or a context that are none, and for a key of the context that a guard needs.
    """
    given = checked_context(context)
    plan.guards.check_context(given)
    plan.input_guards.check_context(given)
    told = checked_tags(tags)
    return Call(plan, client, as_messages(messages), given, spend or Spend(plan.budget), showing, tags=told)


_MOST_CUT_OFF: Final = 2
_EQUAL: Final = 3
_MOST_QUOTED: Final = 20_000
_REFUSALS: Final = {
    "refusal": "the model refused to answer",
    "content_filter": "the provider's content filter stopped the answer",
}
_REFUSED: Final = {
    f"reply.{finish}": Reason(f"stop.{finish}", f"{sentence[:1].upper()}{sentence[1:]}.")
    for finish, sentence in _REFUSALS.items()
}
_UNREAD: Final = {**_REFUSALS, "unknown_tool": "the answer calls a tool that it may not call"}
_NO_ANSWER: Final = Finding("reply.late", "no answer came before the budget's seconds ended")
_TOO_LATE: Final = Finding("reply.late", "the answer came after the budget's seconds had ended")
_REJECTED: Final = Reason("policy.raise", "The answer was not accepted.")
_SHOWN: Final = Reason("stop.shown", "A part of the answer was shown before it could be seen that it does not hold.")
_NOT_YET: Final = Reason("reply.tool_calls", "The model asked for a tool; there is no answer yet.")
_NO_OTHER: Final = Reason(
    "input.refused", "An input guard refused what a policy's own model would be given; it was not asked."
)
_NOT_ASKED: Final = Reason("input.refused", "An input guard refused the input; the model was not asked.")


def _nothing(*findings: Finding) -> Examined[Any]:
    """No value was read."""
    return Examined(Reading(None, None, findings), tuple(Found(finding) for finding in findings))


def _no_answer(late: OutOfTime) -> Examined[Any]:
    if late.fault is None:
        return _nothing(_NO_ANSWER)
    words = late.words or f"the last try met {type(late.fault).__name__}"
    return replace(_nothing(_NO_ANSWER.replace(message=f"{_NO_ANSWER.message}: {words}")), faults=(late.fault,))


def _delivers(step: Policy[Any]) -> bool:
    """Whether the policy needs neither an answer nor a model."""
    return step.name == "refrain" or (isinstance(step, Fallback) and not step.asks)


def _takes_answer(step: Policy[Any]) -> bool:
    """Whether what the policy does depends on the whole answer."""
    if isinstance(step, Reask):
        return step.scope == "fields"
    return step.name in ("fix", "filter", "noop") or (isinstance(step, Fallback) and callable(step.value))
