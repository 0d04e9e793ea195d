"""The one case that every library is measured on: a model of five plain fields and two nested ones, and two answers."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from pydantic import BaseModel

GOOD = json.dumps(
    {
        "name": "Ada Lovelace",
        "age": 36,
        "score": 9.5,
        "active": True,
        "note": "first programmer",
        "address": {"street": "St James's Square", "city": "London"},
        "orders": [{"sku": "A-1", "quantity": 2}, {"sku": "B-7", "quantity": 1}],
    }
)
BAD = GOOD.replace("36", '"thirty-six"').replace('"city": "London"', '"town": "London"')
TASK = "Make a customer record of the letter below."


class Address(BaseModel):
    street: str
    city: str


class Order(BaseModel):
    sku: str
    quantity: int


class Customer(BaseModel):
    name: str
    age: int
    score: float
    active: bool
    note: str
    address: Address
    orders: list[Order]


def cpu_times(run: Callable[[], object], repetitions: int) -> list[float]:
    """CPU seconds of single calls."""
    times = []
    for _ in range(repetitions):
        started = time.process_time_ns()
        run()
        times.append((time.process_time_ns() - started) / 1e9)
    return times


def alternating(good: str = GOOD, bad: str = BAD) -> Callable[..., str]:
    """A stub model that answers wrongly, then rightly, and so on."""
    state = [0]

    def answer(*_: object, **__: object) -> str:
        state[0] += 1
        return bad if state[0] % 2 else good

    return answer


def summary(times: list[float]) -> dict[str, float]:
    """Microseconds: the median and the tenth and ninetieth percentile."""
    cuts = statistics.quantiles(times, n=10)
    return {"median": statistics.median(times) * 1e6, "p10": cuts[0] * 1e6, "p90": cuts[-1] * 1e6}


def report(good: list[float], retry: list[float]) -> None:
    """What a peer's script prints for `overhead.py`."""
    print(json.dumps({"good": good, "retry": retry}))
