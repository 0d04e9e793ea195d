"""The parts of a delivered value that a JSONPath names: by plain steps, or by a query on what is delivered.

A query sees plain data in the form in which a document holds it (`typed.views`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.base import Stand
from guards.contracts.typed.parts import Lost, named_by, stand_of
from guards.contracts.typed.structures import DEFAULT, Part
from guards.contracts.typed.views import SeenList, SeenObject, below, forms, there
from guards.reading.document import Place, compile_jsonpath, plain_steps

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = ["selected", "stands_for"]


def selected(part: Part, notes: Notes, path: str) -> list[Stand]:
    """The parts that a JSONPath (RFC 9535) names."""
    steps = plain_steps(path)
    return stands_for(named_by(part, notes, steps) if steps is not None else _queried(part, notes, path))


def stands_for(parts: list[Part]) -> list[Stand]:
    """Parts as they are judged, each once. One that the document has and nothing of which is delivered in its place
    cannot be judged: its `fault` says so. A constant default is no part of the answer."""
    stands = {(one.place, id(one.value)): stand_of(one) for one in parts if one.data is not DEFAULT}
    return list(stands.values())


def _queried(part: Part, notes: Notes, path: str) -> list[Part]:
    """By what is delivered; and what the document has there that was delivered nowhere, or nobody knows where."""
    query = compile_jsonpath(path)
    found: list[Part] = []
    for seen in forms(part, notes, by_number=bool(_BY_NUMBER.search(path))):
        found += [one for node in query.find(seen) for one in _led(part, seen, node.location)]
    written = query.find(part.data) if isinstance(part.data, dict | list) else ()
    meant = (one for node in written for one in named_by(part, notes, tuple(node.location)))
    return found + [one for one in meant if isinstance(one.value, Lost) or not one.exact]


_BY_NUMBER: Final = re.compile(r"[\[,]\s*-?\d|:")


def _led(part: Part, seen: Any, location: Place) -> list[Part]:
    """The parts at a location in what a query saw."""
    found: list[Part] | None = [part]
    for step in location:
        if not isinstance(seen, SeenList | SeenObject):  # the document's own, of which nothing is delivered
            break
        found = seen.leads.get(step)
        seen = there(seen, step)
    # On the way to a field (`AliasPath`), or beside it, nothing is delivered but the field.
    return below(seen) if found is None else found
