"""A Python type as a contract: one compiled pydantic validator, in strict JSON mode; instances come back.

What pydantic found becomes findings in `type_findings`; guards inside the type are found by `type_guards`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from guards.contracts.base import Contract, Dial, Format, Limits, Reading, Style
from guards.contracts.fresh_validator import fresh_validator
from guards.contracts.type_guards import GuardTree, part_of
from guards.errors import ConfigError
from guards.reading.document import Document, JsonDocument, Place, Steps
from guards.reading.json_reader import read_json

if TYPE_CHECKING:
    from guards.contracts.type_findings import Explainer
    from guards.reading.guide import Guide

__all__ = ["Typed"]

T = TypeVar("T")


class Typed(Contract[T]):
    """A contract made of a pydantic model, dataclass, TypedDict, enum, Literal, Union, container or primitive.

    Validated in pydantic's strict JSON mode; a field that declares `strict=False` keeps its own mode. Raises
    `ConfigError` for a type that pydantic cannot take.
    """

    format: ClassVar[Format] = "json"

    def __init__(self, type_: Any) -> None:
        self.type = type_
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(type_)
            # A model with forward references compiles lazily; the fault must show here.
            schema, validator = self._adapter.core_schema, self._adapter.validator
            validator.title  # noqa: B018  # a mock, where the type is not complete, raises here
        except (PydanticUserError, TypeError, NameError) as fault:
            raise ConfigError(
                f"pydantic cannot make a validator of {_name(type_)}: {_first_line(fault)}",
                where="contract",
                hint="use a pydantic model, dataclass, TypedDict, enum, Literal, Union, list, dict or primitive",
            ) from fault
        self._schema = schema
        self._validator, self._strict = _strict_validator(validator, schema)
        self._tree = GuardTree.of(schema)

    def __eq__(self, other: object) -> bool:
        # Unions in another order compare equal, and the order can matter.
        return isinstance(other, Typed) and bool(self.type == other.type) and str(self.type) == str(other.type)

    def __hash__(self) -> int:
        return hash((Typed, str(self.type)))

    def __repr__(self) -> str:
        return f"Typed({_name(self.type)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Typed, (self.type,)

    def read(self, text: str, dial: Dial = "careful", limits: Limits = Limits()) -> Reading[T]:
        return read_json(text, dial, limits, self._check, lambda: self._guide)

    def recheck(self, document: Document) -> Reading[T]:
        # ASCII, so that a lone surrogate stays an escape and is refused by pydantic instead of breaking the encoder.
        return self._check(document, json.dumps(document.data))

    def json_schema(self) -> dict[str, Any]:
        return dict(self._json_schema)

    def prompt(self, style: Style | None = None) -> str:
        from guards.contracts.describe import describe_json

        return describe_json(self.json_schema(), style, lambda data: self.recheck(JsonDocument(data)).ok)

    def inner_guards(self, reading: Reading[T]) -> Iterable[tuple[Place, Any]]:
        return self._tree.places(reading.value) if self._tree else ()

    @property
    def all_inner_guards(self) -> tuple[Any, ...]:
        return self._tree.guards if self._tree else ()

    def steps_to(self, guard: Any) -> tuple[Steps, ...] | None:
        return self._tree.steps_to(guard) if self._tree else None

    def part(self, reading: Reading[T], place: Place) -> Any:
        data = reading.document.data if reading.document else None
        return part_of(reading.value, data, place)

    @cached_property
    def _json_schema(self) -> dict[str, Any]:
        from pydantic.errors import PydanticInvalidForJsonSchema

        try:
            return self._adapter.json_schema(by_alias=True, mode="validation")
        except PydanticInvalidForJsonSchema as fault:
            raise ConfigError(
                f"{_name(self.type)} has no JSON Schema: {_first_line(fault)}",
                where="json_schema()",
                hint="give the field a type that JSON can hold, or describe the answer in your own words",
            ) from fault

    @cached_property
    def _guide(self) -> Guide:
        from guards.contracts.type_hints import hinted_schema  # needed only where an answer has to be mended
        from guards.reading.guide import ANY, guide_of

        schema = hinted_schema(self._adapter)
        return ANY if schema is None else guide_of(schema)

    @cached_property
    def _explainer(self) -> Explainer:
        from guards.contracts.type_findings import Explainer  # its tables are needed only where something is wrong

        return Explainer(self._schema)

    def _check(self, document: Document, source: str) -> Reading[T]:
        try:
            value = self._validator.validate_json(source, strict=self._strict)
        except ValidationError as fault:
            return Reading(None, document, self._explainer.findings(fault, document))
        except UnicodeEncodeError:
            return Reading(None, document, self._explainer.surrogates(document))
        except RecursionError:
            return Reading(None, document, self._explainer.too_deep())
        return Reading(value, document)


def _strict_validator(validator: Any, schema: Any) -> tuple[Any, bool | None]:
    """The validator to use, and what to pass it as `strict`.

    `strict=True` at run time overrides even a field's own `strict=False`. Where a type declares itself lax anywhere,
    its core schema is compiled again with strictness as the default of each config instead.
    """
    if not _lax_somewhere(schema):
        return validator, True
    return fresh_validator(_default_strict(schema), {"strict": True}), None


def _lax_somewhere(node: Any) -> bool:
    if isinstance(node, Mapping):
        return node.get("strict") is False or any(_lax_somewhere(child) for child in _schema_children(node))
    return isinstance(node, list | tuple) and any(_lax_somewhere(child) for child in node)


def _default_strict(node: Any) -> Any:
    """A copy of a core schema in which every config that says nothing of strictness says strict."""
    if isinstance(node, Mapping):
        copy = {key: child if key in _OPAQUE else _default_strict(child) for key, child in node.items()}
        if node.get("type") in _WITH_CONFIG:
            copy["config"] = {"strict": True, **node.get("config", {})}
        return copy
    if isinstance(node, list):
        return [_default_strict(child) for child in node]
    if isinstance(node, tuple):
        return tuple(_default_strict(child) for child in node)
    return node


def _schema_children(node: Mapping[str, Any]) -> Iterable[Any]:
    return (child for key, child in node.items() if key not in _OPAQUE)


_WITH_CONFIG: Final = frozenset({"model", "dataclass", "typed-dict"})
# Values of the user's own under these keys may look like schemas and are none.
_OPAQUE: Final = frozenset({"metadata", "default", "cls", "expected", "members", "function", "serialization"})


def _name(type_: Any) -> str:
    return getattr(type_, "__name__", None) or str(type_)


def _first_line(fault: BaseException) -> str:
    return str(fault).split("\n", 1)[0]
