"""What a guard's scores come from: its class, its options, its models. A calibration holds where these are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from guards.checks.base import Guard
from guards.errors import ConfigError
from guards.identity import Untold, describe

__all__ = ["difference", "provenance"]

_ASIDE: Final = frozenset(
    {"threshold", "name", "on_fail", "on_error", "timeout", "cost", "needs", "roles", "unreadable", "partial"}
)
"""Options that no score depends on; the threshold is what is looked for."""


def provenance(guard: Guard) -> dict[str, Any]:
    """What `identity.describe` says of a guard, less the options that no score depends on. Loads no model.

    Raises ConfigError for a guard that cannot tell its options.
    """
    told: Any = describe(guard)
    if isinstance(told, Untold):
        raise ConfigError("cannot tell with which options it was made", where=f"guard {guard.name!r}")
    return {**told, "options": {name: value for name, value in told["options"].items() if name not in _ASIDE}}


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


def _short(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= 80 else f"{shown[:79]}…"
