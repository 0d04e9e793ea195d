"""What came of reading a text, how far the reader may go, and the bounds that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, get_args

from typing_extensions import TypeVar

from guards.errors import ConfigError
from guards.findings import Finding
from guards.reading.document import Document
from guards.records import Repair

__all__ = ["Dial", "Limits", "Reading", "check_dial"]

T = TypeVar("T", default=Any)

Dial = Literal["strict", "careful", "eager"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read; past one, the finding is `limit.*`, never a cut.

    `chars`: of the whole answer. `repair_chars`: above it only a clean document is read, nothing searched or mended.
    `depth`: nesting of the document.
    """

    chars: int = 10_000_000
    repair_chars: int = 1_000_000
    depth: int = 200

    def __post_init__(self) -> None:
        for name in ("chars", "repair_chars", "depth"):
            amount = getattr(self, name)
            if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
                raise ConfigError(f"must be a whole number from 1 up, not {amount!r}", where=f"Limits({name}=)")


# Not frozen: it is made anew for every answer, and that takes half as long so.
@dataclass(slots=True)
class Reading(Generic[T]):
    """What a contract made of a text. `value` counts only where nothing was found; `document` is None where none
    could be read. `faults` are the exceptions of the user's own code that are behind findings."""

    value: T | None
    document: Document | None
    findings: tuple[Finding, ...] = ()
    repairs: tuple[Repair, ...] = ()
    faults: tuple[BaseException, ...] = ()
    made: Any = None
    """What the contract itself noted of how the value was made."""
    cut: bool = False
    """The text ends before its document is closed: something may be missing that the contract can do without."""

    @property
    def ok(self) -> bool:
        return not self.findings


def check_dial(dial: str, where: str = "reading=") -> None:
    """`ConfigError` for a dial that does not exist."""
    if dial not in get_args(Dial):
        raise ConfigError(
            f"unknown reading {dial!r}", where=where, hint=f"use one of {', '.join(map(repr, get_args(Dial)))}"
        )
