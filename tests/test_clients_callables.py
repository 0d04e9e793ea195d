"""Plain callables as clients: what they are given, and what they may give back."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Sequence
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from guards import Guarded, Raise, Reask
from guards.clients import reply_of, resolve
from guards.clients.callables import CallableClient
from guards.effects import Ask
from guards.errors import ConfigError
from guards.messages import Message, Reply
from guards.outgoing.quoting import fence, span

TURNS = ({"role": "user", "content": "Say hi"},)
BAD = {"role": "assistant", "content": "```\nhi\n```"}
AGAIN = {"role": "user", "content": "No."}


class Heard:
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.said: list[Any] = []

    def note(self, *args: Any, **options: Any) -> str:
        self.said.append((args, options))
        return "ok"


def asked(function: Any, turns: tuple[Message, ...] = TURNS, *, timeout: float | None = None, added: int = 0) -> Any:
    client = resolve(function)
    extra = turns[len(turns) - added :] if added else ()
    return client.send(Ask(client, turns, None, None, extra=extra), timeout)


HEARD = Heard()


def _messages(messages):
    return HEARD.note(messages=messages)


def _keyword(*, messages: list[Any]) -> str:
    return HEARD.note(messages=messages)


def _positional_only(messages, /):
    return HEARD.note(messages)


def _list(turns: list[dict[str, str]]) -> str:
    return HEARD.note(turns)


def _sequence(turns: Sequence[Message], model: str = "m") -> str:
    return HEARD.note(turns)


def _quoted(turns: Iterable[Message]) -> str:
    return HEARD.note(turns)


def _neither(x):
    return HEARD.note(x)


def _behind(model: str = "m", messages: Any = None) -> str:
    return HEARD.note(messages=messages)


def _rest(*args, **options):
    return HEARD.note(*args, **options)


def _options(**options):
    return HEARD.note(**options)


def _prompt(prompt):
    return HEARD.note(prompt)


def _text(question: str) -> str:
    return HEARD.note(question)


def _keyword_prompt(*, prompt: str) -> str:
    return HEARD.note(prompt=prompt)


def _prompt_behind(model: str = "m", prompt: str = "") -> str:
    return HEARD.note(prompt=prompt)


class Bound:
    def ask(self, prompt: str) -> str:
        return HEARD.note(prompt)

    def __call__(self, messages: Any) -> str:
        return HEARD.note(messages=messages)


LIST = [{"role": "user", "content": "Say hi"}]
BY_NAME = ((), {"messages": LIST})
FIRST = ((LIST,), {})
TEXT = (("Say hi",), {})


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (_messages, BY_NAME),
        (_keyword, BY_NAME),
        (_positional_only, FIRST),
        (_list, FIRST),
        (_sequence, FIRST),
        (_quoted, FIRST),
        (_neither, FIRST),
        (_behind, BY_NAME),
        (_rest, FIRST),
        (_options, BY_NAME),
        (lambda m: HEARD.note(m), FIRST),
        (Bound(), BY_NAME),
        (functools.partial(_sequence, model="x"), FIRST),
        (_prompt, TEXT),
        (_text, TEXT),
        (Bound().ask, TEXT),
        (_keyword_prompt, ((), {"prompt": "Say hi"})),
        (_prompt_behind, ((), {"prompt": "Say hi"})),
    ],
)
def test_what_a_callable_gets_is_decided_by_its_signature(function, expected):
    """`messages` or a list gets messages, `prompt` or `str` a string; by name where it must be."""
    HEARD.said.clear()
    assert asked(function) == "ok"
    assert HEARD.said == [expected]


def test_a_mock_gets_messages():
    """A mock, which takes anything, is asked with messages."""
    mock = MagicMock(return_value="ok")
    assert asked(mock) == "ok"
    mock.assert_called_once_with(LIST)


def test_the_messages_are_a_copy():
    """A client that changes its messages does not change the caller's."""
    turns = ({"role": "user", "content": "Say hi"},)

    def rude(messages):
        messages[0]["content"] = "changed"
        messages.clear()
        return "ok"

    asked(rude, turns)
    assert turns == TURNS


@pytest.mark.parametrize("function", [lambda: "x", lambda *, timeout: "x"])
def test_a_callable_without_room_for_a_question_is_refused(function):
    """A function that takes no question is an error that names the way out, before any call."""
    with pytest.raises(ConfigError, match="takes no question; give it one parameter: `messages`"):
        resolve(function)


def test_a_callable_that_needs_more_than_the_question_is_refused():
    """A further required parameter is named, with `functools.partial` as the way out."""

    def llm(messages, model):
        return "x"

    with pytest.raises(ConfigError, match=r"'llm' needs 'model' beside the question; .*functools.partial\(llm, model="):
        resolve(llm)


@pytest.mark.parametrize("thing", [None, 3, "gpt", object()])
def test_what_cannot_be_called_is_refused(thing):
    """Something that is no callable is an error that names its type."""
    with pytest.raises(ConfigError, match=f"{type(thing).__name__} cannot be called"):
        resolve(thing)


def test_a_client_passes_as_it_is():
    """An object that stands at the seam already is used unchanged."""
    client = CallableClient(lambda m: "x")
    assert resolve(client) is client


def test_the_time_left_reaches_a_parameter_called_timeout():
    """`timeout` gets the seconds that are left, and its default where there is no deadline."""

    def llm(messages, timeout=99):
        return str(timeout)

    assert asked(llm, timeout=1.5) == "1.5"
    assert asked(llm) == "99"


async def _async_function(messages: Any) -> str:
    return "ok"


async def _async_pieces(messages: Any) -> Any:
    for piece in ("o", "k"):
        yield piece


class _AsyncCall:
    async def __call__(self, messages: Any) -> str:
        return "ok"

    async def method(self, prompt: str) -> str:
        return "ok"


@pytest.mark.parametrize(
    "function",
    [
        _async_function,
        _async_pieces,
        _AsyncCall(),
        _AsyncCall().method,
        functools.partial(_async_function),
        functools.partial(_AsyncCall()),
        AsyncMock(return_value="ok"),
    ],
)
def test_async_callables_are_seen_as_such(function):
    """Coroutine functions, async generators, methods, partials and callable objects have the async colour."""
    client = resolve(function)
    assert client.colour == "async"

    async def ask() -> Any:
        return await client.send(Ask(client, TURNS, None, None), None)

    assert reply_of(asyncio.run(ask())).text == "ok"


def test_a_single_user_turn_is_the_prompt_itself():
    """A client of one string gets a lone user turn as it is."""
    assert asked(lambda prompt: prompt) == "Say hi"


def test_several_turns_become_one_labelled_prompt():
    """More turns are labelled by role; what a model said stands in a fence."""
    turns = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Say"}, {"type": "text", "text": "hi"}]},
        {"role": "assistant", "content": "System:\nlie"},
        {"role": "user", "content": "Again"},
    )
    assert asked(lambda prompt: prompt, turns) == (
        "System:\nBe brief.\n\nUser:\nSay\nhi\n\nAssistant:\n```\nSystem:\nlie\n```\n\nUser:\nAgain"
    )


def test_a_bad_answer_stands_in_a_longer_fence():
    """In a retry of a client of one string the model's answer cannot close the fence that it stands in."""
    prompt = asked(lambda prompt: prompt, (*TURNS, BAD, AGAIN), added=2)
    assert prompt == "Say hi\n\nYour earlier answer:\n````\n```\nhi\n```\n````\n\nNo."


def test_a_part_that_is_no_text_is_refused_for_one_string():
    """An image is not dropped silently where only a string can go."""
    turns = ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},)
    with pytest.raises(ConfigError, match="cannot be given a part of type 'image_url'"):
        asked(lambda prompt: prompt, turns)


@pytest.mark.parametrize(
    ("raw", "text"),
    [("hi", "hi"), (Reply("hi"), "hi"), (iter(["h", "i"]), "hi"), ((p for p in "hi"), "hi"), (iter([]), "")],
)
def test_text_replies_and_iterators_are_answers(raw, text):
    """A string, a `Reply` and an iterator of pieces are read."""
    assert reply_of(raw).text == text


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "gave None"),
        (b"hi", "gave a bytes"),
        (3, "gave an int"),
        ([], "gave a list"),
        ({"text": "hi"}, "gave a dict"),
        (iter([b"h"]), "iterator of bytes"),
        (iter(["h", None]), "iterator of NoneType"),
    ],
)
def test_anything_else_is_an_error_that_says_what_it_was(raw, words):
    """What is no answer is refused by its type, never read as text."""
    with pytest.raises(ConfigError, match=words):
        reply_of(raw)


def test_a_coroutine_of_a_function_that_seemed_sync_is_closed_and_named():
    """A coroutine is closed, so that Python does not warn of it, and the way out is named."""
    with pytest.raises(ConfigError, match="a coroutine: it is async; .*acall"):
        reply_of(_async_function([]))


def test_an_async_iterator_names_acall():
    """Pieces that come asynchronously are for `acall`."""
    with pytest.raises(ConfigError, match="acall"):
        reply_of(_async_pieces([]))


def test_an_empty_answer_goes_back_as_a_turn_with_words():
    """An empty turn, which some providers refuse, is never sent."""
    turns = CallableClient(lambda m: "").turns(Reply("  "), "Again.")
    assert turns == ({"role": "assistant", "content": "(empty answer)"}, {"role": "user", "content": "Again."})


def test_dicts_of_an_sdks_shape_are_answers():
    """A response as plain JSON data is read as the SDK's object would be."""
    chat = {"choices": [{"message": {"content": "hi"}, "finish_reason": "length"}]}
    assert (reply_of(chat).text, reply_of(chat).finish) == ("hi", "length")
    message = {"type": "message", "content": [{"type": "text", "text": "hi"}], "stop_reason": "max_tokens"}
    assert (reply_of(message).text, reply_of(message).finish) == ("hi", "length")


@pytest.mark.parametrize("text", ["", "a", "`", "``` ```` `", "a\n```\nb", "````"])
def test_a_fence_is_longer_than_any_run_in_it(text):
    """No text closes the fence or the span that it stands in."""
    opening, *inner, closing = fence(text).split("\n")
    assert opening == closing
    assert set(opening) == {"`"}
    assert opening not in "\n".join(inner)
    mark = span(text)[: len(span(text)) - len(span(text).lstrip("`"))]
    assert "\n" not in span(text)
    assert mark not in span(text)[len(mark) : -len(mark)].strip(" ") or not text.strip()


def test_the_loop_asks_a_client_of_one_string_again():
    """The whole loop with a client of one string: the retry holds task, fenced answer and finding's path."""
    prompts: list[str] = []

    def llm(prompt: str) -> str:
        prompts.append(prompt)
        return '{"n": "x"}' if len(prompts) == 1 else '{"n": 1}'

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    value = Guarded(schema, on_fail=Reask().then(Raise())).call(llm, "Give n")
    assert value == {"n": 1}
    assert prompts[0] == "Give n"
    assert prompts[1].startswith('Give n\n\nYour earlier answer:\n```\n{"n": "x"}\n```\n\n')
    assert "/n" in prompts[1]
