r"""Which properties `\p{…}` may name in an ECMA-262 pattern, and what they are called in the package `regex`.

The tables are those of ECMA-262, 22.2.1 (tables 67 to 70: General_Category values and their aliases, binary
properties). Scripts are left to `regex`, which knows those of its Unicode version.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["property_of"]

_CATEGORIES: Final = """
C Other|Cc Control cntrl|Cf Format|Cn Unassigned|Co Private_Use|Cs Surrogate|L Letter|LC Cased_Letter
|Ll Lowercase_Letter|Lm Modifier_Letter|Lo Other_Letter|Lt Titlecase_Letter|Lu Uppercase_Letter|M Mark Combining_Mark
|Mc Spacing_Mark|Me Enclosing_Mark|Mn Nonspacing_Mark|N Number|Nd Decimal_Number digit|Nl Letter_Number
|No Other_Number|P Punctuation punct|Pc Connector_Punctuation|Pd Dash_Punctuation|Pe Close_Punctuation
|Pf Final_Punctuation|Pi Initial_Punctuation|Po Other_Punctuation|Ps Open_Punctuation|S Symbol|Sc Currency_Symbol
|Sk Modifier_Symbol|Sm Math_Symbol|So Other_Symbol|Z Separator|Zl Line_Separator|Zp Paragraph_Separator
|Zs Space_Separator
"""

_BINARY: Final = """
ASCII_Hex_Digit AHex|Alphabetic Alpha|Bidi_Control Bidi_C|Bidi_Mirrored Bidi_M|Case_Ignorable CI|Cased
|Changes_When_Casefolded CWCF|Changes_When_Casemapped CWCM|Changes_When_Lowercased CWL
|Changes_When_NFKC_Casefolded CWKCF|Changes_When_Titlecased CWT|Changes_When_Uppercased CWU|Dash
|Default_Ignorable_Code_Point DI|Deprecated Dep|Diacritic Dia|Emoji|Emoji_Component EComp|Emoji_Modifier EMod
|Emoji_Modifier_Base EBase|Emoji_Presentation EPres|Extended_Pictographic ExtPict|Extender Ext|Grapheme_Base Gr_Base
|Grapheme_Extend Gr_Ext|Hex_Digit Hex|IDS_Binary_Operator IDSB|IDS_Trinary_Operator IDST|ID_Continue IDC|ID_Start IDS
|Ideographic Ideo|Join_Control Join_C|Logical_Order_Exception LOE|Lowercase Lower|Math|Noncharacter_Code_Point NChar
|Pattern_Syntax Pat_Syn|Pattern_White_Space Pat_WS|Quotation_Mark QMark|Radical|Regional_Indicator RI
|Sentence_Terminal STerm|Soft_Dotted SD|Terminal_Punctuation Term|Unified_Ideograph UIdeo|Uppercase Upper
|Variation_Selector VS|White_Space space|XID_Continue XIDC|XID_Start XIDS
"""


def _table(text: str) -> dict[str, str]:
    """Every name and alias of a row, leading to the row's first name."""
    rows = [row.split() for row in text.replace("\n", " ").split("|")]
    return {name: row[0] for row in rows for name in row}


_CATEGORY: Final = _table(_CATEGORIES)
_PROPERTY: Final = _table(_BINARY)
_SPECIAL: Final = {"Any": r"\x00-\U0010ffff", "ASCII": r"\x00-\x7f", "Assigned": r"\P{Cn}"}
_SCRIPT: Final = re.compile("[A-Za-z]+(?:_[A-Za-z]+)*")
_KEYS: Final = {
    "General_Category": "gc",
    "gc": "gc",
    "Script": "sc",
    "sc": "sc",
    "Script_Extensions": "scx",
    "scx": "scx",
}


def property_of(name: str) -> str | None:
    r"""The members that `\p{name}` stands for, as text inside a set of `regex`; None for a name that ECMA-262 has not.

    The names of scripts are only looked at for their shape: `regex` refuses those that it does not know.
    """
    if "=" not in name:
        category = _CATEGORY.get(name)
        if category is not None:
            return f"\\p{{gc={category}}}"
        known = _PROPERTY.get(name)
        return f"\\p{{{known}}}" if known else _SPECIAL.get(name)
    key, _, value = name.partition("=")
    kind = _KEYS.get(key)
    if kind == "gc":
        return f"\\p{{gc={_CATEGORY[value]}}}" if value in _CATEGORY else None
    return f"\\p{{{kind}={value}}}" if kind and _SCRIPT.fullmatch(value) else None
