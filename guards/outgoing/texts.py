"""What goes to a model, as texts: each text that stands in it, whatever its shape, and what no guard can read, by name.

One reader for turns, for the arguments of a function and for the options of an SDK's method. It fails closed: a block
of a kind that it does not know has every string in it read, and an object that it does not know is named as unread.
"""

from __future__ import annotations

from array import array
from collections import UserString
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from itertools import islice
from numbers import Number
from types import SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import UUID

from guards.findings import join_pointer
from guards.messages import Message
from guards.outgoing.blocks import (
    QUOTED,
    WORDS,
    carriers,
    goes_on,
    is_media,
    is_reference,
    is_silent,
    kind_of,
    may_be_silent,
    role_in,
    role_of_member,
    role_within,
    word,
)
from guards.values.objects import (
    attributes,
    besides,
    buffer,
    computed,
    is_record,
    is_shut,
    iterated,
    names_of,
    said,
    spoken,
    told_of_fault,
    worked_out,
)

__all__ = [
    "Beside",
    "Elsewhere",
    "Keys",
    "Outgoing",
    "Root",
    "Told",
    "Unread",
    "held_back",
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

    `runs`: texts with the same number are parts of one text, which a model may read on end; one number for each way in
    which it may: parts of a content; the same in turns of one role behind each other, and whatever stands in a list's
    items; members of the same name in these.
    `open`: whether another text can be put into its place.
    """

    text: str
    role: str
    root: Root
    keys: Keys
    runs: tuple[int, int, int]
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

    A guard judges all: what is split over parts hides in the first, what is glued together may hide in the others.
    """
    read = ["\n".join(one.text for one in told)]
    for way in range(3):
        runs: dict[int, list[str]] = {}
        for one in told:
            runs.setdefault(one.runs[way], []).append(one.text)
        read.append("\n".join("".join(parts) for parts in runs.values()))
    return tuple(dict.fromkeys(read))


def outgoing(turns: Sequence[Message], beside: Iterable[Beside] = ()) -> Outgoing:
    """What goes to the model with these turns."""
    reader = _Reader()
    reader.turns((turn, _At("messages", number)) for number, turn in enumerate(turns))
    for one in beside:
        at = _At(one.kind, one.path, role=one.role or "user")
        if one.role is None and isinstance(one.value, list | tuple):
            reader.turns((turn, at.under(number)) for number, turn in enumerate(one.value))
        else:
            reader.member(one.path[-1], one.value, at, free=one.free)
    return Outgoing(tuple(reader.told), tuple(dict.fromkeys(reader.unread)))


def held_back(turns: Any) -> Iterator[Beside]:
    """Of turns that are objects, what their dump leaves out and whoever is given the objects can read."""
    for number, turn in enumerate(turns if isinstance(turns, list | tuple) else ()):
        fields = getattr(type(turn), "__pydantic_fields__", {})
        kept = [getattr(turn, name) for name, field in fields.items() if field.exclude]
        kept += (getattr(turn, "__pydantic_private__", None) or {}).values()
        if kept:
            yield Beside(("messages", number), _HeldBack(tuple(kept)), role_of(turn))


@dataclass(frozen=True, slots=True)
class _HeldBack:
    """An object of which nothing can be put into another's place."""

    values: tuple[Any, ...]


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
    wanted = {word(role) for role in roles}
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
_TEXTS: Final = (str, UserString)
_BYTES: Final = (bytes, bytearray, memoryview, array)
_SIMPLE: Final = (*_TEXTS, Enum, *_SILENT, *_BYTES)


class _At(NamedTuple):
    """Where the reader is. Made for each value that is read, and a tuple is made fast."""

    kind: str
    root: Root
    keys: Keys = ()
    role: str = "user"
    run: int | None = None
    """Of what content this is a part."""
    items: int | None = None
    """The run of the list of whose items this is a part, where its name says nothing of what it is."""
    column: Keys | None = None
    """Of what list's items, or what turns, this is a part, and under which names in each of them."""
    open: bool = True
    block: tuple[Keys, str] | None = None
    """The block of a known type that holds this place."""
    turn: bool = False
    """Whether this is a turn itself."""
    quoted: bool = False
    """Whether this tells of something that the model was given before: addresses in it lead nowhere else."""

    def under(self, key: str | int, *, closed: bool = False) -> _At:
        return self._replace(keys=(*self.keys, key), open=self.open and not closed, turn=False)

    def member(self, key: Any, role: str, *, goes_on: bool) -> _At:
        """Where a member of a block stands."""
        run, items, column = self.run, self.items, self.column
        if not goes_on:
            run, items = None, None if key in WORDS else items
            column = None if column is None else (*column, str(key))
        quoted = self.quoted or (role == "tool" and key in QUOTED)
        is_open = self.open and type(key) is str
        place = (*self.keys, str(key))
        return _At(self.kind, self.root, place, role, run, items, column, is_open, self.block, False, quoted)

    @property
    def apart(self) -> _At:
        """The same, as a part of nothing."""
        return self._replace(run=None, items=None, column=None)

    @property
    def closed(self) -> _At:
        return self._replace(open=False)


class _Reader:
    """Collects; see `outgoing`."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.unread: list[Unread] = []
        self._runs = 0
        self._turns: dict[int, int] = {}
        """Of the content of a turn, the first one of those that it may be read on end with."""
        self._columns: dict[Keys, int] = {}
        self._seen = 0
        self._inside: set[int] = set()

    def turns(self, turns: Iterable[tuple[Any, _At]]) -> None:
        """Turns of one conversation. Servers put those of one role that stand behind each other into one."""
        before, first = None, 0
        for turn, at in turns:
            role, run, since = role_of(turn), self._new_run(), len(self.told)
            whose = role if role in _OWN else "user"
            self._turns[run] = group = first if whose == before else run
            self.read(turn, at._replace(role=role, run=run, column=(group,), turn=True))
            if len(self.told) > since:  # one without a word may be left out
                before, first = whose, group

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
        if type(value) is str:
            self._tell(value, at)
        elif isinstance(value, _SIMPLE):
            self._simple(value, at.closed)
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

    def _simple(self, value: Any, at: _At) -> None:
        """One that holds no others; of a class of the caller's own it may say something else than it is."""
        told = len(self.told)
        if isinstance(value, _TEXTS):
            self._tell(value, at)
        elif isinstance(value, _BYTES):
            self._bytes(value, at, type(value).__name__)
        elif isinstance(value, Enum) and not isinstance(value, _SILENT):
            self.read(value.value, at)
        try:
            self._besides(value, at, told)
            self._speaks(value, at, told)
        except Exception:  # noqa: BLE001  # the caller's own class
            self._refuse(at, type(value).__name__)

    def _besides(self, value: Any, at: _At, since: int) -> None:
        """What a simple value has beside what it is: attributes of a class of the caller's own, names."""
        said = {one.text.casefold() for one in self.told[since:]}
        for name in names_of(value):
            if name.casefold() not in said:
                self._tell(name, at)
        if members := besides(value):
            now = len(self.told)
            self._block(members, at, keys=False)
            self._forget_known(since, now)

    def _speaks(self, value: Any, at: _At, since: int) -> None:
        """The texts that a value's class makes of it, where they are not those that were told since then."""
        for words in spoken(value):
            if words not in [one.text for one in self.told[since:]]:
                self._tell(words, at.closed)

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
        told = len(self.told)
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
        elif not self._thing(value, at.closed):
            return False
        self._speaks(value, at, told)
        return True

    def _items(self, items: Iterable[Any], at: _At) -> None:
        run = self._run(at)
        inside = bool(at.keys) and isinstance(at.keys[-1], int)  # in another list
        whole = run if at.items is None else at.items
        column = (run,) if at.column is None else at.column
        for number, item in enumerate(items):
            if self._seen > _MOST:
                raise _Unreadable
            names = (*column, number) if inside else column
            self.read(item, at._replace(keys=(*at.keys, number), run=run, items=whole, column=names, turn=False))

    def _block(self, members: Mapping[Any, Any], at: _At, *, keys: bool) -> None:
        """A mapping, or the members of a record: the text in it, less the words of the SDKs."""
        kind = kind_of(members)
        begins = kind is not None and (at.block is None or (at.keys and isinstance(at.keys[-1], int)))
        block = (at.keys, kind or "") if begins else at.block
        at = at._replace(role=role_within(kind, at.role), block=block)
        ids = at.kind != "argument"
        carry = set() if at.quoted else carriers(members, kind, at.role)
        if carry or is_media(kind):
            self._refuse(at, kind or min(map(str, carry)), at.block)
        elif ids and is_reference(members, kind, turn=at.turn):
            self._refuse(at, "item_reference" if at.turn else kind or "id", at.block)
        within = at.run is not None
        for key, value in members.items():
            if self._seen > _MOST:
                raise _Unreadable
            if key in carry:
                continue
            if keys and key not in WORDS:
                self._key(key, at)
            if type(value) is str and is_silent(key, value, ids=ids):
                continue
            since = len(self.told)
            role = role_of_member(key, kind, at.role)
            self.read(value, at.member(key, role, goes_on=goes_on(key, value, within=within)))
            if may_be_silent(key) and all(is_silent(key, one.text, ids=ids) for one in self.told[since:]):
                del self.told[since:]

    def _key(self, key: Any, at: _At) -> None:
        self.read(key, at.under(str(key), closed=True).apart)

    def _record(self, value: Any, at: _At) -> None:
        told = len(self.told)
        self._block(attributes(value) | computed(value), at, keys=isinstance(value, SimpleNamespace))
        extra = getattr(value, "__pydantic_extra__", None)
        if extra:
            self._block(extra, at, keys=True)
        self._goes_through(value, at, told)
        self._works_out(value, at, told)

    def _works_out(self, value: Any, at: _At, since: int) -> None:
        """What an object makes of what it has, where it was not told since then."""
        now, unread = len(self.told), len(self.unread)
        for one in worked_out(value):
            self.read(one, at.apart)
        self._forget_known(since, now)
        del self.unread[unread:]  # what cannot be read there is made of what was read before

    def _goes_through(self, value: Any, at: _At, since: int) -> bool:
        """Whether something comes of going through an object; that is told where it was not since then."""
        items = iterated(value)
        if items is None:
            return False
        now = len(self.told)
        self._items(items, at)
        self._forget_known(since, now)
        return True

    def _forget_known(self, since: int, now: int) -> None:
        """Of what was told from now on, that which had been told since then: one text is not judged twice."""
        known = {one.text for one in self.told[since:now]}
        self.told[now:] = [one for one in self.told[now:] if one.text not in known]

    def _more(self, value: Any, at: _At) -> None:
        """What a collection of the caller's own making has beside its items."""
        if type(value).__module__ not in ("builtins", "collections"):
            self._block(attributes(value), at.closed, keys=False)

    def _thing(self, value: Any, at: _At) -> bool:
        """An object of a class that declares no members: what it has, if all of that can be read, and what it says."""
        if callable(value) and not isinstance(value, BaseException):
            return False
        members = attributes(value) | (told_of_fault(value) if isinstance(value, BaseException) else {})
        told, unread = len(self.told), len(self.unread)
        self._block(members, at, keys=False)
        goes = self._goes_through(value, at, told)
        if not (members or goes) or len(self.unread) > unread:
            return False
        self._works_out(value, at, told)
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
            words = text.data if isinstance(text, UserString) else str.__str__(text)
            self.told.append(Told(words, at.role, at.root, at.keys, self._runs_of(at), at.open))

    def _refuse(self, at: _At, what: str, block: tuple[Keys, str] | None = None) -> None:
        keys, kind = block or (at.keys, what)
        self.unread.append(Unread(at.role, f"{_place(at.kind, at.root, keys)} ({kind})", _pointer(at.root, keys)))

    def _runs_of(self, at: _At) -> tuple[int, int, int]:
        """See `Told.runs`."""
        run, column = self._run(at), at.column or ()
        whole = run if at.items is None else at.items
        in_turns, of_turns = self._turns.get(whole, whole), self._turns.get(run, run)
        return run, in_turns, self._columns.setdefault(column, self._new_run()) if len(column) > 1 else of_turns

    def _run(self, at: _At) -> int:
        return self._new_run() if at.run is None else at.run

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
