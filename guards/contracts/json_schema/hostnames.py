"""Which texts are host names: RFC 1123 for `hostname`, IDNA 2008 (RFC 5890 to 5893) for `idn-hostname`.

The derived property of a code point is computed as RFC 5892 defines it, from the Unicode tables of Python and of the
package `regex`, so no IDNA package is needed.
"""

# ruff: noqa: ARG001  # every contextual rule is called with the same two arguments

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

__all__ = ["is_hostname", "is_idn_hostname"]

_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# RFC 3490, section 3.1: what a person may type in place of the full stop.
_SEPARATORS: Final = re.compile("[.\u3002\uff0e\uff61]")
_MOST_CHARACTERS: Final = 253
_MOST_IN_LABEL: Final = 63


def is_hostname(text: str) -> bool:
    """RFC 1123, section 2.1; labels that begin with `xn--` must hold a valid A-label (RFC 5890, section 2.3.2.1)."""
    if len(text) > _MOST_CHARACTERS:
        return False
    labels = text.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return False
    decoded = [_decoded(label) if _is_encoded(label) else label for label in labels]
    return None not in decoded and _bidi_allows([label.lower() for label in decoded if label is not None])


def is_idn_hostname(text: str) -> bool:
    """IDNA 2008: each label a U-label, an A-label, or plain ASCII."""
    labels: list[str] = []
    length = -1
    for label in _SEPARATORS.split(text):
        plain = _plain(label)
        if plain is None:
            return False
        unicode_form, octets = plain
        labels.append(unicode_form)
        length += octets + 1
    return length <= _MOST_CHARACTERS and _bidi_allows(labels)


def _plain(label: str) -> tuple[str, int] | None:
    """The label in Unicode and its length as ASCII; None for one that is not allowed."""
    if len(label) > _MOST_IN_LABEL:  # its ASCII form is never shorter
        return None
    if label.isascii():
        if not _LABEL.fullmatch(label):
            return None
        if _is_encoded(label):
            decoded = _decoded(label)
            return None if decoded is None else (decoded, len(label))
        return None if label[2:4] == "--" else (label.lower(), len(label))
    if not _is_u_label(label):
        return None
    octets = len("xn--") + len(label.encode("punycode"))
    return (label, octets) if octets <= _MOST_IN_LABEL else None


def _is_encoded(label: str) -> bool:
    return label[:4].lower() == "xn--"


def _decoded(label: str) -> str | None:
    """The U-label of an A-label; None where it has none, or does not encode to itself again."""
    encoded = label[4:].lower()
    try:
        decoded = encoded.encode("ascii").decode("punycode")
        again = decoded.encode("punycode").decode("ascii")
    except UnicodeError:
        return None
    return decoded if not decoded.isascii() and again == encoded and _is_u_label(decoded) else None


def _is_u_label(label: str) -> bool:
    """RFC 5891, sections 4.2.2 and 4.2.3, without the bidi rule (which needs the whole name)."""
    if unicodedata.normalize("NFC", label) != label:
        return False
    if label.startswith("-") or label.endswith("-") or label[2:4] == "--":
        return False
    if unicodedata.category(label[0]).startswith("M"):
        return False
    return all(_allowed(label, at) for at in range(len(label)))


# RFC 5892, section 2.6.
_PVALID: Final = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")
_NOT_VALID: Final = frozenset("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b")
_LETTER_DIGITS: Final = frozenset({"Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"})


def _allowed(label: str, at: int) -> bool:
    char = label[at]
    if char in _CONTEXT:
        return _CONTEXT[char](label, at)
    return char in _PVALID or (char not in _NOT_VALID and _is_pvalid(char))


@lru_cache(maxsize=4096)
def _is_pvalid(char: str) -> bool:
    """RFC 5892, section 3, less the exceptions and the contextual rules."""
    if char.isascii():
        return char.islower() or char.isdigit() or char == "-"
    category = unicodedata.category(char)
    if category not in _LETTER_DIGITS:
        return False
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    return folded == char and not _tables()["ignorable"].match(char)


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    """The Unicode properties that Python's own tables lack."""
    import regex

    patterns = {
        # Default ignorables, blocks of combining marks for symbols and of musical notation, and old Hangul letters
        # (RFC 5892, sections 2.3, 2.4 and 2.9).
        "ignorable": r"[\p{DI}\p{White_Space}\p{NChar}\u20d0-\u20ff\U0001d100-\U0001d24f\p{hst=L}\p{hst=V}\p{hst=T}]",
        "greek": r"\p{sc=Greek}",
        "hebrew": r"\p{sc=Hebrew}",
        "kana": r"[\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Han}]",
        "before_joiner": r"[\p{jt=L}\p{jt=D}]\p{jt=T}*",
        "after_joiner": r"\p{jt=T}*[\p{jt=R}\p{jt=D}]",
    }
    return {name: regex.compile(pattern) for name, pattern in patterns.items()}


# The contextual rules of RFC 5892, appendix A, each with the label and where the character stands in it.


def _after_virama(label: str, at: int) -> bool:
    return at > 0 and unicodedata.combining(label[at - 1]) == 9


def _zero_width_non_joiner(label: str, at: int) -> bool:
    if _after_virama(label, at):
        return True
    # Looked for from the joiner outwards, over the transparent letters only.
    transparent = at
    tables = _tables()
    joined = False
    while transparent > 0 and not joined:
        transparent -= 1
        joined = tables["before_joiner"].fullmatch(label, transparent, at) is not None
    return joined and tables["after_joiner"].match(label, at + 1) is not None


def _middle_dot(label: str, at: int) -> bool:
    return label[at - 1 : at] == "l" and label[at + 1 : at + 2] == "l"


def _keraia(label: str, at: int) -> bool:
    return _tables()["greek"].match(label, at + 1) is not None


def _geresh(label: str, at: int) -> bool:
    return at > 0 and _tables()["hebrew"].match(label, at - 1) is not None


def _katakana_middle_dot(label: str, at: int) -> bool:
    return _tables()["kana"].search(label.replace("\u30fb", "")) is not None


def _arabic_digit(label: str, at: int) -> bool:
    return not any("\u06f0" <= char <= "\u06f9" for char in label)


def _extended_arabic_digit(label: str, at: int) -> bool:
    return not any("\u0660" <= char <= "\u0669" for char in label)


_CONTEXT: Final = {
    "\u200c": _zero_width_non_joiner,
    "\u200d": _after_virama,
    "\u00b7": _middle_dot,
    "\u0375": _keraia,
    "\u05f3": _geresh,
    "\u05f4": _geresh,
    "\u30fb": _katakana_middle_dot,
    **{chr(point): _arabic_digit for point in range(0x660, 0x66A)},
    **{chr(point): _extended_arabic_digit for point in range(0x6F0, 0x6FA)},
}


def _bidi_allows(labels: list[str]) -> bool:
    """RFC 5893, section 2: if any label has right-to-left characters, every label keeps the rule."""
    classes = [[unicodedata.bidirectional(char) for char in label] for label in labels]
    if not any(kind in {"R", "AL", "AN"} for label in classes for kind in label):
        return True
    return all(_bidi_rule(label) for label in classes)


def _bidi_rule(classes: list[str]) -> bool:
    present = set(classes)
    last = next((kind for kind in reversed(classes) if kind != "NSM"), "")
    if classes[0] == "L":
        return present <= {"L", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"} and last in {"L", "EN"}
    if classes[0] in {"R", "AL"}:
        allowed = present <= {"R", "AL", "AN", "EN", "ES", "CS", "ET", "ON", "BN", "NSM"}
        return allowed and last in {"R", "AL", "EN", "AN"} and not {"EN", "AN"} <= present
    return False
