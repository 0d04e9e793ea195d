"""`guards prompt --contract FILE`: the text that tells a model what to answer."""

from __future__ import annotations

import sys
from typing import Any

import click

from guards.cli.contract import contract_option, named
from guards.cli.screen import harmless
from guards.contracts.base import STYLES

__all__ = ["prompt"]


@click.command()
@contract_option
@click.option("--style", type=click.Choice(STYLES), help="How it is said; the contract's usual style if not given.")
def prompt(given: str, style: Any) -> None:
    """Print the text that tells a model what to answer."""
    from guards import contract

    said = contract(named(given)).prompt(style)
    # Into a file or a pipe it goes as it is, since a model is to read it; on a terminal a schema file is text like any.
    click.echo(harmless(said) if sys.stdout.isatty() else said)
