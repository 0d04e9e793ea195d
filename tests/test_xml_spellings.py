"""Guards at XPaths: the same is judged however an answer in XML spelled it, and no path leads nowhere unnoticed."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Annotated, Any, Literal, NamedTuple, Union
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    create_model,
    model_validator,
)
from typing_extensions import TypedDict  # pydantic asks for it before Python 3.12

from guards import Finding, Fix, Guarded, check, contract, validate
from guards.contracts import JsonSchema, RelaxNG, XmlSchema
from guards.errors import ConfigError
from guards.reading.answered_xml import is_name, step

READINGS = ("strict", "careful", "eager")
NIL = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"'


@check
def no_evil(value):
    return Finding("test.evil", "evil", fix=value.replace("EVIL", "good")) if "EVIL" in str(value) else None


class Title(BaseModel):
    title: str


class Shelf(BaseModel):
    tags: list[str]
    notes: dict[str, str] = {}


class Inner(BaseModel):
    titles: list[Title]


class Outer(BaseModel):
    inner: Inner


class Either(BaseModel):
    name: str = Field(validation_alias=AliasChoices("full name", "name", "label"))


class ByName(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    a: Annotated[str, AfterValidator(str.strip)] = Field(alias="first name")


class FromList(BaseModel):
    name: str = Field(validation_alias=AliasChoices(AliasPath("names", 0), "name"))


class Cat(BaseModel):
    kind: Literal["cat"]
    text: str


class Dog(BaseModel):
    kind: Literal["dog"]
    text: str


class Titled(Cat):
    model_config = ConfigDict(title="Feline")


class Called(RootModel[Titled | Dog]):
    pass


class CatDict(TypedDict):
    kind: Literal["cat"]
    text: str


class DogDict(TypedDict):
    kind: Literal["dog"]
    text: str


class Line(BaseModel):
    kind: str = "note"
    price: Decimal
    text: str
    more: str | None = None
    many: list[str] = []


class Lines(BaseModel):
    lines: list[Line]


class Kitty(BaseModel):
    kind: Literal["cat"] = "cat"
    text: str


class Puppy(BaseModel):
    kind: Literal["dog"] = "dog"
    text: str
    bark: str = "woof"


class Pets(BaseModel):
    pets: list[Kitty | Puppy]


class FromBoth(BaseModel):
    name: str = Field(validation_alias=AliasChoices(AliasPath("user", "name"), "name"))


class Crossed(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    a: str = Field(alias="b")
    b: str = Field(alias="c")


class Signed(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    id: str = Field(alias="@id")


class Owner(BaseModel):
    pet: Cat | Dog
    others: list[Cat | Dog] = []


class Tree(BaseModel):
    text: str = Field(validation_alias=AliasChoices("text", "words"))
    tree: Tree | None = Field(None, validation_alias=AliasChoices("tree", "branch"))


CAT = "<kind>cat</kind><text>EVIL</text>"
SCHEMA = JsonSchema(
    {"title": "S", "type": "object", "properties": {"a": {"type": "string"}, "b c": {"type": "string"}}}
)
SPELLINGS: list[tuple[Any, list[str], list[str]]] = [
    (
        Title,
        ["/Title/title", "//title", "title", "//entry[@key='title']", '//entry["title" = @key] | //title', "/*/*"],
        ["<Title><title>EVIL</title></Title>", "<Title><entry key='title'>EVIL</entry></Title>"],
    ),
    (
        Shelf,
        ["/Shelf/tags", "//tags[1]", "/Shelf/tags[1]/text()", "/Shelf/entry[@key='tags']", "//*[name()='tags']"],
        [
            "<Shelf><tags>EVIL</tags></Shelf>",
            "<Shelf><tags>EVIL</tags><tags>b</tags></Shelf>",
            "<Shelf><entry key='tags'>EVIL</entry><tags>b</tags></Shelf>",
            "<Shelf><tags><item>EVIL</item></tags></Shelf>",
        ],
    ),
    (
        Shelf,
        ["/Shelf/notes/a", "//a", "/Shelf/notes/entry", "//entry[@key='a']", "//notes/entry[@key!='b']", "//notes/*"],
        [
            "<Shelf><tags>x</tags><notes><a>EVIL</a></notes></Shelf>",
            "<Shelf><tags>x</tags><notes><entry key='a'>EVIL</entry></notes></Shelf>",
            "<Shelf><tags>x</tags><entry key='notes'><a>EVIL</a><notes>x</notes></entry></Shelf>",
        ],
    ),
    (
        Outer,
        ["/Outer/inner/titles/title", "//titles[title]/title", "//inner//title"],
        [
            "<Outer><inner><titles><title>EVIL</title></titles></inner></Outer>",
            "<Outer><entry key='inner'><titles><entry key='title'>EVIL</entry></titles></entry></Outer>",
            "<Outer><inner><entry key='titles'><title>EVIL</title></entry></inner></Outer>",
        ],
    ),
    (
        Either,
        [
            *("/Either/name", "//label", "//entry[@key='full name']", "//entry[@key='name']", "/Either/entry"),
            *("/Either[entry[@key='full name'] = 'EVIL']/name", "//*[self::entry[@key='label'] = 'EVIL']"),
            *("//entry['full name' = @key]", "//*['label' = name(.)]", "//*[not(local-name(.) != 'name') and .]"),
        ],
        [
            "<Either><name>EVIL</name></Either>",
            "<Either><label>EVIL</label></Either>",
            "<Either><entry key='full name'>EVIL</entry></Either>",
            "<Either><entry key='label'>EVIL</entry></Either>",
        ],
    ),
    (
        ByName,
        ["//entry[@key='first name']", "/ByName/a"],
        ["<ByName><a>EVIL</a></ByName>", "<ByName><entry key='first name'> EVIL</entry></ByName>"],
    ),
    (
        FromList,
        ["/FromList/name", "/FromList/names", "//names[1]"],
        ["<FromList><name>EVIL</name></FromList>", "<FromList><names>EVIL</names><names>x</names></FromList>"],
    ),
    (
        Union[Cat, Dog],
        ["/answer/text", "/Cat/text", "//text", "/*/text"],
        [f"<answer>{CAT}</answer>", f"<Cat>{CAT}</Cat>", f"<answer><Cat>{CAT}</Cat></answer>"],
    ),
    (
        Owner,
        ["/Owner/pet/text", "/Owner/pet[kind='cat']/text", "//text"],
        [f"<Owner><pet>{CAT}</pet></Owner>", f"<Owner><pet><Cat>{CAT}</Cat></pet></Owner>"],
    ),
    (
        Owner,
        ["/Owner/others/text", "//others[1]/*[2]"],
        [
            f"<Owner><pet>{CAT.replace('EVIL', 'x')}</pet><others>{CAT}</others></Owner>",
            f"<Owner><pet>{CAT.replace('EVIL', 'x')}</pet><entry key='others'>{CAT}</entry></Owner>",
        ],
    ),
    (
        Lines,
        [
            *("/Lines/lines[kind='note']/text", "//lines[not(kind='x')]/text", "//lines[kind]/text"),
            *("//lines[not(more)]/text", "//lines[not(many)]/text", "//lines[count(*)=3]/text", "//lines[text]/*[3]"),
            *("//lines[price>1000]/text", "//lines[price='1500']/text", "//text[../price=1500.0]"),
            *("//lines[last()]/text", "/Lines[lines/kind]/lines[1]/text"),
        ],
        [
            f"<Lines><lines>{kind}<price>{price}</price><text>EVIL</text>{more}</lines></Lines>"
            for kind in ("", "<kind>note</kind>", "<entry key='kind'>note</entry>")
            for price in ("1500", " 1500.0 ", "+1.5e3")
            for more in ("", f"<more{NIL}/>", f"<more{NIL}/><many{NIL}/>")
        ],
    ),
    (
        Pets,
        ["//pets[kind='dog']/text", "/Pets/pets[2]/text", "//pets[kind='cat']/following-sibling::pets/text"],
        [
            f"<Pets><pets>{first}</pets><pets>{second}</pets></Pets>"
            for first in ("<kind>cat</kind><text>x</text>", "<text>x</text>", "<entry key='text'>x</entry>")
            for second in ("<kind>dog</kind><text>EVIL</text>", "<text>EVIL</text><bark>woof</bark>")
        ],
    ),
    (
        dict[int, str],
        ["/answer/entry[@key='10']", "//entry[@key > 9]", "/answer/entry[contains(@key, '10')]"],
        [f"<answer><entry key='{key}'>EVIL</entry></answer>" for key in ("10", " 10", "010", "1_0", "+10")],
    ),
    (
        FromBoth,
        ["/FromBoth/name", "/FromBoth/user/name", "//name", "/FromBoth/user", "/FromBoth/*[name() = 'name']"],
        [
            "<FromBoth><name>EVIL</name></FromBoth>",
            "<FromBoth><user><name>EVIL</name></user></FromBoth>",
            "<FromBoth><entry key='user'><name>EVIL</name><x>x</x></entry></FromBoth>",
        ],
    ),
    (
        Signed,
        ["/Signed/entry[@key='@id']", "//entry[@key = concat('@', 'id')]", "/Signed/entry", "/*/id"],
        ["<Signed><entry key='@id'>EVIL</entry></Signed>", "<Signed><id>EVIL</id></Signed>"],
    ),
    (
        Called,
        ["/Feline/text", "/Called/text", "/*/text"],
        [f"<{root}>{CAT}</{root}>" for root in ("Called", "Feline", "Dog")],
    ),
    (
        SCHEMA,
        ["/S/a", "//entry[@key='a']"],
        ["<S><a>EVIL</a></S>", "<S><entry key='a'>EVIL</entry></S>"],
    ),
]


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [(kind, path, answer) for kind, paths, answers in SPELLINGS for path in paths for answer in answers],
)
def test_no_spelling_dodges_an_xpath(kind, path, answer, reading):
    """Whatever names the path and the answer use, the part is judged, and mended where that is the policy."""
    ticket = Guarded(kind, format="xml", guards=[no_evil.on(path)], reading=reading)
    assert [finding.code for finding in ticket.validate(answer).findings] == ["test.evil"]
    assert ticket.validate(answer.replace("EVIL", "good")).ok
    fixed = ticket.replace(on_fail=Fix()).validate(answer)
    assert fixed.ok
    assert "EVIL" not in str(fixed.value)


def test_what_an_answer_spelled_is_what_a_finding_shows():
    """The path of a finding is that of the answer, not that of the guard."""
    outcome = validate(
        "<Owner><pet><Cat><kind>cat</kind><entry key='text'>EVIL</entry></Cat></pet></Owner>",
        Owner,
        format="xml",
        guards=[no_evil.on("/Owner/pet/text")],
    )
    assert [finding.path for finding in outcome.findings] == ["/Owner/pet/Cat/entry"]


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        (Union[Cat, Dog], "/Dog/text", f"<Cat>{CAT}</Cat>"),
        (Union[Cat, Dog], "/Dog/text", f"<answer>{CAT}</answer>"),
        (Crossed, "/Crossed/b", "<Crossed><b>x</b><c>EVIL</c></Crossed>"),
        (Crossed, "/Crossed/b", "<Crossed><a>x</a><c>EVIL</c></Crossed>"),
        (Crossed, "/Crossed/c", "<Crossed><b>EVIL</b><c>x</c></Crossed>"),
        (FromList, "/FromList/names[2]", "<FromList><names>EVIL</names><names>x</names></FromList>"),
        (Lines, "//lines[more]/text", f"<Lines><lines><price>1</price><text>EVIL</text><more{NIL}/></lines></Lines>"),
        (Lines, "//kind", "<Lines><lines><price>1</price><text>EVIL</text></lines></Lines>"),
        (Called, "/Dog/text", f"<Feline>{CAT}</Feline>"),
        (Called, "/Dog/text", f"<Dog>{CAT}</Dog>"),
        (Union[CatDict, DogDict], "/DogDict/text", f"<CatDict>{CAT}</CatDict>"),
        (Union[CatDict, DogDict], "/DogDict/text", f"<DogDict>{CAT}</DogDict>"),
        (Shelf, "//entry", "<Shelf><tags>EVIL</tags></Shelf>"),
        (Shelf, "//entry[@key='b']", "<Shelf><tags>x</tags><notes><a>EVIL</a><b>x</b></notes></Shelf>"),
        (Shelf, "/Shelf/notes/tags", "<Shelf><tags>EVIL</tags></Shelf>"),
    ],
)
def test_what_a_path_does_not_mean_is_not_judged(kind, path, answer):
    """Another member of a union, a field of the type in the place of an entry, another key."""
    assert validate(answer, kind, format="xml", guards=[no_evil.on(path)]).ok


XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (Pets, "<Pets><pets><Puppy><text>EVIL</text></Puppy></pets></Pets>"),
        (Pets, f"<Pets><pets {XSI} xsi:type='Puppy'><text>EVIL</text></pets></Pets>"),
        (Pets, f"<Pets {XSI}><pets xsi:type='Puppy'><entry key='text'>EVIL</entry></pets></Pets>"),
        (Union[Kitty, Puppy], "<Puppy><text>EVIL</text></Puppy>"),
        (Union[Kitty, Puppy], "<answer><Puppy><text>EVIL</text></Puppy></answer>"),
        (Annotated[Kitty | Puppy, Field(discriminator="kind")], "<Puppy><text>EVIL</text></Puppy>"),
    ],
)
def test_a_member_that_an_element_names_is_that_member(kind, answer):
    """Where the constant by which members differ is left out, the name says it: of the value, and to a filter."""
    path = "//pets[kind='dog']/text" if kind is Pets else "/*[kind='dog']/text"
    outcome = validate(answer.replace("EVIL", "good"), kind, format="xml", guards=[no_evil.on(path)])
    assert outcome.ok
    assert "Puppy" in repr(outcome.value)
    assert not validate(answer, kind, format="xml", guards=[no_evil.on(path)]).ok


@pytest.mark.parametrize("root", ["answer", "CatDict", "DogDict"])
def test_the_name_of_the_root_does_not_say_which_member_it_is(root):
    """Under whichever name an answer stands, a path to a union's member judges what is of that member."""
    kind = Union[CatDict, DogDict]
    assert not validate(f"<{root}>{CAT}</{root}>", kind, format="xml", guards=[no_evil.on("/CatDict/text")]).ok


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Either, "/Either/*[starts-with(name(), 'label')]"),
        (Either, "//*[contains(local-name(), 'name')]"),
        (Either, "//*[string(name()) = 'label']"),
        (Either, "//*[name() = concat('la', 'bel')]"),
        (Either, "//*[name(..) = 'Either']"),
        (Either, "//name | //*[string-length(name(.)) = 5]"),
        (Either, "//entry[@key]"),
        (Either, "//entry[starts-with(@key, 'full')]"),
        (Either, "//entry[@key='full name' or @key='x']"),
        (Either, "//*[@key='full name']"),
        (Either, "//entry[(@key='full name')]"),
        (Either, "//entry[normalize-space(@key)='full name']"),
        (Either, "//entry[./@key='full name']"),
        (Either, "//entry[attribute::key='full name']"),
        (Either, "//entry[@*='full name']"),
        (Either, "/Either[entry[@key]]/name"),
        (Either, "//name | /descendant::entry[@key]"),
        (Shelf, "/Shelf/notes/a[../@key='notes']"),
        (SCHEMA, "/S/*[@key='b c']"),
    ],
)
def test_a_path_that_reads_names_as_only_some_answers_write_them_is_refused(kind, path):
    """What asks for a piece of a name, or for the key of a field, would miss another spelling of the same."""
    with pytest.raises(ConfigError, match="reads"):
        Guarded(kind, format="xml", guards=[no_evil.on(path)])


@pytest.mark.parametrize("path", ["[@key]", "[@key='a' or @key='b']", "[starts-with(@key, 'a')]", "[@*='a']"])
@pytest.mark.parametrize("way", ["/Shelf/notes/entry", "/Shelf/notes/*"])
@pytest.mark.parametrize("entry", ["<a>EVIL</a>", "<entry key='a'>EVIL</entry>"])
def test_keys_that_the_type_does_not_name_may_be_read_as_texts(way, path, entry):
    """An entry of a dict has its key, however the answer wrote it."""
    answer = f"<Shelf><tags>x</tags><notes>{entry}</notes></Shelf>"
    assert not validate(answer, Shelf, format="xml", guards=[no_evil.on(way + path)]).ok


@pytest.mark.parametrize("answer", ["<Maybe/>", f"<Maybe><a{NIL}/></Maybe>"])
def test_null_is_judged_where_nothing_says_it(answer):
    """A required element that is absent is null, and a guard sees that as it sees `xsi:nil`."""

    class Maybe(BaseModel):
        a: str | None

    none = check(lambda value: "is null" if value is None else None)
    outcome = validate(answer, Maybe, format="xml", guards=[none.on("/Maybe/a")])
    assert [finding.path for finding in outcome.findings] == ["/Maybe/a"]


def test_many_spellings_of_a_deep_answer_take_no_longer():
    """Each element goes by all its names at once: fifty levels of two are no 2**50 ways."""
    answer = "<text>EVIL</text>"
    for _ in range(50):
        answer = f"<text>x</text><branch>{answer}</branch>"
    outcome = validate(f"<Tree>{answer}</Tree>", Tree, format="xml", guards=[no_evil.on("//tree/words")])
    assert [finding.code for finding in outcome.findings] == ["test.evil"]


def test_what_may_stand_in_too_many_places_is_not_passed():
    """Each level may stand in two places, which is a tree of 2**30 elements: the guard says that it cannot judge it."""

    class Twice(BaseModel):
        inner: Twice | None = Field(None, validation_alias=AliasChoices(AliasPath("held", "inner"), "inner"))

    answer = "<inner/>"
    for _ in range(30):
        answer = f"<inner>{answer}</inner>"
    outcome = validate(f"<Twice>{answer}</Twice>", Twice, format="xml", guards=[no_evil.on("//inner")])
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]


# -- any type, any spelling ------------------------------------------------------------------------------------------

NAMES = ["alpha", "beta", "first name", "entry", "delta"]
_serial = count()


class Seen:
    """What a guard saw."""

    def __init__(self, kind: Any, path: str, answer: str) -> None:
        values: list[str] = []
        guard = check(lambda value: values.append(repr(value)))
        self.outcome = validate(answer, kind, format="xml", reading="strict", guards=[guard.on(path)])
        self.values = sorted(values)


@st.composite
def records(draw: Any, depth: int) -> tuple[type[BaseModel], Any]:
    """A model, and a strategy of its data with every way of writing each: (content, [contents])."""
    title = f"M{next(_serial)}"
    fields: dict[str, Any] = {"kind": (Literal[title], ...)}
    parts: dict[str, tuple[list[str], Any]] = {}
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=3))):
        kind, data = draw(kinds(depth))
        also = draw(st.sampled_from([[], [f"other{number}"], [f"other {number}"]]))
        names = [name, *also]
        fields[f"f{number}"] = (kind, Field(validation_alias=AliasChoices(*names)))
        parts[name] = (names, data)
    model = create_model(title, **fields)
    return model, (title, parts)


@st.composite
def kinds(draw: Any, depth: int) -> tuple[Any, Any]:
    sort = draw(st.sampled_from(["text", "texts", "map", "maybe", *(["record", "records", "union"] if depth else [])]))
    if sort in ("text", "texts", "map", "maybe"):
        return {"text": str, "texts": list[str], "map": dict[str, str], "maybe": str | None}[sort], (sort, None)
    first, plan = draw(records(depth - 1))
    if sort != "union":
        return (first if sort == "record" else list[first]), (sort, plan)
    second, _ = draw(records(0))
    return Union[first, second], ("union", plan)


def text_of(draw: Any) -> str:
    return escape(draw(st.sampled_from(["x", "yy", "z & z"])))


def members(draw: Any, plan: Any) -> list[tuple[list[str], list[tuple[str, str]], list[tuple[str, str]]]]:
    """The members of a record: their names, and the elements of each in the usual and in another spelling (attributes,
    content)."""
    title, parts = plan
    made = [(["kind"], [("", title)], [("", title)])]
    for names, (sort, inner) in parts.values():
        usual: list[tuple[str, str]] = []
        other: list[tuple[str, str]] = []
        if sort == "maybe" and draw(st.booleans()):
            usual, other = [(NIL, "")], draw(st.sampled_from([[], [(NIL, "")]]))
        elif sort in ("text", "maybe"):
            usual = other = [("", text_of(draw))]
        elif sort == "texts":
            usual = other = [("", text_of(draw)) for _ in range(draw(st.integers(1, 3)))]
            if draw(st.booleans()):
                other = [("", "".join(f"<item>{text}</item>" for _, text in usual))]
        elif sort == "map":
            keys = draw(st.lists(st.sampled_from(["a", "kind", "b c", "alpha"]), unique=True, min_size=1))
            pairs = [([key], [("", text_of(draw))]) for key in keys]
            usual = [("", "".join(written(draw, *pair, plainly=True) for pair in pairs))]
            other = [("", "".join(written(draw, *pair) for pair in pairs))]
        else:
            for _ in range(draw(st.integers(1, 2)) if sort == "records" else 1):
                held = members(draw, inner)
                usual.append(("", "".join(written(draw, names, first, plainly=True) for names, first, _ in held)))
                content = "".join(written(draw, names, second) for names, _, second in held)
                wrapped = sort == "union" and draw(st.booleans())
                other.append(("", f"<{inner[0]}>{content}</{inner[0]}>" if wrapped else content))
        made.append((names, usual, other))
    return made


def written(draw: Any, names: list[str], elements: list[tuple[str, str]], *, plainly: bool = False) -> str:
    name = names[0] if plainly else draw(st.sampled_from(names))
    by_key = not is_name(name) or (not plainly and draw(st.booleans()))
    tag, key = ("entry", f" key={quoteattr(name)}") if by_key else (name, "")
    return "".join(f"<{tag}{key}{attributes}>{content}</{tag}>" for attributes, content in elements)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_same_is_judged_in_every_spelling(data):
    """Of any type: a path to any element of the usual form, or to an element of that name anywhere, judges the same
    values in every form that is accepted."""
    model, plan = data.draw(records(2))
    held = members(data.draw, plan)
    usual = "".join(written(data.draw, names, first, plainly=True) for names, first, _ in held)
    other = "".join(written(data.draw, names, second) for names, _, second in held)
    usual, other = (f"<{model.__name__}>{content}</{model.__name__}>" for content in (usual, other))
    compiled = contract(model)
    assert validate(usual, compiled, format="xml", reading="strict").ok
    assume(validate(other, compiled, format="xml", reading="strict").ok)
    steps = data.draw(st.sampled_from(list(etree.fromstring(usual).iter())))
    ways = [step(one.get("key") or one.tag) for one in (*reversed(list(steps.iterancestors())), steps)]
    path = data.draw(st.sampled_from(["".join(ways), f"/{ways[-1]}", f"{ways[0]}//*"]))
    first, second = Seen(compiled, path, usual), Seen(compiled, path, other)
    assert first.values
    assert second.values == first.values
    asked = path + data.draw(predicates(ways[-1][1:], steps.get("key") or steps.tag))
    try:
        first, second = Seen(compiled, asked, usual), Seen(compiled, asked, other)
    except ConfigError:
        return
    assert second.values == first.values


def predicates(way: str, name: str) -> st.SearchStrategy[str]:
    """What a path may ask of an element or of what stands around it, in whatever form."""
    text = quoteattr(name)
    own = [f"{reads} {sign} {text}" for reads in ("name()", "local-name(.)", "@key") for sign in ("=", "!=")]
    own += [f"{text} = {reads}" for reads in ("name(.)", "@key", "./@key", "@*", "attribute::key")]
    own += [f"{test}({reads}, {text})" for test in ("starts-with", "contains") for reads in ("name()", "@key", ".")]
    own += [
        "@key",
        f"self::{way}" if "[" not in way else f"self::*[name() = {text}]",
        f"../{way}",
        f"{way}",
        "*",
        "node()",
    ]
    own += ["1", "last()", "position() < 2", ". = 'x'", "count(*) > 1", "string-length(.) > 2", "following-sibling::*"]
    one = st.sampled_from(own)
    some = st.builds("{} {} {}".format, one, st.sampled_from(["and", "or"]), one)
    return st.builds("[{}]".format, st.one_of(one, some, one.map("not({})".format)))


# -- paths that lead nowhere -----------------------------------------------------------------------------------------

XSD = XmlSchema("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="order"><xs:complexType><xs:sequence><xs:element name="line" type="Line" maxOccurs="9"/>
<xs:element name="note" type="xs:string" minOccurs="0"/><xs:element name="more" minOccurs="0"><xs:complexType><xs:sequence>
<xs:any processContents="lax"/></xs:sequence><xs:anyAttribute/></xs:complexType></xs:element></xs:sequence>
</xs:complexType></xs:element>
<xs:complexType name="Line"><xs:sequence><xs:element name="sku" type="xs:string"/></xs:sequence>
<xs:attribute name="id"/></xs:complexType>
<xs:complexType name="Long"><xs:complexContent><xs:extension base="Line"><xs:sequence>
<xs:element name="size" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType></xs:schema>""")
CLOSED_XSD = XmlSchema("""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType>
<xs:sequence><xs:element name="sku" type="xs:string"/></xs:sequence><xs:attribute name="id"/>
</xs:complexType></xs:element></xs:schema>""")
RNG = RelaxNG("""<element name="order" xmlns="http://relaxng.org/ns/structure/1.0"><oneOrMore><element name="line">
<attribute name="id"/><text/></element></oneOrMore></element>""")


class Shut(BaseModel, extra="forbid"):
    note: str
    tags: list[str] = []
    pair: tuple[str, Title] = ("", Title(title=""))


class Name(NamedTuple):
    first: str
    last: str


class Usual(BaseModel):
    note: str
    shut: list[Shut] = []
    also: str = Field("", validation_alias=AliasChoices("also", "two words"))


class Open(BaseModel, extra="allow"):
    note: str
    shut: Shut | None = None


class Moving(BaseModel):
    note: str

    @model_validator(mode="before")
    @classmethod
    def _moved(cls, data: Any) -> Any:
        return data


class Held(BaseModel):
    anything: Any
    titles: dict[str, Title] = {}


DEEP = JsonSchema(
    {
        "title": "Deep",
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"$ref": "#/$defs/I"}}},
        "$defs": {
            "I": {
                "type": "object",
                "properties": {"b": {"type": "string"}, "i": {"$ref": "#/$defs/I"}},
                "additionalProperties": False,
            }
        },
    }
)


@pytest.mark.parametrize(
    ("kind", "path", "known"),
    [
        (Shut, "/note", "//note"),
        (Shut, "Shut/note", "the root is /Shut"),
        (Shut, "/tags", "//tags"),
        (Shut, "/Shut/nota", "note"),
        (Shut, "/Shut/tags/item", "title"),
        (Shut, "//typo", "note, pair"),
        (Shut, "//typo[2]/note", "note"),
        (Shut, "/Shut/note[. = 'a/b']/x/text()", "note"),
        (Shut, "/Shut/entry", "note"),
        (Shut, "//entry[@key='nota']", "note"),
        (Shut, "//note/@key", "name the element"),
        (Usual, "/Usual/nota", "note"),
        (Usual, "/Usual/shut/titel", "title"),
        (Usual, "/Usual/two", "also"),
        (Open, "/note", "//note"),
        (Open, "/Open/note/x", "note"),
        (Open, "/Open/shut/typo", "note"),
        (Held, "/Held/titles/key/typo", "title"),
        (DEEP, "/Deep/a/i/typo", "b, i"),
        (DEEP, "/Deep/a/item", "b, i"),
        (dict[str, Name], "/answer/any/first", "answer"),
        (Union[Cat, Dog], "/Cow/text", "Cat"),
        (Owner, "/Owner/pet/Cat/text", "text"),
        (list[list[str]], "/answer/x", "item"),
        (XSD, "/line", "//line"),
        (XSD, "order/line", "the root is /order"),
        (XSD, "/order/lines", "line"),
        (XSD, "/order/line/@ix", "@id"),
        (XSD, "/order/@id", "//@id"),
        (CLOSED_XSD, "//@x", "@id"),
        (CLOSED_XSD, "//sku/@*", "@id"),
        (RNG, "//typo", "line"),
        (RNG, "/order/@id", "//@id"),
    ],
)
def test_a_path_that_no_answer_can_have_is_refused(kind, path, known):
    """A typo, a wrong root, a missing slash: a guard that would never run is an error that tells the known names."""
    with pytest.raises(ConfigError, match="leads nowhere") as caught:
        Guarded(kind, format=None if isinstance(kind, XmlSchema | RelaxNG) else "xml", guards=[no_evil.on(path)])
    assert known in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (Shut, "note"),
        (Shut, ".//note"),
        (Shut, "./note/text()"),
        (Shut, "/*"),
        (Shut, "//*"),
        (Shut, "/Shut/pair/title"),
        (Shut, "/Shut/note[@any or typo]"),
        (Shut, "//typo | //note"),
        (Shut, "/descendant::note"),
        (Usual, "/Usual/shut/note"),
        (Usual, "//entry[@key='two words']"),
        (Usual, "/Usual/entry"),
        (Open, "/Open/typo/deep"),
        (Open, "//typo"),
        (Moving, "/Moving/typo"),
        (Held, "/Held/anything/x/y"),
        (Held, "/Held/titles/any/title"),
        (Held, "/Held/titles/entry/title"),
        (DEEP, "/Deep/typo"),
        (DEEP, "/Deep/a/i/i/i/b"),
        (dict[str, int], "/answer/x"),
        (dict[str, Name], "/answer/any[2]"),
        (list[list[str]], "/answer/item/item"),
        (Tree, "/Tree/branch/tree/words"),
        (XSD, "/order/line[2]/@id"),
        (XSD, "/order/line/size"),
        (XSD, "/order/more/typo/deep/@x"),
        (XSD, "//typo"),
        (XSD, "line"),
        (CLOSED_XSD, "//@*"),
        (RNG, "//line/@id"),
    ],
)
def test_a_path_that_an_answer_can_have_is_taken(kind, path):
    """What a wildcard, a dict, an open model or a validator may let stand there, and what is more than a plain path."""
    Guarded(kind, format=None if isinstance(kind, XmlSchema | RelaxNG) else "xml", guards=[no_evil.on(path)])
