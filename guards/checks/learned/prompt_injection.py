"""Does a text hold instructions that are meant to turn a model from its task?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from guards.checks.base import OnError, Unreadable
from guards.checks.learned.classifier import Classifier, Limit, Place, Subject
from guards.checks.texts.sources import documents
from guards.context import Context
from guards.errors import ConfigError
from guards.models import ModelSpec
from guards.models.spec import Model
from guards.policies import Policy

__all__ = ["PromptInjection"]

EMBEDDED: Final = "embedded:injection"
_NAMES: Final = ("injection", "malicious", "jailbreak")
"""How models call it: the embedded and ProtectAI's, Prompt Guard 2, others."""
_TOGETHER: Final = (1, 3, 0)


class PromptInjection(Classifier):
    """No text holds what reads as an attack on the model: for the user's text (`input_guards=`), and for documents.

    Args:
        model: the embedded classifier by default; an id, a folder, an endpoint, a `ModelSpec`, or a function of a list
            of texts that gives the probability of each label for each.
        labels: of the model, each of them forbidden; by default `injection`, or what models call it instead
            (`malicious`, `jailbreak`): the first of these that the model has.
        source: a key of the context: its text, list of texts or mapping of id to text is looked at, and not the value.
        threshold: the score below which a text is refused. The score is 1 less the probability of the label, at the
            worst part of the worst text; 1 for a value without text.

    A model is shown each sentence, three sentences at a time, and all of the text as far as it fits, since an attack
    hidden in a long document is a small part of it. So a long text has more parts that may be taken for one by
    mistake: calibrate on texts of the length that you have.

    Code: `injection.suspected`; the finding is that of `Classifier`, and its evidence names the `document` where there
    is one. A document is not the model's to mend: `on_fail=Raise()` says so. Raises ConfigError for a source that is
    missing, empty, or no text.
    """

    def __init__(
        self,
        *,
        model: Model | ModelSpec | None = None,
        labels: str | Sequence[str] | None = None,
        source: str | None = None,
        threshold: float = 0.5,
        name: str | None = None,
        on_fail: Policy[Any] | None = None,
        on_error: OnError | None = None,
        unreadable: Unreadable | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(
            EMBEDDED if model is None else model,
            forbid={_NAMES: 0.5} if labels is None else labels,
            threshold=threshold,
            split="both",
            name=name,
            on_fail=on_fail,
            on_error=on_error,
            unreadable=unreadable,
            timeout=timeout,
        )
        self._together = _TOGETHER
        self._source = source
        if source is not None:
            if not isinstance(source, str) or not source.strip():
                raise ConfigError(f"{source!r} is no key of a context", where="PromptInjection(source=)")
            self.needs = (source,)
            self.partial = False

    def _subjects(self, value: Any, context: Context) -> list[Subject]:
        if self._source is None:
            return super()._subjects(value, context)
        # An attack may be written in marks that are no letters.
        found = documents(context, self._source, wordless=True)
        return [Subject("", text, name) for name, text in found]

    def _words(self, subject: Subject, limit: Limit, worst: Place, probability: float) -> tuple[str, str]:
        what = "holds" if subject.document is None else "a document of the context holds"
        message = f"{what} what reads as an instruction against the model's task (probability {probability:.2f})"
        return "injection.suspected", message
