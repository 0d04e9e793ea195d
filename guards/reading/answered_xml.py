"""Plain data that a model answered in XML: the data counts, and the tree says how a place in it is written.

The counterpart of `XmlDocument`, where the tree counts and the data is read off it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Final, NamedTuple

from guards.findings import Finding
from guards.reading.document import Document, Place
from guards.reading.xml_document import root_of, select_nodes, source_of

__all__ = ["ENTRY", "NAME", "AnsweredXml", "Written", "is_name", "step"]


class Written(NamedTuple):
    """A root element, the XPath of every place of the data in it, and the places whose keys the schema has not by
    name."""

    root: Any
    paths: Mapping[Place, str]
    free: AbstractSet[Place] = frozenset()


class AnsweredXml(Document):
    """The data, the tree that it was read from, and the paths of its places.

    `faults` are what the tree holds beyond the data (attributes, text between elements); they stand until the model
    answers again. `write` makes a tree of changed data, so that paths stay right after an edit.
    """

    __slots__ = ("_paths", "_places", "faults", "free", "root", "write")
    format: ClassVar[str] = "xml"

    def __init__(
        self, data: Any, written: Written, faults: tuple[Finding, ...], write: Callable[[Any], Written]
    ) -> None:
        super().__init__(data)
        self.root, self._paths, self.free = written
        self._places = {path: place for place, path in self._paths.items()}
        self.faults = faults
        self.write = write

    def __reduce__(self) -> tuple[Any, ...]:
        # lxml's elements do not pickle; their source does.
        written = Written(source_of(self.root), self._paths, self.free)
        return _rebuilt, (self.data, written, self.faults, self.write)

    def source(self) -> str:
        return source_of(self.root)

    def path(self, place: Place) -> str:
        known = place
        while known not in self._paths and known:
            known = known[:-1]
        path = self._paths[known]
        for part in place[len(known) :]:
            # What is not there, where it should stand; a whole list goes by the name of its elements.
            path += f"[{part + 1}]" if isinstance(part, int) else step(part)
        return path

    @property
    def places(self) -> AbstractSet[Place]:
        """All places of the data."""
        return self._paths.keys()

    def place(self, path: str) -> Place | None:
        return self._places.get(path)

    def select(self, expression: str) -> list[Place]:
        """The places that an XPath names as the document is written."""
        # The text of an element is its value.
        found = (self._places.get(path.removesuffix("/text()")) for path in select_nodes(self.root, expression))
        return list(dict.fromkeys(place for place in found if place is not None))

    def _changed(self, data: Any) -> AnsweredXml:
        return AnsweredXml(data, self.write(data), self.faults, self.write)


def _rebuilt(data: Any, written: Written, faults: tuple[Finding, ...], write: Callable[[Any], Written]) -> AnsweredXml:
    return AnsweredXml(data, written._replace(root=root_of(written.root)), faults, write)


ENTRY: Final = "entry"
"""The element of a member whose key is no XML name: `<entry key="...">`."""
# XML 1.0, productions 4 and 4a, less the colon.
_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
NAME: Final = f"[{_START}][{_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*"
"""The pattern of an element's name."""
_NAME: Final = re.compile(f"{NAME}\\Z")


def is_name(key: Any) -> bool:
    """Whether a key can be an element's name; the library's own `entry` and XML's reserved names cannot."""
    if not isinstance(key, str) or key == ENTRY or key.lower().startswith("xml"):
        return False
    return _NAME.match(key) is not None


def step(key: str) -> str:
    """The step of an XPath to the member of that key."""
    if is_name(key):
        return f"/{key}"
    if "'" in key and '"' in key:  # XPath 1.0 has no escapes
        parts = ', "\'", '.join(f"'{part}'" for part in key.split("'"))
        return f"/{ENTRY}[@key=concat({parts})]"
    quote = '"' if "'" in key else "'"
    return f"/{ENTRY}[@key={quote}{key}{quote}]"
