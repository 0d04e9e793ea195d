"""Is a text toxic: an insult, a threat, hate?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from guards.checks.base import OnError, Unreadable
from guards.checks.learned.classifier import Classifier, Limit, Place, Subject
from guards.checks.texts.cuts import Split
from guards.models import ModelSpec
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["Toxicity"]

EMBEDDED: Final = "embedded:toxicity"
_NAMES: Final = ("toxic", "toxicity")
"""How models call it: the embedded one, unitary/toxic-bert and Detoxify's others."""


class Toxicity(Classifier):
    """No text of the value is toxic.

    Args:
        model: the embedded classifier by default; an id, a folder, an endpoint, a `ModelSpec`, or a function of a list
            of texts that gives the probability of each label for each.
        labels: of the model, each of them forbidden; by default `toxic`, or `toxicity` where it is called so.
        threshold: the score below which a text is refused. The score is 1 less the probability of the label, at the
            worst part of the worst text; 1 for a value without text.
        split: as for `Classifier`; by default each sentence and the whole, since one insult in a long text says little
            about the whole of it.

    Code: `toxicity.toxic`; the finding is otherwise that of `Classifier`.
    """

    def __init__(
        self,
        *,
        model: Model | ModelSpec | None = None,
        labels: str | Sequence[str] | None = None,
        threshold: float = 0.5,
        split: Split = "both",
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(
            EMBEDDED if model is None else model,
            forbid={_NAMES: 0.5} if labels is None else labels,
            threshold=threshold,
            split=split,
            name=name,
            on_fail=on_fail,
            on_error=on_error,
            unreadable=unreadable,
            timeout=timeout,
        )

    def _words(self, subject: Subject, limit: Limit, worst: Place, probability: float) -> tuple[str, str]:
        message = f"reads as {limit.names[0]} (probability {probability:.2f}); say it without insult, threat or hate"
        return "toxicity.toxic", message
