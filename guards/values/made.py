"""Frozen values that the library makes for every call, of facts that it knows to be right."""

from __future__ import annotations

import copy
from typing import Any, ClassVar, Self

__all__ = ["Made"]


class Made:
    """A frozen dataclass without slots that can be made of its facts at once. Its constructor sets and checks one after
    the other, and takes four times as long."""

    __slots__ = ()
    _shared: ClassVar[frozenset[str]] = frozenset()
    """Facts that every copy has in common: nobody changes them, and not all can be copied."""

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """As the constructor, unchecked, of every field by name that has no default of its own; the dict is the
        value's own from then on."""
        made = object.__new__(cls)
        object.__setattr__(made, "__dict__", facts)
        return made

    def __copy__(self) -> Self:
        return self.of(dict(self.__dict__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        facts = self.__dict__.items()
        return self.of({name: fact if name in self._shared else _apart(fact, memo) for name, fact in facts})


def _apart(thing: Any, memo: dict[int, Any]) -> Any:
    """A deep copy; the thing itself where it, or what it holds, cannot be copied."""
    known = len(memo)
    try:
        return copy.deepcopy(thing, memo)
    except Exception:  # noqa: BLE001  # of the thing's own code
        while len(memo) > known:  # what was begun is whole nowhere
            memo.popitem()
        return thing
