"""What is asked of an answer, as it was said: the contract and all that stands beside it.

A `Guarded` and a compiled `contract(...)` are both made of these, and either may stand where a contract is asked for:
then what it says goes with it. What a contract is by itself is `contracts.compiled`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, NoReturn, TypedDict

from typing_extensions import TypeVar

from guards.checks.base import Guard, Placed
from guards.contracts.base import Contract
from guards.contracts.compiled import compile_contract
from guards.engine.guard_set import NO_GUARDS, GuardSet
from guards.errors import ConfigError
from guards.identity import describe
from guards.policies import Budget, Policy, Raise, Reask
from guards.reading.reading import Dial, Limits, check_dial

if TYPE_CHECKING:
    from guards.events import Hook

__all__ = ["UNSAID", "Options", "Terms", "WholeOnly", "terms_of"]

T = TypeVar("T", default=Any)


class _Unsaid:
    """Stands for a transport that nobody spoke of, since None means none at all."""

    def __repr__(self) -> str:
        return "<default>"

    def __reduce__(self) -> str:
        return "UNSAID"


UNSAID: Final = _Unsaid()


class Options(TypedDict, total=False):
    """What may be said of a ticket beside its contract; but for `on_fail`, which says what is delivered."""

    guards: Iterable[Guard | Placed]
    input_guards: Iterable[Guard]
    budget: Budget
    format: Literal["json", "xml"] | None
    reading: Dial
    limits: Limits
    transport: Any
    hooks: Iterable[Hook]


@dataclass(frozen=True)
class Terms(Generic[T]):
    """Contract and options; an option of which nothing was said is None, and has its default when it is used.

    `contract` is as it was given, before `format`; `compiled` is it in that format.
    """

    contract: Contract[T]
    guards: tuple[Guard | Placed, ...] = ()
    input_guards: tuple[Guard, ...] = ()
    on_fail: Policy[Any] | None = None
    budget: Budget | None = None
    format: str | None = None
    reading: Dial | None = None
    limits: Limits | None = None
    transport: Any = UNSAID
    hooks: tuple[Hook, ...] = ()

    @classmethod
    def of(cls, contract: Contract[T]) -> Terms[T]:
        """Of a contract with nothing said beside it: the class has the rest. Each `validate` of a type makes one."""
        terms = object.__new__(cls)
        terms.__dict__["contract"] = contract
        return terms

    def over(self, **said: Any) -> Terms[T]:
        """These with more said: further guards, input guards and hooks are added, every other option replaces.

        `ConfigError` for what cannot be such an option.
        """
        changes: dict[str, Any] = {}
        for name, option in said.items():
            if name in _LISTS:
                added = _listed(option, name)
                if added:
                    changes[name] = getattr(self, name) + added
            elif option is not _nothing(name):
                _check(name, option)
                changes[name] = option
        return replace(self, **changes) if changes else self

    @property
    def compiled(self) -> Contract[T]:
        return self.contract if self.format is None else compile_contract(self.contract, self.format)

    @cached_property
    def guard_set(self) -> GuardSet:
        if not self.guards and not self.compiled.all_inner_guards:
            return NO_GUARDS
        return GuardSet.of(self.guards, self.compiled)

    @cached_property
    def input_guard_set(self) -> GuardSet:
        return GuardSet.of(self.input_guards, None, "input_guards=")

    @cached_property
    def complete(self) -> Terms[T]:
        """With the defaults in the place of what was not said."""
        unsaid = {name: value for name, value in _DEFAULTS.items() if getattr(self, name) is _nothing(name)}
        return replace(self, **unsaid)

    @property
    def options(self) -> dict[str, Any]:
        """What was said beside the contract, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "contract"}

    def __reduce__(self) -> tuple[Any, ...]:
        # Anew: what was compiled knows guards inside the contract by identity, and the contract makes its own.
        return _rebuilt, (type(self), self.contract, self.options)


@describe.register
def _(terms: Terms) -> Any:  # dispatched on
    """By what an answer is asked for and judged with; how it is sent and who listens change no answer."""
    said = {name: given for name, given in terms.complete.options.items() if name not in _NO_ANSWERS}
    told = {name: describe(list(given) if isinstance(given, tuple) else given) for name, given in said.items()}
    return {"contract": describe(terms.compiled), **told}


_NO_ANSWERS: Final = ("transport", "hooks", "format")


class WholeOnly:
    """Refuses what stands for a whole answer inside a type: pydantic would pass it over in `Annotated[str, ticket]`.

    Seen on instances alone: a class may be the type of a field that holds one.
    """

    def __get__(self, instance: Any, owner: type) -> Callable[..., NoReturn]:
        if instance is None:
            raise AttributeError(f"{owner.__name__} has none")
        return _refuse_inside


def _refuse_inside(*_: Any) -> NoReturn:
    raise ConfigError(
        "a ticket or a contract stands for a whole answer",
        where="inside a type",
        hint="put its guards there, as in Annotated[str, guard]",
    )


def terms_of(given: Any, **said: Any) -> Terms[Any]:
    """The terms of anything that may stand as a contract, with more said; what it says itself goes with it.

    `ConfigError` for what cannot stand as one.
    """
    # By the class: `Annotated[ticket, guard]` has every attribute of the ticket, and would lose the guard.
    terms = given.terms if hasattr(type(given), "terms") else given
    if not isinstance(terms, Terms):
        terms = _of_class(given) if isinstance(given, type) else Terms.of(compile_contract(given))
    return terms.over(**said) if said else terms


@lru_cache(maxsize=512)
def _of_class(given: type) -> Terms[Any]:
    """A class with nothing said beside it: what most validations are of."""
    return Terms.of(compile_contract(given))


def _nothing(name: str) -> Any:
    """What an option is where nothing was said of it."""
    return UNSAID if name == "transport" else None


def _rebuilt(kind: type[Terms[Any]], contract: Contract[Any], options: Mapping[str, Any]) -> Terms[Any]:
    return kind(contract, **options)


_LISTS: Final = ("guards", "input_guards", "hooks")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "on_fail": Reask(times=2).then(Raise()),
    "budget": Budget(attempts=3),
    "reading": "careful",
    "limits": Limits(),
    "transport": "default",
}
_KINDS: Final[Mapping[str, tuple[type, str]]] = {
    "on_fail": (Policy, "write it like Reask(times=2).then(Raise())"),
    "budget": (Budget, "write it like Budget(attempts=3)"),
    "limits": (Limits, "write it like Limits(chars=100_000)"),
}


def _check(name: str, option: Any) -> None:
    if name == "reading":
        check_dial(option)
    elif name == "transport":
        _check_transport(option)
    elif name in _KINDS:
        kind, hint = _KINDS[name]
        if not isinstance(option, kind):
            raise ConfigError(f"{option!r} is no {kind.__name__}", where=f"{name}=", hint=hint)


def _check_transport(given: Any) -> None:
    if given is None or given == "default":
        return
    if not all(hasattr(given, name) for name in ("stop", "wait", "retry", "before_sleep", "iter")):
        raise ConfigError(
            f"{type(given).__name__} is no tenacity object",
            where="transport=",
            hint="use tenacity.Retrying(...) or None",
        )


def _listed(given: Any, name: str) -> tuple[Any, ...]:
    """Several as a tuple. What is no collection is refused by name, but for one hook."""
    if name == "hooks":
        return _hooks(given)
    if isinstance(given, Guard | Placed | str | Mapping) or not isinstance(given, Iterable):
        raise ConfigError(f"needs a list, not {given!r}", where=f"{name}=", hint=f"write {name}=[...]")
    return tuple(given)


def _hooks(given: Any) -> tuple[Any, ...]:
    hooks = tuple(given) if isinstance(given, Iterable) else (given,)
    for hook in hooks:
        if not callable(hook) or isinstance(hook, type):
            raise ConfigError(f"{hook!r} cannot be called", where="hooks=", hint="a hook is a function of one event")
    return hooks
