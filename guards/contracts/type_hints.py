"""The JSON Schema of a Python type with what else its author calls things: the names of enum members as `x-also`."""

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

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        made = super().enum_schema(schema)
        members = {member.name: member.value for member in schema["members"] if isinstance(member.value, str | int)}
        return {**made, "x-also": members}
