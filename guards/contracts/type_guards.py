"""Guards that stand inside a Python type (`reply: Annotated[str, Toxicity()]`), and the parts of an instance.

A guard leaves itself in the metadata of pydantic's core schema. From there one tree is built per type, holding only the
branches that lead to guards; an answer's value is walked along it. The document's names are used (aliases).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import SchemaValidator, core_schema

from guards.reading.document import Place, Steps, at

__all__ = ["METADATA_KEY", "GuardTree", "part_of"]

METADATA_KEY: Final = "output_guards"


class GuardTree:
    """Where guards stand in values of one core-schema node. Trees of recursive types are cyclic."""

    __slots__ = ("fields", "here", "items", "members", "others", "positions", "values")

    def __init__(self) -> None:
        self.here: list[Any] = []
        self.fields: list[tuple[type | None, str, str, GuardTree]] = []
        """(class, attribute, name in the document, subtree); no class for a TypedDict."""
        self.items: list[GuardTree] = []
        self.positions: list[tuple[int, GuardTree]] = []
        self.values: list[GuardTree] = []
        self.others: list[GuardTree] = []
        """Further trees of the same value: what a wrapper holds."""
        self.members: list[tuple[Callable[[Any], bool], GuardTree]] = []
        """The members of a union, each with the test whether a value is one of its own."""

    @classmethod
    def of(cls, schema: Any) -> GuardTree | None:
        """The tree of a type's core schema; None where no guard stands in it."""
        tree = _Builder().build(schema)
        return tree if tree.guards else None

    @property
    def guards(self) -> tuple[Any, ...]:
        """All guards in the tree, each once."""
        found: dict[int, Any] = {}
        seen: set[int] = set()
        waiting = [self]
        while waiting:
            tree = waiting.pop()
            if id(tree) in seen:
                continue
            seen.add(id(tree))
            found.update((id(guard), guard) for guard in tree.here)
            waiting += tree.children()
        return tuple(found.values())

    def steps_to(self, guard: Any) -> tuple[Steps, ...] | None:
        """The places of a guard in any value; None where they depend on the value (a union, a type inside itself)."""
        try:
            return tuple(_walk(self, guard, (), ()))
        except _Depends:
            return None

    def children(self) -> list[GuardTree]:
        return [
            *(child for *_, child in self.fields),
            *(child for _, child in self.positions),
            *self.items,
            *self.values,
            *self.others,
            *(child for _, child in self.members),
        ]

    def places(self, value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
        """(place in the document, guard) for every guard that this value has a place for."""
        for guard in self.here:
            yield place, guard
        for other in self.others:
            yield from other.places(value, place)
        for accepts, member in self.members:
            if accepts(value):
                yield from member.places(value, place)
        for owner, attribute, name, child in self.fields:
            if owner is None:
                if isinstance(value, Mapping) and name in value:
                    yield from child.places(value[name], (*place, name))
            elif isinstance(value, owner) and hasattr(value, attribute):
                yield from child.places(getattr(value, attribute), place if name == "" else (*place, name))
        if self.items and isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
            for index, item in enumerate(value):
                for child in self.items:
                    yield from child.places(item, (*place, index))
        if self.positions and isinstance(value, tuple | list):
            for index, child in self.positions:
                if index < len(value):
                    yield from child.places(value[index], (*place, index))
        if self.values and isinstance(value, Mapping):
            for key, item in value.items():
                for child in self.values:
                    yield from child.places(item, (*place, str(key)))


class _Depends(Exception):  # control flow inside this file
    pass


def _walk(tree: GuardTree, guard: Any, steps: Steps, above: tuple[GuardTree, ...]) -> Iterator[Steps]:
    if not _holds(tree, guard):
        return
    if tree in above:
        raise _Depends
    if any(one is guard for one in tree.here):
        yield steps
    if any(accepts is not _is_there and _holds(member, guard) for accepts, member in tree.members):
        raise _Depends
    inner = [(child, steps) for child in (*(member for _, member in tree.members), *tree.others)]
    inner += [(child, (*steps, name) if name else steps) for _, _, name, child in tree.fields]
    inner += [(child, (*steps, index)) for index, child in tree.positions]
    inner += [(child, (*steps, None)) for child in (*tree.items, *tree.values)]
    for child, further in inner:
        yield from _walk(child, guard, further, (*above, tree))


def _holds(tree: GuardTree, guard: Any) -> bool:
    return any(one is guard for one in tree.guards)


class _Builder:
    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self.known: dict[str, GuardTree] = {}

    def build(self, node: Any) -> GuardTree:
        reference: str = node.get("ref") or node.get("schema_ref") or ""
        if reference in self.known:
            return self.known[reference]
        tree = GuardTree()
        if reference:
            self.known[reference] = tree
        for definition in node.get("definitions", ()):
            self.definitions[definition["ref"]] = definition
        if node.get("type") == "definition-ref":
            target = self.definitions.get(reference)
            if target is not None:
                self.fill(tree, target)
        else:
            self.fill(tree, node)
        return tree

    def fill(self, tree: GuardTree, node: Any) -> None:
        tree.here += (node.get("metadata") or {}).get(METADATA_KEY, ())
        kind = node["type"]
        if kind in ("model", "dataclass"):
            self.fields_of(tree, node["cls"], node)
        elif kind == "typed-dict":
            self.named(tree, None, node["fields"])
        elif kind in ("list", "set", "frozenset", "generator"):
            if node.get("items_schema"):
                tree.items.append(self.build(node["items_schema"]))
        elif kind == "tuple":
            variadic = node.get("variadic_item_index")
            for index, item in enumerate(node["items_schema"]):
                child = self.build(item)
                if index == variadic:
                    tree.items.append(child)
                else:
                    tree.positions.append((index, child))
        elif kind == "dict":
            if node.get("values_schema"):
                tree.values.append(self.build(node["values_schema"]))
        elif kind == "nullable":
            # A guard inside `X | None` is about the X.
            tree.members.append((_is_there, self.build(node["schema"])))
        elif kind in ("union", "tagged-union"):
            choices = node["choices"].values() if isinstance(node["choices"], Mapping) else node["choices"]
            for choice in choices:
                member = choice[0] if isinstance(choice, tuple) else choice
                child = self.build(member)
                if child.guards:
                    tree.members.append((self.test_of(member), child))
        else:
            tree.others += [self.build(node[key]) for key in _WRAPPED if isinstance(node.get(key), Mapping)]
            tree.others += [self.build(step) for step in node.get("steps", ())]

    def test_of(self, member: Any) -> Callable[[Any], bool]:
        """Whether a value came of this member of a union."""
        definitions = list(self.definitions.values())
        schema = core_schema.definitions_schema(member, definitions) if definitions else member
        validator = SchemaValidator(schema)
        return lambda value: validator.isinstance_python(value, strict=True)

    def fields_of(self, tree: GuardTree, owner: type, node: Any) -> None:
        """The fields of a model or dataclass, through whatever validators are wrapped around them."""
        inner = node["schema"]
        while inner["type"] not in ("model-fields", "dataclass-args") and isinstance(inner.get("schema"), Mapping):
            inner = inner["schema"]
        if node.get("root_model"):
            tree.fields.append((owner, "root", "", self.build(node["schema"])))
        elif inner["type"] in ("model-fields", "dataclass-args"):
            self.named(tree, owner, inner["fields"])

    def named(self, tree: GuardTree, owner: type | None, fields: Any) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else ((f["name"], f) for f in fields)
        for attribute, node in pairs:
            # A TypedDict's value is a dict by the field's own name, whatever the document called it.
            name = attribute if owner is None else document_name(node, attribute)
            tree.fields.append((owner, attribute, name, self.build(node["schema"])))


def _is_there(value: Any) -> bool:
    return value is not None


_WRAPPED: Final = ("schema", "strict_schema", "json_schema")


def document_name(node: Mapping[str, Any], attribute: str) -> str:
    """What a field is called in the document: its validation alias (the first, of several), else its own name."""
    alias = node.get("validation_alias")
    while isinstance(alias, list) and alias:
        alias = alias[0]
    return alias if isinstance(alias, str) else attribute


def part_of(value: Any, data: Any, place: Place) -> Any:
    """The part of an instance at a place of the document.

    Falls back to the document's own part where the instance has no such place (a set, a value that a validator
    rebuilt). Raises LookupError when neither has it.
    """
    here = value
    for part in place:
        try:
            here = _member(here, part)
        except (LookupError, TypeError, AttributeError, StopIteration):
            return at(data, place)
    return here


def _member(value: Any, part: str | int) -> Any:
    fields = getattr(type(value), "model_fields", None) or getattr(type(value), "__pydantic_fields__", None)
    if fields is not None and not isinstance(value, Mapping):
        if "root" in fields and len(fields) == 1 and hasattr(value, "root"):
            return _member(value.root, part)
        for name, field in fields.items():
            if part in (name, field.alias, field.validation_alias):
                return getattr(value, name)
        return getattr(value, str(part))
    if dataclasses.is_dataclass(value):
        return getattr(value, str(part))
    if isinstance(value, Mapping):
        return value[part] if part in value else value[_key(value, part)]
    return value[part]


def _key(value: Mapping[Any, Any], part: str | int) -> Any:
    """The key that the document wrote as this text (`{1: ...}` is `{"1": ...}` in JSON)."""
    return next(key for key in value if str(getattr(key, "value", key)) == str(part))
