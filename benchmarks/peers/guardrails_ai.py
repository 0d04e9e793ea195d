"""guardrails-ai: a Guard of a pydantic model over a stub callable, its telemetry switched off."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: it holds files named as the packages
os.environ["OTEL_SDK_DISABLED"] = "true"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would look for a price list on the network

from case import GOOD, TASK, Customer, alternating, cpu_times, report
from guardrails import Guard, settings

settings.rc.enable_metrics = False


def measure(answer, repetitions):
    guard = Guard.for_pydantic(Customer)
    guard.configure(allow_metrics_collection=False)

    def llm(*args, **kwargs):
        return answer()

    def run():
        outcome = guard(llm, messages=[{"role": "user", "content": TASK}], num_reasks=1)
        assert outcome.validated_output["age"] == 36, outcome

    run()
    return cpu_times(run, repetitions)


if __name__ == "__main__":
    count = int(sys.argv[1])
    report(measure(lambda: GOOD, count), measure(alternating(), count))
