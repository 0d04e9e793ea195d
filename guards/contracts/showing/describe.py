"""The text that tells a model what JSON to answer, in three styles: the schema itself, TypeScript types, an example."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from guards.contracts.base import Style, check_style

__all__ = ["describe_json"]


def describe_json(schema: dict[str, Any], style: Style | None, accepts: Callable[[Any], bool]) -> str:
    """What a model is told to answer; None is "json-schema".

    "example" is nothing but JSON that `accepts` says yes to. `ConfigError` for another style, or where no example can
    be made.
    """
    style = style or "json-schema"
    check_style(style, ("json-schema", "typescript", "example"), "a JSON answer")
    if style == "example":
        from guards.contracts.showing.example import example  # jsonschema is loaded for this style only

        return json.dumps(example(schema, accepts), indent=2, ensure_ascii=False)
    if style == "typescript":
        from guards.contracts.showing.typescript import typescript

        # JSON has no comments, no trailing commas and no `undefined`: models copy them from the types they are shown.
        name, types = typescript(schema)
        return (
            f"Answer with one JSON document of the TypeScript type {name} and nothing else, without comments:\n{types}"
        )
    shown = json.dumps(_lean(schema), ensure_ascii=False, separators=(",", ":"))
    return f"Answer with one JSON document and nothing else. It must fit this JSON Schema:\n{shown}"


# Keywords whose value maps names to schemas: there, a key is a name of the user's own and never a keyword.
_NAMED: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_DATA: Final = frozenset({"const", "enum", "default", "examples", "example", "required"})
_NOISE: Final = frozenset({"$schema", "$comment"})


def _lean(schema: Any, name: str = "") -> Any:
    """The schema without what tells a model nothing: a title that only repeats the name, `$schema`, comments, and a
    discriminator, which the constants of its branches say as well."""
    if isinstance(schema, list):
        return [_lean(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    lean: dict[str, Any] = {}
    for key, value in schema.items():
        if (
            key in _NOISE
            or (key == "discriminator" and "oneOf" in schema)
            or (key == "title" and _repeats(value, name))
        ):
            continue
        if key in _NAMED and isinstance(value, dict):
            lean[key] = {inner: _lean(rule, inner) for inner, rule in value.items()}
        elif key in _DATA or not isinstance(value, dict | list):
            lean[key] = value
        else:
            lean[key] = _lean(value)
    return lean


def _repeats(title: Any, name: str) -> bool:
    return isinstance(title, str) and bool(name) and _letters(title) == _letters(name)


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum()).casefold()
