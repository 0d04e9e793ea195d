"""guards/cli/demo.py: the demonstration shows what it promises, by a script and by a real SDK over loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner, Result

from guards.cli import main
from guards.cli.cases import Customer, Ticket, cases
from guards.cli.inputs import example
from guards.cli.screen import harmless
from guards.errors import ConfigError


def demo(*arguments: str, columns: int = 80, **env: str) -> Result:
    return CliRunner(env={"COLUMNS": str(columns), **env}).invoke(main, ["demo", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def shown() -> str:
    result = demo()
    assert result.exit_code == 0
    return result.stdout


def test_it_says_that_the_model_is_scripted(shown: str):
    """Nobody takes the scripted answers for a model's own."""
    assert shown.startswith("The model here is scripted")


def test_it_shows_three_cases(shown: str):
    """JSON, XML and text, each with its input and rules, each accepted."""
    for said in ("1  A support mail", "2  The same mail", "3  A reply", "support_mail.txt", "returns.txt"):
        assert said in shown
    assert shown.count("accepted ") == 3


def test_it_shows_how_an_answer_was_mended(shown: str):
    """Of each case: the attempts, the findings with their paths, what was asked again, the figures at the end."""
    assert shown.count("Attempt 1") == shown.count("Attempt 2") == 3
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
    assert shown.count("[automated check]") == 3
    assert shown.count("2 attempts, ") == 3
    assert shown.count(" tokens, ") == 3
    assert shown.count(" seconds") == 3


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
    delivered = shown[shown.rindex("\n  changed ") :]
    assert "m.berg@" not in delivered
    assert "Tell us which by Wednesday" in delivered


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
    answers = iter([case.answers[-1] for case in cases()])
    with server(lambda: next(answers)) as (url, asked):
        result = demo("--model", "openai:tiny", "--base-url", url)
    assert result.exit_code == 0, result.output
    assert len(asked) == 3
    assert result.stdout.count("1 attempt, 12 tokens") == 3


def test_an_anthropic_model():
    """anthropic:NAME speaks Anthropic's protocol."""
    answers = iter([case.answers[-1] for case in cases()])
    with server(lambda: next(answers)) as (url, asked):
        result = demo("--model", "anthropic:small", "--base-url", url)
    assert result.exit_code == 0, result.output
    assert [question["model"] for question in asked] == ["small"] * 3


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
    with server(lambda: "") as (url, _):
        pass
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
