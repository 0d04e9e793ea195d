"""What a guard's scores come from: its class, its options, its models. A calibration holds where these are the same."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final

from guards._plain import plain
from guards.checks.base import Guard
from guards.models import ModelSpec, digest_of

__all__ = ["difference", "provenance"]

_ASIDE: Final = frozenset({"threshold", "name", "on_fail", "on_error", "timeout", "cost", "needs", "roles", "partial"})
"""Options that no score depends on; the threshold is what is looked for."""
_ASIDE_OF_MODEL: Final = frozenset({"device", "threads"})


def provenance(guard: Guard) -> dict[str, Any]:
    """Plain data of three parts: `guard`, `options`, `models`. Loads no model.

    A model is told by all of its spec but device and threads, and where its weights lie in files by their sha256. A
    function, and any other object that JSON has no form for, is told by its name alone.
    """
    kind = type(guard)
    return {
        "guard": f"{kind.__module__}.{kind.__qualname__}",
        "options": {key.lstrip("_"): _told(value) for key, value in vars(guard).items() if key not in _ASIDE},
        "models": [_model(spec) for spec in getattr(guard, "specs", ())],
    }


def difference(stored: Mapping[str, Any], found: Mapping[str, Any]) -> str | None:
    """The first part in which two of them differ, in words: "models[0].dtype: 'int8' there, 'float32' here"."""
    return next(_differences(stored, found, ""), None)


def _differences(stored: Any, found: Any, at: str) -> Iterator[str]:
    if isinstance(stored, Mapping) and isinstance(found, Mapping):
        for key in [*stored, *(key for key in found if key not in stored)]:
            yield from _differences(stored.get(key), found.get(key), f"{at}.{key}" if at else str(key))
    elif isinstance(stored, list) and isinstance(found, list) and len(stored) == len(found):
        for index, (one, other) in enumerate(zip(stored, found, strict=True)):
            yield from _differences(one, other, f"{at}[{index}]")
    elif stored != found:
        yield f"{at}: {_short(stored)} there, {_short(found)} here"


def _model(spec: ModelSpec) -> dict[str, Any]:
    fields = [field.name for field in dataclasses.fields(spec) if field.name not in _ASIDE_OF_MODEL]
    told = {name: _told(getattr(spec, name)) for name in fields}
    digest = digest_of(spec)
    if digest is not None and not str(spec.model).startswith("embedded:"):
        told["model"] = "a folder"  # wherever it lies: its weights tell which model it is
    return {**told, "sha256": digest}


def _told(value: Any) -> Any:
    """A value as plain data that is the same in another process; a spec is told among the models."""
    if isinstance(value, ModelSpec):
        return f"a model for {value.task}"
    if isinstance(value, Guard):
        return provenance(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _told(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _told(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_told, value), key=repr)
    if isinstance(value, list | tuple):
        return [_told(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return plain(value)
    named = value if isinstance(value, type) or inspect.isroutine(value) else type(value)
    return f"{named.__module__}.{named.__qualname__}"


def _short(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
