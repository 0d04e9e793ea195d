"""Below a validator that runs before pydantic's own, types read the JSON form of their values, as without it."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import pathlib
import uuid
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Counter, Literal, NamedTuple, Optional, OrderedDict, Union

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    InstanceOf,
    Json,
    RootModel,
    SecretStr,
    TypeAdapter,
    WrapValidator,
    model_validator,
)
from typing_extensions import TypedDict

from guards import validate
from guards.contracts.typed.contract import Typed


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 3


class Stay(BaseModel):
    a: dt.date
    b: int = 0


class Aliased(BaseModel):
    model_config = ConfigDict(extra="allow")
    on: dt.datetime = Field(alias="a", default=dt.datetime(2020, 1, 1))  # noqa: DTZ001  # as the JSON has it


class Encoded(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64")
    a: bytes


class Lax(BaseModel):
    a: Annotated[int, Field(strict=False)]
    b: decimal.Decimal | None = None


class Typing(TypedDict, total=False):
    a: dt.date
    b: uuid.UUID


@dataclasses.dataclass
class Classic:
    a: dt.date
    b: tuple[int, ...] = ()


class Pair(NamedTuple):
    a: int
    b: dt.date = dt.date(2020, 1, 1)


class Tree(BaseModel):
    a: dt.date | None = None
    kids: list["Tree"] = []


class Days(RootModel[set[dt.date]]):
    pass


class Cat(BaseModel):
    a: Literal["red"]
    on: dt.date | None = None


class Dog(BaseModel):
    a: Literal["blue"]
    kids: set[int] = set()


def same(value: Any) -> Any:
    return value


identity = BeforeValidator(same)
around = WrapValidator(lambda value, handler: handler(value))

leaves = st.sampled_from(
    [
        *(int, float, bool, str, type(None), Any, bytes, complex, object, Hashable),
        *(dt.date, dt.datetime, dt.time, dt.timedelta, AwareDatetime, decimal.Decimal, uuid.UUID),
        *(Colour, Size, Literal["red", 1], Literal[Colour.RED]),
        *(pathlib.Path, ipaddress.IPv4Address, ipaddress.IPv6Network, HttpUrl, SecretStr, ByteSize),
        *(Json[dt.date], Json[list[int]]),
        *(Stay, Aliased, Encoded, Lax, Typing, Classic, Pair, Tree, Days),
        *(Annotated[Cat | Dog, Field(discriminator="a")], Stay | Aliased, int | str),
        Annotated[decimal.Decimal, Field(max_digits=3)],
        Annotated[dt.date, Field(gt=dt.date(2024, 1, 1))],
        Annotated[dt.date, AfterValidator(same)],
        Annotated[dt.date, Field(strict=False)],
        Annotated[str, Field(pattern="^2")],
    ]
)
keys = st.sampled_from(
    [
        *(str, int, float, bool, dt.date, Colour, Size, uuid.UUID, decimal.Decimal, bytes, Any, pathlib.Path),
        *(Literal["a", 1], int | str, Annotated[str, Field(max_length=2)]),
    ]
)


def containers(inner: Any) -> Any:
    pairs = st.tuples(inner, inner)
    entries = st.tuples(keys, inner)
    return st.one_of(
        *(inner.map(lambda t, kind=kind: kind[t]) for kind in (list, set, frozenset, collections.deque)),
        *(inner.map(lambda t, kind=kind: kind[t]) for kind in (Sequence, Iterable, Optional)),
        inner.map(lambda t: tuple[t, ...]),
        pairs.map(lambda both: tuple[both[0], both[1]]),
        *(entries.map(lambda both, kind=kind: kind[both]) for kind in (dict, Mapping, OrderedDict)),
        keys.map(lambda t: Counter[t]),
        pairs.map(lambda both: Union[both]),  # noqa: UP007  # of what is not known here
        pairs.filter(lambda both: both[0] != both[1])
        .map(
            lambda both: Annotated[Union[both], Field(union_mode="left_to_right")]  # noqa: UP007  # as above
        )
        .filter(is_one),
        inner.map(lambda t: Annotated[t, identity]),
        inner.map(lambda t: Annotated[t, around]),
    )


def is_one(kind):
    """Whether pydantic takes it for a union: before 2.14 it does not where both members come to the same."""
    try:
        TypeAdapter(kind)
    except RuntimeError:
        return False
    return True


types = st.recursive(leaves, containers, max_leaves=4)

scalars = st.sampled_from(
    [
        *("2024-05-31", "2024-05-31T00:00:00", "2024-05-31T10:00:00Z", "10:30", "P1D", "1717113600", "36.6", "3", "1"),
        *("true", "red", "a", "ab", "1/2", "1+2j", "127.0.0.1", "::1/128", "https://example.com/", "5 KB", "Zm9v", ""),
        *("7b2bd1e6-6d5a-4c7e-9c4e-0d5a1e5c9f10", "[1, 2]", '"2024-05-31"', "é"),
        *(1, 0, 3, -1, 2.5, 1.0, 36.6, 1717113600, 10**20, True, False, None),
    ]
)
names = st.sampled_from(["a", "b", "on", "kids", "1", "1.5", "red", "2024-05-31", "true", "x"])
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=5
)


def shape(value: Any) -> Any:
    """A value with the types of all its parts, for comparison."""
    if isinstance(value, BaseModel):
        return type(value).__name__, shape(dict(value.__dict__)), shape(value.model_extra), value.model_fields_set
    if dataclasses.is_dataclass(value):
        return type(value), shape(value.__dict__)
    if isinstance(value, set | frozenset):
        return type(value), sorted(repr(shape(item)) for item in value)
    if isinstance(value, dict):
        return type(value), [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | collections.deque):
        return type(value), [shape(item) for item in value]
    return type(value), value.get_secret_value() if isinstance(value, SecretStr) else repr(value)


def judged(kind: Typed[Any], text: str) -> Any:
    reading = kind.read(text, "strict")
    return shape(reading.value) if reading.ok else [(f.code, f.path, f.message) for f in reading.findings]


class Seen:
    def __repr__(self) -> str:
        return "seen"


SEEN = Seen()


def models(kind: Any) -> tuple[type[BaseModel], type[BaseModel], type[BaseModel]]:
    """A model as it is; one whose validator hands on what came; and one whose validator adds an object of Python."""

    class Model(BaseModel):
        value: kind
        other: dt.date = dt.date(2020, 1, 1)
        seen: Any = SEEN

    plain = Model

    class Model(plain):  # type: ignore[no-redef]  # of one name, for messages
        @model_validator(mode="before")
        @classmethod
        def hand_on(cls, data: Any) -> Any:
            return data

    handing = Model

    class Model(plain):  # type: ignore[no-redef]  # as above
        seen: InstanceOf[Seen]

        @model_validator(mode="before")
        @classmethod
        def add(cls, data: Any) -> Any:
            return {**data, "seen": SEEN}

    return plain, handing, Model


def without_set(judgement: Any) -> Any:
    return judgement if isinstance(judgement, list) else judgement[:3]


@given(types, st.lists(documents, min_size=4, max_size=8))
@settings(suppress_health_check=list(HealthCheck), max_examples=100)
def test_validators_before_change_nothing(kind, values):
    """A validator that hands on what came gives the same verdict, value and findings as none, wherever it stands."""
    bare = Typed(kind)
    wrapped = [
        Typed(Annotated[kind, identity]),
        Typed(Annotated[kind, around]),
        Typed(Annotated[kind, around, identity]),
    ]
    plain, handing, adding = map(Typed, models(kind))
    for value in values:
        text = json.dumps(value)
        expected = judged(bare, text)
        assert [judged(one, text) for one in wrapped] == [expected] * 3
        inside = json.dumps({"value": value})
        assert judged(handing, inside) == judged(plain, inside)
        assert without_set(judged(adding, inside)) == without_set(judged(plain, inside))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (dt.date, "1717113600"),
        (dt.date, '"2024-05-31T00:00:00"'),
        (dt.datetime, "1717113600"),
        (dt.timedelta, "3"),
        (bool, "1"),
        (int, '"3"'),
        (int, "36.6"),
        (decimal.Decimal, "true"),
        (set[int], '{"a": 1}'),
        (uuid.UUID, '"x"'),
        (dict[bool, int], '{"perhaps": 1}'),
    ],
)
def test_no_more_than_strict_json(kind, text):
    """What strict JSON mode refuses is refused below a validator, too."""
    assert not validate(text, Annotated[kind, identity], reading="strict").ok
    assert not validate(text, kind, reading="strict").ok


class Visit(BaseModel):
    day: dt.date
    made: dt.datetime
    ids: set[uuid.UUID] = set()
    by: dict[int, decimal.Decimal] = {}
    where: pathlib.Path | None = None
    days: frozenset[dt.date] = frozenset()
    after: Optional["Visit"] = None

    @model_validator(mode="before")
    @classmethod
    def fill(cls, data: Any) -> Any:
        made = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
        return {"made": made, "where": pathlib.Path("/x"), "days": [made.date()], **data}


def test_objects_beside_json():
    """What a validator adds as an object of Python stands beside the JSON form of the rest, and defaults stay."""
    text = '{"day": "2024-05-31", "ids": ["7b2bd1e6-6d5a-4c7e-9c4e-0d5a1e5c9f10"], "by": {"1": "2.5"}, "after": {"day": "2024-06-01"}}'
    visit = validate(text, Visit, reading="strict").value
    assert (visit.day, visit.by, visit.where) == (dt.date(2024, 5, 31), {1: decimal.Decimal("2.5")}, pathlib.Path("/x"))
    assert visit.days == {dt.date(2024, 1, 1)}
    assert (visit.after.day, visit.after.ids, visit.after.made) == (dt.date(2024, 6, 1), set(), visit.made)
    bad = '{"day": 20240531, "ids": ["x"], "by": {"y": "2.5", "2": "z"}, "after": {"day": "2024-06-"}}'
    found = [(f.code, f.path) for f in validate(bad, Visit, reading="strict").findings]
    assert found == [
        ("schema.type", "/day"),
        ("schema.format", "/ids/0"),
        ("schema.type", "/by/y"),
        ("schema.type", "/by/2"),
        ("schema.format", "/after/day"),
    ]


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (dt.date, dt.date(2024, 1, 1), dt.date(2024, 1, 1)),
        (set[int], {1, 2}, {1, 2}),
        (pathlib.Path, pathlib.Path("x"), pathlib.Path("x")),
        (ipaddress.IPv4Address, ipaddress.ip_address("1.2.3.4"), ipaddress.ip_address("1.2.3.4")),
        (Sequence[int], (1, 2), (1, 2)),
        (Colour, Colour.RED, Colour.RED),
        (dict[dt.date, dt.date], {"2024-01-01": dt.date(2024, 1, 1)}, {dt.date(2024, 1, 1): dt.date(2024, 1, 1)}),
        (list[dt.date], [dt.date(2024, 1, 1), "2024-01-02"], [dt.date(2024, 1, 1), dt.date(2024, 1, 2)]),
        (InstanceOf[Seen], SEEN, SEEN),
    ],
)
def test_what_a_validator_makes(kind, given, value):
    """An object that a validator makes itself is taken as it is."""
    assert validate('"?"', Annotated[kind, BeforeValidator(lambda _: given)]).value == value
    assert validate('"?"', Annotated[kind, WrapValidator(lambda _, handler: handler(given))]).value == value


def test_the_config_around_stays():
    """A part of what a validator hands over keeps to the config of the model that it is a part of."""

    class Tidy(BaseModel):
        model_config = ConfigDict(str_strip_whitespace=True, str_max_length=3, val_json_bytes="base64", extra="allow")
        __pydantic_extra__: dict[str, dt.date]
        name: Annotated[str, identity]
        names: list[str]
        raw: bytes
        seen: InstanceOf[Seen]

        @model_validator(mode="before")
        @classmethod
        def add(cls, data: Any) -> Any:
            return {**data, "seen": SEEN}

    tidy = validate('{"name": " a ", "names": ["b "], "raw": "Zm9v", "on": "2024-05-31"}', Tidy, reading="strict").value
    assert (tidy.name, tidy.names, tidy.raw, tidy.on) == ("a", ["b"], b"foo", dt.date(2024, 5, 31))
    found = validate('{"name": "abcd", "names": ["abcd"], "raw": "Zm9v", "on": 3}', Tidy, reading="strict").findings
    assert [f.path for f in found] == ["/name", "/names/0", "/on"]
