"""Input guards of a wrapped client: whatever of a request goes to the model is judged, or refused by name."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Server, answer, tool  # noqa: E402

from guards import Fallback, Fix, Guarded, GuardsError, Raise, Reask, Reflect, Rejected, check, outcome_of  # noqa: E402
from guards.checks import Pattern  # noqa: E402
from guards.clients.litellm import LiteChat  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ConfigError  # noqa: E402

ASKED = [{"role": "user", "content": "hi"}]
MARK = "EVIL"
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def chat(client: Any, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "m", "messages": ASKED, **options})


def responses(client: Any, **options: Any) -> Any:
    return client.responses.create(**{"model": "m", "input": "hi", **options})


def completions(client: Any, **options: Any) -> Any:
    return client.completions.create(**{"model": "m", "prompt": "hi", **options})


def messages(client: Any, **options: Any) -> Any:
    return client.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, **options})


def beta_messages(client: Any, **options: Any) -> Any:
    return client.beta.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, **options})


def sdk(server: Server, method: Any) -> Any:
    return server.anthropic() if method in (messages, beta_messages) else server.openai()


def judged(method: Any, *, roles: Any = "user", unreadable: Any = "refuse", **options: Any) -> tuple[list[str], Any]:
    """What a guard saw of a call, and the request that came, or why none did."""
    seen: list[str] = []
    look = check(roles=roles, unreadable=unreadable)(lambda text: seen.append(text))
    with Server([answer("ok")]) as server:
        client = Guarded(Text(), input_guards=[look]).wrap(sdk(server, method))
        try:
            method(client, **options)
        except Rejected as refused:
            assert server.bodies == []
            return seen, [finding.message for finding in refused.outcome.findings]
        return seen, server.bodies[0]


# -- options -----------------------------------------------------------------------------------------------------------

THE_USER_S = [
    (completions, {"suffix": MARK}),
    (completions, {"extra_body": {"prompt": MARK}}),
    (chat, {"prediction": {"type": "content", "content": MARK}}),
    (chat, {"prediction": {"type": "content", "content": [{"type": "text", "text": MARK}]}}),
    (chat, {"extra_body": {"messages": [{"role": "user", "content": MARK}]}}),
    (chat, {"extra_body": {"documents": [{"text": MARK}]}}),
    (chat, {"extra_body": {MARK: 1, "deep": {MARK: 1}}}),
    (responses, {"prompt": {"id": "pmpt_1", "variables": {"mail": MARK}}}),
    (responses, {"prompt": {"id": "pmpt_1", "variables": {"mail": {"type": "input_text", "text": MARK}}}}),
    (responses, {"extra_body": {"prompt": {"id": "pmpt_1", "variables": {"mail": MARK}}}}),
    (responses, {"extra_body": {"input": MARK}}),
    (responses, {"input": [{"type": "function_call_output", "call_id": "call_1", "output": MARK}]}),
    (messages, {"extra_body": {"messages": [{"role": "USER", "content": MARK}]}}),
    (messages, {"extra_body": {"of_tomorrow": [MARK]}}),
    (beta_messages, {"messages": [{"role": "user", "content": [{"type": "search_result", "title": MARK}]}]}),
]


@pytest.mark.parametrize(("method", "options"), THE_USER_S)
def test_options_that_carry_the_user_s_text_are_judged(method, options):
    """Not the messages alone: prompt variables, a suffix, a prediction, the body's extra members."""
    seen, body = judged(method, **options)
    assert isinstance(body, dict)
    assert MARK in json.dumps(body)
    assert any(MARK in text for text in seen)
    if not any(key in str(options) for key in (f"{MARK}'", "messages")):
        return
    refuses = Guarded(Text(), input_guards=[Pattern(MARK, forbid=True)], on_fail=Raise())
    with Server([answer("ok")]) as server, pytest.raises(Rejected):
        method(refuses.wrap(sdk(server, method)), **options)


THE_DEVELOPER_S = [
    (chat, {"tools": [{"type": "function", "function": {"name": "f", "description": MARK, "parameters": {}}}]}),
    (chat, {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"title": MARK}}}}),
    (chat, {"stop": [MARK]}),
    (chat, {"messages": [{"role": "developer", "content": MARK}, *ASKED]}),
    (completions, {"stop": MARK}),
    (responses, {"instructions": MARK}),
    (responses, {"extra_body": {"instructions": MARK}}),
    (responses, {"tools": [{"type": "function", "name": "f", "description": MARK}]}),
    (responses, {"text": {"format": {"type": "json_schema", "name": MARK, "schema": {}}}}),
    (messages, {"system": MARK}),
    (messages, {"system": [{"type": "text", "text": MARK}]}),
    (messages, {"tools": [{"name": "f", "input_schema": {"description": MARK}}]}),
    (messages, {"stop_sequences": [MARK]}),
]


@pytest.mark.parametrize(("method", "options"), THE_DEVELOPER_S)
def test_the_developer_s_options_are_judged_where_their_role_is_named(method, options):
    """Instructions, tools and schemas are no words of the user's; a guard of their role, or of all, judges them."""
    seen, body = judged(method, **options)
    assert (seen, MARK in json.dumps(body)) == (["hi"], True)
    for roles in ("system", "developer", "all"):
        seen, _ = judged(method, roles=roles, **options)
        assert any(MARK in text for text in seen)


@pytest.mark.parametrize("method", [chat, responses, completions])
def test_settings_are_no_text(method):
    """What tells the server how to work, and gives the model no words, is not judged."""
    given = {"user": MARK, "temperature": 0, "extra_headers": {"x": MARK}, "timeout": 9.0}
    if method is not completions:
        given |= {"metadata": {"k": MARK}, "safety_identifier": MARK, "prompt_cache_key": MARK}
    assert judged(method, roles="all", **given)[0] == ["hi"]


KEPT = [
    (
        responses,
        {"previous_response_id": "resp_1"},
        "option 'previous_response_id' (a conversation kept by the server)",
    ),
    (
        responses,
        {"prompt": {"id": "pmpt_1", "variables": {"x": {"type": "input_image", "file_id": "file_1"}}}},
        "option 'prompt'.variables.x (input_image)",
    ),
    (responses, {"input": [{"type": "item_reference", "id": "msg_1"}]}, "messages[0] (item_reference)"),
    (responses, {"input": [{"id": "msg_1"}]}, "messages[0] (item_reference)"),
    (responses, {"extra_body": {"input": [{"id": "msg_1"}]}}, "option 'extra_body'.input[0] (item_reference)"),
    (messages, {"container": "container_1"}, "option 'container' (a container kept by the server)"),
    pytest.param(
        beta_messages,
        {"thread": {"type": "continue", "previous_message_id": "msg_1"}},
        "option 'thread' (a conversation kept by the server)",
        marks=pytest.mark.skipif(
            "thread" not in inspect.signature(anthropic.resources.beta.messages.Messages.create).parameters,
            reason="this SDK knows no threads",
        ),
    ),
    (chat, {"messages": [{"role": "user", "content": [PICTURE]}]}, "messages[0].content[0] (image_url)"),
    (chat, {"extra_body": {"messages": [{"role": "user", "content": [PICTURE]}]}}, "option 'extra_body'.messages[0]"),
    (chat, {"extra_body": {"image": "AA=="}}, "option 'extra_body'.image (str)"),
]


@pytest.mark.parametrize(("method", "options", "place"), KEPT)
def test_what_the_server_keeps_and_what_is_no_text_is_refused_by_name(method, options, place):
    """What the model is given from elsewhere is no more read than an image is; a guard may pass it, by name."""
    seen, why = judged(method, **options)
    assert seen == []
    assert len(why) == 1
    assert why[0].startswith(place)
    _, body = judged(method, unreadable="pass", **options)
    assert isinstance(body, dict)


def test_a_stored_prompt_is_the_developer_s():
    """The template of a prompt object is refused by a guard of the developer's words alone."""
    options = {"prompt": {"id": "pmpt_1", "version": "2"}}
    assert judged(responses, **options)[0] == ["hi"]
    assert judged(responses, roles="all", **options)[1][0].startswith(
        "option 'prompt'.id (a prompt kept by the server)"
    )


def test_the_type_of_a_parse_is_read_as_its_schema():
    """What `.parse` tells the model of a type is the developer's text."""

    class Told(BaseModel):
        """EVIL"""

        n: int

    seen: list[str] = []
    look = check(roles="all")(lambda text: seen.append(text))
    with Server([answer('{"n": 1}')]) as server:
        client = Guarded(Told, input_guards=[look]).wrap(server.openai())
        client.chat.completions.parse(model="m", messages=ASKED, response_format=Told)
    assert MARK in seen[0]


def test_a_prompt_of_tokens_is_refused():
    """A prompt that is no one string cannot be guarded, in extra_body either."""
    for options in ({"prompt": [1, 2]}, {"extra_body": {"prompt": [1, 2]}}):
        with Server([]) as server, pytest.raises(ConfigError):
            completions(Guarded(Text()).wrap(server.openai()), **options)


def test_options_of_a_client_in_a_partial_are_judged_too():
    """An SDK's method that is handed to a call: its bound options go to the model as those of a wrapped call do."""
    refuses = Guarded(Text(), input_guards=[Pattern(MARK, forbid=True)], on_fail=Raise())
    with Server([]) as server:
        create = functools.partial(server.openai().completions.create, model="m", suffix=MARK)
        assert refuses.run(create, "hi").reason == "input.refused"


def _refuses(text: str) -> str | None:
    return "no" if text == "bad" else None


PREDICTED = {"prediction": {"type": "content", "content": MARK}}


@pytest.mark.parametrize("policy", ["fallback", "reflect"])
def test_options_of_a_policy_s_client_are_judged_before_it_is_asked(policy):
    """A fallback's client, or one that reflects, sends its own options; where an input guard refuses them it is not
    asked, and nothing else is sent."""
    with Server([answer("bad"), answer("fine"), answer("fine")]) as server:
        create = server.openai().chat.completions.create
        other = functools.partial(create, model="m", **PREDICTED)
        on_fail = Fallback(client=other) if policy == "fallback" else Reflect(mode="separate", client=other)
        ticket = Guarded(
            Text(), guards=[check(_refuses)], input_guards=[Pattern(MARK, forbid=True)], on_fail=on_fail.then(Raise())
        )
        outcome = ticket.run(functools.partial(create, model="m"), "hi")
        assert (outcome.reason, len(server.bodies), len(outcome.attempts)) == ("input.refused", 1, 1)
        assert [finding.path for finding in outcome.findings] == [""]


def test_a_fix_in_a_fallback_s_options_goes_out():
    """What a guard proposes for an option of the other client stands in what that is sent, and on record."""
    with Server([answer("bad"), answer("fine")]) as server:
        create = server.openai().chat.completions.create
        other = functools.partial(create, model="n", prediction={"type": "content", "content": "1234 5678"})
        ticket = Guarded(Text(), guards=[check(_refuses)], input_guards=[CARD], on_fail=Fallback(client=other))
        outcome = ticket.run(functools.partial(create, model="m"), "hi")
        assert (outcome.value, outcome.delivered_by) == ("fine", "fallback")
        assert server.bodies[1]["prediction"]["content"] == "[card]"
        assert [repair.path for repair in outcome.repairs] == ["/prediction/content"]
        assert [len(attempt.repairs) for attempt in outcome.attempts] == [0, 1]


def test_a_fallback_that_sends_nothing_of_its_own_is_not_judged_again():
    """Its turns are those that were judged: the guards run once, and again only over what is new to them."""
    seen: list[str] = []
    look = check(lambda text: seen.append(text))
    with Server([answer("bad"), answer("fine")] * 2) as server:
        create = server.openai().chat.completions.create
        for options in ({"temperature": 0}, {"stop": [MARK]}):  # the developer's words are not this guard's
            other = functools.partial(create, model="n", **options)
            ticket = Guarded(Text(), guards=[check(_refuses)], input_guards=[look], on_fail=Fallback(client=other))
            assert ticket.run(functools.partial(create, model="m"), "hi").value == "fine"
    assert seen == ["hi", "hi"]


def test_an_sdk_s_own_objects_are_read():
    """A response that is sent back as it came, with a tool's result behind it."""
    seen: list[str] = []
    offered = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    look = check(roles="all")(lambda text: seen.append(text))
    with Server([tool("look", '{"x": "A"}'), answer("ok")]) as server:
        client = Guarded(Text(), input_guards=[look]).wrap(server.openai())
        turns: list[Any] = list(ASKED)
        message = chat(client, messages=turns, tools=offered).choices[0].message
        turns += [message, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": MARK}]
        chat(client, messages=turns, tools=offered)
    assert seen[-1].split("\n")[:4] == ["hi", '{"x": "A"}', "look", MARK]


def test_turns_that_come_as_an_iterator_are_sent():
    """An iterator of turns is read once, judged, and sent whole."""
    seen, body = judged(chat, messages=iter(ASKED))
    assert (seen, body["messages"]) == (["hi"], ASKED)


def test_further_answers_are_asked_for_in_the_same_words():
    """With several answers the question is fixed once, and a repeated one is the fixed one."""
    guarded = Guarded({"type": "object"}, input_guards=[CARD], on_fail=Reask().then(Raise()))
    with Server([answer("{}", "no"), answer("{}")]) as server:
        chat(guarded.wrap(server.openai()), messages=[{"role": "user", "content": "1234 5678"}], n=2)
    assert [body["messages"][0]["content"] for body in server.bodies] == ["[card]", "[card]"]


def test_litellm_s_options():
    """LiteLLM: variables and calls of their own are the user's, its many settings no text."""
    given = {
        "prompt_id": "p",
        "prompt_variables": {"x": "A"},
        "fallbacks": ["gpt", {"model": "m", "messages": [{"role": "user", "content": "B"}]}],
        "api_key": "k",
        "client": object(),
        "metadata": {"k": "v"},
        "system": "S",
    }
    assert [(one.path, one.role) for one in LiteChat().beside(given)] == [
        (("prompt_id",), "system"),
        (("prompt_variables",), "user"),
        (("fallbacks", 1), "user"),
        (("system",), "system"),
    ]


# -- functions ---------------------------------------------------------------------------------------------------------


def test_a_wrapped_function_s_other_arguments_are_judged_and_fixed():
    """What goes along with the question of a wrapped function, by position or by name."""
    given: list[Any] = []

    def ask(messages, doc, *, note=""):
        given.append((messages[-1]["content"], doc, note))
        return "ok"

    wrapped = Guarded(Text(), input_guards=[CARD]).wrap(ask)
    assert wrapped(ASKED, "1234 5678", note="1234 5678") == "ok"
    assert wrapped(messages="1234 5678", doc=["1234 5678"]) == "ok"
    assert given == [("hi", "[card]", "[card]"), ("[card]", ["[card]"], "")]
    with pytest.raises(Rejected, match="argument 'note'"):
        wrapped(ASKED, "x", note=object())


# -- fixes -------------------------------------------------------------------------------------------------------------

CARD = Pattern(r"\d{4} \d{4}", forbid=True, replace="[card]", on_fail=Fix())
FIXES = Guarded(Text(), input_guards=[CARD])


def fixed(method: Any, **options: Any) -> tuple[dict[str, Any], Any]:
    """The request that came, and the outcome."""
    with Server([answer("ok")]) as server:
        response = method(FIXES.wrap(sdk(server, method)), **options)
        return server.bodies[0], outcome_of(response)


@pytest.mark.parametrize(
    ("method", "options", "path"),
    [
        (chat, {"messages": [{"role": "user", "content": "1234 5678"}]}, "/messages/0/content"),
        (
            chat,
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "1234 5678"}]}]},
            "/messages/0/content/0/text",
        ),
        (responses, {"input": "1234 5678"}, "/messages/0/content"),
        (responses, {"input": [{"role": "user", "content": "1234 5678"}]}, "/messages/0/content"),
        (
            responses,
            {"input": [{"type": "function_call_output", "call_id": "call_1", "output": "1234 5678"}]},
            "/messages/0/output",
        ),
        (responses, {"prompt": {"id": "p", "variables": {"x": "1234 5678"}}}, "/prompt/variables/x"),
        (completions, {"prompt": "1234 5678"}, "/messages/0/content"),
        (completions, {"suffix": "1234 5678"}, "/suffix"),
        (chat, {"extra_body": {"docs": ["1234 5678"]}}, "/extra_body/docs/0"),
        (messages, {"messages": [{"role": "user", "content": "1234 5678"}]}, "/messages/0/content"),
        (
            messages,
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "1234 5678"}]}]},
            "/messages/0/content/0/content",
        ),
    ],
)
def test_a_fix_goes_out_in_the_caller_s_own_form(method, options, path):
    """The request differs from the caller's in the text that was fixed, and in nothing else."""
    unguarded, _ = fixed(method, **json.loads(json.dumps(options).replace("1234 5678", "[card]")))
    body, outcome = fixed(method, **options)
    assert body == unguarded
    assert [(repair.code, repair.path) for repair in outcome.repairs] == [("policy.fix", path)]


def test_a_fix_in_a_stream_and_in_async():
    """The same for a streamed answer, and for the async client."""
    with Server([answer("ok")]) as server:
        list(chat(FIXES.wrap(server.openai()), messages=[{"role": "user", "content": "1234 5678"}], stream=True))
        assert server.bodies[0]["messages"] == [{"role": "user", "content": "[card]"}]

    async def ask(server: Server) -> Any:
        async with FIXES.wrap(server.async_anthropic()) as client:
            return await messages(client, messages=[{"role": "user", "content": "1234 5678"}])

    with Server([answer("ok")]) as server:
        asyncio.run(ask(server))
        assert server.bodies[0]["messages"] == [{"role": "user", "content": "[card]"}]


def test_a_retry_repeats_the_fixed_question():
    """What is asked again is what was sent, and not what was found."""
    guarded = Guarded({"type": "object"}, input_guards=[CARD])
    with Server([answer("no"), answer("{}")]) as server, guarded.session() as session:
        responses(session.wrap(server.openai()), input="1234 5678")
    assert server.bodies[1]["input"][0] == {"role": "user", "content": "[card]"}
    assert session.outcomes[0].attempts[1].messages[0]["content"] == "[card]"


# -- the promise -------------------------------------------------------------------------------------------------------


def strings(value: Any) -> Iterator[str]:
    """Every string in a request's body: the slow way, knowing nothing of what means what."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


words = st.sampled_from(["a", "b c", "plain words", "", MARK, f"x {MARK} y"])
roles = st.sampled_from(["user", "User", "USER", " user", "system", "Developer", "assistant", "tool", "x", "", None])
plain = st.recursive(words | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2), max_leaves=4)  # fmt: skip
text_parts = st.builds(lambda kind, text: {"type": kind, "text": text}, st.sampled_from(["text", "input_text"]), words)
chat_parts = st.one_of(
    text_parts,
    words,
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url, "detail": "low"}}, words),
    st.builds(lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}, words),
    st.builds(lambda name, data: {"type": "file", "file": {"filename": name, "file_data": data}}, words, words),
    st.builds(lambda text: {"type": "refusal", "refusal": text}, words),
    st.builds(lambda inner: {"type": "of-tomorrow", "inner": inner}, plain),
    st.builds(lambda kind: {"type": kind, "text": "x"}, words),
)
sources = st.one_of(
    st.builds(lambda data: {"type": "text", "media_type": "text/plain", "data": data}, words),
    st.builds(lambda data: {"type": "base64", "media_type": "application/pdf", "data": data}, words),
    st.builds(lambda url: {"type": "url", "url": url}, words),
    st.builds(lambda name: {"type": "file", "file_id": name}, words),
    st.builds(lambda content: {"type": "content", "content": content}, words | st.lists(text_parts, max_size=2)),
)
claude_parts = st.recursive(
    st.one_of(
        text_parts,
        st.builds(lambda source: {"type": "image", "source": source}, sources),
        st.builds(lambda s, t, c: {"type": "document", "source": s, "title": t, "context": c}, sources, words, words),
        st.builds(lambda t, c: {"type": "search_result", "source": "s", "title": t, "content": [c]}, words, text_parts),
        st.builds(lambda name: {"type": "container_upload", "file_id": name}, words),
        st.builds(lambda given: {"type": "tool_use", "id": "toolu_1", "name": "f", "input": given}, plain),
        st.builds(lambda text, data: {"type": "thinking", "thinking": text, "signature": data}, words, words),
    ),
    lambda inner: st.builds(
        lambda kind, content: {"type": kind, "tool_use_id": "toolu_1", "content": content},
        st.sampled_from(["tool_result", "mcp_tool_result"]),
        words | st.lists(inner, max_size=2),
    ),
    max_leaves=4,
)
calls = st.builds(
    lambda text: {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": text}}, words
)


def turns(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    content = st.one_of(words, st.none(), st.lists(parts, max_size=3), parts)
    turn = st.fixed_dictionaries({"content": content}, optional={"role": roles, "name": words, "extra": plain})
    return st.lists(turn, min_size=1, max_size=3)


items = st.one_of(
    st.builds(lambda text: {"type": "function_call_output", "call_id": "call_1", "output": text}, words),
    st.builds(
        lambda parts: {"type": "function_call_output", "call_id": "call_1", "output": parts},
        st.lists(chat_parts, max_size=2),
    ),  # fmt: skip
    st.builds(lambda text: {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": text}, words),
    st.builds(lambda text: {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}, words),
    st.builds(lambda text: {"type": "mcp_call", "name": text, "output": text}, words),
    st.builds(lambda name: {"type": "item_reference", "id": name}, words),
    st.builds(lambda data: {"type": "compaction", "encrypted_content": data}, words),
    st.builds(lambda out: {"type": "shell_call_output", "output": [{"stdout": out}]}, words),
    st.builds(lambda kind, inner: {"type": kind, "inner": inner}, words, plain),
)
extra = st.fixed_dictionaries({}, optional={"extra_body": st.dictionaries(words, plain, max_size=2)})
requests = st.one_of(
    st.tuples(
        st.just(chat),
        st.fixed_dictionaries(
            {"messages": turns(chat_parts).map(list)},
            optional={
                "prediction": st.builds(lambda text: {"type": "content", "content": text}, words),
                "tools": st.builds(
                    lambda text: [{"type": "function", "function": {"name": "f", "description": text}}], words
                ),  # fmt: skip
                "stop": words,
            },
        ),
        extra,
    ),
    st.tuples(
        st.just(responses),
        st.fixed_dictionaries(
            {"input": st.one_of(words, turns(chat_parts), st.lists(items, min_size=1, max_size=2))},
            optional={
                "instructions": words,
                "prompt": st.builds(
                    lambda text, part: {"id": "p", "variables": {"x": text, "y": part}}, words, chat_parts
                ),
                "previous_response_id": words,
            },
        ),
        extra,
    ),
    st.tuples(st.just(completions), st.fixed_dictionaries({"prompt": words}, optional={"suffix": words}), extra),
    st.tuples(
        st.just(messages),
        st.fixed_dictionaries(
            {"messages": turns(claude_parts)},
            optional={"system": words | st.lists(text_parts, max_size=2), "container": words},
        ),
        extra,
    ),
)


@given(requests)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_whatever_reaches_the_model_was_seen_or_nothing_was_sent(request_):
    """A guard of all roles saw a marked text that stands anywhere in the request which the server got; else no request
    came, and the refusal names what could not be read."""
    method, options, more = request_
    seen: list[str] = []
    look = check(roles="all")(lambda text: seen.append(text))
    server = _SERVER()
    before = len(server.bodies)
    try:
        method(Guarded(Text(), input_guards=[look], on_fail=Raise()).wrap(sdk(server, method)), **options, **more)
    except Rejected as refused:
        assert {finding.code for finding in refused.outcome.findings} == {"input.unreadable"}
        assert len(server.bodies) == before
    except (GuardsError, TypeError):  # a question that the method, or the library, does not take
        assert len(server.bodies) == before
    else:
        found = {text for text in strings(server.bodies[before]) if MARK in text}
        assert all(any(text in view for view in seen) for text in found)


@functools.cache
def _SERVER() -> Server:
    class Endless(Server):
        def next(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
            super().next(path, body, headers)
            return answer("ok")

    return Endless([]).__enter__()


# -- questions that are kept on the server, and the end user's data ------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": openai.omit}], ids=["left out", "None", "omit"])
def test_a_stored_prompt_needs_no_input(given):
    """Beside `prompt=` the question may be missing: its variables are judged, and no `input` goes out."""
    seen: list[str] = []
    look = check(unreadable="pass")(lambda text: seen.append(text))
    with Server([answer("ok"), answer("ok")]) as server:
        client = Guarded(Text(), input_guards=[look]).wrap(server.openai())
        said = client.responses.create(model="m", prompt={"id": "pmpt_1", "variables": {"mail": MARK}}, **given)
        assert said.output_text == "ok"
        assert any(MARK in text for text in seen)
        assert "input" not in server.bodies[0]


def test_a_stored_prompt_without_input_is_asked_again_with_the_reasons():
    """An answer that was refused is followed by its turns alone, beside the same prompt."""
    ticket = Guarded(Text(), guards=[Pattern("bad", forbid=True)], on_fail=Reask())
    with Server([answer("bad"), answer("ok")]) as server:
        said = ticket.wrap(server.openai()).responses.create(model="m", prompt={"id": "pmpt_1"})
        assert said.output_text == "ok"
        assert [turn["role"] for turn in server.bodies[1]["input"]] == ["assistant", "user"]


@pytest.mark.parametrize("given", [{}, {"input": None}, {"input": openai.omit}])
def test_no_question_at_all_is_said(given):
    """Without a prompt there is nothing to ask."""
    with Server([]) as server, pytest.raises(ConfigError, match="input= is missing"):
        Guarded(Text()).wrap(server.openai()).responses.create(model="m", **given)


PLACE = {"type": "approximate", "city": MARK}
WHERE_THE_USER_IS = [
    (chat, {"web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": MARK}}}}),
    (responses, {"tools": [{"type": "web_search", "user_location": PLACE}]}),
    (messages, {"tools": [{"type": "web_search_20250305", "name": "web_search", "user_location": PLACE}]}),
    (chat, {"extra_body": {"web_search_options": {"user_location": PLACE}}}),
]


@pytest.mark.parametrize(("method", "options"), WHERE_THE_USER_IS)
def test_where_the_user_is_is_the_users(method, options):
    """A location stands among the developer's options and tells of the user: it is judged as the user's."""
    seen, _ = judged(method, **options)
    assert seen[0].split("\n")[-1] == MARK
    assert not any(MARK in text for text in judged(method, roles="system", **options)[0])


def test_members_that_only_the_beta_knows_are_the_users_elsewhere():
    """`mcp_servers` is an option of `beta.messages`; in the `extra_body` of `messages` it is one that the caller named."""
    servers = {"mcp_servers": [{"type": "custom", "name": MARK}]}
    assert MARK in judged(messages, extra_body=servers)[0][0]
    assert MARK not in judged(beta_messages, **servers)[0][0]
    assert MARK in judged(beta_messages, roles="system", **servers)[0][0]
