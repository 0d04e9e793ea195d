"""What a guard compares an answer with: the texts under a key of the context, each by the id that evidence names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from guards.context import Context
from guards.errors import ConfigError

__all__ = ["Documents", "documents"]

Documents: TypeAlias = "list[tuple[str, str]]"
"""Pairs of id and text."""


def documents(context: Context, key: str, *, may_be_empty: bool = False) -> Documents:
    """The documents under a key: one text (its id is the key), a list (ids "0", "1", …), or a mapping of id to text.

    Blank texts are left out. Raises ConfigError for a key that is not there, what is no text, and, unless
    `may_be_empty`, where nothing is left: an answer cannot be held against nothing.
    """
    where = f"context[{key!r}]"
    if key not in context:
        raise ConfigError("is missing", where=where, hint=f"pass context={{{key!r}: …}}")
    found = list(_pairs(context[key], key, where))
    for name, text in found:
        if not isinstance(text, str):
            raise ConfigError(
                f"document {name!r} must be text, not {type(text).__name__}",
                where=where,
                hint="give a text, a list of texts, or a mapping of id to text",
            )
    kept = [(name, text) for name, text in found if text.strip()]
    if not kept and not may_be_empty:
        raise ConfigError("holds no text", where=where, hint="there is nothing to hold the answer against")
    return kept


def _pairs(given: Any, key: str, where: str) -> Sequence[tuple[str, Any]]:
    if isinstance(given, str):
        return [(key, given)]
    if isinstance(given, Mapping):
        return [(str(name), text) for name, text in given.items()]
    if isinstance(given, Sequence) and not isinstance(given, bytes | bytearray):
        return [(str(index), text) for index, text in enumerate(given)]
    raise ConfigError(
        f"must be text, a list of texts or a mapping of id to text, not {type(given).__name__}", where=where
    )
