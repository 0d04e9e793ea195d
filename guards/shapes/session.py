"""`with ticket.session() as s`: one budget and one record around several calls, by any number of threads and tasks."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from guards.clients import resolve
from guards.context import checked_context
from guards.driving.drivers import run_async, run_sync
from guards.effects import Client
from guards.engine.call import Call, begin
from guards.engine.plan import Plan, Showing
from guards.engine.spend import Spend
from guards.errors import ConfigError
from guards.messages import Message
from guards.records import Outcome, Usage, checked_tags

if TYPE_CHECKING:
    from guards.shapes.stream import Stream

__all__ = ["Session"]

R_co = TypeVar("R_co", covariant=True)
C = TypeVar("C")

Messages: TypeAlias = str | Sequence[Message]
Given: TypeAlias = Mapping[str, Any] | None


class Session(Generic[R_co]):
    """Calls that share a budget (its seconds, tokens and cost; attempts count per call) and a record.

    `outcomes` has one entry per call, in the order in which they ended, rejected and failed ones too.
    """

    def __init__(self, plan: Plan[R_co], context: Given, tags: Given = None) -> None:
        self._plan = plan
        self._context = dict(checked_context(context))
        self._tags = checked_tags(tags)
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

    @property
    def usage(self) -> Usage:
        """What the calls that have ended used, together."""
        usage = Usage()
        for outcome in self.outcomes:
            usage = usage + outcome.usage
        return usage

    def call(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> R_co:
        """As `Guarded.call`; `context` and `tags` add to the session's."""
        return self.run(llm, messages, context=context, tags=tags).raise_if_rejected()

    async def acall(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> R_co:
        """As `Guarded.acall`."""
        return (await self.arun(llm, messages, context=context, tags=tags)).raise_if_rejected()

    def run(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Outcome[R_co]:
        """As `Guarded.run`."""
        call = self._begin(resolve(llm, where="session.call"), messages, context, tags)
        self._plan.check_sync(call.client)
        try:
            return run_sync(call.run())
        finally:
            self._keep(call)

    async def arun(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Outcome[R_co]:
        """As `Guarded.arun`."""
        call = self._begin(resolve(llm, where="session.acall"), messages, context, tags)
        try:
            return await run_async(call.run())
        finally:
            self._keep(call)

    def stream(self, llm: Any, messages: Messages, *, context: Given = None, tags: Given = None) -> Stream[R_co]:
        """As `Guarded.stream`, inside this session's budget and record."""
        return self._stream(llm, messages, context, tags, self._plan.showing())

    def wrap(self, client: C) -> C:
        """As `Guarded.wrap`, inside this session's budget and record."""
        from guards.clients.judged_text import Judged
        from guards.shapes.wrapping import Calls, wrap

        judged = Judged(self._plan.judging, self._context)
        return cast("C", wrap(client, Calls(self.run, self.arun, self._stream_for_good, judged)))

    def _stream_for_good(self, llm: Any, messages: Messages) -> Stream[R_co]:
        return self._stream(llm, messages, None, None, self._plan.showing_for_good())

    def _stream(self, llm: Any, messages: Messages, context: Given, tags: Given, showing: Showing) -> Stream[R_co]:
        from guards.shapes.stream import Stream

        call = self._begin(resolve(llm, where="session.stream"), messages, context, tags, showing)
        return Stream(call, lambda: self._keep(call))

    def _begin(
        self,
        client: Client,
        messages: Messages,
        context: Given,
        tags: Given,
        showing: Showing | None = None,
    ) -> Call[R_co]:
        if self._spend is None:
            raise ConfigError("the session is not open", where="session", hint="write `with ticket.session() as s:`")
        given = {**self._context, **checked_context(context)}
        tags = {**self._tags, **checked_tags(tags)}
        return begin(self._plan, client, messages, given, self._spend, showing, tags)

    def _keep(self, call: Call[R_co]) -> None:
        if call.outcome is not None:
            with self._lock:
                self._outcomes.append(call.outcome)
