"""Readings of a broken document that the contract accepts and that nobody can have meant.

The quotes say where texts may end; which members a text then holds, and which object holds a member, may speak against
it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from guards.findings import parse_pointer
from guards.reading.guide import Guide
from guards.reading.json_pairs import paired
from guards.reading.json_quotes import Quoted
from guards.reading.spelling import folded
from guards.records import Repair

__all__ = ["is_far_fetched", "slips", "swallows"]

_SLIPS: Final = frozenset({"json.comma", "json.colon", "json.bracket"})
_NO_SLIPS: Final = frozenset({"json.blank", "json.comment", "json.control"})
_NAMED: Final = re.compile(r"""["“](?=([^\n"“”]{1,100})["”](\s{0,200}+[:=：])?)""")
_BESIDE: Final = re.compile(r"""[",;]\s{0,20}\Z""")
_DOUBLED: Final = re.compile(r"""["”]["“]\w""")  # a quote too many, or a comma too few
_SIDE_BY_SIDE: Final = re.compile(r"""["”][\s,;]{0,200}+["“]""")


def slips(repairs: Collection[Repair]) -> int | None:
    """How many commas, colons and brackets had to be mended; None where more than those was, so that they prove
    nothing."""
    if not all(repair.code in _SLIPS | _NO_SLIPS for repair in repairs):
        return None
    return sum(repair.code in _SLIPS for repair in repairs)


def is_far_fetched(reading: Quoted, text: str, guide: Guide, most: int) -> bool:
    """Whether a text of the reading swallows members of its own object, or items of its list, by more quotes that have
    no other than `most`, the slips of the reading that keeps them apart."""
    paths = [repair.path for repair in reading.repairs if repair.code == "json.inner_quote"]
    if len(paths) != len(reading.texts) or any(
        _DOUBLED.search(text, start + 1, end) for start, end, _ in reading.texts
    ):
        return False
    lone = sum(_lone(text, start, end) for start, end, _ in reading.texts)
    return lone > most and any(
        _SIDE_BY_SIDE.search(text, start + 1, end)
        if is_item
        else _names_a_member(text, start + 1, end, _known(reading.data, path, guide))
        for (start, end, is_item), path in zip(reading.texts, paths, strict=True)
    )


def swallows(data: Any, guide: Guide) -> bool:
    """Whether the last of the objects inside of each other holds a key that it does not know, and one around it does:
    in a document with a bracket too few the one that is missing stood before that key."""
    outside: frozenset[str] = frozenset()
    while isinstance(data, dict | list) and data:
        if isinstance(data, list):
            data, guide = data[-1], guide.element(len(data) - 1)
            continue
        known = guide.known
        if known is not None and any(folded(key) in outside - known for key in data):
            return True
        outside |= known or frozenset()
        key = next(reversed(data))
        data, guide = data[key], guide.member(folded(key))
    return False


def _lone(text: str, start: int, end: int) -> int:
    """How many quotes of a text have no other."""
    pairing = paired(text, start, end)
    return pairing.lone + bool(pairing.opened)


def _known(data: Any, path: str, guide: Guide) -> Collection[str]:
    """The names that the object knows which holds the text at this place."""
    for part in parse_pointer(path)[:-1]:
        if isinstance(data, list):
            data, guide = data[int(part)], guide.element(int(part))
        else:
            data, guide = data[part], guide.member(folded(part))
    return guide.known or ()


def _names_a_member(text: str, start: int, end: int, known: Collection[str]) -> bool:
    return any(
        folded(found[1]) in known and (found[2] or _BESIDE.search(text, max(start, found.start() - 20), found.start()))
        for found in _NAMED.finditer(text, start, end)
    )
