"""Is a text in one of some languages?

Without a model of the user's, py3langid tells it: naive Bayes over byte n-grams, 139 languages, 4.6 MB, the method of
Lui and Baldwin, "langid.py: An Off-the-shelf Language Identification Tool" (2012).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from guards.checks.base import OnError, Scored, Unreadable, Verdict
from guards.checks.learned.classifier import Classifier, Limit, Place, Subject
from guards.checks.texts.texts import texts_of
from guards.context import Context
from guards.effects import Flow, Rows
from guards.errors import ConfigError, MissingExtra
from guards.findings import Finding
from guards.models import ModelSpec, handle_of, position
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["Language", "identify"]

_CODES: Final = (
    "ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi fo fr fuv "
    "fy ga gcf gcr gd gl gom grc gu gug guw ha hbo he hi hr ht hu hy id ig is it ja jv ka kab kik kk km kn ko ku ky "
    "la lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pcm pl ps pt qu ro ru rw sa sdh "
    "se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz uzs vec vi vo wa wuu xh yo yue zh zu zxx"
)
"""What py3langid knows, by ISO 639; zxx is no language: numbers, marks, markup."""
_LABELS: Final = tuple(_CODES.split())
_LEAST: Final = 20


class Language(Classifier):
    """The value's texts are in one of the languages.

    Args:
        languages: their codes, ISO 639: `Language("en")`, `Language("no", "nn", "da")`.
        model: py3langid by default (extra `language`); or a classifier whose labels are codes of languages: an id, a
            folder, an endpoint, a `ModelSpec`, or a function of a list of texts that gives the probability of each
            language named here.
        threshold: the score below which a text is refused. The score is what the languages have of the probability that
            they and the likeliest other one have together: a short text leaves much to languages that nobody means, so
            that a probability alone would refuse it.
        least: a text with fewer letters cannot be judged. A letter counts as its bytes in UTF-8: one in English, two in
            Greek or Russian, three in Chinese or Hindi, which say as much more each.

    Each text is judged as a whole (in windows where a model's input is shorter): a sentence in another language does
    not stand out. A text that is too short, or a value without text, is neither passed nor refused: a finding of
    severity `unknown`, `language.unknown`, stands in the outcome; where nothing else was judged, the score is 0.5.

    Codes: `language.wrong`, `language.unknown`. In the first, `evidence` has the label that the model found, too.
    Raises MissingExtra at the first check where py3langid is needed and not installed.
    """

    def __init__(
        self,
        *languages: str,
        model: Model | ModelSpec | None = None,
        threshold: float = 0.5,
        least: int = _LEAST,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        where = "Language()"
        if not languages or not all(isinstance(code, str) for code in languages):
            raise ConfigError("needs codes of languages", where=where, hint='Language("en")')
        if model is None and (unknown := [code for code in languages if code not in _LABELS]):
            raise ConfigError(
                f"py3langid knows no language {unknown[0]!r}", where=where, hint="give ISO 639 codes, like 'en' or 'de'"
            )
        if isinstance(least, bool) or not isinstance(least, int) or least < 1:
            raise ConfigError(f"{least!r} is no number of letters from 1 on", where="Language(least=)")
        super().__init__(
            ModelSpec("classification", identify, labels=_LABELS) if model is None else model,
            require=languages,
            threshold=threshold,
            name=name,
            on_fail=on_fail,
            on_error=on_error,
            unreadable=unreadable,
            timeout=timeout,
        )
        self._limits = (Limit(languages, 0.5, forbidden=False),)
        self._least = least
        if model is None:
            self.cost = 1

    def flow(self, value: Any, context: Context) -> Flow[Verdict]:
        subjects = [Subject(path, text) for path, text in texts_of(value)]
        long = [subject for subject in subjects if _letters(subject.text) >= self._least]
        unknown = [self._untold(subject) for subject in subjects if _letters(subject.text) < self._least]
        if not subjects:
            unknown = [Finding("language.unknown", "holds no text whose language could be told", severity="unknown")]
        score, findings = (yield from self._judged(long)) if long else (0.5, [])
        return Scored(score, [*findings, *unknown])

    def _rows(self, parts: Sequence[str]) -> Flow[list[Sequence[float]]]:
        rows = yield Rows(self._spec, parts)
        labels = handle_of(self._spec).labels
        # "en" and "EN" are one to a model, and count once.
        columns = list(dict.fromkeys(position(labels, language, "Language()") for language in self._limits[0].names))
        return [[_against_the_next(row, columns), *row] for row in rows]

    def _finding(self, subject: Subject, index: int, bad: Sequence[Place], score: float) -> Finding:
        finding = super()._finding(subject, index, bad, score)
        passages = finding.evidence["passages"]
        return finding.replace(evidence={"label": self._label(bad[0]), "passages": passages})

    def _words(self, subject: Subject, limit: Limit, worst: Place, probability: float) -> tuple[str, str]:
        wanted, found = " or ".join(map(repr, limit.names)), self._label(worst)
        reads = "" if found in limit.names else f", and reads as {found!r}"
        return "language.wrong", f"must be in the language {wanted}{reads}"

    def _label(self, place: Place) -> str:
        """What the model takes the part for."""
        row = place.row[1:]
        return handle_of(self._spec).labels[row.index(max(row))]

    def _untold(self, subject: Subject) -> Finding:
        return Finding(
            "language.unknown",
            f"is too short to tell its language ({_letters(subject.text)} letters of at least {self._least})",
            path=subject.path,
            severity="unknown",
            actual=subject.text,
        )


def identify(texts: Sequence[str]) -> list[list[float]]:
    """The probability of each language for each text, by py3langid. Raises MissingExtra without it."""
    return [[min(1.0, known.get(label, 0.0)) for label in _LABELS] for known in map(_ranked(), texts)]


@cache
def _ranked() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ModuleNotFoundError as fault:
        if (fault.name or "").partition(".")[0] not in ("py3langid", "numpy"):
            raise
        raise MissingExtra("py3langid", "language", where="Language()") from fault
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return lambda text: dict(identifier.rank(text))


def _against_the_next(row: Sequence[float], columns: Sequence[int]) -> float:
    """0.5 where the languages asked for are together as probable as the likeliest of the others."""
    own = sum(row[column] for column in columns)
    others = [probability for column, probability in enumerate(row) if column not in columns]
    other = max(others, default=max(0.0, 1 - own))
    return own / (own + other) if own else 0.0


def _letters(text: str) -> int:
    return sum(len(letter.encode("utf-8", "replace")) for letter in text if letter.isalpha())
