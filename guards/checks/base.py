"""What every guard is: `Guard` for a subclass, `@check` for a function, `.on()` for a place.

How guards are ordered, run together and bounded in time is `_pipeline`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias, TypeVar, cast, get_args, overload

from guards._colour import is_async
from guards.checks.kept import kept
from guards.context import Context
from guards.contracts.type_shape import METADATA_KEY
from guards.errors import ConfigError
from guards.findings import Finding, Severity
from guards.policies import Policy

if TYPE_CHECKING:
    from guards.checks.calibration import Calibration

__all__ = [
    "FunctionGuard",
    "Guard",
    "Judged",
    "OnError",
    "Placed",
    "Scored",
    "Verdict",
    "awaited",
    "changed",
    "check",
    "check_threshold",
    "judged",
]

OnError = Literal["closed", "open"]
Verdict: TypeAlias = "str | Finding | Iterable[str | Finding] | Scored | None"
"""What a check may give: nothing wrong, one message, one finding, or several; a `Scored` where there is a score."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A score with the findings: 0 to 1, higher is more acceptable. It is on record where the value passed, too.

    Without one, a check scores 1 where it found nothing that blocks, else the lowest score of its findings, or 0.
    """

    score: float
    findings: str | Finding | Iterable[str | Finding] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a check gave, in one form."""

    findings: tuple[Finding, ...] = ()
    score: float = 1.0


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Guard:
    """One check over a value. Subclass it and write `check`; a guard is immutable once it is in use.

    Attributes (of the class, or set by the keywords of `__init__`):
        name: how findings and scores call it; the class name in snake_case by default.
        cost: 0 rule, 1 embedding, 2 classifier, 3 NLI, 4 judge; cheaper tiers run first.
        needs: keys of the context without which it cannot run.
        on_error: `"closed"`: a guard that cannot run fails the answer; `"open"`: it leaves a visible `unknown`.
        on_fail: the policy for its findings; None for the ticket's own.
        timeout: seconds for one check; None for what is left of the budget.
        roles: as an input guard, whose turns it sees; `("all",)` for every turn.
        partial: whether it makes sense of a part (a sentence of a text, one closed field) while an answer is streamed;
            it sees `context.partial`, and the whole answer once more at the end.
    """

    name: str = "guard"
    cost: int = 0
    needs: tuple[str, ...] = ()
    on_error: OnError = "closed"
    on_fail: Policy[Any] | None = None
    timeout: float | None = None
    roles: tuple[str, ...] = ("user",)
    partial: bool = False
    leaves_guard: ClassVar[bool] = True
    """That it may stand in a type's annotations: `contracts.type_shape` looks for it there."""
    always_quick: ClassVar[bool] = False
    """Whether a check is sure to end soon whatever the value, so that it may run in the caller's thread under a
    deadline."""

    def __init__(
        self,
        *,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        timeout: float | None = None,
    ) -> None:
        for key, value in (("name", name), ("on_fail", on_fail), ("on_error", on_error), ("timeout", timeout)):
            if value is not None:
                setattr(self, key, value)
        check_options(self)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" not in cls.__dict__:
            cls.name = _snake(cls.__name__)
        if isinstance(cls.__dict__.get("needs"), str):
            cls.needs = (cls.__dict__["needs"],)

    def check(self, value: Any, context: Context) -> Verdict | Awaitable[Verdict]:
        """What is wrong with the value: None, a message, a finding, or several; may be `async def` or a generator.

        A finding's `path` is relative to the value. What it raises is a failure of the guard, never a pass.
        """
        raise NotImplementedError(f"{type(self).__name__} has no check(value, context)")

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
        if "threshold" not in vars(self):
            raise ConfigError("has no threshold to be calibrated", where=f"guard {self.name!r}")
        calibration.check(self)
        return changed(self, threshold=calibration.threshold)

    @property
    def is_async(self) -> bool:
        """Whether `check` must be awaited."""
        return is_async(self.check)

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        """Lets a guard stand inside a pydantic field; it changes nothing of pydantic's own validation."""
        from pydantic_core import core_schema

        schema = handler(source)
        if schema["type"] in ("definition-ref", "definitions"):
            # pydantic may put the definition in the reference's place, and its metadata would be lost.
            schema = core_schema.no_info_after_validator_function(_same, schema)
        metadata = dict(schema.get("metadata") or {})
        metadata[METADATA_KEY] = (*metadata.get(METADATA_KEY, ()), self)
        return {**schema, "metadata": metadata}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        options = ", ".join(f"{key.lstrip('_')}={value!r}" for key, value in self.__dict__.items())
        return f"{type(self).__name__}({options})"


@dataclass(frozen=True, slots=True)
class Placed:
    """A guard at one place: what `.on()` makes."""

    guard: Guard
    path: str
    on_fail: Policy[Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, str) or not self.path.strip():
            raise ConfigError(
                f"{self.path!r} is no path", where=f"{self.guard.name}.on()", hint="a JSONPath like $.items[*].name"
            )
        _check_policy(self.on_fail, f"{self.guard.name}.on(on_fail=)")
        if self.path.startswith("$"):
            from guards.reading.document import compile_jsonpath

            compile_jsonpath(self.path)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        raise ConfigError(
            "a guard inside a field is at its place already", where=f"{self.guard.name}.on()", hint="leave out .on()"
        )


G = TypeVar("G", bound=Guard)
Function: TypeAlias = Callable[..., Any]


_LATER: Final = object()
"""What `check` was given where it is called for its options."""


class FunctionGuard(Guard):
    """A function as a guard: what `@check` makes. Still callable as the function."""

    def __init__(self, function: Function, **options: Any) -> None:
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
        check_options(self)

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
    partial: bool = False,
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
    partial: bool = False,
) -> FunctionGuard | Callable[[Function], FunctionGuard]:
    """Make a guard of a function `(value, context)`, or `(value)`, which may be `async def` or a generator.

    It gives None (nothing wrong), a message, a `Finding`, or several. Use it bare, or with options as on `Guard`.
    Raises `ConfigError` for an unknown option value or a function that takes neither one nor two arguments.
    """
    options = {
        "name": name,
        "cost": cost,
        "needs": (needs,) if isinstance(needs, str) else tuple(needs),
        "on_error": on_error,
        "on_fail": on_fail,
        "timeout": timeout,
        "roles": (roles,) if isinstance(roles, str) else tuple(roles),
        "partial": partial,
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


def judged(result: Any, guard: Guard) -> Judged:
    """What a check gave. Raises TypeError for what is no verdict (a bool, a number) or no score: never a pass."""
    if isinstance(result, Scored):
        score = result.score
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise TypeError(f"the check {guard.name!r} gave the score {score!r}; it must be a number from 0 to 1")
        return Judged(_kept(result.findings, guard), float(score))
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
        return (_checked(result, guard),)
    if isinstance(result, str):
        return (Finding(f"check.{guard.name}", result),)
    if isinstance(result, Generator):
        result = _with_return(result)
    if isinstance(result, Iterable) and not isinstance(result, bytes | dict):
        return tuple(_each(result, guard))
    raise TypeError(
        f"the check {guard.name!r} gave {type(result).__name__}; it must give None, a message, a Finding or several, "
        "or a Scored"
    )


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
    copy.__dict__.update(guard.__dict__ | attributes)
    return copy


def check_options(guard: Guard) -> None:
    """`ConfigError` for option values that no guard can have."""
    where = f"guard {guard.name!r}" if isinstance(guard.name, str) and guard.name else type(guard).__name__
    if not isinstance(guard.name, str) or not guard.name:
        raise ConfigError(f"name must be text, not {guard.name!r}", where=where)
    if guard.on_error not in ("closed", "open"):
        raise ConfigError(f"unknown on_error {guard.on_error!r}", where=where, hint="use 'closed' or 'open'")
    if isinstance(guard.cost, bool) or not isinstance(guard.cost, int) or guard.cost < 0:
        raise ConfigError(f"cost must be a whole number from 0 up, not {guard.cost!r}", where=where)
    timeout = guard.timeout
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0):
        raise ConfigError(f"timeout must be seconds above 0, not {timeout!r}", where=where)
    _check_policy(guard.on_fail, f"{where}, on_fail=")


def check_threshold(threshold: Any, where: str) -> float:
    """The threshold as it was given. `ConfigError` for what lies outside the scale of scores."""
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ConfigError(f"must be a number from 0 to 1, not {threshold!r}", where=where)
    return float(threshold)


def _check_policy(policy: Any, where: str) -> None:
    if policy is not None and not isinstance(policy, Policy):
        raise ConfigError(f"{policy!r} is not a policy", where=where, hint="write it like Fix().then(Reask())")


def _with_return(findings: Generator[Any, None, Any]) -> Iterator[Any]:
    """What a generator returns counts too: a check may yield here and return there."""
    last = yield from findings
    if last is not None:
        yield last


def _checked(finding: Finding, guard: Guard) -> Finding:
    """Raises TypeError for a severity that is none, which would block nothing, and for a score that is none."""
    if finding.severity not in get_args(Severity):
        raise TypeError(f"the check {guard.name!r} gave a finding of severity {finding.severity!r}")
    if finding.score is None:
        return finding
    score = float(finding.score)
    if not 0 <= score <= 1:  # nan, too
        raise TypeError(f"the check {guard.name!r} gave a finding of the score {score!r}; it must be from 0 to 1")
    return finding if type(finding.score) is float else finding.replace(score=score)


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


def _same(value: Any) -> Any:
    return value
