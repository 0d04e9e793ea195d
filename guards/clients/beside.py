"""What of a response may come back beside the text that was judged?

A response says more than its answer: log probabilities, citations, thinking, further messages and calls, members that
only one server knows. Each shape is described by rules, one for each member that is known; of what is not known only
numbers, truth values and the judged text itself stay. So everything in a delivered response that can be read is the
judged text, known to be no answer, or gone. Where the text was changed, what was said about the first one goes too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from guards.clients.members import altered, get, listed, member, members_of
from guards.clients.tools import Tools

__all__ = [
    "GONE",
    "Delivery",
    "Rule",
    "beside",
    "counts",
    "gone",
    "kept",
    "log_probabilities",
    "members",
    "named",
    "stopped_by",
    "the_model",
    "unknown",
]

GONE: Final = object()
"""What a rule gives for a value that goes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a rule must know.

    Args:
        as_it_came: whether the text is the one that came, and what was said about it still holds.
        said: the delivered text; None for nothing.
        by_call: whether it stands in a tool's arguments, and not in words.
        tools: what the request offered; None where the request is not known.
    """

    as_it_came: bool
    said: str | None
    by_call: bool = False
    tools: Tools | None = None


Rule: TypeAlias = Callable[[Any, Delivery], Any]
"""What stays of a value: itself, a changed copy, or `GONE`."""


def kept(value: Any, _: Delivery) -> Any:
    """The answer itself, and what is no text of the model's: ids, names, counts, what the request said."""
    return value


def beside(value: Any, at: Delivery) -> Any:
    """What is said about the answer, or was thought before it: of another text it is not true, and may repeat it."""
    return value if at.as_it_came or not _says(value) else GONE


def gone(value: Any, _: Delivery) -> Any:
    """What no guard has seen."""
    return GONE if _says(value) else value


def unknown(value: Any, at: Delivery) -> Any:
    """As `gone`, but for the judged text itself."""
    return value if isinstance(value, str) and value == at.said else gone(value, at)


def the_model(value: Any, _: Delivery) -> Any:
    """Whose turn an answer is: the model's, whatever word stands there."""
    return value if value is None or value == "assistant" else "assistant"


def stopped_by(value: Any, at: Delivery) -> Any:
    """What ended the answer: one of the texts that the request named, or the number of a token."""
    offered = at.tools.stops if at.tools is not None else frozenset()
    return value if isinstance(value, str) and value in offered else gone(value, at)


def members(rules: Mapping[str, Rule], rest: Rule = unknown) -> Rule:
    """An object, or a list of them, member by member; `rest` is for those without a rule."""

    def rule(value: Any, at: Delivery) -> Any:
        held = members_of(value)
        if held is None:
            return unknown(value, at)
        changes: dict[str, Any] = {}
        for name, inner in held.items():
            stays = rules.get(name, rest)(inner, at)
            if stays is not inner:
                changes[name] = _nothing(inner) if stays is GONE else stays
        return altered(value, changes) if changes else value

    return _each(rule)


def named(by: str, rules: Mapping[str, Rule], other: Callable[[str], Rule | None] = lambda _: None) -> Rule:
    """A list of objects that say what they are, each by its own rule; one that has none is gone with all it says."""

    def rule(value: Any, at: Delivery) -> Any:
        kind = member(value, by)
        own = (rules.get(kind) or other(kind)) if isinstance(kind, str) else None
        return (own or unknown)(value, at)

    return _each(rule)


def _each(one: Rule) -> Rule:
    """The same of every item, where there is a list; items that are gone leave it."""

    def rule(value: Any, at: Delivery) -> Any:
        if not isinstance(value, list | tuple):
            return one(value, at)
        left = [one(item, at) for item in value]
        same = all(stays is item for stays, item in zip(left, value, strict=True))
        return value if same else [stays for stays in left if stays is not GONE]

    return rule


def counts(value: Any, at: Delivery) -> Any:
    """What was used: numbers, however deep, and the few words that say of what."""
    return _COUNTS(value, at)


_COUNTS: Final = members(dict.fromkeys(("service_tier", "inference_geo", "model", "speed", "type"), kept), rest=counts)


def log_probabilities(tokens_of: Callable[[Any], list[Any] | None]) -> Rule:
    """Those of the tokens that spell the delivered text. Others tell of a text that nobody judged: one that was
    changed, a thinking part, words that the server took out."""

    def rule(value: Any, at: Delivery) -> Any:
        if not _says(value):
            return value
        tokens = tokens_of(value)
        told = at.as_it_came and tokens is not None and at.said is not None and _spelled_by(tokens, at.said)
        return value if told else GONE

    return rule


def _spelled_by(tokens: list[Any], text: str) -> bool:
    """Whether these tokens put together are this text, white space at the ends aside."""
    return _joined(tokens).strip() == text.strip()


def _joined(tokens: list[Any]) -> str:
    """A token may be half a character: then its bytes are what counts."""
    held = [get(token, "bytes") for token in listed(tokens)]
    if held and len(held) == len(tokens) and all(isinstance(one, list) for one in held):
        try:
            return bytes(byte for one in held for byte in one).decode(errors="replace")
        except (TypeError, ValueError):
            return ""
    words = [token if isinstance(token, str) else get(token, "token") for token in tokens]
    return "".join(word for word in words if isinstance(word, str))


def _says(value: Any) -> bool:
    """Whether anything can be read in it: text, and lists and objects that may hold some (as bytes, as tokens)."""
    return bool(value) and not isinstance(value, bool | int | float)


def _nothing(value: Any) -> Any:
    return [] if isinstance(value, list | tuple) else None
