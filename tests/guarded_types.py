"""Random types with guards everywhere: one maker for each kind of type, and who may stand inside whom.

What a drawn place is and does says `guarded_places`.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import itertools
import pathlib
import re
import uuid
from collections import abc
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, NewType

import pydantic
import pydantic_core
from guarded_places import (
    OWN_SCHEMAS,
    Absent,
    Alias,
    Bag,
    Box,
    Boxed,
    Crate,
    Default,
    Draw,
    Flavour,
    Hidden,
    Itself,
    JsonKind,
    JsonText,
    Leaf,
    Many,
    Map,
    Member,
    NamedAlias,
    NamedRow,
    Nullable,
    OneOf,
    Own,
    Place,
    Plain,
    Record,
    Root,
    Row,
    Skipped,
    Validated,
    Watched,
    places_in,
)
from hypothesis import strategies as st
from pydantic import AliasChoices, AliasPath, Field, StringConstraints


class Tone(enum.Enum):
    CALM = "calm"
    LOUD = "loud"
    ONE = 1


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Word(str, enum.Enum):
    YES = "yes"
    NO = "no"


class Opaque:
    """A class of which pydantic knows nothing."""

    def __repr__(self) -> str:
        return "Opaque()"  # pydantic copies defaults that hold one


Name = NewType("Name", str)

texts = st.text(alphabet='ab é"\\<&{1', max_size=4)
names = st.text(alphabet="abc", min_size=1, max_size=3)
integers = st.integers(-5, 10**12)
floats = st.floats(allow_nan=False, allow_infinity=False, width=16)
json_data = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=3,
)
decimals = st.decimals(-99, 99, places=2).map(str)


def listed(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def iso(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return strategy.map(lambda value: value.isoformat())


@dataclass(frozen=True)
class Scalar:
    """A leaf of a type. `key`: it may be a key of an object; `calm`: strict Python input of its JSON form is taken;
    `xml`: what stands in an element comes back."""

    type: Any
    documents: st.SearchStrategy[Any]
    kinds: tuple[type, ...] | None
    hashable: bool = True
    key: bool = False
    calm: bool = False
    xml: bool = False


SCALARS: dict[str, Scalar] = {
    "str": Scalar(str, texts, (str,), key=True, calm=True, xml=True),
    "int": Scalar(int, integers, (int,), key=True, calm=True, xml=True),
    "float": Scalar(float, floats | st.integers(-9, 9), (float,), calm=True, xml=True),
    "bool": Scalar(bool, st.booleans(), (bool,), key=True, calm=True, xml=True),
    "none": Scalar(type(None), st.none(), (type(None),), calm=True),
    "any": Scalar(Any, json_data, None, hashable=False, calm=True),
    "object": Scalar(object, json_data, None, hashable=False, calm=True),
    "decimal": Scalar(decimal.Decimal, decimals | st.integers(-9, 9), (decimal.Decimal,), key=True, xml=True),
    "bytes": Scalar(bytes, names, (bytes,), key=True),
    "date": Scalar(dt.date, iso(st.dates()), (dt.date,), key=True, xml=True),
    "time": Scalar(dt.time, iso(st.times()), (dt.time,), xml=True),
    "datetime": Scalar(dt.datetime, iso(st.datetimes()), (dt.datetime,), xml=True),
    "timedelta": Scalar(dt.timedelta, listed("PT1S", "P1DT2H"), (dt.timedelta,)),
    "literal": Scalar(Literal["a", "b", 1], listed("a", "b", 1), (str, int), calm=True),
    "enum": Scalar(Tone, listed("calm", "loud", 1), (Tone,), xml=True),
    "int_enum": Scalar(Rank, listed(1, 2), (Rank,), xml=True),
    "str_enum": Scalar(Word, listed("yes", "no"), (Word,), key=True, xml=True),
    "uuid": Scalar(uuid.UUID, st.uuids().map(str), (uuid.UUID,), key=True, xml=True),
    "complex": Scalar(complex, listed("1+2j", 1.5, "2"), (complex,)),
    "fraction": Scalar(fractions.Fraction, listed("1/2", 2, "7"), (fractions.Fraction,)),
    "url": Scalar(pydantic.AnyUrl, listed("http://a.b/c", "https://x.org/"), None),
    "http_url": Scalar(pydantic.HttpUrl, listed("http://a.b/c", "https://x.org/"), None),
    "dsn": Scalar(pydantic.PostgresDsn, listed("postgres://u:p@h/db"), None),
    "ip": Scalar(ipaddress.IPv4Address, listed("1.2.3.4", "127.0.0.1"), (ipaddress.IPv4Address,)),
    "network": Scalar(ipaddress.IPv6Network, listed("::1/128"), (ipaddress.IPv6Network,)),
    "path": Scalar(pathlib.Path, listed("a/b", "."), (pathlib.Path,)),
    "pattern": Scalar(re.Pattern[str], listed("a+", "b"), (re.Pattern,)),
    "secret_str": Scalar(pydantic.SecretStr, names, (pydantic.SecretStr,), hashable=False),
    "secret_bytes": Scalar(pydantic.SecretBytes, names, (pydantic.SecretBytes,), hashable=False),
    "byte_size": Scalar(pydantic.ByteSize, st.integers(0, 9) | listed("2KB"), (int,)),
    "base64": Scalar(pydantic.Base64Str, listed("YQ==", "YmI="), (str,)),
    "hashable": Scalar(Hashable, texts | integers, None),
    "json_any": Scalar(pydantic.Json, listed("[1]", '{"a": "b"}', "null"), None, hashable=False),
    "instance_of": Scalar(pydantic.InstanceOf[int], integers, (int,)),
    "new_type": Scalar(Name, texts, (str,), key=True, calm=True, xml=True),
    "short_str": Scalar(
        Annotated[str, Field(min_length=1, max_length=9)], names, (str,), key=True, calm=True, xml=True
    ),
    "upper_str": Scalar(Annotated[str, StringConstraints(to_upper=True)], names, (str,), key=True, calm=True, xml=True),
    "bounded_int": Scalar(Annotated[int, Field(ge=-5, le=10**12)], integers, (int,), calm=True, xml=True),
    "lax_int": Scalar(Annotated[int, Field(strict=False)], integers, (int,), calm=True, xml=True),
    "strict_str": Scalar(pydantic.StrictStr, texts, (str,), key=True, calm=True, xml=True),
}

MARK: Final = "§"
"""The first character of each text of the streamed types: every one of them is guarded."""
MARKED: Final = listed(f"{MARK}fine.", f"{MARK}evil one.", f"{MARK}EVIL.", f"{MARK}a longer text. And more")


# No two types share a guard: pydantic keeps generic classes by their arguments, and takes `A | B` for `B | A`.
GUARDS: Final = itertools.count(1)


@dataclass(frozen=True)
class Want:
    """What a type must be where it is wanted."""

    hashable: bool = False
    key: bool = False
    calm: bool = False
    xml: bool = False
    marked: bool = False
    eager: bool = False
    """No iterator within: there is a default value, which pydantic leaves as it is."""


@dataclass(frozen=True)
class Maker:
    """Makes a place of one kind; what may be asked of it beside."""

    make: Callable[[Types, int, Want], Place]
    hashable: bool = False
    calm: bool = False
    xml: bool = False
    eager: bool = True
    marked: bool = True


class Types:
    """The source of chance for one type."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def watched(self, place: Place, want: Want = Want()) -> Place:
        """The place with a guard, nearly always."""
        if not want.marked and not self.chance(90):
            return place
        return Watched(place, next(GUARDS))

    def place(self, depth: int, want: Want = Want()) -> Place:
        """A guarded place of any kind that is what is wanted."""
        fitting = [] if depth <= 0 or want.key else [name for name in MAKERS if fits(MAKERS[name], want)]
        if not fitting or self.chance(40):
            return self.leaf(want)
        return self.watched(MAKERS[self.draw(st.sampled_from(fitting))].make(self, depth - 1, want), want)

    def leaf(self, want: Want = Want()) -> Place:
        if want.marked and self.chance(70):
            return self.watched(Leaf(str, MARKED, (str,)), want)
        fitting = [name for name, scalar in SCALARS.items() if scalar_fits(scalar, want) and name not in UNAVAILABLE]
        if want.marked:
            fitting = [name for name in fitting if not any(kind is str for kind in SCALARS[name].kinds or (str,))]
        return self.watched(self.scalar("str" if not want.marked and self.chance(30) else self.one_of(*fitting)), want)

    def scalar(self, name: str) -> Leaf:
        scalar = SCALARS[name]
        return Leaf(scalar.type, scalar.documents, scalar.kinds)

    def of(self, kind: str, want: Want = Want()) -> Place:
        """A guarded place of one kind."""
        return self.watched(self.scalar(kind) if kind in SCALARS else MAKERS[kind].make(self, 2, want), want)

    def record(self, depth: int, want: Want, flavour: Flavour, **options: Any) -> Record:
        return make_record(self, depth, want, flavour, **options)


def fits(maker: Maker, want: Want) -> bool:
    return all(getattr(maker, one) for one in ("hashable", "calm", "xml", "eager", "marked") if getattr(want, one))


def scalar_fits(scalar: Scalar, want: Want) -> bool:
    return all(getattr(scalar, one) for one in ("hashable", "key", "calm", "xml") if getattr(want, one))


# -- containers -----------------------------------------------------------------------------------------------------


def many(form: Callable[[Any], Any], *made: type, bare: Any = None, hashable: bool = False, **options: Any) -> Maker:
    def make(types: Types, depth: int, want: Want) -> Place:
        wanted = replace(want, hashable=want.hashable or hashable)
        return Many(types.place(depth, wanted), form, made, bare)

    return Maker(make, hashable=made in ((tuple,), (frozenset,)), **options)


def row(types: Types, depth: int, want: Want) -> Place:
    return Row([types.place(depth, want) for _ in range(types.draw(st.integers(1, 3)))])


def named_row(types: Types, depth: int, want: Want) -> Place:
    # Names that a tuple has methods of, too.
    fields = types.one_of(["count"], ["index", "count"], ["a", "b", "c"])
    return NamedRow(fields, [types.place(depth, want) for _ in fields])


KEY: Final = Want(hashable=True, key=True)


def key_of(types: Types, want: Want) -> Place:
    wanted = replace(want, hashable=True, key=True)
    if not want.marked and not want.calm and types.chance(15):
        return types.watched(OneOf([types.watched(types.scalar("int")), types.watched(types.scalar("str"))]))
    return types.leaf(wanted)


def mapping(form: Callable[[Any], Any], made: type, *, by_key_alone: bool = False, **options: Any) -> Maker:
    def make(types: Types, depth: int, want: Want) -> Place:
        key = key_of(types, want)
        return Map(key, None if by_key_alone else types.place(depth, replace(want, hashable=False)), form, made)

    return Maker(make, **options)


def default_dict(types: Types, depth: int, want: Want) -> Place:
    # pydantic validates its values twice, and takes the first `Field` that it finds for the one with the factory.
    calm = replace(want, calm=True, hashable=False)
    item = types.leaf(calm) if types.chance(50) else MAKERS["list"].make(types, 0, calm)
    form = collections.defaultdict
    return Map(
        types.leaf(replace(calm, hashable=True, key=True)),
        Alias(item),
        lambda key, item: form[key, Annotated[item, Field(default_factory=list)]],
        form,
    )


# -- unions and what is wrapped around a type -----------------------------------------------------------------------


def union(types: Types, depth: int, want: Want) -> Place:
    return OneOf([types.place(depth, want) for _ in range(types.draw(st.integers(2, 3)))], types.one_of(None, "left"))


def equal_members(types: Types, depth: int, want: Want) -> Place:
    """Members that differ in their guards alone."""
    fitting = [name for name, maker in MAKERS.items() if fits(maker, want) and name in CONTAINERS]
    kind = "str" if want.marked or not fitting or depth <= 0 or types.chance(50) else types.one_of(*fitting)
    if kind == "str":
        return OneOf([types.watched(types.leaf(replace(want, key=False))) for _ in range(2)])
    return OneOf([types.watched(MAKERS[kind].make(types, depth - 1, want)) for _ in range(2)])


def with_int(kind: str) -> Callable[[Types, int, Want], Place]:
    def make(types: Types, depth: int, want: Want) -> Place:
        members = [types.watched(MAKERS[kind].make(types, depth, want), want), types.watched(types.scalar("int"), want)]
        return OneOf(members if types.chance(50) else members[::-1])

    return make


def tagged(types: Types, depth: int, want: Want) -> Place:
    flavours: list[Flavour] = ["model", "dataclass", "typed_dict", "pydantic_dataclass"]
    members = [
        types.watched(types.record(depth, want, types.one_of(*flavours), kind=kind), want)
        for kind in ("x", "y", "z")[: types.draw(st.integers(2, 3))]
    ]
    return OneOf(members, "kind")


def tagged_by_function(types: Types, depth: int, want: Want) -> Place:
    members = {
        "int": types.scalar("int"),
        "str": Leaf(str, MARKED if want.marked else texts, (str,)),
        "list": MAKERS["list"].make(types, depth, want),
        "dict": types.record(depth, want, types.one_of("model", "typed_dict", "dataclass")),
    }
    tags = types.draw(st.lists(st.sampled_from(sorted(members)), min_size=2, unique=True))
    return OneOf([types.watched(members[tag], want) for tag in tags], JsonKind(tags))


def around(wrap: Callable[[Types, Place], Place], **wanted: bool) -> Callable[[Types, int, Want], Place]:
    def make(types: Types, depth: int, want: Want) -> Place:
        return wrap(types, types.place(depth, replace(want, **wanted)))

    return make


def is_text(place: Place) -> bool:
    while isinstance(place, Watched):
        place = place.held
    return isinstance(place, Leaf) and place.type is str


def json_text(types: Types, place: Place) -> Place:
    # `Json` of a plain `Json` is for pydantic no more than that.
    plain = not is_text(place) and any(one.type is pydantic.Json for one in places_in(place) if isinstance(one, Leaf))
    return JsonText(Row([place]) if plain else place)


def before(types: Types, place: Place) -> Place:
    return Validated(place, "before", types.one_of(*(["upper"] if is_text(place) else ["keep", "copy"])))


def after(types: Types, place: Place) -> Place:
    return Validated(place, "after", types.one_of("keep", "upper", "copy", *(["turn"] * 3 if may_turn(place) else [])))


def may_turn(place: Place) -> bool:
    while isinstance(place, Watched):
        place = place.held
    return (isinstance(place, Many) and place.made == (list,)) or (isinstance(place, Map) and place.made is dict)


def wrap(types: Types, place: Place) -> Place:
    return Validated(place, "wrap", types.one_of("keep", "upper", "copy", *(["turn"] * 3 if may_turn(place) else [])))


def reshape(types: Types, place: Place) -> Place:
    return Validated(place, types.one_of("after", "wrap") if is_calm(place) else "after", "reshape")


def is_calm(place: Place) -> bool:
    return is_text(place)


def text(types: Types, want: Want) -> Leaf:
    return Leaf(str, MARKED if want.marked else texts, (str,))


def plain(types: Types, depth: int, want: Want) -> Place:
    return Plain(text(types, want), types.one_of("keep", "upper"))


def plain_over_guard(types: Types, depth: int, want: Want) -> Place:
    return Plain(Watched(text(types, want), next(GUARDS)), types.one_of("keep", "upper"))


def skipped(types: Types, depth: int, want: Want) -> Place:
    return Skipped(text(types, want))


def skipped_over_guard(types: Types, depth: int, want: Want) -> Place:
    return Skipped(Watched(text(types, want), next(GUARDS)))


def own(kind: str) -> Callable[[Types, int, Want], Place]:
    def wrap(types: Types, place: Place) -> Place:
        return Nullable(place) if kind == "nullable" else Own(place, kind)

    return around(wrap)


# -- classes with named members -------------------------------------------------------------------------------------

POOL: Final = ["title", "name", "headline", "text", "meta", "label"]
HOSTILE: Final = ["model_fields_set", "model_config", "__class__", "model_extra", "__dict__", "zz"]


def aliased(
    types: Types, name: str, other: str, index: int, want: Want
) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """How a field is named: the arguments of `Field`, and the paths that they accept."""
    deep, indexed = AliasPath("outer", other), AliasPath("parts", index)
    styles: list[tuple[dict[str, Any], list[tuple[Any, ...]]]] = [
        ({}, []),
        ({"alias": other}, [(other,)]),
        ({"validation_alias": other}, [(other,)]),
        ({"alias": "unread", "validation_alias": other, "serialization_alias": "written"}, [(other,)]),
        ({"validation_alias": AliasChoices(other, f"{other}_2")}, [(other,), (f"{other}_2",)]),
        ({"validation_alias": deep}, [("outer", other)]),
        ({"validation_alias": indexed}, [("parts", index)]),
        ({"validation_alias": AliasChoices(other, deep, indexed)}, [(other,), ("outer", other), ("parts", index)]),
    ]
    return types.one_of(*(styles[:3] if want.xml else styles))


def make_record(
    types: Types,
    depth: int,
    want: Want,
    flavour: Flavour,
    *,
    kind: str | None = None,
    extra: bool | None = None,
    recursive: bool = False,
    **options: Any,
) -> Record:
    validator = types.one_of("", "", "before", "after", "rewrite", "wrap", "copy") if flavour == "model" else ""
    # Strict mode takes no JSON forms from a validator that was handed the data before.
    inside = replace(want, calm=want.calm or validator in ("before", "wrap", "copy"))
    config, by_alias, by_name = types.one_of(*(NAMINGS[:1] if want.xml else NAMINGS))
    count = types.draw(st.integers(1, 3))
    field_names = types.draw(st.permutations(POOL))[:count]
    other_names = types.draw(st.permutations(POOL))[:count]
    members = [Member("kind", Leaf(Literal[kind], st.just(kind), (str,)), {}, [("kind",)])] if kind else []
    for index, (name, other) in enumerate(zip(field_names, other_names, strict=True)):
        alias, paths = aliased(types, name, other, index, want)
        if (
            not paths
            and (name,) in [member.spellings[0] for member in members]
            or (paths and paths[0] in [member.spellings[0] for member in members])
        ):
            alias, paths = {"alias": f"only_{name}"}, [(f"only_{name}",)]
        spellings = [*(paths if by_alias else ()), *([(name,)] if by_name or not paths else ())]
        members.append(Member(name, types.place(depth, inside), alias, spellings))
        if types.chance(30) and flavour != "typed_dict":
            defaulted(types, members[-1], inside, depth)
        elif flavour == "typed_dict" and types.chance(30):
            members[-1].default = Default()  # not required
    record = Record(flavour, members, dict(config), **options)
    with_extras(types, record, depth, inside, extra)
    if recursive:
        recur(types, record, want)
    if flavour in ("dataclass", "pydantic_dataclass"):
        record.slots = types.chance(30)
    if flavour == "model":
        record.inherits = types.chance(20) and not recursive
        record.validator = validator
    if flavour == "typed_dict":
        record.optional_by_total = types.chance(30)
    record.is_frozen = (want.hashable or types.chance(10)) and flavour != "typed_dict"
    return record


NAMINGS: Final[list[tuple[dict[str, Any], bool, bool]]] = [
    ({}, True, False),
    ({"populate_by_name": True}, True, True),
    ({"validate_by_name": True}, True, True),
    ({"validate_by_name": True, "validate_by_alias": False}, False, True),
]


def defaulted(types: Types, member: Member, want: Want, depth: int) -> None:
    """A default value, made of a document of the member's own."""
    if any(isinstance(place, Many) and place.bare for place in places_in(member.place)):
        member.place = types.place(depth, replace(want, eager=True))
    member.default = Default(member.place.document(types.draw), by_factory=types.chance(50))


def with_extras(types: Types, record: Record, depth: int, want: Want, extra: bool | None) -> None:
    """What the class does with keys that are no member's."""
    if want.xml or record.flavour in ("dataclass", "pydantic_dataclass"):
        policy = types.one_of("ignore", "forbid")
    else:
        policy = "typed" if extra else types.one_of("ignore", "forbid", "allow", "typed")
    if policy == "typed" and record.flavour == "typed_dict" and not HAS_EXTRA_ITEMS:
        policy = "ignore"
    place = types.place(min(depth, 1), replace(want, hashable=False)) if policy == "typed" else None
    if record.flavour == "model" or policy in ("allow", "forbid"):
        record.config["extra"] = "allow" if policy == "typed" else policy
    if record.flavour == "typed_dict" and policy == "typed":
        record.config.pop("extra", None)
    record.extra = place
    if policy != "forbid" and not want.xml:
        # The value of a TypedDict is by names: there an unread name would stand in its field's place.
        own = {member.name for member in record.members} if record.flavour == "typed_dict" else set()
        record.others = dict.fromkeys([key for key in (*HOSTILE, *POOL) if key not in own], place)


def recur(types: Types, record: Record, want: Want) -> None:
    """Members that hold the record's own kind."""
    again = types.watched(Itself(record), want)
    lists = Many(again, lambda item: list[item], (list,))
    record.members.append(Member("next", Nullable(again), {}, [("next",)], Default(value=None, is_given=True)))
    record.members.append(Member("more", types.watched(lists, want), {}, [("more",)]))


def recursive_alias(types: Types, depth: int, want: Want) -> Place:
    whole = NamedAlias()
    again = types.watched(Itself(whole), want)
    more = types.one_of(
        Many(again, lambda item: list[item], (list,)),
        Map(types.leaf(replace(want, hashable=True, key=True)), again, lambda key, item: dict[key, item], dict),
    )
    whole.held = OneOf([types.leaf(replace(want, hashable=False)), types.watched(more, want)])
    return whole


def records(flavour: Flavour, **options: Any) -> Callable[[Types, int, Want], Place]:
    return lambda types, depth, want: types.record(depth, want, flavour, **options)


def standing(value: Callable[[], Any], annotation: Any, kinds: tuple[type, ...] | None = None) -> Maker:
    """A model with a field that no document can hold: its default stands there."""

    def make(types: Types, depth: int, want: Want) -> Place:
        record = types.record(depth, want, "model")
        record.config["arbitrary_types_allowed"] = True
        place = types.watched(Leaf(annotation, None, kinds), want)
        record.members.append(Member("stands", place, {}, [("stands",)], Default(value=value(), is_given=True)))
        record.members[-1].default.by_factory = True  # type: ignore[union-attr]
        return record

    return Maker(make, marked=False)


def absent(types: Types, depth: int, want: Want) -> Place:
    record = types.record(depth, want, "model")
    place = Absent(types.watched(types.scalar("int"), want), MISSING)
    record.members.append(Member("gone", place, {}, [("gone",)], Default(value=MISSING, is_given=True)))
    return record


def _missing() -> Any:
    found = getattr(pydantic, "MISSING", None)
    if found is None:
        try:
            import warnings

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from pydantic.experimental.missing_sentinel import MISSING as found  # noqa: N811
        except ImportError:
            return None
    return found


MISSING: Final = _missing()
HAS_EXTRA_ITEMS: Final = "extras_schema" in pydantic_core.core_schema.TypedDictSchema.__annotations__ and tuple(
    int(part) for part in pydantic.VERSION.split(".")[:2]
) >= (2, 12)
UNAVAILABLE: Final = frozenset[str]()

CALM_XML: Final = {"calm": True, "xml": True}

MAKERS: dict[str, Maker] = {
    "list": many(lambda item: list[item], list, **CALM_XML),
    "sequence": many(lambda item: abc.Sequence[item], list, calm=True, xml=True),
    "mutable_sequence": many(lambda item: abc.MutableSequence[item], list, xml=True),
    "tuple": many(lambda item: tuple[item, ...], tuple, xml=True),
    "deque": many(lambda item: collections.deque[item], collections.deque, xml=True),
    "set": many(lambda item: set[item], set, hashable=True, xml=True),
    "frozenset": many(lambda item: frozenset[item], frozenset, hashable=True, xml=True),
    "abstract_set": many(lambda item: abc.Set[item], frozenset, set, hashable=True),
    "iterable": many(lambda item: abc.Iterable[item], list, bare=lambda item: list[item], eager=False),
    "generator": many(lambda item: abc.Generator[item, None, None], list, bare=lambda item: list[item], eager=False),
    "row": Maker(row, hashable=True),
    "named_tuple": Maker(named_row, hashable=True),
    "dict": mapping(lambda key, item: dict[key, item], dict, **CALM_XML),
    "mapping": mapping(lambda key, item: abc.Mapping[key, item], dict),
    "mutable_mapping": mapping(lambda key, item: abc.MutableMapping[key, item], dict),
    "ordered_dict": mapping(lambda key, item: collections.OrderedDict[key, item], dict),
    "default_dict": Maker(default_dict),
    "counter": mapping(lambda key: collections.Counter[key], dict, by_key_alone=True),
    "nullable": Maker(around(lambda types, place: Nullable(place)), hashable=True, **CALM_XML),
    "union": Maker(union, hashable=True, calm=True),
    "equal_members": Maker(equal_members, calm=True),
    "typed_dict_or_int": Maker(with_int("typed_dict"), calm=True, xml=True),
    "json_or_int": Maker(with_int("json")),
    "validated_or_int": Maker(with_int("after")),
    "tagged": Maker(tagged, calm=True, xml=True),
    "tagged_by_function": Maker(tagged_by_function),
    "json": Maker(around(json_text), hashable=True),
    "secret": Maker(around(lambda types, place: Hidden(place))),
    "before": Maker(around(before, calm=True), hashable=True, calm=True, xml=True),
    "after": Maker(around(after), hashable=True, calm=True, xml=True),
    "wrap": Maker(around(wrap, calm=True), hashable=True, calm=True, xml=True),
    "reshape": Maker(around(reshape), marked=False),
    "plain": Maker(plain, hashable=True, calm=True),
    "plain_over_guard": Maker(plain_over_guard, hashable=True, calm=True, marked=False),
    "skipped": Maker(skipped, hashable=True),
    "skipped_over_guard": Maker(skipped_over_guard, hashable=True, marked=False),
    **{f"own_{kind}": Maker(own(kind)) for kind in OWN_SCHEMAS},
    "alias": Maker(around(lambda types, place: Alias(place)), hashable=True, **CALM_XML),
    "box": Maker(around(lambda types, place: Boxed(place, Box)), calm=True),
    "crate": Maker(around(lambda types, place: Boxed(place, Crate)), calm=True),
    "bag": Maker(around(lambda types, place: Boxed(place, Bag)), calm=True),
    "recursive_alias": Maker(recursive_alias),
    "root_model": Maker(around(lambda types, place: Root(place)), calm=True, xml=True),
    "model": Maker(records("model"), hashable=True, **CALM_XML),
    "model_with_extras": Maker(records("model", extra=True), calm=True),
    "dataclass": Maker(records("dataclass"), hashable=True, **CALM_XML),
    "pydantic_dataclass": Maker(records("pydantic_dataclass"), hashable=True, **CALM_XML),
    "typed_dict": Maker(records("typed_dict"), **CALM_XML),
    "typed_dict_with_extras": Maker(records("typed_dict", extra=True), calm=True),
    "recursive_model": Maker(records("model", recursive=True), calm=True, xml=True),
    "recursive_dataclass": Maker(records("dataclass", recursive=True), calm=True),
    "recursive_pydantic_dataclass": Maker(records("pydantic_dataclass", recursive=True), calm=True),
    "recursive_typed_dict": Maker(records("typed_dict", recursive=True), calm=True),
    "callable": standing(lambda: print, abc.Callable[..., Any]),
    "subclass": standing(lambda: Rank, type[int]),
    "instance": standing(Opaque, Opaque, (Opaque,)),
}
CONTAINERS: Final = frozenset({"list", "tuple", "dict", "model", "typed_dict", "dataclass"})
if MISSING is not None:
    MAKERS["missing"] = Maker(absent)
if "ellipsis" in str(pydantic_core.core_schema.CoreSchemaType):
    import types as _types

    MAKERS["ellipsis"] = standing(lambda: ..., _types.EllipsisType)

REFUSABLE: Final[dict[type[Place], str]] = {
    Plain: "a guard before a PlainValidator stands in a type that pydantic does not ask",
    Skipped: "a guard under SkipValidation stands in a type that pydantic does not ask",
    Hidden: "a guard inside of Secret[...] stands in an object that hides its value",
}
"""Wrappers inside of which a guard may be an error where it is written, and why."""


def may_be_refused(place: Place) -> bool:
    """Whether the type may be a `ConfigError`: a guard stands where the library need not follow."""
    return any(isinstance(one, tuple(REFUSABLE)) and holds_guards(one) for one in places_in(place))


def may_fail(place: Place) -> bool:
    """Whether a good answer may be `guard.failed`: a guard stands below a validator that gives another shape."""
    return any(isinstance(one, Validated) and one.reshapes and holds_guards(one) for one in places_in(place))


def holds_guards(place: Place) -> bool:
    return any(isinstance(one, Watched) for one in places_in(place))
