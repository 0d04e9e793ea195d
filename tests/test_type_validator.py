"""How Python types are compiled for answers: what users' own functions raise, iterables, JSON forms below validators."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Annotated, Any, AsyncIterable

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WrapValidator,
    computed_field,
    field_validator,
)
from pydantic_core import PydanticOmit, PydanticUseDefault

from guards import ConfigError, Guarded, Limits, Noop, Raise, Reask, validate
from guards.errors import GuardFailed, Rejected
from guards.findings import Finding
from guards.testing import ScriptedModel


def places(kind: Any, text: str) -> list[tuple[str, str]]:
    return [(f.code, f.path) for f in validate(text, kind, reading="strict").findings]


def only(kind: Any, text: str) -> Finding:
    (finding,) = validate(text, kind, reading="strict").findings
    return finding


def raising(fault: BaseException) -> Callable[..., Any]:
    def function(value: Any = None) -> Any:
        raise fault

    return function


# -- iterables


class Holder(BaseModel):
    numbers: Iterable[int]
    nested: list[Generator[int, None, None]] = []
    few: Annotated[Iterable[int], Field(max_length=2)] = []


@pytest.mark.parametrize(
    "kind",
    [
        Iterable[int],
        Iterator[int],
        Generator[int, None, None],
        collections.abc.Iterator[int],
        Annotated[Iterator[int], Field(min_length=1)],
        Iterator[int] | None,
    ],
)
def test_iterables_are_lists(kind):
    """What can be iterated over is read as a list: validated, and there when the answer is delivered."""
    assert validate("[1, 2]", kind).value == [1, 2]
    assert places(kind, '[1, "a"]') == [("schema.type", "/1")]
    assert places(kind, '{"a": 1}') == [("schema.type", "")]


def test_iterables_in_types():
    """The same in fields, nested in other types, and with bounds; the record holds them without a warning."""
    outcome = validate('{"numbers": [1], "nested": [[2], []]}', Holder)
    assert (outcome.value.numbers, outcome.value.nested) == ([1], [[2], []])
    assert outcome.to_dict()["value"] == {"numbers": [1], "nested": [[2], []], "few": []}
    bad = '{"numbers": [1, null], "nested": [[2], ["x"]], "few": [1, 2, 3]}'
    assert places(Holder, bad) == [
        ("schema.type", "/numbers/1"),
        ("schema.type", "/nested/1/0"),
        ("schema.maxItems", "/few"),
    ]
    assert validate("[[1], [2]]", list[Iterator[int]]).value == [[1], [2]]
    assert validate('{"a": [1]}', dict[str, Iterator[int]]).value == {"a": [1]}
    assert places(dict[str, Iterator[int]], '{"a": ["x"]}') == [("schema.type", "/a/0")]
    assert validate('["x", 1]', Iterator).value == ["x", 1]


def test_what_pydantic_refuses_stays_a_config_error():
    """An async iterable is nothing that an answer could be."""
    with pytest.raises(ConfigError, match="AsyncIterable"):
        validate("[1]", AsyncIterable[int])


# -- what validators raise


def look_up(value: Any) -> Any:
    return {"known": 1}[value]


def look_up_wrapped(value: Any, handler: Any, info: Any) -> Any:
    assert info.mode == "json"
    return look_up(handler(value))


@pytest.mark.parametrize(
    "annotation",
    [AfterValidator(look_up), BeforeValidator(look_up), PlainValidator(look_up), WrapValidator(look_up_wrapped)],
)
def test_what_a_validator_raises(annotation):
    """Whatever it raises is a finding at the value's place, with the exception as cause; the other fields are judged."""
    kind = {"a": Annotated[Any, annotation], "b": int}
    model = type("Model", (BaseModel,), {"__annotations__": kind})
    outcome = validate('{"a": "unknown", "b": "x"}', model)
    first, second = outcome.findings
    assert (first.code, first.path, first.message) == ("schema.validator", "/a", "raised KeyError: 'unknown'")
    assert (second.code, second.path) == ("schema.type", "/b")
    assert isinstance(outcome.cause, KeyError)
    assert outcome.reason == "contract.refused"


class Ticket(BaseModel):
    title: str
    ratio: Annotated[int, AfterValidator(lambda value: 10 // value)] = 1


def test_a_validator_that_raises_is_asked_again():
    """The model is told at which place what was raised, and may answer better."""
    model = ScriptedModel(['{"title": "a", "ratio": 0}', '{"title": "a", "ratio": 5}'])
    assert Guarded(Ticket).call(model, "go") == Ticket.model_construct(title="a", ratio=2)
    asked = model.calls[1][-1]["content"]
    assert (
        "- `/ratio`: `raised ZeroDivisionError: integer division or modulo by zero` (schema.validator); got `0`"
        in asked
    )


def test_the_last_refusal_says_what_was_raised():
    """`Rejected` comes from the validator's own exception, also out of a broken answer that had to be mended."""
    for answer in ('{"title": "a", "ratio": 0}', "Sure! {title: 'a', ratio: 0}"):
        with pytest.raises(Rejected) as refused:
            Guarded(Ticket, on_fail=Raise()).call(ScriptedModel([answer]), "go")
        assert isinstance(refused.value.__cause__, ZeroDivisionError)
        assert type(refused.value) is Rejected


def test_a_stream_does_not_break():
    """A validator that raises refuses a streamed answer as any other."""
    stream = Guarded(Ticket, on_fail=Raise()).stream(ScriptedModel(['{"title": "a", "ratio": 0}']), "go")
    with pytest.raises(Rejected) as refused:
        list(stream)
    assert isinstance(refused.value.__cause__, ZeroDivisionError)


def kind_of(value: Any) -> str:
    return value["kind"].lower()


class Cat(BaseModel):
    kind: str


class Dog(BaseModel):
    kind: str
    age: int


Pet = Annotated[Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(kind_of)]


def test_what_a_discriminator_raises():
    """A callable discriminator is a function of the user's, too; what it raises has its place in the list."""
    assert validate('[{"kind": "CAT"}]', list[Pet]).value == [Cat(kind="CAT")]
    outcome = validate('[{"kind": "cat"}, {"kind": 3}, {"kind": "dog", "age": "x"}, {}]', list[Pet], reading="strict")
    assert [(f.code, f.path) for f in outcome.findings] == [
        ("schema.validator", "/1"),
        ("schema.type", "/2/age"),
        ("schema.validator", "/3"),
    ]
    assert isinstance(outcome.cause, AttributeError)


class Initialised(BaseModel):
    a: int

    def model_post_init(self, context: Any) -> None:
        look_up(self.a)


class Overridden(BaseModel):
    a: int

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        look_up(self.a)


@dataclasses.dataclass
class Classic:
    a: int

    def __post_init__(self) -> None:
        look_up(self.a)


class Unhashable(str):
    __slots__ = ()

    def __hash__(self) -> int:
        raise RuntimeError("no hash")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Initialised, '{"a": 1}'),
        (Overridden, '{"a": 1}'),
        (Classic, '{"a": 1}'),
        (set[Annotated[str, AfterValidator(Unhashable)]], '["a"]'),
        (Annotated[int, AfterValidator(raising(PydanticOmit()))], "1"),
        (Annotated[int, AfterValidator(raising(PydanticUseDefault()))], "1"),
    ],
)
def test_what_a_class_raises(kind, text):
    """What a class does to its own instances judges the answer as well; the place is the whole where none is known."""
    outcome = validate(text, kind)
    assert [(f.code, f.path) for f in outcome.findings] == [("schema.validator", "")]
    assert outcome.cause is not None


def test_text_that_raises():
    """An exception whose text cannot be had is told by its name."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("mute")

    assert only(Annotated[int, AfterValidator(raising(Mute()))], "1").message == "raised Mute"


def test_validators_run_once():
    """An exception is located without running anything a second time."""
    seen = []

    def note(value: int) -> int:
        seen.append(value)
        return look_up(value)

    assert not validate("[1, 2]", list[Annotated[int, AfterValidator(note)]], reading="strict").ok
    assert seen == [1, 2]


def test_signals_pass():
    """What pydantic takes for a signal stays one, and so does what asks the program to end."""
    omitting = list[Annotated[int, AfterValidator(lambda value: value or raising(PydanticOmit())())]]
    assert validate("[1, 0, 2]", omitting).value == [1, 2]
    with pytest.raises(KeyboardInterrupt):
        validate("1", Annotated[int, AfterValidator(raising(KeyboardInterrupt()))])


def test_recursion_without_end():
    """A validator that runs out of stack is a limit, as a document that is nested too deeply."""
    assert only(Annotated[int, AfterValidator(raising(RecursionError()))], "1").code == "limit.depth"


def endless(value: Any) -> Any:
    return endless(value)


class Tree(BaseModel):
    children: "list[Tree]" = []

    @field_validator("children", mode="wrap")
    @classmethod
    def as_they_come(cls, value: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(value)


def test_a_validator_that_calls_itself_for_ever():
    """Its own recursion is what it raises, told at its place and with its cause; the depth of a document that its
    validators share is a limit of the document."""
    outcome = validate('{"a": 1}', dict[str, Annotated[int, AfterValidator(endless)]])
    assert [(f.code, f.path) for f in outcome.findings] == [("schema.validator", "/a")]
    assert isinstance(outcome.cause, RecursionError)
    deep = '{"children": [' * 190 + "]}" * 190
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 250)
    try:
        outcome = validate(deep, Tree, limits=Limits(depth=1000))
    finally:
        sys.setrecursionlimit(before)
    assert [f.code for f in outcome.findings] == ["limit.depth"]


class Stamped(BaseModel):
    title: str
    stamp: str = Field(default_factory=raising(OSError("no clock")))


class Derived(BaseModel):
    title: str
    short: str = Field(default_factory=lambda data: data["name"][:3])


@pytest.mark.parametrize(("kind", "cause"), [(Stamped, OSError), (Derived, KeyError), (list[Stamped], OSError)])
def test_a_default_factory_that_raises(kind, cause):
    """No answer can mend a default: it is not asked again, no policy applies, and the call raises `GuardFailed`."""
    text = '[{"title": "a"}]' if kind == list[Stamped] else '{"title": "a"}'
    outcome = validate(text, kind)
    assert [f.code for f in outcome.findings] == ["schema.failed"]
    assert (outcome.ok, outcome.value, outcome.reason) == (False, None, "schema.failed")
    assert isinstance(outcome.cause, cause)
    model = ScriptedModel([text] * 3)
    with pytest.raises(GuardFailed) as failed:
        Guarded(kind, on_fail=Reask(times=2).then(Noop())).call(model, "go")
    assert isinstance(failed.value.__cause__, cause)
    assert (failed.value.code, len(model.calls)) == ("schema.failed", 1)


def test_a_default_factory_is_no_validators_affair():
    """What a factory raises is no finding even below a validator that catches what it can."""

    def tolerant(value: Any, handler: Any) -> Any:
        try:
            return handler(value)
        except ValueError:
            return None

    assert only(Annotated[Stamped, WrapValidator(tolerant)], '{"title": "a"}').code == "schema.failed"


def test_a_computed_field_that_raises():
    """A value that has no JSON form does not take the record with it."""

    class Summed(BaseModel):
        a: int

        @computed_field  # type: ignore[prop-decorator]
        @property
        def half(self) -> float:
            raise AttributeError("nothing")

    outcome = validate('{"a": 1}', Summed)
    assert outcome.ok
    assert outcome.to_dict()["value"] == "<Summed without a JSON form: AttributeError>"
    assert outcome.to_dict(content=False)["value"].keys() == {"length", "sha256"}


def test_unions_are_told_apart_by_position():
    """Members of one name do not mix up what was wrong with which: the one that comes nearer is told."""
    one = type("Same", (BaseModel,), {"__annotations__": {"kind": str, "a": int}})
    two = type("Same", (BaseModel,), {"__annotations__": {"kind": str, "a": list[int]}})
    assert places(one | two, '{"kind": "x", "a": [1, "y"]}') == [("schema.type", "/a/1")]
