"""What a word is meant to be where the contract says what may stand there: a number, a boolean, null, an option, a key.

Pure functions over one piece of text. Each gives one answer or None: where two answers are possible, None. `eager`
goes on where `careful` stops, from spelling to meaning (a number out of words, an option inside a sentence).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

__all__ = ["boolean", "folded", "is_null", "number", "number_in", "pick", "pick_in"]

_CURRENCY: Final = "$€£¥₹₩₽₺₴₫฿₪₦₱₡"
_CODES: Final = r"(?:USD|EUR|GBP|JPY|CHF|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|TRY|RUB|US\$)"
# Signs, a currency before or behind, digits in groups of three or in one, one point; the parts by name. Blanks are not
# given back: where nothing stands between them, there are as many ways to share them out as their number to the fifth.
_NUMBER: Final = re.compile(
    rf"(?P<open>\()?\s*+(?P<sign>[+\-−–])?\s*+(?:[{_CURRENCY}]|{_CODES})?\s*+(?P<after>[+\-−–])?\s*+"
    r"(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<octal>0[oO][0-7]+)|(?P<binary>0[bB][01]+)"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ \u00a0\u2009\u202f']\d{3})+|\d+(?:_\d+)*|(?=\.\d))"
    r"(?P<point>\.(?P<part>\d*(?:_\d+)*))?(?P<exponent>[eE][+\-]?\d+)?"
    r"|(?P<dotted>\d{1,3}(?:\.\d{3})+),(?P<cents>\d+))"
    rf"(?:n|[lL])?\s*+(?:[{_CURRENCY}]|{_CODES})?\s*+(?P<close>\))?",
)
_COMMA_DECIMAL: Final = re.compile(r"\s*([+\-]?\d+),(\d+)\s*")
_FRACTION: Final = re.compile(r"\s*([+\-]?)(?:(\d+)\s+)?(\d+)\s*[/\u2044]\s*(\d+)\s*")
_LONGEST: Final = 400  # a number of more characters is none: turning digits into an int takes quadratic time

_TRUE: Final = frozenset({"true", "yes"})
_FALSE: Final = frozenset({"false", "no"})
_EAGER_TRUE: Final = frozenset({"t", "y", "on", "1", "enabled", "correct", "✓", "✅"})
_EAGER_FALSE: Final = frozenset({"f", "n", "off", "0", "disabled", "incorrect", "✗", "❌"})
_NULL: Final = frozenset({"null", "none", "nil", "undefined", "nan", "n/a", "#n/a", "<null>", "(null)"})
_EAGER_NULL: Final = frozenset({"na", "-", "--", "unknown", "missing", "not available", "not applicable"})


def number(text: str) -> int | float | None:
    """The number that the text is, however it is written: `1,234.50`, `$41`, `+.5`, `0x1F`, `1_000`, `1.234,50`.

    A whole number is an int. Nothing is rounded: None too where the digits do not survive as a float (`1e999`), and
    for what may mean two things (`3,14`, `45%`).
    """
    found = _NUMBER.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None or (found["sign"] and found["after"]):
        return None
    # Book-keepers write -5 as (5); half of the pair means nothing.
    if bool(found["open"]) != bool(found["close"]):
        return None
    negative = (found["sign"] or found["after"] or "+") in "-−–" or bool(found["open"])
    value = _value(found)
    if value is None:
        return None
    return -value if negative else value


def _value(found: re.Match[str]) -> int | float | None:
    for name, base in (("hex", 16), ("octal", 8), ("binary", 2)):
        if found[name]:
            return int(found[name][2:], base)
    if found["dotted"]:
        return _finite(f"{found['dotted'].replace('.', '')}.{found['cents']}")
    whole = re.sub(r"[^0-9]", "", found["whole"] or "")
    part = (found["part"] or "").replace("_", "")
    if not whole and not part:
        return None
    if not part and not found["exponent"]:
        return int(whole)
    return _finite(f"{whole or '0'}.{part or '0'}{found['exponent'] or ''}")


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


_TEENS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS: Final = {name: value for value, name in enumerate(_TEENS.split(" "))} | {
    name: 20 + 10 * value for value, name in enumerate(_TENS.split(" "))
}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_ANY_NUMBER: Final = re.compile(
    r"(?<![\w.,/])[+\-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+\-]?\d+)?(?![\w/]|[.,]\d)"
)


def number_in(text: str) -> int | float | None:
    """`eager`: also a decimal comma, a fraction, a number in English words, or the only number in a sentence."""
    plain = number(text)
    if plain is not None or len(text) > 10 * _LONGEST:
        return plain
    if comma := _COMMA_DECIMAL.fullmatch(text):
        return float(f"{comma[1]}.{comma[2]}")
    if fraction := _FRACTION.fullmatch(text):
        return _ratio(fraction)
    if (spoken := _spoken(text)) is not None:
        return spoken
    found = {number(match[0]) for match in _ANY_NUMBER.finditer(text)}
    return found.pop() if len(found) == 1 else None


def _ratio(found: re.Match[str]) -> int | float | None:
    sign, whole, top, bottom = found.groups()
    if int(bottom) == 0 or len(found[0]) > 40:
        return None
    value = Fraction(int(whole or 0)) + Fraction(int(top), int(bottom))
    value = -value if sign == "-" else value
    return int(value) if value.denominator == 1 else float(value)


def _spoken(text: str) -> int | None:
    words = re.split(r"[\s\-]+", text.strip().lower().removesuffix("."))
    negative = words[0] in {"minus", "negative"}
    words = [word for word in words[negative:] if word != "and"]
    total = current = 0
    for word in words:
        if word in _UNITS:
            # "twenty one" adds up, "one two" does not.
            if current % 100 and not (current % 100 >= 20 and current % 10 == 0 and 0 < _UNITS[word] < 10):
                return None
            current += _UNITS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in _SCALES:
            total += max(current, 1) * _SCALES[word]
            current = 0
        else:
            return None
    if not words:
        return None
    return -(total + current) if negative else total + current


def boolean(text: str, *, eager: bool = False) -> bool | None:
    """`true`, `false`, `yes`, `no` in any case; `eager` also `on`, `off`, `1`, `0`, the only one in a sentence."""
    word = text.strip().lower()
    if word in _TRUE or (eager and word in _EAGER_TRUE):
        return True
    if word in _FALSE or (eager and word in _EAGER_FALSE):
        return False
    if not eager or len(text) > 10 * _LONGEST:
        return None
    said = set(re.findall(r"\b(?:true|false|yes|no)\b", word))
    both = said & _TRUE and said & _FALSE
    return None if both or not said else bool(said & _TRUE)


def is_null(text: str, *, eager: bool = False) -> bool:
    """Whether the text is a way of writing null (`None`, `nil`, `undefined`, `NaN`, `n/a`; `eager` also `unknown`)."""
    word = text.strip().lower()
    return word in _NULL or (eager and word in _EAGER_NULL)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text without case, accents, punctuation, blanks: two words are spelled alike where these are equal.

    Text of punctuation only stays as it is. Decomposition and case folding are those of Unicode (UAX 15, UAX 44).
    """
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(mark for mark in plain if mark.isalnum())
    return kept or text.strip()


def pick(text: str, options: Mapping[str, str] | Iterable[str]) -> str | None:
    """The one option that the text spells, up to case, accents, punctuation, `_`, `-` and blanks; else None.

    A mapping gives other ways of writing an option: way → option.
    """
    ways = options if isinstance(options, Mapping) else {option: option for option in options}
    if text in ways:
        return ways[text]
    wanted = folded(text) if len(text) <= _LONGEST else ""
    found = {option for way, option in ways.items() if folded(way) == wanted} if wanted else set()
    return found.pop() if len(found) == 1 else None


def pick_in(text: str, options: Mapping[str, str] | Iterable[str]) -> str | None:
    """`eager`: also the only option that the text holds as a whole word; None where it holds two."""
    whole = pick(text, options)
    if whole is not None or len(text) > 10 * _LONGEST:
        return whole
    ways = options if isinstance(options, Mapping) else {option: option for option in options}
    # As it is written first: "TWO" is said in "TWO is one of them", "ONE" is not.
    found = _said(text, ways, str) or _said(text, ways, str.casefold)
    return found.pop() if len(found) == 1 else None


def _said(text: str, ways: Mapping[str, str], case: Callable[[str], str]) -> set[str]:
    """The options that the text holds as whole words."""
    said = _words(text, case)
    taken: list[tuple[int, int]] = []
    found: set[str] = set()
    # Longest first: the place of "car-2" is no "car".
    for words, option in sorted(
        ((_words(way, case), option) for way, option in ways.items()), key=lambda w: -len(w[0])
    ):
        at = said.find(words) if words.strip() else -1
        while at >= 0:
            end = at + len(words)
            if not any(start < end - 1 and at < stop - 1 for start, stop in taken):
                taken.append((at, end))
                found.add(option)
            at = said.find(words, at + 1)
    return found


def _words(text: str, case: Callable[[str], str]) -> str:
    """The words of a text without accents and punctuation, each with one blank before and behind."""
    plain = case(unicodedata.normalize("NFKD", text))
    kept = "".join(mark if mark.isalnum() else "" if unicodedata.combining(mark) else " " for mark in plain)
    return f" {' '.join(kept.split())} "
