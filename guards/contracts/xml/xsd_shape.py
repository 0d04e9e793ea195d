"""What an XML Schema lets each element hold: its declarations walked into `reading.xml_shape`.

libxml2 judges documents; this only has to know what repeats, what a leaf's type is and what a prompt should say. The
schema was compiled by libxml2 before, so a reference that leads nowhere does not come here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from guards.contracts.xml.attributes import XML_ATTRIBUTES, XSD
from guards.reading.xml_document import child_elements, local_name, qualified_key
from guards.reading.xml_shape import (
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

__all__ = ["builtin", "collapsed", "shape_of_xsd"]

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


def shape_of_xsd(*documents: Any) -> SchemaShape:
    """The shape of everything that the documents of a schema declare; the first one is the schema itself."""
    return _Walk(documents).whole()


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


Name = tuple[str | None, str]
"""The namespace and the local name of what a schema declares."""


class _Walk:
    """One walk over a schema. Types and elements are remembered by their node, so recursion ends."""

    def __init__(self, documents: Sequence[Any]) -> None:
        self.globals: dict[tuple[str, Name], Any] = {}
        self.members: dict[Name, list[Name]] = {}
        # What is redefined, by what stands in its place: that one refers to it by the name of both.
        self.originals: dict[Any, Any] = {}
        # What a document redefines comes behind what it redefines.
        for schema in documents:
            for node in child_elements(schema):
                self._enter(node, schema.get("targetNamespace"))
        for schema in reversed(documents):
            for redefined in schema.iterchildren(f"{{{XSD}}}redefine"):
                for node in child_elements(redefined):
                    self._enter(node, schema.get("targetNamespace"))
        self.builtins: dict[str, Shape] = {}
        self.shapes: dict[Any, Shape] = {}
        self.unfilled: list[Any] = []
        self.full: set[Any] = set()
        self.simples: dict[Any, SimpleType] = {}

    def _enter(self, node: Any, space: str | None) -> None:
        name = node.get("name")
        if not name:
            return
        kind = "type" if local_name(node) in ("simpleType", "complexType") else local_name(node)
        known = self.globals.get((kind, (space, name)))
        if known is not None:
            self.originals[node] = known
        self.globals[kind, (space, name)] = node
        head = node.get("substitutionGroup")
        if head:
            self.members.setdefault(_name(node, head), []).append((space, name))

    def whole(self) -> SchemaShape:
        elements = {name: self._global(name) for kind, name in list(self.globals) if kind == "element"}
        roots: dict[str, Element] = {}
        for name, element in elements.items():
            if self.globals["element", name].get("abstract") not in ("true", "1"):
                roots.setdefault(name[1], element)
        named = {name: self._type_shape(node) for (kind, name), node in self.globals.items() if kind == "type"}
        while self.unfilled:
            self._filled(self.unfilled.pop())
        types: dict[str, Shape] = {}
        for (space, local), shape in named.items():
            self._stand_ins((space, local), shape)
            types.setdefault(local, shape)
            types[qualified_key(local, space)] = shape
        return SchemaShape(roots, types, {qualified_key(local, space): one for (space, local), one in elements.items()})

    def _stand_ins(self, name: Name, shape: Shape) -> None:
        """Enters a type with those that it is derived from: an `xsi:type` may name it there."""
        node = self.globals["type", name]
        if node.get("abstract") in ("true", "1"):
            return
        seen: set[Any] = set()
        while node is not None and node not in seen:
            seen.add(node)
            base = next((n for n in node.iter(f"{{{XSD}}}extension", f"{{{XSD}}}restriction") if n.get("base")), None)
            node = self._found("type", base, base.get("base")) if base is not None else None
            if node is not None:
                self._type_shape(node).derived.append(shape)
                if node.get("abstract") in ("true", "1"):
                    self._type_shape(node).stand_ins[name[1]] = (shape, name[0])

    def _found(self, kind: str, node: Any, name: str) -> Any | None:
        """The declaration that a name in a node means; None for one of XML Schema's own."""
        found = self.globals.get((kind, _name(node, name)))
        if found in self.originals and any(outer is found for outer in (node, *node.iterancestors())):
            return self.originals[found]
        return found

    # -- elements ------------------------------------------------------------------------------------------------

    def _global(self, name: Name) -> Element:
        node = self.globals["element", name]
        return self._declared(node, namespace=name[0])

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
        head = self._found("element", node, node.get("substitutionGroup", ""))
        return self._declared_type(head) if head is not None else FREE

    def _named_shape(self, node: Any, name: str) -> Shape:
        found = self._found("type", node, name)
        if found is not None:
            return self._type_shape(found)
        space, local = _name(node, name)
        if space != XSD or local == "anyType":
            return FREE
        return self.builtins.setdefault(local, Shape(simple=True, text=builtin(local)))

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
        found = self._found("type", holder, name)
        return self._named_shape(holder, name) if found is None else self._filled(found)

    def _attributes(self, holder: Any, shape: Shape) -> None:
        for node in child_elements(holder):
            kind = local_name(node)
            if kind == "attribute":
                self._attribute(node, shape)
            elif kind == "attributeGroup":
                found = self._found("attributeGroup", node, node.get("ref", ""))
                if found is not None:
                    self._attributes(found, shape)
                elif _name(node, node.get("ref", ""))[0] == XML:
                    for name, known in XML_ATTRIBUTES.items():
                        shape.declare(Attribute(name, known, False, XML))
            elif kind == "anyAttribute":
                shape.any_attribute = True

    def _attribute(self, node: Any, shape: Shape) -> None:
        declared, namespace = node, None
        if node.get("ref"):
            namespace = _name(node, node.get("ref"))[0]
            declared = self._found("attribute", node, node.get("ref"))
            declared = node if declared is None else declared
        else:
            namespace = _own_namespace(node, "attributeFormDefault")
        name = declared.get("name") or _name(node, node.get("ref", ""))[1]
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
        found = self._found("type", node, name)
        if found is None:
            space, local = _name(node, name)
            return builtin(local if space == XSD else "string")
        return self._simple(found) if local_name(found) == "simpleType" else builtin("string")

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
            found = self._found("group", node, node.get("ref", ""))
            inner = [c for c in child_elements(found) if local_name(c) in _GROUPS] if found is not None else []
            return Group("sequence", self._particles(inner), least, most)
        parts = self._particles(
            c for c in child_elements(node) if local_name(c) in (*_GROUPS, "group", "element", "any")
        )
        return Group("choice" if kind == "choice" else "all" if kind == "all" else "sequence", parts, least, most)

    def _wildcard(self, node: Any, least: int, most: int) -> Wildcard:
        words, target = node.get("namespace", "##any").split(), _target(node)
        if words == ["##any"]:
            return Wildcard(least, most)
        if words == ["##other"]:
            return Wildcard(least, most, but=frozenset({None, target}))
        known = {"##local": None, "##targetNamespace": target}
        return Wildcard(least, most, named=frozenset(known.get(word, word) for word in words))

    def _particles(self, nodes: Iterable[Any]) -> tuple[Element | Group | Wildcard, ...]:
        """What may occur at all: maxOccurs="0" takes a part out of the model."""
        return tuple(part for part in map(self._particle, nodes) if part.most)

    def _use(self, node: Any, least: int, most: int) -> Element | Group:
        ref = node.get("ref")
        if not ref:
            return self._declared(node, least, most, _own_namespace(node, "elementFormDefault"))
        head = _name(node, ref)
        names = self._substitutes(head)
        found = [
            self._global(name)
            for name in names
            if ("element", name) in self.globals and self.globals["element", name].get("abstract") not in ("true", "1")
        ]
        if not found:
            return Element(head[1], FREE, least, most, head[0])
        if len(found) == 1:
            return replace(found[0], least=least, most=most)
        return Group("choice", tuple(found), least, most)

    def _substitutes(self, head: Name) -> list[Name]:
        """An element and all that may stand for it."""
        names, at = [head], 0
        while at < len(names):
            names += [name for name in self.members.get(names[at], []) if name not in names]
            at += 1
        return names


def _occurs(node: Any) -> tuple[int, int]:
    most = node.get("maxOccurs", "1").strip()
    return int(node.get("minOccurs", "1")), MANY if most == "unbounded" else int(most)


def _name(node: Any, name: str) -> Name:
    """What a name in a node says."""
    prefix, _, local = name.strip().rpartition(":")
    found = node.nsmap.get(prefix or None)
    return str(found) if found is not None else XML if prefix == "xml" else None, local


def _target(node: Any) -> str | None:
    return node.getroottree().getroot().get("targetNamespace") or None


def _own_namespace(node: Any, default: str) -> str | None:
    """The namespace of what is declared inside of a type."""
    form = node.get("form") or node.getroottree().getroot().get(default)
    return _target(node) if form == "qualified" else None
