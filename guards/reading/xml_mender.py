"""A tolerant reader of XML: tags that are not closed, closed by the wrong name, or are no tags at all.

It gives a forest of `Node`s and settles no names and no types: that is for `xml_fitting`. Where the text alone does not
say where an element ends, or whether a `<` is markup, the schema's shape does. No entity but those of XML and HTML is
known, and nothing is ever opened.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from html.entities import html5
from typing import Any, Final

from guards.contracts.xml_shape import SchemaShape, Shape
from guards.findings import Finding
from guards.reading.spelling import folded
from guards.reading.xml_prolog import Unreadable, doctype_end
from guards.records import Repair

__all__ = ["Names", "Node", "is_leaf", "mend_xml"]


@dataclass(slots=True, eq=False)
class Node:
    """An element as it was written: its local name, what it holds, and the shape that the schema gives it, if any.

    `cut` says that the end of the text cut it off before its own end.
    """

    name: str
    shape: Shape | None = None
    prefix: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)
    parts: list[Node | str] = field(default_factory=list)
    cut: bool = False

    @property
    def nodes(self) -> list[Node]:
        return [part for part in self.parts if isinstance(part, Node)]

    @property
    def text(self) -> str:
        """What stands directly inside."""
        return "".join(part for part in self.parts if isinstance(part, str))


class Names:
    """The names of a schema, folded: which elements there are, which may be the root, and which stand in which."""

    def __init__(self, schema: SchemaShape) -> None:
        self.schema = schema

    @cached_property
    def roots(self) -> dict[str, Shape]:
        return {folded(name): element.shape for name, element in self.schema.roots.items()}

    @cached_property
    def everywhere(self) -> frozenset[str]:
        """Every element name of the schema."""
        names = set(self.roots)
        waiting = list(self.roots.values())
        seen: set[int] = set()
        while waiting:
            shape = waiting.pop()
            if id(shape) not in seen:
                seen.add(id(shape))
                for name, (inner, _) in shape.children.items():
                    names.add(folded(name))
                    waiting.append(inner)
        return frozenset(names)

    def child(self, shape: Shape | None, name: str) -> Shape | None:
        """The shape of the child of that folded name; None where there is none."""
        if shape is None:
            return None
        known = self._children.get(id(shape))
        if known is None:
            known = self._children[id(shape)] = {folded(n): inner for n, (inner, _) in shape.children.items()}
        return known.get(name)

    @cached_property
    def _children(self) -> dict[int, dict[str, Shape]]:
        return {}

    def root_with(self, name: str) -> Shape | None:
        """The shape of the only root that has such a child."""
        found = [shape for shape in self.roots.values() if self.child(shape, name) is not None]
        return found[0] if len(found) == 1 else None


def mend_xml(text: str, names: Names, depth: int) -> tuple[Node, list[Repair]]:
    """What the text holds, in a node without a name. Raises `Unreadable` for what is refused or nested too deeply."""
    mender = _Mender(text, names, depth)
    mender.read()
    return mender.top, mender.repairs


_NAME: Final = r"[^\W\d][\w.\-]*+"
_MARK: Final = re.compile(rf"<!--|<!\s*\[\s*CDATA\s*\[|<!DOCTYPE\b|<\?|</|<(?={_NAME})", re.IGNORECASE)
_CLOSING: Final = re.compile(rf"</\s*(?:(?:({_NAME}):)?({_NAME}))?\s*(?:>|(?=<)|\Z)")
_OPENING: Final = re.compile(rf"<(?:({_NAME}):)?({_NAME})")
_CLOSERS: Final = re.compile(rf"</\s*(?:{_NAME}:)?({_NAME})")
_OPENERS: Final = re.compile(rf"<(?:{_NAME}:)?({_NAME})")
_IN_TAG: Final = re.compile(r"\s*(?:(/?>)|(<)|([^\s=<>/\"'“”]+)\s*(=)?|(.))", re.DOTALL)
_VALUE: Final = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|[“”]([^“”]*)[“”]|([^\s<>\"']+(?<!/)))")
_CDATA_END: Final = re.compile(r"\]\]\s*(?:>|&gt;)")
_ENTITY: Final = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]*));|&")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_XINCLUDE: Final = "http://www.w3.org/2001/XInclude"
_LAYOUT: Final = re.compile(r"[ \t]*\n\s*\Z")
_MOST_NOTES: Final = 100
_BROKEN: Final = frozenset({"xml.tag", "xml.unclosed"})
_MOST_BROKEN: Final = 2000
_LONGEST_TAG: Final = 100_000


class _Mender:
    def __init__(self, text: str, names: Names, depth: int) -> None:
        self.text = text
        self.names = names
        self.top = Node("")
        self.repairs: list[Repair] = []
        self._stack = [self.top]
        self._depth = depth
        self._at = 0
        self._counts: dict[str, int] = {}

    def note(self, code: str, message: str, before: Any = None, after: Any = None) -> None:
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if code in _BROKEN and count > _MOST_BROKEN:
            raise Unreadable(Finding("limit.repairs", "too many tags are broken to tell what was meant"))
        if count <= _MOST_NOTES:
            path = "".join(f"/{node.name}" for node in self._stack[1:])
            self.repairs.append(Repair(code, message, path, before, after))

    def read(self) -> None:
        while (found := _MARK.search(self.text, self._at)) is not None:
            self._add(self.text[self._at : found.start()])
            self._at = found.start()
            mark = found[0].upper()
            if mark == "<":
                self._opening()
            elif mark == "</":
                self._closing()
            elif mark == "<!DOCTYPE":
                end = doctype_end(self.text, self._at)
                self._at = end if end > 0 else len(self.text)
            elif "CDATA" in mark:
                self._cdata(found)
            else:
                closer = "-->" if mark == "<!--" else "?>"
                end = self.text.find(closer, self._at)
                self._at = end + len(closer) if end >= 0 else len(self.text)
        self._add(self.text[self._at :])
        self._end()

    # Text.

    def _add(self, text: str, *, raw: bool = False) -> None:
        if not text:
            return
        plain = text if raw else self._decoded(text)
        parts = self._stack[-1].parts
        if parts and isinstance(parts[-1], str):
            parts[-1] += plain
        else:
            parts.append(plain)

    def _decoded(self, text: str) -> str:
        if "&" in text:
            text = _ENTITY.sub(self._meant, text)
        return self.clean(text)

    def clean(self, text: str) -> str:
        """The text without the characters that no XML document can hold."""
        if _ILLEGAL.search(text):
            self.note("xml.control", "characters that XML cannot hold were left out")
            text = _ILLEGAL.sub("", text)
        return text

    def _meant(self, found: re.Match[str]) -> str:
        decimal, hexadecimal, name = found.groups()
        if decimal or hexadecimal:
            number = int(decimal) if decimal else int(hexadecimal, 16)
            return chr(number) if number <= 0x10FFFF else found[0]
        if name in _XML:
            return _XML[name]
        if name and f"{name};" in html5:
            self.note("xml.entity", "an entity of HTML", before=found[0], after=html5[f"{name};"])
            return html5[f"{name};"]
        if len(self._stack) > 1:
            self.note("xml.ampersand", "a bare & was taken as text", before=found[0])
        return found[0]

    def _cdata(self, found: re.Match[str]) -> None:
        end = _CDATA_END.search(self.text, found.end())
        if found[0] != "<![CDATA[" or end is None or end[0] != "]]>":
            self.note("xml.cdata", "a CDATA section was not written as one", before=found[0])
        stop = end.start() if end else self._next_closer(found.end())
        self._add(self.clean(self.text[found.end() : stop]), raw=True)
        self._at = end.end() if end else stop

    def _next_closer(self, at: int) -> int:
        """Where the element that is open now is closed."""
        places = self._closers[folded(self._stack[-1].name)]
        index = bisect_left(places, at)
        return places[index] if index < len(places) else len(self.text)

    # Tags.

    def _opening(self) -> None:
        found = _OPENING.match(self.text, self._at)
        assert found is not None
        prefix, name = found[1] or "", found[2]
        plain = folded(name)
        if not self._is_tag(plain):
            self._literal(found.end())
            return
        tag = self._attributes(found.end())
        if tag is None:
            self._literal(found.end())
            return
        attributes, end, empty = tag
        self._refuse_inclusion(prefix, name, attributes)
        if end > len(self.text):
            self.note("xml.truncated", "a tag that the end of the answer cut off was left out", before=name)
            self._stack[-1].cut = True
            self._at = len(self.text)
            return
        self._place(plain)
        parent = self._stack[-1]
        node = Node(name, self._shape(parent, plain), prefix, attributes)
        parent.parts.append(node)
        self._at = end
        if not empty:
            self._stack.append(node)
            if len(self._stack) > self._depth + 1:
                raise Unreadable(
                    Finding(
                        "limit.depth", f"the document is nested deeper than {self._depth} levels", expected=self._depth
                    )
                )

    def _literal(self, end: int) -> None:
        if len(self._stack) > 1:
            self.note("xml.less_than", "a bare < was taken as text", before=self.text[self._at : end])
        self._add(self.text[self._at : end])
        self._at = end

    def _is_tag(self, name: str) -> bool:
        """Whether a `<` with this name behind it is markup here."""
        node = self._stack[-1]
        shape = node.shape
        if shape is None or shape.free or not (is_leaf(shape) or shape.mixed):
            return True
        if name == folded(node.name):
            return True
        if name not in self.names.everywhere:
            return shape.mixed and self._closes_before_end(name, node)
        return shape.mixed or not self._closed_later(node) or self._closes_before_end(name, node)

    def _closed_later(self, node: Node) -> bool:
        """Whether the element is closed further on, before another one of its name is opened."""
        return self._closed_again(folded(node.name))

    def _closed_again(self, name: str) -> bool:
        """Whether an element of this name is closed once more, without being opened before."""
        return _first(self._closers[name], self._at) < _first(self._openers[name], self._at)

    def _closes_before_end(self, name: str, node: Node) -> bool:
        """Whether an element of this name would be closed inside of the open one."""
        return _first(self._closers[name], self._at) < _first(self._closers[folded(node.name)], self._at)

    def _place(self, name: str) -> None:
        """Close what was left open, so that an element of this name stands where it belongs."""
        node = self._stack[-1]
        if len(self._stack) < 2 or node.shape is None or node.shape.free:
            return
        if self.names.child(node.shape, name) is not None:
            return
        if is_leaf(node.shape) and self._closed_later(node):
            return
        for index in range(len(self._stack) - 2, 0, -1):
            outer = self._stack[index]
            if self.names.child(outer.shape, name) is not None and not self._closed_later(node):
                self._close_to(index)
                return
        if is_leaf(node.shape):
            self._close_to(len(self._stack) - 2)

    def _close_to(self, index: int) -> None:
        """Close all elements above that place of the stack."""
        for node in self._stack[index + 1 :]:
            self.note("xml.unclosed", "an element was never closed", before=node.name)
            if is_leaf(node.shape) and node.parts and isinstance(node.parts[-1], str):
                # The line break and the indent before the next tag are layout.
                node.parts[-1] = _LAYOUT.sub("", node.parts[-1])
        del self._stack[index + 1 :]

    def _shape(self, parent: Node, name: str) -> Shape | None:
        if parent.shape is None:
            root = self.names.roots.get(name)
            if root is not None:
                return root
            # Inside of a root with another name, or of none at all.
            around = self.names.root_with(name)
            if around is None:
                return None
            parent.shape = around if parent is not self.top else None
            return self.names.child(around, name)
        return self.names.child(parent.shape, name)

    def _closing(self) -> None:
        found = _CLOSING.match(self.text, self._at)
        if found is None:
            self._literal(self._at + 2)
            return
        name = folded(found[2]) if found[2] else ""
        open_names = [folded(node.name) for node in self._stack]
        node = self._stack[-1]
        if name and name not in self.names.everywhere and is_leaf(node.shape) and self._closed_later(node):
            self._literal(found.end())
            return
        self._at = found.end()
        if node is self.top:
            return  # of something that the answer's prose opened
        if name in open_names[1:-1] and self._closed_again(name):
            self.note("xml.tag", "an element was closed by another name", before=found[0], after=node.name)
            self._stack.pop()
        elif name == open_names[-1]:
            if found[2] != node.name or not found[0].endswith(">"):
                self.note("xml.tag", "a closing tag was not written as one", before=found[0])
            self._stack.pop()
        elif name in open_names[1:]:
            self._close_to(len(open_names) - 1 - open_names[::-1].index(name))
            self._stack.pop()
        elif not name or name not in self.names.everywhere or is_leaf(node.shape):
            self.note("xml.tag", "an element was closed by another name", before=found[0], after=node.name)
            self._stack.pop()
        else:
            self.note("xml.tag", "a closing tag that closes nothing was left out", before=found[0])

    def _attributes(self, at: int) -> tuple[list[tuple[str, str]], int, bool] | None:
        """The attributes of a tag, where it ends (past the end of the text: it is cut off), whether it is empty.

        None where this is no tag.
        """
        text, attributes = self.text, list[tuple[str, str]]()
        start = at
        while at - start < _LONGEST_TAG:
            found = _IN_TAG.match(text, at)
            if found is None:
                return attributes, len(text) + 1, False
            end, opener, name, equals, _ = found.groups()
            if end:
                return attributes, found.end(), end == "/>"
            if opener:
                if attributes or text[start : found.start(2)].strip():
                    return None
                self.note("xml.tag", "a tag was not ended by >")
                return attributes, found.start(2), False
            at = found.end()
            if not name:
                continue
            if not equals:
                attributes.append((name, ""))
                continue
            value = _VALUE.match(text, at)
            if value is None:
                if not text[at:].strip() or text[at:].lstrip()[:1] in "\"'“":
                    return attributes, len(text) + 1, False
                continue
            at = value.end()
            attributes.append((name, self._value(value)))
            if value[4] is not None or value[3] is not None:
                self.note("xml.attribute_quotes", "the value of an attribute had no quotes", before=name)
        return None

    def _value(self, found: re.Match[str]) -> str:
        written = next(part for part in found.groups() if part is not None)
        if "<" in written:
            self.note("xml.less_than", "a bare < was taken as text", before=written[:80])
        return self._decoded(written)

    def _refuse_inclusion(self, prefix: str, name: str, attributes: list[tuple[str, str]]) -> None:
        if any(value.strip() == _XINCLUDE for _, value in attributes) or (prefix == "xi" and name == "include"):
            raise Unreadable(Finding("xml.xinclude", "XInclude is not accepted: write the content itself"))

    def _end(self) -> None:
        """The end of the text: what is open was cut off, or only its closing tags were forgotten."""
        for node in self._stack[1:]:
            if is_leaf(node.shape) and node is self._stack[-1]:
                node.cut = True
                self.note("xml.truncated", "the answer ends inside of an element", before=node.name)
            elif node is self._stack[1]:
                self.note("xml.unclosed", "an element was never closed", before=node.name)

    @cached_property
    def _closers(self) -> dict[str, list[int]]:
        return _places(_CLOSERS, self.text)

    @cached_property
    def _openers(self) -> dict[str, list[int]]:
        return _places(_OPENERS, self.text)


def _places(pattern: re.Pattern[str], text: str) -> dict[str, list[int]]:
    """Where each name stands, folded."""
    places: dict[str, list[int]] = defaultdict(list)
    for found in pattern.finditer(text):
        places[folded(found[1])].append(found.start())
    return places


def _first(places: list[int], at: int) -> int:
    """The first place from this one on; past any text where there is none."""
    index = bisect_left(places, at)
    return places[index] if index < len(places) else 1 << 60


def is_leaf(shape: Shape | None) -> bool:
    """Whether an element of this shape holds text and no elements."""
    return shape is not None and (shape.simple or (shape.text is not None and not shape.children and not shape.mixed))
