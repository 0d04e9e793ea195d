"""Labels of a text by a classification model: what it must not read as, and what it must.

Toxicity, prompt injection, sentiment and language are this guard with a model, labels and words of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from guards.checks.base import Guard, OnError, Scored, Unreadable, Verdict, check_threshold
from guards.checks.texts.cuts import SPLITS, Split, cuts
from guards.checks.texts.letters import plain_letters
from guards.checks.texts.passages import Span
from guards.checks.texts.texts import texts_of
from guards.context import Context
from guards.effects import Flow, Load, Rows, worked
from guards.errors import ConfigError
from guards.findings import Finding
from guards.models import ModelSpec, handle_of, position
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["Classifier", "Labels", "Limit", "Place", "Subject", "limits"]

Labels: TypeAlias = "str | Sequence[str] | Mapping[str | tuple[str, ...], float]"
"""One label, several, or each with the probability that is its limit (0.5 where none is given)."""

_MOST_PASSAGES: Final = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """How probable a label may be at most, if it is forbidden; else how probable it must be at least.

    `names` are those that models have for this label: the first that a model knows is taken.
    """

    names: tuple[str, ...]
    at: float
    forbidden: bool

    def score(self, probability: float) -> float:
        """How acceptable that is: 0.5 at the limit, and linear from there to 0 and to 1."""
        good, needed = (1 - probability, 1 - self.at) if self.forbidden else (probability, self.at)
        return good / needed / 2 if good < needed else 0.5 + (good - needed) / (1 - needed) / 2


@dataclass(frozen=True, slots=True)
class Subject:
    """A text that is judged: one of the value's, or a document of the context."""

    path: str
    text: str
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What the model said of a part of a text: the probability of each limit's label, then what else a guard keeps."""

    span: Span
    row: Sequence[float]


class Classifier(Guard):
    """A text must not have a label of a text-classification model, or must have one.

    Args:
        model: an id, a folder, an endpoint, a `ModelSpec`, or a function of a list of texts; a function gives, for each
            text, one probability for each label named here, `forbid` first.
        forbid: a label, several, or a mapping of label to the probability that it may reach. A key of the mapping may
            be a tuple of names, for one label that models call differently.
        require: likewise, with the probability that it must reach.
        threshold: the score below which the text is refused. At 0.5 the limits are what `forbid` and `require` say.
        split: what the model is shown: `"windows"`, all of the text, in overlapping windows where it is longer than the
            model's input; `"sentences"`, each by itself; `"both"`.

    The worst part counts, for what is forbidden and for what is required, and the worst text where the value has
    several. The score is 0.5 where a probability stands at its limit, with 0.5 for a limit `1 - probability` of a
    forbidden label and the probability of a required one. A value without any text has nothing that is forbidden
    (score 1), and lacks what is required (score 0).

    Codes: `classifier.forbidden`, `classifier.required`. The finding's `path` is that of the text, `actual` the worst
    part, and `evidence` has the label and up to five parts, the worst first: `span` in characters, and `probability`.
    """

    cost = 2

    def __init__(
        self,
        model: Model | ModelSpec,
        *,
        forbid: Labels | None = None,
        require: Labels | None = None,
        threshold: float = 0.5,
        split: Split = "windows",
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        where = type(self).__name__
        self._limits = (*limits(forbid, f"{where}(forbid=)", True), *limits(require, f"{where}(require=)", False))
        if not self._limits:
            raise ConfigError("no label is named", where=f"{where}()", hint='forbid="toxic", or require="polite"')
        names = tuple(limit.names[0] for limit in self._limits)
        if len(set(names)) < len(names):
            raise ConfigError(f"a label is named twice: {', '.join(names)}", where=f"{where}(forbid=, require=)")
        if not isinstance(split, str) or split not in SPLITS:
            raise ConfigError(f"unknown split {split!r}", where=f"{where}(split=)", hint=f"use one of {list(SPLITS)}")
        self._spec = ModelSpec.of(model, "classification", "", names)
        self._together = SPLITS[split]
        self.threshold = check_threshold(threshold, f"{where}(threshold=)")
        # A streamed sentence is judged by itself where sentences are anyway, and lacks nothing yet that may follow.
        self.partial = 1 in self._together and all(limit.forbidden for limit in self._limits)
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        return (self._spec,)

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        subjects = self._subjects(value, context)
        if not subjects and (lacking := [limit for limit in self._limits if not limit.forbidden]):
            return Scored(0.0, [self._lacks(limit) for limit in lacking])
        return Scored(*(yield from self._judged(subjects)))

    def _subjects(self, value: Any, context: Context) -> list[Subject]:
        return [Subject(path, text) for path, text in texts_of(value) if text.strip()]

    def _judged(self, subjects: Sequence[Subject]) -> Flow[tuple[float, list[Finding]]]:
        """The lowest score, and the findings."""
        if not subjects:
            return 1.0, []
        yield Load(self._spec)
        size = sum(len(subject.text) for subject in subjects)
        spans, parts = yield from worked(partial(self._parts, subjects), size)
        rows = iter((yield from self._rows(parts)) if parts else ())
        lowest, findings = 1.0, list[Finding]()
        for subject, cut in zip(subjects, spans, strict=True):
            places = [Place(span, next(rows)) for span in cut]
            for index, limit in enumerate(self._limits):
                scored = sorted(((limit.score(place.row[index]), place) for place in places), key=_worst_first)
                lowest = min(lowest, scored[0][0])
                if bad := [place for score, place in scored if score < self.threshold]:
                    findings.append(self._finding(subject, index, bad, scored[0][0]))
        return lowest, findings

    def _parts(self, subjects: Sequence[Subject]) -> tuple[list[list[Span]], list[str]]:
        """Where each text is cut, and all parts as the model reads them."""
        texts = [plain_letters(subject.text) for subject in subjects]
        spans = [self._cuts(text) for text in texts]
        return spans, [text[slice(*span)] for text, cut in zip(texts, spans, strict=True) for span in cut]

    def _cuts(self, text: str) -> list[Span]:
        return cuts(text, handle_of(self._spec), self._together)

    def _rows(self, parts: Sequence[str]) -> Flow[list[Sequence[float]]]:
        """The probability of each limit's label, for each part."""
        rows = yield Rows(self._spec, parts)
        labels = handle_of(self._spec).labels
        columns = [position(labels, limit.names, type(self).__name__) for limit in self._limits]
        return [[row[column] for column in columns] for row in rows]

    def _finding(self, subject: Subject, index: int, bad: Sequence[Place], score: float) -> Finding:
        limit = self._limits[index]
        code, message = self._words(subject, limit, bad[0], bad[0].row[index])
        evidence: dict[str, Any] = {
            "label": limit.names[0],
            "passages": [{"span": list(place.span), "probability": place.row[index]} for place in bad[:_MOST_PASSAGES]],
        }
        if subject.document is not None:
            evidence["document"] = subject.document
        return Finding(
            code,
            message,
            path=subject.path,
            score=score,
            threshold=self.threshold,
            evidence=evidence,
            actual=subject.text[slice(*bad[0].span)],
        )

    def _words(self, subject: Subject, limit: Limit, worst: Place, probability: float) -> tuple[str, str]:
        """The code and the message of a finding."""
        label = limit.names[0]
        if limit.forbidden:
            return "classifier.forbidden", f"must not read as {label}, and does (probability {probability:.2f})"
        return "classifier.required", f"must read as {label}, and does not (probability {probability:.2f})"

    def _lacks(self, limit: Limit) -> Finding:
        message = f"must read as {limit.names[0]}, and holds no text"
        return Finding("classifier.required", message, score=0.0, threshold=self.threshold)


def limits(labels: Labels | None, where: str, forbidden: bool) -> tuple[Limit, ...]:
    """Labels as limits. Raises ConfigError for what is no label and for a limit that is no probability."""
    if isinstance(labels, str):
        labels = (labels,)
    if not isinstance(labels, Mapping | Sequence | None) or isinstance(labels, bytes):
        raise ConfigError(
            f"{type(labels).__name__} is no label, list or mapping of labels",
            where=where,
            hint="a set has no order, by which a function's scores are told apart: write a list",
        )
    given = labels.items() if isinstance(labels, Mapping) else [(label, 0.5) for label in labels or ()]
    made = [Limit(names if isinstance(names, tuple) else (names,), at, forbidden) for names, at in given]
    for limit in made:
        if not limit.names or not all(isinstance(name, str) and name.strip() for name in limit.names):
            raise ConfigError(f"{limit.names!r} names no label", where=where)
        if check_threshold(limit.at, where) in (0, 1):
            raise ConfigError(f"a limit of {limit.at} would hold for every text, or for none", where=where)
    return tuple(made)


def _worst_first(scored: tuple[float, Place]) -> tuple[float, int]:
    """Of equals, the shorter says better where it is."""
    score, place = scored
    return score, place.span[1] - place.span[0]
