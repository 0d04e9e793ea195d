"""Is a text positive, neutral or negative?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guards.checks.base import OnError, Unreadable, several
from guards.checks.learned.classifier import Classifier, Labels, Limit, Place, Subject
from guards.checks.learned.nli import EMBEDDED, Nli
from guards.checks.learned.zero_shot import zero_shot
from guards.checks.texts.cuts import Split, cuts
from guards.checks.texts.passages import Span
from guards.effects import Flow
from guards.errors import ConfigError
from guards.models import ModelSpec, handle_of
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["Sentiment"]

_NAMES: Final = {"positive": ("positive", "pos"), "neutral": ("neutral", "neu"), "negative": ("negative", "neg")}
_HYPOTHESES: Final = {"positive": "The author is happy.", "negative": "The author is unhappy."}
"""Of seven pairs tried, what parts 60 sentences of ours best at the middle of the scale. None was found for neutral."""
_EXAMPLE: Final = "cardiffnlp/twitter-roberta-base-sentiment-latest"


class Sentiment(Classifier):
    """The sentiment of the value's texts is not one that is forbidden, or is one that is required.

    Args:
        forbid: `"positive"`, `"neutral"`, `"negative"`, several of them, or a mapping of them to the probability that
            each may reach; `"negative"` where neither this nor `require` is given.
        require: likewise, with the probability that each must reach.
        model: a classifier of sentiment with these labels: an id, a folder, an endpoint, a `ModelSpec`, or a function
            of a list of texts that gives the probability of each label named here. Without one, the embedded NLI model
            tells which of "The author is happy." and "The author is unhappy." a text entails more; a
            `ModelSpec("pairs", …)` is another NLI model for that. Neutral texts lie between the two, so that
            `"neutral"` needs a classifier.
        threshold: the score below which a text is refused, on the scale of `Classifier`.
        split: as for `Classifier`.

    Code: `sentiment.unwanted`; the finding is otherwise that of `Classifier`.
    """

    def __init__(
        self,
        *,
        forbid: Labels | None = None,
        require: Labels | None = None,
        model: Model | ModelSpec | None = None,
        threshold: float = 0.5,
        split: Split = "windows",
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        if forbid is None and require is None:
            forbid = "negative"
        entails = model is None or (isinstance(model, ModelSpec) and model.task == "pairs")
        super().__init__(
            # The base takes a classifier only; where NLI stands in for one, its spec is put in place below.
            EMBEDDED if model is None or entails else model,
            forbid=_named(forbid),
            require=_named(require),
            threshold=threshold,
            split=split,
            name=name,
            on_fail=on_fail,
            on_error=on_error,
            unreadable=unreadable,
            timeout=timeout,
        )
        self._entails = entails
        if entails:
            if any(limit.names[0] == "neutral" for limit in self._limits):
                raise ConfigError(
                    "NLI does not tell what is neutral",
                    where="Sentiment(forbid=, require=)",
                    hint=f"model={_EXAMPLE!r}",
                )
            self._spec = Nli.of(model).spec
            self.cost = 3

    def _cuts(self, text: str) -> list[Span]:
        if not self._entails:
            return super()._cuts(text)
        handle = handle_of(self._spec)
        # The hypothesis stands beside the text, and a mark between them.
        return cuts(text, handle, self._together, spare=2 + max(len(handle.spans(h)) for h in _HYPOTHESES.values()))

    def _rows(self, parts: Sequence[str]) -> Flow[list[Sequence[float]]]:
        if not self._entails:
            return (yield from super()._rows(parts))
        columns = [list(_HYPOTHESES).index(limit.names[0]) for limit in self._limits]
        entailed = yield from zero_shot(Nli(self._spec), parts, list(_HYPOTHESES.values()))
        return [[_share(row, column) for column in columns] for row in entailed]

    def _words(self, subject: Subject, limit: Limit, worst: Place, probability: float) -> tuple[str, str]:
        how = f"{'must not' if limit.forbidden else 'must'} be {limit.names[0]} in tone"
        return "sentiment.unwanted", f"{how} (it is with probability {probability:.2f})"

    def _lacks(self, limit: Limit) -> Any:
        return super()._lacks(limit).replace(code="sentiment.unwanted")


def _named(labels: Labels | None) -> Labels | None:
    """Each sentiment by all of its names. Raises ConfigError for what is none."""
    if labels is None:
        return None
    names = labels if isinstance(labels, Mapping) else several(labels)
    if not isinstance(names, Mapping | tuple):
        names = (names,)
    given = list(names.items()) if isinstance(names, Mapping) else [(name, 0.5) for name in names]
    for label, _ in given:
        if not isinstance(label, str) or label not in _NAMES:
            raise ConfigError(
                f"{label!r} is no sentiment",
                where="Sentiment(forbid=, require=)",
                hint=f"use {', '.join(_NAMES)}; for other labels there is Classifier(model, forbid=...)",
            )
    return {_NAMES[str(label)]: at for label, at in given}


def _share(entailed: Sequence[float], column: int) -> float:
    """How much of what is entailed at all is this one; as much as the others where nothing is."""
    total = sum(entailed)
    return entailed[column] / total if total else 1 / len(entailed)
