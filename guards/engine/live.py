"""What a streamed answer shows while it comes: partial values, closed items, sentences. And what is held back.

Fed with pieces of text it gives events; it asks for nothing itself. Whatever it showed, the reading of the whole answer
decides: it runs exactly once, at the end, as for any other answer.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import time
from typing import Any, Final

from guards.checks.texts.text_units import sentence_ends
from guards.contracts.base import Contract
from guards.effects import Show
from guards.engine.guard_set import Entry, GuardSet
from guards.events import Item, Partial, StreamEvent, TextPiece
from guards.findings import join_pointer
from guards.reading.document import Place, Steps
from guards.reading.locate import spoken_from, thinking
from guards.reading.reading import Limits

__all__ = ["SHOWN_AT_LEAST", "Live", "Part", "Step", "can_check_parts", "live_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has closed, and the guards that look at it."""

    value: Any
    path: str
    guards: GuardSet


Step = tuple["Part | None", "StreamEvent | None"]
"""First the part is checked, then the event is shown."""


SHOWN_AT_LEAST: Final = 100
"""A partial value is shown after each piece, or once it has grown by a hundredth: the whole stream costs its length."""


class Live(ABC):
    """The view of one answer."""

    def __init__(self, call: str) -> None:
        self._call = call
        """The id of the call whose events these are."""
        self._went_out: list[str] = []

    @property
    def shown(self) -> str:
        """All text that went out as pieces."""
        if len(self._went_out) > 1:
            self._went_out = ["".join(self._went_out)]
        return self._went_out[0] if self._went_out else ""

    def goes_out(self, event: StreamEvent) -> Show:
        """An event for the reader; what text he has is kept."""
        if isinstance(event, TextPiece):
            self._went_out.append(event.text)
        return Show(event)

    @abstractmethod
    def feed(self, piece: str) -> list[Step]:
        """What is to be checked and shown after this piece."""

    def rest(self, value: Any) -> list[StreamEvent]:
        """What remains to be shown of an answer that holds."""
        return []

    def whole(self, value: Any) -> list[StreamEvent]:
        """An answer that holds and of which nothing was shown before."""
        items = enumerate(value) if isinstance(value, list | tuple) else ()
        return [*(self._item(item, join_pointer((index,))) for index, item in items), self._partial(value)]

    def _partial(self, value: Any, path: str = "") -> Partial:
        return Partial(value, path, call=self._call, at=time())

    def _item(self, value: Any, path: str) -> Item:
        return Item(value, path, call=self._call, at=time())

    def _piece(self, text: str) -> TextPiece:
        return TextPiece(text, call=self._call, at=time())


def live_of(
    contract: Contract[Any],
    call: str,
    limits: Limits,
    checks: GuardSet | None,
    context: Mapping[str, Any] | None = None,
) -> Live:
    """The view that belongs to a contract, of the answer of a call; validators inside it see `context`."""
    if contract.format == "text":
        from guards.contracts.text import Text

        return _Text(call, checks) if isinstance(contract, Text) else _Word(call)
    if contract.format == "xml":
        from guards.engine.live_xml import XmlLive  # lxml is loaded for XML alone

        return XmlLive(contract, call)
    return _Json(contract, call, limits, checks, context)


def can_check_parts(contract: Contract[Any], guards: GuardSet) -> bool:
    """Whether every guard can judge a part of the answer, and it can be told which part is whose."""
    entries = [entry for tier in guards.tiers for entry in tier]
    if not all(entry.guard.partial for entry in entries):
        return False
    if contract.format == "text":
        return True
    return contract.format == "json" and all(_places(entry, contract) for entry in entries)


class _Word(Live):
    """A choice or a pattern: shown when it is whole."""

    def feed(self, piece: str) -> list[Step]:
        return []

    def rest(self, value: Any) -> list[StreamEvent]:
        return [self._piece(value)] if isinstance(value, str) else []


_LONGEST: Final = 2000
"""A text without any end of a sentence goes out in pieces of about this many characters."""


class _Text(Live):
    """Sentence by sentence; a thinking part at the start is not shown."""

    def __init__(self, call: str, checks: GuardSet | None) -> None:
        super().__init__(call)
        tiers = checks.tiers if checks else ()
        self._apart = _set_of(entry for tier in tiers for entry in tier if not entry.guard.joins)
        self._joined = _set_of(entry for tier in tiers for entry in tier if entry.guard.joins)
        self._said = ""
        self._waiting = ""
        self._begun = False

    def feed(self, piece: str) -> list[Step]:
        self._waiting += piece
        if not self._begun and not self._begin():
            return []
        steps: list[Step] = []
        waiting, start = self._waiting, 0
        for end in _ends(waiting):
            sentence, start = self._piece(waiting[start:end]), end
            if self._joined.tiers:
                self._said += sentence.text
            judged = ((self._apart, sentence.text), (self._joined, self._said))
            steps += [(Part(text, "", guards), None) for guards, text in judged if guards.tiers]
            steps.append((None, sentence))
        self._waiting = waiting[start:]
        return steps

    def rest(self, value: Any) -> list[StreamEvent]:
        # What was read may be less than what came: a thinking part is no part of it. What a guard has held back was not
        # shown.
        left = value[len(self.shown) :] if isinstance(value, str) else self._waiting
        return [self._piece(left)] if left else []

    def _begin(self) -> bool:
        start = self._waiting.lstrip()[:10].lower()
        if not start or any(mark.startswith(start) and mark != start for mark in ("<think>", "<thinking>")):
            return False
        if thinking(self._waiting)[1]:
            # Nothing but its own end is looked for in a thinking part.
            opened = self._waiting.index(">") + 1
            self._waiting = (
                self._waiting[:opened] + self._waiting[max(opened, len(self._waiting) - len("</thinking>")) :]
            )
            return False
        self._waiting = self._waiting[spoken_from(self._waiting) :]
        self._begun = True
        return True


def _ends(waiting: str) -> Iterator[int]:
    """Where each sentence ends that is surely whole, as something follows it; and where a text without one is cut."""
    start, last = 0, len(waiting.rstrip())
    for end in sentence_ends(waiting):
        if end >= last:
            break
        yield end
        start = end
    while len(waiting) - start > _LONGEST + 100:
        blank = waiting.rfind(" ", start + 1, start + _LONGEST)
        start = blank if blank > 0 else start + _LONGEST
        yield start


def _set_of(entries: Iterable[Entry]) -> GuardSet:
    tier = tuple(entries)
    return GuardSet((tier,)) if tier else GuardSet()


class _Json(Live):
    """Partial values after each piece; items of a list that is the whole answer as they close.

    A part is shown in the very form in which its guards have judged it: what a validator makes of it when the model
    around it closes is judged again.
    """

    def __init__(
        self,
        contract: Contract[Any],
        call: str,
        limits: Limits,
        checks: GuardSet | None,
        context: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(call)
        from guards.reading.json_stream import JsonStream

        entries = [entry for tier in checks.tiers for entry in tier] if checks else []
        self._contract = contract
        self._guarded = [
            (steps, replace(entry, path=None, inside=False))
            for entry in entries
            for steps in _places(entry, contract) or ()
        ]
        self._judged: dict[tuple[int, Place], Any] = {}
        """What each guard judged at each place."""
        self._builder = _builder(contract, self._guards_at, context)
        self._stream = JsonStream(self._builder, limits.depth)
        self._over = False
        self._unshown = 0
        """Characters that came since the last partial value."""

    def feed(self, piece: str) -> list[Step]:
        stream = self._stream
        if stream.done or stream.lost or self._over:
            return []
        steps: list[Step] = []
        for place, value in stream.feed(piece):
            steps += ((part, None) for part in self._closed(place, value))
            if self._over:
                return steps
            if len(place) == 1 and isinstance(place[0], int) and self._builder.holds(place, value):
                steps.append((None, self._item(value, join_pointer(place))))
        self._unshown += len(piece)
        if stream.begun and not stream.lost and self._is_due() and not self._inside_guarded(stream.place):
            self._unshown = 0
            steps.append((None, self._partial(stream.value, join_pointer(stream.place))))
        return steps

    def _is_due(self) -> bool:
        """Whether enough has come for another partial value: each is a copy, and of a large one each costs much."""
        stream = self._stream
        return stream.done or self._unshown * SHOWN_AT_LEAST >= stream.weight

    def _closed(self, place: Place, value: Any) -> Iterator[Part]:
        """The guarded parts of what has closed that nobody has judged in this form."""
        for steps, entry in self._guarded:
            if len(steps) < len(place) or not _matches(steps[: len(place)], place):
                continue
            for stand in self._contract.within(place, value, steps):
                if stand.fault is not None:  # what it became cannot be judged here: the whole answer tells
                    self._over = True
                    return
                key = id(entry), stand.place
                if stand.value is None or _is_same(self._judged.get(key), stand.value):
                    continue
                self._judged[key] = stand.value
                yield Part(stand.value, join_pointer(stand.place), GuardSet(((entry,),)))

    def _inside_guarded(self, place: Place) -> bool:
        """Whether what is growing belongs to a part that some guard has to see whole."""
        return any(self._guards_at(place[:length]) for length in range(1, len(place) + 1))

    def _guards_at(self, place: Place) -> bool:
        return any(_matches(steps, place) for steps, _ in self._guarded)


def _is_same(judged: Any, value: Any) -> bool:
    return judged is value or (type(judged) is str and type(value) is str and judged == value)


def _places(entry: Entry, contract: Contract[Any]) -> tuple[Steps, ...] | None:
    """Where a guard stands in any answer; None where that cannot be said before the answer is there."""
    if entry.inside:
        places = contract.steps_to(entry.guard)
        return places if places and all(places) else None
    return contract.steps_of(entry.path) if entry.path is not None else None


def _matches(steps: Steps, place: Place) -> bool:
    return len(steps) == len(place) and all(
        step is None or step == there for step, there in zip(steps, place, strict=True)
    )


def _builder(contract: Contract[Any], guards_at: Any, context: Mapping[str, Any] | None) -> Any:
    from guards.contracts.partial import PlainBuilder, TypedBuilder
    from guards.contracts.typed.contract import Typed

    if isinstance(contract, Typed):
        return TypedBuilder(contract.growing, guards_at, context)
    return PlainBuilder(contract, guards_at)  # type: ignore[arg-type]  # every other contract of JSON is a schema
