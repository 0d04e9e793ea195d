"""Places of a random type: each can be written as an annotation, gives documents, and walks what came of a document.

Nothing here asks the library or pydantic's core schema where a guard stands: a place knows it because it was drawn so.
The same type is written in four ways: `guarded` and `partial` hold guards; `bare` holds none; `traced` holds none, and
each member of a union marks its value with `Chosen`, so that a walk knows which member pydantic took.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import itertools
import json
import typing
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Generic, Literal, NamedTuple, Optional, TypeVar, Union

import pydantic
import pydantic.dataclasses
import typing_extensions as te
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Json,
    PlainValidator,
    RootModel,
    Secret,
    Tag,
    TypeAdapter,
    WrapValidator,
)
from pydantic_core import SchemaValidator, core_schema

from guards import Guard

Mode = Literal["guarded", "partial", "bare", "traced"]
Draw = Callable[[st.SearchStrategy[Any]], Any]

SIGHTS: list[tuple[int, Any]] = []
"""What guards saw, in order: (place, the very object)."""

WORD: Final = "EVIL"
"""What a guard of the mode `partial` refuses."""


_ALIASED: Final = core_schema.typed_dict_field(core_schema.int_schema(), required=False, validation_alias="alias")
EXTRAS_HIDE_FIELDS: Final = SchemaValidator(
    core_schema.typed_dict_schema({"name": _ALIASED}, extra_behavior="allow")
).validate_json('{"name": "x"}') == {"name": "x"}
"""Whether this pydantic delivers a TypedDict's further key, of any type, as the field of that name (2.12 to 2.14.1)."""


class Seen(Guard):
    """A guard that passes all and keeps what it saw."""

    def __init__(self, place: int, **options: Any) -> None:
        self.place = place
        super().__init__(**options)

    def check(self, value: Any, context: Any) -> str | None:
        SIGHTS.append((self.place, value))
        return None


class SeenInPart(Seen):
    """One that judges parts of a stream, too, and refuses what holds `WORD`."""

    partial = True

    def check(self, value: Any, context: Any) -> str | None:
        super().check(value, context)
        return "holds the word" if WORD in repr(value) else None


@dataclass(frozen=True)
class Note:
    """Stands in an annotation where a guard stands in another, so that both have one form."""

    place: int = 0


class Chosen:
    """A value of a union's member, in the mode `traced`. Equal and hashed as the value."""

    def __init__(self, index: int, value: Any) -> None:
        self.index, self.value = index, value

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, Chosen) else other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return repr(self.value)


UNKNOWN: Final = Chosen(-1, None)
"""In a twin's place: the document is not known, nor is which member of a union was taken."""


def moved(part: Part | Either, inside: Any, value: Any) -> Part | Either:
    """What stood at one object stands at another."""
    if isinstance(part, Either):
        return Either([[moved(one, inside, value) for one in option] for option in part.options])
    return Part(part.guard, value) if part.value is inside else part


class Misfit(Exception):
    """The delivered value has not the form that its type says."""


@dataclass(frozen=True)
class Part:
    """A delivered object, and the guard that must have seen it."""

    guard: int
    value: Any


@dataclass(frozen=True)
class Either:
    """Where only one of several lists of parts must have been seen."""

    options: list[list[Any]]


@dataclass(frozen=True)
class Step:
    """One step down: how a path may spell it, how the document does, and what stands there."""

    spellings: list[tuple[str | int, ...]]
    written: tuple[str | int, ...]
    place: Place
    value: Any
    twin: Any
    document: Any


def inner(twin: Any, get: Callable[[Any], Any]) -> Any:
    return UNKNOWN if twin is UNKNOWN else get(twin)


def expect(condition: bool, value: Any, what: str) -> None:
    if not condition:
        raise Misfit(f"{type(value).__name__} where {what} was expected")


class Place:
    """One place of a type."""

    def annotation(self, mode: Mode) -> Any:
        raise NotImplementedError

    def document(self, draw: Draw, depth: int = 0) -> Any:
        """JSON data that pydantic takes for this place."""
        raise NotImplementedError

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        """What guards must have seen of a delivered value. Raises `Misfit` for a value of another form."""
        raise NotImplementedError

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        """The parts of a delivered value that stand in its document, too."""
        return iter(())

    def children(self) -> Iterable[Place]:
        return ()


def places_in(place: Place) -> list[Place]:
    """A place and all within, each once."""
    known: dict[int, Place] = {}
    waiting = [place]
    while waiting:
        one = waiting.pop()
        if id(one) not in known:
            known[id(one)] = one
            waiting += one.children()
    return list(known.values())


@dataclass(eq=False)
class Leaf(Place):
    """A value without parts. `kinds`: the classes of delivered values; None for any."""

    type: Any
    documents: st.SearchStrategy[Any] | None
    kinds: tuple[type, ...] | None
    default: Any = None
    """The value of one that no document can hold."""

    def annotation(self, mode: Mode) -> Any:
        return self.type

    def document(self, draw: Draw, depth: int = 0) -> Any:
        assert self.documents is not None
        return draw(self.documents)

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(self.kinds is None or isinstance(value, self.kinds), value, str(self.type))
        return iter(())


def is_spoken(place: Place) -> bool:
    """Whether a document can hold a value for this place."""
    while isinstance(place, Inside):
        place = place.held
    return not (isinstance(place, Leaf) and place.documents is None)


class Inside(Place):
    """A place of the same value as another: what is wrapped around a type."""

    held: Place

    def document(self, draw: Draw, depth: int = 0) -> Any:
        return self.held.document(draw, depth)

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        return self.held.parts(value, twin)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return self.held.steps(value, twin, document)

    def children(self) -> Iterable[Place]:
        return (self.held,)


@dataclass(eq=False)
class Watched(Inside):
    """`Annotated[held, guard]`."""

    held: Place
    guard: int

    def annotation(self, mode: Mode) -> Any:
        guards = {"guarded": Seen, "partial": SeenInPart}
        return Annotated[self.held.annotation(mode), guards.get(mode, Note)(self.guard)]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        yield Part(self.guard, value)
        yield from self.held.parts(value, twin)


@dataclass(eq=False)
class Many(Place):
    """A container of items: `form(item)` is its annotation."""

    item: Place
    form: Callable[[Any], Any]
    made: tuple[type, ...]
    bare: Callable[[Any], Any] | None = None
    """What pydantic must be asked for where `form` would not be validated (an iterator)."""

    @property
    def is_set(self) -> bool:
        return issubclass(self.made[0], set | frozenset)

    def annotation(self, mode: Mode) -> Any:
        form = self.bare if self.bare and mode in ("bare", "traced") else self.form
        return form(self.item.annotation(mode))

    def document(self, draw: Draw, depth: int = 0) -> Any:
        most = 3 if depth < 3 else 0 if depth > 5 else 1
        return [self.item.document(draw, depth + 1) for _ in range(draw(st.integers(0, most)))]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, self.made), value, self.made[0].__name__)
        for item, its_twin in self._pairs(value, twin):
            yield from self.item.parts(item, its_twin)

    def _pairs(self, value: Any, twin: Any) -> Iterator[tuple[Any, Any]]:
        if twin is UNKNOWN:
            return ((item, UNKNOWN) for item in value)
        if self.is_set:  # the order of a set is not that of its twin
            by_text = {repr(item): item for item in twin}
            return ((item, by_text[repr(item)]) for item in value)
        return zip(value, twin, strict=True)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        if not self.is_set and isinstance(document, list):
            for index, (item, its_twin) in enumerate(self._pairs(value, twin)):
                yield Step([(index,)], (index,), self.item, item, its_twin, document[index])

    def children(self) -> Iterable[Place]:
        return (self.item,)


class Row(Place):
    """A tuple with a type for each position."""

    def __init__(self, items: list[Place]) -> None:
        self.items = items

    def annotation(self, mode: Mode) -> Any:
        return tuple[tuple(item.annotation(mode) for item in self.items)]  # type: ignore[misc]

    def document(self, draw: Draw, depth: int = 0) -> Any:
        return [item.document(draw, depth + 1) for item in self.items]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, tuple) and len(value) == len(self.items), value, "a tuple")
        for index, item in enumerate(self.items):
            yield from item.parts(value[index], inner(twin, lambda whole, at=index: whole[at]))

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        for index, item in enumerate(self.items):
            its_twin = inner(twin, lambda whole, at=index: whole[at])
            yield Step([(index,)], (index,), item, value[index], its_twin, document[index])

    def children(self) -> Iterable[Place]:
        return self.items


def made_once(make: Callable[[Any, Mode], Any]) -> Callable[[Any, Mode], Any]:
    """The annotation of a place that makes a class: one for each mode."""

    def annotation(self: Any, mode: Mode) -> Any:
        made = self.__dict__.setdefault("_made", {})
        if mode not in made:
            with warnings.catch_warnings():  # of names that shadow something, which is what such a name is for
                warnings.simplefilter("ignore")
                made[mode] = make(self, mode)
        return made[mode]

    return annotation


NUMBERS = itertools.count()


class NamedRow(Row):
    """A `NamedTuple`: its document is an array or an object."""

    def __init__(self, names: list[str], items: list[Place]) -> None:
        super().__init__(items)
        self.names = names

    @made_once
    def annotation(self, mode: Mode) -> Any:
        fields = zip(self.names, (item.annotation(mode) for item in self.items), strict=True)
        return NamedTuple("Named", list(fields))  # type: ignore[misc]

    def document(self, draw: Draw, depth: int = 0) -> Any:
        row = super().document(draw, depth)
        return dict(zip(self.names, row, strict=True)) if draw(st.booleans()) else row

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        for index, (name, item) in enumerate(zip(self.names, self.items, strict=True)):
            its_twin = inner(twin, lambda whole, at=index: whole[at])
            there = document[name if isinstance(document, dict) else index]
            written = (name if isinstance(document, dict) else index,)
            yield Step([written], written, item, value[index], its_twin, there)


@dataclass(eq=False)
class Map(Place):
    """A mapping of keys and values; a `Counter` has no place for values."""

    key: Place
    item: Place | None
    form: Callable[..., Any]
    made: type

    def annotation(self, mode: Mode) -> Any:
        key = self.key.annotation(mode)
        return self.form(key, self.item.annotation(mode)) if self.item else self.form(key)

    def document(self, draw: Draw, depth: int = 0) -> Any:
        most = 2 if depth < 3 else 0 if depth > 5 else 1
        keys = [self.key.document(draw, depth + 1) for _ in range(draw(st.integers(0, most)))]
        texts = [key if isinstance(key, str) else json.dumps(key) for key in keys]
        return {text: self.item.document(draw, depth + 1) if self.item else draw(st.integers(0, 5)) for text in texts}

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, self.made), value, self.made.__name__)
        for key, key_twin, item, item_twin in self._rows(value, twin):
            yield from self.key.parts(key, key_twin)
            if self.item:
                yield from self.item.parts(item, item_twin)

    def _rows(self, value: Any, twin: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
        if twin is UNKNOWN:
            return ((key, UNKNOWN, item, UNKNOWN) for key, item in value.items())
        pairs = zip(value.items(), twin.items(), strict=True)
        return ((key, key_twin, item, item_twin) for (key, item), (key_twin, item_twin) in pairs)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        if self.item and len(value) == len(document):
            for (_, _, item, its_twin), key in zip(self._rows(value, twin), document, strict=True):
                yield Step([(key,)], (key,), self.item, item, its_twin, document[key])

    def children(self) -> Iterable[Place]:
        return (self.key, self.item) if self.item else (self.key,)


@dataclass(eq=False)
class Nullable(Inside):
    """`held | None`."""

    held: Place

    def annotation(self, mode: Mode) -> Any:
        return Optional[self.held.annotation(mode)]  # noqa: UP045  # the held one may be a name in quotes

    def document(self, draw: Draw, depth: int = 0) -> Any:
        return None if depth > 4 or draw(st.integers(0, 3)) == 0 else self.held.document(draw, depth + 1)

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        return iter(()) if value is None else self.held.parts(value, twin)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return iter(()) if value is None else self.held.steps(value, twin, document)


class Absent(Inside):
    """`held | MISSING`: a field that may be left out, and is then the sentinel."""

    def __init__(self, held: Place, sentinel: Any) -> None:
        self.held, self.sentinel = held, sentinel

    def annotation(self, mode: Mode) -> Any:
        return Union[self.held.annotation(mode), self.sentinel]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        return iter(()) if value is self.sentinel else self.held.parts(value, twin)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return iter(()) if value is self.sentinel else self.held.steps(value, twin, document)


@dataclass(eq=False)
class OneOf(Place):
    """A union; `by` is None for pydantic's smart mode, else a mode, a discriminator's name or a function."""

    members: list[Place]
    by: Any = None

    def annotation(self, mode: Mode) -> Any:
        union = Union[tuple(self._member(index, mode) for index in range(len(self.members)))]
        if self.by is None:
            return union
        if callable(self.by):
            return Annotated[union, Discriminator(self.by)]
        return Annotated[
            union, Field(union_mode="left_to_right") if self.by == "left" else Field(discriminator=self.by)
        ]

    def _member(self, index: int, mode: Mode) -> Any:
        held = self.members[index].annotation(mode)
        mark = AfterValidator(lambda value: Chosen(index, value)) if mode == "traced" else Note()
        tag = (Tag(self.by.tags[index]),) if callable(self.by) else ()
        return Annotated[held, mark, *tag]

    def document(self, draw: Draw, depth: int = 0) -> Any:
        return draw(st.sampled_from(self.members)).document(draw, depth + 1)

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        if twin is not UNKNOWN:
            yield from self.members[twin.index].parts(value, twin.value)
            return
        options = []
        for member in self.members:
            try:
                options.append(list(member.parts(value, UNKNOWN)))
            except Misfit:
                continue
        expect(bool(options), value, "a member of the union")
        yield Either(options)

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return self.members[twin.index].steps(value, twin.value, document)

    def children(self) -> Iterable[Place]:
        return self.members


class JsonKind:
    """A discriminator: the kind of JSON value."""

    def __init__(self, tags: list[str]) -> None:
        self.tags = tags
        self.__name__ = "kind"  # pydantic asks for it

    def __call__(self, value: Any) -> str:
        return type(value).__name__


@dataclass(eq=False)
class JsonText(Inside):
    """`Json[held]`: a JSON document in a text."""

    held: Place

    def annotation(self, mode: Mode) -> Any:
        return Json[self.held.annotation(mode)]

    def document(self, draw: Draw, depth: int = 0) -> Any:
        return json.dumps(self.held.document(draw, depth + 1))

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return iter(())  # for a path the document holds a text there


@dataclass(eq=False)
class Hidden(Inside):
    """`Secret[held]`: the value stands in an object that gives it out when asked."""

    held: Place

    def annotation(self, mode: Mode) -> Any:
        return Secret[self.held.annotation(mode)]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, Secret), value, "Secret")
        return self.held.parts(value.get_secret_value(), inner(twin, lambda secret: secret.get_secret_value()))

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return iter(())


@dataclass
class Wrapped:
    """What a validator made of a value: nothing that the value's type speaks of."""

    value: Any


EFFECTS: dict[str, Callable[[Any], Any]] = {
    "keep": lambda value: value,
    "upper": lambda value: value.upper() if type(value) is str else value,
    "copy": copy.copy,
    "turn": lambda value: value[::-1] if isinstance(value, list) else dict(reversed(value.items())),
    "reshape": lambda value: Wrapped(value),
}


@dataclass(eq=False)
class Validated(Inside):
    """A validator around a place, and what it does to the value."""

    held: Place
    kind: Literal["before", "after", "wrap"]
    effect: str

    @property
    def reshapes(self) -> bool:
        return self.effect == "reshape"

    def annotation(self, mode: Mode) -> Any:
        effect = EFFECTS[self.effect]
        validator = {
            "before": lambda: BeforeValidator(effect),
            "after": lambda: AfterValidator(effect),
            "wrap": lambda: WrapValidator(lambda value, handler: effect(handler(value))),
        }[self.kind]()
        return Annotated[self.held.annotation(mode), validator]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        if not self.reshapes:
            yield from self.held.parts(value, twin)
            return
        expect(isinstance(value, Wrapped), value, "what the validator made")
        through = list(self.held.parts(value.value, inner(twin, lambda made: made.value)))
        # A guard before the validator stands at what the validator was given, or at what it gave.
        yield Either([through, [moved(one, value.value, value) for one in through]])

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        if self.effect == "turn":
            return self._turned(value, twin, document)
        return iter(()) if self.reshapes else self.held.steps(value, twin, document)

    def _turned(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        """The steps by the document's own order."""
        effect = EFFECTS[self.effect]
        steps = list(self.held.steps(value, twin, effect(document)))
        if isinstance(document, dict):
            return iter(steps)
        names = [(index,) for index in range(len(document))][::-1]
        return (replace(step, spellings=[name], written=name) for name, step in zip(names, steps, strict=True))


@dataclass(eq=False)
class Plain(Inside):
    """A `PlainValidator` after a type, which is then not asked: raw data is delivered."""

    held: Place
    effect: str

    def annotation(self, mode: Mode) -> Any:
        return Annotated[self.held.annotation(mode), PlainValidator(EFFECTS[self.effect])]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        return unasked(self.held, value)


@dataclass(eq=False)
class Skipped(Inside):
    """`SkipValidation`: a guarded type that pydantic does not ask either."""

    held: Place

    def annotation(self, mode: Mode) -> Any:
        return Annotated[self.held.annotation(mode), pydantic.SkipValidation()]

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        return unasked(self.held, value)


def unasked(place: Place, value: Any) -> Iterator[Part | Either]:
    """The guards of a text that pydantic takes as it comes, of whatever kind."""
    while isinstance(place, Watched):
        yield Part(place.guard, value)
        place = place.held


class OwnSchema:
    """In an annotation: pydantic's core schema inside of one that pydantic itself seldom writes."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make = make

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return self.make(handler(source))


OWN_SCHEMAS: dict[str, Callable[[Any], Any]] = {
    "chain": lambda schema: core_schema.chain_schema([schema, core_schema.any_schema()]),
    "custom-error": lambda schema: core_schema.custom_error_schema(schema, "own", custom_error_message="is wrong"),
    "lax-or-strict": lambda schema: core_schema.lax_or_strict_schema(core_schema.any_schema(), schema),
    "json-or-python": lambda schema: core_schema.json_or_python_schema(schema, core_schema.any_schema()),
    "nullable": core_schema.nullable_schema,
}


@dataclass(eq=False)
class Own(Inside):
    """A place whose core schema a type of one's own writes."""

    held: Place
    kind: str

    def annotation(self, mode: Mode) -> Any:
        return Annotated[self.held.annotation(mode), OwnSchema(OWN_SCHEMAS[self.kind])]


@dataclass(eq=False)
class Alias(Inside):
    """A type by name: `type Name = held`."""

    held: Place

    @made_once
    def annotation(self, mode: Mode) -> Any:
        return te.TypeAliasType("Named", self.held.annotation(mode))


T = TypeVar("T")


class Box(BaseModel, Generic[T]):
    item: T
    more: list[T] = []


@dataclasses.dataclass
class Crate(Generic[T]):
    item: T
    more: list[T] = dataclasses.field(default_factory=list)


class Bag(te.TypedDict, Generic[T]):
    item: T
    more: te.NotRequired[list[T]]


@dataclass(eq=False)
class Boxed(Place):
    """A generic class of one place, at which two of its fields stand."""

    held: Place
    box: Any

    def annotation(self, mode: Mode) -> Any:
        return self.box[self.held.annotation(mode)]

    def document(self, draw: Draw, depth: int = 0) -> Any:
        made = {"item": self.held.document(draw, depth + 1)}
        if draw(st.booleans()):
            made["more"] = [self.held.document(draw, depth + 1) for _ in range(draw(st.integers(0, 2)))]
        return made

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, dict if self.box is Bag else self.box), value, self.box.__name__)
        for _, step_value, its_twin in self._members(value, twin):
            yield from self.held.parts(step_value, its_twin)

    def _members(self, value: Any, twin: Any) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
        fields = value if isinstance(value, dict) else vars(value)
        twins = inner(twin, lambda whole: whole if isinstance(whole, dict) else vars(whole))
        yield ("item",), fields["item"], inner(twins, lambda whole: whole["item"])
        for index, item in enumerate(fields.get("more", ())):
            yield ("more", index), item, inner(twins, lambda whole, at=index: whole["more"][at])

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        for path, item, its_twin in self._members(value, twin):
            there = document
            for step in path:
                there = there[step]
            yield Step([path], path, self.held, item, its_twin, there)

    def children(self) -> Iterable[Place]:
        return (self.held,)


# -- classes with named members -------------------------------------------------------------------------------------


Path = tuple[str | int, ...]


@dataclass
class Default:
    """A value that stands where the document says nothing: made of a document of the place, or given."""

    document: Any = None
    value: Any = None
    is_given: bool = False
    by_factory: bool = False

    def make(self, place: Place, mode: Mode) -> Any:
        if self.is_given:
            return self.value
        return TypeAdapter(place.annotation(mode)).validate_json(json.dumps(self.document), strict=True)


@dataclass
class Member:
    """A field of a class: `spellings` in pydantic's order, the first that a document has is taken."""

    name: str
    place: Place
    alias: dict[str, Any] = field(default_factory=dict)
    """The arguments of `Field` that name it."""
    spellings: list[Path] = field(default_factory=list)
    default: Default | None = None

    def spoken(self, document: dict[str, Any]) -> Path | None:
        """The spelling that counts in a document."""
        return next((path for path in self.spellings if has(document, path)), None)


def has(document: Any, path: Path) -> bool:
    try:
        at(document, path)
    except (LookupError, TypeError):
        return False
    return True


def at(document: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, str) is not isinstance(document, dict):
            raise LookupError(step)
        document = document[step]
    return document


def put(document: dict[str, Any], path: Path, value: Any) -> None:
    """Write a value at a path, with whatever must stand around it."""
    here: Any = document
    for step, following in zip(path, (*path[1:], None), strict=True):
        if isinstance(here, list):
            here.extend([0] * (step + 1 - len(here)))  # type: ignore[operator]
        empty: Any = value if following is None else [] if isinstance(following, int) else {}
        if following is None or not has(here, (step,)) or here[step] == 0:
            here[step] = empty
        here = here[step]


Flavour = Literal["model", "dataclass", "pydantic_dataclass", "typed_dict"]


@dataclass(eq=False)
class Record(Place):
    """A model, dataclass or TypedDict."""

    flavour: Flavour
    members: list[Member]
    config: dict[str, Any] = field(default_factory=dict)
    extra: Place | None = None
    """The place of values of keys that are no member's."""
    others: dict[str, Any] = field(default_factory=dict)
    """Keys that a document may have beside the members': a place for their values, or None."""
    inherits: bool = False
    slots: bool = False
    validator: str = ""
    """A validator of the whole: 'before', 'wrap', 'after', 'rewrite' (sets texts in upper case), 'copy'."""
    is_frozen: bool = False
    optional_by_total: bool = False
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"Record{next(NUMBERS)}"

    def reference(self, mode: Mode) -> str:
        """The name by which the class is found while it is being made."""
        return f"{self.name}_{mode}"

    @made_once
    def annotation(self, mode: Mode) -> Any:
        made = _MAKERS[self.flavour](self, mode)
        globals()[self.reference(mode)] = made
        if self.flavour == "model":
            made.model_rebuild()
        elif self.flavour == "pydantic_dataclass":
            pydantic.dataclasses.rebuild_dataclass(made)
        return made

    def document(self, draw: Draw, depth: int = 0) -> Any:
        wanted = {
            member.name: member.place.document(draw, depth + 1)
            for member in self.members
            if is_spoken(member.place) and not (member.default and (depth > 4 or draw(st.integers(0, 3)) == 0))
        }
        document = self._spelled(draw, wanted)
        if not self._says(document, wanted):  # a spelling has said another member, too
            for member in self.members:
                if is_spoken(member.place) and not isinstance(member.place, Nullable):
                    wanted.setdefault(member.name, member.place.document(draw, depth + 1))
            document = self._spelled(None, wanted)
        taken = {path[0] for member in self.members for path in member.spellings}
        if self.flavour == "typed_dict" and EXTRAS_HIDE_FIELDS:
            taken.update(member.name for member in self.members)
        for key in draw(st.lists(st.sampled_from(sorted(self.others)), max_size=2, unique=True)) if self.others else ():
            if key not in taken and key not in document:
                place = self.others[key]
                document[key] = place.document(draw, depth + 1) if place else draw(st.sampled_from(["x", 1, None]))
        return document

    def _spelled(self, draw: Draw | None, wanted: dict[str, Any]) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for member in self.members:
            if member.name in wanted:
                path = draw(st.sampled_from(member.spellings)) if draw else member.spellings[0]
                put(document, path, wanted[member.name])
                is_open = self.config.get("extra") == "ignore" and not self.extra and self.flavour == "model"
                if draw and is_open and len(member.spellings) > 1 and draw(st.integers(0, 5)) == 0:
                    # Another spelling beside it: which one counts is for pydantic to say.
                    put(document, draw(st.sampled_from(member.spellings)), wanted[member.name])
        return document

    def _says(self, document: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Whether a document gives each member what was wanted, and nothing to the others."""
        return all(
            (path is None)
            if member.name not in wanted
            else path is not None and at(document, path) is wanted[member.name]
            for member in self.members
            for path in [member.spoken(document)]
        )

    def held(self, value: Any) -> dict[str, Any]:
        """The delivered members, by name."""
        if self.flavour == "typed_dict":
            expect(isinstance(value, dict), value, "a dict")
            return dict(value)
        expect(type(value).__name__ == self.name, value, self.name)
        return {member.name: object.__getattribute__(value, member.name) for member in self.members}

    def extras(self, value: Any) -> dict[str, Any]:
        if self.extra is None:
            return {}
        if self.flavour == "model":
            return dict(value.__pydantic_extra__)
        names = {member.name for member in self.members}
        return {key: item for key, item in value.items() if key not in names}

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        held, twins = self.held(value), inner(twin, self.held)
        for member in self.members:
            if member.name in held:
                its_twin = inner(twins, lambda known, name=member.name: known[name])
                yield from member.place.parts(held[member.name], its_twin)
        others = inner(twin, self.extras)
        for key, item in self.extras(value).items():
            assert self.extra is not None
            yield from self.extra.parts(item, inner(others, lambda known, name=key: known[name]))

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        held, twins = self.held(value), inner(twin, self.held)
        for member in self.members:
            path = member.spoken(document)
            if member.name not in held or path is None:
                continue
            others = [path for other in self.members if other is not member for path in other.spellings]
            # A spelling that another member shares means the one whose part of the document it is.
            spellings = [one for one in member.spellings if one == path or (one not in others)]
            its_twin = inner(twins, lambda known, name=member.name: known[name])
            yield Step(spellings, path, member.place, held[member.name], its_twin, at(document, path))
        others_twin = inner(twin, self.extras)
        for key, item in self.extras(value).items():
            if key in document:
                assert self.extra is not None
                its_twin = inner(others_twin, lambda known, name=key: known[name])
                yield Step([(key,)], (key,), self.extra, item, its_twin, document[key])

    def children(self) -> Iterable[Place]:
        more = [place for place in (self.extra, *self.others.values()) if place]
        return (*(member.place for member in self.members), *more)


def _annotated(member: Member, mode: Mode) -> Any:
    annotation = member.place.annotation(mode)
    return Annotated[annotation, Field(**member.alias)] if member.alias else annotation


def _default(member: Member, mode: Mode) -> dict[str, Any]:
    default = member.default
    if default is None:
        return {}
    if default.by_factory:
        return {"default_factory": lambda: default.make(member.place, mode)}
    return {"default": default.make(member.place, mode)}


def _model(record: Record, mode: Mode) -> Any:
    def namespace(members: list[Member]) -> dict[str, Any]:
        made: dict[str, Any] = {"__annotations__": {}, "__module__": __name__, "__qualname__": record.name}
        for member in members:
            made["__annotations__"][member.name] = _annotated(member, mode)
            if member.default:
                made[member.name] = Field(**_default(member, mode))
        return made

    last = namespace(record.members)
    bases: tuple[type, ...] = (BaseModel,)
    if record.inherits:
        middle = len(record.members) // 2
        base = type("Base", bases, namespace(record.members[:middle]))
        bases, last = (base,), namespace(record.members[middle:])
    if record.extra:
        last["__annotations__"]["__pydantic_extra__"] = dict[str, record.extra.annotation(mode)]  # type: ignore[misc]
    last["model_config"] = ConfigDict(**record.config, frozen=record.is_frozen)  # type: ignore[typeddict-item]
    if record.validator:
        last["judged"] = _model_validator(record.validator)
    return type(record.name, bases, last)


def _model_validator(kind: str) -> Any:
    if kind == "before":
        return pydantic.model_validator(mode="before")(classmethod(lambda cls, data: data))
    if kind == "wrap":
        return pydantic.model_validator(mode="wrap")(classmethod(lambda cls, data, handler: handler(data)))

    def judge(self: Any) -> Any:
        if kind == "copy":
            return copy.copy(self)
        if kind == "rewrite":
            for name, value in self.__dict__.items():
                self.__dict__[name] = EFFECTS["upper"](value)
        return self

    if kind == "copy":
        return pydantic.model_validator(mode="wrap")(classmethod(lambda cls, data, handler: judge(handler(data))))
    return pydantic.model_validator(mode="after")(judge)


def _dataclass(record: Record, mode: Mode) -> Any:
    namespace: dict[str, Any] = {"__annotations__": {}, "__module__": __name__}
    for member in record.members:
        namespace["__annotations__"][member.name] = _annotated(member, mode)
        if member.default:
            factory = dataclasses.field(default_factory=lambda one=member: one.default.make(one.place, mode))
            namespace[member.name] = factory
    made = type(record.name, (), namespace)
    options: dict[str, Any] = {"slots": record.slots, "kw_only": True, "frozen": record.is_frozen}
    config = ConfigDict(**record.config)  # type: ignore[typeddict-item]
    if record.flavour == "pydantic_dataclass":
        return pydantic.dataclasses.dataclass(made, config=config, **options)
    made.__pydantic_config__ = config  # type: ignore[attr-defined]
    return dataclasses.dataclass(**options)(made)


def _typed_dict(record: Record, mode: Mode) -> Any:
    fields: dict[str, Any] = {}
    for member in record.members:
        annotation = _annotated(member, mode)
        if member.default and not record.optional_by_total:
            annotation = te.NotRequired[annotation]
        elif not member.default and record.optional_by_total:
            annotation = te.Required[annotation]
        fields[member.name] = annotation
    options: dict[str, Any] = {"total": not record.optional_by_total}
    if record.extra:
        options["extra_items"] = record.extra.annotation(mode)
    made = te.TypedDict(record.name, fields, **options)  # type: ignore[operator]
    made.__pydantic_config__ = ConfigDict(**record.config)  # type: ignore[typeddict-item]
    return made


_MAKERS: Final = {
    "model": _model,
    "dataclass": _dataclass,
    "pydantic_dataclass": _dataclass,
    "typed_dict": _typed_dict,
}


@dataclass(eq=False)
class Itself(Inside):
    """A type inside itself: known by name."""

    whole: Record | NamedAlias

    @property
    def held(self) -> Place:  # type: ignore[override]
        return self.whole

    def annotation(self, mode: Mode) -> Any:
        return self.whole.reference(mode)


class NamedAlias(Inside):
    """A type by name that may hold itself; `held` is set when the name is there."""

    def __init__(self) -> None:
        self.name = f"Tree{next(NUMBERS)}"

    def reference(self, mode: Mode) -> str:
        return f"{self.name}_{mode}"

    @made_once
    def annotation(self, mode: Mode) -> Any:
        made = te.TypeAliasType(self.reference(mode), self.held.annotation(mode))
        globals()[self.reference(mode)] = made
        return made


@dataclass(eq=False)
class Root(Inside):
    """A `RootModel`."""

    held: Place

    @made_once
    def annotation(self, mode: Mode) -> Any:
        namespace = {"__annotations__": {"root": self.held.annotation(mode)}, "__module__": __name__}
        return type("Root", (RootModel,), namespace)

    def parts(self, value: Any, twin: Any) -> Iterator[Part | Either]:
        expect(isinstance(value, RootModel), value, "a RootModel")
        return self.held.parts(value.root, inner(twin, lambda model: model.root))

    def steps(self, value: Any, twin: Any, document: Any) -> Iterator[Step]:
        return self.held.steps(value.root, inner(twin, lambda model: model.root), document)


def describe(place: Place) -> str:
    """A type in one line, for a person."""
    if isinstance(place, Itself):
        return place.whole.name
    if isinstance(place, Record):
        fields = [
            f"{one.name}: {describe(one.place)} at {[list(path) for path in one.spellings]}"
            + (f" = {one.default}" if one.default else "")
            for one in place.members
        ]
        extra = [f"**: {describe(place.extra)}"] if place.extra else []
        more = {key: value for key, value in vars(place).items() if key in ("config", "slots", "validator") and value}
        return f"{place.flavour} {place.name}({', '.join([*fields, *extra])}; {more})"
    own = {key: value for key, value in vars(place).items() if isinstance(value, str | int) and value}
    name = str(place.type) if isinstance(place, Leaf) else type(place).__name__
    if isinstance(place, Many | Map):
        form = place.annotation("bare")
        name = getattr(typing.get_origin(form) or form, "__name__", str(form))
    inside = [describe(child) for child in place.children()]
    return f"{name}{list(own.values()) if own else ''}" + (f"[{', '.join(inside)}]" if inside else "")


# -- what came of it ------------------------------------------------------------------------------------------------


def unseen(parts: Iterable[Part | Either], sights: list[tuple[int, Any]]) -> list[str]:
    """A line for each part that its guard did not see."""
    lines = []
    for part in parts:
        if isinstance(part, Either):
            options = [unseen(option, sights) for option in part.options]
            lines += min(options, key=len)
        elif not any(guard == part.guard and same(part.value, value) for guard, value in sights):
            saw = [value for guard, value in sights if guard == part.guard]
            lines.append(f"the guard {part.guard} did not see {part.value!r}; it saw {saw!r}")
    return lines


def same(delivered: Any, judged: Any) -> bool:
    """Whether a guard saw what was delivered: the same object, or an equal one of a kind that nothing can change."""
    if delivered is judged:
        return True
    return (
        type(delivered) is type(judged)
        and not isinstance(delivered, list | dict | set | frozenset | tuple | collections.deque | BaseModel)
        and not dataclasses.is_dataclass(delivered)
        and bool(delivered == judged)
    )


def plainly(value: Any) -> Any:
    """A value in a form that compares equal where two classes of one description hold the same."""
    if isinstance(value, BaseModel):
        extra = value.__pydantic_extra__ or {}
        name = type(value).__name__.split("[")[0]  # that of a generic class holds its guards
        return (name, plainly(value.__dict__), plainly(extra), sorted(value.model_fields_set))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(one.name, plainly(getattr(value, one.name))) for one in dataclasses.fields(value)]
        return (type(value).__name__, fields)
    if isinstance(value, dict):
        return (type(value).__name__, [(plainly(key), plainly(item)) for key, item in value.items()])
    if isinstance(value, set | frozenset):
        return (type(value).__name__, sorted((plainly(item) for item in value), key=repr))
    if isinstance(value, list | tuple | collections.deque):
        return (type(value).__name__, [plainly(item) for item in value])
    if isinstance(value, Secret | pydantic.SecretStr | pydantic.SecretBytes):
        return (type(value).__name__, plainly(value.get_secret_value()))
    return (type(value).__name__, repr(value))
