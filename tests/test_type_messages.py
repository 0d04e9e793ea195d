"""What a model is told about an answer to a type: things by the document's names, and the form that is wanted."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import json
import uuid
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    HttpUrl,
    Json,
    NaiveDatetime,
    Tag,
    TypeAdapter,
)
from pydantic_core.core_schema import ErrorType

from guards import Guarded, validate
from guards.contracts import JsonSchema
from guards.contracts.typed.words import _RULES
from guards.engine.wording import feedback_text
from guards.findings import Finding
from guards.testing import ScriptedModel


def told(kind: Any, text: str) -> list[tuple[str, str, str]]:
    return [(f.code, f.path, f.message) for f in validate(text, kind, reading="strict").findings]


def message(kind: Any, text: str) -> str:
    ((_, _, words),) = told(kind, text)
    return words


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        (dt.date, '"31.5.2024"', "must be a date, like 2024-05-31"),
        (dt.date, "20240531", "must be a date, like 2024-05-31"),
        (dt.datetime, '"yesterday"', "must be a date and time, like 2024-05-31T14:30:00Z"),
        (AwareDatetime, '"2024-05-31T01:00:00"', "must be a date and time with an offset, like 2024-05-31T14:30:00Z"),
        (
            NaiveDatetime,
            '"2024-05-31T01:00:00Z"',
            "must be a date and time without an offset, like 2024-05-31T14:30:00",
        ),
        (dt.time, '"noon"', "must be a time, like 14:30:00Z"),
        (dt.timedelta, '"two days"', "must be a duration, like P3DT12H"),
        (uuid.UUID, '"x"', "must be a UUID, like 7b2bd1e6-6d5a-4c7e-9c4e-0d5a1e5c9f10"),
        (HttpUrl, '"x"', "must be a URL, like https://example.com/"),
        (HttpUrl, '"ftp://x"', "must be a URL with the scheme 'http' or 'https'"),
        (ipaddress.IPv4Address, '"1.2.3"', "must be an IPv4 address, like 192.0.2.1"),
        (ipaddress.IPv6Network, '"x"', "must be an IPv6 network, like 2001:db8::/32"),
        (Annotated[decimal.Decimal, Field(max_digits=3)], "12345", "must have at most 3 digits"),
        (Literal["a"], '"b"', "must be 'a'"),
        (Literal["a", True, 3], '"b"', "must be one of 'a', true or 3"),
        (Literal["a"] | None, '"b"', "must be 'a'"),
        (Json[list[int]], '"[1, \\"x\\"]"', "holds JSON that does not fit, at /1: must be an integer"),
        (Json[int], '"nothing"', "must be a string that holds JSON"),
    ],
)
def test_the_form_that_is_wanted(kind, text, words):
    """Each kind of value is asked for by its form in JSON, whether the answer was of the wrong form or the wrong type."""
    assert message(kind, text) == words


def test_forms_that_a_model_shows_are_taken():
    """What a message gives as an example is a value of the type."""
    for kind in (dt.date, dt.datetime, AwareDatetime, NaiveDatetime, dt.time, dt.timedelta, uuid.UUID, HttpUrl):
        words = message(kind, "[]")
        assert validate(f'"{words.rpartition("like ")[2]}"', kind, reading="strict").ok, kind
    for address in (ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Interface, ipaddress.IPv6Network):
        words = message(address, '"x"')
        assert validate(f'"{words.rpartition("like ")[2]}"', address, reading="strict").ok, address


def test_keys():
    """A key of the wrong form is told as a key; its value is another matter."""
    (finding,) = validate('{"x": 1}', dict[int, int], reading="strict").findings
    assert (finding.path, finding.message, finding.actual) == ("/x", "the key must be an integer", "x")


# -- unions


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(alias="called")


def by_kind(value: Any) -> Any:
    return value.get("kind") if isinstance(value, dict) else None


Callable_ = Annotated[
    Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")] | Annotated[str, Tag("text")], Discriminator(by_kind)
]
Named = Annotated[Cat | Dog, Field(discriminator="kind")]


class Level(enum.Enum):
    LOW = "low"
    TWO = 2


class Low(BaseModel):
    level: Literal[Level.LOW]


class Two(BaseModel):
    level: Literal[Level.TWO]


def test_tagged_unions():
    """A function that tells kinds apart is no key of the document: the kinds are named instead, by what they hold."""
    kinds = "Cat (an object with kind, lives); Dog (an object with kind, called); a string"
    for text in ('{"kind": "cow"}', "{}", "null"):
        assert message(Callable_, text) == f"is of no kind that is known here; must be one of: {kinds}"
    assert message(Named, '{"kind": "cow"}') == "must have a 'kind' of 'cat' or 'dog'"
    assert message(Named, "{}") == "needs the key 'kind' to tell its kind: 'cat' or 'dog'"
    assert (
        message(Annotated[Low | Two, Field(discriminator="level")], '{"level": 3}')
        == "must have a 'level' of 'low' or 2"
    )


class A(BaseModel):
    a: int
    x: str = ""


class B(BaseModel):
    b: int
    y: str = ""


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: int
    z: list[int] = []


EITHER = "must fit one of the alternatives: 'a' is required but missing, or 'b' is required but missing"


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        # by the keys that it has, an answer was meant as one of them
        (A | B, '{"x": "q"}', [("schema.required", "/a", "is required but missing")]),
        (A | B, '{"y": "q"}', [("schema.required", "/b", "is required but missing")]),
        (A | B, '{"a": "q", "x": "r"}', [("schema.type", "/a", "must be an integer")]),
        (A | B | list[int], '{"y": "q"}', [("schema.required", "/b", "is required but missing")]),
        (Cat | Dog, '{"called": "x"}', [("schema.required", "/kind", "is required but missing")]),
        (Cat | Dog, '{"kind": "dog"}', [("schema.required", "/called", "is required but missing")]),
        (B | Closed, '{"a": 1, "z": 2}', [("schema.type", "/z", "must be an array")]),
        # as near to either: what each asks for, in one finding
        (A | B, "{}", [("schema.anyOf", "", EITHER)]),
        (list[A | B], '[{"a": 1}, {}]', [("schema.anyOf", "/1", EITHER)]),
        (int | list[A | B], "[{}]", [("schema.anyOf", "/0", EITHER)]),
        (dict[str, A | B | None], '{"k": {}}', [("schema.anyOf", "/k", EITHER)]),
        # of one value
        (int | str, "null", [("schema.type", "", "must be an integer or a string")]),
        (A | B, "3", [("schema.type", "", "must be an object")]),
        (
            dt.date | uuid.UUID,
            '"x"',
            [
                (
                    "schema.format",
                    "",
                    "must be a date, like 2024-05-31, or a UUID, like 7b2bd1e6-6d5a-4c7e-9c4e-0d5a1e5c9f10",
                )
            ],
        ),
        (Literal["p"] | Level, '"q"', [("schema.enum", "", "must be 'p' or one of 'low' or 2")]),
    ],
)
def test_untagged_unions(kind, text, expected):
    """Only the member that an answer was meant as asks for its keys."""
    assert told(kind, text) == expected


def test_alternatives_are_those_of_the_schema():
    """A type and its JSON Schema tell alternatives with the same code, place and words."""
    assert told(A | B, "{}") == told(JsonSchema(TypeAdapter(A | B).json_schema()), "{}")


# -- what was found


def test_a_null_is_shown():
    """A null where something else is wanted is shown as what was found: to models, in summaries, in data."""
    text = '{"a": null, "x": null}'
    for kind in (A, JsonSchema(A.model_json_schema())):
        outcome = validate(text, kind)
        lines = feedback_text(outcome.findings, "json").splitlines()
        assert lines[1:3] == [
            "- `/a`: must be an integer (schema.type); got `null`",
            "- `/x`: must be a string (schema.type); got `null`",
        ]
        assert "/a: must be an integer [schema.type], got null" in outcome.summary()
        assert [f.actual for f in outcome.findings] == [None, None]
        assert outcome.to_dict()["findings"][0]["actual"] is None
        assert "actual" not in outcome.to_dict(content=False)["findings"][0]
    missing = validate("{}", A).findings[0]
    assert (missing.found_null, "actual" in missing.to_dict()) == (False, False)
    assert "got" not in feedback_text((missing, Finding("team.x", "m")), "json")


def asked_again(answer: str, kind: Any) -> str:
    model = ScriptedModel([answer, '{"a": 1}'])
    Guarded(kind).run(model, "go")
    return str(model.calls[1][-1]["content"])


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"a": "x", "x": "q"\n```',
        '```json\n{"a": "x", "x": "q"\n```\n\nI hope that this helps!',
        '{"a": "x", "x": "q"',
        '[{"a": "x"}',
    ],
)
def test_a_broken_object_was_not_cut_off(answer):
    """An object that lacks no more than a bracket is told what is wrong with it, and not to be shorter."""
    told = asked_again(answer, A if answer[0] != "[" else list[A])
    assert "cut off" not in told
    assert "must be an integer" in told


@pytest.mark.parametrize("answer", ['{"a": "x", "x": "q', '{"a": "x", "x', '{"a": "x",', '{"x": "q"'])
def test_an_object_that_was_cut_off(answer):
    """One that stops in the middle, or before all that is required, is told so."""
    assert "was cut off before its end" in asked_again(answer, A)


def test_an_element_in_a_closed_fence_was_not_cut_off():
    """The same in XML: who closes the fence behind a document came to the end."""
    fenced = "```xml\n<A><a>x</a><x>q</x>\n```"
    assert [f.code for f in validate(fenced, A, format="xml").findings] == ["schema.type"]
    assert [f.code for f in validate("<A><a>x</a><x>q", A, format="xml").findings] == ["xml.truncated"]


# Error types without words of their own: a validator's words, or none that an answer could bring about.
_OTHERS = {
    *("value_error", "assertion_error"),  # the user's own words
    *("json_invalid", "recursion_depth_exceeded", "default_factory_not_called"),  # told by `Explainer`
    *("no_such_attribute", "get_attribute_error", "frozen_field", "frozen_instance"),  # about objects of Python
    *("invalid_key", "iteration_error", "needs_python_object", "is_subclass_of", "multiple_argument_values"),
    *("missing_sentinel_error", "ellipsis_error", "multiple_subclass_of"),
}


def test_every_error_type_has_words():
    """Each error type of the installed pydantic is told in our words, or stands on a list with its reason."""
    assert set(get_args(ErrorType)) - set(_RULES) <= _OTHERS


@pytest.mark.parametrize(
    ("kind", "answer", "path", "message"),
    [
        (dict[str, dict[str, int]], {"a": {"[key]": "x"}}, "/a/[key]", "must be an integer"),
        (dict[dt.date, dict[str, int]], {"2026-01-31": {"[key]": "x"}}, "/2026-01-31/[key]", "must be an integer"),
        (dict[dt.date, dict[str, int]], {"a": {"[key]": 1}}, "/a", "the key must be a date, like 2024-05-31"),
        (dict[str, int], {"[key]": "x"}, "/[key]", "must be an integer"),
        (dict[str, list[dict[str, int]]], {"a": [{"[key]": "x"}]}, "/a/0/[key]", "must be an integer"),
    ],
)
def test_a_key_may_look_like_what_pydantic_writes_for_one(kind, answer, path, message):
    """What is wrong with a key and what is wrong under a key of that name are told apart."""
    assert [(f.path, f.message) for f in validate(json.dumps(answer), kind).findings] == [(path, message)]
