"""A model behind an HTTP endpoint: what is asked of it, and what its answers must be. docs/models.md has the protocol.

An answer of another shape, number or width than was asked for is an error: it must not become a verdict.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Sequence
from typing import Any, TypeAlias

from guards.models._http import Line
from guards.models.endpoint import Endpoint
from guards.models.items import encodable, texts_of, weight, words
from guards.models.spec import Item, ModelSpec

__all__ = ["Served"]

Row: TypeAlias = tuple[float, ...]
_Asking: TypeAlias = Generator[tuple[str, dict[str, Any]], Any, list[Row]]
"""Yields the path and the body of each question, and is sent the answer."""


class Served:
    """Embeddings in OpenAI's form, scores in our own or in that of text-embeddings-inference."""

    at_once = 16

    def __init__(self, spec: ModelSpec, endpoint: Endpoint) -> None:
        """Asks nothing yet. Raises MissingExtra without httpx2, ConfigError where the endpoint's key is not there."""
        self.limit = spec.max_tokens
        self.most = endpoint.most
        self._spec = spec
        self._endpoint = endpoint
        self._line = Line(endpoint)
        self._told: tuple[str, ...] | None = None
        """The labels by the server's own names, once it has answered."""
        self._width: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of the spec, or else the server's own, which it is asked for by having it score something."""
        if self._spec.task == "embedding":
            return ()
        if self._spec.labels is not None:
            return self._spec.labels
        if self._told is None:
            self.run([("a", "b") if self._spec.task == "pairs" else "a"])
        return self._told or ()

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """Probabilities of the labels, or unit vectors."""
        asking = self._parts(items)
        try:
            question = next(asking)
            while True:
                question = asking.send(self._line.post(*question))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # a generator's return value is untyped here

    async def arun(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """As `run`, without a thread that waits."""
        asking = self._parts(items)
        try:
            question = next(asking)
            while True:
                question = asking.send(await self._line.apost(*question))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def _parts(self, items: list[Item]) -> _Asking:
        rows: list[Row] = []
        for start in range(0, len(items), self._endpoint.most):
            part = items[start : start + self._endpoint.most]
            answered = yield from self._asked(part)
            if len(answered) != len(part):
                raise self._wrong(f"{len(answered)} rows for {len(part)} items")
            rows += answered
        return rows

    def weigh(self, item: Item) -> int:
        return weight(item)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Of words: a server does not show its tokens."""
        return words(text)

    def _asked(self, items: list[Item]) -> _Asking:
        texts = [[encodable(text) for text in texts_of(item)] for item in items]
        if self._spec.task == "embedding":
            return self._vectors([text for (text,) in texts])
        if self._endpoint.url.endswith("/predict"):
            return self._predictions(texts)
        return self._scores([text if len(text) > 1 else text[0] for text in texts])

    def _vectors(self, texts: list[str]) -> _Asking:
        answer = yield "/embeddings", self._named({"input": texts})
        try:
            by_index = {entry["index"]: entry["embedding"] for entry in answer["data"]}
            vectors = [by_index[index] for index in range(len(answer["data"]))]
        except (LookupError, TypeError) as fault:
            raise self._wrong('no "data" with an "index" and an "embedding" for each text') from fault
        rows = [self._unit(vector) for vector in vectors]
        for row in rows:
            self._width = self._width or len(row)
            if len(row) != self._width:
                raise self._wrong(f"vectors of {len(row)} numbers after some of {self._width}")
        return rows

    def _unit(self, vector: Any) -> Row:
        row = self._numbers(vector)
        length = math.hypot(*row)
        if not 0 < length < math.inf:
            raise self._wrong("a vector that has no direction")
        return tuple(number / length for number in row)

    def _scores(self, items: list[Any]) -> _Asking:
        answer = yield "/score", self._named({"items": items})
        try:
            labels, rows = answer.get("labels", self._spec.labels), list(answer["rows"])
        except (LookupError, TypeError, AttributeError) as fault:
            raise self._wrong('no "rows"') from fault
        if labels is None:
            raise self._wrong('no "labels", nor does the spec name them')
        return self._checked(labels, [self._numbers(row) for row in rows])

    def _predictions(self, texts: list[list[str]]) -> _Asking:
        """Each row comes as objects with label and score, the highest first; here they get an order that lasts."""
        answer = yield "", {"inputs": texts, "truncate": True}
        try:
            found = [{entry["label"]: entry["score"] for entry in entries} for entries in answer]
            labels = sorted(found[0], key=_natural)
            rows = [self._numbers([row.pop(label) for label in labels]) for row in found]
        except (LookupError, TypeError) as fault:
            raise self._wrong('no list of "label" and "score" for each item') from fault
        if any(found):
            raise self._wrong("other labels for one item than for another")
        return self._checked(labels, rows)

    def _checked(self, labels: Any, rows: list[Row]) -> list[Row]:
        if not (isinstance(labels, list | tuple) and labels and all(isinstance(label, str) for label in labels)):
            raise self._wrong('"labels" that are no list of names')
        told = tuple(labels)
        if self._told not in (None, told):
            raise self._wrong(f"the labels {told!r} after {self._told!r}: another model is served now")
        if self._spec.labels is not None and len(self._spec.labels) != len(told):
            raise self._wrong(f"{len(told)} labels where the spec names {len(self._spec.labels)}")
        for row in rows:
            if len(row) != len(told):
                raise self._wrong(f"{len(row)} scores for {len(told)} labels")
        self._told = told
        return rows

    def _numbers(self, row: Any) -> Row:
        if not isinstance(row, list) or any(type(number) not in (int, float) for number in row):
            raise self._wrong("something else than a list of numbers for an item")
        return tuple(map(float, row))

    def _named(self, question: dict[str, Any]) -> dict[str, Any]:
        return question if self._endpoint.model is None else {"model": self._endpoint.model, **question}

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"{self._endpoint.url} gave {what}")


def _natural(label: str) -> list[Any]:
    """LABEL_2 before LABEL_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", label)]
