"""Which methods of an SDK make no answer, and so pass `wrap`? All others it guards, or refuses by name.

A method that a later version of an SDK adds is in no list here, and so refused by name until someone has looked at it.
"""

from __future__ import annotations

from typing import Final

from guards.outgoing.blocks import named

__all__ = ["COPIES", "harmless", "passes", "passes_litellm"]


_PASSING_AREAS: Final = {
    "openai": named(
        """
        admin audio.speech audio.voice_consents audio.voices beta.responses.input_tokens containers
        content_provenance_checks embeddings files fine_tuning.checkpoints fine_tuning.jobs images models moderations
        responses.input_tokens safety skills uploads vector_stores videos webhooks
        """
    ),
    "anthropic": named(
        """
        beta.files beta.memory_stores beta.models beta.organization beta.skills beta.tunnels beta.user_profiles
        beta.vaults beta.webhooks files models organization skills user_profiles webhooks
        """
    ),
}
"""Resources of which no method makes an answer of a language model, nor brings one back but for those below."""
_BRINGING: Final = named(
    """
    beta.files.download beta.memory_stores.memories.list beta.memory_stores.memories.retrieve
    beta.memory_stores.memories.update beta.memory_stores.memory_versions.list
    beta.memory_stores.memory_versions.retrieve containers.files.content.retrieve files.content files.download
    files.retrieve_content
    """
)
"""Methods of such resources that bring back what a model wrote all the same: the answers of a batch lie in a file, so
does what a tool of the server's (a search, code) made for it, and a memory is a model's own text."""
_PASSING_METHODS: Final = {
    "openai": named(
        """
        batches.cancel batches.list batches.retrieve beta.chat.completions.delete beta.responses.delete
        chat.completions.delete conversations.create conversations.delete conversations.retrieve conversations.update
        evals.create evals.delete evals.list evals.retrieve evals.update responses.delete
        """
    ),
    "anthropic": named(
        """
        beta.messages.count_tokens messages.batches.cancel messages.batches.delete messages.batches.list
        messages.batches.retrieve messages.count_tokens
        """
    ),
}
"""The same, method by method. `responses.retrieve` and its like are not here: an answer made elsewhere (in the
background, say) would come in by them, and by `responses.input_items` those that were given before."""
_PASSING_CLIENT: Final = frozenset({"close", "is_closed", "platform_headers"})
COPIES: Final = frozenset({"copy", "with_options", "with_middleware"})


def passes(sdk: str, path: tuple[str, ...]) -> bool:
    """Whether a method, by its path from the client, makes no answer."""
    if len(path) == 1:
        return path[0] in _PASSING_CLIENT
    name = ".".join(path)
    return name in _PASSING_METHODS[sdk] or (_is_passing(sdk, path[:-1]) and name not in _BRINGING)


def harmless(sdk: str, path: tuple[str, ...]) -> bool:
    """Whether a whole resource makes no answer, and brings none back."""
    return _is_passing(sdk, path) and not any(name.startswith(".".join((*path, ""))) for name in _BRINGING)


def _is_passing(sdk: str, path: tuple[str, ...]) -> bool:
    areas = _PASSING_AREAS[sdk]
    return any(".".join(path[:depth]) in areas for depth in range(1, len(path) + 1))


def passes_litellm(name: str) -> bool:
    """Whether a function of the module litellm makes no answer."""
    return name in _LITELLM or name.startswith("supports_")


_LITELLM: Final = named(
    """
    embedding aembedding moderation amoderation token_counter completion_cost cost_per_token get_model_info
    get_max_tokens validate_environment check_valid_key get_valid_models encode decode
    create_pretrained_tokenizer register_model get_llm_provider get_supported_openai_params exceptions
    """
)
