"""How long a test may take, on any machine: the bound grows with how slow this one is just now."""

import contextlib
import gc
import sys
import time

# What `_work` takes on the machine on which the bounds were measured, in seconds.
_REFERENCE = 0.013


def _work():
    started = time.process_time()
    total = 0
    for number in range(200_000):
        total += number * number
    return time.process_time() - started


def slowness():
    """How many times slower than that machine this one is just now; 1 where it is faster."""
    return max(1.0, _work() / _REFERENCE)


@contextlib.contextmanager
def cpu_within(seconds, what=""):
    """Fail if the block takes more processor time than that; a multiple where the machine is slow or lines are traced.

    It tells linear from quadratic and bounded from endless, no more: the figures themselves belong to benchmarks/. The
    collector of garbage rests meanwhile: one round over all that the tests hold takes longer than most of the blocks.
    """
    before = slowness()
    gc.disable()
    try:
        started = time.process_time()
        yield
        spent = time.process_time() - started
    finally:
        gc.enable()
    slower = max(before, slowness())
    traced = 4 if sys.gettrace() or "coverage" in sys.modules else 1
    allowed = 3 * seconds * slower * traced
    assert spent < allowed, f"{spent:.2f} s, and {allowed:.2f} s were allowed ({slower:.1f} × slower) {what}"
