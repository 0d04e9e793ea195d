"""What a JSON answer says is what is read: quotes left bare, brackets too early, prose and half answers never make a value."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from guards import Guarded, Limits, Raise, Reply, validate
from guards.contracts import JsonSchema
from guards.errors import Rejected

REFUSED = object()


class Review(BaseModel):
    summary: str
    score: int | None = None


class Post(BaseModel):
    title: str
    body: str | None = None
    tags: list[str] = []


class Verdict(BaseModel):
    comment: str
    approved: bool | None = None
    note: str | None = None


class Row(TypedDict, total=False):
    t: str
    u: str


class Parcel(BaseModel):
    sku: str
    qty: int
    note: str | None = None


@dataclasses.dataclass
class Item:
    item: str
    price: float


@dataclasses.dataclass
class Path:
    path: str
    n: int = 0


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str
    lives: int | None = None


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str | None = None


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    full_name: str = Field(alias="fullName")
    age: int | None = None


OPEN = JsonSchema(
    {
        "type": "object",
        "properties": {"summary": {"type": "string"}, "score": {"type": "integer"}},
        "required": ["summary"],
    }
)


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=False, exclude_unset=True)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def read(text: str, kind: Any, dial: str = "careful", **options: Any) -> Any:
    outcome = validate(text, kind, reading=dial, **options)
    return plain(outcome.value) if outcome.ok else REFUSED


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ('{"summary": "Use dict["key"] here", "score": 3}', Review, {"summary": 'Use dict["key"] here', "score": 3}),
        ('{"summary": "Use dict["key"] here", "score": 3}', OPEN, {"summary": 'Use dict["key"] here', "score": 3}),
        ('{"summary": "set {"a"} of one", "score": 3}', Review, {"summary": 'set {"a"} of one', "score": 3}),
        ('{"summary": "f({"a": ["b"]}) works", "score": 3}', OPEN, {"summary": 'f({"a": ["b"]}) works', "score": 3}),
        ('{"summary": "a["x"]["y"]", "score": 3}', Review, {"summary": 'a["x"]["y"]', "score": 3}),
        ('[{"t": "a = ["x"]"}, {"t": "b"}]', list[Row], [{"t": 'a = ["x"]'}, {"t": "b"}]),
        ('[{"t": "a = {"x"}"}, {"u": "b"}, {"t": "c"}]', list[Row], [{"t": 'a = {"x"}'}, {"u": "b"}, {"t": "c"}]),
        ('{"rows": [{"t": "["x"]"}, {"t": "b"}]}', dict[str, list[Row]], {"rows": [{"t": '["x"]'}, {"t": "b"}]}),
        ('["use ["x"] or ["y"]", "b"]', list[str], ['use ["x"] or ["y"]', "b"]),
        ("{'t': 'a = ['x']', 'u': 'it's'}", Row, {"t": "a = ['x']", "u": "it's"}),
        ('{"summary": "Use dict["key"] here", "score": 3,}', Review, {"summary": 'Use dict["key"] here', "score": 3}),
        ('Here:\n```json\n{"summary": "the "x" one", "score": 3}\n```', Review, {"summary": 'the "x" one', "score": 3}),
    ],
)
def test_quotes_beside_brackets_in_a_text(text, kind, meant, dial):
    """A bracket behind a quote ends a text only where the document goes on: nothing is cut off, no member, no item."""
    assert read(text, kind, dial) == meant


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        (
            '{"title": "T", "body": "Intro.\n\ntitle: does this"}',
            Post,
            {"title": "T", "body": "Intro.\n\ntitle: does this"},
        ),
        ('{"title": "T", "body": "a\nbody: b\ntags: c"}', Post, {"title": "T", "body": "a\nbody: b\ntags: c"}),
        ('{"body": "x\n\t"\n, "title": "T"}', Post, {"body": "x\n\t", "title": "T"}),
        ('[{"t": "1\nu: 2"}, {"u": "3"}]', list[Row], [{"t": "1\nu: 2"}, {"u": "3"}]),
        ('{"summary": "one\nscore: 2", "score": 3}', OPEN, {"summary": "one\nscore: 2", "score": 3}),
        ('{"body": "see\n} [1, 2] {\nend", "title": "T"}', Post, {"body": "see\n} [1, 2] {\nend", "title": "T"}),
    ],
)
def test_raw_line_breaks_are_text(text, kind, meant, dial):
    """Where only control characters keep a text from being JSON, it is that JSON: no line of a text becomes a member."""
    assert read(text, kind, dial) == meant


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        (
            '{"approved": false, "comment": "user wrote "ok", "approved": true"}',
            Verdict,
            {"approved": False, "comment": 'user wrote "ok", "approved": true'},
        ),
        ('{"comment": "user wrote "ok", "approved": true"}', Verdict, {"comment": 'user wrote "ok", "approved": true'}),
        ('{"comment": "user wrote "ok", "note": "yes""}', Verdict, {"comment": 'user wrote "ok", "note": "yes"'}),
        ('{"comment": "ok", "approved": true"}', Verdict, {"comment": 'ok", "approved": true'}),
        ('{"note": "n", "comment": "a "b", "note": "c" d"}', Verdict, {"note": "n", "comment": 'a "b", "note": "c" d'}),
        ('[{"t": "he said "x", "u": 1"}, {"t": "b"}]', list[Row], [{"t": 'he said "x", "u": 1'}, {"t": "b"}]),
        ('{"summary": "wrote "ok", "score": 5", "score": 1}', OPEN, {"summary": 'wrote "ok", "score": 5', "score": 1}),
    ],
)
def test_a_quotation_never_sets_another_field(text, kind, meant, dial):
    """Quoted words that look like a member stay a part of their text, or the answer is refused."""
    assert read(text, kind, dial) in (meant, REFUSED)
    if "comment" in text and "false" in text:
        assert read(text, kind, dial) == meant


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ('{"sku": "A", "qty": 2}, "note": "leave at door"}', Parcel, {"sku": "A", "qty": 2, "note": "leave at door"}),
        ('{"sku": "A", "qty": 2}, note: "leave at door"}', Parcel, {"sku": "A", "qty": 2, "note": "leave at door"}),
        (
            '{"sku": "A", "qty": 2},\n"note": "leave at door"\n}',
            Parcel,
            {"sku": "A", "qty": 2, "note": "leave at door"},
        ),
        ('{"sku": "A", "qty": 2}, "note": "x", "more": 1}', Parcel, {"sku": "A", "qty": 2, "note": "x"}),
        ('["a", "b"], "c"]', list[str], ["a", "b", "c"]),
        ("[1, 2], 3]", list[int], [1, 2, 3]),
        ('[{"t": "a"}], {"t": "b"}]', list[Row], [{"t": "a"}, {"t": "b"}]),
        ('"note": "x", {"sku": "A", "qty": 2}', Parcel, REFUSED),
        ('{"note": "x"}\n"sku": "A"', Row, REFUSED),
        ('{"summary": "a"}\n\n"score": 3}', Review, REFUSED),
        ('{"summary": "a"}, {"score": 3}', Review, REFUSED),
        ('{"note": "see {"sku": "A", "qty": 2} there', Parcel, REFUSED),
    ],
)
def test_what_stands_behind_a_bracket_is_looked_at(text, kind, meant, dial):
    """Members or items behind a bracket that came too early belong to the document, or it is refused."""
    assert read(text, kind, dial) in (meant, REFUSED)


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I can't help with that. See [our policy](https://x.org).", list[str]),
        ("The result is [REDACTED].", list[str]),
        ("Result: [REDACTED]. Sorry.", list[str]),
        ("- [ ] buy milk\n- [x] call Bob", list[str]),
        ("Dear {customer}, we can not do that.", list[str]),
        ("As others found [3], this is hard.", list[int]),
        ("I could not find any. The list [] stays empty, I fear.", list[str]),
        ("I'm sorry, but I can't help with that.", Review),
        (
            "I'm sorry, but I can't help with that.",
            JsonSchema({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}),
        ),
        ("I'm sorry, I can't.", list[str]),
        ("See [our policy](https://x.org) and [this](https://y.org).", JsonSchema({"type": "array"})),
    ],
)
def test_prose_is_no_data(text, kind, dial):
    """A link, a placeholder, a note's number or an apology is no list and no object, in eager neither."""
    assert read(text, kind, dial) is REFUSED


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("The list:\n[apple, pear]\n", list[str], ["apple", "pear"]),
        ("```\n[apple, pear]\n```", list[str], ["apple", "pear"]),
        ("[apple]", list[str], ["apple"]),
        ("The answer is [1, 2, 3].", list[int], [1, 2, 3]),
        ('The tags are ["a"].', list[str], ["a"]),
        ("Answer: [7]", list[int], [7]),
        ("The labels are [spam, ham].", list[Literal["spam", "ham"]], ["spam", "ham"]),
    ],
)
def test_data_in_prose_is_data(text, kind, meant):
    """What stands apart, or has the marks of data, is read as before."""
    assert read(text, kind) == meant


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ('{"item": "TV", "price": 12', Item, REFUSED),
        ('{"item": "TV", "price": 12\n}', Item, {"item": "TV", "price": 12.0}),
        ('{"price": 3, "item": "T', Item, REFUSED),
        ('{"kind": "cat", "name": "To', Cat | Dog, REFUSED),
        ('{"kind": "cat", "name": "To', Annotated[Cat | Dog, Field(discriminator="kind")], REFUSED),
        ('{"kind": "dog", "name": "Re', Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "dog"}),
        ('{"summary": "ok", "score": 1', Review, {"summary": "ok"}),
        ('{"summary": "ok", "reasoning"', Review, {"summary": "ok"}),
        ('{"summary": "ok", "reasoning": ', OPEN, {"summary": "ok"}),
        ('{"summary": "ok", "reason', Review, {"summary": "ok"}),
        ('{"comment": "ok", "note": "caf\\u00', Verdict, {"comment": "ok"}),
        ('{"comment": "caf\\u00', Verdict, REFUSED),
        ('{"comment": "ok", "note": "half a te', Verdict, {"comment": "ok"}),
        ('{"comment": "ok", "approved": tru', Verdict, {"comment": "ok"}),
        ('{"rows": [{"t": "a"}, {"t": "b', dict[str, list[Row]], {"rows": [{"t": "a"}, {}]}),
        ('["a", "b', list[str], REFUSED),
        ('{"title": "T", "tags": ["a", "b', Post, {"title": "T"}),
        ("[1, 2", list[int], REFUSED),
        ('{"summary": "a", "rows": [{"t": "b"}, {"t": "c", "n": 1},', Review, {"summary": "a"}),
        (
            '{"comment": "a", "rows": [{"t": "b"},',
            JsonSchema({"type": "object"}),
            {"comment": "a", "rows": [{"t": "b"}]},
        ),
    ],
)
def test_what_was_cut_is_left_out_or_refused(text, kind, meant, dial):
    """A member that the end of the text cut through is left out where it may be missing, and that is recorded."""
    outcome = validate(text, kind, reading=dial)
    got = plain(outcome.value) if outcome.ok else REFUSED
    assert got in (meant, REFUSED)
    if outcome.ok and "\n}" not in text:
        assert "json.truncated" in {repair.code for repair in outcome.repairs}
    if meant is REFUSED:
        assert [finding.code for finding in outcome.findings] == ["json.truncated"]


class Sized(BaseModel):
    size: str
    city: str | None = None


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize("before", ["a b", "5", "a ", "", "a.", "„b“ a"])
@pytest.mark.parametrize("mark", "“«»„”")
def test_a_mark_of_print_for_the_closing_quote_glues_nothing(mark, before, dial):
    """Items and members stay apart, or are refused, where one of them ends with a quote of print; one in a quotation pairs."""
    assert read(f'["{before}{mark}, "c"]', list[str], dial) in ([before, "c"], REFUSED)
    member = read(f'{{"size": "{before}{mark}, "city": "b"}}', Sized, dial)
    assert member in ({"size": before, "city": "b"}, REFUSED)
    assert read('{"size": "das „Wort" ist", "city": "(«x" y)"}', Sized, dial) == {
        "size": 'das „Wort" ist',
        "city": '(«x" y)',
    }


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        # The bracket at the end closes one of the text's own.
        ('{"size": "def f(): return {1: 2}', Sized, REFUSED),
        ('{"size": "f() {\n  return 1\n}', Sized, REFUSED),
        ('{"city": "Oslo", "size": "{x}', Sized, REFUSED),
        ('["a", "b[0]', list[str], REFUSED),
        ('[["a", "b[0]]', list[list[str]], REFUSED),
        ('{"size": "a", "city": "see {1}', Sized, {"size": "a"}),
        # It closes the document.
        ('{"size": "a (b)}', Sized, {"size": "a (b)"}),
        ('{"size": "15", "city": "Oslo}', Sized, {"size": "15", "city": "Oslo"}),
        # A quote behind a comma begins the next member.
        ('{"size": "15", "', Sized, {"size": "15"}),
        ('{"size": "15","', Sized, {"size": "15"}),
        ('{"size": "15"", "', Sized, {"size": '15"'}),
        ('{"size": "say "a" or "b"", "', Sized, {"size": 'say "a" or "b"'}),
        ('{"size": "15", "}', Sized, REFUSED),
        ('["a", "15", "]', list[str], REFUSED),
        ('["15", "', list[str], REFUSED),
        # The last quote closes a quotation, so that the text may go on.
        ('{"size": "say "hi"', Sized, REFUSED),
        ('{"size": "say "hi", "', Sized, REFUSED),
        ('["say "hi"', list[str], REFUSED),
        ('{"size": ""a" and "', Sized, REFUSED),
        ('{"size": "say "a",', Sized, REFUSED),
        ('{"size": "say "a", "b" c', Sized, REFUSED),
        ('{"size": "say "hi" now"', Sized, {"size": 'say "hi" now'}),
        ('{"size": "say "hi""', Sized, {"size": 'say "hi"'}),
        # A backslash is the last character, or the one before a quote that may be escaped.
        ('{"size": "C:\\', Sized, REFUSED),
        ('{"size": "C:\\a\\', Sized, REFUSED),
        ('{"size": "\\\\srv\\share\\', Sized, REFUSED),
        ('{"size": "he said \\"', Sized, REFUSED),
        ('{"size": "C:\\"', Sized, REFUSED),
        ('{"size": "C:\\" ', Sized, REFUSED),
        ('["a", "C:\\', list[str], REFUSED),
    ],
)
def test_half_a_text_is_never_delivered_as_whole(text, kind, meant, dial):
    """Where nothing but the end of the answer ends a text, what is there of it is no text."""
    assert read(text, kind, dial) == meant


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('{"summary": "ok}', False),
        ('{"summary": "ok", "score": 1', False),
        ('{"summary": "ok", "score": 1}', True),
        ('{"summary": "ok"', False),
        ('{"summary": "ok", "reas', False),
        ("{'summary': 'ok'}", True),
        ('```json\n{"summary": "ok"}\n```\nBut mind th', True),
    ],
)
def test_nothing_cut_is_delivered_where_the_client_says_length(text, whole):
    """An answer that the token limit cut off holds only where its document was closed."""

    def model(messages: list[Any]) -> Reply:
        return Reply(text, finish_reason="length")

    ticket = Guarded(Review, on_fail=Raise())
    if whole:
        assert ticket.call(model, "?").summary == "ok"
    else:
        with pytest.raises(Rejected) as caught:
            ticket.call(model, "?")
        assert [finding.code for finding in caught.value.outcome.findings] == ["json.truncated"]


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"C:\bin\app.exe", r"C:\bin\app.exe"),
        (r"C:\new\reports\table.xls \d", r"C:\new\reports\table.xls \d"),
        (r"$\frac{\alpha}{\beta}$", r"$\frac{\alpha}{\beta}$"),
        (r"$\nabla \times \rho \sum$", r"$\nabla \times \rho \sum$"),
        (r"^\d{3}-\w+\b$", r"^\d{3}-\w+\b$"),
        (r"\s*\bfoo\b\n", "\\s*\\bfoo\\b\\n"),
        (r"Use $\alpha$.\nThen $\beta$:\n- one", "Use $\\alpha$.\nThen $\\beta$:\n- one"),
        ("Use $\\alpha$.\nthen $\\beta$", "Use $\\alpha$.\nthen $\\beta$"),
        (r"caf\u00e9 \_x\_", "café \\_x\\_"),
    ],
)
def test_backslashes_that_were_never_escaped(written, meant, dial):
    """A text with an escape that means nothing was not escaped: `\\b` and `\\f` are no control characters in it."""
    assert read('{"path": "%s", "n": 1}' % written, Path, dial) == {"path": meant, "n": 1}
    assert read('[{"t": "%s"}]' % written, list[Row], dial) == [{"t": meant}]


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    "mark", [r"\(x\)", r"\[x\]", r"\{x\}", r"\*x\*", r"\$5", r"a\.b", r"a\|b", r"a\-b", r"\sqrt{2}"]
)
def test_a_line_break_behind_escaped_marks(mark, dial):
    """Escaped marks are Markdown or a formula as well as a pattern: what follows tells a line break, or nobody can."""
    for behind in ("Then", "\\nThen", " 2", "- one", "1. one", "\\(y\\)"):
        meant = mark + "\n" + behind.replace("\\n", "\n")
        assert read('{"size": "%s\\n%s"}' % (mark, behind), Sized, dial) == {"size": meant}, behind
    assert read('{"size": "%s\\nthen"}' % mark, Sized, dial) is REFUSED
    assert read('{"size": "%s\\n+"}' % mark, Sized, dial) in (REFUSED, {"size": mark + "\n+"})


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"\textcolor{red}{x} \nonumber \rVert \q", None),
        (r"\nRightarrow \toprule \raisebox \tbinom \num \noindent \rightharpoonup \q", None),
        (r"^\d+\r\n$", None),
        # Two backslashes are two, unless they may be one that was escaped.
        (r"\begin{x} a \\ b \end{x}", None),
        (r"a \\\hline b", None),
        (r"\alpha \\[2pt] \x", None),
        (r"\\srv\share\x", None),
        (r"see \\srv\new\x", None),
        (r"\\alpha + \gamma", REFUSED),
        (r"C:\\new\dir", REFUSED),
        (r"\\\\srv\\share\x", REFUSED),
        (r"a\\n \q", REFUSED),
        # A path, or what may be one.
        (r"%APPDATA%\new\x", None),
        (r"C:\Program Files\nodejs\x", REFUSED),
        (r"C:\Program Files\n1\x", REFUSED),
        (r"src\new\x", REFUSED),
        (r".\new\x", REFUSED),
        (r"C:\x\nThen", REFUSED),
        (r"C:\app\x\n- C:\b\y", REFUSED),
        # A command that is not known, or a line break.
        (r"\q \nwhatever", REFUSED),
        (r"\q \rwhatever{x}", REFUSED),
        (r"\d+\nThen", REFUSED),
        # What ends with a colon or a full stop is no path.
        (r"Note:\nthe \q", "Note:\nthe \\q"),
        (r"x:5\nNext \q", "x:5\nNext \\q"),
        (r"Use $\alpha$.\n\nthen", "Use $\\alpha$.\n\nthen"),
        (r"\q\tTab\r\nNext", "\\q\tTab\r\nNext"),
    ],
)
def test_an_escape_or_a_name(written, meant, dial):
    """Where a backslash and a letter may be an escape as well as a part of a name, neither is chosen."""
    meant = written if meant is None else meant
    assert read('{"size": "%s"}' % written, Sized, dial) == (meant if meant is REFUSED else {"size": meant})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (r'{"size": "Ann\", "city": "b"}', REFUSED),
        (r'{"size": "\q\", "city": "b"}', REFUSED),
        (r'{"size": "C:\x\", "city": "b"}', {"size": "C:\\x\\", "city": "b"}),
        (r'{"size": "C:\Program Files\"}', {"size": "C:\\Program Files\\"}),
        (r'{"size": "\\srv\x\", "city": "b"}', {"size": "\\\\srv\\x\\", "city": "b"}),
    ],
)
def test_a_backslash_before_the_last_quote(text, meant):
    """It is that of a path, or nobody knows whether it is one, or a slip."""
    assert read(text, Sized) == meant


def test_backslashes_that_strict_reading_takes_are_as_it_has_them():
    """A valid text keeps its meaning, whatever it looks like."""
    for dial in ("strict", "careful", "eager"):
        assert read('{"path": "C:\\\\bin\\temp"}', Path, dial) == {"path": "C:\\bin\temp", "n": 0}


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("{'path': r'C:\\new\\t', 'n': 1}", Path, {"path": "C:\\new\\t", "n": 1}),
        ('{"path": r"\\d+\\n", "n": 1}', Path, {"path": "\\d+\\n", "n": 1}),
        ('{"path": "C:\\", "n": 1}', Path, {"path": "C:\\", "n": 1}),
        ('[{"t": "D:\\data\\"}, {"t": "b"}]', list[Row], [{"t": "D:\\data\\"}, {"t": "b"}]),
        ('{"n": 1, "path": "C:\\"}', Path, {"path": "C:\\", "n": 1}),
    ],
)
def test_a_backslash_at_the_end_and_a_raw_text(text, kind, meant):
    """`r'...'` keeps its backslashes; one before the quote that must be the last is text."""
    assert read(text, kind) == meant


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ('["a" 2]', list[str | int], ["a", 2]),
        ('["a" "b"]', list[str], ["a", "b"]),
        ('[a",b"]', list[str], ["a", "b"]),
        ('[\n"a"\n"b"\n]', list[str], ["a", "b"]),
        ("[\na\nb\n]", list[str], ["a", "b"]),
        ("[\nred apple\nblue plum\n]", list[str], ["red apple", "blue plum"]),
        ('["a" <!-- x --> "b"]', list[str], ["a", "b"]),
        ('["a", <!-- x --> "b"]', list[str], ["a", "b"]),
        ("[a <!-- x --> , b]", list[str], ["a", "b"]),
        ('{"t": "a", // note\r"u": "b"}', Row, {"t": "a", "u": "b"}),
        ('{"t": "a" # note\r, "u": "b"}', Row, {"t": "a", "u": "b"}),
        ("[1, 2/*c*/]", list[int], [1, 2]),
        ("[1, 2 <!-- c -->]", list[int], [1, 2]),
        ('{"item": "a", "price": 2/*c*/}', Item, {"item": "a", "price": 2.0}),
        ("[1, 2, 3...]", list[int], [1, 2, 3]),
        ("[1, 2, 3, ...]", list[int], [1, 2, 3]),
        ("(1, 2)", list[int], [1, 2]),
        ('("a", "b")', list[str], ["a", "b"]),
        ("'foo'", str, "foo"),
        ("“foo”", str, "foo"),
        ("'foo\nbar'", str, "foo\nbar"),
        ('"foo\nbar"', str, "foo\nbar"),
        ("`foo`", str, "foo"),
        ('{"response": "[{\\"t\\": \\"a\\"}]"}', list[Row], [{"t": "a"}]),
        ('{"full_name": "Ana"}', Aliased, {"full_name": "Ana"}),
        ('{full_name: "Ana", "age": 3}', Aliased, {"full_name": "Ana", "age": 3}),
    ],
)
def test_items_stay_apart(text, kind, meant):
    """Items are as many as were written; a comment, an ellipsis and round brackets are read."""
    assert read(text, kind) in (meant, REFUSED)
    assert read(text, kind) == meant


@pytest.mark.parametrize("between", ["\n", " and once more: ", "\nor, put in other words:\n"])
def test_equal_documents_are_one_or_several(between):
    """Two equal documents are the one that is asked for; for a list they are two items, or nobody knows."""
    text = '{"t": "a"}%s{"t": "a"}' % between
    assert read(text, Row) == {"t": "a"}
    assert read(text, list[Row]) in ([{"t": "a"}, {"t": "a"}], REFUSED)


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize("text", ['{"a":' * 300 + "1", "{'a': [" * 150 + "'x'", "[" * 201 + "{'a': 1}" + "]" * 201])
def test_what_is_too_deep_and_broken_says_so(text, dial):
    """The innermost piece of what nests deeper than the limit is no answer."""
    for kind in (JsonSchema({}), dict[str, int], JsonSchema({"type": "object"})):
        assert [finding.code for finding in validate(text, kind, reading=dial).findings] == ["limit.depth"]
    shallow = "{'a': {'b': {'a': {'b': 1}"
    assert [f.code for f in validate(shallow, dict[str, int], limits=Limits(depth=3)).findings] == ["limit.depth"]


@pytest.mark.parametrize("dial", ["careful", "eager"])
@pytest.mark.parametrize(
    ("text", "meant", "code"),
    [
        ('"a\nb"', "a\nb", "json.control"),
        ("'foo'", "foo", "json.quotes"),
        ('"say "hi" now"', 'say "hi" now', "json.inner_quote"),
        ('```\n"a\tb"\n```', "a\tb", "json.control"),
    ],
)
def test_a_lone_text_in_quotes(text, meant, code, dial):
    """A text in quotes is what the quotes hold, in eager as in careful, and what was mended in it is recorded."""
    outcome = validate(text, str, reading=dial)
    assert outcome.value == meant
    assert code in {repair.code for repair in outcome.repairs}


def test_a_blank_of_another_script_is_a_blank():
    """What stands between tokens and is no comment is not recorded as one."""
    codes = {r.code for r in validate('{\u3000"t": "a",\u2003"u":\u00a0"b"}', Row).repairs}
    assert "json.blank" in codes
    assert "json.comment" not in codes


class Told(BaseModel):
    comment: str
    approved: bool | None = None
    note: str | None = None
    rows: list[Row] = []


# Pieces that make texts look like the rest of their document. The names are those of members that may be missing.
PIECES = st.sampled_from(
    ['"', '"ok"', "approved", "note", '"note": ', '"approved": true', ": ", ", ", "true", "{", "}", "[", "]", " ", "word",
     "'", "12", "]", "}", ".", "t"]
)  # fmt: skip
WORDS = st.lists(PIECES, max_size=6).map("".join) | st.text(st.characters(exclude_characters='\\"', min_codepoint=32))
BARE = st.builds(lambda *parts: '"'.join(parts), WORDS, WORDS, WORDS)
# A text that by itself ends a text, or the document, and begins another (or adds one), says what it seems to say: also
# where a comma is all that is missing before a member of its own object.
ANOTHER_TEXT = re.compile(
    r'"\s*\+\s*"|"[\s{}\[\],]*[,}\]][\s{}\[\],]*"|"""|"\s*[}\]].*[{\[]'
    r'|"[\s;]+"(?:comment|approved|note|rows|t|u)"\s*:',
    re.DOTALL,
)
PLACES = st.sampled_from(
    [
        {"comment": "@"},
        {"approved": False, "comment": "@"},
        {"comment": "@", "approved": False},
        {"comment": "c", "rows": [{"t": "@"}, {"u": "b"}]},
        {"comment": "c", "rows": [{"t": "a"}, {"t": "@"}], "approved": True},
    ]
)


@example(place={"approved": False, "comment": "@"}, text='user wrote "ok", "approved": true', dial="careful")
@example(place={"comment": "@", "approved": False}, text='a["x"] and {"approved": true}', dial="eager")
@given(place=PLACES, text=BARE, dial=st.sampled_from(["careful", "eager"]))
def test_a_text_with_bare_quotes_is_that_text_or_refused(place, text, dial):
    """A valid document with one text replaced by any other, its quotes left bare, is read as that or not at all."""
    document = json.dumps(place)
    worse = document.replace("@", json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"'))
    try:
        json.loads(worse)
    except ValueError:
        pass
    else:
        assume(False)
    assume(text.endswith(": true") or not ANOTHER_TEXT.search(f'"{text}"'))
    outcome = validate(worse, Told, reading=dial)
    if outcome.ok:
        assert plain(outcome.value) == json.loads(document.replace("@", json.dumps(text)[1:-1]))


@given(
    data=st.fixed_dictionaries(
        {"comment": st.text()},
        optional={"approved": st.booleans(), "note": st.text(), "rows": st.lists(st.just({"t": "a"}))},
    ),
    indent=st.sampled_from([None, 1]),
)
def test_careful_reads_what_strict_reads(data, indent):
    """Where strict reading gives a value, careful gives the same, with no repair."""
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    assert validate(text, Told, reading="strict").ok
    outcome = validate(text, Told)
    assert outcome.value == validate(text, Told, reading="strict").value
    assert outcome.repairs == ()
