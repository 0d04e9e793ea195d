"""What pydantic's errors are called here and how they are told: a rule's code, what it expects, and words for a model.

The words name things as a JSON document does and say the form that is wanted; they hold no text of the answer. Where an
error stands in the document is `typed.findings`.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from guards.contracts.json_schema.formats import WORDS
from guards.contracts.typed.forms import DIGITS, OUT_OF_REACH, TWICE
from guards.contracts.typed.validator import RAISED, UNTAGGED
from guards.values.travelling import said

__all__ = ["ADDRESSES", "KINDS", "Said", "choices_of", "kind_of", "options_of", "raised_words", "told"]


class Said(NamedTuple):
    """An error as a finding tells it."""

    rule: str
    words: str
    expected: Any = None


def told(error: Mapping[str, Any]) -> Said:
    """What one of pydantic's errors says; a validator's own words where it is none of its rules."""
    kind: str = error["type"]
    context: Mapping[str, Any] = error.get("ctx", {})
    if kind == RAISED:
        return Said("validator", raised_words(context["raised"].exception))
    if kind not in _RULES:
        own = context.get("error") if kind in ("value_error", "assertion_error") else None
        return Said("validator", str(own or error["msg"]))
    rule, expected, words = _RULES[kind]
    if kind in _BOUNDS:
        expected = _simple(context.get(expected))
    try:
        return Said(rule, words.format(**context), expected)
    except KeyError:  # a user's own error under one of pydantic's names
        return Said("validator", str(error["msg"]))


def raised_words(fault: BaseException) -> str:
    """What a user's function raised; its own `__str__` may raise, too."""
    kind, text = type(fault).__name__, said(fault)
    return f"raised {kind}: {text}" if text else f"raised {kind}"


def options_of(values: Iterable[Any]) -> str:
    """Allowed values, as a document writes them."""
    shown = [_written(value) for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def choices_of(node: Mapping[str, Any]) -> list[Any]:
    """The tags of a tagged union."""
    return [tag for tag in node["choices"] if tag != UNTAGGED]


def kind_of(node: Mapping[str, Any], keys: Iterable[str]) -> str:
    """A member of a union in words. `keys` are those that an object of it must have."""
    cls = node.get("cls")
    if node["type"] in ("model", "dataclass", "typed-dict") and cls is not None:
        needed = ", ".join(keys)
        return f"{cls.__name__} (an object with {needed})" if needed else f"{cls.__name__} (an object)"
    return KINDS.get(node["type"], str(node["type"]))


def _written(value: Any) -> str:
    value = value.value if isinstance(value, Enum) else value
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return f"'{value}'"


def _simple(value: Any) -> Any:
    """A bound as plain data: a date or Decimal as its text."""
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _rules() -> dict[str, tuple[str, Any, str]]:
    return {
        **dict.fromkeys(_MISSING, ("required", None, "is required but missing")),
        **dict.fromkeys(_EXTRA, ("additionalProperties", "no such key", "is not a key of this object")),
        **_BOUNDS,
        **{
            kind: ("type", expected, f"must be {words}")
            for (expected, words), kinds in _TYPES.items()
            for kind in kinds
        },
        **{kind: ("format", expected, f"must be {words}") for kind, (expected, words) in _FORMATS.items()},
        "string_unicode": ("unicode", "text without half surrogate pairs", "must not hold half of a surrogate pair"),
        "recursion_loop": ("recursion", "no cycle", "must not hold itself"),
    }


_MISSING: Final = (
    *("missing", "missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"),
)
_EXTRA: Final = ("extra_forbidden", "unexpected_keyword_argument", "unexpected_positional_argument")

# Error type -> rule, the name of the bound in the error's context, words.
_BOUNDS: Final[dict[str, tuple[str, str, str]]] = {
    "greater_than": ("exclusiveMinimum", "gt", "must be greater than {gt}"),
    "greater_than_equal": ("minimum", "ge", "must be at least {ge}"),
    "less_than": ("exclusiveMaximum", "lt", "must be less than {lt}"),
    "less_than_equal": ("maximum", "le", "must be at most {le}"),
    "multiple_of": ("multipleOf", "multiple_of", "must be a multiple of {multiple_of}"),
    "string_too_short": ("minLength", "min_length", "must have at least {min_length} characters"),
    "string_too_long": ("maxLength", "max_length", "must have at most {max_length} characters"),
    "bytes_too_short": ("minLength", "min_length", "must have at least {min_length} bytes"),
    "bytes_too_long": ("maxLength", "max_length", "must have at most {max_length} bytes"),
    "url_too_long": ("maxLength", "max_length", "must have at most {max_length} characters"),
    "string_pattern_mismatch": ("pattern", "pattern", "must match the pattern {pattern}"),
    "too_short": ("minItems", "min_length", "must have at least {min_length} items"),
    "too_long": ("maxItems", "max_length", "must have at most {max_length} items"),
    "decimal_max_digits": ("maxDigits", "max_digits", "must have at most {max_digits} digits"),
    "decimal_max_places": ("maxPlaces", "decimal_places", "must have at most {decimal_places} digits behind the point"),
    "decimal_whole_digits": ("maxDigits", "whole_digits", "must have at most {whole_digits} digits before the point"),
    "enum": ("enum", "expected", "must be one of {expected}"),
    "literal_error": ("enum", "expected", "must be one of {expected}"),
    "union_tag_invalid": ("discriminator", "expected_tags", "must have a {discriminator} of {expected_tags}"),
    "union_tag_not_found": ("discriminator", "discriminator", "needs the key {discriminator} to tell its kind"),
    "url_scheme": ("format", "expected_schemes", "must be a URL with the scheme {expected_schemes}"),
    "is_instance_of": ("type", "class", "must be an instance of {class}"),
}

_DATE: Final = WORDS["date"]
_DATE_TIME: Final = WORDS["date-time"]
_TIME: Final = WORDS["time"]
_DURATION: Final = WORDS["duration"]
_UUID: Final = "a UUID, like 7b2bd1e6-6d5a-4c7e-9c4e-0d5a1e5c9f10"
_URL: Final = "a URL, like https://example.com/"

# (What is expected, words) -> the error types that say so.
_TYPES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("a finite number", "a finite number"): ("finite_number",),
    ("a number in the range of a float", "a number in the range of a float: not infinite, nor rounded to zero"): (
        OUT_OF_REACH,
    ),
    ("JSON with numbers that a float holds", "JSON whose numbers a float can hold to the last digit"): (DIGITS,),
    ("a number that a float can tell", "a number that can be told from the others of the document"): (TWICE,),
    ("null", "null"): ("none_required",),
    ("string", "a string"): ("string_type", "string_sub_type", "bytes_type"),
    ("string", _DATE): ("date_type",),
    ("string", _TIME): ("time_type",),
    ("string", _DATE_TIME): ("datetime_type",),
    ("string", _DURATION): ("time_delta_type",),
    ("string", _UUID): ("uuid_type",),
    ("string", _URL): ("url_type",),
    ("string", "a string that holds JSON"): ("json_type",),
    ("integer", "an integer"): ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    ("number", "a number"): ("float_type", "float_parsing", "decimal_type", "decimal_parsing"),
    ("number", "a number or a fraction, like 3/4"): ("fraction_type",),
    ("boolean", "a boolean"): ("bool_type", "bool_parsing"),
    ("array", "an array"): (
        *("list_type", "tuple_type", "set_type", "frozen_set_type", "deque_type", "iterable_type"),
    ),
    ("array", "an array or an object"): ("named_tuple_type", "arguments_type"),
    ("object", "an object"): (
        *("dict_type", "frozen_dict_type", "ordered_dict_type", "counter_type", "mapping_type"),
        *("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"),
    ),
    ("callable", "callable"): ("callable_type",),
    ("no object and no array", "neither an object nor an array"): ("set_item_not_hashable", "is_hashable"),
    ("number", "a number or a complex number, like 1+2j"): ("complex_type",),
}

# Error type -> what is expected, words.
_FORMATS: Final[dict[str, tuple[str, str]]] = {
    "date_parsing": ("date", _DATE),
    "date_from_datetime_parsing": ("date", _DATE),
    "date_from_datetime_inexact": ("date", _DATE),
    "date_past": ("a date in the past", "a date in the past"),
    "date_future": ("a date in the future", "a date in the future"),
    "time_parsing": ("time", _TIME),
    "datetime_parsing": ("date-time", _DATE_TIME),
    "datetime_object_invalid": ("date-time", _DATE_TIME),
    "datetime_from_date_parsing": ("date-time", _DATE_TIME),
    "datetime_past": ("a time in the past", "a date and time in the past"),
    "datetime_future": ("a time in the future", "a date and time in the future"),
    "timezone_naive": (
        "date-time without an offset",
        "a date and time without an offset, like 2024-05-31T14:30:00",
    ),
    "timezone_aware": ("date-time with an offset", "a date and time with an offset, like 2024-05-31T14:30:00Z"),
    "timezone_offset": (
        "date-time with another offset",
        "a date and time with an offset of {tz_expected} seconds from UTC",
    ),
    "time_delta_parsing": ("duration", _DURATION),
    "uuid_parsing": ("uuid", _UUID),
    "uuid_version": ("uuid", "a UUID of version {expected_version}"),
    "url_parsing": ("uri", _URL),
    "url_syntax_violation": ("uri", _URL),
    "bytes_invalid_encoding": ("encoded bytes", "bytes as {encoding}"),
    "string_not_ascii": ("ASCII text", "text of ASCII characters"),
    "fraction_parsing": ("fraction", "a number or a fraction, like 3/4"),
    "complex_str_parsing": ("complex number", "a number or a complex number, like 1+2j"),
    "pattern_type": ("regex", "a regular expression"),
    "pattern_str_type": ("regex", "a regular expression"),
    "pattern_regex": ("regex", "a regular expression"),
    "byte_size": ("size in bytes", "a number of bytes, like 5 or 2.5 MB"),
    "byte_size_unit": ("size in bytes", "a number of bytes, like 5 or 2.5 MB"),
}

_RULES: Final = _rules()

# What pydantic asks the standard library for, whose own words quote the answer.
ADDRESSES: Final[Mapping[Callable[..., Any], Said]] = {
    kind: Said("format", f"must be {words}", name)
    for kind, name, words in (
        (ipaddress.IPv4Address, "ipv4", "an IPv4 address, like 192.0.2.1"),
        (ipaddress.IPv6Address, "ipv6", "an IPv6 address, like 2001:db8::1"),
        (ipaddress.IPv4Network, "ipv4network", "an IPv4 network, like 192.0.2.0/24"),
        (ipaddress.IPv6Network, "ipv6network", "an IPv6 network, like 2001:db8::/32"),
        (ipaddress.IPv4Interface, "ipv4interface", "an IPv4 interface, like 192.0.2.1/24"),
        (ipaddress.IPv6Interface, "ipv6interface", "an IPv6 interface, like 2001:db8::1/32"),
    )
}

KINDS: Final = {
    **dict.fromkeys(("str", "bytes"), "a string"),
    "int": "an integer",
    **dict.fromkeys(("float", "decimal"), "a number"),
    "bool": "a boolean",
    "none": "null",
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "deque", "named-tuple"), "an array"),
    **dict.fromkeys(("dict", "ordered-dict", "counter", "frozendict", "typed-dict", "model", "dataclass"), "an object"),
    "date": _DATE,
    "datetime": _DATE_TIME,
    "time": _TIME,
    "timedelta": _DURATION,
    "uuid": "a UUID",
    **dict.fromkeys(("url", "multi-host-url"), "a URL"),
}
