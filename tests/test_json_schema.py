"""The JSON Schema contract: what it finds and says, which schemas it refuses, and that it is a value."""

import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st

from guards.contracts.json_schema import check as schema_check
from guards.contracts.json_schema.contract import JsonSchema
from guards.errors import ConfigError, MissingExtra
from guards.reading.document import JsonDocument

ROOT = Path(__file__).resolve().parents[1]
DRAFT4 = "http://json-schema.org/draft-04/schema#"
DRAFT7 = "http://json-schema.org/draft-07/schema#"


def found(schema, data, **options):
    findings = JsonSchema(schema, **options).recheck(JsonDocument(data)).findings
    return [(finding.path, finding.code, finding.message) for finding in findings]


def nested(depth, inner=1):
    for _ in range(depth):
        inner = {"c": inner}
    return inner


PET = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
            "required": ["kind", "lives"],
        },
        {
            "type": "object",
            "properties": {"kind": {"const": "dog"}, "name": {"type": "string"}},
            "required": ["kind", "name"],
        },
    ]
}


@pytest.mark.parametrize(
    ("schema", "data", "path", "code", "message"),
    [
        ({"type": "string"}, 1, "", "type", "must be a string"),
        ({"type": ["integer", "null"]}, "a", "", "type", "must be an integer or null"),
        ({"type": "integer"}, True, "", "type", "must be an integer"),
        ({"enum": ["low", "high"]}, "x", "", "enum", "must be one of 'low', 'high'"),
        ({"enum": [1]}, True, "", "enum", "must be 1"),
        ({"enum": list(range(20))}, -1, "", "enum", "must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 8 more"),
        ({"const": 1}, True, "", "const", "must be 1"),
        ({"const": {"a": None}}, 1, "", "const", 'must be {"a": null}'),
        ({"required": ["a/b"]}, {}, "/a~1b", "required", "is required but missing"),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            "/b",
            "dependentRequired",
            "is required where 'a' is given, but missing",
        ),
        (
            {"additionalProperties": False},
            {"x": 1},
            "/x",
            "additionalProperties",
            "is not allowed: no such member may stand here",
        ),
        (
            {"properties": {"a": True}, "additionalProperties": False},
            {"x": 1},
            "/x",
            "additionalProperties",
            "is not allowed; the members are 'a'",
        ),
        ({"additionalProperties": {"type": "null"}}, {"x": 1}, "/x", "type", "must be null"),
        (
            {"properties": {"a": True}, "unevaluatedProperties": False},
            {"b": 1},
            "/b",
            "unevaluatedProperties",
            "is not allowed; the members are 'a'",
        ),
        ({"unevaluatedProperties": {"type": "null"}}, {"b": 1}, "/b", "type", "must be null"),
        (
            {"propertyNames": {"maxLength": 1}},
            {"bb": 1},
            "/bb",
            "propertyNames",
            "has a name that is not allowed: a name here must have at most 1 character",
        ),
        ({"minProperties": 1}, {}, "", "minProperties", "must have at least 1 member"),
        ({"maxProperties": 0}, {"a": 1}, "", "maxProperties", "must have at most 0 members"),
        ({"minItems": 2}, [], "", "minItems", "must have at least 2 items"),
        ({"maxItems": 1}, [1, 2], "", "maxItems", "must have at most 1 item"),
        ({"prefixItems": [True], "items": False}, [1, 2], "", "items", "must have at most 1 item"),
        ({"items": {"type": "null"}}, [None, 1], "/1", "type", "must be null"),
        (
            {"prefixItems": [True], "unevaluatedItems": False},
            [1, 2],
            "/1",
            "unevaluatedItems",
            "is not allowed: the schema has no place for this item",
        ),
        ({"unevaluatedItems": {"type": "null"}}, [1], "/0", "type", "must be null"),
        ({"uniqueItems": True}, [1, True, 1.0], "/2", "uniqueItems", "must not repeat an earlier item"),
        ({"uniqueItems": True}, [{"a": [1]}, {"a": [1]}], "/1", "uniqueItems", "must not repeat an earlier item"),
        ({"contains": {"const": 1}}, [2], "", "contains", "must hold at least one item of this kind: must be 1"),
        (
            {"contains": {"not": {}}},
            [2],
            "",
            "contains",
            "must hold at least one item of this kind: fits the schema under 'contains'",
        ),
        (
            {"contains": True, "minContains": 2},
            [2],
            "",
            "minContains",
            "must hold at least 2 items of the kind that 'contains' asks for",
        ),
        (
            {"contains": True, "maxContains": 1},
            [2, 3],
            "",
            "maxContains",
            "must hold at most 1 item of the kind that 'contains' asks for",
        ),
        ({"minLength": 1}, "", "", "minLength", "must have at least 1 character"),
        ({"maxLength": 1}, "ab", "", "maxLength", "must have at most 1 character"),
        ({"pattern": "^a$"}, "b", "", "pattern", "must match the pattern ^a$"),
        ({"minimum": 0}, -1, "", "minimum", "must be at least 0"),
        ({"maximum": 0.5}, 1, "", "maximum", "must be at most 0.5"),
        ({"exclusiveMinimum": 0}, 0, "", "exclusiveMinimum", "must be greater than 0"),
        ({"exclusiveMaximum": 0}, 0, "", "exclusiveMaximum", "must be less than 0"),
        ({"$schema": DRAFT4, "minimum": 0, "exclusiveMinimum": True}, 0, "", "minimum", "must be greater than 0"),
        ({"multipleOf": 0.01}, 0.015, "", "multipleOf", "must be a multiple of 0.01"),
        ({"multipleOf": 0.123456789}, 1e308, "", "multipleOf", "must be a multiple of 0.123456789"),
        ({"not": {"const": "x"}}, "x", "", "not", "must not be 'x'"),
        ({"not": {"enum": ["x", "y"]}}, "x", "", "not", "must not be one of 'x', 'y'"),
        ({"not": {"type": "null"}}, None, "", "not", "must not be null"),
        ({"not": {"required": ["a", "b"]}}, {"a": 1, "b": 2}, "", "not", "must not have the members 'a', 'b'"),
        ({"not": {"pattern": "a"}}, "a", "", "not", "must not match the pattern a"),
        ({"not": {}}, 1, "", "not", "must not fit the schema under 'not'"),
        (
            {"if": {"required": ["a"]}, "then": {"required": ["b"]}},
            {"a": 1},
            "/b",
            "required",
            "is required but missing",
        ),
        ({"properties": {"a": False}}, {"a": 1}, "/a", "false", "must be left out: nothing is allowed here"),
        (False, 1, "", "false", "must be left out: nothing is allowed here"),
        (
            {"$schema": DRAFT7, "dependencies": {"a": ["b"]}},
            {"a": 1},
            "/b",
            "dependentRequired",
            "is required where 'a' is given, but missing",
        ),
        (
            {"$schema": DRAFT7, "items": [True], "additionalItems": False},
            [1, 2],
            "",
            "additionalItems",
            "must have at most 1 item",
        ),
        (
            {"$schema": DRAFT7, "items": [True], "additionalItems": {"type": "null"}},
            [1, 2],
            "/1",
            "type",
            "must be null",
        ),
    ],
)
def test_findings(schema, data, path, code, message):
    """Each rule's finding has its code, the place of the fault, and words that say what to do."""
    assert found(schema, data) == [(path, f"schema.{code}", message)]


@pytest.mark.parametrize(
    ("schema", "data", "path", "code", "message"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 4, "", "type", "must be a string or null"),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, "x", "", "enum", "must be one of 'a', 'b'"),
        ({"anyOf": [{"enum": ["a"]}, {"const": "b"}]}, 1, "", "enum", "must be one of 'a', 'b'"),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, 7, "", "anyOf", "must be null, 'a' or 'b'"),
        (
            {"anyOf": [{"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "array"}]},
            7,
            "",
            "type",
            "must be a string, null or an array",
        ),
        (
            {"anyOf": [{"type": "string", "minLength": 3}, {"type": "integer"}]},
            "a",
            "",
            "minLength",
            "must have at least 3 characters",
        ),
        (
            {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]},
            [1, "a"],
            "/1",
            "type",
            "must be an integer",
        ),
        ({"anyOf": [False, False]}, 1, "", "anyOf", "must fit one of the alternatives"),
        (PET, {"kind": "dog"}, "/name", "required", "is required but missing"),
        (PET, {"kind": "cow"}, "/kind", "enum", "must be one of 'cat', 'dog'"),
        (PET, 3, "", "type", "must be an object"),
        (
            {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {},
            "",
            "anyOf",
            "must fit one of the alternatives: 'a' is required but missing, or 'b' is required but missing",
        ),
        (
            {"anyOf": [{"items": {"minimum": 5}}, {"items": {"multipleOf": 7}}]},
            [1],
            "",
            "anyOf",
            (
                "must fit one of the alternatives: a part of it must be at least 5, "
                "or a part of it must be a multiple of 7"
            ),
        ),
        ({"anyOf": [{"minimum": 5}, {"minimum": 5}]}, 1, "", "minimum", "must be at least 5"),
        (
            {"oneOf": [{"type": "integer"}, {"minimum": 2}]},
            3,
            "",
            "oneOf",
            "must fit exactly one of the alternatives, but fits several (numbers 1, 2)",
        ),
    ],
)
def test_unions(schema, data, path, code, message):
    """Where no branch fits, the finding tells of those that come closest, or of all that are equally near."""
    assert found(schema, data) == [(path, f"schema.{code}", message)]


def test_expected_and_actual():
    """A finding carries the rule's value and what was found, and for a missing member neither."""
    schema = {"properties": {"a": {"type": ["string"]}, "b": {"enum": [1, 2]}}, "required": ["c"]}
    contract = JsonSchema(schema)
    first, second, third = contract.recheck(JsonDocument({"a": 1, "b": 3})).findings
    assert (first.expected, first.actual) == ("string", 1)
    assert (second.expected, second.actual) == ([1, 2], 3)
    assert (third.expected, third.actual) == (None, None)
    second.expected.append(3)
    assert contract.recheck(JsonDocument({"a": "", "b": 3, "c": 0})).findings


def test_equal_findings_once():
    """The same fault reached by two ways is told once."""
    assert len(found({"allOf": [{"type": "string"}, {"type": "string"}]}, 1)) == 1


def test_never_the_answer_s_text():
    """No message holds text of the answer: it stands in path and actual."""
    secret = "TOPSECRET"
    schema = {
        "properties": {"a": {"enum": ["x"]}, "b": {"pattern": "^y$"}, "c": PET},
        "additionalProperties": False,
        "propertyNames": {"maxLength": 5},
    }
    data = {"a": secret, "b": secret, "c": {"kind": secret}, secret: secret}
    messages = [message for _, _, message in found(schema, data)]
    assert len(messages) == 5
    assert not any(secret in message for message in messages)


@pytest.mark.parametrize(("number", "step"), [(0.0075, 0.0001), (19.99, 0.01), (1e22, 1), (10**30, 1.0), (4.5, 1.5)])
def test_multiples_as_written(number, step):
    """A decimal is a multiple as it is written, not as its double is."""
    assert found({"multipleOf": step}, number) == []


def test_a_hostile_pattern_is_no_pass_and_no_hang():
    """A pattern that runs out of time is a finding `limit.pattern`, also where a failure would make the schema hold."""
    text = "x" * 1_000_000
    slow = {"pattern": "(x+x+)+y"}
    for schema, data in [
        (slow, text),
        ({"not": slow}, text),
        ({"not": {"additionalProperties": False, "patternProperties": {"(x+x+)+y": True}}}, {text: 1}),
        ({"patternProperties": {"(x+x+)+y": True}}, {text: 1}),
        ({"propertyNames": slow}, {text: 1}),
        ({"unevaluatedProperties": False, "patternProperties": {"(x+x+)+y": True}}, {text: 1}),
        ({"items": slow}, [text] * 50),
    ]:
        with cpu_within(1.5):
            findings = found(schema, data)
        assert {code for _, code, _ in findings} == {"limit.pattern"}


def test_many_harmless_matches():
    """A long answer whose every string is matched does not use the patterns' time up."""
    data = ["abc def"] * 20_000
    assert found({"items": {"type": "string", "pattern": r"^\w+ \w+$"}}, data) == []


def test_many_unique_items():
    """A long list of objects is checked for repeats in linear time."""
    with cpu_within(2):
        assert found({"uniqueItems": True}, [{"n": index} for index in range(50_000)]) == []


def test_depth():
    """A document of the usual depth limit is checked; one that is deeper than can be checked is a finding."""
    schema = {"$ref": "#/$defs/n", "$defs": {"n": {"properties": {"c": {"$ref": "#/$defs/n"}, "d": {"type": "null"}}}}}
    assert found(schema, nested(150, {"d": 1}))[0][1] == "schema.type"
    # jsonschema-rs goes deeper.
    assert [code for _, code, _ in found(schema, nested(3_000), engine="python")] == ["limit.depth"]


@pytest.mark.parametrize(
    ("schema", "where", "message"),
    [
        ([], "", "not list"),
        (3, "", "not int"),
        (None, "", "not NoneType"),
        ("3", "", "an object, true or false, not a number"),
        ("[]", "", "not a list"),
        ("ticket.json", "", "not JSON: .*; text is read as JSON; give a file as pathlib.Path"),
        ('{"a": }', "", "not JSON: Expecting value at line 1, column 7"),
        ('{"const": NaN}', "", "not JSON: a number"),
        ('{"not":' * 100_000, "", "nested too deeply"),
        ({"type": "strin"}, "/type", "must be one of 'array'"),
        ({"type": 3}, "/type", "not a valid JSON Schema"),
        ({"properties": {"a": 5}}, "/properties/a", "must be an object or true or false"),
        ({"properties": {"a": {"minLength": -1}}}, "/properties/a/minLength", "must be at least 0"),
        ({"required": "a"}, "/required", "must be an array"),
        ({"anyOf": []}, "/anyOf", "at least 1 item"),
        ({"$id": 5}, "/$id", "must be a string"),
        ({"$ref": 5}, "/$ref", "must be a string"),
        ({"$ref": "#/nope"}, "/$ref", "leads nowhere; define what it names"),
        ({"items": {"$ref": "http://x/y"}}, "/items/$ref", "give the document among resources"),
        ({"$ref": "file:///etc/passwd"}, "/$ref", "leads nowhere.*nothing is fetched"),
        ({"$ref": "http://["}, "/$ref", "leads nowhere"),
        ({"$dynamicRef": "#nope"}, "/$dynamicRef", "leads nowhere"),
        ({"$ref": "#/title/x", "title": "a"}, "/$ref", "leads nowhere"),
        ({"$ref": "#/enum", "enum": [1]}, "/$ref", "does not lead to a schema"),
        ({"$ref": "#/x-a", "x-a": {"type": 3}}, "/$ref", "not a valid JSON Schema"),
        ({"$schema": DRAFT7, "items": {"$ref": "#/definitions/q"}}, "/items/$ref", "leads nowhere"),
        ({"$ref": "#"}, "", "never ends"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}}, "/$defs/a", "never ends"),
        ({"items": {"not": {"$ref": "#/items"}}}, "/items", "never ends"),
        ({"pattern": "("}, "/pattern", "not a valid ECMA-262 pattern"),
        ({"patternProperties": {"a/[": True}}, "/patternProperties/a~1[", "not a valid ECMA-262 pattern"),
        ({"$schema": "http://x"}, "/$schema", "unknown \\$schema 'http://x'; use one of"),
        ({"$schema": 3}, "/$schema", "unknown \\$schema 3"),
        ({1: 2}, "/", "a key must be text"),
        ({"const": float("inf")}, "/const", "float is not JSON data"),
        ({"const": {1}}, "/const", "set is not JSON data"),
        ({"const": 10**5000}, "", "too long to be written"),
        (nested(5_000, {}), "", "nested too deeply"),
    ],
)
def test_unusable_schemas(schema, where, message):
    """A schema that cannot be used is a ConfigError at construction, with the place in it."""
    with pytest.raises(ConfigError, match=message) as caught:
        JsonSchema(schema)
    place = "JsonSchema(schema=)" + (f" at {where}" if where else "")
    assert caught.value.where in {place, f"the target of the reference in {place} at /type"}


@pytest.mark.parametrize("draft", ["-04", "-06", "-07"])
def test_ref_stands_alone_up_to_draft_7(draft):
    """Beside a $ref the older drafts ignore what stands there, and so does the check of references."""
    schema = {
        "$schema": f"http://json-schema.org/draft{draft}/schema#",
        "definitions": {"a": {"type": "string"}},
        "properties": {"x": {"$ref": "#/definitions/a", "allOf": [{"$ref": "#/definitions/nope"}]}},
    }
    assert found(schema, {"x": 1}) == [("/x", "schema.type", "must be a string")]


def test_resources():
    """A reference finds the documents that are given, each in its own draft, and meta-schemas without being given."""
    resources = {"http://x/a": {"$schema": DRAFT7, "items": [{"type": "null"}]}}
    assert found({"$ref": "http://x/a"}, [1], resources=resources) == [("/0", "schema.type", "must be null")]
    assert found({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"minLength": -1})
    with pytest.raises(ConfigError, match="not a valid JSON Schema"):
        JsonSchema({"$ref": "http://x/a"}, resources={"http://x/a": {"type": 3}})
    for wrong in ([], {1: {}}):
        with pytest.raises(ConfigError, match="must map URIs to documents"):
            JsonSchema(True, resources=wrong)


@pytest.mark.parametrize(
    ("schema", "address"),
    [
        ({"$id": "http://x.org/a/b.json", "$ref": "c.json"}, "http://x.org/a/c.json"),
        ({"$id": "http://x.org/a/b.json", "items": {"$ref": "../c.json#/definitions/n"}}, "http://x.org/c.json"),
        ({"$schema": DRAFT7, "$id": "http://x.org/a/b.json", "$ref": "c.json"}, "c.json"),
        ({"$schema": DRAFT7, "$id": "http://x.org/a/b.json", "items": {"$ref": "c.json"}}, "http://x.org/a/c.json"),
        ({"$ref": "c.json#/definitions/n"}, "c.json"),
    ],
)
def test_the_message_names_the_address_that_resources_needs(schema, address):
    """A relative reference counts from the `$id` around it, up to draft 7 not from one beside it; what is missing is told
    by its resolved address, and given under it the schema is usable."""
    with pytest.raises(ConfigError, match="leads nowhere") as caught:
        JsonSchema(schema)
    assert f"resources={{{address!r}: document}}" in str(caught.value)
    given = {"type": ["integer", "array"], "definitions": {"n": {"type": ["integer", "array"]}}}
    assert JsonSchema(schema, resources={address: given}).read("[1]").ok
    if "#/definitions" in str(schema):
        with pytest.raises(ConfigError, match=f"the document '{address}' does not define it; define what it names"):
            JsonSchema(schema, resources={address: {}})


@pytest.mark.parametrize("engine", ["python", "auto"])
@pytest.mark.parametrize(
    ("definitions", "good", "bad"),
    [
        ({"A": {"$ref": "#/$defs/A"}}, [], [1, "a", {}]),
        ({"A": {"$ref": "#/$defs/B"}, "B": {"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}}, [], [1, {}]),
        (
            {"A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "integer"}]}},
            [1],
            ["a"],
        ),
        ({"A": {"properties": {"next": {"$ref": "#/$defs/A"}}}}, [{"next": {"next": {}}}], []),
    ],
)
def test_a_definition_that_refers_to_itself(definitions, good, bad, engine):
    """It refuses what reaches it, save what another branch of it takes, and nothing else; every prompt is made."""
    schema = {
        "$defs": definitions,
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/A"}, "y": {"type": "integer"}},
    }
    contract = JsonSchema(schema, engine=engine)
    assert contract.read('{"y": 1}', "strict").ok
    assert not contract.read('{"y": "a"}', "strict").ok
    for value in good:
        assert contract.read(json.dumps({"x": value}), "strict").ok
    for value in bad:
        for dial in ("strict", "careful", "eager"):
            reading = contract.read(json.dumps({"x": value}), dial)
            assert [finding.path for finding in reading.findings][:1] == ["/x"]
    for style in ("json-schema", "typescript", "example"):
        assert contract.prompt(style)


def test_vocabularies():
    """A meta-schema among the resources says which keywords count; one that needs an unknown vocabulary is refused."""
    base = "https://json-schema.org/draft/2020-12/"
    meta = {"$schema": f"{base}schema", "$vocabulary": {f"{base}vocab/core": True, f"{base}vocab/applicator": True}}
    schema = {"$schema": "http://x/meta", "properties": {"a": {"minimum": 1}}}
    assert found(schema, {"a": 0}, resources={"http://x/meta": meta}) == []
    assert found(schema, {"a": 0}, resources={"http://x/meta": {"$schema": f"{base}schema"}})
    ignored = {**meta, "$vocabulary": {**meta["$vocabulary"], "http://x/v": False}}
    assert found(schema, {"a": 0}, resources={"http://x/meta": ignored}) == []
    needed = {**meta, "$vocabulary": {"http://x/v": True}}
    with pytest.raises(ConfigError, match="needs the unknown vocabulary"):
        JsonSchema(schema, resources={"http://x/meta": needed})
    with pytest.raises(ConfigError, match="not known"):
        JsonSchema(schema, resources={"http://x/meta": {"$schema": f"{base}schema", "$ref": "http://nowhere/"}})


def test_formats():
    """Formats are annotations unless asked for; an unknown name is told in the notes and never asserted."""
    schema = {"properties": {"a": {"format": "email"}, "b": {"format": "x-mine"}}}
    assert found(schema, {"a": "no"}) == []
    assert found(schema, {"a": "no", "b": "?"}, formats=True) == [("/a", "schema.format", "must be an e-mail address")]
    assert JsonSchema(schema, formats=True).notes == ("unknown format 'x-mine' at /properties/b: not checked",)
    with pytest.raises(ConfigError, match="True or False"):
        JsonSchema(schema, formats="yes")


def test_engines(monkeypatch):
    """An engine that is unknown or absent is an error that says so."""
    assert found({"type": "null"}, 1, engine="python")
    with pytest.raises(ConfigError, match="unknown engine 'go'; use one of 'auto', 'python', 'rust'"):
        JsonSchema(True, engine="go")
    monkeypatch.setattr("guards.contracts.json_schema.contract.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'output-guards\[fast\]'"):
        JsonSchema(True, engine="rust")


def test_files(tmp_path):
    """A file is read by its path, and every fault in it names the file."""
    file = tmp_path / "a.json"
    file.write_text('\ufeff{"type": "null"}', encoding="utf-8")
    assert JsonSchema(file) == JsonSchema({"type": "null"})
    for content, message in [(b"{", "not JSON"), (b'"\xff"', "not UTF-8"), (b'{"type": 3}', "not a valid JSON Schema")]:
        file.write_bytes(content)
        with pytest.raises(ConfigError, match=message) as caught:
            JsonSchema(file)
        assert str(file) in caught.value.where
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        JsonSchema(tmp_path / "none.json")


def test_value():
    """A contract is a value: equal and hashable by content, pickled by source, cut off from the caller's dict."""
    schema = {"type": "object", "properties": {"a": {"const": 1}}}
    contract = JsonSchema(schema)
    assert contract == JsonSchema(json.dumps(schema)) == JsonSchema(dict(reversed(schema.items())))
    assert contract != JsonSchema(schema, formats=True)
    assert JsonSchema({"const": 1}) != JsonSchema({"const": True}) != JsonSchema({"const": 1.0})
    again = pickle.loads(pickle.dumps(contract))
    assert len({contract, again}) == 1
    assert again.recheck(JsonDocument({"a": 2})).findings
    schema["properties"]["a"]["const"] = 2
    contract.json_schema()["properties"].clear()
    assert contract.json_schema()["properties"]["a"] == {"const": 1}
    assert repr(contract) == f"JsonSchema({json.dumps(contract.json_schema())})"


def test_boolean_schemas():
    """True and false are schemas, shown as the objects that mean the same."""
    assert JsonSchema(True).json_schema() == {}
    assert JsonSchema("false").json_schema() == {"not": {}}
    assert JsonSchema(True).recheck(JsonDocument([1])).value == [1]


@pytest.mark.parametrize("style", [None, "json-schema", "typescript", "example"])
def test_prompt(style):
    """Every style of prompt names the members, and an example is an answer that is accepted."""
    contract = JsonSchema({"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]})
    assert "amount" in contract.prompt(style)


def test_reading():
    """An answer is read from its text, and its value counts only where nothing was found."""
    contract = JsonSchema({"type": "object", "required": ["a"]})
    assert contract.read('{"a": 1}').value == {"a": 1}
    reading = contract.read("{}")
    assert reading.value is None
    assert [finding.path for finding in reading.findings] == ["/a"]


def test_cache_is_bounded_and_shared(monkeypatch):
    """Equal schemas share one compiled form, and the cache keeps no more than its bound."""
    monkeypatch.setattr(schema_check, "_MOST", 4)
    assert JsonSchema({"title": "same"})._compiled is JsonSchema({"title": "same"})._compiled
    for number in range(10):
        JsonSchema({"title": str(number)})
    assert len(schema_check._cache) <= 4


def test_threads():
    """One contract answers for many threads at once."""
    contract = JsonSchema({"items": {"type": "integer", "minimum": 0}})
    wrong = []

    def work(number):
        for _ in range(50):
            reading = contract.recheck(JsonDocument([number, -number - 1]))
            if [(f.path, f.actual) for f in reading.findings] != [("/1", -number - 1)]:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_jsonschema_is_loaded_late():
    """Importing the contract loads neither jsonschema nor lxml nor regex."""
    code = (
        "import sys, guards.contracts.json_schema.contract, guards.contracts.rail;"
        "print([m for m in ('jsonschema', 'referencing', 'lxml', 'regex') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert shown.stdout.strip() == "[]"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_data_equals_itself(data):
    """Any value keeps the rule to be itself, and a list that holds it twice repeats it."""
    assert found({"const": data}, data) == []
    assert [path for path, _, _ in found({"uniqueItems": True}, [data, data])] == ["/1"]


@given(JSON)
def test_any_data_as_schema(data):
    """Whatever is given as a schema makes a contract or a ConfigError, and nothing else is ever raised."""
    try:
        contract = JsonSchema(data)
    except ConfigError:
        return
    contract.recheck(JsonDocument(data))
