"""Doubles for tests, public because users need them as much as we do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from guards.errors import ConfigError, ScriptExhausted
from guards.messages import Message, Reply

__all__ = ["FixedScores", "ScriptedModel"]

Answer = str | Reply | BaseException | Sequence[str] | Callable[[Sequence[Message]], Any]


class ScriptedModel:
    """A client that answers in order and keeps what it was asked.

    An answer is text, a `Reply`, a list of pieces of text (given one by one), an exception (raised), or a function of
    the messages. `calls` holds the messages of
    each call. Asked once too often, it raises `ScriptExhausted`. Safe to share between threads; `amodel = model.acall`
    is the same as an async client.
    """

    def __init__(self, answers: Iterable[Answer]) -> None:
        if isinstance(answers, str):
            raise ConfigError("needs a list of answers, not one text", where="ScriptedModel()", hint="write [text]")
        if not isinstance(answers, Iterable) or isinstance(answers, type | bytes | Mapping | set):
            raise ConfigError(f"needs a list of answers, not {answers!r}", where="ScriptedModel()")
        self.answers: tuple[Answer, ...] = tuple(answers)
        for number, answer in enumerate(self.answers):
            _check_answer(answer, f"ScriptedModel(answers[{number}])")
        self.calls: list[list[Message]] = []
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {**{k: v for k, v in self.__dict__.items() if k != "_lock"}, "calls": list(self.calls)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __call__(self, messages: Sequence[Message]) -> Any:
        """The next answer."""
        with self._lock:
            number = len(self.calls)
            self.calls.append(list(messages))
        if number >= len(self.answers):
            raise ScriptExhausted(
                f"the scripted model had {len(self.answers)} answer{'s' * (len(self.answers) != 1)} "
                f"and was asked {number + 1} times",
                where="ScriptedModel",
                hint="give it more answers, or find out why the call asks again",
            )
        answer = self.answers[number]
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Sequence) and not isinstance(answer, str):
            return iter(answer)
        return answer(messages) if callable(answer) else answer

    async def acall(self, messages: Sequence[Message]) -> Any:
        """The same as an async client."""
        return self(messages)


class FixedScores:
    """Scores by text, in the place of a model: `FixedScores({"good": 0.9}, default=0.1)`.

    A callable of a list of texts (or pairs of texts) that gives one score each, 0 to 1; what it has no score for gets
    `default`, or raises KeyError without one. `calls` keeps what it was asked.
    """

    def __init__(self, scores: Mapping[Any, float], *, default: float | None = None) -> None:
        if not isinstance(scores, Mapping):
            raise ConfigError(f"needs a mapping of text to score, not {scores!r}", where="FixedScores(scores=)")
        for score in (*scores.values(), *(() if default is None else (default,))):
            if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
                raise ConfigError(f"a score is a number from 0 to 1, not {score!r}", where="FixedScores()")
        self.scores = dict(scores)
        self.default = default
        self.calls: list[list[Any]] = []

    def __call__(self, inputs: Sequence[Any]) -> list[float]:
        """One score per input, in order."""
        self.calls.append(list(inputs))
        return [self._score(_key(entry)) for entry in inputs]

    def _score(self, key: Any) -> float:
        score: float | None = self.scores.get(key)
        if score is not None:
            return score
        if self.default is None:
            raise KeyError(key)
        return self.default


def _check_answer(answer: Any, where: str) -> None:
    if isinstance(answer, type) and issubclass(answer, BaseException):
        raise ConfigError(f"{answer.__name__} is a class", where=where, hint=f"write {answer.__name__}(...)")
    if isinstance(answer, Sequence) and not isinstance(answer, str | bytes):
        if all(isinstance(piece, str) for piece in answer):
            return
    elif isinstance(answer, str | Reply | BaseException) or callable(answer):
        return
    raise ConfigError(
        f"{answer!r} is no answer", where=where, hint="an answer is text, a Reply, an exception or a function"
    )


def _key(entry: Any) -> Any:
    return tuple(entry) if isinstance(entry, list) else entry
