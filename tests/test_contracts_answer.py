"""Contracts answer for their format: where guards may stand, what a stream shows, which parts can be asked for, and what
a decoder can be held to."""

import json
import pickle

import pytest
from pydantic import BaseModel

from guards import Budget, ConfigError, Guarded, Limits, Reask, Rejected, contract
from guards.checks import Length
from guards.checks import Pattern as PatternGuard
from guards.contracts import Choice, Grammar, JsonSchema, Pattern, Rail, RelaxNG, Text, XmlSchema
from guards.contracts.compiled import compile_contract
from guards.contracts.live import Watched
from guards.findings import Finding
from guards.testing import ScriptedModel


class Line(BaseModel):
    sku: str
    note: str = ""


class Order(BaseModel):
    number: str
    lines: list[Line] = []


XSD = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence>'
    '<xs:element name="number" type="xs:int"/><xs:element name="note" type="xs:string"/>'
    "</xs:sequence></xs:complexType></xs:element></xs:schema>"
)
RNG = (
    '<element name="order" xmlns="http://relaxng.org/ns/structure/1.0">'
    '<element name="number"><text/></element><element name="note"><text/></element></element>'
)
RAIL = '<rail version="0.1"><output><string name="number"/></output></rail>'
JSON = [Order, JsonSchema(Order.model_json_schema()), Rail(RAIL)]
XML = [XmlSchema(XSD), RelaxNG(RNG)]
TEXTS = [Text(), Choice(["yes", "no"]), Pattern("[0-9]+")]


def in_xml(type_):
    return compile_contract(type_, "xml")


ALL = [*map(compile_contract, JSON), *XML, in_xml(Order), *TEXTS]


@pytest.mark.parametrize("made", ALL, ids=repr)
def test_a_place_of_another_format_is_refused(made):
    """The form of a path is the format's own affair, and the error says which form is meant."""
    wanted = {
        "json": ("//number", "cannot be a place of an answer in json", "a JSONPath, like $.reply"),
        "xml": ("$.number", "cannot be a place of an answer in xml", "an XPath, like //reply"),
        "text": ("//number", "cannot be a place of an answer in text", "no .on(): text is whole"),
    }
    path, words, hint = wanted[made.format]
    with pytest.raises(ConfigError, match=words) as error:
        Guarded(made, guards=[Length(max=3).on(path)])
    assert (error.value.where, error.value.hint) == ("length.on()", f"use {hint}")
    if made.format == "text":
        with pytest.raises(ConfigError, match="a text has no places"):
            Guarded(made, guards=[Length(max=3).on("$.number")])


@pytest.mark.parametrize("made", [one for one in ALL if one.is_data], ids=repr)
def test_a_place_that_no_answer_has_is_refused(made):
    """A guard that would never run is wrong where it is written, whatever the contract is made of."""
    with pytest.raises(ConfigError):
        Guarded(made, guards=[Length(max=3).on("//number/x" if made.format == "xml" else "$.number.x")])


@pytest.mark.parametrize(
    ("made", "grammar"),
    [
        (contract(int), Grammar("json-schema", {"type": "integer"})),
        (contract({"enum": [1, 2.5]}), Grammar("json-schema", {"enum": [1, 2.5]})),
        (contract(Rail(RAIL)), Grammar("json-schema", Rail(RAIL).json_schema())),
        (contract(Choice(["yes", "no"])), Grammar("choice", ("yes", "no"))),
        (contract(Pattern("[0-9]+")), Grammar("regex", "[0-9]+")),
        (contract(Text()), None),
        (contract(XmlSchema(XSD)), None),
        (contract(RelaxNG(RNG)), None),
        (contract(Order, format="xml"), None),
    ],
    ids=repr,
)
def test_what_a_decoder_can_be_held_to(made, grammar):
    """A JSON Schema, options or a regular expression; nothing for free text and XML."""
    assert made.grammar() == grammar
    assert pickle.loads(pickle.dumps(grammar)) == grammar


def test_a_type_without_a_schema_has_no_grammar():
    """What no JSON Schema can say is left to the reading of the answer."""

    class Odd:
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            from pydantic_core import core_schema

            return core_schema.no_info_plain_validator_function(lambda given: given)

    assert contract(Odd).grammar() is None


def test_what_can_be_judged_while_an_answer_comes():
    """Below a known place of JSON and in any text; never the whole of JSON, nor anything of XML."""
    order, text, xml = compile_contract(Order), Text(), in_xml(Order)
    assert order.watched_at("$.number") == (("number",),)
    assert order.watched_at("$.lines[*].sku") == (("lines", None, "sku"),)
    assert order.watched_at("$") is None
    assert order.watched_at("$..sku") is None
    assert order.watched_at(None) is None
    assert text.watched_at(None) == ((),)
    assert xml.watched_at("//number") is None
    assert xml.watched_at(None) is None


def test_a_part_carries_the_marks_of_those_that_look_at_it():
    """Views know nothing of guards: what is given to them as a mark comes back with the part, once for each form."""
    mark, other = object(), object()
    watched = [Watched((("number",),), False, mark), Watched((("lines", None, "sku"),), False, other)]
    live = compile_contract(Order).live("", Limits(), watched)
    answer = '{"number": "A", "lines": [{"sku": "a"}, {"sku": "b"}]}'
    parts = [part for piece in answer for part, _ in live.feed(piece) if part is not None]
    assert [(part.document.data, part.path, part.marks) for part in parts] == [
        ("A", "/number", (mark,)),
        ("a", "/lines/0/sku", (other,)),
        ("b", "/lines/1/sku", (other,)),
    ]


def test_a_text_is_looked_at_by_sentence_and_as_what_was_said_so_far():
    """Those that join see all that came, the others each sentence."""
    live = Text().live("", Limits(), [Watched(((),), False, "apart"), Watched(((),), True, "joined")])
    seen = [(part.document.data, part.marks) for part, _ in live.feed("One. Two. Thr") if part is not None]
    assert seen == [("One.", ("apart",)), ("One.", ("joined",)), (" Two.", ("apart",)), ("One. Two.", ("joined",))]


@pytest.mark.parametrize("made", ALL, ids=repr)
def test_a_view_of_nothing_shows_nothing(made):
    """Every contract has a view, and a text without any answer in it is none."""
    live = made.live("")
    assert live.feed("") == []
    assert live.feed(" ") == []


def test_an_answer_in_parts():
    """JSON and XML say what a finding can be answered by; a text has no parts."""
    document = compile_contract(Order).read('{"number": "A", "lines": [{"sku": "a"}]}').document
    parted = compile_contract(Order).parts(document)
    assert parted.part_of(Finding("schema.type", "x", "/lines/0/sku")) == "/lines/0/sku"
    assert parted.part_of(Finding("schema.additionalProperties", "x", "/lines/0/nonsense")) == "/lines/0"
    assert parted.part_of(Finding("schema.type", "x", "/nowhere/at/all")) == ""
    document = XML[0].read("<order><number>1</number><note>a</note></order>").document
    assert XML[0].parts(document).part_of(Finding("schema.type", "x", "/order/number/text()")) == "/order/number"
    assert Text().parts(Text().read("Hello").document) is None


@pytest.mark.parametrize(
    ("reply", "merged"),
    [
        ('{"/number": "B"}', "B"),
        ('Here it is: {"/number": "B"}', "B"),
        ('{"/number": 12345678901234567890.123}', None),
        ('{"number": "B"}', None),
        ('["B"]', None),
        ('{"/number": 1e999}', None),
        ("no", None),
    ],
)
def test_a_reply_of_parts_is_read_by_their_paths(reply, merged):
    """What holds every part is merged, each number as it was written; anything else is no reply of parts."""
    parted = compile_contract(Order).parts(compile_contract(Order).read('{"number": "A"}').document)
    found = parted.merged(["/number"], reply, "careful", Limits())
    if "123456" in reply:
        assert found[0] == '{"number": 12345678901234567890.123}'
    else:
        assert (found and json.loads(found[0])) == (merged and {"number": merged})


def test_a_policy_of_a_guard_that_judges_parts_has_its_turns():
    """A guard refuses part after part of a stream: it asks again as often as it says, as in any call."""
    guard = PatternGuard("bad", forbid=True, on_fail=Reask(2)).on("$.number")
    ticket = Guarded(Order, guards=[guard], budget=Budget(attempts=9))
    answers = [f'{{"number": "bad {number}", "lines": []}}' for number in range(9)]
    for run in (ticket.call, lambda *asked: list(ticket.stream(*asked))):
        with pytest.raises(Rejected) as rejected:
            run(ScriptedModel(answers), "go")
        assert len(rejected.value.outcome.attempts) == 3
