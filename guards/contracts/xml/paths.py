"""Which elements answers in XML can have, whatever the contract is made of: to refuse a path that no answer can have.

Elements are told where the contract knows all that may stand there. Where it does not (a wildcard, a dict, a model that
takes further keys), any may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain
from typing import Any, Final, TypeAlias

from guards.contracts.typed.paths import structures
from guards.contracts.typed.shape import Shape, may_move, passes_over
from guards.contracts.typed.structures import Items
from guards.contracts.xml.guide import ANY, MOST_MEMBERS, Guide, kind_of
from guards.contracts.xml.value import ITEM
from guards.errors import ConfigError
from guards.reading.answered_xml import ENTRY, is_name, step
from guards.reading.xml_shape import FREE, SchemaShape
from guards.reading.xpath import Step, plain_xpath, reads_keys, reads_names

__all__ = ["Held", "Node", "check_spellings", "check_xpath", "in_schema", "in_type", "in_xml_schema"]

Node: TypeAlias = "tuple[Any, bool]"
"""What the contract says of an element. Of data also whether a list there has `<item>`s: else the element is one of
its items. Of XML whether it stands for a type that it is derived from."""


@dataclass(slots=True)
class Held:
    """What an element can hold: the children that stand together, by their names, with what any further one is (None:
    there is none); and the attributes, perhaps any."""

    forms: list[tuple[Mapping[str, Sequence[Node]], Node | None]] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    any_attribute: bool = False

    def add(self, other: Held) -> None:
        self.forms += other.forms
        self.attributes |= other.attributes
        self.any_attribute |= other.any_attribute

    @property
    def names(self) -> set[str]:
        """As steps of a path."""
        return {_step(name) for children, _ in self.forms for name in children} | {f"@{one}" for one in self.attributes}

    @property
    def has_fields(self) -> bool:
        """Whether some child has a name that the contract knows, and its answer may yet write as an entry."""
        return any(not in_list for children, _ in self.forms for _, in_list in chain(*children.values()))

    @property
    def nodes(self) -> list[Node]:
        return [node for children, further in self.forms for node in (*chain(*children.values()), further) if node]

    def named(self, name: str | None) -> list[Node]:
        """The children that a step of a path means. An entry without a key may be any that has no name of XML."""
        if name is None:
            return self.nodes
        found: list[Node] = []
        for children, further in self.forms:
            meant = [name, *(key for key in children if name == ENTRY != key and not is_name(key))]
            known = [node for key in meant for node in children.get(key, ())]
            found += known or ([further] if further else [])
        return found


def check_xpath(path: str, where: str, roots: Mapping[str, Node], held: Callable[[Node], Held]) -> None:
    """`ConfigError` for a plain path that leads nowhere whatever the answer is."""
    for _ in _walked(path, where, roots, held):
        pass


def check_spellings(path: str, where: str, roots: Mapping[str, Node], held: Callable[[Node], Held]) -> None:
    """The same where an answer may write its names in several ways; and for a path that reads them in a way which does
    not fit them all."""
    if reads_names(path):
        raise ConfigError(
            f"{path!r} reads the names of elements, which answers may spell in several ways",
            where=where,
            hint="name the elements, or compare as a whole: *[name() = 'total' or name() = 'sum']",
        )
    document = Held([({name: [node] for name, node in roots.items()}, None)])
    told = list(_walked(path, where, roots, held))
    unclear = any(step.keyed is None for step, _ in told) if told else reads_keys(path)
    near = [one for step, here in told if step.keyed for one in here]
    if any(one.has_fields for one in (_all_below([document], held) if unclear else near)):
        raise ConfigError(
            f"{path!r} reads keys of entries where answers may write them as names of elements",
            where=where,
            hint="name each one alone: //entry[@key='unit price'] | //entry[@key='x']",
        )


def _walked(
    path: str, where: str, roots: Mapping[str, Node], held: Callable[[Node], Held]
) -> Iterator[tuple[Step, Sequence[Held]]]:
    """Each step of a plain path with all that the elements may be in which it looks. Raises `ConfigError` for one that
    leads nowhere."""
    document = Held([({name: [node] for name, node in roots.items()}, None)])
    here = [document]
    for number, at in enumerate(plain_xpath(path) or ()):
        if at.deep:
            here = _all_below(here, held)
        if at.kind == "self" and not number:
            here = [held(node) for node in document.nodes]
        yield at, here
        if at.kind == "attribute":
            if any(one.any_attribute or at.name in one.attributes for one in here):
                continue
            further = [one for one in here if at.name is None and one.attributes]
        elif at.kind == "element":
            further = [held(node) for one in here for node in one.named(at.name)]
        else:
            continue
        if not further:
            raise _leads_nowhere(path, where, at, here, document, held)
        here = further


def _all_below(here: Sequence[Held], held: Callable[[Node], Held]) -> list[Held]:
    found = list(here)
    seen: set[tuple[int, bool]] = set()
    for one in found:  # grows while it is walked
        for thing, inside in one.nodes:
            if (id(thing), inside) not in seen:
                seen.add((id(thing), inside))
                found.append(held((thing, inside)))
    return found


_SHOWN: Final = 5


def _leads_nowhere(
    path: str, where: str, at: Step, here: Sequence[Held], document: Held, held: Callable[[Node], Held]
) -> ConfigError:
    key = at.name if at.name is not None else "*"
    shown = f"@{key}" if at.kind == "attribute" else key
    name = shown if at.kind == "attribute" else _step(key)
    there = sorted({key for one in here for key in one.names})
    anywhere = sorted({key for one in _all_below([document], held) for key in one.names})
    if name in document.names:
        hint = f"the root is /{name}"
    elif name in anywhere:
        hint = f"wherever it stands, it is //{name}"
    else:
        near = get_close_matches(name, there, _SHOWN) or get_close_matches(name, anywhere, _SHOWN) or there or anywhere
        hint = f"known names are {', '.join(near[:_SHOWN])}"
    return ConfigError(
        f"{path!r} leads nowhere: no answer by this contract has {shown!r} there", where=where, hint=hint
    )


def _step(name: str) -> str:
    return step(name).removeprefix("/")


# -- what the contracts say ------------------------------------------------------------------------------------------


def in_type(shape: Shape) -> tuple[Node, Callable[[Node], Held]]:
    """Of a Python type."""

    def held(node: Node) -> Held:
        shape, inside = node
        inner = structures(shape)
        # Where a model passes over keys, its author's code may have taken them before.
        found = Held([({}, _UNSAID)] if inner is None or (passes_over(shape) and may_move(shape)) else [])
        for one in inner or ():
            children: dict[str, list[Node]] = {}
            further: Node | None = None
            ways = one.step(None) or ()
            is_list = isinstance(one, Items) or any(isinstance(way[0], int) for way, _ in ways)
            for way, part in ways:
                if not is_list and way[0] is None:
                    further = (part, False)
                elif not is_list:
                    children.setdefault(str(way[0]), []).append((part, False) if len(way) == 1 else _UNSAID)
                elif not isinstance(way[0], str):  # a NamedTuple is written as a list
                    found.add(Held([({ITEM: [(part, True)]}, None)]) if inside else held((part, True)))
            found.forms.append((children, further))
        return found

    return (shape, True), held


_UNSAID: Final[Node] = (None, False)


def in_schema(guide: Guide) -> tuple[Node, Callable[[Node], Held]]:
    """Of a JSON Schema."""

    def held(node: Node) -> Held:
        schema, inside = node
        found = Held()
        members = guide.members(schema)
        for member in members:
            kind = kind_of(member)
            if kind == "array":
                for item in guide.every_item(member):
                    found.add(Held([({ITEM: [(item, True)]}, None)]) if inside else held((item, True)))
            elif kind == "object":
                properties = member.get("properties") or ANY
                rest = member.get("additionalProperties", ANY)
                children = {name: [(inner, False)] for name, inner in properties.items()}
                found.forms.append((children, None if rest is False else (rest, False)))
                found.forms += [({}, (inner, False)) for inner in (member.get("patternProperties") or ANY).values()]
            elif kind is None:
                found.forms.append(({}, (ANY, False)))
        if len(members) >= MOST_MEMBERS:  # there may be more
            found.forms.append(({}, (ANY, False)))
        return found

    return (guide.schema, True), held


def in_xml_schema(schema: SchemaShape) -> Callable[[Node], Held]:
    """Of an XML Schema or RELAX NG grammar."""

    def held(node: Node) -> Held:
        shape, is_derived = node
        found = Held(
            [({_local(key): [(child, False)] for key, (child, _) in shape.children.items()}, None)],
            {_local(key) for key in shape.attributes},
            shape.free or shape.any_attribute,
        )
        if shape.free or shape.wildcards:
            found.forms.append(({}, (FREE, False)))
        # What an `xsi:type` may put in its place; of one of XML Schema's own types any type with text may be made.
        for other in () if is_derived else (*shape.derived, *(texts if shape.simple else ())):
            found.add(held((other, True)))
        return found

    texts = [shape for shape in schema.types.values() if shape.text is not None]
    return held


def _local(key: str) -> str:
    return key.rpartition("}")[2]
