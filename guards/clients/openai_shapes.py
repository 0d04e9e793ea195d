"""The shapes of OpenAI's answers: what `chat.completions`, `responses` and the old `completions` are sent and give.

Read through `members`, so that mappings of the same shape serve too (LiteLLM's responses have it), and so that what a
server sends in another form than OpenAI's is read or refused by name. The package is not imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from guards.clients.beside import Delivery
from guards.clients.callables import reply_turns
from guards.clients.endpoint import UNKNOWN_TOOL, Endpoint, extra_body, is_given, request_of, without
from guards.clients.fields import objects_in, text_in
from guards.clients.incoming import SdkChunks
from guards.clients.members import altered, body_of, copied, get, is_count, listed, member, members_of, put
from guards.clients.openai_beside import CHAT, COMPLETION, HEAD, RESPONSE
from guards.clients.openai_events import ResponseChunks
from guards.clients.openai_stream import ChatChunks, CompletionChunks
from guards.clients.openai_tools import calls_of, chat_tools, is_brought, is_forced, response_tools, waiting, with_echo
from guards.clients.parsed import parsed
from guards.clients.server_faults import check, no_answer
from guards.clients.tools import Asked, Tools, is_arguments, stops_of, written
from guards.clients.words_or_call import is_blank
from guards.errors import ConfigError, ServerFault
from guards.messages import Message, Reply
from guards.outgoing.blocks import named
from guards.outgoing.quoting import fence
from guards.outgoing.texts import Beside, Elsewhere, Keys

__all__ = ["Chat", "Completions", "Responses", "shape_of"]


def shape_of(raw: Any) -> Endpoint | None:
    """The endpoint that gives such a response; None for what is no answer."""
    if isinstance(get(raw, "output"), list):
        return Responses()
    choices = get(raw, "choices")
    if not isinstance(choices, list):
        return None
    first = members_of(choices[0]) if choices else None
    if first is None or "message" in first or not any(name in first for name in ("text", "delta")):
        return Chat()
    return Completions() if first.get("delta") is None else None


# -- chat completions --------------------------------------------------------------------------------------------------


_SETTINGS: Final = named(
    """
    audio best_of echo extra_headers extra_query frequency_penalty logit_bias logprobs max_completion_tokens
    max_tokens metadata modalities model moderation n parallel_tool_calls presence_penalty prompt_cache_key
    prompt_cache_options prompt_cache_retention reasoning_effort safety_identifier seed service_tier store stream
    stream_options temperature timeout top_logprobs top_p user verbosity
    """
)
"""Options that give the model no words."""


class Chat(Endpoint):
    """`chat.completions.create` and `.parse`; LiteLLM's `completion` too."""

    own = named("function_call functions response_format stop tool_choice tools web_search_options")
    settings = _SETTINGS

    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        return {**options, "messages": list(turns)}

    def refused(self, options: Mapping[str, Any]) -> str | None:
        if "audio" in (request_of(options).get("modalities") or ()):
            return "modalities with audio give an answer that is no text"
        return super().refused(options)

    def single(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name != "n"}

    def streamed(self, options: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {"include_usage": True, **(options.get("stream_options") or {})}
        return {**options, "stream_options": wanted, "stream": True}

    def unasked(self, chunk: Any, options: Mapping[str, Any]) -> bool:
        # The chunk of the usage has no choices, and who did not ask for it looks for them in every chunk.
        asked = get(options.get("stream_options"), "include_usage")
        return not asked and get(chunk, "usage") is not None and not get(chunk, "choices", ())

    def chunks(self, read: Callable[[Any], Reply], tools: Tools) -> SdkChunks:
        return ChatChunks(read, tools)

    def tools(self, options: Mapping[str, Any]) -> Tools:
        return chat_tools(options)

    def split(self, raw: Any) -> list[Any]:
        check(raw)
        choices = get(raw, "choices")
        if (
            not isinstance(choices, list)
            or not choices
            or any(members_of(member(c, "message")) is None for c in choices)
        ):
            raise no_answer(raw, "chat completion", "choices")
        return [raw] if len(choices) == 1 else [altered(raw, {"choices": [choice]}) for choice in choices]

    def unanswered(self, raw: Any, tools: Tools) -> bool:
        calls = calls_of(_message(raw))
        if not calls or tools.forced is not None or not all(call.offered(tools) for call in calls):
            return False
        end = _finish(get(get(raw, "choices")[0], "finish_reason"))
        if get(_message(raw), "refusal") or end in ("refusal", "content_filter"):
            return False
        # Cut off in mid-arguments it asks for nothing.
        return end != "length" or all(_sendable(call.place, call.arguments) for call in calls)

    def calls(self, raw: Any) -> bool:
        return bool(calls_of(_message(raw)))

    def spoken(self, raw: Any) -> str:
        return text_of(get(_message(raw), "content"))

    def read(self, raw: Any, tools: Tools | None) -> Reply:
        choice = get(self.split(raw)[0], "choices")[0]
        message = get(choice, "message")
        refusal, calls = get(message, "refusal"), calls_of(message)
        finish = "refusal" if refusal else get(choice, "finish_reason")
        if tools is not None and any(not call.offered(tools) for call in calls):
            finish = UNKNOWN_TOOL
        text = "" if _by_call(calls, tools, None) else text_of(get(message, "content"))
        if calls and is_blank(text):
            # Several calls are several documents: the reader says what it thinks of that.
            text = "\n".join(call.arguments for call in calls)
        usage = _usage(get(raw, "usage"), "prompt_tokens", "completion_tokens")
        return Reply(text_of(refusal) or text, usage, _word(finish), raw)

    def turns(self, reply: Reply, feedback: str, tools: Tools) -> tuple[Message, ...]:
        choices = member(reply.raw, "choices")
        calls = calls_of(member(choices[0], "message")) if isinstance(choices, list) and tools.forced else []
        if not calls or not all(
            c.id is not None and c.forced(tools) and _sendable(c.place, c.arguments) for c in calls
        ):
            return reply_turns(reply, feedback)
        said = [
            {"id": c.id, "type": kind, kind: {"name": c.name, c.place: c.arguments}}
            for c in calls
            for kind in ["function" if c.place == "arguments" else "custom"]
        ]
        results = [{"role": "tool", "tool_call_id": call.id, "content": feedback} for call in calls]
        return {"role": "assistant", "content": None, "tool_calls": said}, *results

    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        message = _message(raw)
        by_call = _by_call(calls_of(message), tools, text_of(get(message, "content")))
        return CHAT(raw, Delivery(True, text, by_call, tools))

    def passing(self, raw: Any, tools: Tools) -> Any:
        return CHAT(raw, Delivery(True, None, tools=tools, passing=True))

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        choice = get(result, "choices")[0]
        message = get(choice, "message")
        tools = self.tools(options)
        # One answer was accepted: further calls of the same tool are answers that were not.
        forced = [call for call in calls_of(message) if call.forced(tools)][:1]
        kept = forced if text is not None else []
        for call in kept:
            put(call.body, call.place, text)
        put(message, "content", None if kept else text)
        if get(message, "tool_calls") is not None:
            put(message, "tool_calls", [call.whole for call in kept if call.whole is not call.body] or None)
        if get(message, "function_call") is not None and not any(call.whole is call.body for call in kept):
            put(message, "function_call", None)
        if not kept and _finish(get(choice, "finish_reason")) == "tool_calls":
            put(choice, "finish_reason", "stop")  # it calls nothing any more
        if "parsed" in (members_of(message) or ()):
            put(message, "parsed", parsed(text, options.get("response_format")))
        return CHAT(result, Delivery(False, text, bool(kept), tools))

    def joined(self, first: Any, parts: Sequence[Any]) -> Any:
        if len(parts) == 1:
            return parts[0]
        choices = [altered(get(part, "choices")[0], {"index": index}) for index, part in enumerate(parts)]
        return HEAD(altered(first, {"choices": choices}), Delivery(False, None))


def _by_call(calls: Sequence[Any], tools: Tools | None, content: str | None) -> bool:
    """Whether the answer stands in a call: of the forced tool, or, where nobody knows the request, where there are no
    words."""
    if tools is not None:
        return any(call.forced(tools) for call in calls)
    return bool(calls) and content is not None and is_blank(content)


# -- responses ---------------------------------------------------------------------------------------------------------


class Responses(Endpoint):
    """`responses.create` and `.parse`."""

    question = "input"
    own = named(
        """
        context_management image instructions multi_agent stop text text_format tool_choice tools
        """
    )
    settings = _SETTINGS | named(
        """
        access_programs background background_options betas include max_output_tokens max_tool_calls
        parse_as reasoning truncation
        """
    )

    def _goes(self, path: Keys, name: str, value: Any) -> Iterator[Beside]:
        if not is_given(value):
            return
        if name in ("previous_response_id", "conversation"):
            yield Beside(path, Elsewhere("a conversation kept by the server"), "user", "option")
        elif name == "prompt" and get(value, "id") is not None:
            yield Beside((*path, "id"), Elsewhere("a prompt kept by the server"), "system", "option")
            rest = {key: inner for key, inner in body_of(value).items() if key not in ("id", "version")}
            yield from (Beside((*path, key), inner, "user", "option") for key, inner in rest.items())
        else:
            yield from super()._goes(path, name, value)

    def chunks(self, read: Callable[[Any], Reply], tools: Tools) -> SdkChunks:
        return ResponseChunks(read, tools)

    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        return {**options, "input": list(turns)}

    def refused(self, options: Mapping[str, Any]) -> str | None:
        for name in ("background", "conversation"):
            if options.get(name) or extra_body(options, name):
                return _UNGUARDED[name]
        return super().refused(options)

    def complete(self, options: Mapping[str, Any]) -> bool:
        return is_given(request_of(options).get("prompt"))  # kept on the server, with a question of its own

    def tools(self, options: Mapping[str, Any]) -> Tools:
        return response_tools(options)

    def offered(self, options: Mapping[str, Any], question: Any) -> Tools:
        return response_tools(options, question)

    def split(self, raw: Any) -> list[Any]:
        check(raw)
        if not isinstance(get(raw, "output"), list):
            raise no_answer(raw, "response", "output")
        for item in objects_in(raw, "output"):
            for name in ("type", "id", "name", "call_id", "server_label"):
                text_in(item, name)
        for item in _messages(raw):
            if not isinstance(get(item, "content"), str):
                objects_in(item, "content")
        if get(raw, "status") in ("queued", "in_progress"):
            raise ConfigError("the response is not finished", where="client", hint="ask without background=True")
        return [raw]

    def unanswered(self, raw: Any, tools: Tools) -> bool:
        if _is_cut(raw) or _refusal(raw):
            return False  # what it asks for, it did not say to the end, or took back
        tools, calls = with_echo(raw, tools), waiting(raw)
        return bool(calls) and tools.forced is None and all(is_brought(call, tools) for call in calls)

    def calls(self, raw: Any) -> bool:
        return bool(waiting(raw))

    def spoken(self, raw: Any) -> str:
        return _spoken(raw)

    def read(self, raw: Any, tools: Tools | None) -> Reply:
        self.split(raw)
        refusal = _refusal(raw)
        calls = _calls(raw)
        text = "" if _answers(calls, tools) else _spoken(raw)
        if calls and is_blank(text) and (tools is None or tools.forced is not None or not _is_cut(raw)):
            text = "\n".join(_arguments(call) for call in calls)
        finish: str | None = _word(member(get(raw, "incomplete_details"), "reason"))
        if refusal:
            finish = "refusal"
        elif finish is None and _is_cut(raw):
            finish = "length"
        elif finish is None:
            finish = "tool_calls" if calls else "stop"
        if tools is not None:
            known = with_echo(raw, tools)
            finish = finish if all(is_brought(call, known) for call in waiting(raw)) else UNKNOWN_TOOL
        usage = _usage(get(raw, "usage"), "input_tokens", "output_tokens")
        return Reply(refusal or text, usage, finish, raw)

    def turns(self, reply: Reply, feedback: str, tools: Tools) -> tuple[Message, ...]:
        calls = _calls(reply.raw) if tools.forced is not None else []
        if not calls or not all(_goes_back(call, tools) for call in calls):
            return reply_turns(reply, feedback)
        said = [
            {name: get(c, name) for name in ("type", "call_id", "name")} | {_place(c): _arguments(c)} for c in calls
        ]
        results = [
            {"type": f"{get(c, 'type')}_output", "call_id": get(c, "call_id"), "output": feedback} for c in calls
        ]
        return (*said, *results)

    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        calls = _calls(raw)
        by_call = _answers(calls, tools) or (tools is None and bool(calls) and is_blank(_spoken(raw)))
        return RESPONSE(raw, Delivery(True, text, by_call, None if tools is None else with_echo(raw, tools)))

    def passing(self, raw: Any, tools: Tools) -> Any:
        return RESPONSE(raw, Delivery(True, None, tools=with_echo(raw, tools), passing=True))

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        tools = with_echo(raw, self.tools(options))
        forced = [call for call in _calls(result) if is_forced(call, tools)]
        kept = forced[:1] if text is not None else []
        for call in kept:
            put(call, _place(call), text)
        # One answer was accepted: further calls of the same tool are answers that were not.
        put(result, "output", without(listed(get(result, "output")), forced, kept))
        if not kept:
            result = _saying(result, text, options)
        return RESPONSE(result, Delivery(False, text, bool(kept), tools))


_UNGUARDED: Final = {
    "background": "background=True gives the answer later, past the guards",
    "conversation": "conversation= keeps answers on the server that were not accepted",
}


def _calls(raw: Any) -> list[Any]:
    output = listed(member(raw, "output"))
    return [item for item in output if get(item, "type") in ("function_call", "custom_tool_call")]


def _answers(calls: Sequence[Any], tools: Tools | None) -> bool:
    """Whether the answer stands in a call of the forced tool."""
    return tools is not None and any(is_forced(call, tools) for call in calls)


def _is_cut(raw: Any) -> bool:
    """Whether the response, or what it says or calls, is not whole by its own word."""
    said = [raw, *_messages(raw), *_calls(raw)]
    return any((_word(get(one, "status")) or "completed").lower() != "completed" for one in said)


def _place(call: Any) -> str:
    return "arguments" if get(call, "type") == "function_call" else "input"


def _arguments(call: Any) -> str:
    return written(get(call, _place(call)))


def _goes_back(call: Any, tools: Tools) -> bool:
    known = isinstance(get(call, "call_id"), str) and is_forced(call, tools)
    return known and _sendable(_place(call), _arguments(call))


def _messages(raw: Any) -> list[Any]:
    return [item for item in listed(get(raw, "output")) if get(item, "type") == "message"]


def _parts(raw: Any) -> list[Any]:
    return [part for item in _messages(raw) for part in listed(get(item, "content"))]


def _refusal(raw: Any) -> str:
    return "".join(text_of(get(part, "refusal")) for part in _parts(raw) if get(part, "type") == "refusal")


def _spoken(raw: Any) -> str:
    return "".join(_words(get(item, "content")) for item in _messages(raw))


def _words(content: Any) -> str:
    return (
        content if isinstance(content, str) else "".join(text_of(get(part, "text")) for part in _texts(listed(content)))
    )


def _texts(parts: list[Any]) -> list[Any]:
    return [part for part in parts if get(part, "type") in ("output_text", "text")]


def _saying(response: Any, text: str | None, options: Mapping[str, Any]) -> Any:
    """The response with the text in its first piece of words, and none in the others."""
    pieces: list[tuple[Any, str]] = []
    for item in _messages(response):
        content = get(item, "content")
        pieces += (
            [(item, "content")] if isinstance(content, str) else [(part, "text") for part in _texts(listed(content))]
        )
    for index, (piece, place) in enumerate(pieces):
        put(piece, place, (text or "") if index == 0 else "")
        if "parsed" in (members_of(piece) or ()):
            put(piece, "parsed", parsed(text, options.get("text_format")) if index == 0 else None)
    return response if pieces or text is None else _with_message(response, text)


def _with_message(raw: Any, text: str) -> Any:
    """A response that held no text (a refusal, say) with this one."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "guards", "role": "assistant", "status": "completed", "content": [part]}
    body = body_of(raw)
    others = [item for item in body["output"] if get(item, "type") != "message"]
    body = {**body, "output": [*others, message]}
    return type(raw).model_construct(**body) if hasattr(raw, "model_construct") else body


# -- the old completions -----------------------------------------------------------------------------------------------


class Completions(Endpoint):
    """`completions.create`: one prompt, text behind it."""

    question = "prompt"
    own = frozenset({"stop"})
    settings = _SETTINGS

    streamed = Chat.streamed
    unasked = Chat.unasked

    def chunks(self, read: Callable[[Any], Reply], tools: Tools) -> SdkChunks:
        return CompletionChunks(read, tools)

    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        return {**options, "prompt": self.again(turns)}

    def again(self, turns: Sequence[Message]) -> Any:
        parts = [turn["content"] if turn["role"] != "assistant" else fence(turn["content"]) for turn in turns]
        return "\n\n".join(parts)

    def given(self, question: Any) -> tuple[Any, ...]:
        if not isinstance(question, str):
            raise ConfigError("only a prompt of one string is guarded", where="completions.create")
        return super().given(question)

    def refused(self, options: Mapping[str, Any]) -> str | None:
        if not isinstance(extra_body(options, "prompt"), str | None):
            return "a prompt in extra_body that is not one string is not guarded"
        return super().refused(options)

    def single(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name not in ("n", "best_of")}

    def tools(self, options: Mapping[str, Any]) -> Tools:
        said = request_of(options)
        return Tools(stops=stops_of(said.get("stop")), asked=Asked(said))

    def split(self, raw: Any) -> list[Any]:
        check(raw)
        choices = get(raw, "choices")
        if not isinstance(choices, list) or not choices or any(members_of(choice) is None for choice in choices):
            raise no_answer(raw, "completion", "choices")
        return [raw] if len(choices) == 1 else [altered(raw, {"choices": [choice]}) for choice in choices]

    def unanswered(self, raw: Any, tools: Tools) -> bool:
        return False

    def spoken(self, raw: Any) -> str:
        return text_of(get(get(raw, "choices")[0], "text"))

    def read(self, raw: Any, tools: Tools | None) -> Reply:
        choice = get(self.split(raw)[0], "choices")[0]
        usage = _usage(get(raw, "usage"), "prompt_tokens", "completion_tokens")
        return Reply(text_of(get(choice, "text")), usage, _word(get(choice, "finish_reason")), raw)

    def turns(self, reply: Reply, feedback: str, tools: Tools) -> tuple[Message, ...]:
        return reply_turns(reply, feedback)

    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        return COMPLETION(raw, Delivery(True, text, tools=tools))

    def passing(self, raw: Any, tools: Tools) -> Any:
        return raw  # it asks for nothing

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        put(get(result, "choices")[0], "text", text or "")
        return COMPLETION(result, Delivery(False, text, tools=self.tools(options)))

    joined = Chat.joined


# -- small parts -------------------------------------------------------------------------------------------------------


def text_of(content: Any) -> str:
    """A message's content as text. Some servers give it in parts, or a JSON answer as the object itself."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else text_of(_part(part)) for part in content)
    if isinstance(content, Mapping):
        return written(content)
    raise ServerFault(f"the server's answer has content that is {type(content).__name__}, not text", passing=False)


def _part(part: Any) -> Any:
    """The text of a part; other kinds of parts (a thinking one, a picture) have none."""
    text = member(part, "text")
    return text if isinstance(text, str) else None


def _message(raw: Any) -> Any:
    return get(get(raw, "choices")[0], "message")


def _sendable(place: str, arguments: str) -> bool:
    """Whether a call can stand in a history: the input of a custom tool is any text."""
    return place == "input" or is_arguments(arguments)


def _finish(reason: Any) -> str | None:
    return Reply("", finish_reason=_word(reason)).finish


def _word(finish: Any) -> str | None:
    return finish if isinstance(finish, str) else None


def _usage(usage: Any, into: str, out: str) -> dict[str, Any] | None:
    found = {"input_tokens": member(usage, into), "output_tokens": member(usage, out), "cost": member(usage, "cost")}
    return {name: value for name, value in found.items() if is_count(value)} or None
