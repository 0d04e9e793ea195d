"""Fields and tags may have any name: the names that pydantic's core schemas give their own keys, too."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model
from pydantic_core import core_schema
from typing_extensions import TypedDict, is_typeddict

from guards import check, validate

KEYS = sorted({key for kind in vars(core_schema).values() if is_typeddict(kind) for key in kind.__annotations__})


@check
def clean(value, context):
    if "EVIL" in str(value):
        return "evil"
    return None


class Inner(BaseModel):
    text: Annotated[str, clean]


class Other(BaseModel):
    number: int


def shapes(name: str) -> dict[str, tuple[Any, Any]]:
    """Types with a guard below a field or tag of that name, and a document of each."""
    evil = {"text": "EVIL"}
    tagged = create_model("Tagged", kind=(Literal[name], ...), text=(Annotated[str, clean], ...))
    further = create_model("Further", kind=(Literal["further"], ...), number=(int, ...))
    return {
        "a field": (TypedDict("T", {name: Inner}), {name: evil}),
        "a field of a union": (TypedDict("T", {name: Other | Inner}), {name: evil}),
        "a guard in a union": (TypedDict("T", {name: int | Annotated[str, clean]}), {name: "EVIL"}),
        "a field that may be null": (TypedDict("T", {name: Inner | None}), {name: evil}),
        "items": (TypedDict("T", {name: list[Inner]}), {name: [evil]}),
        "a tag": (Annotated[tagged | further, Field(discriminator="kind")], {"kind": name, **evil}),
    }


@pytest.mark.parametrize("name", KEYS)
def test_a_guard_below_a_field_of_any_name_runs(name):
    """A guard judges what stands below a field, and in a member of a union with a tag, that is named like a key of a
    core schema."""
    for what, (type_, document) in shapes(name).items():
        outcome = validate(json.dumps(document), type_)
        assert (outcome.ok, [finding.code for finding in outcome.findings]) == (False, ["check.clean"]), what


@pytest.mark.parametrize("name", ["metadata", "function", "members", "type"])
def test_a_field_of_a_model_may_be_named_so(name):
    """The same of a model, whose class pydantic reads in another way."""
    model = create_model("Model", **{name: (Inner, ...)})
    outcome = validate(json.dumps({name: {"text": "EVIL"}}), model)
    assert [str(finding.path) for finding in outcome.findings] == [f"/{name}/text"]


def test_there_are_names_to_try():
    """The names are read from the pydantic that is installed, and the ones that stand for values of the user's own are
    among them."""
    assert {"metadata", "default", "cls", "expected", "members", "function", "type", "serialization"} <= set(KEYS)
