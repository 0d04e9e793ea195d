"""The JSON Schema of a Python type with what else its author calls things.

The names of enum members stand as `x-also`, those of fields that may be used beside their aliases as `x-names`.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

__all__ = ["hinted_schema"]


def hinted_schema(adapter: TypeAdapter[Any]) -> dict[str, Any] | None:
    """The schema with hints for a reader; None for a type that has no JSON Schema."""
    try:
        return adapter.json_schema(by_alias=True, mode="validation", schema_generator=_Hinted)
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None


class _Hinted(GenerateJsonSchema):
    # A default that JSON cannot hold is none that a reader could use: nobody need hear of it while an answer is mended.
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # as pydantic declares it

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        cls = schema["cls"]
        if cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name"):
            names = {
                name: field.validation_alias
                for name, field in cls.model_fields.items()
                if isinstance(field.validation_alias, str) and name not in made.get("properties", {})
            }
            return {**made, "x-names": names} if names else made
        return made

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        made = super().enum_schema(schema)
        members = {member.name: member.value for member in schema["members"] if isinstance(member.value, str | int)}
        return {**made, "x-also": members}
