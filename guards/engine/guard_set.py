"""The guards of a ticket: where each stands, what it is called, and in which order they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from guards.checks.asking import AskingGuard
from guards.checks.base import Guard, Placed, check_options, writes_flow
from guards.contracts.base import Contract
from guards.effects import Client
from guards.errors import ConfigError
from guards.policies import Policy

if TYPE_CHECKING:
    from guards.contracts.live import Watched

__all__ = ["NO_GUARDS", "Entry", "GuardSet", "Resolve", "client_of"]

Resolve: TypeAlias = Callable[..., Client]
"""Makes a client of what a policy or guard names: `resolve(given, where=...)`."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One guard of a ticket: where it stands, what its findings lead to, what it is called in scores and findings."""

    guard: Guard
    label: str
    policy: Policy[Any] | None = None
    path: str | None = None
    inside: bool = False
    """Whether it stands inside the contract, which then says where."""
    is_async: bool = False
    flows: bool = False
    """Whether it writes a flow, so that no bare check of it can be run."""


@dataclass(slots=True)
class GuardSet:
    """All guards of a ticket, the contract's inner ones too, in tiers of rising cost."""

    tiers: tuple[tuple[Entry, ...], ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    """Context key -> label of a guard that needs it."""
    inside: bool = False
    """Whether some stand inside the contract."""
    asking: tuple[tuple[str, AskingGuard], ...] = ()
    """Those that ask a client, with the labels under which they stand."""

    @classmethod
    def of(cls, guards: Iterable[Any], contract: Contract[Any] | None, where: str = "guards=") -> GuardSet:
        """Raises `ConfigError` for what is no guard, or a place that this contract cannot have."""
        if isinstance(guards, Guard | Placed | str) or not isinstance(guards, Iterable):
            raise ConfigError(f"needs a list of guards, not {guards!r}", where=where, hint=f"write {where}[...]")
        plain = [_entry(given, contract, where) for given in guards]
        if contract is not None:
            plain += [Entry(guard, guard.name, guard.on_fail, inside=True) for guard in contract.all_inner_guards]
        entries = _labelled(plain)
        costs = sorted({entry.guard.cost for entry in entries})
        tiers = tuple(tuple(e for e in entries if e.guard.cost == cost) for cost in costs)
        needs = {key: entry.label for entry in entries for key in entry.guard.needs}
        asking = tuple((entry.label, guard) for tier in tiers for entry in tier for guard in _askers(entry.guard))
        return cls(tiers, needs, any(entry.inside for entry in entries), asking)

    def watched(self, contract: Contract[Any]) -> tuple[Watched, ...] | None:
        """What each of them looks at of an answer that still comes; None where one of them needs the whole. The marks
        are the entries, as they stand for a part, which is a whole of its own."""
        if not self.tiers:
            return ()
        from guards.contracts.live import Watched  # only streams are watched

        watched = []
        for entry in (entry for tier in self.tiers for entry in tier):
            guard = entry.guard
            places = contract.watched_at(entry.path, guard if entry.inside else None) if guard.partial else None
            if places is None:
                return None
            watched.append(Watched(places, guard.joins, replace(entry, path=None, inside=False)))
        return tuple(watched)

    # -- wrong use, found where it is written ------------------------------------------------------------------------

    def check_context(self, context: Mapping[str, Any] | None, where: str = "context=") -> None:
        """`ConfigError` where a guard needs a key that nobody gave: it could not do its work."""
        if not self.needs:
            return
        for key, label in self.needs.items():
            if key not in (context or {}):
                raise ConfigError(
                    f"the guard {label!r} needs the key {key!r}", where=where, hint=f"pass context={{{key!r}: …}}"
                )

    def check_clients(self, resolve: Resolve) -> None:
        """`ConfigError` for a client that cannot be asked."""
        for label, guard in self.asking:
            if guard.client is not None:
                resolve(guard.client, where=client_of(label))

    def check_before_answer(self) -> None:
        """`ConfigError` for a guard whose policy cannot apply where there is no answer yet."""
        for entry in (entry for tier in self.tiers for entry in tier):
            for step in entry.policy.steps if entry.policy is not None else ():
                if step.asks or step.name not in _BEFORE_ANSWER:
                    raise ConfigError(
                        f"{type(step).__name__}{'(client=)' * (step.name == 'fallback')} cannot apply on an input "
                        "guard: there is no answer yet",
                        where=f"input_guards=, guard {entry.label!r}, on_fail=",
                        hint="use Raise(), Refrain(), Fallback(value) or Fix()",
                    )

    def check_askable(self, where: str, *, question: bool) -> None:
        """`ConfigError` for a guard that needs the call's client, where nobody but the caller's code asks; or the
        question itself, where it is not known."""
        for label, guard in self.asking:
            if guard.client is None:
                raise ConfigError(
                    f"the guard {label!r} asks a model, and nobody here can be asked",
                    where=where,
                    hint=f"give it a client: {type(guard).__name__}(..., client=...)",
                )
            if guard.resamples and not question:
                raise ConfigError(
                    f"the guard {label!r} asks the question again, and it is not known here",
                    where=where,
                    hint="tell it the key of the context that holds the question: question=...",
                )

    def refuse_async(self, resolve: Resolve, where: str) -> None:
        """`ConfigError` where a guard's own client is async, and the call is not."""
        for label, guard in self.asking:
            if guard.client is not None and resolve(guard.client, where=client_of(label)).colour == "async":
                raise ConfigError(
                    f"the client of the guard {label!r} is async",
                    where=where,
                    hint="use the async form (acall, avalidate, `async def`), or give it a sync client",
                )


def client_of(label: str) -> str:
    """Where a guard's client is written, for errors."""
    return f"guard {label!r}, client="


def _askers(guard: Guard) -> Iterator[AskingGuard]:
    """Those that ask a client: the guard itself, or those that it runs."""
    if isinstance(guard, AskingGuard):
        yield guard
    for part in guard.parts:
        yield from _askers(part)


def _entry(given: Any, contract: Contract[Any] | None, where: str) -> Entry:
    if isinstance(given, Placed):
        check_options(given.guard)
        place = f"{given.guard.name}.on()"
        if contract is None:
            raise ConfigError("input guards look at the user's text, which has no places", where=place)
        contract.check_place(given.path, place)
        return Entry(given.guard, given.guard.name, given.on_fail or given.guard.on_fail, given.path)
    if isinstance(given, Guard):
        check_options(given)
        return Entry(given, given.name, given.on_fail)
    if isinstance(given, type) and issubclass(given, Guard):
        raise ConfigError(f"{given.__name__} is a class", where=where, hint=f"write {given.__name__}()")
    if callable(given):
        name = getattr(given, "__name__", given)
        raise ConfigError(f"the function {name!r} is no guard", where=where, hint="decorate it with @check")
    raise ConfigError(f"{given!r} is no guard", where=where, hint="use guards of guards.checks, or @check")


def _labelled(entries: Sequence[Entry]) -> list[Entry]:
    """Equal names get `#2`, `#3`, in the order given; no such label is another guard's own name."""
    names = {entry.label for entry in entries}
    taken: set[str] = set()
    labelled: list[Entry] = []
    for entry in entries:
        label, count = entry.label, 1
        while label in taken or (count > 1 and label in names):
            count += 1
            label = f"{entry.label}#{count}"
        taken.add(label)
        guard = entry.guard
        kind = guard.is_async, writes_flow(guard)
        labelled.append(Entry(guard, label, entry.policy, entry.path, entry.inside, *kind))
    return labelled


_BEFORE_ANSWER: Final = ("raise", "refrain", "fallback", "fix")
NO_GUARDS: Final = GuardSet()
