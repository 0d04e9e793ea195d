"""What does an update of a stream cost? A JSON answer of 26 KB in pieces of 20 characters.

Beside it pydantic_core's partial parse of all that has come, which is what most streaming views are made of. Both in
turn for each piece; wall-clock times of single updates.
"""

from __future__ import annotations

import json
import statistics
import time

from pydantic import BaseModel
from pydantic_core import from_json

from guards import Guarded
from guards.contracts import JsonSchema
from guards.reading.reading import Limits

SIZE, PIECE, ROUNDS = 26_000, 20, 5


class Line(BaseModel):
    sku: str
    quantity: int
    price: float
    note: str | None = None


class Order(BaseModel):
    number: str
    customer: str
    lines: list[Line]


def answer(size: int) -> str:
    lines: list[dict[str, object]] = []
    while len(text := json.dumps({"number": "A-1", "customer": "Ada", "lines": lines})) < size:
        lines.append({"sku": f"sku-{len(lines)}", "quantity": 2, "price": 9.25, "note": "packed by hand, checked"})
    return text


def updates(contract, text):
    """Seconds of each update of ours, and of the partial parse."""
    live, so_far = contract.live("", Limits()), ""
    ours, parse = [], []
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        began = time.perf_counter()
        live.feed(piece)
        between = time.perf_counter()
        so_far += piece
        from_json(so_far, allow_partial="trailing-strings", allow_inf_nan=False)
        ours.append(between - began)
        parse.append(time.perf_counter() - between)
    return ours, parse


def main():
    print("| view | characters | median µs | p90 | last tenth, median | partial parse, median | ratio |")
    print("|---|---|---|---|---|---|---|")
    views = {"plain data": JsonSchema(Order.model_json_schema()), "instances of the type": Guarded(Order).contract}
    for name, contract in views.items():
        for size in (SIZE // 10, SIZE, SIZE * 4):
            text = answer(size)
            rounds = [updates(contract, text) for _ in range(ROUNDS)]
            ours = [seconds for one, _ in rounds for seconds in one]
            parse = [seconds for _, one in rounds for seconds in one]
            late = [seconds for one, _ in rounds for seconds in one[-len(one) // 10 :]]
            median, bare = statistics.median(ours) * 1e6, statistics.median(parse) * 1e6
            p90 = statistics.quantiles(ours, n=10)[-1] * 1e6
            tail = statistics.median(late) * 1e6
            print(
                f"| {name} | {len(text):,} | {median:.1f} | {p90:.1f} | {tail:.1f} | {bare:.1f} | {median / bare:.2f} |"
            )


if __name__ == "__main__":
    main()
