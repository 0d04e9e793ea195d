"""What a guard was made with: its options are the parameters of its constructor, whatever the guard derives from them.

They are taken down when the constructor is called, so that a guard of anybody's (one that never calls
`super().__init__`, one with slots, a dataclass) can be told from others, and made again.
"""

from __future__ import annotations

import inspect
import pickle
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields
from functools import cached_property, lru_cache, wraps
from inspect import Parameter
from typing import Any, Final

from guards.values.sameness import key_of

__all__ = ["MADE", "Made", "made_of", "parameters", "remember", "slots_of"]

MADE: Final = "__made__"
"""The attribute of a guard that holds how it was made; None for one that cannot tell."""

_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes})
_MAY_CHANGE: Final = frozenset({list, dict, set, deque, bytearray, OrderedDict})
_PLAIN: Final = _ATOMS | _MAY_CHANGE | {tuple, frozenset}


class Seen:
    """Values by name, as they were at one time: what stands at a name is still the same, or another, or changed within.

    A list is told by what it held then; of anything else it counts which one it is.
    """

    __slots__ = ("held", "values")

    def __init__(self, values: dict[str, Any], held: dict[str, Hashable] | None = None) -> None:
        if held is None:
            held = {name: key_of(value) for name, value in values.items() if type(value) in _MAY_CHANGE}
        self.values = values
        self.held = held

    def moved(self, name: str, value: Any) -> bool:
        """Whether another value stands there now, or another content."""
        if name in self.held:
            return key_of(value) != self.held[name]
        then = self.values.get(name, _NEVER)
        # Across processes small values are others, and equal.
        return then is not _ANY and value is not then and (type(then) not in _ATOMS or key_of(value) != key_of(then))

    def key(self) -> Hashable:
        """Equal for the same values of the same types."""
        return tuple([(name, self.held.get(name) or key_of(value)) for name, value in self.values.items()])

    def changed(self, values: Mapping[str, Any]) -> Seen:
        """With others at some of the names."""
        others = Seen(dict(values))
        held = {name: key for name, key in self.held.items() if name not in values}
        return Seen({**self.values, **values}, {**held, **others.held})


class _Mark:
    """Stands for something: `_NEVER` for nothing, `_ANY` for whatever is there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> str:
        return self._name


_NEVER: Final = _Mark("_NEVER")
_ANY: Final = _Mark("_ANY")
_NOTHING: Final = Seen({})


class Made:
    """How one guard was made. `options` are the constructor's parameters by name, as given or by default."""

    __slots__ = ("_given", "_hash", "_key", "_left")

    def __init__(self, given: Seen, left: Seen) -> None:
        self._given = given
        self._left = left
        """The guard's attributes as its constructor left them."""
        self._key: Hashable = None
        self._hash: int | None = None

    @classmethod
    def of(cls, options: dict[str, Any]) -> Made | None:
        """From what a constructor was called with. None where that can be looked at only once: an iterator."""
        if any(kind not in _ATOMS and hasattr(kind, "__next__") for kind in map(type, options.values())):
            return None
        return cls(Seen(options), _NOTHING)

    def settle(self, guard: Any) -> None:
        """The constructor has run."""
        self._left = Seen(_state_of(guard))

    @property
    def options(self) -> dict[str, Any]:
        return self._given.values

    @property
    def key(self) -> Hashable:
        """Equal for equal options, of the same types."""
        if self._key is None:
            self._key = self._given.key()
        return self._key

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.key)
        return self._hash

    def later(self, guard: Any) -> dict[str, Any]:
        """What was changed on the guard, or within its options, since the constructor left it."""
        now, left = _state_of(guard), self._left
        options = {name: value for name, value in self.options.items() if self._given.moved(name, value)}
        gone = dict.fromkeys(name for name, then in left.values.items() if then is not _ANY and name not in now)
        others = {name: value for name, value in now.items() if left.moved(name, value)}
        return {name: v for name, v in {**options, **gone, **others}.items() if not _is_pythons(name, type(guard))}

    def changed(self, attributes: Mapping[str, Any]) -> Made | None:
        """How a copy with other attributes is made; None where these are no options."""
        if not attributes.keys() <= self.options.keys():
            return None
        return Made(self._given.changed(attributes), self._left.changed(attributes))

    def __reduce__(self) -> tuple[Any, ...]:
        # What a guard leaves behind on its way must not keep it from going: a lock, a client.
        if not all(map(_travels, self.options.values())):
            return _unpacked, ()
        left, held = self._left.values, self._left.held
        values = {name: value if _stays(value) else _ANY for name, value in left.items() if name != MADE}
        kept = {name: key for name, key in held.items() if values.get(name, _ANY) is not _ANY}
        return _unpacked, (self.options, self._given.held, values, kept)


def _unpacked(*parts: dict[str, Any]) -> Made | None:
    return Made(Seen(*parts[:2]), Seen(*parts[2:])) if parts else None


def made_of(guard: Any) -> Made | None:
    """How a guard was made; None where it cannot tell."""
    if MADE not in vars(guard):
        vars(guard)[MADE] = _made_of_fields(guard)
    made: Made | None = vars(guard)[MADE]
    return made


def _made_of_fields(guard: Any) -> Made | None:
    """Of a copy that has nothing else: a frozen dataclass with slots leaves all but its fields behind."""
    how = type(guard).__dict__.get("__dataclass_params__")
    if how is None or not (how.frozen and how.init):
        return None
    try:
        made = Made.of({one.name: getattr(guard, one.name) for one in fields(guard) if one.init})
    except AttributeError:
        return None
    if made is not None:
        made.settle(guard)
    return made


def remember(kind: type, check: Callable[[Any], None]) -> None:
    """Have the constructor of a class take down how each instance is made, and `check` the instance when it has run.

    To be called before an instance is made: by then a decorator (`dataclass`) has given the class its constructor.
    """
    if getattr(kind.__dict__.get("__init__"), "remembers", None) is kind:
        return
    init: Callable[..., None] = kind.__init__  # type: ignore[misc]  # whichever class it is of
    call = _Call.of(init)

    @wraps(init)
    def constructor(self: Any, *args: Any, **given: Any) -> None:
        if type(self) is not kind:  # called by the constructor of a subclass
            init(self, *args, **given)
            return
        args, given = call.in_order(args, given)
        made = Made.of(call.options(args, given))
        vars(self)[MADE] = made  # already now: the constructor may ask for the guard's hash
        init(self, *args, **given)
        vars(self)[MADE] = made
        if made is not None:
            made.settle(self)
        check(self)

    constructor.remembers = kind  # type: ignore[attr-defined]  # so that it is done once
    kind.__init__ = constructor  # type: ignore[misc]


class _Call:
    """How a constructor is called."""

    def __init__(self, taken: Iterable[Parameter]) -> None:
        taken = [one for one in taken if one.kind is not Parameter.VAR_KEYWORD]
        self._several = next((one.name for one in taken if one.kind is Parameter.VAR_POSITIONAL), None)
        self._first = [one.name for one in taken if one.kind in _BY_POSITION]
        self._defaults = {one.name: () if one.name == self._several else one.default for one in taken}

    @classmethod
    def of(cls, init: Callable[..., None]) -> _Call:
        return cls(list(inspect.signature(init).parameters.values())[1:])

    def in_order(self, args: tuple[Any, ...], given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `*words` takes may be given by name, too: options are names with values, whatever the signature."""
        if self._several not in given:
            return args, given
        named = dict(given)
        words = named.pop(self._several)
        before = [named.pop(name, self._defaults[name]) for name in self._first[len(args) :]]
        # What is not several is one, to be refused by the constructor if it is none.
        words = tuple(words) if isinstance(words, list | tuple | set | frozenset) else (words,)
        return (*args, *before, *words), named

    def options(self, args: tuple[Any, ...], given: Mapping[str, Any]) -> dict[str, Any]:
        """Each parameter with its value; what goes into `**options` has its own name."""
        options = {**self._defaults, **dict(zip(self._first, args, strict=False)), **given}
        if self._several is not None:
            options[self._several] = args[len(self._first) :]
        return options


_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def parameters(kind: type) -> dict[str, Parameter]:
    """What the constructor of a class takes; where it takes `**options`, what the constructor above it takes, too."""
    found: dict[str, Parameter] = {}
    for base in kind.__mro__:
        if "__init__" not in base.__dict__:
            continue
        taken = list(inspect.signature(base.__dict__["__init__"]).parameters.values())[1:]
        here = {one.name: one for one in taken if one.kind is not Parameter.VAR_KEYWORD}
        found = {**found, **{name: one for name, one in here.items() if name not in found}}
        if all(one.kind is not Parameter.VAR_KEYWORD for one in taken):
            break
    return found


def slots_of(guard: Any) -> dict[str, Any]:
    """The attributes that have a slot."""
    return {name: getattr(guard, name) for name in _slots(guard.__class__) if hasattr(guard, name)}


def _state_of(guard: Any) -> dict[str, Any]:
    return {**vars(guard), **slots_of(guard)} if _slots(guard.__class__) else vars(guard).copy()


@lru_cache(maxsize=512)
def _slots(kind: type) -> tuple[str, ...]:
    """The names under which Python finds what a class and those above it have slots for."""
    slots = [(base.__name__.lstrip("_"), base.__dict__.get("__slots__", ())) for base in kind.__mro__]
    pairs = [(owner, slot) for owner, given in slots for slot in ((given,) if isinstance(given, str) else given)]
    return tuple(f"_{owner}{slot}" if slot.startswith("__") else slot for owner, slot in pairs)


def _is_pythons(name: str, kind: type) -> bool:
    """Whether an attribute is kept by Python itself: `__doc__`, or what is computed once."""
    return (name.startswith("__") and name.endswith("__")) or isinstance(getattr(kind, name, None), cached_property)


def _stays(value: Any) -> bool:
    """Whether a value is still known in another process, where a lock is another lock."""
    return type(value) in _PLAIN and _travels(value)


def _travels(value: Any) -> bool:
    if type(value) in _ATOMS:
        return True
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001  # whatever the value's class raises
        return False
    return True
