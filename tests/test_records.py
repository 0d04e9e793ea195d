"""What is kept of a call, what a rejection says, what hooks see, and that content can be left out."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
import pickle
from pathlib import Path

import pytest
from models import BAD, GOOD, Ticket

from guards import Budget, Fallback, Finding, Fix, Guarded, Raise, Reflect, Rejected, Reply, check, validate
from guards.errors import BudgetExhausted, ConfigError, GuardFailed, GuardsError, MissingExtra, ScriptExhausted
from guards.events import Answered, Asked, AttemptEnded, AttemptStarted, CallEnded, CallStarted, Decided, FindingFound
from guards.findings import NO_FIX, parse_pointer, rank
from guards.records import Outcome, Reason, Usage, plain
from guards.testing import FixedScores, ScriptedModel

SECRET = "Marianne Weber lives in Kiel"


def secret_run():
    """A call in which the same secret stands in every place that can hold text."""

    @check(on_fail=Fix().then(Reflect()).then(Raise()))
    def leak(value, context):
        return Finding("test.leak", SECRET, "/title", evidence=SECRET, expected=SECRET, actual=SECRET, fix=SECRET)

    answer = json.dumps({"title": SECRET, "priority": 1})
    model = ScriptedModel([f"{SECRET} {answer}", f"<reflection>{SECRET}</reflection>{answer}"])
    return Guarded(Ticket, guards=[leak], budget=Budget(attempts=2)).run(
        model, [{"role": "user", "content": SECRET, "name": SECRET}], context={"mail": SECRET}
    )


def test_every_attempt_is_recorded():
    """Messages, reply, findings, repairs, scores, reflection, usage, seconds and decision of each attempt are kept."""

    @check
    def fine(value, context):
        return None

    usage = {"input_tokens": 7, "output_tokens": 3}
    model = ScriptedModel([Reply(BAD, usage), Reply(f"<reflection>sorry</reflection>Here: {GOOD}", usage)])
    outcome = Guarded(Ticket, guards=[fine], on_fail=Reflect()).run(model, "task")
    first, second = outcome.attempts
    assert first.messages == ({"role": "user", "content": "task"},)
    assert (first.text, first.decision, first.reflection, first.skipped) == (BAD, "reflect", None, ("fine",))
    assert [f.path for f in first.findings] == ["/title", "/priority"]
    assert (second.decision, second.reflection, second.scores) == ("accept", "sorry", {"fine": 1.0})
    assert [r.code for r in second.repairs] == ["text.prose"]
    assert second.messages[:-1] == (*first.messages, {"role": "assistant", "content": BAD})
    assert outcome.usage == Usage(14, 6)
    assert outcome.usage["input_tokens"] == 14
    assert 0 <= first.seconds <= outcome.seconds


def test_a_record_is_plain_json():
    """to_json gives ASCII JSON of the whole record, also with values that JSON has no form for."""
    record = json.loads(secret_run().to_json())
    assert record["ok"] is False
    assert record["reason"]["code"] == "budget.attempts"
    assert len(record["attempts"]) == 2
    value = {"a": {1, 2}, 3: float("inf"), "b": object, "c": Ticket(title="\ud800", priority=1)}
    odd = Outcome(ok=True, value=value, text="\ud800")
    assert json.loads(odd.to_json())["value"]["3"] == "inf"
    assert plain((1, b"x", 2.5)) == [1, "x", 2.5]


def test_content_false_leaves_every_text_out():
    """No text of user, model or source is in the record without content; lengths and hashes are."""
    outcome = secret_run()
    assert SECRET in outcome.to_json()
    without = outcome.to_json(content=False)
    for word in SECRET.split():
        if len(word) > 2:
            assert word not in without
    record = json.loads(without)
    assert record["text"]["length"] == len(outcome.text)
    assert len(record["conversation"][0]["sha256"]) == 64
    assert record["attempts"][1]["reflection"]["length"] == len(SECRET)


@pytest.mark.parametrize("role", [SECRET, 3, None, [SECRET], {"a": SECRET}, "User"])
def test_a_role_of_one_s_own_is_a_text(role):
    """What stands in a role's place and is none is left out without content; the usual roles stay."""
    turns = [{"role": role, "content": "q", "tool_calls": [{"name": SECRET}]}, {"role": "user", "content": "q"}]
    outcome = Guarded(int).run(ScriptedModel(["1"]), turns)
    without = outcome.to_json(content=False)
    assert "Marianne" not in without
    shown, usual = json.loads(without)["conversation"]
    assert shown == {key: usual[key] for key in ("length", "sha256")}
    assert usual["role"] == "user"


def test_a_rejection_reads_well():
    """Under 15 lines: what failed, where, after what; at most 80 characters of a value."""
    with pytest.raises(BudgetExhausted) as caught:
        Guarded(Ticket).call(ScriptedModel([BAD] * 3), "task")
    assert str(caught.value) == (
        "The budget of 3 attempts ended. (after 3 attempts)\n"
        "  /title: is required but missing [schema.required]\n"
        "  /priority: must be at most 5 [schema.maximum], got 9"
    )
    flood = json.dumps({"title": "x", "priority": 1, "tags": list(range(500)), "note": 3})
    outcome = validate(flood, Ticket)
    text = str(outcome.rejection())
    assert len(text.splitlines()) < 15
    assert "492 more" in text
    long = validate(json.dumps({"title": "x", "priority": "z" * 5000}), Ticket)
    assert str(long.rejection()).count("z") <= 80


def test_a_message_that_quotes_the_value():
    """A guard's own message cannot bring a long value into the rejection's text."""

    @check
    def quotes(value, context):
        return f"bad: {value.title}"

    outcome = validate(json.dumps({"title": "z" * 500, "priority": 1}), Ticket, guards=[quotes])
    assert str(outcome.rejection()).count("z") <= 80


def test_every_rejection_carries_the_outcome_and_pickles():
    """The exceptions have code, where, hint and outcome, and survive pickling and copying."""
    outcome = validate(BAD, Ticket)
    error = outcome.rejection()
    assert isinstance(error, Rejected)
    again = pickle.loads(pickle.dumps(error))
    assert again.outcome == outcome
    assert str(again) == str(error)
    assert copy.copy(error).outcome == outcome
    wrong = ConfigError("no", where="x", hint="y")
    assert (str(pickle.loads(pickle.dumps(wrong))), wrong.hint) == ("x: no; y", "y")
    extra = pickle.loads(pickle.dumps(MissingExtra("torch", "models")))
    assert "pip install 'output-guards[models]'" in str(extra)
    assert isinstance(extra, ImportError)
    for kind in (ConfigError, BudgetExhausted, GuardFailed, MissingExtra, ScriptExhausted):
        assert issubclass(kind, GuardsError)
        assert kind.code


def test_hooks_see_the_call():
    """Attempt start, findings, decision, attempt end and the call's end come as frozen values, in order."""
    events = []
    Guarded(Ticket, hooks=[events.append]).run(ScriptedModel([BAD, GOOD]), "task")
    kinds = [type(e) for e in events]
    asked = [AttemptStarted, Asked, Answered]
    assert kinds == [
        CallStarted,
        *[*asked, FindingFound, FindingFound, Decided, AttemptEnded],
        *[*asked, Decided, AttemptEnded],
        CallEnded,
    ]
    assert [e.decision for e in events if isinstance(e, Decided)] == ["reask", "accept"]
    assert events[-1].outcome.ok
    with pytest.raises(AttributeError):
        events[1].number = 3


def test_a_hook_that_raises_loses_nothing():
    """It is reported as a warning in the outcome, and the answer is still accepted."""

    def broken(event):
        raise RuntimeError("hook")

    outcome = Guarded(Ticket, hooks=[broken]).run(ScriptedModel([BAD, GOOD]), "task")
    assert outcome.ok
    assert outcome.value.title == "Printer"
    assert {(f.code, f.severity) for f in outcome.findings} == {("hook.failed", "warning")}
    last = Guarded(Ticket, hooks=[lambda e: 1 / 0 if isinstance(e, CallEnded) else None])
    assert [f.code for f in last.run(ScriptedModel([GOOD]), "task").findings] == ["hook.failed"]


def test_nothing_is_logged_or_printed(caplog, capsys):
    """The library says nothing of its own accord."""
    with caplog.at_level(logging.INFO):
        secret_run()
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_findings_are_ranked_by_one_key():
    """What kept the document from being read first, then errors, then the outer before the inner."""
    findings = [
        Finding("x.warning", "", severity="warning"),
        Finding("schema.type", "", "/a/b"),
        Finding("schema.type", "", "/a"),
        Finding("x.unknown", "", severity="unknown"),
        Finding("json.syntax", ""),
    ]
    assert [f.code + f.path for f in rank(findings)] == [
        "json.syntax",
        "schema.type/a",
        "schema.type/a/b",
        "x.unknown",
        "x.warning",
    ]


def test_small_values():
    """The sentinel, the reason, usage and pointers behave as values."""
    assert pickle.loads(pickle.dumps(NO_FIX)) is NO_FIX
    assert repr(NO_FIX) == "NO_FIX"
    assert Finding("a", "b").fix is NO_FIX
    assert (
        Finding("a", "b", fix=None).to_dict()["fix"] is None if "fix" in Finding("a", "b", fix=None).to_dict() else True
    )
    reason = pickle.loads(pickle.dumps(Reason("a.b", "Why.")))
    assert (reason, reason.code, reason.message) == ("a.b", "a.b", "Why.")
    assert Usage(1) + Usage(None, 2, 0.5) == Usage(1, 2, 0.5)
    assert dict(Usage(1)) == {"input_tokens": 1, "output_tokens": None, "cost": None}
    with pytest.raises(KeyError):
        Usage()["nope"]
    assert parse_pointer("/a~1b/~0/0") == ("a/b", "~", "0")
    with pytest.raises(ValueError, match="begins with"):
        parse_pointer("a")


def test_the_scripted_model():
    """It answers in order, keeps its calls, raises what it is given, and says when it has run out."""
    model = ScriptedModel(["a", OSError("x"), lambda messages: messages[0]["content"]])
    assert model([{"role": "user", "content": "q"}]) == "a"
    with pytest.raises(OSError):
        model([])
    assert model([{"content": "echo"}]) == "echo"
    with pytest.raises(ScriptExhausted, match="had 3 answers and was asked 4 times"):
        model([])
    assert len(model.calls) == 4
    with pytest.raises(ScriptExhausted) as caught:
        Guarded(Ticket).call(ScriptedModel([]), "t")
    assert not isinstance(caught.value, Rejected)
    with pytest.raises(ConfigError):
        ScriptedModel("text")


def test_fixed_scores():
    """Scores by text or pair, with a default or an error for what has none."""
    scores = FixedScores({"a": 0.9, ("a", "b"): 0.2}, default=0.5)
    assert scores(["a", ["a", "b"], "c"]) == [0.9, 0.2, 0.5]
    assert scores.calls == [["a", ["a", "b"], "c"]]
    with pytest.raises(KeyError):
        FixedScores({})(["a"])


def test_the_hash_of_a_turn_is_that_of_its_text():
    """Without content an answer has one hash as text and as the turn that goes back, and a question that of its words."""
    bad = json.dumps({"title": "T", "priority": 9})
    outcome = Guarded(Ticket).run(ScriptedModel([bad, bad.replace("9", "1")]), "wie geht's?")
    record = json.loads(outcome.to_json(content=False))
    question, answer, _ = record["conversation"]
    words = {"length": len("wie geht's?"), "sha256": hashlib.sha256("wie geht's?".encode()).hexdigest()}
    assert question == {"role": "user", **words}
    assert answer == {"role": "assistant", **record["attempts"][0]["text"]}


def test_an_outcome_is_true_where_it_is_accepted():
    """`if validate(...)` asks what it seems to ask; one that a policy delivered without acceptance is false."""
    assert validate("1", int)
    assert not validate("one", int)
    assert not Guarded(int, on_fail=Fallback(3)).run(ScriptedModel(["one"]), "q")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"1", "decode bytes first"),
        (Path("a.json"), r"path.read_text\(\)"),
        ({"a": 1}, r"json.dumps\(data\)"),
        (1, "as it was"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(given, words):
    """Bytes, a path, data that was parsed already: each with its own way out."""
    with pytest.raises(ConfigError, match=words):
        validate(given, int)


def test_a_decorator_without_its_contract_is_told():
    """`@Guarded` bare takes the function for its contract."""
    with pytest.raises(ConfigError, match=r"'ask' is no contract.*@Guarded\(Ticket\)"):

        @Guarded
        def ask() -> str:
            return "1"
