"""The hint `x-assert`: a condition on a value, written as an expression over `this`. Honoured by the eager reading.

The language is the part of Jinja's expressions that Python's grammar shares: comparisons, `and or not in`, arithmetic,
`this.name`, `this["name"]`, `value|length` and a few more filters. What it does not know refuses the answer: a
condition that nobody could check is not passed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any, Final

from guards.errors import ConfigError
from guards.findings import Finding, join_pointer
from guards.patterns.ecma import EcmaPattern
from guards.reading.guide import Guide, kind_of

__all__ = ["holds", "refused_asserts"]

_DEEPEST: Final = 100
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mod: operator.mod,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_NAMES: Final = {"true": True, "false": False, "none": None, "True": True, "False": False, "None": None}
_FILTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "length": len,
    "count": len,
    "abs": abs,
    "sum": sum,
    "min": min,
    "max": max,
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "int": int,
    "float": float,
    "string": str,
}


def refused_asserts(data: Any, guide: Guide) -> tuple[Finding, ...]:
    """A finding for each condition of the schema that does not hold, at its place."""
    return tuple(
        Finding(
            "schema.assert",
            "does not meet a condition of the schema" if verdict is False else "a condition could not be checked",
            join_pointer(place),
            expected=expression,
        )
        for place, value, expression in _conditions(data, guide, (), 0)
        if (verdict := holds(expression, value)) is not True
    )


def holds(expression: str, value: Any) -> bool | None:
    """Whether a condition holds for a value; None where it cannot be worked out."""
    try:
        return bool(_value(ast.parse(expression.strip(), mode="eval").body, value))
    except (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, RecursionError, MemoryError):
        return None
    except (ConfigError, TimeoutError):  # of a pattern
        return None


def _conditions(
    data: Any, guide: Guide, place: tuple[str | int, ...], depth: int
) -> Iterator[tuple[tuple[str | int, ...], Any, str]]:
    if depth > _DEEPEST:
        return
    for expression in guide.asserts:
        yield place, data, expression
    if len(guide.options) > 1:
        # Which member of a union a value belongs to is not known here; conditions that all members share were above.
        fitting = [option for option in guide.options if _shape(data, option)]
        if len(fitting) == 1:
            yield from _conditions(data, fitting[0], place, depth + 1)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _conditions(value, guide.names.get(key, guide.rest), (*place, key), depth + 1)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _conditions(value, guide.item(index), (*place, index), depth + 1)


def _shape(data: Any, guide: Guide) -> bool:
    if isinstance(data, dict) and "object" in guide.kinds:
        return guide.required <= data.keys() and (not guide.closed or data.keys() <= guide.names.keys())
    return kind_of(data) in guide.kinds


def _value(node: ast.expr, this: Any) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.Name(id="this"):
            return this
        case ast.Name(id=name) if name in _NAMES:
            return _NAMES[name]
        case ast.Attribute(value=of, attr=name):
            return _value(of, this)[name]
        case ast.Subscript(value=of, slice=key):
            return _value(of, this)[_value(key, this)]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, this) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=of):
            return not _value(of, this)
        case ast.UnaryOp(op=ast.USub(), operand=of):
            return -_value(of, this)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, this) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=parts):
            return any(_value(part, this) for part in parts)
        case ast.BinOp(op=ast.BitOr(), left=left, right=right):
            return _filtered(_value(left, this), right, this)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)](_number(_value(left, this)), _number(_value(right, this)))
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_value(part, this) for part in (left, *others)]
            return all(_COMPARE[type(op)](values[n], values[n + 1]) for n, op in enumerate(ops))
    raise ValueError("not a part of the language")


def _filtered(value: Any, filter_: ast.expr, this: Any) -> Any:
    match filter_:
        case ast.Name(id=name) if name in _FILTERS:
            return _FILTERS[name](value)
        case ast.Call(func=ast.Name(id="regex_match"), args=[pattern]):
            return EcmaPattern(_value(pattern, this)).search(value)
    raise ValueError("no such filter")


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("not a number")
    return value
