"""Plain data that a model answered in XML: the data counts, and the tree says how a place in it is written.

The counterpart of `XmlDocument`, where the tree counts and the data is read off it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from guards.findings import Finding
from guards.reading.document import Document, Place
from guards.reading.xml_document import element_path, root_of, select_nodes, source_of, without_namespaces

__all__ = ["ENTRY", "AnsweredXml", "Written", "is_name", "step"]

Written = tuple[Any, Mapping[Place, str]]
"""A root element, and the XPath of every place of the data in it."""
Respelled = Sequence[tuple[Place, Sequence[str]]]


class AnsweredXml(Document):
    """The data, the tree that it was read from, and the paths of its places.

    `faults` are what the tree holds beyond the data (attributes, text between elements); they stand until the model
    answers again. `write` makes a tree of changed data, so that paths stay right after an edit.
    """

    __slots__ = ("_paths", "_places", "faults", "root", "write")
    format: ClassVar[str] = "xml"

    def __init__(
        self, data: Any, written: Written, faults: tuple[Finding, ...], write: Callable[[Any], Written]
    ) -> None:
        super().__init__(data)
        self.root, self._paths = written
        self._places = {path: place for place, path in self._paths.items()}
        self.faults = faults
        self.write = write

    def __reduce__(self) -> tuple[Any, ...]:
        # lxml's elements do not pickle; their source does.
        return _rebuilt, (self.data, source_of(self.root), dict(self._paths), self.faults, self.write)

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

    def place(self, path: str) -> Place | None:
        return self._places.get(path)

    def select(self, expression: str, respelled: Respelled = ()) -> list[Place]:
        """As in `Document`. `respelled`: places that go by other names, too, the inner before the outer; an XPath may
        use any of them."""
        if not respelled:
            return self._at(select_nodes(self.root, expression))
        root = without_namespaces(copy.deepcopy(self.root))
        paths = dict(zip(root.iter("*"), map(element_path, self.root.iter("*")), strict=True))
        for place, names in respelled:
            for element in [one for one, path in paths.items() if path in self._elements(place)]:
                for name in filter(is_name, names):
                    paths |= _doubled(element, name, paths)
        return self._at(select_nodes(root, expression, paths))

    def _at(self, paths: Iterable[str]) -> list[Place]:
        """The places of nodes; the text of an element is its value."""
        found = (self._places.get(path.removesuffix("/text()")) for path in paths)
        return list(dict.fromkeys(place for place in found if place is not None))

    def _elements(self, place: Place) -> set[str]:
        """The paths of the elements that make up a place: of a list those of its items."""
        items = {path for at, path in self._paths.items() if at[:-1] == place and at and isinstance(at[-1], int)}
        return items or {path for path in (self._paths.get(place),) if path is not None}

    def _changed(self, data: Any) -> AnsweredXml:
        return AnsweredXml(data, self.write(data), self.faults, self.write)


def _doubled(element: Any, name: str, paths: Mapping[Any, str]) -> dict[Any, str]:
    """A copy of an element under another name, put behind its siblings; its elements have the paths of the first."""
    double = copy.deepcopy(element)
    double.tag, double.tail = name, None
    element.getparent().append(double)
    return {copied: paths[one] for one, copied in zip(element.iter("*"), double.iter("*"), strict=True)}


def _rebuilt(
    data: Any, source: str, paths: Mapping[Place, str], faults: tuple[Finding, ...], write: Callable[[Any], Written]
) -> AnsweredXml:
    return AnsweredXml(data, (root_of(source), paths), faults, write)


ENTRY: Final = "entry"
"""The element of a member whose key is no XML name: `<entry key="...">`."""
# XML 1.0, productions 4 and 4a, less the colon.
_START: Final = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME: Final = re.compile(f"[{_START}][{_START}\\-.0-9\u00b7\u0300-\u036f\u203f\u2040]*\\Z")


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
