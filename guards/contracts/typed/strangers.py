"""Instances that a type's own code brought in, of classes with guards of which the type says nothing.

A validator may make an instance of any class: a model may pick its subclass, and an `Any` holds whatever it is given.
Which guards judge an answer is known from its type alone, so that those inside such a class would never run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from pydantic import PydanticUserError, Secret, TypeAdapter

from guards.contracts.typed.members import Given, Layer, Root, Same
from guards.contracts.typed.shape import Shape, holds_guards, shape_of
from guards.contracts.typed.structures import Entries, Fields, Items, Misfit, Structure
from guards.values.sameness import key_of

__all__ = ["Judged", "check_no_stranger"]

Judged = Mapping[int, Sequence[Shape]]
"""As what the guards inside a type judge each instance, by its identity."""
_Guarded = Mapping[str, Shape]
"""The fields of a class that lead to guards; "" stands for what stands under further keys, "[key]" for those."""


class _Record(NamedTuple):
    """A class by its fields, in the order of a tuple's items where it is one. `open`: whether its instances keep
    further keys beside them."""

    names: tuple[str, ...]
    guarded: _Guarded
    open: bool


def check_no_stranger(value: Any, judged: Judged) -> None:
    """Misfit where a part of a value is of a class with guards that do not judge it."""
    waiting, seen = [value], set()
    records: dict[type, _Record | None] = dict.fromkeys(_BUILTINS)
    fine: set[tuple[type, tuple[int, ...]]] = set()
    for part in waiting:  # which grows
        kind = type(part)
        if kind in _SIMPLE or id(part) in seen:
            continue
        seen.add(id(part))
        try:
            record = records[kind]
        except KeyError:
            record = records[kind] = _record(kind)
        if record is None:
            waiting += _held(part)
            continue
        if record.guarded:
            known = judged.get(id(part), ())
            way = (kind, tuple(map(id, known)))
            if way not in fine and not _is_judged(record.guarded, known):
                raise Misfit(
                    f"a validator made a {kind.__name__}, of which the type does not speak there: the guards inside of "
                    f"it cannot run; name it in the type, in a union say"
                )
            fine.add(way)
        waiting += _fields(part, record)


def _is_judged(guarded: _Guarded, judged: Sequence[Shape]) -> bool:
    """Whether all of its guards judge it as what it has been judged as."""
    known = [_by_field(shape) for shape in judged]
    return all(
        any(name in fields and _covers(fields[name], shape, set()) for fields in known)
        for name, shape in guarded.items()
    )


def _covers(known: Shape, own: Shape, seen: set[tuple[int, int]]) -> bool:
    """Whether every guard of a shape stands in another at the same place. What an instance holds is for itself."""
    if known is own or not own.guarded or (id(known), id(own)) in seen:
        return True
    seen.add((id(known), id(own)))
    here, there = _alike(own), _alike(known)
    if not _keys(here) <= _keys(there):
        return False
    inner = [one.inner for one in here if one.inner is not None and one.guarded]
    if not all(any(_holds(one.inner, held, seen) for one in there) for held in inner):
        return False
    others, known_others = _others(here), _others(there)
    return all(
        any(type(other) is type(one) and _each(other.shapes, one.shapes, seen) for other in known_others)
        for one in others
    )


def _alike(shape: Shape) -> list[Shape]:
    """A shape and what else is said of the very same value."""
    found, seen = [shape], {id(shape)}
    for one in found:  # which grows
        for layer in one.layers:
            if isinstance(layer, Same | Given):
                found += [further for further in layer.shapes if id(further) not in seen]
                seen.update(map(id, layer.shapes))
    return found


def _keys(shapes: list[Shape]) -> set[Any]:
    return {key_of(guard) for shape in shapes for guard in shape.here}


def _others(shapes: list[Shape]) -> list[Layer]:
    """What else may be said, of what a value holds hidden or as the member of a union; an instance is for itself."""
    return [layer for shape in shapes for layer in shape.layers if not isinstance(layer, Same | Given | Root)]


def _holds(known: Structure | None, own: Structure, seen: set[tuple[int, int]]) -> bool:
    if isinstance(own, Fields):
        if own.kind in ("model", "dataclass"):
            return True
        if not isinstance(known, Fields):
            return False
        fields, others = _of_fields(known), _of_fields(own)
        return all(name in fields and _covers(fields[name], shape, seen) for name, shape in others.items())
    if isinstance(own, Entries) and isinstance(known, Entries):
        return _each((known.keys, known.values), (own.keys, own.values), seen)
    if isinstance(own, Items) and isinstance(known, Items):
        return all(
            _each(there, here, seen)
            for there, here in ((known.first, own.first), ((known.every,), (own.every,)), (known.last, own.last))
        )
    return False


def _each(known: Sequence[Shape | None], own: Sequence[Shape | None], seen: set[tuple[int, int]]) -> bool:
    return len(known) == len(own) and all(
        here is None or not here.guarded or (there is not None and _covers(there, here, seen))
        for there, here in zip(known, own, strict=True)
    )


def _record(kind: type) -> _Record | None:
    """None for what is no record."""
    try:
        return _CLASSES[kind]
    except KeyError:
        found = _CLASSES[kind] = _read(kind)
        return found


def _read(kind: Any) -> _Record | None:
    fields = next((getattr(kind, name) for name in _FIELDS if hasattr(kind, name)), None)
    if fields is None and issubclass(kind, tuple):
        fields = getattr(kind, "_fields", None)
    if fields is None:
        return None
    is_open = getattr(kind, "__pydantic_config__", {}).get("extra") == "allow"  # of a dataclass
    return _Record(tuple(fields), _guarded(kind), is_open)


def _guarded(kind: type) -> _Guarded:
    try:
        schema = TypeAdapter(kind).core_schema
    except (PydanticUserError, TypeError, NameError):  # pydantic can make none of it, and has read no guard in it
        return {}
    if not holds_guards(schema, kind):
        return {}
    found = (_by_field(shape) for shape in shape_of(schema, kind).reachable() if _class_of(shape) is kind)
    return next(found, {})


def _class_of(shape: Shape) -> type | None:
    if isinstance(shape.inner, Fields):
        return shape.inner.cls
    return next((layer.cls for layer in shape.layers if isinstance(layer, Root)), None)


def _by_field(shape: Shape) -> _Guarded:
    if isinstance(shape.inner, Fields):
        return _of_fields(shape.inner)
    root = next((layer.shapes[0] for layer in shape.layers if isinstance(layer, Root)), None)
    return {"root": root} if root is not None and root.guarded else {}


def _of_fields(fields: Fields) -> _Guarded:
    further = {"": fields.extras, "[key]": fields.extra_keys}
    shapes = {field.attribute: field.shape for field in fields.fields} | further
    return {name: shape for name, shape in shapes.items() if shape is not None and shape.guarded}


# -- what a value holds


def _fields(part: Any, record: _Record) -> Iterable[Any]:
    """What stands in its fields and under its further keys; what else it keeps for itself is not delivered."""
    if isinstance(part, tuple):
        return tuple.__iter__(part)
    own = _attribute(part, "__dict__") or {}
    if record.open:
        return [*own.values(), *(_attribute(part, name) for name in record.names)]
    held = [own[name] if name in own else _attribute(part, name) for name in record.names]
    extra = _attribute(part, "__pydantic_extra__")
    return [*held, *extra.values()] if isinstance(extra, dict) else held


def _held(part: Any) -> Iterable[Any]:
    """What a collection of any kind holds. A builtin is asked by its own methods: a class made of one may have others,
    which may raise."""
    if isinstance(part, dict):
        return [*dict.keys(part), *dict.values(part)]
    items = next((base for base in _ITEMS if isinstance(part, base)), None)
    if items is not None:
        return items.__iter__(part)
    if isinstance(part, Secret):
        return (part.get_secret_value(),)
    if isinstance(part, _TEXTS):
        return ()
    if not isinstance(part, Collection):
        return () if isinstance(part, _CODE) else _kept(part)
    try:
        return [*part.keys(), *part.values()] if isinstance(part, Mapping) else list(part)
    except Exception as fault:
        raise Misfit(f"a validator made a {type(part).__name__}, which does not tell what it holds") from fault


def _kept(part: Any) -> Iterable[Any]:
    """What an object of any other class keeps as its attributes."""
    slots = {name for kind in type(part).__mro__ for name in _slots(kind)}
    own = _attribute(part, "__dict__")
    return [*(own.values() if isinstance(own, dict) else ()), *(_attribute(part, name) for name in sorted(slots))]


def _slots(kind: type) -> Iterable[str]:
    """The slots that a class declares, as its attributes are called."""
    return [name for name, held in vars(kind).items() if isinstance(held, MemberDescriptorType)]


def _attribute(part: Any, name: str) -> Any:
    try:
        return object.__getattribute__(part, name)
    except AttributeError:
        return None


_FIELDS: Final = ("__pydantic_fields__", "__dataclass_fields__")
_ITEMS: Final[tuple[type[Iterable[Any]], ...]] = (list, tuple, set, frozenset, deque)
_BUILTINS: Final[frozenset[type]] = frozenset({dict, *_ITEMS})
_TEXTS: Final = (str, bytes, bytearray, memoryview, range)
_CODE: Final = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)
_SIMPLE: Final = frozenset({str, int, float, bool, type(None), bytes, Decimal, date, datetime})
_CLASSES: Final[WeakKeyDictionary[type, _Record | None]] = WeakKeyDictionary()
