"""The words of an XPath (1.0): which of them name elements, and what of it is a plain path.

Only as much as is needed to tell what a path speaks of; whether it is an XPath at all, libxml2 has said before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from guards.reading.answered_xml import ENTRY, NAME

__all__ = ["BARE", "MARKS", "NULL", "Step", "in_marks", "mark", "plain_xpath", "reads_keys", "reads_names"]

MARKS: Final = {"spelled": "urn:output-guards:spelled"}
"""The prefix and namespace of the attributes by which an element has its names."""


NULL: Final = "null"
"""The attribute of an element that is null, or a list of nothing: absence says the same."""


BARE: Final = "bare"
"""That of an element which may be an entry of whatever key."""


def mark(name: str) -> str:
    """The attribute of an element that goes by this name, which may be any text."""
    return f"n{name.encode('utf-8', 'surrogatepass').hex()}"


class Step(NamedTuple):
    """One step of a plain path; `deep` behind `//`. `name`: of an element or attribute, None for any; an entry goes by
    its key. `keyed`: whether predicates tell the elements by their `@key`, None where they may tell others by it."""

    kind: Literal["element", "attribute", "text", "self", "document"]
    name: str | None = None
    deep: bool = False
    keyed: bool | None = False


def plain_xpath(expression: str) -> list[Step] | None:
    """The steps of a path of names, whatever its predicates; None for what is more than that. It begins with a step to
    the document, or to the root where it starts there."""
    found = _tokens(expression)
    steps, at, deep = [Step("self" if found[0].text not in _SLASHES else "document")], 0, False
    while at < len(found):
        if found[at].text in _SLASHES:
            deep = found[at].text == "//"
            at += 1
        elif at:
            return None
        here = found[at : at + 3]
        if here and here[0].kind == "name":
            name, at = _named(found, at)
            step = Step("element", name, deep)
        elif [token.text for token in here] == ["text", "(", ")"]:
            step, at = Step("text", deep=deep), at + 3
        elif len(here) > 1 and here[0].text == "@":
            step, at = Step("attribute", None if here[1].text == "*" else here[1].text, deep), at + 2
        elif here and here[0].text == ".":
            step, at = Step("self", deep=deep), at + 1
        else:
            return None
        behind = at
        while behind < len(found) and found[behind].text == "[":
            behind = _behind(found, behind)
        steps.append(step._replace(keyed=_keyed(found[at:behind])))
        at = behind
    return steps


def in_marks(expression: str) -> str:
    """The same XPath for a tree whose elements have their names as `MARKS`, since an element may have several."""
    found, made, done, at, depth = _tokens(expression), "", 0, 0, 0
    while at < len(found):
        token = found[at]
        depth += (token.text == "[") - (token.text == "]")
        compared = _compared(found, at)
        if compared is not None:
            name, is_same, behind = compared
            words = f"{'boolean' if is_same else 'not'}(@{_PREFIX}:{BARE if name == ENTRY else mark(name)})"
        elif token.text == "*" and _is_key(found, at):
            words, behind = "key", at + 1  # the marks are no attributes of the answer
        elif token.kind == "name":
            named, behind = _named(found, at)
            # What a predicate asks for is not there where it is null; what a path leads to is.
            is_asked = depth and [one.text for one in found[max(at - 2, 0) : at]] != ["self", "::"]
            is_bare = token.text == ENTRY and behind == at + 1
            asked = [f"@{_PREFIX}:{BARE if is_bare else mark(named)}"] if named is not None else []
            asked += [f"not(@{_PREFIX}:{NULL})"] if is_asked else []
            words = f"*[{' and '.join(asked)}]" if asked else "*"
        else:
            at += 1
            continue
        made += expression[done : token.start] + words
        done, at = found[behind - 1].end, behind
    return made + expression[done:]


def reads_names(expression: str) -> bool:
    """Whether names are read as texts, beyond being compared with one: then an element can have but one."""
    found, at = _tokens(expression), 0
    while at < len(found):
        compared = _compared(found, at)
        if compared is None and found[at].kind == "word" and found[at].text in _NAMING:
            return True
        at = compared[2] if compared is not None else at + 1
    return False


def reads_keys(expression: str) -> bool:
    """Whether elements are told by an `@key` in another way than as `entry[@key='...']`."""
    return bool(_keys(_tokens(expression)))


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


def _named(found: Sequence[_Token], at: int) -> tuple[str | None, int]:
    """The name that elements go by there, or the key of an entry, and where the next token is."""
    if [token.text for token in found[at : at + 2]] == [ENTRY, "["]:
        end = _behind(found, at + 1)
        key = _key(found[at + 2 : end - 1])
        if key is not None:
            return key, end
    return None if found[at].text == "*" else found[at].text, at + 1


def _key(predicate: Sequence[_Token]) -> str | None:
    """The text that a predicate asks `@key` to be, on either side of it; None where it asks something else."""
    texts = [token.text for token in predicate]
    if texts[:3] == ["@", "key", "="]:
        value = predicate[3:]
    elif texts[-3:] == ["=", "@", "key"]:
        value = predicate[:-3]
    else:
        return None
    parts = [token.text[1:-1] for token in value if token.kind == "literal"]
    is_text = all(token.kind == "literal" or token.text in ("concat", "(", ",", ")") for token in value)
    return "".join(parts) if parts and is_text else None


def _is_key(found: Sequence[_Token], at: int) -> bool:
    """Whether an attribute is read there that an entry may have."""
    before = [token.text for token in found[max(at - 2, 0) : at]]
    is_attribute = before[-1:] == ["@"] or before == ["attribute", "::"]
    return is_attribute and found[at].text.rpartition(":")[2] in ("key", "*", "node")


def _keys(found: Sequence[_Token]) -> list[int]:
    """Where elements are told by an `@key` in another way than as `entry[@key='...']`."""
    there, at = [], 0
    while at < len(found):
        if _is_key(found, at):
            there.append(at)
        at = _named(found, at)[1] if found[at].kind == "name" else at + 1
    return there


def _keyed(predicates: Sequence[_Token]) -> bool | None:
    keys = _keys(predicates)
    if not keys:
        return False
    inside = [token.text for token in predicates]
    leaves = any(text in ("/", "//", "..", "::") for text in inside)
    return None if leaves or any(inside[:at].count("[") - inside[:at].count("]") > 1 for at in keys) else True


def _behind(found: Sequence[_Token], at: int) -> int:
    """Where the next token behind a predicate is."""
    depth = 0
    for number in range(at, len(found)):
        depth += (found[number].text == "[") - (found[number].text == "]")
        if not depth:
            return number + 1
    return len(found)


def _compared(found: Sequence[_Token], at: int) -> tuple[str, bool, int] | None:
    """Of a comparison of an element's own name with a text, which is an operand of its own: the text, whether it must
    be the same, and where the next token is."""
    for length in _LENGTHS:
        parts = found[at : at + length]
        texts = [token.text for token in parts]
        literal, call = (0, texts[2:]) if parts and parts[0].kind == "literal" else (len(parts) - 1, texts[:-2])
        if call[:1] and call[0] in _NAMING and call[1:] in (["(", ")"], ["(", ".", ")"]):
            sign = texts[1] if literal == 0 else texts[-2]
            around = (found[at - 1].text if at else "[", found[at + length].text if at + length < len(found) else "]")
            if parts[literal].kind == "literal" and sign in ("=", "!=") and _stands_alone(*around):
                return texts[literal][1:-1], sign == "=", at + length
    return None


def _stands_alone(before: str, behind: str) -> bool:
    return before in ("[", "(", ",", "and", "or") and behind in ("]", ")", ",", "and", "or")


_NAMING: Final = ("name", "local-name")
_LENGTHS: Final = (5, 6)
"""Of such a comparison in tokens: a dot may say that the element is meant."""
