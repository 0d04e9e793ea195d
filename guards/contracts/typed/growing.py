"""What a stream shows of an answer by a Python type that is still being written: instances of it.

A text grows before one's eyes; numbers and literals are shown when they are whole. A part that has closed is made once
and then shared by all later views.
"""

from __future__ import annotations

import json
import types
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from pydantic import AliasChoices, BaseModel, RootModel, TypeAdapter, ValidationError, computed_field

from guards.contracts.growing import Held
from guards.contracts.typed.forms import validated
from guards.contracts.typed.validator import compiled, compiled_for_numbers, readable, runs_code
from guards.reading.document import Place
from guards.reading.numbers import is_inexact

__all__ = ["GrowingType", "growing"]


class GrowingType:
    """Instances of a Python type (`growing` is its root): closed models are validated, open ones hold None for what has
    not come."""

    def __init__(self, root: _Plain, held: Held, context: Mapping[str, Any] | None = None) -> None:
        self._root = root
        self._held = held
        self._context = context
        self._broken: set[Place] = set()
        """Items that closed and are not what their type wants."""
        self._near: tuple[Place, _Plain] = ((), root)
        """Where the last value stood: most others stand beside it."""

    def holds(self, place: Place, value: Any) -> bool:
        """Whether an item that has closed is a whole value of its type."""
        return place not in self._broken

    def closed(self, place: Place, value: Any, written: Any) -> Any:
        node = self._at(place)
        try:
            return node.closed(value, written, self._context)
        except Exception:  # noqa: BLE001  # whatever is wrong with it, and whatever a validator raises, the end tells
            if len(place) == 1:
                self._broken.add(place)
            return node.open(value)

    def open(self, place: Place, value: Any) -> Any:
        return self._at(place).open(value)

    def grows(self, place: Place) -> bool:
        return self._at(place).grows and not self._held(place)

    def _at(self, place: Place) -> _Plain:
        around = place[:-1]
        if self._near[0] != around:
            node = self._root
            for step in around:
                node = node.inner(step)
            self._near = (around, node)
        return self._near[1].inner(place[-1]) if place else self._root


def growing(type_: Any) -> _Plain:
    """What becomes of each part of a type while it comes."""
    root = _node(type_, {})
    return root.vouched() if isinstance(root, _List) else root


class _Plain:
    """Data as it is."""

    grows = True

    def inner(self, step: str | int) -> _Plain:
        return _PLAIN

    def closed(self, value: Any, written: Any, context: Mapping[str, Any] | None) -> Any:
        """The value of a part that is whole. Raises whatever validation raises."""
        return float(value) if isinstance(value, Decimal) else value

    def open(self, value: Any) -> Any:
        return value


class _Leaf(_Plain):
    """What becomes a value of its type when it is whole: a date, an enum, a union of models."""

    grows = False

    def __init__(self, type_: Any) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(readable(type_))
        self._schema = adapter.core_schema
        self._validator, self._strict, _ = compiled(adapter.validator, self._schema)

    def closed(self, value: Any, written: Any, context: Mapping[str, Any] | None) -> Any:
        if is_inexact(written):
            validator, strict, _ = compiled_for_numbers(self._schema)
            return validated(partial(validator.validate_json, strict=strict, context=context), written)
        return self._validator.validate_json(json.dumps(written), strict=self._strict, context=context)


class _List(_Plain):
    def __init__(self, item: _Plain, type_: Any) -> None:
        self._item = item
        self._type = type_

    def vouched(self) -> _List:
        """The same as the whole answer, of which each item is shown as a value of its type."""
        if isinstance(self._type, type) and isinstance(self._item, _Leaf):  # nothing is said of it but its class
            return self
        return _List(_Vouched(self._item, self._type), self._type)

    def inner(self, step: str | int) -> _Plain:
        return self._item if isinstance(step, int) else _PLAIN


class _Vouched(_Leaf):
    """What grows as one node says, and is held against the whole of its type when it has closed."""

    def __init__(self, growing: _Plain, type_: Any) -> None:
        super().__init__(type_)
        self._growing = growing
        self.grows = growing.grows

    def inner(self, step: str | int) -> _Plain:
        return self._growing.inner(step)

    def open(self, value: Any) -> Any:
        return self._growing.open(value)


class _Map(_Plain):
    def __init__(self, value: _Plain) -> None:
        self._value = value

    def inner(self, step: str | int) -> _Plain:
        return self._value if isinstance(step, str) else _PLAIN


class _Model(_Leaf):
    def __init__(self, model: type[BaseModel], known: dict[Any, _Plain]) -> None:
        known[model] = self  # a model may hold itself
        super().__init__(model)
        self._runs_code = runs_code(self._schema)
        self._names: dict[str, tuple[str, _Plain]] = {}
        inner = {name: _node(field.annotation, known) for name, field in model.model_fields.items()}
        # A name that is one field's alias and another's own is the first one's, as pydantic reads it.
        for name, spelling in sorted(_spellings(model), key=lambda found: found[1] == found[0]):
            self._names.setdefault(spelling, (name, inner[name]))
        self._missing: dict[str, Any] = dict.fromkeys(model.model_fields)
        self._view = _view_of(model)

    def inner(self, step: str | int) -> _Plain:
        known = self._names.get(step) if isinstance(step, str) else None
        return known[1] if known else _PLAIN

    def closed(self, value: Any, written: Any, context: Mapping[str, Any] | None) -> Any:
        if not self._runs_code:  # which is to see what it will see at the end
            # Members that closed before are instances already and are not validated again.
            with suppress(ValidationError):  # some have no name of their own (`AliasPath`, further keys)
                return self._validator.validate_python(value, strict=self._strict, context=context)
        return super().closed(value, written, context)

    def open(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        there = {self._names[key][0]: held for key, held in value.items() if key in self._names}
        return _constructed(self._view, {**self._missing, **there}, set(there))


class _Root(_Leaf):
    """A `RootModel`."""

    def __init__(self, model: type[BaseModel], known: dict[Any, _Plain]) -> None:
        known[model] = self
        super().__init__(model)
        self._view = model
        self._held = _node(model.model_fields["root"].annotation, known)

    def inner(self, step: str | int) -> _Plain:
        return self._held.inner(step)

    def open(self, value: Any) -> Any:
        return _constructed(self._view, {"root": self._held.open(value)}, {"root"})


def _constructed(model: type[BaseModel], fields: dict[str, Any], given: set[str]) -> BaseModel:
    """As `model_construct`, less `model_post_init`: that is the author's code, for an instance that is whole."""
    view = model.__new__(model)
    object.__setattr__(view, "__dict__", fields)
    object.__setattr__(view, "__pydantic_fields_set__", given)
    object.__setattr__(view, "__pydantic_extra__", {} if model.model_config.get("extra") == "allow" else None)
    object.__setattr__(view, "__pydantic_private__", {} if model.__private_attributes__ else None)
    return view


def _view_of(model: type[BaseModel]) -> type[BaseModel]:
    """The class of an open instance: the model's own, or one of its name whose computed fields are None where they
    cannot be computed yet."""
    computed = model.model_computed_fields
    if not computed:
        return model
    fields = {
        name: computed_field(return_type=Any, alias=info.alias, repr=info.repr)(_once_there(info.wrapped_property))
        for name, info in computed.items()
    }
    metaclass: Any = type(model)
    return cast("type[BaseModel]", metaclass(model.__name__, (model,), {"__module__": model.__module__, **fields}))


def _once_there(computed: Any) -> property:
    def value(self: Any) -> Any:
        try:
            return computed.__get__(self, type(self))
        except Exception:  # noqa: BLE001  # the author's code, on members that have not come yet
            return None

    return property(value)


def _spellings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """(field, a name that a document may use for it)"""
    config = model.model_config
    for name, field in model.model_fields.items():
        alias = field.validation_alias or field.alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        aliases = [choice for choice in choices if isinstance(choice, str)]
        by_name = config.get("validate_by_name") or config.get("populate_by_name") or alias is None
        yield from ((name, spelling) for spelling in aliases)
        if by_name:
            yield name, name


_PLAIN: Final = _Plain()
_AS_THEY_ARE: Final = frozenset({str, int, float, bool, type(None), Any, dict, list, object})


def _node(type_: Any, known: dict[Any, _Plain]) -> _Plain:
    try:
        if type_ in _AS_THEY_ARE or type_ in known:
            return known.get(type_) or _PLAIN
    except TypeError:  # an annotation that has no hash
        return _PLAIN
    origin, arguments = get_origin(type_), get_args(type_)
    if isinstance(type_, type) and origin is None and issubclass(type_, BaseModel):
        return (_Root if issubclass(type_, RootModel) else _Model)(type_, known)
    if origin in (list, Iterable, Iterator, Generator) and arguments:
        return _List(_node(arguments[0], known), arguments[0])
    if origin in (dict, Mapping) and len(arguments) == 2:
        return _Map(_node(arguments[1], known))
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        if len(members) == 1:
            return _node(members[0], known)
        if all(member in _AS_THEY_ARE for member in members):
            return _PLAIN
    if origin is Annotated:
        return _node(arguments[0], known)
    return _leaf(type_)


def _leaf(type_: Any) -> _Plain:
    try:
        return _Leaf(type_)
    except Exception:  # noqa: BLE001  # an annotation that only its model can make sense of
        return _PLAIN
