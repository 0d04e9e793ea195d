"""The texts in a value: all of them are judged, each at its place in the document that was read."""

from __future__ import annotations

import dataclasses
import pathlib
import uuid
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pydantic
import pytest
from pydantic import AliasChoices, AliasPath, BaseModel, Field, RootModel

from guards import validate
from guards.checks import Toxicity
from guards.checks.texts.texts import texts_of


class Mood(str, Enum):  # noqa: UP042  # the older way to write it, which prints as Mood.RUDE
    RUDE = "you rude one"


class Tone(Enum):
    RUDE = "you rude one"


class Level(IntEnum):
    HIGH = 3


class Listed(RootModel[list[str]]):
    pass


class Reply(BaseModel):
    body: str = Field(alias="main/Text")
    either: str = Field("", validation_alias=AliasChoices("one", "two"))
    deep: str = Field("", validation_alias=AliasPath("x", 0, "y"))
    parts: Listed = Listed([])


@pydantic.dataclasses.dataclass
class Note:
    body: str = Field(alias="theBody")


@dataclasses.dataclass
class Plain:
    body: str


class Strange:
    def __repr__(self) -> str:
        return "a strange thing"


def rude(texts):
    return [0.9 if "rude" in text else 0.1 for text in texts]


@pytest.mark.parametrize(
    ("kind", "answer", "path"),
    [
        (Mood, '"you rude one"', ""),
        (Tone, '"you rude one"', ""),
        (bytes, '"rude"', ""),
        (pathlib.Path, '"a/rude/one"', ""),
        (pydantic.AnyUrl, '"http://a.b/rude"', ""),
        (Listed, '["nice", "rude"]', "/1"),
        (Reply, '{"main/Text": "rude"}', "/main~1Text"),
        (Reply, '{"main/Text": "nice", "one": "rude"}', "/one"),
        (Reply, '{"main/Text": "nice", "x": [{"y": "rude"}]}', "/x/0/y"),
        (Reply, '{"main/Text": "nice", "parts": ["nice", "rude"]}', "/parts/1"),
        (Note, '{"theBody": "rude"}', "/theBody"),
        (Plain, '{"body": "rude"}', "/body"),
        (dict[Mood, str], '{"you rude one": "rude"}', "/you rude one"),
        (set[str], '["nice", "rude"]', ""),
    ],
)
def test_a_text_of_any_type_is_judged_at_its_place(kind, answer, path):
    """Whatever a type makes of a text of the document, it is judged, and found by the document's names."""
    outcome = validate(answer, kind, guards=[Toxicity(model=rude)])
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("toxicity.toxic", path)]


class Answer(BaseModel):
    parts: Listed


def test_in_xml_a_list_is_repeated():
    """The path of a root model's item is that of the element."""
    text = "<Answer><parts>nice</parts><parts>rude</parts></Answer>"
    outcome = validate(text, Answer, guards=[Toxicity(model=rude)], format="xml")
    assert [finding.path for finding in outcome.findings] == ["/Answer/parts[2]"]


@pytest.mark.parametrize("value", [None, True, 3, 2.5, Decimal("1.5"), date(2024, 1, 2), uuid.UUID(int=5), Level.HIGH])
def test_what_is_no_text(value: Any):
    """Numbers, dates and identifiers are not judged as language."""
    assert texts_of({"a": [value]}) == []


def test_what_is_not_known_is_judged_by_what_it_says():
    """An object of any other class does not pass unseen."""
    assert texts_of([Strange()]) == [("/0", "a strange thing")]
