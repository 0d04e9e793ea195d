"""The promise itself: every guarded value that is delivered was seen by its guard, and is what the guard saw.

Random types with guards everywhere (`guarded_types`), random documents in every accepted spelling, and random corruption.
What a guard must have seen is told by a walk over the delivered object that knows the type as it was drawn, and asks
neither the library nor pydantic's core schema (`guarded_places`).

`EXAMPLES=20 python -m pytest tests/test_every_guarded_value.py` tries 20 times as many, others each time.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import pydantic
import pydantic.dataclasses
import pytest
from corruptions import EVERY
from guarded_places import (
    SIGHTS,
    UNKNOWN,
    WORD,
    Leaf,
    Mode,
    Part,
    Place,
    Seen,
    Step,
    Watched,
    describe,
    plainly,
    unseen,
)
from guarded_types import MAKERS, MARK, POOL, SCALARS, Types, Want, fits, may_be_refused, may_fail, scalar_fits
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import core_schema

from guards import ConfigError, Done, Guarded, Item, Outcome, Raise, Rejected, contract, validate
from guards.testing import ScriptedModel

TIMES: Final = int(os.environ.get("EXAMPLES", "0"))
KINDS: Final = [*SCALARS, *MAKERS]
XML: Final = Want(xml=True)
IN_XML: Final = [
    *(name for name, scalar in SCALARS.items() if scalar_fits(scalar, XML)),
    *(name for name, maker in MAKERS.items() if fits(maker, XML)),
]
MARKED: Final = Want(marked=True)
IN_STREAMS: Final = ["str", *(name for name, maker in MAKERS.items() if fits(maker, MARKED))]


def tried(examples: int) -> settings:
    """The same examples in each run of the suite; others, and more, where that is asked for."""
    return settings(
        derandomize=not TIMES,
        max_examples=examples * (TIMES or 1),
        deadline=None,
        database=None,
        # A type that is drawn is large, and a document that pydantic refuses is no example.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )


@st.composite
def answers(draw: Any, kind: str, want: Want = Want()) -> tuple[Place, Any]:
    """A type with a place of one kind, and a document for it."""
    place = Types(draw).of(kind, want)
    document = place.document(draw)
    note(f"{describe(place)}\n{json.dumps(document)}")
    return place, document


def taken(place: Place, text: str, mode: Mode) -> Any:
    """What pydantic makes of a text. No example where it refuses the text, takes two types for one in a circle, or (below
    2.14, for a fraction) lets its own fault out."""
    try:
        return TypeAdapter(place.annotation(mode)).validate_json(text, strict=True)
    except (ValidationError, pydantic.PydanticUserError, TypeError) as fault:
        note(str(fault))
        assume(False)
    except RuntimeError as fault:
        assert "union_mode" in str(fault)  # of a union whose members are one
        assume(False)


def judged(place: Place, text: str, mode: Mode = "guarded", **options: Any) -> tuple[Outcome[Any], list[Any]]:
    """The outcome of a text, and what guards saw. No example where the type is refused and may be."""
    SIGHTS.clear()
    try:
        outcome = validate(text, place.annotation(mode), **options)
    except ConfigError as fault:
        is_pydantics = "circular reference" in str(fault)
        if not is_pydantics and (mode != "guarded" or not may_be_refused(place)):
            raise
        assume(False)
    return outcome, list(SIGHTS)


def assert_seen(parts: list[Any], sights: list[Any]) -> None:
    lines = unseen(parts, sights)
    assert not lines, "\n".join(lines)


def codes(outcome: Outcome[Any]) -> set[str]:
    return {finding.code for finding in outcome.findings}


@pytest.mark.parametrize("kind", KINDS)
@tried(8)
@given(data=st.data())
def test_each_was_seen(kind, data):
    """For types of every kind and documents that pydantic takes, the value is pydantic's own, and each of its guarded
    parts is the object that its guard saw."""
    place, document = data.draw(answers(kind))
    text = json.dumps(document, ensure_ascii=False)
    bare, twin = taken(place, text, "bare"), taken(place, text, "traced")
    outcome, sights = judged(place, text, guards=[Seen(0)])
    if may_fail(place) and not outcome.ok:
        assert codes(outcome) == {"guard.failed"}
        return
    assert outcome.ok, outcome.findings
    assert plainly(outcome.value) == plainly(bare), (outcome.value, bare)
    assert_seen([Part(0, outcome.value), *place.parts(outcome.value, twin)], sights)


@st.composite
def damaged(draw: Any, document: Any) -> str:
    """The text of a document, worse than it was written."""
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    for worsen in draw(st.lists(st.sampled_from(EVERY), max_size=2)):
        text = worsen(document, text, lambda count: draw(st.integers(0, count - 1))) or text
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        end = place + draw(st.integers(0, 2))
        text = text[:place] + draw(st.sampled_from(["", '"', "x", "}", "[", ",", ":", "null", "1"])) + text[end:]
    return text


@tried(250)
@given(data=st.data())
def test_each_was_seen_in_what_was_mended(data):
    """Of a text that is broken at random, by whatever it was mended, nothing guarded is delivered unseen."""
    place, document = data.draw(answers(data.draw(st.sampled_from(KINDS))))
    text = data.draw(damaged(document))
    reading = data.draw(st.sampled_from(["careful", "eager", "strict"]))
    outcome, sights = judged(place, text, guards=[Seen(0)], reading=reading)
    if outcome.ok:
        assert_seen([Part(0, outcome.value), *place.parts(outcome.value, UNKNOWN)], sights)


# -- at a path --------------------------------------------------------------------------------------------------------


def segments(draw: Any, spelling: tuple[str | int, ...], *, is_written: bool) -> str:
    """A part of a JSONPath that leads one step down; what the document has there may be meant by a wildcard, too."""
    path = ""
    for step in spelling:
        exact = [f"[{step}]" if isinstance(step, int) else f"[{json.dumps(step)}]"]
        if isinstance(step, str) and re.fullmatch("[a-z_]+", step):
            exact.append(f".{step}")
        wide = ["[*]", ".*", "[?@ != 'no such text']"]
        wide += [f"[{step}:{step + 1}]", f"[0,{step}]"] if isinstance(step, int) else [f"..[{json.dumps(step)}]"]
        path += draw(st.sampled_from(exact + wide if is_written and draw(st.integers(0, 3)) == 0 else exact))
    return path


@st.composite
def descents(draw: Any, place: Place, value: Any, twin: Any, document: Any) -> tuple[str, list[int]]:
    """A JSONPath in some accepted spellings, and which way it goes."""
    path, way = "$", []
    while steps := list(place.steps(value, twin, document)):
        way.append(draw(st.integers(0, len(steps) - 1)))
        step = steps[way[-1]]
        spelling = draw(st.sampled_from(step.spellings))
        path += segments(draw, spelling, is_written=spelling == step.written)
        place, value, twin, document = step.place, step.value, step.twin, step.document
        if draw(st.integers(0, 2)) == 0:
            break
    return path, way


def at_the_end(way: list[int], place: Place, value: Any, twin: Any, document: Any) -> Any:
    for turn in way:
        step = list(place.steps(value, twin, document))[turn]
        place, value, twin, document = step.place, step.value, step.twin, step.document
    return value


@tried(250)
@given(data=st.data())
def test_each_part_at_a_path_was_seen(data):
    """A guard at a path sees what is delivered there, whichever accepted spellings the path and the document use."""
    place, document = data.draw(answers(data.draw(st.sampled_from(list(MAKERS)))))
    text = json.dumps(document)
    bare, twin = taken(place, text, "bare"), taken(place, text, "traced")
    path, way = data.draw(descents(place, bare, twin, document))
    note(path)
    outcome, sights = judged(place, text, "bare", guards=[Seen(1).on(path)])
    assert outcome.ok, outcome.findings
    part = at_the_end(way, place, outcome.value, twin, document)
    assert_seen([Part(1, part)], sights)


# -- in XML -----------------------------------------------------------------------------------------------------------


def as_xml(place: Place, document: Any) -> str:
    made = contract(place.annotation("guarded"), format="xml").contract
    return made.to_xml(document)  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("kind", IN_XML)
@pytest.mark.filterwarnings("ignore::pydantic.json_schema.PydanticJsonSchemaWarning")  # of a default of another shape
@tried(6)
@given(data=st.data())
def test_each_was_seen_in_xml(kind, data):
    """An answer in XML is delivered with the same promise, whole or broken."""
    place, document = data.draw(answers(kind, XML))
    text = as_xml(place, document)
    if data.draw(st.integers(0, 3)) == 0:
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + text[at + data.draw(st.integers(1, 2)) :]
    outcome, sights = judged(place, text, format="xml", guards=[Seen(0)])
    assert "guard.failed" not in codes(outcome), outcome.findings
    if outcome.ok:
        assert_seen([Part(0, outcome.value), *place.parts(outcome.value, UNKNOWN)], sights)


RECORDS: Final = ["model", "dataclass", "pydantic_dataclass", "typed_dict", "recursive_model"]


@tried(60)
@given(data=st.data())
def test_each_part_at_an_xpath_was_seen(data):
    """A guard at an XPath sees the field of every element that is called so, in whatever class it was made."""
    place, document = data.draw(answers(data.draw(st.sampled_from(RECORDS)), XML))
    text = as_xml(place, document)
    outcome, _ = judged(place, text, "bare", format="xml")
    twin = taken(place, json.dumps(document), "traced")
    assume(plainly(outcome.value) == plainly(taken(place, json.dumps(document), "bare")))
    names = sorted({str(step.written[-1]) for step in below(place, outcome.value, twin, document)})
    assume(names)
    name = data.draw(st.sampled_from(names))
    outcome, sights = judged(place, text, "bare", format="xml", guards=[Seen(1).on(f"//{name}")])
    assert outcome.ok, outcome.findings
    there = [step.value for step in below(place, outcome.value, twin, document) if step.written[-1] == name]
    assert_seen([Part(1, value) for value in there], sights)


def is_leaf(place: Place) -> bool:
    while isinstance(place, Watched):
        place = place.held
    return isinstance(place, Leaf)


def below(place: Place, value: Any, twin: Any, document: Any) -> Iterator[Step]:
    """Every part with a name and without parts, at any depth."""
    for step in place.steps(value, twin, document):
        if step.written[-1] in POOL and is_leaf(step.place):
            yield step
        yield from below(step.place, step.value, step.twin, step.document)


# -- in streams -------------------------------------------------------------------------------------------------------


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*texts_in(key), *texts_in(item))
    elif isinstance(value, BaseModel):
        yield from texts_in(value.__dict__)
        yield from texts_in(value.__pydantic_extra__ or {})
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        yield from texts_in([getattr(value, field.name, None) for field in dataclasses.fields(value)])
    elif isinstance(value, list | tuple | set | frozenset | collections.deque):
        for item in value:
            yield from texts_in(item)


def shown(place: Place, chunks: list[str]) -> Iterator[Any]:
    """The events of a stream before its end, each when it is shown."""
    ticket: Guarded[Any] = Guarded(place.annotation("partial"), on_fail=Raise())
    try:
        for event in ticket.stream(ScriptedModel([chunks]), "task"):
            if not isinstance(event, Done):
                yield event
    except Rejected:
        pass


@pytest.mark.parametrize("kind", IN_STREAMS)
@tried(6)
@given(data=st.data())
def test_nothing_is_shown_that_was_not_seen(kind, data):
    """Each guarded text in a view was seen by a guard in the form that is shown, and none is shown that a guard
    refuses."""
    place, document = data.draw(answers(kind, MARKED))
    text = json.dumps(document, ensure_ascii=False)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(text) - 1)), max_size=20).map(lambda at: sorted({0, *at})))
    SIGHTS.clear()
    try:
        for event in shown(place, [text[a:b] for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]):
            marked = [said for said in texts_in(getattr(event, "value", None)) if said.startswith(MARK)]
            seen = {sight for _, sight in SIGHTS if isinstance(sight, str)}
            wrong = [said for said in marked if said not in seen or WORD in said]
            assert not wrong, f"{wrong} in {event}; guards saw {seen}"
    except ConfigError:
        if not may_be_refused(place):
            raise


@tried(120)
@given(data=st.data())
def test_an_item_of_a_stream_is_what_is_delivered(data):
    """An item that a stream shows is what pydantic makes of it, and none is shown that pydantic refuses."""
    place, document = data.draw(answers(data.draw(st.sampled_from(KINDS))))
    document = data.draw(st.sampled_from([document, document, [document], None, 1, {}]))
    text = json.dumps([document], ensure_ascii=False)
    ticket: Guarded[Any] = Guarded(list[place.annotation("bare")], on_fail=Raise())  # type: ignore[misc]
    items, outcome = [], None
    try:
        for event in ticket.stream(ScriptedModel([[text[:-1], "]"]]), "task"):
            items += [event.value] if isinstance(event, Item) else []
            outcome = event.outcome if isinstance(event, Done) else None
    except Rejected:
        pass
    assert outcome is not None
    if outcome.ok and not outcome.repairs:
        assert plainly(items) == plainly(outcome.value)
    elif not outcome.ok:
        assert not items, outcome.findings


# -- which kinds there are --------------------------------------------------------------------------------------------

UNGENERATED: Final = {
    "invalid": "pydantic writes it for no type: it takes nothing",
    "arguments": "of a call: a function is no answer (below 2.14 NamedTuple is made of it, and is drawn)",
    "arguments-v3": "as `arguments`, of the experimental API that replaces it",
    "call": "as `arguments`",
    "frozendict": "a builtin of Python 3.15, which is not out",
}
"""Kinds of pydantic-core's schemas that no drawn type has, each with its reason."""


def kinds_in(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("type"), str):
            yield node["type"]
        for key, child in node.items():
            if key not in ("metadata", "cls", "function", "serialization", "default", "expected", "members"):
                yield from kinds_in(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from kinds_in(child)


def kinds_of(kind: str) -> set[str]:
    """The kinds of schemas that some types of one maker have."""
    found: set[str] = set()

    @settings(derandomize=True, max_examples=3, deadline=None, database=None, phases=[Phase.generate])
    @given(data=st.data())
    def draw(data: Any) -> None:
        place, _ = data.draw(answers(kind))
        found.update(kinds_in(TypeAdapter(place.annotation("guarded")).core_schema))

    draw()
    return found


def test_every_kind_of_schema_is_drawn():
    """Each kind of schema that the installed pydantic-core has is in a type that is drawn, or listed with its reason."""
    drawn = set().union(*map(kinds_of, KINDS))
    installed = set(typing.get_args(core_schema.CoreSchemaType))
    assert installed - drawn - UNGENERATED.keys() == set()


# -- what may be an error where it is written -------------------------------------------------------------------------


def init_var(make: Any) -> Any:
    @make
    class Drawn:
        title: str
        secret: dataclasses.InitVar[Annotated[str, Seen(1)]]

    return Drawn


class Written(BaseModel):
    title: Annotated[str, pydantic.PlainSerializer(str.upper, return_type=Annotated[str, Seen(1)])]


class Computed(BaseModel):
    title: str

    @pydantic.computed_field
    def loud(self) -> Annotated[str, Seen(1)]:
        return self.title.upper()


def called(title: Annotated[str, Seen(1)]) -> str:
    return title


UNDELIVERED: Final = {
    "InitVar of a dataclass": (init_var(dataclasses.dataclass), '{"title": "a", "secret": "b"}', "b"),
    "InitVar of a pydantic dataclass": (init_var(pydantic.dataclasses.dataclass), '{"title": "a", "secret": "b"}', "b"),
    "what a serializer returns": (Written, '{"title": "a"}', "A"),
    "a computed field": (Computed, '{"title": "a"}', "A"),
    "a parameter of a function": (called, '{"title": "a"}', "a"),
}


@pytest.mark.parametrize("what", UNDELIVERED)
def test_a_guard_at_what_is_not_delivered_is_told(what):
    """Where a guard would judge nothing that is delivered, it is an error where it is written, or it judges all the
    same; it is never passed over."""
    type_, text, value = UNDELIVERED[what]
    SIGHTS.clear()
    try:
        outcome = validate(text, type_)
    except ConfigError:
        return
    assert not outcome.ok or (1, value) in SIGHTS
