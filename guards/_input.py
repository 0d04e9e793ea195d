"""What an input guard looks at: the text of the user's turns, or of a decorated function's arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guards.messages import Message

__all__ = ["input_text"]


def input_text(messages: Sequence[Message], context: Mapping[str, Any], roles: Sequence[str]) -> str:
    """The text of the turns of these roles (`"all"` for every role), one under the other.

    Where the caller's own function sends (no messages are known), the text of its arguments.
    """
    if not messages:
        return "\n".join(value for value in context.values() if isinstance(value, str))
    return "\n".join(_text(m.get("content")) for m in messages if "all" in roles or m.get("role") in roles)


def _text(content: Any) -> str:
    """The text of a turn; of content parts, those that hold text."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return "\n".join(_text(part.get("text") or part.get("content")) for part in content if isinstance(part, Mapping))
    return ""
