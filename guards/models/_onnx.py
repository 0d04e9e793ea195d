"""Models in ONNX, run by onnxruntime: the one file that imports it and `tokenizers`. Neither torch nor transformers.

Beside the model stand its config.json, tokenizer.json and tokenizer_config.json, as `guards export-onnx` writes them.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from guards.errors import ConfigError, MissingExtra
from guards.models.items import encodable, texts_of, weight
from guards.models.labels import named
from guards.models.spec import Item, ModelSpec

__all__ = ["Onnx", "file_of"]

_INT8: Final = "model_int8.onnx"
_HINT: Final = "write the folder with `guards export-onnx`"


def file_of(spec: ModelSpec) -> Path | None:
    """The ONNX file that a spec names, by itself or in its folder; None where another back end runs the model.

    Raises ConfigError where only such a file would do and there is none.
    """
    place = Path(str(spec.model)).expanduser()
    if place.suffix == ".onnx":
        file = place
    elif spec.dtype == "int8":
        file = place / _INT8
    elif (place / "model.onnx").is_file() and not list(place.glob("*.safetensors")):
        file = place / "model.onnx"
    else:
        return None
    if not file.is_file():
        raise ConfigError(f"there is no file {str(file)!r}", where="model=", hint=_HINT)
    return file


class Onnx:
    """Sequence classifiers (of one text or of a pair), and encoders whose tokens' mean is the vector of a text."""

    most = 64
    at_once = 1

    def __init__(self, spec: ModelSpec, file: Path) -> None:
        """Load it. Raises MissingExtra without onnxruntime and tokenizers, ConfigError for what is not this task's."""
        numpy, runtime, tokenizers = (_imported(name, spec) for name in ("numpy", "onnxruntime", "tokenizers"))
        if spec.dtype not in ("auto", "float32", "int8"):
            raise ConfigError(f"an ONNX model is not run in {spec.dtype}", where="dtype=", hint='use "auto"')
        self._numpy = numpy
        self._task = spec.task
        config, settings = _json(file, "config.json"), _json(file, "tokenizer_config.json")
        self._session = _session(spec, file, runtime)
        self._inputs = [given.name for given in self._session.get_inputs()]
        self._alone = _is_quantised(file)
        width = _width(spec, self._session)
        self.labels = () if spec.task == "embedding" else named(_labels(config, width), spec.labels, spec.name)
        self._many = config.get("problem_type") == "multi_label_classification" or len(self.labels) == 1
        known = (settings.get("model_max_length"), config.get("max_position_embeddings"), spec.max_tokens, 10**9)
        self.limit: int = min(int(number) for number in known if number)
        # Two of them, each set once: one that is set anew for each call would need a lock.
        self._whole, self._cut = (_tokenizer(file, tokenizers) for _ in range(2))
        self._whole.no_truncation()
        self._whole.no_padding()
        _set(self._cut, settings, self.limit)

    def weigh(self, item: Item) -> int:
        return min(self.limit, weight(item))

    def run(self, items: list[Item]) -> Sequence[Sequence[float]]:
        """Probabilities of the labels, or unit vectors."""
        if self._alone:
            # Dynamic quantisation takes its scale from the whole batch: a row's score would depend on the others.
            return [row for item in items for row in self._rows([item])]
        return self._rows(items)

    def spans(self, text: str) -> list[tuple[int, int]]:
        made = self._whole.encode(encodable(text), add_special_tokens=False)
        return [(start, end) for start, end in made.offsets if end > start]

    def _rows(self, items: list[Item]) -> list[list[float]]:
        numpy = self._numpy
        texts = [tuple(map(encodable, texts_of(item))) for item in items]
        made = self._cut.encode_batch([text if len(text) > 1 else text[0] for text in texts])
        given = {
            "input_ids": numpy.array([one.ids for one in made], dtype=numpy.int64),
            "attention_mask": numpy.array([one.attention_mask for one in made], dtype=numpy.int64),
            "token_type_ids": numpy.array([one.type_ids for one in made], dtype=numpy.int64),
        }
        out = self._session.run(None, {name: given[name] for name in self._inputs})[0].astype(numpy.float64)
        rows = self._unit(out, given["attention_mask"]) if self._task == "embedding" else self._likely(out)
        listed: list[list[float]] = rows.tolist()
        return listed

    def _unit(self, states: Any, mask: Any) -> Any:
        """The mean of the tokens' states, of length 1."""
        means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True).clip(min=1)
        return means / self._numpy.linalg.norm(means, axis=1, keepdims=True).clip(min=1e-12)

    def _likely(self, logits: Any) -> Any:
        """Each by itself where several labels may hold together; else their sum is 1."""
        if self._many:
            return 1 / (1 + self._numpy.exp(-logits))
        powers = self._numpy.exp(logits - logits.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)


def _imported(name: str, spec: ModelSpec) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name != name:
            raise
        raise MissingExtra(name, "onnx", where=f"model={spec.name}") from fault


def _beside(file: Path, name: str) -> Path:
    """What belongs to the model: beside it, or one folder up, as hubs keep the ONNX files of a model apart."""
    for folder in (file.parent, file.parent.parent):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"there is no {name} beside {str(file)!r}", where="model=", hint=_HINT)


def _json(file: Path, name: str) -> dict[str, Any]:
    place = _beside(file, name)
    try:
        read = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as fault:
        raise ConfigError(f"{str(place)!r} is no JSON: {fault}", where="model=", hint=_HINT) from fault
    if not isinstance(read, dict):
        raise ConfigError(f"{str(place)!r} holds no settings", where="model=", hint=_HINT)
    return read


def _session(spec: ModelSpec, file: Path, runtime: Any) -> Any:
    """The model, on the device that was asked for: onnxruntime itself would go back to the CPU without a word."""
    has_cuda = "CUDAExecutionProvider" in runtime.get_available_providers()
    kind, _, number = (
        ("cuda" if has_cuda else "cpu").partition(":") if spec.device == "auto" else spec.device.partition(":")
    )
    providers: list[Any] = ["CPUExecutionProvider"]
    if kind == "cuda":
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": int(number or 0)}))
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors only: they come as exceptions too
    if spec.threads is not None:
        options.intra_op_num_threads = spec.threads
    try:
        session = runtime.InferenceSession(str(file), options, providers=providers if has_cuda else providers[-1:])
    except Exception as fault:  # onnxruntime's errors share no root but this
        raise ConfigError(f"{spec.name} cannot be loaded: {_line(fault)}", where="model=", hint=_HINT) from fault
    if kind == "cuda" and spec.device != "auto" and session.get_providers()[0] != "CUDAExecutionProvider":
        raise ConfigError(
            f"there is no {spec.device} that onnxruntime can use",
            where="device=",
            hint='install onnxruntime-gpu in the place of onnxruntime, or use "cpu"',
        )
    return session


def _width(spec: ModelSpec, session: Any) -> int | None:
    """The number of a classifier's scores where the file tells it. Raises ConfigError for the file of another task."""
    strange = {given.name for given in session.get_inputs()} - {"input_ids", "attention_mask", "token_type_ids"}
    shape = session.get_outputs()[0].shape
    if strange or len(shape) != (3 if spec.task == "embedding" else 2):
        raise ConfigError(
            f"{spec.name} was not made for {spec.task}: it takes {', '.join(map(repr, sorted(strange))) or 'texts'} "
            f"and gives an array of {len(shape)} dimensions",
            where="model=",
            hint=f"{_HINT} --task {spec.task}",
        )
    return shape[-1] if isinstance(shape[-1], int) else None


def _labels(config: dict[str, Any], width: int | None) -> tuple[str, ...]:
    """By `id2label`; without it transformers itself would say LABEL_0 and so on."""
    names = config.get("id2label") or {str(index): f"LABEL_{index}" for index in range(width or 2)}
    try:
        labels = tuple(str(names[str(index)]) for index in range(len(names)))
    except (KeyError, TypeError) as fault:
        raise ConfigError("config.json has an id2label that is no map of 0, 1, ... to names", where="model=") from fault
    if width not in (None, len(labels)):
        raise ConfigError(f"config.json names {len(labels)} labels, the model gives {width} scores", where="model=")
    return labels


def _tokenizer(file: Path, tokenizers: Any) -> Any:
    place = _beside(file, "tokenizer.json")
    try:
        return tokenizers.Tokenizer.from_file(str(place))
    except Exception as fault:  # the library raises no other
        raise ConfigError(f"{str(place)!r} is no tokenizer: {_line(fault)}", where="model=", hint=_HINT) from fault


def _set(tokenizer: Any, settings: dict[str, Any], limit: int) -> None:
    """Cut and padded as transformers would do it."""
    pad = settings.get("pad_token")
    mark = pad.get("content") if isinstance(pad, dict) else pad
    number = None if mark is None else tokenizer.token_to_id(mark)
    if number is None:
        raise ConfigError(
            "tokenizer_config.json names no pad_token that the tokenizer knows", where="model=", hint=_HINT
        )
    tokenizer.enable_truncation(limit, strategy="longest_first", direction=settings.get("truncation_side", "right"))
    tokenizer.enable_padding(pad_id=number, pad_token=mark, direction=settings.get("padding_side", "right"))


def _is_quantised(file: Path) -> bool:
    """Whether scales are taken from what runs through it. The names of operators stand in the file as they are."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"DynamicQuantizeLinear") >= 0


def _line(fault: BaseException) -> str:
    return " ".join(str(fault).split())[:300]
