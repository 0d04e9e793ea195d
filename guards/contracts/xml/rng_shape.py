"""What a RELAX NG grammar (XML syntax) lets each element hold: its patterns walked into `reading.xml_shape`.

libxml2 judges documents; this only has to know what repeats, what a leaf's type is and what a prompt should say.
RELAX NG may give one name several contents in one place; their shapes are then merged, and where types differ the
text stays as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from guards.contracts.xml.xsd_shape import builtin
from guards.reading.xml_document import child_elements, local_name, qualified_key
from guards.reading.xml_shape import (
    MANY,
    XML,
    Attribute,
    Element,
    Group,
    SchemaShape,
    Shape,
    SimpleType,
    Wildcard,
)

__all__ = ["shape_of_rng"]

_PARAMETERS: Final = frozenset(
    [
        "minInclusive",
        "maxInclusive",
        "minExclusive",
        "maxExclusive",
        "minLength",
        "maxLength",
        "length",
        "totalDigits",
        "fractionDigits",
    ]
)
_LEAST: Final[dict[str, tuple[int, int]]] = {
    "optional": (0, 1),
    "zeroOrMore": (0, MANY),
    "oneOrMore": (1, MANY),
}

Part = Element | Group | Wildcard


def shape_of_rng(schema: Any) -> SchemaShape:
    """The shape of every element that a grammar lets be the root."""
    return _Walk(schema).whole()


@dataclass(slots=True)
class _Found:
    """What a pattern brings to the element that holds it."""

    parts: list[Part] = field(default_factory=list)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    texts: list[SimpleType] = field(default_factory=list)
    any_attribute: bool = False
    empty: bool = False


class _Walk:
    """One walk over a grammar. Elements are remembered by their node, so recursion ends."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self.defines: dict[tuple[Any, str], list[Any]] = {}
        self.shapes: dict[Any, Shape] = {}
        self.unfilled: list[Any] = []
        for grammar in schema.iter("{*}grammar"):
            self._collect(grammar, grammar)

    def whole(self) -> SchemaShape:
        whole = local_name(self.schema) == "grammar"
        starts = self.defines.get((self.schema, ""), []) if whole else [self.schema]
        roots: dict[str, Element] = {}
        for start in starts:
            found = self._pattern(start, ()) if start is self.schema else self._all(start, ())
            for part in _elements(found.parts):
                roots.setdefault(part.name, replace(part, least=1, most=1))
        while self.unfilled:
            self._fill(self.unfilled.pop())
        return SchemaShape(roots)

    def _collect(self, grammar: Any, node: Any) -> None:
        for child in child_elements(node):
            kind = local_name(child)
            if kind == "div":
                self._collect(grammar, child)
            elif kind in ("define", "start"):
                self.defines.setdefault(
                    (grammar, child.get("name", "").strip() if kind == "define" else ""), []
                ).append(child)

    # -- elements ------------------------------------------------------------------------------------------------

    def _element(self, node: Any) -> list[Part]:
        names = _names(node)
        if node not in self.shapes:
            self.shapes[node] = Shape()
            self.unfilled.append(node)
        shape = self.shapes[node]
        if names is None:
            return [Wildcard()]
        uses: list[Part] = [Element(name, shape, 1, 1, space) for name, space in names]
        return uses if len(uses) == 1 else [Group("choice", tuple(uses))]

    def _fill(self, node: Any) -> None:
        shape = self.shapes[node]
        found = self._all(node, ())
        for attribute in found.attributes.values():
            shape.declare(attribute)
        shape.any_attribute = found.any_attribute
        if found.parts:
            shape.content = Group("sequence", tuple(found.parts))
            shape.mixed = bool(found.texts)
        if found.texts:
            shape.text = _together(found.texts)
        shape.simple = bool(found.texts) and not (found.parts or found.attributes or found.any_attribute)
        shape.close()
        # One name with several contents: only what all of them say of its text is known.
        for name, (kept, repeats) in list(shape.children.items()):
            same = {id(e.shape): e.shape for e in _elements(found.parts) if shape.key(e.name, e.namespace) == name}
            if len(same) > 1:
                shape.children[name] = (self._merged(kept, list(same.values())), repeats)

    def _merged(self, first: Shape, shapes: list[Shape]) -> Shape:
        for node, shape in list(self.shapes.items()):
            if node in self.unfilled and any(shape is other for other in shapes):
                self.unfilled.remove(node)
                self._fill(node)
        merged = Shape(
            simple=all(s.simple for s in shapes),
            mixed=any(s.mixed for s in shapes),
            text=_together([s.text for s in shapes if s.text is not None]) if any(s.text for s in shapes) else None,
            content=Group("choice", tuple(s.content for s in shapes if s.content is not None)),
        )
        for shape in shapes:
            for key, attribute in shape.attributes.items():
                known = merged.attributes.get(key)
                kind = attribute.type if known is None or known.type == attribute.type else SimpleType()
                merged.attributes[key] = replace(attribute, required=False, type=kind)
        merged.close()
        return merged

    # -- patterns ------------------------------------------------------------------------------------------------

    def _all(self, node: Any, seen: tuple[Any, ...]) -> _Found:
        """What the patterns inside a node bring, one after the other."""
        whole = _Found()
        for child in child_elements(node):
            if local_name(child) in ("name", "anyName", "nsName", "except") or not _is_rng(child, self.schema):
                continue
            one = self._pattern(child, seen)
            whole.parts += one.parts
            _add_attributes(whole, one)
            whole.texts += one.texts
        return whole

    def _pattern(self, node: Any, seen: tuple[Any, ...]) -> _Found:
        kind = local_name(node)
        if kind == "element":
            return _Found(parts=self._element(node))
        if kind == "attribute":
            return self._attribute(node, seen)
        if kind == "text":
            return _Found(texts=[builtin("string")])
        if kind == "data":
            return _Found(texts=[_data(node)])
        if kind == "value":
            base = builtin(node.get("type", "token"))
            return _Found(texts=[replace(base, enumeration=((node.text or "").strip(),))])
        if kind == "list":
            return _Found(texts=[SimpleType("string", "text", "list", members=tuple(self._all(node, seen).texts))])
        if kind in ("ref", "parentRef"):
            return self._reference(node, seen, up=kind == "parentRef")
        if kind == "grammar":
            return self._defined(node, "", seen)
        if kind in _LEAST:
            return self._repeated(node, seen, *_LEAST[kind])
        if kind == "choice":
            return self._choice(node, seen)
        if kind == "mixed":
            found = self._all(node, seen)
            found.texts.append(builtin("string"))
            return found
        if kind in ("group", "interleave", "div", "define", "start"):
            found = self._all(node, seen)
            if kind == "interleave" and len(found.parts) > 1:
                found.parts = [Group("all", tuple(found.parts))]
            elif len(found.parts) > 1:
                found.parts = [Group("sequence", tuple(found.parts))]
            return found
        return _Found(empty=kind == "empty")

    def _repeated(self, node: Any, seen: tuple[Any, ...], least: int, most: int) -> _Found:
        found = self._all(node, seen)
        only = found.parts[0] if len(found.parts) == 1 else None
        if isinstance(only, Element) and (only.least, only.most) == (1, 1):
            found.parts = [replace(only, least=least, most=most)]
        elif found.parts:
            found.parts = [Group("sequence", tuple(found.parts), least, most)]
        if least == 0:
            found.attributes = {n: replace(a, required=False) for n, a in found.attributes.items()}
        return found

    def _choice(self, node: Any, seen: tuple[Any, ...]) -> _Found:
        whole = _Found()
        branches = [self._pattern(c, seen) for c in child_elements(node) if _is_rng(c, self.schema)]
        bare = any(not branch.parts for branch in branches)
        options = tuple(
            branch.parts[0] if len(branch.parts) == 1 else Group("sequence", tuple(branch.parts))
            for branch in branches
            if branch.parts
        )
        if options:
            whole.parts = [Group("choice", options, 0 if bare else 1)]
        for branch in branches:
            _add_attributes(whole, branch)
        for name, attribute in whole.attributes.items():
            same = [branch.attributes[name] for branch in branches if name in branch.attributes]
            required = len(same) == len(branches) and all(one.required for one in same)
            whole.attributes[name] = replace(attribute, required=required, type=_together([one.type for one in same]))
        texts = [text for branch in branches for text in branch.texts]
        if texts:
            whole.texts = [_together(texts)]
        return whole

    def _reference(self, node: Any, seen: tuple[Any, ...], *, up: bool) -> _Found:
        grammar = next(node.iterancestors("{*}grammar"), None)
        if up and grammar is not None:
            grammar = next(grammar.iterancestors("{*}grammar"), None)
        return self._defined(grammar, node.get("name", "").strip(), seen)

    def _defined(self, grammar: Any, name: str, seen: tuple[Any, ...]) -> _Found:
        # A reference that comes back without an element between is refused by libxml2; this only keeps it finite.
        if (grammar, name) in seen:
            return _Found()
        nodes = self.defines.get((grammar, name), [])
        found = [self._all(node, (*seen, (grammar, name))) for node in nodes]
        if len(found) == 1:
            return found[0]
        whole = _Found()
        combine = next((node.get("combine") for node in nodes if node.get("combine")), "choice")
        groups = tuple(Group("sequence", tuple(one.parts)) for one in found if one.parts)
        if groups:
            whole.parts = [Group("all" if combine == "interleave" else "choice", groups)]
        for one in found:
            _add_attributes(whole, one)
            whole.texts += one.texts
        return whole

    def _attribute(self, node: Any, seen: tuple[Any, ...]) -> _Found:
        names = _names(node)
        if names is None:
            return _Found(any_attribute=True)
        texts = self._all(node, seen).texts
        nothing = any(local_name(child) == "empty" for child in child_elements(node))
        kind = _together(texts) if texts else SimpleType(enumeration=("",)) if nothing else builtin("string")
        found = [Attribute(local, kind, True, space) for local, space in names]
        return _Found(attributes={qualified_key(one.name, one.namespace): one for one in found})


def _data(node: Any) -> SimpleType:
    base = builtin(node.get("type", "string"))
    facets: dict[str, str] = {}
    patterns: list[str] = []
    for child in child_elements(node):
        if local_name(child) == "param":
            name, value = child.get("name", ""), child.text or ""
            if name == "pattern":
                patterns.append(value)
            elif name in _PARAMETERS:
                facets[name] = value.strip()
    return replace(base, facets=facets, patterns=tuple(patterns))


def _together(texts: list[SimpleType]) -> SimpleType:
    """One type for a text that may be of several."""
    if len(texts) == 1 or all(text == texts[0] for text in texts):
        return texts[0]
    kinds = {text.kind for text in texts}
    if all(text.enumeration for text in texts):
        choices = tuple(choice for text in texts for choice in text.enumeration)
        kind = texts[0].kind if len(kinds) == 1 else "text"
        return SimpleType(texts[0].base if len(kinds) == 1 else "string", kind, enumeration=choices)
    if len(kinds) == 1 and texts[0].kind != "text":
        return SimpleType(texts[0].base, texts[0].kind, members=tuple(texts))
    return SimpleType("string", "text", "union", members=tuple(texts))


def _elements(parts: list[Part]) -> list[Element]:
    found: list[Element] = []
    for part in parts:
        if isinstance(part, Element):
            found.append(part)
        elif isinstance(part, Group):
            found += _elements(list(part.items))
    return found


def _add_attributes(whole: _Found, one: _Found) -> None:
    whole.attributes.update(one.attributes)
    whole.any_attribute = whole.any_attribute or one.any_attribute


def _is_rng(node: Any, schema: Any) -> bool:
    return bool(node.tag.rpartition("}")[0] == schema.tag.rpartition("}")[0])


def _names(node: Any) -> list[tuple[str, str | None]] | None:
    """The local names that an element or attribute pattern allows, with their namespaces; None for any."""
    if not node.get("name"):
        return _name_class(child_elements(node)[0])
    name = node.get("name").strip()
    # An attribute that is named in short inherits no namespace (RELAX NG, section 4.8).
    space = _prefixed(node, name) if ":" in name or local_name(node) == "element" else node.get("ns") or None
    return [(name.rpartition(":")[2], space)]


def _name_class(node: Any) -> list[tuple[str, str | None]] | None:
    kind = local_name(node)
    if kind == "name":
        name = (node.text or "").strip()
        return [(name.rpartition(":")[2], _prefixed(node, name))]
    if kind == "choice":
        inner = [_name_class(child) for child in child_elements(node)]
        return None if None in inner else [name for names in inner if names for name in names]
    return None


def _prefixed(node: Any, name: str) -> str | None:
    """The namespace of a name: its prefix, else the nearest `ns` attribute."""
    prefix = name.rpartition(":")[0]
    if prefix:
        return XML if prefix == "xml" else node.nsmap.get(prefix)
    while node is not None:
        if node.get("ns") is not None:
            return node.get("ns") or None
        node = node.getparent()
    return None
