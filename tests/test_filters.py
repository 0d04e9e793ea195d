"""Filters of paths: the same parts are judged in whichever accepted form an answer wrote what a filter asks for."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from typing_extensions import Annotated

from guards import Finding, check, validate
from guards.contracts import JsonSchema
from guards.contracts.typed.contract import Typed
from guards.reading.numbers import Comparable


@check
def no_evil(value):
    return Finding("test.evil", "evil") if "EVIL" in str(value) else None


class Priced(BaseModel):
    price: Decimal
    note: str


class Noted(BaseModel):
    id: UUID
    when: datetime
    note: str


class Crossed(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    a: str = Field(alias="b")
    b: str = Field(alias="c")


PRICES = JsonSchema(
    {"type": "array", "items": {"properties": {"price": {"type": "number"}, "note": {"type": "string"}}}}
)
UUID_TEXT = "6f1c2b1e-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize(
    "path",
    [
        *("$[?@.price>1000].note", "$[?1000<@.price].note", "$[?@.price>=1000.5].note", "$[?@.price!=1000].note"),
        *("$[?@.price==1500].note", "$[?@.price<=1500.0].note", "$[?!(@.price<1500)].note"),
    ],
)
@pytest.mark.parametrize("price", ["1500", "1500.0", "1.5e3", '"1500"', '"1500.00"', '"15E+2"'])
def test_a_decimal_is_a_number_however_it_was_written(price, path):
    """A filter compares what is delivered, be it a number or a text in the answer."""
    outcome = validate(f'[{{"price": {price}, "note": "EVIL"}}]', list[Priced], guards=[no_evil.on(path)])
    assert [finding.path for finding in outcome.findings] == ["/0/note"]


@pytest.mark.parametrize("contract", [list[Priced], PRICES])
@pytest.mark.parametrize(
    ("digits", "refused"), [("1000.0000000000000000001", True), ("999.9999999999999999999", False)]
)
def test_digits_that_a_float_has_not_count(contract, digits, refused):
    """A number beside the bound that rounds to it is on its own side of it."""
    answer = f'[{{"price": {digits}, "note": "EVIL"}}]'
    assert validate(answer, contract, guards=[no_evil.on("$[?@.price>1000].note")]).ok is not refused


@given(
    st.decimals(allow_nan=False, allow_infinity=False), st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
def test_a_number_compares_as_it_is_written(written, other):
    """With floats by their digits, with whole numbers exactly, and on either side."""
    told = Decimal(repr(other))
    one = Comparable(written)
    assert ((one < other), (one == other), (one > other)) == (written < told, written == told, written > told)
    assert ((other > one), (other == one), (other < one)) == (told > written, told == written, told < written)


@pytest.mark.parametrize("id_", [UUID_TEXT, UUID_TEXT.upper(), UUID_TEXT.replace("-", ""), f"urn:uuid:{UUID_TEXT}"])
@pytest.mark.parametrize("when", ["2024-05-31T10:00:00Z", "2024-05-31T10:00:00+00:00", "2024-05-31 10:00:00.0Z"])
@pytest.mark.parametrize("path", [f"$[?@.id=='{UUID_TEXT}'].note", "$[?@.when=='2024-05-31T10:00:00Z'].note"])
def test_what_became_of_a_text_may_be_asked_for(path, when, id_):
    """An id in capitals and a time in other signs are what pydantic would write, too."""
    answer = json.dumps([{"id": id_, "when": when, "note": "EVIL"}])
    outcome = validate(answer, list[Noted], guards=[no_evil.on(path)])
    assert [finding.path for finding in outcome.findings] == ["/0/note"]


@pytest.mark.parametrize("id_", [UUID_TEXT.upper(), f"urn:uuid:{UUID_TEXT}"])
def test_what_a_text_says_may_be_asked_for(id_):
    """A filter may as well ask for the very text of the answer."""
    answer = json.dumps([{"id": id_, "when": "2024-05-31T10:00:00Z", "note": "EVIL"}])
    assert not validate(answer, list[Noted], guards=[no_evil.on(f"$[?@.id=='{id_}'].note")]).ok


STRIPPED = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True)]


@pytest.mark.parametrize(
    ("key", "written", "named"),
    [
        *((int, written, "10") for written in ("10", " 10", "010", "1_0", "+10")),
        *((float, written, named) for written in ("1", "1.0", "1e0") for named in ("1", "1.0")),
        *((Decimal, written, "1.5") for written in ("1.5", "1.50", "15e-1")),
        *((bool, written, "true") for written in ("true", "1", "yes")),
        *((STRIPPED, written, "a") for written in ("a", " A ")),
        (UUID, UUID_TEXT.upper(), UUID_TEXT),
    ],
)
@pytest.mark.parametrize("path", ["$.held['{}'].text", "$.held['{}','x'].text", "$.held['{}'][?@=='EVIL']"])
def test_an_entry_goes_by_what_its_key_became(key, written, named, path):
    """A key in another spelling does not hide the entry."""
    answer = json.dumps({"held": {written: {"text": "EVIL"}}})
    contract: Any = dict[str, dict[key, dict[str, str]]]
    outcome = validate(answer, contract, guards=[no_evil.on(path.format(named))])
    assert [finding.path for finding in outcome.findings] == [f"/held/{written}/text"]


@pytest.mark.parametrize(
    ("path", "ok"), [("$.b", True), ("$['b','x']", True), ("$['c','x']", False), ("$['a','x']", True)]
)
def test_a_name_means_the_field_for_which_the_answer_used_it(path, ok):
    """Where the alias of one field is the name of another, a query tells them apart as a plain path does."""
    assert validate('{"b": "fine", "c": "EVIL"}', Crossed, guards=[no_evil.on(path)]).ok is ok


def test_an_entry_of_which_the_key_may_change_is_no_plain_place_of_a_stream():
    """While an answer comes, a key as it is written does not tell the entry: it is judged with the whole."""
    assert Typed(dict[int, str]).steps_of("$['1']") is None
    assert Typed(dict[STRIPPED, str]).steps_of("$.a") is None
    assert Typed(dict[int, str]).steps_of("$.*") == ((None,),)
    assert Typed(dict[str, str]).steps_of("$.a") == (("a",),)
