"""A plain callable as a client: of messages or of one string, sync or async.

What it gets is decided once, by its signature. What it gave back is read by `guards.clients.replies`.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_origin
from weakref import WeakKeyDictionary

from guards.clients.incoming import Incoming, gives_pieces
from guards.clients.replies import answer_of
from guards.effects import Ask, Client
from guards.errors import ConfigError
from guards.messages import Message, Reply
from guards.outgoing.quoting import fence
from guards.values.colour import is_async

__all__ = [
    "CallableClient",
    "Plain",
    "Signature",
    "aopened",
    "collected",
    "one_prompt",
    "owner_of",
    "reply_turns",
    "signature_of",
    "waiting",
]

Colour = Literal["sync", "async"]

EMPTY: Final = "(empty answer)"
"""Stands for an answer of nothing: some providers refuse an empty turn, and some templates two user turns running."""


class Plain:
    """A client of the caller's own code, that gives what `_called` gives it: no fault of it is the transport's."""

    __slots__ = ()
    severable = False
    colour: Colour

    def send(self, ask: Ask, timeout: float | None) -> Any:
        result = self._called(ask, timeout)
        return collected(result) if self.colour == "async" else waiting(result, timeout)

    def open(self, ask: Ask, timeout: float | None) -> Any:
        result = self._called(ask, timeout)
        return aopened(result) if self.colour == "async" else Incoming(result)

    def _called(self, ask: Ask, timeout: float | None) -> Any:
        """What the caller's own code gives for a question, or an awaitable of it when `colour` is "async"."""
        raise NotImplementedError

    def read(self, raw: Any) -> Reply:
        return answer_of(raw)

    def turns(self, reply: Reply, feedback: str) -> tuple[Message, ...]:
        return reply_turns(reply, feedback)

    def transient(self, fault: BaseException) -> bool:
        return False

    def retry_after(self, fault: BaseException) -> float | None:
        return None


class CallableClient(Plain):
    """Calls a function with messages (a list of dicts) or with one string, as its signature says, decided once.

    A parameter named `messages`, or whose annotation is a list, gets messages; `prompt` or `str` gets one string; a
    signature that says neither gets messages. A parameter `timeout` gets the seconds that are left of the budget.
    """

    __slots__ = ("_signature", "colour", "function")

    def __init__(self, function: Callable[..., Any], *, where: str = "call") -> None:
        self.function = function
        self._signature = signature = signature_of(function, where)
        if signature.missing is not None:
            raise ConfigError(
                f"{_name(function)!r} needs {signature.missing!r} beside the question",
                where=where,
                hint=f"give it first: functools.partial({_name(function)}, {signature.missing}=...)",
            )
        self.colour: Colour = self._signature.colour

    @property
    def owner(self) -> object:
        return owner_of(self.function)

    @property
    def aside(self) -> Client:
        return self

    def _called(self, ask: Ask, timeout: float | None) -> Any:
        signature = self._signature
        question: Any = one_prompt(ask) if signature.as_text else [dict(turn) for turn in ask.messages]
        options = {"timeout": timeout} if signature.timeout and timeout is not None else {}
        if signature.keyword is None:
            return self.function(question, **options)
        return self.function(**{signature.keyword: question}, **options)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a callable's signature says.

    `keyword` is the name to pass the question by, None for the first position; `name` is its parameter, if it has one;
    `missing` another parameter that must be given.
    """

    colour: Colour
    keyword: str | None
    as_text: bool
    timeout: bool
    name: str | None = None
    missing: str | None = None


def owner_of(function: Any) -> object:
    """What lasts behind a callable: a partial or a bound method may be made anew for each call."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__self__", function)


def signature_of(function: Callable[..., Any], where: str = "call") -> Signature:
    """How to ask this callable; `ConfigError` where it leaves no room for a question."""
    key = _key(function)
    if key is None:
        return _signature(function, where)
    known = _SIGNATURES.get(key)
    if known is None:
        known = _SIGNATURES[key] = _signature(function, where)
    return known


def reply_turns(reply: Reply, feedback: str) -> tuple[Message, ...]:
    """The answer as the assistant's turn, the feedback as the next."""
    text = reply.text if reply.text.strip() else EMPTY
    return {"role": "assistant", "content": text}, {"role": "user", "content": feedback}


def one_prompt(ask: Ask) -> str:
    """Messages as one string; whatever a model said before stands in a fence."""
    added = len(ask.extra)
    turns = ask.messages
    original = turns[: len(turns) - added] if added else turns
    if len(original) == 1 and original[0].get("role", "user") == "user":
        parts = [_content(original[0])]
    else:
        parts = [_labelled(turn) for turn in original]
    for turn in ask.extra:
        words = _content(turn)
        parts.append(f"Your earlier answer:\n{fence(words)}" if turn.get("role") == "assistant" else words)
    return "\n\n".join(parts)


# Keyed weakly, so that a closure made per request is not kept.
_SIGNATURES: Final[WeakKeyDictionary[Any, Signature]] = WeakKeyDictionary()


def _key(function: Any) -> Any:
    """What the signature may be remembered by: plain functions only, since reading it costs more than the call."""
    return function if type(function) is types.FunctionType else None


def _signature(function: Callable[..., Any], where: str) -> Signature:
    colour: Colour = "async" if is_async(function) else "sync"
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return Signature(colour, None, False, False)  # a builtin that tells nothing
    question = _question(parameters)
    if question is None:
        return _open_ended(function, parameters, colour, where)
    others = [
        p.name
        for p in parameters.values()
        if p.name != question.name and p.default is p.empty and p.kind not in _OPEN and p.name != "timeout"
    ]
    by_name = question.kind is question.KEYWORD_ONLY or (
        question.name == "messages" and question.kind is not question.POSITIONAL_ONLY
    )
    # Behind another parameter (one with a default) the question has to go by its name.
    by_name = by_name or question is not next(iter(parameters.values()))
    timeout = "timeout" in parameters and question.name != "timeout"
    name, missing = question.name, next(iter(others), None)
    return Signature(colour, name if by_name else None, _takes_text(question), timeout, name, missing)


def _question(parameters: Mapping[str, inspect.Parameter]) -> inspect.Parameter | None:
    """The parameter that takes the question."""
    for name in ("messages", "prompt"):
        if name in parameters and parameters[name].kind not in _OPEN:
            return parameters[name]
    named = [p for p in parameters.values() if p.kind not in _OPEN and p.name != "timeout"]
    return next((p for p in named if p.default is p.empty), named[0] if named else None)


def _open_ended(function: Any, parameters: Mapping[str, inspect.Parameter], colour: Colour, where: str) -> Signature:
    """`*args` takes messages by position, `**kwargs` by name."""
    kinds = {p.kind for p in parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return Signature(colour, None, False, "timeout" in parameters)
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return Signature(colour, "messages", False, "timeout" in parameters)
    raise ConfigError(
        f"{_name(function)!r} takes no question",
        where=where,
        hint="give it one parameter: `messages` (a list of dicts) or `prompt` (one string)",
    )


_OPEN: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_LIST: Final = re.compile(r"(?:\w+\.)*(?:list|List|tuple|Tuple|Sequence|MutableSequence|Iterable|Collection)\b")


def _takes_text(parameter: inspect.Parameter) -> bool:
    if parameter.name == "messages" or _is_list(parameter.annotation):
        return False
    return parameter.name == "prompt" or parameter.annotation is str or _unquoted(parameter.annotation) == "str"


def _is_list(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return _LIST.match(_unquoted(annotation)) is not None
    kind = get_origin(annotation) or annotation
    return isinstance(kind, type) and kind is not str and issubclass(kind, Sequence | typing.Collection)


def _unquoted(annotation: Any) -> str:
    return annotation.strip("'\" ") if isinstance(annotation, str) else ""


def _name(function: Any) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__name__", None) or type(function).__name__


def waiting(result: Any, bound: float | None) -> Any:
    """What a callable gave; where time is bound what comes in pieces as an answer on its way, as it may take long."""
    return Incoming(result) if bound is not None and gives_pieces(result) else result


async def aopened(result: Any) -> Incoming:
    """What an async callable gave, as an answer on its way."""
    return Incoming(await result if inspect.isawaitable(result) else result)


async def collected(result: Any) -> Any:
    """What an async callable gave, with an async iterator of text put together."""
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__aiter__"):
        incoming = Incoming(result)
        while await incoming.anext() is not None:
            pass
        return incoming.reply
    return result


def _labelled(turn: Message) -> str:
    role = str(turn.get("role", "user"))
    words = _content(turn)
    return f"{role.capitalize()}:\n{fence(words) if role in ('assistant', 'tool') else words}"


def _content(turn: Message) -> str:
    """A turn's text; `ConfigError` for what one string cannot hold."""
    content = turn.get("content")
    if isinstance(content, str):
        return content
    if content is None and not turn.get("tool_calls"):
        return ""
    parts = content if isinstance(content, Sequence) else [turn]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    if not all(isinstance(text, str) for text in texts):
        kind = next((p.get("type", "?") for p, t in zip(parts, texts, strict=True) if not isinstance(t, str)), "?")
        raise ConfigError(
            f"a client of one string cannot be given a part of type {kind!r}",
            where="messages",
            hint="give a client whose parameter is called `messages`",
        )
    return "\n".join(typing.cast("list[str]", texts))
