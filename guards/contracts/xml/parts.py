"""Parts of an XML answer that are asked for alone: elements, each in a `<part path="...">`."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from guards.contracts.parts import MUST_GO, Merged, Parted, holder, put_in
from guards.contracts.xml.skeleton import outline
from guards.findings import Finding
from guards.outgoing.quoting import fence
from guards.reading.document import Document
from guards.reading.reading import Dial, Limits
from guards.reading.xml_document import child_elements, local_name
from guards.reading.xml_reader import Unreadable, parse_xml
from guards.reading.xml_shape import SchemaShape, children_of

__all__ = ["XmlParts"]

_OF_SEVERAL: Final = frozenset(
    f"schema.{rule}" for rule in ("items", "minItems", "maxItems", "contains", "minContains", "maxContains")
)
"""What is said of elements as a list, which no single one of them is."""
_PLAIN_PATH: Final = re.compile(r"(?:/[^/@\[\]()\"<>&]+(?:\[[1-9][0-9]*\])?)+")


class XmlParts(Parted):
    """One answer by an XML schema."""

    def __init__(self, schema: SchemaShape, document: Document) -> None:
        self._schema = schema
        self._root = etree.fromstring(document.source())

    def part_of(self, finding: Finding) -> str:
        # What is said of an attribute or a text is asked for with the element that holds it.
        path = re.sub(r"/(?:@[^/]+|text\(\))\Z", "", finding.path)
        if path == finding.path and finding.code in (MUST_GO | _OF_SEVERAL):
            path = holder(path)
        while path.count("/") > 1 and not self._may_stand(path):
            path = holder(path)
        return path if path.count("/") > 1 else ""

    def _may_stand(self, path: str) -> bool:
        if not _PLAIN_PATH.fullmatch(path):
            return False
        *above, (name, _) = self._steps(path)
        around, element = self._find(above), self._declared(above).get(name)
        if around is None or element is None:
            return False
        there = len(self._same(around, name))
        # Of several that are missing one would not be all.
        return path.endswith("]") or there == 1 or (there == 0 and element.most == 1)

    def shown(self, paths: Sequence[str]) -> str:
        found = {path: self._find(self._steps(path)) for path in paths}
        inner = "".join(
            f'<part path="{path}">{etree.tostring(element, encoding="unicode", with_tail=False)}</part>'
            for path, element in found.items()
            if element is not None
        )
        return f"<parts>{inner}</parts>"

    def instruction(self, paths: Sequence[str]) -> str:
        form = "\n".join(f'<part path="{path}">{self._outline(path)}</part>' for path in paths)
        return f"Answer with these elements only, corrected, in this form:\n{fence(f'<parts>{form}</parts>')}"

    def _outline(self, path: str) -> str:
        """What the schema says of the element, as a skeleton with comments."""
        *above, (name, _) = self._steps(path)
        element = self._declared(above).get(name)
        return outline(element) if element is not None else f"<{name}>...</{name}>"

    def _declared(self, steps: list[tuple[str, int]]) -> dict[str, Any]:
        """The elements that the schema has by name in one, in its order."""
        (root, _), *inner = steps
        element = self._schema.roots.get(root)
        for name, _ in inner:
            children = children_of(element.shape.content) if element is not None else ()
            element = next((child for child in children if child.name == name), None)
        return {} if element is None else {child.name: child for child in children_of(element.shape.content)}

    def merged(self, paths: Sequence[str], reply: str, dial: Dial, limits: Limits) -> Merged | None:
        given = self._given(reply, limits)
        if given is None or given.keys() != set(paths):
            return None
        root = copy.deepcopy(self._root)
        repairs = []
        for path, element in given.items():
            steps = self._steps(path)
            old, around = self._find(steps, root), self._find(steps[:-1], root)
            assert around is not None
            if old is None:
                around.insert(self._index(steps, around), element)
            else:
                element.tail = old.tail
                around.replace(old, element)
            before = None if old is None else etree.tostring(old, encoding="unicode", with_tail=False)
            repairs.append(put_in(path, before, etree.tostring(element, encoding="unicode", with_tail=False)))
        return str(etree.tostring(root, encoding="unicode")), tuple(repairs)

    def _given(self, reply: str, limits: Limits) -> dict[str, Any] | None:
        """The element of each part in the reply, in the namespace of the answer."""
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

    def _index(self, steps: list[tuple[str, int]], around: Any) -> int:
        """Where a missing element belongs: before the first of those that the schema has behind it."""
        order = list(self._declared(steps[:-1]))
        behind = set(order[order.index(steps[-1][0]) + 1 :]) if steps[-1][0] in order else set()
        later = (index for index, child in enumerate(around) if local_name(child) in behind)
        return next(later, len(around))

    @staticmethod
    def _same(around: Any, name: str) -> list[Any]:
        return [child for child in child_elements(around) if local_name(child) == name]

    def _find(self, steps: list[tuple[str, int]], root: Any = None) -> Any:
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
