"""examples/: each script runs as it stands, and says what it promises."""

from __future__ import annotations

import subprocess
import sys

import pytest

from guards.cli.inputs import example

SAID = {
    "decorator.py": ["Sentiment(mood='negative', confidence=0.9) after 2 attempts", "first answer, /mood:"],
    "session.py": ["Where is my parcel? -> delivery", "The pump leaks. -> defect", "2 attempts, 137 tokens, accepted"],
    "validate_only.py": [
        "accepted: Invoice(number='A-7', total=12.5, lines=[10.0, 2.5])",
        "/total: the lines do not add up to it (invoice.total)",
        "/total: ",
        "/lines/1: ",
    ],
}


def test_every_script_is_run():
    """No script of examples/ is left out here."""
    assert {path.name for path in example("decorator.py").parent.glob("*.py")} == set(SAID)


@pytest.mark.parametrize("name", SAID)
def test_a_script_runs(name: str):
    """The script ends well, warns of nothing, and prints what it promises."""
    run = subprocess.run(
        [sys.executable, "-W", "error", str(example(name))], capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.returncode, run.stderr) == (0, "")
    for said in SAID[name]:
        assert said in run.stdout
