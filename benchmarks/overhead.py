"""What does a guarded call cost? CPU time beside bare pydantic, and beside the peers that are installed.

    python benchmarks/overhead.py                  # ours
    python benchmarks/overhead.py --peers .peers   # and each peer, in its own environment (`make bench-peers`)
    python benchmarks/overhead.py --quick          # a few repetitions, to see that it runs

Every model is a stub: what is measured is the library's own work. Rounds are interleaved, so that a machine that slows
down slows all of them. Figures are CPU microseconds per call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from case import BAD, GOOD, TASK, Customer, alternating, cpu_times, summary
from pydantic import VERSION, BaseModel

from guards import Feedback, Guarded, Reask, validate

HERE = Path(__file__).resolve().parent
PEERS = {
    "instructor": "instructor",
    "pydantic-ai-slim": "pydantic_ai",
    "typechat": "typechat",
    "guardrails-ai": "guardrails_ai",
}
TARGETS = {"call, good answer": 60, "call, one retry": 200, "validate": 30, "construction, type seen": 2000}
TARGETS["construction, new type"] = 2000


def ours():
    """(name, function) of each thing measured."""
    ticket = Guarded(Customer)
    wrong_first = alternating()

    def good(messages):
        return GOOD

    @Guarded(Customer, on_fail=Reask())
    def decorated(letter: str, feedback: Feedback | None = None) -> str:
        return GOOD

    loop = asyncio.new_event_loop()

    async def agood(messages):
        return GOOD

    def fresh():
        class Line(BaseModel):
            sku: str
            quantity: int

        class New(BaseModel):
            a: str
            b: int
            c: float
            d: bool
            e: str
            line: Line
            lines: list[Line]

        started = time.process_time_ns()
        Guarded(New)
        return (time.process_time_ns() - started) / 1e9

    return [
        ("bare model_validate_json", lambda: Customer.model_validate_json(GOOD)),
        ("validate", lambda: validate(GOOD, Customer)),
        ("call, good answer", lambda: ticket.call(good, TASK)),
        ("call, one retry", lambda: ticket.call(wrong_first, TASK)),
        ("decorated function", lambda: decorated("letter")),
        ("acall, good answer", lambda: loop.run_until_complete(ticket.acall(agood, TASK))),
        ("construction, type seen", lambda: Guarded(Customer)),
    ], fresh


def environment() -> str:
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"Python {platform.python_version()}, pydantic {VERSION}, {os.cpu_count()} cores, load {load}, "
        f"{platform.system()} {platform.machine()}"
    )


def peer_round(folder: Path, name: str, repetitions: int) -> dict[str, list[float]] | str:
    """One round of a peer in its own environment; the reason where it cannot run."""
    python = folder / name / "bin" / "python"
    if not python.exists():
        return "not installed"
    script = HERE / "peers" / f"{PEERS[name]}.py"
    done = subprocess.run([python, script, str(repetitions)], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    rounds, each, peer_each = (2, 20, 5) if options.quick else (5, 400, 100)

    cases, fresh = ours()
    times: dict[str, list[float]] = {name: [] for name, _ in cases}
    times["construction, new type"] = []
    peers: dict[str, dict[str, list[float]] | str] = {}
    for name, run in cases:
        cpu_times(run, 20)
    for _ in range(rounds):
        for name, run in cases:
            times[name] += cpu_times(run, each)
        times["construction, new type"] += [fresh() for _ in range(max(each // 4, 5))]
        for name in PEERS if options.peers else ():
            known = peers.setdefault(name, {"good": [], "retry": []})
            if isinstance(known, str):
                continue
            result = peer_round(options.peers, name, peer_each)
            if isinstance(result, str):
                peers[name] = result
            else:
                known["good"] += result["good"]
                known["retry"] += result["retry"]

    show(times, peers)


def show(times, peers) -> None:
    print(environment())
    print(f"CPU µs per call; {len(next(iter(times.values())))} calls of each of ours\n")
    print("| what | median | p10 to p90 | target |\n|---|---|---|---|")
    sums = {name: summary(values) for name, values in times.items()}
    for name, s in sums.items():
        print(f"| {name} | {s['median']:.1f} | {s['p10']:.1f} to {s['p90']:.1f} | {TARGETS.get(name, '')} |")
    call, retry = sums["call, good answer"]["median"], sums["call, one retry"]["median"]
    print(f"\nA good answer costs {call / sums['bare model_validate_json']['median']:.1f} times bare validation.")
    if not peers:
        return
    print("\n| peer | good answer | times ours | one retry | times ours |\n|---|---|---|---|---|")
    for name, result in peers.items():
        if isinstance(result, str):
            print(f"| {name} | {result} | | | |")
            continue
        g, r = summary(result["good"])["median"], summary(result["retry"])["median"]
        print(f"| {name} | {g:.0f} | {g / call:.0f} | {r:.0f} | {r / retry:.0f} |")


if __name__ == "__main__":
    assert BAD != GOOD
    sys.exit(main())
