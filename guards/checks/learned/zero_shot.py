"""Labels without a classifier: how far does a text entail each of some sentences about it?

The method is that of Yin, Hay and Roth, "Benchmarking Zero-shot Text Classification" (2019): the text is the premise of
an NLI model, and each label a hypothesis in words ("This text is about sports.").
"""

from __future__ import annotations

from collections.abc import Sequence

from guards.checks.learned.nli import Nli
from guards.effects import Flow, Rows

__all__ = ["zero_shot"]


def zero_shot(nli: Nli, texts: Sequence[str], hypotheses: Sequence[str]) -> Flow[list[list[float]]]:
    """For each text the probability that it entails each hypothesis, in one question to the model.

    The probabilities of one text do not add up to 1: each hypothesis is judged by itself. A text must fit the model
    together with the longest hypothesis; a longer one is the caller's to cut. No texts or hypotheses ask nothing.
    """
    pairs = [(text, hypothesis) for text in texts for hypothesis in hypotheses]
    if not pairs:
        return [[] for _ in texts]
    entailed = [entailment for entailment, _, _ in nli.named((yield Rows(nli.spec, pairs)))]
    width = len(hypotheses)
    return [entailed[start : start + width] for start in range(0, len(entailed), width)]
