"""The part of a JSON Schema that speaks of one place of an answer, as a schema of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from guards.errors import ConfigError
from guards.findings import parse_pointer
from guards.reading.document import Steps
from guards.reading.guide import kind_of, led

__all__ = ["is_named", "longest_prefix", "part_schema", "with_definitions"]

_DEEPEST: Final = 32
_MEMBERS: Final = ("anyOf", "oneOf", "allOf")
_HOLDS_DEFINITIONS: Final = ("$defs", "definitions")
_EVALUATE: Final = frozenset({*_MEMBERS, "$ref", "$dynamicRef", "$recursiveRef", "if", "contains"})
"""Beside these, what no keyword has evaluated is not to be seen in the schema alone."""
_REF_ALONE: Final = re.compile(r"draft-0[3467]")
"""Drafts to which what stands beside a `$ref` is nothing."""
_TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_SPEAK: Final = {
    "object": frozenset({"properties", "patternProperties", "additionalProperties"}),
    "array": frozenset({"items", "prefixItems"}),
}


def part_schema(schema: Any, place: Steps) -> Any:
    """What the schema says of that place, all of its parts together; None in a place stands for any step.

    `{}` where it says nothing, `False` where no answer has such a place, None where it cannot be told (behind a
    reference into another document, say). Still refers to the definitions of the whole: see `with_definitions`.
    """
    node = schema
    for step in place:
        node = _Inside(schema, step).of(node)
    return node


def longest_prefix(schema: Any) -> int:
    """How many first items any part of the schema speaks of by their position."""
    if isinstance(schema, list):
        return max(map(longest_prefix, schema), default=0)
    if not isinstance(schema, Mapping):
        return 0
    own = [len(schema[word]) for word in ("prefixItems", "items") if isinstance(schema.get(word), list)]
    return max([*own, *map(longest_prefix, schema.values())], default=0)


def with_definitions(part: Mapping[str, Any], whole: Any) -> dict[str, Any]:
    """The part together with the definitions of the whole that it needs, and no others."""
    made = dict(part)
    needed = list(_references(part))
    while needed:
        steps = needed.pop()
        if len(steps) < 2 or steps[0] not in _HOLDS_DEFINITIONS:
            continue
        group, name = steps[0], steps[1]
        found = whole.get(group, {}).get(name) if isinstance(whole, Mapping) else None
        if found is not None and name not in made.setdefault(group, {}):
            made[group][name] = found
            needed += _references(found)
    return made


def is_named(schema: Any, place: Sequence[str | int]) -> bool:
    """Whether the last step of a place is a member that the schema has by its name, or an item: where it is neither,
    whoever answers has chosen the name. True where the schema says nothing of what holds it."""
    *above, name = place
    holder = part_schema(schema, tuple(above))
    return isinstance(name, int) or not holder or any(name in view for view in _properties(holder, schema, 0))


def _properties(node: Any, whole: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The members that each part of a schema has by name."""
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return
    if isinstance(node.get("properties"), Mapping):
        yield node["properties"]
    if isinstance(node.get("$ref"), str):
        yield from _properties(led(node["$ref"], whole), whole, depth + 1)
    for word in _MEMBERS:
        for member in node.get(word, ()):
            yield from _properties(member, whole, depth + 1)


class _Inside:
    """One step further in, by every part of a schema that says something of it."""

    def __init__(self, whole: Any, step: str | int | None) -> None:
        self._whole = whole
        self._step = step
        self._known: dict[int, Any] = {}
        self._ref_alone = isinstance(whole, Mapping) and bool(_REF_ALONE.search(str(whole.get("$schema", ""))))

    def of(self, node: Any) -> Any:
        if not isinstance(node, Mapping):
            return {} if node is True else node
        if id(node) not in self._known:
            self._known[id(node)] = {}  # of a circle, which adds nothing
            self._known[id(node)] = _all_of(list(self._said(node)))
        return self._known[id(node)]

    def _said(self, node: Mapping[str, Any]) -> Iterator[Any]:
        """What each keyword says; all of it holds."""
        if isinstance(node.get("$ref"), str):
            yield self.of(led(node["$ref"], self._whole))
            if self._ref_alone:
                return
        if "$dynamicRef" in node or "$recursiveRef" in node:
            yield None
        yield _any_of(list(self._direct(node)))
        yield from map(self.of, _listed(node.get("allOf")))
        for word in ("anyOf", "oneOf"):
            if members := _listed(node.get(word)):
                yield _any_of([self.of(member) for member in members])
        if "if" in node:
            met, then, otherwise = (self.of(node.get(word, True)) for word in ("if", "then", "else"))
            yield _any_of([_all_of([met, then]), otherwise])

    def _direct(self, node: Mapping[str, Any]) -> Iterator[Any]:
        """What it says itself, of each kind of value that may stand there."""
        kinds, step = _kinds(node), self._step
        if "object" in kinds and not isinstance(step, int):
            yield _member(node, step)
        if "array" in kinds and not isinstance(step, str):
            yield _item(node, step)


def _member(node: Mapping[str, Any], step: str | None) -> Any:
    named, patterns = _mapping(node.get("properties")), _mapping(node.get("patternProperties"))
    rest = node.get("additionalProperties", {})
    if step is None:
        return _any_of([*named.values(), *patterns.values(), rest])
    matched = {pattern: _matches(pattern, step) for pattern in patterns}
    found = [named[step]] if step in named else []
    found += [patterns[pattern] for pattern, matches in matched.items() if matches]
    if None in matched.values():
        found.append(None)
    return _all_of(found or [rest])


def _item(node: Mapping[str, Any], step: int | None) -> Any:
    first, rest = node.get("prefixItems", node.get("items")), "items"
    if not isinstance(first, list):
        first = []
    elif "prefixItems" not in node:  # drafts before 2020-12
        rest = "additionalItems"
    if rest not in node and "unevaluatedItems" in node:
        rest = "unevaluatedItems"
    # What is evaluated by others depends on what they come to.
    told = rest != "unevaluatedItems" or _EVALUATE.isdisjoint(node)
    others = node.get(rest, {}) if told else None
    if step is None:
        return _any_of([*first, others])
    return first[step] if step < len(first) else others


def _all_of(parts: list[Any]) -> Any:
    """What holds where all of them do. A part that cannot be told leaves open what they come to, but for `False`."""
    if False in parts:
        return False
    if None in parts:
        return None
    parts = _once(part for part in parts if part is not True and part != {})
    return {"allOf": parts} if len(parts) > 1 else parts[0] if parts else {}


def _any_of(parts: list[Any]) -> Any:
    """What holds where any of them does."""
    if any(part is True or part == {} for part in parts):
        return {}
    if None in parts:
        return None
    parts = _once(part for part in parts if part is not False)
    return {"anyOf": parts} if len(parts) > 1 else parts[0] if parts else False


def _once(parts: Iterable[Any]) -> list[Any]:
    return list({id(part): part for part in parts}.values())


def _kinds(node: Mapping[str, Any]) -> Collection[str]:
    """The types that may stand there, of `object` and `array`. A schema that names no type is one of what its keywords
    speak of, as readers take it: its author meant no other, though another would be valid."""
    given = node.get("type")
    named = given if isinstance(given, list) else [given]
    kinds = [kind for kind, words in _SPEAK.items() if "type" not in node and not words.isdisjoint(node)]
    if len(kinds) != 1:
        kinds = list(_SPEAK)
    if all(isinstance(kind, str) and kind in _TYPES for kind in named):
        kinds = [kind for kind in kinds if kind in named]
    values = [node["const"]] if "const" in node else node.get("enum")
    if isinstance(values, list):
        kinds = [kind for kind in kinds if kind in map(kind_of, values)]
    return kinds


def _matches(pattern: str, name: Any) -> bool | None:
    from guards.patterns.ecma import EcmaPattern

    try:
        return EcmaPattern(pattern).search(name)
    except (ConfigError, TimeoutError):
        return None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _references(node: Any) -> Iterator[tuple[str, ...]]:
    """Where the references of a schema lead, as reference tokens."""
    if isinstance(node, Mapping):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            yield parse_pointer(unquote(reference[1:]))
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
