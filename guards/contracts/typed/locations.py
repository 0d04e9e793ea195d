"""Where pydantic's errors stand in the document: its locations, less what is in no document.

pydantic puts tags of unions into its locations (`("pet", "Cat", "name")`). They are told from real keys by walking the
core schema along the location, never by looking like a tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from typing import Any, Final, TypeAlias

from guards.contracts.typed.forms import form_of, plain_of
from guards.contracts.typed.nodes import named
from guards.contracts.typed.validator import reads_source
from guards.reading.document import Place

__all__ = ["Located", "Locations", "Member"]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a union that was tried at a place. `known` are the keys that its objects have; None where it is not
    about an object of named keys."""

    place: Place
    index: int
    known: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Located:
    """`node` is what the core schema says there, where it is known. `is_key`: the key there is meant, not its value.
    `inside`: where in the JSON that a text holds, for a type that reads such a text. `reads_json`: whether the value
    itself is one."""

    place: Place
    members: tuple[Member, ...] = ()
    node: Any = None
    is_key: bool = False
    inside: Place | None = None
    reads_json: bool = False


class Locations:
    """Places in documents of one core schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._definitions = named(schema)
        # Models fail at the same few places again and again.
        self._known_of = lru_cache(maxsize=1024)(self._of)

    def of(self, error: Mapping[str, Any]) -> Located:
        """Where an error stands. Behind a key pydantic writes a mark where it means the key itself, and another key may
        look like that: an error about a key is about its very text."""
        loc: tuple[int | str, ...] = error["loc"]
        given = error["input"]
        about_key = _KEY in loc and any(
            mark == _KEY and key == given for key, mark in pairwise(loc) if isinstance(given, str)
        )
        return self._known_of(loc, about_key)

    def _of(self, loc: tuple[int | str, ...], about_key: bool) -> Located:
        ways = list(islice(self._walk(self._schema, loc, 0), _MOST_WAYS if _KEY in loc else 1))
        meant = [way for way in ways if any(isinstance(one, _End) and one.is_key for one in way) == about_key]
        walked = next(iter(meant or ways), None)
        if walked is None:
            return Located(tuple(loc))
        place: list[int | str] = []
        members: list[Member] = []
        node, is_key, inside = None, False, None
        for part in walked:
            if isinstance(part, _Tried):
                members.append(Member(tuple(place), part.index, self._known(part.node)))
            elif isinstance(part, _End):
                node, is_key = part.node, part.is_key
            elif isinstance(part, _Inside):
                inside = len(place) if inside is None else inside
            else:
                place.append(part)
        if inside is not None:
            return Located(tuple(place[:inside]), (), node, is_key, tuple(place[inside:]))
        reads_json = next(self.within(node, "json"), None) is not None
        return Located(tuple(place), tuple(members), node, is_key, reads_json=reads_json)

    def within(self, node: Any, *kinds: str) -> Iterator[Any]:
        """The nodes of these kinds that are about the same value as a node: itself, or what it is wrapped around."""
        waiting, seen = [node], set()
        while waiting:
            node = waiting.pop()
            if not isinstance(node, Mapping) or id(node) in seen:
                continue
            seen.add(id(node))
            if node["type"] in kinds:
                yield node
            elif node["type"] == "definition-ref":
                waiting.append(self._definitions.get(node["schema_ref"]))
            elif form_of(node):
                waiting.append(plain_of(node))
            elif reads_source(node):
                waiting += (node["choices"]["python"], node["choices"]["json"].get("schema"))
            else:
                waiting += [*reversed(node.get("steps", ())), *(node.get(key) for key in reversed(_WRAPPED))]

    def required(self, node: Any) -> list[str]:
        """The keys that an object of this node must have, as the document writes them."""
        return [str(names[0][0]) for names, must in self._fields(node) if must]

    def _known(self, node: Any) -> frozenset[str] | None:
        fields = list(self._fields(node))
        return frozenset(str(path[0]) for names, _ in fields for path in names) if fields else None

    def _fields(self, node: Any) -> Iterator[tuple[list[tuple[int | str, ...]], bool]]:
        """The names of each field of an object, and whether it must be there."""
        for holder in self.within(node, "model-fields", "typed-dict", "dataclass-args"):
            for name, field in _named(holder):
                required = field.get("required", holder.get("total", True)) and field["schema"]["type"] != "default"
                yield _names(name, field), required

    def _walk(self, node: Any, loc: tuple[int | str, ...], depth: int) -> Iterator[list[_Part]]:
        """The keys and indexes of `loc` under this node; nothing where the node has no such place."""
        if depth > 4 * len(loc) + 200:
            return
        if not loc:
            yield [_End(node)]
            return
        kind = node["type"]
        first, rest = loc[0], loc[1:]
        if kind == "definition-ref":
            target = self._definitions.get(node["schema_ref"])
            if target is not None:
                yield from self._walk(target, loc, depth + 1)
        elif kind == "union":
            for index, (member, label) in enumerate(node["choices"]):
                if label == first:
                    yield from ([_Tried(index, member), *tail] for tail in self._walk(member, rest, depth + 1))
        elif reads_source(node):
            chosen = node["choices"].get(first)
            if chosen is not None:
                yield from self._walk(chosen["schema"] if first == "json" else chosen, rest, depth + 1)
        elif kind == "tagged-union":
            chosen = next((m for tag, m in node["choices"].items() if str(_plain_tag(tag)) == str(first)), None)
            if chosen is not None:
                yield from self._walk(chosen, rest, depth + 1)
        elif kind in ("model-fields", "typed-dict", "dataclass-args"):
            yield from self._walk_fields(node, loc, depth)
        elif kind == "named-tuple":
            for position, field in enumerate(node["fields"]):
                if first in (position, field["name"]):
                    yield from ([first, *tail] for tail in self._walk(field["schema"], rest, depth + 1))
            if not rest:
                yield [first]
        elif kind in ("list", "set", "frozenset", "deque", "tuple"):
            yield from self._walk_items(node, first, rest, depth)
        elif kind in ("dict", "ordered-dict", "frozendict", "counter"):
            if rest[:1] == (_KEY,):
                yield [first, _End(None, is_key=True)]
            if node.get("values_schema"):
                yield from ([first, *tail] for tail in self._walk(node["values_schema"], rest, depth + 1))
            elif not rest:
                yield [first]
        elif kind == "json" and node.get("schema"):
            yield from ([_INSIDE, *tail] for tail in self._walk(node["schema"], loc, depth + 1))
        else:
            for key in _WRAPPED:
                if isinstance(node.get(key), Mapping):
                    yield from self._walk(node[key], loc, depth + 1)
            for step in node.get("steps", ()):
                yield from self._walk(step, loc, depth + 1)
            arguments = node.get("arguments_schema")
            if isinstance(arguments, list):  # a NamedTuple: its fields by position or name
                for position, argument in enumerate(arguments):
                    if first in (position, argument["name"]):
                        yield from ([first, *tail] for tail in self._walk(argument["schema"], rest, depth + 1))

    def _walk_fields(self, node: Any, loc: tuple[int | str, ...], depth: int) -> Iterator[list[_Part]]:
        for name, field in _named(node):
            for names in _names(name, field):
                if loc[: len(names)] == names:
                    for tail in self._walk(field["schema"], loc[len(names) :], depth + 1):
                        yield [*names, *tail]
        extras = node.get("extras_schema")
        if extras is not None:
            for tail in self._walk(extras, loc[1:], depth + 1):
                yield [loc[0], *tail]
        if len(loc) == 1:  # an extra key that is forbidden
            yield [loc[0]]

    def _walk_items(
        self, node: Any, first: int | str, rest: tuple[int | str, ...], depth: int
    ) -> Iterator[list[_Part]]:
        if not isinstance(first, int):
            return
        items = node.get("items_schema")
        members = items if isinstance(items, list) else [items] if items else []
        for member in members:
            for tail in self._walk(member, rest, depth + 1):
                yield [first, *tail]
        if not rest:
            yield [first]


@dataclass(frozen=True, slots=True)
class _Tried:
    """In a walked location: which member of a union was tried there."""

    index: int
    node: Any


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a walked location, and what the schema says there."""

    node: Any
    is_key: bool = False


class _Inside:
    """In a walked location: where a text begins that holds JSON."""


_INSIDE: Final = _Inside()
_KEY: Final = "[key]"
_MOST_WAYS: Final = 16
_Part: TypeAlias = int | str | _Tried | _End | _Inside
_WRAPPED: Final = ("schema", "json_schema", "strict_schema", "lax_schema", "arguments_schema")


def _named(node: Any) -> Iterator[tuple[str, Any]]:
    fields = node["fields"]
    yield from fields.items() if isinstance(fields, Mapping) else ((field["name"], field) for field in fields)


def _names(name: str, field: Mapping[str, Any]) -> list[tuple[int | str, ...]]:
    """Every way in which a location may name a field: its aliases (as paths), then its own name."""
    alias = field.get("validation_alias")
    if alias is None:
        return [(name,)]
    if isinstance(alias, str):
        return [(alias,), (name,)]
    paths = alias if alias and isinstance(alias[0], list) else [alias]
    return [*(tuple(path) for path in paths), (name,)]


def _plain_tag(tag: Any) -> Any:
    return getattr(tag, "value", tag)
