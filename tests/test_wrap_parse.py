"""`.parse` of a wrapped client: a value of the caller's type beside the text that the ticket delivers."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Server, answer, tool  # noqa: E402

from guards import ConfigError, Fallback, Guarded, Raise, check  # noqa: E402

ASKED = [{"role": "user", "content": "q"}]


class Number(BaseModel):
    n: int


class Full(BaseModel):
    n: int
    note: str


@check
def fine(value: Any) -> None:
    """Sees nothing wrong."""


ticket = Guarded(Number, guards=[fine], on_fail=Raise())


def by_chat(client: Any, kind: Any) -> Any:
    return client.chat.completions.parse(model="m", messages=ASKED, response_format=kind).choices[0].message.parsed


def by_responses(client: Any, kind: Any) -> Any:
    return client.responses.parse(model="m", input="q", text_format=kind).output_parsed


def by_messages(client: Any, kind: Any) -> Any:
    return client.messages.parse(model="m", max_tokens=9, messages=ASKED, output_format=kind).parsed_output


def by_beta_messages(client: Any, kind: Any) -> Any:
    return by_messages(client.beta, kind)


METHODS = [
    ("openai", by_chat),
    ("openai", by_responses),
    ("anthropic", by_messages),
    ("anthropic", by_beta_messages),
]
methods = pytest.mark.parametrize(("sdk", "parse"), METHODS, ids=[parse.__name__ for _, parse in METHODS])


@methods
def test_a_type_that_needs_what_no_guard_saw_is_a_mistake_of_the_caller_s(sdk, parse):
    """What the contract does not know is left out, and the error says which member the parsed type misses."""
    with Server([answer('{"n": 1, "note": "hi"}')]) as server:
        client = ticket.wrap(getattr(server, sdk)())
        with pytest.raises(ConfigError, match=r"no Full: /note: Field required.*ticket's own type"):
            parse(client, Full)


@methods
def test_the_ticket_s_own_type_is_parsed(sdk, parse):
    """Of the text less what the contract does not know."""
    with Server([answer('{"n": 1, "note": "hi"}')]) as server:
        assert parse(ticket.wrap(getattr(server, sdk)()), Number) == Number(n=1)


@methods
def test_a_fallback_that_is_not_of_the_type_is_a_mistake_of_the_caller_s(sdk, parse):
    """The same of what a policy delivers in the answer's place."""
    spare = Guarded(Number, guards=[fine], on_fail=Fallback("Sorry."))
    with Server([answer("no")]) as server, pytest.raises(ConfigError, match="no Number: the whole: Invalid JSON"):
        parse(spare.wrap(getattr(server, sdk)()), Number)


def test_the_same_of_the_arguments_of_a_forced_tool():
    """The type of a tool that must be called is parsed from what was judged of its arguments."""
    tools = [openai.pydantic_function_tool(Full, name="full")]
    choice = {"type": "function", "function": {"name": "full"}}
    with Server([tool("full", '{"n": 1, "note": "hi"}')]) as server:
        parse = ticket.wrap(server.openai()).chat.completions.parse
        with pytest.raises(ConfigError, match="no Full: /note: Field required"):
            parse(model="m", messages=ASKED, tools=tools, tool_choice=choice)
