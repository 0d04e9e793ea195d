"""What can be wrong with an answer: one frozen value, and the one key that ranks several of them.

How findings become words for a model is `engine.wording`; what is done about them is `policies`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args

from guards.errors import ConfigError
from guards.values.made import Made

__all__ = [
    "MOST_LISTED",
    "NOT_LISTED",
    "NO_FIX",
    "Finding",
    "NoFix",
    "Severity",
    "as_index",
    "counted",
    "decisive",
    "escape",
    "join_pointer",
    "listed",
    "on_the_scale",
    "parse_pointer",
    "rank",
]

Severity = Literal["error", "warning", "unknown"]
"""`error` blocks the answer; `warning` is shown and does not block; `unknown` marks a check that could not run and was
allowed to (`on_error="open"`)."""
_SEVERITIES: Final = get_args(Severity)


class NoFix:
    """The type of `NO_FIX`. A sentinel of its own, since None is a value that a fix may propose."""

    _instance: NoFix | None = None

    def __new__(cls) -> NoFix:  # noqa: PYI034  # the one instance, whatever calls it
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self) -> str:
        return "NO_FIX"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "NO_FIX"


NO_FIX: Final = NoFix()


@dataclass(frozen=True)
class Finding(Made):
    """One thing wrong with an answer, as data.

    Args:
        code: dotted and stable (`schema.minimum`, `guard.failed`).
        message: reads for a person and for a model.
        path: JSON Pointer (RFC 6901) for JSON, XPath from the root for XML; "" is the whole answer. A guard gives it
            relative to the value that it was handed.
        guard: name of the guard; None for the contract and the reader.
        severity: see `Severity`.
        score: 0 to 1, higher is more acceptable.
        threshold: the score below which this became a finding.
        evidence: what it was compared with (plain data).
        expected, actual: the rule's demand and the value found; None where there is nothing to show.
        fix: a value that would be right in this place; `NO_FIX` when none is proposed.
        found_null: that the value found is a null, which `actual` cannot tell from nothing to show.

    Raises ConfigError for what cannot be one of these: an unknown severity would block nothing.
    """

    code: str
    message: str
    path: str = ""
    guard: str | None = None
    severity: Severity = "error"
    score: float | None = None
    threshold: float | None = None
    evidence: Any = None
    expected: Any = None
    actual: Any = None
    fix: Any = NO_FIX
    found_null: bool = False

    def __post_init__(self) -> None:
        if self.score is None and self.threshold is None and self.guard is None and self.severity == "error":
            texts = type(self.code) is type(self.message) is type(self.path) is str
            if texts and self.code:  # nearly all are made of these alone
                return
        _check_text(self.code, "code", may_be_empty=False)
        _check_text(self.message, "message")
        _check_text(self.path, "path")
        if self.guard is not None:
            _check_text(self.guard, "guard", may_be_empty=False)
        if self.severity not in _SEVERITIES:
            raise ConfigError(
                f"unknown severity {self.severity!r}",
                where="Finding(severity=)",
                hint=f"use one of {', '.join(map(repr, _SEVERITIES))}",
            )
        for name in ("score", "threshold"):
            given = getattr(self, name)
            if given is not None and not (type(given) is float and 0 <= given <= 1):
                object.__setattr__(self, name, on_the_scale(given, f"Finding({name}=)"))

    @property
    def shows_actual(self) -> bool:
        """Whether there is a value found to show."""
        return self.actual is not None or self.found_null

    @property
    def blocks(self) -> bool:
        """Whether an answer with this finding is not acceptable as it is."""
        return self.severity == "error"

    def replace(self, **changes: Any) -> Finding:
        """A copy with other values."""
        return replace(self, **changes)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Finding:
        """A finding again, from what `to_dict` gave; without its content it has no message and no path."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        return cls(**{"message": "", **known, "found_null": "actual" in data and data["actual"] is None})

    def to_dict(self, *, content: bool = True) -> dict[str, Any]:
        """Plain data. `content=False` leaves out everything that may hold text of user, model or source: `message`,
        `evidence`, `actual`, `expected`, `fix`, and the path's words."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "found_null"}
        if self.fix is NO_FIX:
            del given["fix"]
        if not content:
            for name in ("message", "path", "evidence", "expected", "actual", "fix"):
                given.pop(name, None)
        null = "actual" if self.found_null else ""
        return {name: value for name, value in given.items() if value is not None or name == null}


MOST_LISTED: Final = 100
NOT_LISTED: Final = "limit.findings"
"""The code of the finding that says how many more there are; its `actual` is how many in all."""


def listed(findings: Iterable[Finding], more: int = 0, *, exact: bool = True) -> tuple[Finding, ...]:
    """As many findings of one document as are of use, and one that says how many more there are.

    `more` were seen and never made into findings; `exact` says that these are all. What is among them of such a kind
    is counted in.
    """
    given = tuple(findings)
    made = tuple([finding for finding in given if finding.code != NOT_LISTED])
    more += sum(finding.actual - MOST_LISTED for finding in given if finding.code == NOT_LISTED)
    left = max(0, len(made) - MOST_LISTED) + more
    if not left:
        return made
    shown = made[:MOST_LISTED]
    words = f"only the first {len(shown)} faults are listed; there are {'' if exact else 'at least '}{left} more"
    return (*shown, Finding(NOT_LISTED, words, expected=MOST_LISTED, actual=len(shown) + left))


def rank(findings: Iterable[Finding]) -> list[Finding]:
    """The decisive ones first: what kept the document from being read, then errors, then the outer before the inner;
    that more were found comes last.

    Ties keep the order in which they were found, so the same answer always gives the same list.
    """
    return sorted(findings, key=_weight)


def decisive(findings: Iterable[Finding]) -> Finding:
    """The first of them as `rank` has it."""
    return min(findings, key=_weight)


def counted(findings: Iterable[Finding]) -> tuple[list[Finding], int]:
    """The findings that are listed, ranked, and how many there are in all."""
    ranked = rank(findings)
    if ranked and ranked[-1].code == NOT_LISTED:
        total: int = ranked.pop().actual
        return ranked, total
    return ranked, len(ranked)


def _check_text(given: Any, name: str, *, may_be_empty: bool = True) -> None:
    if not isinstance(given, str) or not (given or may_be_empty):
        wanted = "a dotted code" if name == "code" else "text"
        hint = "a JSON Pointer like /lines/0, or an XPath" if name == "path" else ""
        raise ConfigError(f"must be {wanted}, not {given!r}", where=f"Finding({name}=)", hint=hint)


def on_the_scale(given: Any, where: str) -> float:
    """A number of whichever kind (numpy's, a Decimal) as a float from 0 to 1; `ConfigError` for any other."""
    try:
        number = None if isinstance(given, str | bytes | bool) else float(given)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or not 0 <= number <= 1:  # nan, too
        raise ConfigError(f"it must be from 0 to 1, not {given!r}", where=where)
    return number


def _weight(finding: Finding) -> tuple[int, int, int]:
    code = finding.code
    unread = code.startswith(_READING)
    return (2 if code == NOT_LISTED else 0) if unread else 1, _ORDER[finding.severity], finding.path.count("/")


_READING: Final = ("reply.", "limit.", "json.", "xml.", "text.")
_ORDER: Final[Mapping[str, int]] = {"error": 0, "unknown": 1, "warning": 2}


def escape(part: str | int) -> str:
    """One reference token of a JSON Pointer (RFC 6901, section 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def join_pointer(parts: Iterable[str | int]) -> str:
    """A JSON Pointer out of keys and indexes; no parts give "", the whole document."""
    return "".join(f"/{escape(part)}" for part in parts)


def as_index(part: str) -> int | None:
    """A reference token as an index of a list; None for any other. No list has one of more digits."""
    return int(part) if part.isascii() and part.isdecimal() and len(part) <= 18 else None


def parse_pointer(pointer: str) -> tuple[str, ...]:
    """The reference tokens of a JSON Pointer. Raises ValueError for text that is none."""
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON Pointer begins with '/': {pointer!r}")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))
