"""`ticket.wrap(client)`: every answer of an SDK is guarded, comes back as the SDK's own response; none slips past."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import inspect
import json
import pickle
from typing import Any, Literal
from unittest import mock

import pytest
import tenacity
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Cut, Fault, Raw, Server, answer, tool  # noqa: E402

from guards import (  # noqa: E402
    Budget,
    BudgetExhausted,
    Fallback,
    Guarded,
    Noop,
    Raise,
    Reask,
    Refrain,
    Rejected,
    Reply,
    check,
    outcome_of,
)
from guards.clients import anthropic as of_anthropic  # noqa: E402
from guards.clients import openai as of_openai  # noqa: E402
from guards.clients.faults import transient  # noqa: E402
from guards.clients.sdks import module_of  # noqa: E402
from guards.clients.surface import COPIES, passes  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ConfigError  # noqa: E402
from guards.shapes.wrapping import _OUTCOMES  # noqa: E402


class Ticket(BaseModel):
    team: Literal["billing", "tech"]


GOOD = '{"team": "billing"}'
BAD = '{"team": "sales"}'
FENCED = f"Here:\n```json\n{GOOD}\n```"
ASKED = [{"role": "user", "content": "Sort this"}]

quick = tenacity.Retrying(
    stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_none(), retry=tenacity.retry_if_exception(transient)
)
ticket = Guarded(Ticket, on_fail=Reask(times=2).then(Raise()), transport=quick)
strict_once = ticket.replace(on_fail=Raise())


@check
def never(value: Any, context: Any) -> str:
    return "never good"


def chat(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "m", "messages": ASKED, **options})


def responses(client: Any, **options: Any) -> Any:
    return client.responses.create(**{"model": "m", "input": "Sort this", **options})


def completions(client: Any, **options: Any) -> Any:
    return client.completions.create(**{"model": "m", "prompt": "Sort this", **options})


def messages(client: Any, **options: Any) -> Any:
    return client.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, **options})


def beta_messages(client: Any, **options: Any) -> Any:
    return client.beta.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, **options})


def beta_responses(client: Any, **options: Any) -> Any:
    return client.beta.responses.create(**{"model": "m", "input": "Sort this", **options})


def text_of(response: Any) -> str | None:
    if hasattr(response, "choices"):
        choice = response.choices[0]
        return choice.message.content if hasattr(choice, "message") else choice.text
    if hasattr(response, "output_text"):
        return response.output_text
    if hasattr(response, "output"):  # the beta twin has no such property
        return response.output[0].content[0].text
    return "".join(block.text for block in response.content if block.type == "text")


def client_of(server: Server, method: Any) -> Any:
    return server.anthropic() if method in (messages, beta_messages) else server.openai()


# Older releases of the SDK have no `beta.responses`.
METHODS = [chat, responses, completions, messages, beta_messages]
METHODS += [beta_responses] * hasattr(openai.resources.beta.Beta, "responses")
KINDS = {
    chat: "ChatCompletion",
    responses: "Response",
    completions: "Completion",
    messages: "Message",
    beta_messages: "BetaMessage",
}


# -- guarding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_answer_is_asked_for_again_and_the_sdks_response_comes_back(method):
    """Each answering method: the accepted text in the SDK's own type, its outcome, and the caller's words unchanged."""
    with Server([answer(BAD), answer(GOOD)]) as server:
        response = method(ticket.wrap(client_of(server, method)))
    assert text_of(response) == GOOD
    assert method not in KINDS or type(response).__name__ == KINDS[method]
    outcome = outcome_of(response)
    assert (outcome.value, len(outcome.attempts)) == (Ticket(team="billing"), 2)
    assert outcome.usage.input_tokens == 20
    first, second = server.bodies
    question = next(name for name in ("messages", "input", "prompt") if name in first)
    assert first[question] == ("Sort this" if question != "messages" else ASKED)
    assert "/team" in json.dumps(second[question])


@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_accepted_is_raised(method):
    """Where no answer holds, `Rejected` comes out with every attempt, and no response."""
    with Server([answer(BAD)] * 2) as server, pytest.raises(Rejected) as caught:
        method(ticket.replace(on_fail=Reask(times=1).then(Raise())).wrap(client_of(server, method)))
    assert len(caught.value.outcome.attempts) == 2


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_the_accepted_text_stands_in_the_answers_place(method):
    """What was set aside on reading is not in the response: its text is the document that was accepted."""
    with Server([answer(FENCED)]) as server:
        response = method(ticket.wrap(client_of(server, method)))
    assert text_of(response) == GOOD


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_an_answer_that_holds_comes_back_as_it_came(method):
    """An accepted answer's response equals the unguarded one."""
    with Server([answer(GOOD), answer(GOOD)]) as server:
        client = client_of(server, method)
        assert method(ticket.wrap(client)).to_dict() == method(client).to_dict()


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_the_async_client_is_guarded_too(method):
    """The async twin: the same outcome, awaited."""

    async def ask(server: Server) -> Any:
        made = server.async_anthropic() if method is messages else server.async_openai()
        async with ticket.wrap(made) as client:
            return await method(client)

    with Server([answer(BAD), Fault(500), answer(GOOD)]) as server:
        response = asyncio.run(ask(server))
    assert text_of(response) == GOOD
    assert len(outcome_of(response).attempts) == 2


# -- several answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [chat, completions])
def test_every_choice_is_guarded(method):
    """With n > 1 each choice is judged, and only the one that fails is asked for again, once."""
    with Server([answer(GOOD, BAD, GOOD), answer('{"team": "tech"}')]) as server:
        response = method(ticket.wrap(server.openai()), n=3)
    texts = [getattr(c, "text", None) or c.message.content for c in response.choices]
    assert texts == [GOOD, '{"team": "tech"}', GOOD]
    assert [c.index for c in response.choices] == [0, 1, 2]
    assert [body.get("n") for body in server.bodies] == [3, None]


def test_one_bad_choice_is_enough_to_reject():
    """No choice gets through because another one was good."""
    with Server([answer(GOOD, BAD)]) as server, pytest.raises(Rejected):
        chat(strict_once.wrap(server.openai()), n=2)


def test_choices_that_nobody_asked_for_are_guarded():
    """A server that sends more answers than asked for gets none of them past."""
    with Server([answer(GOOD, BAD)]) as server, pytest.raises(Rejected):
        chat(strict_once.wrap(server.openai()))


def test_a_tool_call_in_one_choice_lets_no_other_pass():
    """One choice asks for a tool, another answers wrongly: the wrong one is still refused."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    choices = [
        {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [call]}},
        {"index": 1, "finish_reason": "stop", "message": {"role": "assistant", "content": BAD}},
    ]
    with Server([answer(extra={"choices": choices})]) as server, pytest.raises(Rejected):
        chat(strict_once.wrap(server.openai()), n=2)


def test_the_tokens_of_several_choices_are_counted_once():
    """The usage of one response counts once, whatever the number of its answers."""
    with Server([answer(GOOD, GOOD)]) as server, ticket.session() as session:
        chat(session.wrap(server.openai()), n=2)
        assert sum(o.usage.total_tokens or 0 for o in session.outcomes) == 15


# -- tools -------------------------------------------------------------------------------------------------------------

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]


def test_a_call_of_the_callers_own_tool_passes_as_it_is():
    """A response that asks for a tool is no answer yet: it comes back unchanged, and the next one is guarded."""
    with Server([tool("look", '{"x": 1}'), answer(BAD), answer(GOOD)]) as server:
        client = ticket.wrap(server.openai())
        turns: list[Any] = list(ASKED)
        response = chat(client, messages=turns, tools=TOOLS)
        message = response.choices[0].message
        assert message.tool_calls[0].function.arguments == '{"x": 1}'
        assert str(outcome_of(response).reason) == "reply.tool_calls"
        turns += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "found"}]
        assert text_of(chat(client, messages=turns, tools=TOOLS)) == GOOD
    assert [t["role"] for t in server.bodies[1]["messages"]] == ["user", "assistant", "tool"]
    retry = server.bodies[2]["messages"]
    assert [t["role"] for t in retry] == ["user", "assistant", "tool", "assistant", "user"]
    assert retry[1]["tool_calls"] == server.bodies[1]["messages"][1]["tool_calls"]
    assert server.bodies[2]["tools"] == TOOLS


def test_an_anthropic_tool_call_passes_as_it_is():
    """The same for Anthropic's tool use."""
    with Server([tool("look", '{"x": 1}', "Let me look.")]) as server:
        response = messages(ticket.wrap(server.anthropic()), tools=[{"name": "look", "input_schema": {}}])
    assert [block.type for block in response.content] == ["text", "tool_use"]


FORCED = {"type": "function", "function": {"name": "look"}}


def test_the_arguments_of_a_forced_tool_are_the_answer():
    """A forced call is guarded; the retry answers it with a tool result; the accepted arguments stand in its place."""
    with Server([tool("look", BAD), tool("look", FENCED)]) as server:
        response = chat(ticket.wrap(server.openai()), tools=TOOLS, tool_choice=FORCED)
    assert response.choices[0].message.tool_calls[0].function.arguments == GOOD
    assert [t["role"] for t in server.bodies[1]["messages"]] == ["user", "assistant", "tool"]


def test_the_arguments_of_a_forced_responses_tool_are_the_answer():
    """The same for the responses interface."""
    forced = {"type": "function", "name": "look"}
    with Server([tool("look", BAD), tool("look", FENCED)]) as server:
        response = responses(ticket.wrap(server.openai()), tools=[forced], tool_choice=forced)
    assert response.output[-1].arguments == GOOD
    assert server.bodies[1]["input"][-1]["type"] == "function_call_output"


def test_the_input_of_a_forced_anthropic_tool_is_the_answer():
    """The same for Anthropic's tool use."""
    with Server([tool("look", BAD), tool("look", GOOD)]) as server:
        response = messages(
            ticket.wrap(server.anthropic()),
            tools=[{"name": "look", "input_schema": {}}],
            tool_choice={"type": "tool", "name": "look"},
        )
    assert response.content[-1].input == {"team": "billing"}
    assert server.bodies[1]["messages"][-1]["content"][0]["type"] == "tool_result"


def test_a_second_call_of_the_forced_tool_does_not_slip_past():
    """One answer is accepted: a further call of the same tool, which was not, is taken out."""
    forced = {"type": "function", "name": "look"}
    both = [
        {"id": f"c{i}", "type": "function", "function": {"name": "look", "arguments": text}}
        for i, text in enumerate((GOOD, BAD))
    ]
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": None, "tool_calls": both},
    }
    items = [
        {"type": "function_call", "id": f"f{i}", "call_id": f"c{i}", "name": "look", "arguments": text}
        for i, text in enumerate((GOOD, BAD))
    ]
    blocks = [
        {"type": "tool_use", "id": f"t{i}", "name": "look", "input": json.loads(t)} for i, t in enumerate((GOOD, BAD))
    ]
    steps = [answer(extra={"choices": [choice]}), answer(extra={"output": items}), answer(extra={"content": blocks})]
    with Server(steps) as server:
        client = strict_once.wrap(server.openai())
        message = chat(client, tools=TOOLS, tool_choice=FORCED).choices[0].message
        output = responses(client, tools=[forced], tool_choice=forced).output
        tools, choice = [{"name": "look", "input_schema": {}}], {"type": "tool", "name": "look"}
        content = messages(strict_once.wrap(server.anthropic()), tools=tools, tool_choice=choice).content
    assert [call.function.arguments for call in message.tool_calls] == [GOOD]
    assert [item.arguments for item in output] == [GOOD]
    assert [block.input for block in content] == [{"team": "billing"}]


@pytest.mark.parametrize("policy", [Fallback("sorry"), Refrain(), Fallback({"team": "tech"})])
def test_a_policy_delivers_in_the_place_of_a_forced_call(policy):
    """What was refused is gone from the forced call; what the policy delivers is there."""
    forced = {"type": "function", "name": "look"}
    with Server([tool("look", BAD)] * 3) as server:
        given = ticket.replace(on_fail=policy)
        client = given.wrap(server.openai())
        made = [
            chat(client, tools=TOOLS, tool_choice=FORCED),
            responses(client, tools=[forced], tool_choice=forced),
            messages(
                given.wrap(server.anthropic()),
                tools=[{"name": "look", "input_schema": {}}],
                tool_choice={"type": "any"},
            ),
        ]
    for response in made:
        dumped = json.dumps(response.to_dict(mode="json"))
        assert "sales" not in dumped
        assert ("sorry" in dumped) == (policy == Fallback("sorry"))
        assert ("tech" in dumped) == (policy == Fallback({"team": "tech"}))


def test_the_old_function_call_is_a_forced_tool_too():
    """`function_call` of the first tools interface: arguments guarded, and withheld by Refrain."""
    old = {"role": "assistant", "content": None, "function_call": {"name": "look", "arguments": FENCED}}
    choice = {"index": 0, "finish_reason": "function_call", "message": old}
    options = {"functions": [{"name": "look"}], "function_call": {"name": "look"}}
    with Server([answer(extra={"choices": [choice]})] * 2) as server:
        assert chat(ticket.wrap(server.openai()), **options).choices[0].message.function_call.arguments == GOOD
        withheld = ticket.replace(guards=[never], on_fail=Refrain()).wrap(server.openai())
        assert chat(withheld, **options).choices[0].message.function_call is None


def test_the_log_probabilities_of_another_text_are_not_kept():
    """They would hold the text that was not accepted, token by token."""
    logged = {"content": [{"token": "sales", "logprob": -0.1, "top_logprobs": []}], "refusal": None}
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "logprobs": logged,
        "message": {"role": "assistant", "content": BAD},
    }
    with Server([answer(extra={"choices": [choice]})]) as server:
        response = chat(ticket.replace(on_fail=Fallback("x")).wrap(server.openai()), logprobs=True)
    assert response.choices[0].logprobs is None


SEARCH = [{"type": "web_search_20250305", "name": "web_search"}]


def test_a_paused_turn_of_anthropics_passes():
    """A server tool still at work: the turn comes back as it is, to be sent again."""
    used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}
    with Server([answer(finish="pause_turn", extra={"content": [used]})]) as server:
        response = messages(ticket.wrap(server.anthropic()), tools=SEARCH)
    assert (response.stop_reason, [block.to_dict() for block in response.content]) == ("pause_turn", [used])


@pytest.mark.parametrize("options", [{}, {"tools": SEARCH}])
def test_what_a_paused_turn_says_is_judged(options):
    """Words in a turn that says of itself to be paused are an answer, and a pause that no tool can have made is none."""
    text = Guarded(Text(), guards=[check(lambda value: "no" if "Search" in value else None)], on_fail=Raise())
    with Server([answer("Searching", finish="pause_turn"), answer("Ready", finish="pause_turn")]) as server:
        client = text.wrap(server.anthropic())
        with pytest.raises(Rejected):
            messages(client, **options)
        assert messages(client, **options).content[0].text == "Ready"


def test_a_pause_that_no_tool_made_is_an_answer():
    """Where the request offers no tool of the server's nothing can be at work."""
    with Server([answer("", finish="pause_turn"), answer(GOOD)]) as server:
        assert messages(ticket.wrap(server.anthropic())).content[0].text == GOOD


def test_a_response_that_is_not_finished_is_refused():
    """A response still in progress holds no answer, though it was not asked for in the background."""
    with Server([answer(extra={"status": "in_progress"})]) as server, pytest.raises(ConfigError, match="not finished"):
        responses(ticket.wrap(server.openai()))


def test_a_question_that_cannot_be_guarded_is_refused():
    """No messages, or a prompt of several, is an error that says so."""
    with Server([]) as server:
        client = ticket.wrap(server.openai())
        with pytest.raises(ConfigError, match="messages= is missing"):
            client.chat.completions.create(model="m")
        with pytest.raises(ConfigError, match="prompt of one string"):
            completions(client, prompt=["a", "b"])
        with pytest.raises(ConfigError, match="Embeddings.create"):
            ticket.wrap(server.openai().embeddings.create)


def test_content_parts_go_out_unchanged():
    """Images and other parts are the caller's own affair."""
    parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "http://127.0.0.1/x"}}]
    with Server([answer(BAD), answer(GOOD)]) as server:
        chat(ticket.wrap(server.openai()), messages=[{"role": "user", "content": parts}], seed=7)
    assert [body["messages"][0]["content"] for body in server.bodies] == [parts, parts]
    assert [body["seed"] for body in server.bodies] == [7, 7]


# -- parse -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [BAD, "no json at all"])
def test_parse_is_guarded_and_its_value_is_of_the_accepted_text(first):
    """`chat.completions.parse` and its beta twin: the parsed member is of the accepted text."""
    with Server([answer(first), answer(FENCED)] * 2) as server:
        client = ticket.wrap(server.openai())
        for resource in (client.chat.completions, client.beta.chat.completions):
            response = resource.parse(model="m", messages=ASKED, response_format=Ticket)
            assert type(response).__name__.startswith("ParsedChatCompletion")
            assert response.choices[0].message.parsed == Ticket(team="billing")
            assert response.choices[0].message.content == GOOD


def test_responses_parse_is_guarded():
    """The same for `responses.parse`."""
    with Server([answer("no json"), answer(FENCED)]) as server:
        response = ticket.wrap(server.openai()).responses.parse(model="m", input="x", text_format=Ticket)
    assert response.output_parsed == Ticket(team="billing")
    assert response.output_text == GOOD


@pytest.mark.parametrize("of", [lambda c: c.messages, lambda c: c.beta.messages])
def test_anthropic_parse_is_guarded(of):
    """The same for `messages.parse` and its beta twin."""
    with Server([answer("no json"), answer(FENCED)]) as server:
        client = ticket.wrap(server.anthropic())
        response = of(client).parse(model="m", max_tokens=9, messages=ASKED, output_format=Ticket)
    assert response.parsed_output == Ticket(team="billing")
    assert text_of(response) == GOOD


def test_async_parse_is_guarded():
    """The async twins of `parse`."""

    async def ask(server: Server) -> Any:
        async with server.async_openai() as client, server.async_anthropic() as other:
            first = await ticket.wrap(client).chat.completions.parse(model="m", messages=ASKED, response_format=Ticket)
            second = await ticket.wrap(other).messages.parse(
                model="m", max_tokens=9, messages=ASKED, output_format=Ticket
            )
        return first.choices[0].message.parsed, second.parsed_output

    with Server([answer("no"), answer(GOOD), answer("no"), answer(GOOD)]) as server:
        assert asyncio.run(ask(server)) == (Ticket(team="billing"), Ticket(team="billing"))


# -- policies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "text"),
    [(Noop(), GOOD), (Fallback("sorry"), "sorry"), (Fallback({"team": "tech"}), '{"team": "tech"}'), (Refrain(), None)],
)
@pytest.mark.parametrize("method", [chat, responses, messages])
def test_what_a_policy_delivers_stands_in_the_answers_place(method, policy, text):
    """Noop leaves the text, Fallback puts its own (other values as JSON), Refrain leaves none."""
    with Server([answer(GOOD)]) as server:
        response = method(ticket.replace(guards=[never], on_fail=policy).wrap(client_of(server, method)))
    assert (text_of(response) or None) == text
    assert outcome_of(response).ok is False
    assert outcome_of(response).delivered_by == policy.name


@pytest.mark.parametrize("method", [chat, responses, messages])
def test_a_refusal_is_replaced_by_a_fallback(method):
    """A refusal is no answer either: what the fallback gives stands in the response, the refusal does not."""
    with Server([answer(refusal="I will not.")]) as server:
        response = method(ticket.replace(on_fail=Fallback(GOOD)).wrap(client_of(server, method)))
    assert text_of(response) == GOOD
    if method is chat:
        assert response.choices[0].message.refusal is None


def test_another_client_may_answer_in_its_place():
    """A fallback client's accepted answer comes back in the wrapped SDK's response."""
    with Server([answer(BAD)]) as server:
        response = chat(ticket.replace(on_fail=Fallback(client=lambda m: GOOD)).wrap(server.openai()))
    assert text_of(response) == GOOD
    assert outcome_of(response).delivered_by == "fallback"


def test_an_input_that_is_refused_makes_no_call():
    """Where an input guard refuses, there is no request and no response: `Rejected`, whatever would be delivered."""
    for policy in (Raise(), Refrain(), Fallback("x")):
        with Server([]) as server, pytest.raises(Rejected):
            chat(ticket.replace(input_guards=[never], on_fail=policy).wrap(server.openai()))
        assert server.requests == []


# -- transport and budgets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [Fault(429), Fault(500), Cut(), Raw(b'{"id": ')])
@pytest.mark.parametrize("method", [chat, responses, messages])
def test_transport_faults_are_retried_and_are_no_attempt(method, step):
    """Faults of the transport have one owner under `wrap` too."""
    with Server([step, answer(GOOD)]) as server:
        response = method(ticket.wrap(client_of(server, method)))
    assert len(outcome_of(response).attempts) == 1
    assert len(server.requests) == 2


def test_the_default_transport_works_under_wrap():
    """Without a tenacity object of the caller's, the SDK's known faults are retried, Retry-After honoured."""
    with Server([Fault(429, (("retry-after-ms", "1"),)), answer(GOOD)]) as server:
        assert text_of(chat(ticket.replace(transport="default").wrap(server.openai()))) == GOOD


def test_the_async_choices_are_guarded():
    """Several choices of the async client are judged one by one."""

    async def ask(server: Server) -> Any:
        async with ticket.wrap(server.async_openai()) as client:
            return await chat(client, n=2)

    with Server([answer(GOOD, BAD), answer(GOOD)]) as server:
        assert [c.message.content for c in asyncio.run(ask(server)).choices] == [GOOD, GOOD]


def test_the_sdks_own_retries_are_off():
    """The client's max_retries, also one set by with_options, does not multiply the tries."""
    with Server([Fault(500)] * 9) as server, pytest.raises(openai.InternalServerError):
        chat(ticket.wrap(server.openai()).with_options(max_retries=5))
    assert len(server.requests) == 4


def _created(client: Any) -> Any:
    return client.messages.create if isinstance(client, anthropic.Anthropic) else client.chat.completions.create


def _ways(client: Any) -> list[Any]:
    """Each way to ask a client with a ticket."""
    bound = {"model": "m", "max_tokens": 9}
    of = of_anthropic.messages if isinstance(client, anthropic.Anthropic) else of_openai.chat
    return [
        lambda: ticket.call(functools.partial(_created(client), **bound), ASKED),
        lambda: ticket.call(of(client, **bound), ASKED),
        lambda: _created(ticket.wrap(client))(messages=ASKED, **bound),
    ]


class OwnOpenAI(openai.OpenAI):
    def __init__(self, server: Server) -> None:
        super().__init__(**_settings(server.openai()))


class OwnAnthropic(anthropic.Anthropic):
    def __init__(self, server: Server) -> None:
        super().__init__(**_settings(server.anthropic()))


def _settings(client: Any) -> dict[str, Any]:
    return {"api_key": "k", "base_url": client.base_url, "http_client": client._client, "max_retries": 5}


@pytest.mark.parametrize("kind", [OwnOpenAI, OwnAnthropic])
@pytest.mark.parametrize("way", range(3))
def test_a_client_with_a_constructor_of_its_own(kind, way):
    """A caller's own subclass is asked, and its own retries are off all the same."""
    with Server([Fault(500), answer(GOOD)]) as server:
        _ways(kind(server))[way]()
    assert len(server.requests) == 2
    with Server([Fault(500)] * 9) as server, pytest.raises((openai.InternalServerError, anthropic.InternalServerError)):
        _ways(kind(server))[way]()
    assert len(server.requests) == 4


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
@pytest.mark.parametrize("way", range(3))
def test_a_method_replaced_on_the_client_is_called(sdk, way):
    """A tracer or a mock that stands in the place of `create` sees the call, and the network does not where it does
    not go on."""
    seen = []
    with Server([answer(GOOD)]) as server:
        client = getattr(server, sdk)()
        resource = _created(client).__self__
        original = resource.create

        def traced(**options: Any) -> Any:
            seen.append(options["messages"])
            return original(**options)

        with mock.patch.object(resource, "create", traced):
            _ways(client)[way]()
    assert seen == [ASKED]


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_a_replaced_method_that_a_guarded_parse_would_pass_over_is_refused(sdk):
    """The mock would be ignored, and the real server asked."""
    with Server([]) as server:
        client = getattr(server, sdk)()
        resource = _created(client).__self__
        with mock.patch.object(resource, "parse"), pytest.raises(ConfigError, match="parse was replaced"):
            _parsed(ticket.wrap(client), sdk)


def _parsed(client: Any, sdk: str) -> Any:
    return client.messages.parse if sdk == "anthropic" else client.chat.completions.parse


def test_a_junk_page_is_no_answer():
    """A page with status 200 never comes back as a response."""
    with Server([Raw(b"<html>", "text/html")]) as server, pytest.raises(ConfigError, match="base_url"):
        chat(Guarded(str, transport=None).wrap(server.openai()))


def test_one_budget_runs_over_a_session():
    """Calls of wrapped clients share the session's budget and record."""
    with Server([answer(GOOD)] * 3) as server:
        with ticket.replace(budget=Budget(tokens=20)).session() as session:
            client = session.wrap(server.openai())
            chat(client)
            chat(client)
            with pytest.raises(BudgetExhausted):
                chat(client)
        assert len(session.outcomes) == 3
    assert len(server.requests) == 2


# -- what is refused, and what passes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda c: chat(c, extra_body={"stream": True}), "extra_body"),
        (lambda c: chat(c, modalities=["text", "audio"]), "modalities"),
        (lambda c: chat(c, extra_body={"modalities": ["audio"]}), "modalities"),
        (lambda c: chat(c, n="2", stream=True), "one answer"),
        (lambda c: responses(c, background=True), "background=True"),
        (lambda c: responses(c, conversation="c"), "conversation="),
        (lambda c: c.chat.completions.stream(model="m", messages=ASKED), "chat.completions.stream"),
        (lambda c: c.responses.stream(model="m", input="x"), "responses.stream"),
        (lambda c: c.responses.retrieve("r1"), "responses.retrieve"),
        (lambda c: c.chat.completions.retrieve("c1"), "chat.completions.retrieve"),
        (lambda c: c.chat.completions.with_raw_response.create(), "with_raw_response"),
        (lambda c: c.with_raw_response, "with_raw_response"),
        (lambda c: c.chat.with_streaming_response, "with_streaming_response"),
        (lambda c: c.batches.create(), "batches.create"),
        (lambda c: c.beta.threads.runs.create_and_poll(), "beta.threads.runs.create_and_poll"),
        (lambda c: c.audio.transcriptions.create(), "audio.transcriptions.create"),
        (lambda c: c.realtime.connect(), "realtime.connect"),
        (lambda c: c.evals.runs.create("e"), "evals.runs.create"),
        (lambda c: c.post("/chat/completions", cast_to=object), "post"),
        (lambda c: c.with_options(timeout=3).responses.cancel("r1"), "responses.cancel"),
    ],
)
def test_what_cannot_be_guarded_is_refused_by_name(ask, words):
    """Each way to an answer that is not guarded is an error that names it, and sends nothing."""
    with Server([answer(GOOD)]) as server, pytest.raises(ConfigError, match=words):
        ask(ticket.wrap(server.openai()))
    assert server.requests == []


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda c: c.messages.stream(model="m", max_tokens=9, messages=ASKED), "messages.stream"),
        (lambda c: c.messages.batches.create(requests=[]), "messages.batches.create"),
        (lambda c: c.messages.batches.results("b"), "messages.batches.results"),
        (lambda c: c.messages.with_raw_response, "with_raw_response"),
        (lambda c: c.beta.messages.tool_runner(), "beta.messages.tool_runner"),
        (lambda c: c.beta.sessions.events.list("s"), "beta.sessions.events.list"),
        (lambda c: c.post("/v1/messages", cast_to=object), "post"),
    ],
)
def test_what_cannot_be_guarded_is_refused_by_name_for_anthropic(ask, words):
    """The same for Anthropic's client."""
    with Server([answer(GOOD)]) as server, pytest.raises(ConfigError, match=words):
        ask(ticket.wrap(server.anthropic()))
    assert server.requests == []


def test_calls_without_an_answer_pass():
    """Lists, embeddings and counting go to the SDK untouched, with its own retries."""
    with Server([answer()] * 3) as server:
        client = ticket.wrap(server.openai())
        assert [model.id for model in client.models.list()] == ["m"]
        assert client.embeddings.create(model="m", input="x").data[0].embedding == [0.5]
        assert client.base_url.host == "127.0.0.1"
        assert client.api_key == "k"
        other = ticket.wrap(server.anthropic())
        assert other.messages.count_tokens(model="m", messages=ASKED).input_tokens == 7


def _methods(target: Any, sdk: str, path: tuple[str, ...] = ()) -> Any:
    """Every public method of an SDK's client, with the resource that it stands on."""
    for name in dir(type(target)):
        if name.startswith("_") or name in ("with_raw_response", "with_streaming_response"):
            continue
        static = inspect.getattr_static(type(target), name)
        if isinstance(static, property | functools.cached_property):
            value = getattr(target, name)
            if type(value).__module__.startswith(f"{sdk}.resources"):
                yield from _methods(value, sdk, (*path, name))
        elif callable(static):
            yield target, (*path, name)


def _listed(text: str) -> list[str]:
    return text.split()


GUARDED = {
    "openai": _listed("""
        beta.chat.completions.create beta.chat.completions.parse beta.responses.create chat.completions.create
        chat.completions.parse completions.create responses.create responses.parse
    """),
    "anthropic": _listed("beta.messages.create beta.messages.parse messages.create messages.parse"),
}
ANSWERING = frozenset(
    _listed("""
        agents alpha assistants batches chat chatkit completions decisions deployments dreams evals graders items live
        messages realtime responses runs sessions threads transcriptions translations
    """)
)
"""Parts of a path under which an answer may be made or brought back."""
LOOKED_AT = _listed("""
    batches.cancel batches.list batches.retrieve beta.chat.completions.delete beta.responses.delete
    beta.responses.input_tokens.count chat.completions.delete responses.delete
    responses.input_tokens.count messages.count_tokens beta.messages.count_tokens
    messages.batches.cancel messages.batches.delete messages.batches.list messages.batches.retrieve
    evals.create evals.delete evals.list evals.retrieve evals.update
""")
"""Those under them that do neither."""


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_every_method_of_the_sdk_is_guarded_refused_or_known_to_be_harmless(sdk):
    """Walks the installed SDK: what is guarded is this list, as far as the SDK has it; nothing that may answer passes."""
    there, guarded, passing, refused = [], [], [], []
    with Server([]) as server:
        client = server.openai() if sdk == "openai" else server.anthropic()
        wrapped = ticket.wrap(client)
        for owner, path in _methods(client, sdk):
            dotted = ".".join(path)
            there.append(dotted)
            value: Any = wrapped
            try:
                for name in path:
                    value = getattr(value, name)
            except ConfigError:
                refused.append(dotted)
                continue
            if module_of(sdk).endpoint_of(type(owner).__module__, path[-1]) is not None:
                guarded.append(dotted)
            elif passes(sdk, path):
                passing.append(dotted)
            else:
                assert path[-1] in COPIES
                assert len(path) == 1
    assert sorted(guarded) == sorted(set(GUARDED[sdk]).intersection(there))
    answering = [p for p in passing if not ANSWERING.isdisjoint(p.split(".")) and p not in LOOKED_AT]
    # Those of an organisation tell of its use and its costs.
    assert [p for p in answering if not p.startswith(("admin.", "organization.", "beta.organization."))] == []
    assert not any(p.rsplit(".", 1)[-1] in ("stream", "parse", "run", "connect") for p in passing)
    assert len(refused) > 50


def test_a_copy_of_the_client_is_wrapped_again():
    """`with_options` and `copy` give no way around the guards."""
    with Server([answer(BAD)] * 2) as server:
        client = strict_once.wrap(server.openai())
        for other in (client.with_options(timeout=5), client.copy()):
            with pytest.raises(Rejected):
                chat(other)


def test_the_wrapped_client_stands_for_the_client():
    """It passes isinstance, works in a with block, tells what it is, and is not written to."""
    with Server([answer(GOOD)]) as server, ticket.wrap(server.openai()) as client:
        assert isinstance(client, openai.OpenAI)
        assert repr(client) == "<guarded OpenAI>"
        assert text_of(chat(client)) == GOOD
        with pytest.raises(AttributeError, match="on the client itself"):
            client.api_key = "other"
        with pytest.raises(AttributeError):
            client._client


@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_a_copied_client_is_guarded(sdk):
    """`copy.copy` of a wrapped client, and of a resource of it, gives no way around the guards."""
    ask = chat if sdk == "openai" else messages
    with Server([answer(BAD)]) as server:
        client = strict_once.wrap(getattr(server, sdk)())
        copied = copy.copy(client)
        assert isinstance(copied, type(getattr(server, sdk)()))
        with pytest.raises(Rejected):
            ask(copied)
        assert repr(copy.copy(client.beta)) == repr(client.beta)


@pytest.mark.parametrize("take", [copy.deepcopy, pickle.dumps, lambda c: c.__reduce__(), lambda c: c.__reduce_ex__(4)])
def test_a_wrapped_client_is_not_taken_apart(take):
    """A deep copy or a pickle is an error that says what to do, not a client without guards."""
    with Server([]) as server:
        for wrapped in (ticket.wrap(server.openai()), ticket.wrap(server.anthropic()).messages):
            with pytest.raises(
                ConfigError, match=r"a wrapped client cannot be (copied deeply|pickled); wrap the client"
            ):
                take(wrapped)


def test_nothing_of_a_wrapped_client_leads_past_the_guards():
    """Neither its attributes nor those of its methods hand out what is behind."""
    with Server([]) as server:
        wrapped = ticket.wrap(server.openai())
        for thing in (wrapped, wrapped.chat, wrapped.chat.completions):
            for name in ("_client", "_guards", "_held", "__dict__", "__wrapped__", "_Closed__held", "_target"):
                with pytest.raises(AttributeError):
                    getattr(thing, name)
            with pytest.raises(TypeError):
                vars(thing)
            assert thing.__getstate__() is None
        create = wrapped.chat.completions.create
        assert inspect.unwrap(create) is create
        assert "messages" in inspect.signature(create).parameters
        assert "self" not in inspect.signature(create).parameters


def test_a_wrapped_function_hides_the_one_that_is_not_guarded():
    """Tools that look for the function behind a wrapper find the guarded one, with its signature."""

    def llm(messages: list[Any], model: str = "m") -> str:
        return BAD

    wrapped = strict_once.wrap(llm)
    assert inspect.unwrap(wrapped) is wrapped
    assert list(inspect.signature(wrapped).parameters) == ["messages", "model"]


@pytest.mark.parametrize("thing", [None, "client", 3])
def test_what_is_no_client_is_refused(thing):
    """Something that answers nothing cannot be wrapped."""
    with pytest.raises(ConfigError, match="cannot be wrapped"):
        ticket.wrap(thing)


# -- functions ---------------------------------------------------------------------------------------------------------


def test_a_function_gives_back_what_it_gave_before():
    """A plain function wrapped: its own type of answer, with the accepted text."""
    answers = iter([BAD, FENCED])
    assert ticket.wrap(lambda messages: next(answers))(ASKED) == GOOD
    replies = iter([Reply(BAD), Reply(FENCED, usage={"input_tokens": 1})])
    assert ticket.wrap(lambda messages: next(replies))(messages=ASKED) == Reply(GOOD, usage={"input_tokens": 1})
    with pytest.raises(Rejected):
        strict_once.wrap(lambda messages: BAD)("x")


def test_a_functions_further_arguments_reach_it():
    """What the caller passes beside the question is passed on, each time."""
    seen: list[Any] = []

    def llm(prompt: str, model: str, *, temperature: float = 0.0) -> str:
        seen.append((model, temperature))
        return BAD if len(seen) == 1 else GOOD

    wrapped = ticket.wrap(llm)
    assert wrapped("x", "m", temperature=0.5) == GOOD
    assert wrapped(prompt="x", model="m") == GOOD
    assert seen == [("m", 0.5), ("m", 0.5), ("m", 0.0)]


def test_a_function_that_returns_a_dict_of_an_sdks_shape():
    """A mapping of an SDK's shape gets the accepted text too; what came is not changed."""
    came = {"choices": [{"message": {"role": "assistant", "content": FENCED}, "finish_reason": "stop"}]}
    given = ticket.wrap(lambda messages: came)(ASKED)
    assert given["choices"][0]["message"]["content"] == GOOD
    assert came["choices"][0]["message"]["content"] == FENCED
    message = {"type": "message", "content": [{"type": "text", "text": FENCED}], "stop_reason": "end_turn"}
    assert ticket.wrap(lambda messages: message)(ASKED)["content"] == [{"type": "text", "text": GOOD}]


def test_a_wrapped_function_whose_input_is_refused_is_not_called():
    """Where an input guard refuses, the function is not called."""
    guarded = ticket.replace(input_guards=[never])
    with pytest.raises(Rejected):
        guarded.wrap(lambda messages: GOOD)(ASKED)


def test_a_wrapped_function_needs_its_question():
    """Called with nothing, it says what is missing."""
    with pytest.raises(ConfigError, match="the question is missing"):
        ticket.wrap(lambda messages: GOOD)()


def test_an_async_function_is_wrapped_as_one():
    """An async function stays one."""

    async def llm(messages: Any) -> str:
        return FENCED

    wrapped = ticket.wrap(llm)
    assert inspect.iscoroutinefunction(wrapped)
    assert asyncio.run(wrapped(ASKED)) == GOOD


def test_a_function_that_returns_an_sdk_response_gives_one_back():
    """The response keeps its type, with the accepted text in it."""
    with Server([answer(BAD), answer(FENCED)]) as server:
        client = server.openai()
        response = ticket.wrap(lambda messages: chat(client, messages=messages))(ASKED)
    assert text_of(response) == GOOD
    assert outcome_of(response).ok


def test_a_method_and_its_partial_are_guarded():
    """A bound method of the SDK, or a partial of one, may be wrapped instead of the client."""
    with Server([answer(BAD), answer(GOOD)] * 2 + [Fault(500), answer(GOOD)]) as server:
        create = server.openai().chat.completions.create
        assert text_of(ticket.wrap(create)(model="m", messages=ASKED)) == GOOD
        wrapped = ticket.wrap(functools.partial(create, model="m"))
        assert text_of(wrapped(messages=ASKED)) == GOOD
        assert text_of(wrapped(messages=ASKED)) == GOOD


# -- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thing", [None, "text", {"choices": []}, object()])
def test_what_did_not_come_from_a_wrapped_client_has_no_outcome(thing):
    """`outcome_of` says so, with the way out."""
    with pytest.raises(ConfigError, match="did not come from a wrapped client"):
        outcome_of(thing)


def test_an_outcome_lives_as_long_as_its_response():
    """Nothing grows over many calls: a response that is gone takes its outcome along."""
    with Server([answer(GOOD)] * 3) as server:
        client = ticket.wrap(server.openai())
        gc.collect()
        before = len(_OUTCOMES)
        kept = chat(client)
        chat(client)
        chat(client)
        gc.collect()
        assert len(_OUTCOMES) == before + 1
        assert outcome_of(kept).ok
