"""What a decoder that is held to a grammar could be given, so that an answer has the contract's form from the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Grammar"]


@dataclass(frozen=True, slots=True)
class Grammar:
    """`source` by its `kind`: a JSON Schema (2020-12) as a dict; the texts of a choice, a tuple of which the answer is
    one; or an ECMA-262 regular expression that the answer matches from its first character to its last."""

    kind: Literal["json-schema", "choice", "regex"]
    source: Any
