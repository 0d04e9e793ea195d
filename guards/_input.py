"""Input guards: run over the user's text before the model is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from guards._flow import Flow
from guards._pipeline import Examined, Found, GuardSet, examine
from guards._plain import plain
from guards.context import Context
from guards.contracts.base import Reading
from guards.contracts.text import Text
from guards.findings import Finding
from guards.messages import Message, text_of

if TYPE_CHECKING:
    from guards._asking import Desk

__all__ = ["check_input", "input_text"]


def check_input(
    guards: GuardSet, messages: Sequence[Message], context: Context, desk: Desk | None
) -> Flow[tuple[Examined[Any] | None, list[Finding]]]:
    """What the input guards refused (None: nothing), and the remarks that do not block; a tier that does ends it."""
    found: list[Found] = []
    faults: list[BaseException] = []
    for tier in guards.tiers:
        for entry in tier:
            text = input_text(messages, context, entry.guard.roles)
            reading: Reading[Any] = Reading(text, None)
            examined = yield from examine(reading, _TEXT, GuardSet(((entry,),)), context, desk)
            found += examined.found
            faults += examined.faults
        if any(one.finding.blocks for one in found):
            break
    blocking = tuple(one for one in found if one.finding.blocks)
    remarks = [one.finding for one in found if not one.finding.blocks]
    if not blocking:
        return None, remarks
    return Examined(Reading(None, None), blocking, faults=tuple(faults)), remarks


def input_text(messages: Sequence[Message], context: Mapping[str, Any], roles: Sequence[str]) -> str:
    """The text of the turns of these roles (`"all"` for every role), one under the other.

    Where the caller's own function sends (no messages are known), the texts in its arguments.
    """
    if not messages:
        return "\n".join(text for value in context.values() for text in _texts(value))
    return "\n".join(text_of(m.get("content")) for m in messages if "all" in roles or m.get("role") in roles)


def _texts(value: Any) -> Iterator[str]:
    """Every text in an argument: in records and collections too, which would otherwise reach the model unseen."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value) or hasattr(value, "model_dump"):
        yield from _texts(plain(value))
    elif isinstance(value, Mapping | list | tuple | set | frozenset):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


_TEXT = Text()
