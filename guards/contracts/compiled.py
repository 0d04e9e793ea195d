"""One contract of anything that may stand as one; compiled once per type or schema, and kept."""

from __future__ import annotations

import types
from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_origin

from guards.contracts.base import Contract
from guards.errors import ConfigError
from guards.values.sameness import Itself, key_of

__all__ = ["FORMATS", "compile_contract"]

FORMATS = (None, "json", "xml")
_KEPT = 512


def compile_contract(given: Any, format: str | None = None) -> Contract[Any]:  # noqa: A002  # the public name
    """The compiled contract; `ConfigError` for what cannot be one, or cannot be answered in that format."""
    if format not in FORMATS:
        raise ConfigError(f"unknown format {format!r}", where="format=", hint="use 'json', 'xml' or None")
    contract = _contract(given)
    if format is None or format == contract.format:
        return contract
    if format == "xml" and contract.format == "json":
        return _in_xml(contract, tuple(map(Itself, contract.all_inner_guards)))
    raise ConfigError(
        f"an answer by {type(contract).__name__} is {contract.format}, not {format}",
        where="format=",
        hint="leave format= out",
    )


def _contract(given: Any) -> Contract[Any]:
    if isinstance(given, Contract):
        return given
    if isinstance(given, type) and not isinstance(given, types.GenericAlias):
        if issubclass(given, Contract):
            raise ConfigError(f"{given.__name__} is a class", where="contract", hint=f"write {given.__name__}(...)")
        return _typed(cast("Hashable", given), "")
    if isinstance(given, Mapping):
        from guards.contracts.json_schema.contract import JsonSchema

        return JsonSchema(dict(given))
    if isinstance(given, Path):
        return _of_file(given)
    if isinstance(given, types.FunctionType):
        raise ConfigError(
            f"the function {given.__name__!r} is no contract",
            where="contract",
            hint="as a decorator it takes the contract first: @Guarded(Ticket)",
        )
    if given is None or isinstance(given, str | bytes | bool | int | float):
        raise ConfigError(
            f"{type(given).__name__} is no contract",
            where="contract",
            hint="name the kind: JsonSchema(text), XmlSchema(text), Pattern(regex), or a pathlib.Path for a file",
        )
    try:
        hash(given)
    except TypeError:
        # Unhashable metadata in an Annotated: it cannot be kept.
        return _new_typed(given)
    if any(True for _ in _metadata(given)):
        return _annotated(_Spelled(given))
    # Unions that differ only in order compare equal, and their order can matter: hence the repr in the key.
    return _typed(given, repr(given))


@lru_cache(maxsize=_KEPT)
def _typed(type_: Hashable, _spelling: str) -> Contract[Any]:
    return _new_typed(type_)


class _Spelled:
    """A type with metadata, for a contract to be kept by. A contract holds the very guards of its type, so that it may
    not serve another type with guards that are merely equal, or that say so; nor one whose `Field(le=1)` is
    `Field(le=True)` there."""

    __slots__ = ("_key", "type")

    def __init__(self, given: Any) -> None:
        self.type = given
        self._key = key_of(given, own=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spelled) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=_KEPT)
def _annotated(spelled: _Spelled) -> Contract[Any]:
    return _new_typed(spelled.type)


def _metadata(type_: Any) -> Iterator[Any]:
    """What stands beside the types in an Annotated, at any depth."""
    if get_origin(type_) is Annotated:
        yield from type_.__metadata__
    for argument in get_args(type_):
        yield from _metadata(argument)


def _new_typed(type_: Any) -> Contract[Any]:
    from guards.contracts.typed.contract import Typed

    return Typed(type_)


@lru_cache(maxsize=_KEPT)
def _in_xml(contract: Contract[Any], _guards: tuple[Itself, ...]) -> Contract[Any]:
    from guards.contracts.xml.data_as_xml import DataAsXml

    return DataAsXml(contract)


def _of_file(path: Path) -> Contract[Any]:
    from guards import contracts

    kinds = {".json": "JsonSchema", ".xsd": "XmlSchema", ".rng": "RelaxNG", ".rail": "Rail"}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise ConfigError(
            f"{path.name!r} has no ending that names a kind of contract",
            where=str(path),
            hint=f"use one of {', '.join(kinds)}",
        )
    contract: Contract[Any] = getattr(contracts, kind)(path)
    return contract
