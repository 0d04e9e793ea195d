"""The nodes of pydantic's core schemas: what in one is a schema, and what only looks like one.

A node is a dict that says its `type`. What holds no type names nodes: fields by their names, members of a union by
their tags; those are the author's own words, and may be any (`metadata`, `function`, `type`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeGuard

__all__ = ["OPAQUE", "is_node", "named", "nodes", "nodes_below"]

OPAQUE: Final = frozenset(
    {
        *("metadata", "config", "default", "cls", "expected", "members", "function"),
        *("serialization", "computed_fields", "json_schema_input_schema", "custom_error_context"),
    }
)
"""Under these keys of a node stand values of the user's own, which may look like schemas and are none, or what is not
for validation."""
_HOLDERS: Final = frozenset({dict, list, tuple})
_OF_THE_USER: Final = OPAQUE - {"serialization", "computed_fields", "json_schema_input_schema"}


def is_node(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def nodes(schema: Any, *, serializers: bool = False) -> Iterator[dict[str, Any]]:
    """Every node of a core schema, each object once; with `serializers` those of what only describes it, too."""
    opaque = _OF_THE_USER if serializers else OPAQUE
    seen: set[int] = set()
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if type(value) is not dict:
            if type(value) in _HOLDERS:
                waiting += value
        elif id(value) not in seen:
            seen.add(id(value))
            if isinstance(value.get("type"), str):
                yield value
                waiting += [held for key, held in value.items() if type(held) in _HOLDERS and key not in opaque]
            else:
                waiting += value.values()


def named(schema: Any) -> dict[str, dict[str, Any]]:
    """The nodes that others may refer to, by name."""
    return {node["ref"]: node for node in nodes(schema) if isinstance(node.get("ref"), str)}


def nodes_below(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The nodes that a node holds itself."""
    waiting = [child for key, child in node.items() if key not in OPAQUE]
    while waiting:
        child = waiting.pop()
        if isinstance(child, dict):
            if isinstance(child.get("type"), str):
                yield child
            else:
                waiting += child.values()
        elif isinstance(child, list | tuple):
            waiting += child
