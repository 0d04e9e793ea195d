"""Where the files of `examples/` are: inside the package, so that `guards demo` runs from a wheel, or beside it.

They stand in the repository once and are mapped into the wheel, as the documents of `schemas/` are.
"""

from __future__ import annotations

from pathlib import Path

from guards.errors import ConfigError

__all__ = ["example"]


def example(name: str) -> Path:
    """The path of one file of `examples/`."""
    here = Path(__file__).resolve().parent
    for folder in (here / "examples", here.parent.parent / "examples"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"there is no example {name!r}", where="examples/", hint="reinstall output-guards")
