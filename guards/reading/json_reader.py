"""How a model's text becomes a JSON document: strictly first, then by finding it in what surrounds it.

Stages, each tried only if the one before gave no document that the contract accepts. Mending broken documents is a
further stage, to be added behind `_located`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

from guards.contracts.base import Dial, Limits, Reading
from guards.findings import Finding, join_pointer
from guards.reading.document import JsonDocument
from guards.records import Repair

if TYPE_CHECKING:
    from guards.reading.locate import Span, Surroundings

__all__ = ["Check", "parse_json", "read_json"]

T = TypeVar("T")
Check = Callable[[JsonDocument, str], Reading[T]]
"""Judges a parsed document; the second argument is its source text."""


def read_json(text: str, dial: Dial, limits: Limits, check: Check[T]) -> Reading[T]:
    """The JSON document in `text`, judged by `check`; never raises for a bad text.

    `strict` reads RFC 8259 and nothing else. `careful` also finds the document in prose, fences and after a thinking
    part; different documents that all fit are refused, save that `eager` takes the last.
    """
    if len(text) > limits.chars:
        return _refused(_too_long(text, limits.chars, "chars"))
    try:
        document, repairs = parse_json(text, limits)
    except _Unreadable as fault:
        if dial == "strict" or fault.finding.code != "json.syntax":
            return _refused(fault.finding)
        if len(text) > limits.repair_chars:
            return _refused(fault.finding, _too_long(text, limits.repair_chars, "repair_chars"))
        return _located(text, dial, limits, check, fault.finding)
    return _with_repairs(check(document, text), repairs)


def parse_json(text: str, limits: Limits) -> tuple[JsonDocument, tuple[Repair, ...]]:
    """One strict parse (RFC 8259; of duplicate keys the last wins, recorded). Raises `_Unreadable` with the finding."""
    try:
        data = _decode(text)
    except _Duplicates:
        data, repairs = _last_wins(text)
    except RecursionError:
        raise _Unreadable(_too_deep(limits.depth)) from None
    except ValueError as fault:
        raise _Unreadable(_syntax(fault)) from None
    else:
        repairs = ()
    # Every level costs an opening bracket, so most documents need no walk to show that they are shallow.
    if text.count("{") + text.count("[") > limits.depth and _deeper_than(data, limits.depth):
        raise _Unreadable(_too_deep(limits.depth))
    return JsonDocument(data), repairs


_A_TRY: Final = 1024  # what a parse costs beside its characters


class _Unreadable(Exception):  # control flow inside this file: it never leaves the reader
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


class _Duplicates(Exception):  # as above
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Duplicates
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        raise ValueError(f"the number {digits[:40]} is out of range")
    return number


# Built once: json.loads with hooks would build a decoder for each call.
_decode: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite).decode


def _last_wins(text: str) -> tuple[Any, tuple[Repair, ...]]:
    """The slow path: a second parse that keeps the pairs, to say where a key stood twice."""
    try:
        tree = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant, parse_float=_finite)
        repairs: list[Repair] = []
        return _settle(tree, (), repairs), tuple(repairs)
    except RecursionError:
        raise _Unreadable(_too_deep(0)) from None
    except ValueError as fault:
        raise _Unreadable(_syntax(fault)) from None


class _Pairs(list[tuple[str, Any]]):
    pass


def _settle(node: Any, place: tuple[str | int, ...], repairs: list[Repair]) -> Any:
    if isinstance(node, _Pairs):
        members: dict[str, Any] = {}
        for key, value in node:
            settled = _settle(value, (*place, key), repairs)
            if key in members:
                repairs.append(
                    Repair(
                        "json.duplicate_key",
                        "the key stood twice; the last value counts",
                        join_pointer((*place, key)),
                        members[key],
                        settled,
                    )
                )
            members[key] = settled
        return members
    if isinstance(node, list):
        return [_settle(item, (*place, index), repairs) for index, item in enumerate(node)]
    return node


def _deeper_than(data: Any, depth: int) -> bool:
    """Whether containers nest deeper than that; level by level, so that no depth is too deep to ask."""
    level = [data]
    for _ in range(depth):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _located(text: str, dial: Dial, limits: Limits, check: Check[T], syntax: Finding) -> Reading[T]:
    """Every document inside the text, tried against the contract."""
    from guards.reading.locate import surroundings  # its patterns are needed only where a clean parse failed

    around = surroundings(text)
    readings: list[tuple[Reading[T], Span, tuple[Repair, ...]]] = []
    limit: list[Finding] = []
    for document, span, repairs in (*_candidates(text, around, limits, limit), *_scalars(text, around, limits)):
        readings.append((check(document, text[span.start : span.end]), span, repairs))
    if limit and limit[0].code == "limit.candidates":
        return _refused(limit[0])
    fitting = [entry for entry in readings if entry[0].ok]
    distinct = _distinct(fitting)
    if len(distinct) > 1 and dial != "eager":
        return _refused(
            Finding(
                "json.ambiguous",
                f"{len(distinct)} different documents in the answer fit; give exactly one",
                expected="one document",
                actual=len(distinct),
            )
        )
    if distinct:
        reading, span, repairs = fitting[-1]
        passed = _passed_over(distinct, reading)
        return _with_repairs(reading, (*around.repairs(text, span), *passed, *repairs))
    if readings:
        fewest = min(len(entry[0].findings) for entry in readings)
        reading, span, repairs = next(e for e in reversed(readings) if len(e[0].findings) == fewest)
        return _with_repairs(reading, (*around.repairs(text, span), *repairs))
    return _refused(limit[0] if limit else _nothing_read(text, around, syntax))


def _candidates(
    text: str, around: Surroundings, limits: Limits, limit: list[Finding]
) -> Iterator[tuple[JsonDocument, Span, tuple[Repair, ...]]]:
    """The outermost spans that parse. A span that does not is opened, and what it holds is tried in its place.

    A limit that was met goes into `limit`.
    """
    # Each level of a broken nest is parsed again; the allowance keeps that linear in the text.
    allowance = 16 * len(text) + 1_000_000
    waiting = list(reversed(around.spans))
    while waiting:
        span = waiting.pop()
        allowance -= span.end - span.start + _A_TRY
        if allowance < 0:
            # What was not looked at may fit too: choosing among the rest would be a guess.
            limit.insert(
                0, Finding("limit.candidates", "too many brackets in the answer to tell which is the document")
            )
            return
        try:
            document, repairs = parse_json(text[span.start : span.end], limits)
        except _Unreadable as fault:
            if fault.finding.code == "limit.depth":
                limit.append(fault.finding)
            else:
                waiting.extend(reversed(span.inner))
        else:
            yield document, span, repairs


def _scalars(
    text: str, around: Surroundings, limits: Limits
) -> Iterator[tuple[JsonDocument, Span, tuple[Repair, ...]]]:
    """Numbers, strings, booleans and null that stand alone: in a fence, or behind the thinking part."""
    for span in around.alone:
        try:
            document, repairs = parse_json(text[span.start : span.end], limits)
        except _Unreadable:
            continue
        if not isinstance(document.data, dict | list):  # those are among the spans already
            yield document, span, repairs


def _distinct(fitting: list[tuple[Reading[T], Span, tuple[Repair, ...]]]) -> dict[str, Any]:
    """The different data among the readings that fit; `true` and `1` differ, the order of keys does not count."""
    return {json.dumps(r.document.data, sort_keys=True): r.document.data for r, _, _ in fitting if r.document}


def _passed_over(distinct: dict[str, Any], taken: Reading[T]) -> tuple[Repair, ...]:
    if len(distinct) < 2 or taken.document is None:
        return ()
    chosen = json.dumps(taken.document.data, sort_keys=True)
    others = [data for key, data in distinct.items() if key != chosen]
    return (
        Repair("json.last", "several documents fit; the last was taken", "", before=others, after=taken.document.data),
    )


def _nothing_read(text: str, around: Surroundings, syntax: Finding) -> Finding:
    if around.open_thinking:
        return Finding("json.truncated", "the answer ends inside its thinking part; no document follows")
    body = text[around.start :].strip()
    if not around.has_bracket and not body.startswith('"'):
        message = "the answer is empty" if not body else "the answer holds no JSON document"
        return Finding("json.missing", message, expected="one JSON document")
    if around.unclosed:
        return Finding("json.truncated", "the document is not closed: the answer ends before it does")
    return syntax


def _refused(*findings: Finding) -> Reading[Any]:
    return Reading(None, None, findings)


def _with_repairs(reading: Reading[T], repairs: tuple[Repair, ...]) -> Reading[T]:
    if not repairs:
        return reading
    return Reading(reading.value, reading.document, reading.findings, repairs + reading.repairs)


def _syntax(fault: ValueError) -> Finding:
    if isinstance(fault, json.JSONDecodeError):
        where = f" at line {fault.lineno}, column {fault.colno}"
        return Finding("json.syntax", f"not a JSON document: {_reason(fault)}{where}", expected="one JSON document")
    # What the hooks raised, and Python's own bound on the digits of an integer.
    return Finding("json.syntax", "not a JSON document: a number that JSON does not have, or one out of range")


def _reason(fault: json.JSONDecodeError) -> str:
    """The decoder's words without anything of the text that it read."""
    words = fault.msg.split(":", 1)[0]
    return words[:1].lower() + words[1:]


def _too_deep(depth: int) -> Finding:
    return Finding("limit.depth", "the document is nested too deeply", expected=depth or None)


def _too_long(text: str, most: int, name: str) -> Finding:
    what = "the answer is too long" if name == "chars" else "the answer is too long to look for a document in it"
    return Finding(f"limit.{name}", f"{what}: {len(text)} characters, at most {most}", expected=most, actual=len(text))
