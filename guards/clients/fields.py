"""Members of what a server sent, each of the type that its protocol gives it. Another type is a fault of the server's,
by name: nobody could say what it means, and it is not passed over."""

from __future__ import annotations

from typing import Any

from guards.clients.members import member, members_of
from guards.errors import ServerFault

__all__ = ["index_in", "object_in", "object_of", "objects_in", "text_in", "words_in", "wrong"]


def object_of(chunk: Any) -> Any:
    """A piece of a stream, which is an object."""
    if members_of(chunk) is None:
        raise wrong("chunk", chunk, "an object")
    return chunk


def text_in(thing: Any, name: str) -> str | None:
    """A text, or none."""
    value = member(thing, name)
    if value is None or isinstance(value, str):
        return value
    raise wrong(name, value, "text")


def words_in(thing: Any, name: str) -> str | None:
    """As `text_in`, of text that may come in parts; parts of other kinds (a thinking one) say nothing."""
    value = member(thing, name)
    if not isinstance(value, list) or any(members_of(part) is None for part in value):
        return text_in(thing, name)
    return "".join(text_in(part, "text") or "" for part in value)


def index_in(thing: Any, name: str, default: int = 0) -> int:
    """A whole number."""
    value = member(thing, name)
    if value is None:
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise wrong(name, value, "a number")


def object_in(thing: Any, name: str) -> Any:
    """An object, or none."""
    value = member(thing, name)
    if value is None or members_of(value) is not None:
        return value
    raise wrong(name, value, "an object")


def objects_in(thing: Any, name: str) -> list[Any]:
    """A list of objects; an empty one for none."""
    value = member(thing, name)
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise wrong(name, value, "a list")
    for item in value:
        if members_of(item) is None:
            raise wrong(name, item, "an object", "in its list ")
    return list(value)


def wrong(name: str, value: Any, wanted: str, where: str = "") -> ServerFault:
    """The fault for a value of a type that does not belong there."""
    found = "an object" if members_of(value) is not None else type(value).__name__
    return ServerFault(f"the server's answer has {where}a {name!r} that is {found}, not {wanted}", passing=False)
