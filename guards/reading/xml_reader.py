"""How a model's text becomes an XML document: strictly first, then by finding it in what surrounds it.

Stages, each tried only if the one before gave nothing to judge. Mending broken documents is a further stage, to be
added behind `_located`. Where documents may stand in a text is `xml_locate`; what a document means is the contract's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lxml import etree

from guards.findings import Finding
from guards.reading.reading import Dial, Limits, Reading
from guards.reading.xml_locate import Sight, Span, beside, find_documents, stray_member
from guards.reading.xml_prolog import Unreadable, blanked_prolog
from guards.records import Repair

if TYPE_CHECKING:
    from guards.reading.xml_names import Names

__all__ = ["Check", "Unreadable", "parse_xml", "read_xml"]

T = TypeVar("T")
Check = Callable[[Any], Reading[T]]
"""Judges one parsed document: the root element in, a reading out."""

# XML 1.0, production 2. Everything else, lone surrogates included, can stand in no document.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_CANDIDATES: Final = 100
_DEEPEST: Final = 2048  # libxml2's own bound
_XINCLUDE: Final = "{http://www.w3.org/2001/XInclude}*"
_MARKUP: Final = re.compile(r"<[A-Za-z_!?]")


def parse_xml(text: str, limits: Limits) -> Any:
    """The root element of a text that is one XML document and nothing else but white space.

    No DTD ever reaches the parser, nothing outside the text is opened, comments and processing instructions are
    dropped. Raises `Unreadable` with the finding.
    """
    if len(text) > limits.chars:
        raise Unreadable(_too_long(text, limits.chars, "chars"))
    illegal = _ILLEGAL.search(text, 1 if text.startswith("\ufeff") else 0)
    if illegal:
        line, column = _position(text, illegal.start())
        raise _syntax(f"the character U+{ord(illegal.group()):04X} is not allowed in XML", line, column)
    # Blanks instead of a cut: lines and columns stay those of the answer.
    source = blanked_prolog(text)
    parser = etree.XMLParser(
        encoding="utf-8",  # stronger than a declaration, which speaks of bytes that never were
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        remove_comments=True,
        remove_pis=True,
        # The text is bounded by `limits.chars` and holds no entities, so libxml2's own bound of 10 MB per text node
        # would only refuse what is allowed. Its bound on depth stays.
        huge_tree=True,
    )
    try:
        root = etree.fromstring(source.encode("utf-8"), parser)
    except etree.XMLSyntaxError as fault:
        raise _fault(fault, limits) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable(Finding("xml.doctype", "a document type declaration is not accepted"))
    if "<?" in source and (told := _instruction_in_text(source)) is not None:
        raise Unreadable(told)
    # Every level costs two tags, so most documents need no walk to show that they are shallow.
    if source.count("<") > limits.depth:
        _refuse_depth(root, limits.depth)
    if next(root.iter(_XINCLUDE), None) is not None:
        raise Unreadable(Finding("xml.xinclude", "XInclude is not accepted: write the content itself"))
    return root


def _instruction_in_text(source: str) -> Finding | None:
    """The finding of a processing instruction in an element that holds no elements: it may be meant as a part of the
    text, as code is, and would be lost."""
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, huge_tree=True
    )
    root = etree.fromstring(source.encode("utf-8"), parser)
    for instruction in root.iter(etree.ProcessingInstruction):
        parent = instruction.getparent()
        if parent is not None and next(parent.iterchildren("*"), None) is None:
            path = "/".join(
                etree.QName(element).localname for element in (*reversed(list(parent.iterancestors())), parent)
            )
            words = "an instruction to XML stands inside of a text, and would be lost: write its < as &lt;"
            return Finding("xml.instruction", words, f"/{path}")
    return None


def read_xml(text: str, dial: Dial, limits: Limits, check: Check[T], names: Callable[[], Names]) -> Reading[T]:
    """The XML document in `text`, judged by `check`; never raises for a bad text.

    `names` makes what the contract says of the document's shape and is called only where the strict reading does not
    do. `strict` takes a well-formed document and nothing else. `careful` also finds it in prose, fences and after a
    thinking part, and mends its tags, names and values; different documents that all fit are refused, save that
    `eager` takes the last.
    """
    return _read(text, dial, limits, check, names)


def _read(
    text: str, dial: Dial, limits: Limits, check: Check[T], names: Callable[[], Names], *, decoded: bool = False
) -> Reading[T]:
    try:
        root = parse_xml(text, limits)
    except Unreadable as fault:
        if dial == "strict" or fault.finding.code not in ("xml.syntax", "xml.instruction"):
            return _refused(fault.finding)
        if len(text) > limits.repair_chars:
            return _refused(fault.finding, _too_long(text, limits.repair_chars, "repair_chars"))
        return _recovered(text, dial, limits, check, names(), strict=_refused(fault.finding), decoded=decoded)
    reading = check(root)
    if reading.ok or dial == "strict" or len(text) > limits.repair_chars:
        return reading
    # It may be the wrapper of the one that is meant, or need mending; if not, its own findings stand.
    recovered = _recovered(text, dial, limits, check, names(), strict=reading, decoded=decoded)
    return recovered if recovered.ok or reading.document is None else reading


def _recovered(
    text: str, dial: Dial, limits: Limits, check: Check[T], names: Names, *, strict: Reading[T], decoded: bool
) -> Reading[T]:
    """The document found in the text as it is; else out of the escapes around it; else mended."""
    located = _located(text, dial, limits, check, names, strict=strict)
    if located.ok or located.findings[0].code.startswith(_UNMENDABLE):
        return located
    if not decoded and (plain := _decoded(text, names)) is not None:
        again = _read(plain, dial, limits, check, lambda: names, decoded=True)
        if again.ok:
            encoded = Repair("xml.encoded", "the whole document was escaped", "", before=text)
            return replace(again, repairs=(encoded, *again.repairs))
        if again.document is not None:
            return again
    from guards.reading.xml_mending import mended  # loaded with the first answer that needs it

    return mended(text, dial, limits, check, names, instead=located)


def _decoded(text: str, names: Names) -> str | None:
    """A document whose every mark is escaped, or that stands in one CDATA section, as it was before; None where it is
    not. An element of a name that the schema does not know may stand around it."""
    around = _WRAPPED.fullmatch(text)
    if around is not None and (not around[1] or not names.knows(around[1])):
        text = around[2]
    section = _SECTION.fullmatch(text)
    if section is not None:
        return section[1]
    if _MARKUP.search(text) or not _ESCAPED.search(text):
        return None
    return _MARKS.sub(lambda mark: html.unescape(mark[0]), text)


# From its first tag to its last, and what one tag holds.
_WRAPPED: Final = re.compile(r"\s*<([^\W\d][\w.\-]*+)>(.*)</\1>\s*", re.DOTALL)
_SECTION: Final = re.compile(r"\s*<!\[CDATA\[((?:(?!\]\]>).)*+)\]\]>\s*", re.DOTALL)
_MARKS: Final = re.compile(r"&(?:lt|gt|quot|apos|amp|#[0-9]+|#[xX][0-9a-fA-F]+);")
_ESCAPED: Final = re.compile(r"&(?:lt|#60|#[xX]3[cC]);[^\W\d]")
_UNMENDABLE: Final = ("xml.doctype", "xml.ambiguous", "xml.xinclude", "limit.")


def _located(text: str, dial: Dial, limits: Limits, check: Check[T], names: Names, *, strict: Reading[T]) -> Reading[T]:
    """The one document among the spans that fits, with what was set aside as repairs."""
    sight = find_documents(text, list(names.schema.roots))
    if sight.doctype is not None:
        return _refused(sight.doctype)
    spans = _distinct(text, sight.spans)
    if len(spans) > _MOST_CANDIDATES:
        return _refused(
            Finding(
                "limit.candidates",
                f"{len(spans)} documents stand in the answer; at most {_MOST_CANDIDATES} are looked at",
                expected=_MOST_CANDIDATES,
                actual=len(spans),
            )
        )
    judged = [
        (span, strict if strict.document is not None and _is_all(text, span) else _judge(text, span, limits, check))
        for span in spans
    ]
    fitting = [(span, reading) for span, reading in judged if reading.ok]
    if not fitting:
        return _nothing_fits(text, sight, [reading for _, reading in judged], limits, strict)
    if sight.cut is not None and sight.cut < fitting[-1][0].start:
        # What follows may be a part of the document that was never closed, not a document of its own.
        return _refused(_truncated(text, sight.cut))
    different = _different(fitting)
    span, reading = different[-1]
    if len(different) > 1 and dial != "eager":
        return _refused(_ambiguous(text, [span for span, _ in different]))
    stray = stray_member(text, sight, *names.beside)
    if stray is not None:
        return _refused(beside(stray))
    repairs = sight.repairs(text, span)
    if not repairs:
        return strict  # what strict reading refuses is never accepted without a word
    if len(different) > 1:
        passed = [text[other.start : other.end] for other, _ in different[:-1]]
        repairs += (Repair("xml.last", "of several documents that fit the last was taken", "", before=passed),)
    return replace(reading, repairs=(*repairs, *reading.repairs))


def _is_all(text: str, span: Span) -> bool:
    """Whether a span is the whole of the answer, which was judged already where it is well-formed."""
    return not text[: span.start].strip() and not text[span.end :].strip()


def _judge(text: str, span: Span, limits: Limits, check: Check[T]) -> Reading[T]:
    try:
        root = parse_xml(text[span.start : span.end], limits)
    except Unreadable as fault:
        return _refused(_moved(fault, text, span.start))
    return check(root)


def _nothing_fits(text: str, sight: Sight, judged: list[Reading[T]], limits: Limits, strict: Reading[T]) -> Reading[T]:
    """The findings that help most: of the best candidate, else why there is none."""
    if judged:
        best = min(judged, key=lambda reading: (reading.document is None, len(reading.findings)))
        if best.document is not None or sight.cut is None:
            return best
    if sight.deepest > limits.depth:
        return _refused(_too_deep(limits.depth))
    if sight.cut is not None:
        if text.rstrip().endswith(("```", "~~~")):  # whoever closed the fence was not cut off
            return _refused(
                _syntax(_REASONS[etree.ErrorTypes.ERR_TAG_NOT_FINISHED], *_position(text, sight.cut)).finding
            )
        return _refused(_truncated(text, sight.cut))
    if strict.document is not None:
        return strict
    if not sight.start and _MARKUP.match(text.lstrip("\ufeff \t\r\n")):
        return strict
    return _refused(
        Finding(
            "xml.missing",
            "the thinking part never ends: there is no XML document after it"
            if sight.open_thinking
            else "there is no XML document in the answer",
        )
    )


def _distinct(text: str, spans: tuple[Span, ...]) -> list[Span]:
    """The spans, of equal texts the last one only, in the order of the text."""
    last = {text[span.start : span.end]: span for span in spans}
    return sorted(last.values(), key=lambda span: span.start)


def _different(fitting: list[tuple[Span, Reading[T]]]) -> list[tuple[Span, Reading[T]]]:
    """Those whose values differ; of equal ones the last stands."""
    kept: list[tuple[Span, Reading[T]]] = []
    for span, reading in reversed(fitting):
        if not any(_equal(reading.value, other.value) for _, other in kept):
            kept.append((span, reading))
    return kept[::-1]


def _equal(left: Any, right: Any) -> bool:
    # NaN differs from itself; two documents that both say NaN are still one answer.
    return bool(left == right) or repr(left) == repr(right)


def _refuse_depth(root: Any, most: int) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > most:
            raise Unreadable(_too_deep(most))


def _moved(fault: Unreadable, text: str, start: int) -> Finding:
    """A finding about a part of the text, with line and column of the whole."""
    if fault.reason is None:
        return fault.finding
    reason, line, column = fault.reason
    first, indent = _position(text, start)
    return _syntax(reason, first + line - 1, column + indent - 1 if line == 1 else column).finding


_REASONS: Final = {
    etree.ErrorTypes.ERR_TAG_NAME_MISMATCH: "an element is closed by the tag of another",
    etree.ErrorTypes.ERR_TAG_NOT_FINISHED: "an element is never closed",
    etree.ErrorTypes.ERR_DOCUMENT_EMPTY: "there is no element",
    etree.ErrorTypes.ERR_DOCUMENT_END: "something stands beside the root element",
    etree.ErrorTypes.ERR_UNDECLARED_ENTITY: "an entity that XML does not know (it has &amp; &lt; &gt; &apos; &quot;)",
    etree.ErrorTypes.ERR_NAME_REQUIRED: "a name is missing (a bare < or & is written &lt; or &amp;)",
    etree.ErrorTypes.ERR_ENTITYREF_SEMICOL_MISSING: "a bare & is written &amp;",
    etree.ErrorTypes.ERR_LT_IN_ATTRIBUTE: "a bare < in an attribute is written &lt;",
    etree.ErrorTypes.ERR_LT_REQUIRED: "a tag is cut off or misplaced",
    etree.ErrorTypes.ERR_GT_REQUIRED: "a tag is not ended by >",
    etree.ErrorTypes.ERR_ATTRIBUTE_REDEFINED: "an attribute is given twice",
    etree.ErrorTypes.ERR_ATTRIBUTE_NOT_STARTED: "an attribute's value has no quotes",
    etree.ErrorTypes.ERR_ATTRIBUTE_WITHOUT_VALUE: "an attribute has no value",
    etree.ErrorTypes.ERR_CDATA_NOT_FINISHED: "a CDATA section is never closed",
    etree.ErrorTypes.ERR_MISPLACED_CDATA_END: "a bare ]]> is written ]]&gt;",
    etree.ErrorTypes.ERR_COMMENT_NOT_FINISHED: "a comment is never closed",
    etree.ErrorTypes.ERR_INVALID_CHAR: "a character is not allowed in XML",
    etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE: "a namespace prefix is not declared",
}


def _fault(fault: Any, limits: Limits) -> Unreadable:
    """Our words for libxml2's error: its own text quotes the document."""
    if fault.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return Unreadable(_too_deep(min(limits.depth, _DEEPEST)))
    line, column = fault.position
    return _syntax(_REASONS.get(fault.code, "the text is not well-formed"), line, max(column, 1))


def _position(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _syntax(reason: str, line: int, column: int) -> Unreadable:
    return Unreadable(
        Finding("xml.syntax", f"not well-formed XML: {reason} (line {line}, column {column})"),
        (reason, line, column),
    )


def _too_long(text: str, most: int, name: str) -> Finding:
    return Finding(
        f"limit.{name}", f"the answer has {len(text)} characters, more than {most}", expected=most, actual=len(text)
    )


def _too_deep(most: int) -> Finding:
    return Finding("limit.depth", f"the document is nested deeper than {most} levels", expected=most)


def _truncated(text: str, at: int) -> Finding:
    line, column = _position(text, at)
    return Finding("xml.truncated", f"the document that starts in line {line}, column {column} is never closed")


def _ambiguous(text: str, spans: list[Span]) -> Finding:
    lines = ", ".join(str(_position(text, span.start)[0]) for span in spans[:5])
    return Finding(
        "xml.ambiguous",
        f"{len(spans)} different documents fit the contract (from lines {lines}); answer with one",
        actual=len(spans),
    )


def _refused(*findings: Finding) -> Reading[Any]:
    return Reading(None, None, findings)
