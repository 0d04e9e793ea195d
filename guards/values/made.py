"""Frozen values that the library makes for every call, of facts that it knows to be right."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Made"]


class Made:
    """A frozen dataclass without slots that can be made of its facts at once. Its constructor sets and checks one after
    the other, and takes four times as long."""

    __slots__ = ()

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """As the constructor, unchecked, of every field by name that has no default of its own; the dict is the
        value's own from then on."""
        made = object.__new__(cls)
        object.__setattr__(made, "__dict__", facts)
        return made
