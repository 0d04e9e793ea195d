"""Values that a type's own code made, of classes with guards of which the type says nothing: never passed over."""

from __future__ import annotations

import functools
from collections import ChainMap, UserDict, UserList
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, NamedTuple

import pytest
from pydantic import AfterValidator, BaseModel, Field, RootModel, Secret, create_model, field_validator, model_validator

from guards import check, validate


@check
def no_evil(value):
    return "bad" if "EVIL" in str(value) else None


Text = Annotated[str, no_evil]


class Tags(RootModel[list[Text]]):
    pass


class Pair(NamedTuple):
    name: Text
    number: int = 0


class Dog(BaseModel):
    name: Text


class Holder(BaseModel):
    tags: Tags


class Kennel:
    def __init__(self, dog):
        self.dog = dog


class Slotted:
    __slots__ = ("_dog",)

    def __init__(self, dog):
        self._dog = dog


MADE = {
    "a root model": lambda text: Tags([text]),
    "a root model in a model": lambda text: Holder(tags=Tags([text])),
    "a named tuple": Pair,
    "a named tuple as key": lambda text: {Pair(text): 1},
    "a named tuple in a key": lambda text: {(Pair(text),): 1},
    "a model": lambda text: Dog(name=text),
    "behind a proxy": lambda text: MappingProxyType({"a": Dog(name=text)}),
    "in a user's dict": lambda text: UserDict(a=Dog(name=text)),
    "in a user's list": lambda text: UserList([Dog(name=text)]),
    "in a chain of maps": lambda text: ChainMap({"a": Dog(name=text)}),
    "in a view": lambda text: {"a": Dog(name=text)}.values(),
    "in a secret": lambda text: Secret(Dog(name=text)),
    "in a namespace": lambda text: SimpleNamespace(dog=Dog(name=text)),
    "in an object": lambda text: Kennel(Dog(name=text)),
    "in a slot": lambda text: Slotted(Dog(name=text)),
    "deep in objects": lambda text: SimpleNamespace(kennels=[Kennel({"a": Dog(name=text)})]),
}
PLACES = {
    "alone": lambda made: Annotated[Any, AfterValidator(made)],
    "in a field": lambda made: create_model("Held", x=(Annotated[Any, AfterValidator(made)], ...)),
    "in a list": lambda made: list[Annotated[Any, AfterValidator(made)]],
}
ANSWERS = {"alone": '"EVIL"', "in a field": '{"x": "EVIL"}', "in a list": '["EVIL"]'}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("made", MADE)
def test_what_a_validator_made_is_no_pass(made, place):
    """Whatever holds the instance, the guards inside of it cannot run, and that is said."""
    outcome = validate(ANSWERS[place], PLACES[place](MADE[made]))
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]


class Words(RootModel[list[str]]):
    pass


class GuardedWords(Words):
    root: list[Text]


class Table(RootModel[dict[Text, str]]):
    pass


class Swapped(Table):
    root: dict[str, Text]


class Hidden(RootModel[Annotated[Secret[str], no_evil]]):
    pass


class Shown(Hidden):
    root: Secret[Text]


@pytest.mark.parametrize(
    ("declared", "made", "answer"),
    [(Words, GuardedWords, '["EVIL"]'), (Table, Swapped, '{"a": "EVIL"}'), (Hidden, Shown, '"EVIL"')],
)
def test_a_guard_in_another_place_is_not_the_one_that_ran(declared, made, answer):
    """A subclass that a validator picks is judged only as what the type says of it."""
    change = AfterValidator(lambda value: made(value.root))
    assert not validate(answer, Annotated[declared, change]).ok
    assert not validate(f'{{"t": {answer}}}', create_model("Held", t=(Annotated[declared, change], ...))).ok


class Kept(Tags):
    pass


class Named(Dog):
    age: int = 0


def test_the_same_guard_in_the_same_place_is():
    """A subclass that leaves the guarded field as it is can be judged as its base."""

    class Pack(BaseModel):
        tags: Annotated[Tags, AfterValidator(lambda tags: Kept(tags.root))]
        dog: Annotated[Dog, AfterValidator(lambda dog: Named(name=dog.name))]
        either: Annotated[Text | int | None, AfterValidator(lambda one: one)]

    assert validate('{"tags": ["a"], "dog": {"name": "b"}, "either": "c"}', Pack).ok
    for answer in (
        '{"tags": ["EVIL"], "dog": {"name": "b"}, "either": 1}',
        '{"tags": ["a"], "dog": {"name": "EVIL"}, "either": null}',
        '{"tags": ["a"], "dog": {"name": "b"}, "either": "EVIL"}',
    ):
        assert {finding.code for finding in validate(answer, Pack).findings} == {"check.no_evil"}


def test_a_default_made_of_the_answer_is_no_pass():
    """What a factory makes of the other fields holds the answer's own words."""

    class Animal(BaseModel):
        pass

    class Puppy(Animal):
        name: Text

    class Pack(BaseModel):
        text: str
        pet: Animal = Field(default_factory=lambda data: Puppy(name=data["text"]))

    assert [f.code for f in validate('{"text": "EVIL"}', Pack).findings] == ["guard.failed"]


def test_what_is_kept_beside_the_fields_is_not_delivered():
    """A property that a validator read, and that remembers what it made, is no part of the answer."""

    class Line(BaseModel):
        note: Text

    class Order(BaseModel):
        lines: list[Line]
        words: Words

        @functools.cached_property
        def summary(self):
            return Line(note="all")

        @field_validator("lines")
        @classmethod
        def some(cls, value):
            return value

        @model_validator(mode="after")
        def read(self):
            assert self.summary
            return self

    assert validate('{"lines": [{"note": "a"}], "words": ["b"]}', Order).ok
    assert not validate('{"lines": [{"note": "EVIL"}], "words": ["b"]}', Order).ok


def test_a_collection_that_cannot_be_read_is_no_pass():
    """What raises when it is asked for what it holds may hold anything."""

    class Shut(UserList):
        def __iter__(self):
            raise RuntimeError

    outcome = validate('"EVIL"', Annotated[Any, AfterValidator(lambda text: Shut([Dog(name=text)]))])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]
