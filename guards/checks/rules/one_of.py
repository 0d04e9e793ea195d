"""Is a value one of several? The options stand in the rule, or come with the call's context."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum, EnumMeta
from typing import Any, ClassVar, Final, TypeAlias

from guards.checks.base import OnError, Unreadable
from guards.checks.rules.rule import Rule, check_flag, is_nan, kind, unwrapped
from guards.context import Context
from guards.errors import ConfigError
from guards.findings import NO_FIX, Finding
from guards.policies import Policy
from guards.reading.spelling import folded

__all__ = ["OneOf"]

Key: TypeAlias = tuple[str, Any]
"""A value with its JSON kind, since to Python True is 1."""

_SCALARS: Final = frozenset({"null", "true or false", "text", "a number"})
_MOST_SHOWN: Final = 50


class OneOf(Rule):
    """A value that equals one of the options. Kinds matter: `True` is not 1, and "1" is neither; 1.0 is 1.

    Args:
        options: text, numbers, booleans, None, or members of an enum (an enum class for all of them). A member and its
            value are taken for each other; members of different enums are not.
        source: in the place of `options`, the key of the context that holds them.
        ignore_case: text may differ in letter case; it is delivered as written.
        spelling: propose as fix the one option that differs from a text in nothing but letter case, accents, white
            space, `_` or `-` between words and the punctuation around; nothing is proposed where there are two. Any
            other mark counts: `A-` is not `A+`.

    For each item of a list, say `.on("$.tags[*]")`: a list itself is none of the options. Code: `rule.one_of`;
    `expected` lists the first 50 options.
    """

    code: ClassVar[str] = "rule.one_of"

    def __init__(
        self,
        options: Iterable[Any] | None = None,
        *,
        source: str | None = None,
        ignore_case: bool = False,
        spelling: bool = True,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        check_flag(ignore_case, "OneOf(ignore_case=)")
        check_flag(spelling, "OneOf(spelling=)")
        if (options is None) is (source is None):
            raise ConfigError("needs options or a source", where="OneOf()", hint="give one of options=, source=")
        if source is not None and (not isinstance(source, str) or not source):
            raise ConfigError(f"must name a key of the context, not {source!r}", where="OneOf(source=)")
        self.source = source
        self.ignore_case = ignore_case
        self.spelling = spelling
        self._options = None if options is None else _Options(options, ignore_case, "OneOf(options=)")
        if source is not None:
            self.needs = (source,)
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)

    def check(self, value: Any, context: Context) -> Finding | None:
        options = self._options or self._from(context)
        if options.hold(value):
            return None
        value = unwrapped(value)
        if kind(value) not in _SCALARS:
            return self.misfit(value, "one of the options")
        shown = [unwrapped(option) for option in options.given]
        several = f"one of the {len(shown)} options" if len(shown) > 1 else "the one option"
        fix = options.meant(value) if self.spelling and isinstance(value, str) else NO_FIX
        message = f"must be exactly {several}"
        return Finding(self.code, message, expected=shown[:_MOST_SHOWN], actual=value, fix=fix)

    def _from(self, context: Context) -> _Options:
        given = context[self.source or ""]
        # An iterator would be empty at the second look.
        if not isinstance(given, Collection):
            raise TypeError(f"the context's {self.source!r} must be a list of options, not {type(given).__name__}")
        return _Options(given, self.ignore_case, f"the context's {self.source!r}")


class _Options:
    """Options, ready to be looked up."""

    __slots__ = ("given", "ignore_case", "keys", "members", "plain")

    def __init__(self, options: Any, ignore_case: bool, where: str) -> None:
        self.given = _checked(options, where)
        self.ignore_case = ignore_case
        self.members = frozenset(_member(option) for option in self.given if isinstance(option, Enum))
        keys = [self._key(unwrapped(option)) for option in self.given]
        self.keys = frozenset(keys)
        self.plain = frozenset(key for key, o in zip(keys, self.given, strict=True) if not isinstance(o, Enum))
        seen: set[Any] = set()
        for option in self.given:
            entry = _member(option) if isinstance(option, Enum) else _exact(option)
            if entry in seen:
                raise ConfigError("an option is given twice", where=where, hint="name each once")
            seen.add(entry)

    def hold(self, value: Any) -> bool:
        """Whether the value is one of them."""
        if isinstance(value, Enum):
            if _member(value) in self.members:
                return True
            allowed = self.plain
        else:
            allowed = self.keys
        inner = unwrapped(value)
        return kind(inner) in _SCALARS and not is_nan(inner) and self._key(inner) in allowed

    def meant(self, text: str) -> Any:
        """The one option that the text spells differently, as the document would hold it; else `NO_FIX`."""
        texts = [inner for option in self.given if isinstance(inner := unwrapped(option), str)]
        if not texts or len(text) > 2 * max(map(len, texts)) + 100:
            return NO_FIX  # folding 5 MB is dear, and no option comes out of it
        wanted = _folded(text)
        near = {option for option in texts if wanted and _folded(option) == wanted}
        return near.pop() if len(near) == 1 else NO_FIX

    def _key(self, value: Any) -> Key:
        if self.ignore_case and isinstance(value, str):
            return "text", value.casefold()
        return _exact(value)


def _checked(options: Any, where: str) -> tuple[Any, ...]:
    if isinstance(options, str | bytes | Mapping) or not isinstance(options, Iterable):
        hint = "write [...]" if isinstance(options, str) else ""
        raise ConfigError(f"must be a list of options, not {type(options).__name__}", where=where, hint=hint)
    given = list(options)
    if isinstance(options, set | frozenset):
        # A set has no order of its own, and the same rule should say the same in every process.
        given.sort(key=lambda option: (type(option).__name__, repr(option)))
    if not given:
        hint = "an enum without members has none" if isinstance(options, EnumMeta) else "give at least one"
        raise ConfigError("there are no options", where=where, hint=hint)
    for option in given:
        inner = unwrapped(option)
        if kind(inner) not in _SCALARS:
            raise ConfigError(
                f"an option is text, a number, True, False, None or a member of an enum, not {type(inner).__name__}",
                where=where,
            )
        if is_nan(inner):
            raise ConfigError("NaN equals nothing, not even itself", where=where, hint="leave it out")
    return tuple(given)


def _member(member: Enum) -> tuple[type, Any]:
    # Not the member itself: one that is also text equals other enums' members of the same text. Combined flags may have
    # no name.
    return type(member), member.value if member.name is None else member.name


def _exact(value: Any) -> Key:
    return kind(value) or "", value


def _folded(text: str) -> str:
    return folded(text.strip(" \t\r\n.,;:!?'\"\u201c\u201d\u2018\u2019"))
