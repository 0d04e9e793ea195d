"""How close is an answer to a text that it should be close to, or far from? By the cosine of two vectors.

That two texts are close says that they speak of the same, not that they say the same: whether an answer is true to a
source is for entailment to judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from guards.checks.base import Guard, OnError, Scored, Unreadable, Verdict, check_threshold
from guards.checks.here import here
from guards.checks.learned.encoder import Encoder, Vector, cosine
from guards.checks.texts.parts import By, Part, check_by, parts_of
from guards.checks.texts.sources import Documents, documents, documents_of
from guards.checks.texts.texts import judged_texts
from guards.context import Context
from guards.effects import Flow, worked
from guards.errors import ConfigError
from guards.findings import Finding
from guards.models import ModelSpec
from guards.models.spec import Model
from guards.outgoing.texts import role_of, text_of
from guards.policies import Policy

__all__ = ["Similarity"]

Texts: TypeAlias = "str | Sequence[str] | Mapping[str, str]"
"""A key of the context, or the texts themselves."""

_QUESTION: Final = "question"
_LIKE: Final = 0.5
_UNLIKE: Final = 0.2


class Similarity(Guard):
    """An answer that is close to some text, or far from it.

    Args:
        like: what it must be close to: a key of the context ("reference" by default) that holds a text, a list of texts
            or a mapping of id to text; or the texts themselves, in a list or a mapping. The nearest of them
            counts. Where "question" is no key of the context, it is the user's last turn.
        unlike: in the place of `like`, what it must be far from: forbidden texts, or earlier answers under a key of the
            context, of which there may be none yet.
        by: "whole": texts as a whole. "sentence": each sentence of the answer beside the sentences of the others; its
            nearest counts, and of all sentences of the answer the one that fares worst.
        threshold: the lowest score that is accepted. The score is the cosine for `like`, and for `unlike` 1 less the
            cosine; a cosine below 0 counts as 0. By default 0.5, and 0.2 for `unlike` (no cosine above 0.8).
        model: the embedded encoder for None; an id, a folder, a `ModelSpec`, or a function of a list of texts that
            gives a vector for each.

    Every text in a value is compared by itself. One without a letter or a digit is like nothing.

    Findings: `similarity.low`, `similarity.high`, the worst first; the evidence is the place in the answer, the cosine,
    and the nearest text with its document and place. What cannot be judged is raised: TypeError for a value that holds
    no text, ValueError for a text of more than 200,000 characters, ConfigError for a context without anything to
    compare with.
    """

    cost = 1

    def __init__(
        self,
        like: Texts | None = None,
        *,
        unlike: Texts | None = None,
        by: By = "whole",
        threshold: float | None = None,
        model: Model | ModelSpec | None = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        if like is not None and unlike is not None:
            raise ConfigError("an answer is held against one thing", where="Similarity()", hint="write two guards")
        if threshold is None:
            threshold = _LIKE if unlike is None else _UNLIKE
        self.threshold = check_threshold(threshold, "Similarity(threshold=)")
        self.apart = unlike is not None
        """Whether it must be far from the others."""
        self.others = _given("reference" if like is None else like) if unlike is None else _given(unlike)
        self.by = check_by(by, "Similarity")
        self.encoder = Encoder.of(model)
        if isinstance(self.others, str) and self.others != _QUESTION:
            self.needs = (self.others,)
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        return (self.encoder.spec,)

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair of texts, -1 to 1, whatever the guard's options. Raises what the model raises."""
        return here(self._cosines(pairs))

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        texts, documents = judged_texts(value, "Similarity"), self._documents(context)
        size = sum(len(text) for _, text in (*texts, *documents))
        answered, others = yield from worked(lambda: (self._parts(texts), self._parts(documents)), size)
        worded = [part for part in answered if part.words]
        vectors = yield from self.encoder.vectors([part.words for part in (*worded, *others)])
        beside = list(zip(others, vectors[len(worded) :], strict=True))
        near = yield from worked(
            lambda: [_nearest(part, vector, beside) for part, vector in zip(worded, vectors, strict=False)], size
        )
        near += [_Near(part) for part in answered if not part.words]
        scored = sorted(((self._score(one), one) for one in near), key=lambda pair: pair[0])
        return Scored(scored[0][0], [self._finding(one, score) for score, one in scored if score < self.threshold])

    def _parts(self, texts: Documents) -> list[Part]:
        return [part for name, text in texts for part in parts_of(name, text, self.by)]

    def _cosines(self, pairs: Sequence[tuple[str, str]]) -> Flow[list[float]]:
        vectors = yield from self.encoder.vectors([text for pair in pairs for text in pair])
        return [cosine(one, other) for one, other in zip(vectors[::2], vectors[1::2], strict=True)]

    def _documents(self, context: Context) -> Documents:
        if not isinstance(self.others, str):
            return list(self.others)
        if self.others == _QUESTION and _QUESTION not in context:
            context = Context({_QUESTION: _last_question(context)})
        return documents(context, self.others, may_be_empty=self.apart)

    def _score(self, one: _Near) -> float:
        closeness = max(0.0, one.cosine)
        return 1 - closeness if self.apart else closeness

    def _finding(self, one: _Near, score: float) -> Finding:
        what = f"the sentence {one.part.quoted}" if self.by == "sentence" else "the text"
        of = "the texts given" if not isinstance(self.others, str) else f"the {self.others}"
        if not one.part.words:
            message = f"has no words that could be compared with {of}"
        elif self.apart:
            message = f"{what} is too close to {of}: cosine {one.cosine:.2f}, at most {1 - self.threshold:.2f} allowed"
        else:
            message = f"{what} is too far from {of}: cosine {one.cosine:.2f}, at least {self.threshold:.2f} needed"
        return Finding(
            "similarity.high" if self.apart else "similarity.low",
            message,
            one.part.name,
            score=score,
            threshold=self.threshold,
            evidence=one.to_dict(),
        )


@dataclass(frozen=True, slots=True)
class _Near:
    """A part of an answer and the nearest of what it was compared with; None where there was nothing."""

    part: Part
    cosine: float = 0.0
    other: Part | None = None

    def to_dict(self) -> dict[str, Any]:
        other = None if self.other is None else {"document": self.other.name, **self.other.to_dict()}
        return {**self.part.to_dict(), "cosine": round(self.cosine, 4), "nearest": other}


def _nearest(part: Part, vector: Vector, beside: Sequence[tuple[Part, Vector]]) -> _Near:
    cosines = [(cosine(vector, theirs), index) for index, (_, theirs) in enumerate(beside)]
    if not cosines:
        return _Near(part)
    best, index = max(cosines)
    return _Near(part, best, beside[index][0])


def _last_question(context: Context) -> str:
    turns = [text_of(turn.get("content")) for turn in context.asked if role_of(turn) == "user"]
    if not turns:
        raise ConfigError(
            "there is no question to compare with",
            where="Similarity('question')",
            hint="pass context={'question': …}, or call with messages that hold a user's turn",
        )
    return turns[-1]


def _given(texts: Texts) -> str | tuple[tuple[str, str], ...]:
    """A key, or the texts with their ids."""
    if isinstance(texts, str):
        if not texts.strip():
            raise ConfigError("the key of the context is empty", where="Similarity()", hint="a text goes in a list")
        return texts
    return tuple(documents_of(texts, "Similarity()"))
