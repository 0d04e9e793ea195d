"""Reading any text within the limits takes time that grows with its length, whatever contract and reading.

Each row was once a square of it, or is built as one that was. `tests/fuzz/slowness.py` looks for further ones.
"""

from __future__ import annotations

import json
from functools import partial

import pytest
from clock import cpu_within
from fuzz.slowness import ALLOWED, CONTRACTS, DIALS, FRAGMENTS, FRAMES, Case
from pydantic import BaseModel

from guards import Guarded, Limits, Reply, check, validate
from guards.clients.anthropic_stream import MessageChunks
from guards.clients.beside import GONE
from guards.clients.openai_events import ResponseChunks
from guards.clients.openai_stream_calls import StreamedCalls
from guards.clients.tools import Tools
from guards.contracts import JsonSchema, Text
from guards.contracts.compiled import compile_contract
from guards.engine.wording import feedback_text
from guards.testing import ScriptedModel

LENGTH = 12_000
START = 0.06
"""Seconds that a reading may take however short it is: a hundred findings are put into words, say."""


def allowed(chars):
    """Twice what it is, since what was a square of the length took ten times as much and more."""
    return 2 * (START + ALLOWED * chars)


HOSTILE = {
    "braces": "{",
    "brackets": "[",
    "brackets in fours": "[[[[",
    "brackets closed": "[" * 60 + "]" * 60,
    "objects in objects": '{"a":' * 60 + "}" * 60,
    "fences": "```json\n",
    "fenced objects": "```json\n{}\n```\n",
    "single quotes": "' ",
    "quotes that end nothing": "'a',$",
    "bare quotes": '"sku": "say "hi"", ',
    "texts joined": '" + "',
    "triple quotes": '""" a ',
    "constructors": "Decimal(",
    "round brackets": "((((",
    "escaped line breaks": "\\n",
    "backslashes": "\\",
    "line breaks": "\n",
    "carriage returns": "sku: x\r",
    "comments": "/*/",
    "comments that never end": "/* a *",
    "html comments": "<!-- a -",
    "keys without values": "word word ",
    "list marks": "- [x] a\n",
    "numbered lines": "1. {\n",
    "wide quotes": "＂",
    "wide brackets": "｛＂a\\＂",
    "items of a union": '{"name": 1},',
    "empty objects": "{},",
    "objects that may each be the end": '{"sku": "a", "qty": 1},',
    "quotes without others": 'x "y" z" ',
    "scalars side by side": "1 ",
    "thinking": "<think>",
    "thinking that ends": "</think>",
    "tags": "<a>",
    "tags closed": "</a>",
    "tags that are empty": "<a/>",
    "lines": '<line n="x"><sku>a</sku></line>',
    "half tags": "<line ",
    "attributes": " b='c'",
    "character data": "<![CDATA[",
    "entities": "&eacute;",
    "document types": "<!DOCTYPE a [",
    "comments in a document type": "<!DOCTYPE a [<!-- a -",
    "instructions": "<?a",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_read_in_time_by_every_kind_of_contract(kind):
    """In prose, in a list, in an object's text and in an element."""
    for frame, contract in (("{}", "model"), ("[{}]", "union"), ('{{"number": "{}', "map"), ("<order {}", "xsd")):
        case = Case(contract, "careful", frame, (HOSTILE[kind],), True)
        with cpu_within(allowed(LENGTH), f"{contract} {frame}"):
            case.seconds(LENGTH, CONTRACTS[contract]())


@pytest.mark.parametrize("start", range(8))
def test_every_fragment_of_the_search_is_read_in_time(start):
    """Each in a frame, by a contract and in a reading of its own, the same in every run."""
    made = {name: make() for name, make in CONTRACTS.items()}
    for index in range(start, len(FRAGMENTS), 8):
        contract = list(CONTRACTS)[index % len(CONTRACTS)]
        case = Case(contract, DIALS[index % 4], FRAMES[index * 7 % len(FRAMES)], (FRAGMENTS[index],), True)
        with cpu_within(allowed(8_000), repr(tuple(case))):
            case.seconds(8_000, made[contract])


class Amount(BaseModel):
    number: str
    total: float = 0


RUNS = {
    "blanks in a number": '{"number": "A", "total": "(' + " " * 390 + 'x"}',
    "blanks behind a sign": '{"number": "A", "total": "+ $' + " " * 390 + 'x"}',
    "tildes before a document": "~" * 20_000 + '\nand {"number": "A"}',
    "line breaks behind a fence": "```" + "\n" * 20_000 + 'and {"number": "A"}',
    "line breaks behind a text": '{"number": """A"""' + "\n" * 20_000 + "~}",
    "blanks behind a key": '{"number": "A' + "\n" * 190 + "a" + " " * 20_000,
    "brackets that close nothing": "[1" + "}" * 20_000,
    "brackets and blanks that close nothing": "[1" + "} " * 10_000,
    "words before keys": '{"number": ' + 'x "t": ' * 4_000,
    "words before a key far off": '{"number": ' + "x, a: " * 4_000,
    "objects in texts that never end": '{"number": "b "c" d", 1' * 1_000,
    "lone keys": '{"number": "A", ' + '"k", ' * 4_000 + "}",
    "commas missing": '{"number": "a" ' + '"total": 1 ' * 2_000 + "}",
    "items with commas missing": '["a" ' + '"b" ' * 4_000 + "]",
    "brackets at the end": '{"number": "A"' + "({[" * 4_000,
    "declarations": "<?xml ?>" * 4_000 + "and <Amount><number>A</number></Amount>",
}


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize("what", RUNS)
def test_a_long_run_of_one_mark_is_passed_once(what, dial):
    """Of blanks above all, which several rules may take."""
    text = RUNS[what]
    with cpu_within(allowed(len(text))):
        validate(text, Amount, reading=dial, format="xml" if what == "declarations" else "json")


class Left(BaseModel):
    a: int
    b: str


class Right(BaseModel):
    c: int
    b: str


WRONG = {
    "items of a union": (json.dumps([{"a": "x", "b": 1}] * 5_000), list[Left | Right], 10_000),
    "items": (json.dumps([{"a": "x", "b": 1}] * 5_000), list[Left], 10_000),
    "items of a schema": (
        json.dumps([{"a": "x"}] * 5_000),
        JsonSchema({"type": "array", "items": {"properties": {"a": {"type": "integer"}}, "required": ["z"]}}),
        1_000,
    ),
    "numbers that no float can hold": (f"[{','.join(['1e999'] * 5_000)}]", JsonSchema({"type": "array"}), 5_000),
    "members": (
        json.dumps({f"k{n}": n for n in range(5_000)}),
        JsonSchema({"type": "object", "additionalProperties": False}),
        1_000,
    ),
    "attributes": (
        "<order " + " ".join(f'a{n}="x"' for n in range(20_000)) + "/>",
        CONTRACTS["xsd"](),
        200,
    ),
    "attributes of a type": (
        "<Order " + " ".join(f'a{n}="x"' for n in range(20_000)) + "/>",
        compile_contract(Left, "xml"),
        1_000,
    ),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("dial", ["strict", "careful"])
def test_of_many_faults_a_hundred_are_listed_and_the_last_says_how_many_more(what, dial):
    """In time, and with a count of which the feedback to the model tells."""
    text, contract, least = WRONG[what]
    if what.startswith("attributes of a type"):
        text = text.replace("Order", "Left")
    with cpu_within(allowed(len(text))):
        outcome = validate(text, contract, reading=dial)
    if outcome.ok:
        assert outcome.repairs
        return
    *listed, last = outcome.findings
    assert len(listed) == 100
    assert last.code == "limit.findings"
    assert last.actual >= least
    assert "100" in last.message
    with cpu_within(0.01):
        words = feedback_text(outcome.findings, "json")
    assert f"and {last.actual - 20} more of the kind" in words
    assert len(words) < 20_000


def test_the_heading_of_many_faults_is_that_of_the_faults():
    """That more were found than are listed is no limit that the answer broke."""
    text = json.dumps([{"a": "x", "b": "y"}] * 300)
    outcome = validate(text, list[Left])
    words = feedback_text(outcome.findings, "json")
    assert "does not fit what was asked for" in words
    assert "limit.findings" not in words


STREAMED = {
    "a long text": ('{"number": "', "word ", "model"),
    "digits that never end": ('{"total": ', "0", "model"),
    "blanks before all": ("", "\u3000", "model"),
    "a long thinking part": ("<think>", "word ", "model"),
    "a long thinking part before a text": ("<think>", "word ", "text"),
    "many items": ("[", "1,", "numbers"),
    "many items that do not fit": ("[", "{},", "lines"),
    "many members": ('{"a": 1', ', "b": 2', "map"),
    "deep members": ("", '{"a":', "anything"),
    "many elements": ("<order>", "<line>a</line>", "rng"),
}


@pytest.mark.parametrize("what", STREAMED)
def test_the_partial_views_of_a_stream_cost_its_length(what):
    """However small the pieces are in which it comes."""
    head, part, name = STREAMED[what]
    contract = CONTRACTS[name]()
    text = head + part * (60_000 // len(part))
    with cpu_within(allowed(len(text)) + 0.1):
        live = contract.live("", Limits())
        for start in range(0, len(text), 16):
            live.feed(text[start : start + 16])


@pytest.mark.parametrize("sentence", ["a. B", "\n&lt;", "Yes! "])
def test_a_stream_of_many_sentences_costs_its_length(sentence):
    """Sentence by sentence, of one large piece and of many."""
    text = "x" + sentence * (600_000 // len(sentence))
    for step in (len(text), 5_000):
        pieces = [text[start : start + step] for start in range(0, len(text), step)]
        with cpu_within(allowed(len(text))):
            events = list(Guarded(Text()).stream(_given(pieces), "go"))
        assert events[-1].outcome.value == text


def _given(pieces):
    return lambda messages: iter(pieces)


def test_the_last_partial_value_of_a_long_stream_is_the_whole():
    """Views of a large answer are fewer; the whole is shown at its end."""
    items = list(range(5_000))
    text = json.dumps(items)
    pieces = [text[start : start + 8] for start in range(0, len(text), 8)]
    events = list(Guarded(list[int]).stream(ScriptedModel([text]), "go"))
    assert events[-1].outcome.value == items
    live = compile_contract(list[int]).live("", Limits())
    shown = [event for piece in pieces for _, event in live.feed(piece) if type(event).__name__ == "Partial"]
    assert shown[-1].value == items
    assert len(pieces) / 10 < len(shown) < len(pieces)


def test_a_guard_at_an_xpath_of_many_elements_costs_their_number():
    """What is delivered of each of them is found without going through all the others."""

    class Said(BaseModel):
        text: str

    class Holder(BaseModel):
        lines: list[Said]

    text = f"<Holder>{'<lines><text>x</text></lines>' * 3_000}</Holder>"
    with cpu_within(allowed(len(text)) + 1):
        outcome = validate(text, Holder, format="xml", guards=[check(lambda value: None).on("/Holder/lines/text")])
    assert outcome.ok


# -- streams of the SDKs -----------------------------------------------------------------------------------------------

MANY = 2_000


def _responses(events, item):
    """All that a wrapped client does with the events of one item of `responses`."""
    whole = {"output": [item], "status": "completed"}
    chunks = ResponseChunks(lambda raw: Reply("a"), Tools())
    seen = [*events, {"type": "response.completed", "response": whole}]
    assert "".join(map(chunks.text, seen)) == ""
    assert chunks.agrees(whole, "", seen)
    assert [chunks.cleared(event) for event in seen].count(GONE) == 0
    assert not chunks.agrees({**whole, "output": [{**item, "content": [], "summary": []}]}, "", seen)


def _annotations(*, numbered=False):
    cited = [{"type": "url_citation", "url": f"https://a/{number}", "title": "A"} for number in range(MANY)]
    text = {"type": "output_text", "text": "a", "annotations": cited}
    added = {"type": "response.output_text.annotation.added", "output_index": 0, "content_index": 0}
    events = [{**added, "annotation": one} for one in cited]
    if numbered:
        events = [{**event, "annotation_index": number} for number, event in enumerate(events)]
    _responses(events, {"type": "message", "content": [text]})


def _parts():
    parts = [{"type": "output_text", "text": "a", "annotations": []} for _ in range(MANY)]
    done = {"type": "response.content_part.done", "output_index": 0}
    events = [{**done, "content_index": number, "part": part} for number, part in enumerate(parts)]
    _responses(events, {"type": "message", "content": parts})


def _summaries():
    parts = [{"type": "summary_text", "text": "a"} for _ in range(MANY)]
    delta = {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "a"}
    _responses([{**delta, "summary_index": number} for number in range(MANY)], {"type": "reasoning", "summary": parts})


def _pieces_of_a_thought():
    delta = {
        "type": "response.reasoning_summary_text.delta",
        "output_index": 0,
        "summary_index": 0,
        "delta": "word " * 99,
    }
    item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "word " * 99 * MANY}]}
    _responses([delta] * MANY, item)


def _blocks(tools):
    chunks = MessageChunks(lambda raw: Reply("a"), tools)
    for number in range(2 * MANY):
        block = {"type": "text", "text": ""}
        chunks.text({"type": "content_block_start", "index": number, "content_block": block})
        chunks.text({"type": "content_block_delta", "index": number, "delta": {"type": "text_delta", "text": "a"}})
        assert not chunks.holds


def _calls():
    chunks = StreamedCalls(Tools(names=frozenset({"f"})))
    for number in range(4 * MANY):
        body = {"name": "f", "arguments": "{}"}
        chunks.take({"tool_calls": [{"index": number, "id": f"c{number}", "type": "function", "function": body}]})
    assert len(chunks.members()["tool_calls"]) == 4 * MANY


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(partial(_annotations, numbered=True), id="annotations"),
        pytest.param(_annotations, id="annotations without numbers"),
        pytest.param(_parts, id="parts"),
        pytest.param(_summaries, id="summaries"),
        pytest.param(_pieces_of_a_thought, id="pieces of one thought"),
        pytest.param(partial(_blocks, Tools()), id="blocks"),
        pytest.param(partial(_blocks, None), id="blocks of an unknown request"),
        pytest.param(_calls, id="calls"),
    ],
)
def test_a_stream_of_an_sdk_costs_its_events(work):
    """However many annotations, parts, blocks or calls came before an event, it is looked up and not looked for."""
    with cpu_within(0.6):
        work()
