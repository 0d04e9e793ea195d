"""Make what ships out of a trained classifier: its difference from the packaged encoder, of low rank and in int8.

    python training/pack.py guards/models/embedded/nli.safetensors build/nli --labels entailment,neutral,contradiction

Of several runs of one script the mean of their weights is taken (Wortsman et al. 2022, model soups).
Of each matrix two thin factors (by singular values) with a scale per column, of each vector and of the head all in
float16. What is stored, and how it is read again, is in guards/models/_embedded.py.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path

import torch
from encoder import WEIGHTS, encoder_folder
from safetensors.torch import load_file, save_file


def packed(trained: dict[str, torch.Tensor], base: dict[str, torch.Tensor], rank: int) -> dict[str, torch.Tensor]:
    """What is stored of each weight that was trained; `base` has the encoder's names, without "bert."."""
    stored: dict[str, torch.Tensor] = {}
    for name, value in trained.items():
        before = base.get(name.removeprefix("bert."))
        if before is not None and torch.equal(value, before):
            continue
        if before is None or value.ndim < 2 or name.startswith("bert.pooler"):
            stored[name] = value.half()
            continue
        left, strengths, right = torch.linalg.svd(value - before, full_matrices=False)
        root = strengths[:rank].sqrt()
        for side, factor in (("left", left[:, :rank] * root), ("right", right[:rank].T * root)):
            scale = (factor.abs().amax(0).clamp(min=1e-5) / 127).half()
            stored[f"{name}.{side}"] = (factor / scale.float()).round().clamp(-127, 127).to(torch.int8).contiguous()
            stored[f"{name}.{side}.scale"] = scale
    return stored


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", help="the folders of runs that have ended")
    parser.add_argument("--labels", required=True, help="in the order of the head, with commas")
    parser.add_argument("--rank", type=int, default=64)
    parser.add_argument("--limit", type=float, help="of two labels: the first one's probability that shall become 0.5")
    options = parser.parse_args()
    runs = [load_file(run / "model.safetensors") for run in options.runs]
    mean = {
        name.removeprefix("model."): torch.stack([one[name].float() for one in runs]).mean(0)
        if value.is_floating_point()
        else value
        for name, value in runs[0].items()
    }
    stored = packed(mean, load_file(encoder_folder() / "model.safetensors"), options.rank)
    if options.limit is not None:
        stored["classifier.bias"][0] -= math.log(options.limit / (1 - options.limit))
    options.file.parent.mkdir(parents=True, exist_ok=True)
    save_file(stored, options.file, {"labels": json.dumps(options.labels.split(",")), "encoder": WEIGHTS})
    content = options.file.read_bytes()
    print(f"{options.file}: {len(content) / 1e6:.2f} MB, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
