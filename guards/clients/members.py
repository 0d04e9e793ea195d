"""The members of an SDK's object, or of a mapping of the same shape: read, changed, copied, whatever the server sent.

Nothing here trusts a shape: what is missing, null or of another kind is a default, never an `AttributeError`.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from guards.errors import ServerFault

__all__ = [
    "altered",
    "body_of",
    "copied",
    "encodable",
    "get",
    "is_count",
    "is_sent",
    "listed",
    "member",
    "members_of",
    "put",
]


def get(thing: Any, name: str, default: Any = None) -> Any:
    """A member; the default where it is missing or null."""
    value = thing.get(name, default) if isinstance(thing, Mapping) else getattr(thing, name, default)
    return default if value is None else value


def member(thing: Any, name: str) -> Any:
    """As `get`, of something that may be no object at all: text has members of its own that are not meant."""
    held = members_of(thing)
    return None if held is None else held.get(name)


def is_sent(thing: Any, name: str) -> bool:
    """Whether the server sent this member, if only null: the SDKs put null where it sent none."""
    sent = getattr(thing, "model_fields_set", None)
    return name in (sent if isinstance(sent, set) else members_of(thing) or ())


def listed(value: Any) -> list[Any]:
    """The objects of a list; none where it is no list."""
    return [item for item in value if members_of(item) is not None] if isinstance(value, list | tuple) else []


def members_of(thing: Any) -> Mapping[str, Any] | None:
    """All members by name, those that the SDK's class does not know among them; None for what is no object."""
    if isinstance(thing, Mapping):
        return thing
    if thing is None or isinstance(thing, str | bytes | int | float | list | tuple | type):
        return None
    held = {name: value for name, value in getattr(thing, "__dict__", {}).items() if not name.startswith("_")}
    extra = getattr(thing, "__pydantic_extra__", None)
    return {**held, **extra} if isinstance(extra, Mapping) else held


def put(thing: Any, name: str, value: Any) -> None:
    """Set a member."""
    if isinstance(thing, dict):
        thing[name] = value
    else:
        setattr(thing, name, value)


def altered(thing: Any, changes: Mapping[str, Any], less: Collection[str] = ()) -> Any:
    """A copy, as shallow as it goes, with other members, and less some that no class declares."""
    result = _changed(thing, changes)
    for name in less:
        extra = result if isinstance(result, dict) else getattr(result, "__pydantic_extra__", None) or vars(result)
        extra.pop(name, None)
    return result


def _changed(thing: Any, changes: Mapping[str, Any]) -> Any:
    if hasattr(thing, "model_copy"):
        return thing.model_copy(update=dict(changes))
    if isinstance(thing, Mapping):
        # A class of the caller's own (LiteLLM's, say) keeps what it holds beside its keys.
        result: Any = copy.copy(thing)
        result.update(changes)
        return result
    result = copy.copy(thing)
    for name, value in changes.items():
        setattr(result, name, value)
    return result


def copied(thing: Any) -> Any:
    """A deep copy."""
    try:
        return thing.model_copy(deep=True) if hasattr(thing, "model_copy") else copy.deepcopy(thing)
    except RecursionError as fault:
        raise _too_deep() from fault


def body_of(thing: Any) -> dict[str, Any]:
    """The mapping that it was made of."""
    if hasattr(thing, "to_dict"):
        # The SDKs warn of members of another type than theirs: what a server sends is not the caller's doing.
        quiet = {"warnings": False} if type(thing).__module__.startswith(("openai.", "anthropic.")) else {}
        try:
            return dict(thing.to_dict(**quiet))
        except (RecursionError, ValueError) as fault:  # pydantic's own bound
            raise _too_deep() from fault
    return dict(thing)


def _too_deep() -> ServerFault:
    return ServerFault("the server's answer is nested too deep", passing=False)


def is_count(value: Any) -> bool:
    """Whether it is a number that something can have come to: not one that no sum of such could hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MOST


_MOST = 10**15


def encodable(value: Any) -> Any:
    """The same with U+FFFD for halves of surrogate pairs: a model can write one, and no request can hold it."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {name: encodable(inner) for name, inner in value.items()}
    return [encodable(inner) for inner in value] if isinstance(value, list) else value
