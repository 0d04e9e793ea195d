"""Which tools does a request offer, and which must be called? A call of any other is nobody's.

Also the other words of a request's own that a response brings back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from guards.clients.members import members_of

__all__ = ["Asked", "Tools", "each", "is_arguments", "schema_told", "stops_of", "written"]


class Asked:
    """The options of a request, and which words stand in them: a response repeats some."""

    __slots__ = ("_options", "_words")

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._words: frozenset[str] | None = None

    def get(self, name: str) -> Any:
        """An option; None where it is not set."""
        return self._options.get(name)

    def wants(self, name: str) -> bool:
        """Whether an option is set."""
        return isinstance(self._options.get(name), bool | int | list) and bool(self._options[name])

    def says(self, words: str) -> bool:
        """Whether these very words stand in it."""
        if self._words is None:  # most responses repeat nothing that has to be looked for
            self._words = frozenset(_words_of(self._options))
        return words in self._words


def _words_of(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < _DEEPEST:
        held = schema_told(value) if isinstance(value, type) else members_of(value)
        inner = held.values() if held is not None else value if isinstance(value, list | tuple) else ()
        for one in inner:
            yield from _words_of(one, depth + 1)


@lru_cache(maxsize=256)
def schema_told(kind: type) -> Mapping[str, Any] | None:
    """What the SDKs tell a model of a type that is to be parsed; None where nobody can say."""
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        return TypeAdapter(kind).json_schema()
    except (PydanticUserError, TypeError, ValueError):
        return None


_DEEPEST: Final = 64
_NOTHING: Final = Asked({})


@dataclass(frozen=True, slots=True)
class Tools:
    """What a request says of tools.

    Args:
        forced: the one that the model must call: its arguments are the answer.
        names: those that it may call, functions and the like.
        customs: those of them that take plain text and no arguments, which OpenAI calls custom.
        kinds: the types of those without a name of the caller's, which the server or the SDK brings, without version.
        labels: the names of MCP servers.
        elsewhere: whether further ones may stand in a prompt that is kept on the server.
        stops: the texts at which the answer is to end.
        asked: the whole request.
    """

    forced: str | None = None
    names: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    elsewhere: bool = False
    customs: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    asked: Asked = field(default=_NOTHING, compare=False, repr=False)

    def only(self, allowed: Tools) -> Tools:
        """Of these, the allowed ones."""
        customs = self.customs & allowed.customs
        functions = (self.names - self.customs) & (allowed.names - allowed.customs)
        kinds, labels = self.kinds & allowed.kinds, self.labels & allowed.labels
        return replace(self, names=functions | customs, kinds=kinds, labels=labels, customs=customs)

    def with_those_of(self, other: Tools) -> Tools:
        """These and the other's."""
        kinds, labels = self.kinds | other.kinds, self.labels | other.labels
        names, customs = self.names | other.names, self.customs | other.customs
        return replace(self, names=names, kinds=kinds, labels=labels, customs=customs)

    def must(self) -> Tools:
        """The same where the model must call one: of one that there is, it has no choice."""
        alone = len(self.names) == 1 and not self.kinds
        return replace(self, forced=next(iter(self.names))) if alone else self

    def forcing(self, name: str, *, custom: bool = False) -> Tools:
        """The same where the model must call this one."""
        names = frozenset({name})
        none: frozenset[str] = frozenset()
        return replace(self, forced=name, names=names, kinds=none, labels=none, customs=names if custom else none)

    def offers(self, name: Any, *, custom: bool) -> bool:
        """Whether it may call a tool of this name and way: one that takes arguments, or plain text."""
        return isinstance(name, str) and name in self.names and (name in self.customs) == custom

    def forces(self, name: Any, *, custom: bool) -> bool:
        """Whether it must call this one."""
        return self.forced is not None and name == self.forced and self.offers(name, custom=custom)

    def brings(self, kind: str) -> bool:
        """Whether a type of tool is among them, in any version of it."""
        return kind in self.kinds


def written(arguments: Any) -> str:
    """A tool's arguments as text; some servers give the object itself, or the input of a tool that takes plain text."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)


def stops_of(*said: Any) -> frozenset[str]:
    """The texts at which an answer is to end, of options that name one or several."""
    each_of = [one for these in said for one in ([these] if isinstance(these, str) else each(these))]
    return frozenset(one for one in each_of if isinstance(one, str))


def is_arguments(arguments: Any) -> bool:
    """Whether it is a JSON object, or the text of one: servers refuse a history with anything else."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return False
    return isinstance(arguments, Mapping)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def each(tools: Any) -> Sequence[Any]:
    """The tools of a request, in whatever collection; none where it names none (the SDKs have signs of their own for
    that)."""
    if isinstance(tools, list | tuple):
        return tools
    return list(tools) if isinstance(tools, Collection) and not isinstance(tools, str | bytes | Mapping) else ()
