"""Sentences and windows: by offsets, whole, in bounded time."""

from __future__ import annotations

import pytest
from clock import cpu_within
from hypothesis import given
from hypothesis import strategies as st

from guards.checks.texts.passages import sentences, windows
from guards.models.items import words

TEXT = (
    "Dr. Smith went to Washington. He paid $3.5 million for U.S. bonds!\n- item one\n- item two has 2.5 kg\n\n"
    "1. First. 2. Second e.g. this. Mr. J. R. Smith vs. the State No. 5 won. In 1999 it cost 20. Then it fell"
)


def test_where_sentences_are():
    """Abbreviations, initials and decimals end none; items of lists and their numbers begin one."""
    assert [TEXT[start:end] for start, end in sentences(TEXT)] == [
        "Dr. Smith went to Washington.",
        "He paid $3.5 million for U.S. bonds!",
        "- item one",
        "- item two has 2.5 kg",
        "1. First.",
        "2. Second e.g. this.",
        "Mr. J. R. Smith vs. the State No. 5 won.",
        "In 1999 it cost 20.",
        "Then it fell",
    ]


@pytest.mark.parametrize("text", ["", "  \n ", "...", "—!?", "\n- \n- "])
def test_what_says_nothing_is_no_sentence(text):
    """Without a letter or a digit there is nothing to judge."""
    assert sentences(text) == []


@given(st.text(alphabet="aB1. \n-!?é漢。U.S", max_size=80))
def test_no_letter_is_outside_of_sentences(text):
    """Spans are in order and apart, without blanks at their ends, and hold every letter and digit."""
    spans = sentences(text)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in zip(spans, spans[1:], strict=False))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    inside = {index for start, end in spans for index in range(start, end)}
    assert all(index in inside for index, mark in enumerate(text) if mark.isalnum())


@pytest.mark.parametrize("unit", ["A. ", "1. ", "\n- a", "a.a", "e.g. ", '." '])
def test_hostile_texts_take_time_by_their_length(unit):
    """A text of one mark repeated is cut in about the time of any other."""
    with cpu_within(1):
        sentences(unit * 50_000)


@given(st.lists(st.integers(1, 30), max_size=12), st.integers(1, 20))
def test_windows_hold_every_token(lengths, size):
    """No window has more tokens than asked for, and no token of a piece is in none."""
    text = " ".join("x" * 1 + " y" * (length - 1) for length in lengths)
    tokens = words(text)
    pieces, at = [], 0
    for length in lengths:
        pieces.append((tokens[at][0], tokens[at + length - 1][1]))
        at += length
    made = windows(tokens, pieces, size)
    assert all(len(words(text[start:end])) <= size for start, end in made)
    assert all(any(start <= one and other <= end for start, end in made) for one, other in tokens)


def test_one_window_of_a_long_text_costs_little():
    """A text that is cut sentence by sentence takes time by its length: its tokens are not gone through for each."""
    text = "Aa a. " * 20_000
    tokens, pieces = words(text), sentences(text)
    with cpu_within(2):
        assert [windows(tokens, [piece], 9)[0] for piece in pieces] == pieces


def test_windows_share_what_they_can():
    """Windows begin at pieces and overlap by half of those that fit; a long piece is cut with an overlap."""
    text = "Aa a. Bb b. Cc c. Dd d."
    made = windows(words(text), sentences(text), 9)
    assert [text[start:end] for start, end in made] == ["Aa a. Bb b. Cc c.", "Bb b. Cc c. Dd d."]
    long = " ".join("abcdefgh")
    assert [long[s:e] for s, e in windows(words(long), [(0, len(long))], 4)] == ["a b c d", "d e f g", "g h"]
