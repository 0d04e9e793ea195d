"""BAML's answer parser as a reader of (text, JSON Schema), for `reading.py`: its wheel's own runtime, without a call.

A schema becomes BAML types: objects classes (whose names are aliases), enums and constants literal
unions, `anyOf` unions, free objects maps. What BAML has no type for (lengths, patterns, ranges) is left to the
validation behind the reader.
"""

from __future__ import annotations

import json
import types
from typing import Any

from baml_py import BamlRuntime
from pydantic import BaseModel, ConfigDict

_HEAD = """
client<llm> Nobody {
  provider openai
  options {
    model "none"
    api_key "none"
  }
}
function Read(text: string) -> %s {
  client Nobody
  prompt #"{{ text }} {{ ctx.output_format }}"#
}
"""


class _Types:
    """The BAML types of one schema, and the Python classes that its values come back in."""

    def __init__(self, schema: Any) -> None:
        self.root = schema
        self.lines: list[str] = []
        self.fields: dict[str, dict[str, tuple[str, bool]]] = {}
        """Of each class, the member behind each field, and whether it may be missing."""
        self._named: dict[int, str] = {}
        self.top = self.of(schema)

    def of(self, schema: Any) -> str:
        if schema is True or not schema:
            return "string | float | bool | null"
        if "$ref" in schema:
            target: Any = self.root
            for step in schema["$ref"].lstrip("#/").split("/"):
                target = target[step]
            return self.of(target)
        if "const" in schema or "enum" in schema:
            return self._any(_literal(value) for value in schema.get("enum", [schema.get("const")]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._any(self.of(option) for option in schema[key])
        kind = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kind, list):
            return self._any(self.of({**schema, "type": one}) for one in kind)
        if kind == "array":
            return f"({self.of(schema.get('items'))})[]"
        if kind == "object":
            if "properties" in schema:
                return self._class(schema)
            return f"map<string, {self.of(schema.get('additionalProperties'))}>"
        return {"integer": "int", "number": "float", "boolean": "bool", "string": "string", "null": "null"}[kind]

    def _any(self, options: Any) -> str:
        return "(" + " | ".join(options) + ")"

    def _class(self, schema: Any) -> str:
        if id(schema) in self._named:
            return self._named[id(schema)]
        name = self._named[id(schema)] = f"Type{len(self._named)}"
        fields, lines = {}, []
        for number, (key, inner) in enumerate(schema["properties"].items()):
            field = f"field{number}"  # many names cannot be written in BAML, keywords of its own among them
            optional = key not in schema.get("required", ())
            fields[field] = (key, optional)
            alias = json.dumps(inner.get("x-alias", key) if isinstance(inner, dict) else key)
            lines.append(f"  {field} ({self.of(inner)}){'?' if optional else ''} @alias({alias})")
        self.fields[name] = fields
        self.lines.append(f"class {name} {{\n" + "\n".join(lines) + "\n}\n")
        return name


class Reader:
    """`read(text, schema)`: the value; raises what BAML raises."""

    def __init__(self) -> None:
        self._compiled: dict[str, Any] = {}

    def __call__(self, text: str, schema: Any) -> Any:
        key = json.dumps(schema)
        if key not in self._compiled:
            self._compiled[key] = self._compile(schema)
        kinds, runtime, module = self._compiled[key]
        context = runtime.create_context_manager()
        value = runtime.parse_llm_response("Read", text, module, module, module, False, context, None, None, {})
        return _plain(value, kinds.fields)

    def _compile(self, schema: Any) -> Any:
        kinds = _Types(schema)
        source = "\n".join(kinds.lines) + _HEAD % kinds.top
        runtime = BamlRuntime.from_files("baml_src", {"main.baml": source}, {})
        module = types.ModuleType("answers")
        for name in kinds.fields:
            setattr(module, name, type(name, (BaseModel,), {"model_config": ConfigDict(extra="allow")}))
        return kinds, runtime, module


def _literal(value: Any) -> str:
    return "null" if value is None else json.dumps(value)


def _plain(value: Any, fields: dict[str, dict[str, tuple[str, bool]]]) -> Any:
    """The value as JSON. A member that may be missing and is null was not there."""
    if isinstance(value, BaseModel):
        members = {**value.__dict__, **(value.__pydantic_extra__ or {})}
        known = [(*fields[type(value).__name__][field], member) for field, member in members.items()]
        return {key: _plain(member, fields) for key, optional, member in known if member is not None or not optional}
    if isinstance(value, dict):
        return {key: _plain(member, fields) for key, member in value.items()}
    return [_plain(item, fields) for item in value] if isinstance(value, list) else value
