"""LiteLLM's `completion` over HTTP, against the same server; run by `make test-litellm`, since the package is large."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import tenacity
from pydantic import BaseModel

from guards import Finding, Fix, Guarded, Raise, Reask, Rejected, check, outcome_of
from guards.clients import litellm as clients
from guards.clients import reply_of, resolve
from guards.clients.faults import transient
from guards.contracts import Text
from guards.errors import ConfigError, MissingExtra

pytestmark = [
    pytest.mark.litellm,
    # What the package warns of within itself is its own affair.
    pytest.mark.filterwarnings("ignore"),
]


class Ticket(BaseModel):
    team: Literal["billing", "tech"]


GOOD = '{"team": "billing"}'
BAD = '{"team": "sales"}'
FENCED = f"Here:\n```json\n{GOOD}\n```"
VALUE = Ticket(team="billing")
ASKED = [{"role": "user", "content": "Sort this"}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
ticket = Guarded(Ticket, on_fail=Reask(times=2).then(Raise()), transport=quick)


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    patch = pytest.MonkeyPatch()
    patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it fetches prices from the network on import
    module = pytest.importorskip("litellm")
    module.telemetry = False
    yield module
    patch.undo()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def options(server: Any) -> dict[str, Any]:
    return {"model": "openai/gpt-4o-mini", "api_base": f"{server.url}/v1", "api_key": "k"}


def test_a_wrong_answer_is_asked_for_again(litellm):
    """`completion` goes through the whole loop; usage and the cost that LiteLLM reckons are read."""
    from server import Server, answer

    with Server([answer(BAD), answer(GOOD)]) as server:
        outcome = ticket.run(functools.partial(litellm.completion, **options(server)), "Sort this")
    assert outcome.value == VALUE
    assert (outcome.usage.input_tokens, outcome.usage.output_tokens) == (20, 10)
    assert outcome.usage.cost is not None
    assert outcome.usage.cost > 0
    assert "/team" in server.bodies[1]["messages"][2]["content"]


def test_acompletion_does_the_same(litellm):
    """The async twin is seen as async."""
    from server import Server, answer

    with Server([answer(BAD), answer(GOOD)]) as server:
        llm = functools.partial(litellm.acompletion, **options(server))
        assert resolve(llm).colour == "async"
        assert asyncio.run(ticket.acall(llm, "Sort this")) == VALUE


@pytest.mark.parametrize("mode", ["text", "json", "json_schema"])
def test_the_modes(litellm, mode):
    """JSON mode and the native schema are sent; what comes back is validated."""
    from server import Server, answer

    contract = Ticket if mode == "json_schema" else None
    with Server([answer(BAD), answer(GOOD)]) as server:
        client = clients.completion(mode=mode, contract=contract, **options(server))
        assert ticket.call(client, "x") == VALUE
    sent = server.bodies[0].get("response_format", {}).get("type")
    assert sent == {"text": None, "json": "json_object", "json_schema": "json_schema"}[mode]


def test_a_forced_tool_call_is_the_answer_and_gets_a_tool_result(litellm):
    """In tool mode the arguments are the answer; the retry answers the call."""
    pytest.importorskip("mcp", reason="this LiteLLM imports mcp as soon as it is given tools")
    from server import Server, tool

    with Server([tool("answer", BAD), tool("answer", GOOD)]) as server:
        client = clients.completion(mode="tool", contract=Ticket, **options(server))
        assert ticket.call(client, "x") == VALUE
    assert [t["role"] for t in server.bodies[1]["messages"]] == ["user", "assistant", "tool"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_transient_faults_are_retried_by_one_owner(litellm, status):
    """A transient fault is tried again once per fault: LiteLLM's own retries and those below it are off."""
    from server import Fault, Server, answer

    with Server([Fault(status), answer(GOOD)]) as server:
        outcome = ticket.run(functools.partial(litellm.completion, **options(server)), "x")
    assert (outcome.value, len(outcome.attempts), len(server.requests)) == (VALUE, 1, 2)
    with Server([Fault(status)] * 9) as server, pytest.raises(Exception, match="scripted"):
        ticket.call(functools.partial(litellm.completion, **options(server)), "x")
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 404])
def test_lasting_faults_come_out_unchanged(litellm, status):
    """What stays wrong is not tried again; LiteLLM's own exception comes out."""
    from server import Fault, Server

    with Server([Fault(status)]) as server, pytest.raises(Exception, match="scripted") as caught:
        ticket.call(functools.partial(litellm.completion, **options(server)), "x")
    assert type(caught.value).__module__.startswith("litellm")
    assert len(server.requests) == 1


def test_the_wrapped_module_guards_its_answers(litellm):
    """`wrap(litellm)` and `wrap(litellm.completion)`: a ModelResponse with the accepted text."""
    from server import Server, answer

    with Server([answer(BAD), answer(FENCED)] * 2) as server:
        for call in (ticket.wrap(litellm).completion, ticket.wrap(litellm.completion)):
            response = call(messages=ASKED, **options(server))
            assert type(response) is litellm.ModelResponse
            assert response.choices[0].message.content == GOOD
            assert len(outcome_of(response).attempts) == 2


def test_every_choice_is_guarded(litellm):
    """One bad choice is enough to reject."""
    from server import Server, answer

    once = ticket.replace(on_fail=Raise())
    with Server([answer(GOOD, BAD)]) as server, pytest.raises(Rejected):
        once.wrap(litellm).completion(messages=ASKED, n=2, **options(server))


def test_a_call_of_the_callers_own_tool_passes(litellm):
    """A response that asks for a tool comes back as it is."""
    pytest.importorskip("mcp", reason="this LiteLLM imports mcp as soon as it is given tools")
    from server import Server, tool

    with Server([tool("look", "{}")]) as server:
        response = ticket.wrap(litellm).completion(messages=ASKED, tools=[TOOL], **options(server))
    assert response.choices[0].message.tool_calls[0].function.name == "look"


@pytest.mark.parametrize(
    "name", ["text_completion", "responses", "aresponses", "batch_completion", "Router", "main", "stream_chunk_builder"]
)
def test_other_ways_to_an_answer_are_refused_by_name(litellm, name):
    """Whatever else of the module may answer is refused, classes and modules too."""
    with pytest.raises(ConfigError, match=name):
        getattr(ticket.wrap(litellm), name)


def test_what_makes_no_answer_passes(litellm):
    """Data, exceptions and counting are as before; the wrapped module is not written to."""
    wrapped = ticket.wrap(litellm)
    assert wrapped.RateLimitError is litellm.RateLimitError
    assert wrapped.token_counter is litellm.token_counter
    assert wrapped.num_retries == litellm.num_retries
    with pytest.raises(AttributeError, match="on litellm itself"):
        wrapped.drop_params = True


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("text", [GOOD, FENCED])
def test_a_wrapped_stream(litellm, colour, text):
    """`stream=True` gives LiteLLM's own chunks of the accepted answer, and of nothing else."""
    from server import Server, answer

    with Server([answer(BAD), answer(text)]) as server:
        wrapped, asked = ticket.wrap(litellm), {"messages": ASKED, "stream": True, **options(server)}
        if colour == "sync":
            stream = wrapped.completion(**asked)
            chunks = list(stream)
        else:

            async def run():
                stream = await wrapped.acompletion(**asked)
                return stream, [chunk async for chunk in stream]

            stream, chunks = asyncio.run(run())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == GOOD
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert {type(chunk).__name__ for chunk in chunks} == {"ModelResponseStream"}
    assert len(outcome_of(stream).attempts) == 2


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_events_of_a_stream(litellm, colour):
    """`ticket.stream` asks LiteLLM for a stream and counts what it used."""
    from server import Server, answer

    with Server([answer(GOOD, piece=5)]) as server:
        if colour == "sync":
            stream = ticket.stream(functools.partial(litellm.completion, **options(server)), ASKED)
            events = list(stream)
        else:

            async def run():
                stream = ticket.stream(functools.partial(litellm.acompletion, **options(server)), ASKED)
                return stream, [event async for event in stream]

            stream, events = asyncio.run(run())
    assert len(events) > 2
    assert stream.outcome.value == VALUE
    assert stream.outcome.usage.total_tokens == 15


def test_a_stream_of_the_package_is_no_answer(litellm):
    """The reader of responses says so."""
    from server import Raw, Server

    chunk = b'data: {"id":"x","object":"chat.completion.chunk","model":"m","choices":[]}\n\ndata: [DONE]\n\n'
    with Server([Raw(chunk, "text/event-stream")]) as server:
        stream = litellm.completion(messages=ASKED, stream=True, **options(server))
        with pytest.raises(ConfigError, match="without stream=True"):
            reply_of(stream)


@pytest.mark.parametrize("of", [lambda m: m, lambda m: m.embedding])
def test_what_cannot_be_asked_is_refused_by_name(litellm, of):
    """The module itself and a function without an answer are errors."""
    with pytest.raises(ConfigError, match="litellm"):
        resolve(of(litellm))


def test_without_the_package_the_pip_line_is_named(monkeypatch):
    """A missing package is an error with the line that brings it."""
    monkeypatch.setitem(sys.modules, "litellm", None)
    with pytest.raises(MissingExtra, match=r"pip install 'output-guards\[litellm\]'"):
        clients.completion(model="m")


def test_what_is_kept_aside_of_the_providers_answer_says_nothing(litellm):
    """LiteLLM keeps thinking and results of tools beside its response, too; what it reckons stays."""
    import json

    from server import Raw, Server

    evil, stray = "EVIL words", "STRAY words"
    said = [
        {"type": "thinking", "thinking": evil, "signature": "s"},
        {"type": "text", "text": evil},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": stray}]},
    ]
    body = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": said, "stop_reason": "end_turn"}
    body["usage"] = {"input_tokens": 1, "output_tokens": 1}

    @check
    def no_evil(text: str) -> Finding | None:
        return Finding("evil", "says EVIL", fix=text.replace("EVIL", "")) if "EVIL" in text else None

    guarded = Guarded(Text(), guards=[no_evil], on_fail=Fix().then(Raise()), transport=None)
    with Server([Raw(json.dumps(body).encode())]) as server:
        response = guarded.wrap(litellm).completion(
            model="anthropic/claude-3-5-sonnet", messages=ASKED, api_base=server.url, api_key="k"
        )
    assert response.choices[0].message.content == " words"
    aside = response._hidden_params
    assert "EVIL" not in str(aside)
    assert "STRAY" not in str(aside)
    assert aside["api_base"] == server.url
    assert outcome_of(response).ok
