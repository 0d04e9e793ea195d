"""Whether a callable is async: asked of functions, methods, partials and objects with `__call__` alike."""

from __future__ import annotations

import functools
import inspect
from typing import Any

__all__ = ["is_async"]


def is_async(function: Any) -> bool:
    """Whether what it gives must be awaited, or read with `async for`."""
    while isinstance(function, functools.partial):
        function = function.func
    targets = (function,) if inspect.isroutine(function) else (function, type(function).__call__)
    return any(inspect.iscoroutinefunction(t) or inspect.isasyncgenfunction(t) for t in targets)
