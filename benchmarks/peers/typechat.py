"""TypeChat's Python package: a translator over a stub model."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # not this folder: it holds files named as the packages

import typechat
from case import GOOD, TASK, alternating, cpu_times, report
from typing_extensions import TypedDict


class Address(TypedDict):
    street: str
    city: str


class Order(TypedDict):
    sku: str
    quantity: int


class Customer(TypedDict):
    name: str
    age: int
    score: float
    active: bool
    note: str
    address: Address
    orders: list[Order]


class Model:
    def __init__(self, answer):
        self.answer = answer

    async def complete(self, prompt):
        return typechat.Success(self.answer())


def measure(answer, repetitions):
    translator = typechat.TypeChatJsonTranslator(Model(answer), typechat.TypeChatValidator(Customer), Customer)
    loop = asyncio.new_event_loop()

    def run():
        result = loop.run_until_complete(translator.translate(TASK))
        assert isinstance(result, typechat.Success), result
        assert result.value["age"] == 36

    run()
    return cpu_times(run, repetitions)


if __name__ == "__main__":
    count = int(sys.argv[1])
    report(measure(lambda: GOOD, count), measure(alternating(), count))
