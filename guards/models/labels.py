"""Which score of a model is which: labels are found by their names, never by a place that some family is known for.

Two NLI models of one family may have their labels in another order, and no row of numbers would show it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from guards.errors import ConfigError

__all__ = ["named", "nli_positions", "nli_scores", "position"]

_SAYS_NOTHING: Final = re.compile(r"label \d+|\d+")
"""What transformers writes where whoever trained a model named nothing (LABEL_0)."""

_OVERRIDE: Final = "name them in their order: ModelSpec(..., labels=(...))"
_NOT_ENTAILMENT: Final = ("not entailment", "non entailment", "no entailment")


def named(own: tuple[str, ...], given: tuple[str, ...] | None, model: str) -> tuple[str, ...]:
    """A loaded model's labels: its own, or those that its spec gives to their places.

    Raises ConfigError where these are not as many.
    """
    if given is not None and len(given) != len(own):
        raise ConfigError(
            f"{model} has {len(own)} labels ({_listed(own)}), not {len(given)}",
            where="labels=",
            hint="name each of them",
        )
    return own if given is None else given


def position(labels: Sequence[str], wanted: str | Sequence[str], where: str) -> int:
    """The index of a label by its name, or by the first that there is of several names for the same.

    Case does not count, nor whether words are joined by a blank, `_` or `-`. `where` names the parameter that asked.
    Raises ConfigError, with the names that the model has: for a name that is not there, or there twice.
    """
    names = [_plain(label) for label in labels]
    asked = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for name in map(_plain, asked):
        if names.count(name) > 1:
            raise ConfigError(
                f"the model has the label {name!r} more than once: {_listed(labels)}", where=where, hint=_OVERRIDE
            )
        if name in names:
            return names.index(name)
    raise ConfigError(f"the model has no label {' or '.join(map(repr, asked))}{_has(labels, names)}", where=where)


def nli_positions(labels: Sequence[str]) -> tuple[int, int, int | None]:
    """The indices of entailment, neutral and contradiction among the labels of an NLI model.

    A model of two labels (entailment, not_entailment) has no contradiction, so the last is None: what it does not take
    for entailed is told as neutral, since not being supported is all that such a model can say. Raises ConfigError
    for other labels.
    """
    names = [_plain(label) for label in labels]
    if len(names) == 2 and any(name in _NOT_ENTAILMENT for name in names):
        return position(labels, "entailment", "model="), position(labels, _NOT_ENTAILMENT, "model="), None
    if len(names) != 3:
        raise ConfigError(f"this is no NLI model: it has {len(names)} labels{_has(labels, names)}", where="model=")
    entailment, neutral, contradiction = (
        position(labels, name, "model=") for name in ("entailment", "neutral", "contradiction")
    )
    return entailment, neutral, contradiction


def nli_scores(row: Sequence[float], positions: tuple[int, int, int | None]) -> tuple[float, float, float]:
    """A row as (entailment, neutral, contradiction), each from 0 to 1; 0 for a contradiction that is never told."""
    entailment, neutral, contradiction = positions
    return row[entailment], row[neutral], 0.0 if contradiction is None else row[contradiction]


def _plain(label: str) -> str:
    return " ".join(re.split(r"[\s_-]+", label.strip().casefold()))


def _has(labels: Sequence[str], names: Sequence[str]) -> str:
    """The end of a message: what there is, and what to do where that says nothing."""
    if names and all(map(_SAYS_NOTHING.fullmatch, names)):
        return f"; its labels say nothing ({_listed(labels)}): {_OVERRIDE}"
    return f"; it has {_listed(labels)}" if labels else "; it names none"


def _listed(labels: Sequence[str]) -> str:
    """All of a few; the beginning of a long list."""
    shown = ", ".join(map(repr, labels[:20]))
    return shown if len(labels) <= 20 else f"{shown} and {len(labels) - 20} more"
