"""The second shape: a block around several calls, with one budget and one record.

The model is scripted here, so that this runs anywhere; in its place stands any callable of messages, or an SDK's client
through `s.wrap(client)`.
"""

from __future__ import annotations

from guards import Budget, Guarded, Raise, Reask, Reply
from guards.contracts import Choice
from guards.testing import ScriptedModel

llm = ScriptedModel(
    [
        Reply("delivery", usage={"input_tokens": 40, "output_tokens": 1}),
        Reply("I would say: hardware", usage={"input_tokens": 40, "output_tokens": 6}),
        Reply("defect", usage={"input_tokens": 90, "output_tokens": 1}),
    ]
)

department = Guarded(
    Choice(["delivery", "defect", "billing"]),
    on_fail=Reask(times=1).then(Raise()),
    budget=Budget(attempts=2, tokens=10_000),
)

if __name__ == "__main__":
    with department.session() as s:
        for mail in ("Where is my parcel?", "The pump leaks."):
            answer = s.call(llm, f"{department.prompt()}\n\n{mail}")
            print(f"{mail} -> {answer}")

    for outcome in s.outcomes:
        print(f"{len(outcome.attempts)} attempts, {outcome.usage.total_tokens} tokens, {outcome.reason}")
