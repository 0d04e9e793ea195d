"""The JSON Schema of a Python type with what else its author calls things: the names of enum members, the other
names of a field, its own where the type takes it beside the alias."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from guards.contracts.typed.structures import spellings_of
from guards.reading.guide import OTHER_NAMES, OTHER_WAYS

__all__ = ["hinted_schema"]

_DECIMAL: Final = r"^\s*[+\-]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+\-]?[0-9]+)?\s*$"
"""What Python makes a Decimal of."""
_DATE: Final = r"[0-9][^0-9.]+[0-9]"
_SHAPES: Final = {
    **dict.fromkeys(("date", "date-time", "time"), _DATE),
    "duration": r"[0-9]\s*[A-Za-z:]",
    **dict.fromkeys(("uuid", *(f"uuid{version}" for version in range(1, 9))), r"[0-9A-Fa-f]{8}"),
    **dict.fromkeys(("ipv4", "ipv4network", "ipv4interface"), r"[0-9]\.[0-9]"),
    **dict.fromkeys(("ipv6", "ipv6network", "ipv6interface", "uri", "multi-host-uri"), ":"),
    "email": "@",
}
"""What every text of a format holds, however it is written: `N/A` is no date, and in a union with null it is null."""
_HELD_TO_IT: Final = frozenset(
    {"date", "datetime", "time", "timedelta", "uuid", "url", "multi-host-url"}
    | {"lax-or-strict", "function-plain", "function-after", "function-wrap"}  # addresses
)
"""Nodes whose format pydantic asserts; elsewhere, at a `str`, it is a note of the author's."""


def hinted_schema(adapter: TypeAdapter[Any]) -> dict[str, Any] | None:
    """The schema with hints for a reader; None for a type that has no JSON Schema."""
    try:
        return adapter.json_schema(by_alias=True, mode="validation", schema_generator=_Hinted)
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None


class _Hinted(GenerateJsonSchema):
    # A default that JSON cannot hold is none that a reader could use: nobody need hear of it while an answer is mended.
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # as pydantic declares it

    def __init__(self, by_alias: bool = True, *given: Any, **named: Any) -> None:  # as pydantic calls it
        super().__init__(by_alias, *given, **named)
        self._configs: list[Mapping[str, Any]] = []

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        made = super().generate_inner(schema)
        shape = _SHAPES.get(made.get("format", "")) if schema["type"] in _HELD_TO_IT else None
        return made if shape is None or "pattern" in made else {**made, "pattern": shape}

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        made = super().enum_schema(schema)
        members = {member.name: member.value for member in schema["members"] if isinstance(member.value, str | int)}
        return {**made, OTHER_WAYS: members}

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        # pydantic's own says no more than that it may be a text. Another text may be another way of writing a number.
        made = super().decimal_schema(schema)
        members = [{**m, "pattern": _DECIMAL} if m.get("type") == "string" else m for m in made.get("anyOf", ())]
        return {**made, "anyOf": members} if members else made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return self._under(super().model_schema, schema)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        return self._under(super().dataclass_schema, schema)

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> JsonSchemaValue:
        return self._named(super().model_fields_schema(schema), schema["fields"].items())

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> JsonSchemaValue:
        return self._named(
            super().dataclass_args_schema(schema), [(field["name"], field) for field in schema["fields"]]
        )

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        return self._named(
            self._under(super().typed_dict_schema, schema), schema["fields"].items(), schema.get("config")
        )

    def _under(self, make: Callable[[Any], JsonSchemaValue], schema: Mapping[str, Any]) -> JsonSchemaValue:
        self._configs.append(schema.get("config") or {})
        try:
            return make(schema)
        finally:
            self._configs.pop()

    def _named(
        self, made: JsonSchemaValue, fields: Iterable[tuple[str, Any]], config: Mapping[str, Any] | None = None
    ) -> JsonSchemaValue:
        """The schema of an object with the names that its fields have beside the one that it shows."""
        config = config or (self._configs[-1] if self._configs else {})
        properties = dict(made.get("properties", {}))
        for attribute, field in fields:
            names = [str(path[0]) for path in spellings_of(attribute, field, config) if len(path) == 1]
            shown = next((name for name in names if name in properties), None)
            if shown is not None and len(names) > 1:
                properties[shown] = {**properties[shown], OTHER_NAMES: [name for name in names if name != shown]}
        return {**made, "properties": properties} if properties else made
