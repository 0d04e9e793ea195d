"""Is an answer grounded in its sources? Each of its claims is held against the passages that are about it.

What the models are asked, and how what they say becomes one score, is `learned.grounding`; here are the guard's
options, its verdicts and what it proposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args
from unicodedata import category

from guards.checks.base import Guard, OnError, Scored, Unreadable, Verdict, check_threshold
from guards.checks.learned.encoder import MOST_CHARS, Encoder
from guards.checks.learned.grounding import Corpus, Grounding, ground, room_for
from guards.checks.learned.nli import Nli
from guards.checks.texts.cuts import fitting
from guards.checks.texts.letters import plain_letters
from guards.checks.texts.passages import Span, sentences
from guards.checks.texts.sources import documents
from guards.checks.texts.texts import judged_texts
from guards.context import Context
from guards.effects import Flow, Load, LongWork
from guards.errors import ConfigError, MissingExtra
from guards.findings import NO_FIX, Finding
from guards.models import ModelSpec, handle_of
from guards.models.spec import Model
from guards.policies import Policy

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

__all__ = ["Entailment"]

Per = Literal["sentence", "answer"]
_SAID = {"contradicted": "contradicted by", "unsupported": "not supported by"}
_SHOWN = 2
"""Passages in the evidence of a finding."""


class Entailment(Guard):
    """An answer whose every claim is supported by the sources.

    Args:
        source: the key of the context that holds the sources: a text, a list of texts, or a mapping of id to text.
        per: what is one claim: a "sentence" of a text, or the whole "answer". One that is too long for the model to see
            whole beside a passage is judged in parts, each of them a claim.
        threshold: the lowest score of a claim that is accepted, 0 to 1. For the embedded model 0.5 was calibrated (see
            docs/models/nli.md); for another, calibrate it on rows of your own.
        allow_unsupported: claims that may fall below it in one answer, as a number, or as a share of them (a float
            below 1). They are shown as warnings. One that the sources contradict is never allowed.
        question: the key of the context that holds the question; short answers ("in 1904") are claims only with it.
        model: the NLI model: the embedded one for None; an id, a folder, a `ModelSpec`, or a function of a list of
            (premise, hypothesis) pairs that gives (entailment, neutral, contradiction), or entailment alone.
        encoder: likewise the model whose vectors find the passages that a claim is held against; False for none: they
            are found by their words alone.

    The score is that of the claim that fares worst, among those that count. Every text in a value is judged; at one
    place, use `.on()` or `Annotated`. Findings, worst first: `nli.contradicted` and `nli.unsupported`; the evidence has
    the claim with its place, what of it occurs in no source, and the nearest passages with document, place and
    probabilities; the proposed fix of a text is the same text without the refused sentences.

    What cannot be judged is raised: TypeError for a value without text, ConfigError for a source that is empty or no
    text, ValueError for a question that leaves no room for a claim, for an answer of more than 200,000 characters, for
    sources of more than a million, and where a million comparisons of a claim with a passage would not do.
    """

    cost = 3

    def __init__(
        self,
        source: str = "source",
        *,
        per: Per = "sentence",
        threshold: float = 0.5,
        allow_unsupported: float = 0,
        question: str | None = None,
        model: Model | ModelSpec | None = None,
        encoder: Model | ModelSpec | Literal[False] | None = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        if per not in get_args(Per):
            raise ConfigError(f"unknown per {per!r}", where="Entailment(per=)", hint=f"use one of {get_args(Per)}")
        for key, option in (("source", source), ("question", question)):
            if option is not None and not (isinstance(option, str) and option):
                raise ConfigError(f"{option!r} is no key of a context", where=f"Entailment({key}=)")
        self.source = source
        self.per: Per = per
        self.threshold = check_threshold(threshold, "Entailment(threshold=)")
        self.allow_unsupported = _check_allowed(allow_unsupported)
        self.question = question
        self.nli = Nli.of(model)
        self.encoder = None if encoder is False else Encoder.of(encoder)
        self.needs = (source,) if question is None else (source, question)
        # A share is one of all sentences: of a single one of a stream it would allow none.
        self.partial = per == "sentence" and not 0 < self.allow_unsupported < 1
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        return (self.nli.spec,) if self.encoder is None else (self.nli.spec, self.encoder.spec)

    def probabilities(self, pairs: Sequence[tuple[str, str]]) -> NDArray[float64]:
        """What the NLI model says of pairs (premise, hypothesis): an array of shape (n, 3), float, each row summing to
        1: entailment, neutral, contradiction. Raises MissingExtra without numpy, and what the model raises.
        """
        try:
            import numpy as np
        except ModuleNotFoundError as fault:
            raise MissingExtra("numpy", "models", where="Entailment.probabilities()") from fault
        return np.array(self.nli.probabilities(pairs), dtype=np.float64).reshape(-1, 3)

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        yield Load(self.nli.spec)
        corpus, asked, claims = yield LongWork(partial(self._read, value, context))
        if not claims:
            return Scored(1.0)  # blanks and punctuation claim nothing
        grounded = yield from ground([asked + claim.read for claim in claims], corpus, self.encoder, self.nli)
        return (yield LongWork(partial(self._judged, grounded, claims)))  # type: ignore[no-any-return]

    def _read(self, value: Any, context: Context) -> tuple[Corpus, str, list[_Claim]]:
        """The sources, the question before each claim, and the claims."""
        texts = judged_texts(value, "Entailment")
        if (size := sum(len(text) for _, text in texts)) > MOST_CHARS:
            raise ValueError(f"an answer of {size:,} characters is longer than the {MOST_CHARS:,} that are judged")
        corpus = Corpus(documents(context, self.source), self.nli)
        asked = _question(context, self.question)
        return corpus, asked, self._claims(texts, room_for(asked, self.nli))

    def _judged(self, grounded: Sequence[Grounding], claims: Sequence[_Claim]) -> Scored:
        judged = sorted(zip(grounded, claims, strict=True), key=lambda pair: pair[0].score)
        bad = [(found, claim) for found, claim in judged if found.score < self.threshold]
        return self._verdict(judged, bad)

    def _verdict(self, judged: Sequence[tuple[Grounding, _Claim]], bad: Sequence[tuple[Grounding, _Claim]]) -> Scored:
        most = self.allow_unsupported
        left = int(most) if most >= 1 else int(most * len(judged))
        unsupported = [pair for pair in bad if pair[0].contradicting is None]
        # The least bad are the ones that may stand.
        allowed = {id(pair[1]) for pair in unsupported[len(unsupported) - min(left, len(unsupported)) :]}
        refused = [claim for _, claim in bad if id(claim) not in allowed]
        counting = [found.score for found, claim in judged if id(claim) not in allowed]
        findings = [self._finding(found, claim, refused, allowed=id(claim) in allowed) for found, claim in bad]
        return Scored(min(counting, default=self.threshold), findings)

    def _finding(self, found: Grounding, claim: _Claim, refused: Sequence[_Claim], *, allowed: bool) -> Finding:
        verdict = "unsupported" if found.contradicting is None else "contradicted"
        return Finding(
            f"nli.{verdict}",
            f"a sentence is {_SAID[verdict]} the sources",
            claim.path,
            severity="warning" if allowed else "error",
            score=found.score,
            threshold=self.threshold,
            evidence={
                "claim": claim.words,
                "start": claim.span[0],
                "end": claim.span[1],
                "verdict": verdict,
                "absent": [*found.absent_numbers, *found.absent_names],
                "passages": [one.told() for one in found.decisive[:_SHOWN]],
            },
            actual=claim.words,
            fix=NO_FIX if allowed else _without(claim, refused),
        )

    def _claims(self, texts: Sequence[tuple[str, str]], room: int | None) -> list[_Claim]:
        handle = handle_of(self.nli.spec)
        read = [(path, text, plain_letters(text)) for path, text in texts]
        found = [(path, text, plain, self._spans(plain)) for path, text, plain in read]
        if not any(spans for *_, spans in found):
            # Behind a sentence symbols adorn it; alone they are what is said.
            found = [(path, text, plain, [(0, len(plain))]) for path, text, plain in read if _speaks(plain)]
        return [
            _Claim(path, text, part, span, plain[slice(*part)])
            for path, text, plain, spans in found
            for span in spans
            for part in fitting(plain, span, handle, room)
        ]

    def _spans(self, text: str) -> list[Span]:
        spans = sentences(text)
        return [(spans[0][0], spans[-1][1])] if self.per == "answer" and spans else spans


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence of a text at a path, or a part of it where it is longer than a model sees."""

    path: str
    text: str
    span: Span
    sentence: Span
    read: str
    """Its words as models are asked about them."""

    @property
    def words(self) -> str:
        return self.text[slice(*self.span)]


def _speaks(text: str) -> bool:
    """Whether a text without a sentence says something in emoji or other symbols; those of ASCII are marks."""
    return any(char > "\x7f" and category(char)[0] not in "PZ" and category(char) not in ("Cc", "Cf") for char in text)


def _without(claim: _Claim, refused: Sequence[_Claim]) -> Any:
    """The claim's text without the refused sentences; no fix where nothing would be left."""
    kept, start = "", 0
    for first, end in sorted({one.sentence for one in refused if (one.path, one.text) == (claim.path, claim.text)}):
        kept = _joined(kept, claim.text[start:first])
        start = end
    kept = _joined(kept, claim.text[start:]).strip()
    return kept if sentences(plain_letters(kept)) else NO_FIX


def _joined(kept: str, part: str) -> str:
    """A sentence leaves with the blanks behind it, unless a line ends there."""
    return kept + part.lstrip(" ") if kept.endswith((" ", "\n")) or not kept else kept + part


def _question(context: Context, key: str | None) -> str:
    """The question, to be put before each claim."""
    if key is None:
        return ""
    given = context[key]
    if not isinstance(given, str) or not given.strip():
        raise ConfigError("must be the text of a question", where=f"context[{key!r}]")
    return f"{given.strip()} "


def _check_allowed(allowed: Any) -> float:
    whole = isinstance(allowed, int) and not isinstance(allowed, bool) and allowed >= 0
    if whole or (isinstance(allowed, float) and 0 <= allowed < 1):
        return float(allowed)
    raise ConfigError(
        f"{allowed!r} is neither a number of claims nor a share below 1", where="Entailment(allow_unsupported=)"
    )
