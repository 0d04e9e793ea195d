"""A wrapped client delivers of a text what the guards judged, which is the value that was read from it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    PlainValidator,
    RootModel,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from server import Raw, Server  # noqa: E402
from server import answer as spoken  # noqa: E402
from test_wrap_beside import Chat, asked, calling, chunk, dumped, sse  # noqa: E402

from guards import Guarded, Raise, Rejected, check, outcome_of  # noqa: E402
from guards.contracts import XmlSchema  # noqa: E402

STRAY = "STRAY words"


@check
def no_stray(value: Any) -> str | None:
    return "says STRAY" if "STRAY" in str(value) else None


def guarded(contract: Any, **options: Any) -> Any:
    return Guarded(contract, guards=[no_stray], on_fail=Raise(), transport=None, **options)


def told(ticket: Any, text: str, **options: Any) -> str:
    """What a wrapped function that gives this text delivers."""
    return ticket.wrap(lambda messages: text, **options)("Say it")


class Line(BaseModel):
    kind: Literal["line"]
    text: str


class Note(BaseModel):
    kind: Literal["note"]
    lines: list[Line] = []


@dataclass(eq=False)
class Plain:
    team: str


class Spelled(BaseModel):
    first: str = Field(alias="First")
    second: str = Field(validation_alias=AliasChoices("b", "B"))
    third: str = Field(validation_alias=AliasPath("at", "third"))


class Inside(BaseModel):
    text: Annotated[str, no_stray]
    part: Line | Note


class Ticket(BaseModel):
    team: str


class Open(BaseModel, extra="allow"):
    text: str


class Made(BaseModel):
    text: str
    ident: UUID = Field(default_factory=uuid4)


LINE = {"kind": "line", "text": "a"}
OTHER = {**LINE, "more": STRAY}


# -- members that a type passes over -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contract", "answer", "delivered"),
    [
        (Line, OTHER, LINE),
        (Line, {**LINE, STRAY: 1}, LINE),
        (Plain, {"team": "a", "more": [STRAY]}, {"team": "a"}),
        (list[Line], [LINE, OTHER], [LINE, LINE]),
        (dict[str, Line], {"n": OTHER}, {"n": LINE}),
        (dict[Annotated[str, no_stray], Line], {"n": OTHER}, {"n": LINE}),
        (Line | Note, {"kind": "note", "lines": [OTHER], "more": STRAY}, {"kind": "note", "lines": [LINE]}),
        (Inside, {"text": "a", "part": OTHER}, {"text": "a", "part": LINE}),
        (
            Spelled,
            {"First": "1", "B": "2", "b2": STRAY, "at": {"third": "3", "fourth": STRAY}},
            {"First": "1", "B": "2", "at": {"third": "3"}},
        ),
        (Made, {"text": "a", "more": STRAY}, {"text": "a"}),
    ],
)
def test_members_that_the_type_passes_over_are_not_delivered(contract, answer, delivered):
    """They are in no value, and no guard has seen them; what the type knows stays as it was spelled."""
    assert json.loads(told(guarded(contract), json.dumps(answer))) == delivered


@pytest.mark.parametrize("where", ["words", "call"])
@calling
def test_the_same_for_every_method_and_for_a_forced_call(method, where):
    """Whether the answer stands in words or in the arguments of a tool that must be called."""
    answer = json.dumps({"team": "a", "more": STRAY})
    body = method.body(answer) if where == "words" else method.body(None, [method.call("look", answer)])
    options = {} if where == "words" else {"tools": method.tools, "tool_choice": method.must}
    response = asked(method, body, guarded(Ticket), **options)
    said = method.told(response) if where == "words" else method.called(response)[0][1]
    assert json.loads(said) == {"team": "a"}
    assert "STRAY" not in dumped(response)
    assert outcome_of(response).value == Ticket(team="a")


def test_the_same_in_a_stream():
    """The chunks spell what was judged."""
    step = sse(chunk(content='{"team": "a",'), chunk(content=f' "more": "{STRAY}"}}'), chunk("stop"))
    with Server([step]) as server:
        chunks = list(Chat().ask(guarded(Ticket).wrap(server.openai()), stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == '{"team": "a"}'


def test_the_same_in_a_session():
    """A session's wrapped client delivers no more."""
    with (
        Server([Raw(json.dumps(Chat().body(json.dumps(OTHER))).encode())]) as server,
        guarded(Line).session() as session,
    ):
        response = Chat().ask(session.wrap(server.openai()))
    assert json.loads(response.choices[0].message.content) == LINE


@given(st.data())
def test_whatever_a_type_passes_over_goes_and_nothing_else(data):
    """Members are added at random places of a nested answer: what is delivered is the answer without them."""
    words = st.text("ab c", max_size=4)
    lines = st.builds(lambda text: {"kind": "line", "text": text}, words)
    notes = st.builds(lambda held: {"kind": "note", "lines": held}, st.lists(lines, max_size=3))
    answer = data.draw(st.lists(lines | notes, max_size=3))

    def grown(value: Any) -> Any:
        if isinstance(value, list):
            return [grown(item) for item in value]
        if not isinstance(value, dict):
            return value
        more = data.draw(st.dictionaries(st.sampled_from(["x", STRAY]), st.just([{"y": STRAY}]), max_size=2))
        return {**more, **{name: grown(inner) for name, inner in value.items()}}

    assert json.loads(told(guarded(list[Line | Note]), json.dumps(grown(answer)))) == answer


# -- texts that a type changes -----------------------------------------------------------------------------------------


def _redacted(text: str) -> str:
    return re.sub(r"STRAY \w+", "[gone]", text)


class Redacted(BaseModel):
    text: Annotated[str, AfterValidator(_redacted)]


class Named(BaseModel):
    name: Annotated[str, AfterValidator(lambda name: f"Dr. {name}")]


class Quoted(BaseModel):
    text: str

    @field_validator("text")
    @classmethod
    def cut(cls, text: str, info: ValidationInfo) -> str:
        return text.replace(info.context["word"], "")


def test_a_text_that_a_validator_redacts_is_delivered_redacted():
    """The guard judged what the validator left; the text says no more than that."""
    assert json.loads(told(guarded(Redacted), json.dumps({"text": f"so {STRAY}"}))) == {"text": "so [gone]"}


def test_validators_get_the_context_again():
    """The text is read once more to see that it says the same, with the caller's context."""
    said = told(guarded(Quoted), json.dumps({"text": f"so {STRAY}"}), context={"word": STRAY})
    assert json.loads(said) == {"text": "so "}


def test_a_text_that_would_be_changed_once_more_is_the_value_s_own():
    """Where no text of the answer's words is read to the judged value, the value's own JSON is delivered."""
    assert json.loads(told(guarded(Named), '{"name": "Who", "more": "STRAY"}')) == {"name": "Dr. Who"}


# -- what else validators take out -------------------------------------------------------------------------------------


def _less(items: Any) -> Any:
    return type(items)(item for item in items if "STRAY" not in str(item))


def _clean(text: str) -> str:
    return text.replace(STRAY, "x")


class Filled(BaseModel):
    """One list of each kind, from which items go."""

    texts: Annotated[list[str], AfterValidator(_less)] = []
    lines: Annotated[list[Line], AfterValidator(_less)] = []
    pair: Annotated[tuple[str, ...], AfterValidator(_less)] = ()
    names: Annotated[set[str], AfterValidator(_less)] = set()
    spelled: set[Annotated[str, AfterValidator(_clean)]] = set()


class Turned(BaseModel):
    """Of each a validator makes another type."""

    void: Annotated[str | None, BeforeValidator(lambda text: None)] = None
    size: Annotated[int, BeforeValidator(lambda text: len(text) if isinstance(text, str) else text)] = 0
    day: Annotated[date | None, BeforeValidator(lambda text: text.split()[0])] = None
    sure: Annotated[bool, BeforeValidator(bool)] = True
    joined: Annotated[str, BeforeValidator(lambda of: ",".join(_less(of)) if isinstance(of, list) else of)] = ""
    rounded: Annotated[float, AfterValidator(lambda number: round(number, 1))] = 0.0


class Keyed(BaseModel):
    keys: dict[Annotated[str, AfterValidator(_clean)], int]


class Renamed(BaseModel):
    name: str

    @model_validator(mode="before")
    @classmethod
    def first(cls, data: dict[str, Any]) -> dict[str, Any]:
        return {"name": next(iter(data.values()))}


class Folded(BaseModel):
    inner: Json[Ticket]


class Chosen(BaseModel):
    first: str = Field(validation_alias=AliasPath("x", 1))


class Sought(BaseModel):
    first: str = Field("usual", validation_alias=AliasPath("x", "y"))


class Colour(Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> Colour:
        return cls.RED


class Painted(BaseModel):
    colour: Colour = Colour.RED
    link: HttpUrl | None = None
    root: RootModel[Annotated[str, AfterValidator(_clean)]] | None = None


class Cleared(BaseModel):
    kind: str
    rest: str = ""

    @model_validator(mode="after")
    def clear(self) -> Cleared:
        self.rest = ""
        return self


@pytest.mark.parametrize(
    ("contract", "answer", "delivered"),
    [
        (Filled, {"texts": ["a", STRAY]}, {"texts": ["a"]}),
        (Filled, {"lines": [LINE, {"kind": "line", "text": STRAY}]}, {"lines": [LINE]}),
        (Filled, {"pair": [STRAY, "a"]}, {"pair": ["a"]}),
        (Filled, {"names": ["a", STRAY]}, {"names": ["a"]}),
        (Filled, {"spelled": [STRAY]}, {"spelled": ["x"]}),
        (Annotated[list[str], AfterValidator(_less)], [STRAY, "a"], ["a"]),
        (Turned, {"void": STRAY}, {"void": None}),
        (Turned, {"size": STRAY}, {"size": len(STRAY)}),
        (Turned, {"day": f"2024-01-01 {STRAY}"}, {"day": "2024-01-01"}),
        (Turned, {"sure": STRAY}, {"sure": True}),
        (Turned, {"joined": ["a", STRAY, "b"]}, {"joined": "a,b"}),
        (Turned, {"rounded": 1.26}, {"rounded": 1.3}),
        (Keyed, {"keys": {STRAY: 1, "b": 2}}, {"keys": {"x": 1, "b": 2}}),
        (Renamed, {STRAY: "a"}, {"name": "a"}),
        (Folded, {"inner": json.dumps({"team": "a", "more": STRAY})}, {"inner": '{"team":"a"}'}),
        (Folded, {"inner": f'{{"team": "{STRAY}", "team": "a"}}'}, {"inner": '{"team":"a"}'}),
        (Spelled | Chosen, {"x": [STRAY, "a", STRAY]}, {"x": [None, "a"]}),
        (Sought, {"x": STRAY}, {}),
        (Painted, {"colour": STRAY}, {"colour": "red"}),
        (Painted, {"link": "http://x.com/STRAY/../a"}, {"link": "http://x.com/a"}),
        (Painted, {"root": f"a {STRAY}"}, {"root": "a x"}),
        (Cleared, {"kind": "a", "rest": STRAY}, {"kind": "a", "rest": ""}),
    ],
)
def test_what_a_validator_takes_out_is_not_delivered(contract, answer, delivered):
    """Items, keys, texts that became something else: what stands in no value was seen by no guard."""
    assert json.loads(told(guarded(contract), json.dumps(answer))) == delivered


@given(st.data())
def test_whatever_validators_drop_and_redact_is_not_delivered(data):
    """Strays at random in lists of lines: those with one go, and the texts beside them are told as they came."""
    texts = data.draw(st.lists(st.text("ab", max_size=2) | st.just(STRAY), max_size=5))
    answer = {"texts": texts, "lines": [{"kind": "line", "text": text} for text in texts]}
    kept = [text for text in texts if text != STRAY]
    said = json.loads(told(guarded(Filled), json.dumps(answer)))
    assert said == {"texts": kept, "lines": [{"kind": "line", "text": text} for text in kept]}


class Money:
    def __init__(self, text: str) -> None:
        self.text = text


class Priced(BaseModel, arbitrary_types_allowed=True):
    price: Annotated[Money, PlainValidator(Money)]


def test_what_no_type_can_write_is_refused():
    """A type of its author's that pydantic cannot write may hold less than the text did, and nobody can tell."""
    with pytest.raises(Rejected) as caught:
        told(guarded(Priced), '{"price": "5 EUR"}')
    assert caught.value.code == "wrap.unjudged"
    assert [one.code for one in caught.value.outcome.findings] == ["wrap.unjudged"]


# -- values of other kinds ---------------------------------------------------------------------------------------------


class Kinds(BaseModel):
    when: float = Field(default_factory=time.time)
    secret: SecretStr
    inner: Json[Any]
    link: HttpUrl
    ident: UUID
    price: Decimal
    file: Path
    days: set[date]
    by_day: dict[date, Line]


KINDS = {
    "secret": "a b",
    "inner": '{"a": "b c"}',
    "link": "http://x.com",
    "ident": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
    "price": "2.50",
    "file": "a//b",
    "days": ["2024-01-02", "2024-01-01", "2024-01-03", "2024-01-01"],
    "by_day": {"2024-01-01": LINE},
}


@pytest.mark.parametrize("answer", [KINDS, {**KINDS, "more": STRAY}])
def test_values_of_other_kinds_keep_their_spelling(answer):
    """What became a date, a secret, a number is delivered as the model wrote it."""
    assert json.loads(told(guarded(Kinds), json.dumps(answer))) == KINDS


class Sizes(BaseModel):
    model_config = ConfigDict(strict=False)
    size: ByteSize = ByteSize(0)
    sizes: list[ByteSize] = []
    by_size: dict[ByteSize, int] = {}
    when: datetime | None = None
    share: float = 0


@pytest.mark.parametrize(
    ("answer", "delivered"),
    [
        ({"size": f"1 MB {STRAY}"}, {"size": 1000000}),
        ({"sizes": ["2 kB", f"1 MB {STRAY}"]}, {"sizes": [2000, 1000000]}),
        ({"by_size": {f"1 MB {STRAY}": 1}}, {"by_size": {"1000000": 1}}),
        ({"when": "2020-01-01T00:00:00.123456789Z"}, {"when": "2020-01-01T00:00:00.123456Z"}),
        ({"when": "2020-01-01 00:00:00.123456Z"}, {"when": "2020-01-01 00:00:00.123456Z"}),
        ({"share": f"0.5{'0' * 20}7"}, {"share": 0.5}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_text_of_which_the_type_keeps_a_part_is_delivered_in_the_value_s_words(answer, delivered, stream):
    """A size passes over what follows its unit, a time and a number over their last digits: no guard saw any of it."""
    with Server([spoken(json.dumps(answer))]) as server:
        ask = guarded(Sizes).wrap(server.openai()).chat.completions.create
        response = ask(model="m", messages=[{"role": "user", "content": "q"}], stream=stream)
        said = (
            [chunk.choices[0].delta for chunk in response if chunk.choices] if stream else [response.choices[0].message]
        )
    text = "".join(part.content or "" for part in said)
    assert json.loads(text) == delivered


@pytest.mark.parametrize(
    ("contract", "text"),
    [
        (Line, ' {"text" : "a",\n"kind":"line"} '),
        (Spelled, '{"at": {"third": "3"}, "b": "2", "First": "1"}'),
        (Open, '{"text": "a", "more": {"b": "c"}}'),
        (dict[str, Any], '{"a": {"b": 1.50}}'),
        (int, "3"),
        (Line | None, "null"),
    ],
)
def test_what_says_nothing_else_is_delivered_as_it_came(contract, text):
    """To the last blank."""
    assert told(guarded(contract), text) == text


def test_without_guards_a_text_is_delivered_as_it_came():
    """There is nobody who should have seen what the type passes over."""
    text = json.dumps(OTHER)
    assert told(Guarded(Line, on_fail=Raise()), text) == text


# -- XML ---------------------------------------------------------------------------------------------------------------

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Ticket"><xs:complexType><xs:sequence>
<xs:element name="team" type="xs:string"/></xs:sequence></xs:complexType></xs:element></xs:schema>"""
PLAIN = "<Ticket><team>a</team></Ticket>"


@pytest.mark.parametrize(
    "text",
    [
        f"<Ticket><team>a</team><!-- {STRAY} --></Ticket>",
        f"<Ticket><team>a<!--{STRAY}--></team></Ticket>",
        f"<?{STRAY}?>{PLAIN}",
        f"<!-- {STRAY} -->{PLAIN}",
        f'<?xml version="1.0"?><!-- {STRAY} -->{PLAIN}<!-- {STRAY} -->',
    ],
)
@pytest.mark.parametrize("ticket", [guarded(Ticket, format="xml"), guarded(XmlSchema(XSD))], ids=["type", "schema"])
def test_comments_and_instructions_of_xml_are_not_delivered(ticket, text):
    """They are in no value."""
    assert told(ticket, text) == PLAIN


def test_elements_that_the_type_passes_over_are_not_delivered():
    """As members of JSON."""
    assert "STRAY" not in told(guarded(Ticket, format="xml"), f"<Ticket><team>a</team><more>{STRAY}</more></Ticket>")


@pytest.mark.parametrize("text", [PLAIN, f'<?xml version="1.0"?>\n{PLAIN}\n'])
@pytest.mark.parametrize("ticket", [guarded(Ticket, format="xml"), guarded(XmlSchema(XSD))], ids=["type", "schema"])
def test_xml_that_says_nothing_else_is_delivered_as_it_came(ticket, text):
    """With its declaration."""
    assert told(ticket, text) == text


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
QUALIFIED = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:t" targetNamespace="urn:t"
elementFormDefault="qualified"><xs:complexType name="Team"><xs:sequence><xs:element name="team" type="xs:string"
nillable="true"/></xs:sequence></xs:complexType><xs:complexType name="More"><xs:complexContent><xs:extension base="Team">
<xs:sequence><xs:element name="more" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:element name="Ticket" type="Team"/></xs:schema>"""


@pytest.mark.parametrize(
    "text",
    [
        f'<Ticket {XSI} xsi:noNamespaceSchemaLocation="{STRAY}"><team>a</team></Ticket>',
        f'<Ticket {XSI} xsi:schemaLocation="{STRAY}"><team>a</team></Ticket>',
        '<Ticket xmlns:STRAY="words"><team>a</team></Ticket>',
        '<Ticket xmlns:words="STRAY"><team>a</team></Ticket>',
        '<?xml version="1.0" encoding="STRAY"?><Ticket><team>a</team></Ticket>',
    ],
)
@pytest.mark.parametrize("ticket", [guarded(Ticket, format="xml"), guarded(XmlSchema(XSD))], ids=["type", "schema"])
def test_addresses_of_schemas_and_unused_namespaces_are_not_delivered(ticket, text):
    """No value holds them, nor the declaration's words."""
    assert told(ticket, text) == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        f'<Ticket {XSI} xsi:type="STRAY"><team>a</team></Ticket>',
        f'<Ticket {XSI}><team xsi:nil="STRAY">a</team></Ticket>',
        '<Ticket xmlns="STRAY"><team>a</team></Ticket>',
        '<STRAY:Ticket xmlns:STRAY="STRAY"><STRAY:team>a</STRAY:team></STRAY:Ticket>',
    ],
)
def test_of_an_answer_of_a_type_local_names_are_delivered_alone(text):
    """Namespaces and unknown types mean nothing there, so any words may stand in them."""
    assert told(guarded(Ticket, format="xml"), text) == PLAIN


class Nest(BaseModel):
    team: str | None
    lists: list[str]
    part: Line | Note


@pytest.mark.parametrize(
    ("contract", "text", "delivered"),
    [
        (
            guarded(Nest, format="xml"),
            f'<Nest {XSI} xsi:type="STRAY"><team xsi:nil="true"/><lists xmlns:STRAY="http://www.w3.org/2001/XMLSchema"'
            ' xsi:type="STRAY:string"/><part xsi:type="STRAY:Line"><kind>line</kind><text>a</text></part></Nest>',
            f'<Nest xmlns:xs="http://www.w3.org/2001/XMLSchema" {XSI}><team xsi:nil="true"/>'
            '<lists xsi:type="xs:string"/><part xsi:type="Line"><kind>line</kind><text>a</text></part></Nest>',
        ),
        (
            guarded(XmlSchema(QUALIFIED)),
            f'<STRAY:Ticket xmlns:STRAY="urn:t" {XSI}><STRAY:team xsi:nil="1"/></STRAY:Ticket>',
            f'<Ticket {XSI} xmlns="urn:t"><team xsi:nil="true"/></Ticket>',
        ),
        (
            guarded(XmlSchema(QUALIFIED)),
            f'<T:Ticket xmlns:T="urn:t" {XSI} xsi:type="T:More"><T:team>a</T:team><T:more>b</T:more></T:Ticket>',
            f'<n0:Ticket xmlns:n0="urn:t" {XSI} xsi:type="n0:More"><n0:team>a</n0:team><n0:more>b</n0:more></n0:Ticket>',
        ),
    ],
)
def test_what_means_something_is_kept_under_prefixes_of_the_library_s(contract, text, delivered):
    """`nil`, and a `type` that the schema knows: without them the text would be another one."""
    assert told(contract, text) == delivered


def test_a_default_namespace_of_the_schema_s_is_no_reason_to_write_anew():
    """The text says nothing else."""
    text = '<Ticket xmlns="urn:t"> <team>a</team></Ticket>'
    assert told(guarded(XmlSchema(QUALIFIED)), text) == text


def test_what_was_left_out_of_the_text_is_on_record():
    """A response whose text says less than what came has a repair that holds both; one that came so has none."""
    came, left = json.dumps({"team": "blue", "aside": STRAY}), '{"team": "blue"}'
    ticket = guarded(Plain)
    for text, repairs in ((came, [("wrap.unjudged", came, left)]), (left, [])):
        response = asked(Chat(), Chat().body(text), ticket)
        assert response.choices[0].message.content == left
        assert [(one.code, one.before, one.after) for one in outcome_of(response).repairs] == repairs
