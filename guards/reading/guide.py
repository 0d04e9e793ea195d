"""What a JSON Schema says about the shape of an answer, as far as a reader can use it: types, names, options.

A guide only proposes; whether a document is right is for the contract alone. So what a guide cannot use (conditions,
bounds, patterns) it leaves out, and a schema that it cannot follow at all gives `ANY`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote

from guards.errors import ConfigError
from guards.findings import parse_pointer
from guards.reading.spelling import folded

__all__ = ["ANY", "OTHER_NAMES", "OTHER_WAYS", "Guide", "guide_of", "kind_of", "led"]

_KINDS: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
OTHER_NAMES: Final = "\0names"
OTHER_WAYS: Final = "\0ways"
"""The library's own hints, under words that no schema of an author's has."""
_HINTS: Final[dict[str, type]] = {"x-alias": str, "x-enum-names": Mapping, "x-assert": list}
"""What they hold: anything else under such a word is somebody else's note."""
_OWN_HINTS: Final[dict[str, type]] = {OTHER_NAMES: list, OTHER_WAYS: Mapping}
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_DATA: Final = frozenset({"const", "enum", "default", "examples"})
_DEEPEST: Final = 64  # of references and of parts that apply together


def guide_of(schema: Any) -> Guide:
    """The guide of a whole JSON Schema, with the hints `x-alias`, `x-enum-names` and `x-assert`, and the library's own.

    `x-alias` is the name that the model sees for a property, `x-enum-names` ({value: {alias, description}}) for an
    option, in place of its own; `OTHER_NAMES` are further names of a property, `OTHER_WAYS` ({way: value}) further ways
    of writing an option.
    """
    guide = Guide(schema, schema)
    guide.hinted = _hinted(schema)
    return guide


class Guide:
    """What may stand at one place. Its parts are made when they are asked for, so a recursive schema is no trouble."""

    hinted = False
    """Of a whole schema: whether it has hints for the eager reading (`x-alias`, `x-enum-names`, `x-assert`)."""

    def __init__(self, schema: Any, root: Any) -> None:
        self._root = root
        self._schemas = list(_together(schema, root, 0))

    @cached_property
    def options(self) -> tuple[Guide, ...]:
        """The members of a union; empty where there is none."""
        for schema in self._schemas:
            for word in ("anyOf", "oneOf"):
                members = schema.get(word)
                if isinstance(members, list) and members:
                    return tuple(self._with(member, word) for member in members)
            if isinstance(schema.get("type"), list):
                kinds = [kind for kind in schema["type"] if kind in _KINDS]
                if len(kinds) > 1:
                    return tuple(self._with({"type": kind}, "type") for kind in kinds)
        return ()

    def _with(self, member: Any, word: str) -> Guide:
        """A member of the union together with what stands beside it."""
        beside = [{name: value for name, value in schema.items() if name != word} for schema in self._schemas]
        guide = Guide(member, self._root)
        guide._schemas += [schema for schema in beside if schema]
        return guide

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The JSON types that may stand here; all of them where the schema says nothing."""
        kinds = frozenset().union(*(option.kinds for option in self.options)) if self.options else _KINDS
        for schema in self._schemas:
            given = schema.get("type")
            if isinstance(given, str):
                kinds = kinds & ({given, "integer"} if given == "number" else {given})
            elif isinstance(given, list):
                kinds = kinds & ({*given, "integer"} if "number" in given else set(given))
            if "type" not in schema and {"properties", "required", "additionalProperties"} & schema.keys():
                kinds &= {"object"}
        values = self.values
        if values is not None:
            kinds &= {kind_of(value) for value in values} | ({"number"} if any(map(_is_number, values)) else set())
        return frozenset(kinds)

    @cached_property
    def as_is(self) -> frozenset[type]:
        """The Python types of scalars that stand here as they are, whatever their value."""
        if self.options or self.values is not None:
            return frozenset()
        return frozenset(type(scalar) for scalar in ("", 0, 0.5, True, None) if kind_of(scalar) in self.kinds)

    def matches(self, text: str) -> bool:
        """Whether the schema's patterns are found in a text; also where one cannot be used, or takes too long."""
        return all(pattern.search(text) for pattern in self._patterns) if self._patterns else True

    @cached_property
    def _patterns(self) -> tuple[_Pattern, ...]:
        return tuple(_Pattern(schema["pattern"]) for schema in self._schemas if isinstance(schema.get("pattern"), str))

    @cached_property
    def values(self) -> tuple[Any, ...] | None:
        """The only values that may stand here, where the schema lists them."""
        for schema in self._schemas:
            if "const" in schema:
                return (schema["const"],)
            if isinstance(schema.get("enum"), list):
                return tuple(schema["enum"])
        return None

    @cached_property
    def ways(self) -> dict[str, Any]:
        """How each listed text may be written: way → value."""
        ways: dict[str, Any] = {}
        for value in self.values or ():
            if isinstance(value, str):
                ways.update(dict.fromkeys(_shown(value, self._options_named.get(value, {})), value))
        return {**(self.hint(OTHER_WAYS) or {}), **ways}

    @cached_property
    def renamed(self) -> bool:
        """Whether the options go by other names than their own, so that the value itself is none of the ways."""
        return any("alias" in named for named in self._options_named.values())

    @cached_property
    def described(self) -> dict[str, Any]:
        """The descriptions of the options: description → value."""
        return {named["description"]: value for value, named in self._options_named.items() if "description" in named}

    @cached_property
    def _options_named(self) -> dict[str, dict[str, str]]:
        """What `x-enum-names` calls each option: its alias, its description."""
        return {
            value: {word: text for word, text in named.items() if isinstance(text, str) and text}
            for value, named in (self.hint("x-enum-names") or {}).items()
            if isinstance(named, Mapping)
        }

    @cached_property
    def asserts(self) -> tuple[str, ...]:
        """The expressions of `x-assert`."""
        given = [one["expr"] for one in self.hint("x-assert") or () if isinstance(one, Mapping) and "expr" in one]
        return tuple(one for one in given if isinstance(one, str))

    @cached_property
    def default(self) -> tuple[Any] | None:
        """The default that the schema itself gives, in a tuple of one; None where it gives none."""
        return next(((schema["default"],) for schema in self._schemas if "default" in schema), None)

    @cached_property
    def names(self) -> dict[str, Guide]:
        """The properties by their own names."""
        names: dict[str, Guide] = {}
        for schema in self._schemas:
            properties = schema.get("properties")
            if isinstance(properties, Mapping):
                for name, part in properties.items():
                    names.setdefault(name, Guide(part, self._root))
        return names

    @cached_property
    def shown(self) -> dict[str, str]:
        """The properties by the names that the model sees: shown name → own name."""
        shown = {guide.hint("x-alias") or name: name for name, guide in self.names.items()}
        others = {other: name for name, guide in self.names.items() for other in guide.hint(OTHER_NAMES) or ()}
        return {**others, **shown}

    @cached_property
    def each_once(self) -> bool:
        """Whether each property goes by one of these names alone."""
        return len(self.shown) == len(set(self.shown.values()))

    @cached_property
    def cased(self) -> dict[str, str | None]:
        """The properties by the names that the model sees, without case; None where two share one."""
        cased: dict[str, str | None] = {}
        for shown, name in self.shown.items():
            plain = shown.casefold()
            cased[plain] = name if cased.get(plain, name) == name else None
        return cased

    @cached_property
    def spelled(self) -> dict[str, str | None]:
        """The properties by the folded names that the model sees; None where two share one."""
        spelled: dict[str, str | None] = {}
        for shown, name in self.shown.items():
            plain = folded(shown)
            spelled[plain] = name if spelled.get(plain, name) == name else None
        return spelled

    @cached_property
    def required(self) -> frozenset[str]:
        """The properties that must be there, by their own names."""
        return frozenset(
            name for schema in self._schemas for name in _list(schema.get("required")) if isinstance(name, str)
        )

    @cached_property
    def closed(self) -> bool:
        """Whether other properties than the listed are forbidden."""
        return any(
            schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False
            for schema in self._schemas
        ) and not any(schema.get("patternProperties") for schema in self._schemas)

    @cached_property
    def rest(self) -> Guide:
        """What properties that are not listed hold."""
        for schema in self._schemas:
            part = schema.get("additionalProperties")
            if isinstance(part, Mapping):
                return Guide(part, self._root)
        return ANY

    def other(self, name: str) -> Guide:
        """What a property of this name holds that is not listed."""
        return next((part for pattern, part in self._named_by_pattern if pattern.search(name, unsure=False)), self.rest)

    @cached_property
    def _named_by_pattern(self) -> tuple[tuple[_Pattern, Guide], ...]:
        given = (schema.get("patternProperties") for schema in self._schemas)
        return tuple(
            (_Pattern(source), Guide(part, self._root))
            for patterns in given
            if isinstance(patterns, Mapping)
            for source, part in patterns.items()
        )

    @cached_property
    def keys(self) -> Guide | None:
        """What the names of properties must be, where the schema says (`propertyNames`)."""
        for schema in self._schemas:
            if isinstance(schema.get("propertyNames"), Mapping):
                return Guide(schema["propertyNames"], self._root)
        return None

    @cached_property
    def known(self) -> frozenset[str] | None:
        """The folded names of all properties that may stand here, in any member of a union; None: any name may."""
        if self.options:
            each = [option.known for option in self.options if "object" in option.kinds or option.options]
            return None if not each or None in each else frozenset().union(*(names or () for names in each))
        if not self.names or self.rest is not ANY:
            return None
        return frozenset(self.spelled) | {folded(name) for name in self.names}

    def holds(self, key: str, kind: str) -> bool:
        """Whether there is a property of this folded name, in any member of a union, that may hold such a value."""
        if self.options:
            return any(option.holds(key, kind) for option in self.options)
        name = self.meant(key)
        return name is not None and kind in self.names[name].kinds

    def meant(self, key: str) -> str | None:
        """The property that a folded name means, be it the shown or the own one; None where there is none."""
        return self.spelled.get(key) or next((name for name in self.names if folded(name) == key), None)

    def member(self, key: str) -> Guide:
        """What the property of this folded name holds, as the first member of a union that has it says."""
        for option in self.options:
            if (found := option.member(key)) is not ANY:
                return found
        name = self.spelled.get(key)
        return self.names[name] if name is not None else self.rest

    def element(self, index: int) -> Guide:
        """What the item at this index holds, as the first member of a union with lists says."""
        for option in self.options:
            if "array" in option.kinds and (found := option.element(index)) is not ANY:
                return found
        return self.item(index)

    def item(self, index: int) -> Guide:
        """What the item at this index of a list is."""
        first, rest = self._items
        return first[index] if index < len(first) else rest

    @cached_property
    def _items(self) -> tuple[tuple[Guide, ...], Guide]:
        first: tuple[Guide, ...] = ()
        rest = ANY
        for schema in self._schemas:
            prefix = schema.get("prefixItems")
            items = schema.get("items")
            if isinstance(items, list):  # drafts before 2020-12
                prefix, items = items, schema.get("additionalItems")
            if isinstance(prefix, list) and not first:
                first = tuple(Guide(part, self._root) for part in prefix)
            if isinstance(items, Mapping) and rest is ANY:
                rest = Guide(items, self._root)
        return first, rest

    def hint(self, name: str) -> Any:
        kind = _HINTS.get(name) or _OWN_HINTS[name]
        return next((schema[name] for schema in self._schemas if isinstance(schema.get(name), kind)), None)


def _together(schema: Any, root: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The schemas that all hold at one place: the schema, where its `$ref` leads, the members of its `allOf`."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield from _together(led(reference, root), root, depth + 1)
    for member in _list(schema.get("allOf")):
        yield from _together(member, root, depth + 1)


def led(reference: str, root: Any) -> Any:
    """Where a reference inside the document leads; None for any other."""
    if not reference.startswith("#"):
        return None
    node = root
    try:
        for part in parse_pointer(unquote(reference[1:])):
            node = node[int(part)] if isinstance(node, list) else node[part]
    except (KeyError, IndexError, ValueError, TypeError):
        return None
    return node


def _hinted(schema: Any) -> bool:
    """Whether a hint stands anywhere in the schema."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, Mapping):
            if any(isinstance(node.get(word), kind) for word, kind in _HINTS.items()):
                return True
            for word, inner in node.items():
                if word in _NAMED and isinstance(inner, Mapping):
                    waiting.extend(inner.values())
                elif word not in _DATA:
                    waiting.append(inner)
    return False


def _shown(value: str, named: Mapping[str, str]) -> tuple[str, ...]:
    """The ways of an option: its alias in place of its own name, with its description behind it or not."""
    name, said = named.get("alias", value), named.get("description")
    return (name,) if said is None else (name, f"{name}: {said}", f"{name} {said}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def kind_of(value: Any) -> str:
    """The JSON type of a value; a whole number is an integer."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float() | Decimal():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


class _Pattern:
    """A pattern of the schema, of any kind: pydantic's are those of Rust or Python, a JSON Schema's of ECMA-262."""

    def __init__(self, source: str) -> None:
        from guards.patterns.ecma import EcmaPattern  # needed only where an answer has to be mended

        try:
            self._compiled: EcmaPattern | None = EcmaPattern(source)
        except ConfigError:
            self._compiled = None

    def search(self, text: str, *, unsure: bool = True) -> bool:
        try:
            return unsure if self._compiled is None else self._compiled.search(text)
        except TimeoutError:
            return unsure


ANY: Final = Guide({}, {})
