"""What every contract can do: read a text, check a document again, describe itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Final, Generic, Literal, get_args

from typing_extensions import TypeVar

from guards.errors import ConfigError
from guards.identity import Untold, describe, name_of
from guards.reading.document import Document, Place, Steps, at, plain_steps
from guards.reading.reading import Dial, Limits, Reading

__all__ = ["Contract", "Format", "Stand", "Style"]

T = TypeVar("T", default=Any)

Format = Literal["json", "xml", "text"]
Style = Literal["json-schema", "typescript", "xml", "example"]
STYLES: Final[tuple[str, ...]] = get_args(Style)


@dataclass(frozen=True, slots=True)
class Stand:
    """What a guard judges of an answer: the very object that is delivered, and its place in the document.

    `exact`: whether the document holds it in that place by itself, so that a fix may be put there. `fault` is why it
    could not be told what is delivered there; the guard has failed then.
    """

    place: Place
    value: Any
    exact: bool = True
    fault: Exception | None = None


class Contract(ABC, Generic[T]):
    """What an answer must be. Compiled once, then immutable, picklable and shared between threads.

    `format` is what the model answers in; `notes` lists what the contract could not take over from its source (an
    unknown `format` name, say).
    """

    format: ClassVar[Format]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in records."""
        return type(self).__name__

    @abstractmethod
    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[T]:
        """The text as a value of the contract, with all findings and repairs. Never raises for a bad text.

        `context` is what the caller gave, for validators inside the contract (pydantic's `info.context`).
        """

    @abstractmethod
    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[T]:
        """The same for a document that was read before and changed since."""

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema (2020-12) of the value; `ConfigError` where there is none."""

    @abstractmethod
    def prompt(self, style: Style | None = None) -> str:
        """The text that tells a model what to answer; None chooses the contract's usual style.

        `ConfigError` for a style that this contract does not have.
        """

    def inner_guards(self, reading: Reading[T]) -> Iterable[tuple[Any, Stand]]:
        """The guards that stand inside the contract (`Annotated[str, Toxicity()]`), each with what it judges of this
        answer."""
        return ()

    @property
    def all_inner_guards(self) -> tuple[Any, ...]:
        """Every guard that stands inside the contract, without its place."""
        return ()

    def selected(self, reading: Reading[T], path: str) -> list[Stand]:
        """What a JSONPath or XPath names of what is delivered."""
        document = reading.document
        return [Stand(place, at(reading.value, place)) for place in document.select(path)] if document else []

    def check_path(self, path: str, where: str) -> None:
        """`ConfigError` for a path that no answer can have."""

    def steps_to(self, guard: Any) -> tuple[Steps, ...] | None:
        """The places of an inner guard in any answer; None where they depend on the answer."""
        return None

    def steps_of(self, path: str) -> tuple[Steps, ...] | None:
        """The places that a path names in any answer, in every spelling; None where they depend on the answer."""
        steps = plain_steps(path) if path.startswith("$") else None
        return (steps,) if steps else None

    def within(self, place: Place, value: Any, steps: Steps) -> list[Stand]:
        """The parts of a value that has just closed at a place, while an answer is streamed: those to which the steps
        lead from the root. What a contract shows as it came has been judged inside already."""
        return [Stand(place, value)] if len(steps) == len(place) else []

    def stands(self, reading: Reading[T], place: Place) -> list[Stand]:
        """What is delivered of a place of the document: nothing, or one part, or several where they have no places of
        their own."""
        try:
            return [Stand(place, at(reading.value, place))]
        except (LookupError, TypeError):
            return []

    def written(self, reading: Reading[T]) -> Any:
        """What is delivered as data of a document, less what no answer has set; raises what its type's own code does.
        Here the document is what is delivered."""
        return reading.document.data if reading.document is not None else reading.value

    def told(self, reading: Reading[T]) -> list[Stand]:
        """Every part of what is delivered, keys left out."""
        return [Stand((), reading.value)]


@describe.register
def _(contract: Contract) -> Any:
    """By what it is made anew from in another process, which is its source."""
    kind = name_of(type(contract))
    if is_dataclass(contract):
        return {"contract": kind, **{one.name: describe(getattr(contract, one.name)) for one in fields(contract)}}
    if type(contract).__reduce__ is object.__reduce__:
        return Untold(contract)
    made = contract.__reduce__()
    return {"contract": kind, "of": [describe(part) for part in made[1]]}


def check_style(style: str, offered: tuple[str, ...], what: str) -> None:
    """`ConfigError` for a prompt style that does not exist, or that this contract has not."""
    if style not in offered:
        raise ConfigError(
            f"{what} has no prompt style {style!r}" if style in STYLES else f"unknown prompt style {style!r}",
            where="prompt(style=)",
            hint=f"use one of {', '.join(map(repr, offered))}",
        )
