"""What an XPath names of data that was answered in XML: the same, in whichever accepted spelling the answer came.

So it is never asked of the answer's own tree, whose author chose among the spellings: a name or `<entry key="...">`,
any alias, an element around a union's member, the member's name for the root, `<item>`s, absence for null or a default.
A tree is written of what is delivered, and each element goes by all the names that it could have had.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lxml import etree
from pydantic import RootModel

from guards.contracts.typed.parts import Lost, Places, named_by
from guards.contracts.typed.structures import Misfit, Part
from guards.contracts.typed.views import SeenList, SeenObject, below, forms
from guards.contracts.xml.guide import Schema, listed
from guards.contracts.xml.value import ITEM, leaf_text
from guards.reading.answered_xml import ENTRY, AnsweredXml, is_name
from guards.reading.document import Place
from guards.reading.xml_document import elements_of
from guards.reading.xpath import BARE, MARKS, NULL, in_marks, mark

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["members_called", "selected"]


def selected(whole: Part, notes: Notes, document: AnsweredXml, path: str, roots: Sequence[str]) -> list[Part]:
    """The parts that an XPath names: of what is delivered; and what the document has there that was delivered nowhere,
    or nobody knows where. `roots`: the names that the root may have."""
    query = etree.XPath(in_marks(path), namespaces=MARKS, regexp=False)
    known = _Known()
    free = document.free if whole.shape is None else None
    found = _found(query, whole, notes, roots, known, free, by_number="[" in path)
    if known.places.issuperset(document.places):  # all that the document has is delivered in its place
        return found
    known.further, known.names = known.names, {}
    written = Part(None, document.data, document.data, ())
    unclear = _found(query, written, notes, roots, known, document.free - known.fields, by_number=True)
    at = Places(whole, notes).at
    places = dict.fromkeys(part.place for part in unclear)
    meant = (part for place in places for part in at(place) or named_by(whole, notes, place))
    return found + [part for part in meant if isinstance(part.value, Lost) or not part.exact]


class _Known:
    """What is known of the places of a document: where something is delivered, which are fields, and their names."""

    def __init__(self) -> None:
        self.places: set[Place] = set()
        self.fields: set[Place] = set()
        self.names: dict[Place, list[str]] = {}
        self.further: Mapping[Place, Sequence[str]] = {}
        """The names that places have beside those that a tree gives them."""


def _found(
    query: etree.XPath,
    whole: Part,
    notes: Notes,
    roots: Sequence[str],
    known: _Known,
    free: AbstractSet[Place] | None,
    *,
    by_number: bool,
) -> list[Part]:
    """`free`: the places whose keys nothing names; None where the type tells."""
    found: list[Part] = []
    for seen in forms(whole, notes, by_number=by_number, in_lists=True):
        tree = _Tree(known, free)
        root = tree.element(None, _Called(roots), [whole])
        tree.hold(root, seen)
        found += [part for element in elements_of(query(root)) for part in tree.parts[element]]
    return found


def members_called(value: Any, members: Mapping[str, Schema]) -> list[str]:
    """The names of a union's members that a delivered value could be of. The root of the answer does not tell: its
    author may have written any of them."""
    while (title := _title(type(value))) not in members and isinstance(value, RootModel):
        value = value.root
    if title in members:
        return [title]
    told = {name: _agrees(value, member) for name, member in members.items()}
    return [name for name, agrees in told.items() if agrees is not False] if True in told.values() else list(members)


def _title(cls: type) -> str:
    """What a class is called in its JSON Schema, as far as that is easily told."""
    config = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    return "" if config.get("model_title_generator") else config.get("title") or cls.__name__


def _agrees(value: Any, member: Schema) -> bool | None:
    """Whether an object has the constants of a member; None where that has none."""
    allowed = {name: listed(schema) for name, schema in (member.get("properties") or {}).items()}
    held = value if isinstance(value, dict) else {}
    told = [getattr(held.get(name), "value", held.get(name)) in one for name, one in allowed.items() if one is not None]
    return all(told) if told else None


class _Called(NamedTuple):
    """All names of an element; whether it may be an entry of whatever key, and its key where nothing names that."""

    names: Sequence[str]
    bare: bool = False
    key: str | None = None


_ITEM: Final = _Called([ITEM])


class _Tree:
    """The tree of what a query sees, and the parts that each element is."""

    def __init__(self, known: _Known, free: AbstractSet[Place] | None) -> None:
        self._known = known
        self._free = free
        self._again = 0
        self._written: set[int] = set()
        self.parts: dict[Any, Sequence[Part]] = {}

    def element(self, above: Any, called: _Called, parts: Sequence[Part]) -> Any:
        # Names are asked for as marks alone.
        made = etree.Element(ENTRY) if above is None else etree.SubElement(above, ENTRY)
        for name in called.names:
            made.set(f"{{{_SPACE}}}{mark(name)}", "")
        if called.bare:
            made.set(f"{{{_SPACE}}}{BARE}", "")
        if called.key is not None:
            made.set("key", called.key)
        self.parts[made] = parts
        self._known.places.update(part.place for part in parts if part.exact)
        return made

    def hold(self, element: Any, seen: Any) -> None:
        if seen is None or seen == []:
            element.set(f"{{{_SPACE}}}{NULL}", "")
        for called, held, parts in self._members(seen, self.parts[element]):
            self.hold(self.element(element, called, parts), held)
        if seen is not None and not isinstance(seen, dict | list):
            element.text = leaf_text(seen)

    def _members(self, seen: Any, parts: Sequence[Part]) -> Iterator[tuple[_Called, Any, Sequence[Part]]]:
        """What there is an element of: what that is called, what it holds, and the parts that it is."""
        if isinstance(seen, list):
            for index, held in enumerate(seen):
                mine = (seen.leads.get(index) or below(held)) if isinstance(seen, SeenList) else parts
                yield _ITEM, held, mine
        elif isinstance(seen, dict):
            told = seen.members() if isinstance(seen, SeenObject) else (([key], seen[key], parts) for key in seen)
            for names, held, mine in told:
                self._count(mine)
                called = self._called(names, mine)
                if isinstance(held, list) and held:
                    yield from ((called, item, inner) for _, item, inner in self._members(held, mine))
                else:
                    yield called, held, mine

    def _called(self, names: list[str], parts: Sequence[Part]) -> _Called:
        """All that a member may be called: an entry by its key, too, which is what that became."""
        for place in [part.place for part in parts if part.exact]:
            names = [*names, *(name for name in self._known.further.get(place, ()) if name not in names)]
            self._known.names.setdefault(place, []).extend(names)
            self._known.places.add(place)
        if parts and all(self._is_free(part) for part in parts):
            return _Called(names, bare=True, key=leaf_text(names[min(1, len(names) - 1)]))
        return _Called(names, bare=not all(map(is_name, names)))

    def _is_free(self, part: Part) -> bool:
        if self._free is not None:
            return part.place in self._free
        is_field = part.names in part.also
        if is_field and part.exact:
            self._known.fields.add(part.place)
        return not is_field

    def _count(self, parts: Sequence[Part]) -> None:
        """Raises Misfit where a value has to be written too many times, since it may stand in several places."""
        self._again += any(id(part) in self._written for part in parts)
        self._written.update(map(id, parts))
        if self._again > _MOST_AGAIN:
            raise Misfit("an answer of which the parts may stand in so many places cannot be asked for a path")


_SPACE: Final = next(iter(MARKS.values()))
_MOST_AGAIN: Final = 10_000
