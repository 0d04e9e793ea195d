"""Which subschemas a schema reaches: one walk over them all, that resolves every reference and compiles every pattern.

What is wrong with a keyword's value is found by the meta-schema (`schema_check`); here it is what no meta-schema can
see: references, patterns, circles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from guards.contracts.ecma import EcmaPattern
from guards.errors import ConfigError
from guards.findings import escape

__all__ = ["Walk"]

_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems", "items", "extends", "type", "disallow")
_SINGLE: Final = (
    *("items", "additionalItems", "additionalProperties", "contains", "not", "if", "then", "else"),
    *("propertyNames", "unevaluatedItems", "unevaluatedProperties", "extends"),
)
# These judge the same instance as the schema that they stand in: a circle of them never ends.
_IN_PLACE: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "extends", "dependentSchemas"})
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
# Keywords that hold schemas, yet have no rule of their own.
_HOLDERS: Final = frozenset({"$defs", "definitions", "then", "else"})


class Walk:
    """Collects `patterns` and `formats` (place, name); `check` judges what only a reference reaches."""

    def __init__(self, check: Callable[[Any, str], None]) -> None:
        self.check = check
        self.patterns: dict[str, EcmaPattern] = {}
        self.formats: list[tuple[str, str]] = []
        self._seen: set[int] = set()
        self._waiting: list[tuple[Any, Any, Any, str]] = []
        self._targets: list[tuple[Any, Any, Any, str]] = []
        self._places: dict[int, str] = {}
        self._in_place: dict[int, list[int]] = {}

    def run(self, schema: Any, resolver: Any, kind: Any, where: str) -> None:
        """Walks all that the schema reaches. ConfigError for what cannot work, with its place after `where`."""
        self._waiting.append((schema, resolver, kind, f"{where} at "))
        while self._waiting or self._targets:
            while self._waiting:
                self._visit(*self._waiting.pop())
            if self._targets:
                target, *rest, place = self._targets.pop()
                if id(target) not in self._seen:
                    self.check(target, f"the target of the reference in {place}")
                    self._waiting.append((target, *rest, place))
        self._refuse_circles()

    def _visit(self, schema: Any, resolver: Any, kind: Any, place: str) -> None:
        if not isinstance(schema, dict) or id(schema) in self._seen:
            return
        self._seen.add(id(schema))
        self._places[id(schema)] = place
        kind = kind.of_subschema(schema)
        rules = kind.VALIDATORS
        edges = self._in_place.setdefault(id(schema), [])
        for keyword in _REFERENCES:
            if keyword in schema and keyword in rules:
                found = self._resolve(schema[keyword], resolver, f"{place}/{keyword}")
                self._targets.append((found.contents, found.resolver, kind, f"{place}/{keyword}"))
                if keyword == "$ref":
                    edges.append(id(found.contents))
        if "$ref" in schema and kind.ref_stands_alone:
            return
        self._note_texts(schema, rules, place)
        for keyword, key, subschema in _subschemas(schema, rules):
            inner = resolver.in_subresource(kind.specification.create_resource(subschema))
            self._waiting.append((subschema, inner, kind, f"{place}/{escape(keyword)}{key}"))
            if keyword in _IN_PLACE:
                edges.append(id(subschema))

    def _resolve(self, reference: Any, resolver: Any, place: str) -> Any:
        from referencing.exceptions import Unresolvable

        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError, TypeError, AttributeError):
            # Besides its own errors, the library lets through what a pointer into a number or text comes to.
            local = isinstance(reference, str) and reference.startswith("#")
            hint = "define what it names" if local else "give the document among resources={uri: document}"
            raise ConfigError(
                f"the reference {str(reference)[:80]!r} leads nowhere", where=place, hint=f"{hint}; nothing is fetched"
            ) from None
        if not isinstance(found.contents, dict | bool):
            raise ConfigError(f"the reference {str(reference)[:80]!r} does not lead to a schema", where=place)
        return found

    def _note_texts(self, schema: dict[str, Any], rules: Any, place: str) -> None:
        sources = [(schema["pattern"], "/pattern")] if "pattern" in schema and "pattern" in rules else []
        if "patternProperties" in rules:
            sources += [(s, f"/patternProperties/{escape(s)}") for s in schema.get("patternProperties", ())]
        for source, key in sources:
            self.patterns[source] = EcmaPattern(source, where=f"{place}{key}")
        if isinstance(schema.get("format"), str):
            pointer = place.partition(" at ")[2]
            self.formats.append((pointer or "/", schema["format"]))

    def _refuse_circles(self) -> None:
        done: set[int] = set()
        for start in self._in_place:
            path: set[int] = set()
            stack = [(start, iter(self._in_place.get(start, ())))]
            path.add(start)
            while stack:
                node, edges = stack[-1]
                following = next((edge for edge in edges if edge not in done), None)
                if following is None:
                    stack.pop()
                    path.discard(node)
                    done.add(node)
                elif following in path:
                    raise ConfigError(
                        "the schema refers to itself for the same value, which never ends",
                        where=self._places[following].removesuffix(" at "),
                        hint="let the reference stand under properties or items",
                    )
                else:
                    path.add(following)
                    stack.append((following, iter(self._in_place.get(following, ()))))


def _subschemas(schema: dict[str, Any], rules: Any) -> Iterator[tuple[str, str, Any]]:
    """Keyword, the rest of the pointer, subschema."""
    for keyword, value in schema.items():
        if keyword not in rules and keyword not in _HOLDERS:
            continue
        if keyword in _MAPS and isinstance(value, dict):
            for key, subschema in value.items():
                if isinstance(subschema, dict):
                    yield keyword, f"/{escape(key)}", subschema
        elif keyword in _LISTS and isinstance(value, list):
            for index, subschema in enumerate(value):
                if isinstance(subschema, dict):
                    yield keyword, f"/{index}", subschema
        elif keyword in _SINGLE and isinstance(value, dict):
            yield keyword, "", value
