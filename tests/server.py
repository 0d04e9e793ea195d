"""A model's server on loopback: answers by a script, records what it was asked, breaks in every way a real one does.

    with Server([answer("no"), Fault(429), answer('{"n": 1}')]) as server:
        client = server.openai()

Speaks OpenAI's chat completions, responses and old completions, and Anthropic's messages, chosen by the path asked for.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal, Self

# Making one takes longer than a whole test, and nothing here is encrypted.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Answer:
    """A good response: one text per choice, or a tool call, or a refusal."""

    texts: tuple[str | None, ...] = ()
    tool: tuple[str, str] | None = None
    refusal: str | None = None
    finish: str | None = None
    tokens: tuple[int, int] | None = (10, 5)
    extra: dict[str, Any] = field(default_factory=dict)
    piece: int = 7
    """Characters of each chunk where a stream is asked for."""
    breaks_after: int | None = None
    """So many events of a stream come, then the line is cut."""


@dataclass(frozen=True)
class Fault:
    """An HTTP error."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None


@dataclass(frozen=True)
class Slow:
    """An answer that comes after so many seconds."""

    seconds: float
    then: Answer


@dataclass(frozen=True)
class Raw:
    """A body as it is."""

    body: bytes
    kind: str = "application/json"


class Cut:
    """A connection that is closed in the middle of the body."""


@dataclass(frozen=True)
class Drip:
    """A response that never ends: its headers, its body or the events of its stream come a byte now and then, faster
    than any read time-out. `left` of the server counts it when the client hangs up."""

    part: Literal["headers", "body", "stream"]
    gap: float = 0.05


Step = Answer | Fault | Slow | Raw | Cut | Drip


def answer(*texts: str | None, **options: Any) -> Answer:
    return Answer(tuple(texts), **options)


def line_faults(sdk: ModuleType) -> tuple[type[Exception], ...]:
    """What an SDK raises where the line breaks in mid-stream: its own error; older releases, that of their transport."""
    transports = (import_module(name) for name in ("httpx", "httpx2") if find_spec(name))
    return sdk.APIConnectionError, *(transport.TransportError for transport in transports)


def tool(name: str, arguments: str, text: str | None = None) -> Answer:
    return Answer((text,), tool=(name, arguments))


class Server:
    """`requests` are (path, body, headers), oldest first. Running out of steps is a 500 that says so."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = list(steps)
        self._lock = threading.Lock()
        self.left = 0
        """Streams, and answers that drip, that the client left."""
        self.requests: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self._clients: list[Any] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        for client in self._clients:
            client.close()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _ in self.requests]

    def next(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Step:
        with self._lock:
            self.requests.append((path, body, headers))
            return self._steps.pop(0) if self._steps else Fault(418, body={"error": {"message": "the script is over"}})

    # The clients' HTTP transports are told to look at no proxy of the environment.

    def openai(self, **options: Any) -> Any:
        import openai

        http = openai.DefaultHttpxClient(trust_env=False, verify=_TLS)
        return self._kept(
            openai.OpenAI(api_key="k", base_url=f"{self.url}/v1", http_client=http, **{"max_retries": 5, **options})
        )

    def async_openai(self, **options: Any) -> Any:
        """To be closed by the caller: `async with`."""
        import openai

        http = openai.DefaultAsyncHttpxClient(trust_env=False, verify=_TLS)
        return openai.AsyncOpenAI(
            api_key="k", base_url=f"{self.url}/v1", http_client=http, **{"max_retries": 5, **options}
        )

    def anthropic(self, **options: Any) -> Any:
        import anthropic

        http = anthropic.DefaultHttpxClient(trust_env=False, verify=_TLS)
        return self._kept(
            anthropic.Anthropic(api_key="k", base_url=self.url, http_client=http, **{"max_retries": 5, **options})
        )

    def async_anthropic(self, **options: Any) -> Any:
        """To be closed by the caller: `async with`."""
        import anthropic

        http = anthropic.DefaultAsyncHttpxClient(trust_env=False, verify=_TLS)
        return anthropic.AsyncAnthropic(
            api_key="k", base_url=self.url, http_client=http, **{"max_retries": 5, **options}
        )

    def _kept(self, client: Any) -> Any:
        self._clients.append(client)
        return client


@contextmanager
def nobody_there() -> Iterator[str]:
    """The address of a server that takes no connection: bound, so that nobody else has its port meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            self._take(server.next(self.path, body, dict(self.headers)), body)

        def do_GET(self) -> None:
            self._take(server.next(self.path, {}, dict(self.headers)), {})

        def _take(self, step: Step, body: dict[str, Any]) -> None:
            if isinstance(step, Slow):
                time.sleep(step.seconds)
                step = step.then
            if isinstance(step, Cut):
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "1000")
                self.end_headers()
                self.wfile.write(b'{"id": "x", ')
                self.wfile.flush()
                # A reset rather than an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
            elif isinstance(step, Drip):
                self._drip(*_DRIPS[step.part], step.gap)
            elif isinstance(step, Fault):
                said = {"error": {"message": "scripted", "type": "scripted"}} if step.body is None else step.body
                self._send(step.status, json.dumps(said).encode(), "application/json", step.headers)
            elif isinstance(step, Raw):
                self._send(200, step.body, step.kind)
            else:
                made = _SHAPES[_service(self.path)](step, body)
                if body.get("stream"):
                    self._stream(_EVENTS[_service(self.path)](made, step, body), step.breaks_after)
                    return
                self._send(200, json.dumps({**made, **step.extra}).encode(), "application/json")

        def _drip(self, start: bytes, piece: bytes, gap: float) -> None:
            self.close_connection = True
            self.connection.settimeout(gap)
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n" + start)
                while True:
                    self.wfile.write(piece)
                    try:
                        if not self.connection.recv(1):
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
            server.left += 1

        def _stream(self, events: list[tuple[str | None, Any]], breaks_after: int | None) -> None:
            try:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for name, data in events[:breaks_after]:
                    said = data if isinstance(data, str) else json.dumps(data)
                    chunk = f"{f'event: {name}{chr(10)}' if name else ''}data: {said}\n\n".encode()
                    self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                    self.wfile.flush()
                if breaks_after is None:  # else the line is cut before the last chunk
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                server.left += 1  # the client left
            self.close_connection = True

        def _send(self, status: int, data: bytes, kind: str, headers: Sequence[tuple[str, str]] = ()) -> None:
            try:
                self.send_response(status)
                for name, value in (("content-type", kind), ("content-length", str(len(data))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # the client left, as one whose time ran out does

        def log_message(self, *args: Any) -> None:
            """Nothing to the screen."""

    return Handler


_DRIPS = {
    "headers": (b"x-filler: ", b"a"),
    "body": (b"content-type: application/json\r\ncontent-length: 100000\r\n\r\n", b" "),
    "stream": (b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n", b"8\r\n: ping\n\n\r\n"),
}


def _service(path: str) -> str:
    path = path.partition("?")[0]
    return "chat" if path.endswith("/chat/completions") else path.rsplit("/", 1)[-1]


def _chat(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    choices = []
    for index, text in enumerate(step.texts or (None,)):
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": step.refusal}
        if step.tool is not None:
            name, arguments = step.tool
            call = {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
            message["tool_calls"] = [call]
        finish = step.finish or ("tool_calls" if step.tool else "stop")
        choices.append({"index": index, "message": message, "finish_reason": finish, "logprobs": None})
    usage = _usage(step, "prompt_tokens", "completion_tokens")
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model"),
        "choices": choices,
    } | usage


def _completions(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    choices = [
        {"index": i, "text": text, "finish_reason": step.finish or "stop", "logprobs": None}
        for i, text in enumerate(step.texts)
    ]
    usage = _usage(step, "prompt_tokens", "completion_tokens")
    return {
        "id": "t1",
        "object": "text_completion",
        "created": 1,
        "model": body.get("model"),
        "choices": choices,
    } | usage


def _responses(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    if step.refusal is not None:
        parts.append({"type": "refusal", "refusal": step.refusal})
    parts += [{"type": "output_text", "text": text, "annotations": []} for text in step.texts if text is not None]
    if parts:
        output.append({"type": "message", "id": "m1", "role": "assistant", "status": "completed", "content": parts})
    if step.tool is not None:
        name, arguments = step.tool
        call = {"type": "function_call", "id": "f1", "call_id": "call_0", "name": name, "arguments": arguments}
        output.append({**call, "status": "completed"})
    made = {
        "id": "r1",
        "object": "response",
        "created_at": 1,
        "model": body.get("model"),
        "output": output,
        "status": "incomplete" if step.finish else "completed",
        "incomplete_details": {"reason": step.finish} if step.finish else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
    }
    return made | _usage(step, "input_tokens", "output_tokens")


def _messages(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": text} for text in step.texts if text is not None]
    if step.tool is not None:
        name, arguments = step.tool
        content.append({"type": "tool_use", "id": "toolu_0", "name": name, "input": json.loads(arguments)})
    finish = step.finish or ("tool_use" if step.tool else "end_turn")
    made = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "content": content,
        "stop_reason": finish,
        "stop_sequence": None,
    }
    if step.refusal is not None:
        made |= {"stop_reason": "refusal", "stop_details": {"type": "refusal", "explanation": step.refusal}}
    return made | _usage(step, "input_tokens", "output_tokens")


def _usage(step: Answer, into: str, out: str) -> dict[str, Any]:
    if step.tokens is None:
        return {}
    return {"usage": {into: step.tokens[0], out: step.tokens[1], "total_tokens": sum(step.tokens)}}


def _models(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "me"}]}


def _embeddings(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    item = {"object": "embedding", "index": 0, "embedding": [0.5]}
    return {"object": "list", "model": "m", "data": [item], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def _count(step: Answer, body: dict[str, Any]) -> dict[str, Any]:
    return {"input_tokens": 7}


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _chat_events(made: dict[str, Any], step: Answer, body: dict[str, Any]) -> list[tuple[str | None, Any]]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> tuple[str | None, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return None, {**head, "choices": [choice]}

    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body.get("model")}
    message = made["choices"][0]["message"]
    events = [chunk({"role": "assistant", "content": ""})]
    events += [chunk({"content": piece}) for piece in _cut(message["content"] or "", step.piece)]
    for call in message.get("tool_calls", ()):
        function = call["function"]
        events.append(chunk({"tool_calls": [{**call, "index": 0, "function": {"name": function["name"]}}]}))
        for piece in _cut(function["arguments"], step.piece):
            events.append(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))
    events.append(chunk({}, made["choices"][0]["finish_reason"]))
    if body.get("stream_options", {}).get("include_usage"):
        events.append((None, {**head, "choices": [], "usage": made["usage"]}))
    return [*events, (None, "[DONE]")]


def _completion_events(made: dict[str, Any], step: Answer, body: dict[str, Any]) -> list[tuple[str | None, Any]]:
    head = {"id": "t1", "object": "text_completion", "created": 1, "model": body.get("model")}
    pieces = _cut(made["choices"][0]["text"], step.piece)
    ends = [None] * (len(pieces) - 1) + ["stop"]
    events: list[tuple[str | None, Any]] = [
        (None, {**head, "choices": [{"index": 0, "text": piece, "finish_reason": end, "logprobs": None}]})
        for piece, end in zip(pieces, ends, strict=True)
    ]
    return [*events, (None, {**head, "choices": [], "usage": made["usage"]}), (None, "[DONE]")]


def _response_events(made: dict[str, Any], step: Answer, body: dict[str, Any]) -> list[tuple[str | None, Any]]:
    events: list[tuple[str, dict[str, Any]]] = [("response.created", {"response": {**made, "output": []}})]
    for index, item in enumerate(made["output"]):
        where = {"item_id": item["id"], "output_index": index}
        hollow = {"content": []} if item["type"] == "message" else {"arguments": ""}
        events.append(("response.output_item.added", {"output_index": index, "item": {**item, **hollow}}))
        for number, part in enumerate(item.get("content", ())):
            there = {**where, "content_index": number}
            text = part.get("text", "")
            events.append(("response.content_part.added", {**there, "part": {**part, "text": ""}}))
            for piece in _cut(text, step.piece):
                events.append(("response.output_text.delta", {**there, "delta": piece, "logprobs": []}))
            if text:
                events.append(("response.output_text.done", {**there, "text": text, "logprobs": []}))
            events.append(("response.content_part.done", {**there, "part": part}))
        for piece in _cut(item.get("arguments", ""), step.piece):
            events.append(("response.function_call_arguments.delta", {**where, "delta": piece}))
        if "arguments" in item:
            events.append(("response.function_call_arguments.done", {**where, "arguments": item["arguments"]}))
        events.append(("response.output_item.done", {"output_index": index, "item": item}))
    events.append((f"response.{made['status']}", {"response": made}))
    return [(name, {"type": name, "sequence_number": n, **data}) for n, (name, data) in enumerate(events)]


def _message_events(made: dict[str, Any], step: Answer, body: dict[str, Any]) -> list[tuple[str | None, Any]]:
    usage = made["usage"]
    begun = {**made, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 0}}
    events: list[tuple[str, dict[str, Any]]] = [("message_start", {"message": begun})]
    for index, block in enumerate(made["content"]):
        empty = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
        events.append(("content_block_start", {"index": index, "content_block": empty}))
        for piece in _cut(block["text"] if block["type"] == "text" else json.dumps(block["input"]), step.piece):
            kind, key = ("text_delta", "text") if block["type"] == "text" else ("input_json_delta", "partial_json")
            events.append(("content_block_delta", {"index": index, "delta": {"type": kind, key: piece}}))
        events.append(("content_block_stop", {"index": index}))
    delta = {"stop_reason": made["stop_reason"], "stop_sequence": None}
    events.append(("message_delta", {"delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}))
    events.append(("message_stop", {}))
    return [(name, {"type": name, **data}) for name, data in events]


_EVENTS = {
    "chat": _chat_events,
    "completions": _completion_events,
    "responses": _response_events,
    "messages": _message_events,
}
_SHAPES = {
    "chat": _chat,
    "completions": _completions,
    "responses": _responses,
    "messages": _messages,
    "models": _models,
    "embeddings": _embeddings,
    "count_tokens": _count,
}
