"""The code of a function or class, as a sha256: without comments, docstrings and decorators."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ast

__all__ = ["bases_of", "code_of_class", "code_of_function", "functions_of", "is_the_users", "stands_in"]

_THE_LIBRARYS: Final = frozenset({"guards", "pydantic", "pydantic_core"})


def is_the_users(module: str | None) -> bool:
    """Whether what stands in a module is neither the library's nor Python's own."""
    root = (module or "").partition(".")[0]
    if root.startswith("namedtuple_"):  # where `namedtuple` writes its functions
        return False
    return root == "__main__" or (root not in sys.stdlib_module_names and root not in _THE_LIBRARYS)


def bases_of(cls: type) -> list[type]:
    """Those directly above a class that are the user's."""
    return [base for base in cls.__bases__ if is_the_users(base.__module__)]


def functions_of(cls: type) -> Iterator[tuple[str, types.FunctionType]]:
    """A class's own functions by name, out of methods and properties, and those that a library's wrappers hold."""
    for name, held in vars(cls).items():
        yield from ((name, function) for function in _functions_in(held))


def _functions_in(held: Any) -> Iterator[types.FunctionType]:
    if type(held) is not types.FunctionType:
        for inner in _UNWRAPPED.get(type(held), ()):
            yield from _functions_in(getattr(held, inner))
    elif is_the_users(_module_of(held)):
        # What `dataclass` writes says no more than its fields.
        if not held.__code__.co_qualname.startswith("__create_fn__."):
            yield held
    else:
        for cell in held.__closure__ or ():
            if cell != types.CellType():  # filled
                yield from _functions_in(cell.cell_contents)


_UNWRAPPED: Final[dict[type, tuple[str, ...]]] = {
    classmethod: ("__func__",),
    staticmethod: ("__func__",),
    property: ("fget", "fset", "fdel"),
    functools.cached_property: ("func",),
    functools.partialmethod: ("func",),
}


def _module_of(function: types.FunctionType) -> str | None:
    """Where its code stands; `functools.wraps` says of a wrapper where the wrapped one stands."""
    return function.__globals__.get("__name__")


@functools.lru_cache(maxsize=1024)
def code_of_function(function: types.FunctionType) -> str | None:
    """None where it is not to be had, or where a line has several functions without names."""
    import ast
    import textwrap

    try:
        # Of the code itself: of a wrapper, getsource gives the wrapped.
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function.__code__))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return _digest(tree)
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return _digest(lambdas[0]) if len(lambdas) == 1 else None


@functools.lru_cache(maxsize=1024)
def code_of_class(cls: type) -> str | None:
    """None where it is not to be had, or where several classes of that name stand there and it may be any of them."""
    try:
        lines, _ = inspect.findsource(sys.modules[cls.__module__])
        written = _classes_in("".join(lines))
    except (OSError, TypeError, KeyError, ValueError, SyntaxError):
        return None
    first: int | None = cls.__dict__.get("__firstlineno__")  # from Python 3.13
    at = {function.__code__.co_firstlineno for name, function in functions_of(cls) if stands_in(function, name, cls)}
    found = [
        node
        for name, node in written
        if name == cls.__qualname__
        and (first is None or first in (node.lineno, *(one.lineno for one in node.decorator_list)))
        and all(node.lineno <= line <= (node.end_lineno or line) for line in at)
    ]
    return _digest(copy.deepcopy(found[0])) if len(found) == 1 else None


@functools.lru_cache(maxsize=2)
def _classes_in(text: str) -> list[tuple[str, ast.ClassDef]]:
    """Kept for the next class: a contract's models mostly stand in one module."""
    import ast

    return list(_classes(ast.parse(text), ""))


def stands_in(function: types.FunctionType, name: str, cls: type) -> bool:
    """Whether it is written in a class, by that name, and not put there from elsewhere."""
    code = function.__code__
    return code.co_qualname == f"{cls.__qualname__}.{name}" and _module_of(function) == cls.__module__


def _classes(tree: ast.AST, within: str) -> Iterator[tuple[str, ast.ClassDef]]:
    """All classes of a module by their qualified names."""
    import ast

    for node in ast.iter_child_nodes(tree):
        inside = within
        if isinstance(node, ast.ClassDef):
            yield within + node.name, node
            inside = f"{within}{node.name}."
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = f"{within}{node.name}.<locals>."
        yield from _classes(node, inside)


def _digest(tree: ast.AST) -> str:
    import ast
    import hashlib

    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        tree.decorator_list = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()
