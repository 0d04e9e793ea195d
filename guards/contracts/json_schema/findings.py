"""What a JSON Schema error means: the validator's errors as findings, in words for a person and for a model.

The words never hold text of the answer; the values of the schema stand in them, clipped. A union that nothing fits is
explained by the branches that come closest, since a list of all that is wrong with every branch helps nobody.
"""

# ruff: noqa: ARG001, ARG005  # every rule's words are called with the same two arguments

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from jsonschema.exceptions import ValidationError

from guards.contracts.alternatives import alternatives
from guards.contracts.json_schema.formats import WORDS
from guards.contracts.json_schema.keywords import LIMIT_PATTERN
from guards.findings import MOST_LISTED, Finding, listed
from guards.reading.document import Document, Place, holds_null

__all__ = ["findings_of"]

TYPES: Final[Mapping[str, str]] = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
    "any": "any value",
}
_MISSING: Final = frozenset({"schema.required", "schema.dependentRequired"})
_MOST_SHOWN: Final = 12
_MOST_TOLD: Final = 2 * MOST_LISTED
_MOST_COUNTED: Final = 1_000
"""Further errors that are counted; each is as dear as one that is told."""


def findings_of(errors: Iterable[ValidationError], document: Document) -> tuple[Finding, ...]:
    """One finding per fault, in the order of the errors; of several with one code and place the first."""
    found: dict[tuple[str, str], Finding] = {}
    waiting = iter(errors)
    for error in waiting:
        for fault, place in _explained(error, ()):
            missing = fault.code in _MISSING
            finding = fault.replace(path=document.path(place), found_null=not missing and holds_null(document, place))
            found.setdefault((finding.code, finding.path), finding)
        if len(found) > _MOST_TOLD:
            break
    more = sum(1 for _ in islice(waiting, _MOST_COUNTED))
    # Where the allowed values are listed, that the value is of another type says nothing more.
    valued = {path for code, path in found if code in {"schema.enum", "schema.const"}}
    told = (f for (code, path), f in found.items() if code != "schema.type" or path not in valued)
    return listed(told, more, exact=more < _MOST_COUNTED)


_Fault = tuple[Finding, Place]


def _explained(error: ValidationError, base: Place) -> Iterator[_Fault]:
    """The findings of one error, still without their paths, each with its place."""
    place = (*base, *error.relative_path)
    keyword = error.validator
    if keyword in {"anyOf", "oneOf", "type"} and error.context:
        yield from _union(error, place)
    elif keyword is None:
        yield Finding("schema.false", "must be left out: nothing is allowed here", actual=error.instance), place
    elif keyword == LIMIT_PATTERN:
        yield Finding(LIMIT_PATTERN, "took too long to match against the schema's patterns"), place
    else:
        yield _single(str(keyword), error), place


def _single(keyword: str, error: ValidationError) -> Finding:
    rule = error.validator_value
    missing = keyword in {"required", "dependentRequired"}
    words = _MESSAGES.get(keyword)
    message = words(rule, error) if words else f"must keep the schema's rule {keyword!r}"
    return Finding(
        f"schema.{keyword}",
        message,
        expected=None if missing or rule is False else _own(_one_type(rule) if keyword == "type" else rule),
        actual=None if missing else error.instance,
    )


# The words, by keyword: a function of the keyword's value and the error.


def _count(amount: Any, noun: str) -> str:
    return f"{_shown(amount)} {noun}{'' if amount == 1 else 's'}"


def _type(rule: Any, error: ValidationError) -> str:
    return "must be " + _either([TYPES.get(name, str(name)) for name in _names(rule)])


def _enum(rule: Any, error: ValidationError) -> str:
    return f"must be {_choice(rule)}"


def _extra(rule: Any, error: ValidationError) -> str:
    schema = error.schema if isinstance(error.schema, dict) else {}
    names = list(schema.get("properties") or ())
    if not names:
        return "is not allowed: no such member may stand here"
    return f"is not allowed; the members are {_listed(names)}"


def _format(rule: Any, error: ValidationError) -> str:
    return f"must be {WORDS.get(rule, f'in the format {rule!r}')}"


def _one_of(rule: Any, error: ValidationError) -> str:
    if error.message:  # the numbers of those that fit
        return f"must fit exactly one of the alternatives, but fits several (numbers {error.message})"
    return _any_of(rule, error)


def _any_of(rule: Any, error: ValidationError) -> str:
    return "must fit one of the alternatives" if rule else "can never be right: the schema has no alternatives"


def _not(rule: Any, error: ValidationError) -> str:
    if isinstance(rule, dict) and len(rule) == 1:
        keyword, value = next(iter(rule.items()))
        if keyword == "const":
            return f"must not be {_shown(value)}"
        if keyword == "enum":
            return f"must not be {_choice(value)}"
        if keyword == "type":
            return "must not be " + _either([TYPES.get(name, str(name)) for name in _names(value)])
        if keyword == "required":
            return f"must not have the member{'s' if len(value) > 1 else ''} {_listed(value)}"
        if keyword == "pattern":
            return f"must not match the pattern {_clip(str(value))}"
    return "must not fit the schema under 'not'"


def _dependent(rule: Any, error: ValidationError) -> str:
    return f"is required where {_shown(rule)} is given, but missing"


def _property_names(rule: Any, error: ValidationError) -> str:
    # The errors under the name itself say what a name must be.
    for inner in error.context or ():
        for fault, _ in _explained(inner, ()):
            return f"has a name that is not allowed: a name here {fault.message}"
    return "has a name that is not allowed"


_MESSAGES: Final[Mapping[str, Callable[[Any, ValidationError], str]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda rule, _: f"must be {_shown(rule)}",
    "required": lambda _, __: "is required but missing",
    "dependentRequired": _dependent,
    "additionalProperties": _extra,
    "unevaluatedProperties": _extra,
    "propertyNames": _property_names,
    "minProperties": lambda rule, _: f"must have at least {_shown(rule)} member{'' if rule == 1 else 's'}",
    "maxProperties": lambda rule, _: f"must have at most {_shown(rule)} member{'' if rule == 1 else 's'}",
    "minItems": lambda rule, _: f"must have at least {_count(rule, 'item')}",
    "maxItems": lambda rule, _: f"must have at most {_count(rule, 'item')}",
    "items": lambda rule, _: f"must have at most {_count(rule, 'item')}",
    "additionalItems": lambda rule, _: f"must have at most {_count(rule, 'item')}",
    "unevaluatedItems": lambda _, __: "is not allowed: the schema has no place for this item",
    "uniqueItems": lambda _, __: "must not repeat an earlier item",
    "contains": lambda rule, _: f"must hold at least one item of this kind: {_described(rule)}",
    "minContains": lambda rule, _: f"must hold at least {_count(rule, 'item')} of the kind that 'contains' asks for",
    "maxContains": lambda rule, _: f"must hold at most {_count(rule, 'item')} of the kind that 'contains' asks for",
    "minLength": lambda rule, _: f"must have at least {_count(rule, 'character')}",
    "maxLength": lambda rule, _: f"must have at most {_count(rule, 'character')}",
    "pattern": lambda rule, _: f"must match the pattern {_clip(str(rule))}",
    "format": _format,
    "minimum": lambda rule, error: f"must be {_bound(error, 'exclusiveMinimum', 'greater than', 'at least')}",
    "maximum": lambda rule, error: f"must be {_bound(error, 'exclusiveMaximum', 'less than', 'at most')}",
    "exclusiveMinimum": lambda rule, _: f"must be greater than {_shown(rule)}",
    "exclusiveMaximum": lambda rule, _: f"must be less than {_shown(rule)}",
    "multipleOf": lambda rule, _: f"must be a multiple of {_shown(rule)}",
    "divisibleBy": lambda rule, _: f"must be a multiple of {_shown(rule)}",
    "not": _not,
    "disallow": lambda rule, _: "must not be " + _either([TYPES.get(n, str(n)) for n in _names(rule)]),
    "anyOf": _any_of,
    "oneOf": _one_of,
}


def _bound(error: ValidationError, exclusive: str, without: str, within: str) -> str:
    # Up to draft 4 `exclusiveMinimum: true` stood beside `minimum`.
    schema = error.schema if isinstance(error.schema, dict) else {}
    return f"{without if schema.get(exclusive) is True else within} {_shown(error.validator_value)}"


def _described(rule: Any) -> str:
    if isinstance(rule, dict):
        for keyword in ("const", "enum", "type", "minimum", "maximum", "pattern"):
            if keyword in rule:
                probe = ValidationError("", validator_value=rule[keyword], schema=rule)
                return _MESSAGES[keyword](rule[keyword], probe)
    return "fits the schema under 'contains'"


# Unions


_KIND: Final = frozenset({"type", "const", "enum"})


def _union(error: ValidationError, place: Place) -> Iterator[_Fault]:
    """What is wrong where no branch fits, told by those that come closest."""
    branches = _branches(error)
    near = [errors for errors in branches if not any(_fails_in_kind(e) for e in errors)]
    if not near:
        yield _no_kind_fits(error, branches), place
        return
    tags = [_tag_faults(errors) for errors in near]
    if len(near) > 1 and all(tags) and len({path for faults in tags for path in faults}) == 1:
        path = next(iter(tags[0]))
        values = _distinct(value for faults in tags for value in faults[path][0])
        actual = tags[0][path][1]
        yield Finding("schema.enum", f"must be {_choice(values)}", expected=values, actual=actual), (*place, *path)
        return
    ranked = sorted(near, key=_distance)
    closest = [errors for errors in ranked if _distance(errors) == _distance(ranked[0])]
    told = [[fault for inner in errors for fault in _explained(inner, place)] for errors in closest]
    if len(told) == 1 or all(_same(told[0], other) for other in told[1:]):
        yield from told[0]
    else:
        yield _alternatives(error, told, place), place


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    grouped: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        grouped.setdefault(inner.relative_schema_path[0], []).append(inner)
    return list(grouped.values())


def _fails_in_kind(error: ValidationError) -> bool:
    """Whether this says that the value itself is of another kind than the branch is about."""
    if error.relative_path:
        return False
    if error.validator in {"anyOf", "oneOf"} and error.context:
        return all(any(_fails_in_kind(e) for e in errors) for errors in _branches(error))
    return error.validator in _KIND or error.validator is None


def _tag_faults(errors: Sequence[ValidationError]) -> dict[Place, tuple[list[Any], Any]]:
    """Members right below that name another variant than this branch (a discriminator): place to allowed, found."""
    faults: dict[Place, tuple[list[Any], Any]] = {}
    for error in errors:
        if len(error.relative_path) == 1 and error.validator in {"const", "enum"}:
            rule = error.validator_value
            faults[tuple(error.relative_path)] = ([rule] if error.validator == "const" else list(rule), error.instance)
    return faults


def _distance(errors: Sequence[ValidationError]) -> tuple[int, int, int]:
    """How far a branch is from fitting: another variant, then many faults, then faults near the top."""
    return len(_tag_faults(errors)), len(errors), -max(len(e.relative_path) for e in errors)


def _no_kind_fits(error: ValidationError, branches: list[list[ValidationError]]) -> Finding:
    leaves = [_kind_leaves(errors) for errors in branches]
    # A branch of the right type whose values do not fit is nearer than one of another type.
    right_type = [faults for faults in leaves if not any(fault.validator == "type" for fault in faults)]
    values = _distinct(value for faults in right_type for fault in faults for value in _values(fault))
    if values and (len(right_type) == len(leaves) or any(_same_type(value, error.instance) for value in values)):
        return Finding("schema.enum", f"must be {_choice(values)}", expected=values, actual=error.instance)
    types = _distinct(
        name
        for faults in leaves
        for fault in faults
        if fault.validator == "type"
        for name in _names(fault.validator_value)
    )
    if types and not right_type:
        return Finding("schema.type", _type(types, error), expected=_one_type(types), actual=error.instance)
    words = [TYPES.get(name, str(name)) for name in types]
    words += [_shown(value) for value in values[:_MOST_SHOWN]]
    message = f"must be {_either(words)}" if words else _any_of(error.validator_value, error)
    return Finding(f"schema.{error.validator}", message, expected=_own(error.validator_value), actual=error.instance)


def _kind_leaves(errors: Sequence[ValidationError]) -> list[ValidationError]:
    leaves: list[ValidationError] = []
    for error in errors:
        if error.relative_path:
            continue
        if error.validator in {"anyOf", "oneOf"} and error.context:
            leaves += [leaf for inner in _branches(error) for leaf in _kind_leaves(inner)]
        elif error.validator in _KIND:
            leaves.append(error)
    return leaves


def _values(error: ValidationError) -> list[Any]:
    if error.validator == "const":
        return [error.validator_value]
    return list(error.validator_value) if error.validator == "enum" else []


def _same_type(one: Any, two: Any) -> bool:
    numbers = (int, float)
    if isinstance(one, bool) or isinstance(two, bool):
        return isinstance(one, bool) and isinstance(two, bool)
    return type(one) is type(two) or (isinstance(one, numbers) and isinstance(two, numbers))


def _same(one: list[_Fault], two: list[_Fault]) -> bool:
    return [(fault.code, fault.message, place) for fault, place in one] == [
        (fault.code, fault.message, place) for fault, place in two
    ]


def _alternatives(error: ValidationError, told: list[list[_Fault]], place: Place) -> Finding:
    """Several branches are equally near."""
    message = alternatives([[(fault, where[len(place) :]) for fault, where in faults] for faults in told])
    return Finding(f"schema.{error.validator}", message, expected=_own(error.validator_value), actual=error.instance)


# Values of the schema in words


def _names(rule: Any) -> list[Any]:
    given = rule if isinstance(rule, list) else [rule]
    return [name if isinstance(name, str) else "another kind of value" for name in given]


def _own(rule: Any) -> Any:
    """A copy, since the schema is shared by all who use the contract and findings belong to the user."""
    return copy.deepcopy(rule) if isinstance(rule, dict | list) else rule


def _one_type(rule: Any) -> Any:
    return rule[0] if isinstance(rule, list) and len(rule) == 1 else rule


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True, default=str): value for value in values}.values())


def _choice(values: Sequence[Any]) -> str:
    if len(values) == 1:
        return _shown(values[0])
    return f"one of {_listed(values)}"


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(_shown(value) for value in values[:_MOST_SHOWN])
    return shown if len(values) <= _MOST_SHOWN else f"{shown} and {len(values) - _MOST_SHOWN} more"


def _either(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"'{_clip(value)}'"
    return _clip(json.dumps(value, ensure_ascii=False, default=str))


def _clip(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
