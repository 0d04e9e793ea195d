"""What names a model: a frozen value that guards hold, and that costs nothing until something is asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from guards.errors import ConfigError

__all__ = ["Item", "ModelSpec", "Task"]

Task: TypeAlias = Literal["classification", "pairs", "embedding"]
"""What is asked: scores of labels for a text, scores of labels for a pair of texts, a vector for a text."""

Item: TypeAlias = "str | tuple[str, str]"
"""One input of a model; a pair is (premise, hypothesis)."""

Device: TypeAlias = str
_DTYPES: Final = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model for one task. Equal specs share one loaded model in a process.

    Args:
        task: "classification", "pairs" (NLI and other cross-encoders) or "embedding".
        model: the id of a model, the path of its folder, or a function of a list of items that gives one list of
            numbers for each (scores between 0 and 1, or a vector).
        labels: the names of a function's scores, in their order; a loaded model brings its own (`config.id2label`).
        revision: of an id.
        device: "cpu", "cuda", "cuda:1"; "auto" takes CUDA where there is some.
        dtype: "float32", "bfloat16" or "float16"; "auto" is bfloat16 on CUDA and float32 elsewhere.
        max_tokens: of one input, its two texts together; None for what the model was made for.
        threads: of the CPU; None leaves the library's own number.

    Raises ConfigError for what no model can be.
    """

    task: Task
    model: str | os.PathLike[str] | Callable[[Sequence[Any]], Sequence[Sequence[float]]]
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
        if not (callable(self.model) or (isinstance(self.model, str) and self.model.strip())):
            raise ConfigError(
                f"{self.model!r} names no model", where="model=", hint="give an id, the path of a folder, or a function"
            )
        if self.dtype not in _DTYPES:
            raise ConfigError(f"{self.dtype!r} is no dtype", where="dtype=", hint=f"use one of {_DTYPES}")
        for name in ("max_tokens", "threads"):
            number = getattr(self, name)
            if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
                raise ConfigError(f"{number!r} is no number from 1 on", where=f"{name}=")
        if self.labels is not None:
            object.__setattr__(self, "labels", tuple(self.labels))
        if callable(self.model) and self.task != "embedding" and not self.labels:
            raise ConfigError("a function's scores need names", where="labels=", hint='labels=("toxic", "other")')

    @property
    def name(self) -> str:
        """How the model is called in findings and errors."""
        if isinstance(self.model, str):
            return self.model if self.revision is None else f"{self.model}@{self.revision}"
        return getattr(self.model, "__qualname__", None) or type(self.model).__name__
