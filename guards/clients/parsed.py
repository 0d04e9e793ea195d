"""What `.parse` puts beside a delivered text: a value of the type that the caller named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guards.clients.endpoint import is_given
from guards.errors import ConfigError

__all__ = ["is_type", "parsed"]


def parsed(text: str | None, kind: Any) -> Any:
    """The value; None where no type is named. Raises `ConfigError` where the text, which the ticket delivers, is none:
    the type asks for more than the ticket's contract."""
    if text is None or not is_type(kind):
        return None
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = "".join(f"/{part}" for part in first["loc"]) or "the whole"
        raise ConfigError(
            f"what the ticket delivers is no {getattr(kind, '__name__', kind)}: {place}: {first['msg']}",
            where="parse",
            hint="parse the ticket's own type, or one that needs no more than its contract knows",
        ) from fault


def is_type(kind: Any) -> bool:
    """Whether it is something to parse, and no schema."""
    return is_given(kind) and not isinstance(kind, Mapping)
