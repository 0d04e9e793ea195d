"""guards/cli: the commands `check` and `prompt`, as a person and as a machine use them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from command import command as guards

import guards as package
from guards import ConfigError, validate
from guards.cli import COMMANDS, main
from guards.cli.check import _read
from guards.cli.contract import named
from guards.cli.screen import harmless, short
from guards.documents import document, path_of

TICKET = str(path_of("ticket.schema.json"))
TICKET_XSD = str(path_of("ticket.xsd"))
GOOD = {
    "subject": "Pump",
    "category": "defect",
    "priority": "high",
    "customer": {"name": "Ana"},
    "request": ["a new pump"],
}
MODULE = """
from pydantic import BaseModel
from guards import Finding, Guarded, check

class Box:
    class Item(BaseModel):
        n: int

@check(needs="source")
def in_source(value, context):
    if str(value.n) not in context["source"]:
        return Finding("mine.absent", "not in the source", "/n", actual=value.n)

guarded = Guarded(Box.Item, guards=[in_source], reading="strict")
number = 3
"""
MODULE_POLICIES = """
from guards import Fallback, Fix, Guarded, Noop, Reask, Refrain, contract
from guards.checks import Range

def ticket(on_fail):
    return Guarded(int, guards=[Range(max=5, clamp=True)], on_fail=on_fail)

fixing = contract(Guarded(ticket(Reask().then(Fix()))))
leaving, withholding, falling, asking = map(ticket, (Noop(), Refrain(), Fallback(-1), Reask()))
"""
MODULE_XML = """
from guards import Guarded
from my_shop import Box

guarded = Guarded(Box.Item, format="xml")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_shop", raising=False)
    (tmp_path / "my_shop.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "my_xml_shop", raising=False)
    (tmp_path / "my_xml_shop.py").write_text(MODULE_XML, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "my_policies", raising=False)
    (tmp_path / "my_policies.py").write_text(MODULE_POLICIES, encoding="utf-8")
    (tmp_path / "good.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "bad.json").write_text(json.dumps(GOOD | {"priority": "very high"}), encoding="utf-8")
    return tmp_path


def test_an_accepted_answer(folder: Path):
    """A good answer is exit status 0; the verdict and the value are shown."""
    result = guards("check", "good.json", "--contract", TICKET)
    assert result.exit_code == 0
    assert result.stdout.startswith("good.json: accepted, 0 findings\n")
    assert '"name": "Ana"' in result.stdout


def test_a_refused_answer(folder: Path):
    """A bad answer is exit status 1; place, value and code of the finding are shown, and no value."""
    result = guards("check", "bad.json", "--contract", TICKET)
    assert result.exit_code == 1
    assert result.stdout.startswith("bad.json: refused, 1 finding\n")
    for said in ("/priority", "very high", "schema.enum"):
        assert said in result.stdout
    assert "Ana" not in result.stdout


@pytest.mark.parametrize("name", ["good.json", "bad.json"])
def test_the_record_for_a_machine(folder: Path, name: str):
    """--json prints the run record and nothing else, in ASCII, with the same exit status."""
    from jsonschema import Draft202012Validator

    result = guards("check", name, "--contract", TICKET, "--json")
    record = json.loads(result.stdout)
    Draft202012Validator(document("run-record.schema.json")).validate(record)
    assert result.exit_code == (0 if record["ok"] else 1) == (0 if name == "good.json" else 1)
    assert result.stdout.isascii()


def test_standard_input(folder: Path):
    """- reads standard input, and prose round the document is taken off, with the repair shown."""
    result = guards("check", "-", "--contract", TICKET, stdin=f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\n")
    assert result.exit_code == 0
    assert result.stdout.startswith("standard input: accepted")
    assert "Repaired on the way:" in result.stdout


def test_strict_reading_takes_nothing_off(folder: Path):
    """--reading strict refuses what careful reading finds inside prose."""
    result = guards("check", "-", "-c", TICKET, "--reading", "strict", stdin=f"Here you are: {json.dumps(GOOD)}")
    assert result.exit_code == 1
    assert "json.syntax" in result.stdout


def test_an_xml_schema(folder: Path):
    """An .xsd is a contract; a finding's path is an XPath."""
    answer = "<ticket><subject>a</subject><category>pump</category></ticket>"
    result = guards("check", "-", "-c", TICKET_XSD, "--json", stdin=answer)
    assert result.exit_code == 1
    assert "/ticket/category" in [finding["path"] for finding in json.loads(result.stdout)["findings"]]


def test_a_type_by_its_module(folder: Path):
    """module:Name names a Python type in the folder of the call, a nested one too."""
    assert guards("check", "-", "-c", "my_shop:Box.Item", stdin='{"n": 1}').exit_code == 0
    assert guards("check", "-", "-c", "my_shop:Box.Item", stdin='{"n": "x"}').exit_code == 1


def test_a_type_answered_in_xml(folder: Path):
    """--format xml reads an XML answer for a Python type."""
    result = guards("check", "-", "-c", "my_shop:Box.Item", "--format", "xml", stdin="<Item><n>1</n></Item>")
    assert result.exit_code == 0, result.output


def test_a_guarded_with_context(folder: Path):
    """A Guarded brings its guards, which find the files of --context under their keys; scores are shown."""
    Path("source.txt").write_text("there are 12 of them", encoding="utf-8")
    call = ("check", "-", "-c", "my_shop:guarded", "--context", "source=source.txt")
    assert guards(*call, stdin='{"n": 12}').exit_code == 0
    refused = guards(*call, stdin='{"n": 13}')
    assert refused.exit_code == 1
    for said in ("mine.absent", "not in the source", "in_source", "0.000"):
        assert said in refused.stdout


def test_a_guarded_keeps_its_reading(folder: Path):
    """A Guarded's own way of reading and format hold, unless an option says otherwise."""
    Path("source.txt").write_text("1", encoding="utf-8")
    call = ("check", "-", "-c", "my_shop:guarded", "--context", "source=source.txt")
    assert guards(*call, stdin='So: {"n": 1}').exit_code == 1
    assert guards(*call, "--reading", "careful", stdin='So: {"n": 1}').exit_code == 0
    assert guards("check", "-", "-c", "my_xml_shop:guarded", stdin="<Item><n>1</n></Item>").exit_code == 0


@pytest.mark.parametrize(
    ("name", "ok", "shown"),
    [
        ("fixing", True, ("accepted", "policy.fix", "5")),
        ("leaving", False, ("refused", "at most 5", "delivered as it is", "7")),
        ("withholding", False, ("refused", "at most 5", "was withheld")),
        ("falling", False, ("refused", "A fallback was delivered", "-1")),
        ("asking", False, ("refused", "at most 5")),
    ],
)
def test_the_verdict_is_that_of_python(folder: Path, name: str, ok: bool, shown: tuple[str, ...]):  # noqa: FBT001  # a table
    """The command does what `validate` does with the same ticket: its policies that ask nobody apply."""
    text = guards("check", "-", "-c", f"my_policies:{name}", stdin="7")
    assert text.exit_code == (0 if ok else 1)
    assert all(words in text.stdout for words in shown)
    record = json.loads(guards("check", "-", "-c", f"my_policies:{name}", "--json", stdin="7").stdout)
    here = json.loads(validate("7", named(f"my_policies:{name}")).to_json())
    own = {"seconds": 0, "attempts": [], "id": "", "time": ""}
    assert record | own == here | own


WRONG = {
    "no such answer": (["check", "none.json", "-c", TICKET], "ANSWER: 'none.json' cannot be read: No such file"),
    "a folder": (["check", ".", "-c", TICKET], "ANSWER: '.' cannot be read"),
    "no such contract": (["check", "good.json", "-c", "none.json"], "--contract: 'none.json' is not a file"),
    "an unknown ending": (["check", "good.json", "-c", "my_shop.py"], "my_shop.py"),
    "no such module": (["check", "good.json", "-c", "no_shop:Item"], "there is no module 'no_shop'"),
    "no module": (["check", "good.json", "-c", ":Item"], "there is no module ''"),
    "a module of no package": (["check", "good.json", "-c", ".my_shop:Box"], "there is no module '.my_shop'"),
    "a name too long for a file": (["check", "good.json", "-c", f"{'a' * 300}:Item"], "there is no module 'aaa"),
    "a file's name too long": (["check", "good.json", "-c", "a" * 300], "is not a file"),
    "no such name": (["check", "good.json", "-c", "my_shop:Box.None"], "has no 'Box.None'"),
    "not a type": (["check", "good.json", "-c", "my_shop:number"], "Error: "),
    "context without a key": (["check", "good.json", "-c", TICKET, "--context", "x"], "'x' is not KEY=FILE"),
    "context twice": (
        ["check", "good.json", "-c", TICKET, "--context", "a=good.json", "--context", "a=bad.json"],
        "'a' is given twice",
    ),
    "no context": (["check", "good.json", "-c", "my_shop:guarded"], "source"),
    "not a schema": (["check", "good.json", "-c", "broken.json"], "broken.json"),
    "not UTF-8": (["check", "latin.txt", "-c", TICKET], "'latin.txt' is not UTF-8 at byte 1"),
    "no contract": (["check", "good.json"], "Missing option '--contract'"),
    "no such reading": (["check", "good.json", "-c", TICKET, "--reading", "lax"], "'lax' is not one of"),
    "no such style": (["prompt", "-c", TICKET, "--style", "yaml"], "'yaml' is not one of"),
    "a style it has not": (["prompt", "-c", TICKET_XSD, "--style", "typescript"], "typescript"),
    "no such command": (["chekc"], "No such command 'chekc'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_use(folder: Path, name: str):
    """Wrong use is exit status 2, one line that names it, nothing on standard output, no traceback."""
    Path("broken.json").write_text('{"type": "objekt"}', encoding="utf-8")
    Path("latin.txt").write_bytes(b"m\xfcde")
    arguments, said = WRONG[name]
    result = guards(*arguments)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stdout == ""
    assert sum(line.startswith("Error: ") for line in result.stderr.splitlines()) == 1


def test_a_fault_inside_a_module_is_shown_whole(folder: Path):
    """A module that is there and fails on its own import is the user's own fault to see, not "no such module"."""
    Path("my_broken_shop.py").write_text("import not_there_at_all", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="not_there_at_all"):
        guards("check", "good.json", "-c", "my_broken_shop:Item")


@pytest.mark.parametrize("line", ["import not_there_at_all", "raise OSError(2, 'gone')", "class ("])
def test_a_crash_is_no_refusal(folder: Path, line: str):
    """What a module raises while it is imported ends the command with 2: 1 says that an answer was refused."""
    Path("my_broken_shop.py").write_text(line, encoding="utf-8")
    code = "import sys; from guards.cli import main; sys.argv[0] = 'guards'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "good.json", "-c", "my_broken_shop:Item"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(package.__file__).parents[1])},
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stdout == ""


def test_a_closed_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A process without one is told so."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(ConfigError, match="standard input is closed"):
        _read("-", "ANSWER")


def test_the_table_keeps_words_whole(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """At 80 columns the prose of a finding is wrapped, its code and path stay in one piece; narrower, all give way."""
    answer = json.dumps(GOOD | {"requst": 1, "category": "defekt"})
    for columns in (80, 60, 30):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = guards("check", "-", "-c", TICKET, stdin=answer).stdout
        assert max(map(len, shown.splitlines()[1:])) <= columns
        assert not any(line.endswith(" ") for line in shown.splitlines())
        if columns >= 60:
            assert any(
                line.startswith("/requst ") and line.endswith(" schema.additionalProperties")
                for line in shown.splitlines()
            )


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202etxt.exe\u2069 \x00 \r gone [bold]markup[/bold] :smile:"


@pytest.mark.parametrize("key", ["subject", HOSTILE])
def test_a_hostile_answer_stays_text(folder: Path, key: str):
    """No control or direction mark of an answer reaches the terminal, whether it is accepted or refused."""
    Path("any.json").write_text("{}", encoding="utf-8")
    for contract in (TICKET, "any.json"):
        result = guards("check", "-", "-c", contract, stdin=json.dumps(GOOD | {key: HOSTILE, "priority": HOSTILE}))
        assert result.exit_code == (1 if contract == TICKET else 0)
        assert harmless(result.stdout) == result.stdout
        assert "[bold]" in result.stdout


def test_a_name_of_a_file_stays_text(folder: Path):
    """A file's name is no more trusted than its content."""
    Path("a\x1b[31m.json").write_text("{}", encoding="utf-8")
    assert "\x1b" not in guards("check", "a\x1b[31m.json", "-c", TICKET).output
    assert "\x1b" not in guards("check", "b\x1b[31m.json", "-c", TICKET).output


def test_harmless_keeps_what_is_harmless():
    """Lines, tabs, accents, emoji and joiners stay as they are; what a terminal acts on is written out."""
    assert harmless("a\tb\nÄ 漢 👩\u200d🚀 می\u200cروم") == "a\tb\nÄ 漢 👩\u200d🚀 می\u200cروم"
    assert harmless("\x1b\x7f\x85\u202e\ufeff\ud800\U000e0041") == r"\x1b\x7f\x85\u202e\ufeff\ud800\U000e0041"


def test_a_long_value_is_short():
    """A value in a table is one line of at most so many characters."""
    assert short({"a": "x\n" * 100}, 10) == '{"a": "x\\…'
    assert short("a\n  b") == "a b"


@pytest.mark.parametrize("style", ["json-schema", "typescript", "example"])
def test_prompt(folder: Path, style: str):
    """prompt prints what the contract itself says in that style."""
    from guards import contract

    result = guards("prompt", "-c", TICKET, "--style", style)
    assert result.exit_code == 0
    assert result.stdout == contract(Path(TICKET)).prompt(style) + "\n"


def test_prompt_of_a_guarded(folder: Path):
    """A Guarded's prompt is its contract's, in its format."""
    assert "<n>" in guards("prompt", "-c", "my_xml_shop:guarded", "--style", "xml").stdout


def test_a_prompt_on_a_terminal_is_harmless(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """A schema's escape characters reach a pipe as they are, and a terminal only written out."""
    Path("s.json").write_text(json.dumps({"title": "a", "description": "\u202eb", "type": "string"}), encoding="utf-8")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    main(["prompt", "-c", "s.json", "--style", "json-schema"], standalone_mode=False)
    assert "\u202e" not in terminal.getvalue()


def test_help_names_every_command():
    """The help lists the commands, and each command's own summary is the one in that list."""
    result = guards("--help")
    for name, summary in COMMANDS.items():
        assert name in result.stdout
        assert summary in result.stdout
        assert guards(name, "--help").exit_code == 0


def test_version():
    """--version says the installed version and loads no command."""
    assert guards("--version").stdout == f"guards, version {version('output-guards')}\n"


def test_a_real_process(folder: Path):
    """Installed, as a process, piped, with a terminal's encoding that knows ASCII only: status, output, no crash."""
    code = "import sys; from guards.cli import main; sys.argv[0] = 'guards'; main()"
    answer = json.dumps(GOOD | {"subject": "Müde 漢 LONE"}, ensure_ascii=False).replace("LONE", "\\ud800")
    run = subprocess.run(
        [sys.executable, "-c", code, "check", "-", "-c", TICKET],
        input=answer.encode(),
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == b""
    assert b"M\\xfcde" in run.stdout
