"""Is this a usable JSON Schema, and what validates by it: `compiled` answers both, once per content.

Everything that could fail later fails here, as a `ConfigError` that names the place in the schema: a keyword's value
of the wrong type, a pattern that is none, a reference that leads nowhere or in a circle. Nothing is ever fetched: a
reference out of the document finds the drafts' own meta-schemas and what stands in `resources`, and no more.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import specification_with

from guards.contracts.json_schema.drafts import DRAFTS, LATEST, Run, dialect, validator_class
from guards.contracts.json_schema.findings import findings_of
from guards.contracts.json_schema.formats import FORMATS
from guards.contracts.json_schema.walk import Walk
from guards.errors import ConfigError
from guards.findings import rank
from guards.patterns.ecma import EcmaPattern
from guards.reading.document import JsonDocument
from guards.reading.numbers import exact

__all__ = ["Compiled", "Formats", "compiled"]

Formats = Mapping[str, Callable[[str], bool]]
WHERE: Final = "JsonSchema(schema=)"
_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Compiled:
    """A schema that was found usable. Shared by every contract with the same content."""

    schema: Any
    notes: tuple[str, ...]
    _root: Any
    _formats: Formats
    _patterns: Mapping[str, EcmaPattern]

    def errors(self, data: Any) -> tuple[Iterator[ValidationError], Run]:
        """What jsonschema finds, one by one, and the run's state by then. RecursionError where the data is nested too
        deeply."""
        run = Run(self._formats, self._patterns)
        return self._root.evolve(format_checker=run).iter_errors(data), run


_cache: OrderedDict[tuple[str, str, int], Compiled] = OrderedDict()
_lock = threading.Lock()


def compiled(schema: str, resources: str, formats: Formats) -> Compiled:
    """The compiled form of a schema given as canonical JSON (where 1, 1.0 and true differ), as are the resources.

    `formats` are those that are asserted; its identity is part of the key, so it must be a constant of a module.
    """
    key = (schema, resources, id(formats))
    with _lock:
        known = _cache.get(key)
        if known is not None:
            _cache.move_to_end(key)
            return known
    try:
        made = _compile(_loads(schema), _loads(resources), formats)
    except RecursionError:
        raise ConfigError("the schema is nested too deeply", where=WHERE, hint="flatten it with $defs") from None
    with _lock:
        _cache[key] = made
        while len(_cache) > _MOST:
            _cache.popitem(last=False)
    return made


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=exact)


def _compile(schema: Any, resources: dict[str, Any], formats: Formats) -> Compiled:
    dialect_ = _Dialect.of(schema, resources, WHERE)
    registry = _registry(resources, dialect_.draft)
    _check(schema, dialect_, registry, WHERE)

    kind = validator_class(dialect_.draft, dialect_.keywords)
    resolver = registry.resolver_with_root(kind.specification.create_resource(schema))

    def check(target: Any, place: str) -> None:
        _check(target, _Dialect.of(target, resources, place, default=dialect_.draft), registry, place)

    walk = Walk(check)
    walk.run(schema, resolver, kind, WHERE)
    notes = tuple(
        f"unknown format {name!r} at {place}: not checked" for place, name in walk.formats if name not in FORMATS
    )
    if dialect_.asserts_formats:
        formats = FORMATS
    nothing_yet = Run(formats, walk.patterns)
    root = kind(schema, format_checker=nothing_yet, registry=registry, _resolver=resolver)
    return Compiled(schema, notes, root, formats, walk.patterns)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """What a document's `$schema` asks for: the draft, its vocabularies' keywords (None: all), its meta-schema."""

    draft: str
    keywords: frozenset[str] | None = None
    meta: Any = None
    asserts_formats: bool = False

    @classmethod
    def of(cls, schema: Any, resources: Mapping[str, Any], where: str, default: str = LATEST) -> _Dialect:
        if not isinstance(schema, dict) or "$schema" not in schema:
            return cls(default)
        uri = schema["$schema"]
        named = dialect(uri) if isinstance(uri, str) else ""
        if named in DRAFTS:
            return cls(named)
        meta = resources.get(uri, resources.get(named)) if isinstance(uri, str) else None
        if not isinstance(meta, dict) or meta.get("$schema") == uri:
            raise ConfigError(
                f"unknown $schema {_short(uri)}",
                where=f"{where} at /$schema",
                hint=f"use one of {', '.join(DRAFTS)}, or give your meta-schema among resources={{uri: document}}",
            )
        base = cls.of(meta, {name: found for name, found in resources.items() if found is not meta}, where)
        vocabularies = meta.get("$vocabulary")
        if not isinstance(vocabularies, dict):
            return cls(base.draft, base.keywords, meta, base.asserts_formats)
        keywords = frozenset(
            keyword for name, needed in vocabularies.items() for keyword in _vocabulary(name, needed, where)
        )
        asserted = any(name.endswith("/vocab/format-assertion") for name in vocabularies)
        return cls(base.draft, keywords, meta, asserted)


def _vocabulary(uri: str, needed: Any, where: str) -> frozenset[str]:
    """The keywords of a vocabulary, as its own meta-schema lists them; none for an unknown one that may be ignored."""
    found = REGISTRY.get(uri.replace("/vocab/", "/meta/"))
    if found is not None:
        return frozenset(found.contents["properties"])
    if needed:
        raise ConfigError(f"the meta-schema needs the unknown vocabulary {_short(uri)}", where=f"{where} at /$schema")
    return frozenset()


def _registry(resources: Mapping[str, Any], draft: str) -> Registry[Any]:
    """The meta-schemas and the given documents. It has no way to retrieve anything else."""
    known: Registry[Any] = REGISTRY
    pairs = [(uri, _resource(document, draft)) for uri, document in resources.items()]
    return known.with_resources(pairs)


def _resource(document: Any, draft: str) -> Resource[Any]:
    named = dialect(str(document.get("$schema", draft))) if isinstance(document, dict) else draft
    return specification_with(named if named in DRAFTS else draft).create_resource(document)


def _check(schema: Any, dialect_: _Dialect, registry: Registry[Any], where: str) -> None:
    """ConfigError unless the meta-schema accepts the schema."""
    if not isinstance(schema, dict | bool):
        raise ConfigError(
            f"a JSON Schema is an object, true or false, not {_kind(schema)}", where=where, hint="give a schema"
        )
    meta = dialect_.meta
    kind = validator_class(dialect_.draft)
    if isinstance(schema, bool) and "draft-03" not in dialect_.draft and "draft-04" not in dialect_.draft:
        return
    meta = kind.META_SCHEMA if meta is None else meta
    resolver = registry.resolver_with_root(_resource(meta, dialect_.draft))
    validator = kind(meta, format_checker=Run({}, {}), registry=registry, _resolver=resolver)
    try:
        errors = list(validator.iter_errors(schema))
    except Unresolvable as fault:
        raise ConfigError(f"its meta-schema refers to {_short(fault.ref)}, which is not known", where=where) from None
    if errors:
        # The innermost place says most: the outer ones only repeat that something in them is wrong.
        first = max(rank(findings_of(errors, JsonDocument(schema))), key=lambda finding: finding.path.count("/"))
        raise ConfigError(
            f"not a valid JSON Schema: the value there {first.message}",
            where=f"{where} at {first.path}" if first.path else where,
            hint="see the keyword's definition in the draft that $schema names",
        )


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", type(None): "null", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
