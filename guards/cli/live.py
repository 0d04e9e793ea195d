"""A guarded call as it happens, on a terminal: a hook that draws each attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from guards.cli.screen import Screen, Words, pretty, quoted, short
from guards.events import AttemptEnded, AttemptStarted, CallEnded, Event

if TYPE_CHECKING:
    from guards.findings import Finding
    from guards.messages import Message
    from guards.records import Attempt, Outcome, Repair

__all__ = ["Live"]

_INDENT = 14
_CLAIM = 200
"""Characters of a sentence of an answer or a document."""

_DECISIONS = {
    "accept": "accept: the contract and every guard hold",
    "reask": "reask: the findings go back to the model",
    "reflect": "reflect: the model says what was wrong, then answers",
    "fix": "fix: what the guard proposes is put in its place",
    "filter": "filter: what fails is taken out",
    "raise": "raise: the call ends without an answer",
    "stop": "stop: asking again cannot help",
}


class Live:
    """A hook for `Guarded(..., hooks=[...])`. What a model wrote is made harmless before it is drawn."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def __call__(self, event: Event) -> None:
        if event.parent is not None:
            return  # a guard's own question is drawn with what the guard found
        match event:
            case AttemptStarted(number, messages):
                self._started(number, messages)
            case AttemptEnded(_, attempt):
                self._ended(attempt)
            case CallEnded(outcome):
                self._over(outcome)
            case _:
                pass  # findings and decisions are drawn with their attempt

    def _started(self, number: int, messages: tuple[Message, ...]) -> None:
        self._screen.print(quoted(f"\nAttempt {number}", "bold"))
        if number > 1 and messages:
            self._row("asked", [quoted(_said(messages[-1]), "dim")])

    def _ended(self, attempt: Attempt) -> None:
        if attempt.reflection is not None:
            self._row("reflection", [quoted(attempt.reflection, "magenta")])
        if attempt.text is not None:
            self._row("answer", [quoted(attempt.text.strip("\n"))])
        self._row("read", map(_repair, attempt.repairs))
        self._row("wrong", map(_finding, attempt.findings))
        style = "green" if attempt.decision == "accept" else "yellow"
        self._row("decision", [quoted(_DECISIONS.get(attempt.decision, attempt.decision), style)])

    def _over(self, outcome: Outcome[Any]) -> None:
        self._screen.print()
        shown = [repair for attempt in outcome.attempts for repair in attempt.repairs]
        self._row("changed", (_repair(repair) for repair in outcome.repairs if repair not in shown))
        if outcome.ok:
            value = outcome.value
            self._row(
                "accepted", [quoted(type(value).__name__, "bold green"), quoted(pretty(value).strip("\n"), "green")]
            )
        else:
            self._row("refused", [quoted(outcome.summary(), "red")])
        self._row("spent", [quoted(_spent(outcome), "bold")])

    def _row(self, label: str, texts: Iterable[Words]) -> None:
        self._screen.row(label, texts, _INDENT)


def _said(message: Message) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else pretty(content)


def _repair(repair: Repair) -> Words:
    place = f"{repair.path}  " if repair.path else ""
    return quoted(place, "bold") + quoted(repair.message) + quoted(f"  {repair.code}", "dim")


def _finding(finding: Finding) -> Words:
    if isinstance(finding.evidence, Mapping) and "passages" in finding.evidence:
        return _ungrounded(finding, finding.evidence)
    line = quoted(f"{finding.path or '(whole answer)'}  ", "bold yellow") + quoted(finding.message)
    if finding.shows_actual:
        mark = '"' if isinstance(finding.actual, str) else ""
        line += quoted(f", got {mark}{short(finding.actual, 40)}{mark}")
    return line + quoted(f"  {finding.code}", "dim")


def _ungrounded(finding: Finding, evidence: Mapping[str, Any]) -> Words:
    """A claim, the verdict with its score, and what the verdict rests on: one line each."""
    claim = quoted(f'"{short(evidence["claim"], _CLAIM)}"', "bold yellow")
    place = quoted(f"  {finding.path or 'answer'} {evidence['start']}-{evidence['end']}", "dim")
    verdict = quoted(f"\n{evidence['verdict']}", "bold") + quoted(_score(finding)) + quoted(f"  {finding.code}", "dim")
    lines = claim + place + verdict
    if evidence["absent"]:
        lines += quoted(f"\nin no document: {', '.join(evidence['absent'])}")
    for passage in evidence["passages"][:1]:
        said = "against" if evidence["verdict"] == "contradicted" else "nearest"
        where = f"\n{said}: {passage['document']} {passage['start']}-{passage['end']}  "
        lines += quoted(where) + quoted(f'"{short(passage["text"], _CLAIM)}"', "cyan")
    return lines


def _score(finding: Finding) -> str:
    if finding.score is None or finding.threshold is None:
        return ""
    return f", score {finding.score:.2f}, threshold {finding.threshold:.2f}"


def _spent(outcome: Outcome[Any]) -> str:
    attempts = len(outcome.attempts)
    tokens = outcome.usage.total_tokens
    asked = f"{attempts} attempt{'s' * (attempts != 1)}"
    return f"{asked}, {'unknown' if tokens is None else tokens} tokens, {outcome.seconds:.2f} seconds"
