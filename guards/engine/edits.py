"""What Fix and Filter do to a document: put a proposed value in, take a failing item out. Never to the instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guards.contracts.base import Contract
from guards.findings import NO_FIX, Finding
from guards.reading.document import Document, Place, at
from guards.reading.reading import Reading
from guards.records import Repair

__all__ = ["Edit", "fixed", "pruned"]

_MOST: int = 200
"""Items that one Filter looks at; an answer with more failing ones is beyond filtering."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A document with changes in it, on record. `answered` are the findings, by their numbers, that they are for."""

    document: Document
    repairs: tuple[Repair, ...]
    answered: tuple[int, ...]


def fixed(document: Document, findings: Sequence[Finding]) -> Edit | None:
    """The document with the findings' fixes in place; None where one of them proposes nothing that can be put there.

    The first proposal for a place counts. Another for what holds the place, or stands inside it, was made for a value
    that is no longer there: the check afterwards tells what is left to be proposed.
    """
    repairs: list[Repair] = []
    done: dict[Place, int] = {}
    for number, finding in enumerate(findings):
        place = document.place(finding.path)
        if finding.fix is NO_FIX or place is None:
            return None
        if any(place[: len(other)] == other[: len(place)] for other in done):
            continue
        before = _part(document, place)
        changed = document.replace(place, finding.fix)
        if changed is None:
            return None
        document = changed
        done[place] = number
        repairs.append(Repair("policy.fix", f"fixed for {finding.code}", finding.path, before, finding.fix))
    return Edit(document, tuple(repairs), tuple(done.values()))


def pruned(
    contract: Contract[Any], reading: Reading[Any], findings: Sequence[Finding], context: Mapping[str, Any] | None
) -> Edit | None:
    """The document without the failing items and optional keys; None where one of them cannot be taken out.

    From each finding's place outwards, the first removal that makes nothing worse is taken.
    """
    document = reading.document
    if document is None or len(findings) > _MOST:
        return None
    standing = len(reading.findings)
    repairs: list[Repair] = []
    out: list[Place] = []
    for place, finding in _later_first(document, findings):
        if any(place[: len(gone)] == gone for gone in out):
            continue  # went out together with an earlier one
        removed = _remove(contract, document, place, standing, context)
        if removed is None:
            return None
        gone, without, standing = removed
        repairs.append(
            Repair("policy.filter", f"taken out for {finding.code}", document.path(gone), _part(document, gone))
        )
        out.append(gone)
        document = without
    return Edit(document, tuple(repairs), tuple(range(len(findings))))


def _remove(
    contract: Contract[Any], document: Document, place: Place, standing: int, context: Mapping[str, Any] | None
) -> tuple[Place, Document, int] | None:
    for end in range(len(place), 0, -1):
        gone = place[:end]
        without = document.remove(gone)
        if without is None:
            continue
        left = len(contract.recheck(without, context).findings)
        if left < standing or left == standing == 0:
            return gone, without, left
    return None


def _later_first(document: Document, findings: Sequence[Finding]) -> Iterator[tuple[Place, Finding]]:
    """Later list items first, so that taking one out does not move those still to come; each place once."""
    places: dict[Place, Finding] = {}
    for finding in findings:
        place = document.place(finding.path) or _missing_place(document, finding.path)
        places.setdefault(place, finding)
    for place in sorted(places, key=lambda p: [(isinstance(s, str), str(s).zfill(12)) for s in p], reverse=True):
        yield place, places[place]


def _missing_place(document: Document, path: str) -> Place:
    """The nearest place that is there, for a path to a member that is not."""
    while path:
        path = path.rpartition("/")[0]
        place = document.place(path)
        if place is not None:
            return place
    return ()


def _part(document: Document, place: Place) -> Any:
    return at(document.data, place)
