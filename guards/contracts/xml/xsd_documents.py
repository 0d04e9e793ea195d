"""All documents that an XML Schema consists of: what it includes, imports and redefines, out of what the caller gave.

Nothing is fetched and no file is opened: libxml2 asks for each document by a name that only this library knows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urljoin

from lxml import etree

from guards.contracts.xml.attributes import XML_SCHEMA, XSD
from guards.errors import ConfigError
from guards.reading.xml_document import local_name
from guards.reading.xml_shape import XML

__all__ = ["Documents"]

_LEADING: Final = ("include", "import", "redefine", "override")
_PLACE: Final = "guards:{}.xsd"
_XML_PLACE: Final = "guards:xml.xsd"


class Documents:
    """The documents of one schema, the main one first; each is the root element of its tree.

    `parse` makes a root of a text and the words for where it is. Raises `ConfigError` for an address that `resources`
    lacks.
    """

    def __init__(self, main: Any, resources: Mapping[str, str], parse: Callable[[str, str], Any]) -> None:
        self.roots = [copy.deepcopy(main)]
        self._resources = resources
        self._parse = parse
        self._main = main.get("targetNamespace")
        self._places: dict[tuple[str, str | None], str] = {}
        self._texts: dict[str, Any] = {_XML_PLACE: etree.fromstring(XML_SCHEMA)}
        self._imported: dict[str | None, tuple[str, list[str]]] = {}
        self._follow(main, self.roots[0], "")
        for space, (place, held) in self._imported.items():
            # libxml2 opens one document for each namespace.
            self._texts[place] = _including(space, held)

    def compiled(self) -> Any:
        """libxml2's schema."""
        parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False, huge_tree=True)
        parser.resolvers.add(_Known({place: etree.tostring(root) for place, root in self._texts.items()}))
        return etree.XMLSchema(etree.fromstring(etree.tostring(self.roots[0]), parser))

    def _follow(self, root: Any, copied: Any, base: str) -> None:
        """Gives the references of a document, and of all that it leads to, the names that libxml2 knows them by."""
        spaces = [node.get("namespace") for node in root.iterchildren(f"{{{XSD}}}import")]
        for node, twin in zip(_leading(root), _leading(copied), strict=True):
            if local_name(node) == "import":
                self._import(node, twin, base)
            else:
                twin.set("schemaLocation", self._place(node, base, root.get("targetNamespace")))
        if XML not in spaces and any(str(node.get("ref", "")).startswith("xml:") for node in root.iter("*")):
            copied.insert(0, etree.Element(f"{{{XSD}}}import", {"namespace": XML, "schemaLocation": _XML_PLACE}))

    def _import(self, node: Any, twin: Any, base: str) -> None:
        space = node.get("namespace")
        twin.attrib.pop("schemaLocation", None)
        if space == XML:
            twin.set("schemaLocation", _XML_PLACE)
        elif space != self._main and not (space == XSD and not node.get("schemaLocation")):
            held = self._place(node, base, space)
            place, known = self._imported.setdefault(space, (_PLACE.format(f"of{len(self._imported)}"), []))
            if held not in known:
                known.append(held)
            twin.set("schemaLocation", place)

    def _place(self, node: Any, base: str, target: str | None) -> str:
        """The name of the document that a reference leads to, for one that becomes a part of that namespace."""
        location = " ".join(node.get("schemaLocation", "").split())
        address = urljoin(base, location) if location else node.get("namespace") or ""
        found = next((key for key in (address, location, node.get("namespace")) if key in self._resources), None)
        if local_name(node) == "override":
            raise ConfigError(f"line {node.sourceline}: <override> is not of XML Schema 1.0", where="XmlSchema()")
        if found is None:
            raise ConfigError(
                f"line {node.sourceline}: <{local_name(node)}> leads to {address!r}, which is not among resources",
                where="XmlSchema()",
                hint=f"give that document: resources={{{address!r}: its text or a pathlib.Path}}; nothing is fetched",
            )
        key = (found, target)
        if key not in self._places:
            place = self._places[key] = _PLACE.format(len(self._places))
            root = self._parse(self._resources[found], f"XmlSchema(resources={{{found!r}: …}})")
            if target is not None and root.get("targetNamespace") is None and local_name(node) != "import":
                root = _adopted(root, target)
            copied = self._texts[place] = copy.deepcopy(root)
            self.roots.append(copied)
            self._follow(root, copied, address)
        return self._places[key]


def _leading(root: Any) -> list[Any]:
    return list(root.iterchildren(*(f"{{{XSD}}}{name}" for name in _LEADING)))


def _adopted(root: Any, target: str) -> Any:
    """A document without a namespace as a part of one (XML Schema part 1, section 4.2.1): its names are of that one."""
    made = etree.Element(root.tag, dict(root.attrib), nsmap={None: target, **root.nsmap})
    made.set("targetNamespace", target)
    for child in list(root):
        made.append(child)
    return made


def _including(space: str | None, places: list[str]) -> Any:
    made = etree.Element(f"{{{XSD}}}schema", {"targetNamespace": space} if space else {})
    for place in places:
        etree.SubElement(made, f"{{{XSD}}}include", schemaLocation=place)
    return made


class _Known(etree.Resolver):
    def __init__(self, texts: Mapping[str, bytes]) -> None:
        self._texts = texts

    def resolve(self, system_url: str | None, public_id: str | None, context: Any) -> Any:
        # Whatever else would be opened was refused before; should anything come here, it is empty.
        return self.resolve_string(self._texts.get(system_url or "", b""), context)
