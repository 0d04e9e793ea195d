"""The formats of the specification, asserted: what the official suite leaves out (it has a file of its own)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.contracts.json_schema.formats import FORMATS, WORDS


@pytest.mark.parametrize(
    ("name", "text", "valid"),
    [
        ("date", "0000-02-29", True),
        ("date", "2023-02-29", False),
        ("time", "24:00:00Z", False),
        ("time", "23:59:60.5Z", True),
        ("date-time", "2024-01-01 00:00:00Z", False),
        ("date-time", "", False),
        ("email", "a@b", True),
        ("email", "a@b.", False),
        ("email", "a" * 65 + "@b.com", False),
        ("email", "a@" + ".".join(["b" * 60] * 5), False),
        ("email", "a@[IPv6:1.2.3.4]", False),
        ("email", "ä@b.com", False),
        ("idn-email", "ä@ö.com", True),
        ("idn-email", "ä" * 33 + "@b.com", False),
        ("idn-email", "\ud800@b.com", True),
        ("hostname", "xn--", False),
        ("hostname", "xn--\u00fc", False),
        ("hostname", "xn--99999999999", False),
        ("idn-hostname", "XN--MNCHEN-3YA", True),
        ("idn-hostname", "ab--cd", False),
        ("idn-hostname", "Example.COM", True),
        ("idn-hostname", "MÜNCHEN", False),
        ("idn-hostname", "mu\u0308nchen", False),
        ("idn-hostname", "ü-", False),
        ("idn-hostname", "üü--ü", False),
        ("idn-hostname", "\u200c", False),
        ("idn-hostname", "ü\u200cü", False),
        ("idn-hostname", "\u0627\u0300\u200c\u0300\u0627", False),
        ("idn-hostname", "\u0628\u064e\u200c\u064e\u0628", True),
        ("idn-hostname", "א-a", False),
        ("idn-hostname", "1א", False),
        ("idn-hostname", "x\ud800", False),
        ("ipv6", "::1%eth0", False),
        ("uri", "http://[vx.a]/", False),
        ("uri", "http://[::1]:80/a?b#c", True),
        ("uri", "http://a/\n", False),
        ("uri", "a:", True),
        ("iri", "http://ü/\ue000", False),
        ("uri-template", "{?a*,b:3}", True),
        ("uri-template", "{", False),
        ("json-pointer", "/a\n", True),
        ("regex", "a{2,1}", False),
        ("regex", r"\p{Lu}", True),
    ],
)
def test_edges(name, text, valid):
    """A format draws its line where its standard draws it."""
    assert FORMATS[name](text) is valid


def test_every_format_has_words():
    """Every format can be named in a finding."""
    assert set(WORDS) == set(FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(text=st.text(max_size=30))
def test_any_text(name, text):
    """Any text at all gets an answer from every format, never an exception."""
    assert FORMATS[name](text) in {True, False}


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("unit", ["a", "1", ".", "a.", "1:", "/%41", "{a}", "ü", "@", "~0/", '"', "(a"])
def test_long_text(name, unit):
    """A text of 300,000 characters is answered at once: no format backtracks."""
    assert FORMATS[name](unit * (300_000 // len(unit))) in {True, False}


def test_dates_are_those_of_python():
    """A date is valid exactly where Python has that day."""
    import datetime as dt

    day = dt.date(1999, 12, 1)
    for _ in range(800):
        assert FORMATS["date"](day.isoformat())
        day += dt.timedelta(days=1)


def test_idna_tables():
    """The code points allowed in a label are those of the package idna, where that is installed."""
    idnadata = pytest.importorskip("idna.idnadata")
    intranges = pytest.importorskip("idna.intranges")
    import unicodedata

    from guards.contracts.json_schema.hostnames import _CONTEXT, _NOT_VALID, _PVALID, _is_pvalid

    allowed = idnadata.codepoint_classes["PVALID"]
    for point in range(0x10000):
        char = chr(point)
        if char in _CONTEXT or unicodedata.category(char) == "Cn":
            continue
        ours = char in _PVALID or (char not in _NOT_VALID and _is_pvalid(char))
        assert ours == intranges.intranges_contain(point, allowed), hex(point)
