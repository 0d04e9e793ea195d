"""Parts of a JSON answer that are asked for alone: in one object, whose keys are their JSON Pointers."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from guards.contracts.delivered import out_of_range
from guards.contracts.json_schema.part import is_named, part_schema, with_definitions
from guards.contracts.parts import MUST_GO, Merged, Parted, holder, put_in
from guards.findings import Finding, join_pointer, parse_pointer
from guards.outgoing.quoting import fence
from guards.reading.document import Document, JsonDocument, Place, at
from guards.reading.guide import guide_of
from guards.reading.json_reader import read_json
from guards.reading.numbers import dumps
from guards.reading.reading import Dial, Limits, Reading

__all__ = ["JsonParts"]


class JsonParts(Parted):
    """One answer by a JSON Schema."""

    def __init__(self, schema: dict[str, Any], document: Document) -> None:
        self._schema = schema
        self._document = document

    def part_of(self, finding: Finding) -> str:
        path = finding.path
        if finding.code in MUST_GO:
            path = holder(path)
        while path and not self._may_stand(path):
            path = holder(path)
        return path

    def _may_stand(self, path: str) -> bool:
        """Whether the contract has a place for the part, by that name, and the answer something that holds it.

        Under a name that the answer has chosen it may be the name that is wrong, which a part cannot change.
        """
        place, schema = self._place(path), self._schema
        return bool(place) and is_named(schema, place) and part_schema(schema, place) is not False

    def shown(self, paths: Sequence[str]) -> str:
        there = {path: place for path in paths if (place := self._document.place(path)) is not None}
        return dumps({path: at(self._document.data, place) for path, place in there.items()}, ensure_ascii=False)

    def instruction(self, paths: Sequence[str]) -> str:
        schema = fence(json.dumps(self._reply_schema(paths), ensure_ascii=False))
        return f"Answer with one JSON object that holds these parts only, by their paths. Its JSON Schema:\n{schema}"

    def merged(self, paths: Sequence[str], reply: str, dial: Dial, limits: Limits) -> Merged | None:
        given = _given(paths, reply, dial, limits)
        if given is None:
            return None
        data = copy.deepcopy(self._document.data)
        repairs = []
        for path in paths:
            *above, key = self._place(path)
            there = self._document.place(path)
            repairs.append(put_in(path, None if there is None else at(self._document.data, there), given[path]))
            at(data, above)[key] = given[path]
        return dumps(data, ensure_ascii=False), tuple(repairs)

    def _reply_schema(self, paths: Sequence[str]) -> dict[str, Any]:
        properties = {}
        for path in paths:
            said = part_schema(self._schema, self._place(path))
            properties[path] = {} if said is None else said
        schema = {"type": "object", "properties": properties, "required": list(paths)}
        return with_definitions(schema, self._schema)

    def _place(self, path: str) -> Place:
        """Where the part stands, or would: by its key in the object that holds it; () where nothing could hold it."""
        if not path:
            return ()
        place = self._document.place(path)
        if place is not None:
            return place
        *_, last = parse_pointer(path)
        around = self._document.place(holder(path))
        return (*around, last) if around is not None and isinstance(at(self._document.data, around), dict) else ()


def _given(paths: Sequence[str], reply: str, dial: Dial, limits: Limits) -> dict[str, Any] | None:
    """The parts in the reply by their paths, if it holds them all."""

    def check(document: JsonDocument, _: str) -> Reading[Any]:
        found = out_of_range(document) or tuple(_missing(paths, document.data))
        return Reading(None if found else document.data, document, found)

    reading = read_json(reply, dial, limits, check, lambda: guide_of({"type": "object", "required": list(paths)}))
    return reading.value if reading.ok else None


def _missing(paths: Sequence[str], data: Any) -> list[Finding]:
    if not isinstance(data, dict):
        return [Finding("schema.type", "must be an object", expected="object", actual=data)]
    return [
        Finding("schema.required", "is required but missing", join_pointer((path,)))
        for path in paths
        if path not in data
    ]
