"""What every contract can do: read a text, check a document again, describe itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, get_args

from typing_extensions import TypeVar

from guards.errors import ConfigError
from guards.identity import Untold, describe, name_of
from guards.reading.document import Document, Place, Steps, at
from guards.reading.reading import Dial, Limits, Reading

if TYPE_CHECKING:
    from guards.contracts.grammar import Grammar
    from guards.contracts.live import Live, Watched
    from guards.contracts.parts import Parted

__all__ = ["Contract", "Format", "Stand", "Style", "check_style", "no_place"]

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
    is_data: ClassVar[bool] = True
    """Whether an answer shows by its form that it is whole, and may come as a tool's arguments. A text may end
    anywhere."""
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

    @abstractmethod
    def check_place(self, path: str, where: str) -> None:
        """`ConfigError` for a path that is not of this format, or that no answer can have."""

    @abstractmethod
    def live(
        self,
        call: str,
        limits: Limits = Limits(),
        watched: Sequence[Watched] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Live:
        """The view of an answer while it comes, of the call of that id. `context` as in `read`."""

    def watched_at(self, path: str | None, inner: Any = None) -> tuple[Steps, ...] | None:
        """Where parts of an answer can be judged while it comes, by a guard at a path (None: of the whole), or by an
        `inner` one; None where only the whole answer tells."""
        return None

    def parts(self, document: Document) -> Parted | None:
        """The same answer in parts that can be asked for alone; None where it has none."""
        return None

    def grammar(self) -> Grammar | None:
        """What constrained decoding can be given, so that a model writes no other form; None where there is nothing.

        It may allow more than the contract does: what comes is read and checked all the same.
        """
        return None

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


def no_place(path: str, format: Format, where: str, wanted: str) -> ConfigError:  # noqa: A002  # the contract's word
    """The error for a path in the manner of another format."""
    return ConfigError(f"{path!r} cannot be a place of an answer in {format}", where=where, hint=f"use {wanted}")


def check_style(style: str, offered: tuple[str, ...], what: str) -> None:
    """`ConfigError` for a prompt style that does not exist, or that this contract has not."""
    if style not in offered:
        raise ConfigError(
            f"{what} has no prompt style {style!r}" if style in STYLES else f"unknown prompt style {style!r}",
            where="prompt(style=)",
            hint=f"use one of {', '.join(map(repr, offered))}",
        )
