"""Plain data that a JSON Schema allows and its contract accepts: the example in a prompt.

A schema is walked as a conjunction: a place's own schema, what its `$ref` and `allOf` add, and one chosen branch of
each `anyOf`, `oneOf`, `if`. Candidates come lazily, the most telling first; whatever a subschema refuses is dropped
where it is made, and the contract itself has the last word. Leaves are `showing.example_values`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from time import thread_time
from typing import Any, Final

from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

from guards.contracts.json_schema.conjunction import (
    Node,
    Nodes,
    bounds,
    every,
    listed,
    mapping,
    prefix_items,
    required_names,
    types,
)
from guards.contracts.json_schema.drafts import DRAFTS, LATEST, Run, dialect, validator_class
from guards.contracts.showing.example_values import integers, numbers, texts
from guards.errors import ConfigError
from guards.patterns.ecma import EcmaPattern
from guards.patterns.samples import samples

__all__ = ["example"]


def example(schema: dict[str, Any] | bool, accepts: Callable[[Any], bool]) -> Any:
    """Plain data of the schema that `accepts` says yes to. `ConfigError` where none was found in bounded tries.

    `examples` and telling defaults of the schema are taken before anything is made up. The same schema gives the same
    data, save a huge one, which takes its shortest form once 0.25 s are spent.
    """
    maker = _Maker(schema)
    try:
        for data in islice(maker.root(), 2 * _TRIES):
            if accepts(data):
                return data
    except RecursionError:
        pass  # an example that deep helps nobody: refused like one that could not be found
    raise ConfigError(
        "no example could be made that the contract accepts",
        where='prompt(style="example")',
        hint="give the schema, or the field that is hard to guess, examples=[...], or use another style",
    )


_TRIES: Final = 300
_CHECKS: Final = 3_000  # values that are held against a schema, for the full form, and again for the shortest
_SECONDS: Final = 2.0  # of this thread, in case one of them takes long: time alone would give other examples under load
_WIDTH: Final = 8  # candidates that are kept for one place
_ROOMY: Final = 300  # places after which only what is required is shown
_DEEPEST: Final = 24
_BRANCHES: Final = 40
_LONGEST_LIST: Final = 5_000


@dataclass(slots=True)
class _Place:
    """Where an example is being made: the name it goes by, how deep, and which schemas it is inside of."""

    label: str = ""
    depth: int = 0
    inside: frozenset[int] = frozenset()


class _Maker:
    def __init__(self, schema: dict[str, Any] | bool) -> None:
        named = dialect(str(schema.get("$schema", LATEST))) if isinstance(schema, dict) else LATEST
        self.kind = validator_class(named if named in DRAFTS else LATEST)
        resolver = REGISTRY.resolver_with_root(self.kind.specification.create_resource(schema))
        self.validator = self.kind(schema, format_checker=_Lenient({}, {}), registry=REGISTRY, _resolver=resolver)
        self.start = Node(schema, resolver)
        self.places = 0
        self.rest()

    def rest(self) -> None:
        self.checks, self.ends = 0, thread_time() + _SECONDS

    @property
    def tired(self) -> bool:
        return self.checks > _CHECKS or thread_time() > self.ends

    @property
    def thrifty(self) -> bool:
        """Whether the example is large enough: from then on only what is required is shown."""
        return self.places > _ROOMY

    def root(self) -> Iterator[Any]:
        yield from self.make((self.start,), _Place(), _TRIES)
        self.places = _ROOMY + 1  # once more, in the shortest form
        self.rest()
        yield from self.make((self.start,), _Place(), _TRIES)

    def make(self, nodes: Nodes, place: _Place, width: int = _WIDTH) -> Iterator[Any]:
        """Different values that all the schemas allow, at most `width`."""
        if place.depth > _DEEPEST or self.tired:
            return
        self.places += 1
        seen: set[str] = set()
        misses = 0
        for value in self.guesses(nodes, place):
            key = json.dumps(value, sort_keys=True, default=str)
            if key in seen:
                continue
            seen.add(key)
            if all(self.valid(node, value) for node in nodes):
                yield value
                width -= 1
            else:
                misses += 1
            if width <= 0 or misses > _TRIES or self.tired:
                return

    def valid(self, node: Node, value: Any) -> bool:
        self.checks += 1
        if isinstance(node.schema, bool):
            return node.schema
        run = _Lenient({}, {})
        try:
            return bool(
                self.validator.evolve(schema=node.schema, _resolver=node.resolver, format_checker=run).is_valid(value)
            )
        except Unresolvable:
            return True  # a document that only the contract knows: it decides

    def guesses(self, nodes: Nodes, place: _Place) -> Iterator[Any]:
        later: list[Any] = []
        # An alternative that leads back to where we are comes last: the others end the recursion.
        flats = sorted(islice(self.expanded(nodes), _BRANCHES), key=lambda flat: _again(flat, place))
        for flat in flats:
            for value in self.given(flat):
                if value in (None, "", [], {}) and not isinstance(value, bool):
                    later.append(value)  # a default that says nothing of the shape
                else:
                    yield value
            yield from self.by_type(flat, place)
        yield from later

    def expanded(self, nodes: Nodes) -> Iterator[Nodes]:
        """The nodes with everything that applies beside them, one alternative after the other."""
        yield from self.expand(list(nodes), [], frozenset())

    def expand(self, todo: list[Node], done: list[Node], seen: frozenset[int]) -> Iterator[Nodes]:
        todo, done = list(todo), list(done)
        while todo:
            node = todo.pop(0)
            schema = node.schema
            if schema is False:
                return
            if schema is True or id(schema) in seen:
                continue
            seen |= {id(schema)}
            alone = self.kind.ref_stands_alone and "$ref" in schema
            for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
                target = self.target(node, schema.get(keyword))
                if target is not None:
                    todo.insert(0, target)
            if alone:
                continue
            done.append(node)
            todo[:0] = [self.under(node, part) for part in listed(schema.get("allOf"))]
            choices = [self.choices(node, keyword) for keyword in ("oneOf", "anyOf", "if")]
            forks = [choice for choice in choices if choice]
            if forks:
                yield from self.fork(forks, todo, done, seen)
                return
        yield tuple(done)

    def fork(
        self, forks: list[list[Nodes]], todo: list[Node], done: list[Node], seen: frozenset[int]
    ) -> Iterator[Nodes]:
        first, rest = forks[0], forks[1:]
        for branch in first:
            if rest:
                yield from self.fork(rest, [*branch, *todo], done, seen)
            else:
                yield from self.expand([*branch, *todo], done, seen)

    def choices(self, node: Node, keyword: str) -> list[Nodes]:
        schema = node.schema
        if keyword == "if":
            if "if" not in schema:
                return []
            then = (self.under(node, schema["if"]), self.under(node, schema.get("then", True)))
            return [then, (self.under(node, schema.get("else", True)),)]
        branches = [(self.under(node, branch),) for branch in listed(schema.get(keyword))]
        # null says nothing of the shape: last, though people write it first.
        return sorted(branches, key=lambda branch: _only_null(branch[0].schema))

    def target(self, node: Node, reference: Any) -> Node | None:
        if not isinstance(reference, str):
            return None
        try:
            found = node.resolver.lookup(reference)
        except Unresolvable:
            return None
        return Node(found.contents, found.resolver)

    def under(self, node: Node, schema: Any) -> Node:
        if not isinstance(schema, dict):
            return Node(schema, node.resolver)
        return Node(schema, node.resolver.in_subresource(self.kind.specification.create_resource(schema)))

    def given(self, nodes: Nodes) -> Iterator[Any]:
        """The values that the schemas themselves name."""
        for node in nodes:
            schema = node.schema
            if isinstance(schema.get("examples"), list):
                yield from schema["examples"]
            for keyword in ("example", "default", "const"):
                if keyword in schema:
                    yield schema[keyword]
        for values in every(nodes, "enum"):
            yield from listed(values)

    def by_type(self, nodes: Nodes, place: _Place) -> Iterator[Any]:
        if any("enum" in node.schema or "const" in node.schema for node in nodes):
            return
        named = any("type" in node.schema for node in nodes)
        for kind in types(nodes):
            # Where a kind is only guessed at, the next one must have its turn.
            yield from islice(self.of_kind(kind, nodes, place), None if named else _WIDTH)

    def of_kind(self, kind: str, nodes: Nodes, place: _Place) -> Iterator[Any]:
        if kind == "object":
            yield from self.objects(nodes, place)
        elif kind == "array":
            yield from self.arrays(nodes, place)
        elif kind == "string":
            low = max((int(n) for n in every(nodes, "minLength")), default=0)
            high = min((int(n) for n in every(nodes, "maxLength")), default=None)
            yield from texts(place.label, low, high, every(nodes, "format"), every(nodes, "pattern"))
        elif kind in ("integer", "number"):
            low_, above, high_, below = bounds(nodes)
            steps = [Fraction(str(step)) for step in every(nodes, "multipleOf")]
            if kind == "integer":
                yield from integers(low_, high_, steps, above=above, below=below)
            else:
                yield from numbers(low_, high_, steps, above=above, below=below)
        elif kind == "boolean":
            yield from (True, False)
        elif kind == "null":
            yield None

    def objects(self, nodes: Nodes, place: _Place) -> Iterator[dict[str, Any]]:
        again = _again(nodes, place) > 0
        inner = place.inside | {id(node.schema) for node in nodes}
        nodes = (*nodes, *self.dependent(nodes))
        required = required_names(nodes)
        declared = [name for found in every(nodes, "properties") for name in found]
        sparse = again or self.thrifty
        names = list(dict.fromkeys(required if sparse else [*declared, *required]))
        most = min((int(n) for n in every(nodes, "maxProperties")), default=None)
        least = max((int(n) for n in every(nodes, "minProperties")), default=0)
        if (not names and not sparse) or len(names) < least:
            names += [name for name in [*declared, *self.other_names(nodes, least)] if name not in names]
            names = names[: max(least, len(required))] if sparse else names
        if most is not None:
            names = sorted(names, key=lambda name: name not in required)[:most]

        made: dict[str, list[Any]] = {}
        for name in names:
            conj = self.member(nodes, name)
            values = list(self.make(conj, _Place(name, place.depth + 1, inner), 1 if sparse else 3))
            if values:
                made[name] = values
            elif name in required:
                return
        whole = {name: values[0] for name, values in made.items()}
        yield whole
        bare = {name: values for name, values in whole.items() if name in required}
        optional = [name for name in whole if name not in required]
        yield from ({**whole, name: other} for name, values in made.items() for other in values[1:])
        yield from ({k: v for k, v in whole.items() if k != name} for name in optional[:_WIDTH])
        yield bare
        yield from ({**bare, name: other} for name in bare for other in made[name][1:])
        yield from ({**bare, name: whole[name]} for name in optional)

    def dependent(self, nodes: Nodes) -> Iterator[Node]:
        """The schemas that properties bring with them."""
        for node in nodes:
            for keyword in ("dependentSchemas", "dependencies"):
                rules = node.schema.get(keyword)
                for rule in rules.values() if isinstance(rules, dict) else ():
                    if isinstance(rule, dict):
                        for flat in islice(self.expanded((self.under(node, rule),)), 1):
                            yield from flat

    def member(self, nodes: Nodes, name: str) -> Nodes:
        """Everything that the schemas say of one member."""
        found: list[Node] = []
        for node in nodes:
            schema = node.schema
            here = [rule for key, rule in mapping(schema.get("properties")).items() if key == name]
            here += [
                rule for pattern, rule in mapping(schema.get("patternProperties")).items() if _matches(pattern, name)
            ]
            if not here and "additionalProperties" in schema:
                here = [schema["additionalProperties"]]
            found += [self.under(node, rule) for rule in here if isinstance(rule, dict | bool)]
        return tuple(found)

    def other_names(self, nodes: Nodes, least: int) -> list[str]:
        """Names for members that no schema declares, where there may be such."""
        names = [
            name
            for patterns in every(nodes, "patternProperties")
            for pattern in patterns
            for name in islice((text for text in samples(pattern) if _matches(pattern, text)), 4 * least or 1)
        ]
        named = tuple(
            self.under(node, node.schema["propertyNames"]) for node in nodes if "propertyNames" in node.schema
        )
        open_ = [rule for rule in every(nodes, "additionalProperties") if isinstance(rule, dict)]
        names = list(dict.fromkeys(names))
        if named:
            names += [name for name in self.make(named, _Place("key"), max(1, least)) if isinstance(name, str)]
        elif open_ or least > len(names):
            names += ["key", *(f"key{number}" for number in range(2, min(least, _LONGEST_LIST) + 1))]
        return names

    def arrays(self, nodes: Nodes, place: _Place) -> Iterator[list[Any]]:
        again = _again(nodes, place) > 0
        inner = place.inside | {id(node.schema) for node in nodes}
        least = max((int(n) for n in every(nodes, "minItems")), default=0)
        most = min((int(n) for n in every(nodes, "maxItems")), default=None)
        if least > _LONGEST_LIST or (most is not None and most < least):
            return
        unique = any(rule is True for rule in every(nodes, "uniqueItems"))
        prefix = max((len(prefix_items(node.schema)) for node in nodes), default=0)
        wanted = [self.under(node, node.schema["contains"]) for node in nodes if "contains" in node.schema]
        copies = max((int(n) for n in every(nodes, "minContains")), default=1) if wanted else 0
        size = max(least, prefix, copies, 0 if again or self.thrifty else 1)
        if most is not None:
            size = min(size, most)

        label = place.label.removesuffix("s") if not place.label.endswith("ss") else place.label
        there = _Place(label, place.depth + 1, inner)
        fixed = [list(self.make(self.item(nodes, index), there, 4)) for index in range(min(prefix, size))]
        rest = self.item(nodes, prefix)
        need = size - len(fixed)
        values = list(self.make((*rest, *wanted), there, need + 3 if unique else 3)) if need else []
        if copies < need and wanted and len(values) < need:
            values += list(self.make(rest, there, need))
        usable = all(fixed) and (need <= 0 or bool(values))
        if usable and not unique:
            for shift in range(max([len(values), *map(len, fixed), 1])):
                head = [options[min(shift, len(options) - 1)] for options in fixed]
                yield head + [values[(shift + at) % len(values) if shift else 0] for at in range(need)]
        elif usable:
            head = _different(fixed)
            taken = {json.dumps(value, sort_keys=True) for value in head}
            others = [value for value in values if json.dumps(value, sort_keys=True) not in taken]
            yield head + others[:need]
        if not least:
            yield []
        if least < size and usable:
            yield [options[0] for options in fixed[:least]]

    def item(self, nodes: Nodes, index: int) -> Nodes:
        """Everything that the schemas say of the item at an index."""
        found: list[Node] = []
        for node in nodes:
            schema, prefix = node.schema, prefix_items(node.schema)
            if index < len(prefix):
                found.append(self.under(node, prefix[index]))
                continue
            rule = schema.get("additionalItems" if isinstance(schema.get("items"), list) else "items")
            if isinstance(rule, dict | bool):
                found.append(self.under(node, rule))
        return tuple(found)


class _Lenient(Run):
    """A validation that lets a pattern pass which is not ECMA-262 (pydantic's own syntax): the contract decides."""

    def matches(self, source: str, text: str) -> bool:
        try:
            return super().matches(source, text)
        except ConfigError:
            return True


def _again(nodes: Nodes, place: _Place) -> int:
    """How many of the schemas the place is inside of already."""
    return sum(id(node.schema) in place.inside for node in nodes)


def _different(columns: list[list[Any]]) -> list[Any]:
    """One value of each column, none of them twice where that can be."""
    taken: list[Any] = []
    for options in columns:
        taken.append(next((value for value in options if value not in taken), options[0]))
    return taken


def _matches(pattern: str, text: str) -> bool:
    try:
        return EcmaPattern(pattern).search(text)
    except (ConfigError, TimeoutError):
        return False


def _only_null(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("const", "") is None)
