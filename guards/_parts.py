"""Asking for less: only the parts of an answer that failed, or the rest of one that was cut off.

What comes back is merged and read again as a whole by the contract. JSON parts are asked for in one object whose keys
are their paths; XML parts in `<part path="...">` elements.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from guards import _reflect
from guards._quote import fence, span
from guards.contracts.base import Contract, Dial, Limits, Reading
from guards.errors import ConfigError
from guards.findings import Finding, parse_pointer
from guards.reading.document import Document, at
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
    """The question for the failing parts; None where they are not parts (the whole fails, or too much of it)."""
    paths = _outermost([finding.path for finding in findings])
    if not paths or "" in paths or len(paths) > _MOST_PARTS or contract.format == "text":
        return None
    merging = _Json(contract, document, paths) if contract.format == "json" else _Xml(contract, document, paths)
    if not merging.possible:
        return None
    lines = "\n".join(_reflect.lines_of(findings))
    text = f"[automated check] Only these parts of your last answer do not fit what was asked for:\n{lines}\n"
    return _parts(contract, merging, text + merging.instruction(), merging.shown(), dial, limits, context)


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
    if len(kept) < _LEAST_KEPT or contract.format == "text":
        return None
    head = "[automated check] Your last answer was cut off before its end. "
    if document is not None and len(document.source()) >= _NEARLY_ALL * len(kept):
        missing = contract.recheck(document, context).findings
        paths = _outermost([finding.path for finding in missing])
        only_missing = bool(missing) and all(finding.code == "schema.required" for finding in missing)
        if only_missing and "" not in paths and len(paths) <= _MOST_PARTS and not _ends_in_list(document):
            merging = _Json(contract, document, paths) if contract.format == "json" else _Xml(contract, document, paths)
            if merging.possible:
                words = f"{head}Only these parts are missing: {', '.join(span(path) for path in paths)}.\n"
                return _parts(contract, merging, words + merging.instruction(), merging.shown(), dial, limits, context)
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
    merging: _Json | _Xml,
    text: str,
    shown: str,
    dial: Dial,
    limits: Limits,
    context: Mapping[str, Any] | None,
) -> Parts:
    def read(reply: str) -> Reading[Any]:
        merged = merging.merged(reply, dial, limits)
        if merged is None:
            return contract.read(reply, dial, limits, context)  # the whole answer again, after all
        source, repairs = merged
        reading = contract.read(source, dial, limits, context)
        return replace(reading, repairs=(*repairs, *reading.repairs))

    def whole(reply: str) -> str | None:
        merged = merging.merged(reply, dial, limits)
        return None if merged is None else merged[0]

    return Parts(shown, text, read, whole)


class _Json:
    """Parts of a JSON answer, by their JSON Pointers."""

    def __init__(self, contract: Contract[Any], document: Document, paths: Sequence[str]) -> None:
        self._document = document
        self._paths = paths
        self.possible = all(self._parent(path) is not None for path in paths)
        try:
            self._schema = contract.json_schema()
        except ConfigError:
            self._schema = {}

    def shown(self) -> str:
        """The parts as they stand now."""
        there = {path: place for path in self._paths if (place := self._document.place(path)) is not None}
        return json.dumps({path: at(self._document.data, place) for path, place in there.items()}, ensure_ascii=False)

    def instruction(self) -> str:
        schema = fence(json.dumps(self._reply_schema(), ensure_ascii=False))
        return f"Answer with one JSON object that holds these parts only, by their paths. Its JSON Schema:\n{schema}"

    def merged(self, reply: str, dial: Dial, limits: Limits) -> tuple[str, tuple[Repair, ...]] | None:
        """The answer with the parts of the reply in place, as text; None where the reply does not hold them."""
        from guards.contracts.json_schema import JsonSchema

        required = {"type": "object", "required": list(self._paths)}
        reading = JsonSchema(required).read(reply, dial, limits)
        given: Any = reading.value
        if not reading.ok:
            return None
        data = copy.deepcopy(self._document.data)
        repairs = []
        for path in self._paths:
            parent, key = self._parent(path) or ((), "")
            holder = at(data, parent)
            before = at(self._document.data, place) if (place := self._document.place(path)) is not None else None
            holder[key] = given[path]
            repairs.append(_merged(path, before, given[path]))
        return json.dumps(data, ensure_ascii=False), tuple(repairs)

    def _reply_schema(self) -> dict[str, Any]:
        from guards.contracts.part_schema import part_schema, with_definitions

        properties = {}
        for path in self._paths:
            parent, key = self._parent(path) or ((), "")
            properties[path] = part_schema(self._schema, (*parent, key))
        schema = {"type": "object", "properties": properties, "required": list(self._paths)}
        return with_definitions(schema, self._schema)

    def _parent(self, path: str) -> tuple[tuple[str | int, ...], str | int] | None:
        """Where the part hangs: the place of what holds it, and its key or index there."""
        *_, last = parse_pointer(path)
        place = self._document.place(path)
        if place is not None:
            return place[:-1], place[-1]
        parent = self._document.place(path[: path.rindex("/")])
        return (parent, last) if parent is not None and isinstance(at(self._document.data, parent), dict) else None


class _Xml:
    """Parts of an XML answer, by their XPaths."""

    def __init__(self, contract: Contract[Any], document: Document, paths: Sequence[str]) -> None:
        from lxml import etree

        self._document = document
        # What a finding says of an attribute or a text is asked for with the element that holds it.
        self._paths = _outermost([re.sub(r"/(?:@[^/]+|text\(\))\Z", "", path) for path in paths])
        self._root = etree.fromstring(document.source())
        self._schema = contract.names.schema  # type: ignore[attr-defined]  # every contract answered in XML has it
        self.possible = all(
            _PLAIN_PATH.fullmatch(path) and path.count("/") > 1 and self._find(self._steps(path)[:-1]) is not None
            for path in self._paths
        )

    def shown(self) -> str:
        from lxml import etree

        found = {path: self._find(self._steps(path)) for path in self._paths}
        inner = "".join(
            f'<part path="{path}">{etree.tostring(element, encoding="unicode", with_tail=False)}</part>'
            for path, element in found.items()
            if element is not None
        )
        return f"<parts>{inner}</parts>"

    def instruction(self) -> str:
        form = "\n".join(f'<part path="{path}">{self._outline(path)}</part>' for path in self._paths)
        return f"Answer with these elements only, corrected, in this form:\n{fence(f'<parts>{form}</parts>')}"

    def _outline(self, path: str) -> str:
        """What the schema says of the element, as a skeleton with comments."""
        from guards.contracts.xml_example import outline
        from guards.contracts.xml_shape import children_of

        (root, _), *steps = self._steps(path)
        element = self._schema.roots.get(root)
        for name, _ in steps:
            inner = children_of(element.shape.content) if element else ()
            element = next((child for child in inner if child.name == name), None)
        name = self._steps(path)[-1][0]
        return outline(element) if element is not None else f"<{name}>...</{name}>"

    def merged(self, reply: str, dial: Dial, limits: Limits) -> tuple[str, tuple[Repair, ...]] | None:
        from lxml import etree

        given = self._given(reply, limits)
        if given is None or given.keys() != set(self._paths):
            return None
        root = copy.deepcopy(self._root)
        repairs = []
        for path, element in given.items():
            steps = self._steps(path)
            old, holder = self._find(steps, root), self._find(steps[:-1], root)
            assert holder is not None
            if old is None:
                holder.append(element)
            else:
                element.tail = old.tail
                holder.replace(old, element)
            before = None if old is None else etree.tostring(old, encoding="unicode", with_tail=False)
            repairs.append(_merged(path, before, etree.tostring(element, encoding="unicode", with_tail=False)))
        return str(etree.tostring(root, encoding="unicode")), tuple(repairs)

    def _given(self, reply: str, limits: Limits) -> dict[str, Any] | None:
        """The element of each part in the reply, in the namespace of the answer."""
        from guards.reading.xml_reader import Unreadable, parse_xml

        start, end = reply.find("<parts"), reply.rfind("</parts>")
        if start < 0 or end < 0:
            return None
        try:
            parts = parse_xml(reply[start : end + len("</parts>")], limits)
        except Unreadable:
            return None
        given = {}
        for part in parts:
            inner = list(part)
            if part.tag != "part" or len(inner) != 1:
                return None
            given[part.get("path", "")] = inner[0]
        return given

    def _find(self, steps: list[tuple[str, int]], root: Any = None) -> Any:
        from guards.reading.xml_document import child_elements, local_name

        element = self._root if root is None else root
        if not steps or steps[0][0] != local_name(element):
            return None
        for name, index in steps[1:]:
            same = [child for child in child_elements(element) if local_name(child) == name]
            if index >= len(same):
                return None
            element = same[index]
        return element

    @staticmethod
    def _steps(path: str) -> list[tuple[str, int]]:
        found = re.findall(r"/([^/@\[\]()]+)(?:\[([1-9][0-9]*)\])?", path)
        return [(name, int(index or 1) - 1) for name, index in found]


def _merged(path: str, before: Any, after: Any) -> Repair:
    return Repair("policy.merge", "a part that was asked for alone was put in", path, before, after)


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
_PLAIN_PATH: Final = re.compile(r"(?:/[^/@\[\]()\"<>&]+(?:\[[1-9][0-9]*\])?)+")


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
