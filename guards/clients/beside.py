"""What of a response may come back beside the text that was judged?

A response says more than its answer: log probabilities, citations, thinking, further messages and calls, members that
only one server knows. Each shape is described by rules, one for each member that is known, and the same ones clear
whole responses and the chunks of streams; of what is not known only numbers, truth values and the judged text itself
stay. So everything in a delivered response that can be read is the judged text, known to be no answer, or gone. Where
the text was changed, what was said about the first one goes too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from guards.clients.members import altered, members_of
from guards.clients.tools import Tools

__all__ = [
    "GONE",
    "Delivery",
    "Rule",
    "beside",
    "counts",
    "each",
    "facts",
    "gone",
    "is_word",
    "kept",
    "members",
    "named",
    "number",
    "one_of",
    "says",
    "sources",
    "stopped_by",
    "text",
    "the_model",
    "unknown",
    "word",
]

GONE: Final = object()
"""What a rule gives for a value that goes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a rule must know.

    Args:
        as_it_came: whether the text is the one that came, and what was said about it still holds.
        said: the delivered text; None for nothing, or where only the whole can tell.
        by_call: whether it stands in a tool's arguments, and not in words.
        tools: what the request offered; None where the request is not known.
        passing: whether there is no answer yet: words and calls of the caller's own tools go on together.
    """

    as_it_came: bool
    said: str | None
    by_call: bool = False
    tools: Tools | None = None
    passing: bool = False

    @property
    def in_words(self) -> bool:
        """Whether what is said in words is delivered."""
        return self.passing or not self.by_call

    @property
    def in_calls(self) -> bool:
        """Whether calls are."""
        return self.passing or self.by_call

    def repeats(self, words: str) -> bool:
        """Whether these are the request's own words."""
        return self.tools is not None and self.tools.asked.says(words)

    def wanted(self, *options: str) -> bool:
        """Whether the request set one of these options."""
        return self.tools is not None and any(map(self.tools.asked.wants, options))


Rule: TypeAlias = Callable[[Any, Delivery], Any]
"""What stays of a value: itself, a changed copy, or `GONE`."""


# -- single values -----------------------------------------------------------------------------------------------------


def kept(value: Any, _: Delivery) -> Any:
    """What other rules have cleared."""
    return value


def text(value: Any, _: Delivery) -> Any:
    """The answer itself, or a piece of it."""
    return value if value is None or isinstance(value, str) else GONE


def number(value: Any, _: Delivery) -> Any:
    """A number or a truth value."""
    return value if value is None or isinstance(value, bool | int | float) else GONE


def word(value: Any, at: Delivery) -> Any:
    """An id, a name, a word of the protocol: one that cannot be read as a text. Or what the request said itself."""
    if isinstance(value, str) and not is_word(value):
        return value if at.repeats(value) else GONE
    return value if isinstance(value, str) else number(value, at)


def is_word(value: Any) -> bool:
    """Whether it is text without anything that parts words."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


_WORD: Final = re.compile(r"[\w.:/@+=|~#%*,-]*", re.ASCII)


def one_of(*words: str) -> Rule:
    """A word of a list that is closed."""
    known = frozenset(words)
    return lambda value, _: value if value is None or (isinstance(value, str) and value in known) else GONE


def beside(value: Any, at: Delivery) -> Any:
    """What is said about the answer, or was thought before it: of another text it is not true, and may repeat it."""
    return value if at.as_it_came or not says(value) else GONE


def sources(value: Any, at: Delivery) -> Any:
    """As `beside`, of what is no text by itself: a list of sources, or an object of them."""
    return GONE if isinstance(value, str) else beside(value, at)


def gone(value: Any, _: Delivery) -> Any:
    """What no guard has seen."""
    return GONE if says(value) else value


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


# -- objects and lists -------------------------------------------------------------------------------------------------


def members(rules: Mapping[str, Rule], rest: Rule = unknown) -> Rule:
    """An object, or a list of them, member by member; `rest` is for those without a rule. A member whose very name is a
    text goes with its name."""

    def rule(value: Any, at: Delivery) -> Any:
        held = members_of(value)
        if held is None:
            return unknown(value, at)
        changes: dict[str, Any] = {}
        unnamed: list[str] = []
        for name, inner in held.items():
            own = rules.get(name)
            if own is None and not is_word(name):
                unnamed.append(name)
                continue
            stays = (own or rest)(inner, at)
            if stays is not inner:
                changes[name] = _nothing(inner) if stays is GONE else stays
        return altered(value, changes, unnamed) if changes or unnamed else value

    return each(rule)


def named(by: str, rules: Mapping[str, Rule], other: Callable[[str], Rule | None] = lambda _: None) -> Rule:
    """A list of objects that say what they are, each by its own rule; one that has none is gone with all it says."""

    def rule(value: Any, at: Delivery) -> Any:
        held = members_of(value)
        kind = None if held is None else held.get(by)
        own = (rules.get(kind) or other(kind)) if isinstance(kind, str) else None
        return (own or unknown)(value, at)

    return each(rule)


def each(one: Rule) -> Rule:
    """The same of every item, where there is a list; items that are gone leave it."""

    def rule(value: Any, at: Delivery) -> Any:
        if not isinstance(value, list | tuple):
            return one(value, at)
        left = [one(item, at) for item in value]
        same = all(stays is item for stays, item in zip(left, value, strict=True))
        return value if same else [stays for stays in left if stays is not GONE]

    return rule


def facts(value: Any, at: Delivery) -> Any:
    """Numbers and words: what a server says of itself, and what the request said."""
    return _as_deep_as_can_be(_facts, value, at)


def counts(value: Any, at: Delivery) -> Any:
    """What was used: numbers, and the few words that say of what."""
    return _as_deep_as_can_be(_counts, value, at)


def _as_deep_as_can_be(rule: Rule, value: Any, at: Delivery) -> Any:
    try:
        return rule(value, at)
    except RecursionError:
        return GONE


def _facts(value: Any, at: Delivery) -> Any:
    if isinstance(value, list | tuple):
        return _FACT_LISTS(value, at)
    return word(value, at) if members_of(value) is None else _FACTS(value, at)


def _counts(value: Any, at: Delivery) -> Any:
    return _COUNTS(value, at)


_FACTS: Final = members({}, rest=_facts)
_FACT_LISTS: Final = each(_facts)
_COUNTS: Final = members(dict.fromkeys(("service_tier", "inference_geo", "model", "speed", "type"), word), rest=_counts)


def says(value: Any) -> bool:
    """Whether anything can be read in it: text, and lists and objects that may hold some (as bytes, as tokens)."""
    return bool(value) and not isinstance(value, bool | int | float)


def _nothing(value: Any) -> Any:
    return [] if isinstance(value, list | tuple) else None
