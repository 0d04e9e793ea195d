"""Contracts for answers that are plain text: any text, one of several options, a pattern matched in full.

What careful reading mends is surroundings only: a thinking part, whitespace, one pair of quotes or marks, a full stop,
letter case. Each is recorded, and nothing is mended where two meanings are left.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from guards.contracts.base import Contract, Format, Style, check_style, no_place
from guards.contracts.grammar import Grammar
from guards.errors import ConfigError
from guards.findings import Finding
from guards.patterns.ecma import EcmaPattern
from guards.reading.document import Document, Steps, TextDocument
from guards.reading.locate import thinking
from guards.reading.reading import Dial, Limits, Reading
from guards.records import Repair

if TYPE_CHECKING:
    from guards.contracts.live import Live, Watched

__all__ = ["Choice", "Pattern", "Text"]

Mended: TypeAlias = tuple[str, tuple[Repair, ...]]


class _Plain(Contract[str]):
    """What the three have in common: limits, the thinking part, and mending that counts only if it helps."""

    format: ClassVar[Format] = "text"
    is_data: ClassVar[bool] = False

    @abstractmethod
    def _check(self, text: str) -> Finding | None:
        """What is wrong with the text, if anything."""

    def _mend(self, text: str) -> Mended | None:
        """The accepted text that was meant by one that is refused, and how it was reached; None where there is none."""
        return None

    def read(
        self,
        text: str,
        dial: Dial = "careful",
        limits: Limits = Limits(),
        context: Mapping[str, Any] | None = None,
    ) -> Reading[str]:
        if len(text) > limits.chars:
            message = f"is longer than {limits.chars:,} characters, the most that is read"
            return Reading(None, None, (Finding("limit.chars", message, expected=limits.chars, actual=len(text)),))
        repairs: tuple[Repair, ...] = ()
        careful = dial != "strict" and len(text) <= limits.repair_chars
        if careful:
            start, unfinished = thinking(text, swallowed=True)
            if unfinished:
                message = "ends inside its thinking part; no answer follows"
                return Reading(None, None, (Finding("text.truncated", message),))
            if start:
                answer = text[start:].lstrip()
                repairs = (_repair("think", "the thinking part was set aside", text, answer),)
                text = answer
        fault = self._check(text)
        if fault is not None and careful and (mended := self._mend(text)) is not None:
            text, fault = mended[0], None
            repairs += mended[1]
        document = TextDocument(text)
        return Reading(None, document, (fault,), repairs) if fault else Reading(text, document, (), repairs)

    def recheck(self, document: Document, context: Mapping[str, Any] | None = None) -> Reading[str]:
        text = document.data
        fault = self._check(text) if isinstance(text, str) else Finding("text.type", "must be text", actual=text)
        return Reading(None, document, (fault,)) if fault else Reading(text, document)

    def check_place(self, path: str, where: str) -> None:
        if not path.startswith("$"):
            raise no_place(path, self.format, where, "no .on(): text is whole")
        raise ConfigError("a text has no places", where=where, hint="leave out .on()")

    def live(
        self,
        call: str,
        limits: Limits = Limits(),
        watched: Sequence[Watched] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Live:
        from guards.contracts.text_live import Unsaid  # only streams have views

        return Unsaid(call)

    def watched_at(self, path: str | None, inner: Any = None) -> tuple[Steps, ...] | None:
        return ((),)  # what a guard says of the whole it can say of a sentence


@dataclass(frozen=True, slots=True)
class Text(_Plain):
    """Any text but none at all. The value is the text as written."""

    def live(
        self,
        call: str,
        limits: Limits = Limits(),
        watched: Sequence[Watched] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Live:
        from guards.contracts.text_live import Sentences  # only streams have views

        return Sentences(call, watched)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string"}

    def prompt(self, style: Style | None = None) -> str:
        if style is None:
            return "Answer in plain text."
        check_style(style, ("example",), "a text answer")
        return "The answer, in plain text."

    def _check(self, text: str) -> Finding | None:
        return None if text and not text.isspace() else Finding("text.empty", "must hold text; the answer is empty")


@dataclass(frozen=True, slots=True)
class Choice(_Plain):
    """Exactly one of several texts. An option inside a longer sentence is not taken for the answer."""

    options: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", _checked_options(self.options))

    def json_schema(self) -> dict[str, Any]:
        return {"enum": list(self.options)}

    def grammar(self) -> Grammar:
        return Grammar("choice", tuple(self.options))

    def prompt(self, style: Style | None = None) -> str:
        if style is None:
            lines = "\n".join(f"- {option}" for option in self.options)
            return f"Answer with exactly one of these and nothing else:\n{lines}"
        check_style(style, ("example",), "a choice")
        return self.options[0]

    def _check(self, text: str) -> Finding | None:
        if text in self.options:
            return None
        message = f"must be exactly one of the {len(self.options)} options and nothing else"
        return Finding("text.choice", message, expected=list(self.options), actual=text)

    def _mend(self, text: str) -> Mended | None:
        forms = list(_bared(text))
        if forms[0][0] in self.options:
            return forms[0]
        exact = {form: (form, repairs) for form, repairs in reversed(forms) if form in self.options}
        if exact:
            return next(iter(exact.values())) if len(exact) == 1 else None
        folded: dict[str, Mended] = {}
        for form, repairs in forms:
            caseless = form.casefold()
            for option in self.options:
                if option.casefold() == caseless and option not in folded:
                    cased = _repair("case", "the letter case was made the option's", form, option)
                    folded[option] = option, (*repairs, cased)
        return next(iter(folded.values())) if len(folded) == 1 else None


@dataclass(frozen=True, slots=True)
class Pattern(_Plain):
    """Text that an ECMA-262 regular expression matches from its first character to its last, in bounded time."""

    regex: str
    _compiled: EcmaPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", EcmaPattern(self.regex, where="Pattern(regex=)"))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^(?:{self.regex})$"}

    def grammar(self) -> Grammar:
        return Grammar("regex", self.regex)

    def prompt(self, style: Style | None = None) -> str:
        if style is None:
            return (
                "Answer with text that this regular expression (ECMA-262) matches from beginning to end, and nothing "
                f"else:\n{self.regex}"
            )
        check_style(style, ("example",), "a pattern")
        from guards.contracts.showing.example import example

        return str(example(self.json_schema(), lambda text: isinstance(text, str) and self._check(text) is None))

    def _check(self, text: str) -> Finding | None:
        try:
            if self._compiled.fullmatch(text):
                return None
        except TimeoutError:
            message = "took too long to match against the pattern"
            return Finding("limit.pattern", message, expected=self.regex)
        message = "must match the pattern from beginning to end"
        return Finding("text.pattern", message, expected=self.regex, actual=text)

    def _mend(self, text: str) -> Mended | None:
        bare = text.strip()
        if bare == text or self._check(bare) is not None:
            return None
        return bare, (_trimmed(text, bare),)


_MARKS: Final[tuple[tuple[str, str], ...]] = (
    ("**", "**"),
    ("__", "__"),
    ('"', '"'),
    ("'", "'"),
    ("`", "`"),
    ("*", "*"),
    ("“", "”"),
    ("\u2018", "\u2019"),
    ("«", "»"),
    ("„", "“"),
)


def _bared(text: str) -> Iterator[Mended]:
    """The text without surrounding whitespace; also without a full stop, one pair of marks, or both in either order."""
    bare = text.strip()
    trimmed = (_trimmed(text, bare),) if bare != text else ()
    yield bare, trimmed
    for steps in ((_unquoted,), (_unstopped,), (_unquoted, _unstopped), (_unstopped, _unquoted)):
        form, repairs = bare, trimmed
        for step in steps:
            taken = step(form)
            if taken is None:
                break
            repairs = (*repairs, taken[1])
            form = taken[0]
        else:
            yield form, repairs


def _unquoted(text: str) -> tuple[str, Repair] | None:
    for opening, closing in _MARKS:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : -len(closing)].strip()
            return inner, _repair("quotes", "the marks around the answer were set aside", text, inner)
    return None


def _unstopped(text: str) -> tuple[str, Repair] | None:
    if not text.endswith(".") or text.endswith(".."):
        return None
    inner = text[:-1].rstrip()
    return inner, _repair("stop", "the full stop after the answer was set aside", text, inner)


def _trimmed(text: str, bare: str) -> Repair:
    return _repair("trim", "whitespace around the answer was set aside", text, bare)


def _repair(kind: str, message: str, before: str, after: str) -> Repair:
    return Repair(f"text.{kind}", message, "", before, after)


def _checked_options(options: Any) -> tuple[str, ...]:
    where = "Choice(options=)"
    if isinstance(options, str) or not isinstance(options, Sequence):
        raise ConfigError(f"the options are a list of texts, not {type(options).__name__}", where=where)
    for option in options:
        if not isinstance(option, str):
            raise ConfigError(f"an option is text, not {type(option).__name__}", where=where)
        if not option.strip():
            raise ConfigError("an option is empty", where=where, hint="no answer at all is no choice; name the option")
    if not options:
        raise ConfigError("there are no options", where=where, hint="give at least one")
    twice = [option for index, option in enumerate(options) if option in options[:index]]
    if twice:
        raise ConfigError(f"the option {twice[0]!r} is given twice", where=where)
    return tuple(str(option) for option in options)
