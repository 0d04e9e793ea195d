"""A method of an SDK as what puts a call: without the SDK's own retries, and no slower than its client would be."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from guards.errors import ConfigError

__all__ = ["Fetch", "fetch_of", "quiet"]

_PARTS: Final = ("connect", "read", "write", "pool")


class Fetch(NamedTuple):
    """What puts a call, and the time-out of the client behind it."""

    call: Callable[..., Any]
    timeout: Any = None

    def within(self, options: dict[str, Any], seconds: float | None) -> dict[str, Any]:
        """The options with what is left of the budget as the time-out, as far as the caller's own is not shorter."""
        if seconds is None:
            return options
        own = options.get("timeout", self.timeout)
        if type(own).__name__ in ("NotGiven", "Omit"):
            own = self.timeout
        left = max(seconds, 0.001)  # 0 would mean "none" to some transports
        return {**options, "timeout": _shorter(own, left)}


def _shorter(own: Any, left: float) -> Any:
    """`own` is a number, a transport's time-out of several parts, or none."""
    if isinstance(own, int | float):
        return min(own, left)
    if not all(hasattr(own, part) for part in _PARTS):
        return left
    parts: Mapping[str, Any] = {part: getattr(own, part) for part in _PARTS}
    return type(own)(**{part: left if held is None else min(held, left) for part, held in parts.items()})


def quiet(client: Any) -> Any:
    """An SDK's client without its retries: transport faults have one owner. A copy, since the constructor of a caller's
    own subclass may take anything."""
    other = copy.copy(client)
    other.max_retries = 0
    return other


def fetch_of(resource: Any, method: str, made: Callable[[Any, str], Callable[..., Any]], where: str) -> Fetch:
    """What puts a call by a resource's method; `made` makes it of a resource without retries. What stands on the
    resource itself in the method's place (a tracer, a mock) is called as it is, with what retries it has."""
    client = resource._client  # noqa: SLF001  # no public way from a resource
    replaced = [name for name in (method, "create") if name in vars(resource)]
    if replaced and method != "create":
        name = f"{type(resource).__name__}.{replaced[0]}"
        raise ConfigError(
            f"{name} was replaced on the client itself, and a guarded {method} would not call it",
            where=where,
            hint="use create, or replace the method of the class",
        )
    timeout = getattr(client, "timeout", None)
    if replaced:
        return Fetch(getattr(resource, method), timeout)
    return Fetch(made(type(resource)(quiet(client)), method), timeout)
