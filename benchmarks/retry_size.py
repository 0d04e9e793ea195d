"""How many characters does the first retry send, and take? A 44-character task, an answer with two errors.

Columns: all messages; of it the answer, the feedback; the reply.

Measured elsewhere for the same: instructor sends 964 characters of messages, two of its error lines being help URLs.
"""

from __future__ import annotations

import json

from case import TASK, Customer
from pydantic import BaseModel

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
        print(row(name, policy, task, Customer, BAD, GOOD))
    # A longer answer: an order of forty lines, two of them wrong.
    lines = [{"sku": f"A-{n}", "quantity": n, "note": "packed by hand, checked twice"} for n in range(1, 41)]
    long, part = json.dumps({"lines": lines}), '{"/lines/3/quantity": 4, "/lines/20/quantity": 21}'
    bad = long.replace('"quantity": 4,', '"quantity": "four",').replace('"quantity": 21,', '"quantity": null,')
    print(row("Reask(), 40 lines", Reask(), task, Lines, bad, long))
    print(row('Reask(scope="fields"), 40 lines', Reask(scope="fields"), task, Lines, bad, part))


class Line(BaseModel):
    sku: str
    quantity: int
    note: str


class Lines(BaseModel):
    lines: list[Line]


def row(name, policy, task, contract, bad, reply) -> str:
    model = ScriptedModel([bad, reply])
    assert Guarded(contract, on_fail=policy).run(model, task).ok
    contents = [message["content"] for message in model.calls[1]]
    if contract is Customer:
        assert all(path in contents[-1] for path in PATHS)
    return f"| {name} | {sum(map(len, contents))} | {len(contents[1])} | {len(contents[-1])} | {len(reply)} |"


if __name__ == "__main__":
    main()
