"""In async code a long answer is read beside the event loop, in every shape of use; in sync code where the call is."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel

from guards import Filter, Finding, Guarded, Limits, avalidate, check, validate
from guards.contracts import Text
from guards.events import Done, TextPiece
from guards.testing import ScriptedModel

LIMITS = Limits(repair_chars=4_000_000)


class Order(BaseModel):
    number: str
    note: str


def broken(chars):
    """A document with a bare quote in each of the words of its text, and a comma too many."""
    words = 'say "hi" now, ' * (chars // 14)
    return f'{{"number": "A-1", "note": "{words}",}}'


async def ticking(work):
    """What the work gives, the longest time between two turns of another task beside it, and the time in all."""
    gaps, ended = [], False

    async def tick():
        last = time.perf_counter()
        while not ended:
            await asyncio.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    beside = asyncio.create_task(tick())
    await asyncio.sleep(0)
    began = time.perf_counter()
    result = await work
    spent = time.perf_counter() - began
    ended = True
    await beside
    return result, max(gaps), spent


async def streamed(text):
    stream = Guarded(Order, limits=LIMITS).stream(ScriptedModel([text]), "go")
    return [event async for event in stream][-1]


SHAPES = {
    "avalidate": lambda text: avalidate(text, Order, limits=LIMITS),
    "arun": lambda text: Guarded(Order, limits=LIMITS).arun(ScriptedModel([text]), "go"),
    "stream": streamed,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_other_tasks_go_on_while_two_megabytes_of_broken_text_are_read(shape):
    """The event loop never stands still for more than a part of the time that the reading takes."""
    text = broken(2_000_000)
    result, longest, spent = asyncio.run(ticking(SHAPES[shape](text)))
    outcome = result.outcome if isinstance(result, Done) else result
    assert outcome.ok
    assert outcome.value.note.count('"') == 2 * (2_000_000 // 14)
    assert longest < spent / 3, f"the loop stood still for {longest:.2f} s of {spent:.2f}"


def place_of_reading(text, *, in_async):
    """The thread in which a validator of the contract sees the answer."""
    seen = []

    def noting(value):
        seen.append(threading.current_thread())
        return value

    class Noted(BaseModel):
        note: Annotated[str, AfterValidator(noting)]

    if in_async:
        asyncio.run(avalidate(text, Noted))
    else:
        validate(text, Noted)
    return seen[0]


def test_a_short_answer_is_read_where_the_call_is():
    """No thread is asked for what takes less time than asking."""
    assert place_of_reading('{"note": "short"}', in_async=True) is threading.main_thread()


def test_a_long_answer_is_read_in_a_thread_of_the_library_in_async_code_alone():
    """Sync code has nobody to be kept waiting, and reads in its own thread."""
    text = f'{{"note": "{"long " * 10_000}"}}'
    assert place_of_reading(text, in_async=True).name == "guards-reading"
    assert place_of_reading(text, in_async=False) is threading.main_thread()


def test_a_long_answer_is_read_again_beside_the_loop_after_an_edit():
    """`Filter` takes items out and everything is judged again, with the same outcome as in sync code."""

    @check(on_fail=Filter())
    def short(value):
        for index, item in enumerate(value):
            if len(item) > 100:
                yield Finding("rule.length", "is too long", f"/{index}")

    ticket = Guarded(list[str], guards=[short])
    text = str(["a" * 50] * 500 + ["b" * 200]).replace("'", '"')
    outcome = asyncio.run(ticket.arun(ScriptedModel([text]), "go"))
    assert outcome.delivered_by == "filter"
    assert outcome.value == ["a" * 50] * 500 == ticket.run(ScriptedModel([text]), "go").value


def test_a_call_that_is_cancelled_does_not_wait_for_its_reading():
    """The reading is left to end by itself, and what it gives is nobody's."""

    async def cancelled():
        reading = asyncio.create_task(avalidate(broken(2_000_000), Order, limits=LIMITS))
        await asyncio.sleep(0.05)
        reading.cancel()
        began = time.perf_counter()
        with pytest.raises(asyncio.CancelledError):
            await reading
        return time.perf_counter() - began

    began = time.perf_counter()
    assert asyncio.run(avalidate(broken(2_000_000), Order, limits=LIMITS)).ok
    whole = time.perf_counter() - began
    assert asyncio.run(cancelled()) < whole / 2


def test_a_long_text_is_shown_and_read_the_same_in_async_code():
    """A stream that comes in one piece shows its sentences and ends with the same value."""
    text = "A sentence. " * 2_000

    async def events():
        return [event async for event in Guarded(Text()).stream(ScriptedModel([text]), "go")]

    shown = asyncio.run(events())
    pieces = [event.text for event in shown if isinstance(event, TextPiece)]
    beside = Guarded(Text()).stream(ScriptedModel([text]), "go")
    assert pieces == [event.text for event in beside if isinstance(event, TextPiece)]
    assert shown[-1].outcome.value == "".join(pieces) == text
