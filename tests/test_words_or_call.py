"""Words, or what a call is given, where nobody knows the request: blank words beside a call are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from openai.types.chat import ChatCompletionChunk  # noqa: E402
from server import Server, tool  # noqa: E402
from test_wrap_beside import calling  # noqa: E402
from test_wrap_whose import ways  # noqa: E402

from guards import Budget, Guarded, Raise, check  # noqa: E402
from guards.clients.words_or_call import WordsOrCall, is_blank  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ServerFault  # noqa: E402

GIVEN = '{"a": 1}'
data = Guarded(dict, on_fail=Raise())
talk = Guarded(Text(), on_fail=Raise())
blanks = pytest.mark.parametrize("blank", ["", " ", "\n\n", "\t\n "])


@ways
@calling
@blanks
def test_blank_words_beside_a_call_are_none(method, way, blank):
    """Servers send a line break before a call: what the call is given is the answer all the same, of data alone."""
    body = method.body(blank, [method.call("search", GIVEN)])
    assert way(data, body).value == {"a": 1}
    assert way(talk, body).reason == "reply.tool_calls"


@calling
@blanks
def test_the_same_in_the_stream_of_an_sdk(method, blank):
    """A function that gives it: its pieces are those of the call, and so is the whole."""
    with Server([tool("search", GIVEN, blank)] * 2) as server:
        client = getattr(server, method.sdk)()

        def ask(messages: Any) -> Any:
            return method.ask(client, stream=True)

        assert data.run(ask, "Say it").value == {"a": 1}
        assert list(data.stream(ask, "Say it"))[-1].outcome.value == {"a": 1}


@calling
@blanks
def test_a_wrapped_function_gives_the_call_back(method, blank):
    """The response comes in its own type, with the call, which was judged."""
    seen: list[Any] = []

    @check
    def seer(value: Any) -> None:
        seen.append(value)

    body = method.body(blank, [method.call("search", GIVEN)])
    told = Guarded(dict, guards=[seer], on_fail=Raise()).wrap(lambda messages: body)("Say it")
    assert isinstance(told, dict)
    assert "search" in str(told)
    assert seen == [{"a": 1}]


@given(st.lists(st.text("a \n", max_size=3)))
def test_pieces_of_words_say_what_the_whole_says(pieces):
    """Whatever pieces the words come in, blank ones are a part of those that follow."""
    answer, whole = WordsOrCall(), "".join(pieces)
    assert "".join(map(answer.words, pieces)) == ("" if is_blank(whole) else whole)
    assert answer.arguments("x") == ("x" if is_blank(whole) else "")


# -- chunks that a function passes on ----------------------------------------------------------------------------------


class Number(BaseModel):
    n: int


def chunk(end: str | None = None, **delta: Any) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return ChatCompletionChunk.model_validate(body)


def passed_on(messages: Any) -> Any:
    yield chunk(content='{"n"')
    yield chunk(content=": 1}")
    yield chunk("stop")


@pytest.mark.parametrize("budget", [None, Budget(attempts=1, seconds=5)])
def test_a_function_may_pass_the_chunks_of_an_sdk_on_one_by_one(budget):
    """Called, streamed, wrapped and decorated it is read as the SDK's own stream is."""
    ticket = Guarded(Number, on_fail=Raise(), **({} if budget is None else {"budget": budget}))
    decorated: Any = ticket(lambda: passed_on(None))
    assert ticket.call(passed_on, "q") == Number(n=1)
    assert list(ticket.stream(passed_on, "q"))[-1].outcome.value == Number(n=1)
    assert ticket.wrap(passed_on)("q") == '{"n": 1}'
    assert decorated() == Number(n=1)


def test_chunks_that_merely_stop_are_no_answer():
    """Where nothing says that the answer ended it was cut off."""

    def cut(messages: Any) -> Any:
        yield chunk(content='{"n": 1')

    with pytest.raises(ServerFault, match="stream ended"):
        Guarded(Number, on_fail=Raise()).call(cut, "q")
