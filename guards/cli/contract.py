"""What `--contract` names: a file, or `module:Name` for a Python type or a `Guarded`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from guards.errors import ConfigError

__all__ = ["contract_option", "named"]

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
    if path.exists() or ":" not in given:
        if not path.is_file():
            raise ConfigError(
                f"{given!r} is not a file", where="--contract", hint="name a file, or module:Name for a Python type"
            )
        return path
    module, _, name = given.partition(":")
    return _attribute(_module(module, given), name, given)


def _module(module: str, given: str) -> Any:
    # Beside the installed packages, the folder of the call: that is where a user's own types are. As `python -m` does.
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(module)
    except (ModuleNotFoundError, ValueError) as fault:  # ValueError: an empty name
        missing = getattr(fault, "name", None)
        if missing and missing.partition(".")[0] != module.partition(".")[0]:
            raise  # the module is there and lacks something of its own: its own affair, shown whole
        raise ConfigError(
            f"there is no module {module!r}", where=f"--contract {given}", hint="call from the folder that holds it"
        ) from fault


def _attribute(module: Any, name: str, given: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as fault:
            raise ConfigError(
                f"the module {module.__name__!r} has no {name!r}", where=f"--contract {given}", hint="name a type in it"
            ) from fault
    return found
