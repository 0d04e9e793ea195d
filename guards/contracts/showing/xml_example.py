"""An example of an XML contract: an answer that the contract itself accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from guards.contracts.xml.skeleton import tops
from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern
from guards.patterns.samples import samples
from guards.reading.reading import Reading
from guards.reading.xml_document import element_path
from guards.reading.xml_shape import (
    XSI,
    Element,
    Group,
    SchemaShape,
    Shape,
    SimpleType,
    Wildcard,
)

__all__ = ["example"]

_ROUNDS: Final = 30
_TYPES: Final = "t"
"""Begins the prefixes of the types that an `xsi:type` names."""
_DEEPEST: Final = 50
_LARGEST: Final = 2000
_SAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "date": ("2026-01-31",),
    "dateTime": (
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:00+01:00",
    ),
    "time": ("12:00:00", "12:00:00Z"),
    "duration": ("P1D", "PT1H"),
    "gYear": ("2026",),
    "gYearMonth": ("2026-01",),
    "gMonth": ("--01",),
    "gMonthDay": ("--01-31",),
    "gDay": ("---31",),
    "anyURI": ("https://example.org/",),
    "language": ("en",),
    "hexBinary": ("0AFF",),
    "base64Binary": ("dGV4dA==",),
    "boolean": ("true", "false"),
    "negativeInteger": ("-1",),
    "nonPositiveInteger": ("0", "-1"),
    "QName": ("name",),
}


# -- the example -------------------------------------------------------------------------------------------------


def example(schema: SchemaShape, read: Callable[[str], Reading[Any]]) -> str:
    """An answer that `read` accepts. `ConfigError` where none could be made."""
    spaces = {space for shape in schema.types.values() for _, space in shape.stand_ins.values() if space}
    prefixes = {space: f"{_TYPES}{number or ''}" for number, space in enumerate(sorted(spaces))}
    for root in tops(schema):
        for full in (True, False):
            for branch in range(4):
                text = _accepted(root, prefixes, full=full, branch=branch, read=read)
                if text is not None:
                    return text
    raise ConfigError(
        "no example could be made that the schema accepts", where="prompt(style='example')", hint="use style='xml'"
    )


def _accepted(
    root: Element, prefixes: Mapping[str, str], *, full: bool, branch: int, read: Callable[[str], Reading[Any]]
) -> str | None:
    """One example; where a value is refused, the next one is tried in its place."""
    tries: dict[str, int] = {}
    for _ in range(_ROUNDS):
        made = _Maker(prefixes, full=full, branch=branch, tries=tries).whole(root)
        if made is None:
            return None
        reading = read(made)
        if reading.ok:
            return made
        before = dict(tries)
        for finding in reading.findings:
            if finding.code not in ("schema.required", "schema.additionalProperties", "schema.order"):
                tries[finding.path] = tries.get(finding.path, 0) + 1
        if tries == before:
            return None
    return None


class _Maker:
    """Makes one document of a shape. What may be left out is left out where it would hold itself."""

    def __init__(self, prefixes: Mapping[str, str], *, full: bool, branch: int, tries: dict[str, int]) -> None:
        self.prefixes = prefixes
        self.full, self.branch, self.tries = full, branch, tries
        self.made = 0
        self.typed: set[str] = set()
        self.around: list[Shape] = []

    def whole(self, root: Element) -> str | None:
        own: dict[str | None, str] = {None: root.namespace} if root.namespace else {}
        types: dict[str | None, str] = {prefix: space for space, prefix in self.prefixes.items()}
        node = etree.Element(_tag(root), nsmap={"xsi": XSI, **own, **types})
        try:
            if not self._fill(node, root):
                return None
        except (ValueError, RecursionError):
            return None  # a pattern's sample that XML cannot hold; a type that never ends
        etree.cleanup_namespaces(node, keep_ns_prefixes=sorted(self.typed) or None)
        return str(etree.tostring(node, encoding="unicode", pretty_print=True)).strip()

    def _fill(self, node: Any, use: Element) -> bool:
        shape = use.shape
        if shape.stand_ins:
            name, (shape, space) = list(shape.stand_ins.items())[self.branch % len(shape.stand_ins)]
            prefix = self.prefixes[space] if space else ""
            node.set(f"{{{XSI}}}type", f"{prefix}:{name}" if prefix else name)
            use = replace(use, shape=shape)
            self.typed |= {prefix} - {""}
        self.made += 1
        if len(self.around) > _DEEPEST or self.made > _LARGEST:
            return False
        for attribute in shape.attributes.values():
            if self.full or attribute.required:
                name = f"{{{attribute.namespace}}}{attribute.name}" if attribute.namespace else attribute.name
                path = f"{element_path(node)}/@{attribute.name}"
                node.set(name, attribute.fixed or self._leaf(attribute.type, path))
        if use.fixed is not None:
            node.text = use.fixed
        elif shape.text is not None and not shape.mixed:
            node.text = self._leaf(shape.text, element_path(node))
        elif self.full and (shape.mixed or shape.free):
            node.text = "text"
        if shape.content is None:
            return True
        self.around.append(shape)
        filled = self._part(node, shape.content)
        self.around.pop()
        return filled

    def _part(self, node: Any, part: Element | Group | Wildcard) -> bool:
        wanted = part.least
        if self.full and wanted == 0 and part.most and not isinstance(part, Wildcard) and not self._circular(part):
            wanted = 1
        if isinstance(part, Wildcard):
            return wanted == 0
        return all(self._once(node, part) for _ in range(wanted))

    def _once(self, node: Any, part: Element | Group) -> bool:
        if isinstance(part, Element):
            return self._fill(etree.SubElement(node, _tag(part)), part)
        if part.kind == "choice" and part.items:
            straight = [item for item in part.items if not self._circular(item)] or part.items
            return self._part(node, straight[self.branch % len(straight)])
        return all(self._part(node, item) for item in part.items)

    def _circular(self, part: Element | Group | Wildcard) -> bool:
        if isinstance(part, Element):
            return any(part.shape is shape for shape in self.around)
        if not isinstance(part, Group):
            return False
        circular = [self._circular(item) for item in part.items if item.least or part.kind == "choice"]
        return bool(circular) and (all(circular) if part.kind == "choice" else any(circular))

    def _leaf(self, kind: SimpleType, path: str) -> str:
        options = list(_options(kind))
        return options[self.tries.get(path, 0) % len(options)]


def _options(kind: SimpleType) -> Iterator[str]:
    """Texts that may be right for a type, the likeliest first; never none."""
    if kind.enumeration:
        yield from kind.enumeration
        return
    if kind.patterns:
        # The plain form that fits is a better example than what a pattern makes up.
        yield from (text for text in _options(replace(kind, patterns=())) if _fits(text, kind))
        yield from _matching(kind)
    if kind.variety == "union" or (kind.members and kind.variety == "atomic"):
        for member in kind.members:
            yield from _options(member)
        return
    if kind.variety == "list":
        item = next(_options(kind.members[0])) if kind.members else "text"
        size = int(kind.facets.get("length", kind.facets.get("minLength", "1")))
        yield " ".join([item] * max(size, 1))
        return
    if kind.base in _SAMPLES:
        yield from _SAMPLES[kind.base]
    if kind.kind in ("integer", "decimal", "float"):
        yield from _numbers(kind)
    for bound in ("minInclusive", "maxInclusive"):
        if bound in kind.facets:
            yield kind.facets[bound]
    yield _fitted("text", kind)


def _matching(kind: SimpleType) -> Iterator[str]:
    """Texts for the last pattern, which is the narrowest. The contract itself says whether all of them match."""
    exact = kind.facets.get("length")
    shortest = int(exact or kind.facets.get("minLength", "0"))
    longest = exact or kind.facets.get("maxLength")
    yield from samples(_ecma(kind.patterns[-1]), shortest, int(longest) if longest else None, tries=_ROUNDS)


def _ecma(pattern: str) -> str:
    """A pattern without the escapes of XML Schema (part 2, appendix F) that ECMA-262 has not."""
    return pattern.replace("\\i", "[A-Za-z_]").replace("\\c", "[A-Za-z0-9_]")


def _fits(text: str, kind: SimpleType) -> bool:
    """Whether a text matches all patterns, as far as they are known."""
    try:
        return all(EcmaPattern(_ecma(pattern)).fullmatch(text) for pattern in kind.patterns)
    except (ConfigError, TimeoutError):
        return False


def _fitted(text: str, kind: SimpleType) -> str:
    facets = kind.facets
    if "length" in facets:
        return text.ljust(int(facets["length"]), "x")[: int(facets["length"])]
    text = text.ljust(min(int(facets.get("minLength", "0")), 100_000), "x")
    return text[: int(facets["maxLength"])] if "maxLength" in facets else text


def _numbers(kind: SimpleType) -> Iterator[str]:
    """Numbers in the middle of the bounds and at them."""
    step = Decimal(1) if kind.kind == "integer" else Decimal(10) ** -min(int(kind.facets.get("fractionDigits", "1")), 9)
    low = _bound(kind, "minInclusive", Decimal(0)) or _bound(kind, "minExclusive", step)
    high = _bound(kind, "maxInclusive", Decimal(0)) or _bound(kind, "maxExclusive", -step)
    first = Decimal(1)
    if low is not None and first < low:
        first = low
    if high is not None and first > high:
        first = high
    yield f"{first:f}"
    for bound in (low, high):
        if bound is not None:
            yield f"{bound:f}"
            yield f"{bound.to_integral_value():f}"
    if low is not None and high is not None:
        yield f"{(low + high) / 2:f}"


def _bound(kind: SimpleType, facet: str, step: Decimal) -> Decimal | None:
    try:
        bound = Decimal(kind.facets[facet].strip()) + step
    except (KeyError, ArithmeticError):
        return None
    return bound if bound.is_finite() else None


def _tag(use: Element) -> str:
    return f"{{{use.namespace}}}{use.name}" if use.namespace else use.name
