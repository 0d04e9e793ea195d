"""How a Python type's core schema is compiled for answers: what its validator must do that pydantic's own does not.

Where pydantic's own will do it is used as it is, strictly. Else the core schema is rewritten by the rules below, one
for each kind of node, and compiled again, with strictness as the default of every config: a field that declares itself
lax stays so.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from traceback import walk_tb
from types import UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

from pydantic_core import PydanticCustomError, PydanticOmit, PydanticUseDefault

from guards.contracts.typed.forms import NUMBERS, date_guarded, json_guarded, listed_guarded
from guards.contracts.typed.fresh_validator import fresh_validator
from guards.contracts.typed.nodes import OPAQUE, nodes, nodes_below

__all__ = [
    "RAISED",
    "UNTAGGED",
    "Compiled",
    "DefaultFailed",
    "compiled",
    "compiled_for_numbers",
    "function_of",
    "has_hook",
    "of_pydantic",
    "readable",
    "reads_source",
    "runs_code",
]

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
    """The validator for answers to a type. `validator` is pydantic's own of `schema`; None where there is none."""
    if validator is not None and not any(map(_may_change, nodes(schema))):
        return Compiled(validator, True, schema)
    rewriting = _Rewriting(schema)
    rewritten = rewriting.whole()
    if validator is not None and not rewriting.changed:
        # Strict at run time overrides even a field's own `strict=False`; here none says so.
        return Compiled(validator, True, schema)
    return Compiled(fresh_validator(rewritten, {"strict": True}), None, rewritten)


def compiled_for_numbers(schema: Any) -> Compiled:
    """The validator of the same type for documents with numbers that a float changes (`type_forms.validated`)."""
    rewritten = _Rewriting(schema, NUMBERS).whole()
    return Compiled(fresh_validator(rewritten, {"strict": True}), None, rewritten)


def _may_change(node: Node) -> bool:
    """Whether a node gives the rewriting something to do: most types have none such."""
    kind = node["type"]
    if kind in ("literal", "enum"):
        return listed_guarded(node) is not None
    lax = node.get("strict") is False or node.get("config", _STRICT).get("strict") is False
    return lax or kind in _RULES or kind == "chain"


class _Rewriting:
    """One core schema on its way to another.

    A value comes to a node as a part of the JSON text, or from Python code: a validator that runs before pydantic's
    own, or around it. pydantic is strict with what Python code gives, and refuses the JSON form of a date, a set, an
    enum for ever. So what is plain data is read there as the JSON that it came from; of anything else the parts are.
    """

    def __init__(self, schema: Any, also: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None) -> None:
        self.changed = False
        """Whether any rule had something to do."""
        self._rules = {**_RULES, **(also or {})}
        self._schema = schema
        every = list(nodes(schema))
        targets = {node["schema_ref"] for node in every if node["type"] == "definition-ref"}
        self._named = {node["ref"]: node for node in every if node.get("ref") in targets}
        self._chooses = any(node["type"] == "union" for node in every)
        """Whether it counts how exactly a value fits: a `str` of Python is more of a string than a text of JSON is."""
        self._wanted: dict[str, Callable[[], Any]] = {}
        """What the definitions must hold, by reference, and how each is made."""

    def whole(self) -> Any:
        root = self._json(self._schema)
        definitions: dict[str, Any] = {}
        while waiting := [reference for reference in self._wanted if reference not in definitions]:
            for reference in waiting:
                definitions[reference] = {**self._wanted[reference](), "ref": reference}
        if not definitions:
            return root
        return {"type": "definitions", "schema": root, "definitions": list(definitions.values())}

    def _json(self, node: Node) -> Any:
        """For a part of the text."""
        target = self._target(node)
        reference: str = target.get("ref") or ""
        if reference not in self._named:
            return self._made(target, self._json)
        return self._definition(reference, functools.partial(self._made, target, self._json))

    def _python(self, node: Node) -> Any:
        """For an object of Python; what it holds may be plain data again."""
        target = self._target(node)
        if target["type"] == "json-or-python":
            return self._python(target["python_schema"])
        if target["type"] not in _WITH_CONFIG and target.get("ref") not in self._named:
            return self._made(target, self._python)  # it stands under the config around it
        # Each once, however often validators stand inside of one another.
        return self._definition(f"{id(target)} in Python", functools.partial(self._made, target, self._python))

    def _target(self, node: Node) -> Node:
        """The node itself, behind references."""
        while node["type"] in ("definitions", "definition-ref"):  # what is named may be a reference itself
            node = node["schema"] if node["type"] == "definitions" else self._named[node["schema_ref"]]
        return node

    def _definition(self, reference: str, making: Callable[[], Any]) -> Any:
        self._wanted.setdefault(reference, making)
        return {"type": "definition-ref", "schema_ref": reference}

    def _handed(self, node: Node) -> Any:
        """For what Python code hands over, of either kind."""
        if node["type"] == "default":  # what holds it looks for it there
            return self._made(node, self._handed)
        if self._is_alike(node, set()):
            return self._json(node)
        if self._chooses and self._target(node)["type"] in _TAKEN_APART:
            return self._python(node)  # the members of a union in it see what pydantic would show them
        return self._either(_source, {"type": "json", "schema": self._json(node)}, self._python(node))

    def _handed_key(self, node: Node) -> Any:
        """The same for a key. In JSON it is always a text, and may be the form of something else."""
        if node["type"] == "str":
            return self._json(node)
        alone = {"type": "dict", "keys_schema": self._json(node)}
        read = {
            "type": "function-after",
            "function": {"type": "no-info", "function": _only_key},
            "schema": {"type": "json", "schema": alone},
        }
        return self._either(_source_of_key, read, self._python(node))

    def _either(self, source: Callable[[Any], Any], json_: Any, python: Any) -> Any:
        self.changed = True
        either = {"type": "tagged-union", "discriminator": _form, "choices": {"json": json_, "python": python}}
        return {"type": "function-before", "function": {"type": "no-info", "function": source}, "schema": either}

    def _is_alike(self, node: Node, seen: set[int]) -> bool:
        """Whether pydantic, strict, takes the same plain data from Python code as from JSON."""
        node = self._target(node)
        kind = node["type"]
        if id(node) in seen or kind in _ITS_OWN:
            return True
        seen.add(id(node))
        if kind == "literal":
            return all(type(value) in (str, int, bool) for value in node["expected"])
        if kind == "dict" and node.get("keys_schema", _ANY)["type"] not in ("str", "any"):
            return False
        if kind not in _ALIKE:
            return False
        return all(self._is_alike(child, seen) for child in nodes_below(node))

    def _made(self, node: Node, for_: Callable[[Node], Any]) -> Any:
        """A copy of a node, rewritten with all that it holds."""
        kind = node["type"]
        made = {
            key: child if key in OPAQUE else self._held(child, self._of_child(node, key, for_))
            for key, child in node.items()
            if key != "ref"
        }
        if kind == "chain":  # each step hands its value to the next
            made["steps"] = [for_(node["steps"][0]), *map(self._handed, node["steps"][1:])]
        if for_ == self._python and kind in _COLLECTIONS:
            made["strict"] = False  # an array that holds objects of Python
        if kind in _WITH_CONFIG:
            made["config"] = {"strict": True, **node.get("config", {})}
        rule = self._rules.get(kind)
        changed = rule(made) if rule is not None else None
        # Whatever says that it is lax would be overruled by strictness at run time.
        lax = made.get("strict") is False or made.get("config", _STRICT).get("strict") is False
        self.changed = self.changed or changed is not None or lax
        return made if changed is None else changed

    def _of_child(self, node: Node, key: str, for_: Callable[[Node], Any]) -> Callable[[Node], Any]:
        """For whom what a node holds under a key is to be made."""
        kind = node["type"]
        if kind in ("function-before", "function-wrap"):
            return self._handed
        if kind == "json" or for_ == self._json:
            return self._json
        if key in ("keys_schema", "extras_keys_schema"):
            return self._handed_key
        return for_ if kind in ("model", "dataclass") and node["schema"]["type"] in _ALL_FIELDS else self._handed

    def _held(self, child: Any, make: Callable[[Node], Any]) -> Any:
        if isinstance(child, Mapping):
            kind = child.get("type")
            if not isinstance(kind, str):
                return {key: self._held(inner, make) for key, inner in child.items()}
            if kind not in _FIELDS:
                return make(child)
            return self._made(child, self._json if make == self._json else self._python)
        if isinstance(child, list | tuple):
            return type(child)(self._held(inner, make) for inner in child)
        return child


_ANY: Final[Node] = {"type": "any"}
_STRICT: Final[Node] = {"strict": True}
_WITH_CONFIG: Final = frozenset({"model", "dataclass", "typed-dict"})
_COLLECTIONS: Final = frozenset({"set", "frozenset", "tuple", "deque"})
_FIELDS: Final = frozenset({"model-field", "typed-dict-field", "dataclass-field", "named-tuple-field"})
_ALL_FIELDS: Final = frozenset({"model-fields", "dataclass-args"})
_TAKEN_APART: Final = frozenset(
    {"union", "tagged-union", "nullable", "list", "dict", "function-after", "custom-error"}
    | _COLLECTIONS
    | _WITH_CONFIG
    | _ALL_FIELDS
)
"""What pydantic, told whose parts are handed over, takes from Python code in the form that JSON has for it."""
_ITS_OWN: Final = frozenset(
    {"function-before", "function-wrap", "function-plain", "json", "is-instance", "is-subclass", "callable"}
)
"""What is handed an object of Python in any case, or looks at nothing else."""
_ALIKE: Final = frozenset(
    {"any", "none", "bool", "int", "float", "str", "url", "multi-host-url", "list", "dict", "nullable", "default"}
    | {"function-after", "custom-error", "model", "model-fields", "typed-dict", "dataclass", "dataclass-args"}
    | _FIELDS
)


# -- what Python code hands over


class _Source(bytes):
    """Plain data as JSON again."""

    __slots__ = ()


def _source(value: Any) -> Any:
    return _Source(json.dumps(value).encode()) if _is_plain(value) else value


def _source_of_key(value: Any) -> Any:
    return _Source(json.dumps({value: None}).encode()) if type(value) is str else value


def _only_key(read: dict[Any, None]) -> Any:
    return next(iter(read))


def reads_source(node: Node) -> bool:
    """Whether a node of a compiled core schema is one that reads plain data as JSON again, or else an object."""
    return node["type"] == "tagged-union" and node["discriminator"] is _form


def _form(value: Any) -> str:
    return "json" if type(value) is _Source else "python"


def _is_plain(value: Any) -> bool:
    """Whether it is what a JSON document holds, and not an object that only resembles it."""
    kind = type(value)
    if kind is list:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(type(key) is str and _is_plain(held) for key, held in value.items())
    return kind in _SCALARS


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})


# -- the rules: each gives another node, or None where the node may stay as it is


def _listed(node: dict[str, Any]) -> Any:
    """pydantic validates an iterable while it is consumed, if it ever is; of an answer it is a list."""
    return {**node, "type": "list"}


def _caught(node: dict[str, Any]) -> Any:
    """What a validator raises on a value is an error at the value's place, and pydantic goes on with the others."""
    function = node["function"]
    if of_pydantic(function["function"]):
        return None
    return {**node, "function": {**function, "function": _catching(function["function"])}}


def _discriminated(node: dict[str, Any]) -> Any:
    """pydantic lets out whatever a callable discriminator raises; a member of its own turns it into an error."""
    function = node["discriminator"]
    if not callable(function):
        return None
    discriminator = _Discriminator(function)
    refusing = {"type": "function-plain", "function": {"type": "no-info", "function": discriminator.refuse}}
    return {**node, "discriminator": discriminator, "choices": {**node["choices"], UNTAGGED: refusing}}


def _labelled(node: dict[str, Any]) -> Any:
    """Members of a union go by their position in errors' locations, where pydantic's names for them are ambiguous."""
    choices = [choice[0] if isinstance(choice, tuple) else choice for choice in node["choices"]]
    return {**node, "choices": [(choice, str(index)) for index, choice in enumerate(choices)]}


def _made_default(node: dict[str, Any]) -> Any:
    factory = node.get("default_factory")
    if factory is None or getattr(factory, "__module__", None) == "builtins":
        return None
    return {**node, "default_factory": _failing(factory)}


def _complex(node: dict[str, Any]) -> Any:
    """pydantic takes a number of JSON for one when it is told to be strict at run time, not by a config."""
    return {**node, "strict": False} if node.get("strict") is None else None


def _read(node: dict[str, Any]) -> Any:
    """pydantic reads the JSON in a text by itself, with numbers that it may change."""
    return json_guarded(node, nodes(node.get("schema", _ANY)))


_RULES: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "generator": _listed,
    "complex": _complex,
    "json": _read,
    "date": date_guarded,
    "datetime": date_guarded,
    "literal": listed_guarded,
    "enum": listed_guarded,
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
        *("guards.contracts.typed.notes", "guards.contracts.typed.kinds"),
    }
)


def of_pydantic(function: Any) -> bool:
    """Whether a validator is pydantic's own, of a type like a URL, or the library's: it raises nothing unexpected."""
    return getattr(getattr(function, "func", function), "__module__", None) in _PYDANTICS


def runs_code(schema: Any) -> bool:
    """Whether validation runs code of the type's author on a value."""
    return any(map(_runs_code, nodes(schema)))


def _runs_code(node: Node) -> bool:
    kind = node["type"]
    if kind in ("model", "dataclass"):
        return has_hook(node)
    if kind == "default":
        return bool(node.get("default_factory_takes_data"))
    return kind.startswith("function-") and not of_pydantic(node["function"]["function"])


def has_hook(node: Node) -> bool:
    """Whether a class has code of its author's look at each new instance; that which sets private attributes up is
    pydantic's own."""
    hook = node.get("post_init")
    if isinstance(hook, str):  # of a dataclass it is only said that there is one
        hook = getattr(getattr(node["cls"], hook, None), "__qualname__", "") != _SETS_UP
    return bool(hook or node.get("custom_init"))


def _catching(function: Callable[..., Any]) -> Callable[..., Any]:
    def catching(*given: Any) -> Any:
        try:
            return function(*given)
        except _UNDERSTOOD as fault:
            if isinstance(fault, RecursionError) and _is_its_own(fault):
                raise _raised(fault) from fault
            raise
        except Exception as fault:
            raise _raised(fault) from fault

    catching.__wrapped__ = function  # type: ignore[attr-defined]
    return catching


_MOST_OF_THE_DOCUMENT: Final = 60


def _is_its_own(fault: RecursionError) -> bool:
    """Whether a user's function alone called itself too often. Where a document is nested too deeply, the functions of
    its levels stand between, and the innermost has made few calls."""
    here, *below = [frame.f_code for frame, _ in walk_tb(fault.__traceback__)]
    return here not in below and len(below) > _MOST_OF_THE_DOCUMENT


def function_of(node: Node) -> Any:
    """The user's own function, or pydantic's, of a node of a compiled core schema."""
    function = node["function"]["function"]
    return getattr(function, "__wrapped__", function)


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


_SETS_UP: Final = "init_private_attributes"
"""pydantic's function, by its name, since it stands in no public module."""
UNTAGGED: Final = "guards: the discriminator raised"
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
            return UNTAGGED

    def refuse(self, value: Any) -> Any:
        fault, self.fault = self.fault, None
        assert fault is not None
        raise fault if isinstance(fault, ValueError | AssertionError) else _raised(fault)
