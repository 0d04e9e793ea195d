"""What a word is meant to be where the contract says what may stand there: a number, a boolean, null, an option, a key.

Pure functions over one piece of text. Each gives one answer or None: where two answers are possible, None. `eager`
goes on where `careful` stops, from spelling to meaning (a number out of words, an option inside a sentence).

Only what carries no meaning is passed over: case, accents, blanks, and `_` or `-` between words. A sign, a point, a
currency or comparison mark, any other mark counts: `A-` is not `A+`, `C#` is not `C`, `<65` is not `65+`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from guards.reading.numbers import Number, exact

__all__ = ["boolean", "folded", "is_literal", "is_null", "number", "number_in", "one_of_many", "pick", "pick_in"]

_CURRENCY: Final = "$€£¥₹₩₽₺₴₫฿₪₦₱₡"
_CODES: Final = r"(?:USD|EUR|GBP|JPY|CHF|CNY|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|BRL|MXN|ZAR|KRW|TRY|RUB|US\$)"
# Signs, a currency before or behind, digits in groups or in one, one point; the parts by name. The groups are those of
# English, of India (1,23,456), of the Continent (1.234,5; 1.234.567, but 1.234 has a point), and blanks; none begins
# with a zero, for 0,123 is less than one. Blanks are not given back: where nothing stands between them, there are as
# many ways to share them out as their number to the fifth.
_NUMBER: Final = re.compile(
    rf"(?P<open>\()?\s*+(?P<sign>[+\-−–])?\s*+(?P<money>[{_CURRENCY}]|{_CODES})?\s*+(?P<after>[+\-−–])?\s*+"
    r"(?:(?P<hex>0[xX][0-9a-fA-F]+)|(?P<octal>0[oO][0-7]+)|(?P<binary>0[bB][01]+)"
    r"|(?P<groups>[1-9]\d{0,2}(?P<by>[. \u00a0\u2009\u202f'’])\d{3}(?:(?P=by)\d{3})*),(?P<cents>\d+)"
    r"|(?P<dotted>[1-9]\d{0,2}(?:\.\d{3}){2,})"
    r"|(?P<whole>[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d?(?:,\d{2})+,\d{3}|[1-9]\d{0,2}(?:[ \u00a0\u2009\u202f'’]\d{3})+"
    r"|\d+(?:_\d+)*|(?=\.\d))"
    r"(?P<point>\.(?P<part>\d*(?:_\d+)*))?(?P<exponent>[eE][+\-]?\d+)?)"
    rf"(?:n|[lL])?\s*+(?P<unit>[{_CURRENCY}]|{_CODES})?\s*+(?P<close>\))?",
)
_COMMA_DECIMAL: Final = re.compile(r"\s*([+\-]?\d+),(\d+)\s*")
_FRACTION: Final = re.compile(r"\s*([+\-]?)(?:(\d+)\s+)?(\d+)\s*[/\u2044]\s*(\d+)\s*")
# Numbers as programming languages write them, and JSON does not.
_LITERAL: Final = re.compile(
    r"[+\-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
    r"|(?:(?:0|[1-9]\d*(?:_\d+)*)(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+)(?:[eE][+\-]?\d+)?)(?:n|[lL])?"
)
_LARGEST_EXPONENT: Final = 400
_LONGEST: Final = 400  # a number of more characters is none: turning digits into an int takes quadratic time

_TRUE: Final = frozenset({"true", "yes"})
_FALSE: Final = frozenset({"false", "no"})
_EAGER_TRUE: Final = frozenset({"t", "y", "on", "1", "enabled", "correct", "✓", "✅"})
_EAGER_FALSE: Final = frozenset({"f", "n", "off", "0", "disabled", "incorrect", "✗", "❌"})
_ANSWERED: Final = re.compile(r"(?:yes|no)\b\s*[,.;:!–—-]")
_NULL: Final = frozenset({"null", "none", "nil", "undefined", "nan", "n/a", "#n/a", "<null>", "(null)"})
_EAGER_NULL: Final = frozenset({"na", "-", "--", "unknown", "missing", "not available", "not applicable"})


def number(text: str) -> Number | None:
    """The number that the text is, however it is written: `1,234.50`, `$41`, `+.5`, `0x1F`, `1_000`, `1.234,50`.

    A whole number is an int. Nothing is rounded: a Decimal where a float does not keep the digits. None for what may
    mean two things (`3,14`, `45%`).
    """
    found = _NUMBER.fullmatch(_in_ascii(text).strip()) if len(text) <= _LONGEST else None
    if found is None or (found["sign"] and found["after"]):
        return None
    sign = found["sign"] or found["after"]
    # Book-keepers write an amount of -5 as ($5). Half of the pair means nothing; around no amount it is no sign.
    amount = found["open"] and found["close"] and not sign and (found["money"] or found["unit"])
    if (found["open"] or found["close"]) and not amount:
        return None
    negative = bool(found["open"]) or (sign is not None and sign in "-−–")
    value = _value(found)
    if value is None:
        return None
    return _negated(value) if negative else value


def _in_ascii(text: str) -> str:
    """The text with the digits of any script as those of ASCII, and the full-width marks of East Asia as plain ones."""
    return text if text.isascii() else "".join(map(_narrow, text))


def _narrow(mark: str) -> str:
    if mark.isdecimal():
        return str(unicodedata.decimal(mark))
    wide = unicodedata.decomposition(mark).startswith("<wide>")
    return unicodedata.normalize("NFKC", mark) if wide else mark


def _negated(value: Number) -> Number:
    # Not by `-`, which rounds a Decimal to the precision of the thread's context.
    return value.copy_negate() if isinstance(value, Decimal) else -value


def _value(found: re.Match[str]) -> Number | None:
    for name, base in (("hex", 16), ("octal", 8), ("binary", 2)):
        if found[name]:
            return int(found[name][2:], base)
    if found["groups"]:
        return exact(f"{_digits(found['groups'])}.{found['cents']}")
    whole = _digits(found["dotted"] or found["whole"] or "")
    part = (found["part"] or "").replace("_", "")
    exponent = found["exponent"] or ""
    if not whole and not part:
        return None
    if not part and not exponent:
        return int(whole)
    if exponent and (len(exponent) > 6 or abs(int(exponent[1:])) > _LARGEST_EXPONENT):
        return None
    return exact(f"{whole or '0'}.{part or '0'}{exponent}")


def _digits(text: str) -> str:
    return text if text.isdigit() else re.sub(r"\D", "", text)


def is_literal(text: str) -> bool:
    """Whether the text is a number as a programming language writes it (`5.`, `.5`, `0x1F`, `1_000`), not only one as
    people do (`$5`, `1,000`)."""
    return len(text) <= _LONGEST and _LITERAL.fullmatch(text) is not None


_TEENS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_UNITS: Final = {name: value for value, name in enumerate(_TEENS.split(" "))} | {
    name: 20 + 10 * value for value, name in enumerate(_TENS.split(" "))
}
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ANY_NUMBER: Final = re.compile(
    r"(?<![\w.,/])(?<!\w[+\-−–])(?<![<>≤≥=~≈±^]\s)(?<![<>≤≥=~≈±^])"
    r"[+\-]?(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][+\-]?\d+)?(?![\w/+^]|[.,]\d|[\-−–](?!\w))"
)
_SCALED: Final = re.compile(
    r"\s*(?P<number>[^\sa-zA-Z]+)[\s\-]+(?P<scales>(?:(?:hundred|thousand|million|billion|trillion)s?\s*)+)\.?\s*",
    re.IGNORECASE,
)
# What makes another number of the number beside it, or says that it is none.
_MULTIPLE: Final = re.compile(
    r"\b(?:hundreds?|thousands?|mill\w*|mil|milliards?|bill?i\w+|trill?i\w+|dozens?|scores?|lakhs?|crores?|tausend)\b"
    r"|\b(?:mio|mrd|mn|bn|tn|k|m|b|тыс\w*|млн|млрд|милли\w+)\b"
    r"|\b(?:half|halves|thirds?|quarters?|fourths?|fifths?|tenths?|per\s?cent\w*|pct|per\s?mille|bps)\b|[%‰]"
    r"|\b(?:minus|negative|times|plus|divided|squared?|cubed?|roots?|log|double|twice|thrice|triple)\b"
    r"|\b(?:more|less|fewer|greater|higher|lower|larger|smaller|over|under|above|below|beyond|least|most)\b"
    r"|\b(?:up\s+to|between|except|within|max|min|maxim\w+|minim\w+|exceed\w*)\b",
    re.IGNORECASE,
)
_NEGATION: Final = re.compile(
    r"\b(?:not|never|neither|nor|non|cannot|hardly|barely|scarcely|almost|nearly|without|nobody|none|nothing|lack\w*)\b"
    r"|n['’ ]t\b|\b(?:far\s+from|(?:any|every)thing\s+but|instead\s+of|rather\s+than|other\s+than)\b"
    r"|\b(?:fail|refus)\w*|\b(?:nicht|kein\w*|niemals|pas|jamais|nunca|não|niet|geen|inte|ikke|не|нет)\b",
    re.IGNORECASE,
)
_NO: Final = re.compile(r"\bno\b", re.IGNORECASE)
_DOUBT: Final = re.compile(
    r"\?|\b(?:half|part\w*|mostly|if|unless|whether|would|could|should|may|might|maybe|perhaps)\b"
)


# "A false positive" says nothing of what was asked.
_OF_A_NOUN: Final = re.compile(
    r"\b(?:true|false)\s+(?!(?:that|because|since|as|for|in|on|at|by|to|of|with|from|when|where|while|and|or|but|so|it|this"
    r"|these|the|there|here|is|was|are|per|due|given|based|according|however|indeed|only|then|statement|answer)\b)[^\W\d_]"
)


def number_in(text: str, *, ratio: bool = True) -> Number | None:
    """`eager`: also a decimal comma, a fraction, a number in English words, or the only number in a sentence.

    None where a word makes another number of it: "3 million", "less than 3", "not 3". `ratio`: that a fraction is asked
    for where one stands; "5/5" and "24/7" are never one.
    """
    plain = number(text)
    if plain is not None or len(text) > 10 * _LONGEST or _NUMBER.fullmatch(text.strip()):
        return plain  # what is a number and may mean two, does not mean the one in it either
    if comma := _COMMA_DECIMAL.fullmatch(text):
        return exact(f"{comma[1]}.{comma[2]}")
    if fraction := _FRACTION.fullmatch(text):
        return _ratio(fraction) if ratio else None
    if (spoken := _spoken(text)) is not None:
        return spoken
    if (scaled := _SCALED.fullmatch(text)) is not None:
        return _times(number(scaled["number"]), scaled["scales"].lower().split())
    if _MULTIPLE.search(text) or _NEGATION.search(text) or _NO.search(text):
        return None
    found = list(_ANY_NUMBER.finditer(text))
    if len(found) != 1:
        return None
    rest = f"{text[: found[0].start()]} {text[found[0].end() :]}"
    # Any other digit, or word for a number, may be a part of it, or the one that is meant.
    if any(map(str.isnumeric, rest)) or not _UNITS.keys().isdisjoint(re.findall(r"\w+", rest.lower())):
        return None
    return number(found[0][0])


def _times(value: Number | None, scales: list[str]) -> Number | None:
    if value is None:
        return None
    product = Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    for scale in scales:
        product *= _SCALES[scale.removesuffix("s")]
    return product.numerator if product.denominator == 1 else float(product)


def _ratio(found: re.Match[str]) -> int | float | None:
    sign, whole, top, bottom = found.groups()
    if len(found[0]) > 40 or int(top) >= int(bottom):
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
    said = set(re.findall(r"(?<![\w-])(?:true|false|yes|no)(?![\w-])", word))
    if len({truth in _TRUE for truth in said}) != 1:
        return None
    # "That is not true" says nothing else, "no idea" nothing at all; of "No, it is not" the first word is the answer.
    denied = _NEGATION.search(word) or _OF_A_NOUN.search(word) or _DOUBT.search(word) or re.search(r"\bno\s+\w", word)
    if denied and not (len(said) == 1 and _ANSWERED.match(word)):
        return None
    return bool(said & _TRUE)


def is_null(text: str, *, eager: bool = False) -> bool:
    """Whether the text is a way of writing null (`None`, `nil`, `undefined`, `NaN`, `n/a`; `eager` also `unknown`)."""
    word = text.strip().lower()
    return word in _NULL or (eager and word in _EAGER_NULL)


def one_of_many(one: str, many: str) -> bool:
    """Whether a name is the English singular of another, up to spelling: `tag` of `tags`, `entry` of `Entries`, `child`
    of `children`."""
    one, many = folded(one), folded(many)
    return any(one.endswith(end) and many == one.removesuffix(end) + ends for end, ends in _PLURALS)


# How a singular ends, and its plural.
_PLURALS: Final = (
    *(("", "s"), ("", "es"), ("y", "ies"), ("is", "es"), ("f", "ves"), ("fe", "ves"), ("us", "i")),
    *(("ix", "ices"), ("ex", "ices"), ("on", "a"), ("um", "a")),
    *(("man", "men"), ("child", "children"), ("person", "people"), ("mouse", "mice"), ("foot", "feet")),
)


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """The text without what carries no meaning: two words are spelled alike where these are equal.

    Case, accents and blanks go, and `_` and `-` between words; between digits they stay, as one mark: `1-5` is not 15.
    Decomposition and case folding are those of Unicode (UAX 15, UAX 44).
    """
    return _SEPARATOR.sub(_joined, _plain(text).casefold()).replace(" ", "")


_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—−﹣－"), "-")
_BLANKS: Final = re.compile(r"\s+")
# Between words, and the blanks around it. A hyphen behind a blank and before a digit is a sign.
_SEPARATOR: Final = re.compile(r"(?<=[^\W_])(?:(?: ?_[_ ]*| ?-{1,2} |-{1,2}| )(?=[^\W_])| -{1,2}(?=[^\W\d_]))")
_MEANT: Final = ("<super>", "<sub>", "<fraction>", "<circle>", "<square>")
"""Kinds of decomposition that change what is said: `m²` is not `m2`."""


def _joined(found: re.Match[str]) -> str:
    text = found.string
    digits = text[found.start() - 1].isdigit() and text[found.end()].isdigit()
    return "-" if digits else ""


def _plain(text: str) -> str:
    """The text without accents, with one kind of blank and of dash."""
    marks = text if text.isascii() else "".join(map(_decomposed, text))
    return _BLANKS.sub(" ", marks.translate(_DASHES)).strip()


def _decomposed(mark: str) -> str:
    if unicodedata.decomposition(mark).startswith(_MEANT):
        return mark
    return "".join(part for part in unicodedata.normalize("NFKD", mark) if not unicodedata.combining(part))


def pick(text: str, options: Mapping[str, str] | Iterable[str]) -> str | None:
    """The one option that the text spells, up to case, accents, blanks, and `_` or `-` between words; else None.

    One that is equal but for case goes before one that is not. A mapping gives other ways of writing an option: way →
    option.
    """
    ways = options if isinstance(options, Mapping) else {option: option for option in options}
    if text in ways:
        return ways[text]
    if len(text) > _LONGEST:
        return None
    for alike in (str.casefold, folded):
        wanted = alike(text)
        found = {option for way, option in ways.items() if alike(way) == wanted} if wanted else set()
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def pick_in(text: str, options: Mapping[str, str] | Iterable[str]) -> str | None:
    """`eager`: also with other marks between its words (`gpt-3-5` for `gpt-3.5`), and the only option that the text
    holds as a whole word; None where it holds two, or a negation."""
    whole = pick(text, options)
    if whole is not None or len(text) > 10 * _LONGEST:
        return whole
    ways = options if isinstance(options, Mapping) else {option: option for option in options}
    wanted = _divided(text)
    alike = {option for way, option in ways.items() if _divided(way) == wanted}
    if len(alike) == 1 and any(mark.isalpha() for mark in wanted):
        return alike.pop()
    # As it is written first: "TWO" is said in "TWO is one of them", "ONE" is not.
    found = _said(text, ways, str)
    if not found:
        found = _said(text, ways, str.casefold)
        # A word in small letters is no abbreviation: "tell us" does not say US.
        named = {way: option for way, option in ways.items() if not (way.isupper() and len(way) <= _SHORTEST)}
        found = found if found == _said(text, named, str.casefold) else set()
    return found.pop() if len(found) == 1 else None


def _divided(text: str) -> str:
    """The words of a text, whatever divides them."""
    return re.sub(r"(?<=[^\W_])\.(?=[^\W_])", " ", _SEPARATOR.sub(" ", _plain(text).casefold()))


def _said(text: str, ways: Mapping[str, str], case: Callable[[str], str]) -> set[str]:
    """The options that the text holds as whole words; none where one is a part of a compound: `non-spam`."""
    written = _words(text, case)
    said = written.replace(_JOINT, " ")
    taken: list[tuple[int, int]] = []
    found: set[str] = set()
    # Longest first: the place of "car-2" is no "car".
    for words, option in sorted(
        ((_words(way, case).replace(_JOINT, " "), option) for way, option in ways.items()), key=lambda w: -len(w[0])
    ):
        at = said.find(words) if words.strip() else -1
        while at >= 0:
            end = at + len(words)
            if (at, end) in taken or not any(start < end - 1 and at < stop - 1 for start, stop in taken):
                if _JOINT in (written[at], written[end - 1]):
                    return set()
                taken.append((at, end))
                found.add(option)
            at = said.find(words, at + 1)
    # What is left may say that the option is not the answer.
    rest = "".join(" " if any(start < at < stop - 1 for start, stop in taken) else mark for at, mark in enumerate(said))
    denied = _NEGATION.search(rest) or _NO.search(rest)
    multiplied = any(not isinstance(o, str) or number_in(o) is not None for o in found) and _MULTIPLE.search(rest)
    return set() if denied or multiplied else found


# Marks that belong to a word, before it or behind it; blanks between them and a number carry no meaning.
_LEADING: Final = re.compile(rf"([<>≤≥=~≈±{_CURRENCY}]+) +(?=\w)")
_TRAILING: Final = re.compile(rf"(?<=\w) +([%‰°{_CURRENCY}])(?!\w)")
# What only divides words, or stands around them.
_DIVIDING: Final = re.compile(
    r"""[;!?"'“”‘’«»()\[\]{}*`|\\…•]|_|(?<!\d)[,:]|[,:](?!\d)|(?<!\S)[-#>=]+(?!\S)|\.(?!\w)"""
    r"""|(?<=[^\W\d])/(?=[^\W\d])"""
)
_JOINT: Final = "\u2010"  # `_plain` leaves none
_COMPOUND: Final = re.compile(r"(?<=[^\W_])(?:-|_+)(?=[^\W_])")
_SHORTEST: Final = 2


def _words(text: str, case: Callable[[str], str]) -> str:
    """The words of a text with the marks that belong to them, each with one blank before and behind, or with a joint to
    the next word of a compound."""
    plain = _TRAILING.sub(r"\1", _LEADING.sub(r"\1", case(_plain(text))))
    return f" {' '.join(_DIVIDING.sub(' ', _COMPOUND.sub(_JOINT, plain)).split())} "
