"""Instances that a type's own code brought in, of classes with guards of which the type says nothing.

A validator may make an instance of any class: a model may pick its subclass, and an `Any` holds whatever it is given.
Which guards judge an answer is known from its type alone, so that those inside such a class would never run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from weakref import WeakKeyDictionary

from pydantic import PydanticUserError, TypeAdapter

from guards.contracts.typed.shape import holds_guards, shape_of
from guards.contracts.typed.structures import Fields, Misfit
from guards.values.sameness import key_of

__all__ = ["Judged", "check_no_stranger"]

Judged = Mapping[int, Sequence[Fields]]
"""As what the guards inside a type judge each instance, by its identity."""
_Guards = Mapping[str, frozenset[Hashable]]
"""The fields of a class that lead to guards, each with what those are; "" stands for further keys."""


def check_no_stranger(value: Any, judged: Judged) -> None:
    """Misfit where a part of a value is of a class with guards that do not judge it."""
    waiting, seen = [value], set()
    for part in waiting:  # which grows
        kind = type(part)
        if kind in _SIMPLE or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            waiting += dict.keys(part)
            waiting += dict.values(part)
        elif (items := next((base for base in _ITEMS if isinstance(part, base)), None)) is not None:
            waiting += items.__iter__(part)
        elif (guards := _guarded(kind)) is not None:
            if guards and not _is_judged(guards, judged.get(id(part), ())):
                raise Misfit(
                    f"a validator made a {kind.__name__}, of which the type does not speak there: the guards inside of "
                    f"it cannot run; name it in the type, in a union say"
                )
            waiting += _held(part, kind)


def _is_judged(guards: _Guards, judged: Sequence[Fields]) -> bool:
    """Whether all of its guards judge it as what it has been judged as."""
    known = [_by_field(fields) for fields in judged]
    return all(any(keys <= fields.get(name, _NONE) for fields in known) for name, keys in guards.items())


def _guarded(kind: type) -> _Guards | None:
    """None for what is no record."""
    try:
        return _CLASSES[kind]
    except KeyError:
        found = _CLASSES[kind] = _read(kind)
        return found


def _read(kind: type) -> _Guards | None:
    if not (hasattr(kind, "__pydantic_fields__") or hasattr(kind, "__dataclass_fields__")):
        return None
    try:
        schema = TypeAdapter(kind).core_schema
    except (PydanticUserError, TypeError, NameError):  # pydantic can make none of it, and has read no guard in it
        return {}
    if not holds_guards(schema, kind):
        return {}
    inner = (one.inner for one in shape_of(schema, kind).reachable())
    return next((_by_field(fields) for fields in inner if isinstance(fields, Fields) and fields.cls is kind), {})


def _by_field(fields: Fields) -> _Guards:
    shapes = {field.attribute: field.shape for field in fields.fields} | {"": fields.extras}
    keys = {name: frozenset(map(key_of, shape.guards)) for name, shape in shapes.items() if shape is not None}
    return {name: guards for name, guards in keys.items() if guards}


def _held(part: Any, kind: Any) -> Iterable[Any]:
    try:
        held = object.__getattribute__(part, "__dict__")
    except AttributeError:  # a dataclass with slots
        return [_attribute(part, name) for name in kind.__dataclass_fields__]
    extra = _attribute(part, "__pydantic_extra__")
    return [*held.values(), *extra.values()] if extra else held.values()


def _attribute(part: Any, name: str) -> Any:
    try:
        return object.__getattribute__(part, name)
    except AttributeError:
        return None


_NONE: Final[frozenset[Hashable]] = frozenset()
# By the builtin's own methods: a class made of one may have others, which may raise.
_ITEMS: Final[tuple[type[Iterable[Any]], ...]] = (list, tuple, set, frozenset, deque)
_SIMPLE: Final = frozenset({str, int, float, bool, type(None), bytes, Decimal, date, datetime})
_CLASSES: Final[WeakKeyDictionary[type, _Guards | None]] = WeakKeyDictionary()
