"""LiteLLM's adapter without the package: a stand-in of the module, with responses in plain data of its shape."""

from __future__ import annotations

import asyncio
import functools
import sys
import types
from typing import Any

import pytest

from guards import Guarded, Raise, Reask, Rejected
from guards.clients import litellm as clients
from guards.clients import reply_of, resolve
from guards.errors import ConfigError

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
ticket = Guarded(SCHEMA, on_fail=Reask(times=2).then(Raise()))
ASKED = [{"role": "user", "content": "Give n"}]


class ModelResponse(dict):
    """A response of the stand-in: a mapping that hides a cost, as LiteLLM's objects do."""

    __module__ = "litellm.types.utils"

    def __init__(self, *texts: str) -> None:
        choices = [{"message": {"role": "assistant", "content": t}, "finish_reason": "stop"} for t in texts]
        super().__init__(choices=choices, usage={"prompt_tokens": 3, "completion_tokens": 4})
        self._hidden_params = {"response_cost": 0.5}


class CustomStreamWrapper:
    __module__ = "litellm.utils"
    choices = None


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = types.ModuleType("litellm")
    module.answers = []
    module.asked = []

    def completion(model: str, messages: list[Any], **options: Any) -> Any:
        module.asked.append({"model": model, "messages": messages, **options})
        return ModelResponse(*module.answers.pop(0))

    async def acompletion(model: str, messages: list[Any], **options: Any) -> Any:
        return completion(model, messages, **options)

    def embedding(model: str, text: str) -> str:
        return "vector"

    def text_completion(prompt: str) -> str:
        return "slipped"

    class RateLimitError(Exception):
        pass

    class Router:
        pass

    for thing in (completion, acompletion, embedding, text_completion, RateLimitError, Router):
        thing.__module__ = "litellm.main"
        setattr(module, thing.__name__, thing)
    module.main = types.ModuleType("litellm.main")
    monkeypatch.setitem(sys.modules, "litellm", module)
    return module


def test_a_wrong_answer_is_asked_for_again(litellm):
    """The whole loop, with usage and the cost that LiteLLM reckons; its own retries are off."""
    litellm.answers[:] = [["no"], ['{"n": 1}']]
    outcome = ticket.run(functools.partial(litellm.completion, model="m"), ASKED)
    assert outcome.value == {"n": 1}
    assert outcome.usage.to_dict() == {"input_tokens": 6, "output_tokens": 8, "cost": 1.0}
    assert litellm.asked[0]["num_retries"] == litellm.asked[0]["max_retries"] == 0


def test_the_builder_asks_in_a_mode(litellm):
    """`completion(...)` sends the mode's options; `asynchronous` takes the async twin."""
    litellm.answers[:] = [['{"n": 1}']] * 2
    assert ticket.call(clients.completion(model="m", mode="json"), ASKED) == {"n": 1}
    assert litellm.asked[0]["response_format"] == {"type": "json_object"}
    asked = clients.completion(model="m", asynchronous=True)
    assert asked.colour == "async"
    assert asyncio.run(ticket.acall(asked, ASKED)) == {"n": 1}


def test_the_wrapped_module_and_function_guard_their_answers(litellm):
    """Each choice is judged; the accepted text stands in the response."""
    litellm.answers[:] = [["no"], ['Here: {"n": 1}'], ['{"n": 2}'], ['{"n": 3}', "no"]]
    wrapped = ticket.wrap(litellm)
    assert wrapped.completion(model="m", messages=ASKED)["choices"][0]["message"]["content"] == '{"n": 1}'
    response = ticket.wrap(litellm.completion)("m", ASKED)
    assert response["choices"][0]["message"]["content"] == '{"n": 2}'
    with pytest.raises(Rejected):
        ticket.replace(on_fail=Raise()).wrap(litellm).completion(model="m", messages=ASKED)


@pytest.mark.parametrize("name", ["text_completion", "Router", "main"])
def test_other_ways_to_an_answer_are_refused_by_name(litellm, name):
    """Functions, classes and modules that may answer are refused."""
    with pytest.raises(ConfigError, match=f"litellm.{name}"):
        getattr(ticket.wrap(litellm), name)
    with pytest.raises(AttributeError):
        ticket.wrap(litellm)._private


def test_what_makes_no_answer_passes(litellm):
    """Data, exceptions and embeddings are as before; the wrapped module is not written to."""
    wrapped = ticket.wrap(litellm)
    assert wrapped.embedding("m", "x") == "vector"
    assert wrapped.RateLimitError is litellm.RateLimitError
    with pytest.raises(AttributeError, match="on litellm itself"):
        wrapped.asked = []


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda m: m, "the module litellm cannot be called"),
        (lambda m: m.embedding, "litellm.embedding cannot be guarded"),
        (lambda m: functools.partial(m.completion, stream=True), "stream=True"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(litellm, of, words):
    """The module, a function without an answer, and streaming are errors."""
    with pytest.raises(ConfigError, match=words):
        resolve(of(litellm))
    if "embedding" in words:
        with pytest.raises(ConfigError, match="litellm.embedding"):
            ticket.wrap(litellm.embedding)


def test_a_callable_object_of_the_packages_is_asked_by_its_signature():
    """Something of LiteLLM's that is neither of the two functions is a callable as any other."""

    class Handler:
        __module__ = "litellm.llms"

        def __call__(self, messages: Any) -> str:
            return '{"n": 1}'

    assert ticket.call(Handler(), ASKED) == {"n": 1}


def test_responses_are_read_wherever_an_answer_is_taken():
    """A response is read; several answers and a stream are refused."""
    assert (reply_of(_object("x")).text, reply_of(_object("x")).usage["cost"]) == ("x", 0.5)
    with pytest.raises(ConfigError, match="holds 2 answers"):
        reply_of(_object("x", "y"))
    with pytest.raises(ConfigError, match="without stream=True"):
        reply_of(CustomStreamWrapper())


class _Object(types.SimpleNamespace):
    """A response with members instead of keys, copied as pydantic's models are."""

    __module__ = "litellm.types.utils"

    def model_copy(self, *, update: dict[str, Any]) -> _Object:
        return _Object(**{**vars(self), **update})


def _object(*texts: str) -> Any:
    return _Object(**ModelResponse(*texts), _hidden_params={"response_cost": 0.5})
