"""Which weights a spec names, told by their sha256: what has been measured with them holds for no others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from guards.identity import describe
from guards.models.spec import ModelSpec

__all__ = ["digest_of"]


@describe.register
def _(spec: ModelSpec) -> Any:
    """By all but device and threads; where its weights lie in files, by their sha256, wherever these are."""
    told = {f.name: describe(getattr(spec, f.name)) for f in fields(spec) if f.name not in ("device", "threads")}
    digest = digest_of(spec)
    if digest is not None and not str(spec.model).startswith("embedded:"):
        told["model"] = "a folder"
    return {**told, "sha256": digest}


def digest_of(spec: ModelSpec) -> str | None:
    """The sha256 of the file with the weights, or of the sha256s of several, in the order of their names.

    None for what has no file here: a function, an endpoint, the id of a model, whose `revision` tells which it is.
    Loads no model; a file is read once, and again when it has changed. Raises ConfigError for a file that should be
    there and is not.
    """
    if not isinstance(spec.model, str):
        return None
    digests = [_digest(path, stat.st_mtime_ns, stat.st_size) for path in _files(spec) for stat in [path.stat()]]
    return digests[0] if len(digests) == 1 else _joined(digests)


def _files(spec: ModelSpec) -> list[Path]:
    from guards.models._embedded import PREFIX, weights_of
    from guards.models._onnx import file_of

    name = str(spec.model)
    if name.startswith(PREFIX):
        return [weights_of(name.removeprefix(PREFIX))]
    file = file_of(spec)
    return [file] if file is not None else sorted(Path(name).expanduser().glob("*.safetensors"))


@lru_cache(maxsize=256)
def _digest(path: Path, modified: int, size: int) -> str:  # noqa: ARG001  # they are what the cache goes by
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _joined(digests: Sequence[str]) -> str | None:
    return hashlib.sha256("".join(digests).encode()).hexdigest() if digests else None
