"""How right are the guards that judge meaning? Per source data set, beside trivial baselines.

    python benchmarks/correctness.py ../shared/data/guards [nli entailment similarity topics toxicity injection]

Only rows that nothing was chosen or trained on. On two cores all of it takes some forty minutes.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

AREAS = ("nli", "entailment", "similarity", "topics", "toxicity", "injection")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("areas", nargs="*", default=AREAS, metavar="area", help=" ".join(AREAS))
    options = parser.parse_args()
    unknown = set(options.areas) - set(AREAS)
    if unknown:
        parser.error(f"no area {', '.join(sorted(unknown))}; there are {', '.join(AREAS)}")
    for area in options.areas:
        import_module(f"correctness_{area}").run(options.data)
        print(flush=True)


if __name__ == "__main__":
    main()
