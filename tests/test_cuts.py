"""The parts of a text that a classifier is shown: nothing is left out, and nothing is longer than the model's input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.checks.texts.cuts import cuts, fitting
from guards.models import ModelSpec, handle_of

TEXT = "One is here.  Two is here. Three is here.\n\nFour is here."


def scores(texts):
    return [0.0 for _ in texts]


def handle(limit=None):
    return handle_of(ModelSpec("classification", scores, labels=("x",), max_tokens=limit))


def parts(text, together, limit=None, spare=0):
    return [text[start:end] for start, end in cuts(text, handle(limit), together, spare)]


def test_one_part_where_all_fits():
    """A text that fits the model, or one whose model says no limit, is shown whole, without the blanks around it."""
    assert parts(f" {TEXT}\n", (0,)) == [TEXT]
    assert parts(TEXT, (0,), limit=200) == [TEXT]
    assert parts(TEXT, (0,), limit=20) == [TEXT]


def test_windows_of_a_long_text():
    """A longer one is shown in windows that begin with a sentence and share some; a long sentence is cut."""
    assert parts(TEXT, (0,), limit=11) == [
        "One is here.  Two is here.",
        "Two is here. Three is here.",
        "Three is here.\n\nFour is here.",
    ]
    assert parts("a b c d e f g h", (0,), limit=6) == ["a b c d", "d e f g", "g h"]
    assert parts(TEXT, (0,), limit=13, spare=2) == parts(TEXT, (0,), limit=11)


def test_sentences_and_groups():
    """Each sentence by itself; or three at a time, neighbours sharing one, the last group as full as the others."""
    assert parts(TEXT, (1,)) == ["One is here.", "Two is here.", "Three is here.", "Four is here."]
    assert parts(TEXT, (3,)) == [
        "One is here.  Two is here. Three is here.",
        "Two is here. Three is here.\n\nFour is here.",
    ]
    assert parts("A is. B is. C is. D is. E is.", (3,)) == ["A is. B is. C is.", "C is. D is. E is."]
    assert parts("Only one.", (1, 3, 0)) == ["Only one."]


def test_what_holds_no_letter_is_shown():
    """Emoji and marks are no sentence of their own, and are judged all the same."""
    assert parts("🖕🖕🖕", (1,)) == ["🖕🖕🖕"]
    assert parts("Well done.\n\n🖕🖕🖕\n", (1,)) == ["Well done.\n\n🖕🖕🖕"]


@given(st.text(alphabet="ab. \n🖕!", max_size=80), st.sampled_from([(0,), (1,), (0, 1), (1, 3, 0)]), st.integers(5, 30))
def test_every_character_is_in_some_part(text, together, limit):
    """Whatever the text, the parts together hold all of it but white space, each at most as long as the model takes."""
    found = cuts(text, handle(limit), together)
    covered = {place for start, end in found for place in range(start, end)}
    assert {place for place, letter in enumerate(text) if not letter.isspace()} <= covered
    assert all(len(handle(limit).spans(text[start:end])) <= limit - 2 for start, end in found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_model_of_hardly_any_tokens(limit):
    """However short its input, the text is shown token by token, and it ends."""
    assert parts("a b c", (0,), limit=limit) == ["a", "b", "c"]


def test_a_part_that_does_not_fit():
    """A part of a text stays as it is where it fits, else it is cut; its places are those of the text."""
    span = (TEXT.index("Two"), TEXT.index("  Two") + len("  Two is here."))
    assert fitting(TEXT, span, handle(), None) == fitting(TEXT, span, handle(), 4) == [span]
    made = fitting(TEXT, span, handle(), 2)
    assert [TEXT[start:end] for start, end in made] == ["Two is", "here."]
