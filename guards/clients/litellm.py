"""LiteLLM's `completion` and `acompletion`, as a client and as what `wrap` guards.

Its responses have OpenAI's shape; what is its own is the cost that it reckons, and where it hides it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from guards.clients.beside import Delivery, facts, gone, members
from guards.clients.endpoint import EndpointClient, check_options, unrequested
from guards.clients.fetching import Fetch
from guards.clients.members import altered, get, is_count, is_sent
from guards.clients.openai import chat_mode
from guards.clients.openai_shapes import Chat
from guards.clients.server_faults import check
from guards.clients.tools import Tools
from guards.errors import ConfigError, MissingExtra
from guards.messages import Reply
from guards.outgoing.blocks import named
from guards.outgoing.texts import Beside, Elsewhere, Keys

__all__ = ["QUIET", "LiteChat", "adapt", "completion", "read"]

Mode = Literal["text", "json", "json_schema", "tool"]

QUIET: Final = {"num_retries": 0, "max_retries": 0}
"""LiteLLM's own retries, and those of the SDK below it: transport faults have one owner."""


def completion(
    *,
    model: str,
    mode: Mode = "text",
    contract: Any = None,
    strict: bool = False,
    asynchronous: bool = False,
    **options: Any,
) -> EndpointClient:
    """A client that asks `litellm.completion` in a mode, as `guards.clients.openai.chat` does.

    `asynchronous=True` asks `litellm.acompletion`. Raises `MissingExtra` where LiteLLM is not installed.
    """
    where = "guards.clients.litellm.completion"
    extra = chat_mode(mode, contract, strict, where)
    try:
        import litellm
    except ModuleNotFoundError as fault:
        if fault.name != "litellm":
            raise
        raise MissingExtra("litellm", "litellm", where=where) from fault
    function = litellm.acompletion if asynchronous else litellm.completion
    return _client(function, {**options, **extra, "model": model}, where)


def adapt(llm: Any, *, where: str) -> EndpointClient | None:
    """The client for `completion` or `acompletion`; None for a callable of the caller's own."""
    options: dict[str, Any] = {}
    while isinstance(llm, functools.partial):
        options = {**llm.keywords, **options}
        llm = llm.func
    if inspect.ismodule(llm):
        raise ConfigError(
            "the module litellm cannot be called",
            where=where,
            hint="use functools.partial(litellm.completion, model=...)",
        )
    if not inspect.isroutine(llm):
        return None
    if llm.__name__ not in ("completion", "acompletion"):
        raise ConfigError(f"litellm.{llm.__name__} cannot be guarded", where=where, hint="use litellm.completion")
    return _client(llm, options, where)


def read(raw: Any) -> Reply:
    """A `completion` response."""
    endpoint = LiteChat()
    answers = endpoint.split(raw)
    if len(answers) > 1:
        raise ConfigError(
            f"the response holds {len(answers)} answers", where="client", hint="ask for one, or use .wrap(litellm)"
        )
    return unrequested(endpoint, raw)


def shape_of(raw: Any) -> LiteChat | None:
    """The endpoint that gives such a response; None for what is no answer."""
    return LiteChat() if isinstance(get(raw, "choices"), list) else None


class LiteChat(Chat):
    """`litellm.completion`: OpenAI's shape, and the cost."""

    own = Chat.own | named(
        """
        custom_prompt_dict final_prompt_value initial_prompt_value roles stop_sequences system
        system_instruction
        """
    )
    settings = Chat.settings | named(
        """
        additional_drop_params allowed_openai_params api_base api_key api_version aws_access_key_id
        aws_region_name aws_secret_access_key aws_session_token azure_ad_token base_url cache caching client
        context_window_fallback_dict cooldown_time custom_llm_provider deployment_id drop_params
        force_timeout guardrails headers hf_model_name input_cost_per_second input_cost_per_token
        litellm_call_id litellm_logging_obj logger_fn max_budget max_retries mock_response mock_timeout
        mock_tool_calls model_info model_list no-log num_retries organization output_cost_per_second
        output_cost_per_token preset_cache_key proxy_server_request retry_policy safety_settings
        shared_session ssl_verify supports_system_message tags text_completion thinking top_k ttl
        use_litellm_proxy verbose vertex_credentials vertex_location vertex_project
        """
    )

    def _goes(self, path: Keys, name: str, value: Any) -> Iterator[Beside]:
        if name == "prompt_id" and value is not None:
            yield Beside(path, Elsewhere("a prompt kept elsewhere"), "system", "option")
        elif name == "fallbacks" and isinstance(value, list | tuple):  # models by name, or calls of their own
            calls = ((number, one) for number, one in enumerate(value) if not isinstance(one, str))
            yield from (Beside((*path, number), one, "user", "option") for number, one in calls)
        else:
            yield from super()._goes(path, name, value)

    def read(self, raw: Any, tools: Tools | None) -> Reply:
        reply = super().read(raw, tools)
        hidden = getattr(raw, "_hidden_params", None)
        cost = hidden.get("response_cost") if isinstance(hidden, Mapping) else None
        if not is_count(cost) or reply.usage is None:
            return reply
        return Reply(reply.text, {**reply.usage, "cost": cost}, reply.finish_reason, raw)

    def cleared(self, raw: Any, text: str, tools: Tools | None) -> Any:
        return _openly(super().cleared(raw, text, tools))

    def passing(self, raw: Any, tools: Tools) -> Any:
        return _openly(super().passing(raw, tools))

    def rewritten(self, raw: Any, text: str | None, options: Mapping[str, Any]) -> Any:
        return _openly(super().rewritten(raw, text, options))

    def split(self, raw: Any) -> list[Any]:
        check(raw)
        if type(raw).__name__ == "CustomStreamWrapper" or not is_sent(raw, "choices"):
            raise ConfigError(
                f"the client gave {type(raw).__name__}, which is no answer",
                where="client",
                hint="ask without stream=True",
            )
        return super().split(raw)


def _openly(response: Any) -> Any:
    """A response with nothing of what it says in what LiteLLM keeps aside: the provider's own answer, its thinking, the
    results of its tools."""
    for name in ("_hidden_params", "_response_headers"):
        aside = getattr(response, name, None)
        told = _ASIDE(aside, Delivery(False, None)) if isinstance(aside, Mapping) else aside
        if told is not aside:
            response = altered(response, {})
            setattr(response, name, told)
    return response


_ASIDE: Final = members({"original_response": gone, "provider_specific_fields": gone}, rest=facts)


def _client(function: Any, options: Mapping[str, Any], where: str) -> EndpointClient:
    endpoint = LiteChat()
    check_options(endpoint, options, where)
    colour: Literal["sync", "async"] = "async" if function.__name__ == "acompletion" else "sync"
    return EndpointClient(endpoint, Fetch(function), {**options, **QUIET}, colour)
