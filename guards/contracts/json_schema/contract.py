"""The contract that a JSON Schema makes: its answers are JSON (or another document with the same data), plain values.

Whether a schema is usable and how it is compiled is `json_schema.check`; what its errors say, `json_schema.findings`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from guards.contracts.base import Style
from guards.contracts.delivered import delivered, in_floats, odd_numbers, out_of_range
from guards.contracts.json_schema.base import JsonContract
from guards.errors import ConfigError, MissingExtra
from guards.findings import Finding
from guards.identity import describe, name_of
from guards.reading.document import Document, JsonDocument, plain_steps
from guards.reading.json_reader import read_json
from guards.reading.numbers import dumps, exact, is_inexact
from guards.reading.reading import Dial, Limits, Reading

if TYPE_CHECKING:
    from guards.contracts.growing import Growing, Held
    from guards.contracts.json_schema.check import Compiled
    from guards.reading.guide import Guide

__all__ = ["Engine", "JsonSchema"]

Engine = Literal["auto", "python", "rust"]
_WHERE: Final = "JsonSchema(schema=)"
_NO_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {}


class JsonSchema(JsonContract[Any]):
    """A JSON Schema (drafts 3 to 2020-12, by `$schema`; 2020-12 where it names none) as a contract. Gives plain data.

    Args:
        schema: the schema as a dict or bool, as JSON text, or a `pathlib.Path` to a file of it.
        formats: whether `format` is asserted. Names that the specification does not know never are: see `notes`.
        resources: documents that references may lead to, by their URI. Nothing is ever fetched.
        engine: "python", "rust" (the extra `fast`: an answer that is right is accepted many times as fast; whatever is
            not is explained by the same reference as with "python"), or "auto" for rust where it is installed.

    Raises `ConfigError` for a schema that cannot be used, naming the place in it.
    """

    def __init__(
        self,
        schema: dict[str, Any] | bool | str | Path,
        *,
        formats: bool = False,
        resources: Mapping[str, Any] | None = None,
        engine: Engine = "auto",
    ) -> None:
        _check_engine(engine)
        if not isinstance(formats, bool):
            raise ConfigError("must be True or False", where="JsonSchema(formats=)")
        self._given = _canonical(_loaded(schema), _WHERE)
        self._resources = _canonical(_checked_resources(resources), "JsonSchema(resources=)")
        self._formats = formats
        self._engine = engine
        try:
            self._compile()
        except ConfigError as fault:
            if isinstance(schema, Path):
                fault.where = fault.where.replace(_WHERE, str(schema))
            raise

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[Any]:
        return read_json(text, dial, limits, lambda document, _: self.recheck(document), lambda: self._guide)

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[Any]:
        data = document.data
        if (odd := odd_numbers(data)) and (far := out_of_range(document)):
            return Reading(None, document, far)
        findings = self._findings(document)
        if findings or not odd:
            return Reading(None if findings else data, document, findings)
        return Reading(delivered(data, self._guide), document)

    @property
    def name(self) -> str:
        schema = self._compiled.schema
        title = schema.get("title") if isinstance(schema, dict) else None
        return title if isinstance(title, str) and title else "JsonSchema"

    def json_schema(self) -> dict[str, Any]:
        schema = self._compiled.schema
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        plain: dict[str, Any] = in_floats(schema)
        return plain

    def prompt(self, style: Style | None = None) -> str:
        from guards.contracts.showing.describe import describe_json

        return describe_json(self.json_schema(), style, accepts=lambda data: self.recheck(JsonDocument(data)).ok)

    def _check_path(self, path: str, where: str) -> None:
        from guards.contracts.json_schema.part import part_schema

        steps = plain_steps(path) or ()
        for number, step in enumerate(steps):
            if part_schema(self._compiled.schema, steps[: number + 1]) is False:
                shown = "*" if step is None else step
                raise ConfigError(
                    f"{path!r} leads nowhere: no answer by this schema has {shown!r} there",
                    where=where,
                    hint="use one of its properties",
                )

    def growing(self, held: Held, context: Mapping[str, Any] | None) -> Growing:
        from guards.contracts.json_schema.growing import GrowingData  # only streams have views

        return GrowingData(self.json_schema(), self._of_part, held)

    def _of_part(self, part: dict[str, Any]) -> JsonSchema | None:
        """The contract of a part of `json_schema()`; None for one that refers to what cannot be told apart."""
        from guards.contracts.json_schema.part import with_definitions

        whole = self.json_schema()
        named: dict[str, Any] = {word: whole[word] for word in ("$schema", "$id", "id") if word in whole}
        resources = json.loads(self._resources)
        try:
            schema = {**named, **with_definitions(part, whole)}
            return type(self)(schema, formats=self._formats, resources=resources, engine=self._engine)
        except ConfigError:
            return None

    @cached_property
    def _fast(self) -> Callable[[Any], bool] | None:
        if self._engine == "python":
            return None
        from guards.contracts.json_schema.fast import fast_validator

        formats, resources = bool(self._asserted()), self._resources != "{}"
        return fast_validator(self._compiled.schema, asserts_formats=formats, has_resources=resources)

    @cached_property
    def _guide(self) -> Guide:
        from guards.reading.guide import guide_of  # needed only where an answer has to be mended

        return guide_of(self._compiled.schema)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, JsonSchema) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        shown = self._given if len(self._given) <= 80 else self._given[:79] + "…"
        return f"{type(self).__name__}({shown}{', formats=True' if self._formats else ''})"

    def __getstate__(self) -> dict[str, Any]:
        # By source: what is compiled is made again, or found in the cache of the process that loads it.
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in {"_compiled", "_fast", "_guide", "_key", "notes"}
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._compile()

    def _asserted(self) -> Mapping[str, Callable[[str], bool]]:
        """The formats that are asserted; a constant of a module, since the cache goes by its identity."""
        from guards.contracts.json_schema.formats import FORMATS

        return FORMATS if self._formats else _NO_FORMATS

    def _compile(self) -> None:
        from guards.contracts.json_schema.check import compiled  # jsonschema is loaded with the first schema

        self._compiled: Compiled = compiled(self._given, self._resources, self._asserted())
        self.notes = self._compiled.notes
        self._key = (_sorted(self._given), _sorted(self._resources), self._formats)

    def _findings(self, document: Document) -> tuple[Finding, ...]:
        from guards.contracts.json_schema.findings import findings_of

        if self._fast is not None and not is_inexact(document.data) and self._fast(document.data):
            return ()
        try:
            errors, run = self._compiled.errors(document.data)
            findings = findings_of(errors, document)
        except RecursionError:
            return (Finding("limit.depth", "is nested too deeply for the schema to be checked"),)
        if not run.timed_out:
            return findings
        # Whatever else was found may follow from a pattern that was not decided.
        undecided = tuple(finding for finding in findings if finding.code == "limit.pattern")
        return undecided or (Finding("limit.pattern", "took too long to match against the schema's patterns"),)


def _check_engine(engine: str) -> None:
    where = "JsonSchema(engine=)"
    if engine not in get_args(Engine):
        raise ConfigError(
            f"unknown engine {engine!r}", where=where, hint=f"use one of {', '.join(map(repr, get_args(Engine)))}"
        )
    if engine == "rust" and find_spec("jsonschema_rs") is None:
        raise MissingExtra("jsonschema-rs", "fast", where=where)


def _loaded(schema: Any) -> Any:
    """The schema as plain data."""
    if isinstance(schema, Path):
        return _parsed(_file_text(schema), str(schema), "")
    if isinstance(schema, str):
        looks_like_path = len(schema) < 300 and "{" not in schema and schema.strip() not in {"true", "false"}
        return _parsed(schema, _WHERE, "text is read as JSON; give a file as pathlib.Path" if looks_like_path else "")
    if not isinstance(schema, Mapping | bool):
        raise ConfigError(
            f"a JSON Schema is an object, true or false, not {type(schema).__name__}",
            where=_WHERE,
            hint="give a dict, a bool, JSON text or a pathlib.Path",
        )
    return schema


def _file_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise ConfigError(
            f"the schema cannot be read: {fault.strerror or type(fault).__name__}", where=str(path)
        ) from fault
    except UnicodeDecodeError:
        raise ConfigError("the schema is not UTF-8 text", where=str(path)) from None


def _parsed(text: str, where: str, hint: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=exact)
    except json.JSONDecodeError as fault:
        message = f"not JSON: {fault.msg.split(':', 1)[0]} at line {fault.lineno}, column {fault.colno}"
        raise ConfigError(message, where=where, hint=hint) from None
    except ValueError:
        raise ConfigError("not JSON: a number that JSON does not have, or one out of range", where=where) from None
    except RecursionError:
        raise ConfigError("the schema is nested too deeply", where=where, hint="flatten it with $defs") from None


@describe.register
def _(contract: JsonSchema) -> Any:
    kind, key = name_of(type(contract)), contract._key  # noqa: SLF001  # what they are compared by
    return {"contract": kind, "of": describe(list(key))}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _checked_resources(resources: Mapping[str, Any] | None) -> dict[str, Any]:
    given: Any = {} if resources is None else resources
    if not isinstance(given, Mapping) or not all(isinstance(uri, str) for uri in given):
        raise ConfigError("must map URIs to documents", where="JsonSchema(resources=)")
    return dict(given)


def _canonical(value: Any, where: str) -> str:
    """The data as JSON text, in its own order, in which 1, 1.0 and true differ. It also cuts the tie to the caller's
    objects, which may change later."""
    try:
        return dumps(_plain(value, where, ""))
    except RecursionError:
        raise ConfigError("the schema is nested too deeply", where=where, hint="flatten it with $defs") from None
    except ValueError as fault:
        if isinstance(fault, ConfigError):
            raise
        raise ConfigError("it holds a number too long to be written out", where=where) from None


def _plain(value: Any, where: str, pointer: str) -> Any:
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ConfigError(f"a key must be text, not {type(key).__name__}", where=f"{where} at {pointer or '/'}")
        return {key: _plain(item, where, f"{pointer}/{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where, f"{pointer}/{index}") for index, item in enumerate(value)]
    if value is None or isinstance(value, str | int) or (isinstance(value, float | Decimal) and math.isfinite(value)):
        return value
    raise ConfigError(f"{type(value).__name__} is not JSON data", where=f"{where} at {pointer or '/'}")


def _sorted(text: str) -> str:
    return dumps(json.loads(text, parse_float=exact), sort_keys=True)
