"""The contracts `XmlSchema` and `RelaxNG`: an answer in XML that a schema accepts, as plain data.

libxml2 decides what fits; `reading.xml_shape` says what the value is, `xml.findings` what is wrong,
`showing.xml_example` what a prompt tells the model.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lxml import etree

from guards.contracts.base import Style, check_style
from guards.contracts.xml.attributes import XSD
from guards.contracts.xml.base import XmlContract
from guards.contracts.xml.findings import faults, findings_of
from guards.contracts.xml.rng_shape import shape_of_rng
from guards.contracts.xml.xsd_documents import Documents
from guards.contracts.xml.xsd_shape import collapsed, shape_of_xsd
from guards.errors import ConfigError
from guards.reading.document import Document
from guards.reading.reading import Dial, Limits, Reading, check_dial
from guards.reading.xml_document import XmlDocument, local_name
from guards.reading.xml_reader import Unreadable, parse_xml, read_xml
from guards.reading.xml_shape import SchemaShape, value_of

if TYPE_CHECKING:
    from guards.reading.xml_names import Names

__all__ = ["RelaxNG", "XmlSchema"]

RNG: Final = "http://relaxng.org/ns/structure/1.0"
_LARGE: Final = 4000  # elements
_SURELY: Final = 20
_SCHEMA_LIMITS: Final = Limits(depth=1000)


class _Schema(XmlContract[Any]):
    """What both schema languages share. Equal by source; the compiled schema is made anew in another process."""

    _outside: ClassVar[tuple[str, ...]] = ()
    _namespace: ClassVar[str]
    _language: ClassVar[str]

    def __init__(self, schema: str | Path) -> None:
        self._source = self._text_of(schema)
        where = f"{type(self).__name__}({str(schema) if isinstance(schema, Path) else ''})"
        root = self._parsed(self._source, where)
        try:
            self._validator = self._compile(root)
        except (etree.XMLSchemaParseError, etree.RelaxNGParseError) as fault:
            raise ConfigError(
                f"{self._reason(fault)} is not {self._language}",
                where=where,
                hint="check it with xmllint, or look at that line",
            ) from None
        self._lock = threading.Lock()
        self.shape = self._shape(root)
        if not self.shape.roots:
            raise ConfigError("the schema declares no element that may be the root", where=where)

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[Any]:
        check_dial(dial)
        return read_xml(text, dial, limits, self._judge, lambda: self.names)

    @cached_property
    def names(self) -> Names:
        """The shape of the answer, for a reader that mends."""
        from guards.reading.xml_names import Names  # needed only where an answer has to be mended

        return Names(self.shape)

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[Any]:
        if not isinstance(document, XmlDocument):
            raise TypeError(f"an XML document is needed, not {type(document).__name__}")
        return self._judge(document.root)

    def json_schema(self) -> dict[str, Any]:
        raise ConfigError(
            f"{type(self).__name__} has no JSON Schema", where="json_schema()", hint="use prompt(style='xml')"
        )

    def prompt(self, style: Style | None = None) -> str:
        from guards.contracts.showing.xml_example import example
        from guards.contracts.xml.skeleton import skeleton

        style = style or "xml"
        check_style(style, ("xml", "example"), type(self).__name__)
        return skeleton(self.shape) if style == "xml" else example(self.shape, lambda text: self.read(text, "strict"))

    def _check_path(self, path: str, where: str) -> None:
        from guards.contracts.xml.paths import check_xpath, in_xml_schema

        roots = {name: (element.shape, False) for name, element in self.shape.roots.items()}
        check_xpath(path, where, roots, in_xml_schema(self.shape))

    def _judge(self, root: Any) -> Reading[Any]:
        declared = self.shape.root(root)
        far: list[Any] = []
        value = value_of(root, declared.shape, self.shape, far) if declared is not None else None
        # libxml2 looks at all siblings of an element for each fault it logs: minutes for a large document full of
        # them. So what is wrong with a large one is looked for elsewhere first.
        large = next(islice(root.iter(), _LARGE, None), None) is not None
        fits, entries = self._verdict(root, large=large)
        if fits and declared is not None and not far:
            return Reading(value, XmlDocument(value, root))
        findings = findings_of(root, self.shape, entries, exact=self._namespace == XSD and not large)
        return Reading(None, XmlDocument(value, root), findings)

    def _verdict(self, root: Any, *, large: bool) -> tuple[bool, list[Any]]:
        """Whether the document fits, and the log of libxml2 if not."""
        # One validator keeps one error log, so it serves one document at a time.
        with self._lock:
            try:
                fits = bool(self._validator.validate(root))
            except (etree.XMLSchemaValidateError, etree.RelaxNGValidateError):
                return False, []  # libxml2 gave up: what it could not check is not passed
            return fits, [] if fits else list(self._validator.error_log)

    def _text_of(self, schema: str | Path) -> str:
        where = f"{type(self).__name__}()"
        if isinstance(schema, str):
            return schema
        if not isinstance(schema, Path):
            raise ConfigError(f"takes the text of a schema or a pathlib.Path, not {type(schema).__name__}", where=where)
        try:
            source = schema.read_bytes()
        except OSError as fault:
            raise ConfigError(
                f"cannot be read ({fault.strerror or type(fault).__name__})",
                where=f"{type(self).__name__}({schema})",
                hint="give the path of a readable schema file",
            ) from fault
        return _decoded(source, f"{type(self).__name__}({schema})")

    def _parsed(self, source: str, where: str) -> Any:
        try:
            root = parse_xml(source, _SCHEMA_LIMITS)
        except Unreadable as fault:
            hint = f"give the text of {self._language}, or a pathlib.Path to its file"
            raise ConfigError(f"not a schema: {fault.finding.message}", where=where, hint=hint) from None
        if etree.QName(root).namespace != self._namespace:
            raise ConfigError(
                f"line {root.sourceline}: the root <{local_name(root)[:80]}> is not of {self._language}",
                where=where,
                hint=f"the namespace must be {self._namespace}",
            )
        for node in chain.from_iterable(root.iter(f"{{{self._namespace}}}{name}") for name in self._outside):
            raise ConfigError(
                f"line {node.sourceline}: <{local_name(node)}> names another file or address, which is never opened",
                where=where,
                hint="put all of the schema into one document",
            )
        return root

    def _reason(self, fault: Any) -> str:
        entry = next((e for e in fault.error_log if e.line), None)
        return f"line {entry.line}: the document" if entry is not None else "the document"

    @abstractmethod
    def _compile(self, root: Any) -> Any: ...

    @abstractmethod
    def _shape(self, root: Any) -> SchemaShape: ...

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Schema) and self._source == other._source

    def __hash__(self) -> int:
        return hash((type(self), self._source))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._source,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<{', '.join(sorted(self.shape.roots)[:3])}>)"


class XmlSchema(_Schema):
    """An answer that a W3C XML Schema (1.0) accepts, as plain data.

    Args:
        schema: its text or a `pathlib.Path`.
        resources: what it includes, imports or redefines, each a text or a `pathlib.Path`, by the address that its
            `schemaLocation` leads to (of one inside of a resource: seen from there), or by its namespace. Nothing is
            ever fetched; the attributes of `xml:` are known.
    """

    _namespace = XSD
    _language = "an XML Schema"

    def __init__(self, schema: str | Path, *, resources: Mapping[str, str | Path] | None = None) -> None:
        self._resources = self._texts_of(resources)
        super().__init__(schema)

    def _texts_of(self, resources: Mapping[str, str | Path] | None) -> dict[str, str]:
        given: Any = {} if resources is None else resources
        if not isinstance(given, Mapping) or not all(isinstance(address, str) for address in given):
            raise ConfigError("must map addresses to documents", where="XmlSchema(resources=)")
        return {address: self._text_of(document) for address, document in given.items()}

    def _parsed(self, source: str, where: str) -> Any:
        return collapsed(super()._parsed(source, where))

    def _compile(self, root: Any) -> Any:
        documents = Documents(root, self._resources, self._parsed)
        self._roots = documents.roots
        return documents.compiled()

    def _shape(self, root: Any) -> SchemaShape:
        roots = self._roots
        del self._roots  # trees are not kept
        return shape_of_xsd(*roots)

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and isinstance(other, XmlSchema) and self._resources == other._resources

    __hash__ = _Schema.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self._source, self._resources)

    def _verdict(self, root: Any, *, large: bool) -> tuple[bool, list[Any]]:
        if not large:
            return super()._verdict(root, large=large)
        # Judged while parsing, a fault is logged without its place, and so at once.
        parser = etree.XMLParser(schema=self._validator, huge_tree=True, resolve_entities=False, no_network=True)
        with self._lock:
            try:
                etree.fromstring(etree.tostring(root), parser)
            except etree.XMLSyntaxError:
                return False, list(parser.error_log)
        return True, []


class RelaxNG(_Schema):
    """An answer that a RELAX NG grammar (XML syntax) accepts, as plain data.

    `schema` is its text or a `pathlib.Path`. One that includes another file is refused.
    """

    _outside = ("include", "externalRef")
    _namespace = RNG
    _language = "a RELAX NG grammar"

    def _compile(self, root: Any) -> Any:
        return etree.RelaxNG(root)

    def _shape(self, root: Any) -> SchemaShape:
        return shape_of_rng(root)

    def _verdict(self, root: Any, *, large: bool) -> tuple[bool, list[Any]]:
        if large and len(list(islice(faults(root, self.shape), _SURELY))) == _SURELY:
            return False, []
        return super()._verdict(root, large=large)


def _again(kind: type[XmlSchema], source: str, resources: Mapping[str, str]) -> XmlSchema:
    return kind(source, resources=resources)


def _decoded(source: bytes, where: str) -> str:
    """The text of a schema file by its byte order mark or declaration (XML 1.0, appendix F), else as UTF-8."""
    encoding = "utf-8-sig"
    if source[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif source.startswith(b"<?xml"):
        head = source[: source.find(b"?>")].decode("latin-1")
        for quote in "\"'":
            _, found, rest = head.partition(f"encoding={quote}")
            if found:
                encoding = rest.partition(quote)[0]
    try:
        return source.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError):
        raise ConfigError("is no text in the encoding it says", where=where, hint="save it as UTF-8") from None
