"""One question that a caller puts through a wrapped method: its response, and a guarded call for each answer in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from guards.clients.endpoint import Endpoint, EndpointClient, changed, is_given, resent, settled
from guards.clients.fetching import Fetch
from guards.clients.judged_text import Judged, recorded
from guards.clients.retelling import Retelling
from guards.effects import Ask, Client, NoAnswer
from guards.errors import ConfigError
from guards.events import Done, StreamEvent, TextPiece
from guards.messages import Message, Reply
from guards.outgoing.texts import Beside, Keys
from guards.records import Outcome
from guards.values.plain import plain

__all__ = ["Answer", "Question", "delivered"]


class Question:
    """One call of the caller's: its first response, and one guarded call for each answer in it."""

    def __init__(
        self,
        endpoint: Endpoint,
        fetch: Fetch,
        options: Mapping[str, Any],
        colour: Literal["sync", "async"],
        judged: Judged,
        *,
        parse: bool,
    ) -> None:
        refused = endpoint.refused(options)
        if refused is not None:
            raise ConfigError(refused, where="wrap")
        self.streams = bool(options.get("stream"))
        """Whether the caller asked for the answer in pieces."""
        if self.streams and (parse or (options.get("n") or 1) != 1):
            raise ConfigError(
                "stream=True is guarded for create with one answer",
                where="wrap",
                hint="leave out stream, or n, or use create",
            )
        given: Any = options.get(endpoint.question)
        if not is_given(given) and not endpoint.complete(options):
            raise ConfigError(f"{endpoint.question}= is missing", where="wrap", hint="pass it by name")
        self.endpoint = endpoint
        self.options = settled({k: v for k, v in options.items() if k not in (endpoint.question, "stream")})
        # Turns may come as an iterator, and are looked at before they are sent.
        self.given = given if isinstance(given, str | Sequence) or not is_given(given) else list(given)
        self.turns = self._turns()
        self.tools = endpoint.offered(self.options, self.given)
        self.first: Any = None
        self.answers: list[Any] = []
        self.asked = EndpointClient(endpoint, fetch, self.options, colour)
        self.again = EndpointClient(endpoint, fetch, endpoint.single(dict(self.options)), colour)
        self._clients: list[Answer] = []
        self._taken: list[_Taken] = []
        self._judged = judged
        self._parse = parse

    def _turns(self) -> tuple[Any, ...]:
        return self.endpoint.given(self.given) if is_given(self.given) else ()

    def next(self) -> Answer | None:
        """The client of the next answer; None when all were judged."""
        number = len(self._clients)
        if number and number >= len(self.answers):
            return None
        client = Answer(self, number)
        self._clients.append(client)
        return client

    def amend(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> None:
        """Put another question: with these turns and these options in the caller's own."""
        self.given = resent(self.given, turns)
        self.turns = self._turns()
        self.options = changed(self.options, beside)
        self.asked = self.asked.having(self.options)
        self.again = self.again.having(self.endpoint.single(dict(self.options)))

    def take(self, outcome: Outcome[Any]) -> None:
        """Raises `Rejected` where an answer was not accepted and nothing is delivered in its place."""
        if not self._passed(self._clients[-1], outcome):
            outcome.raise_if_rejected()
        text = delivered(outcome, self._judged)
        self._taken.append(_Taken(recorded(outcome, text), text))

    @property
    def outcome(self) -> Outcome[Any] | None:
        """The record of the last answer that was taken."""
        return self._taken[-1].outcome if self._taken else None

    def response(self) -> tuple[Any, Outcome[Any]]:
        """The SDK's own response, with what was accepted in the answers' places; and the outcome to remember."""
        parts = [self._part(client, taken) for client, taken in zip(self._clients, self._taken, strict=True)]
        first = next((taken.outcome for taken in self._taken if not taken.outcome.ok), self._taken[0].outcome)
        return self.endpoint.joined(self.first, parts), first

    def _part(self, client: Answer, taken: _Taken) -> Any:
        if self._passed(client, taken.outcome):
            return self.endpoint.passing(client.last, self.tools)
        return self._delivered(client, taken)

    def _delivered(self, client: Answer, taken: _Taken) -> Any:
        """The last response, saying what is delivered and nothing that was not judged; the very one where it does so
        as it came. Raises `Rejected` where nothing came to put it into."""
        if client.last is None:  # an input guard refused, say
            raise taken.outcome.rejection()
        text = taken.text
        if not self._parse and text is not None and text == self._said(client.last):
            cleared = self.endpoint.cleared(client.last, text, self.tools)
            if cleared is client.last or self._said(cleared) == text:
                return cleared
        return self.endpoint.rewritten(client.last, text, self.options)

    def _said(self, response: Any) -> str:
        return self.endpoint.read(response, self.tools).text

    def _passed(self, client: Answer, outcome: Outcome[Any]) -> bool:
        """Whether the response asks for one of the caller's own tools: it holds no answer yet and goes on as it is.
        Not so where another client, a fallback, asked for one: the caller's own response is one that was refused."""
        asked = outcome.reason == "reply.tool_calls" and client.last is not None
        return asked and self.endpoint.unanswered(client.last, self.tools)

    def chunks(self, event: StreamEvent) -> Iterator[Any]:
        """What the caller sees of a streamed call at this event of it: the SDK's chunks."""
        client = self._clients[-1]
        if isinstance(event, TextPiece) and client.telling is not None:
            told = client.telling.piece(event.text)
        elif isinstance(event, Done):
            self.take(event.outcome)
            told = self._end(client, self._taken[-1])
        else:
            return
        for chunk in told:
            if not self.endpoint.unasked(chunk, self.options):
                yield chunk

    def _end(self, client: Answer, taken: _Taken) -> Iterator[Any]:
        response = self._part(client, taken)
        if client.telling is None or client.telling.empty:
            raise taken.outcome.rejection()
        text = None if self._passed(client, taken.outcome) else taken.text
        return client.telling.end(text, response, as_it_came=response is client.last)


class _Taken(NamedTuple):
    """An answer that is delivered: its record, and its text as far as it was judged."""

    outcome: Outcome[Any]
    text: str | None


class Answer:
    """The `Client` of one answer: the first time it is one of the first response's, then it asks anew."""

    def __init__(self, question: Question, number: int) -> None:
        self.colour = question.asked.colour
        self.severable = question.asked.severable
        self.last: Any = None
        self.telling: Retelling | None = None
        """The chunks of the last streamed response."""
        self._question = question
        self._number = number
        self._begun = number == 0
        """Whether the next answer is asked for; those behind the first lie in its response already."""

    @property
    def owner(self) -> object:
        return self

    @property
    def aside(self) -> Client:
        # This one puts the caller's question whatever it is asked, and keeps what came as the caller's response.
        return self._question.again

    def beside(self) -> Iterator[Beside]:
        return self._question.endpoint.beside(self._question.options)

    def amended(self, turns: Mapping[int, Message], beside: Mapping[Keys, Any]) -> tuple[Answer, Mapping[str, Any]]:
        # The question is one call's alone, and its further answers are asked for in the same words.
        self._question.amend(turns, beside)
        return self, {}

    def send(self, ask: Ask, timeout: float | None) -> Any:
        if not self._begun:
            self._begun = True
            answer = self._question.answers[self._number]
            return _already(answer) if self.colour == "async" else answer
        first = self._number == 0 and self.last is None
        client = self._question.asked if first else self._question.again
        return client.put(self._given(ask), timeout)

    def open(self, ask: Ask, timeout: float | None) -> Any:
        tools = self._question.tools
        chunks = self._question.endpoint.chunks(self.read, tools)
        self.telling = Retelling(chunks, at_the_end=tools.forced is not None)
        return self._question.again.put_open(self._given(ask), timeout, self.telling)

    def _given(self, ask: Ask) -> Any:
        # What the caller wrote goes out as it was written; only a retry adds to it.
        return self._question.endpoint.again(ask.messages) if ask.extra else self._question.given

    def read(self, raw: Any) -> Reply:
        question = self._question
        parts = question.endpoint.split(raw)
        shared = self._number > 0 and self.last is None
        if self._number == 0 and self.last is None:
            question.first, question.answers = raw, parts
        self.last = parts[0]
        reply = question.endpoint.read(self.last, question.tools)
        if shared and reply.usage is not None:
            # The response's tokens were counted with its first answer.
            reply = replace(reply, usage={"input_tokens": 0, "output_tokens": 0})
        if question.endpoint.unanswered(self.last, question.tools):
            raise NoAnswer(reply)
        return reply

    def turns(self, reply: Reply, feedback: str) -> tuple[Message, ...]:
        return self._question.again.turns(reply, feedback)

    def transient(self, fault: BaseException) -> bool:
        return self._question.again.transient(fault)

    def retry_after(self, fault: BaseException) -> float | None:
        return self._question.again.retry_after(fault)


async def _already(answer: Any) -> Any:
    return answer


def delivered(outcome: Outcome[Any], judged: Judged) -> str | None:
    """The text in the answer's place: the accepted one, or what a policy delivers; None for nothing."""
    if outcome.ok or outcome.delivered_by == "noop":
        return judged.text(outcome)
    if outcome.value is None:
        return None
    return outcome.value if isinstance(outcome.value, str) else json.dumps(plain(outcome.value), ensure_ascii=False)
