"""Items that validators rewrote: a path names what is delivered where the document has the item, and nothing else."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib
import pickle
from datetime import datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv6Address
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    HttpUrl,
    PrivateAttr,
    RootModel,
    SecretStr,
    WrapValidator,
    create_model,
    field_validator,
    model_validator,
)

from guards import Filter, Finding, Fix, Guard, Guarded, check, validate

SEEN: list[Any] = []


class Watch(Guard):
    """Keeps what it sees."""

    def check(self, value: Any, context: Any) -> None:
        SEEN.append(value)


@check
def no_evil(value):
    return "bad" if "EVIL" in str(value) else None


def after(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        @model_validator(mode="after")
        def same(self):
            return self

    return Holder


def before(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        @model_validator(mode="before")
        @classmethod
        def same(cls, value):
            return value

    return Holder


def copied(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        @model_validator(mode="before")
        @classmethod
        def same(cls, value):
            return {**value}

    return Holder


def around(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        @model_validator(mode="wrap")
        @classmethod
        def same(cls, value, read):
            return read(value)

    return Holder


def posted(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        def model_post_init(self, _: Any) -> None:
            return

    return Holder


def private(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items
        _cache: int = PrivateAttr(0)

    return Holder


def made(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        def __init__(self, **given: Any) -> None:
            super().__init__(**given)

    return Holder


def data(items: Any) -> Any:
    return dataclasses.make_dataclass("Holder", [("xs", items)], namespace={"__post_init__": lambda _: None})


def field(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items

        @field_validator("xs")
        @classmethod
        def same(cls, value):
            return value

    return Holder


def beside(items: Any) -> Any:
    class Holder(BaseModel):
        xs: items
        q: int = 0

        @field_validator("q", mode="before")
        @classmethod
        def same(cls, value):
            return value

    return Holder


HOLDERS = [after, before, copied, around, posted, private, made, data, field, beside]
NUMBERS = st.lists(st.integers(-3, 9), min_size=1, max_size=5)


def judged(kind: Any, values: list[Any], path: str) -> tuple[Any, list[Any]]:
    SEEN.clear()
    outcome = validate(json.dumps({"xs": values}), kind, guards=[Watch().on(path)])
    assert outcome.ok, outcome.findings
    return outcome.value.xs, list(SEEN)


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", [list, tuple])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(values=NUMBERS, number=st.data())
def test_an_item_that_was_rewritten_is_judged_where_it_stands(holder, kind, values, number):
    """Whatever the items say now, and whatever other item the document says the same of."""
    item = Annotated[int, AfterValidator(lambda x: 6 - x)]
    index = number.draw(st.integers(0, len(values) - 1))
    held = list[item] if kind is list else tuple[item, ...]
    xs, seen = judged(holder(held), values, f"$.xs[{index}]")
    assert xs[index] in seen
    if holder is not made:  # which reads the answer once more, where nobody sees what becomes of it
        assert seen == [xs[index]]


MAPPED = {
    "by a function": AfterValidator(lambda xs: [6 - x for x in xs]),
    "in place": AfterValidator(lambda xs: xs.__setitem__(slice(None), [6 - x for x in xs]) or xs),
    "before": BeforeValidator(lambda xs: [6 - x for x in xs]),
    "around": WrapValidator(lambda xs, read: [6 - x for x in read(xs)]),
}


@pytest.mark.parametrize("way", MAPPED)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(values=NUMBERS, number=st.data())
def test_a_list_that_was_rewritten_passes_none_of_its_items_over(way, values, number):
    """The item that is delivered in the place is judged there, though the list may have been turned as well."""
    index = number.draw(st.integers(0, len(values) - 1))
    xs, seen = judged(create_model("Holder", xs=(Annotated[list[int], MAPPED[way]], ...)), values, f"$.xs[{index}]")
    assert xs[index] in seen


class Point(BaseModel):
    p: int


REMADE = {
    "before": BeforeValidator(lambda xs: [{"p": 6 - x["p"]} for x in xs]),
    "in place before": BeforeValidator(lambda xs: [x.update(p=6 - x["p"]) for x in xs] and xs),
    "around": WrapValidator(lambda xs, read: read([{**x, "p": 6 - x["p"]} for x in xs])),
    "after": AfterValidator(lambda xs: [Point(p=6 - x.p) for x in xs]),
    "in place after": AfterValidator(lambda xs: [setattr(x, "p", 6 - x.p) for x in xs] and xs),
}


@pytest.mark.parametrize("way", REMADE)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(values=NUMBERS, number=st.data())
def test_a_record_that_was_rewritten_is_judged_where_it_stands(way, values, number):
    """The same of objects, in whatever step they were made anew."""
    index = number.draw(st.integers(0, len(values) - 1))
    kind = create_model("Holder", xs=(Annotated[list[Point], REMADE[way]], ...))
    xs, seen = judged(kind, [{"p": value} for value in values], f"$.xs[{index}]")
    assert any(xs[index] is one for one in seen)
    xs, seen = judged(kind, [{"p": value} for value in values], f"$.xs[{index}].p")
    assert xs[index].p in seen


class Row(BaseModel):
    at: datetime
    text: str


MOVES = {
    "turned": lambda xs: xs[::-1],
    "turned in place": lambda xs: xs.reverse() or xs,
    "sorted": lambda xs: sorted(xs, key=lambda x: x.text),
    "filtered": lambda xs: [x for x in xs if "drop" not in x.text],
    "taken out": lambda xs: [x for x in xs if "drop" not in x.text or xs.remove(x)],
    "put in": lambda xs: [Row(at=datetime(2020, 1, 1), text="new"), *xs],
    "added": lambda xs: xs.append(Row(at=datetime(2020, 1, 1), text="new")) or xs,
    "renumbered": lambda xs: [setattr(x, "at", datetime(2020, 1, n + 1)) for n, x in enumerate(xs)] and xs,
    "in a tuple": tuple,
}
TEXTS = st.lists(st.sampled_from(["fine", "EVIL", "drop", "drop EVIL", "b"]), min_size=1, max_size=5)


@pytest.mark.parametrize("move", MOVES)
@settings(max_examples=30, deadline=None, derandomize=True)
@given(texts=TEXTS, number=st.data())
def test_an_item_is_known_wherever_it_was_put(move, texts, number):
    """Also where the document writes it in another form; and none other is taken for it."""
    rows = [{"at": f"2026-01-0{n + 1}T10:00:00.000", "text": text} for n, text in enumerate(texts)]
    index = number.draw(st.integers(0, len(texts) - 1))
    kind = create_model("Holder", xs=(Annotated[list[Row], AfterValidator(MOVES[move])], ...))
    outcome = validate(json.dumps({"xs": rows}), kind, guards=[no_evil.on(f"$.xs[{index}].text")])
    if "EVIL" in texts[index]:
        assert not outcome.ok
    elif move not in ("filtered", "taken out"):
        assert outcome.ok, outcome.findings


SPELLED = [
    (datetime, '"2024-05-31T10:00:00.000"'),
    (time, '"10:00"'),
    (Decimal, "19.99"),
    (Decimal, '"0.10"'),
    (timedelta, '"PT1H"'),
    (HttpUrl, '"https://a.org"'),
    (bytes, '"ab"'),
    (SecretStr, '"ab"'),
    (IPv6Address, '"::0001"'),
    (pathlib.Path, '"a//b"'),
    (ByteSize, '"1KB"'),
    (Annotated[float, AfterValidator(lambda x: round(x, 1))], "1.23"),
    (Annotated[str, AfterValidator(lambda text: text.split("@")[0])], '"a@x"'),
]


@pytest.mark.parametrize("holder", [after, before, around, private])
@pytest.mark.parametrize(("kind", "written"), SPELLED)
def test_a_value_in_another_form_keeps_its_place(holder, kind, written):
    """In a list that validators only looked at, each item is judged, mended and taken out where it stands."""
    bare, guarded = (
        create_model("Line", when=(kind, ...), note=(text, ...)) for text in (str, Annotated[str, no_evil])
    )
    answer = f'{{"xs": [{{"when": {written}, "note": "fine"}}, {{"when": {written}, "note": "EVIL"}}]}}'
    assert [f.path for f in validate(answer, holder(list[guarded])).findings] == ["/xs/1/note"]
    type_ = holder(list[bare])
    assert validate(answer, type_, guards=[no_evil.on("$.xs[0].note")]).ok
    assert [f.path for f in validate(answer, type_, guards=[no_evil.on("$.xs[*].note")]).findings] == ["/xs/1/note"]
    kept = validate(answer, type_, guards=[no_evil.on("$.xs[*]")], on_fail=Filter())
    assert [line.note for line in kept.value.xs] == ["fine"]


def test_a_key_in_another_form_keeps_its_place():
    """A date is found under the text that the document has for it."""
    keys = ["2024-05-31T10:00:00Z", "2024-05-31T11:00:00Z"]
    answer = json.dumps({"xs": dict(zip(keys, ["fine", "EVIL"], strict=True))})
    for change in (lambda held: held, lambda held: dict(reversed(held.items()))):
        kind = after(Annotated[dict[datetime, Annotated[str, no_evil]], AfterValidator(change)])
        assert [f.path for f in validate(answer, kind).findings] == [f"/xs/{keys[1]}"]
    path = f"$.xs['{keys[0]}']"
    assert validate(answer, after(dict[datetime, str]), guards=[no_evil.on(path)]).ok


def test_an_element_in_another_form_keeps_its_place():
    """The same in XML."""
    kind = after(list[Row])
    rows = "".join(f"<xs><at>2026-01-01T10:00:00Z</at><text>{text}</text></xs>" for text in ("fine", "EVIL"))
    answer = f"<Holder>{rows}</Holder>"
    assert validate(answer, kind, format="xml", guards=[no_evil.on("/Holder/xs[1]/text")]).ok
    found = validate(answer, kind, format="xml", guards=[no_evil.on("//text")]).findings
    assert [finding.path for finding in found] == ["/Holder/xs[2]/text"]


def test_a_ticket_from_elsewhere_knows_the_places_too():
    """One that was pickled notes what the one did that it was made of."""
    ticket = pickle.loads(pickle.dumps(Guarded(Pickled, guards=[no_evil.on("$.xs[0].text")])))
    rows = [{"at": "2026-01-01T10:00:00Z", "text": text} for text in ("fine", "EVIL")]
    assert ticket.validate(json.dumps({"xs": rows})).ok


class Pickled(BaseModel):
    xs: list[Row]

    @model_validator(mode="after")
    def same(self):
        return self


def test_a_fix_goes_where_the_item_stands():
    """A value in another form beside it does not keep it from being mended."""

    @check
    def mended(value):
        return Finding("test.evil", "bad", fix="good") if value == "EVIL" else None

    rows = [{"at": "2026-01-01T10:00:00Z", "text": text} for text in ("fine", "EVIL")]
    outcome = validate(json.dumps({"xs": rows}), after(list[Row]), guards=[mended.on("$.xs[*].text")], on_fail=Fix())
    assert [row.text for row in outcome.value.xs] == ["fine", "good"]


REBUILT = {
    "deeply": lambda rows: copy.deepcopy(rows),
    "with other words": lambda rows: [row.model_copy(update={"text": row.text.upper()}) for row in rows],
    "anew": lambda rows: [Row(at=row.at, text=f" {row.text}") for row in rows],
}


@pytest.mark.parametrize("way", REBUILT)
def test_a_copy_is_known_by_what_can_be_told_of_it(way):
    """If only one item says so; else it may be any, and none is passed over."""
    kind = create_model("Holder", xs=(Annotated[list[Row], AfterValidator(REBUILT[way])], ...))
    for texts, is_told in ((("fine", "EVIL", "b"), True), (("EVIL", "EVIL", "b"), False)):
        rows = [{"at": f"2026-01-0{n + 1}T10:00:00Z", "text": text} for n, text in enumerate(texts)]
        answer = json.dumps({"xs": rows})
        for index, text in enumerate(texts):
            outcome = validate(answer, kind, guards=[no_evil.on(f"$.xs[{index}].text")])
            assert outcome.ok is (text != "EVIL"), index
            if is_told and text == "EVIL":
                assert [finding.path for finding in outcome.findings] == [f"/xs/{index}/text"]


def test_a_tree_keeps_its_places():
    """Lists below lists, each noted by itself."""
    grid = RootModel[Annotated[list[Annotated[list[int], AfterValidator(lambda x: x)]], AfterValidator(lambda x: x)]]
    SEEN.clear()
    assert validate("[[1, 5], [5, 1]]", grid, guards=[Watch().on("$[1][0]")]).ok
    assert SEEN == [5]


@pytest.mark.parametrize("held", [3, None, [1], "text", [[]]])
@pytest.mark.parametrize("kind", [dict[str, Annotated[str, no_evil]], dict[str, str]])
def test_what_is_no_object_any_more_fails(kind, held):
    """A validator may give anything for a mapping; then what it held cannot be judged."""
    type_ = Annotated[kind, AfterValidator(lambda _: held)]
    outcome = validate('{"a": "EVIL"}', type_, guards=[no_evil.on("$.a")])
    assert {finding.code for finding in outcome.findings} == {"guard.failed"}


class Two(BaseModel):
    a: list[Row]
    b: list[Row]

    @model_validator(mode="after")
    def same(self):
        self.b = self.a[::-1]
        return self


@pytest.mark.parametrize("index", [0, 1])
def test_items_of_another_list_are_not_taken_for_ones_of_this(index):
    """What a validator took from elsewhere is judged where it may stand."""
    rows = [
        {"at": f"2026-01-0{n + 1}T10:00:00Z", "text": text} for n, text in enumerate(("fine", "EVIL", "one", "two"))
    ]
    answer = json.dumps({"a": rows[:2], "b": rows[2:]})
    assert not validate(answer, Two, guards=[no_evil.on(f"$.b[{index}].text")]).ok
    assert validate(answer, Two, guards=[no_evil.on(f"$.a[{index}].text")]).ok is (index == 0)
