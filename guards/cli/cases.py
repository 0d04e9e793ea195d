"""The four guarded calls of `guards demo`: what is asked, what must hold, and the answers of the scripted model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from guards import Budget, Fix, Guarded, Raise, Reask, Reflect
from guards.checks.learned.entailment import Entailment
from guards.checks.rules.length import Length
from guards.checks.rules.pattern import Pattern
from guards.cli.inputs import example
from guards.contracts import Text, XmlSchema
from guards.documents import path_of
from guards.models import ModelSpec

__all__ = ["Case", "cases"]


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


LONGEST = 300
"""In characters: a reply that is read to its end."""

ADDRESS = r"\S+@\S+\w"
"""Customers write to the ticket, not to a person."""

DOCUMENTS = ("aurora-5.txt", "delivery.txt", "service.txt")
"""What a grounded answer may say, in examples/documents/."""


@dataclass(frozen=True, slots=True)
class Case:
    """One guarded call: `task` is put to the model; `answers` are what the scripted one says, in order.

    `given` are the examples to be shown; `models` those that the guards ask.
    """

    title: str
    given: tuple[str, ...]
    rules: str
    ticket: Guarded[Any]
    task: str
    answers: tuple[str, ...]
    context: Mapping[str, Any] = field(default_factory=dict)
    models: tuple[ModelSpec, ...] = ()


def cases() -> Iterator[Case]:
    """The four, in the order in which they are shown."""
    budget = Budget(attempts=3)

    typed = Guarded(Ticket, on_fail=Reflect(times=2).then(Raise()), budget=budget)
    yield Case(
        title="A support mail becomes a typed ticket (JSON)",
        given=("support_mail.txt",),
        rules="contract: the pydantic model Ticket; on_fail: Reflect(times=2), Raise()",
        ticket=typed,
        task=_task("Make a support ticket of this mail.", typed.prompt(), "support_mail.txt"),
        answers=_answers("ticket-json-1.txt", "ticket-json-2.txt"),
    )

    marked_up = Guarded(XmlSchema(path_of("ticket.xsd")), on_fail=Reask(times=2).then(Raise()), budget=budget)
    yield Case(
        title="The same mail becomes a ticket in XML",
        given=("support_mail.txt",),
        rules="contract: the XML Schema ticket.xsd; on_fail: Reask(times=2), Raise()",
        ticket=marked_up,
        task=_task("Make a support ticket of this mail.", marked_up.prompt(), "support_mail.txt"),
        answers=_answers("ticket-xml-1.txt", "ticket-xml-2.txt"),
    )

    under_rules = Guarded(
        Text(),
        guards=[Length(max=LONGEST), Pattern(ADDRESS, forbid=True, replace="us", on_fail=Fix())],
        on_fail=Reask(times=2).then(Raise()),
        budget=budget,
    )
    yield Case(
        title="A reply in plain text, under rules",
        given=("returns.txt",),
        rules="guards: Length (Reask(times=2), Raise()), no e-mail address (Fix())",
        ticket=under_rules,
        task=_task(
            f"Answer this mail by our terms, in at most {LONGEST} characters, without any e-mail address.",
            under_rules.prompt(),
            "support_mail.txt",
            "returns.txt",
        ),
        answers=_answers("reply-1.txt", "reply-2.txt"),
    )

    grounding = Entailment(source="documents")
    grounded = Guarded(Text(), guards=[grounding], on_fail=Reflect(times=2).then(Raise()), budget=budget)
    names = tuple(f"documents/{name}" for name in DOCUMENTS)
    yield Case(
        title="An answer that keeps to three documents",
        given=("question.txt", *names),
        rules='guard: Entailment(source="documents"); on_fail: Reflect(times=2), Raise()',
        ticket=grounded,
        task=_task("Answer this question by these documents alone.", grounded.prompt(), "question.txt", *names),
        answers=_answers("grounded-1.txt", "grounded-2.txt"),
        context={"documents": {name: _text(f"documents/{name}") for name in DOCUMENTS}},
        models=grounding.specs,
    )


def _task(asked: str, form: str, *names: str) -> str:
    return "\n\n".join([asked, form, *(f"<{name}>\n{_text(name)}</{name}>" for name in names)])


def _answers(*names: str) -> tuple[str, ...]:
    return tuple(_text(f"answers/{name}") for name in names)


def _text(name: str) -> str:
    return example(name).read_text(encoding="utf-8")
