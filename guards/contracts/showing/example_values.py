"""Texts and numbers that a JSON Schema's bounds, lengths, formats and patterns allow: the leaves of an example.

Several for each place, the plainest first, since a list may ask for different ones and a validator may refuse some.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from guards.patterns.samples import samples

__all__ = ["integers", "numbers", "texts"]

FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "date-time": ("2026-01-31T09:30:00Z", "2026-02-01T10:00:00Z"),
    "date": ("2026-01-31", "2026-02-01"),
    "time": ("09:30:00Z", "09:30:00", "10:00:00Z"),
    "duration": ("P1DT2H", "PT30M"),
    "email": ("ada@example.org", "bob@example.org"),
    "idn-email": ("ada@example.org", "bob@example.org"),
    "name-email": ("ada@example.org", "Ada <ada@example.org>"),
    "hostname": ("example.org", "example.net"),
    "idn-hostname": ("example.org", "example.net"),
    "ipv4": ("192.0.2.1", "192.0.2.2"),
    "ipv6": ("2001:db8::1", "2001:db8::2"),
    "ip-address": ("192.0.2.1", "192.0.2.2"),
    "ipvanyaddress": ("192.0.2.1", "192.0.2.2"),
    "ipvanyinterface": ("192.0.2.1/24", "192.0.2.2/24"),
    "ipvanynetwork": ("192.0.2.0/24", "198.51.100.0/24"),
    "ipv4interface": ("192.0.2.1/24", "192.0.2.2/24"),
    "ipv4network": ("192.0.2.0/24", "198.51.100.0/24"),
    "ipv6interface": ("2001:db8::1/64", "2001:db8::2/64"),
    "ipv6network": ("2001:db8::/64", "2001:db8:1::/64"),
    "uri": ("https://example.org/", "https://example.net/", "postgresql://user:password@example.org:5432/data"),
    "uri-reference": ("https://example.org/", "/path"),
    "iri": ("https://example.org/", "https://example.net/"),
    "iri-reference": ("https://example.org/", "/path"),
    "url": ("https://example.org/", "https://example.net/"),
    "multi-host-uri": ("postgresql://user:password@example.org:5432/data", "mongodb://example.org:27017/data"),
    "uri-template": ("https://example.org/{id}", "/{id}"),
    "uuid": (
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "0b9ecba8-3c1d-4f0e-9d2a-6c1f5f6d7e80",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ),
    "uuid1": ("6ba7b810-9dad-11d1-80b4-00c04fd430c8",),
    "uuid3": ("a3bb189e-8bf9-3888-9912-ace4e6543002",),
    "uuid4": ("f47ac10b-58cc-4372-a567-0e02b2c3d479",),
    "uuid5": ("886313e1-3b8a-5372-9b90-0c9aee199e5d",),
    "uuid6": ("1ec9414c-232a-6b00-b3c8-9e6bdeced846",),
    "uuid7": ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f",),
    "uuid8": ("2489e9ad-2ee2-8e00-8ec9-32d5f69181c0",),
    "json-pointer": ("/items/0", ""),
    "relative-json-pointer": ("0/name", "1"),
    "regex": ("^[a-z]+$", "[0-9]+"),
    "color": ("#336699", "#993366"),
    "base64": ("dGV4dA==",),
    "base64url": ("dGV4dA==", "dGV4dA"),
    "binary": ("dGV4dA==", "text"),
    "byte": ("dGV4dA==",),
    "json-string": ("{}", '"text"', "1"),
    "file-path": ("pyproject.toml", "/etc/hosts"),
    "directory-path": (".", "/"),
    "path": ("folder/file.txt",),
    "phone": ("+12015550123", "tel:+1-201-555-0123"),
}

_WIDEST: Final = 100_000
_MANY: Final = 2_000  # as many different ones as a list of unique items may ask for
# For validators that a schema does not show: lengths, case, digits, words that many a rule asks for.
_OTHERS: Final = (
    "text",
    "a",
    "A",
    "1",
    "abc",
    "ABC",
    "0",
    "1.5",
    "true",
    "en",
    "EN",
    "2026-01-31",
    "a@example.org",
    "",
)


def texts(label: str, low: int, high: int | None, formats: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    """Texts within the lengths: of the first known format, of each pattern, then named after their place."""
    if low > _WIDEST or (high is not None and high < low):
        return
    for text in _shaped(label, low, high, formats, patterns):
        if len(text) >= low and (high is None or len(text) <= high):
            yield text


def _shaped(label: str, low: int, high: int | None, formats: Sequence[str], patterns: Sequence[str]) -> Iterator[str]:
    for name in formats:
        yield from FORMATS.get(name, ())
    for pattern in patterns:
        yield from samples(pattern, low, high)
    plain = " ".join(label.replace("_", " ").replace("-", " ").split()) or "text"
    yield _fitted(plain, low, high)
    for number in range(2, 12):
        yield _fitted(f"{plain} {number}", low, high, keep=len(str(number)))
    for other in _OTHERS:
        yield _fitted(other, low, high)
    for number in range(12, _MANY):
        yield _fitted(f"{plain} {number}", low, high, keep=len(str(number)))


def _fitted(text: str, low: int, high: int | None, keep: int = 0) -> str:
    """The text, repeated or cut to fit; its last `keep` characters, which tell it from others, stay."""
    if high is not None and len(text) > high:
        return (text[: max(0, high - keep)] + text[len(text) - keep :])[:high]
    if 0 < len(text) < low:
        return (text + " ") * (low // (len(text) + 1)) + text[: low % (len(text) + 1)] if text.strip() else text
    return text


def integers(
    low: Fraction | None, high: Fraction | None, steps: Sequence[Fraction], *, above: bool, below: bool
) -> Iterator[int]:
    """Whole numbers within the bounds (exclusive where `above`, `below`) that each step divides."""
    whole = math.lcm(*(step.numerator for step in steps)) if steps else 1
    yield from (int(number) for number in _spread(low, high, Fraction(whole), above=above, below=below))


def numbers(
    low: Fraction | None, high: Fraction | None, steps: Sequence[Fraction], *, above: bool, below: bool
) -> Iterator[float]:
    """Numbers within the bounds, a fraction first, then whole ones."""
    if steps:
        together = Fraction(
            math.lcm(*(step.numerator for step in steps)), math.gcd(*(step.denominator for step in steps))
        )
        yield from map(_number, _spread(low, high, together, above=above, below=below))
        return
    for start in (Fraction(3, 2), Fraction(1, 2)):
        if _within(start, low, high, above=above, below=below):
            yield float(start)
    if low is not None and high is not None and low < high:
        yield _number((low + high) / 2)
    yield from map(_number, _spread(low, high, Fraction(1), above=above, below=below))
    edge = low if low is not None else high
    if edge is not None:
        yield _number(edge)
        yield _number(edge + (Fraction(1, 1000) if low is not None else Fraction(-1, 1000)))


def _spread(
    low: Fraction | None, high: Fraction | None, step: Fraction, *, above: bool, below: bool
) -> Iterator[Fraction]:
    """Multiples of the step inside the bounds: small positive ones first, then from an edge."""
    for factor in (*range(1, 11), 0, 100, 1000, -1, *range(11, _MANY)):
        if _within(step * factor, low, high, above=above, below=below):
            yield step * factor
    if low is not None:
        first = math.ceil(low / step)
        yield from (
            step * factor
            for factor in range(first, first + _MANY)
            if _within(step * factor, low, high, above=above, below=below)
        )
    if high is not None:
        last = math.floor(high / step)
        yield from (
            step * factor
            for factor in range(last, last - _MANY, -1)
            if _within(step * factor, low, high, above=above, below=below)
        )


def _within(number: Fraction, low: Fraction | None, high: Fraction | None, *, above: bool, below: bool) -> bool:
    if low is not None and (number < low or (above and number == low)):
        return False
    return not (high is not None and (number > high or (below and number == high)))


def _number(number: Fraction) -> float:
    return int(number) if number.denominator == 1 else float(number)
