"""Which tools does a request offer, and which must be called? A call of any other is nobody's.

Also the other words of a request's own that a response brings back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Tools", "each", "is_arguments", "stops_of", "written"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What a request says of tools.

    Args:
        forced: the one that the model must call: its arguments are the answer.
        names: those that it may call, functions and the like; and the labels of MCP servers.
        customs: those of them that take plain text and no arguments, which OpenAI calls custom.
        kinds: the types of those without a name of the caller's, which the server or the SDK brings.
        elsewhere: whether further ones may stand in a prompt that is kept on the server.
        stops: the texts at which the answer is to end.
    """

    forced: str | None = None
    names: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    elsewhere: bool = False
    customs: frozenset[str] = frozenset()
    stops: frozenset[str] = frozenset()

    def only(self, allowed: Tools) -> Tools:
        """Of these, the allowed ones."""
        customs = self.customs & allowed.customs
        functions = (self.names - self.customs) & (allowed.names - allowed.customs)
        return replace(self, names=functions | customs, kinds=self.kinds & allowed.kinds, customs=customs)

    def must(self) -> Tools:
        """The same where the model must call one: of one that there is, it has no choice."""
        alone = len(self.names) == 1 and not self.kinds
        return replace(self, forced=next(iter(self.names))) if alone else self

    def forcing(self, name: str, *, custom: bool = False) -> Tools:
        """The same where the model must call this one."""
        names = frozenset({name})
        return replace(self, forced=name, names=names, kinds=frozenset(), customs=names if custom else frozenset())

    def offers(self, name: Any, *, custom: bool) -> bool:
        """Whether it may call a tool of this name and way: one that takes arguments, or plain text."""
        return name in self.names and (name in self.customs) == custom

    def forces(self, name: Any, *, custom: bool) -> bool:
        """Whether it must call this one."""
        return self.forced is not None and name == self.forced and self.offers(name, custom=custom)

    def brings(self, kind: str) -> bool:
        """Whether a type of tool is among them, in any version of it ("web_search_preview" is a "web_search")."""
        return any(own.startswith(kind) for own in self.kinds)


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
    """The tools of a request; none where it names none (the SDKs have signs of their own for that)."""
    return tools if isinstance(tools, list | tuple) else ()
