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
        ("hostname", "ab--cd", True),
        ("hostname", "a.", False),
        ("hostname", "a" * 63, True),
        ("hostname", "a" * 64, False),
        ("hostname", ".".join(["a" * 49] * 5 + ["bcd"]), True),
        ("hostname", ".".join(["a" * 49] * 5 + ["bcde"]), False),
        ("idn-hostname", "xn---9uc", False),
        ("hostname", "xn---9uc", False),
        ("idn-hostname", "", False),
        ("idn-hostname", "\u00fc.", False),
        ("idn-hostname", "\u00fc" * 57, True),
        ("idn-hostname", "\u00fc" * 60, False),
        ("idn-hostname", "\u00fc\u3002example", True),
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


def test_a_name_that_idna_does_not_read_in_linear_time():
    """The longest host name is answered within a tenth of a second, whatever stands in it; a longer one is not read."""
    import time

    for unit in ("\u0660", "\u0628\u064e", "\u200c", "\u30fb", "\u00fc.", "xn--a.", "xn--9"):
        name = (unit * 253)[:253]
        began = time.perf_counter()
        assert not FORMATS["idn-hostname"](name)
        assert not FORMATS["idn-hostname"](".".join([name[:63]] * 3))
        assert time.perf_counter() - began < 0.1


PLAIN = st.from_regex(r"[a-wyz0-9]([a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)


@given(labels=st.lists(PLAIN, min_size=1, max_size=5))
def test_names_in_ascii(labels):
    """A plain name is a host name in capitals too, and one of IDNA unless `--` stands where `xn--` has it."""
    name = ".".join(labels)
    assert FORMATS["hostname"](name)
    assert FORMATS["hostname"](name.upper())
    assert FORMATS["idn-hostname"](name.upper()) is all(label[2:4] != "--" for label in labels)


@given(text=st.text("abü\u0628\u05d0\u0661-1.", min_size=1, max_size=12))
def test_a_name_and_its_ascii_form(text):
    """What is a name of IDNA is one in its ASCII form too, which is a plain host name."""
    import idna

    if FORMATS["idn-hostname"](text):
        ascii_form = ".".join(idna.alabel(label).decode() for label in text.split("."))
        assert FORMATS["idn-hostname"](ascii_form)
        assert FORMATS["hostname"](ascii_form)


def test_one_label_from_right_to_left_binds_the_others():
    """RFC 5893 looks at the whole name: a label of digits alone is fine until a Hebrew one stands beside it."""
    assert FORMATS["idn-hostname"]("1.example")
    assert FORMATS["idn-hostname"]("a.\u05d0")
    assert not FORMATS["idn-hostname"]("1.\u05d0")
    assert not FORMATS["hostname"]("1.xn--4db")
