"""`@ticket` on a function that makes the call: its body gives text back, its callers get the accepted value."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Final, Generic, Literal, TypeVar, cast, overload

from typing_extensions import ParamSpec

from guards.clients import resolve
from guards.clients.callables import Plain
from guards.clients.endpoint import changed, resent
from guards.driving.drivers import run_async, run_sync
from guards.effects import Ask, Client
from guards.engine.call import Call, begin
from guards.engine.plan import Plan, Showing, plan_of
from guards.engine.terms import Terms
from guards.errors import ConfigError
from guards.messages import Feedback, Message, as_messages
from guards.outgoing.texts import Beside, Keys, held_back
from guards.records import Outcome
from guards.values.colour import is_async

if TYPE_CHECKING:
    from guards.shapes.stream import Stream

__all__ = ["AsyncDecorated", "Decorated", "decorate"]

P = ParamSpec("P")
Q = ParamSpec("Q")
S = TypeVar("S")
R_co = TypeVar("R_co", covariant=True)


Bound = Literal["instance", "class", "nothing"]
_BOUND: Final[Mapping[type, Bound]] = {staticmethod: "nothing", classmethod: "class"}


class _Shape:
    """What a function's signature says: where feedback goes, what is context, and whether it is async; and what it is
    bound to where it stands in a class."""

    def __init__(self, given: Any) -> None:
        self.bound: Bound = _BOUND.get(type(given), "instance")
        self.function = function = _function_of(given)
        self.signature = _signature(function)
        names = list(self.signature.parameters)
        self.feedback = next((n for n in names if n == "feedback"), None) or next(
            (n for n in names if _is_feedback(self.signature.parameters[n].annotation)), None
        )
        self.messages = "messages" if "messages" in names else None
        self.is_async = is_async(function)

    def bound_to(self, instance: Any, owner: type | None) -> tuple[Any, ...]:
        """What stands before the caller's arguments where the function is looked up so."""
        if self.bound == "class":
            return (owner if owner is not None else type(instance),)
        return () if instance is None or self.bound == "nothing" else (instance,)

    def context_names(self) -> set[str]:
        return set(self.signature.parameters) - {self.feedback}

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, method: bool) -> _Bound:
        """The arguments of one call. Of a method that was looked up on its object or class, the first is that
        owner; one that the caller passes is an argument like any other, whatever the parameter is called."""
        bound = self.signature.bind(*args, **kwargs)
        passed = frozenset(bound.arguments)
        bound.apply_defaults()
        first = next(iter(self.signature.parameters), None) if method else None
        aside = {self.feedback, first}
        context = {name: value for name, value in bound.arguments.items() if name not in aside}
        given: Any = bound.arguments.get("messages") if self.messages else None
        # Turns that cannot be read could not be sent again with the feedback behind them.
        turned = isinstance(given, str | list | tuple) or (given is not None and self.feedback is None)
        asked = {name: value for name, value in bound.arguments.items() if name != first}
        return _Bound(bound, context, asked, passed, as_messages(given) if turned else (), turned)


@dataclass(frozen=True, slots=True)
class _Bound:
    """The arguments of one call.

    `context` are those that guards know by name, `asked` those that go to the model, feedback of the caller's too;
    `passed` are the names that the caller gave a value for. `turned`: the argument `messages` was read as `turns`.
    """

    arguments: inspect.BoundArguments
    context: Mapping[str, Any]
    asked: Mapping[str, Any]
    passed: frozenset[str]
    turns: tuple[Message, ...]
    turned: bool

    def beside(self) -> Iterator[Beside]:
        """What the function is given beside the turns. A default is the developer's own."""
        for name, value in self.asked.items():
            if self.turned and name == "messages":
                yield from held_back(value)
                continue
            role = "user" if name in self.passed else "system"
            if self.arguments.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                yield from (Beside((name, key), inner, role, free=True) for key, inner in value.items())
            else:
                yield Beside((name,), value, role)

    def amended(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> tuple[_Bound, dict[str, Any]]:
        """The arguments with others at these places, and those that became others by name."""
        after = changed(self.arguments.arguments, beside)
        if turns:
            after["messages"] = resent(after["messages"], turns)
        bound = inspect.BoundArguments(self.arguments.signature, after)
        others = {name: after[name] for name in self.context if after[name] is not self.context[name]}
        asked = {name: after[name] for name in self.asked}
        messages = tuple(turns.get(number, turn) for number, turn in enumerate(self.turns))
        return _Bound(bound, {**self.context, **others}, asked, self.passed, messages, self.turned), others


class _Function(Plain):
    """The client behind a decorated function: one set of arguments, asked once per attempt."""

    def __init__(self, shape: _Shape, bound: _Bound) -> None:
        self._shape = shape
        self._bound = bound
        self.colour: Literal["sync", "async"] = "async" if shape.is_async else "sync"
        self.owner: object = shape
        self.aside: Client | None = None

    def beside(self) -> Iterator[Beside]:
        return self._bound.beside()

    def amended(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> tuple[_Function, Mapping[str, Any]]:
        bound, context = self._bound.amended(turns, beside)
        return _Function(self._shape, bound), context

    def _called(self, ask: Ask, timeout: float | None) -> Any:
        shape = self._shape
        bound = self._bound.arguments
        if shape.feedback is not None:
            if ask.feedback is not None:
                bound.arguments[shape.feedback] = ask.feedback
        elif shape.messages is not None and ask.extra:
            bound.arguments[shape.messages] = list(ask.messages)
        return shape.function(*bound.args, **bound.kwargs)


class _Wrapper:
    """What both colours share: it looks like the function that it stands for."""

    def __init__(self, plan: Plan[Any], shape: _Shape, bound_to: tuple[Any, ...] = ()) -> None:
        self._plan = plan
        self._shape = shape
        self._bound_to = bound_to
        functools.update_wrapper(cast("Callable[..., Any]", self), shape.function)
        # `inspect.iscoroutinefunction` asks a function-like object for these.
        self.__code__ = (_async_marker if shape.is_async else _sync_marker).__code__
        self.__defaults__ = getattr(shape.function, "__defaults__", None)
        self.__kwdefaults__ = getattr(shape.function, "__kwdefaults__", None)
        if bound_to:
            self.__wrapped__ = shape.function.__get__(bound_to[0])

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any], showing: Showing | None = None) -> Call[Any]:
        shape = self._shape
        bound = shape.bind(self._bound_to + args, kwargs, method=bool(self._bound_to))
        return begin(self._plan, _Function(shape, bound), bound.turns, bound.context, showing=showing)

    def _streamed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Stream[Any]:
        from guards.shapes.stream import Stream

        return Stream(self._begin(args, kwargs, self._plan.showing()))

    def __reduce__(self) -> str | tuple[Any, ...]:
        function = self._shape.function
        if self._bound_to:
            return getattr, (self._bound_to[0], function.__name__)
        if not hasattr(function, "__qualname__"):  # a partial, an object that is called: by value
            return _anew, (self._plan.terms, function)
        return function.__qualname__

    def __repr__(self) -> str:
        return f"<guarded {self._shape.function!r}>"


class Decorated(_Wrapper, Generic[P, R_co]):
    """A guarded function. Calling it gives the accepted value or raises `Rejected`; `run` never does."""

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        value: R_co = run_sync(self._begin(args, kwargs).run()).raise_if_rejected()
        return value

    def run(self, /, *args: P.args, **kwargs: P.kwargs) -> Outcome[R_co]:
        """The whole `Outcome`; what the function itself raises still comes out."""
        return run_sync(self._begin(args, kwargs).run())

    outcome = run

    def stream(self, /, *args: P.args, **kwargs: P.kwargs) -> Stream[R_co]:
        """The events of the call while it runs, as `Guarded.stream`; the body gives an iterator of text or an SDK's
        stream."""
        return self._streamed(args, kwargs)

    @overload
    def __get__(self, instance: None, owner: type) -> Decorated[P, R_co]: ...
    @overload
    def __get__(
        self: Decorated[Concatenate[S, Q], R_co], instance: S, owner: type | None = None
    ) -> Decorated[Q, R_co]: ...

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        bound_to = self._shape.bound_to(instance, owner)
        return Decorated(self._plan, self._shape, bound_to) if bound_to else self


class AsyncDecorated(_Wrapper, Generic[P, R_co]):
    """As `Decorated`, for an async function: both forms are awaited."""

    async def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        value: R_co = (await run_async(self._begin(args, kwargs).run())).raise_if_rejected()
        return value

    async def run(self, /, *args: P.args, **kwargs: P.kwargs) -> Outcome[R_co]:
        """The whole `Outcome`."""
        return await run_async(self._begin(args, kwargs).run())

    outcome = run

    def stream(self, /, *args: P.args, **kwargs: P.kwargs) -> Stream[R_co]:
        """As `Decorated.stream`, for `async for`."""
        return self._streamed(args, kwargs)

    @overload
    def __get__(self, instance: None, owner: type) -> AsyncDecorated[P, R_co]: ...
    @overload
    def __get__(
        self: AsyncDecorated[Concatenate[S, Q], R_co], instance: S, owner: type | None = None
    ) -> AsyncDecorated[Q, R_co]: ...

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        bound_to = self._shape.bound_to(instance, owner)
        return AsyncDecorated(self._plan, self._shape, bound_to) if bound_to else self


def decorate(plan: Plan[Any], function: Any) -> Decorated[Any, Any] | AsyncDecorated[Any, Any]:
    """The guarded function. Raises `ConfigError` where it could not do its work: no room for feedback, a context key
    that no parameter has, a policy that needs a client."""
    shape = _Shape(function)
    where = f"@ticket on {getattr(shape.function, '__name__', function)!r}"
    plan.check_no_client(where, question=shape.messages is not None, in_async=shape.is_async)
    asking = next((s for s in plan.steps if s.asks and s.name in ("reask", "reflect")), None)
    if asking is not None and shape.feedback is None and shape.messages is None:
        raise ConfigError(
            f"{type(asking).__name__} asks again, but the function has no room for feedback",
            where=where,
            hint="add a parameter `feedback: Feedback | None = None` (or `messages`), or use on_fail=Raise()",
        )
    if shape.messages is None and any(s.asks and s.name == "fallback" for s in plan.steps):
        raise ConfigError(
            "Fallback(client=) asks the question again, and the function has no parameter that holds it",
            where=where,
            hint="add a parameter `messages`, or use Fallback(function)",
        )
    if shape.feedback is not None:
        _check_optional(shape, shape.feedback, where)
    _check_keys(plan, shape, where)
    return AsyncDecorated(plan, shape) if shape.is_async else Decorated(plan, shape)


def _anew(terms: Terms[Any], function: Any) -> Any:
    """As it was, in another process."""
    return decorate(plan_of(terms, resolve), function)


def _check_optional(shape: _Shape, name: str, where: str) -> None:
    parameter = shape.signature.parameters[name]
    if parameter.default is parameter.empty:
        raise ConfigError(
            f"the parameter {name!r} needs a default: there is no feedback the first time",
            where=where,
            hint=f"write `{name}: Feedback | None = None`",
        )


def _check_keys(plan: Plan[Any], shape: _Shape, where: str) -> None:
    needs: Mapping[str, str] = {**plan.input_guards.needs, **plan.guards.needs}
    known = shape.context_names()
    for key, label in needs.items():
        if key not in known:
            raise ConfigError(
                f"the guard {label!r} needs {key!r}, and the function has no such parameter",
                where=where,
                hint=f"name a parameter {key!r}, or tell the guard one of {', '.join(sorted(known)) or 'your own'}",
            )


def _function_of(given: Any) -> Callable[..., Any]:
    """The function itself. `ConfigError` for what is none, and for what gives no answer when it is called."""
    if isinstance(given, staticmethod | classmethod):
        return _function_of(given.__func__)
    if isinstance(given, type):
        raise ConfigError(f"{given.__name__} is a class", where="decorator", hint="put it on a function or method")
    if not callable(given):
        hint = "put it under @property" if isinstance(given, property) else "put it on a function"
        raise ConfigError(f"{given!r} is no function", where="decorator", hint=hint)
    return cast("Callable[..., Any]", given)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    # An annotation is any expression: one that cannot be evaluated here (a name imported for type checkers only) stays
    # text.
    with suppress(Exception):
        return inspect.signature(function, eval_str=True)
    try:
        return inspect.signature(function)
    except (TypeError, ValueError) as fault:
        raise ConfigError(
            f"{function!r} does not tell its parameters", where="decorator", hint="put it on a function of your own"
        ) from fault


_FEEDBACK: Final = re.compile(r"\bFeedback\b")


def _is_feedback(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return _FEEDBACK.search(annotation) is not None
    return annotation is Feedback or Feedback in getattr(annotation, "__args__", ())


def _sync_marker() -> None:
    """Lends its code object to sync wrappers."""


async def _async_marker() -> None:
    """Lends its code object to async wrappers."""
