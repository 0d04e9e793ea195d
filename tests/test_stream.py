"""`stream`: events while an answer is written, the same end for every chunking, and nothing shown that may not be."""

import asyncio
import functools
import gc
import json
import threading
from datetime import date
from enum import Enum
from typing import Annotated, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, AliasPath, BaseModel, BeforeValidator, Field, RootModel, model_validator
from server import Fault, Server, answer, line_faults, tool

from guards import (
    Budget,
    BudgetExhausted,
    ConfigError,
    Done,
    Fallback,
    Feedback,
    Finding,
    Fix,
    Guarded,
    Item,
    Noop,
    Partial,
    Raise,
    Reask,
    Refrain,
    Rejected,
    Restarted,
    Retracted,
    TextPiece,
    check,
)
from guards.checks import Pattern
from guards.clients import anthropic as anthropic_client
from guards.clients import openai as openai_client
from guards.contracts import Choice, JsonSchema, Text, XmlSchema
from guards.testing import ScriptedModel


class State(Enum):
    OPEN = "open"
    DONE = "done"


class Line(BaseModel):
    sku: str
    qty: int = Field(ge=1)


class Lax(BaseModel):
    number: int = Field(strict=False)


class Elsewhere(BaseModel):
    day: date = Field(validation_alias=AliasPath("at", 0))


class Order(BaseModel):
    number: str
    total: float
    state: State
    kind: Literal["sale", "return"] = "sale"
    lines: list[Line]
    note: str | None = None


DATA = {
    "number": "A-1",
    "total": 5.5,
    "state": "open",
    "kind": "return",
    "lines": [{"sku": 'x "é😀\n', "qty": 3}, {"sku": "y", "qty": 2}],
    "note": "a longer note",
}
GOOD = json.dumps(DATA)
BAD = GOOD.replace('"qty": 3', '"qty": 0')
ORDER = Order.model_validate_json(GOOD)
LINE = Line(sku="b", qty=1)


def pieces(text, size=9):
    return [text[start : start + size] for start in range(0, len(text), size)]


def events_of(ticket, answers, **options):
    return list(ticket.stream(ScriptedModel(answers), "task", **options))


def test_partial_values_are_views_of_the_type():
    """A model grows member by member: None for what has not come, closed parts whole, options only when complete."""
    seen = [e.value for e in events_of(Guarded(Order), [pieces(GOOD, 1)]) if isinstance(e, Partial)]
    assert all(isinstance(value, Order) for value in seen)
    assert {value.number for value in seen} == {None, "", "A", "A-", "A-1"}
    assert {value.total for value in seen} == {None, 5.5}
    assert {value.state for value in seen} == {None, State.OPEN}
    assert {value.kind for value in seen} == {None, "return"}
    assert {len(value.lines) for value in seen if value.lines is not None} == {0, 1, 2}
    assert seen[-1] == ORDER
    assert seen[-1].lines[0] is seen[-20].lines[0]


def test_the_end_is_one_done_and_the_value_of_call():
    """The last event is `Done`, once, with the outcome that `run` gives."""
    events = events_of(Guarded(Order), [pieces(GOOD)])
    assert [isinstance(event, Done) for event in events].count(True) == 1
    done = events[-1].outcome
    plain = Guarded(Order).run(ScriptedModel([GOOD]), "task")
    assert (done.ok, done.value, done.text, done.reason) == (True, ORDER, GOOD, plain.reason)
    assert len(done.attempts) == 1


@given(
    cuts=st.lists(st.integers(1, len(GOOD) - 1), max_size=30), pre=st.sampled_from(["", "Sure:\n", "<think>{</think>"])
)
def test_any_chunking_gives_the_same(cuts, pre):
    """However the text is cut, the closed parts, the last view and the outcome are the same."""
    text = f"{pre}{GOOD}"
    marks = [0, *sorted(set(cuts)), len(text)]
    chunks = [text[a:b] for a, b in zip(marks, marks[1:], strict=False)]
    events = events_of(Guarded(Order), [chunks])
    assert [event for event in events if isinstance(event, Partial)][-1].value == ORDER
    assert events[-1].outcome.value == ORDER


def test_items_of_a_list_come_as_they_close():
    """Items of a list that is the answer are whole and valid, each once; one that is not comes not at all."""
    lines = json.dumps([{"sku": "a", "qty": 1}, {"sku": "b", "qty": 0}, {"sku": "c", "qty": 3}])
    for size in (1, 5, 500):
        ticket = Guarded(list[Line], on_fail=Raise())
        seen = []
        with pytest.raises(Rejected):
            for event in ticket.stream(ScriptedModel([pieces(lines, size)]), "task"):
                seen.append(event)
        items = [event for event in seen if isinstance(event, Item)]
        assert items == [Item(Line(sku="a", qty=1), "/0"), Item(Line(sku="c", qty=3), "/2")]
        assert isinstance(seen[-1], Done)


LISTED = {"type": "array", "items": {"type": "string"}}


def small(line):
    assert line.qty < 5, "too many"
    return line


@pytest.mark.parametrize(
    ("contract", "answer", "items"),
    [
        (list[Annotated[int, Field(ge=5)]], [3, 7], [7]),
        (list[Annotated[int, AfterValidator(lambda number: number * 2)]], [3, 7], [6, 14]),
        (list[Annotated[Line, AfterValidator(small)]], [{"sku": "a", "qty": 9}, {"sku": "b", "qty": 1}], [LINE]),
        (list[int], [1, None, 2], [1, 2]),
        (list[int | str], [1, {}, "a"], [1, "a"]),
        (list[list[int]], [[1], {"a": 1}], [[1]]),
        (list[dict[str, int]], [{"a": 1}, [1], {"a": "x"}], [{"a": 1}]),
        (list[Line], [None, {"sku": "b", "qty": 1}], [LINE]),
        (list[Line | None], [None, {"sku": "b", "qty": 1}, {"sku": "b"}], [None, LINE]),
        (list[Lax], [{"number": "3"}], [Lax(number=3)]),
        (list[RootModel[int]], [1, "x"], [RootModel[int](1)]),
        (list[Elsewhere], [{"at": ["2020-01-01"]}], [Elsewhere(at=["2020-01-01"])]),
        (JsonSchema({"items": False}), [1], []),
        (JsonSchema({"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False}), ["a", 1, 2], ["a", 1]),
        (JsonSchema({"allOf": [LISTED, {"items": {"maxLength": 2}}]}), ["ab", "abcdef"], ["ab"]),
        (JsonSchema({"$ref": "#/$defs/l", "items": {"maxLength": 2}, "$defs": {"l": LISTED}}), ["ab", "abc"], ["ab"]),
        (JsonSchema({"anyOf": [{"type": "array", "items": {"type": "integer"}}, LISTED]}), ["a", "b"], ["a", "b"]),
        (JsonSchema({"prefixItems": [{"type": "integer"}], "unevaluatedItems": False}), [1, "a"], [1]),
        (JsonSchema({"$ref": "#l", "$defs": {"l": {"$anchor": "l", **LISTED}}}), ["a", 1], []),
        (JsonSchema({"items": {"format": "date"}}, formats=True), ["x", "2020-01-01"], ["2020-01-01"]),
        (JsonSchema({"items": {"$ref": "urn:one"}}, resources={"urn:one": {"type": "integer"}}), ["x", 1], [1]),
    ],
)
def test_an_item_is_shown_as_what_its_type_says(contract, answer, items):
    """An item that its type refuses, by whatever is said of it, is not shown as one; another in the form in which it is
    delivered."""
    ticket = Guarded(contract, on_fail=Refrain())
    shown = [event.value for event in events_of(ticket, [pieces(json.dumps(answer), 2)]) if isinstance(event, Item)]
    assert shown == items


class Counted(BaseModel):
    number: int

    @model_validator(mode="after")
    def more(self):
        self.number += 1
        return self


class Visit(BaseModel):
    day: Annotated[date, BeforeValidator(str.strip)]
    counted: Counted | None = None

    @model_validator(mode="before")
    @classmethod
    def doubled(cls, data):
        return {**data, "counted": {"number": 2 * data["counted"]["number"]}}


def test_the_authors_code_sees_in_a_view_what_it_sees_at_the_end():
    """A model that has closed is what it will be when it is delivered, also where validators run before pydantic's own
    or would change an instance twice."""
    answer = [{"day": " 2020-01-01", "counted": {"number": 3}}]
    events = events_of(Guarded(list[Visit]), [pieces(json.dumps(answer))])
    items, views = ([e.value for e in events if isinstance(e, kind)] for kind in (Item, Partial))
    assert items == views[-1] == events[-1].outcome.value == [Visit(**answer[0])]
    assert items[0].counted.number == 7


def test_a_view_of_a_root_model_is_one():
    """The view of a `RootModel` is an instance of it, open or closed."""
    events = events_of(Guarded(RootModel[list[int]]), [pieces("[1, 2]", 1)])
    views = [event.value for event in events if isinstance(event, Partial)]
    assert all(isinstance(view, RootModel) for view in views)
    assert views[-1].root == [1, 2]


def test_a_json_schema_gives_plain_data():
    """Views of a JSON Schema are plain data; items are checked against their part of the schema."""
    schema = JsonSchema(
        {"type": "array", "items": {"$ref": "#/$defs/I"}, "$defs": {"I": {"type": "integer", "minimum": 2}}}
    )
    events = events_of(Guarded(schema, on_fail=Reask()), [pieces("[3, 1, 4]", 1), "[3, 4]"])
    first = events[: next(n for n, event in enumerate(events) if isinstance(event, Restarted))]
    assert [event.value for event in first if isinstance(event, Item)] == [3, 4]
    assert events[-1].outcome.value == [3, 4]


def test_a_retry_restarts_the_stream():
    """An answer that does not hold is followed by `Restarted` with its findings, then by the views of the next."""
    events = events_of(Guarded(Order), [pieces(BAD, 50), pieces(GOOD, 50)])
    kinds = [type(event).__name__ for event in events]
    at = kinds.index("Restarted")
    assert kinds[:at] == ["Partial"] * at
    assert events[at].attempt == 2
    assert [finding.path for finding in events[at].findings] == ["/lines/0/qty"]
    assert kinds[-1] == "Done"
    assert [attempt.decision for attempt in events[-1].outcome.attempts] == ["reask", "accept"]


def test_a_rejection_raises_after_done():
    """The record comes as `Done`; then `Rejected` is raised."""
    stream = Guarded(Order, budget=Budget(attempts=2)).stream(ScriptedModel([BAD, BAD]), "task")
    seen = []
    with pytest.raises(BudgetExhausted) as caught:
        for event in stream:
            seen.append(event)
    assert seen[-1].outcome is caught.value.outcome is stream.outcome
    assert len(stream.outcome.attempts) == 2


TEXT = "Hello there. How are you, e.g. today? Fine! And so on, without an end"


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_text_comes_by_sentence(size):
    """Sentences come whole, in the same pieces for any chunking, and make up the text."""
    events = events_of(Guarded(Text()), [pieces(TEXT, size)])
    said = [event.text for event in events if isinstance(event, TextPiece)]
    assert said == ["Hello there.", " How are you, e.g. today?", " Fine!", " And so on, without an end"]
    assert events[-1].outcome.value == TEXT


def test_a_thinking_part_is_not_shown():
    """What stands in a thinking part at the start is no part of the text."""
    events = events_of(Guarded(Text()), [pieces(f"<think>Hm. Well.</think>{TEXT}", 3)])
    assert "".join(event.text for event in events[:-1]) == events[-1].outcome.value == TEXT


def test_an_endless_sentence_goes_out_in_pieces():
    """A long text without a full stop is not held until its end."""
    text = "word " * 4000
    events = events_of(Guarded(Text()), [pieces(text, 100)])
    assert len(events) > 5
    assert "".join(event.text for event in events[:-1]) == text


def test_a_choice_is_shown_when_it_is_whole():
    """Half an option is not shown."""
    events = events_of(Guarded(Choice(["yes", "no"])), [["y", "es"]])
    assert events[:-1] == [TextPiece("yes")]


bad_word = check(name="bad_word")(lambda value, context: "holds a bad word" if "Fine" in str(value) else None)


def test_with_guards_nothing_leaves_before_it_passed():
    """A guard of the whole holds everything back until it has passed; a refused answer is never shown."""
    ticket = Guarded(Text(), guards=[bad_word])
    events = events_of(ticket, [pieces(TEXT), pieces("All good. Really.")])
    assert [type(event).__name__ for event in events] == ["Restarted", "TextPiece", "TextPiece", "Done"]
    held = events_of(Guarded(Order, guards=[check(name="x")(lambda v, c: None)]), [pieces(GOOD)])
    assert [type(event).__name__ for event in held] == ["Partial", "Done"]
    assert held[0].value == ORDER


def test_at_once_takes_back_what_does_not_hold():
    """With `at_once()` text leaves before a guard has seen it, and `Retracted` names what was shown and why it does not hold."""
    stream = Guarded(Text(), guards=[bad_word]).stream(ScriptedModel([pieces(TEXT), ["Good."]]), "task")
    events = list(stream.at_once())
    with pytest.raises(ConfigError, match="once"):
        stream.at_once()
    kinds = [type(event).__name__ for event in events]
    assert kinds == ["TextPiece"] * 3 + ["Retracted", "Restarted", "TextPiece", "Done"]
    retracted = next(event for event in events if isinstance(event, Retracted))
    assert TEXT.startswith(retracted.text)
    assert [finding.guard for finding in retracted.findings] == ["bad_word"]


@pytest.mark.parametrize(
    ("policy", "kinds", "said"),
    [
        (Fix(), ["Retracted"], "Nice. Really."),
        (Noop(), [], "Fine. Really."),
        (Fallback("Sorry."), ["Retracted"], "Sorry."),
        (Refrain(), ["Retracted"], ""),
    ],
    ids=["fix", "noop", "fallback", "refrain"],
)
def test_what_is_shown_at_last_is_what_is_delivered(policy, kinds, said):
    """The pieces behind the last retraction are the text that the call delivers, whichever policy delivers it."""
    better = check(lambda value: Finding("x", "no", fix="Nice. Really.") if "Fine" in value else None)
    ticket = Guarded(Text(), guards=[better], on_fail=policy)
    events = list(ticket.stream(ScriptedModel([["Fine. ", "Really."]]), "task").at_once())
    names = [type(event).__name__ for event in events]
    assert [name for name in names if name not in ("TextPiece", "Done")] == kinds
    last = len(names) - names[::-1].index("Retracted") if kinds else 0
    assert "".join(event.text for event in events[last:] if isinstance(event, TextPiece)) == said
    held = list(ticket.stream(ScriptedModel([["Fine. ", "Really."]]), "task"))
    assert "".join(event.text for event in held if isinstance(event, TextPiece)) == said


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_decorated_function_can_show_at_once(asynchronous):
    """The same for the stream of a decorated function."""
    ticket = Guarded(Text(), guards=[bad_word], on_fail=Raise())
    if asynchronous:

        @ticket
        async def answer(mail: str):
            for piece in pieces(TEXT):
                yield piece

        async def run():
            return [event async for event in shown(answer.stream("x").at_once())]

        async def shown(stream):
            with pytest.raises(Rejected):
                async for event in stream:
                    yield event

        events = asyncio.run(run())
    else:

        @ticket
        def answer(mail: str):
            yield from pieces(TEXT)

        events = []
        with pytest.raises(Rejected):
            for event in answer.stream("x").at_once():
                events.append(event)
    assert [type(event).__name__ for event in events] == ["TextPiece"] * 3 + ["Retracted", "Done"]


def test_guards_that_can_judge_parts_run_on_sentences():
    """A guard with `partial` sees each sentence before it leaves, and stops the stream where it refuses one."""
    seen = []

    @check(partial=True)
    def no_fine(value, context):
        seen.append((value, context.partial))
        return "no" if "Fine" in value else None

    taken = []

    def model(messages):
        for piece in pieces(TEXT if len(messages) == 1 else "All good. Really.", 5):
            taken.append(piece)
            yield piece

    events = list(Guarded(Text(), guards=[no_fine]).stream(model, "task"))
    said = [event.text for event in events if isinstance(event, TextPiece)]
    assert said == ["Hello there.", " How are you, e.g. today?", "All good.", " Really."]
    assert ("Hello there.", True) in seen
    assert seen[-1] == ("All good. Really.", False)
    assert "".join(taken).count("without an end") == 0  # the first answer was left where it failed


def test_guards_at_fields_run_when_the_field_has_closed():
    """A guard with `partial` at a place sees the field once it is whole; before, nothing of it is shown."""

    @check(partial=True)
    def short(value, context):
        return "too long" if len(value) > 8 else None

    ticket = Guarded(Order, guards=[short.on("$.note"), short.on("$.lines[*].sku")])
    events = events_of(ticket, [pieces(GOOD, 4), pieces(GOOD.replace("a longer note", "brief"), 4)])
    at = next(n for n, event in enumerate(events) if isinstance(event, Restarted))
    assert [finding.path for finding in events[at].findings] == ["/note"]
    assert all(event.value.note is None for event in events[:at] if isinstance(event, Partial))
    assert {event.value.note for event in events[at + 1 : -1]} == {None, "brief"}
    assert events[-1].outcome.value.note == "brief"


@check(partial=True)
def brief(value, context):
    return "too long" if len(str(value)) > 8 else None


class Inner(BaseModel):
    text: Annotated[str, brief]


class Outer(BaseModel):
    head: Annotated[str, brief] | None
    inner: Inner
    rows: list[Inner]
    by: dict[str, Annotated[str, brief]]
    tail: str


@pytest.mark.parametrize("place", ["head", "inner", "rows", "by"])
def test_guards_inside_a_type_judge_their_fields(place):
    """An `Annotated` guard that can judge parts does so wherever it stands; the rest of the answer is shown meanwhile."""
    data = {
        "head": None,
        "inner": {"text": "a"},
        "rows": [{"text": "b"}, {"text": "c"}],
        "by": {"k": "d"},
        "tail": "x" * 20,
    }
    long = {
        "head": "Z" * 9,
        "inner": {"text": "Z" * 9},
        "rows": [{"text": "b"}, {"text": "Z" * 9}],
        "by": {"k": "Z" * 9},
    }
    wrong = json.dumps({**data, place: long[place]})
    events = events_of(Guarded(Outer), [pieces(wrong, 3), pieces(json.dumps(data), 3)])
    at = next(n for n, event in enumerate(events) if isinstance(event, Restarted))
    assert "Z" not in "".join(str(event.value) for event in events[:at] if isinstance(event, Partial))
    assert len([event for event in events[at:] if isinstance(event, Partial)]) > 5
    assert events[-1].outcome.value.tail == "x" * 20


class Node(BaseModel):
    text: Annotated[str, brief]
    next: Optional["Node"] = None  # noqa: UP007, UP037, UP045  # a type inside itself


@pytest.mark.parametrize("kind", [Node, Annotated[str, brief] | int, dict[str, Annotated[str, brief] | list[int]]])
def test_guards_whose_place_the_answer_decides_hold_it_back(kind):
    """Inside a union, or a type inside itself, nothing is shown before the whole has passed."""
    good = {"text": "a", "next": {"text": "b"}} if kind is Node else {"k": "a"} if "dict" in str(kind) else "a"
    wrong = json.dumps(good).replace("a", "Z" * 9, 1) if kind is not Node else json.dumps({"text": "Z" * 9})
    events = events_of(Guarded(kind), [pieces(wrong, 2), pieces(json.dumps(good), 2)])
    assert isinstance(events[0], Restarted)
    assert events[-1].outcome.ok


def test_a_guard_of_an_object_sees_it_before_anybody_else():
    """Nothing that grows inside of a guarded part is shown before the part has closed and passed."""

    class Address(BaseModel):
        street: str
        city: str

    class Person(BaseModel):
        name: str
        address: Address

    nowhere = check(partial=True)(lambda value: "nowhere" if "Nowhere" in str(value) else None)
    texts = ['{"name": "Ada", "address": {"street": "Elm", "city": "%s"}}' % city for city in ("Nowhere", "York")]
    ticket = Guarded(Person, guards=[nowhere.on("$.address")])
    events = events_of(ticket, [pieces(text, 4) for text in texts])
    at = next(n for n, event in enumerate(events) if isinstance(event, Restarted))
    shown = [event.value for event in events[:at] if isinstance(event, Partial)]
    assert shown[-1].name == "Ada"
    assert all(value.address is None for value in shown)
    assert events[-1].outcome.value.address.city == "York"


def test_a_forbidden_pattern_judges_parts():
    """`Pattern(forbid=True)` can judge a part; a pattern that must match cannot, and holds all back."""
    ticket = Guarded(Text(), guards=[Pattern("Fine", match="search", forbid=True)], on_fail=Raise())
    seen = []
    with pytest.raises(Rejected):
        for event in ticket.stream(ScriptedModel([pieces(TEXT)]), "task"):
            seen.append(type(event).__name__)
    assert seen == ["TextPiece", "TextPiece", "Retracted", "Done"]
    assert not Pattern("x").partial


def test_a_crash_in_a_part_is_a_failure():
    """A guard that crashes on a part fails the call, as on the whole; nothing of the part is shown."""

    @check(partial=True)
    def breaks(value, context):
        raise RuntimeError("broken")

    seen = []
    with pytest.raises(Rejected) as caught:
        for event in Guarded(Text(), guards=[breaks]).stream(ScriptedModel([pieces(TEXT)]), "task"):
            seen.append(type(event).__name__)
    assert (seen, caught.value.outcome.reason) == (["Done"], "guard.failed")


XSD = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence>
    <xs:element name="total" type="xs:decimal"/><xs:element name="line" maxOccurs="9"><xs:complexType><xs:sequence>
    <xs:element name="sku" type="xs:string"/><xs:element name="qty" type="xs:integer"/></xs:sequence>
    </xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
)
XML = "<order><total>5.5</total><line><sku>a &amp; b</sku><qty>1</qty></line><line><sku>c</sku><qty>2</qty></line></order>"


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_xml_grows_element_by_element(size):
    """Each child of the root that closes gives a view with its typed value, in any chunking."""
    events = events_of(Guarded(XSD), [pieces(f"Here:\n{XML}", size)])
    lines = [{"sku": "a & b", "qty": 1}, {"sku": "c", "qty": 2}]
    assert [event.value for event in events[:-1]] == [
        {"total": 5.5},
        {"total": 5.5, "line": lines[:1]},
        {"total": 5.5, "line": lines},
    ]
    assert events[-1].outcome.value == {"total": 5.5, "line": lines}


@pytest.mark.parametrize("text", ["{'a': 1}", '{"a": 1} {"a": 2}', "no document", '[[[{"a"', '{"a" 1}', "\ud800", ""])
def test_what_cannot_be_followed_is_left_to_the_end(text):
    """Text that is no strict JSON shows what it can and raises nothing; the end decides as for any answer."""
    stream = Guarded(JsonSchema({"required": ["a"]}), on_fail=Raise()).stream(ScriptedModel([[text]]), "task")
    seen = []
    try:
        for event in stream:
            seen.append(event)
    except Rejected:
        pass
    assert isinstance(seen[-1], Done)
    plain = Guarded(JsonSchema({"required": ["a"]}), on_fail=Raise()).run(ScriptedModel([text]), "task")
    assert (seen[-1].outcome.ok, seen[-1].outcome.value) == (plain.ok, plain.value)


# -- shapes of use ----------------------------------------------------------------------------------------------------


@Guarded(Order)
def make(mail: str, feedback: Feedback | None = None):
    yield from pieces(BAD if feedback is None and mail == "bad" else GOOD, 30)


@Guarded(Order)
async def amake(mail: str, feedback: Feedback | None = None):
    for piece in pieces(GOOD, 30):
        yield piece


def test_a_decorated_function_streams():
    """`.stream` of a decorated generator gives events; calling it plainly gives the value."""
    assert make("x") == ORDER
    events = list(make.stream("bad"))
    assert [type(event).__name__ for event in events].count("Restarted") == 1
    assert events[-1].outcome.value == ORDER


def test_async_gives_the_same_events():
    """`async for` over an async client, a plain one and an async decorated function gives what `for` gives."""

    async def collect(stream):
        return [event async for event in stream]

    async def stream(messages):
        for piece in pieces(GOOD):
            yield piece

    plain = events_of(Guarded(Order), [pieces(GOOD)])
    views = [event for event in plain if isinstance(event, Partial)]
    for made in (
        Guarded(Order).stream(stream, "task"),
        Guarded(Order).stream(lambda messages: iter(pieces(GOOD)), "task"),
        Guarded(Order).stream(ScriptedModel([pieces(GOOD)]).acall, "task"),
    ):
        assert [event for event in asyncio.run(collect(made)) if isinstance(event, Partial)] == views
    assert asyncio.run(collect(amake.stream("x")))[-1].outcome.value == ORDER
    assert asyncio.run(amake("x")) == ORDER


def test_a_session_keeps_streamed_calls():
    """A session's stream counts in its budget and stands in its record, an abandoned one too."""
    with Guarded(Order).session() as session:
        for _ in session.stream(ScriptedModel([pieces(GOOD)]), "task"):
            pass
        with session.stream(ScriptedModel([pieces(GOOD)]), "task") as stream:
            for _ in stream:
                break
        assert [outcome.reason for outcome in session.outcomes] == ["accepted", "call.abandoned"]


def test_leaving_early_closes_the_clients_stream():
    """`break` leaves the client's generator, and the record says that the call was abandoned."""
    closed = threading.Event()

    def model(messages):
        try:
            yield from pieces(GOOD)
        finally:
            closed.set()

    stream = Guarded(Order).stream(model, "task")
    for _ in stream:
        break
    stream.close()
    assert closed.is_set()
    assert stream.outcome.reason == "call.abandoned"
    for _ in Guarded(Order).stream(model, "task"):
        break
    closed.clear()
    gc.collect()

    async def leave():
        stream = Guarded(Order).stream(amodel, "task")
        async with stream:
            async for _ in stream:
                break
        return stream.outcome.reason

    async def amodel(messages):
        try:
            for piece in pieces(GOOD):
                yield piece
        finally:
            closed.set()

    assert asyncio.run(leave()) == "call.abandoned"
    assert closed.is_set()


def test_a_cancelled_task_closes_the_record():
    """Cancelling the task that reads a stream leaves the client's stream and keeps the record."""

    async def main():
        async def model(messages):
            yield GOOD[:20]
            await asyncio.sleep(30)

        stream = Guarded(Order).stream(model, "task")

        async def read():
            async for _ in stream:
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return stream.outcome

    outcome = asyncio.run(main())
    assert (outcome.ok, len(outcome.attempts)) == (False, 1)


def test_what_a_stream_raises_comes_out_as_it_is():
    """A fault in mid-stream is the same object, with a note; the record is there."""
    fault = OSError("line cut")

    def model(messages):
        yield GOOD[:20]
        raise fault

    stream = Guarded(Order).stream(model, "task")
    with pytest.raises(OSError, match="line cut") as caught:
        list(stream)
    assert caught.value is fault
    assert "attempt 1" in fault.__notes__[0]
    assert stream.outcome.reason == "call.failed"


def test_the_budgets_seconds_end_a_stream():
    """A stream that goes on past the budget is rejected, with `Done` and the record."""

    async def model(messages):
        yield GOOD[:20]
        await asyncio.sleep(30)

    async def main():
        seen = []
        with pytest.raises(BudgetExhausted):
            async for event in Guarded(Order, budget=Budget(seconds=0.2)).stream(model, "task"):
                seen.append(event)
        return seen

    assert asyncio.run(main())[-1].outcome.reason == "budget.seconds"


def test_misuse_is_named():
    """An async client with `for`, a second reading, a piece that is no text: each says what to do."""
    with pytest.raises(ConfigError, match="async for"):
        iter(Guarded(Order).stream(ScriptedModel([GOOD]).acall, "task"))
    stream = Guarded(Order).stream(ScriptedModel([GOOD]), "task")
    list(stream)
    with pytest.raises(ConfigError, match="once"):
        list(stream)
    with pytest.raises(ConfigError, match="not text"):
        list(Guarded(Order).stream(lambda messages: iter([1]), "task"))


# -- the SDKs' streams ------------------------------------------------------------------------------------------------


def clients(server):
    openai, anthropic = server.openai(), server.anthropic()
    return {
        "chat": openai_client.chat(openai, model="m"),
        "responses": openai_client.responses(openai, model="m"),
        "completions": functools.partial(openai.completions.create, model="m"),
        "messages": anthropic_client.messages(anthropic, model="m"),
        "create": functools.partial(openai.chat.completions.create, model="m"),
    }


@pytest.mark.parametrize("name", ["chat", "responses", "messages", "create"])
def test_streams_of_the_sdks(name):
    """OpenAI's and Anthropic's streams give the events, the usage and the value, over a retry."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        events = list(Guarded(Order).stream(clients(server)[name], "task"))
        assert all(body["stream"] for body in server.bodies)
    outcome = events[-1].outcome
    assert outcome.value == ORDER
    assert outcome.usage.total_tokens == 30
    assert len([event for event in events if isinstance(event, Partial)]) > 20
    assert [type(event).__name__ for event in events].count("Restarted") == 1


@pytest.mark.parametrize("name", ["chat", "responses", "messages"])
def test_streams_of_tool_calls(name):
    """The arguments of a forced tool call are the answer, streamed too, and a retry answers the call."""
    with Server([tool("answer", BAD), tool("answer", GOOD)]) as server:
        openai, anthropic = server.openai(), server.anthropic()
        client = {
            "chat": lambda: openai_client.chat(openai, model="m", mode="tool", contract=Order),
            "responses": lambda: openai_client.responses(openai, model="m", mode="tool", contract=Order),
            "messages": lambda: anthropic_client.messages(anthropic, model="m", mode="tool", contract=Order),
        }[name]()
        events = list(Guarded(Order).stream(client, "task"))
        assert events[-1].outcome.value == ORDER
        assert len([event for event in events if isinstance(event, Partial)]) > 20
        assert "call_0" in json.dumps(server.bodies[1]) or "toolu_0" in json.dumps(server.bodies[1])


@pytest.mark.parametrize("service", ["openai", "anthropic"])
def test_async_sdk_streams(service):
    """The async clients stream as the sync ones."""

    async def main(server):
        if service == "openai":
            async with server.async_openai() as client:
                return [e async for e in Guarded(Order).stream(openai_client.chat(client, model="m"), "task")]
        async with server.async_anthropic() as client:
            return [e async for e in Guarded(Order).stream(anthropic_client.messages(client, model="m"), "task")]

    with Server([answer(GOOD)]) as server:
        assert asyncio.run(main(server))[-1].outcome.value == ORDER


def test_a_function_may_give_an_sdk_stream():
    """A decorated function that returns an SDK's stream is streamed, and collected when called plainly."""
    with Server([answer(GOOD)] * 2) as server:
        openai = server.openai()

        @Guarded(Order, on_fail=Raise())
        def ask(mail: str):
            turns = [{"role": "user", "content": mail}]
            return openai.chat.completions.create(model="m", messages=turns, stream=True)

        assert list(ask.stream("x"))[-1].outcome.value == ORDER
        assert ask("x") == ORDER


def test_a_line_cut_in_mid_stream_comes_out():
    """A server that dies in mid-stream is the SDK's own exception; a transient fault before it is retried."""
    import openai

    with Server([Fault(503), answer(GOOD, breaks_after=4)]) as server:
        stream = Guarded(Order).stream(clients(server)["chat"], "task")
        with pytest.raises(line_faults(openai)):
            list(stream)
        assert len(server.requests) == 2
    assert stream.outcome.reason == "call.failed"


def test_a_cut_off_stream_is_continued():
    """A stream that the token limit cut off is read as such, and the retry asks for the rest."""
    long = json.dumps({**DATA, "number": " ".join(f"word {n}" for n in range(80))})
    with Server([answer(long[:500], finish="length"), answer(long[500:])]) as server:
        events = list(Guarded(Order).stream(clients(server)["chat"], "task"))
    assert events[-1].outcome.ok
    assert [repair.code for repair in events[-1].outcome.repairs] == ["policy.continue"]
