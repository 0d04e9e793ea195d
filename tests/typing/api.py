"""What type checkers infer of the public interface. Never run: checked by mypy and pyright (`make types`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, assert_type

from pydantic import BaseModel, Field

from guards import (
    Budget,
    Fallback,
    Feedback,
    Filter,
    Fix,
    Guarded,
    Noop,
    Outcome,
    Raise,
    Reask,
    Reflect,
    Refrain,
    avalidate,
    contract,
    validate,
)
from guards.contracts import Choice, JsonSchema, Pattern, Rail, RelaxNG, Text, XmlSchema


class A(BaseModel):
    name: str


@dataclasses.dataclass
class B:
    size: int


def llm(messages: list[dict[str, str]]) -> str:
    return ""


def standalone(text: str) -> None:
    assert_type(validate(text, A), Outcome[A])
    assert_type(validate(text, B).value, B | None)
    assert_type(validate(text, list[A]), Outcome[list[A]])
    assert_type(validate(text, A | B), Outcome[A | B])
    assert_type(validate(text, A | None), Outcome[A | None])
    assert_type(validate(text, Literal["a", "b"]), Outcome[Literal["a", "b"]])
    assert_type(validate(text, Annotated[int, Field(ge=0)]), Outcome[int])
    assert_type(validate(text, dict[str, int]), Outcome[dict[str, int]])
    assert_type(validate(text, int), Outcome[int])
    assert_type(validate(text, Text()), Outcome[str])
    assert_type(validate(text, Choice(["a"])), Outcome[str])
    assert_type(validate(text, Pattern("a")), Outcome[str])
    assert_type(validate(text, JsonSchema({})), Outcome[Any])
    assert_type(validate(text, XmlSchema("")), Outcome[Any])
    assert_type(validate(text, RelaxNG("")), Outcome[Any])
    assert_type(validate(text, Rail("")), Outcome[Any])
    assert_type(validate(text, {"type": "object"}), Outcome[Any])
    assert_type(validate(text, Path("a.json")), Outcome[Any])
    assert_type(validate(text, contract(A)), Outcome[A])
    assert_type(contract(A).validate(text), Outcome[A])
    assert_type(validate(text, A, format="xml", reading="strict").raise_if_rejected(), A)
    assert_type(validate(text, Guarded(A)), Outcome[A])
    assert_type(validate(text, Guarded(A, on_fail=Refrain())), Outcome[A | None])
    assert_type(contract(Guarded(A)).validate(text), Outcome[A])
    assert_type(Guarded(A).validate(text, context={}), Outcome[A])


def standalone_policies(text: str) -> None:
    assert_type(validate(text, A, on_fail=None), Outcome[A])
    assert_type(validate(text, A, on_fail=Fix().then(Filter()).then(Noop())), Outcome[A])
    assert_type(validate(text, A, on_fail=Fix().then(Refrain())), Outcome[A | None])
    assert_type(validate(text, list[A], on_fail=Fallback("none")), Outcome[list[A] | str])
    assert_type(validate(text, {"type": "object"}, on_fail=Refrain()), Outcome[Any])
    assert_type(validate(text, Guarded(A), on_fail=Refrain()), Outcome[A | None])
    assert_type(contract(A).validate(text, on_fail=Fallback(0)), Outcome[A | int])
    assert_type(Guarded(A).validate(text, on_fail=Fallback(0)), Outcome[A | int])
    assert_type(Guarded(A).validate(text, on_fail=Fix()), Outcome[A])


async def asynchronous(text: str) -> None:
    assert_type(await avalidate(text, A), Outcome[A])
    assert_type(await avalidate(text, A, on_fail=Refrain()), Outcome[A | None])
    assert_type(await avalidate(text, Guarded(A)), Outcome[A])
    assert_type(await Guarded(A).avalidate(text, on_fail=Fallback("none")), Outcome[A | str])
    assert_type(await Guarded(A).acall(llm, "task"), A)
    async with Guarded(list[A]).session() as session:
        assert_type(await session.acall(llm, "task"), list[A])
    async for attempt in Guarded(A).attempts("task"):
        assert_type(attempt.value, A | None)


def tickets() -> None:
    assert_type(Guarded(A), Guarded[A])
    assert_type(Guarded(A, budget=Budget(attempts=2)), Guarded[A])
    assert_type(Guarded(A | B), Guarded[A | B])
    assert_type(Guarded(A, on_fail=Reask().then(Raise())), Guarded[A])
    assert_type(Guarded(A, on_fail=Fix().then(Filter()).then(Noop())), Guarded[A])
    assert_type(Guarded(A, on_fail=Reflect(times=2).then(Refrain())), Guarded[A | None])
    assert_type(Guarded(A, on_fail=Refrain()), Guarded[A | None])
    assert_type(Guarded(A, on_fail=Reask().then(Fallback("none"))), Guarded[A | str])
    assert_type(Guarded(Text()), Guarded[str])
    assert_type(Guarded(Guarded(A)), Guarded[A])
    assert_type(Guarded(Guarded(A), on_fail=Refrain()), Guarded[A | None])
    assert_type(Guarded(contract(Guarded(A))), Guarded[A])
    assert_type(Guarded({"type": "object"}), Guarded[Any])
    assert_type(Guarded(A).call(llm, "task"), A)
    assert_type(Guarded(A).run(llm, [{"role": "user", "content": "x"}]), Outcome[A])
    with Guarded(A).session(context={"mail": "x"}) as session:
        assert_type(session.call(llm, "task"), A)
        assert_type(session.outcomes, tuple[Outcome[A], ...])
    loop = Guarded(A).attempts("task")
    assert_type(loop.value, A | None)
    assert_type(loop.outcome, Outcome[A] | None)


@Guarded(A)
def triage(mail: str, depth: int = 1, *, feedback: Feedback | None = None) -> str:
    return ""


@Guarded(list[A])
async def later(mail: str, *, feedback: Feedback | None = None) -> str:
    return ""


@Guarded(A, on_fail=Raise())
def pieces(mail: str) -> Iterator[str]:
    yield ""


class Desk:
    @Guarded(A)
    def triage(self, mail: str, *, feedback: Feedback | None = None) -> str:
        return ""

    @Guarded(A)
    async def later(self, mail: str, *, feedback: Feedback | None = None) -> str:
        return ""


async def decorated() -> None:
    assert_type(triage("x", depth=2), A)
    assert_type(triage.run("x"), Outcome[A])
    assert_type(triage.outcome("x"), Outcome[A])
    assert_type(await later("x"), list[A])
    assert_type(await later.run("x"), Outcome[list[A]])
    assert_type(await later.outcome("x"), Outcome[list[A]])
    assert_type(pieces("x"), A)
    assert_type(Desk().triage("x"), A)
    assert_type(Desk().triage.run("x"), Outcome[A])
    assert_type(Desk().triage.outcome("x"), Outcome[A])
    assert_type(await Desk().later.run("x"), Outcome[A])
    assert_type(await Desk().later("x"), A)


def mistakes() -> None:
    triage(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    triage("x", nope=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Desk().triage()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Guarded(A, on_fail="reask")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    validate("x", A, on_fail="fix")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    validate("x", A, reading="sloppy")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
