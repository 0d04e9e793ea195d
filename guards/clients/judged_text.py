"""The text that a wrapped client delivers, as far as it was judged.

Guards judge the value; of the text that it was read from they have seen no more than that. A type passes over members
that it does not know, its validators change texts (they redact some, say), and comments of XML stand in no value. What
the text says beyond the value goes; where it says nothing else it is delivered as it came.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from guards.contracts.base import Contract, Reading, Stand
from guards.reading.document import Document, Place, at
from guards.records import Outcome, Repair

__all__ = ["Judged", "recorded"]


class Judged(NamedTuple):
    """What was judged of the answers of one ticket: by its contract, where it has guards, with this context."""

    contract: Contract[Any] | None
    context: Mapping[str, Any] | None

    def text(self, outcome: Outcome[Any]) -> str | None:
        """What is delivered, as an answer's text; None where that is no answer of the model's."""
        text, document = outcome.accepted_text, outcome.document
        if self.contract is None or text is None or document is None or document.format == "text":
            return text
        less = self._less(self.contract, Reading(outcome.value, document))
        if less is not None:
            text, document = less.source(), less
        return _without_comments(text, document) if document.format == "xml" else text

    def _less(self, contract: Contract[Any], reading: Reading[Any]) -> Document | None:
        """The document with what its value says and no more; None where it says no more as it is, or where another one
        could not be read to the same value."""
        document = reading.document
        if document is None or contract.says_all(reading):
            return None
        told = contract.told(reading)
        if any(stand.fault is not None for stand in told):
            # What the contract noted while it read is needed to tell the parts, of a union say.
            told = contract.told(contract.recheck(document, self.context))
        for respell in (True, False):
            data = _Said(told, respell=respell).of(document.data, ())
            less = document.replace((), data) if data is not document.data else None
            if less is not None:
                again = contract.recheck(less, self.context)
                if again.ok and _same(told, contract.told(again), data):
                    return less
        return None


def recorded(outcome: Outcome[Any], text: str | None) -> Outcome[Any]:
    """The outcome of an answer that is delivered with this text; what was left out of it is a repair."""
    came = outcome.accepted_text
    if came is None or text == came:
        return outcome
    left = Repair("wrap.unjudged", "what the value does not say was left out of the text", before=came, after=text)
    return replace(outcome, repairs=(*outcome.repairs, left))


class _Said:
    """The data of a document less the members of which nothing is delivered; `respell`: with each text as the value has
    it."""

    def __init__(self, told: Sequence[Stand], *, respell: bool) -> None:
        self._there: set[Place] = set()
        """The places of which something is delivered, and those on the way to them."""
        self._unknown = {stand.place for stand in told if not stand.exact}
        """Places whose parts stand somewhere below, nobody knows where."""
        self._texts = {s.place: s.value for s in told if respell and s.exact and type(s.value) is str}
        for stand in told:
            place = stand.place
            while place not in self._there:
                self._there.add(place)
                place = place[:-1]

    def of(self, data: Any, place: Place) -> Any:
        """The very data where all of it is delivered."""
        if isinstance(data, str):
            said = self._texts.get(place, data)
            return data if said == data else said
        if not isinstance(data, dict | list) or not data:
            return data
        pairs = list(data.items() if isinstance(data, dict) else enumerate(data))
        if isinstance(data, dict) and place in self._there and place not in self._unknown:
            pairs = [(key, held) for key, held in pairs if (*place, key) in self._there]
        left = [(key, self.of(held, (*place, key))) for key, held in pairs]
        if len(left) == len(data) and all(held is data[key] for key, held in left):
            return data
        return dict(left) if isinstance(data, dict) else [held for _, held in left]


def _same(told: Sequence[Stand], again: Sequence[Stand], data: Any) -> bool:
    """Whether the same is delivered of each place that the document has; what a factory made is another each time."""
    try:
        return bool(_leaves(told, data) == _leaves(again, data))
    except Exception:  # noqa: BLE001  # of a value's own comparison
        return False


def _leaves(told: Sequence[Stand], data: Any) -> dict[Place, Any]:
    held = {}
    for stand in told:
        try:
            leaf = at(data, stand.place)
        except (LookupError, TypeError):
            continue
        if stand.exact and not isinstance(leaf, dict | list):
            held[stand.place] = stand.value
    return held


_DECLARATION: Final = re.compile(r"\s*<\?xml\b[^>]*\?>")


def _without_comments(text: str, document: Any) -> str:
    """The text less comments, instructions and a document type, of an answer in XML."""
    declared = _DECLARATION.match(text)
    body = text[declared.end() :] if declared else text
    if "<!" not in body and "<?" not in body:
        return text
    from lxml import etree

    from guards.reading.xml_document import source_of

    root = copy.deepcopy(document.root)
    etree.strip_elements(root, etree.Comment, etree.ProcessingInstruction, with_tail=False)
    return source_of(root)
