"""What validation notes of a value while it makes it: which member of a union it came of, what a list held at first.

The core schema is compiled with notes behind each member of a union that leads to guards, behind the union, and behind
the validators that its author put around it. What was noted is found again by the identity of the value, so that
nothing is validated twice. Of a union that holds itself it is noted, too, where each of its turns begins and where one
fails: else what the outer turn has made so far would be taken for the inner one's.

Where code of the type's author may put items elsewhere, each list and mapping is noted as pydantic makes it, and of
each validator that hands the answer on whether it left the order as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, wraps
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic_core import PydanticCustomError, core_schema

from guards.contracts.typed.kinds import members_of
from guards.contracts.typed.nodes import OPAQUE, is_node, named, nodes_below
from guards.contracts.typed.orders import Order, is_kept, is_object, is_shared, is_turned, order_of

__all__ = ["NOTED", "Made", "Note", "Notes", "noted", "noting"]

NOTED: Final = "guards_noted"
"""The type of an error that says nothing: a note was taken where a member of a union is tried."""


class Note:
    """Of one value: the members that made it, and what further ones made of the same part of the answer. `sure`:
    whether no other can have made it."""

    __slots__ = ("members", "others", "sure", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        """Kept, so that its identity stays its own."""
        self.members: set[int] = set()
        self.others: list[tuple[int, Any]] = []
        self.sure = True

    def take(self, other: Note) -> None:
        """What is known of another value holds for this one."""
        self.members |= other.members
        self.others += other.others
        self.sure = self.sure and other.sure


class Made(NamedTuple):
    """A list or mapping, and its items or keys as pydantic put them there. `node`: that of the core schema. `own`:
    whether no constant of the type's author is among them, so that one item is not another by chance."""

    node: int
    value: Any
    held: tuple[Any, ...]
    own: bool


Try: TypeAlias = tuple[Any, Note]
"""What a validator got of pydantic, and what is known of that."""


class Notes:
    """Of one validation, by union and by the identity of the value. `watching`: whether anything was noted."""

    def __init__(self, *, watching: bool = False) -> None:
        self.watching = watching
        self._lists: list[Made] = []
        self.moved: set[int] = set()
        """The validators (by their nodes) that handed on another order than they were given."""
        self.remade = False
        """Whether one of them made items anew, so that what one says now another may have said."""
        self._found: dict[tuple[int, int], Note] = {}
        self._turns: dict[int, list[list[tuple[int, Any]]]] = {}
        """Of each union what its members have made, the outer turn before the inner."""
        self._latest: dict[int, Note] = {}

    def of(self, node: Any, value: Any) -> Note | None:
        """What is known of a value in the place of a node of the core schema."""
        return self._found.get((id(node), id(value)))

    def _note(self, union: int, value: Any) -> Note:
        return self._found.setdefault((union, id(value)), Note(value))

    def begun(self, union: int) -> None:
        """A union that holds itself looks at a part of the answer."""
        self._turns.setdefault(union, []).append([])

    def failed(self, union: int) -> None:
        """None of its members took it."""
        self._turns[union].pop()

    def made(self, union: int, member: int, value: Any) -> None:
        """A member took the answer, and pydantic may go on to the next."""
        turns = self._turns.setdefault(union, [])
        if not turns:
            turns.append([])
        turns[-1].append((member, value))

    def chosen(self, union: int, value: Any) -> None:
        """The union ended with what one of them made."""
        turns = self._turns.get(union)
        note = self._latest[union] = self._note(union, value)
        for member, other in turns.pop() if turns else ():
            if other is value:
                note.members.add(member)
            else:
                note.others.append((member, other))

    def passed(self, union: int, value: Any) -> None:
        """The last validator around the union is done: what it gave stands for what the member had made."""
        latest = self._latest.pop(union, None)  # None where a validator did without the union
        if latest is not None and latest.value is not value:
            self._note(union, value).take(latest)

    def tried(self, union: int) -> Note | None:
        """What the union ended with last, which is then forgotten."""
        return self._latest.pop(union, None)

    def settled(self, union: int, tries: list[Try], value: Any, *, told: bool) -> None:
        """A validator gave a value after so many tries: that of one of them, or it is taken for any of them. `told`:
        whether it tried what it had been given."""
        latest = next((note for made, note in tries if made is value), None)
        if latest is None and tries:
            latest = self._note(union, value)
            latest.sure = latest.sure and told
            for _, note in tries:
                latest.take(note)
        if latest is not None:
            self._latest[union] = latest

    def handed(self, validator: int | None, order: Order, value: Any) -> None:
        """A validator hands something on, and was given this order."""
        if validator is not None and not is_kept(order, value):
            self.moved.add(validator)
            self.remade = self.remade or not is_turned(order, value)

    def held(self, node: int, own: bool, value: Any) -> None:  # called by position
        """pydantic made a list or mapping."""
        self._lists.append(Made(node, value, tuple(value), own))

    # -- asked when validation is over

    def origins(self, node: Any, value: Any, length: int) -> Mapping[int, int]:
        """Which items of a list are those that pydantic made of the document's at its place, of so many: by index."""
        made = self._by_value.get(id(value)) or self._source(node, value)
        if made is None or len(made.held) != length:
            return {}
        if len(value) >= length and all(now is was for now, was in zip(value, made.held, strict=False)):
            return {index: index for index in range(length)}
        places: dict[int, int | None] = {}
        for index, item in enumerate(made.held):
            places[id(item)] = None if id(item) in places else index
        found = {index: places.get(id(item)) for index, item in enumerate(value) if is_object(item)}
        return {index: place for index, place in found.items() if place is not None}

    def _source(self, node: Any, value: Any) -> Made | None:
        """What a list took its items from, if that was one, and one of the same place in the type."""
        known = {id(made): made for item in value if (made := self._by_item.get(id(item))) is not None}
        made = next(iter(known.values())) if len(known) == 1 else None
        return made if made is not None and made.node == id(node) else None

    def keys(self, value: Any) -> tuple[Any, ...] | None:
        """The keys of a mapping as pydantic made them; None where it was not pydantic that made it."""
        made = self._by_value.get(id(value))
        return None if made is None else made.held

    def keys_alike(self, node: Any, value: Any) -> tuple[Any, ...]:
        """The order in which pydantic made the same keys elsewhere; () where it made none, or in more than one."""
        made = self._by_keys.get((id(node), frozenset(value)))
        return made.held if made is not None else ()

    def is_made(self, value: Any) -> bool:
        """Whether a value is an item that pydantic made for this answer, and not another that is as good."""
        return id(value) in self._own

    @cached_property
    def _by_value(self) -> dict[int, Made]:
        return {id(made.value): made for made in self._lists}

    @cached_property
    def _by_item(self) -> dict[int, Made | None]:
        """Of what stands in one list alone."""
        found: dict[int, Made | None] = {}
        for made in self._lists:
            for item in made.held:
                if is_object(item):
                    found[id(item)] = None if found.get(id(item), made) is not made else made
        return found

    @cached_property
    def _by_keys(self) -> dict[tuple[int, frozenset[Any]], Made | None]:
        found: dict[tuple[int, frozenset[Any]], Made | None] = {}
        for made in self._lists:
            if isinstance(made.value, Mapping):
                way = (made.node, frozenset(made.held))
                known = found.setdefault(way, made)
                if known is not None and known.held != made.held:
                    found[way] = None
        return found

    @cached_property
    def _own(self) -> frozenset[int]:
        held = (item for made in self._lists if made.own for item in made.held)
        return frozenset(id(item) for item in held if not is_shared(item))


class _Here(threading.local):
    notes: Notes | None = None


_HERE: Final = _Here()


@contextmanager
def noting() -> Iterator[Notes]:
    """What is noted by validation in this thread meanwhile; a validation inside a validator has notes of its own."""
    outer, notes = _HERE.notes, Notes(watching=True)
    _HERE.notes = notes
    try:
        yield notes
    finally:
        _HERE.notes = outer


def noted(schema: Any, nodes: Mapping[int, Any]) -> Any:
    """The core schema with notes about these nodes (by identity): unions, what may be null, lists and mappings, and
    validators that hand the answer on."""
    return _Copy(schema, nodes).of(schema)


class _Copy:
    def __init__(self, schema: Any, nodes: Mapping[int, Any]) -> None:
        self._nodes = nodes
        self._named = named(schema)

    def of(self, node: Any, *, inside: bool = False) -> Any:
        """`inside` a validator whose value is this one's."""
        if isinstance(node, list | tuple):
            return type(node)(self.of(child) for child in node)
        if not isinstance(node, dict):
            return node
        if not is_node(node):
            return {name: self.of(child) for name, child in node.items()}
        kind = node["type"]
        about = self._unions(node, set()) if kind in _VALIDATORS else []
        unions = [] if inside else about
        copied = {
            key: child if key in OPAQUE else self.of(child, inside=key == "schema" and (inside or bool(about)))
            for key, child in node.items()
        }
        if kind in _HANDING and (id(node) in self._nodes or (kind == "function-wrap" and about)):
            copied = _watched(copied, id(node) if id(node) in self._nodes else None, about)
        elif id(node) in self._nodes:
            copied = self._with_notes(node, copied)
        for union in unions:
            copied = _behind(copied, Notes.passed, union)
        return copied

    def _with_notes(self, node: Any, copied: dict[str, Any]) -> dict[str, Any]:
        union = id(node)
        if "choices" not in node and "schema" not in node:
            items = node.get("items_schema")
            own = all(one["type"] in _FRESH for one in (items if isinstance(items, list) else [items]) if one)
            return _behind(copied, Notes.held, union, own)
        if "choices" not in node:
            return {**copied, "schema": _behind(copied["schema"], Notes.chosen, union)}
        choices = copied["choices"]
        behind = [_behind(one, Notes.made, union, index) for index, one in enumerate(members_of(copied))]
        tagged = dict(zip(choices, behind, strict=True)) if isinstance(choices, Mapping) else behind
        behind_all = _behind({**copied, "choices": tagged}, Notes.chosen, union)
        # Of a tagged union one member is tried, so that what it made is all that there is when the union ends.
        return _in_turns(behind_all, union) if node["type"] == "union" and self._holds_itself(node) else behind_all

    def _holds_itself(self, union: Any) -> bool:
        waiting, seen = list(nodes_below(union)), set()
        for node in waiting:  # which grows
            if node is union:
                return True
            if id(node) not in seen:
                seen.add(id(node))
                target = self._named.get(node.get("schema_ref", ""))
                waiting += nodes_below(node) if target is None else (target,)
        return False

    def _unions(self, node: Any, seen: set[int]) -> list[int]:
        """The unions that are about the same value as a node."""
        if not isinstance(node, Mapping) or id(node) in seen:
            return []
        seen.add(id(node))
        if "choices" in node:
            here = [id(node)] if id(node) in self._nodes else []
            return here + [union for member in members_of(node) for union in self._unions(member, seen)]
        if node.get("type") == "definition-ref":
            return self._unions(self._named.get(node["schema_ref"]), seen)
        return self._unions(node.get("schema"), seen) if node.get("type") in _AROUND else []


def _watched(node: dict[str, Any], about: int | None, unions: list[int]) -> dict[str, Any]:
    """A validator of which it is noted (as of `about`) whether it hands on what it is given in another order; and of
    one that calls pydantic itself, each of the values that it got."""
    function = node["function"]["function"]

    @wraps(function, updated=())
    def before(value: Any, *info: Any) -> Any:
        notes = _HERE.notes
        if notes is None:
            return function(value, *info)
        order = order_of(value) if about is not None else None
        handed = function(value, *info)
        notes.handed(about, order, handed)
        return handed

    @wraps(function, updated=())
    def around(value: Any, handler: Any, *info: Any) -> Any:
        notes = _HERE.notes
        if notes is None:
            return function(value, handler, *info)
        order = order_of(value) if about is not None else None
        tries: dict[int, list[Try]] = {union: [] for union in unions}
        told = False

        def handle(handed: Any, *where: Any) -> Any:
            nonlocal told
            notes.handed(about, order, handed)
            for union in unions:
                notes.tried(union)  # of a part of the answer that stands elsewhere
            made = handler(handed, *where)
            told = told or handed is value
            for union, known in tries.items():
                if (note := notes.tried(union)) is not None:
                    known.append((made, note))
            return made

        given = function(value, handle, *info)
        for union, known in tries.items():
            notes.settled(union, known, given, told=told)
        return given

    watching = before if node["type"] == "function-before" else around
    return {**node, "function": {**node["function"], "function": watching}}


def _behind(node: dict[str, Any], tell: Callable[..., None], *about: int) -> dict[str, Any]:
    def note(value: Any) -> Any:
        notes = _HERE.notes
        if notes is not None:
            tell(notes, *about, value)
        return value

    return _around(node, lambda held: core_schema.no_info_after_validator_function(note, held))


def _in_turns(node: dict[str, Any], union: int) -> dict[str, Any]:
    """Told before it looks at anything, and after all of its members failed: by members that take nothing. A validator
    around it would be handed an object of Python, of which pydantic may choose another member than of JSON."""

    def noting_only(tell: Callable[[Notes, int], None]) -> Any:
        def note(_: Any) -> Any:
            notes = _HERE.notes
            if notes is not None:
                tell(notes, union)
            raise PydanticCustomError(NOTED, "a note")

        return core_schema.no_info_plain_validator_function(note)

    first, last = noting_only(Notes.begun), noting_only(Notes.failed)
    return _around(node, lambda held: core_schema.union_schema([first, held, last], mode="left_to_right"))


def _around(node: dict[str, Any], make: Callable[[Any], Any]) -> dict[str, Any]:
    """What is made of a node, under the name by which others refer to it."""
    name = node.get("ref")
    if name is None:
        return dict(make(node))
    return {**make({key: held for key, held in node.items() if key != "ref"}), "ref": name}


_HANDING: Final = frozenset({"function-before", "function-wrap"})
_FRESH: Final = frozenset({"str", "int", "float", "decimal", "bytes", "any"})
"""What pydantic makes anew for each answer."""
_VALIDATORS: Final = frozenset({"function-after", "function-wrap"})
_AROUND: Final = frozenset({*_VALIDATORS, "function-before", "default", "nullable", "custom-error", "definitions"})
