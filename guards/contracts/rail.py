"""The contract that a RAIL file makes: its `<output>` as a JSON Schema, and nothing else of it yet.

The grammar of what is taken is `schemas/rail.rng`. Every other tag or attribute is a `ConfigError` with its line;
validators, on-fail actions and messages are refused by name, for a rule that is read over would look kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from guards.contracts.base import Style
from guards.contracts.json_schema.base import JsonContract
from guards.contracts.json_schema.contract import JsonSchema
from guards.errors import ConfigError
from guards.reading.document import Document
from guards.reading.reading import Dial, Limits, Reading

if TYPE_CHECKING:
    from guards.contracts.growing import Growing, Held

__all__ = ["Rail"]


class Rail(JsonContract[Any]):
    """A RAIL document (text, or a `pathlib.Path` to one) as a contract. Gives plain data; the answer is JSON.

    Types: string, integer, float, bool, date and time (ISO 8601, asserted), object, list, choice with its cases.
    A member is required unless it says `required="false"`. An object without children takes any members; a choice is
    an object whose discriminator holds the name of the case, beside that case's members.
    """

    def __init__(self, source: str | Path) -> None:
        self._where, self._text = _loaded(source)
        self._schema = _RailSchema(_Reader(self._where).schema(self._text), formats=True)
        self.notes = self._schema.notes

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[Any]:
        return self._schema.read(text, dial, limits)

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[Any]:
        return self._schema.recheck(document)

    def json_schema(self) -> dict[str, Any]:
        return self._schema.json_schema()

    def _check_path(self, path: str, where: str) -> None:
        self._schema.check_place(path, where)

    def growing(self, held: Held, context: Mapping[str, Any] | None) -> Growing:
        return self._schema.growing(held, context)

    def prompt(self, style: Style | None = None) -> str:
        return self._schema.prompt(style)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rail) and other._schema == self._schema

    def __hash__(self) -> int:
        return hash(self._schema)

    def __repr__(self) -> str:
        return f"Rail({self._where})"

    def __reduce__(self) -> tuple[Any, ...]:
        # By source, so that it is read anew; the file may be gone where it is loaded.
        return Rail, (self._text,)


class _RailSchema(JsonSchema):
    """The same, save that a time may stand without seconds and offset, as RAIL's own default has it."""

    def _asserted(self) -> Mapping[str, Callable[[str], bool]]:
        return _formats()


def _formats() -> Mapping[str, Callable[[str], bool]]:
    if not _FORMATS:
        from guards.contracts.json_schema.formats import FORMATS

        full = FORMATS["time"]
        _FORMATS.update(FORMATS, time=lambda text: full(text) or full(f"{text}Z") or full(f"{text}:00Z"))
    return _FORMATS


_FORMATS: Final[dict[str, Callable[[str], bool]]] = {}

_SCALARS: Final[Mapping[str, dict[str, Any]]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
}
_TYPES: Final = (*_SCALARS, "object", "list", "choice")
_OUTPUT_TYPES: Final = (*_SCALARS, "object", "list")
_LATER_TAGS: Final = frozenset(
    {"messages", "message", "prompt", "instructions", "reask_messages", "reask_prompt", "reask_instructions", "script"}
)
_LATER_ATTRIBUTES: Final = frozenset({"validators", "format"})
# What may stand before the root; a DTD is refused before the parser sees it.
_PROLOG: Final = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)


def _loaded(source: Any) -> tuple[str, str]:
    """Where it came from, and its text."""
    if isinstance(source, Path):
        try:
            return str(source), source.read_text(encoding="utf-8-sig")
        except OSError as fault:
            raise ConfigError(
                f"the RAIL file cannot be read: {fault.strerror or type(fault).__name__}", where=str(source)
            ) from fault
        except UnicodeDecodeError:
            raise ConfigError("the RAIL file is not UTF-8 text", where=str(source)) from None
    if not isinstance(source, str):
        raise ConfigError(f"RAIL is text or a pathlib.Path, not {type(source).__name__}", where="Rail(source)")
    if "<" not in source:
        raise ConfigError("the text is no RAIL document", where="RAIL", hint="give a file as pathlib.Path")
    return "RAIL", source


class _Reader:
    """Turns one document into a schema; knows where it came from, for its errors."""

    def __init__(self, where: str) -> None:
        self.where = where

    def schema(self, text: str) -> dict[str, Any]:
        root = self.parsed(text)
        if root.tag != "rail":
            raise self.fault(root, f"the root is <rail>, not <{_name(root)}>")
        self.only(root, "version")
        version = root.get("version", "0.1")
        if version != "0.1":
            raise self.fault(root, f"unknown version {_shown(version)}", 'use version="0.1"')
        outputs = []
        for child in self.children(root):
            if child.tag != "output":
                raise self.unknown_tag(child, "<rail> holds one <output>")
            outputs.append(child)
        if len(outputs) != 1:
            raise self.fault(outputs[1] if outputs else root, "<rail> holds exactly one <output>")
        return self.output(outputs[0])

    def parsed(self, text: str) -> Any:
        from lxml import etree

        prolog = _PROLOG.match(text)
        if prolog and text.startswith("<!DOCTYPE", prolog.end()):
            line = text.count("\n", 0, prolog.end()) + 1
            raise ConfigError(
                "a document type definition is refused", where=f"{self.where} line {line}", hint="leave it out"
            )
        parser = etree.XMLParser(
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
        )
        try:
            return etree.fromstring(text.encode(), parser)
        except UnicodeEncodeError:
            raise ConfigError("the text holds a lone surrogate", where=self.where) from None
        except etree.XMLSyntaxError as fault:
            # The parser's own words end in the place, which stands in `where` already.
            reason = str(fault.msg).split(", line ", 1)[0]
            raise ConfigError(
                f"not well-formed XML: {reason}", where=f"{self.where} line {fault.lineno or 1}"
            ) from None

    # elements

    def output(self, element: Any) -> dict[str, Any]:
        self.only(element, "type", "description")
        kind = element.get("type", "object")
        if kind not in _OUTPUT_TYPES:
            raise self.fault(element, f"unknown type {_shown(kind)}", f"use one of {', '.join(_OUTPUT_TYPES)}")
        return {**self.content(element, kind), **_described(element)}

    def content(self, element: Any, kind: str) -> dict[str, Any]:
        """The schema of what stands in an element of that type."""
        if kind == "object":
            return self.members(element)
        if kind == "list":
            return self.items(element)
        if kind == "choice":
            return self.choice(element)
        for child in self.children(element):
            raise self.fault(child, f"a {kind} has no children")
        return dict(_SCALARS[kind])

    def member(self, element: Any, *, named: bool) -> dict[str, Any]:
        """The schema of one typed element, with its description."""
        kind = self.type_of(element)
        self.only(element, "name", "description", "required", *(["discriminator"] if kind == "choice" else []))
        required = element.get("required", "true")
        if required not in {"true", "false"}:
            raise self.fault(element, f"required is true or false, not {_shown(required)}")
        name = element.get("name")
        if named and not name:
            raise self.fault(element, f"<{kind}> has no name", 'give it name="..."')
        if not named and required == "false":
            raise self.fault(element, "an item of a list cannot be optional", "leave required out")
        title = {} if named or not name else {"title": name}
        return {**title, **self.content(element, kind), **_described(element)}

    def type_of(self, element: Any) -> str:
        if element.tag not in _TYPES:
            raise self.unknown_tag(element, f"use one of {', '.join(_TYPES)}")
        return str(element.tag)

    def members(self, element: Any, taken: Mapping[str, Any] | None = None) -> dict[str, Any]:
        properties: dict[str, Any] = dict(taken or {})
        required = list(properties)
        for child in self.children(element):
            schema = self.member(child, named=True)
            name = child.get("name")
            if name in properties:
                raise self.fault(child, f"the name {_shown(name)} stands twice")
            properties[name] = schema
            if child.get("required", "true") == "true":
                required.append(name)
        if not properties:
            return {"type": "object"}
        return {"type": "object", "properties": properties, "required": required}

    def items(self, element: Any) -> dict[str, Any]:
        children = list(self.children(element))
        if len(children) > 1:
            raise self.fault(children[1], "a list has at most one child, the kind of its items")
        return {"type": "array", **({"items": self.member(children[0], named=False)} if children else {})}

    def choice(self, element: Any) -> dict[str, Any]:
        discriminator = element.get("discriminator")
        if not discriminator:
            raise self.fault(element, "<choice> has no discriminator", "name the member that says which case it is")
        cases: dict[str, Any] = {}
        for child in self.children(element):
            if child.tag != "case":
                raise self.unknown_tag(child, "<choice> holds <case> only")
            self.only(child, "name", "description")
            name = child.get("name")
            if not name:
                raise self.fault(child, "<case> has no name", 'give it name="..."')
            if name in cases:
                raise self.fault(child, f"the case {_shown(name)} stands twice")
            cases[name] = {**self.members(child, {discriminator: {"const": name}}), **_described(child)}
        if not cases:
            raise self.fault(element, "<choice> has no case")
        return {"oneOf": list(cases.values())}

    # what is refused

    def children(self, element: Any) -> Iterator[Any]:
        """The child elements; text between them is an error, comments are not."""
        if element.text and element.text.strip():
            raise self.fault(element, f"<{_name(element)}> holds text")
        for child in element:
            if child.tail and child.tail.strip():
                raise self.fault(child, f"text after <{_name(child)}>")
            if isinstance(child.tag, str):
                yield child
            elif type(child).__name__ == "_Entity":
                raise self.fault(child, "an entity reference is refused")

    def only(self, element: Any, *names: str) -> None:
        """ConfigError for an attribute that is none of these."""
        for name in element.attrib:
            if name in names:
                continue
            tag = _name(element)
            if name in _LATER_ATTRIBUTES or str(name).startswith("on-fail"):
                raise self.fault(
                    element, f"not supported yet: the attribute {name!r} of <{tag}>", "attach guards instead"
                )
            known = f"<{tag}> takes {', '.join(names)}"
            raise self.fault(element, f"unknown attribute {_shown(name)} of <{tag}>", known)

    def unknown_tag(self, element: Any, hint: str) -> ConfigError:
        tag = _name(element)
        if tag in _LATER_TAGS:
            return self.fault(element, f"not supported yet: <{tag}>", "write the messages in your own call")
        return self.fault(element, f"unknown tag <{tag}>", hint)

    def fault(self, element: Any, message: str, hint: str = "") -> ConfigError:
        return ConfigError(message, where=f"{self.where} line {element.sourceline}", hint=hint)


def _described(element: Any) -> dict[str, Any]:
    description = element.get("description")
    return {"description": description} if description else {}


def _name(element: Any) -> str:
    return str(element.tag)[:80]


def _shown(value: Any) -> str:
    text = repr(str(value))
    return text if len(text) <= 80 else text[:77] + "..."
