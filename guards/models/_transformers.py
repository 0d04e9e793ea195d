"""Models in transformers' format, run by torch: the one file that imports either (`_embedded` is handed them).

Only safetensors are read, no code of a model's own is run, and a folder is never looked up on a hub.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar

from guards.errors import ConfigError, MissingExtra
from guards.models.items import encodable, weight
from guards.models.labels import named
from guards.models.spec import Item, ModelSpec

__all__ = ["Transformers", "quietly"]

R = TypeVar("R")

_TURN: Final = 512
"""Tokens: on two cores the embedded models take an eighth of a second for them. Larger turns are no quicker."""


class Transformers:
    """Sequence classifiers (of one text or of a pair), and encoders whose tokens' mean is the vector of a text."""

    extra: ClassVar[str] = "models"
    """What brings all that it needs."""
    most = 64
    at_once = 1

    def __init__(self, spec: ModelSpec) -> None:
        """Load it. Raises MissingExtra without torch and transformers, ConfigError for what cannot be this task's."""
        try:
            import torch
            import transformers
        except ModuleNotFoundError as fault:
            if fault.name not in ("torch", "transformers"):
                raise
            raise MissingExtra(fault.name, self.extra, where=f"model={spec.name}") from fault
        self._torch = torch
        self._spec = spec
        self._device = _device(spec, torch)
        dtype = _dtype(spec, self._device, torch)
        threads = spec.threads
        if os.getpid() != _first_process():
            # A child of fork has none of OpenMP's threads and would wait for them for ever; torch's own data loaders do
            # the same.
            threads = 1
            torch.set_num_threads(1)  # of this thread, which loads
        if threads is not None:
            _aside(torch.set_num_threads, threads)
        self.tokenizer, model = self._read(spec, transformers, dtype)
        self.model = model.to(self._device).eval()
        self.limit: int = _most_tokens(spec, self.tokenizer, model.config)
        self._lock = threading.Lock()  # fast tokenizers change their own state while they cut and pad
        self.labels = () if spec.task == "embedding" else named(_labels(model.config), spec.labels, spec.name)
        self._many = getattr(model.config, "problem_type", None) == "multi_label_classification"

    def _read(self, spec: ModelSpec, transformers: Any, dtype: Any) -> tuple[Any, Any]:
        """The tokenizer and the model from a folder, or by an id."""
        given = _place(spec)
        kind = transformers.AutoModel if spec.task == "embedding" else transformers.AutoModelForSequenceClassification
        try:
            with quietly(transformers):
                tokenizer = transformers.AutoTokenizer.from_pretrained(**given)
                model, told = kind.from_pretrained(**given, use_safetensors=True, dtype=dtype, output_loading_info=True)
        except Exception as fault:  # those of safetensors, tokenizers and torch share no root but this
            raise ConfigError(
                f"{spec.name} cannot be loaded: {(str(fault) or type(fault).__name__).splitlines()[0]}",
                where="model=",
                hint="give the id or the folder of a model with config.json, model.safetensors and its tokenizer",
            ) from fault
        missing = [name for name in told["missing_keys"] if "pooler" not in name]
        if missing:  # transformers would fill them with noise
            raise ConfigError(
                f"{spec.name} has no weights for {', '.join(sorted(missing)[:3])}: it was not made for {spec.task}",
                where="model=",
                hint="give a model that was trained for this task",
            )
        return tokenizer, model

    def weigh(self, item: Item) -> int:
        return min(self.limit, weight(item))

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """Probabilities of the labels, or unit vectors."""
        if self._device != "cpu":
            return self._run(items)
        return [row for part in self._turns(items) for row in _aside(self._run, part)]

    def _turns(self, items: list[Item]) -> Iterator[list[Item]]:
        """What runs before another model has its turn: a lone question shall not wait for all of a large batch."""
        turn: list[Item] = []
        longest = 0
        for item in items:
            longest = max(longest, self.weigh(item))
            if turn and longest * (len(turn) + 1) > _TURN:
                yield turn
                turn, longest = [], self.weigh(item)
            turn.append(item)
        if turn:
            yield turn

    def _run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        torch = self._torch
        with torch.inference_mode():
            inputs = self.tokens(items)
            if self._spec.task == "embedding":
                states = self.model(**inputs).last_hidden_state.float()
                mask = inputs["attention_mask"].unsqueeze(-1).float()
                means = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
                rows = torch.nn.functional.normalize(means, dim=1)
            else:
                logits = self.model(**inputs).logits.float()
                one_by_one = self._many or logits.shape[1] == 1
                rows = logits.sigmoid() if one_by_one else logits.softmax(-1)
        listed: list[list[float]] = rows.cpu().tolist()
        return listed

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Of fast tokenizers; they count in characters, whatever the bytes."""
        with self._lock, _unworried(self.tokenizer):
            made = self.tokenizer(encodable(text), add_special_tokens=False, return_offsets_mapping=True)
        return [(start, end) for start, end in made["offset_mapping"] if end > start]

    def tokens(self, items: list[Item]) -> Any:
        """The arrays that the model is given, by name: (items, tokens of the longest)."""
        firsts = [encodable(item if isinstance(item, str) else item[0]) for item in items]
        seconds = [encodable(item[1]) for item in items if not isinstance(item, str)]
        with self._lock:
            made = self.tokenizer(
                firsts,
                seconds or None,
                padding=True,
                truncation=True,
                max_length=self.limit,
                return_tensors="pt",
            )
        return made.to(self._device)


def _aside(function: Callable[..., R], *given: Any) -> R:
    """In the one thread that runs models on the CPU.

    OpenMP keeps a team of threads for each thread that calls it, and teams wake slowly where there is more than one:
    on two cores batches of 16 took 1.2 to 1.8 times as long when 16 threads ran them in turn.
    """
    try:
        future = _LANE.submit(function, *given)
    except RuntimeError:  # no thread can be started: the interpreter is ending, or the process has too many
        return function(*given)
    try:
        return future.result()
    finally:
        del future  # it holds a fault, whose traceback holds this frame


_LANE = ThreadPoolExecutor(1, "guards-models")


def _after_fork() -> None:
    """The thread stayed in the parent."""
    global _LANE  # noqa: PLW0603  # as the comment above says
    _LANE = ThreadPoolExecutor(1, "guards-models")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _unworried(tokenizer: Any) -> Iterator[None]:
    """Without its warning of a text that is longer than the model: such a text is cut into windows."""
    most, tokenizer.model_max_length = tokenizer.model_max_length, 10**9
    try:
        yield
    finally:
        tokenizer.model_max_length = most


@contextmanager
def quietly(transformers: Any) -> Iterator[None]:
    """Without progress bars and reports on the screen of whoever uses the library: what is wrong is raised."""
    logging = transformers.utils.logging
    shown, told = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(told)
        if shown:
            logging.enable_progress_bar()


@cache
def _first_process() -> int:
    """The process in which torch was first used here; a child of it inherits the answer."""
    return os.getpid()


def _device(spec: ModelSpec, torch: Any) -> str:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if spec.device == "auto":
        return "cuda" if count else "cpu"
    kind, _, number = spec.device.partition(":")
    if kind == "cuda" and int(number or 0) >= count:
        raise ConfigError(f"there is no {spec.device} here", where="device=", hint='use "cpu" or "auto"')
    return spec.device


def _dtype(spec: ModelSpec, device: str, torch: Any) -> Any:
    if spec.dtype == "int8":
        raise ConfigError(
            "torch does not run models in int8", where="dtype=", hint="write the model with `guards export-onnx --int8`"
        )
    auto = "bfloat16" if device.startswith("cuda") else "float32"
    return getattr(torch, auto if spec.dtype == "auto" else spec.dtype)


def _place(spec: ModelSpec) -> dict[str, Any]:
    """What `from_pretrained` is told: a folder is never looked for elsewhere, and its own code is never run."""
    name = str(spec.model)
    folder = Path(name).expanduser()
    is_path = folder.exists() or folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1
    if is_path and not folder.is_dir():
        raise ConfigError(f"there is no folder {name!r}", where="model=", hint="give the folder of the model's files")
    common: dict[str, Any] = {"trust_remote_code": False}
    if is_path:
        return {**common, "pretrained_model_name_or_path": str(folder), "local_files_only": True}
    return {**common, "pretrained_model_name_or_path": name, "revision": spec.revision}


def _most_tokens(spec: ModelSpec, tokenizer: Any, config: Any) -> int:
    """The most tokens of one input: what was asked for, but no more than the model has places for."""
    known = [tokenizer.model_max_length, getattr(config, "max_position_embeddings", None), spec.max_tokens]
    return min(int(number) for number in known if number)


def _labels(config: Any) -> tuple[str, ...]:
    """By `id2label`, never by position: two NLI models of one family may have them in another order."""
    return tuple(str(config.id2label[index]) for index in range(config.num_labels))
