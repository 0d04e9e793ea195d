"""What names a model: a frozen value that guards hold, and that costs nothing until something is asked of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias, get_args

from guards.errors import ConfigError
from guards.models.endpoint import Endpoint

__all__ = ["Item", "Model", "ModelSpec", "Task"]

Task: TypeAlias = Literal["classification", "pairs", "embedding"]
"""What is asked: scores of labels for a text, scores of labels for a pair of texts, a vector for a text."""

Item: TypeAlias = "str | tuple[str, str]"
"""One input of a model; a pair is (premise, hypothesis)."""

Model: TypeAlias = "str | os.PathLike[str] | Endpoint | Callable[[Sequence[Any]], Sequence[Sequence[float] | float]]"
Device: TypeAlias = str
_DTYPES: Final = ("auto", "float32", "bfloat16", "float16", "int8")
_DEVICE: Final = re.compile(r"auto|cpu|cuda(:\d+)?")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model for one task. Equal specs share one loaded model in a process.

    Args:
        task: "classification", "pairs" (NLI and other cross-encoders) or "embedding".
        model: what names it:

            - the id of a model, looked for on the hub, or the path of a folder in transformers' format, which is looked
              for nowhere else. Both are run by torch, from safetensors alone;
            - the path of an `.onnx` file, or of a folder with `model.onnx` and no safetensors: run by onnxruntime. With
              dtype="int8" it is the folder's `model_int8.onnx`, whatever else is there;
            - "embedded:…" for one that comes with the library;
            - an `Endpoint`, or its address (http://…, https://…);
            - a function of a list of items, which gives one list of numbers for each (scores between 0 and 1, or a
              vector; where there is one label, the number itself will do).
        labels: the names of the scores, in their order. A function needs them; a loaded model brings its own
            (`config.id2label`), whose places are renamed by these.
        revision: of an id.
        device: "cpu", "cuda", "cuda:1"; "auto" takes CUDA where there is some.
        dtype: "float32", "bfloat16", "float16", or "int8" (ONNX only); "auto" is bfloat16 for torch on CUDA, else
            float32 or what an ONNX file holds.
        max_tokens: of one input, its two texts together; None for what the model was made for.
        threads: of the CPU; None leaves the library's own number. All models that torch runs on the CPU have one
            number, the last that was given, and in a child of fork it is 1.

    A function and an endpoint run as they do: device, dtype and threads say nothing to them, and their `max_tokens` is
    the length of the windows into which guards cut long texts.

    Raises ConfigError for what no model can be.
    """

    task: Task
    model: Model
    labels: tuple[str, ...] | None = None
    revision: str | None = None
    device: Device = "auto"
    dtype: str = "auto"
    max_tokens: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise ConfigError(f"{self.task!r} is no task", where="task=", hint=f"use one of {get_args(Task)}")
        if isinstance(self.model, os.PathLike):  # equal paths are equal specs, whatever their type
            # Absolute, so that a folder which is not there is never taken for the id of a model.
            object.__setattr__(self, "model", str(Path(self.model).expanduser().absolute()))
        if isinstance(self.model, str) and self.model.startswith(("http://", "https://")):
            object.__setattr__(self, "model", Endpoint(self.model))
        if not (
            callable(self.model)
            or isinstance(self.model, Endpoint)
            or (isinstance(self.model, str) and self.model.strip())
        ):
            raise ConfigError(
                f"{self.model!r} names no model", where="model=", hint="give an id, the path of a folder, or a function"
            )
        if not isinstance(self.device, str) or not _DEVICE.fullmatch(self.device):
            raise ConfigError(
                f"{self.device!r} is no device", where="device=", hint='use "auto", "cpu", "cuda", "cuda:1"'
            )
        if self.dtype not in _DTYPES:
            raise ConfigError(f"{self.dtype!r} is no dtype", where="dtype=", hint=f"use one of {_DTYPES}")
        for name in ("max_tokens", "threads"):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
                raise ConfigError(f"{number!r} is no number from 1 on", where=f"{name}=")
        if self.revision is not None and not (isinstance(self.revision, str) and self.revision):
            raise ConfigError(f"{self.revision!r} is no revision of a model", where="revision=")
        self._check_labels()
        try:
            hash(self.model)
        except TypeError as fault:
            raise ConfigError(
                f"{self.name} cannot be hashed, so it could not be found again once it is loaded", where="model="
            ) from fault

    def _check_labels(self) -> None:
        if self.labels is None:
            if callable(self.model) and self.task != "embedding":
                raise ConfigError("a function's scores need names", where="labels=", hint='labels=("toxic", "other")')
            return
        # A set or a mapping has no order by which scores could be told apart.
        names = tuple(self.labels) if isinstance(self.labels, list | tuple) else ()
        if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
            raise ConfigError(
                f"{self.labels!r} is no list of different names", where="labels=", hint='labels=("toxic", "other")'
            )
        object.__setattr__(self, "labels", names)

    @classmethod
    def of(
        cls, given: Model | ModelSpec | None, task: Task, default: str, labels: tuple[str, ...] | None = None
    ) -> Self:
        """The spec of what a guard was given as its model: a spec, what may stand in one, or None for the default.

        `labels` are those of a function. Raises ConfigError for a spec of another task.
        """
        if not isinstance(given, ModelSpec):
            return cls(task, default if given is None else given, labels if callable(given) else None)
        if given.task != task or not isinstance(given, cls):
            raise ConfigError(f"the spec is for {given.task!r}", where="model=", hint=f"a spec for {task!r} is needed")
        return given

    @property
    def name(self) -> str:
        """How the model is called in findings and errors."""
        if isinstance(self.model, Endpoint):
            return self.model.url if self.model.model is None else f"{self.model.url} ({self.model.model})"
        if isinstance(self.model, str):
            return self.model if self.revision is None else f"{self.model}@{self.revision}"
        return getattr(self.model, "__qualname__", None) or type(self.model).__name__
