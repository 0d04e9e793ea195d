"""The strict reader of one JSON document: RFC 8259 and nothing else; keys that stand twice are found and recorded."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic_core import from_json

from guards.findings import Finding, join_pointer
from guards.reading.document import JsonDocument, document_of
from guards.reading.numbers import exact
from guards.reading.reading import Limits
from guards.records import Repair

__all__ = ["Unreadable", "parse_json"]


def parse_json(text: str, limits: Limits) -> tuple[JsonDocument, tuple[Repair, ...]]:
    """One strict parse (RFC 8259; of duplicate keys the last wins, recorded). Raises `Unreadable` with the finding."""
    data = _parsed_plainly(text, limits.depth)
    return (JsonDocument(data), ()) if data is not _DOUBTFUL else _parsed_slowly(text, limits)


_DOUBTFUL: Final = object()
_LOOKED_AT: Final = frozenset({dict, list, float})
_LARGE: Final = 308
"""Characters. No shorter integer is larger than every float."""
_DIGITS: Final = bytes(48 if mark in b"0123456789." else 32 for mark in range(256))
_MANY_DIGITS: Final = b"0" * 16
"""A float keeps fifteen, and the point is one more character."""


def _parsed_plainly(text: str, depth: int) -> Any:
    """The data of most documents, by a parser that does not tell of keys that stood twice, of numbers out of range and
    of digits that a float does not keep.

    So what it gave is counted: as many members as the text has colons behind quotes, none of them infinite or nearly
    nothing, no deeper than allowed; and the text holds no run of digits that is too long. `_DOUBTFUL` for whatever
    else, a faulty text included.
    """
    try:
        data = from_json(text, allow_inf_nan=False)
    except (ValueError, TypeError):  # TypeError: of a lone surrogate
        return _DOUBTFUL
    members = 0
    floats = False
    level = [data]
    while level:
        inner: list[Any] = []
        for node in level:
            if type(node) is dict:
                members += len(node)
                inner += [child for child in node.values() if type(child) in _LOOKED_AT]
            elif type(node) is list:
                inner += [child for child in node if type(child) in _LOOKED_AT]
            elif type(node) is float:
                floats = True
                if not (1e-300 < node < 1e300 or -1e300 < node < -1e-300) and (node or "e-" in text or "E-" in text):
                    return _DOUBTFUL
        level = inner
        depth -= 1
    if (floats or len(text) > _LARGE) and _MANY_DIGITS in text.encode(errors="surrogatepass").translate(_DIGITS):
        return _DOUBTFUL
    # The innermost level may hold floats only, which are none: then the slow way says.
    return data if members == text.count('":') and depth >= 0 else _DOUBTFUL


def _parsed_slowly(text: str, limits: Limits) -> tuple[JsonDocument, tuple[Repair, ...]]:
    repairs: tuple[Repair, ...] = ()
    try:
        data = _decode(text)
    except _Duplicates:
        data, repairs = _last_wins(text)
    except RecursionError:
        raise Unreadable(_too_deep(limits.depth)) from None
    except ValueError as fault:
        raise Unreadable(_syntax(fault)) from None
    # Every level costs an opening bracket, so most documents need no walk to show that they are shallow.
    if text.count("{") + text.count("[") > limits.depth and _deeper_than(data, limits.depth):
        raise Unreadable(_too_deep(limits.depth))
    return document_of(data), repairs


class Unreadable(Exception):  # control flow inside this file: it never leaves the reader
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


# Built once: json.loads with hooks would build a decoder for each call.
_decode: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=exact).decode


def _last_wins(text: str) -> tuple[Any, tuple[Repair, ...]]:
    """The slow path: a second parse that keeps the pairs, to say where a key stood twice."""
    try:
        tree = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant, parse_float=exact)
        repairs: list[Repair] = []
        return _settle(tree, (), repairs), tuple(repairs)
    except RecursionError:
        raise Unreadable(_too_deep(0)) from None
    except ValueError as fault:
        raise Unreadable(_syntax(fault)) from None


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
