"""What a stream shows of an answer that is still being written: plain data, or instances of the contract's type.

A text grows before one's eyes unless it is one of listed options; numbers and literals are shown when they are whole.
A part that has closed is made once and then shared by all later views.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, Union, cast, get_args, get_origin

from pydantic import AliasChoices, BaseModel, TypeAdapter, computed_field

from guards.contracts.type_validator import compiled
from guards.reading.document import JsonDocument
from guards.reading.guide import guide_of
from guards.reading.json_stream import Place
from guards.reading.spelling import folded

__all__ = ["PlainBuilder", "TypedBuilder"]


class PlainBuilder:
    """Plain data, for JSON Schemas; the guide says where a text is one of listed options.

    `held(place)` is true where a text is not shown before it is whole.
    """

    def __init__(self, schema: dict[str, Any], held: Callable[[Place], bool]) -> None:
        from guards.contracts.json_schema import JsonSchema
        from guards.contracts.part_schema import part_schema, with_definitions

        self._guide = guide_of(schema)
        self._held = held
        self._item = JsonSchema(with_definitions(part_schema(schema, (0,)), schema))

    def holds(self, place: Place, value: Any) -> bool:
        """Whether an item that has closed is what the schema says of items."""
        return self._item.recheck(JsonDocument(value)).ok

    def closed(self, place: Place, value: Any) -> Any:
        return value

    def open(self, place: Place, value: Any) -> Any:
        return value

    def grows(self, place: Place) -> bool:
        if self._held(place):
            return False
        guide = self._guide
        for step in place:
            guide = guide.element(step) if isinstance(step, int) else guide.member(folded(step))
        return guide.values is None and not any(option.values for option in guide.options)


class TypedBuilder:
    """Instances of a Python type: closed models are validated, open ones hold None for what has not come."""

    def __init__(self, type_: Any, held: Callable[[Place], bool], context: Mapping[str, Any] | None = None) -> None:
        self._root = _node(type_, {})
        self._held = held
        self._context = context
        self._broken: set[Place] = set()
        """Places that closed and are not what their type wants, or hold such a place."""
        self._near: tuple[Place, _Plain] = ((), self._root)
        """Where the last value stood: most others stand beside it."""

    def holds(self, place: Place, value: Any) -> bool:
        """Whether an item that has closed is a whole value of its type."""
        return place not in self._broken

    def closed(self, place: Place, value: Any) -> Any:
        made, ok = self._at(place).closed(value, self._context)
        if not ok:
            while place and place not in self._broken:
                self._broken.add(place)
                place = place[:-1]
        return made

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


class _Plain:
    """Data as it is."""

    grows = True

    def inner(self, step: str | int) -> _Plain:
        return _PLAIN

    def closed(self, value: Any, context: Mapping[str, Any] | None) -> tuple[Any, bool]:
        """The value of a part that is whole, and whether it is what its type wants."""
        return value, True

    def open(self, value: Any) -> Any:
        return value


class _Scalar(_Plain):
    """A text, number, boolean or null as JSON has it."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds

    def closed(self, value: Any, context: Mapping[str, Any] | None) -> tuple[Any, bool]:
        return value, value is None or type(value) in self._kinds


class _Leaf(_Plain):
    """What becomes a value of its type when it is whole: a date, an enum, a union of models."""

    def __init__(self, type_: Any) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(type_)
        self._validator, self._strict, _ = compiled(adapter.validator, adapter.core_schema)
        self.grows = False

    def closed(self, value: Any, context: Mapping[str, Any] | None) -> tuple[Any, bool]:
        try:
            return self._validator.validate_json(json.dumps(value), strict=self._strict, context=context), True
        except Exception:  # noqa: BLE001  # whatever is wrong with it, and whatever a validator raises, the end tells
            return value, False


class _List(_Plain):
    def __init__(self, item: _Plain) -> None:
        self._item = item

    def inner(self, step: str | int) -> _Plain:
        return self._item if isinstance(step, int) else _PLAIN


class _Map(_Plain):
    def __init__(self, value: _Plain) -> None:
        self._value = value

    def inner(self, step: str | int) -> _Plain:
        return self._value if isinstance(step, str) else _PLAIN


class _Model(_Plain):
    def __init__(self, model: type[BaseModel], known: dict[Any, _Plain]) -> None:
        known[model] = self  # a model may hold itself
        self._model = model
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

    def closed(self, value: Any, context: Mapping[str, Any] | None) -> tuple[Any, bool]:
        if not isinstance(value, dict):
            return value, value is None
        try:
            # Members that closed before are instances already and are not validated again.
            return self._model.model_validate(value, strict=True, context=context), True
        except Exception:  # noqa: BLE001  # as in `_Leaf`
            return self.open(value), False

    def open(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        there = {self._names[key][0]: held for key, held in value.items() if key in self._names}
        return _constructed(self._view, {**self._missing, **there}, set(there))


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
_AS_THEY_ARE: Final[dict[Any, _Plain]] = {
    str: _Scalar(str),
    int: _Scalar(int),
    float: _Scalar(float, int),
    bool: _Scalar(bool),
    type(None): _Scalar(),
    **dict.fromkeys((Any, dict, list, object), _PLAIN),
}


def _node(type_: Any, known: dict[Any, _Plain]) -> _Plain:
    try:
        if type_ in _AS_THEY_ARE or type_ in known:
            return _AS_THEY_ARE.get(type_) or known[type_]
    except TypeError:  # an annotation that has no hash
        return _PLAIN
    origin, arguments = get_origin(type_), get_args(type_)
    if isinstance(type_, type) and origin is None and issubclass(type_, BaseModel):
        return _Model(type_, known)
    if origin in (list, Iterable, Iterator, Generator) and arguments:
        return _List(_node(arguments[0], known))
    if origin in (dict, Mapping) and len(arguments) == 2:
        return _Map(_node(arguments[1], known))
    if origin in (Union, types.UnionType):
        members = [member for member in arguments if member is not type(None)]
        if len(members) == 1:
            return _node(members[0], known)
        if all(member in _AS_THEY_ARE for member in members):
            return _PLAIN
    if origin is not None and origin not in (Literal, Union, types.UnionType):
        inner = arguments[0] if hasattr(type_, "__metadata__") else None
        if inner is not None:
            return _node(inner, known)
    return _leaf(type_)


def _leaf(type_: Any) -> _Plain:
    try:
        return _Leaf(type_)
    except Exception:  # noqa: BLE001  # an annotation that only its model can make sense of
        return _PLAIN
