"""A number in an answer and the number that is delivered are the same number, or the answer is refused."""

from __future__ import annotations

import enum
import json
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, Json, field_validator, model_validator

from guards import Guarded, validate
from guards.contracts import JsonSchema
from guards.reading.numbers import as_whole, dumps, exact, numerically
from guards.testing import ScriptedModel

DIALS = ("strict", "careful", "eager")
LAX_INT = Annotated[int, Field(strict=False)]
LAX_DATETIME = Annotated[datetime, Field(strict=False)]
LAX_DATE = Annotated[date, Field(strict=False)]
CENTS = Annotated[Decimal, Field(decimal_places=2)]


def read(text: str, contract: Any, dial: str) -> Any:
    """The value; a text that says so where the answer is refused."""
    outcome = validate(text, contract, reading=dial)
    assert outcome.ok or all(finding.code and finding.message for finding in outcome.findings)
    return outcome.value if outcome.ok else "refused"


@st.composite
def written(draw: st.DrawFn) -> str:
    """A number of JSON, with more digits than a float keeps and exponents that it does not reach."""
    whole = draw(st.sampled_from(["0", "1", "9", "37"]) | st.integers(1, 10**30).map(str))
    part = draw(st.just("") | st.text("0123456789", min_size=1, max_size=25) | st.sampled_from(["0", "9" * 19]))
    exponent = draw(st.just("") | st.integers(-420, 420).map(lambda e: f"e{e}"))
    return f"{draw(st.sampled_from(['', '-']))}{whole}{'.' * bool(part)}{part}{exponent}"


@given(written())
@example("12345678901234567890.5")
@example("0.1234567890123456789012345")
@example("1e-400")
@example("9007199254740993.0")
@example("36.9999999999999999999")
@example("-0.0")
@example("1e400")
@example("1.2345e-322")
@example("562949953421312.2")
def test_decimals_are_exact_and_floats_the_nearest(text):
    """A Decimal has the digits that were written, a float is the nearest one, never zero or infinite for what is not."""
    said = Decimal(text)
    near = float(text)
    reached = near - near == 0 and bool(near) == bool(said)
    for dial in DIALS:
        assert read(text, Decimal, dial) == said
        assert read(text, float, dial) == (near if reached else "refused")
        assert read(f'{{"x": [{text}]}}', dict[str, list[Decimal]], dial) == {"x": [said]}
        assert read(text, Any, dial) == ((int(text) if text.lstrip("-").isdigit() else near) if reached else "refused")


@given(written())
@example("9007199254740993.0")
@example("1e23")
@example("36.9999999999999999999")
@example("100e-2")
def test_whole_numbers_are_whole_by_their_digits(text):
    """An int is what was written to the last digit, and nothing else becomes one."""
    said = Decimal(text)
    is_whole = Fraction(text).denominator == 1
    whole = int(said) if is_whole else None
    for dial in ("careful", "eager"):
        for quoted in (text, f'"{text}"'):
            assert read(f'{{"x": {quoted}}}', dict[str, int], dial) in (
                {"x": whole} if is_whole else "refused",
                "refused",
            )
    assert read(text, int, "strict") == (int(text) if text.lstrip("-").isdigit() else "refused")
    lax = read(text, LAX_INT, "strict")
    assert lax == "refused" or (is_whole and lax == whole)
    # A JSON Schema calls 37.0 an integer, and judges the digits.
    given_ = read(text, JsonSchema({"type": "integer"}), "strict")
    in_reach = float(text) - float(text) == 0 or text.lstrip("-").isdigit()
    assert given_ == (whole if is_whole and in_reach and (said or not whole) else "refused")
    assert given_ == "refused" or type(given_) is int


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "number"}, "37.0", 37),
        ({"type": "number"}, "36.5", 36.5),
        ({"type": "number"}, "9007199254740993.0", 9007199254740993),
        ({"type": "number"}, "12345678901234567890.5", 12345678901234567890.5),
        ({"type": "number"}, "1e-400", "refused"),
        ({"type": "number"}, "-2e-324", "refused"),
        ({}, "[1e400]", "refused"),
        ({"type": "integer"}, "1e23", 10**23),
        ({"type": "integer"}, "36.9999999999999999999", "refused"),
        ({"type": ["integer", "null"]}, "1e23", 10**23),
        ({"multipleOf": 0.01}, "19.99", 19.99),
        ({"multipleOf": 0.01}, "19.990000000000000000001", "refused"),
        ({"multipleOf": 3}, "9007199254740993.0", 9007199254740993),
        ({"multipleOf": 2}, "9007199254740993.0", "refused"),
        ({"maximum": 0.1}, "0.10000000000000000001", "refused"),
        ({"maximum": 0.1}, "0.10000000000000000000", 0.1),
        ({"exclusiveMaximum": 37}, "36.9999999999999999999", 37.0),
        ({"minimum": 37}, "36.9999999999999999999", "refused"),
        ({"exclusiveMinimum": 0.1}, "0.1000000000000000000001", 0.1),
        ({"const": 37}, "36.9999999999999999999", "refused"),
        ({"const": 37}, "37.00", 37),
        ({"enum": [0.1, "a"]}, "0.1000000000000000000000001", "refused"),
        ({"const": 1e23}, "100000000000000000000000", 10**23),
        ('{"const": 12345678901234567890.5}', "12345678901234567890.5", 12345678901234567890.5),
        ('{"maximum": 0.10000000000000000001}', "0.10000000000000000001", 0.1),
        ({"uniqueItems": True}, "[0.1, 0.10000000000000000001]", [0.1, 0.1]),
        ({"uniqueItems": True}, "[1e23, 100000000000000000000000]", "refused"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"}, "9007199254740993.0", "refused"),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True},
            "1.00000000000000000001",
            1.0,
        ),
    ],
)
@pytest.mark.parametrize("engine", ["python", "auto"])
def test_a_json_schema_judges_the_digits(schema, text, value, dial, engine):
    """Integer, multipleOf, bounds, const and enum hold for what was written; delivered is an int where that is whole."""
    if dial != "strict" and value == "refused" and "draft-04" in str(schema):
        return  # what is an integer in all but its spelling is one in careful reading
    given_ = read(text, JsonSchema(schema, engine=engine), dial)
    assert given_ == value
    assert type(given_) is type(value)


def test_the_document_keeps_what_is_delivered_as_a_float():
    """A guard, a repeated check and a part that is asked for again see the number that was written."""
    contract = JsonSchema({"properties": {"x": {"maximum": 1}}})
    reading = contract.read('{"x": 0.12345678901234567890123}', "strict")
    assert reading.value == {"x": 0.12345678901234567890123}
    assert type(reading.value["x"]) is float
    assert reading.document is not None
    assert reading.document.data == {"x": Decimal("0.12345678901234567890123")}
    assert contract.recheck(reading.document).value == reading.value
    assert reading.document.source() == '{"x": 0.12345678901234567890123}'
    outcome = validate('{"x": 1e-400}', JsonSchema({}))
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("json.syntax", "/x")]
    assert json.loads(outcome.to_json())["findings"]


class Line(BaseModel):
    """A model whose author looks at it before pydantic does."""

    model_config = {"extra": "allow"}
    price: Decimal
    weight: float = 0.0
    note: Any = None

    @model_validator(mode="before")
    @classmethod
    def seen(cls, value: Any) -> Any:
        return value


class Order(BaseModel):
    lines: list[Line]
    total: Decimal | None = None

    @field_validator("lines", mode="before")
    @classmethod
    def listed(cls, value: Any) -> Any:
        return list(value) if isinstance(value, list) else value


@pytest.mark.parametrize("dial", DIALS)
def test_decimals_behind_validators_and_in_unions(dial):
    """The digits reach a Decimal wherever it stands, and no other member of the answer."""
    text = '{"lines": [{"price": 0.1234567890123456789012345, "weight": 0.1234567890123456789012345}], "total": 1e-400}'
    order = read(text, Order, dial)
    assert order.lines[0].price == Decimal("0.1234567890123456789012345")
    assert order.lines[0].weight == 0.12345678901234568
    assert order.total == Decimal("1e-400")
    assert read('{"price": 1, "more": 1e-400}', Line, dial) == "refused"
    assert read('{"price": 1, "note": [1e400]}', Line, dial) == "refused"
    assert read('{"price": 1, "weight": -1e-400}', Line, dial) == "refused"
    assert read("0.10000000000000000001", Decimal | str, dial) == Decimal("0.10000000000000000001")
    assert read("0.10000000000000000001", CENTS, dial) == "refused"
    assert read("0.10", CENTS, dial) == Decimal("0.10")
    assert read("1" + "0" * 400, float, dial) == "refused"
    assert read("1" + "0" * 400, float | int, dial) == 10**400
    assert read("1" + "0" * 400, Any, dial) == 10**400


def test_two_numbers_that_one_float_stands_for():
    """Where nobody can tell which of two a Decimal is meant to be, the answer is refused; floats are none the worse."""
    text = "[0.1, 0.10000000000000000001]"
    for dial in DIALS:
        assert read(text, list[float], dial) == [0.1, 0.1]
        assert read(text, list[Decimal], dial) == "refused"
        assert read("[0.10000000000000000001, 0.10000000000000000001]", list[Decimal], dial) != "refused"
    outcome = validate(text, list[Decimal])
    assert {finding.path for finding in outcome.findings} == {"/0", "/1"}
    assert "told from the others" in outcome.findings[0].message


def test_streams_show_the_digits():
    """What a stream shows of a number is what it delivers."""
    text = '{"lines": [{"price": 0.1234567890123456789012345}, {"price": 2}]}'
    events = list(Guarded(Order).stream(ScriptedModel([text]), "q"))
    assert events[-1].outcome.value.lines[0].price == Decimal("0.1234567890123456789012345")
    seen = [event.value for event in events[:-1]]
    assert seen
    assert all("0.12345678901234568" not in str(value) for value in seen)


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("text", ["2026", "20260131", "1700000000", "1700000000.5", "86400", "-5", "+0", "0", "12."])
def test_a_text_of_digits_is_no_date(text, dial):
    """Not to a strict field and not to a lax one; a text beside the date in a union is that text."""
    for kind in (datetime, date, LAX_DATETIME, LAX_DATE, datetime | None, list[date]):
        assert read(f'"{text}"', kind, dial) == "refused"
    assert read(f'{{"x": "{text}"}}', dict[str, datetime | str], dial) == {"x": text}
    outcome = validate(f'{{"x": "{text}"}}', dict[str, datetime], reading="strict")
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("schema.format", "/x")]
    assert "date and time" in outcome.findings[0].message


@pytest.mark.parametrize("dial", DIALS)
def test_dates_are_read_as_before(dial):
    """RFC 3339 is a date everywhere, a number is one only where the field itself is lax."""
    moment = datetime.fromisoformat("2026-01-31T10:20:30+00:00")
    assert read('"2026-01-31T10:20:30Z"', datetime, dial) == moment
    assert read('{"x": "2026-01-31"}', dict[str, date], dial) == {"x": date(2026, 1, 31)}
    assert read('{"2026-01-31": 1}', dict[date, int], dial) == {date(2026, 1, 31): 1}
    assert read("86400", LAX_DATETIME, dial) == datetime.fromisoformat("1970-01-02T00:00:00+00:00")
    assert read("86400", datetime, dial) == "refused"

    class Event(BaseModel):
        at: datetime

        @field_validator("at", mode="before")
        @classmethod
        def year(cls, value: Any) -> Any:
            return f"{value}-01-01T00:00:00Z" if isinstance(value, str) and len(value) == 4 else value

    assert read('{"at": "2026"}', Event, dial).at.year == 2026  # the author's own rule
    assert read('{"at": "2026-01-31T10:20:30Z"}', Event, dial).at == moment


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 100


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, '"9,007,199,254,740,993.0"', 9007199254740993),
        (int, "{x: 9007199254740993.0}", 9007199254740993),
        (Decimal, '"$1,234.50"', Decimal("1234.50")),
        (Decimal, '"€ 12345678901234567890.123456789"', Decimal("12345678901234567890.123456789")),
        (Decimal | None, '"1.234,50"', Decimal("1234.50")),
        (CENTS, '"USD 7.25"', Decimal("7.25")),
        (CENTS, '"USD 7.255"', "refused"),
        (Decimal, "{x: 0.1000000000000000000001}", Decimal("0.1000000000000000000001")),
        (float, '"0.1000000000000000000001"', 0.1),
        (float, '"1e-400"', "refused"),
        (float, '"1e400"', "refused"),
        (int, '"(1)"', "refused"),
        (float, '"(1,234.50)"', "refused"),
        (float, '"($1,234.50)"', -1234.5),
        (float, '"(5 EUR)"', -5),
        (float, '"(-$5)"', "refused"),
        (Literal[37], "36.9999999999999999999", "refused"),
        (Level, "1e2", Level.HIGH),
        (Level, "99.999999999999999999999", "refused"),
    ],
)
def test_other_spellings_are_exact_too(kind, text, value, dial):
    """A number in quotes, with marks, in a document that is mended: the same rule."""
    text = text.replace("{x: ", "{'x': ") if text.startswith("{") else f'{{"x": {text}}}'
    given_ = read(text, dict[str, kind], dial)
    assert given_ == (value if value == "refused" else {"x": value})


@given(written(), written())
def test_numbers_compare_and_are_written_as_they_stand(left, right):
    """The helpers of numbers lose no digit: reading, writing, comparing."""
    one, other = exact(left), exact(right)
    assert Decimal(dumps(one)) == Decimal(left)
    assert json.loads(dumps({"a": [one]}), parse_float=exact, parse_int=exact) == {"a": [one]}
    assert (numerically(one) < numerically(other)) == (Decimal(left) < Decimal(right))
    assert as_whole(one) is None or Decimal(as_whole(one)) == Decimal(left)


class Share(enum.Enum):
    PART = 0.30000000000000004


def test_a_float_of_many_digits_is_itself():
    """What a float keeps to the last digit is no other number, to an enum either."""
    for dial in DIALS:
        assert read("0.30000000000000004", Share, dial) is Share.PART
        assert read("0.30000000000000004", Decimal, dial) == Decimal("0.30000000000000004")
        assert read("0.300000000000000041", Share, dial) == "refused"
        assert read("562949953421312.2", float | Decimal, dial) == 562949953421312.2


class Letter(BaseModel):
    amounts: Json[list[Decimal]] = []
    share: Json[float] = 0.0
    anything: Json[Any] = None
    rate: Decimal = Decimal(0)


@pytest.mark.parametrize("dial", DIALS)
def test_json_in_a_text_holds_no_number_that_changes(dial):
    """A type that reads the JSON in a text takes what is read as it is written, and refuses the rest at its place."""
    assert read('{"amounts": "[1.25, 2]", "share": "0.1"}', Letter, dial).amounts == [Decimal("1.25"), 2]
    assert read('{"share": "0.1000000000000000000001"}', Letter, dial).share == 0.1
    assert read('{"rate": 0.10000000000000000001, "amounts": "[0.2]"}', Letter, dial).amounts == [Decimal("0.2")]
    for text in (
        '{"amounts": "[0.1234567890123456789012345]"}',
        '{"amounts": "[562949953421312.2]"}',
        '{"share": "1e-400"}',
        '{"share": "-1e400"}',
        '{"anything": "[1e400]"}',
        '{"amounts": "[0.1]", "rate": 0.10000000000000000001}',
    ):
        assert read(text, Letter, dial) == "refused"
    outcome = validate('{"share": "1e-400"}', Letter, reading="strict")
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("schema.type", "/share")]


_leaves = st.one_of(
    written(), st.text(max_size=6).map(json.dumps), st.sampled_from(["null", "true", "false", '"2026"', '"A-"', '"31"'])
)
_documents = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from(["x", "X", "a b", "a_b", "A-", "A+"]), inner, max_size=4).map(
            lambda members: f"{{{', '.join(f'{json.dumps(key)}: {held}' for key, held in members.items())}}}"
        )
    ),
    max_leaves=8,
)
_kinds: list[Any] = [
    *(Any, float, int, Decimal, int | float, str | float, float | None, LAX_INT, datetime | str, bool | str),
    *(list[Decimal], list[float], dict[str, Decimal | str], dict[str, Any], dict[Literal["A-", "A+"], Any]),
    *(list[int | str], list[Any], dict[str, list[float]], Literal["A-", "31"], list[Literal[1, "2026"] | None]),
    *(JsonSchema({}), JsonSchema({"type": ["number", "array", "object"], "items": {"type": "number"}})),
    JsonSchema({"additionalProperties": {"type": ["integer", "string"]}, "propertyNames": {"enum": ["x", "A-"]}}),
]


@given(_documents, st.sampled_from(range(len(_kinds))))
def test_careful_is_strict_wherever_strict_reads(text, index):
    """What strict takes, careful takes as the same value without a repair; what careful takes beyond it has one."""
    strict, careful = (validate(text, _kinds[index], reading=dial) for dial in ("strict", "careful"))
    if strict.ok:
        assert careful.ok
        assert repr(careful.value) == repr(strict.value)
        assert careful.repairs == strict.repairs
    elif careful.ok:
        assert careful.repairs
