"""The validator class of each draft, and the state of one validation.

The classes are `jsonschema`'s, with those keywords exchanged that match patterns (ECMA-262, in bounded time), that need
a finding per member (required, additionalProperties), that are inexact (multipleOf) or slow on hostile answers
(uniqueItems): see `json_schema.keywords` and `json_schema.unevaluated`. Which class a schema gets is
`json_schema.check`.

Only the files of this room import jsonschema and referencing; whoever needs them imports these late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from time import thread_time
from typing import Any, Final

from jsonschema import validators as drafts
from jsonschema.exceptions import ValidationError
from referencing.jsonschema import specification_with

from guards.contracts.json_schema import keywords as rule
from guards.contracts.json_schema.unevaluated import unevaluated_items, unevaluated_properties
from guards.patterns.ecma import SECONDS, EcmaPattern
from guards.reading.numbers import as_whole

__all__ = ["DRAFTS", "LATEST", "Run", "dialect", "validator_class"]

LATEST: Final = "https://json-schema.org/draft/2020-12/schema"
DRAFTS: Final[Mapping[str, Any]] = {
    "http://json-schema.org/draft-03/schema": drafts.Draft3Validator,
    "http://json-schema.org/draft-04/schema": drafts.Draft4Validator,
    "http://json-schema.org/draft-06/schema": drafts.Draft6Validator,
    "http://json-schema.org/draft-07/schema": drafts.Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": drafts.Draft201909Validator,
    LATEST: drafts.Draft202012Validator,
}


class Run:
    """One validation's state: what it asserts, and how much time its patterns have left.

    It travels as the validators' `format_checker`, the one value that jsonschema hands on to every subschema.
    """

    __slots__ = ("_patterns", "formats", "left", "timed_out")

    def __init__(self, formats: Mapping[str, Callable[[str], bool]], patterns: Mapping[str, EcmaPattern]) -> None:
        self.formats = formats
        self._patterns = patterns
        self.left = SECONDS
        self.timed_out = False

    def matches(self, source: str, text: str) -> bool:
        """Whether the pattern is found in the text. Raises TimeoutError once the time for all patterns is spent."""
        pattern = self._patterns.get(source) or EcmaPattern(source)
        started = thread_time()
        try:
            return pattern.search(text, self.left)
        except TimeoutError:
            self.timed_out = True
            self.left = 0.0
            raise
        finally:
            # What a plain search costs is free, or a long and harmless answer would use the time up. The thread's own
            # time, since a busy machine is no fault of the pattern.
            self.left -= max(0.0, thread_time() - started - 2e-5 - 5e-8 * len(text))


def dialect(uri: str) -> str:
    """The name of a draft as it stands in `DRAFTS`: without the empty fragment that the older ones have."""
    return uri.removesuffix("#")


@lru_cache(maxsize=64)
def validator_class(draft: str, keywords: frozenset[str] | None = None) -> Any:
    """The validator class of a draft; with `keywords`, one that knows these only (a meta-schema's vocabularies)."""
    base = DRAFTS[draft]
    rules = {name: _OWN.get(name, theirs) for name, theirs in base.VALIDATORS.items()}
    if draft == LATEST:
        rules["items"] = rule.items
    if "draft/" in draft:
        # No keyword since 2019-09, but reserved: whoever still writes it means it.
        rules["dependencies"] = rule.dependencies
    if keywords is not None:
        rules = {name: check for name, check in rules.items() if name in keywords}
    made = drafts.create(
        meta_schema=base.META_SCHEMA,
        validators=rules,
        type_checker=base.TYPE_CHECKER.redefine("integer", _of_integers(base.TYPE_CHECKER)),
        id_of=base.ID_OF,
        applicable_validators=base._APPLICABLE_VALIDATORS,  # noqa: SLF001  # `extend` reads it the same way
    )
    made.evolve = _evolve
    made.descend = _descend
    made.specification = specification_with(draft)
    made.draft = draft
    made.ref_stands_alone = "draft/" not in draft  # up to draft 7 what stands beside a $ref is ignored
    made.of_subschema = classmethod(_of_subschema)
    return made


def _of_integers(checker: Any) -> Callable[[Any, Any], bool]:
    """What an integer is to a draft, of numbers with more digits than a float keeps, too."""
    with_point = checker.is_type(1.0, "integer")  # to the first drafts it is none

    def is_integer(_: Any, value: Any) -> bool:
        if isinstance(value, Decimal):
            return bool(with_point) and as_whole(value) is not None
        return bool(checker.is_type(value, "integer"))

    return is_integer


def _of_subschema(kind: Any, schema: Any) -> Any:
    """The class for a subschema: another one where it has a `$schema` of its own."""
    if isinstance(schema, dict) and "$schema" in schema:
        named = dialect(str(schema["$schema"]))
        if named in DRAFTS and named != kind.draft:
            return validator_class(named)
    return kind


def _evolve(self: Any, **changes: Any) -> Any:
    """As in jsonschema, save that only classes of this file are made."""
    schema = changes.get("schema", self.schema)
    return type(self).of_subschema(schema)(
        schema,
        format_checker=changes.get("format_checker", self.format_checker),
        registry=self._registry,
        _resolver=changes.get("_resolver", self._resolver),
    )


def _descend(  # jsonschema's own signature
    self: Any, instance: Any, schema: Any, path: Any = None, schema_path: Any = None, resolver: Any = None
) -> Iterator[ValidationError]:
    """As in jsonschema, save that an error of a `false` schema has its path too."""
    if schema is True:
        return
    if schema is False:
        error = ValidationError("", validator=None, validator_value=None, instance=instance, schema=schema)
        yield _placed(error, path, schema_path)
        return
    if resolver is None:
        resolver = self._resolver.in_subresource(type(self).specification.create_resource(schema))
    inner = self.evolve(schema=schema, _resolver=resolver)
    for check, keyword, value in inner._validators:  # noqa: SLF001  # it has no public name
        for error in check(inner, value, instance, schema) or ():
            error._set(validator=keyword, validator_value=value, instance=instance, schema=schema)  # noqa: SLF001
            yield _placed(error, path, schema_path)


def _placed(error: ValidationError, path: Any, schema_path: Any) -> ValidationError:
    if path is not None:
        error.path.appendleft(path)
    if schema_path is not None:
        error.schema_path.appendleft(schema_path)
    return error


_OWN: Final[Mapping[str, Any]] = {
    "required": rule.required,
    "pattern": rule.pattern,
    "patternProperties": rule.pattern_properties,
    "additionalProperties": rule.additional_properties,
    "propertyNames": rule.property_names,
    "additionalItems": rule.additional_items,
    "const": rule.const,
    "enum": rule.enum,
    "minimum": rule.minimum,
    "maximum": rule.maximum,
    "exclusiveMinimum": rule.exclusive_minimum,
    "exclusiveMaximum": rule.exclusive_maximum,
    "multipleOf": rule.multiple_of,
    "divisibleBy": rule.multiple_of,
    "uniqueItems": rule.unique_items,
    "format": rule.format_,
    "anyOf": rule.any_of,
    "oneOf": rule.one_of,
    "dependentRequired": rule.dependent_required,
    "dependencies": rule.dependencies,
    "unevaluatedProperties": unevaluated_properties,
    "unevaluatedItems": unevaluated_items,
}
