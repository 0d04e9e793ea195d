"""Which texts are host names: RFC 1123 for `hostname`, IDNA 2008 (RFC 5890 to 5893) for `idn-hostname`.

The package `idna` knows the labels; which code points are allowed in them is what its release says. What a whole name
adds stands here: its length, and that one label from right to left binds them all.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["is_hostname", "is_idn_hostname"]

_LABEL: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# RFC 3490, section 3.1: what a person may type in place of the full stop.
_SEPARATORS: Final = re.compile("[.\u3002\uff0e\uff61]")
_MOST_CHARACTERS: Final = 253
_MOST_IN_LABEL: Final = 63
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})


def is_hostname(text: str) -> bool:
    """RFC 1123, section 2.1; labels that begin with `xn--` must hold a valid A-label (RFC 5890, section 2.3.2.1)."""
    labels = text.split(".") if len(text) <= _MOST_CHARACTERS else []
    if not labels or not all(map(_LABEL.fullmatch, labels)):
        return False
    encoded = [label for label in labels if label[:4].lower() == "xn--"]
    return not encoded or _is_idna(labels, encoded)


def is_idn_hostname(text: str) -> bool:
    """IDNA 2008: each label a U-label, an A-label, or plain ASCII."""
    labels = _SEPARATORS.split(text) if len(text) <= _MOST_CHARACTERS else []
    # In ASCII it is never shorter, and the time that `idna` takes for a label grows with the square of its length.
    if not labels or max(map(len, labels)) > _MOST_IN_LABEL:
        return False
    other = [label for label in labels if not _LABEL.fullmatch(label) or label[2:4] == "--"]
    return not other or _is_idna(labels, other)


def _is_idna(labels: list[str], judged: list[str]) -> bool:
    """Whether the judged among the labels are those of IDNA, and all of them together a name. The others are ASCII."""
    import idna

    try:
        shown = {label: idna.ulabel(label) for label in judged}
        in_ascii = {label: idna.alabel(shown[label]).decode() for label in judged}
        whole = [shown.get(label, label.lower()) for label in labels]
        if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in "".join(whole)):
            for label in whole:
                idna.check_bidi(label, check_ltr=True)
    except ValueError:  # `IDNAError` is one, and so is what Python's own tables do not know
        return False
    # Older releases of `idna` take an A-label that is not what its U-label is written as.
    canonical = all(not label.isascii() or form == label.lower() for label, form in in_ascii.items())
    return canonical and sum(len(in_ascii.get(label, label)) + 1 for label in labels) - 1 <= _MOST_CHARACTERS
