"""What a call goes by: the terms of a ticket, compiled once and shared by all its calls. And how a streamed one shows.

Every shape of use begins from a `Plan`; `Guarded` is its face.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from guards.contracts.base import Contract
from guards.effects import Client
from guards.engine.guard_set import GuardSet, Resolve
from guards.engine.terms import Terms
from guards.errors import ConfigError
from guards.identity import fingerprint
from guards.policies import Budget, Fallback, Policy, Reflect
from guards.reading.reading import Dial, Limits
from guards.records import Origin

if TYPE_CHECKING:
    from guards.contracts.live import Watched
    from guards.events import Hook

__all__ = ["Plan", "Showing", "plan_of"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Showing:
    """That a call is streamed. `at_once`: what comes is shown before the whole was checked; `watched` is what guards
    look at of it before; `final`: what was shown cannot be taken back, so that no other answer may follow."""

    at_once: bool
    watched: tuple[Watched, ...] = ()
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[T]):
    """What a ticket says, with nothing left to look up."""

    terms: Terms[T]
    """What was said."""
    contract: Contract[T]
    guards: GuardSet
    input_guards: GuardSet
    on_fail: Policy[Any]
    budget: Budget
    dial: Dial
    limits: Limits
    transport: Any
    hooks: tuple[Hook, ...]
    resolve: Resolve
    origin: Origin
    """What its records say that they are of."""

    @property
    def steps(self) -> list[Policy[Any]]:
        """Every single policy that may act: the ticket's own and its guards'."""
        entries = (entry for tier in self.guards.tiers for entry in tier)
        chains = [self.on_fail, *(entry.policy for entry in entries if entry.policy is not None)]
        return [step for chain in chains for step in chain.steps]

    @property
    def judging(self) -> Contract[T] | None:
        """The contract, where guards look at what it reads."""
        return self.contract if self.guards.tiers else None

    def showing(self) -> Showing:
        """How a streamed call shows what comes: with no guards there is nothing to wait for."""
        watched = self.guards.watched(self.contract)
        return Showing(at_once=watched is not None, watched=watched or ())

    def showing_for_good(self) -> Showing:
        """The same for a reader that nothing can be taken back from: a text goes out part by part if its guards can
        judge parts; any other answer when it has been accepted."""
        watched = None if self.contract.is_data else self.guards.watched(self.contract)
        return Showing(at_once=watched is not None, watched=watched or (), final=True)

    # -- wrong use, found where it is written --------------------------------------------------------------------

    def check(self) -> None:
        """`ConfigError` for a client that cannot be asked, and for a policy that an input guard cannot have."""
        self.guards.check_clients(self.resolve)
        self.input_guards.check_clients(self.resolve)
        for step in self.steps:
            if isinstance(step, Reflect | Fallback) and step.client is not None:
                self.resolve(step.client, where=f"{type(step).__name__}(client=)")
        if self.input_guards.tiers:
            self.input_guards.check_before_answer()

    def check_no_client(self, where: str, *, question: bool = True, in_async: bool = True) -> None:
        """`ConfigError` where a policy or guard needs a call of its own and nobody here can make it.

        `question`: whether what is asked is known; `in_async`: whether an async client can be awaited.
        """
        for step in self.steps:
            if isinstance(step, Reflect) and step.mode == "separate" and step.client is None:
                raise ConfigError(
                    "Reflect(mode='separate') needs a client: here the caller's own code makes the calls",
                    where=where,
                    hint="add client=, or use mode='inline'",
                )
        for guards in (self.input_guards, self.guards):
            guards.check_askable(where, question=question)
            if not in_async:
                guards.refuse_async(self.resolve, where)

    def check_sync(self, client: Client) -> None:
        """`ConfigError` where a sync call gets an async client, or a guard of it has one."""
        if client.colour == "async":
            raise ConfigError("the client is async", where="call", hint="use `await ticket.acall(...)`")
        for guards in (self.input_guards, self.guards):
            if guards.tiers:
                guards.refuse_async(self.resolve, "call")


def _fingerprint_of(terms: Terms[Any]) -> str | None:
    try:
        return fingerprint(terms)
    except ConfigError:  # a part of it cannot be told from others
        return None


def plan_of(terms: Terms[T], resolve: Resolve) -> Plan[T]:
    """The plan of these terms, made once."""
    known: Plan[T] | None = terms.__dict__.get("_plan")
    if known is None or known.resolve is not resolve:
        full: Any = terms.complete  # every option has a value there
        known = Plan(
            terms=terms,
            contract=terms.compiled,
            guards=terms.guard_set,
            input_guards=terms.input_guard_set,
            on_fail=full.on_fail,
            budget=full.budget,
            dial=full.reading,
            limits=full.limits,
            transport=full.transport,
            hooks=full.hooks,
            resolve=resolve,
            origin=Origin(terms.contract.name, partial(_fingerprint_of, terms)),
        )
        terms.__dict__["_plan"] = known
    return known
