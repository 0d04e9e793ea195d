"""A JSON Schema as XML: the skeleton that shows a model what to write, and an XML Schema of the same.

Both follow the rules of `xml_value`. What XML Schema 1.0 cannot say (a union of shapes, keys that are not known) it
leaves open: the JSON Schema has the last word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from guards.contracts.xml_value import ENTRY, ITEM, Guide, Schema, is_name, kind_of, listed

__all__ = ["skeleton", "xsd"]

_DEEPEST: Final = 6
_WORDS: Final = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching {}",
    "format": "a {}",
    "multipleOf": "a multiple of {}",
}


def skeleton(guide: Guide, root: str) -> str:
    """The document with a comment in the place of each value."""
    return "\n".join(_outline(guide, (root, ""), guide.schema, "", 0))


def _outline(guide: Guide, tag: tuple[str, str], schema: Any, note: str, level: int) -> list[str]:
    """The lines of one element; `tag` is its name and what stands behind it in the opening tag."""
    name, attributes = tag
    indent = "  " * level
    members = [m for m in guide.members(schema) if kind_of(m) != "null"]
    notes = [part for part in (_description(schema, members), note) if part]
    shape = next((m for m in members if kind_of(m) == "object"), None)
    array = members[0] if members and kind_of(members[0]) == "array" else None
    if level > _DEEPEST:
        return [f"{indent}<{name}{attributes}>…</{name}>{_comment(['as above', *notes])}"]
    if array is not None:
        return [
            f"{indent}<{name}{attributes}>{_comment(notes)}",
            *_outline(guide, (ITEM, ""), guide.items(array, 0), _occurs(array), level + 1),
            f"{indent}</{name}>",
        ]
    if shape is None:
        return [f"{indent}<{name}{attributes}>{_comment([_leaf(members)]).strip()}</{name}>{_comment(notes)}"]
    lines = [f"{indent}<{name}{attributes}>{_comment(notes)}"]
    if len([m for m in members if kind_of(m) == "object"]) > 1:
        lines.append(f"{indent}  <!-- one of these forms: -->")
    for member in (m for m in members if kind_of(m) == "object"):
        lines += _members(guide, member, level + 1)
    return [*lines, f"{indent}</{name}>"]


def _members(guide: Guide, shape: Schema, level: int) -> list[str]:
    lines: list[str] = []
    required = set(shape.get("required", ()))
    for key, schema in (shape.get("properties") or {}).items():
        array = guide.array(schema)
        notes = [] if key in required else ["may be left out"]
        if guide.nullable(schema) and key in required:
            notes = ["left out for null"]
        tag = (key, "") if is_name(key) else (ENTRY, f" key={quoteattr(key)}")
        if array is not None:
            notes.insert(0, _occurs(array))
        shown = schema if array is None else guide.items(array, 0)
        lines += _outline(guide, tag, shown, "; ".join(notes), level)
    rest = shape.get("additionalProperties")
    if isinstance(rest, Mapping) or (rest is True and not shape.get("properties")):
        inner = rest if isinstance(rest, Mapping) else {}
        lines += _outline(guide, (ENTRY, ' key="…"'), inner, "one for each key", level)
    return lines


def _occurs(array: Schema) -> str:
    least, most = array.get("minItems", 0), array.get("maxItems")
    if most is None:
        return f"repeat for each item, at least {least}" if least else "repeat for each item"
    return f"repeat for each item, {least} to {most}"


def _leaf(members: list[Schema]) -> str:
    return " or ".join(dict.fromkeys(_leaf_words(member) for member in members)) or "any value"


def _leaf_words(schema: Schema) -> str:
    if "const" in schema:
        return f"exactly {_shown(schema['const'])}"
    if isinstance(schema.get("enum"), list):
        return f"one of {', '.join(_shown(value) for value in schema['enum'])}"
    bounds = [words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema]
    return ", ".join([_WORDS.get(kind_of(schema) or "", "any value"), *bounds])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _description(schema: Any, members: list[Schema]) -> str:
    own = schema.get("description") if isinstance(schema, Mapping) else None
    if own is None and len(members) == 1:
        own = members[0].get("description")
    return " ".join(str(own).split()) if own else ""


def _comment(notes: list[str]) -> str:
    # Two hyphens end a comment; a description may hold them.
    words = "; ".join(note for note in notes if note).replace("--", "- -")
    return f" <!-- {escape(words)} -->" if words else ""


# -- XML Schema ------------------------------------------------------------------------------------------------------

_TYPES: Final = {"integer": "xs:integer", "number": "xs:double", "boolean": "xs:boolean"}
_OPEN: Final = '<xs:sequence><xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>'


def xsd(guide: Guide, root: str) -> str:
    """An XML Schema 1.0 of the answer; members stand in the order of the type."""
    writer = _Xsd(guide)
    body = writer.element(root, guide.schema, "", 0)
    return f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{body}</xs:schema>'


class _Xsd:
    def __init__(self, guide: Guide) -> None:
        self.guide = guide

    def element(self, name: str, schema: Any, occurs: str, level: int) -> str:
        members = self.guide.members(schema)
        nil = ' nillable="true"' if any(kind_of(m) == "null" for m in members) else ""
        members = [m for m in members if kind_of(m) != "null"]
        inner = self.content(members, level)
        head = f"<xs:element name={quoteattr(name)}{nil}{occurs}"
        return f"{head} type={quoteattr(inner)}/>" if inner.startswith("xs:") else f"{head}>{inner}</xs:element>"

    def content(self, members: list[Schema], level: int) -> str:
        kinds = {kind_of(member) for member in members}
        if len(members) == 1 and level <= _DEEPEST:
            member = members[0]
            kind = kind_of(member)
            if kind == "object" and member.get("additionalProperties") in (None, False):
                return self.shape(member, level)
            if kind == "array" and "prefixItems" not in member:
                item = self.element(ITEM, member.get("items", {}), _often(member), level + 1)
                return f"<xs:complexType><xs:sequence>{item}</xs:sequence></xs:complexType>"
            if kind in ("string", "integer", "number", "boolean"):
                return _simple(member, kind)
        if kinds and kinds <= {"string", "integer", "number", "boolean"}:
            return "xs:string"
        return f'<xs:complexType mixed="true">{_OPEN}<xs:anyAttribute processContents="skip"/></xs:complexType>'

    def shape(self, member: Schema, level: int) -> str:
        properties: Mapping[str, Any] = member.get("properties") or {}
        required = set(member.get("required", ()))
        if any(not is_name(key) for key in properties):
            return f"<xs:complexType>{_OPEN}</xs:complexType>"
        parts = []
        for key, schema in properties.items():
            members = [m for m in self.guide.members(schema) if kind_of(m) != "null"]
            array = members[0] if len(members) == 1 and kind_of(members[0]) == "array" else None
            needed = key in required and not self.guide.nullable(schema)
            if array is not None and "prefixItems" not in array:
                often = _often(array) if needed else ' minOccurs="0" maxOccurs="unbounded"'
                parts.append(self.element(key, array.get("items", {}), often, level + 1))
            elif any(kind_of(m) == "array" for m in members):
                parts.append(self.element(key, {}, ' minOccurs="0" maxOccurs="unbounded"', level + 1))
            else:
                parts.append(self.element(key, schema, "" if needed else ' minOccurs="0"', level + 1))
        return f"<xs:complexType><xs:sequence>{''.join(parts)}</xs:sequence></xs:complexType>"


def _often(array: Schema) -> str:
    return f' minOccurs="{array.get("minItems", 0)}" maxOccurs="{array.get("maxItems", "unbounded")}"'


def _simple(member: Schema, kind: str) -> str:
    values = listed(member)
    base = _TYPES.get(kind, "xs:string")
    if values is not None:
        facets = "".join(f"<xs:enumeration value={quoteattr(_shown(value))}/>" for value in values)
    else:
        named = {
            "minimum": "minInclusive",
            "maximum": "maxInclusive",
            "exclusiveMinimum": "minExclusive",
            "exclusiveMaximum": "maxExclusive",
            "minLength": "minLength",
            "maxLength": "maxLength",
        }
        facets = "".join(f'<xs:{facet} value="{member[key]}"/>' for key, facet in named.items() if key in member)
    return f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>' if facets else base
