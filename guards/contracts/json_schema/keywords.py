"""The rules of JSON Schema that this library applies in its own way: one function per keyword.

Each gets the validator, the keyword's value, the instance and the schema that the keyword stands in, and yields errors
whose paths are relative to the instance. What an error means in words is `json_schema.findings`.
"""

# ruff: noqa: ARG001  # jsonschema calls every rule with the same four arguments

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from jsonschema.exceptions import ValidationError

from guards.reading.numbers import numerically

__all__ = ["LIMIT_PATTERN", "declared", "fault", "out_of_time"]

LIMIT_PATTERN: Final = "limit.pattern"
"""The `validator` of an error that says that a pattern ran out of time; no keyword is called that."""


def fault(rule: Any, instance: Any, *path: Any, keyword: str | None = None) -> ValidationError:
    given = {"validator": keyword} if keyword else {}
    return ValidationError("", path=path, validator_value=rule, instance=instance, **given)


def out_of_time(instance: Any, *path: Any) -> ValidationError:
    return fault(None, instance, *path, keyword=LIMIT_PATTERN)


def required(validator: Any, names: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield fault(names, instance, name)


def pattern(validator: Any, source: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        try:
            found = validator.format_checker.matches(source, instance)
        except TimeoutError:
            yield out_of_time(instance)
        else:
            if not found:
                yield fault(source, instance)


def pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for source, subschema in patterns.items():
        for name, value in instance.items():
            try:
                found = validator.format_checker.matches(source, name)
            except TimeoutError:
                yield out_of_time(name, name)
                return
            if found:
                yield from validator.descend(value, subschema, path=name, schema_path=source)


def additional_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict) or rule is True:
        return
    try:
        extras = [name for name in instance if not declared(validator, schema, name)]
    except TimeoutError:
        yield out_of_time(instance)
        return
    for name in extras:
        if rule is False:
            yield fault(rule, instance[name], name)
        else:
            yield from validator.descend(instance[name], rule, path=name)


def declared(validator: Any, schema: Any, name: str) -> bool:
    if name in schema.get("properties", ()):
        return True
    return any(validator.format_checker.matches(source, name) for source in schema.get("patternProperties", ()))


def property_names(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name in instance:
        errors = list(validator.descend(name, rule))
        if any(error.validator == LIMIT_PATTERN for error in errors):
            yield out_of_time(name, name)
        elif errors:
            # The path of the member: what is wrong is its name, whatever it holds.
            found = fault(rule, name, name)
            found.context.extend(errors)
            yield found


def items(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, list):
        return
    first = len(schema.get("prefixItems", ()))
    if rule is False:
        if len(instance) > first:
            yield fault(first, instance)
        return
    for index in range(first, len(instance)):
        yield from validator.descend(instance[index], rule, path=index)


def additional_items(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    prefix = schema.get("items", True)
    if not isinstance(instance, list) or not isinstance(prefix, list):
        return
    if rule is False:
        if len(instance) > len(prefix):
            yield fault(len(prefix), instance)
        return
    for index in range(len(prefix), len(instance)):
        yield from validator.descend(instance[index], rule, path=index)


def multiple_of(validator: Any, step: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number") and not _is_multiple(instance, step):
        yield fault(step, instance)


def _is_multiple(number: Any, step: Any) -> bool:
    if isinstance(number, int) and isinstance(step, int):
        return number % step == 0
    # As they were written: 0.0075 is a multiple of 0.0001, though their doubles are not. An exponent that is too large
    # to write out leaves a float or Decimal.
    number, step = numerically(number), numerically(step)
    if not (isinstance(number, int | Fraction) and isinstance(step, int | Fraction)):
        return False
    return Fraction(number, step).denominator == 1


def minimum(validator: Any, least: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number"):
        number, bound = _comparable(instance, least)
        # Up to draft 4 a flag beside the bound shuts it out.
        if number < bound or (number == bound and schema.get("exclusiveMinimum") is True):
            yield fault(least, instance)


def maximum(validator: Any, most: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number"):
        number, bound = _comparable(instance, most)
        if number > bound or (number == bound and schema.get("exclusiveMaximum") is True):
            yield fault(most, instance)


def exclusive_minimum(validator: Any, least: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number"):
        number, bound = _comparable(instance, least)
        if number <= bound:
            yield fault(least, instance)


def exclusive_maximum(validator: Any, most: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number"):
        number, bound = _comparable(instance, most)
        if number >= bound:
            yield fault(most, instance)


def _comparable(number: Any, bound: Any) -> tuple[Any, Any]:
    if type(number) is type(bound):
        return number, bound  # doubles are in the order of their shortest digits
    return numerically(number), numerically(bound)


def const(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if _frozen(instance) != _frozen(value):
        yield fault(value, instance)


def enum(validator: Any, values: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if instance in values and isinstance(instance, str):
        return
    frozen = _frozen(instance)
    if all(frozen != _frozen(value) for value in values):
        yield fault(values, instance)


def unique_items(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not rule or not isinstance(instance, list):
        return
    seen: dict[Any, int] = {}
    for index, item in enumerate(instance):
        first = seen.setdefault(_frozen(item), index)
        if first != index:
            yield fault(rule, item, index)


def _frozen(value: Any) -> Any:
    """A hashable form that is equal where JSON Schema says equal: 1 and 1.0 are, 1 and true are not; 1e23 is 10**23."""
    if isinstance(value, dict):
        return "object", frozenset((name, _frozen(item)) for name, item in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_frozen, value))
    if isinstance(value, bool):
        return "boolean", value
    return numerically(value) if isinstance(value, int | float | Decimal) else value


def format_(validator: Any, name: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        accepts = validator.format_checker.formats.get(name)
        if accepts is not None and not accepts(instance):
            yield fault(name, instance)


def any_of(validator: Any, branches: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    failed: list[ValidationError] = []
    for index, branch in enumerate(branches):
        errors = list(validator.descend(instance, branch, schema_path=index))
        if not errors:
            return
        failed.extend(errors)
    yield ValidationError("", validator_value=branches, instance=instance, context=failed)


def one_of(validator: Any, branches: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    failed: list[ValidationError] = []
    fitting: list[int] = []
    for index, branch in enumerate(branches):
        errors = list(validator.descend(instance, branch, schema_path=index))
        failed.extend(errors)
        if not errors:
            fitting.append(index)
    if not fitting:
        yield ValidationError("", validator_value=branches, instance=instance, context=failed)
    elif len(fitting) > 1:
        numbers = ", ".join(str(index + 1) for index in fitting)
        yield ValidationError(numbers, validator_value=branches, instance=instance)


def dependent_required(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name, needed in rule.items():
        if name in instance:
            for other in needed:
                if other not in instance:
                    yield fault(name, instance, other, keyword="dependentRequired")


def dependencies(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name, needed in rule.items():
        if isinstance(needed, str | list):
            names = [needed] if isinstance(needed, str) else needed
            yield from dependent_required(validator, {name: names}, instance, schema)
        elif name in instance:
            yield from validator.descend(instance, needed, schema_path=name)
