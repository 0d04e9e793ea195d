"""`load(path)`: a `Guarded` of a file. So far a contract's file; whole configurations have an issue of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guards.guarded import Guarded

__all__ = ["load"]


def load(path: str | Path) -> Guarded[Any]:
    """A `Guarded` with the contract of a .json, .xsd, .rng or .rail file and default settings.

    Raises `ConfigError` for a file that is missing, unreadable or no contract.
    """
    return Guarded(Path(path))
