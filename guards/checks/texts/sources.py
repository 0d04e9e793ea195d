"""What a guard compares an answer with: the texts under a key of the context, each by the id that evidence names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from guards.context import Context
from guards.errors import ConfigError
from guards.values.text_units import LETTER

__all__ = ["Documents", "documents", "documents_of"]

Documents: TypeAlias = "list[tuple[str, str]]"
"""Pairs of id and text."""


def documents(context: Context, key: str, *, may_be_empty: bool = False, wordless: bool = False) -> Documents:
    """The documents under a key, as `documents_of`. ConfigError for a key that is not there, too."""
    where = f"context[{key!r}]"
    if key not in context:
        raise ConfigError("is missing", where=where, hint=f"pass context={{{key!r}: …}}")
    return documents_of(context[key], where, key, may_be_empty=may_be_empty, wordless=wordless)


def documents_of(
    given: Any, where: str, name: str = "0", *, may_be_empty: bool = False, wordless: bool = False
) -> Documents:
    """The documents in one text (its id is `name`), a list (ids "0", "1", …), or a mapping of id to text.

    Texts without a letter or a digit are left out; with `wordless` those alone that are blank. Raises ConfigError for
    what is no text, and, unless `may_be_empty`, where nothing is left: an answer cannot be held against nothing.
    """
    found = list(_pairs(given, where, name))
    for one, text in found:
        if not isinstance(text, str):
            raise ConfigError(
                f"document {one!r} must be text, not {type(text).__name__}",
                where=where,
                hint="give a text, a list of texts, or a mapping of id to text",
            )
    kept = [(one, text) for one, text in found if (text.strip() if wordless else LETTER.search(text))]
    if not kept and not may_be_empty:
        raise ConfigError("holds no text", where=where, hint="there is nothing to hold the answer against")
    return kept


def _pairs(given: Any, where: str, name: str) -> Sequence[tuple[str, Any]]:
    if isinstance(given, str):
        return [(name, given)]
    if isinstance(given, Mapping):
        return [(str(one), text) for one, text in given.items()]
    if isinstance(given, Sequence) and not isinstance(given, bytes | bytearray):
        return [(str(index), text) for index, text in enumerate(given)]
    raise ConfigError(
        f"must be text, a list of texts or a mapping of id to text, not {type(given).__name__}", where=where
    )
