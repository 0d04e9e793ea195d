"""Parts that a type's own code put in another order: each guard judges what became of the place that it names."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WrapValidator, create_model, model_validator

from guards import Filter, Finding, Fix, Guarded, check, validate


@check
def no_evil(value):
    fix = value.replace("EVIL", "good") if isinstance(value, str) else None
    return Finding("test.evil", "bad", fix=fix) if "EVIL" in str(value) else None


class Line(BaseModel):
    sku: str
    note: str
    day: date = date(2026, 1, 1)


class Turned(BaseModel):
    lines: list[Line]

    @model_validator(mode="before")
    @classmethod
    def turned(cls, value: Any) -> Any:
        return {"lines": value["lines"][::-1]}


class Posted(BaseModel):
    lines: list[Line]

    def model_post_init(self, _: Any) -> None:
        self.lines.reverse()


def holding(lines: Any) -> Any:
    return create_model("Order", lines=(lines, ...))


ORDERS = {
    "sorted": holding(Annotated[list[Line], AfterValidator(lambda lines: sorted(lines, key=lambda line: line.sku))]),
    "reversed before": holding(Annotated[list[Line], BeforeValidator(lambda lines: lines[::-1])]),
    "reversed around": holding(Annotated[list[Line], WrapValidator(lambda lines, read: read(lines)[::-1])]),
    "in a model": Turned,
    "in the instance": Posted,
    "as it is": holding(Annotated[list[Line], AfterValidator(lambda lines: lines)]),
    "as a tuple": holding(Annotated[list[Line], AfterValidator(tuple)]),
    "stripped": holding(
        Annotated[
            list[Line],
            AfterValidator(lambda lines: [line.model_copy(update={"note": f" {line.note}"}) for line in lines]),
        ]
    ),
    "shortened": holding(
        Annotated[
            list[Line],
            AfterValidator(lambda lines: [one.model_copy(update={"note": one.note[:4]}) for one in lines[::-1]]),
        ]
    ),
}
NOTES = st.sampled_from(["fine", "EVIL", "EVIL too"])
LINES = st.lists(st.fixed_dictionaries({"sku": st.sampled_from("abc"), "note": NOTES}), min_size=1, max_size=4)


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(lines=LINES, data=st.data())
def test_no_order_hides_the_item_that_a_path_names(order, lines, data):
    """Whatever puts the items of a list in another order, what became of the one that the document has there is judged;
    and where all are fine none is refused."""
    index = data.draw(st.integers(0, len(lines) - 1))
    path = data.draw(st.sampled_from([f"$.lines[{index}].note", f"$.lines[{index}]", f"$..[{index}].note"]))
    outcome = validate(json.dumps({"lines": lines}), ORDERS[order], guards=[no_evil.on(path)])
    if "EVIL" in lines[index]["note"]:
        assert not outcome.ok
    elif order != "shortened" or not any("EVIL" in line["note"] for line in lines):
        assert outcome.ok, outcome.findings


@pytest.mark.parametrize("order", [order for order in ORDERS if order != "shortened"])
def test_a_path_names_the_place_in_the_document(order):
    """What is told of an item, and what is left out or put there, is of the item that the document has there."""
    lines = [{"sku": "c", "note": "EVIL"}, {"sku": "a", "note": "fine"}, {"sku": "b", "note": "EVIL"}]
    text, guards = json.dumps({"lines": lines}), [no_evil.on("$.lines[*].note")]
    found = validate(text, ORDERS[order], guards=guards).findings
    assert sorted(finding.path for finding in found) == ["/lines/0/note", "/lines/2/note"]
    kept = Guarded(ORDERS[order], guards=[no_evil.on("$.lines[*]")], on_fail=Filter()).run(lambda _: text, "...")
    assert [line.sku for line in kept.value.lines] == ["a"]
    fixed = Guarded(ORDERS[order], guards=guards, on_fail=Fix()).run(lambda _: text, "...")
    assert {line.sku: line.note.strip() for line in fixed.value.lines} == {"a": "fine", "b": "good", "c": "good"}


def in_order(held: dict[Any, Any]) -> dict[Any, Any]:
    return dict(sorted(held.items()))


Text = Annotated[str, no_evil]


@pytest.mark.parametrize("kind", [dict[str, Text], dict[int, Text], dict[date, Text]])
@pytest.mark.parametrize("change", [in_order, lambda held: dict(reversed(held.items())), lambda held: held])
def test_an_entry_is_known_by_its_key(kind, change):
    """An entry stands where the document has its key, in whatever order the entries are."""
    keys = ["2026-01-03", "2026-01-01", "2026-01-02"] if "date" in str(kind) else ["3", "1", "2"]
    answer = json.dumps(dict(zip(keys, ["EVIL c", "fine", "EVIL b"], strict=True)))
    type_ = Annotated[kind, AfterValidator(change)]
    assert {finding.path for finding in validate(answer, type_).findings} == {f"/{keys[0]}", f"/{keys[2]}"}
    fixed = Guarded(type_, on_fail=Fix()).run(lambda _: answer, "...")
    assert [fixed.value[key] for key in sorted(fixed.value)] == ["fine", "good b", "good c"]


@pytest.mark.parametrize("path", ["$.d.a", "$.d['a']", "$..a", "$.d[?@ == 'EVIL']", "$.d.*"])
def test_a_key_in_a_path_means_the_entry_of_that_name(path):
    """However the path is written, and whatever the order."""
    kind = create_model("Sorted", d=(Annotated[dict[str, str], AfterValidator(in_order)], ...))
    guards = [no_evil.on(path)]
    assert [f.path for f in validate('{"d": {"b": "fine", "a": "EVIL"}}', kind, guards=guards).findings] == ["/d/a"]
    assert validate('{"d": {"b": "fine", "a": "good"}}', kind, guards=guards).ok


def test_an_entry_under_a_new_key_is_not_passed_over():
    """What the document has under a key that a validator changed cannot be judged there, and fails."""
    kind = Annotated[dict[str, str], AfterValidator(lambda held: {key.upper(): item for key, item in held.items()})]
    outcome = validate('{"a": "EVIL"}', kind, guards=[no_evil.on("$.a")])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_set_that_became_a_list_is_judged(index):
    """By what its items say, not by where they stand."""
    kind = Annotated[set[str], AfterValidator(sorted)]
    answer = ["c", "a", "b"]
    answer[index] += "EVIL"
    outcome = validate(json.dumps(answer), kind, guards=[no_evil.on(f"$[{index}]")])
    assert [finding.path for finding in outcome.findings] == [f"/{index}"]
    assert validate(json.dumps(answer), kind, guards=[no_evil.on(f"$[{index - 1 if index else 2}]")]).ok


def test_what_cannot_be_told_is_any():
    """Items of a list that a validator rewrote are judged wherever a path names one; also where another says by chance
    what the document says there."""
    kind = Annotated[list[str], AfterValidator(lambda held: [f"<{one}>" if one != "x" else one for one in held[::-1]])]
    answer = '["EVIL", "y", "x"]'
    assert [f.path for f in validate(answer, kind, guards=[no_evil.on("$[0]")]).findings] == [""]
    assert not validate(answer, kind, guards=[no_evil.on("$[1]")]).ok
    assert not validate(answer, kind, guards=[no_evil.on("$[2]")]).ok


def test_what_a_validator_only_looked_at_keeps_its_places():
    """Also where the parts are written in another form than they have, have defaults, or know one another."""

    class Tied(BaseModel):
        day: date
        rank: float = 1
        tags: Annotated[list[str], Field(default_factory=list)]
        note: Annotated[str, AfterValidator(str.strip)]
        above: Any = None

    class Tree(BaseModel):
        below: list[Tied]
        by_day: dict[date, list[int]]

        @model_validator(mode="after")
        def tied(self):
            for one in self.below:
                one.above = self
            return self

    below = [{"day": "2026-01-31", "note": " EVIL"}, {"day": "2026-02-01", "rank": 2, "note": "EVIL "}]
    answer = {"below": below, "by_day": {"2026-01-31": [1, 2]}}
    guards = [no_evil.on("$.below[*].note"), no_evil.on("$.by_day['2026-01-31'][1]")]
    outcome = validate(json.dumps(answer), Tree, guards=guards)
    assert [finding.path for finding in outcome.findings] == ["/below/0/note", "/below/1/note"]
