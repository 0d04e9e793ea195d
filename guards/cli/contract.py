"""What `--contract` names: a file, or `module:Name` for a Python type or a `Guarded`. And what any `module:Name` is."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from guards.errors import ConfigError

__all__ = ["contract_option", "member", "named"]

contract_option = click.option(
    "--contract",
    "-c",
    "given",
    required=True,
    metavar="FILE|MODULE:NAME",
    help="A .json, .xsd, .rng or .rail file, or module:Name of a Python type or a Guarded.",
)


def named(given: str) -> Any:
    """What stands under that name; a file as its `Path`. `ConfigError` for what is not there.

    A file goes before a module: `C:thing.json` is a path on some systems.
    """
    path = Path(given)
    if os.path.exists(given) or ":" not in given:  # noqa: PTH110  # where `Path` raises, for a name that is too long
        if not os.path.isfile(given):  # noqa: PTH113
            raise ConfigError(
                f"{given!r} is not a file", where="--contract", hint="name a file, or module:Name for a Python type"
            )
        return path
    return member(given, "--contract")


def member(given: str, option: str) -> Any:
    """What stands in a module under `module:Name`. `ConfigError`, naming the option, for what is not there."""
    module, _, name = given.partition(":")
    return _attribute(_module(module, f"{option} {given}"), name, f"{option} {given}")


def _module(module: str, where: str) -> Any:
    # Beside the installed packages, the folder of the call: that is where a user's own types are. As `python -m` does.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        if module and not module.startswith("."):
            return importlib.import_module(module)
    except ModuleNotFoundError as fault:
        if fault.name and fault.name.partition(".")[0] != module.partition(".")[0]:
            raise  # the module is there and lacks something of its own: its own affair, shown whole
    raise ConfigError(f"there is no module {module!r}", where=where, hint="call from the folder that holds it")


def _attribute(module: Any, name: str, where: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as fault:
            raise ConfigError(
                f"the module {module.__name__!r} has no {name!r}", where=where, hint="name what stands in it"
            ) from fault
    return found
