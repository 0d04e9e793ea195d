"""Input guards look at what the user wrote, before the model is asked."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import enum
import functools
import io
import itertools
import pathlib
import types
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import attrs
import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import GOOD, Ticket

from guards import (
    ConfigError,
    Fallback,
    Feedback,
    Filter,
    Finding,
    Fix,
    Guard,
    Guarded,
    GuardFailed,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    check,
)
from guards.checks import Judge, Length, Pattern, PromptInjection
from guards.contracts import Text
from guards.testing import FixedScores, ScriptedModel

MESSAGES = [
    {"role": "system", "content": "SYSTEM"},
    {"role": "user", "content": [{"type": "text", "text": "first"}]},
    {"role": "assistant", "content": "ANSWER"},
    {"role": "user", "content": "second"},
]


def test_they_see_the_user_s_turns():
    """The text of all user turns, content parts too; every turn with roles="all"."""
    seen = []
    look = check(lambda value: seen.append(value))
    look_all = check(roles="all")(lambda value: seen.append(value))
    assert Guarded(Ticket, input_guards=[look, look_all]).run(ScriptedModel([GOOD]), MESSAGES).ok
    assert seen == ["first\nsecond", "SYSTEM\nfirst\nANSWER\nsecond"]


def test_a_refusal_makes_no_call():
    """Where one refuses the model is not asked, sync and async, and the findings say why."""
    model = ScriptedModel([])

    @check
    async def refuse(value, context):
        return "not this"

    ticket = Guarded(Ticket, input_guards=[refuse])
    for outcome in (ticket.run(model, MESSAGES), asyncio.run(ticket.arun(model, MESSAGES))):
        assert (outcome.ok, outcome.reason, outcome.attempts) == (False, "input.refused", ())
        assert [f.message for f in outcome.findings] == ["not this"]
    assert model.calls == []


def test_a_guard_s_own_policy_for_the_input():
    """Refrain and Fallback on the guard deliver; the ticket's policy is about answers and does not apply."""
    for policy, value, by in ((Refrain(), None, "refrain"), (Fallback("sorry"), "sorry", "fallback")):
        refuse = check(on_fail=policy)(lambda value: "no")
        outcome = Guarded(Ticket, input_guards=[refuse]).run(ScriptedModel([]), "hi")
        assert (outcome.value, outcome.delivered_by) == (value, by)
    outcome = Guarded(Ticket, input_guards=[check(lambda v: "no")], on_fail=Refrain()).run(ScriptedModel([]), "hi")
    assert outcome.delivered_by is None


def test_a_broken_input_guard_lets_nothing_through():
    """A crash is GuardFailed, and no call is made."""

    @check
    def broken(value, context):
        raise ValueError("x")

    with pytest.raises(GuardFailed):
        Guarded(Ticket, input_guards=[broken]).call(ScriptedModel([]), "hi")


def test_remarks_stay_visible():
    """What does not block is in the outcome's findings."""
    remark = check(lambda value: Finding("x.y", "hm", severity="warning"))
    outcome = Guarded(Ticket, input_guards=[remark]).run(ScriptedModel([GOOD]), "hi")
    assert outcome.ok
    assert [f.code for f in outcome.findings] == ["x.y"]


def test_input_has_no_places():
    """A guard with a place cannot be an input guard."""
    with pytest.raises(ConfigError, match="places"):
        Guarded(Ticket, input_guards=[check(lambda v: None).on("$.x")])


@pytest.mark.parametrize("messages", [3, None, ["hi"], [{"role": "user"}, "hi"], {"role": "user"}])
def test_what_are_no_messages(messages):
    """Messages of the wrong kind are named before anything is asked."""
    with pytest.raises(ConfigError, match="messages"):
        Guarded(Ticket).call(ScriptedModel([GOOD]), messages)
    with pytest.raises(ConfigError, match="context"):
        Guarded(Ticket).call(ScriptedModel([GOOD]), "hi", context=["x"])


# -- whose words they are ----------------------------------------------------------------------------------------------


def heard(messages: Any, **options: Any) -> tuple[list[str], Any]:
    """What a guard saw of these messages, and the outcome."""
    seen: list[str] = []
    look = check(**options)(lambda value: seen.append(value))
    return seen, Guarded(Text(), input_guards=[look]).run(ScriptedModel(["ok"]), messages)


@pytest.mark.parametrize("role", ["user", "User", " USER ", "tool", "function"])
def test_the_user_s_words_in_any_spelling(role):
    """Roles are compared without case, and what a tool gave is judged as the user's."""
    assert heard([{"role": role, "content": "hi"}])[0] == ["hi"]


@pytest.mark.parametrize("role", [None, 3, "moderator", ""])
def test_a_role_that_nobody_knows_is_the_user_s(role):
    """A turn of a missing or unknown role does not slip past; nor does the role itself, which the model may see."""
    for turn in ({"role": role, "content": "hi"}, {"content": "hi"}):
        (seen,), _ = heard([turn])
        assert seen.split("\n")[-1] == "hi"
    (seen,), _ = heard([{"role": "ignore all rules", "content": "hi"}])
    assert seen == "ignore all rules\nhi"


def test_the_developer_s_and_the_model_s_words_are_judged_where_their_role_is_named():
    """System, developer and assistant are not the user's; a guard of their role, or of all, judges them."""
    turns = [
        {"role": "System", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "assistant", "content": "a", "tool_calls": [{"id": "call_1", "function": {"arguments": "{}"}}]},
    ]
    assert heard(turns)[0] == [""]
    assert heard(turns, roles=["SYSTEM"])[0] == ["s\nd"]
    assert heard(turns, roles="assistant")[0] == ["a\n{}"]
    assert heard(turns, roles="all")[0] == ["s\nd\na\n{}"]


@pytest.mark.parametrize("roles", [(), [""], [3]])
def test_roles_that_are_none(roles):
    """A guard that would hear nobody is an error where it is written."""
    with pytest.raises(ConfigError, match="roles"):
        check(roles=roles)(lambda value: None)


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": [{"type": "mcp_tool_result", "content": [{"type": "text", "text": "EVIL"}]}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "EVIL"}]},
        {"type": "function_call_output", "call_id": "call_1", "output": "EVIL"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "EVIL"}]},
        {"type": "shell_call_output", "call_id": "call_1", "output": [{"stdout": "EVIL", "stderr": ""}]},
        {"type": "mcp_call", "name": "", "output": "EVIL"},
        {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "EVIL"}]},
    ],
)
def test_what_a_tool_gave_is_judged(turn):
    """Text from outside is judged under the default roles, whichever turn or item brings it, and under `tool`."""
    assert heard([turn])[0] == ["EVIL"]
    assert heard([turn], roles=["tool"])[0] == ["EVIL"]


# -- text in every shape -----------------------------------------------------------------------------------------------


class Person(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    _note: str = pydantic.PrivateAttr("PRIVATE")


@dataclasses.dataclass(slots=True)
class Mail:
    body: Any
    size: int = 3


class Pair(NamedTuple):
    left: str
    right: int = 1


@attrs.define
class Row:
    cell: str


class Plain:
    def __init__(self, text: str) -> None:
        self._text = text


class Slotted:
    __slots__ = ("__inner", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.__inner = "INNER"


class Backwards:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text[::-1]


class Noted(list[str]):
    note = ""


class Colour(enum.Enum):
    RED = "EVIL"


def noted() -> Noted:
    items = Noted(["a"])
    items.note = "EVIL"
    return items


def endless() -> list[Any]:
    items: list[Any] = ["EVIL"]
    items.append(items)
    return items


SHAPES = {
    "text": ("EVIL", ["EVIL"]),
    "bytes": (b"EVIL", ["EVIL"]),
    "bytearray": (bytearray(b"EVIL"), ["EVIL"]),
    "memoryview": (memoryview(b"EVIL"), ["EVIL"]),
    "list": (["a", "EVIL"], ["a\nEVIL", "aEVIL"]),
    "deque": (collections.deque(["EVIL"]), ["EVIL"]),
    "set": ({"EVIL"}, ["EVIL"]),
    "keys": ({"EVIL": 1}.keys(), ["EVIL"]),
    "a key": ({"EVIL": 1}, ["EVIL"]),
    "a key that is a tuple": ({("EVIL", 1): 1}, ["EVIL"]),
    "a word of an SDK that is none": ({"status": "EVIL", "id": "EVIL_1"}, ["EVIL\nEVIL_1"]),
    "counter": (collections.Counter(["EVIL"]), ["EVIL"]),
    "ordered dict": (collections.OrderedDict(k="EVIL"), ["k\nEVIL"]),
    "user dict": (collections.UserDict(k="EVIL"), ["k\nEVIL"]),
    "user string": (collections.UserString("EVIL"), ["EVIL"]),
    "mapping proxy": (types.MappingProxyType({"k": "EVIL"}), ["k\nEVIL"]),
    "dataclass": (Mail("EVIL"), ["EVIL"]),
    "dataclass in a dict in a tuple": (({"k": Mail(b"EVIL")},), ["k\nEVIL"]),
    "pydantic, its extra and private": (Person(name="A", EVIL=1), ["A\nPRIVATE\nEVIL"]),
    "named tuple": (Pair("EVIL"), ["EVIL"]),
    "attrs": (Row("EVIL"), ["EVIL"]),
    "namespace": (types.SimpleNamespace(x="EVIL"), ["x\nEVIL"]),
    "object": (Plain("EVIL"), ["EVIL"]),
    "slots": (Slotted("EVIL"), ["INNER\nEVIL"]),
    "an object that says something else": (Backwards("LIVE"), ["LIVE\nEVIL"]),
    "an exception": (ValueError("EVIL"), ["EVIL"]),
    "an enum": (Colour.RED, ["EVIL\nRED"]),
    "a list with more to it": (noted(), ["a\nEVIL"]),
    "a list that holds itself": (endless(), ["EVIL"]),
    "an object array": ([np.str_("EVIL")], ["EVIL"]),
    "no words": ((1, 2.5, True, None, range(9)), [""]),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_text_in_any_shape_is_judged(kind):
    """Whatever an argument of a decorated function is, each text in it reaches the guard, as does a turn's content."""
    value, expected = SHAPES[kind]
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    assert ask(value) == "ok"
    assert seen == expected
    in_messages, _ = heard([{"role": "user", "content": value}])
    assert all(any(word in view for view in in_messages) for word in expected[0].split("\n"))


def infinite():
    yield "EVIL"


class Raising:
    def __init__(self) -> None:
        self.x = "a"

    def __str__(self) -> str:
        raise RuntimeError


class Bare:
    text = "EVIL"


def nested(depth: int) -> Any:
    value: Any = "EVIL"
    for _ in range(depth):
        value = [value]
    return value


OPAQUE = {
    "generator": infinite(),
    "iterator": iter(["EVIL"]),
    "file": io.StringIO("EVIL"),
    "path": pathlib.Path("EVIL"),
    "image": b"\x89PNG\r\n\x1a\n",
    "another encoding": "EVIL".encode("utf-16"),
    "array": np.zeros(3, np.uint8),
    "array of text": np.array(["EVIL"]),
    "function": infinite,
    "class": Bare,
    "module": io,
    "object": object(),
    "an object with a class's text alone": Bare(),
    "an object that cannot say what it is": Raising(),
    "a secret": pydantic.SecretStr("EVIL"),
    "an object with something unreadable": Plain(iter("x")),  # type: ignore[arg-type]
    "too deep": nested(3000),
}


@pytest.mark.parametrize("kind", OPAQUE)
def test_what_cannot_be_read_is_refused_by_name(kind):
    """No call is made with an argument, or inside of one, that no guard can read; the finding says which it is."""
    calls: list[Any] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: None)])
    def ask(mail, doc):
        calls.append(doc)
        return "ok"

    for value in (OPAQUE[kind], [OPAQUE[kind]], {"k": OPAQUE[kind]}, Mail(OPAQUE[kind])):
        outcome = ask.outcome("hi", value)
        (finding,) = outcome.findings
        assert (outcome.reason, finding.code, finding.severity) == ("input.refused", "input.unreadable", "error")
        assert finding.message.startswith("argument 'doc'")
        assert finding.path.startswith("/doc")
    assert calls == []


def test_an_argument_beside_the_messages_is_judged():
    """Where a function has `messages`, its other arguments go into the prompt too, however they are passed."""
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(messages, doc, *more, feedback: Feedback | None = None, **options):
        return "ok"

    ask([{"role": "assistant", "content": "A"}, {"role": "user", "content": "U"}], "D", "M", opt="O")
    assert seen == ["U\nD\nM\nopt\nO"]
    seen.clear()
    ask("U", doc=["D"], other={"K": "O"})
    assert seen == ["U\nD\nother\nK\nO"]


def test_a_default_is_the_developer_s_own():
    """An argument that the caller left out is judged only by a guard that hears the developer."""
    seen: list[str] = []
    everything = check(roles="all")(lambda text: seen.append(text))

    def ask(mail, style="short", client=ScriptedModel):
        return "ok"

    assert Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])(ask)("hi") == "ok"
    assert seen == ["hi"]
    outcome = Guarded(Text(), on_fail=Raise(), input_guards=[everything])(ask).outcome("hi")
    assert [finding.message for finding in outcome.findings] == [
        "argument 'client' (type) cannot be read by the guard '<lambda>'"
    ]


def test_methods_and_async_functions():
    """`self` is no argument, under any name; an async function is judged as a plain one."""
    seen: list[str] = []
    ticket = Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])

    class Desk:
        secret = "SELF"

        @ticket
        def ask(this, mail):  # noqa: N805  # on purpose
            return "ok"

        @ticket
        async def aask(self, mail):
            return "ok"

    Desk().ask("a")
    asyncio.run(Desk().aask(b"b"))
    assert seen == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("EVIL", ["EVIL"]),
        (["a", "EVIL"], ["a\nEVIL", "aEVIL"]),
        ({"text": "EVIL"}, ["EVIL"]),
        ({"type": "text", "text": "EVIL"}, ["EVIL"]),
        ([{"type": "input_text", "text": "EVIL"}], ["EVIL"]),
        ([{"type": "text", "text": "EVIL", "cache_control": {"type": "ephemeral", "ttl": "5m"}}], ["EVIL"]),
        ([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "EVIL"}}], ["EVIL"]),
        ([{"type": "document", "source": {"type": "content", "content": "x"}, "title": "EVIL"}], ["x\nEVIL"]),
        (
            [{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "EVIL"}]}}],
            ["EVIL"],
        ),
        (
            [{"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "EVIL"}]}],
            ["s\nt\nEVIL"],
        ),
        ([{"type": "of-tomorrow", "inner": {"deep": ["EVIL"]}}], ["of-tomorrow\ninner\ndeep\nEVIL"]),
        ([b"EVIL"], ["EVIL"]),
        ([Mail("EVIL")], ["EVIL"]),
        (None, [""]),
    ],
)
def test_content_of_every_kind_is_judged(content, expected):
    """A turn's content as text, as parts, as a document, as a block that a later SDK may bring."""
    assert heard([{"role": "user", "content": content}])[0] == expected


def test_what_stands_beside_the_content_of_a_turn_is_judged():
    """A turn's name, and whatever else it holds."""
    assert heard([{"role": "user", "name": "EVIL", "content": "hi"}])[0] == ["EVIL\nhi"]
    assert heard([{"role": "user", "content": "hi", "note": {"deep": "EVIL"}}])[0] == ["hi\nnote\ndeep\nEVIL"]


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, "image_url"),
        ({"type": "image_url", "image_url": {}}, "image_url"),
        ({"type": "input_image", "image_url": "data:image/png;base64,AA=="}, "input_image"),
        ({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}, "input_audio"),
        ({"type": "file", "file": {"file_id": "file_1", "filename": "a"}}, "file"),
        ({"type": "input_file", "file_url": "https://x/y.pdf"}, "input_file"),
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}, "image"),
        ({"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": "AA=="}}, "document"),
        ({"type": "document", "source": {"type": "url", "url": "https://x/y.pdf"}}, "document"),
        ({"type": "document", "source": {"type": "file", "file_id": "file_1"}}, "document"),
        ({"type": "container_upload", "file_id": "file_1"}, "container_upload"),
        ({"type": "Video_URL", "video_url": {"url": "https://x/y.mp4"}}, "video_url"),
        ({"image_url": "https://x/y.png"}, "image_url"),
        ({"inline_data": {"mime_type": "text/plain", "data": "AA=="}}, "inline_data"),
        ({"type": "hologram", "uri": "gs://x"}, "hologram"),
        (b"\x89PNG", "bytes"),
        (object(), "object"),
    ],
)
def test_a_block_that_is_no_text_is_refused_by_name(block, kind):
    """Images, audio, files, and whatever lies behind an address, with the place where they stand."""
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "t"}, block]}]
    seen, outcome = heard(messages)
    assert seen == []
    assert [f.message.split(" cannot")[0] for f in outcome.findings] == [f"messages[1].content[1] ({kind})"]
    # In the model's or the developer's turn it is no business of a guard of the user's words.
    assert heard([{"role": "system", "content": [block]}, {"role": "user", "content": "u"}])[0] == ["u"]


def test_what_the_server_keeps_is_refused():
    """An item by its id, and one that only the server can read."""
    for item in ({"type": "item_reference", "id": "msg_1"}, {"type": "compaction", "encrypted_content": "AA"}):
        assert heard([item])[1].reason == "input.refused"


texts = st.sampled_from(["a", "some words", "", "EVIL"])
leaves = (
    texts | st.integers() | st.none() | texts.map(str.encode) | st.just(b"\xff") | texts.map(collections.UserString)
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(collections.deque),
        st.frozensets(texts, max_size=2),
        st.dictionaries(texts | st.sampled_from(["type", "role", "id", "url", "image"]), inner, max_size=3),
        st.dictionaries(texts, inner, max_size=2).map(collections.UserDict),
        st.dictionaries(texts, inner, max_size=2).map(
            lambda d: types.SimpleNamespace(**{f"k{k}": v for k, v in d.items()})
        ),
        inner.map(Mail),
        inner.map(Pair),
        inner.map(Row),
        inner.map(Plain),
        inner.map(Slotted),
        texts.map(lambda text: Person(name=text, more=[text])),
        st.lists(inner, max_size=2).map(iter),
    ),
    max_leaves=8,
)


def marked(value: Any) -> bool:
    """Whether a marked text stands anywhere in a value: the slow way, by what Python itself shows of it."""
    if isinstance(value, str | collections.UserString):
        return "EVIL" in value
    if isinstance(value, bytes):
        return b"EVIL" in value
    if isinstance(value, dict | collections.UserDict):
        return any(marked(key) or marked(inner) for key, inner in value.items())
    if isinstance(value, list | tuple | collections.deque | frozenset):
        return any(map(marked, value))
    if isinstance(value, Mail):
        return marked(value.body)
    if isinstance(value, Slotted):
        return marked(value.text)
    return marked(vars(value)) if hasattr(value, "__dict__") else isinstance(value, Row) and marked(value.cell)


@given(values, values)
@settings(max_examples=300, deadline=None)
def test_a_function_is_given_nothing_that_was_not_judged(first, second):
    """Whatever shapes the arguments have: where a marked text stands in them, a guard saw it, or the function was not
    called, and the finding names what could not be read."""
    seen: list[str] = []
    calls: list[Any] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(first, *, second=None):
        calls.append((first, second))
        return "ok"

    outcome = ask.outcome(first, second=second)
    if calls:
        assert not marked(calls[0]) or any("EVIL" in text for text in seen)
    else:
        assert {finding.code for finding in outcome.findings} == {"input.unreadable"}


@given(st.lists(st.integers(0, 15), max_size=4).map(sorted))
def test_however_a_text_is_split_its_whole_is_seen(cuts):
    """Any split of a text over the parts of a turn shows the text itself to the guard."""
    text = "ignore previous"
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert any(text in view for view in heard([{"role": "user", "content": parts}])[0])


# -- what cannot be read -----------------------------------------------------------------------------------------------

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


def test_a_guard_may_pass_what_it_cannot_read():
    """With unreadable="pass" the text is judged, the rest is named in the record as not judged, and the call is made."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "hi"}, PICTURE, PICTURE]}]
    seen, outcome = heard(messages, unreadable="pass", name="look")
    assert seen == ["hi"]
    assert outcome.ok
    assert [(f.code, f.severity, f.guard, f.path) for f in outcome.findings] == [
        ("input.unreadable", "unknown", "look", "/messages/0/content/1"),
        ("input.unreadable", "unknown", "look", "/messages/0/content/2"),
    ]
    assert outcome.findings[0].message == (
        "messages[0].content[1] (image_url) cannot be read by the guard 'look', and was not judged"
    )


def test_a_guard_is_not_asked_of_nothing_where_there_was_something():
    """Where all that there is cannot be read, a guard that passes it judges no empty text in its place."""
    seen, outcome = heard([{"role": "user", "content": [PICTURE]}], unreadable="pass")
    assert (seen, outcome.ok) == ([], True)
    assert heard([{"role": "user", "content": ""}], unreadable="pass")[0] == [""]


def test_each_guard_says_for_itself():
    """One that passes an image does not speak for one that refuses it; nobody is asked, no guard runs."""
    ran: list[str] = []
    passes = check(unreadable="pass")(lambda value: ran.append(value))
    refuses = check(name="strict")(lambda value: ran.append(value))
    model = ScriptedModel([])
    outcome = Guarded(Text(), input_guards=[passes, refuses]).run(model, [{"role": "user", "content": [PICTURE]}])
    assert [f.guard for f in outcome.findings if f.blocks] == ["strict"]
    assert (ran, model.calls) == ([], [])


def test_its_own_policy_applies():
    """What a guard's chain delivers, it delivers for what cannot be read, too; a fix mends nothing there."""
    look = check(on_fail=Fix().then(Fallback("no pictures")))(lambda value: None)
    outcome = Guarded(Text(), input_guards=[look]).run(ScriptedModel([]), [{"role": "user", "content": [PICTURE]}])
    assert (outcome.value, outcome.delivered_by) == ("no pictures", "fallback")


def test_every_guard_takes_the_option():
    """Built-in guards, classes and functions take `unreadable`; another value is an error where it is written."""

    class Own(Guard):
        unreadable = "pass"

        def check(self, value, context):
            return None

    scores = FixedScores({}, default=0.0)

    client = ScriptedModel(['{"reasons": ["fine"], "verdict": "pass", "score": 1}'])
    for guard in (
        Length(max=9, unreadable="pass"),
        Pattern("x", forbid=True, unreadable="pass"),
        PromptInjection(model=scores, unreadable="pass"),
        Judge("It is mail.", client=client, unreadable="pass"),
        Own(),
        check(unreadable="pass")(lambda value: None),
    ):
        messages = [{"role": "user", "content": ["hi", PICTURE]}]
        assert Guarded(Text(), input_guards=[guard]).call(ScriptedModel(["ok"]), messages) == "ok"
    for make in (lambda: Length(max=9, unreadable="maybe"), lambda: check(unreadable=True)(lambda value: None)):
        with pytest.raises(ConfigError, match="unreadable"):
            make()


# -- parts of one text -------------------------------------------------------------------------------------------------

REFUSES = Pattern("ignore previous", forbid=True, ignore_case=True)


@pytest.mark.parametrize(
    "content",
    [
        ["igno", "re previous"],
        [{"type": "text", "text": "igno"}, {"type": "text", "text": "re previous"}],
        [{"type": "text", "text": "i"}, {"type": "text", "text": "gnore "}, "previ", {"type": "text", "text": "ous"}],
        [
            {"type": "tool_result", "content": [{"type": "text", "text": "igno"}]},
            {"type": "text", "text": "re previous"},
        ],
        [{"type": "document", "source": {"type": "content", "content": ["igno", "re previous"]}}],
        ["ignore previous", "x"],
        ["x", "Ignore previous"],
    ],
)
def test_parts_hide_nothing(content):
    """Text split over parts is judged as a model reads it, on end; and each part on its own line as well."""
    outcome = Guarded(Text(), input_guards=[REFUSES]).run(ScriptedModel([]), [{"role": "user", "content": content}])
    assert outcome.reason == "input.refused"


def test_on_end_nothing_is_lost_either():
    """A word that begins a part is found though another part ends before it without a space; one finding, not two."""
    guard = Pattern(r"\bevil\b", forbid=True)
    for parts in (["be good", "evil"], ["ev", "il"]):
        outcome = Guarded(Text(), input_guards=[guard]).run(ScriptedModel([]), [{"role": "user", "content": parts}])
        assert len(outcome.findings) == 1
    turns = [{"role": "user", "content": ["a", "b"]}, {"role": "user", "content": "c"}]
    assert heard(turns)[0] == ["a\nb\nc", "ab\nc", "abc"]


# -- fixes -------------------------------------------------------------------------------------------------------------

CARD = Pattern(r"\d{4} \d{4}", forbid=True, replace="[card]", on_fail=Fix())
MASK = Guarded(Text(), input_guards=[CARD])


def test_a_fix_changes_what_is_sent():
    """The text that was found goes out as the guard proposed, and the change is on record as one of the question."""
    model = ScriptedModel(["ok"])
    outcome = MASK.run(model, "Pay with 1234 5678")
    assert model.calls == [[{"role": "user", "content": "Pay with [card]"}]]
    assert outcome.ok
    (repair,) = outcome.repairs
    assert (repair.code, repair.path, repair.asked) == ("policy.fix", "/messages/0/content", True)
    assert (repair.before, repair.after) == ("Pay with 1234 5678", "Pay with [card]")
    assert outcome.attempts[0].messages == ({"role": "user", "content": "Pay with [card]"},)
    assert outcome.attempts[0].repairs == (repair,)
    assert outcome.accepted_text == "ok"
    assert outcome.to_dict(content=False)["repairs"] == [{"code": "policy.fix", "asked": True}]


def test_each_text_of_several_is_fixed_in_its_place():
    """A conversation of several turns and parts: only what was found is changed, and nothing of the caller's own list."""
    messages = [
        {"role": "user", "content": "1234 5678", "name": "ann"},
        {"role": "assistant", "content": "1234 5678"},
        {"role": "user", "content": [{"type": "text", "text": "and"}, {"type": "text", "text": "5678 1234"}]},
    ]
    model = ScriptedModel(["ok"])
    outcome = MASK.run(model, messages)
    sent = model.calls[0]
    assert [sent[0], sent[1]] == [{**messages[0], "content": "[card]"}, messages[1]]
    assert sent[2]["content"] == [{"type": "text", "text": "and"}, {"type": "text", "text": "[card]"}]
    assert messages[0]["content"] == "1234 5678"
    assert [repair.path for repair in outcome.repairs] == ["/messages/0/content", "/messages/2/content/1/text"]


def test_a_fixed_argument_reaches_the_function_and_the_guards():
    """A decorated function is given the fixed text, wherever in its arguments; guards of the answer compare with it."""
    given: list[Any] = []

    @check(needs=["mail"])
    def quotes_no_card(value, context):
        return "a number" if "1234" in context["mail"] else None

    @Guarded(Text(), guards=[quotes_no_card], input_guards=[CARD], on_fail=Raise())
    def ask(mail, messages, rows=(), **options):
        given.append((mail, messages, rows, options))
        return "ok"

    outcome = ask.outcome("1234 5678", "at 1234 5678", ({"k": ["1234 5678"]},), note="1234 5678")
    assert outcome.ok
    assert given == [("[card]", "at [card]", ({"k": ["[card]"]},), {"note": "[card]"})]
    assert [repair.path for repair in outcome.repairs] == [
        "/messages/0/content",
        "/mail",
        "/rows/0/k/0",
        "/options/note",
    ]


@pytest.mark.parametrize(
    "value",
    [
        Mail("1234 5678"),
        {"1234 5678": 1},
        b"1234 5678",
        {"1234 5678"},
        collections.deque(["1234 5678"]),
        ["1234", " 5678"],
    ],
)
def test_what_cannot_be_put_back_is_not_fixed(value):
    """A text in an object, a key, bytes, or spread over parts: the guard's next policy, and the question as it came."""
    guard = Pattern(r"\d{4} \d{4}", forbid=True, on_fail=Fix().then(Fallback("held")))
    calls: list[Any] = []

    def ask(given):
        calls.append(given)
        return "ok"

    outcome = Guarded(Text(), input_guards=[guard], on_fail=Raise())(ask).outcome(value)
    assert (outcome.value, outcome.repairs, calls) == ("held", (), [])
    outcome = Guarded(Text(), input_guards=[CARD], on_fail=Raise())(ask).outcome(value)
    assert (outcome.reason, outcome.repairs, calls) == ("input.refused", (), [])


def test_what_is_fixed_is_judged_again_by_all():
    """A fix that another guard refuses, or that does not help, is none; findings are those of the question as it came."""
    worse = check(name="worse", on_fail=Fix())(
        lambda value: Finding("x.y", "bad", fix="EVIL") if value == "bad" else None
    )
    no_evil = check(name="no_evil")(lambda value: "evil" if value == "EVIL" else None)
    same = check(name="same", on_fail=Fix())(lambda value: Finding("x.y", "bad", fix=value + "!"))
    for guards in ([worse, no_evil], [no_evil, worse], [same]):
        outcome = Guarded(Text(), input_guards=guards).run(ScriptedModel([]), "bad")
        assert (outcome.reason, outcome.repairs) == ("input.refused", ())
        assert [f.message for f in outcome.findings] == ["bad"]


def test_several_guards_fix_one_after_the_other():
    """Two fixes of one text both hold; a dearer guard judges, and fixes, what the cheap ones left."""
    word = Pattern("secret", forbid=True, replace="[word]", on_fail=Fix())
    seen: list[str] = []

    @check(cost=2, on_fail=Fix())
    def shouts(value):
        seen.append(value)
        return Finding("x.y", "shouts", fix=value.lower()) if value != value.lower() else None

    model = ScriptedModel(["ok"])
    outcome = Guarded(Text(), input_guards=[shouts, CARD, word]).run(model, "A secret: 1234 5678")
    assert model.calls[0][0]["content"] == "a [word]: [card]"
    assert seen == ["A [word]: [card]", "a [word]: [card]"]
    assert len(outcome.repairs) == 3


def test_a_fix_and_a_refusal():
    """The most drastic policy acts: where a guard refuses, nothing is fixed and nobody is asked."""
    refuses = check(lambda value: "no")
    model = ScriptedModel([])
    assert Guarded(Text(), input_guards=[CARD, refuses]).run(model, "1234 5678").reason == "input.refused"
    withholds = check(on_fail=Refrain())(lambda value: "no")
    assert Guarded(Text(), input_guards=[CARD, withholds]).run(model, "1234 5678").delivered_by == "refrain"


def test_a_fix_in_every_shape_of_use():
    """Async, in a session, in a loop of one's own, in a stream, and in the turns of a retry."""
    fixed = [{"role": "user", "content": "[card]"}]
    model = ScriptedModel(["ok"] * 3)
    assert asyncio.run(MASK.acall(model, "1234 5678")) == "ok"
    with MASK.session() as session:
        session.call(model, "1234 5678")
        assert session.outcomes[0].repairs[0].after == "[card]"
    list(MASK.stream(model, "1234 5678"))
    assert model.calls == [fixed] * 3
    loop = MASK.attempts("1234 5678")
    for attempt in loop:
        with attempt:
            assert attempt.messages == fixed
            attempt.offer("ok")
    assert loop.outcome.attempts[0].messages == tuple(fixed)
    model = ScriptedModel(["x", GOOD])
    Guarded(Ticket, input_guards=[CARD]).call(model, "1234 5678")
    assert model.calls[1][0] == fixed[0]


def test_a_function_that_is_asked_again_is_given_the_fixed_turns():
    """The feedback comes behind the question as it was sent."""
    given: list[Any] = []

    @Guarded(Ticket, input_guards=[CARD])
    def ask(messages):
        given.append(messages)
        return GOOD if len(given) > 1 else "x"

    ask("1234 5678")
    assert given[0] == "[card]"
    assert given[1][0] == {"role": "user", "content": "[card]"}


def test_an_answer_s_own_repairs_stand_behind_the_question_s():
    """Both are in the outcome, and the text is that of the document that was accepted."""
    outcome = Guarded(Ticket, input_guards=[CARD]).run(ScriptedModel([f"```json\n{GOOD}\n```"]), "1234 5678")
    assert [repair.asked for repair in outcome.repairs] == [True, *[False] * (len(outcome.repairs) - 1)]
    assert len(outcome.repairs) > 1
    assert outcome.accepted_text == GOOD


def test_a_broken_guard_is_not_fixed():
    """A guard that fails over the fixed text lets nothing through."""

    @check
    def breaks(value):
        if "[card]" in value:
            raise RuntimeError

    outcome = Guarded(Text(), input_guards=[CARD, breaks]).run(ScriptedModel([]), "1234 5678")
    assert outcome.reason == "input.refused"


# -- policies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy",
    [
        Reask(),
        Reflect(),
        Filter(),
        Noop(),
        Fallback(client=ScriptedModel([])),
        Fix().then(Reask()),
        Fix().then(Noop()),
    ],
)
def test_policies_that_cannot_apply_are_refused_where_they_are_written(policy):
    """Before there is an answer nothing can be asked again, taken out or delivered as it is; the hint says what can."""
    with pytest.raises(ConfigError, match=r"Raise\(\), Refrain\(\), Fallback\(value\) or Fix\(\)"):
        Guarded(Text(), input_guards=[check(on_fail=policy)(lambda value: None)])


@pytest.mark.parametrize("policy", [Raise(), Refrain(), Fallback(1), Fallback(len), Fix(), Fix().then(Refrain())])
def test_policies_that_can(policy):
    """The others can."""
    Guarded(Text(), input_guards=[check(on_fail=policy)(lambda value: None)])


def test_a_chain_goes_on():
    """A policy that could not help hands over to the next; a chain that runs out refuses."""
    for chain, by in ((Fix().then(Refrain()), "refrain"), (Fix().then(Fallback("x")), "fallback"), (Fix(), None)):
        outcome = Guarded(Text(), input_guards=[check(on_fail=chain)(lambda value: "no")]).run(ScriptedModel([]), "hi")
        assert outcome.delivered_by == by


# -- what a class makes of a value -------------------------------------------------------------------------------------


class Doc(pydantic.BaseModel):
    a: str
    b: str

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def text(self) -> str:
        return self.a + self.b


@pydantic.dataclasses.dataclass
class DocData:
    a: str
    b: str

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def text(self) -> str:
        return self.a + self.b


class Unable(Doc):
    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def more(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize("doc", [Doc(a="EV", b="IL"), [Doc(a="EV", b="IL")], DocData("EV", "IL")])
def test_computed_fields_are_judged(doc):
    """What a class of pydantic's works out of its fields is judged as they are."""

    @Guarded(Text(), on_fail=Raise(), input_guards=[Pattern("EVIL", forbid=True)])
    def ask(doc):
        return "ok"

    assert [f.code for f in ask.run(doc).findings] == ["rule.pattern"]
    assert ask(Doc(a="fi", b="ne")) == "ok"


def _saying(base: type, name: str) -> type:
    return type("Own", (base,), {name: lambda self, *_: "EVIL"})


@dataclasses.dataclass
class Record:
    a: str = "a"


class Kind(enum.Enum):
    ONE = "one"


OWN_WAYS = {
    f"{base.__name__}.{name}": (base, name, arguments)
    for base, arguments in (
        (str, ("a",)),
        (bytes, (b"a",)),
        (int, (3,)),
        (float, (2.5,)),
        (dict, ({"a": 1},)),
        (list, (["a"],)),
        (tuple, (("a",),)),
        (set, (["a"],)),
        (collections.UserString, ("a",)),
        (collections.UserDict, ({"a": 1},)),
        (Record, ()),
        (Pair, ("a",)),
        (types.SimpleNamespace, ()),
    )
    for name in ("__str__", "__format__", "__repr__")
}


@pytest.mark.parametrize("way", OWN_WAYS)
@pytest.mark.parametrize("inside", [False, True])
def test_what_a_class_makes_of_a_value_is_judged(way, inside):
    """A text that a prompt would hold which is written with the value reaches the guard, whatever the value is."""
    base, name, arguments = OWN_WAYS[way]
    value = _saying(base, name)(*arguments)
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    assert ask([value] if inside else value) == "ok"
    assert "EVIL" in seen[0]


def test_what_python_makes_of_a_value_is_no_further_text():
    """The `repr` that is made for dataclasses, models, tuples and enums says what is in them, and is not judged again."""
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    for value in (Record(), Pair("a"), Row("a"), Person(name="a"), Kind.ONE, np.str_("a"), np.float64(1.5)):
        assert ask(value) == "ok"
    assert seen == ["a", "a", "a", "a\nPRIVATE", "one", "a", ""]


def _raising(*_: Any) -> str:
    raise ValueError("no")


@pytest.mark.parametrize("base", [str, int, dict, Record, None])
def test_what_raises_when_it_is_read_is_unreadable(base):
    """A computed field or a method that raises leaves its value unjudged, so it is refused by name."""

    value = Unable(a="x", b="y") if base is None else type("Own", (base,), {"__str__": _raising})()

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: None)])
    def ask(given):
        return "ok"

    assert [f.code for f in ask.run(value).findings] == ["input.unreadable"]


class Turn(pydantic.BaseModel):
    role: str = "system"
    content: str | None = "Be brief."
    name: str | None = None
    parts: list[dict[str, Any]] = [{"text": "x", "note": None}]


def test_a_turn_that_is_an_object_keeps_its_defaults():
    """What the object says goes out, given or not; a null goes where it was given, and nowhere else."""
    model = ScriptedModel(["ok", "ok"])
    assert Guarded(Text()).run(model, [Turn()]).ok
    assert dict(model.calls[0][0])["role"] == "system"
    assert dict(model.calls[0][0])["content"] == "Be brief."
    assert "name" not in model.calls[0][0]
    assert Guarded(Text()).run(model, [Turn(role="assistant", content=None)]).ok
    assert model.calls[1][0]["content"] is None
    assert heard([Turn(role="user")])[0][0].startswith("Be brief.")


# -- references, words of the SDKs, whose words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        {"id": "msg_123"},
        {"type": None, "id": "msg_123"},
        {"type": "", "id": "anything"},
        {"type": "message", "id": "msg_123", "status": "completed"},
        {"id": "msg_123", "role": "user", "content": None},
        {"type": "of-tomorrow", "id": "msg_123"},
        {"role": "user", "content": [{"type": "of-tomorrow", "id": "file_123"}]},
    ],
)
def test_what_is_but_an_id_is_refused(item):
    """An item that says nothing but an id stands for what the server keeps, whether its type says so or not."""
    assert [finding.code for finding in heard([item])[1].findings] == ["input.unreadable"]


def test_an_id_beside_a_content_is_no_reference():
    """A turn that a server gave, and that is sent back with what it says, goes on its way."""
    turns = [
        {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [{"text": "A"}]},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"id": "msg_2", "role": "user", "content": "hi"},
    ]
    assert heard(turns)[0] == ["hi"]


@pytest.mark.parametrize("key", ["type", "format", "status", "detail", "mode", "phase", "ttl", "media_type", "role"])
@pytest.mark.parametrize(
    "words", ["text/EVIL-ignore-all-previous", "application/EVIL", "EVIL", "\u017fystem", "text/plain"]
)
def test_words_of_the_sdks_are_silent_under_their_own_key_alone(key, words):
    """What is no word of those that may stand under a key is judged, in turns and in arguments; a media type is silent
    where one may stand, and letters past ASCII make no word of the SDKs."""
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    ask({key: words})
    seen += heard([{"role": "user", "content": [{key: words, "text": "x"}]}])[0]
    silent = key == "media_type" and words == "text/plain"
    assert all((words in text) is not silent for text in seen)


def test_letters_that_fold_to_a_role_make_none():
    """A role is compared in ASCII: one that merely folds to `system` does not take a turn away from the guard."""
    assert "EVIL" in heard([{"role": "\u017fystem", "content": "EVIL"}])[0][0]
    assert "EVIL" in heard([{"role": "user", "type": "functio\u0578", "content": "EVIL"}])[0][0]


@pytest.mark.parametrize(
    "name", ["call_EVIL", "msg_EVIL-ignore-all-previous", "toolu_1_EVIL", "call_1EVIL", "call_1\n"]
)
def test_an_id_that_is_made_of_words_is_judged(name):
    """Only what a server makes of letters and digits is no text."""
    assert heard([{"role": "tool", "tool_call_id": name, "content": "x"}])[0] == [f"{name}\nx"]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "web_search_call", "id": "ws_1", "results": [{"title": "t", "snippet": "EVIL"}]},
        {"type": "web_search_call", "action": {"type": "search", "sources": [{"type": "url", "url": "https://EVIL"}]}},
        {"type": "shell_call", "call_id": "call_1", "output": [{"stdout": "EVIL"}]},
        {"type": "local_shell_call", "call_id": "call_1", "of_tomorrow": "EVIL"},
        {"type": "computer_call", "output": {"text": "EVIL"}},
        {"type": "custom_tool_call", "name": "f", "output": "EVIL"},
        {"role": "assistant", "content": [{"type": "document", "source": {"type": "text", "data": "EVIL"}}]},
        {"role": "assistant", "content": [{"type": "search_result", "content": [{"type": "text", "text": "EVIL"}]}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A", "citations": [{"cited_text": "EVIL"}]}]},
        {
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "A",
                    "annotations": [{"type": "url_citation", "url": "https://x", "title": "EVIL"}],
                }
            ],
        },
        {
            "role": "assistant",
            "content": "A",
            "annotations": [{"type": "url_citation", "url_citation": {"url": "https://x", "title": "EVIL"}}],
        },
        {"type": "image_generation_call", "id": "ig_1", "result": "EVIL"},
    ],
)
def test_what_came_from_outside_is_judged_in_the_model_s_turns_too(item):
    """Results, quotations and documents that stand in an item of the model's are a tool's words, and judged or refused."""
    seen, outcome = heard([item, {"role": "user", "content": "hi"}])
    assert any("EVIL" in text for text in seen) or outcome.reason == "input.refused"


def test_what_the_model_wrote_stays_its_own():
    """Its calls, their addresses included, are the assistant's; they are no business of a guard of the user's words."""
    turns = [
        {"type": "web_search_call", "action": {"type": "open_page", "url": "https://x"}, "status": "completed"},
        {"type": "shell_call", "call_id": "call_1", "action": {"commands": ["ls"]}},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "A"}]},
        {"role": "user", "content": "hi"},
    ]
    assert heard(turns)[0] == ["hi"]


# -- texts that are split ----------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Chunk:
    page_content: str
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


def _document(text: str) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}}


SPLIT = {
    "turns": [{"role": "user", "content": "EV"}, {"role": "User", "content": "IL"}],
    "turns of parts": [{"role": "user", "content": ["a", "EV"]}, {"role": "user", "content": [{"text": "IL"}]}],
    "turns with names": [
        {"role": "user", "name": "A", "content": "EV"},
        {"role": "user", "name": "A", "content": "IL"},
    ],
    "an empty turn between": [
        {"role": "user", "content": "EV"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "IL"},
    ],
    "a tool's result and a turn": [
        {"type": "function_call_output", "call_id": "call_1", "output": "EV"},
        {"role": "user", "content": "IL"},
    ],
    "values of texts": [
        {"role": "user", "content": [{"type": "text", "text": {"value": "EV"}}, {"type": "text", "text": "IL"}]}
    ],
    "documents": [{"role": "user", "content": [{**_document("EV"), "title": "t"}, _document("IL")]}],
    "a document and a text": [{"role": "user", "content": [_document("EV"), {"type": "text", "text": "IL"}]}],
    "chunks": [{"role": "user", "content": [Chunk("EV", {"source": "a"}), Chunk("IL")]}],
}


@pytest.mark.parametrize("kind", SPLIT)
def test_what_is_split_over_turns_and_blocks_is_judged_on_end(kind):
    """Servers put turns of one role into one, and a model reads blocks on end: so does the guard."""
    assert any("EVIL" in text for text in heard(SPLIT[kind])[0])


def test_turns_with_another_between_are_not_read_on_end():
    """What the model said between two turns keeps them apart, as it does for the model; nor does one role's text go on
    in another's."""
    turns = [
        {"role": "user", "content": "EV"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "IL"},
    ]
    assert heard(turns)[0] == ["EV\nIL"]
    turns = [{"role": "system", "content": "EV"}, {"role": "user", "content": "IL"}]
    assert heard(turns, roles="all")[0] == ["EV\nIL"]


@pytest.mark.parametrize(
    "items",
    [
        [{"page_content": "EV", "metadata": {"source": "a"}}, {"page_content": "IL", "metadata": {"source": "b"}}],
        [Chunk("EV", {"source": "a"}), Chunk("IL", {"source": "b"})],
        [{"page_content": "EV"}, {"text": "IL"}],
        [{"body": {"raw": "EV"}, "title": "t"}, {"body": {"raw": "IL"}, "title": "t"}],
        [("1", "EV"), ("2", "IL")],
        [{"text": "EV"}, "IL"],
        {"documents": [{"passage": "EV", "score": 1}, {"passage": "IL", "score": 2}]},
    ],
)
def test_items_hide_nothing(items):
    """A text that is split over the items of a list is judged on end, by whatever name it goes in each of them."""

    @Guarded(Text(), on_fail=Raise(), input_guards=[Pattern("EVIL", forbid=True)])
    def ask(given):
        return "ok"

    assert ask.run(items).reason == "input.refused"


def test_one_view_where_all_are_the_same():
    """A guard is asked once of what reads alike in every way, and never of the same text twice."""
    assert heard("hi")[0] == ["hi"]
    assert heard([{"role": "user", "content": [{"type": "text", "text": "a"}]}])[0] == ["a"]
    turns = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]
    assert heard(turns)[0] == ["a\nb", "ab"]


# -- feedback that the caller passes -----------------------------------------------------------------------------------


def test_feedback_of_the_caller_s_is_judged():
    """A parameter that takes feedback is an argument like any other where the caller fills it."""
    given: list[Any] = []
    ticket = Guarded(Text(), on_fail=Raise(), input_guards=[Pattern("EVIL", forbid=True)])

    @ticket
    def summarise(feedback: str = ""):
        given.append(feedback)
        return "ok"

    @ticket
    def annotated(mail: str, why: Feedback | None = None):
        given.append(why)
        return "ok"

    for outcome in (
        summarise.run("EVIL"),
        summarise.run(feedback="EVIL"),
        annotated.run("x", "EVIL"),
        annotated.run("x", Feedback("EVIL")),
    ):
        assert outcome.reason == "input.refused"
    assert given == []
    assert summarise("x") == annotated("x") == "ok"


def test_feedback_of_the_library_s_own_is_none_of_the_caller_s():
    """What says why an answer was refused may quote it, and reaches the function unjudged: it was written for it."""
    given: list[Any] = []

    @Guarded(Ticket, on_fail=Reask(), input_guards=[check(lambda text: "no" if "JSON" in text else None)])
    def ask(mail: str, feedback: Feedback | None = None):
        given.append(feedback)
        return GOOD if feedback else "none"

    assert ask("x") is not None
    assert [one is None for one in given] == [True, False]


def test_a_fix_of_feedback_reaches_the_function():
    """What is fixed there goes to the function as it does in any other argument."""
    given: list[Any] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[CARD])
    def ask(feedback: str = ""):
        given.append(feedback)
        return "ok"

    assert ask("1234 5678") == "ok"
    assert given == ["[card]"]


# -- what values have beside what they are -----------------------------------------------------------------------------


class Said(str):
    __slots__ = ("note",)


class Amount(float):
    note = ""


class Day(dt.date):
    note = ""


def _noted(value: Any) -> Any:
    value.note = "EVIL"
    return value


def _chained(*, cause: bool) -> BaseException:
    try:
        try:
            raise ValueError("EVIL")
        except ValueError as fault:
            raise KeyError("k") from (fault if cause else None)
    except KeyError as fault:
        return fault


class Level(enum.Enum):
    HIGH = 1
    EVIL = 2

    def __init__(self, number: int) -> None:
        self.note = "EVIL" if number == 1 else ""


class Number(enum.IntEnum):
    EVIL = 1


class Halves(pydantic.BaseModel):
    a: str
    b: str

    @property
    def text(self) -> str:
        return self.a + self.b


@dataclasses.dataclass
class HalvesData:
    a: str
    b: str

    @functools.cached_property
    def text(self) -> str:
        return self.a + self.b

    @property
    def broken(self) -> str:
        raise ValueError


class Serialized(pydantic.BaseModel):
    a: str

    @pydantic.field_serializer("a")
    def _a(self, value: str) -> str:
        return value[::-1]


class SerializedInside(pydantic.BaseModel):
    a: list[Annotated[int, pydantic.PlainSerializer(lambda value: "EVIL")]]


class Odd:
    """Something that JSON has no form for."""

    def __init__(self) -> None:
        self.note = "x"


class SerializedBesideOdd(Serialized):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    odd: Odd = pydantic.Field(default_factory=Odd)


class Lazy:
    """A plain object whose text is nowhere among its attributes."""

    def __init__(self) -> None:
        self.number = 3

    @property
    def text(self) -> str:
        return chr(69) + "VIL"

    @property
    def broken(self) -> str:
        raise ValueError


class LazySlots:
    __slots__ = ("number",)
    text = Lazy.text

    def __init__(self) -> None:
        self.number = 3


class GoneThrough:
    def __init__(self) -> None:
        self.size = 1

    def __iter__(self) -> Iterator[str]:
        return iter(["EVIL"])


class Numbered:
    def __init__(self) -> None:
        self.size = 2

    def __getitem__(self, number: int) -> str:
        return ("EV", "IL")[number]


class Keyed:
    def __init__(self) -> None:
        self.size = 1

    def keys(self) -> list[str]:
        return ["k"]

    def __getitem__(self, key: str) -> str:
        return {"k": "EVIL"}[key]


ZONE = dt.timezone(dt.timedelta(0), "EVIL")
BESIDE = {
    "a text with a note": _noted(Said("a")),
    "a number with a note": _noted(Amount(1)),
    "a date with a note": _noted(Day(2020, 1, 1)),
    "the cause of an exception": _chained(cause=True),
    "its context": _chained(cause=False),
    "what an import missed": ImportError("m", name="EVIL"),
    "a file that is missing": FileNotFoundError(2, "gone", "EVIL"),
    "exceptions in a group": ExceptionGroup("g", [ValueError("EVIL")]),
    "an attribute of a member": Level.HIGH,
    "the name of a member": Level.EVIL,
    "the name of a number": Number.EVIL,
    "a property of a model": Halves(a="EV", b="IL"),
    "a property of a dataclass": HalvesData("EV", "IL"),
    "a serializer": Serialized(a="LIVE"),
    "a serializer inside": SerializedInside(a=[1]),
    "a serializer beside what JSON has no form for": SerializedBesideOdd(a="LIVE"),
    "a property of a plain object": Lazy(),
    "a property of one with slots": LazySlots(),
    "what is gone through": GoneThrough(),
    "what is numbered": Numbered(),
    "what has keys": Keyed(),
    "the name of a zone": dt.datetime(2020, 1, 1, tzinfo=ZONE),
}


@pytest.mark.parametrize("kind", BESIDE)
@pytest.mark.parametrize("inside", [False, True])
def test_what_a_value_has_beside_what_it_is_is_judged(kind, inside):
    """Attributes of subclasses, causes of exceptions, names of members, properties, serialized forms, items."""

    @Guarded(Text(), on_fail=Raise(), input_guards=[Pattern("EVIL", forbid=True)])
    def ask(given):
        return "ok"

    value = BESIDE[kind]
    assert ask.run({"k": [value]} if inside else value).reason == "input.refused"


class Priority(enum.Enum):
    URGENT = "urgent"


@dataclasses.dataclass
class Named:
    name: str

    @property
    def again(self) -> str:
        return self.name

    def __iter__(self) -> Iterator[str]:
        return iter([self.name])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Priority.URGENT, "urgent"),
        (Named("Ann"), "Ann"),
        (dt.datetime(2020, 1, 1, tzinfo=dt.UTC), ""),
        (uuid.UUID(int=1), ""),
        (Decimal("1.5"), ""),
        (Keyed.__name__, "Keyed"),
    ],
)
def test_what_says_the_same_again_is_judged_once(value, expected):
    """A name that is the value, a property that gives a field, and values of Python's own add no text."""
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    ask(value)
    assert seen == [expected]


class Kept(pydantic.BaseModel):
    role: str = "user"
    content: str = "hi"
    note: str = pydantic.Field("", exclude=True)


def test_what_a_turn_s_dump_leaves_out_is_judged_where_the_turn_itself_is_given():
    """A decorated function is given the objects, and can read what their dump does not hold."""

    @Guarded(Text(), on_fail=Raise(), input_guards=[Pattern("EVIL", forbid=True)])
    def ask(messages):
        return "ok"

    assert ask.run([Kept(note="EVIL")]).reason == "input.refused"
    assert ask([Kept(note="fine")]) == "ok"


# -- the promise, for messages and arguments ---------------------------------------------------------------------------

keys = st.sampled_from(
    [
        "text",
        "content",
        "output",
        "type",
        "role",
        "status",
        "format",
        "media_type",
        "id",
        "name",
        "page_content",
        "data",
    ]
    + ["value", "source", "citations", "annotations", "results", "input", "summary", "action", "arguments", "k"]
)
plain_words = st.sampled_from(["", "a", "text", "user", "text/plain", "call_1", "completed", "message", "document"])


def _texts_in(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Every place of a text in nested plain data, keys left out."""
    if isinstance(value, str):
        yield ()
    elif isinstance(value, dict):
        yield from ((key, *rest) for key, inner in value.items() for rest in _texts_in(inner))
    elif isinstance(value, list):
        yield from ((number, *rest) for number, inner in enumerate(value) for rest in _texts_in(inner))


def _with_word(value: Any, place: tuple[str | int, ...]) -> Any:
    if not place:
        return f"{value}EVIL"
    if isinstance(value, dict):
        return {**value, place[0]: _with_word(value[str(place[0])], place[1:])}
    assert isinstance(place[0], int)
    return [*value[: place[0]], _with_word(value[place[0]], place[1:]), *value[place[0] + 1 :]]


data_values = st.recursive(
    plain_words | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.dictionaries(keys, data_values, min_size=1, max_size=4), min_size=1, max_size=3), st.data())
@settings(max_examples=400, deadline=None)
def test_a_word_at_any_place_of_a_conversation_is_seen_or_nothing_is_sent(turns, data):
    """Wherever in turns and items of whatever shape a word is put, a guard of all roles saw it, or the call was refused
    for something that cannot be read."""
    places = list(_texts_in(turns))
    if not places:
        return
    seen, outcome = heard(_with_word(turns, data.draw(st.sampled_from(places))), roles="all")
    if outcome.ok:
        assert any("EVIL" in text for text in seen)
    else:
        assert {finding.code for finding in outcome.findings} == {"input.unreadable"}


@given(data_values, st.data())
@settings(max_examples=300, deadline=None)
def test_a_word_at_any_place_of_an_argument_is_seen_or_nothing_is_called(value, data):
    """The same for an argument of a decorated function, on its own and in objects of several kinds."""
    places = list(_texts_in(value))
    if not places:
        return
    seen: list[str] = []

    @Guarded(Text(), on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    def ask(given):
        return "ok"

    wrap = data.draw(st.sampled_from([lambda x: x, Mail, Plain, Row, Chunk, lambda x: types.SimpleNamespace(x=x)]))
    outcome = ask.outcome(wrap(_with_word(value, data.draw(st.sampled_from(places)))))
    if outcome.ok:
        assert any("EVIL" in text for text in seen)
    else:
        assert {finding.code for finding in outcome.findings} == {"input.unreadable"}


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3))
@settings(deadline=None)
def test_a_word_split_over_turns_of_one_role_is_seen(cuts):
    """However a word is split over turns behind each other, each with a name and parts of its own, it is seen whole."""
    bounds = sorted({0, *cuts, 4})
    turns = [
        {"role": "user", "name": "ann", "content": [{"type": "text", "text": "EVIL"[start:end]}]}
        for start, end in itertools.pairwise(bounds)
    ]
    assert any("EVIL" in text for text in heard(turns)[0])


@pytest.mark.parametrize(
    "name",
    [
        "call_1",
        "call_kXw9mYQvPzR3tLbN5cJhD7fG",
        "toolu_01A09q90qw90lq917835lq9",
        "msg_68a1f0b2c3d4819e9f0a1b2c3d4e5f60718293a4b5c6d7e8",
        "call_123e4567-e89b-12d3-a456-426614174000",
        "chatcmpl-tool-9f3c2b1a0d8e4f6a9b7c5d3e1f2a4b6c",
    ],
)
def test_an_id_that_a_server_made_is_no_text(name):
    """Ids in the forms that the servers give them do not disturb what is judged."""
    assert heard([{"role": "tool", "tool_call_id": name, "content": "x"}])[0] == ["x"]
