"""What several JSON Schemas that apply to one place say together: its types, bounds and required members.

Read for examples: a value of the wrong kind under a keyword (an unknown draft's) counts as not said.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

__all__ = ["Node", "Nodes", "bounds", "every", "listed", "mapping", "prefix_items", "required_names", "types"]


@dataclass(frozen=True, slots=True)
class Node:
    """A schema and where its references are looked up."""

    schema: Any
    resolver: Any


Nodes: TypeAlias = tuple[Node, ...]


def every(nodes: Nodes, keyword: str) -> list[Any]:
    """The keyword's usable values, one for each schema that has it."""
    wanted = _SHAPES.get(keyword, object)
    return [
        node.schema[keyword]
        for node in nodes
        if keyword in node.schema
        and isinstance(node.schema[keyword], wanted)
        and not (wanted is _AMOUNT and isinstance(node.schema[keyword], bool))
    ]


_AMOUNT: Final = int | float
_SHAPES: Final[dict[str, Any]] = {
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), _AMOUNT),
    **dict.fromkeys(("multipleOf", "minContains"), _AMOUNT),
    **dict.fromkeys(("properties", "patternProperties"), dict),
    **dict.fromkeys(("format", "pattern"), str),
    "enum": list,
}
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def types(nodes: Nodes) -> list[str]:
    """The types that all the schemas allow, in the order to try them: as named, or as the keywords hint."""
    named: list[str] | None = None
    for node in nodes:
        rule = node.schema.get("type")
        if rule is None:
            continue
        kinds = [rule] if isinstance(rule, str) else [kind for kind in listed(rule) if isinstance(kind, str)]
        if "any" in kinds:
            continue
        if named is None:
            named = kinds
        elif "integer" in kinds and "number" in named:
            named = [kind for kind in named if kind in kinds and kind != "integer"] + ["integer"]
        else:
            named = [kind for kind in named if kind in kinds or (kind == "integer" and "number" in kinds)]
    if named is not None:
        return sorted(named, key=lambda kind: kind == "null")
    hinted = [kind for kind, words in _HINTS.items() if any(word in node.schema for node in nodes for word in words)]
    plain = ["string", "object", "number", "integer", "boolean", "array", "null"]
    return list(dict.fromkeys([*hinted, *plain]))


def bounds(nodes: Nodes) -> tuple[Fraction | None, bool, Fraction | None, bool]:
    """The lower bound and whether it is exclusive, the upper bound and whether it is."""
    lows: list[tuple[Fraction, bool]] = []
    highs: list[tuple[Fraction, bool]] = []
    for node in nodes:
        for found, plain, strict in (
            (lows, "minimum", "exclusiveMinimum"),
            (highs, "maximum", "exclusiveMaximum"),
        ):
            bound, edge = node.schema.get(plain), node.schema.get(strict)
            if _is_number(bound):
                found.append((Fraction(str(bound)), edge is True))  # draft 4 has a bool beside the bound
            if _is_number(edge):
                found.append((Fraction(str(edge)), True))
    low, above = max(lows, default=(None, False))
    high, below = min(highs, key=lambda bound: (bound[0], not bound[1]), default=(None, False))
    return low, above, high, below


def required_names(nodes: Nodes) -> list[str]:
    names = [name for rule in (node.schema.get("required") for node in nodes) for name in listed(rule)]
    # Draft 3 has it inside the member's schema.
    names += [
        name
        for found in every(nodes, "properties")
        for name, rule in found.items()
        if isinstance(rule, dict) and rule.get("required") is True
    ]
    for name in names:  # grows while it is walked: what a name brings with it may bring more
        for node in nodes:
            for keyword in ("dependentRequired", "dependencies"):
                rule = mapping(node.schema.get(keyword)).get(name)
                names += [other for other in listed(rule) if other not in names]
    return [name for name in dict.fromkeys(names) if isinstance(name, str)]


def prefix_items(schema: dict[str, Any]) -> list[Any]:
    found = schema.get("prefixItems", schema.get("items"))
    return found if isinstance(found, list) else []


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
