"""How long does the import take? CPU seconds of fresh interpreters, interleaved.

The bound: `from guards import Guarded, validate` and one guarded call of a pydantic model cost at most 0.05 s more than
importing pydantic and defining the same model.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys

MODEL = "from pydantic import BaseModel\nclass A(BaseModel):\n    a: int\n"
PROGRAMS = {
    "bare interpreter": "pass",
    "import guards": "import guards",
    "pydantic and a model": MODEL,
    "guards and one guarded call": (
        "from guards import Guarded, validate\n" + MODEL + "Guarded(A).call(lambda messages: '{\"a\": 1}', 'task')\n"
    ),
}
BOUND = 0.05


def cpu_seconds(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    rounds = 2 if parser.parse_args().quick else 21
    times: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            times[name].append(cpu_seconds(program))
    print(f"CPU seconds, median of {rounds} (smallest to largest)\n")
    for name, values in times.items():
        print(f"| {name} | {statistics.median(values):.3f} | {min(values):.3f} to {max(values):.3f} |")
    medians = {name: statistics.median(values) for name, values in times.items()}
    more = medians["guards and one guarded call"] - medians["pydantic and a model"]
    print(f"\nguards adds {more:.3f} s to pydantic's import (bound {BOUND} s)")


if __name__ == "__main__":
    main()
