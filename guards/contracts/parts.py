"""An answer of which parts can be asked for alone: which part answers a finding, what the question says of it, and how
what came back is put in its place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from guards.findings import Finding
from guards.reading.reading import Dial, Limits
from guards.records import Repair

__all__ = ["LEFT_OUT", "MUST_GO", "Merged", "Parted", "holder", "put_in"]

LEFT_OUT: Final = frozenset({"schema.additionalProperties", "schema.unevaluatedProperties"})
"""What careful reading leaves out by itself once the rest is right."""
MUST_GO: Final = LEFT_OUT | {
    "schema.propertyNames",
    "schema.false",
    "schema.unevaluatedItems",
    "schema.uniqueItems",
    "schema.order",
    "schema.unique",
}
"""What is found at a place and can only be answered by what holds it: by another name or order, or by nothing there."""

Merged: TypeAlias = tuple[str, tuple[Repair, ...]]


class Parted(ABC):
    """One answer. Parts go by their paths, as findings have them; "" is the whole of it."""

    @abstractmethod
    def part_of(self, finding: Finding) -> str:
        """The path of the part by which a finding can be answered."""

    @abstractmethod
    def shown(self, paths: Sequence[str]) -> str:
        """The parts as they stand now."""

    @abstractmethod
    def instruction(self, paths: Sequence[str]) -> str:
        """What the model is told to answer with."""

    @abstractmethod
    def merged(self, paths: Sequence[str], reply: str, dial: Dial, limits: Limits) -> Merged | None:
        """The answer with the parts of the reply in place, as text; None where the reply does not hold them."""


def put_in(path: str, before: Any, after: Any) -> Repair:
    """What is recorded of a part that was put in."""
    return Repair("policy.merge", "a part that was asked for alone was put in", path, before, after)


def holder(path: str) -> str:
    """The path of what holds a part."""
    return path.rpartition("/")[0]
