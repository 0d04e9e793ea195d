"""How text that is not ours stands in a prompt that is: in a fence or code span that it cannot close."""

from __future__ import annotations

import re

__all__ = ["fence", "span"]


def fence(text: str, info: str = "") -> str:
    """A block fence of backticks, longer than any run of them in the text."""
    mark = "`" * max(3, _longest_run(text) + 1)
    return f"{mark}{info}\n{text}\n{mark}"


def span(text: str) -> str:
    """A code span on one line, by the same rule (CommonMark, section 6.1)."""
    line = " ".join(text.split())
    mark = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{mark}{pad}{line}{pad}{mark}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall(r"`+", text))) if "`" in text else 0
