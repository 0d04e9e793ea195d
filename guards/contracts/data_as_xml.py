"""A Python type or JSON Schema that the model answers in XML: the caller gets the same value as with JSON.

The root is the class's name (a JSON Schema: its `title`; without one, `answer`). How data is written in XML is
`xml_value`; what the value must be stays with the JSON contract inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar, get_args

from guards.contracts.base import Contract, Dial, Format, Limits, Reading, Style, check_style
from guards.contracts.xml_from_schema import skeleton, xsd
from guards.contracts.xml_value import Guide, is_name, read_tree, write_tree
from guards.findings import Finding
from guards.reading.answered_xml import AnsweredXml, Written
from guards.reading.document import Document, Place
from guards.reading.xml_document import local_name
from guards.reading.xml_reader import read_xml

__all__ = ["DataAsXml"]

T = TypeVar("T")


class DataAsXml(Contract[T]):
    """The XML form of a contract whose value is JSON data. Findings and repairs carry XPaths."""

    format: ClassVar[Format] = "xml"

    def __init__(self, inner: Contract[T]) -> None:
        self.inner = inner
        self.notes = inner.notes
        schema = inner.json_schema()
        type_ = getattr(inner, "type", None)
        # A parametrised container (`list[int]`) has a name of its kind and none of its own.
        title = type_.__name__ if isinstance(type_, type) and not get_args(type_) else schema.get("title")
        self.root: str = title if isinstance(title, str) and is_name(title) else "answer"
        self._guide = Guide(schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataAsXml) and bool(self.inner == other.inner)

    def __hash__(self) -> int:
        return hash((DataAsXml, self.inner))

    def __repr__(self) -> str:
        return f"DataAsXml({self.inner!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return DataAsXml, (self.inner,)

    def read(self, text: str, dial: Dial = "careful", limits: Limits = Limits()) -> Reading[T]:
        return read_xml(text, dial, limits, self._judge, (self.root,))

    def recheck(self, document: Document) -> Reading[T]:
        reading = self.inner.recheck(document)
        faults = document.faults if isinstance(document, AnsweredXml) else ()
        if not faults:
            return reading
        return replace(reading, value=None, findings=(*faults, *reading.findings))

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

    def inner_guards(self, reading: Reading[T]) -> Iterable[tuple[Place, Any]]:
        return self.inner.inner_guards(reading)

    @property
    def all_inner_guards(self) -> tuple[Any, ...]:
        return self.inner.all_inner_guards

    def part(self, reading: Reading[T], place: Place) -> Any:
        return self.inner.part(reading, place)

    def to_xml(self, data: Any) -> str:
        """Plain data as the XML that this contract reads."""
        from lxml import etree

        return str(etree.tostring(self._write(data)[0], encoding="unicode", pretty_print=True)).rstrip()

    @cached_property
    def _example(self) -> str:
        from guards.contracts.example import example

        data = example(self.json_schema(), lambda data: self.read(self.to_xml(data), "strict").ok)
        return self.to_xml(data)

    def _write(self, data: Any) -> Written:
        return write_tree(data, self.root)

    def _judge(self, root: Any) -> Reading[T]:
        if local_name(root) != self.root:
            return Reading(
                None,
                None,
                (
                    Finding(
                        "schema.root",
                        f"the root element must be {self.root}",
                        f"/{local_name(root)}",
                        expected=self.root,
                    ),
                ),
            )
        data, written, faults = read_tree(root, self._guide)
        return self.recheck(AnsweredXml(data, written, faults, self._write))


_INSTRUCTION = (
    "Answer with one XML document and nothing else. Escape & as &amp; and < as &lt;. It has this form "
    "(the comments explain it; leave them out):"
)
