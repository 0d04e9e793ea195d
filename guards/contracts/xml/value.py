"""Between XML and plain data, guided by a JSON Schema: what a Python type or JSON Schema answered in XML means.

An object's members are child elements by name; a list is a repeated element; inside a list, and for a list at the root,
an item is `<item>`; a key that is no XML name is written `<entry key="...">`. `xsi:nil` is null, or the empty list
where there may be no null. An only element without content is the empty list too, save where its `xsi:type` says that
it is an item, or the items are lists themselves; a required list that no element stands for is missing, since it may
as well have gone by another name. A leaf becomes a number or boolean only where the schema wants one and the text is
exactly that; otherwise it stays text, for the contract to judge.

Of a union, the member that the element names is taken (by `xsi:type`, or by one child element called as the member's
title), else the first whose form it has: objects by their constants and child names, leaves by their text. What is less
sure comes last: 1 and 0 as booleans, a number that a float would round, a date or other format that looks like a
number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from lxml import etree

from guards.contracts.xml.guide import ANY, LEAVES, Guide, Schema, kind_of, listed, names_of
from guards.findings import Finding
from guards.reading.answered_xml import ENTRY, Written, is_name, step
from guards.reading.document import Place
from guards.reading.numbers import Comparable, as_whole, dumps, exact
from guards.reading.spelling import folded, one_of_many
from guards.reading.xml_document import attributes_of, child_elements

__all__ = ["ITEM", "XSI", "leaf_text", "read_tree", "write_tree"]

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NIL: Final = f"{{{XSI}}}nil"
_TYPE: Final = f"{{{XSI}}}type"
_XS: Final = "http://www.w3.org/2001/XMLSchema"
# XML Schema part 2: the lexical forms of integer, and of double less INF and NaN, which JSON has not.
_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
_MOST_DIGITS: Final = 4000  # Python's own bound is 4300
_BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}
_BUILTIN: Final = {
    **dict.fromkeys(("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger"), "integer"),
    **dict.fromkeys(("decimal", "double", "float"), "number"),
    "boolean": "boolean",
    "string": "string",
}
_BLANK: Final = " \t\r\n"  # XML's white space; a no-break space is text
ITEM: Final = "item"


# -- tree to data ----------------------------------------------------------------------------------------------------


class _Reader:
    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.paths: dict[Place, str] = {}
        self.free: set[Place] = set()
        self.faults: list[Finding] = []

    def value(self, element: Any, schemas: Sequence[Schema], place: Place, path: str) -> Any:
        """The data of one element; `schemas` are the members that it may be."""
        self.paths.setdefault(place, path)
        self.check_attributes(element, path)
        members = self.named(element, schemas)
        children = child_elements(element)
        if not children:
            if _is_nil(element):
                return [] if _only_lists(members) else None
            return self.leaf(element, members, place, path)
        self.check_text(element, children, path)
        wrapped = self.wrapped(children, members)
        if wrapped is not None:
            return _as_member(self.value(children[0], (wrapped,), place, f"{path}/{_name(children[0])}"), wrapped)
        chosen = self.choose(children, members)
        if chosen is not None and kind_of(chosen) == "array":
            return self.sequence(children, chosen, place, path)
        if chosen is not None and kind_of(chosen) in (*LEAVES, "null"):
            chosen = ANY  # elements where a leaf should be: the contract says so
        data = self.mapping(children, chosen or ANY, place, path)
        is_named = element.get(_TYPE) is not None and len(members) == 1
        return _as_member(data, members[0]) if is_named else data

    def named(self, element: Any, members: Sequence[Schema]) -> Sequence[Schema]:
        """The members that an `xsi:type` names; all of them where it names none."""
        given = element.get(_TYPE)
        if given is None:
            return members
        name = given.strip(_BLANK).rpartition(":")[2]
        titled = names_of(members).get(name)
        if titled is not None:
            return (titled,)
        kind = _BUILTIN.get(name)
        if kind is None:
            return members
        fitting = [{"type": kind} if kind_of(m) is None and listed(m) is None else m for m in members]
        return [m for m in fitting if kind_of(m) == kind] or members

    def wrapped(self, children: Sequence[Any], members: Sequence[Schema]) -> Schema | None:
        """The member of a union that an only child names by its title."""
        if len(children) != 1 or len(members) < 2:
            return None
        name = _name(children[0])
        if any(name in (member.get("properties") or ()) for member in members):
            return None
        return names_of(members).get(name)

    def leaf(self, element: Any, members: Sequence[Schema], place: Place, path: str) -> Any:
        """An element without child elements."""
        text = element.text or ""
        blank = not text.strip(_BLANK)
        unsure: list[Any] = []
        for member in members:
            kind = kind_of(member)
            if kind == "object" and blank:
                return self.mapping([], member, place, path)
            if kind == "array" and blank:
                return []
            fits, value, sure = _lexical(text, member, kind)
            if fits and sure:
                return value
            if fits:
                unsure.append(value)
        return unsure[0] if unsure else text

    def choose(self, children: Sequence[Any], members: Sequence[Schema]) -> Schema | None:
        """The member of a union that an element with children is most like; the first of several."""
        if len(members) == 1:
            return members[0]
        names = [_key(child) for child in children]
        best, best_score = None, None
        for member in members:
            kind = kind_of(member)
            if kind == "array":
                score = (0, -sum(name != ITEM for name in names), 0)
            elif kind in ("object", None):
                properties = member.get("properties") or {}
                wrong = sum(not self.constant_fits(child, properties.get(_key(child))) for child in children)
                known = {name for name in names if self.guide.member(member, name) is not ANY}
                unknown = len(set(names) - known - set(properties)) if properties else 0
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
        if any(_name(child) != ITEM for child in children):
            return self.mapping(children, ANY, place, path)
        where = [_numbered(path, ITEM, n, len(children)) for n in range(len(children))]
        return self.items(children, array, place, where)

    def items(self, elements: Sequence[Any], array: Schema, place: Place, where: Sequence[str]) -> list[Any]:
        found: list[Any] = []
        for n, element in enumerate(elements):
            members = self.guide.members(self.guide.items(array, n))
            self.check_wrapping(element, members, where[n])
            found.append(self.value(element, members, (*place, n), where[n]))
        return found

    def mapping(self, children: Sequence[Any], shape: Schema, place: Place, path: str) -> dict[str, Any]:
        grouped: dict[str, list[tuple[Any, str]]] = {}
        counts: dict[str, int] = {}
        tags = [_name(child) for child in children]
        totals = Counter(tags)
        for child, tag in zip(children, tags, strict=True):
            where = _numbered(path, tag, counts.get(tag, 0), totals[tag])
            counts[tag] = counts.get(tag, 0) + 1
            grouped.setdefault(_key(child), []).append((child, where))
        properties = shape.get("properties") or ANY
        data: dict[str, Any] = {}
        for name in (*(name for name in properties if name in grouped), *(n for n in grouped if n not in properties)):
            members = self.guide.members(self.guide.member(shape, name))
            data[name] = self.member(grouped[name], members, (*place, name), f"{path}{step(name)}")
        self.free.update((*place, name) for name in grouped if name not in properties)
        strange = [name for name in grouped if name not in properties and self.guide.member(shape, name) is ANY]
        self.check_names(strange, properties, path)
        if not strange:
            # An element that nobody knows may be the one that is missing, under another name.
            for name in shape.get("required", ()):
                if name not in data and name in properties and self.guide.nullable(properties[name]):
                    data[name] = None  # absence is one way to write null
        return data

    def check_names(self, strange: Sequence[str], properties: Schema, path: str) -> None:
        """Items that go by the singular of their list's name, and members whose name is spelled in another way: they
        would be lost where other elements are passed over."""
        for name in strange:
            for own, schema in properties.items():
                an_item = one_of_many(name, own) and self.guide.array(schema) is not None
                if an_item or folded(name) == folded(own):
                    what = "an item of the list" if an_item else "this"
                    words = f"is not part of this answer: {what} is written <{own}>"
                    where = f"{path}{step(name)}"
                    self.faults.append(Finding("schema.additionalProperties", words, where, expected=own, actual=name))

    def member(self, elements: Sequence[tuple[Any, str]], schemas: Sequence[Schema], place: Place, path: str) -> Any:
        """The elements of one name: a list where the schema wants one, or where there are several."""
        members = [m for m in schemas if kind_of(m) != "null"]
        array = next((m for m in members if kind_of(m) == "array"), None)
        if len(elements) == 1:
            single, where = elements[0]
            if array is None or members[0] is not array:
                return self.value(single, [m for m in schemas if m is not array], place, where)
            if _is_nil(single):
                # Null in a list of nulls, null itself, or the empty list: the outer meaning goes first.
                inner = self.guide.nullable(self.guide.items(array, 0)) and not _has_null(schemas)
                if not inner:
                    return self.value(single, schemas, place, where)
            if self.holds_items(single, array):
                return self.value(single, (array,), place, where)
        self.paths[place] = path
        return self.items([e for e, _ in elements], array or ANY, place, [where for _, where in elements])

    def holds_items(self, element: Any, array: Schema) -> bool:
        """Whether a list's only element can be no item of it, but holds them as `<item>`, or nothing at all."""
        members = self.guide.members(self.guide.items(array, 0))
        children = child_elements(element)
        if not children:
            if element.get(_TYPE) is not None or element.get(_NIL) is not None or (element.text or "").strip(_BLANK):
                return False
            return all(kind_of(member) != "array" for member in members)
        return all(_name(child) == ITEM for child in children) and all(
            kind_of(m) in LEAVES or (kind_of(m) == "object" and self.guide.member(m, ITEM) is ANY and m.get("required"))
            for m in members
        )

    def check_wrapping(self, element: Any, members: Sequence[Schema], path: str) -> None:
        """An element around items in the place of an item: the items would be lost with what the model passes over."""
        children = child_elements(element)
        shapes = [member for member in members if kind_of(member) == "object" and member.get("properties")]
        if not children or not shapes or len(shapes) < len(members) or self.wrapped(children, members) is not None:
            return
        if any(self.guide.member(shape, _key(child)) is not ANY for shape in shapes for child in children):
            return
        inner = [_key(part) for child in children for part in child_elements(child)]
        if any(name in shape["properties"] for shape in shapes for name in inner):
            words = "holds items, and none of their members: repeat the element of the list for each item"
            self.faults.append(Finding("schema.type", words, path, expected="an item", actual="elements around items"))

    def check_attributes(self, element: Any, path: str) -> None:
        if element.get(_NIL) in ("true", "1") and not _is_nil(element):
            self.faults.append(Finding("schema.type", "must be empty where xsi:nil says so", path, expected="nothing"))
        for name, written in attributes_of(element):
            if name.startswith(f"{{{XSI}}}") or (name == "key" and _name(element) == ENTRY):
                continue
            shown = name.rpartition("}")[2]
            words = "is not part of this answer: write values as elements"
            self.faults.append(Finding("schema.additionalProperties", words, f"{path}/@{shown}", actual=written))

    def check_text(self, element: Any, children: Sequence[Any], path: str) -> None:
        """Text between child elements would be lost: it is a finding."""
        stray = " ".join(t.strip() for t in (element.text, *(c.tail for c in children)) if t and t.strip(_BLANK))
        if stray:
            words = "must hold elements only, and no text between them"
            self.faults.append(Finding("schema.type", words, path, expected="elements", actual=stray))


def _as_member(data: Any, member: Schema) -> Any:
    """What an element holds that names the member of a union: a constant by default, which tells that member from
    others, is said by the name."""
    if not isinstance(data, dict):
        return data
    told = {name: schema for name, schema in (member.get("properties") or ANY).items() if isinstance(schema, Mapping)}
    said = {name: one["const"] for name, one in told.items() if "const" in one and one.get("default") == one["const"]}
    return {**said, **data} if said else data


def _lexical(text: str, schema: Schema, kind: str | None) -> tuple[bool, Any, bool]:
    """Whether the text is exactly a value of this kind, the value, and whether another member may not claim it."""
    trimmed = text.strip(_BLANK)
    allowed = listed(schema)
    if allowed is not None:
        found = [v for v in allowed if (v == text if isinstance(v, str) else _text(v) == trimmed)]
        found = found or [v for v in allowed if _same_number(v, trimmed)]
        return bool(found), found[0] if found else None, True
    if kind in ("integer", "number"):
        return _number(trimmed, kind)
    if kind == "boolean":
        return trimmed in _BOOLEANS, _BOOLEANS.get(trimmed), trimmed not in ("0", "1")
    if kind in ("string", None):
        special = "format" in schema and (trimmed in _BOOLEANS or _NUMBER.match(trimmed) is not None)
        return True, text, not special
    return False, None, True


def _number(text: str, kind: str) -> tuple[bool, Any, bool]:
    if len(text) > _MOST_DIGITS or not _NUMBER.match(text):
        return False, None, True
    if _INTEGER.match(text):
        return True, int(text), True
    try:
        number = exact(text)
    except ValueError:
        return False, None, True
    # For the contract to refuse as what it is; never rounded to an integer.
    return True, number, kind == "number" and isinstance(number, float)


def _same_number(value: Any, text: str) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _NUMBER.match(text):
        return False
    try:
        return Decimal(text) == Decimal(repr(value))
    except InvalidOperation:  # an exponent beyond what a Decimal holds
        return False


def _is_nil(element: Any) -> bool:
    return element.get(_NIL) in ("true", "1") and not child_elements(element) and not (element.text or "").strip(_BLANK)


def _only_lists(members: Sequence[Schema]) -> bool:
    return bool(members) and all(kind_of(member) == "array" for member in members)


def _has_null(members: Sequence[Schema]) -> bool:
    return any(kind_of(member) == "null" for member in members)


def _text(value: Any) -> str:
    """A leaf as it is written in XML."""
    return value if isinstance(value, str) else dumps(value)


def leaf_text(value: Any) -> str:
    """A leaf as a query compares it: a number in one form, however it was written."""
    number = value.written if isinstance(value, Comparable) else value
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return _legal(_text(number))
    whole = as_whole(number)
    return str(number if whole is None else whole)


def _name(element: Any) -> str:
    """The local name, without the cost of a QName for each element."""
    return str(element.tag).rpartition("}")[2]


def _key(child: Any) -> str:
    """The member that an element writes."""
    name = _name(child)
    key = child.get("key") if name == ENTRY else None
    return name if key is None else str(key)


def _numbered(path: str, name: str, index: int, count: int) -> str:
    return f"{path}/{name}[{index + 1}]" if count > 1 else f"{path}/{name}"


def read_tree(root: Any, guide: Guide) -> tuple[Any, Written, tuple[Finding, ...]]:
    """The plain data of an answer, the paths of its places, and what the tree holds beyond it."""
    reader = _Reader(guide)
    members = guide.members(guide.schema)
    named = names_of(members).get(_name(root)) if len(members) > 1 else None
    data = reader.value(root, members if named is None else (named,), (), f"/{_name(root)}")
    data = data if named is None else _as_member(data, named)
    return data, Written(root, reader.paths, reader.free), tuple(reader.faults)


# -- data to tree ----------------------------------------------------------------------------------------------------


def write_tree(data: Any, name: str, *, empty: bool = True) -> Written:
    """Plain data as a tree, by the same rules. With `empty` a member that is an empty list is an `xsi:nil` element;
    otherwise it is left out."""
    root = etree.Element(name, nsmap={"xsi": XSI, "xs": _XS})
    writer = _Writer(empty)
    writer.value(root, data, (), f"/{name}")
    etree.cleanup_namespaces(root, keep_ns_prefixes=["xs"] if writer.typed else None)
    return Written(root, writer.paths)


class _Writer:
    def __init__(self, empty: bool) -> None:
        self.empty = empty
        self.typed = False
        self.paths: dict[Place, str] = {}

    def value(self, element: Any, data: Any, place: Place, path: str) -> None:
        self.paths[place] = path
        if data is None:
            element.set(_NIL, "true")
        elif isinstance(data, Mapping):
            self.mapping(element, data, place, path)
        elif isinstance(data, list):
            for n, value in enumerate(data):
                where = _numbered(path, ITEM, n, len(data))
                self.value(etree.SubElement(element, ITEM), value, (*place, n), where)
        else:
            element.text = _legal(_text(data))

    def mapping(self, element: Any, data: Mapping[str, Any], place: Place, path: str) -> None:
        groups = {str(key): self.occurrences(value) for key, value in data.items()}
        entries = sum(len(values) for key, values in groups.items() if not is_name(key))
        seen = 0
        for key, values in groups.items():
            member = (*place, key)
            listing = isinstance(data[key], list) and bool(data[key])
            if listing or not values:
                self.paths[member] = f"{path}{step(key)}"
            for n, value in enumerate(values):
                if is_name(key):
                    child, where = etree.SubElement(element, key), _numbered(path, key, n, len(values))
                else:
                    child = etree.SubElement(element, ENTRY, {"key": _legal(key)})
                    where = _numbered(path, ENTRY, seen, entries)
                    seen += 1
                self.value(child, value, (*member, n) if listing else member, where)
                if (
                    listing
                    and len(values) == 1
                    and (value == {} or (isinstance(value, str) and not value.strip(_BLANK)))
                ):
                    # Without a word it would be the empty list.
                    self.typed = True
                    child.set(_TYPE, "xs:string" if isinstance(value, str) else "xs:anyType")

    def occurrences(self, value: Any) -> list[Any]:
        """What the elements of a member hold."""
        if value == [] and isinstance(value, list):
            return [None] if self.empty else []
        return value if isinstance(value, list) else [value]


_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _legal(text: str) -> str:
    """XML can carry no control characters and no half surrogates; only made-up examples could hold one."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
