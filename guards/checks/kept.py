"""A guard's finding as it goes on: into the record, into what a model is told, into the document.

A guard is code of anybody's. What it hands over may be changed afterwards, may compare itself with an exception, may
hold what no record can write. From here on it is text and plain data.
"""

from __future__ import annotations

from typing import Any, Final

from guards.findings import Finding
from guards.reading.holding import as_document
from guards.values.plain import recorded

__all__ = ["kept"]

_LONGEST: Final = 10_000
"""Characters of a message. More is no message but a text, and would be sent to a model and kept for each attempt."""
_MOST: Final = 10_000
"""Values in what a finding shows."""


def kept(finding: Finding) -> Finding:
    """The finding in text and plain data. A fix that no document can hold is none."""
    return finding.replace(
        code=str.__str__(finding.code),
        message=_clipped(str.__str__(finding.message)),
        path=str.__str__(finding.path),
        evidence=_shown(finding.evidence),
        expected=_shown(finding.expected),
        actual=_shown(finding.actual),
        fix=as_document(finding.fix),
    )


def _shown(value: Any) -> Any:
    return recorded(value, most=_MOST)


def _clipped(message: str) -> str:
    if len(message) <= _LONGEST:
        return message
    return f"{message[:_LONGEST]}… [cut here: {len(message)} characters in all]"
