"""What every guard is: `Guard` for a subclass, `@check` for a function, `.on()` for a place.

How guards are ordered, run together and bounded in time is `engine.examining`.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Awaitable, Callable, Collection, Generator, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias, TypeVar, cast, overload

from guards.checks.kept import kept
from guards.checks.options import MADE, made_of, parameters, remember, slots_of
from guards.context import Context
from guards.contracts.typed.kinds import as_it_is
from guards.contracts.typed.shape import with_guard
from guards.effects import Effect, Flow, Job, Question, Sample, computed, relayed
from guards.errors import ConfigError
from guards.findings import Finding, on_the_scale
from guards.identity import Untold, describe, name_of
from guards.messages import ROLES
from guards.policies import Policy
from guards.values.colour import is_async
from guards.values.sameness import Itself, key_of

if TYPE_CHECKING:
    from guards.checks.calibrated.calibration import Calibration

__all__ = [
    "FunctionGuard",
    "Guard",
    "Judged",
    "OnError",
    "Placed",
    "Scored",
    "Unreadable",
    "Verdict",
    "awaited",
    "called",
    "changed",
    "check",
    "check_threshold",
    "is_quick",
    "judged",
    "several",
    "told_options",
    "verdict_of",
    "writes_flow",
]

OnError = Literal["closed", "open"]
Unreadable = Literal["refuse", "pass"]
Verdict: TypeAlias = "str | Finding | Iterable[str | Finding] | Scored | Judged | None"
"""What a check may give: nothing wrong, one message, one finding, or several; a `Scored` where there is a score."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score with the findings: 0 to 1, higher is more acceptable. It is on record where the value passed, too.

    Without one, a check scores 1 where it found nothing that blocks, else the lowest score of its findings, or 0.
    """

    score: float
    findings: str | Finding | Iterable[str | Finding] | None = None

    def __post_init__(self) -> None:
        if not (type(self.score) is float and 0 <= self.score <= 1):
            object.__setattr__(self, "score", on_the_scale(self.score, "Scored(score=)"))


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check gave, in one form."""

    findings: tuple[Finding, ...] = ()
    score: float = 1.0


class _Options:
    """`Guard.options`. An attribute of that name, which a guard of one's own may have, goes before it."""

    def __get__(self, guard: Guard | None, owner: type[Guard]) -> Mapping[str, Any] | None:
        made = None if guard is None else made_of(guard)
        return None if made is None else MappingProxyType(made.options)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Guard:
    """One check over a value. Subclass it and write `check`; a guard is immutable once it is in use.

    One that asks a model writes `flow` instead: a generator that says what it needs (`guards.effects`: `Rows` of a
    loaded model, a `Question`, a `Sample`) and waits for nothing itself.

    Attributes (of the class, or set by the keywords of `__init__`):
        name: how findings and scores call it; the class name in snake_case by default.
        cost: 0 rule, 1 embedding, 2 classifier, 3 NLI, 4 judge; cheaper tiers run first.
        needs: keys of the context without which it cannot run.
        on_error: `"closed"`: a guard that cannot run fails the answer; `"open"`: it leaves a visible `unknown`.
        on_fail: the policy for its findings; None for the ticket's own.
        timeout: seconds for one check; None for what is left of the budget.
        roles: as an input guard, whose words it sees; `("all",)` for everybody's. The user's include what comes from
            outside (results of tools) and what says nothing of its role.
        unreadable: as an input guard, what it does about an image, a file, an object that has no text to read:
            `"refuse"`, or `"pass"`, which leaves a visible `unknown` that names it.
        partial: whether it makes sense of a part (a sentence of a text, one closed field) while an answer is streamed;
            it sees `context.partial`, and the whole answer once more at the end.
        version: of what it does, by whoever wrote it: what tells it from other code of its name (`guards.identity`).
            None: its code does.
        options: the parameters of its constructor by name, as they were given or by default: what guards are compared
            by, and made again (`type(guard)(**guard.options)`). None for a guard that cannot tell; it equals itself
            alone. What was set on a guard afterwards counts in comparisons, too.
    """

    name: str = "guard"
    cost: int = 0
    needs: tuple[str, ...] = ()
    on_error: OnError = "closed"
    on_fail: Policy[Any] | None = None
    timeout: float | None = None
    roles: tuple[str, ...] = ("user",)
    unreadable: Unreadable = "refuse"
    partial: bool = False
    version: str | int | None = None
    options = _Options()
    parts: tuple[Guard, ...] = ()
    """The guards that its flow runs."""
    joins: ClassVar[bool] = False
    """Whether, of a text that is streamed, it must see each sentence together with all that came before it."""
    leaves_guard: ClassVar[bool] = True
    """That it may stand in a type's annotations: `contracts.typed.shape` looks for it there."""
    always_quick: ClassVar[bool] = False
    """Whether a check is sure to end soon whatever the value, so that it may run in the caller's thread under a
    deadline."""

    def __new__(cls, *_args: Any, **_options: Any) -> Self:
        """Sees to it that the constructor takes down what it is called with, and what cannot be is refused."""
        remember(cls, check_options)
        if cls.__eq__ is Guard.__eq__ and cls.__hash__ is not Guard.__hash__:  # a dataclass brings another
            cls.__hash__ = Guard.__hash__  # type: ignore[method-assign]
        return super().__new__(cls)

    def __init__(
        self,
        *,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        given = {"name": name, "on_fail": on_fail, "on_error": on_error, "unreadable": unreadable, "timeout": timeout}
        for key, value in given.items():
            if value is not None:
                setattr(self, key, value)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" not in cls.__dict__:
            cls.name = _snake(cls.__name__)
        for key in ("needs", "roles"):
            if isinstance(cls.__dict__.get(key), str):
                setattr(cls, key, (cls.__dict__[key],))
        if "__eq__" not in cls.__dict__:
            # Made the class's own, so that `dataclass` brings none of its, to which True is 1; nor a mixin.
            guards = [base for base in cls.__mro__[1:] if issubclass(base, Guard)]
            cls.__eq__ = guards[0].__eq__  # type: ignore[method-assign]

    def check(self, value: Any, context: Context) -> Verdict | Awaitable[Verdict]:
        """What is wrong with the value: None, a message, a finding, or several; may be `async def` or a generator.

        A finding's `path` is relative to the value. What it raises is a failure of the guard, never a pass.
        """
        if not writes_flow(self):
            raise NotImplementedError(f"{type(self).__name__} has no check(value, context)")
        from guards.checks.here import here  # it brings models

        return here(verdict_of(self, value, context))

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        """What the engine drives: the same verdict, by effects that sync and async calls carry out in their own ways.

        By default `check`: right here where it is quick, else as a job within the guard's time.
        """
        if is_quick(self, context):
            return cast("Verdict", self.check(value, context))
        run = partial(awaited if self.is_async else called, self, value, context)
        return (yield from computed(Job(run, self.is_async, context.deadline, self.timeout, self)))  # type: ignore[no-any-return]

    def on(self, path: str, *, on_fail: Policy[Any] | None = None) -> Placed:
        """This guard at one place of the answer: a JSONPath (RFC 9535), or an XPath for XML.

        A path that an answer does not have is not a failure: there is nothing to check.
        """
        return Placed(self, path, on_fail)

    def calibrated(self, calibration: Calibration) -> Self:
        """A copy of this guard with the threshold of a calibration.

        Raises `ConfigError` where that holds for another guard, option or model (it says which part differs), and
        where this guard has no `threshold`.
        """
        if not hasattr(self, "threshold"):
            raise ConfigError("has no threshold to be calibrated", where=f"guard {self.name!r}")
        calibration.check(self)
        return changed(self, threshold=calibration.threshold)

    @property
    def is_async(self) -> bool:
        """Whether `check` must be awaited."""
        return is_async(self.check)

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any] | None = None) -> Any:
        """Lets a guard stand inside a pydantic field; it changes nothing of pydantic's own validation."""
        if handler is None:  # it was asked of the class
            raise ConfigError(
                "the class of a guard stands in Annotated", where="inside a type", hint="write Length(max=9)"
            )
        from pydantic_core import core_schema

        schema = handler(source)
        if schema["type"] in ("definition-ref", "definitions"):
            # pydantic may put the definition in the reference's place, and its metadata would be lost.
            schema = core_schema.no_info_after_validator_function(as_it_is, schema)
        return with_guard(schema, self)

    def __sameness__(self) -> Hashable:
        """What guards are compared by: class, options, and what was changed afterwards. Itself where it cannot tell."""
        made = made_of(self)
        return Itself(self) if made is None else (type(self), made.key, key_of(made.later(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Guard):
            return NotImplemented
        return self is other or (type(self) is type(other) and self.__sameness__() == other.__sameness__())

    def __hash__(self) -> int:
        made = made_of(self)
        return object.__hash__(self) if made is None else hash((type(self), made))

    def __repr__(self) -> str:
        told = told_options(self)
        public = {key: value for key, value in vars(self).items() if not key.startswith("_")}
        told = public if told is None else _unlike_default(type(self), told)
        options = [f"{key.lstrip('_')}={_shown(value)}" for key, value in told.items()]
        return f"{type(self).__name__}({', '.join(options)})"


@describe.register
def _(guard: Guard) -> Any:
    options = told_options(guard)
    if options is None:
        return Untold(guard)
    specs = getattr(guard, "specs", ())
    told = {name.lstrip("_"): describe(value) for name, value in options.items() if not (specs and name in _AS_MODELS)}
    return {"guard": _class_of(type(guard)), "options": told, "models": [describe(spec) for spec in specs]}


_AS_MODELS: Final = ("model", "encoder")
"""Options that are told by the specs which a guard made of them."""


def _class_of(kind: type[Guard]) -> Any:
    """The class of a guard: of the library's own `length/1`; of a user's, its code and that of those above it."""
    if kind.__module__.partition(".")[0] == "guards":
        public = next(base for base in kind.__mro__ if not base.__name__.startswith("_"))
        return f"{_snake(public.__name__)}/{kind.version or 1}"
    if kind.version is not None:
        return f"{name_of(kind)}/{kind.version}"
    own = [base for base in kind.__mro__ if base.__module__.partition(".")[0] not in ("guards", "builtins", "abc")]
    return [describe(base) for base in own]


# Otherwise a class without a constructor of its own would seem to take anything.
Guard.__new__.__signature__ = inspect.signature(Guard.__init__)  # type: ignore[attr-defined]


def told_options(guard: Guard) -> dict[str, Any] | None:
    """A guard's options, and what was set on it or changed in them afterwards; None where it cannot tell."""
    made = made_of(guard)
    return None if made is None else {**made.options, **made.later(guard)}


def _unlike_default(kind: type[Guard], options: Mapping[str, Any]) -> dict[str, Any]:
    taken = parameters(kind)
    return {
        name: value
        for name, value in options.items()
        if name not in taken or key_of(value) != key_of(taken[name].default)
    }


def _shown(value: Any) -> str:
    """A set has no order of its own, and a guard should print alike in every process."""
    return f"{{{', '.join(sorted(map(repr, value)))}}}" if type(value) is set and value else repr(value)


@dataclass(frozen=True, slots=True)
class Placed:
    """A guard at one place: what `.on()` makes."""

    guard: Guard
    path: str
    on_fail: Policy[Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.guard, Guard):
            raise ConfigError(f"{self.guard!r} is no guard", where="Placed(guard=)", hint="write guard.on(path)")
        if not isinstance(self.path, str) or not self.path.strip():
            raise ConfigError(
                f"{self.path!r} is no path", where=f"{self.guard.name}.on()", hint="a JSONPath like $.items[*].name"
            )
        _check_policy(self.on_fail, f"{self.guard.name}.on(on_fail=)")
        if self.path.startswith("$"):
            from guards.reading.document import compile_jsonpath

            compile_jsonpath(self.path)
        else:
            from guards.reading.xml_document import compile_xpath

            compile_xpath(self.path)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        raise ConfigError(
            "a guard inside a field is at its place already", where=f"{self.guard.name}.on()", hint="leave out .on()"
        )


@describe.register
def _(placed: Placed) -> Any:
    return {"guard": describe(placed.guard), "at": placed.path, "on_fail": describe(placed.on_fail)}


G = TypeVar("G", bound=Guard)
Function: TypeAlias = Callable[..., Any]


_LATER: Final = object()
"""What `check` was given where it is called for its options."""


class FunctionGuard(Guard):
    """A function as a guard: what `@check` makes. Still callable as the function."""

    def __init__(self, function: Function, **options: Any) -> None:
        if not callable(function):
            raise ConfigError(
                f"{function!r} is no function", where="@check", hint='options by name: @check(name="...")'
            )
        if unknown := [key for key in options if key not in Guard.__annotations__]:
            raise ConfigError(f"there is no option {unknown[0]!r}", where="@check")
        self.function = function
        self.needs = ()
        for key, value in options.items():
            if value is not None:
                setattr(self, key, value)
        if "name" not in options or options["name"] is None:
            self.name = getattr(function, "__name__", "check")
        if isinstance(self.needs, str):
            self.needs = (self.needs,)
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__qualname__ = getattr(function, "__qualname__", self.name)
        self._takes_context = _takes_context(function)

    def check(self, value: Any, context: Context) -> Verdict | Awaitable[Verdict]:
        given = (value, context) if self._takes_context else (value,)
        return cast("Verdict | Awaitable[Verdict]", self.function(*given))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    @property
    def is_async(self) -> bool:
        return is_async(self.function)

    def __repr__(self) -> str:
        return f"check({self.name})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        # By reference: the decorated name at module level is this object.
        return self.__qualname__


@describe.register
def _(guard: FunctionGuard) -> Any:
    options = told_options(guard) or {}
    version, function = options.pop("version", None), options.pop("function", guard.function)
    told = describe(function) if version is None else {"function": name_of(function), "version": describe(version)}
    return {"guard": told, "options": {name: describe(value) for name, value in options.items()}, "models": []}


@overload
def check(function: Function, /) -> FunctionGuard: ...
@overload
def check(
    *,
    name: str | None = None,
    cost: int = 0,
    needs: Iterable[str] = (),
    on_error: OnError = "closed",
    on_fail: Policy[Any] | None = None,
    timeout: float | None = None,
    roles: Iterable[str] = ("user",),
    unreadable: Unreadable = "refuse",
    partial: bool = False,
    version: str | int | None = None,
) -> Callable[[Function], FunctionGuard]: ...


def check(
    function: Any = _LATER,
    /,
    *,
    name: str | None = None,
    cost: int = 0,
    needs: Iterable[str] = (),
    on_error: OnError = "closed",
    on_fail: Policy[Any] | None = None,
    timeout: float | None = None,
    roles: Iterable[str] = ("user",),
    unreadable: Unreadable = "refuse",
    partial: bool = False,
    version: str | int | None = None,
) -> FunctionGuard | Callable[[Function], FunctionGuard]:
    """Make a guard of a function `(value, context)`, or `(value)`, which may be `async def` or a generator.

    It gives None (nothing wrong), a message, a `Finding`, or several. Use it bare, or with options as on `Guard`.
    Raises `ConfigError` for an unknown option value or a function that takes neither one nor two arguments.
    """
    options = {
        "name": name,
        "cost": cost,
        "needs": several(needs),
        "on_error": on_error,
        "on_fail": on_fail,
        "timeout": timeout,
        "roles": several(roles),
        "unreadable": unreadable,
        "partial": partial,
        "version": version,
    }
    if function is not _LATER:
        return FunctionGuard(_function_of(function), **options)
    return lambda function: FunctionGuard(_function_of(function), **options)


def _function_of(given: Any) -> Function:
    """The function itself. `ConfigError` for what cannot judge a value."""
    if isinstance(given, staticmethod):
        given = given.__func__
    if isinstance(given, type) or not callable(given):
        kind = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        raise ConfigError(f"{kind} is no function", where="@check", hint="put it on a function (value, context)")
    return cast("Function", given)


def writes_flow(guard: Guard) -> bool:
    """Whether it says what it needs by a flow of its own."""
    return type(guard).flow is not Guard.flow


def is_quick(guard: Guard, context: Context) -> bool:
    """Whether its check runs where the call runs: it costs nothing, and nothing bounds its time."""
    if guard.cost or guard.timeout is not None or not (context.deadline is None or guard.always_quick):
        return False
    return not guard.is_async


def verdict_of(guard: Guard, value: Any, context: Context) -> Flow[Judged]:
    """A guard's flow, and what came of it in one form; its questions go to its own client."""
    flow = guard.flow(value, context)
    client = getattr(guard, "client", None)
    if client is not None and writes_flow(guard):
        flow = relayed(flow, partial(_to, client))
    return judged((yield from flow), guard)


def _to(client: Any, effect: Effect) -> Flow[Any]:
    if isinstance(effect, Question | Sample) and effect.client is None:
        effect = replace(effect, client=client)
    return (yield effect)


def called(guard: Guard, value: Any, context: Context) -> Judged:
    """What a guard that is not async gives; as `judged`."""
    return judged(guard.check(value, context), guard)


def judged(result: Any, guard: Guard) -> Judged:
    """What a check gave. Raises TypeError for what is no verdict (a bool, a number, an awaitable): never a pass."""
    if isinstance(result, Judged):
        return result
    if isinstance(result, Scored):
        return Judged(_kept(result.findings, guard), result.score)
    findings = _kept(result, guard)
    scores = [finding.score if finding.score is not None else float(not finding.blocks) for finding in findings]
    return Judged(findings, min(scores, default=1.0))


async def awaited(guard: Guard, value: Any, context: Context) -> Judged:
    """What an async guard gives; as `judged`."""
    verdict = guard.check(value, context)
    if hasattr(verdict, "__aiter__"):
        entries: list[Any] = []
        async for entry in cast("Any", verdict):
            entries.append(entry)
            _check_number(len(entries), guard)
        return judged(entries, guard)
    return judged(await cast("Any", verdict), guard)


def _kept(result: Any, guard: Guard) -> tuple[Finding, ...]:
    return tuple(map(kept, _findings(result, guard)))


def _findings(result: Any, guard: Guard) -> tuple[Finding, ...]:
    if result is None:
        return ()
    if isinstance(result, Finding):
        return (result,)
    if isinstance(result, str):
        return (Finding(f"check.{guard.name}", result),)
    if isinstance(result, Generator):
        result = _with_return(result)
    if isinstance(result, Iterable) and not isinstance(result, _NO_VERDICTS):
        return tuple(_each(result, guard))
    raise TypeError(
        f"the check {guard.name!r} gave {type(result).__name__}; it must give None, a message, a Finding or several, "
        "or a Scored"
    )


_NO_VERDICTS: Final = (bytes, bytearray, memoryview, Mapping, Awaitable)
"""What can be gone through and holds no findings. A future that is done gives nothing when it is gone through."""
_MOST: Final = 1000
"""Entries that a check may give. One that goes on for ever would never be judged."""


def _each(entries: Iterable[Any], guard: Guard) -> Iterator[Finding]:
    for number, entry in enumerate(entries, 1):
        _check_number(number, guard)
        yield from _findings(_entry(entry, guard), guard)


def _check_number(number: int, guard: Guard) -> None:
    if number > _MOST:
        raise ValueError(f"the check {guard.name!r} gave more than {_MOST} findings")


def changed(guard: G, **attributes: Any) -> G:
    """A copy of a guard with other attributes, which are taken as they are."""
    copy = object.__new__(type(guard))
    for name, value in slots_of(guard).items():
        object.__setattr__(copy, name, value)
    made = made_of(guard)
    vars(copy).update({**vars(guard), MADE: made and made.changed(attributes)})
    for name, value in attributes.items():
        object.__setattr__(copy, name, value)
    return copy


def check_options(guard: Guard) -> None:
    """`ConfigError` for option values that no guard can have."""
    where = f"guard {guard.name!r}" if isinstance(guard.name, str) and guard.name else type(guard).__name__
    if not isinstance(guard.name, str) or not guard.name:
        raise ConfigError(f"name must be text, not {guard.name!r}", where=where)
    if guard.on_error not in ("closed", "open"):
        raise ConfigError(f"unknown on_error {guard.on_error!r}", where=where, hint="use 'closed' or 'open'")
    if guard.unreadable not in ("refuse", "pass"):
        raise ConfigError(f"unknown unreadable {guard.unreadable!r}", where=where, hint="use 'refuse' or 'pass'")
    if isinstance(guard.cost, bool) or not isinstance(guard.cost, int) or guard.cost < 0:
        raise ConfigError(f"cost must be a whole number from 0 up, not {guard.cost!r}", where=where)
    needs, roles = guard.needs, guard.roles
    if needs != () and not _are_names(needs):
        raise ConfigError(f"needs must be keys of the context, not {needs!r}", where=where, hint='write ("mail",)')
    if roles is not Guard.roles and not (roles and _are_names(roles) and {role.lower() for role in roles} <= _ROLES):
        hint = f"use {', '.join(sorted(_ROLES))}"
        raise ConfigError(f"roles must name whose turns it sees, not {roles!r}", where=where, hint=hint)
    if not isinstance(guard.partial, bool):
        raise ConfigError(f"partial must be True or False, not {guard.partial!r}", where=where)
    timeout = guard.timeout
    if timeout is not None and not (_is_number(timeout) and 0 < timeout < math.inf):
        raise ConfigError(f"timeout must be seconds above 0, not {timeout!r}", where=where)
    _check_policy(guard.on_fail, f"{where}, on_fail=")


def check_threshold(threshold: Any, where: str) -> float:
    """The threshold as it was given. `ConfigError` for what lies outside the scale of scores."""
    if not _is_number(threshold) or not 0 <= threshold <= 1:
        raise ConfigError(f"must be a number from 0 to 1, not {threshold!r}", where=where)
    return float(threshold)


_ROLES: Final = frozenset({"all", *ROLES})
"""A role that no turn has would be a guard that sees nothing."""


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _are_names(given: Any) -> bool:
    several = isinstance(given, Collection) and not isinstance(given, str | bytes | Mapping)
    return several and all(isinstance(name, str) and name.strip() for name in given)


def several(names: Any) -> Any:
    """One name or several as a tuple; what is neither goes on as it is, to be refused by name."""
    if isinstance(names, str):
        return (names,)
    return tuple(names) if isinstance(names, Iterable) and not isinstance(names, type | Mapping | bytes) else names


def _check_policy(policy: Any, where: str) -> None:
    if policy is not None and not isinstance(policy, Policy):
        raise ConfigError(f"{policy!r} is not a policy", where=where, hint="write it like Fix().then(Reask())")


def _with_return(findings: Generator[Any, None, Any]) -> Iterator[Any]:
    """What a generator returns counts too: a check may yield here and return there."""
    last = yield from findings
    if last is not None:
        yield last


def _entry(entry: Any, guard: Guard) -> Any:
    if isinstance(entry, str | Finding) or entry is None:
        return entry
    raise TypeError(f"the check {guard.name!r} gave {type(entry).__name__} among its findings")


def _takes_context(function: Function) -> bool:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return True
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if parameters and parameters[0].name in ("self", "cls"):
        raise ConfigError(
            "a method gets the value as its object",
            where=f"@check on {getattr(function, '__name__', function)!r}",
            hint="write a function, a @staticmethod, or check(object.method); or subclass Guard",
        )
    needed = [p for p in positional if p.default is p.empty]
    several = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    forced = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    if len(needed) > 2 or forced or (not positional and not several):
        raise ConfigError(
            "a check takes (value, context) or (value)",
            where=f"@check on {getattr(function, '__name__', function)!r}",
            hint="what else it needs, it finds in the context",
        )
    # A second parameter with a default is the function's own business, unless it is called by its name.
    return len(needed) == 2 or several or (len(positional) >= 2 and positional[1].name == "context")
