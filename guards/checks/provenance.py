"""What a guard's scores come from: its class, its options, its models. A calibration holds where these are the same."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from guards._plain import plain
from guards.checks.base import Guard, told_options
from guards.errors import ConfigError
from guards.models import ModelSpec, digest_of

__all__ = ["difference", "provenance"]

_ASIDE: Final = frozenset(
    {"threshold", "name", "on_fail", "on_error", "timeout", "cost", "needs", "roles", "unreadable", "partial"}
)
"""Options that no score depends on; the threshold is what is looked for."""
_TOLD_AS_MODELS: Final = frozenset({"model", "encoder"})
_ASIDE_OF_MODEL: Final = frozenset({"device", "threads"})


def provenance(guard: Guard) -> dict[str, Any]:
    """Plain data of three parts: `guard`, `options`, `models`. Loads no model.

    Options are those of the guard's constructor, and what was set on it afterwards. A model is told by all of its spec
    but device and threads, and where its weights lie in files by their sha256. A function, and any other object that
    neither JSON nor a text of its own tells, is told by its name alone. Raises ConfigError for a guard that cannot tell
    its options.
    """
    kind, options = type(guard), told_options(guard)
    if options is None:
        raise ConfigError("cannot tell with which options it was made", where=f"guard {guard.name!r}")
    specs = getattr(guard, "specs", ())
    aside = _ASIDE | _TOLD_AS_MODELS if specs else _ASIDE
    return {
        "guard": _name(kind),
        "options": {key.lstrip("_"): _told(value) for key, value in options.items() if key not in aside},
        "models": [_model(spec) for spec in specs],
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
    elif type(stored) is not type(found) or stored != found:
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
        return _inner(value)
    if isinstance(value, Enum):
        return f"{_name(type(value))}: {value.name or value.value!r}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _told(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_told_key(key): _told(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_told, value), key=repr)
    if isinstance(value, list | tuple):
        return [_told(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int | float):
        return plain(value)
    if isinstance(value, type) or inspect.isroutine(value):
        return _name(value)
    # A date, a decimal, bytes: what has a text of its own; one with an address in it holds in this process alone.
    kind = type(value)
    shown: Any = kind.__repr__
    return _name(kind) if shown is object.__repr__ else f"{_name(kind)}: {value!r}"


def _told_key(key: Any) -> str:
    """Of a mapping. JSON knows texts alone there, and 1 is not "1"."""
    return key if isinstance(key, str) else f"{type(key).__name__} {_told(key)}"


def _inner(guard: Guard) -> dict[str, Any]:
    """A guard inside of another, whose scores may depend on where its edge is."""
    told = provenance(guard)
    threshold = {"threshold": guard.threshold} if hasattr(guard, "threshold") else {}
    return {**told, "options": {**told["options"], **threshold}}


def _name(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"


def _short(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
