"""What the blocks of the SDKs say of themselves: whose words they are, what in them is text, and what is none.

A turn, an item of a conversation and a part of a content are all mappings with a `type`, a `role` or neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

__all__ = [
    "CONTENT",
    "WORDS",
    "carriers",
    "from_outside",
    "is_media",
    "is_silent",
    "kind_of",
    "named",
    "role_in",
]


def named(text: str) -> frozenset[str]:
    """Names, written one after the other."""
    return frozenset(text.split())


_OF_THE_MODEL: Final = named(
    """
    apply_patch_call computer_call custom_tool_call function_call image_generation_call local_shell_call
    mcp_approval_request reasoning shell_call web_search_call
    """
)
"""Items without a role that the model wrote."""
_OUTSIDE: Final = named("code_interpreter_call file_search_call mcp_call mcp_list_tools")
"""Items in which the server keeps what a tool gave."""


def from_outside(kind: str | None) -> bool:
    """Whether a block of this type brings what a tool gave."""
    return kind is not None and (kind.endswith(("tool_result", "_output")) or kind in _OUTSIDE)


_MEDIA: Final = named("audio image pdf screenshot upload video")
"""Words in the type of a block that is no text."""
_FILES: Final = frozenset({"file", "input_file", "item_reference"})
_REFERS: Final = named(
    """
    audio audio_url audios b64_json encrypted_content file_data file_id file_uri file_url image image_url images
    inline_data input_audio input_image video video_url videos
    """
)
"""Members that hold what is no text, or say where it lies."""
_SOURCES: Final = frozenset({"data", "uri", "url"})
"""The same, in a block that has a type. The `data` of a text source is text; an address that the model wrote is too."""
CONTENT: Final = frozenset({"content", "output", "text"})
"""Members that hold the text of a block; those of several blocks are read on end."""
_NAMES: Final = named("detail format media_type mime_type mode phase role status ttl type")
"""Members whose value is one of a few words."""
_IDS: Final = named("approval_request_id call_id id item_id tool_call_id tool_use_id")
WORDS: Final = (
    CONTENT
    | _NAMES
    | _IDS
    | _REFERS
    | _SOURCES
    | named(
        """
    annotations arguments cache_control citations code context description file filename function function_call
    index input input_schema is_error logprobs name outcome parameters parts reasoning reasoning_content refusal
    result results signature source stderr stdout strict summary thinking title tool_calls tools
    """
    )
)
"""Keys that are words of the SDKs; any other key is text like a value."""
_KNOWN: Final = named(
    """
    ai assistant developer function human ipython model system tool user

    additional_tools apply_patch_call apply_patch_call_output audio base64 code_interpreter_call compaction
    computer_call computer_call_output computer_screenshot container_upload content custom custom_tool_call
    custom_tool_call_output document ephemeral file file_search_call function_call function_call_output image
    image_generation_call image_url input_audio input_file input_image input_text item_reference json
    local_shell_call local_shell_call_output logs mcp_approval_request mcp_approval_response mcp_call
    mcp_list_tools mcp_tool_result mcp_tool_use message output_text reasoning reasoning_text redacted_thinking
    refusal search_result server_tool_use shell_call shell_call_output summary_text text thinking tool_reference
    tool_result tool_use url video video_url web_search_call web_search_result web_search_tool_result
    web_fetch_result web_fetch_tool_result

    auto commentary completed explicit final_answer flac high in_progress incomplete low mp3 opus original pcm16 wav

    5m 1h 30m 12h 24h
    """
)
"""Those words. Any other is read: a type that is not known may say anything."""
_MEDIA_TYPE: Final = re.compile(r"(?:application|audio|image|text|video)/[A-Za-z0-9.+-]{1,64}")
_ID: Final = re.compile(
    r"(?:apc|call|chatcmpl|ci|ctc|cu|fc|file|fs|ig|item|lsh|mcp[lr]?|mcptoolu|msg|resp|rs|sh|srvtoolu|toolu|ws)"
    r"[_-][A-Za-z0-9_-]{1,80}"
)


_SAYS_NOTHING: Final = (type(None), bool, int, float)


def role_in(members: Mapping[Any, Any]) -> str:
    """Whose turn it is, in small letters; without a role, what its type says, and the user's where that says nothing.

    Text from outside (the result of a tool) is `tool`.
    """
    role = members.get("role")
    role = role.value if isinstance(role, Enum) else role
    kind = kind_of(members)
    if from_outside(kind):
        return "tool"
    if isinstance(role, str) and role.strip():
        return role.strip().casefold()
    return "assistant" if kind in _OF_THE_MODEL else "user"


def is_silent(key: Any, value: Any, *, ids: bool) -> bool:
    """Whether a member holds but a word of the SDKs, or (`ids`) an identifier that one of their servers made."""
    if not isinstance(value, str):
        return False
    if key in _NAMES:
        return value.strip().casefold() in _KNOWN or _MEDIA_TYPE.fullmatch(value) is not None
    return ids and key in _IDS and _ID.fullmatch(value) is not None


def kind_of(members: Mapping[Any, Any]) -> str | None:
    """The type that a block says it has."""
    kind = members.get("type")
    kind = kind.value if isinstance(kind, Enum) else kind
    return kind.strip().casefold() if isinstance(kind, str) else None


def is_media(kind: str | None) -> bool:
    """Whether a block of this type is no text."""
    return kind is not None and (kind in _FILES or not _MEDIA.isdisjoint(re.split(r"[^a-z]+", kind)))


def carriers(members: Mapping[Any, Any], kind: str | None, role: str) -> set[Any]:
    """The members that hold something other than text, or say where it lies."""
    typed = kind is not None or "media_type" in members or "mime_type" in members
    names = _REFERS | _SOURCES if typed and kind != "text" and role != "assistant" else _REFERS
    return {
        key for key, value in members.items() if key in names and not isinstance(value, _SAYS_NOTHING) and value != ""
    }
