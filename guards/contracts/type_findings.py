"""What pydantic found wrong, as findings: the same codes as a JSON Schema gives, and paths into the answer itself.

pydantic puts tags of unions into its locations (`("pet", "Cat", "name")`). They are told from real keys by walking the
core schema along the location, never by looking like a tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from guards._travelling import said
from guards.contracts.base import Reading
from guards.contracts.type_validator import RAISED
from guards.findings import Finding
from guards.reading.document import Document, Place, at

if TYPE_CHECKING:
    from pydantic import ValidationError

    from guards.contracts.type_validator import DefaultFailed

__all__ = ["Explainer"]


class Explainer:
    """Turns the errors of one type's validator into findings."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._definitions = {d["ref"]: d for d in _definitions(schema)}
        # Models fail at the same few places again and again.
        self._located = lru_cache(maxsize=1024)(self._locate)

    def reading(self, fault: ValidationError, document: Document) -> Reading[Any]:
        """The errors in pydantic's order, each (code, path) once; of a union's members, those that came closest."""
        entries = []
        faults = []
        for error in fault.errors(include_url=False):
            place, members = self._located(error["loc"])
            entries.append((self._finding(error, place, document), place, members))
            if error["type"] == RAISED:
                faults.append(error["ctx"]["raised"].exception)
        found: dict[tuple[str, str], Finding] = {}
        for finding in closest(entries):
            found.setdefault((finding.code, finding.path), finding)
        return Reading(None, document, tuple(found.values()), faults=tuple(faults))

    def raised(self, fault: Exception, document: Document) -> Reading[Any]:
        """What came out of the validator and tells no place."""
        if isinstance(fault, UnicodeEncodeError) and (halves := self._surrogates(document)):
            return Reading(None, document, halves)
        return Reading(None, document, (Finding("schema.validator", _words_of(fault)),), faults=(fault,))

    def failed(self, fault: DefaultFailed, document: Document) -> Reading[Any]:
        """A default that could not be made."""
        cause = fault.__cause__ or fault
        words = f"a default could not be made: its factory {_words_of(cause)}"
        return Reading(None, document, (Finding("schema.failed", words),), faults=(cause,))

    def too_deep(self, document: Document) -> Reading[Any]:
        return Reading(None, document, (Finding("limit.depth", "the document is nested too deeply"),))

    def _surrogates(self, document: Document) -> tuple[Finding, ...]:
        """The strings that no encoding can carry."""
        return tuple(
            Finding("schema.unicode", "must not hold half of a surrogate pair", document.path(place))
            for place in _surrogates(document.data, ())
        )

    def _finding(self, error: Mapping[str, Any], place: Place, document: Document) -> Finding:
        kind: str = error["type"]
        if kind == "json_invalid":
            halves = self._surrogates(document)
            if halves:
                return halves[0]
            return Finding("json.syntax", "not a JSON document that can be taken: a number or nesting out of range")
        rule = _RULES.get(kind)
        context = error.get("ctx", {})
        code, expected = "validator", None
        if rule is not None:
            code, key, named = rule
            expected = context.get(key) if key else named
        if (
            kind == "literal_error"
            and " or " not in str(context.get("expected", ""))
            and "," not in str(context.get("expected", ""))
        ):
            code = "const"
        return Finding(
            f"schema.{code}",
            _message(error, context, expected),
            document.path(place),
            expected=_simple(expected),
            actual=None if kind == "missing" else _actual(document, place, error),
        )

    def _locate(self, loc: tuple[int | str, ...]) -> tuple[Place, Members]:
        """pydantic's location less the tags that are not in the document, and the unions that they were of."""
        walked = next(self._walk(self._schema, loc, 0), None)
        if walked is None:
            return tuple(loc), ()
        place: list[int | str] = []
        members: list[tuple[Place, int]] = []
        for part in walked:
            if isinstance(part, _Member):
                members.append((tuple(place), part.index))
            else:
                place.append(part)
        return tuple(place), tuple(members)

    def _walk(self, node: Any, loc: tuple[int | str, ...], depth: int) -> Iterator[list[Part]]:
        """The keys and indexes of `loc` under this node; nothing where the node has no such place."""
        if depth > 4 * len(loc) + 200:
            return
        if not loc:
            yield []
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
                    yield from ([_Member(index), *tail] for tail in self._walk(member, rest, depth + 1))
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
            if rest[:1] == ("[key]",):
                yield [first]
            elif node.get("values_schema"):
                yield from ([first, *tail] for tail in self._walk(node["values_schema"], rest, depth + 1))
            elif not rest:
                yield [first]
        else:
            for key in ("schema", "json_schema", "strict_schema", "lax_schema", "arguments_schema"):
                if isinstance(node.get(key), Mapping):
                    yield from self._walk(node[key], loc, depth + 1)
            for step in node.get("steps", ()):
                yield from self._walk(step, loc, depth + 1)
            arguments = node.get("arguments_schema")
            if isinstance(arguments, list):  # a NamedTuple: its fields by position or name
                for position, argument in enumerate(arguments):
                    if first in (position, argument["name"]):
                        yield from ([first, *tail] for tail in self._walk(argument["schema"], rest, depth + 1))

    def _walk_fields(self, node: Any, loc: tuple[int | str, ...], depth: int) -> Iterator[list[Part]]:
        fields = node["fields"]
        pairs = fields.items() if isinstance(fields, Mapping) else ((f["name"], f) for f in fields)
        for name, field in pairs:
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

    def _walk_items(self, node: Any, first: int | str, rest: tuple[int | str, ...], depth: int) -> Iterator[list[Part]]:
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
class _Member:
    """In a walked location: which member of a union was tried there."""

    index: int


Part = int | str | _Member
Members = tuple[tuple[Place, int], ...]
"""The unions on the way to a finding: where each stands, and which member it was."""


def closest(entries: Sequence[tuple[Finding, Place, Members]]) -> list[Finding]:
    """Of the members of each union, the findings of those that the answer was most likely meant as.

    A member of another kind (wrong type at the union's own place), or whose constants differ, says nothing where
    another does better. Where all are of another kind, one finding names them all.
    """
    unions = {place for _, _, members in entries for place, _ in members}
    for union in sorted(unions, key=len):
        mine = [e for e in entries if any(place == union for place, _ in e[2])]
        if not mine:
            continue
        grouped: dict[int, list[tuple[Finding, Place, Members]]] = {}
        for entry in mine:
            grouped.setdefault(next(index for place, index in entry[2] if place == union), []).append(entry)
        distance = {index: _distance(group, union) for index, group in grouped.items()}
        nearest = min(distance.values())
        kept = [entry for index, group in grouped.items() if distance[index] == nearest for entry in group]
        if nearest[0] and len(kept) > 1:
            kept = [_either(kept)]
        gone = {id(entry) for entry in mine}
        at_first = next(n for n, entry in enumerate(entries) if id(entry) in gone)
        others = [entry for entry in entries if id(entry) not in gone]
        entries = [*others[:at_first], *kept, *others[at_first:]]
    return [finding for finding, _, _ in entries]


def _distance(group: Sequence[tuple[Finding, Place, Members]], union: Place) -> tuple[bool, int]:
    """How far a member is from the answer: of another kind at all, then how many of its constants differ."""
    other_kind = any(place == union and finding.code == "schema.type" for finding, place, _ in group)
    constants = sum(len(place) == len(union) + 1 and finding.code == "schema.const" for finding, place, _ in group)
    return other_kind, constants


def _either(kept: Sequence[tuple[Finding, Place, Members]]) -> tuple[Finding, Place, Members]:
    """One finding for members that are all of another kind."""
    finding, place, members = kept[0]
    kinds = list(dict.fromkeys(str(entry[0].expected) for entry in kept))
    words = " or ".join(_ARTICLE.get(kind, f"a {kind}") for kind in kinds)
    return finding.replace(message=f"must be {words}", expected=" or ".join(kinds)), place, members


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


def _definitions(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        if "ref" in node and "type" in node:
            yield node
        for key, child in node.items():
            if key not in ("metadata", "default", "cls"):
                yield from _definitions(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from _definitions(child)


def _actual(document: Document, place: Place, error: Mapping[str, Any]) -> Any:
    try:
        return at(document.data, place)
    except (LookupError, TypeError):
        return error.get("input")


def _surrogates(data: Any, place: Place) -> Iterator[Place]:
    if isinstance(data, str):
        if any("\ud800" <= c <= "\udfff" for c in data):
            yield place
    elif isinstance(data, dict):
        for key, child in data.items():
            yield from _surrogates(key, (*place, key))
            yield from _surrogates(child, (*place, key))
    elif isinstance(data, list):
        for index, child in enumerate(data):
            yield from _surrogates(child, (*place, index))


def _simple(value: Any) -> Any:
    """A bound as plain data: a date or Decimal as its text."""
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _message(error: Mapping[str, Any], context: Mapping[str, Any], expected: Any) -> str:
    """Our own words for what we know; the validator's for its own errors. Never any text of the answer."""
    kind: str = error["type"]
    template = _WORDS.get(kind)
    if template is not None:
        return template.format(**{**context, "wanted": expected})
    if kind == RAISED:
        return _words_of(context["raised"].exception)
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error") or error["msg"])
    if kind in _RULES:
        words: str = error["msg"]
        return words.replace("Input should be", "must be", 1).replace("Input should have", "must have", 1)
    return str(error["msg"])


def _words_of(fault: BaseException) -> str:
    """What a user's function raised; its own `__str__` may raise, too."""
    kind, text = type(fault).__name__, said(fault)
    return f"raised {kind}: {text}" if text else f"raised {kind}"


# pydantic's error type -> (rule, key of the bound in the error's context, what is expected where there is no such key)
_RULES: Final[dict[str, tuple[str, str | None, str | None]]] = {
    "missing": ("required", None, None),
    "missing_argument": ("required", None, None),
    "missing_keyword_only_argument": ("required", None, None),
    "extra_forbidden": ("additionalProperties", None, "no such key"),
    "unexpected_keyword_argument": ("additionalProperties", None, "no such key"),
    "greater_than": ("exclusiveMinimum", "gt", None),
    "greater_than_equal": ("minimum", "ge", None),
    "less_than": ("exclusiveMaximum", "lt", None),
    "less_than_equal": ("maximum", "le", None),
    "multiple_of": ("multipleOf", "multiple_of", None),
    "string_too_short": ("minLength", "min_length", None),
    "string_too_long": ("maxLength", "max_length", None),
    "bytes_too_short": ("minLength", "min_length", None),
    "bytes_too_long": ("maxLength", "max_length", None),
    "url_too_long": ("maxLength", "max_length", None),
    "string_pattern_mismatch": ("pattern", "pattern", None),
    "too_short": ("minItems", "min_length", None),
    "too_long": ("maxItems", "max_length", None),
    "enum": ("enum", "expected", None),
    "literal_error": ("enum", "expected", None),
    "union_tag_invalid": ("discriminator", "expected_tags", None),
    "union_tag_not_found": ("discriminator", "discriminator", None),
    "string_unicode": ("unicode", None, "text without half surrogate pairs"),
    "finite_number": ("type", None, "a finite number"),
    "none_required": ("type", None, "null"),
    "int_from_float": ("type", None, "integer"),
    "string_type": ("type", None, "string"),
    "string_sub_type": ("type", None, "string"),
    "int_type": ("type", None, "integer"),
    "float_type": ("type", None, "number"),
    "bool_type": ("type", None, "boolean"),
    "list_type": ("type", None, "array"),
    "tuple_type": ("type", None, "array"),
    "set_type": ("type", None, "array"),
    "frozen_set_type": ("type", None, "array"),
    "iterable_type": ("type", None, "array"),
    "dict_type": ("type", None, "object"),
    "mapping_type": ("type", None, "object"),
    "model_type": ("type", None, "object"),
    "model_attributes_type": ("type", None, "object"),
    "dataclass_type": ("type", None, "object"),
    "dataclass_exact_type": ("type", None, "object"),
    "bytes_type": ("type", None, "string"),
    "decimal_type": ("type", None, "number"),
    "date_type": ("type", None, "string"),
    "time_type": ("type", None, "string"),
    "datetime_type": ("type", None, "string"),
    "time_delta_type": ("type", None, "string"),
    "uuid_type": ("type", None, "string"),
    "url_type": ("type", None, "string"),
    "is_instance_of": ("type", "class", None),
    "callable_type": ("type", None, "callable"),
    "int_parsing": ("type", None, "integer"),
    "int_parsing_size": ("type", None, "integer"),
    "float_parsing": ("type", None, "number"),
    "bool_parsing": ("type", None, "boolean"),
    "decimal_parsing": ("type", None, "number"),
    "date_parsing": ("format", None, "date"),
    "date_from_datetime_parsing": ("format", None, "date"),
    "date_from_datetime_inexact": ("format", None, "date"),
    "time_parsing": ("format", None, "time"),
    "datetime_parsing": ("format", None, "date-time"),
    "datetime_from_date_parsing": ("format", None, "date-time"),
    "datetime_object_invalid": ("format", None, "date-time"),
    "timezone_naive": ("format", None, "date-time without an offset"),
    "timezone_aware": ("format", None, "date-time with an offset"),
    "timezone_offset": ("format", None, "date-time with another offset"),
    "time_delta_parsing": ("format", None, "duration"),
    "uuid_parsing": ("format", None, "uuid"),
    "uuid_version": ("format", None, "uuid"),
    "url_parsing": ("format", None, "uri"),
    "url_syntax_violation": ("format", None, "uri"),
    "url_scheme": ("format", "expected_schemes", None),
    "bytes_invalid_encoding": ("format", None, "encoded bytes"),
    "date_past": ("format", None, "a date in the past"),
    "date_future": ("format", None, "a date in the future"),
    "datetime_past": ("format", None, "a time in the past"),
    "datetime_future": ("format", None, "a time in the future"),
    "decimal_max_digits": ("maxDigits", "max_digits", None),
    "decimal_max_places": ("maxPlaces", "decimal_places", None),
    "decimal_whole_digits": ("maxDigits", "whole_digits", None),
    "recursion_loop": ("recursion", None, "no cycle"),
}

_ARTICLE: Final = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}

_WORDS: Final[dict[str, str]] = {
    "missing": "is required but missing",
    "missing_argument": "is required but missing",
    "missing_keyword_only_argument": "is required but missing",
    "extra_forbidden": "is not a key of this object",
    "unexpected_keyword_argument": "is not a key of this object",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "union_tag_invalid": "must have a {discriminator} of {expected_tags}",
    "union_tag_not_found": "needs the key {discriminator} to tell its kind",
    "string_unicode": "must not hold half of a surrogate pair",
    "bytes_invalid_encoding": "must be validly encoded bytes",
    **{
        kind: f"must be {_ARTICLE.get(rule[2], f'a {rule[2]}')}"
        for kind, rule in _RULES.items()
        if rule[2] and rule[0] == "type"
    },
    **{
        kind: f"must be a valid {rule[2]}"
        for kind, rule in _RULES.items()
        if rule[2] and rule[0] == "format" and not rule[2].startswith("a ")
    },
}
