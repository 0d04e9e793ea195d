"""What the blocks of the SDKs say of themselves: whose words they are, what in them is text, and what is none.

A turn, an item of a conversation and a part of a content are all mappings with a `type`, a `role` or neither.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

__all__ = [
    "QUOTED",
    "WORDS",
    "carriers",
    "goes_on",
    "is_media",
    "is_reference",
    "is_silent",
    "kind_of",
    "may_be_silent",
    "named",
    "role_in",
    "role_of_member",
    "role_within",
    "word",
]


def named(text: str) -> frozenset[str]:
    """Names, written one after the other."""
    return frozenset(text.split())


_OF_THE_MODEL: Final = named(
    """
    apply_patch_call computer_call custom_tool_call function_call local_shell_call mcp_approval_request reasoning
    shell_call web_search_call
    """
)
"""Items without a role that the model wrote, as far as `_WRITTEN` goes."""
_WRITTEN: Final = named(
    """
    action actions approval_request_id arguments call_id caller code content encrypted_content environment id input
    item_id max_output_length name namespace operation pending_safety_checks role server_label status summary type
    """
)
"""The members of such an item that the model wrote. Any other holds what came of it."""
_OUTSIDE: Final = named("code_interpreter_call file_search_call image_generation_call mcp_call mcp_list_tools")
"""Items in which the server keeps what a tool gave."""
_GIVEN: Final = named("logs output outputs result results stderr stdout")
"""Members of the model's blocks in which a tool's words stand."""
QUOTED: Final = named("annotations citations sources")
"""Members of the model's turns that quote what it was given. What an address or id in them leads to is not given."""


def from_outside(kind: str | None) -> bool:
    """Whether a block of this type brings what a tool gave."""
    return kind is not None and (kind.endswith(("tool_result", "_output")) or kind in _OUTSIDE)


def role_within(kind: str | None, role: str) -> str:
    """Whose words a block of this type holds in a turn of this role. The model finds documents and never writes one."""
    found = role == "assistant" and kind is not None and (kind == "document" or kind.endswith("_result"))
    return "tool" if found or from_outside(kind) else role


def role_of_member(key: Any, kind: str | None, role: str) -> str:
    """Whose words a member of a block of this type and role holds."""
    if key in OF_THE_USER:
        return "user"
    if role != "assistant":
        return role
    outside = key in QUOTED or (kind is not None and key in _GIVEN) or (kind in _OF_THE_MODEL and key not in _WRITTEN)
    return "tool" if outside else role


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
_AROUND: Final = frozenset({"data", "value"})
"""The same in a block that is itself a part of a content: `{"text": {"value": ...}}`, the source of a document."""
OF_THE_USER: Final = frozenset({"user_location"})
"""Members that tell of whoever asks, whoever's words stand around them."""
_IDS: Final = named("approval_request_id call_id id item_id tool_call_id tool_use_id")
_ROLES: Final = named("ai assistant developer function human ipython model system tool user")
_TYPES: Final = _ROLES | named(
    """
    additional_tools apply_patch_call apply_patch_call_output approximate audio auto base64 char_location
    code_interpreter_call compaction computer_call computer_call_output computer_screenshot container_file_citation
    container_upload content content_block_location custom custom_tool_call custom_tool_call_output direct document
    ephemeral file file_citation file_path file_search_call find_in_page function_call function_call_output image
    image_generation_call image_url input_audio input_file input_image input_text item_reference json
    local_shell_call local_shell_call_output logs mcp_approval_request mcp_approval_response mcp_call
    mcp_list_tools mcp_tool_result mcp_tool_use message open_page output_text page_location reasoning reasoning_text
    redacted_thinking refusal search search_result search_result_location server_tool_use shell_call
    shell_call_output summary_text text thinking tool_reference tool_result tool_use url url_citation video video_url
    web_fetch_result web_fetch_tool_result web_search_call web_search_result web_search_result_location
    web_search_tool_result
    """
)
_MEDIA_TYPES: Final = named(
    """
    application/json application/msword application/octet-stream application/pdf application/rtf application/xml
    application/vnd.openxmlformats-officedocument.presentationml.presentation
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
    application/vnd.openxmlformats-officedocument.wordprocessingml.document
    audio/aac audio/flac audio/mp3 audio/mp4 audio/mpeg audio/ogg audio/opus audio/wav audio/webm
    image/bmp image/gif image/heic image/heif image/jpeg image/jpg image/png image/svg+xml image/tiff image/webp
    text/css text/csv text/html text/javascript text/markdown text/plain text/xml text/yaml
    video/mp4 video/mpeg video/ogg video/quicktime video/webm
    """
)
_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "type": _TYPES,
    "role": _ROLES,
    "detail": named("auto high low original"),
    "format": named("aac flac mp3 opus pcm16 wav"),
    "media_type": _MEDIA_TYPES,
    "mime_type": _MEDIA_TYPES,
    "mode": named("auto explicit"),
    "phase": named("commentary final_answer"),
    "status": named("calling completed failed generating in_progress incomplete interpreting searching"),
    "ttl": named("1h 5m 12h 24h 30m"),
}
"""Members whose value is one of a few words, and which. Any other is read: an unknown type may say anything."""
WORDS: Final = (
    CONTENT
    | frozenset(_NAMES)
    | _IDS
    | _REFERS
    | _SOURCES
    | named(
        """
    annotations approximate arguments cache_control citations cited_text city code context country description
    document_index document_title encrypted_index end_block_index end_char_index end_index end_page_number file
    filename function function_call index input input_schema is_error logprobs name outcome parameters parts
    reasoning reasoning_content refusal region result results search_result_index signature source
    start_block_index start_char_index start_index start_page_number stderr stdout strict summary thinking timezone
    title tool_calls tools url_citation user_location
    """
    )
)
"""Keys that are words of the SDKs; any other key is text like a value."""
_ID: Final = re.compile(
    r"(?:apc|call|chatcmpl(?:-tool)?|ci|ctc|cu(?:_sc)?|fc|file|fs|ig|item|lsh|mcp[lr]?|mcptoolu|msg|resp|rs|sh|srvtoolu"
    r"|toolu|ws)(?=.{2,80}\Z)(?:[_-](?=[A-Za-z]*[0-9])(?:[0-9a-f]+|[A-Za-z0-9]{1,4}|[A-Za-z0-9]{16,}))+"
)
"""What their servers make is a number or long and random, with a digit in each part of it: a word is neither."""


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
        return word(role)
    return "assistant" if kind in _OF_THE_MODEL else "user"


def word(text: str) -> str:
    """A word of the SDKs in one spelling. Letters past ASCII are none of theirs, though they fold to some."""
    return text.strip().lower() if text.isascii() else text


def may_be_silent(key: Any) -> bool:
    """Whether a member of this name may hold no text."""
    return key in _NAMES or key in _IDS


def is_silent(key: Any, text: str, *, ids: bool) -> bool:
    """Whether a member says but a word of the SDKs, or (`ids`) an identifier that one of their servers made."""
    if key in _NAMES:
        return word(text) in _NAMES[key]
    return ids and key in _IDS and _ID.fullmatch(text) is not None


def goes_on(key: Any, value: Any, *, within: bool) -> bool:
    """Whether a member holds a text, or a part of one, that is read on end with those of the blocks beside it.

    `within`: the block is itself in such a member.
    """
    return key in CONTENT or (within and key in _AROUND) or (key == "source" and not isinstance(value, str))


def is_reference(members: Mapping[Any, Any], kind: str | None, *, turn: bool) -> bool:
    """Whether a block holds nothing but an id: what it stands for is kept elsewhere. In place of a turn, any id."""
    name = members.get("id")
    if name is None or kind in _OF_THE_MODEL or not (turn or is_silent("id", str(name), ids=True)):
        return False
    return all(value is None or may_be_silent(key) for key, value in members.items())


def kind_of(members: Mapping[Any, Any]) -> str | None:
    """The type that a block says it has."""
    kind = members.get("type")
    kind = kind.value if isinstance(kind, Enum) else kind
    return word(kind) if isinstance(kind, str) else None


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
