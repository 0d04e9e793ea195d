"""The part of a JSON Schema that speaks of one place of an answer, as a schema of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from guards.findings import parse_pointer
from guards.reading.guide import led

__all__ = ["is_named", "is_shut_out", "part_schema", "with_definitions"]

_DEEPEST: Final = 32
_MEMBERS: Final = ("anyOf", "oneOf", "allOf")
_HOLDS_DEFINITIONS: Final = ("$defs", "definitions")


def part_schema(schema: Any, place: Sequence[str | int]) -> Any:
    """What the schema says of that place; `{}` where it says nothing that can be told apart. Still refers to the
    definitions of the whole: see `with_definitions`."""
    node = schema
    for step in place:
        node = next(_inside(node, schema, step, 0), {})
    return node


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


def is_shut_out(schema: Any, place: Sequence[str | int]) -> bool:
    """Whether the last name of a place is one that the schema forbids there; False where that is not plain to see."""
    *above, name = place
    node = part_schema(schema, above)
    for _ in range(_DEEPEST):
        if not isinstance(node, Mapping) or "$ref" not in node:
            break
        node = led(node["$ref"], schema)
    if not isinstance(node, Mapping) or node.get("additionalProperties") is not False or "patternProperties" in node:
        return False
    return isinstance(name, str) and name not in node.get("properties", {})


def is_named(schema: Any, place: Sequence[str | int]) -> bool:
    """Whether the last step of a place is a member that the schema has by its name, or an item: where it is neither,
    whoever answers has chosen the name. True where the schema says nothing of what holds it."""
    *above, name = place
    holder = part_schema(schema, above)
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


def _inside(node: Any, whole: Any, step: str | int, depth: int) -> Iterator[Any]:
    """What stands one step further in, by each part of the schema that says so."""
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return
    if isinstance(step, int):
        prefix = node.get("prefixItems", node.get("items"))
        if isinstance(prefix, list):
            if step < len(prefix):
                yield prefix[step]
            elif (rest := "items" if "prefixItems" in node else "additionalItems") in node:
                yield node[rest]
        elif "items" in node:
            yield node["items"]
    else:
        properties = node.get("properties")
        if isinstance(properties, Mapping) and step in properties:
            yield properties[step]
        elif isinstance(node.get("additionalProperties"), Mapping):
            yield node["additionalProperties"]
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield from _inside(led(reference, whole), whole, step, depth + 1)
    for word in _MEMBERS:
        for member in node.get(word, ()):
            yield from _inside(member, whole, step, depth + 1)


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
