"""How a Python type's core schema is compiled for answers: what its validator must do that pydantic's own does not.

Where pydantic's own will do it is used as it is, strictly. Else the core schema is rewritten by the rules below, one
for each kind of node, and compiled again, with strictness as the default of every config: a field that declares itself
lax stays so.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic_core import PydanticCustomError, PydanticOmit, PydanticUseDefault, SchemaValidator

__all__ = ["RAISED", "Compiled", "DefaultFailed", "compiled", "readable"]

Node = Mapping[str, Any]


class Compiled(NamedTuple):
    """A validator, what to pass it as `strict`, and the core schema that its errors' locations lead through."""

    validator: Any
    strict: bool | None
    schema: Any


class DefaultFailed(Exception):
    """A default factory raised what is its cause: no answer can mend it, and no validator may make a finding of it."""


RAISED: Final = "guards_raised"
"""The type of the error that stands for an exception of a user's function; its context holds it as `raised`."""


class Raised:
    """An exception in an error's context. pydantic makes text of what stands there, and an exception's may raise."""

    __slots__ = ("exception",)

    def __init__(self, exception: Exception) -> None:
        self.exception = exception


def readable(type_: Any) -> Any:
    """The type with `Iterator` as `Iterable`, which pydantic knows: the one that an answer is read as is a list."""
    if type_ is Iterator:
        return Iterable
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is None or origin is Literal:
        return type_
    if origin is Annotated:
        return Annotated[(readable(arguments[0]), *arguments[1:])]
    inner = tuple(map(readable, arguments))
    if origin is not Iterator and all(new is old for new, old in zip(inner, arguments, strict=True)):
        return type_
    kind: Any = {Iterator: Iterable, UnionType: Union}.get(origin, origin)
    return kind[inner]


def compiled(validator: Any, schema: Any) -> Compiled:
    """The validator for answers to a type. `validator` is pydantic's own of `schema`."""
    rewriting = _Rewriting(schema)
    rewritten = rewriting.whole()
    if not rewriting.changed:
        # Strict at run time overrides even a field's own `strict=False`; here none says so.
        return Compiled(validator, True, schema)
    return Compiled(SchemaValidator(rewritten, {"strict": True}, _use_prebuilt=False), None, rewritten)


class _Rewriting:
    """One core schema on its way to another."""

    def __init__(self, schema: Any) -> None:
        self.changed = False
        """Whether any rule had something to do."""
        self._schema = schema
        self._named = {node["ref"]: node for node in _named(schema)}
        self._wanted: dict[str, Callable[[], Any]] = {}
        """What the definitions must hold, by reference, and how each is made."""

    def whole(self) -> Any:
        root = self._node(self._schema)
        definitions: dict[str, Any] = {}
        while waiting := [ref for ref in self._wanted if ref not in definitions]:
            for ref in waiting:
                definitions[ref] = {**self._wanted[ref](), "ref": ref}
        if not definitions:
            return root
        return {"type": "definitions", "schema": root, "definitions": list(definitions.values())}

    def _node(self, node: Node) -> Any:
        if node["type"] == "definitions":
            return self._node(node["schema"])
        reference: str = node.get("ref") or node.get("schema_ref") or ""
        if reference in self._named:
            self._wanted.setdefault(reference, functools.partial(self._made, self._named[reference]))
            return {"type": "definition-ref", "schema_ref": reference}
        return self._made(node)

    def _made(self, node: Node) -> Any:
        """A copy of a node, rewritten with all that it holds."""
        made = {key: child if key in _OPAQUE else self._held(child) for key, child in node.items() if key != "ref"}
        rule = _RULES.get(node["type"])
        changed = rule(made) if rule is not None else None
        # Whatever says that it is lax would be overruled by strictness at run time.
        self.changed = self.changed or changed is not None or node.get("strict") is False
        made = made if changed is None else changed
        if made["type"] in _WITH_CONFIG:
            made["config"] = {"strict": True, **node.get("config", {})}
            self.changed = self.changed or made["config"]["strict"] is False
        return made

    def _held(self, child: Any) -> Any:
        if isinstance(child, Mapping):
            if isinstance(child.get("type"), str):
                return self._node(child)
            return {key: self._held(inner) for key, inner in child.items()}
        if isinstance(child, list | tuple):
            return type(child)(self._held(inner) for inner in child)
        return child


def _named(node: Any) -> Iterator[Node]:
    """The nodes that some reference leads to."""
    nodes = list(_nodes(node))
    targets = {node["schema_ref"] for node in nodes if node["type"] == "definition-ref"}
    return (node for node in nodes if node.get("ref") in targets)


def _nodes(node: Any) -> Iterator[Node]:
    if isinstance(node, Mapping):
        if isinstance(node.get("type"), str):
            yield node
        for key, child in node.items():
            if key not in _OPAQUE:
                yield from _nodes(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from _nodes(child)


_WITH_CONFIG: Final = frozenset({"model", "dataclass", "typed-dict"})
# Values of the user's own under these keys may look like schemas and are none; or they are not for validation.
_OPAQUE: Final = frozenset(
    {
        "metadata",
        "config",
        "default",
        "cls",
        "expected",
        "members",
        "function",
        "serialization",
        "computed_fields",
        "json_schema_input_schema",
        "custom_error_context",
    }
)


# -- the rules: each gives another node, or None where the node may stay as it is


def _listed(node: dict[str, Any]) -> Any:
    """pydantic validates an iterable while it is consumed, if it ever is; of an answer it is a list."""
    return {**node, "type": "list"}


def _caught(node: dict[str, Any]) -> Any:
    """What a validator raises on a value is an error at the value's place, and pydantic goes on with the others."""
    function = node["function"]
    if _of_pydantic(function["function"]):
        return None
    return {**node, "function": {**function, "function": _catching(function["function"])}}


def _discriminated(node: dict[str, Any]) -> Any:
    """pydantic lets out whatever a callable discriminator raises; a member of its own turns it into an error."""
    function = node["discriminator"]
    if not callable(function):
        return None
    discriminator = _Discriminator(function)
    refusing = {"type": "function-plain", "function": {"type": "no-info", "function": discriminator.refuse}}
    return {**node, "discriminator": discriminator, "choices": {**node["choices"], _UNTAGGED: refusing}}


def _labelled(node: dict[str, Any]) -> Any:
    """Members of a union go by their position in errors' locations, where pydantic's names for them are ambiguous."""
    choices = [choice[0] if isinstance(choice, tuple) else choice for choice in node["choices"]]
    return {**node, "choices": [(choice, str(index)) for index, choice in enumerate(choices)]}


def _made_default(node: dict[str, Any]) -> Any:
    factory = node.get("default_factory")
    if factory is None or getattr(factory, "__module__", None) == "builtins":
        return None
    return {**node, "default_factory": _failing(factory)}


_RULES: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "generator": _listed,
    "function-before": _caught,
    "function-after": _caught,
    "function-wrap": _caught,
    "function-plain": _caught,
    "tagged-union": _discriminated,
    "union": _labelled,
    "default": _made_default,
}


# -- a user's functions

# What pydantic makes an error of itself, or passes on as a signal; and what is no fault of the function's.
_UNDERSTOOD: Final = (ValueError, AssertionError, PydanticOmit, PydanticUseDefault, DefaultFailed, RecursionError)
_PYDANTICS: Final = frozenset(
    {
        *("pydantic.networks", "pydantic._internal._validators", "pydantic._internal._generate_schema"),
        "guards.contracts.type_members",
    }
)


def _of_pydantic(function: Any) -> bool:
    """Whether a validator is pydantic's own, of a type like a URL, or the library's: it raises nothing unexpected."""
    return getattr(getattr(function, "func", function), "__module__", None) in _PYDANTICS


def _catching(function: Callable[..., Any]) -> Callable[..., Any]:
    def catching(*given: Any) -> Any:
        try:
            return function(*given)
        except _UNDERSTOOD:
            raise
        except Exception as fault:
            raise _raised(fault) from fault

    return catching


def _raised(fault: Exception) -> PydanticCustomError:
    return PydanticCustomError(RAISED, "raised an exception", {"raised": Raised(fault)})


def _failing(factory: Callable[..., Any]) -> Callable[..., Any]:
    def failing(*given: Any) -> Any:
        try:
            return factory(*given)
        except (DefaultFailed, RecursionError):
            raise
        except Exception as fault:
            raise DefaultFailed from fault

    return failing


_UNTAGGED: Final = "guards: the discriminator raised"
"""The tag of a value whose tag could not be told."""


class _Discriminator(threading.local):
    """A callable discriminator. What it raises is kept for the member that pydantic calls next in the same thread."""

    fault: Exception | None = None

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "discriminator")  # pydantic asks for it

    def __call__(self, value: Any) -> Any:
        try:
            return self.function(value)
        except RecursionError:
            raise
        except Exception as fault:  # noqa: BLE001  # whatever it is, it becomes an error in `refuse`
            self.fault = fault
            return _UNTAGGED

    def refuse(self, value: Any) -> Any:
        fault, self.fault = self.fault, None
        assert fault is not None
        raise fault if isinstance(fault, ValueError | AssertionError) else _raised(fault)
