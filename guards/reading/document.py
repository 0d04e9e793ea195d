"""A document as it was read: plain data, addressed by its own names, and how a place in it is written.

Inside the library a place is a tuple of keys and indexes into `data` (`("line", 1, "total")`); a `Finding` shows it as
JSON Pointer or XPath. Each kind of document knows how to get from one to the other.
"""

from __future__ import annotations

import copy
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final, TypeAlias

from guards.errors import ConfigError
from guards.findings import as_index, join_pointer, parse_pointer
from guards.reading.numbers import comparable, dumps, is_inexact

__all__ = [
    "Document",
    "InexactDocument",
    "JsonDocument",
    "Place",
    "Steps",
    "TextDocument",
    "at",
    "document_of",
    "holds_null",
    "leaves",
    "plain_steps",
    "without",
]

Place: TypeAlias = tuple[str | int, ...]
Steps: TypeAlias = tuple[str | int | None, ...]
"""As `Place`, of many documents: None is any key and any index."""


class Document(ABC):
    """What was read. Immutable: `replace` and `remove` give another one."""

    __slots__ = ("data",)
    format: ClassVar[str]

    def __init__(self, data: Any) -> None:
        self.data = data

    @abstractmethod
    def source(self) -> str:
        """The document as text."""

    @abstractmethod
    def path(self, place: Place) -> str:
        """The place as a finding shows it. A place that is missing from the data is shown where it should stand."""

    @abstractmethod
    def place(self, path: str) -> Place | None:
        """The place that a finding's path names; None when the document has none there."""

    @abstractmethod
    def select(self, expression: str) -> list[Place]:
        """The places that a JSONPath (RFC 9535) or, in XML, an XPath names."""

    def replace(self, place: Place, value: Any) -> Document | None:
        """The document with another value there; None where that cannot be."""
        return self._changed(_with(self.data, place, value)) if _exists(self.data, place) else None

    def remove(self, place: Place) -> Document | None:
        """The document without that key or item; None for the whole document or for a place that is not there."""
        if not place or not _exists(self.data, place):
            return None
        return self._changed(without(self.data, place))

    def _changed(self, data: Any) -> Document:
        return type(self)(data)


class JsonDocument(Document):
    """A JSON document; places are shown as JSON Pointers (RFC 6901)."""

    __slots__ = ()
    format: ClassVar[str] = "json"

    def source(self) -> str:
        return dumps(self.data, ensure_ascii=False)

    def path(self, place: Place) -> str:
        return join_pointer(place)

    def place(self, path: str) -> Place | None:
        try:
            parts = parse_pointer(path)
        except ValueError:
            return None
        return _typed(self.data, parts)

    def select(self, expression: str) -> list[Place]:
        return [tuple(node.location) for node in compile_jsonpath(expression).find(self.data)]


class InexactDocument(JsonDocument):
    """A JSON document with numbers that a float may change (`numbers.is_inexact`)."""

    __slots__ = ()

    def select(self, expression: str) -> list[Place]:
        return [tuple(node.location) for node in compile_jsonpath(expression).find(comparable(self.data))]


def document_of(data: Any) -> JsonDocument:
    """The JSON document of the kind that the data's numbers need."""
    return InexactDocument(data) if is_inexact(data) else JsonDocument(data)


class TextDocument(Document):
    """Plain text: one place, the whole."""

    __slots__ = ()
    format: ClassVar[str] = "text"

    def source(self) -> str:
        return str(self.data)

    def path(self, place: Place) -> str:
        return join_pointer(place)

    def place(self, path: str) -> Place | None:
        return () if path == "" else None

    def select(self, expression: str) -> list[Place]:
        return [()] if expression == "$" else []


def compile_jsonpath(expression: str) -> Any:
    """A compiled JSONPath query; `ConfigError` for one that RFC 9535 does not allow."""
    from jsonpath_rfc9535 import compile as compile_path
    from jsonpath_rfc9535.exceptions import JSONPathError

    try:
        return compile_path(expression)
    except JSONPathError as fault:
        raise ConfigError(
            f"{expression!r} is not a JSONPath (RFC 9535): {fault}", where=".on()", hint="write it like $.items[*].name"
        ) from fault


_STEP: Final = re.compile(r"""\.([A-Za-z_]\w*)|\[(\d+)\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]|(\[\*\]|\.\*)""")


def plain_steps(expression: str) -> Steps | None:
    """A plain JSONPath as keys and indexes, None for any of them; None for a path that is more than that."""
    steps: list[str | int | None] = []
    at = 1
    while at < len(expression):
        found = _STEP.match(expression, at)
        if found is None:
            return None
        name, index, single, double, every = found.groups()
        steps.append(None if every else int(index) if index else name or single or double or "")
        at = found.end()
    return tuple(steps)


def at(data: Any, place: Sequence[str | int]) -> Any:
    """The part of plain data at a place; KeyError or IndexError when there is none."""
    for part in place:
        data = data[part]
    return data


def leaves(data: Any) -> Iterator[tuple[Place, Any]]:
    """All that plain data holds which holds nothing itself, each with its place, in the order of the document."""
    waiting: list[tuple[Place, Any]] = [((), data)]
    while waiting:
        place, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [((*place, key), held) for key, held in reversed(node.items())]
        elif isinstance(node, list):
            waiting += [((*place, index), item) for index, item in reversed(list(enumerate(node)))]
        else:
            yield place, node


def holds_null(document: Document, place: Place) -> bool:
    """Whether the document has a null there."""
    return _exists(document.data, place) and at(document.data, place) is None


def without(data: Any, place: Place) -> Any:
    """A copy of plain data less one key or item."""
    data = copy.deepcopy(data)
    del at(data, place[:-1])[place[-1]]
    return data


def _with(data: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    data = copy.deepcopy(data)
    at(data, place[:-1])[place[-1]] = value
    return data


def _exists(data: Any, place: Place) -> bool:
    try:
        at(data, place)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _typed(data: Any, parts: tuple[str, ...]) -> Place | None:
    """Reference tokens as keys and indexes of this data; None when they lead nowhere."""
    place: list[str | int] = []
    for part in parts:
        if isinstance(data, list) and (index := as_index(part)) is not None and index < len(data):
            place.append(index)
        elif isinstance(data, dict) and part in data:
            place.append(part)
        else:
            return None
        data = data[place[-1]]
    return tuple(place)
