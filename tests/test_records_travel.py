"""The record that travels: linear in the conversation, into JSON and back, to other processes, in every format."""

from __future__ import annotations

import copy
import json
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

import pytest
from jsonschema import Draft202012Validator
from models import BAD, GOOD, Ticket
from test_schemas import RECORD

import guards
from guards import (
    Budget,
    Fallback,
    Filter,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Reflect,
    Rejected,
    Reply,
    check,
    validate,
)
from guards.contracts import JsonSchema, Text, XmlSchema
from guards.errors import ConfigError, Fault
from guards.identity import fingerprint
from guards.records import Attempt, Outcome, Usage
from guards.testing import ScriptedModel

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n" type="xs:int"/></xs:schema>"""


class Locked(Exception):
    """A fault that cannot go to another process."""

    def __init__(self, words):
        super().__init__(words)
        self.lock = threading.Lock()


@check
def fails(value, context):
    raise Locked("held")


@check
def fixed(value, context):
    return Finding("test.case", "upper", "/title", fix=value.title.upper()) if not value.title.isupper() else None


def many(count):
    """A call of so many attempts, none of which holds."""
    ticket = Guarded(Ticket, on_fail=Reask(times=count).then(Raise()), budget=Budget(attempts=count))
    answers = [json.dumps({"title": "x" * 400, "priority": 10 + number}) for number in range(count)]
    return ticket.run(ScriptedModel(answers), "q" * 4000)


OUTCOMES = {
    "accepted": lambda: Guarded(Ticket).run(
        ScriptedModel([BAD, GOOD]), "a", tags={"tenant": "acme", "n": 3, "x": None}
    ),
    "rejected": lambda: many(3),
    "reflected": lambda: Guarded(Ticket, on_fail=Reflect(mode="separate")).run(
        ScriptedModel([BAD, "sorry", GOOD]), "a"
    ),
    "fixed": lambda: Guarded(Ticket, guards=[fixed], on_fail=Fix().then(Raise())).run(ScriptedModel([GOOD]), "a"),
    "filtered": lambda: Guarded(list[int], on_fail=Filter().then(Raise())).run(ScriptedModel(['[1, "x"]']), "a"),
    "fallen back": lambda: Guarded(Ticket, on_fail=Fallback({"title": 1})).run(ScriptedModel([BAD]), "a"),
    "a guard that failed": lambda: Guarded(Ticket, guards=[fails]).run(ScriptedModel([GOOD]), "a"),
    "json schema": lambda: validate("[1]", JsonSchema({"type": "array"})),
    "text": lambda: Guarded(Text(), on_fail=Noop()).run(ScriptedModel([""]), "a"),
    "a type as xml": lambda: Guarded(Ticket, format="xml").run(
        ScriptedModel(["<Ticket><title>x</title><priority>9</priority></Ticket>"] * 3), "a"
    ),
    "xml schema": lambda: validate("<n>5</n>", XmlSchema(XSD)),
    "xml schema, refused": lambda: validate("<n>five</n>", XmlSchema(XSD)),
    "abandoned": lambda: left(),
}


def left():
    loop = Guarded(Ticket).attempts("a")
    for attempt in loop:
        with attempt:
            attempt.offer(BAD)
            break
    return loop.outcome


@pytest.fixture(params=OUTCOMES)
def outcome(request):
    return OUTCOMES[request.param]()


@pytest.mark.parametrize("content", [True, False])
def test_every_outcome_fits_the_schema(outcome, content):
    """What `to_dict` and `to_json` give is a record of version 2, of the library's version, with its own id and time."""
    record = json.loads(outcome.to_json(content=content))
    RECORD.validate(record)
    assert (record["version"], record["library"], record["id"]) == (2, guards.__version__, outcome.id)
    assert re.fullmatch("[0-9a-f]{32}", record["id"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(record["time"])).total_seconds()) < 600


def test_every_outcome_comes_back_from_its_record(outcome):
    """`from_dict` gives an outcome whose record is the same, also from JSON."""
    record = outcome.to_dict()
    assert Outcome.from_dict(record).to_dict() == record
    assert Outcome.from_dict(json.loads(outcome.to_json())).to_json() == outcome.to_json()
    back = Outcome.from_dict(record)
    assert (back.ok, back.text, back.reason, back.scores) == (outcome.ok, outcome.text, outcome.reason, outcome.scores)
    assert [a.decision for a in back.attempts] == [a.decision for a in outcome.attempts]
    assert [len(a.messages) for a in back.attempts] == [len(a.messages) for a in outcome.attempts]


def test_a_record_without_content_comes_back_too(outcome):
    """Verdict, reason, scores and codes are there again; texts and values are not."""
    back = Outcome.from_dict(json.loads(outcome.to_json(content=False)))
    assert (back.ok, str(back.reason), back.scores) == (outcome.ok, str(outcome.reason), outcome.scores)
    assert [f.code for f in back.findings] == [f.code for f in outcome.findings]
    assert back.value is None
    assert back.text is None


def test_every_outcome_travels(outcome):
    """Pickled, copied and copied deeply it is equal by its record; so is the rejection that carries it."""
    for again in (pickle.loads(pickle.dumps(outcome)), copy.copy(outcome), copy.deepcopy(outcome)):
        assert again.to_json() == outcome.to_json()
    if not outcome.ok:
        error = outcome.rejection()
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), back.outcome.id) == (type(error), str(error), outcome.id)


def in_process(name):
    return OUTCOMES[name]()


def rejected_in_process():
    Guarded(Ticket, guards=[fails]).call(ScriptedModel([GOOD]), "a")


def test_outcomes_and_rejections_cross_a_process_pool():
    """Each kind of outcome comes home from another process, and a rejection is raised here as it was there."""
    with ProcessPoolExecutor(1) as pool:
        for name, outcome in zip(OUTCOMES, pool.map(in_process, OUTCOMES), strict=True):
            assert outcome.to_dict()["version"] == 2, name
        with pytest.raises(Rejected, match="could not do its work"):
            pool.submit(rejected_in_process).result()


def test_a_cause_that_cannot_travel_says_what_it_was():
    """In its place stands a `Fault` with its class, its words and where it was raised."""
    with ProcessPoolExecutor(1) as pool, pytest.raises(Rejected) as caught:
        pool.submit(rejected_in_process).result()
    cause = caught.value.outcome.cause
    assert isinstance(cause, Fault)
    assert (cause.kind, cause.message) == (f"{__name__}.Locked", "held")
    assert "in fails" in cause.traceback


def test_the_record_is_linear_in_the_conversation():
    """Four times the attempts make a record of about four times the size: each turn stands in it once."""
    sizes = {count: len(many(count).to_json()) for count in (8, 32)}
    assert sizes[32] < 4.5 * sizes[8]
    record = many(8).to_dict()
    assert len(record["conversation"]) == 15
    assert [one["messages"] for one in record["attempts"]] == [[[0, 1 + 2 * number]] for number in range(8)]


def test_a_record_of_the_first_version_is_read():
    """What was written before records had a version becomes an outcome: messages stand in each attempt there."""
    record = OUTCOMES["accepted"]().to_dict()
    turns = record.pop("conversation")
    for key in ("version", "id", "time", "library", "ticket", "tags"):
        del record[key]
    for attempt in record["attempts"]:
        attempt["messages"] = [turn for start, end in attempt["messages"] for turn in turns[start:end]]
    back = Outcome.from_dict(record)
    assert back.ok
    assert back.ticket is None
    assert [len(a.messages) for a in back.attempts] == [1, 3]
    assert back.to_dict()["attempts"][1]["messages"] == [[0, 3]] or len(back.to_dict()["conversation"]) == 4


@pytest.mark.parametrize("given", [{}, {"version": 3}, {"version": 2, "ok": True}, [], None, "x"])
def test_what_is_no_record_is_refused(given):
    """`ConfigError` says that it is none."""
    with pytest.raises(ConfigError, match="no record of a call"):
        Outcome.from_dict(given)


def test_the_sdks_own_response_stays_in_this_process():
    """`Attempt.raw` is what the client gave; JSON and pickle go without it."""
    response = object()
    outcome = Guarded(Ticket).run(lambda messages: Reply(GOOD, raw=response), "a")
    assert outcome.attempts[0].raw is response
    assert "raw" not in outcome.to_json()
    assert pickle.loads(pickle.dumps(outcome)).attempts[0].raw is None
    assert copy.copy(outcome).attempts[0].raw is response


def test_a_session_sums_up_and_gives_its_tags():
    """`session.usage` is the sum over its calls, and tags of session and call are in the record of each."""
    with Guarded(Ticket).session(tags={"tenant": "acme", "run": 1}) as session:
        for number in range(2):
            session.call(
                lambda messages: Reply(GOOD, {"input_tokens": 5, "output_tokens": 1}), "a", tags={"run": number}
            )
    assert session.usage == Usage(10, 2)
    assert [o.tags for o in session.outcomes] == [{"tenant": "acme", "run": 0}, {"tenant": "acme", "run": 1}]


@pytest.mark.parametrize("tags", [{"a": []}, {1: "a"}, ["a"], "ab", {"a": object()}])
def test_tags_are_names_with_short_values(tags):
    """Anything else is a `ConfigError` before a model is asked."""
    model = ScriptedModel([GOOD])
    with pytest.raises(ConfigError, match="tags="):
        Guarded(Ticket).call(model, "a", tags=tags)
    assert model.calls == []


def test_a_record_names_its_ticket():
    """Its fingerprint is that of the ticket, and of the type that a validation was asked for; None where a guard has
    none."""
    ticket = Guarded(Ticket)
    assert ticket.run(ScriptedModel([GOOD]), "a").ticket == fingerprint(ticket) == validate(GOOD, Ticket).ticket
    assert ticket.run(ScriptedModel([GOOD]), "a").name == "Ticket"
    untold = Guarded(Ticket, guards=[check(eval("lambda value, context: None"))])
    assert untold.run(ScriptedModel([GOOD]), "a").ticket is None


@pytest.mark.parametrize("kind", [Attempt, Outcome])
def test_records_are_made_by_keyword(kind):
    """A swapped pair of positions would be silent."""
    with pytest.raises(TypeError, match="positional"):
        kind(True, 1, "x")


def test_the_schema_names_its_version():
    """The document is valid and says which version it is."""
    Draft202012Validator.check_schema(RECORD.schema)
    assert RECORD.schema["$id"].endswith("run-record:2")
