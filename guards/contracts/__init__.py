"""What an answer must be. The kinds that have a name of their own; a Python type needs none.

Each is loaded when it is first named, since some bring lxml or jsonschema with them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from guards.contracts.json_schema import JsonSchema
    from guards.contracts.rail import Rail
    from guards.contracts.text import Choice, Pattern, Text
    from guards.contracts.xml_schema import RelaxNG, XmlSchema

__all__ = ["Choice", "JsonSchema", "Pattern", "Rail", "RelaxNG", "Text", "XmlSchema"]

_HOMES: Final = {
    "Choice": "text",
    "JsonSchema": "json_schema",
    "Pattern": "text",
    "Rail": "rail",
    "RelaxNG": "xml_schema",
    "Text": "text",
    "XmlSchema": "xml_schema",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
