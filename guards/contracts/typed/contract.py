"""A Python type as a contract: one compiled pydantic validator, in strict JSON mode; instances come back.

What pydantic found becomes findings in `typed.findings`; what guards inside the type judge is found by `typed.parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import PydanticUserError, TypeAdapter

from guards.contracts.base import Stand, Style
from guards.contracts.json_schema.base import JsonContract
from guards.contracts.typed.notes import Notes, noted, noting
from guards.contracts.typed.shape import Shape, guards_stand, holds_guards, shape_of
from guards.contracts.typed.structures import ABSENT, Misfit, Part
from guards.contracts.typed.validator import Compiled, compiled, compiled_for_numbers, readable, runs_code
from guards.errors import ConfigError
from guards.findings import Finding
from guards.identity import describe
from guards.reading.document import Document, InexactDocument, JsonDocument, Place, Steps
from guards.reading.json_reader import read_json
from guards.reading.numbers import dumps, is_inexact
from guards.reading.reading import Dial, Limits, Reading

if TYPE_CHECKING:
    from guards.contracts.growing import Growing, Held
    from guards.contracts.typed.findings import Explainer
    from guards.reading.guide import Guide

__all__ = ["Typed"]

T = TypeVar("T")


class Typed(JsonContract[T]):
    """A contract made of a pydantic model, dataclass, TypedDict, enum, Literal, Union, container or primitive.

    Validated in pydantic's strict JSON mode; a field that declares `strict=False` keeps its own mode. Raises
    `ConfigError` for a type that pydantic cannot take.
    """

    def __init__(self, type_: Any) -> None:
        self.type = type_
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(readable(type_))
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
        self._guarded = holds_guards(schema, type_)
        self._way = _Way(schema, self._shape.notes if self._guarded else {}, validator)

    def __eq__(self, other: object) -> bool:
        # Unions in another order compare equal, and the order can matter.
        return isinstance(other, Typed) and bool(self.type == other.type) and str(self.type) == str(other.type)

    def __hash__(self) -> int:
        return hash((Typed, str(self.type)))

    def __repr__(self) -> str:
        return f"Typed({_name(self.type)})"

    @property
    def name(self) -> str:
        return _name(self.type)

    def __reduce__(self) -> tuple[Any, ...]:
        return Typed, (self.type,), {"places": True} if self._way.notes else None

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.note_places()

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[T]:
        check = self._check if context is None else partial(self._check, context=context)
        return read_json(text, dial, limits, check, lambda: self._guide)

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[T]:
        if is_inexact(document.data):
            return self._check_exactly(document, context)
        # ASCII, so that a lone surrogate stays an escape and is refused by pydantic instead of breaking the encoder.
        return self._check(document, dumps(document.data), context)

    def json_schema(self) -> dict[str, Any]:
        return dict(self._json_schema)

    def prompt(self, style: Style | None = None) -> str:
        from guards.contracts.showing.describe import describe_json

        return describe_json(self.json_schema(), style, lambda data: self.recheck(JsonDocument(data)).ok)

    def inner_guards(self, reading: Reading[T]) -> Iterable[tuple[Any, Stand]]:
        """Raises Misfit where other guards stand inside the value, which cannot run."""
        if not self._guarded:
            return ()
        from guards.contracts.typed.parts import judged_inside

        seen: dict[int, list[Shape]] | None = {} if self._runs_code else None
        found = judged_inside(self.whole(reading), reading.made or Notes(), seen)
        # Once each: some releases of pydantic describe a value twice, in one step of a chain after the other.
        judged = {(id(guard), at.place, at.exact, id(at.value)): (guard, at) for guard, at in found}
        if seen is not None:
            self._check_no_stranger(reading.value, seen)
        return judged.values()

    @cached_property
    def all_inner_guards(self) -> tuple[Any, ...]:
        return self._shape.guards if self._guarded else ()

    def selected(self, reading: Reading[T], path: str) -> list[Stand]:
        from guards.contracts.typed.queries import selected

        return selected(self.whole(reading), reading.made or Notes(), path)

    def _check_path(self, path: str, where: str) -> None:
        from guards.contracts.typed.paths import check_path

        check_path(self._shape, path, where, _name(self.type))
        self.note_places()

    def note_places(self) -> None:
        """From now on note what tells where parts of an answer stood: some guard asks for places."""
        if self._shape.notes and not self._way.notes:
            self._way = _Way(self._schema, self._shape.notes, None)

    def steps_to(self, guard: Any) -> tuple[Steps, ...] | None:
        from guards.contracts.typed.paths import steps_to

        return steps_to(self._shape, guard)

    def steps_of(self, path: str) -> tuple[Steps, ...] | None:
        from guards.contracts.typed.paths import steps_of

        return steps_of(self._shape, path)

    def within(self, place: Place, value: Any, steps: Steps) -> list[Stand]:
        from guards.contracts.typed.paths import within

        return within(self._shape, place, value, steps)

    def growing(self, held: Held, context: Mapping[str, Any] | None) -> Growing:
        from guards.contracts.typed.growing import GrowingType  # only streams have views

        return GrowingType(self._growing, held, context)

    def stands(self, reading: Reading[T], place: Place) -> list[Stand]:
        from guards.contracts.typed.parts import Places, named_by, stand_of

        whole, made = self.whole(reading), reading.made or Notes()
        # Another answer may have written the same field in another way.
        return [stand_of(part) for part in Places(whole, made).at(place) or named_by(whole, made, place)]

    def told(self, reading: Reading[T]) -> list[Stand]:
        from guards.contracts.typed.parts import stand_of, told

        return [stand_of(part) for part in told(self.whole(reading), reading.made or Notes())]

    def written(self, reading: Reading[T]) -> Any:
        dump: Any = self._adapter.dump_python
        return dump(reading.value, mode="json", by_alias=True, exclude_unset=True, round_trip=True, warnings=False)

    @cached_property
    def _check_no_stranger(self) -> Callable[[Any, Mapping[int, Sequence[Shape]]], None]:
        from guards.contracts.typed.strangers import check_no_stranger  # most types run no code of their author

        return check_no_stranger

    def whole(self, reading: Reading[T]) -> Part:
        """What is delivered, as the part that holds all others."""
        return Part(self._shape, reading.value, reading.document.data if reading.document else ABSENT, ())

    @cached_property
    def _runs_code(self) -> bool:
        return runs_code(self._schema)

    @property
    def shape(self) -> Shape:
        """What a value of the type is made of."""
        return self._shape

    @cached_property
    def _shape(self) -> Shape:
        return shape_of(self._schema, self.type)

    @cached_property
    def _growing(self) -> Any:
        """The same type for the views of an answer that still comes."""
        from guards.contracts.typed.growing import growing

        return growing(self.type)

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

    def hints(self) -> dict[str, Any] | None:
        """The JSON Schema with hints for a reader that mends; None for a type that has none."""
        from guards.contracts.typed.hints import hinted_schema  # needed only where an answer has to be mended

        return hinted_schema(self._adapter)

    @cached_property
    def _guide(self) -> Guide:
        from guards.reading.guide import ANY, guide_of

        schema = self.hints()
        return ANY if schema is None else guide_of(schema)

    def _check(self, document: Document, source: str, context: Mapping[str, Any] | None = None) -> Reading[T]:
        if type(document) is InexactDocument:
            return self._check_exactly(document, context)
        way, made = self._way, None
        try:
            if way.notes:
                with noting() as made:
                    value = way.validator.validate_json(source, strict=way.strict, context=context)
            else:
                value = way.validator.validate_json(source, strict=way.strict, context=context)
        except Exception as fault:  # noqa: BLE001  # whatever it is, it becomes findings
            return way.explainer.refused(fault, document)
        # In a type with guards it is looked for when these are.
        if self._runs_code and guards_stand() and not self._guarded and (bad := self._with_stranger(value, document)):
            return bad
        return Reading(value, document, made=made)

    def _check_exactly(self, document: Document, context: Mapping[str, Any] | None) -> Reading[T]:
        from guards.contracts.typed.forms import validated

        way = self._way
        (validator, strict, _), explainer = way.for_numbers
        validate = partial(validator.validate_json, strict=strict, context=context)
        try:
            with noting() as made:
                value = validated(validate, document.data)
        except Exception as fault:  # noqa: BLE001  # as above
            return explainer.refused(fault, document)
        if self._runs_code and not self._guarded and (bad := self._with_stranger(value, document)):
            return bad
        return Reading(value, document, made=made if way.notes else None)

    def _with_stranger(self, value: T, document: Document) -> Reading[T] | None:
        """What becomes of a value in which guards stand that the type does not know; None where none do."""
        try:
            self._check_no_stranger(value, {})
        except Misfit as fault:
            return Reading(None, document, (Finding("guard.failed", str(fault)),), faults=(fault,))
        return None


class _Way:
    """How answers are validated: with these notes."""

    def __init__(self, schema: Any, notes: Mapping[int, Any], validator: Any) -> None:
        self.notes = notes
        self._schema = noted(schema, notes) if notes else schema
        self.validator, self.strict, self._compiled = compiled(None if notes else validator, self._schema)

    @cached_property
    def explainer(self) -> Explainer:
        from guards.contracts.typed.findings import Explainer  # its tables are needed only where something is wrong

        return Explainer(self._compiled)

    @cached_property
    def for_numbers(self) -> tuple[Compiled, Explainer]:
        """For documents with numbers that pydantic's own parser changes: there is hardly ever one."""
        from guards.contracts.typed.findings import Explainer

        made = compiled_for_numbers(self._schema)
        return made, Explainer(made.schema)


@describe.register
def _(contract: Typed) -> Any:  # type: ignore[type-arg]  # dispatched on
    from guards.contracts.typed.identity import told_schema, told_words

    try:
        asked = told_words(contract.json_schema())
    except ConfigError:  # it has none, and so no prompt
        asked = None
    schema = told_schema(contract._schema)  # noqa: SLF001
    return {"contract": "type", "name": str(contract.type), "schema": schema, "asked": asked}


def _name(type_: Any) -> str:
    return getattr(type_, "__name__", None) or str(type_)


def _first_line(fault: BaseException) -> str:
    return str(fault).split("\n", 1)[0]
