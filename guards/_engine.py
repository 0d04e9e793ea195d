"""The loop: ask, read, check, decide, and ask again, until an answer holds or nothing more can be done.

A generator without I/O (`_flow` has its effects, `_drivers` runs them); every shape of use drives this one. It never
raises for a bad answer: it returns an `Outcome`. A fault of the caller's own code closes the record and goes on up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from guards import _edits, _reflect
from guards._flow import Ask, Client, Flow, OutOfTime
from guards._pipeline import Entry, Examined, Found, GuardSet, examine
from guards._spend import Spend, clock
from guards.context import Context
from guards.contracts.base import Contract, Dial, Limits, Reading
from guards.findings import Finding
from guards.hooks import AttemptEnded, AttemptStarted, CallEnded, Decided, Event, FindingFound, Hook
from guards.messages import Feedback, Message, Reply
from guards.policies import PRECEDENCE, Fallback, Policy, Reask, Reflect
from guards.records import Attempt, Outcome, Reason, Repair, Usage

__all__ = ["Call", "Plan"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan(Generic[T]):
    """What a `Guarded` says, compiled: shared by all its calls."""

    contract: Contract[T]
    guards: GuardSet
    input_guards: GuardSet
    on_fail: Policy[Any]
    attempts: int | None
    dial: Dial
    limits: Limits
    transport: Any
    hooks: tuple[Hook, ...]
    resolve: Callable[[Any], Client]
    """Makes a client of what a policy names."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked next. `extra` are the turns that the library added."""

    client: Client
    messages: tuple[Message, ...]
    extra: tuple[Message, ...] = ()
    feedback: Feedback | None = None
    fallback: bool = False


@dataclass(slots=True)
class _Open:
    """The attempt in progress."""

    number: int
    messages: tuple[Message, ...]
    started: float
    reflection: str | None = None
    usage: Usage = Usage()  # noqa: RUF009  # frozen
    reply: Reply | None = None
    examined: Examined[Any] | None = None


class Call(Generic[T]):
    """One guarded call. Drive `run()`; `outcome` holds the record, also after a fault."""

    def __init__(
        self,
        plan: Plan[T],
        client: Client,
        messages: tuple[Message, ...],
        context: Mapping[str, Any],
        spend: Spend,
    ) -> None:
        self.plan = plan
        self.client = client
        self.messages = messages
        self.given = context
        self.spend = spend
        self.outcome: Outcome[T] | None = None
        self.attempts: list[Attempt] = []
        self._started = clock()
        self._open: _Open | None = None
        self._history: tuple[Message, ...] = ()
        self._reflections: list[str] = []
        self._used: dict[tuple[int, int], int] = {}
        self._cut_off = 0
        self._reports: list[Finding] = []

    def run(self) -> Flow[Outcome[T]]:
        """The whole call."""
        try:
            outcome = yield from self._loop()
        except BaseException as fault:
            self._fault(fault)
            raise
        return self._finish(outcome)

    # -- the loop ------------------------------------------------------------------------------------------------

    def _loop(self) -> Flow[Outcome[T]]:
        if self.plan.input_guards.tiers:
            refusal = yield from self._check_input()
            if refusal is not None:
                return refusal
        ended = self.spend.ended()
        if ended is not None:
            return self._ended(Examined(_unread()), ended, None)
        question = _Question(self.client, self.messages)
        while True:
            examined = yield from self._ask(question)
            if not examined.blocking:
                return self._accept(examined, question)
            step = yield from self._decide(examined, question)
            if isinstance(step, Outcome):
                return step
            question = step

    def _ask(self, question: _Question) -> Flow[Examined[T]]:
        """One question, its answer read and checked."""
        opened = self._start(question)
        try:
            reply = yield self._effect(question)
        except OutOfTime:
            return self._seen(opened, Examined(_unread(_late("no answer came"))))
        opened.usage = opened.usage + self._count(reply)
        reflection, text = _reflect.split_reflection(reply.text) if question.feedback else (None, reply.text)
        if reflection is not None:
            opened.reflection = reflection
            self._reflections.append(reflection)
        opened.reply = Reply(text, reply.usage, reply.finish_reason, reply.raw) if reflection is not None else reply
        if self.spend.deadline is not None and clock() >= self.spend.deadline:
            return self._seen(opened, Examined(_unread(_late("the answer came"))))
        reading = self._read(opened.reply)
        examined = yield from examine(reading, self.plan.contract, self.plan.guards, self._context(opened))
        return self._seen(opened, examined)

    def _effect(self, question: _Question) -> Ask:
        return Ask(
            question.client,
            question.messages + question.extra,
            question.feedback,
            self.spend.deadline,
            self.plan.transport,
            question.extra,
        )

    def _read(self, reply: Reply) -> Reading[T]:
        """The reply's text by the contract; what the client itself reports counts first, and is never guessed."""
        finish = reply.finish
        if finish in _REFUSALS:
            return _unread(Finding(f"reply.{finish}", _REFUSALS[finish]))
        contract = self.plan.contract
        reading = contract.read(reply.text, self.plan.dial, self.plan.limits)
        if finish != "length" or (reading.ok and contract.format != "text"):
            return reading
        self._cut_off += 1
        cut = Finding(f"{contract.format}.truncated", "the answer was cut off by the token limit")
        unreadable = reading.document is None
        return Reading(
            None, reading.document, (cut,) if unreadable or reading.ok else (cut, *reading.findings), reading.repairs
        )

    def _check_input(self) -> Flow[Outcome[T] | None]:
        """Input guards over the user's text; an `Outcome` where they refuse."""
        from guards._input import input_text

        found: list[Found] = []
        faults: list[BaseException] = []
        for tier in self.plan.input_guards.tiers:
            for entry in tier:
                text = input_text(self.messages, self.given, entry.guard.roles)
                alone = GuardSet(((entry,),))
                reading: Reading[Any] = Reading(text, None)
                examined = yield from examine(reading, self.plan.contract, alone, self._context(None))
                found += examined.found
                faults += examined.faults
            if any(f.finding.blocks for f in found):
                break
        self._reports += [f.finding for f in found if not f.finding.blocks]
        blocking = tuple(f for f in found if f.finding.blocks)
        if not blocking:
            return None
        refused: Examined[T] = Examined(_unread(), blocking, faults=tuple(faults))
        if any(f.finding.code == "guard.failed" for f in blocking):
            return self._ended(refused, _FAILED, None)
        reason = Reason("input.refused", "An input guard refused the input; the model was not asked.")
        first = next((f.entry.policy.steps[0] for f in blocking if f.entry and f.entry.policy), None)
        return self._ended(refused, reason, first if first and first.name in ("refrain", "fallback") else None)

    # -- deciding ------------------------------------------------------------------------------------------------

    def _decide(self, examined: Examined[T], question: _Question) -> Flow[Outcome[T] | _Question]:
        """What follows an answer that does not hold: its `Outcome`, or the next question."""
        if any(f.finding.code == "guard.failed" for f in examined.blocking):
            return self._ended(examined, _FAILED, None)
        spent = self.spend.ended() or self._attempts_ended()
        barred = spent or self._hopeless(examined)
        original = examined
        passed: dict[int, int] = {}
        changes: tuple[Repair, ...] = ()
        while True:
            steps = [(found, self._step(found, passed, spent, barred)) for found in examined.blocking]
            name = min((step.name if step else "raise" for _, step in steps), key=PRECEDENCE.index)
            acting = [(found, step) for found, step in steps if (step.name if step else "raise") == name]
            step = acting[0][1]
            if step is None or name == "raise":
                return self._ended(examined, self._why(examined, barred, acting), None)
            if name == "refrain" or (isinstance(step, Fallback) and not step.asks):
                return self._ended(examined, _BY_POLICY[name], step)
            if name in ("fix", "filter"):
                edited = yield from self._edit(name, examined, [found for found, _ in acting])
                if edited is None:
                    self._pass(passed, acting)
                    continue
                examined, repairs = edited
                changes += repairs
                if not examined.blocking:
                    return self._accept(_changed(examined, original, changes), question, by=name)
                continue
            if name == "noop":
                if examined.reading.ok:
                    return self._ended(_changed(examined, original, changes), _BY_POLICY["noop"], step)
                self._pass(passed, acting)
                continue
            for found, asking in acting:
                self._use(found, asking)
            return (yield from self._next(original, question, step))

    def _step(
        self, found: Found, passed: dict[int, int], spent: Reason | None, barred: Reason | None
    ) -> Policy[Any] | None:
        """The policy whose turn it is for this finding; None when its chain has run out."""
        owner, steps = self._chain(found)
        for index, step in enumerate(steps):
            if index < passed.get(owner, 0):
                continue
            if step.asks:
                times = 1 if isinstance(step, Fallback) else step.times  # type: ignore[attr-defined]
                if self._used.get((owner, index), 0) >= times:
                    continue
                if spent or (barred and not isinstance(step, Fallback)):
                    continue
            return step
        return None

    def _chain(self, found: Found) -> tuple[int, tuple[Policy[Any], ...]]:
        """Whose chain answers for a finding: the guard's own, or the ticket's (owner 0, shared)."""
        entry: Entry | None = found.entry
        if entry is not None and entry.policy is not None:
            return id(entry), entry.policy.steps
        return 0, self.plan.on_fail.steps

    def _pass(self, passed: dict[int, int], acting: Sequence[tuple[Found, Policy[Any] | None]]) -> None:
        """These policies could not help with this answer: their owners go on to the next."""
        for found, step in acting:
            owner, steps = self._chain(found)
            passed[owner] = max(passed.get(owner, 0), _index(steps, step) + 1)

    def _use(self, found: Found, step: Policy[Any] | None) -> None:
        owner, steps = self._chain(found)
        number = len(self.attempts) + 1
        key = (owner, _index(steps, step))
        marks = self._marks
        if marks.get(key) != number:  # several findings of one owner are one question
            marks[key] = number
            self._used[key] = self._used.get(key, 0) + 1

    @property
    def _marks(self) -> dict[tuple[int, int], int]:
        if not hasattr(self, "_marked"):
            self._marked: dict[tuple[int, int], int] = {}
        return self._marked

    def _edit(
        self, name: str, examined: Examined[T], acting: Sequence[Found]
    ) -> Flow[tuple[Examined[T], tuple[Repair, ...]] | None]:
        """Fix or Filter, then everything again; None where it cannot be done or something else breaks by it."""
        reading, contract = examined.reading, self.plan.contract
        if reading.document is None:
            return None
        findings = [found.finding for found in acting]
        if name == "fix":
            edited = _edits.fixed(reading.document, findings)
        else:
            edited = _edits.pruned(contract, reading, findings)
        if edited is None:
            return None
        document, repairs = edited
        again = contract.recheck(document)
        result = yield from examine(again, contract, self.plan.guards, self._context(self._open))
        before = {_key(found) for found in examined.blocking}
        after = {_key(found) for found in result.blocking}
        solved = {_key(found) for found in acting}
        improved = after <= before and not (solved & after) if name == "fix" else len(after) < len(before)
        return (result, repairs) if improved or not after else None

    def _next(self, examined: Examined[T], question: _Question, step: Policy[Any]) -> Flow[_Question]:
        """The question that follows, after the attempt is closed."""
        opened = self._open
        assert opened is not None
        self._close(step.name)
        if isinstance(step, Fallback):
            return _Question(self.plan.resolve(step.client), self.messages, fallback=True)
        assert isinstance(step, Reask | Reflect)
        findings = tuple(f.finding for f in examined.blocking)
        reply = _clipped(opened.reply or Reply(""))
        answer_format = self.plan.contract.format
        base = self.messages if step.history == "full" else _reflect.minimal(self.messages)
        before = self._history if step.history == "full" else ()
        client = question.client
        carried = [] if step.history == "full" and not isinstance(step, Reflect) else list(self._reflections)
        if isinstance(step, Reflect) and step.mode == "separate":
            yield from self._reflect_apart(step, client, (base, before), reply, findings)
            carried = list(self._reflections)
        elif isinstance(step, Reflect) and step.history == "full":
            carried = []  # they stand in the earlier turns already
        mode = "inline" if isinstance(step, Reflect) and step.mode == "inline" else "reask"
        text = _reflect.feedback_text(findings, answer_format, mode=mode, reflections=carried)
        spoken = reply if opened.reflection is None or mode != "inline" else _with_reflection(reply, opened.reflection)
        extra = before + tuple(client.turns(spoken, text))
        self._history = self._history + tuple(client.turns(spoken, text))
        feedback = Feedback(text, findings, extra, len(self.attempts) + 1)
        # A fallback client's answer is not corrected by it but by the client of the call.
        return _Question(self.client if question.fallback else client, base, extra, feedback)

    def _reflect_apart(
        self,
        step: Reflect,
        client: Client,
        before: tuple[tuple[Message, ...], tuple[Message, ...]],
        reply: Reply,
        findings: Sequence[Finding],
    ) -> Flow[None]:
        """A call of its own for the reflection; it counts for the coming attempt."""
        asked = _reflect.ask_for_reflection(findings, self.plan.contract.format, self._reflections)
        other = client if step.client is None else self.plan.resolve(step.client)
        extra = before[1] + tuple(other.turns(reply if other is client else Reply(reply.text), asked))
        feedback = Feedback(asked, tuple(findings), extra, len(self.attempts) + 1)
        self._early = _Open(len(self.attempts) + 1, before[0] + extra, clock())
        try:
            answer = yield Ask(
                other, before[0] + extra, feedback, self.spend.deadline, self.plan.transport, extra
            )
        except OutOfTime:
            return
        self._early.usage = self._count(answer)
        self._early.reflection = answer.text.strip()
        self._reflections.append(self._early.reflection)

    def _attempts_ended(self) -> Reason | None:
        most = self.plan.attempts
        asked = len(self.attempts) + (self._open is not None)
        if most is None or asked < most:
            return None
        return Reason("budget.attempts", f"The budget of {most} attempt{'s' * (most != 1)} ended.")

    def _hopeless(self, examined: Examined[T]) -> Reason | None:
        """Why asking the same model again cannot help, if it cannot."""
        codes = {found.finding.code for found in examined.blocking}
        for finish, sentence in _REFUSALS.items():
            if f"reply.{finish}" in codes:
                return Reason(f"stop.{finish}", sentence[:1].upper() + sentence[1:] + ".")
        if self._cut_off >= _MOST_CUT_OFF:
            return Reason("stop.truncated", "The token limit cut the answer off twice.")
        if self._open is None or len(self.attempts) < _EQUAL - 1:
            return None
        answer = self._open.reply.text if self._open.reply else None
        same = [(a.text, a.findings) for a in self.attempts[1 - _EQUAL :]]
        if all(entry == (answer, examined.findings) for entry in same):
            return Reason("stop.repeated", "The model gave the same answer three times running.")
        return None

    def _why(
        self, examined: Examined[T], barred: Reason | None, acting: Sequence[tuple[Found, Policy[Any] | None]]
    ) -> Reason:
        """The reason for a rejection: the bar, where a policy would have asked again but for it."""
        if barred is not None and any(s.asks for found, _ in acting for s in self._chain(found)[1]):
            return barred
        return _REJECTED

    # -- ends ----------------------------------------------------------------------------------------------------

    def _accept(self, examined: Examined[T], question: _Question, *, by: str | None = None) -> Outcome[T]:
        """An answer that holds. `by` names the edit that made it hold."""
        self._close("accept" if by is None else by)
        delivered_by = "fallback" if question.fallback else by if by == "filter" else None
        return self._outcome(examined, ok=True, value=examined.reading.value, reason=_ACCEPTED, by=delivered_by)

    def _ended(self, examined: Examined[T], reason: Reason, step: Policy[Any] | None) -> Outcome[T]:
        """The end without an accepted answer: rejected, or what a policy delivers instead."""
        self._close(step.name if step is not None else "stop" if reason != _REJECTED else "raise")
        refused = self._outcome(examined, ok=False, value=None, reason=reason, by=step.name if step else None)
        if step is None or step.name == "refrain":
            return refused
        if step.name == "noop":
            return replace(refused, value=examined.reading.value)
        assert isinstance(step, Fallback)
        return replace(refused, value=step.deliver(replace(refused, delivered_by=None)))

    def _outcome(
        self, examined: Examined[T], *, ok: bool, value: T | None, reason: Reason, by: str | None
    ) -> Outcome[T]:
        usage = Usage()
        for attempt in self.attempts:
            usage = usage + attempt.usage
        return Outcome(
            ok,
            value,
            self.attempts[-1].text if self.attempts else None,
            (*examined.findings, *self._reports),
            examined.scores,
            examined.reading.repairs,
            tuple(self.attempts),
            usage,
            clock() - self._started,
            reason,
            by,
            examined.faults[0] if examined.faults else None,
        )

    # -- the record ----------------------------------------------------------------------------------------------

    _early: _Open | None = None
    """A reflection made apart, which belongs to the attempt that follows it."""

    def _start(self, question: _Question) -> _Open:
        number = len(self.attempts) + 1
        opened = _Open(number, question.messages + question.extra, clock())
        if self._early is not None:
            opened.started = self._early.started
            opened.usage = self._early.usage
            opened.reflection = self._early.reflection
            self._early = None
        self._open = opened
        if self.plan.hooks:
            self._emit(AttemptStarted(number, opened.messages))
        return opened

    def _seen(self, opened: _Open, examined: Examined[T]) -> Examined[T]:
        opened.examined = examined
        if self.plan.hooks:
            for finding in examined.findings:
                self._emit(FindingFound(opened.number, finding))
        return examined

    def _close(self, decision: str) -> None:
        """The open attempt becomes a record."""
        opened, self._open = self._open, None
        if opened is None:
            return
        examined = opened.examined or Examined(_unread())
        attempt = Attempt(
            opened.messages,
            opened.reply.text if opened.reply else None,
            examined.findings,
            examined.reading.repairs,
            examined.scores,
            examined.skipped,
            opened.reflection,
            opened.usage,
            clock() - opened.started,
            decision,
        )
        self.attempts.append(attempt)
        if self.plan.hooks:
            self._emit(Decided(opened.number, decision))
            self._emit(AttemptEnded(opened.number, attempt))

    def _count(self, reply: Reply) -> Usage:
        usage = Usage.of(reply.usage)
        if usage.cost is None:
            cost = self.spend.budget.cost_of(usage)
            usage = usage if cost is None else replace(usage, cost=cost)
        self.spend.add(usage)
        return usage

    def _finish(self, outcome: Outcome[T]) -> Outcome[T]:
        if self.plan.hooks:
            self._emit(CallEnded(outcome))
            if len(outcome.findings) < len(self._reports) or self._reports[-1:] != list(outcome.findings[-1:]):
                fresh = [f for f in self._reports if f not in outcome.findings]
                outcome = replace(outcome, findings=(*outcome.findings, *fresh))
        self.outcome = outcome
        return outcome

    def _fault(self, fault: BaseException) -> None:
        """Close the record; tell the fault where it happened and what had been spent."""
        abandoned = isinstance(fault, GeneratorExit)
        number = self._open.number if self._open else len(self.attempts) + 1
        self._close("abandoned" if abandoned else "error")
        code, words = ("call.abandoned", "The caller left") if abandoned else ("call.failed", "The call failed")
        reason = Reason(code, f"{words} in attempt {number}.")
        self.outcome = self._outcome(Examined(_unread()), ok=False, value=None, reason=reason, by=None)
        if not abandoned:
            tokens = self.outcome.usage.total_tokens
            spent = f"{self.outcome.seconds:.2f} s" + (f", {tokens} tokens" if tokens is not None else "")
            fault.add_note(f"guards: raised in attempt {number}; spent so far: {spent}")

    def _context(self, opened: _Open | None) -> Context:
        messages = opened.messages if opened else self.messages
        number = opened.number if opened else 0
        return Context(self.given, messages=messages, attempt=number, deadline=self.spend.deadline)

    def _emit(self, event: Event) -> None:
        for hook in self.plan.hooks:
            try:
                hook(event)
            except Exception as fault:  # noqa: BLE001  # reported in the record: a broken hook must not lose an answer
                words = f"a hook raised {type(fault).__name__} on {type(event).__name__}"
                self._reports.append(Finding("hook.failed", words, severity="warning"))


_MOST_CUT_OFF: Final = 2
_EQUAL: Final = 3
_MOST_QUOTED: Final = 20_000
_REFUSALS: Final = {
    "refusal": "the model refused to answer",
    "content_filter": "the provider's content filter stopped the answer",
}
_ACCEPTED: Final = Reason("accepted", "The contract and every guard accepted the answer.")
_REJECTED: Final = Reason("policy.raise", "The answer was not accepted.")
_FAILED: Final = Reason("guard.failed", "A guard could not do its work, so the answer was not accepted.")
_BY_POLICY: Final = {
    "noop": Reason("policy.noop", "The answer was delivered as it is, with its findings."),
    "refrain": Reason("policy.refrain", "The answer was withheld."),
    "fallback": Reason("policy.fallback", "A fallback was delivered in the answer's place."),
}


def _unread(*findings: Finding) -> Reading[Any]:
    return Reading(None, None, findings)


def _late(what: str) -> Finding:
    return Finding("reply.late", f"{what} after the budget's seconds had ended" if "came" in what else what)


def _key(found: Found) -> tuple[str, str, str | None]:
    return found.finding.code, found.finding.path, found.finding.guard


def _index(steps: Sequence[Policy[Any]], step: Policy[Any] | None) -> int:
    return next(index for index, other in enumerate(steps) if other is step)


def _changed(examined: Examined[T], original: Examined[T], changes: tuple[Repair, ...]) -> Examined[T]:
    """After edits: the new reading, with all that was changed since the text."""
    if not changes:
        return examined
    reading = replace(examined.reading, repairs=original.reading.repairs + changes)
    return replace(examined, reading=reading)


def _clipped(reply: Reply) -> Reply:
    """A reply short enough to be sent back; the record keeps the whole."""
    if len(reply.text) <= _MOST_QUOTED:
        return reply
    text = f"{reply.text[:_MOST_QUOTED]}\n[cut here: {len(reply.text)} characters in all]"
    return Reply(text, reply.usage, reply.finish_reason, reply.raw)


def _with_reflection(reply: Reply, reflection: str) -> Reply:
    """The reply as the model gave it, its reflection in front: how it is carried on in the history."""
    text = f"<reflection>{reflection}</reflection>\n{reply.text}"
    return Reply(text, reply.usage, reply.finish_reason, reply.raw)


