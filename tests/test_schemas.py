"""schemas/: the documents are what they say they are, and real records fit them."""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree

from guards.documents import document, path_of
from guards.findings import Finding
from guards.records import Attempt, Outcome, Reason, Repair, Usage, plain

FOLDER = path_of("run-record.schema.json").parent
SCHEMAS = sorted(path.name for path in FOLDER.glob("*.schema.json"))
GRAMMARS = sorted(path.name for path in FOLDER.glob("*.xsd"))

RECORD = Draft202012Validator(document("run-record.schema.json"))
FINDING = Draft202012Validator(document("finding.schema.json"))


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Order:
    total: Decimal
    at: datetime


FINDINGS = [
    Finding("json.syntax", "not JSON"),
    Finding("schema.minimum", "too small", "/line/0/total", expected=0, actual=-1.5, fix=0),
    Finding("nli.unsupported", "not in the source", "/a", "Entailment", "error", 0.2, 0.5, ["a", "b"], None, "x", None),
    Finding("guard.failed", "no model", guard="Toxicity", severity="unknown"),
    Finding("guard.note", "a word", "/ticket/line[2]", severity="warning", evidence={"at": datetime.now(UTC)}),
]
REPAIRS = [
    Repair("read.fence", "a fence was taken off"),
    Repair("fix", "redacted", "/a", "secret", {"b": [1]}),
    Repair("policy.fix", "redacted", "/messages/0/content", "a secret", "x", asked=True),
]
ATTEMPTS = [
    Attempt(),
    Attempt(
        messages=({"role": "user", "content": "a secret"}, {"role": "tool", "tool_call_id": "1", "content": [1, 2]}),
        text="a secret \ud800",
        findings=tuple(FINDINGS),
        repairs=tuple(REPAIRS),
        scores={"Length": 0.0, "Toxicity#2": 0.93},
        skipped=("Judge",),
        reflection="my secret error",
        usage=Usage(3, 4, 0.001),
        seconds=0.2,
        decision="reflect",
    ),
]
OUTCOMES = {
    "accepted": Outcome(ok=True, value={"a": 1}, text='{"a": 1}'),
    "nothing came": Outcome(ok=False, value=None, text=None, reason=Reason("reply.empty", "secret")),
    "all of it": Outcome(
        ok=False,
        value=Order(Decimal("1.10"), datetime(2026, 1, 1, tzinfo=UTC)),
        text="a secret",
        findings=tuple(FINDINGS),
        scores={"Length": 1.0},
        repairs=tuple(REPAIRS),
        attempts=tuple(ATTEMPTS),
        usage=Usage(6, None, 0.5),
        seconds=1.5,
        reason=Reason("budget.attempts", "secret"),
        delivered_by="noop",
        cause=ValueError("secret"),
    ),
    "an enum": Outcome(ok=True, value=Colour.RED, text="red", delivered_by=None),
    "not a number": Outcome(ok=True, value=[float("nan"), float("inf")], text="[NaN]"),
    "no value": Outcome(ok=True, value=None, text="null"),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_json_schema_with_an_id(name: str):
    """Every *.schema.json is a valid 2020-12 schema that names itself, and says what it is for."""
    schema = document(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    version = 2 if name == "run-record.schema.json" else 1
    assert schema["$id"] == f"urn:output-guards:{name.removesuffix('.schema.json')}:{version}"
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", GRAMMARS)
def test_each_is_an_xml_schema(name: str):
    """Every *.xsd is a valid XML Schema with a mark of its own."""
    tree = etree.parse(path_of(name), etree.XMLParser(no_network=True, resolve_entities=False))
    etree.XMLSchema(tree)
    assert tree.getroot().get("id") == f"urn-output-guards-{name.removesuffix('.xsd')}-1"


def test_the_ids_are_different():
    """No two documents carry the same $id."""
    ids = [document(name)["$id"] for name in SCHEMAS]
    assert len(set(ids)) == len(ids)


def test_the_folder_holds_documents_only():
    """schemas/ holds no Python, so that no top-level package of that name can come about."""
    assert {path.suffix for path in FOLDER.iterdir()} <= {".json", ".xsd", ".rng"}


def test_the_record_carries_the_finding():
    """The finding inside the run record is the document of that name, so that one file is enough to check a record."""
    assert document("run-record.schema.json")["$defs"]["finding"] == document("finding.schema.json")


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("name", OUTCOMES)
def test_a_record_fits(name: str, content: bool):
    """What Outcome gives, as data and as JSON, with and without content, fits the run-record schema."""
    outcome = OUTCOMES[name]
    RECORD.validate(outcome.to_dict(content=content))
    RECORD.validate(json.loads(outcome.to_json(content=content)))


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("finding", FINDINGS, ids=lambda f: f.code)
def test_a_finding_fits(finding: Finding, content: bool):
    """What Finding gives fits the finding schema."""
    FINDING.validate(plain(finding.to_dict(content=content)))


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_record_without_content_tells_nothing(name: str):
    """A record without content fits the form without content, and nothing of a text is in it."""
    schema = {**document("run-record.schema.json"), "anyOf": [{"$ref": "#/$defs/without-content"}]}
    record = OUTCOMES[name].to_dict(content=False)
    Draft202012Validator(schema).validate(record)
    assert "secret" not in json.dumps(record)


@pytest.mark.parametrize("content", [True, False])
def test_the_library_itself_takes_the_record(content: bool):
    """The published schema is one that the library reads, and its own record holds under it."""
    from guards import validate

    outcome = validate(OUTCOMES["all of it"].to_json(content=content), path_of("run-record.schema.json"))
    assert outcome.findings == ()
    assert outcome.ok


def test_a_mixture_is_refused():
    """A record without content that kept one text is refused by the schema."""
    record = OUTCOMES["all of it"].to_dict(content=False)
    record["attempts"][1]["reflection"] = "my secret error"
    assert not RECORD.is_valid(record)


@pytest.mark.parametrize(
    "change",
    [
        {"ok": None},
        {"extra": 1},
        {"reason": "accepted"},
        {"delivered_by": "luck"},
        {"seconds": -1},
        {"findings": [{"code": "x"}]},
        {"attempts": [{}]},
        {"usage": {"input_tokens": -1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_wrong_record_is_refused(change: dict):
    """The schema is no formality: each of these is not a record."""
    record = OUTCOMES["accepted"].to_dict()
    assert RECORD.is_valid(record)
    assert not RECORD.is_valid(record | change)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_PLAIN, st.text(st.characters()), st.booleans())
def test_any_value_makes_a_record_that_fits(value: object, text: str, content: bool):
    """Whatever value and text a call ends with, its record fits."""
    outcome = Outcome(ok=True, value=value, text=text, findings=(Finding("x", text, actual=value),))
    RECORD.validate(json.loads(outcome.to_json(content=content)))


GOOD = {
    "verdict": {"reasons": ["it cites the source"], "verdict": "pass", "score": 0.9},
    "citation-answer": {"citations": [{"source": "terms", "quote": "14 days"}], "answered": True, "answer": "14 days."},
    "ticket": {
        "subject": "Pump does not start",
        "category": "defect",
        "priority": "high",
        "customer": {"name": "Ana", "email": "ana@example.org"},
        "request": ["a new pump", "the invoice"],
        "days_open": 2,
    },
    "extraction": {
        "entity": [{"id": "e1", "type": "person", "text": "Ana"}, {"id": "e2", "type": "place", "text": "Oslo"}],
        "relation": [{"type": "lives_in", "from": "e1", "to": "e2"}],
    },
}
BAD = [
    ("verdict", {"score": 1.1}, "/score"),
    ("verdict", {"reasons": []}, "/reasons"),
    ("verdict", {"verdict": "maybe"}, "/verdict"),
    ("citation-answer", {"citations": []}, "/citations"),
    ("citation-answer", {"answer": ""}, "/answer"),
    ("ticket", {"priority": "very high"}, "/priority"),
    ("ticket", {"customer": {"email": "ana@example.org"}}, "/customer"),
    ("ticket", {"request": []}, "/request"),
    ("ticket", {"mood": "angry"}, ""),
    ("extraction", {"entity": [{"id": "e1", "type": "person"}]}, "/entity/0"),
]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_fits(name: str):
    """Each ready-made contract accepts an answer that is meant to fit."""
    Draft202012Validator(document(f"{name}.schema.json")).validate(GOOD[name])


@pytest.mark.parametrize("name", GOOD)
def test_each_stands_as_a_contract(name: str):
    """Each ready-made contract, in JSON and where there is one in XML, can be given to the library as it is."""
    from guards import validate

    assert validate(json.dumps(GOOD[name]), path_of(f"{name}.schema.json")).value == GOOD[name]
    if f"{name}.xsd" in GRAMMARS:
        answer = etree.tostring(_xml(name, GOOD[name]), encoding="unicode")
        assert validate(answer, path_of(f"{name}.xsd")).value == GOOD[name]


@pytest.mark.parametrize(("name", "change", "path"), BAD)
def test_a_bad_answer_does_not_fit(name: str, change: dict, path: str):
    """Each ready-made contract refuses an answer with one thing wrong, at the place where it is wrong."""
    errors = list(Draft202012Validator(document(f"{name}.schema.json")).iter_errors(GOOD[name] | change))
    assert ["".join(f"/{part}" for part in error.absolute_path) for error in errors] == [path]


def test_without_an_answer_no_citation_is_asked_for():
    """Where the sources do not answer, a citation answer may come without a citation."""
    schema = Draft202012Validator(document("citation-answer.schema.json"))
    assert schema.is_valid({"citations": [], "answered": False, "answer": "The terms do not mention refunds."})


def _xml(name: str, value: object) -> etree._Element:
    element = etree.Element(name)
    if isinstance(value, dict):
        for key, inner in value.items():
            element.extend(_xml(key, one) for one in (inner if isinstance(inner, list) else [inner]))
    else:
        element.text = str(value)
    return element


@pytest.mark.parametrize("name", [name.removesuffix(".xsd") for name in GRAMMARS])
def test_the_xml_schema_says_the_same(name: str):
    """An answer that fits the JSON form of a contract fits its XML form, and a wrong one fits neither."""
    grammar = etree.XMLSchema(etree.parse(path_of(f"{name}.xsd")))
    grammar.assertValid(_xml(name, GOOD[name]))
    for other, change, _path in BAD:
        if other == name:
            assert not grammar.validate(_xml(name, GOOD[name] | change)), change


def test_an_xml_relation_names_an_entity():
    """In XML a relation to an entity that is not there is refused."""
    grammar = etree.XMLSchema(etree.parse(path_of("extraction.xsd")))
    wrong = GOOD["extraction"] | {"relation": [{"type": "lives_in", "from": "e1", "to": "e9"}]}
    assert not grammar.validate(_xml("extraction", wrong))
    assert re.search("e9", str(grammar.error_log))
