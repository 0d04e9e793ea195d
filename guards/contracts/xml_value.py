"""Between XML and plain data, guided by a JSON Schema: what a Python type or JSON Schema answered in XML means.

An object's members are child elements by name; a list is a repeated element; inside a list, and for a list at the root,
an item is `<item>`; a key that is no XML name is written `<entry key="...">`. `xsi:nil` is null. A leaf becomes a
number or boolean only where the schema wants one and the text is exactly that; otherwise it stays text, for the
contract to judge. Of a union, the first member whose form the element has is taken: objects by their constants and
child names, leaves by their text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lxml import etree

from guards.findings import Finding
from guards.reading.answered_xml import Written
from guards.reading.document import Place
from guards.reading.xml_document import child_elements, local_name

__all__ = ["ENTRY", "ITEM", "XSI", "Guide", "is_name", "kind_of", "listed", "read_tree", "write_tree"]

Schema = Mapping[str, Any]
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NIL: Final = f"{{{XSI}}}nil"
# XML 1.0, productions 4 and 4a, less the colon.
_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME: Final = re.compile(f"[{_START}][{_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*\\Z")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}
_ANY: Final[Schema] = {}
ITEM: Final = "item"
ENTRY: Final = "entry"
_DEEPEST_REFERENCE: Final = 50


class Guide:
    """Answers what a schema says of a place, with its references followed."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def members(self, schema: Any) -> list[Schema]:
        """The schema itself, or the members of its union, references followed, in order."""
        return list(self._members(schema, 0))

    def _members(self, schema: Any, depth: int) -> Iterator[Schema]:
        if not isinstance(schema, Mapping) or depth > _DEEPEST_REFERENCE:
            yield _ANY
            return
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = self._target(reference)
            others = {key: value for key, value in schema.items() if key != "$ref"}
            yield from self._members({**target, **others} if isinstance(target, Mapping) else target, depth + 1)
            return
        parts = schema.get("allOf")
        if isinstance(parts, list) and len(parts) == 1:
            others = {key: value for key, value in schema.items() if key != "allOf"}
            yield from self._members({**parts[0], **others}, depth + 1)
            return
        for union in ("anyOf", "oneOf"):
            if isinstance(schema.get(union), list):
                for member in schema[union]:
                    yield from self._members(member, depth + 1)
                return
        kinds = schema.get("type")
        if isinstance(kinds, list):
            for kind in kinds:
                yield {**schema, "type": kind}
            return
        yield schema

    def _target(self, reference: str) -> Any:
        node: Any = self.schema
        for part in reference.lstrip("#").strip("/").split("/") if reference.strip("#/") else ():
            try:
                node = node[part.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError, IndexError):
                return _ANY
        return node

    def nullable(self, schema: Any) -> bool:
        return any(kind_of(member) == "null" for member in self.members(schema))

    def array(self, schema: Any) -> Schema | None:
        """The member that is a list, if there is one."""
        return next((m for m in self.members(schema) if kind_of(m) == "array"), None)

    def items(self, array: Schema, index: int) -> Any:
        """The schema of one item."""
        prefix = array.get("prefixItems")
        if isinstance(prefix, list) and index < len(prefix):
            return prefix[index]
        return array.get("items", _ANY)


def kind_of(schema: Schema) -> str | None:
    """The JSON type that a schema without union wants; None where it says nothing."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    kinds = {_kind_of(value) for value in listed(schema) or ()}
    return kinds.pop() if len(kinds) == 1 else None


def listed(schema: Schema) -> list[Any] | None:
    """The values that a schema allows, where it lists them."""
    if isinstance(schema.get("enum"), list):
        return list(schema["enum"])
    return [schema["const"]] if "const" in schema else None


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"


# -- tree to data ----------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.paths: dict[Place, str] = {}
        self.faults: list[Finding] = []

    def value(self, element: Any, schema: Any, place: Place, path: str) -> Any:
        self.paths.setdefault(place, path)
        self.check_attributes(element, path)
        members = self.guide.members(schema)
        children = child_elements(element)
        if element.get(_NIL) in ("true", "1") and not children and not (element.text or "").strip():
            return None
        if not children:
            return self.leaf(element, members, place, path)
        self.check_text(element, children, path)
        chosen = self.choose(element, children, members)
        if chosen is not None and kind_of(chosen) == "array":
            return self.sequence(children, chosen, place, path)
        if chosen is not None and kind_of(chosen) in ("string", "integer", "number", "boolean", "null"):
            chosen = _ANY  # elements where a leaf should be: the contract says so
        return self.mapping(children, chosen or _ANY, place, path)

    def leaf(self, element: Any, members: Sequence[Schema], place: Place, path: str) -> Any:
        """An element without child elements."""
        text = element.text or ""
        blank = not text.strip()
        for member in members:
            kind = kind_of(member)
            if kind == "object" and blank:
                return self.mapping([], member, place, path)
            if kind == "array" and blank:
                return []
            fits, value = _lexical(text, member, kind)
            if fits:
                return value
        return text

    def choose(self, element: Any, children: Sequence[Any], members: Sequence[Schema]) -> Schema | None:
        """The member of a union that an element with children is most like; the first of several."""
        names = [_key(child) for child in children]
        best, best_score = None, None
        for member in members:
            kind = kind_of(member)
            if kind == "array":
                score = (0, -sum(name != ITEM for name in names), 0)
            elif kind in ("object", None):
                properties = member.get("properties") or {}
                wrong = sum(not self.constant_fits(child, properties.get(_key(child))) for child in children)
                unknown = sum(name not in properties for name in set(names)) if properties else 0
                missing = sum(name not in names for name in member.get("required", ()))
                score = (-wrong, -unknown, -missing)
            else:
                continue
            if best_score is None or score > best_score:
                best, best_score = member, score
        return best if best is not None else (members[0] if members else None)

    def constant_fits(self, child: Any, schema: Any) -> bool:
        """Whether a child can be what a constant or list of values asks for; true where none is asked for."""
        if schema is None:
            return True
        for member in self.guide.members(schema):
            allowed = listed(member)
            if allowed is None:
                return True
            if (child.text or "").strip() in {_text(value).strip() for value in allowed}:
                return True
        return False

    def sequence(self, children: Sequence[Any], array: Schema, place: Place, path: str) -> Any:
        """A list that has an element of its own: at the root, or inside a list."""
        if any(local_name(child) != ITEM for child in children):
            return self.mapping(children, _ANY, place, path)
        return [
            self.value(child, self.guide.items(array, n), (*place, n), _numbered(path, ITEM, n, len(children)))
            for n, child in enumerate(children)
        ]

    def mapping(self, children: Sequence[Any], schema: Schema, place: Place, path: str) -> dict[str, Any]:
        grouped: dict[str, list[tuple[Any, str]]] = {}
        counts: dict[str, int] = {}
        totals: dict[str, int] = {}
        for child in children:
            totals[local_name(child)] = totals.get(local_name(child), 0) + 1
        for child in children:
            tag = local_name(child)
            where = _numbered(path, tag, counts.get(tag, 0), totals[tag])
            counts[tag] = counts.get(tag, 0) + 1
            grouped.setdefault(_key(child), []).append((child, where))
        properties = schema.get("properties") or {}
        rest = schema.get("additionalProperties", _ANY)
        data: dict[str, Any] = {}
        for name in (*(name for name in properties if name in grouped), *(n for n in grouped if n not in properties)):
            data[name] = self.member(grouped[name], properties.get(name, rest), (*place, name), f"{path}/{name}")
        for name in schema.get("required", ()):
            if name not in data and name in properties:
                self.absent(data, name, properties[name])
        return data

    def absent(self, data: dict[str, Any], name: str, schema: Any) -> None:
        """XML has no other way to write an empty list, and absence is one way to write null."""
        if self.guide.nullable(schema):
            data[name] = None
        elif self.guide.array(schema) is not None and len(self.guide.members(schema)) == 1:
            data[name] = []

    def member(self, elements: Sequence[tuple[Any, str]], schema: Any, place: Place, path: str) -> Any:
        """The elements of one name: a list where the schema wants one, or where there are several."""
        members = [m for m in self.guide.members(schema) if kind_of(m) != "null"]
        array = next((m for m in members if kind_of(m) == "array"), None)
        if len(elements) == 1:
            single, where = elements[0]
            if array is None or members[0] is not array:
                return self.value(single, {"anyOf": [m for m in members if m is not array]}, place, where)
            if single.get(_NIL) in ("true", "1") and self.guide.nullable(schema):
                return self.value(single, _ANY, place, where)
        self.paths[place] = path
        return [
            self.value(element, self.guide.items(array or _ANY, n), (*place, n), where)
            for n, (element, where) in enumerate(elements)
        ]

    def check_attributes(self, element: Any, path: str) -> None:
        for name in element.attrib:
            if name.startswith(f"{{{XSI}}}") or (name == "key" and local_name(element) == ENTRY):
                continue
            shown = str(etree.QName(name).localname)
            words = "is not part of this answer: write values as elements"
            self.faults.append(
                Finding("schema.additionalProperties", words, f"{path}/@{shown}", actual=element.get(name))
            )

    def check_text(self, element: Any, children: Sequence[Any], path: str) -> None:
        """Text between child elements would be lost: it is a finding."""
        stray = " ".join(t.strip() for t in (element.text, *(c.tail for c in children)) if t and t.strip())
        if stray:
            words = "must hold elements only, and no text between them"
            self.faults.append(Finding("schema.type", words, path, expected="elements", actual=stray))


def _lexical(text: str, schema: Schema, kind: str | None) -> tuple[bool, Any]:
    """Whether the text is exactly a value of this kind, and the value."""
    trimmed = text.strip()
    allowed = listed(schema)
    if allowed is not None:
        found = [value for value in allowed if _text(value) == text] or [v for v in allowed if _text(v) == trimmed]
        return (True, found[0]) if found else (False, None)
    if kind == "integer" and _INTEGER.match(trimmed) and len(trimmed) < 4000:
        return True, int(trimmed)
    if kind == "number" and _NUMBER.match(trimmed) and len(trimmed) < 4000:
        number = json.loads(trimmed)
        return (number - number == 0), number
    if kind == "boolean" and trimmed in _BOOLEANS:
        return True, _BOOLEANS[trimmed]
    if kind in ("string", None):
        return True, text
    return False, None


def _text(value: Any) -> str:
    """A leaf as it is written in XML."""
    return value if isinstance(value, str) else json.dumps(value)


def _key(child: Any) -> str:
    """The member that an element writes."""
    name = local_name(child)
    key = child.get("key") if name == ENTRY else None
    return name if key is None else str(key)


def _numbered(path: str, name: str, index: int, count: int) -> str:
    return f"{path}/{name}[{index + 1}]" if count > 1 else f"{path}/{name}"


def read_tree(root: Any, guide: Guide) -> tuple[Any, Written, tuple[Finding, ...]]:
    """The plain data of an answer, the paths of its places, and what the tree holds beyond it."""
    reader = _Reader(guide)
    data = reader.value(root, guide.schema, (), f"/{local_name(root)}")
    return data, (root, reader.paths), tuple(reader.faults)


# -- data to tree ----------------------------------------------------------------------------------------------------


def write_tree(data: Any, name: str) -> Written:
    """Plain data as a tree, by the same rules."""
    root = etree.Element(name, nsmap={"xsi": XSI})
    paths: dict[Place, str] = {}
    _write(root, data, (), f"/{name}", paths)
    etree.cleanup_namespaces(root)
    return root, paths


def _write(element: Any, data: Any, place: Place, path: str, paths: dict[Place, str]) -> None:
    paths[place] = path
    if data is None:
        element.set(_NIL, "true")
    elif isinstance(data, Mapping):
        entries = sum(not is_name(key) for key in data)
        seen = 0
        for key, value in data.items():
            if is_name(key):
                _write_member(element, key, value, ((*place, key), path), paths)
            else:
                where = _numbered(path, ENTRY, seen, entries)
                seen += 1
                _write_entry(element, str(key), value, ((*place, key), where), paths)
    elif isinstance(data, list):
        for n, value in enumerate(data):
            child = etree.SubElement(element, ITEM)
            _write(child, value, (*place, n), _numbered(path, ITEM, n, len(data)), paths)
    else:
        element.text = _legal(_text(data))


def _write_member(element: Any, name: str, value: Any, at: tuple[Place, str], paths: dict[Place, str]) -> None:
    place, path = at
    if not isinstance(value, list):
        _write(etree.SubElement(element, name), value, place, f"{path}/{name}", paths)
        return
    paths[place] = f"{path}/{name}"
    for n, item in enumerate(value):
        child = etree.SubElement(element, name)
        _write(child, item, (*place, n), _numbered(path, name, n, len(value)), paths)


def _write_entry(element: Any, key: str, value: Any, at: tuple[Place, str], paths: dict[Place, str]) -> None:
    """A member whose key is no XML name. A list is several entries of one key."""
    place, path = at
    values = value if isinstance(value, list) else [value]
    for n, item in enumerate(values):
        child = etree.SubElement(element, ENTRY, {"key": _legal(key)})
        _write(child, item, (*place, n) if isinstance(value, list) else place, path, paths)


def is_name(key: Any) -> bool:
    """Whether a key can be an element's name; the library's own `entry` and XML's reserved names cannot."""
    if not isinstance(key, str) or key == ENTRY or key.lower().startswith("xml"):
        return False
    return _NAME.match(key) is not None


_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _legal(text: str) -> str:
    """XML can carry no control characters and no half surrogates; only made-up examples could hold one."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
