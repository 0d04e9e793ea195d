"""How often a cascade's dear guard was needed: counted under a lock, and no part of what the cascade is."""

from __future__ import annotations

import threading
from dataclasses import dataclass

__all__ = ["CascadeStats", "Counter"]


@dataclass(frozen=True, slots=True)
class CascadeStats:
    """What a cascade has judged, and how many of these the dear guard was asked about."""

    judged: int = 0
    went_on: int = 0

    @property
    def saved(self) -> int:
        """Calls of the dear guard that were not needed."""
        return self.judged - self.went_on

    @property
    def share(self) -> float:
        """The share that went on; 0 where nothing was judged."""
        return self.went_on / self.judged if self.judged else 0.0


class Counter:
    """Any two are equal, and a copy in another process begins anew: a guard that counts is still a value."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stats = CascadeStats()

    def count(self, *, went_on: bool) -> None:
        """One more was judged."""
        with self._lock:
            self._stats = CascadeStats(self._stats.judged + 1, self._stats.went_on + went_on)

    def read(self) -> CascadeStats:
        """What has been counted."""
        return self._stats

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counter)

    def __hash__(self) -> int:
        return hash(Counter)

    def __reduce__(self) -> tuple[type[Counter], tuple[()]]:
        return Counter, ()
