"""A Python type or JSON Schema that the model answers in XML: the caller gets the same value as with JSON.

The root is the class's name (a JSON Schema: its `title`; without one, `answer`). How data is written in XML is
`xml.value`; what the value must be stays with the JSON contract inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar, get_args, get_origin

from guards.contracts.base import Contract, Stand, Style, check_style
from guards.contracts.xml.base import XmlContract
from guards.contracts.xml.from_schema import skeleton, xsd
from guards.contracts.xml.guide import Guide, names_of
from guards.contracts.xml.value import read_tree, write_tree
from guards.errors import ConfigError
from guards.findings import Finding, listed
from guards.reading.answered_xml import AnsweredXml, Written, is_name
from guards.reading.document import Document, Place
from guards.reading.reading import Dial, Limits, Reading
from guards.reading.xml_document import local_name
from guards.reading.xml_reader import read_xml

if TYPE_CHECKING:
    from guards.reading.xml_names import Names

__all__ = ["DataAsXml"]

T = TypeVar("T")


class DataAsXml(XmlContract[T]):
    """The XML form of a contract whose value is JSON data. Findings and repairs carry XPaths."""

    def __init__(self, inner: Contract[T]) -> None:
        self.inner = inner
        self.notes = inner.notes
        schema = inner.json_schema()
        title = _class_name(inner) or schema.get("title")
        self.root: str = title if isinstance(title, str) and is_name(title) else "answer"
        self._guide = Guide(schema)
        members = self._guide.members(schema)
        # A union may also be answered under the name of the member that is meant.
        self._members = names_of(members) if len(members) > 1 else {}
        self.roots = (self.root, *filter(is_name, self._members))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataAsXml) and bool(self.inner == other.inner)

    def __hash__(self) -> int:
        return hash((DataAsXml, self.inner))

    def __repr__(self) -> str:
        return f"DataAsXml({self.inner!r})"

    @property
    def name(self) -> str:
        return self.inner.name

    def __reduce__(self) -> tuple[Any, ...]:
        return DataAsXml, (self.inner,)

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[T]:
        return read_xml(text, dial, limits, lambda root: self._judge(root, limits, context), lambda: self.names)

    @cached_property
    def names(self) -> Names:
        """The shape of the answer, for a reader that mends."""
        from lxml import etree

        from guards.contracts.typed.contract import Typed
        from guards.contracts.xml.xsd_shape import shape_of_xsd
        from guards.reading.xml_names import Names  # needed only where an answer has to be mended
        from guards.reading.xml_shape import SchemaShape

        hints = self.inner.hints() if isinstance(self.inner, Typed) else None
        shape = shape_of_xsd(etree.fromstring(xsd(Guide(hints) if hints else self._guide, self.root)))
        (root,) = shape.roots.values()
        return Names(SchemaShape({name: replace(root, name=name) for name in self.roots}, shape.types, shape.elements))

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[T]:
        reading = self.inner.recheck(document, context)
        faults = document.faults if isinstance(document, AnsweredXml) else ()
        if not faults:
            return reading
        return replace(reading, value=None, findings=listed((*faults, *reading.findings)))

    def json_schema(self) -> dict[str, Any]:
        return self.inner.json_schema()

    def xsd(self) -> str:
        """An XML Schema of the answer, for other tools; looser than the contract where XML Schema cannot say it."""
        return xsd(self._guide, self.root)

    def prompt(self, style: Style | None = None) -> str:
        style = style or "xml"
        check_style(style, ("xml", "example"), "an answer in XML")
        if style == "xml":
            return f"{_INSTRUCTION}\n\n{skeleton(self._guide, self.root)}"
        return self._example

    def inner_guards(self, reading: Reading[T]) -> Iterable[tuple[Any, Stand]]:
        return self.inner.inner_guards(reading)

    @property
    def all_inner_guards(self) -> tuple[Any, ...]:
        return self.inner.all_inner_guards

    def _check_path(self, path: str, where: str) -> None:
        from guards.contracts.typed.contract import Typed
        from guards.contracts.xml.paths import check_spellings, in_schema, in_type

        attribute = _ATTRIBUTE.search(path)
        if attribute is not None:
            raise ConfigError(
                f"{path!r} leads nowhere: what a Python type or a JSON Schema asks for in XML has no attributes",
                where=where,
                hint="name the element"
                + (f": {path[: attribute.start()]}{attribute[1]}" if attribute[1] != "key" else ""),
            )
        top, held = in_type(self.inner.shape) if isinstance(self.inner, Typed) else in_schema(self._guide)
        check_spellings(path, where, dict.fromkeys(self.roots, top), held)
        if isinstance(self.inner, Typed):
            self.inner.note_places()

    def selected(self, reading: Reading[T], path: str) -> list[Stand]:
        from guards.contracts.typed.contract import Typed
        from guards.contracts.typed.notes import Notes
        from guards.contracts.typed.queries import stands_for
        from guards.contracts.typed.structures import Part
        from guards.contracts.xml.spellings import members_called, selected

        document = reading.document
        if not isinstance(document, AnsweredXml):
            return []
        roots = (self.root, *filter(is_name, members_called(reading.value, self._members)))
        if isinstance(self.inner, Typed):
            return stands_for(selected(self.inner.whole(reading), reading.made or Notes(), document, path, roots))
        parts = selected(Part(None, reading.value, document.data, ()), Notes(), document, path, roots)
        stands = (stand for part in parts for stand in self.inner.stands(reading, part.place))
        return list({(stand.place, id(stand.value)): stand for stand in stands}.values())

    def stands(self, reading: Reading[T], place: Place) -> list[Stand]:
        return self.inner.stands(reading, place)

    def written(self, reading: Reading[T]) -> Any:
        return self.inner.written(reading)

    def told(self, reading: Reading[T]) -> list[Stand]:
        return self.inner.told(reading)

    def to_xml(self, data: Any) -> str:
        """Plain data as the XML that this contract reads."""
        from lxml import etree

        return str(etree.tostring(self._write(data).root, encoding="unicode", pretty_print=True)).rstrip()

    @cached_property
    def _example(self) -> str:
        from guards.contracts.showing.example import example

        data = example(self.json_schema(), lambda data: self.read(self.to_xml(data), "strict").ok)
        return self.to_xml(data)

    def _write(self, data: Any) -> Written:
        """The tree whose reading is the data. An empty list is written, or left out where that would say null."""
        written = write_tree(data, self.root)
        again, read, _ = read_tree(written.root, self._guide)
        if again != data:
            shorter = write_tree(data, self.root, empty=False)
            again, other, _ = read_tree(shorter.root, self._guide)
            if again == data:
                return shorter._replace(free=other.free)
        return written._replace(free=read.free)

    def _judge(self, root: Any, limits: Limits, context: Mapping[str, Any] | None) -> Reading[T]:
        name = local_name(root)
        if name not in self.roots:
            words = f"the root element must be {self.root}"
            return Reading(None, None, (Finding("schema.root", words, f"/{name}", expected=self.root),))
        try:
            data, written, faults = read_tree(root, self._guide)
        except RecursionError:  # `limits.depth` was raised above what Python's own stack carries
            return _too_deep(limits.depth)
        # Data may nest deeper than its elements, since a repeated element is a list.
        if max(map(len, written.paths)) > limits.depth:
            return _too_deep(limits.depth)
        return self.recheck(AnsweredXml(data, written, faults, self._write), context)


def _class_name(inner: Contract[Any]) -> str | None:
    """The name of the class that a contract is made of. A union has none however it is spelled, and a parametrised
    container (`list[int]`) has a name of its kind and none of its own."""
    kind = getattr(inner, "type", None)
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind.__name__ if isinstance(kind, type) and kind is not Any and not get_args(kind) else None


def _too_deep(most: int) -> Reading[Any]:
    finding = Finding("limit.depth", f"the document is nested deeper than {most} levels can hold", expected=most)
    return Reading(None, None, (finding,))


_ATTRIBUTE: Final = re.compile(r"@([\w.:*-]+)\s*\Z")
_INSTRUCTION = (
    "Answer with one XML document and nothing else. Escape & as &amp; and < as &lt;. It has this form "
    "(the comments explain it; leave them out):"
)
