"""What comes back of a wrapped client beside the judged answer: nothing that a guard could have read and has not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server, answer  # noqa: E402

from guards import Fallback, Finding, Fix, Guarded, Raise, Reask, Refrain, Rejected, check, outcome_of  # noqa: E402
from guards.clients import anthropic as of_anthropic  # noqa: E402
from guards.clients import openai_shapes as of_openai  # noqa: E402
from guards.clients.tools import Tools  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ServerFault  # noqa: E402

EVIL = "EVIL"
STRAY = "STRAY"
SAID = "It is EVIL indeed."
MENDED = "It is  indeed."
FINE = "It is fine."
ASKED = [{"role": "user", "content": "Say it"}]


@check
def no_evil(text: str, context: Any) -> Finding | None:
    return Finding("evil", "says EVIL", fix=text.replace(EVIL, "")) if EVIL in text else None


talk = Guarded(Text(), guards=[no_evil], on_fail=Fix().then(Raise()), transport=None)
strict = talk.replace(on_fail=Raise())


def tokens(text: str, **more: Any) -> list[dict[str, Any]]:
    """Log probabilities of a text, word by word, each with an alternative."""
    words = [word + " " for word in text.split(" ")]
    words[-1] = words[-1][:-1]
    return [
        {
            "token": w,
            "logprob": -0.1,
            "bytes": list(w.encode()),
            "top_logprobs": [{"token": EVIL, "logprob": -9.0}],
            **more,
        }
        for w in words
    ]


class Chat:
    """One method of an SDK: how it is asked, a body that says a text and copies of it everywhere, and what it says."""

    sdk = "openai"
    endpoint: Any = of_openai.Chat()
    tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
    must = {"type": "function", "function": {"name": "look"}}
    logged: dict[str, Any] = {"logprobs": True, "top_logprobs": 1}
    """Options that ask for log probabilities, of other tokens too."""

    def ask(self, client: Any, **options: Any) -> Any:
        return client.chat.completions.create(**{"model": "m", "messages": ASKED, **options})

    def body(self, text: str | None = None, calls: Any = None, **more: Any) -> dict[str, Any]:
        message = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {}), **more}
        choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message}
        return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}

    def call(self, name: str, arguments: str = "{}") -> dict[str, Any]:
        return {"id": f"c-{name}", "type": "function", "function": {"name": name, "arguments": arguments}}

    def full(self, text: str) -> dict[str, Any]:
        cited = {"type": "url_citation", "url_citation": {"url": "u", "title": text, "start_index": 0, "end_index": 1}}
        body = self.body(text, annotations=[cited], reasoning_content=text, reasoning_details=[{"text": text}])
        body["choices"][0]["logprobs"] = {"content": tokens(text), "refusal": None}
        body["citations"] = [text]
        return body

    def told(self, response: Any) -> str | None:
        return response.choices[0].message.content

    def called(self, response: Any) -> list[tuple[str, str]]:
        return [(c.function.name, c.function.arguments) for c in response.choices[0].message.tool_calls or ()]


class Completions(Chat):
    endpoint = of_openai.Completions()
    logged = {"logprobs": 1}

    def ask(self, client: Any, **options: Any) -> Any:
        return client.completions.create(**{"model": "m", "prompt": "Say it", **options})

    def body(self, text: str | None = None, calls: Any = None, **more: Any) -> dict[str, Any]:
        choice = {"index": 0, "finish_reason": "stop", "text": text, **more}
        return {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": [choice]}

    def full(self, text: str) -> dict[str, Any]:
        logged = {
            "tokens": [t["token"] for t in tokens(text)],
            "top_logprobs": [{EVIL: -1.0}],
            "token_logprobs": [-1.0],
        }
        return self.body(text, logprobs=logged, reasoning=text)

    def told(self, response: Any) -> str | None:
        return response.choices[0].text


class Responses(Chat):
    endpoint = of_openai.Responses()
    tools = [{"type": "function", "name": "look", "parameters": {}}]
    must = {"type": "function", "name": "look"}
    logged = {"top_logprobs": 1}

    def ask(self, client: Any, **options: Any) -> Any:
        return client.responses.create(**{"model": "m", "input": "Say it", **options})

    def body(self, text: str | None = None, calls: Any = None, **more: Any) -> dict[str, Any]:
        part = {"type": "output_text", "text": text, "annotations": [], **more}
        said = {"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": [part]}
        output = [*([said] if text is not None else []), *(calls or [])]
        return {"id": "r", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": output}

    def call(self, name: str, arguments: str = "{}") -> dict[str, Any]:
        return {
            "type": "function_call",
            "id": f"f-{name}",
            "call_id": f"c-{name}",
            "name": name,
            "arguments": arguments,
        }

    def full(self, text: str) -> dict[str, Any]:
        cited = {"type": "url_citation", "url": "u", "title": text, "start_index": 0, "end_index": 1}
        body = self.body(text, logprobs=tokens(text), annotations=[cited])
        thought = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": text}]}
        thought["content"] = [{"type": "reasoning_text", "text": text}]
        body["output"].insert(0, thought)
        body["output_text"] = text
        return body

    def told(self, response: Any) -> str | None:
        return response.output_text

    def called(self, response: Any) -> list[tuple[str, str]]:
        return [(i.name, i.arguments) for i in response.output if i.type == "function_call"]


class Messages(Chat):
    sdk = "anthropic"
    logged: dict[str, Any] = {}
    endpoint = of_anthropic.Messages()
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    must = {"type": "tool", "name": "look"}

    def ask(self, client: Any, **options: Any) -> Any:
        return client.messages.create(**{"model": "m", "max_tokens": 9, "messages": ASKED, **options})

    def body(self, text: str | None = None, calls: Any = None, **more: Any) -> dict[str, Any]:
        said = [{"type": "text", "text": text, **more}] if text is not None else []
        stop = "tool_use" if calls else "end_turn"
        made = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [*said, *(calls or [])]}
        return {**made, "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}

    def call(self, name: str, arguments: str = "{}") -> dict[str, Any]:
        return {"type": "tool_use", "id": f"t-{name}", "name": name, "input": json.loads(arguments)}

    def full(self, text: str) -> dict[str, Any]:
        cited = {"type": "char_location", "cited_text": text, "document_index": 0, "document_title": text}
        cited |= {"start_char_index": 0, "end_char_index": 1}
        body = self.body(text, citations=[cited])
        body["content"].insert(0, {"type": "thinking", "thinking": text, "signature": "s"})
        return body

    def told(self, response: Any) -> str | None:
        return "".join(block.text for block in response.content if block.type == "text")

    def called(self, response: Any) -> list[tuple[str, str]]:
        return [(b.name, json.dumps(b.input)) for b in response.content if b.type == "tool_use"]


EVERY = [Chat(), Completions(), Responses(), Messages()]
CALLING = [Chat(), Responses(), Messages()]
every = pytest.mark.parametrize("method", EVERY, ids=lambda m: type(m).__name__)
calling = pytest.mark.parametrize("method", CALLING, ids=lambda m: type(m).__name__)


def asked(method: Chat, body: dict[str, Any] | list[dict[str, Any]], guarded: Any, **options: Any) -> Any:
    """The response of one guarded call, of a server that gives these bodies."""
    bodies = body if isinstance(body, list) else [body]
    with Server([Raw(json.dumps(one).encode()) for one in bodies]) as server:
        return method.ask(guarded.wrap(getattr(server, method.sdk)()), **options)


def dumped(response: Any) -> str:
    return json.dumps(response.model_dump(mode="json", warnings=False))


# -- copies of the text ------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("policy", "text"),
    [(Fix(), MENDED), (Fallback("Sorry."), "Sorry."), (Refrain(), "")],
    ids=["fix", "fallback", "none"],
)
def test_nothing_of_a_changed_text_stands_anywhere(method, policy, text):
    """Log probabilities, citations, thinking, sources, copies: what was said of the first text goes with it."""
    response = asked(method, method.full(SAID), talk.replace(on_fail=policy))
    assert (method.told(response) or "") == text
    assert EVIL not in dumped(response)


@every
def test_an_answer_that_holds_keeps_what_is_said_about_it(method):
    """Log probabilities, citations and thinking of an accepted answer are as the bare client gives them."""
    body = method.full(FINE)
    with Server([Raw(json.dumps(body).encode())] * 2) as server:
        client = getattr(server, method.sdk)()
        told = method.ask(talk.wrap(client), **method.logged).to_dict()
        assert told == method.ask(client, **method.logged).to_dict()


@every
def test_what_was_repaired_is_a_changed_text_too(method):
    """A document that was taken out of its surroundings: the surroundings are in no copy."""
    data = Guarded({"type": "object", "required": ["a"]}, transport=None)
    response = asked(method, method.full(f'{EVIL}:\n```json\n{{"a": 1}}\n```'), data)
    assert method.told(response) == '{"a": 1}'
    assert EVIL not in dumped(response)


@pytest.mark.parametrize("method", [Chat(), Completions(), Responses()], ids=lambda m: type(m).__name__)
def test_log_probabilities_of_other_words_than_the_answers_go(method):
    """A server that lists tokens of a text which nobody judged gives them to nobody."""
    logged: Any = tokens(f"{STRAY} {FINE}")
    if isinstance(method, Chat) and type(method) is Chat:
        logged = {"content": logged}
    elif isinstance(method, Completions):
        logged = {"tokens": [t["token"] for t in logged]}
    body = method.body(FINE, **({"logprobs": logged} if type(method) is not Chat else {}))
    if type(method) is Chat:
        body["choices"][0]["logprobs"] = logged
    response = asked(method, body, talk)
    assert method.told(response) == FINE
    assert STRAY not in dumped(response)


def test_tokens_that_are_half_a_character_spell_the_text_by_their_bytes():
    """Log probabilities whose tokens are pieces of one character are of the answer, and stay."""
    body = Chat().body("é")
    halves = [{"token": f"\\x{byte:02x}", "bytes": [byte], "logprob": 0.0, "top_logprobs": []} for byte in "é".encode()]
    body["choices"][0]["logprobs"] = {"content": halves}
    assert len(asked(Chat(), body, talk).choices[0].logprobs.content) == 2


# -- text that is no part of the answer --------------------------------------------------------------------------------


def _unknown(method: Chat) -> list[dict[str, Any]]:
    """Bodies with text in members that no SDK knows, at each level."""
    more = {"extra": STRAY, "nested": {"deep": [STRAY]}, "ids": [7, 9], "audio": {"transcript": STRAY, "data": STRAY}}
    top = {**method.body(FINE), **more}
    return [top, method.body(FINE, **more)]


@every
@pytest.mark.parametrize("level", [0, 1])
def test_members_that_nobody_knows_say_nothing(method, level):
    """Text in members that the SDK keeps but does not know goes, wherever they stand; numbers stay."""
    body = {**_unknown(method)[level], "count": 7}
    response = asked(method, body, talk)
    assert method.told(response) == FINE
    assert STRAY not in dumped(response)
    assert response.count == 7


@calling
@pytest.mark.parametrize("order", [1, -1])
def test_text_beside_a_forced_call_is_not_delivered(method, order):
    """The answer stands in the call, and the words beside it were seen by no guard."""
    data = Guarded({"type": "object", "required": ["a"]}, transport=None)
    body = method.body(STRAY, [method.call("look", '{"a": 1}')])
    if "output" in body:
        body["output"] = body["output"][::order]
    if "content" in body:
        body["content"] = body["content"][::order]
    response = asked(method, body, data, tools=method.tools, tool_choice=method.must)
    assert method.called(response) == [("look", '{"a": 1}')]
    assert STRAY not in dumped(response)
    assert outcome_of(response).value == {"a": 1}


@calling
@pytest.mark.parametrize("choice", ["none", "auto", "forced", "required"])
@pytest.mark.parametrize("text", [None, FINE])
def test_a_call_of_a_tool_that_nobody_offered_is_refused(method, choice, text):
    """It passes neither as a tool call nor beside a text; the reason says so."""
    forms = {"none": "none", "auto": "auto", "required": "required" if method.sdk == "openai" else "any"}
    if choice != "none":
        given_choice = method.must if choice == "forced" else forms[choice]
        given_choice = (
            {"type": given_choice} if isinstance(given_choice, str) and method.sdk == "anthropic" else given_choice
        )
        options = {"tools": method.tools, "tool_choice": given_choice}
    else:
        options = {}
    with pytest.raises(Rejected) as caught:
        asked(method, method.body(text, [method.call("evil", '{"a": 1}')]), strict, **options)
    assert [f.code for f in caught.value.outcome.findings] == ["reply.unknown_tool"]


@calling
def test_a_call_of_an_offered_tool_beside_one_that_was_not_is_refused(method):
    """One call that is nobody's spoils the others: none of them is passed on."""
    body = method.body(None, [method.call("look"), method.call("evil")])
    with pytest.raises(Rejected, match="may not call"):
        asked(method, body, strict, tools=method.tools)


@calling
def test_another_tool_than_the_forced_one_is_refused_though_it_is_offered(method):
    """Who must call one tool calls no other, alone or beside it."""
    second = json.loads(json.dumps(method.tools[0]).replace("look", "other"))
    options = {"tools": [*method.tools, second], "tool_choice": method.must}
    for calls in ([method.call("other", '{"a": 1}')], [method.call("look", '{"a": 1}'), method.call("other")]):
        with pytest.raises(Rejected, match="may not call"):
            asked(method, method.body(None, calls), strict, **options)


@calling
def test_no_tool_may_be_called_where_the_request_says_so(method):
    """`tool_choice` "none" offers nothing, whatever stands in `tools`."""
    choice: Any = "none" if method.sdk == "openai" else {"type": "none"}
    with pytest.raises(Rejected, match="may not call"):
        asked(method, method.body(None, [method.call("look")]), strict, tools=method.tools, tool_choice=choice)


@calling
def test_several_offered_tools_pass_as_they_came(method):
    """Parallel calls of the caller's own tools are the caller's, words and all."""
    second = json.loads(json.dumps(method.tools[0]).replace("look", "other"))
    body = method.body("Let me see.", [method.call("look"), method.call("other")])
    response = asked(method, body, strict, tools=iter([*method.tools, second]))
    assert [name for name, _ in method.called(response)] == ["look", "other"]
    assert method.told(response) == "Let me see."
    assert outcome_of(response).reason == "reply.tool_calls"


@calling
def test_a_model_is_asked_again_after_a_call_that_is_nobodys(method):
    """The next question goes on with words, without the call: a server would refuse a history with it."""
    bodies = [method.body(None, [method.call("evil", '{"a": 1}')]), method.body(FINE)]
    with Server([Raw(json.dumps(one).encode()) for one in bodies]) as server:
        guarded = talk.replace(on_fail=Reask().then(Raise()))
        response = method.ask(guarded.wrap(getattr(server, method.sdk)()), tools=method.tools)
    assert method.told(response) == FINE
    assert "evil" not in json.dumps(server.bodies[1])
    assert "may not call" in json.dumps(server.bodies[1])


# -- whose a tool is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "passes"),
    [
        ({"functions": [{"name": "look"}]}, True),
        ({"functions": [{"name": "other"}]}, False),
        ({"tools": [{"type": "custom", "custom": {"name": "look"}}]}, False),
        ({"extra_body": {"tools": [{"type": "function", "function": {"name": "look"}}]}}, True),
        ({"extra_body": {"tools": []}, "tools": Chat.tools}, False),
        (
            {
                "tools": Chat.tools,
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "look"}}]},
                },
            },
            True,
        ),
        (
            {
                "tools": Chat.tools,
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "other"}}]},
                },
            },
            False,
        ),
    ],
)
def test_the_ways_in_which_a_chat_offers_a_tool(options, passes):
    """By `tools`, the old `functions`, past the SDK's parameters; less what `allowed_tools` leaves out."""
    body = Chat().body(None, [Chat().call("look")])
    if passes:
        assert asked(Chat(), body, strict, **options).choices[0].message.tool_calls[0].function.name == "look"
    else:
        with pytest.raises(Rejected, match="may not call"):
            asked(Chat(), body, strict, **options)


def _item(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": "i", "call_id": "c", "status": "completed", **more}


@pytest.mark.parametrize(
    ("item", "tool"),
    [
        (_item("custom_tool_call", name="sql", input="select 1"), {"type": "custom", "name": "sql"}),
        (_item("computer_call", action={"type": "wait"}), {"type": "computer_use_preview"}),
        (_item("local_shell_call", action={"type": "exec", "command": ["ls"]}), {"type": "local_shell"}),
        (_item("shell_call", action={"commands": ["ls"]}), {"type": "shell"}),
        (_item("apply_patch_call", operation={"type": "delete_file", "path": "x"}), {"type": "apply_patch"}),
        (
            _item("mcp_approval_request", name="f", server_label="docs", arguments="{}"),
            {"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1"},
        ),
        (
            _item("function_call", name="inner", arguments="{}"),
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "inner"}]},
        ),
    ],
)
def test_the_tools_of_responses_are_the_callers_where_they_were_offered(item, tool):
    """Each kind of call that waits for the caller passes where its tool was offered, and else is refused."""
    body = Responses().body(None, [item])
    assert asked(Responses(), body, strict, tools=[tool]).output[0].type == item["type"]
    with pytest.raises(Rejected, match="may not call"):
        asked(Responses(), body, strict, tools=[{"type": "function", "name": "something"}])
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "something"}]}
    with pytest.raises(Rejected, match="may not call"):
        asked(Responses(), body, strict, tools=[tool], tool_choice=allowed)


def test_the_tools_of_a_stored_prompt_are_known_by_the_response():
    """A prompt that is kept on the server brings tools of its own, which the response names."""
    body = Responses().body(None, [Responses().call("look")]) | {"tools": Responses.tools}
    assert asked(Responses(), body, strict, prompt={"id": "p"}).output[0].name == "look"
    with pytest.raises(Rejected, match="may not call"):
        asked(Responses(), body, strict)


def test_an_mcp_server_of_another_name_is_nobodys():
    """A request for approval names the server, which must be one that was offered."""
    item = _item("mcp_approval_request", name="f", server_label="other", arguments="{}")
    tool = {"type": "mcp", "server_label": "docs", "server_url": "http://127.0.0.1"}
    with pytest.raises(Rejected, match="may not call"):
        asked(Responses(), Responses().body(None, [item]), strict, tools=[tool])


WORK = [
    (_item("web_search_call", action={"type": "search", "query": STRAY}), {"type": "web_search_preview"}),
    (_item("file_search_call", queries=[STRAY]), {"type": "file_search", "vector_store_ids": []}),
    (_item("code_interpreter_call", code=STRAY), {"type": "code_interpreter", "container": {"type": "auto"}}),
    (_item("image_generation_call", revised_prompt=STRAY), {"type": "image_generation"}),
    (_item("mcp_call", name="f", server_label="docs", output=STRAY), {"type": "mcp", "server_label": "docs"}),
]


@pytest.mark.parametrize(("item", "tool"), WORK, ids=lambda x: x["type"])
def test_what_the_servers_tools_did_comes_along_with_an_answer_that_holds(item, tool):
    """Of tools that were offered; it goes where none was, and where the text was changed."""
    offered = asked(Responses(), Responses().body(FINE, [item]), talk, tools=[tool])
    assert [i.type for i in offered.output] == ["message", item["type"]]
    assert STRAY in dumped(offered)
    assert STRAY not in dumped(asked(Responses(), Responses().body(FINE, [item]), talk))
    assert STRAY not in dumped(asked(Responses(), Responses().body(SAID, [item]), talk, tools=[tool]))


def test_a_shell_call_that_the_server_answered_waits_for_nobody():
    """A tool that can run on either side: with its output beside it there is an answer, and that is judged."""
    items = [_item("shell_call", action={"commands": ["ls"]}), _item("shell_call_output", output=[])]
    with pytest.raises(Rejected, match="EVIL"):
        asked(Responses(), Responses().body(SAID, items), strict, tools=[{"type": "shell"}])


@pytest.mark.parametrize(
    ("block", "options"),
    [
        (
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": STRAY}},
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ),
        (
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": STRAY}]},
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        ),
        (
            {"type": "bash_code_execution_tool_result", "tool_use_id": "s", "content": {"stdout": STRAY}},
            {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]},
        ),
        (
            {"type": "mcp_tool_use", "id": "s", "name": "f", "server_name": "x", "input": {"q": STRAY}},
            {"extra_body": {"mcp_servers": [{"type": "url", "name": "x", "url": "http://127.0.0.1"}]}},
        ),
    ],
)
def test_what_anthropics_servers_tools_did_comes_along_with_an_answer_that_holds(block, options):
    """The same for Anthropic's blocks."""
    assert STRAY in dumped(asked(Messages(), Messages().body(FINE, [block]), talk, **options))
    assert STRAY not in dumped(asked(Messages(), Messages().body(FINE, [block]), talk))
    assert STRAY not in dumped(asked(Messages(), Messages().body(SAID, [block]), talk, **options))


@pytest.mark.parametrize(
    ("tool", "name", "more"),
    [
        ({"type": "bash_20250124", "name": "bash"}, "bash", {}),
        ({"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"}, "str_replace_based_edit_tool", {}),
        ({"type": "browser_toolset_20260801"}, "navigate", {"toolset_name": "browser"}),
    ],
)
def test_tools_that_anthropics_sdk_brings_are_the_callers(tool, name, more):
    """Tools of Anthropic's own making that the caller runs pass by their name, or by their family's."""
    body = Messages().body(None, [{**Messages().call(name), **more}])
    assert asked(Messages(), body, strict, tools=[tool]).content[0].name == name
    with pytest.raises(Rejected, match="may not call"):
        asked(Messages(), body, strict, tools=[{"name": "other", "input_schema": {}}])


# -- several answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [Chat(), Completions()], ids=lambda m: type(m).__name__)
def test_each_of_several_choices_is_cleared(method):
    """With n > 1 no choice keeps copies of a text that was changed, and what stands around them goes."""
    bodies = [method.full(text) for text in (SAID, FINE, SAID)]
    body = bodies[0] | {"choices": [one["choices"][0] for one in bodies], "extra": STRAY}
    response = asked(method, body, talk, n=3)
    told = [c.message.content if hasattr(c, "message") else c.text for c in response.choices]
    assert told == [MENDED, FINE, MENDED]
    shown = [json.dumps(c.to_dict()) for c in response.choices]
    assert [SAID in one or "reasoning" in one and "EVIL in" in one for one in shown] == [False, False, False]
    assert STRAY not in dumped(response)
    assert [c.index for c in response.choices] == [0, 1, 2]


def test_a_forced_custom_tool_is_the_answer():
    """A tool that takes plain text is judged as one that takes arguments: its input is the answer."""
    tool = {"type": "custom", "name": "say"}
    body = Responses().body(STRAY, [_item("custom_tool_call", name="say", input=SAID)])
    response = asked(Responses(), body, talk, tools=[tool], tool_choice=tool)
    assert [item.input for item in response.output] == [MENDED]
    call = {"id": "c", "type": "custom", "custom": {"name": "say", "input": SAID}}
    options = {"tools": [{"type": "custom", "custom": {"name": "say"}}], "tool_choice": "required"}
    response = asked(Chat(), Chat().body(STRAY, [call]), talk, **options)
    assert response.choices[0].message.tool_calls[0].custom.input == MENDED
    assert STRAY not in dumped(response)


# -- streams -----------------------------------------------------------------------------------------------------------


def sse(*chunks: Any, named: bool = False) -> Raw:
    """A stream of these chunks."""
    lines = [
        f"event: {chunk['type']}\ndata: {json.dumps(chunk)}\n\n" if named else f"data: {json.dumps(chunk)}\n\n"
        for chunk in chunks
    ]
    return Raw("".join(lines).encode() + (b"" if named else b"data: [DONE]\n\n"), "text/event-stream")


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def streamed(method: Chat, step: Raw, guarded: Any, **options: Any) -> str:
    """All chunks of a guarded stream, as text."""
    with Server([step]) as server:
        chunks = list(method.ask(guarded.wrap(getattr(server, method.sdk)()), stream=True, **options))
    return "\n".join(dumped(one) for one in chunks)


@pytest.mark.parametrize("text", [FINE, SAID])
def test_a_stream_says_nothing_that_nobody_knows(text):
    """Unknown members of chunks go; thinking comes with a text that holds and goes with one that was changed."""
    told = streamed(
        Chat(),
        sse(
            chunk(role="assistant", reasoning_content=f"think {text}"),
            chunk(content=text[:5], extra=STRAY) | {"more": [STRAY]},
            chunk(content=text[5:]),
            chunk("stop"),
        ),
        talk,
    )
    assert (STRAY in told, EVIL in told, "think" in told) == (False, False, text == FINE)


def _parts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


@pytest.mark.parametrize("guarded", [strict, strict.replace(guards=[check(partial=True)(lambda text: None)])])
def test_text_in_parts_is_read_in_a_stream_too(guarded):
    """As in a whole response: its thinking comes along, other members of parts do not."""
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm, hm."}]}]
    said = [{**part, "more": STRAY} for part in _parts("It is ", "fine.")]
    step = sse(chunk(content=thought), chunk(content=said), chunk(content=" So it is."), chunk("stop"))
    with Server([step]) as server:
        chunks = list(Chat().ask(guarded.wrap(server.openai()), stream=True))
    told = [c.choices[0].delta.content for c in chunks]
    assert told == [thought, [{**part, "more": None} for part in _parts("It is ", "fine.")], " So it is.", None]
    assert STRAY not in "".join(map(dumped, chunks))


def test_text_in_parts_of_a_stream_is_judged():
    """No part of it is told before."""
    with pytest.raises(Rejected, match="EVIL"):
        streamed(Chat(), sse(chunk(content=_parts("It is ", EVIL)), chunk("stop")), strict)
    with pytest.raises(ServerFault, match="'text'"):
        streamed(Chat(), sse(chunk(content=[{"type": "text", "text": [EVIL]}]), chunk("stop")), strict)


def test_text_beside_a_forced_call_is_in_no_chunk():
    """A stream with words before and behind the call that is the answer is told without them."""
    call = {"index": 0, "id": "c", "function": {"name": "look", "arguments": '{"a": 1}'}}
    step = sse(chunk(content=STRAY), chunk(tool_calls=[call]), chunk(content=STRAY), chunk("tool_calls"))
    data = Guarded({"type": "object", "required": ["a"]}, transport=None)
    for guarded in (data, talk):
        told = streamed(Chat(), step, guarded, tools=Chat.tools, tool_choice=Chat.must)
        assert STRAY not in told
        assert r"{\"a\": 1}" in told


def test_an_unknown_tool_in_a_stream_is_refused():
    """A streamed call that nobody offered is no tool call of the caller's."""
    call = {"index": 0, "id": "c", "function": {"name": "evil", "arguments": '{"a": 1}'}}
    with pytest.raises(Rejected, match="may not call"):
        streamed(Chat(), sse(chunk(tool_calls=[call]), chunk("tool_calls")), strict, tools=Chat.tools)


@pytest.mark.parametrize("offered", ["function", "custom"])
@pytest.mark.parametrize("called", ["function", "custom"])
def test_a_streamed_call_keeps_its_kind(offered, called):
    """A custom call that comes in pieces is of a tool that was offered as custom, and no function's; nor the reverse."""
    place = "arguments" if called == "function" else "input"
    first = {"index": 0, "id": "c", "type": called, called: {"name": "look", place: "{"}}
    step = sse(chunk(tool_calls=[first]), chunk(tool_calls=[{"index": 0, called: {place: "}"}}]), chunk("tool_calls"))
    if offered == called:
        assert f'"{place}": "{{"' in streamed(Chat(), step, strict, tools=[OFFERED[offered]])
        return
    with pytest.raises(Rejected, match="may not call"):
        streamed(Chat(), step, strict, tools=[OFFERED[offered]])


def test_the_role_in_a_stream_is_the_models():
    """A chunk tells no other role than `assistant`."""
    told = streamed(Chat(), sse(chunk(role=STRAY), chunk(content=FINE), chunk("stop")), talk)
    assert STRAY not in told
    assert FINE in told


def _response_events(text: str, whole: dict[str, Any]) -> list[dict[str, Any]]:
    begun = {**whole, "output": [], "status": "in_progress"}
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "response": begun},
        {"type": "response.output_text.delta", "delta": text, **at},
        {"type": "response.output_text.done", "text": text, **at},
        {"type": "response.completed", "response": whole},
    ]


@pytest.mark.parametrize("guarded", [talk, talk.replace(guards=[check(partial=True)(lambda text: None), no_evil])])
def test_events_that_say_something_else_than_the_whole_response_are_not_told(guarded):
    """The last event is what is judged: deltas with other words are replaced by its own."""
    told = streamed(Responses(), sse(*_response_events(STRAY, Responses().body(FINE)), named=True), guarded)
    assert STRAY not in told
    assert FINE in told


def test_the_role_in_events_is_the_models():
    """No event of a response tells another role than `assistant`, the last one included."""
    whole = Responses().body(FINE)
    whole["output"][0]["role"] = STRAY
    begins = {"type": "response.output_item.added", "output_index": 0, "item": {**whole["output"][0], "content": []}}
    ends = {"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]}
    created, *events, completed = _response_events(FINE, whole)
    told = streamed(Responses(), sse(created, begins, *events, ends, completed, named=True), talk)
    assert STRAY not in told
    assert FINE in told


def test_events_of_a_kind_that_nobody_knows_say_nothing():
    """An event that a later server adds, or one that begins with output, brings no text past the guards."""
    first, *rest = _response_events(FINE, Responses().body(FINE))
    first["response"]["output"] = Responses().body(STRAY)["output"]
    odd = {"type": "response.novel.delta", "delta": STRAY, "extra": {"x": STRAY}}
    told = streamed(Responses(), sse(first, odd, *rest, named=True), talk)
    assert STRAY not in told
    assert FINE in told


def test_a_block_of_anthropics_that_begins_with_text_is_judged():
    """Text in the event that opens a block is part of the answer."""
    body = Messages().body(None)
    events = [
        {"type": "message_start", "message": {**body, "content": [{"type": "text", "text": STRAY}]}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": SAID}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " More.", "extra": STRAY}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    told = streamed(Messages(), sse(*events, named=True), talk)
    assert (EVIL in told, STRAY in told) == (False, False)
    with pytest.raises(Rejected):
        streamed(Messages(), sse(*events, named=True), strict)
    events[1]["content_block"]["text"] = FINE
    assert FINE in streamed(Messages(), sse(*events, named=True), strict)


live = Guarded(Text(), guards=[check(partial=True)(lambda text: None)], on_fail=Raise(), transport=None)
"""Told sentence by sentence, while it is written."""


def told_live(method: Chat, step: Raw, **options: Any) -> tuple[str, BaseException | None]:
    """What a reader of a stream sees before it ends, or is refused."""
    told: list[str] = []
    with Server([step]) as server:
        try:
            for one in method.ask(live.wrap(getattr(server, method.sdk)()), stream=True, **options):
                told.append(dumped(one))
        except Rejected as fault:
            return "\n".join(told), fault
    return "\n".join(told), None


def test_a_call_that_is_nobodys_is_not_told_while_the_text_is():
    """A stream that goes on with text after such a call: the call is in no chunk, and the end is a rejection."""
    call = {"index": 0, "id": "c", "function": {"name": "evil", "arguments": f'{{"a": "{STRAY}"}}'}}
    step = sse(chunk(content="One. Two. "), chunk(tool_calls=[call]), chunk(content="Three. Four. "), chunk("stop"))
    told, fault = told_live(Chat(), step, tools=Chat.tools)
    assert "One." in told
    assert (STRAY in told, "evil" in told) == (False, False)
    assert isinstance(fault, Rejected)


def test_own_calls_behind_a_text_that_was_told_pass_as_they_came():
    """The caller's own tool call reaches the caller whole, though the words before it were told already."""
    call = {"index": 0, "id": "c", "function": {"name": "look", "arguments": '{"a": 1}'}}
    step = sse(chunk(content="One. Two. "), chunk(tool_calls=[call]), chunk("tool_calls"))
    told, fault = told_live(Chat(), step, tools=Chat.tools)
    assert fault is None
    assert told.count('"look"') == 1
    assert "".join(json.loads(one)["choices"][0]["delta"]["content"] or "" for one in told.split("\n")) == "One. Two. "


def test_a_block_of_a_tool_that_nobody_offered_is_in_no_event():
    """A server's tool in Anthropic's stream, between words that are told: it is left out with all its pieces."""
    used = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": Messages().body(None)}]
    for index, (block, delta) in enumerate(
        [
            ({"type": "text", "text": ""}, {"type": "text_delta", "text": "One. Two. "}),
            (used, {"type": "input_json_delta", "partial_json": json.dumps({"query": STRAY})}),
            ({"type": "text", "text": ""}, {"type": "text_delta", "text": "Three. Four."}),
        ]
    ):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}})
    events.append({"type": "message_stop"})
    told, fault = told_live(Messages(), sse(*events, named=True))
    assert fault is None
    assert (STRAY in told, "Four." in told, "web_search" in told) == (False, True, False)
    offered = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
    assert "STRAY" in told_live(Messages(), sse(*events, named=True), **offered)[0]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "response.refusal.delta", "delta": STRAY},
        {"type": "response.output_text.done", "text": STRAY},
        {"type": "response.content_part.added", "part": {"type": "output_text", "text": STRAY, "annotations": []}},
        {"type": "response.content_part.done", "part": {"type": "output_text", "text": STRAY, "annotations": []}},
        {"type": "response.output_item.added", "item": Responses().body(STRAY)["output"][0]},
        {"type": "response.output_item.done", "item": Responses().body(STRAY)["output"][0]},
        {"type": "response.in_progress", "response": Responses().body(STRAY)},
        {"type": "response.audio.transcript.delta", "delta": STRAY},
    ],
)
def test_odd_events_between_words_that_are_told_say_nothing(odd):
    """What an event says beside the text that was judged is told neither while it is written nor at its end."""
    text = "One. Two. Three. Four."
    begun, delta, _, whole = _response_events("", Responses().body(text))
    at = {"item_id": "m1", "output_index": 0, "content_index": 0}
    pieces = [{**delta, "delta": text[start : start + 6]} for start in range(0, len(text), 6)]
    step = sse(begun, *pieces[:2], {**at, **odd}, *pieces[2:], whole, named=True)
    told, fault = told_live(Responses(), step)
    assert fault is None
    assert (STRAY in told, "Four." in told) == (False, True)


# -- the whole class ---------------------------------------------------------------------------------------------------

NAMES = """
    text content extra output_text audio transcript reasoning_content message summary note parsed answer tokens data input
    output delta explanation description title arguments code value
"""
names = st.sampled_from(NAMES.split())
anything = st.recursive(
    st.sampled_from([STRAY, f"{STRAY} {STRAY}", 3, True, None, []]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


def _places(body: Any) -> list[Any]:
    """Every object in a body, outermost first."""
    if isinstance(body, dict):
        return [body, *(place for value in body.values() for place in _places(value))]
    return [place for item in body for place in _places(item)] if isinstance(body, list) else []


@every
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_added_anywhere_is_not_delivered(method, data):
    """Members of any name and shape, put anywhere into a response that is changed: none of their text comes back."""
    body = json.loads(json.dumps(method.full(SAID)))
    known = {key for place in _places(body) for key in place}
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(body)))
        name = data.draw(names.filter(lambda name: name not in known))
        place[name] = data.draw(anything)
    endpoint = method.endpoint
    given = endpoint.rewritten(body, MENDED, {})
    told = json.dumps(given)
    assert STRAY not in told
    assert EVIL not in told
    assert endpoint.read(given, None).text == MENDED


@every
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_added_to_an_answer_that_holds_is_judged_or_not_delivered(method, data):
    """The same of a response whose text holds as it came: what is not the judged text, and no thinking, goes."""
    body = json.loads(json.dumps(method.body(FINE)))
    known = {key for place in _places(body) for key in place} | {"reasoning_content"}
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(body)))
        place[data.draw(names.filter(lambda name: name not in known))] = data.draw(anything)
    endpoint = method.endpoint
    text = endpoint.read(body, Tools()).text
    given = endpoint.cleared(body, text, Tools())
    assert STRAY not in json.dumps(given).replace(json.dumps(text), "")
    assert endpoint.read(given, Tools()).text == text


def test_an_answer_in_parts_is_judged_and_delivered_as_one_text():
    """Content in parts, as some servers give it: all text is judged, and a thinking part is none."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": FINE}]
    response = asked(
        Chat(),
        Chat().body(None) | {"choices": [{"index": 0, "message": {"role": "assistant", "content": parts}}]},
        talk,
    )
    assert response.choices[0].message.content == parts
    parts[1]["text"] = SAID
    response = asked(
        Chat(),
        Chat().body(None) | {"choices": [{"index": 0, "message": {"role": "assistant", "content": parts}}]},
        talk,
    )
    assert response.choices[0].message.content == MENDED


def test_a_refusal_beside_an_answer_is_no_answer():
    """A response that refuses and answers is refused; what a fallback gives stands alone."""
    body = Chat().body(FINE, refusal=STRAY)
    with pytest.raises(Rejected):
        asked(Chat(), body, strict)
    response = asked(Chat(), body, talk.replace(on_fail=Fallback("Sorry.")))
    assert (Chat().told(response), STRAY in dumped(response), FINE in dumped(response)) == ("Sorry.", False, False)


@calling
def test_a_reason_to_stop_that_a_call_gave_goes_with_it(method):
    """Where a fallback stands in the place of a call, the response does not say that a tool is called."""
    body = method.body(None, [method.call("evil")])
    response = asked(method, body, talk.replace(on_fail=Fallback("Sorry.")), tools=method.tools)
    assert method.told(response) == "Sorry."
    assert method.called(response) == []
    ends = [getattr(response, "stop_reason", "end_turn"), *[c.finish_reason for c in getattr(response, "choices", [])]]
    assert set(ends) <= {"end_turn", "stop"}


@pytest.mark.parametrize("method", CALLING, ids=lambda m: type(m).__name__)
def test_a_wrapped_function_gives_back_no_words_beside_a_call(method):
    """Of a function whose response says something and calls a tool nobody knows what was asked: there is no answer."""
    body = method.body(FINE, [method.call("evil")])
    with Server([Raw(json.dumps(body).encode())]) as server, pytest.raises(Rejected) as caught:
        client = getattr(server, method.sdk)()
        talk.wrap(lambda messages: method.ask(client))(ASKED)
    assert caught.value.code == "reply.tool_calls"


def test_the_unguarded_answer_is_what_it_was():
    """What was cleared of a copy is still in the SDK's own response."""
    with Server([answer(FINE)]) as server:
        response = Chat().ask(talk.wrap(server.openai()))
    assert response.choices[0].message.content == FINE


# -- words that look like a server's own -------------------------------------------------------------------------------


def test_the_role_of_an_answer_is_the_models():
    """Whatever a server writes in its place, the caller gets `assistant`: of a chat, a response and a message."""
    chat = Chat().body(FINE)
    chat["choices"][0]["message"]["role"] = STRAY
    assert asked(Chat(), chat, talk).choices[0].message.role == "assistant"
    response = Responses().body(FINE)
    response["output"][0]["role"] = STRAY
    assert asked(Responses(), response, talk).output[0].role == "assistant"
    message = {**Messages().body(FINE), "role": STRAY}
    assert asked(Messages(), message, talk).role == "assistant"


@pytest.mark.parametrize(("stops", "stays"), [(["END"], "END"), (["other"], None), (None, None)])
def test_a_stop_sequence_is_one_that_the_request_named(stops, stays):
    """The text that ended an answer is the request's own word, or goes; servers of OpenAI's shape tell one, too."""
    body = {**Messages().body(FINE), "stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert asked(Messages(), body, talk, **({"stop_sequences": stops} if stops else {})).stop_sequence == stays
    for method in (Chat(), Completions()):
        body = method.body(FINE)
        body["choices"][0] |= {"stop_reason": "END", "matched_stop": "END"}
        choice = asked(method, body, talk, **({"stop": stops} if stops else {})).choices[0]
        assert (choice.stop_reason, choice.matched_stop) == (stays, stays)


OFFERED = {
    "function": {"type": "function", "function": {"name": "look", "parameters": {}}},
    "custom": {"type": "custom", "custom": {"name": "look"}},
}
CALLED = {
    "function": {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}},
    "custom": {"id": "c", "type": "custom", "custom": {"name": "look", "input": "now"}},
    "neither": {"id": "c", "type": "custom", "function": {"name": "look", "arguments": "{}"}},
    "both": {**OFFERED["custom"], "id": "c", "function": {"name": "look", "arguments": "{}"}},
}


@pytest.mark.parametrize("offered", OFFERED)
@pytest.mark.parametrize("called", CALLED)
def test_a_call_is_of_a_tool_that_was_offered_in_its_kind(offered, called):
    """A call of kind custom that names a function that was offered is nobody's, and the other way round."""
    body = Chat().body(None, [CALLED[called]])
    if offered == called:
        assert asked(Chat(), body, strict, tools=[OFFERED[offered]]).choices[0].message.tool_calls[0].id == "c"
        return
    with pytest.raises(Rejected) as refused:
        asked(Chat(), body, strict, tools=[OFFERED[offered]])
    assert [f.code for f in refused.value.outcome.findings] == ["reply.unknown_tool"]


@pytest.mark.parametrize("offered", ["function", "custom"])
@pytest.mark.parametrize("called", ["function_call", "custom_tool_call"])
def test_an_item_is_of_a_tool_that_was_offered_in_its_kind(offered, called):
    """The same of `responses`, whose items say their kind by their type."""
    item = _item(called, name="look", **({"arguments": "{}"} if called == "function_call" else {"input": "now"}))
    body = Responses().body(None, [item])
    if called.startswith(offered):
        assert asked(Responses(), body, strict, tools=[{"type": offered, "name": "look"}]).output[0].name == "look"
        return
    with pytest.raises(Rejected) as refused:
        asked(Responses(), body, strict, tools=[{"type": offered, "name": "look"}])
    assert [f.code for f in refused.value.outcome.findings] == ["reply.unknown_tool"]
