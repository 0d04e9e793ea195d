"""Mends an XML answer: its tags, then its names, places and values, and lets the contract judge what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from lxml import etree

from guards.contracts.base import Dial, Limits, Reading
from guards.findings import Finding
from guards.reading.xml_fitting import documents, fit_xml
from guards.reading.xml_locate import find_documents
from guards.reading.xml_mender import Names, mend_xml
from guards.reading.xml_prolog import Unreadable
from guards.records import Repair

__all__ = ["mended"]

T = TypeVar("T")
_MOST_DOCUMENTS: Final = 20
# What fits without one of these is the better reading.
_ROUGH: Final = frozenset({"xml.extra", "xml.text", "xml.truncated", "xml.root", "xml.unwrapped", "xml.wrapped"})


def mended(
    text: str, dial: Dial, limits: Limits, check: Callable[[Any], Reading[T]], names: Names, *, instead: Reading[T]
) -> Reading[T]:
    """The document that the text was meant to hold; `instead` where it cannot be told."""
    sight = find_documents(text, list(names.schema.roots))
    if sight.open_thinking:
        return instead
    try:
        top, repairs = mend_xml(text[sight.start :], names, limits.depth)
    except Unreadable as fault:
        return Reading(None, None, (fault.finding,))
    found = documents(top, names)
    if len(found) > _MOST_DOCUMENTS:
        finding = Finding(
            "limit.candidates",
            f"{len(found)} documents stand in the answer; at most {_MOST_DOCUMENTS} are mended",
            expected=_MOST_DOCUMENTS,
            actual=len(found),
        )
        return Reading(None, None, (finding,))
    judged: list[tuple[Reading[T], tuple[Repair, ...]]] = []
    for node, root, own in found:
        try:
            judged.append(_fitted(node, root, names, check, own, eager=dial == "eager"))
        except Unreadable as fault:
            instead = Reading(None, None, (fault.finding,))
        except (ValueError, etree.XMLSyntaxError):
            continue  # a name that XML cannot have, in a part that the schema says nothing about
    fitting = [entry for entry in judged if entry[0].ok]
    fitting = [entry for entry in fitting if not _ROUGH & {repair.code for repair in entry[1]}] or fitting
    if not fitting:
        helps = [entry for entry in judged if entry[0].document is not None]
        if instead.document is None and helps and instead.findings[0].code != "xml.truncated":
            reading, changes = min(helps, key=lambda entry: len(entry[0].findings))
            return replace(reading, value=None, repairs=(*repairs, *changes))
        return instead
    different = {repr(reading.value): (reading, changes) for reading, changes in fitting}
    if len(different) > 1 and dial != "eager":
        words = f"{len(different)} different documents fit the contract; answer with one"
        return Reading(None, None, (Finding("xml.ambiguous", words, actual=len(different)),))
    reading, changes = fitting[-1]
    around = list(_around(text, sight.start, top.text))
    if len(different) > 1:
        passed = [reading.value for reading, _ in list(different.values())[:-1]]
        around.append(Repair("xml.last", "of several documents that fit the last was taken", "", before=passed))
    return replace(reading, repairs=(*around, *repairs, *changes, *reading.repairs))


def _fitted(
    node: Any,
    root: Any,
    names: Names,
    check: Callable[[Any], Reading[T]],
    own: tuple[Repair, ...],
    *,
    eager: bool,
) -> tuple[Reading[T], tuple[Repair, ...]]:
    """The best of the document as it stands and with its elements in the schema's order."""
    best: tuple[Reading[T], tuple[Repair, ...]] | None = None
    written = b""
    for sort in (False, True):
        made, changes = fit_xml(node, root, names, eager=eager, sort=sort)
        before, written = written, etree.tostring(made)
        if written == before:
            break  # it was in the schema's order already
        # Parsed once more, so that the contract sees what any reader of the text would see.
        reading = check(etree.fromstring(written))
        if best is None or reading.ok or len(reading.findings) < len(best[0].findings):
            best = (reading, (*own, *changes))
        if reading.ok:
            break
    assert best is not None
    return best


def _around(text: str, start: int, between: str) -> list[Repair]:
    repairs = []
    if start:
        repairs.append(Repair("text.think", "the thinking part was set aside", "", before=text[:start]))
    if between.strip():
        repairs.append(Repair("text.prose", "text around the document was set aside", "", before=between.strip()))
    return repairs
