"""instructor: TOOLS mode over a stub `create`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: it holds files named as the packages

import instructor
from case import BAD, GOOD, TASK, Customer, alternating, cpu_times, report
from openai.types.chat import ChatCompletion


def completion(arguments: str) -> ChatCompletion:
    call = {"id": "c", "type": "function", "function": {"name": "Customer", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return ChatCompletion.model_validate(
        {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    )


RESPONSES = {GOOD: completion(GOOD), BAD: completion(BAD)}


def measure(answer, repetitions):
    # The library keeps and changes what it gets, so each call needs a response of its own: made before, not timed.
    ready = {text: [made.model_copy(deep=True) for _ in range(2 * repetitions + 4)] for text, made in RESPONSES.items()}

    def create(**_):
        return ready[answer()].pop()

    patched = instructor.patch(create=create, mode=instructor.Mode.TOOLS)
    messages = [{"role": "user", "content": TASK}]

    def run():
        result = patched(response_model=Customer, messages=list(messages), max_retries=2)
        assert result.age == 36

    run()
    return cpu_times(run, repetitions)


if __name__ == "__main__":
    count = int(sys.argv[1])
    report(measure(lambda: GOOD, count), measure(alternating(), count))
