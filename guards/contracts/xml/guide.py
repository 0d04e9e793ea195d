"""What a JSON Schema says of one place, in the form that XML needs: the possible members, each with one type.

References, `allOf`, unions, conditions and lists of types are worked into plain members, once for each schema. Whether
a value fits is never asked here: that stays with the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, Final
from urllib.parse import unquote, urljoin

from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern

__all__ = ["ANY", "LEAVES", "MOST_MEMBERS", "Guide", "Schema", "kind_of", "listed", "matches", "names_of"]

Schema = Mapping[str, Any]
ANY: Final[Schema] = {}
LEAVES: Final = frozenset({"string", "integer", "number", "boolean"})
_DEEPEST: Final = 50
MOST_MEMBERS: Final = 64
"""Of a union; what it has beyond them is left out."""


class Guide:
    """Answers what a schema says of a place. Immutable but for its cache, which knows the schema's own nodes only."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._named = _named(schema)
        # By identity: a schema's nodes live as long as the guide, and hashing them each time costs more than reading.
        self._cache: dict[int, tuple[Any, tuple[Schema, ...]]] = {}

    def members(self, schema: Any) -> tuple[Schema, ...]:
        """The schema itself, or the members of its union in order: each without references and with one type."""
        known = self._cache.get(id(schema))
        if known is None:
            known = self._cache[id(schema)] = (schema, tuple(_by_type(self._expanded(schema, 0))))
        return known[1]

    def nullable(self, schema: Any) -> bool:
        return any(kind_of(member) == "null" for member in self.members(schema))

    def array(self, schema: Any) -> Schema | None:
        """The member that is a list, if there is one."""
        return next((m for m in self.members(schema) if kind_of(m) == "array"), None)

    def items(self, array: Schema, index: int) -> Any:
        """The schema of one item."""
        prefix = array.get("prefixItems", array.get("items"))  # before 2020-12 `items` was both
        if isinstance(prefix, list):
            rest = array.get("items" if "prefixItems" in array else "additionalItems", ANY)
            return prefix[index] if index < len(prefix) else rest
        return array.get("items", ANY)

    def every_item(self, array: Schema) -> list[Any]:
        """The schemas that items can have."""
        prefix = array.get("prefixItems", array.get("items"))
        return [self.items(array, index) for index in range(len(prefix) + 1 if isinstance(prefix, list) else 1)]

    def member(self, shape: Schema, name: str) -> Any:
        """The schema of an object's member."""
        properties = shape.get("properties") or ANY
        if name in properties:
            return properties[name]
        for pattern, schema in (shape.get("patternProperties") or {}).items():
            if matches(pattern, name):
                return schema
        return shape.get("additionalProperties", ANY)

    def _expanded(self, schema: Any, depth: int) -> list[dict[str, Any]]:
        """The alternatives of a schema; each a conjunction of keywords."""
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return [{}]
        own = {key: value for key, value in schema.items() if key not in _APPLICATORS}
        found = [own]
        for key in ("$ref", "$dynamicRef"):
            if isinstance(schema.get(key), str):
                found = _both(found, self._expanded(self._target(schema[key]), depth + 1))
        for part in _schemas(schema.get("allOf")):
            found = _both(found, self._expanded(part, depth + 1))
        for union in ("anyOf", "oneOf"):
            parts = _schemas(schema.get(union))
            if parts:
                members = [member for part in parts for member in self._expanded(part, depth + 1)]
                # What a union is called is not what its members are called.
                bare = [{k: v for k, v in one.items() if k not in _ANNOTATIONS} for one in found]
                found = _both(bare, members)
        if "then" in schema or "else" in schema:
            branches = [self._expanded(schema.get(key, ANY), depth + 1) for key in ("then", "else")]
            found = _both(found, [*branches[0], *branches[1]])
        for part in (schema.get("dependentSchemas") or {}).values():
            properties = part.get("properties") if isinstance(part, Mapping) else None
            if properties:
                found = _both(found, [{"properties": properties}])
        return found

    def _target(self, reference: str) -> Any:
        """The schema that a reference leads to; one outside this document says nothing."""
        base, _, fragment = reference.partition("#")
        root_id = _identifier(self.schema)
        node = self.schema if not base else self._named.get(urljoin(root_id, base), self._named.get(base))
        if node is None or not fragment:
            return ANY if node is None else node
        if not fragment.startswith("/"):
            return self._named.get(f"#{fragment}", ANY)
        for part in unquote(fragment)[1:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, list) else node[key]
            except (KeyError, TypeError, IndexError, ValueError):
                return ANY
        return node


def kind_of(schema: Schema) -> str | None:
    """The JSON type that a member wants, as named or as its keywords hint; None where it says nothing."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    allowed = listed(schema)
    if allowed is not None:
        kinds = {_kind_of(value) for value in allowed}
        return kinds.pop() if len(kinds) == 1 else None
    return next((kind for kind, words in _HINTS.items() if not words.isdisjoint(schema)), None)


def listed(schema: Schema) -> list[Any] | None:
    """The values that a schema allows, where it lists them."""
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if isinstance(schema.get("enum"), list) else None


def names_of(members: Iterable[Schema]) -> dict[str, Schema]:
    """The members of a union by their titles, where these tell them apart."""
    titled: dict[str, list[Schema]] = {}
    for member in members:
        if isinstance(member.get("title"), str):
            titled.setdefault(member["title"], []).append(member)
    return {title: found[0] for title, found in titled.items() if len(found) == 1}


_APPLICATORS: Final = frozenset(
    {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "$defs", "definitions"}
)
_ANNOTATIONS: Final = frozenset({"title", "description", "default", "examples"})
_HINTS: Final = {
    "object": frozenset({"properties", "required", "additionalProperties", "patternProperties", "propertyNames"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
    "string": frozenset({"pattern", "format", "minLength", "maxLength"}),
}


def _both(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every pair of alternatives that can hold together; where none can, the left ones."""
    pairs = (_conjunction(one, other) for one, other in product(left, right))
    return [pair for pair in pairs if pair is not None][:MOST_MEMBERS] or left


def _conjunction(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """What two schemas say together, as far as it concerns shape; None where their types exclude each other."""
    if not one or not other:
        return one or other
    merged = {**other, **one}
    for key in ("properties", "patternProperties"):
        if key in one and key in other:
            merged[key] = {**other[key], **one[key]}
            for name in one[key].keys() & other[key].keys():
                if one[key][name] != other[key][name]:
                    merged[key][name] = {"allOf": [one[key][name], other[key][name]]}
    if "required" in one and "required" in other:
        merged["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    if "type" in one and "type" in other:
        kinds = _common(_types(one), _types(other))
        if not kinds:
            return None
        merged["type"] = kinds[0] if len(kinds) == 1 else kinds
    if isinstance(one.get("items"), Mapping) and isinstance(other.get("items"), Mapping):
        same = one["items"] == other["items"]
        merged["items"] = one["items"] if same else {"allOf": [one["items"], other["items"]]}
    return merged


def _types(schema: Schema) -> list[str]:
    named = schema["type"]
    return [named] if isinstance(named, str) else [kind for kind in named if isinstance(kind, str)]


def _common(one: list[str], other: list[str]) -> list[str]:
    wider = {*other, *(["integer"] if "number" in other else [])}
    narrowed = [kind for kind in one if kind in wider]
    return narrowed or (["integer"] if "number" in one and "integer" in other else [])


def _by_type(alternatives: Iterable[dict[str, Any]]) -> Iterable[Schema]:
    for schema in alternatives:
        kinds = schema.get("type")
        if isinstance(kinds, list):
            yield from ({**schema, "type": kind} for kind in kinds if isinstance(kind, str))
        else:
            yield schema


def _schemas(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(schema: Any) -> dict[str, Any]:
    """The schemas that carry a name of their own, by `#anchor` or absolute address."""
    named: dict[str, Any] = {}
    root = _identifier(schema)
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            for key in ("$anchor", "$dynamicAnchor"):
                if isinstance(node.get(key), str):
                    named.setdefault(f"#{node[key]}", node)
            if _identifier(node):
                named.setdefault(urljoin(root, _identifier(node)).rstrip("#"), node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return named


def _identifier(schema: Any) -> str:
    given = schema.get("$id", schema.get("id")) if isinstance(schema, Mapping) else None
    return given if isinstance(given, str) else ""


def matches(pattern: str, name: str) -> bool:
    try:
        return EcmaPattern(pattern).search(name)
    except ConfigError:
        return True  # pydantic's own dialect: most likely the one pattern that there is
    except TimeoutError:
        return False


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "object"
