"""The three guarded calls of `guards demo`: what is asked, what must hold, and the answers of the scripted model.

The inputs and answers are files of `examples/`. They lie in the package, so that the demo runs from a wheel, or beside
it in a checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from guards import Budget, Guarded, Raise, Reask, Reflect
from guards._documents import path_of
from guards.contracts import XmlSchema
from guards.errors import ConfigError

__all__ = ["Case", "cases", "example"]


class Customer(BaseModel):
    """Who wrote."""

    name: str = Field(min_length=1)
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")


class Ticket(BaseModel):
    """A support ticket made of a customer's mail."""

    subject: str = Field(min_length=1, max_length=80)
    category: Literal["delivery", "defect", "billing", "account", "other"]
    priority: Literal["low", "normal", "high", "urgent"]
    customer: Customer
    order: str | None = Field(default=None, description="The order's number, as the customer wrote it.")
    request: list[str] = Field(min_length=1, description="What the customer asks for, one entry each.")


@dataclass(frozen=True, slots=True)
class Case:
    """One guarded call: `task` is put to the model; `answers` are what the scripted one says, in order."""

    title: str
    given: str
    rules: str
    ticket: Guarded[Any]
    task: str
    answers: tuple[str, ...]


def cases() -> Iterator[Case]:
    """The three, in the order in which they are shown."""
    budget = Budget(attempts=3)

    typed = Guarded(Ticket, on_fail=Reflect(times=2).then(Raise()), budget=budget)
    yield Case(
        title="A support mail becomes a typed ticket (JSON)",
        given="support_mail.txt",
        rules="contract: the pydantic model Ticket; on failure: Reflect(times=2), then Raise()",
        ticket=typed,
        task=_task("Make a support ticket of this mail.", typed.prompt(), "support_mail.txt"),
        answers=_answers("ticket-json-1.txt", "ticket-json-2.txt"),
    )

    marked_up = Guarded(XmlSchema(path_of("ticket.xsd")), on_fail=Reask(times=2).then(Raise()), budget=budget)
    yield Case(
        title="The same mail becomes a ticket in XML",
        given="support_mail.txt",
        rules="contract: the XML Schema ticket.xsd; on failure: Reask(times=2), then Raise()",
        ticket=marked_up,
        task=_task("Make a support ticket of this mail.", marked_up.prompt(), "support_mail.txt"),
        answers=_answers("ticket-xml-1.txt", "ticket-xml-2.txt"),
    )


def example(name: str) -> Path:
    """The path of one file of `examples/`."""
    here = Path(__file__).resolve().parent
    for folder in (here / "examples", here.parent.parent / "examples"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"there is no example {name!r}", where="examples/", hint="reinstall output-guards")


def _task(asked: str, form: str, name: str) -> str:
    return f"{asked}\n\n{form}\n\n<mail>\n{_text(name)}</mail>"


def _answers(*names: str) -> tuple[str, ...]:
    return tuple(_text(f"answers/{name}") for name in names)


def _text(name: str) -> str:
    return example(name).read_text(encoding="utf-8")
