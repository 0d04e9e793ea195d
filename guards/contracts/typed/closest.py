"""Of the members of a union of types, what is said by those that an answer was most likely meant as.

A member of another kind (wrong type at the union's own place), or whose constants differ, or whose keys the answer does
not have, says nothing where another does better. Where several are as near, one finding names what each asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from guards.contracts.alternatives import alternatives
from guards.contracts.typed.locations import Member
from guards.findings import Finding
from guards.reading.document import Document, Place, at

__all__ = ["Entry", "closest"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding, where it stands, and the members of unions that it is of, the outer before the inner."""

    finding: Finding
    place: Place
    members: tuple[Member, ...]


def closest(entries: Sequence[Entry], document: Document) -> list[Finding]:
    """The findings that help, inner unions first, in their order."""
    depth = max((len(entry.members) for entry in entries), default=0)
    for level in range(depth - 1, -1, -1):
        entries = _less(entries, level, document)
    return [entry.finding for entry in entries]


def _above(entry: Entry, level: int) -> tuple[Any, ...]:
    """Which union an entry's member at a level is of: its place, under the members of the unions around."""
    return *((m.place, m.index) for m in entry.members[:level]), entry.members[level].place


def _less(entries: Sequence[Entry], level: int, document: Document) -> list[Entry]:
    """The entries, those of each union's members put together where the first of them stood."""
    unions: dict[tuple[Any, ...], list[Entry]] = {}
    parts: list[list[Entry]] = []
    for entry in entries:
        if len(entry.members) <= level:
            parts.append([entry])
            continue
        union = _above(entry, level)
        if union not in unions:
            parts.append(unions.setdefault(union, []))
        unions[union].append(entry)
    for mine in unions.values():
        mine[:] = _nearest(mine, level, document)
    return [entry for part in parts for entry in part]


def _nearest(mine: Sequence[Entry], level: int, document: Document) -> list[Entry]:
    """What is said of one union."""
    grouped: dict[int, list[Entry]] = {}
    for entry in mine:
        grouped.setdefault(entry.members[level].index, []).append(entry)
    place = mine[0].members[level].place
    distance = {index: _distance(group, place, level, document) for index, group in grouped.items()}
    nearest = min(distance.values())
    return _together([group for index, group in grouped.items() if distance[index] == nearest], place, level, document)


def _distance(group: Sequence[Entry], union: Place, level: int, document: Document) -> tuple[bool, int, int, int, int]:
    """How far a member is from the answer: of another kind at all; then how many of its constants differ, of its keys
    are missing and of the answer's keys are none of its; then how much is wrong, and how near to the top."""
    other_kind = any(e.place == union and e.finding.code == "schema.type" for e in group)
    inner = [e for e in group if len(e.place) == len(union) + 1]
    constants = sum(e.finding.code in ("schema.const", "schema.enum") for e in inner)
    missing = sum(e.finding.code == "schema.required" for e in inner)
    known = group[0].members[level].known
    foreign = len(_keys(document, union) - known) if known is not None else 0
    return other_kind, constants, missing + foreign, len(group), -max(len(e.place) for e in group)


def _keys(document: Document, place: Place) -> set[str]:
    try:
        value = at(document.data, place)
    except (LookupError, TypeError):
        return set()
    return set(value) if isinstance(value, dict) else set()


def _together(groups: Sequence[Sequence[Entry]], union: Place, level: int, document: Document) -> list[Entry]:
    """What members that are as near as one another say."""
    distinct = {tuple((e.finding.code, e.place, e.finding.message) for e in group): group for group in groups}
    groups = list(distinct.values())
    everything = [entry for group in groups for entry in group]
    foreign = any(entry.finding.code == "schema.validator" for entry in everything)  # words that are not ours
    if len(groups) == 1 or foreign:
        return everything
    first = everything[0]
    outer = first.members[:level]
    if all(len(group) == 1 and group[0].place == first.place and _says_must_be(group[0]) for group in groups):
        return [Entry(_either([entry.finding for entry in everything]), first.place, outer)]
    told = [[(entry.finding, entry.place[len(union) :]) for entry in group] for group in groups]
    finding = Finding("schema.anyOf", alternatives(told), document.path(union), actual=_actual(document, union))
    return [Entry(finding, union, outer)]


_MUST_BE = "must be "


def _says_must_be(entry: Entry) -> bool:
    return entry.finding.message.startswith(_MUST_BE)


def _either(findings: Sequence[Finding]) -> Finding:
    """One finding for several that say what the same value must be."""
    first = findings[0]
    codes = {finding.code for finding in findings}
    words = dict.fromkeys(finding.message.removeprefix(_MUST_BE) for finding in findings)
    expected = dict.fromkeys(str(finding.expected) for finding in findings)
    constant = codes <= {"schema.const", "schema.enum"}
    code = first.code if len(codes) == 1 else "schema.enum" if constant else "schema.anyOf"
    joint = ", or " if any("," in word for word in words) else " or "
    return first.replace(code=code, message=_MUST_BE + joint.join(words), expected=" or ".join(expected))


def _actual(document: Document, place: Place) -> Any:
    try:
        return at(document.data, place)
    except (LookupError, TypeError):
        return None
