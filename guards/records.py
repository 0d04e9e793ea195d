"""What happened in a guarded call: `Outcome`, its `Attempt`s, `Repair`s, `Usage`, and the `Reason` for the end.

`Outcome.to_json()` fits `schemas/run-record.schema.json`; `Outcome.from_dict` reads it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from time import time
from typing import Any, ClassVar, Final, Generic, Self

from typing_extensions import TypeVar

from guards import __version__
from guards.errors import BudgetExhausted, ConfigError, GuardFailed, Rejected
from guards.findings import Finding, counted
from guards.messages import ROLES, Message
from guards.values.ids import Id
from guards.values.made import Made
from guards.values.plain import plain, recorded
from guards.values.travelling import travelling, travels

__all__ = ["ACCEPTED", "Attempt", "Head", "Origin", "Outcome", "Reason", "Repair", "Usage", "checked_tags", "plain"]

T_co = TypeVar("T_co", covariant=True, default=Any)


class Reason(str):
    """Why a call ended: equal to its stable dotted code (`"budget.attempts"`), with a sentence in `message`."""

    __slots__ = ("message",)
    message: str

    def __new__(cls, code: str, message: str = "") -> Self:
        reason = super().__new__(cls, code)
        reason.message = message
        return reason

    @property
    def code(self) -> str:
        return str(self)

    def __reduce__(self) -> tuple[type[Reason], tuple[str, str]]:
        return Reason, (str(self), self.message)


ACCEPTED: Final = Reason("accepted", "The contract and every guard accepted the answer.")
_TOKENS: Final = ("input_tokens", "output_tokens")
_USAGE: Final = (*_TOKENS, "cost")


@dataclass(frozen=True, slots=True)
class Usage(Mapping[str, Any]):
    """Tokens and cost, also as a mapping. None means that no reply said; sums count what was said."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None

    def __post_init__(self) -> None:
        tokens, further, cost = self.input_tokens, self.output_tokens, self.cost
        if (
            (tokens is None or (type(tokens) is int and 0 <= tokens <= _MOST))
            and (further is None or (type(further) is int and 0 <= further <= _MOST))
            and cost is None
        ):
            return  # nearly always
        for name in _USAGE:
            given = getattr(self, name)
            if given is None:
                continue
            amount = _amount(given, whole=name in _TOKENS)
            if amount is None:
                kind = "whole number" if name in _TOKENS else "number"
                shown = _clip(repr(recorded(given)), 80)
                raise ConfigError(f"must be a {kind} from 0 to 2**63, not {shown}", where=f"Usage({name}=)")
            object.__setattr__(self, name, amount)

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Usage:
        """From a reply's usage mapping; other keys are left alone, and what is no amount was not said."""
        if given is None:
            return _NOTHING
        return cls(*(_amount(given.get(name), whole=name in _TOKENS) for name in _USAGE))

    @property
    def total_tokens(self) -> int | None:
        """Input and output together; None when neither is known."""
        tokens: int | None = _add(self.input_tokens, self.output_tokens)
        return tokens

    def __add__(self, other: Usage) -> Usage:
        if other is _NOTHING:
            return self
        if self is _NOTHING:
            return other
        return Usage(
            _add(self.input_tokens, other.input_tokens),
            _add(self.output_tokens, other.output_tokens),
            _add(self.cost, other.cost),
        )

    def __getitem__(self, key: str) -> Any:
        if key not in _USAGE:
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(_USAGE)

    def __len__(self) -> int:
        return len(_USAGE)

    def to_dict(self) -> dict[str, Any]:
        """Plain data; what is not known is left out."""
        return {name: value for name, value in self.items() if value is not None}


_MOST: Final = 2**63 - 1
"""Of tokens and cost: no reply means more, and JSON's readers take no more."""


def _amount(given: Any, *, whole: bool = False) -> Any:
    """A number from 0 up, else None: a budget that counted NaN or less than nothing would never end."""
    if isinstance(given, bool) or not isinstance(given, int | float | Decimal):
        return None
    number = given
    if isinstance(given, Decimal):  # whose NaN cannot be compared
        number = float(given) if given.is_finite() else inf
    if not 0 <= number <= _MOST:
        return None
    if not whole:
        return number
    return int(number) if number == int(number) else None


_NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class Repair:
    """One recorded change on the way from the model's text to the value.

    `code` is stable and dotted, `path` as in a finding, `before` and `after` plain data (None for nothing there).
    `asked`: the change was made to the question, before the model was asked; the path then leads into what was sent.
    """

    code: str
    message: str
    path: str = ""
    before: Any = None
    after: Any = None
    asked: bool = False

    def __post_init__(self) -> None:
        for name in ("code", "message", "path"):
            given = getattr(self, name)
            if not isinstance(given, str) or not (given or name != "code"):
                raise ConfigError(f"must be text, not {given!r}", where=f"Repair({name}=)")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Repair:
        """A repair again, from what `to_dict` gave."""
        return cls(**{"message": "", **{f.name: data[f.name] for f in fields(cls) if f.name in data}})

    def to_dict(self, *, content: bool = True) -> dict[str, Any]:
        """Plain data; `content=False` keeps the code, and whether it changed the question."""
        where = {"asked": True} if self.asked else {}
        if not content:
            return {"code": self.code, **where}
        return {
            "code": self.code,
            "message": self.message,
            "path": self.path,
            "before": self.before,
            "after": self.after,
            **where,
        }


class Head:
    """What stands at the head of a record: whose it is, and of what."""

    __slots__ = ("_id", "at", "library", "origin", "tags")

    def __init__(self, origin: Origin | None = None, tags: Mapping[str, Any] | None = None) -> None:
        self._id: Id | str = Id()
        self.at = time()
        self.tags: Mapping[str, Any] = tags or {}
        self.origin = origin
        self.library = __version__

    @property
    def id(self) -> str:
        return str(self._id)

    @classmethod
    def again(cls, id_: str, at: float, library: str, origin: Origin | None, tags: Mapping[str, Any]) -> Head:
        """That of a call which was made before, or elsewhere."""
        head = cls(origin, tags)
        head._id, head.at, head.library = id_, at, library
        return head

    def __reduce__(self) -> tuple[Any, ...]:
        return Head.again, (self.id, self.at, self.library, self.origin, dict(self.tags))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, but for the version of the record."""
        return {
            "id": self.id,
            "time": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="microseconds"),
            "library": self.library,
            "ticket": None if self.origin is None else self.origin.to_dict(),
            "tags": dict(self.tags),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Head:
        """A head again, from what `to_dict` gave."""
        ticket = _a(Mapping, data, "ticket", or_none=True)
        origin = None
        if ticket is not None:
            origin = Origin(_a(str, ticket, "name"), _a(str, ticket, "fingerprint", or_none=True))
        at = datetime.fromisoformat(_a(str, data, "time")).timestamp()
        tags = checked_tags(_a(Mapping, data, "tags"))
        return cls.again(_a(str, data, "id"), at, _a(str, data, "library"), origin, tags)


class Origin:
    """What a record is of: the contract's name, and the ticket's fingerprint, made when somebody first asks for it."""

    __slots__ = ("_fingerprint", "name")

    def __init__(self, name: str, fingerprint: str | Callable[[], str | None] | None) -> None:
        self.name = name
        self._fingerprint = fingerprint

    @property
    def fingerprint(self) -> str | None:
        """As `guards.identity.fingerprint`; None where a part of the ticket has none."""
        if callable(self._fingerprint):
            self._fingerprint = self._fingerprint()
        return self._fingerprint

    def __reduce__(self) -> tuple[Any, ...]:
        return Origin, (self.name, self.fingerprint)

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self  # nobody changes it

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "fingerprint": self.fingerprint}


@dataclass(frozen=True, kw_only=True)
class Attempt(Made):
    """One question to the model and all that came of it.

    Args:
        messages: what was sent; empty where the caller's own function did the sending, or nobody was asked.
        text: the answer, without a reflection that stood before it; None when no answer came.
        findings, repairs, scores: of this answer. Findings that a Fix or Filter answered stay here.
        skipped: names of the guards that did not run.
        reflection: what the model said of its own error before this answer.
        usage, seconds: spent on this attempt, its reflection included.
        decision: what followed: `accept`, or the name of the policy, `stop`, `error`, `abandoned`.
        raw: the SDK's own response, where one came; only in this process, and never in JSON.
    """

    messages: tuple[Message, ...] = ()
    text: str | None = None
    findings: tuple[Finding, ...] = ()
    repairs: tuple[Repair, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    reflection: str | None = None
    usage: Usage = _NOTHING
    seconds: float = 0.0
    decision: str = "accept"
    raw: Any = field(default=None, compare=False, repr=False)
    _shared: ClassVar = frozenset({"raw"})

    def __reduce__(self) -> tuple[Any, ...]:
        return _attempt, ({f.name: getattr(self, f.name) for f in fields(self) if f.name != "raw"},)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, content: bool = True) -> Attempt:
        """An attempt again, from what `to_dict` gave; with `content=False` there, say so here."""
        return cls(
            **_judged(data),
            messages=tuple(_all(Mapping, data, "messages")),
            text=_a(str, data, "text", or_none=True) if content else None,
            skipped=tuple(_all(str, data, "skipped")),
            reflection=_a(str, data, "reflection", or_none=True) if content else None,
            decision=_a(str, data, "decision"),
        )

    def to_dict(self, *, content: bool = True) -> dict[str, Any]:
        """Plain data; see `Outcome.to_dict`."""
        return {
            "messages": [dict(m) if content else _digest(m) for m in self.messages],
            "text": self.text if content else _digest(self.text),
            "findings": [f.to_dict(content=content) for f in self.findings],
            "repairs": [r.to_dict(content=content) for r in self.repairs],
            "scores": dict(self.scores),
            "skipped": list(self.skipped),
            "reflection": self.reflection if content else _digest(self.reflection),
            "usage": self.usage.to_dict(),
            "seconds": self.seconds,
            "decision": self.decision,
        }


@dataclass(frozen=True, kw_only=True)
class Outcome(Made, Generic[T_co]):
    """The end of a guarded call or of a validation.

    Args:
        ok: whether the contract and every guard accepted what `value` holds.
        value: the typed value; None when nothing is delivered.
        text: the last answer's text; None when none came.
        findings: those that stand against the delivered or last value.
        scores: each guard that ran, 0 to 1, higher is more acceptable.
        repairs: the recorded changes behind the value, those of the question first.
        attempts: every question, oldest first. A validation asks nobody: it has one where a policy acted, else none.
        usage, seconds: sums over the call.
        reason: why it ended; `"accepted"` when ok.
        delivered_by: `filter`, `fallback`, `noop`, `refrain`, or None for an answer delivered as it came.
        head: its id, when it began, the caller's tags, and what was asked for; `id`, `at`, `tags`, `ticket` and `name`
            tell of it.
        cause: the exception behind a guard that failed or a validator that crashed, if any; left out of the record.
        document: the document behind the value, as it was read and edited; left out of the record.
    """

    ok: bool
    value: T_co | None
    text: str | None
    findings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    repairs: tuple[Repair, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = _NOTHING
    seconds: float = 0.0
    reason: Reason = ACCEPTED
    delivered_by: str | None = None
    head: Head = field(default_factory=Head, compare=False, repr=False)
    cause: BaseException | None = field(default=None, compare=False, repr=False)
    document: Any = field(default=None, compare=False, repr=False)
    _shared: ClassVar = frozenset({"cause", "document"})

    def __reduce__(self) -> tuple[Any, ...]:
        """A record always travels to another process: a value, or a cause, that cannot goes as plain data, or as an
        exception of its words; and a document that cannot as its text."""
        state = {f.name: travelling(getattr(self, f.name)) for f in fields(self) if f.name != "document"}
        return _restored, (state, _travelling_document(self.document))

    def __bool__(self) -> bool:
        """Whether it is accepted, so that `if validate(...):` means what it says."""
        return self.ok

    @property
    def id(self) -> str:
        """Of this call alone, 32 hexadecimal digits; its events have it too."""
        return self.head.id

    @property
    def at(self) -> float:
        """When it began, in seconds since 1970."""
        return self.head.at

    @property
    def tags(self) -> Mapping[str, Any]:
        """What the caller gave to find it by."""
        return self.head.tags

    @property
    def ticket(self) -> str | None:
        """The fingerprint of the ticket that it came of; None where that has none."""
        origin = self.head.origin
        return None if origin is None else origin.fingerprint

    @property
    def name(self) -> str | None:
        """The name of the contract that it came of."""
        origin = self.head.origin
        return None if origin is None else origin.name

    def raise_if_rejected(self) -> T_co:
        """The value; `Rejected` (or `BudgetExhausted`, `GuardFailed`) when none was accepted or delivered."""
        if self.ok or self.delivered_by is not None:
            return self.value  # type: ignore[return-value]  # a delivering policy gives its own None
        raise self.rejection()

    def rejection(self) -> Rejected:
        """The exception that says what this outcome says; of a refused outcome."""
        kind: type[Rejected] = Rejected
        if self.reason.startswith("budget."):
            kind = BudgetExhausted
        elif self.reason in ("guard.failed", "schema.failed"):
            kind = GuardFailed
        error = kind(self.summary(), outcome=self, code=str(self.reason))
        error.__cause__ = self.cause
        return error

    @property
    def accepted_text(self) -> str | None:
        """What is delivered, as an answer's text: as it came, or the document alone where anything was set aside or
        changed. None where nothing is delivered, or what is delivered is no answer of the model's."""
        if not (self.ok or self.delivered_by == "noop"):
            return None
        if self.document is None or all(repair.asked for repair in self.repairs):
            return self.text
        text: str = self.document.source()
        return text

    def summary(self) -> str:
        """Under 15 lines: what failed, where, after what. At most 80 characters of any value."""
        asked = f" after {len(self.attempts)} attempt{'s' * (len(self.attempts) != 1)}" if self.attempts else ""
        lines = [f"{self.reason.message or self.reason.code}{asked and f' ({asked.strip()})'}"]
        ranked, total = counted([f for f in self.findings if f.severity != "warning"] or self.findings)
        lines += [_line(finding) for finding in ranked[:_SHOWN]]
        if total > _SHOWN:
            lines.append(f"... and {total - _SHOWN} more{' in .outcome.findings' if total == len(ranked) else ''}")
        return "\n".join(lines)

    def to_dict(self, *, content: bool = True) -> dict[str, Any]:
        """Plain data. `content=False` leaves out every text of user, model and source: a length and a SHA-256 stand
        in their place, so that records can be compared without being read."""
        turns = _Conversation()
        attempts = [{**one.to_dict(content=content), "messages": turns.ranges(one.messages)} for one in self.attempts]
        return {
            "version": VERSION,
            "content": content,
            **self.head.to_dict(),
            "ok": self.ok,
            "value": recorded(self.value) if content else _digest(self.value),
            "text": self.text if content else _digest(self.text),
            "findings": [recorded(f.to_dict(content=content)) for f in self.findings],
            "scores": dict(self.scores),
            "repairs": [recorded(r.to_dict(content=content)) for r in self.repairs],
            "conversation": [recorded(dict(turn) if content else _digest(turn)) for turn in turns.turns],
            "attempts": [recorded(one) for one in attempts],
            "usage": self.usage.to_dict(),
            "seconds": self.seconds,
            "reason": {"code": self.reason.code, "message": self.reason.message if content else ""},
            "delivered_by": self.delivered_by,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome[Any]:
        """An outcome again, from what `to_dict` or the JSON of `to_json` gave, of the first version too.

        `value` is plain data. A record without content gives what stands in it: verdict, codes, scores and figures,
        and no text, value or message. Raises `ConfigError` for what is no record.
        """
        try:
            return cls(**_facts(data))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
            raise ConfigError(
                f"is no record of a call: {type(fault).__name__}: {fault}",
                where="Outcome.from_dict()",
                hint="give what Outcome.to_dict() gave, or json.loads() of what to_json() gave",
            ) from fault

    def to_json(self, *, content: bool = True, indent: int | None = None) -> str:
        """`to_dict` as JSON in ASCII, so that lone surrogates survive; fits `schemas/run-record.schema.json`."""
        return json.dumps(self.to_dict(content=content), indent=indent, allow_nan=False)


VERSION: Final = 2
"""Of the run record."""


class _Conversation:
    """All turns of a call, each once, and the attempts' messages as ranges of them."""

    def __init__(self) -> None:
        self.turns: list[Message] = []
        self._numbers: dict[int, int] = {}

    def ranges(self, messages: Sequence[Message]) -> list[list[int]]:
        """Pairs of the first turn and the one behind the last."""
        ranges: list[list[int]] = []
        for turn in messages:
            number = self._numbers.get(id(turn))
            if number is None:
                number = self._numbers[id(turn)] = len(self.turns)
                self.turns.append(turn)
            if ranges and ranges[-1][1] == number:
                ranges[-1][1] += 1
            else:
                ranges.append([number, number + 1])
        return ranges


def _facts(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an outcome is made of, from a record of either version."""
    first = "version" not in data
    if not first and data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r} is not known")
    reason = _a(Mapping, data, "reason")
    why = Reason(_a(str, reason, "code"), _a(str, reason, "message"))
    content = _a(bool, data, "content") if "content" in data else _has_content(data, why)
    attempts = _all(Mapping, data, "attempts")
    if not first:
        turns = _all(Mapping, data, "conversation")
        attempts = [{**one, "messages": list(_turns(one["messages"], turns))} for one in attempts]
    return {
        **_judged(data),
        "ok": _a(bool, data, "ok"),
        "value": data["value"] if content else None,
        "text": _a(str, data, "text", or_none=True) if content else None,
        "attempts": tuple([Attempt.from_dict(one, content=content) for one in attempts]),
        "reason": why,
        "delivered_by": _a(str, data, "delivered_by", or_none=True),
        # The first version's records have none.
        "head": Head.again("", 0.0, "", None, {}) if first else Head.from_dict(data),
    }


def _has_content(data: Mapping[str, Any], reason: Reason) -> bool:
    """Of a record that does not say so itself: by its text, or where no answer came, by the words of its reason."""
    return bool(reason.message) if data["text"] is None else isinstance(data["text"], str)


def _turns(ranges: Any, turns: Sequence[Message]) -> Iterator[Message]:
    for start, end in ranges:
        if not 0 <= start <= end <= len(turns):
            raise ValueError(f"no turns {start} to {end} in a conversation of {len(turns)}")
        yield from turns[start:end]


def _judged(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of an answer, and an attempt too."""
    scores = _a(Mapping, data, "scores")
    return {
        "findings": tuple(map(Finding.from_dict, _all(Mapping, data, "findings"))),
        "scores": {name: _number(scores, name) for name in scores},
        "repairs": tuple(map(Repair.from_dict, _all(Mapping, data, "repairs"))),
        "usage": Usage.of(_a(Mapping, data, "usage")),
        "seconds": _number(data, "seconds"),
    }


def _a(kind: Any, data: Mapping[str, Any], name: str, *, or_none: bool = False) -> Any:
    """The member of a record, which is of that kind."""
    given = data[name]
    if isinstance(given, kind) or (or_none and given is None):
        return given
    raise TypeError(f"{name!r} cannot be {_short(given)}")


def _number(data: Mapping[str, Any], name: str) -> Any:
    number = _amount(_a(int | float, data, name))
    if number is None:
        raise ValueError(f"{name!r} cannot be {_short(data[name])}")
    return number


def _all(kind: Any, data: Mapping[str, Any], name: str) -> list[Any]:
    """The items of a list in a record, which are all of that kind."""
    items = _a(list | tuple, data, name)
    return [_a(kind, {name: item}, name) for item in items]


def checked_tags(tags: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What a caller gives to find a record by: names with a text, a number, a truth value or None each."""
    if not tags:
        return {}
    if not isinstance(tags, Mapping) or not all(
        isinstance(name, str) and isinstance(tag, str | int | float | None) and recorded(tag) == tag
        for name, tag in tags.items()
    ):
        raise ConfigError(
            f"must be a mapping of names to texts, numbers that JSON has, or truth values, not {_short(tags)}",
            where="tags=",
            hint='write tags={"tenant": "acme", "trial": 3}',
        )
    return dict(tags)


def _attempt(state: dict[str, Any]) -> Attempt:
    return Attempt(**state)


class _Source:
    """A document as its text, in another process."""

    def __init__(self, text: str) -> None:
        self._text = text

    def source(self) -> str:
        return self._text


def _travelling_document(document: Any) -> Any:
    return document if document is None or travels(document) else _Source(document.source())


def _restored(state: dict[str, Any], document: Any) -> Outcome[Any]:
    return Outcome(**state, document=document)


_SHOWN = 9


def _digest(value: Any) -> dict[str, Any] | None:
    """Length and SHA-256 in the place of a content."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, Mapping) and "role" in value:
        # A word that is no role of any server is somebody's text.
        role = {"role": value["role"]} if value["role"] in ROLES else {}
        content = recorded(value.get("content"))
        return {**role, **(_digest(content if isinstance(content, str) else json.dumps(content)) or {})}
    else:
        text = json.dumps(recorded(value), sort_keys=True)
    data = text.encode("utf-8", "surrogatepass")
    return {"length": len(text), "sha256": hashlib.sha256(data).hexdigest()}


def _line(finding: Finding) -> str:
    actual = f", got {_short(finding.actual)}" if finding.shows_actual else ""
    # A guard's or validator's own words may quote the answer; ours never do.
    foreign = finding.guard is not None or finding.code == "schema.validator"
    message = _clip(finding.message, 80 if foreign and finding.code != "guard.failed" else 160)
    return f"  {_clip(finding.path, 80) or '(whole answer)'}: {message} [{finding.code}]{actual}"


def _short(value: Any) -> str:
    return _clip(value if isinstance(value, str) else json.dumps(recorded(value)), 80)


def _clip(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _add(left: Any, right: Any) -> Any:
    if left is None:
        return right
    return left if right is None else min(left + right, _MOST)
