"""Of which core-schema node a value could be, by its kind: what can be told without validating it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

from guards.contracts.typed.nodes import nodes

__all__ = ["Definitions", "as_it_is", "class_of", "fits_kind", "holds_any", "keeps_text", "members_of"]

Definitions: TypeAlias = Mapping[str, Any]
"""Nodes by the reference that others have to them."""


def as_it_is(value: Any) -> Any:
    """The validator that a guard puts around what has no metadata of its own: it changes nothing."""
    return value


def fits_kind(node: Any, definitions: Definitions, value: Any) -> bool | None:
    """Whether a value is of a core-schema node, by its kind alone; None where the kind does not tell."""
    node, behind = _innermost(node, definitions)
    kind = node["type"]
    if kind in ("model", "dataclass", "enum", "named-tuple"):
        # What a validator makes of an instance may be anything, but hardly an instance of another member.
        return isinstance(value, node["cls"]) or (None if behind and not _is_record(value) else False)
    if behind:
        return None
    if kind in ("union", "tagged-union"):
        return _any_fits(fits_kind(member, definitions, value) for member in members_of(node))
    if kind == "nullable":
        return value is None or fits_kind(node["schema"], definitions, value)
    if kind == "literal":
        alike = [expected for expected in node["expected"] if type(value) is type(expected)]
        return value in alike or (None if alike else False)  # a validator may have written it in another way
    known = _KINDS.get(kind)
    return None if known is None else isinstance(value, known) and (kind == "bool" or not isinstance(value, bool))


def class_of(node: Any, definitions: Definitions) -> type | None:
    """The class of the instances that a core-schema node makes, whatever validators stand around it."""
    found = _innermost(node, definitions)[0]
    return found["cls"] if found["type"] in ("model", "dataclass") else None


def holds_any(node: Any, definitions: Definitions) -> bool:
    """Whether what a core-schema node takes is left open somewhere."""
    waiting, seen = [node], set()
    while waiting:
        for inner in nodes(waiting.pop()):
            if inner["type"] == "any":
                return True
            name = inner.get("schema_ref", "")
            if name in definitions and name not in seen:
                seen.add(name)
                waiting.append(definitions[name])
    return False


def keeps_text(node: Any, config: Mapping[str, Any] | None) -> bool:
    """Whether a node hands on every text just as the document has it."""
    changes = [node.get(word) or (config or {}).get(f"str_{word}") for word in _CHANGES]
    return node["type"] in ("any", "literal") or (node["type"] == "str" and not any(changes))


def members_of(node: Any) -> list[Any]:
    """The nodes of a union's members."""
    choices = node["choices"].values() if isinstance(node["choices"], Mapping) else node["choices"]
    return [choice[0] if isinstance(choice, tuple) else choice for choice in choices]


def _innermost(node: Any, definitions: Definitions) -> tuple[Any, bool]:
    """The node behind what is wrapped around it, and whether code of the type's author is."""
    behind = False
    for _ in range(_DEEPEST):
        kind = node["type"]
        if kind == "definition-ref" and node["schema_ref"] in definitions:
            node = definitions[node["schema_ref"]]
        elif kind in _INNER and isinstance(node.get(_INNER[kind]), Mapping):
            behind = behind or (kind in _CODE and node["function"]["function"] is not as_it_is)
            node = node[_INNER[kind]]
        else:
            break
    return node, behind


def _any_fits(fits: Iterable[bool | None]) -> bool | None:
    found = set(fits)
    return True if True in found else None if None in found else False


def _is_record(value: Any) -> bool:
    return hasattr(type(value), "__pydantic_fields__") or hasattr(type(value), "__dataclass_fields__")


_CHANGES: Final = ("strip_whitespace", "to_lower", "to_upper")
_DEEPEST: Final = 50
"""Definitions may refer to each other in a circle."""
_CODE: Final = ("function-after", "function-before", "function-wrap")
_INNER: Final = {
    **dict.fromkeys(_CODE, "schema"),
    "definitions": "schema",
    "default": "schema",
    "custom-error": "schema",
    "json-or-python": "json_schema",
}
_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "none": type(None),
    "bool": bool,
    "int": int,
    "float": (float, int),
    "str": str,
    "bytes": bytes,
    "decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "uuid": UUID,
    "list": list,
    "generator": list,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "dict": Mapping,
    "typed-dict": dict,
}
