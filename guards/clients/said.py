"""What of a document its value says: the words that came where they say the same, else those of the value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from guards.contracts.base import Stand
from guards.reading.document import Place, at
from guards.values.plain import plain

__all__ = ["NOTHING", "told_of"]

NOTHING: Final = object()
"""In data's place: there is none."""


def told_of(data: Any, told: Sequence[Stand], written: Any) -> Any:
    """The data of a document as far as something is delivered of it. `told` are the parts of what is delivered,
    `written` is that in its type's own words. `NOTHING` where they cannot be told."""
    try:
        return _Said(told, written).of(data, ())
    except Exception:  # noqa: BLE001  # of the value's own code
        return NOTHING


class _Said:
    def __init__(self, told: Sequence[Stand], written: Any) -> None:
        self._written = written
        self._held: dict[Place, list[Any]] = {}
        """The parts that the document holds, by their places."""
        for stand in told:
            if stand.exact and stand.fault is None:
                self._held.setdefault(stand.place, []).append(stand.value)
        loose = {stand.place for stand in told if not stand.exact or stand.fault is not None}
        self._apart = {place if place in self._held else place[:-1] for place in loose}
        """The places of what has parts that stand nobody knows where."""

    def of(self, data: Any, place: Place) -> Any:
        held = self._held.get(place)
        if held is None:
            return self._on_the_way(data, place)
        kept: Any = data
        if isinstance(data, dict) and data:
            kept = self._members(data, place)
            is_said = place not in self._apart and all(_names(value, kept, data) for value in held)
        elif isinstance(data, list) and data:
            kept = self._items(data, place)
            is_said = place not in self._apart and not any(item is NOTHING for item in kept)
            if not is_said and any(_is_set_of(value, data) for value in held):
                return data
        else:
            is_said = any(_says(value, data) for value in held)
        if is_said:
            return kept
        own = self._own(held, place)
        return data if own == data or _is_same_json(own, data) else own

    def _on_the_way(self, data: Any, place: Place) -> Any:
        """Of what is no part itself, and may hold some."""
        if isinstance(data, dict):
            return self._members(data, place) or NOTHING
        items = self._items(data, place) if isinstance(data, list) else []
        while items and items[-1] is NOTHING:
            items.pop()
        return [None if item is NOTHING else item for item in items] or NOTHING

    def _members(self, data: dict[str, Any], place: Place) -> dict[str, Any]:
        members = {key: self.of(held, (*place, key)) for key, held in data.items()}
        return {key: held for key, held in members.items() if held is not NOTHING}

    def _items(self, data: list[Any], place: Place) -> list[Any]:
        return [self.of(item, (*place, index)) for index, item in enumerate(data)]

    def _own(self, held: list[Any], place: Place) -> Any:
        """A part in the value's own words."""
        try:
            return at(self._written, place)
        except (LookupError, TypeError):
            return plain(held[0])


def _names(value: Any, kept: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether the keys of a mapping are those that the document has; those of anything else are its type's."""
    if not isinstance(value, Mapping):
        return True
    in_order = value if len(value) == len(data) else ()
    read = dict(zip(data, in_order, strict=False))
    return all(name in value or _says(read.get(name), name) for name in kept)


def _is_set_of(value: Any, data: list[Any]) -> bool:
    """Whether a document's list says nothing but what a set holds."""
    if not isinstance(value, set | frozenset) or any(isinstance(item, dict | list) for item in data):
        return False
    kinds = {type(member) for member in value}
    return all(any(_read(kind, item) in value for kind in kinds) for item in data)


def _says(value: Any, word: Any) -> bool:
    """Whether a text, a number of a document is nothing but another form of this value."""
    return bool(_read(type(value), word) == value)


def _read(kind: type, word: Any) -> Any:
    """What a word means as a value of this type, without a validator of anybody's; `NOTHING` where it means none."""
    if kind is str:
        return word if type(word) is str else NOTHING
    adapter = _adapter(kind)
    if adapter is None or (isinstance(word, str) and _loses(kind, word)):
        return NOTHING
    try:
        return adapter.validate_python(word)
    except Exception:  # noqa: BLE001  # whatever it is: the word is none
        return NOTHING


def _loses(kind: type, word: str) -> bool:
    """Whether a text may have said more than a value of this type keeps: a URL takes back the steps before `..`, and
    digits past the last that it has room for are dropped."""
    finest = _FINEST.get(kind)
    return ".." in unquote(word) or (finest is not None and finest.search(word) is not None)


_FINEST: Final = {
    **dict.fromkeys((datetime, time, timedelta), re.compile(r"[.,]\d{7}")),
    **dict.fromkeys((float, complex), re.compile(r"(\d[._]?){18}")),
}


@lru_cache(maxsize=128)
def _adapter(kind: type) -> Any:
    """pydantic's reading of a type that runs no code of an author's, and keeps the words of a text; None for others."""
    if f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}" not in _PLAIN:
        return None
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(kind)
    except Exception:  # noqa: BLE001  # one that pydantic does not know
        return None


_PLAIN: Final = {
    f"{home}.{name}"
    for home, names in {
        "builtins": "NoneType bool bytes complex float int",
        "datetime": "date datetime time timedelta",
        "decimal": "Decimal",
        "ipaddress": "IPv4Address IPv4Interface IPv4Network IPv6Address IPv6Interface IPv6Network",
        "pathlib": "PosixPath PurePosixPath PureWindowsPath WindowsPath",
        "pydantic": """
            AmqpDsn AnyHttpUrl AnyUrl AnyWebsocketUrl ClickHouseDsn CockroachDsn FileUrl FtpUrl HttpUrl KafkaDsn
            MariaDBDsn MongoDsn MySQLDsn NatsDsn PostgresDsn RedisDsn SecretBytes SecretStr SnowflakeDsn WebsocketUrl
            """,
        "pydantic_core": "MultiHostUrl Url",
        "uuid": "UUID",
    }.items()
    for name in names.split()
}
"""Types of which somebody has looked at what their reading passes over: blanks, signs, zeros, and no words. (Of "1 MB
and whatever follows" a `ByteSize` keeps the number.)"""


def _is_same_json(own: Any, word: Any) -> bool:
    """Whether two texts are the same JSON, differently spaced (`pydantic.Json`)."""
    if not isinstance(own, str) or not isinstance(word, str):
        return False
    try:
        return bool(json.loads(own) == json.loads(word, object_pairs_hook=_once))
    except (ValueError, RecursionError):
        return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name twice")
    return members
