"""OpenAI's SDK as a client: in a chosen mode (`chat`, `responses`), or by a method that a caller named.

The shapes of what is sent and comes back are `openai_shapes`'; these two files alone know them. The package itself is
imported only for `.parse`, whose response type is built anew around the accepted text.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from guards.clients.endpoint import (
    TOOL,
    Endpoint,
    EndpointClient,
    check_options,
    colour_of,
    homes_of,
    object_schema,
    request_of,
    schema_of,
    unrequested,
)
from guards.clients.fetching import fetch_of
from guards.clients.incoming import Chunks
from guards.clients.members import get, is_sent, listed, put
from guards.clients.openai_events import ResponseChunks
from guards.clients.openai_shapes import Chat, Completions, Responses, shape_of
from guards.clients.openai_stream import ChatChunks, CompletionChunks
from guards.clients.openai_tools import calls_of
from guards.clients.parsed import parsed
from guards.clients.server_faults import check, no_answer
from guards.clients.tools import Tools, each
from guards.errors import ConfigError
from guards.findings import escape
from guards.messages import Reply

__all__ = ["adapt", "chat", "chat_mode", "chunks_for", "endpoint_of", "read", "responses", "shape_of"]

Mode = Literal["text", "json", "json_schema", "tool"]
_MODES: Final = ("text", "json", "json_schema", "tool")
_SUBSCHEMAS: Final = ("items", "prefixItems", "anyOf", "oneOf", "allOf")
_NOTES: Final = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$schema"}
)


# -- clients that ask in a chosen mode ---------------------------------------------------------------------------------


def chat(
    client: Any, *, model: str, mode: Mode = "text", contract: Any = None, strict: bool = False, **options: Any
) -> EndpointClient:
    """A client that asks `client.chat.completions.create` in a mode.

    `"json"` is JSON mode, `"json_schema"` the native schema, `"tool"` one forced tool call whose arguments are the
    answer; the last two need `contract`. `strict=True` narrows the schema to OpenAI's strict subset (every key
    required, no others). What comes back is validated in every mode. `client` may be sync or async; its own retries
    are off.
    """
    where = "guards.clients.openai.chat"
    extra = chat_mode(mode, contract, strict, where)
    return _client(Chat(), client, where, lambda c: c.chat.completions, {**options, **extra, "model": model})


def responses(
    client: Any, *, model: str, mode: Mode = "text", contract: Any = None, strict: bool = False, **options: Any
) -> EndpointClient:
    """As `chat`, by `client.responses.create`."""
    where = "guards.clients.openai.responses"
    _check_mode(mode, where)
    extra: dict[str, Any] = {}
    if mode == "json":
        extra = {"text": {**options.pop("text", {}), "format": {"type": "json_object"}}}
    elif mode == "json_schema":
        schema = {"type": "json_schema", "name": TOOL, "schema": _schema(contract, strict, where), "strict": strict}
        extra = {"text": {**options.pop("text", {}), "format": schema}}
    elif mode == "tool":
        schema = object_schema(_schema(contract, strict, where), where)
        extra = {
            "tools": [{"type": "function", "name": TOOL, "parameters": schema, "strict": strict}],
            "tool_choice": {"type": "function", "name": TOOL},
        }
    return _client(Responses(), client, where, lambda c: c.responses, {**options, **extra, "model": model})


def chat_mode(mode: str, contract: Any, strict: bool, where: str) -> dict[str, Any]:
    """The options of a chat completion in a mode; LiteLLM takes the same."""
    _check_mode(mode, where)
    if mode == "text":
        return {}
    if mode == "json":
        return {"response_format": {"type": "json_object"}}
    schema = _schema(contract, strict, where)
    if mode == "json_schema":
        body = {"name": TOOL, "schema": schema, "strict": strict}
        return {"response_format": {"type": "json_schema", "json_schema": body}}
    function = {"name": TOOL, "parameters": object_schema(schema, where), **({"strict": True} if strict else {})}
    return {
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": TOOL}},
    }


# -- what a caller named -----------------------------------------------------------------------------------------------


def adapt(llm: Any, *, where: str) -> EndpointClient | None:
    """The client for a method of the SDK; None for a callable of the caller's own, `ConfigError` for what cannot be."""
    options: dict[str, Any] = {}
    while isinstance(llm, functools.partial):
        options = {**llm.keywords, **options}
        llm = llm.func
    owner = getattr(llm, "__self__", None)
    if owner is None:
        _refuse_client(llm, where)
        return None
    homes = homes_of(owner, llm.__name__)
    if not homes[0].startswith("openai"):
        return None
    endpoint = next(filter(None, (endpoint_of(home, llm.__name__) for home in homes)), None)
    if endpoint is None:
        raise ConfigError(
            f"{type(owner).__name__}.{llm.__name__} cannot be guarded",
            where=where,
            hint="use client.chat.completions.create or client.responses.create",
        )
    check_options(endpoint, options, where)
    fetch = fetch_of(owner, llm.__name__, endpoint.fetch, where)
    return EndpointClient(endpoint, fetch, options, colour_of(owner))


def endpoint_of(module: str, method: str) -> Endpoint | None:
    """The endpoint behind a resource's method, by the module of its class."""
    kind = _ENDPOINTS.get(module)
    return kind() if kind is not None and method in ("create", "parse") else None


def read(raw: Any) -> Reply:
    """A response of any of the SDK's answering methods; of several answers, the only one allowed is the first."""
    check(raw)
    endpoint = shape_of(raw)
    if endpoint is None and is_sent(raw, "choices"):
        raise no_answer(raw, "chat completion", "choices")
    if endpoint is None:
        raise ConfigError(
            f"the client gave {type(raw).__name__}, which is no answer",
            where="client",
            hint="return the response of chat.completions.create or responses.create, without stream=True",
        )
    answers = endpoint.split(raw)
    if len(answers) > 1:
        raise ConfigError(
            f"the response holds {len(answers)} answers", where="client", hint="ask for one, or use .wrap(client)"
        )
    return unrequested(endpoint, answers[0])


def chunks_for(chunk: Any) -> Chunks:
    """How a stream is read, by its first chunk; nobody knows what was asked."""
    check(chunk)
    if str(get(chunk, "type", "")).startswith("response."):
        return ResponseChunks(read, None)
    choices = get(chunk, "choices")
    if not isinstance(choices, list):
        raise ConfigError(f"the client gave a stream of {type(chunk).__name__}", where="client")
    return CompletionChunks(read, None) if choices and get(choices[0], "delta") is None else ChatChunks(read, None)


def _refuse_client(llm: Any, where: str) -> None:
    """`ConfigError` for a client or resource; nothing for a callable of another kind."""
    if callable(llm) and not hasattr(llm, "with_options"):
        return
    raise ConfigError(
        f"{type(llm).__name__} cannot be called",
        where=where,
        hint="use functools.partial(client.chat.completions.create, model=...) or guards.clients.openai.chat(client, "
        "model=...)",
    )


def _client(
    endpoint: Endpoint, client: Any, where: str, resource: Callable[[Any], Any], options: dict[str, Any]
) -> EndpointClient:
    if not hasattr(client, "with_options"):
        raise ConfigError(f"{type(client).__name__} is no client of the SDK", where=where, hint="pass openai.OpenAI()")
    check_options(endpoint, options, where)
    fetch = fetch_of(resource(client), "create", endpoint.fetch, where)
    return EndpointClient(endpoint, fetch, options, colour_of(client))


def _schema(contract: Any, strict: bool, where: str) -> dict[str, Any]:
    schema = schema_of(contract, where)
    narrowed: dict[str, Any] = _strict(schema, f"{where} at ") if strict else schema
    return narrowed


def _strict(schema: Any, place: str) -> Any:
    """OpenAI's strict subset: every object closed, every key required, no defaults. `ConfigError` for what no closing
    makes of it: members of any name, or anything at all."""
    if isinstance(schema, list):
        return [_strict(item, f"{place}/{index}") for index, item in enumerate(schema)]
    if _is_anything(schema) or _is_map(schema):
        raise ConfigError(
            f"OpenAI's strict subset has no place for {'members of any name' if _is_map(schema) else 'anything'}",
            where=place if place[-1] != " " else f"{place}/",
            hint="name the members, use a list of names and values, or leave out strict=True",
        )
    if not isinstance(schema, dict):
        return schema
    result: dict[str, Any] = {}
    for key, value in schema.items():
        inside = f"{place}/{escape(key)}"
        if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
            result[key] = {name: _strict(inner, f"{inside}/{escape(name)}") for name, inner in value.items()}
        elif key in _SUBSCHEMAS:
            result[key] = _strict(value, inside)
        elif key not in ("default", "additionalProperties"):
            result[key] = value
    if isinstance(result.get("properties"), dict):
        result |= {"additionalProperties": False, "required": list(result["properties"])}
    elif schema.get("additionalProperties") is False:
        result["additionalProperties"] = False
    return result


def _is_anything(schema: Any) -> bool:
    return schema is True or (isinstance(schema, Mapping) and schema.keys() <= _NOTES)


def _is_map(schema: Any) -> bool:
    """Whether it is an object with members that nobody named."""
    if not isinstance(schema, Mapping) or schema.get("patternProperties"):
        return isinstance(schema, Mapping)
    rest, named = schema.get("additionalProperties"), schema.get("properties")
    if named or rest is False:
        return False
    return rest is not None or (named is None and "object" in str(schema.get("type")))


def _check_mode(mode: str, where: str) -> None:
    if mode not in _MODES:
        raise ConfigError(f"unknown mode {mode!r}", where=where, hint=f"use one of {', '.join(map(repr, _MODES))}")


# -- `.parse` ----------------------------------------------------------------------------------------------------------


def _with_arguments(response: Any, tools: Any, read: Callable[[str, Any], Any]) -> Any:
    """A response of `.parse` with the arguments of its calls read, as the SDK does; any other as it is."""
    bodies = {
        name: body for tool in each(tools) for body in [get(tool, "function", tool)] for name in [get(body, "name")]
    }
    choices = listed(get(response, "choices"))
    calls = [call.body for choice in choices for call in calls_of(get(choice, "message"))]
    for call in [*calls, *listed(get(response, "output"))]:
        body = bodies.get(get(call, "name"))
        if body is None or not hasattr(call, "parsed_arguments"):
            continue
        kind = getattr(body, "model", None)  # pydantic_function_tool leaves it there
        if kind is not None:
            put(call, "parsed_arguments", read(call.arguments, kind))
        elif get(body, "strict"):
            put(call, "parsed_arguments", json.loads(call.arguments))
    return response


def _unjudged(arguments: str, kind: Any) -> Any:
    """Of a call that goes on as it came: pydantic's own error where its arguments are not of the tool's type."""
    return kind.model_validate_json(arguments)


class _Chat(Chat):
    """Of the SDK itself: with `.parse`, where calls of the caller's own tools come with their arguments read, too."""

    def passing(self, raw: Any, tools: Tools) -> Any:
        return _with_arguments(super().passing(raw, tools), tools.asked.get("tools"), _unjudged)

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        return _with_arguments(super().rewritten(raw, text, options), request_of(options).get("tools"), parsed)

    def fetch(self, resource: Any, method: str) -> Callable[..., Any]:
        if method != "parse":
            return super().fetch(resource, method)
        from openai.types.chat import ParsedChatCompletion

        return _parse_raw(resource, ParsedChatCompletion)


class _Responses(Responses):
    """As `_Chat`."""

    def passing(self, raw: Any, tools: Tools) -> Any:
        return _with_arguments(super().passing(raw, tools), tools.asked.get("tools"), _unjudged)

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        return _with_arguments(super().rewritten(raw, text, options), request_of(options).get("tools"), parsed)

    def fetch(self, resource: Any, method: str) -> Callable[..., Any]:
        if method != "parse":
            return super().fetch(resource, method)
        from openai.types.responses import ParsedResponse

        return _parse_raw(resource, ParsedResponse)


def _parse_raw(resource: Any, kind: Any) -> Callable[..., Any]:
    """`.parse`, asked raw: the SDK would raise on an answer before it could be judged. Its response type comes back,
    with nothing parsed yet."""
    ask = resource.with_raw_response.parse

    def made(raw: Any) -> Any:
        body = json.loads(raw.text)
        if not isinstance(body, dict):
            raise no_answer(body, "response", "output")
        return kind.model_construct(**body)

    if colour_of(resource) == "sync":
        return lambda **options: made(ask(**options))

    async def fetch(**options: Any) -> Any:
        return made(await ask(**options))

    return fetch


_ENDPOINTS: Final[dict[str, type[Endpoint]]] = {
    "openai.resources.chat.completions.completions": _Chat,
    "openai.resources.chat.completions": _Chat,
    "openai.resources.beta.chat.completions": _Chat,
    "openai.resources.responses.responses": _Responses,
    "openai.resources.beta.responses.responses": _Responses,
    "openai.resources.completions": Completions,
}
