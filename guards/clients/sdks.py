"""Which SDK an object belongs to, told by its class's module, so that no SDK is imported to ask.

Each SDK's shapes are known to one file, loaded when an object of that SDK is seen: `openai`, `anthropic`, `litellm`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

__all__ = ["SDKS", "module_of", "of_response", "sdk_of"]

SDKS: Final = frozenset({"openai", "anthropic", "litellm"})


def sdk_of(llm: Any) -> str | None:
    """Which SDK a method, function, module or client object belongs to; a `functools.partial` is looked through."""
    while isinstance(llm, functools.partial):
        llm = llm.func
    if inspect.isfunction(llm):
        root = llm.__module__.partition(".")[0] if isinstance(llm.__module__, str) else ""
        return root if root == "litellm" else None  # the other SDKs answer through methods
    if inspect.ismodule(llm):
        return llm.__name__ if llm.__name__ in SDKS else None
    owner = getattr(llm, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        return _of_class(type(owner))
    return _of_class(type(llm))


def of_response(raw: Any) -> str | None:
    """The SDK whose response, or a mapping of such a shape, this is."""
    if isinstance(raw, Mapping):
        if "choices" in raw or "output" in raw:
            return "openai"
        return "anthropic" if raw.get("type") == "message" and "content" in raw else None
    # By its own module first: LiteLLM's responses inherit from OpenAI's.
    return _of_class(type(raw))


def module_of(sdk: str) -> Any:
    """The file that knows an SDK's shapes."""
    return import_module(f"guards.clients.{sdk}")


def _of_class(kind: type) -> str | None:
    """The SDK that a class, or one that it inherits from, was made by."""
    for ancestor in kind.__mro__:
        root = str(ancestor.__module__).partition(".")[0]
        if root in SDKS:
            return root
    return None
