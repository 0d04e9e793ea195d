"""jsonschema-rs in front of jsonschema (the extra `fast`): it says quickly that an answer is right.

What it accepts is accepted; for everything else jsonschema, the reference, has the last word and gives the findings.
So a difference could only show where jsonschema-rs accepts what the reference refuses. Schemas that use what the two
are not known to agree on are left to the reference altogether: other drafts, asserted formats, references out of the
document, patterns beyond a plain subset, multiples of fractions. Their agreement on the rest is proven on the public
suites (tests/test_fast.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["fast_validator"]

_DRAFTS: Final = frozenset(
    {
        "https://json-schema.org/draft/2020-12/schema",
        "http://json-schema.org/draft-07/schema",
    }
)
_NOT_PROVEN: Final = frozenset({"$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary"})
# Letters, digits, plain classes, groups, anchors, bounded repetition: what every dialect of patterns reads alike.
_PLAIN_PATTERN: Final = re.compile(
    r"\^?(?:[A-Za-z0-9_\- /@:#,]|\\[.\-/]|\[[A-Za-z0-9_\- ]+\]|[()|?+*]|\{\d+(?:,\d*)?\})*\$?"
)
_NESTED: Final = re.compile(r"[+*}]\)?[+*{]|\([^()]*[+*{][^()]*\)[+*{]")
_SCHEMAS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_DATA: Final = frozenset({"const", "enum", "default", "examples"})


def fast_validator(schema: Any, *, asserts_formats: bool, has_resources: bool) -> Callable[[Any], bool] | None:
    """Whether data is right by the schema; None where the schema is left to the reference, or nothing is installed."""
    if asserts_formats or has_resources or not _is_proven(schema):
        return None
    try:
        import jsonschema_rs
    except ModuleNotFoundError:
        return None
    try:
        validator = jsonschema_rs.validator_for(schema, validate_formats=False, retriever=_refuse)
    except Exception:  # noqa: BLE001  # whatever it has against the schema: the reference took it
        return None

    def accepts(data: Any) -> bool:
        try:
            return bool(validator.is_valid(data))
        except Exception:  # noqa: BLE001  # data that it cannot hold (a lone surrogate): the reference decides
            return False

    return accepts


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")


def _is_proven(schema: Any) -> bool:
    """Whether the two are known to agree on all that the schema says."""
    named = None
    if isinstance(schema, Mapping):
        named = schema.get("$schema", "https://json-schema.org/draft/2020-12/schema")
        if not isinstance(named, str) or named.rstrip("#") not in _DRAFTS:
            return False
    # A name of the whole schema's own changes nothing where every reference stays inside of it.
    waiting: list[tuple[Any, bool]] = [({k: v for k, v in schema.items() if k != "$id"} if named else schema, True)]
    while waiting:
        node, is_schema = waiting.pop()
        if isinstance(node, list):
            waiting.extend((child, is_schema) for child in node)
        elif isinstance(node, Mapping):
            if is_schema and not _says_plain_things(node):
                return False
            for key, child in node.items():
                if not is_schema:
                    waiting.append((child, True))
                elif key not in _DATA:
                    waiting.append((child, key not in _SCHEMAS or isinstance(child, list)))
    return True


def _says_plain_things(schema: Mapping[str, Any]) -> bool:
    if not _NOT_PROVEN.isdisjoint(schema):
        return False
    reference = schema.get("$ref", "#")
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        return False
    if "$id" in schema or "$anchor" in schema or "contentSchema" in schema:
        return False
    patterns = [schema.get("pattern", ""), *_keys(schema.get("patternProperties"))]
    if not all(isinstance(p, str) and _PLAIN_PATTERN.fullmatch(p) and not _NESTED.search(p) for p in patterns):
        return False
    multiple = schema.get("multipleOf", 1)
    return isinstance(multiple, int)


def _keys(part: Any) -> list[str]:
    return list(part) if isinstance(part, Mapping) else []
