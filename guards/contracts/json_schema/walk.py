"""Which subschemas a schema reaches: one walk over them all, that resolves every reference and compiles every pattern.

What is wrong with a keyword's value is found by the meta-schema (`json_schema.check`); here it is what no meta-schema
can see: references, patterns, circles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

from guards.errors import ConfigError
from guards.findings import escape
from guards.patterns.ecma import EcmaPattern

__all__ = ["Walk"]

_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions")
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems", "items", "extends", "type", "disallow")
_SINGLE: Final = (
    *("items", "additionalItems", "additionalProperties", "contains", "not", "if", "then", "else"),
    *("propertyNames", "unevaluatedItems", "unevaluatedProperties", "extends"),
)
# These judge the same instance as the schema that they stand in: a circle of them never ends.
_IN_PLACE: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "extends", "dependentSchemas"})
# What holds by these may be what does not hold by the schema inside.
_TURNING: Final = frozenset({"not", "if", "oneOf", "disallow"})
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
        self._in_place: dict[int, list[tuple[int, str]]] = {}
        self._schemas: dict[int, tuple[dict[str, Any], Any]] = {}

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
        self._settle_circles(schema)

    def _visit(self, schema: Any, resolver: Any, kind: Any, place: str) -> None:
        if not isinstance(schema, dict) or id(schema) in self._seen:
            return
        self._seen.add(id(schema))
        self._places[id(schema)] = place
        kind = kind.of_subschema(schema)
        rules = kind.VALIDATORS
        edges = self._in_place.setdefault(id(schema), [])
        self._schemas[id(schema)] = schema, kind
        for keyword in _REFERENCES:
            if keyword in schema and keyword in rules:
                found = self._resolve(schema[keyword], resolver, f"{place}/{keyword}")
                self._targets.append((found.contents, found.resolver, kind, f"{place}/{keyword}"))
                if keyword == "$ref":
                    edges.append((id(found.contents), keyword))
        if "$ref" in schema and kind.ref_stands_alone:
            return
        self._note_texts(schema, rules, place)
        for keyword, key, subschema in _subschemas(schema, rules):
            inner = resolver.in_subresource(kind.specification.create_resource(subschema))
            self._waiting.append((subschema, inner, kind, f"{place}/{escape(keyword)}{key}"))
            if keyword in _IN_PLACE:
                edges.append((id(subschema), keyword))

    def _resolve(self, reference: Any, resolver: Any, place: str) -> Any:
        from referencing.exceptions import Unresolvable

        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError, TypeError, AttributeError):
            # Besides its own errors, the library lets through what a pointer into a number or text comes to.
            said, hint = _nowhere(reference, resolver)
            raise ConfigError(
                f"the reference {str(reference)[:80]!r} leads nowhere{said}",
                where=place,
                hint=f"{hint}; nothing is fetched",
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

    def _settle_circles(self, root: Any) -> None:
        """Schemas that lead back to themselves for the same value. Nothing holds by them, save what holds without the
        way back: so the reference is cut, and a schema that is nothing but a circle refuses every value.

        ConfigError where the whole schema is one, and where its verdict would turn on what is cut (`not`, `oneOf`).
        """
        while circle := self._circle([id(root)]) or self._circle(self._in_place):
            steps = list(zip(circle, [*circle[1:], circle[0]], strict=True))
            words = [(node, word) for node, to in steps for target, word in self._in_place[node] if target == to]
            if id(root) in self._reached_in_place(circle, id(root)) or any(word in _TURNING for _, word in words):
                raise ConfigError(
                    "the schema refers to itself for the same value, which never ends",
                    where=self._places[circle[0]].removesuffix(" at "),
                    hint="let the reference stand under properties or items",
                )
            # Where another branch may hold, that one is left; else it does not matter which is cut.
            ways = [
                (node, before)
                for (_, before), (node, word) in zip([words[-1], *words], words, strict=False)
                if word == "$ref"
            ]
            self._cut(max(ways, key=lambda way: way[1] == "anyOf")[0])

    def _cut(self, node: int) -> None:
        schema, kind = self._schemas[node]
        del schema["$ref"]
        nothing: dict[str, Any] = {"not": {}} if "not" in kind.VALIDATORS else {"disallow": ["any"]}
        schema.update(nothing)
        self._in_place[node] = []

    def _reached_in_place(self, circle: list[int], root: int) -> set[int]:
        """The root, where a circle judges the same value as the whole schema does; nothing else."""
        reached, waiting = {root}, [root]
        while waiting:
            for target, _ in self._in_place.get(waiting.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return {root} if reached.intersection(circle) else set()

    def _circle(self, starts: Iterable[int]) -> list[int]:
        """The nodes of a circle that is reached from some node; none where there is none."""
        done: set[int] = set()
        for start in starts:
            path = {start: iter(self._in_place.get(start, ()))}
            while path:
                node = next(reversed(path))
                following = next((target for target, _ in path[node] if target not in done), None)
                if following is None:
                    del path[node]
                    done.add(node)
                elif following in path:
                    nodes = list(path)
                    return nodes[nodes.index(following) :]
                else:
                    path[following] = iter(self._in_place.get(following, ()))
        return []


def _nowhere(reference: Any, resolver: Any) -> tuple[str, str]:
    """Where a reference that was not found leads, and what would help. A relative one counts from the `$id` around it;
    up to draft 7 not from one beside it."""
    if not isinstance(reference, str) or reference.startswith("#"):
        return "", "define what it names"
    try:
        address, _ = urldefrag(urljoin(resolver._base_uri, reference))  # noqa: SLF001  # as its own `lookup` does
    except ValueError:
        return "", "give the document among resources={uri: document}"
    try:
        resolver.lookup(address)
    except Exception:  # noqa: BLE001  # whatever it comes to: the document is not known
        return f": no document is known at {address!r}", f"give the document among resources={{{address!r}: document}}"
    return f": the document {address!r} does not define it", "define what it names"


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
