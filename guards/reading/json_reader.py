"""How a model's text becomes a JSON document: strictly first; what that refuses is for `json_recovery`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from guards.findings import Finding
from guards.reading.document import JsonDocument
from guards.reading.json_parser import Unreadable, parse_json
from guards.reading.reading import Dial, Limits, Reading

if TYPE_CHECKING:
    from guards.reading.guide import Guide

__all__ = ["Check", "read_json"]

T = TypeVar("T")
Check = Callable[[JsonDocument, str], Reading[T]]
"""Judges a parsed document; the second argument is its source text."""


def read_json(text: str, dial: Dial, limits: Limits, check: Check[T], guide: Callable[[], Guide]) -> Reading[T]:
    """The JSON document in `text`, judged by `check`; never raises for a bad text.

    `strict` reads RFC 8259 and nothing else. `careful` also finds the document in prose, fences and after a thinking
    part, and mends its syntax and spelling; `eager` goes on to guess. `guide` makes what the contract says of its shape
    and is called only where the strict reading does not do.
    """
    if len(text) > limits.chars:
        return _refused(_too_long(text, limits.chars, "chars"))
    eager = dial == "eager"
    try:
        document, repairs = parse_json(text, limits)
    except Unreadable as fault:
        if dial == "strict" or fault.finding.code != "json.syntax":
            return _refused(fault.finding)
        if len(text) > limits.repair_chars:
            return _refused(fault.finding, _too_long(text, limits.repair_chars, "repair_chars"))
        from guards.reading.json_recovery import recover  # loaded with the first broken answer

        return recover(text, limits, check, guide(), eager=eager, syntax=fault.finding)
    reading = check(document, text)
    if (not reading.ok or eager) and dial != "strict" and len(text) <= limits.repair_chars:
        from guards.reading.json_recovery import refit  # as above

        if not reading.ok or guide().hinted:
            reading = refit(reading, text, limits, check, guide(), eager=eager)
    if repairs:
        return replace(reading, repairs=repairs + reading.repairs)
    return reading


def _refused(*findings: Finding) -> Reading[Any]:
    return Reading(None, None, findings)


def _too_long(text: str, most: int, name: str) -> Finding:
    what = "the answer is too long" if name == "chars" else "the answer is too long to look for a document in it"
    return Finding(f"limit.{name}", f"{what}: {len(text)} characters, at most {most}", expected=most, actual=len(text))
