"""The decorator: the body makes the call, callers get the value."""

from __future__ import annotations

import asyncio
import inspect
import pickle

import pytest
from models import BAD, GOOD, Ticket

from guards import Budget, ConfigError, Feedback, Guarded, Raise, Reask, Reflect, Refrain, Rejected, Reply, check

ticket = Guarded(Ticket)
VALUE = Ticket(title="Printer", priority=2)


@ticket
def at_module_level(mail: str, *, feedback: Feedback | None = None) -> str:
    """Triage a mail."""
    return GOOD if feedback else BAD


def test_feedback_reaches_the_function():
    """The first time it is None, then a Feedback whose text names each path and whose turns can be sent."""
    seen = []

    @ticket
    def triage(mail: str, *, feedback: Feedback | None = None) -> str:
        seen.append(feedback)
        return GOOD if feedback else BAD

    assert triage("help") == VALUE
    assert seen[0] is None
    assert "/title" in str(seen[1])
    assert "/priority" in str(seen[1])
    assert [f.path for f in seen[1].findings] == ["/title", "/priority"]
    assert [m["role"] for m in seen[1].messages] == ["assistant", "user"]
    assert seen[1].attempt == 2


def test_feedback_by_annotation():
    """A parameter annotated Feedback gets it under any name, also when annotations are text."""

    @ticket
    def triage(mail, why: Feedback | None = None):
        return GOOD if why else BAD

    @ticket
    def quoted(mail, why: "Feedback | None" = None):
        return GOOD if why else BAD

    assert triage("help") == quoted("help") == VALUE


def test_messages_get_the_added_turns():
    """A function with messages and no feedback gets the retry as added turns; the caller's list stays as it is."""
    sent = []

    @ticket
    def ask(messages):
        sent.append(list(messages))
        return GOOD if len(messages) > 1 else BAD

    mine = [{"role": "user", "content": "task"}]
    assert ask(mine) == VALUE
    assert [len(m) for m in sent] == [1, 3]
    assert len(mine) == 1
    outcome = ask.outcome(mine)
    assert outcome.ok
    assert outcome.attempts[1].messages[0] == {"role": "user", "content": "task"}


def test_outcome_never_raises_for_a_bad_answer():
    """`.outcome()` gives the whole record of a rejection; calling raises it."""

    @Guarded(Ticket, on_fail=Raise())
    def triage(mail):
        return BAD

    outcome = triage.outcome("x")
    assert (outcome.ok, len(outcome.attempts)) == (False, 1)
    with pytest.raises(Rejected):
        triage("x")


def test_no_room_for_feedback_is_found_at_decoration():
    """A policy that asks again and a function that could not be told why is a ConfigError that names the way out."""
    with pytest.raises(ConfigError, match="feedback: Feedback"):

        @ticket
        def triage(mail):
            return GOOD

    with pytest.raises(ConfigError, match="needs a default"):

        @ticket
        def forced(mail, feedback):
            return GOOD

    @check(on_fail=Reask())
    def guard(value, context):
        return None

    with pytest.raises(ConfigError):

        @Guarded(Ticket, on_fail=Raise(), guards=[guard])
        def own(mail):
            return GOOD


def test_a_separate_reflection_needs_a_client():
    """Where no client can be called, Reflect(mode="separate") must bring its own."""
    with pytest.raises(ConfigError, match="client="):
        Guarded(Ticket, on_fail=Reflect(mode="separate"))(lambda mail, feedback=None: GOOD)
    triage = Guarded(Ticket, on_fail=Reflect(mode="separate", client=lambda messages: "noted"))(
        lambda mail, feedback=None: GOOD if feedback else BAD
    )
    assert triage.outcome("x").attempts[1].reflection == "noted"


def test_arguments_are_the_guards_context():
    """Guards see the function's arguments by name, defaults too, without self and feedback."""
    seen = {}

    @check(needs=("mail", "lang"))
    def look(value, context):
        seen.update(context)
        seen["attempt"] = context.attempt

    class Desk:
        @Guarded(Ticket, guards=[look])
        def triage(self, mail, lang="en", *, feedback=None):
            return GOOD

    assert Desk().triage("help") == VALUE
    assert seen == {"mail": "help", "lang": "en", "attempt": 1}


def test_a_context_key_without_a_parameter_is_found_at_decoration():
    """A guard that needs what the function does not have can never run."""

    @check(needs=("source",))
    def look(value, context):
        return None

    with pytest.raises(ConfigError, match="'source'"):

        @Guarded(Ticket, guards=[look])
        def triage(mail, feedback=None):
            return GOOD


def test_methods_of_every_kind():
    """Instance, class and static methods are decorated as functions are."""

    class Desk:
        @ticket
        def plain(self, mail, feedback=None):
            assert isinstance(self, Desk)
            return GOOD if feedback else BAD

        @classmethod
        @ticket
        def of_class(cls, mail, feedback=None):
            assert cls is Desk
            return GOOD

        @staticmethod
        @ticket
        def static(mail, feedback=None):
            return GOOD

        @ticket
        async def later(self, mail, feedback=None):
            return GOOD if feedback else BAD

    desk = Desk()
    assert desk.plain("x") == desk.of_class("x") == Desk.static("x") == VALUE
    assert desk.plain.outcome("x").ok
    assert Desk.plain(desk, "x") == VALUE
    assert asyncio.run(desk.later("x")) == VALUE
    assert asyncio.run(desk.later.outcome("x")).ok


def test_it_looks_like_the_function():
    """Name, doc, signature and colour tell the truth; a decorated module-level function pickles."""
    assert at_module_level.__name__ == "at_module_level"
    assert at_module_level.__doc__ == "Triage a mail."
    assert list(inspect.signature(at_module_level).parameters) == ["mail", "feedback"]
    assert not inspect.iscoroutinefunction(at_module_level)
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level

    class Desk:
        @ticket
        async def triage(self, mail, feedback=None):
            return GOOD

    assert inspect.iscoroutinefunction(Desk.triage)
    assert inspect.iscoroutinefunction(Desk().triage)
    assert list(inspect.signature(Desk().triage).parameters) == ["mail", "feedback"]


def test_wrong_arguments_are_the_caller_s_error():
    """A call that the function could not take fails as the function's own would."""
    with pytest.raises(TypeError):
        at_module_level()
    with pytest.raises(TypeError):
        at_module_level("x", nope=1)


def test_what_the_body_may_return():
    """Text, a Reply, an iterator of text; sync and async generators give the value when called plainly."""
    plain = Guarded(Ticket, on_fail=Raise())

    @plain
    def pieces():
        yield GOOD[:5]
        yield GOOD[5:]

    @plain
    async def apieces():
        yield GOOD[:5]
        yield GOOD[5:]

    @plain
    async def returns_an_iterator():
        async def inner():
            yield GOOD

        return inner()

    @plain
    def reply():
        return Reply(GOOD, usage={"input_tokens": 3, "output_tokens": 4})

    assert pieces() == reply() == VALUE
    assert reply.outcome().usage.total_tokens == 7
    assert asyncio.run(apieces()) == asyncio.run(returns_an_iterator()) == VALUE
    assert inspect.iscoroutinefunction(apieces)
    assert not inspect.isgeneratorfunction(pieces)


@pytest.mark.parametrize("nothing", [None, 3, b"x", {"a": 1}, ["x", 1]])
def test_what_is_no_answer_is_an_error(nothing):
    """A body that returns something else is told so; it is no bad answer to be asked again."""
    with pytest.raises(ConfigError, match="gave (a |an )?(None|int|bytes|dict|list)"):
        Guarded(Ticket, on_fail=Raise())(lambda: nothing)()


def test_a_sync_function_that_returns_a_coroutine():
    """A forgotten `async` is named, and the coroutine is closed."""

    async def answer():
        return GOOD

    with pytest.raises(ConfigError, match="async"):
        Guarded(Ticket, on_fail=Raise())(lambda: answer())()


def test_the_body_s_exceptions_pass():
    """What the body raises comes out as the same object with a note, from `.outcome()` too."""
    fault = RuntimeError("line is dead")

    @Guarded(Ticket, on_fail=Raise())
    def triage():
        raise fault

    for form in (triage, triage.outcome):
        with pytest.raises(RuntimeError) as caught:
            form()
        assert caught.value is fault
    assert any("attempt 1" in note for note in fault.__notes__)


def test_refrain_gives_none():
    """With Refrain the caller of a decorated function gets None."""

    @Guarded(Ticket, on_fail=Refrain())
    def triage():
        return BAD

    assert triage() is None


def test_what_cannot_be_decorated():
    """A thing that cannot be called is refused where it is written."""
    with pytest.raises(ConfigError):
        ticket("not a function")


def test_input_guards_see_the_arguments():
    """Where the function sends, input guards look at the text of its arguments, and a refusal makes no call."""
    calls = []

    @check
    def no_shouting(value, context):
        return "shouting" if value.isupper() else None

    @Guarded(Ticket, on_fail=Raise(), input_guards=[no_shouting], budget=Budget(attempts=1))
    def triage(mail):
        calls.append(mail)
        return GOOD

    assert triage("help") == VALUE
    outcome = triage.outcome("HELP")
    assert (outcome.ok, outcome.reason, calls) == (False, "input.refused", ["help"])


@pytest.mark.parametrize("name", ["self", "cls"])
def test_an_argument_is_left_out_where_it_was_bound_and_not_for_its_name(name):
    """Of a method guards don't see the object; of a plain function or a static method they see an argument `self`."""
    seen: list[str] = []
    look = Guarded(Ticket, on_fail=Raise(), input_guards=[check(lambda text: seen.append(text))])
    made: dict[str, object] = {}
    exec(f"def plain({name}, mail=1):\n    return {GOOD!r}", made)
    plain = made["plain"]

    class Desk:
        static = staticmethod(look(plain))
        within = look(staticmethod(plain))
        method = look(plain)
        of_class = look(classmethod(plain))

    for called in (look(plain), Desk.static, Desk().static, Desk.within, Desk().within):
        assert called("EVIL") == VALUE
        assert seen.pop() == "EVIL"
        assert called(**{name: "EVIL"}) == VALUE
        assert seen.pop() == "EVIL"
    for called in (Desk().method, Desk.of_class, Desk().of_class):
        assert called("hello") == VALUE
        assert seen.pop() == "hello"


def test_a_guard_may_need_an_argument_called_self():
    """What a plain function calls `self` is context like any other argument."""
    seen = []

    @check(needs=("self",))
    def look(value, context):
        seen.append(context["self"])

    @Guarded(Ticket, on_fail=Raise(), guards=[look])
    def triage(self):
        return GOOD

    assert triage("mine") == VALUE
    assert seen == ["mine"]


def test_run_and_outcome_are_the_same():
    """Both give the whole record and never raise for a bad answer, of functions and methods, sync and async."""
    refuse = Guarded(Ticket, on_fail=Raise())

    class Desk:
        @refuse
        def triage(self, mail):
            return BAD

        @refuse
        async def later(self, mail):
            return BAD

    for get in (refuse(lambda mail: BAD), Desk().triage):
        assert [get.run("x").ok, get.outcome("x").ok] == [False, False]
    assert not asyncio.run(Desk().later.run("x")).ok
    assert not asyncio.run(Desk().later.outcome("x")).ok
