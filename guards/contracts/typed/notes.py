"""What validation notes of a value while it makes it: which member of a union it came of.

The core schema is compiled with notes behind each member of a union that leads to guards, behind the union, and behind
the validators that its author put around it. What was noted is found again by the identity of the value, so that
nothing is validated twice. Of a union that holds itself it is noted, too, where each of its turns begins and where one
fails: else what the outer turn has made so far would be taken for the inner one's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic_core import PydanticCustomError, core_schema

from guards.contracts.typed.kinds import members_of
from guards.contracts.typed.nodes import OPAQUE, is_node, named, nodes_below

__all__ = ["NOTED", "Note", "Notes", "noted", "noting"]

NOTED: Final = "guards_noted"
"""The type of an error that says nothing: a note was taken where a member of a union is tried."""


class Note:
    """Of one value: the members that made it, and what further ones made of the same part of the answer."""

    __slots__ = ("members", "others", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        """Kept, so that its identity stays its own."""
        self.members: set[int] = set()
        self.others: list[tuple[int, Any]] = []


class Notes:
    """Of one validation, by union and by the identity of the value."""

    def __init__(self) -> None:
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
            note = self._note(union, value)
            note.members |= latest.members
            note.others += latest.others


class _Here(threading.local):
    notes: Notes | None = None


_HERE: Final = _Here()


@contextmanager
def noting() -> Iterator[Notes]:
    """What is noted by validation in this thread meanwhile; a validation inside a validator has notes of its own."""
    outer, notes = _HERE.notes, Notes()
    _HERE.notes = notes
    try:
        yield notes
    finally:
        _HERE.notes = outer


def noted(schema: Any, nodes: Mapping[int, Any]) -> Any:
    """The core schema with notes about these nodes (by identity): unions, and what may be null."""
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
        unions = self._unions(node, set()) if kind in _VALIDATORS and not inside else []
        copied = {
            key: child if key in OPAQUE else self.of(child, inside=key == "schema" and (inside or bool(unions)))
            for key, child in node.items()
        }
        if id(node) in self._nodes:
            copied = self._with_notes(node, copied)
        for union in unions:
            copied = _behind(copied, Notes.passed, union)
        return copied

    def _with_notes(self, node: Any, copied: dict[str, Any]) -> dict[str, Any]:
        union = id(node)
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


_VALIDATORS: Final = frozenset({"function-after", "function-wrap"})
_AROUND: Final = frozenset({*_VALIDATORS, "function-before", "default", "nullable", "custom-error", "definitions"})
