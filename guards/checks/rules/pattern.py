r"""Does a text match a regular expression, or hold something that it must not? In bounded time.

The syntax is that of JSON Schema's `pattern`: ECMA-262 with `\p{…}`, translated in `patterns.ecma`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, ClassVar, Final, Literal

from guards.checks.base import OnError, Unreadable
from guards.checks.rules.rule import Rule, check_flag, unwrapped
from guards.context import Context
from guards.errors import ConfigError
from guards.findings import NO_FIX, Finding, NoFix
from guards.patterns.ecma import EcmaPattern, translate
from guards.policies import Policy

__all__ = ["Match", "Pattern"]

Match = Literal["full", "search"]

SECONDS: Final = 1.0
"""How long one check may take unless `timeout` says otherwise, its fix included."""

_MOST_SPANS: Final = 20
# What a removal leaves may match again ("aabb" without "ab"); each round shortens the text, but not by much.
_MOST_ROUNDS: Final = 10


class Pattern(Rule):
    r"""Text that must match a regular expression, or, with `forbid=True`, must not.

    Args:
        regex: ECMA-262 with `\p{…}`, as in JSON Schema; a flag like `(?i)` is none of it, see `ignore_case`.
        match: `"full"`, from the first character to the last; `"search"`, anywhere. By default full, and for what is
            forbidden anywhere.
        forbid: the pattern must not match. The finding's `evidence` lists the first 20 matches as [start, end].
        replace: what the fix puts in the place of each forbidden match; None takes it out.
        ignore_case: letters match whatever their case.
        timeout: seconds for one check, 1 by default.

    The fix of a text that does not match is the text without the white space around it, where that matches. A pattern
    that takes too long on a text raises TimeoutError (`guard.failed`), never passes. What is forbidden is looked for in
    each part of a streamed answer too. Code: `rule.pattern`.
    """

    code: ClassVar[str] = "rule.pattern"
    joins: ClassVar[bool] = True  # a match may begin in one sentence and end in the next

    def __init__(
        self,
        regex: str,
        *,
        match: Match | None = None,
        forbid: bool = False,
        replace: str | None = None,
        ignore_case: bool = False,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        check_flag(forbid, "Pattern(forbid=)")
        check_flag(ignore_case, "Pattern(ignore_case=)")
        if match not in (None, "full", "search"):
            raise ConfigError(f"unknown match {match!r}", where="Pattern(match=)", hint="use 'full' or 'search'")
        EcmaPattern(regex, where="Pattern(regex=)")
        self.regex = regex
        self.match: Match = match or ("search" if forbid else "full")
        self.forbid = forbid
        self.partial = forbid
        self.replace = replace
        self.ignore_case = ignore_case
        super().__init__(name=name, on_fail=on_fail, on_error=on_error, unreadable=unreadable, timeout=timeout)
        self._compiled  # noqa: B018  # here and not at the first check
        self._check_replace()

    def check(self, value: Any, context: Context) -> Finding | None:
        text = unwrapped(value)
        if not isinstance(text, str):
            return self.misfit(text, "text")
        clock = _Clock(self.timeout or SECONDS)
        found = self._find(text, clock)
        if (found is not None) is not self.forbid:
            return None
        return self._holds_forbidden(text, found, clock) if self.forbid else self._does_not_match(text, clock)

    def _does_not_match(self, text: str, clock: _Clock) -> Finding:
        where = "from beginning to end" if self.match == "full" else "in some part"
        bare = text.strip()
        fix: str | NoFix = NO_FIX
        with suppress(TimeoutError):  # the text was judged in time; it is only the proposal that was not
            if len(bare) < len(text) and self._find(bare, clock):
                fix = bare
        return Finding(self.code, f"must match the pattern {where}", expected=self.regex, actual=text, fix=fix)

    def _holds_forbidden(self, text: str, found: Any, clock: _Clock) -> Finding:
        return Finding(
            self.code,
            "must not hold what the pattern matches" if self.match == "search" else "must not match the pattern",
            evidence=self._spans(text, found, clock),
            expected=f"no match of {self.regex}",
            actual=found[0],
            fix=self._without(text, clock),
        )

    def _spans(self, text: str, found: Any, clock: _Clock) -> list[list[int]]:
        spans = [list(found.span())]
        if self.match == "search":
            with suppress(TimeoutError, MemoryError):  # one match is enough to refuse the text
                following = self._compiled.finditer(text, timeout=clock.left())
                spans += (list(match.span()) for match in islice(following, 1, _MOST_SPANS))
        return spans

    def _without(self, text: str, clock: _Clock) -> str | NoFix:
        """The text with the matches taken out or replaced; no fix where that does not end them."""
        if self.match == "full":
            return NO_FIX if self.replace is None else self.replace
        put = self.replace or ""
        with suppress(TimeoutError, MemoryError):
            for _ in range(_MOST_ROUNDS):
                # By a function, since in a replacement text `\1` and `\n` would have a meaning.
                text = self._compiled.sub(lambda _: put, text, timeout=clock.left())
                if self._find(text, clock) is None:
                    return text
        return NO_FIX

    def _find(self, text: str, clock: _Clock) -> Any:
        find = self._compiled.fullmatch if self.match == "full" else self._compiled.search
        try:
            return find(text, timeout=clock.left())
        except (TimeoutError, MemoryError):  # without memory for so much backtracking it is as hopeless
            raise TimeoutError(
                f"the pattern took longer than {clock.seconds:g} s on a text of {len(text):,} characters"
            ) from None

    @property
    def _compiled(self) -> Any:
        return _compiled(self.regex, self.ignore_case)

    def _check_replace(self) -> None:
        replace, where = self.replace, "Pattern(replace=)"
        if replace is None:
            return
        if not isinstance(replace, str):
            raise ConfigError(f"must be text, not {type(replace).__name__}", where=where)
        if not self.forbid:
            raise ConfigError("only what is forbidden is replaced", where=where, hint="add forbid=True")
        try:
            matches = self._find(replace, _Clock(SECONDS))
        except TimeoutError:
            matches = None  # a fix is checked again before it is proposed
        if matches:
            raise ConfigError(
                "the replacement itself matches the pattern", where=where, hint="choose one that it does not match"
            )


class _Clock:
    """What is left of one check's time."""

    __slots__ = ("ends", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds

    def left(self) -> float:
        left = self.ends - time.monotonic()
        if left <= 0:  # `regex` takes 0 for no limit at all
            raise TimeoutError
        return left


@lru_cache(maxsize=512)
def _compiled(source: str, ignore_case: bool) -> Any:
    """By source, so that a guard pickles and compares by its options alone."""
    import regex

    if not ignore_case:
        return regex.compile(translate(source), regex.VERSION1)
    # ECMA-262 folds case one character to one; the package would also take "ss" for "ß".
    return regex.compile(f"(?-f:{translate(source)})", regex.VERSION1 | regex.IGNORECASE)
