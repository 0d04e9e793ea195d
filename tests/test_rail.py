"""RAIL as a contract: what is taken, what the schema is, and that everything else is refused with its line."""

import pickle

import pytest
from lxml import etree

from guards.contracts.rail import Rail
from guards.documents import path_of
from guards.errors import ConfigError
from guards.reading.document import JsonDocument

GRAMMAR = etree.RelaxNG(etree.parse(path_of("rail.rng")))

FULL = """<?xml version="1.0" encoding="UTF-8"?>
<rail version="0.1">
<!-- a comment -->
<output description="a ticket">
  <string name="title" description="short"/>
  <integer name="count" required="false"/>
  <float name="score" required="true"/>
  <bool name="open"/>
  <date name="day"/>
  <time name="at"/>
  <object name="extra"/>
  <list name="tags"/>
  <list name="lines"><object><string name="sku"/></object></list>
  <choice name="pet" discriminator="kind">
    <case name="cat" description="purrs"><integer name="lives"/></case>
    <case name="dog"/>
  </choice>
</output>
</rail>
"""
GOOD = {
    "title": "t",
    "score": 1.5,
    "open": True,
    "day": "2024-02-29",
    "at": "14:30",
    "extra": {"any": 1},
    "tags": [1, "two"],
    "lines": [{"sku": "A"}],
    "pet": {"kind": "cat", "lives": 9},
}


def codes(rail, data):
    return {(finding.path, finding.code) for finding in rail.recheck(JsonDocument(data)).findings}


def test_schema():
    """Types, descriptions and required members stand in the JSON Schema as they stand in the file."""
    schema = Rail(FULL).json_schema()
    assert schema["description"] == "a ticket"
    assert schema["required"] == [name for name in schema["properties"] if name != "count"]
    assert schema["properties"]["title"] == {"type": "string", "description": "short"}
    assert schema["properties"]["day"] == {"type": "string", "format": "date"}
    assert schema["properties"]["extra"] == {"type": "object"}
    assert schema["properties"]["tags"] == {"type": "array"}
    assert schema["properties"]["pet"]["oneOf"][0] == {
        "type": "object",
        "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
        "required": ["kind", "lives"],
        "description": "purrs",
    }


def test_accepts_and_refuses():
    """A fitting answer is taken as plain data; each fault is found at its place."""
    rail = Rail(FULL)
    assert rail.recheck(JsonDocument(GOOD)).value == GOOD
    assert rail.read('{"title": 1}').findings
    bad = {**GOOD, "count": "3", "day": "2023-02-29", "at": "25:00", "lines": [{}], "pet": {"kind": "cow"}}
    del bad["title"]
    assert codes(rail, bad) == {
        ("/title", "schema.required"),
        ("/count", "schema.type"),
        ("/day", "schema.format"),
        ("/at", "schema.format"),
        ("/lines/0/sku", "schema.required"),
        ("/pet/kind", "schema.enum"),
    }
    assert codes(rail, []) == {("", "schema.type")}


@pytest.mark.parametrize("text", ["14:30", "14:30:05", "14:30:05.25", "14:30:00Z", "14:30:00+02:00"])
def test_times(text):
    """A time may stand with or without seconds and offset."""
    assert not codes(Rail(FULL), {**GOOD, "at": text})


@pytest.mark.parametrize(
    ("output", "good", "bad"),
    [
        ("<output/>", {"a": 1}, []),
        ("<output type='object'/>", {}, 1),
        ("<output type='string' description='d'/>", "x", 1),
        ("<output type='date'/>", "2024-01-01", "soon"),
        ("<output type='list'/>", [1], {}),
        ("<output type='list'><integer/></output>", [1], ["a"]),
        ("<output type='list'><list><bool/></list></output>", [[True]], [True]),
        ("<output type='list'><string name='line' required='true'/></output>", ["a"], [1]),
        (
            "<output type='list'><choice discriminator='k'><case name='a'/><case name='b'/></choice></output>",
            [{"k": "a"}],
            [{"k": "c"}],
        ),
    ],
)
def test_outputs(output, good, bad):
    """Every kind of output is a contract, and the grammar takes it too."""
    text = f"<rail>{output}</rail>"
    rail = Rail(text)
    assert not codes(rail, good)
    assert codes(rail, bad)
    assert GRAMMAR.validate(etree.fromstring(text))


def test_grammar_takes_the_full_file():
    """The grammar in schemas/ accepts what the reader accepts."""
    assert GRAMMAR.validate(etree.fromstring(FULL.encode()))


REFUSED = [
    ("<x/>", 1, "the root is <rail>"),
    ("<rail xmlns='u'><output/></rail>", 1, "the root is <rail>"),
    ("<rail version='0.2'><output/></rail>", 1, "unknown version '0.2'"),
    ("<rail lang='en'><output/></rail>", 1, "unknown attribute 'lang' of <rail>"),
    ("<rail/>", 1, "exactly one <output>"),
    ("<rail><output/>\n<output/></rail>", 2, "exactly one <output>"),
    ("<rail>\n<messages/><output/></rail>", 2, "not supported yet: <messages>"),
    ("<rail>\n<prompt>x</prompt><output/></rail>", 2, "not supported yet: <prompt>"),
    ("<rail>\n<instructions/><output/></rail>", 2, "not supported yet: <instructions>"),
    ("<rail><output/>\n<reask_messages/></rail>", 2, "not supported yet: <reask_messages>"),
    ("<rail>\n<other/></rail>", 2, "unknown tag <other>"),
    ("<rail><output>\n<email name='a'/></output></rail>", 2, "unknown tag <email>"),
    ("<rail><output>\n<string/></output></rail>", 2, "<string> has no name"),
    ("<rail><output>\n<string name=''/></output></rail>", 2, "<string> has no name"),
    (
        "<rail><output>\n<string name='a' validators='length: 1 2'/></output></rail>",
        2,
        "not supported yet: .*'validators'",
    ),
    ("<rail><output>\n<string name='a' format='length'/></output></rail>", 2, "not supported yet: .*'format'"),
    (
        "<rail><output>\n<string name='a' on-fail-length='fix'/></output></rail>",
        2,
        "not supported yet: .*'on-fail-length'",
    ),
    ("<rail><output>\n<string name='a' color='red'/></output></rail>", 2, "unknown attribute 'color' of <string>"),
    ("<rail><output>\n<string name='a' discriminator='k'/></output></rail>", 2, "unknown attribute 'discriminator'"),
    ("<rail><output>\n<string name='a' required='yes'/></output></rail>", 2, "required is true or false, not 'yes'"),
    ("<rail><output>\n<string name='a'><bool name='b'/></string></output></rail>", 2, "a string has no children"),
    ("<rail><output>\n<list name='a'><bool/><bool/></list></output></rail>", 2, "at most one child"),
    ("<rail><output>\n<list name='a'><bool required='false'/></list></output></rail>", 2, "cannot be optional"),
    ("<rail><output>\n<choice name='a'><case name='b'/></choice></output></rail>", 2, "no discriminator"),
    ("<rail><output>\n<choice name='a' discriminator='k'/></output></rail>", 2, "has no case"),
    ("<rail><output>\n<choice name='a' discriminator='k'><case/></choice></output></rail>", 2, "<case> has no name"),
    (
        "<rail><output>\n<choice name='a' discriminator='k'><bool name='b'/></choice></output></rail>",
        2,
        "unknown tag <bool>",
    ),
    ("<rail><output type='choice'/></rail>", 1, "unknown type 'choice'"),
    ("<rail><output>\ntext</output></rail>", 1, "<output> holds text"),
    ("<rail><output/>\ntext</rail>", 1, "text after <output>"),
]
BEYOND_THE_GRAMMAR = [
    ("<rail><output><string name='a'/>\n<string name='a'/></output></rail>", 2, "the name 'a' stands twice"),
    (
        "<rail><output>\n<choice name='a' discriminator='k'><case name='b'/><case name='b'/></choice></output></rail>",
        2,
        "the case 'b' stands twice",
    ),
    (
        (
            "<rail><output>\n<choice name='a' discriminator='k'><case name='b'>"
            "<bool name='k'/></case></choice></output></rail>"
        ),
        2,
        "the name 'k' stands twice",
    ),
]


@pytest.mark.parametrize(("text", "line", "message"), [*REFUSED, *BEYOND_THE_GRAMMAR])
def test_refused(text, line, message):
    """What is not taken is named with its line."""
    with pytest.raises(ConfigError, match=message) as caught:
        Rail(text)
    assert caught.value.where == f"RAIL line {line}"


@pytest.mark.parametrize("text", [text for text, _, _ in REFUSED])
def test_grammar_refuses_too(text):
    """The grammar in schemas/ refuses what the reader refuses, save what no grammar can say."""
    assert not GRAMMAR.validate(etree.fromstring(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE rail [<!ENTITY a 'b'>]><rail><output/></rail>", "line 1: a document type definition is refused"),
        ("<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE rail><rail/>", "line 3: a document type definition is refused"),
        ("<!-- <!DOCTYPE -->\n<rail><output>&a;</output></rail>", "line 2: not well-formed XML"),
        ("<rail>\n<output>", "line 2: not well-formed XML"),
        ("<rail>\n" + "<output>" * 400, "not well-formed XML"),
        ("nothing", "no RAIL document; give a file as pathlib.Path"),
        ("<\ud800>", "lone surrogate"),
        (3, "RAIL is text or a pathlib.Path, not int"),
    ],
)
def test_hostile_text(text, message):
    """Entities, broken XML and what is no XML are refused before anything of them is used."""
    with pytest.raises(ConfigError, match=message):
        Rail(text)


def test_files(tmp_path):
    """A file is read by its path; one that is missing or no text is named."""
    file = tmp_path / "a.rail"
    file.write_text(FULL, encoding="utf-8")
    assert Rail(file) == Rail(FULL)
    assert repr(Rail(file)) == f"Rail({file})"
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        Rail(tmp_path / "b.rail")
    assert "b.rail" in caught.value.where
    file.write_bytes(b"<rail>\xff</rail>")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Rail(file)


def test_prompt():
    """The prompt speaks of the members that the file names."""
    assert "lives" in Rail(FULL).prompt()


def test_value():
    """A Rail is a value: equal by content, hashable, pickled by its source."""
    rail = Rail(FULL)
    again = pickle.loads(pickle.dumps(rail))
    assert again == rail
    assert len({rail, again}) == 1
    assert rail != Rail("<rail><output/></rail>")
    assert not codes(again, GOOD)
