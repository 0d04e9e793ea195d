"""Language: the right one, another one, and what is too short to tell."""

from __future__ import annotations

import pickle
import sys

import pytest

from guards import Context, validate
from guards.checks import Language
from guards.checks.learned.language import _LABELS, _ranked, identify
from guards.contracts import Text
from guards.errors import ConfigError
from guards.models import ModelSpec, handle_of
from guards.testing import FixedScores

ENGLISH = "The parcel arrived late and the box was damaged."
GERMAN = "Das Paket kam zu spät an, und der Karton war beschädigt."


@pytest.fixture
def langid():
    """The library that the default stands on."""
    return pytest.importorskip("py3langid")


def result(guard, value):
    scored = guard.check(value, Context({}))
    return scored.score, list(scored.findings)


def test_the_right_language_and_another(langid):
    """A text in the language passes; one in another is a finding that says which it reads as."""
    score, findings = result(Language("en"), ENGLISH)
    assert findings == []
    assert score > 0.9
    score, (finding,) = result(Language("en"), GERMAN)
    assert (finding.code, finding.score, finding.threshold) == ("language.wrong", score, 0.5)
    assert finding.message == "must be in the language 'en', and reads as 'de'"
    assert (finding.evidence["label"], finding.evidence["passages"][0]["span"]) == ("de", [0, len(GERMAN)])
    assert score < 0.1
    assert result(Language("en", "de"), GERMAN)[1] == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("en", "How do I reset my password?"),
        ("fr", "Comment puis-je réinitialiser mon mot de passe ?"),
        ("es", "No puedo abrir la puerta de mi casa."),
        ("ru", "Привет, как дела?"),
        ("ja", "パスワードを忘れました。"),
        ("zh", "你好，我想取消订单"),
        ("ar", "كيف يمكنني إعادة تعيين كلمة المرور؟"),
    ],
)
def test_short_questions(langid, code, text):
    """A short question in its language passes, though half of the probability lies with languages nobody means."""
    assert result(Language(code), text)[1] == []
    assert [finding.code for finding in result(Language("sw"), text)[1]] == ["language.wrong"]


def test_what_is_too_short_is_unknown():
    """It neither passes nor fails silently: the finding stands in an outcome that may be ok."""
    outcome = validate("OK, 12345678901234567890!", Text(), guards=[Language("de")])
    (finding,) = outcome.findings
    assert (finding.code, finding.severity, finding.path) == ("language.unknown", "unknown", "")
    assert finding.message == "is too short to tell its language (2 letters of at least 20)"
    assert outcome.ok
    assert outcome.scores == {"language": 0.5}
    assert [finding.code for finding in result(Language("de"), 7)[1]] == ["language.unknown"]


def test_each_text_of_a_value():
    """The long ones are judged, and each short one is told by its path."""
    guard = Language("en", model=lambda texts: [0.1 for _ in texts], least=5)
    score, findings = result(guard, {"a": "something else", "b": "ok"})
    assert [(finding.path, finding.code) for finding in findings] == [
        ("/a", "language.wrong"),
        ("/b", "language.unknown"),
    ]
    assert score == pytest.approx(0.1)


def test_a_letter_counts_as_its_bytes():
    """Scripts that say more with each letter need fewer of them."""
    guard = Language("ja", model=lambda texts: [0.9 for _ in texts], least=15)
    assert result(guard, "こんにちは")[1] == []
    assert [finding.code for finding in result(guard, "konnichiwa")[1]] == ["language.unknown"]


def test_by_a_classifier():
    """A model's languages are found by their codes; the score weighs those asked for against the likeliest other."""
    spec = ModelSpec(
        "classification", lambda texts: [[0.2, 0.3, 0.4, 0.1] for _ in texts], labels=("EN", "de", "fr", "it")
    )
    assert result(Language("en", "de", model=spec), ENGLISH) == (pytest.approx(5 / 9), [])
    score, (finding,) = result(Language("de", model=spec), ENGLISH)
    assert (score, finding.evidence["label"]) == (pytest.approx(3 / 7), "fr")
    assert result(Language("en", "EN", model=spec), ENGLISH)[0] == pytest.approx(1 / 3)
    outcome = validate(ENGLISH, Text(), guards=[Language("xx", model=spec)])
    assert "no label 'xx'; it has 'EN', 'de', 'fr', 'it'" in outcome.findings[0].message


def test_by_a_function():
    """A function gives the probability of each language named here, and the rest counts as another."""
    guard = Language("en", model=FixedScores({ENGLISH: 0.4}))
    score, (finding,) = result(guard, ENGLISH)
    assert (score, finding.message) == (pytest.approx(0.4), "must be in the language 'en'")
    assert guard.cost == 2
    assert result(Language("en", model=FixedScores({ENGLISH: 0.0})), ENGLISH)[0] == 0
    nothing = ModelSpec("classification", lambda texts: [[0.0, 0.0] for _ in texts], labels=("en", "de"))
    assert result(Language("en", model=nothing), ENGLISH)[0] == 0


def test_without_the_extra(monkeypatch):
    """Where py3langid is not installed, the guard fails with the line that brings it."""
    _ranked.cache_clear()
    monkeypatch.delitem(sys.modules, "py3langid.langid", raising=False)
    monkeypatch.setitem(sys.modules, "py3langid", None)
    outcome = validate("Where has my parcel gone, please?", Text(), guards=[Language("en", name="fresh")])
    assert not outcome.ok
    assert "pip install 'output-guards[language]'" in outcome.findings[0].message


def test_the_codes_are_the_library_s(langid):
    """The list that refuses unknown codes is what py3langid knows."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    assert set(_LABELS) == set(LanguageIdentifier.from_model_file(MODEL_FILE).labels)
    assert sum(identify([ENGLISH])[0]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "🙂" * 9, "12345 678"])
def test_odd_texts(langid, text):
    """Whatever a model may answer, it gets probabilities."""
    assert all(0 <= probability <= 1 for probability in identify([text])[0])


@pytest.mark.parametrize(
    ("codes", "options", "words"),
    [
        ((), {}, "needs codes of languages"),
        ((3,), {}, "needs codes of languages"),
        (("English",), {}, "no language 'English'"),
        (("en-GB",), {}, "no language 'en-GB'"),
        (("en", "en"), {}, "named twice"),
        (("en",), {"least": 0}, "least="),
        (("en",), {"least": True}, "least="),
        (("en",), {"threshold": 2}, "threshold="),
    ],
)
def test_options_that_cannot_work(codes, options, words):
    """Each is an error where it is written."""
    with pytest.raises(ConfigError, match=words):
        Language(*codes, **options)


def test_it_is_a_value():
    """It loads nothing when it is made, compares and pickles, and is cheaper than a classifier."""
    guard = Language("en", "de")
    assert guard == Language("en", "de") != Language("en")
    assert pickle.loads(pickle.dumps(guard)) == guard
    assert guard.cost == 1
    assert handle_of(guard.specs[0]) is handle_of(Language("fr").specs[0])
