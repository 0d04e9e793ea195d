"""Where in a model's text an XML document may stand: its thinking part set aside, from a root's opening to its end.

Fences and prose need no rule of their own: they are what stands around a span. One pass over the tags finds all
spans, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from guards.findings import Finding
from guards.reading.spelling import folded
from guards.reading.xml_prolog import doctype_end, doctype_fault
from guards.records import Repair

__all__ = ["Sight", "Span", "beside", "find_documents", "stray_member", "unfenced"]

_NAME: Final = r"[^\W\d][\w.\-]*+(?::[^\W\d][\w.\-]*+)?"
# An attribute's value holds no bare "<" in XML. That also means that no search for the end of a tag passes the next
# one: the whole is linear.
_TOKEN: Final = re.compile(
    rf"<!--|<!\[CDATA\[|<!DOCTYPE\b|<\?|</({_NAME})\s*+>|<({_NAME})((?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+')*+)>",
    re.IGNORECASE,
)
_CLOSERS: Final = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_THINKING: Final = frozenset({"think", "thinking"})
_OPENED: Final = re.compile(r"\s*<(think(?:ing)?)>", re.IGNORECASE)
# Of a run of marks the first alone begins a fence.
_FENCE: Final = re.compile(r"(?:(?<!`)(?=`)|(?<!~)(?=~))(`{3,}+|~{3,}+)[^\n`]*+\s*+$")
_FENCE_END: Final = re.compile(r"^\s*(`{3,}|~{3,})")
_FENCE_LINE: Final = re.compile(
    r"(?:(?:\n|\A)[ \t]*+|(?<![`~])(?=(?:`{3,}+|~{3,}+)\s*+\Z))(`{3,}+|~{3,}+)[ \t]*+([^\n`]*+)"
)
_PROLOG: Final = re.compile(r"<\?xml\b[^>]*\?>\s*$|<!DOCTYPE\b[^>]*>\s*$", re.IGNORECASE)
_LONGEST_PROLOG: Final = 2_000
_MOST_PROLOGS: Final = 2  # a declaration and a document type
_BLANK: Final = " \t\r\n"  # XML's white space
_AROUND: Final = 200
_CUT_TAG: Final = re.compile(rf"<({_NAME})?[^<>]*\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text from an opening tag to behind its closing tag."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen in a text.

    `start` is where its thinking part ends, `spans` are the outermost documents behind it. `cut` is where a document
    starts that is never closed, `deepest` how many roots were open at once, `doctype` the finding that refuses a
    document type declaration among them.
    """

    start: int
    open_thinking: bool
    spans: tuple[Span, ...]
    cut: int | None
    deepest: int
    doctype: Finding | None

    def repairs(self, text: str, span: Span) -> tuple[Repair, ...]:
        """What was set aside to get at this span."""
        repairs: list[Repair] = []
        if self.start:
            repairs.append(Repair("text.think", "the thinking part was set aside", "", before=text[: self.start]))
        before, after = text[self.start : span.start], text[span.end :]
        whole = before
        for _ in range(_MOST_PROLOGS):
            prolog = _PROLOG.search(before, max(0, len(before) - _LONGEST_PROLOG))
            if prolog is None:
                break
            before = before[: prolog.start()]
        fence = _FENCE.search(before)
        if fence:
            end = _FENCE_END.search(after)
            marks = fence.group().strip() + (f" … {end.group().strip()}" if end else "")
            repairs.append(Repair("text.fence", "the document was taken out of a code fence", "", before=marks))
            before = before[: fence.start()]
            after = after[end.end() :] if end else after
        before, after = before.strip(_BLANK), after.strip(_BLANK)
        if before or after:
            around = f"{before} … {after}".strip()
            repairs.append(Repair("text.prose", "text around the document was set aside", "", before=around))
        if not repairs and whole.strip(_BLANK):
            # In its place and well-formed it would have been passed over.
            words = "an XML declaration or document type that was not written as one was set aside"
            repairs.append(Repair("xml.declaration", words, "", before=whole.strip(_BLANK)))
        return tuple(repairs)


def beside(name: str) -> Finding:
    """The finding of an element that stands beside the document, though it should be a part of it."""
    words = f"not well-formed XML: <{name}> stands beside the root element, and may be a part of it"
    return Finding("xml.syntax", words)


def stray_member(text: str, sight: Sight, names: Collection[str], shared: Collection[str] = ()) -> str | None:
    """The name of an element, opened and closed, that stands beside all documents though one may hold it.

    Where a root has its name too (`shared`) it is no document as long as no element stands in it.
    """
    at = sight.start
    documents = [span for span in sight.spans if not shared or not _holds_words_alone(text, span)]
    for span in (*documents, Span(len(text), len(text))):
        opened: set[str] = set()
        last = ""
        for found in _TOKEN.finditer(text, at, span.start):
            closing, opening, rest = found.groups()
            local = folded((closing or opening or "").rpartition(":")[2])
            if local in names and opening is not None and not rest.endswith("/"):
                opened.add(local)
            elif local in names and (local in opened or opening is not None):
                return (closing or opening).rpartition(":")[2]
            elif local in shared and closing is not None and last == local:
                return str(closing).rpartition(":")[2]
            last = local if opening is not None else ""
        at = span.end
    return None


def unfenced(text: str) -> tuple[str, str, str]:
    """The text without the code fence around its tags, the fence's marks, and what stands behind the fence.

    Without marks where none is opened before the first tag and closed behind the last.
    """
    opened = _FENCE.search(text[: text.find("<") + 1].removesuffix("<"))
    if opened is None:
        return text, "", ""
    lines = list(_FENCE_LINE.finditer(text, opened.end()))
    # Fences inside of a text come in pairs.
    if len(lines) % 2 == 0 or lines[-1][2] or "<" in text[lines[-1].end() :]:
        return text, "", ""
    marks = f"{opened.group().strip()} … {lines[-1][1]}"
    inner = f"{text[: opened.start()]}\n{text[opened.end() : lines[-1].start()]}"
    return inner, marks, text[lines[-1].end() :]


def _holds_words_alone(text: str, span: Span) -> bool:
    """Whether an element holds text and no elements."""
    first, last = text.find(">", span.start, span.end), text.rfind("<", span.start, span.end)
    return bool(text[first + 1 : last].strip(_BLANK)) and "<" not in text[first + 1 : last]


def find_documents(text: str, roots: Collection[str] | None) -> Sight:
    """The documents in a text whose root has one of these local names (None: any)."""
    start = 0
    thinks = not (roots and _THINKING & {root.lower() for root in roots})
    if thinks and (opened := _OPENED.match(text)):
        closed = re.compile(rf"</{opened.group(1)}>", re.IGNORECASE).search(text, opened.end())
        if closed is None:
            return Sight(len(text), open_thinking=True, spans=(), cut=None, deepest=0, doctype=None)
        start = closed.end()
    while True:
        scan = _Scan(text, start, roots, thinks=thinks)
        # A closing tag without an opening one: chat templates swallow that. All before it was thinking.
        if scan.stray_thought is None:
            break
        start = scan.stray_thought
    return Sight(start, scan.open_thinking, scan.spans, scan.cut, scan.deepest, scan.doctype)


class _Scan:
    """One pass over the tags behind `start`."""

    def __init__(self, text: str, start: int, roots: Collection[str] | None, *, thinks: bool) -> None:
        self.text, self.start, self.roots = text, start, roots
        self.doctype: Finding | None = None
        self.deepest = 0
        self._open: dict[str, list[int]] = {}
        self._count = 0
        self._closed: list[Span] = []
        thoughts: list[tuple[int, int, bool]] = []
        doctypes: list[tuple[int, Finding]] = []
        for at, end, closing, name, empty in self._tokens(doctypes):
            local = name.rpartition(":")[2]
            if thinks and local.lower() in _THINKING:
                thoughts.append((at, end, closing))
            elif roots is None or local in roots:
                self._tag(at, end, name, closing=closing, empty=empty)
        spans = _outermost(self._closed)
        regions, self.stray_thought, self.open_thinking = _thinking(thoughts, spans)
        self.spans = tuple(span for span in spans if not _within(regions, span.start))
        self.cut = self._cut(regions)
        for at, fault in doctypes:
            if not _within(spans, at):
                self.doctype = self.doctype or fault

    def _tokens(self, doctypes: list[tuple[int, Finding]]) -> list[tuple[int, int, bool, str, bool]]:
        """All tags: start, end, whether closing, name, whether empty. Comments and CDATA sections hide theirs."""
        text, at = self.text, self.start
        unclosed: set[str] = set()
        tags: list[tuple[int, int, bool, str, bool]] = []
        while found := _TOKEN.search(text, at):
            at = found.end()
            closing, opening, rest = found.groups()
            if opening is not None:
                tags.append((found.start(), at, False, opening, rest.endswith("/")))
            elif closing is not None:
                tags.append((found.start(), at, True, closing, False))
            else:
                mark = found.group().upper()
                if mark in unclosed:
                    continue  # one look to the end of the text is enough
                end = doctype_end(text, found.start()) if mark == "<!DOCTYPE" else _behind(text, _CLOSERS[mark], at)
                if mark == "<!DOCTYPE":
                    fault = doctype_fault(text[found.start() : end if end > 0 else len(text)])
                    if fault is not None:
                        doctypes.append((found.start(), fault))
                if end > 0:
                    at = end
                else:
                    unclosed.add(mark)
        return tags

    def _tag(self, at: int, end: int, name: str, *, closing: bool, empty: bool) -> None:
        stack = self._open.setdefault(name, [])
        if empty:
            self._closed.append(Span(at, end))
        elif not closing:
            stack.append(at)
            self._count += 1
            self.deepest = max(self.deepest, self._count)
        elif stack:
            self._closed.append(Span(stack.pop(), end))
            self._count -= 1

    def _cut(self, regions: list[Span]) -> int | None:
        """Where the first document starts that is never closed. A tag that prose only mentions starts none."""
        left = sorted(at for stack in self._open.values() for at in stack)
        for at in left:
            if not _within(regions, at) and not self._mentioned(at):
                return at
        tail = _CUT_TAG.search(self.text, max(self.start, self.text.rfind("<")))
        if tail and tail.group(1):
            local = tail.group(1).rpartition(":")[2]
            if self.roots is None or any(root.startswith(local) for root in self.roots):
                return tail.start()
        return None

    def _mentioned(self, at: int) -> bool:
        """Whether a tag stands in the middle of a sentence, with words on both sides of its line and no other tag."""
        end = self.text.find(">", at) + 1
        before = self.text[max(0, at - _AROUND) : at].rpartition("\n")[2]
        after = self.text[end : end + _AROUND].partition("\n")[0]
        if before.endswith("`") and after.startswith("`"):
            return True
        return "<" not in after and any(map(str.isalpha, before)) and any(map(str.isalpha, after))


def _behind(text: str, closer: str, at: int) -> int:
    end = text.find(closer, at)
    return end + len(closer) if end >= 0 else -1


def _outermost(closed: list[Span]) -> tuple[Span, ...]:
    """Those that lie in no other one: what a document holds is a part of it, never an answer beside it."""
    kept: list[Span] = []
    for span in sorted(closed, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return tuple(kept)


def _thinking(marks: list[tuple[int, int, bool]], spans: tuple[Span, ...]) -> tuple[list[Span], int | None, bool]:
    """Regions of thinking outside documents, the end of the last one without a start, whether one stays open."""
    regions: list[Span] = []
    opened: int | None = None
    stray: int | None = None
    for at, end, closing in marks:
        if opened is None and _within(spans, at):
            continue
        if not closing:
            opened = at if opened is None else opened
        elif opened is None:
            stray = end
        else:
            regions.append(Span(opened, end))
            opened = None
    if opened is not None:
        regions.append(Span(opened, sys.maxsize))
    return regions, stray, opened is not None


def _within(spans: Sequence[Span], at: int) -> bool:
    before = bisect_right(spans, at, key=lambda span: span.start) - 1
    return before >= 0 and at < spans[before].end
