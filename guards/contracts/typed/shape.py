"""What a value of a Python type is made of, read off pydantic's whole core schema, and the guards that stand in it.

A guard leaves itself in the metadata of the core schema (`METADATA_KEY`). One graph of shapes is built per type: where
the schema describes the same value again (validators, defaults, unions) a shape has further `layers`, where it goes
into the value, `inner`. A guard that stands where nothing of an answer is ever delivered is a `ConfigError`, so that no
guard is passed over. How a value is walked along its shape is `typed.parts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pydantic_core

from guards.contracts.typed.annotations import declared, in_annotation, strays
from guards.contracts.typed.kinds import as_it_is, class_of, holds_any, keeps_text, members_of
from guards.contracts.typed.members import Given, Layer, Member, Members, Parsed, Revealed, Root, Same
from guards.contracts.typed.nodes import nodes
from guards.contracts.typed.structures import (
    NO_DEFAULT,
    Entries,
    Field,
    Fields,
    Items,
    Structure,
    counts_from_end,
    spellings_of,
)
from guards.contracts.typed.validator import has_hook, of_pydantic
from guards.errors import ConfigError
from guards.values.sameness import key_of

if TYPE_CHECKING:
    from guards.contracts.typed.notes import Notes

__all__ = [
    "METADATA_KEY",
    "Shape",
    "guards_stand",
    "holds_guards",
    "may_move",
    "passes_over",
    "shape_of",
    "with_guard",
]

METADATA_KEY: Final = "output_guards"
_standing = False


def with_guard(node: Mapping[str, Any], guard: Any) -> dict[str, Any]:
    """A node of a core schema with a guard on it."""
    global _standing  # noqa: PLW0603  # told by `guards_stand`
    _standing = True
    metadata = dict(node.get("metadata") or {})
    metadata[METADATA_KEY] = (*metadata.get(METADATA_KEY, ()), guard)
    return {**node, "metadata": metadata}


def guards_stand() -> bool:
    """Whether a guard stands inside any type at all: mostly none does."""
    return _standing


class Shape:
    """One node. Shapes of recursive types are cyclic.

    `here`: the guards on it. `layers`: what else is said of the same value. `inner`: what it holds, None for a leaf.
    `listed`: the node of that, where it has an order or keys. `guarded`: whether a guard stands on it or below.
    `opaque`: whether code of the type's author may have made something else of the value; `moves`: whether it may have,
    before pydantic looked for the parts; `stirs`: whether it may have put the parts in another order. `hands`: the
    nodes of the validators that hand the answer on to pydantic; `rehands`: whether it validates what it made once more.
    """

    def __init__(self) -> None:
        self.here: list[Any] = []
        self.layers: list[Layer] = []
        self.inner: Structure | None = None
        self.guarded = False
        self.opaque = False
        self.moves = False
        self.stirs = False
        self.hands: list[Any] = []
        self.rehands = False
        self.listed: Any = None

    def below(self) -> Iterator[Shape]:
        """Every shape that is one step away."""
        for layer in self.layers:
            yield from layer.shapes
        if self.inner is not None:
            yield from self.inner.shapes

    def reachable(self) -> list[Shape]:
        """Itself and every shape below."""
        return _below([self])

    def moved(self, notes: Notes) -> bool:
        """Whether, in this validation, code of the type's author handed the answer on in another order."""
        if self.rehands:
            return self.stirs
        return bool(self.hands) and (not notes.watching or any(id(node) in notes.moved for node in self.hands))

    @property
    def notes(self) -> dict[int, Any]:
        """The nodes of the core schema of which validation has to note something, by identity: unions, which member
        made a value; lists and mappings that the author's code may have stirred, what they held at first."""
        shapes = self.reachable()
        layers = (layer for shape in shapes for layer in shape.layers)
        unions = [layer.node for layer in layers if isinstance(layer, Given | Members) and layer.unclear]
        lists = [shape.listed for shape in _below([one for one in shapes if one.stirs]) if shape.listed is not None]
        hands = [node for shape in shapes for node in shape.hands] if lists else []
        return {id(node): node for node in (*unions, *lists, *hands)}

    @property
    def guards(self) -> tuple[Any, ...]:
        """All guards on it and below, each once."""
        found = {id(guard): guard for shape in self.reachable() for guard in shape.here}
        return tuple(found.values())


def _below(shapes: list[Shape]) -> list[Shape]:
    """These and all shapes below, each once."""
    seen: dict[int, Shape] = {}
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        if id(shape) not in seen:
            seen[id(shape)] = shape
            waiting += shape.below()
    return list(seen.values())


def shape_of(schema: Any, annotation: Any) -> Shape:
    """The shape of a type. Raises `ConfigError` for a guard in it that would never see what is delivered."""
    builder = _Builder()
    root = builder.build(schema, None)
    _mark(root)
    builder.check(schema, annotation, root)
    return root


def may_move(shape: Shape) -> bool:
    """Whether code of the type's author may have put parts of a document elsewhere before pydantic looked for them."""
    return shape.moves or any(may_move(further) for layer in shape.layers for further in layer.shapes)


def passes_over(shape: Shape) -> bool:
    """Whether a value may be of a model that passes over further keys."""
    inner = shape.inner
    if isinstance(inner, Fields) and not inner.open and not inner.closed:
        return True
    return any(passes_over(further) for layer in shape.layers for further in layer.shapes)


def holds_guards(schema: Any, annotation: Any) -> bool:
    """Whether any guard stands in a type: quickly, since most have none."""
    if any(True for _ in in_annotation(annotation)):
        return True
    return any(
        METADATA_KEY in (node.get("metadata") or ()) or _declares(node) for node in nodes(schema, serializers=True)
    )


def _mark(root: Shape) -> None:
    """Find which shapes lead to guards: backwards from those that have some."""
    above: dict[int, list[Shape]] = {}
    shapes = root.reachable()
    for shape in shapes:
        for child in shape.below():
            above.setdefault(id(child), []).append(shape)
    waiting = [shape for shape in shapes if shape.here]
    while waiting:
        shape = waiting.pop()
        if not shape.guarded:
            shape.guarded = True
            waiting += above.get(id(shape), ())
    for shape in shapes:
        if shape.inner is not None:
            shape.inner.settle()


class _Builder:
    """From core-schema nodes to shapes: one method for each group of kinds that go into a value."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self.known: dict[int, Shape] = {}
        self.seen: set[int] = set()
        """Nodes with guards of which a shape was made, or whose guards stand in one beside it."""

    def build(self, node: Any, config: Any) -> Shape:
        """`config` is what pydantic hands down to nodes that have none of their own."""
        known = self.known.get(id(node))
        if known is not None:
            return known
        shape = self.known[id(node)] = Shape()
        for definition in node.get("definitions", ()):
            self.definitions[definition["ref"]] = definition
        if METADATA_KEY in (node.get("metadata") or {}):
            shape.here += node["metadata"][METADATA_KEY]
            self.seen.add(id(node))
        kind = node["type"]
        make = self._MAKERS.get(kind)
        if make is not None:
            make(self, shape, node, config)
        elif kind not in _SCALARS:
            # Anything, or of a kind that is not known: a guard that stands in one is in no shape, and refused.
            shape.opaque = True
        self.served(shape, node, config)
        return shape

    def check(self, schema: Any, annotation: Any, root: Shape) -> None:
        """`ConfigError` where a guard stands in the schema or the annotations, and in no shape."""
        for node in _guarded_nodes(schema):
            if id(node) not in self.seen:
                raise _unseen(node["metadata"][METADATA_KEY][0])
        _check_there(list(in_annotation(annotation)), root)
        for shape in root.reachable():
            if isinstance(shape.inner, Fields):
                self.check_class(shape.inner)

    def check_class(self, fields: Fields) -> None:
        """The same of a class: its fields, and what it declares beside them."""
        written = declared(fields.declared)
        for field in fields.fields:
            _check_there(written.get(field.attribute, ()), field.shape)
        for guard in strays(fields.declared):
            raise _unseen(guard)

    # -- the same value again ----------------------------------------------------------------------------------------

    def same(self, shape: Shape, node: Any, config: Any) -> None:
        shape.layers.append(Same(self.build(node["schema"], config)))

    def changed(self, shape: Shape, node: Any, config: Any) -> None:
        function = node["function"]["function"]
        shape.opaque = function is not as_it_is
        shape.stirs = not of_pydantic(function)
        shape.moves = node["type"] != "function-after"
        shape.hands += [node] if shape.stirs and shape.moves else []
        made = self.build(node["schema"], config)
        hides = _hides(function)
        shape.layers.append(Revealed(made, node["schema"], self.definitions) if hides else Same(made))

    def plain(self, shape: Shape, node: Any, config: Any) -> None:
        shape.opaque = shape.stirs = True

    def chain(self, shape: Shape, node: Any, config: Any) -> None:
        steps = [self.build(step, config) for step in node["steps"]]
        shape.layers += map(Same, steps)
        shape.stirs = any(step.stirs for step in steps)
        shape.rehands = len(steps) > 1

    def referred(self, shape: Shape, node: Any, config: Any) -> None:
        target = self.definitions.get(node["schema_ref"])
        if target is not None:
            shape.layers.append(Same(self.build(target, None)))

    def in_json(self, shape: Shape, node: Any, config: Any) -> None:
        self.either(shape, node["json_schema"], node["python_schema"], config)

    def strictly(self, shape: Shape, node: Any, config: Any) -> None:
        self.either(shape, node["strict_schema"], node["lax_schema"], config)

    def either(self, shape: Shape, main: Any, other: Any, config: Any) -> None:
        """Two descriptions of one value: the one that answers go by, and the other where it has further guards."""
        made = self.build(main, config)
        shape.layers.append(Same(made))
        if not self.covered(other, made):
            shape.layers.append(Same(self.build(other, config)))

    def nullable(self, shape: Shape, node: Any, config: Any) -> None:
        # A guard inside `X | None` is about the X.
        shape.layers.append(Given(self.build(node["schema"], config), node, None))

    def sentinel(self, shape: Shape, node: Any, config: Any) -> None:
        """`X | MISSING`, which holds what X is since pydantic 2.14."""
        if isinstance(node.get("schema"), Mapping):
            shape.layers.append(Given(self.build(node["schema"], config), node, pydantic_core.MISSING))

    def union(self, shape: Shape, node: Any, config: Any) -> None:
        known = self.definitions
        members = [
            Member(self.build(one, config), one, known, holds_any(one, known), class_of(one, known))
            for one in members_of(node)
        ]
        shape.layers.append(Members(node, members))

    def served(self, shape: Shape, node: Any, config: Any) -> None:
        """What a serializer is told of the value: all that is left of what stands before a `PlainValidator`."""
        told = node.get("serialization", {})
        if shape.layers or shape.inner is not None or node["type"] not in ("function-plain", "any", "is-instance"):
            self.excuse(told, shape)
            return
        if isinstance(told.get("schema"), Mapping) and next(_guarded_nodes(told["schema"]), None):
            made = self.build(told["schema"], config)
            shape.layers.append(Same(made))
        self.excuse(told, shape)

    def excuse(self, node: Any, shape: Shape) -> None:
        """Guards of another description of the value that stand in this one, too."""
        others = list(_guarded_nodes(node))
        # By what they are: pydantic copies what it describes twice.
        found = {key_of(guard) for guard in shape.guards} if others else set()
        for other in others:
            if all(key_of(guard) in found for guard in other["metadata"][METADATA_KEY]):
                self.seen.add(id(other))

    def covered(self, node: Any, shape: Shape) -> bool:
        """Whether every guard of another description stands in this one."""
        self.excuse(node, shape)
        return all(id(other) in self.seen for other in _guarded_nodes(node))

    # -- what it holds -----------------------------------------------------------------------------------------------

    def model(self, shape: Shape, node: Any, config: Any) -> None:
        config = node.get("config") or {}
        if node.get("root_model"):
            shape.layers.append(Root(node["cls"], self.build(node["schema"], config)))
            return
        inner = node["schema"]
        shape.stirs = has_hook(node)
        while inner["type"] not in ("model-fields", "dataclass-args"):
            shape.opaque = shape.stirs = True
            if inner["type"] != "function-after":
                shape.moves = True
                shape.hands.append(inner)
            if not isinstance(inner.get("schema"), Mapping):
                return
            inner = inner["schema"]
        extras = inner.get("extras_schema")
        behaviour = inner.get("extra_behavior") or config.get("extra_fields_behavior", "ignore")
        shape.inner = Fields(
            node["type"],
            node["cls"],
            tuple(self.fields(inner["fields"], config)),
            extras=self.build(extras, config) if extras is not None else None,
            extra_keys=self.keys(inner, config),
            behaviour=behaviour,
        )

    def typed_dict(self, shape: Shape, node: Any, config: Any) -> None:
        config = node.get("config") or config or {}
        extras = node.get("extras_schema")
        behaviour = node.get("extra_behavior") or config.get("extra_fields_behavior", "ignore")
        shape.inner = Fields(
            "typed-dict",
            dict,
            tuple(self.fields(node["fields"], config)),
            extras=self.build(extras, config) if extras is not None else None,
            extra_keys=self.keys(node, config),
            behaviour=behaviour,
            declared=node.get("cls"),
        )

    def keys(self, node: Any, config: Any) -> Shape | None:
        keys = node.get("extras_keys_schema")
        return self.build(keys, config) if keys is not None else None

    def named_tuple(self, shape: Shape, node: Any, config: Any) -> None:
        shape.inner = Fields("named-tuple", node["cls"], tuple(self.fields(node["fields"], config)))

    def call(self, shape: Shape, node: Any, config: Any) -> None:
        """A `NamedTuple`, in pydantic before 2.14; what any other function makes of its arguments is not seen."""
        made = node["function"]
        arguments = node["arguments_schema"]
        if not (isinstance(made, type) and issubclass(made, tuple) and arguments["type"] == "arguments"):
            shape.opaque = True
            return
        shape.inner = Fields("named-tuple", made, tuple(self.fields(arguments["arguments_schema"], config)))

    def fields(self, fields: Any, config: Any) -> Iterator[Field]:
        pairs = fields.items() if isinstance(fields, Mapping) else ((field["name"], field) for field in fields)
        for attribute, node in pairs:
            if not node.get("init_only"):  # handed to `__post_init__`, and no part of the value
                child = self.build(node["schema"], config)
                spellings = spellings_of(attribute, node, config)
                yield Field(attribute, spellings, child, *_default(node["schema"]), counts_from_end(spellings))

    def items(self, shape: Shape, node: Any, config: Any) -> None:
        items = node.get("items_schema")
        shape.inner = Items(
            every=self.build(items, config) if items is not None else None, ordered=node["type"] not in _SETS
        )
        shape.listed = node

    def positions(self, shape: Shape, node: Any, config: Any) -> None:
        shape.listed = node
        variadic = node.get("variadic_item_index")
        shapes = [self.build(item, config) for item in node["items_schema"]]
        if variadic is None:
            shape.inner = Items(first=shapes)
        else:
            shape.inner = Items(first=shapes[:variadic], every=shapes[variadic], last=shapes[variadic + 1 :])

    def entries(self, shape: Shape, node: Any, config: Any) -> None:
        shape.listed = node
        keys, values = node.get("keys_schema"), node.get("values_schema")
        shape.inner = Entries(
            self.build(keys, config) if keys is not None else None,
            self.build(values, config) if values is not None else None,
            rewrites=keys is not None and not keeps_text(keys, config),
        )

    def parsed(self, shape: Shape, node: Any, config: Any) -> None:
        """A text of JSON in the document, and a value of its own in what is delivered."""
        if node.get("schema") is not None:
            shape.opaque = True
            shape.layers.append(Parsed(self.build(node["schema"], config)))

    _MAKERS: Final[dict[str, Callable[..., None]]] = {
        "model": model,
        "dataclass": model,
        "typed-dict": typed_dict,
        "named-tuple": named_tuple,
        "call": call,
        **dict.fromkeys(("list", "set", "frozenset", "generator", "deque"), items),
        "tuple": positions,
        **dict.fromkeys(("dict", "frozendict", "ordered-dict", "counter"), entries),
        "nullable": nullable,
        "missing-sentinel": sentinel,
        "union": union,
        "tagged-union": union,
        "definition-ref": referred,
        **dict.fromkeys(("default", "definitions", "custom-error"), same),
        **dict.fromkeys(("function-after", "function-before", "function-wrap"), changed),
        "function-plain": plain,
        "chain": chain,
        "json-or-python": in_json,
        "lax-or-strict": strictly,
        "json": parsed,
    }


_SETS: Final = frozenset({"set", "frozenset"})
_SCALARS: Final = frozenset(
    {
        *(
            "none",
            "bool",
            "int",
            "float",
            "decimal",
            "fraction",
            "complex",
            "str",
            "bytes",
            "uuid",
            "url",
            "multi-host-url",
        ),
        *("date", "time", "datetime", "timedelta", "literal", "enum", "ellipsis"),
    }
)


def _guarded_nodes(node: Any) -> Iterator[Any]:
    return (one for one in nodes(node, serializers=True) if METADATA_KEY in (one.get("metadata") or {}))


def _hides(function: Any) -> bool:
    """Whether a validator is the one by which pydantic puts a value into a `Secret`."""
    named = getattr(function, "__qualname__", "")
    return getattr(function, "__module__", "") == "pydantic.types" and named.startswith("Secret.")


def _default(node: Any) -> tuple[Any, bool]:
    """The constant that a field has where the document is silent; and whether a function alone makes its default."""
    while node["type"] in ("function-after", "function-before", "function-wrap", "nullable"):
        node = node["schema"]
    if node["type"] != "default":
        return NO_DEFAULT, False
    return node.get("default", NO_DEFAULT), "default_factory" in node and not node.get("default_factory_takes_data")


def _declares(node: Any) -> bool:
    """Whether the class of a node has guards in its annotations."""
    cls = node.get("cls")
    return isinstance(cls, type) and (any(declared(cls).values()) or any(True for _ in strays(cls)))


def _check_there(guards: Sequence[Any], shape: Shape) -> None:
    """`ConfigError` for a guard that does not stand there."""
    # Equal ones will do: where a type is made anew, typing hands out what it made of an equal guard before.
    there = {key_of(guard) for guard in shape.guards} if guards else set()
    for guard in guards:
        if key_of(guard) not in there:
            raise _unseen(guard)


def _unseen(guard: Any) -> ConfigError:
    return ConfigError(
        f"the guard {guard.name!r} stands inside the type where it would never see what is delivered",
        where="contract",
        hint="put it on a field, item, key or value of the type, or on the whole answer with guards=[...]",
    )
