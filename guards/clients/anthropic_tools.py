"""What a request in Anthropic's form offers of tools, and whose a block of a response is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from guards.clients.endpoint import request_of
from guards.clients.members import get, member
from guards.clients.tools import Tools, each, stops_of

__all__ = ["is_at_work", "is_offered", "message_tools"]


def message_tools(options: Mapping[str, Any]) -> Tools:
    """Of `messages.create`. Tools of the caller's and those that the SDK brings (an editor, a shell) go by name, those
    of the server by their type."""
    said = request_of(options)
    choice = said.get("tool_choice")
    kind = member(choice, "type")
    stops = stops_of(said.get("stop_sequences"))
    if kind == "none":
        return Tools(stops=stops)
    tools = each(said.get("tools"))
    names = {member(tool, "name") for tool in tools}
    kinds = {_kind(member(tool, "type")) for tool in tools if member(tool, "type") not in (None, "custom")}
    kinds |= {"mcp"} if said.get("mcp_servers") else set()
    offered = Tools(
        None,
        frozenset(name for name in names if isinstance(name, str)),
        frozenset(one for one in kinds if one),
        stops=stops,
    )
    if kind == "any":
        alone = len(tools) == 1 and len(offered.names) == 1
        return offered.forcing(next(iter(offered.names))) if alone else offered
    forced = member(choice, "name") if kind == "tool" else None
    return offered.forcing(forced) if isinstance(forced, str) else offered


def is_offered(call: Any, tools: Tools) -> bool:
    """Whether a `tool_use` is of a tool that the request named."""
    family = get(call, "toolset_name")
    return get(call, "name") in tools.names or (isinstance(family, str) and tools.brings(f"{family}_toolset"))


def is_at_work(block: Any, tools: Tools | None) -> bool:
    """Whether a block that is neither words nor thinking comes of a tool of the server's that the request named."""
    if tools is None:
        return False
    kind, name = str(get(block, "type", "")), str(get(block, "name", ""))
    if kind.startswith("mcp_"):
        return tools.brings("mcp")
    said = name if kind == "server_tool_use" else kind
    return any(own in said for own in tools.kinds)


def _kind(kind: Any) -> str:
    """A type less its date and variant: "web_search" of "web_search_20250305"."""
    return re.sub(r"(_tool_(bm25|regex))?(_\d{8})?$", "", kind) if isinstance(kind, str) else ""
