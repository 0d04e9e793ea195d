"""Findings become words for a model: what was wrong with its answer, and what to send next.

Pure functions; their texts are pinned literally by tests. What comes from the answer (values, keys, a guard's own
words) stands only inside code spans and fences that it cannot close, so that hostile text stays data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from guards.findings import Finding, counted
from guards.messages import Message
from guards.outgoing.quoting import fence, span
from guards.values.plain import recorded

__all__ = ["ask_for_reflection", "feedback_text", "lines_of", "minimal", "split_reflection"]

Mode = Literal["reask", "inline", "separate"]

_MOST_FINDINGS: Final = 20
_MOST_CHARS: Final = 80
_MOST_QUOTED: Final = 300
_MOST_EXPECTED: Final = 400
"""What was expected is the caller's own; a list of options is of use only whole."""
_REFLECTION: Final = re.compile(r"\s*<reflection>(.*?)</reflection>\s*", re.DOTALL | re.IGNORECASE)


def feedback_text(
    findings: Sequence[Finding], answer_format: str, *, mode: Mode = "reask", reflections: Sequence[str] = ()
) -> str:
    """The text that asks again: what kind of failure, each finding once with its path, and what to send.

    `reflections` are the model's own earlier ones, oldest first, to be carried along.
    """
    parts = _what_was_wrong(findings, answer_format, reflections)
    if mode == "inline":
        parts.append(
            "First say, inside <reflection></reflection>, what was wrong and what you will change. "
            f"Then {_again(answer_format)}"
        )
    else:
        parts.append(_sentence(_again(answer_format)))
    return "\n".join(parts)


def ask_for_reflection(findings: Sequence[Finding], answer_format: str, reflections: Sequence[str] = ()) -> str:
    """The text of a call of its own for the reflection."""
    parts = _what_was_wrong(findings, answer_format, reflections)
    parts.append("Say in a few sentences what was wrong and what you will change. Do not answer the task yet.")
    return "\n".join(parts)


def split_reflection(text: str) -> tuple[str | None, str]:
    """A reply's leading `<reflection>` and the answer behind it; None where it has none."""
    found = _REFLECTION.match(text)
    if found is None:
        return None, text
    return found.group(1).strip(), text[found.end() :]


def minimal(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The task alone: the instructions, and the original messages from the last turn on in which the user asks.

    What follows that turn (calls of tools, their results) belongs to it: servers refuse a result without its call.
    """
    asked = next((number for number in reversed(range(len(messages))) if _asks(messages[number])), 0)
    instructions = [m for m in messages[:asked] if m.get("role") in ("system", "developer")]
    return (*instructions, *messages[asked:])


def _asks(turn: Message) -> bool:
    """Whether the user speaks here, and does not hand over the result of a tool."""
    content = turn.get("content")
    blocks = content if isinstance(content, list | tuple) else ()
    kinds = [block.get("type") if isinstance(block, Mapping) else getattr(block, "type", None) for block in blocks]
    return turn.get("role") == "user" and not any(str(kind).endswith("tool_result") for kind in kinds)


def _what_was_wrong(findings: Sequence[Finding], answer_format: str, reflections: Sequence[str]) -> list[str]:
    ranked, total = counted(findings)
    kind = _kind(ranked)
    parts = [f"[automated check] {_HEADINGS[kind].format(format=_FORMATS[answer_format])}"]
    if kind in _LISTED:
        parts += _lines(ranked, total)
    if reflections:
        parts += ["What you noted about your earlier answers:", *(fence(text) for text in reflections)]
    return parts


def _kind(ranked: Sequence[Finding]) -> str:
    """The manner of failure, by the decisive finding."""
    family, _, rule = ranked[0].code.partition(".") if ranked else ("", "", "")
    if family in ("json", "xml", "text", "reply") and rule in ("missing", "empty"):
        return "missing"
    if rule == "truncated":
        return "truncated"
    if rule in ("syntax", "ambiguous"):
        return rule
    if family == "limit":
        return "limit"
    if all(f.guard is not None for f in ranked):
        return "guard"
    return "invalid"


_FORMATS: Final = {"json": "JSON", "xml": "XML", "text": "text"}
_WHOLE: Final = {"json": "JSON document", "xml": "XML document", "text": "text"}

_HEADINGS: Final = {
    "missing": "Your last answer holds no {format} answer.",
    "truncated": "Your last answer was cut off before its end. Keep it short enough to finish.",
    "syntax": "Your last answer could not be parsed as {format}:",
    "ambiguous": "Your last answer holds several different documents that fit. Give exactly one.",
    "limit": "Your last answer goes past a limit:",
    "invalid": "Your last answer does not fit what was asked for:",
    "guard": "Your last answer was read, but did not pass these checks:",
}
_LISTED: Final = frozenset({"syntax", "limit", "invalid", "guard"})


def _again(answer_format: str) -> str:
    return f"answer again with the whole corrected {_WHOLE[answer_format]} only."


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def lines_of(findings: Iterable[Finding]) -> list[str]:
    """One line per finding, each once, the decisive first."""
    return _lines(*counted(findings))


def _lines(ranked: Sequence[Finding], total: int) -> list[str]:
    lines = list(dict.fromkeys([_line(finding) for finding in ranked]))
    more = len(lines) - _MOST_FINDINGS + total - len(ranked)
    return [*lines[:_MOST_FINDINGS], *([f"- and {more} more of the kind"] if more > 0 else [])]


def _line(finding: Finding) -> str:
    place = span(finding.path) if finding.path else "the whole answer"
    message = finding.message if _ours(finding) else span(_clip(finding.message, 400))
    facts = list(_grounds(finding)) if finding.code in _GROUNDED else []
    if finding.expected is not None and not _said(finding):
        facts.append(f"expected {span(_show(finding.expected, _MOST_EXPECTED))}")
    if finding.shows_actual:
        facts.append(f"got {span(_show(finding.actual, _MOST_QUOTED if facts else _MOST_CHARS))}")
    return f"- {place}: {message} ({finding.code}){'; ' if facts else ''}{', '.join(facts)}"


def _grounds(finding: Finding) -> Iterator[str]:
    """What a claim was held against: it can be mended by what stands there, and by nothing else."""
    evidence = finding.evidence if isinstance(finding.evidence, Mapping) else {}
    absent, passages = evidence.get("absent"), evidence.get("passages")
    if isinstance(absent, list) and absent:
        yield f"no source has {', '.join(span(_show(word)) for word in absent)}"
    passage = passages[0] if isinstance(passages, list) and passages else None
    if isinstance(passage, Mapping) and {"text", "document"} <= passage.keys():  # a guard of the user's own may differ
        near = "contradicting" if finding.code == "nli.contradicted" else "nearest"
        text = span(_show(passage["text"], _MOST_QUOTED))
        yield f"{near} passage, in source {span(_show(passage['document']))}: {text}"


def _ours(finding: Finding) -> bool:
    """Whether the message was written by this library, and so holds no text of the answer."""
    if finding.guard is not None:  # a guard of the user's own may use any code
        return finding.code in _OUR_RULES or _GROUNDED.get(finding.code) == finding.message
    family, _, rule = finding.code.partition(".")
    return family in _OUR_FAMILIES and rule not in ("validator", "failed")


_OUR_FAMILIES: Final = frozenset({"json", "xml", "text", "schema", "limit", "reply"})
_GROUNDED: Final = {
    "nli.contradicted": "a sentence is contradicted by the sources",
    "nli.unsupported": "a sentence is not supported by the sources",
}
"""Codes that a guard of the user's own may well use, too: the words tell whose the finding is."""
_OUR_RULES: Final = frozenset({"rule.length", "rule.one_of", "rule.range", "rule.pattern"})


def _said(finding: Finding) -> bool:
    """Whether the message names the expected thing already."""
    if finding.code.split(".", 1)[0] in ("json", "xml", "limit"):
        return True
    return _ours(finding) and (
        finding.code in ("schema.required", "schema.type", "schema.additionalProperties", "schema.format")
        or _show(finding.expected) in finding.message
    )


def _show(value: Any, most: int = _MOST_CHARS) -> str:
    return _clip(value if isinstance(value, str) else json.dumps(recorded(value, most=most), ensure_ascii=False), most)


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
