"""One method of an SDK that makes an answer: how it is asked, and how its response is read, taken apart and rewritten.

`Endpoint` is what an SDK's file (`openai`, `anthropic`, `litellm`) says of such a method; `EndpointClient` makes a
`Client` of one, with the options that every question of it carries.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, Literal

from guards.clients import faults
from guards.clients.fetching import Fetch
from guards.clients.incoming import Chunks, Incoming, SdkChunks
from guards.clients.members import encodable
from guards.clients.server_faults import named
from guards.clients.tools import Tools, schema_told
from guards.clients.words_or_call import is_blank
from guards.effects import Ask, Client, NoAnswer
from guards.errors import ConfigError
from guards.messages import Message, Reply
from guards.outgoing.texts import Beside, Elsewhere, Keys, replaced

__all__ = [
    "TOOL",
    "UNKNOWN_TOOL",
    "Endpoint",
    "EndpointClient",
    "changed",
    "check_options",
    "colour_of",
    "extra_body",
    "homes_of",
    "is_given",
    "object_schema",
    "request_of",
    "resent",
    "schema_of",
    "settled",
    "unrequested",
    "without",
]

_RAW: Final = "x-stainless-raw-response"
"""The header by which the SDKs tell themselves to give the response of the transport."""
TOOL = "answer"
"""The name of the one tool, or of the schema, in a chosen mode."""
UNKNOWN_TOOL = "unknown_tool"
"""Why a reply ended that calls a tool which the request did not offer, or another than the one it had to call."""


class Endpoint(ABC):
    """A method that answers. `question` is the keyword that carries the messages.

    Of its options, `own` are the developer's words to the model (instructions, tools, schemas), and `settings` give it
    none. Any other, one that a later SDK adds too, is read as the user's.
    """

    question: ClassVar[str] = "messages"
    own: ClassVar[frozenset[str]] = frozenset()
    settings: ClassVar[frozenset[str]] = frozenset()

    def beside(self, options: Mapping[str, Any]) -> Iterator[Beside]:
        """What of the options goes to the model beside the question."""
        for name, value in options.items():
            if name == "extra_body" and isinstance(value, Mapping):
                for key, inner in value.items():
                    yield from self._extra((name, str(key)), str(key), inner)
            else:
                yield from self._goes((name,), name, value)

    def _extra(self, path: Keys, name: str, value: Any) -> Iterator[Beside]:
        """As `_goes`, of a member of the body that the caller has named."""
        if value is None and name not in self.own | self.settings:
            yield Beside(path, None, "user", "option", free=True)
        for one in self._goes(path, name, value):
            yield replace(one, free=one.role == "user" and one.path == path)

    def _goes(self, path: Keys, name: str, value: Any) -> Iterator[Beside]:
        if name in self.settings or not is_given(value):
            return
        if name == self.question:  # in extra_body, where it takes the place of the turns
            yield Beside(path, value, None, "option")
        elif name in self.own:
            yield Beside(path, _schema_text(value) if isinstance(value, type) else value, "system", "option")
        else:
            yield Beside(path, value, "user", "option")

    def fetch(self, resource: Any, method: str) -> Callable[..., Any]:
        """What makes the call by this method of a resource."""
        function: Callable[..., Any] = getattr(resource, method)
        return function

    @abstractmethod
    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        """The keywords of a call that puts these turns."""

    def again(self, turns: Sequence[Message]) -> Any:
        """The caller's own question with turns added, in the form that the method takes."""
        return list(turns)

    def given(self, question: Any) -> tuple[Any, ...]:
        """The caller's own question as turns."""
        return ({"role": "user", "content": question},) if isinstance(question, str) else tuple(question)

    def refused(self, options: Mapping[str, Any]) -> str | None:
        """Why a call with these options cannot be guarded; None if it can."""
        if extra_body(options, "stream"):
            return "a stream that is asked for in extra_body is not read; write stream=True"
        headers = options.get("extra_headers")
        if isinstance(headers, Mapping) and any(str(name).lower() == _RAW for name in headers):
            return "a raw response, which its header asks for, is not guarded"
        return None

    def complete(self, options: Mapping[str, Any]) -> bool:
        """Whether a call with these options asks something by itself, without a question."""
        return False

    def single(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options of a repeated question: one answer is enough."""
        return options

    @abstractmethod
    def tools(self, options: Mapping[str, Any]) -> Tools:
        """What a call with these options says of tools."""

    def offered(self, options: Mapping[str, Any], question: Any) -> Tools:
        """As `tools`, of a call whose question may bring some, too."""
        return self.tools(options)

    @abstractmethod
    def split(self, raw: Any) -> list[Any]:
        """One response for each answer in it; `ConfigError` for something that is no response."""

    @abstractmethod
    def unanswered(self, raw: Any, tools: Tools) -> bool:
        """Whether it asks for the caller's own tools alone and so holds no answer yet."""

    def calls(self, raw: Any) -> bool:
        """Whether it calls anything of the caller's."""
        return False

    @abstractmethod
    def spoken(self, raw: Any) -> str:
        """The words of its answer, without what a call holds."""

    @abstractmethod
    def read(self, raw: Any, tools: Tools | None) -> Reply:
        """What a response of one answer says; `tools` is None where nobody knows the request. A call that is not the
        caller's own makes it end in `UNKNOWN_TOOL`."""

    def streamed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that have the answer come in pieces."""
        return {**options, "stream": True}

    @abstractmethod
    def chunks(self, read: Callable[[Any], Reply], tools: Tools) -> SdkChunks:
        """How such a stream is read; `read` makes a reply of the whole."""

    def unasked(self, chunk: Any, options: Mapping[str, Any]) -> bool:
        """Whether the chunk is there only because `streamed` asked for more than the caller did."""
        return False

    @abstractmethod
    def turns(self, reply: Reply, feedback: str, tools: Tools) -> tuple[Message, ...]:
        """The turns that follow a reply that was not accepted; a tool call is answered by a tool result."""

    @abstractmethod
    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        """A response whose text holds as it came, less everything else that can be read and was not judged: the very
        one where there is nothing."""

    @abstractmethod
    def passing(self, raw: Any, tools: Tools) -> Any:
        """A response that holds no answer yet (`unanswered`), less what is neither words, nor thinking, nor of a tool
        that the request offers."""

    @abstractmethod
    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        """A copy with this text in the answer's place, and nothing that was said of, or beside, the one that came."""

    def joined(self, first: Any, parts: Sequence[Any]) -> Any:
        """The first response with these answers, one for each of its own."""
        return parts[0]


def unrequested(endpoint: Endpoint, raw: Any) -> Reply:
    """What a response says of which nobody knows the request. Raises `NoAnswer` where it asks for a tool."""
    reply = endpoint.read(raw, None)
    if reply.finish in ("refusal", "content_filter", "length"):  # said first, whatever it calls
        return reply
    if endpoint.calls(raw):
        raise NoAnswer(reply, is_data=is_blank(endpoint.spoken(raw)) and reply.text != "")
    if reply.finish == "tool_calls":
        raise NoAnswer(reply)
    return reply


class EndpointClient:
    """A `Client` that asks an SDK's method, always with the same options. The SDK's own retries are off."""

    __slots__ = ("_call", "_fetch", "_options", "_tools", "colour", "endpoint", "severable")

    def __init__(
        self,
        endpoint: Endpoint,
        fetch: Fetch,
        options: Mapping[str, Any],
        colour: Literal["sync", "async"],
    ) -> None:
        self.endpoint = endpoint
        self.colour: Literal["sync", "async"] = colour
        self.severable = colour == "sync"
        self._fetch = fetch
        self._call = named(fetch.call, colour)
        self._options = settled(options)
        self._tools = endpoint.tools(self._options)

    @property
    def owner(self) -> object:
        return self

    @property
    def aside(self) -> Client:
        return self

    def beside(self) -> Iterator[Beside]:
        return self.endpoint.beside(self._options)

    def amended(
        self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]
    ) -> tuple[EndpointClient, Mapping[str, Any]]:
        return self.having(changed(self._options, beside)), {}

    def having(self, options: Mapping[str, Any]) -> EndpointClient:
        """The same with other options."""
        return type(self)(self.endpoint, self._fetch, options, self.colour)

    def send(self, ask: Ask, timeout: float | None) -> Any:
        return self._call(**self._fetch.within(self.endpoint.ask(self._options, ask.messages), timeout))

    def open(self, ask: Ask, timeout: float | None) -> Any:
        return self._open(self.endpoint.ask(self._options, ask.messages), timeout, self._chunks())

    def put(self, question: Any, timeout: float | None) -> Any:
        """As `send`, with the question in the method's own form."""
        return self._call(**self._fetch.within(self._with(question), timeout))

    def put_open(self, question: Any, timeout: float | None, chunks: Chunks) -> Any:
        """As `open`, with the question in the method's own form, read by these chunks."""
        return self._open(self._with(question), timeout, chunks)

    def _with(self, question: Any) -> dict[str, Any]:
        return {**self._options, self.endpoint.question: question} if is_given(question) else dict(self._options)

    def _open(self, options: dict[str, Any], timeout: float | None, chunks: Chunks) -> Any:
        stream = self._call(**self._fetch.within(self.endpoint.streamed(options), timeout))
        if self.colour == "async":
            return _opened(stream, chunks, timeout)
        incoming = Incoming(stream, chunks, is_async=False)
        incoming.begin(timeout)
        return incoming

    def _chunks(self) -> Chunks:
        return self.endpoint.chunks(self.read, self._tools)

    def read(self, raw: Any) -> Reply:
        reply = self.endpoint.read(raw, self._tools)
        if self.endpoint.unanswered(raw, self._tools):
            raise NoAnswer(reply)
        return reply

    def turns(self, reply: Reply, feedback: str) -> tuple[Message, ...]:
        return tuple(encodable(turn) for turn in self.endpoint.turns(reply, feedback, self._tools))

    def transient(self, fault: BaseException) -> bool:
        return faults.transient(fault)

    def retry_after(self, fault: BaseException) -> float | None:
        return faults.retry_after(fault)


async def _opened(stream: Any, chunks: Chunks, seconds: float | None) -> Incoming:
    incoming = Incoming(await stream, chunks, is_async=True)
    await incoming.abegin(seconds)
    return incoming


def check_options(endpoint: Endpoint, options: Mapping[str, Any], where: str) -> None:
    """`ConfigError` for options that a guarded question cannot have."""
    if endpoint.question in options:
        raise ConfigError(
            f"{endpoint.question}= comes with each call", where=where, hint="leave it out of the functools.partial"
        )
    if options.get("stream"):
        raise ConfigError(
            "stream=True is not for a client of a ticket",
            where=where,
            hint="use ticket.stream(...), or ticket.wrap(client) and its method with stream=True",
        )
    reason = endpoint.refused(options)
    if reason is not None:
        raise ConfigError(reason, where=where)


def is_given(value: Any) -> bool:
    """Whether an option says something: None and the SDKs' own marks do not."""
    return value is not None and type(value).__name__ not in ("NotGiven", "Omit")


def changed(options: Mapping[str, Any], values: Mapping[Keys, Any]) -> dict[str, Any]:
    """Options with other values at these places."""
    result = dict(options)
    for path, value in values.items():
        result = replaced(result, path, value)
    return result


def resent(given: Any, turns: Mapping[int, Message]) -> Any:
    """The caller's own question with other turns at these places; as one text where it was one."""
    if not turns:
        return given
    if isinstance(given, str):
        return turns[0]["content"]
    return [turns.get(number, own) for number, own in enumerate(given)]


def colour_of(resource: Any) -> Literal["sync", "async"]:
    """Async clients and resources are called so; their methods do not tell (a wrapper hides the coroutine)."""
    return "async" if any(c.__name__.startswith("Async") for c in type(resource).__mro__) else "sync"


def homes_of(resource: Any, method: str) -> tuple[str, ...]:
    """The modules that a method of an SDK may be known by: of the class that has it, and of the function, which the
    resources of a platform (Vertex, Bedrock) borrow from the SDK's own."""
    kind = next((c for c in type(resource).__mro__ if method in c.__dict__), type(resource))
    return kind.__module__, str(getattr(getattr(kind, method, None), "__module__", ""))


def without(things: Sequence[Any], some: Sequence[Any], kept: Sequence[Any]) -> list[Any]:
    """The things less some of them, but for those kept: by identity, since equal calls are two calls."""
    gone = {id(thing) for thing in some} - {id(thing) for thing in kept}
    return [thing for thing in things if id(thing) not in gone]


def schema_of(contract: Any, where: str) -> dict[str, Any]:
    """The JSON Schema that a mode needs, of a contract, a ticket, a type or a schema."""
    if contract is None:
        raise ConfigError("this mode needs a schema", where=where, hint="add contract= (a type, a schema or a Guarded)")
    if isinstance(contract, Mapping):
        return dict(contract)
    from guards.engine.terms import terms_of

    return terms_of(contract).compiled.json_schema()


def object_schema(contract: Any, where: str) -> dict[str, Any]:
    """As `schema_of`, of an object: the arguments of a tool are one."""
    schema = schema_of(contract, where)
    if schema.get("type", "object") != "object":
        raise ConfigError(
            f"a tool's arguments are an object, not {schema['type']!r}", where=where, hint="use another mode"
        )
    return schema


def extra_body(options: Mapping[str, Any], name: str) -> Any:
    """What stands in the body past the SDK's own parameters."""
    body = options.get("extra_body")
    return body.get(name) if isinstance(body, Mapping) else None


def request_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they stand in the request: what is in `extra_body` comes last."""
    body = options.get("extra_body")
    return {**options, **body} if isinstance(body, Mapping) else dict(options)


def settled(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options for more than one call: what can be read only once (a generator of tools) as a list."""
    return {name: list(value) if isinstance(value, Iterator) else value for name, value in options.items()}


def _schema_text(kind: type) -> Any:
    schema = schema_told(kind)
    return Elsewhere(f"the type {kind.__name__}") if schema is None else schema
