"""How an XML contract is told to a model: the form of the document, with comments.

What was told once is told by its name from then on, so that the text stays in proportion to the schema: types, long
lists of values, parts that many elements share, and their attributes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from guards.reading.xml_shape import (
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

__all__ = ["outline", "skeleton", "tops"]

_TASK: Final = """Answer with one XML document and nothing else. Escape & as &amp; and < as &lt;.
It has this form (the comments explain it; leave them out):
"""
_LONG: Final = 60  # characters
_MANY_ELEMENTS: Final = 5
_MANY_ATTRIBUTES: Final = 4


def skeleton(schema: SchemaShape) -> str:
    """Short instructions and the form of the document, with types, occurrences and allowed values as comments."""
    writer = _Skeleton()
    lines = [_TASK]
    for number, root in enumerate(tops(schema)):
        if number:
            lines.append("or")
        lines += writer.element(root, 0, root.namespace, root=True)
    return "\n".join(lines)


def outline(use: Element) -> str:
    """The form of one element, as in the skeleton."""
    return "\n".join(_Skeleton().element(use, 0, use.namespace, root=True))


class _Skeleton:
    """Writes each element, and remembers what was told, by the name of the element where it was."""

    def __init__(self) -> None:
        self.shown: set[int] = set()
        self.words: dict[str, str] = {}
        self.groups: dict[Group, str] = {}
        self.attributes: dict[tuple[str, str | None, str], str] = {}

    def element(self, use: Element, level: int, space: str | None, *, root: bool = False) -> list[str]:
        indent, shape = "  " * level, use.shape
        occurs = "" if root else _occurs(use.least, use.most)
        attributes, known = self.attributes_of(use)
        if use.namespace and (root or use.namespace != space):
            attributes = f' xmlns="{use.namespace}"{attributes}'
        start = f"{indent}<{use.name}{attributes}>"
        notes = [note for note in (occurs, "may be xsi:nil" if use.nillable else "", known) if note]
        if shape.stand_ins:
            return self.stand_ins(use, level, space, start, notes)
        if shape.content is None or not shape.content.items:
            words = use.fixed or (
                self.told(_words(shape.text), use.name)
                if shape.text
                else "anything"
                if shape.free
                else "text"
                if shape.mixed
                else ""
            )
            inner = _comment(words) if words else ""
            return [f"{start}{inner}</{use.name}>{' ' + _comment(', '.join(notes)) if notes else ''}"]
        if shape.mixed:
            notes.append("text may stand between")
        tail = f" {_comment(', '.join(notes))}" if notes else ""
        if id(shape) in self.shown:
            return [f"{start}{_comment('as above')}</{use.name}>{tail}"]
        self.shown.add(id(shape))
        lines = [start + tail, *self.model(shape.content, level + 1, use.namespace or space, use.name)]
        return [*lines, f"{indent}</{use.name}>"]

    def attributes_of(self, use: Element) -> tuple[str, str]:
        """The attributes as they are written in the tag, and words for those that were told of another element."""
        fresh: list[str] = []
        known: dict[str, list[tuple[str, str]]] = {}
        for attribute in use.shape.attributes.values():
            name = f"{'xml:' * (attribute.namespace == XML)}{attribute.name}"
            words = attribute.fixed or self.told(_words(attribute.type), f"@{name}")
            words = (words if attribute.required else f"{words} (optional)").replace('"', "'").replace("<", "&lt;")
            written = f' {name}="{words}"'
            first = self.attributes.setdefault((attribute.name, attribute.namespace, _mark(attribute)), use.name)
            if first == use.name or attribute.required:
                fresh.append(written)
            else:
                known.setdefault(first, []).append((name, written))
        notes: list[str] = []
        for first, told in known.items():
            if len(told) < _MANY_ATTRIBUTES:
                fresh += [written for _, written in told]
            else:
                notes.append(f"with {' '.join(name for name, _ in told)} as of {first}")
        return "".join(fresh), ", ".join(notes)

    def told(self, words: str, name: str) -> str:
        """The words for a type; where they are long and were told before, the name of where that was."""
        first = self.words.setdefault(words, name)
        return words if len(words) <= _LONG or first == name else f"as {first} above"

    def stand_ins(self, use: Element, level: int, space: str | None, start: str, notes: list[str]) -> list[str]:
        """An element of an abstract type: the forms of those that an `xsi:type` may name."""
        indent = "  " * level
        if id(use.shape) in self.shown:
            words = ", ".join([*notes, "with xsi:type, as above"])
            return [f"{start}{_comment(words)}</{use.name}>"]
        self.shown.add(id(use.shape))
        names = " | ".join(use.shape.stand_ins)
        notes = [*notes, f"with xsi:type (xmlns:xsi={XSI}), one of: {names}"]
        lines = [f"{start} {_comment(', '.join(notes))}"]
        for name, (shape, _) in use.shape.stand_ins.items():
            form = self.element(replace(use, shape=shape), level, use.namespace or space, root=True)
            lines += [f"{indent}  {_comment(f'of type {name}:')}", *form[1:-1]] if len(form) > 2 else []
        return [*lines, f"{indent}</{use.name}>"]

    def model(self, part: Element | Group | Wildcard, level: int, space: str | None, name: str) -> list[str]:
        """A part of the content of the element of that name."""
        indent = "  " * level
        if isinstance(part, Element):
            return self.element(part, level, space)
        occurs = _occurs(part.least, part.most)
        if isinstance(part, Wildcard):
            return [indent + _comment(f"any element{', ' + occurs if occurs else ''}")]
        several = len(part.items) > 1
        if several and len(part.items) > _MANY_ELEMENTS:
            first = self.groups.setdefault(replace(part, least=1, most=1), name)
            if first != name:
                return [indent + _comment(f"what may stand in {first} above{', ' + occurs if occurs else ''}")]
        lines: list[str] = []
        if part.kind == "choice" and several:
            lines.append(indent + _comment(f"one of{', ' + occurs if occurs else ''}:"))
        elif (part.kind == "all" and several) or occurs:
            lines.append(
                indent + _comment(", ".join(n for n in ("in any order" if part.kind == "all" else "", occurs) if n))
            )
        for number, item in enumerate(part.items):
            if number and part.kind == "choice":
                lines.append(indent + _comment("or"))
            lines += self.model(item, level, space, name)
        if lines and several and (part.kind == "choice" or occurs):
            lines.append(indent + _comment("end of this part"))
        return lines


def _mark(attribute: Attribute) -> str:
    return f"{attribute.fixed} {_words(attribute.type)}"


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
        return "one of: " + " | ".join(kind.enumeration) if any(kind.enumeration) else "nothing"
    if kind.variety == "union":
        return " or ".join(dict.fromkeys(_words(member) for member in kind.members))
    parts = [kind.says()]
    parts += [words.format(kind.facets[name]) for name, words in _FACETS.items() if name in kind.facets]
    parts += [f"pattern {pattern}" for pattern in kind.patterns]
    return ", ".join(parts)


def _comment(words: str) -> str:
    return f"<!-- {words.replace('--', '- -')} -->"


def tops(schema: SchemaShape) -> list[Element]:
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
