"""What is a text about? Told by examples of each topic, or by the topics' names alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final, TypeAlias

from guards.checks.base import Guard, OnError, Scored, Unreadable, Verdict, check_threshold, several
from guards.checks.learned.encoder import MOST_CHARS, Encoder
from guards.checks.learned.linear_head import Classed, Examples, LinearHead, head_of
from guards.checks.learned.nli import Nli
from guards.checks.learned.zero_shot import zero_shot
from guards.checks.texts.cuts import cuts
from guards.checks.texts.parts import By, Part, check_by, parts_of
from guards.checks.texts.texts import judged_texts
from guards.context import Context
from guards.effects import Flow, Load, LongWork, worked
from guards.errors import ConfigError
from guards.findings import Finding
from guards.models import ModelSpec, handle_of
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["Topic"]

Names: TypeAlias = "str | Sequence[str]"

_MOST_LISTED: Final = 10
_MOST_TOLD: Final = 3
_LEAST_EXAMPLES: Final = 2
"""One to learn from, while the other shows how near a text of the topic comes to it."""


class Topic(Guard):
    """A text that is about one of the topics that are allowed, or about none that is forbidden.

    Args:
        topics: examples of each topic, at least two: `{"billing": ["Why was I charged twice?", …], …}`. Or names alone,
            `["billing", "delivery"]`, which an NLI model makes what it can of. Not needed where `allow` or `forbid`
            names all.
        allow: the topics that are accepted, of those above; all of them by default. What is about none of the topics is
            not accepted.
        forbid: in the place of `allow`, the topics that are refused; what is about none of the topics is accepted.
        by: "whole": the text as a whole. "sentence": each sentence by itself; the one that fares worst counts.
        threshold: the lowest score that is accepted. The score is the probability of being about an allowed topic, or
            about no forbidden one. Examples are held out in turn to learn how near texts of the topics come to them:
            at 0.5, about one in twenty of these is taken for something else.
        model: with examples an encoder, with names an NLI model; the embedded ones for None. An id, a folder, a
            `ModelSpec`, or a function of a list of texts (of pairs of texts, for NLI).
        hypothesis: what is asked of an NLI model; `{}` stands for the name of a topic.

    Every text in a value is judged by itself. One without a letter or a digit is about nothing.

    Findings: `topic.unknown` (about none of the topics), `topic.off` (about one that is not allowed),
    `topic.forbidden`; the evidence is the place and the most likely topics. With names, a text that is longer than the
    model takes is judged in windows, of which the worst counts.

    The head is fitted when a text is first judged, once in a process. A value that holds no text is a TypeError, a text
    of more than 200,000 characters a ValueError, numpy missing beside examples a MissingExtra.
    """

    cost = 1
    family: ClassVar[str] = "topic"
    asks: ClassVar[str] = "This text is about {}."
    verb: ClassVar[str] = "is about"

    def __init__(
        self,
        topics: Mapping[str, Sequence[str]] | Names | None = None,
        *,
        allow: Names | None = None,
        forbid: Names | None = None,
        by: By = "whole",
        threshold: float = 0.5,
        model: Model | ModelSpec | None = None,
        hypothesis: str | None = None,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        where = f"{type(self).__name__}()"
        if allow is not None and forbid is not None:
            raise ConfigError("topics are either allowed or forbidden", where=where, hint="give one of allow=, forbid=")
        given = topics if topics is not None else (allow if forbid is None else forbid)
        if given is None:
            raise ConfigError("has no topics", where=where, hint="give examples of each, or their names")
        self.examples: Examples = _examples(given, where) if isinstance(given, Mapping) else ()
        """None where there are names alone."""
        self.topics = _names(list(given) if given is topics and isinstance(topics, Mapping) else given, where)
        self.forbids = forbid is not None
        marked = self.topics if allow is None and forbid is None else _names(allow or forbid or (), where)
        for unknown in set(marked) - set(self.topics):
            raise ConfigError(f"there is no topic {unknown!r}", where=where, hint=f"it has {_listed(self.topics)}")
        self.marked = marked
        self.by = check_by(by, type(self).__name__)
        self.threshold = check_threshold(threshold, f"{type(self).__name__}(threshold=)")
        self.hypothesis = self.asks if hypothesis is None else hypothesis
        if not isinstance(self.hypothesis, str) or "{}" not in self.hypothesis or (hypothesis and self.examples):
            raise ConfigError(
                "a hypothesis holds {} for the name of a topic, and stands with names alone",
                where=where,
                hint=f"write {self.asks!r}, or leave it out where there are examples",
            )
        self.model: Encoder | Nli = Nli.of(model) if not self.examples else Encoder.of(model)
        if not self.examples:
            self.cost = 3
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    @property
    def specs(self) -> tuple[ModelSpec, ...]:
        return (self.model.spec,)

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        texts = judged_texts(value, type(self).__name__)
        yield Load(self.model.spec)
        parts = yield from worked(partial(self._parts, texts), sum(len(text) for _, text in texts))
        worded = [part for part in parts if part.words]
        read = yield from self._read([part.words for part in worded])
        nothing = Classed((0.0,) * len(self.topics), 0.0)
        judged = [*zip(worded, read, strict=True), *((part, nothing) for part in parts if not part.words)]
        scored = sorted(((self._score(one), part, one) for part, one in judged), key=lambda entry: entry[0])
        return Scored(scored[0][0], [self._finding(*entry) for entry in scored if entry[0] < self.threshold])

    def _parts(self, texts: Sequence[tuple[str, str]]) -> list[Part]:
        return [part for path, text in texts for whole in parts_of(path, text, self.by) for part in self._cut(whole)]

    def _cut(self, part: Part) -> list[Part]:
        """Of a part that is longer than an NLI model takes, windows; an encoder does that by itself."""
        if isinstance(self.model, Encoder) or not part.words:
            return [part]
        if len(part.words) > MOST_CHARS:
            raise ValueError(
                f"a text of {len(part.words):,} characters is longer than the {MOST_CHARS:,} that are judged"
            )
        handle = handle_of(self.model.spec)
        # The hypothesis stands beside the text, and a mark between them.
        spare = 2 + max(len(handle.spans(hypothesis)) for hypothesis in self._hypotheses())
        spans = cuts(part.words, handle, (0,), spare)
        first = part.span[0]
        return [Part(part.name, part.words[start:end], (first + start, first + end)) for start, end in spans]

    def _read(self, texts: Sequence[str]) -> Flow[list[Classed]]:
        if isinstance(self.model, Encoder):
            vectors = yield from self.model.vectors(texts)
            if not vectors:
                return []
            # The first time it is fitted, with the model.
            head: LinearHead = yield LongWork(partial(head_of, self.model, self.examples))
            return head.read(vectors)
        entailed = yield from zero_shot(self.model, texts, self._hypotheses())
        return [Classed(tuple(row), 1.0) for row in entailed]

    def _hypotheses(self) -> list[str]:
        return [self.hypothesis.replace("{}", name) for name in self.topics]

    def _marked(self, one: Classed) -> float:
        """How likely it is one of the topics that are allowed, or forbidden, if it is about any.

        With examples a text is of one topic, and probabilities add up; with names each was judged by itself.
        """
        marked = set(self.marked)
        chosen = [share for name, share in zip(self.topics, one.probabilities, strict=True) if name in marked]
        return min(1.0, sum(chosen)) if self.examples else max(chosen)

    def _score(self, one: Classed) -> float:
        found = one.within * self._marked(one)
        return 1 - found if self.forbids else found

    def _finding(self, score: float, part: Part, one: Classed) -> Finding:
        likely = sorted(zip(one.probabilities, self.topics, strict=True), reverse=True)
        code, message = self._told(one, [name for _, name in likely])
        evidence = {**part.to_dict(), "topics": {name: share for share, name in likely[:_MOST_TOLD]}}
        if self.examples:
            evidence["within"] = one.within
        subject = f"the sentence {part.quoted}" if self.by == "sentence" and part.words else "the text"
        return Finding(
            f"{self.family}.{code}",
            f"{subject} {self.verb} {message}",
            part.name,
            score=score,
            threshold=self.threshold,
            evidence=evidence,
        )

    def _told(self, one: Classed, names: Sequence[str]) -> tuple[str, str]:
        """The end of the code, and of the message. `names` are the topics, the most likely first."""
        if self.forbids:
            return "forbidden", f"{next(name for name in names if name in self.marked)}, which is not allowed"
        if (one.within if self.examples else max(one.probabilities)) < self.threshold:
            return "unknown", f"none of {_listed(self.topics)}"
        return "off", f"{next(name for name in names if name not in self.marked)}, and not {_listed(self.marked)}"


def _names(given: Any, where: str) -> tuple[str, ...]:
    """Each name once."""
    names = several(given)
    if not isinstance(names, tuple) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ConfigError(f"{given!r} names no topics", where=where, hint='write ["billing", "delivery"]')
    return tuple(dict.fromkeys(names))


def _examples(given: Mapping[str, Sequence[str]], where: str) -> Examples:
    for name, texts in given.items():
        several_texts = isinstance(texts, Iterable) and not isinstance(texts, str | Mapping)
        if not several_texts or not all(isinstance(text, str) and text.strip() for text in texts):
            raise ConfigError(f"the examples of {name!r} are no list of texts", where=where)
        if len(set(texts)) < _LEAST_EXAMPLES:
            raise ConfigError(
                f"{name!r} has {len(set(texts))} example{'s' * (len(set(texts)) != 1)}",
                where=where,
                hint="give two different ones at least, better ten; or give names only, as a list",
            )
    return tuple((name, tuple(dict.fromkeys(texts))) for name, texts in given.items())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_LISTED])
    return shown if len(names) <= _MOST_LISTED else f"{shown} and {len(names) - _MOST_LISTED} more"
