"""Does the model say the same when it is asked again? What it made up comes out differently each time.

For text SelfCheckGPT's method with NLI (Manakul et al. 2023): each sentence of the answer is held against further
samples, and scored by how little they contradict it. For structured answers the share of samples that agree, value by
value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import partial
from statistics import fmean
from typing import Any, Final, Literal, get_args

from guards.checks.asking import AskingGuard, check_count, check_text
from guards.checks.base import OnError, Scored, Unreadable, Verdict, check_threshold
from guards.checks.learned.nli import Nli, Probabilities
from guards.checks.texts.cuts import cuts, fitting
from guards.checks.texts.passages import Span, sentences
from guards.context import Context
from guards.effects import Flow, Load, LongWork, Rows, Sample, put, side_by_side
from guards.errors import ConfigError
from guards.findings import Finding, escape
from guards.messages import as_messages
from guards.models import ModelSpec, handle_of
from guards.models.spec import Model
from guards.policies import Policy
from guards.reading.reading import Reading
from guards.values.plain import plain

__all__ = ["By", "SelfConsistency"]

By = Literal["meaning", "value"]


class SelfConsistency(AskingGuard):
    """Further samples of the same question agree with the answer.

    Args:
        samples: how many more times the question is put, side by side. The client has to sample: at temperature 0 all
            answers are one.
        client: who is asked; None for the client of the call. Where nobody can be called (a decorated function,
            `attempts`, `validate`) it is needed.
        threshold: the score below which a sentence, or a value, fails. The score of a sentence is 1 less the mean of
            contradiction / (entailment + contradiction) over the samples; of a value, the share of samples that have it
            in the same place. The guard's score is that of the worst.
        model: the NLI model, as `Nli` takes it; None for the embedded one. Loaded only where text is compared.
        by: `"meaning"` compares sentences by NLI, `"value"` by equality (of text: whatever the case and white space);
            None takes meaning for a text of several words, value for anything else. A prose field of an object is
            better compared on its own: `SelfConsistency().on("$.summary")`.
        question: the key of the context that holds what to ask (text, or messages); None for the messages of the call.

    A sample that the contract refuses counts as disagreement; one whose client fails is a failure of the guard. Codes:
    `consistency.contradicted` for a sentence, `consistency.differs` for a value.
    """

    def __init__(
        self,
        samples: int = 4,
        *,
        client: Any = None,
        threshold: float = 0.5,
        model: Model | ModelSpec | None = None,
        by: By | None = None,
        question: str | None = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        check_count(samples, "SelfConsistency(samples=)")
        if by is not None and by not in get_args(By):
            raise ConfigError(f"unknown way {by!r}", where="SelfConsistency(by=)", hint="use 'meaning' or 'value'")
        if question is not None:
            check_text(question, "SelfConsistency(question=)")
        self.samples = samples
        self.threshold = check_threshold(threshold, "SelfConsistency(threshold=)")
        self.nli = Nli.of(model)
        self.by: By | None = by
        self.question = question
        self.resamples = question is None
        self.needs = () if question is None else (question,)
        super().__init__(
            client=client, name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout
        )

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        """The NLI model: what `guards.models.preload` takes."""
        return (self.nli.spec,)

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        by = self._way(value)
        messages = None if self.question is None else as_messages(context[self.question])
        readings = yield from side_by_side([put(Sample(messages)) for _ in range(self.samples)])
        if by == "value":
            return self._by_value(value, readings)
        texts = [str(reading.value) if reading.ok and reading.value is not None else None for reading in readings]
        return (yield from self._by_meaning(value, texts))

    def _way(self, value: Any) -> By:
        is_text = isinstance(value, str) and not isinstance(value, Enum)
        if self.by == "meaning" and not is_text:
            raise TypeError(
                f"{type(self).__name__}(by='meaning') compares text, not {type(value).__name__}; put it at a place "
                "that holds text, with .on() or in Annotated"
            )
        if not is_text or not sentences(value):  # marks alone mean nothing
            return "value"
        return self.by or ("meaning" if len(value.split()) > 1 else "value")

    # -- text ----------------------------------------------------------------------------------------------------

    def _by_meaning(self, answer: str, samples: Sequence[str | None]) -> Flow[Scored]:
        """None is a sample that could not be read: it supports nothing."""
        yield Load(self.nli.spec)
        spans, parts = yield LongWork(partial(self._cut, answer, samples))
        claims = [answer[start:end] for start, end in spans]
        pairs = [(part, claim) for claim in claims for sample in parts for part in sample]
        triples = iter(self.nli.named((yield Rows(self.nli.spec, pairs))) if pairs else ())
        findings: list[Finding] = []
        lowest = 1.0
        for claim, span in zip(claims, spans, strict=True):
            against = [_contradiction([next(triples) for _ in sample]) for sample in parts]
            score = 1 - fmean(against)
            lowest = min(lowest, score)
            if score < self.threshold:
                findings.append(self._contradicted(claim, span, score, against))
        return Scored(lowest, findings)

    def _cut(self, answer: str, samples: Sequence[str | None]) -> tuple[list[Span], list[list[str]]]:
        """The sentences of the answer, and each sample in parts that fit beside them."""
        handle = handle_of(self.nli.spec)
        half = None if handle.limit is None else max(1, handle.limit // 2)
        spans = [part for span in sentences(answer) for part in fitting(answer, span, handle, half)]
        claims = [answer[start:end] for start, end in spans]
        return spans, [self._parts(sample or "", claims) for sample in samples]

    def _parts(self, sample: str, claims: Sequence[str]) -> list[str]:
        """The sample in windows that leave room for each claim; none of one that says nothing."""
        if not sentences(sample):
            return []
        handle = handle_of(self.nli.spec)
        room = 0 if handle.limit is None else min(handle.limit // 2, max(len(handle.spans(claim)) for claim in claims))
        return [sample[start:end] for start, end in cuts(sample, handle, (0,), room)]

    def _contradicted(self, claim: str, span: tuple[int, int], score: float, against: list[float]) -> Finding:
        return Finding(
            "consistency.contradicted",
            "other answers to the same question contradict this sentence",
            score=score,
            threshold=self.threshold,
            evidence={"span": list(span), "sentence": claim, "contradictions": against},
            actual=claim,
        )

    # -- values --------------------------------------------------------------------------------------------------

    def _by_value(self, answer: Any, readings: Sequence[Reading[Any]]) -> Scored:
        others = [dict(_leaves(plain(reading.value))) if reading.ok else {} for reading in readings]
        findings: list[Finding] = []
        lowest = 1.0
        for path, value in _leaves(plain(answer)):
            given = [other[path] for other in others if path in other]
            agree = sum(_alike(value) == _alike(other) for other in given)
            score = agree / len(others)
            lowest = min(lowest, score)
            if score < self.threshold:
                message = f"only {agree} of {len(others)} other answers to the same question agree"
                findings.append(
                    Finding(
                        "consistency.differs",
                        message,
                        path,
                        score=score,
                        threshold=self.threshold,
                        evidence={"values": given, "samples": len(others)},
                        actual=value,
                    )
                )
        return Scored(lowest, findings)


_UNREADABLE: Final = 1.0
"""A sample that says nothing counts as one that contradicts."""


def _contradiction(windows: Sequence[Probabilities]) -> float:
    """How much a sample contradicts a claim: by the window of it that is least neutral, neutrality left out."""
    if not windows:
        return _UNREADABLE
    entailment, _, contradiction = max(windows, key=lambda triple: triple[0] + triple[2])
    both = entailment + contradiction
    return contradiction / both if both else 0.5


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that holds no other, with its JSON Pointer."""
    if isinstance(data, dict) and data:
        for key, inner in data.items():
            yield from _leaves(inner, f"{path}/{escape(key)}")
    elif isinstance(data, list) and data:
        for index, inner in enumerate(data):
            yield from _leaves(inner, f"{path}/{index}")
    else:
        yield path, data


def _alike(value: Any) -> tuple[str, Any]:
    """Equal for values that mean the same: 1 and 1.0, but not 1 and true; texts whatever their case and white space."""
    if isinstance(value, str):
        return "text", " ".join(value.casefold().split())
    if isinstance(value, bool | None):
        return "name", value
    return "number" if isinstance(value, int | float) else "empty", value
