"""Python types as contracts: what pydantic finds, as findings with paths into the answer itself."""

from __future__ import annotations

import datetime as dt
import decimal
import pickle
import uuid
from typing import Annotated, Any, Literal, NamedTuple, Optional, Union

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    RootModel,
    Tag,
    field_validator,
    model_validator,
)

from guards import ConfigError, Guarded, check, contract, validate
from guards.contracts.typed.contract import Typed


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1)


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(min_length=2)


class Tree(BaseModel):
    value: int
    children: list["Tree"] = []


class Pair(NamedTuple):
    left: int
    right: str


def even(value: int) -> int:
    if value % 2:
        raise ValueError("must be even")
    return value


def found(kind: Any, text: str) -> list[tuple[str, str]]:
    return [(f.code, f.path) for f in validate(text, kind).findings]


Plain = Union[Cat, Dog]
Tagged = Annotated[Union[Cat, Dog], Field(discriminator="kind")]
ByFunction = Annotated[
    Union[Annotated[Cat, Tag("c")], Annotated[Dog, Tag("d")]],
    Discriminator(lambda v: {"cat": "c", "dog": "d"}.get(v.get("kind") if isinstance(v, dict) else v.kind)),
]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (dict[str, Tagged], '{"cat": {"kind": "cat", "lives": 0}}', [("schema.minimum", "/cat/lives")]),
        (list[Tagged], '[{"kind": "dog", "name": "x"}]', [("schema.minLength", "/0/name")]),
        (list[ByFunction], '[{"kind": "dog", "name": "x"}]', [("schema.minLength", "/0/name")]),
        (Tagged, '{"kind": "fox"}', [("schema.discriminator", "")]),
        (Tagged, '{"lives": 3}', [("schema.discriminator", "")]),
        (list[Plain], '[{"kind": "cat", "lives": 0}]', [("schema.minimum", "/0/lives")]),
        (dict[str, Plain], '{"Dog": {"kind": "dog"}}', [("schema.required", "/Dog/name")]),
        (int | str, "[]", [("schema.type", "")]),
        (list[int | None], '["x"]', [("schema.type", "/0")]),
        (
            Tree,
            '{"value": 1, "children": [{"value": 2, "children": [{"value": "x"}]}]}',
            [("schema.type", "/children/0/children/0/value")],
        ),
        (Annotated[int, AfterValidator(even)] | list[str], "3", [("schema.validator", "")]),
        (dict[int, str], '{"x": "a"}', [("schema.type", "/x")]),
        (tuple[int, str], "[1, 2]", [("schema.type", "/1")]),
        (tuple[int, str], "[1]", [("schema.required", "/1")]),
        (Pair, '["x", 1]', [("schema.type", "/0"), ("schema.type", "/1")]),
        (set[int], '[1, "x"]', [("schema.type", "/1")]),
        (dt.date, '"yesterday"', [("schema.format", "")]),
        (uuid.UUID, '"x"', [("schema.format", "")]),
        (Literal["a"], '"b"', [("schema.const", "")]),
        (Literal["a", "b"], '"c"', [("schema.enum", "")]),
        (Annotated[list[int], Field(min_length=2)], "[1]", [("schema.minItems", "")]),
        (Annotated[float, Field(multiple_of=0.5)], "0.7", [("schema.multipleOf", "")]),
        (Annotated[str, Field(pattern="^a")], '"b"', [("schema.pattern", "")]),
    ],
)
def test_findings_of_types(kind, text, expected):
    """Codes are those of a JSON Schema; paths are keys and indexes of the answer, never tags of unions or functions."""
    assert found(kind, text) == expected


def test_the_same_codes_as_the_type_s_json_schema():
    """A type and its JSON Schema find the same wrong in the same places."""

    class Model(BaseModel):
        model_config = ConfigDict(extra="forbid")
        a: int = Field(ge=0, le=9)
        b: str = Field(min_length=2, max_length=3, pattern="^x")
        c: list[int] = Field(min_length=1, max_length=2)
        d: Literal["p", "q"]
        e: float = Field(gt=0, lt=1)
        f: bool

    schema = contract(Model).json_schema()
    for text in (
        "{}",
        '{"a": -1, "b": "x", "c": [], "d": "z", "e": 0, "f": 0}',
        '{"a": 10, "b": "xxxx", "c": [1, 2, 3], "d": 1, "e": 1, "f": "true"}',
        '{"a": "1", "b": "yy", "c": ["x"], "d": "p", "e": 0.5, "f": true, "g": 1}',
        "[]",
        "null",
    ):
        assert sorted(found(Model, text)) == sorted(found(schema, text)), text


def test_aliases_are_written_as_in_the_answer():
    """Paths name members as the document does: aliases, alias paths and choices."""

    class Model(BaseModel):
        a: int = Field(alias="the a/b")
        b: int = Field(validation_alias=AliasPath("deep", 0))
        c: int = Field(validation_alias=AliasChoices("c1", "c2"))

    assert found(Model, '{"the a/b": "x", "deep": ["y"], "c2": "z"}') == [
        ("schema.type", "/the a~1b"),
        ("schema.type", "/deep/0"),
        ("schema.type", "/c2"),
    ]
    assert ("schema.required", "/the a~1b") in found(Model, "{}")


def test_validators_run():
    """Field and model validators of the user are run, with their own words, at their place."""

    class Model(BaseModel):
        a: int
        b: int = 0

        @field_validator("a")
        @classmethod
        def odd(cls, value):
            assert value % 2, "a must be odd"
            return value

        @model_validator(mode="after")
        def ordered(self):
            if self.b > self.a:
                raise ValueError("b is above a")
            return self

    finding = validate('{"a": 2}', Model).findings[0]
    assert (finding.code, finding.path, finding.actual) == ("schema.validator", "/a", 2)
    assert "a must be odd" in finding.message
    assert found(Model, '{"a": 1, "b": 5}') == [("schema.validator", "")]
    assert validate('{"a": 3}', Model).value == Model(a=3)


def test_extra_keys_follow_the_model():
    """Ignored or kept as the model says; a forbidden one is refused in strict reading, else left out and recorded."""
    for extra, codes in (("ignore", []), ("allow", []), ("forbid", ["value.extra"])):
        kind = type("M", (BaseModel,), {"model_config": ConfigDict(extra=extra), "__annotations__": {"a": int}})
        outcome = validate('{"a": 1, "b": 2}', kind)
        assert outcome.ok
        assert [r.code for r in outcome.repairs] == codes
        if extra == "allow":
            assert outcome.value.b == 2
        strict = validate('{"a": 1, "b": 2}', kind, reading="strict")
        found = [(f.code, f.path) for f in strict.findings]
        assert found == ([("schema.additionalProperties", "/b")] if extra == "forbid" else [])


def test_json_forms_of_python_values():
    """Dates, decimals, UUIDs, bytes, tuples, sets and named tuples come of their JSON forms."""
    assert validate('"2026-11-23"', dt.date).value == dt.date(2026, 11, 23)
    assert validate('"1.10"', decimal.Decimal).value == decimal.Decimal("1.10")
    assert validate("[1, 2]", tuple[int, int]).value == (1, 2)
    assert validate("[1, 1]", set[int]).value == {1}
    assert validate('[1, "a"]', Pair).value == Pair(1, "a")
    assert validate("[[1]]", RootModel[list[list[int]]]).value.root == [[1]]


def test_forward_references_that_lead_nowhere():
    """A model that cannot be compiled is a ConfigError at construction, naming it."""

    class Lost(BaseModel):
        a: "Nowhere"  # noqa: F821

    for wrong in (Lost, list[Lost]):
        with pytest.raises(ConfigError, match=r"Lost|Nowhere"):
            Guarded(wrong)


def test_guards_in_nested_types():
    """Guards stand in aliases, items, mappings, unions and recursive models, and run where the value has them."""

    @check
    def no_x(value, context):
        return "x" if "x" in value else None

    class Node(BaseModel):
        name: Annotated[str, no_x] = Field(alias="Name")
        more: dict[str, list[Annotated[str, no_x]]] = {}
        either: Annotated[int, Field(ge=0)] | Annotated[str, no_x] = 0
        child: Optional["Node"] = None

    answer = '{"Name": "ax", "more": {"k": ["b", "cx"]}, "either": "x", "child": {"Name": "x", "either": 3}}'
    outcome = validate(answer, Node)
    assert sorted(f.path for f in outcome.findings) == ["/Name", "/child/Name", "/either", "/more/k/1"]
    assert Typed(Node).all_inner_guards == (no_x,)


def test_a_guard_inside_an_optional_is_about_what_is_there():
    """None and an absent field do not reach a guard that stands on the type inside; a guard on the whole gets None."""
    inner = check(name="inner")(lambda value: "got none" if value is None else None)
    whole = check(name="whole")(lambda value: "got none" if value is None else None)

    class Note(BaseModel):
        a: Annotated[str, inner] | None = None
        b: Annotated[str | None, whole] = None

    assert [f.guard for f in validate("{}", Note).findings] == ["whole"]
    assert [f.guard for f in validate('{"a": null, "b": "x"}', Note).findings] == []


def test_guards_on_parts_get_the_typed_part():
    """A guard at a place gets the instance there, not its JSON form."""
    seen = []

    @check
    def look(value, context):
        seen.append(value)

    class Line(BaseModel):
        when: dt.date = Field(alias="When")

    class Order(BaseModel):
        lines: list[Line]
        tags: set[str] = set()

    answer = '{"lines": [{"When": "2026-01-01"}], "tags": ["a"]}'
    guards = [look.on("$.lines[0]"), look.on("$.lines[0].When"), look.on("$.tags[0]")]
    assert validate(answer, Order, guards=guards).ok
    assert seen == [Line(When=dt.date(2026, 1, 1)), dt.date(2026, 1, 1), "a"]


def test_contracts_of_types_are_values():
    """They compare, hash, print and pickle; the same type is compiled once."""
    one, two = contract(Tree).contract, contract(Tree).contract
    assert one is two
    assert pickle.loads(pickle.dumps(one)) == one
    assert hash(one) == hash(Typed(Tree))
    assert repr(one) == "Typed(Tree)"
    assert contract(int | str).contract is not contract(str | int).contract
    assert Typed(Tree) != Typed(Cat)


def test_half_surrogates():
    """A string that no encoding can carry is a finding at its place, raw or escaped."""
    for text in ('{"k": "\\ud800"}', '{"k": "\ud800"}'):
        outcome = validate(text, dict[str, str])
        assert not outcome.ok
        assert outcome.findings[0].code == "schema.unicode"


def test_deep_and_large_numbers():
    """What pydantic's own parser refuses is a finding, never an exception."""
    assert not validate("[" * 199 + "]" * 199, int).ok
    assert not validate("1" * 4999, int).ok
    assert validate("1" * 300, int).value == int("1" * 300)
