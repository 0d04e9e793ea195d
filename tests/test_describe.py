"""guards/contracts/showing/describe.py and typescript.py: the words that tell a model what JSON to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from clock import cpu_within
from pydantic import BaseModel, Field, TypeAdapter

from guards.contracts.showing.describe import describe_json
from guards.contracts.showing.typescript import typescript
from guards.errors import ConfigError

SCHEMAS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "jsonschemabench"


class Line(BaseModel):
    sku: str = Field(min_length=3, description="stock unit")
    quantity: int = Field(ge=1, le=5)
    price: float = Field(gt=0)


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Ticket(BaseModel):
    """A ticket of the shop."""

    topic: Literal["billing", "bug"]
    mail: str | None = None
    lines: list[Line] = Field(min_length=1, max_length=3)
    tags: set[str] = set()
    counts: dict[str, int] = {}
    at: tuple[int, str]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    mixed: list[int | str]
    score: float = 0.5
    age: Annotated[int, Field(ge=0)] | None = None


class Tree(BaseModel):
    value: int
    children: list[Tree] = []


def yes(_: Any) -> bool:
    return True


def test_json_schema_is_the_usual_style():
    """Without a style the model is shown the schema, in one line, without what only repeats a name."""
    assert describe_json(TypeAdapter(Dog).json_schema(), None, yes) == (
        "Answer with one JSON document and nothing else. It must fit this JSON Schema:\n"
        '{"properties":{"kind":{"const":"dog","type":"string"},"name":{"type":"string"}},'
        '"required":["kind","name"],"title":"Dog","type":"object"}'
    )


def test_noise_goes_and_names_stay():
    """`$schema`, comments and repeated titles go; a title that says more and members called like keywords stay."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "internal",
        "properties": {
            "title": {"type": "string", "title": "Title"},
            "$comment": {"title": "What was said"},
            "due_by": {"title": "Due By", "enum": ["title", {"title": "due_by"}]},
        },
    }
    shown = describe_json(schema, "json-schema", yes).split("\n", 1)[1]
    assert json.loads(shown) == {
        "properties": {
            "title": {"type": "string"},
            "$comment": {"title": "What was said"},
            "due_by": {"enum": ["title", {"title": "due_by"}]},
        }
    }


def test_typescript():
    """The types of a pydantic model, literally: optional members, unions, tuples, records, comments with limits."""
    assert describe_json(TypeAdapter(Ticket).json_schema(), "typescript", yes) == (
        "Answer with one JSON document of the TypeScript type Ticket and nothing else, without comments:\n"
        "type integer = number; // whole\n"
        "interface Cat {\n"
        '  kind: "cat";\n'
        "}\n"
        "interface Dog {\n"
        '  kind: "dog";\n'
        "  name: string;\n"
        "}\n"
        "interface Line {\n"
        "  sku: string; // stock unit; at least 3 characters\n"
        "  quantity: integer; // 1 to 5\n"
        "  price: number; // more than 0\n"
        "}\n"
        "// A ticket of the shop.\n"
        "interface Ticket {\n"
        '  topic: "billing" | "bug";\n'
        "  mail?: string | null;\n"
        "  lines: Line[]; // 1 to 3 items\n"
        "  tags?: string[]; // all different\n"
        "  counts?: Record<string, integer>;\n"
        "  at: [integer, string];\n"
        "  pet: Cat | Dog;\n"
        "  mixed: (integer | string)[];\n"
        "  score?: number; // default 0.5\n"
        "  age?: integer /* at least 0 */ | null;\n"
        "}"
    )


def test_a_recursive_type_refers_to_itself():
    """A recursive model is one interface, named in the instruction."""
    assert typescript(TypeAdapter(Tree).json_schema()) == (
        "Tree",
        "type integer = number; // whole\ninterface Tree {\n  value: integer;\n  children?: Tree[];\n}",
    )


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({}, "type Answer = any;"),
        ({"not": {}}, "type Answer = any;"),
        ({"enum": ["a", 1, None, {"b": [1]}]}, 'type Answer = "a" | 1 | null | {"b": [1]};'),
        ({"const": 'say "x"'}, 'type Answer = "say \\"x\\"";'),
        ({"type": ["string", "null"]}, "type Answer = string | null;"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, 'type Answer = ("a" | "b")[];'),
        ({"type": "array", "items": {"const": "a | b"}}, 'type Answer = "a | b"[];'),
        ({"type": "array"}, "type Answer = any[];"),
        ({"prefixItems": [{"type": "string"}], "items": False}, "type Answer = [string];"),
        ({"items": [{"type": "string"}]}, "type Answer = [string, ...any[]];"),
        ({"type": "object", "additionalProperties": False}, "type Answer = {};"),
        ({"type": "string", "format": "date"}, "type Answer = string; // format date"),
        ({"type": "string", "pattern": "^a\nb$"}, "type Answer = string; // matches ^a b$"),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, "type Answer = number; // more than 0"),
        ({"type": "string", "maxLength": 1}, "type Answer = string; // at most 1 character"),
        (
            {"type": "object", "properties": {"a-b": True}, "additionalProperties": {"type": "string"}},
            'interface Answer {\n  "a-b"?: any;\n  [key: string]: string;\n}',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]},
            "interface Answer {\n  a?: string;\n  b: any;\n}",
        ),
        (
            {
                "allOf": [{"$ref": "#/$defs/A"}, {"anyOf": [{"const": 1}, {"const": 2}]}],
                "$defs": {"A": {"type": "string"}},
            },
            "type A = string;\ntype Answer = A & (1 | 2);",
        ),
        ({"$defs": {"Unused": {"type": "string"}}, "type": "null"}, "type Answer = null;"),
        ({"$ref": "https://example.org/other"}, "type Answer = any;"),
        ({"title": "string", "type": "string"}, "type Answer = string;"),
        (
            {"title": "A", "properties": {"x": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "null"}}},
            "type A2 = null;\ninterface A {\n  x?: A2;\n}",
        ),
        (
            {"properties": {"x": {"$ref": "#"}, "y": {"$ref": "#/properties/z"}, "z": {"type": "string"}}},
            "type z = string;\ninterface Answer {\n  x?: Answer;\n  y?: z;\n  z?: string;\n}",
        ),
    ],
)
def test_shapes(schema, text):
    """Each shape of schema has its type."""
    assert typescript(schema)[1] == text


def test_the_example_is_json_alone():
    """The example style is a document and nothing around it, readable and in the letters of its language."""
    shown = describe_json({"const": {"straße": [1]}}, "example", yes)
    assert shown == '{\n  "straße": [\n    1\n  ]\n}'


@pytest.mark.parametrize("style", ["xml", "poem"])
def test_other_styles_are_refused(style):
    """A style that JSON answers have not is a ConfigError naming those they have."""
    with pytest.raises(ConfigError, match="use one of 'json-schema', 'typescript', 'example'"):
        describe_json({}, style, yes)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the schemas of ../shared/data/jsonschemabench are not here")
def test_schemas_of_the_world():
    """Every schema of a public collection is described in both styles, the same way twice and at once."""
    for file in sorted(SCHEMAS.glob("*/*.json")):
        schema = json.loads(file.read_text())["schema"]
        with cpu_within(2, file.name):
            for style in ("json-schema", "typescript"):
                text = describe_json(schema, style, yes)
                assert text == describe_json(schema, style, yes)
        assert json.loads(describe_json(schema, "json-schema", yes).split("\n", 1)[1]).keys() <= schema.keys()
