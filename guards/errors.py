"""Every exception that the library raises.

    GuardsError                     the root: `.code`, `.where`, `.hint`
    ├── ConfigError                 wrong use, found where it is written (also a ValueError)
    │   └── MissingExtra            an optional package is not installed (also an ImportError)
    ├── TooManyHang                 work that never came back used up what may be left behind (also a RuntimeError)
    ├── ScriptExhausted             a `testing.ScriptedModel` was asked more often than it has answers
    ├── ServerFault                 a server's status was good and its body an error, empty or broken
    └── Rejected                    no answer was accepted: `.outcome` holds the whole record
        ├── BudgetExhausted         ... because attempts, seconds, tokens or cost ended
        └── GuardFailed             ... because a guard, or a default of the contract's type, could not do its work
                                    (`__cause__` says why)
    Fault                           stands in another process for an exception that could not go there

A bad answer is data (`guards.findings`); only wrong use and the final refusal are exceptions. What the user's own
functions and the SDKs raise is never wrapped: it comes out as the same object, with a note.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from guards.values.travelling import Fault, travelling

if TYPE_CHECKING:
    from guards.records import Outcome

__all__ = [
    "BudgetExhausted",
    "ConfigError",
    "Fault",
    "GuardFailed",
    "GuardsError",
    "MissingExtra",
    "Rejected",
    "ScriptExhausted",
    "ServerFault",
    "TooManyHang",
]


class GuardsError(Exception):
    """The root of the library's exceptions.

    `code` is dotted and stable, `where` names the place (a parameter, a file and line, a path), `hint` the way out.
    The text is "where: message; hint".
    """

    code = "guards"

    def __init__(self, message: str, *, code: str | None = None, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        # The default reduction calls the class with positional arguments only and would lose the keywords.
        state = {name: travelling(value) for name, value in self.__dict__.items()}
        return _rebuild, (type(self), self.args, state, travelling(self.__cause__))

    def __copy__(self) -> GuardsError:
        return _rebuild(type(self), self.args, dict(self.__dict__), self.__cause__)

    def __deepcopy__(self, memo: dict[int, Any]) -> GuardsError:
        return _rebuild(type(self), self.args, copy.deepcopy(self.__dict__, memo), self.__cause__)


class ConfigError(GuardsError, ValueError):
    """Wrong use: an option, schema, file, guard or signature that cannot work. Raised where it is written."""

    code = "config"


class MissingExtra(ConfigError, ImportError):
    """An optional package is needed and absent; the text holds the pip line that brings it."""

    code = "config.extra"

    def __init__(self, package: str, extra: str, *, where: str = "") -> None:
        super().__init__(
            f"the package {package!r} is not installed",
            where=where,
            hint=f"pip install 'output-guards[{extra}]'",
        )


class TooManyHang(GuardsError, RuntimeError):
    """A guard or a client's function that hangs again and again is not started once more; or the system has no thread
    left. Of a guard it is the cause of its `guard.failed`."""

    code = "hang"


class ScriptExhausted(GuardsError):
    """`testing.ScriptedModel` ran out of answers. Not a `Rejected`: the test is wrong, not the answer."""

    code = "testing.script"


class ServerFault(GuardsError):
    """A server said in a body of status 200, or in a stream, that it failed; or the body was empty or broken.

    The text holds the server's own words (300 characters at most). `passing`: it may be gone at the next try, and was
    retried as a fault of the transport is.
    """

    code = "server"

    def __init__(self, message: str, *, passing: bool, where: str = "client", hint: str = "") -> None:
        super().__init__(message, where=where, hint=hint)
        self.passing = passing


class Rejected(GuardsError):
    """No answer was accepted. `outcome` carries every attempt; the text is a summary of under 15 lines."""

    code = "rejected"

    def __init__(self, message: str, *, outcome: Outcome[Any], code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.outcome = outcome


class BudgetExhausted(Rejected):
    """Attempts, seconds, tokens or cost ended before an answer held."""

    code = "budget"


class GuardFailed(Rejected):
    """A guard crashed, ran out of time or lacks its model, or a default factory crashed. Never asked again: the model
    cannot mend it."""

    code = "guard.failed"


def _rebuild(
    kind: type[GuardsError], args: tuple[Any, ...], state: dict[str, Any], cause: BaseException | None
) -> GuardsError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    error.__cause__ = cause
    return error
