"""What the backslashes of a broken JSON document mean: escapes, or the marks of paths, formulas and patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from guards.reading.json_pairs import CLOSERS

if TYPE_CHECKING:
    from guards.reading.json_notes import Notes

__all__ = ["in_a_path", "unescaped"]

_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|(\r?\n)|(.)|\Z)", re.DOTALL
)
_PLAIN: Final = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# Commands of LaTeX and of its common packages that begin as the escapes \n, \r, \t do, but those that are a word less
# their first letter.
_COMMAND: Final = re.compile(
    r"\\(?:n(?:abla|atural|cong|e|earrow|eg|egmedspace|egthickspace|egthinspace|eq|ewcommand|ewenvironment|ewline"
    r"|ewpage|ewtheorem|exists|geq|geqq|geqslant|gtr|i|leftarrow|Leftarrow|leftrightarrow|Leftrightarrow|leq|leqq"
    r"|leqslant|mid|obreak|ocite|oindent|olimits|olinebreak|olinkurl|onumber|opagebreak|ormalfont|ormalsize|ot|otag|otin"
    r"|parallel|prec|preceq|rightarrow|Rightarrow|shortmid|shortparallel|sim|subset|subseteq|subseteqq|succ|succeq|um"
    r"|umberwithin|umrange|supset|supseteq|supseteqq|triangleleft|trianglelefteq|triangleright|trianglerighteq|u|vdash"
    r"|vDash|Vdash|VDash|warrow)"
    r"|r(?:aggedbottom|aggedleft|aggedright|aise|aisebox|angle|brace|brack|ceil|e|eal|ef|elax|enewcommand"
    r"|enewenvironment|esizebox|floor|group|hd|ho|ight|ightarrow|ightarrowtail|ightharpoondown|ightharpoonup"
    r"|ightleftarrows|ightleftharpoons|ightrightarrows|ightsquigarrow|ightthreetimes|isingdotseq|lap|m|mfamily"
    r"|moustache|oman|omannumeral|oot|otatebox|owcolor|times|ule|vert|Vert)"
    r"|t(?:ableofcontents|abular|abularnewline|ag|an|anh|au|binom|ext[A-Za-z]*|frac|hanks|hepage|herefore|heta"
    r"|hickapprox|hicksim|hickspace|hinspace|hispagestyle|ikz|ikzset|ilde|imes|iny|itle|o|oday|op|oprule|riangle"
    r"|riangledown|riangleleft|rianglelefteq|riangleq|riangleright|rianglerighteq|t|tfamily|woheadleftarrow"
    r"|woheadrightarrow))(?![A-Za-z])"
)
# Line breaks and the like, one behind the other: they are all escapes, or none is.
_RUN: Final = re.compile(rf"(?:(?!{_COMMAND.pattern})\\[nrt])+")
_DRIVE: Final = r"(?:(?<![A-Za-z0-9])[A-Za-z]:|(?<![\w\\])\\\\(?=\w)|%\w+%)"
_PATH: Final = re.compile(rf"{_DRIVE}(?:(?<=\\)|[\\/]|\Z)\S*\Z")
_PATH_BEFORE: Final = re.compile(rf"{_DRIVE}(?:(?<=\\)|[\\/])")
_HOST: Final = re.compile(r"[\w.-]+\\(?!\\)")
_PATTERN: Final = re.compile(r"\\[dDwWsSB](?![A-Za-z])")
_ESCAPED_MARK: Final = re.compile(r"\\[.+*?()\[\]{}^$|-]")  # in a pattern, in Markdown or around a formula
# What a line begins with, and hardly what a name or a pattern goes on with.
_NEW_LINE: Final = re.compile(r"[A-Z]|\s|\\(?:[nrt(\[]|\$\d|\*+\w)|[-*>]\s|\#+\s|\d+[.)]\s")
_WORD_BEHIND: Final = re.compile(r"[a-z][A-Za-z]")
_END_OF_SENTENCE: Final = re.compile(r"[^\s./\\][.,:;!?][\"')*_`]*(?:\\[nrt])*\Z")
_MOST_BEFORE: Final = 200


def unescaped(content: str, notes: Notes, *, cut: bool = False) -> str:
    r"""The text that a string's content stands for; what JSON does not have is noted.

    A text with an escape that means nothing (`C:\app`, `\alpha`, `\d`) was never escaped: of the others it keeps those
    that nobody means in a text (`\b`, `\f`), two backslashes are two, and a line break is one only where no name or
    pattern goes on behind it.
    """
    if _CONTROL.search(content):
        notes.note("json.control", "line breaks or control characters in a text were not escaped")
    if "\\" not in content:
        return content
    odd = False
    raw = any(_means_nothing(found, len(content), cut) for found in _ESCAPE.finditer(content))

    decided, literal = 0, False  # up to where, and how

    def is_literal(at: int) -> bool:
        nonlocal decided, literal
        if at >= decided:
            run = _RUN.match(content, at)
            literal = run is None or _literal(content, run, notes)
            decided = run.end() if run else at + 2
        return literal

    def meant(found: re.Match[str]) -> str:
        nonlocal odd
        braces, four, two, eight, newline, other = found.groups()
        if four:
            return chr(int(four, 16))
        digits = braces or two or eight
        if digits and int(digits, 16) <= 0x10FFFF and not raw:
            odd = True
            return chr(int(digits, 16))
        if raw and other == "\\":
            notes.doubtful = notes.doubtful or _may_be_one(content, found)
            return found[0]
        if other in _PLAIN and not (raw and other in "bfnrt" and is_literal(found.start())):
            return _PLAIN[other]
        odd = True
        if newline:
            return ""
        if other is None and not digits:
            # Before the quote that must be the last one: that of a path, else a backslash or a slip.
            notes.doubtful = notes.doubtful or not (cut or _PATH_BEFORE.search(content[-_MOST_BEFORE:]))
            return "" if cut else "\\"
        if cut and found.end() + 8 >= len(content) and (other or "") in "uxU":
            return ""
        # A quote needs no escape in quotes of another kind; any other mark keeps its backslash: "\d" is a pattern.
        return other if other in CLOSERS else found[0]

    text = _ESCAPE.sub(meant, content)
    if odd:
        notes.note("json.escape", "escapes that JSON does not have were read as meant")
    # Halves of a pair that stood as two escapes are one character.
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def in_a_path(before: str) -> bool:
    """Whether a backslash behind this text is one of a path of Windows."""
    return _PATH.search(before[-_MOST_BEFORE:]) is not None


def _means_nothing(found: re.Match[str], length: int, cut: bool) -> bool:
    *known, other = found.groups()
    if any(known):
        return False
    if other is None:
        return not cut
    return other not in _PLAIN and other not in CLOSERS and not (cut and other in "uxU" and found.end() + 8 >= length)


def _may_be_one(content: str, found: re.Match[str]) -> bool:
    """Whether two backslashes, in a text that was never escaped, may be one that was."""
    end = found.end()
    if content.startswith("\\\\", end):
        return True
    starts = found.start() == 0 or content[found.start() - 1] in " \n\t(\"'"
    return content[end : end + 1].isalnum() and not (starts and _HOST.match(content, end))


def _literal(content: str, run: re.Match[str], notes: Notes) -> bool:
    """Whether the escapes of line breaks or their like are none, in a text that was never escaped."""
    at, behind = run.span()
    line = content[max(at - _MOST_BEFORE, 0) : at]
    before = line.rpartition(" ")[2]
    upper, new_line = content[behind : behind + 1].isupper(), _NEW_LINE.match(content, behind)
    if path := in_a_path(before) or _PATTERN.search(before) or _PATTERN.match(content, behind):
        paragraph = behind > at + 2 and (path is True or _END_OF_SENTENCE.search(before) is not None)
        notes.doubtful = notes.doubtful or upper or paragraph or (path is True and new_line is not None)
        return True
    if not upper and not _END_OF_SENTENCE.search(before) and _PATH_BEFORE.search(line):
        notes.doubtful = True
    elif not new_line:
        marked = _ESCAPED_MARK.search(before) or _ESCAPED_MARK.match(content, behind)
        notes.doubtful = notes.doubtful or marked is not None or _may_be_a_name(content, behind, before)
    return False


def _may_be_a_name(content: str, at: int, before: str) -> bool:
    """Whether the letter of an escape and what stands there, behind it, may be one word."""
    if not content[at : at + 1].islower() or _END_OF_SENTENCE.search(before):
        return False
    return bool(_WORD_BEHIND.match(content, at)) or ("\\" in before and before[-1].isalnum())
