"""The words of an XPath (1.0): which of them name elements, and what of it is a plain path.

Only as much as is needed to tell what a path speaks of; whether it is an XPath at all, libxml2 has said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from guards.reading.answered_xml import ENTRY, NAME

__all__ = ["MARKS", "Step", "in_marks", "mark", "plain_xpath"]

MARKS: Final = {"spelled": "urn:output-guards:spelled"}
"""The prefix and namespace of the attributes by which an element has its names."""


def mark(name: str) -> str:
    """The attribute of an element that goes by this name, which may be any text."""
    return f"n{name.encode('utf-8', 'surrogatepass').hex()}"


class Step(NamedTuple):
    """One step of a plain path; `deep` behind `//`. The name of an attribute has its `@`; an entry goes by its key."""

    name: str
    deep: bool


def plain_xpath(expression: str) -> list[Step] | None:
    """The steps of a path of names, whatever its predicates; None for what is more than that. One from the root begins
    with the step to the document, which has no name."""
    found = _tokens(expression)
    steps, at, deep = [Step("." if found[0].text not in _SLASHES else "", deep=False)], 0, False
    while at < len(found):
        if found[at].text in _SLASHES:
            deep = found[at].text == "//"
            at += 1
        elif at:
            return None
        here = found[at : at + 3]
        if here and here[0].kind == "name":
            name, at = _named(found, at)
        elif [token.text for token in here] == ["text", "(", ")"]:
            name, at = "text()", at + 3
        elif len(here) > 1 and here[0].text == "@":
            name, at = f"@{here[1].text}", at + 2
        elif here and here[0].text == ".":
            name, at = ".", at + 1
        else:
            return None
        steps.append(Step(name, deep))
        while at < len(found) and found[at].text == "[":
            at = _behind(found, at)
    return steps


def in_marks(expression: str) -> str:
    """The same XPath for a tree whose elements have their names as `MARKS`, since an element may have several."""
    found, made, done, at = _tokens(expression), "", 0, 0
    while at < len(found):
        token = found[at]
        if token.kind == "name" and token.text != "*":
            name, behind = _named(found, at)
            words = f"*[@{_PREFIX}:{mark(name)}]"
        elif token.text in ("name", "local-name") and _is_compared(found, at):
            words, behind = f"@{_PREFIX}:{mark(found[at + 4].text[1:-1])}", at + 5
        else:
            at += 1
            continue
        made += expression[done : token.start] + words
        done, at = found[behind - 1].end, behind
    return made + expression[done:]


class _Token(NamedTuple):
    kind: Literal["name", "word", "operator", "literal", "other"]
    """`name`: of elements. `word`: of an attribute, function, axis or variable."""
    text: str
    start: int
    end: int


_SLASHES: Final = ("/", "//")
_PREFIX: Final = next(iter(MARKS))
_TOKEN: Final = re.compile(
    rf"""\s*(?:(?P<literal>'[^']*'|"[^"]*")|(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"""
    rf"""|(?P<word>{NAME}(?::(?!:)(?:{NAME}|\*))?|\*)|(?P<sign>::|//|\.\.|[<>!]=|\S))"""
)
_CALLED: Final = re.compile(r"\s*(?:\(|::)")
_BEFORE_OPERAND: Final = frozenset(["::", "//", "!=", "<=", ">=", *"@([,/|+-=<>$"])


def _tokens(expression: str) -> list[_Token]:
    """Names and operators are told apart by what stands before them (XPath 1.0, 3.7)."""
    found: list[_Token] = []
    for match in _TOKEN.finditer(expression):
        sort = str(match.lastgroup)
        text = match[sort]
        before = [token.text for token in found[-2:]]
        kind: Literal["name", "word", "operator", "literal", "other"] = "literal" if sort == "literal" else "other"
        if sort == "word":
            if found and found[-1].kind != "operator" and before[-1] not in _BEFORE_OPERAND:
                kind = "operator"
            elif before[-1:] in (["@"], ["$"]) or before in (["attribute", "::"], ["namespace", "::"]):
                kind = "word"
            else:
                kind = "word" if _CALLED.match(expression, match.end()) else "name"
        found.append(_Token(kind, text, match.start(sort), match.end()))
    return found


def _named(found: Sequence[_Token], at: int) -> tuple[str, int]:
    """The name that elements go by there, or the key of an entry, and where the next token is."""
    if [token.text for token in found[at : at + 5]] == [ENTRY, "[", "@", "key", "="]:
        end = _behind(found, at + 1)
        value = found[at + 5 : end - 1]
        parts = [token.text[1:-1] for token in value if token.kind == "literal"]
        if parts and all(token.kind == "literal" or token.text in ("concat", "(", ",", ")") for token in value):
            return "".join(parts), end
    return found[at].text, at + 1


def _behind(found: Sequence[_Token], at: int) -> int:
    """Where the next token behind a predicate is."""
    depth = 0
    for number in range(at, len(found)):
        depth += (found[number].text == "[") - (found[number].text == "]")
        if not depth:
            return number + 1
    return len(found)


def _is_compared(found: Sequence[_Token], at: int) -> bool:
    """Whether a function without arguments is compared with a text."""
    texts = [token.text for token in found[at + 1 : at + 4]]
    return texts == ["(", ")", "="] and at + 4 < len(found) and found[at + 4].kind == "literal"
