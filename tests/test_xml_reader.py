"""XML reading: what is taken for a document, what is refused, and at what cost."""

from __future__ import annotations

import pickle

import pytest
from clock import cpu_within
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.contracts import XmlSchema
from guards.errors import ConfigError
from guards.findings import Finding
from guards.reading.reading import Limits, Reading
from guards.reading.xml_document import XmlDocument, element_at, element_path, local_name
from guards.reading.xml_reader import Unreadable, parse_xml, read_xml

LIMITS = Limits()


def judge(root):
    """A contract of its own: an <order> whose text is its value, and no other element inside but <order> and <a>."""
    wrong = [el for el in root.iter() if local_name(el) not in ("order", "a")]
    if wrong:
        return Reading(None, XmlDocument({}, root), tuple(Finding("schema.test", "no", element_path(e)) for e in wrong))
    return Reading("".join(root.itertext()), XmlDocument({}, root))


NAMES = XmlSchema(
    """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType mixed="true">
    <xs:choice minOccurs="0" maxOccurs="unbounded"><xs:element ref="order"/><xs:element name="a" type="xs:string"/>
    </xs:choice></xs:complexType></xs:element></xs:schema>"""
).names


def read(text, dial="careful", limits=LIMITS):
    return read_xml(text, dial, limits, judge, lambda: NAMES)


def codes(reading):
    return [finding.code for finding in reading.findings]


@pytest.mark.parametrize(
    "text",
    [
        "<order>1</order>",
        "  \n<order>1</order>\n",
        "\ufeff<order>1</order>",
        '<?xml version="1.0"?><order>1</order>',
        '  <?xml version="1.0" encoding="utf-16"?>\n<order>1</order>',
        "<?xml version='1.0' encoding='latin-1' standalone='yes'?><order>1</order>",
        "<!DOCTYPE order><order>1</order>",
        "<!DOCTYPE order [<!ELEMENT order ANY>]><order>1</order>",
        "<!-- <!DOCTYPE order SYSTEM 'x'> --><order>1</order><!-- after -->",
        "<order><!-- <!DOCTYPE a [<!ENTITY b 'c'>]> -->1</order>",
        "<?note <!DOCTYPE order SYSTEM 'x'> ?><order>1</order>",
        "<order><![CDATA[1]]></order>",
        "<order>&#49;</order>",
    ],
)
@pytest.mark.parametrize("dial", ["strict", "careful", "eager"])
def test_whole_documents(text, dial):
    """A text that is one document, with what XML allows around its root, is read in every dial, nothing recorded."""
    reading = read(text, dial)
    assert (reading.value, reading.findings, reading.repairs) == ("1", (), ())


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        ("Sure, here it is: <order>1</order>", ["text.prose"]),
        ("<order>1</order>\nHope that helps & good luck <3", ["text.prose"]),
        ("If a < b then:\n<order>1</order>", ["text.prose"]),
        ("```xml\n<order>1</order>\n```", ["text.fence"]),
        ("~~~\n<order>1</order>", ["text.fence"]),
        ("Here:\n```xml\n<?xml version='1.0'?>\n<order>1</order>\n```\nBye", ["text.fence", "text.prose"]),
        ("<think><order>2</order></think><order>1</order>", ["text.think"]),
        ("<thinking>an <order> draft </order>?</thinking>\n<order>1</order>", ["text.think"]),
        ("a draft <order>2</order></think>\n<order>1</order>", ["text.think"]),
        ("Well. <think><order>2</order></think><order>1</order>", ["text.prose"]),
        ("The <order> element is:\n<order>1</order>", ["text.prose"]),
        ("Use `<order>`:\n<order>1</order>", ["text.prose"]),
        ("<order>1</order> and again <order>1</order>", ["text.prose"]),
        ("<reply><order>1</order></reply>", ["text.prose"]),
        ("<!-- <order>2</order> --> so: <order>1</order>", ["text.prose"]),
        ("\0 garbage \ud800 <order>1</order>", ["text.prose"]),
        ("<order><b/></order> is the shape; yours: <order>1</order>", ["text.prose"]),
    ],
)
def test_found_in_its_surroundings(text, repairs):
    """What stands around the one document that fits is set aside and recorded; strict refuses the same text."""
    reading = read(text)
    assert reading.value == "1"
    assert [repair.code for repair in reading.repairs] == repairs
    assert not read(text, "strict").ok


def test_repairs_hold_what_was_set_aside():
    """Prose, fence and thinking part are each recorded with their text."""
    reading = read("<think>hm</think>Here:\n```xml\n<order>1</order>\n```\nBye")
    assert [(r.code, r.before, r.after) for r in reading.repairs] == [
        ("text.think", "<think>hm</think>", None),
        ("text.fence", "```xml … ```", None),
        ("text.prose", "Here: … Bye", None),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "xml.missing"),
        ("   ", "xml.missing"),
        ("I cannot do that.", "xml.missing"),
        ("<", "xml.missing"),
        ("&", "xml.missing"),
        ("<think>I would say <order>1</order>", "xml.missing"),
        ("<think><order>1</order></think> Sorry.", "xml.missing"),
        ("Sure:\n```xml\n<order><a>x", "xml.truncated"),
        ("Sure: <ord", "xml.truncated"),
        ("<order>1</order> or <order>2</order>", "xml.ambiguous"),
        ("<reply>1</reply>", "schema.test"),
    ],
)
def test_refusals(text, code):
    """Each way of being no answer has its code, and no value is given."""
    reading = read(text)
    assert codes(reading) == [code]
    assert reading.value is None or not reading.ok


@pytest.mark.parametrize("text", ["", "I cannot.", "<order>", "```\n<order>1</order>\n```", "<order>1</order>x"])
def test_strict_says_syntax(text):
    """In strict reading any text that is not a document is `xml.syntax`."""
    assert codes(read(text, "strict")) == ["xml.syntax"]


def test_syntax_says_line_and_column_of_the_answer():
    """The place in a syntax finding counts from the start of the answer, not of the part that was tried."""
    reading = read("\n\n  <order>\n a & b</order>", "strict")
    assert "line 4, column 5" in reading.findings[0].message


def test_eager_takes_the_last_and_says_so():
    """Of several different documents that fit, eager takes the last and records the ones it passed over."""
    reading = read("<order>1</order> or <order>2</order> or <order>1</order> or <order>3</order>", "eager")
    assert reading.value == "3"
    assert [r.before for r in reading.repairs if r.code == "xml.last"] == [["<order>2</order>", "<order>1</order>"]]


BOMB = '<!DOCTYPE order [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "]><order>&j;</order>",
        BOMB + "]><order a='&j;'/>",
        "<!DOCTYPE order [<!ENTITY lt '&#38;#60;'>]><order>1</order>",
        "<!DOCTYPE order SYSTEM 'http://127.0.0.1:9/x.dtd'><order>1</order>",
        "<!DOCTYPE order PUBLIC 'a' 'b'><order>1</order>",
        "<!DOCTYPE order [<!ENTITY % p SYSTEM 'file:///etc/passwd'> %p;]><order>1</order>",
        "<?xml version='1.0'?><!-- hm --><!DOCTYPE order [<!ENTITY x 'y'>]><order>1</order>",
        "Here:\n```xml\n<!DOCTYPE order [<!ENTITY x 'y'>]><order>1</order>\n```",
        "<!DOCTYPE order><!DOCTYPE order [<!ENTITY x 'y'>]><order>&x;</order>",
    ],
)
@pytest.mark.parametrize("dial", ["careful", "eager"])
def test_document_types_that_declare_are_refused(text, dial):
    """Entities and outside subsets are refused by code, wherever the declaration stands, and cost nothing."""
    with cpu_within(4):
        assert codes(read(text, dial)) == ["xml.doctype"]


def test_no_file_is_read(tmp_path):
    """Neither an external entity nor XInclude nor a schema location brings a file's content into any result."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY")
    uri = canary.as_uri()
    include = f'<order xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{uri}" parse="text"/></order>'
    for text in (
        f'<!DOCTYPE order [<!ENTITY x SYSTEM "{uri}">]><order>&x;</order>',
        f'x <!DOCTYPE order [<!ENTITY x SYSTEM "{uri}">]><order>&x;</order>',
        include,
    ):
        for dial in ("strict", "careful", "eager"):
            reading = read(text, dial)
            assert not reading.ok
            assert "CANARY" not in repr(reading)
    assert codes(read(include)) == ["xml.xinclude"]


@pytest.mark.parametrize(
    "text",
    [
        "<order>" * 10_000,
        "<a>" * 1_000_000,
        "x" + "<order>" * 140_000,
        "<a" * 500_000,
        "<order><a></order>" * 50_000,
        "<order>" * 60_000 + "</order>" * 60_000,
        "x" + "<order>" * 60_000 + "</order>" * 60_000,
        "".join(f'<order i="{i}"/>' for i in range(50_000)),
        "<!--" * 250_000,
        "<![CDATA[" * 100_000,
        "<!DOCTYPE" * 100_000,
        "x <?" * 200_000,
        "<order a=\"'" * 80_000,
        "x <order/><think></think>" * 40_000,
        "</think>" * 120_000,
        "`<order>`" * 100_000,
        "&" * 1_000_000,
        "\0" * 5_000_000,
        "x" * 5_000_000,
    ],
    ids=lambda text: text[:24].replace("\0", "NUL"),
)
def test_hostile_texts_are_answered_quickly(text):
    """Garbage of a megabyte and more is answered in every dial within two seconds and without an exception."""
    for dial in ("strict", "careful", "eager"):
        with cpu_within(2):
            reading = read(text, dial)
        assert reading.ok == (text.startswith("x <order/><think>") and dial != "strict")


def test_limits_are_findings():
    """Past each limit the finding names it; a text within them is read whole, 5 MB in one text node included."""
    assert codes(read("<order>12345</order>", limits=Limits(chars=10))) == ["limit.chars"]
    assert codes(read("x <order>1</order>", limits=Limits(repair_chars=10))) == ["xml.syntax", "limit.repair_chars"]
    assert codes(read("<order><a><a/></a></order>", limits=Limits(depth=2))) == ["limit.depth"]
    assert read("<order><a><a/></a></order>", limits=Limits(depth=3)).ok
    assert codes(read("<order>" * 5 + "</order>" * 5, limits=Limits(depth=3))) == ["limit.depth"]
    assert codes(read("so " + "<order>" * 5, limits=Limits(depth=3))) == ["limit.depth"]
    assert codes(read("<a>" * 3000 + "</a>" * 3000, limits=Limits(depth=5000))) == ["limit.depth"]
    assert codes(read("".join(f"<order>{i}</order>" for i in range(101)))) == ["limit.candidates"]
    assert len(read("<order>" + "x" * 5_000_000 + "</order>").value) == 5_000_000
    assert len(read("<order>" + "é" * 9_900_000 + "</order>").value) == 9_900_000


def test_inner_parts_are_no_answer():
    """A part of a document that does not fit is never taken for the answer."""
    assert read("<order>0<b>2</b><order>1</order></order>").value != "1"
    assert read("so <order>a & b <order>1</order></order>").value == "a & b 1"


def test_thinking_may_be_the_document():
    """Where the contract's own root is called `thinking`, it is no thinking part."""
    assert parse_xml("<thinking>1</thinking>", LIMITS).text == "1"
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="thinking"/></xs:schema>'
    assert XmlSchema(schema).read("So: <thinking>1</thinking>").value == "1"


def test_parse_raises_with_the_finding():
    """`parse_xml` says why a text is no document."""
    with pytest.raises(Unreadable) as caught:
        parse_xml("<a>", LIMITS)
    assert caught.value.finding.code == "xml.syntax"


PIECES = [
    *(
        "<order>",
        "</order>",
        "<order a='",
        "<a>",
        "</a>",
        "<a/>",
        "<think>",
        "</think>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
    ),
    *("<!DOCTYPE order>", "<?xml version='1.0'?>", "```", "\n", "x", "&", "<", '"', "\0"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(["strict", "careful", "eager"]))
def test_arbitrary_markup_never_raises(text, dial):
    """Any mixture of markup gives a reading with findings or a value, and no finding quotes more than 80 characters."""
    reading = read(text, dial)
    assert reading.ok or reading.findings
    assert all(len(str(finding.actual)) <= 80 for finding in reading.findings)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_arbitrary_text_never_raises(text):
    """Any text at all is answered, and one that is no document gives no value."""
    assert not read(text).ok


# -- the document ------------------------------------------------------------------------------------------------


def document():
    source = (
        '<o:order xmlns:o="urn:o" id="7" o:kind="k"><line>a</line><line n="2">b<note/></line><total>3</total></o:order>'
    )
    data = {
        "@id": "7",
        "@kind": "k",
        "line": ["a", {"@n": "2", "#text": "b", "note": ""}],
        "total": 3,
    }
    return XmlDocument(data, parse_xml(source, LIMITS))


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ((), "/order"),
        (("@id",), "/order/@id"),
        (("line", 0), "/order/line[1]"),
        (("line", 1, "#text"), "/order/line[2]/text()"),
        (("line", 1, "note"), "/order/line[2]/note"),
        (("total",), "/order/total"),
    ],
)
def test_places_and_paths(place, path):
    """A place and its XPath lead to each other."""
    assert document().path(place) == path
    assert document().place(path) == place


def test_paths_of_what_is_missing():
    """A place that is not there is shown where it should stand, and a path that is not there is no place."""
    read = document()
    assert read.path(("line",)) == "/order/line"
    assert read.path(("tax",)) == "/order/tax"
    assert read.path(("line", 4, "sku")) == "/order/line[5]/sku"
    assert read.path(("line", 0, "@n")) == "/order/line[1]/@n"
    for path in (
        "/order/tax",
        "/other",
        "/order/line[9]",
        "/order/@no",
        "order",
        "//line",
        "",
        "/order/text()",
    ):
        assert read.place(path) is None


def test_element_paths():
    """An element's path leads back to it."""
    root = document().root
    for element in root.iter():
        assert element_at(root, element_path(element)) is element
    assert element_at(root, "/order/line[3]") is None


@pytest.mark.parametrize(
    ("expression", "places"),
    [
        ("/order", [()]),
        ("//line", [("line", 0), ("line", 1)]),
        ("line[2]/@n", [("line", 1, "@n")]),
        ("/order/line/text()", [("line", 0), ("line", 1, "#text")]),
        ("@kind", [("@kind",)]),
        (".//note/..", [("line", 1)]),
        ("total | @id", [("@id",), ("total",)]),
        ("//none", []),
    ],
)
def test_select(expression, places):
    """An XPath gives places by local names, absolute or from the root element."""
    assert document().select(expression) == places


@pytest.mark.parametrize("expression", ["//[", "count(//line)", "document('x')", "$a", "re:test(., 'a')", "x:line", ""])
def test_select_refuses(expression):
    """What is no XPath, reaches out of the document or names no node is an error where it is written."""
    with pytest.raises(ConfigError) as caught:
        document().select(expression)
    assert caught.value.where == ".on()"


def test_replace_and_remove():
    """Edits give another document with its tree changed and leave the first one as it was."""
    first = document()
    changed = first.replace(("line", 1, "#text"), "c").replace(("@id",), 8).replace(("total",), True)
    assert [changed.root[1].text, changed.root.get("id"), changed.root[2].text] == ["c", "8", "true"]
    assert changed.data["total"] is True
    shorter = first.remove(("line", 0)).remove(("@kind",)).remove(("line", 0, "note"))
    assert [local_name(child) for child in shorter.root] == ["line", "total"]
    assert shorter.data == {"@id": "7", "line": [{"@n": "2", "#text": "b"}], "total": 3}
    assert [local_name(child) for child in first.remove(("line",)).root] == ["total"]
    assert first.remove(("line", 1, "#text")).root[1].text == ""
    nil = first.replace(("total",), None).root[2]
    assert nil.get("{http://www.w3.org/2001/XMLSchema-instance}nil") == "true"
    more = first.replace(("line",), ["x", "y", {"@n": 1, "#text": "z"}])
    assert [(child.text, child.get("n")) for child in more.root] == [("x", None), ("y", None), ("z", "1"), ("3", None)]
    whole = first.replace((), {"@id": "1", "total": 5, "extra": {"deep": 1.5}})
    assert [local_name(el) for el in whole.root.iter()] == ["order", "total", "extra", "deep"]
    assert first.data == document().data
    assert len(first.root) == 3


def test_edits_that_cannot_be():
    """An edit of a place that is not there, or to something that XML cannot hold, gives None."""
    first = document()
    assert first.remove(()) is None
    assert first.remove(("tax",)) is None
    assert first.replace(("tax",), 1) is None
    assert first.replace(("total",), "\0") is None
    assert first.replace(("@id",), "\0") is None
    assert first.replace(("@id",), [1]) is None
    assert first.replace((), {"a b": 1}) is None
    assert first.replace(("line", 0), [1]) is None


def test_removing_keeps_the_text_behind():
    """Text that stands behind a removed element stays, before other elements and after."""
    root = parse_xml("<r>a<b/>c<b/>d<e/>f</r>", LIMITS)
    whole = XmlDocument({"b": ["", ""], "e": "", "#text": "acdf"}, root)
    assert "".join(whole.remove(("b", 0)).remove(("e",)).root.itertext()) == "acdf"
    assert whole.remove(("b", 0)).remove(("b", 0)).data == {"e": "", "#text": "acdf"}
    assert whole.replace(("e",), float("inf")).root[2].text == "INF"
    assert whole.replace(("e",), float("nan")).root[2].text == "NaN"
    assert whole.replace(("b",), [{"@k": 1, "x": [True, None]}]).root[0][0].text == "true"


def test_documents_pickle():
    """A document keeps its data and its tree through pickle."""
    back = pickle.loads(pickle.dumps(document()))
    assert back.data == document().data
    assert back.path(("line", 1)) == "/order/line[2]"
