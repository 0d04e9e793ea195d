"""What an object of anybody's class holds, and whether that can be told at all."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from types import ModuleType, SimpleNamespace
from typing import Any, Final

__all__ = ["attributes", "buffer", "is_record", "is_shut", "said"]


_SHUT: Final = ("__next__", "__anext__", "__await__", "__aiter__", "get_secret_value")


def is_shut(value: Any) -> bool:
    """Whether it is used up by being read, is not meant to be, or is no value at all: an iterator, a secret, a file."""
    return isinstance(value, type | ModuleType | PathLike) or any(hasattr(value, name) for name in _SHUT)


def is_record(value: Any) -> bool:
    """Whether its class declares its members: a dataclass, a named tuple, a class of pydantic, attrs or msgspec."""
    kind = type(value)
    names = ("__dataclass_fields__", "__pydantic_fields__", "__attrs_attrs__", "__struct_fields__")
    if isinstance(value, SimpleNamespace) or any(hasattr(kind, name) for name in names):
        return True
    return isinstance(value, tuple) and hasattr(kind, "_fields")


def attributes(value: Any) -> dict[str, Any]:
    """What an object has, in slots or not, private or not; never what it would have to work out."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    names = [*_slots(type(value)), *getattr(type(value), "__struct_fields__", ())]
    found = {name: getattr(value, name) for name in names if hasattr(value, name)}
    found |= getattr(value, "__dict__", {})
    private = getattr(value, "__pydantic_private__", None)
    return found | (private or {})


def _slots(kind: type) -> Iterator[str]:
    for ancestor in kind.__mro__:
        slots = ancestor.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):
                yield f"_{ancestor.__name__.lstrip('_')}{name}"
            elif not name.startswith("__"):
                yield name


def said(value: Any) -> str | None:
    """The text that an object stands for, where its class says what that is."""
    kind: Any = type(value)
    says = any(getattr(kind, name) is not getattr(object, name) for name in ("__str__", "__repr__", "__format__"))
    return f"{value}" if says else None


def buffer(value: Any) -> memoryview | None:
    """The bytes of an array; None for a collection of any other kind."""
    if type(value).__module__ in ("builtins", "collections"):
        return None
    try:
        return memoryview(value)
    except TypeError:
        return None
