"""`ticket.wrap(client)`: an SDK's client whose answers are guarded, and come back as the SDK's own responses.

Every method of the SDK is one of three: it makes an answer and is guarded, it makes none and passes, or it is refused
by name. What is not known to be harmless is refused, so that nothing which makes an answer slips past.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple, NoReturn, Protocol, Self, TypeVar

from guards.clients.callables import CallableClient, Signature, owner_of, signature_of
from guards.clients.endpoint import Endpoint, changed, colour_of, homes_of
from guards.clients.fetching import Fetch, fetch_of
from guards.clients.incoming import Incoming
from guards.clients.judged_text import Judged, recorded
from guards.clients.question import Question, delivered
from guards.clients.sdks import module_of, of_response, sdk_of
from guards.clients.surface import COPIES, harmless, passes, passes_litellm
from guards.effects import Client, NoAnswer
from guards.errors import ConfigError
from guards.messages import Message, Reply
from guards.outgoing.texts import Beside, Keys
from guards.records import Outcome
from guards.shapes.stream import Stream
from guards.shapes.wrapped_stream import AsyncWrappedStream, WrappedStream

__all__ = ["Calls", "outcome_of", "wrap"]


class Run(Protocol):
    """`Guarded.run`, or a session's."""

    def __call__(self, llm: Any, messages: Any) -> Outcome[Any]: ...


class ARun(Protocol):
    """`Guarded.arun`, or a session's."""

    def __call__(self, llm: Any, messages: Any) -> Awaitable[Outcome[Any]]: ...


class Streams(Protocol):
    """As `Guarded.stream`, for a reader that nothing can be taken back from."""

    def __call__(self, llm: Any, messages: Any) -> Stream[Any]: ...


class Calls(NamedTuple):
    """The ways to put a question, of a ticket or a session."""

    run: Run
    arun: ARun
    stream: Streams
    judged: Judged


def wrap(client: Any, calls: Calls) -> Any:
    """The guarded client. Raises `ConfigError` for what is neither an SDK's client nor callable."""
    sdk = sdk_of(client)
    if sdk == "litellm":
        return _LiteLLM(client, calls) if inspect.ismodule(client) else _litellm_function(client, calls)
    if sdk is not None and hasattr(client, "with_options"):
        return _Proxy(client, sdk, (), calls)
    if sdk is not None and _is_method(client):
        return _guarded_method(client.__self__, client.__name__, sdk, calls)
    if sdk is not None and isinstance(client, functools.partial):
        return functools.partial(wrap(client.func, calls), *client.args, **client.keywords)
    if not callable(client):
        raise ConfigError(
            f"{type(client).__name__} cannot be wrapped",
            where="wrap",
            hint="pass an OpenAI or Anthropic client, litellm, or a function of messages",
        )
    return _guarded_callable(client, calls)


def outcome_of(response: Any) -> Outcome[Any]:
    """The `Outcome` behind a response of a wrapped client (of several answers, the first that was not accepted, else
    the first). `ConfigError` for any other object, and for a stream that has not ended."""
    if isinstance(response, WrappedStream | AsyncWrappedStream):
        return response.outcome
    entry = _OUTCOMES.get(id(response))
    if entry is None or entry[0]() is not response:
        raise ConfigError(
            f"this {type(response).__name__} did not come from a wrapped client",
            where="outcome_of",
            hint="use ticket.wrap(client), or a session's .outcomes",
        )
    outcome = entry[1]
    own = tuple(replace(one, raw=response) if one.raw is _ITSELF else one for one in outcome.attempts)
    return replace(outcome, attempts=own)


# -- clients and resources -------------------------------------------------------------------------------------------


class _Closed:
    """What stands before a client and hands out nothing of it but what is guarded.

    What is behind it is in no attribute; a copy is guarded too, and it is not taken apart.
    """

    __slots__ = ("__weakref__", "_held")

    def __init__(self, *held: Any) -> None:
        _HELD.__set__(self, held)

    def __copy__(self) -> Self:
        return type(self)(*_held(self))

    def __deepcopy__(self, memo: Any) -> NoReturn:
        raise _unmovable("copied deeply")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise _unmovable("pickled")

    def __reduce__(self) -> NoReturn:
        raise _unmovable("pickled")


_HELD: Final = _Closed.__dict__["_held"]
# The one way to what is behind is no attribute: `vars` and `getattr` find nothing.
del _Closed._held  # type: ignore[attr-defined]  # noqa: SLF001


def _held(closed: _Closed) -> Any:
    return _HELD.__get__(closed)


def _unmovable(how: str) -> ConfigError:
    return ConfigError(
        f"a wrapped client cannot be {how}",
        where="wrap",
        hint="wrap the client where it is used, or use copy.copy(client)",
    )


class _Proxy(_Closed):
    """A client or resource of an SDK, with its methods sorted as they are named."""

    __slots__ = ()

    def __init__(self, target: Any, sdk: str, path: tuple[str, ...], calls: Calls) -> None:
        super().__init__(target, sdk, path, calls)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"set {name!r} on the client itself, or use with_options(...)")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        target, sdk, path, calls = _held(self)
        here = (*path, name)
        shown = ".".join(here)
        value = getattr(target, name)
        if name in ("with_raw_response", "with_streaming_response"):
            if not harmless(sdk, path):
                raise _refusal(shown)
            return value
        if _is_resource(value, sdk):
            return _Proxy(value, sdk, here, calls)
        if not callable(value) or isinstance(value, type):
            return value
        if not path and name in COPIES:
            return lambda *args, **options: _Proxy(value(*args, **options), sdk, (), calls)
        if _endpoint(target, name, sdk) is not None:
            return _guarded_method(target, name, sdk, calls)
        if passes(sdk, here):
            return value
        raise _refusal(shown)

    @property  # type: ignore[misc]  # read-only is enough
    def __class__(self) -> Any:  # it stands for the client in `isinstance` too
        return type(_held(self)[0])

    def __enter__(self) -> Self:
        _held(self)[0].__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        _held(self)[0].__exit__(*exception)

    async def __aenter__(self) -> Self:
        await _held(self)[0].__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await _held(self)[0].__aexit__(*exception)

    def __repr__(self) -> str:
        return f"<guarded {type(_held(self)[0]).__name__}>"


def _is_resource(value: Any, sdk: str) -> bool:
    """Whether methods that ask a server hang on it: whatever of the SDK's own has a client. The resources of a platform
    (Vertex, Bedrock) stand in modules of their own."""
    if callable(value):
        return False
    homes = [c.__module__ for c in type(value).__mro__]
    own = any(home.partition(".")[0] == sdk for home in homes)
    return own and (hasattr(value, "_client") or any(home.startswith(f"{sdk}.resources") for home in homes))


def _is_method(value: Any) -> bool:
    return inspect.ismethod(value) or (callable(value) and hasattr(value, "__self__"))


def _endpoint(resource: Any, name: str, sdk: str) -> Endpoint | None:
    of = module_of(sdk).endpoint_of
    endpoints: Iterator[Endpoint | None] = (of(home, name) for home in homes_of(resource, name))
    return next(filter(None, endpoints), None)


def _refusal(name: str) -> ConfigError:
    return ConfigError(
        f"{name} may make an answer that cannot be guarded",
        where="wrap",
        hint="use create (with stream=True for pieces) or parse, or the client itself for what needs no guard",
    )


# -- guarding one method ---------------------------------------------------------------------------------------------


def _guarded_method(resource: Any, name: str, sdk: str, calls: Calls) -> Callable[..., Any]:
    endpoint = _endpoint(resource, name, sdk)
    if endpoint is None:
        raise _refusal(f"{type(resource).__name__}.{name}")
    fetch = fetch_of(resource, name, endpoint.fetch, "wrap")
    return _guarded(endpoint, fetch, colour_of(resource), calls, getattr(resource, name), parse=name == "parse")


def _guarded(
    endpoint: Endpoint,
    fetch: Fetch,
    colour: Literal["sync", "async"],
    calls: Calls,
    original: Callable[..., Any],
    *,
    parse: bool = False,
) -> Callable[..., Any]:
    def question(args: tuple[Any, ...], options: dict[str, Any]) -> Question:
        if args:
            options = {**inspect.signature(original).bind_partial(*args).arguments, **options}
        return Question(endpoint, fetch, options, colour, calls.judged, parse=parse)

    if colour == "async":

        @_like(original)
        async def acreate(*args: Any, **options: Any) -> Any:
            asked = question(args, options)
            if asked.streams:
                return await AsyncWrappedStream.opened(calls.stream(asked.next(), asked.turns), asked)
            while (client := asked.next()) is not None:
                asked.take(await calls.arun(client, asked.turns))
            return _remembered(*asked.response())

        return acreate

    @_like(original)
    def create(*args: Any, **options: Any) -> Any:
        asked = question(args, options)
        if asked.streams:
            return WrappedStream(calls.stream(asked.next(), asked.turns), asked)
        while (client := asked.next()) is not None:
            asked.take(calls.run(client, asked.turns))
        return _remembered(*asked.response())

    return create


F = TypeVar("F", bound=Callable[..., Any])


def _like(original: Callable[..., Any]) -> Callable[[F], F]:
    """As `functools.wraps`, but that `inspect.unwrap` finds no way to what is not guarded: the signature is told."""

    def dressed(guarded: F) -> F:
        functools.update_wrapper(guarded, original)
        del guarded.__wrapped__  # type: ignore[attr-defined]
        signature = _signature(getattr(original, "__func__", None)) or _signature_now(original)
        if signature is not None:
            guarded.__signature__ = signature  # type: ignore[attr-defined]
        return guarded

    return dressed


@functools.lru_cache(maxsize=128)
def _signature(method: Any) -> inspect.Signature | None:
    """Of a method of an SDK, less `self`; asked for at each look at a client's method, hence remembered."""
    if method is None:
        return None
    signature = inspect.signature(method)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _signature_now(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None  # a builtin that tells nothing


# -- functions -------------------------------------------------------------------------------------------------------


class _LiteLLM(_Closed):
    """The module litellm, with `completion` and `acompletion` guarded."""

    __slots__ = ()

    def __init__(self, module: Any, calls: Calls) -> None:
        super().__init__(module, calls)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"set {name!r} on litellm itself")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        module, calls = _held(self)
        value = getattr(module, name)
        if name in ("completion", "acompletion"):
            return _litellm_function(value, calls)
        # Its classes and modules hold further ways to an answer (`Router`, `main`); data and exceptions do not.
        error = isinstance(value, type) and issubclass(value, BaseException)
        if passes_litellm(name) or error or isinstance(value, str | int | float | list | dict | set | tuple | None):
            return value
        raise _refusal(f"litellm.{name}")


def _litellm_function(function: Any, calls: Calls) -> Callable[..., Any]:
    from guards.clients.litellm import QUIET, LiteChat

    if function.__name__ not in ("completion", "acompletion"):
        raise _refusal(f"litellm.{function.__name__}")
    colour: Literal["sync", "async"] = "async" if function.__name__ == "acompletion" else "sync"
    return _guarded(LiteChat(), Fetch(functools.partial(function, **QUIET)), colour, calls, function)


def _guarded_callable(function: Callable[..., Any], calls: Calls) -> Callable[..., Any]:
    """A plain function of messages or one prompt; what it gives back keeps its type."""
    signature = signature_of(function, "wrap")

    def split(args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, _Keeping]:
        """The question, and a client of it alone: whatever else was given goes along each time."""
        name = signature.name or "messages"
        if name in options:
            rest = {key: value for key, value in options.items() if key != name}
            return options[name], _Keeping(function, signature, name, args, rest)
        if not args:
            raise ConfigError("the question is missing", where="wrap", hint="pass it first, or by its name")
        return args[0], _Keeping(function, signature, None, args[1:], options)

    if signature.colour == "async":

        @_like(function)
        async def aguarded(*args: Any, **options: Any) -> Any:
            question, client = split(args, options)
            return client.result(await calls.arun(client, question), calls.judged)

        return aguarded

    @_like(function)
    def guarded(*args: Any, **options: Any) -> Any:
        question, client = split(args, options)
        return client.result(calls.run(client, question), calls.judged)

    return guarded


class _Keeping(CallableClient):
    """A callable's client that keeps the last response, to give it back in its own type.

    The question goes by `keyword`, or first; `args` and `options` go along each time.
    """

    __slots__ = ("_args", "_last", "_options", "_original")

    def __init__(
        self,
        function: Callable[..., Any],
        signature: Signature,
        keyword: str | None,
        args: tuple[Any, ...],
        options: Mapping[str, Any],
    ) -> None:
        self.colour = signature.colour
        self._signature = replace(signature, keyword=keyword)
        self._original = function
        self._args, self._options = args, dict(options)
        self._last: Any = None
        self.function = self._whole

    @property
    def owner(self) -> object:
        return owner_of(self._original)

    def _whole(self, *question: Any, **more: Any) -> Any:
        return self._original(*question, *self._args, **self._options, **more)

    @property
    def aside(self) -> Client:
        return _Keeping(self._original, self._signature, self._signature.keyword, self._args, self._options)

    def beside(self) -> Iterator[Beside]:
        yield from (Beside((str(number),), value) for number, value in enumerate(self._args, 1))
        yield from (Beside((name,), value) for name, value in self._options.items())

    def amended(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> tuple[_Keeping, Mapping[str, Any]]:
        # The response is looked for here, whatever it was the answer to.
        named = {path: value for path, value in beside.items() if path[0] in self._options}
        self._options = changed(self._options, named)
        self._args = tuple(beside.get((str(number),), value) for number, value in enumerate(self._args, 1))
        return self, {}

    def read(self, raw: Any) -> Reply:
        try:
            reply = super().read(raw)
        except NoAnswer as signal:  # of a contract of data a call alone is the answer
            self._keep(raw, signal.reply)
            raise
        self._keep(raw, reply)
        return reply

    def _keep(self, raw: Any, reply: Reply) -> None:
        self._last = reply.text if isinstance(raw, Incoming) or hasattr(raw, "__next__") else raw

    def result(self, outcome: Outcome[Any], judged: Judged) -> Any:
        outcome.raise_if_rejected()
        text, last = delivered(outcome, judged), self._last
        outcome = recorded(outcome, text)
        if last is None or isinstance(last, str):
            return text
        if isinstance(last, Reply):
            if text is None:
                return None
            # What else it holds was said of the first text, and may repeat it.
            return last if text == last.text else replace(last, text=text, raw=None)
        sdk = of_response(last)
        endpoint: Endpoint | None = module_of(sdk).shape_of(last) if sdk is not None else None
        if endpoint is None:
            return _remembered(last, outcome)
        if text is not None and text == endpoint.read(last, None).text:
            cleared = endpoint.cleared(last, text, None)
            if cleared is last or endpoint.read(cleared, None).text == text:
                return _remembered(cleared, outcome)
        return _remembered(endpoint.rewritten(last, text, {}), outcome)


# -- outcomes of responses -------------------------------------------------------------------------------------------

_OUTCOMES: Final[dict[int, tuple[weakref.ref[Any], Outcome[Any]]]] = {}
"""By the response's id. An outcome that held its own response would keep it alive, and itself with it."""


class _Itself:
    """Stands for the response whose outcome it is."""


_ITSELF: Final = _Itself()


def _remembered(response: Any, outcome: Outcome[Any]) -> Any:
    """Keep the outcome as long as the response lives. SDK responses are not hashable, hence by identity."""
    key, outcomes = id(response), _OUTCOMES  # bound here: at the interpreter's end a module's names are gone first
    attempts = tuple(replace(one, raw=_ITSELF) if one.raw is response else one for one in outcome.attempts)
    try:
        kept = weakref.ref(response, lambda _: outcomes.pop(key, None))
        outcomes[key] = (kept, replace(outcome, attempts=attempts))
    except TypeError:  # a dict or another type that nothing can refer to weakly: its outcome is the session's to keep
        return response
    return response
