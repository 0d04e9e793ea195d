"""Which of several shapes an answer has: members of unions, envelopes, keys; and that nothing is lost on the way."""

from __future__ import annotations

import enum
import json
import time
from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from guards import validate
from guards.contracts import JsonSchema


def read(text: str, contract: Any, dial: str = "careful") -> Any:
    """The value; a text that says so where the answer is refused."""
    outcome = validate(text, contract, reading=dial)
    return outcome.value if outcome.ok else "refused"


class Photo(BaseModel):
    url: str
    width: int = 0


class Video(BaseModel):
    url: str
    seconds: int = 0


class Picture(Photo):
    model_config = ConfigDict(extra="forbid")


class Film(Video):
    model_config = ConfigDict(extra="forbid")


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Photo | Video, '{"URL": "x", "Seconds": 3}', Video(url="x", seconds=3)),
        (Photo | Video, '{"URL": "x", "Seconds": "3"}', Video(url="x", seconds=3)),
        (Photo | Video, '{"URL": "x", "Width": "3", "note": 1}', Photo(url="x", width=3)),
        (Picture | Film, '{"URL": "x", "Seconds": "3"}', Film(url="x", seconds=3)),
        (Picture | Film, '{"URL": "x", "Width": "3"}', Picture(url="x", width=3)),
        (list[Picture | Film], '[{"URL": "x", "seconds": 3, "by": "me"}]', [Film(url="x", seconds=3)]),
    ],
)
def test_the_member_of_a_union_is_the_one_that_reads_all_that_is_there(kind, text, value, dial):
    """A key that a member would drop weighs more than any number of keys and values in another spelling."""
    assert read(text, kind, dial) == value


def test_two_members_of_a_union_that_drop_as_much_are_none():
    """Where each member would leave something out, no spelling elsewhere decides for one of them."""
    assert read('{"url": "x", "width": 1, "seconds": 2}', Picture | Film) == "refused"
    assert read('{"url": "x", "width": "1", "seconds": 2}', Picture | Film) == "refused"


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int | float, '"5.0"', 5.0),
        (int | float, '"5"', 5),
        (float | int, '"5.00"', 5.0),
        (bool | int | None, '"1"', 1),
        (date | int, '"2026"', 2026),
        (UUID | int, '"5"', 5),
        (timedelta | int, '"3600"', 3600),
        (date | None, '"N/A"', None),
        (timedelta | None, '"none"', None),
        (UUID | None, '"null"', None),
        (HttpUrl | None, '"n/a"', None),
        (date | None, '"2026"', "refused"),
        (date | None, '"tomorrow"', "refused"),
        (date | None, '"05/06/2024"', "refused"),
        (date | str, '"N/A"', "N/A"),
    ],
)
def test_a_text_in_a_union_is_what_it_can_be(kind, text, value, dial):
    """A word for null is no date, digits are none either, and a number is of the kind in which it is written."""
    given = read(f'{{"x": {text}}}', dict[str, kind], dial)
    assert given == ("refused" if value == "refused" else {"x": value})
    assert given == "refused" or type(given["x"]) is type(value)


def test_a_format_that_nobody_asserts_changes_no_text():
    """The format of a JSON Schema is a note: a text beside something that is mended stays what it is."""
    schema = {"properties": {"day": {"type": ["string", "null"], "format": "date"}, "n": {"type": "integer"}}}
    assert read('{"day": "N/A", "n": "5"}', JsonSchema(schema)) == {"day": "N/A", "n": 5}

    class Diary(BaseModel):
        day: Annotated[str | None, Field(json_schema_extra={"format": "date"})] = None
        n: int

    assert read('{"day": "N/A", "n": "5"}', Diary) == Diary(day="N/A", n=5)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Answer(enum.Enum):
    YES = True
    UNSURE = "unsure"


class First(BaseModel):
    kind: Literal[1]


class Second(BaseModel):
    kind: Literal[2]


@pytest.mark.parametrize("dial", ["strict", "careful"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Literal[1, 2], "true", "refused"),
        (Literal[0, "none"], "false", "refused"),
        (Literal[True], "1", "refused"),
        (Literal[False] | None, "0.0", "refused"),
        (Level, "true", "refused"),
        (Answer, "1", "refused"),
        (Level | None, "true", "refused"),
        (Literal[1, 2], "2", 2),
        (Level, "2", Level.HIGH),
        (Answer, "true", Answer.YES),
        (Literal[1] | bool, "true", True),
        (Literal[True] | int, "1", 1),
        (Literal[1, 2], "[1e400]", "refused"),
    ],
)
def test_true_is_no_option_1(kind, text, value, dial):
    """A truth value is none of the numbers that are listed, and a number is no truth value, in every reading."""
    given = read(f'{{"x": {text}}}', dict[str, kind], dial)
    assert given == ("refused" if value == "refused" else {"x": value})
    assert given == "refused" or type(given["x"]) is type(value)


def test_a_truth_value_for_a_listed_number_is_told():
    """The finding names what is listed; also where a tag was meant, and where a number in the document is inexact."""
    said = [validate(text, Level, reading="strict").findings[0] for text in ("true", "7")]
    assert said[0].code == said[1].code == "schema.enum"
    assert said[0].message == said[1].message == "must be one of 1 or 2"
    tagged = Annotated[First | Second, Field(discriminator="kind")]
    assert [f.path for f in validate('{"kind": true}', tagged).findings] == ["/kind"]
    outcome = validate('{"x": true, "y": 2}', dict[str, Literal[2] | float])
    assert [f.path for f in outcome.findings] == ["/x"]
    exact = validate('{"x": true, "y": 1.00000000000000000001}', dict[str, Literal[2] | float])
    assert [f.path for f in exact.findings] == ["/x"]


class Scores(BaseModel):
    scores: dict[str, float]


class Items(BaseModel):
    items: list[int]


class Loose(BaseModel):
    day: date | None = None
    note: str | None = None


class Owner(BaseModel):
    owner: Loose


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Scores, '{"scores": {"ann": {"math": 3}}}', "refused"),
        (Scores, '{"scores": {"ann": {}}}', "refused"),
        (dict[str, int | None], '{"x": {}}', "refused"),
        (list[Loose], '{"error": "x"}', "refused"),
        (list[Loose], '{"Note": "x"}', [Loose(note="x")]),
        (dict[str, int], '{"response": {"a": "1"}}', {"a": 1}),
        (Loose, '{"day": {"year": 2024}}', "refused"),
        (Owner, '{"owner": {"day": {"year": 2024}}}', "refused"),
        (Owner, '{"response": {"owner": {"Note": "x"}}}', Owner(owner=Loose(note="x"))),
        (Items, "[1, 2]", Items(items=[1, 2])),
        (Items, '["1"]', Items(items=[1])),
        (Items, "See note [1] below.", "refused"),
        (Items, '["a"]', "refused"),
    ],
)
def test_an_envelope_holds_what_is_asked_for(kind, text, value):
    """What is taken off is an envelope only if what it holds says anything, and no key of it may be a key of a map."""
    assert read(text, kind) == value


@pytest.mark.parametrize("dial", ["careful", "eager"])
def test_keys_go_by_the_patterns_of_the_schema(dial):
    """Where a pattern of keys says what they hold, that is mended and delivered, and nothing of any other key."""
    schema = {"patternProperties": {"^n_": {"type": "integer"}}}
    assert read('{"n_a": "1", "zip": "01234"}', JsonSchema(schema), dial) == {"n_a": 1, "zip": "01234"}
    value = read('{"n_a": 37.0, "b": 37.0}', JsonSchema(schema), dial)
    assert [type(held) for held in value.values()] == [int, float]
    assert read('{"ab": "1"}', dict[Annotated[str, Field(pattern="^a")], int], dial) == {"ab": 1}
    assert read('{"2024-05-31": "1"}', dict[date, int], dial) == {date(2024, 5, 31): 1}


@pytest.mark.parametrize("kind", [dict[str, int], Photo, dict[Literal["a b"], int]])
def test_fitting_an_object_of_many_keys_is_linear(kind):
    """Twenty thousand keys that the contract does not know take no time that grows with their square."""
    text = json.dumps({"URL": "1", **{f"key {index}": str(index) for index in range(20_000)}})
    started = time.process_time()
    validate(text, kind)
    assert time.process_time() - started < 5


def test_a_large_document_is_fitted():
    """What needs more than a hundred thousand small changes is as readable as what needs ten."""
    values = [str(index) for index in range(110_000)]
    outcome = validate(json.dumps(values), list[int])
    assert outcome.value == list(range(110_000))
