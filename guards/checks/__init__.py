"""The guards. One guard, or one family, per file; `base` holds what they share.

Each is loaded when it is first named, so that a rule does not bring the libraries of its neighbours with it. What runs
guards over many values stands above them, in `guards.measuring.many`, and can be had from here too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.checks.asked.judge import Criterion, Judge
    from guards.checks.asked.self_consistency import SelfConsistency
    from guards.checks.base import Guard, Scored, check
    from guards.checks.calibrated.calibration import Calibration
    from guards.checks.combined.cascade import Cascade
    from guards.checks.learned.classifier import Classifier
    from guards.checks.learned.entailment import Entailment
    from guards.checks.learned.intent import Intent
    from guards.checks.learned.language import Language
    from guards.checks.learned.prompt_injection import PromptInjection
    from guards.checks.learned.sentiment import Sentiment
    from guards.checks.learned.similarity import Similarity
    from guards.checks.learned.topic import Topic
    from guards.checks.learned.toxicity import Toxicity
    from guards.checks.rules.length import Length
    from guards.checks.rules.one_of import OneOf
    from guards.checks.rules.pattern import Pattern
    from guards.checks.rules.range import Range
    from guards.measuring.many import calibrate, score_many

__all__ = [
    "Calibration",
    "Cascade",
    "Classifier",
    "Criterion",
    "Entailment",
    "Guard",
    "Intent",
    "Judge",
    "Language",
    "Length",
    "OneOf",
    "Pattern",
    "PromptInjection",
    "Range",
    "Scored",
    "SelfConsistency",
    "Sentiment",
    "Similarity",
    "Topic",
    "Toxicity",
    "calibrate",
    "check",
    "score_many",
]

_HOMES: Final = {
    "guards.checks.asked.judge": (
        "Criterion",
        "Judge",
    ),
    "guards.checks.asked.self_consistency": ("SelfConsistency",),
    "guards.checks.base": (
        "Guard",
        "Scored",
        "check",
    ),
    "guards.checks.combined.cascade": ("Cascade",),
    "guards.checks.learned.classifier": ("Classifier",),
    "guards.checks.learned.entailment": ("Entailment",),
    "guards.checks.learned.intent": ("Intent",),
    "guards.checks.learned.language": ("Language",),
    "guards.checks.learned.prompt_injection": ("PromptInjection",),
    "guards.checks.learned.sentiment": ("Sentiment",),
    "guards.checks.learned.similarity": ("Similarity",),
    "guards.checks.learned.topic": ("Topic",),
    "guards.checks.learned.toxicity": ("Toxicity",),
    "guards.checks.rules.length": ("Length",),
    "guards.checks.rules.one_of": ("OneOf",),
    "guards.checks.rules.pattern": ("Pattern",),
    "guards.checks.rules.range": ("Range",),
    "guards.checks.calibrated.calibration": ("Calibration",),
    "guards.measuring.many": (
        "calibrate",
        "score_many",
    ),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
