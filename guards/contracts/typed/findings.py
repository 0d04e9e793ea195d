"""What pydantic found wrong, as findings: the same codes as a JSON Schema gives, and paths into the answer itself.

Where an error stands is `typed.locations`, what it says `typed.words`, which errors of a union help `typed.closest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from guards.contracts.typed.closest import Entry, closest
from guards.contracts.typed.forms import OutOfReach
from guards.contracts.typed.locations import Located, Locations
from guards.contracts.typed.notes import NOTED
from guards.contracts.typed.structures import from_start
from guards.contracts.typed.validator import RAISED, DefaultFailed, function_of
from guards.contracts.typed.words import ADDRESSES, KINDS, Said, choices_of, kind_of, options_of, raised_words, told
from guards.findings import Finding, join_pointer, listed
from guards.reading.document import Document, Place, at, holds_null, leaves
from guards.reading.numbers import OUT_OF_RANGE
from guards.reading.reading import Reading

__all__ = ["Explainer"]


class Explainer:
    """Turns the errors of one type's validator into findings."""

    def __init__(self, schema: Any) -> None:
        self._locations = Locations(schema)

    def refused(self, fault: Exception, document: Document) -> Reading[Any]:
        """The findings of whatever a validator let out."""
        match fault:
            case ValidationError():
                return self.reading(fault, document)
            case RecursionError():
                return self.too_deep(document)
            case DefaultFailed():
                return self.failed(fault, document)
            case OutOfReach():
                return self.out_of_reach(fault, document)
            case _:  # what a class does to its own instances; the place is not known
                return self.raised(fault, document)

    def reading(self, fault: ValidationError, document: Document) -> Reading[Any]:
        """The errors in pydantic's order, each (code, path) once; of a union's members, those that came closest."""
        errors = [e for e in fault.errors(include_url=False) if e["type"] not in _NO_FAULTS]
        entries = [self._entry(error, document) for error in errors[:_MOST_TOLD]]
        more = len(errors) - len(entries)
        if more:
            entries = _whole_unions(entries, self._locations.of(errors[_MOST_TOLD]))
        found: dict[tuple[str, str], Finding] = {}
        for finding in closest(entries, document):
            found.setdefault((finding.code, finding.path), finding)
        faults = tuple(error["ctx"]["raised"].exception for error in errors if error["type"] == RAISED)
        return Reading(None, document, listed(found.values(), more), faults=faults)

    def _entry(self, error: Mapping[str, Any], document: Document) -> Entry:
        located = self._locations.of(error)
        place = from_start(located.place, document.data)
        return Entry(self._finding(error, located, place, document), place, located.members)

    def raised(self, fault: Exception, document: Document) -> Reading[Any]:
        """What came out of the validator and tells no place."""
        if isinstance(fault, UnicodeEncodeError) and (halves := self._surrogates(document)):
            return Reading(None, document, halves)
        return Reading(None, document, (Finding("schema.validator", raised_words(fault)),), faults=(fault,))

    def failed(self, fault: DefaultFailed, document: Document) -> Reading[Any]:
        """A default that could not be made."""
        cause = fault.__cause__ or fault
        words = f"a default could not be made: its factory {raised_words(cause)}"
        return Reading(None, document, (Finding("schema.failed", words),), faults=(cause,))

    def out_of_reach(self, fault: OutOfReach, document: Document) -> Reading[Any]:
        """A number that no float can hold, where a float would be made of it."""
        place = next((place for place, held in leaves(document.data) if held is fault.number), ())
        return Reading(None, document, (Finding("json.syntax", OUT_OF_RANGE, document.path(place)),))

    def too_deep(self, document: Document) -> Reading[Any]:
        return Reading(None, document, (Finding("limit.depth", "the document is nested too deeply"),))

    def _surrogates(self, document: Document) -> tuple[Finding, ...]:
        """The strings that no encoding can carry."""
        return tuple(
            Finding("schema.unicode", "must not hold half of a surrogate pair", document.path(place))
            for place in _surrogates(document.data, ())
        )

    def _finding(self, error: Mapping[str, Any], located: Located, place: Place, document: Document) -> Finding:
        kind = error["type"]
        actual = place[-1] if located.is_key else _actual(document, place, error)
        if kind == "recursion_depth_exceeded":
            return self.too_deep(document).findings[0]
        if kind == "json_invalid" and not isinstance(actual, str):
            halves = self._surrogates(document)
            if halves:
                return halves[0]
            return Finding("json.syntax", "not a JSON document that can be taken: a number or nesting out of range")
        rule, words, expected = self._said(error, located.node)
        if located.is_key:
            words = f"the key {words}"
        elif (inside := self._inside(located, kind)) is not None:
            words = f"holds JSON that does not fit{', at ' if inside else ''}{join_pointer(inside)}: {words}"
            actual = error.get("input")
        missing = rule == "required"
        return Finding.of(
            {
                "code": f"schema.{rule}",
                "message": words,
                "path": document.path(place),
                "expected": expected,
                "actual": None if missing else actual,
                "found_null": actual is None and not missing and holds_null(document, place),
            }
        )

    def _inside(self, located: Located, kind: str) -> Place | None:
        """Where in the JSON that a text holds an error stands; None where it is not about that."""
        if located.inside is not None or kind in ("json_invalid", "json_type"):
            return located.inside
        return () if located.reads_json else None

    def _said(self, error: Mapping[str, Any], node: Any) -> Said:
        """What an error says; where the schema's own node says it better than pydantic does, by that."""
        kind = error["type"]
        if kind not in _BY_NODE:
            return told(error)
        if kind == "json_invalid":
            return Said("format", "must be a string that holds JSON", "json")
        if kind in ("literal_error", "enum"):
            for found in self._locations.within(node, "literal", "enum"):
                return _one_of(found.get("expected") or found["members"])
        if kind in ("union_tag_invalid", "union_tag_not_found"):
            for found in self._locations.within(node, "tagged-union"):
                return self._discriminated(found, error)
        if kind == "value_error":
            for found in self._locations.within(node, "function-after"):
                if (address := ADDRESSES.get(function_of(found))) is not None:
                    return address
        if kind in ("datetime_type", "datetime_parsing", "datetime_from_date_parsing"):
            for found in self._locations.within(node, "datetime"):
                if (constraint := found.get("tz_constraint")) in ("aware", "naive"):
                    return told(error)._replace(words=told({"type": f"timezone_{constraint}"}).words)
        return told(error)

    def _discriminated(self, node: Any, error: Mapping[str, Any]) -> Said:
        """Which kinds there are, and how they are told apart."""
        name: str = error["ctx"]["discriminator"]
        tags = options_of(choices_of(node))
        if not callable(node["discriminator"]):
            if error["type"] == "union_tag_invalid":
                return Said("discriminator", f"must have a {name} of {tags}", tags)
            return Said("discriminator", f"needs the key {name} to tell its kind: {tags}", name)
        members = [node["choices"][tag] for tag in choices_of(node)]
        kinds = [self._kind(member) for member in members]
        return Said("discriminator", f"is of no kind that is known here; must be one of: {'; '.join(kinds)}")

    def _kind(self, member: Any) -> str:
        for node in self._locations.within(member, *KINDS):
            return kind_of(node, self._locations.required(node))
        return "another value"


_NO_FAULTS: Final = frozenset({"default_factory_not_called", NOTED})
"""Errors that stand there for the sake of the others, or of a note."""
_MOST_TOLD: Final = 1_000
"""Errors that are put into words: many more than are listed, since of a union's members most say nothing."""


def _whole_unions(entries: list[Entry], following: Located) -> list[Entry]:
    """The entries without those of the union that goes on behind them: what all of its members say is not known."""
    if not following.members:
        return entries
    place = following.members[0].place
    return [entry for entry in entries if not entry.members or entry.members[0].place != place] or entries


_BY_NODE: Final = frozenset(
    {"json_invalid", "literal_error", "enum", "union_tag_invalid", "union_tag_not_found", "value_error"}
    | {"datetime_type", "datetime_parsing", "datetime_from_date_parsing"}
)
"""Errors that the schema's node may say better than pydantic does."""


def _one_of(values: Any) -> Said:
    options = options_of(values)
    if len(values) == 1:
        return Said("const", f"must be {options}", options)
    return Said("enum", f"must be one of {options}", options)


def _actual(document: Document, place: Place, error: Mapping[str, Any]) -> Any:
    try:
        return at(document.data, place)
    except (LookupError, TypeError):
        return error.get("input")


def _surrogates(data: Any, place: Place) -> Iterator[Place]:
    if isinstance(data, str):
        if any("\ud800" <= c <= "\udfff" for c in data):
            yield place
    elif isinstance(data, dict):
        for key, child in data.items():
            yield from _surrogates(key, (*place, key))
            yield from _surrogates(child, (*place, key))
    elif isinstance(data, list):
        for index, child in enumerate(data):
            yield from _surrogates(child, (*place, index))
