"""What a request in OpenAI's form offers of tools, and whose a call in a response is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final, NamedTuple

from guards.clients.endpoint import request_of
from guards.clients.members import get, listed, member
from guards.clients.tools import Asked, Tools, each, stops_of, written

__all__ = ["Call", "calls_of", "chat_tools", "is_brought", "is_forced", "response_tools", "waiting", "with_echo"]


class Call(NamedTuple):
    """One call in a message. `body` is the object that holds its name, and by `place` its arguments."""

    id: str | None
    name: str | None
    arguments: str
    body: Any
    place: str
    whole: Any

    @property
    def custom(self) -> bool:
        """Whether it is of a tool that takes plain text."""
        return self.place == "input"

    def offered(self, tools: Tools) -> bool:
        """Whether the request offered such a tool. A call that says of itself to be of both kinds is of none."""
        kind = "custom" if self.custom else "function"
        other = get(self.whole, "function" if self.custom else "custom") if self.whole is not self.body else None
        alike = self.whole is self.body or ((get(self.whole, "type") or kind) == kind and other is None)
        return alike and tools.offers(self.name, custom=self.custom)

    def forced(self, tools: Tools) -> bool:
        """Whether it is of the tool that had to be called."""
        return tools.forces(self.name, custom=self.custom)


def calls_of(message: Any) -> list[Call]:
    """The calls of a chat message. The old `function_call` has no id."""
    calls = []
    for call in listed(member(message, "tool_calls")):
        body = get(call, "function") or get(call, "custom")
        place = "arguments" if get(call, "function") else "input"
        calls.append(_call(get(call, "id"), body, place, call))
    old = member(message, "function_call")
    return calls if old is None else [*calls, _call(None, old, "arguments", old)]


def _call(ident: Any, body: Any, place: str, whole: Any) -> Call:
    name = member(body, "name")
    written_id = ident if isinstance(ident, str) else None
    return Call(written_id, name if isinstance(name, str) else None, written(member(body, place)), body, place, whole)


# -- what is offered ---------------------------------------------------------------------------------------------------


def chat_tools(options: Mapping[str, Any]) -> Tools:
    """Of `chat.completions`, whose calls all go by name."""
    said = request_of(options)
    choice, old = said.get("tool_choice"), said.get("function_call")
    tools = each(said.get("tools")) if choice != "none" else ()
    functions = {_name(tool) for tool in each(said.get("functions")) if old != "none"}
    stops = stops_of(said.get("stop"), said.get("stop_sequences"))
    offered = replace(_by_name(tools, functions), stops=stops, asked=Asked(said))
    if member(choice, "type") == "allowed_tools":
        allowed = member(choice, "allowed_tools")
        offered = offered.only(_by_name(each(member(allowed, "tools"))))
        choice = member(allowed, "mode")
    if isinstance(choice, str) and choice in _MUST:
        return offered.must()
    forced = _name(choice) or member(old, "name")
    return offered.forcing(forced, custom=_is_custom(choice)) if isinstance(forced, str) else offered


def _by_name(tools: Sequence[Any], functions: Iterable[Any] = ()) -> Tools:
    customs = _strings({_name(tool) for tool in tools if _is_custom(tool)})
    names = _strings({_name(tool) for tool in tools} | set(functions))
    return Tools(None, names, customs=customs)


def _is_custom(tool: Any) -> bool:
    return member(tool, "type") == "custom" and member(tool, "function") is None


def response_tools(options: Mapping[str, Any], question: Any = None) -> Tools:
    """Of `responses`, with those that its question brings."""
    said = request_of(options)
    choice, loaded = said.get("tool_choice"), said.pop("input", question)
    offered = replace(_loaded(_offered(said.get("tools")), loaded) if choice != "none" else Tools(), asked=Asked(said))
    if member(choice, "type") == "allowed_tools":
        offered = offered.only(_offered(member(choice, "tools")))
        choice = member(choice, "mode")
    if isinstance(choice, str) and choice in _MUST:
        return offered.must()
    if member(choice, "type") in ("function", "custom") and isinstance(member(choice, "name"), str):
        return offered.forcing(member(choice, "name"), custom=_is_custom(choice))
    return replace(offered, elsewhere=bool(said.get("prompt")) and choice != "none")


def _loaded(tools: Tools, question: Any) -> Tools:
    """Also those that the turns bring: the caller adds some in the middle of a conversation, or found them there."""
    for item in () if isinstance(question, str) else each(question):
        if member(item, "type") in ("additional_tools", "tool_search_output"):
            tools = tools.with_those_of(_offered(member(item, "tools")))
    return tools


def _offered(tools: Any) -> Tools:
    return reduce(Tools.with_those_of, map(_one, each(tools)), Tools())


def _one(tool: Any) -> Tools:
    kind = get(tool, "type")
    if kind == "namespace":
        return _offered(get(tool, "tools"))
    if kind in ("function", "custom", None):
        names = _strings({_name(tool)})
        return Tools(names=names, customs=names if _is_custom(tool) else frozenset())
    version = _VERSION.sub("", kind) if isinstance(kind, str) else None
    return Tools(kinds=_strings({version}), labels=_strings({_text(get(tool, "server_label"))}))


def _name(tool: Any) -> str | None:
    return _text(member(member(tool, "function") or member(tool, "custom"), "name") or member(tool, "name"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _strings(values: set[Any]) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str))


# -- whose an item of a response is ------------------------------------------------------------------------------------


def waiting(raw: Any) -> list[Any]:
    """Output items that wait for the caller before there is an answer; the others were done by the server, which says
    so by what came of them. A function it cannot have called."""
    output = listed(get(raw, "output"))
    done = {(get(item, "type"), get(item, "call_id")) for item in output}
    return [item for item in output if _waits(item) and not _is_done(item, done)]


def _is_done(item: Any, done: set[tuple[Any, Any]]) -> bool:
    kind, ident = get(item, "type"), get(item, "call_id")
    return kind not in _OWN and ident is not None and (f"{kind}_output", ident) in done


def is_brought(item: Any, tools: Tools | None) -> bool:
    """Whether an item that is neither words nor thinking is of a tool that the request offered."""
    if tools is None:
        return False
    kind = get(item, "type", "")
    if kind in _OWN:
        return tools.offers(get(item, "name"), custom=kind == "custom_tool_call")
    if kind in _MCP:
        return tools.brings("mcp") and get(item, "server_label") in tools.labels
    return kind in _WORK and tools.brings(_WORK[kind])


def is_forced(call: Any, tools: Tools) -> bool:
    """Whether a call in a response is of the tool that had to be called."""
    return tools.forces(get(call, "name"), custom=get(call, "type") == "custom_tool_call")


def with_echo(raw: Any, tools: Tools) -> Tools:
    """Also the tools of a prompt that is kept on the server: its response names them."""
    return tools.with_those_of(_offered(get(raw, "tools"))) if tools.elsewhere else tools


def _waits(item: Any) -> bool:
    return get(item, "type") in _WAITING or (
        get(item, "type") == "tool_search_call" and get(item, "execution") == "client"
    )


_MUST: Final = ("required", "any")
"""That some tool must be called; "any" is Mistral's word for it."""
_VERSION: Final = re.compile(r"(_use)?(_preview)?(_\d{4}_\d{2}_\d{2})?$")
_OWN: Final = ("function_call", "custom_tool_call")
_MCP: Final = ("mcp_call", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response")
_WORK: Final = {
    "apply_patch_call": "apply_patch",
    "apply_patch_call_output": "apply_patch",
    "code_interpreter_call": "code_interpreter",
    "computer_call": "computer",
    "computer_call_output": "computer",
    "file_search_call": "file_search",
    "image_generation_call": "image_generation",
    "local_shell_call": "local_shell",
    "local_shell_call_output": "local_shell",
    "program": "programmatic_tool_calling",
    "program_output": "programmatic_tool_calling",
    "shell_call": "shell",
    "shell_call_output": "shell",
    "tool_search_call": "tool_search",
    "tool_search_output": "tool_search",
    "web_search_call": "web_search",
}
"""The items of the tools that OpenAI brings, and the tool of each, less its version."""
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
