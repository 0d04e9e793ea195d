"""Recovers a JSON document from an answer that is none: found in what surrounds it, mended, fitted to the contract.

Stages, each tried only if the one before gave nothing that the contract accepts: whole documents in the text as they
are; each document of the text, mended and fitted; a list out of several; a document whose brackets are missing or
escaped; whole documents inside of something else; a value without brackets. What fits by spelling goes before what
fits only after something was left out or put around. Different documents that fit equally well are an ambiguity.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from guards.findings import Finding
from guards.reading.asserts import refused_asserts
from guards.reading.document import JsonDocument, document_of
from guards.reading.fitting import MISFIT, Fitted, fit
from guards.reading.guide import Guide, kind_of
from guards.reading.json_disguise import undisguised
from guards.reading.json_mender import Bare, Mended, TooDeep, closers_behind, mend
from guards.reading.json_parser import Unreadable, parse_json
from guards.reading.json_quotes import Quoted, QuoteSearch, text_alone
from guards.reading.leftover import goes_on, in_a_sentence, part_beside
from guards.reading.locate import Span, Surroundings, surroundings
from guards.reading.numbers import dumps
from guards.reading.reading import Limits, Reading
from guards.reading.rivals import is_far_fetched, slips, swallows
from guards.reading.spelling import folded, is_null
from guards.records import Repair

__all__ = ["recover", "refit"]

T = TypeVar("T")
Check = Callable[[JsonDocument, str], Reading[T]]
Stage = Callable[[Surroundings], "list[_Candidate[T]]"]

_A_TRY: Final = 1024  # what a try costs beside its characters
_MOST_STARTS: Final = 64
_NOT_NAMED: Final = Finding("schema.hint", "does not go by the names that the schema shows (x-alias, x-enum-names)")
_CUT_OFF: Final = Finding("json.truncated", "the answer ends inside of a list: its last item may not be whole")
_UNCLOSED: Final = Finding("json.ambiguous", "a bracket is missing, and more than one object may end there")
_OPENING: Final = re.compile(r"[{\[]")
_WORDS: Final = re.compile(r"[^\W\d_]{2}")
_LITERALS: Final = frozenset({"true", "false", "null", "True", "False", "None"})
_JOINT: Final = re.compile(
    r"(?:[\s,;\ufeff\u200b]|//[^\n]*|/\*(?:[^*]|\*(?!/))*+\*/"
    r"|^[ \t]*(?:[-*+\u2022]|\d+[.)])[ \t]+|```\w*)*",
    re.MULTILINE,
)
# What a sentence may hold in brackets that are no document's: a note's number, a word, nothing.
_IN_PROSE: Final = re.compile(r"""\[[^"'{}\[\]:,]*\]|\{[^"'{}\[\]:,]*\}""")
# What begins as a document does, and hardly anything else.
_DATA: Final = re.compile(
    r"""\{\s*(?:["'“][^"'“”{}\[\]\n]{0,100}["'”]|[\w$-]{1,60})\s*:|\[\s*(?:["'“\{\[]|(?:-?\d[\d.eE+-]*|true|false|null|True|False|None)\s*,)"""
)
_HALF: Final = re.compile(r"""\s*["“«][^"”»]*+""")
_MOST_READINGS: Final = 8
# How texts are put together that stand apart on purpose: no quote of them can be one of prose.
_ON_PURPOSE: Final = frozenset({"json.literal", "json.comment", "json.blank", "json.control", "json.escape"})
_OF_TEXTS: Final = frozenset({"json.inner_quote", "json.quotes", "json.escape"})
_COMMA: Final = re.compile(r"\s*,")
_TUPLE: Final = re.compile(r"\s*(?:```\w*\s*)?(\(.*\))(?:\s*```)?\s*", re.DOTALL)
_BODY: Final = re.compile(r"""\s*(?:```\w*\s*)?(?=["'“`\w])""")
# A repair that took something off, put something around or guessed: what fits without one is the better reading.
_ROUGH: Final = frozenset(
    {
        "value.extra",
        "value.wrapped",
        "value.unwrapped",
        "value.guess",
        "json.truncated",
        "json.no_value",
        "json.ellipsis",
    }
)
# Changes that leave every place where the answer has it.
_IN_PLACE: Final = frozenset({"value.number", "value.boolean", "value.null", "value.text", "value.option"})


@dataclass(frozen=True, slots=True)
class _Candidate(Generic[T]):
    """One document of the text and what the contract says of it.

    `open`: its brackets were not all closed; `misfit`: the contract's shape says that something else belongs there;
    `words`: some of its texts are words without quotes that nothing vouches for.
    """

    reading: Reading[T]
    span: Span
    repairs: tuple[Repair, ...]
    open: bool = False
    misfit: bool = False
    words: bool = False

    @property
    def grown(self) -> bool:
        """Whether members were read behind the bracket that seemed to close it."""
        return any(repair.code == "json.bracket" and repair.path == "" and repair.before for repair in self.repairs)

    @property
    def rough(self) -> bool:
        return any(repair.code in _ROUGH for repair in (*self.repairs, *self.reading.repairs))


@dataclass(frozen=True, slots=True)
class _Found(Generic[T]):
    """One document of the text; `candidate` where it was judged already, `sure` that no other reading is as good,
    `torn` that one of its texts may be several parts of the document."""

    data: Any
    span: Span
    repairs: tuple[Repair, ...]
    open: bool = False
    candidate: _Candidate[T] | None = None
    sure: bool = False
    torn: bool = False

    def is_as(self, mended: Mended) -> bool:
        """Whether the other reader read the same, by the same changes."""
        if self.candidate is None or mended.doubtful or self.open != mended.open or self.span.end != mended.end:
            return False
        return self.repairs == tuple(mended.repairs) and self.data == mended.data


def refit(reading: Reading[T], text: str, limits: Limits, check: Check[T], guide: Guide, *, eager: bool) -> Reading[T]:
    """A document that parsed and that the contract refused, fitted; the same reading where that does not help."""
    assert reading.document is not None
    if eager and not guide.hinted:  # nothing is guessed that can be read
        careful = refit(reading, text, limits, check, guide, eager=False)
        if careful.ok:
            return careful
    recovery = _Recovery(text, limits, check, guide, eager)
    whole = Span(0, len(text))
    data = reading.document.data
    fitted = recovery.any_text(whole) if not isinstance(data, str) else None
    fitted = fitted or recovery.judged(data, whole, (), is_known=not recovery.hinted)
    if fitted is None:
        return reading
    if fitted.reading.ok:
        return _repaired(fitted.reading, fitted.repairs)
    if reading.ok or recovery.refused_by_hints:  # the names that count are those of the hints
        return _repaired(fitted.reading, fitted.repairs)
    helps = len(fitted.reading.findings) < len(reading.findings)
    if helps and all(repair.code in _IN_PLACE for repair in fitted.repairs):
        return _repaired(fitted.reading, fitted.repairs)
    return reading


def recover(text: str, limits: Limits, check: Check[T], guide: Guide, *, eager: bool, syntax: Finding) -> Reading[T]:
    """The document that a text which is none was meant to be; never raises for a bad text."""
    if eager and not guide.hinted:  # nothing is guessed that can be read
        careful = _Recovery(text, limits, check, guide, False)
        reading = careful.read(syntax)
        if reading.ok or careful.limit:  # what is too much, or can be read in two ways, is so for both
            return reading
    return _Recovery(text, limits, check, guide, eager).read(syntax)


class _Recovery(Generic[T]):
    def __init__(self, text: str, limits: Limits, check: Check[T], guide: Guide, eager: bool) -> None:
        self.text = text
        self.limits = limits
        self.check = check
        self.guide = guide
        self.eager = eager
        self.hinted = eager and guide.hinted
        self.refused_by_hints = False
        self.tried: list[_Candidate[T]] = []
        self.inner: list[_Candidate[T]] = []
        self.documents: list[Span] = []
        """What was read as a document that holds more than words without quotes, in the order of the text."""
        self.limit: list[Finding] = []
        self.beside: Finding | None = None
        self.exhausted = False
        self.known: dict[str, Reading[T]] = {}
        # What is tried from several places is read again; the allowance keeps that linear in the text.
        self.allowance = 16 * len(text) + 1_000_000

    @cached_property
    def around(self) -> Surroundings:
        return surroundings(self.text)

    def read(self, syntax: Finding) -> Reading[T]:
        stages = (self._whole, self._disguised, self._mended, self._opened, self._inside, self._alone)
        chosen = self.read_by(stages)
        return chosen if chosen is not None else self._refused(syntax)

    def read_by(self, stages: Sequence[Stage[T]]) -> Reading[T] | None:
        """What the first of the stages gives that the contract accepts, or why nothing can be; None where none does."""
        around = self.around
        for stage in stages:
            found = [candidate for candidate in stage(around) if not self._is_prose(candidate)]
            if self.limit:  # what was not looked at may be the answer
                return Reading(None, None, (self.limit[0],))
            (self.inner if stage == self._inside else self.tried).extend(found)
            fitting = [candidate for candidate in found if candidate.reading.ok]
            if fitting and (chosen := self._chosen(fitting, found, around)) is not None:
                return chosen
            if any(candidate.open and self._meant(candidate) for candidate in found):
                break  # what stands inside of a document that is not closed is not the answer
        return None

    # The stages.

    def _whole(self, around: Surroundings) -> list[_Candidate[T]]:
        """Whole documents of the text as they are, unless a broken one stands beside them."""
        if self.hinted:
            return []
        candidates: list[_Candidate[T]] = []
        for span in (*around.spans, *around.alone):
            parsed = self._parsed(span)
            if self.exhausted:
                return []
            if parsed is not None:
                document, repairs = parsed
                if span not in around.alone or not isinstance(document.data, dict | list):
                    candidates.append(_Candidate(self._as_it_is(document, span), span, repairs))
            elif span not in around.alone and _DATA.match(self.text, span.start):
                return []
        return candidates

    def _disguised(self, around: Surroundings) -> list[_Candidate[T]]:
        """A document that is written in another notation as a whole."""
        body = self.text[around.start :]
        found = undisguised(body) if len(body) <= self.limits.repair_chars else None
        if found is None or not self._spend(len(body)):
            return []
        plain, what = found
        inner = _Recovery(plain, self.limits, self.check, self.guide, self.eager)
        inner.allowance = self.allowance
        reading = inner.read_by((inner._whole, inner._mended))
        self.limit += inner.limit
        self.beside = inner.beside
        if reading is not None and not reading.ok:
            self.limit += reading.findings[:1]
        whole, encoded = Span(around.start, len(self.text)), Repair("json.encoded", what, "")
        if reading is not None:
            return [_Candidate(reading, whole, (encoded,), reading.cut)]
        return [_Candidate(c.reading, whole, (encoded, *c.repairs), c.open) for c in inner.tried if not c.reading.ok]

    def _mended(self, around: Surroundings) -> list[_Candidate[T]]:
        """Each document of the text, mended where it is broken, and fitted; or all of them as one list."""
        candidates: list[_Candidate[T]] = []
        documents: list[_Found[T]] = []
        for found in self._documents(around):
            candidate = found.candidate or self.judged(found.data, found.span, found.repairs, is_open=found.open)
            if candidate is not None:
                candidates.append(candidate)
                documents.append(found)
        self.documents = [found.span for found in documents if _holds_more_than_words(found.data)]
        together = self._together(documents, candidates)
        return [together] if together is not None else candidates

    def _documents(self, around: Surroundings) -> Iterator[_Found[T]]:
        strict = {span.start: span for span in around.spans}
        at, starts = around.start, 0
        while (found := _OPENING.search(self.text, at)) is not None:
            starts += 1
            span = strict.get(found.start())
            parsed = self._parsed(span) if span is not None else None
            if span is not None and parsed is not None and not goes_on(self.text, span.end):
                document, repairs = parsed
                yield _Found(document.data, span, repairs)
                at = span.end
                continue
            # Of the first brackets each may be the one; after that, each costs what it may have to read.
            if starts > _MOST_STARTS and not self._spend(len(self.text) - found.start()):
                return
            try:
                read = self._read_at(found.start())
            except TooDeep:
                # What stands inside is as deep, less a bracket.
                self.limit.append(
                    Finding("limit.depth", "the document is nested too deeply", expected=self.limits.depth)
                )
                return
            if self.limit:
                return
            if read is None:
                at = found.end()  # a bracket in prose
            else:
                yield read
                at = max(read.span.end, found.end())

    def _read_at(self, start: int) -> _Found[T] | None:
        """The document whose bracket stands there."""
        read = self._likelier(start)
        if read is not None and read.torn:
            self._ambiguous(read.repairs)
        return read

    def _likelier(self, start: int) -> _Found[T] | None:
        """The document by its quotes alone if that is all that is wrong with it, else mended."""
        quoted = self._quoted_at(start)
        if self.limit or (quoted is not None and quoted.sure):
            return quoted
        torn = quoted is not None and quoted.torn
        mended = mend(self.text, start, self.guide, self.limits.depth, torn=torn)
        self._spend(mended.end - start)
        if not mended.members and (mended.data not in ({}, []) or self._is_nothing(start, mended)):
            return quoted
        span = Span(start, mended.end)
        if quoted is None or quoted.candidate is None or not quoted.candidate.reading.ok:
            if quoted is not None and quoted.is_as(mended):  # judged already
                return quoted
            if mended.doubtful or (mended.open and swallows(mended.data, self.guide)):
                self._ambiguous(mended.repairs)
            return _Found(mended.data, span, tuple(mended.repairs), mended.open)
        # A document whose quotes are bare, or one that is broken in another way?
        other = self.judged(mended.data, span, tuple(mended.repairs), is_open=mended.open)
        if other is None or not other.reading.ok or _canonical(other.reading) == _canonical(quoted.candidate.reading):
            return quoted
        codes = {repair.code for repair in mended.repairs}
        if codes & {"json.literal"}:  # quotes of another kind take nothing from texts that a + joins
            codes -= {repair.code for repair in quoted.repairs} - {"json.inner_quote"}
        if "json.inner_quote" in codes or mended.open:  # another way to pair the quotes, with more that is wrong
            return quoted
        if mended.doubtful or not codes <= _ON_PURPOSE | ({"json.comma"} if not mended.crowded else set()):
            self._ambiguous([*quoted.repairs, *mended.repairs])
        return _Found(mended.data, span, tuple(mended.repairs), mended.open, other)

    def _is_nothing(self, start: int, mended: Mended) -> bool:
        """Whether a bracket of a sentence was read as a document of which nothing is left."""
        end = len(self.text) if mended.open else mended.end
        return bool(mended.data == {} and mended.repairs) and in_a_sentence(self.text, start, end)

    def _quoted_at(self, start: int) -> _Found[T] | None:
        """The document by its quotes alone: the likeliest that fits, where no other does as well."""
        search = QuoteSearch(self.text, self.limits.depth)
        found = self._likeliest(search, start)
        return found if self._spend(search.taken) else None

    def _likeliest(self, search: QuoteSearch, start: int) -> _Found[T] | None:
        best: _Found[T] | None = None
        first: _Found[T] | None = None
        cost = tries = 0
        for reading in search.readings(start):
            # With a comma behind it the document went on before it was cut off.
            cut = reading.open or _COMMA.match(self.text, reading.end) is not None
            if cut and reading.cost:
                continue
            if reading.open and swallows(reading.data, self.guide):
                return best
            tries += 1
            end, behind = closers_behind(self.text, reading.end)
            span, repairs = Span(start, end), (*reading.repairs, *behind)
            candidate = self.judged(reading.data, span, repairs, is_open=reading.open)
            if candidate is None:
                return None
            found = _Found(reading.data, span, repairs, reading.open, candidate, reading.cost == 0)
            first = first or found
            if candidate.reading.ok and reading.is_torn(self.text):
                if best is None and self._is_far_fetched(reading, start):
                    return None
                found = replace(found, sure=False, torn=True)
            if not candidate.reading.ok:
                if tries == _MOST_READINGS:
                    break
                continue
            rival = best.candidate if best is not None else None
            other = rival is not None and _canonical(rival.reading) != _canonical(candidate.reading)
            if reading.doubtful or other or tries == _MOST_READINGS:
                self._ambiguous(reading.repairs)
                return best or found
            if best is None:
                best, cost = found, reading.cost
            if cost == 0 and search.least != 0:
                return best
        if best is not None and search.exhausted:
            self._ambiguous(best.repairs)
        return best or (replace(first, sure=False) if first is not None else None)

    def _is_far_fetched(self, reading: Quoted, start: int) -> bool:
        """Whether the document is one with a few slips between its members, not one of texts that swallow them."""
        mended = mend(self.text, start, self.guide, self.limits.depth, torn=True)
        self._spend(mended.end - start)
        most = slips(mended.repairs)
        if mended.doubtful or mended.open or most is None:
            return False
        if not is_far_fetched(reading, self.text, self.guide, most):
            return False
        candidate = self.judged(mended.data, Span(start, mended.end), tuple(mended.repairs))
        return candidate is not None and candidate.reading.ok and not candidate.rough

    def _ambiguous(self, repairs: Sequence[Repair]) -> None:
        doubted = [repair.path for repair in repairs if repair.code in _OF_TEXTS]
        message = (
            "the quotes or backslashes of this text can be read in two ways; escape them"
            if doubted
            else "the document can be read in two ways"
        )
        self.limit.insert(0, Finding("json.ambiguous", message, doubted[0] if doubted else ""))

    def _together(self, documents: list[_Found[T]], candidates: list[_Candidate[T]]) -> _Candidate[T] | None:
        """Several documents, one after the other, where a list of them is asked for."""
        if len(documents) < 2 or any(c.reading.ok and not c.rough for c in candidates):
            return None
        if "array" not in self.guide.kinds and not any("array" in option.kinds for option in self.guide.options):
            return None
        ends = [found.span for found in documents]
        between = (self.text[left.end : right.start] for left, right in pairwise(ends))
        if not all(len(gap) < 1000 and _JOINT.fullmatch(gap) for gap in between):
            return None
        joined = Repair("json.joined", "several documents were read as one list", "", after=len(documents))
        repairs = (joined, *(repair for found in documents for repair in found.repairs))
        candidate = self.judged([found.data for found in documents], Span(ends[0].start, ends[-1].end), repairs)
        return candidate if candidate is not None and candidate.reading.ok else None

    def _opened(self, around: Surroundings) -> list[_Candidate[T]]:
        """A document whose first bracket is missing, or a round one."""
        if "array" in self.guide.kinds:
            for span in (Span(around.start, len(self.text)), *around.alone):
                if (tuple_ := _TUPLE.fullmatch(self.text, span.start, span.end)) is not None:
                    return self._rounded(tuple_.start(1))
        body = _BODY.match(self.text, around.start)
        if body is None or ("object" not in self.guide.kinds and not self.guide.options):
            return []
        try:
            mended = mend(self.text, body.end(), self.guide, self.limits.depth, opener="{")
        except TooDeep:
            return []
        known = self.guide.known
        if not isinstance(mended.data, dict) or not mended.data or known is None or mended.doubtful:
            return []
        if not all(folded(key) in known for key in mended.data):  # nothing else says that this is a document
            return []
        candidate = self.judged(mended.data, Span(body.end(), mended.end), tuple(mended.repairs))
        if candidate is None or not candidate.reading.ok:
            return []
        # Without brackets nothing says that it was cut off: it may be lines of another notation.
        return [] if any(repair.code == "json.truncated" for repair in candidate.repairs) else [candidate]

    def _rounded(self, start: int) -> list[_Candidate[T]]:
        """A list in round brackets, as Python writes some."""
        try:
            mended = mend(self.text, start, self.guide, self.limits.depth, opener="(")
        except TooDeep:
            return []
        if mended.doubtful or mended.open:
            return []
        candidate = self.judged(mended.data, Span(start, mended.end), tuple(mended.repairs))
        return [candidate] if candidate is not None and candidate.reading.ok else []

    def _inside(self, around: Surroundings) -> list[_Candidate[T]]:
        """Whole documents inside of what is broken: the outermost that parse, unless they are a part of a document that
        was read around them."""
        if self.hinted:
            return []
        found: list[_Candidate[T]] = []
        waiting = [inner for span in around.spans if self._parsed(span) is None for inner in span.inner]
        waiting = [*reversed(waiting), *reversed(around.loose)]
        while waiting:
            span = waiting.pop()
            parsed = self._parsed(span)
            if self.exhausted:
                return []
            if parsed is None:
                waiting.extend(reversed(span.inner))
            else:
                document, repairs = parsed
                if document.data and not self._is_a_part(span):
                    found.append(_Candidate(self._as_it_is(document, span), span, repairs))
        return found

    def _is_a_part(self, span: Span) -> bool:
        before = bisect(self.documents, span.start, key=lambda around: around.start)
        return before > 0 and span.end <= self.documents[before - 1].end

    def _alone(self, around: Surroundings) -> list[_Candidate[T]]:
        """A value without brackets: in a fence, behind the thinking part, or all there is."""
        if self.beside is not None:  # it is prose, as was seen, or there are parts of a document
            return []
        if around.open_thinking or not (self.guide.kinds - {"object", "array"} or self.guide.options or self.eager):
            return []
        if (whole := self.any_text(Span(around.start, len(self.text)))) is not None:
            return [whole]
        if _HALF.fullmatch(self.text, around.start):  # a text that was cut off
            return []
        candidates: list[_Candidate[T]] = []
        everything = Span(around.start, len(self.text))
        for span in (*around.alone, everything):
            if span is everything and candidates:
                break
            written = self.text[span.start : span.end].strip()
            if not written or len(written) > self.limits.repair_chars or (not self.eager and len(written) > 200):
                continue
            quoted = text_alone(written)
            any_text = not self.eager and "string" in self.guide.kinds and self.guide.values is None and quoted is None
            if any_text and not is_null(written):
                continue  # any prose would do
            data, repairs = quoted if quoted is not None else (Bare(written), ())
            candidate = self.judged(data, span, repairs)
            if (
                candidate is not None
                and candidate.reading.ok
                and not (candidate.misfit or (any_text and candidate.words))
            ):
                candidates.append(candidate)
        return candidates

    def any_text(self, span: Span) -> _Candidate[T] | None:
        """`eager`: where any text will do, the whole answer is the text."""
        if not self.eager or self.guide.kinds != {"string"} or self.guide.values is not None:
            return None
        written = self.text[span.start : span.end]
        if len(written) <= self.limits.repair_chars and text_alone(written.strip()) is not None:
            return None
        document = JsonDocument(written)
        taken = Repair("value.guess", "the whole answer was taken for the text", "", after=len(written))
        return _Candidate(self.check(document, json.dumps(written)), span, (taken,)) if written.strip() else None

    # One candidate.

    def _as_it_is(self, document: JsonDocument, span: Span) -> Reading[T]:
        """What the contract says of a whole document; of equal ones once."""
        written = self.text[span.start : span.end]
        reading = self.known.get(written)
        if reading is None:
            reading = self.known[written] = self.check(document, written)
        return reading

    def judged(
        self, data: Any, span: Span, repairs: tuple[Repair, ...], *, is_open: bool = False, is_known: bool = False
    ) -> _Candidate[T] | None:
        """The data fitted and held against the contract; None where nothing is left of it, or where it was judged
        before (`is_known`) and nothing changed."""
        if not self._spend(2 * (span.end - span.start)):
            return None
        fitted = fit(data, self.guide, eager=self.eager, hinted=self.hinted, parse=self._parse)
        if fitted is None or (is_known and not fitted.repairs):
            return None
        document = document_of(fitted.data)
        reading = self.check(document, dumps(fitted.data))
        if reading.ok and fitted.lost:
            reading = Reading(None, document, (_CUT_OFF,))
        if reading.ok and self._may_be_unclosed(fitted, repairs):
            reading = Reading(None, document, (_UNCLOSED,))
        if reading.ok and self.hinted:
            refused = refused_asserts(fitted.data, self.guide) if fitted.cost < MISFIT else (_NOT_NAMED,)
            if refused:
                self.refused_by_hints = True
                reading = Reading(None, document, refused)
        return _Candidate(reading, span, (*repairs, *fitted.repairs), is_open, fitted.cost >= MISFIT, fitted.words)

    def _may_be_unclosed(self, fitted: Fitted, repairs: tuple[Repair, ...]) -> bool:
        """Whether the object that was taken out of another may end before members that are those of the outer one: a
        bracket was missing somewhere, and it has members that the contract does not know."""
        known = self.guide.known
        if known is None or not isinstance(fitted.data, dict) or all(folded(key) in known for key in fitted.data):
            return False
        unwrapped = any(repair.code == "value.unwrapped" and repair.path == "" for repair in fitted.repairs)
        return unwrapped and any(repair.code == "json.bracket" for repair in repairs)

    def _parsed(self, span: Span) -> tuple[JsonDocument, tuple[Repair, ...]] | None:
        if not self._spend(span.end - span.start):
            return None
        try:
            return parse_json(self.text[span.start : span.end], self.limits)
        except Unreadable as fault:
            if fault.finding.code == "limit.depth":
                self.limit.append(fault.finding)
            return None

    def _parse(self, text: str, guide: Guide) -> Any:
        """A document that stands alone in a string; raises ValueError where there is none."""
        try:
            return parse_json(text, self.limits)[0].data
        except Unreadable:
            pass
        if not self._spend(len(text)):
            raise ValueError("too many documents in strings")
        if text.strip() == self.text.strip():
            raise ValueError("the answer itself, whose documents were mended already")
        start = _OPENING.search(text)
        if start is None or text[: start.start()].strip("` \t\r\njson"):
            raise ValueError("no document")
        for reading in QuoteSearch(text, self.limits.depth).readings(start.start()):
            if reading.cost == 0 and not reading.doubtful and not text[reading.end :].strip("` \t\r\n"):
                return self._no_words(reading.data)
            break
        try:
            mended = mend(text, start.start(), guide, self.limits.depth)
        except TooDeep:
            raise ValueError("nested too deeply") from None
        if mended.open or mended.doubtful or text[mended.end :].strip("` \t\r\n"):
            raise ValueError("no whole document")
        return self._no_words(mended.data)

    def _no_words(self, data: Any) -> Any:
        """The data, unless it is words in brackets: `[not found]` in a text is no list."""
        items = data if isinstance(data, list) else [data]
        if any(isinstance(item, Bare) and _WORDS.search(item) and item not in _LITERALS for item in items):
            raise ValueError("no document")
        return data

    def _spend(self, chars: int) -> bool:
        """Whether a try of so many characters is still allowed. If not, the whole answer is refused: what was not
        looked at may fit too, and choosing among the rest would be a guess."""
        self.allowance -= chars + _A_TRY
        if self.allowance < 0 and not self.exhausted:
            self.exhausted = True
            self.limit.insert(
                0, Finding("limit.candidates", "too many brackets in the answer to tell which is the document")
            )
        return not self.exhausted

    def _meant(self, candidate: _Candidate[T]) -> bool:
        """Whether this is the kind of document that is asked for, rather than a bracket in prose."""
        document = candidate.reading.document
        return document is not None and kind_of(document.data) in self.guide.kinds

    # The choice.

    def _is_prose(self, candidate: _Candidate[T]) -> bool:
        """Whether what fits is a bracket in a sentence: a link, a placeholder, the number of a note."""
        written = self.text[candidate.span.start : candidate.span.end]
        if not candidate.words and not _IN_PROSE.fullmatch(written):
            return False
        if any(mark in written for mark in "\"'") or ":" in written:
            return False
        if self.eager and "," in written and not self.text.startswith("(", candidate.span.end):
            return False
        if not in_a_sentence(self.text, candidate.span.start, candidate.span.end):
            return False
        self.beside = self.beside or Finding(
            "json.missing", "the answer holds no JSON document: its brackets are those of a sentence"
        )
        return True

    def _chosen(
        self, fitting: list[_Candidate[T]], found: list[_Candidate[T]], around: Surroundings
    ) -> Reading[T] | None:
        """The one that is the answer, or that there is none; None where what it would leave out is a part of it."""
        smooth = [candidate for candidate in fitting if not candidate.rough]
        fitting = smooth or fitting
        distinct = {_canonical(c.reading): c for c in fitting}
        apart = len({(c.span.start, c.span.end) for c in fitting}) > 1
        apart = apart or any(c.misfit and self._is_apart(c) and not self._is_prose(c) for c in found)
        one_of_many = apart and any(r.code == "value.wrapped" and r.path == "" for c in fitting for r in c.repairs)
        if (len(distinct) > 1 or one_of_many) and not self.eager:
            return Reading(
                None,
                None,
                (
                    Finding(
                        "json.ambiguous",
                        f"{len(fitting)} documents in the answer fit; give exactly one"
                        if one_of_many
                        else f"{len(distinct)} different documents in the answer fit; give exactly one",
                        expected="one document",
                        actual=len(fitting) if one_of_many else len(distinct),
                    ),
                ),
            )
        taken = fitting[-1]
        span = (taken.span.start, taken.span.end)
        others = [(candidate.span.start, candidate.span.end) for candidate in found if self._is_apart(candidate)]
        part = part_beside(self.text, around.start, span, others, partial(self._is_its_key, taken))
        if part is not None:
            self.beside = self._left_out(part)
            return None
        repairs = [*around.repairs(self.text, taken.span)]
        if len(distinct) > 1:
            assert taken.reading.document is not None
            others = [c.reading.document.data for c in distinct.values() if c is not taken and c.reading.document]
            repairs.append(
                Repair(
                    "json.last", "several documents fit; the last was taken", "", others, taken.reading.document.data
                )
            )
        cut = taken.open or any(repair.code == "json.truncated" for repair in taken.repairs)
        return _repaired(replace(taken.reading, cut=cut), (*repairs, *taken.repairs))

    def _is_its_key(self, candidate: _Candidate[T], name: str, quoted: bool) -> bool:
        """Whether the name before a document is the key under which it stands in another one: one that the contract
        knows for such a value, or any that looks like a key where members follow the bracket that closes the value."""
        assert candidate.reading.document is not None
        data, plain = candidate.reading.document.data, folded(name)
        again = not quoted and isinstance(data, dict) and any(folded(key) == plain for key in data)
        if self.guide.holds(plain, kind_of(data)) and not again:
            return True
        return candidate.grown and (quoted or (name.islower() and " " not in name))

    def _refused(self, syntax: Finding) -> Reading[T]:
        """The findings that help most: of the candidate that came closest, else why there is none."""
        tried, around = self.tried or self.inner, self.around
        if self.beside is not None and not (tried and self.beside.code == "json.missing"):
            return Reading(None, None, (self.beside,))
        judged = [candidate for candidate in tried if candidate.reading.document is not None]
        cut = [candidate for candidate in judged if self._is_cut_off(candidate)]
        if judged and not cut:
            fewest = min(len(candidate.reading.findings) for candidate in judged)
            best = next(c for c in reversed(judged) if len(c.reading.findings) == fewest)
            return _repaired(best.reading, (*around.repairs(self.text, best.span), *best.repairs))
        # What was cut off is no answer, but what there is of it need not be asked for again.
        document = cut[0].reading.document if cut else None
        return Reading(None, document, (self._why(around, syntax),))

    def _is_apart(self, candidate: _Candidate[T]) -> bool:
        """Whether this is surely a document of its own, not a piece of another one's text."""
        if not candidate.repairs:
            return True
        written = self.text[candidate.span.start : candidate.span.end]
        named = ":" in written and written.count('"') % 2 == 0
        document = candidate.reading.document
        return named and not candidate.open and document is not None and isinstance(document.data, dict)

    def _left_out(self, at: int) -> Finding:
        line, column = self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)
        return Finding(
            "json.syntax",
            f"at line {line}, column {column} stands what looks like a part of the document, outside of its brackets; "
            "put all of it inside, or take it away",
            expected="one JSON document",
        )

    def _is_cut_off(self, candidate: _Candidate[T]) -> bool:
        """Whether the answer ended before its document did. A bracket that is only missing says less: something follows
        it, or all that has to be there is."""
        if not (candidate.open and self._meant(candidate)) or self.text[candidate.span.end :].strip():
            return False
        stopped = any(repair.code == "json.truncated" for repair in candidate.repairs)
        return stopped or any(finding.code == "schema.required" for finding in candidate.reading.findings)

    def _why(self, around: Surroundings, syntax: Finding) -> Finding:
        if around.open_thinking:
            return Finding("json.truncated", "the answer ends inside its thinking part; no document follows")
        body = self.text[around.start :].strip()
        if not around.has_bracket and not body.startswith('"'):
            message = "the answer is empty" if not body else "the answer holds no JSON document"
            return Finding("json.missing", message, expected="one JSON document")
        if around.unclosed:
            return Finding("json.truncated", "the document is not closed: the answer ends before it does")
        return syntax


def _holds_more_than_words(data: Any) -> bool:
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return not all(isinstance(part, Bare) for part in parts)


def _canonical(reading: Reading[Any]) -> str:
    """The data as text: `true` and `1` differ, the order of keys does not count."""
    return dumps(reading.document.data if reading.document else None, sort_keys=True)


def _repaired(reading: Reading[T], repairs: tuple[Repair, ...]) -> Reading[T]:
    if not repairs:
        return reading
    return replace(reading, repairs=(*repairs, *reading.repairs))
