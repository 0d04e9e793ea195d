"""How a value of a Python type holds its parts, and where each part stands in the document that it was read from.

A part is taken from the value itself, by the way in which validation put it there: the instance's own attribute, the
item, the key. The document only lends the name of the place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from guards.reading.document import Place, Steps
from guards.reading.numbers import as_whole, dumps

if TYPE_CHECKING:
    from guards.contracts.typed.shape import Shape

__all__ = [
    "ABSENT",
    "DEFAULT",
    "MADE",
    "NO_DEFAULT",
    "Entries",
    "Field",
    "Fields",
    "Items",
    "Misfit",
    "Part",
    "Structure",
    "as_text",
    "counts_from_end",
    "from_start",
    "misfit",
    "spellings_of",
    "stored",
]

ABSENT: Final = object()
"""In a document's place: the document does not have it, and its place is where it should stand."""
DEFAULT: Final = object()
"""The same, of a constant that its type's author wrote (or what a function without arguments made): no text of an
answer is in it."""
MADE: Final = object()
"""In a document's place: a validator made the value of something else, and its place is that of what it was made of."""
NO_DEFAULT: Final = object()


Names: TypeAlias = tuple[str | int, ...]
Spellings: TypeAlias = tuple[Names, ...]
Ways: TypeAlias = "list[tuple[Steps, Shape | None]]"
"""Where a step of a path leads in any value: the steps by which a document writes it, and the shape there."""


class Misfit(TypeError):
    """A delivered value is not of the shape that its type announces, so that its parts cannot be told."""


class Part(NamedTuple):
    """A part of a delivered value, what the document has in its place, and that place.

    `exact`: whether the place holds this part and nothing else, so that what is put there changes this part alone.
    `names`: the steps to it from what holds it, as the document writes them; none for a key, to which no path leads.
    `also`: the other ways in which they may be written. `stirred`: whether code of the type's author may have put
    what it holds in another order than the document has; `moved`: whether it has, or may have, before pydantic saw it.
    """

    shape: Shape | None
    value: Any
    data: Any
    place: Place
    exact: bool = True
    names: Names = ()
    also: Spellings = ()
    stirred: bool = False
    moved: bool = False


class Structure(ABC):
    """What the values of a shape hold. `settle` is called once, when it is known which parts lead to guards."""

    @property
    @abstractmethod
    def shapes(self) -> Iterator[Shape]:
        """The shapes of its parts."""

    @abstractmethod
    def parts(self, whole: Part, *, guarded: bool) -> Iterator[Part]:
        """The parts of a value; with `guarded` only those that lead to guards. Raises Misfit."""

    @abstractmethod
    def settle(self) -> None:
        """Keep apart what leads to guards."""

    @abstractmethod
    def step(self, name: str | int | None) -> Ways | None:
        """Where a step of a path leads; None as the name is any name. [] where there is no such part, None where that
        depends on the value."""


class Field(NamedTuple):
    """A field: its attribute, the ways in which a document may write it (each a path, the usual one first), its shape,
    and its default where that is a constant."""

    attribute: str
    spellings: Spellings
    shape: Shape
    default: Any = NO_DEFAULT
    alone: bool = False
    """Whether its default is what a function without arguments makes."""
    from_end: bool = False
    """Whether some spelling counts from the end of a list."""

    def part(self, whole: Part, value: Any) -> Part:
        """The field of a value: by the first spelling that the document has, as pydantic looks for it."""
        if self.from_end:
            counted = tuple(from_start(names, whole.data) for names in self.spellings)
            return self._replace(spellings=counted, from_end=False).part(whole, value)
        usual, place, data = self.spellings[0], whole.place, whole.data
        if isinstance(data, dict):
            for names in self.spellings:
                here: Any = data
                for name in names:
                    try:
                        here = here[name]
                    except (LookupError, TypeError):
                        break
                else:
                    return Part(self.shape, value, here, (*place, *names), whole.exact, names, self.spellings)
            data = DEFAULT if self._is_default(value) else ABSENT
        if data is ABSENT or data is DEFAULT:
            return Part(self.shape, value, data, (*place, *usual), whole.exact, usual, self.spellings)
        return Part(self.shape, value, MADE, place, False, usual, self.spellings)

    def _is_default(self, value: Any) -> bool:
        """Whether it is a constant: what a function made is one only where it is empty."""
        if type(value) not in _CONSTANTS:
            return value is self.default
        if self.alone:
            return not value and type(value) in _EMPTY
        return type(value) is type(self.default) and bool(value == self.default)


def counts_from_end(spellings: Spellings) -> bool:
    return any(isinstance(name, int) and name < 0 for names in spellings for name in names)


def from_start(names: Names, data: Any) -> Names:
    """The same place in this data with the indexes that it has there; the first where there is no such list."""
    counted: list[str | int] = []
    for name in names:
        if isinstance(name, int) and name < 0:
            name = max(name + len(data), 0) if isinstance(data, list) else 0  # noqa: PLW2901  # the same place
        counted.append(name)
        try:
            data = data[name]
        except (LookupError, TypeError):
            data = None
    return tuple(counted)


def spellings_of(attribute: str, node: Mapping[str, Any], config: Mapping[str, Any] | None) -> Spellings:
    """How a document may write a field, in the order in which pydantic looks: its aliases, then its own name where the
    model takes that, too."""
    config = config or {}
    alias = node.get("validation_alias")
    paths = [] if alias is None else [alias] if isinstance(alias, str) else alias
    if paths and isinstance(alias, list) and not isinstance(alias[0], list):
        paths = [alias]  # one path
    names = [(path,) if isinstance(path, str) else tuple(path) for path in paths]
    if not names:
        return ((attribute,),)
    by_alias = config.get("validate_by_alias")
    by_name = config.get("validate_by_name", config.get("populate_by_name"))
    spelled = [*(names if by_alias is not False else ()), *([(attribute,)] if by_name or by_alias is False else ())]
    return tuple(dict.fromkeys(spelled))


class Fields(Structure):
    """A model, dataclass, TypedDict or NamedTuple, by its fields, and the further keys that it may have. `kind` is
    pydantic's name of it."""

    def __init__(
        self,
        kind: str,
        cls: type[Any],
        fields: tuple[Field, ...],
        *,
        extras: Shape | None = None,
        extra_keys: Shape | None = None,
        behaviour: str = "ignore",
        declared: type | None = None,
    ) -> None:
        self.kind = kind
        self.cls = cls
        self.fields = fields
        self.extras = extras
        self.extra_keys = extra_keys
        self.declared = declared or cls
        """The class that its author wrote."""
        self.open = behaviour == "allow"
        self.closed = behaviour == "forbid"
        self._names = frozenset(field.attribute for field in fields)
        self._computed = getattr(cls, "__pydantic_computed_fields__", None) or {}
        self._guarded: tuple[Field, ...] = fields
        self._guards_extras = True

    @property
    def shapes(self) -> Iterator[Shape]:
        yield from (field.shape for field in self.fields)
        yield from (shape for shape in (self.extras, self.extra_keys) if shape is not None)

    def settle(self) -> None:
        self._guarded = tuple(field for field in self.fields if field.shape.guarded)
        extras = (self.extras, self.extra_keys)
        self._guards_extras = any(shape is not None and shape.guarded for shape in extras)

    def parts(self, whole: Part, *, guarded: bool) -> Iterator[Part]:
        value = whole.value
        if not isinstance(value, self.cls):
            raise misfit(value, f"a {self.cls.__name__}")
        for index, field in enumerate(self._guarded if guarded else self.fields):
            if self.kind == "named-tuple":
                yield self._position(whole, field, self.fields.index(field) if guarded else index)
                continue
            if self.kind == "typed-dict":
                if field.attribute not in value:
                    continue
                held = value[field.attribute]
            else:
                held = stored(value, self.cls, field.attribute)
            yield field.part(whole, held)
        if self._guards_extras or not guarded:
            yield from self._extras(whole)

    def _position(self, whole: Part, field: Field, index: int) -> Part:
        """A field of a NamedTuple, which a document may write as an object or as a list."""
        held = whole.value[index]
        also = (*field.spellings, (index,))
        if isinstance(whole.data, list):
            data = whole.data[index] if index < len(whole.data) else ABSENT
            return Part(field.shape, held, data, (*whole.place, index), whole.exact, (index,), also)
        return field.part(whole, held)._replace(also=also)

    def _extras(self, whole: Part) -> Iterator[Part]:
        value = whole.value
        if self.kind == "model":
            held: Mapping[str, Any] = value.__pydantic_extra__ or {}
        elif self.kind == "typed-dict":
            held = {key: item for key, item in value.items() if key not in self._names}
        elif self.open:
            held = {key: item for key, item in vars(value).items() if key not in self._names}
        else:
            return
        entries = Entries(self.extra_keys, self.extras)
        known: dict[Any, Any] = whole.data if isinstance(whole.data, dict) else {}
        for key, item in held.items():
            data = known.get(key, MADE)
            yield from entries.entry(whole, key, item, key if data is not MADE else None, data)

    @property
    def names(self) -> list[str]:
        """The keys that its objects may have, as a document usually writes them."""
        return [str(field.spellings[0][0]) for field in self.fields]

    def step(self, name: str | int | None) -> Ways | None:
        further: Ways = [((name,), self.extras)] if self.open or self.extras is not None else []
        if name is None:
            there: Ways = [(names, field.shape) for field in self.fields for names in field.spellings]
            if self.kind == "named-tuple":
                there += [((index,), field.shape) for index, field in enumerate(self.fields)]
            return there + further
        if self.kind == "named-tuple":
            found = [f for index, f in enumerate(self.fields) if name in (index, *(s[0] for s in f.spellings))]
            return [((index,), f.shape) for index, f in enumerate(self.fields) if f in found] + [
                (names, f.shape) for f in found for names in f.spellings
            ]
        usual = [field for field in self.fields if field.spellings[0] == (name,)]
        for field in usual or [field for field in self.fields if (name,) in field.spellings]:
            return [(names, field.shape) for names in field.spellings]
        if any(names[0] == name for field in self.fields for names in field.spellings):
            return None  # a step into a path that leads to a field
        if name in self._names or name in self._computed:
            return further  # the name of an attribute, and of nothing that a document may hold
        return further  # a key that is passed over, like one that is forbidden, is in no value


def stored(value: Any, cls: type, name: str) -> Any:
    """An attribute of an instance as it is stored: a class may answer for a name in another way. Raises Misfit."""
    if not isinstance(value, cls):
        raise misfit(value, f"a {cls.__name__}")
    try:
        return value.__dict__[name]
    except (AttributeError, KeyError):
        pass
    try:
        return getattr(value, name)  # a dataclass with slots
    except AttributeError:
        raise Misfit(f"a {type(value).__name__} has no {name!r}; {_REMEDY}") from None


def misfit(value: Any, wanted: str) -> Misfit:
    """`wanted`: with its article."""
    return Misfit(f"a {type(value).__name__} stands where {wanted} should; {_REMEDY}")


_REMEDY: Final = "a validator made it, so put the guard where that stands"


class Items(Structure):
    """A list, tuple, set, frozenset or deque: `first` by position, then `every`, then `last` by position. `ordered`:
    whether its type keeps an order."""

    def __init__(
        self,
        *,
        first: Sequence[Shape] = (),
        every: Shape | None = None,
        last: Sequence[Shape] = (),
        ordered: bool = True,
    ) -> None:
        self.first = tuple(first)
        self.every = every
        self.last = tuple(last)
        self.ordered = ordered
        self.is_bounded = bool(first) and every is None

    @property
    def shapes(self) -> Iterator[Shape]:
        yield from (*self.first, *self.last)
        if self.every is not None:
            yield self.every

    def settle(self) -> None:
        return

    def parts(self, whole: Part, *, guarded: bool) -> Iterator[Part]:
        value, data = whole.value, whole.data
        if not isinstance(value, list | tuple | set | frozenset | deque):
            raise misfit(value, "a list")
        if isinstance(value, set | frozenset):
            yield from self._unordered(whole, guarded=guarded)
            return
        for index, item in enumerate(value):
            shape = self._at(index, len(value))
            if guarded and (shape is None or not shape.guarded):
                continue
            if data is ABSENT or data is DEFAULT:
                yield Part(shape, item, data, (*whole.place, index), whole.exact, (index,))
            elif isinstance(data, list) and len(data) == len(value):
                yield Part(shape, item, data[index], (*whole.place, index), whole.exact, (index,))
            else:
                yield Part(shape, item, MADE, whole.place, False, (index,))

    def _unordered(self, whole: Part, *, guarded: bool) -> Iterator[Part]:
        """The items of a set, by the document's indexes; where these cannot be told, any index means all of them."""
        shape, data = self.every, whole.data
        if guarded and (shape is None or not shape.guarded):
            return
        there = {id(item): _index(data, item) if isinstance(data, list) else None for item in whole.value}
        known = isinstance(data, list) and len(data) == len(whole.value) and None not in there.values()
        any_index = tuple((index,) for index in range(len(data) if isinstance(data, list) else len(whole.value)))
        for item in whole.value:
            index = there[id(item)]
            names, also = ((index,), ()) if known and index is not None else ((-1,), any_index)
            if data is ABSENT or data is DEFAULT:
                yield Part(shape, item, data, whole.place, False, names, also)
            elif index is None:
                yield Part(shape, item, MADE, whole.place, False, names, also)
            else:
                yield Part(shape, item, data[index], (*whole.place, index), whole.exact, names, also)

    def _at(self, index: int, length: int) -> Shape | None:
        if index < len(self.first):
            return self.first[index]
        behind = index - length + len(self.last)
        return self.last[behind] if behind >= 0 else self.every

    def step(self, name: str | int | None) -> Ways | None:
        if isinstance(name, str):
            return []
        if name is None:
            further: Ways = [] if self.is_bounded else [((None,), self.every)]
            return [((index,), shape) for index, shape in enumerate(self.first)] + further
        if name < 0 or self.last:
            return None
        if name < len(self.first):
            return [((name,), self.first[name])]
        return [] if self.is_bounded else [((name,), self.every)]


class Entries(Structure):
    """A mapping. A key is a part, too. `rewrites`: whether a key may become another text than a document has."""

    def __init__(self, keys: Shape | None, values: Shape | None, *, rewrites: bool = False) -> None:
        self.keys = keys
        self.values = values
        self.rewrites = rewrites

    @property
    def shapes(self) -> Iterator[Shape]:
        yield from (shape for shape in (self.keys, self.values) if shape is not None)

    def settle(self) -> None:
        return

    def parts(self, whole: Part, *, guarded: bool) -> Iterator[Part]:
        # Keys that became something else (a number, a date) are those of the document in its order, unless a validator
        # may have changed that.
        keys = () if whole.stirred or not isinstance(whole.value, Mapping) else tuple(whole.value)
        yield from self.entries(whole, keys, guarded=guarded)

    def entries(self, whole: Part, keys: Sequence[Any], *, guarded: bool) -> Iterator[Part]:
        """The parts, where these keys were made of the document's, in its order, if they are as many; any other key can
        only speak for itself. Raises Misfit."""
        value, data = whole.value, whole.data
        if not isinstance(value, Mapping):
            raise misfit(value, "an object")
        known = isinstance(data, dict)
        names = dict(zip(keys, data, strict=True)) if known and len(data) == len(keys) else {}
        for key, item in value.items():
            if data is ABSENT or data is DEFAULT:
                yield from self.entry(whole, key, item, str(key), data, guarded=guarded)
                continue
            name = names[key] if key in names else _written(key, data) if known else None
            held = data[name] if name is not None else MADE
            yield from self.entry(whole, key, item, name, held, guarded=guarded)

    def entry(
        self, whole: Part, key: Any, item: Any, name: str | None, data: Any, *, guarded: bool = False
    ) -> Iterator[Part]:
        """A key, and what stands under it. What is put at the place of an entry does not change its key."""
        place = whole.place if name is None else (*whole.place, name)
        if self.keys is not None and self.keys.guarded:
            yield Part(self.keys, key, MADE, place, False)
        if not guarded or (self.values is not None and self.values.guarded):
            exact = whole.exact and name is not None
            written = str(key) if name is None else name
            # A key that became something else goes by what it became, too.
            texts = [] if type(key) is str and key == written else _texts(key)
            also = tuple((text,) for text in texts if text != written)
            yield Part(self.values, item, data, place, exact, (written,), also)

    def step(self, name: str | int | None) -> Ways | None:
        if isinstance(name, int):
            return []
        return [((name,), self.values)]


_EMPTY: Final = frozenset({list, dict, set, tuple, frozenset, str})
_CONSTANTS: Final = frozenset({*_EMPTY, int, float, bool, bytes})
"""Types of which an equal value is as good as the same; the comparison of any other is its author's own code."""


def _written(key: Any, data: Mapping[str, Any]) -> str | None:
    """How a document writes a key; None where it has none of that name."""
    text = as_text(key)
    return text if text in data else None


def as_text(value: Any) -> str:
    """A scalar as a document writes it in a text: a member of an enum, a date."""
    value = value.value if isinstance(value, Enum) else value
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _texts(key: Any) -> list[str]:
    """The texts by which a path may name a key that is none."""
    texts = [as_text(key)]
    if isinstance(key, bool):
        texts.append(dumps(key))
    elif isinstance(key, float | Decimal) and Decimal(key).is_finite():
        whole = as_whole(key)
        texts.append(str(float(key) if whole is None else whole))
    return texts


def _index(data: list[Any], item: Any) -> int | None:
    """Where a document has an item of a set; None where it stands there in another form, or more than once."""
    there = [index for index, held in enumerate(data) if type(held) is type(item) and held == item]
    return there[0] if len(there) == 1 else None
