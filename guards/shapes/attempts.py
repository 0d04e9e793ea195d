"""`for attempt in ticket.attempts(messages)`: the caller's own loop, when nobody else may make the call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from guards.clients import answer_of
from guards.clients.callables import Plain, waiting
from guards.clients.incoming import Incoming
from guards.driving.drivers import drain, leave, leave_async, leave_soon, perform, perform_async
from guards.effects import Ask, Client, Effect, NoAnswer, OutOfTime
from guards.engine.call import Call, begin
from guards.engine.plan import Plan
from guards.errors import ConfigError
from guards.messages import Feedback, Message, Reply
from guards.records import Outcome

if TYPE_CHECKING:
    import asyncio

__all__ = ["Attempts", "Handle"]

R_co = TypeVar("R_co", covariant=True)


class Attempts(Generic[R_co]):
    """The loop: each turn gives a handle; it ends when an answer holds, and raises `Rejected` when none can.

    `outcome` and `value` say how it ended. A `break` before an answer held closes the record as abandoned.
    """

    def __init__(
        self,
        plan: Plan[R_co],
        messages: tuple[Message, ...],
        context: Mapping[str, Any] | None,
        tags: Mapping[str, Any] | None,
    ) -> None:
        plan.check_no_client("attempts")
        self._call: Call[R_co] = begin(plan, _Caller(), messages, context, tags=tags)
        self._flow: Any = None

    @property
    def outcome(self) -> Outcome[R_co] | None:
        """The record; None while the loop is running."""
        return self._call.outcome

    @property
    def value(self) -> R_co | None:
        """The accepted (or delivered) value."""
        outcome = self._call.outcome
        return None if outcome is None else outcome.value

    def __iter__(self) -> Iterator[Handle[R_co]]:
        effect = self._first()
        try:
            while effect is not None:
                if not isinstance(effect, Ask):
                    effect = self._checked(effect)
                    continue
                handle = Handle(self, effect)
                yield handle
                effect = handle._settle()  # noqa: SLF001  # the handle is the loop's own
            self._raise_if_rejected()
        finally:
            leave(self._flow)

    def __aiter__(self) -> AsyncIterator[Handle[R_co]]:
        return _Turns(self._aturns(), self._close)

    async def _aturns(self) -> AsyncGenerator[Handle[R_co], None]:
        effect = self._first()
        try:
            while effect is not None:
                if not isinstance(effect, Ask):
                    effect = await self._achecked(effect)
                    continue
                handle = Handle(self, effect, in_async=True)
                yield handle
                effect = await handle._asettle()  # noqa: SLF001
            self._raise_if_rejected()
        finally:
            await leave_async(self._flow)

    def _close(self) -> None:
        """Left without a word: in a running loop hooks hear of it in a task, since nobody here can await them."""
        if self._flow is None:
            return
        loop = _running_loop()
        if loop is None:
            leave(self._flow)
        else:
            leave_soon(self._flow, loop)

    def _first(self) -> Effect | None:
        if self._flow is not None:
            raise ConfigError("an attempts loop runs once", where="attempts", hint="make another with .attempts(...)")
        self._flow = self._call.run()
        return self._step(None)

    def _step(self, result: Any) -> Effect | None:
        """The next effect; None when the flow is over."""
        try:
            step = self._flow.throw if isinstance(result, OutOfTime | NoAnswer) else self._flow.send
            return step(result)  # type: ignore[no-any-return]
        except StopIteration:
            return None

    def _advance(self, reply: Reply | OutOfTime | NoAnswer) -> Effect | None:
        """Hand in a reply and run its checks, up to the next question."""
        effect = self._step(reply)
        while effect is not None and not isinstance(effect, Ask):
            effect = self._checked(effect)
        return effect

    async def _aadvance(self, reply: Reply | OutOfTime | NoAnswer) -> Effect | None:
        effect = self._step(reply)
        while effect is not None and not isinstance(effect, Ask):
            effect = await self._achecked(effect)
        return effect

    def _checked(self, effect: Effect) -> Effect | None:
        """Run checks, up to the next effect. What ends them from outside (Ctrl-C, a cancellation) closes the record."""
        try:
            results = perform(effect)
        except BaseException as fault:
            self._fail(fault)
            raise
        return self._step(results)

    async def _achecked(self, effect: Effect) -> Effect | None:
        try:
            results = await perform_async(effect)
        except BaseException as fault:
            await self._afail(fault)
            raise
        return self._step(results)

    def _fail(self, fault: BaseException) -> None:
        """The caller's own fault goes through the flow, which closes the record; it comes out unchanged."""
        try:
            effect = self._flow.throw(fault)
            while True:
                effect = self._flow.send(perform(effect))
        except BaseException as same:
            if same is not fault:
                raise

    async def _afail(self, fault: BaseException) -> None:
        try:
            effect = self._flow.throw(fault)
            while True:
                effect = self._flow.send(await perform_async(effect))
        except BaseException as same:
            if same is not fault:
                raise

    def _raise_if_rejected(self) -> None:
        outcome = self._call.outcome
        if outcome is not None:
            outcome.raise_if_rejected()


class _Turns(Generic[R_co]):
    """An `async for` over the attempts: a `break` closes the record at once, where an async generator alone would be
    closed by the event loop some time later."""

    def __init__(self, turns: AsyncGenerator[Handle[R_co], None], close: Callable[[], None]) -> None:
        self._turns = turns
        self._close = close

    def __aiter__(self) -> _Turns[R_co]:
        return self

    async def __anext__(self) -> Handle[R_co]:
        return await anext(self._turns)

    async def aclose(self) -> None:
        await self._turns.aclose()

    def __del__(self) -> None:
        self._close()


class Handle(Generic[R_co]):
    """One attempt of the loop: send `messages`, then `offer` the answer, inside `with attempt:`."""

    def __init__(self, loop: Attempts[R_co], ask: Ask, *, in_async: bool = False) -> None:
        self._loop = loop
        self._ask = ask
        self._in_async = in_async
        self._reply: Reply | OutOfTime | NoAnswer | None = None
        """`OutOfTime` where an answer in pieces did not end by the deadline, `NoAnswer` where it asks for a tool."""
        self._after: Effect | None = None
        self._settled = False

    @property
    def messages(self) -> list[Message]:
        """What to send: the original messages, and on a retry the earlier answer and what was wrong with it."""
        return list(self._ask.messages)

    @property
    def feedback(self) -> Feedback | None:
        """Why the last answer was not accepted; None the first time."""
        return self._ask.feedback

    @property
    def value(self) -> R_co | None:
        """The accepted value, once it is."""
        return self._loop.value

    @property
    def outcome(self) -> Outcome[R_co] | None:
        """The record, once the loop is over."""
        return self._loop.outcome

    def offer(self, answer: Any) -> None:
        """Hand in the model's answer: text, a `Reply`, or an SDK's response. Once per attempt."""
        if self._reply is not None:
            raise ConfigError("this attempt has its answer already", where="attempt.offer", hint="go on with the loop")
        answer = waiting(answer, self._ask.deadline)
        try:
            if isinstance(answer, Incoming):
                drain(answer, self._ask.deadline)
            self._reply = answer_of(answer)
        except (OutOfTime, NoAnswer) as signal:
            self._reply = signal

    def __enter__(self) -> Handle[R_co]:
        return self

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> Literal[False]:
        if fault is not None:
            self._close(fault)
        elif not self._in_async:
            # Checked here, so that `attempt.value` is there right behind the block.
            self._after = self._settle()
        return False

    async def __aenter__(self) -> Handle[R_co]:
        return self

    async def __aexit__(self, kind: object, fault: BaseException | None, trace: object) -> Literal[False]:
        if fault is not None:
            self._settled = True
            if not isinstance(fault, GeneratorExit):
                await self._loop._afail(fault)  # noqa: SLF001  # the loop's own
        else:
            self._after = await self._asettle()
        return False

    def _close(self, fault: BaseException) -> None:
        self._settled = True
        if not isinstance(fault, GeneratorExit):
            self._loop._fail(fault)  # noqa: SLF001  # the loop's own

    def _settle(self) -> Effect | None:
        if not self._settled:
            self._settled = True
            if self._reply is None:
                fault = _left_without_answer()
                self._loop._fail(fault)  # noqa: SLF001
                raise fault
            self._after = self._loop._advance(self._reply)  # noqa: SLF001
        return self._after

    async def _asettle(self) -> Effect | None:
        if not self._settled:
            self._settled = True
            if self._reply is None:
                fault = _left_without_answer()
                await self._loop._afail(fault)  # noqa: SLF001
                raise fault
            self._after = await self._loop._aadvance(self._reply)  # noqa: SLF001
        return self._after


def _left_without_answer() -> ConfigError:
    return ConfigError(
        "the attempt was left without an answer",
        where="attempts",
        hint="call attempt.offer(answer) inside the block, or break",
    )


def _running_loop() -> asyncio.AbstractEventLoop | None:
    import asyncio  # loaded already, where a loop runs

    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Caller(Plain):
    """The client where the caller's own code asks: it is never sent to, only its turns are made."""

    __slots__ = ()
    colour: Literal["sync", "async"] = "sync"
    owner: object = None
    aside: Client | None = None

    def _called(self, ask: Ask, timeout: float | None) -> Any:
        raise ConfigError("the caller makes the calls here", where="attempts")
