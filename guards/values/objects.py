"""What an object of anybody's class holds, and whether that can be told at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time, timezone, tzinfo
from enum import Enum
from functools import cached_property, lru_cache, partial
from os import PathLike
from types import (
    FunctionType,
    MemberDescriptorType,
    MethodDescriptorType,
    ModuleType,
    SimpleNamespace,
    WrapperDescriptorType,
)
from typing import Any, Final

__all__ = [
    "attributes",
    "besides",
    "buffer",
    "computed",
    "is_record",
    "is_shut",
    "iterated",
    "names_of",
    "said",
    "spoken",
    "told_of_fault",
    "worked_out",
]


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


def computed(value: Any) -> dict[str, Any]:
    """The computed fields of a class of pydantic's, which it tells as it tells the others. Raises what they raise."""
    declared = getattr(getattr(type(value), "__pydantic_decorators__", None), "computed_fields", {})
    return {name: getattr(value, name) for name in declared}


def besides(value: Any) -> dict[str, Any]:
    """What a text, a number or a member of an enum has of its own, beside what it is."""
    if not _is_of_the_caller(type(value)):
        return {}
    return {name: inner for name, inner in attributes(value).items() if name not in _ENUM_S_OWN}


_ENUM_S_OWN: Final = frozenset({"_value_", "_name_", "__objclass__", "_sort_order_"})


def names_of(value: Any) -> list[str]:
    """What a member of an enum, or a time zone, goes by. Not where Python itself named it."""
    if isinstance(value, Enum):
        return [value.name] if value.name and _is_of_the_caller(type(value)) else []
    zone = value.tzinfo if isinstance(value, datetime | time) else value
    if isinstance(zone, timezone):
        return [name for name in zone.__reduce__()[1][1:] if isinstance(name, str)]
    if not isinstance(zone, tzinfo) or not _is_of_the_caller(type(zone)):
        return []
    name = zone.tzname(None) if zone is value else value.tzname()
    return [name] if isinstance(name, str) else []


def told_of_fault(fault: BaseException) -> dict[str, Any]:
    """What an exception tells past its attributes: what it was made with, and the ones that it came of."""
    texts = {
        name: getattr(fault, name, None)
        for ancestor in type(fault).__mro__
        for name, member in vars(ancestor).items()
        if isinstance(member, MemberDescriptorType)
    }
    named = {name: text for name, text in texts.items() if isinstance(text, str) and text not in fault.args}
    return {"args": fault.args, **named, "__cause__": fault.__cause__, "__context__": fault.__context__}


def iterated(value: Any) -> Iterable[Any] | None:
    """What an object gives that can be gone through without being a collection; None for one that cannot.

    Raises what the class raises.
    """
    kind: Any = type(value)
    maker = next((ancestor for ancestor in kind.__mro__ if "__iter__" in vars(ancestor)), None)
    if maker is not None:
        goes = _is_of_the_caller(maker) and vars(maker)["__iter__"] is not None
        return _through(value) if goes else None
    if not any("__getitem__" in vars(ancestor) and _is_of_the_caller(ancestor) for ancestor in kind.__mro__):
        return None
    if callable(getattr(value, "keys", None)):
        return [(key, value[key]) for key in value.keys()]  # noqa: SIM118  # it has no other way
    try:
        value[0]
    except Exception:  # noqa: BLE001  # no sequence: what it is asked for, nobody knows
        return None
    return _through(value)


def _through(value: Iterable[Any]) -> Iterator[Any]:
    return iter(value)


def worked_out(value: Any) -> list[Any]:
    """What an object works out of what it has: its properties, and what its class's own serializers make of it.

    What raises says nothing: whoever writes a prompt gets no more out of it.
    """
    found = []
    for ancestor in type(value).__mro__:
        if not _is_of_the_caller(ancestor):
            continue
        for member in vars(ancestor).values():
            make = member.fget if isinstance(member, property) else getattr(member, "func", None)
            if make is not None and isinstance(member, property | cached_property):
                found.append(_tried(make, value))
    kind: Any = type(value)
    if _serializes(kind):
        # In one way it may raise (a field of a type that JSON has no form for), and in the other tell.
        found += [_tried(partial(_serialized, mode), value) for mode in ("json", "python")]
    return found


def _tried(make: Callable[[Any], Any], value: Any) -> Any:
    try:
        return make(value)
    except Exception:  # noqa: BLE001  # the caller's own class
        return None


@lru_cache(maxsize=256)
def _serializes(kind: type) -> bool:
    """Whether a function of somebody's making is in the way of pydantic's writing it down."""
    return "'serialization': {'type': 'function-" in repr(kind.__dict__.get("__pydantic_core_schema__"))


def _serialized(mode: str, value: Any) -> Any:
    return type(value).__pydantic_serializer__.to_python(value, mode=mode, by_alias=True, warnings=False)


def _is_of_the_caller(kind: type) -> bool:
    """Whether a class is none of Python's or pydantic's own."""
    return bool(kind.__flags__ & _MADE_AT_RUN_TIME) and kind.__module__.partition(".")[0] not in _PLAIN


def spoken(value: Any) -> list[str]:
    """The texts that a value's class makes of it in a way of its own: what a prompt holds that is written with it.

    Not those that Python, pydantic or the maker of a record makes of what is in it. Raises what the class raises.
    """
    kind = type(value)
    if not kind.__flags__ & _MADE_AT_RUN_TIME:
        return []
    texts = dict.fromkeys(make(value) for name, make in _WAYS.items() if _is_own(kind, name))
    written = _written(value) if texts else set()
    return [text for text in texts if text not in written]


_WAYS: Final[Mapping[str, Callable[[Any], str]]] = {"__str__": str, "__format__": format, "__repr__": repr}
_SLOTS: Final = (WrapperDescriptorType, MethodDescriptorType)
_PLAIN: Final = sys.stdlib_module_names - {"builtins"} | {"pydantic"}
"""Modules whose methods tell what a value holds, and no more."""
_MADE_AT_RUN_TIME: Final = 1 << 9
"""`Py_TPFLAGS_HEAPTYPE`: what Python itself is made of has not got it."""


def _is_own(kind: type, name: str) -> bool:
    """Whether somebody wrote this method; not Python, nor pydantic."""
    method = next(ancestor.__dict__[name] for ancestor in kind.__mro__ if name in ancestor.__dict__)
    if isinstance(method, _SLOTS):
        return method.__name__ not in _WAYS  # `__str__ = str.upper` is of their making, too
    module = method.__module__ if isinstance(method, FunctionType) else None
    return module is None or module.partition(".")[0] not in _PLAIN


def _written(value: Any) -> set[str]:
    """What the `__repr__` that is made for a record's class gives: dataclasses and attrs write it alike."""
    kind = type(value)
    if not is_record(value):
        return set()
    fields = getattr(kind, "__attrs_attrs__", None) or getattr(kind, "__dataclass_fields__", {}).values()
    shown = ", ".join(
        f"{one.name}={getattr(value, one.name)!r}" for one in fields if one.repr and hasattr(value, one.name)
    )
    return {f"{name}({shown})" for name in (kind.__qualname__, kind.__qualname__.rsplit(">.", 1)[-1], kind.__name__)}


def buffer(value: Any) -> memoryview | None:
    """The bytes of an array; None for a collection of any other kind."""
    if type(value).__module__ in ("builtins", "collections"):
        return None
    try:
        return memoryview(value)
    except TypeError:
        return None
