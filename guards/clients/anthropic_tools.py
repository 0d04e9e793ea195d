"""What a request in Anthropic's form offers of tools, and whose a block of a response is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from guards.clients.endpoint import request_of
from guards.clients.members import get, member
from guards.clients.tools import Asked, Tools, each, stops_of

__all__ = ["is_at_work", "is_offered", "message_tools", "serves"]


def message_tools(options: Mapping[str, Any]) -> Tools:
    """Of `messages.create`. Tools of the caller's and those that the SDK brings (an editor, a shell) go by name, those
    of the server by their type."""
    said = request_of(options)
    choice = said.get("tool_choice")
    kind = member(choice, "type")
    stops = stops_of(said.get("stop_sequences"))
    if kind == "none":
        return Tools(stops=stops, asked=Asked(said))
    tools = each(said.get("tools"))
    kinds = [_kind(member(tool, "type")) for tool in tools]
    names = [member(tool, "name") for tool, kind in zip(tools, kinds, strict=True) if kind not in _SERVED]
    offered = Tools(
        None,
        frozenset(name for name in names if isinstance(name, str)),
        frozenset(kinds) - {"", "custom"} | ({_MCP} if said.get("mcp_servers") else frozenset()),
        stops=stops,
        asked=Asked(said),
    )
    if kind == "any":
        alone = len(tools) == 1 and len(offered.names) == 1
        return offered.forcing(next(iter(offered.names))) if alone else offered
    forced = member(choice, "name") if kind == "tool" else None
    served = kind == "tool" and isinstance(forced, str) and forced in _SERVERS and forced not in offered.names
    return offered.forcing(forced) if isinstance(forced, str) and not served else offered


def is_offered(call: Any, tools: Tools) -> bool:
    """Whether a `tool_use` is of a tool that the request named."""
    name, family = get(call, "name"), get(call, "toolset_name")
    if family is not None:  # of several tools that go by one name
        return isinstance(family, str) and f"{family}_toolset" != _MCP and tools.brings(f"{family}_toolset")
    return tools.offers(name, custom=False)


def serves(tools: Tools) -> bool:
    """Whether the request offers a tool that works on the server."""
    return any(kind in _SERVED for kind in tools.kinds)


def is_at_work(block: Any, tools: Tools | None) -> bool:
    """Whether a block that is neither words nor thinking comes of a tool of the server's that the request named."""
    if tools is None:
        return False
    kind = get(block, "type", "")
    family = _SERVERS.get(get(block, "name", "")) if kind == "server_tool_use" else _WORK.get(kind)
    return family is not None and tools.brings(family)


def _kind(kind: Any) -> str:
    """A type less its date and variant: "web_search" of "web_search_20250305"."""
    return re.sub(r"(_tool_(bm25|regex))?(_\d{8})?$", "", kind) if isinstance(kind, str) else ""


_MCP: Final = "mcp_toolset"
_SERVERS: Final = {
    "advisor": "advisor",
    "bash_code_execution": "code_execution",
    "code_execution": "code_execution",
    "text_editor_code_execution": "code_execution",
    "tool_search_tool_bm25": "tool_search",
    "tool_search_tool_regex": "tool_search",
    "web_fetch": "web_fetch",
    "web_search": "web_search",
}
"""The server's tools by the names that they go by, and the tool that a request offers, less its version."""
_WORK: Final = {
    **{f"{name}_tool_result": family for name, family in _SERVERS.items()},
    "tool_search_tool_result": "tool_search",
    **dict.fromkeys(("mcp_tool_use", "mcp_tool_result", "mcp_tool_listing"), _MCP),
}
"""The blocks of what they did."""
_SERVED: Final = frozenset({*_SERVERS.values(), _MCP})
