"""A tolerant reader of XML: tags that are not closed, closed by the wrong name, or are no tags at all.

It gives a forest of `Node`s and settles no names and no types: that is for `xml_fitting`. Where the text alone does not
say where an element ends, or whether a `<` is markup, the schema's shape does. No entity but those of XML and HTML is
known, and nothing is ever opened.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from functools import cached_property
from html.entities import html5
from itertools import pairwise
from typing import Any, Final, NoReturn

from guards.findings import Finding
from guards.reading.spelling import folded
from guards.reading.xml_names import Names, is_leaf, may_repeat, names_item
from guards.reading.xml_node import BLANK, Node
from guards.reading.xml_prolog import Unreadable, doctype_end, doctype_fault
from guards.reading.xml_shape import Shape, SimpleType, children_of
from guards.records import Repair

__all__ = ["mend_xml"]


def mend_xml(text: str, names: Names, depth: int) -> tuple[Node, list[Repair]]:
    """What the text holds, in a node without a name. Raises `Unreadable` for what is refused or nested too deeply."""
    mender = _Mender(text, names, depth)
    mender.read()
    return mender.top, mender.repairs


_S: Final = r"[ \t\n]"
_NAME: Final = r"[^\W\d][\w.\-]*+"
_MARK: Final = re.compile(
    rf"<!--|<!\s*\[\s*CDATA\s*\[|<\[CDATA\[|<!CDATA\[{{1,2}}|\[CDATA\[|<!DOCTYPE\b|<\?|<\s*\\?/|<(?=\s*{_NAME})",
    re.IGNORECASE,
)
_CLOSING: Final = re.compile(rf"<\s*\\?/\s*(?:(?:({_NAME}):)?({_NAME}))?\s*(?:>|(?=<)|\Z)")
# A name with blanks in it, in a tag without attributes.
_SPACED: Final = re.compile(rf"<(\s*)(?:({_NAME}):)?({_NAME}(?:[ \t]++{_NAME})++)(?=\s*>)")
_CLOSING_SPACED: Final = re.compile(rf"<\s*/\s*(?:({_NAME}):)?({_NAME}(?:[ \t]++{_NAME})++)\s*>")
# A closing tag with what none has: attributes, or the mark of an empty element.
_CLOSING_FILLED: Final = re.compile(rf"<\s*/\s*(?:({_NAME}):)?({_NAME})(?:\s[^<>]*|\s*/\s*)>")
_OPENING: Final = re.compile(rf"<(\s*)(?:({_NAME}):)?({_NAME})")
_TAG: Final = re.compile(
    rf"<{_NAME}(?::{_NAME})?(?:{_S}++{_NAME}(?::{_NAME})?{_S}*={_S}*(?:\"[^<\"]*\"|'[^<']*'))*+{_S}*/?>"
)
_EMPTY: Final = re.compile(r"<[^<>]*/>")
_BARE: Final = re.compile(r"\s*/?>")
# Nothing but blanks up to the next tag, or the end.
_BEHIND: Final = re.compile(rf"\s*+(?:</(?:{_NAME}:)?({_NAME})|<(?:{_NAME}:)?({_NAME})|\Z)")
_WHOLE: Final = re.compile(rf"<(?:{_NAME}:)?{_NAME}[^<>]*+>")
_MORE: Final = re.compile(r"<[^<>]*+>[ \t]*+[^\s<]")
_WORDS: Final = re.compile(r"\s*+[^\s<]")
_COMMENT: Final = re.compile(r"<!--(?:(?!--).)*+-->", re.DOTALL)
_CLOSERS: Final = re.compile(rf"<\\?/\s*(?:{_NAME}:)?({_NAME}(?:[ \t]++{_NAME})*+(?=\s*>)|{_NAME})")
_OPENERS: Final = re.compile(rf"<(?:{_NAME}:)?({_NAME})")
_IN_TAG: Final = re.compile(r"\s*(?:(/?>)|(<)|([^\s=<>/\"'“”]+)\s*(=)?|(.))", re.DOTALL)
_VALUE: Final = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|[“”]([^“”]*)[“”]|([^\s<>\"']+(?<!/)))")
_QUOTE: Final = re.compile(r"\s*[\"'“”]")
_TO_END: Final = re.compile(r"[^<>\"'“”]*+(?=>)")
_FOLLOWS: Final = re.compile(rf"(?<!\s)\s++{_NAME}(?::{_NAME})?\s*+=\s*+\Z")
_BEHIND_VALUE: Final = re.compile(r"[\s/>?<]|\Z|[\"'“”]\s*+/?>")
_NAMED: Final = re.compile(rf"{_NAME}(?::{_NAME})?\s*+=")
_INSTRUCTION: Final = re.compile(rf"<\?(?!xml[\s?]){_NAME}(?:\s.*)?\?>", re.DOTALL | re.IGNORECASE)
_CDATA: Final = re.compile(r"<!\s*\[\s*CDATA\s*\[", re.IGNORECASE)
_CDATA_END: Final = re.compile(r"\]\]\s*(?:>|&gt;)")
_HALF_CDATA_END: Final = re.compile(r"\](?:[ \t]?\])?[ \t]?>?\Z")
_BREAK: Final = re.compile("[\t\n]")
_ENTITY: Final = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]*));|&")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_XML_SPACE: Final = {"xml": "http://www.w3.org/XML/1998/namespace"}
_FARTHEST: Final = 1000  # of parts that are looked through
_XINCLUDE: Final = "http://www.w3.org/2001/XInclude"
# Of an entity, a tag, a comment, a CDATA section: what the end of an answer may leave of it.
_HALF_MARK: Final = re.compile(r"(?:&#?\w*+|<(?:!(?:-|\[?\w*+)|\\)?)\Z")
_HALF_TAG: Final = re.compile(rf"(?:<?\s?[\\/]+\s?({_NAME})\s?>|[\[(]/({_NAME})[\])])\s*\Z")
_LONGEST_NAME: Final = 300
_LAYOUT: Final = re.compile(r"[ \t]*\n\s*\Z")
_MOST_NOTES: Final = 100
_BROKEN: Final = frozenset({"xml.tag", "xml.unclosed"})
_MOST_BROKEN: Final = 2000
_LONGEST_TAG: Final = 100_000


class _Mender:
    def __init__(self, text: str, names: Names, depth: int) -> None:
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")  # as XML reads line ends
        self.names = names
        self.top = Node("", spaces=_XML_SPACE)
        self.repairs: list[Repair] = []
        self._stack = [self.top]
        self._depth = depth
        self._at = 0
        self._counts: dict[str, int] = {}
        self._noted = 0
        self._in_tag = False
        self._words: list[str] = []
        self._absent: set[str] = set()

    def note(self, code: str, message: str, before: Any = None, after: Any = None) -> None:
        self._noted += 1
        count = self._counts[code] = self._counts.get(code, 0) + 1
        if code in _BROKEN and count > _MOST_BROKEN:
            raise Unreadable(Finding("limit.repairs", "too many tags are broken to tell what was meant"))
        if count <= _MOST_NOTES:
            path = "".join(f"/{node.name}" for node in self._stack[1:])
            self.repairs.append(Repair(code, message, path, before, after))

    def refuse(self, code: str, message: str) -> NoReturn:
        path = "".join(f"/{node.name}" for node in self._stack[1:])
        raise Unreadable(Finding(code, message, path))

    def read(self) -> None:
        while (found := _MARK.search(self.text, self._at)) is not None:
            self._add(self.text[self._at : found.start()])
            self._at = found.start()
            mark = found[0].upper()
            if mark == "<":
                self._opening()
            elif mark.endswith("/"):
                self._closing()
            elif mark == "<!DOCTYPE":
                self._doctype()
            elif "CDATA" in mark:
                self._cdata(found)
            elif mark == "<!--":
                self._passed_over("-->", "xml.comment", "a comment that was not written as one was left out", _COMMENT)
            else:
                words = "an XML declaration that stood elsewhere, or was not written as one, was left out"
                self._passed_over("?>", "xml.declaration", words, _INSTRUCTION)
        rest = self.text[self._at :]
        if len(self._stack) > 1 and (half := _HALF_MARK.search(rest, max(0, len(rest) - _LONGEST_NAME))) is not None:
            self.note("xml.truncated", "half a mark at the end of the answer was left out", before=half[0])
            rest = rest[: half.start()]
        self._add(rest)
        self._end()

    def _doctype(self) -> None:
        node = self._stack[-1]
        end = -1 if is_leaf(node.shape) and "<!" in self._absent else doctype_end(self.text, self._at)
        if is_leaf(node.shape) and not 0 <= end <= self._next_closer(self._at):
            self._absent.add("<!")  # in a text it need not be understood, and one look is enough
            self._literal(self._at + 2)
            return
        if end >= 0 and (fault := doctype_fault(self.text[self._at : end])) is not None:
            raise Unreadable(fault)
        if is_leaf(node.shape):
            words = "a document type declaration that stood elsewhere was left out"
            self._settle_markup(node, self.text[self._at : end], "xml.declaration", words)
            self._at = end
            return
        if end < 0:
            self.refuse("xml.syntax", "not well-formed XML: the document type is never closed")
        if len(self._stack) > 1 or self.top.parts or "".join(self._words).strip(BLANK):
            words = "a document type declaration that stood elsewhere was left out"
            self.note("xml.declaration", words, before=self.text[self._at : end])
        self._at = end

    def _passed_over(self, closer: str, code: str, message: str, well_formed: re.Pattern[str]) -> None:
        """A comment or processing instruction, which no document holds as data."""
        end = -1 if closer in self._absent else self.text.find(closer, self._at)
        if end < 0:
            self._absent.add(closer)  # one look to the end of the text is enough
            if len(self._stack) == 1:
                self._literal(self._at + 2)
                return
            rest = self.text[self._at :]
            if "<" in rest[2:]:
                # It may hold the rest of the document.
                self.refuse("xml.truncated", f"what begins with {rest[:4].strip()} is never closed by {closer}")
            self.note("xml.truncated", "a comment that the end of the answer cut off was left out", before=rest)
            self._at = len(self.text)
            return
        whole = self.text[self._at : end + len(closer)]
        node = self._stack[-1]
        if is_leaf(node.shape) and (closer == "?>" or self._holds_markup(node)):
            self._settle_markup(node, whole, code, message)
            self._at = end + len(closer)
            return
        if not well_formed.fullmatch(whole):
            self.note(code, message, before=whole)
        self._at = end + len(closer)

    def _settle_markup(self, node: Node, whole: str, code: str, message: str) -> None:
        """A comment or instruction in an element without elements: a part of its text, unless that is a number."""
        assert node.shape is not None
        if (node.shape.text or SimpleType()).kind != "text":
            self.note(code, message, before=whole)
            return
        self.note("xml.less_than", "markup inside of a text was taken as text", before=whole)
        self._add(self.clean(whole), raw=True)

    def _holds_markup(self, node: Node) -> bool:
        """Whether other markup stands in the text of the open element that no part of the schema has."""
        end = _first(self._closers[self.names.key(node.name)], self._at)
        return bool(node.nodes) or _first(self._strange_openers, self._at) < end

    # Text.

    def _add(self, text: str, *, raw: bool = False, literal: bool = False) -> None:
        if not text:
            return
        plain = text if raw else self._decoded(text)
        if not raw and len(self._stack) > 1:
            if "]]>" in text:
                self.note("xml.cdata", "the end of a CDATA section that none begins was taken as text")
            if "<" in text and not literal:
                self.note("xml.less_than", "a bare < was taken as text", before="<")
        self._words.append(plain)

    def _settle(self) -> None:
        """Gives the words that were read to the element that is open now. Pieces are joined once: there may be many."""
        if self._words:
            node, words = self._stack[-1], "".join(self._words)
            parts = node.parts
            node.words = node.words or bool(words.strip(BLANK))
            self._words.clear()
            if parts and isinstance(parts[-1], str):
                parts[-1] += words
            else:
                parts.append(words)

    @property
    def _inside(self) -> bool:
        """Whether this is a part of an element, and not of what surrounds the document."""
        return len(self._stack) > 1 or self._in_tag

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
            if number <= 0x10FFFF:
                return chr(number)
            name = ""
        if name in _XML:
            return _XML[name]
        if name and f"{name};" in html5:
            self.note("xml.entity", "an entity of HTML", before=found[0], after=html5[f"{name};"])
            return html5[f"{name};"]
        if self._inside:
            self.note("xml.ampersand", "a bare & was taken as text", before=found[0])
        return found[0]

    def _cdata(self, found: re.Match[str]) -> None:
        if not _CDATA.match(found[0]) and not self._opens_cdata(found):
            self._add(found[0])
            self._at = found.end()
            return
        place = bisect_left(self._cdata_ends, found.end(), key=_start)
        end = self._cdata_ends[place] if place < len(self._cdata_ends) else None
        if end is not None and self._ends_another(found, end):
            end = None
        if found[0] != "<![CDATA[" or end is None or end[0] != "]]>":
            self.note("xml.cdata", "a CDATA section was not written as one", before=found[0])
        if end is None:
            stop = self._next_closer(found.end())
            self._add(self.clean(self._without_half_end(self.text[found.end() : stop])), raw=True)
            self._at = stop
            return
        after = self.text[end.end() : self.text.find("<", end.end())]
        if "]]>" in after and "<![CDATA[" in self.text[found.end() : end.start()]:
            self.refuse("xml.ambiguous", "a CDATA section stands in another: which of the ends closes is not clear")
        self._add(self.clean(self.text[found.end() : end.start()]), raw=True)
        self._at = end.end()

    def _opens_cdata(self, found: re.Match[str]) -> bool:
        """Whether the half of a mark begins a CDATA section: a text begins with it, and its end follows."""
        node, stop = self._stack[-1], self._next_closer(found.end())
        if not is_leaf(node.shape):
            return False
        if not self._has_words(node):
            return self.text.find("]", found.end(), stop) >= 0
        place = bisect_left(self._cdata_ends, found.end(), key=_start)
        if place < len(self._cdata_ends) and self._cdata_ends[place].start() < stop:
            self.refuse("xml.ambiguous", f"{found[0]} begins a CDATA section, or is a part of the text")
        return False

    @cached_property
    def _cdata_ends(self) -> list[re.Match[str]]:
        return list(_CDATA_END.finditer(self.text))

    def _ends_another(self, found: re.Match[str], end: re.Match[str]) -> bool:
        """Whether a CDATA section that begins here never ends, and the end found is that of one in another element."""
        closer = self._next_closer(found.end())
        if closer >= end.start() or self.text.find("<![CDATA[", closer, end.start()) < 0:
            return False
        behind = _CLOSING.search(self.text, end.end())
        if behind is None or not behind[2] or self.names.key(behind[2]) == self.names.key(self._stack[-1].name):
            self.refuse("xml.ambiguous", "a CDATA section is never ended, or holds tags and another one")
        return True

    def _without_half_end(self, data: str) -> str:
        """The data of a CDATA section that is never ended, without what is left of its end."""
        half = _HALF_CDATA_END.search(data)
        if half is None:
            return data
        bare = data[: half.start()]
        if bare.count("[") <= bare.count("]"):
            return bare
        if ">" in half[0] or data.count("[") != data.count("]"):
            self.refuse("xml.ambiguous", f"a CDATA section is never ended: {half[0]} ends it, or is a part of it")
        return data  # brackets of its own

    def _next_closer(self, at: int) -> int:
        """Where the element that is open now is closed."""
        places = self._closers[self.names.key(self._stack[-1].name)]
        index = bisect_left(places, at)
        return places[index] if index < len(places) else len(self.text)

    # Tags.

    def _opening(self) -> None:
        found = _OPENING.match(self.text, self._at)
        assert found is not None
        spaced = _SPACED.match(self.text, self._at)
        if spaced is not None and self._is_known(spaced[3]):
            found = spaced
        blanks, prefix, name = found[1], found[2] or "", found[3]
        if blanks and not (self.names.knows(name) and _BARE.match(self.text, found.end())):
            self._literal(self._at + 1)
            return
        if not self._is_tag(name):
            self._literal(found.end())
            return
        noted, repairs = self._noted, len(self.repairs)
        self._in_tag = True
        try:
            tag = self._attributes(found.end())
        except Unreadable:
            if self.names.knows(name) or not is_leaf(self._stack[-1].shape):
                raise
            tag = None  # in a text it need not be understood
        self._in_tag = False
        if tag is None:
            del self.repairs[repairs:]  # of what is no tag after all
            self._literal(found.end())
            return
        attributes, end, empty = tag
        self._settle()
        self._refuse_inclusion(prefix, name, attributes)
        if end > len(self.text):
            self.note("xml.truncated", "a tag that the end of the answer cut off was left out", before=name)
            self._stack[-1].cut = True
            self._at = len(self.text)
            return
        written = self.text[self._at : end]
        if self._opens_again(name, attributes, written):
            self._at = end
            return
        if noted == self._noted and not _TAG.fullmatch(written) and found is not spaced:
            self.note("xml.tag", "a tag was not written as one", before=written[:80])
        spaces = self._stack[-1].spaces
        own = self._declared(attributes)
        node = Node(name, None, prefix, attributes, spaces={**spaces, **own} if own else spaces)
        node.tags, node.at = (written, ""), self._at
        foreign = self.names.foreign(node, next((outer for outer in self._stack if outer.shape is not None), None))
        if not foreign:
            self._place(name)
        parent, plain = self._stack[-1], folded(name)
        node.shape = self.names.child(parent.shape, plain, node.space or "") if foreign else self._shape(parent, plain)
        node.shape = self.names.chosen(node) or node.shape
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

    def _opens_again(self, name: str, attributes: list[tuple[str, str]], tag: str) -> bool:
        """Whether an opening tag of the open element's name opens nothing: it stands there twice, or is the closing tag
        without its mark. Were it taken for the next element, that would be an empty one that nobody wrote."""
        node = self._stack[-1]
        shape, key = node.shape, self.names.key(name)
        if key != self.names.key(node.name) or node.at in self._closed or shape is None or shape.free or shape.mixed:
            return False
        if self.names.child(shape, folded(name)) is not None:
            return False
        doubt = f"{tag} begins another element, or stands there in the place of </{name}>"
        behind = _BEHIND.match(self.text, self._at + len(tag))
        closes, opens = (self.names.key(found) if found else "" for found in (behind.groups() if behind else ("", "")))
        if not node.words and not node.nodes:
            if tag.endswith("/>") or (attributes and node.attributes) or closes == key:
                self.refuse("xml.ambiguous", doubt)
            self.note("xml.tag", "an opening tag that stood twice was left out", before=tag)
            node.attributes += attributes
            node.parts.clear()
            return True
        if behind is None:
            return False  # words: the next one begins
        if (opens and not self.names.knows(opens)) or not (closes or opens or tag.endswith("/>")):
            return False
        leaf, single = is_leaf(shape), not may_repeat(self._stack[-2].shape, folded(name))
        if not leaf and not tag.endswith("/>") and closes in ("", key):
            return False
        directly = leaf and _ends_in_words(node) and not _LAYOUT.search(str(node.parts[-1]))
        if attributes or name != node.name or closes == key or not (directly or single):
            self.refuse("xml.ambiguous", doubt)
        self.note("xml.tag", "a closing tag was not written as one", before=tag)
        self._close(tag)
        return True

    def _declared(self, attributes: list[tuple[str, str]]) -> dict[str, str]:
        """The namespaces that a tag declares, by prefix."""
        own: dict[str, str] = {}
        for name, value in attributes:
            if name != "xmlns" and not name.startswith("xmlns:"):
                continue
            if own.get(name[6:], value) != value:
                self.refuse("xml.ambiguous", "a namespace is declared twice with different values")
            if name[6:] in own:
                self.note("xml.attribute", "an attribute that was given twice counts once", before=name)
            own[name[6:]] = value
        return own

    def _literal(self, end: int) -> None:
        if len(self._stack) > 1:
            self.note("xml.less_than", "a bare < was taken as text", before=self.text[self._at : end])
        self._add(self.text[self._at : end], literal=True)
        self._at = end

    def _is_known(self, name: str) -> bool:
        """Whether words with blanks between them are one name: of the schema, or of a closing tag."""
        return self.names.knows(name) or self.names.key(name) in self._closers

    def _is_tag(self, name: str) -> bool:
        """Whether a `<` with this name behind it is markup here."""
        node = self._stack[-1]
        shape = node.shape
        if shape is None or shape.free or not (is_leaf(shape) or shape.mixed):
            return True
        if self.names.key(name) == self.names.key(node.name):
            # In the midst of words, with closing tags for both, it is a part of them.
            words = self._has_words(node)
            return not (is_leaf(shape) and words and not node.nodes and {node.at, self._at} <= self._closed)
        if shape.mixed and self.names.knows(name):
            return True
        # Elements alone are data, elements among words may be a part of the text: the whole has to be seen.
        empty = not shape.mixed and _EMPTY.match(self.text, self._at) is not None
        if empty or self._closes_before_end(name, node) or self._is_item(name, node):
            return True
        if not self.names.knows(name):
            return False
        if self._closed_later(node) and self._at in self._closed and _WHOLE.match(self.text, self._at):
            self.refuse("xml.ambiguous", f"<{name}> begins in <{node.name}> and ends behind it")
        return not self._closed_later(node)

    def _has_words(self, node: Node) -> bool:
        """Whether the open element holds text so far."""
        return node.words or any(word.strip(BLANK) for word in self._words)

    def _is_item(self, name: str, node: Node) -> bool:
        """Whether an element that is never closed is, by its name or by the one before it, an item of a list."""
        if self._has_words(node):
            return False
        last = next((part for part in reversed(node.parts[-2:]) if isinstance(part, Node)), None)
        return names_item(name, node.name) or (last is not None and folded(last.name) == folded(name))

    def _closed_later(self, node: Node) -> bool:
        """Whether the element is closed further on, before another one of its name is opened."""
        return self._closed_again(self.names.key(node.name))

    def _closed_again(self, name: str, at: int | None = None) -> bool:
        """Whether an element of this name is closed once more, without being opened before."""
        at = self._at if at is None else at
        return _first(self._closers[name], at) < _first(self._openers[name], at)

    def _closes_before_end(self, name: str, node: Node) -> bool:
        """Whether an element of this name would be closed inside of the open one."""
        key = self.names.key
        return _first(self._closers[key(name)], self._at) < _first(self._closers[key(node.name)], self._at)

    def _place(self, name: str) -> None:
        """Close what was left open, so that an element of this name stands where it belongs."""
        node = self._stack[-1]
        if len(self._stack) < 2 or node.shape is None or node.shape.free:
            return
        same = self.names.key(name) == self.names.key(node.name)
        name = folded(name)
        if self.names.child(node.shape, name) is not None:
            return
        if same and node.at in self._closed and not node.nodes and not node.text.strip(BLANK):
            return  # items inside of an element of their own name
        if is_leaf(node.shape) and self._closed_later(node):
            return
        for index in range(len(self._stack) - 2, 0, -1):
            outer = self._stack[index]
            if self.names.child(outer.shape, name) is not None and not self._closed_later(node):
                self._refuse_among_words(node, outer, name)
                self._close_to(index, name)
                return
            if outer.at in self._closed:
                break  # it has a closing tag of its own, so that the element stands inside of it
        if is_leaf(node.shape) and same:
            self._close_to(len(self._stack) - 2)

    def _refuse_among_words(self, node: Node, outer: Node, name: str) -> None:
        """Of a text that is never closed: an element of the schema in the midst of a line may be a part of it."""
        if not is_leaf(node.shape) or not node.words or node.nodes or _is_mixed(outer.shape):
            return
        closer = _first(self._closers[self.names.key(name)], self._at)
        inline = _ends_in_words(node) and not _LAYOUT.search(str(node.parts[-1]))
        if inline and closer < len(self.text) and _MORE.match(self.text, closer):
            self.refuse("xml.ambiguous", f"<{node.name}> is never closed, and <{name}> stands among its words")

    def _close_to(self, index: int, name: str = "") -> None:
        """Close all elements above that place of the stack, since one of that name follows."""
        for at, node in enumerate(self._stack[index + 1 :], index):
            self._refuse_two_nestings(self._stack[at], node, name)
            self.note("xml.unclosed", "an element was never closed", before=node.name)
            if is_leaf(node.shape):
                self._end_text(self._stack[at], node)
        del self._stack[index + 1 :]

    def _end_text(self, outer: Node, node: Node) -> None:
        """Settles where a text that is never closed ends: elements that nobody knows, on lines of their own behind it,
        stand behind it; those among its words are a part of it."""
        parts = node.parts
        if node.words and node.nodes:
            index = next(index for index, part in enumerate(parts) if isinstance(part, Node))
            own_line = index > 0 and isinstance(before := parts[index - 1], str) and _LAYOUT.search(before)
            words = any(isinstance(part, str) and part.strip(BLANK) for part in parts[index:])
            if bool(own_line) == words:
                self.refuse("xml.ambiguous", f"<{node.name}> is never closed: where its text ends is not clear")
            if own_line:
                outer.parts += [part for part in parts[index:] if isinstance(part, Node)]
                del parts[index:]
        if parts and isinstance(parts[-1], str):
            # The line break and the indent before the next tag are layout.
            parts[-1] = self._without_half_tag(node, _LAYOUT.sub("", parts[-1]))

    def _without_half_tag(self, node: Node, words: str) -> str:
        """The last words of an element that is never closed, without a closing tag that lacks some of its marks."""
        half = _HALF_TAG.search(words, max(0, len(words) - _LONGEST_NAME))
        if half is not None and self.names.key(half[1] or half[2]) == self.names.key(node.name):
            if self.text.rfind(half[0], node.at, self._at) < 0:
                self.refuse("xml.ambiguous", f"<{node.name}> is never closed: {half[0]} is escaped, and may be text")
            self.note("xml.tag", "a closing tag was not written as one", before=half[0])
            return words[: half.start()]
        if words.endswith(f"{node.name[-2:]}>") and words.rfind("<") <= words.rfind(">", 0, -1):
            self.refuse("xml.ambiguous", f"<{node.name}> is never closed: what ends its text may be its closing tag")
        return words

    def _refuse_two_nestings(self, outer: Node, node: Node, behind: str = "") -> None:
        """Of an element that was never closed: where its last child could as well stand behind it, nobody knows."""
        last = node.parts[-1] if node.parts else None
        if isinstance(last, str) and not last.strip(BLANK):
            last = next((part for part in reversed(node.parts[-2:]) if isinstance(part, Node)), None)
        if not isinstance(last, Node) or outer is self.top or outer.shape is None:
            return
        name = folded(last.name)
        around = self.names.child(outer.shape, folded(node.name)) is None
        if around and len({folded(other.name) for other in outer.nodes}) == 1:
            return  # an element around items holds nothing else
        if self.names.child(node.shape, name) is None or self.names.child(outer.shape, name) is None:
            return
        if _stands_before(behind, name, outer.shape):
            return
        if may_repeat(outer.shape, name) or all(folded(other.name) != name for other in outer.nodes):
            words = f"<{node.name}> is never closed, and <{last.name}> may stand in it or behind it"
            self.refuse("xml.ambiguous", words)

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
        known = self.names.child(parent.shape, name)
        if known is None and not (parent.shape.free or parent.shape.mixed or parent.shape.wildcards):
            return parent.shape  # perhaps an element around what should stand here
        return known

    def _closing(self) -> None:
        found = _CLOSING.match(self.text, self._at)
        if found is None and (spaced := _CLOSING_SPACED.match(self.text, self._at)) is not None:
            whole = self.names.key(spaced[2])
            there = self.names.knows(spaced[2]) or any(self.names.key(node.name) == whole for node in self._stack)
            found = spaced if there else None
        found = found or _CLOSING_FILLED.match(self.text, self._at)
        if found is None:
            self._literal(self._at + 2)
            return
        name = self.names.key(found[2]) if found[2] else ""
        node = self._stack[-1]
        if node is self.top:
            self._literal(found.end())  # of something that the answer's prose opened
            return
        open_names = [self.names.key(node.name) for node in self._stack]
        if found.end() == len(self.text) and not found[0].endswith(">"):
            node.cut = not open_names[-1].startswith(name)
            self.note("xml.truncated", "the answer ends inside of a closing tag", before=found[0])
            self._settle()
            self._at = found.end()
            self._stack.pop()
            return
        if self._is_text(name, node, found, open_names):
            self._literal(found.end())
            return
        self._settle()
        self._at = found.end()
        if name == open_names[-1]:
            tag = f"</{node.prefix}{':' * bool(node.prefix)}{node.name}"
            if not found[0].startswith(tag) or found[0][len(tag) :].strip(BLANK) != ">":
                self.note("xml.tag", "a closing tag was not written as one", before=found[0])
            self._close(found[0])
        elif name in open_names[1:-1] and self._closed_again(name):
            self.note("xml.tag", "an element was closed by another name", before=found[0], after=node.name)
            self._close(found[0])
        elif name in open_names[1:]:
            self._close_to(len(open_names) - 1 - open_names[::-1].index(name))
            self._close(found[0])
        elif self._closed_before(name):
            self.refuse("xml.ambiguous", f"{found[0]} stands here twice: where the first one closes is not clear")
        elif not name or not self.names.knows(name) or is_leaf(node.shape):
            self.note("xml.tag", "an element was closed by another name", before=found[0], after=node.name)
            self._close(found[0])
        elif _ends_in_words(node) or (not _is_mixed(node.shape) and _WORDS.match(self.text, found.end())):
            self.refuse("xml.ambiguous", f"{found[0]} closes nothing: where the text beside it begins is not clear")
        else:
            self.note("xml.tag", "a closing tag that closes nothing was left out", before=found[0])

    def _close(self, tag: str) -> None:
        node = self._stack.pop()
        node.tags = (node.tags[0], tag)

    def _is_text(self, name: str, node: Node, found: re.Match[str], open_names: list[str]) -> bool:
        """Whether a closing tag is a part of the text that it stands in."""
        if not is_leaf(node.shape) or not name:
            return False
        if name != open_names[-1]:
            surplus = name not in open_names or self._closed_again(name, found.end())
            if not (surplus and self._closed_later(node)):
                return False
            outer, behind = self._stack[-2], _BEHIND.match(self.text, found.end())
            siblings = (found[2], behind[2] if behind else None)
            if all(sibling and self.names.child(outer.shape, folded(sibling)) is not None for sibling in siblings):
                words = f"{found[0]}<{siblings[1]}> is a part of the text, or closing tags are swapped"
                self.refuse("xml.ambiguous", words)
            return True
        # Its own name, in words that go on and are closed once more.
        outer = self._stack[-2]
        gap = self.text[found.end() : self.text.find("<", found.end())].strip(BLANK)
        if not gap or outer is self.top or (outer.shape is not None and outer.shape.mixed):
            return False
        again = _first(self._closers[name], found.end())
        around = _first(self._closers[self.names.key(outer.name)], found.end())
        if again >= min(_first(self._openers[name], found.end()), around):
            return False
        if may_repeat(outer.shape, folded(node.name)):
            words = f"{found[0]} stands here twice: it is a part of the text, or the tag that opens the next is missing"
            self.refuse("xml.ambiguous", words)
        return True

    def _closed_before(self, name: str) -> bool:
        """Whether one of this name was closed in an element that is open, and what followed is none of the schema's."""
        last = self._stack[-1]
        for outer in self._stack[:0:-1]:
            strange = outer is not last and self.names.child(outer.shape, folded(last.name)) is None
            for part in outer.parts[: -_FARTHEST - 1 : -1]:
                if isinstance(part, str):
                    strange = strange or bool(part.strip(BLANK))
                elif self.names.key(part.name) == name:
                    return strange
                else:
                    strange = strange or self.names.child(outer.shape, folded(part.name)) is None
        return False

    def _attributes(self, at: int) -> tuple[list[tuple[str, str]], int, bool] | None:
        """The attributes of a tag, where it ends (past the end of the text: it is cut off), whether it is empty.

        None where this is no tag.
        """
        text, attributes = self.text, list[tuple[str, str]]()
        start, bare, around = at, False, self._stack[-1].shape
        loose = around is not None and (around.free or around.mixed)  # what stands there may be of another language
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
                if bare and not loose and not self.names.knows(name) and folded(name) not in self.names.attributes:
                    self.refuse("xml.ambiguous", f"{name!r} stands behind a value without quotes, and may belong to it")
                self.note("xml.attribute_quotes", "an attribute had no value", before=name)
                attributes.append((name, ""))
                continue
            value = _VALUE.match(text, at)
            opened = _QUOTE.match(text, at)
            if value is not None and opened and not _BEHIND_VALUE.match(text, value.end()):
                # This quote may begin the next value: then the one that ends this value is missing.
                written = text[opened.end() : value.end() - 1]
                follows = _FOLLOWS.search(written)
                if "<" in written or ">" in written:
                    value = None
                elif follows is not None:
                    self.note("xml.attribute_quotes", "the value of an attribute had no closing quote", before=name)
                    attributes.append((name, self._value(written[: follows.start()])))
                    at = opened.end() + follows.start()
                    continue
                elif not _NAMED.match(text, value.end()):
                    self.refuse("xml.ambiguous", f"quotes in the value of {name!r} are not escaped: write &quot;")
            if value is None and opened and text.find("<", at) >= 0:
                end = self._unquoted_end(opened.end())
                self.note("xml.attribute_quotes", "the value of an attribute had no closing quote", before=name)
                attributes.append((name, self._value(text[opened.end() : end])))
                return attributes, end + 1, False
            if value is None:
                if opened or not text[at:].strip():
                    return attributes, len(text) + 1, False
                continue
            at = value.end()
            attributes.append((name, self._value(next(part for part in value.groups() if part is not None))))
            bare = value[4] is not None
            if bare or value[3] is not None:
                self.note("xml.attribute_quotes", "the value of an attribute had no quotes", before=name)
        return None

    def _unquoted_end(self, at: int) -> int:
        """Where the tag ends in which a value begins here that has no closing quote."""
        found = _TO_END.match(self.text, at)
        if found is None or "=" in found[0] or found[0].endswith("/"):
            self.refuse("xml.ambiguous", "the value of an attribute has no closing quote: where it ends is not clear")
        return found.end()

    def _value(self, written: str) -> str:
        if "<" in written:
            self.note("xml.less_than", "a bare < was taken as text", before=written[:80])
        return self._decoded(_BREAK.sub(" ", written))

    def _refuse_inclusion(self, prefix: str, name: str, attributes: list[tuple[str, str]]) -> None:
        if any(value.strip() == _XINCLUDE for _, value in attributes) or (prefix == "xi" and name == "include"):
            raise Unreadable(Finding("xml.xinclude", "XInclude is not accepted: write the content itself"))

    def _end(self) -> None:
        """The end of the text: what is open was cut off, or only the last closing tag was forgotten."""
        self._settle()
        for outer, node in pairwise(self._stack):
            self._refuse_two_nestings(outer, node)
            innermost = node is self._stack[-1]
            # Of a root that holds elements the last closing tag may be all that is missing.
            whole = node is self._stack[1] and bool(node.nodes) and not _ends_in_words(node)
            node.cut = (innermost or is_leaf(node.shape)) and not whole
            if node is self._stack[1] and not (innermost and is_leaf(node.shape)):
                self.note("xml.unclosed", "an element was never closed", before=node.name)
                continue
            self.note("xml.truncated", "the answer ends inside of an element", before=node.name)

    @cached_property
    def _closed(self) -> set[int]:
        """Where the elements begin that have a closing tag of their own."""
        closed: set[int] = set()
        for name, openers in self._openers.items():
            waiting: list[int] = []
            marks = [(at, True) for at in openers if not _EMPTY.match(self.text, at)]
            for at, opens in sorted([*marks, *((at, False) for at in self._closers.get(name, ()))]):
                if opens:
                    waiting.append(at)
                elif waiting:
                    closed.add(waiting.pop())
        return closed

    @cached_property
    def _closers(self) -> dict[str, list[int]]:
        return self._places(_CLOSERS)

    @cached_property
    def _openers(self) -> dict[str, list[int]]:
        return self._places(_OPENERS)

    @cached_property
    def _strange_openers(self) -> list[int]:
        """Where the elements begin that no part of the schema has."""
        return sorted(at for name, places in self._openers.items() if not self.names.knows(name) for at in places)

    def _places(self, pattern: re.Pattern[str]) -> dict[str, list[int]]:
        """Where the tags of each name stand."""
        places: dict[str, list[int]] = defaultdict(list)
        for found in pattern.finditer(self.text):
            places[self.names.key(found[1])].append(found.start())
        return places


def _start(found: re.Match[str]) -> int:
    return found.start()


def _ends_in_words(node: Node) -> bool:
    last = node.parts[-1] if node.parts else None
    return isinstance(last, str) and bool(last.strip(BLANK))


def _is_mixed(shape: Shape | None) -> bool:
    return shape is not None and shape.mixed


def _first(places: list[int], at: int) -> int:
    """The first place from this one on; past any text where there is none."""
    index = bisect_left(places, at)
    return places[index] if index < len(places) else 1 << 60


def _stands_before(one: str, other: str, shape: Shape) -> bool:
    """Whether the schema lets an element stand only before another one."""
    content = shape.content
    if content is None or content.kind != "sequence" or content.most > 1:
        return False
    names = [{folded(use.name) for use in children_of(item)} for item in content.items]
    first, last = ([n for n, held in enumerate(names) if name in held] for name in (one, other))
    return bool(first and last) and first[-1] < last[0]
