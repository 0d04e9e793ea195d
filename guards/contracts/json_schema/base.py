"""What contracts have in common whose answer is JSON: places that are JSONPaths, partial values, parts by their
pointers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from guards.contracts.base import Contract, Format, Stand, no_place
from guards.contracts.grammar import Grammar
from guards.errors import ConfigError
from guards.reading.document import Document, Place, Steps, plain_steps
from guards.reading.reading import Limits

if TYPE_CHECKING:
    from guards.contracts.growing import Growing, Held
    from guards.contracts.live import Live, Watched
    from guards.contracts.parts import Parted

__all__ = ["JsonContract"]

T = TypeVar("T")


class JsonContract(Contract[T]):
    """A contract of an answer in JSON."""

    format: ClassVar[Format] = "json"

    def check_place(self, path: str, where: str) -> None:
        if not path.startswith("$"):
            raise no_place(path, self.format, where, "a JSONPath, like $.reply")
        self._check_path(path, where)

    def _check_path(self, path: str, where: str) -> None:
        """`ConfigError` for a path that no answer can have."""

    def live(
        self,
        call: str,
        limits: Limits = Limits(),
        watched: Sequence[Watched] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Live:
        from guards.contracts.json_schema.live import JsonLive  # only streams have views

        return JsonLive(call, limits, watched, self.within, lambda held: self.growing(held, context))

    def watched_at(self, path: str | None, inner: Any = None) -> tuple[Steps, ...] | None:
        if inner is not None:
            places = self.steps_to(inner)
            return places if places and all(places) else None
        return self.steps_of(path) if path is not None else None

    def steps_to(self, guard: Any) -> tuple[Steps, ...] | None:
        """The places of an inner guard in any answer; None where they depend on the answer."""
        return None

    def steps_of(self, path: str) -> tuple[Steps, ...] | None:
        """The places that a path names in any answer, in every spelling; None where they depend on the answer."""
        steps = plain_steps(path)
        return (steps,) if steps else None

    def within(self, place: Place, value: Any, steps: Steps) -> list[Stand]:
        """The parts of a value that has just closed at a place, while an answer is streamed: those to which the steps
        lead from the root. What a contract shows as it came has been judged inside already."""
        return [Stand(place, value)] if len(steps) == len(place) else []

    @abstractmethod
    def growing(self, held: Held, context: Mapping[str, Any] | None) -> Growing:
        """What makes the values that a stream shows."""

    def parts(self, document: Document) -> Parted | None:
        from guards.contracts.json_schema.parts import JsonParts  # most calls ask for the whole

        try:
            schema = self.json_schema()
        except ConfigError:
            schema = {}
        return JsonParts(schema, document)

    def grammar(self) -> Grammar | None:
        try:
            return Grammar("json-schema", self.json_schema())
        except ConfigError:
            return None
