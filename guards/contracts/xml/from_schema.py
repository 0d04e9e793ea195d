"""A JSON Schema as XML: the skeleton that shows a model what to write, and an XML Schema of the same.

Both follow the rules of `xml.value`. What XML Schema 1.0 cannot say (which children of a union go together, keys
that are not known) it leaves open: the JSON Schema has the last word. It is narrower in two points, since it shows how
to write: no other members than those of the type, and these in its order in a union and wherever one of them repeats.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from guards.contracts.xml.guide import LEAVES, Guide, Schema, kind_of, listed, matches, names_of
from guards.contracts.xml.value import ITEM
from guards.reading.answered_xml import ENTRY, is_name

__all__ = ["skeleton", "xsd"]

_DEEPEST: Final = 12
_LONG: Final = 100  # lines
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
    writer = _Skeleton(guide)
    writer.element((root, ""), guide.schema, "", ())
    return "\n".join(writer.lines)


class _Skeleton:
    """Writes each element; a type inside itself, or again in a long skeleton, is named only."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.lines: list[str] = []
        self.shown: set[int] = set()

    def element(self, tag: tuple[str, str], schema: Any, note: str, above: tuple[int, ...]) -> None:
        """One element; `tag` is its name and what stands behind it in the opening tag, `above` are the shapes that it
        stands in."""
        name, attributes = tag
        indent = "  " * (len(above))
        members = [m for m in self.guide.members(schema) if kind_of(m) != "null"]
        notes = [part for part in (_description(schema, members), note) if part]
        shapes = [m for m in members if kind_of(m) == "object"]
        array = members[0] if members and kind_of(members[0]) == "array" else None
        nested = array if array is not None else shapes[0] if shapes else None
        if nested is None:
            words = _comment([_leaf(members)]).strip()
            self.lines.append(f"{indent}<{name}{attributes}>{words}</{name}>{_comment(notes)}")
            return
        mark = _mark(nested)
        again = mark in self.shown and len(self.lines) > _LONG
        if mark in above or again or len(above) > _DEEPEST:
            words = f"as {nested['title']} above" if mark in self.shown and "title" in nested else "as above"
            self.lines.append(
                f"{indent}<{name}{attributes}><!-- {escape(_unbroken(words))} --></{name}>{_comment(notes)}"
            )
            return
        self.shown.add(mark)
        self.lines.append(f"{indent}<{name}{attributes}>{_comment(notes)}")
        if array is not None:
            self.element((ITEM, ""), self.guide.items(array, 0), _occurs(array), (*above, mark))
        else:
            if len(shapes) > 1:
                self.lines.append(f"{indent}  <!-- one of these forms: -->")
            for shape in shapes:
                self.members(shape, (*above, mark))
        self.lines.append(f"{indent}</{name}>")

    def members(self, shape: Schema, above: tuple[int, ...]) -> None:
        required = set(shape.get("required", ()))
        for key, schema in (shape.get("properties") or {}).items():
            array = self.guide.array(schema)
            notes = [] if key in required else ["may be left out"]
            if self.guide.nullable(schema) and key in required:
                notes = ["left out for null"]
            tag = (key, "") if is_name(key) else (ENTRY, f" key={quoteattr(key)}")
            if array is not None:
                notes.insert(0, _occurs(array))
                if key in required and not array.get("minItems"):
                    notes.append("one empty element for none")
            shown = schema if array is None else self.guide.items(array, 0)
            self.element(tag, shown, "; ".join(notes), above)
        rest = shape.get("additionalProperties")
        if isinstance(rest, Mapping) or (rest is True and not shape.get("properties")):
            inner = rest if isinstance(rest, Mapping) else {}
            self.element((ENTRY, ' key="…"'), inner, "one for each key", above)


def _mark(member: Schema) -> int:
    """Equal for the same type wherever it stands: members are made anew for each reference, their parts are not."""
    own = member.get("properties", member.get("additionalProperties", member.get("items")))
    return id(member if own is None else own)


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
    words = "; ".join(note for note in notes if note)
    return f" <!-- {escape(_unbroken(words))} -->" if words else ""


def _unbroken(words: str) -> str:
    return words.replace("--", "- -").replace("--", "- -")


# -- XML Schema ------------------------------------------------------------------------------------------------------

_ANY_LEAF: Final = "xs:anySimpleType"
_TYPES: Final = {"integer": "xs:integer", "number": "xs:double", "boolean": "xs:boolean"}
_OPEN: Final = '<xs:sequence><xs:any processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>'

_MAY: Final = ' minOccurs="0"'
_MANY: Final = ' minOccurs="0" maxOccurs="unbounded"'
_OTHER: Final = '<xs:any namespace="##other" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>'


def xsd(guide: Guide, root: str) -> str:
    """An XML Schema 1.0 of the answer."""
    writer = _Xsd(guide)
    body = writer.element(root, guide.schema, "")
    types = "".join(writer.types.values())
    return f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{body}{types}</xs:schema>'


class _Xsd:
    """Each object and list is a type with a name, so that a type inside itself is a reference."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.types: dict[str, str] = {}
        self.named: dict[Any, str] = {}
        self.depth = 0
        self.merged: dict[tuple[int, ...], Schema] = {}

    def element(self, name: str, schema: Any, occurs: str, *, lists: bool = False) -> str:
        """`lists` where the element may stand for a whole empty list, by `xsi:nil`."""
        members = self.guide.members(schema)
        nil = ' nillable="true"' if lists or any(kind_of(m) == "null" for m in members) else ""
        inner = self.content([m for m in members if kind_of(m) != "null"])
        head = f"<xs:element name={quoteattr(name)}{nil}{occurs}"
        return f"{head}>{inner}</xs:element>" if inner.startswith("<") else f"{head} type={quoteattr(inner)}/>"

    def content(self, members: list[Schema]) -> str:
        """The name of a type, or a type."""
        kinds = {kind_of(member) for member in members}
        if len(members) == 1:
            member = members[0]
            kind = kind_of(member)
            if kind == "object" and _closed(member):
                return self.named_type(member, self.shape)
            if kind == "array" and _uniform(member):
                return self.named_type(member, self.sequence)
            if kind in LEAVES:
                return _simple(member, str(kind))
        if kinds and kinds <= LEAVES:
            numbers = [member for member in members if kind_of(member) in ("integer", "number")]
            if len(numbers) == 1 and all(member in numbers or _is_number(member) for member in members):
                return _simple(numbers[0], str(kind_of(numbers[0])))
            same = {_simple(member, str(kind_of(member))) for member in members}
            return same.pop() if len(same) == 1 else _ANY_LEAF
        objects = [member for member in members if kind_of(member) == "object"]
        if objects and kinds <= {*LEAVES, "object"} and all(map(_closed, objects)) and self.depth < _DEEPEST:
            return self.union(objects, mixed=len(objects) < len(members))
        # Not xs:anyType, which would check children against the root's declaration where they have its name.
        return f'<xs:complexType mixed="true">{_OPEN}<xs:anyAttribute processContents="skip"/></xs:complexType>'

    def named_type(self, member: Schema, body: Callable[[Schema], str]) -> str:
        mark = _mark(member)
        return self.named.get(mark) or self.written(mark, str(member.get("title", "")), lambda: body(member))

    def written(self, mark: Any, title: str, body: Callable[[], str], attributes: str = "") -> str:
        """The name of a type that is written once, whatever it stands in."""
        stem = title if is_name(title) else "Type"
        name = stem if stem not in self.types else f"{stem}.{len(self.types)}"
        self.named[mark] = name
        self.types[name] = ""  # taken, before what stands inside asks for a name
        self.types[name] = f"<xs:complexType name={quoteattr(name)}{attributes}>{body()}</xs:complexType>"
        return name

    def union(self, shapes: list[Schema], *, mixed: bool) -> str:
        """The name of a type that holds the children of all members of a union, and each member by its own name."""
        mark = (mixed, *map(_mark, shapes))
        if mark in self.named:
            return self.named[mark]
        parts: dict[str, list[Any]] = {}
        for shape in shapes:
            for key, schema in (shape.get("properties") or {}).items():
                parts.setdefault(key, []).append(schema)
        for title, shape in names_of(shapes).items():
            if is_name(title):
                parts.setdefault(title, [shape])

        def body() -> str:
            self.depth += 1
            children = "".join(self.member(key, self.one_of(schemas), _MAY)[0] for key, schemas in parts.items())
            self.depth -= 1
            # That more may follow tells the reader of half an answer that what it has may be another member.
            if _in_one_order(shapes, list(parts)):
                return f"<xs:sequence>{children}{_OTHER}</xs:sequence>"
            return f"<xs:choice{_MANY}>{children}{_OTHER}</xs:choice>"

        return self.written(mark, "", body, ' mixed="true"' if mixed else "")

    def one_of(self, schemas: list[Any]) -> Any:
        """One schema for a member that several shapes have."""
        different = [schema for n, schema in enumerate(schemas) if schema not in schemas[:n]]
        if len(different) == 1:
            return different[0]
        # Kept, since the guide knows schemas by their identity.
        return self.merged.setdefault(tuple(map(id, different)), {"anyOf": different})

    def sequence(self, array: Schema) -> str:
        return f"<xs:sequence>{self.element(ITEM, array.get('items', {}), _often(array))}</xs:sequence>"

    def shape(self, member: Schema) -> str:
        required = set(member.get("required", ()))
        parts: list[str] = []
        repeats = False
        for key, schema in (member.get("properties") or {}).items():
            needed = key in required and not self.guide.nullable(schema)
            part, many = self.member(key, schema, "" if needed else _MAY)
            parts.append(part)
            repeats = repeats or many
        group = "sequence" if repeats else "all"  # xs:all has no order, and nothing in it may repeat
        return f"<xs:{group}>{''.join(parts)}</xs:{group}>"

    def member(self, key: str, schema: Any, occurs: str) -> tuple[str, bool]:
        """The element of an object's member, and whether it repeats."""
        members = [m for m in self.guide.members(schema) if kind_of(m) != "null"]
        if not any(kind_of(m) == "array" for m in members):
            return self.element(key, schema, occurs), False
        if all(kind_of(m) == "array" and _uniform(m) for m in members):
            # Of a required list that is empty, one element stands there.
            often = _MANY if occurs or len(members) > 1 else _often(members[0], 1)
            return self.element(key, self.one_of([m.get("items", {}) for m in members]), often, lists=True), True
        return self.element(key, {}, _MANY, lists=True), True


def _closed(shape: Schema) -> bool:
    """Whether an object's members are all known, with names that XML can carry."""
    return (
        shape.get("additionalProperties") in (None, False)
        and "patternProperties" not in shape
        and all(is_name(key) for key in shape.get("properties") or {})
    )


def _in_one_order(shapes: list[Schema], names: list[str]) -> bool:
    """Whether all shapes have their members in the order of these names."""
    order = {name: place for place, name in enumerate(names)}
    places = [[order[name] for name in shape.get("properties") or ()] for shape in shapes]
    return all(found == sorted(found) for found in places)


def _uniform(array: Schema) -> bool:
    return "prefixItems" not in array and not isinstance(array.get("items"), list)


def _often(array: Schema, at_least: int = 0) -> str:
    least, most = max(array.get("minItems", 0), at_least), array.get("maxItems")
    most = most if most is None else max(most, least)
    return f' minOccurs="{math.ceil(least)}" maxOccurs="{"unbounded" if most is None else math.floor(most)}"'


def _is_number(member: Schema) -> bool:
    """Whether the texts of a member are numbers, as those are that a Decimal may be written in."""
    pattern = member.get("pattern")
    return isinstance(pattern, str) and matches(pattern, "1") and not matches(pattern, "$1")


def _simple(member: Schema, kind: str) -> str:
    values = listed(member)
    base = _TYPES.get(kind, "xs:string")
    if values is None and kind == "string" and ("pattern" in member or "format" in member):
        return _ANY_LEAF  # not any text will do
    if values is not None:
        shown = [value for value in values if not isinstance(value, list | dict)]
        facets = "".join(f"<xs:enumeration value={quoteattr(_shown(value))}/>" for value in shown)
        base = "xs:string" if kind == "boolean" else base  # xs:boolean takes no enumeration
    else:
        facets = "".join(
            f'<xs:{facet} value="{json.dumps(member[key])}"/>'
            for key, facet in _FACETS[base]
            if _usable(member.get(key), base)
        )
    return f'<xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>' if facets else base


_NUMERIC: Final = (
    ("minimum", "minInclusive"),
    ("maximum", "maxInclusive"),
    ("exclusiveMinimum", "minExclusive"),
    ("exclusiveMaximum", "maxExclusive"),
)
_FACETS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "xs:integer": _NUMERIC,
    "xs:double": _NUMERIC,
    "xs:boolean": (),
    "xs:string": (("minLength", "minLength"), ("maxLength", "maxLength")),
}


def _usable(bound: Any, base: str) -> bool:
    """Whether a bound is a value of the type that it bounds; draft 4 has a boolean in the place of one."""
    if isinstance(bound, bool):
        return False
    return isinstance(bound, int) or (base == "xs:double" and isinstance(bound, float))
