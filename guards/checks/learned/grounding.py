"""How well is a claim grounded in documents? The passages about it, what an NLI model says of each, and one score.

A claim is held against passages of a few sentences, not against a whole document that a model would have to cut: those
are asked about that are nearest by their vectors and by the words that they share (Laban et al. 2022, SummaC, split
documents too, but ask about every pair).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import mul
from typing import Any, Final

from guards.checks.learned.encoder import EMBEDDED as ENCODER
from guards.checks.learned.encoder import Encoder, cosine
from guards.checks.learned.nli import EMBEDDED as NLI
from guards.checks.learned.nli import Nli, Probabilities
from guards.checks.texts.lexical import Lexicon, coverage, names, numbers, stems
from guards.checks.texts.passages import Span, sentences, windows
from guards.checks.texts.sources import Documents
from guards.effects import Flow, LongWork, Rows
from guards.models import Handle, handle_of

__all__ = ["Corpus", "Evidence", "Grounding", "Passage", "ground", "room_for"]

_MOST_SEARCHED: Final = 1_000_000
"""Characters of all documents together, some 150,000 words."""
_MOST_COMPARED: Final = 1_000_000
"""Claims times passages: half a minute without the models."""
_PASSAGE: Final = 64
"""The most tokens of one passage; a longer sentence is cut."""
_MARKS: Final = 3
"""Tokens that a model puts around and between two texts."""
_NEAREST: Final = 3
"""Passages that the NLI model is asked about, for each claim."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document, with its place in characters."""

    document: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one passage says of a claim: two probabilities; and how near it is: cosine, share of the claim's words."""

    passage: Passage
    entailment: float
    contradiction: float
    cosine: float
    shared: float

    def told(self) -> dict[str, Any]:
        """As plain data, for a finding."""
        return {
            "document": self.passage.document,
            "start": self.passage.span[0],
            "end": self.passage.span[1],
            "text": self.passage.text,
            "entailment": round(self.entailment, 4),
            "contradiction": round(self.contradiction, 4),
        }


@dataclass(frozen=True, slots=True)
class Grounding:
    """What the documents say of a claim.

    `evidence` is in the order of nearness; `shared` the share of the claim's words that some document has; the absent
    numbers and names of the claim are those that no document has. `calibrated`: whether the score is that of the
    embedded models; with others it is the probability of entailment alone.
    """

    claim: str
    evidence: tuple[Evidence, ...]
    shared: float
    absent_numbers: tuple[str, ...] = ()
    absent_names: tuple[str, ...] = ()
    calibrated: bool = True

    @property
    def features(self) -> tuple[float, ...]:
        """What a calibrated score is made of; neither the length of the claim nor a count that grows with it."""
        nearest = max(self.evidence, key=lambda one: one.cosine + one.shared)
        return (
            max(map(_decided, self.evidence)),
            _decided(nearest),
            max(one.shared for one in self.evidence),
            self.shared,
            float(bool(self.absent_numbers)),
            float(bool(self.absent_names)),
        )

    @property
    def score(self) -> float:
        """How likely the claim is supported, 0 to 1; below 0.5 where a passage contradicts it."""
        score = max(one.entailment for one in self.evidence)
        if self.calibrated:
            score = _sigmoid(_BIAS + math.fsum(map(mul, _WEIGHTS, self.features)))
        against = self.contradicting
        return score if against is None else min(score, 1 - against.contradiction)

    @property
    def contradicting(self) -> Evidence | None:
        """The passage that is about the claim and contradicts it, if one does."""
        worst = max(self.evidence, key=lambda one: one.contradiction)
        best = max(one.entailment for one in self.evidence)
        about = max(worst.cosine, worst.shared) >= _ABOUT
        return worst if about and worst.contradiction > max(_CONTRADICTED, best) else None

    @property
    def decisive(self) -> list[Evidence]:
        """The evidence with the one first that a refusal rests on: what contradicts, else what comes nearest."""
        worst = self.contradicting
        return sorted(self.evidence, key=lambda one: one is not worst)


class Corpus:
    """Documents cut into passages, with what the search in them needs; made once for all claims of an answer.

    Raises ValueError for more than a million characters.
    """

    def __init__(self, documents: Documents, nli: Nli) -> None:
        size = sum(len(text) for _, text in documents)
        if size > _MOST_SEARCHED:
            raise ValueError(
                f"sources of {size:,} characters are more than the {_MOST_SEARCHED:,} that are searched: give those "
                "that the answer was made from"
            )
        self.passages = [passage for name, text in documents for passage in _passages(name, text, nli)]
        self._text = "\n".join(text for _, text in documents)

    @cached_property
    def stems(self) -> list[frozenset[str]]:
        return [frozenset(stems(passage.text)) for passage in self.passages]

    @cached_property
    def lexicon(self) -> Lexicon:
        return Lexicon.of(self.stems)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset().union(*self.stems)

    @cached_property
    def _numbers(self) -> frozenset[float]:
        return frozenset().union(*numbers(self._text).values())

    @cached_property
    def _lowered(self) -> str:
        return self._text.lower()

    def absent_numbers(self, claim: str) -> tuple[str, ...]:
        """The claim's numbers, as it writes them, whose values no document has."""
        return tuple(written for written, values in numbers(claim).items() if values.isdisjoint(self._numbers))

    def absent_names(self, claim: str) -> tuple[str, ...]:
        """The claim's names that no document has."""
        return tuple(dict.fromkeys(name for name in names(claim) if name not in self._lowered))


def room_for(question: str, nli: Nli) -> int | None:
    """The most tokens of a claim that the model sees whole, beside a passage and the question before it; None where its
    limit is not known.

    Raises ValueError for a question that leaves less than a quarter of it.
    """
    handle = handle_of(nli.spec)
    if handle.limit is None:
        return None
    room = max(1, handle.limit - _MARKS - handle.limit // 16 - _passage_size(handle))  # as in `texts.cuts`
    taken = len(handle.spans(question)) if question else 0
    if taken > room - room // 4:
        raise ValueError(
            f"a question of {taken} tokens leaves no room for a claim beside it: {room - room // 4} would do"
        )
    return room - taken


def ground(claims: Sequence[str], corpus: Corpus, encoder: Encoder | None, nli: Nli) -> Flow[list[Grounding]]:
    """One `Grounding` per claim, by two questions to models: for the vectors of all texts, and for all pairs.

    Without an encoder, the words alone say what is near. Raises ValueError for more claims and passages than can be
    compared in reasonable time.
    """
    if len(claims) * len(corpus.passages) > _MOST_COMPARED:
        raise ValueError(
            f"{len(claims):,} claims and {len(corpus.passages):,} passages are too many to be compared: give the "
            "sources that the answer was made from, or judge the answer in parts"
        )
    near = yield from _near(claims, corpus, encoder)
    pairs = [(one.passage.text, claim) for claim, found in zip(claims, near, strict=True) for one in found]
    said = iter(nli.named((yield Rows(nli.spec, pairs))))
    calibrated = encoder is not None and (nli.spec.model, encoder.spec.model) == (NLI, ENCODER)
    return (yield LongWork(partial(_grounded, claims, corpus, near, said, calibrated)))  # type: ignore[no-any-return]


def _grounded(
    claims: Sequence[str],
    corpus: Corpus,
    near: Sequence[Sequence[_Near]],
    said: Iterator[Probabilities],
    calibrated: bool,
) -> list[Grounding]:
    return [
        Grounding(
            claim,
            tuple(one.told(next(said)) for one in found),
            coverage(stems(claim), corpus.vocabulary, corpus.lexicon),
            corpus.absent_numbers(claim),
            corpus.absent_names(claim),
            calibrated,
        )
        for claim, found in zip(claims, near, strict=True)
    ]


def _near(claims: Sequence[str], corpus: Corpus, encoder: Encoder | None) -> Flow[list[list[_Near]]]:
    """For each claim the passages nearest to it."""
    if encoder is None:
        alike = [0.0] * len(corpus.passages)
        return (yield LongWork(lambda: [_nearest(claim, corpus, alike) for claim in claims]))  # type: ignore[no-any-return]
    vectors = yield from encoder.vectors([*claims, *(passage.text for passage in corpus.passages)])
    others = vectors[len(claims) :]
    return (  # type: ignore[no-any-return]  # what a flow is sent is untyped here
        yield LongWork(
            lambda: [
                _nearest(claim, corpus, [cosine(vector, other) for other in others])
                for claim, vector in zip(claims, vectors, strict=False)
            ]
        )
    )


@dataclass(frozen=True, slots=True)
class _Near:
    """A passage that may speak of a claim."""

    passage: Passage
    cosine: float
    shared: float

    def told(self, said: Probabilities) -> Evidence:
        entailment, _, contradiction = said
        return Evidence(self.passage, entailment, contradiction, self.cosine, self.shared)


def _nearest(claim: str, corpus: Corpus, cosines: Sequence[float]) -> list[_Near]:
    words = stems(claim)
    found = [
        _Near(passage, near, coverage(words, has, corpus.lexicon))
        for passage, near, has in zip(corpus.passages, cosines, corpus.stems, strict=True)
    ]
    return sorted(found, key=lambda one: one.cosine + one.shared, reverse=True)[:_NEAREST]


def _passages(name: str, text: str, nli: Nli) -> Iterator[Passage]:
    handle = handle_of(nli.spec)
    tokens = handle.spans(text)
    for sentence in sentences(text):
        for start, end in windows(tokens, [sentence], _passage_size(handle)):
            yield Passage(name, (start, end), text[start:end])


def _passage_size(handle: Handle) -> int:
    return _PASSAGE if handle.limit is None else min(_PASSAGE, max(1, handle.limit // 2))


def _decided(one: Evidence) -> float:
    """How much more a passage entails the claim than it contradicts it, as a difference of logits."""
    return _logit(one.entailment) - _logit(one.contradiction)


def _logit(probability: float) -> float:
    """Bounded: what a model is sure of, and wrong, must not outweigh everything else."""
    kept = min(1 - _SURE, max(_SURE, probability))
    return math.log(kept / (1 - kept))


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number))


_SURE: Final = 0.02
_CONTRADICTED: Final = 0.5
_ABOUT: Final = 0.6
"""A passage that is less near is about something else: to a model of SNLI, what is about something else contradicts."""
_WEIGHTS: Final = (0.09, 0.07, 0.71, 1.0, -0.83, -1.42)
_BIAS: Final = -0.81
"""Of `Grounding.features`, made by training/grounding.py for the embedded models."""
