"""The tool calls of a chat completion's stream, put together from their deltas, whatever the server numbers them by.

OpenAI gives each call an index, and its id and name once. Of servers that speak the same protocol some repeat the name
(vLLM, NVIDIA NIM) or the id in each delta, some give all calls one index or none (Ollama, Gemini), some repeat a call
at another index (LocalAI), and some give the arguments as an object.
"""

from __future__ import annotations

from typing import Any

from guards.clients.fields import index_in, object_in, objects_in, text_in
from guards.clients.members import get, member
from guards.clients.tools import Tools, is_arguments, written
from guards.errors import ServerFault

__all__ = ["StreamedCalls"]


class StreamedCalls:
    """`take` each delta; `members` are those of the whole message."""

    def __init__(self, tools: Tools | None) -> None:
        self.tools = tools
        self._calls: list[dict[str, Any]] = []
        self._at: dict[Any, dict[str, Any]] = {}
        """The call that an index means at present."""
        self._ids: dict[str, dict[str, Any]] = {}
        self._old: dict[str, Any] = {"name": "", "arguments": ""}

    def take(self, delta: Any) -> str:
        """What the delta adds to the arguments that are the answer: the first call's, of the forced tool if there is
        one."""
        added = ""
        for piece in objects_in(delta, "tool_calls"):
            call, arguments = self._taken(piece)
            first = next((one for one in self._calls if self._answers(one)), None)
            added += arguments if call is first else ""
        old = object_in(delta, "function_call")
        if old is not None:
            arguments = _joined(self._old, old, "arguments")
            added += "" if self._calls else arguments
        return added

    @property
    def begun(self) -> bool:
        """Whether there is a call at all."""
        return bool(self._calls or self._old["name"] or self._old["arguments"])

    def members(self) -> dict[str, Any]:
        """`tool_calls`, and the old `function_call` where there was one."""
        old = {"function_call": self._old} if self._old["name"] or self._old["arguments"] else {}
        return {"tool_calls": [_as_sent(call) for call in self._calls] or None, **old}

    def _answers(self, call: dict[str, Any]) -> bool:
        if self.tools is None or self.tools.forced is None:
            return True
        return self.tools.forces(call["function"]["name"], custom=call["type"] == "custom")

    def _taken(self, piece: Any) -> tuple[dict[str, Any], str]:
        body, other = object_in(piece, "function"), object_in(piece, "custom")
        said = {"function": body, "custom": other}
        kinds = {kind for kind, held in said.items() if held is not None or get(piece, "type") == kind}
        body = other if body is None else body
        ident, index = text_in(piece, "id"), index_in(piece, "index")
        call = self._known(ident, index, body)
        if call is None:
            call = {"type": "function", "function": {"name": "", "arguments": ""}}
            self._calls.append(call)
        if any(call["function"].values()):
            kinds |= {call["type"]}
        if len(kinds) > 1:
            raise ServerFault("the server's answer has a call of two kinds", passing=False)
        call["type"] = next(iter(kinds), call["type"])
        self._at[index] = call
        if ident and "id" not in call:
            call["id"] = ident
            self._ids.setdefault(ident, call)
        return call, _joined(call["function"], body, "input" if call["type"] == "custom" else "arguments")

    def _known(self, ident: Any, index: Any, body: Any) -> dict[str, Any] | None:
        """The call that a delta goes on with; None where it begins another."""
        if ident and ident in self._ids:
            return self._ids[ident]
        call = self._at.get(index)
        if call is None or not get(body, "name"):
            return call
        return None if _begins_another(call, ident, body) else call


def _as_sent(call: dict[str, Any]) -> dict[str, Any]:
    """A call in the shape of its kind: a tool that takes plain text has an input, and no arguments."""
    if call["type"] != "custom":
        return call
    body = call["function"]
    rest = {name: value for name, value in call.items() if name != "function"}
    return {**rest, "custom": {"name": body["name"], "input": body["arguments"]}}


def _begins_another(call: dict[str, Any], ident: Any, body: Any) -> bool:
    """Whether a delta with a name is of another call than the one that its index meant so far. A server may repeat the
    name, and give a new id each time, until the call is complete."""
    so_far = call["function"]
    complete, renamed = is_arguments(so_far["arguments"]), get(body, "name") != so_far["name"]
    if ident and call.get("id"):
        return renamed or (complete and bool(get(body, "arguments")))
    return complete and (renamed or bool(get(body, "arguments")))


def _joined(so_far: dict[str, Any], body: Any, place: str) -> str:
    """Add a delta to a call; what it adds to the arguments."""
    name = text_in(body, "name")
    if name is not None and name != so_far["name"]:
        so_far["name"] = name if name.startswith(so_far["name"]) else so_far["name"] + name
    arguments = written(member(body, place))
    if arguments == so_far["arguments"] and is_arguments(arguments):
        return ""  # the whole of it once more
    so_far["arguments"] += arguments
    return arguments
