"""A core schema compiled as it is written, by each of the ways that pydantic's releases need."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import SchemaError

from guards.contracts.typed import fresh_validator as file
from guards.contracts.typed.fresh_validator import fresh_validator


class Line(BaseModel):
    n: int
    more: list[Line] = []


@pydantic_dataclass
class Place:
    row: int


class Order(BaseModel):
    line: Line
    place: Place
    total: int


TEXT = '{"line": {"n": "1", "more": [{"n": "2"}]}, "place": {"row": "3"}, "total": "4"}'
CLASSES = (Line, Place, Order)


@pytest.fixture(params=["told", "incomplete"])
def way(request, monkeypatch):
    if request.param == "incomplete":
        monkeypatch.setattr(file, "_CAN_BE_TOLD", False)
    elif not file._CAN_BE_TOLD:
        pytest.skip("this pydantic-core cannot be told")


def strict(node):
    """The schema with every config strict: what no class's own validator says."""
    if isinstance(node, dict):
        copy = {key: child if key in ("cls", "metadata") else strict(child) for key, child in node.items()}
        if node.get("type") in ("model", "dataclass"):
            copy["config"] = {**node.get("config", {}), "strict": True}
        return copy
    return [strict(child) for child in node] if isinstance(node, list) else node


def refused(validator):
    with pytest.raises(ValidationError) as caught:
        validator.validate_json(TEXT)
    return [fault["loc"] for fault in caught.value.errors()]


def test_what_the_schema_says_holds_in_every_class(way):
    """A mode written into the schema counts at the root, inside, and in a class that holds itself."""
    validator = fresh_validator(strict(TypeAdapter(Order).core_schema))
    assert refused(validator) == [("line", "n"), ("line", "more", 0, "n"), ("place", "row"), ("total",)]
    assert isinstance(validator.validate_json(TEXT, strict=False), Order)


def test_the_classes_are_left_as_they_were(way):
    """Also where the schema is none; their own validators stay lax."""
    fresh_validator(strict(TypeAdapter(Order).core_schema))
    with pytest.raises(SchemaError):
        fresh_validator({"type": "tuple", "items_schema": [TypeAdapter(Order).core_schema, {"type": "nonsense"}]})
    assert [cls.__pydantic_complete__ for cls in CLASSES] == [True] * 3
    assert Order.model_validate_json(TEXT).total == 4


def test_threads_do_not_disturb_each_other(way):
    """Contracts of the same classes that are compiled at the same time all say what their schema says."""
    schema = strict(TypeAdapter(Order).core_schema)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: fresh_validator(schema), range(400)))
    finally:
        sys.setswitchinterval(before)
    assert all(len(refused(validator)) == 4 for validator in made)
    assert [cls.__pydantic_complete__ for cls in CLASSES] == [True] * 3
