"""Where the documents of `schemas/` are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from guards.errors import ConfigError

__all__ = ["document", "path_of"]


def path_of(name: str) -> Path:
    """The path of one document, such as ``"run-record.schema.json"``; `ConfigError` if there is none."""
    package = Path(__file__).resolve().parent
    for folder in (package / "schemas", package.parent / "schemas"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"there is no document {name!r}", where="schemas/", hint="reinstall output-guards")


@cache
def document(name: str) -> Any:
    """The JSON document of that name, read once. Callers share it: don't change it."""
    return json.loads(path_of(name).read_text(encoding="utf-8"))
