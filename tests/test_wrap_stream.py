"""`ticket.wrap(client)` with stream=True: the SDK's own chunks of what was accepted, and nothing that was not."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import pytest
import tenacity
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Fault, Server, answer, line_faults, tool  # noqa: E402

from guards import (  # noqa: E402
    Budget,
    BudgetExhausted,
    Fallback,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Rejected,
    check,
    outcome_of,
)
from guards.clients.faults import transient  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ConfigError  # noqa: E402


class Ticket(BaseModel):
    team: str
    level: int


GOOD = '{"team": "billing", "level": 3}'
BAD = '{"team": "billing", "level": "high"}'
FENCED = f"Here you are:\n```json\n{GOOD}\n```"
ASKED = [{"role": "user", "content": "Sort this"}]
SPOKEN = "It is ready. You can come today. Bring the slip. Goodbye."

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
ticket = Guarded(Ticket, on_fail=Reask(times=2).then(Raise()), transport=quick)


@check(partial=True)
def no_price(text: str, context: Any) -> str | None:
    return "names a price" if "EUR" in text else None


spoken = Guarded(Text(), guards=[no_price], transport=quick)


class Chat:
    """One method of an SDK: how it is asked, and what its chunks say together."""

    sdk = "openai"

    def ask(self, client: Any, **options: Any) -> Any:
        return client.chat.completions.create(**{"model": "m", "messages": ASKED, "stream": True, **options})

    def said(self, chunk: Any) -> str:
        return "".join(choice.delta.content or "" for choice in chunk.choices)

    def called(self, chunk: Any) -> str:
        calls = [call for choice in chunk.choices for call in choice.delta.tool_calls or ()]
        return "".join(call.function.arguments or "" for call in calls)

    def ends(self, chunks: list[Any]) -> Any:
        return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]

    def tools(self, name: str = "file") -> dict[str, Any]:
        function = {"name": name, "parameters": {"type": "object"}}
        choice = {"type": "function", "function": {"name": name}}
        return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}


class Completions(Chat):
    def ask(self, client: Any, **options: Any) -> Any:
        return client.completions.create(**{"model": "m", "prompt": "Sort this", "stream": True, **options})

    def said(self, chunk: Any) -> str:
        return "".join(choice.text for choice in chunk.choices)


class Responses(Chat):
    def ask(self, client: Any, **options: Any) -> Any:
        return client.responses.create(**{"model": "m", "input": "Sort this", "stream": True, **options})

    def said(self, chunk: Any) -> str:
        return chunk.delta if chunk.type == "response.output_text.delta" else ""

    def called(self, chunk: Any) -> str:
        return chunk.delta if chunk.type == "response.function_call_arguments.delta" else ""

    def ends(self, chunks: list[Any]) -> Any:
        whole = chunks[-1].response.output_text or chunks[-1].response.output[0].arguments
        # The text stands in the last events once more, and must be the one that was told.
        assert whole == ("".join(map(self.said, chunks)) or "".join(map(self.called, chunks)))
        done = [c.text for c in chunks if c.type == "response.output_text.done"]
        assert done in ([], [whole])
        numbers = [c.sequence_number for c in chunks]
        assert numbers == sorted(numbers)
        return [chunks[-1].type.partition(".")[2].replace("completed", "stop")]

    def tools(self, name: str = "file") -> dict[str, Any]:
        choice = {"type": "function", "name": name}
        return {"tools": [{**choice, "parameters": {"type": "object"}}], "tool_choice": choice}


class Messages(Chat):
    sdk = "anthropic"

    def ask(self, client: Any, **options: Any) -> Any:
        return client.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, "stream": True, **options})

    def said(self, chunk: Any) -> str:
        return chunk.delta.text if chunk.type == "content_block_delta" and chunk.delta.type == "text_delta" else ""

    def called(self, chunk: Any) -> str:
        inner = chunk.type == "content_block_delta" and chunk.delta.type == "input_json_delta"
        return chunk.delta.partial_json if inner else ""

    def ends(self, chunks: list[Any]) -> Any:
        kinds = [chunk.type for chunk in chunks]
        assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
        assert kinds.count("content_block_start") == kinds.count("content_block_stop") >= 1
        reasons = [chunk.delta.stop_reason for chunk in chunks if chunk.type == "message_delta"]
        return [{"end_turn": "stop", "tool_use": "tool_calls"}[reason] for reason in reasons]

    def tools(self, name: str = "file") -> dict[str, Any]:
        choice = {"type": "tool", "name": name}
        return {"tools": [{"name": name, "input_schema": {"type": "object"}}], "tool_choice": choice}


class BetaMessages(Messages):
    def ask(self, client: Any, **options: Any) -> Any:
        return super().ask(client.beta, **options)


EVERY = [Chat(), Completions(), Responses(), Messages(), BetaMessages()]
with_tools = [Chat(), Responses(), Messages(), BetaMessages()]
every = pytest.mark.parametrize("method", EVERY, ids=lambda m: type(m).__name__)
colours = pytest.mark.parametrize("colour", ["sync", "async"])


def chunks_of(server: Server, method: Chat, colour: str, guard: Any, **options: Any) -> list[Any]:
    """All chunks of one streamed call, of the SDK's sync or async client; `guard` wraps the client."""
    if colour == "sync":
        return list(method.ask(guard(getattr(server, method.sdk)()), **options))

    async def run() -> list[Any]:
        async with getattr(server, f"async_{method.sdk}")() as client:
            return [chunk async for chunk in await method.ask(guard(client), **options)]

    return asyncio.run(run())


def text_of(method: Chat, chunks: list[Any]) -> str:
    return "".join(method.said(chunk) for chunk in chunks)


@every
@colours
def test_an_accepted_answer_is_the_very_stream_that_came(method, colour):
    """Chunk by chunk what the bare client gives, in the SDK's own classes."""
    with Server([answer(GOOD)] * 2) as server:
        bare = chunks_of(server, method, colour, lambda client: client, **_usage(method))
        guarded = chunks_of(server, method, colour, ticket.wrap, **_usage(method))
    assert [(type(c), c.to_dict()) for c in guarded] == [(type(c), c.to_dict()) for c in bare]


def _usage(method: Chat) -> dict[str, Any]:
    return {"stream_options": {"include_usage": True}} if type(method) in (Chat, Completions) else {}


@every
@colours
def test_a_refused_answer_is_never_shown(method, colour):
    """The reader sees one answer, the accepted one; the model was asked again with the reasons."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        chunks = chunks_of(server, method, colour, ticket.wrap)
    assert text_of(method, chunks) == GOOD
    assert method.ends(chunks) == ["stop"]
    assert "level" in str(server.bodies[1])


@every
def test_a_mended_answer_is_spelled_anew(method):
    """What was set aside or repaired is not in the chunks, which begin and end as the SDK's do."""
    with Server([answer(FENCED)]) as server:
        chunks = chunks_of(server, method, "sync", ticket.wrap)
    assert text_of(method, chunks) == GOOD
    assert method.ends(chunks) == ["stop"]
    assert {type(c).__module__.partition(".")[0] for c in chunks} == {method.sdk}


@pytest.mark.parametrize("method", with_tools, ids=lambda m: type(m).__name__)
def test_arguments_of_a_forced_tool(method):
    """The answer may be a tool's arguments: told as they came, or as they were repaired."""
    with Server([tool("file", GOOD), tool("file", BAD), tool("file", '{"team": "billing", "level": "3"}')]) as server:
        client = ticket.wrap(getattr(server, method.sdk)())
        for _ in range(2):
            chunks = list(method.ask(client, **method.tools()))
            assert "".join(method.called(chunk) for chunk in chunks) == GOOD
            assert text_of(method, chunks) == ""
            method.ends(chunks)
    assert len(server.requests) == 3


@pytest.mark.parametrize("method", with_tools, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("guarded", [ticket, spoken], ids=["data", "text"])
def test_a_call_of_the_caller_s_own_tool_passes(method, guarded):
    """A stream that asks for a tool holds no answer yet: it goes through as it came, whatever was said before."""
    offered = {"tools": method.tools("look")["tools"]}
    with Server([tool("look", '{"q": 1}', "I look. It takes a while.")] * 2) as server:
        bare = chunks_of(server, method, "sync", lambda client: client, **offered)
        chunks = chunks_of(server, method, "sync", guarded.wrap, **offered)
    assert "".join(method.called(chunk) for chunk in chunks).replace(" ", "") == '{"q":1}'
    assert text_of(method, chunks) == text_of(method, bare)
    assert method.ends(chunks) == method.ends(bare)


@every
@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
def test_a_text_goes_out_while_it_is_written(method, piece):
    """With guards that judge sentences a text is told as they pass it, whatever the chunks; it is whole in the end."""
    seen: list[str] = []

    @check(partial=True)
    def watch(text: str, context: Any) -> None:
        if context.partial:
            seen.append(text)

    with Server([answer(SPOKEN, piece=piece)]) as server:
        stream = method.ask(spoken.replace(guards=[watch]).wrap(getattr(server, method.sdk)()))
        assert seen == ["It is ready."]
        chunks = list(stream)
    assert text_of(method, chunks) == SPOKEN
    assert method.ends(chunks) == ["stop"]
    assert outcome_of(stream).ok


@every
@colours
def test_a_text_that_was_begun_ends_in_a_rejection(method, colour):
    """What was told cannot be taken back: the stream raises, and no other answer is asked for or put behind it."""
    ticket = spoken.replace(on_fail=Fix().then(Reask()).then(Fallback("Sorry.")))
    told: list[Any] = []

    def guard(client: Any) -> Any:
        return ticket.wrap(client)

    with Server([answer("It is ready. It costs 5 EUR. Goodbye.")]) as server:

        async def run() -> None:
            async with getattr(server, f"async_{method.sdk}")() as client:
                async for chunk in await method.ask(guard(client)):
                    told.append(chunk)

        with pytest.raises(Rejected, match="names a price") as caught:
            if colour == "async":
                asyncio.run(run())
            else:
                for chunk in method.ask(guard(getattr(server, method.sdk)())):
                    told.append(chunk)
    assert text_of(method, told) == "It is ready."
    assert (caught.value.code, len(server.requests)) == ("stop.shown", 1)


@every
def test_a_text_whose_first_sentence_is_refused_is_asked_for_again(method):
    """Nothing was told yet, so that the policy follows as for any answer."""
    with Server([answer("It costs 5 EUR. Goodbye."), answer(SPOKEN)]) as server:
        stream = method.ask(spoken.wrap(getattr(server, method.sdk)()))
        assert text_of(method, list(stream)) == SPOKEN
    assert len(outcome_of(stream).attempts) == 2


@every
def test_a_thinking_part_is_not_told(method):
    """What a model thinks before it speaks is no part of the text, in the first chunks and in the last."""
    with Server([answer(f"<think>It costs 5 EUR.</think>\n{SPOKEN}", piece=4)] * 2) as server:
        for guarded in (spoken, Guarded(Text(), transport=quick)):
            chunks = list(method.ask(guarded.wrap(getattr(server, method.sdk)())))
            assert text_of(method, chunks) == SPOKEN
            assert method.ends(chunks) == ["stop"]


def test_a_text_behind_a_thinking_part_that_was_never_opened():
    """Where what was told turns out to be thoughts the stream ends in a rejection: it cannot be taken back."""
    with Server([answer("Let me see. It is fine. Yes.</think>Done.")]) as server:
        told = ""
        with pytest.raises(Rejected) as caught:
            for chunk in Chat().ask(spoken.wrap(server.openai())):
                told += Chat().said(chunk)
    assert (caught.value.code, told) == ("stop.shown", "Let me see. It is fine.")


@every
def test_a_guard_of_the_whole_holds_the_text_back(method):
    """One guard that needs the whole text, and nothing is told before it has passed."""
    whole = check(lambda text: None if "slip" in text else "no slip")
    with Server([answer("It is ready. Goodbye."), answer(SPOKEN)]) as server:
        chunks = chunks_of(server, method, "sync", spoken.replace(guards=[whole, no_price]).wrap)
    assert text_of(method, chunks) == SPOKEN


@every
@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (Fallback({"team": "tech", "level": 0}), '{"team": "tech", "level": 0}'),
        (Fix(), GOOD.replace("3", "1")),
        (Noop(), GOOD),
        (Refrain(), ""),
    ],
    ids=["fallback", "fix", "noop", "refrain"],
)
def test_what_a_policy_delivers_is_told(method, policy, text):
    """In the shape of the SDK's stream, as without stream=True."""
    low = check(lambda value: Finding("high", "too high", "/level", fix=1) if value.level > 2 else None)
    with Server([answer(GOOD)]) as server:
        chunks = chunks_of(server, method, "sync", ticket.replace(guards=[low], on_fail=policy).wrap)
    assert text_of(method, chunks) == text


@pytest.mark.parametrize("streams", [True, False])
def test_a_fallback_that_asks_for_a_tool_lets_nothing_pass(streams):
    """The refused answer of the wrapped client is not delivered because another client had no answer yet."""
    with Server([answer(BAD), tool("look", "{}")]) as server:
        other = functools.partial(server.openai().chat.completions.create, model="other")
        client = ticket.replace(on_fail=Fallback(client=other)).wrap(server.openai())
        with pytest.raises(Rejected):
            list(Chat().ask(client, stream=streams))
    assert len(server.requests) == 2


def test_a_reflection_of_its_own_is_asked_for_without_a_stream():
    """The separate reflection is one plain call of the caller's method; its text is nowhere in the chunks."""
    with Server([answer(BAD), answer("The level must be a number."), answer(GOOD)]) as server:
        guarded = ticket.replace(on_fail=Reflect(mode="separate"))
        stream = Chat().ask(guarded.wrap(server.openai()))
        assert text_of(Chat(), list(stream)) == GOOD
    assert [body.get("stream") for body in server.bodies] == [True, None, True]
    assert outcome_of(stream).attempts[1].reflection == "The level must be a number."


# -- where it is raised, and what is counted ---------------------------------------------------------------------------


@every
@colours
def test_a_rejection_comes_where_the_call_is_written(method, colour):
    """Nothing was told, so that the call itself raises, as the SDK's own faults do."""
    with Server([answer(BAD)] * 3) as server, pytest.raises(BudgetExhausted):
        if colour == "sync":
            method.ask(ticket.wrap(getattr(server, method.sdk)()))
        else:

            async def run() -> None:
                async with getattr(server, f"async_{method.sdk}")() as client:
                    await method.ask(ticket.wrap(client))

            asyncio.run(run())


def test_faults_of_the_transport():
    """A fault before the first chunk is retried as ever; another comes out as the SDK's own."""
    with Server([Fault(429), answer(GOOD), Fault(401)]) as server:
        client = ticket.wrap(server.openai())
        assert text_of(Chat(), list(Chat().ask(client))) == GOOD
        with pytest.raises(openai.AuthenticationError):
            Chat().ask(client)


def test_a_line_that_is_cut_in_the_middle():
    """What the SDK raises comes out, also after something was told; it is on record."""
    with Server([answer(SPOKEN, piece=5, breaks_after=6)]) as server, spoken.session() as session:
        told = ""
        with pytest.raises(line_faults(openai)) as caught:
            for chunk in Chat().ask(session.wrap(server.openai())):
                told += Chat().said(chunk)
    assert told == "It is ready."
    assert "attempt 1" in str(caught.value.__notes__)
    assert [outcome.reason for outcome in session.outcomes] == ["call.failed"]


@pytest.mark.parametrize("method", [Chat(), Completions()], ids=lambda m: type(m).__name__)
def test_the_usage_counts_and_is_told_only_if_asked_for(method):
    """The budget knows what was used; who did not ask for the chunk of the usage, which has no choices, gets none."""
    with Server([answer(GOOD)] * 2) as server:
        client = ticket.replace(budget=Budget(tokens=100)).wrap(server.openai())
        for wanted in (None, {"include_usage": True}):
            options = {"stream_options": wanted} if wanted else {}
            stream = method.ask(client, **options)
            chunks = list(stream)
            assert outcome_of(stream).usage.total_tokens == 15
            assert [bool(chunk.choices) for chunk in chunks].count(False) == (1 if wanted else 0)


def test_the_outcome_of_a_stream():
    """It is there at the end, and not before."""
    with Server([answer(SPOKEN, piece=3)]) as server:
        stream = Chat().ask(spoken.wrap(server.openai()))
        with pytest.raises(ConfigError, match="not ended"):
            outcome_of(stream)
        list(stream)
        assert outcome_of(stream).value == SPOKEN


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_leaving_a_stream(colour):
    """`close`, or the end of a `with` block, leaves the SDK's stream too and closes the record."""
    with Server([answer(SPOKEN * 9, piece=3)]) as server:
        with spoken.session() as session:
            if colour == "sync":
                with Chat().ask(session.wrap(server.openai())) as stream:
                    next(stream)
                    next(stream)
                assert list(stream) == []
            else:

                async def run() -> None:
                    async with server.async_openai() as client:
                        async with await Chat().ask(session.wrap(client)) as stream:
                            await anext(stream)
                            await anext(stream)
                        assert [chunk async for chunk in stream] == []

                asyncio.run(run())
        assert [outcome.reason for outcome in session.outcomes] == ["call.abandoned"]


def test_a_session_s_budget_holds_over_streams():
    """Streams of a session share its budget and its record."""
    with Server([answer(GOOD)] * 3) as server:
        with ticket.replace(budget=Budget(tokens=20)).session() as session:
            client = session.wrap(server.openai())
            list(Chat().ask(client))
            list(Chat().ask(client))
            with pytest.raises(BudgetExhausted):
                Chat().ask(client)
        assert len(session.outcomes) == 3
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: Chat().ask(c, n=2),
        lambda c: Chat().ask(c, stream=False, extra_body={"stream": True}),
        lambda c: c.responses.parse(model="m", input="x", stream=True),
    ],
)
def test_streams_that_cannot_be_guarded(ask):
    """Several answers at once, a stream behind the SDK's back and a parsed stream are refused before any request."""
    with Server([answer(GOOD)]) as server, pytest.raises(ConfigError, match="stream"):
        ask(ticket.wrap(server.openai()))
    assert server.requests == []
