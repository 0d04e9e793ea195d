"""What was changed in one document on the way, each change with its place."""

from __future__ import annotations

from typing import Any, Final

from guards.findings import join_pointer
from guards.records import Repair

__all__ = ["Notes"]

_MOST_NOTES: Final = 100  # of one code; a large document of one habit is not recorded mark by mark


class Notes:
    """The repairs of one document; `place` is kept by whoever reads it."""

    def __init__(self) -> None:
        self.repairs: list[Repair] = []
        self.place: list[str | int] = []
        self.doubtful = False
        """Two ways of reading what stands there are as good."""
        self._counts: dict[str, int] = {}

    def note(self, code: str, message: str, before: Any = None, after: Any = None) -> None:
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if count < _MOST_NOTES:
            self.repairs.append(Repair(code, message, join_pointer(self.place), before, after))
        elif count == _MOST_NOTES:
            self.repairs.append(Repair(code, "more of the same in this document", ""))

    def noted(self, *codes: str) -> bool:
        return any(code in self._counts for code in codes)
