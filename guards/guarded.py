"""`Guarded`: contract, guards, policy and budget in one immutable value, and every shape of using it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Never, NoReturn, TypeAlias, cast, overload

from typing_extensions import ParamSpec, TypeForm, TypeVar, Unpack

from guards.checks.base import Guard, Placed
from guards.clients import resolve
from guards.context import checked_context
from guards.contracts.base import Contract, Style
from guards.driving.drivers import run_async, run_sync
from guards.engine.call import begin
from guards.engine.plan import Plan, plan_of
from guards.engine.terms import UNSAID, Options, Terms, WholeOnly, terms_of
from guards.errors import ConfigError
from guards.identity import describe
from guards.messages import Message, as_messages
from guards.policies import Budget, Policy
from guards.reading.reading import Dial, Limits
from guards.records import Outcome
from guards.shapes.validator import Compiled, avalidate, validate

if TYPE_CHECKING:
    from guards.events import Hook
    from guards.shapes.attempts import Attempts
    from guards.shapes.decorator import AsyncDecorated, Decorated
    from guards.shapes.session import Session
    from guards.shapes.stream import Stream

__all__ = ["Guarded"]

T = TypeVar("T")
D = TypeVar("D", default=Never)
R_co = TypeVar("R_co", covariant=True)
P = ParamSpec("P")
C = TypeVar("C")

Messages: TypeAlias = str | Sequence[Message]
Given: TypeAlias = Mapping[str, Any] | None


class Guarded(Generic[R_co]):
    """What an answer must be, what is checked, what happens when it does not hold, and how much may be spent.

    Immutable, picklable, cheap to share between threads and tasks; `replace(**changes)` gives a changed copy. Use it as
    a decorator, through `call` / `acall` / `wrap`, as a `session`, or as an `attempts` loop.

    Args:
        contract: a Python type, a JSON Schema (`dict` or `JsonSchema`), `XmlSchema`, `RelaxNG`, `Rail`, `Text`,
            `Choice`, `Pattern`, or a `pathlib.Path` of such a file. A `Guarded`, or a `contract(...)` of one, brings
            all that it says: guards, input guards and hooks are added to its own, any other option replaces it.
        guards: run over the answer, cheap before dear.
        input_guards: run over what goes to the model; where they refuse, no call is made.
        on_fail: what follows an answer that does not hold; `Reask(times=2).then(Raise())` by default.
        budget: bounds on attempts, seconds, tokens and cost; three attempts by default.
        format: `"xml"` has a Python type or JSON Schema answered in XML.
        reading: how far the reader goes: `"strict"`, `"careful"` (the default), `"eager"`.
        limits: bounds on the size of an answer; `Limits()` by default.
        transport: a tenacity retrying object for the transport's faults; None for none. By default an SDK's known
            transient faults are retried, and a plain callable's exceptions pass.
        hooks: called with each event (`guards.events`), plain or async.

    Raises `ConfigError` for an option that cannot work.
    """

    __slots__ = ("plan",)
    plan: Plan[Any]
    """What it says, compiled: what every shape of use begins from. Inside the library."""
    __get_pydantic_core_schema__ = WholeOnly()

    @overload
    def __init__(
        self: Guarded[T],
        contract: Contract[T] | Compiled[T] | Guarded[T],
        *,
        on_fail: Policy[Never] = ...,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Guarded[T | D],
        contract: Contract[T] | Compiled[T] | Guarded[T],
        *,
        on_fail: Policy[D],
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Guarded[T],
        contract: TypeForm[T],
        *,
        on_fail: Policy[Never] = ...,
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Guarded[T | D],
        contract: TypeForm[T],
        *,
        on_fail: Policy[D],
        **options: Unpack[Options],
    ) -> None: ...
    @overload
    def __init__(
        self: Guarded[Any],
        contract: Mapping[str, Any] | Path,
        *,
        on_fail: Policy[Any] = ...,
        **options: Unpack[Options],
    ) -> None: ...

    def __init__(
        self,
        contract: Any,
        *,
        guards: Iterable[Guard | Placed] = (),
        input_guards: Iterable[Guard] = (),
        on_fail: Policy[Any] | None = None,
        budget: Budget | None = None,
        format: Literal["json", "xml"] | None = None,  # noqa: A002  # the public name
        reading: Dial | None = None,
        limits: Limits | None = None,
        transport: Any = UNSAID,
        hooks: Iterable[Hook] = (),
    ) -> None:
        terms = terms_of(
            contract,
            guards=guards,
            input_guards=input_guards,
            on_fail=on_fail,
            budget=budget,
            format=format,
            reading=reading,
            limits=limits,
            transport=transport,
            hooks=hooks,
        )
        plan = plan_of(terms, resolve)
        plan.check()
        object.__setattr__(self, "plan", plan)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"Guarded is immutable; use .replace({name}=...)")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Guarded is immutable")

    def __init_subclass__(cls, **options: Any) -> NoReturn:
        raise TypeError("Guarded is final: keep one as a value, or write a function that makes one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Guarded) and self.terms.complete == other.terms.complete

    def __hash__(self) -> int:
        return hash((self.plan.contract, self.terms.format, self.plan.dial))

    def __repr__(self) -> str:
        return f"Guarded({self.terms.contract!r}, on_fail={self.on_fail!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Guarded, (self.terms,)

    @property
    def terms(self) -> Terms[Any]:
        """What was said; inside the library."""
        return self.plan.terms

    def replace(self, **changes: Any) -> Guarded[R_co]:
        """A copy with other settings; `ConfigError` for a name that is none.

        A list replaces the whole list. A `Guarded` as `contract` brings what it says, as in `Guarded(...)`.
        """
        settings: dict[str, Any] = {"contract": self.terms.contract, **self.terms.options}
        unknown = sorted(set(changes) - set(settings))
        if unknown:
            raise ConfigError(
                f"unknown setting {unknown[0]!r}", where=".replace()", hint=f"use one of {', '.join(settings)}"
            )
        return Guarded(**(settings | changes))

    # -- what was set --------------------------------------------------------------------------------------------

    @property
    def contract(self) -> Contract[Any]:
        """The compiled contract."""
        return self.plan.contract

    @property
    def on_fail(self) -> Policy[Any]:
        return self.plan.on_fail

    @property
    def budget(self) -> Budget:
        return self.plan.budget

    def prompt(self, style: Style | None = None) -> str:
        """The text that tells a model what to answer: `"json-schema"`, `"typescript"`, `"xml"` or `"example"`."""
        return self.plan.contract.prompt(style)

    def validate(self, text: str, *, context: Given = None, on_fail: Policy[D] | None = None) -> Outcome[R_co | D]:
        """Hold a text that is there already against this ticket, and ask nobody: as `guards.validate`."""
        return validate(text, self, context=context, on_fail=on_fail)

    async def avalidate(
        self, text: str, *, context: Given = None, on_fail: Policy[D] | None = None
    ) -> Outcome[R_co | D]:
        """As `guards.avalidate`."""
        return await avalidate(text, self, context=context, on_fail=on_fail)

    # -- 1. decorator --------------------------------------------------------------------------------------------

    @overload
    def __call__(self, function: Callable[P, Awaitable[Any]], /) -> AsyncDecorated[P, R_co]: ...
    @overload
    def __call__(self, function: Callable[P, AsyncIterable[Any]], /) -> AsyncDecorated[P, R_co]: ...
    @overload
    def __call__(self, function: Callable[P, Any], /) -> Decorated[P, R_co]: ...

    def __call__(self, function: Callable[..., Any], /) -> Any:
        """Decorate a function that makes the call and gives back text, a `Reply`, an SDK response or an iterator.

        Callers get the accepted value; `.outcome(...)` gives the whole `Outcome` instead. The function's arguments are
        the guards' context by name.
        """
        from guards.shapes.decorator import decorate

        return decorate(self.plan, function)

    # -- 2. calls and context managers ---------------------------------------------------------------------------

    def call(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> R_co:
        """Ask until an answer holds; the value. Raises `Rejected`, and whatever the client raises.

        `context` is what guards compare with; `tags` are names with short values to find the record by.
        """
        return self.run(llm, messages, context=context, tags=tags).raise_if_rejected()

    async def acall(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> R_co:
        """As `call`; takes plain functions too (in a thread)."""
        return (await self.arun(llm, messages, context=context, tags=tags)).raise_if_rejected()

    def run(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Outcome[R_co]:
        """As `call`, with the whole `Outcome`: never raises for a bad answer."""
        client = resolve(llm, where="call")
        self.plan.check_sync(client)
        return run_sync(begin(self.plan, client, messages, context, tags=tags).run())

    async def arun(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Outcome[R_co]:
        """As `acall`, with the whole `Outcome`."""
        client = resolve(llm, where="acall")
        return await run_async(begin(self.plan, client, messages, context, tags=tags).run())

    def stream(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Stream[R_co]:
        """The events of a call while it runs (`guards.events`), for `for` and `async for`; the last is `Done`.

        With guards nothing is shown before they passed the whole answer, or the part if they all can judge parts
        (`Guard.partial`); `.stream(...).at_once()` shows what comes, and takes back with `Retracted` what did not hold.
        """
        from guards.shapes.stream import Stream

        client = resolve(llm, where="stream")
        return Stream(begin(self.plan, client, messages, context, showing=self.plan.showing(), tags=tags))

    def wrap(self, client: C, *, context: Given = None, tags: Given = None) -> C:
        """The SDK client with every answer guarded; the SDK's own response type comes back.

        `outcome_of(response)` gives its `Outcome`. A method that makes an answer and cannot be guarded is a
        `ConfigError` that names it.
        """
        from guards.clients.judged_text import Judged
        from guards.shapes.stream import Stream
        from guards.shapes.wrapping import Calls, wrap

        context, plan = checked_context(context), self.plan

        def stream(llm: Any, messages: Messages) -> Stream[Any]:
            client = resolve(llm, where="wrap")
            return Stream(begin(plan, client, messages, context, showing=plan.showing_for_good(), tags=tags))

        run = partial(self.run, context=context, tags=tags)
        arun = partial(self.arun, context=context, tags=tags)
        return cast("C", wrap(client, Calls(run, arun, stream, Judged(plan.judging, context))))

    def session(self, *, context: Given = None, tags: Given = None) -> Session[R_co]:
        """One budget and one record around several calls: `with` or `async with`; threads and tasks may share it."""
        from guards.shapes.session import Session

        return Session(self.plan, context, tags)

    def attempts(self, messages: Messages, *, context: Given = None, tags: Given = None) -> Attempts[R_co]:
        """Your own loop, when nobody else may make the call: `for` or `async for`."""
        from guards.shapes.attempts import Attempts

        return Attempts(self.plan, as_messages(messages), context, tags)


@describe.register
def _(ticket: Guarded) -> Any:  # type: ignore[type-arg]  # dispatched on
    return describe(ticket.terms)
