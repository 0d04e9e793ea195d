"""A guard judges the very object that is delivered, wherever it stands and however the document spelled it."""

from __future__ import annotations

import collections
import dataclasses
import json
from collections import deque
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Counter, Literal, NamedTuple, OrderedDict, TypeVar, Union

import pytest
import typing_extensions as te
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    Json,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    RootModel,
    Secret,
    SecretStr,
    SkipValidation,
    TypeAdapter,
    ValidationError,
    WrapValidator,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from guards import (
    ConfigError,
    Filter,
    Finding,
    Fix,
    Guarded,
    Noop,
    Partial,
    Raise,
    Rejected,
    check,
    contracts,
    validate,
)
from guards.checks import Length, OneOf, Pattern
from guards.contracts.typed.annotations import in_annotation
from guards.testing import ScriptedModel


@check
def no_evil(value):
    return Finding("test.evil", "bad", fix="good") if "EVIL" in str(value) else None


Text = Annotated[str, no_evil]
DROPPING = GetPydanticSchema(lambda source, handler: handler.generate_schema(str))


class Worn(BaseModel):
    text: Text

    @model_validator(mode="after")
    def same(self):
        return self


class Worded(te.TypedDict):
    word: Text
    size: te.NotRequired[int]


class Pair(NamedTuple):
    first: Text
    second: int = 1


class Open(te.TypedDict, extra_items=Text):
    number: int


class Aliased(te.TypedDict):
    text: Annotated[Text, Field(alias="Text")]


class Extra(BaseModel):
    __pydantic_extra__: dict[str, Text]
    model_config = ConfigDict(extra="allow")
    known: str = ""


@dataclasses.dataclass
class Data:
    text: Annotated[Text, Field(alias="Text")]


class Swapped(BaseModel):
    title: str = Field(alias="headline")
    name: Text = Field(alias="title")


class Either(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    text: Text = Field(alias="body")


class Chosen(BaseModel):
    text: Text = Field(validation_alias=AliasChoices("a", "b", AliasPath("c", 1)))


class Inside(BaseModel):
    text: Text = "EVIL"


class Node(BaseModel):
    text: Text
    below: list[Node] = []


@pytest.mark.parametrize(
    ("kind", "answer", "path"),
    [
        (dict[Text, int], '{"EVIL": 1}', "/EVIL"),
        (Counter[Text], '{"EVIL": 1}', "/EVIL"),
        (dict[str, list[Text]], '{"a": ["x", "EVIL"]}', "/a/1"),
        (collections.deque[Text], '["x", "EVIL"]', "/1"),
        (OrderedDict[str, Text], '{"a": "EVIL"}', "/a"),
        (set[Text], '["x", "EVIL"]', "/1"),
        (tuple[int, Text], '[1, "EVIL"]', "/1"),
        (Pair, '{"first": "EVIL"}', "/first"),
        (Pair, '["EVIL", 2]', "/0"),
        (Open, '{"number": 1, "more": "EVIL"}', "/more"),
        (Aliased, '{"Text": "EVIL"}', "/Text"),
        (Union[Aliased, int], '{"Text": "EVIL"}', "/Text"),
        (Union[Json[Text], int], '"\\"EVIL\\""', ""),
        (Extra, '{"model_config": "EVIL"}', "/model_config"),
        (Data, '{"Text": "EVIL"}', "/Text"),
        (Swapped, '{"headline": "x", "title": "EVIL"}', "/title"),
        (Either, '{"body": "EVIL"}', "/body"),
        (Either, '{"text": "EVIL"}', "/text"),
        (Chosen, '{"b": "EVIL"}', "/b"),
        (Chosen, '{"c": ["x", "EVIL"]}', "/c/1"),
        (Inside, "{}", "/text"),
        (Node, '{"text": "x", "below": [{"text": "y", "below": [{"text": "EVIL"}]}]}', "/below/0/below/0/text"),
        (RootModel[Text], '"EVIL"', ""),
        (Annotated[Text, PlainValidator(lambda v: v)], '"EVIL"', ""),
        (Annotated[Text, SkipValidation], '"EVIL"', ""),
        (Annotated[Text, AfterValidator(str.upper)], '"evil"', ""),
        (Annotated[Text, AfterValidator(lambda v: ["EVIL"])] | None, '"x"', ""),
    ],
)
def test_a_guard_inside_a_type_sees_what_is_delivered(kind, answer, path):
    """Whatever kind of place a guard stands at, it judges the delivered part and names its place in the document."""
    outcome = validate(answer, kind)
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("test.evil", path)]
    assert (outcome.ok, outcome.scores) == (False, {"no_evil": 0.0})


def test_what_a_validator_makes_of_a_place_is_never_passed_over():
    """A value of another shape than its type announces is a failure of the guards below it."""

    class Joined(BaseModel):
        tags: Annotated[list[Text], WrapValidator(lambda value, handler: ",".join(handler(value)))]

    outcome = validate('{"tags": ["x"]}', Joined)
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("guard.failed", "/tags")]
    with pytest.raises(Rejected):
        Guarded(Joined, on_fail=Raise()).call(lambda _: '{"tags": ["x"]}', "...")


@pytest.mark.parametrize(
    "kind",
    [
        Annotated[str, PlainSerializer(str, return_type=Text)],
        Annotated[Text, DROPPING],
    ],
)
def test_a_guard_that_would_never_run_is_an_error_where_it_is_written(kind):
    """A place where nothing of an answer is delivered is refused at construction."""
    with pytest.raises(ConfigError, match="'no_evil' stands inside the type where it would never see"):
        Guarded(kind)


def test_an_argument_of_post_init_is_no_place():
    """What only a dataclass's own code gets is not delivered, so a guard cannot stand there."""

    @dataclasses.dataclass
    class Made:
        text: str
        seed: dataclasses.InitVar[Text]

    with pytest.raises(ConfigError, match="would never see"):
        validate('{"text": "x", "seed": "y"}', Made)


def test_a_union_is_judged_by_the_member_that_made_the_value():
    """Validation itself tells the member: no validator runs twice, and the other member's guards do not run."""
    runs = []

    def counted(value):
        runs.append(value)
        return value.strip()

    left = Annotated[str, Field(pattern="^a"), AfterValidator(counted), Length(max=3, name="left")]
    right = Annotated[str, Field(pattern="^b"), AfterValidator(counted), Length(max=5, name="right")]
    outcome = validate('["abcd ", "bcd e"]', list[left | right])
    assert runs == ["abcd ", "bcd e"]
    assert [(finding.guard, finding.path) for finding in outcome.findings] == [("left", "/0")]
    assert outcome.scores == {"left": 0.0, "right": 1.0}


def test_a_default_of_a_union_is_judged_by_every_member_it_could_be_of():
    """What no member made cannot be passed over."""

    class Note(BaseModel):
        text: Annotated[str, Length(max=3)] | int = "too long"

    assert [finding.path for finding in validate("{}", Note).findings] == ["/text"]
    assert validate('{"text": 12345}', Note).ok


class Phrase(te.TypedDict):
    text: Text
    style: str
    size: int


class Box(te.TypedDict):
    body: Element


Element = te.TypeAliasType("Element", Phrase | Box | str)


class Held(BaseModel):
    text: str
    style: str
    size: int


class Group(BaseModel):
    part: Annotated[Held, AfterValidator(lambda held: held.text), no_evil] | Group | str
    more: list[Element | int] = []


class Noted(BaseModel):
    note: Any | Text | list[Noted] | dict[str, Noted]
    size: int = 0


@pytest.mark.parametrize(
    ("kind", "answer", "places"),
    [
        (Element, {"text": "EVIL", "style": "b", "size": 1, "body": "leaf"}, ["/text"]),
        (Element, {"text": "EVIL", "style": "b", "size": 1, "body": {"body": 5}}, ["/text"]),
        (Element, {"body": {"text": "EVIL", "style": "b", "size": 1, "body": {"body": "leaf"}}}, ["/body/text"]),
        (Element, {"body": "EVIL", "text": "fine"}, []),
        (Group, {"part": {"text": "EVIL", "style": "b", "size": 1, "part": {"part": "leaf"}}}, ["/part"]),
        (Group, {"part": {"part": "EVIL"}, "more": [5, {"body": "EVIL"}, 6]}, []),
        (Group, {"part": "x", "more": [5, {"text": "EVIL", "style": "", "size": 1, "body": 5}]}, ["/more/1/text"]),
        (Noted, {"note": [{"note": "EVIL"}]}, ["/note/0/note"]),
        (Noted, {"note": {"a": {"note": "EVIL"}, "b": {"note": "fine"}}}, ["/note/a/note"]),
        (Noted, {"note": {"a": {"note": ["EVIL"]}, "b": {"note": "x", "size": "EVIL"}}}, []),
    ],
)
def test_a_union_that_holds_itself_is_judged_by_the_member_that_made_the_value(kind, answer, places):
    """What an outer turn of the union has made so far is not taken for what an inner one made, nor the other way round:
    whichever of them fails."""
    outcome = validate(json.dumps({"root": answer}), create_model("Page", root=(kind, ...)))
    assert sorted({finding.path for finding in outcome.findings}) == [f"/root{place}" for place in places]
    assert outcome.ok == (not places)


class BarePhrase(te.TypedDict):
    text: str
    style: str
    size: int


class BareBox(te.TypedDict):
    body: Bare


Bare = te.TypeAliasType("Bare", BarePhrase | BareBox | str)


@pytest.mark.parametrize("answer", ["[1]", '{"body": {"body": [1]}}', '{"body": {"text": 1}}', '{"text": "x"}', "null"])
def test_what_is_noted_of_a_union_that_holds_itself_is_in_no_finding(answer):
    """What is said of such a union is what is said where no guard stands in it."""

    said, bare = (
        [
            (f.code, f.path, f.message)
            for f in validate(f'{{"root": {answer}}}', create_model("P", root=(kind, ...))).findings
        ]
        for kind in (Element, Bare)
    )
    assert said == bare != []


def keep(cls, value):
    return value


def united(type_, mode):
    """A model with a field of this type, below a validator or below none."""
    validator = {"judged": model_validator(mode="before")(classmethod(keep))} if mode == "below a validator" else {}
    return create_model("United", x=(type_, ...), __validators__=validator)


@pytest.mark.parametrize("mode", ["below a validator", "below none"])
@pytest.mark.parametrize(
    ("type_", "answer"),
    [
        (Any | Text, "EVIL"),
        (Text | Any, "EVIL"),
        (int | Any | Text, "EVIL"),
        (Any | list[Text], ["x", "EVIL"]),
        (Any | tuple[Text, ...], ["x", "EVIL"]),
        (Any | deque[Text], ["EVIL"]),
        (Any | OrderedDict[str, Text], {"a": "EVIL"}),
        (Any | Annotated[str, AfterValidator(str.strip), no_evil], "EVIL"),
        (Any | Secret[Text], "EVIL"),
        (Any | Json[Text], '"EVIL"'),
        (dict[str, Any] | Pair, {"first": "EVIL", "second": 1}),
        (dict[str, Any] | Worn, {"text": "EVIL"}),
        (Any | Worn, {"text": "EVIL"}),
        (dict[str, Any] | dict[str, Text], {"a": "EVIL"}),
        (dict[str, Any] | dict[Text, int], {"EVIL": 1}),
        (Any | Worded, {"word": "EVIL"}),
        (Any | list[int | Text], [1, "EVIL"]),
        (Any | None | Text, "EVIL"),
        (tuple[Any, int] | tuple[Text, int], ["EVIL", 1]),
    ],
)
def test_an_any_in_a_union_hides_no_other_member(type_, answer, mode):
    """What a closed member would have taken, too, is judged as of that one, whichever of them pydantic prefers in JSON
    and in Python, and whatever an `Any` beside it takes."""
    outcome = validate(json.dumps({"x": answer}), united(type_, mode))
    assert {finding.code for finding in outcome.findings} == {"test.evil"}


@pytest.mark.parametrize("mode", ["below a validator", "below none"])
@pytest.mark.parametrize(
    ("type_", "answer"),
    [
        (Any | Text, 3),
        (Any | Text, ["EVIL"]),
        (Any | list[Text], ["EVIL", 3]),
        (dict[str, Any] | dict[str, Text], {"a": "EVIL", "b": 3}),
        (Any | Worded, {"word": "EVIL", "size": "big"}),
        (Any | Worded, {"size": 1}),
        (Any | list[Worded], [{"word": 3}]),
        (tuple[Any] | tuple[Text], [["EVIL"]]),
        (dict[str, Any] | Worn, {"text": 3}),
    ],
)
def test_what_an_any_alone_takes_is_not_judged_as_of_another_member(type_, answer, mode):
    """A value that no guarded member could have been is none of theirs."""
    outcome = validate(json.dumps({"x": answer}), united(type_, mode))
    assert outcome.ok, outcome.findings
    assert outcome.value.x in (answer, tuple(answer) if isinstance(answer, list) else answer)


@pytest.mark.parametrize(
    "type_", [date | str, str | date, float | int | str, list[str | date], int | list[date], Any | date]
)
@pytest.mark.parametrize("answer", ['"2026-01-31"', '"x"', "1", "1.5", '["2026-01-31", "y"]', '["2026-01-31"]'])
def test_below_a_validator_a_union_takes_the_member_that_pydantic_would(type_, answer):
    """Where pydantic itself takes what a validator hands over, the value is the same; where it would refuse the JSON
    form of a date in Python, the value is the one that it gives without the validator."""
    text = f'{{"x": {answer}}}'
    below, alone = united(type_, "below a validator"), united(type_, "below none")
    try:
        expected = below.model_validate_json(text, strict=True).x
    except ValidationError:
        try:
            expected = alone.model_validate_json(text, strict=True).x
        except ValidationError:
            assert not validate(text, below).ok
            return
    value = validate(text, below).value.x
    assert (value, type(value)) == (expected, type(expected))


PATHS = {
    Either: (["$.text", "$.body", "$['body']", "$.*", "$..text", "$..body"], ['{"text": "EVIL"}', '{"body": "EVIL"}']),
    Chosen: (
        ["$.a", "$.b", "$.c[1]", "$.c[*]", "$.*", "$..a"],
        ['{"a": "EVIL"}', '{"b": "EVIL"}', '{"c": ["x", "EVIL"]}'],
    ),
}


class PlainEither(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    text: str = Field(alias="body")


class PlainChosen(BaseModel):
    text: str = Field(validation_alias=AliasChoices("a", "b", AliasPath("c", 1)))


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        (plain, path, answer)
        for plain, guarded in ((PlainEither, Either), (PlainChosen, Chosen))
        for path in PATHS[guarded][0]
        for answer in PATHS[guarded][1]
    ],
)
def test_a_path_means_the_field_however_it_was_spelled(kind, path, answer):
    """No accepted spelling of a field dodges a guard at it, and none makes a good answer a failure."""
    outcome = validate(answer, kind, guards=[no_evil.on(path)])
    assert [finding.code for finding in outcome.findings] == ["test.evil"]
    assert validate(answer.replace("EVIL", "good"), kind, guards=[no_evil.on(path)]).ok


@pytest.mark.parametrize("path", ["//text", "//body", "/PlainEither/body", "//*[local-name()='body']"])
@pytest.mark.parametrize("name", ["text", "body"])
def test_an_xpath_means_the_field_however_it_was_spelled(path, name):
    """The same for answers in XML."""
    answer = f"<PlainEither><{name}>EVIL</{name}></PlainEither>"
    outcome = validate(answer, PlainEither, format="xml", guards=[no_evil.on(path)])
    assert [(f.code, f.path) for f in outcome.findings] == [("test.evil", f"/PlainEither/{name}")]


@pytest.mark.parametrize("key", ["model_fields_set", "model_config", "__class__", "known", "a key"])
def test_a_key_is_no_attribute(key):
    """A further key that is called as an attribute of the instance is judged by its own value."""

    class Anything(BaseModel, extra="allow"):
        pass

    outcome = validate(f'{{"{key}": "EVIL"}}', Anything, guards=[no_evil.on("$.*")])
    assert [(finding.code, finding.path) for finding in outcome.findings] == [("test.evil", f"/{key}")]


def test_a_path_follows_what_a_validator_made():
    """A part that a validator made of something else is judged; one that it took apart cannot be, and fails."""

    class Split(BaseModel):
        tags: Annotated[list[str], WrapValidator(lambda value, handler: handler(value.split(",")))]
        size: Annotated[int, WrapValidator(lambda value, handler: len(value))]

    answer = '{"tags": "x,EVIL", "size": ["EVIL"]}'
    outcome = validate(answer, Split, guards=[no_evil.on("$.tags[*]"), no_evil.on("$.size[0]")])
    assert [(f.code, f.path) for f in outcome.findings] == [("test.evil", "/tags"), ("guard.failed", "/size/0")]
    assert [finding.fix for finding in outcome.findings] == [outcome.findings[1].fix] * 2


def test_a_constant_default_is_no_part_of_the_answer():
    """A path is about what the model wrote: a constant that it left out is not judged, what its text went into is."""

    class Report(BaseModel):
        body: str
        note: str | None = None
        title: str = Field(default_factory=lambda fields: fields["body"])

    guards = [Length(max=3).on("$.note"), no_evil.on("$.title")]
    assert validate('{"body": "x"}', Report, guards=guards).ok
    assert [f.path for f in validate('{"body": "EVIL"}', Report, guards=guards).findings] == ["/title"]


def test_a_path_that_no_answer_has_is_an_error_where_it_is_written():
    """A name that a closed model does not have, an index of an object, a name of a list."""

    class Closed(BaseModel, extra="forbid"):
        title: str = Field(alias="Title")
        tags: list[str] = []

    for path in ("$.typo", "$.title", "$.Title.x", "$.tags.name", "$[0]", "$..typo", "$..tags.typo", "$[?@.x].typo"):
        with pytest.raises(ConfigError, match="leads nowhere"):
            Guarded(Closed, guards=[no_evil.on(path)])
    Guarded(
        Closed, guards=[no_evil.on("$.Title"), no_evil.on("$.tags[7]"), no_evil.on("$..Title"), no_evil.on("$..[7]")]
    )


class Last(BaseModel):
    text: str = Field(validation_alias=AliasPath("x", -1))


@pytest.mark.parametrize("path", ["$.x[1]", "$.x[*]", "$..x[1]", "$..x[-1]", "$.x[1:]"])
def test_a_field_that_is_counted_from_the_end_stands_at_its_index(path):
    """A path and a finding count from the start, as the document does."""
    outcome = validate('{"x": ["a", "EVIL"]}', Last, guards=[no_evil.on(path)])
    assert [finding.path for finding in outcome.findings] == ["/x/1"]
    assert validate('{"x": ["EVIL", "a"]}', Last, guards=[no_evil.on(path)]).ok
    assert [finding.path for finding in validate('{"x": ["a", 3]}', Last).findings] == ["/x/1"]


class Note(BaseModel):
    note: str = Field(alias="Note")


class Sized(te.TypedDict):
    size: int


@dataclasses.dataclass
class Notes:
    notes: list[Note | Sized]
    by_name: dict[str, Note]


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("$.noet", "notes, by_name"),
        ("$.notes[*].noet", "Note, size"),
        ("$.notes[0].note", "Note, size"),
        ("$.by_name.any.noet", "Note"),
        ("$.notes..noet", "Note, size"),
        ("$.notes[?@.size > 1].noet", "Note, size"),
        ("$.notes[-1]['noet', 'typo']", "Note, size"),
        ("$.notes[1:].Note.noet", None),
    ],
)
def test_a_key_that_a_type_passes_over_is_in_no_value(path, known):
    """A path to it is a guard that would never run: an error where it is written, which says what there is."""
    with pytest.raises(ConfigError, match="leads nowhere") as told:
        Guarded(Notes, guards=[no_evil.on(path)])
    assert known is None or told.value.hint == f"it may have {known}"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Notes, "$.notes[*].size"),
        (Notes, "$.notes[*]['noet', 'size']"),
        (Notes, "$..Note"),
        (Notes, "$.by_name.noet"),
        (Notes, "$..noet"),
        (Notes | dict[str, int], "$.noet"),
        (Extra, "$..noet"),
        (create_model("Any", x=(Any, ...)), "$..noet"),
        (create_model("Any", x=(Any, ...)), "$.x.noet"),
        (Chosen, "$.c[0]"),
        (Chosen, "$..c[1]"),
    ],
)
def test_a_path_that_some_answer_has_is_none(kind, path):
    """Another member of a union may have the key, and what is open may have any."""
    assert Guarded(kind, guards=[no_evil.on(path)])


def test_a_path_that_a_schema_shuts_out_is_an_error_where_it_is_written():
    """The same for an object of a JSON Schema that takes no other keys, behind a reference, and in every item, too."""
    schema = {
        "properties": {"lines": {"items": {"$ref": "#/$defs/line"}}},
        "$defs": {"line": {"type": "object", "properties": {"sku": {}}, "additionalProperties": False}},
    }
    for path, name in (("$.lines[0].typo", "typo"), ("$.lines[*].typo", "typo"), ("$.lines.sku", "sku")):
        with pytest.raises(ConfigError, match=f"has '{name}' there"):
            Guarded(schema, guards=[no_evil.on(path)])
    Guarded(schema, guards=[no_evil.on("$.lines[0].sku"), no_evil.on("$.lines[*].sku"), no_evil.on("$.other")])


def closed(**members):
    return {"type": "object", "properties": members, "additionalProperties": False}


def listed(item):
    return {"type": "array", "items": item}


class Paws(BaseModel, extra="forbid"):
    kind: Literal["cat"]
    paws: int


class Fins(BaseModel, extra="forbid"):
    kind: Literal["fish"]
    fins: list[str]


class Tank(BaseModel, extra="forbid"):
    pet: Paws | Fins
    told: Annotated[Paws | Fins, Field(discriminator="kind")]
    pets: list[Paws | Fins] = []
    spare: Paws | None = None
    named: dict[str, Fins] = {}
    note: str = ""


OLD = {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"any": {}}}
EITHER = {
    "if": {"properties": {"kind": {"const": 1}}},
    "then": {"properties": {"it": closed(a={})}},
    "else": {"properties": {"it": closed(b={})}},
}
SCHEMAS = [
    # schema, paths that some answer has, paths that none has
    (
        TypeAdapter(Tank).json_schema(),
        "$.pet.paws $.pet.fins[3] $.told.fins $.pets[*].paws $.pets[0].fins[*] $.spare.paws $.named.x.fins $.* $.*.paws",
        "$.pet.x $.note.x $.note[*] $.note[0] $.pets.paws $.pets[*].x $.spare.fins $.named.q.x $[0] $.pet.paws.x $.x",
    ),
    ({"oneOf": [closed(it=closed(a={})), closed(it=closed(b={}))]}, "$.it.a $.it.b $.*.b", "$.it.c $.*.c $.b"),
    ({"anyOf": [listed(closed(a={})), listed(closed(b={}))]}, "$[0].b $[*].a $[*].*", "$[0].c $[*].c $.a"),
    ({"anyOf": [listed(closed(a={})), {"required": ["b"]}]}, "$[0].x $.b.x", ""),
    (
        {"allOf": [{"properties": {"it": closed(a={})}}, {"properties": {"it": {"required": ["b"]}}}]},
        "$.it.a",
        "$.it.b",
    ),
    ({**closed(), "patternProperties": {"^x": closed(a={})}}, "$.xy.a $.*.a", "$.y $.xy.b $.*.b"),
    (EITHER, "$.it.a $.it.b", "$.it.c"),
    ({**EITHER, "else": {}}, "$.it.c", ""),
    ({"prefixItems": [closed(a={}), True], "items": False, "type": "array"}, "$[0].a $[1].b $[*].b", "$[0].b $[2]"),
    ({"properties": {"it": {"enum": ["a", 1]}, "its": {"const": [1]}}}, "$.it $.its[0]", "$.it.a $.it[0] $.its.a"),
    ({**OLD, "properties": {"it": {"$ref": "#/definitions/any", "type": "string"}}}, "$.it.a", ""),
    ({"$dynamicRef": "#it", "$defs": {"it": {"$dynamicAnchor": "it", "properties": {"it": {}}}}}, "$.it.x", ""),
    ({"$ref": "#/$defs/n", "$defs": {"n": closed(n={"$ref": "#/$defs/n"})}}, "$.n.n.n $.*.*", "$.n.n.x $.*.*.x"),
]


@pytest.mark.parametrize(("schema", "there", "nowhere"), SCHEMAS)
def test_a_path_leads_where_any_alternative_and_every_conjunct_lets_it(schema, there, nowhere):
    """All parts of a JSON Schema count: those of which one has to hold, and those of which all have to."""
    for path in there.split():
        Guarded(schema, guards=[no_evil.on(path)])
    for path in nowhere.split():
        with pytest.raises(ConfigError, match="leads nowhere"):
            Guarded(schema, guards=[no_evil.on(path)])


def test_a_fix_changes_only_what_was_judged():
    """The fix of a key, of a part of a JSON text or of what a validator made has no place of its own to be put in."""
    for kind, answer in ((dict[Text, str], '{"EVIL": "x"}'), (Json[list[Text]], '"[\\"EVIL\\"]"')):
        outcome = Guarded(kind, on_fail=Fix()).run(lambda _, answer=answer: answer, "...")
        assert (outcome.ok, outcome.value) == (False, None)
    outcome = Guarded(dict[Text, str], on_fail=Filter()).run(lambda _: '{"EVIL": "x", "a": "b"}', "...")
    assert (outcome.ok, outcome.value) == (True, {"a": "b"})


class Bounded(BaseModel):
    amount: int = Field(le=5)
    tags: list[str] = []


@pytest.mark.parametrize(
    "change",
    [
        lambda value: setattr(value, "amount", 99),
        lambda value: value.tags.append("more"),
        lambda value: value.tags.__setitem__(0, "other"),
        lambda value: value.__dict__.update(amount=99),
        lambda value: value.model_fields_set.clear(),
    ],
)
def test_a_guard_that_changes_what_it_was_given_fails_the_answer(change):
    """What is delivered is what was validated and judged."""

    @check
    def meddling(value):
        change(value)

    outcome = validate('{"amount": 1, "tags": ["a"]}', Bounded, guards=[meddling])
    assert [(f.code, "changed the value" in f.message) for f in outcome.findings] == [("guard.failed", True)]
    assert outcome.value is None


def test_what_an_instance_computes_for_itself_is_no_change():
    """A cached property that a guard reads is beside the value."""

    class Order(BaseModel):
        lines: list[int]

        def __getattr__(self, name):
            if name == "total":
                self.__dict__["total"] = sum(self.lines)
                return self.__dict__["total"]
            raise AttributeError(name)

    @check
    def small(value):
        return None if value.total < 9 else "too much"

    assert validate('{"lines": [1, 2]}', Order, guards=[small]).ok


# -- streams ---------------------------------------------------------------------------------------------------------


@check(partial=True)
def never_evil(value):
    return "bad" if "EVIL" in value else None


Shown = Annotated[str, never_evil]


def streamed(ticket, answer):
    """What was shown before the end, and the end."""
    pieces = [answer[start : start + 4] for start in range(0, len(answer), 4)]
    shown, done = [], None
    try:
        for event in ticket.stream(lambda _: iter(pieces), "..."):
            if isinstance(event, Partial):
                shown.append(repr(event.value))
            done = event
    except Rejected:
        pass
    return shown, done.outcome


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    number: int
    text: Shown = Field(alias="body")


class Rewriting(BaseModel):
    text: Annotated[Shown, AfterValidator(lambda value: value.replace("xx", "EVIL"))]
    number: int


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (ByName, '{"number": 1, "text": "EVIL"}'),
        (ByName, '{"number": 1, "body": "EVIL"}'),
        (list[Rewriting], '[{"text": "xx", "number": 1}, {"text": "y", "number": 2}]'),
        (dict[Shown, int], '{"EVIL": 1}'),
        (Union[Shown, int], '"EVIL"'),
        (list[Union[Shown, int]], '["EVIL", 1]'),
    ],
)
def test_a_stream_shows_a_part_only_as_it_was_judged(kind, answer):
    """No view holds what a guard refuses: neither by another spelling nor by what a validator makes of it."""
    shown, outcome = streamed(Guarded(kind, on_fail=Raise()), answer)
    assert not any("EVIL" in view for view in shown)
    assert not outcome.ok


def test_a_stream_shows_both_spellings():
    """An open view has the field however the document spells it."""
    for name in ("text", "body"):
        shown, outcome = streamed(Guarded(ByName), f'{{"number": 1, "{name}": "nice"}}')
        assert outcome.ok
        assert "ByName(number=1, text='nice')" in shown


def test_an_open_view_has_computed_fields():
    """A computed field of an open instance is None until it can be computed, so that a view can always be shown."""

    class Line(BaseModel):
        name: str
        amount: int

        @computed_field
        @property
        def label(self) -> str:
            return self.name.upper() * self.amount

    shown, outcome = streamed(Guarded(list[Line]), '[{"name": "abcdef", "amount": 2}]')
    assert "[Line(name='abcdef', amount=None, label=None)]" in shown
    assert outcome.value[0].label == "ABCDEFABCDEF"


@pytest.mark.parametrize("policy", [Fix(), Noop(), Filter(), Fix().then(Raise())])
def test_a_stream_ends_as_a_call_does(policy):
    """Where a guard refuses a part before the end, a policy that needs the whole answer gets it."""

    class Note(BaseModel):
        title: Annotated[str, OneOf(["Bug", "Wish"])]
        tags: list[Annotated[str, OneOf(["a", "b"])]] = []
        text: str = ""

    answer = '{"title": "bug", "tags": ["a", "A"], "text": "x"}'
    check_title = check(partial=True, name="title")(
        lambda value: None if value == "Bug" else Finding("t", "no", fix="Bug")
    )
    ticket = Guarded(Note, guards=[check_title.on("$.title")], on_fail=policy)
    called = ticket.run(ScriptedModel([answer]), "...")
    _, outcome = streamed(ticket, answer)
    assert (outcome.ok, outcome.value, outcome.delivered_by) == (called.ok, called.value, called.delivered_by)
    assert outcome.findings == called.findings


def test_a_guard_that_one_field_loses_is_an_error_though_another_keeps_it():
    """The same guard elsewhere in the type does not hide that it is gone here."""

    class Model(BaseModel):
        kept: Text
        lost: Annotated[Text, DROPPING]

    class Row(te.TypedDict):
        kept: Text
        lost: list[Annotated[Text, DROPPING]]

    @dataclasses.dataclass
    class Record:
        kept: Text
        lost: Annotated[Text, DROPPING]

    for kind in (Model, Row, Record, list[Model], Model | int):
        with pytest.raises(ConfigError, match="would never see"):
            Guarded(kind)


def test_a_pattern_that_goes_over_the_end_of_a_sentence_is_found_before_it_is_shown():
    """Nothing is shown in which, with what came before, the pattern matches."""
    ticket = Guarded(contracts.Text(), guards=[Pattern(r"Dr\. Evil", forbid=True)], on_fail=Raise())
    shown = []
    with pytest.raises(Rejected):
        for event in ticket.stream(ScriptedModel([["I am Dr. Evil and", " more. Then. "]]), "..."):
            shown.append((type(event).__name__, getattr(event, "text", "")))
    assert shown == [("TextPiece", "I am Dr."), ("Retracted", "I am Dr."), ("Done", "")]


@pytest.mark.parametrize("policy", [Fix(), Noop()])
def test_what_was_held_back_of_a_text_is_shown_in_its_place(policy):
    """All pieces joined are the delivered text, where a policy has delivered more than was shown before."""
    ticket = Guarded(contracts.Text(), guards=[Pattern("EUR", forbid=True, replace="$")], on_fail=policy)
    events = list(ticket.stream(ScriptedModel([["One. ", "2 EUR. ", "Three. ", "Four."]]), "..."))
    assert "".join(event.text for event in events[:-1]) == events[-1].outcome.value


class Row(NamedTuple):
    text: Shown
    more: str = ""


def test_a_named_tuple_is_guarded_however_it_is_written():
    """As an object and as a list, and while it is streamed."""
    for answer in ('{"text": "EVIL", "more": "x"}', '["EVIL", "x"]'):
        shown, outcome = streamed(Guarded(Row, on_fail=Raise()), answer)
        assert not any("EVIL" in view for view in shown)
        assert not outcome.ok


def test_what_a_validator_put_into_an_empty_default_is_judged():
    """A default is a constant only as long as nothing was put into it."""

    class Mail(BaseModel):
        text: str
        words: list[str] = Field(default_factory=list)

        @model_validator(mode="after")
        def split(self):
            self.words.extend(self.text.split())
            return self

    for path in ("$.words[*]", "$.words", "$..words[*]"):
        assert not validate('{"text": "an EVIL word"}', Mail, guards=[no_evil.on(path)]).ok


def test_what_validation_moved_is_not_passed_over():
    """A place that the document has, and of which something else is delivered, is a failure."""

    class Less(BaseModel):
        items: list[str]

        @field_validator("items", mode="before")
        def drop(cls, value):
            return [item for item in value if item != "drop"]

    class Renamed(BaseModel):
        new: str

        @model_validator(mode="before")
        def rename(cls, value):
            return {"new": value["old"]}

    for answer, kind, path in (
        ('{"items": ["drop", "EVIL"]}', Less, "$.items[0]"),
        ('{"1.0": "x", "1.00": "EVIL"}', dict[float, str], "$['1.00']"),
        ('{"old": "EVIL"}', Renamed, "$.old"),
    ):
        assert [f.code for f in validate(answer, kind, guards=[no_evil.on(path)]).findings] == ["guard.failed"]
    moved = validate('{"items": ["drop", "EVIL"]}', Less, guards=[no_evil.on("$.items[1]")])
    assert [(f.code, f.path) for f in moved.findings] == [("test.evil", "/items/1")]


def test_the_text_of_an_element_is_its_value():
    """An XPath that ends in text() names what is delivered of the element."""

    class Mail(BaseModel):
        text: str

    for path in ("//text/text()", "/Mail/text/text()"):
        outcome = validate("<Mail><text>EVIL</text></Mail>", Mail, format="xml", guards=[no_evil.on(path)])
        assert [f.path for f in outcome.findings] == ["/Mail/text"]


def test_guards_that_pydantic_passes_over_are_told():
    """In a list beside the type, as a default, at a private attribute or a class variable."""

    class AsDefault(BaseModel):
        text: str = Length(max=2)

    class Private(BaseModel):
        _text: Annotated[str, Length(max=2)] = PrivateAttr("x")

    class OfClass(BaseModel):
        text: ClassVar[Annotated[str, Length(max=2)]] = "x"

    for kind in (Annotated[str, [no_evil]], AsDefault, Private, OfClass):
        with pytest.raises(ConfigError, match="would never see"):
            Guarded(kind)
    with pytest.raises(ConfigError, match="the class of a guard stands in Annotated"):
        Guarded(Annotated[str, Length])


def test_a_view_runs_no_code_of_the_author_on_what_has_not_come():
    """`model_post_init` runs for whole instances alone, so that a good answer ends as in a call."""

    class Counted(BaseModel):
        first: str
        second: str = ""

        def model_post_init(self, context):
            self.__dict__["length"] = len(self.first) + len(self.second)

    shown, outcome = streamed(Guarded(Counted), '{"first": "abc", "second": "de"}')
    assert outcome.ok
    assert "Counted(first='abc', second=None)" in shown


def test_what_a_validator_put_around_a_secret_is_not_judged_in_its_place():
    """A guard inside a Secret sees what it holds, also where a validator took that out; of anything else it says that
    it cannot judge it."""

    def in_all(validator):
        return Annotated[Secret[Text], AfterValidator(validator)]

    assert [one.code for one in validate('"EVIL"', in_all(lambda secret: secret)).findings] == ["test.evil"]
    assert [one.code for one in validate('"EVIL"', in_all(Secret.get_secret_value)).findings] == ["test.evil"]
    assert [one.code for one in validate('"EVIL"', in_all(lambda secret: [secret])).findings] == ["guard.failed"]


@pytest.mark.parametrize(
    "type_", [int | Json[list[Text]], int | Worn, Path | dict[str, Text], object | dict[str, Text]]
)
def test_a_default_is_not_judged_as_of_a_member_whose_shape_it_has_not(type_):
    """A value that a factory made is judged by the members that it could be of, and an answer that leaves it out is
    not refused for those that it could not."""
    made = create_model("Made", x=(type_, Field(default_factory=lambda: default)))
    for default in (3, Path("a")):
        assert validate("{}", made).ok
    if type_ in (Path | dict[str, Text], object | dict[str, Text]):
        default = {"a": "EVIL"}
        assert [finding.path for finding in validate("{}", made).findings] == ["/x/a"]


def joined(value):
    return value if isinstance(value, str) else ",".join(value)


@pytest.mark.parametrize(
    ("type_", "answer", "code"),
    [
        (Annotated[Worn | str, AfterValidator(lambda value: getattr(value, "text", value))], {"text": "EVIL"}, None),
        (
            Annotated[Worn | Text, AfterValidator(lambda value: getattr(value, "text", value) + "!")],
            "EVIL",
            "test.evil",
        ),
        (Annotated[list[Text] | str, AfterValidator(joined)], ["EVIL"], None),
        (Annotated[list[Text] | Text, AfterValidator(joined)], "EVIL", "test.evil"),
        (Annotated[list[Text] | tuple[int, ...], AfterValidator(tuple)], ["EVIL"], "test.evil"),
        (Annotated[Worn | dict[str, str], AfterValidator(lambda value: {**dict(value)})], {"text": "EVIL"}, None),
        (Annotated[Worn | None, WrapValidator(lambda value, handler: handler(value).text)], {"text": "EVIL"}, None),
    ],
)
def test_a_validator_around_a_union_takes_no_value_out_of_its_guard(type_, answer, code):
    """What became of a guarded member's value is judged as of that member, or cannot be judged and says so, alone and as
    an item among others."""
    for text, kind in ((json.dumps(answer), type_), (json.dumps([answer, answer]), list[type_])):
        assert {finding.code for finding in validate(text, kind).findings} == {code or "guard.failed"}
    assert validate('["x", "y"]', list[Annotated[Worn | str, AfterValidator(str.upper)]]).ok


class Recursive(BaseModel):
    name: str | list[Text] = ""
    inner: Annotated["Recursive | list[Text] | dict[str, Any] | None", AfterValidator(lambda value: value)] = None


@pytest.mark.parametrize(
    "answer",
    [
        '{"inner": ["EVIL"]}',
        '{"inner": {"inner": ["EVIL"]}}',
        '{"inner": {"inner": {"name": ["EVIL"], "inner": ["a"]}}}',
        '{"inner": {"zz": 1, "inner": {"name": ["EVIL"]}}}',
    ],
)
def test_a_union_inside_itself_keeps_its_members_apart(answer):
    """In a recursive type what was noted of the inner union is not taken for the outer one's."""
    assert [finding.code for finding in validate(answer, Recursive).findings] == ["test.evil"]
    assert validate(answer.replace("EVIL", "b"), Recursive).ok


class Item(BaseModel):
    body: str = ""
    kind: str = "note"


class Renaming(Item):
    @model_validator(mode="before")
    @classmethod
    def rename(cls, value):
        return {"body": value.get("text", "")}


class Shelf(BaseModel):
    items: list[Item] = []
    tags: frozenset[str] = frozenset()
    pair: NamedTuple("Two", [("first", str), ("last", str)]) = ("", "")


class MovedShelf(Shelf):
    @field_validator("items", mode="before")
    @classmethod
    def rename(cls, value):
        return [{"body": one["text"]} for one in value]


class ShelfOfRenaming(BaseModel):
    items: list[Renaming] = []


@pytest.mark.parametrize(
    "path", ["$.items[*].text", "$.items[0].text", "$..text", "$.items[0:].text", "$.items[?@.text].text"]
)
@pytest.mark.parametrize("type_", [MovedShelf, ShelfOfRenaming])
def test_what_a_validator_renamed_is_lost_for_every_kind_of_path(type_, path):
    """A path to what the document has there and validation put elsewhere cannot be judged, wherever the validator
    stands and however the path is written."""
    outcome = validate('{"items": [{"text": "EVIL"}]}', type_, guards=[no_evil.on(path)])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("$.tags[?@ == 'EVIL']", {"tags": [*"abcdef", "EVIL"]}),
        ("$.tags[?match(@, 'E.*')]", {"tags": [*"abcdef", "EVIL"]}),
        ("$.tags[6:]", {"tags": [*"abcdef", "EVIL"]}),
        ("$.tags[-1]", {"tags": [*"abcdef", "EVIL"]}),
        ("$.pair[0:1]", {"pair": {"first": "EVIL", "last": ""}}),
        ("$.pair[-2]", {"pair": {"first": "EVIL", "last": ""}}),
        ("$.pair[-2]", {"pair": ["EVIL", ""]}),
        ("$.pair['first', 'last']", {"pair": ["EVIL", ""]}),
        ("$.items[?@.kind == 'note'].body", {"items": [{"body": "EVIL"}]}),
        ("$.items[?@.kind != 'x']", {"items": [{"body": "EVIL"}]}),
    ],
)
def test_a_query_judges_the_very_part_that_it_names(path, answer):
    """Items of sets in whatever order, both forms of a NamedTuple, and filters that ask for a default."""
    outcome = validate(json.dumps(answer), Shelf, guards=[no_evil.on(path)])
    assert {finding.code for finding in outcome.findings} == {"test.evil"}


def test_a_filter_judges_no_other_item_of_a_set():
    """The item that a query names is judged, and not the one which stands in its place in another order."""
    for word in "abcdef":
        only = check(lambda value, word=word: None if value == word else f"is {value}", name="only")
        path = f"$.tags[?@ == '{word}']"
        assert validate('{"tags": ["a", "b", "c", "d", "e", "f"]}', Shelf, guards=[only.on(path)]).ok


class Loud(BaseModel):
    text: str
    other: str = Field(default="", alias="another")

    @computed_field
    def loud(self) -> str:
        return self.text.upper()


@pytest.mark.parametrize(
    ("path", "options"),
    [("$.loud", {}), ("$.other", {}), ("//@text", {"format": "xml"}), ("/Loud/@text", {"format": "xml"})],
)
def test_a_name_that_no_document_may_use_is_an_error_where_it_is_written(path, options):
    """A computed field, an attribute that goes by its alias alone, and an attribute of an element."""
    with pytest.raises(ConfigError, match="leads nowhere"):
        validate('{"text": "EVIL"}', Loud, guards=[no_evil.on(path)], **options)


class Sloppy:
    def __init__(self, **held):
        self.__dict__["held"] = held

    def __getattr__(self, name):
        return self.__dict__["held"][name]


class Service:
    hits = 0


class Remembering(BaseModel):
    text: str
    anything: Annotated[Any, AfterValidator(lambda value: Sloppy(a=value))] = None
    _memo: dict = PrivateAttr(default_factory=dict)

    def words(self):
        return self._memo.setdefault("words", self.text.split())


@dataclasses.dataclass
class Counting:
    text: str
    service: Annotated[Any, AfterValidator(lambda value: Service())] = None
    _seen: dict = dataclasses.field(default_factory=dict, init=False)

    def words(self):
        self.service.hits += 1
        return self._seen.setdefault("words", self.text.split())


class Raising(list):
    def __iter__(self):
        raise LookupError


@pytest.mark.parametrize("type_", [Remembering, Counting])
def test_what_a_value_keeps_beside_its_fields_is_no_change(type_):
    """Private attributes, caches, and what objects of another kind count for themselves."""
    words = check(lambda value: None if value.words() else "empty", name="words")
    outcome = validate(
        '{"text": "a b", "anything": 1, "service": 2}' if type_ is Counting else '{"text": "a b", "anything": 1}',
        type_,
        guards=[words],
    )
    assert outcome.ok, outcome.findings


def test_no_code_of_a_value_runs_while_guards_are_watched():
    """A class that answers for any name, or whose iterator raises, is handed to guards as it is."""
    seen = check(lambda value: None, name="seen")
    assert validate('{"text": "a", "anything": 1}', Remembering, guards=[seen]).ok
    assert validate("[1]", Annotated[list[int], AfterValidator(Raising)], guards=[seen]).ok


def test_a_name_for_a_type_may_stand_inside_a_secret():
    """A definition that is itself a reference is compiled."""
    named = te.TypeAliasType("Named", Pairs)
    assert validate('{"a": 1}', Secret[named]).value.get_secret_value().a == 1
    assert validate('{"s": [{"a": 1}]}', dict[str, Secret[list[named]]]).ok


class Roomy(BaseModel, extra="allow"):
    pass


@dataclasses.dataclass
class Underscored:
    _tags: list[str]


@dataclasses.dataclass(slots=True)
class Slotted:
    _tags: list[str]


class Couple(NamedTuple):
    tags: list[str]


@pytest.mark.parametrize(
    ("type_", "answer", "change"),
    [
        (Roomy, '{"a": ["x"]}', lambda value: value.a.append("EVIL")),
        (Roomy, '{"a": ["x"]}', lambda value: setattr(value, "a", "EVIL")),
        (Roomy, '{"a": ["x"]}', lambda value: setattr(value, "new", "EVIL")),
        (Roomy, '{"a": ["x"]}', lambda value: delattr(value, "a")),
        (dict[str, Roomy], '{"k": {"a": [["x"]]}}', lambda value: value["k"].a[0].append("EVIL")),
        (Underscored, '{"_tags": ["x"]}', lambda value: value._tags.append("EVIL")),
        (Slotted, '{"_tags": ["x"]}', lambda value: value._tags.append("EVIL")),
        (Couple, '{"tags": ["x"]}', lambda value: value.tags.append("EVIL")),
        (OrderedDict[str, int], '{"a": 1, "b": 2}', lambda value: value.move_to_end("a")),
        (OrderedDict[str, int], '{"a": 1, "b": 2}', lambda value: dict.__delitem__(value, "a")),
        (deque[int], "[1, 2]", lambda value: value.rotate(1)),
        (Secret[list[str]], '["x"]', lambda value: value.get_secret_value().append("EVIL")),
        (SecretStr, '"x"', lambda value: setattr(value, "_secret_value", "EVIL")),
    ],
)
def test_a_change_of_whatever_an_answer_filled_is_seen(type_, answer, change):
    """Members of open models, underscored fields, what a secret holds, and an order are of the value, too."""
    outcome = validate(answer, type_, guards=[check(lambda value: change(value), name="meddling")])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]


class Foreign:
    """Has attributes of the names that `typing` gives its own forms."""

    __metadata__ = 5
    __value__ = 7
    __args__ = 3

    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        return handler(str)


FOREIGN = {
    "a field": (create_model("Made", it=(Foreign, ...), text=(Text, ...)), '{"it": "x", "text": "EVIL"}', "/text"),
    "alone": (Annotated[Foreign, no_evil], '"EVIL"', ""),
    "an item": (list[Annotated[Foreign, no_evil]], '["EVIL"]', "/0"),
    "in a union": (dict[str, Annotated[Foreign | None, no_evil]], '{"x": "EVIL"}', "/x"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_class_is_not_taken_for_a_form_of_typing_by_its_attributes(kind):
    """What stands in an Annotated or behind an alias is asked of these alone."""
    type_, answer, path = FOREIGN[kind]
    assert [finding.path for finding in validate(answer, type_).findings] == [path]
    assert validate(answer.replace("EVIL", "b"), type_).ok
    assert validate('"x"', Foreign).value == "x"


def test_guards_stand_in_a_named_type_s_argument():
    """`Names[Annotated[str, guard]]` has the guard of its argument, too."""
    item = TypeVar("item")
    names = te.TypeAliasType("names", list[item], type_params=(item,))
    assert set(in_annotation(names[Text])) == {no_evil}
    assert validate('["EVIL"]', names[Text]).findings[0].path == "/0"


class Pairs(BaseModel):
    a: int


class OfPairs(te.TypedDict):
    kind: Literal["x"]
    held: dict[str, Pairs]


class OfTexts(te.TypedDict):
    kind: Literal["y"]
    held: list[str]


def test_a_path_into_a_union_without_guards_follows_the_member_that_fits():
    """Where validation had nothing to note, members whose shape the value has not lead to nothing."""
    either = Annotated[OfPairs | OfTexts, Field(discriminator="kind")]
    seen = []
    guard = check(lambda value: seen.append(value), name="seen")
    for path in ("$.held.k.a", "$.held..a"):
        assert validate('{"kind": "x", "held": {"k": {"a": 1}}}', either, guards=[guard.on(path)]).ok
    assert seen == [1, 1]


class Rewritten(BaseModel):
    place: IPv4Address | dict[str, Text] | Text

    @model_validator(mode="after")
    def shouted(self):
        self.place = f"{self.place}!"
        return self


def test_what_a_model_rewrites_is_of_no_member_that_it_cannot_be_of():
    """A value that a model's own validator has put into a union is judged by the members that could hold it, and not
    refused for one that could not."""
    assert validate('{"place": "here"}', Rewritten).value.place == "here!"
    assert validate('{"place": "EVIL"}', Rewritten).findings[0].code == "test.evil"
    alone = create_model("Alone", __base__=Rewritten, place=(Annotated[IPv4Address, no_evil] | dict[str, Text], ...))
    assert validate('{"place": "1.2.3.4"}', alone).ok


def test_a_query_sees_an_entry_without_a_name():
    """The empty key is one as any other."""
    assert validate('{"": "EVIL"}', dict[str, Any], guards=[no_evil.on("$..*")]).findings[0].path == "/"


def test_a_query_passes_over_what_stands_beside_a_field():
    """Where a field is taken out of a list (`AliasPath`), a query judges that item, and has nothing of the others."""
    made = create_model("Made", x=(str, Field(validation_alias=AliasPath("parts", 2))))
    for path in ("$.parts[?@ != 'no']", "$..*"):
        found = validate('{"parts": [0, null, "EVIL"]}', made, guards=[no_evil.on(path)]).findings
        assert {(finding.code, finding.path) for finding in found} == {("test.evil", "/parts/2")}
        assert validate('{"parts": ["EVIL", null, "x"]}', made, guards=[no_evil.on(path)]).ok


@pytest.mark.parametrize("path", ["/", "//comment()", "count(//a)", "string(//a)", "//x:a"])
def test_an_xpath_that_names_no_part_is_an_error_where_it_is_written(path):
    """An XPath that gives no nodes, or what is no part of an answer, would never run its guard."""
    with pytest.raises(ConfigError, match=r"\.on\(\)"):
        no_evil.on(path)


class Pet(BaseModel):
    kind: str

    @model_validator(mode="wrap")
    @classmethod
    def picked(cls, data, handler):
        made = {"dog": Dog, "cat": Cat} if cls is Pet else {}
        return made[data["kind"]].model_validate(data) if made else handler(data)


class Dog(Pet):
    name: Text


class Cat(Pet):
    name: str


class Named(BaseModel):
    name: Text


class Renamed(Named):
    nick: str


@dataclasses.dataclass(slots=True)
class Toy:
    name: Text


STRANGERS = {
    "a subclass that the class picks": Pet,
    "in a list": list[Pet],
    "in a field": create_model("Owner", pet=(Pet, ...)),
    "beside other guards": create_model("Owner", pet=(Pet, ...), name=(Text, "x")),
    "of an Any": Annotated[Any, AfterValidator(lambda data: [Dog(**data)])],
    "of a plain validator": Annotated[dict[str, Any], PlainValidator(lambda data: {"it": Dog(**data)})],
    "a dataclass with slots": Annotated[Any, AfterValidator(lambda data: (Toy(data["name"]),))],
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_guards_of_a_class_that_a_validator_brought_in_are_not_passed_over(kind):
    """An instance of a class with guards of which the type does not speak is not delivered: they would never run."""
    data = {"kind": "dog", "name": "EVIL"}
    answer = {"in a list": [data]}.get(kind) or ({"pet": data} if "Owner" in str(STRANGERS[kind]) else data)
    outcome = validate(json.dumps(answer), STRANGERS[kind])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]
    assert "Dog" in outcome.findings[0].message or "Toy" in outcome.findings[0].message


def test_an_instance_is_judged_as_of_the_member_that_it_is_of():
    """Where the type names the class that a validator of another member picks, its guards judge it; where it has no
    further ones than what it was judged as, nothing is amiss."""
    picked = Pet | Dog | Cat
    assert validate('{"kind": "dog", "name": "EVIL"}', picked).findings[0].path == "/name"
    assert validate('{"kind": "dog", "name": "Rex"}', picked).value == Dog(kind="dog", name="Rex")
    assert validate('{"kind": "cat", "name": "EVIL"}', picked).ok
    more = Annotated[Named, AfterValidator(lambda it: Renamed(name=it.name, nick="EVIL"))]
    assert validate('{"name": "x"}', more).ok
    assert validate('{"name": "EVIL"}', more).findings[0].path == "/name"


def test_what_holds_itself_is_looked_through():
    """A validator may tie parts to what holds them."""

    class Node(BaseModel):
        name: Text
        above: Any = None
        below: list[Node] = []

        @model_validator(mode="after")
        def tied(self):
            for node in self.below:
                node.above = self
            return self

    Node.model_rebuild(_types_namespace={**globals(), "Node": Node})
    assert validate('{"name": "a", "below": [{"name": "b"}]}', Node).ok
    assert validate('{"name": "a", "below": [{"name": "EVIL"}]}', Node).findings[0].path == "/below/0/name"
