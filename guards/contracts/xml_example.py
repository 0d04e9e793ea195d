"""How an XML contract is told to a model: a skeleton with comments, or an example that the contract itself accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from guards.contracts.base import Reading
from guards.contracts.ecma import EcmaPattern
from guards.contracts.pattern_samples import samples
from guards.contracts.xml_shape import (
    MANY,
    XML,
    XSI,
    Attribute,
    Element,
    Group,
    SchemaShape,
    Shape,
    SimpleType,
    Wildcard,
    children_of,
)
from guards.errors import ConfigError
from guards.reading.xml_document import element_path

__all__ = ["example", "outline", "skeleton"]

_ROUNDS: Final = 30
_TYPES: Final = "t"
"""Begins the prefixes of the types that an `xsi:type` names."""
_DEEPEST: Final = 50
_LARGEST: Final = 2000
_TASK: Final = """Answer with one XML document and nothing else. Escape & as &amp; and < as &lt;.
It has this form (the comments explain it; leave them out):
"""
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
    for root in _tops(schema):
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
        types = {prefix: space for space, prefix in self.prefixes.items()}
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
        elif shape.mixed or shape.free:
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


# -- the skeleton ------------------------------------------------------------------------------------------------


def skeleton(schema: SchemaShape) -> str:
    """Short instructions and the form of the document, with types, occurrences and allowed values as comments."""
    tops = _tops(schema)
    lines = [_TASK]
    shown: set[int] = set()
    for number, root in enumerate(tops):
        if number:
            lines.append("or")
        lines += _outline(root, 0, shown, root.namespace, root=True)
    return "\n".join(lines)


def outline(use: Element) -> str:
    """The form of one element, as in the skeleton."""
    return "\n".join(_outline(use, 0, set(), use.namespace, root=True))


def _outline(use: Element, level: int, shown: set[int], space: str | None, *, root: bool = False) -> list[str]:
    indent, shape = "  " * level, use.shape
    occurs = "" if root else _occurs(use.least, use.most)
    attributes = "".join(
        f' {"xml:" * (a.namespace == XML)}{a.name}="{_attribute_words(a)}"' for a in shape.attributes.values()
    )
    if use.namespace and (root or use.namespace != space):
        attributes = f' xmlns="{use.namespace}"{attributes}'
    start = f"{indent}<{use.name}{attributes}>"
    notes = [note for note in (occurs, "may be xsi:nil" if use.nillable else "") if note]
    if shape.stand_ins:
        return _stand_ins(use, level, shown, space, start, notes)
    if shape.content is None or not shape.content.items:
        words = use.fixed or (
            _words(shape.text) if shape.text else "anything" if shape.free else "text" if shape.mixed else ""
        )
        inner = _comment(words) if words else ""
        return [f"{start}{inner}</{use.name}>{' ' + _comment(', '.join(notes)) if notes else ''}"]
    if shape.mixed:
        notes.append("text may stand between")
    tail = f" {_comment(', '.join(notes))}" if notes else ""
    if id(shape) in shown:
        return [f"{start}{_comment('as above')}</{use.name}>{tail}"]
    shown.add(id(shape))
    lines = [start + tail, *_model(shape.content, level + 1, shown, use.namespace or space)]
    return [*lines, f"{indent}</{use.name}>"]


def _stand_ins(use: Element, level: int, shown: set[int], space: str | None, start: str, notes: list[str]) -> list[str]:
    """An element of an abstract type: the forms of those that an `xsi:type` may name."""
    names = " | ".join(use.shape.stand_ins)
    notes = [*notes, f"with xsi:type (xmlns:xsi={XSI}), one of: {names}"]
    indent = "  " * level
    lines = [f"{start} {_comment(', '.join(notes))}"]
    if id(use.shape) in shown:
        return [*lines, f"{indent}</{use.name}>"]
    shown.add(id(use.shape))
    for name, (shape, _) in use.shape.stand_ins.items():
        form = _outline(replace(use, shape=shape), level, shown, use.namespace or space, root=True)
        lines += [f"{indent}  {_comment(f'of type {name}:')}", *form[1:-1]] if len(form) > 2 else []
    return [*lines, f"{indent}</{use.name}>"]


def _model(part: Element | Group | Wildcard, level: int, shown: set[int], space: str | None) -> list[str]:
    indent = "  " * level
    if isinstance(part, Element):
        return _outline(part, level, shown, space)
    occurs = _occurs(part.least, part.most)
    if isinstance(part, Wildcard):
        return [indent + _comment(f"any element{', ' + occurs if occurs else ''}")]
    lines: list[str] = []
    several = len(part.items) > 1
    if part.kind == "choice" and several:
        lines.append(indent + _comment(f"one of{', ' + occurs if occurs else ''}:"))
    elif (part.kind == "all" and several) or occurs:
        lines.append(
            indent + _comment(", ".join(n for n in ("in any order" if part.kind == "all" else "", occurs) if n))
        )
    for number, item in enumerate(part.items):
        if number and part.kind == "choice":
            lines.append(indent + _comment("or"))
        lines += _model(item, level, shown, space)
    if lines and several and (part.kind == "choice" or occurs):
        lines.append(indent + _comment("end of this part"))
    return lines


def _occurs(least: int, most: int) -> str:
    if (least, most) == (1, 1):
        return ""
    if (least, most) == (0, 1):
        return "optional"
    if most == MANY:
        return f"{least} or more times"
    return f"{least} times" if least == most else f"{least} to {most} times"


_FACETS: Final = {
    "minInclusive": "at least {}",
    "maxInclusive": "at most {}",
    "minExclusive": "more than {}",
    "maxExclusive": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "length": "exactly {} characters",
    "totalDigits": "at most {} digits",
    "fractionDigits": "at most {} digits after the point",
}


def _words(kind: SimpleType) -> str:
    if kind.enumeration:
        return "one of: " + " | ".join(kind.enumeration)
    if kind.variety == "union":
        return " or ".join(dict.fromkeys(_words(member) for member in kind.members))
    parts = [kind.says()]
    parts += [words.format(kind.facets[name]) for name, words in _FACETS.items() if name in kind.facets]
    parts += [f"pattern {pattern}" for pattern in kind.patterns]
    return ", ".join(parts)


def _attribute_words(attribute: Attribute) -> str:
    words = attribute.fixed or _words(attribute.type)
    return (words if attribute.required else f"{words} (optional)").replace('"', "'").replace("<", "&lt;")


def _comment(words: str) -> str:
    return f"<!-- {words.replace('--', '- -')} -->"


def _tops(schema: SchemaShape) -> list[Element]:
    """The roots that are no part of another one; all of them where each is."""
    inside: set[int] = set()
    for root in schema.roots.values():
        pending, seen = [root.shape], {id(root.shape)}
        while pending:
            shape: Shape = pending.pop()
            for use in children_of(shape.content):
                if use.name in schema.roots and schema.roots[use.name].shape is use.shape and use.name != root.name:
                    inside.add(id(schema.roots[use.name]))
                if id(use.shape) not in seen:
                    seen.add(id(use.shape))
                    pending.append(use.shape)
    tops = [root for root in schema.roots.values() if id(root) not in inside]
    return tops or list(schema.roots.values())


def _tag(use: Element) -> str:
    return f"{{{use.namespace}}}{use.name}" if use.namespace else use.name
