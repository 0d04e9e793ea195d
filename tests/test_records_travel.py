"""The record that travels: linear in the conversation, into JSON and back, to other processes, in every format."""

from __future__ import annotations

import copy
import json
import pickle
import re
import threading
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan

import pytest
from jsonschema import Draft202012Validator
from models import BAD, GOOD, Ticket
from pydantic import BaseModel
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
from guards.records import Attempt, Head, Outcome, Usage
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
    for key in ("version", "content", "id", "time", "library", "ticket", "tags"):
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


@pytest.mark.parametrize(
    "tags", [{"a": []}, {1: "a"}, ["a"], "ab", {"a": object()}, {"a": nan}, {"a": -inf}, {"a": 10**5000}]
)
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


class Digest(BaseModel):
    """A value that looks like what stands in the place of a content."""

    length: int
    sha256: str


def first_version(record):
    """The same as it was written before records had a version."""
    turns = record["conversation"]
    spans = [[turn for start, end in one["messages"] for turn in turns[start:end]] for one in record["attempts"]]
    attempts = [{**one, "messages": span} for one, span in zip(record["attempts"], spans, strict=True)]
    later = ("version", "content", "id", "time", "library", "ticket", "tags", "conversation")
    return {name: attempts if name == "attempts" else told for name, told in record.items() if name not in later}


@pytest.mark.parametrize("written", [dict, first_version])
def test_a_value_that_looks_like_a_digest_is_a_value(written):
    """Whether a content is there is told by the record as a whole, not by the form of a value."""
    answer = {"length": 3, "sha256": "ab"}
    outcome = Guarded(Digest).run(ScriptedModel([json.dumps(answer)]), "q")
    assert Outcome.from_dict(written(outcome.to_dict())).value == answer
    without = Outcome.from_dict(written(outcome.to_dict(content=False)))
    assert (without.ok, without.value, without.text, without.attempts[0].text) == (True, None, None, None)


def test_the_first_version_without_an_answer_tells_by_its_reason():
    """A value that a policy delivered where no answer came is there, and not where the record is without content."""
    outcome = Outcome(ok=False, value={"length": 1, "sha256": "x"}, text=None, delivered_by="fallback")
    assert Outcome.from_dict(first_version(outcome.to_dict())).value == outcome.value
    assert Outcome.from_dict(first_version(outcome.to_dict(content=False))).value is None


@pytest.mark.parametrize("content", [True, False])
def test_a_record_says_whether_content_is_in_it(content):
    """The member `content` is one that the schema demands, and that decides which form holds."""
    record = OUTCOMES["rejected"]().to_dict(content=content)
    assert record["content"] is content
    assert RECORD.is_valid(record)
    assert not RECORD.is_valid({**record, "content": not content})
    del record["content"]
    assert not RECORD.is_valid(record)


NO_RECORDS = [
    {"content": "yes"},
    {"ok": 1},
    {"text": 3},
    {"id": None},
    {"id": 3},
    {"time": "yesterday"},
    {"time": None},
    {"library": None},
    {"ticket": {}},
    {"ticket": {"name": 3, "fingerprint": None}},
    {"tags": None},
    {"tags": {"a": []}},
    {"scores": None},
    {"scores": {"a": "b"}},
    {"scores": {"a": nan}},
    {"seconds": None},
    {"seconds": -1},
    {"seconds": inf},
    {"usage": None},
    {"findings": None},
    {"findings": [3]},
    {"repairs": "ab"},
    {"conversation": None},
    {"conversation": ["a"]},
    {"attempts": None},
    {"attempts": [None]},
    {"reason": None},
    {"reason": {"code": 3, "message": ""}},
    {"delivered_by": 3},
]


@pytest.mark.parametrize("wrong", NO_RECORDS)
def test_a_member_of_another_kind_makes_it_no_record(wrong):
    """Each is refused where it is read, and not where somebody first uses it."""
    record = OUTCOMES["accepted"]().to_dict()
    with pytest.raises(ConfigError, match="no record of a call"):
        Outcome.from_dict({**record, **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        *({"messages": ranges} for ranges in ([[0, 10**9]], [[-1, 1]], [[2, 1]], [[0]], [0], None, [["a", "b"]])),
        *({name: 3} for name in ("text", "reflection", "skipped", "decision", "scores", "findings", "usage")),
    ],
)
def test_an_attempt_of_another_kind_makes_it_no_record(wrong):
    """Turns that the conversation does not have, and members of another kind."""
    record = OUTCOMES["accepted"]().to_dict()
    record["attempts"][0].update(wrong)
    with pytest.raises(ConfigError, match="no record of a call"):
        Outcome.from_dict(record)


@pytest.mark.parametrize(
    "said",
    [1.5, pytest.param(10**5000, id="huge"), 2**63, -1, nan, inf, Decimal("NaN"), Decimal("0.5"), True, "3"],
)
def test_tokens_are_whole_numbers(said):
    """What is none was not said by a reply, and is a `ConfigError` where it is written; a whole one may be a float."""
    outcome = Guarded(Ticket).run(lambda messages: Reply(GOOD, {"input_tokens": said, "output_tokens": 2.0}), "a")
    assert outcome.usage == Usage(None, 2)
    RECORD.validate(json.loads(outcome.to_json()))
    with pytest.raises(ConfigError, match="whole number"):
        Usage(input_tokens=said)


def test_the_most_tokens_twice_are_still_a_number():
    """A reply that lies about its tokens does not break the call that sums them up."""
    most = 2**63 - 1
    model = ScriptedModel([Reply(BAD, {"input_tokens": most}), Reply(GOOD, {"input_tokens": most})])
    outcome = Guarded(Ticket).run(model, "a")
    assert (outcome.ok, outcome.usage.input_tokens) == (True, most)
    RECORD.validate(json.loads(outcome.to_json()))


class Misled:
    """Pickles, and cannot be unpickled."""

    def __reduce__(self):
        return Misled, (1, 2)

    def __repr__(self):
        return "misled"


class Holder:
    """Holds what can be neither pickled nor copied."""

    def __init__(self):
        self.lock = threading.Lock()

    def __repr__(self):
        return "holder"


@pytest.mark.parametrize("held", [Misled, Holder])
def test_what_cannot_come_out_in_another_process_goes_as_data(held):
    """A value, a message and evidence that only fail where they are unpickled are tried before."""
    turn = {"role": "user", "content": held()}
    finding = Finding("test.case", "x", evidence=held())
    outcome = Outcome(
        ok=True, value=held(), text="x", findings=(finding,), attempts=(Attempt(messages=(turn,), findings=(finding,)),)
    )
    for again in (pickle.loads(pickle.dumps(outcome)), pickle.loads(pickle.dumps(outcome.rejection())).outcome):
        word = repr(held())
        assert (again.value, again.findings[0].evidence) == (word, word)
        assert again.attempts[0].messages == ({"role": "user", "content": word},)


def test_a_deep_copy_shares_what_cannot_be_copied():
    """The part with a lock is the same one; the rest is its own, whole and in no relation to what was begun."""
    both = ["x"]
    value = [both, Holder()]
    outcome = Outcome(ok=True, value=value, text="x", attempts=(Attempt(messages=({"content": both},), raw=value),))
    again = copy.deepcopy(outcome)
    assert again.value is value
    assert again.attempts[0].messages == ({"content": ["x"]},)
    assert again.attempts[0].messages[0]["content"] is not both
    assert again.attempts[0].raw is value
    attempt = Attempt(messages=({"content": Holder()},), scores={"a": 1.0})
    other = copy.deepcopy(attempt)
    assert other.messages is attempt.messages
    assert other.scores == attempt.scores
    assert other.scores is not attempt.scores
    assert copy.deepcopy(outcome.rejection()).outcome.value is value


def test_copies_of_an_attempt_keep_what_the_sdk_gave():
    """`raw` stays in this process, and in each of its copies."""
    response = threading.Lock()
    outcome = Guarded(Ticket).run(lambda messages: Reply(GOOD, raw=response), "a", tags={"a": 1})
    for attempt in (copy.copy(outcome.attempts[0]), copy.deepcopy(outcome).attempts[0], copy.copy(outcome).attempts[0]):
        assert attempt.raw is response
        assert attempt == outcome.attempts[0]
    again = copy.deepcopy(outcome)
    assert (again.id, again.tags, again.ticket) == (outcome.id, outcome.tags, outcome.ticket)
    assert again.tags is not outcome.tags
    assert again.head.origin is outcome.head.origin


def test_the_time_comes_out_of_a_pickle_as_it_went_in():
    """Not to the microsecond, as JSON has it."""
    for at in (0.1234567891, 1e9 + 1 / 3):
        head = Head(tags={"a": 1})
        head.at = at
        again = pickle.loads(pickle.dumps(head))
        assert (again.at, again.id, again.tags, again.library) == (at, head.id, head.tags, head.library)


def test_the_engine_gives_every_fact_and_no_other(outcome):
    """Records are made of their facts unchecked: those are exactly the fields of their classes."""
    for record in (outcome, *outcome.attempts):
        assert vars(record).keys() == {one.name for one in fields(record)}
