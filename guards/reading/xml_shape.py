"""What a schema lets an element hold, whatever language the schema is in, and the plain data that follows from it.

`xml.xsd_shape` and `xml.rng_shape` make these from XML Schema and RELAX NG; findings, prompts and examples are told
from them. A shape may hold itself (`section` in `section`), so it is built first and filled later, and never changed
after that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from lxml import etree

from guards.reading.xml_document import attributes_of as written_attributes
from guards.reading.xml_document import child_elements, local_name, qualified_key

__all__ = [
    "XML",
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
    "is_far",
    "required_of",
    "typed",
    "value_of",
]

XML: Final = "http://www.w3.org/XML/1998/namespace"
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
    """Any element, of the namespaces that are `named`, or of all `but` some."""

    least: int = 1
    most: int = 1
    named: frozenset[str | None] | None = None
    but: frozenset[str | None] = frozenset()

    def takes(self, namespace: str | None) -> bool:
        return namespace not in self.but if self.named is None else namespace in self.named


@dataclass(slots=True, eq=False)
class Shape:
    """What an element may hold.

    `text` is the type of its text where it has any; `simple` says that it holds text and nothing else, ever. `free`
    is an element that the schema says nothing about. Attributes and children go by the keys of the data, and `spaces`
    are the namespaces of the children; `wildcards` are all there are, with how often each may occur. Of an abstract
    type `stand_ins` are the types, with their namespaces, of which an `xsi:type` has to name one; of any type `derived`
    are those that it may name.
    """

    simple: bool = False
    free: bool = False
    mixed: bool = False
    text: SimpleType | None = None
    attributes: dict[str, Attribute] = field(default_factory=dict)
    any_attribute: bool = False
    content: Group | None = None
    children: dict[str, tuple[Shape, bool]] = field(default_factory=dict)
    spaces: dict[str, str | None] = field(default_factory=dict)
    wildcards: list[tuple[Wildcard, int]] = field(default_factory=list)
    stand_ins: dict[str, tuple[Shape, str | None]] = field(default_factory=dict)
    derived: list[Shape] = field(default_factory=list)

    def close(self) -> None:
        """Works out, once the content is known, which children there are and which repeat."""
        for part, most in _counted(self.content):
            if isinstance(part, Wildcard):
                self.wildcards.append((part, most))
            else:
                key = self.key(part.name, part.namespace)
                shape, repeats = self.children.get(key, (part.shape, False))
                self.children[key] = (shape, repeats or most > 1)
                self.spaces[key] = part.namespace

    def takes(self, namespace: str | None) -> bool:
        """Whether a wildcard lets any element of a namespace stand here."""
        return any(wildcard.takes(namespace) for wildcard, _ in self.wildcards)

    def key(self, name: str, namespace: str | None) -> str:
        """The key of a child: its local name, with its namespace where the schema has that name in another one."""
        if self.spaces.get(name, namespace) == namespace:
            return name
        return qualified_key(name, namespace)

    def declare(self, attribute: Attribute) -> None:
        """Adds an attribute, in the place of one of the same name and namespace. One without a namespace has its plain
        name for a key."""
        known = self.attributes.get(attribute.name)
        if known is None or known.namespace == attribute.namespace:
            self.attributes[attribute.name] = attribute
        elif attribute.namespace is None:
            del self.attributes[attribute.name]
            self.attributes[qualified_key(known.name, known.namespace)] = known
            self.attributes[attribute.name] = attribute
        else:
            self.attributes[qualified_key(attribute.name, attribute.namespace)] = attribute

    def attribute_key(self, name: str, namespace: str | None, beside: Mapping[str, int]) -> str:
        """The key of an attribute; `beside` counts the local names on its element."""
        known = self.attributes.get(name)
        if known.namespace == namespace if known is not None else namespace is None or beside[name] < 2:
            return name
        return qualified_key(name, namespace)


@dataclass(frozen=True, slots=True)
class SchemaShape:
    """A whole schema: the elements that may be the root, the types that `xsi:type` may name, and all global elements.

    Roots go by their names, elements by `{namespace}name`, types by either.
    """

    roots: Mapping[str, Element]
    types: Mapping[str, Shape] = field(default_factory=dict)
    elements: Mapping[str, Element] = field(default_factory=dict)

    def root(self, element: Any) -> Element | None:
        """What is declared of a root element."""
        found = self.roots.get(local_name(element))
        same = found is not None and (found.namespace or None) == (etree.QName(element).namespace or None)
        return found if same else None

    def named_type(self, name: str, space: str | None) -> Shape | None:
        """The type that an `xsi:type` names, by its name and the namespace of its prefix."""
        return self.types.get(qualified_key(name, space), self.types.get(name))


def attributes_of(element: Any, shape: Shape) -> Iterator[tuple[str, str, str]]:
    """The attributes of an element without those of XML Schema itself: key, full name, value."""
    if not element.attrib:
        return
    known = [(full, written, etree.QName(full)) for full, written in written_attributes(element)]
    own = [(full, written, name) for full, written, name in known if name.namespace != XSI]
    beside = Counter(name.localname for _, _, name in own)
    for full, written, name in own:
        yield shape.attribute_key(name.localname, name.namespace, beside), full, written


def child_key(element: Any, shape: Shape) -> str:
    """The key that an element has in the data of its parent, whose shape this is."""
    space, _, name = element.tag.rpartition("}")  # a QName for each element costs more than reading it
    return shape.key(name, space[1:] or None)


def children_of(part: Element | Group | Wildcard | None) -> Iterator[Element]:
    """The elements of a content model in the order of the schema."""
    if isinstance(part, Element):
        yield part
    elif isinstance(part, Group):
        for item in part.items:
            yield from children_of(item)


def required_of(part: Element | Group | Wildcard | None) -> tuple[Element, ...]:
    """The elements that every content of this model has, each name once."""
    if part is None or isinstance(part, Wildcard) or part.least < 1:
        return ()
    if isinstance(part, Element):
        return (part,)
    inner = [{(use.name, use.namespace): use for use in required_of(item)} for item in part.items]
    if part.kind == "choice":
        return tuple(use for name, use in inner[0].items() if all(name in other for other in inner)) if inner else ()
    together: dict[tuple[str, str | None], Element] = {}
    for names in inner:
        together.update((name, use) for name, use in names.items() if name not in together)
    return tuple(together.values())


def _counted(part: Element | Group | Wildcard | None) -> list[tuple[Element | Wildcard, int]]:
    """Each element of a model with how often it can occur there: sums over sequences, the most over choices."""
    counts: dict[tuple[str, str | None] | Wildcard, tuple[Element | Wildcard, int]] = {}
    if part is None or part.most < 1:
        return []
    if not isinstance(part, Group):
        return [(part, part.most)]
    for item in part.items:
        for inner, most in _counted(item):
            name = (inner.name, inner.namespace) if isinstance(inner, Element) else inner
            known, so_far = counts.get(name, (inner, 0))
            together = max(so_far, most) if part.kind == "choice" else so_far + most
            counts[name] = (known, min(together, MANY))
    return [(inner, min(most * part.most, MANY)) for inner, most in counts.values()]


def value_of(element: Any, shape: Shape, schema: SchemaShape, far: list[Any]) -> Any:
    """The plain data of an element, by the rule of the design (Contracts and values).

    Gives `far` the elements with a number that no float comes near to, of which the data has the text.
    """
    if element.get(f"{{{XSI}}}nil", "").strip() in ("true", "1"):
        return None
    shape = actual_shape(element, shape, schema)
    value: dict[str, Any] = {}

    def leaf(text: str, kind: SimpleType) -> Any:
        held = typed(text, kind)
        if kind.kind == "float" and held is text and is_far(text):
            far.append(element)
        return held

    for key, _, written in attributes_of(element, shape):
        declared = shape.attributes.get(key)
        value[f"@{key}"] = leaf(written, declared.type if declared else TEXT)
    children = child_elements(element)
    text = "".join(_own_text(element, children))
    if shape.simple or (shape.free and not value and not children):
        return leaf(text, shape.text or TEXT) if text else ""
    names = [child_key(child, shape) for child in children]
    counts = Counter(names)
    for child, name in zip(children, names, strict=True):
        inner, repeats = _child(shape, child, name, schema, counts)
        item = value_of(child, inner, schema, far)
        if repeats:
            value.setdefault(name, []).append(item)
        else:
            value[name] = item
    if shape.text is not None and not shape.mixed:
        if text:
            value["#text"] = leaf(text, shape.text)
    elif text.strip():
        value["#text"] = text
    return value


def actual_shape(element: Any, shape: Shape, schema: SchemaShape) -> Shape:
    """The shape that `xsi:type` chooses, else the declared one."""
    named = element.get(f"{{{XSI}}}type")
    if not named:
        return shape
    prefix, _, name = named.strip().rpartition(":")
    return schema.named_type(name, element.nsmap.get(prefix or None)) or shape


def _child(shape: Shape, child: Any, key: str, schema: SchemaShape, counts: Mapping[str, int]) -> tuple[Shape, bool]:
    if key in shape.children:
        return shape.children[key]
    space = etree.QName(child).namespace
    known = schema.elements.get(qualified_key(local_name(child), space))
    inner = known.shape if known is not None else FREE
    # Said by nothing, what stands there several times is the only thing that tells a list.
    return inner, counts[key] > 1 or sum(most for wildcard, most in shape.wildcards if wildcard.takes(space)) > 1


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
    if kind.kind == "float" and _FLOAT.fullmatch(bare) and not is_far(bare):
        return float(bare.replace("INF", "inf"))
    return text


def is_far(text: str) -> bool:
    """Whether a text is a number that no float comes near to: one that would be infinite, or zero, and is not."""
    bare = text.strip()
    if not _FLOAT.fullmatch(bare) or bare[-1] in "FN":
        return False
    near = float(bare)
    return near - near != 0 or (near == 0 and _DIGITS.match(bare) is not None)


_DIGITS: Final = re.compile(r"[^eE]*[1-9]")
"""A mantissa that is not zero."""
