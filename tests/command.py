"""The command line, run in this process."""

from __future__ import annotations

import inspect

from click.testing import CliRunner, Result

from guards.cli import main

# Below click 8.2 the two outputs come as one unless this is said; from there on it cannot be said.
_APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}


def command(*arguments: str, stdin: str | bytes | None = None, **env: str) -> Result:
    """`guards ARGUMENTS`, its stdout and stderr apart. What is no exit of click's own is raised."""
    return CliRunner(env=env, **_APART).invoke(main, arguments, input=stdin, catch_exceptions=False)
