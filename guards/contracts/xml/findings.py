"""What is wrong with an XML document that its schema refuses, as findings with paths and codes of our own.

libxml2 decides whether a document fits; its messages quote the document and stop at the first fault of each element.
So the document is walked beside its shape to say what is missing, too much or of the wrong type, and libxml2's own
entries fill in what that walk does not know (facets of derived types, keys, order).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from guards.findings import MOST_LISTED, Finding, listed
from guards.reading.numbers import OUT_OF_RANGE
from guards.reading.xml_document import child_elements, element_path, local_name
from guards.reading.xml_shape import (
    FREE,
    XSI,
    Element,
    SchemaShape,
    Shape,
    SimpleType,
    actual_shape,
    attributes_of,
    child_key,
    children_of,
    is_far,
    required_of,
    typed,
)

__all__ = ["faults", "findings_of"]

_MOST_MADE: Final = 2 * MOST_LISTED  # what is beyond is counted no more
_SHOWN: Final = 80
# XML Schema says it at the end of its messages, RELAX NG at the start: what the document says cannot stand there.
_WANTED: Final = re.compile(
    r"(?:\AExpecting element |.*Expected is (?:one of )?\( )([^()]*?)(?:, got .*| \)\.\s*)\Z", re.DOTALL
)
_ATTRIBUTE: Final = re.compile(r"Element '[^']*', attribute '([^']*)'")
_BOUNDS: Final[dict[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "minInclusive": ("schema.minimum", operator.ge),
    "maxInclusive": ("schema.maximum", operator.le),
    "minExclusive": ("schema.exclusiveMinimum", operator.gt),
    "maxExclusive": ("schema.exclusiveMaximum", operator.lt),
}
_LENGTHS: Final[tuple[tuple[str, str, Callable[[int, int], bool]], ...]] = (
    ("minLength", "schema.minLength", operator.ge),
    ("maxLength", "schema.maxLength", operator.le),
    ("length", "schema.length", operator.eq),
)
# libxml2's name of a broken rule, ours, and the facet that holds what was asked for.
_ENTRIES: Final = {
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": ("schema.type", ""),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_2": ("schema.type", ""),
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": ("schema.type", ""),
    "SCHEMAV_CVC_ENUMERATION_VALID": ("schema.enum", "enumeration"),
    "SCHEMAV_CVC_PATTERN_VALID": ("schema.pattern", "pattern"),
    "SCHEMAV_CVC_MININCLUSIVE_VALID": ("schema.minimum", "minInclusive"),
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": ("schema.maximum", "maxInclusive"),
    "SCHEMAV_CVC_MINEXCLUSIVE_VALID": ("schema.exclusiveMinimum", "minExclusive"),
    "SCHEMAV_CVC_MAXEXCLUSIVE_VALID": ("schema.exclusiveMaximum", "maxExclusive"),
    "SCHEMAV_CVC_MINLENGTH_VALID": ("schema.minLength", "minLength"),
    "SCHEMAV_CVC_MAXLENGTH_VALID": ("schema.maxLength", "maxLength"),
    "SCHEMAV_CVC_LENGTH_VALID": ("schema.length", "length"),
    "SCHEMAV_CVC_TOTALDIGITS_VALID": ("schema.totalDigits", "totalDigits"),
    "SCHEMAV_CVC_FRACTIONDIGITS_VALID": ("schema.fractionDigits", "fractionDigits"),
    "SCHEMAV_CVC_ELT_1": ("schema.root", ""),
    "SCHEMAV_ELEMENT_CONTENT": ("schema.order", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_4": ("schema.required", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": ("schema.additionalProperties", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": ("schema.additionalProperties", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": ("schema.type", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": ("schema.type", ""),
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": ("schema.type", ""),
    "SCHEMAV_CVC_TYPE_3_1_1": ("schema.additionalProperties", ""),
    "SCHEMAV_CVC_TYPE_3_1_2": ("schema.type", ""),
    "SCHEMAV_CVC_ELT_3_1": ("schema.type", ""),
    "SCHEMAV_CVC_ELT_4_1": ("schema.type", ""),
    "SCHEMAV_CVC_ELT_4_2": ("schema.type", ""),
    "SCHEMAV_CVC_ELT_4_3": ("schema.type", ""),
    "SCHEMAV_CVC_ELT_5_2_2_2_1": ("schema.const", ""),
    "SCHEMAV_CVC_ELT_5_2_2_2_2": ("schema.const", ""),
    "SCHEMAV_CVC_AU": ("schema.const", ""),
    "SCHEMAV_CVC_IDC": ("schema.unique", ""),
    "RELAXNG_ERR_ELEMWRONG": ("schema.order", ""),
    "RELAXNG_ERR_ELEMNAME": ("schema.order", ""),
    "RELAXNG_ERR_NOELEM": ("schema.required", ""),
    "RELAXNG_ERR_TYPEVAL": ("schema.type", ""),
    "RELAXNG_ERR_DATATYPE": ("schema.type", ""),
    "RELAXNG_ERR_VALUE": ("schema.enum", "enumeration"),
}
# What libxml2 reports of an element as a whole: said already where a part of it has its own finding.
_OF_CONTENT: Final = frozenset({"schema.order", "schema.required", "schema.additionalProperties"})
_WORDS: Final = {
    "schema.type": "is not {expected}",
    "schema.enum": "is none of the allowed values",
    "schema.pattern": "does not match the pattern",
    "schema.minimum": "must be at least {expected}",
    "schema.maximum": "must be at most {expected}",
    "schema.exclusiveMinimum": "must be more than {expected}",
    "schema.exclusiveMaximum": "must be less than {expected}",
    "schema.minLength": "must have at least {expected} characters",
    "schema.maxLength": "must have at most {expected} characters",
    "schema.length": "must have exactly {expected} characters",
    "schema.totalDigits": "must have at most {expected} digits",
    "schema.fractionDigits": "must have at most {expected} digits after the point",
    "schema.order": "stands where the schema does not allow it",
    "schema.const": "has not the fixed value",
    "schema.unique": "breaks a key or uniqueness rule of the schema",
    "schema.required": "lacks something that the schema asks for",
    "schema.additionalProperties": "is not allowed here",
}


def findings_of(root: Any, schema: SchemaShape, entries: Iterable[Any], *, exact: bool) -> tuple[Finding, ...]:
    """The findings of a document that libxml2 refused with these log entries; never none.

    `exact` is for XML Schema, whose entries name rule and place; those of RELAX NG only count where nothing else is
    known.
    """
    found: dict[tuple[str, str], Finding] = {}
    for finding in faults(root, schema):
        found.setdefault((finding.path, finding.code), finding)
        if len(found) >= _MOST_MADE:
            break
    if exact or not found:
        places = {path for path, _ in found}
        for entry in entries if exact else _telling(entries):
            if len(found) >= _MOST_MADE:
                break
            finding = _of_entry(root, entry, schema)
            if finding.path in places or (finding.code in _OF_CONTENT and _under(places, finding.path)):
                continue
            found.setdefault((finding.path, finding.code), finding)
    if not found:
        found["", ""] = Finding("schema.xml", "the document does not fit the schema", element_path(root))
    return listed(_concise(found.values()), exact=len(found) < _MOST_MADE)


def _telling(entries: Iterable[Any]) -> list[Any]:
    """The one entry of RELAX NG that says most: the others repeat it for each element around."""
    given = list(entries)
    return [entry for entry in given if entry.type_name in _ENTRIES][:1] or given[:1]


def _concise(findings: Iterable[Finding]) -> list[Finding]:
    """Without what says the same twice: a type beside a facet at one place."""
    made = list(findings)
    facets = {f.path for f in made if f.code != "schema.type"}
    return [f for f in made if f.code != "schema.type" or f.path not in facets]


def _under(places: set[str], path: str) -> bool:
    parent = path.rpartition("/")[0]
    return any(place.rpartition("/")[0] in (parent, path) for place in places)


# -- the walk beside the shape -----------------------------------------------------------------------------------


def faults(root: Any, schema: SchemaShape) -> Iterator[Finding]:
    """What is wrong with a document as far as its shape tells: children, attributes, plain types and facets."""
    name = local_name(root)
    element = schema.roots.get(name)
    if element is None or (element.namespace or None) != (etree.QName(root).namespace or None):
        yield _wrong_root(root, schema)
        return
    pending = [(root, element.shape)]
    while pending:
        node, declared = pending.pop()
        shape = actual_shape(node, declared, schema)
        if shape.free or node.get(f"{{{XSI}}}nil", "").strip() in ("true", "1"):
            continue
        yield from _attributes(node, shape)
        children = child_elements(node)
        if shape.simple or (shape.text is not None and not shape.mixed and shape.content is None):
            for child in children:
                yield _unexpected(child, ())
            if shape.text is not None and not children:
                yield from (f.replace(path=element_path(node)) for f in _leaf(node.text or "", shape.text))
            continue
        yield from _children(node, children, shape)
        pending += [
            (child, shape.children.get(child_key(child, shape), (FREE, False))[0]) for child in reversed(children)
        ]


def _wrong_root(root: Any, schema: SchemaShape) -> Finding:
    names = sorted(schema.roots)
    wanted = schema.roots.get(local_name(root))
    if wanted is not None:
        space = f"in the namespace {wanted.namespace}" if wanted.namespace else "in no namespace"
        return Finding(
            "schema.root", f"the root element must be {space}", element_path(root), expected=wanted.namespace
        )
    shown = ", ".join(f"<{name}>" for name in names[:10])
    return Finding(
        "schema.root",
        f"the root element must be {'one of ' if len(names) > 1 else ''}{shown}",
        element_path(root),
        expected=names[0] if len(names) == 1 else names,
        actual=local_name(root)[:_SHOWN],
    )


def _attributes(node: Any, shape: Shape) -> Iterator[Finding]:
    given: set[str] = set()
    for key, full, written in attributes_of(node, shape):
        given.add(key)
        declared = shape.attributes.get(key)
        path = f"/@{etree.QName(full).localname}"
        # A path costs a look at all siblings, so it is made only where something is wrong.
        if declared is not None:
            for finding in _leaf(written, declared.type):
                yield finding.replace(path=element_path(node) + path)
        elif not shape.any_attribute:
            expected = sorted(shape.attributes)
            words = "an attribute that is not allowed"
            yield Finding("schema.additionalProperties", words, element_path(node) + path, expected=expected)
    for key, attribute in shape.attributes.items():
        if attribute.required and key not in given:
            yield _missing(f"{element_path(node)}/@{attribute.name}", "attribute", attribute.type.says())


def _children(node: Any, children: list[Any], shape: Shape) -> Iterator[Finding]:
    if not shape.mixed and (node.text or "").strip() + "".join((c.tail or "").strip() for c in children):
        message = "text is not allowed here, only elements"
        yield Finding("schema.type", message, element_path(node), expected="elements", actual="text")
    present = [child_key(child, shape) for child in children]
    counts: dict[str, int] = {}
    for child, name in zip(children, present, strict=True):
        counts[name] = counts.get(name, 0) + 1
        if name not in shape.children:
            if not shape.wildcards:
                yield _unexpected(child, shape.children)
        elif counts[name] == 2 and not shape.children[name][1]:
            message = f"<{local_name(child)}> may stand here only once"
            yield Finding("schema.maxItems", message, element_path(child), expected=1, actual=present.count(name))
    for use in required_of(shape.content):
        if shape.key(use.name, use.namespace) not in counts:
            inner = use.shape
            says = inner.text.says() if inner.simple and inner.text else "an element"
            yield _missing(f"{element_path(node)}/{use.name}", "element", says)
    for use in children_of(shape.content):
        name = shape.key(use.name, use.namespace)
        count = counts.get(name, 0)
        if not shape.children[name][1] or not count > 0 or use.least <= count <= use.most or not _single(shape, use):
            continue
        code, words, bound = (
            ("schema.maxItems", "at most", use.most) if count > use.most else ("schema.minItems", "at least", use.least)
        )
        message = f"<{use.name}> must stand here {words} {bound} times"
        yield Finding(code, message, f"{element_path(node)}/{use.name}", expected=bound, actual=count)


def _single(shape: Shape, use: Element) -> bool:
    """Whether a child is declared once, in a model that does not repeat, so that its own bounds are the bounds."""
    content = shape.content
    return (
        content is not None
        and content.most == 1
        and sum(isinstance(item, Element) and _same_name(item, use) for item in content.items) == 1
        and sum(_same_name(other, use) for other in children_of(content)) == 1
    )


def _same_name(one: Element, other: Element) -> bool:
    return (one.name, one.namespace) == (other.name, other.namespace)


def _unexpected(child: Any, allowed: Iterable[str]) -> Finding:
    names = sorted({key.rpartition("}")[2] for key in allowed})
    return Finding(
        "schema.additionalProperties",
        "an element that is not allowed here",
        element_path(child),
        expected=names or None,
    )


def _missing(path: str, what: str, says: str) -> Finding:
    return Finding("schema.required", f"the {what} is missing", path, expected=says)


def _leaf(text: str, kind: SimpleType) -> Iterator[Finding]:
    """What can be said of a leaf without libxml2: numbers and truth values, enumerations, bounds, lengths."""
    if kind.variety != "atomic" or kind.members:
        return
    bare = " ".join(text.split())
    value = typed(text, kind)
    if kind.kind == "float" and is_far(text):
        yield Finding("schema.type", f"the value {OUT_OF_RANGE}", "", expected=kind.says(), actual=text[:_SHOWN])
        return
    if (kind.kind != "text" and isinstance(value, str)) or not _LEXICAL.get(kind.base, _ANY).fullmatch(bare):
        yield _broken("schema.type", "", kind.says(), text)
        return
    if kind.enumeration and not _listed(bare, text, kind):
        yield _broken("schema.enum", "", list(kind.enumeration), text)
        return
    for facet, (code, holds) in _BOUNDS.items():
        if facet in kind.facets and kind.kind in ("integer", "decimal", "float"):
            bound = typed(kind.facets[facet], kind)
            if not isinstance(bound, str) and not holds(_exact(value), _exact(bound)):
                yield _broken(code, "", bound, text, value)
    if kind.kind == "text" and kind.base in ("string", "token", "normalizedString"):
        size = len(text if kind.base == "string" else bare)
        for facet, code, holds in _LENGTHS:
            if facet in kind.facets and not holds(size, int(kind.facets[facet])):
                yield _broken(code, "", int(kind.facets[facet]), text)


def _listed(bare: str, text: str, kind: SimpleType) -> bool:
    if kind.kind == "text":
        return text in kind.enumeration or (kind.base != "string" and bare in kind.enumeration)
    value = typed(text, kind)
    return any(typed(choice, kind) == value for choice in kind.enumeration)


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value)) if isinstance(value, float) else value


def _broken(code: str, path: str, expected: Any, text: str, value: Any = None) -> Finding:
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    words = _WORDS.get(code, "does not fit the schema").format(expected=expected)
    return Finding(code, f"the value {words}", path, expected=expected, actual=shown if value is None else value)


# -- libxml2's own entries ---------------------------------------------------------------------------------------


def _of_entry(root: Any, entry: Any, schema: SchemaShape) -> Finding:
    """One log entry in our words. Names are all that is taken from its message, which quotes the document."""
    node, attribute = _resolved(root, entry.path or "")
    message = entry.message or ""
    if attribute is None and (named := _ATTRIBUTE.match(message)):
        attribute = named.group(1).rpartition("}")[2]  # the entry's own path ends at the element
    path = element_path(node) + (f"/@{attribute}" if attribute else "")
    code, facet = _ENTRIES.get(entry.type_name, ("schema.xml", ""))
    if not entry.path:  # judged as text, since the document is large
        words = _WORDS.get(code, "does not fit the schema").format(expected="what the schema allows")
        return Finding(code, f"something in the document {words}", element_path(root))
    kind = None if code in _OF_CONTENT else _kind_at(node, attribute, schema)
    if code in _OF_CONTENT or kind is None:
        wanted = _WANTED.match(message)
        names = [name.rpartition("}")[2].strip() for name in wanted.group(1).split(", ")] if wanted else None
        subject = "the attribute" if attribute else "the element"
        words = _WORDS.get(code, "does not fit the schema").format(expected="what the schema allows")
        return Finding(code, f"{subject} {words}", path, expected=names)
    if code == "schema.type" and entry.type_name == "RELAXNG_ERR_DATATYPE" and kind.patterns:
        code, facet = "schema.pattern", "pattern"
    expected: Any = kind.says()
    if facet == "enumeration":
        expected = list(kind.enumeration)
    elif facet == "pattern":
        expected = " and ".join(kind.patterns)
    elif facet:
        expected = typed(kind.facets.get(facet, ""), kind if facet.endswith("clusive") else _WHOLE)
    text = node.attrib.get(_full(node, attribute), "") if attribute else node.text or ""
    return _broken(code, path, expected, text)


_ZONE: Final = r"(?:Z|[+-][01][0-9]:[0-5][0-9])?"
_DAY: Final = r"-?[0-9]{4,}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"(?:[01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_ANY: Final = re.compile(".*", re.DOTALL)
_LEXICAL: Final = {
    "date": re.compile(f"{_DAY}{_ZONE}"),
    "time": re.compile(f"{_CLOCK}{_ZONE}"),
    "dateTime": re.compile(f"{_DAY}T{_CLOCK}{_ZONE}"),
}
"""The forms of XML Schema part 2; that a month has so many days is left to libxml2."""

_WHOLE: Final = SimpleType("integer", "integer")


def _kind_at(node: Any, attribute: str | None, schema: SchemaShape) -> SimpleType | None:
    chain = [node, *node.iterancestors()][::-1]
    known = schema.roots.get(local_name(chain[0]))
    if known is None:
        return None
    shape = actual_shape(chain[0], known.shape, schema)
    for step in chain[1:]:
        shape = actual_shape(step, shape.children.get(child_key(step, shape), (FREE, False))[0], schema)
    if attribute:
        key = next(
            (key for key, full, _ in attributes_of(chain[-1], shape) if full == _full(node, attribute)), attribute
        )
        declared = shape.attributes.get(key)
        return declared.type if declared else None
    return shape.text


def _full(node: Any, name: str) -> str:
    return next((str(full) for full in node.attrib if etree.QName(full).localname == name), name)


def _resolved(root: Any, path: str) -> tuple[Any, str | None]:
    """The element of a libxml2 path (`/a/*[2]/x:b[3]/@c`) and its attribute; the nearest one that is there."""
    node = root
    for step in path.split("/")[2:]:
        if step.startswith("@"):
            return node, step[1:].rpartition(":")[2]
        name, _, rest = step.partition("[")
        index = int(rest[:-1]) if rest[:-1].isdecimal() else 1
        prefix, _, local = name.rpartition(":")
        same = [
            child
            for child in child_elements(node)
            if name == "*" or (local_name(child) == local and (child.prefix or "") == prefix)
        ]
        if index > len(same):
            break
        node = same[index - 1]
    return node, None
