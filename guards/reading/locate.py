"""Where in a model's text a document may stand: its thinking part set aside, then every balanced span of brackets.

Fences and prose need no rule of their own: they are what stands around a span. One pass over the text finds all spans,
so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from guards.records import Repair

__all__ = ["Span", "Surroundings", "spoken_from", "surroundings", "thinking"]

_OPENED: Final = re.compile(r"\s*<(think(?:ing)?)>", re.IGNORECASE)
_OPENING: Final = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_CLOSED: Final = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_MARK: Final = re.compile(r'["{}\[\]\n\\]')
# Of a run of marks the first alone begins a fence.
_FENCE: Final = re.compile(r"(?:(?<!`)(?=`)|(?<!~)(?=~))(`{3,}+|~{3,}+)[^\n`]*+\s*+$")
_FENCED: Final = re.compile(r"^(?:`{3,}+|~{3,}+)[^\n`]*+\n([^`~]*?)\n?(?:`{3,}+|~{3,}+)\s*$", re.MULTILINE)
_MOST_FENCES: Final = 100
_DEEPEST: Final = 1000


@dataclass(slots=True)
class Span:
    """A balanced piece of the text, from its opening to behind its closing bracket, and the ones inside it."""

    start: int
    end: int = -1
    inner: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was seen in one pass over the text.

    `start` is where the thinking part ends, `open_thinking` that it never does; `unclosed` that some bracket stays
    open, `loose` what such a bracket holds, `has_bracket` that there was one. `alone` are the pieces that a value
    without brackets may fill: what is fenced, and what stands behind the thinking part.
    """

    start: int
    open_thinking: bool
    spans: tuple[Span, ...]
    unclosed: bool
    has_bracket: bool
    alone: tuple[Span, ...] = ()
    loose: tuple[Span, ...] = ()

    def repairs(self, text: str, span: Span) -> tuple[Repair, ...]:
        """What was set aside to get at this span, as repairs."""
        repairs: list[Repair] = []
        if self.start:
            repairs.append(Repair("text.think", "the thinking part was set aside", "", before=text[: self.start]))
        before, after = text[self.start : span.start], text[span.end :]
        if fence := _FENCE.search(before):
            head = fence[0].strip()
            repairs.append(Repair("text.fence", "the document was taken out of a code fence", "", before=head))
            before = _FENCE.sub("", before)
            after = re.sub(r"^\s*(`{3,}|~{3,})", "", after)
        if before.strip() or after.strip():
            around = f"{before.strip()} … {after.strip()}".strip()
            repairs.append(Repair("text.prose", "text around the document was set aside", "", before=around))
        return tuple(repairs)


def surroundings(text: str) -> Surroundings:
    """The thinking part and the bracketed spans of a text."""
    start, still_thinking = thinking(text)
    if still_thinking:
        return Surroundings(len(text), open_thinking=True, spans=(), unclosed=False, has_bracket=False)
    spans, loose, has_bracket = _spans(text, start)
    if not start:
        # Some chat templates swallow the opening tag. What stands before a closing tag is thinking then, unless the
        # tag is a part of a document's own text.
        start = max((mark.end() for mark in _CLOSED.finditer(text) if not _inside(spans, mark.start())), default=0)
        if start:
            spans, loose, has_bracket = _spans(text, start)
    alone = [Span(found.start(1), found.end(1)) for found in islice(_FENCED.finditer(text, start), _MOST_FENCES)]
    if start and not alone:
        alone.append(Span(start, len(text)))
    return Surroundings(start, False, tuple(spans), loose is not None, has_bracket, tuple(alone), tuple(loose or ()))


def thinking(text: str, *, swallowed: bool = False) -> tuple[int, bool]:
    """Where a thinking part at the start of the text ends (0: there is none), and whether it never does.

    `swallowed` also takes what stands before a closing tag that was never opened: some chat templates keep the opening
    tag to themselves.
    """
    opened = _OPENED.match(text)
    if opened is None:
        closed = _CLOSED.search(text) if swallowed else None
        if closed is None or _OPENING.search(text, 0, closed.start()):
            return 0, False
        return closed.end(), False
    closed = _CLOSED.search(text, opened.end())
    return (closed.end(), False) if closed else (0, True)


def spoken_from(text: str) -> int:
    """Where the answer begins behind a thinking part that has closed; 0 where there is none."""
    end, _ = thinking(text)
    return len(text) - len(text[end:].lstrip()) if end else 0


def _inside(spans: list[Span], at: int) -> bool:
    before = bisect_right(spans, at, key=lambda span: span.start) - 1
    return before >= 0 and at < spans[before].end


def _spans(text: str, start: int) -> tuple[list[Span], list[Span] | None, bool]:
    """All balanced spans as a forest, outermost first; a closer that matches nothing is passed over.

    Then what the brackets hold that stay open (None: none does), and whether there is a bracket at all.
    """
    top: list[Span] = []
    stack: list[tuple[str, Span]] = []
    quoted = False
    skip = -1
    has_bracket = False
    for found in _MARK.finditer(text, start):
        mark, at = found.group(), found.start()
        if at == skip:
            continue
        if mark == "\\":
            skip = at + 1
        elif mark == "\n":
            quoted = False  # a JSON string holds no line break: the quote was not one of JSON
        elif mark == '"':
            quoted = bool(stack) and not quoted
        elif quoted:
            continue
        elif mark in "{[":
            has_bracket = True
            stack.append((mark, Span(at)))
            if len(stack) > _DEEPEST:
                top.extend(stack.pop(0)[1].inner)
        else:
            wanted = "{" if mark == "}" else "["
            if stack and stack[-1][0] == wanted:
                span = stack.pop()[1]
                span.end = at + 1
                (stack[-1][1].inner if stack else top).append(span)
    loose = sorted((inner for _, span in stack for inner in span.inner), key=lambda span: span.start)
    return sorted(top, key=lambda span: span.start), loose if stack else None, has_bracket
