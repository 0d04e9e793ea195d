"""What do guards with models cost beside the bare model? Ratios within one run, on tiny texts made here.

- `score_many` beside the same model in batches sorted by length, in items a second.
- 16 threads that each ask for one text at a time, beside one thread that does.
- A lone question through the batcher beside the model asked directly; a second identical one.
- `Entailment` over an answer of three sentences and a source of 2,000 words, and where its time goes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import torch
from made_texts import texts

from guards.checks import Entailment, Toxicity, score_many
from guards.context import Context
from guards.models import ModelSpec, handle_of
from guards.models.backend import backend_of


def seconds(run) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def bulk(chance: random.Random, many: int, rounds: int) -> None:
    guard = Toxicity()
    backend = backend_of(guard.specs[0])
    backend.run(["warm up"])
    score_many(guard, texts(32, chance))
    ratios = []
    for _ in range(rounds):
        bare, ours = texts(many, chance), texts(many, chance)
        batches = sorted(bare, key=len)
        taken = seconds(lambda batches=batches: [backend.run(batches[i : i + 64]) for i in range(0, many, 64)])
        ratios.append(taken / seconds(lambda ours=ours: score_many(guard, ours)))
    print(f"score_many, of the bare model's speed in sorted batches: {statistics.median(ratios):.2f}")


def threads(chance: random.Random, many: int, rounds: int) -> None:
    spec = ModelSpec("embedding", "embedded:encoder")
    handle, backend = handle_of(spec), backend_of(spec)
    handle.preload()
    for shortest, longest in ((1, 3), (3, 6), (6, 12)):
        ratios, bare = [], []
        for _ in range(rounds):
            given, others, third = (texts(many, chance, shortest, longest) for _ in range(3))
            one_by_one = seconds(lambda given=given: [handle([text]) for text in given])
            with ThreadPoolExecutor(16) as pool:
                together = seconds(lambda pool=pool, others=others: list(pool.map(lambda text: handle([text]), others)))
            batches = seconds(lambda third=third: [backend.run(third[i : i + 16]) for i in range(0, many, 16)])
            ratios.append(one_by_one / together)
            bare.append(one_by_one / batches)
        print(
            f"16 threads beside one, texts of {shortest} to {longest} words: {statistics.median(ratios):.2f} times; "
            f"the bare model in batches of 16: {statistics.median(bare):.2f}"
        )


def lone(chance: random.Random, many: int) -> None:
    spec = ModelSpec("embedding", "embedded:encoder")
    handle, backend = handle_of(spec), backend_of(spec)
    waits, hits, later = [], [], []
    for text, other in zip(texts(many, chance, 8, 8), texts(many, chance, 8, 8), strict=True):
        waits.append(seconds(lambda text=text: handle([text])) - seconds(lambda other=other: backend.run([other])))
        hits.append(seconds(lambda text=text: handle([text])))
        later.append(seconds(lambda text=text: handle([text])))
    print(f"a lone question takes longer than the bare model by {statistics.median(waits) * 1e3:.2f} ms (median)")
    print(f"the same question again, right after the model has run: {statistics.median(hits) * 1e6:.0f} µs")
    print(f"and once more: {statistics.median(later) * 1e6:.0f} µs")


def grounded(chance: random.Random, rounds: int) -> None:
    guard = Entailment()
    encoder, nli = (handle_of(spec) for spec in (guard.encoder.spec, guard.nli.spec))
    guard.check("Warm up.", Context({"source": "Warm up."}))
    wholes, vectors, pairs = [], [], []
    for _ in range(rounds):
        source, size = [], 0
        while size < 2000:
            source += texts(1, chance, 12, 28)
            size += len(source[-1].split())
        answer = " ".join(texts(3, chance, 12, 20))
        wholes.append(seconds(lambda: guard.check(answer, Context({"source": " ".join(source)}))))
        others = [text + " Again." for text in source]
        vectors.append(seconds(lambda others=others: encoder(others)))
        pairs.append(
            seconds(lambda others=others: nli([(text, "A claim of so many words as this.") for text in others[:9]]))
        )
    whole, vector, pair = map(statistics.median, (wholes, vectors, pairs))
    print(f"Entailment, 3 sentences and 2,000 words of source: {whole:.2f} s")
    print(f"  of these about {vector:.2f} s for vectors, {pair:.2f} s for nine pairs; the rest is words and tokens")
    again = seconds(lambda: guard.check(answer, Context({"source": " ".join(source)})))
    print(f"  the same again, from the cache: {again * 1e3:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    chance = random.Random(7)
    many, rounds = (64, 1) if options.quick else (1024, 5)
    bulk(chance, many, rounds)
    threads(chance, many // 4, rounds)
    lone(chance, 10 if options.quick else 100)
    grounded(chance, rounds)


if __name__ == "__main__":
    main()
