"""Folders with tiny BERTs of random weights, as transformers itself writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "dog", "sat", "on", "mat", "a", "not", ".", "##s"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}
TEXTS = ["cat", "the cat sat on a mat .", "", "dog not dog", "the cat sat on the mat . " * 9]
"""Of every length: none, and more than there are places for."""
PAIRS = [(first, second) for first in TEXTS[:4] for second in TEXTS]


def bert(folder: Path, kind: Callable[..., Any] | None = None, **options: Any) -> Path:
    """Written into the folder, which is given back."""
    torch.manual_seed(7)
    model = (kind or transformers.BertForSequenceClassification)(transformers.BertConfig(**SIZES, **options))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(8)  # else every text scores alike
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    transformers.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def named(*labels: str) -> dict[str, Any]:
    """The options for a model with these labels."""
    return {"id2label": dict(enumerate(labels)), "label2id": {label: index for index, label in enumerate(labels)}}
