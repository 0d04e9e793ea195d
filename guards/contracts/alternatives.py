"""Words for a value that fits none of several alternatives, where none of them is nearer than the others.

All are named, for taking one at random would mislead.
"""

from __future__ import annotations

from collections.abc import Sequence

from guards.findings import Finding
from guards.reading.document import Place

__all__ = ["Told", "alternatives"]

Told = Sequence[tuple[Finding, Place]]
"""What one alternative has against the value: findings, and where below the value each stands."""

_MOST: int = 4
_MOST_OF_ONE: int = 3


def alternatives(told: Sequence[Told]) -> str:
    """What each alternative asks for, in one sentence."""
    choices = ["; ".join(_placed(*fault) for fault in faults[:_MOST_OF_ONE]) for faults in told[:_MOST]]
    return "must fit one of the alternatives: " + ", or ".join(dict.fromkeys(choices))


def _placed(fault: Finding, below: Place) -> str:
    # Names of members are the schema's own as long as the rule is one about a missing member; others stay unnamed.
    if fault.code in {"schema.required", "schema.dependentRequired"} and len(below) == 1:
        return f"'{below[-1]}' {fault.message}"
    return fault.message if not below else f"a part of it {fault.message}"
