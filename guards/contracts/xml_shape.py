"""What a schema lets an element hold, whatever language the schema is in, and the plain data that follows from it.

`xsd_shape` and `rng_shape` make these from XML Schema and RELAX NG; findings, prompts and examples are told from them.
A shape may hold itself (`section` in `section`), so it is built first and filled later, and never changed after that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from lxml import etree

from guards.reading.xml_document import attributes_of, child_elements, local_name

__all__ = [
    "XSI",
    "Attribute",
    "Element",
    "Group",
    "Kind",
    "SchemaShape",
    "Shape",
    "SimpleType",
    "Wildcard",
    "children_of",
    "required_of",
    "typed",
    "value_of",
]

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
MANY: Final = 1 << 30
"""maxOccurs="unbounded"."""

Kind = Literal["integer", "decimal", "float", "boolean", "text"]


@dataclass(frozen=True, slots=True)
class SimpleType:
    """A type of text. `base` is the built-in type it comes from; `variety` says whether it is a list or a union."""

    base: str = "string"
    kind: Kind = "text"
    variety: Literal["atomic", "list", "union"] = "atomic"
    facets: Mapping[str, str] = field(default_factory=dict)
    enumeration: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    members: tuple[SimpleType, ...] = ()

    def says(self) -> str:
        """The type in a few words, for a prompt or a finding."""
        if self.variety == "list":
            return "values separated by spaces"
        if self.kind == "integer":
            return "a whole number" if self.base == "integer" else f"a whole number ({self.base})"
        if self.base in _PLAIN:
            return "text"
        return _SAID.get(self.base, f"a value of type {self.base}")


_PLAIN: Final = frozenset({"string", "normalizedString", "token", "anySimpleType", "anyType", "anyAtomicType"})
_SAID: Final = {
    "decimal": "a number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date (YYYY-MM-DD)",
    "dateTime": "a date and time (YYYY-MM-DDThh:mm:ss)",
    "time": "a time (hh:mm:ss)",
    "anyURI": "an address (URI)",
}
TEXT: Final = SimpleType()


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; `namespace` is None for the usual, unqualified one."""

    name: str
    type: SimpleType = TEXT
    required: bool = False
    namespace: str | None = None
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """An element in a content model."""

    name: str
    shape: Shape
    least: int = 1
    most: int = 1
    namespace: str | None = None
    nillable: bool = False
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Parts in order, in any order, or one of them."""

    kind: Literal["sequence", "all", "choice"]
    items: tuple[Element | Group | Wildcard, ...] = ()
    least: int = 1
    most: int = 1


@dataclass(frozen=True, slots=True)
class Wildcard:
    """Any element."""

    least: int = 1
    most: int = 1


@dataclass(slots=True, eq=False)
class Shape:
    """What an element may hold.

    `text` is the type of its text where it has any; `simple` says that it holds text and nothing else, ever. `free`
    is an element that the schema says nothing about.
    """

    simple: bool = False
    free: bool = False
    mixed: bool = False
    text: SimpleType | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)
    any_attribute: bool = False
    content: Group | None = None
    children: dict[str, tuple[Shape, bool]] = field(default_factory=dict)
    wildcard: Wildcard | None = None

    def close(self) -> None:
        """Works out, once the content is known, which children there are and which repeat."""
        for part, most in _counted(self.content):
            if isinstance(part, Wildcard):
                self.wildcard = Wildcard(0, max(most, self.wildcard.most if self.wildcard else 0))
            else:
                shape, repeats = self.children.get(part.name, (part.shape, False))
                self.children[part.name] = (shape, repeats or most > 1)


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """A whole schema: the elements that may be the root, and the types that `xsi:type` may name."""

    roots: Mapping[str, Element]
    types: Mapping[str, Shape] = field(default_factory=dict)
    elements: Mapping[str, Element] = field(default_factory=dict)


def children_of(part: Element | Group | Wildcard | None) -> Iterator[Element]:
    """The elements of a content model in the order of the schema."""
    if isinstance(part, Element):
        yield part
    elif isinstance(part, Group):
        for item in part.items:
            yield from children_of(item)


def required_of(part: Element | Group | Wildcard | None) -> tuple[str, ...]:
    """The names that every content of this model has."""
    if part is None or isinstance(part, Wildcard) or part.least < 1:
        return ()
    if isinstance(part, Element):
        return (part.name,)
    inner = [required_of(item) for item in part.items]
    if part.kind == "choice":
        return tuple(name for name in inner[0] if all(name in other for other in inner)) if inner else ()
    return tuple(dict.fromkeys(name for names in inner for name in names))


def _counted(part: Element | Group | Wildcard | None) -> list[tuple[Element | Wildcard, int]]:
    """Each element of a model with how often it can occur there: sums over sequences, the most over choices."""
    counts: dict[str | None, tuple[Element | Wildcard, int]] = {}
    if part is None or part.most < 1:
        return []
    if not isinstance(part, Group):
        return [(part, part.most)]
    for item in part.items:
        for inner, most in _counted(item):
            name = inner.name if isinstance(inner, Element) else None
            known, so_far = counts.get(name, (inner, 0))
            together = max(so_far, most) if part.kind == "choice" else so_far + most
            counts[name] = (known, min(together, MANY))
    return [(inner, min(most * part.most, MANY)) for inner, most in counts.values()]


def value_of(element: Any, shape: Shape, schema: SchemaShape) -> Any:
    """The plain data of an element, by the rule of the design (Contracts and values)."""
    if element.get(f"{{{XSI}}}nil", "").strip() in ("true", "1"):
        return None
    shape = actual_shape(element, shape, schema)
    value: dict[str, Any] = {}
    for name, written in attributes_of(element):
        known = etree.QName(name)
        if known.namespace != XSI:
            declared = shape.attributes.get(known.localname)
            value[f"@{known.localname}"] = typed(written, declared.type if declared else TEXT)
    children = child_elements(element)
    text = "".join(_own_text(element, children))
    if shape.simple or (shape.free and not value and not children):
        return typed(text, shape.text or TEXT) if text else ""
    names = [local_name(child) for child in children]
    counts = Counter(names)
    for child, name in zip(children, names, strict=True):
        inner, repeats = _child(shape, name, schema, counts)
        item = value_of(child, inner, schema)
        if repeats:
            value.setdefault(name, []).append(item)
        else:
            value[name] = item
    if shape.text is not None and not shape.mixed:
        if text:
            value["#text"] = typed(text, shape.text)
    elif text.strip():
        value["#text"] = text
    return value


def actual_shape(element: Any, shape: Shape, schema: SchemaShape) -> Shape:
    """The shape that `xsi:type` chooses, else the declared one."""
    named = element.get(f"{{{XSI}}}type")
    return schema.types.get(named.strip().rpartition(":")[2], shape) if named else shape


def _child(shape: Shape, name: str, schema: SchemaShape, counts: Mapping[str, int]) -> tuple[Shape, bool]:
    if name in shape.children:
        return shape.children[name]
    known = schema.elements.get(name)
    inner = known.shape if known else FREE
    if shape.wildcard is not None:
        return inner, shape.wildcard.most > 1
    # Said by nothing: what stands there several times is the only thing that tells a list.
    return inner, counts[name] > 1


FREE: Final = Shape(free=True, any_attribute=True)


def _own_text(element: Any, children: list[Any]) -> Iterator[str]:
    yield element.text or ""
    for child in children:
        yield child.tail or ""


_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?INF|NaN")
_BOOLEAN: Final = {"true": True, "1": True, "false": False, "0": False}


def typed(text: str, kind: SimpleType) -> Any:
    """A leaf by its schema type; the text as written where that has no number or truth value in it."""
    if kind.kind == "text":
        return text
    bare = " ".join(text.split())
    if kind.kind == "boolean":
        return _BOOLEAN.get(bare, text)
    if kind.kind == "integer" and _INTEGER.fullmatch(bare):
        # Python bounds how many digits int() reads; a Decimal of the same value compares equal.
        return int(bare) if len(bare) < 4000 else Decimal(bare)
    if kind.kind == "decimal" and _DECIMAL.fullmatch(bare):
        exact = Decimal(bare)
        near = float(exact)
        return near if Decimal(repr(near)) == exact else exact
    if kind.kind == "float" and _FLOAT.fullmatch(bare):
        return float(bare.replace("INF", "inf"))
    return text
