"""Which tools does a request offer, and which must be called? A call of any other is nobody's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Tools", "each", "is_arguments", "written"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What a request says of tools.

    Args:
        forced: the one that the model must call: its arguments are the answer.
        names: those that it may call, functions and the like; and the labels of MCP servers.
        kinds: the types of those without a name of the caller's, which the server or the SDK brings.
        elsewhere: whether further ones may stand in a prompt that is kept on the server.
    """

    forced: str | None = None
    names: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    elsewhere: bool = False

    def only(self, allowed: Tools) -> Tools:
        """Of these, the allowed ones."""
        return Tools(self.forced, self.names & allowed.names, self.kinds & allowed.kinds)

    def must(self) -> Tools:
        """The same where the model must call one: of one that there is, it has no choice."""
        alone = len(self.names) == 1 and not self.kinds
        return Tools(next(iter(self.names)), self.names) if alone else self

    def brings(self, kind: str) -> bool:
        """Whether a type of tool is among them, in any version of it ("web_search_preview" is a "web_search")."""
        return any(own.startswith(kind) for own in self.kinds)


def written(arguments: Any) -> str:
    """A tool's arguments as text; some servers give the object itself, or the input of a tool that takes plain text."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False, default=str)


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
