"""How many characters does the first retry send? A 44-character task, an answer with two errors.

Measured elsewhere for the same: instructor sends 964 characters of messages, two of its error lines being help URLs.
"""

from __future__ import annotations

from case import TASK, Customer

from guards import Guarded, Reask, Reflect
from guards.testing import ScriptedModel

GOOD = (
    '{"name": "Ada", "age": 36, "score": 9.5, "active": true, "note": "x", '
    '"address": {"street": "s", "city": "c"}, "orders": []}'
)
BAD = GOOD.replace("36", '"thirty-six"').replace('"city"', '"town"')
PATHS = ("/age", "/address/city")


def main() -> None:
    task = TASK.ljust(44)[:44]
    for name, policy in {
        "Reask()": Reask(),
        'Reask(history="minimal")': Reask(history="minimal"),
        "Reflect()": Reflect(),
    }.items():
        model = ScriptedModel([BAD, GOOD])
        Guarded(Customer, on_fail=policy).run(model, task)
        contents = [message["content"] for message in model.calls[1]]
        assert all(path in contents[-1] for path in PATHS)
        total, answer = sum(map(len, contents)), len(contents[1])
        print(f"| {name} | {total} | of it the bad answer {answer}, the feedback {len(contents[-1])} |")


if __name__ == "__main__":
    main()
