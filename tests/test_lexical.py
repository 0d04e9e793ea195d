"""What two texts share as words, numbers and names."""

from __future__ import annotations

import pytest
from clock import cpu_within

from guards.checks.texts.lexical import Lexicon, coverage, names, numbers, stems


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,200 people", "1200 people"),
        ("5 million euros", "5,000,000 euros"),
        ("3.5bn", "3,500,000,000"),
        ("two cats", "2 cats"),
        ("in the 1930s", "since 1930"),
        ("the 19th century", "19 centuries"),
        ("on 2016-09-27", "27/9/2016"),
        ("3.50 dollars", "3.5 dollars"),
    ],
)
def test_one_number_written_in_two_ways(one, other):
    """Numbers are compared by their values, however they are grouped, scaled or spelled."""
    there = frozenset().union(*numbers(other).values())
    assert all(not values.isdisjoint(there) for values in numbers(one).values())


@pytest.mark.parametrize(("one", "other"), [("1200", "1300"), ("3.5", "3.6"), ("12%", "21%"), ("two", "three")])
def test_other_numbers(one, other):
    """What has another value is another number, told as it is written."""
    there = frozenset().union(*numbers(other).values())
    ((written, values),) = numbers(one).items()
    assert written == one.rstrip("%")
    assert values.isdisjoint(there)


def test_names_are_words_with_a_capital_inside_a_sentence():
    """The first word of a sentence, of a quotation or of an item is no name by its capital."""
    text = "Yesterday the O'Neill family met Mary-Ann in Paris. Then they left.\n- Bread from Lyon: The end."
    assert names(text) == ["o'neill", "mary-ann", "paris", "lyon"]
    assert names("all in lower case") == []
    assert names("It ended.  Then, in  Rome, it began.") == ["rome"]


def test_names_take_time_by_the_length_of_a_text():
    """A long run of blanks is passed once, not from each of its blanks."""
    with cpu_within(1):
        assert names("hello" + " " * 100_000 + "world") == []


def test_coverage_counts_rare_words_for_more():
    """What every passage has says little of a claim; what no passage has costs most."""
    passages = [stems("the engine starts"), stems("the engine stops"), stems("the engine burns diesel")]
    lexicon = Lexicon.of(passages)
    found = frozenset(stems("the engine burns diesel"))
    assert coverage(stems("engine burns diesel"), found, lexicon) == 1
    assert coverage(stems("engine stops"), found, lexicon) < 0.5
    assert (
        coverage(stems("engine of titanium"), found, lexicon) < coverage(stems("engine stops"), found, lexicon) + 0.01
    )
    assert coverage([], found, lexicon) == 1


def test_stems_keep_what_changes_the_sense():
    """Endings and words of every text go; negations and persons stay."""
    assert stems("The dogs were not running") == ["dog", "not", "runn"]
    assert stems("We do not") == ["we", "not"]
