"""The extra `fast`: jsonschema-rs in front of jsonschema, with equal verdicts and the same findings."""

import json
import pickle
from pathlib import Path

import pytest
from clock import cpu_within

from guards import ConfigError, Limits, validate
from guards.contracts import JsonSchema
from guards.contracts.json_schema.fast import fast_validator
from guards.reading.document import JsonDocument

pytest.importorskip("jsonschema_rs", reason="needs the extra `fast`")

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SUITE = SHARED / "json_schema_test_suite"
BENCH = SHARED / "jsonschemabench"
DRAFT7 = "http://json-schema.org/draft-07/schema#"


def verdicts(schema, data, **options):
    """By jsonschema-rs alone (None where it is not asked), by the engine "rust", and by "python"."""
    rust, python = (JsonSchema(schema, engine=engine, **options) for engine in ("rust", "python"))
    alone = fast_validator(rust._compiled.schema, asserts_formats=False, has_resources=False)
    document = JsonDocument(data)
    return alone and alone(data), rust.recheck(document).ok, python.recheck(document).ok


@pytest.mark.skipif(not SUITE.is_dir(), reason="needs the public data in shared/data/json_schema_test_suite")
@pytest.mark.parametrize("draft", ["draft7", "draft2020-12"])
def test_equal_verdicts_on_the_official_suite(draft):
    """On every test both engines say the same, and jsonschema-rs never accepts what the reference refuses."""
    asked = 0
    for file in sorted((SUITE / draft).rglob("*.json")) or sorted(SUITE.rglob(f"{draft}/**/*.json")):
        groups = json.loads(file.read_text(encoding="utf-8"))
        for group in groups if isinstance(groups, list) else []:
            schema = group["schema"]
            if draft == "draft7" and isinstance(schema, dict):
                schema = {"$schema": DRAFT7, **schema}
            try:
                JsonSchema(schema)
            except ConfigError:
                continue  # refers to documents that the suite serves
            for case in group["tests"]:
                alone, rust, python = verdicts(schema, case["data"])
                assert rust == python, (file.name, group["description"], case["description"])
                assert not (alone and not python)
                asked += alone is not None
    assert asked > 1000


@pytest.mark.skipif(not BENCH.is_dir(), reason="needs the public data in shared/data/jsonschemabench")
def test_every_stored_verdict_of_real_schemas():
    """Every stored verdict on the schemas of a public collection is met, with either engine."""
    asked = 0
    for file in sorted(BENCH.glob("*/*.json")):
        case = json.loads(file.read_text(encoding="utf-8"))
        for test in case.get("tests", ()):
            alone, rust, python = verdicts(case["schema"], test["data"])
            assert rust == python, file.name
            assert not (alone and not python), file.name
            asked += alone is not None
            _, rust, python = verdicts(case["schema"], test["data"], formats=True)
            assert rust == python == test["valid"], file.name
    assert asked > 300


def test_findings_are_the_same():
    """What is refused is explained by the reference: codes, paths and messages are those of "python"."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n", "m"]}
    for text in ('{"n": 1}', "[]", '{"n": "x", "m": 1}'):
        by = [validate(text, JsonSchema(schema, engine=engine)).findings for engine in ("rust", "python", "auto")]
        assert by[0] == by[1] == by[2] != ()


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": "^(a+)+$"},
        {"pattern": "\\p{L}"},
        {"multipleOf": 0.1},
        {"$ref": "https://json-schema.org/draft/2020-12/schema"},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"$dynamicRef": "#a", "$dynamicAnchor": "a"},
        {"items": {"$id": "https://example.org/a", "type": "string"}},
        {"properties": {"pattern": {"pattern": "(a+)+"}}},
    ],
)
def test_what_is_not_proven_is_left_to_the_reference(schema):
    """Schemas that use what the two may read differently are not handed over."""
    assert fast_validator(schema, asserts_formats=False, has_resources=False) is None
    assert fast_validator({"type": "string"}, asserts_formats=True, has_resources=False) is None
    assert fast_validator({"type": "string"}, asserts_formats=False, has_resources=True) is None


@pytest.mark.parametrize("engine", ["rust", "python"])
def test_hostile_schemas_and_data_answer_in_time(engine):
    """A pattern that blows up, deep schemas and deep data: an answer within a second, never a crash."""
    with cpu_within(1):
        found = validate(json.dumps("a" * 5000 + "!"), JsonSchema({"pattern": "^(a+)+$"}, engine=engine))
        assert not found.ok
    deep = {"type": "array"}
    for _ in range(5000):
        deep = {"items": deep}
    with cpu_within(1), pytest.raises(ConfigError, match="nested too deeply"):
        JsonSchema(deep, engine=engine)
    chained = {"$defs": {str(n): {"items": {"$ref": f"#/$defs/{n + 1}"}} for n in range(5000)} | {"5000": {}}}
    with cpu_within(2):
        contract = JsonSchema({**chained, "$ref": "#/$defs/0"}, engine=engine)
    nested = "[" * 2000 + "]" * 2000
    with cpu_within(2):
        validate(nested, contract, limits=Limits(depth=3000))


def test_data_that_rust_cannot_hold():
    """A lone surrogate and a number of many digits are decided by the reference."""
    schema = JsonSchema({"type": ["string", "integer"], "maxLength": 3}, engine="rust")
    assert validate('"\\ud800"', schema).ok
    assert validate("1" * 300, schema).ok
    assert not validate('"\\ud800xxx"', schema).ok


def test_contracts_pickle_and_compare():
    """The engine is part of how a contract is made, not of what it is; it pickles."""
    schema = JsonSchema({"type": "integer"}, engine="rust")
    assert validate("1", schema).ok
    again = pickle.loads(pickle.dumps(schema))
    assert again == schema
    assert validate("1", again).ok
