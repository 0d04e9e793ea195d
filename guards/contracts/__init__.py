"""What an answer must be. The kinds that have a name of their own; a Python type needs none.

Each is loaded when it is first named, since some bring lxml or jsonschema with them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.contracts.grammar import Grammar
    from guards.contracts.json_schema.contract import JsonSchema
    from guards.contracts.rail import Rail
    from guards.contracts.text import Choice, Pattern, Text
    from guards.contracts.xml.contract import RelaxNG, XmlSchema

__all__ = ["Choice", "Grammar", "JsonSchema", "Pattern", "Rail", "RelaxNG", "Text", "XmlSchema"]

_HOMES: Final = {
    "guards.contracts.grammar": ("Grammar",),
    "guards.contracts.json_schema.contract": ("JsonSchema",),
    "guards.contracts.rail": ("Rail",),
    "guards.contracts.text": (
        "Choice",
        "Pattern",
        "Text",
    ),
    "guards.contracts.xml.contract": (
        "RelaxNG",
        "XmlSchema",
    ),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
