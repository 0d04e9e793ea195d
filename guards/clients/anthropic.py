"""Anthropic's SDK: messages, as a client and as an endpoint that `wrap` guards.

The one file that knows Anthropic's shapes. The package is imported only for `.parse`, whose request and response are
made of a type.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from guards.clients.anthropic_beside import MESSAGE
from guards.clients.anthropic_stream import MessageChunks
from guards.clients.anthropic_tools import is_offered, message_tools, serves
from guards.clients.beside import Delivery
from guards.clients.callables import reply_turns
from guards.clients.endpoint import (
    TOOL,
    UNKNOWN_TOOL,
    Endpoint,
    EndpointClient,
    check_options,
    colour_of,
    homes_of,
    is_given,
    object_schema,
    unrequested,
    without,
)
from guards.clients.fetching import fetch_of
from guards.clients.fields import objects_in, text_in
from guards.clients.incoming import Chunks, SdkChunks
from guards.clients.members import body_of, copied, get, is_count, listed, member, members_of, put
from guards.clients.parsed import is_type, parsed
from guards.clients.server_faults import check, no_answer
from guards.clients.tools import Tools, is_arguments, written
from guards.clients.words_or_call import is_blank
from guards.errors import ConfigError, ServerFault
from guards.messages import Message, Reply
from guards.outgoing.blocks import named
from guards.outgoing.texts import Beside, Elsewhere, Keys

__all__ = ["Messages", "adapt", "chunks_for", "endpoint_of", "messages", "read"]

Mode = Literal["text", "tool"]


def messages(
    client: Any, *, model: str, mode: Mode = "text", max_tokens: int = 1024, contract: Any = None, **options: Any
) -> EndpointClient:
    """A client that asks `client.messages.create` in a mode.

    `"tool"` is one forced tool call whose arguments are the answer, of the schema of `contract`; what comes back is
    validated all the same. Turns of the role `system` become the `system` parameter. `client` may be sync or async; its
    own retries are off.
    """
    where = "guards.clients.anthropic.messages"
    if mode not in ("text", "tool"):
        raise ConfigError(f"unknown mode {mode!r}", where=where, hint="use one of 'text', 'tool'")
    if not hasattr(client, "with_options"):
        raise ConfigError(
            f"{type(client).__name__} is no client of the SDK", where=where, hint="pass anthropic.Anthropic()"
        )
    extra: dict[str, Any] = {}
    if mode == "tool":
        tool = {"name": TOOL, "input_schema": object_schema(contract, where)}
        extra = {"tools": [tool], "tool_choice": {"type": "tool", "name": TOOL}}
    endpoint = Messages()
    given = {**options, **extra, "model": model, "max_tokens": max_tokens}
    check_options(endpoint, given, where)
    fetch = fetch_of(client.messages, "create", endpoint.fetch, where)
    return EndpointClient(endpoint, fetch, given, colour_of(client))


def adapt(llm: Any, *, where: str) -> EndpointClient | None:
    """The client for a method of the SDK; None for a callable of the caller's own, `ConfigError` for what cannot be."""
    options: dict[str, Any] = {}
    while isinstance(llm, functools.partial):
        options = {**llm.keywords, **options}
        llm = llm.func
    owner = getattr(llm, "__self__", None)
    if owner is None:
        if callable(llm) and not hasattr(llm, "with_options"):
            return None
        raise ConfigError(
            f"{type(llm).__name__} cannot be called",
            where=where,
            hint="use functools.partial(client.messages.create, model=..., max_tokens=...) or "
            "guards.clients.anthropic.messages(client, model=...)",
        )
    homes = homes_of(owner, llm.__name__)
    if not homes[0].startswith("anthropic"):
        return None
    endpoint = next(filter(None, (endpoint_of(home, llm.__name__) for home in homes)), None)
    if endpoint is None:
        raise ConfigError(
            f"{type(owner).__name__}.{llm.__name__} cannot be guarded", where=where, hint="use client.messages.create"
        )
    check_options(endpoint, options, where)
    fetch = fetch_of(owner, llm.__name__, endpoint.fetch, where)
    return EndpointClient(endpoint, fetch, options, colour_of(owner))


def endpoint_of(module: str, method: str) -> Endpoint | None:
    """The endpoint behind a resource's method, by the module of its class."""
    known = module in ("anthropic.resources.messages.messages", "anthropic.resources.beta.messages.messages")
    if not known or method not in ("create", "parse"):
        return None
    return BetaMessages() if ".beta." in module else Messages()


def read(raw: Any) -> Reply:
    """A `messages.create` response."""
    check(raw)
    if member(raw, "type") == "message" and get(raw, "content") is None:
        raise no_answer(raw, "message", "content")
    if not isinstance(get(raw, "content"), list):
        raise ConfigError(
            f"the client gave {type(raw).__name__}, which is no answer",
            where="client",
            hint="return the response of messages.create, without stream=True",
        )
    return unrequested(Messages(), raw)


def chunks_for(_: Any) -> Chunks:
    """How a stream is read, by its first event; nobody knows what was asked."""
    return MessageChunks(read, None)


def shape_of(raw: Any) -> Endpoint | None:
    """The endpoint that gives such a response; None for what is no answer."""
    return Messages() if isinstance(get(raw, "content"), list) else None


class Messages(Endpoint):
    """`messages.create` and `.parse`."""

    own = named("output_config output_format stop_sequences system tool_choice tools")
    settings = named(
        """
        betas billing_policy cache_control diagnostics extra_headers extra_query fallback_credit_token
        inference_geo max_tokens metadata model service_tier speed stream temperature thinking timeout top_k
        top_p user_profile_id workspace_id
        """
    )

    def _goes(self, path: Keys, name: str, value: Any) -> Iterator[Beside]:
        if not is_given(value):
            return
        kept = _KEPT.get(name)
        if kept is None:
            yield from super()._goes(path, name, value)
        elif isinstance(value, str) or get(value, kept[0]) is not None:
            yield Beside(path, Elsewhere(kept[1]), "user", "option")

    def fetch(self, resource: Any, method: str) -> Callable[..., Any]:
        if method != "parse":
            return super().fetch(resource, method)
        # By `create`: the SDK's own parse would raise on an answer before it could be judged.
        if colour_of(resource) == "sync":
            return lambda **options: _of_parse(resource.create(**_with_schema(options)))

        async def fetch(**options: Any) -> Any:
            return _of_parse(await resource.create(**_with_schema(options)))

        return fetch

    def chunks(self, read: Callable[[Any], Reply], tools: Tools) -> SdkChunks:
        return MessageChunks(read, tools)

    def ask(self, options: Mapping[str, Any], turns: Sequence[Message]) -> dict[str, Any]:
        system = [turn for turn in turns if get(turn, "role") in ("system", "developer")]
        if not system:
            return {**options, "messages": list(turns)}
        rest = [turn for turn in turns if get(turn, "role") not in ("system", "developer")]
        return {**options, "system": _system(options.get("system"), system), "messages": rest}

    def tools(self, options: Mapping[str, Any]) -> Tools:
        return message_tools(options)

    def split(self, raw: Any) -> list[Any]:
        check(raw)
        if not isinstance(get(raw, "content"), list):
            raise no_answer(raw, "message", "content")
        for block in objects_in(raw, "content"):
            for name in _WORDS:
                text_in(block, name)
        for name in ("stop_reason", "stop_sequence", "id", "model"):
            text_in(raw, name)
        return [raw]

    def unanswered(self, raw: Any, tools: Tools) -> bool:
        calls, stop = _blocks(raw, "tool_use"), Reply("", finish_reason=get(raw, "stop_reason")).finish
        if stop in _NOTHING_ASKED:
            return False
        if stop == "pause_turn" and not calls:
            # A tool of the server's is still at work; the caller sends the turn back to go on. What was said is judged.
            return serves(tools) and is_blank(_spoken(raw))
        own = tools.forced is None and all(is_offered(call, tools) for call in calls)
        return bool(calls) and own and all(is_arguments(get(call, "input", {})) for call in calls)

    def calls(self, raw: Any) -> bool:
        return bool(_blocks(raw, "tool_use"))

    def spoken(self, raw: Any) -> str:
        return _spoken(raw)

    def read(self, raw: Any, tools: Tools | None) -> Reply:
        self.split(raw)
        calls = _blocks(raw, "tool_use")
        text = "" if _answers(calls, tools) else _spoken(raw)
        if calls and is_blank(text):
            # Several calls are several documents: the reader says what it thinks of that.
            text = "\n".join(written(get(call, "input", {})) for call in calls)
        finish = get(raw, "stop_reason")
        if isinstance(finish, str) and finish.lower() == "refusal":
            explained = member(get(raw, "stop_details"), "explanation")
            text = explained if isinstance(explained, str) and is_blank(text) else text
        elif tools is not None and not all(is_offered(call, tools) for call in calls):
            finish = UNKNOWN_TOOL
        return Reply(text, _usage(get(raw, "usage")), finish if isinstance(finish, str) else None, raw)

    def turns(self, reply: Reply, feedback: str, tools: Tools) -> tuple[Message, ...]:
        calls = _blocks(reply.raw, "tool_use") if tools.forced is not None else []
        if not calls or not all(get(c, "name") == tools.forced and is_arguments(get(c, "input", {})) for c in calls):
            return reply_turns(reply, feedback)
        said = [
            {"type": "tool_use", "id": get(c, "id"), "name": get(c, "name"), "input": _input(get(c, "input", {}))}
            for c in calls
        ]
        results = [
            {"type": "tool_result", "tool_use_id": get(c, "id"), "content": feedback, "is_error": True} for c in calls
        ]
        return {"role": "assistant", "content": said}, {"role": "user", "content": results}

    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        calls = _blocks(raw, "tool_use")
        by_call = _answers(calls, tools) or (tools is None and bool(calls) and is_blank(_spoken(raw)))
        return MESSAGE(raw, Delivery(True, text, by_call, tools))

    def passing(self, raw: Any, tools: Tools) -> Any:
        return MESSAGE(raw, Delivery(True, None, tools=tools, passing=True))

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        result = copied(raw)
        tools = self.tools(options)
        calls = _blocks(result, "tool_use")
        given = _object(text) if _answers(calls, tools) else None
        kept = [call for call in calls if get(call, "name") == tools.forced][:1] if given is not None else []
        if kept:
            put(kept[0], "input", given)
        # One answer was accepted: further calls are answers that were not.
        put(result, "content", without(listed(get(result, "content")), calls, kept))
        if not kept:
            result = _saying(result, text, options)
            if get(result, "stop_reason") == "tool_use":
                put(result, "stop_reason", "end_turn")  # it calls nothing any more
        return MESSAGE(result, Delivery(False, text, bool(kept), tools))


class BetaMessages(Messages):
    """`beta.messages.create` and `.parse`, which know more options: elsewhere those are members that the caller
    named."""

    own = Messages.own | named("compaction context_management fallbacks mcp_servers")


def _answers(calls: Sequence[Any], tools: Tools | None) -> bool:
    """Whether the answer stands in a call of the forced tool."""
    forced = tools.forced if tools is not None else None
    return forced is not None and any(get(call, "name") == forced for call in calls)


def _spoken(raw: Any) -> str:
    pieces = [get(block, "text", "") for block in _blocks(raw, "text")]
    if not all(isinstance(piece, str) for piece in pieces):
        raise ServerFault("the server's answer has a text that is none", passing=False)
    return "".join(pieces)


def _saying(message: Any, text: str | None, options: Mapping[str, Any]) -> Any:
    """The message with the text in its first block of words, and no other."""
    pieces = _blocks(message, "text")
    if text is not None and not pieces:
        return _with_text(message, text)
    first = pieces[:1] if text else []
    for piece in first:
        put(piece, "text", text)
        if "parsed_output" in (members_of(piece) or ()):
            put(piece, "parsed_output", parsed(text, options.get("output_format")))
    # An empty block would be refused when the caller sends the turn back.
    put(message, "content", without(get(message, "content"), pieces, first))
    return message


_WORDS: Final = ("type", "id", "name", "toolset_name", "text", "tool_use_id", "server_name")
_NOTHING_ASKED: Final = ("refusal", "length", "content_filter")
"""Ends of an answer that asks for nothing: it was refused, or cut off in what it asks for."""
_KEPT: Final = {
    "container": ("id", "a container kept by the server"),
    "thread": ("previous_message_id", "a conversation kept by the server"),
}
"""Options that bring what the server keeps, the member that names it, and what it is."""


def _of_parse(raw: Any) -> Any:
    """The response type of `.parse`, of a response of `create`, with nothing parsed yet."""
    if not hasattr(raw, "to_dict"):
        return raw  # no message at all; `split` says so
    if type(raw).__name__.startswith("Beta"):
        from anthropic.types.beta.parsed_beta_message import ParsedBetaMessage

        return ParsedBetaMessage.model_construct(**raw.to_dict())
    from anthropic.types.parsed_message import ParsedMessage

    return ParsedMessage.model_construct(**raw.to_dict())


def _object(text: str | None) -> dict[str, Any] | None:
    """A tool's input; None for a text that is none (what a fallback gives may be plain words)."""
    if text is None:
        return None
    try:
        given = json.loads(text)
    except json.JSONDecodeError:
        return None
    return given if isinstance(given, dict) else None


def _input(given: Any) -> Any:
    """A tool's input as the object that it is; some servers give its text."""
    return json.loads(given) if isinstance(given, str) else given


def _with_text(raw: Any, text: str) -> Any:
    """A message that held no text (a refusal, say) with this one."""
    body = body_of(raw)
    body = {**body, "content": [*body["content"], {"type": "text", "text": text}]}
    return type(raw).model_construct(**body) if hasattr(raw, "model_construct") else body


def _with_schema(options: dict[str, Any]) -> dict[str, Any]:
    """The options of `.parse` as those of `.create`."""
    kind: Any = options.get("output_format")
    options = {name: value for name, value in options.items() if name != "output_format"}
    if not is_type(kind):
        return options
    from anthropic import transform_schema
    from pydantic import TypeAdapter

    schema = {"type": "json_schema", "schema": transform_schema(TypeAdapter(kind).json_schema())}
    return {**options, "output_config": {**(options.get("output_config") or {}), "format": schema}}


def _system(given: Any, turns: Sequence[Message]) -> Any:
    """The system parameter: the caller's own first, then the turns' texts; blocks where one of them is in blocks."""
    pieces = ([given] if given else []) + [turn.get("content") for turn in turns]
    if all(isinstance(piece, str) for piece in pieces):
        return "\n\n".join(pieces)
    blocks: list[Any] = []
    for piece in pieces:
        blocks += [{"type": "text", "text": piece}] if isinstance(piece, str) else list(piece or ())
    return blocks


_INPUT: Final = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def _usage(usage: Any) -> dict[str, Any] | None:
    """Input is what was sent, from the cache or not: Anthropic counts the three apart."""
    if not is_count(member(usage, "output_tokens")):
        return None
    counted = [member(usage, name) for name in _INPUT]
    return {"input_tokens": sum(filter(is_count, counted)), "output_tokens": member(usage, "output_tokens")}


def _blocks(raw: Any, kind: str) -> list[Any]:
    return [block for block in listed(member(raw, "content")) if get(block, "type") == kind]
