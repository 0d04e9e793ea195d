"""Asking for less: only the parts of an answer that failed, or the rest of one that was cut off.

What comes back is merged and read again as a whole by the contract, which says what parts an answer has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from guards.contracts.base import Contract
from guards.contracts.parts import LEFT_OUT, Parted
from guards.engine import wording
from guards.findings import Finding
from guards.outgoing.quoting import span
from guards.reading.document import Document
from guards.reading.reading import Dial, Limits, Reading
from guards.records import Repair

__all__ = ["Parts", "ask_for_parts", "ask_for_rest"]

_MOST_PARTS: Final = 12
_NEARLY_ALL: Final = 0.75
_LEAST_KEPT: Final = 200
"""Below so many characters an answer that was cut off is cheaper asked for again."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A question for less than the whole: what stands as the model's last turn, what is asked, and how the reply is
    read. `whole` gives the whole answer as text of what came back, for the next question."""

    shown: str
    text: str
    read: Callable[[str], Reading[Any]]
    whole: Callable[[str], str | None]


def ask_for_parts(
    contract: Contract[Any],
    document: Document,
    findings: Sequence[Finding],
    dial: Dial,
    limits: Limits,
    context: Mapping[str, Any] | None,
) -> Parts | None:
    """The question for the failing parts; None where they are not parts (the whole fails, or too much of it).

    Never for one that the contract has no place for: where something has to go, what holds it is asked for.
    """
    parted = contract.parts(document)
    if parted is None:
        return None
    findings = _less_dropped(findings, dial)
    paths = _outermost([parted.part_of(finding) for finding in findings])
    if not _can_be_asked_for(paths):
        return None
    lines = "\n".join(wording.lines_of(findings))
    text = f"[automated check] Only these parts of your last answer do not fit what was asked for:\n{lines}\n"
    return _parts(contract, parted, paths, text, dial, limits, context)


def _can_be_asked_for(paths: Sequence[str]) -> bool:
    """Whether there are parts, less than the whole, and few enough."""
    return bool(paths) and "" not in paths and len(paths) <= _MOST_PARTS


def _less_dropped(findings: Sequence[Finding], dial: Dial) -> Sequence[Finding]:
    """Without keys that the contract forbids where something else is wrong, too: when that is right, careful reading
    leaves them out by itself, and records it."""
    others = [finding for finding in findings if finding.code not in LEFT_OUT]
    return others if others and dial != "strict" else findings


def ask_for_rest(
    contract: Contract[Any],
    kept: str,
    document: Document | None,
    dial: Dial,
    limits: Limits,
    context: Mapping[str, Any] | None,
) -> Parts | None:
    """The question that follows an answer that was cut off: for its missing parts, or for its continuation.

    None where asking for the whole again costs less. The missing parts are asked for where all that was cut off is
    members that the contract requires, and nearly all that came can be kept; that spares sending the beginning back.
    """
    if len(kept) < _LEAST_KEPT or not contract.is_data:
        return None
    head = "[automated check] Your last answer was cut off before its end. "
    if document is not None and len(document.source()) >= _NEARLY_ALL * len(kept):
        missing = contract.recheck(document, context).findings
        only_missing = bool(missing) and all(finding.code == "schema.required" for finding in missing)
        parted = contract.parts(document) if only_missing and not _ends_in_list(document) else None
        if parted is not None:
            paths = _outermost([parted.part_of(finding) for finding in missing])
            if _can_be_asked_for(paths):
                words = f"{head}Only these parts are missing: {', '.join(span(path) for path in paths)}.\n"
                return _parts(contract, parted, paths, words, dial, limits, context)
    text = f"{head}Continue it exactly where it stops: begin with the next character, repeat nothing, add nothing else."

    def joined(reply: str) -> str:
        return kept + _less_overlap(kept, reply)

    def read(reply: str) -> Reading[Any]:
        reading = contract.read(joined(reply), dial, limits, context)
        done = Repair("policy.continue", "the continuation was put behind the answer that was cut off", "")
        if reading.ok:
            return replace(reading, repairs=(done, *reading.repairs))
        # Strictly: the rest of an answer may well look like a damaged whole.
        whole = contract.read(reply, "strict", limits, context)
        return whole if whole.ok else reading

    return Parts(kept, text, read, joined)


def _parts(
    contract: Contract[Any],
    parted: Parted,
    paths: Sequence[str],
    words: str,
    dial: Dial,
    limits: Limits,
    context: Mapping[str, Any] | None,
) -> Parts:
    def read(reply: str) -> Reading[Any]:
        merged = parted.merged(paths, reply, dial, limits)
        if merged is None:
            return contract.read(reply, dial, limits, context)  # the whole answer again, after all
        source, repairs = merged
        reading = contract.read(source, dial, limits, context)
        return replace(reading, repairs=(*repairs, *reading.repairs))

    def whole(reply: str) -> str | None:
        merged = parted.merged(paths, reply, dial, limits)
        return None if merged is None else merged[0]

    return Parts(parted.shown(paths), words + parted.instruction(paths), read, whole)


def _outermost(paths: Sequence[str]) -> list[str]:
    """Each path once, less those inside of another."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path.startswith(f"{outer}/") for outer in kept):
            kept.append(path)
    return sorted(kept, key=paths.index) if all(path in paths for path in kept) else kept


def _ends_in_list(document: Document) -> bool:
    """Whether what came last stands in a list, which may have been meant to go on."""
    data = document.data
    while isinstance(data, dict) and data:
        data = data[next(reversed(data))]
    return isinstance(data, list)


_LEAST_OVERLAP: Final = 10


def _less_overlap(kept: str, reply: str) -> str:
    """The reply without a fence around it and without the end of the kept part, which models repeat.

    Only what begins nowhere else in the kept part is taken for a repetition: a text may well say a thing twice.
    """
    found = re.fullmatch(r"\s*```\w*\n(.*?)\n?```\s*", reply, re.DOTALL)
    text = found[1] if found else reply
    start = kept.find(text[:_LEAST_OVERLAP]) if len(text) >= _LEAST_OVERLAP else -1
    repeated = kept[start:] if start >= 0 else ""
    once = repeated and kept.find(text[:_LEAST_OVERLAP], start + 1) < 0
    return text[len(repeated) :] if once and text.startswith(repeated) else text
