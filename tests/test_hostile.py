"""Programs that do odd things: guards that give anything, decorators on anything, records of anything. Nothing hangs, and
nothing but the user's own exceptions comes out."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import decimal
import enum
import functools
import inspect
import itertools
import json
import math
import pickle
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from guards import (
    NO_FIX,
    Budget,
    Feedback,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Rejected,
    avalidate,
    check,
    validate,
)
from guards.contracts import JsonSchema, RelaxNG, Text, XmlSchema
from guards.driving.workers import calls
from guards.errors import BudgetExhausted, ConfigError, GuardFailed
from guards.reading.holding import as_document
from guards.records import Outcome, plain
from guards.testing import FixedScores, ScriptedModel

DATA = '{"a": 1}'
KIND = dict[str, int]


def guarded(function, **options):
    return Guarded(KIND, guards=[check(function)], **options)


# -- what guards give --------------------------------------------------------------------------------------------------

cycle: list = []
cycle.append(cycle)
round_dict: dict = {}
round_dict["a"] = round_dict
deep: list = []
for _ in range(5000):
    deep = [deep]
wide: list = [1]
for _ in range(40):
    wide = [wide, wide]


class Silent:
    """Says nothing of itself and compares with nothing."""

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("repr")

    def __eq__(self, other):
        raise RuntimeError("eq")


class Word(str):  # noqa: SLOT000  # as a user would write it
    """Text that says something else of itself."""

    __hash__ = None

    def __str__(self):
        raise RuntimeError("str")

    def __repr__(self):
        raise RuntimeError("repr")

    def __eq__(self, other):
        raise RuntimeError("eq")


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("str")

    __repr__ = __str__


ODD = {
    "a list in itself": cycle,
    "a dict in itself": round_dict,
    "deep": deep,
    "wide": wide,
    "nan": math.nan,
    "infinity inside": {"x": [math.inf]},
    "bytes": b"\xff",
    "an object": object(),
    "silent": Silent(),
    "a lock": threading.Lock(),
    "a generator": (n for n in ()),
    "a function": lambda: 1,
    "a long number": 10**5000,
    "a Decimal": decimal.Decimal("NaN"),
    "a date": dt.date(2020, 1, 1),
    "a set": {1, "a"},
    "keys of all kinds": {1: 2, "1": 3, None: 4, (1, 2): 5},
    "an exception": Mute(),
    "huge": "x" * 10_000_001,
    "a million": list(range(1_500_000)),
}


def put_to_the_test(outcome):
    """All that is done with a record."""
    written = outcome.to_json()
    json.loads(written, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    json.loads(outcome.to_json(content=False))
    outcome.summary()
    assert outcome == outcome  # noqa: PLR0124  # a part that cannot be compared would raise
    travelled = pickle.loads(pickle.dumps(outcome))
    assert travelled.to_json() == written
    assert copy.deepcopy(outcome).to_json() == written
    assert copy.copy(outcome) == outcome
    error = outcome.rejection()
    for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error), copy.copy(error)):
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.outcome.to_json() == written


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "huge"])
def test_evidence_of_any_kind_is_kept_as_plain_data(kind):
    """Whatever a guard puts into evidence, expected and actual, the record is written, compared, copied and sent."""
    thing = ODD[kind]

    def finds(value, context):
        return Finding("c", "m", path="/a", evidence=thing, expected=thing, actual=thing)

    put_to_the_test(validate(DATA, KIND, guards=[check(finds)]))
    put_to_the_test(guarded(finds).run(ScriptedModel([DATA] * 3), "?"))


@pytest.mark.parametrize("kind", [kind for kind in ODD if kind != "a million"])
def test_a_fix_that_no_document_can_hold_is_none(kind):
    """Such a fix is refused as no fix: the next policy applies, and the record is whole."""
    thing = ODD[kind]

    def finds(value, context):
        return Finding("c", "m", path="/a", fix=thing)

    outcome = Guarded(dict[str, object], guards=[check(finds)], on_fail=Fix().then(Raise())).run(
        ScriptedModel([DATA]), "?"
    )
    assert outcome.reason == "policy.raise"
    assert outcome.findings[0].fix is NO_FIX
    put_to_the_test(outcome)


class Size(enum.StrEnum):
    BIG = "big"


@pytest.mark.parametrize(
    ("fix", "held"),
    [
        (Size.BIG, "big"),
        ((1, 2), [1, 2]),
        (True, True),
        (None, None),
        (1.5, 1.5),
        ({"x": [{"y": None}]}, {"x": [{"y": None}]}),
    ],
)
def test_a_fix_in_plain_data_is_taken(fix, held):
    """What a document can hold is put there, as the plain data that it is."""

    def finds(value, context):
        return Finding("c", "m", path="/a", fix=fix) if value == {"a": "x"} else None

    outcome = Guarded(dict[str, object], guards=[check(finds)], on_fail=Fix()).run(ScriptedModel(['{"a": "x"}']), "?")
    assert outcome.value == {"a": held}
    assert type(outcome.value["a"]) is type(held)
    put_to_the_test(outcome)


json_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
anything = st.recursive(
    json_data | st.floats() | st.binary() | st.dates() | st.decimals() | st.just(cycle) | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.none(), inner, max_size=4)
        | st.sets(st.integers() | st.text(), max_size=4)
    ),
)


@given(json_data)
def test_plain_data_is_held_as_it_is(data):
    """A document holds every JSON value unchanged, as a copy."""
    held = as_document(data)
    assert held == data
    assert json.dumps(held) == json.dumps(data)


@given(anything)
def test_what_is_held_is_json(data):
    """What a document holds of a value of any kind is JSON, or nothing is held."""
    held = as_document(data)
    if held is not NO_FIX:
        json.dumps(held, allow_nan=False)


@given(anything)
def test_a_record_writes_any_value(data):
    """An outcome of any value becomes JSON, with its content and without, and travels."""
    outcome = Outcome(ok=True, value=data, text="x")
    assert json.loads(outcome.to_json())["ok"]
    json.loads(outcome.to_json(content=False))
    assert pickle.loads(pickle.dumps(outcome)).to_json() == outcome.to_json()


def test_no_key_is_lost_in_a_record():
    """Keys that are one text in JSON stay two members."""
    assert plain({1: "a", "1": "b", None: "c", "None": "d"}) == {"1": "a", "1#2": "b", "None": "c", "None#2": "d"}


def test_sets_are_written_alike_everywhere():
    """A set has the same order in each process, so that records of equal values are equal."""
    assert plain({"b", "a", "c"}) == ["a", "b", "c"]


def test_who_judges_a_value_does_not_judge_a_stand_in():
    """For guards, data without a JSON form is an error: what stands in for it in a record would pass."""
    with pytest.raises(ValueError, match="contains itself"):
        plain(cycle)


def forever(value, context):
    yield from itertools.repeat("bad")


def forever_nothing(value, context):
    yield from itertools.repeat(None)


async def async_forever(value, context):
    while True:
        yield "bad"


@pytest.mark.parametrize("rule", [forever, forever_nothing, async_forever, lambda value: map(str, itertools.count())])
def test_a_rule_that_yields_for_ever_has_failed(rule):
    """Past a number of findings the guard has failed, with and without a budget, in both colours."""
    outcomes = [
        validate(DATA, KIND, guards=[check(rule)]),
        asyncio.run(avalidate(DATA, KIND, guards=[check(rule)])),
        guarded(rule).run(ScriptedModel([DATA]), "?"),
        guarded(rule, budget=Budget(seconds=20)).run(ScriptedModel([DATA]), "?"),
    ]
    for outcome in outcomes:
        assert outcome.reason == "guard.failed"
        assert "more than 1000 findings" in outcome.findings[0].message


def test_a_message_without_end_is_cut_and_says_so():
    """A message of megabytes is kept to its beginning, with its length; a thousand findings are all kept."""
    outcome = validate(DATA, KIND, guards=[check(lambda value: "x" * 5_000_000)])
    (finding,) = outcome.findings
    assert len(finding.message) < 11_000
    assert finding.message.endswith("[cut here: 5000000 characters in all]")
    assert len(validate(DATA, KIND, guards=[check(lambda value: ["bad"] * 1000)]).findings) == 1000


def test_text_that_says_something_else_of_itself_is_text():
    """A subclass of str counts as the text that it is, in messages, codes and paths."""
    outcome = validate(DATA, KIND, guards=[check(lambda value: Finding(Word("c"), Word("m"), path=Word("/a")))])
    (finding,) = outcome.findings
    assert (finding.code, finding.message, finding.path) == ("c", "m", "/a")
    put_to_the_test(outcome)


@pytest.mark.parametrize("path", ["/" + "9" * 5000, "/²", "/٣", "~9", "/a/b/c", "a"])
def test_a_path_that_leads_nowhere_is_kept_in_words(path):
    """A guard's path need not be one of the document's."""
    rule = check(lambda value: Finding("c", "m", path=path))
    put_to_the_test(validate("[1, 2]", list[int], guards=[rule]))
    put_to_the_test(Guarded(list[int], guards=[rule], on_fail=Fix()).run(ScriptedModel(["[1]"]), "?"))


class Lasting(Exception):
    """Does not come out of a pickle."""

    def __init__(self, text, *, lock):
        super().__init__(text)
        self.lock = lock


class Needy(Exception):
    """Goes into a pickle and fails where it comes out."""

    def __init__(self, first, second):
        super().__init__("both")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Lasting("gone", lock=threading.Lock()), "Lasting: gone"),
        (Needy(1, 2), "Needy: both"),
        (ValueError(threading.Lock()), "ValueError"),
        (KeyError("k"), "'k'"),
    ],
)
def test_a_cause_that_does_not_travel_goes_as_its_words(fault, words):
    """An exception that another process could not make has a plain one in its place there; here it is itself."""

    def fails(value, context):
        raise fault

    outcome = validate(DATA, KIND, guards=[check(fails)])
    assert outcome.cause is fault
    with pytest.raises(GuardFailed) as caught:
        outcome.raise_if_rejected()
    travelled = pickle.loads(pickle.dumps(caught.value))
    assert words in str(travelled.__cause__)
    assert words in str(pickle.loads(pickle.dumps(outcome)).cause)
    assert copy.deepcopy(caught.value).__cause__ is fault


# -- records of answers in XML, and of values that do not travel ------------------------------------------------------

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="o"><xs:complexType><xs:sequence>
<xs:element name="n" type="xs:integer" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
RNG = """<element name="o" xmlns="http://relaxng.org/ns/structure/1.0"><oneOrMore><element name="n"><text/></element>
</oneOrMore></element>"""


class Order(BaseModel):
    n: int
    lines: list[str] = []


def local_type():
    class Order(BaseModel):
        n: int
        lines: list[str] = []

    return Order


XML = {
    "xsd": (XmlSchema(XSD), "So: <o><n>1</n><n>2</n></o>", "<o><n>x</n></o>"),
    "rng": (RelaxNG(RNG), "<o><n>1</n></o> done", "<p/>"),
    "type": (Order, "Sure <Order><n>1</n><lines><item>a</item></lines></Order>", "<Order><n>x</n></Order>"),
    "schema": (
        {"title": "t", "type": "object", "properties": {"n": {"type": "integer"}}},
        "ok <t><n>1</n></t>",
        "<t><n>x</n></t>",
    ),
    "local type": (local_type(), "Sure <Order><n>1</n></Order>", "<Order><n>x</n></Order>"),
}


@pytest.mark.parametrize("policy", [Raise(), Noop()], ids=["raise", "noop"])
@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("contract", XML)
def test_outcomes_of_answers_in_xml_travel(contract, good, policy):
    """An outcome over a tree, and its rejection, pickle and copy; what is delivered as text stays the same."""
    given_contract, right, wrong = XML[contract]
    ticket = Guarded(given_contract, format="xml", guards=[check(lambda value: "no")], on_fail=policy)
    text = right if good else wrong
    for outcome in (validate(text, given_contract, format="xml"), ticket.run(ScriptedModel([text]), "?")):
        put_to_the_test(outcome)
        travelled = pickle.loads(pickle.dumps(outcome))
        assert travelled.accepted_text == outcome.accepted_text
        assert copy.deepcopy(outcome) == outcome
        if contract != "local type":
            assert travelled == outcome


def test_a_value_of_a_class_that_cannot_travel_goes_as_plain_data():
    """A class made inside a function is known in no other process: its data is what arrives there."""
    outcome = validate('{"n": 1}', local_type())
    assert pickle.loads(pickle.dumps(outcome)).value == {"n": 1, "lines": []}
    assert type(copy.copy(outcome).value) is type(outcome.value)


def _rejected():
    raise validate("<Order><n>x</n></Order>", Order, format="xml").rejection()


def test_a_rejection_comes_out_of_a_worker_process():
    """What a process of a pool raises is raised where its result is waited for."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool, pytest.raises(Rejected) as caught:
        pool.submit(_rejected).result(120)
    assert caught.value.outcome.findings


# -- decorators ------------------------------------------------------------------------------------------------------

ticket = Guarded(KIND, on_fail=Reask(times=1).then(Raise()))


class Desk:
    """Functions of all kinds; each gives back what it was called with."""

    @ticket
    @staticmethod
    def static(mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({mail: 1})

    @staticmethod
    @ticket
    def static_outside(mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({mail: 1})

    @ticket
    @classmethod
    def of_class(cls, mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({f"{cls.__name__} {mail}": 1})

    @ticket
    @staticmethod
    async def astatic(mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({mail: 1})

    @ticket
    @classmethod
    async def aof_class(cls, mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({f"{cls.__name__} {mail}": 1})

    @property
    @ticket
    def prop(self, feedback: Feedback | None = None) -> str:  # noqa: PLR0206  # nobody gives it
        return '{"prop": 1}'

    def __call__(self, mail: str, *, feedback: Feedback | None = None) -> str:
        return json.dumps({mail: 1})


class Front(Desk):
    pass


@pytest.mark.parametrize("through", [Desk, Desk(), Front, Front()], ids=["class", "object", "heir", "object of heir"])
def test_static_and_class_methods_get_what_they_are_called_with(through):
    """`@ticket` over and under `@staticmethod` and over `@classmethod`: no argument is lost or taken for another."""
    name = (through if isinstance(through, type) else type(through)).__name__
    assert through.static("m") == through.static_outside("m") == {"m": 1}
    assert through.static.outcome("m").value == {"m": 1}
    assert through.of_class("m") == {f"{name} m": 1}
    assert through.of_class.outcome("m").value == {f"{name} m": 1}
    assert list(through.of_class.stream("m"))[-1].outcome.value == {f"{name} m": 1}
    assert asyncio.run(through.astatic("m")) == {"m": 1}
    assert asyncio.run(through.aof_class("m")) == {f"{name} m": 1}
    assert inspect.iscoroutinefunction(through.astatic)
    assert list(inspect.signature(through.static).parameters) == ["mail", "feedback"]
    assert list(inspect.signature(through.of_class).parameters) == ["mail", "feedback"]
    assert pickle.loads(pickle.dumps(Desk.static)) is Desk.static
    assert pickle.loads(pickle.dumps(Desk.of_class))("m") == {"Desk m": 1}


def test_a_guard_of_a_class_method_sees_its_arguments():
    """The context of a class method has its parameters, and not the class."""
    seen = []

    class Office:
        @Guarded(KIND, guards=[check(lambda value, context: seen.append(dict(context)))])
        @classmethod
        def ask(cls, mail, feedback=None):
            return DATA

    Office.ask("m")
    assert seen == [{"mail": "m"}]


class AsyncDesk:
    async def __call__(self, mail, feedback=None):
        return json.dumps({mail: 1})


async def _asked(first, mail, feedback=None):
    return json.dumps({mail: first})


def test_what_is_called_can_be_decorated():
    """Partials, objects that are called, lambdas and bound methods, sync and async, work as functions do."""
    assert Desk().prop == {"prop": 1}
    assert ticket(Desk())("m") == {"m": 1}
    assert ticket(lambda mail, feedback=None: json.dumps({mail: 1}))("m") == {"m": 1}
    assert ticket(functools.partial(lambda n, mail, feedback=None: json.dumps({mail: n}), 1))("m") == {"m": 1}
    assert ticket(Desk().__call__)("m") == {"m": 1}
    assert asyncio.run(ticket(AsyncDesk())("m")) == {"m": 1}
    assert asyncio.run(ticket(functools.partial(_asked, 1))("m")) == {"m": 1}
    assert asyncio.run(pickle.loads(pickle.dumps(ticket(functools.partial(_asked, 1))))("m")) == {"m": 1}


@pytest.mark.parametrize(
    "thing",
    [
        3,
        None,
        "x",
        Desk,
        property(lambda self: DATA),
        functools.cached_property(lambda self: DATA),
        functools.partialmethod(lambda self: DATA),
        classmethod(3),
        min,
    ],
)
def test_what_is_no_function_is_told_where_it_is_decorated(thing):
    """A class, a property, a value and a builtin that hides its parameters are no functions to decorate."""
    with pytest.raises(ConfigError):
        Guarded(KIND, on_fail=Raise())(thing)


@pytest.mark.parametrize(
    "thing", [3, None, "x", [], Desk, type, property(lambda self: 1), classmethod(lambda cls, value: None), object()]
)
def test_what_is_no_function_is_no_check(thing):
    """`@check` on what cannot judge is told where it is written, bare or with options."""
    with pytest.raises(ConfigError, match="no function"):
        check(thing)
    with pytest.raises(ConfigError, match="no function"):
        check(name="n")(thing)


def test_a_method_under_check_is_told():
    """A method would be handed the value as its object, and its second parameter the context as the value."""
    with pytest.raises(ConfigError, match="method"):

        class Rules:
            @check
            def rule(self, value):
                return None


class Rules:
    @check
    @staticmethod
    async def static(value):
        return f"static {value}"

    async def __call__(self, value):
        return f"called {value}"

    def method(self, value, context):
        return f"method {value}"


def test_checks_of_all_that_is_called():
    """Static methods, objects that are called, bound methods and partials judge, awaited where they are async."""
    rules = [
        Rules.static,
        check(name="called")(Rules()),
        check(Rules().method),
        check(name="partial")(functools.partial(lambda more, value: f"{more} {value}", "partial")),
    ]
    messages = [f.message for f in validate('"a"', str, guards=rules).findings]
    assert messages == ["static a", "called a", "method a", "partial a"]


# -- doubles ---------------------------------------------------------------------------------------------------------


def test_doubles_travel_and_copy():
    """A scripted model goes on in a copy where it stood, apart from the one it was made of; scores likewise."""
    model = ScriptedModel(["a", "b", "c"])
    model("?")
    for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert again("!") == "b"
        assert len(again.calls) == 2
    assert len(model.calls) == 1
    scores = pickle.loads(pickle.dumps(FixedScores({"a": 0.5}, default=0.1)))
    assert scores(["a", "b"]) == [0.5, 0.1]


# -- answers without end ---------------------------------------------------------------------------------------------


def endless(messages):
    while True:
        yield "a"


async def aendless(messages):
    while True:
        await asyncio.sleep(0)
        yield "a"


def offered(ticket):
    for attempt in ticket.attempts("?"):
        with attempt:
            attempt.offer(endless([]))


async def aoffered(ticket):
    async for attempt in ticket.attempts("?"):
        async with attempt:
            attempt.offer(endless([]))


@pytest.mark.parametrize(
    "call",
    [
        offered,
        lambda t: asyncio.run(aoffered(t)),
        lambda t: t.run(endless, "?").raise_if_rejected(),
        lambda t: list(t.stream(endless, "?")),
        lambda t: t.wrap(endless)("?"),
        lambda t: t(lambda messages: endless(messages))("?"),
        lambda t: asyncio.run(t.acall(endless, "?")),
        lambda t: asyncio.run(t.acall(aendless, "?")),
    ],
    ids=["attempts", "attempts in async", "call", "stream", "wrap", "decorator", "acall", "acall of async"],
)
def test_an_answer_without_end_ends_with_the_budget(call):
    """Pieces that come for ever are read until the seconds end, and no longer."""
    with pytest.raises(BudgetExhausted) as caught:
        call(Guarded(Text(), budget=Budget(seconds=0.2)))
    assert caught.value.outcome.reason == "budget.seconds"
    end = time.monotonic() + 10
    while calls.left and time.monotonic() < end:
        time.sleep(0.005)
    assert calls.left == 0  # nobody goes on reading


def test_a_call_whose_json_schema_is_odd_still_says_what_happened():
    """Findings of a schema's own values are written and sent as well."""
    outcome = validate('{"n": "x"}', JsonSchema({"properties": {"n": {"const": 10**30}}}))
    put_to_the_test(outcome)
