"""Structured-output guardrails for language models.

A contract says what an answer must be, guards check it, and a policy says what follows when it does not hold: asking
again with the reasons, until the answer holds or the budget ends. Start at `Guarded` and `validate`.

Names are loaded when they are first used: `import guards` brings nothing with it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.checks.base import Guard, check
    from guards.config import load
    from guards.context import Context
    from guards.errors import BudgetExhausted, ConfigError, GuardFailed, GuardsError, MissingExtra, Rejected
    from guards.events import Done, Item, Partial, Restarted, Retracted, TextPiece
    from guards.findings import NO_FIX, Finding
    from guards.guarded import Guarded
    from guards.messages import Feedback, Reply
    from guards.policies import Budget, Fallback, Filter, Fix, Noop, Raise, Reask, Reflect, Refrain
    from guards.reading.reading import Limits
    from guards.records import Attempt, Outcome, Repair, Usage
    from guards.shapes.validator import avalidate, contract, validate
    from guards.shapes.wrapping import outcome_of

__version__ = "0.1.0"

__all__ = [
    "NO_FIX",
    "Attempt",
    "Budget",
    "BudgetExhausted",
    "ConfigError",
    "Context",
    "Done",
    "Fallback",
    "Feedback",
    "Filter",
    "Finding",
    "Fix",
    "Guard",
    "GuardFailed",
    "Guarded",
    "GuardsError",
    "Item",
    "Limits",
    "MissingExtra",
    "Noop",
    "Outcome",
    "Partial",
    "Raise",
    "Reask",
    "Reflect",
    "Refrain",
    "Rejected",
    "Repair",
    "Reply",
    "Restarted",
    "Retracted",
    "TextPiece",
    "Usage",
    "avalidate",
    "check",
    "contract",
    "load",
    "outcome_of",
    "validate",
]

_HOMES: Final = {
    "guards.checks.base": ("Guard", "check"),
    "guards.shapes.wrapping": ("outcome_of",),
    "guards.config": ("load",),
    "guards.context": ("Context",),
    "guards.reading.reading": ("Limits",),
    "guards.errors": ("BudgetExhausted", "ConfigError", "GuardFailed", "GuardsError", "MissingExtra", "Rejected"),
    "guards.findings": ("NO_FIX", "Finding"),
    "guards.guarded": ("Guarded",),
    "guards.messages": ("Feedback", "Reply"),
    "guards.policies": ("Budget", "Fallback", "Filter", "Fix", "Noop", "Raise", "Reask", "Reflect", "Refrain"),
    "guards.records": ("Attempt", "Outcome", "Repair", "Usage"),
    "guards.events": ("Done", "Item", "Partial", "Restarted", "Retracted", "TextPiece"),
    "guards.shapes.validator": ("avalidate", "contract", "validate"),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
