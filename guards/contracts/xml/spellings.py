"""What an XPath names of data that was answered in XML: the same, in whichever accepted spelling the answer came.

So it is never asked of the answer's own tree, whose author chose among the spellings: a name or `<entry key="...">`,
any alias, an element around a union's member, the member's name for the root, `<item>`s, absence for null. The tree is
written anew of the data, and each element goes by all the names that it could have had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lxml import etree
from pydantic import RootModel

from guards.contracts.xml.guide import Schema, listed
from guards.contracts.xml.value import ITEM, placed_tree
from guards.reading.answered_xml import ENTRY, AnsweredXml, is_name
from guards.reading.document import Place
from guards.reading.xml_document import elements_of
from guards.reading.xpath import MARKS, in_marks, mark

__all__ = ["members_called", "selected"]


def selected(
    document: AnsweredXml, path: str, roots: Sequence[str], others: Mapping[Place, Sequence[str]]
) -> list[Place]:
    """The places that an XPath names. `roots`: the names that the root may have. `others`: the further keys of places
    that have some."""
    root, places = placed_tree(document.data, roots[0])
    for element, place in places.items():
        for full in [full for full in element.attrib if full.startswith("{")]:
            element.set(full.rpartition("}")[2], element.attrib.pop(full))
        for name in _names(element, place, roots, others, document):
            element.set(f"{{{_SPACE}}}{mark(name)}", "")
    found = etree.XPath(in_marks(path), namespaces=MARKS, regexp=False)(root)
    return list(dict.fromkeys(places[element] for element in elements_of(found)))


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


_SPACE: Final = next(iter(MARKS.values()))


def _names(
    element: Any, place: Place, roots: Sequence[str], others: Mapping[Place, Sequence[str]], document: AnsweredXml
) -> list[str]:
    """All that an element may be called: entries by their keys, too."""
    member = place[:-1] if place and isinstance(place[-1], int) else place
    if not place or not member or isinstance(member[-1], int):
        return [ITEM] if place else list(roots)
    key = str(member[-1])
    names = [key, *others.get(member, ()), *(others.get(place, ()) if member != place else ())]
    is_free = member in document.free and member not in others
    if is_free:
        element.set("key", key)
    return [*names, ENTRY] if is_free or not all(map(is_name, names)) else names
