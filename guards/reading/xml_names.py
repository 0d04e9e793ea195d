"""What the names of a schema say: which elements there are, which may be the root, and which stand in which."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Final

from guards.reading.spelling import folded, one_of_many
from guards.reading.xml_node import BLANK, Node
from guards.reading.xml_shape import XSI, SchemaShape, Shape

__all__ = ["Names", "is_leaf", "may_repeat", "names_item"]


class Names:
    """The names of a schema, folded: which elements there are, which may be the root, and which stand in which."""

    def __init__(self, schema: SchemaShape) -> None:
        self.schema = schema

    @cached_property
    def roots(self) -> dict[str, Shape]:
        return {folded(name): element.shape for name, element in self.schema.roots.items()}

    def key(self, name: str) -> str:
        """What tells an element's tags from those of others: the name folded, save where the schema has names that
        differ by case or marks alone (`Answer` and `answer`)."""
        return name if name in self._alike else folded(name)

    @cached_property
    def _alike(self) -> frozenset[str]:
        spelled: dict[str, set[str]] = defaultdict(set)
        for name in self._names:
            spelled[folded(name)].add(name)
        return frozenset(name for names in spelled.values() if len(names) > 1 for name in names)

    def knows(self, name: str) -> bool:
        """Whether any element of the schema has that name."""
        return folded(name) in self.everywhere

    @cached_property
    def everywhere(self) -> frozenset[str]:
        """Every element name of the schema, folded."""
        return frozenset(map(folded, self._names))

    @cached_property
    def _names(self) -> frozenset[str]:
        return self._members | self.schema.roots.keys()

    @cached_property
    def beside(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names, folded, that a document holds and that thus are missed where they stand beside it: those that no
        root has, and those that also a root has that holds elements and no text."""
        members = frozenset(map(folded, self._members))
        roots = {name for name, shape in self.roots.items() if not (shape.free or shape.mixed or is_leaf(shape))}
        return members - self.roots.keys(), members & roots

    def may_be_root(self, node: Node) -> bool:
        """Whether an element is a root by its name, and not by what it holds a part of one that has the same name."""
        name = folded(node.name)
        root = self.roots.get(name)
        if name not in self.beside[1] or (node.name in self.schema.roots and node.name not in self._members):
            return root is not None
        return any(self.child(root, folded(inner.name)) is not None for inner in node.nodes)

    @cached_property
    def _members(self) -> frozenset[str]:
        return frozenset(name for name, _ in self._uses)

    @cached_property
    def attributes(self) -> frozenset[str]:
        """The names of all attributes of the schema, folded."""
        return frozenset(folded(attribute.name) for shape in self._shapes for attribute in shape.attributes.values())

    @cached_property
    def _uses(self) -> set[tuple[str, str | None]]:
        """The names of all elements that stand in others, with their namespaces."""
        return {(key.rpartition("}")[2], shape.spaces.get(key)) for shape in self._shapes for key in shape.children}

    @cached_property
    def _shapes(self) -> list[Shape]:
        """The shapes of the roots, and of what stands in them."""
        shapes: list[Shape] = []
        waiting = list(self.roots.values())
        seen: set[int] = set()
        while waiting:
            shape = waiting.pop()
            if id(shape) not in seen:
                seen.add(id(shape))
                shapes.append(shape)
                waiting += (inner for inner, _ in shape.children.values())
        return shapes

    @cached_property
    def _spaces_of(self) -> dict[str, set[str | None]]:
        """The namespaces that the schema has each element name in, folded."""
        found: dict[str, set[str | None]] = {}
        for name, space in self._uses:
            found.setdefault(folded(name), set()).add(space)
        return found

    def child(self, shape: Shape | None, name: str, space: str | None = None) -> Shape | None:
        """The shape of the child of that folded name; None where there is none.

        `space` where the child has a namespace that cannot be the document's own, so that only that one will do.
        """
        if shape is None:
            return None
        known = self._children.get(id(shape))
        if known is None:
            known = self._children[id(shape)] = {}
            for key, (inner, _) in shape.children.items():
                plain = folded(key.rpartition("}")[2])
                known.setdefault((plain, None), inner)
                known[plain, shape.spaces.get(key)] = inner
        return known.get((name, space))

    @cached_property
    def _children(self) -> dict[int, dict[tuple[str, str | None], Shape]]:
        return {}

    def foreign(self, node: Node, root: Node | None) -> bool:
        """Whether an element is of another namespace than the schema and its document's root, if there is one."""
        if root is None:
            return False
        if node.unbound:
            # One that the schema has in one other namespace alone has a prefix wherever it stands.
            spaces = self._spaces_of.get(folded(node.name), {None})
            imported = len(spaces) == 1 and spaces.isdisjoint({None, root.space})
            return node.prefix != root.prefix and not imported
        return node.space is not None and node.space not in (*self.spaces, root.space)

    def chosen(self, node: Node) -> Shape | None:
        """The shape of the type that an element's `xsi:type` names."""
        for name, value in node.attributes:
            prefix, _, local = name.rpartition(":")
            if local == "type" and node.spaces.get(prefix, XSI if prefix == "xsi" else None) == XSI and prefix:
                of, _, named = value.strip(BLANK).rpartition(":")
                return self.schema.named_type(named, node.spaces.get(of))
        return None

    def space_of(self, shape: Shape) -> str | None:
        """The namespace of a type that has a name."""
        return self._type_spaces.get(id(shape))

    @cached_property
    def _type_spaces(self) -> dict[int, str]:
        return {id(shape): _space_in(key) for key, shape in self.schema.types.items() if key.startswith("{")}

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """A prefix for each namespace that types have."""
        spaces = dict.fromkeys(filter(None, map(_space_in, self.schema.types)))
        return {f"ns{number}": space for number, space in enumerate(spaces)}

    @cached_property
    def spaces(self) -> frozenset[str | None]:
        """The namespaces of the roots."""
        return frozenset(element.namespace for element in self.schema.roots.values())

    def root_with(self, name: str) -> Shape | None:
        """The shape of the only root that has such a child."""
        found = [shape for shape in self.roots.values() if self.child(shape, name) is not None]
        return found[0] if len(found) == 1 else None


def names_item(name: str, around: str) -> bool:
    """Whether an element is by its name an item of what the element around it holds."""
    return folded(name) in _ITEMS or one_of_many(name, around)


_ITEMS: Final = frozenset({"item", "li", "element", "entry", "value"})


def is_leaf(shape: Shape | None) -> bool:
    """Whether an element of this shape holds text and no elements."""
    return shape is not None and (shape.simple or (shape.text is not None and not shape.children and not shape.mixed))


def may_repeat(shape: Shape | None, name: str) -> bool:
    """Whether children of that folded name may stand there several times."""
    children = shape.children.items() if shape is not None else ()
    return any(many for key, (_, many) in children if folded(key.rpartition("}")[2]) == name)


def _space_in(key: str) -> str:
    return key[1:].rpartition("}")[0]
