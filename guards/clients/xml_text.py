"""An answer in XML less what stands in no value: comments, instructions, addresses of schemas, names of namespaces.

Words of a model's own may stand in each of them, where no guard sees any.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from guards.contracts.base import Contract
from guards.reading.reading import Limits
from guards.reading.xml_document import attributes_of, local_name, source_of
from guards.reading.xml_shape import XSI, SchemaShape

__all__ = ["xml_text"]

_DECLARATION: Final = re.compile(
    r"""\s*<\?xml\s+version\s*=\s*["']1\.[01]["'](\s+encoding\s*=\s*["']utf-8["'])?"""
    r"""(\s+standalone\s*=\s*["'](yes|no)["'])?\s*\?>""",
    re.IGNORECASE,
)
_XS: Final = "http://www.w3.org/2001/XMLSchema"
_XML: Final = "http://www.w3.org/XML/1998/namespace"
_NIL: Final = f"{{{XSI}}}nil"
_TYPE: Final = f"{{{XSI}}}type"
_TYPES: Final = frozenset(
    [
        "anyType",
        "boolean",
        "decimal",
        "double",
        "float",
        "int",
        "integer",
        "long",
        "nonNegativeInteger",
        "positiveInteger",
        "short",
        "string",
    ]
)


def xml_text(text: str, document: Any, contract: Contract[Any], context: Mapping[str, Any] | None) -> str | None:
    """The text of a document, or its tree written anew where more than the tree stands in it; None where the tree is
    not read as the same then."""
    declared = _DECLARATION.match(text)
    body = text[declared.end() :] if declared else text
    shape: SchemaShape | None = getattr(contract, "shape", None)
    if "<!" not in body and "<?" not in body and _is_plain(body, document.root, bare=shape is None):
        return text
    for root in _anew(document, contract, shape):
        said = source_of(root)
        again = contract.read(said, "strict", Limits(chars=max(len(said), 1), depth=_DEEPEST), context)
        if again.ok and again.document is not None and again.document.data == document.data:
            return said
    return None


_DEEPEST: Final = 100_000
"""The bound of the ticket was kept when the answer was read."""


def _is_plain(body: str, root: Any, *, bare: bool) -> bool:
    """Whether it names no namespace but that of its elements, which has no prefix; `bare`: none at all."""
    spaces = body.count("xmlns")
    return not spaces or (not bare and spaces == 1 and root.nsmap == {None: _space(root)})


def _anew(document: Any, contract: Contract[Any], shape: SchemaShape | None) -> Iterator[Any]:
    root = copy.deepcopy(document.root)
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    if shape is not None:
        yield _Copy(root, {name.rpartition("}")[2] for name in shape.types}, bare=False).root
        return
    # Of an answer of a Python type or a JSON Schema local names count alone.
    yield _Copy(root, set(_titles(contract.json_schema())), bare=True).root
    own = document.replace((), document.data)
    if own is not None:
        yield own.root


def _titles(schema: Any) -> Iterator[str]:
    """What an `xsi:type` may call the members of a union."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            if isinstance(part.get("title"), str):
                yield part["title"]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


class _Copy:
    """A tree with prefixes of the library's, and of XML Schema's attributes `nil` and the `type` that is known."""

    def __init__(self, old: Any, types: set[str], *, bare: bool) -> None:
        self._types = types
        self._bare = bare
        of_elements = {""} if bare else {_space(element) for element in old.iter()}
        beside = set() if bare else _spaces_beside(old)
        usual = None if len(of_elements) > 1 or of_elements & beside else of_elements.pop()
        others = sorted((of_elements | beside) - {"", _XS, _XML, XSI})
        self._prefixes = {space: f"n{number}" for number, space in enumerate(others)} | {_XS: "xs", XSI: "xsi"}
        self._kept = set[str]()
        """Prefixes that stand in texts."""
        known = {prefix: space for space, prefix in self._prefixes.items()} | ({None: usual} if usual else {})
        self.root = etree.Element(self._tag(old), nsmap=known)
        made = {old: self.root}
        for element in old.iter():
            new = made.get(element)
            if new is None:
                new = made[element] = etree.SubElement(made[element.getparent()], self._tag(element))
                new.tail = element.tail
            new.text = element.text
            for name, value in self._attributes(element):
                new.set(name, value)
        etree.cleanup_namespaces(self.root, keep_ns_prefixes=sorted(self._kept))

    def _tag(self, element: Any) -> str:
        return local_name(element) if self._bare else str(element.tag)

    def _attributes(self, element: Any) -> Iterator[tuple[str, str]]:
        for name, value in attributes_of(element):
            if name == _NIL:
                if value.strip() in ("true", "1"):
                    yield name, "true"
            elif name == _TYPE:
                named = self._type(element, value.strip())
                if named is not None:
                    yield name, named
            elif not name.startswith(f"{{{XSI}}}"):
                yield name, value

    def _type(self, element: Any, value: str) -> str | None:
        """The type that is named, under the prefix that it has here; None for one that nobody knows."""
        prefix, _, name = value.rpartition(":")
        space = element.nsmap.get(prefix or None)
        if name in self._types and (self._bare or space is None):
            return name
        if name not in (_TYPES if space == _XS or self._bare else self._types):
            return None
        there = self._prefixes.setdefault(_XS if self._bare else space, "xs")
        self._kept.add(there)
        return f"{there}:{name}"


def _space(element: Any) -> str:
    return str(etree.QName(element).namespace or "")


def _spaces_beside(root: Any) -> set[str]:
    """Those of its attributes, and of the types that they name."""
    names = (name for element in root.iter() for name in element.attrib if name[0] == "{")
    typed = (element for element in root.iter() if _TYPE in element.attrib)
    types = (element.nsmap.get(element.get(_TYPE).strip().rpartition(":")[0] or None) for element in typed)
    return {name[1:].partition("}")[0] for name in names} | {space for space in types if space}
