"""What stands before a document's root, and whether it may: declarations, comments, a document type.

A DTD can declare entities, defaults and outside files, so none ever reaches the parser: what is harmless is blanked
out, what is not is refused here.
"""

from __future__ import annotations

import re
from typing import Final

from guards.findings import Finding

__all__ = ["Unreadable", "blanked_prolog", "doctype_end", "doctype_fault"]

_DECLARATION: Final = re.compile(
    r"<\?xml\s+version\s*=\s*(?:\"1\.[0-9]+\"|'1\.[0-9]+')"
    r"(?:\s+encoding\s*=\s*(?:\"[A-Za-z][\w.\-]*\"|'[A-Za-z][\w.\-]*'))?"
    r"(?:\s+standalone\s*=\s*(?:\"(?:yes|no)\"|'(?:yes|no)'))?\s*\?>",
    re.ASCII,
)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE(?![\w:.\-])", re.IGNORECASE)
_IN_DOCTYPE: Final = re.compile(r"<!--|<\?|[\"'\[\]>]")
_OUTSIDE: Final = re.compile(r"(?<![\w:.\-])(?:SYSTEM|PUBLIC)(?![\w:.\-])")
_NEVER_ENDS: Final = -1


class Unreadable(Exception):
    """A text that is no document, with the finding that says why; `reason` is its cause, line and column."""

    def __init__(self, finding: Finding, reason: tuple[str, int, int] | None = None) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.reason = reason


def blanked_prolog(text: str) -> str:
    """The text with its XML declaration and a harmless document type declaration overwritten by spaces.

    Raises `Unreadable` for a document type that declares entities or names an outside subset.
    """
    blanks: list[tuple[int, int]] = []
    at = 1 if text.startswith("\ufeff") else 0
    if at:
        blanks.append((0, 1))
    at = _after_space(text, at)
    declaration = _DECLARATION.match(text, at)
    if declaration:
        blanks.append(declaration.span())
        at = declaration.end()
    seen = False
    while True:
        at = _after_space(text, at)
        if text.startswith("<!--", at) or text.startswith("<?", at):
            close = "-->" if text[at + 1] == "!" else "?>"
            end = text.find(close, at + 2)
            if end < 0:
                break
            at = end + len(close)
        elif _DOCTYPE.match(text, at):
            if seen:
                raise Unreadable(Finding("xml.doctype", "there are two document type declarations"))
            end = doctype_end(text, at)
            fault = doctype_fault(text[at : end if end > 0 else len(text)])
            if fault is not None:
                raise Unreadable(fault)
            if end == _NEVER_ENDS:
                raise Unreadable(Finding("xml.syntax", "not well-formed XML: the document type is never closed"))
            blanks.append((at, end))
            at, seen = end, True
        else:
            break
    for start, end in blanks:
        text = text[:start] + re.sub(r"[^\r\n]", " ", text[start:end]) + text[end:]
    return text


def doctype_end(text: str, at: int) -> int:
    """Where the document type declaration that starts at `at` ends; -1 if it never does."""
    depth = 0
    at += len("<!DOCTYPE")
    while True:
        mark = _IN_DOCTYPE.search(text, at)
        if mark is None:
            return _NEVER_ENDS
        at = mark.end()
        found = mark.group()
        if found == "[":
            depth += 1
        elif found == "]":
            depth -= 1
        elif found == ">":
            if depth <= 0:
                return at
        else:
            close = {"<!--": "-->", "<?": "?>"}.get(found, found)
            end = text.find(close, at)
            if end < 0:
                return _NEVER_ENDS
            at = end + len(close)


def doctype_fault(declaration: str) -> Finding | None:
    """Why a document type declaration is refused; None for a harmless one."""
    # Behind the last end of a comment none is looked for, which would be done again from each that begins there.
    ends = declaration.rfind("-->") + 3 if "-->" in declaration else 0
    bare = re.sub(r"<!--.*?-->", "", declaration[:ends], flags=re.DOTALL) + declaration[ends:]
    head, _, subset = bare.partition("[")
    if _OUTSIDE.search(head):
        return Finding("xml.doctype", "a document type that names something outside the document is not accepted")
    # A parameter entity can write any declaration, so its sign is enough.
    if "<!ENTITY" in subset.upper() or "%" in subset:
        return Finding("xml.doctype", "a document type that declares entities is not accepted")
    return None


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
