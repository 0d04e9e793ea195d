"""Mends an XML answer: its tags, then its names, places and values, and lets the contract judge what comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, TypeVar

from lxml import etree

from guards.findings import Finding
from guards.reading.reading import Dial, Limits, Reading
from guards.reading.spelling import is_null
from guards.reading.xml_document import element_at
from guards.reading.xml_fitting import documents, fit_xml
from guards.reading.xml_locate import beside, find_documents, unfenced
from guards.reading.xml_mender import mend_xml
from guards.reading.xml_names import Names
from guards.reading.xml_node import BLANK, Node, is_closed
from guards.reading.xml_prolog import Unreadable
from guards.reading.xml_shape import XSI
from guards.records import Repair

__all__ = ["mended"]

T = TypeVar("T")
_MOST_DOCUMENTS: Final = 20
# What fits without one of these is the better reading.
_ROUGH: Final = frozenset({"xml.extra", "xml.text", "xml.truncated", "xml.root", "xml.unwrapped", "xml.wrapped"})


def mended(
    text: str, dial: Dial, limits: Limits, check: Callable[[Any], Reading[T]], names: Names, *, instead: Reading[T]
) -> Reading[T]:
    """The document that the text was meant to hold; `instead` where it cannot be told."""
    sight = find_documents(text, list(names.schema.roots))
    if sight.open_thinking:
        return instead
    source, fence, behind = unfenced(text[sight.start :])
    try:
        top, repairs = mend_xml(source, names, limits.depth)
    except Unreadable as fault:
        return Reading(None, None, (fault.finding,))
    found = documents(top, names)
    if len(found) > _MOST_DOCUMENTS:
        finding = Finding(
            "limit.candidates",
            f"{len(found)} documents stand in the answer; at most {_MOST_DOCUMENTS} are mended",
            expected=_MOST_DOCUMENTS,
            actual=len(found),
        )
        return Reading(None, None, (finding,))
    members = [inner for node, _, _ in found for inner in (node, *(node.nodes if node.at < 0 else ()))]
    if found and (stray := _outside(top, members, names)) is not None:
        return Reading(None, None, (beside(stray.name),))
    judged: list[tuple[Reading[T], tuple[Repair, ...]]] = []
    for node, root, own in found:
        try:
            reading, changes = _fitted(node, root, names, check, own, eager=dial == "eager")
            reading = replace(reading, cut=not is_closed(node))
            judged.append((reading, (*_around(text[: sight.start], fence, _beside(top, node) + behind), *changes)))
        except Unreadable as fault:
            instead = Reading(None, None, (fault.finding,))
        except (ValueError, etree.XMLSyntaxError):
            continue  # a name that XML cannot have, in a part that the schema says nothing about
    fitting = [entry for entry in judged if entry[0].ok]
    fitting = [entry for entry in fitting if not _ROUGH & {repair.code for repair in entry[1]}] or fitting
    if not fitting:
        helps = [entry for entry in judged if entry[0].document is not None]
        if instead.document is None and helps and instead.findings[0].code != "xml.truncated":
            reading, changes = min(helps, key=lambda entry: len(entry[0].findings))
            return replace(reading, value=None, repairs=(*repairs, *changes))
        return instead
    different = {repr(reading.value): (reading, changes) for reading, changes in fitting}
    if len(different) > 1 and dial != "eager":
        words = f"{len(different)} different documents fit the contract; answer with one"
        return Reading(None, None, (Finding("xml.ambiguous", words, actual=len(different)),))
    reading, changes = fitting[-1]
    every = (*repairs, *changes, *reading.repairs)
    if len(different) > 1:
        passed = [reading.value for reading, _ in list(different.values())[:-1]]
        every = (Repair("xml.last", "of several documents that fit the last was taken", "", before=passed), *every)
    # What strict reading refused is never accepted without a word.
    return replace(reading, repairs=every) if every else instead


# Of `fit_xml`, in the order in which they are tried.
_WAYS: Final = (
    frozenset({"keep"}),
    frozenset({"keep", "unwrap"}),
    frozenset[str](),
    frozenset({"sort"}),
    frozenset({"unwrap"}),
)


def _fitted(
    node: Any,
    root: Any,
    names: Names,
    check: Callable[[Any], Reading[T]],
    own: tuple[Repair, ...],
    *,
    eager: bool,
) -> tuple[Reading[T], tuple[Repair, ...]]:
    """The best of the document as it stands, with lists unwrapped, without what the schema does not know, and with its
    elements in the schema's order."""
    best: tuple[Reading[T], tuple[Repair, ...]] | None = None
    missing: set[str] = set()
    seen: set[bytes] = set()
    differs: frozenset[str] | None = None
    for way in _WAYS:
        if differs is not None and not (way ^ _WAYS[0]) & differs:
            continue
        try:
            made, changes, ways = fit_xml(node, root, names, eager=eager, **dict.fromkeys(way, True))
            # Parsed once more, so that the contract sees what any reader of the text would see.
            source = etree.tostring(made)
            if source in seen:
                continue
            tree = etree.fromstring(source)
        except (ValueError, etree.XMLSyntaxError):
            if "keep" in way:
                continue  # a name that XML cannot have, of what the schema does not know
            raise
        seen.add(source)
        differs = ways if differs is None else differs | ways
        reading = check(tree)
        if not reading.ok and (trimmed := _trimmed(tree, reading.findings)):
            reading, changes = check(tree), (*changes, *trimmed)
        if not reading.ok:
            with_nulls = deepcopy(tree)
            if (emptied := _emptied(with_nulls, reading.findings, eager=eager)) and (nulls := check(with_nulls)).ok:
                reading, changes = nulls, (*changes, *emptied)
        if best is None:
            missing = {_parent(finding.path) for finding in reading.findings if finding.code == "schema.required"}
        elif any(change.code == "xml.extra" and _parent(change.path) in missing for change in changes):
            continue  # what is left out may be what is missing, by another name
        if best is None or reading.ok or len(reading.findings) < len(best[0].findings):
            best = (reading, (*own, *changes))
        if reading.ok:
            break
    assert best is not None
    return best


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


# A length counts the blanks; all else that is refused for its form may be refused for them.
_FORMS: Final = frozenset({"schema.pattern", "schema.format", "schema.type"})


def _trimmed(root: Any, findings: Iterable[Finding]) -> list[Repair]:
    """Takes the blanks around values that were refused for their form out of the tree."""
    repairs: list[Repair] = []
    for path in dict.fromkeys(finding.path for finding in findings if finding.code in _FORMS):
        place, _, name = path.partition("/@")
        element = element_at(root, place)
        if element is None or (not name and len(element)):
            continue
        full = next((full for full in element.attrib if full.rpartition("}")[2] == name), None) if name else None
        text = element.text if full is None else element.get(full)
        if text is None or text == text.strip(BLANK):
            continue
        repairs.append(Repair("value.trim", "blanks around a value were left out", path, text, text.strip(BLANK)))
        if full is None:
            element.text = text.strip(BLANK)
        else:
            element.set(full, text.strip(BLANK))
    return repairs


def _emptied(root: Any, findings: Iterable[Finding], *, eager: bool) -> list[Repair]:
    """Writes null where a value is missing, or says that it is, and no text may stand."""
    repairs: list[Repair] = []
    for path in dict.fromkeys(finding.path for finding in findings if finding.code in _NO_TEXT):
        element = element_at(root, path) if "/@" not in path else None
        text = (element.text or "") if element is not None else ""
        if element is None or len(element) or element.attrib or (text.strip(BLANK) and not is_null(text, eager=eager)):
            continue
        repairs.append(Repair("value.null", "another way of writing null", path, text))
        element.text = None
        element.set(f"{{{XSI}}}nil", "true")
    return repairs


_NO_TEXT: Final = frozenset({"schema.format", "schema.type"})


def _outside(top: Node, found: Iterable[Node], names: Names) -> Node | None:
    """An element beside the documents that is none of them, though the schema has its name."""
    inside = {id(node) for node in found}
    waiting = list(top.nodes)
    while waiting:
        node = waiting.pop()
        if id(node) in inside:
            continue
        waiting += node.nodes
        if is_closed(node) and names.knows(node.name) and not names.may_be_root(node):
            return node
    return None


def _beside(node: Node, document: Node) -> str:
    """What stands inside of a node beside the document."""
    # Where the root was missing, its parts are the document.
    kept = {id(part) for part in document.parts} if document.at < 0 else {id(document)}
    pieces: list[str] = []
    waiting: list[Node | str] = [*reversed(node.parts)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            pieces.append(part)
        elif id(part) not in kept:
            waiting += [part.tags[1], *reversed(part.parts), part.tags[0]]
    return "".join(pieces)


def _around(thoughts: str, fence: str, between: str) -> list[Repair]:
    repairs = []
    if thoughts:
        repairs.append(Repair("text.think", "the thinking part was set aside", "", before=thoughts))
    if fence:
        repairs.append(Repair("text.fence", "the document was taken out of a code fence", "", before=fence))
    if between := between.strip(BLANK):
        repairs.append(Repair("text.prose", "text around the document was set aside", "", before=between))
    return repairs
