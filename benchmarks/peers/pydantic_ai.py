"""pydantic-ai: an agent with a prompted output over a FunctionModel."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: it holds files named as the packages

from case import GOOD, TASK, Customer, alternating, cpu_times, report
from pydantic_ai import Agent, PromptedOutput
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import FunctionModel


def measure(answer, repetitions):
    model = FunctionModel(lambda messages, info: ModelResponse(parts=[TextPart(answer())]))
    agent = Agent(model, output_type=PromptedOutput(Customer), retries=2)

    def run():
        assert agent.run_sync(TASK).output.age == 36

    run()
    return cpu_times(run, repetitions)


if __name__ == "__main__":
    count = int(sys.argv[1])
    report(measure(lambda: GOOD, count), measure(alternating(), count))
