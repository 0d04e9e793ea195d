"""What a streamed JSON answer shows while it comes: partial values, and items of a list that is the whole of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from guards.contracts.base import Stand
from guards.contracts.growing import Growing, Held
from guards.contracts.live import SHOWN_AT_LEAST, Live, Part, Step, Watched
from guards.findings import join_pointer
from guards.reading.document import JsonDocument, Place, Steps
from guards.reading.json_stream import JsonStream
from guards.reading.reading import Limits

__all__ = ["JsonLive"]


class JsonLive(Live):
    """Partial values after each piece; items of a list that is the whole answer as they close.

    A part is shown in the very form in which it was looked at: what a validator makes of it when the model around it
    closes is looked at again.
    """

    def __init__(
        self,
        call: str,
        limits: Limits,
        watched: Sequence[Watched],
        within: Callable[[Place, Any, Steps], Sequence[Stand]],
        growing: Callable[[Held], Growing],
    ) -> None:
        """`within` and `growing` are the contract's."""
        super().__init__(call)
        self._within = within
        self._watched = [(steps, one.mark) for one in watched for steps in one.places]
        self._seen: dict[tuple[int, Place], Any] = {}
        """What each watcher, by its number, saw at each place."""
        self._growing = growing(self._is_watched)
        self._stream = JsonStream(self._growing, limits.depth)
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
            if len(place) == 1 and isinstance(place[0], int) and self._growing.holds(place, value):
                steps.append((None, self._item(value, join_pointer(place))))
        self._unshown += len(piece)
        if stream.begun and not stream.lost and self._is_due() and not self._inside_watched(stream.place):
            self._unshown = 0
            steps.append((None, self._partial(stream.value, join_pointer(stream.place))))
        return steps

    def _is_due(self) -> bool:
        """Whether enough has come for another partial value: each is a copy, and of a large one each costs much."""
        stream = self._stream
        return stream.done or self._unshown * SHOWN_AT_LEAST >= stream.weight

    def _closed(self, place: Place, value: Any) -> Iterator[Part]:
        """The watched parts of what has closed that were not seen in this form."""
        for number, (steps, mark) in enumerate(self._watched):
            if len(steps) < len(place) or not _matches(steps[: len(place)], place):
                continue
            for stand in self._within(place, value, steps):
                if stand.fault is not None:  # what it became cannot be judged here: the whole answer tells
                    self._over = True
                    return
                key = number, stand.place
                if stand.value is None or _is_same(self._seen.get(key), stand.value):
                    continue
                self._seen[key] = stand.value
                yield Part(JsonDocument(stand.value), join_pointer(stand.place), (mark,))

    def _inside_watched(self, place: Place) -> bool:
        """Whether what is growing belongs to a part that someone has to see whole."""
        return any(self._is_watched(place[:length]) for length in range(1, len(place) + 1))

    def _is_watched(self, place: Place) -> bool:
        return any(_matches(steps, place) for steps, _ in self._watched)


def _is_same(seen: Any, value: Any) -> bool:
    return seen is value or (type(seen) is str and type(value) is str and seen == value)


def _matches(steps: Steps, place: Place) -> bool:
    return len(steps) == len(place) and all(
        step is None or step == there for step, there in zip(steps, place, strict=True)
    )
