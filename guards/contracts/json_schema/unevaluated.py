"""The keywords unevaluatedProperties and unevaluatedItems: what no other keyword of the schema has looked at.

2020-12 Core, section 11. In jsonschema both match patterns by `re` and miss some cases, so they are written here.
"""

# ruff: noqa: ARG001  # jsonschema calls every rule with the same four arguments

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema.exceptions import ValidationError
from referencing.jsonschema import lookup_recursive_ref

from guards.contracts.json_schema.keywords import declared, fault, out_of_time

__all__ = ["unevaluated_items", "unevaluated_properties"]


def unevaluated_properties(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict) or rule is True:
        return
    try:
        known = {name for applied in _applied(validator, instance) for name in _members(applied, instance, validator)}
    except TimeoutError:
        yield out_of_time(instance)
        return
    for name, value in instance.items():
        if name in known:
            continue
        if rule is False:
            yield fault(rule, value, name)
        else:
            yield from validator.descend(value, rule, path=name)


def unevaluated_items(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, list) or rule is True:
        return
    known = {index for applied in _applied(validator, instance) for index in _indexes(applied, instance, validator)}
    for index, value in enumerate(instance):
        if index in known:
            continue
        if rule is False:
            yield fault(rule, value, index)
        else:
            yield from validator.descend(value, rule, path=index)


def _members(applied: Any, instance: dict[str, Any], root: Any) -> Iterator[str]:
    """The members that this schema's own keywords evaluate (2020-12 Core, 11.3)."""
    schema = applied.schema
    if "additionalProperties" in schema or ("unevaluatedProperties" in schema and applied is not root):
        yield from instance
        return
    for name in instance:
        if declared(applied, schema, name):
            yield name


def _indexes(applied: Any, instance: list[Any], root: Any) -> Iterator[int]:
    """The items that this schema's own keywords evaluate (2020-12 Core, 11.2)."""
    schema = applied.schema
    rules = applied.VALIDATORS
    items = schema.get("items")
    by_position = isinstance(items, list)
    if (
        (items is not None and not by_position)
        or (by_position and "additionalItems" in schema)
        or ("unevaluatedItems" in schema and applied is not root)
    ):
        yield from range(len(instance))
        return
    yield from range(len(schema.get("prefixItems", items or ())))
    if "contains" in schema and "prefixItems" in rules:  # in 2019-09 `contains` evaluates nothing
        contains = _inner(applied, schema["contains"])
        yield from (index for index, item in enumerate(instance) if contains.is_valid(item))


def _applied(validator: Any, instance: Any) -> Iterator[Any]:
    """The schema itself and every subschema that applies to the same instance and accepts it."""
    schema = validator.schema
    if not isinstance(schema, dict):
        return
    yield validator
    for target in _referenced(validator):
        yield from _applied(target, instance)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for subschema in schema.get(keyword, ()):
            yield from _if_valid(_inner(validator, subschema), instance)
    if "if" in schema:
        condition = _inner(validator, schema["if"])
        fits = condition.is_valid(instance)
        if fits:
            yield from _applied(condition, instance)
        yield from _applied(_inner(validator, schema.get("then" if fits else "else", True)), instance)
    if isinstance(instance, dict):
        for name, subschema in schema.get("dependentSchemas", {}).items():
            if name in instance:
                yield from _applied(_inner(validator, subschema), instance)


def _if_valid(validator: Any, instance: Any) -> Iterator[Any]:
    if validator.is_valid(instance):
        yield from _applied(validator, instance)


def _referenced(validator: Any) -> Iterator[Any]:
    schema, resolver = validator.schema, validator._resolver  # noqa: SLF001  # the resolver has no public name
    found = [resolver.lookup(schema[keyword]) for keyword in ("$ref", "$dynamicRef") if keyword in schema]
    if "$recursiveRef" in schema:
        found.append(lookup_recursive_ref(resolver))
    for target in found:
        yield validator.evolve(schema=target.contents, _resolver=target.resolver)


def _inner(validator: Any, subschema: Any) -> Any:
    resource = type(validator).specification.create_resource(subschema)
    resolver = validator._resolver.in_subresource(resource)  # noqa: SLF001  # as above
    return validator.evolve(schema=subschema, _resolver=resolver)
