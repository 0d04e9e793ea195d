"""The rules: pattern, length, one-of and range. What they refuse, what they propose, and what no value does to them."""

import datetime as dt
import enum
import inspect
import json
import math
import pickle
import subprocess
import sys
import time
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated

import pytest
from clock import cpu_within
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, TypeAdapter

from guards import NO_FIX, Finding, Fix, Guard, Reask, validate
from guards.checks import Length, OneOf, Pattern, Range
from guards.context import Context
from guards.errors import ConfigError
from guards.values.text_units import TEXT_UNITS, count, cut

NOTHING = Context({})
UTC = dt.UTC
FIVE_MB = 5_000_000


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Fruit(enum.StrEnum):
    PEAR = "pear"
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Odd(enum.Enum):
    LIST = [1]


def verdict(guard, value, context=NOTHING):
    return guard.check(value, context)


def named(value):
    """A rule by its options; what pytest makes of anything else."""
    return repr(value) if isinstance(value, Guard) else None


def fix_of(guard, value):
    return verdict(guard, value).fix


RULES = [
    Pattern(r"\d{4}"),
    Pattern("a", match="search"),
    Pattern("a", forbid=True),
    Pattern("a+", forbid=True, replace="-", ignore_case=True),
    Length(min=1, max=3),
    Length(max=2, unit="words"),
    Length(min=2, unit="items"),
    OneOf(["a", 1, None, True]),
    OneOf(Color, ignore_case=True),
    OneOf(source="allowed"),
    Range(min=0, max=1, clamp=True),
    Range(exclusive_min=dt.date(2024, 1, 1)),
]


# every rule


@pytest.mark.parametrize("guard", RULES, ids=named)
def test_rules_are_values(guard):
    """A rule that was pickled is equal to the original, prints like it, and gives the same verdicts."""
    context = Context({"allowed": ["x"]})
    twin = pickle.loads(pickle.dumps(guard))
    assert (twin, hash(twin), repr(twin)) == (guard, hash(guard), repr(guard))
    for value in ("x", "2024", 5, None):
        assert verdict(twin, value, context) == verdict(guard, value, context)
    assert sum(guard == other for other in RULES) == 1


@pytest.mark.parametrize("guard", RULES, ids=named)
def test_rules_are_quick_and_cheap(guard):
    """Rules run first and in the caller's thread, and are named after their class."""
    assert (guard.cost, guard.always_quick, guard.is_async) == (0, True, False)
    assert (
        guard.name
        == {"Pattern": "pattern", "Length": "length", "OneOf": "one_of", "Range": "range"}[type(guard).__name__]
    )


@pytest.mark.parametrize(
    ("kind", "given"),
    [(Pattern, {"regex": "a"}), (Length, {"max": 1}), (OneOf, {"options": ["a"]}), (Range, {"max": 1})],
)
def test_options_of_every_guard(kind, given):
    """Each rule takes name, on_fail, on_error and timeout, refuses wrong ones, and all count in its equality."""
    guard = kind(**given, name="mine", on_fail=Fix().then(Reask()), on_error="open", timeout=2)
    assert (guard.name, guard.on_fail, guard.on_error, guard.timeout) == ("mine", Fix().then(Reask()), "open", 2)
    assert guard != kind(**given)
    for wrong in ({"name": 3}, {"on_fail": "fix"}, {"on_error": "ajar"}, {"timeout": -1}):
        with pytest.raises(ConfigError):
            kind(**given, **wrong)
    with pytest.raises(TypeError):
        kind(**given, threshold=3)


def test_repr_is_the_call():
    """What a rule prints makes an equal rule."""
    for guard in RULES[:8] + RULES[9:11]:
        assert eval(repr(guard)) == guard
    assert repr(Pattern("a", timeout=2)) == "Pattern(regex='a', timeout=2)"


@pytest.mark.parametrize("value", [SecretStr("a"), b"a", object(), SimpleNamespace(), iter("a"), 1j, Level], ids=type)
@pytest.mark.parametrize("guard", [r for r in RULES if r.needs == ()], ids=named)
def test_foreign_objects_never_pass(guard, value):
    """A Python object that JSON has no form for is a TypeError, which becomes guard.failed, and not a pass."""
    if isinstance(guard, Length) and value is Level:
        pytest.skip("an enum class is a collection")
    with pytest.raises(TypeError, match=type(guard).__name__):
        verdict(guard, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
@example("\ud800")
@example("\0")
@example("")
@example(10**5000)
@example(-(10**5000))
@example(math.nan)
@example(Decimal("sNaN"))
@example(Decimal("1E+999999999"))
@example("e\u0301" * 3)
def test_any_json_value_has_a_verdict(value):
    """No JSON value makes a rule raise, each finding is of its rule, and a fix of its own kind passes the same rule."""
    for guard in RULES:
        found = verdict(guard, value, Context({"allowed": ["x", 3]}))
        if found is None:
            continue
        assert isinstance(found, Finding)
        assert found.code == f"rule.{guard.name}"
        assert (found.score, found.path, found.severity) == (None, "", "error")
        if found.fix is not NO_FIX:
            assert verdict(guard, found.fix, Context({"allowed": ["x", 3]})) is None


@pytest.mark.parametrize(
    ("guard", "value", "message"),
    [
        (Pattern("a"), 3, "must be text, not a number"),
        (Pattern("a"), ["a"], "must be text, not a list"),
        (Pattern("a", forbid=True), None, "must be text, not null"),
        (Length(max=3), 3, "must be text, a list or an object, not a number"),
        (Length(max=3), True, "must be text, a list or an object, not true or false"),
        (Length(max=3, unit="items"), "ab", "must be a list or an object, not text"),
        (Length(max=3, unit="items"), 2, "must be a list or an object, not a number"),
        (Length(max=3, unit="words"), ["a"], "must be text, not a list"),
        (Length(max=3, unit="lines"), {}, "must be text, not an object"),
        (OneOf(["a"]), ["a"], "must be one of the options, not a list"),
        (OneOf(["a"]), {}, "must be one of the options, not an object"),
        (Range(max=3), "2", "must be a number, not text"),
        (Range(max=3), True, "must be a number, not true or false"),
        (Range(max=3), None, "must be a number, not null"),
        (Range(max=dt.date.max), "2024-01-01", "must be a date, not text"),
        (Range(max=dt.timedelta(1)), 5, "must be a duration, not a number"),
    ],
)
def test_wrong_kinds_are_findings(guard, value, message):
    """A JSON value of another kind than the rule is for is a finding that says which is wanted, never a pass."""
    found = verdict(guard, value)
    assert (found.message, found.fix) == (message, NO_FIX)
    assert found.expected in message


# pattern


@pytest.mark.parametrize(
    ("guard", "passing", "failing"),
    [
        (Pattern(r"\d{4}"), ["2024"], ["20245", "x2024", "", "2024\n", "٢٠٢٤"]),
        (Pattern(r"\d{4}", match="search"), ["in 2024!"], ["202"]),
        (Pattern("ab|abc"), ["abc"], ["abcd"]),
        (Pattern(r"\p{Lu}\p{Ll}+"), ["Émile"], ["émile"]),
        (Pattern("strasse|é", ignore_case=True), ["STRASSE", "É"], ["STRAßE", "e\u0301"]),
        (Pattern("a", forbid=True), ["", "bcd", "A"], ["bad"]),
        (Pattern("a", forbid=True, ignore_case=True), ["bcd"], ["BAD"]),
        (Pattern("a+", forbid=True, match="full"), ["ab", ""], ["aaa"]),
        (Pattern("\\0"), ["\0"], [""]),
        (Pattern("^.$"), ["\ud800", "🐲"], ["\ud800\ud800"]),
        (Pattern("red"), [Color.RED, Fruit.RED], [Color.BLUE, Fruit.PEAR]),
    ],
    ids=named,
)
def test_what_a_pattern_takes(guard, passing, failing):
    """Full and search, forbidden or not, with or without case: what passes and what does not."""
    assert [value for value in passing if verdict(guard, value) is not None] == []
    assert [value for value in failing if verdict(guard, value) is None] == []


def test_finding_of_a_pattern():
    """A text that does not match is a finding with the pattern, and with the trimmed text where only that was wrong."""
    found = verdict(Pattern(r"[A-Z]+-\d"), " AB-1\n")
    assert found == Finding(
        "rule.pattern",
        "must match the pattern from beginning to end",
        expected=r"[A-Z]+-\d",
        actual=" AB-1\n",
        fix="AB-1",
    )
    assert fix_of(Pattern(r"[A-Z]+-\d"), " ab-1\n") is NO_FIX
    assert fix_of(Pattern("^a$", match="search"), " a ") == "a"
    assert verdict(Pattern("a", match="search"), "b").message == "must match the pattern in some part"


def test_finding_of_what_is_forbidden():
    """The finding shows where the matches are and the first of them; the fix is the text without them."""
    found = verdict(Pattern(r"\d{3}", forbid=True), "call 123 or 456")
    assert found == Finding(
        "rule.pattern",
        "must not hold what the pattern matches",
        evidence=[[5, 8], [12, 15]],
        expected=r"no match of \d{3}",
        actual="123",
        fix="call  or ",
    )


def test_messages_hold_no_text_of_the_answer():
    """What a model wrote stands in actual, evidence and fix only."""
    for guard in RULES:
        for value in ("hostile 123 aaa", ["hostile"], {"hostile": 1}):
            found = verdict(guard, value, Context({"allowed": ["x"]}))
            assert found is None or "hostile" not in f"{found.message}{found.expected}"


@pytest.mark.parametrize(
    ("guard", "value", "fix"),
    [
        (Pattern(r"\d+", forbid=True, replace="#"), "1 and 22", "# and #"),
        (Pattern("(a)b", forbid=True, replace=r"\1"), "xab", "x\\1"),
        (Pattern("ab", forbid=True), "xaabby", "xy"),
        (Pattern("ab", forbid=True), "a" * 50 + "b" * 50, NO_FIX),
        (Pattern("(?=x)", forbid=True), "xx", NO_FIX),
        (Pattern("a*", forbid=True), "aa", NO_FIX),
        (Pattern("a+", forbid=True, match="full"), "aa", NO_FIX),
        (Pattern("a+", forbid=True, match="full", replace="none"), "aa", "none"),
        (Pattern("(?<=x)a", forbid=True, replace="a"), "xa", NO_FIX),
    ],
    ids=named,
)
def test_fix_of_what_is_forbidden(guard, value, fix):
    """Matches are taken out or replaced literally, again where that makes new ones; what stays refused has no fix."""
    assert fix_of(guard, value) == fix


def test_evidence_is_bounded():
    """A text full of matches names the first twenty."""
    assert verdict(Pattern("a", forbid=True), "a" * 1000).evidence == [[i, i + 1] for i in range(20)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"regex": "("}, r"Pattern\(regex=\).*not a valid"),
        ({"regex": "(?i)a"}, "ECMA-262"),
        ({"regex": None}, "text, not NoneType"),
        ({"regex": b"a"}, "text, not bytes"),
        ({"regex": "a" * 200_001}, "at most"),
        ({"regex": "a", "match": "begin"}, "use 'full' or 'search'"),
        ({"regex": "a", "forbid": "yes"}, r"Pattern\(forbid=\)"),
        ({"regex": "a", "ignore_case": 1}, r"Pattern\(ignore_case=\)"),
        ({"regex": "a", "replace": "b"}, "add forbid=True"),
        ({"regex": "a", "forbid": True, "replace": 3}, "must be text"),
        ({"regex": "a", "forbid": True, "replace": "bab"}, "itself matches"),
    ],
)
def test_impossible_patterns(options, words):
    """A pattern that cannot work is refused where it is written, with the option's name."""
    with pytest.raises(ConfigError, match=words):
        Pattern(**options)


@pytest.mark.parametrize(("regex", "text"), [("^(a+)+$", "a" * 100_000 + "!"), ("^(a|aa)+$", "a" * 80 + "!")])
@pytest.mark.parametrize("options", [{}, {"match": "search"}, {"forbid": True, "match": "full"}, {"ignore_case": True}])
def test_catastrophic_patterns_end(options, regex, text):
    """A pattern that backtracks without end is a TimeoutError after its time, forbidden or not, and never a pass."""
    begun = time.monotonic()
    with pytest.raises(TimeoutError, match=r"took longer than 0.2 s on a text of [\d,]+ characters"):
        verdict(Pattern(regex, timeout=0.2, **options), text)
    assert time.monotonic() - begun < 5


def test_catastrophic_pattern_in_a_whole_validation():
    """Out of time is guard.failed and not ok, in the caller's thread as with a limit of its own."""
    for guard in (Pattern("(a|aa)+"), Pattern("(a|aa)+", timeout=0.3)):
        outcome = validate(json.dumps("a" * 5000 + "!"), str, guards=[guard])
        assert (outcome.ok, [f.code for f in outcome.findings]) == (False, ["guard.failed"])


def test_slow_fix_is_no_fix():
    """A text is refused in time although what would be proposed for it is not found in time."""
    found = verdict(Pattern("b|(a|aa)+$", forbid=True, timeout=0.2), "b" + "a" * 60 + "!")
    assert (found.actual, found.fix, found.evidence) == ("b", NO_FIX, [[0, 1]])
    found = verdict(Pattern(r"(a|aa)+[bc]", timeout=0.2), " " + "a" * 80)
    assert (found.code, found.fix) == ("rule.pattern", NO_FIX)
    # The replacement cannot be judged at construction either: it is looked at again when it is put to use.
    assert Pattern("^(a|aa)+$", forbid=True, match="full", replace="a" * 80 + "!").forbid


@given(
    st.text("ab1 \n"),
    st.sampled_from(["ab", "a+b?", r"\s", "(?:a|b)1", "^a", "b$"]),
    st.sampled_from([None, "", "-", "12"]),
)
def test_fixes_of_patterns_pass(text, regex, replace):
    """What is proposed for a refused text passes the same rule, whatever is put in the place of a match."""
    for guard in (Pattern(regex, forbid=True, replace=replace), Pattern(regex), Pattern(regex, match="search")):
        found = verdict(guard, text)
        assert found is None or found.fix is NO_FIX or verdict(guard, found.fix) is None


# length

SENTENCES = 'One is here. "Two is it?" Three, e.g. this! Four'


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", (0, 0, 0, 0)),
        (" \n\t\n ", (5, 0, 0, 3)),
        ("... -- !", (8, 0, 0, 1)),
        ("Hello", (5, 1, 1, 1)),
        ("It's 3.5 e-mails — or 4.", (24, 5, 1, 1)),
        (SENTENCES, (48, 10, 4, 1)),
        ("Dr. Smith", (9, 2, 2, 1)),
        ("Title\n\nBody text", (16, 3, 2, 3)),
        ("a\r\nb\r\n", (6, 2, 1, 2)),
        ("Wait... what?! Yes.", (19, 3, 2, 1)),
        ("今日は晴れ。明日は?", (10, 8, 2, 1)),
        ("カー ガ", (4, 2, 1, 1)),
        ("か\u3099", (2, 1, 1, 1)),
        ("नमस्ते दुनिया। फिर", (18, 3, 2, 1)),
        ("e\u0301t e\u0301", (6, 2, 1, 1)),
        ("\ud800 \0 a", (5, 1, 1, 1)),
    ],
)
def test_units_of_text(text, counts):
    """What characters, words, sentences and lines are, in several scripts and for no text at all."""
    assert tuple(count(text, unit) for unit in TEXT_UNITS) == counts


@pytest.mark.parametrize(
    ("guard", "passing", "failing"),
    [
        (
            Length(min=2, max=3),
            ["ab", "abc", [1, 2], {"a": 1, "b": 2}, (1, 2), {1, 2, 3}],
            ["a", "abcd", "", [], {}, [1]],
        ),
        (Length(max=0), ["", []], ["a", [1]]),
        (Length(min=1), ["a" * 100, [0]], ["", []]),
        (Length(min=2, max=2, unit="words"), ["two words"], ["one", "there are three"]),
        (Length(max=2, unit="sentences"), ["One. Two."], ["One. Two. Three."]),
        (Length(min=2, unit="lines"), ["a\nb"], ["a\n"]),
        (Length(min=1, unit="items"), [[0], {"a": 0}, frozenset({1})], [[], {}]),
        (Length(max=3), [Color.RED], [Color.BLUE]),
    ],
    ids=named,
)
def test_what_a_length_takes(guard, passing, failing):
    """Bounds are inclusive, and the unit goes by the value where none is named."""
    assert [value for value in passing if verdict(guard, value) is not None] == []
    assert [value for value in failing if verdict(guard, value) is None] == []


@pytest.mark.parametrize(
    ("guard", "value", "expected", "actual"),
    [
        (Length(min=10, max=200), "short", "10 to 200 characters", 5),
        (Length(min=1), "", "at least 1 character", 0),
        (Length(max=1, unit="words"), "a b", "at most 1 word", 2),
        (Length(min=3, max=3, unit="sentences"), "a", "exactly 3 sentences", 1),
        (Length(min=2), [1], "at least 2 items", 1),
        (Length(max=2, unit="lines"), "a\nb\nc", "at most 2 lines", 3),
    ],
)
def test_finding_of_a_length(guard, value, expected, actual):
    """The finding says what is asked for and how many there are, not the text."""
    found = verdict(guard, value)
    assert (found.message, found.expected, found.actual) == (f"must have {expected}", expected, actual)


@pytest.mark.parametrize(
    ("guard", "value", "fix"),
    [
        (Length(max=15), "One is here. Two is there.", "One is here."),
        (Length(max=25), "One is it. Two is much longer than that.", "One is it. Two is much"),
        (Length(max=12), "One is here. Two", "One is here."),
        (Length(max=11), "One is here. Two", "One is here"[:6]),
        (Length(max=10), "first, second", "first"),
        (Length(max=5), "indivisible", NO_FIX),
        (Length(max=0), "a", NO_FIX),
        (Length(min=9, max=10), "first second", NO_FIX),
        (Length(min=15, max=25), "One is here. Two is there. Three.", "One is here. Two is"),
        (Length(max=3, unit="words"), "One two three four", "One two three"),
        (Length(max=5, unit="words"), "One two three. Four five six.", "One two three."),
        (Length(max=2, unit="sentences"), SENTENCES, 'One is here. "Two is it?"'),
        (Length(max=2, unit="lines"), "a\nb\nc", "a\nb"),
        (Length(max=1, unit="lines"), "\nb", NO_FIX),
        (Length(max=3), "e\u0301e\u0301", NO_FIX),
        (Length(max=3), "か\u3099か\u3099", "か\u3099"),
        (Length(max=3), "漢。\u0301漢", "漢。\u0301"),
        (Length(max=1), "漢\u0301", NO_FIX),
        (Length(max=2), [1, 2, 3], NO_FIX),
        (Length(min=5), "a", NO_FIX),
    ],
    ids=named,
)
def test_fix_of_a_length(guard, value, fix):
    """A long text is cut after a sentence or word, never inside one; short texts and lists get no proposal."""
    assert fix_of(guard, value) == fix


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "give min=, max= or both"),
        ({"min": 3, "max": 2}, "min 3 is above max 2"),
        ({"min": -1}, r"Length\(min=\)"),
        ({"max": True}, r"Length\(max=\)"),
        ({"max": 2.0}, "whole number"),
        ({"max": "3"}, "not str"),
        ({"max": 10**5000}, "whole number"),
        ({"max": 3, "unit": "tokens"}, "use one of characters, words, sentences, lines, items"),
        ({"max": 3, "unit": 3}, "unknown unit"),
    ],
)
def test_impossible_lengths(options, words):
    """Bounds and units that cannot be are refused where they are written."""
    with pytest.raises(ConfigError, match=words):
        Length(**options)


@given(
    st.text("ab.!? \n,漢か\u3099。\u0301\ud800"), st.sampled_from(TEXT_UNITS), st.integers(0, 12), st.integers(0, 12)
)
def test_fixes_of_lengths_pass(text, unit, low, high):
    """What is proposed is a beginning of the text that has an allowed length, and ends where a word does."""
    guard = Length(min=min(low, high), max=max(low, high), unit=unit)
    found = verdict(guard, text)
    if found is None or found.fix is NO_FIX:
        return
    assert verdict(guard, found.fix) is None
    assert text.startswith(found.fix)
    assert text[len(found.fix)] != "\u0301"


# one of


@pytest.mark.parametrize(
    ("guard", "passing", "failing"),
    [
        (OneOf(["a", "b"]), ["a", "b"], ["A", "c", "", 1, None, "a "]),
        (OneOf([1]), [1, 1.0, Decimal(1), Level.LOW], [True, "1", 2, math.nan, 10**5000]),
        (OneOf([True]), [True], [1, 1.0, "true"]),
        (OneOf([0, None]), [0, -0.0, None], [False, ""]),
        (OneOf([1, True]), [1, True], [0, False]),
        (OneOf(["Straße"], ignore_case=True), ["STRASSE", "straße"], ["Strase"]),
        (OneOf(Color), [Color.RED, "red", Fruit.PEAR.value and "blue"], [Fruit.RED, "RED", Color]),
        (OneOf([Color.RED, "blue"]), [Color.RED, Color.BLUE, "blue", "red"], [Fruit.RED, Fruit.PEAR]),
        (OneOf([Fruit.RED]), [Fruit.RED, "red"], [Color.RED, Fruit.PEAR]),
        (OneOf({"a", "b"}), ["a"], ["c"]),
        (OneOf(iter(["a"])), ["a"], ["b"]),
        (OneOf(["\ud800", "\0", ""]), ["\ud800", "\0", ""], ["\ud801"]),
    ],
    ids=named,
)
def test_what_one_of_takes(guard, passing, failing):
    """Equality knows kinds: True is not 1, text is not a number, a member of another enum is not the same member."""
    assert [value for value in passing if verdict(guard, value) is not None] == []
    for value in failing:
        if value is Color:
            with pytest.raises(TypeError):
                verdict(guard, value)
        else:
            assert verdict(guard, value) is not None, value


def test_an_enum_of_unhashable_values():
    """A member whose value is a list is refused like the list."""
    assert verdict(OneOf(["a"]), Odd.LIST).message == "must be one of the options, not a list"
    with pytest.raises(ConfigError, match="not list"):
        OneOf(Odd)


def test_finding_of_one_of():
    """The finding lists the options, at most fifty, and the value."""
    found = verdict(OneOf(["low", Color.RED, 3]), "high")
    assert found == Finding(
        "rule.one_of", "must be exactly one of the 3 options", expected=["low", "red", 3], actual="high"
    )
    assert verdict(OneOf(["low"]), "high").message == "must be exactly the one option"
    assert len(verdict(OneOf(range(100)), "high").expected) == 50


@pytest.mark.parametrize(
    ("guard", "value", "fix"),
    [
        (OneOf(["Café au lait", "Tea"]), "cafe-au-lait.", "Café au lait"),
        (OneOf(["US", "us"]), "Us", NO_FIX),
        (OneOf(["A+", "B"]), "a-", NO_FIX),
        (OneOf(["A+", "A-"]), "a-", "A-"),
        (OneOf(["3.1"]), "31", NO_FIX),
        (OneOf(["65+"]), "<65", NO_FIX),
        (OneOf(["in_progress", "done"]), "In Progress", "in_progress"),
        (OneOf(Color), "Red!", "red"),
        (OneOf([Color.RED, Fruit.RED]), "RED", "red"),
        (OneOf(["high"], spelling=False), "High", NO_FIX),
        (OneOf(["high"]), "highest", NO_FIX),
        (OneOf([1, True]), "1", NO_FIX),
        (OneOf(["-", "a"]), "!", NO_FIX),
        (OneOf(["की", "का"]), "की!", "की"),
        (OneOf(["a"]), "a" + " " * FIVE_MB, NO_FIX),
        (OneOf(["high"]), 3, NO_FIX),
    ],
    ids=named,
)
def test_fix_of_one_of(guard, value, fix):
    """The one option that is spelled otherwise is proposed, as the document would hold it; of two, none."""
    assert fix_of(guard, value) == fix


def test_options_from_the_context():
    """Options may come with the call; their key is among the rule's needs, and equal rules stay equal."""
    guard = OneOf(source="allowed", ignore_case=True)
    assert guard.needs == ("allowed",)
    assert guard.options["options"] is None
    assert verdict(guard, "A", Context({"allowed": ["a"]})) is None
    assert verdict(guard, "b", Context({"allowed": ("a", "c")})).expected == ["a", "c"]
    assert verdict(guard, "red", Context({"allowed": Color})) is None
    assert guard == OneOf(source="allowed", ignore_case=True) != OneOf(source="other", ignore_case=True)
    assert validate('"b"', str, guards=[guard], context={"allowed": ["a", "b"]}).ok


@pytest.mark.parametrize("allowed", [[], "a", {"a": 1}, 3, None, iter("a"), [[]], [math.nan], ["a", "a"], [object()]])
def test_unusable_options_in_the_context(allowed):
    """A context without usable options is an error of the guard, and not a pass nor the model's fault."""
    with pytest.raises((TypeError, ConfigError), match="the context's 'allowed'"):
        verdict(OneOf(source="allowed"), "a", Context({"allowed": allowed}))
    outcome = validate('"a"', str, guards=[OneOf(source="allowed")], context={"allowed": allowed})
    assert [f.code for f in outcome.findings] == ["guard.failed"]


def test_a_missing_key_is_an_error():
    """Without its key in the context the rule raises."""
    with pytest.raises(KeyError):
        verdict(OneOf(source="allowed"), "a")


def test_equality_of_options_knows_kinds():
    """Rules with True, with 1 and with 1.0 differ, though 1 is 1.0 to what they judge; sets are equal in any order."""
    assert len({OneOf([1]), OneOf([True]), OneOf([1.0]), OneOf(["1"])}) == 4
    assert OneOf([Color.RED]) != OneOf(["red"])
    assert repr(OneOf({"b", "a", 3})) == "OneOf(options={'a', 'b', 3})"
    assert OneOf(["a"]) != OneOf(["a"], ignore_case=True)
    assert OneOf({"a", "b"}) == OneOf({"b", "a"})
    assert hash(OneOf({"a", "b"})) == hash(OneOf({"b", "a"}))


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({}, "give one of options=, source="),
        ({"options": ["a"], "source": "b"}, "give one of"),
        ({"options": []}, "there are no options"),
        ({"options": enum.Enum("Empty", {})}, "without members"),
        ({"options": "abc"}, r"write \[\.\.\.\]"),
        ({"options": {"a": 1}}, "not dict"),
        ({"options": 3}, "not int"),
        ({"options": [["a"]]}, "not list"),
        ({"options": [dt.date.max]}, "not date"),
        ({"options": [math.nan]}, "NaN"),
        ({"options": [Decimal("sNaN")]}, "NaN"),
        ({"options": ["a", "b", "a"]}, "twice"),
        ({"options": [1, 1.0]}, "twice"),
        ({"source": ""}, "key of the context"),
        ({"source": 3}, "key of the context"),
        ({"options": ["a"], "ignore_case": "no"}, "ignore_case"),
        ({"options": ["a"], "spelling": None}, "spelling"),
    ],
)
def test_impossible_options(given_, words):
    """Options that cannot be are refused where they are written."""
    with pytest.raises(ConfigError, match=words):
        OneOf(**given_)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)


def kinded(value):
    return (isinstance(value, bool), isinstance(value, str), value)


@given(st.lists(SCALARS, min_size=1, unique_by=kinded), SCALARS)
def test_one_of_is_membership(options, value):
    """A value passes exactly when an option of its own kind equals it, and a proposal always passes."""
    guard = OneOf(options)
    found = verdict(guard, value)
    assert (found is None) is (kinded(value) in map(kinded, options))
    assert all(verdict(guard, option) is None for option in options)
    assert found is None or found.fix is NO_FIX or verdict(guard, found.fix) is None


# range

NOON = dt.datetime(2024, 1, 1, 12)
NOON_UTC = NOON.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("guard", "passing", "failing"),
    [
        (
            Range(min=0, max=10),
            [0, 10, 5.5, Decimal(10), Level.LOW],
            [-1, 10.1, math.nan, math.inf, -math.inf, 10**5000],
        ),
        (Range(exclusive_min=0, exclusive_max=1), [0.5], [0, 1, -0.0, 1.0]),
        (Range(min=0, exclusive_max=1), [0], [1]),
        (Range(exclusive_min=0), [5e-324, math.inf], [0]),
        (Range(min=Decimal("0.1"), max=Decimal("0.3")), [0.1, 0.3, Decimal("0.3")], [0.1 + 0.2, 0.09, Decimal("NaN")]),
        (Range(max=0.3), [Decimal("0.3"), 0], [Decimal("0.30000000000000001"), Decimal("sNaN"), Decimal("Infinity")]),
        (Range(max=2**53), [2**53], [2**53 + 1]),
        (Range(min=dt.date(2024, 1, 1)), [dt.date(2024, 1, 1)], [dt.date(2023, 12, 31)]),
        (Range(max=NOON), [NOON], [NOON + dt.timedelta.resolution, NOON_UTC]),
        (
            Range(max=NOON_UTC),
            [
                NOON_UTC,
                NOON.replace(hour=13, tzinfo=dt.timezone(dt.timedelta(hours=1))),
                dt.datetime.min.replace(tzinfo=UTC),
            ],
            [NOON_UTC.replace(hour=13), NOON],
        ),
        (Range(min=dt.time(8), exclusive_max=dt.time(17)), [dt.time(8)], [dt.time(17), dt.time(9, tzinfo=UTC)]),
        (Range(exclusive_min=dt.timedelta(0)), [dt.timedelta(1)], [dt.timedelta(0), dt.timedelta(-1)]),
    ],
    ids=named,
)
def test_what_a_range_takes(guard, passing, failing):
    """Bounds of every family, inclusive and exclusive, compared by exact values."""
    assert [value for value in passing if verdict(guard, value) is not None] == []
    assert [value for value in failing if verdict(guard, value) is None] == []


@pytest.mark.parametrize(
    ("guard", "value"), [(Range(max=3), dt.date.max), (Range(max=dt.date.max), NOON), (Range(max=NOON), dt.date.max)]
)
def test_a_range_at_the_wrong_place(guard, value):
    """A date under bounds for numbers, or a datetime under dates, is the guard's fault and not the model's."""
    with pytest.raises(TypeError, match="Range checks"):
        verdict(guard, value)


@pytest.mark.parametrize(
    ("guard", "value", "message"),
    [
        (Range(min=0, max=5), 6, "must be at least 0 and at most 5"),
        (Range(exclusive_min=0), 0, "must be above 0"),
        (Range(exclusive_max=Decimal("2.50")), 3, "must be below 2.50"),
        (Range(max=dt.date(2024, 1, 1)), dt.date(2024, 1, 2), "must be at most 2024-01-01"),
        (Range(max=dt.timedelta(hours=1)), dt.timedelta(hours=2), "must be at most 1:00:00"),
    ],
)
def test_finding_of_a_range(guard, value, message):
    """The finding names all bounds and the value."""
    found = verdict(guard, value)
    assert found == Finding("rule.range", message, expected=message.removeprefix("must be "), actual=value)


def test_time_zones():
    """A time without a zone under bounds that have one, or the other way round, is a finding that says so."""
    assert verdict(Range(max=NOON_UTC), NOON).message == "must be a date and time with a time zone"
    assert verdict(Range(max=NOON), NOON_UTC).message == "must be a date and time without a time zone"
    assert verdict(Range(max=dt.time(9, tzinfo=UTC)), dt.time(8)).message == "must be a time with a time zone"


def test_a_number_too_long_to_write_is_left_out():
    """A number with more digits than Python writes is refused, and its digits are not in the finding."""
    found = verdict(Range(max=5, clamp=True), 10**5000)
    assert (found.actual, found.fix) == (None, 5)


@pytest.mark.parametrize(
    ("guard", "value", "fix"),
    [
        (Range(min=1, max=5), 6, NO_FIX),
        (Range(min=1, max=5, clamp=True), 6, 5),
        (Range(min=1, max=5, clamp=True), -3.5, 1),
        (Range(min=1, exclusive_max=5, clamp=True), 6, NO_FIX),
        (Range(min=1, exclusive_max=5, clamp=True), 0, 1),
        (Range(max=5, clamp=True), math.nan, NO_FIX),
        (Range(max=5, clamp=True), math.inf, 5),
        (Range(min=0.5, clamp=True), 0, 0.5),
        (Range(min=math.inf, clamp=True), 0, NO_FIX),
        (Range(max=Decimal("0.1"), clamp=True), 1, 0.1),
        (Range(max=Decimal("5.0"), clamp=True), 6, 5),
        (Range(max=Decimal("0.10000000000000000001"), clamp=True), 6, NO_FIX),
        (Range(max=Decimal("-1E+999999999"), clamp=True), 6, NO_FIX),
        (Range(max=Decimal("-Infinity"), clamp=True), 6, NO_FIX),
        (Range(max=dt.date(2024, 1, 1), clamp=True), dt.date.max, "2024-01-01"),
        (Range(max=5, clamp=True), "6", NO_FIX),
    ],
    ids=named,
)
def test_fix_of_a_range(guard, value, fix):
    """Only clamping proposes something: the nearest inclusive bound, as a document holds it."""
    found = fix_of(guard, value)
    assert (found, type(found)) == (fix, type(fix))


@pytest.mark.parametrize(
    "bound", [dt.date(2024, 1, 1), NOON, NOON_UTC, dt.time(8, 30), dt.time(9, tzinfo=UTC), dt.timedelta(1, 5, 7)]
)
def test_clamped_dates_come_back(bound):
    """A proposed date or time, put into JSON and read again, is the bound itself."""
    above = (
        dt.timedelta(9)
        if isinstance(bound, dt.timedelta)
        else bound.max.replace(**({"tzinfo": UTC} if getattr(bound, "tzinfo", None) else {}))
    )
    guard = Range(max=bound, clamp=True)
    read = TypeAdapter(type(bound)).validate_json(json.dumps(fix_of(guard, above)), strict=True)
    assert read == bound
    assert verdict(guard, read) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "has no bound"),
        ({"min": 3, "max": 2}, "no value is at least 3 and at most 2"),
        ({"min": 3, "exclusive_max": 3}, "no value is"),
        ({"exclusive_min": 3, "max": 3}, "no value is"),
        ({"exclusive_min": 3, "exclusive_max": 3}, "no value is"),
        ({"min": 1, "exclusive_min": 0}, "give one"),
        ({"max": 1, "exclusive_max": 0}, "give one"),
        ({"min": math.nan}, r"Range\(min=\).*NaN"),
        ({"max": Decimal("sNaN")}, "NaN"),
        ({"min": True}, "not bool"),
        ({"max": "5"}, r"Range\(max=\).*not str"),
        ({"max": 10**5000}, "more digits"),
        ({"min": 1, "max": dt.date.max}, "one of|of one family"),
        ({"min": dt.date.min, "max": NOON}, "of one family"),
        ({"min": NOON, "max": NOON_UTC}, "of one family"),
        ({"min": NOON, "max": dt.date.max}, "of one family"),
        ({"exclusive_min": 1, "clamp": True}, "no nearest value"),
        ({"min": 1, "clamp": "yes"}, r"Range\(clamp=\)"),
    ],
)
def test_impossible_ranges(options, words):
    """Bounds that no value can meet, or that are none, are refused where they are written."""
    with pytest.raises(ConfigError, match=words):
        Range(**options)


NUMBERS = st.integers() | st.floats() | st.decimals()


@given(NUMBERS, NUMBERS, NUMBERS)
def test_fixes_of_ranges_pass(low, high, value):
    """A clamped number is in the range, whatever kinds of numbers bound it."""
    try:
        guard = Range(min=low, max=high, clamp=True)
    except ConfigError:
        return
    found = verdict(guard, value)
    assert found is None or found.fix is NO_FIX or verdict(guard, found.fix) is None


# hostile input, and rules at work


@pytest.mark.parametrize(
    "text",
    [
        "a" * FIVE_MB,
        "a " * (FIVE_MB // 2),
        "." * FIVE_MB + "x",
        ".)" * (FIVE_MB // 2),
        "A. b. " * (FIVE_MB // 6),
        "!? " * (FIVE_MB // 3),
        "\n \n" * (FIVE_MB // 3),
        "\n" + " " * FIVE_MB,
        "\0" * FIVE_MB,
        "\ud800" * FIVE_MB,
        "e" + "\u0301" * FIVE_MB,
        "漢。" * (FIVE_MB // 2),
    ],
    ids=lambda text: ascii(text[:6]),
)
def test_five_megabytes(text):
    """No rule needs longer than seconds for 5 MB of anything, fix included."""
    guards = [Pattern("[a-z ]+"), Pattern(r"\S+@\S+\.\S+", forbid=True), OneOf(["a"]), Range(max=3)]
    guards += [Length(max=100, unit=unit) for unit in TEXT_UNITS]
    for guard in guards:
        with cpu_within(2, guard):
            try:
                verdict(guard, text)
            except TimeoutError:
                assert isinstance(guard, Pattern)


@pytest.mark.parametrize("unit", TEXT_UNITS)
@pytest.mark.parametrize(
    "text", ["a. " * 300_000, ".)" * 400_000, "a" * 900_000, "漢。" * 400_000], ids=lambda text: text[:3]
)
def test_long_cuts_are_quick(unit, text):
    """A cut of nearly a million characters takes linear time and memory."""
    with cpu_within(2):
        cut(text, unit, 200_000)
    assert cut("a " * 600_000, unit, 5) is None


class Ticket(BaseModel):
    title: Annotated[str, Length(max=20)]
    kind: Annotated[str, OneOf(["bug", "wish"])]
    tags: list[Annotated[str, Pattern("[a-z]+")]] = []
    hours: Annotated[float, Range(min=0)] = 0


def test_rules_inside_a_type():
    """In a pydantic field each rule judges its own part and names the place."""
    answer = {"title": "A title that is much too long", "kind": "Bug", "tags": ["ok", "No"], "hours": -1}
    outcome = validate(json.dumps(answer), Ticket)
    found = {finding.path: (finding.code, finding.fix) for finding in outcome.findings}
    assert found == {
        "/title": ("rule.length", "A title that is much"),
        "/kind": ("rule.one_of", "bug"),
        "/tags/1": ("rule.pattern", NO_FIX),
        "/hours": ("rule.range", NO_FIX),
    }
    assert outcome.scores == {"length": 0.0, "one_of": 0.0, "pattern": 0.0, "range": 0.0}
    assert validate('{"title": "t", "kind": "bug"}', Ticket).scores == {"length": 1.0, "one_of": 1.0, "range": 1.0}


def test_rules_at_a_place():
    """With a path a rule judges the items of a list one by one."""
    outcome = validate('{"tags": ["a", "b"]}', dict[str, list[str]], guards=[OneOf(["a"]).on("$.tags[*]")])
    assert [finding.path for finding in outcome.findings] == ["/tags/1"]


def test_a_subclass_of_a_rule():
    """A rule of one's own with its options fixed is a guard like any other, under its own name."""

    class ZipCode(Pattern):
        def __init__(self):
            super().__init__(r"\d{5}")

    assert (ZipCode().name, repr(ZipCode())) == ("zip_code", "ZipCode()")
    assert verdict(ZipCode(), "1234").code == "rule.pattern"
    assert isinstance(ZipCode(), Guard)


def test_rules_are_loaded_when_named():
    """Importing the guards brings no library; the exported names are sorted and can all be had."""
    import guards.checks

    assert list(guards.checks.__all__) == sorted(guards.checks.__all__)
    for name in guards.checks.__all__:
        assert getattr(guards.checks, name).__name__ == name
        assert name in dir(guards.checks)
    with pytest.raises(AttributeError, match="Nonsense"):
        guards.checks.Nonsense
    code = "import guards.checks, sys; from guards.checks import Length, OneOf, Range; print('regex' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_keywords_are_keywords():
    """Only what a rule is about may stand without its name."""
    for kind, allowed in ((Pattern, 1), (OneOf, 1), (Length, 0), (Range, 0)):
        parameters = inspect.signature(kind).parameters.values()
        assert sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters) == allowed
