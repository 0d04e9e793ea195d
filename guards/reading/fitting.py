"""Fits data to what a contract's schema wants: spelling of keys and options, numbers in quotes, wrappers too many.

Every change has a cost; of the members of a union the cheapest is taken, and two that cost the same and differ are
none. A fit only proposes: the contract judges what comes out. Nothing required is filled in, no item dropped, nothing
rounded or trimmed; `careful` changes spelling only, `eager` may guess (see docs/reading.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from guards.findings import join_pointer
from guards.reading.guide import ANY, Guide, kind_of
from guards.reading.json_mender import Bare, Cut, CutBare
from guards.reading.numbers import INFINITE, Number, as_whole, dumps, exact, numerically
from guards.reading.spelling import boolean, folded, is_literal, is_null, number, number_in, pick, pick_in
from guards.records import Repair

__all__ = ["MISFIT", "Fitted", "fit"]

MISFIT: Final = 10**12
"""What one thing costs that cannot be made to fit; below it the whole document fits, as far as a guide can tell."""

_SPELLING, _TYPE, _WRAPPER, _GUESS = 1, 2, 4, 8
_UNREAD: Final = 10**6
"""What a key costs that is left out, or that nobody will read: more than any other change. Of two members of a union
that leave as many out neither is better, whatever else they change."""
_NO_TEXT: Final = 3  # more than for the number that it is
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LITERALS: Final = {"true": True, "false": False, "null": None}
_OTHERS: Final = {**_LITERALS, **dict.fromkeys(("none", "nil", "undefined"))}
"""Literals of any language, in any case."""
_NAN: Final = frozenset({"NaN", "nan", "NAN"})
_INFINITE: Final = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)
_GONE: Final = object()
_MOST_INSIDE: Final = 3  # documents inside of strings inside of documents
_MOST_FITS: Final = 100_000  # members of unions inside of members of unions multiply
_FITS_OF_A_PART: Final = 8  # more than that many times nobody looks at each part of a large document


class Fitted:
    """The data, what it cost to make it fit, each change; `lost`: the last item of a list may not be whole; `words`:
    text without quotes was taken for a text of which nothing says what it must be."""

    __slots__ = ("cost", "data", "lost", "repairs", "words")

    def __init__(self, data: Any, cost: int, repairs: list[Repair], lost: bool, words: bool) -> None:
        self.data = data
        self.cost = cost
        self.repairs = repairs
        self.lost = lost
        self.words = words


def fit(data: Any, guide: Guide, *, eager: bool, hinted: bool, parse: Callable[[str, Guide], Any]) -> Fitted | None:
    """The data made to fit. `parse` reads a document out of a text (raises ValueError where there is none).

    `hinted` (eager only): properties and options go by the names of the hints alone, and defaults count. None where
    the end of the answer cut off all there was.
    """
    fitter = _Fitter(data, eager=eager, hinted=hinted, parse=parse)
    try:
        value, cost = fitter.fit(data, guide)
    except (_TooMuch, RecursionError):
        return None
    return None if value is _GONE else Fitted(value, cost, fitter.repairs, fitter.lost, fitter.words)


class _TooMuch(Exception):  # control flow inside this file
    pass


class _Fitter:
    def __init__(self, data: Any, *, eager: bool, hinted: bool, parse: Callable[[str, Guide], Any]) -> None:
        self.repairs: list[Repair] = []
        self._eager = eager
        self._hinted = hinted
        self._parse = parse
        self._place: list[str | int] = []
        self._inside = 0
        self._changing = False  # inside of something put around or taken off: once is a slip, twice a guess
        self._fits = 0
        self._most = _MOST_FITS
        self._data = data
        self.lost = self.words = False
        self._needed = True  # the object around cannot do without it

    def note(self, code: str, message: str, before: Any = None, after: Any = None) -> None:
        self.repairs.append(Repair(code, message, join_pointer(self._place), before, after))

    def _at(self, place: str | int, value: Any, guide: Guide, *, needed: bool = False) -> tuple[Any, int]:
        """A part of what is being fitted."""
        if type(value) in guide.as_is:  # most parts, even of an answer that does not hold
            return value, 0
        changing, self._changing = self._changing, False
        self._needed = needed
        self._place.append(place)
        fitted = self.fit(value, guide)
        self._place.pop()
        self._changing = changing
        return fitted

    def fit(self, value: Any, guide: Guide) -> tuple[Any, int]:
        self._fits += 1
        if self._fits > self._most:
            self._go_on()
        kind = type(value)
        if kind is Cut or (kind is CutBare and value.casefold() not in _OTHERS):
            return self._cut(value)
        if guide.options:
            return self._union(value, guide)
        if kind is dict:
            return self._object(value, guide)
        if kind is list:
            return self._list(value, guide)
        if kind is str:
            return self._text(value, guide)
        return self._bare(value, guide) if isinstance(value, Bare) else self._scalar(value, guide)

    def _go_on(self) -> None:
        """Raises `_TooMuch`, unless it is the data itself that is large."""
        if self._most > _MOST_FITS:
            raise _TooMuch
        self._most = _MOST_FITS + _FITS_OF_A_PART * _size(self._data)

    # Unions: the cheapest member.

    def _union(self, value: Any, guide: Guide) -> tuple[Any, int]:
        start = len(self.repairs)
        best: list[tuple[int, Any, list[Repair]]] = []
        for option in guide.options:
            fitted, cost = self.fit(value, option)
            made = self.repairs[start:]
            del self.repairs[start:]
            if not best or _rank(cost) < _rank(best[0][0]):
                best = [(cost, fitted, made)]
            elif _rank(cost) == _rank(best[0][0]) and cost < MISFIT and not _same(fitted, best[0][1]):
                best.append((cost, fitted, made))
            if cost == 0:
                break
        cost, fitted, made = best[0]
        if len(best) > 1:
            if not self._eager:
                return value, MISFIT
            made = [*made]
        self.repairs += made
        return fitted, cost

    # What the end of the answer cut off.

    def _cut(self, value: str) -> tuple[Any, int]:
        self.note("json.truncated", "a value that the end of the answer cut off was left out", before=str(value))
        return _GONE, _TYPE

    # Text without quotes.

    def _bare(self, value: Bare, guide: Guide) -> tuple[Any, int]:
        written, kinds = str(value), guide.kinds
        if guide.values is not None:
            return self._listed_bare(written, guide)
        if written in _LITERALS and kind_of(_LITERALS[written]) in kinds:
            return _LITERALS[written], 0
        if kinds & {"integer", "number"} and (plain := _json_number(written)) is not None and kind_of(plain) in kinds:
            return plain, 0
        literal = _literal(written)
        if literal is not None and literal[0] is not INFINITE and kind_of(literal[0]) in kinds:
            self.note("json.literal", "a literal of another language", before=written, after=literal[0])
            return literal[0], _SPELLING
        # What means something else is no text whose quotes were forgotten: as in a document that has all its quotes.
        other = literal is not None or _JSON_NUMBER.fullmatch(written) is not None
        numeric = bool(kinds & {"integer", "number"}) and number(written) is not None
        if self._may_be_text(written, guide) and not numeric and not (other and (literal or not self._eager)):
            self.note("json.unquoted", "a text without quotes", before=written, after=written)
            self.words = True
            return written, _NO_TEXT if is_literal(written) else _TYPE if other else _SPELLING
        return self._text(value, guide, bare=True)

    def _listed_bare(self, written: str, guide: Guide) -> tuple[Any, int]:
        """One of the values that the schema lists: what JSON has without quotes is what it is in JSON first."""
        if written in _LITERALS:
            return self._scalar(_LITERALS[written], guide)
        if (plain := _json_number(written)) is not None:
            return self._scalar(plain, guide)
        start = len(self.repairs)
        chosen, cost = self._listed(written, guide)
        if cost < MISFIT and len(self.repairs) == start:
            self.note("json.unquoted", "a text without quotes", before=written, after=chosen)
        return chosen, cost or _SPELLING

    def _may_be_text(self, written: str, guide: Guide) -> bool:
        """Whether a text may stand here, and the schema's pattern has nothing against this one."""
        return "string" in guide.kinds and guide.matches(written)

    # Scalars.

    def _text(self, value: str, guide: Guide, *, bare: bool = False) -> tuple[Any, int]:
        kinds = guide.kinds
        if guide.values is not None:
            return self._listed(value, guide)
        if not bare and self._may_be_text(value, guide):
            return value, 0
        may_guess = self._eager and value.lstrip()[:1] not in {"{", "["}  # no sentence, but a document
        if "null" in kinds and is_null(value, eager=self._eager):
            self.note("value.null", "another way of writing null", before=value)
            return None, _TYPE
        if kinds & {"integer", "number"}:
            found = number(value)
            guessed = found is None and may_guess
            if guessed:
                found = number_in(value, ratio="number" in kinds)
            if found is not None and (made := _of_kind(found, kinds)) is not None:
                if guessed:
                    self.note("value.guess", "a number out of words", before=value, after=made)
                else:
                    self.note("value.number", "another way of writing a number", before=value, after=made)
                # Of an int and a float the one as which it is written.
                return made, _GUESS if guessed else _TYPE + (type(made) is not type(found))
        if "boolean" in kinds and (truth := boolean(value, eager=may_guess)) is not None:
            self.note("value.boolean", "another way of writing true or false", before=value, after=truth)
            return truth, _TYPE if boolean(value) is truth else _GUESS
        fitted, cost = self._document_inside(value, guide) if kinds & {"object", "array"} else (value, MISFIT)
        return (_plain(value), MISFIT) if bare and cost >= MISFIT else (fitted, cost)

    def _document_inside(self, value: str, guide: Guide) -> tuple[Any, int]:
        """A document that stands in a string."""
        if self._inside < _MOST_INSIDE and value.lstrip()[:1] in {"{", "[", '"', "\\", "`", "<", "'"}:
            try:
                inner = self._parse(value, guide)
            except ValueError:
                inner = value
            if not isinstance(inner, str):
                self._inside += 1
                start = len(self.repairs)
                self.note("value.json", "the document stood in a string", before=value)
                fitted, cost = self.fit(inner, guide)
                self._inside -= 1
                if cost < MISFIT:
                    return fitted, cost + _WRAPPER
                del self.repairs[start:]
        return self._wrapped(value, guide) if self._eager else (value, MISFIT)

    def _listed(self, value: str, guide: Guide) -> tuple[Any, int]:
        """One of the values that the schema lists."""
        values, ways = guide.values or (), guide.ways
        if not (self._hinted and guide.renamed):
            if value in values:
                return value, 0
            ways = {**{v: v for v in values if isinstance(v, str)}, **ways}
        chosen = pick(value, ways)
        if chosen is not None:
            if chosen != value:
                self.note("value.option", "another spelling of an option", before=value, after=chosen)
            return chosen, _SPELLING
        for other in values:
            if not isinstance(other, str) and self._spells(value, other):
                self.note("value.option", "another spelling of an option", before=value, after=other)
                return other, _TYPE
        if self._eager and (guess := pick_in(value, {**guide.described, **ways})) is not None:
            self.note("value.guess", "an option out of a longer text", before=value, after=guess)
            return guess, _GUESS
        return value, MISFIT

    def _spells(self, value: str, other: Any) -> bool:
        if other is None:
            return is_null(value)
        if isinstance(other, bool):
            return boolean(value) is other
        said = number(value)
        return isinstance(other, int | float | Decimal) and said is not None and numerically(said) == numerically(other)

    def _scalar(self, value: Any, guide: Guide) -> tuple[Any, int]:
        """A number, true, false or null as they stand in JSON."""
        kinds = guide.kinds
        if guide.values is not None:
            if any(_same(value, other) for other in guide.values):
                return value, 0
            return self._listed_number(value, guide) if isinstance(value, int | float | Decimal) else (value, MISFIT)
        kind = kind_of(value)
        if kind in kinds:
            return value, 0
        if kind == "number" and "integer" in kinds and (whole := as_whole(value)) is not None:
            self.note("value.number", "a whole number with a decimal point", before=value, after=whole)
            return whole, _SPELLING
        if kind in {"integer", "number", "boolean"} and "string" in kinds and self._eager:
            made = dumps(value)
            self.note("value.text", "a text without its quotes", before=value, after=made)
            return made, _TYPE
        if kind == "integer" and "boolean" in kinds and value in (0, 1) and self._eager:
            self.note("value.boolean", "another way of writing true or false", before=value, after=bool(value))
            return bool(value), _GUESS
        return self._wrapped(value, guide) if self._eager and value is not None else (value, MISFIT)

    def _listed_number(self, value: Number, guide: Guide) -> tuple[Any, int]:
        """A listed value that a number spells; the text of its digits is another value."""
        chosen, cost = self._listed(str(value), guide)
        if cost == 0:
            self.note("value.option", "another spelling of an option", before=value, after=chosen)
        return chosen, cost or _TYPE

    def _wrapped(self, value: Any, guide: Guide) -> tuple[Any, int]:
        """`eager`: a scalar for an object of one property, or for a list of one item."""
        if "array" in guide.kinds and guide.element(0) is not ANY:
            return self._around(value, guide.element(0), lambda made: [made], "a list of one item")
        if "object" in guide.kinds and len(guide.names) == 1:
            name, inner = next(iter(guide.names.items()))
            return self._around(value, inner, lambda made: {name: made}, "an object of one property")
        return value, MISFIT

    def _around(self, value: Any, inner: Guide, wrap: Callable[[Any], Any], what: str) -> tuple[Any, int]:
        # Words without quotes are a text anywhere: nothing says that they are the one that is asked for.
        prose = isinstance(value, Bare) and "string" in inner.kinds and inner.values is None
        if self._changing or prose:
            return value, MISFIT
        start = len(self.repairs)
        self._changing = True
        made, cost = self.fit(value, inner)
        self._changing = False
        if made is _GONE or cost >= MISFIT:
            del self.repairs[start:]
            return value, MISFIT
        self.note("value.wrapped", f"{what} was put around the value", before=value, after=wrap(made))
        return wrap(made), cost + _WRAPPER

    # Lists.

    def _list(self, value: list[Any], guide: Guide) -> tuple[Any, int]:
        if "array" not in guide.kinds:
            if len(value) == 1 and (guide.kinds & {"object"} or self._eager):
                fitted, cost = self._unwrapped(value, value[0], guide, "a list around the one value")
                if cost < MISFIT:
                    return fitted, cost
            fitted, cost = self._in_envelope(value, guide)
            return (fitted, cost) if cost < MISFIT else self._as_it_is(value)
        items: list[Any] = []
        total = 0
        start = len(self.repairs)
        needed = self._needed
        for index, item in enumerate(value):
            fitted, cost = self._at(index, item, guide.item(index))
            total += cost
            if fitted is not _GONE:
                items.append(fitted)
            elif needed:
                self.lost = True
            else:  # no item is dropped: the list itself is what the answer's end cut through
                self.note("json.truncated", "a list that the end of the answer cut off was left out", before=value[:-1])
                return _GONE, total
        if total >= MISFIT and len(value) == 1 and isinstance(value[0], list):
            del self.repairs[start:]
            return self._unwrapped(value, value[0], guide, "a list around the list")
        return items, total

    def _unwrapped(self, value: Any, inner: Any, guide: Guide, what: str) -> tuple[Any, int]:
        if self._changing:
            return value, MISFIT
        start = len(self.repairs)
        self.note("value.unwrapped", f"{what} was taken off", before=_less(value, inner))
        self._changing = True
        fitted, cost = self.fit(inner, guide)
        self._changing = False
        if fitted is _GONE or cost >= MISFIT:
            del self.repairs[start:]
            return value, MISFIT
        return fitted, cost + _WRAPPER

    # Objects.

    def _object(self, value: dict[str, Any], guide: Guide) -> tuple[Any, int]:
        if "object" not in guide.kinds:
            fitted, cost = self._without_envelope(value, guide)
            return (fitted, cost) if cost < MISFIT else self._as_it_is(value)
        start = len(self.repairs)
        fitted, cost = self._members(value, guide)
        if cost < MISFIT:
            return fitted, cost
        made = self.repairs[start:]
        del self.repairs[start:]
        for other in (self._without_envelope, self._in_envelope):
            again, price = other(value, guide)
            if price < MISFIT:
                return again, price
        self.repairs += made
        return fitted, cost

    def _as_it_is(self, value: Any) -> tuple[Any, int]:
        """What does not fit, with the common meaning of what stood without quotes."""
        settled, _ = self.fit(value, ANY)
        return settled, MISFIT

    def _without_envelope(self, value: dict[str, Any], guide: Guide) -> tuple[Any, int]:
        """An object of one key around what is asked for."""
        if len(value) == 1:
            ((key, inner),) = value.items()
            # A text in an object may be anything: an error's words, say. Not one that holds the document.
            holds = isinstance(inner, str) and inner.lstrip()[:1] in {"{", "["} and "string" not in guide.kinds
            plain = not self._place and not isinstance(inner, str)
            # Where keys may have any name, that of the envelope may be one of them.
            any_key = guide.kinds == {"object"} and not guide.names and not guide.options
            told = isinstance(inner, dict | list) and not (any_key and (self._place or not inner))
            told = told or holds or ("object" not in guide.kinds and (plain or self._eager))
            if told and not _is_a_member(key, inner, guide):
                fitted, cost = self._unwrapped(value, inner, guide, "an object of one key around the value")
                if cost < MISFIT:
                    return fitted, cost
        if not self._place and (call := _arguments(value)) is not None:
            fitted, cost = self._unwrapped(value, call, guide, "a call of a tool around its arguments")
            if cost < MISFIT:
                return fitted, cost
        if "array" in guide.kinds and "object" in guide.item(0).kinds and guide.item(0) is not ANY:
            return self._around(value, guide.item(0), lambda made: [made], "a list of one item")
        return value, MISFIT

    def _in_envelope(self, value: Any, guide: Guide) -> tuple[Any, int]:
        """What belongs into the one property that the contract has, and stands there without it."""
        if "object" not in guide.kinds or len(guide.names) != 1:
            return value, MISFIT
        name, inner = next(iter(guide.names.items()))
        if not inner.kinds & {"object", "array"} or inner.kinds >= {"string", "object"}:
            return value, MISFIT
        return self._around(value, inner, lambda made: {name: made}, "an object of one property")

    def _members(self, value: dict[str, Any], guide: Guide) -> tuple[dict[str, Any], int]:
        meant = self._meant(value, guide)
        says_nothing = guide.names and not (value and meant)
        # Only an object that says something of what is asked for can be meant by another shape.
        if meant is None or (says_nothing and (self._changing or (value and guide.closed))):
            return self._as_it_is(value)
        members: dict[str, Any] = {}
        total = 0
        names, required = guide.names, guide.required
        for key, held in value.items():
            name = meant.get(key)
            if name is None:
                total += self._stranger(key, held, guide, members, value)
                continue
            if name == key and type(held) in names[name].as_is:  # as `_at`, for most parts
                members[name] = held
                continue
            if name != key:
                self._place.append(key)
                self.note("value.key", "another spelling of a key", before=key, after=name)
                self._place.pop()
                total += _SPELLING
            needed = name in required
            absent = held is None and not needed and "null" not in names[name].kinds
            # A default would stand in the null's place, and nobody said that it is meant.
            if absent and names[name].default in (None, (None,)):
                self._place.append(key)
                self.note("value.null", "a null for what may be missing was left out")
                self._place.pop()
                total += _TYPE
                continue
            fitted, cost = self._at(key, held, names[name], needed=needed)
            total += cost
            if fitted is not _GONE:
                members[name] = fitted
        total += MISFIT * len(required - members.keys())
        if self._hinted:
            self._defaults(members, guide)
        return members, total

    def _meant(self, value: dict[str, Any], guide: Guide) -> dict[str, str] | None:
        """The property that each key means, where it means one; None where two keys mean one, and none is sure."""
        if guide.each_once and value.keys() <= guide.shown.keys():  # nearly always
            return guide.shown
        taken: dict[str, str] = {}
        for key in value:
            name = self._name(key, guide)
            if name is None:
                continue
            if name in taken:
                # Two ways of writing one key: only the exact one is sure.
                if name not in value or self._hinted:
                    return None
                taken[name] = name
            else:
                taken[name] = key
        return {key: name for name, key in taken.items()}

    def _name(self, key: str, guide: Guide) -> str | None:
        """The property that a key means."""
        if key in guide.shown:
            return guide.shown[key]
        if key in guide.names and not self._hinted:
            return key
        return guide.cased.get(key.casefold()) or guide.spelled.get(folded(key))

    def _stranger(self, key: str, value: Any, guide: Guide, members: dict[str, Any], written: Mapping[str, Any]) -> int:
        """A key that is none of the properties; `written` are all keys of the object, `members` what is read of it."""
        if guide.closed:
            self._place.append(key)
            self.note("value.extra", "a key that the contract forbids was left out", before=value)
            self._place.pop()
            return _UNREAD
        start = len(self.repairs)
        name, cost = self._key_of_map(key, guide)
        if name != key and (name in written or name in members):  # that would be another's
            del self.repairs[start:]
            name, cost = key, MISFIT
        part = guide.other(key)
        if guide.names and part is ANY:
            cost += _UNREAD  # of the members of a union one that knows it is meant
        fitted, more = self._at(key, value, part)
        if fitted is not _GONE:
            members[name] = fitted
        return cost + more

    def _key_of_map(self, key: str, guide: Guide) -> tuple[str, int]:
        """A key as the schema spells it, where it says what keys there may be."""
        if guide.keys is None:
            return key, 0
        name, cost = self._at(key, key, guide.keys)
        return (name, cost) if isinstance(name, str) else (key, MISFIT)

    def _defaults(self, members: dict[str, Any], guide: Guide) -> None:
        for name, part in guide.names.items():
            if name not in members and name not in guide.required and part.default is not None:
                members[name] = part.default[0]


def _is_a_member(key: str, inner: Any, guide: Guide) -> bool:
    """Whether the key is one that the contract knows, unless it stands again inside and only there can be that one."""
    name = folded(key)
    again = isinstance(inner, dict) and any(folded(other) == name for other in inner)
    return guide.holds(name, kind_of(inner)) or (not again and guide.meant(name) is not None)


def _rank(cost: int) -> int:
    return cost if cost < _UNREAD else cost - cost % _UNREAD


def _size(data: Any) -> int:
    """How many parts the data has."""
    waiting, parts = [data], 0
    while waiting:
        node = waiting.pop()
        parts += 1
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return parts


def _less(value: Any, inner: Any) -> Any:
    """What stands around a value that was taken out of an object; None where it was a list."""
    return {key: None if held is inner else held for key, held in value.items()} if isinstance(value, dict) else None


def _plain(written: str) -> Any:
    """What text without quotes means where the contract does not say."""
    literal = _literal(written)
    if literal is not None:
        return literal[0]
    value = _json_number(written)
    return written if value is None else value


def _literal(written: str) -> tuple[Any] | None:
    """What a word means that is a literal of some language, in a tuple of one.

    An infinite number is not nothing: it stays one, and no contract takes it."""
    if written.casefold() in _OTHERS:
        return (_OTHERS[written.casefold()],)
    if written in _NAN:
        return (None,)
    return (INFINITE,) if _INFINITE.fullmatch(written) else None


def _json_number(written: str) -> Number | None:
    """The number that is written in JSON's own form; None for any other text, and where nothing can hold it."""
    if not _JSON_NUMBER.fullmatch(written):
        return None
    try:
        return exact(written)
    except ValueError:
        return None


def _of_kind(value: Number, kinds: frozenset[str]) -> Number | None:
    return value if isinstance(value, int) or "number" in kinds else as_whole(value)


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: `true` is not `1`, and the order of keys does not count."""
    if left is _GONE or right is _GONE:
        return left is right
    return dumps(left, sort_keys=True) == dumps(right, sort_keys=True)


def _arguments(value: dict[str, Any]) -> Any:
    """What a call of a tool, as models write it, gives the tool; None for any other object."""
    if "name" not in value:
        return None
    given = [key for key in ("arguments", "parameters", "input") if isinstance(value.get(key), dict | str)]
    others = value.keys() - set(given) - {"id", "type"}
    return value[given[0]] if len(given) == 1 and others == {"name"} and isinstance(value["name"], str) else None
