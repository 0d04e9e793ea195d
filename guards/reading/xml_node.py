"""An element of a mended XML document, as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from guards.reading.xml_shape import Shape

__all__ = ["BLANK", "Node", "is_closed"]

BLANK: Final = " \t\r\n"
"""XML's white space; a no-break space is text."""


@dataclass(slots=True, eq=False)
class Node:
    """An element as it was written: its local name, what it holds, and the shape that the schema gives it, if any.

    `spaces` are the namespaces by prefix that hold inside of it; `tags` its opening and closing tag as written, with
    the place of the first. `cut` says that the end of the text cut it off before its own end, `words` that it holds
    more text than blanks.
    """

    name: str
    shape: Shape | None = None
    prefix: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Node | str] = field(default_factory=list)
    cut: bool = False
    spaces: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, str] = ("", "")
    at: int = -1
    words: bool = False

    @property
    def space(self) -> str | None:
        """Its namespace; None where there is none, or its prefix is declared nowhere."""
        return self.spaces.get(self.prefix) or None

    @property
    def unbound(self) -> bool:
        """Whether its prefix is declared nowhere."""
        return bool(self.prefix) and not self.spaces.get(self.prefix)

    @property
    def source(self) -> str:
        """The element as it was written, its entities replaced."""
        inner = "".join(part if isinstance(part, str) else part.source for part in self.parts)
        return f"{self.tags[0]}{inner}{self.tags[1]}"

    @property
    def nodes(self) -> list[Node]:
        return [part for part in self.parts if isinstance(part, Node)]

    @property
    def text(self) -> str:
        """What stands directly inside."""
        return "".join(part for part in self.parts if isinstance(part, str))


def is_closed(node: Node) -> bool:
    """Whether an element has a closing tag of its own, or needs none."""
    return bool(node.tags[1]) or node.tags[0].endswith("/>")
