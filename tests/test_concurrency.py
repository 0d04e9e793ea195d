"""Many calls at once: no outcome mixed, none lost, nothing that grows."""

from __future__ import annotations

import asyncio
import gc
import pickle
import random
import threading
import time
import tracemalloc

from models import Ticket
from pydantic import BaseModel

from guards import Guarded, check
from guards.driving.workers import Workers


class Echo(BaseModel):
    number: int


@check(cost=1)
def threaded(value, context):
    return None if value.number == context["number"] else "mixed"


@check(cost=1)
async def looped(value, context):
    await asyncio.sleep(0)
    return None if value.number == context["number"] else "mixed"


ticket = Guarded(Echo, guards=[threaded, looped])


def model_for(number):
    """Answers wrongly first, then with its own number."""

    def model(messages):
        time.sleep(random.random() / 1000)
        return f'{{"number": {number}}}' if len(messages) > 1 else '{"number": "?"}'

    async def amodel(messages):
        await asyncio.sleep(random.random() / 1000)
        return model(messages)

    return model, amodel


def test_200_concurrent_async_calls():
    """Each of 200 calls at once, by async and plain clients, gets its own outcome."""

    async def one(number):
        client = model_for(number)[number % 2]
        return await ticket.arun(client, f"task {number}", context={"number": number})

    async def run():
        return await asyncio.gather(*(one(number) for number in range(200)))

    outcomes = asyncio.run(run())
    assert [o.value.number for o in outcomes] == list(range(200))
    assert {len(o.attempts) for o in outcomes} == {2}
    assert [o.attempts[0].messages[0]["content"] for o in outcomes] == [f"task {n}" for n in range(200)]


def test_16_threads_of_50_calls():
    """One ticket and one session shared by 16 threads mix nothing and lose nothing."""
    results = {}

    def work(thread):
        for call in range(50):
            number = thread * 50 + call
            results[number] = session.call(model_for(number)[0], "task", context={"number": number})

    with ticket.session() as session:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {number: value.number for number, value in results.items()} == {n: n for n in range(800)}
    assert len(session.outcomes) == 800


def test_nothing_grows():
    """Memory after thousands of calls is what it was after the first hundred."""
    plain = Guarded(Ticket)
    answers = {1: '{"title": 1}', 3: '{"title": "x", "priority": 1}'}

    def model(messages):
        return answers[len(messages)]

    def calls(count):
        for _ in range(count):
            plain.call(model, "task")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    threads = threading.active_count()  # those that earlier tests left idle end by themselves
    tracemalloc.start()
    try:
        before = calls(200)
        after = calls(2000)
    finally:
        tracemalloc.stop()
    assert after - before < 50_000
    assert threading.active_count() < threads + 50


def test_types_made_on_the_fly_do_not_pile_up():
    """A new model class per request is compiled, used, and let go of beyond a bound."""
    from guards.contracts import compiled

    for number in range(600):
        kind = type(f"Made{number}", (BaseModel,), {"__annotations__": {"a": int}})
        Guarded(kind)
    assert compiled._typed.cache_info().currsize <= 512


def test_a_ticket_survives_pickling():
    """A ticket with policies, guards of module level and budget is equal after a round trip, and works."""
    copy = pickle.loads(pickle.dumps(ticket))
    assert copy == ticket
    assert copy.run(model_for(3)[0], "t", context={"number": 3}).ok


def test_threads_that_hang_are_counted_and_bounded():
    """A worker that never ends is left behind; its place is taken by another, up to a bound, then an error says so."""
    release = threading.Event()
    workers = Workers("test", most=2, most_left=3)
    for _ in range(3):
        task = workers.submit(release.wait)
        while not task.running:
            time.sleep(0.001)
        workers.abandon(task)
    assert workers.left == 3
    try:
        workers.submit(release.wait)
    except RuntimeError as fault:
        assert "left behind" in str(fault)
    else:
        raise AssertionError("a fourth was started")
    release.set()
    while workers.left:
        time.sleep(0.001)
    assert workers.submit(lambda: 5).future.result(5) == 5


def test_waiting_tasks_run_when_a_thread_is_free():
    """More tasks than threads all get their turn, and one that was given up before it began never runs."""
    workers = Workers("test", most=2, most_left=3)
    ran = []
    gate = threading.Event()
    blockers = [workers.submit(gate.wait) for _ in range(2)]
    tasks = [workers.submit(lambda n=n: ran.append(n)) for n in range(20)]
    workers.abandon(tasks[7])
    gate.set()
    for task in [*blockers, *tasks[:7], *tasks[8:]]:
        task.future.result(5)
    assert sorted(ran) == [n for n in range(20) if n != 7]
