"""ECMA-262 patterns: what they match, what is refused, and that no text makes them hang."""

import contextlib
import pickle
import re

import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st

from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern, translate
from guards.patterns.unicode_properties import property_of


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("b", "abc"),
        ("^[]$|b", "b"),
        ("^[^]$", "\n"),
        (r"(a)?b\1$", "b"),
        (r"(?<first>a)\k<first>", "aa"),
        (r"(?<$ÿ>a)\k<$ÿ>", "aa"),
        (r"a(?:\1(b))*", "a"),
        (r"^\ud83d\udc32*$", "🐲🐲"),
        (r"^[\ud83d\udc32]$", "🐲"),
        (r"^\u{1F432}$", "🐲"),
        (r"^\ud800$", "\ud800"),
        (r"^\ud83d\u0041$", "\ud83dA"),
        ("^.$", "🐲"),
        (r"^[\w-.]+$", "a-."),
        (r"^[a-\d]+$", "a-7"),
        (r"^[\]\-\^]$", "^"),
        (r"\bfoo\b", "éfooé"),
        (r"^x\By$", "xy"),
        (r"^\cJ\x41\0[\b]$", "\nA\0\b"),
        (r"^\/\.\@\-$", "/.@-"),
        (r"^[\D]$", "x"),
        (r"^[^\D]$", "4"),
        (r"^[\S\n]$", "\n"),
        (r"^\s$", "\ufeff"),
        ("^}]{$", "}]{"),
        ("^a{,3}$", "a{,3}"),
        ("^a{2}?$", "aa"),
        ("^a{1,99999999999999999999}$", "aaa"),
        ("^(?!x)(?=a)(?<!y)a(?<=a+)b$", "ab"),
        (r"^\p{Lu}\p{Script=Greek}\P{L}\p{digit}[\p{Alphabetic}\P{Any}]$", "Aλ٣٣é"),
        ("^#a b$", "#a b"),
    ],
)
def test_matches(pattern, text):
    """A pattern matches as ECMA-262 has it in unicode mode."""
    assert EcmaPattern(pattern).search(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^a$", "a\n"),
        ("^b", "a\nb"),
        ("^.$", "\u2028"),
        (r"^\d$", "٣"),
        (r"^\w$", "é"),
        (r"\bé", " é"),
        ("[]", "a"),
        (r"^\p{Lu}$", "a"),
        (r"^[\P{L}]$", "a"),
        ("^[^a]$", "a"),
        (r"^\S$", "\u00a0"),
        ("A", "a"),
    ],
)
def test_does_not_match(pattern, text):
    """What Python would match and ECMA-262 would not is not matched."""
    assert not EcmaPattern(pattern).search(text)


@pytest.mark.parametrize(
    "pattern",
    [
        *("(", ")", "a)", "(?:a", "[a", "\\", "a**", "a*+", "a{2}{3}", "*", "^*", "(?=a)*", "{1}", r"\b+"),
        *("(?P<n>a)", "(?i)a", "(?i:a)", "(?>a)", "(?#a)b", "(?<1>a)", "(?<n>a)(?<n>b)", r"\k<n>", r"\k"),
        *(r"\a", r"\Z", r"\A", r"\e", r"\c1", r"\c", r"\x1", r"\u12", r"\u{}", r"\u{110000}", r"\u{12", r"\01", r"\é"),
        *(r"\1", r"\2(a)", r"(?<=(a)\1)", "[b-a]", r"[\k]", "a{2,1}", "a{9999999999999999}", r"\999999999999"),
        *(r"\p", r"\p{L", r"\p{Latin}", r"\p{Script=Nope}", r"\p{gc=Nope}", r"\p{Nope=L}", r"\p{letter}", "(" * 5000),
        "(" * 5000 + ")" * 5000,
    ],
)
def test_refused(pattern):
    """What is no ECMA-262 pattern is a ConfigError that shows the start of it."""
    with pytest.raises(ConfigError, match="is not a valid ECMA-262 pattern") as caught:
        EcmaPattern(pattern, where="JsonSchema(schema=) at /pattern")
    assert len(str(caught.value)) < 400
    assert caught.value.where == "JsonSchema(schema=) at /pattern"


def test_only_text():
    """A pattern that is no text is refused by its type."""
    with pytest.raises(ConfigError, match="a pattern is text, not int"):
        EcmaPattern(3)


def test_too_long():
    """A pattern of a size that takes seconds to compile is refused by its length."""
    with pytest.raises(ConfigError, match="at most 200000 characters, not 200001"):
        EcmaPattern("a" * 200_001)
    with pytest.raises(ConfigError, match="more than 20000 sets of characters"):
        EcmaPattern("." * 20_001)
    with cpu_within(4):
        EcmaPattern("." * 20_000)
    words = "|".join(f"word{number}" for number in range(10_000))
    with cpu_within(4):
        assert EcmaPattern(f"^({words})$").search("word9999")


def test_translate_refuses():
    """`translate` raises the same error as the class."""
    with pytest.raises(ConfigError, match="a group is not closed"):
        translate("(")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"])
@pytest.mark.parametrize("text", ["a" * 40 + "!", "x" * 100_000, "a" * 100_000 + "!"])
def test_bounded(pattern, text):
    """A pattern that would backtrack for ever answers, or says that its time is over, at once."""
    with cpu_within(1.0):
        with contextlib.suppress(TimeoutError):
            assert EcmaPattern(pattern).search(text) in {True, False}


def test_no_time_left():
    """A limit of nothing is no time, never no limit."""
    with pytest.raises(TimeoutError):
        EcmaPattern("a").search("a", 0.0)


def test_memory_is_time(monkeypatch):
    """Running out of memory while backtracking counts as running out of time."""

    class Greedy:
        def search(self, text, timeout):
            raise MemoryError

    pattern = EcmaPattern("a")
    monkeypatch.setattr(pattern, "_compiled", Greedy())
    with pytest.raises(TimeoutError, match="memory"):
        pattern.search("a")


def test_fullmatch():
    """`fullmatch` takes the branch that reaches the end, as `^(?:…)$` would."""
    assert EcmaPattern("a|ab").fullmatch("ab")
    assert not EcmaPattern("a|ab").fullmatch("abc")


def test_value():
    """A pattern is a value: equal by its source, hashable, picklable, shown by its source."""
    pattern = EcmaPattern("a+")
    assert pattern == EcmaPattern("a+") != EcmaPattern("a*")
    assert len({pattern, EcmaPattern("a+")}) == 1
    assert pickle.loads(pickle.dumps(pattern)) == pattern
    assert repr(pattern) == "EcmaPattern('a+')"


@given(st.text(max_size=12))
def test_any_text_as_a_literal(text):
    """Any text, escaped, matches itself and nothing more."""
    source = "".join(f"\\u{{{ord(char):x}}}" for char in text)
    assert EcmaPattern(source).fullmatch(text)
    assert not EcmaPattern(source).fullmatch(text + "x")


@given(st.text(alphabet=r"ab(){}[]*+?|^$.\-:=!<>,0129dwsbpukxcPB", max_size=14))
def test_any_pattern(source):
    """Whatever stands in a schema as a pattern is taken or refused as one, and nothing else is ever raised."""
    try:
        pattern = EcmaPattern(source)
    except ConfigError:
        return
    pattern.search("ab-0 9", 0.2)


@given(st.text(alphabet="ab*+?|()^", max_size=8), st.text(alphabet="ab.\n", max_size=6))
def test_agrees_with_python_where_both_agree(source, text):
    """On the syntax that both share, with the same meaning, the answer is Python's."""
    try:
        theirs = re.compile(source)
        ours = EcmaPattern(source)
    except (re.error, ConfigError):
        return
    assert ours.search(text) == bool(theirs.search(text))


def test_property_names_are_exact():
    """Names of properties are those of ECMA-262, in its spelling."""
    assert property_of("Letter") == property_of("L") == property_of("gc=L") == r"\p{gc=L}"
    assert property_of("White_Space") == property_of("space")
    assert property_of("white_space") is property_of("Script=a b") is None


@pytest.mark.parametrize("source", ["^(a{9999}){9999}$", "((a{99}){99}){99}", "(a{0,9999}){0,9999}"])
def test_counts_inside_counts(source):
    """Counts that multiply beyond reason are refused at once instead of being compiled for minutes."""
    with pytest.raises(ConfigError, match="too many repeats"):
        EcmaPattern(source)
