"""Unions whose validator calls pydantic as often as it likes: what it gives is judged as what it was made of."""

from __future__ import annotations

import itertools
import json
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, WrapValidator, create_model

from guards import check, validate


@check
def no_evil(value):
    return "bad" if "EVIL" in str(value) else None


Text = Annotated[str, no_evil]


class Note(BaseModel):
    text: Text


class Free(BaseModel):
    text: int


def again(others: list[Any], change: Any) -> Any:
    """Calls the handler for other values before and after, and gives something else than it got."""

    def read(value: Any, handler: Any) -> Any:
        before, behind = others
        for other in before:
            handler(other)
        made = handler(value)
        for other in behind:
            handler(other)
        return change(made)

    return WrapValidator(read)


OTHERS = list(itertools.product(([], [3], ["x"], [3, "x"]), repeat=2))


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("change", [lambda made: made, lambda made: made + "!" if isinstance(made, str) else made])
@pytest.mark.parametrize("inner", [None, AfterValidator(lambda made: f"{made} " if isinstance(made, str) else made)])
@pytest.mark.parametrize("outer", [None, AfterValidator(lambda made: f" {made}" if isinstance(made, str) else made)])
def test_no_call_hides_the_one_that_counts(others, change, inner, outer):
    """Whatever else the validator reads, in whatever order, and whatever other validators do."""
    union: Any = Text | int
    for validator in (inner, again(list(others), change), outer):
        union = Annotated[union, validator] if validator is not None else union
    kind = create_model("Held", x=(union, ...))
    assert [f.path for f in validate('{"x": "EVIL"}', kind).findings] == ["/x"]
    assert validate('{"x": "fine"}', kind).ok
    assert validate('{"x": 7}', kind).ok


@pytest.mark.parametrize("copied", [True, False])
def test_a_model_is_judged_as_the_member_that_it_is(copied):
    """Though another member was made of the same part of the answer as well."""

    def read(value: Any, handler: Any) -> Any:
        made = handler(value)
        handler({"text": 1})
        return made.model_copy() if copied else made

    kind = create_model("Held", x=(Annotated[Note | Free, WrapValidator(read)], ...))
    assert [f.path for f in validate('{"x": {"text": "EVIL"}}', kind).findings] == ["/x/text"]
    assert validate('{"x": {"text": 5}}', kind).ok


class Tree(BaseModel):
    word: Text = "fine"
    below: Annotated[
        Tree | Text | None, WrapValidator(lambda value, read: (read(value), read(None), read(value))[2])
    ] = None


@pytest.mark.parametrize("depth", range(1, 5))
def test_a_union_inside_itself_is_judged_at_every_depth(depth):
    """Each turn knows its own calls."""
    for leaf, path in (("EVIL", ""), ({"word": "EVIL"}, "/word")):
        answer: Any = leaf
        for _ in range(depth):
            answer = {"below": answer}
        found = validate(json.dumps(answer), Tree).findings
        assert [finding.path for finding in found] == ["/below" * depth + path]
    assert TypeAdapter(Tree).validate_python({"below": {"below": "x"}}).below.below == "x"


def test_a_validator_that_does_without_pydantic_is_judged_by_kind():
    """What it gives was made by no member, whatever the one before was."""

    def read(value: Any, handler: Any) -> Any:
        return value if isinstance(value, str) else handler(value)

    kind = list[Annotated[Text | int, WrapValidator(read)]]
    assert [f.path for f in validate('[1, "EVIL", 2]', kind).findings] == ["/1"]
    assert validate('[1, "fine", 2]', kind).ok


@pytest.mark.parametrize("change", [lambda text: text, str.strip])
@pytest.mark.parametrize("refused", [True, False])
def test_what_pydantic_was_not_asked_about_is_judged_by_kind_too(change, refused):
    """A validator may try something else and give what it was given."""

    def read(value: Any, handler: Any) -> Any:
        if refused:
            with pytest.raises(ValueError, match="at most 2"):
                handler(value)
        handler(3)
        return change(value)

    short = Annotated[str, Field(max_length=2), no_evil] if refused else Text
    kind = create_model("Held", x=(Annotated[short | int, WrapValidator(read)], ...))
    assert [f.path for f in validate('{"x": "EVIL "}', kind).findings] == ["/x"]
    assert validate('{"x": "fine"}', kind).ok
