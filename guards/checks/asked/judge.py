"""A model as the judge of an answer: by a rule in words, by the criteria of a rubric, or against another answer.

After "LLM-as-a-judge" (Zheng et al. 2023), whose remedies are these: the reasons come before the verdict, the order of
two answers is swapped, and what is judged is data. What a judge is asked and how it answers is `asked.judging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Literal, get_args

from guards.checks.asked.judging import (
    preference_contract,
    preference_question,
    rubric_contract,
    rubric_question,
    verdict_contract,
    verdict_question,
)
from guards.checks.asking import AskingGuard, check_count, check_text
from guards.checks.base import OnError, Scored, Unreadable, Verdict, check_threshold, several
from guards.context import Context
from guards.effects import Flow, Question, put, side_by_side
from guards.errors import ConfigError
from guards.findings import Finding
from guards.policies import Policy

__all__ = ["Criterion", "Judge", "Scale"]

Scale = Literal["score", "verdict"]
_MOST_SAID: Final = 300


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of a rubric: its name in findings, its rule in words, and its weight in the score."""

    name: str
    rule: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_text(self.name, "Criterion(name=)")
        check_text(self.rule, "Criterion(rule=)")
        weight = self.weight
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise ConfigError(f"must be a number above 0, not {weight!r}", where="Criterion(weight=)")


class Judge(AskingGuard):
    """A model judges the value.

    Args:
        rule: what the answer has to meet, in words; or a rubric, several `Criterion`. A rubric's score is the weighted
            mean, or that of the worst criterion which fails, if that is lower.
        client: who judges; None for the client of the call. Where nobody can be called (a decorated function,
            `attempts`, `validate`) it is needed.
        needs: keys of the context that the judge is shown beside the answer.
        against: the key of the context that holds another answer: the judge says which of the two is better by the
            rule. Asked in both orders; where the two verdicts differ there is no preference. Scores 1 for the better,
            0 for the worse, 0.5 for no preference: with a threshold above 0.5 the answer has to be better.
        threshold: the score below which an answer, or a criterion, fails.
        runs: how many times the judge is asked, side by side; the mean of the runs counts. Their scores and how far
            they lie apart are in the findings; where an answer passed against some of them, as a warning.
        scale: `"score"` counts the judge's score from 0 to 1; `"verdict"` its verdict alone, so that a threshold of 0.5
            asks for half of the runs. An "unsure" counts 0 by either.
        partial: whether it judges the parts of an answer while it is streamed: one question for each.

    A judge that gives no verdict (three times over, nothing that can be read), or whose client fails, is a guard that
    could not do its work; so is one whose `needs` or `against` the context has as None. Codes: `judge.refused`,
    `judge.criterion` (one for each that fails), `judge.worse`, `judge.divided` (a warning).
    """

    def __init__(
        self,
        rule: str | Sequence[Criterion],
        *,
        client: Any = None,
        needs: str | Iterable[str] = (),
        against: str | None = None,
        threshold: float = 0.5,
        runs: int = 1,
        scale: Scale = "score",
        partial: bool = False,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        self.rule = rule if isinstance(rule, str) else _rubric(rule)
        self.shows = several(needs)
        self.against = against
        self.threshold = check_threshold(threshold, "Judge(threshold=)")
        self.runs = runs
        self.scale: Scale = scale
        self.partial = partial
        self._check()
        self.needs = self.shows if against is None else (*self.shows, against)
        super().__init__(
            client=client, name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout
        )

    def _check(self) -> None:
        if isinstance(self.rule, str):
            check_text(self.rule, "Judge(rule=)")
        if self.against is not None:
            check_text(self.against, "Judge(against=)")
            if not isinstance(self.rule, str) or self.scale != "score":
                raise ConfigError("two answers are compared by one rule, without a scale", where="Judge(against=)")
        if not isinstance(self.shows, tuple):
            raise ConfigError(f"must be keys of the context, not {self.shows!r}", where="Judge(needs=)")
        for key in self.shows:
            check_text(key, "Judge(needs=)")
        check_count(self.runs, "Judge(runs=)")
        if self.scale not in get_args(Scale):
            raise ConfigError(f"unknown scale {self.scale!r}", where="Judge(scale=)", hint="use 'score' or 'verdict'")
        if not isinstance(self.partial, bool):
            raise ConfigError(f"must be True or False, not {self.partial!r}", where="Judge(partial=)")

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        given = {key: context[key] for key in self.shows}
        for key in self.needs:
            if context[key] is None:
                raise ConfigError("is None: there is nothing to show the judge", where=f"context[{key!r}]")
        if self.against is not None:
            return (yield from self._compare(value, context[self.against], given))
        if isinstance(self.rule, str):
            question, contract = verdict_question(self.rule, value, given), verdict_contract()
            answers = yield from side_by_side([put(Question(question, contract)) for _ in range(self.runs)])
            return self._by_rule(self.rule, self._opinion(answers))
        rules = {criterion.name: criterion.rule for criterion in self.rule}
        question, contract = rubric_question(rules, value, given), rubric_contract(tuple(rules))
        answers = yield from side_by_side([put(Question(question, contract)) for _ in range(self.runs)])
        return self._by_rubric({name: self._opinion([answer[name] for answer in answers]) for name in rules})

    # -- by a rule, or several -----------------------------------------------------------------------------------

    def _opinion(self, verdicts: Sequence[dict[str, Any]]) -> _Opinion:
        scores = []
        for verdict in verdicts:
            passed = verdict["verdict"] == "pass"
            said = float(verdict["score"]) if self.scale == "score" else float(passed)
            scores.append(0.0 if verdict["verdict"] == "unsure" else said)
        return _Opinion(tuple(scores), tuple(tuple(verdict["reasons"]) for verdict in verdicts))

    def _by_rule(self, rule: str, opinion: _Opinion) -> Scored:
        finding = self._finding("judge.refused", "does not meet the rule", rule, opinion)
        return Scored(opinion.score, finding)

    def _by_rubric(self, opinions: dict[str, _Opinion]) -> Scored:
        assert not isinstance(self.rule, str)
        found: list[Finding] = []
        failing: list[float] = []
        for criterion in self.rule:
            opinion = opinions[criterion.name]
            words = f"does not meet the criterion {criterion.name!r}"
            finding = self._finding("judge.criterion", words, criterion.rule, opinion, criterion.name)
            if finding is not None:
                found.append(finding)
            if opinion.score < self.threshold:
                failing.append(opinion.score)
        weights = [criterion.weight for criterion in self.rule]
        mean = _mean([opinions[criterion.name].score for criterion in self.rule], weights)
        return Scored(min([mean, *failing]), found)

    def _finding(
        self, code: str, words: str, rule: str, opinion: _Opinion, criterion: str | None = None
    ) -> Finding | None:
        """What stands against the value, or a warning where the runs differ on it, or nothing."""
        threshold = self.threshold
        evidence = {**({} if criterion is None else {"criterion": criterion}), **opinion.evidence()}
        if opinion.score < threshold:
            message = f"{words}; the judge says: {opinion.said()}"
            return Finding(code, message, score=opinion.score, threshold=threshold, evidence=evidence, expected=rule)
        if min(opinion.scores) >= threshold:
            return None
        against = sum(score < threshold for score in opinion.scores)
        message = f"{against} of {len(opinion.scores)} verdicts were against it: {opinion.said()}"
        return Finding(
            "judge.divided",
            message,
            severity="warning",
            score=opinion.score,
            threshold=threshold,
            evidence=evidence,
            expected=rule,
        )

    # -- against another answer ----------------------------------------------------------------------------------

    def _compare(self, value: Any, other: Any, given: dict[str, Any]) -> Flow[Verdict]:
        assert isinstance(self.rule, str)
        orders = [
            preference_question(self.rule, value, other, given),
            preference_question(self.rule, other, value, given),
        ]
        contract = preference_contract()
        answers = yield from side_by_side([put(Question(order, contract)) for order in orders * self.runs])
        pairs = list(zip(answers[::2], answers[1::2], strict=True))
        scores = tuple(_preference(first["better"], swapped["better"]) for first, swapped in pairs)
        opinion = _Opinion(scores, tuple(tuple(first["reasons"]) for first, _ in pairs))
        if opinion.score >= self.threshold:
            return Scored(opinion.score)
        evidence = {
            "scores": list(scores),
            "spread": opinion.spread,
            "verdicts": [{"answer": name, **one} for pair in pairs for name, one in zip(("A", "B"), pair, strict=True)],
        }
        words = "is worse than the one it is compared with" if opinion.score < 0.5 else "is not seen to be better"
        message = f"{words}; the judge says of it as A: {opinion.said()}"
        return Scored(
            opinion.score,
            Finding(
                "judge.worse",
                message,
                score=opinion.score,
                threshold=self.threshold,
                evidence=evidence,
                expected=self.rule,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What all runs of the judge say of one thing."""

    scores: tuple[float, ...]
    reasons: tuple[tuple[str, ...], ...]

    @property
    def score(self) -> float:
        return _mean(self.scores)

    @property
    def spread(self) -> float:
        """How far the runs lie apart."""
        return max(self.scores) - min(self.scores)

    def evidence(self) -> dict[str, Any]:
        return {"scores": list(self.scores), "spread": self.spread, "reasons": [list(said) for said in self.reasons]}

    def said(self) -> str:
        """The reasons of the run that thought least of it."""
        text = "; ".join(self.reasons[self.scores.index(min(self.scores))])
        return text if len(text) <= _MOST_SAID else text[: _MOST_SAID - 1] + "…"


def _mean(scores: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Never beyond the scores by rounding: the mean of three times 0.7 has to pass where 0.7 does."""
    return max(min(scores), min(fmean(scores, weights), max(scores)))


def _preference(first: str, swapped: str) -> float:
    """1 where the judge likes the answer better in both orders, 0 where the other, else 0.5: a verdict that changes
    with the order is about the order."""
    return {("A", "B"): 1.0, ("B", "A"): 0.0}.get((first, swapped), 0.5)


def _rubric(given: Sequence[Criterion]) -> tuple[Criterion, ...]:
    where = "Judge(rule=)"
    if not isinstance(given, Iterable):
        raise ConfigError(f"must be a rule in words or several Criterion, not {given!r}", where=where)
    criteria = tuple(given)
    if not criteria or not all(isinstance(criterion, Criterion) for criterion in criteria):
        raise ConfigError("a rubric is a list of Criterion", where=where, hint='write [Criterion("tone", "is polite")]')
    names = [criterion.name for criterion in criteria]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"two criteria are called {twice!r}", where=where)
    return criteria
