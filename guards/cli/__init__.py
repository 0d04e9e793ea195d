"""The command `guards`: `calibrate`, `check`, `prompt`, `demo`, `export-onnx`. Imported by nothing but the entry point.

Each command stands in a file of its own, which is imported when it is called: `guards --version` loads no contract,
no drawing and no SDK.
"""

from __future__ import annotations

import io
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from guards.cli.screen import harmless
from guards.errors import ConfigError

__all__ = ["main"]

COMMANDS = {
    "calibrate": "Find the threshold of a guard on labelled rows.",
    "check": "Check an answer against a contract.",
    "demo": "Four answers, wrong at first, until they hold.",
    "export-onnx": "Write a model as ONNX, to be run without torch.",
    "prompt": "Print the text that tells a model what to answer.",
}


class WrongUse(click.ClickException):
    """A `ConfigError` on the command line: one line, exit status 2."""

    exit_code = 2

    def __init__(self, fault: ConfigError) -> None:
        super().__init__(" ".join(harmless(str(fault)).split()))


class Commands(click.Group):
    """The commands, each imported when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except Exception:  # noqa: BLE001  # of a module that --contract names, say: it is shown whole
            # Python's own status for it would be that of an answer that is refused.
            traceback.print_exc()
            sys.exit(WrongUse.exit_code)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"guards.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):  # the summaries without importing the commands
            formatter.write_dl(sorted(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as fault:
            raise WrongUse(fault) from fault


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="output-guards", prog_name="guards")
def main() -> None:
    """Say what a model's answer must be, and check that it is.

    Exit status: 0 the answer is accepted, 1 it is refused, 2 the command cannot work as it was given.
    """
    for stream in (sys.stdout, sys.stderr):
        # An answer may hold what the terminal's encoding has no form for: it is shown escaped, never a crash.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
