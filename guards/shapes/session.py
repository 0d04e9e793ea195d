"""`with ticket.session() as s`: one budget and one record around several calls, by any number of threads and tasks."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from guards.clients import resolve
from guards.context import checked_context
from guards.driving.drivers import run_async, run_sync
from guards.effects import Client
from guards.engine.call import Call, begin
from guards.engine.plan import Plan, Showing
from guards.engine.spend import Spend
from guards.errors import ConfigError
from guards.messages import Message
from guards.records import Outcome

if TYPE_CHECKING:
    from guards.shapes.stream import Stream

__all__ = ["Session"]

R_co = TypeVar("R_co", covariant=True)
C = TypeVar("C")

Messages = str | Sequence[Message]


class Session(Generic[R_co]):
    """Calls that share a budget (its seconds, tokens and cost; attempts count per call) and a record.

    `outcomes` has one entry per call, in the order in which they ended, rejected and failed ones too.
    """

    def __init__(self, plan: Plan[R_co], context: Mapping[str, Any] | None) -> None:
        self._plan = plan
        self._context = dict(checked_context(context))
        self._spend: Spend | None = None
        self._lock = threading.Lock()
        self._outcomes: list[Outcome[R_co]] = []

    def __enter__(self) -> Session[R_co]:
        if self._spend is not None:
            raise ConfigError("the session is in use already", where="session", hint="make another with .session()")
        self._spend = Spend(self._plan.budget)
        return self

    def __exit__(self, *exception: object) -> None:
        self._spend = None

    async def __aenter__(self) -> Session[R_co]:
        return self.__enter__()

    async def __aexit__(self, *exception: object) -> None:
        self.__exit__()

    @property
    def outcomes(self) -> tuple[Outcome[R_co], ...]:
        """What happened so far."""
        with self._lock:
            return tuple(self._outcomes)

    def call(self, llm: Any, messages: Messages, *, context: Mapping[str, Any] | None = None) -> R_co:
        """As `Guarded.call`; `context` adds to the session's."""
        return self.run(llm, messages, context=context).raise_if_rejected()

    async def acall(self, llm: Any, messages: Messages, *, context: Mapping[str, Any] | None = None) -> R_co:
        """As `Guarded.acall`."""
        return (await self.arun(llm, messages, context=context)).raise_if_rejected()

    def run(self, llm: Any, messages: Messages, *, context: Mapping[str, Any] | None = None) -> Outcome[R_co]:
        """As `Guarded.run`."""
        call = self._begin(resolve(llm, where="session.call"), messages, context)
        self._plan.check_sync(call.client)
        try:
            return run_sync(call.run())
        finally:
            self._keep(call)

    async def arun(self, llm: Any, messages: Messages, *, context: Mapping[str, Any] | None = None) -> Outcome[R_co]:
        """As `Guarded.arun`."""
        call = self._begin(resolve(llm, where="session.acall"), messages, context)
        try:
            return await run_async(call.run())
        finally:
            self._keep(call)

    def stream(self, llm: Any, messages: Messages, *, context: Mapping[str, Any] | None = None) -> Stream[R_co]:
        """As `Guarded.stream`, inside this session's budget and record."""
        return self._stream(llm, messages, context, self._plan.showing())

    def wrap(self, client: C) -> C:
        """As `Guarded.wrap`, inside this session's budget and record."""
        from guards.clients.judged_text import Judged
        from guards.shapes.wrapping import Calls, wrap

        judged = Judged(self._plan.judging, self._context)
        return cast("C", wrap(client, Calls(self.run, self.arun, self._stream_for_good, judged)))

    def _stream_for_good(self, llm: Any, messages: Messages) -> Stream[R_co]:
        return self._stream(llm, messages, None, self._plan.showing_for_good())

    def _stream(
        self, llm: Any, messages: Messages, context: Mapping[str, Any] | None, showing: Showing
    ) -> Stream[R_co]:
        from guards.shapes.stream import Stream

        call = self._begin(resolve(llm, where="session.stream"), messages, context, showing)
        return Stream(call, lambda: self._keep(call))

    def _begin(
        self,
        client: Client,
        messages: Messages,
        context: Mapping[str, Any] | None,
        showing: Showing | None = None,
    ) -> Call[R_co]:
        if self._spend is None:
            raise ConfigError("the session is not open", where="session", hint="write `with ticket.session() as s:`")
        return begin(self._plan, client, messages, {**self._context, **(context or {})}, self._spend, showing)

    def _keep(self, call: Call[R_co]) -> None:
        if call.outcome is not None:
            with self._lock:
                self._outcomes.append(call.outcome)
