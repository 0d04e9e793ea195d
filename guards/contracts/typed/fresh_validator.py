"""A core schema compiled as it is written, whatever pydantic has compiled before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Final

from pydantic_core import CoreConfig, SchemaValidator

__all__ = ["fresh_validator"]


def fresh_validator(schema: Any, config: CoreConfig | None = None) -> SchemaValidator:
    """A validator that takes nothing over from the classes in the schema.

    pydantic-core puts the validator that a model or dataclass carries in the place of the schema's own node, so that
    what the schema says otherwise would be passed over without a word.
    """
    if _CAN_BE_TOLD:
        return SchemaValidator(schema, config, _use_prebuilt=False)
    # pydantic 2.12: only the validator of a class that calls itself complete is taken over.
    with _alone:
        complete = [cls for cls in _classes(schema) if vars(cls).get(_COMPLETE) is True]
        try:
            for cls in complete:
                type.__setattr__(cls, _COMPLETE, False)
            return SchemaValidator(schema, config)
        finally:
            for cls in complete:
                type.__setattr__(cls, _COMPLETE, True)


def _classes(schema: Any) -> Iterator[type]:
    """The classes of all nodes, each as often as it stands there."""
    waiting, seen = [schema], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            if isinstance(node.get("cls"), type):
                yield node["cls"]
            waiting += [child for key, child in node.items() if key != "metadata"]
        elif isinstance(node, list | tuple):
            waiting += node


_CAN_BE_TOLD: Final = "_use_prebuilt" in (SchemaValidator.__text_signature__ or "")
_COMPLETE: Final = "__pydantic_complete__"
_alone: Final = Lock()
