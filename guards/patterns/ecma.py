r"""What an ECMA-262 pattern matches, in bounded time.

JSON Schema's patterns are ECMA-262 in its unicode mode, which no Python library speaks: `\d` is ASCII there, `$` is
the very end, `\p{Letter}` exists. `translate` rewrites such a pattern for the package `regex`, `EcmaPattern` runs it
under a time limit. What is not ECMA-262 (`(?P<n>`, `(?i)`, `\a`, possessive quantifiers) is a `ConfigError`.

More is taken than the unicode mode allows in three places where the meaning is plain and schemas in the wild need it
(ECMA-262, Annex B): an escaped punctuation mark (`\-`, `\"`), a bracket or brace that opens or closes nothing, and a
hyphen beside a class escape (`[\w-.]`).

Known differences: a capture inside a loop keeps its last match instead of being reset at each round; a back reference
inside a lookbehind and inline modifiers (`(?i:…)`, ES2025) are refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from guards.errors import ConfigError
from guards.patterns.unicode_properties import property_of

__all__ = ["SECONDS", "EcmaPattern", "translate"]

SECONDS: Final = 0.3
"""How long one search may take unless told otherwise, in seconds. `regex` counts the process's CPU time, so on a busy
machine the wait is longer."""


class EcmaPattern:
    """An ECMA-262 pattern, compiled. Equal by its source, picklable, shared between threads.

    `ConfigError` for text that is no such pattern; `where` names the place in its message.
    """

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str, *, where: str = "pattern") -> None:
        if not isinstance(source, str):
            raise ConfigError(f"a pattern is text, not {type(source).__name__}", where=where)
        self.source = source
        if len(source) > _MOST_CHARACTERS:  # compiling takes seconds then
            raise ConfigError(f"a pattern has at most {_MOST_CHARACTERS} characters, not {len(source)}", where=where)
        try:
            self._compiled = _compiled(source)
        except _Fault as fault:
            raise ConfigError(
                f"{_shown(source)} is not a valid ECMA-262 pattern: {fault}",
                where=where,
                hint="JSON Schema's patterns are written as in JavaScript with the flag u",
            ) from None

    def search(self, text: str, timeout: float = SECONDS) -> bool:
        """Whether the pattern matches anywhere in `text`. TimeoutError after `timeout` seconds."""
        return self._run(self._compiled.search, text, timeout)

    def fullmatch(self, text: str, timeout: float = SECONDS) -> bool:
        """Whether the pattern matches the whole of `text`. TimeoutError after `timeout` seconds."""
        return self._run(self._compiled.fullmatch, text, timeout)

    @staticmethod
    def _run(method: Any, text: str, timeout: float) -> bool:
        if timeout <= 0:  # `regex` takes 0 for no limit at all
            raise TimeoutError
        try:
            return method(text, timeout=timeout) is not None
        except MemoryError:  # so much backtracking that its record did not fit: the same fault as taking too long
            raise TimeoutError("the pattern needs too much memory on this text") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EcmaPattern) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def __repr__(self) -> str:
        return f"EcmaPattern({self.source!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return EcmaPattern, (self.source,)


def translate(source: str) -> str:
    """The pattern in the syntax of `regex` (VERSION1). ConfigError for what is no ECMA-262 pattern."""
    try:
        return _Translation(source).run()
    except _Fault as fault:
        raise ConfigError(f"{_shown(source)} is not a valid ECMA-262 pattern: {fault}", where="pattern") from None


class _Fault(ValueError):  # it becomes a ConfigError before it leaves this file
    pass


@lru_cache(maxsize=512)
def _compiled(source: str) -> Any:
    import regex

    try:
        return regex.compile(_Translation(source).run(), regex.VERSION1)
    except (RecursionError, MemoryError, OverflowError):
        raise _Fault("it is too deeply nested or too large") from None
    except regex.error as fault:
        # What the translation lets through and the package refuses.
        raise _Fault(f"{fault.msg}") from None


def _shown(source: str) -> str:
    text = ascii(source)
    return text if len(text) <= 80 else text[:77] + "..."


_DIGIT: Final = "0-9"
_WORD: Final = "0-9A-Za-z_"
# WhiteSpace and LineTerminator of ECMA-262, 12.2 and 12.3.
_SPACE: Final = r"\t\n\x0b\x0c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_SETS: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_DOT: Final = r"[^\n\r\u2028\u2029]"
# `regex` keeps the flag to the group: ASCII's word characters are those of ECMA-262. (Look-arounds that say the same
# took ten times as long.)
_EDGE: Final = r"(?a:\b)"
_NO_EDGE: Final = r"(?a:\B)"
_QUANTIFIER: Final = re.compile(r"\{(?P<low>[0-9]+)(?P<comma>,)?(?P<high>[0-9]+)?\}|[*+?]")
_GROUP_NAME: Final = re.compile(r"\(\?<(?![=!])(?P<name>[^>]*)>")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_MOST_CHARACTERS: Final = 200_000
# Each costs as much to compile as a hundred letters.
_MOST_SETS: Final = 20_000
# Above this no text is long enough; `regex` itself stops at 2**32.
_MOST_REPEATS: Final = 2**30
_MOST_EXPANDED: Final = 200_000


class _Translation:
    """One pass over the source, with a stack of the groups that are open (never recursive: depth is the caller's)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.names, self.groups = _groups(source)
        self.opened = 0
        self.sets = 0
        # (number or None, is it a look-around, is it a lookbehind)
        self.stack: list[tuple[int | None, bool, bool]] = []
        self.closed: set[int] = set()
        # How many terms each open group stands for when its counts are written out, and the last term alone.
        self.sizes = [0]
        self.size = 0

    def run(self) -> str:
        repeatable = False
        while self.at < len(self.source):
            quantifier = _QUANTIFIER.match(self.source, self.at)
            if quantifier:
                if not repeatable:
                    raise _Fault(f"nothing to repeat at position {self.at}")
                self.quantify(quantifier)
                repeatable = False
            else:
                self.size = 1
                repeatable = self.term()
                self.sizes[-1] += self.size
        if self.stack:
            raise _Fault("a group is not closed")
        return "".join(self.out)

    def term(self) -> bool:
        """Translates what stands here; whether a quantifier may follow."""
        char = self.take()
        if char == "\\":
            return self.escape()
        if char == "(":
            self.open_group()
            return False
        if char == ")":
            return self.close_group()
        if char == "[":
            self.out.append(self.counted(self.character_class()))
            return True
        if char in "|^$":
            self.out.append({"|": "|", "^": r"\A", "$": r"\Z"}[char])
            return False
        self.out.append(self.counted(_DOT) if char == "." else _literal(ord(char)))
        return True

    def counted(self, members: str) -> str:
        """A set of characters, of which a pattern has not too many."""
        self.sets += 1
        if self.sets > _MOST_SETS:
            raise _Fault(f"it holds more than {_MOST_SETS} sets of characters")
        return members

    def quantify(self, found: re.Match[str]) -> None:
        self.at = found.end()
        lazy = self.source.startswith("?", self.at)
        self.at += lazy
        if found["low"] is not None:
            self.expand(max(_count(found["low"]), _count(found["high"] or "0")))
        self.out.append((found[0] if found["low"] is None else _counted(found)) + "?" * lazy)

    def expand(self, times: int) -> None:
        """Counts inside counts multiply, and `regex` takes as long to compile them: `(a{9999}){9999}`."""
        if self.size > 1 and self.size * times > _MOST_EXPANDED:
            raise _Fault("its counts, one inside another, stand for too many repeats")
        self.sizes[-1] += self.size * (min(times, _MOST_EXPANDED) - 1)

    def take(self) -> str:
        if self.at >= len(self.source):
            raise _Fault("it ends in the middle of an escape or a class")
        char = self.source[self.at]
        self.at += 1
        return char

    # groups

    def open_group(self) -> None:
        self.size = 0
        self.sizes.append(0)
        if not self.source.startswith("?", self.at):
            self.opened += 1
            self.stack.append((self.opened, False, False))
            self.out.append("(")
            return
        name = _GROUP_NAME.match(self.source, self.at - 1)
        if name:
            self.at = name.end()
            self.opened += 1
            self.stack.append((self.opened, False, False))
            # By number, since Python's names allow less than ECMA's.
            self.out.append("(")
            return
        for opening in ("?:", "?=", "?!", "?<=", "?<!"):
            if self.source.startswith(opening, self.at):
                self.at += len(opening)
                self.stack.append((None, opening != "?:", "<" in opening))
                self.out.append("(" + opening)
                return
        raise _Fault(f"unknown kind of group at position {self.at - 1}: '(?' is followed by :, =, !, <=, <! or <name>")

    def close_group(self) -> bool:
        if not self.stack:
            raise _Fault(f"a parenthesis closes nothing at position {self.at - 1}")
        number, look_around, _ = self.stack.pop()
        self.size = self.sizes.pop()
        if number is not None:
            self.closed.add(number)
        self.out.append(")")
        return not look_around

    def reference(self, number: int) -> None:
        if any(behind for _, _, behind in self.stack):
            raise _Fault("a back reference inside a lookbehind is not supported")
        if number in self.closed:
            # A group that took no part matches the empty text in ECMA-262; in `regex` it fails.
            self.out.append(f"(?({number})\\g<{number}>|)")
        else:
            self.out.append("(?:)")  # open or yet to come: nothing is captured, which matches the empty text

    # escapes

    def escape(self) -> bool:
        char = self.take()
        if char in "bB":
            self.out.append(_EDGE if char == "b" else _NO_EDGE)
            return False
        if char == "k":
            self.reference(self.named())
        elif char in "123456789":
            self.reference(self.numbered(char))
        else:
            members, point = self.shared_escape(char)
            self.out.append(self.counted(f"[{members}]") if point is None else _literal(point))
        return True

    def named(self) -> int:
        found = re.compile("<([^>]*)>").match(self.source, self.at)
        if not found or found[1] not in self.names:
            raise _Fault(r"\k names no group of the pattern")
        self.at = found.end()
        return self.names[found[1]]

    def numbered(self, first: str) -> int:
        digits = first
        while self.at < len(self.source) and self.source[self.at] in "0123456789":
            digits += self.take()
        # int() itself refuses thousands of digits.
        if len(digits) > 6 or int(digits) > self.groups:
            raise _Fault(f"\\{digits[:6]} refers to a group that does not exist")
        return int(digits)

    def shared_escape(self, char: str) -> tuple[str, int | None]:
        """What an escape means inside and outside a class: members of a set, or one code point."""
        if char.lower() in _SETS:
            members = _SETS[char.lower()]
            return (f"[^{members}]" if char.isupper() else members), None
        if char in "pP":
            return self.unicode_property(negated=char == "P"), None
        if char in _CONTROLS:
            return "", ord(_CONTROLS[char])
        if char == "c":
            return "", self.control()
        if char == "x":
            return "", self.hexadecimal(2)
        if char == "u":
            return "", self.unicode_point()
        if char == "0" and not self.source[self.at : self.at + 1].isdigit():
            return "", 0
        if char.isascii() and (char.isalnum() or not char.isprintable()):
            raise _Fault(f"\\{ascii(char)[1:-1]} is no escape")
        if not char.isascii() and char.isalnum():
            raise _Fault(f"a letter outside ASCII is not escaped, as it is at position {self.at - 1}")
        return "", ord(char)

    def control(self) -> int:
        char = self.take()
        if not (char.isascii() and char.isalpha()):
            raise _Fault(r"\c is followed by a letter")
        return ord(char) % 32

    def hexadecimal(self, length: int) -> int:
        digits = self.source[self.at : self.at + length]
        if len(digits) != length or not _HEX.issuperset(digits):
            raise _Fault(f"an escape lacks its {length} hexadecimal digits at position {self.at}")
        self.at += length
        return int(digits, 16)

    def unicode_point(self) -> int:
        if self.source.startswith("{", self.at):
            end = self.source.find("}", self.at)
            digits = self.source[self.at + 1 : max(end, 0)]
            if not digits or not _HEX.issuperset(digits) or len(digits.lstrip("0")) > 6 or int(digits, 16) > 0x10FFFF:
                raise _Fault(r"\u{…} holds a code point up to 10FFFF")
            self.at = end + 1
            return int(digits, 16)
        high = self.hexadecimal(4)
        if 0xD800 <= high < 0xDC00 and self.source.startswith("\\u", self.at):
            before = self.at
            self.at += 2
            low = self.hexadecimal(4) if not self.source.startswith("{", self.at) else 0
            if 0xDC00 <= low < 0xE000:
                return 0x10000 + (high - 0xD800) * 0x400 + (low - 0xDC00)
            self.at = before
        return high

    def unicode_property(self, *, negated: bool) -> str:
        end = self.source.find("}", self.at)
        if not self.source.startswith("{", self.at) or end < 0:
            raise _Fault(r"\p is followed by a property in braces, as in \p{Letter}")
        name = self.source[self.at + 1 : end]
        members = property_of(name)
        if members is None:
            raise _Fault(f"unknown Unicode property {_shown(name)}; write it like Letter, Lu, Script=Greek, Alphabetic")
        self.at = end + 1
        return f"[^{members}]" if negated else members

    # classes

    def character_class(self) -> str:
        negated = self.source.startswith("^", self.at)
        self.at += negated
        members: list[str] = []
        while not self.source.startswith("]", self.at):
            members.append(self.class_range())
        self.at += 1
        if not members:
            return r"[\x00-\U0010ffff]" if negated else "(?!)"
        return f"[{'^' * negated}{''.join(members)}]"

    def class_range(self) -> str:
        if self.at >= len(self.source):
            raise _Fault("a character class is not closed")
        low_set, low = self.class_atom()
        if not self.source.startswith("-", self.at) or self.source.startswith("-]", self.at):
            return low_set if low is None else _literal(low)
        self.at += 1
        high_set, high = self.class_atom()
        if low is None or high is None:
            # [\w-.]: the hyphen stands for itself (Annex B)
            return "".join((_member(low_set, low), _literal(ord("-")), _member(high_set, high)))
        if high < low:
            raise _Fault(f"a range in a class runs backwards at position {self.at}")
        return f"{_literal(low)}-{_literal(high)}"

    def class_atom(self) -> tuple[str, int | None]:
        char = self.take()
        if char != "\\":
            return "", ord(char)
        char = self.take()
        if char == "b":
            return "", 8
        return self.shared_escape(char)


def _member(members: str, point: int | None) -> str:
    return members if point is None else _literal(point)


def _literal(point: int) -> str:
    """One character, written so that `regex` reads nothing else into it, in a class or outside."""
    char = chr(point)
    if char.isascii() and char.isalnum():
        return char
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def _counted(found: re.Match[str]) -> str:
    low = _count(found["low"])
    high = low if found["comma"] is None else None if found["high"] is None else _count(found["high"])
    if high is not None and high < low:
        raise _Fault("a quantifier's numbers are out of order")
    if low > _MOST_REPEATS:
        raise _Fault("a quantifier asks for more repeats than any text has")
    if high is None or high > _MOST_REPEATS:
        return f"{{{low},}}"
    return f"{{{low},{high}}}"


def _count(digits: str) -> int:
    # Past ten digits the number is only compared with a bound; int() refuses thousands of them.
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= 10 else 10**10 + len(digits)


def _groups(source: str) -> tuple[dict[str, int], int]:
    """The numbers of the named groups, and how many groups there are: a reference may stand before its group."""
    names: dict[str, int] = {}
    count, at, in_class = 0, 0, False
    while at < len(source):
        char = source[at]
        if char == "\\":
            at += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        elif char == "(":
            found = _GROUP_NAME.match(source, at)
            if found:
                count += 1
                _declare(names, found["name"], count)
            elif not source.startswith("(?", at):
                count += 1
        at += 1
    return names, count


def _declare(names: dict[str, int], name: str, number: int) -> None:
    if not name.replace("$", "_").isidentifier():
        raise _Fault("a group's name is not an identifier")
    if name in names:
        raise _Fault("two groups have one name")
    names[name] = number
