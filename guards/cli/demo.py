"""`guards demo`: four answers, wrong at first, until they hold; by a scripted model, or by a real one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from guards.cli.screen import Screen, quoted
from guards.errors import MissingExtra, Rejected
from guards.messages import Message, Reply

if TYPE_CHECKING:
    from guards.cli.cases import Case
    from guards.cli.models import Client

__all__ = ["demo", "show"]

_EXCERPT = 8


@click.command()
@click.option("--model", metavar="KIND:NAME", help="A real model: openai:NAME or anthropic:NAME. Scripted if left out.")
@click.option("--base-url", metavar="URL", help="Where the model is served, if not by its maker.")
def demo(model: str | None, base_url: str | None) -> None:
    """Four answers, wrong at first, until they hold: JSON, XML, text, and text that keeps to its sources."""
    from guards.cli import models
    from guards.cli.cases import cases

    if base_url and not model:
        raise click.UsageError("--base-url goes with --model")
    client = models.named(model, base_url) if model else None
    screen = Screen()
    screen.print(quoted(f"model: {model}" if model else _SCRIPTED, "bold"))
    refused = 0
    for number, case in enumerate(cases(), start=1):
        refused += not show(screen, number, case, client)
    screen.print()
    sys.exit(1 if refused else 0)


_SCRIPTED = """\
The model here is scripted: its answers are written down beforehand, its tokens
are an estimate. Everything else is real. A real model: guards demo --model
openai:NAME [--base-url URL]"""


_ABSENT = "  left out, its models are missing: pip install 'output-guards[embedded]'"


def show(screen: Screen, number: int, case: Case, client: Client | None = None) -> bool:
    """Show one case; False if no answer was accepted. Without the packages of its models it says what to install."""
    from guards.cli.live import Live

    screen.print()
    screen.rule(f"{number}  {case.title}")
    if case.models and not _loaded(screen, case):
        return True
    for name in case.given:
        _show_input(screen, name)
    screen.print(quoted(f"  {case.rules}", "cyan"))
    try:
        case.ticket.replace(hooks=[Live(screen)]).call(client or _scripted(case), case.task, context=case.context)
    except Rejected:
        return False  # drawn by the hook already
    return True


def _loaded(screen: Screen, case: Case) -> bool:
    """Load what the case's guards ask, which takes seconds, before an attempt is drawn."""
    from guards.models import preload

    screen.print(quoted(f"  loading {' and '.join(str(spec.model) for spec in case.models)} ...", "dim"))
    try:
        preload(case.models)
    except MissingExtra:
        screen.print(quoted(_ABSENT, "yellow"))
        return False
    return True


def _show_input(screen: Screen, name: str) -> None:
    from guards.cli.inputs import example

    screen.print(quoted(f"  input: examples/{name}", "cyan"))
    screen.print(quoted(_excerpt(example(name).read_text(encoding="utf-8")), "dim"))


def _excerpt(text: str) -> str:
    lines = text.splitlines()
    left_out = len(lines) - _EXCERPT
    if left_out > 1:
        lines[_EXCERPT:] = [f"... ({left_out} more lines)"]
    return "\n".join(f"  | {line}".rstrip() for line in lines)


def _scripted(case: Case) -> Client:
    """The case's answers in order, with a usage of about a token for four characters."""
    from guards.testing import ScriptedModel

    model: Client = ScriptedModel([partial(_reply, answer) for answer in case.answers])
    return model


def _reply(answer: str, messages: Sequence[Message]) -> Reply:
    asked = sum(len(str(message["content"])) for message in messages)
    return Reply(answer, usage={"input_tokens": asked // 4, "output_tokens": len(answer) // 4})
