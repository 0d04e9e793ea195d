"""Does anything grow? 20,000 guarded calls, one in two with a retry: memory, objects and threads before and after."""

from __future__ import annotations

import argparse
import gc
import resource
import threading
import tracemalloc

from case import TASK, Customer, alternating

from guards import Guarded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few calls")
    calls = 200 if parser.parse_args().quick else 20_000
    ticket, answer = Guarded(Customer), alternating()

    def run(count: int) -> tuple[int, int, int]:
        for _ in range(count):
            ticket.call(answer, TASK)
        gc.collect()
        return tracemalloc.get_traced_memory()[0], len(gc.get_objects()), threading.active_count()

    tracemalloc.start()
    before = run(calls // 20)
    after = run(calls)
    rows = zip(("bytes allocated", "objects", "threads"), before, after, strict=True)
    print(f"after {calls // 20} calls, and after {calls} more\n")
    for name, first, last in rows:
        print(f"| {name} | {first} | {last} | {last - first:+d} |")
    print(f"| largest resident size | | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB | |")


if __name__ == "__main__":
    main()
