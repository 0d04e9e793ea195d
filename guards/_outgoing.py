"""What goes to a model, as texts: each text that stands in it, whatever its shape, and what no guard can read, by name.

One reader for turns, for the arguments of a function and for the options of an SDK's method. It fails closed: a block
of a kind that it does not know has every string in it read, and an object that it does not know is named as unread.
"""

from __future__ import annotations

import dataclasses
from array import array
from collections import UserString
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from itertools import islice
from numbers import Number
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from guards._blocks import CONTENT, WORDS, carriers, from_outside, is_media, is_silent, kind_of, role_in
from guards._objects import attributes, buffer, is_record, is_shut, said
from guards.findings import join_pointer
from guards.messages import Message

__all__ = [
    "Beside",
    "Elsewhere",
    "Keys",
    "Outgoing",
    "Root",
    "Told",
    "Unread",
    "outgoing",
    "replaced",
    "role_of",
    "text_of",
    "views",
]

Keys = tuple[str | int, ...]
Root = int | Keys
"""Where something stands: in the turn of this number, or under these keys beside the turns."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes to the model beside the turns: an argument of a function, an option of an SDK's method.

    `role` is whose words they are; None where the value is a list of turns, which say so themselves. `free`: whoever
    asks chose the name, too.
    """

    path: Keys
    value: Any
    role: str | None = "user"
    kind: str = "argument"
    free: bool = False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Stands in for something that the model is given and that lies where no guard can look."""

    what: str


@dataclass(frozen=True, slots=True)
class Told:
    """A text that the model is given.

    `run`: texts of one run are parts of one text, which a model may read on end. `open`: whether another text can be
    put into its place.
    """

    text: str
    role: str
    root: Root
    keys: Keys
    run: int
    open: bool

    @property
    def path(self) -> str:
        """As a JSON Pointer into what was asked."""
        return _pointer(self.root, self.keys)


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that the model is given and no guard can read. `place` names it: `messages[1].content[0] (image)`."""

    role: str
    place: str
    path: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everything that goes to the model."""

    told: tuple[Told, ...] = ()
    unread: tuple[Unread, ...] = ()

    def heard(self, roles: Iterable[str]) -> tuple[Told, ...]:
        """The texts that a guard of these roles judges."""
        hears = _hearing(roles)
        return tuple(told for told in self.told if hears(told.role))

    def unheard(self, roles: Iterable[str]) -> tuple[Unread, ...]:
        """What a guard of these roles would judge and cannot read."""
        hears = _hearing(roles)
        return tuple(unread for unread in self.unread if hears(unread.role))


def views(told: Sequence[Told]) -> tuple[str, ...]:
    """The texts as one: one under the other, and, where it differs, the parts of a text on end, as a model reads them.

    A guard judges both: what is split over parts hides in the first, what is glued together may hide in the second.
    """
    runs: dict[int, list[str]] = {}
    for one in told:
        runs.setdefault(one.run, []).append(one.text)
    apart = "\n".join(one.text for one in told)
    joined = "\n".join("".join(parts) for parts in runs.values())
    return (apart,) if joined == apart else (apart, joined)


def outgoing(turns: Sequence[Message], beside: Iterable[Beside] = ()) -> Outgoing:
    """What goes to the model with these turns."""
    reader = _Reader()
    for number, turn in enumerate(turns):
        reader.turn(turn, _At("messages", number))
    for one in beside:
        at = _At(one.kind, one.path, role=one.role or "user")
        if one.role is None and isinstance(one.value, list | tuple):
            for number, turn in enumerate(one.value):
                reader.turn(turn, at.under(number))
        else:
            reader.member(one.path[-1], one.value, at, free=one.free)
    return Outgoing(tuple(reader.told), tuple(dict.fromkeys(reader.unread)))


def text_of(content: Any) -> str:
    """The text in a turn's content."""
    reader = _Reader()
    reader.read(content, _At("messages", 0))
    return "\n".join(told.text for told in reader.told)


def role_of(turn: Any) -> str:
    """Whose turn it is: see `role_in`."""
    return role_in(_members(turn))


def replaced(value: Any, keys: Sequence[str | int], new: Any) -> Any:
    """A copy of a value of dicts, lists and tuples with something else at this place; what lies beside is shared."""
    if not keys:
        return new
    key, rest = keys[0], keys[1:]
    if isinstance(value, Mapping):
        return {**value, key: replaced(value[str(key)], rest, new)}
    assert isinstance(key, int), "a list has numbered places"
    items = [*value[:key], replaced(value[key], rest, new), *value[key + 1 :]]
    return tuple(items) if isinstance(value, tuple) else items


# -- roles -------------------------------------------------------------------------------------------------------------

_OWN: Final = frozenset({"system", "developer", "assistant"})
"""Words of the developer or the model. All others are the user's, or come from outside as the user's do."""
_ALIKE: Final = ({"system", "developer"}, {"tool", "function"})


def _hearing(roles: Iterable[str]) -> Callable[[str], bool]:
    """Whether a guard of these roles is meant."""
    wanted = {role.strip().casefold() for role in roles}
    for alike in _ALIKE:
        if wanted & alike:
            wanted |= alike
    everybody, users = "all" in wanted, "user" in wanted
    return lambda role: everybody or role in wanted or (users and role not in _OWN)


# -- the reader --------------------------------------------------------------------------------------------------------

_DEEPEST: Final = 100
_MOST: Final = 1_000_000
_SILENT: Final = (type(None), Number, date, time, timedelta, tzinfo, UUID, range)
"""Values without words."""
_BYTES: Final = (bytes, bytearray, memoryview, array)


@dataclass(frozen=True, slots=True)
class _At:
    """Where the reader is."""

    kind: str
    root: Root
    keys: Keys = ()
    role: str = "user"
    run: int | None = None
    open: bool = True
    block: tuple[Keys, str] | None = None
    """The block of a known type that holds this place."""

    def under(self, key: str | int, *, run: int | None = None, closed: bool = False) -> _At:
        return _At(self.kind, self.root, (*self.keys, key), self.role, run, self.open and not closed, self.block)

    def of(self, role: str, block: tuple[Keys, str] | None) -> _At:
        return dataclasses.replace(self, role=role, block=block)

    @property
    def closed(self) -> _At:
        return dataclasses.replace(self, open=False)


class _Reader:
    """Collects; see `outgoing`."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.unread: list[Unread] = []
        self._runs = 0
        self._seen = 0
        self._inside: set[int] = set()

    def turn(self, turn: Any, at: _At) -> None:
        self.read(turn, at.of(role_of(turn), None))

    def member(self, name: str | int, value: Any, at: _At, *, free: bool) -> None:
        """As `read`, of something that goes by a name."""
        if carriers({name: value}, None, at.role):
            self._refuse(at, type(value).__name__)
            return
        if free and name not in WORDS:
            self.read(name, at.closed)
        self.read(value, at)

    def read(self, value: Any, at: _At) -> None:
        """Every text in the value, and what in it is none."""
        self._seen += 1
        if isinstance(value, str | UserString):
            self._tell(value, at if type(value) is str else at.closed)
        elif isinstance(value, _SILENT):
            return
        elif isinstance(value, _BYTES):
            self._bytes(value, at, type(value).__name__)
        elif isinstance(value, Enum):
            self.read(value.value, at.closed)
        elif isinstance(value, Elsewhere):
            self._refuse(at, value.what)
        elif len(at.keys) > _DEEPEST or self._seen > _MOST:
            self._refuse(at, "too deep or too large to be read")
        elif id(value) not in self._inside:  # what holds itself is being read already
            self._inside.add(id(value))
            try:
                self._hold(value, at)
            finally:
                self._inside.discard(id(value))

    def _hold(self, value: Any, at: _At) -> None:
        """Something that holds others. It may be of anybody's making: what it raises leaves it unread."""
        told, unread = len(self.told), len(self.unread)
        try:
            opened = self._opened(value, at)
        except Exception:  # noqa: BLE001  # the caller's own class; what it raises here says only that it cannot be read
            opened = False
        if not opened:
            del self.told[told:], self.unread[unread:]
            self._refuse(at, type(value).__name__)

    def _opened(self, value: Any, at: _At) -> bool:
        """Whether it could be read; what is in it is told."""
        if is_shut(value):
            return False
        if isinstance(value, Mapping):
            self._block(dict(islice(value.items(), _MOST)), at if type(value) is dict else at.closed, keys=True)
            self._more(value, at)
        elif is_record(value):
            self._record(value, at.closed)
        elif isinstance(value, Collection):
            raw = buffer(value)
            if raw is not None:
                self._bytes(raw, at, type(value).__name__)
                return True
            self._items(value, at if type(value) in (list, tuple) else at.closed)
            self._more(value, at)
        else:
            return self._thing(value, at.closed)
        return True

    def _items(self, items: Iterable[Any], at: _At) -> None:
        run = self._new_run() if at.run is None else at.run
        for number, item in enumerate(items):
            if self._seen > _MOST:
                raise _Unreadable
            self.read(item, at.under(number, run=run))

    def _block(self, members: Mapping[Any, Any], at: _At, *, keys: bool) -> None:
        """A mapping, or the members of a record: the text in it, less the words of the SDKs."""
        kind = kind_of(members)
        begins = kind is not None and (at.block is None or (at.keys and isinstance(at.keys[-1], int)))
        at = at.of("tool" if from_outside(kind) else at.role, (at.keys, kind or "") if begins else at.block)
        carry = carriers(members, kind, at.role)
        if carry or is_media(kind):
            self._refuse(at, kind or min(map(str, carry)), at.block)
        for key, value in members.items():
            if self._seen > _MOST:
                raise _Unreadable
            if key in carry:
                continue
            if keys and key not in WORDS:
                self.read(key, at.under(str(key), closed=True))
            if is_silent(key, value, ids=at.kind != "argument"):
                continue
            self.read(value, at.under(str(key), run=at.run if key in CONTENT else None, closed=type(key) is not str))

    def _record(self, value: Any, at: _At) -> None:
        self._block(attributes(value), at, keys=isinstance(value, SimpleNamespace))  # which is a mapping in disguise
        extra = getattr(value, "__pydantic_extra__", None)
        if extra:
            self._block(extra, at, keys=True)

    def _more(self, value: Any, at: _At) -> None:
        """What a collection of the caller's own making has beside its items."""
        if type(value).__module__ not in ("builtins", "collections"):
            self._block(attributes(value), at.closed, keys=False)

    def _thing(self, value: Any, at: _At) -> bool:
        """An object of a class that declares no members: what it has, if all of that can be read, and what it says."""
        if callable(value) and not isinstance(value, BaseException):
            return False
        members = attributes(value)
        if isinstance(value, BaseException):
            members["args"] = value.args
        told, unread = len(self.told), len(self.unread)
        self._block(members, at, keys=False)
        if not members or len(self.unread) > unread:
            return False
        words = said(value)
        if words is not None and words not in [one.text for one in self.told[told:]]:
            self._tell(words, at)
        return True

    def _bytes(self, value: Any, at: _At, name: str) -> None:
        try:
            text = bytes(value).decode()
        except ValueError:
            text = "\0"
        if "\0" in text:  # another encoding, or no text at all
            self._refuse(at, name)
        else:
            self._tell(text, at.closed)

    def _tell(self, text: str | UserString, at: _At) -> None:
        if text:
            run = self._new_run() if at.run is None else at.run
            words = text.data if isinstance(text, UserString) else str.__str__(text)
            self.told.append(Told(words, at.role, at.root, at.keys, run, at.open))

    def _refuse(self, at: _At, what: str, block: tuple[Keys, str] | None = None) -> None:
        keys, kind = block or (at.keys, what)
        self.unread.append(Unread(at.role, f"{_place(at.kind, at.root, keys)} ({kind})", _pointer(at.root, keys)))

    def _new_run(self) -> int:
        self._runs += 1
        return self._runs


class _Unreadable(Exception):
    """Something that cannot be read."""


def _members(value: Any) -> Mapping[Any, Any]:
    """Of a turn: a mapping, or an SDK's own object."""
    if isinstance(value, Mapping):
        return value
    return attributes(value) if is_record(value) else {}


# -- places ------------------------------------------------------------------------------------------------------------


_SHOWN: Final = 6


def _place(kind: str, root: Root, keys: Keys) -> str:
    if isinstance(root, int):
        place = f"messages[{root}]"
    else:
        place = f"{kind} {root[0]!r}"
        keys = (*root[1:], *keys)
    shown = "".join(f"[{key}]" if isinstance(key, int) else f".{_short(key)}" for key in keys[:_SHOWN])
    return f"{place}{shown}{'…' * (len(keys) > _SHOWN)}"


def _pointer(root: Root, keys: Keys) -> str:
    start: Keys = ("messages", root) if isinstance(root, int) else root
    return join_pointer((*start, *keys))


def _short(key: str) -> str:
    return key if len(key) <= 40 else f"{key[:39]}…"
