"""Labels by NLI hypotheses: which pairs are asked, and how the answers come back."""

from __future__ import annotations

from guards.checks.here import here
from guards.checks.learned.nli import Nli
from guards.checks.learned.zero_shot import zero_shot
from guards.testing import FixedScores


def test_each_text_is_held_against_each_hypothesis():
    """One question with every pair, and one row of entailments per text, in their order."""
    scores = FixedScores({("a", "x"): 0.1, ("a", "y"): 0.2, ("b", "x"): 0.3, ("b", "y"): 0.4})
    assert here(zero_shot(Nli.of(scores), ["a", "b"], ["x", "y"])) == [[0.1, 0.2], [0.3, 0.4]]
    assert len(scores.calls) == 1


def test_nothing_is_asked_of_nothing():
    """Without texts or without hypotheses no model is asked."""
    scores = FixedScores({})
    assert here(zero_shot(Nli.of(scores), [], ["x"])) == []
    assert here(zero_shot(Nli.of(scores), ["a"], [])) == [[]]
    assert scores.calls == []
