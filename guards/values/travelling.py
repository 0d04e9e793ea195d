"""What goes to another process: a record and its exceptions always do, whatever a user's value or exception may do."""

from __future__ import annotations

import pickle
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from guards.values.plain import recorded

__all__ = ["Fault", "said", "travelling", "travels"]


def travelling(thing: Any) -> Any:
    """The thing, or what can go in its place: an exception of its words, a record with its parts so, plain data."""
    if travels(thing):
        return thing
    if isinstance(thing, BaseException):
        return _stand_in(thing)
    if isinstance(thing, tuple):
        return tuple(map(travelling, thing))
    if is_dataclass(thing) and type(thing).__module__.startswith("guards."):
        given: Any = thing
        return replace(given, **{f.name: travelling(getattr(given, f.name)) for f in fields(given)})
    return recorded(thing)


def said(fault: BaseException) -> str:
    """What an exception says of itself; nothing where that raises."""
    try:
        return str(fault)
    except Exception:  # noqa: BLE001  # a user's exception may raise anything
        return ""


def travels(thing: Any) -> bool:
    """Whether it goes to another process and comes out there."""
    try:
        packed = pickle.dumps(thing)
        if type(thing) not in _SIMPLE:
            pickle.loads(packed)  # noqa: S301  # our own; what calls for other arguments than it gives fails only there
    except Exception:  # noqa: BLE001  # of the thing's own code
        return False
    return True


_SIMPLE: Final = frozenset({type(None), bool, int, float, str})


class Fault(Exception):
    """Stands for an exception that could not go to another process: its `kind` (the class by name), `message`, and
    `traceback` as text."""

    def __init__(self, kind: str, message: str, traceback: str = "") -> None:
        super().__init__(kind, message, traceback)
        self.kind = kind
        self.message = message
        self.traceback = traceback

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def _stand_in(fault: BaseException) -> Fault:
    from traceback import format_tb  # rarely needed

    kind = type(fault)
    stand_in = Fault(f"{kind.__module__}.{kind.__qualname__}", said(fault), "".join(format_tb(fault.__traceback__)))
    for note in getattr(fault, "__notes__", ()):
        stand_in.add_note(str(note))
    return stand_in
