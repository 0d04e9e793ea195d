"""`guards demo`: three answers, wrong at first, until they hold; by a scripted model, or by a real one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from guards.cli.screen import Screen, quoted
from guards.errors import Rejected
from guards.messages import Message, Reply

if TYPE_CHECKING:
    from guards.cli.cases import Case
    from guards.cli.models import Client

__all__ = ["demo"]

_EXCERPT = 8


@click.command()
@click.option("--model", metavar="KIND:NAME", help="A real model: openai:NAME or anthropic:NAME. Scripted if left out.")
@click.option("--base-url", metavar="URL", help="Where the model is served, if not by its maker.")
def demo(model: str | None, base_url: str | None) -> None:
    """Three answers, wrong at first, until they hold: JSON, XML and text."""
    from guards.cli import models
    from guards.cli.cases import cases

    if base_url and not model:
        raise click.UsageError("--base-url goes with --model")
    client = models.named(model, base_url) if model else None
    screen = Screen()
    screen.print(quoted(f"model: {model}" if model else _SCRIPTED, "bold"))
    refused = 0
    for number, case in enumerate(cases(), start=1):
        refused += not _run(screen, number, case, client)
    screen.print()
    sys.exit(1 if refused else 0)


_SCRIPTED = """\
The model here is scripted: its answers are written down beforehand, its tokens
are an estimate. Everything else is real. A real model: guards demo --model
openai:NAME [--base-url URL]"""


def _run(screen: Screen, number: int, case: Case, client: Client | None) -> bool:
    """Show one case; whether an answer was accepted."""
    from guards.cli.inputs import example
    from guards.cli.live import Live

    screen.print()
    screen.rule(f"{number}  {case.title}")
    screen.print(quoted(f"  input: examples/{case.given}", "cyan"))
    screen.print(quoted(_excerpt(example(case.given).read_text(encoding="utf-8")), "dim"))
    screen.print(quoted(f"  {case.rules}", "cyan"))
    try:
        case.ticket.replace(hooks=[Live(screen)]).call(client or _scripted(case), case.task)
    except Rejected:
        return False  # drawn by the hook already
    return True


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
