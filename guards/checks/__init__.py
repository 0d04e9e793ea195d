"""The guards. One guard, or one family, per file; `base` holds what they share.

Each is loaded when it is first named, so that a rule does not bring the libraries of its neighbours with it. What runs
guards over many values stands above them, in `guards.bulk`, and can be had from here too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.bulk import calibrate, score_many
    from guards.checks.base import Guard, Scored, check
    from guards.checks.calibration import Calibration
    from guards.checks.cascade import Cascade
    from guards.checks.classifier import Classifier
    from guards.checks.entailment import Entailment
    from guards.checks.intent import Intent
    from guards.checks.judge import Criterion, Judge
    from guards.checks.language import Language
    from guards.checks.length import Length
    from guards.checks.one_of import OneOf
    from guards.checks.pattern import Pattern
    from guards.checks.prompt_injection import PromptInjection
    from guards.checks.range import Range
    from guards.checks.self_consistency import SelfConsistency
    from guards.checks.sentiment import Sentiment
    from guards.checks.similarity import Similarity
    from guards.checks.topic import Topic
    from guards.checks.toxicity import Toxicity

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
    "Calibration": "calibration",
    "Cascade": "cascade",
    "Classifier": "classifier",
    "Criterion": "judge",
    "Entailment": "entailment",
    "Guard": "base",
    "Intent": "intent",
    "Judge": "judge",
    "Language": "language",
    "Length": "length",
    "OneOf": "one_of",
    "Pattern": "pattern",
    "PromptInjection": "prompt_injection",
    "Range": "range",
    "Scored": "base",
    "SelfConsistency": "self_consistency",
    "Sentiment": "sentiment",
    "Similarity": "similarity",
    "Topic": "topic",
    "Toxicity": "toxicity",
    "calibrate": "guards.bulk",
    "check": "base",
    "score_many": "guards.bulk",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(import_module(home if "." in home else f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
