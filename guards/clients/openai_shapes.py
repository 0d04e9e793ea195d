"""The shapes of OpenAI's answers: what `chat.completions`, `responses` and the old `completions` are sent and give.

Read through `get`, so that mappings of the same shape serve too (LiteLLM's responses have it). The package is not
imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from guards._blocks import named
from guards._outgoing import Beside, Elsewhere, Keys
from guards._quote import fence
from guards.clients.callables import reply_turns
from guards.clients.endpoint import Endpoint, body_of, copied, extra_body, get, is_given, only_tool, put, without
from guards.clients.incoming import SdkChunks
from guards.clients.openai_stream import ChatChunks, CompletionChunks, ResponseChunks
from guards.errors import ConfigError
from guards.messages import Message, Reply

__all__ = ["Chat", "Completions", "Responses", "no_response", "shape_of"]


def shape_of(raw: Any) -> Endpoint | None:
    """The endpoint that gives such a response; None for what is no answer."""
    if isinstance(get(raw, "output"), list):
        return Responses()
    choices = get(raw, "choices")
    if not isinstance(choices, list) or (choices and get(choices[0], "delta") is not None):
        return None
    return Completions() if choices and get(choices[0], "message") is None else Chat()


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
        if "audio" in (options.get("modalities") or ()):
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

    def chunks(self, read: Callable[[Any], Reply]) -> SdkChunks:
        return ChatChunks(read)

    def forced(self, options: Mapping[str, Any]) -> str | None:
        choice = options.get("tool_choice")
        named = only_tool(options) if choice == "required" else choice
        name = get(get(named, "function"), "name") or get(options.get("function_call"), "name")
        return name if isinstance(name, str) else None

    def split(self, raw: Any) -> list[Any]:
        choices = get(raw, "choices")
        if not isinstance(choices, list) or not choices or any(get(c, "message") is None for c in choices):
            raise no_response("chat completion")
        return [raw] if len(choices) == 1 else [_with(raw, choices=[choice]) for choice in choices]

    def unanswered(self, raw: Any, tool: str | None) -> bool:
        calls = _calls(_message(raw))
        return bool(calls) and not any(name == tool for _, name, _ in calls)

    def read(self, raw: Any, tool: str | None) -> Reply:
        choice = get(self.split(raw)[0], "choices")[0]
        message = get(choice, "message")
        refusal = get(message, "refusal")
        finish = "refusal" if refusal else get(choice, "finish_reason")
        calls = _calls(message)
        text = "" if tool is not None and calls else text_of(get(message, "content", ""))
        if not text:
            # Several calls are several documents: the reader says what it thinks of that.
            text = "\n".join(arguments for _, name, arguments in calls if tool in (None, name))
        return Reply(refusal or text, _usage(get(raw, "usage"), "prompt_tokens", "completion_tokens"), finish, raw)

    def turns(self, reply: Reply, feedback: str, tool: str | None) -> tuple[Message, ...]:
        message = None
        if isinstance(get(reply.raw, "choices"), list):
            message = get(get(reply.raw, "choices")[0], "message")
        calls = [call for call in _calls(message) if call[0] is not None] if tool is not None else []
        if not calls:
            return reply_turns(reply, feedback)
        said = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in calls
        ]
        results = [{"role": "tool", "tool_call_id": call_id, "content": feedback} for call_id, _, _ in calls]
        return {"role": "assistant", "content": None, "tool_calls": said}, *results

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        choice = get(result, "choices")[0]
        message = get(choice, "message")
        if get(choice, "logprobs") is not None:
            put(choice, "logprobs", None)  # of another text
        if get(message, "refusal") is not None:
            put(message, "refusal", None)  # something else stands in its place, or nothing
        tool = self.forced(options)
        calls = list(get(message, "tool_calls", ()))
        forced = [call for call in calls if tool is not None and get(get(call, "function"), "name") == tool]
        old = get(message, "function_call") if tool is not None else None
        if text is not None and (forced or old is not None):
            put(get(forced[0], "function") if forced else old, "arguments", text)
        else:
            put(message, "content", text)
            if old is not None:
                put(message, "function_call", None)
        # One answer was accepted: further calls of the same tool are answers that were not.
        kept = forced[:1] if text is not None else []
        if len(kept) < len(forced):
            put(message, "tool_calls", without(calls, forced, kept) or None)
        if hasattr(message, "parsed"):
            message.parsed = parsed(text, options.get("response_format"))
        return result

    def joined(self, first: Any, parts: Sequence[Any]) -> Any:
        if len(parts) == 1:
            return parts[0]
        choices = [get(part, "choices")[0] for part in parts]
        for index, choice in enumerate(choices):
            put(choice, "index", index)
        return _with(first, choices=choices)


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

    def chunks(self, read: Callable[[Any], Reply]) -> SdkChunks:
        return ResponseChunks(read)

    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        return {**options, "input": list(turns)}

    def refused(self, options: Mapping[str, Any]) -> str | None:
        for name in ("background", "conversation"):
            if options.get(name) or extra_body(options, name):
                return _UNGUARDED[name]
        return super().refused(options)

    def forced(self, options: Mapping[str, Any]) -> str | None:
        choice = options.get("tool_choice")
        named = only_tool(options) if choice == "required" else choice
        name = get(named, "name") if get(named, "type") == "function" else None
        return name if isinstance(name, str) else None

    def split(self, raw: Any) -> list[Any]:
        if not isinstance(get(raw, "output"), list):
            raise no_response("response")
        if get(raw, "status") in ("queued", "in_progress"):
            raise ConfigError("the response is not finished", where="client", hint="ask without background=True")
        return [raw]

    def unanswered(self, raw: Any, tool: str | None) -> bool:
        waiting = [item for item in get(raw, "output") if str(get(item, "type", "")) in _WAITING]
        return bool(waiting) and not any(tool is not None and get(item, "name") == tool for item in waiting)

    def read(self, raw: Any, tool: str | None) -> Reply:
        self.split(raw)
        parts = _parts(raw)
        refusal = "".join(get(part, "refusal", "") for part in parts if get(part, "type") == "refusal")
        calls = [item for item in get(raw, "output") if get(item, "type") == "function_call"]
        text = "" if tool is not None and calls else "".join(get(p, "text", "") for p in _texts(parts))
        if not text:
            text = "\n".join(get(c, "arguments", "") for c in calls if tool is None or get(c, "name") == tool)
        finish: str | None = get(get(raw, "incomplete_details"), "reason")
        if refusal:
            finish = "refusal"
        elif finish is None and get(raw, "status") in (None, "completed"):
            finish = "tool_calls" if calls else "stop"
        usage = _usage(get(raw, "usage"), "input_tokens", "output_tokens")
        return Reply(refusal or text, usage, finish or get(raw, "status"), raw)

    def turns(self, reply: Reply, feedback: str, tool: str | None) -> tuple[Message, ...]:
        output = get(reply.raw, "output", ()) if tool is not None else ()
        calls = [item for item in output if get(item, "type") == "function_call" and get(item, "call_id")]
        if not calls:
            return reply_turns(reply, feedback)
        said = [
            {
                "type": "function_call",
                "call_id": get(c, "call_id"),
                "name": get(c, "name"),
                "arguments": get(c, "arguments", ""),
            }
            for c in calls
        ]
        return (
            *said,
            *({"type": "function_call_output", "call_id": get(c, "call_id"), "output": feedback} for c in calls),
        )

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        tool = self.forced(options)
        output = get(result, "output")
        forced = [item for item in output if tool is not None and get(item, "name") == tool]
        if forced:
            kept = forced[:1] if text is not None else []
            if kept:
                put(kept[0], "arguments", text)
            # One answer was accepted: further calls of the same tool are answers that were not.
            put(result, "output", without(output, forced, kept))
            return result
        pieces = _texts(_parts(result))
        for index, piece in enumerate(pieces):
            put(piece, "text", (text or "") if index == 0 else "")
            if hasattr(piece, "parsed"):
                piece.parsed = parsed(text, options.get("text_format")) if index == 0 else None
        return result if pieces or text is None else _with_message(raw, text)


_UNGUARDED: Final = {
    "background": "background=True gives the answer later, past the guards",
    "conversation": "conversation= keeps answers on the server that were not accepted",
}
_WAITING: Final = frozenset(
    {
        "function_call",
        "custom_tool_call",
        "computer_call",
        "local_shell_call",
        "shell_call",
        "apply_patch_call",
        "mcp_approval_request",
    }
)
"""Output items that wait for the caller before there is an answer; the others are done by the server."""


# -- the old completions -----------------------------------------------------------------------------------------------


class Completions(Endpoint):
    """`completions.create`: one prompt, text behind it."""

    question = "prompt"
    own = frozenset({"stop"})
    settings = _SETTINGS

    streamed = Chat.streamed
    unasked = Chat.unasked

    def chunks(self, read: Callable[[Any], Reply]) -> SdkChunks:
        return CompletionChunks(read)

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

    def forced(self, options: Mapping[str, Any]) -> str | None:
        return None

    def split(self, raw: Any) -> list[Any]:
        choices = get(raw, "choices")
        if not isinstance(choices, list) or not choices:
            raise no_response("completion")
        return [raw] if len(choices) == 1 else [_with(raw, choices=[choice]) for choice in choices]

    def unanswered(self, raw: Any, tool: str | None) -> bool:
        return False

    def read(self, raw: Any, tool: str | None) -> Reply:
        choice = get(self.split(raw)[0], "choices")[0]
        usage = _usage(get(raw, "usage"), "prompt_tokens", "completion_tokens")
        return Reply(get(choice, "text", ""), usage, get(choice, "finish_reason"), raw)

    def turns(self, reply: Reply, feedback: str, tool: str | None) -> tuple[Message, ...]:
        return reply_turns(reply, feedback)

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        put(get(result, "choices")[0], "text", text or "")
        return result

    joined = Chat.joined


# -- small parts -------------------------------------------------------------------------------------------------------


def text_of(content: Any) -> str:
    """A message's content as text; some servers give it in parts."""
    if isinstance(content, str):
        return content
    return "".join(get(part, "text", "") for part in content) if isinstance(content, list) else ""


def parsed(text: str | None, kind: Any) -> Any:
    """What `.parse` puts beside the text; pydantic's own error where the accepted text is not of the caller's type."""
    if text is None or kind is None or isinstance(kind, Mapping) or type(kind).__name__ in ("NotGiven", "Omit"):
        return None
    from pydantic import TypeAdapter

    return TypeAdapter(kind).validate_json(text)


def _message(raw: Any) -> Any:
    return get(get(raw, "choices")[0], "message")


def _calls(message: Any) -> list[tuple[str | None, str, str]]:
    """The function calls of a message: id, name, arguments. The old `function_call` has no id."""
    calls = [
        (get(call, "id"), get(body, "name", ""), get(body, "arguments") or get(body, "input", ""))
        for call in get(message, "tool_calls", ())
        for body in [get(call, "function") or get(call, "custom")]
    ]
    old = get(message, "function_call")
    return calls if old is None else [*calls, (None, get(old, "name", ""), get(old, "arguments", ""))]


def _parts(raw: Any) -> list[Any]:
    items = [item for item in get(raw, "output") if get(item, "type") == "message"]
    return [part for item in items for part in get(item, "content", ())]


def _with_message(raw: Any, text: str) -> Any:
    """A response that held no text (a refusal, say) with this one."""
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {"type": "message", "id": "guards", "role": "assistant", "status": "completed", "content": [part]}
    body = body_of(raw)
    others = [item for item in body["output"] if item.get("type") != "message"]
    body = {**body, "output": [*others, message]}
    return type(raw).model_construct(**body) if hasattr(raw, "model_construct") else body


def _texts(parts: list[Any]) -> list[Any]:
    return [part for part in parts if get(part, "type") == "output_text"]


def _usage(usage: Any, into: str, out: str) -> dict[str, Any] | None:
    if usage is None:
        return None
    found = {"input_tokens": get(usage, into), "output_tokens": get(usage, out), "cost": get(usage, "cost")}
    return {k: v for k, v in found.items() if isinstance(v, int | float) and not isinstance(v, bool)} or None


def no_response(what: str) -> ConfigError:
    return ConfigError(
        f"the server's answer is no {what}", where="client", hint="see whether base_url names such a service"
    )


def _with(raw: Any, **changes: Any) -> Any:
    return raw.model_copy(update=changes) if hasattr(raw, "model_copy") else {**raw, **changes}
