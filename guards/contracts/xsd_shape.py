"""What an XML Schema lets each element hold: its declarations walked into `xml_shape`.

libxml2 judges documents; this only has to know what repeats, what a leaf's type is and what a prompt should say. The
schema was compiled by libxml2 before, so a reference that leads nowhere does not come here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from guards.contracts.xml_attributes import XML_ATTRIBUTES
from guards.contracts.xml_shape import (
    FREE,
    MANY,
    XML,
    Attribute,
    Element,
    Group,
    Kind,
    SchemaShape,
    Shape,
    SimpleType,
    Wildcard,
)
from guards.reading.xml_document import child_elements, local_name, qualified_key

__all__ = ["XSD", "builtin", "collapsed", "shape_of_xsd"]

XSD: Final = "http://www.w3.org/2001/XMLSchema"
_INTEGERS: Final = frozenset({
    "integer", "nonPositiveInteger", "negativeInteger", "nonNegativeInteger", "positiveInteger", "long", "int", "short",
    "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte",
})  # fmt: skip
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_INTEGERS, "integer"),
    "decimal": "decimal",
    "float": "float",
    "double": "float",
    "boolean": "boolean",
}
_LISTS: Final = frozenset({"NMTOKENS", "IDREFS", "ENTITIES"})
_GROUPS: Final = frozenset({"sequence", "choice", "all"})


def builtin(name: str) -> SimpleType:
    """A type of XML Schema part 2 by its local name."""
    return SimpleType(name, _KINDS.get(name, "text"), "list" if name in _LISTS else "atomic")


def shape_of_xsd(schema: Any) -> SchemaShape:
    """The shape of everything that a schema document declares."""
    return _Walk(schema).whole()


# Their values are data, or collapsed by the type that they belong to.
_AS_WRITTEN: Final = frozenset({"value", "fixed", "default"})


def collapsed(schema: Any) -> Any:
    """The schema with the blanks around its names taken off, as XML Schema reads them and libxml2 does not."""
    blank = any(text != text.strip() for node in schema.iter("*") for text in node.attrib.values())
    if not blank:
        return schema
    schema = copy.deepcopy(schema)
    for node in schema.iter("*"):
        for name, text in node.attrib.items():
            if name not in _AS_WRITTEN:
                node.set(name, " ".join(text.split()))
    return schema


class _Walk:
    """One walk over a schema. Types and elements are remembered by their node, so recursion ends."""

    def __init__(self, schema: Any) -> None:
        self.target = schema.get("targetNamespace")
        self.elements_qualified = schema.get("elementFormDefault") == "qualified"
        self.attributes_qualified = schema.get("attributeFormDefault") == "qualified"
        self.globals: dict[tuple[str, str], Any] = {}
        self.members: dict[str, list[str]] = {}
        for node in child_elements(schema):
            name = node.get("name")
            if name:
                kind = "type" if local_name(node) in ("simpleType", "complexType") else local_name(node)
                self.globals[kind, name] = node
            head = node.get("substitutionGroup")
            if head and name:
                self.members.setdefault(_local(head), []).append(name)
        self.shapes: dict[Any, Shape] = {}
        self.unfilled: list[Any] = []
        self.full: set[Any] = set()
        self.simples: dict[Any, SimpleType] = {}

    def whole(self) -> SchemaShape:
        elements = {name: self._global(name) for kind, name in list(self.globals) if kind == "element"}
        roots = {
            name: element
            for name, element in elements.items()
            if self.globals["element", name].get("abstract") not in ("true", "1")
        }
        types = {name: self._type_shape(node) for (kind, name), node in self.globals.items() if kind == "type"}
        while self.unfilled:
            self._filled(self.unfilled.pop())
        for name, shape in types.items():
            self._stand_ins(name, shape)
        return SchemaShape(roots, types, elements)

    def _stand_ins(self, name: str, shape: Shape) -> None:
        """Enters a type with the abstract ones that it is derived from: an `xsi:type` may name it there."""
        node = self.globals["type", name]
        if node.get("abstract") in ("true", "1"):
            return
        seen: set[Any] = set()
        while node is not None and node not in seen:
            seen.add(node)
            base = next((n for n in node.iter(f"{{{XSD}}}extension", f"{{{XSD}}}restriction") if n.get("base")), None)
            node = self.globals.get(("type", _local(base.get("base")))) if base is not None else None
            if node is not None and node.get("abstract") in ("true", "1"):
                self._type_shape(node).stand_ins[name] = (shape, self.target)

    # -- elements ------------------------------------------------------------------------------------------------

    def _global(self, name: str) -> Element:
        node = self.globals["element", name]
        return self._declared(node, namespace=self.target)

    def _declared(self, node: Any, least: int = 1, most: int = 1, namespace: str | None = None) -> Element:
        nillable = node.get("nillable") in ("true", "1")
        shape = self._declared_type(node)
        return Element(node.get("name", ""), shape, least, most, namespace, nillable, node.get("fixed"))

    def _declared_type(self, node: Any) -> Shape:
        """The shape of an element's type. Complex ones are filled later: an element may hold itself."""
        inline = next((c for c in child_elements(node) if local_name(c) in ("simpleType", "complexType")), None)
        if inline is not None:
            return self._type_shape(inline)
        named = node.get("type")
        if named:
            return self._named_shape(node, named)
        head = node.get("substitutionGroup")
        if head and ("element", _local(head)) in self.globals:
            return self._declared_type(self.globals["element", _local(head)])
        return FREE

    def _named_shape(self, node: Any, name: str) -> Shape:
        if _namespace(node, name) == XSD != self.target:
            local = _local(name)
            return FREE if local == "anyType" else Shape(simple=True, text=builtin(local))
        found = self.globals.get(("type", _local(name)))
        return self._type_shape(found) if found is not None else FREE

    # -- types ---------------------------------------------------------------------------------------------------

    def _type_shape(self, node: Any) -> Shape:
        if node not in self.shapes:
            self.shapes[node] = Shape()
            self.unfilled.append(node)
        return self.shapes[node]

    def _filled(self, node: Any) -> Shape:
        """The shape of a type, filled now: what extends it needs its content. A type is never its own base."""
        shape = self._type_shape(node)
        if node not in self.full:
            self.full.add(node)
            if local_name(node) == "simpleType":
                shape.simple, shape.text = True, self._simple(node)
            else:
                self._complex(node, shape)
                shape.close()
        return shape

    def _complex(self, node: Any, shape: Shape) -> None:
        shape.mixed = node.get("mixed") in ("true", "1")
        inner = {local_name(c): c for c in child_elements(node)}
        holder = node
        for kind in ("simpleContent", "complexContent"):
            if kind in inner:
                shape.mixed = shape.mixed or inner[kind].get("mixed") in ("true", "1")
                holder = next(c for c in child_elements(inner[kind]) if local_name(c) in ("extension", "restriction"))
                base = self._base(holder)
                shape.attributes.update(base.attributes)
                shape.any_attribute = base.any_attribute and local_name(holder) == "extension"
                if kind == "simpleContent":
                    shape.text = self._narrowed(holder, base.text or builtin("string"))
                elif local_name(holder) == "extension":
                    shape.content = base.content
                    shape.mixed = shape.mixed or base.mixed
                    shape.text = base.text
        parts = self._particles(c for c in child_elements(holder) if local_name(c) in (*_GROUPS, "group"))
        if parts:
            own = parts[0]
            both = (shape.content, own) if shape.content is not None else None
            shape.content = (
                Group("sequence", both) if both else own if isinstance(own, Group) else Group("sequence", (own,))
            )
        self._attributes(holder, shape)
        if "simpleContent" in inner and not shape.attributes and not shape.any_attribute:
            shape.simple = True

    def _base(self, holder: Any) -> Shape:
        name = holder.get("base", "")
        found = None if _namespace(holder, name) == XSD != self.target else self.globals.get(("type", _local(name)))
        return self._named_shape(holder, name) if found is None else self._filled(found)

    def _attributes(self, holder: Any, shape: Shape) -> None:
        for node in child_elements(holder):
            kind = local_name(node)
            if kind == "attribute":
                self._attribute(node, shape)
            elif kind == "attributeGroup" and _namespace(node, node.get("ref", "")) == XML != self.target:
                for name, known in XML_ATTRIBUTES.items():
                    shape.declare(Attribute(name, known, False, XML))
            elif kind == "attributeGroup":
                found = self.globals.get(("attributeGroup", _local(node.get("ref", ""))))
                if found is not None:
                    self._attributes(found, shape)
            elif kind == "anyAttribute":
                shape.any_attribute = True

    def _attribute(self, node: Any, shape: Shape) -> None:
        declared, namespace = node, None
        if node.get("ref"):
            namespace = _namespace(node, node.get("ref"))
            if namespace != XML or self.target == XML:
                declared = self.globals.get(("attribute", _local(node.get("ref"))), node)
        elif node.get("form", "qualified" if self.attributes_qualified else "") == "qualified":
            namespace = self.target
        name = declared.get("name") or _local(node.get("ref", ""))
        if node.get("use") == "prohibited":
            for key in (name, qualified_key(name, namespace)):
                known = shape.attributes.get(key)
                if known is not None and known.namespace == namespace:
                    del shape.attributes[key]
            return
        inline = next((c for c in child_elements(declared) if local_name(c) == "simpleType"), None)
        kind = self._simple(inline) if inline is not None else self._named_simple(declared, declared.get("type"))
        if namespace == XML and declared is node:
            kind = XML_ATTRIBUTES.get(name, kind)
        fixed = node.get("fixed") or declared.get("fixed")
        shape.declare(Attribute(name, kind, node.get("use") == "required", namespace, fixed))

    # -- simple types --------------------------------------------------------------------------------------------

    def _named_simple(self, node: Any, name: str | None) -> SimpleType:
        if not name:
            return builtin("string")
        if _namespace(node, name) == XSD != self.target:
            return builtin(_local(name))
        found = self.globals.get(("type", _local(name)))
        if found is None or local_name(found) != "simpleType":
            return builtin("string")
        return self._simple(found)

    def _simple(self, node: Any) -> SimpleType:
        if node not in self.simples:
            self.simples[node] = self._new_simple(node)
        return self.simples[node]

    def _new_simple(self, node: Any) -> SimpleType:
        inner = next((c for c in child_elements(node) if local_name(c) in ("restriction", "list", "union")), None)
        if inner is None:
            return builtin("string")
        nested = [self._simple(c) for c in child_elements(inner) if local_name(c) == "simpleType"]
        if local_name(inner) == "restriction":
            base = nested[0] if nested else self._named_simple(inner, inner.get("base"))
            return self._narrowed(inner, base)
        if local_name(inner) == "list":
            item = nested[0] if nested else self._named_simple(inner, inner.get("itemType"))
            return SimpleType("string", "text", "list", members=(item,))
        named = [self._named_simple(inner, name) for name in inner.get("memberTypes", "").split()]
        return SimpleType("string", "text", "union", members=(*named, *nested))

    def _narrowed(self, node: Any, base: SimpleType) -> SimpleType:
        """A base type with the facets of a restriction."""
        facets = dict(base.facets)
        choices: list[str] = []
        patterns: list[str] = []
        for facet in child_elements(node):
            name, value = local_name(facet), facet.get("value")
            if value is None:
                continue
            if name == "enumeration":
                choices.append(value)
            elif name == "pattern":
                patterns.append(value)
            else:
                facets[name] = value
        own = ("|".join(f"(?:{p})" for p in patterns) if len(patterns) > 1 else patterns[0],) if patterns else ()
        return replace(
            base, facets=facets, enumeration=tuple(choices) or base.enumeration, patterns=(*base.patterns, *own)
        )

    # -- content models ------------------------------------------------------------------------------------------

    def _particle(self, node: Any) -> Element | Group | Wildcard:
        least, most = _occurs(node)
        kind = local_name(node)
        if kind == "any":
            return self._wildcard(node, least, most)
        if kind == "element":
            return self._use(node, least, most)
        if kind == "group":
            found = self.globals.get(("group", _local(node.get("ref", ""))))
            inner = [c for c in child_elements(found) if local_name(c) in _GROUPS] if found is not None else []
            return Group("sequence", self._particles(inner), least, most)
        parts = self._particles(
            c for c in child_elements(node) if local_name(c) in (*_GROUPS, "group", "element", "any")
        )
        return Group("choice" if kind == "choice" else "all" if kind == "all" else "sequence", parts, least, most)

    def _wildcard(self, node: Any, least: int, most: int) -> Wildcard:
        words = node.get("namespace", "##any").split()
        if words == ["##any"]:
            return Wildcard(least, most)
        if words == ["##other"]:
            return Wildcard(least, most, but=frozenset({None, self.target}))
        known = {"##local": None, "##targetNamespace": self.target}
        return Wildcard(least, most, named=frozenset(known.get(word, word) for word in words))

    def _particles(self, nodes: Iterable[Any]) -> tuple[Element | Group | Wildcard, ...]:
        """What may occur at all: maxOccurs="0" takes a part out of the model."""
        return tuple(part for part in map(self._particle, nodes) if part.most)

    def _use(self, node: Any, least: int, most: int) -> Element | Group:
        ref = node.get("ref")
        if not ref:
            qualified = node.get("form", "qualified" if self.elements_qualified else "") == "qualified"
            namespace = self.target if qualified else None
            return self._declared(node, least, most, namespace)
        head = _local(ref)
        names = self._substitutes(head)
        found = [
            self._global(name)
            for name in names
            if ("element", name) in self.globals and self.globals["element", name].get("abstract") not in ("true", "1")
        ]
        if not found:
            return Element(head, FREE, least, most, self.target)
        if len(found) == 1:
            return replace(found[0], least=least, most=most)
        return Group("choice", tuple(found), least, most)

    def _substitutes(self, head: str) -> list[str]:
        """An element and all that may stand for it."""
        names, at = [head], 0
        while at < len(names):
            names += [name for name in self.members.get(names[at], []) if name not in names]
            at += 1
        return names


def _occurs(node: Any) -> tuple[int, int]:
    most = node.get("maxOccurs", "1").strip()
    return int(node.get("minOccurs", "1")), MANY if most == "unbounded" else int(most)


def _local(name: str) -> str:
    return name.strip().rpartition(":")[2]


def _namespace(node: Any, name: str) -> str | None:
    prefix = name.strip().rpartition(":")[0] or None
    found = node.nsmap.get(prefix)
    return str(found) if found is not None else XML if prefix == "xml" else None
