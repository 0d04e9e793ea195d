"""What a thing is: as plain data (`describe`), and the sha256 of that (`fingerprint`).

    describe(Length(max=9))     # {'guard': 'length/1', 'options': {'min': 0, 'max': 9, ...}, 'models': []}
    fingerprint(ticket)         # '3f0c…', the same in every process, another where any of its parts is another

Guards, contracts, policies, budgets, models, clients and tickets tell what they were made with; values, what they are
made of; functions and classes, their code. What cannot be told (a lock, a function without source) is described all
the same, and has no fingerprint. A kind of your own is told by `describe.register`.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args, get_origin

from guards.errors import ConfigError
from guards.values.sameness import parts_of

if TYPE_CHECKING:
    import ast

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["Untold", "describe", "fingerprint", "name_of", "of_code"]


class Untold(dict[str, str]):
    """Stands for what cannot be told: nothing that holds it has a fingerprint."""

    def __init__(self, thing: Any) -> None:
        super().__init__(untold=name_of(thing if isinstance(thing, type) or inspect.isroutine(thing) else type(thing)))


def fingerprint(thing: Any) -> str:
    """The sha256, in hexadecimal, of what `describe` says of a thing, as JSON with sorted keys.

    Raises `ConfigError` where a part of it cannot be told, with its place.
    """
    import hashlib  # here as below: most programs ask for no fingerprint

    told = describe(thing)
    for place, part in _parts(told, ""):
        if isinstance(part, Untold):
            raise ConfigError(
                f"{part['untold']} cannot be told from others, so that nothing may be kept by it",
                where=f"fingerprint(){place}",
                hint='of a function say @check(version="1"); register another kind with describe.register',
            )
    return hashlib.sha256(_written(told).encode("utf-8", "surrogatepass")).hexdigest()


def _written(told: Any) -> str:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _parts(told: Any, place: str) -> Iterator[tuple[str, Any]]:
    yield place, told
    items = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    for key, part in items:
        yield from _parts(part, f"{place}.{key}" if isinstance(key, str) else f"{place}[{key}]")


class _Describe:
    """The function `describe`: `register` adds a kind of thing to it."""

    def __call__(self, thing: Any) -> Any:
        """A thing as plain data: equal for the same things in every process, and for no others.

        None, texts, whole numbers, truth values and lists stand for themselves; anything else is an object that says
        its kind. For what cannot be told: see `Untold`; what holds itself or never ends is among it. Raises
        `ConfigError` of a model whose files are not where it says, and `MissingExtra` of one whose package is not
        installed.
        """
        if thing is None or type(thing) in (bool, int, str):
            return thing if type(thing) is not int or thing.bit_length() < _LONG else {"number": hex(thing)}
        if (inside := getattr(_HERE, "inside", None)) is not None:
            return inside.told(thing)
        _HERE.inside = _Inside()
        try:
            return _HERE.inside.told(thing)
        finally:
            _HERE.inside = None

    def register(self, kind: F, told: Callable[[Any], Any] | None = None) -> F:
        """As of `functools.singledispatch`: a class and a function of one thing, or the function alone, annotated."""
        registered: F = _described.register(kind, told)  # type: ignore[arg-type,assignment]  # two ways in one
        return registered


class _Inside:
    """What is being told in this thread. What holds itself, or goes past the bounds, is `Untold`."""

    def __init__(self) -> None:
        self._around: set[int] = set()
        self._left = _MOST_TOLD

    def told(self, thing: Any) -> Any:
        self._left -= 1
        if self._left < 0 or id(thing) in self._around or len(self._around) > _DEEPEST:
            return Untold(thing)
        self._around.add(id(thing))
        try:
            return _described(thing)
        finally:
            self._around.discard(id(thing))


_HERE: Final = threading.local()
_MOST_TOLD: Final = 100_000
_DEEPEST: Final = 100
_LONG: Final = 10_000
"""Bits; Python writes no number of more than 4300 digits."""
describe: Final = _Describe()


@singledispatch
def _described(thing: Any) -> Any:
    if isinstance(thing, type):
        return of_code("class", thing)
    if isinstance(thing, Enum):
        return {"member": name_of(type(thing)), "name": thing.name, "value": describe(thing.value)}
    if get_origin(thing) is not None:
        return {"type": name_of(get_origin(thing)), "of": [describe(argument) for argument in get_args(thing)]}
    if is_dataclass(thing) and _says(type(thing), "__eq__"):
        held = {field.name: describe(getattr(thing, field.name)) for field in fields(thing)}
        return {"is": name_of(type(thing)), **held}
    parts = parts_of(thing, type(thing))
    if parts is None:
        return Untold(thing)
    made, *given = parts
    return {"is": name_of(type(thing)), "by": name_of(made), "of": [describe(part) for part in given]}


@_described.register
def _(thing: float | complex) -> Any:
    return {"number": repr(thing), **_of_subclass(thing, float, complex)}


@_described.register
def _(thing: bytes | bytearray) -> Any:
    return {type(thing).__name__: bytes(thing).hex()}


@_described.register
def _(thing: list | tuple) -> Any:  # type: ignore[type-arg]  # dispatched on
    told = [describe(item) for item in thing]
    return told if type(thing) is list else {name_of(type(thing)): told}


@_described.register
def _(thing: set | frozenset) -> Any:  # type: ignore[type-arg]  # as above
    return {name_of(type(thing)): sorted(map(describe, thing), key=_written)}


@_described.register
def _(thing: Mapping) -> Any:  # type: ignore[type-arg]  # as above
    return {name_of(type(thing)): [[describe(key), describe(value)] for key, value in thing.items()]}


@_described.register
def _(thing: functools.partial) -> Any:  # type: ignore[type-arg]  # as above
    return {"partial": describe(thing.func), "args": describe(list(thing.args)), "options": describe(thing.keywords)}


@_described.register
def _(thing: types.FunctionType) -> Any:
    told = of_code("function", thing)
    if isinstance(told, Untold):
        return told
    names = thing.__code__.co_freevars
    held = {name: _held(cell) for name, cell in zip(names, thing.__closure__ or (), strict=True)}
    defaults = [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).items()]
    return told | ({"defaults": describe(defaults)} if defaults else {}) | ({"holds": held} if held else {})


@_described.register
def _(thing: types.MethodType) -> Any:
    sdk = _sdk_of(thing.__self__)
    if sdk is None:
        return {"method": describe(thing.__func__), "of": describe(thing.__self__)}
    # Whom it asks, and never with which key.
    address = getattr(getattr(thing.__self__, "_client", None), "base_url", None)
    return {"client": sdk, "method": name_of(thing), "address": None if address is None else str(address)}


@_described.register
def _(thing: types.BuiltinFunctionType) -> Any:
    owner = thing.__self__
    of = {} if owner is None or inspect.ismodule(owner) else {"of": describe(owner)}
    return {"function": name_of(thing), **of}


@_described.register
def _(thing: types.MethodDescriptorType | types.WrapperDescriptorType) -> Any:
    return {"function": name_of(thing)}


@_described.register
def _(thing: date | time) -> Any:
    # Two hours of a night when clocks go back have one text.
    return {"is": name_of(type(thing)), "iso": thing.isoformat(), "fold": getattr(thing, "fold", 0)}


@_described.register
def _(thing: Decimal | PurePath) -> Any:
    return {"is": name_of(type(thing)), "text": str(thing)}


@_described.register
def _(thing: re.Pattern) -> Any:  # type: ignore[type-arg]  # as above
    return {"pattern": describe(thing.pattern), "flags": thing.flags}


def of_code(kind: str, thing: Any) -> Any:
    """A function or class by its name and code. Comments, docstrings and decorators are no part of that, nor is what
    it calls."""
    module = getattr(thing, "__module__", None)
    if module == "builtins" or (module or "").partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
        return {kind: name_of(thing)}
    code = _code_of(thing)
    return Untold(thing) if code is None else {kind: name_of(thing), "code": code}


@functools.lru_cache(maxsize=1024)
def _code_of(thing: Any) -> str | None:
    """The sha256 of its code; None where that is not to be had, or where a line has several functions without names."""
    import ast
    import textwrap

    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        if len(lambdas) != 1:
            return None
        return _digest(lambdas[0])
    tree.decorator_list = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return _digest(tree)


def _digest(tree: ast.AST) -> str:
    import ast
    import hashlib

    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def _held(cell: Any) -> Any:
    try:
        return describe(cell.cell_contents)
    except ValueError:  # not yet filled
        return Untold(cell)


def _sdk_of(owner: Any) -> str | None:
    roots = (str(base.__module__).partition(".")[0] for base in type(owner).__mro__)
    return next((root for root in roots if root in _SDKS), None)


def _of_subclass(thing: Any, *plain: type) -> dict[str, Any]:
    return {} if type(thing) in plain else {"is": name_of(type(thing))}


def _says(kind: type, method: str) -> bool:
    return getattr(kind, method) is not getattr(object, method)


def name_of(named: Any) -> str:
    """Where a class or function is found."""
    return f"{getattr(named, '__module__', None) or 'builtins'}.{getattr(named, '__qualname__', type(named).__name__)}"


_SDKS: Final = frozenset({"openai", "anthropic", "litellm"})
