"""`guards check ANSWER --contract FILE`: does this answer hold? A table for a person, the run record for a machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guards.cli.contract import contract_option, named
from guards.cli.screen import Screen, pretty, quoted, short
from guards.errors import ConfigError

if TYPE_CHECKING:
    from guards.records import Outcome

__all__ = ["check"]


@click.command()
@click.argument("answer", metavar="ANSWER")
@contract_option
@click.option(
    "--context",
    "sources",
    multiple=True,
    metavar="KEY=FILE",
    help="A text that guards compare the answer with; may be given several times.",
)
@click.option("--format", "form", type=click.Choice(["json", "xml"]), help="What the answer is written in.")
@click.option(
    "--reading",
    type=click.Choice(["strict", "careful", "eager"]),
    default=None,
    help="How much around and inside the document is tolerated; careful unless a Guarded says otherwise.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the run record as JSON.")
def check(
    answer: str, given: str, sources: tuple[str, ...], form: str | None, reading: str | None, *, as_json: bool
) -> None:
    """Check ANSWER, a file or - for standard input, against a contract.

    Exit status: 0 accepted, 1 refused, 2 wrong use.
    """
    outcome = _outcome(named(given), _read(answer, "ANSWER"), _context(sources), form, reading)
    if as_json:
        click.echo(outcome.to_json(indent=2))
    else:
        _show(outcome, "standard input" if answer == "-" else answer)
    sys.exit(0 if outcome.ok else 1)


def _outcome(target: Any, text: str, context: dict[str, str], form: str | None, reading: str | None) -> Outcome[Any]:
    from guards import validate

    said: dict[str, Any] = {"format": form, "reading": reading}
    outcome: Outcome[Any] = validate(text, target, context=context, **said)
    return outcome


def _read(name: str, where: str) -> str:
    """A file, or standard input for "-", as UTF-8, its line ends as they are."""
    if name == "-" and sys.stdin is None:
        raise ConfigError("standard input is closed", where=where, hint="name a file")
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as fault:
        raise ConfigError(f"{name!r} cannot be read: {fault.strerror}", where=where, hint="name a file") from fault
    try:
        return data.decode("utf-8-sig")  # an editor may have put a mark of the encoding in front
    except UnicodeDecodeError as fault:
        raise ConfigError(
            f"{name!r} is not UTF-8 at byte {fault.start}", where=where, hint="convert it first"
        ) from None


def _context(sources: tuple[str, ...]) -> dict[str, str]:
    context = {}
    for source in sources:
        key, given, name = source.partition("=")
        if not given or not key or not name:
            raise ConfigError(f"{source!r} is not KEY=FILE", where="--context", hint="write it like mail=mail.txt")
        if key in context:
            raise ConfigError(f"{key!r} is given twice", where="--context", hint="give each key once")
        context[key] = _read(name, f"--context {key}")
    return context


def _show(outcome: Outcome[Any], name: str) -> None:
    screen = Screen()
    verdict, style = ("accepted", "bold green") if outcome.ok else ("refused", "bold red")
    counted = f"{len(outcome.findings)} finding{'s' * (len(outcome.findings) != 1)}"
    screen.print(quoted(f"{name}: ") + quoted(verdict, style) + quoted(f", {counted}"))
    if outcome.findings:
        screen.print()
        screen.table(
            ("Where", "What", "Got", "Code"),
            [
                (f.path or "(whole answer)", f.message, short(f.actual) if f.shows_actual else "", f.code)
                for f in outcome.findings
            ],
        )
    if outcome.repairs:
        screen.print(quoted("\nRepaired on the way:"))
        screen.table(("Where", "What", "Code"), [(r.path, r.message, r.code) for r in outcome.repairs])
    if outcome.scores:
        screen.print()
        screen.table(("Guard", "Score"), [(name, f"{score:.3f}") for name, score in outcome.scores.items()])
    if outcome.reason.startswith("policy."):
        screen.print()
        screen.print(quoted(outcome.reason.message))
    if outcome.ok or outcome.delivered_by in ("noop", "fallback"):
        screen.print()
        screen.print(quoted(pretty(outcome.value)))
