"""A guard's options: what it was made with, and so what it is compared, told and made again by."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import functools
import inspect
import math
import pickle
import threading
import typing
from abc import ABC
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

import guards.checks
from guards import ConfigError, Fix, Guard, Guarded, Reask, check, validate
from guards.checks import (
    Cascade,
    Classifier,
    Criterion,
    Entailment,
    Intent,
    Judge,
    Language,
    Length,
    OneOf,
    Pattern,
    PromptInjection,
    Range,
    SelfConsistency,
    Sentiment,
    Similarity,
    Topic,
    Toxicity,
)
from guards.checks.calibrated.provenance import difference, provenance
from guards.checks.options import parameters
from guards.contracts.compiled import compile_contract
from guards.values.sameness import Itself, key_of


def client(messages):
    return "[]"


def scores(texts):
    return [[0.5] for _ in texts]


def empty(value, context):
    return None if value else "is empty"


@check
def not_empty(value, context):
    return None if value else "is empty"


def annotated(guard: Guard) -> Any:
    """`Annotated[int, guard]`, made anew: typing hands out the type it made of an equal guard."""
    return typing._AnnotatedAlias(int, (guard,))


EXAMPLES = {"billing": ["a refund", "the invoice"], "delivery": ["my parcel", "delay"]}
CATALOGUE = [
    Cascade(Length(max=9), Length(max=3), band=(0.2, 0.8)),
    Cascade(Length(max=9), Judge("is short", client=client), band=[0.2, 0.8], name="both"),
    Classifier(scores, forbid={"toxic": 0.4}),
    Entailment("mail", per="answer", threshold=0.7, encoder=False),
    Guard(name="nothing", timeout=2),
    Intent(EXAMPLES, allow="billing"),
    Judge([Criterion("tone", "is polite")], client=client, needs="mail"),
    Language("en", "de", model=scores, least=3),
    Length(min=1, unit="words"),
    OneOf(["a", 1, None, True], name="kind"),
    Pattern("a+", forbid=True, replace="-"),
    PromptInjection(source="page"),
    Range(min=Decimal(1), clamp=True),
    SelfConsistency(3, client=client, by="value"),
    Sentiment(require="positive"),
    Similarity(["a", "b"], by="sentence"),
    Topic(["billing", "delivery"], forbid="billing"),
    Toxicity(labels=["insult"], on_fail=Fix().then(Reask())),
    not_empty,
]


def named(guard: Guard) -> str:
    return type(guard).__name__


class Limit(Guard):
    """The plainest guard with an option."""

    def __init__(self, limit: Any = 3, **options: Any) -> None:
        self.limit = limit
        super().__init__(**options)

    def check(self, value, context):
        return "too much" if value > self.limit else None


# -- options -----------------------------------------------------------------------------------------------------------


def test_the_catalogue_is_whole():
    """Every public guard stands among those that are tried below."""
    public = {getattr(guards.checks, name) for name in guards.checks.__all__}
    kinds = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Guard)}
    assert not [kind for kind in kinds if not any(isinstance(guard, kind) for guard in CATALOGUE)]


@pytest.mark.parametrize("guard", CATALOGUE, ids=named)
def test_a_guard_is_made_again_by_its_options(guard):
    """Its options name what its constructor takes, and make an equal guard; one with another name is another."""
    assert set(parameters(type(guard))) <= set(guard.options)
    twin = type(guard)(**guard.options)
    assert (twin, hash(twin), repr(twin)) == (guard, hash(guard), repr(guard))
    assert twin.options == guard.options
    other = type(guard)(**{**guard.options, "name": "other"})
    assert other != guard
    assert sum(guard == one for one in CATALOGUE) == 1


@pytest.mark.parametrize("guard", CATALOGUE, ids=named)
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g))])
def test_a_copy_is_equal(guard, copied):
    """Copied or pickled, a guard tells the same options, is equal and has the same hash."""
    twin = copied(guard)
    assert (twin, hash(twin), twin.options) == (guard, hash(guard), guard.options)


def test_options_are_as_given_or_by_default():
    """By position or name, what was given stands there as it was given, and the rest has its default."""
    assert Limit(4, name="most").options == {"limit": 4, "name": "most"}
    assert Pattern("a").options == {
        "regex": "a", "match": None, "forbid": False, "replace": None, "ignore_case": False,
        "name": None, "on_fail": None, "on_error": None, "unreadable": None, "timeout": None,
    }  # fmt: skip
    assert Language("en", "de", model=scores).options["languages"] == ("en", "de")
    assert Language(languages="en", model=scores) == Language("en", model=scores)
    with pytest.raises(TypeError):
        Limit().options["limit"] = 5


def test_what_is_said_of_a_signature_is_true():
    """A class says what its constructor takes, also where it has none of its own, before and after it was used."""

    class Plain(Guard):
        pass

    class Words(Guard):
        def __init__(self, *words, least: int = 1, **options):
            super().__init__(**options)

    for _ in range(2):
        assert list(inspect.signature(Plain).parameters) == ["name", "on_fail", "on_error", "unreadable", "timeout"]
        assert list(inspect.signature(Limit).parameters) == ["limit", "options"]
        assert list(parameters(Words)) == ["words", "least", "name", "on_fail", "on_error", "unreadable", "timeout"]
        assert Words("a", "b").options == {"words": ("a", "b"), "least": 1}
        assert Words(words=["a", "b"], name="w") == Words("a", "b", name="w")
        Plain()
    with pytest.raises(TypeError):
        Limit(limt=3)


# -- equality ----------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats() | st.text(max_size=1) | st.binary(max_size=1)
    | st.sampled_from([Decimal(1), Decimal("1.0"), dt.date(2024, 1, 1), Path("a"), int, bool, len, Fix(), Reask()]),
    lambda inner: st.lists(inner, max_size=2) | st.lists(inner, max_size=2).map(tuple)
    | st.dictionaries(st.text(max_size=1) | st.integers(0, 1) | st.booleans(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


def same(one: Any, other: Any) -> bool:
    """A slow, independent answer: the same types all the way down, the same content."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same([*one.items()], [*other.items()])
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or (
            one == other and math.copysign(1, one) == math.copysign(1, other)
        )
    return str(one) == str(other) if isinstance(one, Decimal) else bool(one == other)


@given(VALUES, VALUES)
def test_equal_options_make_equal_guards_and_no_others(one, other):
    """Guards are equal, with one hash, where their options are of the same types and content, and nowhere else."""
    left, right = Limit(one), Limit(other)
    assert (left == right) is same(one, other)
    assert Limit(one) == Limit(copy.deepcopy(one))
    if left == right:
        assert hash(left) == hash(right)


@dataclass
class Frame:
    """What compares to no bool."""

    rows: int

    def __eq__(self, other):
        raise ValueError("the truth value of a frame is ambiguous")

    __hash__ = None


class Colour(Enum):
    RED = 1
    BLUE = 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True), (1, 1.0), (0, False), (0.0, -0.0), ("a", b"a"), ([1], (1,)), ([1], [True]), ({1}, {True}),
        ({"a": 1}, {"a": True}), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (Decimal("1.0"), Decimal("1.00")),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))),
        (lambda v: v, lambda v: v), (Frame(1), Frame(2)), (np.zeros(2), np.zeros(2)), (Colour.RED, Colour.BLUE),
        (Colour.RED, 1), (Literal[1], Literal[True]), (int | str, str | int), (object(), object()), (list, list[int]),
        (threading.Lock(), threading.Lock()), (Limit(1), Limit(True)), (not_empty, check(lambda value: None)),
    ],
)  # fmt: skip
def test_unequal_options(one, other):
    """Whatever an option is, guards with different ones differ, and a guard never asks an option how it compares."""
    assert Limit(one) != Limit(other)
    assert Limit([one]) != Limit([other])
    assert Limit(one) == Limit(one)
    assert len({Limit(one), Limit(other), Limit(one)}) == 2


def test_derived_attributes_do_not_count():
    """Closures, locks, caches and doc strings that a guard makes of its options, or later on, leave it equal."""

    class Busy(Guard):
        def __init__(self, limit):
            self.test = lambda value: value > limit
            self.lock = threading.Lock()

        @functools.cached_property
        def table(self):
            return {1: self.lock}

    one, other = Busy(1), Busy(1)
    assert one.table
    one.__doc__ = "Not too much."
    assert one == other
    assert hash(one) == hash(other)
    assert one != Busy(2)
    assert Busy(2) != Busy(2.0)


def test_what_is_set_afterwards_counts():
    """Attributes set, deleted or changed within after the constructor make another guard, and the hash stays."""

    class Plain(Guard):
        def __init__(self):
            self.seen = []

    one, other = Plain(), Plain()
    before = hash(one)
    assert one == other
    one.limit, other.limit = 1, True
    assert one != other
    other.limit = 1
    assert one == other
    one.seen.append("x")
    assert one != other
    assert pickle.loads(pickle.dumps(Limit(2))) == Limit(2)
    moved = copy.copy(Limit(2))
    moved.limit = 5
    assert moved != Limit(2)
    assert "limit=5" in repr(moved)
    thawed = pickle.loads(pickle.dumps(Limit((2, 3))))
    thawed.limit = (2, 4)
    assert thawed != Limit((2, 3))
    del moved.limit
    assert moved != Limit(2)
    assert hash(one) == before


def test_an_option_that_changed_later():
    """A list that its owner changes afterwards makes the guard another one, whether it kept the list or a copy."""

    class Copies(Guard):
        def __init__(self, words):
            self.words = tuple(words)

    class Hides(Guard):
        def __init__(self, words):
            self.test = lambda value: value in words

    for kind in (Limit, Copies, Hides):
        words = ["a"]
        guard = kind(words)
        words.append("b")
        assert guard != kind(["a"])
        assert guard != kind(["a", "b"])
        assert guard in {guard}


class Slotted(Guard):
    __slots__ = ("__most", "least")

    def __init__(self, least: int, most: int = 9) -> None:
        self.least = least
        self.__most = most


@dataclass
class Most(Guard):
    most: int


@dataclass(frozen=True)
class Frozen(Guard):
    most: Any


@dataclass(frozen=True, slots=True)
class Tight(Guard):
    most: int
    least: int = 0


@dataclass(unsafe_hash=True)
class Unsafe(Guard):
    most: int


@dataclass
class Mixin:
    most: int


class Mixed(Mixin, Guard):
    pass


class Abstract(Guard, ABC):
    def __init__(self, most):
        pass


class General(Guard, typing.Generic[typing.TypeVar("T")]):
    def __init__(self, most):
        super().__init__(name="general")


@pytest.mark.parametrize("kind", [Slotted, Most, Frozen, Tight, Unsafe, Mixed, Abstract, General, General[int]])
def test_guards_of_any_make(kind):
    """With slots, as a dataclass, with mixins, without `super().__init__`: options are known, and 1 is not True."""
    one = kind(1)
    assert (one, hash(one)) == (kind(1), hash(kind(1)))
    assert len({kind(1), kind(True), kind(1.0), kind(2), kind(1)}) == 4
    assert one.options[next(iter(one.options))] == 1
    assert type(one)(**one.options) == one
    assert copy.copy(one) == one
    assert pickle.loads(pickle.dumps(one)).options in (one.options, None)


def test_one_that_cannot_tell_equals_itself_alone():
    """No constructor ran, or an option can be looked at once only: such a guard is no other's equal."""

    class Iterates(Guard):
        def __init__(self, words):
            self.words = list(words)

    words = iter("ab")
    for one, other in (
        (object.__new__(Limit), object.__new__(Limit)),
        (Iterates(words), Iterates(words)),
        (OneOf(x for x in "ab"), OneOf(x for x in "ab")),
    ):
        assert one.options is None
        assert one != other
        assert len({one, other, one}) == 2
        assert repr(one)
        with pytest.raises(ConfigError, match="cannot tell with which options it was made"):
            provenance(one)


def test_an_own_equality_is_kept():
    """A class that says itself when it is equal is not overruled, nor are those below it."""

    class Loose(Guard):
        def __init__(self, limit):
            pass

        def __eq__(self, other):
            return isinstance(other, Loose)

        def __hash__(self):
            return 1

    class Below(Loose):
        pass

    assert Loose(1) == Loose(2)
    assert Below(1) == Below(2)
    assert hash(Below(1)) == 1


def test_what_stays_behind_does_not_keep_a_guard():
    """A guard that leaves a lock and a client behind pickles; what it left makes it one that cannot tell."""
    twin = pickle.loads(pickle.dumps(Leaving(2, threading.Lock())))
    assert (twin.limit, twin.options) == (2, None)
    kept = Leaving(2, None)
    assert pickle.loads(pickle.dumps(kept)) == kept


class Leaving(Guard):
    def __init__(self, limit, lock):
        self.limit = limit
        self.lock = lock or threading.Lock()

    def __getstate__(self):
        return {key: value for key, value in self.__dict__.items() if key != "lock"}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.lock = threading.Lock()


def test_an_attribute_called_options():
    """A guard of one's own may have an attribute of that name; it is compared as any other."""

    class Menu(Guard):
        def __init__(self, options):
            self.options = sorted(options)

    assert Menu({"a"}).options == ["a"]
    assert Menu({"a"}) == Menu({"a"}) != Menu({"b"})


def test_functions_as_guards():
    """A function is one guard by the same function and options; its doc string is no option."""
    assert check(empty) == check(empty) != check(cost=1)(empty)
    assert check(empty) != check(lambda value, context: None)
    assert check(cost=1)(empty) != check(cost=2)(empty)
    documented = check(empty)
    documented.__doc__ = "Another."
    assert documented == check(empty)


def test_a_changed_copy_has_the_changed_option():
    """A calibrated threshold is an option of the copy, slots go along, and nothing else is told otherwise."""
    from guards.checks.base import changed

    assert changed(Toxicity(name="t"), threshold=0.25) == Toxicity(name="t", threshold=0.25)
    assert changed(Slotted(1), most=2) == Slotted(1, 2)
    assert changed(Slotted(1), most=2).least == 1
    assert changed(Limit(1), other=2).options is None
    late = Limit(1)
    late.limit = 2
    assert changed(late, limit=3) == Limit(3)


# -- provenance --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (OneOf(["a"]), OneOf(["b"])), (OneOf([1]), OneOf([True])), (OneOf([Colour.RED]), OneOf([Colour.BLUE])),
        (Range(min=1), Range(min=1.0)), (Range(min=Decimal(1)), Range(min=Decimal(2))), (Limit(b"a"), Limit(b"b")),
        (Range(min=dt.date(2024, 1, 1)), Range(min=dt.date(2024, 1, 2))), (Limit({1: 2}), Limit({"1": 2})),
        (Slotted(1), Slotted(2)), (Tight(1), Tight(2)), (Limit(Limit(1)), Limit(Limit(2))),
        (Cascade(Length(max=1), Toxicity(threshold=0.4), band=(0, 1)),
         Cascade(Length(max=1), Toxicity(threshold=0.5), band=(0, 1))),
    ],
)  # fmt: skip
def test_provenance_tells_options_apart(one, other):
    """A calibration made with one guard does not hold for another, whatever kind of option differs."""
    from guards.records import plain

    assert difference(plain(provenance(one)), provenance(other)) is not None
    assert difference(plain(provenance(one)), provenance(one)) is None


# -- the kept contracts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Limit(1), Limit(True)), (Slotted(1), Slotted(2)), (Limit(lambda v: 1), Limit(lambda v: 2)), (Most(1), Most(True)),
        (Limit(1), Limit(1)), (check(empty), check(empty)),
    ],
)  # fmt: skip
def test_a_contract_holds_the_guards_of_its_type(one, other):
    """Types with different guards get contracts with the very guards that stand in them, with equal ones at least with
    equal ones: pydantic makes types anew, and typing hands out what it made of an equal guard."""
    for wrap in (lambda t: t, lambda t: list[t], lambda t: dict[str, t]):
        for format_ in (None, "xml"):
            found = [compile_contract(wrap(annotated(guard)), format_).all_inner_guards for guard in (one, other, one)]
            assert [guard for (guard,) in found] == [one, other, one]
            if one != other:
                assert [id(guard) for (guard,) in found] == [id(one), id(other), id(one)]
        assert compile_contract(wrap(annotated(one))) is compile_contract(wrap(annotated(one)))


class Says(Guard):
    """Says that it equals everything."""

    def __init__(self, words):
        self.words = words

    def check(self, value, context):
        return self.words

    def __eq__(self, other):
        return isinstance(other, Says)

    def __hash__(self):
        return 1


def test_a_lying_guard_does_not_serve_another():
    """An equality of one's own, by which typing may mix up types, mixes up no contracts."""
    one, other = Says("one"), Says("other")
    first, second = list[Annotated[str, one]], list[Annotated[str, 0, other]]
    assert validate('["x"]', first).findings[0].message == "one"
    assert validate('["x"]', second).findings[0].message == "other"
    assert compile_contract(Annotated[int, Field(le=1)]) is not compile_contract(Annotated[int, Field(le=True)])
    assert not validate("5", Annotated[int, Limit(4)]).ok
    assert Guarded(Annotated[int, Limit(1)]) != Guarded(Annotated[int, Limit(True)])


# -- keys of values ----------------------------------------------------------------------------------------------------


@given(VALUES)
def test_a_key_is_hashable_and_travels(value):
    """Every value has a key that can be hashed, and one that comes from another process has the same."""
    key = key_of(value)
    assert hash(key) == hash(key_of(value))
    assert key_of(pickle.loads(pickle.dumps(value))) == key


def test_a_value_within_itself():
    """A list that holds itself, or is nested without end, has a key."""
    inner: list[Any] = []
    inner.append(inner)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert key_of(inner) == key_of(inner)
    assert key_of(deep) == Itself(deep) != Itself([deep])


@dataclass
class Settings:
    shown: int
    hidden: int = dataclasses.field(compare=False)


@dataclass
@dataclass(frozen=True)
class Bar:
    sameness: float = 0.5


class Nearly(Guard):
    sameness = 0.8

    def __init__(self, bar=Bar()):
        super().__init__()
        self.bar = bar

    def check(self, value, context=None):
        return None


def test_an_attribute_of_any_name_is_a_guard_s_own():
    """Nothing that an author calls `sameness` is taken for the library's."""
    assert key_of(Bar()) == key_of(Bar())
    assert key_of(Bar()) != key_of(Bar(0.6))
    assert Nearly() == Nearly(Bar())
    assert Nearly() != Nearly(Bar(0.6))
    assert validate('"x"', Annotated[str, Nearly()]).scores == {"nearly": 1.0}


class Worked(list):  # type: ignore[type-arg]  # what it holds lies past its fields
    shown: int = 0


def test_what_a_dataclass_leaves_out_of_its_own_comparison_counts():
    """A guard may go by any field, and by what was set beside them: guards that differ in one differ."""
    assert Limit(Settings(0, 0)) == Limit(Settings(0, 0))
    assert Limit(Settings(0, 0)) != Limit(Settings(0, 1))
    marked = Settings(0, 0)
    marked.more = 1  # type: ignore[attr-defined]
    assert Limit(marked) != Limit(Settings(0, 0))
    full = Worked()
    full.append(1)
    assert Limit(full) != Limit(Worked())
    low, high = (Annotated[int, Limit(Settings(0, most))] for most in (0, 1))
    assert low != high
