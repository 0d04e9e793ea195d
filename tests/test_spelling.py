"""What a word is meant to be: options and keys with their marks, numbers in sentences, the literals of other languages."""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from guards import validate
from guards.contracts import JsonSchema
from guards.reading.spelling import boolean, folded, number, number_in, pick, pick_in

DIALS = ("strict", "careful", "eager")


def read(text: str, contract: Any, dial: str = "careful") -> Any:
    """The value; a text that says so where the answer is refused."""
    outcome = validate(text, contract, reading=dial)
    return outcome.value if outcome.ok else "refused"


def contracts(*options: str) -> list[Any]:
    """The same options as a Literal, an enum and a JSON Schema."""
    made = enum.Enum("Options", {f"OPTION_{index}": option for index, option in enumerate(options)})
    return [
        dict[str, Literal[options]],  # type: ignore[valid-type]
        dict[str, made],
        JsonSchema({"additionalProperties": {"enum": list(options)}}),
    ]


def plain(value: Any) -> Any:
    return {key: getattr(held, "value", held) for key, held in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("written", "options", "meant"),
    [
        ("A-", ["A+", "B"], None),
        ("A-", ["A", "B"], None),
        ("A", ["A-", "A+"], None),
        ("a-", ["A-", "A+"], "A-"),
        ("A\u2212", ["A-", "A+"], "A-"),
        ("<65", ["65+", "18-64"], None),
        ("<65", [">65", "65"], None),
        ("< 65", ["<65", ">65"], "<65"),
        ("\u226465", ["<65", "65"], None),
        ("C#", ["C++", "Java"], None),
        ("c++", ["C", "C++", "C#"], "C++"),
        ("C", ["C++", "C#"], None),
        ("31", ["3.1", "3.2"], None),
        ("3.1", ["31", "3-1"], None),
        ("1-5", ["15", "6-10"], None),
        ("15", ["1-5", "6-10"], None),
        ("1 5", ["15", "1.5"], None),
        ("-1", ["1", "0"], None),
        ("+1", ["1", "-1"], None),
        ("$5", ["5", "\u20ac5"], None),
        ("\u20ac 5", ["$5", "\u20ac5"], "\u20ac5"),
        ("5%", ["5", "50%"], None),
        ("m2", ["m\u00b2", "m"], None),
        ("#1", ["1", "2"], None),
        ("a/b", ["ab", "c"], None),
        ("a&b", ["ab", "a-b"], None),
        ("In Progress", ["in_progress", "done"], "in_progress"),
        ("inProgress", ["in_progress", "done"], "in_progress"),
        ("IN  PROGRESS", ["in-progress", "done"], "in-progress"),
        ("in - progress", ["in progress", "done"], "in progress"),
        ("gpt 4", ["gpt-4", "gpt-5"], "gpt-4"),
        ("2024_01", ["2024-01", "202401"], "2024-01"),
        ("temp -5", ["temp 5", "temp -5C"], None),
        ("high", ["HIGH", "High"], None),
        ("resume", ["r\u00e9sum\u00e9", "cv"], "r\u00e9sum\u00e9"),
        ("resume", ["r\u00e9sum\u00e9", "resum\u00e9"], None),
    ],
)
def test_options_are_compared_with_their_marks(written, options, meant):
    """Case, blanks and separators between words are passed over; a mark that says something makes another word."""
    for contract in contracts(*options):
        for dial in DIALS:
            given_ = plain(read(f'{{"x": "{written}"}}', contract, dial))
            wanted = "refused" if meant is None or dial == "strict" else {"x": meant}
            assert given_ == wanted, (contract, dial)


@pytest.mark.parametrize("dial", ["careful", "eager"])
def test_keys_of_a_map_are_compared_with_their_marks(dial):
    """Two keys never become one, and the exact one is never overwritten."""
    grades = dict[Literal["A+", "A-", "B"], int]
    states = dict[Literal["in_progress", "done"], int]
    assert read('{"A-": 1, "A+": 2}', grades, dial) == {"A-": 1, "A+": 2}
    assert read('{"a-": 1, "A+": 2}', grades, dial) == {"A-": 1, "A+": 2}
    assert read('{"A": 1, "A+": 2}', grades, dial) == "refused"
    assert read('{"In Progress": 1}', states, dial) == {"in_progress": 1}
    for text in (
        '{"In Progress": 1, "in progress": 2}',
        '{"In Progress": 1, "in_progress": 2}',
        '{"in_progress": 1, "In Progress": 2}',
    ):
        assert read(text, states, dial) == "refused"
        keys = {"propertyNames": {"enum": ["in_progress", "done"]}, "additionalProperties": {"type": "integer"}}
        assert read(text, JsonSchema({"type": "object", **keys}), dial) == "refused"


_MARKS = "+-<>=#$€%.~±/&@*^°"
_words = st.text("abcAB12 _", min_size=1, max_size=6).map(str.strip).filter(bool)


@given(_words, st.sampled_from(_MARKS), st.sampled_from(["", *_MARKS]), st.booleans())
@example("A", "+", "-", False)
@example("65", "<", "", True)
def test_options_that_differ_in_a_mark_are_never_exchanged(word, one, other, before):
    """For any word and any two marks: what is written with the one is not the option with the other."""
    assume(one != other)
    assume(not {one, other} <= {"-", "_", ""} or not before)
    written, option = (one + word, other + word) if before else (word + one, word + other)
    assume(written.strip("-_ ") != option.strip("-_ ") or word[-1].isalnum())
    assert pick(written, [option]) is None
    assert pick(written, [option, written]) == written
    assert pick(option, [written]) is None
    assert read(f'{{"x": "{written}"}}', dict[str, Literal[option]]) == "refused"  # type: ignore[valid-type]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True), st.integers(0, 5))
def test_an_option_is_itself(options, index):
    """Whatever the other options are, one that is written exactly is that one; a folded text is not folded further."""
    option = options[index % len(options)]
    assert pick(option, options) == option
    assert pick_in(option, options) == option
    assert folded(folded(option)) == folded(option)


@pytest.mark.parametrize(
    ("said", "options", "meant"),
    [
        ("I'd give it an A-.", ["A", "A+", "B"], None),
        ("I'd give it an A-.", ["A", "A-", "B"], "A-"),
        ("My favourite is C++.", ["C", "C++", "C#"], "C++"),
        ("Written in C#", ["C", "C++"], None),
        ("patients < 65", ["65+", "<65"], "<65"),
        ("patients < 65", ["65+", "65"], None),
        ("it costs $ 5 now", ["5", "$5"], "$5"),
        ("version 3.1", ["31", "3.1"], "3.1"),
        ("version 3.1", ["3", "1"], None),
        ("It is not approved.", ["approved", "rejected"], None),
        ("It isn't spam", ["spam", "ham"], None),
        ("There is no spam", ["spam", "ham"], None),
        ("approved, never rejected", ["approved"], None),
        ("This is **not spam**.", ["spam", "not_spam"], "not_spam"),
        ("I can say: spam", ["spam", "ham"], "spam"),
        ("Answer: B.", ["A", "B"], "B"),
        ("gpt-3-5", ["gpt-3.5", "gpt-4"], "gpt-3.5"),
        ("Objective-C", ["C", "C++"], None),
        ("pre-approved", ["approved", "rejected"], None),
        ("non_approved", ["approved", "rejected"], None),
        ("rather ham than spam-like", ["spam", "ham"], None),
        ("it is in-progress now", ["in_progress", "done"], "in_progress"),
        ("I used gpt-4-turbo", ["gpt-4", "gpt-5"], None),
        ("almost approved", ["approved", "rejected"], None),
        ("failed to be approved", ["approved", "rejected"], None),
        ("anything but spam", ["spam", "ham"], None),
        ("nicht spam", ["spam", "ham"], None),
        ("tell us about it", ["US", "UK"], None),
        ("it is in the US", ["US", "UK"], "US"),
        ("the risk is high", ["HIGH", "LOW"], "HIGH"),
        ("2,0", ["1", "2"], None),
        ("1:2", ["1", "2"], None),
        ("2 million", ["1", "2"], None),
        ("option 2", ["1", "2"], "2"),
    ],
)
def test_an_option_inside_a_sentence(said, options, meant):
    """Eager finds it as a whole word with its marks, and not where the sentence denies it."""
    for contract in contracts(*options):
        assert plain(read(f'{{"x": "{said}"}}', contract, "eager")) == ("refused" if meant is None else {"x": meant})
        assert read(f'{{"x": "{said}"}}', contract) == "refused"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("3 million", 3_000_000),
        ("about 3 million people", None),
        ("2.5 million", 2_500_000),
        ("1,5 million", None),
        ("3 hundred thousand", 300_000),
        ("$3 billion", 3_000_000_000),
        ("twenty million", 20_000_000),
        ("3 dozen", None),
        ("3k", None),
        ("3 k", None),
        ("3%", None),
        ("3 percent of it", None),
        ("3 and a half", None),
        ("not 3", None),
        ("it isn't 3", None),
        ("minus 3", None),
        ("less than 3", None),
        ("at least 3", None),
        ("up to 3", None),
        ("over 9000", None),
        ("<65", None),
        ("65+", None),
        ("10^3", None),
        ("(3)", None),
        ("3 * 10^8", None),
        ("3 3", None),
        ("5 > 3", None),
        ("3 or four", None),
        ("x-5", None),
        ("COVID-19", None),
        ("5-", None),
        ("no 3", None),
        ("5 \u4e07", None),
        ("5 Millionen", None),
        ("5 Mrd", None),
        ("5 pct", None),
        ("twice 5", None),
        ("max 5", None),
        ("square root of 9", None),
        ("0,5 or so", None),
        ("**5**", 5),
        ("I have 3 cats", 3),
        ("1/5", 0.2),
        ("1 1/2", 1.5),
        ("5/5", None),
        ("24/7", None),
        ("It costs $41.", 41),
    ],
)
def test_a_number_inside_a_sentence(said, value):
    """Eager takes the only number of a sentence, unless a word or mark beside it makes another one of it."""
    assert number_in(said) == value
    for contract in (dict[str, float], JsonSchema({"additionalProperties": {"type": "number"}})):
        assert read(f'{{"x": "{said}"}}', contract, "eager") == ("refused" if value is None else {"x": value})
        assert read(f'{{"x": "{said}"}}', contract) == "refused"


@pytest.mark.parametrize("said", ["5/5", "4/5", "24/7", "1/2", "4/2"])
def test_a_fraction_is_no_whole_number(said):
    """Where an integer is asked for it is a rating, or a date: more than the number says."""
    assert read(f'{{"x": "{said}"}}', dict[str, int], "eager") == "refused"


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("that is not true", None),
        ("that's never true", None),
        ("It isn't true", None),
        ("this is hardly false", None),
        ("I cannot say yes", None),
        ("true or false", None),
        ("I think so, yes", True),
        ("No, it is not", False),
        ("Yes, that's not a problem", True),
        ("it's true", True),
        ("Not a yes", None),
        ("no idea", None),
        ("no one knows", None),
        ("nobody says yes", None),
        ("half true", None),
        ("true-ish", None),
        ("it would be true", None),
        ("is this true?", None),
        ("The answer is no.", False),
        ("yes!", True),
        ("false positive", None),
        ("It is a true story", None),
        ("a false alarm", None),
        ("true because it rains", True),
        ("False, as the text says", False),
    ],
)
def test_a_boolean_inside_a_sentence(said, value):
    """Eager takes the only one of a sentence, and none of a sentence that denies it."""
    assert boolean(said, eager=True) is value
    for contract in (dict[str, bool], JsonSchema({"additionalProperties": {"type": "boolean"}})):
        assert read(f'{{"x": "{said}"}}', contract, "eager") == ("refused" if value is None else {"x": value})
        assert read(f'{{"x": "{said}"}}', contract) == "refused"


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "schema", "written", "value"),
    [
        (str | None, {"type": ["string", "null"]}, "Null", None),
        (str | None, {"type": ["string", "null"]}, "NULL", None),
        (str | None, {"type": ["string", "null"]}, "Nil", None),
        (str | None, {"type": ["string", "null"]}, "Undefined", None),
        (str | None, {"type": ["string", "null"]}, '"Null"', "Null"),
        (str | None, {"type": ["string", "null"]}, "nothing", "nothing"),
        (str | bool, {"type": ["string", "boolean"]}, "TRUE", True),
        (str | bool, {"type": ["string", "boolean"]}, "False", False),
        (str | float, {"type": ["string", "number"]}, "5.", 5),
        (str | float, {"type": ["string", "number"]}, ".5", 0.5),
        (str | float, {"type": ["string", "number"]}, "-.5e1", -5),
        (str | float, {"type": ["string", "number"]}, "0x1F", 31),
        (str | float, {"type": ["string", "number"]}, "0b101", 5),
        (str | int, {"type": ["string", "integer"]}, "1_000", 1000),
        (str | int, {"type": ["string", "integer"]}, "+5", 5),
        (str | int, {"type": ["string", "integer"]}, "5n", 5),
        (str | float, {"type": ["string", "number"]}, '"5."', "5."),
        (str | float, {"type": ["string", "number"]}, "5 apples", "5 apples"),
        (str | int, {"type": ["string", "integer"]}, "007", "007"),
        (float | None, {"type": ["number", "null"]}, "Infinity", "refused"),
        (float | None, {"type": ["number", "null"]}, "-Infinity", "refused"),
        (float | None, {"type": ["number", "null"]}, "inf", "refused"),
        (float | None, {"type": ["number", "null"]}, "1e400", "refused"),
        (float | None, {"type": ["number", "null"]}, "NaN", None),
        (Any, {}, "[Infinity]", "refused"),
        (int | None, {"type": ["integer", "null"]}, "+Infinity", "refused"),
    ],
)
def test_literals_in_unions(kind, schema, written, value, dial):
    """A word without quotes that is a literal somewhere is that, and a number that JSON writes otherwise is a number;
    an infinite number is not nothing."""
    for contract in (dict[str, kind], JsonSchema({"type": "object", "additionalProperties": schema})):
        outcome = validate(f'{{"x": {written}}}', contract, reading=dial)
        assert (outcome.value if outcome.ok else "refused") == (value if value == "refused" else {"x": value})
        if value == "refused":
            assert outcome.findings[0].path.startswith("/x")
            assert outcome.findings[0].message
        else:
            assert outcome.repairs or written.startswith('"')


class Person(BaseModel):
    model_config = ConfigDict(populate_by_name=True, extra="forbid")
    full_name: str = Field(alias="fn")
    age: int = Field(validation_alias=AliasChoices("a", "years"))


@pydantic_dataclass(config=ConfigDict(populate_by_name=True))
class Place:
    post_code: int = Field(alias="zip")


@dataclass
class Plain:
    post_code: int


class Typed(TypedDict):
    post_code: int


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Person, "{'full_name': 'A', 'age': '3'}", ("A", 3)),
        (Person, '{"Full Name": "A", "AGE": 3}', ("A", 3)),
        (Person, '{"fn": "A", "years": "3"}', ("A", 3)),
        (Person, '{"full_name": "A", "Years": 3}', ("A", 3)),
        (Person, "{'fn': 'A', 'full_name': 'B', 'a': 1}", ("A", 1)),
        (Person, '{"name": "A", "a": "1"}', "refused"),
        (Place, '{"post_code": "1"}', (1,)),
        (Place, '{"Post Code": 1}', (1,)),
        (Place, '{"zip": "1"}', (1,)),
        (Plain, '{"postCode": 1}', (1,)),
        (Typed, '{"postCode": 1}', {"post_code": 1}),
    ],
)
def test_a_field_goes_by_its_own_name_too(kind, text, value, dial):
    """Where the type takes a field by its name as well as by its aliases, an answer that is mended may use either."""
    read_ = read(text, kind, dial)
    given_ = read_ if isinstance(read_, dict | str) else tuple(vars(read_).values())
    assert given_ == value


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (list[int], '{"response": "[1, 2]"}', [1, 2]),
        (list[str], r'{"items": "[\"a\", \"b\"]"}', ["a", "b"]),
        (list[dict[str, int]], r'{"response": "[{\"a\": 1}]"}', [{"a": 1}]),
        (dict[str, int], r'{"response": "{\"a\": 1}"}', {"a": 1}),
        (list[str], '{"error": "it failed"}', "refused"),
        (list[str], '{"error": "[1] not found"}', "refused"),
        (list[str] | str, '"[1]"', "[1]"),
    ],
)
def test_a_document_in_the_text_of_an_envelope(kind, text, value, dial):
    """An object of one key may hold the document as a text; any other text in it is not the answer."""
    assert read(text, kind, dial) == value


@pytest.mark.parametrize("dial", ["careful", "eager"])
def test_a_key_that_is_equal_but_for_case_goes_first(dial):
    """Of two properties that differ in a separator, a key means the one that it differs from in case alone."""
    schema = {
        "properties": {"userId": {"type": "integer"}, "user_id": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert read('{"USERID": 1, "User_Id": 2}', JsonSchema(schema), dial) == {"userId": 1, "user_id": 2}
    marks = {"properties": {"a+": {"type": "integer"}, "$b": {"type": "integer"}}, "additionalProperties": False}
    assert read('{"A+": 1, "$B": 2}', JsonSchema(marks), dial) == {"a+": 1, "$b": 2}
    assert read('{"A-": 1, "b": 2}', JsonSchema(marks), dial) == "refused"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.234.567", 1234567),
        ("1.234.567,5", 1234567.5),
        ("1.234,5", 1234.5),
        ("1.234", 1.234),
        ("1 234,56 \u20ac", 1234.56),
        ("1\u202f234,50", 1234.5),
        ("1'234,5", 1234.5),
        ("12,34,567", 1234567),
        ("1,23,456.5", 123456.5),
        ("\uff11\uff12\uff13", 123),
        ("\uffe5\uff11\uff0c\uff12\uff13\uff14\uff0e\uff15", 1234.5),
        ("\u0661\u0662\u0663", 123),
        ("0,123", None),
        ("0.123.456", None),
        ("1.23.456", None),
        ("1,234 567", None),
        ("1.234 567,8", None),
        ("12,345,67", None),
        ("3\u00bd", None),
        ("3\u00b2", None),
        ("\u2462", None),
    ],
)
def test_a_number_in_the_groups_of_any_place(written, value):
    """Groups of three, or those of India, by one mark all along, are one number; a leading zero is no group, and digits
    of any script are digits, unless they stand above or below the line."""
    assert number(written) == value
    for contract in (dict[str, float], JsonSchema({"additionalProperties": {"type": "number"}})):
        outcome = validate(f'{{"x": "{written}"}}', contract)
        assert (outcome.value["x"] if outcome.ok else None) == value
        assert not outcome.ok or [repair.code for repair in outcome.repairs] == ["value.number"]


@given(st.text(max_size=12))
def test_a_number_has_the_digits_that_are_there(text):
    """Whatever a text is read as, its digits are the digits of the number."""
    value = number(text)
    if value is not None and not any(mark in text.lower() for mark in "exob"):
        digits = "".join(str(unicodedata.decimal(mark)) for mark in text if mark.isdecimal()).strip("0")
        assert "".join(mark for mark in f"{value:f}" if mark.isdigit()).strip("0") == digits
