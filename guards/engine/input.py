"""Input guards: run over everything that goes to the model, before it is asked.

Texts are theirs to judge, what is no text is refused by name (`outgoing.texts` says which is which). What they find is
settled here: a fix changes what is sent and is judged again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from guards.context import Context
from guards.contracts.text import Text
from guards.effects import Client, Flow, Sender
from guards.engine.deciding import Acting, Deciding
from guards.engine.examining import Examined, Found, examine
from guards.engine.guard_set import Entry, GuardSet
from guards.findings import Finding
from guards.messages import Message
from guards.outgoing.texts import Beside, Keys, Outgoing, Root, Told, Unread, outgoing, replaced, views
from guards.policies import Policy, Raise
from guards.reading.reading import Reading
from guards.records import Repair

if TYPE_CHECKING:
    from guards.engine.questions import Desk
    from guards.engine.telling import Telling

__all__ = ["Input", "Settled", "hearing", "settle_input"]


@dataclass(frozen=True, slots=True)
class Input:
    """What is about to be asked: by whom, with which turns, and what else goes along."""

    client: Client
    messages: tuple[Message, ...]
    given: Mapping[str, Any]
    """The context of the call, as mapping."""
    beside: tuple[Beside, ...]
    sent: Outgoing

    @classmethod
    def of(cls, client: Client, messages: tuple[Message, ...], given: Mapping[str, Any]) -> Input:
        beside = tuple(client.beside()) if isinstance(client, Sender) else ()
        return cls(client, messages, given, beside, outgoing(messages, beside))

    def amended(self, changes: Sequence[tuple[Told, str]]) -> Input:
        """The same with other texts in these places."""
        turns: dict[int, Message] = {}
        values: dict[Keys, Any] = {}
        before = {one.path: one.value for one in self.beside}
        for told, text in changes:
            root: Root = told.root
            if isinstance(root, int):
                turns[root] = replaced(turns.get(root, self.messages[root]), told.keys, text)
            else:
                values[root] = replaced(values.get(root, before[root]), told.keys, text)
        messages = tuple(turns.get(number, turn) for number, turn in enumerate(self.messages))
        client, given = self.client, self.given
        if isinstance(client, Sender):
            client, context = client.amended(turns, values)
            given = {**given, **context}
        return Input.of(client, messages, given)


@dataclass(frozen=True, slots=True)
class Settled:
    """How it ended: the input as it may be sent, with what was changed in it; or what refused it.

    `step` is the policy of a guard's own that delivers something in the answer's place.
    """

    input: Input
    repairs: tuple[Repair, ...] = ()
    remarks: tuple[Finding, ...] = ()
    refused: Examined[Any] | None = None
    step: Policy[Any] | None = None


def settle_input(
    guards: GuardSet, asked: Input, deadline: float | None, desk: Desk | None, telling: Telling | None = None
) -> Flow[Settled]:
    """Check it, and do what the guards' own policies say: the ticket's are about answers, and there is none."""
    judging = _Judging(guards, deadline, desk, telling)
    first = checked = yield from judging.check(asked)
    turn = Deciding(Raise()).turn(spent=True, barred=True)
    now = asked
    repairs: tuple[Repair, ...] = ()
    while checked.blocking and not checked.failed:
        choice = turn.choose(checked.blocking)
        step = choice.step
        if step is None or step.name == "raise":
            break
        if step.name != "fix":
            return Settled(asked, remarks=checked.remarks, refused=checked.refusal, step=step)
        entry = choice.acting[0].found.entry  # one guard after the other: each fix was made for what it had seen
        acting = [one for one in choice.acting if one.found.entry is entry]
        better = yield from judging.mend(now, checked, acting)
        if better is None:
            turn.pass_over(acting)
            continue
        now, checked, done = better
        repairs = (*repairs, *done)
    if not checked.blocking:
        return Settled(now, repairs, checked.remarks)
    # What is refused is reported as it came: changes that did not save it are no part of it.
    return Settled(asked, remarks=first.remarks, refused=first.refusal)


def hearing(guards: GuardSet, beside: Sequence[Beside]) -> GuardSet:
    """Those of the guards for which there is something in what goes beside the turns."""
    sent = outgoing((), beside)
    return GuardSet(
        tuple(
            kept
            for tier in guards.tiers
            if (kept := tuple(e for e in tier if sent.heard(e.guard.roles) or sent.unheard(e.guard.roles)))
        )
    )


@dataclass(slots=True)
class _Checked:
    """What all guards made of an input."""

    found: list[Found] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    """Labels of the guards that had their turn."""

    def take(self, examined: Examined[Any]) -> None:
        # Several views of one text may give the same finding.
        self.found += [found for found in examined.found if found not in self.found]
        self.faults += examined.faults

    @property
    def blocking(self) -> tuple[Found, ...]:
        return tuple(found for found in self.found if found.finding.blocks)

    @property
    def remarks(self) -> tuple[Finding, ...]:
        return tuple(found.finding for found in self.found if not found.finding.blocks)

    @property
    def failed(self) -> bool:
        return any(found.finding.code == "guard.failed" for found in self.blocking)

    @property
    def refusal(self) -> Examined[Any]:
        return Examined(Reading(None, None), self.blocking, faults=tuple(self.faults))


class _Judging:
    """The guards, and what they need to run."""

    def __init__(self, guards: GuardSet, deadline: float | None, desk: Desk | None, telling: Telling | None) -> None:
        self._guards = guards
        self._deadline = deadline
        self._desk = desk
        self._telling = telling

    def check(self, asked: Input) -> Flow[_Checked]:
        """What the guards say, cheap before dear; a tier that refuses ends it. What cannot be read needs no guard."""
        checked = _Checked()
        for entry in (entry for tier in self._guards.tiers for entry in tier):
            checked.found += [_unread(entry, one) for one in asked.sent.unheard(entry.guard.roles)]
        for tier in self._guards.tiers:
            if checked.blocking:
                break
            checked.ran |= {entry.label for entry in tier}
            left = {entry: texts for entry in tier if (texts := _texts(asked.sent, entry))}
            while left:
                yield from self._look(asked, {entry: texts[0] for entry, texts in left.items()}, checked)
                refused = {found.entry for found in checked.blocking}
                left = {entry: texts[1:] for entry, texts in left.items() if entry not in refused and texts[1:]}
        return checked

    def mend(
        self, asked: Input, checked: _Checked, acting: Sequence[Acting]
    ) -> Flow[tuple[Input, _Checked, tuple[Repair, ...]] | None]:
        """The input with one guard's fixes in it, judged again; None where that cannot be, or something else breaks."""
        entry = acting[0].found.entry
        assert entry is not None, "a policy that fixes the input is a guard's own"
        by_text = yield from self._placed(asked, entry, [one.found.finding for one in acting])
        changes: list[tuple[Told, str]] = []
        repairs: list[Repair] = []
        for told, (finding, *_) in by_text:
            fix = finding.fix  # the first proposal counts; the check afterwards tells what is left to be proposed
            if finding.path or not isinstance(fix, str) or not told.open or fix == told.text:
                return None
            changes.append((told, fix))
            words = f"fixed for {finding.code}"
            repairs.append(Repair("policy.fix", words, told.path, told.text, fix, asked=True))
        if not changes:
            return None
        amended = asked.amended(changes)
        again = yield from self.check(amended)
        # What a guard of a dearer tier finds is news: it had not been asked before.
        after = _count([found for found in again.blocking if found.finding.guard in checked.ran])
        solved = _count([one.found for one in (acting if len(changes) > 1 else acting[:1])])
        improved = after <= _count(checked.blocking) - solved and not again.failed
        return (amended, again, tuple(repairs)) if improved else None

    def _placed(
        self, asked: Input, entry: Entry, findings: Sequence[Finding]
    ) -> Flow[list[tuple[Told, list[Finding]]]]:
        """The texts that the findings are about. A guard that judged several as one is asked of each by itself."""
        heard = asked.sent.heard(entry.guard.roles)
        if len(heard) == 1:
            return [(heard[0], list(findings))]
        by_text: list[tuple[Told, list[Finding]]] = []
        for told in heard:
            alone = _Checked()
            yield from self._look(asked, {entry: told.text}, alone)
            if alone.failed:
                return []
            if alone.blocking:
                by_text.append((told, [found.finding for found in alone.blocking]))
        return by_text

    def _look(self, asked: Input, seen: Mapping[Entry, str], checked: _Checked) -> Flow[None]:
        """Run guards, each over a text; those of one text together."""
        together: dict[str, list[Entry]] = {}
        for entry, text in seen.items():
            together.setdefault(text, []).append(entry)
        context = Context(asked.given, messages=asked.messages, deadline=self._deadline)
        for text, entries in together.items():
            reading: Reading[Any] = Reading(text, None)
            guards, telling = GuardSet((tuple(entries),)), self._telling
            checked.take((yield from examine(reading, _TEXT, guards, context, self._desk, telling=telling)))


def _texts(sent: Outgoing, entry: Entry) -> tuple[str, ...]:
    """What a guard looks at: nothing but "" where nothing is said, none where all that there is cannot be read."""
    told, roles = sent.heard(entry.guard.roles), entry.guard.roles
    return views(told) if told or not sent.unheard(roles) else ()


def _unread(entry: Entry, unread: Unread) -> Found:
    passes = entry.guard.unreadable == "pass"
    words = f"{unread.place} cannot be read by the guard {entry.label!r}" + (", and was not judged" if passes else "")
    finding = Finding("input.unreadable", words, unread.path, entry.label, "unknown" if passes else "error")
    return Found(finding, entry)


def _count(found: Sequence[Found]) -> Counter[tuple[str, str | None]]:
    """How often each finding is there."""
    return Counter((one.finding.code, one.finding.guard) for one in found)


_TEXT: Final = Text()
