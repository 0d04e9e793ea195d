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
from typing import Any, Final, TypeVar, get_args, get_origin

from guards.errors import ConfigError
from guards.values.code import bases_of, code_of_class, code_of_function, functions_of, stands_in
from guards.values.sameness import parts_of

F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["Untold", "describe", "fingerprint", "name_of"]


class Untold(dict[str, str]):
    """Stands for what cannot be told: nothing that holds it has a fingerprint."""

    def __init__(self, thing: Any) -> None:
        # By type(): what an object says of its class is its own code, and may raise.
        super().__init__(untold=name_of(thing if issubclass(type(thing), _NAMED) else type(thing)))


_NAMED: Final = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


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
    try:
        written = _written(told)
    except (TypeError, ValueError) as fault:
        raise ConfigError(
            f"what a registered kind is described by is no JSON: {fault}",
            where="fingerprint()",
            hint="let the function given to describe.register return texts, whole numbers, lists and objects",
        ) from fault
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()


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
        its kind. For what cannot be told: see `Untold`; what holds itself, never ends or raises is among it. Raises
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
        self._around: dict[int, int] = {}
        self._left = _MOST_TOLD

    def told(self, thing: Any) -> Any:
        self._left -= 1
        depth = len(self._around)
        above = self._around.get(id(thing))
        if above is not None and issubclass(type(thing), type | types.FunctionType):  # they may well name themselves
            return {"again": depth - above}
        if self._left < 0 or above is not None or depth > _DEEPEST:
            return Untold(thing)
        self._around[id(thing)] = depth
        try:
            return _described(thing)
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001  # its own code runs here, and may raise anything
            return Untold(thing)
        finally:
            del self._around[id(thing)]


_HERE: Final = threading.local()
_MOST_TOLD: Final = 100_000
_DEEPEST: Final = 100
_LONG: Final = 10_000
"""Bits; Python writes no number of more than 4300 digits."""
describe: Final = _Describe()


@singledispatch
def _described(thing: Any) -> Any:
    if isinstance(thing, type):
        return _code_of_class(thing)
    if isinstance(thing, Enum):
        return {"member": _kind(type(thing)), "name": thing.name, "value": describe(thing.value)}
    if get_origin(thing) is not None:
        return {"type": name_of(get_origin(thing)), "of": [describe(argument) for argument in get_args(thing)]}
    if is_dataclass(thing) and _says(type(thing), "__eq__"):
        held = {field.name: describe(getattr(thing, field.name)) for field in fields(thing)}
        return {"is": _kind(type(thing)), **held}
    parts = parts_of(thing, type(thing))
    if parts is None:
        return Untold(thing)
    made, *given = parts
    return {"is": _kind(type(thing)), "by": name_of(made), "of": [describe(part) for part in given]}


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
    told = {"function": name_of(thing)}
    if not _is_pythons(thing.__module__) or not _is_pythons(thing.__globals__.get("__name__")):
        code = code_of_function(thing)
        if code is None:
            return Untold(thing)
        told["code"] = code
    return told | _holds(thing)


def _is_pythons(module: str | None) -> bool:
    root = (module or "").partition(".")[0]
    return root in sys.stdlib_module_names and root != "__main__"


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


def _code_of_class(cls: type) -> Any:
    """A class by its name and code, and by what its functions hold, and those of the classes above it that are the
    user's. Comments, docstrings and decorators are no part of that, nor is what it calls."""
    named = {"class": name_of(cls)}
    if _is_pythons(cls.__module__):
        return named
    code = code_of_class(cls)
    if code is None:
        return Untold(cls)
    functions = [[name, _function_of_class(function, cls)] for name, function in functions_of(cls)]
    above = [describe(base) for base in bases_of(cls)]
    told = {"functions": functions, "above": above, "values": _values_of(cls)}
    return {**named, "code": code, **{key: part for key, part in told.items() if part}}


def _function_of_class(function: types.FunctionType, cls: type) -> Any:
    told = describe(function)
    # The code of the class has its lambdas, those that share a line too.
    return _holds(function) if isinstance(told, Untold) and stands_in(function, "<lambda>", cls) else told


def _values_of(cls: type) -> list[Any]:
    """What a class's own names stand for beside functions, where a function made the class: its code does not say which
    values it was made with."""
    if "<locals>" not in cls.__qualname__:
        return []
    own = [(name, value) for name, value in vars(cls).items() if not name.startswith("__") and name != "_abc_impl"]
    return [[name, describe(value)] for name, value in own if isinstance(value, type) or not hasattr(value, "__get__")]


def _kind(cls: type) -> Any:
    """The class of a value: one that a function made is not found by its name."""
    return describe(cls) if "<locals>" in cls.__qualname__ else name_of(cls)


def _holds(function: types.FunctionType) -> dict[str, Any]:
    """Its defaults, and what it closes over."""
    names = function.__code__.co_freevars
    held = {name: _held(cell) for name, cell in zip(names, function.__closure__ or (), strict=True)}
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()]
    return ({"defaults": describe(defaults)} if defaults else {}) | ({"holds": held} if held else {})


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
