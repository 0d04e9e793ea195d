"""What of a JSON document pydantic's own parser reads as something else, and how a compiled type is guarded from it.

A text of digits is a date to it, so many seconds after 1970: no type takes one here. `true` is the option 1 to it, as
they are equal in Python, and 1 is `true`. And it makes a float of each
number with a point or an exponent, before any type is asked: a Decimal and a lax int get the digits that were written,
and what no float can hold (`1e-400`) is refused by all others.

A guarded node is a union with a tag that is told by the value's form, since only so pydantic shows the value to a
function and still reads it as the JSON that it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from itertools import count
from typing import Any, Final

from pydantic_core import PydanticCustomError, PydanticKnownError

from guards.reading.document import leaves
from guards.reading.numbers import decimal_of, exact, fits_float, is_inexact

__all__ = [
    "DIGITS",
    "NUMBERS",
    "OUT_OF_REACH",
    "TWICE",
    "OutOfReach",
    "date_guarded",
    "form_of",
    "json_guarded",
    "listed_guarded",
    "plain_of",
    "validated",
]

Node = Mapping[str, Any]
_PLAIN: Final = "plain"
_OTHER: Final = "other"
_EPOCH: Final = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*")


def _guarded(node: Node, form: Callable[[Any], str], other: Any) -> Any:
    return {"type": "tagged-union", "discriminator": form, "choices": {_PLAIN: node, _OTHER: other}}


def form_of(node: Node) -> bool:
    """Whether a node of a compiled core schema is such a union."""
    return node["type"] == "tagged-union" and node["discriminator"] in _FORMS


def plain_of(node: Node) -> Any:
    """The node that is guarded."""
    return node["choices"][_PLAIN]


def _function(kind: str, function: Callable[[Any], Any], schema: Any = None) -> Any:
    node = {"type": kind, "function": {"type": "no-info", "function": function}}
    return node if schema is None else {**node, "schema": schema}


# -- dates


def date_guarded(node: Node) -> Any:
    """A date, with a time or without: never a text of digits. Whether a number may be one the node itself says."""
    return _guarded(node, _form_of_date, _function("function-plain", _REFUSED[node["type"]]))


def _form_of_date(value: Any) -> str:
    return _OTHER if type(value) is str and _EPOCH.fullmatch(value) else _PLAIN


def _no_date(_: Any) -> Any:
    raise PydanticKnownError("date_parsing", {"error": "a number is no date"})


def _no_datetime(_: Any) -> Any:
    raise PydanticKnownError("datetime_parsing", {"error": "a number is no date"})


_REFUSED: Final = {"date": _no_date, "datetime": _no_datetime}


# -- listed values


def listed_guarded(node: Node) -> Any:
    """Listed values, as literals or members of an enum, where a truth value may be taken for a number or a number for
    one; None for any other."""
    values = node["expected"] if node["type"] == "literal" else [member.value for member in node["members"]]
    truths = any(isinstance(value, bool) for value in values)
    numbers = any(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if truths == numbers:  # of both together pydantic knows which is which
        return None
    # With the node inside, so that a finding can say what is listed.
    refused = _function("function-before", _not_listed, node)
    return _guarded(node, _form_of_truth if truths else _form_of_option, refused)


def _form_of_option(value: Any) -> str:
    return _OTHER if type(value) is bool else _PLAIN


def _form_of_truth(value: Any) -> str:
    return _OTHER if type(value) is int or type(value) is float else _PLAIN


def _not_listed(_: Any) -> Any:
    raise PydanticKnownError("literal_error", {"expected": "another kind of value"})


# -- numbers

OUT_OF_REACH: Final = "guards_out_of_reach"
"""The type of the error of a number that no float can hold."""
DIGITS: Final = "guards_digits"
"""The type of the error of a text of JSON with a number that pydantic would change."""
TWICE: Final = "guards_number_twice"
"""The type of the error of a number that a float would make the same as another one of the document."""


class OutOfReach(Exception):  # control flow: the contract makes a finding of it
    """A number that no float can hold, where no Decimal was asked for."""

    def __init__(self, number: Decimal | None) -> None:
        super().__init__("out of range")
        self.number = number


class _Numbers:
    """The numbers of one document that a float changes, by the float that pydantic will see in the place of each.

    That is the nearest, or, where that would be infinite or zero, one that stands nowhere else in the document.
    """

    def __init__(self, data: Any) -> None:
        numbers = [held for _, held in leaves(data) if isinstance(held, float | Decimal)]
        forms: dict[float, set[Decimal]] = {}
        for number in numbers:
            if fits_float(number):
                forms.setdefault(float(number), set()).add(decimal_of(number))
        self.written: dict[float, Decimal | None] = {
            float(number): next(iter(found)) if len(found) == 1 else None
            for number in numbers
            if is_inexact(number) and (found := forms.get(float(number)))
        }
        """None where two numbers have one nearest float, so that nobody can tell which is meant."""
        self.far: dict[float, Decimal] = {}
        self.taken: set[float] = set()
        """The far ones that a Decimal was made of."""
        handles = (handle for step in count() if (handle := 1.5 + step) not in forms)
        self.source = json.dumps(self._seen(data, handles))

    def _seen(self, data: Any, handles: Iterator[float]) -> Any:
        if isinstance(data, dict):
            return {key: self._seen(held, handles) for key, held in data.items()}
        if isinstance(data, list):
            return [self._seen(item, handles) for item in data]
        if not isinstance(data, Decimal):
            return data
        if fits_float(data):
            return float(data)
        handle = next(handles)
        self.far[handle] = data
        return handle


_current: ContextVar[_Numbers] = ContextVar("numbers of the document that is validated")


def validated(validate_json: Callable[[str], Any], data: Any) -> Any:
    """What a type that is guarded by `NUMBERS` makes of the data. Raises `OutOfReach`, and whatever the type raises."""
    numbers = _Numbers(data)
    token = _current.set(numbers)
    try:
        value = validate_json(numbers.source)
    finally:
        _current.reset(token)
    for handle, number in numbers.far.items():
        if handle not in numbers.taken:
            raise OutOfReach(number)
    return value


def _form_of_number(value: Any) -> str:
    numbers = _current.get()
    return _OTHER if type(value) is float and (value in numbers.written or value in numbers.far) else _PLAIN


def _form_of_changed(value: Any) -> str:
    if _form_of_number(value) is _PLAIN or _current.get().written.get(value) == decimal_of(value):
        return _PLAIN
    return _OTHER


def _form_of_any(value: Any) -> str:
    return _OTHER if type(value) is float and value in _current.get().far else _PLAIN


def _form_of_float(value: Any) -> str:
    if type(value) is int:
        return _PLAIN if fits_float(value) else _OTHER
    return _form_of_any(value)


def _number(value: float) -> Decimal:
    numbers = _current.get()
    written = numbers.far.get(value) or numbers.written[value]
    if written is None:
        raise PydanticCustomError(TWICE, "is nearly the same as another number, and cannot be told from it")
    return written


def _taken(value: float) -> Decimal:
    _current.get().taken.add(value)
    return _number(value)


def _out_of_reach(_: Any) -> Any:
    raise PydanticCustomError(OUT_OF_REACH, "out of reach")


def _decimal(node: Node) -> Any:
    return _guarded(node, _form_of_number, _function("function-before", _taken, node))


def _integer(node: Node) -> Any:
    # Of a Decimal a lax one takes what is whole, and a strict one nothing.
    return _guarded(node, _form_of_changed, _function("function-before", _number, node))


def _listed(node: Node) -> Any:
    return _integer(listed_guarded(node) or node)


def _float(node: Node) -> Any:
    return _guarded(node, _form_of_float, _function("function-plain", _out_of_reach))


def _any(node: Node) -> Any:
    return _guarded(node, _form_of_any, _function("function-plain", _out_of_reach))


# -- texts that hold JSON


def json_guarded(node: Node, inner: Iterable[Node]) -> Any:
    """A type that reads the JSON in a text, which pydantic does by itself: never with a number that it would change.

    `inner` are the nodes that it holds.
    """
    exactly = any(held["type"] in ("decimal", "int", "definition-ref") for held in inner)
    form = _form_of_exact_json if exactly else _form_of_json
    return _guarded(node, form, _function("function-plain", _too_many_digits))


def _form_of_exact_json(value: Any) -> str:
    return _form_of_numbers(value, lambda number: isinstance(number, int) or not is_inexact(number))


def _form_of_json(value: Any) -> str:
    return _form_of_numbers(value, fits_float)


def _form_of_numbers(value: Any, may_stand: Callable[[Any], bool]) -> str:
    """By the numbers that a text of JSON holds. None of them may be mistaken for one of the document around, either."""
    try:
        data = json.loads(value, parse_float=exact) if type(value) is str else None
    except (ValueError, RecursionError):
        return _PLAIN  # for the type to refuse, in its own words
    around = _current.get(None)
    changed = {*around.written, *around.far} if around else ()
    numbers = (held for _, held in leaves(data) if isinstance(held, int | float | Decimal))
    return _PLAIN if all(may_stand(number) and number not in changed for number in numbers) else _OTHER


def _too_many_digits(_: Any) -> Any:
    raise PydanticCustomError(DIGITS, "holds a number that cannot be taken as it is written")


_FORMS: Final = (
    _form_of_json,
    _form_of_exact_json,
    _form_of_date,
    _form_of_option,
    _form_of_truth,
    _form_of_number,
    _form_of_changed,
    _form_of_any,
    _form_of_float,
)
NUMBERS: Final[dict[str, Callable[[Node], Any]]] = {
    "decimal": _decimal,
    "int": _integer,
    **dict.fromkeys(("literal", "enum"), _listed),
    "float": _float,
    "any": _any,
}
"""How each kind of node is guarded, of a type that is to read a document with numbers that a float changes."""
