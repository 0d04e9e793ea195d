"""The text that a wrapped client delivers, as far as it was judged.

Guards judge the value; of the text that it was read from they have seen no more than that. A type passes over members
that it does not know, its validators take items out and change texts (they redact some, say), and comments of XML stand
in no value. What the text says beyond the value goes; where it says nothing else it is delivered as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from guards.clients.said import NOTHING, told_of
from guards.contracts.base import Contract
from guards.findings import Finding
from guards.reading.document import Document
from guards.reading.reading import Reading
from guards.records import Outcome, Reason, Repair

__all__ = ["Judged", "recorded"]


class Judged(NamedTuple):
    """What was judged of the answers of one ticket: by its contract, where it has guards, with this context."""

    contract: Contract[Any] | None
    context: Mapping[str, Any] | None

    def text(self, outcome: Outcome[Any]) -> str | None:
        """What is delivered, as an answer's text; None where that is no answer of the model's. Raises `Rejected` where
        the text says more than what was judged, and no other says that alone."""
        text, document = outcome.accepted_text, outcome.document
        if self.contract is None or text is None or document is None or document.format == "text":
            return text
        less = self._less(self.contract, document, outcome.value)
        said = text if less is document else less.source() if less is not None else None
        if said is not None and less is not None and less.format == "xml":
            from guards.clients.xml_text import xml_text

            said = xml_text(said, less, self.contract, self.context)
        if said is None:
            raise _unjudged(outcome).rejection()
        return said

    def _less(self, contract: Contract[Any], document: Document, value: Any) -> Document | None:
        """The very document where it says no more than its value. Else one that does: in the words that came, as far as
        they are read to the same value again, or in those of the value; None where there are none."""
        reading = Reading(value, document)
        written = _written(contract, reading)
        if written == document.data:
            return document
        told = contract.told(reading)
        if any(stand.fault is not None for stand in told):
            # What the contract noted while it read is needed to tell the parts, of a union say.
            told = contract.told(contract.recheck(document, self.context))
        kept = told_of(document.data, told, written)
        if kept == document.data:
            return document
        if written is NOTHING:
            return None
        less = None if kept is NOTHING else document.replace((), kept)
        if less is not None:
            again = contract.recheck(less, self.context)
            if again.ok and _written(contract, again) == written:
                return less
        return document.replace((), written)


def recorded(outcome: Outcome[Any], text: str | None) -> Outcome[Any]:
    """The outcome of an answer that is delivered with this text; what was left out of it is a repair."""
    came = outcome.accepted_text
    if came is None or text == came:
        return outcome
    left = Repair("wrap.unjudged", "what the value does not say was left out of the text", before=came, after=text)
    return replace(outcome, repairs=(*outcome.repairs, left))


def _unjudged(outcome: Outcome[Any]) -> Outcome[Any]:
    words = "the answer says more than the value that was judged, and its type cannot write the value alone"
    finding = Finding("wrap.unjudged", words)
    reason = Reason(finding.code, "What was judged of the answer cannot be told apart from the rest.")
    findings = (*outcome.findings, finding)
    return replace(outcome, ok=False, value=None, findings=findings, reason=reason, delivered_by=None)


def _written(contract: Contract[Any], reading: Reading[Any]) -> Any:
    try:
        return contract.written(reading)
    except Exception:  # noqa: BLE001  # of the author's own serializers
        return NOTHING
