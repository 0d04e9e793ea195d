"""The effects that the engine's generator yields, and the seam at which a client stands.

The generator says what it needs and never does it: no thread, no `await`, no socket, no clock of its own.
`driving.drivers` does it, once synchronously and once asynchronously.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from guards.errors import ConfigError
from guards.messages import Feedback, Message, Reply
from guards.outgoing.texts import Beside, Keys

if TYPE_CHECKING:
    from guards.contracts.base import Contract
    from guards.models.spec import Item, ModelSpec

__all__ = [
    "LONG_TEXT",
    "Ask",
    "Client",
    "Compute",
    "Effect",
    "Flow",
    "Incoming",
    "Job",
    "Leave",
    "Left",
    "Load",
    "LongWork",
    "Misuse",
    "NoAnswer",
    "OutOfTime",
    "Pull",
    "Question",
    "Rows",
    "Sample",
    "Sender",
    "Show",
    "Tell",
    "Together",
    "computed",
    "put",
    "relayed",
    "side_by_side",
    "unless_fault",
    "worked",
]

R = TypeVar("R")


class Client(Protocol):
    """Whatever answers: what `clients/` makes of a callable or an SDK's method."""

    colour: Literal["sync", "async"]
    severable: bool
    """Whether a sync question may be put in another thread, and its connection shut under it when the time is up. Not
    so where the caller's own code asks."""

    @property
    def owner(self) -> object:
        """What is asked in the end: questions that hang are counted by it."""
        ...

    @property
    def aside(self) -> Client | None:
        """Who answers further questions, beside those of the call, by the same model; None where only the caller's own
        code asks."""
        ...

    def send(self, ask: Ask, timeout: float | None) -> Any:
        """Put the question; the raw answer, or an awaitable of it when `colour` is "async".

        `timeout` is what is left of the budget in seconds, for a client that can use it.
        """
        ...

    def read(self, raw: Any) -> Reply:
        """What the raw answer says. Raises `ConfigError` for something that is no answer."""
        ...

    def open(self, ask: Ask, timeout: float | None) -> Any:
        """As `send`, for an answer in pieces: an `Incoming`, or an awaitable of one when `colour` is "async"."""
        ...

    def turns(self, reply: Reply, feedback: str) -> tuple[Message, ...]:
        """The turns that follow a reply that was not accepted: the reply itself, then the feedback.

        An SDK's forced tool call is answered by a tool result here.
        """
        ...

    def transient(self, fault: BaseException) -> bool:
        """Whether the fault is of the transport and may be gone at the next try (429, 5xx, time-out, cut line)."""
        ...

    def retry_after(self, fault: BaseException) -> float | None:
        """Seconds that the server asked to wait; None if it did not say."""
        ...


@runtime_checkable
class Sender(Protocol):
    """A client that sends more than the turns, or keeps them in a form of its own."""

    def beside(self) -> Iterable[Beside]:
        """What goes to the model beside the turns."""
        ...

    def amended(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> tuple[Client, Mapping[str, Any]]:
        """The client that sends these turns, by their numbers, and these values in the others' place; and what of the
        call's context becomes another by it."""
        ...


# Not frozen: it is made anew for every question, and that takes half as long so.
@dataclass(slots=True)
class Ask:
    """Put a question to a client; answered with a `Reply`.

    `extra` are the turns of `messages` that the library added (for clients that keep the caller's own arguments).
    `deadline` is in the engine's clock (`time.monotonic`). `transport` is a tenacity object, None for none, or
    "default" for the client's own.
    """

    client: Client
    messages: tuple[Message, ...]
    feedback: Feedback | None
    deadline: float | None
    transport: Any = "default"
    extra: tuple[Message, ...] = ()
    live: bool = False
    """Answered with the answer on its way, to be pulled piece by piece, instead of a `Reply`."""
    tried: list[float] | None = None
    """Takes the time at which each try of the transport began, for who wants to tell of it."""


class Incoming(Protocol):
    """An answer on its way: what `clients/incoming` makes of a client's stream."""

    is_async: bool
    severable: bool
    """As `Client.severable`."""

    @property
    def reply(self) -> Reply:
        """What has come, as a whole."""
        ...

    def next(self) -> str | None:
        """The next piece of text; None at the end."""
        ...

    async def anext(self) -> str | None:
        """As `next`."""
        ...

    def close(self) -> None:
        """Leave it."""
        ...

    async def aclose(self) -> None:
        """As `close`."""
        ...


@dataclass(frozen=True, slots=True)
class Pull:
    """The next piece of an answer on its way; answered with text, or None at its end. `deadline` as in `Ask`."""

    incoming: Incoming
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Leave:
    """Stop an answer on its way."""

    incoming: Incoming


@dataclass(frozen=True, slots=True)
class Show:
    """Give an event to whoever reads the stream."""

    event: Any


@dataclass(frozen=True, slots=True)
class Tell:
    """Give each of the events to each of the hooks; answered with what hooks raised, each with its event."""

    events: Sequence[Any]
    hooks: Sequence[Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work of a guard: `run()` gives the result, or an awaitable of it.

    `deadline` as in `Ask`; `timeout` is the job's own bound in seconds. Whichever comes first ends it. What
    hangs counts against its `owner`, the guard.
    """

    run: Callable[[], Any]
    is_async: bool
    deadline: float | None = None
    timeout: float | None = None
    owner: object = None


@dataclass(frozen=True, slots=True)
class Compute:
    """Run jobs concurrently; answered with a list, one entry per job: its result, or the exception it raised.

    A job that is not done by its deadline has `TimeoutError` as its entry; its thread is left behind.
    """

    jobs: Sequence[Job]


LONG_TEXT: Final = 8_000
"""Characters from which on reading a text may take more than some milliseconds."""


@dataclass(frozen=True, slots=True)
class LongWork:
    """Work of the library's own that may take long, and waits for nothing; answered with what it gives. No event loop
    stands still for it. `deadline` as in `Ask`: past it `TimeoutError` is raised."""

    run: Callable[[], Any]
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Have a model in memory; answered with its `guards.models.Handle`. `deadline` and `owner` as in `Job`."""

    spec: ModelSpec
    deadline: float | None = None
    owner: object = None


@dataclass(frozen=True, slots=True)
class Rows:
    """A question to a loaded model; answered with one row per item. What is asked at the same time is asked together.

    `deadline` as in `Ask`: past it `TimeoutError` is raised; what hangs counts against the `owner`, as of a `Job`.
    """

    spec: ModelSpec
    items: Sequence[Item]
    deadline: float | None = None
    owner: object = None


@dataclass(frozen=True, slots=True)
class Question:
    """A guard's own question to a model; answered with a value of the contract, on the call's budget.

    An answer that does not fit is asked for again with the reasons, twice. `client`: who is asked; None for the
    guard's own, or else that of the call. Raises RuntimeError where none fits or the budget ended, TimeoutError, and
    what the client raises.
    """

    messages: Sequence[Message | Mapping[str, Any]]
    contract: Contract[Any]
    client: Any = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One more answer to the question of the call (or to other messages), read by the contract of the call; answered
    with a `Reading` of what stands where the guard stands. It is not `ok` where nothing could be read. `client`, and
    what is raised, as of a `Question`."""

    messages: Sequence[Message | Mapping[str, Any]] | None = None
    client: Any = None


@dataclass(frozen=True, slots=True)
class Together:
    """Drive flows side by side; answered with a list, one entry per flow: its result, or the exception it raised.

    Flows that ask a model for rows ask it together. A question that such a flow puts does not outlast its deadline,
    whatever its client does: `OutOfTime` is thrown into the flow, and a thread that hangs is left behind.
    """

    flows: Sequence[Flow[Any]]
    strict: bool = False
    """The first fault ends them all, and is raised."""


class NoAnswer(Exception):  # a signal between client and engine
    """Raised by `Client.read` for a response that asks for one of the caller's own tools: there is no answer yet.

    `reply` says what it used. `is_data`: its text is what a tool is given, and nobody knows the request; of a contract
    of data it is the answer, since a tool may be how such an answer is asked for.
    """

    def __init__(self, reply: Reply, *, is_data: bool = False) -> None:
        super().__init__("the model asked for a tool")
        self.reply = reply
        self.is_data = is_data


class Left(BaseException):  # a signal from a driver to the flow; it never leaves the library
    """Thrown into a flow that nobody waits for any more: it closes its record, tells of it, and ends."""


class OutOfTime(Exception):  # a signal between driver and engine; it never leaves the library
    """Thrown into the flow when a question's deadline passed before its answer came. `words` say what stood between, in
    nobody's own; `fault` is the last one of the transport, if there was one."""

    def __init__(self, words: str = "", fault: Exception | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.fault = fault


class Misuse(Exception):  # a signal between a guard's question and the pipeline; it never leaves the library
    """Wrong use that a guard's own question brought to light: no failure of the guard, which could be let pass."""

    def __init__(self, fault: ConfigError) -> None:
        super().__init__(str(fault))
        self.fault = fault


Effect: TypeAlias = "Ask | Compute | Load | LongWork | Rows | Question | Sample | Together | Pull | Leave | Show | Tell"
Flow: TypeAlias = Generator[Effect, Any, R]


def worked(run: Callable[[], R], chars: int) -> Flow[R]:
    """What the work on a text of so many characters gives."""
    if chars < LONG_TEXT:
        return run()
    return (yield LongWork(run))  # type: ignore[no-any-return]  # what a flow is sent is untyped here


def computed(job: Job) -> Flow[Any]:
    """What one job gives. Raises what it raises."""
    (entry,) = yield Compute([job])
    return unless_fault(entry)


def put(effect: Effect) -> Flow[Any]:
    """The flow of one effect."""
    return (yield effect)


def side_by_side(flows: Sequence[Flow[R]]) -> Flow[list[R]]:
    """What the flows give, driven together. Raises the first fault among them."""
    entries: list[Any] = yield Together(flows)
    return [unless_fault(entry) for entry in entries]


def unless_fault(entry: Any) -> Any:
    """An entry of `Compute` or `Together`. Raises the exception where it is one."""
    if isinstance(entry, BaseException):
        raise entry
    return entry


def relayed(flow: Flow[R], answer: Callable[[Effect], Flow[Any]]) -> Flow[R]:
    """The flow, each of its effects answered by a flow; those of flows that it drives together, too."""
    try:
        effect = next(flow)
        while True:
            try:
                if isinstance(effect, Together):
                    result = yield Together([relayed(one, answer) for one in effect.flows], effect.strict)
                else:
                    result = yield from answer(effect)
            except BaseException as fault:  # noqa: BLE001  # the flow's own affair
                effect = flow.throw(fault)
            else:
                effect = flow.send(result)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
