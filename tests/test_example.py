"""guards/contracts/showing/example.py: data that a schema allows and its contract accepts."""

from __future__ import annotations

import json
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import jsonschema
import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import validator_for
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator

from guards.contracts.json_schema.formats import FORMATS
from guards.contracts.showing.example import example
from guards.contracts.showing.example_values import FORMATS as EXAMPLES
from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern
from guards.patterns.samples import samples

SCHEMAS = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "jsonschemabench"
OBJECT = {"type": "object"}
TWO = {"a": {"type": "string"}, "b": {"type": "string"}}


def accepts(schema):
    return jsonschema.Draft202012Validator(schema).is_valid


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (True, "text"),
        ({}, "text"),
        ({"const": None}, None),
        ({"enum": ["abc", "de"], "maxLength": 2}, "de"),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "string", "default": 5}, "text"),
        ({"type": "array", "items": {"type": "boolean"}, "default": []}, [True]),
        ({"examples": [{"a": 1}], **OBJECT}, {"a": 1}),
        ({"type": ["null", "string"]}, "text"),
        ({"type": "integer", "minimum": 7, "maximum": 9, "multipleOf": 4}, 8),
        ({"type": "integer", "minimum": 10**30}, 10**30),
        ({"type": "integer", "maximum": -5}, -5),
        ({"type": "number", "exclusiveMinimum": 0.1, "exclusiveMaximum": 0.2}, 0.15),
        ({"type": "number", "multipleOf": 0.25}, 0.25),
        ({"type": "string", "minLength": 6, "maxLength": 6}, "text t"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "pattern": "^[a-z]+$", "minLength": 5}, "abcde"),
        ({"type": "string", "not": {"const": "text"}}, "text 2"),
        ({"not": {"type": ["object", "string", "number"]}}, True),
        ({"type": "array", "items": {"enum": [3, 4]}, "uniqueItems": True, "minItems": 2}, [3, 4]),
        ({"type": "array", "contains": {"const": 7}, "minItems": 2}, [7, 7]),
        ({"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "type": "array"}, ["text", 1]),
        ({"type": "array", "maxItems": 0}, []),
        ({"properties": TWO, **OBJECT}, {"a": "a", "b": "b"}),
        ({"properties": TWO, "not": {"required": ["b"]}, **OBJECT}, {"a": "a"}),
        ({"properties": TWO, "oneOf": [{"required": ["a"]}, {"required": ["b"]}], **OBJECT}, {"a": "a"}),
        ({"properties": TWO, "maxProperties": 1, "required": ["b"], **OBJECT}, {"b": "b"}),
        ({"required": ["due_date"], **OBJECT}, {"due_date": "due date"}),
        ({"additionalProperties": {"type": "integer"}, **OBJECT}, {"key": 1}),
        (
            {"patternProperties": {"^x-[a-z]$": {"type": "null"}}, "additionalProperties": False, **OBJECT},
            {"x-a": None},
        ),
        ({"propertyNames": {"pattern": "^[A-Z]{3}$"}, "minProperties": 1, **OBJECT}, {"ABC": "ABC"}),
        ({"minProperties": 2, **OBJECT}, {"key": "key", "key2": "key2"}),
        (
            {"allOf": [{"properties": {"n": {"minimum": 3}}}, {"properties": {"n": {"type": "integer"}}}], **OBJECT},
            {"n": 3},
        ),
        (
            {"properties": TWO, "dependentRequired": {"a": ["c"]}, "required": ["a"], **OBJECT},
            {"a": "a", "b": "b", "c": "c"},
        ),
        (
            {
                "properties": {"kind": {"enum": ["x", "y"]}},
                "required": ["kind"],
                "if": {"properties": {"kind": {"const": "x"}}},
                "then": {"required": ["q"], "properties": {"q": {"const": 5}}},
                **OBJECT,
            },
            {"kind": "x", "q": 5},
        ),
    ],
)
def test_shapes(schema, data):
    """Each keyword is honoured, and the example is the plainest telling one."""
    made = example(schema, accepts(schema))
    assert made == data
    assert type(made) is type(data)


def test_recursion_ends():
    """A recursive schema gives a small example: one level of a list, a leaf where there is another branch."""
    tree = {"$defs": {"t": {"properties": {"c": {"type": "array", "items": {"$ref": "#/$defs/t"}}}, **OBJECT}}}
    tree["$ref"] = "#/$defs/t"
    assert example(tree, accepts(tree)) == {"c": [{}]}
    sums = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}, "required": ["left", "right"], **OBJECT}
    term = {"$defs": {"e": {"oneOf": [json.loads(json.dumps(sums).replace('"#"', '"#/$defs/e"')), {"type": "null"}]}}}
    term["$ref"] = "#/$defs/e"
    assert example(term, accepts(term)) == {"left": None, "right": None}


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "minLength": 5, "maxLength": 2},
        {"$ref": "#"},
        {"properties": {"l": {"$ref": "#"}, "r": {"$ref": "#"}}, "required": ["l", "r"], **OBJECT},
        {"allOf": [{"anyOf": [False] * 30}] * 12},
        {"type": "string", "pattern": "^(a{400}){400}$"},
    ],
)
def test_what_cannot_be_made_is_said(schema):
    """Where no example is found the error says so, and what helps, in bounded time."""
    with cpu_within(2):
        with pytest.raises(ConfigError) as fault:
            example(schema, lambda data: False)
        assert str(fault.value) == (
            'prompt(style="example"): no example could be made that the contract accepts; give the schema, or the field '
            "that is hard to guess, examples=[...], or use another style"
        )


class Colour(Enum):
    RED = "red"


class Part(BaseModel):
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}\d{3}$")]
    made: date
    colour: Colour
    rate: Annotated[float, Field(gt=0, lt=1)]


class Order(BaseModel):
    kind: Literal["order"]
    parts: list[Part] = Field(min_length=2)
    note: str | None = None
    size: tuple[int, int] = (1, 2)
    names: set[str] = set()
    parent: Order | None = None

    @field_validator("note")
    @classmethod
    def lower(cls, note: str | None) -> str | None:
        if note is not None and note != "a":
            raise ValueError("must be a")
        return note


def test_a_pydantic_model_accepts_its_example():
    """A nested model's own validation, strict and with a validator that the schema does not show, takes the example."""
    adapter = TypeAdapter(Order)

    def valid(data):
        try:
            adapter.validate_json(json.dumps(data), strict=True)
        except ValidationError:
            return False
        return True

    made = example(adapter.json_schema(), valid)
    assert valid(made)
    assert len(made["parts"]) == 2
    assert made["parts"][0] == {"code": "AB123", "made": "2026-01-31", "colour": "red", "rate": 0.5}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_has_an_example(name):
    """For each format of the specification there is a text that this library's own check accepts."""
    schema = {"type": "string", "format": name}
    made = example(schema, FORMATS[name])
    assert made in EXAMPLES[name]


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}$",
        r"^(?:foo|bar)+$",
        r"^(?=.*[A-Z])(?=.*\d)(?=.*[!@#]).{8,}$",
        r"^(?!foo)[a-z]{3}$",
        r"^(['\"]).*\1$",
        r"^(?<q>['\"]).*\k<q>$",
        r"^\p{Lu}\p{Ll}+$",
        r"[\u4e00-\u9fff]{2}",
        r"^[^\w\s]+$",
        r"^\x41\u{42}\cJ\t$",
        r"^a{3}b{2,}c{1,2}d?e*$",
        r"\bword\b",
        r"^$",
        r"^(a{99}){99}$",
    ],
)
def test_patterns(pattern):
    """A matching text is found for classes, repeats, groups, references, assertions and properties."""
    compiled = EcmaPattern(pattern)
    assert any(compiled.search(text) for text in samples(pattern))


@given(st.text(alphabet="ab|()[]{}*+?^$\\.,1-:=!<>kpPu", max_size=20))
def test_any_text_may_be_tried_as_a_pattern(source):
    """Whatever stands for a pattern, samples are made or not, and nothing is raised."""
    assert list(samples(source)) == list(samples(source))


SCALARS = st.sampled_from(
    [
        {"type": "string", "minLength": 2, "maxLength": 9},
        {"type": "integer", "minimum": 3},
        {"type": "number", "maximum": 0},
        {"type": "boolean"},
        {"type": "null"},
        {"enum": ["x", 1]},
        {"type": "string", "format": "date"},
        {"type": "string", "pattern": "^[ab]{3}$"},
    ]
)


def _nested(inner):
    members = st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    return st.one_of(
        st.builds(lambda found: {"type": "object", "properties": found, "required": list(found)[:1]}, members),
        st.builds(lambda found, low: {"type": "array", "items": found, "minItems": low}, inner, st.integers(0, 3)),
        st.builds(lambda found: {"anyOf": found}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda found: {"prefixItems": found, "type": "array"}, st.lists(inner, min_size=1, max_size=3)),
    )


@given(st.recursive(SCALARS, _nested, max_leaves=8))
def test_nested_schemas_have_examples(schema):
    """Any nesting of satisfiable schemas has an accepted example, the same one each time."""
    made = example(schema, accepts(schema))
    assert accepts(schema)(made)
    assert example(schema, accepts(schema)) == made


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the schemas of ../shared/data/jsonschemabench are not here")
def test_schemas_of_the_world():
    """Every schema of a public collection that any data can satisfy has an accepted example."""
    unmade = set()
    for file in sorted(SCHEMAS.glob("*/*.json")):
        schema = json.loads(file.read_text())["schema"]
        valid = validator_for(schema, default=jsonschema.Draft202012Validator)(schema).is_valid
        try:
            assert valid(example(schema, valid))
        except ConfigError:
            unmade.add(file.name)
    # It requires length, width and radius, and forbids radius beside length and width.
    assert unmade == {"calculate_area_43c11cd0.json"}
