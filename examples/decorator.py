"""The first shape: a function that calls a model, decorated. Its callers get a `Sentiment`, or `Rejected`.

The model is scripted here, so that this runs anywhere; in its place stands any call that gives text.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from guards import Feedback, Guarded, Raise, Reask
from guards.testing import ScriptedModel

llm = ScriptedModel(
    [
        'Clearly unhappy: {"mood": "angry", "confidence": 0.9}',
        '{"mood": "negative", "confidence": 0.9}',
    ]
)


class Sentiment(BaseModel):
    """How a customer's message sounds."""

    mood: Literal["positive", "neutral", "negative"]
    confidence: float = Field(ge=0, le=1)


sentiment = Guarded(Sentiment, on_fail=Reask(times=2).then(Raise()))


@sentiment
def rate(message: str, *, feedback: Feedback | None = None) -> str:
    """Ask the model. `feedback` is None at first, then says what was wrong with the last answer."""
    prompt = f"How does this message sound?\n{sentiment.prompt()}\n\n{message}"
    messages = [{"role": "user", "content": prompt}, *(feedback.messages if feedback else ())]
    return str(llm(messages))


if __name__ == "__main__":
    outcome = rate.run("My kitchen floor is wet again!")
    print(f"{outcome.value!r} after {len(outcome.attempts)} attempts")
    for finding in outcome.attempts[0].findings:
        print(f"first answer, {finding.path}: {finding.message}")
