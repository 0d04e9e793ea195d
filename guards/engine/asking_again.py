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

from guards.contracts.base import Contract
from guards.engine import wording
from guards.errors import ConfigError
from guards.findings import Finding, parse_pointer
from guards.outgoing.quoting import fence, span
from guards.reading.document import Document, at
from guards.reading.numbers import dumps
from guards.reading.reading import Dial, Limits, Reading
from guards.records import Repair

__all__ = ["Parts", "ask_for_parts", "ask_for_rest"]

_MOST_PARTS: Final = 12
_NEARLY_ALL: Final = 0.75
_LEFT_OUT: Final = frozenset({"schema.additionalProperties", "schema.unevaluatedProperties"})
_MUST_GO: Final = _LEFT_OUT | {
    "schema.propertyNames",
    "schema.false",
    "schema.unevaluatedItems",
    "schema.uniqueItems",
    "schema.order",
    "schema.unique",
}
"""What is found at a place and can only be answered by what holds it: by another name or order, or by nothing there."""
_OF_SEVERAL: Final = frozenset(
    f"schema.{rule}" for rule in ("items", "minItems", "maxItems", "contains", "minContains", "maxContains")
)
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
    if contract.format == "text":
        return None
    findings = _less_dropped(findings, dial)
    merging = _merging(contract, document)
    paths = _outermost([merging.part_of(finding) for finding in findings])
    if not merging.take(paths):
        return None
    lines = "\n".join(wording.lines_of(findings))
    text = f"[automated check] Only these parts of your last answer do not fit what was asked for:\n{lines}\n"
    return _parts(contract, merging, text + merging.instruction(), merging.shown(), dial, limits, context)


def _less_dropped(findings: Sequence[Finding], dial: Dial) -> Sequence[Finding]:
    """Without keys that the contract forbids where something else is wrong, too: when that is right, careful reading
    leaves them out by itself, and records it."""
    others = [finding for finding in findings if finding.code not in _LEFT_OUT]
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
    if len(kept) < _LEAST_KEPT or contract.format == "text":
        return None
    head = "[automated check] Your last answer was cut off before its end. "
    if document is not None and len(document.source()) >= _NEARLY_ALL * len(kept):
        missing = contract.recheck(document, context).findings
        only_missing = bool(missing) and all(finding.code == "schema.required" for finding in missing)
        if only_missing and not _ends_in_list(document):
            merging = _merging(contract, document)
            paths = _outermost([merging.part_of(finding) for finding in missing])
            if merging.take(paths):
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


def _merging(contract: Contract[Any], document: Document) -> _Json | _Xml:
    return _Json(contract, document) if contract.format == "json" else _Xml(contract, document)


class _Parted:
    """An answer of which parts are asked for, by their paths; "" is the whole of it."""

    _paths: Sequence[str] = ()

    def take(self, paths: Sequence[str]) -> bool:
        """Whether these can be asked for, and are few enough."""
        self._paths = paths
        return bool(paths) and "" not in paths and len(paths) <= _MOST_PARTS


class _Json(_Parted):
    """Parts of a JSON answer, by their JSON Pointers."""

    def __init__(self, contract: Contract[Any], document: Document) -> None:
        self._document = document
        try:
            self._schema = contract.json_schema()
        except ConfigError:
            self._schema = {}

    def part_of(self, finding: Finding) -> str:
        """The path of the part by which a finding can be answered."""
        path = finding.path
        if finding.code in _MUST_GO:
            path = _holder(path)
        while path and not self._may_stand(path):
            path = _holder(path)
        return path

    def _may_stand(self, path: str) -> bool:
        """Whether the contract has a place for the part, by that name, and the answer something that holds it.

        Under a name that the answer has chosen it may be the name that is wrong, which a part cannot change.
        """
        from guards.contracts.json_schema.part import is_named, part_schema

        place, schema = self._place(path), self._schema
        if not place or not is_named(schema, place):
            return False
        return part_schema(schema, place) is not False

    def _place(self, path: str) -> tuple[str | int, ...]:
        parent, key = (self._parent(path) if path else None) or ((), None)
        return () if key is None else (*parent, key)

    def shown(self) -> str:
        """The parts as they stand now."""
        there = {path: place for path in self._paths if (place := self._document.place(path)) is not None}
        return dumps({path: at(self._document.data, place) for path, place in there.items()}, ensure_ascii=False)

    def instruction(self) -> str:
        schema = fence(json.dumps(self._reply_schema(), ensure_ascii=False))
        return f"Answer with one JSON object that holds these parts only, by their paths. Its JSON Schema:\n{schema}"

    def merged(self, reply: str, dial: Dial, limits: Limits) -> tuple[str, tuple[Repair, ...]] | None:
        """The answer with the parts of the reply in place, as text; None where the reply does not hold them."""
        from guards.contracts.json_schema.contract import JsonSchema

        required = {"type": "object", "required": list(self._paths)}
        reading = JsonSchema(required).read(reply, dial, limits)
        if not reading.ok or reading.document is None:
            return None
        given: Any = reading.document.data
        data = copy.deepcopy(self._document.data)
        repairs = []
        for path in self._paths:
            parent, key = self._parent(path) or ((), "")
            holder = at(data, parent)
            before = at(self._document.data, place) if (place := self._document.place(path)) is not None else None
            holder[key] = given[path]
            repairs.append(_merged(path, before, given[path]))
        return dumps(data, ensure_ascii=False), tuple(repairs)

    def _reply_schema(self) -> dict[str, Any]:
        from guards.contracts.json_schema.part import part_schema, with_definitions

        properties = {}
        for path in self._paths:
            parent, key = self._parent(path) or ((), "")
            said = part_schema(self._schema, (*parent, key))
            properties[path] = {} if said is None else said
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


class _Xml(_Parted):
    """Parts of an XML answer, by their XPaths."""

    def __init__(self, contract: Contract[Any], document: Document) -> None:
        from lxml import etree

        self._document = document
        self._root = etree.fromstring(document.source())
        self._schema = contract.names.schema  # type: ignore[attr-defined]  # every contract answered in XML has it

    def part_of(self, finding: Finding) -> str:
        """As for JSON. What is said of an attribute or a text is asked for with the element that holds it, and so is
        what is said of elements as a list, which no single one of them is."""
        path = re.sub(r"/(?:@[^/]+|text\(\))\Z", "", finding.path)
        if path == finding.path and finding.code in (_MUST_GO | _OF_SEVERAL):
            path = _holder(path)
        while path.count("/") > 1 and not self._may_stand(path):
            path = _holder(path)
        return path if path.count("/") > 1 else ""

    def _may_stand(self, path: str) -> bool:
        if not _PLAIN_PATH.fullmatch(path):
            return False
        *above, (name, _) = self._steps(path)
        holder, element = self._find(above), self._declared(above).get(name)
        if holder is None or element is None:
            return False
        there = len(self._same(holder, name))
        # Of several that are missing one would not be all.
        return path.endswith("]") or there == 1 or (there == 0 and element.most == 1)

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
        from guards.contracts.xml.skeleton import outline

        *above, (name, _) = self._steps(path)
        element = self._declared(above).get(name)
        return outline(element) if element is not None else f"<{name}>...</{name}>"

    def _declared(self, steps: list[tuple[str, int]]) -> dict[str, Any]:
        """The elements that the schema has by name in one, in its order."""
        from guards.reading.xml_shape import children_of

        (root, _), *inner = steps
        element = self._schema.roots.get(root)
        for name, _ in inner:
            children = children_of(element.shape.content) if element is not None else ()
            element = next((child for child in children if child.name == name), None)
        return {} if element is None else {child.name: child for child in children_of(element.shape.content)}

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
                holder.insert(self._index(steps, holder), element)
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

    def _index(self, steps: list[tuple[str, int]], holder: Any) -> int:
        """Where a missing element belongs: before the first of those that the schema has behind it."""
        from guards.reading.xml_document import local_name

        order = list(self._declared(steps[:-1]))
        behind = set(order[order.index(steps[-1][0]) + 1 :]) if steps[-1][0] in order else set()
        later = (index for index, child in enumerate(holder) if local_name(child) in behind)
        return next(later, len(holder))

    @staticmethod
    def _same(holder: Any, name: str) -> list[Any]:
        from guards.reading.xml_document import child_elements, local_name

        return [child for child in child_elements(holder) if local_name(child) == name]

    def _find(self, steps: list[tuple[str, int]], root: Any = None) -> Any:
        from guards.reading.xml_document import local_name

        element = self._root if root is None else root
        if not steps or steps[0][0] != local_name(element):
            return None
        for name, index in steps[1:]:
            same = self._same(element, name)
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


def _holder(path: str) -> str:
    """The path of what holds a part."""
    return path.rpartition("/")[0]


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
