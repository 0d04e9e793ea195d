"""What a streamed XML answer shows: its value by the contract's rule, grown by each element that closes."""

from __future__ import annotations

from typing import Any

from lxml import etree

from guards.contracts.live import SHOWN_AT_LEAST, Live, Step
from guards.events import StreamEvent
from guards.reading.xml_document import local_name
from guards.reading.xml_shape import SchemaShape, child_key, value_of

__all__ = ["XmlLive"]


class XmlLive(Live):
    """Children of the root, one by one. Only well-formed text is followed; the whole is read at the end."""

    def __init__(self, schema: SchemaShape, call: str) -> None:
        super().__init__(call)
        self._schema = schema
        self._waiting = ""
        self._parser: Any = None
        self._root: Any = None
        self._depth = 0
        self._data: dict[str, Any] = {}
        self._unshown = 0
        """Elements that closed since the last partial value."""
        self._weight = 0
        self._path = ""
        """Of the last of them."""
        self._over = False

    def feed(self, piece: str) -> list[Step]:
        if self._over:
            return []
        if self._parser is None:
            self._waiting += piece
            start = self._start()
            if start < 0:
                return []
            # From the root's own tag on: no document type ever reaches the parser.
            self._parser = etree.XMLPullParser(
                events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
            )
            piece, self._waiting = self._waiting[start:], ""
        try:
            self._parser.feed(piece.encode("utf-8", "replace"))
            return [(None, event) for event in self._seen()]
        except etree.XMLSyntaxError:
            self._over = True
            return []

    def _start(self) -> int:
        places = [self._waiting.find(f"<{name}") for name in self._schema.roots]
        found = min((place for place in places if place >= 0), default=-1)
        if found < 0:
            self._waiting = self._waiting[-200:]
        elif "<!DOCTYPE" in self._waiting[:found].upper():
            self._over = True  # whether that is allowed is for the reading of the whole
        return found if not self._over else -1

    def _seen(self) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        for event, element in self._parser.read_events():
            if event == "start":
                self._depth += 1
                if self._depth == 1:
                    self._root = element
            else:
                self._depth -= 1
                if self._depth == 1:
                    events += self._closed(element)
                elif self._depth == 0:
                    self._over = True
                    events += self._grown() if self._unshown else ()
        return events

    def _closed(self, element: Any) -> list[StreamEvent]:
        declared = self._schema.roots.get(local_name(self._root))
        if declared is None:
            return []
        name = child_key(element, declared.shape)
        known = declared.shape.children.get(name)
        if known is None:
            return []
        shape, repeats = known
        far: list[Any] = []
        value = value_of(element, shape, self._schema, far)
        if far:
            return []
        path = f"/{local_name(self._root)}/{local_name(element)}"
        events: list[StreamEvent] = []
        if repeats:
            items = self._data.setdefault(name, [])
            items.append(value)
            if len(items) > 1:
                path += f"[{len(items)}]"
            if len(declared.shape.children) == 1:
                events.append(self._item(value, path))
        else:
            self._data[name] = value
        self._unshown, self._weight, self._path = self._unshown + 1, self._weight + 1, path
        return [*events, *(self._grown() if self._unshown * SHOWN_AT_LEAST >= self._weight else ())]

    def _grown(self) -> list[StreamEvent]:
        """What there is so far, free to be kept."""
        self._unshown = 0
        repeated = self._schema.roots[local_name(self._root)].shape.children
        copied = {name: list(held) if repeated[name][1] else held for name, held in self._data.items()}
        return [self._partial(copied, self._path)]
