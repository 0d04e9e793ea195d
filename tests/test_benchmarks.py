"""The benchmarks run; their figures are not judged here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the folder benchmarks/ of the repository beside tests/")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (["overhead.py", "--quick"], "call, good answer"),
        (["import_time.py", "--quick"], "guards adds"),
        (["retry_size.py"], "Reask()"),
        (["soak.py", "--quick"], "bytes allocated"),
        (["calls_at_once.py", "--quick"], "calls a second"),
        (["streaming.py"], "instances of the type"),
    ],
)
def test_a_benchmark_runs(script, words):
    """Each script ends well in its quick form and prints its table."""
    done = subprocess.run(
        [sys.executable, *script], cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert words in done.stdout
